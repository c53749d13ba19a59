//! Call lists: uploaded, previewed, and mended with the error file.

use std::collections::BTreeSet;

use insta::assert_snapshot;
use reqwest::multipart::{Form, Part};
use serde_json::json;

use crate::support::{Caller, LARGEST_UPLOAD_BYTES, TestApp, shown};

const LIST_OF_C: &str = include_str!("../../../tests/data/seed-c-list.csv");

/// A campaign to which people can be added.
async fn campaign(app: &TestApp) -> (Caller, String, String) {
    let manager = app.company("Acme").await.manager().await;
    let campaign = manager.create_campaign().await;
    let upload = format!("{campaign}/contacts/upload");
    (manager, campaign, upload)
}

/// A3.
#[tokio::test]
async fn a_csv_file_is_uploaded_in_the_multipart_field_file() {
    let app = TestApp::start().await;
    let (manager, campaign, upload) = campaign(&app).await;
    let file = Part::bytes(b"phone,name\n3471234567,Maria\n".to_vec())
        .file_name("contacts.csv")
        .mime_str("text/csv")
        .unwrap();
    let answer = manager
        .post_form(&upload, Form::new().part("file", file))
        .await;
    assert_snapshot!(answer.redacted(), @r#"
201 application/json
{
  "created": 1,
  "duplicates_in_campaign": 0,
  "duplicates_in_list": 0,
  "erased": 0,
  "error_file_url": null,
  "errors": [],
  "errors_count": 0,
  "excluded": 0,
  "file_name": "contacts.csv",
  "total_rows": 1,
  "total_tasks": 1,
  "upload_id": "[id]"
}
"#);
    let contacts = manager.get(&format!("{campaign}/contacts")).await;
    assert_eq!(contacts.text_at("/items/0/phone_number"), "+393471234567");
}

/// C2, B6.
#[tokio::test]
async fn the_five_rows_of_c_become_four_tasks_and_one_error() {
    let app = TestApp::start().await;
    let (manager, campaign, upload) = campaign(&app).await;
    let answer = manager.upload(&upload, "list.csv", LIST_OF_C).await;
    assert_snapshot!(answer.redacted(), @r#"
201 application/json
{
  "created": 4,
  "duplicates_in_campaign": 0,
  "duplicates_in_list": 0,
  "erased": 0,
  "error_file_url": "/api/campaigns/[id]/uploads/[id]/errors",
  "errors": [
    {
      "column": "phone_number",
      "message": "Row 6: Empty phone number",
      "reason": "Empty phone number",
      "row": 6,
      "value": ""
    }
  ],
  "errors_count": 1,
  "excluded": 0,
  "file_name": "list.csv",
  "total_rows": 5,
  "total_tasks": 4,
  "upload_id": "[id]"
}
"#);
    assert_eq!(manager.get(&campaign).await.at("/total_tasks"), 4);
    let contacts = manager.get(&format!("{campaign}/contacts?q=4567")).await;
    let first = contacts.at("/items/0");
    assert_eq!(first["phone_number"], "+79991234567");
    assert_eq!(first["name"], "Иван Иванов");
    assert_eq!(first["status"], "pending");
    let data = json!({ "company": "ООО Рога и Копыта", "notes": "VIP клиент" });
    assert_eq!(first["contact_data"], data);
}

/// B5.
#[tokio::test]
async fn numbers_become_e164_and_duplicates_are_counted() {
    let app = TestApp::start().await;
    let (manager, campaign, upload) = campaign(&app).await;
    let list = "Telefono;Nome\n(347) 123-4567;Maria\n+39 347 1234567;Maria again\n0039 347 123 4568;Luca\n+44 20 7946 0018;Ann\n";
    let answer = manager.upload(&upload, "list.csv", list).await;
    assert_eq!(answer.at("/created"), 3, "{answer}");
    assert_eq!(answer.at("/duplicates_in_list"), 1);
    let contacts = manager
        .get(&format!("{campaign}/contacts"))
        .await
        .at("/items");
    let contacts = contacts.as_array().unwrap().iter();
    let numbers: BTreeSet<_> = contacts
        .map(|row| row["phone_number"].as_str().unwrap())
        .collect();
    let expected = ["+393471234567", "+393471234568", "+442079460018"];
    assert_eq!(numbers, BTreeSet::from(expected));

    let again = manager.upload(&upload, "list.csv", list).await;
    assert_eq!(
        (again.at("/created"), again.at("/duplicates_in_campaign")),
        (json!(0), json!(3))
    );
    assert_eq!(again.at("/total_tasks"), 3);
}

/// B6.
#[tokio::test]
async fn bad_rows_are_reported_and_the_error_file_can_be_mended_and_uploaded_again() {
    let app = TestApp::start().await;
    let (manager, campaign, upload) = campaign(&app).await;
    let list = "name,phone,city\nMaria,3471234567,Forlì\nLuca,12,Rimini\nAnna,3471234569,Roma\nUgo,,=HYPERLINK\n";
    let answer = manager.upload(&upload, "list.csv", list).await;
    assert_eq!(answer.status, 201);
    assert_snapshot!(shown(&answer.at("/errors")), @r#"
[
  {
    "column": "phone_number",
    "message": "Row 3: Phone number is too short",
    "reason": "Phone number is too short",
    "row": 3,
    "value": "12"
  },
  {
    "column": "phone_number",
    "message": "Row 5: Empty phone number",
    "reason": "Empty phone number",
    "row": 5,
    "value": ""
  }
]
"#);
    let errors = manager.get(&answer.text_at("/error_file_url")).await;
    assert_eq!(
        errors.header("content-type"),
        Some("text/csv; charset=utf-8")
    );
    assert!(
        errors
            .header("content-disposition")
            .unwrap()
            .starts_with("attachment; ")
    );
    let text = errors.text().strip_prefix('\u{feff}').unwrap();
    assert_snapshot!(text, @r#"
name,phone,city,error_row,error_column,error_reason
Luca,12,Rimini,3,phone_number,Phone number is too short
Ugo,,'=HYPERLINK,5,phone_number,Empty phone number
"#);

    let mended = errors
        .text()
        .replace("Luca,12", "Luca,347 123 4568")
        .replace("Ugo,,", "Ugo,3471234570,");
    let answer = manager.upload(&upload, "mended.csv", mended).await;
    assert_eq!(
        (answer.at("/created"), answer.at("/errors_count")),
        (json!(2), json!(0))
    );
    assert_eq!(answer.at("/total_tasks"), 4);
    let contacts = manager.get(&format!("{campaign}/contacts?q=ugo")).await;
    assert_eq!(
        contacts.at("/items/0/contact_data"),
        json!({ "city": "=HYPERLINK" })
    );
}

#[tokio::test]
async fn a_preview_shows_what_would_happen_and_changes_nothing() {
    let app = TestApp::start().await;
    let (manager, campaign, upload) = campaign(&app).await;
    let preview = format!("{upload}?preview=true");
    let answer = manager.upload(&preview, "list.csv", LIST_OF_C).await;
    assert_eq!(answer.status, 200);
    assert_eq!(
        (answer.at("/created"), answer.at("/total_tasks")),
        (json!(4), json!(4))
    );
    assert_eq!(answer.text_at("/contacts/0/name"), "Иван Иванов");
    assert_eq!(answer.at("/upload_id"), json!(null));
    assert_eq!(manager.get(&campaign).await.at("/total_tasks"), 0);
}

/// B8.
#[tokio::test]
async fn contacts_are_found_by_status_and_by_part_of_name_or_number() {
    let app = TestApp::start().await;
    let (manager, campaign, upload) = campaign(&app).await;
    manager.upload(&upload, "list.csv", LIST_OF_C).await;
    let count = async |query: &str| {
        let answer = manager.get(&format!("{campaign}/contacts{query}")).await;
        answer.at("/items").as_array().unwrap().len()
    };
    assert_eq!(count("?status=pending").await, 4);
    assert_eq!(count("?status=completed").await, 0);
    assert_eq!(count("?q=4569").await, 1);
    assert_eq!(
        count("?q=%D0%9F%D0%B5%D1%82%D1%80%D0%BE%D0%B2%D0%B0").await,
        1
    );
    let answer = manager
        .get(&format!(
            "{campaign}/contacts?status=happy&limit=0&cursor=1"
        ))
        .await;
    assert_eq!(answer.status, 400);
    assert_snapshot!(answer.wrong_fields(), @r#"
status: unknown status 'happy': use pending, in_progress, retry, completed, refused, not_reached, failed, excluded or cancelled
cursor: unknown cursor: use next_cursor of the same list
limit: use a whole number from 1 to 200
"#);
}

/// C3.
#[tokio::test]
async fn files_that_are_no_call_list_are_refused_with_what_to_do() {
    let app = TestApp::start().await;
    let (manager, campaign, upload) = campaign(&app).await;
    let mut refused = Vec::new();
    for (name, content) in [
        ("list.xlsx", &b"PK\x03\x04....xl/workbook.xml"[..]),
        ("list.pdf", b"%PDF-1.7\n"),
        ("list.csv", b"name,city\nMaria,Roma\n"),
        ("list.csv", b"phone,name\n"),
        ("list.csv", b""),
    ] {
        let answer = manager.upload(&upload, name, content).await;
        assert_eq!(answer.status, 422, "{answer}");
        refused.push(answer.wrong_fields());
    }
    assert_snapshot!(refused.join("\n"), @r#"
file: The file is damaged and cannot be read: open it in a spreadsheet program, save it again as .xlsx or CSV, and upload that
file: Unsupported file format: this seems to be a PDF document. Upload a CSV or text file or an Excel workbook (.xlsx or .xls): spreadsheet programs write them with "Save as"
file: Missing required columns: phone_number. Found: name, city. Give the column with the numbers one of the names phone_number, phone, mobile, telefono, cellulare, téléphone, teléfono, Telefon, Handy or телефон, or say which it is with a mapping
file: The file has a header and no rows: put one person in each row below the header
file: The file is empty
"#);
    assert_eq!(manager.get(&campaign).await.at("/total_tasks"), 0);
}

#[tokio::test]
async fn a_form_without_the_file_and_a_body_that_is_no_form_are_refused() {
    let app = TestApp::start().await;
    let (manager, _, upload) = campaign(&app).await;
    let form = Form::new().text("list", "phone\n3471234567\n");
    let answer = manager.post_form(&upload, form).await;
    assert_eq!(answer.status, 422);
    assert_snapshot!(answer.wrong_fields(), @r#"
list: unknown field
file: is required: send the call list in the multipart field 'file'
"#);

    let answer = manager.post(&upload, &json!({ "file": "list.csv" })).await;
    assert_eq!(
        (answer.status, answer.text_at("/code").as_str()),
        (415, "unsupported_media_type")
    );

    let headers = [("content-type", "multipart/form-data; boundary=x")];
    let torn = b"--x\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\nphone".to_vec();
    let answer = manager.post_raw(&upload, &headers, torn).await;
    assert_eq!(
        (answer.status, answer.text_at("/code").as_str()),
        (400, "unreadable_body")
    );
}

#[tokio::test]
async fn a_file_that_is_too_large_is_refused_with_the_limit() {
    let app = TestApp::start().await;
    let (manager, campaign, upload) = campaign(&app).await;
    let answer = manager
        .upload(&upload, "list.csv", vec![b'1'; LARGEST_UPLOAD_BYTES + 1])
        .await;
    assert_snapshot!(answer.redacted(), @r#"
413 application/problem+json
{
  "code": "too_large",
  "detail": "the file is too large: send at most 1 MiB",
  "errors": [],
  "request_id": "[id]",
  "status": 413,
  "title": "Payload Too Large",
  "type": "about:blank"
}
"#);
    assert_eq!(manager.get(&campaign).await.at("/total_tasks"), 0);
}

/// Nothing of the file is sent: the answer comes without a byte of it having been read.
#[tokio::test]
async fn two_gigabytes_are_refused_before_they_are_sent() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    let app = TestApp::start().await;
    let (manager, _, upload) = campaign(&app).await;
    let head = format!(
        "POST {upload} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nExpect: 100-continue\r\n\
         Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 2147483648\r\n\r\n",
        manager.token.unwrap()
    );
    let mut connection = tokio::net::TcpStream::connect(app.address()).await.unwrap();
    connection.write_all(head.as_bytes()).await.unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    assert!(
        answer.contains("the file is too large: send at most 1 MiB"),
        "{answer}"
    );
}

#[tokio::test]
async fn a_cancelled_campaign_takes_no_call_list() {
    let app = TestApp::start().await;
    let (manager, campaign, upload) = campaign(&app).await;
    manager.set_status(&campaign, "cancelled").await;
    let answer = manager.upload(&upload, "list.csv", LIST_OF_C).await;
    assert_eq!(
        (answer.status, answer.text_at("/code").as_str()),
        (409, "campaign_ended")
    );
}
