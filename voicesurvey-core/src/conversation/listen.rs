//! How to listen after something was said: time limits, keys, and hints for the recogniser.

use std::collections::HashMap;
use std::sync::LazyLock;

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde::{Deserialize, Serialize};

use super::keypad;
use crate::interpretation::Expected;
use crate::language::Language;

/// Seconds of silence after which nothing was said: closed and open questions (`VoiceXML` practice).
const SILENCE_CLOSED: u16 = 5;
const SILENCE_OPEN: u16 = 7;
/// Milliseconds of silence that end what is being said. Who answers an open question pauses to think.
const END_OF_SPEECH_CLOSED: u16 = 700;
const END_OF_SPEECH_OPEN: u16 = 1_500;
/// The longest speech in seconds. Twilio listens for 60 at most.
const LONGEST_SPEECH_CLOSED: u16 = 15;
const LONGEST_SPEECH_OPEN: u16 = 60;
/// Seconds without a key after which the keys pressed are complete.
const BETWEEN_KEYS: u8 = 2;
/// The digits that a number without bounds may have on the keypad.
const UNBOUNDED_DIGITS: u8 = 5;
/// Twilio takes so many hints of so many characters.
const MOST_HINTS: usize = 500;
const LONGEST_HINT: usize = 100;

/// How a person is listened to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Listen {
    /// Comes back with what was heard, so that a repetition is recognised.
    pub step: u32,
    /// What the question expects.
    pub expected: Expected,
    /// After so many seconds of silence the person is taken to have said nothing.
    pub silence_seconds: u16,
    /// After so many milliseconds of silence the person is taken to have finished.
    #[serde(default = "end_of_speech_closed")]
    pub end_of_speech_milliseconds: u16,
    /// After so many seconds of speech nothing more is listened to.
    #[serde(default = "longest_speech_closed")]
    pub longest_speech_seconds: u16,
    /// The keys that may be pressed instead.
    #[serde(default)]
    pub keys: ListenKeys,
    /// Words that are likely to be said, for recognisers that take hints.
    #[serde(default)]
    pub hints: Vec<String>,
}

/// How keys are waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListenKeys {
    /// With so many keys the answer is complete.
    pub most: u8,
    /// After so many seconds without a key it is complete as well.
    pub between_seconds: u8,
}

impl Default for ListenKeys {
    /// One key.
    fn default() -> Self {
        Self {
            most: 1,
            between_seconds: BETWEEN_KEYS,
        }
    }
}

const fn end_of_speech_closed() -> u16 {
    END_OF_SPEECH_CLOSED
}

const fn longest_speech_closed() -> u16 {
    LONGEST_SPEECH_CLOSED
}

impl Listen {
    /// How to listen for an answer to what is expected, spoken in `language`.
    pub fn for_answer(step: u32, expected: Expected, language: Language) -> Self {
        let is_open = matches!(expected, Expected::FreeText | Expected::CallBackTime);
        let figure = |open, closed| if is_open { open } else { closed };
        let keys = ListenKeys {
            most: most_keys(&expected),
            ..ListenKeys::default()
        };
        Self {
            step,
            silence_seconds: figure(SILENCE_OPEN, SILENCE_CLOSED),
            end_of_speech_milliseconds: figure(END_OF_SPEECH_OPEN, END_OF_SPEECH_CLOSED),
            longest_speech_seconds: figure(LONGEST_SPEECH_OPEN, LONGEST_SPEECH_CLOSED),
            keys,
            hints: hints(&expected, language),
            expected,
        }
    }
}

/// How many keys an answer has at most. One more than a number has digits: `*` may come first,
/// wherever 9 alone does not opt out.
fn most_keys(expected: &Expected) -> u8 {
    match expected {
        Expected::Scale { min, max, .. } => digits(min.unsigned_abs().max(max.unsigned_abs())) + 1,
        Expected::Number { min, max, .. } => number_digits(*min, *max) + 1,
        Expected::Choice { options } => {
            let keys = digits(u64::try_from(options.len()).unwrap_or(u64::MAX));
            keys + u8::from(keypad::may_begin(9, expected))
        }
        Expected::Confirm { of } => most_keys(of),
        Expected::Consent | Expected::YesNo | Expected::CallBackTime | Expected::FreeText => 1,
    }
}

