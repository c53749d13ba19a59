//! Works out what each column of a list holds, from its heading and, in doubt, from its cells.

use super::heading::{self, Meaning};
use super::{CallListError, Record};
use crate::cell;
use crate::column_names::ColumnNames;

/// How many rows are looked at when a heading leaves a doubt.
const SAMPLE: usize = 100;

/// Which column holds what.
#[derive(Debug)]
pub(super) struct Columns {
    pub(super) phone_number: usize,
    /// The parts of the name, in the order in which they are spoken.
    name: Vec<usize>,
    pub(super) language: Option<usize>,
    pub(super) time_zone: Option<usize>,
    pub(super) priority: Option<usize>,
    /// Every other column, with its name.
    pub(super) extra: Vec<(usize, String)>,
    /// The columns that our error file adds.
    own: Vec<usize>,
    /// Every name, made distinct, without those of `own`.
    names: Vec<String>,
}

impl Columns {
    pub(super) fn find(header: Vec<String>, records: &[Record]) -> Result<Self, CallListError> {
        let Some(phone_number) = phone_number_column(&header, records) else {
            return Err(CallListError::MissingPhoneColumn { found: header });
        };
        let meanings: Vec<_> = header
            .iter()
            .map(|heading| heading::meaning(heading))
            .collect();
        let first = |wanted| meanings.iter().position(|meaning| *meaning == Some(wanted));
        let language = first(Meaning::Language);
        let time_zone = first(Meaning::TimeZone);
        let priority = first(Meaning::Priority);
        let name = name_columns(first);
        let own: Vec<usize> = (0..header.len())
            .filter(|column| meanings[*column] == Some(Meaning::ErrorFile))
            .collect();

        let mut understood = vec![Some(phone_number), language, time_zone, priority];
        // A script may greet by the first name only, so the parts of a name stay at hand.
        if let [column] = name[..] {
            understood.push(Some(column));
        }
        let mut taken = ColumnNames::default();
        let mut names = Vec::new();
        let mut extra = Vec::new();
        for (column, heading) in header
            .iter()
            .enumerate()
            .filter(|(column, _)| !own.contains(column))
        {
            let name = taken.take(cell::meant(heading), column + 1);
            // Spreadsheets write empty columns to the right of a list.
            let is_unused = heading.trim().is_empty()
                && records.iter().all(|record| record.cell(column).is_empty());
            if !is_unused && !understood.contains(&Some(column)) {
                extra.push((column, name.clone()));
            }
            names.push(name);
        }
        Ok(Self {
            phone_number,
            name,
            language,
            time_zone,
            priority,
            extra,
            own,
            names,
        })
    }

    /// The person's name, put together from its parts.
    pub(super) fn name_of(&self, record: &Record) -> String {
        let parts = self.name.iter().map(|column| record.cell(*column));
        parts
            .filter(|part| !part.is_empty())
            .collect::<Vec<_>>()
            .join(" ")
    }

    /// The cells as they stand, without those that our error file has added.
    pub(super) fn without_own(&self, cells: Vec<String>) -> Vec<String> {
        let cells = cells.into_iter().enumerate();
        cells
            .filter(|(column, _)| !self.own.contains(column))
            .map(|(_, cell)| cell)
            .collect()
    }

    pub(super) fn into_names(self) -> Vec<String> {
        self.names
    }
}

/// The column to be dialed: the one named as we name it, else the first that has numbers under a
/// heading that can mean nothing else, else one whose heading and cells together say so.
fn phone_number_column(header: &[String], records: &[Record]) -> Option<usize> {
    let find = |wanted: &dyn Fn(usize, &str) -> bool| {
        header
            .iter()
            .enumerate()
            .position(|(column, heading)| wanted(column, heading))
    };
    find(&|_, heading| heading.trim() == heading::PHONE_NUMBER)
        .or_else(|| {
            find(&|column, heading| {
                heading::is_phone_number(heading) && has_numbers(column, records)
            })
        })
        .or_else(|| find(&|_, heading| heading::is_phone_number(heading)))
        .or_else(|| {
            find(&|column, heading| {
                heading::may_be_phone_number(heading) && has_numbers(column, records)
            })
        })
}

/// Whether at least half of the cells that are not empty look like phone numbers.
fn has_numbers(column: usize, records: &[Record]) -> bool {
    let cells = records
        .iter()
        .map(|record| record.cell(column))
        .filter(|cell| !cell.is_empty());
    let sample: Vec<_> = cells.take(SAMPLE).collect();
    let numbers = sample
        .iter()
        .filter(|cell| cell::looks_like_a_phone_number(cell))
        .count();
    numbers > 0 && 2 * numbers >= sample.len()
}

/// `Nome` alone is the name; beside `Cognome` it is the first name, and `Name` beside `Vorname` the
/// last. `Nome e cognome` needs no other.
fn name_columns(first: impl Fn(Meaning) -> Option<usize>) -> Vec<usize> {
    let parts = match (
        first(Meaning::FullName),
        first(Meaning::GivenName),
        first(Meaning::FamilyName),
    ) {
        (Some(full_name), _, _) => [Some(full_name), None, None],
        (None, Some(given_name), Some(family_name)) => [Some(given_name), Some(family_name), None],
        (None, given_name, family_name) => [given_name, first(Meaning::Name), family_name],
    };
    parts.into_iter().flatten().collect()
}
