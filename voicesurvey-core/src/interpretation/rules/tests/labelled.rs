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
            labels: Vec::new(),
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

const UTTERANCES: usize = 305;

/// Every row as language, question type, expectation, words, and what they mean.
pub(super) fn cases() -> Vec<(Language, String, Expected, String, String)> {
    let json = include_str!("../../../../../tests/data/utterances.json");
    let rows: Vec<Row> = serde_json::from_str(json).unwrap();
    rows.into_iter()
        .map(|row| {
            let (expected, wanted) = (expected(&row), wanted(&row.expect));
            (row.lang, row.question_type, expected, row.utterance, wanted)
        })
        .collect()
}

#[test]
fn no_labelled_utterance_is_lost() {
    assert_eq!(cases().len(), UTTERANCES);
}

fn assert_understood(language: Language) {
    let cases: Vec<_> = cases()
        .into_iter()
        .filter(|case| case.0 == language)
        .collect();
    let missed: Vec<String> = cases
        .iter()
        .filter_map(|(_, asked, expected, words, wanted)| {
            let got = shorthand(&interpret(language, expected.clone(), words));
            (got != *wanted)
                .then(|| format!("{language} {asked} «{words}»: expected {wanted}, got {got}"))
        })
        .collect();
    assert!(missed.is_empty(), "{}", report(&missed, cases.len()));
}

macro_rules! every_labelled_utterance_is_understood {
    ($($language:ident in $test:ident),* $(,)?) => {
        $(
            #[test]
            fn $test() {
                assert_understood(Language::$language);
            }
        )*
    };
}

every_labelled_utterance_is_understood! {
    It in labelled_italian_is_understood,
    En in labelled_english_is_understood,
    Ru in labelled_russian_is_understood,
    Es in labelled_spanish_is_understood,
    Fr in labelled_french_is_understood,
    De in labelled_german_is_understood,
}
