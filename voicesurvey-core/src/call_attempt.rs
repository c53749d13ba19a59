//! The call attempt: one dial of a task, from the moment it is committed to the end of the call.
//!
//! The row is committed before the provider is asked to dial (I2). It is also the lease on its
//! task: while it is live it holds one slot of every concurrency limit and blocks every other call
//! to the same number in the company (I3).

pub mod event;
mod price;
pub mod recording;

use std::fmt;
use std::str::FromStr;

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

pub use event::{AnsweredBy, CallEvent, CallEventKind};
pub use recording::{Recording, RecordingState};

use crate::call_task::CallTask;
use crate::id::{CallAttemptId, CallTaskId, CampaignId, CompanyId};
use crate::money::Cost;
use crate::outcome::Outcome;
use crate::phone_number::PhoneNumber;
use crate::planted::{self, Bug};
use crate::ports::CallReference;
use crate::time::Timestamp;

/// One dial of a task.
#[derive(Clone, Debug, PartialEq)]
pub struct CallAttempt {
    /// Its identifier, which the provider gets as our reference.
    pub id: CallAttemptId,
    /// Whose it is.
    pub company_id: CompanyId,
    /// The campaign of its task.
    pub campaign_id: CampaignId,
    /// The task.
    pub task_id: CallTaskId,
    /// 1, 2, 3 … within the task (I1).
    pub number: u16,
    /// The number dialed.
    pub phone_number: PhoneNumber,
    /// The provider's name.
    pub provider: String,
    /// The provider's name of the call, once it is known.
    pub provider_call_id: Option<String>,
    /// How far the call has come.
    pub state: AttemptState,
    /// After this instant nobody may start dialing for this attempt any more.
    pub dial_before: Timestamp,
    /// While the attempt is live and nothing is heard of it by then, it is recovered (I7).
    pub lease_until: Timestamp,
    /// When it was committed.
    pub created_at: Timestamp,
    /// When the provider accepted the call.
    pub accepted_at: Option<Timestamp>,
    /// When it rang.
    pub ringing_at: Option<Timestamp>,
    /// When it was answered.
    pub answered_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// Who or what answered.
    pub answered_by: Option<AnsweredBy>,
    /// How it ended; the conversation may know it before the line is free.
    pub outcome: Option<Outcome>,
    /// The provider's own word for its last status.
    pub raw_status: Option<String>,
    /// The provider's error code.
    pub error_code: Option<String>,
    /// What it cost; absent until the provider says so.
    pub cost: Option<Cost>,
    /// When the provider is asked next what it cost; absent when it is not.
    pub price_due_at: Option<Timestamp>,
    /// What is known of its recording, if one was asked for.
    pub recording: Option<Recording>,
    /// How long the person waited for each reply, in milliseconds: from the moment what they said had
    /// arrived here to the moment it was decided what is said next.
    pub latencies: Vec<u32>,
    /// Rises by one on every change.
    pub version: u32,
}

/// How far a call has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttemptState {
    /// Committed; the provider may or may not have been asked.
    Created,
    /// The provider was asked, and it is not known whether it calls: never dial again before it is
    /// (I3).
    Unknown,
    /// The provider took the call.
    Accepted,
    /// The telephone rings.
    Ringing,
    /// Somebody or something answered.
    Answered,
    /// The line is free again.
    Ended,
}

impl AttemptState {
    /// Every state, in the order in which a call goes through them.
    pub const ALL: [Self; 6] = [
        Self::Created,
        Self::Unknown,
        Self::Accepted,
        Self::Ringing,
        Self::Answered,
        Self::Ended,
    ];

    /// Whether the attempt may hold a line: it counts against limits and blocks its number.
    pub const fn is_live(self) -> bool {
        !matches!(self, Self::Ended)
    }

    /// The name used in the API and in stores.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Unknown => "unknown",
            Self::Accepted => "accepted",
            Self::Ringing => "ringing",
            Self::Answered => "answered",
            Self::Ended => "ended",
        }
    }

    /// The state of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// How long a live attempt may go without news before somebody looks after it (I7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leases {
    /// Until the call is answered. Must be longer than a telephone rings.
    pub unanswered: TimeDelta,
    /// While people talk. Must be longer than anybody thinks about an answer.
    pub answered: TimeDelta,
}

impl Leases {
    /// The lease of an attempt in that state.
    pub const fn of(self, state: AttemptState) -> TimeDelta {
        match state {
            AttemptState::Answered => self.answered,
            _ => self.unanswered,
        }
    }
}

impl Default for Leases {
    fn default() -> Self {
        Self {
            unanswered: TimeDelta::seconds(90),
            answered: TimeDelta::minutes(5),
        }
    }
}

impl fmt::Display for AttemptState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for AttemptState {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::from_name(text).ok_or_else(|| format!("unknown attempt state '{text}'"))
    }
}

