//! Long call lists: added after the request was answered, watched, cancelled, given up; campaigns that
//! come with their list.

use std::time::Duration;

use chrono::TimeDelta;
use reqwest::Method;
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};
use voicesurvey_core::api_key::{Actor, Role};
use voicesurvey_core::id::CompanyId;

use crate::support::{Answer, CAMPAIGN_OF_A, Caller, TestApp};

const THREE: &str = "phone,name\n3471234561,Maria\n3471234562,Luca\n3471234563,Anna\nnobody,Ugo\n";

/// A campaign, and where lists for it are added after the answer.
async fn campaign(app: &TestApp) -> (Caller, String, String) {
    let manager = app.company("Acme").await.manager().await;
    let campaign = manager.create_campaign().await;
    let upload = format!("{campaign}/contacts/upload?background=true");
    (manager, campaign, upload)
}

/// Asks again and again until the upload has ended.
async fn ended(caller: &Caller, path: &str) -> Answer {
    let watch = async {
        loop {
            let answer = caller.get(path).await;
            if answer.text_at("/status") != "running" {
                return answer;
            }
            tokio::task::yield_now().await;
        }
    };
    let watched = tokio::time::timeout(Duration::from_mins(1), watch).await;
    watched.expect("the upload ends")
}

async fn total_tasks(caller: &Caller, campaign: &str) -> Value {
    caller.get(campaign).await.at("/total_tasks")
}

fn file(content: &str) -> Part {
    Part::bytes(content.as_bytes().to_vec()).file_name("list.csv")
}

#[tokio::test]
async fn a_list_is_added_after_the_answer_and_watched() {
    let app = TestApp::start().await;
    let (manager, campaign, upload) = campaign(&app).await;
    let turn = app.app.background_turn.acquire().await.unwrap();
    let answer = manager.upload(&upload, "list.csv", THREE).await;
    assert_eq!(answer.status, 202, "{answer}");
    let path = answer.header("location").unwrap().to_owned();
    for seen in [answer, manager.get(&path).await] {
        let status = (seen.text_at("/status"), seen.at("/created"));
        assert_eq!(status, ("running".to_owned(), json!(0)));
        assert_eq!(seen.at("/ended_at"), Value::Null);
    }
    assert_eq!(total_tasks(&manager, &campaign).await, 0);
    drop(turn);
    let done = ended(&manager, &path).await;
    assert_eq!(
        (done.text_at("/status"), done.at("/percent")),
        ("done".to_owned(), json!(100))
    );
    let counts = [
        "/total_rows",
        "/rows_read",
        "/created",
        "/errors_count",
        "/total_tasks",
    ];
    let counts = counts.map(|name| done.at(name));
    assert_eq!(counts, [4, 4, 3, 1, 3].map(Value::from));
    let message = done.text_at("/errors/0/message");
    assert_eq!(message, "Row 5: Phone number contains letters");
    let errors = manager.get(&done.text_at("/error_file_url")).await;
    assert!(errors.text().contains("nobody,Ugo,5,phone_number,"));
    let listed = manager.get(&format!("{campaign}/uploads")).await;
    assert_eq!(listed.at("/items/0/upload_id"), done.at("/upload_id"));
    assert_eq!(listed.at("/items/0/status"), "done");
    // What is over cannot be cancelled.
    let refused = manager.delete(&path).await;
    assert_eq!(
        (refused.status, refused.text_at("/code")),
        (409, "upload_ended".to_owned())
    );
    assert_eq!(total_tasks(&manager, &campaign).await, 3);
}

#[tokio::test]
async fn a_cancelled_upload_leaves_nothing_and_stays_cancelled() {
    let app = TestApp::start().await;
    let (manager, campaign, upload) = campaign(&app).await;
    let turn = app.app.background_turn.acquire().await.unwrap();
    let begun = manager.upload(&upload, "list.csv", THREE).await;
    let path = begun.header("location").unwrap();
    let refused = manager.delete(&campaign).await;
    assert_eq!(
        (refused.status, refused.text_at("/code")),
        (409, "upload_running".to_owned())
    );
    let cancelled = manager.delete(path).await;
    assert_eq!(
        (cancelled.status, cancelled.text_at("/status")),
        (200, "cancelled".to_owned())
    );
    drop(turn);
    // It waits no longer, so another one has its turn.
    let next = manager.upload(&upload, "list.csv", THREE).await;
    ended(&manager, next.header("location").unwrap()).await;
    assert_eq!(manager.get(path).await.text_at("/status"), "cancelled");
    assert_eq!(manager.delete(path).await.status, 200);
    assert_eq!(total_tasks(&manager, &campaign).await, 3);
}

