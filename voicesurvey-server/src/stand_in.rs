//! A telephony provider that stands in for a real one: simulated people behind HTTP, in a process
//! of their own, with a ledger that survives the servers it is used by.
//!
//! The guarantee: what it answers is true. A call that it has placed is in the ledger before the
//! order is answered, and a call that it says it does not know was never placed. So its ledger can
//! judge servers that are killed, cut off and restarted around it.
//!
//! [`server`] is the stand-in itself, the command `voicesurvey provider-stand-in`; [`courier`]
//! carries its webhooks; [`provider`] is what a server uses to reach it, the telephony provider
//! `stand_in`. What they say to each other is here.

pub mod courier;
pub mod provider;
pub mod server;

use std::time::Duration;

use serde::{Deserialize, Serialize};
use voicesurvey_core::call_attempt::CallEvent;
use voicesurvey_core::id::{CallAttemptId, CompanyId};
use voicesurvey_core::language::Language;
use voicesurvey_core::outcome::Outcome;
use voicesurvey_core::phone_number::PhoneNumber;
use voicesurvey_core::ports::{CallOptions, CallOrder};
use voicesurvey_simulator::{Ledger, Spoken};

/// The provider's name in webhooks, attempts and the configuration.
pub const NAME: &str = "stand_in";

/// An order to dial, `POST /calls`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct OrderBody {
    company_id: CompanyId,
    attempt_id: CallAttemptId,
    phone_number: PhoneNumber,
    language: Language,
    ring_for_milliseconds: u64,
    longest_call_milliseconds: u64,
}

impl From<&CallOrder> for OrderBody {
    fn from(order: &CallOrder) -> Self {
        let milliseconds = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        Self {
            company_id: order.company_id,
            attempt_id: order.attempt_id,
            phone_number: order.phone_number,
            language: order.language,
            ring_for_milliseconds: milliseconds(order.ring_for),
            longest_call_milliseconds: milliseconds(order.longest_call),
        }
    }
}

impl From<OrderBody> for CallOrder {
    fn from(body: OrderBody) -> Self {
        Self {
            company_id: body.company_id,
            attempt_id: body.attempt_id,
            phone_number: body.phone_number,
            language: body.language,
            ring_for: Duration::from_millis(body.ring_for_milliseconds),
            longest_call: Duration::from_millis(body.longest_call_milliseconds),
            options: CallOptions::default(),
        }
    }
}

/// The call was placed: 201.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PlacedBody {
    /// The stand-in's name of the call.
    pub provider_call_id: String,
}

/// The call will never be placed: 422.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RejectedBody {
    /// The error code.
    pub code: String,
    /// What it means for the task.
    pub outcome: Outcome,
}

/// What the stand-in knows of an attempt, `GET /companies/{company}/calls/{attempt}`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FoundBody {
    /// Whether such a call was placed. Said in words of its own, because a 404 may also mean that
    /// somebody else answered.
    pub placed: bool,
    /// What happened to it so far.
    pub events: Vec<CallEvent>,
}

/// What came of `POST /companies/{company}/calls/{attempt}/cancel`.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct CancelledBody {
    /// Whether no telephone rings for the call from now on.
    pub over: bool,
}

/// Everything the stand-in has done, `GET /ledger`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct LedgerBody {
    /// Every call that was placed.
    pub rings: Ledger,
    /// Everything that was said in a call and whose reply was received.
    pub heard: Vec<Spoken>,
    /// How it came about.
    pub counts: Counts,
}

/// How often what was done, `GET /counts`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Orders to dial that arrived, with those that were refused.
    pub orders: u64,
    /// Orders whose answer was lost, whether the call was placed or not.
    pub orders_unanswered: u64,
    /// Questions what became of an attempt.
    pub look_ups: u64,
    /// Webhooks that were answered, copies too.
    pub webhooks: u64,
    /// Times that a server could not be reached, or failed, and another was tried.
    pub webhooks_repeated: u64,
    /// Webhooks that no server would take in the end.
    pub webhooks_given_up: u64,
}
