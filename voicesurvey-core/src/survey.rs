//! What is asked: the intro, the consent question, the questions and the goodbye.

mod condition;

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

pub use condition::Condition;

use crate::interpretation::Expected;
use crate::language::Language;

/// The script of an interview.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Survey {
    /// Spoken first: who is calling and why. It may already ask for consent.
    pub intro_script: String,
    /// Asked after the intro when the intro does not end in a question of its own.
    #[serde(default)]
    pub consent_question: Option<String>,
    /// The questions, in the order in which they are asked.
    pub questions: Vec<Question>,
    /// Spoken when the last question has been dealt with.
    pub completion_message: String,
    /// The same words in other languages, for contacts who speak them. What a translation leaves
    /// out is spoken in the campaign's language.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub translations: BTreeMap<Language, SurveyTranslation>,
}

/// The words of a survey in another language.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SurveyTranslation {
    /// The intro.
    pub intro_script: String,
    /// The consent question, if the intro does not ask it. Nobody agrees to what they do not
    /// understand: where there is none, the usual one of that language is asked.
    #[serde(default)]
    pub consent_question: Option<String>,
    /// The texts of the questions, by key.
    pub questions: BTreeMap<String, String>,
    /// The goodbye.
    pub completion_message: String,
    /// The words of the options of a choice, by their keys, and of the marks of a scale, by the
    /// marks, of each question by its key. The first word is read out.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub options: BTreeMap<String, BTreeMap<String, Vec<String>>>,
}

/// One question.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Question {
    /// Names the question in results and files: `q1`, `satisfaction`. Unique in its survey.
    pub key: String,
    /// What is spoken. `{{name}}` and `{{column}}` stand for data of the contact.
    pub text: String,
    /// What kind of answer is expected, with its bounds.
    #[serde(flatten)]
    pub kind: QuestionKind,
    /// A required question cannot be skipped by saying so.
    #[serde(default)]
    pub required: bool,
    /// How often the question is asked again when it was not understood.
    #[serde(default = "default_retries")]
    pub retries: u8,
    /// What must hold for it to be asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub show_if: Option<Condition>,
}

const fn default_retries() -> u8 {
    2
}

/// The kinds of questions, with what bounds their answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum QuestionKind {
    /// Anything the person says.
    FreeText,
    /// A number within `min` and `max`, both included.
    Numeric {
        /// The smallest number accepted.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        min: Option<Decimal>,
        /// The largest number accepted.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        max: Option<Decimal>,
        /// Whether a number with decimals is an answer.
        #[serde(default)]
        decimals: bool,
    },
    /// A whole number from `min` to `max`, both included.
    Scale {
        /// The low end.
        #[serde(default = "default_scale_min")]
        min: i64,
        /// The high end.
        #[serde(default = "default_scale_max")]
        max: i64,
        /// What some of the marks are called.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        labels: Vec<ScaleLabel>,
    },
    /// Yes or no.
    YesNo,
    /// One of several options.
    Choice {
        /// The options, in the order in which they are read out.
        options: Vec<ChoiceOption>,
    },
}

const fn default_scale_min() -> i64 {
    1
}

const fn default_scale_max() -> i64 {
    5
}

/// Nobody means a larger number, and sums of such numbers can still be told.
const LARGEST_NUMBER: i64 = 999_999_999_999;

impl QuestionKind {
    /// What an interpreter is told to expect.
    pub fn expected(&self) -> Expected {
        match self {
            Self::FreeText => Expected::FreeText,
            Self::Numeric { min, max, decimals } => Expected::Number {
                min: *min,
                max: *max,
                decimals: *decimals,
            },
            Self::Scale { min, max, labels } => Expected::Scale {
                min: *min,
                max: *max,
                labels: labels.clone(),
            },
            Self::YesNo => Expected::YesNo,
            Self::Choice { options } => Expected::Choice {
                options: options.clone(),
            },
        }
    }

