use voicesurvey_core::call_list::CallList;
use voicesurvey_core::phone_number::Region;

use super::*;
use crate::call_list::{ReadLimits, read_call_list};

fn read(content: &[u8]) -> CallList {
    read_call_list("list.csv", content, &ReadLimits::default()).unwrap()
}

fn error_file(list: &CallList, encoding: Encoding) -> Vec<u8> {
    let rows = list.rows.iter();
    let errors: Vec<RowError> = rows
        .filter_map(|row| row.contact(Region::IT).err())
        .collect();
    let mut columns = list.columns.clone();
    let widths = errors.iter().map(|error| error.original.len());
    columns.resize(widths.fold(columns.len(), usize::max), String::new());
    let mut file = Vec::new();
    write_header(&columns, &mut file, encoding).unwrap();
    for part in errors.chunks(2) {
        write_rows(&columns, part, &mut file).unwrap();
    }
    file
}

fn text(list: &CallList) -> String {
    String::from_utf8(error_file(list, Encoding::Utf8)).unwrap()
}

const LIST: &str = "Nome;Telefono;Lingua;Note;Note\n\
    Ada;354 5550100;it;fine;\n\
    Niccolò;;it;=cmd|' /C calc'!A0;@casa\n\
    Zoë;+39 354 55;en;-5;\"a, \"\"b\"\"\";spare\n\
    Bea;354 5550101;klingon\n";

#[test]
fn rows_that_were_not_taken_stand_beside_the_reason() {
    insta::assert_snapshot!(text(&read(LIST.as_bytes())), @r#"
    Nome,Telefono,Lingua,Note,Note_2,column_6,error_row,error_column,error_reason
    Niccolò,,it,"'=cmd|' /C calc'!A0",'@casa,,3,phone_number,Empty phone number
    Zoë,+39 354 55,en,-5,"a, ""b""",spare,4,phone_number,Phone number is too short
    Bea,354 5550101,klingon,,,,5,language,"unknown language 'klingon': use it, en, ru, es, fr or de"
    "#);
}

#[test]
fn a_mended_file_can_be_uploaded_again() {
    let list = read(LIST.as_bytes());
    let mended = text(&list)
        .replace("Niccolò,,it", "Niccolò,354 5550102,it")
        .replace("+39 354 55,", "+39 354 5550103,")
        .replace("klingon", "it");
    let again = read(mended.as_bytes());
    assert!(
        again.rows.iter().all(|row| row.contact(Region::IT).is_ok()),
        "{mended}"
    );
    assert_eq!(again.columns[..5], list.columns[..]);
    // What was marked as text for the spreadsheet is itself again.
    assert_eq!(again.rows[0].extra["Note"], "=cmd|' /C calc'!A0");
    assert_eq!(again.rows[0].extra["Note_2"], "@casa");
    assert_eq!(again.rows[1].extra["column_6"], "spare");
}

#[test]
fn a_file_that_is_not_mended_gives_the_same_errors_again() {
    let once = read(text(&read(LIST.as_bytes())).as_bytes());
    let twice = read(text(&once).as_bytes());
    assert_eq!(once, twice);
    assert_eq!(text(&once), text(&twice));
    assert_eq!(once.rows.len(), 3);
}

#[test]
fn excel_gets_a_byte_order_mark_when_asked_for() {
    let list = read(LIST.as_bytes());
    let file = error_file(&list, Encoding::Utf8WithByteOrderMark);
    assert_eq!(file, format!("\u{feff}{}", text(&list)).into_bytes());
}
