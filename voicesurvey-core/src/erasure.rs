//! Erasure: what is left of a person who wants to be forgotten, and how long anything is kept.

use std::num::NonZeroU16;

use serde::{Deserialize, Serialize};

use crate::id::{ApiKeyId, CompanyId, ErasureId};
use crate::time::Timestamp;

/// That one person was erased: when, why, on whose behalf and how much it was. It does not say who.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Erasure {
    /// Its identifier.
    pub id: ErasureId,
    /// Whose rows were erased.
    pub company_id: CompanyId,
    /// Why, in the words of whoever asked for it.
    pub reason: String,
    /// The key with which it was asked for.
    pub requested_by: ApiKeyId,
    /// How much was erased.
    pub erased: ErasedRows,
    /// When.
    pub created_at: Timestamp,
}

/// How many rows were erased, by kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ErasedRows {
    /// Contacts whose number, name and further columns were erased. They remain as nobody's, with
    /// their status and outcome.
    pub contacts: u64,
    /// Further contacts in whose cell the number stood beside theirs, from which it was taken out.
    pub other_contacts: u64,
    /// Calls whose number and name at the provider were erased. They remain with their times,
    /// outcome and price.
    pub calls: u64,
    /// Conversations.
    pub conversations: u64,
    /// Turns: what was said.
    pub turns: u64,
    /// Answers, with the words that prove them.
    pub answers: u64,
    /// What answers were before somebody corrected them.
    pub revisions: u64,
    /// Consents and refusals.
    pub consents: u64,
    /// Events for subscribers.
    pub events: u64,
    /// Entries of the exclusion list, and of what was taken off it.
    pub exclusions: u64,
    /// Rows of call lists that were not taken and in which the number stood.
    pub upload_errors: u64,
    /// Recordings, which the provider keeps: it is asked to erase each of them until it has.
    pub recordings: u64,
    /// Files of results that were kept to be fetched: those that were finished expired at once, those
    /// that were being written are begun anew.
    pub exports: u64,
}

impl ErasedRows {
    /// Whether there was nothing to erase.
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

/// How long a company keeps what it has learned about people; absent is for good.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Retention {
    /// Days after a call during which what was said in it is kept: the words of turns and answers.
    pub transcript_days: Option<NonZeroU16>,
    /// Days after the end of its campaign during which an answer is kept, and at the longest what was
    /// said in the calls of whoever gave it.
    pub answer_days: Option<NonZeroU16>,
    /// Days after the end of its campaign during which a contact is kept: number, name, further
    /// columns.
    pub contact_days: Option<NonZeroU16>,
}

impl Retention {
    /// Whether everything is kept for good.
    pub fn keeps_all(&self) -> bool {
        *self == Self::default()
    }
}
