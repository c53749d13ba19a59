//! The audit of the store in memory: every row is looked at, under the one lock.

mod counts;

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;

use super::MemoryStorage;
use super::rows::{CampaignLevel, CompanyLevel, LaneRow, ProviderLevel, TaskRow};
use super::table::Transaction;
use crate::audit::{Check, EXCLUDED_SINCE, Election, Example, Finding, IDLE_AFTER, OVERDUE_AFTER};
use crate::call_attempt::CallAttempt;
use crate::call_task::CallTask;
use crate::campaign::Campaign;
use crate::company::{Company, CompanyStatus};
use crate::conversation::{Consent, SurveyResponse};
use crate::exclusion::{Exclusion, ExclusionSource};
use crate::id::CompanyId;
use crate::outcome::Outcome;
use crate::phone_number::PhoneNumber;
use crate::ports::{Audit, StorageError};
use crate::queue::QueueLevel;
use crate::time::Timestamp;

#[async_trait]
impl Audit for MemoryStorage {
    async fn audit(&self, now: Timestamp) -> Result<Vec<Finding>, StorageError> {
        let rows = self.transaction().await;
        let checks = Check::ALL.into_iter();
        Ok(checks
            .filter(|check| !(rows.forgets && needs_history(*check)))
            .filter_map(|check| Finding::of(check, rows.wrong(check, now)))
            .collect())
    }

    async fn election(&self) -> Result<Election, StorageError> {
        Ok(Election::NotHeld)
    }
}

/// Whether a check compares with attempts that have ended, which a store may have forgotten.
const fn needs_history(check: Check) -> bool {
    matches!(
        check,
        Check::AttemptNumbers
            | Check::LinkedResponses
            | Check::AttemptCounters
            | Check::CostCounters
            | Check::CallRollups
    )
}

/// Examples, in no order that matters.
type Examples<'a> = Box<dyn Iterator<Item = Example> + 'a>;

