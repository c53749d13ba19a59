//! Files that are small and would cost much: each is refused, by the limit that is meant for it.

use std::io::Cursor;

use voicesurvey_core::phone_number::Region;
use voicesurvey_files::call_list::{CallListError, CallListReader, ReadLimits, ReadSettings};

use crate::targets::{WORKBOOK, workbook};

fn read(content: Vec<u8>, limits: ReadLimits) -> Result<usize, CallListError> {
    let settings = ReadSettings {
        limits,
        ..ReadSettings::new(Region::IT)
    };
    let mut reader = CallListReader::open(Cursor::new(content), "list", &settings)?;
    reader.try_fold(0, |count, row| row.map(|_| count + 1))
}

/// The workbook with one of its parts replaced.
fn with(name: &str, part: &str) -> Vec<u8> {
    let parts = WORKBOOK.map(|(its_name, its_part)| {
        let part = if its_name.contains(name) {
            part
        } else {
            its_part
        };
        (its_name, part.as_bytes())
    });
    workbook(&parts)
}

fn sheet(rows: &str) -> Vec<u8> {
    let header = "<row r=\"1\"><c t=\"s\"><v>0</v></c></row>";
    with(
        "sheet1",
        &format!("<worksheet><sheetData>{header}{rows}</sheetData></worksheet>"),
    )
}

const ROW: &str = "<row><c><v>3471234567</v></c></row>";

#[test]
fn the_workbook_that_the_bombs_are_made_of_can_be_read() {
    assert_eq!(read(sheet(&ROW.repeat(3)), ReadLimits::default()), Ok(3));
}

#[test]
fn more_rows_than_allowed_are_refused_and_as_many_are_not() {
    let limits = ReadLimits {
        max_rows: 3,
        ..ReadLimits::default()
    };
    assert_eq!(read(sheet(&ROW.repeat(3)), limits), Ok(3));
    assert_eq!(
        read(sheet(&ROW.repeat(4)), limits),
        Err(CallListError::TooManyRows { limit: 3 })
    );
    let text = |rows| format!("phone\n{}", "3471234567\n".repeat(rows)).into_bytes();
    assert_eq!(read(text(3), limits), Ok(3));
    assert_eq!(
        read(text(4), limits),
        Err(CallListError::TooManyRows { limit: 3 })
    );
}

#[test]
fn a_workbook_that_unpacks_to_more_than_allowed_is_refused() {
    let limits = ReadLimits {
        max_inflated_bytes: 20_000,
        ..ReadLimits::default()
    };
    assert_eq!(read(sheet(&ROW.repeat(100)), limits), Ok(100));
    assert_eq!(
        read(sheet(&ROW.repeat(2_000)), limits),
        Err(CallListError::TooLarge)
    );
    let texts = format!("<sst><si><t>phone</t></si>{}</sst>", "<si/>".repeat(10_000));
    assert_eq!(
        read(with("sharedStrings", &texts), limits),
        Err(CallListError::TooLarge)
    );
}

#[test]
fn texts_for_all_cells_are_limited_however_small_each_is() {
    let limits = ReadLimits {
        max_shared_text_bytes: 1_000,
        ..ReadLimits::default()
    };
    let texts = |more: String| format!("<sst><si><t>phone</t></si>{more}</sst>");
    assert_eq!(
        read(with("sharedStrings", &texts("<si/>".repeat(50))), limits),
        Ok(1)
    );
    for more in [
        "<si/>".repeat(500),
        format!("<si>{}</si>", "<r><t>abcdefgh</t></r>".repeat(200)),
    ] {
        let content = with("sharedStrings", &texts(more));
        assert_eq!(read(content, limits), Err(CallListError::TooLarge));
    }
}

#[test]
fn one_endless_cell_or_tag_is_refused() {
    let long = "x".repeat(2_000_000);
    for cell in [
        format!("<row><c t=\"str\"><v>{long}</v></c></row>"),
        format!("<row><c t=\"inlineStr\"><is><t>{long}</t></is></c></row>"),
        format!("<row><c t=\"{long}\"><v>1</v></c></row>"),
        format!("<!--{long}-->"),
        format!("<row><c t=\"str\"><v><![CDATA[{long}]]></v></c></row>"),
        format!(
            "<row><c t=\"inlineStr\"><is>{}</is></c></row>",
            "<r><t>abcdefgh</t></r>".repeat(50_000)
        ),
    ] {
        let error = read(sheet(&cell), ReadLimits::default());
        assert_eq!(error, Err(CallListError::TooLarge), "{}", &cell[..60]);
    }
    let cell = format!("<row><c t=\"str\"><v>{}</v></c></row>", "x".repeat(40_000));
    let refused = CallListError::CellTooLong {
        row: 2,
        limit: 32_767,
    };
    assert_eq!(read(sheet(&cell), ReadLimits::default()), Err(refused));
}

#[test]
fn an_archive_of_more_files_than_any_workbook_has_is_refused_before_they_are_listed() {
    let content = sheet(ROW);
    let end = content
        .windows(4)
        .rposition(|window| window == b"PK\x05\x06")
        .unwrap();
    let mut crowded = content.clone();
    crowded[end + 10..end + 12].copy_from_slice(&60_000_u16.to_le_bytes());
    assert_eq!(
        read(crowded, ReadLimits::default()),
        Err(CallListError::TooLarge)
    );
    // The same number in the end of a large archive, wherever that is.
    let mut large = content[..end].to_vec();
    let record = large.len() as u64;
    large.extend(b"PK\x06\x06");
    large.extend([0; 28]);
    large.extend(60_000_u64.to_le_bytes());
    large.extend([0; 16]);
    large.extend(b"PK\x06\x07\0\0\0\0");
    large.extend(record.to_le_bytes());
    large.extend(1_u32.to_le_bytes());
    large.extend(&content[end..]);
    assert_eq!(
        read(large, ReadLimits::default()),
        Err(CallListError::TooLarge)
    );
}

#[test]
fn a_cell_far_to_the_right_reserves_nothing() {
    let cell = "<row><c r=\"XFD2\"><v>1</v></c></row>";
    let refused = CallListError::TooManyColumns { row: 2, limit: 200 };
    assert_eq!(read(sheet(cell), ReadLimits::default()), Err(refused));
    // What is empty does not count.
    let cell = "<row><c><v>3471234567</v></c><c r=\"XFD2\"/></row>";
    assert_eq!(read(sheet(cell), ReadLimits::default()), Ok(1));
}

#[test]
fn an_old_workbook_is_limited_by_its_size() {
    let path = crate::corpus::folder().join("old.xls");
    let content = std::fs::read(path).unwrap();
    assert_eq!(read(content.clone(), ReadLimits::default()), Ok(2));
    let limits = ReadLimits {
        max_xls_bytes: 5_000,
        ..ReadLimits::default()
    };
    assert_eq!(read(content.clone(), limits), Err(CallListError::TooLarge));
    let limits = ReadLimits {
        max_shared_text_bytes: 50,
        ..ReadLimits::default()
    };
    assert_eq!(read(content, limits), Err(CallListError::TooLarge));
}
