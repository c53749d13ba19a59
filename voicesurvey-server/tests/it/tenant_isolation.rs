//! Every operation of the OpenAPI document, tried by another company and by nobody (I11).
//!
//! An operation that the document has and [`recipe`] does not fails the test, so that none is
//! forgotten.

use std::collections::BTreeMap;

use reqwest::Method;
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};

use crate::support::{Answer, CAMPAIGN_OF_A, Caller, TestApp, TestCompany};

/// An identifier that names nothing.
const NOBODYS: &str = "01935000-0000-7000-8000-000000000000";

/// What an operation owes to a stranger.
enum Recipe {
    /// It is for everybody, and needs no token.
    Public,
    /// It names nothing of anybody: the stranger gets or makes something of its own.
    Own(Option<Value>),
    /// It names something in its path: to a stranger that does not exist.
    Named(Option<Value>),
    /// The same, with a file.
    NamedUpload,
    /// It takes a file, and names nothing of anybody.
    OwnUpload,
    /// Its path is the proof, and needs no token: to somebody without the link it does not exist.
    Link,
    /// No key of a company opens it.
    Operator(Option<Value>),
}

/// How to try an operation.
fn recipe(operation_id: &str) -> Recipe {
    let skillbase = || Some(json!({ "name": "Mine", "language": "it" }));
    let campaign = || Some(serde_json::from_str(CAMPAIGN_OF_A).unwrap());
    match operation_id {
        "get_health" | "get_readiness" => Recipe::Public,
        "list_api_keys"
        | "list_skillbases"
        | "list_campaigns"
        | "list_calls"
        | "list_attempts"
        | "list_outcomes"
        | "list_review"
        | "list_exclusions"
        | "list_exclusion_removals"
        | "list_erasures"
        | "get_retention" => Recipe::Own(None),
        "erase_person" => {
            let body = json!({ "phone_number": "+393471234567", "reason": "a letter" });
            Recipe::Own(Some(body))
        }
        "set_retention" => Recipe::Own(Some(json!({ "contact_days": 90 }))),
        "create_api_key" => Recipe::Own(Some(json!({ "name": "Mine", "role": "viewer" }))),
        "add_exclusions" => Recipe::Own(Some(json!({ "phone_number": "+393471234567" }))),
        "import_exclusions" => Recipe::OwnUpload,
        "create_skillbase" => Recipe::Own(skillbase()),
        "create_campaign" => Recipe::Own(campaign()),
        "list_companies" | "delete_company" => Recipe::Operator(None),
        "create_company" | "change_company" => Recipe::Operator(Some(json!({ "name": "Mine" }))),
        "get_company"
        | "revoke_api_key"
        | "get_skillbase"
        | "delete_skillbase"
        | "get_campaign"
        | "delete_campaign"
        | "start_campaign"
        | "pause_campaign"
        | "dry_run_campaign"
        | "hold_test_conversation"
        | "resume_campaign"
        | "cancel_campaign"
        | "list_contacts"
        | "get_contact"
        | "list_uploads"
        | "get_upload"
        | "cancel_upload"
        | "get_upload_errors"
        | "get_campaign_stats"
        | "get_campaign_results"
        | "list_texts"
        | "get_campaign_rates"
        | "export_campaign"
        | "request_export"
        | "list_exports"
        | "get_export"
        | "get_call"
        | "get_answer"
        | "get_erasure"
        | "get_exclusion"
        | "remove_exclusion" => Recipe::Named(None),
        "fetch_export" => Recipe::Link,
        "replace_skillbase" => Recipe::Named(skillbase()),
        "change_campaign" => Recipe::Named(Some(json!({ "name": "Mine" }))),
        "set_campaign_status" => Recipe::Named(Some(json!({ "status": "cancelled" }))),
        "change_answer" => Recipe::Named(Some(json!({ "accept": true }))),
        "resolve_attempt" => Recipe::Named(Some(json!({ "resolution": "not_dialed" }))),
        "upload_contacts" => Recipe::NamedUpload,
        other => panic!("say in `recipe` how a stranger shall try {other}"),
    }
}

/// One operation of the document.
struct Operation {
    id: String,
    method: Method,
    path: String,
}

async fn operations(app: &TestApp) -> Vec<Operation> {
    let document = app.anonymous().get("/api/openapi.json").await.json();
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            operations.push(Operation {
                id: operation["operationId"].as_str().unwrap().to_owned(),
                method: method.to_uppercase().parse().unwrap(),
                path: path.clone(),
            });
        }
    }
    assert!(operations.len() >= 30, "{}", operations.len());
    operations
}

impl Operation {
    /// The path with identifiers in place of its parameters, as often as there are ways to choose
    /// them.
    fn paths(&self, ids: &BTreeMap<&str, String>) -> Vec<String> {
        let mut paths = vec![self.path.clone()];
        while paths[0].contains('{') {
            paths = paths
                .iter()
                .flat_map(|path| {
                    let (start, rest) = path.split_once('{').unwrap();
                    let (_, end) = rest.split_once('}').unwrap();
                    ids.values().map(move |id| format!("{start}{id}{end}"))
                })
                .collect();
        }
        paths
    }

