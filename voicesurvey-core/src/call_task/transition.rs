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
        /// What the person said about being called again.
        call_back: CallBack,
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

/// What a person said about being called again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CallBack {
    /// Nothing.
    #[default]
    NotAsked,
    /// That it shall be later, and not when.
    Later,
    /// When it shall be.
    At(Timestamp),
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
    /// Whether an interview stopped in the middle in any of them.
    pub interrupted: bool,
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
                interrupted: all.interrupted || outcome.is_interruption(),
            })
    }

    /// Whether it depends on them what follows from an attempt that ended so: after a fault that is
    /// forgiven only so often, after an interview that is continued once, and after a correction,
    /// which takes back what the task remembers.
    pub fn matter(outcome: Outcome, previous: Option<Outcome>) -> bool {
        outcome.is_forgiven() || outcome.is_interruption() || is_correction(outcome, previous)
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
                    call_back,
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
                    interrupted_before: others.interrupted,
                    call_back,
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
            Reason::AttemptsUsedUp if self.outcome == Some(Outcome::Interrupted) => {
                return self.not_continued(reason, now);
            }
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

    /// Nobody is called again for that reason. An interview that stopped in the middle ends as it
    /// stands, and any other task as [`CallTask::barred`] says.
    #[must_use]
    pub fn not_continued(self, reason: Reason, now: Timestamp) -> Self {
        if self.state.status().is_final() || self.outcome != Some(Outcome::Interrupted) {
            return self.barred(reason, now);
        }
        Self {
            state: TaskState::Completed,
            reason: None,
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
            strongest,
            attempts_spent,
            ..
        } = settlement;
        let next = self.next_call(settlement, policy, schedule, now);
        let state = match next {
            Some((due_at, _)) => TaskState::Retry { due_at },
            None => TaskState::from_final(settlement.closing().rule().final_status)?,
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
            TaskState::Retry { .. } => next.map(|(_, reason)| reason),
            TaskState::NotReached if attempts_spent >= policy.max_attempts => {
                Some(Reason::AttemptsUsedUp)
            }
            TaskState::Cancelled if strongest == Outcome::QuotaFull => Some(Reason::QuotaFull),
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

    /// When the person is called again, and what for; `None` if not.
    fn next_call(
        &self,
        settlement: Settlement,
        policy: &RetryPolicy,
        schedule: &Schedule,
        now: Timestamp,
    ) -> Option<(Timestamp, Reason)> {
        let outcome = settlement.deciding();
        let after =
            |outcome| policy.retry_after(outcome, settlement.attempts_spent, settlement.faults);
        let mut delay = after(outcome)?;
        if outcome.may_have_appointment() {
            if let CallBack::At(at) = settlement.call_back
                && let Some(at) = self.within_hours(at.max(now), schedule)
            {
                return Some((at, Reason::Appointment));
            }
            if settlement.call_back != CallBack::NotAsked {
                // A dropped line is called again at once; who has asked for peace gets it.
                delay = delay.max(after(Outcome::CallBackRequested)?);
            }
        }
        if outcome.is_interruption() && settlement.interrupted_before {
            return None;
        }
        let due_at = now + delay;
        let due_at = if policy.changes_daypart(outcome) {
            let failed_at = self.last_attempt_at.unwrap_or(now);
            in_other_daypart(due_at, failed_at, schedule, &self.contact)
        } else {
            due_at
        };
        Some((due_at, Reason::WaitsForRetry))
    }

    /// The first instant from `at` on at which the person may be called; `None` if the campaign has
    /// ended by then.
    fn within_hours(&self, at: Timestamp, schedule: &Schedule) -> Option<Timestamp> {
        let hours = schedule.hours_of(&self.contact);
        let opening = hours.next_opening(schedule.zones_of(&self.contact), at)?;
        let is_in_time = schedule.ends_at.is_none_or(|ends_at| opening < ends_at);
        is_in_time.then_some(opening)
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
    /// Whether the interview stopped in the middle in an earlier one.
    interrupted_before: bool,
    call_back: CallBack,
}

impl Settlement {
    /// What happens next depends on this attempt, unless the person has decided it; what is
    /// remembered is the strongest of all.
    const fn deciding(self) -> Outcome {
        if self.strongest.is_decided_by_person() {
            self.strongest
        } else {
            self.outcome
        }
    }

    /// What the task ends as if nothing happens next: an interview that stopped in the middle keeps
    /// what was answered, whatever became of the calls that were to continue it.
    const fn closing(self) -> Outcome {
        match self.strongest {
            Outcome::Interrupted => self.strongest,
            _ => self.deciding(),
        }
    }
}

#[cfg(test)]
mod tests;
