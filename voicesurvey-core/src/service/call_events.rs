//! News of a call: from the provider's event to the attempt, and on to the task.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::breaker::pause_if_failing;
use super::budget::{resume_within_budget, without_budget};
use super::settlement::{Concluded, settle};
use crate::call_attempt::{
    AnsweredBy, AttemptState, CallAttempt, CallEvent, CallEventKind, Leases,
};
use crate::call_task::CallBack;
use crate::campaign::Campaign;
use crate::conversation::{Conversation, LineEnd, SurveyResponse};
use crate::id::{CompanyId, IdGenerator};
use crate::money::Cost;
use crate::outcome::Outcome;
use crate::planted::{self, Bug};
use crate::ports::{CallReference, Scope, Storage, StorageError, UnitOfWork, WakeUp};
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
    asks_for_prices: bool,
}

impl CallEvents {
    /// Over a store. `wake_up` is rung when a line becomes free, and when a price is told, which may
    /// leave more of a budget.
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
            asks_for_prices: false,
        }
    }

    /// Has the prices of calls that end asked for.
    #[must_use]
    pub const fn asking_for_prices(mut self, asks: bool) -> Self {
        self.asks_for_prices = asks;
        self
    }

    /// How long calls may go without news.
    pub(super) const fn leases(&self) -> Leases {
        self.leases
    }

    /// Takes in one event. It may come twice, late, or before the provider has even answered the
    /// request to dial.
    pub async fn receive(&self, event: &CallEvent) -> Result<Receipt, StorageError> {
        let receipts = self
            .receive_many(event.company_id, std::slice::from_ref(event))
            .await?;
        Ok(receipts.first().copied().unwrap_or(Receipt::UnknownAttempt))
    }

    /// Takes in events of one company in one unit of work, in their order: all of them, or none if
    /// it fails. Several events of one call are no different from one after the other.
    ///
    /// # Panics
    ///
    /// Panics when an event is another company's: the caller has mixed two companies.
    pub async fn receive_many(
        &self,
        company_id: CompanyId,
        events: &[CallEvent],
    ) -> Result<Vec<Receipt>, StorageError> {
        assert!(
            events.iter().all(|event| event.company_id == company_id),
            "events of one company are taken in at once"
        );
        let now = self.clock.now();
        let mut work = self.storage.begin(Scope::Company(company_id)).await?;
        let named: BTreeSet<_> = events.iter().map(|event| event.attempt_id).collect();
        let named: Vec<_> = named.into_iter().collect();
        let known = work.call_attempts().get_many_for_update(&named).await?;
        let mut attempts: BTreeMap<_, _> = known
            .into_iter()
            .map(|known| (known.id, Moved::from(known)))
            .collect();
        let to_keep = |event: &CallEvent| {
            let moved = attempts.get(&event.attempt_id)?;
            Some(moved.to_keep(event))
        };
        let known: Vec<CallEvent> = events.iter().filter_map(to_keep).collect();
        let mut news = work.events().receive_many(&known, now).await?.into_iter();
        let mut receipts = Vec::with_capacity(events.len());
        for event in events {
            let Some(moved) = attempts.get_mut(&event.attempt_id) else {
                tracing::warn!(attempt = %event.attempt_id, "an event speaks of an unknown attempt");
                receipts.push(Receipt::UnknownAttempt);
                continue;
            };
            if news.next() == Some(true) || planted::is(Bug::DuplicateCounts) {
                moved.take_in(event, now, self.leases);
                receipts.push(Receipt::Applied);
            } else {
                receipts.push(Receipt::Repeated);
            }
        }
        let moved: Vec<Moved> = attempts
            .into_values()
            .filter(|moved| moved.has_news)
            .collect();
        let may_call = |moved: &Moved| moved.has_ended() || moved.is_priced();
        let somebody_may_be_called = moved.iter().any(may_call);
        if !moved.is_empty() {
            store_all(&mut *work, moved, self.asks_for_prices, &self.ids, now).await?;
            work.commit().await?;
        }
        if somebody_may_be_called {
            self.wake_up.wake();
        }
        Ok(receipts)
    }

    /// The call that an event is about, if that tells of a machine which is being spoken to as if it
    /// were a person. Whoever has consented is none.
    pub(super) async fn held_with_machine(
        &self,
        event: &CallEvent,
    ) -> Result<Option<CallReference>, StorageError> {
        let is_verdict =
            matches!(event.kind, CallEventKind::Answered { by } if by.outcome().is_some());
        if !is_verdict {
            return Ok(None);
        }
        let scope = Scope::Company(event.company_id);
        let mut work = self.storage.begin(scope).await?;
        let Some(attempt) = work.call_attempts().get(event.attempt_id).await? else {
            return Ok(None);
        };
        let held = work.interviews().conversation(attempt.id).await?;
        let goes_on =
            |held: Conversation| held.outcome.is_none() && !held.position.is_past_consent();
        let is_held = attempt.state == AttemptState::Answered && held.is_some_and(goes_on);
        Ok(is_held.then(|| attempt.reference()))
    }
}

