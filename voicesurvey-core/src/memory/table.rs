//! Tables with their indexes, and the journal that takes changes back.
//!
//! Every change of every table goes through [`Transaction`], so nothing can be changed that is not
//! undone when the transaction is dropped.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::{Bound, RangeBounds};

use futures_util::lock::OwnedMutexGuard;

use super::rows::{
    CampaignLevel, CompanyLevel, CostRow, Count, Emptying, ErasedNumber, ExportPiece, LaneRow,
    PastCall, ProviderLevel, ReceivedEvent, RetentionRow, RollupRow, TaskRow, UploadError,
};
use crate::api_key::ApiKey;
use crate::call_attempt::CallAttempt;
use crate::call_list::Upload;
use crate::campaign::Campaign;
use crate::company::Company;
use crate::conversation::{Answer, AnswerRevision, Consent, Conversation, SurveyResponse, Turn};
use crate::erasure::Erasure;
use crate::exclusion::{Exclusion, ExclusionRemoval};
use crate::export::Export;
use crate::ports::repositories::OutboxEvent;
use crate::skillbase::Skillbase;

/// What a table holds.
pub(super) trait Row: Send + Sized + 'static {
    /// What names a row in its table.
    type Key: Ord + Clone + Send + 'static;
    /// The table's further orders and uniqueness rules.
    type Index: Default + Send;

    /// The row's key.
    fn key(&self) -> Self::Key;

    /// Moves the index from how the row was to how it is; absent means that there was or is none.
    fn index(_index: &mut Self::Index, _before: Option<&Self>, _after: Option<&Self>) {}
}

/// Moves an entry from where it was to where it is. One that stays costs nothing.
pub(super) fn shift<T: Ord>(entries: &mut BTreeSet<T>, before: Option<T>, after: Option<T>) {
    if before == after {
        return;
    }
    if let Some(before) = before {
        entries.remove(&before);
    }
    entries.extend(after);
}

/// Rows by key, with an index that always agrees with them.
pub(super) struct Table<R: Row> {
    rows: BTreeMap<R::Key, R>,
    index: R::Index,
}

impl<R: Row> Default for Table<R> {
    fn default() -> Self {
        Self {
            rows: BTreeMap::new(),
            index: R::Index::default(),
        }
    }
}

impl<R: Row> Table<R> {
    /// The row with that key.
    pub(super) fn get(&self, key: &R::Key) -> Option<&R> {
        self.rows.get(key)
    }

    /// The rows in that range of keys, in order.
    pub(super) fn range(
        &self,
        keys: impl RangeBounds<R::Key>,
    ) -> impl DoubleEndedIterator<Item = &R> {
        self.rows.range(keys).map(|(_, row)| row)
    }

    /// The rows behind that key, all of them without one, in order.
    pub(super) fn after(&self, key: Option<R::Key>) -> impl Iterator<Item = &R> {
        self.range((
            key.map_or(Bound::Unbounded, Bound::Excluded),
            Bound::Unbounded,
        ))
    }

    /// The table's further orders.
    pub(super) fn index(&self) -> &R::Index {
        &self.index
    }

    /// Stores the row, or removes it, and returns what was there.
    fn replace(&mut self, key: R::Key, row: Option<R>) -> Option<R> {
        let Some(row) = row else {
            let before = self.rows.remove(&key);
            R::index(&mut self.index, before.as_ref(), None);
            return before;
        };
        match self.rows.entry(key) {
            Entry::Occupied(mut entry) => {
                R::index(&mut self.index, Some(entry.get()), Some(&row));
                Some(entry.insert(row))
            }
            Entry::Vacant(entry) => {
                R::index(&mut self.index, None, Some(&row));
                entry.insert(row);
                None
            }
        }
    }
}

/// A row that has its place among the tables.
pub(super) trait Stored: Row {
    /// The row's table.
    fn table(tables: &Tables) -> &Table<Self>;
    /// The row's table, to be changed.
    fn table_mut(tables: &mut Tables) -> &mut Table<Self>;
}

