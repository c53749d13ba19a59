//! Recovery: attempts of which nothing was heard are looked after, and never simply dialed again.
//!
//! It also gives up calls that wait at the provider and must not ring any more, because their
//! campaign or company has stopped calling, because the person is not to be called any more, or because it
//! has become late where the person is. Their leases end
//! at that instant. Providers tell nothing of a call that was cancelled before it was dialed, so
//! what became of it is asked for.

use std::num::NonZeroU16;
use std::sync::Arc;

use super::call_events::{CallEvents, campaign_of, store_progress};
use super::settlement::release_undialed;
use chrono::TimeDelta;
use futures_util::future::join_all;

use crate::call_attempt::{AttemptState, CallAttempt};
use crate::company::CompanyStatus;
use crate::gate::{self, Reason};
use crate::id::IdGenerator;
use crate::outcome::Outcome;
use crate::planted::{self, Bug};
use crate::ports::{
    AttemptKey, CallReference, Cancellation, FoundCall, Scope, Storage, StorageError, TaskQueue,
    TelephonyProvider, UnconfirmedCall, UnitOfWork, WakeUp,
};
use crate::time::{Clock, Timestamp};

/// After so long no call can still be in progress of which nobody knows anything.
const UNKNOWN_FOR: TimeDelta = TimeDelta::hours(4);
/// For so long a provider may hold back a call that it has taken, before it dials or drops it.
const HELD_BACK_FOR: TimeDelta = TimeDelta::hours(24);
/// What a provider knows of a call is behind what it did by less.
const RECORD_IS_BEHIND: TimeDelta = TimeDelta::seconds(10);

/// A provider may name the instant of a call that was committed so much earlier as near to another's:
/// an order takes seconds, and a call may wait for a day in the provider's queue.
const OTHER_CALLS_SINCE: TimeDelta = TimeDelta::days(1);

/// Settles attempts whose lease has run out (I7).
#[derive(Clone, Debug)]
pub struct Recovery {
    storage: Arc<dyn Storage>,
    queue: Arc<dyn TaskQueue>,
    provider: Arc<dyn TelephonyProvider>,
    call_events: CallEvents,
    clock: Arc<dyn Clock>,
    ids: Arc<IdGenerator>,
    wake_up: Arc<dyn WakeUp>,
}

impl Recovery {
    /// Over a store, its queue and the provider that knows what became of a call.
    pub fn new(
        storage: Arc<dyn Storage>,
        queue: Arc<dyn TaskQueue>,
        provider: Arc<dyn TelephonyProvider>,
        call_events: CallEvents,
        clock: Arc<dyn Clock>,
        ids: Arc<IdGenerator>,
        wake_up: Arc<dyn WakeUp>,
    ) -> Self {
        Self {
            storage,
            queue,
            provider,
            call_events,
            clock,
            ids,
            wake_up,
        }
    }

    /// Looks after up to `at_most` attempts whose lease has run out. Returns how many were looked
    /// after; one that could not be is tried again by the next tick, and is no progress.
    pub async fn tick(&self, at_most: NonZeroU16) -> Result<usize, StorageError> {
        let expired = self
            .queue
            .expired_attempts(self.clock.now(), at_most)
            .await?;
        let results = join_all(expired.iter().map(|&key| self.recover(key))).await;
        let mut looked_after = 0;
        for (key, result) in expired.iter().zip(results) {
            match result {
                Ok(()) => looked_after += 1,
                // One attempt that cannot be settled must not keep the others waiting.
                Err(error) => {
                    not_recovered(*key, &error);
                    self.try_later(*key).await;
                }
            }
        }
        Ok(looked_after)
    }

    /// Moves the lease of an attempt that could not be settled, so that others get their turn. If
    /// that fails too, the store does, and nobody gets a turn anyway.
    async fn try_later(&self, key: AttemptKey) {
        if let Err(error) = self.look_again_later(key, None, None).await {
            let error = &error as &dyn std::error::Error;
            tracing::error!(attempt = %key.attempt_id, error, "an attempt keeps its lease");
        }
    }

