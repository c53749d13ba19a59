//! The scheduler's duties: campaigns start and finish, and waiting tasks become claimable.
//!
//! Every duty can be repeated and done by two servers at once without harm: each change is made
//! under a lock, after looking again.

use std::num::NonZeroU16;
use std::sync::Arc;

use super::campaigns::freeze;
use super::error::ServiceError;
use super::settlement::{end_waiting, stop_at_target, wind_up};
use crate::campaign::{CampaignEvent, CampaignStatus, PauseReason};
use crate::gate::Reason;
use crate::ports::{CampaignKey, Scope, Storage, StorageError, TaskQueue, WakeUp};
use crate::queue::claim::has_spent_its_budget;
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

    /// Starts campaigns whose time has come and makes due tasks claimable. Returns how many rows
    /// moved.
    pub async fn tick(&self) -> Result<u64, StorageError> {
        let mut started = 0;
        for key in self
            .queue
            .campaigns_to_start(self.clock.now(), BATCH)
            .await?
        {
            started += done(key, self.start(key).await);
        }
        let mut moved = started;
        for key in self.queue.campaigns_to_end(self.clock.now(), BATCH).await? {
            moved += done(key, self.wind_up(key).await);
        }
        for key in self.queue.campaigns_at_target(BATCH).await? {
            // Boxed, as it holds the campaign three times, and every step of the engine would.
            moved += done(key, Box::pin(self.stop_at_target(key)).await);
        }
        for key in self.queue.campaigns_to_pause(BATCH).await? {
            moved += done(key, self.pause_without_budget(key).await);
        }
        for key in self.queue.campaigns_to_empty(BATCH).await? {
            moved += done(key, self.empty(key).await);
        }
        let promoted = self.queue.promote_due(self.clock.now(), BATCH).await?;
        if started + promoted > 0 {
            self.wake_up.wake();
        }
        Ok(moved + promoted)
    }

    /// Completes campaigns that are done. Returns how many.
    pub async fn finish_done(&self) -> Result<u64, StorageError> {
        let mut finished = 0;
        for key in self.queue.campaigns_to_finish(BATCH).await? {
            finished += done(key, self.finish(key).await);
        }
        Ok(finished)
    }

    async fn start(&self, key: CampaignKey) -> Result<bool, ServiceError> {
        let mut work = self.storage.begin(Scope::Company(key.company_id)).await?;
        let campaign = work.campaigns().get_for_update(key.campaign_id).await?;
        let Some(campaign) = campaign.filter(|found| found.status == CampaignStatus::Scheduled)
        else {
            return Ok(false);
        };
        let campaign = freeze(&mut *work, campaign, self.clock.as_ref()).await?;
        let Ok(running) = campaign.on(CampaignEvent::Start, self.clock.now()) else {
            return Ok(false);
        };
        work.campaigns().update(&running).await?;
        work.commit().await?;
        tracing::info!(campaign = %key.campaign_id, "campaign started");
        Ok(true)
    }

    /// The end date has come: no further call is started.
    async fn wind_up(&self, key: CampaignKey) -> Result<bool, ServiceError> {
        let now = self.clock.now();
        let mut work = self.storage.begin(Scope::Company(key.company_id)).await?;
        let Some(campaign) = work.campaigns().get_for_update(key.campaign_id).await? else {
            return Ok(false);
        };
        let ends_at = campaign.effective_settings().schedule.ends_at;
        if campaign.winding_up.is_some() || ends_at.is_none_or(|ends_at| ends_at > now) {
            return Ok(false);
        }
        wind_up(&mut *work, campaign, Reason::CampaignEnded, now).await?;
        work.commit().await?;
        Ok(true)
    }

    /// As many people have answered as are wanted, and none of their interviews could wind the
    /// campaign up. If somebody still holds it, it is found again.
    async fn stop_at_target(&self, key: CampaignKey) -> Result<bool, ServiceError> {
        let mut work = self.storage.begin(Scope::Company(key.company_id)).await?;
        let Some(campaign) = work.campaigns().get(key.campaign_id).await? else {
            return Ok(false);
        };
        if !stop_at_target(&mut *work, &campaign, self.clock.now()).await? {
            return Ok(false);
        }
        work.commit().await?;
        Ok(true)
    }

    /// Pauses a campaign whose budget does not allow one more call.
    async fn pause_without_budget(&self, key: CampaignKey) -> Result<bool, ServiceError> {
        let mut work = self.storage.begin(Scope::Company(key.company_id)).await?;
        let Some(campaign) = work.campaigns().get_for_update(key.campaign_id).await? else {
            return Ok(false);
        };
        let counters = work.campaigns().counters(key.campaign_id).await?;
        if !has_spent_its_budget(&campaign, &counters) {
            return Ok(false);
        }
        let now = self.clock.now();
        let Ok(paused) = campaign.on(CampaignEvent::Pause(PauseReason::Budget), now) else {
            return Ok(false);
        };
        work.campaigns().update(&paused).await?;
        work.commit().await?;
        tracing::warn!(campaign = %key.campaign_id, "campaign paused: its budget is used up");
        Ok(true)
    }

    /// Ends tasks that wait in a campaign that calls nobody any more.
    async fn empty(&self, key: CampaignKey) -> Result<bool, ServiceError> {
        let mut work = self.storage.begin(Scope::Company(key.company_id)).await?;
        let Some(campaign) = work.campaigns().get_for_update(key.campaign_id).await? else {
            return Ok(false);
        };
        if !campaign.status.is_final() && campaign.winding_up.is_none() {
            return Ok(false);
        }
        let reason = campaign.winding_up.unwrap_or(Reason::CampaignEnded);
        let ended = end_waiting(&mut *work, key.campaign_id, reason, self.clock.now()).await?;
        work.commit().await?;
        Ok(ended > 0)
    }

    async fn finish(&self, key: CampaignKey) -> Result<bool, ServiceError> {
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

/// One row moved, or none. A campaign that cannot be moved now must not keep the others waiting: it
/// is tried again by the next step.
fn done(key: CampaignKey, result: Result<bool, ServiceError>) -> u64 {
    match result {
        Ok(moved) => u64::from(moved),
        Err(error) => {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(campaign = %key.campaign_id, error, "a campaign was not moved");
            0
        }
    }
}
