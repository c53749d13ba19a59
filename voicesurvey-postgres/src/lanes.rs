//! Lanes: how many of their tasks are claimable, and when their hours open and close.
//!
//! Whoever writes a lane holds the row of its company in the ready list: a unit of work takes it
//! when it commits, the review before it looks, the claim before it looks at campaigns. So nobody
//! ever waits for a lane's row, in whatever order they are written.

use std::collections::BTreeMap;

use async_trait::async_trait;
use sqlx::postgres::PgRow;
use uuid::Uuid;
use voicesurvey_core::call_task::CallTask;
use voicesurvey_core::id::{CallTaskId, CampaignId, CompanyId};
use voicesurvey_core::ports::{CampaignKey, StorageError};
use voicesurvey_core::queue::lane::{Lane, LaneId, LaneKey, ReviewRows, Window};
use voicesurvey_core::quota::{CellNews, Cells};
use voicesurvey_core::time::Timestamp;
use voicesurvey_core::time_zone::TimeZone;

use crate::call_tasks::{self, call_task};
use crate::counters::CampaignPlace;
use crate::row::Reader;
use crate::unit_of_work::PostgresUnitOfWork;

macro_rules! columns {
    () => {
        "company_id, campaign_id, lane_id, priority, region, time_zones, cells, claimable, \
         opens_at, closes_at, review_at"
    };
}

/// What a unit of work has still to change in lanes.
#[derive(Debug, Default)]
pub(crate) struct LaneChanges {
    lanes: BTreeMap<(CampaignPlace, LaneId), LaneChange>,
    /// Cells of quotas whose lanes are to be reviewed, and when that became known.
    cells: BTreeMap<CampaignPlace, (Cells, Cells, Timestamp)>,
}

/// By how much a lane changes: its claimable tasks, the first that was added, and when.
type ChangedLane = (
    CampaignPlace,
    LaneId,
    (i64, Option<Place>, Option<Timestamp>),
);

/// Where a task stands in its lane.
pub(crate) type Place = (Timestamp, CallTaskId);

#[derive(Debug, Default)]
struct LaneChange {
    /// What the lane is made of, unless it is surely there.
    key: Option<LaneKey>,
    /// Claimable tasks, more or less.
    by: i64,
    /// Where the first of the claimable tasks stands that were added.
    first: Option<Place>,
    /// When claimable tasks were added.
    added_at: Option<Timestamp>,
}

impl LaneChanges {
    /// A task waits in that lane, which may be new.
    pub(crate) fn make(
        &mut self,
        campaign: CampaignPlace,
        id: LaneId,
        key: impl FnOnce() -> LaneKey,
    ) {
        let change = self.lanes.entry((campaign, id)).or_default();
        change.key.get_or_insert_with(key);
    }

    /// A task of the lane has become claimable at `now`.
    pub(crate) fn add(
        &mut self,
        campaign: CampaignPlace,
        id: LaneId,
        place: Place,
        now: Timestamp,
    ) {
        let change = self.lanes.entry((campaign, id)).or_default();
        change.by += 1;
        change.first = Some(change.first.map_or(place, |first| first.min(place)));
        change.added_at = Some(change.added_at.map_or(now, |known| known.min(now)));
    }

    /// Tasks of the lane are not claimable any more, or, below zero, are again as they were.
    pub(crate) fn remove(&mut self, campaign: CampaignPlace, id: LaneId, tasks: i64) {
        self.lanes.entry((campaign, id)).or_default().by -= tasks;
    }

    /// The places in some cells were taken or given back. Of the same cell the latest news holds.
    pub(crate) fn review_cells(&mut self, campaign: CampaignPlace, news: CellNews<'_>) {
        let (open, closed, at) = self.cells.entry(campaign).or_insert_with(|| {
            let (open, closed) = (Cells::default(), Cells::default());
            (open, closed, news.now)
        });
        let (gains, loses) = if news.is_open {
            (open, closed)
        } else {
            (closed, open)
        };
        *gains = gains.or(news.cells);
        *loses = loses.without(news.cells);
        *at = (*at).min(news.now);
    }

    /// Whose lanes change.
    pub(crate) fn companies(&self) -> impl Iterator<Item = CompanyId> {
        let of_cells = self.cells.keys().map(|(company_id, _)| *company_id);
        let of_lanes = self.lanes.keys().map(|((company_id, _), _)| *company_id);
        of_lanes.chain(of_cells)
    }
}

/// One array per column.
fn all<T>(lanes: &[(CampaignPlace, LaneId, T)]) -> (Vec<Uuid>, Vec<Uuid>, Vec<i64>) {
    let companies = lanes.iter().map(|((id, _), ..)| id.as_uuid());
    let campaigns = lanes.iter().map(|((_, id), ..)| id.as_uuid());
    let ids = lanes.iter().map(|(_, id, _)| id.to_bits());
    (companies.collect(), campaigns.collect(), ids.collect())
}

