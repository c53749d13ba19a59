//! Quotas over the API: as they are given and shown, what is wrong with them, and how full they are.

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::support::{Answer, Caller, TestApp};

/// Six people in the north, two in the south.
const PEOPLE: &str = "phone_number,region\n\
    +393471234561,North\n+393471234562,north\n+393471234563,NORTH\n\
    +393471234564,north\n+393471234565,north\n+393471234566,north\n\
    +393471234567,south\n+393471234568,south\n";

async fn create(manager: &Caller, quotas: &Value) -> Answer {
    let body = json!({
        "name": "Satisfaction",
        "intro_script": "Buongiorno, posso farle una domanda?",
        "questions": [
            { "key": "age", "text": "Quanti anni ha?", "type": "numeric", "min": 0, "max": 120 },
            { "key": "why", "text": "Perché?", "type": "free_text" },
        ],
        "completion_message": "Grazie.",
        "quotas": quotas,
    });
    manager.post("/api/campaigns", &body).await
}

#[tokio::test]
async fn quotas_are_shown_as_they_were_given_and_can_be_taken_away() {
    let app = TestApp::start().await;
    let manager = app.company("Acme").await.manager().await;
    let quotas = json!({ "cells": [
        { "name": "north", "target": 3, "where": { "columns": { "region": "north" } } },
        { "name": "young", "target": 2, "where": { "answers": { "age": { "from": 18, "to": 34 } } } },
        { "name": "few", "target": 1, "where": { "columns": { "region": ["a", "b"], "size": 2 } } },
    ]});
    let answer = create(&manager, &quotas).await;
    assert_eq!(answer.status, 201, "{answer}");
    assert_eq!(
        answer.at("/quotas"),
        json!({ "policy": "count_at_completion", "cells": [
            { "name": "north", "target": 3, "where": { "columns": { "region": "north" } } },
            { "name": "young", "target": 2,
                "where": { "answers": { "age": { "from": "18", "to": "34" } } } },
            { "name": "few", "target": 1,
                "where": { "columns": { "region": ["a", "b"], "size": "2" } } },
        ]})
    );
    let location = format!("/api/campaigns/{}", answer.text_at("/id"));
    // What is shown can be given back.
    let again = json!({ "quotas": answer.at("/quotas") });
    let changed = manager.patch(&location, &again).await;
    assert_eq!(changed.at("/quotas"), answer.at("/quotas"));
    let cleared = manager.patch(&location, &json!({ "quotas": null })).await;
    assert_eq!(cleared.at("/quotas"), Value::Null);
}

#[tokio::test]
async fn whatever_is_wrong_with_quotas_is_named() {
    let app = TestApp::start().await;
    let manager = app.company("Acme").await.manager().await;
    let quotas = json!({ "policy": "sometimes", "rest": 1, "cells": [
        { "name": "north", "target": "three", "where": { "columns": { "region": null } } },
        { "target": 1, "where": [] },
        { "name": "x", "target": 1, "where": { "columns": 5, "questions": {} }, "color": "red" },
    ]});
    let answer = create(&manager, &quotas).await;
    assert_eq!(answer.status, 422);
    assert_snapshot!(answer.wrong_fields(), @r#"
    quotas.policy: use count_at_completion or reserve_at_dial
    quotas.rest: unknown field
    quotas.cells[0].target: use a whole number
    quotas.cells[0].where.columns.region: use a text, a number, true or false, a list of them, or {"from": 18, "to": 34} with one end or both
    quotas.cells[1].name: is required
    quotas.cells[1].where: must be an object
    quotas.cells[2].color: unknown field
    quotas.cells[2].where.questions: unknown field
    quotas.cells[2].where.columns: must be an object
    "#);
    let quotas = json!({ "cells": [
        { "name": "none", "target": 0, "where": {} },
        { "name": "none", "target": 1, "where": { "answers": {
            "income": 5, "age": 200, "why": "because"
        } } },
    ]});
    let answer = create(&manager, &quotas).await;
    assert_eq!(answer.status, 422);
    assert_snapshot!(answer.wrong_fields(), @"
    quotas.cells[0].target: use a number from 1 to 10000000
    quotas.cells[0].where: name 1 to 20 columns and answers
    quotas.cells[1].name: another cell is called 'none' too
    quotas.cells[1].where.answers.age: '200' is no answer: use a whole number from 0 to 120
    quotas.cells[1].where.answers.income: there is no such question
    quotas.cells[1].where.answers.why: an open question puts nobody into a cell: use another type
    ");
}

#[tokio::test]
async fn stats_show_how_full_each_cell_is_and_what_is_to_be_expected() {
    let app = TestApp::start().await;
    let manager = app.company("Acme").await.manager().await;
    let campaign = manager.create_campaign().await;
    let quotas = json!({ "policy": "reserve_at_dial", "cells": [
        { "name": "north", "target": 2, "where": { "columns": { "region": "north" } } },
        { "name": "south", "target": 9, "where": { "columns": { "region": "south" } } },
    ]});
    let changed = manager.patch(&campaign, &json!({ "quotas": quotas })).await;
    assert_eq!(changed.status, 200, "{changed}");
    let path = format!("{campaign}/contacts/upload");
    assert_eq!(manager.upload(&path, "list.csv", PEOPLE).await.status, 201);
    let stats = manager.get(&format!("{campaign}/stats")).await;
    assert_eq!(
        stats.at("/quotas/0"),
        json!({ "name": "north", "target": 2, "completed": 0, "in_progress": 0, "waiting": 6,
            "state": "open" })
    );
    assert_eq!(manager.set_status(&campaign, "running").await.status, 200);
    app.run_to_the_end().await;
    let stats = manager.get(&format!("{campaign}/stats")).await;
    assert_eq!(stats.at("/status"), "completed");
    assert_eq!(
        stats.at("/quotas/0"),
        json!({ "name": "north", "target": 2, "completed": 2, "in_progress": 0, "waiting": 0,
            "state": "full" })
    );
    assert_eq!(stats.at("/quotas/1/completed"), 2);
    assert_eq!(stats.at("/tasks/cancelled"), 4);
    assert_eq!(stats.at("/reasons/0/reason"), "quota_full");
    assert_eq!(stats.at("/forecast/cells/1/remaining"), 7);
    // Four people are no basis for a rate.
    assert_eq!(stats.at("/forecast/completes_per_contact"), Value::Null);
    assert_eq!(stats.at("/forecast/cells/1/contacts_missing"), Value::Null);
    let late = manager.patch(&campaign, &json!({ "quotas": null })).await;
    assert_eq!(late.status, 409, "{late}");
    let stranger = app.company("Other").await.manager().await;
    assert_eq!(stranger.get(&format!("{campaign}/stats")).await.status, 404);
}