/// An attempt, and what was known of it before.
struct Moved {
    attempt: CallAttempt,
    previous: Option<Outcome>,
    previous_cost: Option<Cost>,
    was_live: bool,
    has_news: bool,
    /// How the line ended, if the provider has told just now.
    line: Option<LineEnd>,
}

impl From<CallAttempt> for Moved {
    fn from(attempt: CallAttempt) -> Self {
        Self {
            previous: attempt
                .outcome
                .filter(|_| !planted::is(Bug::DuplicateCounts)),
            previous_cost: attempt.cost.clone(),
            was_live: attempt.state.is_live(),
            has_news: false,
            line: None,
            attempt,
        }
    }
}

impl Moved {
    /// The event as it is kept: of somebody who was erased, without the provider's name of the call.
    fn to_keep(&self, event: &CallEvent) -> CallEvent {
        let mut event = event.clone();
        if self.attempt.phone_number.is_nobodys() {
            event.provider_call_id = None;
        }
        event
    }

    fn take_in(&mut self, event: &CallEvent, now: Timestamp, leases: Leases) {
        self.attempt = self.attempt.clone().on(event, now, leases);
        self.has_news = true;
        if let CallEventKind::Ended { outcome } = event.kind {
            self.line = self.line.max(Some(line_end(outcome)));
        }
    }

    /// Whether its line is free now, and was not before.
    fn has_ended(&self) -> bool {
        self.was_live && !self.attempt.state.is_live()
    }

    /// Whether it has another price than before.
    fn is_priced(&self) -> bool {
        self.attempt.cost != self.previous_cost
    }
}

/// How the line of a call ended that the provider says came to this. Only what it calls a failure
/// dropped: of everything else nobody knows that the person did not hang up.
const fn line_end(outcome: Option<Outcome>) -> LineEnd {
    match outcome {
        Some(Outcome::ProviderFailure) => LineEnd::Dropped,
        _ => LineEnd::HungUp,
    }
}

/// Stores an attempt that has moved, and whatever follows from it: the outcome of a call that has
/// ended, the response of an interview that was broken off, the state of the task.
pub(crate) async fn store_progress(
    work: &mut dyn UnitOfWork,
    attempt: CallAttempt,
    ids: &IdGenerator,
    now: Timestamp,
) -> Result<(), StorageError> {
    let stored = work.call_attempts().get(attempt.id).await?;
    let moved = Moved {
        previous: stored.and_then(|stored| stored.outcome),
        ..Moved::from(attempt)
    };
    store_all(work, vec![moved], false, ids, now).await
}

/// As [`store_progress`], for several attempts of one company, in the order of their identifiers.
/// The prices of those that have ended are asked for from now on, if prices are.
async fn store_all(
    work: &mut dyn UnitOfWork,
    mut moved: Vec<Moved>,
    asks_for_prices: bool,
    ids: &IdGenerator,
    now: Timestamp,
) -> Result<(), StorageError> {
    let attempt_ids: Vec<_> = moved.iter().map(|moved| moved.attempt.id).collect();
    let conversations = work.interviews().conversations(&attempt_ids).await?;
    let mut conversations: HashMap<_, _> = conversations
        .into_iter()
        .map(|conversation| (conversation.attempt_id, conversation))
        .collect();
    for moved in &mut moved {
        if let Some(conversation) = conversations.get_mut(&moved.attempt.id) {
            note_line(work, conversation, moved.line).await?;
        }
        let conversation = conversations.get(&moved.attempt.id);
        if let Some(left) = conclude(moved, conversation, ids, now) {
            work.interviews().put_response(&left).await?;
        }
        if asks_for_prices {
            moved.attempt.await_price(now);
        }
    }
    let attempts: Vec<_> = moved.iter().map(|moved| moved.attempt.clone()).collect();
    let priced = moved.iter().filter(|moved| moved.is_priced());
    let priced = priced.map(|moved| moved.attempt.campaign_id).collect();
    let without_budget = without_budget(work, priced).await?;
    work.call_attempts().update_many(&attempts).await?;
    let concluded: Vec<Concluded> = moved
        .into_iter()
        .filter(|moved| moved.attempt.outcome.is_some())
        .map(|moved| Concluded {
            call_back: conversations
                .get(&moved.attempt.id)
                .map_or(CallBack::NotAsked, Conversation::call_back),
            attempt: moved.attempt,
            previous: moved.previous,
        })
        .collect();
    // Boxed, as these hold whole campaigns, and the future of every dial would.
    Box::pin(settle(work, &concluded, ids, now)).await?;
    let failed: BTreeSet<_> = concluded
        .iter()
        .filter(|concluded| concluded.attempt.outcome != concluded.previous)
        .filter(|concluded| concluded.attempt.outcome.is_some_and(Outcome::is_fault))
        .map(|concluded| concluded.attempt.campaign_id)
        .collect();
    for campaign_id in failed {
        pause_if_failing(work, campaign_id, now).await?;
    }
    for campaign_id in without_budget {
        Box::pin(resume_within_budget(work, campaign_id, now)).await?;
    }
    Ok(())
}

