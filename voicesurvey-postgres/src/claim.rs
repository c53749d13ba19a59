//! The claim: one statement that takes tasks, and the gate's last word on each of them.
//!
//! The statement decides what core's `queue::claim` decides step by step, in one go and under the
//! same locks. It cannot ask the gate, so what it took is judged here before it is committed, and
//! the few that may not be called now are put back as if they had not been taken. Normally that is
//! nobody: whoever is excluded or outside the hours has been sorted out before.

use std::collections::BTreeMap;
use std::sync::Arc;

use sqlx::postgres::PgRow;
use voicesurvey_core::call_attempt::{AttemptState, CallAttempt};
use voicesurvey_core::call_task::{CallTask, TaskEvent, TaskStatus};
use voicesurvey_core::campaign::Campaign;
use voicesurvey_core::gate::{ContactHistory, Decision, Reason};
use voicesurvey_core::id::CallAttemptId;
use voicesurvey_core::ports::{
    CallTaskRepository as _, Claim, ClaimRequest, ClaimedTask, StorageError,
};
use voicesurvey_core::queue::claim::{
    Candidate, PASSED_OVER_AGAIN, calls_within_budget, judge, take_place, turned_away,
};
use voicesurvey_core::queue::lane::LaneId;
use voicesurvey_core::quota::{CellNews, Cells};
use voicesurvey_core::time::Timestamp;

use crate::call_tasks::call_task;
use crate::counters::{CampaignPlace, CountedTask};
use crate::known::Known;
use crate::ready_list::{NextVisit, UnmadeCalls};
use crate::row::Reader;
use crate::unit_of_work::PostgresUnitOfWork;

/// The statement.
const CLAIM: &str = include_str!("sql/claim.sql");

/// A task that the statement took, as it was before, with what is needed to judge it.
#[derive(Debug)]
struct Taken {
    candidate: Candidate,
    attempt_id: CallAttemptId,
    lane: LaneId,
    claimable_since: Timestamp,
    campaign_version: u32,
    company_version: u32,
}

impl Taken {
    fn read(row: &PgRow) -> Result<Self, StorageError> {
        let columns = Reader::new("call_tasks", row);
        Ok(Self {
            candidate: Candidate {
                task: call_task(row)?,
                excluded: columns.get("excluded")?,
                history: ContactHistory::new(columns.get("calls_before")?),
            },
            attempt_id: columns.id("new_attempt_id")?,
            lane: LaneId::from_bits(columns.get("lane_id")?),
            claimable_since: columns.get("claimable_since")?,
            campaign_version: columns.number("campaign_version")?,
            company_version: columns.number("company_version")?,
        })
    }

    fn campaign(&self) -> CampaignPlace {
        (
            self.candidate.task.company_id,
            self.candidate.task.campaign_id,
        )
    }

    /// The task and its attempt as the statement has written them.
    fn into_claimed(self, request: &ClaimRequest) -> Result<ClaimedTask, StorageError> {
        let attempt_id = self.attempt_id;
        let task = self.candidate.task;
        let task = task
            .on(TaskEvent::Claimed { attempt_id }, request.now)
            .map_err(|error| StorageError::Corrupt {
                table: "call_tasks",
                what: error.to_string(),
            })?;
        let task = CallTask {
            version: task.version + 1,
            ..task
        };
        let attempt = CallAttempt::created(
            attempt_id,
            &task,
            &request.provider,
            request.now,
            request.dial_before,
            request.lease_until,
        );
        Ok(ClaimedTask { task, attempt })
    }
}