impl PostgresUnitOfWork {
    /// Carries the changes out; the ready list has been written.
    pub(crate) async fn write_lanes(&mut self) -> Result<(), StorageError> {
        let mut new = Vec::new();
        let mut changed = Vec::new();
        for ((campaign, id), change) in std::mem::take(&mut self.lanes.lanes) {
            if let Some(key) = change.key {
                new.push((campaign, id, key));
            }
            if change.by != 0 || change.added_at.is_some() {
                changed.push((campaign, id, (change.by, change.first, change.added_at)));
            }
        }
        self.make_lanes(&new).await?;
        if !changed.is_empty() {
            self.change_lanes(&changed).await?;
        }
        for (campaign, (open, closed, at)) in std::mem::take(&mut self.lanes.cells) {
            for (cells, is_open) in [(open, true), (closed, false)] {
                self.write_cells(campaign, &cells, is_open, at).await?;
            }
        }
        Ok(())
    }

    /// Has the lanes of these cells reviewed, if the campaign calls.
    async fn write_cells(
        &mut self,
        (company_id, campaign_id): CampaignPlace,
        cells: &Cells,
        is_open: bool,
        at: Timestamp,
    ) -> Result<(), StorageError> {
        if cells.is_empty() {
            return Ok(());
        }
        let review = sqlx::query(
            "UPDATE campaign_lanes AS lane
             SET opens_at = NULL, closes_at = NULL, review_at = CASE WHEN queue.running THEN $4 END
             FROM campaign_queue AS queue
             WHERE lane.company_id = $1 AND lane.campaign_id = $2
                 AND queue.company_id = $1 AND queue.campaign_id = $2
                 AND string_to_array(lane.cells, ',') && string_to_array($3, ',')
                 AND (lane.opens_at IS NULL OR NOT $5)",
        )
        .bind(company_id.as_uuid())
        .bind(campaign_id.as_uuid())
        .bind(cells.to_string())
        .bind(at)
        .bind(is_open);
        self.execute(review).await?;
        Ok(())
    }

    async fn change_lanes(&mut self, changed: &[ChangedLane]) -> Result<(), StorageError> {
        let (companies, campaigns, ids) = all(changed);
        let by: Vec<i64> = changed.iter().map(|(.., (by, ..))| *by).collect();
        let first = || changed.iter().map(|(.., (_, first, _))| *first);
        let first_since: Vec<Option<Timestamp>> =
            first().map(|first| first.map(|(since, _)| since)).collect();
        let first_ids: Vec<Option<Uuid>> = first()
            .map(|first| first.map(|(_, id)| id.as_uuid()))
            .collect();
        let added_at: Vec<Option<Timestamp>> = changed.iter().map(|(.., (.., at))| *at).collect();
        let change = sqlx::query(include_str!("sql/change_lanes.sql"))
            .bind(companies)
            .bind(campaigns)
            .bind(ids)
            .bind(by)
            .bind(first_since)
            .bind(first_ids)
            .bind(added_at);
        self.execute(change).await?;
        Ok(())
    }

    async fn make_lanes(
        &mut self,
        lanes: &[(CampaignPlace, LaneId, LaneKey)],
    ) -> Result<(), StorageError> {
        if lanes.is_empty() {
            return Ok(());
        }
        let (companies, campaigns, ids) = all(lanes);
        let keys = || lanes.iter().map(|(.., key)| key);
        let priorities: Vec<i16> = keys().map(|key| key.priority).collect();
        let regions: Vec<Option<String>> = keys()
            .map(|key| key.region.map(|region| region.to_string()))
            .collect();
        let zones: Vec<String> = keys()
            .map(|key| call_tasks::zone_names(&key.time_zones).join(","))
            .collect();
        let make = sqlx::query(include_str!("sql/make_lanes.sql"))
            .bind(companies)
            .bind(campaigns)
            .bind(ids)
            .bind(priorities)
            .bind(regions)
            .bind(zones)
            .bind(keys().map(|key| key.cells.to_string()).collect::<Vec<_>>());
        self.execute(make).await?;
        Ok(())
    }

    /// The campaign's lanes, in the order in which they are called when all are open.
    pub(crate) async fn lanes_of(
        &mut self,
        company_id: Uuid,
        campaign_id: CampaignId,
    ) -> Result<Vec<Lane>, StorageError> {
        self.write_changes().await?;
        let select = sqlx::query(concat!(
            "SELECT ",
            columns!(),
            " FROM campaign_lanes
             WHERE company_id = $1 AND campaign_id = $2
             ORDER BY priority DESC, closes_at, lane_id"
        ));
        let select = select.bind(company_id).bind(campaign_id.as_uuid());
        let rows = self.rows(select).await?;
        rows.iter()
            .map(|row| stored_lane(row).map(|(_, lane)| lane))
            .collect()
    }
}

