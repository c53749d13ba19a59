//! What the rules make of labelled, held-out and random utterances.

mod confirming;
mod corrections;
mod hedges;
mod held_out;
mod labelled;
mod open_questions;
mod places;
mod random;
mod requests;
mod scores;
mod second_set;
mod third_set;

use super::*;
use crate::survey::ChoiceOption;

/// The questions that the tests ask.
#[derive(Clone, Copy, Debug)]
enum Asked {
    Consent,
    YesNo,
    OneToFive,
    ZeroToTen,
    /// Whole numbers from 0 to 120.
    Age,
    /// Any number, with decimals.
    Amount,
    /// By car, train or bus.
    Travel,
    Free,
}

impl Asked {
    const ALL: [Self; 8] = [
        Self::Consent,
        Self::YesNo,
        Self::OneToFive,
        Self::ZeroToTen,
        Self::Age,
        Self::Amount,
        Self::Travel,
        Self::Free,
    ];

    fn expected(self, language: Language) -> Expected {
        match self {
            Self::Consent => Expected::Consent,
            Self::YesNo => Expected::YesNo,
            Self::OneToFive => scale(1, 5),
            Self::ZeroToTen => scale(0, 10),
            Self::Age => Expected::Number {
                min: Some(Decimal::ZERO),
                max: Some(Decimal::from(120)),
                decimals: false,
            },
            Self::Amount => Expected::Number {
                min: None,
                max: None,
                decimals: true,
            },
            Self::Travel => Expected::Choice {
                options: travel_options(language),
            },
            Self::Free => Expected::FreeText,
        }
    }
}

fn travel_options(language: Language) -> Vec<ChoiceOption> {
    let (car, train, bus): (&[&str], &[&str], &[&str]) = match language {
        Language::It => (&["auto", "macchina"], &["treno"], &["autobus", "pullman"]),
        _ => (&["car", "driving"], &["train", "rail"], &["bus", "coach"]),
    };
    let option = |key: &str, say: &[&str]| ChoiceOption {
        key: key.to_owned(),
        say: say.iter().map(|&word| word.to_owned()).collect(),
    };
    vec![
        option("car", car),
        option("train", train),
        option("bus", bus),
    ]
}

fn interpret(language: Language, expected: Expected, words: &str) -> Intent {
    let utterance = Utterance {
        language,
        expected,
        words: words.to_owned(),
        question: String::new(),
    };
    RulesInterpreter::new().interpret(&utterance).intent
}

fn scale(min: i64, max: i64) -> Expected {
    Expected::Scale {
        min,
        max,
        labels: Vec::new(),
    }
}

/// An intent in the tests' shorthand: `=4`, `!7` out of range, `?3,4` ambiguous, `yes`, `opt_out`.
fn shorthand(intent: &Intent) -> String {
    match intent {
        Intent::Answer {
            value: AnswerValue::Text(_),
        } => "text".to_owned(),
        Intent::Answer {
            value: AnswerValue::Number(number),
        } => format!("={number}"),
        Intent::Answer { value } => value.to_text(),
        Intent::OutOfRange { value } => format!("!{value}"),
        Intent::Ambiguous { candidates } => format!("?{}", candidates.join(",")),
        Intent::CallBack => "callback".to_owned(),
        other => {
            let json = serde_json::to_value(other).unwrap();
            json["intent"].as_str().unwrap().to_owned()
        }
    }
}

/// A set as it is kept in a file: language, question, words and meaning, one utterance a line.
fn rows(table: &'static str) -> Vec<(Language, Asked, &'static str, &'static str)> {
    let row = |line: &'static str| {
        let columns: Vec<_> = line.split('\t').collect();
        let [language, asked, words, wanted] = columns[..] else {
            panic!("not four columns: {line}");
        };
        let asked = Asked::ALL
            .into_iter()
            .find(|candidate| format!("{candidate:?}") == asked)
            .unwrap_or_else(|| panic!("unknown question {asked}"));
        (language.parse().unwrap(), asked, words, wanted)
    };
    table.lines().map(row).collect()
}

/// A line for each case that is not understood as it should be.
fn misses(language: Language, cases: &[(Asked, &str, &str)]) -> Vec<String> {
    let miss = |(asked, words, wanted): &(Asked, &str, &str)| {
        let got = shorthand(&interpret(language, asked.expected(language), words));
        (got != *wanted).then(|| format!("{asked:?} «{words:.80}»: expected {wanted}, got {got}"))
    };
    cases.iter().filter_map(miss).collect()
}

fn report(missed: &[String], total: usize) -> String {
    format!("{} of {total} missed:\n{}", missed.len(), missed.join("\n"))
}

/// The cases of every language that do not have `wanted` as their meaning.
fn unlike(asked: &[Asked], sets: &[(Language, &[&str])], wanted: &str) -> Vec<String> {
    let mut missed = Vec::new();
    for (language, utterances) in sets {
        for words in *utterances {
            for asked in asked {
                let miss = misses(*language, &[(*asked, words, wanted)]);
                missed.extend(miss.into_iter().map(|miss| format!("{language} {miss}")));
            }
        }
    }
    missed
}

#[track_caller]
fn assert_all(asked: &[Asked], sets: &[(Language, &[&str])], wanted: &str) {
    let missed = unlike(asked, sets, wanted);
    let utterances: usize = sets.iter().map(|(_, utterances)| utterances.len()).sum();
    let total = utterances * asked.len();
    assert!(missed.is_empty(), "{}", report(&missed, total));
}

#[test]
fn free_text_keeps_the_words_as_they_were_said() {
    let intent = interpret(Language::It, Expected::FreeText, "  È stato OK, grazie!  ");
    let value = AnswerValue::Text("È stato OK, grazie!".to_owned());
    assert_eq!(intent, Intent::Answer { value });
}

#[test]
fn an_option_without_words_is_known_by_its_key() {
    let options = vec![
        ChoiceOption {
            key: "rosso".to_owned(),
            say: Vec::new(),
        },
        ChoiceOption {
            key: "nessuno".to_owned(),
            say: vec!["non so".to_owned()],
        },
    ];
    let choose = |words| {
        shorthand(&interpret(
            Language::It,
            Expected::Choice {
                options: options.clone(),
            },
            words,
        ))
    };
    assert_eq!(choose("direi rosso"), "rosso");
    assert_eq!(
        choose("non so"),
        "nessuno",
        "an option's words outrank the same words as a wish"
    );
}

#[test]
fn a_choice_without_options_has_no_answer() {
    for words in ["uno", "l'ultima", "la prima", "zero"] {
        let intent = interpret(
            Language::It,
            Expected::Choice {
                options: Vec::new(),
            },
            words,
        );
        assert!(
            !matches!(intent, Intent::Answer { .. }),
            "{words}: {intent:?}"
        );
    }
}

#[tokio::test]
async fn the_trait_gives_what_the_function_gives() {
    let utterance = Utterance {
        language: Language::En,
        expected: Expected::Consent,
        words: "yes, sure".to_owned(),
        question: String::new(),
    };
    let rules = RulesInterpreter::new();
    let through_trait = AnswerInterpreter::interpret(&rules, &utterance).await;
    assert_eq!(through_trait, rules.interpret(&utterance));
    assert_eq!(through_trait.by, InterpretedBy::Rules);
    assert_eq!(through_trait.confidence.hundredths(), confidence::WHOLE);
}
