//! What is asked: the intro, the consent question, the questions and the goodbye.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

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

impl QuestionKind {
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
