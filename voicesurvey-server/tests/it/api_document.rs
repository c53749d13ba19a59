//! The OpenAPI document, and the page to try the API.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

use crate::support::TestApp;

#[tokio::test]
async fn the_openapi_document_is_as_reviewed() {
    let app = TestApp::start().await;
    let answer = app.anonymous().get("/api/openapi.json").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.text_at("/openapi"), "3.1.0");
    let own = serde_json::to_value(voicesurvey_server::api::openapi()).unwrap();
    assert_eq!(answer.json(), own);
    let mut document = own;
    // It changes with every release.
    document["info"]["version"] = Value::from("[version]");
    insta::assert_snapshot!("openapi", format!("{document:#}"));
}

/// Every `$ref` leads somewhere.
#[tokio::test]
async fn the_openapi_document_is_complete() {
    fn references(value: &Value, found: &mut BTreeSet<String>) {
        match value {
            Value::Object(fields) => {
                found.extend(
                    fields
                        .get("$ref")
                        .and_then(Value::as_str)
                        .map(str::to_owned),
                );
                fields.values().for_each(|value| references(value, found));
            }
            Value::Array(values) => values.iter().for_each(|value| references(value, found)),
            _ => {}
        }
    }
    let document = serde_json::to_value(voicesurvey_server::api::openapi()).unwrap();
    let mut found = BTreeSet::new();
    references(&document, &mut found);
    assert!(found.len() > 20);
    for reference in found {
        let place = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(place).is_some(), "{reference}");
    }
}

/// Everything the page names is served here, and its policy lets the browser load nothing else.
#[tokio::test]
async fn the_docs_page_needs_nothing_from_the_internet() {
    let app = TestApp::start().await;
    let caller = app.anonymous();
    let redirect = caller.get("/api/docs").await;
    assert_eq!(
        (redirect.status, redirect.header("location")),
        (303, Some("/api/docs/"))
    );
    let page = caller.get("/api/docs/").await;
    assert_eq!(page.status, 200);
    let policy = page.header("content-security-policy").unwrap();
    assert!(
        policy.starts_with("default-src 'none';") && !policy.contains("http"),
        "{policy}"
    );
    let named: Vec<_> = ["src=\"", "href=\""]
        .iter()
        .flat_map(|attribute| page.text().split(attribute).skip(1))
        .map(|rest| rest.split('"').next().unwrap())
        .collect();
    assert!(named.len() >= 5, "{named:?}");
    for name in named {
        assert!(!name.contains("//"), "{name}");
        let answer = caller
            .get(&format!("/api/docs/{}", name.trim_start_matches("./")))
            .await;
        assert_eq!(answer.status, 200, "{name}");
        if Path::new(name)
            .extension()
            .is_some_and(|extension| extension == "css")
        {
            let css = answer.text();
            assert!(
                !css.contains("@import") && !css.contains("url(http"),
                "{name}"
            );
        }
    }
    let start = caller.get("/api/docs/swagger-initializer.js").await;
    assert!(start.text().contains("\"/api/openapi.json\""), "{start}");
    assert!(
        start.text().contains("\"validatorUrl\": \"none\""),
        "{start}"
    );
    assert!(!start.text().contains("://"), "{start}");
}
