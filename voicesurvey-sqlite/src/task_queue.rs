//! The dispatcher's side: the claim over locked rows, and what falls due next.
//!
//! The claim and the promotion write, in a transaction of their own on the writing connection, so
//! two claims never meet. What only looks reads the last committed state and waits for nobody.

use std::collections::HashSet;
use std::num::NonZeroU16;

use async_trait::async_trait;
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;
use voicesurvey_core::call_attempt::CallAttempt;
use voicesurvey_core::call_task::{CallTask, TaskStatus};
use voicesurvey_core::id::{CampaignId, CompanyId};
use voicesurvey_core::pace::Pace;
use voicesurvey_core::phone_number::PhoneNumber;
use voicesurvey_core::ports::{
    AttemptKey, CampaignKey, ClaimRequest, ClaimedTask, Scope, StorageError, TaskQueue,
};
use voicesurvey_core::queue::QueueLevel;
use voicesurvey_core::queue::claim::{ClaimRows, claim};
use voicesurvey_core::time::Timestamp;

use crate::call_tasks;
use crate::counters::CounterChanges;
use crate::error::storage_error;
use crate::row::{Row, json, micros, read_all};
use crate::schema::{CALL_ATTEMPTS, CALL_TASKS, CAMPAIGNS, EXCLUSIONS};
use crate::storage::SqliteStorage;
use crate::unit_of_work::SqliteUnitOfWork;

const COMPANY_QUEUE: &str = "company_queue";
const CAMPAIGN_QUEUE: &str = "campaign_queue";

/// The claim's own look at the tasks of a campaign; a test reads its plan.
pub(crate) const DUE_TASKS: &str = "
    SELECT * FROM call_tasks AS task
    WHERE company_id = ?1 AND campaign_id = ?2 AND claimable = 1
      AND NOT EXISTS (SELECT 1 FROM call_attempts AS live
                      WHERE live.company_id = task.company_id
                        AND live.phone_number = task.phone_number
                        AND live.state <> 'ended')
    ORDER BY priority DESC, due_at, id
    LIMIT ?3";

pub(crate) const HAS_CLAIMABLE: &str = "
    SELECT 1 FROM call_tasks
    WHERE company_id = ?1 AND campaign_id = ?2 AND claimable = 1
    LIMIT 1";

pub(crate) const READY_COMPANIES: &str = "
    SELECT company_id, ready_at, in_flight, max_concurrent_calls, calls_per_minute,
           0 AS seconds_between_calls, arrival
    FROM company_queue
    WHERE ready_at <= ?1
    ORDER BY ready_at, company_id
    LIMIT ?2";

pub(crate) const READY_CAMPAIGNS: &str = "
    SELECT campaign_id, ready_at, in_flight, max_concurrent_calls, calls_per_minute,
           seconds_between_calls, arrival
    FROM campaign_queue
    WHERE company_id = ?1 AND ready_at <= ?2
    ORDER BY ready_at, campaign_id
    LIMIT ?3";

/// Which waiting tasks are promoted; both statements of a promotion choose the same ones, because
/// nobody writes between them.
pub(crate) const PROMOTED_BY_COUNTER: &str = "
    SELECT company_id, campaign_id, status, reason, count(*) AS tasks
    FROM (SELECT company_id, campaign_id, status, reason FROM call_tasks
          WHERE claimable = 0 AND due_at <= ?1
          ORDER BY due_at, id
          LIMIT ?2)
    GROUP BY company_id, campaign_id, status, reason";

pub(crate) const PROMOTE: &str = "
    UPDATE call_tasks
    SET status = 'pending', claimable = 1, reason = NULL, updated_at = ?1, version = version + 1
    WHERE rowid IN (SELECT rowid FROM call_tasks
                    WHERE claimable = 0 AND due_at <= ?1
                    ORDER BY due_at, id
                    LIMIT ?2)";

