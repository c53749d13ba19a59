//! Ending many waiting tasks at once, without reading each of them.

use std::num::NonZeroU16;

use sqlx::postgres::PgRow;
use voicesurvey_core::call_task::TaskStatus;
use voicesurvey_core::gate::Reason;
use voicesurvey_core::id::{CampaignId, CompanyId};
use voicesurvey_core::outcome::Outcome;
use voicesurvey_core::phone_number::PhoneNumber;
use voicesurvey_core::ports::StorageError;
use voicesurvey_core::queue::lane::LaneId;
use voicesurvey_core::time::Timestamp;

use super::old_state;
use crate::counters::CountedTask;
use crate::row::Reader;
use crate::schema::company_of;
use crate::unit_of_work::PostgresUnitOfWork;

/// What becomes of a waiting task that is ended for that reason, as [`CallTask::barred`] says: its
/// status, and its outcome if it has none yet.
fn barred_as(reason: Reason) -> (TaskStatus, Option<Outcome>) {
    match reason {
        Reason::Excluded => (TaskStatus::Excluded, None),
        Reason::AttemptsUsedUp => (TaskStatus::NotReached, None),
        Reason::NeverInCallingHours | Reason::UnknownTimeZone => (TaskStatus::Failed, None),
        _ => (TaskStatus::Cancelled, Some(Outcome::Cancelled)),
    }
}

impl PostgresUnitOfWork {
    /// Ends the tasks that wait with one of the numbers, as excluded.
    pub(super) async fn exclude_tasks(
        &mut self,
        phone_numbers: &[PhoneNumber],
        now: Timestamp,
    ) -> Result<u64, StorageError> {
        let company_id = self.own_company()?;
        let numbers: Vec<String> = phone_numbers.iter().map(PhoneNumber::to_string).collect();
        let exclude = sqlx::query(include_str!("../sql/exclude_waiting.sql"))
            .bind(company_id.as_uuid())
            .bind(numbers)
            .bind(now);
        let mut excluded = 0;
        for row in self.rows(exclude).await? {
            let campaign = (
                company_id,
                Reader::new("call_tasks", &row).id("campaign_id")?,
            );
            let (status, _) = barred_as(Reason::Excluded);
            excluded += self.count_ended(campaign, status, Reason::Excluded, &row)?;
        }
        Ok(excluded)
    }

    /// Ends up to `at_most` waiting tasks of a campaign, for that reason.
    pub(super) async fn cancel_tasks(
        &mut self,
        campaign_id: CampaignId,
        reason: Reason,
        now: Timestamp,
        at_most: NonZeroU16,
    ) -> Result<u64, StorageError> {
        let id = campaign_id.as_uuid();
        let Some(company_id) = self.company_of(company_of!("campaigns"), id).await? else {
            return Ok(0);
        };
        let (status, outcome) = barred_as(reason);
        let cancel = sqlx::query(include_str!("../sql/cancel_waiting.sql"))
            .bind(company_id)
            .bind(id)
            .bind(now)
            .bind(status.name())
            .bind(reason.name())
            .bind(i64::from(at_most.get()))
            .bind(outcome.map(Outcome::name));
        let campaign = (CompanyId::from_uuid(company_id), campaign_id);
        let mut cancelled = 0;
        // Planned with its limit each time: with a plan for any limit, the planner expects a tenth
        // of the table and may read all of it.
        for row in self.rows(cancel.persistent(false)).await? {
            cancelled += self.count_ended(campaign, status, reason, &row)?;
        }
        if cancelled < u64::from(at_most.get()) {
            // Only when none can come back: a call that ends at this moment may have read the
            // campaign before it ended. Those just ended still count, so it takes one more look.
            let emptied = "UPDATE campaigns SET emptying = false
                           WHERE company_id = $1 AND id = $2 AND emptying
                               AND NOT EXISTS (
                                   SELECT FROM campaign_counters
                                   WHERE company_id = $1 AND campaign_id = $2 AND kind = 'task'
                                       AND name IN ('pending', 'retry', 'in_progress')
                                       AND count > 0
                               )";
            self.execute(sqlx::query(emptied).bind(company_id).bind(id))
                .await?;
        }
        Ok(cancelled)
    }

    /// Moves counters and lanes after waiting tasks have ended; `row` tells what they were before and
    /// how many.
    fn count_ended(
        &mut self,
        campaign: (CompanyId, CampaignId),
        status: TaskStatus,
        reason: Reason,
        row: &PgRow,
    ) -> Result<u64, StorageError> {
        let before = old_state(row)?;
        let row = Reader::new("call_tasks", row);
        let count: i64 = row.get("count")?;
        self.counters.tasks(campaign, &before, -count);
        let after = CountedTask {
            status,
            reason: Some(reason),
            ..before
        };
        self.counters.tasks(campaign, &after, count);
        if row.get("was_claimable")? {
            let lane = LaneId::from_bits(row.get("lane_id")?);
            self.lanes.remove(campaign, lane, count);
        }
        Ok(count.unsigned_abs())
    }
}

#[cfg(test)]
mod tests {
    use voicesurvey_core::testing::samples;

    use super::*;

    #[test]
    fn a_cancelled_task_is_what_the_core_makes_of_it() {
        let campaign = samples::campaign(&samples::company());
        for &reason in Reason::ALL {
            let task = samples::task(&campaign, "+393471234567").barred(reason, samples::now());
            assert_eq!(
                (task.state.status(), task.outcome),
                barred_as(reason),
                "{reason}"
            );
        }
    }
}
