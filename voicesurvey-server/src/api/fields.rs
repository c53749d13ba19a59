//! Reading bodies field by field, so that one answer names everything that is wrong.
//!
//! A body for writing is a struct of [`Field`]s, which never fail to deserialize, and of
//! [`UnknownFields`]. Its `read` takes each field out with [`Checks`], which collect what is wrong
//! under the names the caller used.

use std::collections::BTreeMap;
use std::num::{NonZeroU16, NonZeroU32};
use std::str::FromStr;

use chrono::{DateTime, SubsecRound as _, Utc};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use voicesurvey_core::api_key::Role;
use voicesurvey_core::calling_hours::TimeOfDay;
use voicesurvey_core::campaign::MachineDetection;
use voicesurvey_core::id::{CampaignId, CompanyId, SkillbaseId};
use voicesurvey_core::language::Language;
use voicesurvey_core::phone_number::{PhoneNumber, Region};
use voicesurvey_core::service::{Change, FieldError, validation};
use voicesurvey_core::time::Timestamp;
use voicesurvey_core::time_zone::TimeZone;

use super::error::ApiError;

/// One field of a body. `null` is the same as leaving it out.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) enum Field<T> {
    /// It was left out.
    #[default]
    Absent,
    /// It can be used.
    Given(T),
    /// It cannot, and this is why.
    Wrong(String),
}

impl<T> Field<T> {
    /// Whether the caller named the field at all.
    pub(super) const fn is_named(&self) -> bool {
        !matches!(self, Self::Absent)
    }
}

impl<'de, T: FromJson> Deserialize<'de> for Field<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // As an option, because serde gives a missing field to nothing else.
        let value = Option::<Value>::deserialize(deserializer)?;
        Ok(value.map_or(Self::Absent, Self::from_value))
    }
}

impl<T: FromJson> Field<T> {
    /// Reads a value.
    pub(super) fn from_value(value: Value) -> Self {
        if value.is_null() {
            return Self::Absent;
        }
        T::from_json(value).map_or_else(Self::Wrong, Self::Given)
    }

    /// Reads a parameter of the query.
    pub(super) fn from_text(text: Option<String>) -> Self {
        text.map_or(Self::Absent, |text| Self::from_value(text.into()))
    }
}

/// One field of a change, in which `null` takes the setting away. Needs `#[serde(default)]`.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) enum Clearable<T> {
    /// It was left out.
    #[default]
    Absent,
    /// It was null.
    Null,
    /// It was something else.
    Named(Field<T>),
}

impl<'de, T: FromJson> Deserialize<'de> for Clearable<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        Ok(if value.is_null() {
            Self::Null
        } else {
            Self::Named(Field::from_value(value))
        })
    }
}

/// Fields that a body does not have.
pub(super) type UnknownFields = BTreeMap<String, Value>;

/// What is wrong with a body, field by field.
#[derive(Clone, Debug, Default)]
pub(super) struct Checks {
    errors: Vec<FieldError>,
}

impl Checks {
    /// Says what is wrong with a field.
    pub(super) fn wrong(&mut self, field: impl Into<String>, message: impl Into<String>) {
        self.errors.push(FieldError::new(field, message));
    }

    /// Whether something is wrong with a field.
    pub(super) fn is_wrong(&self, field: &str) -> bool {
        self.errors.iter().any(|known| known.field == field)
    }

    /// Takes out a field that may be left out.
    pub(super) fn optional<T>(&mut self, name: &str, field: Field<T>) -> Option<T> {
        match field {
            Field::Absent => None,
            Field::Given(value) => Some(value),
            Field::Wrong(message) => {
                self.wrong(name, message);
                None
            }
        }
    }

    /// Takes out a field of a change.
    pub(super) fn change<T>(&mut self, name: &str, field: Clearable<T>) -> Change<T> {
        match field {
            Clearable::Absent => Change::Keep,
            Clearable::Null => Change::Clear,
            Clearable::Named(field) => self.optional(name, field).map_or(Change::Keep, Change::Set),
        }
    }

    /// Takes out a field that may not be left out.
    pub(super) fn required<T>(&mut self, name: &str, field: Field<T>) -> Option<T> {
        if !field.is_named() {
            self.wrong(name, "is required");
        }
        self.optional(name, field)
    }

