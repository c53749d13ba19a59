//! The dispatcher's side: the claim over locked rows, and what falls due next.
//!
//! The claim, the promotion and the review of lanes write, in a transaction of their own on the
//! writing connection, so two claims never meet. What only looks reads the last committed state and
//! waits for nobody.

mod claim_rows;

use std::num::NonZeroU16;

use async_trait::async_trait;
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;
use uuid::Uuid;
use voicesurvey_core::call_task::TaskStatus;
use voicesurvey_core::campaign::{Campaign, Pacing};
use voicesurvey_core::ports::repositories::CampaignCounters;
use voicesurvey_core::ports::{
    AttemptKey, CampaignKey, Claim, ClaimRequest, Scope, StorageError, TaskQueue,
};
use voicesurvey_core::queue::claim::{claim, has_spent_its_budget};
use voicesurvey_core::queue::lane::{LaneId, review};
use voicesurvey_core::time::Timestamp;

use self::claim_rows::{PROVIDER, PROVIDER_QUEUE, read_level};
use crate::counters::{CountedTask, CounterChanges};
use crate::error::storage_error;
use crate::row::{Row, micros, read_all};
use crate::schema::{CALL_ATTEMPTS, CALL_TASKS, CAMPAIGNS};
use crate::storage::SqliteStorage;
use crate::unit_of_work::SqliteUnitOfWork;
use crate::{call_tasks, campaigns, counters};

/// Which waiting tasks are promoted; both statements of a promotion choose the same ones, because
/// nobody writes between them.
const PROMOTED_BY_COUNTER: &str = "
    SELECT company_id, campaign_id, lane_id, status, reason, cells, claimable, count(*) AS tasks
    FROM (SELECT company_id, campaign_id, lane_id, status, reason, cells, claimable FROM call_tasks
          WHERE claimable = 0 AND due_at <= ?1
          ORDER BY due_at, id
          LIMIT ?2)
    GROUP BY company_id, campaign_id, lane_id, status, reason, cells, claimable";

const PROMOTE: &str = "
    UPDATE call_tasks
    SET status = 'pending', claimable = 1, reason = NULL, updated_at = ?1, version = version + 1
    WHERE rowid IN (SELECT rowid FROM call_tasks
                    WHERE claimable = 0 AND due_at <= ?1
                    ORDER BY due_at, id
                    LIMIT ?2)";

const NEXT_READY: &str = "SELECT min(ready_at) AS at FROM company_queue WHERE ready_at IS NOT NULL";

const NEXT_DUE: &str =
    "SELECT min(due_at) AS at FROM call_tasks WHERE claimable = 0 AND due_at IS NOT NULL";

const NEXT_EXPIRY: &str = "SELECT min(lease_until) AS at FROM call_attempts WHERE state <> 'ended'";

const EXPIRED_ATTEMPTS: &str = "
    SELECT company_id, id FROM call_attempts
    WHERE state <> 'ended' AND lease_until <= ?1
    ORDER BY lease_until, id
    LIMIT ?2";

const ATTEMPTS_TO_PRICE: &str = "
    SELECT company_id, id FROM call_attempts
    WHERE provider = ?1 AND price_due_at <= ?2
    ORDER BY price_due_at, id
    LIMIT ?3";

const NEXT_PRICE: &str = "
    SELECT min(price_due_at) AS at FROM call_attempts
    WHERE provider = ?1 AND price_due_at IS NOT NULL";

const NEXT_REVIEW: &str =
    "SELECT min(review_at) AS at FROM campaign_lanes WHERE review_at IS NOT NULL";

const NEXT_END: &str = "
    SELECT min(ends_at) AS at FROM campaigns
    WHERE status IN ('running', 'paused') AND winding_up IS NULL AND ends_at IS NOT NULL";

const CAMPAIGNS_TO_END: &str = "
    SELECT company_id, id FROM campaigns
    WHERE status IN ('running', 'paused') AND winding_up IS NULL AND ends_at <= ?1
    ORDER BY ends_at
    LIMIT ?2";

const CAMPAIGNS_AT_TARGET: &str = "
    SELECT company_id, id FROM campaigns AS campaign
    WHERE status IN ('running', 'paused') AND winding_up IS NULL AND target IS NOT NULL
      AND (SELECT count FROM campaign_counters AS completed
           WHERE completed.company_id = campaign.company_id
             AND completed.campaign_id = campaign.id
             AND kind = 'task' AND name = 'completed') >= target
    UNION
    SELECT company_id, id FROM campaigns AS campaign
    WHERE status IN ('running', 'paused') AND winding_up IS NULL AND quotas IS NOT NULL
      AND NOT EXISTS (
          SELECT 1 FROM json_each(campaign.quotas) AS cell
          WHERE coalesce((SELECT count FROM campaign_counters AS completed
                          WHERE completed.company_id = campaign.company_id
                            AND completed.campaign_id = campaign.id
                            AND kind = 'cell' AND name = cell.key || ':completed'), 0)
                < cell.value ->> '$.target')
    ORDER BY company_id, id
    LIMIT ?1";