fn number_digits(min: Option<Decimal>, max: Option<Decimal>) -> u8 {
    let (Some(min), Some(max)) = (min, max) else {
        return UNBOUNDED_DIGITS;
    };
    let largest = min.abs().max(max.abs()).trunc();
    u64::try_from(largest).map_or(UNBOUNDED_DIGITS, digits)
}

fn digits(number: u64) -> u8 {
    let digits = number.checked_ilog10().map_or(1, |power| power + 1);
    u8::try_from(digits).unwrap_or(u8::MAX)
}

/// The words that are likely to be said.
fn hints(expected: &Expected, language: Language) -> Vec<String> {
    let yes_or_no = || yes_and_no(language).into_iter().map(str::to_owned);
    let words: Vec<String> = match expected {
        Expected::Consent | Expected::YesNo => yes_or_no().collect(),
        Expected::Confirm { of } => yes_or_no().chain(hints(of, language)).collect(),
        Expected::Choice { options } => {
            let words = options.iter().flat_map(|option| &option.say);
            words.cloned().collect()
        }
        Expected::Scale { min, max, labels } => {
            let words = labels.iter().flat_map(|label| &label.say).cloned();
            let numbers = number_words(language, Some((*min).into()), Some((*max).into()));
            words.chain(numbers.iter().cloned()).collect()
        }
        Expected::Number { min, max, .. } => number_words(language, *min, *max).to_vec(),
        Expected::CallBackTime | Expected::FreeText => Vec::new(),
    };
    words
        .into_iter()
        .filter(|words| words.chars().count() <= LONGEST_HINT)
        .take(MOST_HINTS)
        .collect()
}

/// The words of the whole numbers within the bounds, as far as the list goes: from zero to a hundred.
/// Larger ones are made of these.
fn number_words(
    language: Language,
    min: Option<Decimal>,
    max: Option<Decimal>,
) -> &'static [String] {
    static WORDS: LazyLock<HashMap<Language, Vec<String>>> = LazyLock::new(read_number_words);
    let words = WORDS.get(&language).map_or(&[][..], Vec::as_slice);
    let last = words.len().saturating_sub(1);
    let within = |bound: Decimal| bound.to_usize().map_or(last, |bound| bound.min(last));
    let first = min.map_or(0, |min| within(min.ceil().max(Decimal::ZERO)));
    let end = match max {
        Some(max) if max < Decimal::ZERO => 0,
        Some(max) => within(max.floor()) + 1,
        None => words.len(),
    };
    words.get(first..end).unwrap_or_default()
}

#[expect(
    clippy::expect_used,
    reason = "the file is part of the program, and a test reads it"
)]
fn read_number_words() -> HashMap<Language, Vec<String>> {
    let json = include_str!("listen/number_words.json");
    serde_json::from_str(json).expect("the file of number words is valid")
}

