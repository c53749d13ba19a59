//! What must hold for every file whatever, called by the fuzzer and by a bounded run of the tests.

use std::io::{Cursor, Write as _};

use voicesurvey_core::blank::is_blank;
use voicesurvey_core::phone_number::Region;
use voicesurvey_files::call_list::{CallListReader, ReadLimits, ReadSettings};

/// Reads the file to its end: it may be refused, but nothing may go wrong.
pub fn any_file(content: &[u8]) {
    let settings = ReadSettings {
        limits: ReadLimits {
            max_rows: 5_000,
            max_inflated_bytes: 16 << 20,
            max_shared_text_bytes: 4 << 20,
            ..ReadLimits::default()
        },
        ..ReadSettings::new(Region::IT)
    };
    let file = Cursor::new(content.to_vec());
    let Ok(mut reader) = CallListReader::open(file, "list", &settings) else {
        return;
    };
    let width = reader.columns().len();
    assert!(width <= settings.limits.max_columns);
    let mut rows = 0;
    while let Some(row) = reader.next() {
        let Ok(row) = row else {
            assert!(reader.next().is_none(), "there are rows after an error");
            break;
        };
        rows += 1;
        assert!(rows <= settings.limits.max_rows);
        assert!(row.row > 0);
        assert!(
            row.original.iter().any(|cell| !is_blank(cell)),
            "a blank row was read"
        );
        // Whatever is in it, it is a contact or an error that says which row it is.
        if let Err(error) = row.contact(Region::IT) {
            assert_eq!(error.row, row.row);
        }
        let progress = reader.progress();
        assert!(progress.read <= progress.total, "{progress:?}");
    }
}

/// Reads text with something between its cells.
pub fn csv(content: &[u8]) {
    any_file(&[b"phone,name;note\n", content].concat());
    any_file(content);
}

/// Reads text with a person in each line.
pub fn txt(content: &[u8]) {
    any_file(&[b"Ada - 347 1234567\n348 1234567 Bea\n", content].concat());
}

/// Reads a workbook of which the sheet, the texts or the styles are `content`; the first byte says
/// which.
pub fn xlsx(content: &[u8]) {
    any_file(content);
    let Some((which, content)) = content.split_first() else {
        return;
    };
    let mut parts = WORKBOOK.map(|(name, part)| (name, part.as_bytes()));
    parts[usize::from(*which) % WORKBOOK.len()].1 = content;
    any_file(&workbook(&parts));
}

/// The parts of a workbook with one sheet.
pub const WORKBOOK: [(&str, &str); 5] = [
    (
        "xl/worksheets/sheet1.xml",
        "<worksheet><sheetData><row r=\"1\"><c r=\"A1\" t=\"s\"><v>0</v></c><c r=\"B1\" t=\"inlineStr\">\
         <is><t>name</t></is></c></row><row r=\"2\"><c r=\"A2\"><v>3471234567</v></c><c r=\"B2\" s=\"1\">\
         <f>A1</f><v>46082.5</v></c></row></sheetData></worksheet>",
    ),
    (
        "xl/sharedStrings.xml",
        "<sst><si><t>phone</t></si><si><r><t>A</t></r><rPh><t>x</t></rPh></si></sst>",
    ),
    (
        "xl/styles.xml",
        "<styleSheet><numFmts><numFmt numFmtId=\"164\" formatCode=\"yyyy\"/></numFmts><cellXfs>\
         <xf numFmtId=\"0\"/><xf numFmtId=\"164\"/></cellXfs></styleSheet>",
    ),
    (
        "xl/workbook.xml",
        "<workbook><sheets><sheet name=\"One\" sheetId=\"1\" r:id=\"rId1\"/></sheets></workbook>",
    ),
    (
        "xl/_rels/workbook.xml.rels",
        "<Relationships><Relationship Id=\"rId1\" Type=\"http://x/worksheet\" \
         Target=\"worksheets/sheet1.xml\"/></Relationships>",
    ),
];

/// A workbook of these parts.
pub fn workbook(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options =
        zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    for (name, part) in parts {
        archive.start_file(*name, options).unwrap();
        archive.write_all(part).unwrap();
    }
    archive.finish().unwrap().into_inner()
}
