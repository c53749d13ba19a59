//! What the answers of a campaign add up to, question by question.
//!
//! [`Tally`] takes in one record after the other, in any order, and the sum is exact. What it
//! remembers does not grow with the number of people but with that of different values: at most
//! [`numbers::MOST_VALUES`] numbers for each question and [`Tally::MOST_GROUPS`] groups, or one for
//! each cell of the campaign's quotas.
//!
//! Everybody to whom a question was put stands in exactly one place: answered, skipped, not known,
//! not understood, refused, left, open, or forgotten; together they are those who were asked.

pub mod numbers;
pub mod question;

use std::collections::BTreeMap;

use rust_decimal::Decimal;

pub use question::{Fate, QuestionResult, ValueShare};

use self::question::QuestionTally;
use crate::contact_record::ContactRecord;
use crate::language::Language;
use crate::quota::QuotaCell;
use crate::rates::{Case, Interview};
use crate::survey::{AnswerValue, Question, QuestionKind};

/// By what people are told apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Breakdown {
    /// What stands in a column of the list.
    Column(String),
    /// What they answered to a question.
    Question(String),
    /// The language of the interview, as [`ContactRecord::language`] says.
    Language,
    /// The cells of quotas that they are known to be in. Who is in several counts in each of them, so
    /// these groups may add up to more than the whole.
    Cell,
}

/// Why people cannot be told apart so.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BreakdownError {
    /// The survey has no such question.
    #[error("the campaign has no question '{0}'")]
    UnknownQuestion(String),
    /// Hardly two people say the same.
    #[error("'{0}' asks for free text; choose a question of another type")]
    FreeText(String),
    /// Nobody is in a cell.
    #[error("the campaign has no quotas, and so no cells")]
    NoCells,
    /// There are more groups than anybody can look at.
    #[error(
        "there are more than {} different values; choose something with fewer",
        Tally::MOST_GROUPS
    )]
    TooManyGroups,
}

/// What a campaign's answers add up to.
#[derive(Clone, Debug, PartialEq)]
pub struct Results {
    /// Of all people together.
    pub all: GroupResults,
    /// Of those of each group; empty when people are not told apart.
    pub groups: Vec<GroupResults>,
}

/// What the answers of some people add up to.
#[derive(Clone, Debug, PartialEq)]
pub struct GroupResults {
    /// What they have in common; absent of all together, and of those who have no value.
    pub value: Option<String>,
    /// How many people there are, called or not.
    pub contacts: u64,
    /// How many of them finished the interview: `I` of the rates.
    pub complete: u64,
    /// How many of them left a partial one: `P` of the rates.
    pub partial: u64,
    /// Question by question, in the order of the survey.
    pub questions: Vec<QuestionResult>,
}

/// Adds records up.
#[derive(Clone, Debug)]
pub struct Tally<'s> {
    questions: &'s [Question],
    language: Language,
    cells: &'s [QuotaCell],
    breakdown: Option<&'s Breakdown>,
    all: GroupTally,
    groups: BTreeMap<Option<String>, GroupTally>,
}

impl<'s> Tally<'s> {
    /// More groups than that are refused, unless they are those of cells: of these a campaign has as
    /// many as it may have.
    pub const MOST_GROUPS: usize = 100;

    /// Nothing yet, of a survey in `language` with these cells of quotas. Each cell is a group, also if
    /// nobody is in it.
    pub fn new(
        questions: &'s [Question],
        language: Language,
        cells: &'s [QuotaCell],
        breakdown: Option<&'s Breakdown>,
    ) -> Result<Self, BreakdownError> {
        if let Some(Breakdown::Question(key)) = breakdown {
            let question = questions.iter().find(|question| question.key == *key);
            let question = question.ok_or_else(|| BreakdownError::UnknownQuestion(key.clone()))?;
            if question.kind == QuestionKind::FreeText {
                return Err(BreakdownError::FreeText(key.clone()));
            }
        }
        let is_by_cell = breakdown == Some(&Breakdown::Cell);
        if is_by_cell && cells.is_empty() {
            return Err(BreakdownError::NoCells);
        }
        let named = cells.iter().filter(|_| is_by_cell);
        let groups = named.map(|cell| (Some(cell.name.clone()), GroupTally::new(questions)));
        Ok(Self {
            questions,
            language,
            cells,
            breakdown,
            all: GroupTally::new(questions),
            groups: groups.collect(),
        })
    }