#[tokio::test]
async fn two_uploads_of_one_list_add_everybody_once() {
    let app = TestApp::start().await;
    let (manager, campaign, upload) = campaign(&app).await;
    let at_once = format!("{campaign}/contacts/upload");
    let (one, other, third) = tokio::join!(
        manager.upload(&upload, "list.csv", THREE),
        manager.upload(&upload, "list.csv", THREE),
        manager.upload(&at_once, "list.csv", THREE),
    );
    let mut created = vec![third.at("/created")];
    for begun in [one, other] {
        let done = ended(&manager, begun.header("location").unwrap()).await;
        assert_eq!(done.text_at("/status"), "done", "{done}");
        created.push(done.at("/created"));
    }
    created.sort_by_key(Value::as_u64);
    assert_eq!(created, [0, 0, 3]);
    assert_eq!(total_tasks(&manager, &campaign).await, 3);
}

#[tokio::test]
async fn a_list_that_cannot_be_taken_says_why() {
    let app = TestApp::start().await;
    let (manager, campaign, upload) = campaign(&app).await;
    let begun = manager
        .upload(&upload, "list.csv", "name,city\nMaria,Roma\n")
        .await;
    let failed = ended(&manager, begun.header("location").unwrap()).await;
    assert_eq!(failed.text_at("/status"), "failed");
    let failure = failed.text_at("/failure");
    assert!(
        failure.contains("Missing required columns: phone_number"),
        "{failure}"
    );

    let turn = app.app.background_turn.acquire().await.unwrap();
    let begun = manager.upload(&upload, "list.csv", THREE).await;
    manager.set_status(&campaign, "cancelled").await;
    drop(turn);
    let failed = ended(&manager, begun.header("location").unwrap()).await;
    assert_eq!(
        failed.text_at("/failure"),
        "a cancelled campaign takes no call list"
    );
    assert_eq!(total_tasks(&manager, &campaign).await, 0);
}

#[tokio::test]
async fn a_server_that_stops_gives_its_uploads_up() {
    let app = TestApp::start().await;
    let (manager, campaign, upload) = campaign(&app).await;
    let _turn = app.app.background_turn.acquire().await.unwrap();
    let begun = manager.upload(&upload, "list.csv", THREE).await;
    app.app.upload_jobs.stop().await;
    let failed = manager.get(begun.header("location").unwrap()).await;
    assert_eq!(failed.text_at("/status"), "failed");
    let failure = failed.text_at("/failure");
    assert!(failure.starts_with("the server stopped"), "{failure}");
    assert_eq!(total_tasks(&manager, &campaign).await, 0);
}

/// As a server leaves it that was killed.
#[tokio::test]
async fn an_upload_whose_server_is_gone_has_failed_for_whoever_looks() {
    let app = TestApp::start().await;
    let company = app.company("Acme").await;
    let manager = company.manager().await;
    let campaign = manager.create_campaign().await;
    let id = campaign.rsplit('/').next().unwrap();
    let actor = actor(company.id);
    let begun = app
        .app
        .uploads
        .begin(&actor, id.parse().unwrap(), "x.csv")
        .await;
    let path = format!("{campaign}/uploads/{}", begun.unwrap().id);
    assert_eq!(manager.get(&path).await.text_at("/status"), "running");
    app.clock.advance(TimeDelta::seconds(61));
    let viewer = company.viewer().await;
    let seen = viewer.get(&path).await;
    assert_eq!(seen.text_at("/status"), "failed");
    let failure = seen.text_at("/failure");
    assert!(failure.contains("upload the file again"), "{failure}");
    assert_eq!(manager.delete(&campaign).await.status, 204);
}

fn actor(company_id: CompanyId) -> Actor {
    Actor {
        company_id,
        api_key_id: voicesurvey_core::testing::samples::id(),
        role: Role::Manager,
    }
}

