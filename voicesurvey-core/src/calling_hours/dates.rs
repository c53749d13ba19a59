//! Dates in JSON as `2026-12-25`, with errors that name the date that is wrong.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// The text is no date written as `YYYY-MM-DD`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Invalid date: '{0}' (use YYYY-MM-DD)")]
pub struct InvalidDate(pub String);

/// Reads exactly `YYYY-MM-DD`.
pub fn read_date(text: &str) -> Result<NaiveDate, InvalidDate> {
    // chrono alone would also read `2026-1-5` and `+12026-01-05`.
    NaiveDate::parse_from_str(text, "%Y-%m-%d")
        .ok()
        .filter(|date| date.to_string() == text)
        .ok_or_else(|| InvalidDate(text.to_owned()))
}

pub(super) fn serialize<S: Serializer>(
    dates: &BTreeSet<NaiveDate>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    dates.serialize(serializer)
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeSet<NaiveDate>, D::Error> {
    let texts = Vec::<String>::deserialize(deserializer)?;
    texts
        .iter()
        .map(|text| read_date(text).map_err(de::Error::custom))
        .collect()
}