    async fn send(&self, caller: &Caller, path: &str, body: Option<&Value>) -> Answer {
        let request = caller.request(self.method.clone(), path);
        let request = match body {
            Some(body) => request.json(body),
            None => request,
        };
        Answer::to(request).await
    }
}

/// A company that has one of everything, with the identifier of each.
async fn furnished(
    app: &TestApp,
    company: &TestCompany<'_>,
) -> (Caller, BTreeMap<&'static str, String>) {
    let admin = company.admin().await;
    let list = "phone_number,name\n+393471234567,Maria\n,Nobody\n";
    let campaign = admin.create_campaign().await;
    let upload = admin
        .upload(&format!("{campaign}/contacts/upload"), "list.csv", list)
        .await;
    assert_eq!(admin.set_status(&campaign, "running").await.status, 200);
    app.run_to_the_end().await;
    let contact = admin.get(&format!("{campaign}/contacts")).await;
    let call = admin.get("/api/calls").await.text_at("/items/0/id");
    let talk = admin.get(&format!("/api/calls/{call}")).await;
    let erased = json!({ "phone_number": "+393470000000", "reason": "a letter" });
    let erased = admin.post("/api/erasures", &erased).await;
    let export = admin.post_nothing(&format!("{campaign}/exports")).await;
    let ids = BTreeMap::from([
        ("company", company.id.to_string()),
        (
            "api key",
            admin.get("/api/api-keys").await.text_at("/items/0/id"),
        ),
        (
            "skillbase",
            admin.get("/api/skillbases").await.text_at("/items/0/id"),
        ),
        ("campaign", campaign.rsplit('/').next().unwrap().to_owned()),
        ("upload", upload.text_at("/upload_id")),
        ("contact", contact.text_at("/items/0/id")),
        ("answer", talk.text_at("/answers/0/id")),
        ("erasure", erased.text_at("/id")),
        ("export", export.text_at("/id")),
        ("call", call),
    ]);
    (admin, ids)
}

/// Everything the company can read.
async fn everything(admin: &Caller, ids: &BTreeMap<&str, String>) -> Vec<Value> {
    let mut read = Vec::new();
    for path in [
        format!("/api/companies/{}", ids["company"]),
        "/api/api-keys".to_owned(),
        "/api/skillbases".to_owned(),
        "/api/campaigns".to_owned(),
        "/api/calls".to_owned(),
        format!("/api/campaigns/{}/stats", ids["campaign"]),
        format!("/api/campaigns/{}/results", ids["campaign"]),
        format!("/api/campaigns/{}/rates", ids["campaign"]),
        format!("/api/campaigns/{}/contacts", ids["campaign"]),
        format!("/api/campaigns/{}/uploads", ids["campaign"]),
        format!("/api/campaigns/{}/exports", ids["campaign"]),
        format!(
            "/api/campaigns/{}/exports/{}",
            ids["campaign"], ids["export"]
        ),
        format!(
            "/api/campaigns/{}/contacts/{}",
            ids["campaign"], ids["contact"]
        ),
        format!("/api/calls/{}", ids["call"]),
        format!("/api/answers/{}", ids["answer"]),
        format!("/api/erasures/{}", ids["erasure"]),
        "/api/retention".to_owned(),
        "/api/exclusions".to_owned(),
    ] {
        let answer = admin.get(&path).await;
        assert_eq!(answer.status, 200, "{answer}");
        read.push(answer.json());
    }
    read
}

/// The body without what names the request.
fn without_request_id(answer: &Answer) -> String {
    let mut body = answer.json();
    body.as_object_mut().unwrap().remove("request_id").unwrap();
    body.to_string()
}

async fn upload(caller: &Caller, path: &str) -> Answer {
    let file = Part::bytes(b"phone\n+393471234599\n".to_vec()).file_name("list.csv");
    caller.post_form(path, Form::new().part("file", file)).await
}

