//! One repository per entity, all within one unit of work.
//!
//! `get` answers `None` for rows that do not exist and for rows of other companies alike (I11).
//! `update` takes the entity as it was read with its changes, compares `version` with the stored
//! one, answers [`StorageError::Conflict`] when they differ, and stores `version + 1`; the caller's
//! copy keeps the old number, so it must be read again before it is changed once more.
//! Methods named `…_for_update` also keep everybody else from changing the row until the unit of
//! work ends. To avoid deadlocks lock in this order: attempt, task, campaign. Tasks that end because
//! of their campaign are locked after it: they wait, so that hardly anybody else holds one; where
//! late news of a call does, a store may end one of the two with a conflict.
//!
//! Counters and the ready list are kept by the stores, in the same unit of work as the rows they
//! count, so that they cannot differ (I12).

mod events;

use std::collections::{BTreeMap, HashSet};
use std::num::NonZeroU16;

use async_trait::async_trait;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;
use serde::Serialize;

pub use self::events::{EventRepository, OutboxEvent};
use super::storage::{Page, PageRequest, StorageError};
use crate::api_key::{ApiKey, ApiKeyHash};
use crate::call_attempt::{AttemptState, CallAttempt};
use crate::call_task::{CallTask, TaskStatus};
use crate::campaign::Campaign;
use crate::company::Company;
use crate::conversation::{Answer, AnswerRevision, Consent, Conversation, SurveyResponse, Turn};
use crate::gate::{ContactHistory, Reason};
use crate::id::{
    AnswerId, ApiKeyId, CallAttemptId, CallTaskId, CampaignId, CompanyId, SkillbaseId,
};
use crate::language::Language;
use crate::money::Cost;
use crate::outcome::Outcome;
use crate::phone_number::PhoneNumber;
use crate::queue::QueueLevel;
use crate::queue::lane::Lane;
use crate::quota::{CellNews, Cells};
use crate::skillbase::Skillbase;
use crate::time::Timestamp;

/// Companies. Inserting needs the platform's scope.
#[async_trait]
pub trait CompanyRepository: Send {
    /// Adds a company, with its row in the ready list.
    async fn insert(&mut self, company: &Company) -> Result<(), StorageError>;
    /// Looks a company up.
    async fn get(&mut self, id: CompanyId) -> Result<Option<Company>, StorageError>;
    /// Changes a company; its limits apply from the next claim on.
    async fn update(&mut self, company: &Company) -> Result<(), StorageError>;
    /// Removes a company with its keys, skillbases, exclusions and events. One that has campaigns is
    /// a conflict. Needs the platform's scope. `false` if there was none.
    async fn delete(&mut self, id: CompanyId) -> Result<bool, StorageError>;
    /// Companies in the order of their creation.
    async fn list(&mut self, page: &PageRequest) -> Result<Page<Company>, StorageError>;
}

/// API keys. Finding by hash needs the platform's scope, because the company is not known yet.
#[async_trait]
pub trait ApiKeyRepository: Send {
    /// Adds a key.
    async fn insert(&mut self, key: &ApiKey) -> Result<(), StorageError>;
    /// Looks a key up.
    async fn get(&mut self, id: ApiKeyId) -> Result<Option<ApiKey>, StorageError>;
    /// The key with that hash, of any company, also when it is revoked.
    async fn find_by_hash(&mut self, hash: &ApiKeyHash) -> Result<Option<ApiKey>, StorageError>;
    /// Writes back role, name, expiry, last use and revocation. Keys have no version: the last
    /// writer wins, and a revocation is never undone.
    async fn update(&mut self, key: &ApiKey) -> Result<(), StorageError>;
    /// Keys in the order of their creation, revoked ones too.
    async fn list(&mut self, page: &PageRequest) -> Result<Page<ApiKey>, StorageError>;
}

