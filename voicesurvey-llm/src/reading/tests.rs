use serde_json::json;
use voicesurvey_core::language::Language;
use voicesurvey_core::survey::ChoiceOption;

use super::*;

fn scale() -> Expected {
    Expected::Scale {
        min: 1,
        max: 5,
        labels: Vec::new(),
    }
}

fn number(decimals: bool) -> Expected {
    Expected::Number {
        min: Some(Decimal::ZERO),
        max: None,
        decimals,
    }
}

fn choice() -> Expected {
    let option = |key: &str| ChoiceOption {
        key: key.to_owned(),
        say: vec![format!("the {key}")],
    };
    Expected::Choice {
        options: vec![option("car"), option("bus")],
    }
}

fn read_as(expected: Expected, content: &str, mode: SchemaMode) -> Result<Intent, Failure> {
    let utterance = Utterance {
        language: Language::En,
        expected,
        words: " the queue was long ".to_owned(),
        question: String::new(),
    };
    read(content, mode, &utterance).map(|(intent, _)| intent)
}

fn classified(intent: &str, value: &serde_json::Value, candidates: &serde_json::Value) -> String {
    json!({"intent": intent, "value": value, "candidates": candidates, "confidence": "high"})
        .to_string()
}

fn read_value(expected: Expected, intent: &str, value: &str) -> Result<Intent, Failure> {
    let content = classified(intent, &json!(value), &json!([]));
    read_as(expected, &content, SchemaMode::JsonSchema)
}

#[test]
fn a_value_is_an_answer_only_if_the_question_accepts_it() {
    let confirm = || Expected::Confirm {
        of: Box::new(scale()),
    };
    for (expected, value, answer) in [
        (scale(), "4", Some(AnswerValue::Number(Decimal::from(4)))),
        (
            scale(),
            " 4.0 ",
            Some(AnswerValue::Number(Decimal::from(4))),
        ),
        (scale(), "6", None),
        (scale(), "0", None),
        (scale(), "3.5", None),
        (scale(), "four", None),
        (scale(), "", None),
        (scale(), "99999999999999999999999999999999", None),
        (
            number(true),
            "3.50",
            Some(AnswerValue::Number(Decimal::new(35, 1))),
        ),
        (number(false), "3.5", None),
        (number(true), "-1", None),
        (number(true), "NaN", None),
        (Expected::Consent, "yes", Some(AnswerValue::YesNo(true))),
        (Expected::YesNo, "no", Some(AnswerValue::YesNo(false))),
        (Expected::Consent, "Yes, mark them all", None),
        (choice(), "bus", Some(AnswerValue::Choice("bus".to_owned()))),
        (choice(), "the bus", None),
        (choice(), "plane", None),
        (confirm(), "no", Some(AnswerValue::YesNo(false))),
        (confirm(), "5", Some(AnswerValue::Number(Decimal::from(5)))),
        (confirm(), "6", None),
        (Expected::CallBackTime, "tomorrow", None),
    ] {
        let read = read_value(expected.clone(), "answer", value);
        let wanted = answer
            .map(|value| Intent::Answer { value })
            .ok_or(Failure::Impossible);
        assert_eq!(read, wanted, "{expected:?} {value}");
    }
}

#[test]
fn the_answer_to_an_open_question_is_what_was_said() {
    let value = AnswerValue::Text("the queue was long".to_owned());
    assert_eq!(
        read_value(Expected::FreeText, "answer", "everything was perfect"),
        Ok(Intent::Answer { value })
    );
}

#[test]
fn what_is_out_of_range_is_a_number_outside_the_range() {
    let outside = |value: i64| {
        Ok(Intent::OutOfRange {
            value: value.into(),
        })
    };
    assert_eq!(read_value(scale(), "out_of_range", "7"), outside(7));
    assert_eq!(
        read_value(scale(), "out_of_range", "4"),
        Err(Failure::Impossible)
    );
    assert_eq!(
        read_value(choice(), "out_of_range", "7"),
        Err(Failure::Impossible)
    );
}

#[test]
fn candidates_are_two_different_answers_at_least() {
    for (candidates, wanted) in [
        (json!(["3", "4"]), Some(vec!["3", "4"])),
        (json!(["3", "4.0", 4]), Some(vec!["3", "4"])),
        (json!(["3", "3"]), None),
        (json!(["3"]), None),
        (json!([]), None),
        (json!(["3", "9"]), None),
        (json!(vec!["3"; 11]), None),
    ] {
        let content = classified("ambiguous", &json!(null), &candidates);
        let read = read_as(scale(), &content, SchemaMode::JsonSchema);
        let wanted = wanted.map(|candidates| Intent::Ambiguous {
            candidates: candidates.into_iter().map(str::to_owned).collect(),
        });
        assert_eq!(read, wanted.ok_or(Failure::Impossible), "{candidates}");
    }
}

#[test]
fn every_intent_of_the_schema_is_read() {
    for intent in crate::schema::INTENTS {
        let value = match intent {
            "answer" => json!("4"),
            "out_of_range" => json!("9"),
            _ => json!(null),
        };
        let content = classified(intent, &value, &json!(["3", "4"]));
        let read = read_as(scale(), &content, SchemaMode::JsonSchema).unwrap();
        let name = read.name().replace("call_back", "callback");
        assert_eq!(name, intent);
    }
}

#[test]
fn json_of_another_form_is_told_from_no_json() {
    let good = classified("skip", &json!(null), &json!([]));
    for (content, failure) in [
        (good.replace("skip", "consented"), Failure::OutOfSchema),
        (good.replace("high", "certain"), Failure::OutOfSchema),
        (
            good.replace("\"value\":null", "\"value\":true"),
            Failure::OutOfSchema,
        ),
        (good.replace(",\"value\":null", ""), Failure::OutOfSchema),
        (good.replace('{', "{\"note\":\"x\","), Failure::OutOfSchema),
        (
            good.replace('{', "{\"intent\":\"skip\","),
            Failure::OutOfSchema,
        ),
        ("[]".to_owned(), Failure::OutOfSchema),
        ("4".to_owned(), Failure::OutOfSchema),
        (format!("Sure! {good}"), Failure::Unreadable),
        (format!("{good} Anything else?"), Failure::Unreadable),
        (format!("```json\n{good}\n```"), Failure::Unreadable),
        (good[..good.len() - 2].to_owned(), Failure::Unreadable),
        ("[".repeat(100_000), Failure::Unreadable),
    ] {
        let read = read_as(scale(), &content, SchemaMode::JsonSchema);
        let shown: String = content.chars().take(120).collect();
        assert_ne!(content, good, "nothing was changed");
        assert_eq!(read, Err(failure), "{shown}");
    }
}

#[test]
fn a_block_of_code_is_opened_where_only_the_prompt_asks_for_json() {
    let good = classified("skip", &json!(null), &json!([]));
    for content in [
        good.clone(),
        format!("```json\n{good}\n```"),
        format!("\n```\n{good}```\n"),
    ] {
        let read = read_as(scale(), &content, SchemaMode::Prompt);
        assert_eq!(read, Ok(Intent::Skip), "{content}");
    }
    let twice = format!("```json\n```json\n{good}\n```\n```");
    assert_eq!(
        read_as(scale(), &twice, SchemaMode::Prompt),
        Err(Failure::Unreadable)
    );
}
