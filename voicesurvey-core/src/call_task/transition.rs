//! The one function that moves a task.

use std::fmt;

use super::{CallTask, TaskState, TaskStatus};
use crate::campaign::retry::in_other_daypart;
use crate::campaign::{RetryPolicy, Schedule};
use crate::gate::Reason;
use crate::id::CallAttemptId;
use crate::outcome::Outcome;
use crate::planted::{self, Bug};
use crate::time::Timestamp;

/// What can happen to a task.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum TaskEvent<'a> {
    /// A dispatcher took it and committed an attempt.
    Claimed {
        /// The new attempt.
        attempt_id: CallAttemptId,
    },
    /// The attempt ended, or the conversation decided how it will end.
    Settled {
        /// The attempt that tells it. An attempt that is no longer the task's latest is refused.
        attempt_id: CallAttemptId,
        /// Its number.
        attempt_number: u16,
        /// How it ended.
        outcome: Outcome,
        /// How it was thought to have ended before, if it was.
        previous: Option<Outcome>,
        /// What the campaign does about it.
        policy: &'a RetryPolicy,
        /// When the campaign may call.
        schedule: &'a Schedule,
    },
    /// The number was put on the exclusion list.
    Excluded,
    /// The campaign was cancelled or has ended.
    Cancelled,
}

impl TaskEvent<'_> {
    /// The event's name.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Claimed { .. } => "claimed",
            Self::Settled { .. } => "settled",
            Self::Excluded => "excluded",
            Self::Cancelled => "cancelled",
        }
    }
}

/// The event cannot happen to a task in that state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidTaskTransition {
    /// The task's state.
    pub from: &'static str,
    /// What was said to have happened.
    pub event: &'static str,
}

impl fmt::Display for InvalidTaskTransition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a task that is {} cannot be {}", self.from, self.event)
    }
}

impl std::error::Error for InvalidTaskTransition {}

impl CallTask {
    /// Carries out `event`.
    ///
    /// A task that has ended stays ended, except that a stronger outcome of its latest attempt
    /// replaces a weaker one: an answer that arrives after the hang-up is not lost (I10).
    pub fn on(self, event: TaskEvent<'_>, now: Timestamp) -> Result<Self, InvalidTaskTransition> {
        let invalid = InvalidTaskTransition {
            from: self.state.status().name(),
            event: event.name(),
        };
        match (self.state, event) {
            (
                TaskState::Pending { .. } | TaskState::Retry { .. },
                TaskEvent::Claimed { attempt_id },
            ) => Ok(Self {
                state: TaskState::InProgress { attempt_id },
                attempts_count: self.attempts_count + 1,
                last_attempt_at: Some(now),
                reason: None,
                ..self.changed(now)
            }),
            (
                _,
                TaskEvent::Settled {
                    attempt_id,
                    attempt_number,
                    outcome,
                    previous,
                    policy,
                    schedule,
                },
            ) => {
                let spends = self
                    .attempts_spent_by(attempt_id, attempt_number, outcome, previous)
                    .ok_or(invalid)?;
                let attempts_spent = self.attempts_spent + u16::from(spends);
                self.settled(attempts_spent, outcome, (policy, schedule), now)
                    .ok_or(invalid)
            }
            (TaskState::Pending { .. } | TaskState::Retry { .. }, TaskEvent::Excluded) => {
                Ok(self.barred(Reason::Excluded, now))
            }
            (TaskState::Pending { .. } | TaskState::Retry { .. }, TaskEvent::Cancelled) => {
                Ok(self.barred(Reason::CampaignEnded, now))
            }
            _ => Err(invalid),
        }
    }

    /// The gate, or a fault before anybody was dialed, says: not now. No attempt is spent.
    ///
    /// For a task that waits, or one in progress whose attempt was given up undialed; one that has
    /// ended stays ended.
    #[must_use]
    pub fn postponed(self, until: Timestamp, reason: Reason, now: Timestamp) -> Self {
        if self.state.status().is_final() {
            return self;
        }
        let state = if self.attempts_spent == 0 {
            TaskState::Pending { due_at: until }
        } else {
            TaskState::Retry { due_at: until }
        };
        Self {
            state,
            reason: Some(reason),
            ..self.changed(now)
        }
    }

