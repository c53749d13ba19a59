//! News of a call: from the provider's event to the attempt, and on to the task.

use std::sync::Arc;

use super::settlement::settle;
use crate::call_attempt::{AnsweredBy, AttemptState, CallAttempt, CallEvent, Leases};
use crate::campaign::Campaign;
use crate::conversation::{Conversation, Position, SurveyResponse};
use crate::id::IdGenerator;
use crate::outcome::Outcome;
use crate::planted::{self, Bug};
use crate::ports::{Scope, Storage, StorageError, UnitOfWork, WakeUp};
use crate::time::{Clock, Timestamp};

/// What became of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Receipt {
    /// It was taken in.
    Applied,
    /// It had been taken in before (I10).
    Repeated,
    /// It speaks of an attempt that does not exist.
    UnknownAttempt,
}

/// Takes in events of the provider.
#[derive(Clone, Debug)]
pub struct CallEvents {
    storage: Arc<dyn Storage>,
    clock: Arc<dyn Clock>,
    ids: Arc<IdGenerator>,
    wake_up: Arc<dyn WakeUp>,
    leases: Leases,
}

impl CallEvents {
    /// Over a store. `wake_up` is rung when a line becomes free.
    pub fn new(
        storage: Arc<dyn Storage>,
        clock: Arc<dyn Clock>,
        ids: Arc<IdGenerator>,
        wake_up: Arc<dyn WakeUp>,
        leases: Leases,
    ) -> Self {
        Self {
            storage,
            clock,
            ids,
            wake_up,
            leases,
        }
    }

    /// Takes in one event. It may come twice, late, or before the provider has even answered the
    /// request to dial.
    pub async fn receive(&self, event: &CallEvent) -> Result<Receipt, StorageError> {
        let now = self.clock.now();
        let mut work = self.storage.begin(Scope::Company(event.company_id)).await?;
        let Some(attempt) = work
            .call_attempts()
            .get_for_update(event.attempt_id)
            .await?
        else {
            tracing::warn!(attempt = %event.attempt_id, "an event speaks of an unknown attempt");
            return Ok(Receipt::UnknownAttempt);
        };
        if !work.events().receive(event, now).await? && !planted::is(Bug::DuplicateCounts) {
            return Ok(Receipt::Repeated);
        }
        let was_live = attempt.state.is_live();
        let attempt = attempt.on(event, now, self.leases);
        let ended = !attempt.state.is_live();
        store_progress(&mut *work, attempt, &self.ids, now).await?;
        work.commit().await?;
        if was_live && ended {
            self.wake_up.wake();
        }
        Ok(Receipt::Applied)
    }
}

/// Stores an attempt that has moved, and whatever follows from it: the outcome of a call that has
/// ended, the response of an interview that was broken off, the state of the task.
pub(crate) async fn store_progress(
    work: &mut dyn UnitOfWork,
    mut attempt: CallAttempt,
    ids: &IdGenerator,
    now: Timestamp,
) -> Result<(), StorageError> {
    let stored = work.call_attempts().get(attempt.id).await?;
    let previous = stored
        .and_then(|stored| stored.outcome)
        .filter(|_| !planted::is(Bug::DuplicateCounts));
    let conversation = work.interviews().conversation(attempt.id).await?;
    if attempt.state.is_live() && conversation.as_ref().is_some_and(is_past_consent) {
        // The interview goes on, so a machine that was detected just now decides nothing.
        attempt.outcome = previous;
    }
    if attempt.state == AttemptState::Ended {
        if let Some(outcome) = outcome_of_ended(&attempt, conversation.as_ref()) {
            attempt.conclude(outcome);
        }
        if let Some(conversation) = &conversation
            && conversation.outcome.is_none()
            && conversation.answered() > 0
        {
            let response = response(conversation, false, ids, attempt.ended_at.unwrap_or(now));
            work.interviews().put_response(&response).await?;
        }
    }
    work.call_attempts().update(&attempt).await?;
    if attempt.outcome.is_some() {
        let campaign = campaign_of(work, &attempt).await?;
        settle(work, &attempt, previous, &campaign, ids, now).await?;
    }
    Ok(())
}

/// How a call ended of which the provider only says that it is over.
fn outcome_of_ended(attempt: &CallAttempt, conversation: Option<&Conversation>) -> Option<Outcome> {
    match (attempt.answered_by, conversation) {
        // Whoever has consented is no machine, whatever a detector says afterwards.
        (_, Some(conversation))
            if conversation.outcome.is_some() || is_past_consent(conversation) =>
        {
            Some(conversation.broken_off())
        }
        (Some(AnsweredBy::Voicemail | AnsweredBy::Fax | AnsweredBy::CallScreening), _) => None,
        (_, Some(conversation)) => Some(conversation.broken_off()),
        (Some(AnsweredBy::Person | AnsweredBy::Unknown), None) => {
            Some(Outcome::HungUpBeforeConsent)
        }
        (None, None) if attempt.outcome.is_none() => Some(Outcome::NoAnswer),
        (None, None) => None,
    }
}

/// Whether somebody has consented and is being asked questions.
const fn is_past_consent(conversation: &Conversation) -> bool {
    matches!(conversation.position, Position::Question { .. })
}

/// The response that an interview leaves behind.
pub(crate) fn response(
    conversation: &Conversation,
    complete: bool,
    ids: &IdGenerator,
    ended_at: Timestamp,
) -> SurveyResponse {
    SurveyResponse {
        id: ids.next(),
        company_id: conversation.company_id,
        campaign_id: conversation.campaign_id,
        task_id: conversation.task_id,
        attempt_id: conversation.attempt_id,
        complete,
        started_at: conversation.started_at,
        ended_at,
    }
}

/// The campaign of an attempt.
pub(crate) async fn campaign_of(
    work: &mut dyn UnitOfWork,
    attempt: &CallAttempt,
) -> Result<Campaign, StorageError> {
    work.campaigns()
        .get(attempt.campaign_id)
        .await?
        .ok_or_else(|| StorageError::Corrupt {
            table: "call_attempts",
            what: format!("attempt {} names a campaign that is gone", attempt.id),
        })
}
