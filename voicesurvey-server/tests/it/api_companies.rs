//! Companies, API keys, roles and skillbases.

use chrono::TimeDelta;
use insta::assert_snapshot;
use serde_json::json;

use crate::support::TestApp;

fn new_company() -> serde_json::Value {
    json!({ "name": "Acme", "time_zone": "Europe/Rome", "region": "it", "language": "it" })
}

/// C7.
#[tokio::test]
async fn the_operator_creates_reads_changes_and_lists_companies() {
    let app = TestApp::start().await;
    let operator = app.operator();
    let created = operator.post("/api/companies", &new_company()).await;
    assert_snapshot!(created.redacted(), @r#"
201 application/json
{
  "attempt_caps": {"minimum_gap_minutes":null,"per_day":null,"per_month":null,"per_week":null},
  "calls_per_minute": 300,
  "created_at": "[time]",
  "id": "[id]",
  "language": "it",
  "max_concurrent_calls": 50,
  "name": "Acme",
  "region": "IT",
  "status": "active",
  "time_zone": "Europe/Rome"
}
"#);
    let path = created.header("location").unwrap();
    assert_eq!(operator.get(path).await.json(), created.json());
    let changed = operator
        .patch(path, &json!({ "calls_per_minute": 60 }))
        .await;
    assert_eq!(changed.at("/calls_per_minute"), 60);
    assert_eq!(changed.at("/max_concurrent_calls"), 50);
    assert_eq!(
        operator.get("/api/companies").await.at("/items/0"),
        changed.json()
    );
}

/// C7.
#[tokio::test]
async fn the_operator_removes_a_company_once_its_campaigns_are_gone() {
    let app = TestApp::start().await;
    let acme = app.company("Acme").await;
    let manager = acme.manager().await;
    let campaign = manager.create_campaign().await;
    let path = format!("/api/companies/{}", acme.id);
    let refused = app.operator().delete(&path).await;
    assert_eq!(
        (refused.status, refused.text_at("/code").as_str()),
        (409, "company_has_campaigns")
    );
    assert_eq!(manager.delete(&campaign).await.status, 204);
    assert_eq!(app.operator().delete(&path).await.status, 204);
    assert_eq!(app.operator().get(&path).await.status, 404);
    assert_eq!(app.operator().delete(&path).await.status, 404);
    assert_eq!(manager.get("/api/campaigns").await.status, 401);
}

#[tokio::test]
async fn a_company_with_wrong_fields_is_refused_with_all_of_them() {
    let app = TestApp::start().await;
    let body = json!({ "name": " ", "time_zone": "Rome", "region": "XX", "colour": 1, "calls_per_minute": "10" });
    let answer = app.operator().post("/api/companies", &body).await;
    assert_eq!(answer.status, 422);
    assert_snapshot!(answer.wrong_fields(), @r#"
name: must not be empty
time_zone: unknown time zone 'Rome': use an IANA name such as Europe/Rome
region: unknown phone region 'XX': use a country code of two letters such as IT
language: is required
calls_per_minute: use a whole number
colour: unknown field
"#);
}

#[tokio::test]
async fn a_key_reads_its_own_company_and_is_no_operator() {
    let app = TestApp::start().await;
    let acme = app.company("Acme").await;
    let admin = acme.admin().await;
    let own = format!("/api/companies/{}", acme.id);
    assert_eq!(admin.get(&own).await.text_at("/name"), "Acme");
    for answer in [
        admin.get("/api/companies").await,
        admin.post("/api/companies", &new_company()).await,
        admin.patch(&own, &json!({ "name": "Acme 2" })).await,
    ] {
        assert_eq!(
            (answer.status, answer.text_at("/code").as_str()),
            (403, "forbidden")
        );
    }
    // And the operator's token is no key of a company.
    assert_eq!(app.operator().get("/api/campaigns").await.status, 403);
}

#[tokio::test]
async fn a_key_is_shown_once_and_works_until_it_is_revoked() {
    let app = TestApp::start().await;
    let admin = app.company("Acme").await.admin().await;
    let created = admin
        .post(
            "/api/api-keys",
            &json!({ "name": "Screen", "role": "viewer" }),
        )
        .await;
    assert_eq!(created.status, 201, "{created}");
    let secret = created.text_at("/key");
    assert!(secret.starts_with("vsk_"));
    let viewer = app.holder_of(&secret);
    assert_eq!(viewer.get("/api/campaigns").await.status, 200);

    let listed = admin.get("/api/api-keys").await;
    let keys = listed.at("/items");
    let shown = keys
        .as_array()
        .unwrap()
        .iter()
        .find(|key| key["name"] == "Screen");
    assert_eq!(shown.unwrap()["prefix"], secret[..12]);
    assert!(!listed.text().contains(&secret));

    let path = format!("/api/api-keys/{}", created.text_at("/id"));
    assert!(admin.delete(&path).await.at("/revoked_at").is_string());
    assert_eq!(viewer.get("/api/campaigns").await.status, 401);
}

#[tokio::test]
async fn a_key_stops_working_when_it_expires() {
    let app = TestApp::start().await;
    let admin = app.company("Acme").await.admin().await;
    let body = json!({ "name": "Guest", "role": "viewer", "expires_at": "2026-11-20T10:00:00Z" });
    let guest = app.holder_of(&admin.post("/api/api-keys", &body).await.text_at("/key"));
    assert_eq!(guest.get("/api/campaigns").await.status, 200);
    app.clock.advance(TimeDelta::minutes(30));
    let answer = guest.get("/api/campaigns").await;
    assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
    assert_snapshot!(answer.redacted(), @r#"
401 application/problem+json
{
  "code": "unauthenticated",
  "detail": "send a valid API key: 'Authorization: Bearer vsk_…'",
  "errors": [],
  "request_id": "[id]",
  "status": 401,
  "title": "Unauthorized",
  "type": "about:blank"
}
"#);
    let late = json!({ "name": "Late", "role": "owner", "expires_at": "2026-11-20T10:00:00Z" });
    assert_snapshot!(admin.post("/api/api-keys", &late).await.wrong_fields(), @"role: unknown role 'owner': use admin, manager or viewer");
    let late = json!({ "name": "Late", "role": "viewer", "expires_at": "2026-11-20T10:00:00Z" });
    assert_snapshot!(admin.post("/api/api-keys", &late).await.wrong_fields(), @"expires_at: must be in the future");
}

/// A21.
#[tokio::test]
async fn a_viewer_reads_a_manager_writes_and_an_admin_manages_keys() {
    let app = TestApp::start().await;
    let acme = app.company("Acme").await;
    let (viewer, manager, admin) = (
        acme.viewer().await,
        acme.manager().await,
        acme.admin().await,
    );
    let campaign = manager.create_campaign().await;
    assert_eq!(viewer.get(&campaign).await.status, 200);
    for answer in [
        viewer
            .post_json_text("/api/campaigns", crate::support::CAMPAIGN_OF_A)
            .await,
        viewer.patch(&campaign, &json!({ "name": "Mine" })).await,
        viewer.post_nothing(&format!("{campaign}/start")).await,
        viewer
            .upload(
                &format!("{campaign}/contacts/upload"),
                "l.csv",
                "phone\n3471234567\n",
            )
            .await,
        viewer.delete(&campaign).await,
    ] {
        assert_eq!(answer.status, 403, "{answer}");
        assert_eq!(
            answer.text_at("/detail"),
            "this needs a key with the role manager"
        );
    }
    assert_eq!(manager.get("/api/api-keys").await.status, 403);
    assert_eq!(admin.get("/api/api-keys").await.status, 200);
}

/// C7.
#[tokio::test]
async fn skillbases_are_created_read_edited_listed_and_deleted() {
    let app = TestApp::start().await;
    let manager = app.company("Acme").await.manager().await;
    let mut body = json!({
        "name": "Friendly", "language": "it", "voice": "Bianca", "role": "assistente",
        "style": "frasi brevi", "rules": ["non vendere"], "facts": ["aperti dalle 9"],
        "longest_call_seconds": 300, "closing": "Arrivederci.",
    });
    let created = manager.post("/api/skillbases", &body).await;
    assert_snapshot!(created.redacted(), @r#"
201 application/json
{
  "closing": "Arrivederci.",
  "company_id": "[id]",
  "created_at": "[time]",
  "facts": ["aperti dalle 9"],
  "id": "[id]",
  "is_default": false,
  "language": "it",
  "longest_call_seconds": 300,
  "name": "Friendly",
  "role": "assistente",
  "rules": ["non vendere"],
  "style": "frasi brevi",
  "updated_at": "[time]",
  "version": 1,
  "voice": "Bianca"
}
"#);
    let path = created.header("location").unwrap();
    body["name"] = json!("Friendlier");
    let edited = manager.put(path, &body).await;
    assert_eq!(
        (edited.text_at("/name"), edited.at("/version")),
        ("Friendlier".to_owned(), json!(2))
    );
    assert_eq!(manager.get(path).await.json(), edited.json());
    let listed = manager.get("/api/skillbases").await;
    // One default for each language, and this one.
    assert_eq!(listed.at("/items").as_array().unwrap().len(), 7);
    assert_eq!(manager.delete(path).await.status, 204);
    assert_eq!(manager.get(path).await.status, 404);
}

/// C7.
#[tokio::test]
async fn a_skillbase_in_use_or_by_default_cannot_be_deleted() {
    let app = TestApp::start().await;
    let manager = app.company("Acme").await.manager().await;
    let default = manager.get("/api/skillbases").await.text_at("/items/0/id");
    let answer = manager.delete(&format!("/api/skillbases/{default}")).await;
    assert_eq!(
        (answer.status, answer.text_at("/code").as_str()),
        (409, "default_skillbase")
    );

    let body = json!({ "name": "Used", "language": "it" });
    let used = manager.post("/api/skillbases", &body).await.text_at("/id");
    let mut campaign: serde_json::Value =
        serde_json::from_str(crate::support::CAMPAIGN_OF_A).unwrap();
    campaign["skillbase_id"] = json!(used);
    assert_eq!(manager.post("/api/campaigns", &campaign).await.status, 201);
    let answer = manager.delete(&format!("/api/skillbases/{used}")).await;
    assert_eq!(
        (answer.status, answer.text_at("/code").as_str()),
        (409, "skillbase_in_use")
    );
}

#[tokio::test]
async fn a_skillbase_with_wrong_fields_is_refused_with_all_of_them() {
    let app = TestApp::start().await;
    let manager = app.company("Acme").await.manager().await;
    let body = json!({ "rules": ["fine", 2], "longest_call_seconds": 1.5, "persona": {} });
    let answer = manager.post("/api/skillbases", &body).await;
    assert_eq!(answer.status, 422);
    assert_snapshot!(answer.wrong_fields(), @r#"
name: is required
language: is required
rules: [1]: must be a text
longest_call_seconds: use a whole number
persona: unknown field
"#);
}