/// Skillbases.
#[async_trait]
pub trait SkillbaseRepository: Send {
    /// Adds a skillbase; a second default for a language is a conflict.
    async fn insert(&mut self, skillbase: &Skillbase) -> Result<(), StorageError>;
    /// Looks a skillbase up.
    async fn get(&mut self, id: SkillbaseId) -> Result<Option<Skillbase>, StorageError>;
    /// The company's default for a language.
    async fn default_for(&mut self, language: Language) -> Result<Option<Skillbase>, StorageError>;
    /// Changes a skillbase.
    async fn update(&mut self, skillbase: &Skillbase) -> Result<(), StorageError>;
    /// Removes a skillbase; one that a campaign names is a conflict. `false` if there was none.
    async fn delete(&mut self, id: SkillbaseId) -> Result<bool, StorageError>;
    /// Skillbases in the order of their creation.
    async fn list(&mut self, page: &PageRequest) -> Result<Page<Skillbase>, StorageError>;
}

/// Campaigns, with their counters and their row in the ready list.
#[async_trait]
pub trait CampaignRepository: Send {
    /// Adds a campaign.
    async fn insert(&mut self, campaign: &Campaign) -> Result<(), StorageError>;
    /// Looks a campaign up.
    async fn get(&mut self, id: CampaignId) -> Result<Option<Campaign>, StorageError>;
    /// Looks a campaign up and locks it.
    async fn get_for_update(&mut self, id: CampaignId) -> Result<Option<Campaign>, StorageError>;
    /// As [`get_for_update`](Self::get_for_update), but never waits: `None` also if somebody else
    /// holds the campaign.
    async fn get_for_update_unless_locked(
        &mut self,
        id: CampaignId,
    ) -> Result<Option<Campaign>, StorageError>;
    /// Changes a campaign. One that is calling ([`Campaign::is_calling`]) is put on the ready list at
    /// its `updated_at`, with the limits of its effective settings, and its lanes lose their windows
    /// and are reviewed then; any other is taken off, and its lanes are not reviewed. The leases of
    /// its calls that the provider has accepted and that are not known to ring end at its
    /// `updated_at` then, but for calls of which there is news at this moment.
    async fn update(&mut self, campaign: &Campaign) -> Result<(), StorageError>;
    /// Removes a campaign and everything that belongs to it. `false` if there was none.
    async fn delete(&mut self, id: CampaignId) -> Result<bool, StorageError>;
    /// Campaigns of that status name, newest first.
    async fn list(
        &mut self,
        status: Option<&str>,
        page: &PageRequest,
    ) -> Result<Page<Campaign>, StorageError>;
    /// The campaign's lanes, in the order in which they are called when all are open.
    async fn lanes(&mut self, id: CampaignId) -> Result<Vec<Lane>, StorageError>;
    /// Has lanes reviewed whose people are in one of these cells, if the campaign is calling. All of
    /// them lose their windows; or, if the cells are open, only those without one are reviewed.
    async fn review_cells(
        &mut self,
        id: CampaignId,
        news: CellNews<'_>,
    ) -> Result<(), StorageError>;
    /// The campaign's row in the ready list.
    async fn level(&mut self, id: CampaignId) -> Result<Option<QueueLevel>, StorageError>;
    /// What the campaign's rows add up to.
    async fn counters(&mut self, id: CampaignId) -> Result<CampaignCounters, StorageError>;
    /// Of the counters those of these cells that [decide about places](CampaignCounters::of_places),
    /// and no others. It is asked at every turn of a conversation, so stores do not read all counters
    /// for it, of which there may be thousands.
    async fn counters_of_places(
        &mut self,
        id: CampaignId,
        cells: &Cells,
    ) -> Result<CampaignCounters, StorageError> {
        Ok(self.counters(id).await?.of_places(cells))
    }
}

/// What the rows of a campaign add up to. Absent means none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct CampaignCounters {
    /// Tasks by status.
    pub tasks: BTreeMap<TaskStatus, u64>,
    /// Tasks that wait or have ended for a reason of the gate, by reason.
    pub reasons: BTreeMap<Reason, u64>,
    /// Attempts by state.
    pub attempts: BTreeMap<AttemptState, u64>,
    /// Attempts that have an outcome, by outcome.
    pub outcomes: BTreeMap<Outcome, u64>,
    /// What the calls cost whose price is known, by currency.
    pub costs: BTreeMap<String, CostCount>,
    /// Tasks by the cells of quotas that they are in, and by status.
    pub cells: BTreeMap<u16, BTreeMap<TaskStatus, u64>>,
}

