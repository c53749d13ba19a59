//! The rows of each table: their keys, and the orders in which they are looked for.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use uuid::Uuid;

use super::table::{Row, set};
use crate::api_key::ApiKey;
use crate::call_attempt::{AttemptState, CallAttempt};
use crate::call_list::Upload;
use crate::call_task::{CallTask, TaskState, TaskStatus};
use crate::campaign::{Campaign, CampaignStatus};
use crate::company::Company;
use crate::conversation::{Answer, Consent, Conversation, SurveyResponse, Turn};
use crate::exclusion::Exclusion;
use crate::gate::Reason;
use crate::id::{
    AnswerId, ApiKeyId, CallAttemptId, CallTaskId, CampaignId, CompanyId, OutboxEventId,
    SkillbaseId, UploadId,
};
use crate::language::Language;
use crate::outcome::Outcome;
use crate::phone_number::PhoneNumber;
use crate::ports::repositories::{CostCount, OutboxEvent};
use crate::queue::QueueLevel;
use crate::queue::lane::{Lane, LaneId};
use crate::skillbase::Skillbase;
use crate::time::Timestamp;

/// Comes before every other identifier.
pub(super) fn first_id<I: From<Uuid>>() -> I {
    I::from(Uuid::nil())
}

/// Comes after every other identifier.
pub(super) fn last_id<I: From<Uuid>>() -> I {
    I::from(Uuid::max())
}

/// The entries of an index that stand under `key`, in order.
pub(super) fn under<K: Ord + Copy, I: Ord + Copy + From<Uuid>>(
    entries: &BTreeSet<(K, I)>,
    key: K,
) -> impl DoubleEndedIterator<Item = I> {
    entries
        .range((key, first_id())..=(key, last_id()))
        .map(|(_, id)| *id)
}

/// Those of [`under`] that come after `after`, if it is given.
pub(super) fn under_after<K: Ord + Copy, I: Ord + Copy + From<Uuid>>(
    entries: &BTreeSet<(K, I)>,
    key: K,
    after: Option<I>,
) -> impl Iterator<Item = I> {
    let first = after.map_or(Bound::Included((key, first_id())), |id| {
        Bound::Excluded((key, id))
    });
    entries
        .range((first, Bound::Included((key, last_id()))))
        .map(|(_, id)| *id)
}

/// Those of [`under`] that come before `before`, if it is given, the last one first.
pub(super) fn under_before<K: Ord + Copy, I: Ord + Copy + From<Uuid>>(
    entries: &BTreeSet<(K, I)>,
    key: K,
    before: Option<I>,
) -> impl Iterator<Item = I> {
    let last = before.map_or(Bound::Included((key, last_id())), |id| {
        Bound::Excluded((key, id))
    });
    entries
        .range((Bound::Included((key, first_id())), last))
        .rev()
        .map(|(_, id)| *id)
}

/// Declares rows that are only looked for by key.
macro_rules! plain_rows {
    ($($row:ty, $key:ty = |$this:ident| $make:expr;)+) => {$(
        impl Row for $row {
            type Key = $key;
            type Index = ();

            fn key(&self) -> $key {
                let $this = self;
                $make
            }
        }
    )+};
}

plain_rows! {
    Company, CompanyId = |row| row.id;
    Upload, UploadId = |row| row.id;
    Count, (CampaignId, Counted) = |row| (row.campaign_id, row.counted);
    Conversation, CallAttemptId = |row| row.attempt_id;
    Turn, (CallAttemptId, u32) = |row| (row.attempt_id, row.sequence);
    Consent, CallAttemptId = |row| row.attempt_id;
    SurveyResponse, CallTaskId = |row| row.task_id;
    Exclusion, (PhoneNumber, CompanyId) = |row| (row.phone_number, row.company_id);
    ReceivedEvent, (CallAttemptId, String) = |row| (row.attempt_id, row.event_id.clone());
    OutboxEvent, OutboxEventId = |row| row.id;
    CostRow, (CampaignId, String) = |row| (row.campaign_id, row.currency.clone());
    ProviderLevel, String = |row| row.provider.clone();
    Emptying, CampaignId = |row| row.campaign_id;
}

/// How many rows of a campaign are of one kind. Never zero: then there is no row.
#[derive(Clone, Copy)]
pub(super) struct Count {
    pub(super) campaign_id: CampaignId,
    pub(super) counted: Counted,
    pub(super) rows: u64,
}

/// What is counted.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Counted {
    Task(TaskStatus),
    Reason(Reason),
    Attempt(AttemptState),
    Outcome(Outcome),
}

impl Counted {
    /// Comes before every other one.
    pub(super) const FIRST: Self = Self::Task(TaskStatus::Pending);
}

/// What the calls of a campaign cost in one currency.
#[derive(Clone)]
pub(super) struct CostRow {
    pub(super) campaign_id: CampaignId,
    pub(super) currency: String,
    pub(super) cost: CostCount,
}

/// The row of a limited provider account.
#[derive(Clone)]
pub(super) struct ProviderLevel {
    pub(super) provider: String,
    pub(super) level: QueueLevel,
}

