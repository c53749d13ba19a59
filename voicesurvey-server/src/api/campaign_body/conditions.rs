//! Show-if: under which answer to an earlier question a question is asked.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use voicesurvey_core::survey::Condition;

use crate::api::fields::{Checks, Field, FromJson, UnknownFields};

/// What must have been answered to an earlier question. All tests that are given must hold, and a
/// question that was skipped or not asked has no answer.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct NewConditionBody {
    /// The key of the earlier question.
    #[schema(value_type = String, example = "q1")]
    question: Field<String>,
    /// The answer is one of these: a number, the key of an option, `yes` or `no`.
    #[schema(value_type = Option<Vec<Value>>)]
    is: Field<Vec<ValueAsText>>,
    /// There is an answer, and it is none of these.
    #[schema(value_type = Option<Vec<Value>>)]
    is_not: Field<Vec<ValueAsText>>,
    /// The answer is a number not under this one.
    #[schema(value_type = Option<f64>)]
    at_least: Field<Decimal>,
    /// The answer is a number not over this one.
    #[schema(value_type = Option<f64>)]
    at_most: Field<Decimal>,
    /// Whether there is an answer at all.
    #[schema(value_type = Option<bool>)]
    answered: Field<bool>,
    #[serde(flatten)]
    #[schema(ignore)]
    unknown: UnknownFields,
}

const PARTS: [&str; 6] = [
    "question", "is", "is_not", "at_least", "at_most", "answered",
];

/// A value written as results show it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ValueAsText(String);

impl FromJson for ValueAsText {
    fn from_json(value: Value) -> Result<Self, String> {
        match value {
            Value::Bool(yes) => Ok(if yes { "yes" } else { "no" }.to_owned()),
            Value::Number(_) => {
                Decimal::from_json(value).map(|number| number.normalize().to_string())
            }
            Value::String(_) => String::from_json(value),
            _ => Err("use a number, a text, true or false".to_owned()),
        }
        .map(Self)
    }
}

impl FromJson for NewConditionBody {
    fn from_json(value: Value) -> Result<Self, String> {
        if !value.is_object() {
            return Err("must be an object".to_owned());
        }
        serde_json::from_value(value).map_err(|error| error.to_string())
    }
}

impl NewConditionBody {
    /// Reads the condition that the caller calls `field`.
    pub(super) fn read(self, field: &str, checks: &mut Checks) -> Option<Condition> {
        let part = |part: &str| format!("{field}.{part}");
        for (unknown, _) in self.unknown {
            checks.wrong(part(&unknown), "unknown field");
        }
        let mut texts = |name: &str, values: Field<Vec<ValueAsText>>| -> Vec<String> {
            let values = checks.optional(&part(name), values).unwrap_or_default();
            values.into_iter().map(|ValueAsText(text)| text).collect()
        };
        let (is, is_not) = (texts("is", self.is), texts("is_not", self.is_not));
        let at_least = checks.optional(&part("at_least"), self.at_least);
        let at_most = checks.optional(&part("at_most"), self.at_most);
        let answered = checks.optional(&part("answered"), self.answered);
        let question = checks.required(&part("question"), self.question);
        // What is left of it would mean something else.
        let is_whole = PARTS.iter().all(|name| !checks.is_wrong(&part(name)));
        let question = question.filter(|_| is_whole);
        Some(Condition {
            question: question?,
            is,
            is_not,
            at_least,
            at_most,
            answered,
        })
    }
}

/// What must have been answered to an earlier question.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ConditionBody {
    /// The key of the earlier question.
    question: String,
    /// The answer is one of these, written as results show it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    is: Vec<String>,
    /// There is an answer, and it is none of these.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    is_not: Vec<String>,
    /// The answer is a number not under this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<f64>)]
    at_least: Option<Value>,
    /// The answer is a number not over this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<f64>)]
    at_most: Option<Value>,
    /// Whether there is an answer at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    answered: Option<bool>,
}

impl From<&Condition> for ConditionBody {
    fn from(condition: &Condition) -> Self {
        Self {
            question: condition.question.clone(),
            is: condition.is.clone(),
            is_not: condition.is_not.clone(),
            at_least: condition.at_least.map(crate::api::number),
            at_most: condition.at_most.map(crate::api::number),
            answered: condition.answered,
        }
    }
}