/// Calls whose price is known, and what they cost together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct CostCount {
    /// How many, without those whose outcome already says that nothing is to be paid for them
    /// (not [`Outcome::counts_as_contact`]): so the attempts that are neither counted here nor by
    /// such an outcome are those whose price is still to come.
    pub calls: u64,
    /// The sum, of these too, in millionths of the currency's unit; what is smaller is rounded, half to even.
    pub millionths: i64,
}

impl CostCount {
    /// The sum.
    pub fn amount(self) -> Decimal {
        Decimal::new(self.millionths, 6)
    }

    /// A cost as it is counted.
    pub fn of(cost: &Cost) -> Self {
        let millionths = (cost.amount * Decimal::from(1_000_000)).round();
        Self {
            calls: 1,
            millionths: millionths.to_i64().unwrap_or(i64::MAX),
        }
    }

    /// The cost of a call with that outcome as it is counted.
    pub fn of_call(cost: &Cost, outcome: Option<Outcome>) -> Self {
        let counts = outcome.is_none_or(Outcome::counts_as_contact);
        Self {
            calls: u64::from(counts),
            ..Self::of(cost)
        }
    }
}

impl CampaignCounters {
    /// All tasks.
    pub fn total_tasks(&self) -> u64 {
        self.tasks.values().sum()
    }

    /// Tasks that have not ended.
    pub fn open_tasks(&self) -> u64 {
        self.tasks
            .iter()
            .filter(|(status, _)| !status.is_final())
            .map(|(_, count)| count)
            .sum()
    }

    /// All attempts.
    pub fn total_attempts(&self) -> u64 {
        self.attempts.values().sum()
    }

    /// Attempts that hold a line.
    pub fn live_attempts(&self) -> u64 {
        self.attempts
            .iter()
            .filter(|(state, _)| state.is_live())
            .map(|(_, count)| count)
            .sum()
    }

    /// Tasks of one status.
    pub fn tasks_in(&self, status: TaskStatus) -> u64 {
        self.tasks.get(&status).copied().unwrap_or(0)
    }
}

/// Which tasks are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CallTaskFilter {
    /// Of this campaign.
    pub campaign_id: Option<CampaignId>,
    /// In this status.
    pub status: Option<TaskStatus>,
    /// Whose name or number contains this text, in any case.
    pub text: Option<String>,
}

