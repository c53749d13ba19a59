//! What the answers of a campaign add up to, question by question.
//!
//! [`Tally`] takes in one record after the other, in any order, and the sum is exact. What it
//! remembers does not grow with the number of people but with that of different values: at most
//! [`numbers::MOST_VALUES`] numbers for each question and [`Tally::MOST_GROUPS`] groups.
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
use crate::rates::{Case, Interview};
use crate::survey::{Question, QuestionKind};

/// By what people are told apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Breakdown {
    /// What stands in a column of the list.
    Column(String),
    /// What they answered to a question.
    Question(String),
    /// The language of the interview, as [`ContactRecord::language`] says.
    Language,
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
    breakdown: Option<&'s Breakdown>,
    all: GroupTally,
    groups: BTreeMap<Option<String>, GroupTally>,
}

impl<'s> Tally<'s> {
    /// More groups than that are refused.
    pub const MOST_GROUPS: usize = 100;

    /// Nothing yet, of a survey in `language`.
    pub fn new(
        questions: &'s [Question],
        language: Language,
        breakdown: Option<&'s Breakdown>,
    ) -> Result<Self, BreakdownError> {
        if let Some(Breakdown::Question(key)) = breakdown {
            let question = questions.iter().find(|question| question.key == *key);
            let question = question.ok_or_else(|| BreakdownError::UnknownQuestion(key.clone()))?;
            if question.kind == QuestionKind::FreeText {
                return Err(BreakdownError::FreeText(key.clone()));
            }
        }
        Ok(Self {
            questions,
            language,
            breakdown,
            all: GroupTally::new(questions),
            groups: BTreeMap::new(),
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
        let value = value_of(record, breakdown, self.language);
        if !self.groups.contains_key(&value) && self.groups.len() == Self::MOST_GROUPS {
            return Err(BreakdownError::TooManyGroups);
        }
        let questions = self.questions;
        self.groups
            .entry(value)
            .or_insert_with(|| GroupTally::new(questions))
            .add(record, &fates);
        Ok(())
    }

    /// What it all adds up to. Groups come in the order of their values, numbers by their size and
    /// before words, those without one last.
    pub fn finish(self) -> Results {
        let Self {
            questions,
            all,
            groups,
            ..
        } = self;
        let mut groups: Vec<GroupResults> = groups
            .into_iter()
            .map(|(value, group)| group.finish(value, questions))
            .collect();
        groups.sort_by_cached_key(|group| place_of(group.value.as_deref()));
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

fn value_of(
    record: &ContactRecord,
    breakdown: &Breakdown,
    default_language: Language,
) -> Option<String> {
    match breakdown {
        Breakdown::Column(name) => record.task.contact.extra.get(name).cloned(),
        Breakdown::Question(key) => {
            let value = record.answer(key)?.result.value()?;
            Some(value.to_text())
        }
        Breakdown::Language => Some(record.language(default_language).code().to_owned()),
    }
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
