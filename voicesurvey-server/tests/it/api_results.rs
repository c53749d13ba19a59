//! Results question by question, and rates.

use serde_json::{Value, json};

use crate::support::line::{interview, server};
use crate::support::{Caller, TestApp};

/// Three people of two regions.
const PEOPLE: &str = "phone_number,name,Region\n\
                      +393471234567,Maria Rossi,north\n\
                      +393471234568,Luca Bianchi,south\n\
                      +393471234569,Anna Verdi,north\n";

/// A company whose campaign has called three people, who answered everything.
async fn called(app: &TestApp) -> (Caller, String) {
    let manager = app.company("Acme").await.manager().await;
    let campaign = manager.create_campaign_with(PEOPLE).await;
    assert_eq!(manager.set_status(&campaign, "running").await.status, 200);
    app.run_to_the_end().await;
    (manager, campaign)
}

fn sum(question: &Value, fields: &[&str]) -> u64 {
    fields
        .iter()
        .map(|field| question[*field].as_u64().unwrap())
        .sum()
}

/// The places in which somebody who was asked may stand.
const FATES: [&str; 8] = [
    "answered",
    "skipped",
    "dont_know",
    "not_understood",
    "refused",
    "left",
    "open",
    "forgotten",
];

#[tokio::test]
async fn every_question_shows_what_became_of_it_and_how_answers_lie() {
    let app = TestApp::start().await;
    let (manager, campaign) = called(&app).await;
    let results = manager.get(&format!("{campaign}/results")).await;
    assert_eq!(results.at("/contacts"), 3);
    assert_eq!(results.at("/complete"), 3);
    assert_eq!(results.at("/partial"), 0);
    assert_eq!(results.at("/groups"), json!([]));
    let questions = results.at("/questions");
    for question in questions.as_array().unwrap() {
        assert_eq!(question["asked"], 3);
        assert_eq!(sum(question, &FATES), 3);
        assert_eq!(question["drop_off"], 0);
        assert!(
            question["median_seconds"].as_f64().unwrap() > 0.0,
            "{question}"
        );
    }
    let scale = &questions[1];
    let shown = scale["distribution"].as_array().unwrap();
    let marks: Vec<_> = shown
        .iter()
        .map(|mark| mark["value"].as_str().unwrap())
        .collect();
    assert_eq!(marks, ["1", "2", "3", "4", "5"]);
    let counts: u64 = shown
        .iter()
        .map(|mark| mark["count"].as_u64().unwrap())
        .sum();
    assert_eq!(counts, 3);
    assert!(scale["median"].is_number());
    assert_eq!(scale["net_promoter_score"], Value::Null);
    assert_eq!(scale["histogram"], json!([]));
    let bars = questions[2]["histogram"].as_array().unwrap().clone();
    let in_bars: u64 = bars.iter().map(|bar| bar["count"].as_u64().unwrap()).sum();
    assert_eq!(in_bars, 3);
    // There may be thousands of different numbers.
    assert_eq!(questions[2]["values"], json!({}));
    assert_ne!(scale["values"], json!({}));
}

#[tokio::test]
async fn people_are_filtered_and_told_apart() {
    let app = TestApp::start().await;
    let (manager, campaign) = called(&app).await;
    let contacts = async |query: &str| {
        let results = manager.get(&format!("{campaign}/results?{query}")).await;
        assert_eq!(results.status, 200, "{results}");
        results.at("/contacts")
    };
    for (query, people) in [
        ("column.Region=north", 2),
        ("column.Region=North", 0),
        ("column.Region=north&outcome=completed&status=completed", 2),
        ("language=it", 3),
        ("language=en", 0),
        ("outcome=busy", 0),
        ("from=2026-11-20&to=2026-11-20", 3),
        ("from=2026-11-21", 0),
        ("to=2026-11-20T09:00:00Z", 0),
    ] {
        assert_eq!(contacts(query).await, people, "{query}");
    }
    let by = manager
        .get(&format!("{campaign}/results?by=column.Region"))
        .await;
    assert_eq!(by.text_at("/by"), "column.Region");
    let groups = by.at("/groups");
    let groups = groups.as_array().unwrap();
    let of = |group: &Value| (group["value"].clone(), group["contacts"].as_u64().unwrap());
    let found: Vec<_> = groups.iter().map(of).collect();
    assert_eq!(found, [(json!("north"), 2), (json!("south"), 1)]);
    let answered = |group: &Value| group["questions"][0]["answered"].as_u64().unwrap();
    assert_eq!(groups.iter().map(answered).sum::<u64>(), 3);
    for by in ["question.q2", "language", "column.nowhere"] {
        let results = manager.get(&format!("{campaign}/results?by={by}")).await;
        let groups = results.at("/groups");
        let people = groups.as_array().unwrap().iter();
        let people: u64 = people
            .map(|group| group["contacts"].as_u64().unwrap())
            .sum();
        assert_eq!(people, 3, "{by}: {results}");
    }
}