/// That tasks may still wait in a campaign that calls nobody any more.
#[derive(Clone, Copy)]
pub(super) struct Emptying {
    pub(super) company_id: CompanyId,
    pub(super) campaign_id: CampaignId,
}

/// A lane.
#[derive(Clone)]
pub(super) struct LaneRow {
    pub(super) company_id: CompanyId,
    pub(super) campaign_id: CampaignId,
    pub(super) lane: Lane,
}

impl Row for LaneRow {
    type Key = (CampaignId, LaneId);
    /// Those that are to be reviewed, earliest first.
    type Index = BTreeSet<(Timestamp, CampaignId, LaneId)>;

    fn key(&self) -> (CampaignId, LaneId) {
        (self.campaign_id, self.lane.id)
    }

    fn index(&self, reviews: &mut Self::Index, present: bool) {
        if let Some(review_at) = self.lane.review_at {
            set(
                reviews,
                (review_at, self.campaign_id, self.lane.id),
                present,
            );
        }
    }
}

/// That an event of the provider was noted.
pub(super) struct ReceivedEvent {
    pub(super) attempt_id: CallAttemptId,
    pub(super) event_id: String,
}

impl Row for ApiKey {
    type Key = ApiKeyId;
    type Index = BTreeMap<[u8; 32], ApiKeyId>;

    fn key(&self) -> ApiKeyId {
        self.id
    }

    fn index(&self, by_hash: &mut Self::Index, present: bool) {
        if present {
            by_hash.insert(*self.hash.as_bytes(), self.id);
        } else {
            by_hash.remove(self.hash.as_bytes());
        }
    }
}

impl Row for Skillbase {
    type Key = SkillbaseId;
    /// The default of each language.
    type Index = BTreeMap<(CompanyId, Language), SkillbaseId>;

    fn key(&self) -> SkillbaseId {
        self.id
    }

    fn index(&self, defaults: &mut Self::Index, present: bool) {
        if !self.is_default {
            return;
        }
        if present {
            defaults.insert((self.company_id, self.language), self.id);
        } else {
            defaults.remove(&(self.company_id, self.language));
        }
    }
}

/// The further orders of campaigns.
#[derive(Default)]
pub(super) struct CampaignIndex {
    /// Who names a skillbase.
    pub(super) by_skillbase: BTreeSet<(SkillbaseId, CampaignId)>,
    /// Scheduled campaigns by their start; absent means at once.
    pub(super) scheduled: BTreeSet<(Option<Timestamp>, CampaignId)>,
    /// Running and paused campaigns.
    pub(super) under_way: BTreeSet<CampaignId>,
    /// Those of them that end by their date, by that date.
    pub(super) ends: BTreeSet<(Timestamp, CampaignId)>,
    /// Running campaigns that have a budget.
    pub(super) with_budget: BTreeSet<CampaignId>,
}

impl Row for Campaign {
    type Key = CampaignId;
    type Index = CampaignIndex;

    fn key(&self) -> CampaignId {
        self.id
    }

    fn index(&self, index: &mut CampaignIndex, present: bool) {
        set(
            &mut index.by_skillbase,
            (self.settings.skillbase_id, self.id),
            present,
        );
        match self.status {
            CampaignStatus::Scheduled => {
                let starts_at = self.effective_settings().schedule.starts_at;
                set(&mut index.scheduled, (starts_at, self.id), present);
            }
            CampaignStatus::Running | CampaignStatus::Paused(_) => {
                set(&mut index.under_way, self.id, present);
                let ends_at = self.effective_settings().schedule.ends_at;
                if let Some(ends_at) = ends_at.filter(|_| self.winding_up.is_none()) {
                    set(&mut index.ends, (ends_at, self.id), present);
                }
                if self.is_calling() && self.has_budget() {
                    set(&mut index.with_budget, self.id, present);
                }
            }
            CampaignStatus::Draft | CampaignStatus::Completed | CampaignStatus::Cancelled => {}
        }
    }
}

/// A company's row in the ready list.
#[derive(Clone, Copy)]
pub(super) struct CompanyLevel {
    pub(super) company_id: CompanyId,
    pub(super) level: QueueLevel,
}

impl Row for CompanyLevel {
    type Key = CompanyId;
    /// Those that are ready, earliest first.
    type Index = BTreeSet<(Timestamp, CompanyId)>;

    fn key(&self) -> CompanyId {
        self.company_id
    }

    fn index(&self, ready: &mut Self::Index, present: bool) {
        if let Some(ready_at) = self.level.ready_at {
            set(ready, (ready_at, self.company_id), present);
        }
    }
}

/// A campaign's row in the ready list.
#[derive(Clone, Copy)]
pub(super) struct CampaignLevel {
    pub(super) company_id: CompanyId,
    pub(super) campaign_id: CampaignId,
    /// Only campaigns that run are ever ready.
    pub(super) running: bool,
    pub(super) level: QueueLevel,
}

