//! A sentence to be tried, as a line of JSON says it, and what was understood, as a line of JSON.
//!
//! The form is the one of the labelled utterances in `tests/data`, so that a file of them can be
//! tried as it is, and what comes out can be compared with their `expect`.

use std::collections::BTreeSet;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::{Number, Value};
use voicesurvey_core::interpretation::{
    Confidence, Expected, Intent, Interpretation, InterpretedBy, Utterance,
};
use voicesurvey_core::language::Language;
use voicesurvey_core::survey::{AnswerValue, ChoiceOption, ScaleLabel};

/// A sentence, and the question that it answers. Other fields, such as `expect`, are passed over.
#[derive(Debug, Deserialize)]
struct Fields {
    lang: Language,
    question_type: QuestionType,
    utterance: String,
    #[serde(default)]
    params: Parameters,
    /// What is asked; only a language model reads it.
    #[serde(default)]
    question: String,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum QuestionType {
    Consent,
    YesNo,
    Scale,
    #[serde(alias = "numeric")]
    Number,
    Choice,
    FreeText,
}

/// What bounds the answer. A misspelt one would silently bound nothing, so it is refused.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Parameters {
    min: Option<Number>,
    max: Option<Number>,
    #[serde(default)]
    decimals: bool,
    #[serde(default)]
    labels: Vec<ScaleLabel>,
    #[serde(default)]
    options: Vec<ChoiceOption>,
}

/// A sentence that can be interpreted.
#[derive(Debug)]
pub(super) struct Sentence {
    utterance: Utterance,
}

impl Sentence {
    /// Reads a line, or says what is wrong with it.
    pub(super) fn read(line: &str) -> Result<Self, String> {
        let fields: Fields = serde_json::from_str(line).map_err(|error| without_line(&error))?;
        Ok(Self {
            utterance: Utterance {
                language: fields.lang,
                expected: expected(fields.question_type, fields.params)?,
                words: fields.utterance,
                question: fields.question,
            },
        })
    }

    /// What is to be understood.
    pub(super) const fn utterance(&self) -> &Utterance {
        &self.utterance
    }
}

/// The parser sees one line only; which one of the input it is, is told beside it.
fn without_line(error: &serde_json::Error) -> String {
    let message = error.to_string();
    let what = message.split(" at line ").next().unwrap_or_default();
    format!("{what}, at column {}", error.column())
}

fn expected(question_type: QuestionType, params: Parameters) -> Result<Expected, String> {
    Ok(match question_type {
        QuestionType::Consent => Expected::Consent,
        QuestionType::YesNo => Expected::YesNo,
        QuestionType::FreeText => Expected::FreeText,
        QuestionType::Scale => {
            let end = |name, number: Option<&Number>| {
                number
                    .and_then(Number::as_i64)
                    .ok_or_else(|| format!("a scale needs params.{name}, a whole number"))
            };
            let min = end("min", params.min.as_ref())?;
            let max = end("max", params.max.as_ref())?;
            in_order(&min, &max)?;
            if let Some(label) = params
                .labels
                .iter()
                .find(|label| !(min..=max).contains(&label.value))
            {
                return Err(format!(
                    "params.labels names {}, which is not on the scale",
                    label.value
                ));
            }
            Expected::Scale {
                min,
                max,
                labels: params.labels,
            }
        }
        QuestionType::Number => {
            let end =
                |name, number: Option<Number>| number.map(|it| decimal(name, &it)).transpose();
            let (min, max) = (end("min", params.min)?, end("max", params.max)?);
            if let (Some(min), Some(max)) = (&min, &max) {
                in_order(min, max)?;
            }
            Expected::Number {
                min,
                max,
                decimals: params.decimals,
            }
        }
        QuestionType::Choice => {
            if params.options.is_empty() {
                return Err("a choice needs params.options".to_owned());
            }
            let keys: BTreeSet<&str> = params.options.iter().map(|it| it.key.as_str()).collect();
            if keys.len() < params.options.len() {
                return Err("two of params.options have the same key".to_owned());
            }
            Expected::Choice {
                options: params.options,
            }
        }
    })
}

fn in_order<T: PartialOrd>(min: &T, max: &T) -> Result<(), String> {
    if min > max {
        return Err("params.min is greater than params.max".to_owned());
    }
    Ok(())
}

fn decimal(name: &str, number: &Number) -> Result<Decimal, String> {
    let text = number.to_string();
    text.parse()
        .or_else(|_| Decimal::from_scientific(&text))
        .map_err(|_| format!("params.{name} is too large or too precise"))
}

/// What was understood, as a line shows it.
#[derive(Debug, Serialize)]
pub(super) struct Understood {
    #[serde(flatten)]
    followed: Reading,
    /// What the other interpreter understood, if that is something else.
    #[serde(skip_serializing_if = "Option::is_none")]
    other: Option<Reading>,
}

