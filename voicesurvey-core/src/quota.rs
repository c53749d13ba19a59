//! Quotas: how many interviews are wanted of which people, and who is not called once there are
//! enough.
//!
//! A campaign may have cells: people whose columns or answers are so and so, and how many interviews
//! of them are enough. A person may be in several cells, and in none. Whoever is known to be in a
//! cell that is full is not called; whom an answer puts into one is thanked and let go. Columns are
//! known when a task is added, answers when they are given, so [`Cells`] are kept on the task, and
//! they are part of its lane (record 24): a cell that is full closes its lanes, and a claim never
//! walks over people whom it may not call.
//!
//! The invariant: a call is started only while each cell that the person is known to be in has
//! [`Room::Open`].

pub mod forecast;
mod openings;
mod places;
mod wanted;

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

pub use places::{CellNews, Place, Places, Room, counter_name, counters_of_places, named_counter};
pub use wanted::Wanted;

use crate::call_list::Contact;
use crate::survey::AnswerValue;

/// How many interviews are wanted of which people.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Quotas {
    /// When a place in a cell is taken.
    pub policy: QuotaPolicy,
    /// The cells. They may overlap, and need not hold everybody.
    pub cells: Vec<QuotaCell>,
}

/// When a place in a cell is taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QuotaPolicy {
    /// When an interview is completed. Calls that are in progress when the cell becomes full are
    /// finished, and count: there may be as many more as calls ran at that moment.
    #[default]
    CountAtCompletion,
    /// When a call is started, and given back if it ends without an interview. There are never more
    /// interviews than wanted of people who are known to be in the cell before the dial; but people
    /// wait for calls to end while the last places are held.
    ReserveAtDial,
}

impl QuotaPolicy {
    /// Every policy.
    pub const ALL: [Self; 2] = [Self::CountAtCompletion, Self::ReserveAtDial];

    /// The name used in the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::CountAtCompletion => "count_at_completion",
            Self::ReserveAtDial => "reserve_at_dial",
        }
    }
}

/// People of whom a number of interviews is wanted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct QuotaCell {
    /// What people call it. Unique in its campaign.
    pub name: String,
    /// How many interviews are enough; at least 1.
    pub target: u32,
    /// Who is in it.
    #[serde(rename = "where")]
    pub conditions: CellConditions,
}

/// Who is in a cell: all of it must hold.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CellConditions {
    /// What stands in columns of the call list, by their headers, whatever their case. `language`
    /// is the contact's language if the list has no such column.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub columns: BTreeMap<String, Wanted>,
    /// What was answered, by the keys of the questions.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub answers: BTreeMap<String, Wanted>,
}