#[tokio::test]
async fn a_wrong_parameter_is_named() {
    let app = TestApp::start().await;
    let manager = app.company("Acme").await.manager().await;
    let campaign = manager.create_campaign().await;
    for (query, name) in [
        ("results?region=north", "region"),
        ("results?from=soon", "from"),
        ("results?outcome=happy", "outcome"),
        ("results?by=region", "by"),
        ("results?by=question.q9", "by"),
        ("results?by=question.q1", "by"),
        ("results?e=1", "e"),
        ("rates?e=1.5", "e"),
        ("rates?e=half", "e"),
        ("rates?language=xx", "language"),
        ("rates?by=language", "by"),
        ("results/q1/texts?limit=0", "limit"),
        ("results/q1/texts?cursor=x", "cursor"),
    ] {
        let answer = manager.get(&format!("{campaign}/{query}")).await;
        assert_eq!(answer.status, 400, "{query}: {answer}");
        assert_eq!(answer.text_at("/errors/0/field"), name, "{query}");
    }
    let twice = "results?column.Region=north&column.Region=south";
    let twice = manager.get(&format!("{campaign}/{twice}")).await;
    assert_eq!(
        (twice.status, &*twice.text_at("/code")),
        (400, "invalid_query")
    );
    assert!(
        twice.text_at("/detail").contains("column.Region"),
        "{twice}"
    );
    let missing = manager.get(&format!("{campaign}/results/q9/texts")).await;
    assert_eq!(missing.status, 404, "{missing}");
}

/// While somebody is talking they stand among those who are being asked.
#[tokio::test]
async fn who_left_in_the_middle_is_told_from_who_is_still_there() {
    let app = server().await;
    let company = app.company("Acme").await;
    let manager = company.manager().await;
    let campaign = manager
        .create_campaign_with("phone_number\n+393471234567\n")
        .await;
    let said = [("sì", 95), ("bene", 95), ("non chiamatemi mai più", 95)];
    interview(&app, (company.id, &manager), &campaign, &said).await;
    let results = manager.get(&format!("{campaign}/results")).await;
    let fates: Vec<Value> = ["answered", "refused", "open"]
        .map(|fate| results.at(&format!("/questions/1/{fate}")))
        .into();
    let asked = results.at("/questions/1/asked");
    assert_eq!((asked, &fates[0]), (json!(1), &json!(0)), "{results}");
    // The line is still open when the goodbye is spoken.
    assert_eq!(sum(&results.at("/questions/1"), &["refused", "open"]), 1);
    assert_eq!(results.at("/questions/2/asked"), 0);
    assert_eq!(results.at("/questions/2/drop_off"), Value::Null);
    assert_eq!(results.at("/questions/0/answered"), 1);
}