#[tokio::test]
async fn what_is_anothers_does_not_exist_in_any_operation() {
    let app = TestApp::start().await;
    let (acme, globex) = (app.company("Acme").await, app.company("Globex").await);
    let (admin, ids) = furnished(&app, &acme).await;
    let stranger = globex.admin().await;
    let before = everything(&admin, &ids).await;
    let nobodys = BTreeMap::from([("nobody", NOBODYS.to_owned())]);

    for operation in operations(&app).await {
        let recipe = recipe(&operation.id);
        let (status, body) = match &recipe {
            Recipe::Public => continue,
            Recipe::Own(_) | Recipe::OwnUpload => {
                let answer = match &recipe {
                    Recipe::Own(body) => {
                        let body = body.as_ref();
                        operation.send(&stranger, &operation.path, body).await
                    }
                    _ => upload(&stranger, &operation.path).await,
                };
                assert!(
                    (200..300).contains(&answer.status),
                    "{}: {answer}",
                    operation.id
                );
                for id in ids.values() {
                    assert!(!answer.text().contains(id), "{}: {answer}", operation.id);
                }
                continue;
            }
            Recipe::Named(body) => (404, body.as_ref()),
            Recipe::NamedUpload | Recipe::Link => (404, None),
            Recipe::Operator(body) => (403, body.as_ref()),
        };
        let send = async |path: &str| match recipe {
            Recipe::NamedUpload => upload(&stranger, path).await,
            _ => operation.send(&stranger, path, body).await,
        };
        let missing = send(&operation.paths(&nobodys)[0]).await;
        assert_eq!(missing.status, status, "{}: {missing}", operation.id);
        for path in operation.paths(&ids) {
            let answer = send(&path).await;
            assert_eq!(answer.status, status, "{path}: {answer}");
            assert_eq!(
                without_request_id(&answer),
                without_request_id(&missing),
                "{path}"
            );
        }
    }
    assert_eq!(everything(&admin, &ids).await, before);
}

/// An own campaign is no way to another's contacts and uploads.
#[tokio::test]
async fn the_second_name_in_a_path_must_be_ones_own_too() {
    let app = TestApp::start().await;
    let (acme, globex) = (app.company("Acme").await, app.company("Globex").await);
    let (_, ids) = furnished(&app, &acme).await;
    let stranger = globex.admin().await;
    let own = stranger.create_campaign().await;
    for path in [
        format!("{own}/contacts/{}", ids["contact"]),
        format!("{own}/uploads/{}", ids["upload"]),
        format!("{own}/uploads/{}/errors", ids["upload"]),
        format!("{own}/exports/{}", ids["export"]),
    ] {
        let missing = path
            .replace(&ids["contact"], NOBODYS)
            .replace(&ids["upload"], NOBODYS)
            .replace(&ids["export"], NOBODYS);
        let (answer, missing) = (stranger.get(&path).await, stranger.get(&missing).await);
        assert_eq!(answer.status, 404);
        assert_eq!(without_request_id(&answer), without_request_id(&missing));
    }
}

/// Names in queries and bodies lead no further than names in paths.
#[tokio::test]
async fn what_is_anothers_does_not_exist_in_queries_and_bodies() {
    let app = TestApp::start().await;
    let (acme, globex) = (app.company("Acme").await, app.company("Globex").await);
    let (_, ids) = furnished(&app, &acme).await;
    let stranger = globex.admin().await;
    for list in ["calls", "attempts", "review"] {
        let calls = async |id: &str| stranger.get(&format!("/api/{list}?campaign={id}")).await;
        let (answer, missing) = (calls(&ids["campaign"]).await, calls(NOBODYS).await);
        assert_eq!(answer.status, 404);
        assert_eq!(without_request_id(&answer), without_request_id(&missing));
    }

    for (field, id) in [
        ("skillbase_id", &ids["skillbase"]),
        ("company_id", &ids["company"]),
    ] {
        let create = async |id: &str| {
            let mut body: Value = serde_json::from_str(CAMPAIGN_OF_A).unwrap();
            body[field] = json!(id);
            stranger.post("/api/campaigns", &body).await
        };
        let (answer, missing) = (create(id).await, create(NOBODYS).await);
        assert_eq!(answer.status, 422);
        let answer = without_request_id(&answer).replace(id, NOBODYS);
        assert_eq!(answer, without_request_id(&missing));
    }
}

#[tokio::test]
async fn no_operation_can_be_reached_without_a_valid_token() {
    let app = TestApp::start().await;
    let nobodys = BTreeMap::from([("nobody", NOBODYS.to_owned())]);
    let (anonymous, pretender) = (app.anonymous(), app.holder_of("vsk_0123456789"));
    for operation in operations(&app).await {
        let path = &operation.paths(&nobodys)[0];
        if matches!(recipe(&operation.id), Recipe::Public) {
            assert_eq!(
                operation.send(&anonymous, path, None).await.status,
                200,
                "{path}"
            );
            continue;
        }
        if matches!(recipe(&operation.id), Recipe::Link) {
            assert_eq!(operation.send(&anonymous, path, None).await.status, 404);
            continue;
        }
        let basic = anonymous.request(operation.method.clone(), path);
        let empty = anonymous.request(operation.method.clone(), path);
        for answer in [
            operation.send(&anonymous, path, None).await,
            operation.send(&pretender, path, None).await,
            Answer::to(basic.header("authorization", "Basic dnNrXzE6")).await,
            Answer::to(empty.header("authorization", "Bearer ")).await,
        ] {
            assert_eq!(answer.status, 401, "{}: {answer}", operation.id);
            assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
            assert_eq!(
                answer.header("content-type"),
                Some("application/problem+json")
            );
        }
    }
}
