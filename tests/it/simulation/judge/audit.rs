//! The audit: all rows of all companies, compared with each other and with what they were before.

use std::collections::{BTreeMap, BTreeSet};

use voicesurvey::call_attempt::CallAttempt;
use voicesurvey::call_task::CallTask;
use voicesurvey::id::CompanyId;
use voicesurvey::outcome::Outcome;
use voicesurvey::ports::repositories::{CallAttemptFilter, CallTaskFilter};
use voicesurvey::ports::{PageRequest, Scope, UnitOfWork};
use voicesurvey::time::Timestamp;

use super::{AUDIT_EVERY, Judge};

impl Judge {
    /// I1, I7, I10 and I12, over all rows.
    pub(in crate::simulation) fn audit(&mut self, now: Timestamp) -> Result<(), String> {
        let companies: BTreeSet<_> = self
            .campaigns
            .values()
            .map(|plan| plan.company_id)
            .collect();
        for company_id in companies {
            let mut work = self.open(Scope::Company(company_id));
            let page = PageRequest::first(PageRequest::LARGEST);
            let (every_attempt, every_task) =
                (CallAttemptFilter::default(), CallTaskFilter::default());
            let attempts = self
                .drive
                .finish(work.call_attempts().list(&every_attempt, &page))
                .unwrap()
                .rows;
            let tasks = self
                .drive
                .finish(work.call_tasks().list(&every_task, &page))
                .unwrap()
                .rows;
            self.counters_equal_rows(&mut *work, company_id, &tasks, &attempts)?;
            self.lanes_equal_rows(&mut *work, company_id, &tasks)?;
            drop(work);
            self.reasons_add_up(company_id, &tasks, now)?;
            if self.commits.is_multiple_of(4 * AUDIT_EVERY) {
                self.everybody_has_a_reason(company_id, &tasks, now)?;
            }
            for attempt in attempts.iter().filter(|attempt| attempt.state.is_live()) {
                has_its_task(attempt, &tasks)?;
            }
            for task in &tasks {
                attempts_are_counted(task, &attempts)?;
                self.only_grows_stronger(task)?;
            }
            for attempt in attempts {
                self.read_attempt(attempt)?;
            }
        }
        Ok(())
    }

    fn counters_equal_rows(
        &self,
        work: &mut dyn UnitOfWork,
        company_id: CompanyId,
        tasks: &[CallTask],
        attempts: &[CallAttempt],
    ) -> Result<(), String> {
        for id in self.campaigns_of(company_id) {
            let counted = self.drive.finish(work.campaigns().counters(id)).unwrap();
            let mut by_status = BTreeMap::new();
            for task in tasks.iter().filter(|task| task.campaign_id == id) {
                *by_status.entry(task.state.status()).or_insert(0) += 1;
            }
            let mut by_state = BTreeMap::new();
            for attempt in attempts.iter().filter(|attempt| attempt.campaign_id == id) {
                *by_state.entry(attempt.state).or_insert(0) += 1;
            }
            if counted.tasks != by_status || counted.attempts != by_state {
                return Err(format!(
                    "I12: {counted:?} is counted, {by_status:?} {by_state:?} is stored"
                ));
            }
        }
        Ok(())
    }

    fn only_grows_stronger(&mut self, task: &CallTask) -> Result<(), String> {
        // A machine that is detected after the end explains how the call ended, so that is taken
        // back, and what the other attempts came to is left.
        let is_explained = |known: Outcome| {
            [Outcome::Voicemail, Outcome::CallScreening, Outcome::Fax]
                .into_iter()
                .any(|machine| {
                    known.or_stronger(machine) == known
                        && known.or_better_known(machine) == machine
                        && known != machine
                })
        };
        let may_follow =
            |known: Outcome, told: Outcome| known.or_stronger(told) == told || is_explained(known);
        if let Some(known) = self.task_outcomes.get(&task.id).copied()
            && task.outcome.is_none_or(|told| !may_follow(known, told))
        {
            return Err(format!(
                "I10: task {} was {known} and is {:?}",
                task.id, task.outcome
            ));
        }
        if let Some(outcome) = task.outcome {
            self.task_outcomes.insert(task.id, outcome);
        }
        Ok(())
    }
}

/// I7: while nobody knows how a call ends, its task waits for it.
fn has_its_task(attempt: &CallAttempt, tasks: &[CallTask]) -> Result<(), String> {
    let task = tasks.iter().find(|task| task.id == attempt.task_id);
    let is_own = task.is_some_and(|task| task.state.attempt_id() == Some(attempt.id));
    if attempt.outcome.is_none() && !is_own {
        return Err(format!(
            "I7: the live attempt {} has lost its task",
            attempt.id
        ));
    }
    Ok(())
}

/// I1 and I12 of one task.
fn attempts_are_counted(task: &CallTask, attempts: &[CallAttempt]) -> Result<(), String> {
    let own = || attempts.iter().filter(|attempt| attempt.task_id == task.id);
    if own().count() != usize::from(task.attempts_count) {
        return Err(format!(
            "I1: task {} counts {}",
            task.id, task.attempts_count
        ));
    }
    let spends = |attempt: &&CallAttempt| {
        let outcome = attempt.outcome;
        outcome.is_some_and(|outcome| outcome.rule().spends_attempt)
    };
    let spent = own().filter(spends).count();
    if usize::from(task.attempts_spent) > spent {
        return Err(format!(
            "I12: {spent} attempts were spent on task {}, {} are counted",
            task.id, task.attempts_spent
        ));
    }
    Ok(())
}