pub(crate) const NEXT_READY: &str =
    "SELECT min(ready_at) AS at FROM company_queue WHERE ready_at IS NOT NULL";

pub(crate) const NEXT_DUE: &str =
    "SELECT min(due_at) AS at FROM call_tasks WHERE claimable = 0 AND due_at IS NOT NULL";

pub(crate) const NEXT_EXPIRY: &str =
    "SELECT min(lease_until) AS at FROM call_attempts WHERE state <> 'ended'";

pub(crate) const EXPIRED_ATTEMPTS: &str = "
    SELECT company_id, id FROM call_attempts
    WHERE state <> 'ended' AND lease_until <= ?1
    ORDER BY lease_until, id
    LIMIT ?2";

pub(crate) const NEXT_START: &str =
    "SELECT min(starts_at) AS at FROM campaigns WHERE status = 'scheduled'";

const CAMPAIGNS_TO_START: &str = "
    SELECT company_id, id FROM campaigns
    WHERE status = 'scheduled' AND (starts_at IS NULL OR starts_at <= ?1)
    ORDER BY starts_at, id
    LIMIT ?2";

pub(crate) const CAMPAIGNS_TO_FINISH: &str = "
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

fn read_level(row: &Row<'_>) -> Result<QueueLevel, StorageError> {
    Ok(QueueLevel {
        ready_at: row.optional_instant("ready_at")?,
        in_flight: row.get("in_flight")?,
        max_concurrent_calls: row.get("max_concurrent_calls")?,
        pace: Pace {
            calls_per_minute: row.get("calls_per_minute")?,
            seconds_between_calls: row.get("seconds_between_calls")?,
        },
        arrival: row.instant("arrival")?,
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
    /// Makes waiting tasks claimable that are due, counts them anew, and wakes their campaigns.
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
            changes.tasks(
                campaign,
                row.word("status")?,
                row.optional_word("reason")?,
                -tasks,
            );
            changes.tasks(campaign, TaskStatus::Pending, None, tasks);
            self.wake_campaign(campaign, now).await?;
        }
        self.count(changes).await?;
        Ok(count)
    }
}

#[async_trait]
impl ClaimRows for SqliteUnitOfWork {
    async fn ready_companies(
        &mut self,
        now: Timestamp,
        at_most: u16,
    ) -> Result<Vec<(CompanyId, QueueLevel)>, StorageError> {
        let ready = sqlx::query(READY_COMPANIES).bind(micros(now)).bind(at_most);
        read_all(&self.fetch_all(ready).await?, |row| {
            let row = Row::new(row, COMPANY_QUEUE);
            Ok((row.id("company_id")?, read_level(&row)?))
        })
    }

    async fn ready_campaigns(
        &mut self,
        company_id: CompanyId,
        now: Timestamp,
        at_most: u16,
    ) -> Result<Vec<(CampaignId, QueueLevel)>, StorageError> {
        let ready = sqlx::query(READY_CAMPAIGNS)
            .bind(company_id.as_uuid())
            .bind(micros(now))
            .bind(at_most);
        read_all(&self.fetch_all(ready).await?, |row| {
            let row = Row::new(row, CAMPAIGN_QUEUE);
            Ok((row.id("campaign_id")?, read_level(&row)?))
        })
    }

    async fn due_tasks(
        &mut self,
        campaign: CampaignKey,
        at_most: u16,
    ) -> Result<Vec<CallTask>, StorageError> {
        let due = sqlx::query(DUE_TASKS)
            .bind(campaign.company_id.as_uuid())
            .bind(campaign.campaign_id.as_uuid())
            .bind(at_most);
        read_all(&self.fetch_all(due).await?, call_tasks::read)
    }

    async fn has_claimable(&mut self, campaign: CampaignKey) -> Result<bool, StorageError> {
        let claimable = sqlx::query(HAS_CLAIMABLE)
            .bind(campaign.company_id.as_uuid())
            .bind(campaign.campaign_id.as_uuid());
        Ok(self.fetch_optional(claimable).await?.is_some())
    }

