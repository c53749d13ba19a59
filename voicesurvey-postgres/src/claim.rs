//! The rows that the core's claim algorithm asks for.

use std::collections::HashSet;

use async_trait::async_trait;
use sqlx::postgres::PgRow;
use voicesurvey_core::call_task::{CallTask, TaskStatus};
use voicesurvey_core::id::{CampaignId, CompanyId};
use voicesurvey_core::pace::Pace;
use voicesurvey_core::phone_number::PhoneNumber;
use voicesurvey_core::ports::{CampaignKey, ClaimedTask, StorageError};
use voicesurvey_core::queue::QueueLevel;
use voicesurvey_core::queue::claim::ClaimRows;
use voicesurvey_core::time::Timestamp;

use crate::call_tasks::{call_task, old_state};
use crate::error::written;
use crate::row::Reader;
use crate::unit_of_work::PostgresUnitOfWork;

/// A row of the ready list.
fn level(row: &Reader<'_>, seconds_between_calls: u32) -> Result<QueueLevel, StorageError> {
    Ok(QueueLevel {
        ready_at: row.instant("ready_at")?,
        in_flight: row.number("in_flight")?,
        max_concurrent_calls: row.number("max_concurrent_calls")?,
        pace: Pace {
            calls_per_minute: row.number("calls_per_minute")?,
            seconds_between_calls,
        },
        arrival: row.get("arrival")?,
    })
}

fn company_level(row: &PgRow) -> Result<(CompanyId, QueueLevel), StorageError> {
    let row = Reader::new("company_queue", row);
    Ok((row.id("company_id")?, level(&row, 0)?))
}

fn campaign_level(row: &PgRow) -> Result<(CampaignId, QueueLevel), StorageError> {
    let row = Reader::new("campaign_queue", row);
    Ok((
        row.id("campaign_id")?,
        level(&row, row.number("seconds_between_calls")?)?,
    ))
}

#[async_trait]
impl ClaimRows for PostgresUnitOfWork {
    async fn ready_companies(
        &mut self,
        now: Timestamp,
        at_most: u16,
    ) -> Result<Vec<(CompanyId, QueueLevel)>, StorageError> {
        let select = sqlx::query(include_str!("sql/ready_companies.sql")).bind(now);
        let mut rows = self.rows(select).await?;
        rows.truncate(usize::from(at_most));
        rows.iter().map(company_level).collect()
    }

    async fn ready_campaigns(
        &mut self,
        company_id: CompanyId,
        now: Timestamp,
        at_most: u16,
    ) -> Result<Vec<(CampaignId, QueueLevel)>, StorageError> {
        let select =
            sqlx::query(include_str!("sql/ready_campaigns.sql")).bind(company_id.as_uuid());
        let mut rows = self.rows(select.bind(now)).await?;
        rows.truncate(usize::from(at_most));
        rows.iter().map(campaign_level).collect()
    }

    async fn due_tasks(
        &mut self,
        campaign: CampaignKey,
        at_most: u16,
    ) -> Result<Vec<CallTask>, StorageError> {
        let select = sqlx::query(include_str!("sql/due_tasks.sql"))
            .bind(campaign.company_id.as_uuid())
            .bind(campaign.campaign_id.as_uuid());
        let mut rows = self.rows(select).await?;
        rows.truncate(usize::from(at_most));
        rows.iter().map(call_task).collect()
    }

    async fn has_claimable(&mut self, campaign: CampaignKey) -> Result<bool, StorageError> {
        let select = sqlx::query(
            "SELECT id FROM call_tasks
             WHERE company_id = $1 AND campaign_id = $2 AND claimable LIMIT 1",
        )
        .bind(campaign.company_id.as_uuid())
        .bind(campaign.campaign_id.as_uuid());
        Ok(self.row(select).await?.is_some())
    }

    async fn excluded_among(
        &mut self,
        company_id: CompanyId,
        phone_numbers: &[PhoneNumber],
    ) -> Result<HashSet<PhoneNumber>, StorageError> {
        self.exclusions_among(Some(company_id.as_uuid()), phone_numbers)
            .await
    }