    async fn recover(&self, key: AttemptKey) -> Result<(), StorageError> {
        let mut work = self.storage.begin(Scope::Company(key.company_id)).await?;
        let Some(attempt) = work.call_attempts().get(key.attempt_id).await? else {
            return Ok(());
        };
        let must_not_ring = waits_in_vain(&mut *work, &attempt, self.clock.now()).await?;
        drop(work);
        tracing::info!(attempt = %attempt.id, state = %attempt.state, "recovering an attempt");
        let cancelled = if must_not_ring {
            self.cancel(&attempt).await
        } else {
            None
        };
        match self.find(&attempt).await? {
            FoundCall::Found { events } => {
                for event in &events {
                    self.call_events.receive(event).await?;
                }
                self.look_again_later(key, None, cancelled).await
            }
            // Whoever does not cancel a call has it.
            FoundCall::NotFound if cancelled == Some(Cancellation::GoesOn) => {
                self.look_again_later(key, None, cancelled).await
            }
            FoundCall::NotFound => self.settle_missing(key).await,
            FoundCall::Unknown if self.clock.now() >= lost_from(&attempt) => {
                self.settle_lost(key).await
            }
            FoundCall::Unknown => {
                self.look_again_later(key, Some(AttemptState::Unknown), cancelled)
                    .await
            }
        }
    }

    /// What the provider knows of the attempt. Another provider than the one that was asked to dial
    /// would truthfully say that it has no such call, while the telephone rings (I3).
    async fn find(&self, attempt: &CallAttempt) -> Result<FoundCall, StorageError> {
        if attempt.provider != self.provider.name() && !planted::is(Bug::AsksAnotherProvider) {
            return Ok(FoundCall::Unknown);
        }
        let call = attempt.reference();
        let found = if call.provider_call_id.is_some() {
            self.provider.find_call(&call).await
        } else {
            let sought = self.unconfirmed(attempt, call).await?;
            self.provider.find_unconfirmed_call(&sought).await
        };
        Ok(found.unwrap_or_else(|error| {
            tracing::warn!(attempt = %attempt.id, %error, "the provider could not be asked");
            FoundCall::Unknown
        }))
    }

    /// What a call can be known by of which the provider has given no name. Companies share the
    /// provider's account, so the calls of all of them to the number are told apart.
    async fn unconfirmed(
        &self,
        attempt: &CallAttempt,
        call: CallReference,
    ) -> Result<UnconfirmedCall, StorageError> {
        let mut work = self.storage.begin(Scope::Platform).await?;
        let since = attempt.created_at - OTHER_CALLS_SINCE;
        let other_calls = work
            .call_attempts()
            .provider_call_ids(&attempt.phone_number, since, attempt.id)
            .await?;
        Ok(UnconfirmedCall {
            call,
            phone_number: attempt.phone_number,
            committed_at: attempt.created_at,
            dial_before: attempt.dial_before,
            other_calls,
        })
    }

    /// Has the provider give up a call that nobody has answered. `None` if it cannot be asked.
    async fn cancel(&self, attempt: &CallAttempt) -> Option<Cancellation> {
        if attempt.provider != self.provider.name() {
            return None;
        }
        match self.provider.cancel(&attempt.reference()).await {
            Ok(cancelled) => {
                tracing::info!(attempt = %attempt.id, ?cancelled, "it must not ring any more");
                Some(cancelled)
            }
            Err(error) => {
                tracing::warn!(attempt = %attempt.id, %error, "a call was not cancelled");
                None
            }
        }
    }

    /// The provider has no such call. One that it never took was not dialed and is free; one that
    /// it had taken is over.
    async fn settle_missing(&self, key: AttemptKey) -> Result<(), StorageError> {
        let now = self.clock.now();
        let Some((mut work, attempt)) = self.expired(key, now).await? else {
            return Ok(());
        };
        if attempt.state > AttemptState::Unknown {
            drop(work);
            return self.settle_lost(key).await;
        }
        let reason = Reason::ProviderUnavailable;
        release_undialed(
            &mut *work,
            attempt,
            |task, now| task.postponed(now, reason, now),
            now,
        )
        .await?;
        work.commit().await?;
        self.wake_up.wake();
        Ok(())
    }