    /// Takes out the name of something, which may neither be left out nor be empty.
    pub(super) fn name(&mut self, field: Field<String>) -> Option<String> {
        let name = self.required("name", field)?;
        validation::name("name", &name, &mut self.errors);
        Some(name)
    }

    /// Reads a text, such as a parameter of the query, that may be left out.
    pub(super) fn parse<T: FromStr<Err: ToString>>(
        &mut self,
        name: &str,
        text: Option<&str>,
    ) -> Option<T> {
        let parsed = text?.parse().map_err(|error: T::Err| error.to_string());
        self.optional(name, parsed.map_or_else(Field::Wrong, Field::Given))
    }

    /// Refuses fields that the body does not have.
    pub(super) fn unknown(&mut self, fields: UnknownFields) {
        for (field, _) in fields {
            self.wrong(field, "unknown field");
        }
    }

    /// Adds what is wrong with fields of which nothing worse is known yet.
    pub(super) fn extend(&mut self, errors: Vec<FieldError>) {
        for error in errors {
            if !self.is_wrong(&error.field) {
                self.errors.push(error);
            }
        }
    }

    /// Answers with everything that is wrong with the body, if anything is.
    pub(super) fn finish(self) -> Result<(), ApiError> {
        self.finish_as(ApiError::invalid)
    }

    /// Answers with everything that is wrong with the query, if anything is.
    pub(super) fn finish_query(self) -> Result<(), ApiError> {
        self.finish_as(ApiError::invalid_query)
    }

    fn finish_as(self, error: fn(Vec<FieldError>) -> ApiError) -> Result<(), ApiError> {
        if self.errors.is_empty() {
            Ok(())
        } else {
            Err(error(self.errors))
        }
    }
}

impl From<Checks> for ApiError {
    fn from(checks: Checks) -> Self {
        Self::invalid(checks.errors)
    }
}

/// Reads one value of a body, or says what would be right.
pub(super) trait FromJson: Sized {
    /// Reads the value, which is not null.
    fn from_json(value: Value) -> Result<Self, String>;
}

impl FromJson for Value {
    fn from_json(value: Value) -> Result<Self, String> {
        Ok(value)
    }
}

impl FromJson for String {
    fn from_json(value: Value) -> Result<Self, String> {
        match value {
            // No database keeps it.
            Value::String(text) if text.contains('\0') => {
                Err("must not contain the character U+0000".to_owned())
            }
            Value::String(text) => Ok(text),
            _ => Err("must be a text".to_owned()),
        }
    }
}

impl FromJson for bool {
    fn from_json(value: Value) -> Result<Self, String> {
        value
            .as_bool()
            .ok_or_else(|| "must be true or false".to_owned())
    }
}

/// Whole numbers.
macro_rules! whole_numbers {
    ($($number:ty),+) => {$(
        impl FromJson for $number {
            fn from_json(value: Value) -> Result<Self, String> {
                let number = value.as_i64().ok_or("use a whole number")?;
                let least = i64::from(<$number>::MIN);
                number.try_into().map_err(|_| {
                    if number < least { "must not be negative" } else { "is too large" }.to_owned()
                })
            }
        }
    )+};
}

whole_numbers!(u8, u16, u32);

/// Whole numbers from one.
macro_rules! counts {
    ($($count:ty: $number:ty),+) => {$(
        impl FromJson for $count {
            fn from_json(value: Value) -> Result<Self, String> {
                let count = Self::new(<$number>::from_json(value)?);
                count.ok_or_else(|| "must be at least 1".to_owned())
            }
        }
    )+};
}

counts!(NonZeroU16: u16, NonZeroU32: u32);

/// Texts that are read as something else.
macro_rules! texts {
    ($($kind:ty),+) => {$(
        impl FromJson for $kind {
            fn from_json(value: Value) -> Result<Self, String> {
                String::from_json(value)?
                    .parse()
                    .map_err(|error: <$kind as FromStr>::Err| error.to_string())
            }
        }
    )+};
}

texts!(
    Language,
    MachineDetection,
    PhoneNumber,
    Region,
    Role,
    TimeZone
);

impl FromJson for TimeOfDay {
    fn from_json(value: Value) -> Result<Self, String> {
        // Whatever it is, the error shows it, as a text shows itself.
        let text = value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned);
        let time: Result<Self, _> = text.parse();
        time.map_err(|error| error.to_string())
    }
}

