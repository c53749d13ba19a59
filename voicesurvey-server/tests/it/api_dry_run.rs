//! `POST /api/campaigns/{id}/dry-run` and `voicesurvey dry-run`'s common ground: the store stays as
//! it is.

use serde_json::json;

use crate::support::{Caller, TestApp};

const THREE_PEOPLE: &str =
    "phone_number,name\n+393471234567,Maria\n+393471234568,Luca\n+393471234569,Anna\n";

async fn manager(app: &TestApp) -> Caller {
    app.company("Acme").await.manager().await
}

#[tokio::test]
async fn a_dry_run_tells_what_would_happen_and_changes_nothing() {
    let app = TestApp::start().await;
    let manager = manager(&app).await;
    let campaign = manager.create_campaign_with(THREE_PEOPLE).await;
    let path = format!("{campaign}/dry-run");
    let before = manager.get(&campaign).await.json();

    let body = json!({ "seed": 3, "price_per_minute_low": 0.02, "price_per_minute_high": "0.20" });
    let answer = manager.post(&path, &body).await;
    assert_eq!(answer.status, 200, "{answer}");
    let report = answer.json();
    assert_eq!(
        (&report["seed"], &report["contacts"]),
        (&json!(3), &json!(3))
    );
    assert_eq!(report["finish"], "completed");
    assert!(report["calls"].as_u64().unwrap() >= 3);
    let scores = report["scorecard"].as_array().unwrap();
    assert_eq!(scores.len(), 8);
    assert!(
        scores.iter().all(|score| score["violations"] == 0),
        "{scores:?}"
    );
    assert!(
        !answer.to_string().contains("+393471234567"),
        "numbers are masked"
    );

    let again = manager.post(&path, &body).await.json();
    assert_eq!(report["attempts_by_outcome"], again["attempts_by_outcome"]);
    assert_eq!(manager.get(&campaign).await.json(), before);
    assert_eq!(manager.get("/api/calls").await.json()["items"], json!([]));
}

#[tokio::test]
async fn the_body_may_be_left_out() {
    let app = TestApp::start().await;
    let manager = manager(&app).await;
    let campaign = manager.create_campaign_with(THREE_PEOPLE).await;
    let answer = manager.post_nothing(&format!("{campaign}/dry-run")).await;
    assert_eq!(answer.status, 200, "{answer}");
}

#[tokio::test]
async fn what_is_wrong_with_the_body_is_named_field_by_field() {
    let app = TestApp::start().await;
    let manager = manager(&app).await;
    let campaign = manager.create_campaign_with(THREE_PEOPLE).await;
    let body = json!({
        "seed": -1, "pick_up_rate": 2, "completion_rate": "often", "price_per_minute_low": "cheap",
        "speed": 3,
    });
    let answer = manager.post(&format!("{campaign}/dry-run"), &body).await;
    assert_eq!(answer.status, 422);
    insta::assert_snapshot!(answer.wrong_fields(), @r"
seed: use a whole number that is not negative
pick_up_rate: use a number from 0 to 1
completion_rate: use a number from 0 to 1
price_per_minute_low: use an amount such as 0.05
speed: unknown field
");
    let prices = json!({ "price_per_minute_low": 2, "price_per_minute_high": 1 });
    let answer = manager.post(&format!("{campaign}/dry-run"), &prices).await;
    assert_eq!(answer.status, 422);
}

#[tokio::test]
async fn a_campaign_without_contacts_or_that_has_ended_cannot_be_tried_out() {
    let app = TestApp::start().await;
    let manager = manager(&app).await;
    let empty = manager.create_campaign().await;
    let answer = manager.post_nothing(&format!("{empty}/dry-run")).await;
    assert_eq!(answer.status, 409, "{answer}");
    assert_eq!(answer.text_at("/code"), "no_contacts");

    let ended = manager.create_campaign_with(THREE_PEOPLE).await;
    manager.post_nothing(&format!("{ended}/cancel")).await;
    let answer = manager.post_nothing(&format!("{ended}/dry-run")).await;
    assert_eq!(answer.text_at("/code"), "campaign_ended");
}

#[tokio::test]
async fn a_viewer_may_not_start_a_dry_run() {
    let app = TestApp::start().await;
    let company = app.company("Acme").await;
    let campaign = company
        .manager()
        .await
        .create_campaign_with(THREE_PEOPLE)
        .await;
    let answer = company
        .viewer()
        .await
        .post_nothing(&format!("{campaign}/dry-run"))
        .await;
    assert_eq!(answer.status, 403);
}