/// What one interpreter understood. Every field is always there, so that lines make a table.
#[derive(Debug, Serialize)]
struct Reading {
    intent: &'static str,
    value: Value,
    candidates: Vec<Value>,
    confidence: f64,
    by: &'static str,
}

impl From<&Interpretation> for Understood {
    fn from(interpretation: &Interpretation) -> Self {
        let Interpretation {
            intent,
            confidence,
            by,
            other,
        } = interpretation;
        let other = other.as_ref();
        Self {
            followed: Reading::new(intent, *confidence, *by),
            other: other.map(|other| Reading::new(&other.intent, other.confidence, other.by)),
        }
    }
}

impl Reading {
    fn new(intent: &Intent, confidence: Confidence, by: InterpretedBy) -> Self {
        let candidates = match intent {
            Intent::Ambiguous { candidates } => candidates.iter().map(|it| candidate(it)).collect(),
            _ => Vec::new(),
        };
        Self {
            intent: match intent {
                // As the labelled utterances have it.
                Intent::CallBack => "callback",
                other => other.name(),
            },
            value: match intent {
                Intent::Answer { value } => answer(value),
                Intent::OutOfRange { value } => number(*value),
                _ => Value::Null,
            },
            candidates,
            confidence: f64::from(confidence.hundredths()) / 100.0,
            by: by.name(),
        }
    }
}

fn answer(value: &AnswerValue) -> Value {
    match value {
        AnswerValue::Number(value) => number(*value),
        other => Value::from(other.to_text()),
    }
}

fn number(value: Decimal) -> Value {
    // OK because a decimal is written as a number of JSON; were it not, it would be a text.
    let text = value.normalize().to_string();
    serde_json::from_str(&text).unwrap_or(Value::String(text))
}

/// Candidates are numbers or the keys of options; a key that looks like a number is rare and harmless.
fn candidate(text: &str) -> Value {
    text.parse()
        .map_or_else(|_| Value::from(text), |value: Decimal| number(value))
}

#[cfg(test)]
mod tests {
    use voicesurvey_core::interpretation::OtherReading;

    use super::*;

    fn refusal(params: &str) -> String {
        let line = format!(r#"{{"lang": "en", "utterance": "four", {params}}}"#);
        Sentence::read(&line).unwrap_err()
    }

    #[test]
    fn a_line_that_makes_no_question_is_refused_with_the_reason() {
        for (params, said) in [
            (r#""question_type": "scale""#, "params.min"),
            (
                r#""question_type": "scale", "params": {"min": 1}"#,
                "params.max",
            ),
            (
                r#""question_type": "scale", "params": {"min": 1.5, "max": 5}"#,
                "whole number",
            ),
            (
                r#""question_type": "scale", "params": {"min": 5, "max": 1}"#,
                "greater than",
            ),
            (
                r#""question_type": "scale", "params": {"min": 1, "max": 5, "labels": [{"value": 6, "say": ["top"]}]}"#,
                "not on the scale",
            ),
            (
                r#""question_type": "number", "params": {"max": 1e99}"#,
                "params.max is too large",
            ),
            (
                r#""question_type": "number", "params": {"maximum": 9}"#,
                "unknown field `maximum`",
            ),
            (r#""question_type": "choice""#, "params.options"),
            (
                r#""question_type": "choice", "params": {"options": [{"key": "a", "say": []}, {"key": "a", "say": []}]}"#,
                "the same key",
            ),
            (r#""question_type": "guess""#, "unknown variant `guess`"),
            (r#""params": {}"#, "missing field `question_type`"),
        ] {
            let refusal = refusal(params);
            assert!(refusal.contains(said), "{params}: {refusal}");
            assert!(!refusal.contains("line 1"), "{refusal}");
        }
    }

    #[test]
    fn numbers_are_numbers_and_keep_their_digits() {
        for (value, written) in [("4", "4"), ("3.50", "3.5"), ("-1", "-1"), ("0", "0")] {
            assert_eq!(number(value.parse().unwrap()).to_string(), written);
        }
        let intent = Intent::Ambiguous {
            candidates: vec!["3".to_owned(), "4.5".to_owned(), "bus".to_owned()],
        };
        let understood = Understood::from(&Interpretation {
            other: Some(OtherReading {
                intent: Intent::CallBack,
                confidence: Confidence::from_hundredths(80),
                by: InterpretedBy::LanguageModel,
            }),
            ..Interpretation::new(
                intent,
                Confidence::from_hundredths(85),
                InterpretedBy::Rules,
            )
        });
        let line = serde_json::to_string(&understood).unwrap();
        let (rules, model) = line.split_once(r#","other":"#).unwrap();
        assert_eq!(
            rules,
            r#"{"intent":"ambiguous","value":null,"candidates":[3,4.5,"bus"],"confidence":0.85,"by":"rules""#
        );
        assert_eq!(
            model,
            r#"{"intent":"callback","value":null,"candidates":[],"confidence":0.8,"by":"language_model"}}"#
        );
    }
}