impl PostgresUnitOfWork {
    /// Claims as `TaskQueue::claim_due` promises. The caller commits.
    ///
    /// # Panics
    ///
    /// Panics when the statement takes more than it was asked for: better no calls than too many.
    pub(crate) async fn claim(
        &mut self,
        request: &ClaimRequest,
        known: &Known,
    ) -> Result<Claim, StorageError> {
        let ids: Vec<_> = request.attempt_ids.iter().map(|id| id.as_uuid()).collect();
        let take = sqlx::query(CLAIM)
            .bind(request.now)
            .bind(ids)
            .bind(request.provider.clone())
            .bind(request.dial_before)
            .bind(request.lease_until);
        let rows = self.rows(take).await?;
        assert!(
            rows.len() <= request.attempt_ids.len(),
            "a claim takes no more than was asked for"
        );
        let mut allowed: BTreeMap<CampaignPlace, Vec<(usize, Taken)>> = BTreeMap::new();
        let mut turned: Vec<(Taken, Decision)> = Vec::new();
        let mut with_budget: BTreeMap<CampaignPlace, u32> = BTreeMap::new();
        let mut with_quotas: BTreeMap<CampaignPlace, (Arc<Campaign>, Vec<Cells>)> = BTreeMap::new();
        for (place, row) in rows.iter().enumerate() {
            let taken = Taken::read(row)?;
            let (company_id, campaign_id) = taken.campaign();
            let company = known
                .company(self, company_id, taken.company_version)
                .await?;
            let campaign = known
                .campaign(self, (company_id, campaign_id), taken.campaign_version)
                .await?;
            if campaign.has_quotas() {
                let cells = taken.candidate.task.cells.clone();
                let of_campaign = with_quotas.entry(taken.campaign());
                let (_, claimed) =
                    of_campaign.or_insert_with(|| (Arc::clone(&campaign), Vec::new()));
                claimed.push(cells);
            }
            if campaign.has_budget() {
                *with_budget.entry(taken.campaign()).or_default() += 1;
            }
            match judge(&taken.candidate, &campaign, &company, request.now) {
                Decision::Dial => allowed
                    .entry(taken.campaign())
                    .or_default()
                    .push((place, taken)),
                decision => turned.push((taken, decision)),
            }
        }
        for (place, (campaign, claimed)) in with_quotas {
            let tasks = allowed.entry(place).or_default();
            let without_place = self
                .without_place(&campaign, &claimed, tasks, request.now)
                .await?;
            turned.extend(without_place.into_iter().map(|taken| (taken, NO_PLACE)));
        }
        for (place, calls) in with_budget {
            let campaign = known.campaign(self, place, 0).await?;
            let within = self.within_budget(&campaign, calls).await?;
            let tasks = allowed.entry(place).or_default();
            for (_, excess) in tasks.drain(within.min(tasks.len())..) {
                turned.push((excess, OVER_BUDGET));
            }
        }
        let turned_away = turned.len();
        self.put_back(turned, request).await?;
        let mut claimed: Vec<_> = allowed.into_values().flatten().collect();
        claimed.sort_unstable_by_key(|(place, _)| *place);
        let tasks = claimed
            .into_iter()
            .map(|(_, taken)| taken.into_claimed(request))
            .collect::<Result<_, _>>()?;
        Ok(Claim { tasks, turned_away })
    }

    /// Takes out of `tasks` those in whose cells no place is left. All tasks that the statement took
    /// of the campaign are counted, in the cells `claimed`. The lanes of cells that have none left
    /// close.
    async fn without_place(
        &mut self,
        campaign: &Campaign,
        claimed: &[Cells],
        tasks: &mut Vec<(usize, Taken)>,
        now: Timestamp,
    ) -> Result<Vec<Taken>, StorageError> {
        let counters = self.read_counters(campaign.company_id, campaign.id).await?;
        let Some(mut places) = campaign.places(&counters) else {
            return Ok(Vec::new());
        };
        for cells in claimed {
            places.give_back(cells);
        }
        let mut touched = Cells::default();
        let mut without_place = Vec::new();
        for (order, taken) in std::mem::take(tasks) {
            let cells = &taken.candidate.task.cells;
            touched = touched.or(cells);
            if take_place(Some(&mut places), cells) {
                tasks.push((order, taken));
            } else {
                without_place.push(taken);
            }
        }
        let closed = places.without_room(&touched);
        if !closed.is_empty() {
            let news = CellNews {
                cells: &closed,
                is_open: false,
                now,
            };
            let place = (campaign.company_id, campaign.id);
            self.lanes.review_cells(place, news);
        }
        Ok(without_place)
    }

    /// How many of the `calls` that have just been counted the campaign's budget allows.
    async fn within_budget(
        &mut self,
        campaign: &Campaign,
        calls: u32,
    ) -> Result<usize, StorageError> {
        let mut counters = self.read_counters(campaign.company_id, campaign.id).await?;
        let created = counters.attempts.entry(AttemptState::Created).or_default();
        *created = created.saturating_sub(calls.into());
        let within = calls_within_budget(campaign, &counters);
        Ok(within.map_or(usize::MAX, |calls| {
            usize::try_from(calls).unwrap_or(usize::MAX)
        }))
    }

    /// Undoes what was taken and may not be called, and lets it wait as the gate says.
    async fn put_back(
        &mut self,
        turned: Vec<(Taken, Decision)>,
        request: &ClaimRequest,
    ) -> Result<(), StorageError> {
        if turned.is_empty() {
            return Ok(());
        }
        self.undo(&turned).await?;
        let mut visits: BTreeMap<CampaignPlace, Visit> = BTreeMap::new();
        for (taken, decision) in turned {
            let (place, task) = (taken.campaign(), taken.candidate.task);
            let before = CountedTask::of(&task);
            let called = CountedTask {
                status: TaskStatus::InProgress,
                reason: None,
                ..before.clone()
            };
            self.counters.tasks(place, &called, -1);
            self.counters.tasks(place, &before, 1);
            self.counters
                .attempts(place, AttemptState::Created, None, -1);
            self.lanes.remove(place, taken.lane, -1);
            let waiting = turned_away(task, decision, request.now);
            let visit = visits.entry(place).or_default();
            visit.calls += 1;
            visit.over_budget |= decision == OVER_BUDGET;
            visit.stays |= waiting.is_none() && decision != NO_PLACE;
            if let Some(waiting) = waiting {
                self.update(&waiting).await?;
            }
        }
        for (campaign, visit) in visits {
            self.ready_list.calls_are_not_made(UnmadeCalls {
                campaign,
                provider: &request.provider,
                calls: visit.calls,
                now: request.now,
                next_visit: visit.next(request.now),
            });
        }
        Ok(())
    }

