//! The telephones of a dry run: a provider that knows at once how each call will end, and writes
//! every call into its own book.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use futures_util::FutureExt as _;
use rust_decimal::Decimal;
use uuid::Uuid;
use voicesurvey_core::call_attempt::{CallAttempt, CallEvent, CallEventKind};
use voicesurvey_core::conversation::VoiceReply;
use voicesurvey_core::id::{CallAttemptId, CallTaskId, CompanyId};
use voicesurvey_core::memory::MemoryStorage;
use voicesurvey_core::money::Cost;
use voicesurvey_core::outcome::Outcome;
use voicesurvey_core::ports::{
    CallOrder, CallReference, Cancellation, FoundCall, PlaceCallError, Placed, ProviderError,
    Scope, Storage as _, TelephonyProvider, Webhook, WebhookError, WebhookReply, WebhookRequest,
};
use voicesurvey_core::time::{Clock, Timestamp};

use super::ledger::{Call, Ledger};
use super::respondents::Respondents;

/// The provider's name in attempts.
pub(super) const NAME: &str = "dry-run";

/// The telephones of everybody on the list.
pub(super) struct Telephones {
    clock: Arc<dyn Clock>,
    storage: MemoryStorage,
    company_id: CompanyId,
    respondents: Respondents,
    /// Never held across an await.
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    ledger: Ledger,
    /// How often each person on the list was called, in all their life.
    calls: Vec<u16>,
    /// The calls in progress, the one that ends first first.
    in_progress: BinaryHeap<Reverse<(Timestamp, u32, CallAttemptId)>>,
}

/// A call that is over.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ended {
    pub(super) attempt_id: CallAttemptId,
    pub(super) call: Call,
}

/// The name that the task of a person on the list has in a dry run.
pub(super) fn task_id(contact: u32) -> CallTaskId {
    CallTaskId::from_uuid(Uuid::from_u128(u128::from(contact)))
}

/// Whose task it is; `None` for a task that no dry run has made.
pub(super) fn contact_of(task_id: CallTaskId) -> Option<u32> {
    u32::try_from(task_id.as_uuid().as_u128()).ok()
}

impl Telephones {
    /// The telephones of the people in `ledger`, which has no calls yet.
    pub(super) fn new(
        clock: Arc<dyn Clock>,
        storage: MemoryStorage,
        company_id: CompanyId,
        respondents: Respondents,
        ledger: Ledger,
    ) -> Self {
        let calls = ledger.contacts.iter();
        let calls = calls.map(|contact| contact.attempts_before).collect();
        Self {
            clock,
            storage,
            company_id,
            respondents,
            state: Mutex::new(State {
                ledger,
                calls,
                in_progress: BinaryHeap::new(),
            }),
        }
    }

    /// When the next call ends; `None` while nobody is being called.
    pub(super) fn next_end_at(&self) -> Option<Timestamp> {
        let state = self.state();
        state.in_progress.peek().map(|Reverse((at, ..))| *at)
    }

    /// Ends the next call that is over by `now`.
    pub(super) fn end_next(&self, now: Timestamp) -> Option<Ended> {
        let mut state = self.state();
        let Reverse((at, index, attempt_id)) = *state.in_progress.peek()?;
        if at > now {
            return None;
        }
        state.in_progress.pop();
        let call = &mut state.ledger.calls[index as usize];
        call.ended_at = Some(at);
        Some(Ended {
            attempt_id,
            call: *call,
        })
    }

    /// The book, which is closed.
    pub(super) fn take_ledger(&self) -> Ledger {
        std::mem::take(&mut self.state().ledger)
    }

