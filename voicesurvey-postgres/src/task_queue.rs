//! The queue: short transactions of the platform, each committed before it answers.

use std::num::NonZeroU16;

use async_trait::async_trait;
use sqlx::Row as _;
use uuid::Uuid;
use voicesurvey_core::call_task::TaskStatus;
use voicesurvey_core::campaign::Pacing;
use voicesurvey_core::id::{CallTaskId, CampaignId, CompanyId};
use voicesurvey_core::outcome::Outcome;
use voicesurvey_core::ports::{
    AttemptKey, CampaignKey, Claim, ClaimRequest, Scope, StorageError, TaskQueue,
};
use voicesurvey_core::queue::lane::{LaneId, review};
use voicesurvey_core::time::Timestamp;

use crate::call_tasks::old_state;
use crate::counters::CountedTask;
use crate::error::storage_error;
use crate::ready_list::{interval_and_burst, level};
use crate::row::Reader;
use crate::storage::PostgresStorage;
use crate::unit_of_work::{PostgresUnitOfWork, Statement};

#[async_trait]
impl TaskQueue for PostgresStorage {
    async fn claim_due(&self, request: &ClaimRequest) -> Result<Claim, StorageError> {
        self.claim(request).await
    }

    async fn next_ready_at(&self, provider: &str) -> Result<Option<Timestamp>, StorageError> {
        let mut work = self.work(Scope::Platform).await?;
        let select = "SELECT next.ready_at, account.in_flight, account.max_concurrent_calls,
                 account.calls_per_minute, account.seconds_between_calls, account.arrival,
                 account.provider IS NOT NULL AS limited
             FROM (
                 SELECT min(ready_at) AS ready_at FROM company_queue WHERE ready_at IS NOT NULL
             ) AS next
             LEFT JOIN provider_queue AS account ON account.provider = $1";
        let select = sqlx::query(select).bind(provider.to_owned());
        let Some(row) = work.row(select).await? else {
            return Ok(None);
        };
        let row = Reader::new("provider_queue", &row);
        let Some(ready_at) = row.instant("ready_at")? else {
            return Ok(None);
        };
        if row.get("limited")? {
            Ok(level(&row)?.next_visit(ready_at))
        } else {
            Ok(Some(ready_at))
        }
    }

    async fn review_lanes(&self, now: Timestamp, at_most: NonZeroU16) -> Result<u64, StorageError> {
        let mut work = self.work(Scope::Platform).await?;
        let reviewed = review(&mut work, now, at_most.get()).await?;
        work.finish().await?;
        Ok(reviewed)
    }

    async fn next_review_at(&self) -> Result<Option<Timestamp>, StorageError> {
        self.earliest(sqlx::query(
            "SELECT min(review_at) FROM campaign_lanes WHERE review_at IS NOT NULL",
        ))
        .await
    }

    async fn campaigns_to_end(
        &self,
        now: Timestamp,
        at_most: NonZeroU16,
    ) -> Result<Vec<CampaignKey>, StorageError> {
        let select = sqlx::query(
            "SELECT company_id, id FROM campaigns
             WHERE status IN ('running', 'paused') AND winding_up IS NULL AND ends_at <= $1
             ORDER BY ends_at, id LIMIT $2",
        );
        let keys = self
            .keys(select.bind(now).bind(i64::from(at_most.get())))
            .await?;
        Ok(keys.into_iter().map(campaign_key).collect())
    }

    async fn next_end_at(&self) -> Result<Option<Timestamp>, StorageError> {
        self.earliest(sqlx::query(
            "SELECT min(ends_at) FROM campaigns
             WHERE status IN ('running', 'paused') AND winding_up IS NULL AND ends_at IS NOT NULL",
        ))
        .await
    }

    async fn campaigns_to_empty(
        &self,
        at_most: NonZeroU16,
    ) -> Result<Vec<CampaignKey>, StorageError> {
        let select = sqlx::query(
            "SELECT company_id, id FROM campaigns WHERE emptying ORDER BY company_id, id LIMIT $1",
        );
        let keys = self.keys(select.bind(i64::from(at_most.get()))).await?;
        Ok(keys.into_iter().map(campaign_key).collect())
    }

    async fn campaigns_at_target(
        &self,
        at_most: NonZeroU16,
    ) -> Result<Vec<CampaignKey>, StorageError> {
        let select = sqlx::query(include_str!("sql/campaigns_at_target.sql"));
        let keys = self.keys(select.bind(i64::from(at_most.get()))).await?;
        Ok(keys.into_iter().map(campaign_key).collect())
    }

