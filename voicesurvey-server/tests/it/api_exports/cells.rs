//! Results, rates and files by cell of a quota: they count the people whom the stats count.

use serde_json::{Value, json};

use super::totals::all_sorts_of_people;
use super::{Row, counted, file, list, requested, rows};
use crate::support::{Answer, Caller, TestApp};

/// As the stats have them.
const CELLS: [&str; 4] = ["Forlì", "Up to 40", "Forlì, up to 40", "nowhere"];

/// The cells overlap, know values whatever their case, ranges and answers, and do not hold everybody.
async fn create(manager: &Caller) -> String {
    let forli = json!({ "città": ["FORLÌ", "Cesena"] });
    let young = json!({ "age": { "to": 40 } });
    let body = json!({
        "name": "By cell",
        "intro_script": "Buongiorno, posso farle qualche domanda?",
        "questions": [
            { "key": "age", "text": "Quanti anni ha?", "type": "numeric", "min": 18, "max": 98 },
            { "key": "again", "text": "Tornerebbe?", "type": "yes_no" },
            { "key": "why", "text": "Perché?", "type": "free_text" },
        ],
        "completion_message": "Grazie.",
        "max_attempts": 2,
        "retry_interval_minutes": 30,
        "quotas": { "cells": [
            { "name": CELLS[0], "target": 500, "where": { "columns": forli } },
            { "name": CELLS[1], "target": 12, "where": { "answers": young } },
            { "name": CELLS[2], "target": 5, "where": { "columns": forli, "answers": young } },
            { "name": CELLS[3], "target": 5, "where": { "columns": { "città": "nowhere" } } },
        ]},
    });
    let answer = manager.post("/api/campaigns", &body).await;
    assert_eq!(answer.status, 201, "{answer}");
    answer.header("location").unwrap().to_owned()
}

/// The name of a cell as a parameter.
fn cell(name: &str) -> String {
    let name = name.replace(' ', "+").replace(',', "%2C");
    format!(
        "cell={}",
        name.replace('ì', "%C3%AC").replace('Ì', "%C3%8C")
    )
}

async fn told(caller: &Caller, campaign: &str, path: &str) -> Answer {
    let answer = caller.get(&format!("{campaign}/{path}")).await;
    assert_eq!(answer.status, 200, "{path}: {answer}");
    answer
}

fn in_cell<'r>(people: &'r [Row], name: &str) -> Vec<&'r Row> {
    let is_in = |person: &&Row| person["cells"].split("; ").any(|cell| cell == name);
    people.iter().filter(is_in).collect()
}

/// Everything that is told of a campaign by cell is the same, and the same as the stats.
async fn assert_agrees(manager: &Caller, campaign: &str) {
    let stats = told(manager, campaign, "stats").await;
    let people = rows(&file(manager, campaign, "kind=results").await);
    let cases = rows(&file(manager, campaign, "kind=dispositions").await);
    let finished = told(manager, campaign, "results?by=cell&status=completed").await;
    let finished = finished.at("/groups").as_array().unwrap().clone();
    let groups = told(manager, campaign, "results?by=cell").await;
    for (place, name) in CELLS.into_iter().enumerate() {
        let completed = stats.at(&format!("/quotas/{place}/completed"));
        let group = &finished[place];
        assert_eq!(
            (&group["value"], &group["contacts"]),
            (&json!(name), &completed)
        );
        let held = ["complete", "partial"].map(|kind| group[kind].as_u64().unwrap());
        assert_eq!(completed, held.iter().sum::<u64>(), "{name}");

        let own = told(manager, campaign, &format!("results?{}", cell(name))).await;
        let group = groups.at(&format!("/groups/{place}"));
        for what in ["contacts", "complete", "partial", "questions"] {
            assert_eq!(own.at(&format!("/{what}")), group[what], "{name} {what}");
        }
        let rates = told(manager, campaign, &format!("rates?{}", cell(name))).await;
        assert_eq!(rates.at("/groups/I"), own.at("/complete"), "{name}");
        assert_eq!(rates.at("/groups/P"), own.at("/partial"), "{name}");
        let sample = ["cases", "suppressed", "not_released"];
        let sample = sample.map(|part| rates.at(&format!("/{part}")).as_u64().unwrap());
        assert_eq!(own.at("/contacts"), sample.iter().sum::<u64>(), "{name}");

        for (rows, kind) in [(&people, "results"), (&cases, "dispositions")] {
            let inside = in_cell(rows, name);
            assert_eq!(own.at("/contacts"), inside.len(), "{name}");
            let held = inside.iter().filter(|row| row["status"] == "completed");
            assert_eq!(completed, held.count(), "{name} {kind}");
            let query = format!("kind={kind}&{}", cell(name));
            let alone = super::rows(&file(manager, campaign, &query).await);
            assert_eq!(alone.iter().collect::<Vec<_>>(), inside, "{name} {kind}");
        }
    }
    let of_none = people.iter().filter(|person| person["cells"].is_empty());
    let rest = groups.at("/groups/4");
    assert_eq!(
        (&rest["value"], &rest["contacts"]),
        (&Value::Null, &json!(of_none.count()))
    );
}