impl Row for CampaignLevel {
    type Key = CampaignId;
    /// Those that are ready, by company, earliest first.
    type Index = BTreeSet<(CompanyId, Timestamp, CampaignId)>;

    fn key(&self) -> CampaignId {
        self.campaign_id
    }

    fn index(&self, ready: &mut Self::Index, present: bool) {
        if let Some(ready_at) = self.level.ready_at {
            set(
                ready,
                (self.company_id, ready_at, self.campaign_id),
                present,
            );
        }
    }
}

/// A task, with whether a claim may take it.
#[derive(Clone)]
pub(super) struct TaskRow {
    pub(super) task: CallTask,
    /// Only of pending tasks, and only when their time has come.
    pub(super) claimable: bool,
    /// Where it waits when it is.
    pub(super) lane: LaneId,
}

/// The further orders of tasks.
#[derive(Default)]
pub(super) struct TaskIndex {
    /// The tasks of each campaign.
    pub(super) by_campaign: BTreeSet<(CampaignId, CallTaskId)>,
    /// The numbers each campaign has.
    pub(super) numbers: BTreeSet<(CampaignId, PhoneNumber)>,
    /// Claimable tasks by lane, the one that is due first first.
    pub(super) claimable: BTreeSet<(CampaignId, LaneId, Timestamp, CallTaskId)>,
    /// Waiting tasks that are not claimable, earliest due first.
    pub(super) due: BTreeSet<(Timestamp, CallTaskId)>,
    /// Waiting tasks by their number.
    pub(super) waiting: BTreeSet<(PhoneNumber, CallTaskId)>,
}

impl Row for TaskRow {
    type Key = CallTaskId;
    type Index = TaskIndex;

    fn key(&self) -> CallTaskId {
        self.task.id
    }

    fn index(&self, index: &mut TaskIndex, present: bool) {
        let CallTask {
            id,
            campaign_id,
            contact,
            state,
            ..
        } = &self.task;
        set(&mut index.by_campaign, (*campaign_id, *id), present);
        set(
            &mut index.numbers,
            (*campaign_id, contact.phone_number),
            present,
        );
        if let TaskState::Pending { due_at } | TaskState::Retry { due_at } = *state {
            set(&mut index.waiting, (contact.phone_number, *id), present);
            if self.claimable {
                let place = (*campaign_id, self.lane, due_at, *id);
                set(&mut index.claimable, place, present);
            } else {
                set(&mut index.due, (due_at, *id), present);
            }
        }
    }
}

/// The further orders of attempts.
#[derive(Default)]
pub(super) struct AttemptIndex {
    /// The attempts of each campaign.
    pub(super) by_campaign: BTreeSet<(CampaignId, CallAttemptId)>,
    /// The attempts of each task.
    pub(super) by_task: BTreeSet<(CallTaskId, CallAttemptId)>,
    /// The numbers that are being called (I3).
    pub(super) live_numbers: BTreeSet<(CompanyId, PhoneNumber)>,
    /// When each number was called.
    pub(super) by_number: BTreeSet<(CompanyId, PhoneNumber, Timestamp, CallAttemptId)>,
    /// The leases of live attempts, earliest first.
    pub(super) leases: BTreeSet<(Timestamp, CallAttemptId)>,
}

impl Row for CallAttempt {
    type Key = CallAttemptId;
    type Index = AttemptIndex;

    fn key(&self) -> CallAttemptId {
        self.id
    }

    fn index(&self, index: &mut AttemptIndex, present: bool) {
        set(&mut index.by_campaign, (self.campaign_id, self.id), present);
        set(&mut index.by_task, (self.task_id, self.id), present);
        let call = (self.company_id, self.phone_number, self.created_at, self.id);
        set(&mut index.by_number, call, present);
        if self.state.is_live() {
            set(
                &mut index.live_numbers,
                (self.company_id, self.phone_number),
                present,
            );
            set(&mut index.leases, (self.lease_until, self.id), present);
        }
    }
}

impl Row for Answer {
    type Key = (CallTaskId, String);
    /// The answers of each campaign, in the order of their identifiers.
    type Index = BTreeMap<(CampaignId, AnswerId), (CallTaskId, String)>;

    fn key(&self) -> (CallTaskId, String) {
        (self.task_id, self.question_key.clone())
    }

    fn index(&self, by_campaign: &mut Self::Index, present: bool) {
        if present {
            by_campaign.insert((self.campaign_id, self.id), self.key());
        } else {
            by_campaign.remove(&(self.campaign_id, self.id));
        }
    }
}

/// The keys of a campaign's answers behind `after`, if it is given.
pub(super) fn keys_after(
    by_campaign: &BTreeMap<(CampaignId, AnswerId), (CallTaskId, String)>,
    campaign_id: CampaignId,
    after: Option<AnswerId>,
) -> impl Iterator<Item = &(CallTaskId, String)> {
    let first = after.map_or(Bound::Included((campaign_id, first_id())), |id| {
        Bound::Excluded((campaign_id, id))
    });
    let keys = by_campaign.range((first, Bound::Included((campaign_id, last_id()))));
    keys.map(|(_, key)| key)
}
