//! Lanes: how many of their tasks are claimable, and when they are reviewed.
//!
//! `claimable` equals the claimable tasks of the lane at the end of every unit of work (I12), and
//! only lanes of a campaign that calls have a window or are reviewed.

use async_trait::async_trait;
use sea_query::{Expr, ExprTrait, NullOrdering, Order, SelectStatement};
use sqlx::sqlite::SqliteRow;
use voicesurvey_core::call_task::CallTask;
use voicesurvey_core::campaign::Campaign;
use voicesurvey_core::id::CampaignId;
use voicesurvey_core::ports::{CampaignKey, Scope, StorageError};
use voicesurvey_core::queue::lane::{Lane, LaneId, LaneKey, ReviewRows, Window};
use voicesurvey_core::quota::CellNews;
use voicesurvey_core::time::Timestamp;

use crate::call_tasks;
use crate::row::{Row, json, micros, read_all};
use crate::schema::CAMPAIGN_LANES;
use crate::unit_of_work::SqliteUnitOfWork;

/// Adds a lane without tasks, unless the campaign has it already.
pub(crate) const PUT_LANE: &str = "
    INSERT INTO campaign_lanes
        (company_id, campaign_id, lane_id, priority, region, time_zones, cells, claimable)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 0)
    ON CONFLICT (company_id, campaign_id, lane_id) DO NOTHING";

const LANES_TO_REVIEW: &str = "
    SELECT * FROM campaign_lanes
    WHERE review_at <= ?1
    ORDER BY review_at, company_id, campaign_id, lane_id
    LIMIT ?2";

const TASKS_IN_LANE: &str = "
    SELECT * FROM call_tasks
    WHERE company_id = ?1 AND campaign_id = ?2 AND lane_id = ?3 AND claimable = 1
    ORDER BY due_at, id
    LIMIT ?4";

const REVIEW_CELLS: &str = "
    UPDATE campaign_lanes
    SET opens_at = NULL, closes_at = NULL,
        review_at = (SELECT ?4 FROM campaign_queue
                     WHERE company_id = ?1 AND campaign_id = ?2 AND calling = 1)
    WHERE company_id = ?1 AND campaign_id = ?2
      AND (opens_at IS NULL OR NOT ?5)
      AND EXISTS (SELECT 1 FROM json_each('[' || cells || ']') AS own
                  JOIN json_each(?3) AS named ON named.value = own.value)";

pub(crate) fn read(row: &SqliteRow) -> Result<Lane, StorageError> {
    let row = Row::new(row, CAMPAIGN_LANES.name);
    let opens_at = row.optional_instant("opens_at")?;
    let closes_at = row.optional_instant("closes_at")?;
    Ok(Lane {
        id: row.get("lane_id").map(LaneId::from_bits)?,
        key: LaneKey {
            priority: row.get("priority")?,
            region: row.optional_word("region")?,
            time_zones: row.document("time_zones")?,
            cells: row.parsed("cells")?,
        },
        claimable: row.get("claimable")?,
        window: opens_at.zip(closes_at).map(|(opens_at, closes_at)| Window {
            opens_at,
            closes_at,
        }),
        review_at: row.optional_instant("review_at")?,
    })
}

fn read_with_campaign(row: &SqliteRow) -> Result<(CampaignKey, Lane), StorageError> {
    let named = Row::new(row, CAMPAIGN_LANES.name);
    let campaign = CampaignKey {
        company_id: named.id("company_id")?,
        campaign_id: named.id("campaign_id")?,
    };
    Ok((campaign, read(row)?))
}

/// The lanes of a campaign in the order in which they are called; those without a window last.
pub(crate) fn in_order(scope: Scope, campaign_id: CampaignId) -> SelectStatement {
    CAMPAIGN_LANES
        .select(scope)
        .and_where(Expr::col("campaign_id").eq(campaign_id.as_uuid()))
        .order_by("priority", Order::Desc)
        .order_by_with_nulls("closes_at", Order::Asc, NullOrdering::Last)
        .order_by("lane_id", Order::Asc)
        .take()
}

impl SqliteUnitOfWork {
    /// Adds a lane without tasks, unless the campaign has it already.
    pub(crate) async fn put_lane(
        &mut self,
        campaign: CampaignKey,
        id: LaneId,
        key: &LaneKey,
    ) -> Result<(), StorageError> {
        let put = sqlx::query(PUT_LANE)
            .bind(campaign.company_id.as_uuid())
            .bind(campaign.campaign_id.as_uuid())
            .bind(id.to_bits())
            .bind(key.priority)
            .bind(key.region.map(|region| region.to_string()))
            .bind(json(&key.time_zones)?)
            .bind(key.cells.to_string());
        self.execute(put).await?;
        Ok(())
    }

