//! One call: its record, what can happen to it, and the webhooks that tell of it.

use chrono::TimeDelta;
use voicesurvey_core::call_attempt::AnsweredBy;
use voicesurvey_core::conversation::Heard;
use voicesurvey_core::outcome::Outcome;
use voicesurvey_core::ports::CallReference;
use voicesurvey_core::time::Timestamp;

use super::{CallIndex, QueueKey};
use crate::chance::Chance;
use crate::ledger::Ring;
use crate::respondent::Respondent;
use crate::webhook::Message;

/// A call, from the order to dial to the end of time.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) ring: Ring,
    /// What only a call that has not ended needs.
    pub(super) live: Option<Box<Live>>,
}

impl Call {
    pub(super) fn reference(&self) -> CallReference {
        CallReference {
            company_id: self.ring.company_id,
            attempt_id: self.ring.attempt_id,
            provider_call_id: Some(self.ring.provider_call_id.clone()),
        }
    }

    /// Puts on record what happened, and says what the host is told of it. The ledger tells no
    /// turns: they belong to the conversation.
    pub(super) fn record(&mut self, happening: Happening, at: Timestamp) -> Option<Message> {
        let ring = &mut self.ring;
        match happening {
            Happening::Initiated => ring.initiated_at = Some(at),
            Happening::Ringing => ring.ringing_at = Some(at),
            Happening::Answered(by) => {
                ring.answered_at = Some(at);
                ring.answered_by = Some(by);
                return Some(Message::Answered {
                    call: self.reference(),
                    by,
                    at,
                });
            }
            Happening::Turn { step, heard } => {
                return Some(Message::Turn {
                    call: self.reference(),
                    step,
                    heard,
                    at,
                });
            }
            Happening::Ended(ending) => {
                ring.ended_at = Some(at);
                ring.outcome = ending.outcome;
                ring.raw_status = ending.raw_status.into();
                ring.error_code = ending.error_code.map(Into::into);
            }
        }
        self.ring.events().pop().map(Message::Event)
    }
}

/// A call that has not ended.
#[derive(Debug)]
pub(super) struct Live {
    pub(super) respondent: Respondent,
    /// Chance for the faults of its webhooks.
    pub(super) webhooks: Chance,
    pub(super) longest_call: TimeDelta,
    /// After so long the line drops; `None` if it does not.
    pub(super) drops_after: Option<TimeDelta>,
    /// What is going to happen to it unless it ends before.
    pub(super) planned: Vec<QueueKey>,
}

/// What happens to a call.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Happening {
    Initiated,
    Ringing,
    Answered(AnsweredBy),
    Turn { step: u32, heard: Heard },
    Ended(Ending),
}

/// How a call ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Ending {
    pub(crate) outcome: Option<Outcome>,
    pub(super) raw_status: &'static str,
    pub(super) error_code: Option<&'static str>,
}

impl Ending {
    pub(super) const COMPLETED: Self = Self {
        outcome: None,
        raw_status: "completed",
        error_code: None,
    };

    /// The line has dropped: nobody has hung up.
    pub(super) const DROPPED: Self = Self {
        outcome: Some(Outcome::ProviderFailure),
        raw_status: "failed",
        error_code: Some("line_dropped"),
    };

    pub(super) const fn unanswered(outcome: Outcome, raw_status: &'static str) -> Self {
        Self {
            outcome: Some(outcome),
            raw_status,
            error_code: None,
        }
    }

    /// The host said nothing that could be spoken.
    pub(super) const fn speechless(error_code: &'static str) -> Self {
        Self {
            error_code: Some(error_code),
            ..Self::COMPLETED
        }
    }
}

/// A webhook on its way.
#[derive(Clone, Debug)]
pub(crate) struct Outgoing {
    pub(super) call: CallIndex,
    pub(crate) message: Message,
    /// When it is delivered.
    pub(super) at: Timestamp,
    pub(super) tries: u8,
    /// Whether it repeats one that was already delivered; its reply is not listened to.
    pub(super) is_copy: bool,
}

impl Outgoing {
    /// When it is delivered.
    pub(crate) const fn due_at(&self) -> Timestamp {
        self.at
    }

    /// Whether it repeats one that was already delivered.
    pub(crate) const fn is_copy(&self) -> bool {
        self.is_copy
    }
}
