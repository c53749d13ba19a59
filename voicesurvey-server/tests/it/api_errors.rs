//! Bad requests and faults: one form of answer, and nothing of the inside in it.

use std::sync::Arc;

use insta::assert_snapshot;
use reqwest::Method;
use voicesurvey_core::memory::MemoryStorage;
use voicesurvey_core::ports::telephony::MockTelephonyProvider;

use crate::support::{TestApp, UnreachableStorage};

#[tokio::test]
async fn bad_json_is_refused_with_line_and_column() {
    let app = TestApp::start().await;
    let manager = app.company("Acme").await.manager().await;
    let body = "{\n  \"name\": \"Smoke\",\n  \"language\": it\n}";
    let answer = manager.post_json_text("/api/campaigns", body).await;
    assert_snapshot!(answer.redacted(), @r#"
400 application/problem+json
{
  "code": "invalid_json",
  "detail": "the body is not valid JSON: expected value at line 3 column 15",
  "errors": [],
  "request_id": "[id]",
  "status": 400,
  "title": "Bad Request",
  "type": "about:blank"
}
"#);
}

#[tokio::test]
async fn bodies_that_are_no_json_object_are_refused() {
    let app = TestApp::start().await;
    let manager = app.company("Acme").await.manager().await;
    let mut refused = Vec::new();
    for body in [
        "",
        "[]",
        "null",
        "{\"name\": \"a\", \"name\": \"b\"}",
        "{} {}",
        "{\"name\":\"\\u0000\"}",
    ] {
        let answer = manager.post_json_text("/api/skillbases", body).await;
        let fields = answer.wrong_fields().replace('\n', ", ");
        refused.push(format!(
            "{} {body} -> {} {fields}",
            answer.status,
            answer.text_at("/detail")
        ));
    }
    assert_snapshot!(refused.join("\n"), @r#"
400  -> the body is not valid JSON: EOF while parsing a value at line 1 column 0 
422 [] -> the body must be a JSON object 
422 null -> the body must be a JSON object 
422 {"name": "a", "name": "b"} -> the body cannot be used: duplicate field `name` at line 1 column 20 
400 {} {} -> the body is not valid JSON: trailing characters at line 1 column 4 
422 {"name":"\u0000"} -> 2 fields are wrong; see errors name: must not contain the character U+0000, language: is required
"#);
}

#[tokio::test]
async fn a_body_of_another_type_is_refused() {
    let app = TestApp::start().await;
    let manager = app.company("Acme").await.manager().await;
    for headers in [
        &[][..],
        &[("content-type", "text/plain")],
        &[("content-type", "application/x-www-form-urlencoded")],
    ] {
        let answer = manager
            .post_raw("/api/campaigns", headers, b"{}".to_vec())
            .await;
        assert_eq!(
            (answer.status, answer.text_at("/code").as_str()),
            (415, "unsupported_media_type")
        );
    }
    let headers = [(
        "content-type",
        "application/merge-patch+json; charset=utf-8",
    )];
    let answer = manager
        .post_raw("/api/campaigns", &headers, b"{}".to_vec())
        .await;
    assert_eq!(answer.status, 422);
}

#[tokio::test]
async fn a_json_body_that_is_too_large_is_refused_with_the_limit() {
    let app = TestApp::start().await;
    let manager = app.company("Acme").await.manager().await;
    let body = format!("{{\"name\": \"{}\"}}", "x".repeat(256 << 10));
    let answer = manager.post_json_text("/api/campaigns", body).await;
    assert_snapshot!(answer.redacted(), @r#"
413 application/problem+json
{
  "code": "too_large",
  "detail": "the JSON body is too large: send at most 256 KiB",
  "errors": [],
  "request_id": "[id]",
  "status": 413,
  "title": "Payload Too Large",
  "type": "about:blank"
}
"#);
}

#[tokio::test]
async fn a_path_that_does_not_exist_is_a_problem_too() {
    let app = TestApp::start().await;
    let answer = app.anonymous().get("/api/contacts/upload").await;
    assert_snapshot!(answer.redacted(), @r#"
404 application/problem+json
{
  "code": "not_found",
  "detail": "there is no such path",
  "errors": [],
  "request_id": "[id]",
  "status": 404,
  "title": "Not Found",
  "type": "about:blank"
}
"#);
}

#[tokio::test]
async fn a_method_that_a_path_does_not_take_is_a_problem_too() {
    let app = TestApp::start().await;
    let answer = app.anonymous().delete("/api/campaigns").await;
    let mut allowed: Vec<_> = answer.header("allow").unwrap().split(',').collect();
    allowed.sort_unstable();
    assert_eq!(allowed, ["GET", "HEAD", "POST"]);
    assert_snapshot!(answer.redacted(), @r#"
405 application/problem+json
{
  "code": "method_not_allowed",
  "detail": "this path does not take this method; see the header 'Allow'",
  "errors": [],
  "request_id": "[id]",
  "status": 405,
  "title": "Method Not Allowed",
  "type": "about:blank"
}
"#);
}

#[tokio::test]
async fn what_is_no_identifier_names_nothing() {
    let app = TestApp::start().await;
    let viewer = app.company("Acme").await.viewer().await;
    let id = "00000000-0000-7000-8000-000000000000";
    for path in [
        "/api/campaigns/1",
        "/api/calls/x",
        &format!("/api/campaigns/{id}/contacts/y"),
    ] {
        let answer = viewer.get(path).await;
        assert_eq!(
            (answer.status, answer.text_at("/code").as_str()),
            (404, "not_found")
        );
    }
}

#[tokio::test]
async fn unknown_and_wrong_parameters_of_the_query_are_refused() {
    let app = TestApp::start().await;
    let viewer = app.company("Acme").await.viewer().await;
    let answer = viewer.get("/api/campaigns?state=running").await;
    assert_eq!(answer.status, 400);
    assert_snapshot!(answer.text_at("/detail"), @"Failed to deserialize query string: state: unknown field `state`, expected one of `status`, `cursor`, `limit`");
    let answer = viewer
        .get("/api/calls?campaign=1&cursor=00ff&limit=1000")
        .await;
    assert_eq!(answer.status, 400);
    assert_snapshot!(answer.wrong_fields(), @r#"
campaign: use a UUID
cursor: unknown cursor: use next_cursor of the same list
limit: use a whole number from 1 to 200
"#);
}

#[tokio::test]
async fn a_request_keeps_its_identifier_unless_it_is_unfit_for_a_log() {
    let app = TestApp::start().await;
    let send = async |id: &str| {
        let request = app
            .anonymous()
            .request(Method::GET, "/api/nowhere")
            .header("x-request-id", id);
        let response = request.send().await.unwrap();
        let header = response.headers()["x-request-id"]
            .to_str()
            .unwrap()
            .to_owned();
        let body: serde_json::Value = response.json().await.unwrap();
        assert_eq!(body["request_id"], *header);
        header
    };
    assert_eq!(send("order-66.b").await, "order-66.b");
    assert_ne!(send("a b").await, "a b");
    assert_ne!(send(&"x".repeat(65)).await, "x".repeat(65));
}

#[tokio::test]
async fn a_store_that_cannot_be_reached_is_503_and_the_cause_stays_inside() {
    let app = TestApp::start_with(None, Arc::new(UnreachableStorage)).await;
    let caller = app.holder_of("vsk_any");
    assert_eq!(caller.get("/healthz").await.status, 200);
    for path in ["/readyz", "/api/campaigns"] {
        let answer = caller.get(path).await;
        assert_eq!(answer.status, 503);
        assert_eq!(answer.header("retry-after"), Some("5"));
        assert!(!answer.text().contains("secret-host"), "{answer}");
    }
    assert_snapshot!(caller.get("/readyz").await.redacted(), @r#"
503 application/problem+json
{
  "code": "storage_unavailable",
  "detail": "the store cannot be reached; try again",
  "errors": [],
  "request_id": "[id]",
  "status": 503,
  "title": "Service Unavailable",
  "type": "about:blank"
}
"#);
}

#[tokio::test]
async fn a_panic_is_500_and_the_server_goes_on() {
    let mut provider = MockTelephonyProvider::new();
    provider.expect_prices_are_asked_for().return_const(false);
    provider.expect_name().return_const("broken");
    provider
        .expect_read_webhook()
        .returning(|_, _| panic!("the secret of the panic"));
    let storage = Arc::new(MemoryStorage::default());
    let app = TestApp::start_with(Some(Arc::new(provider)), storage).await;
    let caller = app.anonymous();
    let answer = caller
        .post_raw("/webhooks/broken/events", &[], b"x".to_vec())
        .await;
    assert_snapshot!(answer.redacted(), @r#"
500 application/problem+json
{
  "code": "internal_error",
  "detail": "something went wrong here; the log names the cause under this request_id",
  "errors": [],
  "request_id": "[id]",
  "status": 500,
  "title": "Internal Server Error",
  "type": "about:blank"
}
"#);
    assert_eq!(caller.get("/healthz").await.status, 200);
}

#[tokio::test]
async fn health_names_the_time_zone_database() {
    let app = TestApp::start().await;
    let answer = app.anonymous().get("/healthz").await;
    assert_eq!(answer.status, 200);
    let version = voicesurvey_core::time_zone::database_version();
    assert_eq!(answer.text_at("/time_zone_database"), version);
    let answer = app.anonymous().get("/readyz").await;
    assert_eq!(
        (answer.status, answer.text_at("/status").as_str()),
        (200, "ready")
    );
}
