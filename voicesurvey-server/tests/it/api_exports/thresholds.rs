//! Rates and dispositions by other thresholds between break-off, partial and complete.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::totals::all_sorts_of_people;
use super::{Row, counted, file, list, requested, rows, told};
use crate::support::{Answer, Caller, TestApp};

/// As many questions as make every share of a quarter.
async fn create(manager: &Caller) -> String {
    let question = |key: &str| json!({ "key": key, "text": "Tornerebbe?", "type": "yes_no" });
    let questions = ["a", "b", "c", "d"].map(question);
    let body = json!({
        "name": "How far people come",
        "intro_script": "Buongiorno, posso farle qualche domanda?",
        "questions": questions,
        "completion_message": "Grazie.",
        "max_attempts": 2,
        "retry_interval_minutes": 30,
    });
    let answer = manager.post("/api/campaigns", &body).await;
    assert_eq!(answer.status, 201, "{answer}");
    answer.header("location").unwrap().to_owned()
}

/// The codes of people by the share of questions that they answered.
fn expected(cases: &[Row], answers: &[Row], shares: [Option<f64>; 2]) -> BTreeMap<String, u64> {
    let mut codes = BTreeMap::new();
    for case in cases {
        let answered = answers
            .iter()
            .filter(|row| row["task_id"] == case["task_id"]);
        let answered = u32::try_from(answered.count()).unwrap();
        let share = f64::from(answered) / 4.0;
        let [partial_from, complete_from] = shares;
        let code = match &*case["aapor_code"] {
            "1.2" if complete_from.is_some_and(|from| share >= from) => "1.1",
            "1.2" if partial_from.is_some_and(|from| share < from) => "2.12",
            code => code,
        };
        if !code.is_empty() {
            *codes.entry(code.to_owned()).or_default() += 1;
        }
    }
    codes
}

fn codes_of(rates: &Answer) -> BTreeMap<String, u64> {
    let listed = rates.at("/dispositions");
    let listed = listed.as_array().unwrap().iter();
    let listed = listed.map(|one| {
        let code = one["code"].as_str().unwrap().to_owned();
        (code, one["count"].as_u64().unwrap())
    });
    listed.collect()
}

#[tokio::test]
async fn rates_and_dispositions_follow_the_thresholds_that_are_given() {
    let (app, _) = TestApp::start_among(all_sorts_of_people()).await;
    let manager = app.company("Acme").await.manager().await;
    let campaign = create(&manager).await;
    let path = format!("{campaign}/contacts/upload");
    assert_eq!(
        manager.upload(&path, "list.csv", list(200)).await.status,
        201
    );
    assert_eq!(manager.set_status(&campaign, "running").await.status, 200);
    app.run_to_the_end().await;

    let plain = manager.get(&format!("{campaign}/rates")).await;
    let shown = ["/interview_rule", "/partial_from", "/complete_from"];
    assert_eq!(
        shown.map(|field| plain.at(field)),
        [json!("default"), Value::Null, Value::Null]
    );
    let cases = rows(&file(&manager, &campaign, "kind=dispositions").await);
    let answers = rows(&file(&manager, &campaign, "kind=answers").await);
    let before = expected(&cases, &answers, [None, None]);
    assert_eq!(before, codes_of(&plain));

    for (query, shares) in [
        (
            "partial_from=0.5&complete_from=0.75",
            [Some(0.5), Some(0.75)],
        ),
        ("partial_from=0.500001", [Some(0.500_001), None]),
        ("complete_from=0.5", [None, Some(0.5)]),
        ("partial_from=1&complete_from=1", [Some(1.0), Some(1.0)]),
    ] {
        let codes = expected(&cases, &answers, shares);
        assert_ne!(codes, before, "{query} changes something");
        let rates = manager.get(&format!("{campaign}/rates?{query}")).await;
        assert_eq!(codes_of(&rates), codes, "{query}");
        assert_eq!(
            shown.map(|field| rates.at(field).as_f64()),
            [None, shares[0], shares[1]]
        );
        assert_eq!(rates.text_at("/interview_rule"), "given");
        let query = format!("kind=dispositions&{query}");
        let file = rows(&file(&manager, &campaign, &query).await);
        assert_eq!(counted(&file, "aapor_code"), codes, "{query}");
        assert_eq!(counted(&file, "aapor_group"), told(&rates, "/groups"));
    }
    // On each side of both thresholds of the common rule there is somebody.
    let codes = expected(&cases, &answers, [Some(0.5), Some(0.75)]);
    assert!(
        codes["1.1"] > before["1.1"] && codes["2.12"] > 0 && codes["1.2"] > 0,
        "{codes:?}"
    );

    let (export, _) = requested(&manager, &campaign, "kind=dispositions&partial_from=0.50").await;
    let export = manager.get(&export).await;
    assert_eq!(export.at("/partial_from"), 0.5);
    assert!(export.json().get("complete_from").is_none(), "{export}");
}

#[tokio::test]
async fn thresholds_that_are_none_are_named() {
    let app = TestApp::start().await;
    let manager = app.company("Acme").await.manager().await;
    let campaign = manager.create_campaign().await;
    for (query, message) in [
        (
            "rates?partial_from=half",
            "partial_from: use a number from 0 to 1 with at most six decimals, such as 0.4",
        ),
        (
            "rates?complete_from=1.1",
            "complete_from: use a number from 0 to 1 with at most six decimals, such as 0.4",
        ),
        (
            "export?kind=dispositions&complete_from=-0.5",
            "complete_from: use a number from 0 to 1 with at most six decimals, such as 0.4",
        ),
        (
            "rates?partial_from=0.8&complete_from=0.5",
            "partial_from: must not be more than complete_from",
        ),
        (
            "export?kind=results&complete_from=0.5",
            "complete_from: only the file dispositions is made by thresholds",
        ),
        (
            "results?partial_from=0.5",
            "partial_from: unknown parameter; columns are asked for as column.<name>",
        ),
    ] {
        let answer = manager.get(&format!("{campaign}/{query}")).await;
        assert_eq!(answer.status, 400, "{query}: {answer}");
        assert_eq!(answer.wrong_fields(), message, "{query}");
    }
}
