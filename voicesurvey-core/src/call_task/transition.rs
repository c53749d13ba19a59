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
        /// What the task's other attempts came to; read only where [`OtherAttempts::matter`].
        others: OtherAttempts,
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

/// What the other attempts of a task came to.
///
/// It is derived from their rows and not counted on the task, so that it cannot differ from them,
/// and because it matters seldom.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OtherAttempts {
    /// How many failed without costing an attempt ([`Outcome::is_forgiven`]).
    pub faults: u16,
    /// The strongest outcome of any of them.
    pub strongest: Option<Outcome>,
}

impl OtherAttempts {
    /// Attempts that ended so.
    pub fn that_ended(outcomes: impl IntoIterator<Item = Outcome>) -> Self {
        outcomes
            .into_iter()
            .fold(Self::default(), |all, outcome| Self {
                faults: all.faults + u16::from(outcome.is_forgiven()),
                strongest: Some(
                    all.strongest
                        .map_or(outcome, |known| known.or_stronger(outcome)),
                ),
            })
    }

    /// Whether it depends on them what follows from an attempt that ended so: after a fault that is
    /// forgiven only so often, and after a correction, which takes back what the task remembers.
    pub fn matter(outcome: Outcome, previous: Option<Outcome>) -> bool {
        outcome.is_forgiven() || is_correction(outcome, previous)
    }
}

