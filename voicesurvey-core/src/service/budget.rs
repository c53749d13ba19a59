//! Prices that come late: what they leave of a budget is spent on further calls.
//!
//! A campaign whose calls are over is paused when the estimates of those not priced yet use the
//! budget up. It goes on by itself when their prices turn out lower; one that was paused for another
//! reason, or by hand, stays paused.

use std::collections::BTreeSet;

use crate::campaign::{Campaign, CampaignEvent, CampaignStatus, PauseReason};
use crate::id::CampaignId;
use crate::ports::{StorageError, UnitOfWork};
use crate::queue::claim::calls_within_budget;
use crate::time::Timestamp;

/// Those of the campaigns whose budget allows no call, as far as is known before the prices of this
/// unit of work are stored.
pub(super) async fn without_budget(
    work: &mut dyn UnitOfWork,
    campaigns: BTreeSet<CampaignId>,
) -> Result<Vec<CampaignId>, StorageError> {
    let mut without = Vec::new();
    for id in campaigns {
        let campaign = work.campaigns().get(id).await?;
        let Some(campaign) = campaign.filter(Campaign::has_budget) else {
            continue;
        };
        let counters = work.campaigns().counters(id).await?;
        if calls_within_budget(&campaign, &counters) == Some(0) {
            without.push(id);
        }
    }
    Ok(without)
}

/// Resumes the campaign if it was paused for want of budget and the prices of this unit of work,
/// which are stored, leave enough for a call.
///
/// The campaign is locked even if it still runs: the scheduler may be pausing it at this moment, and
/// may not see these prices.
pub(super) async fn resume_within_budget(
    work: &mut dyn UnitOfWork,
    id: CampaignId,
    now: Timestamp,
) -> Result<(), StorageError> {
    let Some(campaign) = work.campaigns().get_for_update(id).await? else {
        return Ok(());
    };
    let counters = work.campaigns().counters(id).await?;
    if campaign.status != CampaignStatus::Paused(PauseReason::Budget)
        || calls_within_budget(&campaign, &counters) == Some(0)
    {
        return Ok(());
    }
    let Ok(resumed) = campaign.on(CampaignEvent::Resume, now) else {
        return Ok(());
    };
    work.campaigns().update(&resumed).await?;
    tracing::info!(campaign = %id, "campaign resumed: its calls cost less than was expected");
    Ok(())
}