/// Call tasks.
#[async_trait]
pub trait CallTaskRepository: Send {
    /// Adds tasks of one campaign, passing over those whose number the campaign has already, and
    /// returns the identifiers of those that were added. Wakes the ready list.
    async fn insert_many(
        &mut self,
        tasks: &[CallTask],
    ) -> Result<HashSet<CallTaskId>, StorageError>;
    /// Those of the numbers that the campaign has.
    async fn numbers_among(
        &mut self,
        campaign_id: CampaignId,
        phone_numbers: &[PhoneNumber],
    ) -> Result<HashSet<PhoneNumber>, StorageError>;
    /// Looks a task up.
    async fn get(&mut self, id: CallTaskId) -> Result<Option<CallTask>, StorageError>;
    /// Looks a task up and locks it.
    async fn get_for_update(&mut self, id: CallTaskId) -> Result<Option<CallTask>, StorageError>;
    /// Locks tasks in the order in which they are named; those that do not exist are left out.
    async fn get_many_for_update(
        &mut self,
        ids: &[CallTaskId],
    ) -> Result<Vec<CallTask>, StorageError> {
        let mut found = Vec::with_capacity(ids.len());
        for &id in ids {
            found.extend(self.get_for_update(id).await?);
        }
        Ok(found)
    }
    /// Changes a task. One that waits is claimable from its due time on.
    async fn update(&mut self, task: &CallTask) -> Result<(), StorageError>;
    /// Changes several tasks, each once.
    async fn update_many(&mut self, tasks: &[CallTask]) -> Result<(), StorageError> {
        for task in tasks {
            self.update(task).await?;
        }
        Ok(())
    }
    /// Tasks in the order of their creation.
    async fn list(
        &mut self,
        filter: &CallTaskFilter,
        page: &PageRequest,
    ) -> Result<Page<CallTask>, StorageError>;
    /// The waiting tasks with that number, in all campaigns of the company, locked.
    async fn waiting_with_number(
        &mut self,
        phone_number: &PhoneNumber,
    ) -> Result<Vec<CallTask>, StorageError>;
    /// Ends the tasks that wait with one of the numbers as excluded, in all campaigns of the company,
    /// and returns how many. To avoid deadlocks the numbers are sorted.
    async fn exclude_waiting(
        &mut self,
        phone_numbers: &[PhoneNumber],
        now: Timestamp,
    ) -> Result<u64, StorageError> {
        let mut excluded = 0;
        for number in phone_numbers {
            for task in self.waiting_with_number(number).await? {
                self.update(&task.barred(Reason::Excluded, now)).await?;
                excluded += 1;
            }
        }
        Ok(excluded)
    }
    /// Ends up to `at_most` waiting tasks of a campaign for that reason, as [`CallTask::barred`] would,
    /// and returns how many. Fewer than `at_most` means that none waits any more.
    async fn cancel_waiting(
        &mut self,
        campaign_id: CampaignId,
        reason: Reason,
        now: Timestamp,
        at_most: NonZeroU16,
    ) -> Result<u64, StorageError>;
}

/// Which attempts are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CallAttemptFilter {
    /// Of this campaign.
    pub campaign_id: Option<CampaignId>,
    /// Of this task.
    pub task_id: Option<CallTaskId>,
    /// In this state.
    pub state: Option<AttemptState>,
}

/// Call attempts. They are inserted by the claim and by nothing else.
#[async_trait]
pub trait CallAttemptRepository: Send {
    /// Looks an attempt up.
    async fn get(&mut self, id: CallAttemptId) -> Result<Option<CallAttempt>, StorageError>;
    /// The live attempt to the number, if the scope's company is calling it.
    async fn live(
        &mut self,
        phone_number: &PhoneNumber,
    ) -> Result<Option<CallAttempt>, StorageError>;
    /// The live attempts to the numbers, of the scope's company.
    async fn live_among(
        &mut self,
        phone_numbers: &[PhoneNumber],
    ) -> Result<Vec<CallAttempt>, StorageError> {
        let mut found = Vec::new();
        for number in phone_numbers {
            found.extend(self.live(number).await?);
        }
        Ok(found)
    }
    /// When the scope's company called the number since then, in any campaign: the attempts that
    /// count ([`Outcome::counts_as_contact`]), but not `except`.
    async fn history(
        &mut self,
        phone_number: &PhoneNumber,
        since: Timestamp,
        except: Option<CallAttemptId>,
    ) -> Result<ContactHistory, StorageError>;
    /// Looks an attempt up and locks it.
    async fn get_for_update(
        &mut self,
        id: CallAttemptId,
    ) -> Result<Option<CallAttempt>, StorageError>;
    /// Locks attempts in the order in which they are named; those that do not exist are left out.
    async fn get_many_for_update(
        &mut self,
        ids: &[CallAttemptId],
    ) -> Result<Vec<CallAttempt>, StorageError> {
        let mut found = Vec::with_capacity(ids.len());
        for &id in ids {
            found.extend(self.get_for_update(id).await?);
        }
        Ok(found)
    }
    /// Changes an attempt. One that ends gives its slots back to campaign, company and provider
    /// account and wakes them at its `ended_at`, or at once if that is absent.
    async fn update(&mut self, attempt: &CallAttempt) -> Result<(), StorageError>;
    /// Changes several attempts, each once.
    async fn update_many(&mut self, attempts: &[CallAttempt]) -> Result<(), StorageError> {
        for attempt in attempts {
            self.update(attempt).await?;
        }
        Ok(())
    }
    /// The provider's names of the calls to the number that were committed since then, in any
    /// campaign of every company of the scope, but not `except`'s.
    async fn provider_call_ids(
        &mut self,
        phone_number: &PhoneNumber,
        since: Timestamp,
        except: CallAttemptId,
    ) -> Result<Vec<String>, StorageError>;
    /// Attempts, newest first.
    async fn list(
        &mut self,
        filter: &CallAttemptFilter,
        page: &PageRequest,
    ) -> Result<Page<CallAttempt>, StorageError>;
}

