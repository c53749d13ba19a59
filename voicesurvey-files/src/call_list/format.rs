//! Tells text from everything else that people upload, by its first bytes.

use super::CallListError;

/// How files begin that are no CSV, although some are text.
const SIGNATURES: &[(&[u8], &str)] = &[
    (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        "an Excel workbook (.xls) or another Office document",
    ),
    (b"%PDF-", "a PDF document"),
    (b"\x89PNG", "an image (PNG)"),
    (b"\xff\xd8\xff", "an image (JPEG)"),
    (b"GIF8", "an image (GIF)"),
    (b"\x1f\x8b", "a compressed file (gzip)"),
    (b"PAR1", "a Parquet file"),
    (b"SQLite format 3\0", "a SQLite database"),
    (b"{\\rtf", "a text document (RTF)"),
    (b"\xff\xfe", "text in UTF-16"),
    (b"\xfe\xff", "text in UTF-16"),
    (b"<", "a web page or XML"),
    (b"{\"", "JSON"),
    (b"[{", "JSON"),
    (b"BEGIN:VCARD", "an address book (vCard)"),
];

/// The text of the file, without byte order mark.
pub(super) fn recognise(content: &[u8]) -> Result<&str, CallListError> {
    let content = content
        .strip_prefix("\u{feff}".as_bytes())
        .unwrap_or(content);
    if content.trim_ascii().is_empty() {
        return Err(CallListError::Empty);
    }
    if let Some(seems_to_be) = other_format(content) {
        return Err(CallListError::UnsupportedFormat {
            seems_to_be: seems_to_be.to_owned(),
        });
    }
    str::from_utf8(content).map_err(|error| {
        let good = &content[..error.valid_up_to()];
        let line = good.split(|byte| *byte == b'\n').count();
        let seems_to_be = format!("text in another encoding than UTF-8 (see line {line})");
        CallListError::UnsupportedFormat { seems_to_be }
    })
}

fn other_format(content: &[u8]) -> Option<&'static str> {
    if content.starts_with(b"PK\x03\x04") {
        return Some(zip_content(content));
    }
    let signature = SIGNATURES
        .iter()
        .find(|(start, _)| content.trim_ascii_start().starts_with(start));
    match signature {
        Some((_, seems_to_be)) => Some(seems_to_be),
        None => content.contains(&0).then_some("a binary file"),
    }
}

/// What is in a ZIP archive, from the names of its first entries, which are not compressed.
fn zip_content(content: &[u8]) -> &'static str {
    let start = &content[..content.len().min(8192)];
    let names = |name: &[u8]| start.windows(name.len()).any(|window| window == name);
    if names(b"xl/") {
        "an Excel workbook (.xlsx)"
    } else if names(b"opendocument.spreadsheet") {
        "a LibreOffice spreadsheet (.ods)"
    } else if names(b"[Content_Types].xml") {
        "an Office document (.xlsx or .docx)"
    } else {
        "a ZIP archive"
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
    fn files_that_are_no_csv_are_named() {
        let cases: &[(&[u8], &str)] = &[
            (
                b"PK\x03\x04....xl/workbook.xml",
                "an Excel workbook (.xlsx)",
            ),
            (
                b"PK\x03\x04..mimetypeapplication/vnd.oasis.opendocument.spreadsheet",
                "a LibreOffice spreadsheet (.ods)",
            ),
            (
                b"PK\x03\x04....[Content_Types].xml",
                "an Office document (.xlsx or .docx)",
            ),
            (b"PK\x03\x04....list.csv", "a ZIP archive"),
            (
                b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1....",
                "an Excel workbook (.xls) or another Office document",
            ),
            (b"%PDF-1.7\n", "a PDF document"),
            (b"\x89PNG\r\n\x1a\n", "an image (PNG)"),
            (b"\xff\xd8\xff\xe0", "an image (JPEG)"),
            (b"\n <!DOCTYPE html>", "a web page or XML"),
            (b"[{\"phone\":1}]", "JSON"),
            (b"\xff\xfep\0h\0", "text in UTF-16"),
            (b"p\0h\0o\0n\0e\0", "a binary file"),
            (
                b"phone\nname\n\xe8\n",
                "text in another encoding than UTF-8 (see line 3)",
            ),
        ];
        for (content, expected) in cases {
            assert_eq!(seems_to_be(content), *expected);
        }
    }

    #[test]
    fn text_is_given_back_without_byte_order_mark() {
        assert_eq!(recognise("\u{feff}phone\n".as_bytes()), Ok("phone\n"));
        assert_eq!(recognise("Città".as_bytes()), Ok("Città"));
    }

    #[test]
    fn nothing_but_space_is_empty() {
        for content in ["", "\u{feff}", " \r\n\n\t"] {
            assert_eq!(recognise(content.as_bytes()), Err(CallListError::Empty));
        }
    }
}
