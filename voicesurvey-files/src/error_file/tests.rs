use voicesurvey_core::call_list::{CallList, RowError};
use voicesurvey_core::id::{CampaignId, CompanyId, UploadId};
use voicesurvey_core::phone_number::Region;
use voicesurvey_core::time::Timestamp;

use super::*;
use crate::call_list::{ReadLimits, read_call_list};

fn read(content: &[u8]) -> CallList {
    read_call_list("list.csv", content, &ReadLimits::default()).unwrap()
}

fn upload(list: &CallList) -> Upload {
    let errors: Vec<RowError> = list
        .rows
        .iter()
        .filter_map(|row| row.contact(Region::IT).err())
        .collect();
    Upload {
        id: "018f0000-0000-7000-8000-000000000001"
            .parse::<UploadId>()
            .unwrap(),
        company_id: "018f0000-0000-7000-8000-000000000002"
            .parse::<CompanyId>()
            .unwrap(),
        campaign_id: "018f0000-0000-7000-8000-000000000003"
            .parse::<CampaignId>()
            .unwrap(),
        file_name: list.file_name.clone(),
        columns: list.columns.clone(),
        total_rows: list.rows.len() as u64,
        created: 0,
        duplicates_in_list: 0,
        duplicates_in_campaign: 0,
        excluded: 0,
        errors,
        created_at: Timestamp::UNIX_EPOCH,
    }
}

fn error_file(list: &CallList) -> String {
    let mut file = Vec::new();
    write_error_file(&upload(list), &mut file, Encoding::Utf8).unwrap();
    String::from_utf8(file).unwrap()
}

const LIST: &str = "Nome;Telefono;Lingua;Note;Note\n\
    Ada;354 5550100;it;fine;\n\
    Niccolò;;it;=cmd|' /C calc'!A0;@casa\n\
    Zoë;+39 354 55;en;-5;\"a, \"\"b\"\"\";spare\n\
    Bea;354 5550101;klingon\n";

#[test]
fn rows_that_were_not_taken_stand_beside_the_reason() {
    insta::assert_snapshot!(error_file(&read(LIST.as_bytes())), @r#"
    Nome,Telefono,Lingua,Note,Note_2,column_6,error_row,error_column,error_reason
    Niccolò,,it,'=cmd|' /C calc'!A0,'@casa,,3,phone_number,Empty phone number
    Zoë,+39 354 55,en,-5,"a, ""b""",spare,4,phone_number,Phone number is too short
    Bea,354 5550101,klingon,,,,5,language,"unknown language 'klingon': use it, en, ru, es, fr or de"
    "#);
}

#[test]
fn a_mended_file_can_be_uploaded_again() {
    let list = read(LIST.as_bytes());
    let mended = error_file(&list)
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
    let once = read(error_file(&read(LIST.as_bytes())).as_bytes());
    let twice = read(error_file(&once).as_bytes());
    assert_eq!(once, twice);
    assert_eq!(upload(&once).errors, upload(&twice).errors);
    assert_eq!(upload(&once).errors.len(), 3);
}

#[test]
fn excel_gets_a_byte_order_mark_when_asked_for() {
    let mut file = Vec::new();
    let list = read(LIST.as_bytes());
    write_error_file(&upload(&list), &mut file, Encoding::Utf8WithByteOrderMark).unwrap();
    assert_eq!(file, format!("\u{feff}{}", error_file(&list)).into_bytes());
}
