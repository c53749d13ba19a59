//! The labelled development set, every row of it.

use serde::Deserialize;

use super::*;

#[derive(Deserialize)]
struct Row {
    lang: Language,
    question_type: String,
    utterance: String,
    expect: serde_json::Value,
    #[serde(default)]
    params: Parameters,
}

#[derive(Deserialize, Default)]
struct Parameters {
    min: Option<i64>,
    max: Option<i64>,
    #[serde(default)]
    options: Vec<ChoiceOption>,
}

fn expected(row: &Row) -> Expected {
    let Parameters { min, max, options } = &row.params;
    match row.question_type.as_str() {
        "consent" => Expected::Consent,
        "yes_no" => Expected::YesNo,
        "scale" => Expected::Scale {
            min: min.unwrap(),
            max: max.unwrap(),
        },
        "number" => Expected::Number {
            min: min.map(Decimal::from),
            max: max.map(Decimal::from),
            decimals: false,
        },
        "choice" => Expected::Choice {
            options: options.clone(),
        },
        other => panic!("unknown question type {other}"),
    }
}

fn wanted(expect: &serde_json::Value) -> String {
    let text = |value: &serde_json::Value| match value.as_str() {
        Some(text) => text.to_owned(),
        None => value.to_string(),
    };
    match expect["intent"].as_str().unwrap() {
        "answer" if expect["value"].is_number() => format!("={}", expect["value"]),
        "answer" => text(&expect["value"]),
        "out_of_range" => format!("!{}", expect["value"]),
        "ambiguous" => {
            let candidates = expect["candidates"].as_array().unwrap();
            format!(
                "?{}",
                candidates.iter().map(text).collect::<Vec<_>>().join(",")
            )
        }
        other => other.to_owned(),
    }
}

#[test]
fn every_labelled_utterance_is_understood() {
    let json = include_str!("../../../../../tests/data/utterances.json");
    let rows: Vec<Row> = serde_json::from_str(json).unwrap();
    assert_eq!(rows.len(), 305);
    let missed: Vec<String> = rows
        .iter()
        .filter_map(|row| {
            let wanted = wanted(&row.expect);
            let got = shorthand(&interpret(row.lang, expected(row), &row.utterance));
            let place = format!("{} {} «{}»", row.lang, row.question_type, row.utterance);
            (got != wanted).then(|| format!("{place}: expected {wanted}, got {got}"))
        })
        .collect();
    assert!(missed.is_empty(), "{}", report(&missed, rows.len()));
}