    async fn excluded_among(
        &mut self,
        company_id: CompanyId,
        phone_numbers: &[PhoneNumber],
    ) -> Result<HashSet<PhoneNumber>, StorageError> {
        let excluded = sqlx::query(
            "SELECT phone_number FROM exclusions
             WHERE company_id = ?1 AND phone_number IN (SELECT value FROM json_each(?2))",
        )
        .bind(company_id.as_uuid())
        .bind(json(&phone_numbers)?);
        let rows = self.fetch_all(excluded).await?;
        rows.iter()
            .map(|row| Row::new(row, EXCLUSIONS.name).word("phone_number"))
            .collect()
    }

    async fn write_claimed(&mut self, claimed: &[ClaimedTask]) -> Result<(), StorageError> {
        for ClaimedTask { task, .. } in claimed {
            self.write_task(task, task.version.saturating_sub(1))
                .await?;
        }
        let attempts: Vec<&CallAttempt> = claimed.iter().map(|claimed| &claimed.attempt).collect();
        self.insert_attempts(&attempts).await
    }

    async fn write_campaign(
        &mut self,
        campaign: CampaignKey,
        level: &QueueLevel,
    ) -> Result<(), StorageError> {
        let update = sqlx::query(
            "UPDATE campaign_queue SET ready_at = ?3, in_flight = ?4, arrival = ?5
             WHERE company_id = ?1 AND campaign_id = ?2",
        )
        .bind(campaign.company_id.as_uuid())
        .bind(campaign.campaign_id.as_uuid())
        .bind(level.ready_at.map(micros))
        .bind(level.in_flight)
        .bind(micros(level.arrival));
        self.execute(update).await?;
        Ok(())
    }

    async fn next_ready_campaign(
        &mut self,
        company_id: CompanyId,
    ) -> Result<Option<Timestamp>, StorageError> {
        let next = sqlx::query(
            "SELECT min(ready_at) AS at FROM campaign_queue
             WHERE company_id = ?1 AND ready_at IS NOT NULL",
        )
        .bind(company_id.as_uuid());
        let row = self.fetch_optional(next).await?;
        row.map_or(Ok(None), |row| {
            Row::new(&row, CAMPAIGN_QUEUE).optional_instant("at")
        })
    }

    async fn write_company(
        &mut self,
        company_id: CompanyId,
        level: &QueueLevel,
    ) -> Result<(), StorageError> {
        let update = sqlx::query(
            "UPDATE company_queue SET ready_at = ?2, in_flight = ?3, arrival = ?4
             WHERE company_id = ?1",
        )
        .bind(company_id.as_uuid())
        .bind(level.ready_at.map(micros))
        .bind(level.in_flight)
        .bind(micros(level.arrival));
        self.execute(update).await?;
        Ok(())
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
}

#[async_trait]
impl TaskQueue for SqliteStorage {
    async fn claim_due(&self, request: &ClaimRequest) -> Result<Vec<ClaimedTask>, StorageError> {
        if request.attempt_ids.is_empty() {
            return Ok(Vec::new());
        }
        let mut rows = SqliteUnitOfWork::begin(self.writer(), Scope::Platform).await?;
        let claimed = claim(&mut rows, request).await?;
        rows.finish().await?;
        Ok(claimed)
    }

    async fn next_ready_at(&self) -> Result<Option<Timestamp>, StorageError> {
        self.instant(NEXT_READY).await
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
        read_all(&rows, |row| {
            let row = Row::new(row, CALL_ATTEMPTS.name);
            Ok(AttemptKey {
                company_id: row.id("company_id")?,
                attempt_id: row.id("id")?,
            })
        })
    }

    async fn next_expiry_at(&self) -> Result<Option<Timestamp>, StorageError> {
        self.instant(NEXT_EXPIRY).await
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