/// Notes in a conversation that is open how its line ended. What is said later is told with the
/// line gone, and the order in which the two become known must not matter (I10).
async fn note_line(
    work: &mut dyn UnitOfWork,
    conversation: &mut Conversation,
    line: Option<LineEnd>,
) -> Result<(), StorageError> {
    if conversation.outcome.is_some() || line <= conversation.memory.line {
        return Ok(());
    }
    conversation.memory.line = line;
    work.interviews().update_conversation(conversation).await
}

/// How the line of an attempt had ended when somebody began to talk on it, as far as was told.
///
/// The outcome does not say: of a line that failed, ringing makes that nobody answered.
pub(crate) async fn line_before(
    work: &mut dyn UnitOfWork,
    attempt: &CallAttempt,
) -> Result<Option<LineEnd>, StorageError> {
    if attempt.state != AttemptState::Ended {
        return Ok(None);
    }
    let told = work.events().received(attempt.id).await?;
    let ends = told.iter().filter_map(|event| match event.kind {
        CallEventKind::Ended { outcome } => Some(line_end(outcome)),
        _ => None,
    });
    Ok(ends.max().or_else(|| Some(line_end(attempt.outcome))))
}

/// Works out how the call ended, as far as that is known, and the response that a broken-off
/// interview leaves behind.
fn conclude(
    moved: &mut Moved,
    conversation: Option<&Conversation>,
    ids: &IdGenerator,
    now: Timestamp,
) -> Option<SurveyResponse> {
    let attempt = &mut moved.attempt;
    let is_past_consent = |held: &Conversation| held.position.is_past_consent();
    if attempt.state.is_live() && conversation.is_some_and(is_past_consent) {
        // The interview goes on, so a machine that was detected just now decides nothing.
        attempt.outcome = moved.previous;
    }
    if attempt.state != AttemptState::Ended {
        return None;
    }
    if let Some(outcome) = outcome_of_ended(attempt, conversation, moved.line) {
        attempt.conclude(outcome);
    }
    let broken_off = conversation
        .filter(|conversation| conversation.outcome.is_none() && conversation.answered() > 0)?;
    Some(response(
        broken_off,
        broken_off.is_all_answered(),
        ids,
        attempt.ended_at.unwrap_or(now),
    ))
}

/// How a call ended of which the provider only says that it is over.
fn outcome_of_ended(
    attempt: &CallAttempt,
    conversation: Option<&Conversation>,
    line: Option<LineEnd>,
) -> Option<Outcome> {
    match (attempt.answered_by, conversation) {
        // Whoever has consented is no machine, whatever a detector says afterwards.
        (_, Some(conversation))
            if conversation.outcome.is_some() || conversation.position.is_past_consent() =>
        {
            Some(conversation.left_open())
        }
        (Some(AnsweredBy::Voicemail | AnsweredBy::Fax | AnsweredBy::CallScreening), _) => None,
        (_, Some(conversation)) => Some(conversation.left_open()),
        (Some(AnsweredBy::Person | AnsweredBy::Unknown), None) => {
            Some(Outcome::HungUpBeforeConsent)
        }
        // A failure says less, whichever of the two is told first.
        (None, None) => match (attempt.outcome, line) {
            (None, _) | (Some(Outcome::ProviderFailure), Some(LineEnd::HungUp)) => {
                Some(Outcome::NoAnswer)
            }
            // It has rung, and somebody may have heard it: that counts against the caps per person.
            (Some(Outcome::ProviderFailure | Outcome::Cancelled), _)
                if attempt.ringing_at.is_some() =>
            {
                Some(Outcome::NoAnswer)
            }
            _ => None,
        },
    }
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
