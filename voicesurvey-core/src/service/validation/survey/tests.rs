//! Surveys with something wrong.

use insta::assert_snapshot;
use serde_json::{Value, json};

use super::*;

/// A survey with a question of each type, and one more.
fn survey_with(question: &Value, translations: &Value) -> Survey {
    let survey = json!({
        "intro_script": "Buongiorno, posso farle alcune domande?",
        "completion_message": "Grazie.",
        "translations": translations,
        "questions": [
            { "key": "mood", "text": "Come sta?", "type": "free_text" },
            { "key": "age", "text": "Quanti anni ha?", "type": "numeric", "min": "18", "max": "99" },
            { "key": "score", "text": "Da 1 a 5?", "type": "scale" },
            { "key": "again", "text": "Tornerebbe?", "type": "yes_no" },
            {
                "key": "how", "text": "Come viene?", "type": "choice",
                "options": [{ "key": "car", "say": ["in auto"] }, { "key": "foot", "say": ["a piedi"] }],
            },
            question,
            { "key": "last", "text": "Altro?", "type": "free_text" },
        ],
    });
    serde_json::from_value(survey).unwrap()
}

fn wrong(survey_checked: &Survey) -> String {
    let mut errors = Vec::new();
    survey(survey_checked, &mut errors);
    let lines = errors.iter();
    let lines = lines.map(|error| format!("{}: {}", error.field, error.message));
    lines.collect::<Vec<_>>().join("\n")
}

/// What is wrong with a question that is asked only if this holds.
fn wrong_condition(condition: &Value) -> String {
    let question =
        json!({ "key": "why", "text": "Perché?", "type": "free_text", "show_if": condition });
    wrong(&survey_with(&question, &json!({})))
}

fn wrong_labels(labels: &Value) -> String {
    let question = json!({
        "key": "rate", "text": "Da 0 a 2?", "type": "scale", "min": 0, "max": 2, "labels": labels,
    });
    wrong(&survey_with(&question, &json!({})))
}

fn wrong_options(options: &Value) -> String {
    let question = json!({ "key": "why", "text": "Perché?", "type": "free_text" });
    let keys = ["mood", "age", "score", "again", "how", "why", "last"];
    let texts: BTreeMap<_, _> = keys.into_iter().map(|key| (key, "?")).collect();
    let english = json!({
        "intro_script": "Hello", "completion_message": "Thanks",
        "questions": texts, "options": options,
    });
    wrong(&survey_with(&question, &json!({ "en": english })))
}

#[test]
fn a_consent_question_is_words_that_can_be_said_or_left_out() {
    let question = json!({ "key": "why", "text": "Perché?", "type": "free_text" });
    let mut survey = survey_with(&question, &json!({}));
    for good in [None, Some(""), Some(" "), Some("Posso?")] {
        survey.consent_question = good.map(str::to_owned);
        assert_eq!(wrong(&survey), "");
    }
    survey.consent_question = Some("Posso\0?".to_owned());
    assert_snapshot!(wrong(&survey), @"consent_question: must not contain the character U+0000");
    survey.consent_question = Some("?".repeat(2_001));
    assert_snapshot!(wrong(&survey), @"consent_question: use at most 2000 characters");
}