    /// The attempt, as somebody else sees it in the store now, and whether anybody could look: while
    /// a unit of work is open nobody can.
    fn look_up(&self, id: CallAttemptId) -> (Option<CallAttempt>, bool) {
        let scope = Scope::Company(self.company_id);
        let Some(Ok(mut work)) = self.storage.begin(scope).now_or_never() else {
            return (None, false);
        };
        let found = work.call_attempts().get(id).now_or_never();
        (found.and_then(Result::ok).flatten(), true)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // OK because whoever panics with the lock ends the dry run.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ended {
    /// How the engine is told.
    pub(super) fn event(&self, company_id: CompanyId) -> CallEvent {
        let outcome = Some(self.call.outcome);
        self.tell(company_id, "ended", CallEventKind::Ended { outcome })
    }

    /// How the engine is told the price.
    pub(super) fn price(&self, company_id: CompanyId, cost: Cost) -> CallEvent {
        self.tell(company_id, "priced", CallEventKind::Priced { cost })
    }

    fn tell(&self, company_id: CompanyId, event_id: &str, kind: CallEventKind) -> CallEvent {
        CallEvent {
            company_id,
            attempt_id: self.attempt_id,
            event_id: event_id.to_owned(),
            provider_call_id: None,
            kind,
            at: self.call.ended_at.unwrap_or(self.call.placed_at),
            raw_status: None,
            error_code: None,
        }
    }
}

impl Call {
    /// Started minutes of talk.
    pub(super) fn minutes(&self) -> u32 {
        let talk = self.answered_at.zip(self.ended_at);
        let seconds = talk.map_or(0, |(from, to)| (to - from).num_seconds().max(1));
        u32::try_from(seconds.unsigned_abs().div_ceil(60)).unwrap_or(u32::MAX)
    }

    /// What it costs at that price per minute.
    pub(super) fn cost(&self, per_minute: Decimal) -> Decimal {
        per_minute * Decimal::from(self.minutes())
    }
}

#[async_trait]
impl TelephonyProvider for Telephones {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn place_call(&self, order: &CallOrder) -> Result<Placed, PlaceCallError> {
        let now = self.clock.now();
        let (attempt, could_look) = self.look_up(order.attempt_id);
        let mut guard = self.state();
        let state = &mut *guard;
        state.ledger.dialed_in_transaction += u64::from(!could_look);
        let contact = attempt.as_ref().and_then(|row| contact_of(row.task_id));
        let listed = contact.and_then(|index| state.ledger.contacts.get(index as usize));
        let Some((contact, listed)) = contact.zip(listed) else {
            state.ledger.dialed_again += 1;
            return Err(PlaceCallError::Rejected {
                code: "not_on_the_list".to_owned(),
                outcome: Outcome::ProviderRejected,
            });
        };
        let calls = &mut state.calls[contact as usize];
        let calls_before = u32::from(*calls);
        *calls = calls.saturating_add(1);
        let zones = &state.ledger.zones[usize::from(listed.zones)];
        let zone = zones
            .first()
            .copied()
            .unwrap_or(voicesurvey_core::time_zone::TimeZone::UTC);
        let course = self.respondents.call(
            &order.phone_number,
            zone,
            calls_before,
            order.ring_for,
            order.longest_call,
            now,
        );
        let index = u32::try_from(state.ledger.calls.len()).unwrap_or(u32::MAX);
        state.ledger.calls.push(Call {
            contact,
            number: attempt.as_ref().map_or(0, |row| row.number),
            outcome: course.outcome,
            committed_at: attempt.map(|row| row.created_at),
            placed_at: now,
            answered_at: course.answered_at,
            ended_at: None,
        });
        let end = (course.ended_at, index, order.attempt_id);
        state.in_progress.push(Reverse(end));
        Ok(Placed {
            provider_call_id: String::new(),
        })
    }

    async fn find_call(&self, _call: &CallReference) -> Result<FoundCall, ProviderError> {
        // Only asked when a lease runs out, and then the truth is: nothing can be told yet.
        Ok(FoundCall::Unknown)
    }

    async fn cancel(&self, _call: &CallReference) -> Result<Cancellation, ProviderError> {
        Ok(Cancellation::GoesOn)
    }

    async fn hang_up(&self, _call: &CallReference) -> Result<(), ProviderError> {
        Ok(())
    }

    fn read_webhook(
        &self,
        _request: &WebhookRequest,
        _now: Timestamp,
    ) -> Result<Webhook, WebhookError> {
        Ok(Webhook::Nothing)
    }

    fn write_reply(&self, _call: &CallReference, _reply: &VoiceReply) -> WebhookReply {
        WebhookReply::empty()
    }
}

impl fmt::Debug for Telephones {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Telephones").finish_non_exhaustive()
    }
}