impl Transaction {
    fn wrong(&self, check: Check, now: Timestamp) -> Examples<'_> {
        match check {
            // Uniqueness is checked by the code that writes, not by a schema.
            Check::Constraints => Box::new(std::iter::empty()),
            Check::AttemptNumbers => Box::new(self.misnumbered_tasks()),
            Check::LiveNumbers => Box::new(self.numbers_called_twice()),
            Check::TasksInProgress => Box::new(self.tasks_without_attempt()),
            Check::LiveAttempts => Box::new(self.attempts_without_task()),
            Check::ExpiredLeases => Box::new(self.expired_leases(now - OVERDUE_AFTER)),
            Check::OverdueTasks => Box::new(self.overdue_tasks(now - OVERDUE_AFTER)),
            Check::OverdueReviews => Box::new(self.overdue_reviews(now - OVERDUE_AFTER)),
            Check::IdleLanes => Box::new(self.idle_lanes(now)),
            Check::DecidedTasks => Box::new(self.decided_tasks()),
            Check::OptedOutTasks => Box::new(self.excluded_tasks(true)),
            Check::CallsAfterExclusion => Box::new(self.calls_after_exclusion()),
            Check::ExcludedTasks => Box::new(self.excluded_tasks(false)),
            Check::LinkedResponses => Box::new(self.unlinked_responses()),
            Check::TaskCounters => Box::new(self.miscounted_tasks()),
            Check::AttemptCounters => Box::new(self.miscounted_attempts()),
            Check::CostCounters => Box::new(self.miscounted_costs()),
            Check::CallRollups => Box::new(self.wrong_rollups()),
            Check::LaneCounters => Box::new(self.miscounted_lanes()),
            Check::LinesInUse => Box::new(self.miscounted_lines()),
        }
    }

    fn tasks(&self) -> impl Iterator<Item = &CallTask> {
        self.table::<TaskRow>().range(..).map(|row| &row.task)
    }

    fn attempts(&self) -> impl Iterator<Item = &CallAttempt> {
        self.table::<CallAttempt>().range(..)
    }

    fn live_attempts(&self) -> impl Iterator<Item = &CallAttempt> {
        self.attempts().filter(|attempt| attempt.state.is_live())
    }

    fn misnumbered_tasks(&self) -> impl Iterator<Item = Example> {
        let mut numbers: BTreeMap<_, Vec<u16>> = BTreeMap::new();
        for attempt in self.attempts() {
            let of_task = numbers.entry(attempt.task_id).or_default();
            of_task.push(attempt.number);
        }
        self.tasks().filter_map(move |task| {
            let mut numbers = numbers.remove(&task.id).unwrap_or_default();
            numbers.sort_unstable();
            let counted = task.attempts_count;
            let is_right = numbers.iter().copied().eq(1..=counted);
            let detail = || format!("has the attempts {numbers:?}, and counts {counted}");
            (!is_right).then(|| of_task(task, detail()))
        })
    }

    fn numbers_called_twice(&self) -> impl Iterator<Item = Example> {
        let number = |attempt: &CallAttempt| (attempt.company_id, attempt.phone_number);
        let mut calls: BTreeMap<_, u32> = BTreeMap::new();
        for attempt in self.live_attempts() {
            *calls.entry(number(attempt)).or_default() += 1;
        }
        self.live_attempts().filter_map(move |attempt| {
            let calls = calls[&number(attempt)];
            (calls > 1).then(|| of_attempt(attempt, format!("one of {calls} calls to one number")))
        })
    }

    fn tasks_without_attempt(&self) -> impl Iterator<Item = Example> {
        self.tasks().filter_map(|task| {
            let id = task.state.attempt_id()?;
            let detail = match self.get::<CallAttempt>(&id) {
                None => "does not exist",
                Some(attempt) if attempt.task_id != task.id => "is another task's",
                Some(attempt) if !attempt.state.is_live() => "has ended",
                Some(_) => return None,
            };
            Some(of_task(task, format!("its attempt {id} {detail}")))
        })
    }

    fn attempts_without_task(&self) -> impl Iterator<Item = Example> {
        let unknown = self
            .live_attempts()
            .filter(|attempt| attempt.outcome.is_none());
        unknown.filter_map(|attempt| {
            let task = self.get::<TaskRow>(&attempt.task_id);
            let holds = task.is_some_and(|row| row.task.state.attempt_id() == Some(attempt.id));
            let detail = || format!("task {} does not wait for it", attempt.task_id);
            (!holds).then(|| of_attempt(attempt, detail()))
        })
    }

    fn expired_leases(&self, long_ago: Timestamp) -> impl Iterator<Item = Example> {
        self.live_attempts()
            .filter(move |attempt| attempt.lease_until <= long_ago)
            .map(|attempt| of_attempt(attempt, format!("was due at {}", attempt.lease_until)))
    }

    fn overdue_tasks(&self, long_ago: Timestamp) -> impl Iterator<Item = Example> {
        let rows = self.table::<TaskRow>().range(..);
        rows.filter(|row| !row.claimable).filter_map(move |row| {
            let due_at = row.task.state.due_at().filter(|due| *due <= long_ago)?;
            Some(of_task(&row.task, format!("was due at {due_at}")))
        })
    }

    fn overdue_reviews(&self, long_ago: Timestamp) -> impl Iterator<Item = Example> {
        let lanes = self.table::<LaneRow>().range(..);
        lanes.filter_map(move |row| {
            let due_at = row.lane.review_at.filter(|due| *due <= long_ago)?;
            let detail = format!("lane {} was due at {due_at}", row.lane.id);
            Some(of_lane(row, detail))
        })
    }

    fn idle_lanes(&self, now: Timestamp) -> impl Iterator<Item = Example> {
        let long_ago = now - IDLE_AFTER;
        let providers = self.table::<ProviderLevel>().range(..);
        let a_provider_is_busy = providers
            .into_iter()
            .any(|row| !has_room(&row.level, now, now));
        let lanes = self.table::<LaneRow>().range(..);
        lanes
            .filter(move |row| !a_provider_is_busy && self.may_call(row, now))
            .filter(move |row| row.lane.is_open(now) && row.lane.is_open(long_ago))
            .filter_map(move |row| {
                let first = self.claimable(row.campaign_id, row.lane.id).next()?;
                let due_at = first.state.due_at().filter(|due| *due <= long_ago)?;
                let waiting = row.lane.claimable;
                let detail = format!("{waiting} people could be called, the first since {due_at}");
                Some(of_lane(row, detail))
            })
    }

    /// Whether a running campaign has lines and pace to call from the lane, and its company too.
    fn may_call(&self, row: &LaneRow, now: Timestamp) -> bool {
        let unchanged = self
            .get::<Campaign>(&row.campaign_id)
            .is_some_and(|campaign| campaign.updated_at <= now - IDLE_AFTER);
        let campaign = self.get::<CampaignLevel>(&row.campaign_id);
        let company = self.get::<CompanyLevel>(&row.company_id);
        let active = self
            .get::<Company>(&row.company_id)
            .is_some_and(|company| company.status == CompanyStatus::Active);
        unchanged
            && active
            && campaign.is_some_and(|campaign| {
                campaign.running && has_room(&campaign.level, now, now - OVERDUE_AFTER)
            })
            && company.is_some_and(|company| has_room(&company.level, now, now))
    }

    fn decided_tasks(&self) -> impl Iterator<Item = Example> {
        self.tasks().filter_map(|task| {
            let outcome = task.decision().filter(|_| task.state.due_at().is_some())?;
            Some(of_task(task, format!("waits after {outcome}")))
        })
    }

    /// Tasks that wait with an excluded number: those that a spoken opt-out should have ended, or
    /// the others.
    fn excluded_tasks(&self, opted_out: bool) -> impl Iterator<Item = Example> {
        let waiting = self.tasks().filter(|task| task.state.due_at().is_some());
        waiting.filter_map(move |task| {
            let exclusion = self.exclusion_of(task.contact.phone_number, task.company_id)?;
            let is_ended_by_it = exclusion.source == ExclusionSource::Spoken
                && task.created_at <= exclusion.created_at;
            let source = exclusion.source;
            (is_ended_by_it == opted_out)
                .then(|| of_task(task, format!("its number is excluded ({source})")))
        })
    }

    /// The exclusion that holds for the company, its own first.
    fn exclusion_of(&self, number: PhoneNumber, company_id: CompanyId) -> Option<&Exclusion> {
        let lists = [Some(company_id), None].into_iter();
        let mut found = lists.filter_map(|list| self.get::<Exclusion>(&(number, list)));
        found.next()
    }

    fn calls_after_exclusion(&self) -> impl Iterator<Item = Example> {
        let dialed = self
            .attempts()
            .filter(|attempt| attempt.accepted_at.is_some())
            .filter(|attempt| attempt.outcome != Some(Outcome::Cancelled));
        dialed.filter_map(|attempt| {
            let exclusion = self.exclusion_of(attempt.phone_number, attempt.company_id)?;
            let since = exclusion.created_at;
            let is_late = attempt.created_at > since + EXCLUDED_SINCE;
            let detail = format!("its number is excluded since {since}");
            is_late.then(|| of_attempt(attempt, detail))
        })
    }

    fn unlinked_responses(&self) -> impl Iterator<Item = Example> {
        let consents = self.table::<Consent>().range(..);
        let given = consents.filter(|consent| consent.given);
        let consented: BTreeSet<_> = given.map(|consent| consent.task_id).collect();
        let responses = self.table::<SurveyResponse>().range(..);
        responses.filter_map(move |response| {
            let attempt = self.get::<CallAttempt>(&response.attempt_id);
            let detail = match attempt {
                None => "its call does not exist",
                Some(attempt) if attempt.task_id != response.task_id => {
                    "its call is another task's"
                }
                // Who was erased has agreed to nothing any more; their calls are nobody's.
                Some(attempt) if attempt.phone_number.is_nobodys() => return None,
                Some(_) if response.complete && !consented.contains(&response.task_id) => {
                    "it is complete without consent"
                }
                Some(_) => return None,
            };
            let (id, company_id) = (response.id.as_uuid(), response.company_id);
            Some(Example::new("response", Some(id), Some(company_id), detail))
        })
    }
}

/// Whether a line is free, and the pace has been since that instant.
fn has_room(level: &QueueLevel, now: Timestamp, since: Timestamp) -> bool {
    level.arrival <= since && level.room(now) > 0
}

fn of_task(task: &CallTask, detail: String) -> Example {
    let id = task.id.as_uuid();
    Example::new("task", Some(id), Some(task.company_id), detail)
}

fn of_attempt(attempt: &CallAttempt, detail: String) -> Example {
    let id = attempt.id.as_uuid();
    Example::new("attempt", Some(id), Some(attempt.company_id), detail)
}

fn of_lane(row: &LaneRow, detail: String) -> Example {
    let id = row.campaign_id.as_uuid();
    Example::new("campaign", Some(id), Some(row.company_id), detail)
}

#[cfg(test)]
mod tests;
