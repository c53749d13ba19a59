//! The dispatcher: claims due tasks, asks the gate once more, and has the provider dial.

use std::num::NonZeroU16;
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use futures_util::future::join_all;

use super::breaker::pause_if_failing;
use super::call_events::{campaign_of, store_progress};
use super::circumstances::circumstances;
use super::engine::EngineSettings;
use super::quotas::room_in;
use super::settlement::release_undialed;
use crate::call_attempt::{AttemptState, CallAttempt};
use crate::call_task::CallTask;
use crate::campaign::{Campaign, CampaignEvent, PauseReason};
use crate::conversation::script::spoken_language;
use crate::gate::{self, Circumstances, Decision, Reason};
use crate::id::IdGenerator;
use crate::outcome::Outcome;
use crate::planted::{self, Bug};
use crate::ports::{
    CallOptions, CallOrder, CallReference, Claim, ClaimRequest, ClaimedTask, PlaceCallError,
    Placed, Scope, Storage, StorageError, TaskQueue, TelephonyProvider, UnitOfWork, WakeUp,
};
use crate::quota::Room;
use crate::time::{Clock, Timestamp};

/// Claims that are made before whoever asked gets an answer: each may find that the gate turns
/// everybody away, or that another server is faster.
const CLAIMS_IN_A_ROW: u8 = 50;
/// Lanes whose windows are worked out in one transaction.
const LANES_PER_REVIEW: NonZeroU16 = NonZeroU16::new(200).unwrap();
/// A provider that says "later" is not asked again sooner.
const LEAST_PAUSE: TimeDelta = TimeDelta::seconds(5);
/// Nor does it have to be asked more seldom, however often it says so.
const LONGEST_PAUSE: TimeDelta = TimeDelta::minutes(10);

/// Turns due tasks into calls. Every server has one; the claim keeps them apart.
#[derive(Clone, Debug)]
pub struct Dispatcher {
    storage: Arc<dyn Storage>,
    queue: Arc<dyn TaskQueue>,
    provider: Arc<dyn TelephonyProvider>,
    clock: Arc<dyn Clock>,
    ids: Arc<IdGenerator>,
    wake_up: Arc<dyn WakeUp>,
    settings: EngineSettings,
}

impl Dispatcher {
    /// Over a store, its queue and a provider.
    pub fn new(
        storage: Arc<dyn Storage>,
        queue: Arc<dyn TaskQueue>,
        provider: Arc<dyn TelephonyProvider>,
        clock: Arc<dyn Clock>,
        ids: Arc<IdGenerator>,
        wake_up: Arc<dyn WakeUp>,
        settings: EngineSettings,
    ) -> Self {
        Self {
            storage,
            queue,
            provider,
            clock,
            ids,
            wake_up,
            settings,
        }
    }