    /// Tasks became claimable in a lane: a visit of the campaign is worth while, and a lane of
    /// which nobody knows when it opens is to be looked at. Nothing happens unless the campaign
    /// calls.
    pub(crate) async fn wake_lane(
        &mut self,
        campaign: CampaignKey,
        id: LaneId,
        now: Timestamp,
    ) -> Result<(), StorageError> {
        let review = sqlx::query(
            "UPDATE campaign_lanes SET review_at = min(coalesce(review_at, ?4), ?4)
             WHERE company_id = ?1 AND campaign_id = ?2 AND lane_id = ?3 AND opens_at IS NULL
               AND EXISTS (SELECT 1 FROM campaign_queue
                           WHERE company_id = ?1 AND campaign_id = ?2 AND calling = 1)",
        )
        .bind(campaign.company_id.as_uuid())
        .bind(campaign.campaign_id.as_uuid())
        .bind(id.to_bits())
        .bind(micros(now));
        self.execute(review).await?;
        self.wake_campaign(campaign, now).await
    }

    /// The places in some cells were taken or given back.
    pub(crate) async fn review_cells(
        &mut self,
        campaign: CampaignKey,
        news: CellNews<'_>,
    ) -> Result<(), StorageError> {
        let update = sqlx::query(REVIEW_CELLS)
            .bind(campaign.company_id.as_uuid())
            .bind(campaign.campaign_id.as_uuid())
            .bind(format!("[{}]", news.cells))
            .bind(micros(news.now))
            .bind(news.is_open);
        self.execute(update).await?;
        Ok(())
    }

    /// The windows follow from the campaign, which was written.
    pub(crate) async fn review_lanes_of(
        &mut self,
        campaign: &Campaign,
    ) -> Result<(), StorageError> {
        let review_at = campaign.is_calling().then_some(campaign.updated_at);
        let update = sqlx::query(
            "UPDATE campaign_lanes SET opens_at = NULL, closes_at = NULL, review_at = ?3
             WHERE company_id = ?1 AND campaign_id = ?2",
        )
        .bind(campaign.company_id.as_uuid())
        .bind(campaign.id.as_uuid())
        .bind(review_at.map(micros));
        self.execute(update).await?;
        Ok(())
    }
}

#[async_trait]
impl ReviewRows for SqliteUnitOfWork {
    async fn lanes_to_review(
        &mut self,
        now: Timestamp,
        at_most: u16,
    ) -> Result<Vec<(CampaignKey, Lane)>, StorageError> {
        let lanes = sqlx::query(LANES_TO_REVIEW).bind(micros(now)).bind(at_most);
        read_all(&self.fetch_all(lanes).await?, read_with_campaign)
    }

    async fn tasks_in_lane(
        &mut self,
        campaign: CampaignKey,
        lane: LaneId,
        at_most: u16,
    ) -> Result<Vec<CallTask>, StorageError> {
        let tasks = sqlx::query(TASKS_IN_LANE)
            .bind(campaign.company_id.as_uuid())
            .bind(campaign.campaign_id.as_uuid())
            .bind(lane.to_bits())
            .bind(at_most);
        read_all(&self.fetch_all(tasks).await?, call_tasks::read)
    }

    async fn write_window(
        &mut self,
        campaign: CampaignKey,
        lane: &Lane,
    ) -> Result<(), StorageError> {
        let update = sqlx::query(
            "UPDATE campaign_lanes SET opens_at = ?4, closes_at = ?5, review_at = ?6
             WHERE company_id = ?1 AND campaign_id = ?2 AND lane_id = ?3
             RETURNING claimable",
        )
        .bind(campaign.company_id.as_uuid())
        .bind(campaign.campaign_id.as_uuid())
        .bind(lane.id.to_bits())
        .bind(lane.window.map(|window| micros(window.opens_at)))
        .bind(lane.window.map(|window| micros(window.closes_at)))
        .bind(lane.review_at.map(micros));
        // Of the stored lane, because the review may have ended tasks since the lane was read.
        let claimable: u64 = match self.fetch_optional(update).await? {
            Some(row) => Row::new(&row, CAMPAIGN_LANES.name).get("claimable")?,
            None => 0,
        };
        match lane.window {
            Some(window) if claimable > 0 => self.wake_campaign(campaign, window.opens_at).await,
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query_plan::assert_uses;

    #[tokio::test]
    async fn lanes_and_the_tasks_in_them_are_found_in_their_order() {
        assert_uses(LANES_TO_REVIEW, &["campaign_lanes_to_review"]).await;
        assert_uses(TASKS_IN_LANE, &["call_tasks_claimable"]).await;
    }
}
