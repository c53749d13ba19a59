//! A store in memory: for tests, simulations and dry runs, and for embedders that keep nothing.
//!
//! It keeps every promise of the ports and passes the same conformance suite as the databases, so
//! what works over it works over them. Units of work are serialised by one lock: while one is
//! open, every other one waits, so holding two at once on one task waits for ever. Each
//! change is noted in a journal, and a unit of work that is dropped takes its changes back, so its
//! cost depends on what it touched and not on how much is stored. Claims walk ordered indexes.
//!
//! ```
//! use voicesurvey_core::memory::MemoryStorage;
//!
//! let storage = MemoryStorage::default();
//! let same_rows = storage.clone();
//! # let _ = same_rows;
//! ```

mod audit;
mod call_attempts;
mod call_lists;
mod call_rollups;
mod call_tasks;
mod campaigns;
mod companies;
mod contact_records;
mod erasures;
mod events;
mod exclusions;
mod exports;
mod interviews;
mod lanes;
mod queue;
mod ready_list;
mod retention;
mod rows;
mod skillbases;
mod table;

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::lock::Mutex;

use self::table::{Tables, Transaction};
use crate::id::CompanyId;
use crate::number_keys::NumberKeys;
use crate::ports::{
    ApiKeyRepository, CallAttemptRepository, CallListRepository, CallRollupRepository,
    CallTaskRepository, CampaignRepository, CompanyRepository, ContactRecordRepository,
    ErasureRepository, EventRepository, ExclusionRepository, ExportRepository, InterviewRepository,
    Page, PageRequest, RetentionRepository, Scope, SkillbaseRepository, Storage, StorageError,
    UnitOfWork,
};

/// A store in memory. Clones share their rows.
#[derive(Clone, Default)]
pub struct MemoryStorage {
    tables: Arc<Mutex<Tables>>,
    forgets: bool,
    keys: NumberKeys,
}

impl MemoryStorage {
    /// A store that forgets what the engine does not need any more, for dry runs of a million people:
    /// an attempt that has ended is gone, but for its place in counts and caps, and so are the events
    /// that told of it and those for subscribers. News of such an attempt is news of an unknown one.
    pub fn without_history() -> Self {
        Self {
            forgets: true,
            ..Self::default()
        }
    }

    /// The same store for whoever has those keys for what remains of erased numbers. Without any,
    /// nobody can be erased.
    #[must_use]
    pub fn with_number_keys(self, keys: NumberKeys) -> Self {
        Self { keys, ..self }
    }

    async fn work(&self, scope: Scope) -> MemoryUnitOfWork {
        MemoryUnitOfWork {
            scope,
            transaction: self.transaction().await,
            keys: self.keys.clone(),
        }
    }

    async fn transaction(&self) -> Transaction {
        Transaction::new(Arc::clone(&self.tables).lock_owned().await, self.forgets)
    }
}

impl fmt::Debug for MemoryStorage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStorage").finish_non_exhaustive()
    }
}

#[async_trait]
impl Storage for MemoryStorage {
    async fn begin(&self, scope: Scope) -> Result<Box<dyn UnitOfWork>, StorageError> {
        Ok(Box::new(self.work(scope).await))
    }

    async fn check(&self) -> Result<(), StorageError> {
        Ok(())
    }
}

/// One unit of work. It implements every repository itself.
struct MemoryUnitOfWork {
    scope: Scope,
    transaction: Transaction,
    keys: NumberKeys,
}

impl MemoryUnitOfWork {
    /// Whether rows of that company exist for this unit of work (I11).
    fn sees(&self, company_id: CompanyId) -> bool {
        match self.scope {
            Scope::Company(own) => own == company_id,
            Scope::Platform => true,
        }
    }

    /// Refuses rows of other companies.
    fn may_write(&self, company_id: CompanyId) -> Result<(), StorageError> {
        if self.sees(company_id) {
            Ok(())
        } else {
            Err(conflict("the row is another company's"))
        }
    }
}

#[async_trait]
impl UnitOfWork for MemoryUnitOfWork {
    fn companies(&mut self) -> &mut dyn CompanyRepository {
        self
    }

    fn api_keys(&mut self) -> &mut dyn ApiKeyRepository {
        self
    }

    fn skillbases(&mut self) -> &mut dyn SkillbaseRepository {
        self
    }

    fn campaigns(&mut self) -> &mut dyn CampaignRepository {
        self
    }

    fn call_lists(&mut self) -> &mut dyn CallListRepository {
        self
    }

    fn call_tasks(&mut self) -> &mut dyn CallTaskRepository {
        self
    }

    fn call_attempts(&mut self) -> &mut dyn CallAttemptRepository {
        self
    }

    fn interviews(&mut self) -> &mut dyn InterviewRepository {
        self
    }

    fn call_rollups(&mut self) -> &mut dyn CallRollupRepository {
        self
    }

    fn contact_records(&mut self) -> &mut dyn ContactRecordRepository {
        self
    }

    fn exports(&mut self) -> &mut dyn ExportRepository {
        self
    }

    fn exclusions(&mut self) -> &mut dyn ExclusionRepository {
        self
    }

    fn erasures(&mut self) -> &mut dyn ErasureRepository {
        self
    }

    fn retention(&mut self) -> &mut dyn RetentionRepository {
        self
    }

    fn events(&mut self) -> &mut dyn EventRepository {
        self
    }

    async fn commit(self: Box<Self>) -> Result<(), StorageError> {
        self.transaction.commit();
        Ok(())
    }
}

fn conflict(what: &str) -> StorageError {
    StorageError::Conflict {
        what: what.to_owned(),
    }
}

/// Answers a conflict with that reason unless the condition holds.
fn require(condition: bool, what: &str) -> Result<(), StorageError> {
    if condition {
        Ok(())
    } else {
        Err(conflict(what))
    }
}

/// The key at which the page before ended.
fn cursor<K: FromStr>(page: &PageRequest) -> Result<Option<K>, StorageError> {
    let read = page.after.as_deref().map(str::parse).transpose();
    read.map_err(|_| conflict("the cursor does not belong to this list"))
}

/// The first rows of a list that begins where the page does.
fn page_of<'a, T: Clone + 'a>(
    rows: impl Iterator<Item = &'a T>,
    page: &PageRequest,
    cursor: impl Fn(&T) -> String,
) -> Page<T> {
    let one_more = usize::from(page.limit()) + 1;
    Page::from_rows(rows.take(one_more).cloned().collect(), page.limit(), cursor)
}