    /// Claims what is due and dials it. Returns how many people were dealt with: claimed, or turned
    /// away by the gate. Zero means that nothing can be claimed now.
    pub async fn tick(&self) -> Result<usize, StorageError> {
        let Claim { tasks, turned_away } = self.claim().await?;
        let dealt_with = tasks.len() + turned_away;
        for result in join_all(tasks.into_iter().map(|claimed| self.dial(claimed))).await {
            if let Err(error) = result {
                // The attempt is committed and has a lease, so recovery looks after it (I7).
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "a dial was not recorded"
                );
            }
        }
        Ok(dealt_with)
    }

    /// When a claim may next find something: somebody is due, or hours open or close.
    pub(super) async fn next_claim_at(&self) -> Result<Option<Timestamp>, StorageError> {
        let instants = [
            self.queue.next_ready_at(self.provider.name()).await?,
            self.queue.next_review_at().await?,
        ];
        Ok(instants.into_iter().flatten().min())
    }

    /// Claims as much as is claimed at once, without dialing: see [`claim_ready`](Self::claim_ready).
    pub async fn claim(&self) -> Result<Claim, StorageError> {
        self.claim_ready(self.settings.claim_at_most).await
    }

    /// Claims up to `at_most` tasks, without dialing. An empty claim means that nothing can be
    /// claimed now, or that others were faster many times in a row; one that has only turned people
    /// away, that others may stand behind them.
    pub async fn claim_ready(&self, at_most: u16) -> Result<Claim, StorageError> {
        let mut turned_away = 0;
        for _ in 0..CLAIMS_IN_A_ROW {
            let now = self.clock.now();
            // Also while others are claimed: a lane whose hours nobody knows is not claimed from.
            if self
                .queue
                .next_review_at()
                .await?
                .is_some_and(|at| at <= now)
            {
                self.queue.review_lanes(now, LANES_PER_REVIEW).await?;
            }
            let claim = self.claim_once(now, at_most).await?;
            turned_away += claim.turned_away;
            if !claim.tasks.is_empty() {
                let tasks = claim.tasks;
                return Ok(Claim { tasks, turned_away });
            }
            if claim.turned_away == 0
                && self
                    .next_claim_at()
                    .await?
                    .is_none_or(|at| at > self.clock.now())
            {
                break;
            }
        }
        Ok(Claim {
            tasks: Vec::new(),
            turned_away,
        })
    }

    async fn claim_once(&self, now: Timestamp, at_most: u16) -> Result<Claim, StorageError> {
        let dial_before = now + self.settings.dial_within;
        self.queue
            .claim_due(&ClaimRequest {
                now,
                attempt_ids: (0..at_most).map(|_| self.ids.next()).collect(),
                provider: self.provider.name().to_owned(),
                dial_before,
                lease_until: dial_before + self.settings.grace_after_deadline,
            })
            .await
    }

    /// Dials one claimed task, unless the gate has closed meanwhile, and records what the provider
    /// said.
    pub async fn dial(&self, claimed: ClaimedTask) -> Result<(), StorageError> {
        self.dial_if(claimed, || true).await
    }

    /// Like [`dial`](Self::dial), but gives the attempt up unless `in_time`, which is asked
    /// immediately before the provider is: for whoever has clocks of its own.
    pub async fn dial_if(
        &self,
        claimed: ClaimedTask,
        in_time: impl Fn() -> bool + Send,
    ) -> Result<(), StorageError> {
        let Some((order, rings_until)) = self.last_look(&claimed).await? else {
            return Ok(());
        };
        // The look at the store may have taken long; a person whom another server has called
        // meanwhile must not ring.
        if self.clock.now() >= claimed.attempt.dial_before || !in_time() {
            return self
                .give_up(&claimed, Reason::DialDeadlinePassed, None)
                .await;
        }
        let answer = self.provider.place_call(&order).await;
        self.record(&claimed, answer, rings_until).await
    }

    /// What to dial, if the gate is still open, and until when it may begin to ring; else the attempt
    /// is given up.
    async fn last_look(
        &self,
        claimed: &ClaimedTask,
    ) -> Result<Option<(CallOrder, Timestamp)>, StorageError> {
        let attempt = &claimed.attempt;
        let mut work = self
            .storage
            .begin(Scope::Company(attempt.company_id))
            .await?;
        let campaign = campaign_of(&mut *work, attempt).await?;
        let (company, number) = (attempt.company_id, &attempt.phone_number);
        let now = self.clock.now();
        let circumstances =
            circumstances(&mut *work, company, number, Some(attempt.id), now).await?;
        // As it is now: an earlier call may just have told that the person refused.
        let task = work.call_tasks().get(attempt.task_id).await?;
        let room = match &task {
            Some(task) => room_in(&mut *work, &campaign, &task.cells).await?,
            None => Room::Open,
        };
        let circumstances = Circumstances {
            room,
            ..circumstances
        };
        let current = work.call_attempts().get(attempt.id).await?;
        drop(work);
        // Both clocks of a machine that was stopped may say that there is time, although the attempt
        // was given up meanwhile and the person called by another server (I3).
        let is_ours = current.is_some_and(|current| current.state == AttemptState::Created);
        let Some(task) = task.filter(|task| is_ours && task.state.attempt_id() == Some(attempt.id))
        else {
            return Ok(None);
        };
        let now = self.clock.now();
        match gate::decide(&task, &campaign, &circumstances, now) {
            Decision::Dial => {
                let latest = attempt.lease_until;
                let until = gate::may_ring_until(&task.contact, &campaign, now, latest);
                let order = self.order(claimed, &campaign);
                return Ok(Some((order, until.unwrap_or(now))));
            }
            Decision::Wait { until, reason } => self.give_up(claimed, reason, until).await?,
            Decision::Never { reason } => self.bar(claimed, reason).await?,
        }
        Ok(None)
    }

    fn order(&self, claimed: &ClaimedTask, campaign: &Campaign) -> CallOrder {
        let longest_call = campaign
            .snapshot
            .as_ref()
            .map_or(Duration::from_mins(10), |snapshot| {
                snapshot.skillbase.longest_call
            });
        CallOrder {
            company_id: claimed.attempt.company_id,
            attempt_id: claimed.attempt.id,
            phone_number: claimed.attempt.phone_number,
            language: spoken_language(campaign.effective_settings(), &claimed.task.contact),
            ring_for: self.settings.ring_for,
            longest_call,
            options: CallOptions::from(&campaign.effective_settings().calls),
        }
    }

    /// Ends an attempt that was surely not dialed. It is free, and the task waits.
    async fn give_up(
        &self,
        claimed: &ClaimedTask,
        reason: Reason,
        until: Option<Timestamp>,
    ) -> Result<(), StorageError> {
        self.undo(claimed, |task, now| {
            task.postponed(until.unwrap_or(now), reason, now)
        })
        .await
    }

    /// Ends an attempt that was surely not dialed, and the task with it.
    async fn bar(&self, claimed: &ClaimedTask, reason: Reason) -> Result<(), StorageError> {
        self.undo(claimed, |task, now| task.barred(reason, now))
            .await
    }

    async fn undo(
        &self,
        claimed: &ClaimedTask,
        settle_task: impl FnOnce(CallTask, Timestamp) -> CallTask,
    ) -> Result<(), StorageError> {
        let now = self.clock.now();
        let mut work = self
            .storage
            .begin(Scope::Company(claimed.attempt.company_id))
            .await?;
        let Some(attempt) = own_attempt(&mut *work, claimed).await? else {
            return Ok(());
        };
        release_undialed(&mut *work, attempt, settle_task, now).await?;
        work.commit().await?;
        self.wake_up.wake();
        Ok(())
    }

    async fn record(
        &self,
        claimed: &ClaimedTask,
        answer: Result<Placed, PlaceCallError>,
        rings_until: Timestamp,
    ) -> Result<(), StorageError> {
        let now = self.clock.now();
        let mut work = self
            .storage
            .begin(Scope::Company(claimed.attempt.company_id))
            .await?;
        let id = claimed.attempt.id;
        let Some(mut attempt) = work.call_attempts().get_for_update(id).await? else {
            return Ok(());
        };
        // It was given up before the provider answered: whoever rings now must not go on ringing.
        let unwanted = match &answer {
            Ok(placed) if attempt.outcome == Some(Outcome::Cancelled) => Some(CallReference {
                company_id: attempt.company_id,
                attempt_id: attempt.id,
                provider_call_id: Some(placed.provider_call_id.clone()),
            }),
            _ => None,
        };
        // It rings, whatever the provider answered: its events are believed.
        if answer.is_err() && attempt.state > AttemptState::Unknown {
            tracing::warn!(attempt = %id, "the provider denies a call of which it has told");
            return Ok(());
        }
        match answer {
            Ok(placed) => {
                attempt
                    .provider_call_id
                    .get_or_insert(placed.provider_call_id);
                attempt.accepted_at.get_or_insert(now);
                attempt.state = attempt.state.max(AttemptState::Accepted);
                attempt.extend_lease(now, self.settings.leases);
                attempt.look_after_unless_ringing(rings_until);
                work.call_attempts().update(&attempt).await?;
            }
            Err(PlaceCallError::Rejected { code, outcome }) => {
                attempt.error_code = Some(code);
                store_progress(&mut *work, attempt.ended(outcome, now), &self.ids, now).await?;
            }
            Err(PlaceCallError::RetryLater { after }) => {
                self.retry_later(&mut *work, attempt, after, now).await?;
            }
            Err(PlaceCallError::Configuration { code, what }) => {
                tracing::error!(%code, %what, "the provider refuses our configuration");
                self.stop_for_configuration(&mut *work, attempt, code, now)
                    .await?;
            }
            // The provider may be ringing this number right now. Dialing again could reach a person
            // twice, which is worse than not at all, so the attempt stays live until a webhook or
            // recovery tells what became of the call (I3).
            Err(PlaceCallError::Unknown { .. }) if planted::is(Bug::RedialAfterUnknown) => {
                let again = Some(TimeDelta::zero());
                self.retry_later(&mut *work, attempt, again, now).await?;
            }
            Err(PlaceCallError::Unknown { source }) => {
                tracing::warn!(attempt = %id, error = &*source, "it is not known whether it rings");
                attempt.state = attempt.state.max(AttemptState::Unknown);
                work.call_attempts().update(&attempt).await?;
                pause_if_failing(&mut *work, attempt.campaign_id, now).await?;
            }
        }
        work.commit().await?;
        self.wake_up.wake();
        if let Some(call) = unwanted {
            self.hang_up(call).await;
        }
        Ok(())
    }

    async fn hang_up(&self, call: CallReference) {
        if let Err(error) = self.provider.hang_up(&call).await {
            tracing::error!(attempt = %call.attempt_id, %error, "an unwanted call was not ended");
        }
    }

    async fn retry_later(
        &self,
        work: &mut dyn UnitOfWork,
        attempt: CallAttempt,
        after: Option<TimeDelta>,
        now: Timestamp,
    ) -> Result<(), StorageError> {
        let Some(after) = after else {
            return store_progress(
                work,
                attempt.ended(Outcome::ProviderFailure, now),
                &self.ids,
                now,
            )
            .await;
        };
        // The provider names the time, however often it does: this is no fault to be counted, and
        // the attempt ends as others that were given up undialed.
        release_undialed(
            work,
            attempt,
            |task, now| {
                let in_vain = task.attempts_count.saturating_sub(task.attempts_spent);
                let until = now + after.max(pause_after(in_vain));
                task.postponed(until, Reason::ProviderUnavailable, now)
            },
            now,
        )
        .await
    }

    /// Gives the attempt back and pauses the campaign: every further dial would fail alike.
    async fn stop_for_configuration(
        &self,
        work: &mut dyn UnitOfWork,
        mut attempt: CallAttempt,
        code: String,
        now: Timestamp,
    ) -> Result<(), StorageError> {
        attempt.error_code = Some(code);
        let campaign_id = attempt.campaign_id;
        let reason = Reason::ProviderUnavailable;
        release_undialed(
            work,
            attempt,
            |task, now| task.postponed(now, reason, now),
            now,
        )
        .await?;
        if let Some(campaign) = work.campaigns().get_for_update(campaign_id).await?
            && let Ok(paused) = campaign.on(
                CampaignEvent::Pause(PauseReason::ProviderConfiguration),
                now,
            )
        {
            work.campaigns().update(&paused).await?;
        }
        Ok(())
    }
}

/// How long a person is left alone after so many attempts of which nothing came: twice as long each
/// time, so that a provider that is busy for days does not use up the attempts that a task may have.
fn pause_after(in_vain: u16) -> TimeDelta {
    let doublings = u32::from(in_vain.saturating_sub(1)).min(10);
    (LEAST_PAUSE * 2_i32.pow(doublings)).min(LONGEST_PAUSE)
}

/// The attempt as it is now, unless somebody else has dealt with it: then it is not ours any more.
async fn own_attempt(
    work: &mut dyn UnitOfWork,
    claimed: &ClaimedTask,
) -> Result<Option<CallAttempt>, StorageError> {
    let attempt = work
        .call_attempts()
        .get_for_update(claimed.attempt.id)
        .await?;
    Ok(attempt.filter(|attempt| attempt.state == AttemptState::Created))
}
