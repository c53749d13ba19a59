//! What is kept beside the rows: the ready list and the counts, in the same transaction (I12).

use super::rows::{CampaignLevel, CompanyLevel, CostRow, Count, Counted, ProviderLevel};
use super::table::Transaction;
use crate::call_attempt::{AttemptState, CallAttempt};
use crate::call_task::CallTask;
use crate::id::{CampaignId, CompanyId};
use crate::planted::{self, Bug};
use crate::ports::repositories::{CampaignCounters, CostCount};
use crate::time::Timestamp;

/// Long ago: wakes at once when nobody says what time it is.
pub(super) const AT_ONCE: Timestamp = Timestamp::UNIX_EPOCH;

/// How a task is counted.
pub(super) fn counted_task(task: &CallTask) -> Vec<Counted> {
    let status = task.state.status();
    let reason = task.reason.map(Counted::Reason);
    let cells = task.cells.iter().map(|cell| Counted::Cell(cell, status));
    let counted = std::iter::once(Counted::Task(status)).chain(reason);
    counted.chain(cells).collect()
}

impl Transaction {
    /// Makes a visit of the campaign worth while at that instant, if it runs.
    pub(super) fn wake(&mut self, campaign_id: CampaignId, at: Timestamp) {
        let Some(&row) = self.get::<CampaignLevel>(&campaign_id) else {
            return;
        };
        if row.running {
            self.put(CampaignLevel {
                level: row.level.woken(at),
                ..row
            });
            self.wake_company(row.company_id, at);
        }
    }

    /// Makes a visit of the company worth while at that instant.
    pub(super) fn wake_company(&mut self, company_id: CompanyId, at: Timestamp) {
        if let Some(&row) = self.get::<CompanyLevel>(&company_id) {
            self.put(CompanyLevel {
                level: row.level.woken(at),
                ..row
            });
        }
    }

    /// Gives the line of an attempt that ended back, and wakes who may use it.
    pub(super) fn release_line(&mut self, attempt: &CallAttempt) {
        let at = attempt.ended_at.unwrap_or(AT_ONCE);
        if let Some(&row) = self.get::<CampaignLevel>(&attempt.campaign_id) {
            let mut level = row.level;
            level.in_flight = level.in_flight.saturating_sub(1);
            self.put(CampaignLevel { level, ..row });
        }
        self.wake(attempt.campaign_id, at);
        self.release_company_lines(attempt.company_id, 1, at);
        if let Some(row) = self.get::<ProviderLevel>(&attempt.provider)
            && !self.keeps_account_line(attempt)
        {
            let mut row = row.clone();
            row.level.in_flight = row.level.in_flight.saturating_sub(1);
            self.put(row);
        }
    }

    /// A bug, unless it is not planted: it was not known whether the provider took the call.
    fn keeps_account_line(&self, attempt: &CallAttempt) -> bool {
        let was_unknown = |stored: &CallAttempt| stored.state == AttemptState::Unknown;
        planted::is(Bug::AccountLineKept)
            && self
                .get::<CallAttempt>(&attempt.id)
                .is_some_and(was_unknown)
    }

    /// Gives lines back to a company.
    pub(super) fn release_company_lines(
        &mut self,
        company_id: CompanyId,
        lines: u32,
        at: Timestamp,
    ) {
        if let Some(&row) = self.get::<CompanyLevel>(&company_id) {
            let mut level = row.level.woken(at);
            level.in_flight = level.in_flight.saturating_sub(lines);
            self.put(CompanyLevel { level, ..row });
        }
    }

    /// Moves the counts from how an attempt was to how it is.
    pub(super) fn recount_attempt(&mut self, before: Option<&CallAttempt>, after: &CallAttempt) {
        let counted = |attempt: &CallAttempt| {
            let outcome = attempt.outcome.map(Counted::Outcome);
            let state = Counted::Attempt(attempt.state);
            std::iter::once(state).chain(outcome).collect()
        };
        self.recount(after.campaign_id, before.map(counted), counted(after));
        let costs = |attempt: &CallAttempt| (attempt.cost.clone(), attempt.outcome);
        if before.map(costs) != Some(costs(after)) {
            if let Some(before) = before {
                self.add_cost(before, -1);
            }
            self.add_cost(after, 1);
        }
        self.roll_up(before, after);
    }

