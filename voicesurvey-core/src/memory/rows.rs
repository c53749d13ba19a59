//! The rows of each table: their keys, and the orders in which they are looked for.

mod ranges;

use std::collections::{BTreeMap, BTreeSet};

pub(super) use self::ranges::{first_id, last_id, under, under_after, under_before};
use super::table::{Row, shift};
use crate::api_key::ApiKey;
use crate::call_attempt::{AttemptState, CallAttempt, CallEvent};
use crate::call_list::{RowError, Upload};
use crate::call_rollup::RolledUp;
use crate::call_task::{CallTask, TaskStatus};
use crate::campaign::{Campaign, CampaignStatus};
use crate::company::Company;
use crate::conversation::{Answer, AnswerRevision, Consent, Conversation, SurveyResponse, Turn};
use crate::erasure::{Erasure, Retention};
use crate::exclusion::{Exclusion, ExclusionRemoval};
use crate::export::Export;
use crate::gate::Reason;
use crate::id::{
    AnswerId, ApiKeyId, CallAttemptId, CallTaskId, CampaignId, CompanyId, ErasureId,
    ExclusionRemovalId, ExportId, OutboxEventId, SkillbaseId, UploadId,
};
use crate::language::Language;
use crate::number_keys::{NumberHash, NumberKeyId};
use crate::outcome::Outcome;
use crate::phone_number::PhoneNumber;
use crate::ports::repositories::{CostCount, OutboxEvent};
use crate::queue::QueueLevel;
use crate::queue::lane::{Lane, LaneId};
use crate::skillbase::Skillbase;
use crate::time::Timestamp;

/// What remains of a number that was erased.
pub(super) struct ErasedNumber {
    pub(super) company_id: CompanyId,
    pub(super) hash: NumberHash,
    pub(super) key_id: NumberKeyId,
    pub(super) erasure_id: ErasureId,
}

/// What a company keeps.
pub(super) struct RetentionRow {
    pub(super) company_id: CompanyId,
    pub(super) retention: Retention,
}

/// A row of an upload that was not taken.
#[derive(Clone, Debug)]
pub(super) struct UploadError {
    pub(super) upload_id: UploadId,
    pub(super) error: RowError,
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
    UploadError, (UploadId, u64) = |row| (row.upload_id, row.error.row);
    Count, (CampaignId, Counted) = |row| (row.campaign_id, row.counted);
    Conversation, CallAttemptId = |row| row.attempt_id;
    Turn, (CallAttemptId, u32) = |row| (row.attempt_id, row.sequence);
    AnswerRevision, (AnswerId, u32) = |row| (row.answer_id, row.number);
    Consent, CallAttemptId = |row| row.attempt_id;
    SurveyResponse, CallTaskId = |row| row.task_id;
    Exclusion, (PhoneNumber, Option<CompanyId>) = |row| (row.phone_number, row.company_id);
    ExclusionRemoval, ExclusionRemovalId = |row| row.id;
    Erasure, ErasureId = |row| row.id;
    ErasedNumber, (CompanyId, NumberHash) = |row| (row.company_id, row.hash);
    RetentionRow, CompanyId = |row| row.company_id;
    Export, ExportId = |row| row.id;
    ExportPiece, (ExportId, u32) = |row| (row.export_id, row.number);
    ReceivedEvent, (CallAttemptId, String) = |row| (row.0.attempt_id, row.0.event_id.clone());
    OutboxEvent, OutboxEventId = |row| row.id;
    CostRow, (CampaignId, String) = |row| (row.campaign_id, row.currency.clone());
    RollupRow, (CampaignId, Timestamp, RolledUp) = |row| row.key.clone();
    ProviderLevel, String = |row| row.provider.clone();
    Emptying, CampaignId = |row| row.campaign_id;
    PastCall, (CompanyId, PhoneNumber, Timestamp, CallAttemptId) = |row| row.0;
}

/// A part of an export's contents.
#[derive(Clone)]
pub(super) struct ExportPiece {
    pub(super) export_id: ExportId,
    pub(super) number: u32,
    pub(super) content: Vec<u8>,
}

/// What caps still need of an attempt that was forgotten: whose it was, whom it called, and when.
#[derive(Clone, Copy)]
pub(super) struct PastCall(pub(super) (CompanyId, PhoneNumber, Timestamp, CallAttemptId));

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
    Cell(u16, TaskStatus),
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

