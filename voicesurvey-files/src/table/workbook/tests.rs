use super::*;

fn columns() -> [Column; 2] {
    ["words", "count"].map(|name| Column {
        name: name.to_owned(),
        kind: ColumnType::Text,
    })
}

fn names(workbook: Vec<u8>) -> Vec<String> {
    let archive = zip::ZipArchive::new(io::Cursor::new(workbook)).unwrap();
    let names = archive.file_names().map(|name| name.unwrap().into_owned());
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

fn part(workbook: &[u8], name: &str) -> String {
    let mut archive = zip::ZipArchive::new(io::Cursor::new(workbook)).unwrap();
    io::read_to_string(archive.by_name(name).unwrap()).unwrap()
}

#[test]
fn what_does_not_fit_into_a_sheet_goes_on_in_another_under_the_same_header() {
    let limits = Limits {
        rows: 3,
        ..Limits::EXCEL
    };
    let mut workbook = Workbook::within(limits, Vec::new(), "results", &columns()).unwrap();
    for number in 0..5 {
        let cells = [Value::text("à"), Value::Integer(number)];
        workbook.row(&cells).unwrap();
    }
    let file = workbook.finish().unwrap();
    let sheets: Vec<usize> = (1..=3)
        .map(|sheet| part(&file, &format!("xl/worksheets/sheet{sheet}.xml")))
        .map(|sheet| {
            assert!(sheet.contains(">words</t>"), "{sheet}");
            sheet.matches("<row>").count()
        })
        .collect();
    assert_eq!(sheets, [3, 3, 2]);
    let listed = part(&file, "xl/workbook.xml");
    for name in ["\"results\"", "\"results 2\"", "\"results 3\""] {
        assert!(listed.contains(name), "{listed}");
    }
    assert_eq!(names(file).len(), 8);
}

#[test]
fn a_sheet_ends_before_it_is_too_large_for_an_archive() {
    let limits = Limits {
        bytes: 400,
        ..Limits::EXCEL
    };
    let mut workbook = Workbook::within(limits, Vec::new(), "results", &columns()).unwrap();
    for _ in 0..3 {
        let cells = [Value::text("x".repeat(300)), Value::Empty];
        workbook.row(&cells).unwrap();
    }
    let file = workbook.finish().unwrap();
    assert!(names(file).contains(&"xl/worksheets/sheet3.xml".to_owned()));
}

#[test]
fn a_text_that_is_too_long_for_a_cell_is_cut_and_says_so() {
    assert_eq!(cut(&"a".repeat(CHARACTERS)), None);
    // More bytes than characters.
    assert_eq!(cut(&"à".repeat(CHARACTERS)), None);
    // Two units each.
    let long = "😀".repeat(20_000);
    let kept = cut(&long).unwrap();
    let length: usize = kept.chars().map(char::len_utf16).sum();
    assert!(length <= CHARACTERS && length > CHARACTERS - 2, "{length}");
    assert!(
        kept.ends_with("😀 [cut here: 40000 characters, more than a cell can hold]"),
        "{}",
        &kept[kept.len() - 80..]
    );
}

#[test]
fn what_xml_cannot_hold_is_escaped() {
    let mut xml = String::new();
    parts::push_escaped(&mut xml, "<b>\u{7}&\r\n_x0041_ _x00_ _");
    assert_eq!(xml, "&lt;b&gt;_x0007_&amp;_x000D_\n_x005F_x0041_ _x00_ _");
}

#[test]
fn instants_are_days_since_1899() {
    let at = "2026-03-02T18:00:00Z".parse().unwrap();
    assert!((serial(at) - 46_083.75).abs() < 1e-9);
}

#[test]
fn more_columns_than_a_sheet_has_are_refused() {
    let columns = vec![columns()[0].clone(); COLUMNS + 1];
    let error = Workbook::new(Vec::new(), "results", &columns).unwrap_err();
    assert!(error.to_string().contains("16385"), "{error}");
}