    fn add_cost(&mut self, attempt: &CallAttempt, sign: i64) {
        let Some(cost) = &attempt.cost else { return };
        let campaign_id = attempt.campaign_id;
        let key = (campaign_id, cost.currency.clone());
        let known = self.get::<CostRow>(&key).map(|row| row.cost);
        let known = known.unwrap_or_default();
        let CostCount { calls, millionths } = CostCount::of_call(cost, attempt.outcome);
        let cost = CostCount {
            calls: known
                .calls
                .saturating_add_signed(sign * i64::from(calls > 0)),
            millionths: known.millionths.saturating_add(sign * millionths),
        };
        if cost == CostCount::default() {
            self.remove::<CostRow>(key);
        } else {
            self.put(CostRow {
                campaign_id,
                currency: key.1,
                cost,
            });
        }
    }

    /// Moves the counts from how a row was counted to how it is counted.
    pub(super) fn recount(
        &mut self,
        campaign_id: CampaignId,
        before: Option<Vec<Counted>>,
        after: Vec<Counted>,
    ) {
        if before.as_ref() == Some(&after) {
            return;
        }
        for counted in before.into_iter().flatten() {
            let rows = self.count(campaign_id, counted) - 1;
            if rows == 0 {
                self.remove::<Count>((campaign_id, counted));
            } else {
                self.put(Count {
                    campaign_id,
                    counted,
                    rows,
                });
            }
        }
        for counted in after {
            let rows = self.count(campaign_id, counted) + 1;
            self.put(Count {
                campaign_id,
                counted,
                rows,
            });
        }
    }

    fn count(&self, campaign_id: CampaignId, counted: Counted) -> u64 {
        self.get::<Count>(&(campaign_id, counted))
            .map_or(0, |count| count.rows)
    }

    fn counts(&self, campaign_id: CampaignId) -> impl Iterator<Item = &Count> {
        let counts = self.table::<Count>().range((campaign_id, Counted::FIRST)..);
        counts.take_while(move |count| count.campaign_id == campaign_id)
    }

    /// Whether the campaign has tasks, all of them have ended, and no attempt is live.
    pub(super) fn is_done(&self, campaign_id: CampaignId) -> bool {
        let mut has_tasks = false;
        for count in self.counts(campaign_id) {
            match count.counted {
                Counted::Task(status) if status.is_final() => has_tasks = true,
                Counted::Attempt(state) if state.is_live() => return false,
                Counted::Task(_) => return false,
                _ => {}
            }
        }
        has_tasks
    }

    /// What the campaign's rows add up to.
    pub(super) fn counters(&self, campaign_id: CampaignId) -> CampaignCounters {
        let mut counters = CampaignCounters::default();
        for count in self.counts(campaign_id) {
            let &Count { counted, rows, .. } = count;
            match counted {
                Counted::Task(status) => counters.tasks.insert(status, rows),
                Counted::Reason(reason) => counters.reasons.insert(reason, rows),
                Counted::Attempt(state) => counters.attempts.insert(state, rows),
                Counted::Outcome(outcome) => counters.outcomes.insert(outcome, rows),
                Counted::Cell(cell, status) => {
                    counters.cells.entry(cell).or_default().insert(status, rows)
                }
            };
        }
        let first = (campaign_id, String::new());
        let costs = self.table::<CostRow>().range(first..);
        for row in costs.take_while(|row| row.campaign_id == campaign_id) {
            counters.costs.insert(row.currency.clone(), row.cost);
        }
        counters
    }

    /// Forgets what a campaign that is removed added up to.
    pub(super) fn remove_counts(&mut self, campaign_id: CampaignId) {
        let first = (campaign_id, Counted::FIRST);
        self.remove_while::<Count>(first, |count| count.campaign_id == campaign_id);
        let first = (campaign_id, String::new());
        self.remove_while::<CostRow>(first, |row| row.campaign_id == campaign_id);
    }
}