#[tokio::test]
async fn what_is_told_by_cell_is_what_the_quotas_count() {
    let (app, _) = TestApp::start_among(all_sorts_of_people()).await;
    let manager = app.company("Acme").await.manager().await;
    let campaign = create(&manager).await;
    let path = format!("{campaign}/contacts/upload");
    let uploaded = manager.upload(&path, "list.csv", list(120)).await;
    assert_eq!(uploaded.status, 201, "{uploaded}");
    assert_agrees(&manager, &campaign).await;
    assert_eq!(manager.set_status(&campaign, "running").await.status, 200);
    app.run_to_the_end().await;
    assert_agrees(&manager, &campaign).await;

    let stats = told(&manager, &campaign, "stats").await;
    let completed = [0, 1, 2, 3].map(|cell| stats.at(&format!("/quotas/{cell}/completed")));
    assert!(completed[..3].iter().all(|count| *count != 0), "{stats}");
    let everybody = told(&manager, &campaign, "results").await;
    let whole = everybody.at("/contacts").as_u64().unwrap();
    // Several cells: who is in all of them.
    let both = format!("{}&{}", cell("FORLÌ"), cell(CELLS[1]));
    let both = told(&manager, &campaign, &format!("results?{both}")).await;
    let third = told(&manager, &campaign, &format!("results?{}", cell(CELLS[2]))).await;
    assert_eq!(both.at("/questions"), third.at("/questions"));
    let inside = both.at("/contacts").as_u64().unwrap();
    assert!(0 < inside && inside < whole, "{both}");
    let texts = format!("results/why/texts?limit=200&{}", cell(CELLS[2]));
    let texts = told(&manager, &campaign, &texts).await;
    let texts = texts.at("/items").as_array().unwrap().len();
    assert_eq!(third.at("/questions/2/answered"), texts);

    // Somebody turns out to be older, and leaves two cells.
    let answers = rows(&file(&manager, &campaign, "kind=answers").await);
    let people = rows(&file(&manager, &campaign, "kind=results").await);
    let young = people
        .iter()
        .find(|person| person["status"] == "completed" && person["cells"] == CELLS[..3].join("; "));
    let young = young.expect("somebody who is in three cells");
    let age = answers
        .iter()
        .find(|answer| answer["task_id"] == young["task_id"] && answer["question_key"] == "age");
    let path = format!("/api/answers/{}", age.unwrap()["answer_id"]);
    let corrected = manager.patch(&path, &json!({ "value": 41 })).await;
    assert_eq!(corrected.status, 200, "{corrected}");
    assert_agrees(&manager, &campaign).await;
    let people = rows(&file(&manager, &campaign, "kind=results").await);
    let cells = counted(&people, "cells");
    assert!(cells[CELLS[0]] > 0, "{cells:?}");
    let moved = people
        .iter()
        .find(|person| person["task_id"] == young["task_id"]);
    assert_eq!(moved.unwrap()["cells"], CELLS[0]);
}

#[tokio::test]
async fn a_cell_that_there_is_not_is_named_with_those_that_there_are() {
    let app = TestApp::start().await;
    let manager = app.company("Acme").await.manager().await;
    let campaign = create(&manager).await;
    let wrong = |answer: &Answer| {
        assert_eq!(answer.status, 400, "{answer}");
        answer.wrong_fields()
    };
    let there_are =
        "cell: there is no cell 'Rome': use 'Forlì', 'Up to 40', 'Forlì, up to 40', 'nowhere'";
    for path in [
        "results?cell=Rome",
        "results?by=cell&cell=Rome",
        "results/why/texts?cell=Rome",
        "rates?cell=nowhere&cell=Rome",
        "export?kind=results&cell=Rome",
    ] {
        let answer = manager.get(&format!("{campaign}/{path}")).await;
        assert_eq!(wrong(&answer), there_are, "{path}");
    }
    let ordered = format!("{campaign}/exports?cell=Rome");
    assert_eq!(wrong(&manager.post_nothing(&ordered).await), there_are);
    let listed = told(&manager, &campaign, "exports").await;
    assert_eq!(listed.at("/items"), json!([]));
    let twice = manager
        .get(&format!("{campaign}/rates?cell=a&cell=a"))
        .await;
    assert_eq!(wrong(&twice), "cell: each cell may be given once");

    let without = manager.create_campaign().await;
    for (path, message) in [
        (
            "rates?cell=x",
            "cell: the campaign has no quotas, and so no cells",
        ),
        (
            "results?by=cell",
            "by: the campaign has no quotas, and so no cells",
        ),
    ] {
        let answer = manager.get(&format!("{without}/{path}")).await;
        assert_eq!(wrong(&answer), message);
    }
    // What was asked for is told as the campaign names it.
    let (export, _) = requested(&manager, &campaign, &cell("FORLÌ")).await;
    let export = manager.get(&export).await;
    assert_eq!(export.at("/filter"), json!({ "cells": ["Forlì"] }));
    assert_eq!(export.at("/people_total"), Value::Null);
}