    async fn write_claimed(&mut self, claimed: &[ClaimedTask]) -> Result<(), StorageError> {
        let Some(ClaimedTask { task, .. }) = claimed.first() else {
            return Ok(());
        };
        let (company_id, campaign_id) = (task.company_id, task.campaign_id);
        let mark = sqlx::query(include_str!("sql/claim_tasks.sql"))
            .bind(company_id.as_uuid())
            .bind(all(claimed, |claim| claim.task.id.as_uuid()))
            .bind(all(claimed, |claim| claim.attempt.id.as_uuid()))
            .bind(all(claimed, |claim| i64::from(claim.task.attempts_count)))
            .bind(all(claimed, |claim| claim.task.updated_at))
            .bind(all(claimed, |claim| i64::from(claim.task.version)));
        let marked = self.rows(mark).await?;
        if marked.len() != claimed.len() {
            return written(0, "a task was changed while it was claimed");
        }
        for row in &marked {
            let (status, reason) = old_state(row)?;
            self.counters
                .tasks((company_id, campaign_id), status, reason, -1);
            self.counters
                .tasks((company_id, campaign_id), TaskStatus::InProgress, None, 1);
        }
        let insert = sqlx::query(include_str!("sql/insert_attempts.sql"))
            .bind(company_id.as_uuid())
            .bind(campaign_id.as_uuid())
            .bind(all(claimed, |claim| claim.attempt.id.as_uuid()))
            .bind(all(claimed, |claim| claim.attempt.task_id.as_uuid()))
            .bind(all(claimed, |claim| i64::from(claim.attempt.number)))
            .bind(all(claimed, |claim| claim.attempt.phone_number.to_string()))
            .bind(all(claimed, |claim| claim.attempt.provider.clone()))
            .bind(all(claimed, |claim| claim.attempt.state.name()))
            .bind(all(claimed, |claim| claim.attempt.dial_before))
            .bind(all(claimed, |claim| claim.attempt.lease_until))
            .bind(all(claimed, |claim| claim.attempt.created_at))
            .bind(all(claimed, |claim| i64::from(claim.attempt.version)));
        self.execute(insert).await?;
        for ClaimedTask { attempt, .. } in claimed {
            let campaign = (company_id, campaign_id);
            self.counters
                .attempts(campaign, attempt.state, attempt.outcome, 1);
        }
        Ok(())
    }

    async fn write_campaign(
        &mut self,
        campaign: CampaignKey,
        level: &QueueLevel,
    ) -> Result<(), StorageError> {
        let update = sqlx::query(
            "UPDATE campaign_queue SET ready_at = $3, in_flight = $4, arrival = $5
             WHERE company_id = $1 AND campaign_id = $2",
        )
        .bind(campaign.company_id.as_uuid())
        .bind(campaign.campaign_id.as_uuid())
        .bind(level.ready_at)
        .bind(i64::from(level.in_flight))
        .bind(level.arrival);
        written(
            self.execute(update).await?,
            "the campaign has left the ready list",
        )
    }

    async fn next_ready_campaign(
        &mut self,
        company_id: CompanyId,
    ) -> Result<Option<Timestamp>, StorageError> {
        let select = sqlx::query(
            "SELECT ready_at FROM campaign_queue
             WHERE company_id = $1 AND ready_at IS NOT NULL ORDER BY ready_at LIMIT 1",
        );
        match self.row(select.bind(company_id.as_uuid())).await? {
            Some(row) => Reader::new("campaign_queue", &row).instant("ready_at"),
            None => Ok(None),
        }
    }

    async fn write_company(
        &mut self,
        company_id: CompanyId,
        level: &QueueLevel,
    ) -> Result<(), StorageError> {
        let update = sqlx::query(
            "UPDATE company_queue SET ready_at = $2, in_flight = $3, arrival = $4
             WHERE company_id = $1",
        )
        .bind(company_id.as_uuid())
        .bind(level.ready_at)
        .bind(i64::from(level.in_flight))
        .bind(level.arrival);
        written(
            self.execute(update).await?,
            "the company has left the ready list",
        )
    }
}

/// One array per column.
fn all<T>(claimed: &[ClaimedTask], column: impl Fn(&ClaimedTask) -> T) -> Vec<T> {
    claimed.iter().map(column).collect()
}
