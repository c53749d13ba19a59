//! What a model meant: its JSON, checked against the form and against the question.
//!
//! The server may have promised to hold the model to the schema. Nothing here relies on it: what
//! comes out is an intent that the question can have, with a value that the question accepts.

use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::Number;
use voicesurvey_core::interpretation::{Confidence, Expected, Intent, Utterance};
use voicesurvey_core::survey::AnswerValue;

use crate::failure::Failure;
use crate::settings::SchemaMode;

/// As many as anybody can be asked to choose from.
const MOST_CANDIDATES: usize = 10;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Classified {
    intent: Meaning,
    #[serde(deserialize_with = "Option::deserialize")]
    value: Option<Written>,
    candidates: Vec<Written>,
    confidence: Level,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Meaning {
    Answer,
    OutOfRange,
    Ambiguous,
    Repeat,
    Skip,
    DontKnow,
    Stop,
    OptOut,
    Callback,
    WrongPerson,
    AskIdentity,
    AskHuman,
    Unclear,
}

/// A value; models that are not held to the schema write numbers as numbers.
#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Text(String),
    Number(Number),
}

impl Written {
    fn text(&self) -> String {
        match self {
            Self::Text(text) => text.trim().to_owned(),
            Self::Number(number) => number.to_string(),
        }
    }
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Level {
    Low,
    Medium,
    High,
}

impl Level {
    /// A model that says it is certain is not: a phrase that the rules know counts for more.
    const fn confidence(self) -> Confidence {
        Confidence::from_hundredths(match self {
            Self::Low => 40,
            Self::Medium => 65,
            Self::High => 80,
        })
    }
}

/// Reads what a model wrote about an utterance.
pub(crate) fn read(
    content: &str,
    mode: SchemaMode,
    utterance: &Utterance,
) -> Result<(Intent, Confidence), Failure> {
    let text = match mode {
        SchemaMode::Prompt => without_fence(content),
        _ => content.trim(),
    };
    let classified: Classified = serde_json::from_str(text).map_err(|error| {
        if error.is_data() {
            Failure::OutOfSchema
        } else {
            Failure::Unreadable
        }
    })?;
    let intent = intent(&classified, utterance).ok_or(Failure::Impossible)?;
    Ok((intent, classified.confidence.confidence()))
}

/// Models that only the prompt tells to write JSON like to put it into a block of code.
fn without_fence(content: &str) -> &str {
    let text = content.trim();
    text.strip_prefix("```json")
        .or_else(|| text.strip_prefix("```"))
        .and_then(|rest| rest.strip_suffix("```"))
        .unwrap_or(text)
        .trim()
}

fn intent(classified: &Classified, utterance: &Utterance) -> Option<Intent> {
    let expected = &utterance.expected;
    let value = || classified.value.as_ref().map(Written::text);
    Some(match classified.intent {
        Meaning::Answer if *expected == Expected::FreeText => Intent::Answer {
            // The words are the answer, whatever the model would rather have heard.
            value: AnswerValue::Text(utterance.words.trim().to_owned()),
        },
        Meaning::Answer => Intent::Answer {
            value: possible(expected, &value()?)?,
        },
        Meaning::OutOfRange => Intent::OutOfRange {
            value: out_of_range(expected, &value()?)?,
        },
        Meaning::Ambiguous => Intent::Ambiguous {
            candidates: candidates(expected, &classified.candidates)?,
        },
        Meaning::Repeat => Intent::Repeat,
        Meaning::Skip => Intent::Skip,
        Meaning::DontKnow => Intent::DontKnow,
        Meaning::Stop => Intent::Stop,
        Meaning::OptOut => Intent::OptOut,
        Meaning::Callback => Intent::CallBack,
        Meaning::WrongPerson => Intent::WrongPerson,
        Meaning::AskIdentity => Intent::AskIdentity,
        Meaning::AskHuman => Intent::AskHuman,
        Meaning::Unclear => Intent::Unclear,
    })
}

/// The value, if the question accepts it.
fn possible(expected: &Expected, text: &str) -> Option<AnswerValue> {
    match expected {
        Expected::Consent | Expected::YesNo => yes_or_no(text),
        Expected::Number { .. } | Expected::Scale { .. } => {
            let number = text.parse::<Decimal>().ok()?.normalize();
            let (is_within, is_whole) = (within(expected, number), number.is_integer());
            (is_within && (is_whole || takes_decimals(expected)))
                .then_some(AnswerValue::Number(number))
        }
        Expected::Choice { options } => options
            .iter()
            .find(|option| option.key == text)
            .map(|option| AnswerValue::Choice(option.key.clone())),
        Expected::Confirm { of } => yes_or_no(text).or_else(|| possible(of, text)),
        Expected::FreeText | Expected::CallBackTime => None,
    }
}

fn yes_or_no(text: &str) -> Option<AnswerValue> {
    match text {
        "yes" => Some(AnswerValue::YesNo(true)),
        "no" => Some(AnswerValue::YesNo(false)),
        _ => None,
    }
}

const fn takes_decimals(expected: &Expected) -> bool {
    matches!(expected, Expected::Number { decimals: true, .. })
}

fn within(expected: &Expected, number: Decimal) -> bool {
    let (min, max) = match expected {
        Expected::Number { min, max, .. } => (*min, *max),
        Expected::Scale { min, max, .. } => (Some(Decimal::from(*min)), Some(Decimal::from(*max))),
        _ => return false,
    };
    min.is_none_or(|min| min <= number) && max.is_none_or(|max| number <= max)
}

fn out_of_range(expected: &Expected, text: &str) -> Option<Decimal> {
    let number = text.parse::<Decimal>().ok()?.normalize();
    match expected {
        Expected::Confirm { of } => out_of_range(of, text),
        Expected::Number { .. } | Expected::Scale { .. } => {
            (!within(expected, number)).then_some(number)
        }
        _ => None,
    }
}

/// Two different answers at least, all of which the question accepts.
fn candidates(expected: &Expected, written: &[Written]) -> Option<Vec<String>> {
    if written.len() > MOST_CANDIDATES {
        return None;
    }
    let mut candidates = Vec::new();
    for candidate in written {
        let candidate = possible(expected, &candidate.text())?.to_text();
        if !candidates.contains(&candidate) {
            candidates.push(candidate);
        }
    }
    (candidates.len() > 1).then_some(candidates)
}

#[cfg(test)]
mod tests;