#[tokio::test]
async fn free_text_is_listed_and_searched() {
    let app = TestApp::start().await;
    let (_, campaign) = called(&app).await;
    let viewer = app.company("Other").await.viewer().await;
    assert_eq!(
        viewer
            .get(&format!("{campaign}/results/q1/texts"))
            .await
            .status,
        404
    );
    let manager = &called(&app).await;
    let (manager, campaign) = (&manager.0, &manager.1);
    let list = async |query: &str| {
        let answer = manager
            .get(&format!("{campaign}/results/q1/texts{query}"))
            .await;
        assert_eq!(answer.status, 200, "{answer}");
        answer
    };
    let all = list("").await;
    let all = all.at("/items").as_array().unwrap().clone();
    assert_eq!(all.len(), 3);
    // Listed, and searched for what everybody said.
    for search in ["", "&search="] {
        let mut met = Vec::new();
        let mut cursor = String::new();
        loop {
            let part = list(&format!("?limit=1{search}{cursor}")).await;
            met.extend(part.at("/items").as_array().unwrap().clone());
            assert!(part.at("/items").as_array().unwrap().len() <= 1, "{part}");
            let Value::String(next) = part.at("/next_cursor") else {
                break;
            };
            cursor = format!("&cursor={next}");
        }
        assert_eq!(met, all);
    }
    let text = all[0]["text"].as_str().unwrap();
    let upper = text
        .to_uppercase()
        .bytes()
        .fold(String::new(), |query, byte| format!("{query}%{byte:02X}"));
    let found = list(&format!("?search={upper}")).await;
    let found = found.at("/items").as_array().unwrap().clone();
    assert!(found.contains(&all[0]), "{text}");
    assert_eq!(list("?search=zzzzzz").await.at("/items"), json!([]));
    // A scale has answers, and no texts.
    let none = manager.get(&format!("{campaign}/results/q2/texts")).await;
    assert_eq!(none.at("/items"), json!([]));
}

fn rate(rates: &Value, name: &str) -> Value {
    let all = rates.as_array().unwrap();
    all.iter()
        .find(|rate| rate["name"] == name)
        .unwrap()
        .clone()
}

#[tokio::test]
async fn rates_show_what_they_are_made_of() {
    let app = TestApp::start().await;
    let company = app.company("Acme").await;
    let (manager, viewer) = (company.manager().await, company.viewer().await);
    let campaign = manager.create_campaign_with(PEOPLE).await;
    let before = viewer.get(&format!("{campaign}/rates")).await;
    // Nobody was called yet: all three count as such, and are open.
    assert_eq!(
        (before.at("/cases"), before.at("/open")),
        (json!(3), json!(3))
    );
    assert_eq!(before.at("/groups/UH"), 3);
    let rates = before.at("/rates");
    assert_eq!(rate(&rates, "RR1")["value"], 0);
    assert_eq!(rate(&rates, "RR5")["value"], Value::Null);
    assert_eq!(rate(&rates, "COOP1")["value"], Value::Null);
    assert_eq!(before.at("/e/value"), Value::Null);
    let given = viewer.get(&format!("{campaign}/rates?e=0.5")).await;
    assert_eq!(given.text_at("/e_rule"), "given");
    let of_given = rate(&given.at("/rates"), "RR3");
    assert_eq!(of_given["denominator"], 1.5);

    assert_eq!(manager.set_status(&campaign, "running").await.status, 200);
    app.run_to_the_end().await;
    let after = viewer.get(&format!("{campaign}/rates")).await;
    assert_eq!(after.at("/open"), 0);
    assert_eq!(
        after.at("/dispositions"),
        json!([{ "code": "1.1", "meaning": "complete interview", "group": "I", "count": 3 }])
    );
    assert_eq!(
        rate(&after.at("/rates"), "RR1"),
        json!({
            "name": "RR1", "formula": "I / (K + U)", "numerator": 3, "denominator": 3, "value": 1,
        })
    );
    assert_eq!(rate(&after.at("/rates"), "REF1")["value"], 0);
    let some = viewer
        .get(&format!("{campaign}/rates?column.Region=south"))
        .await;
    assert_eq!(some.at("/cases"), 1);
    let empty = manager.create_campaign().await;
    let empty = viewer.get(&format!("{empty}/rates")).await.at("/rates");
    let rates = empty.as_array().unwrap();
    assert!(rates.iter().all(|rate| rate["value"].is_null()), "{empty}");
}