/// One sum of the calls of a campaign. Never zero: then there is no row.
#[derive(Clone)]
pub(super) struct RollupRow {
    pub(super) key: (CampaignId, Timestamp, RolledUp),
    pub(super) value: i64,
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

    fn index(reviews: &mut Self::Index, before: Option<&Self>, after: Option<&Self>) {
        let place = |row: &Self| Some((row.lane.review_at?, row.campaign_id, row.lane.id));
        shift(reviews, before.and_then(place), after.and_then(place));
    }
}

/// An event of the provider.
pub(super) struct ReceivedEvent(pub(super) CallEvent);

impl Row for ApiKey {
    type Key = ApiKeyId;
    type Index = BTreeMap<[u8; 32], ApiKeyId>;

    fn key(&self) -> ApiKeyId {
        self.id
    }

    fn index(by_hash: &mut Self::Index, before: Option<&Self>, after: Option<&Self>) {
        if let Some(before) = before {
            by_hash.remove(before.hash.as_bytes());
        }
        by_hash.extend(after.map(|row| (*row.hash.as_bytes(), row.id)));
    }
}

impl Row for Skillbase {
    type Key = SkillbaseId;
    /// The default of each language.
    type Index = BTreeMap<(CompanyId, Language), SkillbaseId>;

    fn key(&self) -> SkillbaseId {
        self.id
    }

    fn index(defaults: &mut Self::Index, before: Option<&Self>, after: Option<&Self>) {
        if let Some(before) = before.filter(|row| row.is_default) {
            defaults.remove(&(before.company_id, before.language));
        }
        let after = after.filter(|row| row.is_default);
        defaults.extend(after.map(|row| ((row.company_id, row.language), row.id)));
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
    /// Running and paused campaigns that have a target or quotas and do not wind up.
    pub(super) with_target: BTreeSet<CampaignId>,
    /// Running campaigns that have a budget.
    pub(super) with_budget: BTreeSet<CampaignId>,
}

impl Row for Campaign {
    type Key = CampaignId;
    type Index = CampaignIndex;

    fn key(&self) -> CampaignId {
        self.id
    }