    /// Deletes the attempts and puts the tasks back.
    async fn undo(&mut self, turned: &[(Taken, Decision)]) -> Result<(), StorageError> {
        /// One array per column.
        fn all<T>(turned: &[(Taken, Decision)], column: impl Fn(&Taken) -> T) -> Vec<T> {
            turned.iter().map(|(taken, _)| column(taken)).collect()
        }
        let companies = all(turned, |taken| taken.candidate.task.company_id.as_uuid());
        let delete = sqlx::query(
            "DELETE FROM call_attempts AS attempt
             USING UNNEST($1::uuid[], $2::uuid[]) AS unmade (company_id, id)
             WHERE attempt.company_id = unmade.company_id AND attempt.id = unmade.id",
        )
        .bind(companies.clone())
        .bind(all(turned, |taken| taken.attempt_id.as_uuid()));
        self.execute(delete).await?;
        let undo = sqlx::query(include_str!("sql/undo_claim.sql"))
            .bind(companies)
            .bind(all(turned, |taken| taken.candidate.task.id.as_uuid()))
            .bind(all(turned, |taken| {
                taken.candidate.task.state.status().name()
            }))
            .bind(all(turned, |taken| taken.candidate.task.state.due_at()))
            .bind(all(turned, |taken| taken.claimable_since))
            .bind(all(turned, |taken| taken.candidate.task.last_attempt_at))
            .bind(all(turned, |taken| {
                taken.candidate.task.reason.map(Reason::name)
            }))
            .bind(all(turned, |taken| taken.candidate.task.updated_at));
        self.execute(undo).await?;
        Ok(())
    }
}

/// Why the last calls are put back that a budget does not allow.
const OVER_BUDGET: Decision = Decision::Wait {
    until: None,
    reason: Reason::BudgetUsedUp,
};

/// Why those are put back in whose cells no place is left. Their lanes are closed.
const NO_PLACE: Decision = Decision::Wait {
    until: None,
    reason: Reason::QuotaReserved,
};

/// What became of the tasks of a campaign that were put back.
#[derive(Clone, Copy, Debug, Default)]
struct Visit {
    calls: u32,
    over_budget: bool,
    stays: bool,
}

impl Visit {
    /// When the campaign is worth a visit again.
    fn next(self, now: Timestamp) -> NextVisit {
        if self.over_budget {
            // The scheduler pauses it; a price that turns out lower wakes it.
            NextVisit::WhenWoken
        } else if self.stays {
            // They would be handed out again at once.
            NextVisit::At(now + PASSED_OVER_AGAIN)
        } else {
            // Others may stand behind them.
            NextVisit::At(now)
        }
    }
}

#[cfg(test)]
mod tests {
    use voicesurvey_core::outcome::Outcome;
    use voicesurvey_core::queue::claim::{COMPANIES_PER_CLAIM, TASKS_PER_VISIT};

    use super::*;

    #[test]
    fn the_statement_has_the_numbers_of_the_core() {
        assert!(CLAIM.contains(&format!("LIMIT {COMPANIES_PER_CLAIM}\n")));
        assert!(CLAIM.contains(&format!("LIMIT {TASKS_PER_VISIT}\n")));
        assert!(CLAIM.contains(&format!("LEAST(campaign.room, {TASKS_PER_VISIT},")));
        let seconds = PASSED_OVER_AGAIN.num_seconds();
        assert!(CLAIM.contains(&format!("INTERVAL '{seconds} seconds'\n")));
        let hours = ContactHistory::REACH.num_hours();
        assert!(CLAIM.contains(&format!("INTERVAL '{hours} hours'\n")));
    }

    #[test]
    fn the_statements_leave_out_the_outcomes_that_are_no_contact() {
        let mut names: Vec<String> = Outcome::ALL
            .iter()
            .filter(|outcome| !outcome.counts_as_contact())
            .map(|outcome| format!("'{outcome}'"))
            .collect();
        names.sort_unstable();
        for sql in [
            CLAIM,
            include_str!("sql/history.sql"),
            include_str!("sql/audit/cost_counters.sql"),
        ] {
            assert!(
                sql.contains(&format!("{}\n", names.join(", "))),
                "{names:?}"
            );
        }
    }
}
