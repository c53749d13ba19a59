//! What can be read after calls were made.

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::support::{Caller, TestApp, redacted};

const ONE_PERSON: &str = "phone_number,name\n+393471234567,Maria Rossi\n";

/// A company whose campaign has called one person, who answered everything.
async fn called(app: &TestApp) -> (Caller, String) {
    let manager = app.company("Acme").await.manager().await;
    let campaign = manager.create_campaign_with(ONE_PERSON).await;
    assert_eq!(manager.set_status(&campaign, "running").await.status, 200);
    app.run_to_the_end().await;
    (manager, campaign)
}

/// A10.
#[tokio::test]
async fn a_call_shows_its_provider_times_and_outcome() {
    let app = TestApp::start().await;
    let (manager, campaign) = called(&app).await;
    assert_eq!(manager.get(&campaign).await.text_at("/status"), "completed");
    let id = campaign.rsplit('/').next().unwrap();
    let calls = manager.get(&format!("/api/calls?campaign={id}")).await;
    assert_eq!(calls.at("/items").as_array().unwrap().len(), 1);
    assert_snapshot!(redacted(&format!("{:#}", calls.at("/items/0"))), @"");
    for time in ["started_at", "answered_at", "ended_at"] {
        assert!(calls.at(&format!("/items/0/{time}")).is_string(), "{time}");
    }
}

/// A16.
#[tokio::test]
async fn a_call_shows_every_turn_and_every_answer_with_its_evidence() {
    let app = TestApp::start().await;
    let (viewer, _) = called(&app).await;
    let id = viewer.get("/api/calls").await.text_at("/items/0/id");
    let call = viewer.get(&format!("/api/calls/{id}")).await;
    let turns = call.at("/turns");
    let turns = turns.as_array().unwrap();
    let sequence: Vec<_> = turns
        .iter()
        .map(|turn| turn["sequence"].as_u64().unwrap())
        .collect();
    assert_eq!(sequence, (1..=turns.len() as u64).collect::<Vec<_>>());
    let speakers: Vec<_> = turns
        .iter()
        .map(|turn| turn["speaker"].as_str().unwrap())
        .collect();
    assert_eq!(speakers[..4], ["agent", "person", "agent", "person"]);
    assert_eq!(call.at("/consent/given"), true);
    assert_eq!(call.at("/response/complete"), true);

    let answers = call.at("/answers");
    let answers = answers.as_array().unwrap();
    let keys: Vec<_> = answers
        .iter()
        .map(|answer| answer["question_key"].as_str().unwrap())
        .collect();
    assert_eq!(keys, ["q1", "q2", "q3"]);
    for answer in answers {
        // The evidence is a turn of this call, in which the person said exactly these words.
        let turn = turns
            .iter()
            .find(|turn| turn["id"] == answer["turn_id"])
            .unwrap();
        assert_eq!(turn["speaker"], "person");
        assert_eq!(turn["words"], answer["words"]);
        assert_eq!(turn["question_key"], answer["question_key"]);
        assert_eq!(answer["interpreted_by"], "rules");
        assert_eq!(answer["call_id"], *id);
        assert!(answer["confidence"].as_f64().unwrap() > 0.0);
    }
    assert!(answers[0]["value"].is_string());
    assert!((1..=5).contains(&answers[1]["value"].as_i64().unwrap()));
    assert!(answers[2]["value"].is_i64());
}

/// B8.
#[tokio::test]
async fn stats_count_every_status_and_divide_by_nothing_never() {
    let app = TestApp::start().await;
    let manager = app.company("Acme").await.manager().await;
    let campaign = manager.create_campaign_with(ONE_PERSON).await;
    let stats = manager.get(&format!("{campaign}/stats")).await;
    assert_snapshot!(stats.redacted(), @"");

    manager.set_status(&campaign, "running").await;
    app.run_to_the_end().await;
    let stats = manager.get(&format!("{campaign}/stats")).await;
    assert_eq!(stats.at("/tasks/completed"), 1);
    assert_eq!(stats.at("/attempts/ended"), 1);
    assert_eq!(stats.at("/outcomes/completed"), 1);
    let rate = json!({ "numerator": 1, "denominator": 1, "rate": 1.0 });
    assert_eq!(
        (stats.at("/completed_rate"), stats.at("/contacted_rate")),
        (rate.clone(), rate)
    );
}

#[tokio::test]
async fn stats_say_why_people_are_not_called() {
    let app = TestApp::start().await;
    app.clock.set("2026-11-20T22:00:00Z".parse().unwrap());
    let manager = app.company("Acme").await.manager().await;
    let campaign = manager.create_campaign_with(ONE_PERSON).await;
    let stats = manager.get(&format!("{campaign}/stats")).await;
    assert_snapshot!(format!("{:#}", stats.at("/reasons")), @"");
    let contact = manager.get(&format!("{campaign}/contacts")).await;
    assert_eq!(contact.text_at("/items/0/due_at"), "2026-11-21T08:00:00Z");
}

#[tokio::test]
async fn results_add_up_question_by_question() {
    let app = TestApp::start().await;
    let (manager, campaign) = called(&app).await;
    let results = manager.get(&format!("{campaign}/results")).await;
    let questions = results.at("/questions");
    let questions = questions.as_array().unwrap();
    let kinds: Vec<_> = questions.iter().map(|question| &question["type"]).collect();
    assert_eq!(kinds, ["free_text", "scale", "numeric"]);
    assert!(questions.iter().all(|question| question["answered"] == 1));
    assert_eq!(questions[0]["mean"], Value::Null);
    let (value, count) = questions[1]["values"]
        .as_object()
        .unwrap()
        .iter()
        .next()
        .unwrap();
    assert_eq!(count, 1);
    assert_eq!(questions[1]["mean"].to_string(), *value);
}

/// B8.
#[tokio::test]
async fn a_contact_shows_its_calls_and_answers() {
    let app = TestApp::start().await;
    let (manager, campaign) = called(&app).await;
    let contacts = manager
        .get(&format!("{campaign}/contacts?status=completed"))
        .await;
    let task = contacts.text_at("/items/0/id");
    let contact = manager.get(&format!("{campaign}/contacts/{task}")).await;
    assert_eq!(contact.text_at("/outcome"), "completed");
    assert_eq!(contact.at("/attempts_count"), 1);
    assert_eq!(contact.text_at("/calls/0/task_id"), task);
    assert_eq!(contact.at("/answers").as_array().unwrap().len(), 3);

    let other = manager.create_campaign().await;
    assert_eq!(
        manager
            .get(&format!("{other}/contacts/{task}"))
            .await
            .status,
        404
    );
}

#[tokio::test]
async fn the_outcome_table_is_shown() {
    let app = TestApp::start().await;
    let viewer = app.company("Acme").await.viewer().await;
    let table = viewer.get("/api/outcomes").await.at("/items");
    let line = |row: &Value| {
        let text = |key: &str| row[key].to_string().replace('"', "");
        let keys = [
            "outcome",
            "spends_attempt",
            "retry_after_minutes",
            "aapor_code",
            "final_status",
        ];
        keys.map(text).join(" ")
    };
    let lines: Vec<_> = table.as_array().unwrap().iter().map(line).collect();
    assert_snapshot!(lines.join("\n"), @"");
}
