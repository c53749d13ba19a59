//! Campaigns: started, paused, listed, changed, deleted.

use insta::assert_snapshot;
use serde_json::json;

use crate::support::{Answer, Caller, TestApp};

const TWO_PEOPLE: &str = "phone_number,name\n+393471234567,Maria\n+393471234568,Luca\n";

async fn manager(app: &TestApp) -> Caller {
    app.company("Acme").await.manager().await
}

/// A4.
#[tokio::test]
async fn the_status_is_set_under_both_names() {
    let app = TestApp::start().await;
    let manager = manager(&app).await;
    for name in ["status", "new_status"] {
        let campaign = manager.create_campaign_with(TWO_PEOPLE).await;
        let path = format!("{campaign}/status");
        for status in ["running", "paused", "running", "cancelled"] {
            let answer = manager.post(&path, &json!({ name: status })).await;
            assert_eq!(answer.status, 200, "{answer}");
            assert_eq!(answer.text_at("/status"), status);
        }
    }
}

/// A4.
#[tokio::test]
async fn a_status_that_nobody_can_set_is_a_field_error() {
    let app = TestApp::start().await;
    let manager = manager(&app).await;
    let campaign = manager.create_campaign_with(TWO_PEOPLE).await;
    let mut wrong = Vec::new();
    for body in [
        json!({ "status": "completed" }),
        json!({ "new_status": "draft" }),
        json!({ "status": "running", "new_status": "running" }),
        json!({}),
        json!({ "status": 1, "state": "running" }),
    ] {
        let answer = manager.post(&format!("{campaign}/status"), &body).await;
        assert_eq!(answer.status, 422);
        wrong.push(answer.wrong_fields());
    }
    assert_snapshot!(wrong.join("\n"), @r#"
status: 'completed' cannot be set: use running, paused or cancelled
new_status: 'draft' cannot be set: use running, paused or cancelled
new_status: give status or new_status, not both
status: is required
state: unknown field
status: must be a text
"#);
    assert_eq!(manager.get(&campaign).await.text_at("/status"), "draft");
}

/// B1.
#[tokio::test]
async fn wrong_transitions_are_refused_and_change_nothing() {
    let app = TestApp::start().await;
    let manager = manager(&app).await;
    let mut refused = Vec::new();
    for (before, verbs) in [
        (vec![], vec!["pause", "resume"]),
        (vec!["start"], vec!["start", "resume"]),
        (vec!["start", "pause"], vec!["pause"]),
        (vec!["cancel"], vec!["start", "pause", "resume", "cancel"]),
    ] {
        let campaign = manager.create_campaign_with(TWO_PEOPLE).await;
        for verb in &before {
            let answer = manager.post_nothing(&format!("{campaign}/{verb}")).await;
            assert_eq!(answer.status, 200, "{answer}");
        }
        let status = manager.get(&campaign).await.text_at("/status");
        for verb in verbs {
            let answer = manager.post_nothing(&format!("{campaign}/{verb}")).await;
            assert_eq!(answer.status, 409, "{answer}");
            refused.push(format!("{status} + {verb}: {}", answer.text_at("/detail")));
            assert_eq!(manager.get(&campaign).await.text_at("/status"), status);
        }
    }
    assert_snapshot!(refused.join("\n"), @r#"
draft + pause: a draft campaign cannot pause
draft + resume: a draft campaign cannot resume
running + start: Campaign is already running
running + resume: Campaign is already running
paused + pause: Campaign is already paused
cancelled + start: a cancelled campaign cannot start
cancelled + pause: a cancelled campaign cannot pause
cancelled + resume: a cancelled campaign cannot resume
cancelled + cancel: a cancelled campaign cannot cancel
"#);
}

/// C4.
#[tokio::test]
async fn a_campaign_without_people_cannot_be_started() {
    let app = TestApp::start().await;
    let manager = manager(&app).await;
    let campaign = manager.create_campaign().await;
    let answer = manager.post_nothing(&format!("{campaign}/start")).await;
    assert_snapshot!(answer.redacted(), @r#"
409 application/problem+json
{
  "code": "no_tasks",
  "detail": "the campaign has nobody to call; upload a call list first",
  "errors": [],
  "request_id": "[id]",
  "status": 409,
  "title": "Conflict",
  "type": "about:blank"
}
"#);
}

/// C4.
#[tokio::test]
async fn a_running_campaign_cannot_be_started_again() {
    let app = TestApp::start().await;
    let manager = manager(&app).await;
    let campaign = manager.create_campaign_with(TWO_PEOPLE).await;
    assert_eq!(manager.set_status(&campaign, "running").await.status, 200);
    let answer = manager.set_status(&campaign, "running").await;
    assert_eq!(answer.status, 409);
    assert_eq!(answer.text_at("/detail"), "Campaign is already running");
    let answer = manager.get("/api/campaigns?status=running").await;
    assert_eq!(answer.at("/items").as_array().unwrap().len(), 1);
}

/// B8.
#[tokio::test]
async fn campaigns_are_listed_by_status_newest_first() {
    let app = TestApp::start().await;
    let manager = manager(&app).await;
    let mut drafts = Vec::new();
    for _ in 0..3 {
        drafts.push(manager.create_campaign().await);
        app.clock.advance(chrono::TimeDelta::seconds(1));
    }
    let running = manager.create_campaign_with(TWO_PEOPLE).await;
    manager.set_status(&running, "running").await;

    let listed = |answer: &Answer| -> Vec<String> {
        let items = answer.at("/items");
        let items = items.as_array().unwrap().iter();
        items
            .map(|item| format!("/api/campaigns/{}", item["id"].as_str().unwrap()))
            .collect()
    };
    let all = manager.get("/api/campaigns").await;
    drafts.reverse();
    let expected: Vec<_> = std::iter::once(running.clone())
        .chain(drafts.clone())
        .collect();
    assert_eq!(listed(&all), expected);
    assert_eq!(all.at("/items/0/total_tasks"), 2);
    assert_eq!(
        listed(&manager.get("/api/campaigns?status=running").await),
        [running]
    );

    let mut found = Vec::new();
    let mut path = "/api/campaigns?status=draft&limit=2".to_owned();
    loop {
        let part = manager.get(&path).await;
        found.extend(listed(&part));
        let Some(cursor) = part.at("/next_cursor").as_str().map(str::to_owned) else {
            break;
        };
        path = format!("/api/campaigns?status=draft&limit=2&cursor={cursor}");
    }
    assert_eq!(found, drafts);
}

/// B8.
#[tokio::test]
async fn a_running_campaign_cannot_be_deleted_and_a_paused_one_can() {
    let app = TestApp::start().await;
    let manager = manager(&app).await;
    let campaign = manager.create_campaign_with(TWO_PEOPLE).await;
    manager.set_status(&campaign, "running").await;
    let answer = manager.delete(&campaign).await;
    assert_eq!(
        (answer.status, answer.text_at("/code").as_str()),
        (409, "campaign_running")
    );
    manager.set_status(&campaign, "paused").await;
    assert_eq!(manager.delete(&campaign).await.status, 204);
    assert_eq!(manager.get(&campaign).await.status, 404);
}

#[tokio::test]
async fn a_change_leaves_what_it_does_not_name() {
    let app = TestApp::start().await;
    let manager = manager(&app).await;
    let campaign = manager.create_campaign().await;
    let before = manager.get(&campaign).await.json();
    let changes = json!({
        "name": "Renamed", "completion_message": "Arrivederci.", "calls_per_minute": 7,
        "max_attempts": 4, "allowed_call_start_local": "10:00", "allowed_call_end_local": "12:00",
    });
    let answer = manager.patch(&campaign, &changes).await;
    assert_eq!(answer.status, 200, "{answer}");
    let mut expected = before;
    for (name, value) in changes.as_object().unwrap() {
        expected[name] = value.clone();
    }
    for name in ["calling_hours", "updated_at"] {
        expected[name] = answer.at(&format!("/{name}"));
    }
    assert_eq!(answer.json(), expected);

    let wrong =
        json!({ "language": "en", "max_attempts": 0, "question_2_type": "scale", "name": "" });
    let answer = manager.patch(&campaign, &wrong).await;
    assert_eq!(answer.status, 422);
    assert_snapshot!(answer.wrong_fields(), @r#"
language: cannot be changed; create another campaign
question_1_text: is missing: number the questions 1, 2, 3 … without gaps
question_2_text: is required
name: must not be empty
max_attempts: use a number from 1 to 20
"#);
}

#[tokio::test]
async fn what_is_frozen_cannot_be_changed_once_a_campaign_has_started() {
    let app = TestApp::start().await;
    let manager = manager(&app).await;
    let campaign = manager.create_campaign_with(TWO_PEOPLE).await;
    manager.set_status(&campaign, "running").await;
    for frozen in [
        json!({ "max_attempts": 7 }),
        json!({ "target": 7 }),
        json!({ "ends_at": null }),
        json!({ "calls_per_minute": 7, "retry_other_daypart": true }),
    ] {
        let answer = manager.patch(&campaign, &frozen).await;
        assert_eq!(
            (answer.status, answer.text_at("/code").as_str()),
            (409, "campaign_started"),
            "{frozen}"
        );
    }
    let budget = json!({ "amount": "10", "currency": "EUR", "estimate_per_call": "0" });
    for free in [
        json!({ "name": "Renamed" }),
        json!({ "calls_per_minute": 7, "seconds_between_calls": 2, "max_concurrent_calls": 3 }),
        json!({ "budget": budget }),
        json!({ "budget": null }),
    ] {
        let answer = manager.patch(&campaign, &free).await;
        assert_eq!(answer.status, 200, "{answer}");
        for (name, value) in free.as_object().unwrap() {
            assert_eq!(&answer.at(&format!("/{name}")), value);
        }
    }
}

#[tokio::test]
async fn a_campaign_with_a_start_date_waits_for_it() {
    let app = TestApp::start().await;
    let manager = manager(&app).await;
    let campaign = manager.create_campaign_with(TWO_PEOPLE).await;
    manager
        .patch(&campaign, &json!({ "starts_at": "2026-11-21T09:00:00Z" }))
        .await;
    assert_eq!(
        manager
            .set_status(&campaign, "running")
            .await
            .text_at("/status"),
        "scheduled"
    );
}
