use rust_decimal::Decimal;

use super::*;
use crate::language::Language;
use crate::survey::{AnswerValue, ChoiceOption};

const MODEL: InterpretedBy = InterpretedBy::LanguageModel;

fn utterance(expected: Expected, words: &str) -> Utterance {
    Utterance {
        language: Language::En,
        expected,
        words: words.to_owned(),
        question: String::new(),
    }
}

fn one_to_five() -> Expected {
    Expected::Scale {
        min: 1,
        max: 5,
        labels: Vec::new(),
    }
}

fn read(intent: Intent, hundredths: u8, by: InterpretedBy) -> Interpretation {
    Interpretation::new(intent, Confidence::from_hundredths(hundredths), by)
}

fn number(value: i64) -> Intent {
    Intent::Answer {
        value: AnswerValue::Number(Decimal::from(value)),
    }
}

fn yes_no(yes: bool) -> Intent {
    Intent::Answer {
        value: AnswerValue::YesNo(yes),
    }
}

/// The intents of a question from one to five to which the words are "four".
fn classes() -> Vec<Intent> {
    vec![
        number(4),
        number(2),
        Intent::OutOfRange {
            value: Decimal::from(9),
        },
        Intent::Ambiguous {
            candidates: vec!["3".to_owned(), "4".to_owned()],
        },
        Intent::Repeat,
        Intent::Skip,
        Intent::DontKnow,
        Intent::Stop,
        Intent::OptOut,
        Intent::CallBack,
        Intent::WrongPerson,
        Intent::AskIdentity,
        Intent::AskHuman,
        Intent::Unclear,
    ]
}

#[test]
fn each_reading_of_the_rules_meets_each_of_the_model() {
    let heard = utterance(one_to_five(), "well four");
    let ends = [Intent::OptOut, Intent::Stop, Intent::WrongPerson];
    for rules in classes() {
        for model in classes() {
            let ours = read(rules.clone(), 70, InterpretedBy::Rules);
            let theirs = read(model.clone(), 80, MODEL);
            let both = combine(ours.clone(), theirs.clone(), &heard);
            let place = format!("{rules:?} and {model:?}: {both:?}");
            if rules == Intent::OptOut || model == Intent::OptOut {
                assert_eq!(both.intent, Intent::OptOut, "{place}");
            } else if model == Intent::Unclear || ends.contains(&rules) {
                assert_eq!(both, ours, "{place}");
            } else if rules == model {
                assert_eq!(both.intent, rules, "{place}");
                assert_eq!(both.by, InterpretedBy::Rules, "{place}");
                assert_eq!(both.confidence.hundredths(), 80, "{place}");
                assert_eq!(both.other, None, "{place}");
            } else if rules == Intent::Unclear {
                // Nine was not said.
                let is_taken = !matches!(model, Intent::OutOfRange { .. });
                let wanted = if is_taken { &model } else { &rules };
                assert_eq!(both.intent, *wanted, "{place}");
                assert_eq!(both.by == MODEL, is_taken, "{place}");
                assert_eq!(both.other, None, "{place}");
            } else {
                assert_eq!(both.intent, rules, "{place}");
                assert_eq!(both.confidence, ours.confidence, "{place}");
                let other = both.other.expect("the other reading is kept");
                assert_eq!((other.intent, other.by), (model, MODEL));
            }
        }
    }
}

#[test]
fn a_value_that_was_not_said_is_to_be_confirmed() {
    let heard = utterance(one_to_five(), "well four");
    let alone = |intent: Intent| {
        combine(
            read(Intent::Unclear, 0, InterpretedBy::Rules),
            read(intent, 80, MODEL),
            &heard,
        )
    };
    assert_eq!(alone(number(4)).confidence.hundredths(), 80);
    assert_eq!(alone(number(2)).confidence.hundredths(), 50);
    assert_eq!(alone(number(9)).intent, Intent::Unclear);
    assert_eq!(alone(yes_no(true)).intent, Intent::Unclear);
    let text = Intent::Answer {
        value: AnswerValue::Text("four".to_owned()),
    };
    assert_eq!(alone(text).intent, Intent::Unclear);
}

