//! Whether what people say can be understood as it was meant.

mod repertoire;

use voicesurvey_core::interpretation::rules::RulesInterpreter;
use voicesurvey_core::interpretation::{Intent, Interpretation, Utterance};

use super::*;
use crate::chance::Topic;

fn interpreted(language: Language, expected: &Expected, words: &str) -> Interpretation {
    let utterance = Utterance {
        language,
        expected: expected.clone(),
        words: words.to_owned(),
        question: String::new(),
    };
    RulesInterpreter.interpret(&utterance)
}

fn understood(language: Language, expected: &Expected, words: &str) -> Intent {
    interpreted(language, expected, words).intent
}

fn scale(min: i64, max: i64) -> Expected {
    Expected::Scale {
        min,
        max,
        labels: Vec::new(),
    }
}

fn questions(language: Language) -> Vec<Expected> {
    let option = |key: &str, say: &str| ChoiceOption {
        key: key.to_owned(),
        say: vec![say.to_owned()],
    };
    let (car, train) = match language {
        Language::It => ("la macchina", "il treno"),
        Language::En => ("the car", "the train"),
        Language::Ru => ("машина", "поезд"),
        Language::Es => ("el coche", "el tren"),
        Language::Fr => ("la voiture", "le train"),
        Language::De => ("das Auto", "der Zug"),
    };
    let number = |min: i64, max: i64| Expected::Number {
        min: Some(Decimal::from(min)),
        max: Some(Decimal::from(max)),
        decimals: false,
    };
    vec![
        Expected::Consent,
        Expected::YesNo,
        scale(1, 5),
        scale(0, 10),
        number(0, 120),
        number(18, 99),
        Expected::Number {
            min: None,
            max: None,
            decimals: true,
        },
        Expected::Choice {
            options: vec![option("car", car), option("train", train)],
        },
        Expected::FreeText,
    ]
}

/// Lets three hundred people of each mood answer every kind of question; tells how many of a
/// hundred are understood, and who is not.
fn share_understood(language: Language) -> (usize, Vec<String>) {
    let mut chance = Chance::of(1, Topic::Call, &"+390612345678".parse().unwrap(), 0);
    let (mut asked, mut missed) = (0, Vec::new());
    for expected in questions(language) {
        for turn in 0..300 {
            let mut speaker = Speaker {
                chance: &mut chance,
                language,
                contentment: i64::from(turn % 101),
            };
            let manner = if turn % 10 == 0 {
                Manner::Corrected
            } else {
                Manner::Plain
            };
            let spoken = speaker.answer(&expected, manner);
            let meant = Intent::Answer {
                value: spoken.meant,
            };
            let intent = understood(language, &expected, &spoken.words);
            asked += 1;
            if intent != meant {
                missed.push(format!("{expected:?} '{}': {intent:?}", spoken.words));
            }
        }
    }
    ((asked - missed.len()) * 100 / asked, missed)
}

#[test]
fn nine_of_ten_answers_are_understood_as_they_were_meant() {
    for language in Language::ALL {
        let (percent, mut missed) = share_understood(language);
        missed.sort();
        missed.dedup();
        assert!(
            percent >= 90,
            "{language}: {percent} %, not understood:\n{}",
            missed.join("\n")
        );
    }
}

#[test]
fn a_mumble_is_never_taken_for_an_answer() {
    for language in Language::ALL {
        for words in Vocabulary::of(language).mumbles {
            for expected in questions(language) {
                if expected == Expected::FreeText {
                    continue; // There, whatever is said is the answer.
                }
                let intent = understood(language, &expected, words);
                assert!(
                    !matches!(intent, Intent::Answer { .. }),
                    "{language} '{words}': {intent:?}"
                );
            }
        }
    }
}

#[test]
fn every_number_in_words_is_understood_as_that_number() {
    let expected = Expected::Number {
        min: None,
        max: None,
        decimals: false,
    };
    for language in Language::ALL {
        for value in (0..=1_100).chain((1_101..=999_999).step_by(7_919)) {
            let words = numbers::in_words(language, value);
            let meant = Intent::Answer {
                value: AnswerValue::Number(Decimal::from(value)),
            };
            assert_eq!(
                understood(language, &expected, &words),
                meant,
                "{language} '{words}'"
            );
        }
    }
}

#[test]
fn an_answer_outside_is_outside() {
    let mut chance = Chance::of(1, Topic::Call, &"+390612345678".parse().unwrap(), 0);
    let mut speaker = Speaker {
        chance: &mut chance,
        language: Language::It,
        contentment: 50,
    };
    for _ in 0..50 {
        let spoken = speaker.outside(&scale(1, 5)).unwrap();
        let AnswerValue::Number(value) = spoken.meant else {
            panic!("{spoken:?}")
        };
        assert!(value > Decimal::from(5), "{value}");
    }
    assert_eq!(speaker.outside(&Expected::FreeText), None);
    assert_eq!(speaker.outside(&scale(0, i64::MAX)), None);
}

#[test]
fn bounds_that_leave_little_or_nothing_are_survived() {
    let mut chance = Chance::of(1, Topic::Call, &"+390612345678".parse().unwrap(), 0);
    let mut speaker = Speaker {
        chance: &mut chance,
        language: Language::En,
        contentment: 100,
    };
    let number = |min: Option<i64>, max: Option<i64>| Expected::Number {
        min: min.map(Decimal::from),
        max: max.map(Decimal::from),
        decimals: true,
    };
    for expected in [
        number(Some(5), Some(5)),
        number(Some(9), Some(2)),
        number(None, Some(-10)),
        number(Some(i64::MAX), None),
        scale(i64::MIN, i64::MAX),
        scale(3, 1),
        Expected::Choice {
            options: Vec::new(),
        },
    ] {
        for manner in [
            Manner::Plain,
            Manner::Bare,
            Manner::Corrected,
            Manner::ByName,
            Manner::Misheard,
        ] {
            let spoken = speaker.answer(&expected, manner);
            assert!(!spoken.words.is_empty(), "{expected:?}");
        }
        let of = Box::new(expected.clone());
        assert!(!speaker.correction(&of).words.is_empty(), "{expected:?}");
        speaker.keys(&expected);
        speaker.outside(&expected);
    }
}
