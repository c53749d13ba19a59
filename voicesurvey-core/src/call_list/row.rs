//! One row of a call list, and the contact that is made of it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::language::Language;
use crate::phone_number::{PhoneNumber, Region};
use crate::time_zone::TimeZone;

/// One row of a call list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CallListRow {
    /// The row's number in the file; the header is row 1.
    pub row: u64,
    /// What stands in the phone column.
    pub phone_number: String,
    /// What stands in the name column.
    pub name: String,
    /// What stands in the language column.
    pub language: String,
    /// What stands in the time zone column.
    pub time_zone: String,
    /// What stands in the priority column; higher is called earlier.
    pub priority: String,
    /// Every other column, by its header.
    pub extra: BTreeMap<String, String>,
    /// The whole row as it stands, for the error file.
    pub original: Vec<String>,
}

/// A person to be called.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Contact {
    /// The number, in E.164.
    pub phone_number: PhoneNumber,
    /// What to call the person; may be empty.
    pub name: String,
    /// The language to be spoken; absent means the campaign's.
    pub language: Option<Language>,
    /// The zones the person may be in; several when the number does not say which, none when
    /// nothing is known and the campaign's zone applies.
    pub time_zones: Vec<TimeZone>,
    /// Higher is called earlier; from -100 to 100, usually 0.
    pub priority: i16,
    /// Every other column of the list (row B4), usable in the script as `{{column}}`.
    #[serde(default)]
    pub extra: BTreeMap<String, String>,
}

/// Why a row was not taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowError {
    /// The row's number in the file; the header is row 1.
    pub row: u64,
    /// The column at fault.
    pub column: String,
    /// What stands there.
    pub value: String,
    /// What is wrong with it.
    pub reason: String,
    /// The whole row as it stands, for the error file.
    pub original: Vec<String>,
}

impl RowError {
    /// The error as people read it: `Row 6: Empty phone number`.
    pub fn message(&self) -> String {
        format!("Row {}: {}", self.row, self.reason)
    }
}

impl CallListRow {
    /// Reads the row as a contact; numbers without a country code are read in `region`.
    pub fn contact(&self, region: Region) -> Result<Contact, RowError> {
        let phone_number = PhoneNumber::parse(&self.phone_number, region)
            .map_err(|error| self.error("phone_number", &self.phone_number, &error))?;
        let language = optional(&self.language)
            .map_err(|error| self.error("language", &self.language, &error))?;
        let named_zone: Option<TimeZone> = optional(&self.time_zone)
            .map_err(|error| self.error("time_zone", &self.time_zone, &error))?;
        let time_zones = named_zone.map_or_else(|| phone_number.time_zones(), |zone| vec![zone]);
        Ok(Contact {
            phone_number,
            name: clean(self.name.trim()),
            language,
            time_zones,
            priority: self.priority()?,
            extra: self
                .extra
                .iter()
                .map(|(column, value)| (clean(column), clean(value)))
                .collect(),
        })
    }

    fn priority(&self) -> Result<i16, RowError> {
        let text = self.priority.trim();
        if text.is_empty() {
            return Ok(0);
        }
        text.parse()
            .ok()
            .filter(|priority| (-100..=100).contains(priority))
            .ok_or_else(|| self.error("priority", text, &"use a whole number from -100 to 100"))
    }

    fn error(&self, column: &str, value: &str, reason: &dyn std::fmt::Display) -> RowError {
        RowError {
            row: self.row,
            column: column.to_owned(),
            value: value.to_owned(),
            reason: reason.to_string(),
            original: self.original.clone(),
        }
    }
}

/// The text with spaces in place of control characters, which a store may refuse and nobody says.
pub(crate) fn clean(text: &str) -> String {
    text.replace(char::is_control, " ")
}

/// Reads a cell that may be empty.
fn optional<T: std::str::FromStr>(text: &str) -> Result<Option<T>, T::Err> {
    if text.trim().is_empty() {
        Ok(None)
    } else {
        text.parse().map(Some)
    }
}
