//! The queue: short transactions of the platform, each committed before it answers.

use std::num::NonZeroU16;

use async_trait::async_trait;
use sqlx::Row as _;
use uuid::Uuid;
use voicesurvey_core::id::{CampaignId, CompanyId};
use voicesurvey_core::ports::{
    AttemptKey, CampaignKey, ClaimRequest, ClaimedTask, Scope, StorageError, TaskQueue,
};
use voicesurvey_core::queue::claim::claim;
use voicesurvey_core::time::Timestamp;

use crate::call_tasks::old_state;
use crate::error::storage_error;
use crate::row::Reader;
use crate::storage::PostgresStorage;
use crate::unit_of_work::{PostgresUnitOfWork, Statement};

#[async_trait]
impl TaskQueue for PostgresStorage {
    async fn claim_due(&self, request: &ClaimRequest) -> Result<Vec<ClaimedTask>, StorageError> {
        let mut work = self.work(Scope::Platform).await?;
        let claimed = claim(&mut work, request).await?;
        work.finish().await?;
        Ok(claimed)
    }

    async fn next_ready_at(&self) -> Result<Option<Timestamp>, StorageError> {
        self.earliest(sqlx::query(
            "SELECT min(ready_at) FROM company_queue WHERE ready_at IS NOT NULL",
        ))
        .await
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
             WHERE status IN ('pending', 'retry') AND NOT claimable",
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
             WHERE state <> 'ended' AND lease_until <= $1 ORDER BY lease_until, id LIMIT $2",
        );
        let keys = self
            .keys(select.bind(now).bind(i64::from(at_most.get())))
            .await?;
        let key = |(company_id, id): (CompanyId, Uuid)| AttemptKey {
            company_id,
            attempt_id: id.into(),
        };
        Ok(keys.into_iter().map(key).collect())
    }

    async fn next_expiry_at(&self) -> Result<Option<Timestamp>, StorageError> {
        self.earliest(sqlx::query(
            "SELECT min(lease_until) FROM call_attempts WHERE state <> 'ended'",
        ))
        .await
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
            let (old_status, old_reason) = old_state(row)?;
            let row = Reader::new("call_tasks", row);
            let company_id: CompanyId = row.id("company_id")?;
            let campaign: (_, CampaignId) = (company_id, row.id("campaign_id")?);
            companies.push(company_id.as_uuid());
            tasks.push(row.get("id")?);
            self.counters.tasks(campaign, old_status, old_reason, -1);
            self.counters.tasks(
                campaign,
                voicesurvey_core::call_task::TaskStatus::Pending,
                None,
                1,
            );
            self.ready_list.tasks_are_due(campaign, now);
        }
        if due.is_empty() {
            return Ok(0);
        }
        let promote = sqlx::query(include_str!("sql/promote_tasks.sql"));
        self.execute(promote.bind(companies).bind(tasks).bind(now))
            .await
    }
}
