//! Erasing people, and how long anything is kept (A25).

use insta::assert_snapshot;
use serde_json::json;
use voicesurvey_core::memory::MemoryStorage;
use voicesurvey_core::ports::Audit as _;
use voicesurvey_core::testing::samples;
use voicesurvey_core::time::Clock as _;

use crate::support::{Caller, TestApp};

const TWO_PEOPLE: &str = "phone_number,name,email\n\
    +393471234561,Ada Rossi,ada@example.org\n+393471234562,Ugo Bianchi,ugo@example.org\n";

async fn erase(caller: &Caller, number: &str) -> crate::support::Answer {
    let body = json!({ "phone_number": number, "reason": "a letter of 3 May" });
    caller.post("/api/erasures", &body).await
}

#[tokio::test]
async fn of_a_person_who_is_erased_nothing_is_shown_any_more() {
    let memory = MemoryStorage::default().with_number_keys(samples::number_keys());
    let app = TestApp::start_over(None, std::sync::Arc::new(memory.clone()), memory.clone()).await;
    let acme = app.company("Acme").await;
    let admin = acme.admin().await;
    let called = admin.create_campaign_with(TWO_PEOPLE).await;
    assert_eq!(admin.set_status(&called, "running").await.status, 200);
    app.run_to_the_end().await;
    let waiting = admin.create_campaign_with(TWO_PEOPLE).await;
    let stats = admin.get(&format!("{called}/stats")).await.json();

    let erased = erase(&admin, "347 123 4561").await;
    assert_eq!(erased.status, 201, "{erased}");
    let rows = erased.at("/erased");
    assert_eq!((&rows["contacts"], &rows["calls"]), (&json!(2), &json!(1)));
    assert!(rows["turns"].as_u64() > Some(3), "{rows}");
    assert_eq!(rows["answers"], 3);
    let report = format!("/api/erasures/{}", erased.text_at("/id"));
    assert_eq!(admin.get(&report).await.json(), erased.json());
    assert_eq!(
        admin.get("/api/erasures").await.at("/items/0"),
        erased.json()
    );

    for path in [
        format!("{called}/contacts"),
        format!("{waiting}/contacts"),
        "/api/calls".to_owned(),
        format!("{called}/results"),
        "/api/review".to_owned(),
        "/api/exclusions".to_owned(),
        report,
    ] {
        let shown = admin.get(&path).await;
        assert_eq!(shown.status, 200, "{path}: {shown}");
        for trace in ["3471234561", "Ada", "ada@example.org"] {
            assert!(!shown.text().contains(trace), "{path}: {shown}");
        }
    }
    let call = admin.get(&format!("{called}/contacts")).await;
    let contact = call.text_at("/items/0/id");
    let detail = admin.get(&format!("{called}/contacts/{contact}")).await;
    assert_eq!(detail.text_at("/status"), "completed");
    assert_eq!(detail.at("/answers"), json!([]));
    let talk = detail.text_at("/calls/0/id");
    assert_eq!(admin.get(&format!("/api/calls/{talk}")).await.status, 200);
    assert_eq!(admin.get(&format!("{called}/stats")).await.json(), stats);
    let statuses = admin.get(&format!("{waiting}/stats")).await;
    assert_eq!(statuses.at("/tasks/excluded"), 1);
    let findings = memory.audit(app.clock.now()).await.unwrap();
    assert_eq!(findings, []);

    // Twice is once, and the number stays excluded.
    let again = erase(&admin, "+39 347 1234561").await;
    assert_eq!((again.status, again.json()), (200, erased.json()));
    let found = admin.get("/api/exclusions/+393471234561").await;
    assert_eq!(found.text_at("/excluded_by"), "erasure");
    let third = admin.create_campaign().await;
    let upload = admin
        .upload(&format!("{third}/contacts/upload"), "a.csv", TWO_PEOPLE)
        .await;
    assert_eq!(
        (upload.at("/created"), upload.at("/erased")),
        (json!(1), json!(1))
    );
}

#[tokio::test]
async fn rows_that_were_not_taken_are_erased_from_their_file() {
    let app = TestApp::start().await;
    let admin = app.company("Acme").await.admin().await;
    let campaign = admin.create_campaign().await;
    let list = "phone_number,name,time_zone\n347 123 45-61,Ada Rossi,Mars\n347 1234562,Ugo,Mars\n";
    let upload = format!("{campaign}/contacts/upload");
    let upload = admin.upload(&upload, "a.csv", list).await;
    let file = upload.text_at("/error_file_url");
    let before = admin.get(&file).await;
    assert!(before.text().contains("Ada Rossi"), "{before}");
    let erased = erase(&admin, "+393471234561").await;
    let rows = erased.at("/erased");
    assert_eq!(
        (&rows["upload_errors"], &rows["recordings"]),
        (&json!(1), &json!(0))
    );
    let after = admin.get(&file).await;
    assert!(!after.text().contains("Ada Rossi"), "{after}");
    assert!(after.text().contains("Ugo"), "{after}");
}