#[test]
fn an_option_is_said_by_its_words_its_place_or_its_number() {
    let option = |key: &str| ChoiceOption {
        key: key.to_owned(),
        say: vec![key.to_owned()],
    };
    let options = vec![option("car"), option("train")];
    let confidence_of = |words: &str, key: &str| {
        let heard = utterance(
            Expected::Choice {
                options: options.clone(),
            },
            words,
        );
        let value = AnswerValue::Choice(key.to_owned());
        let model = read(Intent::Answer { value }, 65, MODEL);
        let both = combine(
            read(Intent::Unclear, 0, InterpretedBy::Rules),
            model,
            &heard,
        );
        both.confidence.hundredths()
    };
    assert_eq!(confidence_of("oh that would be by train then", "train"), 65);
    assert_eq!(confidence_of("the second I should say", "train"), 65);
    assert_eq!(confidence_of("make it two", "train"), 65);
    assert_eq!(confidence_of("on the rails", "train"), 50);
    assert_eq!(confidence_of("on foot", "foot"), 0);
}

#[test]
fn a_model_that_is_not_sure_ends_no_call() {
    let heard = utterance(one_to_five(), "well, you know how it is");
    for intent in [Intent::Stop, Intent::WrongPerson, Intent::CallBack] {
        for (hundredths, taken) in [(65, false), (80, true)] {
            let both = combine(
                read(Intent::Unclear, 0, InterpretedBy::Rules),
                read(intent.clone(), hundredths, MODEL),
                &heard,
            );
            assert_eq!(both.intent == intent, taken, "{intent:?} {hundredths}");
        }
    }
}

#[test]
fn the_yes_of_a_model_to_the_interview_is_marked_as_its_own() {
    let heard = utterance(Expected::Consent, "I suppose we might as well");
    let unclear = read(Intent::Unclear, 0, InterpretedBy::Rules);
    let both = combine(unclear, read(yes_no(true), 80, MODEL), &heard);
    assert_eq!((both.intent, both.by), (yes_no(true), MODEL));
    let no = read(yes_no(false), 70, InterpretedBy::Rules);
    let both = combine(no, read(yes_no(true), 80, MODEL), &heard);
    assert_eq!(both.intent, yes_no(false));
    assert!(both.other.is_some());
}

#[test]
fn to_an_open_question_only_the_opt_out_of_a_model_counts() {
    let heard = utterance(Expected::FreeText, "and I would rather you never phoned");
    let answer = read(
        Intent::Answer {
            value: AnswerValue::Text(heard.words.clone()),
        },
        85,
        InterpretedBy::Rules,
    );
    assert!(is_wanted(&answer, &heard));
    let both = |intent: Intent| combine(answer.clone(), read(intent, 80, MODEL), &heard);
    assert_eq!(both(Intent::OptOut).intent, Intent::OptOut);
    assert_eq!(both(Intent::Stop), answer);
    assert_eq!(both(Intent::Skip), answer);
    let about_bread = utterance(Expected::FreeText, "the bread was good");
    assert!(!is_wanted(&answer, &about_bread));
}

#[test]
fn a_model_is_asked_only_where_the_rules_are_unsure() {
    let heard = utterance(one_to_five(), "four");
    let wanted = |intent: Intent, hundredths: u8| {
        is_wanted(&read(intent, hundredths, InterpretedBy::Rules), &heard)
    };
    assert!(!wanted(number(4), 95));
    assert!(!wanted(number(4), 85));
    assert!(wanted(number(4), 84));
    assert!(wanted(Intent::Unclear, 0));
    assert!(wanted(Intent::CallBack, 75));
    for intent in [Intent::OptOut, Intent::Stop, Intent::WrongPerson] {
        assert!(!wanted(intent, 10));
    }
}
