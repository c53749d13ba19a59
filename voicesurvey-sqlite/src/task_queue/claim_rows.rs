//! The claim's side of the rows: what may be claimed, and what the claim writes.

use async_trait::async_trait;
use voicesurvey_core::call_attempt::CallAttempt;
use voicesurvey_core::call_task::CallTask;
use voicesurvey_core::gate::ContactHistory;
use voicesurvey_core::id::{CampaignId, CompanyId};
use voicesurvey_core::pace::Pace;
use voicesurvey_core::phone_number::PhoneNumber;
use voicesurvey_core::ports::{CampaignKey, ClaimedTask, StorageError};
use voicesurvey_core::queue::QueueLevel;
use voicesurvey_core::queue::claim::{Candidate, ClaimRows};
use voicesurvey_core::queue::lane::LaneId;
use voicesurvey_core::time::Timestamp;

use crate::call_tasks;
use crate::row::{Row, micros, read_all};
use crate::schema::CAMPAIGN_LANES;
use crate::unit_of_work::SqliteUnitOfWork;

pub(super) const PROVIDER_QUEUE: &str = "provider_queue";
const COMPANY_QUEUE: &str = "company_queue";
const CAMPAIGN_QUEUE: &str = "campaign_queue";

pub(super) const PROVIDER: &str = "
    SELECT NULL AS ready_at, in_flight, max_concurrent_calls, calls_per_minute,
           seconds_between_calls, arrival
    FROM provider_queue
    WHERE provider = ?1";

/// The lanes that a claim looks into, in their order.
const OPEN_LANES: &str = "
    SELECT lane_id FROM campaign_lanes
    WHERE company_id = ?1 AND campaign_id = ?2 AND claimable > 0
      AND opens_at <= ?3 AND closes_at > ?3
    ORDER BY priority DESC, closes_at, lane_id";

/// The claimable tasks of a lane whose number nobody in the company is calling.
const FREE_TASKS: &str = "
    SELECT * FROM call_tasks AS task
    WHERE company_id = ?1 AND campaign_id = ?2 AND lane_id = ?3 AND claimable = 1
      AND NOT EXISTS (SELECT 1 FROM call_attempts AS live
                      WHERE live.company_id = task.company_id
                        AND live.phone_number = task.phone_number
                        AND live.state <> 'ended')
    ORDER BY due_at, id
    LIMIT ?4";

/// A window that has passed says nothing until it was worked out again, which wakes.
const NEXT_WORK: &str = "
    SELECT min(max(opens_at, ?3)) AS at FROM campaign_lanes
    WHERE company_id = ?1 AND campaign_id = ?2 AND claimable > 0 AND closes_at > ?3";

const CAMPAIGN: &str = "
    SELECT ready_at, in_flight, max_concurrent_calls, calls_per_minute, seconds_between_calls,
           arrival
    FROM campaign_queue
    WHERE company_id = ?1 AND campaign_id = ?2";

const READY_COMPANIES: &str = "
    SELECT company_id, ready_at, in_flight, max_concurrent_calls, calls_per_minute,
           0 AS seconds_between_calls, arrival
    FROM company_queue
    WHERE ready_at <= ?1
    ORDER BY ready_at, company_id
    LIMIT ?2";

const READY_CAMPAIGNS: &str = "
    SELECT campaign_id, ready_at, in_flight, max_concurrent_calls, calls_per_minute,
           seconds_between_calls, arrival
    FROM campaign_queue
    WHERE company_id = ?1 AND ready_at <= ?2
    ORDER BY ready_at, campaign_id
    LIMIT ?3";