/// Asks those in which somebody waits whether they have ended, and not the other way round: ever
/// more campaigns have ended.
const CAMPAIGNS_TO_EMPTY: &str = "
    SELECT DISTINCT company_id, campaign_id AS id FROM campaign_counters AS waiting
    WHERE kind = 'task' AND name IN ('pending', 'retry') AND count > 0
      AND EXISTS (SELECT 1 FROM campaigns AS campaign
                  WHERE campaign.company_id = waiting.company_id
                    AND campaign.id = waiting.campaign_id
                    AND (campaign.status IN ('completed', 'cancelled')
                         OR campaign.winding_up IS NOT NULL))
    ORDER BY company_id, campaign_id
    LIMIT ?1";

/// Those of which no call is live; whether the budget is spent is decimal arithmetic, which SQLite
/// does not do.
const CAMPAIGNS_WITH_BUDGET: &str = "
    SELECT campaign.* FROM campaigns AS campaign
    JOIN campaign_queue AS queue
      ON queue.company_id = campaign.company_id AND queue.campaign_id = campaign.id
    WHERE status = 'running' AND winding_up IS NULL AND has_budget = 1
      AND (campaign.company_id, campaign.id) > (?1, ?2)
      AND queue.in_flight = 0
    ORDER BY campaign.company_id, campaign.id
    LIMIT ?3";

/// Campaigns that are read at once to look at their budgets.
const BUDGETS_AT_ONCE: usize = 100;

const COUNTERS: &str = "
    SELECT kind, name, count FROM campaign_counters
    WHERE company_id = ?1 AND campaign_id = ?2";

const NEXT_START: &str = "SELECT min(starts_at) AS at FROM campaigns WHERE status = 'scheduled'";

const CAMPAIGNS_TO_START: &str = "
    SELECT company_id, id FROM campaigns
    WHERE status = 'scheduled' AND (starts_at IS NULL OR starts_at <= ?1)
    ORDER BY starts_at, id
    LIMIT ?2";

const CAMPAIGNS_TO_FINISH: &str = "
    SELECT company_id, id FROM campaigns AS campaign
    WHERE status IN ('running', 'paused')
      AND EXISTS (SELECT 1 FROM campaign_counters AS counter
                  WHERE counter.company_id = campaign.company_id
                    AND counter.campaign_id = campaign.id
                    AND counter.kind = 'task' AND counter.count > 0)
      AND NOT EXISTS (SELECT 1 FROM campaign_counters AS counter
                      WHERE counter.company_id = campaign.company_id
                        AND counter.campaign_id = campaign.id
                        AND counter.count > 0
                        AND (counter.kind = 'task'
                                 AND counter.name IN ('pending', 'in_progress', 'retry')
                             OR counter.kind = 'attempt' AND counter.name <> 'ended'))
    ORDER BY company_id, id
    LIMIT ?1";

fn read_attempt_key(row: &SqliteRow) -> Result<AttemptKey, StorageError> {
    let row = Row::new(row, CALL_ATTEMPTS.name);
    Ok(AttemptKey {
        company_id: row.id("company_id")?,
        attempt_id: row.id("id")?,
    })
}

fn read_campaign_key(row: &SqliteRow) -> Result<CampaignKey, StorageError> {
    let row = Row::new(row, CAMPAIGNS.name);
    Ok(CampaignKey {
        company_id: row.id("company_id")?,
        campaign_id: row.id("id")?,
    })
}