impl Quotas {
    /// The cells that a person is known to be in, by the columns of the list and by the answers
    /// that are known.
    pub fn cells_of<'v>(
        &self,
        contact: &Contact,
        answer: impl Fn(&str) -> Option<&'v AnswerValue>,
    ) -> Cells {
        let holds = |cell: &QuotaCell| {
            let CellConditions { columns, answers } = &cell.conditions;
            columns
                .iter()
                .all(|(name, wanted)| column(contact, name).is_some_and(|text| wanted.holds(&text)))
                && answers.iter().all(|(key, wanted)| {
                    answer(key).is_some_and(|value| wanted.holds(&value.to_text()))
                })
        };
        let known = (0u16..).zip(&self.cells).filter(|(_, cell)| holds(cell));
        known.map(|(index, _)| index).collect()
    }

    /// The cells that a person is in who was in `before` and has answered that question, or whose
    /// answer to it was corrected.
    ///
    /// Only cells that ask for the answer are looked at, and of these only such as can be judged: what
    /// the list said of somebody who was forgotten is not known any more, and answers may have been
    /// forgotten too. That takes nobody out of a cell.
    pub fn cells_after<'v>(
        &self,
        question: &str,
        contact: &Contact,
        answer: impl Fn(&str) -> Option<&'v AnswerValue>,
        before: &Cells,
    ) -> Cells {
        let now = self.cells_of(contact, &answer);
        let is_judged = |cell: &QuotaCell| {
            let CellConditions { columns, answers } = &cell.conditions;
            let mut others = answers.keys().filter(|key| *key != question);
            answers.contains_key(question)
                && (columns.is_empty() || !contact.phone_number.is_nobodys())
                && others.all(|key| answer(key).is_some())
        };
        let cells = (0u16..).zip(&self.cells).filter(|(index, cell)| {
            let known = if is_judged(cell) { &now } else { before };
            known.contains(*index)
        });
        cells.map(|(index, _)| index).collect()
    }

    /// The cells that a person is known to be in before anything was asked.
    pub fn cells_of_contact(&self, contact: &Contact) -> Cells {
        self.cells_of(contact, |_| None)
    }

    /// The cells into which an answer may put somebody.
    pub fn cells_of_answers(&self) -> Cells {
        let cells = (0u16..).zip(&self.cells);
        let of_answers = cells.filter(|(_, cell)| !cell.conditions.answers.is_empty());
        of_answers.map(|(index, _)| index).collect()
    }

    /// Whether it depends on answers who is in a cell.
    pub fn depend_on_answers(&self) -> bool {
        let mut cells = self.cells.iter();
        cells.any(|cell| !cell.conditions.answers.is_empty())
    }

    /// Whether it depends on the answer to that question who is in a cell.
    pub fn depend_on(&self, question: &str) -> bool {
        let mut cells = self.cells.iter();
        cells.any(|cell| cell.conditions.answers.contains_key(question))
    }
}

/// What stands in a column of the list.
fn column(contact: &Contact, name: &str) -> Option<String> {
    let named = |header: &str| header.trim().to_lowercase() == name.trim().to_lowercase();
    let stands = contact.extra.get(name).or_else(|| {
        let mut columns = contact.extra.iter();
        columns
            .find(|(header, _)| named(header))
            .map(|(_, text)| text)
    });
    stands.cloned().or_else(|| {
        let language = contact.language.filter(|_| named("language"))?;
        Some(language.code().to_owned())
    })
}

/// The cells that a person is known to be in, by their places in the campaign's list, from 0.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cells(Vec<u16>);

impl Cells {
    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The cells, in order.
    pub fn iter(&self) -> impl Iterator<Item = u16> + '_ {
        self.0.iter().copied()
    }

    /// Whether that one is among them.
    pub fn contains(&self, cell: u16) -> bool {
        self.0.binary_search(&cell).is_ok()
    }

    /// The names of these cells among those of their campaign, in order.
    pub fn named<'c>(&self, cells: &'c [QuotaCell]) -> impl Iterator<Item = &'c str> {
        let known = self.iter().filter_map(|cell| cells.get(usize::from(cell)));
        known.map(|cell| &*cell.name)
    }

    /// Those of either.
    #[must_use]
    pub fn or(&self, other: &Self) -> Self {
        self.iter().chain(other.iter()).collect()
    }

    /// Those that are not among the others.
    #[must_use]
    pub fn without(&self, others: &Self) -> Self {
        self.iter().filter(|cell| !others.contains(*cell)).collect()
    }
}

impl FromIterator<u16> for Cells {
    fn from_iter<I: IntoIterator<Item = u16>>(cells: I) -> Self {
        let mut cells: Vec<u16> = cells.into_iter().collect();
        cells.sort_unstable();
        cells.dedup();
        Self(cells)
    }
}

/// As stores keep it: `0,3`.
impl fmt::Display for Cells {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, cell) in self.0.iter().enumerate() {
            let comma = if place == 0 { "" } else { "," };
            write!(f, "{comma}{cell}")?;
        }
        Ok(())
    }
}

impl FromStr for Cells {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let cells = text.split(',').filter(|cell| !cell.is_empty());
        cells.map(str::parse).collect()
    }
}

#[cfg(test)]
mod tests;