    async fn campaigns_to_pause(
        &self,
        at_most: NonZeroU16,
    ) -> Result<Vec<CampaignKey>, StorageError> {
        let free = Outcome::ALL
            .iter()
            .filter(|outcome| !outcome.counts_as_contact());
        let free: Vec<&str> = free.map(|outcome| outcome.name()).collect();
        let select = sqlx::query(include_str!("sql/campaigns_to_pause.sql"))
            .bind(i64::from(at_most.get()))
            .bind(free);
        let keys = self.keys(select).await?;
        Ok(keys.into_iter().map(campaign_key).collect())
    }

    async fn limit_provider(
        &self,
        provider: &str,
        limits: Option<Pacing>,
    ) -> Result<(), StorageError> {
        let mut work = self.work(Scope::Platform).await?;
        if let Some(limits) = limits {
            work.limit_provider(provider, limits).await?;
        } else {
            let lift = sqlx::query("DELETE FROM provider_queue WHERE provider = $1");
            work.execute(lift.bind(provider.to_owned())).await?;
        }
        work.finish().await
    }

    async fn promote_due(&self, now: Timestamp, at_most: NonZeroU16) -> Result<u64, StorageError> {
        let mut work = self.work(Scope::Platform).await?;
        let promoted = work.promote(now, at_most).await?;
        work.finish().await?;
        Ok(promoted)
    }

    async fn next_due_at(&self) -> Result<Option<Timestamp>, StorageError> {
        self.earliest(sqlx::query(
            "SELECT min(due_at) FROM call_tasks
             WHERE status IN ('pending', 'retry') AND claimable_since IS NULL",
        ))
        .await
    }

    async fn expired_attempts(
        &self,
        now: Timestamp,
        at_most: NonZeroU16,
    ) -> Result<Vec<AttemptKey>, StorageError> {
        let select = sqlx::query(
            "SELECT company_id, id FROM call_attempts
             WHERE state IN ('created', 'unknown', 'accepted', 'ringing', 'answered')
                 AND lease_until <= $1
             ORDER BY lease_until, id LIMIT $2",
        );
        let keys = self
            .keys(select.bind(now).bind(i64::from(at_most.get())))
            .await?;
        Ok(keys.into_iter().map(attempt_key).collect())
    }

    async fn next_expiry_at(&self) -> Result<Option<Timestamp>, StorageError> {
        self.earliest(sqlx::query(
            "SELECT min(lease_until) FROM call_attempts
             WHERE state IN ('created', 'unknown', 'accepted', 'ringing', 'answered')",
        ))
        .await
    }

    async fn attempts_to_price(
        &self,
        provider: &str,
        now: Timestamp,
        at_most: NonZeroU16,
    ) -> Result<Vec<AttemptKey>, StorageError> {
        let select = sqlx::query(
            "SELECT company_id, id FROM call_attempts
             WHERE provider = $1 AND price_due_at <= $2
             ORDER BY price_due_at, id LIMIT $3",
        )
        .bind(provider.to_owned())
        .bind(now)
        .bind(i64::from(at_most.get()));
        let keys = self.keys(select).await?;
        Ok(keys.into_iter().map(attempt_key).collect())
    }

    async fn next_price_at(&self, provider: &str) -> Result<Option<Timestamp>, StorageError> {
        let select = sqlx::query(
            "SELECT min(price_due_at) FROM call_attempts
             WHERE provider = $1 AND price_due_at IS NOT NULL",
        );
        self.earliest(select.bind(provider.to_owned())).await
    }

    async fn campaigns_to_start(
        &self,
        now: Timestamp,
        at_most: NonZeroU16,
    ) -> Result<Vec<CampaignKey>, StorageError> {
        let select = sqlx::query(
            "SELECT company_id, id FROM campaigns
             WHERE status = 'scheduled' AND (starts_at IS NULL OR starts_at <= $1)
             ORDER BY starts_at NULLS FIRST, id LIMIT $2",
        );
        let keys = self
            .keys(select.bind(now).bind(i64::from(at_most.get())))
            .await?;
        Ok(keys.into_iter().map(campaign_key).collect())
    }

    async fn next_start_at(&self) -> Result<Option<Timestamp>, StorageError> {
        self.earliest(sqlx::query(
            "SELECT min(starts_at) FROM campaigns WHERE status = 'scheduled'",
        ))
        .await
    }

    async fn campaigns_to_finish(
        &self,
        at_most: NonZeroU16,
    ) -> Result<Vec<CampaignKey>, StorageError> {
        let select = sqlx::query(include_str!("sql/campaigns_to_finish.sql"));
        let keys = self.keys(select.bind(i64::from(at_most.get()))).await?;
        Ok(keys.into_iter().map(campaign_key).collect())
    }
}