    /// Whether `value` is an answer to such a question. Interpreters are not trusted with this.
    pub fn accepts(&self, value: &AnswerValue) -> bool {
        match (self, value) {
            (Self::FreeText, AnswerValue::Text(words)) => !words.trim().is_empty(),
            (Self::Numeric { min, max, decimals }, AnswerValue::Number(number)) => {
                min.is_none_or(|min| *number >= min)
                    && max.is_none_or(|max| *number <= max)
                    && (*decimals || number.fract().is_zero())
                    && number.abs() <= Decimal::from(LARGEST_NUMBER)
            }
            (Self::Scale { min, max, .. }, AnswerValue::Number(number)) => {
                number.fract().is_zero()
                    && *number >= Decimal::from(*min)
                    && *number <= Decimal::from(*max)
            }
            (Self::YesNo, AnswerValue::YesNo(_)) => true,
            (Self::Choice { options }, AnswerValue::Choice(key)) => {
                options.iter().any(|option| option.key == *key)
            }
            _ => false,
        }
    }

    /// The name used in the API and in files.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::FreeText => "free_text",
            Self::Numeric { .. } => "numeric",
            Self::Scale { .. } => "scale",
            Self::YesNo => "yes_no",
            Self::Choice { .. } => "choice",
        }
    }
}

/// One option of a choice question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChoiceOption {
    /// What is stored when this option is chosen.
    pub key: String,
    /// The words people say for it; the first is read out.
    pub say: Vec<String>,
}

/// What a mark of a scale is called: `{"value": 5, "say": ["molto soddisfatto"]}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScaleLabel {
    /// The mark.
    pub value: i64,
    /// The words people say for it; the first is read out.
    pub say: Vec<String>,
}

/// A value that was checked against its question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", content = "value", rename_all = "snake_case")]
pub enum AnswerValue {
    /// The words of a free-text answer.
    Text(String),
    /// The number of a numeric or scale answer.
    Number(Decimal),
    /// Yes is `true`.
    YesNo(bool),
    /// The key of the chosen option.
    Choice(String),
}

impl AnswerValue {
    /// The value as a file or a table shows it.
    pub fn to_text(&self) -> String {
        match self {
            Self::Text(words) => words.clone(),
            Self::Number(number) => number.normalize().to_string(),
            Self::YesNo(true) => "yes".to_owned(),
            Self::YesNo(false) => "no".to_owned(),
            Self::Choice(key) => key.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_values_within_the_bounds_are_accepted() {
        let scale = QuestionKind::Scale {
            min: 1,
            max: 5,
            labels: Vec::new(),
        };
        assert!(scale.accepts(&AnswerValue::Number(Decimal::from(5))));
        assert!(!scale.accepts(&AnswerValue::Number(Decimal::from(6))));
        assert!(!scale.accepts(&AnswerValue::Number(Decimal::new(35, 1))));
        assert!(!scale.accepts(&AnswerValue::Text("five".to_owned())));
        let age = QuestionKind::Numeric {
            min: Some(Decimal::ZERO),
            max: None,
            decimals: false,
        };
        assert!(age.accepts(&AnswerValue::Number(Decimal::from(42))));
        assert!(!age.accepts(&AnswerValue::Number(Decimal::from(-1))));
    }

    #[test]
    fn a_question_reads_as_the_api_writes_it() {
        let question: Question =
            serde_json::from_str(r#"{"key": "q2", "text": "Da 1 a 5?", "type": "scale"}"#).unwrap();
        let scale = |labels| QuestionKind::Scale {
            min: 1,
            max: 5,
            labels,
        };
        assert_eq!(question.kind, scale(Vec::new()));
        assert_eq!(question.retries, 2);
        assert_eq!(question.show_if, None);

        let labelled: Question = serde_json::from_str(
            r#"{"key": "q2", "text": "Da 1 a 5?", "type": "scale",
                "labels": [{"value": 5, "say": ["ottimo"]}],
                "show_if": {"question": "q1", "at_most": "6"}}"#,
        )
        .unwrap();
        let label = ScaleLabel {
            value: 5,
            say: vec!["ottimo".to_owned()],
        };
        assert_eq!(labelled.kind, scale(vec![label]));
        let condition = labelled.show_if.unwrap();
        assert_eq!(condition.at_most, Some(Decimal::from(6)));
    }
}