const fn yes_and_no(language: Language) -> [&'static str; 2] {
    match language {
        Language::It => ["sì", "no"],
        Language::En => ["yes", "no"],
        Language::Ru => ["да", "нет"],
        Language::Es => ["sí", "no"],
        Language::Fr => ["oui", "non"],
        Language::De => ["ja", "nein"],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::survey::ChoiceOption;

    fn listen(expected: Expected) -> Listen {
        Listen::for_answer(1, expected, Language::It)
    }

    #[test]
    fn as_many_keys_are_waited_for_as_the_longest_answer_has() {
        let keys = |expected| listen(expected).keys.most;
        let scale = |min, max| Expected::Scale {
            min,
            max,
            labels: Vec::new(),
        };
        let number = |max: Option<i64>| Expected::Number {
            min: Some(Decimal::ZERO),
            max: max.map(Decimal::from),
            decimals: false,
        };
        let choice = |options: usize| Expected::Choice {
            options: (0..options)
                .map(|number| ChoiceOption {
                    key: number.to_string(),
                    say: Vec::new(),
                })
                .collect(),
        };
        assert_eq!(keys(Expected::Consent), 1);
        assert_eq!(keys(scale(1, 5)), 2);
        assert_eq!(keys(scale(0, 10)), 3);
        assert_eq!(keys(scale(-100, 5)), 4);
        assert_eq!(keys(number(Some(120))), 4);
        assert_eq!(keys(number(None)), 6);
        assert_eq!([8, 9, 10].map(|options| keys(choice(options))), [1, 2, 3]);
    }

    #[test]
    fn open_questions_leave_time_to_think() {
        let open = listen(Expected::FreeText);
        let closed = listen(Expected::YesNo);
        assert!(open.silence_seconds > closed.silence_seconds);
        assert!(open.end_of_speech_milliseconds > closed.end_of_speech_milliseconds);
        assert!(open.longest_speech_seconds > closed.longest_speech_seconds);
    }

    #[test]
    fn the_recogniser_is_told_the_words_of_the_options_but_not_whole_stories() {
        let say = vec!["verde".to_owned(), "v".repeat(LONGEST_HINT + 1)];
        let options = vec![ChoiceOption {
            key: "green".to_owned(),
            say,
        }];
        let choice = Expected::Choice { options };
        assert_eq!(listen(choice.clone()).hints, ["verde"]);
        let of = Box::new(choice);
        assert_eq!(
            listen(Expected::Confirm { of }).hints,
            ["sì", "no", "verde"]
        );
    }

    #[test]
    fn the_recogniser_is_told_the_numbers_of_a_range_but_not_thousands_of_them() {
        let label = crate::survey::ScaleLabel {
            value: 3,
            say: vec!["ottimo".to_owned()],
        };
        let scale = Expected::Scale {
            min: 1,
            max: 3,
            labels: vec![label],
        };
        assert_eq!(listen(scale).hints, ["ottimo", "uno", "due", "tre"]);
        let number = |min: &str, max: Option<&str>| {
            let bound = |bound: &str| bound.parse().unwrap();
            listen(Expected::Number {
                min: Some(bound(min)),
                max: max.map(bound),
                decimals: true,
            })
            .hints
        };
        assert_eq!(
            number("20.5", Some("23.9")),
            ["ventuno", "ventidue", "ventitré"]
        );
        assert_eq!(number("-7", Some("1")), ["zero", "uno"]);
        assert_eq!(number("-7", Some("-2")), [""; 0]);
        assert_eq!(number("99", Some("10000")), ["novantanove", "cento"]);
        assert_eq!(number("0", None).len(), 101);
        assert_eq!(number("3", Some("2")), [""; 0]);
    }

    /// What the recogniser is told to expect is understood as that number.
    #[test]
    fn every_number_word_is_the_number_that_it_stands_for() {
        for language in Language::ALL {
            let words = number_words(language, None, None);
            assert_eq!(words.len(), 101, "{language}");
            for (number, words) in words.iter().enumerate() {
                let utterance = crate::interpretation::Utterance {
                    language,
                    expected: Expected::Number {
                        min: None,
                        max: None,
                        decimals: false,
                    },
                    words: words.clone(),
                    question: String::new(),
                };
                let rules = crate::interpretation::rules::RulesInterpreter::new();
                let value = crate::survey::AnswerValue::Number(Decimal::from(number));
                let meant = rules.interpret(&utterance).intent;
                let intended = crate::interpretation::Intent::Answer { value };
                assert_eq!(meant, intended, "{language} {words}");
            }
        }
    }

    #[test]
    fn a_reply_from_before_there_were_keys_and_hints_is_still_read() {
        let stored = r#"{"step": 3, "expected": {"expected": "yes_no"}, "silence_seconds": 5}"#;
        let read: Listen = serde_json::from_str(stored).unwrap();
        let expected = Listen {
            hints: Vec::new(),
            ..Listen::for_answer(3, Expected::YesNo, Language::It)
        };
        assert_eq!(read, expected);
    }
}