fn attempt_key((company_id, id): (CompanyId, Uuid)) -> AttemptKey {
    AttemptKey {
        company_id,
        attempt_id: id.into(),
    }
}

fn campaign_key((company_id, id): (CompanyId, Uuid)) -> CampaignKey {
    CampaignKey {
        company_id,
        campaign_id: id.into(),
    }
}

impl PostgresStorage {
    /// The one instant that a statement returns.
    async fn earliest(&self, select: Statement) -> Result<Option<Timestamp>, StorageError> {
        let mut work = self.work(Scope::Platform).await?;
        match work.row(select).await? {
            Some(row) => row.try_get(0).map_err(storage_error),
            None => Ok(None),
        }
    }

    /// The companies and identifiers that a list returns. Lists are planned anew each time: with a
    /// plan for any limit, the planner expects a tenth of the table and may read all of it.
    async fn keys(&self, select: Statement) -> Result<Vec<(CompanyId, Uuid)>, StorageError> {
        let mut work = self.work(Scope::Platform).await?;
        let rows = work.rows(select.persistent(false)).await?;
        rows.iter()
            .map(|row| {
                let row = Reader::new("a list of the queue", row);
                Ok((row.id("company_id")?, row.get("id")?))
            })
            .collect()
    }
}

impl PostgresUnitOfWork {
    async fn promote(&mut self, now: Timestamp, at_most: NonZeroU16) -> Result<u64, StorageError> {
        let due = sqlx::query(include_str!("sql/select_due.sql"))
            .bind(now)
            .bind(i64::from(at_most.get()))
            .persistent(false);
        let due = self.rows(due).await?;
        let mut companies: Vec<Uuid> = Vec::with_capacity(due.len());
        let mut tasks: Vec<Uuid> = Vec::with_capacity(due.len());
        for row in &due {
            let before = old_state(row)?;
            let row = Reader::new("call_tasks", row);
            let company_id: CompanyId = row.id("company_id")?;
            let campaign: (_, CampaignId) = (company_id, row.id("campaign_id")?);
            let id: CallTaskId = row.id("id")?;
            companies.push(company_id.as_uuid());
            tasks.push(id.as_uuid());
            self.counters.tasks(campaign, &before, -1);
            let after = CountedTask {
                status: TaskStatus::Pending,
                reason: None,
                ..before
            };
            self.counters.tasks(campaign, &after, 1);
            let lane = LaneId::from_bits(row.get("lane_id")?);
            self.lanes
                .add(campaign, lane, (row.get("due_at")?, id), now);
            self.ready_list.tasks_are_due(campaign, now);
        }
        if due.is_empty() {
            return Ok(0);
        }
        let promote = sqlx::query(include_str!("sql/promote_tasks.sql"))
            .bind(companies)
            .bind(tasks)
            .bind(now);
        self.execute(promote).await
    }

    async fn limit_provider(&mut self, provider: &str, limits: Pacing) -> Result<(), StorageError> {
        // Every claim and every end of a call takes a weaker lock on the table, so afterwards none
        // is under way whose calls would be counted twice or not at all.
        self.execute(sqlx::query("LOCK TABLE provider_queue IN EXCLUSIVE MODE"))
            .await?;
        let Pacing {
            max_concurrent_calls,
            pace,
        } = limits;
        let (interval, burst) = interval_and_burst(pace);
        let limit = sqlx::query(
            "INSERT INTO provider_queue (
                 provider, in_flight, max_concurrent_calls, calls_per_minute,
                 seconds_between_calls, interval_microseconds, burst, arrival
             )
             SELECT $1, count(*), $2, $3, $4, $5, $6, to_timestamp(0)
             FROM call_attempts WHERE provider = $1 AND state <> 'ended'
             ON CONFLICT (provider) DO UPDATE
             SET in_flight = excluded.in_flight,
                 max_concurrent_calls = excluded.max_concurrent_calls,
                 calls_per_minute = excluded.calls_per_minute,
                 seconds_between_calls = excluded.seconds_between_calls,
                 interval_microseconds = excluded.interval_microseconds,
                 burst = excluded.burst",
        )
        .bind(provider.to_owned())
        .bind(i64::from(max_concurrent_calls))
        .bind(i64::from(pace.calls_per_minute))
        .bind(i64::from(pace.seconds_between_calls))
        .bind(interval)
        .bind(burst);
        self.execute(limit).await?;
        Ok(())
    }
}
