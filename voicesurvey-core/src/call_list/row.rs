//! One row of a call list, and the contact that is made of it.

use std::collections::{BTreeMap, HashSet};

use serde::{Deserialize, Serialize};

use super::{PhoneCell, yes_no};
use crate::blank::{is_blank, trimmed};
use crate::language::Language;
use crate::phone_number::{PhoneNumber, PhoneNumberError, Region};
use crate::time_zone::TimeZone;

/// One row of a call list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CallListRow {
    /// The row's number in the file; the header is row 1.
    pub row: u64,
    /// What stands in the phone column.
    pub phone_number: String,
    /// Whether `phone_number` was in a cell of numbers, which cannot begin with a zero.
    pub phone_number_is_numeric: bool,
    /// Which cell of `original` that is, counted from 0.
    pub phone_place: Option<usize>,
    /// What stands in the further columns of phone numbers, where it is not empty; it is in `extra`
    /// too.
    pub other_phones: Vec<PhoneCell>,
    /// What stands in the name column.
    pub name: String,
    /// What stands in the language column.
    pub language: String,
    /// What stands in the time zone column.
    pub time_zone: String,
    /// What stands in the priority column; higher is called earlier.
    pub priority: String,
    /// What stands in the column with the person's identifier in somebody's own files.
    pub external_id: String,
    /// What stands in the column with the e-mail address.
    pub email: String,
    /// What stands in the column that says who must not be called: yes, no, or nothing.
    pub do_not_call: String,
    /// What stands in the column that says who has agreed to be called: yes, no, or nothing.
    pub has_prior_consent: String,
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
    /// Every other column of the list (row B4), usable in the script as `{{column}}`. What is
    /// known about the person beside that is here too, under the names of [`Contact::EXTERNAL_ID`]
    /// and the other constants, so that every store keeps it and every export has it.
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

    /// Whether a number with those [digits](PhoneNumber::shared_digits) stands in the row, however it
    /// is written.
    pub fn has_number(&self, digits: &str) -> bool {
        let mut cells = self.original.iter().chain([&self.value]);
        cells.any(|cell| {
            let of_cell: String = cell.chars().filter(char::is_ascii_digit).collect();
            of_cell.contains(digits)
        })
    }
}

impl Contact {
    /// The name in `extra` of what [`Contact::external_id`] returns.
    pub const EXTERNAL_ID: &'static str = "external_id";
    /// The name in `extra` of what [`Contact::email`] returns.
    pub const EMAIL: &'static str = "email";
    /// The name in `extra` of what [`Contact::do_not_call`] returns.
    pub const DO_NOT_CALL: &'static str = "do_not_call";
    /// The name in `extra` of what [`Contact::has_prior_consent`] returns.
    pub const HAS_PRIOR_CONSENT: &'static str = "has_prior_consent";
    /// The name in `extra` of the further numbers of the cell, divided by commas.
    pub const OTHER_PHONE_NUMBERS: &'static str = "other_phone_numbers";

    /// The names in `extra` that a column of a list cannot have, unless it means the same.
    pub const RESERVED: [&'static str; 5] = [
        Self::EXTERNAL_ID,
        Self::EMAIL,
        Self::DO_NOT_CALL,
        Self::HAS_PRIOR_CONSENT,
        Self::OTHER_PHONE_NUMBERS,
    ];

    /// The person's identifier in somebody's own files.
    pub fn external_id(&self) -> Option<&str> {
        self.extra.get(Self::EXTERNAL_ID).map(String::as_str)
    }

    /// The e-mail address, as the list has it.
    pub fn email(&self) -> Option<&str> {
        self.extra.get(Self::EMAIL).map(String::as_str)
    }

    /// The further numbers of the cell in which the number stood.
    pub fn other_phone_numbers(&self) -> impl Iterator<Item = PhoneNumber> {
        let others = self.extra.get(Self::OTHER_PHONE_NUMBERS);
        let others = others.into_iter().flat_map(|others| others.split(", "));
        others.filter_map(|number| number.parse().ok())
    }

    /// Takes numbers out of the [further ones](Self::other_phone_numbers), and returns whether any of
    /// them stood there.
    pub fn forget_other_phone_numbers(&mut self, numbers: &HashSet<PhoneNumber>) -> bool {
        let known: Vec<PhoneNumber> = self.other_phone_numbers().collect();
        let kept = known.iter().filter(|number| !numbers.contains(number));
        let kept: Vec<&str> = kept.map(PhoneNumber::as_str).collect();
        if kept.len() == known.len() {
            return false;
        }
        if kept.is_empty() {
            self.extra.remove(Self::OTHER_PHONE_NUMBERS);
        } else {
            let kept = kept.join(", ");
            self.extra
                .insert(Self::OTHER_PHONE_NUMBERS.to_owned(), kept);
        }
        true
    }

