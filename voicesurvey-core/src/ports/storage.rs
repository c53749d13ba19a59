//! The store: units of work over repositories.

use async_trait::async_trait;

use super::call_lists::CallListRepository;
use super::call_rollups::CallRollupRepository;
use super::contact_records::ContactRecordRepository;
use super::erasures::{ErasureRepository, RetentionRepository};
use super::exclusions::ExclusionRepository;
use super::exports::ExportRepository;
use super::repositories::{
    ApiKeyRepository, CallAttemptRepository, CallTaskRepository, CampaignRepository,
    CompanyRepository, EventRepository, InterviewRepository, SkillbaseRepository,
};
use crate::id::CompanyId;

/// A store of everything.
#[async_trait]
pub trait Storage: Send + Sync + std::fmt::Debug {
    /// Begins a unit of work that sees and changes only what `scope` allows.
    ///
    /// Units of work may wait for each other; they must be short, and none may be open while a
    /// provider or a language model is asked (I2).
    async fn begin(&self, scope: Scope) -> Result<Box<dyn UnitOfWork>, StorageError>;

    /// Begins a unit of work that only reads. All that it reads is one state of the store, and it
    /// neither waits for those that write nor lets them wait, as far as the store can. What it is
    /// told to write is refused, or undone at its end.
    ///
    /// A store that has no such thing begins an ordinary one.
    async fn begin_reading(&self, scope: Scope) -> Result<Box<dyn UnitOfWork>, StorageError> {
        self.begin(scope).await
    }

    /// Whether the store can be reached and its schema is the one this program needs.
    async fn check(&self) -> Result<(), StorageError>;
}

/// Whose rows a unit of work may touch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// One company's (I11). Rows of others do not exist.
    Company(CompanyId),
    /// Every company's: for the operator, for keys whose company is not known yet, and for the
    /// engine's own duties.
    Platform,
}

/// Everything done through it is committed together; dropping it undoes everything.
///
/// Rows that are inserted or updated must belong to the scope's company; a store refuses others
/// with [`StorageError::Conflict`].
#[async_trait]
pub trait UnitOfWork: Send {
    /// Companies.
    fn companies(&mut self) -> &mut dyn CompanyRepository;
    /// API keys.
    fn api_keys(&mut self) -> &mut dyn ApiKeyRepository;
    /// Skillbases.
    fn skillbases(&mut self) -> &mut dyn SkillbaseRepository;
    /// Campaigns.
    fn campaigns(&mut self) -> &mut dyn CampaignRepository;
    /// Uploads of call lists.
    fn call_lists(&mut self) -> &mut dyn CallListRepository;
    /// Call tasks.
    fn call_tasks(&mut self) -> &mut dyn CallTaskRepository;
    /// Call attempts.
    fn call_attempts(&mut self) -> &mut dyn CallAttemptRepository;
    /// Conversations, turns, answers, consents and responses.
    fn interviews(&mut self) -> &mut dyn InterviewRepository;
    /// What the calls of a campaign add up to over time.
    fn call_rollups(&mut self) -> &mut dyn CallRollupRepository;
    /// Everything known of a campaign's people, person by person.
    fn contact_records(&mut self) -> &mut dyn ContactRecordRepository;
    /// Exports.
    fn exports(&mut self) -> &mut dyn ExportRepository;
    /// Exclusions.
    fn exclusions(&mut self) -> &mut dyn ExclusionRepository;
    /// Erasing one person.
    fn erasures(&mut self) -> &mut dyn ErasureRepository;
    /// What companies keep, and forgetting the rest.
    fn retention(&mut self) -> &mut dyn RetentionRepository;
    /// Events in and out.
    fn events(&mut self) -> &mut dyn EventRepository;
    /// Commits. After `Unavailable` it is not known whether the commit happened.
    async fn commit(self: Box<Self>) -> Result<(), StorageError>;
}

impl std::fmt::Debug for dyn UnitOfWork {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("UnitOfWork")
    }
}

/// What can go wrong in a store.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// The row was changed by somebody else, exists already, or is still in use. Reading again and
    /// deciding again may succeed; repeating the same write will not.
    #[error("the row was changed or is in use: {what}")]
    Conflict {
        /// Which rule said so, such as the name of a constraint.
        what: String,
    },
    /// A stored row cannot be read back.
    #[error("a row of {table} cannot be read: {what}")]
    Corrupt {
        /// The table.
        table: &'static str,
        /// What is wrong with the row.
        what: String,
    },
    /// The schema is not the one this program needs.
    #[error("the database is not migrated: {what}")]
    NotMigrated {
        /// What is missing or too new.
        what: String,
    },
    /// Another server leads meanwhile, so this one must not do a leader's duties any more. Nothing
    /// was written.
    #[error("this server does not lead any more")]
    NotLeader,
    /// The store cannot be reached now. Whether a write happened is not known.
    #[error("the store cannot be reached")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The store refused a statement: a bug, or a limit of the store.
    #[error("the store refused a statement")]
    Failed(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Which part of a list is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageRequest {
    /// Where the page before ended; `None` for the first. One that the list has not given out is a
    /// [`StorageError::Conflict`].
    pub after: Option<String>,
    /// How many rows at most, from 1 to [`PageRequest::LARGEST`].
    pub at_most: u16,
}

impl PageRequest {
    /// The most rows one page may have.
    pub const LARGEST: u16 = 1_000;

    /// The first page.
    pub const fn first(at_most: u16) -> Self {
        Self {
            after: None,
            at_most,
        }
    }

    /// The page after the one that ended at `cursor`.
    pub const fn after(cursor: String, at_most: u16) -> Self {
        Self {
            after: Some(cursor),
            at_most,
        }
    }

    /// The number of rows, brought within bounds.
    pub fn limit(&self) -> u16 {
        self.at_most.clamp(1, Self::LARGEST)
    }
}

impl Default for PageRequest {
    fn default() -> Self {
        Self::first(50)
    }
}

/// One part of a list, in the order of the list's key; rows that are inserted meanwhile neither
/// repeat nor hide others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// The rows.
    pub rows: Vec<T>,
    /// Where the next page begins; `None` at the end.
    pub next: Option<String>,
}

impl<T> Page<T> {
    /// A page from rows that were read with one more than `limit`, so that it is known whether
    /// there is a next one. `cursor` names a row's place in the list.
    pub fn from_rows(mut rows: Vec<T>, limit: u16, cursor: impl Fn(&T) -> String) -> Self {
        let more = rows.len() > usize::from(limit);
        rows.truncate(usize::from(limit));
        let next = if more { rows.last().map(cursor) } else { None };
        Self { rows, next }
    }

    /// The page with every row turned into something else.
    pub fn map<U>(self, into: impl FnMut(T) -> U) -> Page<U> {
        Page {
            rows: self.rows.into_iter().map(into).collect(),
            next: self.next,
        }
    }
}