fn stored_lane(row: &PgRow) -> Result<(CampaignKey, Lane), StorageError> {
    let row = Reader::new("campaign_lanes", row);
    let zones: Vec<String> = row.get("time_zones")?;
    let zones: Result<Vec<TimeZone>, _> = zones.iter().map(|zone| zone.parse()).collect();
    let window = row.instant("opens_at")?.zip(row.instant("closes_at")?);
    let campaign = CampaignKey {
        company_id: row.id("company_id")?,
        campaign_id: row.id("campaign_id")?,
    };
    let lane = Lane {
        id: LaneId::from_bits(row.get("lane_id")?),
        key: LaneKey {
            priority: row.get("priority")?,
            region: row.optional_parsed("region")?,
            time_zones: zones.map_err(|error| row.corrupt(&error))?,
            cells: row.parsed("cells")?,
        },
        claimable: row.number("claimable")?,
        window: window.map(|(opens_at, closes_at)| Window {
            opens_at,
            closes_at,
        }),
        review_at: row.instant("review_at")?,
    };
    Ok((campaign, lane))
}

#[async_trait]
impl ReviewRows for PostgresUnitOfWork {
    async fn lanes_to_review(
        &mut self,
        now: Timestamp,
        at_most: u16,
    ) -> Result<Vec<(CampaignKey, Lane)>, StorageError> {
        // Lists are planned anew each time, because of their limit.
        let lock = "SELECT company_id FROM company_queue
             WHERE company_id IN (
                 SELECT company_id FROM (
                     SELECT company_id FROM campaign_lanes
                     WHERE review_at <= $1 ORDER BY review_at LIMIT $2
                 ) AS lane
             )
             ORDER BY company_id
             FOR NO KEY UPDATE";
        let lock = sqlx::query(lock).bind(now).bind(i64::from(at_most));
        let companies = self.rows(lock.persistent(false)).await?;
        let companies: Vec<Uuid> = companies
            .iter()
            .map(|row| Reader::new("company_queue", row).get("company_id"))
            .collect::<Result<_, _>>()?;
        if companies.is_empty() {
            return Ok(Vec::new());
        }
        let select = concat!(
            "SELECT ",
            columns!(),
            " FROM campaign_lanes
             WHERE review_at <= $1 AND company_id = ANY($2)
             ORDER BY review_at, company_id, campaign_id, lane_id
             LIMIT $3"
        );
        let select = sqlx::query(select)
            .bind(now)
            .bind(companies)
            .bind(i64::from(at_most));
        let rows = self.rows(select.persistent(false)).await?;
        rows.iter().map(stored_lane).collect()
    }

    async fn tasks_in_lane(
        &mut self,
        campaign: CampaignKey,
        lane: LaneId,
        at_most: u16,
    ) -> Result<Vec<CallTask>, StorageError> {
        // Whoever holds one of the rows may wait for the company, which we hold.
        let select = sqlx::query(concat!(
            "SELECT ",
            call_tasks::columns!(),
            " FROM call_tasks
             WHERE company_id = $1 AND campaign_id = $2 AND lane_id = $3
                 AND claimable_since IS NOT NULL
             ORDER BY claimable_since, id
             LIMIT $4
             FOR NO KEY UPDATE SKIP LOCKED"
        ))
        .bind(campaign.company_id.as_uuid())
        .bind(campaign.campaign_id.as_uuid())
        .bind(lane.to_bits())
        .bind(i64::from(at_most));
        let rows = self.rows(select.persistent(false)).await?;
        rows.iter().map(call_task).collect()
    }

    async fn write_window(
        &mut self,
        campaign: CampaignKey,
        lane: &Lane,
    ) -> Result<(), StorageError> {
        let update = sqlx::query(
            "UPDATE campaign_lanes SET opens_at = $4, closes_at = $5, review_at = $6
             WHERE company_id = $1 AND campaign_id = $2 AND lane_id = $3
             RETURNING claimable",
        )
        .bind(campaign.company_id.as_uuid())
        .bind(campaign.campaign_id.as_uuid())
        .bind(lane.id.to_bits())
        .bind(lane.window.map(|window| window.opens_at))
        .bind(lane.window.map(|window| window.closes_at))
        .bind(lane.review_at);
        let Some(row) = self.row(update).await? else {
            return Ok(());
        };
        let claimable: i64 = Reader::new("campaign_lanes", &row).get("claimable")?;
        if let Some(window) = lane.window.filter(|_| claimable > 0) {
            let place = (campaign.company_id, campaign.campaign_id);
            self.ready_list.tasks_are_due(place, window.opens_at);
        }
        Ok(())
    }
}