impl CallAttempt {
    /// The attempt that a claim commits before anybody is dialed (I2); `task` has counted it.
    pub fn created(
        id: CallAttemptId,
        task: &CallTask,
        provider: &str,
        now: Timestamp,
        dial_before: Timestamp,
        lease_until: Timestamp,
    ) -> Self {
        Self {
            id,
            company_id: task.company_id,
            campaign_id: task.campaign_id,
            task_id: task.id,
            number: task.attempts_count,
            phone_number: task.contact.phone_number,
            provider: provider.to_owned(),
            provider_call_id: None,
            state: AttemptState::Created,
            dial_before,
            lease_until,
            created_at: now,
            accepted_at: None,
            ringing_at: None,
            answered_at: None,
            ended_at: None,
            answered_by: None,
            outcome: None,
            raw_status: None,
            error_code: None,
            cost: None,
            price_due_at: None,
            recording: None,
            latencies: Vec::new(),
            version: 1,
        }
    }

    /// Takes in `event`, and extends the lease, because somebody is alive at the other end.
    ///
    /// Total and idempotent: events may come twice, late and in any order, and the same set of them
    /// leads to the same attempt (I10). The state only moves forward; each instant is the earliest
    /// that was told; the outcome is the best known.
    #[must_use]
    pub fn on(self, event: &CallEvent, now: Timestamp, leases: Leases) -> Self {
        let mut attempt = self;
        // A provider whose clock is ahead must not make us wait for its future.
        let at = event.at.min(now);
        attempt.provider_call_id = attempt
            .provider_call_id
            .or_else(|| event.provider_call_id.clone());
        if let Some(raw_status) = &event.raw_status
            && event.kind.reached() >= attempt.state
        {
            attempt.raw_status = Some(raw_status.clone());
        }
        attempt.error_code = attempt.error_code.or_else(|| event.error_code.clone());
        let reached = event.kind.reached();
        if reached >= AttemptState::Accepted {
            earliest(&mut attempt.accepted_at, at);
        }
        match &event.kind {
            CallEventKind::Initiated => {}
            CallEventKind::Ringing => earliest(&mut attempt.ringing_at, at),
            CallEventKind::Answered { by } => {
                earliest(&mut attempt.answered_at, at);
                attempt.answered_by = attempt.answered_by.max(Some(*by));
            }
            CallEventKind::Priced { cost } => {
                attempt.cost = Some(cost.clone());
                attempt.price_due_at = None;
            }
            CallEventKind::Recorded { recording } => {
                let known = attempt.recording.take().unwrap_or(recording.clone());
                attempt.recording = Some(known.or_further(recording.clone()));
            }
            CallEventKind::Ended { outcome } => {
                earliest(&mut attempt.ended_at, at);
                if let Some(outcome) = outcome {
                    attempt.conclude(*outcome);
                }
            }
        }
        if let Some(outcome) = attempt.answered_by.and_then(AnsweredBy::outcome) {
            attempt.conclude(outcome);
        }
        attempt.state = attempt.state.max(reached);
        attempt.forget_nobodys_call();
        attempt.extend_lease(now, leases);
        attempt
    }

    /// Forgets the provider's name of a call to somebody who was erased, by which the provider would
    /// tell the number; late news must not bring it back. It stays for as long as the price is asked
    /// for, which needs it.
    fn forget_nobodys_call(&mut self) {
        if self.phone_number.is_nobodys() && self.price_due_at.is_none() {
            self.provider_call_id = None;
        }
    }

    /// Extends the lease of a live attempt of which something was heard at `now`.
    pub fn extend_lease(&mut self, now: Timestamp, leases: Leases) {
        if self.state.is_live() {
            self.lease_until = self.lease_until.max(now + leases.of(self.state));
        }
    }

    /// Lets a call be looked after at `at` that may still wait at the provider by then.
    pub fn look_after_unless_ringing(&mut self, at: Timestamp) {
        if self.state == AttemptState::Accepted {
            self.lease_until = self.lease_until.min(at);
        }
    }

    /// Records how the call will end, unless it is known better
    /// ([`Outcome::or_better_known`]).
    pub fn conclude(&mut self, outcome: Outcome) {
        let known = self
            .outcome
            .filter(|_| !planted::is(Bug::WeakerOutcomeWins));
        self.outcome = Some(known.map_or(outcome, |known| known.or_better_known(outcome)));
    }

    /// Ends the attempt without news from the provider, such as when it refused the call.
    #[must_use]
    pub fn ended(mut self, outcome: Outcome, now: Timestamp) -> Self {
        self.conclude(outcome);
        self.state = AttemptState::Ended;
        earliest(&mut self.ended_at, now);
        self
    }

    /// Names the call to the provider.
    pub fn reference(&self) -> CallReference {
        CallReference {
            company_id: self.company_id,
            attempt_id: self.id,
            provider_call_id: self.provider_call_id.clone(),
        }
    }

    /// Seconds of talk, once the call was answered and has ended.
    pub fn talk_time(&self) -> Option<TimeDelta> {
        Some((self.ended_at? - self.answered_at?).max(TimeDelta::zero()))
    }
}

fn earliest(known: &mut Option<Timestamp>, at: Timestamp) {
    *known = Some(known.map_or(at, |known| known.min(at)));
}

#[cfg(test)]
mod tests;