#[tokio::test]
async fn who_reads_watches_and_does_not_upload() {
    let app = TestApp::start().await;
    let company = app.company("Acme").await;
    let (manager, viewer) = (company.manager().await, company.viewer().await);
    let campaign = manager.create_campaign().await;
    let upload = format!("{campaign}/contacts/upload");
    let _turn = app.app.background_turn.acquire().await.unwrap();
    let background = format!("{upload}?background=true");
    let begun = manager.upload(&background, "list.csv", THREE).await;
    let path = begun.header("location").unwrap();
    assert_eq!(viewer.get(path).await.status, 200);
    assert_eq!(viewer.get(&format!("{campaign}/uploads")).await.status, 200);
    let settings = Form::new()
        .text("settings", CAMPAIGN_OF_A)
        .part("file", file(THREE));
    for refused in [
        viewer.delete(path).await,
        viewer.upload(&upload, "list.csv", THREE).await,
        viewer.upload(&background, "list.csv", THREE).await,
        viewer
            .upload(&format!("{upload}?preview=true"), "list.csv", THREE)
            .await,
        viewer.post_form("/api/campaigns", settings).await,
    ] {
        assert_eq!(
            (refused.status, refused.text_at("/code")),
            (403, "forbidden".to_owned())
        );
    }
}

#[tokio::test]
async fn a_list_of_wrong_rows_comes_back_as_a_whole() {
    let app = TestApp::start().await;
    let (manager, campaign, upload) = campaign(&app).await;
    let rows: Vec<String> = (0..2_500).map(|row| format!("x{row},Name {row}")).collect();
    let list = format!("phone,name\n{}\n", rows.join("\n"));
    let begun = manager.upload(&upload, "list.csv", list.clone()).await;
    let done = ended(&manager, begun.header("location").unwrap()).await;
    let counts = ["/created", "/errors_count"].map(|name| done.at(name));
    assert_eq!(counts, [0, 2_500].map(Value::from));
    assert_eq!(done.at("/errors").as_array().unwrap().len(), 100);
    let errors = manager.get(&done.text_at("/error_file_url")).await;
    let lines: Vec<&str> = errors.text().lines().collect();
    assert_eq!(lines.len(), 2_501);
    assert_eq!(
        lines[1_001],
        "x1000,Name 1000,1002,phone_number,Phone number contains letters"
    );
    assert!(lines[2_500].starts_with("x2499,Name 2499,2501,"));
    assert_eq!(total_tasks(&manager, &campaign).await, 0);
}

#[tokio::test]
async fn a_preview_tells_countries_zones_and_what_the_columns_are_taken_for() {
    let app = TestApp::start().await;
    let (manager, campaign, _) = campaign(&app).await;
    let preview = format!("{campaign}/contacts/upload?preview=true");
    let list = "Kunden 2026;;\nTelefon;Name;Ort\n3471234561;Maria;Roma\n+44 20 7946 0018;Ann;\n+7 999 123-45-67;Ivan;\n?;;x\n";
    let answer = manager.upload(&preview, "list.csv", list).await;
    assert_eq!(answer.status, 200, "{answer}");
    let counts = [
        "/total_rows",
        "/created",
        "/errors_count",
        "/in_several_time_zones",
    ];
    assert_eq!(
        counts.map(|name| answer.at(name)),
        [4, 3, 1, 2].map(Value::from)
    );
    assert_eq!(
        answer.at("/countries"),
        json!({ "IT": 1, "GB": 1, "RU": 1 })
    );
    // An Italian mobile may be in Rome or in the Vatican.
    let zones = json!({ "Europe/London": 1 });
    assert_eq!(answer.at("/time_zones"), zones);
    assert_eq!(answer.at("/found/delimiter"), ";");
    assert_eq!(answer.at("/found/header_row"), 2);
    let column = answer.at("/found/columns/0");
    assert_eq!(
        (&column["role"], &column["found_by"]),
        (&json!("phone_number"), &json!("heading"))
    );
    assert_eq!(answer.at("/found/columns/2/role"), Value::Null);
    assert_eq!(total_tasks(&manager, &campaign).await, 0);
}