    /// Whether the list says that the person must not be called. A task made of this contact is
    /// excluded.
    pub fn do_not_call(&self) -> bool {
        self.flag(Self::DO_NOT_CALL) == Some(true)
    }

    /// Whether the list says that the person has agreed to be called; `None` when it says nothing.
    pub fn has_prior_consent(&self) -> Option<bool> {
        self.flag(Self::HAS_PRIOR_CONSENT)
    }

    /// A column that was uploaded before these names had a meaning may hold anything.
    fn flag(&self, name: &str) -> Option<bool> {
        self.extra.get(name).and_then(|cell| yes_no(cell))
    }
}

impl CallListRow {
    /// Reads the row as a contact; numbers without a country code are read in `region`.
    pub fn contact(&self, region: Region) -> Result<Contact, RowError> {
        let numbers =
            PhoneNumber::parse_cell(&self.phone_number, region, self.phone_number_is_numeric);
        let numbers =
            numbers.map_err(|error| self.error("phone_number", &self.phone_number, &error))?;
        let (phone_number, others) = numbers.split_first().ok_or_else(|| {
            self.error("phone_number", &self.phone_number, &PhoneNumberError::Empty)
        })?;
        self.contact_at(*phone_number, others)
            .map_err(|error| self.with_certain_number(error, &numbers, region))
    }

    fn contact_at(
        &self,
        phone_number: PhoneNumber,
        others: &[PhoneNumber],
    ) -> Result<Contact, RowError> {
        let language = optional(&self.language)
            .map_err(|error| self.error("language", &self.language, &error))?;
        let named_zone: Option<TimeZone> = optional(&self.time_zone)
            .map_err(|error| self.error("time_zone", &self.time_zone, &error))?;
        let time_zones = named_zone.map_or_else(|| phone_number.time_zones(), |zone| vec![zone]);
        Ok(Contact {
            phone_number,
            name: clean(trimmed(&self.name)),
            language,
            time_zones,
            priority: self.priority()?,
            extra: self.extra(others)?,
        })
    }

    /// The error with the number as it was read, if that took knowing that the cell was one of numbers:
    /// the error file, which is text, would not tell it any more.
    fn with_certain_number(
        &self,
        mut error: RowError,
        numbers: &[PhoneNumber],
        region: Region,
    ) -> RowError {
        if let [number] = numbers
            && self.phone_number_is_numeric
            && PhoneNumber::parse(&self.phone_number, region) != Ok(*number)
            && let Some(cell) = self.phone_place.and_then(|at| error.original.get_mut(at))
        {
            number.as_str().clone_into(cell);
        }
        error
    }

    /// The other columns, and what is known beside them under the names that are kept for it.
    fn extra(&self, others: &[PhoneNumber]) -> Result<BTreeMap<String, String>, RowError> {
        let columns = self.extra.iter();
        let mut extra: BTreeMap<_, _> = columns
            .map(|(column, value)| (clean(column), clean(value)))
            .collect();
        let mut put = |name: &str, value: String| {
            if !value.is_empty() {
                extra.insert(name.to_owned(), value);
            }
        };
        put(Contact::EXTERNAL_ID, clean(trimmed(&self.external_id)));
        put(Contact::EMAIL, clean(trimmed(&self.email)));
        for (name, cell) in [
            (Contact::DO_NOT_CALL, &self.do_not_call),
            (Contact::HAS_PRIOR_CONSENT, &self.has_prior_consent),
        ] {
            put(name, self.flag(name, cell)?);
        }
        let others: Vec<_> = others.iter().map(PhoneNumber::as_str).collect();
        put(Contact::OTHER_PHONE_NUMBERS, others.join(", "));
        Ok(extra)
    }

    /// `true`, `false`, or nothing for an empty cell. What is neither may not be taken for no.
    fn flag(&self, column: &str, cell: &str) -> Result<String, RowError> {
        if is_blank(cell) {
            return Ok(String::new());
        }
        yes_no(cell)
            .map(|yes| yes.to_string())
            .ok_or_else(|| self.error(column, cell, &"use yes or no, or leave the cell empty"))
    }

    fn priority(&self) -> Result<i16, RowError> {
        let text = trimmed(&self.priority);
        if text.is_empty() {
            return Ok(0);
        }
        text.parse()
            .ok()
            .filter(|priority| (-100..=100).contains(priority))
            .ok_or_else(|| self.error("priority", text, &"use a whole number from -100 to 100"))
    }

    pub(super) fn error(
        &self,
        column: &str,
        value: &str,
        reason: &dyn std::fmt::Display,
    ) -> RowError {
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
    if is_blank(text) {
        Ok(None)
    } else {
        trimmed(text).parse().map(Some)
    }
}

#[cfg(test)]
mod tests;