#[tokio::test]
async fn only_admins_erase_and_only_their_own() {
    let app = TestApp::start().await;
    let acme = app.company("Acme").await;
    let globex = app.company("Globex").await.admin().await;
    let manager = acme.manager().await;
    let campaign = manager.create_campaign_with(TWO_PEOPLE).await;
    for caller in [&manager, &acme.viewer().await, &app.operator()] {
        assert_eq!(erase(caller, "+393471234561").await.status, 403);
    }
    // Another company may erase what it knows of the number, which is nothing.
    let theirs = erase(&globex, "+393471234561").await;
    assert_eq!(theirs.status, 201);
    assert_eq!(theirs.at("/erased/contacts"), 0);
    let contacts = manager.get(&format!("{campaign}/contacts")).await;
    assert_eq!(contacts.text_at("/items/0/phone_number"), "+393471234561");
    let found = manager.get("/api/exclusions/+393471234561").await;
    assert_eq!(found.at("/excluded"), false);
    let report = format!("/api/erasures/{}", theirs.text_at("/id"));
    assert_eq!(acme.admin().await.get(&report).await.status, 404);
    assert_eq!(manager.get("/api/erasures").await.status, 403);
}

#[tokio::test]
async fn a_bad_number_names_its_field() {
    let app = TestApp::start().await;
    let admin = app.company("Acme").await.admin().await;
    let wrong = async |body| {
        let answer = admin.post("/api/erasures", &body).await;
        assert_eq!(answer.status, 422, "{answer}");
        answer.wrong_fields()
    };
    let body = json!({ "phone_number": "12", "reason": " " });
    assert_snapshot!(wrong(body).await, @r"
    phone_number: Phone number is too short
    reason: is required
    ");
    let body = json!({ "phone_number": "+393471234561", "reason": "347 123 45 61 wrote" });
    assert_snapshot!(wrong(body).await, @"reason: must not name the number: the reason is kept, and the number is not");
    assert_snapshot!(wrong(json!({ "number": "+393471234561" })).await, @r"
    number: unknown field
    phone_number: is required
    reason: is required
    ");
}

#[tokio::test]
async fn without_a_key_nobody_is_erased() {
    let memory = MemoryStorage::default();
    let app = TestApp::start_over(None, std::sync::Arc::new(memory.clone()), memory).await;
    let admin = app.company("Acme").await.admin().await;
    let refused = erase(&admin, "+393471234561").await;
    assert_eq!(refused.status, 409);
    assert_eq!(refused.text_at("/code"), "no_number_key");
}

#[tokio::test]
async fn an_admin_says_how_long_anything_is_kept() {
    let app = TestApp::start().await;
    let acme = app.company("Acme").await;
    let (admin, manager) = (acme.admin().await, acme.manager().await);
    assert_snapshot!(manager.get("/api/retention").await.redacted(), @r#"
    200 application/json
    {"answer_days":null,"contact_days":null,"kept_until_ended":[],"transcript_days":null}
    "#);
    let body = json!({ "transcript_days": 30, "contact_days": 90 });
    assert_eq!(manager.patch("/api/retention", &body).await.status, 403);
    let kept = admin.patch("/api/retention", &body).await;
    assert_eq!(kept.status, 200, "{kept}");
    let body = json!({ "transcript_days": null, "answer_days": 365 });
    let kept = admin.patch("/api/retention", &body).await;
    assert_snapshot!(kept.redacted(), @r#"
    200 application/json
    {"answer_days":365,"contact_days":90,"kept_until_ended":[],"transcript_days":null}
    "#);
    let wrong = json!({ "contact_days": 7, "answer_days": 0, "audio_days": 3 });
    let wrong = admin.patch("/api/retention", &wrong).await;
    assert_eq!(wrong.status, 422);
    assert_snapshot!(wrong.wrong_fields(), @r"
    audio_days: unknown field
    answer_days: must be at least 1
    ");
    let wrong = admin
        .patch("/api/retention", &json!({ "contact_days": 7 }))
        .await;
    assert_snapshot!(wrong.wrong_fields(), @"contact_days: use a number from 30 to 3650, or null for good");
}

/// What is counted from the end of a campaign is kept while it has none; whoever asks is told.
#[tokio::test]
async fn campaigns_that_never_end_are_named() {
    let app = TestApp::start().await;
    let admin = app.company("Acme").await.admin().await;
    let draft = admin.create_campaign_with(TWO_PEOPLE).await;
    let ended = admin.create_campaign_with(TWO_PEOPLE).await;
    assert_eq!(admin.set_status(&ended, "cancelled").await.status, 200);
    let body = json!({ "contact_days": 30 });
    let kept = admin.patch("/api/retention", &body).await;
    assert_eq!(kept.at("/kept_until_ended"), json!([]), "it is new");
    app.clock.advance(chrono::TimeDelta::days(31));
    let kept = admin.get("/api/retention").await;
    let named = kept.at("/kept_until_ended/0");
    assert_eq!(
        (&named["status"], &named["contacts"]),
        (&json!("draft"), &json!(2))
    );
    assert!(draft.ends_with(named["campaign_id"].as_str().unwrap()));
    assert_eq!(kept.at("/kept_until_ended").as_array().unwrap().len(), 1);
    assert_eq!(admin.set_status(&draft, "cancelled").await.status, 200);
    let kept = admin.get("/api/retention").await;
    assert_eq!(kept.at("/kept_until_ended"), json!([]));
}
