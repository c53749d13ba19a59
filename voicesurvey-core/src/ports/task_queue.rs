//! The dispatcher's side of the store: short transactions of its own.

use std::num::NonZeroU16;

use async_trait::async_trait;

use super::storage::StorageError;
use crate::call_attempt::CallAttempt;
use crate::call_task::CallTask;
use crate::campaign::Pacing;
use crate::id::{CallAttemptId, CampaignId, CompanyId};
use crate::time::Timestamp;

/// Claims tasks, and finds what the scheduler has to look after. Works over all companies.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait TaskQueue: Send + Sync + std::fmt::Debug {
    /// Takes up to `request.attempt_ids.len()` due tasks and commits an attempt for each (I2).
    ///
    /// Limits of company and campaign hold over all servers, because the rows that count them are
    /// locked (I5, I6). A task whose number has a live attempt in its company is passed over (I3).
    /// Companies take turns, and so do the campaigns of a company; within a campaign the highest
    /// priority comes first, then the lane that closes soonest, then the earliest due.
    async fn claim_due(&self, request: &ClaimRequest) -> Result<Claim, StorageError>;

    /// When a claim for that provider may next find something; `None` when nothing is ready, or when
    /// all lines of the provider's account are taken.
    async fn next_ready_at(&self, provider: &str) -> Result<Option<Timestamp>, StorageError>;

    /// Makes waiting tasks whose time has come claimable, `at_most` of them, earliest first.
    /// Returns how many; fewer than `at_most` means that no more are due.
    async fn promote_due(&self, now: Timestamp, at_most: NonZeroU16) -> Result<u64, StorageError>;

    /// When the next waiting task falls due; `None` when none waits.
    async fn next_due_at(&self) -> Result<Option<Timestamp>, StorageError>;

    /// Live attempts whose lease has run out, earliest first (I7).
    async fn expired_attempts(
        &self,
        now: Timestamp,
        at_most: NonZeroU16,
    ) -> Result<Vec<AttemptKey>, StorageError>;

    /// When the next lease of a live attempt runs out.
    async fn next_expiry_at(&self) -> Result<Option<Timestamp>, StorageError>;

    /// Attempts over that provider's lines of which the price is to be asked for by now, earliest
    /// first.
    async fn attempts_to_price(
        &self,
        provider: &str,
        now: Timestamp,
        at_most: NonZeroU16,
    ) -> Result<Vec<AttemptKey>, StorageError>;

    /// When the next price is to be asked for over that provider's lines.
    async fn next_price_at(&self, provider: &str) -> Result<Option<Timestamp>, StorageError>;

    /// Scheduled campaigns whose start has come.
    async fn campaigns_to_start(
        &self,
        now: Timestamp,
        at_most: NonZeroU16,
    ) -> Result<Vec<CampaignKey>, StorageError>;

    /// When the next scheduled campaign starts; `None` when none is scheduled.
    async fn next_start_at(&self) -> Result<Option<Timestamp>, StorageError>;

    /// Works out the windows of lanes whose time to be reviewed has come, as
    /// [`queue::lane::review`](crate::queue::lane::review) says, and returns how many. Any server may
    /// do it, and twice does no harm.
    async fn review_lanes(&self, now: Timestamp, at_most: NonZeroU16) -> Result<u64, StorageError>;

    /// When the next lane is to be reviewed; `None` when no campaign runs.
    async fn next_review_at(&self) -> Result<Option<Timestamp>, StorageError>;

    /// Running and paused campaigns whose end date has come and that are not winding up yet.
    async fn campaigns_to_end(
        &self,
        now: Timestamp,
        at_most: NonZeroU16,
    ) -> Result<Vec<CampaignKey>, StorageError>;

    /// Campaigns that have ended or wind up, and in which tasks still wait: a list of a million people
    /// is not ended within one transaction.
    async fn campaigns_to_empty(
        &self,
        at_most: NonZeroU16,
    ) -> Result<Vec<CampaignKey>, StorageError>;

    /// Running campaigns whose budget allows no further call, and none of whose attempts is live (see
    /// [`has_spent_its_budget`](crate::queue::claim::has_spent_its_budget)). Those with money left do
    /// not count, however many they are.
    async fn campaigns_to_pause(
        &self,
        at_most: NonZeroU16,
    ) -> Result<Vec<CampaignKey>, StorageError>;

    /// Running and paused campaigns that are not winding up although as many people have answered as
    /// they want, or every cell of their quotas is full (see [`reached`](crate::queue::claim::reached)).
    async fn campaigns_at_target(
        &self,
        at_most: NonZeroU16,
    ) -> Result<Vec<CampaignKey>, StorageError>;

    /// The next end date of a running or paused campaign that is not winding up yet.
    async fn next_end_at(&self) -> Result<Option<Timestamp>, StorageError>;

    /// Limits the calls of all companies together over one provider account; `None` lifts the
    /// limits. Live attempts count from the start. The last one who sets them is right.
    async fn limit_provider(
        &self,
        provider: &str,
        limits: Option<Pacing>,
    ) -> Result<(), StorageError>;

    /// Running and paused campaigns with at least one task, all of whose tasks have ended and none
    /// of whose attempts is live.
    async fn campaigns_to_finish(
        &self,
        at_most: NonZeroU16,
    ) -> Result<Vec<CampaignKey>, StorageError>;
}

/// What a dispatcher asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimRequest {
    /// The present instant.
    pub now: Timestamp,
    /// One identifier for each task that may be claimed.
    pub attempt_ids: Vec<CallAttemptId>,
    /// The provider that will be asked to dial.
    pub provider: String,
    /// After this instant the dispatcher will not dial any more.
    pub dial_before: Timestamp,
    /// When the attempts are recovered if nothing is heard of them.
    pub lease_until: Timestamp,
}

/// What a claim came to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Claim {
    /// The tasks that were taken, as they are after the claim.
    pub tasks: Vec<ClaimedTask>,
    /// How many others the gate turned away: they wait as it said, and whoever stands behind them
    /// has not been looked at.
    pub turned_away: usize,
}

impl Claim {
    /// Whether nobody was taken and nobody turned away. A claim visits a few campaigns only; whether
    /// another one may find somebody is what [`TaskQueue::next_ready_at`] says.
    pub const fn is_empty(&self) -> bool {
        self.tasks.is_empty() && self.turned_away == 0
    }
}

/// A task that was claimed. Only its attempt's identifier can settle it.
#[derive(Clone, Debug, PartialEq)]
pub struct ClaimedTask {
    /// The task, in progress.
    pub task: CallTask,
    /// The attempt, created.
    pub attempt: CallAttempt,
}

/// Names an attempt and its company.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AttemptKey {
    /// The company.
    pub company_id: CompanyId,
    /// The attempt.
    pub attempt_id: CallAttemptId,
}

/// Names a campaign and its company.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CampaignKey {
    /// The company.
    pub company_id: CompanyId,
    /// The campaign.
    pub campaign_id: CampaignId,
}