/// Every word is stored and may be read out, not only the first.
#[test]
fn every_word_of_an_option_can_be_said_and_stored() {
    let option = |key: &str, say: &[&str]| json!({ "key": key, "say": say });
    let long = "o".repeat(2_001);
    let options = json!([
        option("bus", &["autobus", "pullman"]),
        option("car", &["auto", "mac\0china"]),
        option("foot", &["a piedi", &long, "\0"]),
        option("tra\0in", &["treno"]),
        option("bike", &["", "bici"]),
    ]);
    let question = json!({ "key": "way", "text": "E?", "type": "choice", "options": options });
    assert_snapshot!(wrong(&survey_with(&question, &json!({}))), @r"
    questions[5].options[1].say: must not contain the character U+0000
    questions[5].options[2].say: use at most 2000 characters
    questions[5].options[3].key: must not contain the character U+0000
    questions[5].options[4].say: give the words for it
    ");
}

#[test]
fn a_condition_may_test_what_an_earlier_question_can_be_answered_with() {
    for condition in [
        json!({ "question": "mood", "answered": true }),
        json!({ "question": "how", "answered": false }),
        json!({ "question": "age", "at_least": "18", "at_most": "18" }),
        json!({ "question": "age", "is": ["20", "30"] }),
        json!({ "question": "score", "is_not": ["5"], "at_least": "3", "answered": true }),
        json!({ "question": "again", "is": ["no"] }),
        json!({ "question": "how", "is": ["car", "foot"] }),
    ] {
        assert_eq!(wrong_condition(&condition), "", "{condition}");
    }
}

#[test]
fn a_condition_looks_back_and_tests_something() {
    let conditions = [
        json!({ "question": "nobody", "is": ["yes"] }),
        json!({ "question": "why", "answered": true }),
        json!({ "question": "last", "answered": true }),
        json!({ "question": "again" }),
        json!({ "question": "again", "is": ["yes"], "answered": false }),
    ];
    let lines: Vec<_> = conditions.iter().map(wrong_condition).collect();
    assert_snapshot!(lines.join("\n"), @r"
    questions[5].show_if.question: there is no question 'nobody'
    questions[5].show_if.question: 'why' is not asked before this question
    questions[5].show_if.question: 'last' is not asked before this question
    questions[5].show_if: give at least one of is, is_not, at_least, at_most and answered
    questions[5].show_if.answered: what has no answer has no value: leave the other tests out
    ");
}

#[test]
fn a_condition_tests_no_value_that_cannot_be_given() {
    let conditions = [
        json!({ "question": "mood", "is": ["bene"] }),
        json!({ "question": "mood", "at_least": "1" }),
        json!({ "question": "age", "is": ["17"] }),
        json!({ "question": "age", "is_not": ["20.0"] }),
        json!({ "question": "age", "at_least": "100" }),
        json!({ "question": "age", "at_most": "17" }),
        json!({ "question": "age", "at_least": "50", "at_most": "40" }),
        json!({ "question": "score", "is": ["five"] }),
        json!({ "question": "score", "is": ["5", "6"] }),
        json!({ "question": "score", "at_most": "0" }),
        json!({ "question": "again", "is": ["sì"] }),
        json!({ "question": "again", "at_most": "0" }),
        json!({ "question": "how", "is_not": ["train"] }),
    ];
    let lines: Vec<_> = conditions.iter().map(wrong_condition).collect();
    assert_snapshot!(lines.join("\n"), @r"
    questions[5].show_if.is: 'mood' is free_text: only answered can be tested
    questions[5].show_if.at_least: 'mood' is free_text: its answers are no numbers
    questions[5].show_if.is: '17' is no answer to 'age': use a whole number from 18 to 99
    questions[5].show_if.is_not: '20.0' is no answer to 'age': use a whole number from 18 to 99
    questions[5].show_if.at_least: no answer to 'age' is over 99
    questions[5].show_if.at_most: no answer to 'age' is under 18
    questions[5].show_if.at_most: must not be less than at_least
    questions[5].show_if.is: 'five' is no answer to 'score': use a whole number from 1 to 5
    questions[5].show_if.is: '6' is no answer to 'score': use a whole number from 1 to 5
    questions[5].show_if.at_most: no answer to 'score' is under 1
    questions[5].show_if.is: 'sì' is no answer to 'again': use yes or no
    questions[5].show_if.at_most: 'again' is yes_no: its answers are no numbers
    questions[5].show_if.is_not: 'train' is no answer to 'how': use one of: car, foot
    ");
}

#[test]
fn labels_name_different_marks_of_the_scale_in_different_words() {
    let label = |value: i64, say: &[&str]| json!({ "value": value, "say": say });
    let good = [label(0, &["per niente"]), label(2, &["molto", "Molto"])];
    assert_eq!(wrong_labels(&good.into()), "");
    let bad = [
        label(-1, &["meno"]),
        label(3, &["di più"]),
        label(0, &["niente"]),
        label(0, &["nulla"]),
        label(1, &["così", " Niente"]),
        label(2, &[" "]),
    ];
    assert_snapshot!(wrong_labels(&bad.into()), @r"
    questions[5].labels[0].value: use a mark of the scale, from 0 to 2
    questions[5].labels[1].value: use a mark of the scale, from 0 to 2
    questions[5].labels[3].value: the mark 0 has a label already
    questions[5].labels[4].say: 'niente' stands for another mark
    questions[5].labels[5].say: give the words for it
    ");
}

#[test]
fn words_name_one_option_only() {
    let asked = |first: &[&str], second: &[&str]| {
        let question = json!({
            "key": "way", "text": "Come?", "type": "choice",
            "options": [{ "key": "bus", "say": first }, { "key": "coach", "say": second }],
        });
        wrong(&survey_with(&question, &json!({})))
    };
    assert_eq!(asked(&["autobus", "Autobus"], &["pullman"]), "");
    assert_snapshot!(
        asked(&["autobus", "corriera"], &["pullman", " Corriera"]),
        @"questions[5].options[1].say: 'corriera' stands for another option"
    );
}

#[test]
fn a_translation_names_options_and_marks_that_exist() {
    let good = json!({ "how": { "car": ["by car"] }, "score": { "5": ["excellent", "great"] } });
    assert_eq!(wrong_options(&good), "");
    let bad = json!({
        "how": { "train": ["by train"], "foot": [] },
        "score": { "6": ["beyond"], "05": ["excellent"], "high": ["high"] },
        "again": { "yes": ["yes"] },
        "where": { "home": ["at home"] },
    });
    assert_snapshot!(wrong_options(&bad), @r"
    translations.en.options.again.yes: a yes_no question has none
    translations.en.options.how.foot: give the words for it
    translations.en.options.how.train: there is no option 'train'
    translations.en.options.score.05: use a mark of the scale, from 1 to 5
    translations.en.options.score.6: use a mark of the scale, from 1 to 5
    translations.en.options.score.high: use a mark of the scale, from 1 to 5
    translations.en.options.where: there is no question 'where'
    ");
}