/// Declares the tables.
macro_rules! tables {
    ($($table:ident: $row:ty,)+) => {
        /// Everything that is stored.
        #[derive(Default)]
        pub(super) struct Tables {
            $($table: Table<$row>,)+
        }

        $(impl Stored for $row {
            fn table(tables: &Tables) -> &Table<Self> {
                &tables.$table
            }

            fn table_mut(tables: &mut Tables) -> &mut Table<Self> {
                &mut tables.$table
            }
        })+
    };
}

tables! {
    companies: Company,
    company_levels: CompanyLevel,
    api_keys: ApiKey,
    skillbases: Skillbase,
    campaigns: Campaign,
    campaign_levels: CampaignLevel,
    lanes: LaneRow,
    provider_levels: ProviderLevel,
    emptying: Emptying,
    counts: Count,
    costs: CostRow,
    rollups: RollupRow,
    uploads: Upload,
    upload_errors: UploadError,
    call_tasks: TaskRow,
    call_attempts: CallAttempt,
    past_calls: PastCall,
    conversations: Conversation,
    turns: Turn,
    answers: Answer,
    answer_revisions: AnswerRevision,
    consents: Consent,
    responses: SurveyResponse,
    exclusions: Exclusion,
    exclusion_removals: ExclusionRemoval,
    erasures: Erasure,
    erased_numbers: ErasedNumber,
    retention: RetentionRow,
    exports: Export,
    export_pieces: ExportPiece,
    received_events: ReceivedEvent,
    outbox_events: OutboxEvent,
}

type Undo = Box<dyn FnOnce(&mut Tables) + Send>;

/// The only holder of the tables while it lives. What it changed and did not commit it takes back.
pub(super) struct Transaction {
    tables: OwnedMutexGuard<Tables>,
    journal: Vec<Undo>,
    /// Whether what is over is not kept.
    pub(super) forgets: bool,
}

impl Transaction {
    /// Begins with an empty journal.
    pub(super) fn new(tables: OwnedMutexGuard<Tables>, forgets: bool) -> Self {
        Self {
            tables,
            journal: Vec::new(),
            forgets,
        }
    }

    /// The table of those rows.
    pub(super) fn table<R: Stored>(&self) -> &Table<R> {
        R::table(&self.tables)
    }

    /// The row with that key.
    pub(super) fn get<R: Stored>(&self, key: &R::Key) -> Option<&R> {
        self.table().get(key)
    }

    /// Whether there is a row with that key.
    pub(super) fn has<R: Stored>(&self, key: &R::Key) -> bool {
        self.get::<R>(key).is_some()
    }

    /// Stores a row in the place of the one with its key, if there is one.
    pub(super) fn put<R: Stored>(&mut self, row: R) {
        self.replace(row.key(), Some(row));
    }

    /// Removes the row with that key. `false` if there is none.
    pub(super) fn remove<R: Stored>(&mut self, key: R::Key) -> bool {
        self.replace::<R>(key, None)
    }

    /// Removes the rows from `first` on, as long as they are of those that are meant.
    pub(super) fn remove_while<R: Stored>(&mut self, first: R::Key, is_meant: impl Fn(&R) -> bool) {
        let rows = self.table::<R>().range(first..);
        let keys: Vec<R::Key> = rows.take_while(|row| is_meant(row)).map(R::key).collect();
        for key in keys {
            self.remove::<R>(key);
        }
    }

    /// Removes the rows that are meant, wherever they stand.
    pub(super) fn remove_where<R: Stored>(&mut self, is_meant: impl Fn(&R) -> bool) {
        let rows = self.table::<R>().range(..);
        let keys: Vec<R::Key> = rows.filter(|row| is_meant(row)).map(R::key).collect();
        for key in keys {
            self.remove::<R>(key);
        }
    }

    fn replace<R: Stored>(&mut self, key: R::Key, row: Option<R>) -> bool {
        let before = R::table_mut(&mut self.tables).replace(key.clone(), row);
        let existed = before.is_some();
        self.journal.push(Box::new(move |tables| {
            R::table_mut(tables).replace(key, before);
        }));
        existed
    }

    /// Keeps the changes.
    pub(super) fn commit(mut self) {
        self.journal.clear();
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        while let Some(undo) = self.journal.pop() {
            undo(&mut self.tables);
        }
    }
}
