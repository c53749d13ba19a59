//! Tells the formats of files apart by their first bytes, never by their name.

use super::CallListError;

/// How many bytes are looked at.
pub(super) const LOOKED_AT: usize = 4096;

/// What can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Text, or something that will turn out to be none.
    Text,
    /// A ZIP archive: a workbook, if it has one in it.
    Archive,
    /// A file system in a file: an old workbook, if it has one in it.
    CompoundFile,
}

/// How files begin that are no call list, although some are text.
const SIGNATURES: &[(&[u8], &str)] = &[
    (b"%PDF-", "a PDF document"),
    (b"\x89PNG", "an image (PNG)"),
    (b"\xff\xd8\xff", "an image (JPEG)"),
    (b"GIF8", "an image (GIF)"),
    (b"RIFF", "a picture or a recording"),
    (b"\x1f\x8b", "a compressed file (gzip)"),
    (b"7z\xbc\xaf\x27\x1c", "a compressed file (7-Zip)"),
    (b"Rar!\x1a\x07", "a compressed file (RAR)"),
    (b"PAR1", "a Parquet file"),
    (b"SQLite format 3\0", "a SQLite database"),
    (b"{\\rtf", "a text document (RTF)"),
    (b"{\"", "JSON"),
    (b"[{", "JSON"),
    (b"BEGIN:VCARD", "an address book (vCard)"),
];

/// What kind of file begins like this.
pub(super) fn recognise(start: &[u8]) -> Result<Kind, CallListError> {
    let start = start.strip_prefix("\u{feff}".as_bytes()).unwrap_or(start);
    if start.starts_with(b"PK\x03\x04") || start.starts_with(b"PK\x05\x06") {
        return Ok(Kind::Archive);
    }
    if start.starts_with(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1") {
        return Ok(Kind::CompoundFile);
    }
    let visible = start.trim_ascii_start();
    if visible.starts_with(b"<") {
        return Err(CallListError::unsupported(markup(visible)));
    }
    let signature = SIGNATURES
        .iter()
        .find(|(signature, _)| visible.starts_with(signature));
    match signature {
        Some((_, seems_to_be)) => Err(CallListError::unsupported(seems_to_be)),
        None => Ok(Kind::Text),
    }
}

/// What begins with a `<`. Many programs export a web page and call it `.xls`.
fn markup(start: &[u8]) -> &'static str {
    let start = start.to_ascii_lowercase();
    let has = |word: &str| {
        start
            .windows(word.len())
            .any(|window| window == word.as_bytes())
    };
    if has("excel.sheet") || has("urn:schemas-microsoft-com:office:spreadsheet") {
        "an Excel 2003 XML spreadsheet"
    } else if has("<table") || has("<html") {
        "a web page, even if its name ends in .xls"
    } else {
        "a web page or XML"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seems_to_be(content: &[u8]) -> String {
        match recognise(content) {
            Err(CallListError::UnsupportedFormat { seems_to_be }) => seems_to_be,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn files_that_are_no_call_list_are_named() {
        let cases: &[(&[u8], &str)] = &[
            (b"%PDF-1.7\n", "a PDF document"),
            (b"\x89PNG\r\n\x1a\n", "an image (PNG)"),
            (b"\xff\xd8\xff\xe0", "an image (JPEG)"),
            (b"\n <!DOCTYPE svg>", "a web page or XML"),
            (
                b"<HTML><TABLE>",
                "a web page, even if its name ends in .xls",
            ),
            (
                b"<?xml version=\"1.0\"?><?mso-application progid=\"Excel.Sheet\"?>",
                "an Excel 2003 XML spreadsheet",
            ),
            (b"[{\"phone\":1}]", "JSON"),
        ];
        for (content, expected) in cases {
            assert_eq!(seems_to_be(content), *expected);
        }
    }

    #[test]
    fn what_may_be_read_is_told_apart() {
        for (content, kind) in [
            (&b"PK\x03\x04...."[..], Kind::Archive),
            (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1....", Kind::CompoundFile),
            (b"phone\n", Kind::Text),
            (b"", Kind::Text),
            (b"\xff\xfep\0", Kind::Text),
        ] {
            assert_eq!(recognise(content), Ok(kind));
        }
    }
}