    fn index(index: &mut CampaignIndex, before: Option<&Self>, after: Option<&Self>) {
        let skillbase = |row: &Self| (row.settings.skillbase_id, row.id);
        let by_skillbase = &mut index.by_skillbase;
        shift(by_skillbase, before.map(skillbase), after.map(skillbase));
        let start = |row: &Self| {
            let is_scheduled = row.status == CampaignStatus::Scheduled;
            is_scheduled.then(|| (row.effective_settings().schedule.starts_at, row.id))
        };
        let scheduled = &mut index.scheduled;
        shift(scheduled, before.and_then(start), after.and_then(start));
        let runs = |row: &Self| {
            let status = row.status;
            let runs = matches!(status, CampaignStatus::Running | CampaignStatus::Paused(_));
            runs.then_some(row.id)
        };
        let under_way = &mut index.under_way;
        shift(under_way, before.and_then(runs), after.and_then(runs));
        let end = |row: &Self| {
            runs(row).filter(|_| row.winding_up.is_none())?;
            Some((row.effective_settings().schedule.ends_at?, row.id))
        };
        shift(&mut index.ends, before.and_then(end), after.and_then(end));
        let aims = |row: &Self| {
            runs(row).filter(|_| row.winding_up.is_none())?;
            let settings = row.effective_settings();
            (settings.target.is_some() || settings.quotas.is_some()).then_some(row.id)
        };
        let with_target = &mut index.with_target;
        shift(with_target, before.and_then(aims), after.and_then(aims));
        let spends = |row: &Self| (row.is_calling() && row.has_budget()).then_some(row.id);
        let with_budget = &mut index.with_budget;
        shift(with_budget, before.and_then(spends), after.and_then(spends));
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

    fn index(ready: &mut Self::Index, before: Option<&Self>, after: Option<&Self>) {
        let place = |row: &Self| Some((row.level.ready_at?, row.company_id));
        shift(ready, before.and_then(place), after.and_then(place));
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

    fn index(ready: &mut Self::Index, before: Option<&Self>, after: Option<&Self>) {
        let place = |row: &Self| Some((row.company_id, row.level.ready_at?, row.campaign_id));
        shift(ready, before.and_then(place), after.and_then(place));
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

    fn index(index: &mut TaskIndex, before: Option<&Self>, after: Option<&Self>) {
        let campaign = |row: &Self| (row.task.campaign_id, row.task.id);
        let by_campaign = &mut index.by_campaign;
        shift(by_campaign, before.map(campaign), after.map(campaign));
        let number = |row: &Self| (row.task.campaign_id, row.task.contact.phone_number);
        shift(&mut index.numbers, before.map(number), after.map(number));
        let claimable = |row: &Self| {
            let due_at = row.task.state.due_at().filter(|_| row.claimable)?;
            Some((row.task.campaign_id, row.lane, due_at, row.task.id))
        };
        let ready = &mut index.claimable;
        shift(ready, before.and_then(claimable), after.and_then(claimable));
        let due = |row: &Self| {
            let due_at = row.task.state.due_at().filter(|_| !row.claimable)?;
            Some((due_at, row.task.id))
        };
        shift(&mut index.due, before.and_then(due), after.and_then(due));
        let waits = |row: &Self| {
            row.task.state.due_at()?;
            Some((row.task.contact.phone_number, row.task.id))
        };
        let waiting = &mut index.waiting;
        shift(waiting, before.and_then(waits), after.and_then(waits));
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
    /// When prices are to be asked for, earliest first.
    pub(super) prices: BTreeSet<(Timestamp, CallAttemptId)>,
}

impl Row for CallAttempt {
    type Key = CallAttemptId;
    type Index = AttemptIndex;

    fn key(&self) -> CallAttemptId {
        self.id
    }

    fn index(index: &mut AttemptIndex, before: Option<&Self>, after: Option<&Self>) {
        let campaign = |row: &Self| (row.campaign_id, row.id);
        let by_campaign = &mut index.by_campaign;
        shift(by_campaign, before.map(campaign), after.map(campaign));
        let task = |row: &Self| (row.task_id, row.id);
        shift(&mut index.by_task, before.map(task), after.map(task));
        let call = |row: &Self| (row.company_id, row.phone_number, row.created_at, row.id);
        shift(&mut index.by_number, before.map(call), after.map(call));
        let number = |row: &Self| {
            let live = row.state.is_live();
            live.then_some((row.company_id, row.phone_number))
        };
        let live = &mut index.live_numbers;
        shift(live, before.and_then(number), after.and_then(number));
        let lease = |row: &Self| row.state.is_live().then_some((row.lease_until, row.id));
        shift(
            &mut index.leases,
            before.and_then(lease),
            after.and_then(lease),
        );
        let price = |row: &Self| Some((row.price_due_at?, row.id));
        let prices = &mut index.prices;
        shift(prices, before.and_then(price), after.and_then(price));
    }
}

impl Row for Answer {
    type Key = (CallTaskId, String);
    type Index = AnswerIndex;

    fn key(&self) -> (CallTaskId, String) {
        (self.task_id, self.question_key.clone())
    }

    fn index(index: &mut AnswerIndex, before: Option<&Self>, after: Option<&Self>) {
        if let Some(before) = before {
            index.by_id.remove(&before.id);
        }
        index.by_id.extend(after.map(|row| (row.id, row.key())));
        let campaign = |row: &Self| (row.campaign_id, row.id);
        let by_campaign = &mut index.by_campaign;
        shift(by_campaign, before.map(campaign), after.map(campaign));
        let doubtful = |row: &Self| {
            let is_open = row.doubt.is_some() && row.reviewed_at.is_none();
            is_open.then_some(row.id)
        };
        let to_review = &mut index.to_review;
        shift(
            to_review,
            before.and_then(doubtful),
            after.and_then(doubtful),
        );
    }
}

/// Answers by their identifiers, of each campaign, and in doubt.
#[derive(Default)]
pub(super) struct AnswerIndex {
    pub(super) by_id: BTreeMap<AnswerId, (CallTaskId, String)>,
    pub(super) by_campaign: BTreeSet<(CampaignId, AnswerId)>,
    pub(super) to_review: BTreeSet<AnswerId>,
}