    /// The call is over and nobody will tell how; what is known of it is what was said in it.
    async fn settle_lost(&self, key: AttemptKey) -> Result<(), StorageError> {
        let now = self.clock.now();
        let Some((mut work, attempt)) = self.expired(key, now).await? else {
            return Ok(());
        };
        let conversation = work.interviews().conversation(attempt.id).await?;
        let outcome = conversation.map_or(Outcome::Lost, |held| held.broken_off());
        let mut attempt = attempt.ended(outcome, now);
        if self.provider.prices_are_asked_for() && attempt.provider_call_id.is_some() {
            attempt.await_price(now);
        }
        store_progress(&mut *work, attempt, &self.ids, now).await?;
        work.commit().await?;
        self.wake_up.wake();
        Ok(())
    }

    /// Also when it might have to be cancelled by then; and soon, if it has to be now, or was.
    async fn look_again_later(
        &self,
        key: AttemptKey,
        state: Option<AttemptState>,
        cancelled: Option<Cancellation>,
    ) -> Result<(), StorageError> {
        let now = self.clock.now();
        let Some((mut work, mut attempt)) = self.live(key).await? else {
            return Ok(());
        };
        // News of it, perhaps those that were just asked for, have their own lease.
        if attempt.lease_until <= now {
            attempt.state = state.map_or(attempt.state, |state| attempt.state.max(state));
            attempt.lease_until = now + self.call_events.leases().of(attempt.state);
        }
        let until = match cancelled {
            Some(Cancellation::Over) => None,
            _ => may_ring_until(&mut *work, &attempt, now).await?,
        };
        attempt.look_after_unless_ringing(until.unwrap_or(now + RECORD_IS_BEHIND));
        work.call_attempts().update(&attempt).await?;
        work.commit().await
    }

    /// The attempt, locked, if it is still live and nothing has been heard of it meanwhile.
    async fn expired(
        &self,
        key: AttemptKey,
        now: Timestamp,
    ) -> Result<Option<(Box<dyn UnitOfWork>, CallAttempt)>, StorageError> {
        let live = self.live(key).await?;
        Ok(live.filter(|(_, attempt)| attempt.lease_until <= now))
    }

    /// The attempt, locked, if it is still live.
    async fn live(
        &self,
        key: AttemptKey,
    ) -> Result<Option<(Box<dyn UnitOfWork>, CallAttempt)>, StorageError> {
        let mut work = self.storage.begin(Scope::Company(key.company_id)).await?;
        let attempt = work.call_attempts().get_for_update(key.attempt_id).await?;
        let live = attempt.filter(|attempt| attempt.state.is_live());
        Ok(live.map(|attempt| (work, attempt)))
    }
}

/// From when on a call of which the provider tells nothing is over for certain. One that was taken may
/// have waited there until now, and a provider that cannot be asked for a while does not tell.
fn lost_from(attempt: &CallAttempt) -> Timestamp {
    let held_back_for = if attempt.state == AttemptState::Accepted {
        HELD_BACK_FOR
    } else {
        TimeDelta::zero()
    };
    let seen_at = attempt.answered_at.or(attempt.ringing_at);
    seen_at.unwrap_or_default().max(attempt.dial_before) + held_back_for + UNKNOWN_FOR
}

/// Whether the call waits at the provider, as far as is known, and must not ring any more.
async fn waits_in_vain(
    work: &mut dyn UnitOfWork,
    attempt: &CallAttempt,
    now: Timestamp,
) -> Result<bool, StorageError> {
    let waits = attempt.state == AttemptState::Accepted;
    Ok(waits && may_ring_until(work, attempt, now).await?.is_none())
}

/// Until when the call may begin to ring if it waits at the provider; `None` if it must not.
async fn may_ring_until(
    work: &mut dyn UnitOfWork,
    attempt: &CallAttempt,
    now: Timestamp,
) -> Result<Option<Timestamp>, StorageError> {
    let campaign = campaign_of(work, attempt).await?;
    let company = work.companies().get(attempt.company_id).await?;
    let may_call = company.is_some_and(|company| company.status == CompanyStatus::Active);
    if !may_call
        || work
            .exclusions()
            .excluded_by(&attempt.phone_number)
            .await?
            .is_some()
    {
        return Ok(None);
    }
    let task = work.call_tasks().get(attempt.task_id).await?;
    let latest = attempt.lease_until.max(now);
    Ok(task.and_then(|task| gate::may_ring_until(&task.contact, &campaign, now, latest)))
}

fn not_recovered(key: AttemptKey, error: &StorageError) {
    let error = error as &dyn std::error::Error;
    tracing::error!(attempt = %key.attempt_id, error, "an attempt was not recovered");
}
