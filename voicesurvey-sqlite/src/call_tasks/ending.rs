//! Ending many waiting tasks of a campaign at once, without reading each of them.

use std::num::NonZeroU16;

use voicesurvey_core::call_task::CallTask;
use voicesurvey_core::gate::Reason;
use voicesurvey_core::outcome::Outcome;
use voicesurvey_core::ports::{CampaignKey, StorageError};
use voicesurvey_core::time::Timestamp;

use super::{read, read_counted};
use crate::counters::{CountedTask, CounterChanges};
use crate::row::{Row, micros};
use crate::schema::CALL_TASKS;
use crate::unit_of_work::SqliteUnitOfWork;

const A_WAITING_TASK: &str = "
    SELECT * FROM call_tasks
    WHERE company_id = ?1 AND campaign_id = ?2 AND status IN ('pending', 'retry')
    LIMIT 1";

/// Which tasks are ended; both statements choose the same ones, because nobody writes between them.
const WAITING_BY_COUNTER: &str = "
    SELECT status, reason, cells, claimable, lane_id, count(*) AS tasks
    FROM (SELECT status, reason, cells, claimable, lane_id FROM call_tasks
          WHERE company_id = ?1 AND campaign_id = ?2 AND status IN ('pending', 'retry')
          ORDER BY status, created_at, id
          LIMIT ?3)
    GROUP BY status, reason, cells, claimable, lane_id";

const END_WAITING: &str = "
    UPDATE call_tasks
    SET status = ?4, due_at = NULL, claimable = 0, outcome = coalesce(outcome, ?5), reason = ?6,
        updated_at = ?7, version = version + 1
    WHERE rowid IN (SELECT rowid FROM call_tasks
                    WHERE company_id = ?1 AND campaign_id = ?2 AND status IN ('pending', 'retry')
                    ORDER BY status, created_at, id
                    LIMIT ?3)";

impl SqliteUnitOfWork {
    /// Ends waiting tasks as [`CallTask::barred`] would, counts them anew, and returns how many.
    pub(super) async fn end_waiting(
        &mut self,
        campaign: CampaignKey,
        reason: Reason,
        now: Timestamp,
        at_most: NonZeroU16,
    ) -> Result<u64, StorageError> {
        let Some(ended) = self.how_one_ends(campaign, reason, now).await? else {
            return Ok(0);
        };
        let waiting = sqlx::query(WAITING_BY_COUNTER)
            .bind(campaign.company_id.as_uuid())
            .bind(campaign.campaign_id.as_uuid())
            .bind(at_most.get());
        let mut changes = CounterChanges::default();
        for row in self.fetch_all(waiting).await? {
            let row = Row::new(&row, CALL_TASKS.name);
            let tasks: i64 = row.get("tasks")?;
            let before = read_counted(&row)?;
            changes.tasks(campaign, &before, -tasks);
            let after = CountedTask {
                status: ended.state.status(),
                reason: ended.reason,
                claimable_in: None,
                ..before
            };
            changes.tasks(campaign, &after, tasks);
        }
        let update = sqlx::query(END_WAITING)
            .bind(campaign.company_id.as_uuid())
            .bind(campaign.campaign_id.as_uuid())
            .bind(at_most.get())
            .bind(ended.state.status().name())
            .bind(ended.outcome.map(Outcome::name))
            .bind(ended.reason.map(Reason::name))
            .bind(micros(now));
        let count = self.execute(update).await?;
        self.count(changes).await?;
        Ok(count)
    }

    /// How a waiting task of the campaign ends that has no outcome yet. All end alike, except that
    /// one with an outcome keeps it. `None` if none waits.
    async fn how_one_ends(
        &mut self,
        campaign: CampaignKey,
        reason: Reason,
        now: Timestamp,
    ) -> Result<Option<CallTask>, StorageError> {
        let waiting = sqlx::query(A_WAITING_TASK)
            .bind(campaign.company_id.as_uuid())
            .bind(campaign.campaign_id.as_uuid());
        let Some(row) = self.fetch_optional(waiting).await? else {
            return Ok(None);
        };
        let task = CallTask {
            outcome: None,
            ..read(&row)?
        };
        Ok(Some(task.barred(reason, now)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query_plan::{assert_uses, plan};

    #[tokio::test]
    async fn the_waiting_tasks_of_a_campaign_are_found_by_their_status() {
        assert_uses(A_WAITING_TASK, &["call_tasks_by_status"]).await;
        assert_uses(END_WAITING, &["call_tasks_by_status"]).await;
        let counting = plan(WAITING_BY_COUNTER).await;
        let found = counting
            .iter()
            .any(|step| step.contains("call_tasks_by_status"));
        assert!(found, "{counting:#?}");
        // Sorting is for the rows that were taken only, not for the choice among all.
        let sorts = counting.iter().any(|step| step.contains("FOR ORDER BY"));
        assert!(!sorts, "{counting:#?}");
    }
}
