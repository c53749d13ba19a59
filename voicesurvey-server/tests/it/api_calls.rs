//! What can be read after calls were made.

use insta::assert_snapshot;
use serde_json::{Value, json};
use voicesurvey_core::conversation::LanguageSwitch;
use voicesurvey_core::language::Language;
use voicesurvey_core::outcome::Outcome;
use voicesurvey_core::ports::Scope;

use crate::support::line::{interview, server};
use crate::support::{Caller, TestApp, redacted, shown};

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
    assert_snapshot!(redacted(&shown(&calls.at("/items/0"))), @r#"
{
  "accepted_at": "[time]",
  "answered_at": "[time]",
  "answered_by": "person",
  "attempt_number": 1,
  "campaign_id": "[id]",
  "cost": null,
  "ended_at": "[time]",
  "error_code": null,
  "id": "[id]",
  "latencies_milliseconds": [0,0,0,0],
  "outcome": "completed",
  "phone_number": "+393471234567",
  "provider": "simulated",
  "provider_call_id": "SIM[id]",
  "provider_raw_status": "completed",
  "ringing_at": "[time]",
  "started_at": "[time]",
  "state": "ended",
  "talk_seconds": 35,
  "task_id": "[id]"
}
"#);
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

#[tokio::test]
async fn a_call_shows_the_version_of_the_consent_the_appointment_and_changes_of_language() {
    let app = server().await;
    let company = app.company("Acme").await;
    let manager = company.manager().await;
    let campaign = manager.create_campaign_with(ONE_PERSON).await;
    let said = [
        ("sì", 95),
        ("bene", 95),
        ("mi richiami domani alle dieci", 95),
    ];
    let id = interview(&app, (company.id, &manager), &campaign, &said).await;
    let scope = Scope::Company(company.id);
    let mut work = app.app.storage.begin(scope).await.unwrap();
    let held = work.interviews().conversation(id.parse().unwrap()).await;
    let mut held = held.unwrap().unwrap();
    held.memory.switches.push(LanguageSwitch {
        turn: 2,
        from: Language::En,
        to: Language::It,
    });
    work.interviews().update_conversation(&held).await.unwrap();
    work.commit().await.unwrap();

    let call = manager.get(&format!("/api/calls/{id}")).await;
    let switches = json!([{ "turn": 2, "from": "en", "to": "it" }]);
    assert_eq!(call.at("/language_switches"), switches);
    // Ten o'clock on Saturday in Rome.
    assert_eq!(call.text_at("/appointment_at"), "2026-11-21T09:00:00Z");
    assert_eq!(call.at("/consent/given"), true);
    assert_eq!(call.text_at("/consent/interpreted_by"), "rules");
    let version = call.text_at("/consent/text_version");
    assert!(version.starts_with("lines-"), "{version}");

    // A call without anything of the kind shows that there was nothing.
    let app = TestApp::start().await;
    let (manager, _) = called(&app).await;
    let id = manager.get("/api/calls").await.text_at("/items/0/id");
    let call = manager.get(&format!("/api/calls/{id}")).await;
    assert_eq!(call.at("/language_switches"), json!([]));
    assert_eq!(call.at("/appointment_at"), Value::Null);
    assert_eq!(
        call.at("/turns/1/interpretation/other_reading"),
        Value::Null
    );
    assert_eq!(call.at("/answers/0/doubt"), Value::Null);
    assert_eq!(call.at("/answers/0/revision"), 0);
    assert_eq!(call.at("/answers/0/reviewed_at"), Value::Null);
}

/// B8.
#[tokio::test]
async fn stats_count_every_status_and_divide_by_nothing() {
    let app = TestApp::start().await;
    let manager = app.company("Acme").await.manager().await;
    let campaign = manager.create_campaign_with(ONE_PERSON).await;
    let mut stats = manager.get(&format!("{campaign}/stats")).await.json();
    let outcomes = Outcome::ALL.iter().map(|one| (one.name(), json!(0)));
    assert_eq!(stats["outcomes"].take(), outcomes.collect::<Value>());
    assert_snapshot!(redacted(&shown(&stats)), @r#"
{
  "attempts": {"accepted":0,"answered":0,"created":0,"ended":0,"ringing":0,"unknown":0},
  "budget": null,
  "calls": {
    "from": "[time]",
    "latency": {"median":null,"p90":null,"p99":null,"replies":0},
    "per_contact": [{"calls":0,"contacts":1}],
    "per_day": [],
    "per_hour": [],
    "talk": {"calls":0,"mean":null,"median":null,"p90":null,"p99":null,"ranges":[],"seconds":0},
    "time_zone": "Europe/Rome",
    "to": "[time]"
  },
  "calls_in_progress": 0,
  "campaign_id": "[id]",
  "completed_rate": {"denominator":0,"numerator":0,"rate":null},
  "contacted_rate": {"denominator":0,"numerator":0,"rate":null},
  "forecast": {
    "calls_per_open_hour": null,
    "cells": [],
    "completes_per_call": null,
    "completes_per_contact": null,
    "finish_at": null,
    "list_finished_at": null,
    "open_hours": null,
    "target": null
  },
  "next_opening": null,
  "outcomes": null,
  "pause_reason": null,
  "pause_sentence": null,
  "quotas": [],
  "reasons": [{"count":1,"reason":"campaign_not_running","sentence":"The campaign is not running."}],
  "spent": [],
  "status": "draft",
  "target": {"completed":0,"target":null},
  "tasks": {
    "cancelled": 0,
    "completed": 0,
    "excluded": 0,
    "failed": 0,
    "in_progress": 0,
    "not_reached": 0,
    "pending": 1,
    "refused": 0,
    "retry": 0
  },
  "total_attempts": 0,
  "total_tasks": 1,
  "winding_up": null,
  "winding_up_sentence": null
}
"#);
}

/// B8.
#[tokio::test]
async fn stats_count_what_has_become_of_people_and_calls() {
    let app = TestApp::start().await;
    let (manager, campaign) = called(&app).await;
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

/// A24.
#[tokio::test]
async fn stats_tell_calls_by_day_and_hour_of_a_zone() {
    let app = TestApp::start().await;
    let (manager, campaign) = called(&app).await;
    let stats = manager.get(&format!("{campaign}/stats")).await;
    let calls = stats.at("/calls");
    assert_eq!(calls["time_zone"], "Europe/Rome");
    assert_eq!(calls["to"], "2026-11-20T23:00:00Z");
    let day = json!([{
        "day": "2026-11-20", "calls": 1, "outcomes": { "completed": 1 }, "talk_seconds": 35,
        "costs": {},
    }]);
    assert_eq!(calls["per_day"], day);
    let hour = &calls["per_hour"][0];
    assert_eq!(hour["begins_at"], "2026-11-20T10:00:00+01:00");
    assert_eq!(
        (&hour["calls"], &hour["talk_seconds"]),
        (&json!(1), &json!(35))
    );
    assert_eq!(calls["per_contact"], json!([{ "calls": 1, "contacts": 1 }]));
    // The clock stands still while a reply is made up.
    assert_eq!(calls["latency"]["replies"], 4);
    assert_eq!(calls["latency"]["p99"], 9.9);
    assert_eq!(calls["talk"]["mean"], 35);
    assert_eq!(
        calls["talk"]["ranges"],
        json!([{ "from": 30, "below": 45, "calls": 1 }])
    );

    let far = "time_zone=Pacific/Kiritimati&from=2026-11-01&to=2026-11-20";
    let far = manager.get(&format!("{campaign}/stats?{far}")).await;
    assert_eq!(far.text_at("/calls/per_day/0/day"), "2026-11-20");
    assert_eq!(far.text_at("/calls/from"), "2026-10-31T10:00:00Z");
    let before = manager
        .get(&format!("{campaign}/stats?to=2026-11-19"))
        .await;
    assert_eq!(before.at("/calls/per_day"), json!([]));
    for (query, name) in [
        ("time_zone=Mars", "time_zone"),
        ("from=soon", "from"),
        ("from=2026-11-21&to=2026-11-20", "from"),
        ("from=2024-11-21&to=2026-11-20", "from"),
    ] {
        let wrong = manager.get(&format!("{campaign}/stats?{query}")).await;
        assert_eq!(wrong.status, 400, "{wrong}");
        assert_eq!(wrong.text_at("/errors/0/field"), name);
    }
}

#[tokio::test]
async fn stats_say_why_people_are_not_called() {
    let app = TestApp::start().await;
    app.clock.set("2026-11-20T22:00:00Z".parse().unwrap());
    let manager = app.company("Acme").await.manager().await;
    let campaign = manager.create_campaign_with(ONE_PERSON).await;
    let stats = manager.get(&format!("{campaign}/stats")).await;
    assert_snapshot!(shown(&stats.at("/reasons")), @r#"
[{"count":1,"reason":"campaign_not_running","sentence":"The campaign is not running."}]
"#);
    // The schedule of a draft may still be changed, so there is a reason but no later time yet.
    let contact = manager.get(&format!("{campaign}/contacts")).await;
    assert_eq!(contact.text_at("/items/0/due_at"), "2026-11-20T22:00:00Z");
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
    assert_snapshot!(lines.join("\n"), @r#"
completed true [] 1.1 completed
partial true [] 1.2 completed
refused true [] 2.112 refused
opted_out true [] 2.112 refused
interrupted true [2] 1.2 completed
broke_off true [] 2.12 refused
hung_up_before_consent true [1440] 2.11 not_reached
line_dropped true [2] 2.36 not_reached
call_back_requested true [120] 2.21 not_reached
wrong_person true [] 4.54 failed
language_barrier true [] 2.332 failed
busy true [30] 3.12 not_reached
no_answer true [180] 3.13 not_reached
declined true [1440] 3.13 not_reached
voicemail true [180] 3.14 not_reached
call_screening true [180] 3.15 not_reached
fax true [] 4.20 failed
invalid_number true [] 4.31 failed
disconnected true [1440] 4.32 failed
provider_rejected false [] 3.16 failed
provider_failure false [5,10,20,40] 3.16 not_reached
lost true [180] 3.16 not_reached
quota_full true [] 4.80 cancelled
cancelled false [] null cancelled
"#);
}