    /// The gate says: not in this campaign. One that has ended stays as it ended.
    #[must_use]
    pub fn barred(self, reason: Reason, now: Timestamp) -> Self {
        if self.state.status().is_final() {
            return self;
        }
        let (state, outcome) = match reason {
            Reason::Excluded => (TaskState::Excluded, self.outcome),
            Reason::AttemptsUsedUp => (TaskState::NotReached, self.outcome),
            Reason::NeverInCallingHours | Reason::UnknownTimeZone => {
                (TaskState::Failed, self.outcome)
            }
            _ => (
                TaskState::Cancelled,
                self.outcome.or(Some(Outcome::Cancelled)),
            ),
        };
        Self {
            state,
            outcome,
            reason: Some(reason),
            ..self.changed(now)
        }
    }

    fn changed(self, now: Timestamp) -> Self {
        Self {
            updated_at: now,
            ..self
        }
    }

    /// Whether news of an attempt uses one up; `None` when it has nothing to say about the task.
    ///
    /// The live attempt settles the task. After that only something stronger counts: of the latest
    /// attempt anything, of an earlier one what the person decided. A task that has been claimed
    /// again belongs to its new attempt.
    fn attempts_spent_by(
        &self,
        attempt_id: CallAttemptId,
        attempt_number: u16,
        outcome: Outcome,
        previous: Option<Outcome>,
    ) -> Option<bool> {
        let spends = outcome.rule().spends_attempt;
        if let TaskState::InProgress { attempt_id: live } = self.state {
            let is_own = live == attempt_id || planted::is(Bug::NoFencing);
            return is_own.then_some(spends);
        }
        let is_news = previous.is_none_or(|known| known.or_stronger(outcome) != known);
        let counts = attempt_number == self.attempts_count || outcome.is_decided_by_person();
        let was_counted = previous.is_some_and(|known| known.rule().spends_attempt);
        (is_news && counts).then_some(spends && !was_counted)
    }

    fn settled(
        self,
        attempts_spent: u16,
        outcome: Outcome,
        (policy, schedule): (&RetryPolicy, &Schedule),
        now: Timestamp,
    ) -> Option<Self> {
        let free = self.attempts_count.saturating_sub(attempts_spent);
        // What happens next depends on this attempt; what is remembered is the strongest of all.
        let state = match policy.retry_after(outcome, attempts_spent, free) {
            Some(delay) if policy.changes_daypart(outcome) => TaskState::Retry {
                due_at: in_other_daypart(
                    now + delay,
                    self.last_attempt_at.unwrap_or(now),
                    schedule,
                    &self.contact,
                ),
            },
            Some(delay) => TaskState::Retry {
                due_at: now + delay,
            },
            None => TaskState::from_final(outcome.rule().final_status)?,
        };
        let may_follow = match self.state.status() {
            // These two are what is said of somebody who was not spoken to.
            TaskStatus::NotReached | TaskStatus::Failed => state.status().is_final(),
            status if status.is_final() => {
                matches!(state, TaskState::Completed | TaskState::Refused)
            }
            _ => true,
        };
        if !may_follow {
            return None;
        }
        let strongest = self
            .outcome
            .map_or(outcome, |known| known.or_stronger(outcome));
        let reason = match state {
            TaskState::Retry { .. } => Some(Reason::WaitsForRetry),
            TaskState::NotReached if attempts_spent >= policy.max_attempts => {
                Some(Reason::AttemptsUsedUp)
            }
            _ => None,
        };
        Some(Self {
            state,
            attempts_spent,
            outcome: Some(strongest),
            reason,
            ..self.changed(now)
        })
    }
}

#[cfg(test)]
mod tests;