    /// Takes in one record.
    pub fn add(&mut self, record: &ContactRecord) -> Result<(), BreakdownError> {
        let fates: Vec<Option<Fate<'_>>> = self
            .questions
            .iter()
            .map(|question| Fate::of(record, &question.key))
            .collect();
        self.all.add(record, &fates);
        let Some(breakdown) = self.breakdown else {
            return Ok(());
        };
        let is_by_cell = *breakdown == Breakdown::Cell;
        for value in self.values_of(record, breakdown) {
            let is_new = !self.groups.contains_key(&value);
            if is_new && !is_by_cell && self.groups.len() == Self::MOST_GROUPS {
                return Err(BreakdownError::TooManyGroups);
            }
            let questions = self.questions;
            self.groups
                .entry(value)
                .or_insert_with(|| GroupTally::new(questions))
                .add(record, &fates);
        }
        Ok(())
    }

    /// The groups that somebody belongs to; `None` is that of people without a value.
    fn values_of(&self, record: &ContactRecord, breakdown: &Breakdown) -> Vec<Option<String>> {
        let value = match breakdown {
            Breakdown::Column(name) => record.task.contact.extra.get(name).cloned(),
            Breakdown::Question(key) => {
                let value = record.answer(key).and_then(|answer| answer.result.value());
                value.map(AnswerValue::to_text)
            }
            Breakdown::Language => Some(record.language(self.language).code().to_owned()),
            Breakdown::Cell => {
                let cells = record.task.cells.named(self.cells);
                let cells: Vec<_> = cells.map(|name| Some(name.to_owned())).collect();
                return if cells.is_empty() { vec![None] } else { cells };
            }
        };
        vec![value]
    }

    /// What it all adds up to. Groups come in the order of their values, numbers by their size and
    /// before words, cells in that of the campaign, those without one last.
    pub fn finish(self) -> Results {
        let Self {
            questions,
            cells,
            breakdown,
            all,
            groups,
            ..
        } = self;
        let place_of = |group: &GroupResults| match (breakdown, &group.value) {
            (Some(Breakdown::Cell), Some(name)) => {
                let place = cells.iter().position(|cell| cell.name == *name);
                (false, false, place.map(Decimal::from), None)
            }
            (_, value) => place_of(value.as_deref()),
        };
        let mut groups: Vec<GroupResults> = groups
            .into_iter()
            .map(|(value, group)| group.finish(value, questions))
            .collect();
        groups.sort_by_cached_key(place_of);
        Results {
            all: all.finish(None, questions),
            groups,
        }
    }
}

/// Where a group stands among others.
fn place_of(value: Option<&str>) -> (bool, bool, Option<Decimal>, Option<String>) {
    let number: Option<Decimal> = value.and_then(|value| value.parse().ok());
    let word = value.map(str::to_owned);
    (value.is_none(), number.is_none(), number, word)
}

/// One group while it is being added up.
#[derive(Clone, Debug)]
struct GroupTally {
    contacts: u64,
    complete: u64,
    partial: u64,
    questions: Vec<QuestionTally>,
}

impl GroupTally {
    fn new(questions: &[Question]) -> Self {
        Self {
            contacts: 0,
            complete: 0,
            partial: 0,
            questions: questions.iter().map(|_| QuestionTally::default()).collect(),
        }
    }

    fn add(&mut self, record: &ContactRecord, fates: &[Option<Fate<'_>>]) {
        self.contacts += 1;
        match Case::of(record).interview() {
            Some(Interview::Complete) => self.complete += 1,
            Some(Interview::Partial) => self.partial += 1,
            None => {}
        }
        for (tally, fate) in self.questions.iter_mut().zip(fates) {
            if let Some(fate) = fate {
                tally.add(record, *fate);
            }
        }
    }

    fn finish(self, value: Option<String>, questions: &[Question]) -> GroupResults {
        let tallies = self.questions.into_iter().zip(questions);
        GroupResults {
            value,
            contacts: self.contacts,
            complete: self.complete,
            partial: self.partial,
            questions: tallies
                .map(|(tally, question)| tally.finish(question))
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests;