#[tokio::test]
async fn region_and_mapping_come_with_the_file() {
    let app = TestApp::start().await;
    let (manager, campaign, _) = campaign(&app).await;
    let upload = format!("{campaign}/contacts/upload");
    let form = |region: &'static str, mapping: &'static str| {
        let list = "who,where,home\nAda,020 7946 0018,020 7946 0999\n";
        let form = Form::new().text("region", region).part("file", file(list));
        form.text("mapping", mapping)
    };
    let mapping = r#"{"phone_number": "where", "name": 1}"#;
    let answer = manager.post_form(&upload, form("GB", mapping)).await;
    assert_eq!(answer.status, 201, "{answer}");
    let contacts = manager.get(&format!("{campaign}/contacts")).await;
    assert_eq!(contacts.text_at("/items/0/phone_number"), "+442079460018");
    assert_eq!(contacts.text_at("/items/0/name"), "Ada");

    let mapping = r#"{"shoe_size": "who", "name": [1]}"#;
    let answer = manager.post_form(&upload, form("Atlantis", mapping)).await;
    assert_eq!(answer.status, 422);
    let wrong: Vec<String> = answer
        .wrong_fields()
        .lines()
        .map(|line| line.split(':').next().unwrap().to_owned())
        .collect();
    assert_eq!(wrong, ["region", "mapping.name", "mapping.shoe_size"]);
    let answer = manager.post_form(&upload, form("GB", "phone=where")).await;
    assert!(
        answer
            .wrong_fields()
            .starts_with("mapping: use a JSON object"),
        "{answer}"
    );
}

/// B7.
#[tokio::test]
async fn a_campaign_is_created_with_its_list_in_one_step_or_not_at_all() {
    let app = TestApp::start().await;
    let manager = app.company("Acme").await.manager().await;
    let create = async |settings: &str, list: &str| {
        let form = Form::new().text("settings", settings.to_owned());
        let form = form.part("file", file(list));
        manager.post_form("/api/campaigns", form).await
    };
    let created = create(CAMPAIGN_OF_A, THREE).await;
    assert_eq!(created.status, 201, "{created}");
    assert_eq!(created.at("/total_tasks"), 3);
    let upload = (
        created.at("/upload/created"),
        created.at("/upload/errors_count"),
    );
    assert_eq!(upload, (json!(3), json!(1)));
    let path = created.header("location").unwrap();
    assert_eq!(manager.get(path).await.at("/total_tasks"), 3);

    let refused = create(CAMPAIGN_OF_A, "name\nMaria\n").await;
    assert!(
        refused
            .wrong_fields()
            .starts_with("file: Missing required columns"),
        "{refused}"
    );
    let refused = create("{\"name\": 7}", THREE).await;
    assert_eq!(refused.status, 422, "{refused}");
    let refused = create("{", THREE).await;
    assert_eq!(
        (refused.status, refused.text_at("/code")),
        (400, "invalid_json".to_owned())
    );
    let form = Form::new().part("file", file(THREE));
    let refused = manager.post_form("/api/campaigns", form).await;
    assert!(
        refused.wrong_fields().starts_with("settings: is required"),
        "{refused}"
    );
    let form = Form::new().text("settings", CAMPAIGN_OF_A);
    let refused = manager.post_form("/api/campaigns", form).await;
    assert!(
        refused.wrong_fields().starts_with("file: is required"),
        "{refused}"
    );
    let campaigns = manager.get("/api/campaigns").await.at("/items");
    assert_eq!(campaigns.as_array().unwrap().len(), 1);
}

/// The connection breaks while the file arrives.
#[tokio::test]
async fn a_request_that_breaks_off_leaves_nothing() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    let app = TestApp::start().await;
    let (manager, campaign, upload) = campaign(&app).await;
    let folder = app.app.http.upload_folder.clone();
    let token = manager.token.clone().unwrap();
    let head = format!(
        "POST {upload} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 500000\r\n\r\n\
         --x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"l.csv\"\r\n\r\n{}",
        "3471234561\n".repeat(20_000)
    );
    let mut connection = tokio::net::TcpStream::connect(app.address()).await.unwrap();
    connection.write_all(head.as_bytes()).await.unwrap();
    connection.shutdown().await.unwrap();
    let mut rest = Vec::new();
    // OK because a server may also just close the connection.
    let _ = connection.read_to_end(&mut rest).await;
    let listed = manager.get(&format!("{campaign}/uploads")).await;
    assert_eq!(listed.at("/items"), json!([]));
    assert_eq!(total_tasks(&manager, &campaign).await, 0);
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0);
    let answer = Answer::to(manager.request(Method::GET, &campaign)).await;
    assert_eq!(answer.status, 200);
}
