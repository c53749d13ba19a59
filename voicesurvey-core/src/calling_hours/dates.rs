//! Sets of dates in JSON as `["2026-12-25"]`, with errors that name the date that is wrong.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

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
        .map(|text| date(text).map_err(de::Error::custom))
        .collect()
}

fn date(text: &str) -> Result<NaiveDate, String> {
    // chrono alone would also read `2026-1-5` and `+12026-01-05`.
    NaiveDate::parse_from_str(text, "%Y-%m-%d")
        .ok()
        .filter(|date| date.to_string() == text)
        .ok_or_else(|| format!("Invalid date: '{text}' (use YYYY-MM-DD)"))
}