impl SqliteUnitOfWork {
    /// Makes waiting tasks claimable that are due, counts them anew, and wakes their lanes.
    async fn promote(&mut self, now: Timestamp, at_most: NonZeroU16) -> Result<u64, StorageError> {
        let promoted = sqlx::query(PROMOTED_BY_COUNTER)
            .bind(micros(now))
            .bind(at_most.get());
        let promoted = self.fetch_all(promoted).await?;
        let update = sqlx::query(PROMOTE).bind(micros(now)).bind(at_most.get());
        let count = self.execute(update).await?;
        let mut changes = CounterChanges::default();
        for row in &promoted {
            let row = Row::new(row, CALL_TASKS.name);
            let campaign = CampaignKey {
                company_id: row.id("company_id")?,
                campaign_id: row.id("campaign_id")?,
            };
            let tasks: i64 = row.get("tasks")?;
            let lane = row.get("lane_id").map(LaneId::from_bits)?;
            let before = call_tasks::read_counted(&row)?;
            changes.tasks(campaign, &before, -tasks);
            let claimable = CountedTask {
                status: TaskStatus::Pending,
                reason: None,
                claimable_in: Some(lane),
                ..before
            };
            changes.tasks(campaign, &claimable, tasks);
            self.wake_lane(campaign, lane, now).await?;
        }
        self.count(changes).await?;
        Ok(count)
    }
}

impl SqliteStorage {
    /// The one instant that a query of the last committed state answers.
    async fn instant(&self, query: &'static str) -> Result<Option<Timestamp>, StorageError> {
        let row = sqlx::query(query)
            .fetch_one(self.readers())
            .await
            .map_err(storage_error)?;
        let at: Option<i64> = row.try_get("at").map_err(storage_error)?;
        Ok(at.and_then(Timestamp::from_timestamp_micros))
    }

    /// Campaigns that a query of the last committed state names.
    async fn campaigns(
        &self,
        query: sqlx::query::Query<'static, sqlx::Sqlite, sqlx::sqlite::SqliteArguments>,
    ) -> Result<Vec<CampaignKey>, StorageError> {
        let rows = query
            .fetch_all(self.readers())
            .await
            .map_err(storage_error)?;
        read_all(&rows, read_campaign_key)
    }

    /// The next running campaigns that have a budget and no live call.
    async fn campaigns_with_budget(
        &self,
        after: CampaignKey,
    ) -> Result<Vec<Campaign>, StorageError> {
        let rows = sqlx::query(CAMPAIGNS_WITH_BUDGET)
            .bind(after.company_id.as_uuid())
            .bind(after.campaign_id.as_uuid())
            .bind(i64::try_from(BUDGETS_AT_ONCE).unwrap_or(i64::MAX))
            .fetch_all(self.readers())
            .await
            .map_err(storage_error)?;
        read_all(&rows, campaigns::read)
    }

    /// The counters of a campaign as they were committed last.
    async fn counters(&self, campaign: CampaignKey) -> Result<CampaignCounters, StorageError> {
        let rows = sqlx::query(COUNTERS)
            .bind(campaign.company_id.as_uuid())
            .bind(campaign.campaign_id.as_uuid())
            .fetch_all(self.readers())
            .await
            .map_err(storage_error)?;
        counters::read(&rows)
    }
}

#[async_trait]
impl TaskQueue for SqliteStorage {
    async fn claim_due(&self, request: &ClaimRequest) -> Result<Claim, StorageError> {
        if request.attempt_ids.is_empty() {
            return Ok(Claim::default());
        }
        let mut rows = SqliteUnitOfWork::begin(self.writer(), Scope::Platform).await?;
        let claim = claim(&mut rows, request).await?;
        rows.finish().await?;
        Ok(claim)
    }

    async fn next_ready_at(&self, provider: &str) -> Result<Option<Timestamp>, StorageError> {
        let Some(ready_at) = self.instant(NEXT_READY).await? else {
            return Ok(None);
        };
        let account = sqlx::query(PROVIDER)
            .bind(provider.to_owned())
            .fetch_optional(self.readers())
            .await
            .map_err(storage_error)?;
        match account {
            Some(row) => Ok(read_level(&Row::new(&row, PROVIDER_QUEUE))?.next_visit(ready_at)),
            None => Ok(Some(ready_at)),
        }
    }

    async fn promote_due(&self, now: Timestamp, at_most: NonZeroU16) -> Result<u64, StorageError> {
        let mut rows = SqliteUnitOfWork::begin(self.writer(), Scope::Platform).await?;
        let promoted = rows.promote(now, at_most).await?;
        rows.finish().await?;
        Ok(promoted)
    }

    async fn next_due_at(&self) -> Result<Option<Timestamp>, StorageError> {
        self.instant(NEXT_DUE).await
    }

    async fn expired_attempts(
        &self,
        now: Timestamp,
        at_most: NonZeroU16,
    ) -> Result<Vec<AttemptKey>, StorageError> {
        let rows = sqlx::query(EXPIRED_ATTEMPTS)
            .bind(micros(now))
            .bind(at_most.get())
            .fetch_all(self.readers())
            .await
            .map_err(storage_error)?;
        read_all(&rows, read_attempt_key)
    }

