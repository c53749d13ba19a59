//! What a column or an answer must be for a person to be in a cell.

use std::str::FromStr as _;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What a column or an answer must be.
///
/// Written as one text, number or boolean, as a list of them, or as `{"from": 18, "to": 34}`, where
/// either end may be left out and both belong to it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Value", into = "Value")]
pub enum Wanted {
    /// One of these texts, whatever their case; numbers are compared as numbers.
    OneOf(Vec<String>),
    /// A number within these bounds, both included.
    Between {
        /// The smallest.
        from: Option<Decimal>,
        /// The largest.
        to: Option<Decimal>,
    },
}

impl Wanted {
    /// Whether this text is what is wanted.
    pub fn holds(&self, text: &str) -> bool {
        match self {
            Self::OneOf(wanted) => wanted.iter().any(|wanted| is_same(wanted, text)),
            Self::Between { from, to } => number(text).is_some_and(|number| {
                from.is_none_or(|from| from <= number) && to.is_none_or(|to| number <= to)
            }),
        }
    }
}

fn is_same(a: &str, b: &str) -> bool {
    match (number(a), number(b)) {
        (Some(a), Some(b)) => a == b,
        _ => a.trim().to_lowercase() == b.trim().to_lowercase(),
    }
}

/// The number that a text is; lists write decimals with a point or a comma.
fn number(text: &str) -> Option<Decimal> {
    let text = text.trim();
    Decimal::from_str(text)
        .or_else(|_| Decimal::from_str(&text.replacen(',', ".", 1)))
        .ok()
}

/// It is written in none of the ways that a [`Wanted`] can be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "use a text, a number, true or false, a list of them, or {{\"from\": 18, \"to\": 34}} with one end or both"
)]
pub struct NotWanted;

impl TryFrom<Value> for Wanted {
    type Error = NotWanted;

    fn try_from(value: Value) -> Result<Self, NotWanted> {
        match value {
            Value::Array(values) if !values.is_empty() => {
                let texts = values.iter().map(|value| scalar(value).ok_or(NotWanted));
                texts.collect::<Result<_, _>>().map(Self::OneOf)
            }
            Value::Object(mut bounds) => {
                let from = bound(bounds.remove("from"))?;
                let to = bound(bounds.remove("to"))?;
                if !bounds.is_empty() || (from.is_none() && to.is_none()) {
                    return Err(NotWanted);
                }
                Ok(Self::Between { from, to })
            }
            value => {
                let text = scalar(&value).ok_or(NotWanted)?;
                Ok(Self::OneOf(vec![text]))
            }
        }
    }
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(true) => Some("yes".to_owned()),
        Value::Bool(false) => Some("no".to_owned()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

fn bound(value: Option<Value>) -> Result<Option<Decimal>, NotWanted> {
    let text = match value {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Number(number)) => number.to_string(),
        Some(Value::String(text)) => text,
        Some(_) => return Err(NotWanted),
    };
    number(&text).map(Some).ok_or(NotWanted)
}

impl From<Wanted> for Value {
    fn from(wanted: Wanted) -> Self {
        match wanted {
            Wanted::OneOf(mut texts) if texts.len() == 1 => {
                texts.pop().map_or(Self::Null, Into::into)
            }
            Wanted::OneOf(texts) => texts.into(),
            Wanted::Between { from, to } => {
                let ends = [("from", from), ("to", to)];
                let ends = ends.into_iter().filter_map(|(end, number)| {
                    // As a text, so that no decimal is lost.
                    Some((end.to_owned(), Self::from(number?.normalize().to_string())))
                });
                Self::Object(ends.collect())
            }
        }
    }
}