/// Conversations, turns, answers, consents and responses.
#[async_trait]
pub trait InterviewRepository: Send {
    /// Adds the conversation of an attempt; a second one is a conflict.
    async fn insert_conversation(
        &mut self,
        conversation: &Conversation,
    ) -> Result<(), StorageError>;
    /// Looks the conversation of an attempt up.
    async fn conversation(
        &mut self,
        attempt_id: CallAttemptId,
    ) -> Result<Option<Conversation>, StorageError>;
    /// The conversations of several attempts, in no order; attempts without one are left out.
    async fn conversations(
        &mut self,
        attempt_ids: &[CallAttemptId],
    ) -> Result<Vec<Conversation>, StorageError> {
        let mut found = Vec::with_capacity(attempt_ids.len());
        for &id in attempt_ids {
            found.extend(self.conversation(id).await?);
        }
        Ok(found)
    }
    /// Changes a conversation.
    async fn update_conversation(
        &mut self,
        conversation: &Conversation,
    ) -> Result<(), StorageError>;
    /// Adds turns.
    async fn insert_turns(&mut self, turns: &[Turn]) -> Result<(), StorageError>;
    /// The turns of an attempt, in order.
    async fn turns(&mut self, attempt_id: CallAttemptId) -> Result<Vec<Turn>, StorageError>;
    /// Stores what became of a question; a later answer of the same task to the same question
    /// replaces an earlier one, unless a person has reviewed that.
    async fn put_answer(&mut self, answer: &Answer) -> Result<(), StorageError>;
    /// The answers of a task, in the order in which they were given.
    async fn answers(&mut self, task_id: CallTaskId) -> Result<Vec<Answer>, StorageError>;
    /// The answers of a campaign, in the order of their identifiers.
    async fn campaign_answers(
        &mut self,
        campaign_id: CampaignId,
        page: &PageRequest,
    ) -> Result<Page<Answer>, StorageError>;
    /// Looks an answer up.
    async fn answer(&mut self, id: AnswerId) -> Result<Option<Answer>, StorageError>;
    /// Stores what a person decided about an answer, and what it was before if that is replaced.
    /// Stores the answer's revision plus one; a conflict if `answer.revision` is not the stored one.
    async fn review_answer(
        &mut self,
        answer: &Answer,
        replaced: Option<&AnswerRevision>,
    ) -> Result<(), StorageError>;
    /// What an answer was before, oldest first.
    async fn answer_revisions(&mut self, id: AnswerId)
    -> Result<Vec<AnswerRevision>, StorageError>;
    /// The answers that are in doubt and that nobody has reviewed, of one campaign or of all, in
    /// the order of their identifiers.
    async fn answers_to_review(
        &mut self,
        campaign_id: Option<CampaignId>,
        page: &PageRequest,
    ) -> Result<Page<Answer>, StorageError>;
    /// Stores consent or refusal; the first one of an attempt stays.
    async fn insert_consent(&mut self, consent: &Consent) -> Result<(), StorageError>;
    /// The consent of an attempt.
    async fn consent(&mut self, attempt_id: CallAttemptId)
    -> Result<Option<Consent>, StorageError>;
    /// Stores the response of a task, unless one is stored that it does not
    /// [replace](SurveyResponse::replaces).
    async fn put_response(&mut self, response: &SurveyResponse) -> Result<(), StorageError>;
    /// The response of a task.
    async fn response(
        &mut self,
        task_id: CallTaskId,
    ) -> Result<Option<SurveyResponse>, StorageError>;
}