    async fn next_expiry_at(&self) -> Result<Option<Timestamp>, StorageError> {
        self.instant(NEXT_EXPIRY).await
    }

    async fn attempts_to_price(
        &self,
        provider: &str,
        now: Timestamp,
        at_most: NonZeroU16,
    ) -> Result<Vec<AttemptKey>, StorageError> {
        let rows = sqlx::query(ATTEMPTS_TO_PRICE)
            .bind(provider.to_owned())
            .bind(micros(now))
            .bind(at_most.get())
            .fetch_all(self.readers())
            .await
            .map_err(storage_error)?;
        read_all(&rows, read_attempt_key)
    }

    async fn next_price_at(&self, provider: &str) -> Result<Option<Timestamp>, StorageError> {
        let row = sqlx::query(NEXT_PRICE)
            .bind(provider.to_owned())
            .fetch_one(self.readers())
            .await
            .map_err(storage_error)?;
        Row::new(&row, CALL_ATTEMPTS.name).optional_instant("at")
    }

    async fn campaigns_to_start(
        &self,
        now: Timestamp,
        at_most: NonZeroU16,
    ) -> Result<Vec<CampaignKey>, StorageError> {
        self.campaigns(
            sqlx::query(CAMPAIGNS_TO_START)
                .bind(micros(now))
                .bind(at_most.get()),
        )
        .await
    }

    async fn next_start_at(&self) -> Result<Option<Timestamp>, StorageError> {
        self.instant(NEXT_START).await
    }

    async fn review_lanes(&self, now: Timestamp, at_most: NonZeroU16) -> Result<u64, StorageError> {
        let mut rows = SqliteUnitOfWork::begin(self.writer(), Scope::Platform).await?;
        let reviewed = review(&mut rows, now, at_most.get()).await?;
        rows.finish().await?;
        Ok(reviewed)
    }

    async fn next_review_at(&self) -> Result<Option<Timestamp>, StorageError> {
        self.instant(NEXT_REVIEW).await
    }

    async fn campaigns_to_end(
        &self,
        now: Timestamp,
        at_most: NonZeroU16,
    ) -> Result<Vec<CampaignKey>, StorageError> {
        self.campaigns(
            sqlx::query(CAMPAIGNS_TO_END)
                .bind(micros(now))
                .bind(at_most.get()),
        )
        .await
    }

    async fn next_end_at(&self) -> Result<Option<Timestamp>, StorageError> {
        self.instant(NEXT_END).await
    }

    async fn campaigns_to_empty(
        &self,
        at_most: NonZeroU16,
    ) -> Result<Vec<CampaignKey>, StorageError> {
        self.campaigns(sqlx::query(CAMPAIGNS_TO_EMPTY).bind(at_most.get()))
            .await
    }

    async fn campaigns_at_target(
        &self,
        at_most: NonZeroU16,
    ) -> Result<Vec<CampaignKey>, StorageError> {
        self.campaigns(sqlx::query(CAMPAIGNS_AT_TARGET).bind(at_most.get()))
            .await
    }

    async fn campaigns_to_pause(
        &self,
        at_most: NonZeroU16,
    ) -> Result<Vec<CampaignKey>, StorageError> {
        let mut spent = Vec::new();
        let mut last = CampaignKey {
            company_id: Uuid::nil().into(),
            campaign_id: Uuid::nil().into(),
        };
        loop {
            let campaigns = self.campaigns_with_budget(last).await?;
            for campaign in &campaigns {
                last = CampaignKey {
                    company_id: campaign.company_id,
                    campaign_id: campaign.id,
                };
                if has_spent_its_budget(campaign, &self.counters(last).await?) {
                    spent.push(last);
                }
                if spent.len() == usize::from(at_most.get()) {
                    return Ok(spent);
                }
            }
            if campaigns.len() < BUDGETS_AT_ONCE {
                return Ok(spent);
            }
        }
    }

    async fn limit_provider(
        &self,
        provider: &str,
        limits: Option<Pacing>,
    ) -> Result<(), StorageError> {
        let mut rows = SqliteUnitOfWork::begin(self.writer(), Scope::Platform).await?;
        rows.limit_provider_account(provider, limits).await?;
        rows.finish().await
    }

    async fn campaigns_to_finish(
        &self,
        at_most: NonZeroU16,
    ) -> Result<Vec<CampaignKey>, StorageError> {
        self.campaigns(sqlx::query(CAMPAIGNS_TO_FINISH).bind(at_most.get()))
            .await
    }
}

#[cfg(test)]
mod tests;