/// Whether it is better known now how a call ended, and it is less than was thought.
fn is_correction(outcome: Outcome, previous: Option<Outcome>) -> bool {
    previous.is_some_and(|known| {
        known.or_better_known(outcome) != known && known.or_stronger(outcome) == known
    })
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
    /// A task that has ended stays ended, except that a better known outcome of its latest attempt
    /// replaces the one before: an answer that arrives after the hang-up is not lost, and who was not
    /// spoken to is called again if that outcome is retried (I10). For whom somebody has decided that
    /// no call follows (the person, the exclusion list, the campaign's end), none does.
    ///
    /// What is better known of an earlier attempt is remembered; the latest decides what follows.
    ///
    /// What the person decided in an earlier call is remembered while a further one is in progress,
    /// and decides where the task goes when that ends, however it ends (I8).
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
                    others,
                    policy,
                    schedule,
                },
            ) => {
                let spends = self
                    .attempts_spent_by(attempt_id, attempt_number, outcome, previous)
                    .ok_or(invalid)?;
                let attempts_spent = self.attempts_spent + u16::from(spends);
                let corrects = is_correction(outcome, previous);
                let known = if corrects {
                    others.strongest
                } else {
                    self.outcome
                };
                let strongest = known.map_or(outcome, |known| known.or_stronger(outcome));
                let corrects_an_earlier_one = corrects && attempt_number != self.attempts_count;
                if corrects_an_earlier_one || self.is_being_called_for_another(attempt_id) {
                    return self
                        .remembering(attempts_spent, strongest, now)
                        .ok_or(invalid);
                }
                let settlement = Settlement {
                    outcome,
                    strongest,
                    attempts_spent,
                    faults: others.faults + u16::from(outcome.is_forgiven()),
                };
                self.settled(settlement, policy, schedule, now)
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
    /// ended stays ended, and one whose person has decided ends. One that is due at once waits for its
    /// turn like others of its lane, and has no reason of its own.
    #[must_use]
    pub fn postponed(self, until: Timestamp, reason: Reason, now: Timestamp) -> Self {
        if self.state.status().is_final() {
            return self;
        }
        if let Some(ended) = self.ended_as_decided(now) {
            return ended;
        }
        let state = if self.attempts_spent == 0 {
            TaskState::Pending { due_at: until }
        } else {
            TaskState::Retry { due_at: until }
        };
        Self {
            state,
            reason: (self.attempts_spent > 0 || until > now).then_some(reason),
            ..self.changed(now)
        }
    }

    /// The gate says: not in this campaign. One that has ended stays as it ended, and one whose
    /// person has decided ends as that person decided.
    #[must_use]
    pub fn barred(self, reason: Reason, now: Timestamp) -> Self {
        if self.state.status().is_final() {
            return self;
        }
        if let Some(ended) = self.ended_as_decided(now) {
            return ended;
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
    /// The live attempt settles the task. Besides that only what is better known counts: of the latest
    /// attempt anything, of an earlier one what the person decided, and what takes back what the task
    /// remembers.
    fn attempts_spent_by(
        &self,
        attempt_id: CallAttemptId,
        attempt_number: u16,
        outcome: Outcome,
        previous: Option<Outcome>,
    ) -> Option<bool> {
        let spends = outcome.rule().spends_attempt;
        if self.state.status() == TaskStatus::InProgress
            && !self.is_being_called_for_another(attempt_id)
        {
            return Some(spends);
        }
        let is_news = previous.is_none_or(|known| known.or_better_known(outcome) != known);
        let counts = attempt_number == self.attempts_count
            || outcome.is_decided_by_person()
            || is_correction(outcome, previous);
        let was_counted = previous.is_some_and(|known| known.rule().spends_attempt);
        (is_news && counts).then_some(spends && !was_counted)
    }

    /// Whether a call is in progress that belongs to another attempt than this one.
    fn is_being_called_for_another(&self, attempt_id: CallAttemptId) -> bool {
        let live = self.state.attempt_id();
        live.is_some_and(|live| live != attempt_id) && !planted::is(Bug::NoFencing)
    }

    /// The task as it stands, with what its attempts came to; `None` if that was known.
    fn remembering(self, attempts_spent: u16, strongest: Outcome, now: Timestamp) -> Option<Self> {
        let outcome = Some(strongest);
        let is_news = (outcome, attempts_spent) != (self.outcome, self.attempts_spent);
        is_news.then(|| Self {
            attempts_spent,
            outcome,
            ..self.changed(now)
        })
    }

    /// The task, ended as the person decided; `None` if nothing was decided.
    fn ended_as_decided(&self, now: Timestamp) -> Option<Self> {
        let state = TaskState::from_final(self.decision()?.rule().final_status)?;
        Some(Self {
            state,
            reason: None,
            ..self.clone().changed(now)
        })
    }

    fn settled(
        self,
        settlement: Settlement,
        policy: &RetryPolicy,
        schedule: &Schedule,
        now: Timestamp,
    ) -> Option<Self> {
        let Settlement {
            outcome,
            strongest,
            attempts_spent,
            faults,
        } = settlement;
        // What happens next depends on this attempt, unless the person has decided it; what is
        // remembered is the strongest of all.
        let deciding = if strongest.is_decided_by_person() {
            strongest
        } else {
            outcome
        };
        let state = match policy.retry_after(deciding, attempts_spent, faults) {
            Some(delay) if policy.changes_daypart(deciding) => TaskState::Retry {
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
            None => TaskState::from_final(deciding.rule().final_status)?,
        };
        if (state, Some(strongest), attempts_spent)
            == (self.state, self.outcome, self.attempts_spent)
        {
            return None;
        }
        // The other two final states, not reached and failed, follow from how the calls ended, and
        // do so anew when that is better known.
        let is_decided = matches!(
            self.state.status(),
            TaskStatus::Completed
                | TaskStatus::Refused
                | TaskStatus::Excluded
                | TaskStatus::Cancelled
        );
        if is_decided && !matches!(state, TaskState::Completed | TaskState::Refused) {
            return self.remembering(attempts_spent, strongest, now);
        }
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

/// What is known of a task's attempts when one of them settles it.
#[derive(Clone, Copy, Debug)]
struct Settlement {
    /// Of the one that settles it.
    outcome: Outcome,
    /// Of all.
    strongest: Outcome,
    attempts_spent: u16,
    faults: u16,
}

#[cfg(test)]
mod tests;