impl FromJson for Timestamp {
    fn from_json(value: Value) -> Result<Self, String> {
        let instant = value
            .as_str()
            .and_then(|text| DateTime::parse_from_rfc3339(text).ok());
        let instant = instant.map(|instant| instant.with_timezone(&Utc).trunc_subsecs(6));
        instant.ok_or_else(|| {
            format!(
                "Invalid time format: {value} (use RFC 3339 with an offset: 2026-11-20T09:00:00Z)"
            )
        })
    }
}

/// Identifiers.
macro_rules! identifiers {
    ($($id:ty),+) => {$(
        impl FromJson for $id {
            fn from_json(value: Value) -> Result<Self, String> {
                let id = value.as_str().and_then(|text| text.parse().ok());
                id.ok_or_else(|| "use a UUID".to_owned())
            }
        }
    )+};
}

identifiers!(CampaignId, CompanyId, SkillbaseId);

impl<T: FromJson> FromJson for Vec<T> {
    fn from_json(value: Value) -> Result<Self, String> {
        let Value::Array(values) = value else {
            return Err("must be a list".to_owned());
        };
        let read =
            |(index, value)| T::from_json(value).map_err(|error| format!("[{index}]: {error}"));
        values.into_iter().enumerate().map(read).collect()
    }
}

impl<T: FromJson> FromJson for BTreeMap<String, T> {
    fn from_json(value: Value) -> Result<Self, String> {
        let Value::Object(values) = value else {
            return Err("must be an object".to_owned());
        };
        let read = |(key, value)| {
            let value = T::from_json(value).map_err(|error| format!("{key}: {error}"))?;
            Ok((String::from_json(Value::String(key))?, value))
        };
        values.into_iter().map(read).collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_not_guessed_at() {
        assert_eq!(u16::from_json(json!(3)), Ok(3));
        for (value, message) in [
            (json!("3"), "use a whole number"),
            (json!(3.0), "use a whole number"),
            (json!(-1), "must not be negative"),
            (json!(70_000), "is too large"),
        ] {
            assert_eq!(u16::from_json(value), Err(message.to_owned()));
        }
        assert!(String::from_json(json!("a\0b")).is_err());
        assert_eq!(
            Vec::<u32>::from_json(json!([1, -2])),
            Err("[1]: must not be negative".to_owned())
        );
    }

    #[test]
    fn instants_need_an_offset_and_lose_nanoseconds() {
        let read = |text: &str| Timestamp::from_json(json!(text));
        assert_eq!(
            read("2026-11-20T10:00:00.123456789+01:00"),
            Ok("2026-11-20T09:00:00.123456Z".parse().unwrap())
        );
        assert!(read("2026-11-20T10:00:00").is_err());
    }

    #[test]
    fn null_takes_away_only_what_can_be_taken_away() {
        #[derive(Deserialize)]
        struct Body {
            #[serde(default)]
            clearable: Clearable<u32>,
            other: Field<u32>,
        }
        let read = |body: Value| {
            let body: Body = serde_json::from_value(body).unwrap();
            let mut checks = Checks::default();
            let read = (
                checks.change("clearable", body.clearable),
                checks.optional("other", body.other),
            );
            (read, checks.errors.len())
        };
        assert_eq!(read(json!({})), ((Change::Keep, None), 0));
        let null = json!({ "clearable": null, "other": null });
        assert_eq!(read(null), ((Change::Clear, None), 0));
        let given = json!({ "clearable": 1, "other": 2 });
        assert_eq!(read(given), ((Change::Set(1), Some(2)), 0));
        let wrong = json!({ "clearable": "1" });
        assert_eq!(read(wrong), ((Change::Keep, None), 1));
    }

    #[test]
    fn the_first_error_of_a_field_is_the_one_that_is_told() {
        let mut checks = Checks::default();
        assert_eq!(checks.required::<String>("name", Field::Absent), None);
        checks.extend(vec![
            FieldError::new("name", "must not be empty"),
            FieldError::new("language", "unknown"),
        ]);
        let fields: Vec<_> = checks
            .errors
            .iter()
            .map(|error| error.field.as_str())
            .collect();
        assert_eq!(fields, ["name", "language"]);
    }
}