pub(super) fn read_level(row: &Row<'_>) -> Result<QueueLevel, StorageError> {
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

impl SqliteUnitOfWork {
    /// The campaign's row in the ready list.
    pub(crate) async fn campaign_level(
        &mut self,
        campaign: CampaignKey,
    ) -> Result<Option<QueueLevel>, StorageError> {
        let level = sqlx::query(CAMPAIGN)
            .bind(campaign.company_id.as_uuid())
            .bind(campaign.campaign_id.as_uuid());
        let row = self.fetch_optional(level).await?;
        row.map(|row| read_level(&Row::new(&row, CAMPAIGN_QUEUE)))
            .transpose()
    }

    async fn tasks_in_open_lanes(
        &mut self,
        campaign: CampaignKey,
        now: Timestamp,
        at_most: u16,
    ) -> Result<Vec<CallTask>, StorageError> {
        let lanes = sqlx::query(OPEN_LANES)
            .bind(campaign.company_id.as_uuid())
            .bind(campaign.campaign_id.as_uuid())
            .bind(micros(now));
        let lanes = read_all(&self.fetch_all(lanes).await?, |row| {
            Row::new(row, CAMPAIGN_LANES.name)
                .get("lane_id")
                .map(LaneId::from_bits)
        })?;
        let mut tasks = Vec::new();
        for lane in lanes {
            let left = usize::from(at_most) - tasks.len();
            if left == 0 {
                break;
            }
            let free = sqlx::query(FREE_TASKS)
                .bind(campaign.company_id.as_uuid())
                .bind(campaign.campaign_id.as_uuid())
                .bind(lane.to_bits())
                .bind(i64::try_from(left).unwrap_or(i64::MAX));
            let free = self.fetch_all(free).await?;
            tasks.extend(read_all(&free, call_tasks::read)?);
        }
        Ok(tasks)
    }
}

#[async_trait]
impl ClaimRows for SqliteUnitOfWork {
    async fn provider_level(&mut self, provider: &str) -> Result<Option<QueueLevel>, StorageError> {
        let level = sqlx::query(PROVIDER).bind(provider.to_owned());
        let row = self.fetch_optional(level).await?;
        row.map(|row| read_level(&Row::new(&row, PROVIDER_QUEUE)))
            .transpose()
    }

    async fn write_provider(
        &mut self,
        provider: &str,
        level: &QueueLevel,
    ) -> Result<(), StorageError> {
        let update = sqlx::query(
            "UPDATE provider_queue SET in_flight = ?2, arrival = ?3 WHERE provider = ?1",
        )
        .bind(provider.to_owned())
        .bind(level.in_flight)
        .bind(micros(level.arrival));
        self.execute(update).await?;
        Ok(())
    }

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

    async fn candidates(
        &mut self,
        campaign: CampaignKey,
        now: Timestamp,
        at_most: u16,
    ) -> Result<Vec<Candidate>, StorageError> {
        let tasks = self.tasks_in_open_lanes(campaign, now, at_most).await?;
        let numbers: Vec<PhoneNumber> =
            tasks.iter().map(|task| task.contact.phone_number).collect();
        let company_id = campaign.company_id;
        let excluded = self.excluded_among(Some(company_id), &numbers).await?;
        let since = now - ContactHistory::REACH;
        let mut calls = self.calls_to(company_id, &numbers, since, None).await?;
        let judged = tasks.into_iter().map(|task| Candidate {
            excluded: excluded.contains(&task.contact.phone_number),
            // OK because a campaign has a number once.
            history: calls.remove(&task.contact.phone_number).unwrap_or_default(),
            task,
        });
        Ok(judged.collect())
    }

    async fn next_work_at(
        &mut self,
        campaign: CampaignKey,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, StorageError> {
        let next = sqlx::query(NEXT_WORK)
            .bind(campaign.company_id.as_uuid())
            .bind(campaign.campaign_id.as_uuid())
            .bind(micros(now));
        let row = self.fetch_optional(next).await?;
        row.map_or(Ok(None), |row| {
            Row::new(&row, CAMPAIGN_LANES.name).optional_instant("at")
        })
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query_plan::assert_uses;

    #[tokio::test]
    async fn the_claim_reads_lanes_and_tasks_in_their_order_from_partial_indexes() {
        assert_uses(OPEN_LANES, &["campaign_lanes_in_order"]).await;
        let indexes = ["call_tasks_claimable", "call_attempts_one_live_per_number"];
        assert_uses(FREE_TASKS, &indexes).await;
    }

    #[tokio::test]
    async fn the_next_work_of_a_campaign_is_found_among_its_own_lanes() {
        assert_uses(NEXT_WORK, &["(company_id=? AND campaign_id=?)"]).await;
    }

    #[tokio::test]
    async fn the_ready_list_is_read_in_its_order() {
        assert_uses(READY_COMPANIES, &["company_queue_ready"]).await;
        assert_uses(READY_CAMPAIGNS, &["campaign_queue_ready"]).await;
        assert_uses(PROVIDER, &["provider_queue"]).await;
    }
}
