//! The parts of a workbook that are not rows, and how texts stand in XML.

use std::fmt::Write as _;

const DECLARATION: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n";

const STYLES: &str = "<styleSheet xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\">\
<numFmts count=\"1\"><numFmt numFmtId=\"164\" formatCode=\"yyyy\\-mm\\-dd\\ hh:mm:ss\"/></numFmts>\
<fonts count=\"2\"><font><sz val=\"11\"/><name val=\"Calibri\"/></font>\
<font><b/><sz val=\"11\"/><name val=\"Calibri\"/></font></fonts>\
<fills count=\"2\"><fill><patternFill patternType=\"none\"/></fill>\
<fill><patternFill patternType=\"gray125\"/></fill></fills>\
<borders count=\"1\"><border><left/><right/><top/><bottom/><diagonal/></border></borders>\
<cellStyleXfs count=\"1\"><xf numFmtId=\"0\" fontId=\"0\" fillId=\"0\" borderId=\"0\"/></cellStyleXfs>\
<cellXfs count=\"3\">\
<xf numFmtId=\"0\" fontId=\"0\" fillId=\"0\" borderId=\"0\" xfId=\"0\"/>\
<xf numFmtId=\"0\" fontId=\"1\" fillId=\"0\" borderId=\"0\" xfId=\"0\" applyFont=\"1\"/>\
<xf numFmtId=\"164\" fontId=\"0\" fillId=\"0\" borderId=\"0\" xfId=\"0\" applyNumberFormat=\"1\"/>\
</cellXfs>\
<cellStyles count=\"1\"><cellStyle name=\"Normal\" xfId=\"0\" builtinId=\"0\"/></cellStyles>\
</styleSheet>";

const PACKAGE_RELATIONSHIPS: &str = "<Relationships \
xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\">\
<Relationship Id=\"rId1\" \
Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument\" \
Target=\"xl/workbook.xml\"/></Relationships>";

/// After the rows of a sheet. Excel need not warn of phone numbers that look like numbers.
pub(super) const SHEET_CLOSING: &str = "</sheetData><ignoredErrors>\
<ignoredError sqref=\"A1:XFD1048576\" numberStoredAsText=\"1\"/></ignoredErrors></worksheet>";

/// Before the rows of a sheet: the header stays in sight.
pub(super) fn sheet_opening(widths: impl Iterator<Item = u8>) -> String {
    let mut opening = format!(
        "{DECLARATION}<worksheet \
xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\"><sheetViews>\
<sheetView workbookViewId=\"0\"><pane ySplit=\"1\" topLeftCell=\"A2\" activePane=\"bottomLeft\" \
state=\"frozen\"/></sheetView></sheetViews><cols>"
    );
    for (width, column) in widths.zip(1..) {
        // OK because writing to a String cannot fail.
        let _ = write!(
            opening,
            "<col min=\"{column}\" max=\"{column}\" width=\"{width}\" customWidth=\"1\"/>"
        );
    }
    opening.push_str("</cols><sheetData>");
    opening
}

/// The parts that list the sheets, by their names.
pub(super) fn closing(title: &str, sheets: u32) -> [(&'static str, String); 5] {
    let mut types = format!(
        "{DECLARATION}<Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\">\
<Default Extension=\"rels\" \
ContentType=\"application/vnd.openxmlformats-package.relationships+xml\"/>\
<Default Extension=\"xml\" ContentType=\"application/xml\"/>\
<Override PartName=\"/xl/workbook.xml\" ContentType=\
\"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml\"/>\
<Override PartName=\"/xl/styles.xml\" ContentType=\
\"application/vnd.openxmlformats-officedocument.spreadsheetml.styles+xml\"/>"
    );
    let mut workbook = format!(
        "{DECLARATION}<workbook \
xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\" \
xmlns:r=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships\"><sheets>"
    );
    let mut relationships = format!(
        "{DECLARATION}<Relationships \
xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\">\
<Relationship Id=\"styles\" \
Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/styles\" \
Target=\"styles.xml\"/>"
    );
    for sheet in 1..=sheets {
        let mut name = title.to_owned();
        // OK because writing to a String cannot fail.
        if sheet > 1 {
            let _ = write!(name, " {sheet}");
        }
        let _ = write!(
            types,
            "<Override PartName=\"/xl/worksheets/sheet{sheet}.xml\" ContentType=\
\"application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml\"/>"
        );
        let _ = write!(
            workbook,
            "<sheet name=\"{name}\" sheetId=\"{sheet}\" r:id=\"sheet{sheet}\"/>"
        );
        let _ = write!(
            relationships,
            "<Relationship Id=\"sheet{sheet}\" \
Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet\" \
Target=\"worksheets/sheet{sheet}.xml\"/>"
        );
    }
    types.push_str("</Types>");
    workbook.push_str("</sheets></workbook>");
    relationships.push_str("</Relationships>");
    [
        ("xl/styles.xml", format!("{DECLARATION}{STYLES}")),
        ("xl/_rels/workbook.xml.rels", relationships),
        ("xl/workbook.xml", workbook),
        (
            "_rels/.rels",
            format!("{DECLARATION}{PACKAGE_RELATIONSHIPS}"),
        ),
        ("[Content_Types].xml", types),
    ]
}

/// Adds a text as the content of an element.
///
/// What XML cannot hold is written as spreadsheets do, `_x0007_`, and so is a text that looks like
/// that already, or it would be taken for such a character.
pub(super) fn push_escaped(xml: &mut String, text: &str) {
    for (at, character) in text.char_indices() {
        // OK because writing to a String cannot fail.
        let _ = match character {
            '&' => xml.write_str("&amp;"),
            '<' => xml.write_str("&lt;"),
            '>' => xml.write_str("&gt;"),
            '_' if is_code(&text[at..]) => xml.write_str("_x005F_"),
            '\t' | '\n' => xml.write_char(character),
            '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => {
                write!(xml, "_x{:04X}_", u32::from(character))
            }
            _ => xml.write_char(character),
        };
    }
}

/// Whether the text begins with `_x`, four hexadecimal digits and `_`.
fn is_code(text: &str) -> bool {
    let Some(code) = text.as_bytes().get(..7) else {
        return false;
    };
    code.starts_with(b"_x") && code[6] == b'_' && code[2..6].iter().all(u8::is_ascii_hexdigit)
}
