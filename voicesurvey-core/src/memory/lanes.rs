//! Lanes: how many of their tasks are claimable, and when they are reviewed.

use std::cmp::Reverse;

use async_trait::async_trait;

use super::MemoryUnitOfWork;
use super::rows::{CampaignLevel, LaneRow, TaskRow};
use super::table::Transaction;
use crate::call_task::CallTask;
use crate::campaign::Campaign;
use crate::id::{CampaignId, CompanyId};
use crate::ports::{CampaignKey, StorageError};
use crate::queue::lane::{Lane, LaneId, ReviewRows};
use crate::quota::CellNews;
use crate::time::Timestamp;

impl Transaction {
    /// The lane in which a task waits; made if there is none yet.
    pub(super) fn lane_of(&mut self, task: &CallTask) -> LaneId {
        if let Some(row) = self.get::<TaskRow>(&task.id)
            && row.task.contact == task.contact
            && row.task.cells == task.cells
        {
            return row.lane;
        }
        let key = task.lane();
        let id = key.id();
        if !self.has::<LaneRow>(&(task.campaign_id, id)) {
            self.put(LaneRow {
                company_id: task.company_id,
                campaign_id: task.campaign_id,
                lane: Lane {
                    id,
                    key,
                    claimable: 0,
                    window: None,
                    review_at: None,
                },
            });
        }
        id
    }

    /// One more of the lane's tasks is claimable: a visit is worth while, and a lane of which
    /// nobody knows when it opens is to be looked at.
    pub(super) fn add_claimable(&mut self, campaign_id: CampaignId, id: LaneId, now: Timestamp) {
        let calling = self
            .get::<CampaignLevel>(&campaign_id)
            .is_some_and(|row| row.running);
        self.change_lane(campaign_id, id, |lane| {
            lane.claimable += 1;
            if calling && lane.window.is_none() {
                lane.review_at = Some(lane.review_at.map_or(now, |at| at.min(now)));
            }
        });
        self.wake(campaign_id, now);
    }

    /// One of the lane's tasks is not claimable any more.
    pub(super) fn remove_claimable(&mut self, campaign_id: CampaignId, id: LaneId) {
        self.change_lane(campaign_id, id, |lane| {
            lane.claimable = lane.claimable.saturating_sub(1);
        });
    }

    fn change_lane(&mut self, campaign_id: CampaignId, id: LaneId, change: impl FnOnce(&mut Lane)) {
        if let Some(row) = self.get::<LaneRow>(&(campaign_id, id)) {
            let mut row = row.clone();
            change(&mut row.lane);
            self.put(row);
        }
    }

    /// The windows follow from the campaign, which was written.
    pub(super) fn review_lanes_of(&mut self, campaign: &Campaign) {
        let review_at = campaign.is_calling().then_some(campaign.updated_at);
        let lanes: Vec<LaneRow> = self.lanes(campaign.id).cloned().collect();
        for mut row in lanes {
            row.lane.window = None;
            row.lane.review_at = review_at;
            self.put(row);
        }
    }

    /// The places in some cells were taken or given back.
    pub(super) fn review_cells(&mut self, campaign_id: CampaignId, news: CellNews<'_>) {
        let level = self.get::<CampaignLevel>(&campaign_id);
        let review_at = level.filter(|row| row.running).map(|_| news.now);
        let is_meant = |row: &&LaneRow| {
            let mut cells = row.lane.key.cells.iter();
            let is_closed = row.lane.window.is_none();
            cells.any(|cell| news.cells.contains(cell)) && (is_closed || !news.is_open)
        };
        let lanes: Vec<LaneRow> = self.lanes(campaign_id).filter(is_meant).cloned().collect();
        for mut row in lanes {
            row.lane.window = None;
            row.lane.review_at = review_at;
            self.put(row);
        }
    }

    /// The campaign's lanes.
    pub(super) fn lanes(&self, campaign_id: CampaignId) -> impl Iterator<Item = &LaneRow> {
        let first = (campaign_id, LaneId::from_bits(i64::MIN));
        self.table::<LaneRow>()
            .range(first..)
            .take_while(move |row| row.campaign_id == campaign_id)
    }

    /// The campaign's lanes in the order in which they are called.
    pub(super) fn lanes_in_order(&self, campaign_id: CampaignId) -> Vec<&Lane> {
        let mut lanes: Vec<&Lane> = self.lanes(campaign_id).map(|row| &row.lane).collect();
        lanes.sort_by_key(|lane| {
            let closes_at = lane.window.map(|window| window.closes_at);
            (
                Reverse(lane.key.priority),
                closes_at.is_none(),
                closes_at,
                lane.id,
            )
        });
        lanes
    }

    /// The lane's claimable tasks, the one that is due first first.
    pub(super) fn claimable(
        &self,
        campaign_id: CampaignId,
        lane: LaneId,
    ) -> impl Iterator<Item = &CallTask> {
        let tasks = self.table::<TaskRow>();
        let first = (
            campaign_id,
            lane,
            Timestamp::MIN_UTC,
            super::rows::first_id(),
        );
        tasks
            .index()
            .claimable
            .range(first..)
            .take_while(move |(of, in_lane, ..)| *of == campaign_id && *in_lane == lane)
            .filter_map(|(_, _, _, id)| tasks.get(id))
            .map(|row| &row.task)
    }

    /// Forgets the lanes of a campaign that is removed.
    pub(super) fn remove_lanes(&mut self, campaign_id: CampaignId) {
        let first = (campaign_id, LaneId::from_bits(i64::MIN));
        self.remove_while::<LaneRow>(first, |row| row.campaign_id == campaign_id);
    }
}

#[async_trait]
impl ReviewRows for MemoryUnitOfWork {
    async fn lanes_to_review(
        &mut self,
        now: Timestamp,
        at_most: u16,
    ) -> Result<Vec<(CampaignKey, Lane)>, StorageError> {
        let lanes = self.transaction.table::<LaneRow>();
        let due = lanes
            .index()
            .iter()
            .take_while(|(review_at, ..)| *review_at <= now)
            .take(at_most.into());
        Ok(due
            .filter_map(|(_, campaign_id, id)| lanes.get(&(*campaign_id, *id)))
            .map(|row| (key(row.company_id, row.campaign_id), row.lane.clone()))
            .collect())
    }

    async fn tasks_in_lane(
        &mut self,
        campaign: CampaignKey,
        lane: LaneId,
        at_most: u16,
    ) -> Result<Vec<CallTask>, StorageError> {
        let tasks = self.transaction.claimable(campaign.campaign_id, lane);
        Ok(tasks.take(at_most.into()).cloned().collect())
    }

    async fn write_window(
        &mut self,
        campaign: CampaignKey,
        lane: &Lane,
    ) -> Result<(), StorageError> {
        let mut claimable = 0;
        self.transaction
            .change_lane(campaign.campaign_id, lane.id, |stored| {
                stored.window = lane.window;
                stored.review_at = lane.review_at;
                claimable = stored.claimable;
            });
        if let Some(window) = lane.window.filter(|_| claimable > 0) {
            self.transaction.wake(campaign.campaign_id, window.opens_at);
        }
        Ok(())
    }
}

fn key(company_id: CompanyId, campaign_id: CampaignId) -> CampaignKey {
    CampaignKey {
        company_id,
        campaign_id,
    }
}
