//! The scheduler's duties: campaigns start and finish, and waiting tasks become claimable.
//!
//! Every duty can be repeated and done by two servers at once without harm: each change is made
//! under a lock, after looking again.

use std::num::NonZeroU16;
use std::sync::Arc;

use super::campaigns::freeze;
use super::error::ServiceError;
use crate::campaign::{CampaignEvent, CampaignStatus};
use crate::ports::{CampaignKey, Scope, Storage, StorageError, TaskQueue, WakeUp};
use crate::time::Clock;

/// Rows that one duty handles before the next duty gets its turn.
const BATCH: NonZeroU16 = NonZeroU16::new(1_000).unwrap();

/// Does what is due without anybody asking.
#[derive(Clone, Debug)]
pub struct Scheduler {
    storage: Arc<dyn Storage>,
    queue: Arc<dyn TaskQueue>,
    clock: Arc<dyn Clock>,
    wake_up: Arc<dyn WakeUp>,
}

impl Scheduler {
    /// Over a store and its queue.
    pub fn new(
        storage: Arc<dyn Storage>,
        queue: Arc<dyn TaskQueue>,
        clock: Arc<dyn Clock>,
        wake_up: Arc<dyn WakeUp>,
    ) -> Self {
        Self {
            storage,
            queue,
            clock,
            wake_up,
        }
    }

    /// Starts campaigns whose time has come, makes due tasks claimable and completes campaigns
    /// that are done. Returns how many rows moved.
    pub async fn tick(&self) -> Result<u64, ServiceError> {
        let mut moved = self.start_due().await?;
        let promoted = self.queue.promote_due(self.clock.now(), BATCH).await?;
        if promoted > 0 {
            self.wake_up.wake();
        }
        moved += promoted;
        moved += self.finish_done().await?;
        Ok(moved)
    }

    async fn start_due(&self) -> Result<u64, ServiceError> {
        let mut started = 0;
        for key in self
            .queue
            .campaigns_to_start(self.clock.now(), BATCH)
            .await?
        {
            let mut work = self.storage.begin(Scope::Company(key.company_id)).await?;
            let campaign = work.campaigns().get_for_update(key.campaign_id).await?;
            let Some(campaign) = campaign.filter(|found| found.status == CampaignStatus::Scheduled)
            else {
                continue;
            };
            let campaign = freeze(&mut *work, campaign, self.clock.as_ref()).await?;
            let Ok(running) = campaign.on(CampaignEvent::Start, self.clock.now()) else {
                continue;
            };
            work.campaigns().update(&running).await?;
            work.commit().await?;
            tracing::info!(campaign = %key.campaign_id, "campaign started");
            self.wake_up.wake();
            started += 1;
        }
        Ok(started)
    }

    async fn finish_done(&self) -> Result<u64, StorageError> {
        let mut finished = 0;
        for key in self.queue.campaigns_to_finish(BATCH).await? {
            finished += u64::from(self.finish(key).await?);
        }
        Ok(finished)
    }

    async fn finish(&self, key: CampaignKey) -> Result<bool, StorageError> {
        let mut work = self.storage.begin(Scope::Company(key.company_id)).await?;
        let Some(campaign) = work.campaigns().get_for_update(key.campaign_id).await? else {
            return Ok(false);
        };
        // Somebody may have uploaded more people since the campaign was found.
        let counters = work.campaigns().counters(key.campaign_id).await?;
        if counters.open_tasks() > 0 || counters.live_attempts() > 0 {
            return Ok(false);
        }
        let Ok(completed) = campaign.on(CampaignEvent::Finish, self.clock.now()) else {
            return Ok(false);
        };
        work.campaigns().update(&completed).await?;
        work.commit().await?;
        tracing::info!(campaign = %key.campaign_id, "campaign completed");
        Ok(true)
    }
}
