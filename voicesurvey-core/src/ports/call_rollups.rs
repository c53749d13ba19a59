//! What the calls of a campaign add up to over time.

use std::collections::BTreeMap;

use async_trait::async_trait;

use super::storage::StorageError;
use crate::call_rollup::RolledUp;
use crate::id::CampaignId;
use crate::time::Timestamp;

/// The sums of a campaign's calls. They are kept by the stores, with the calls; nothing here reads a
/// call, so it takes as long with millions of them. No sum is zero, and none are there for a campaign
/// of another company (I11).
#[async_trait]
pub trait CallRollupRepository: Send {
    /// Over the whole campaign.
    async fn totals(
        &mut self,
        campaign_id: CampaignId,
    ) -> Result<BTreeMap<RolledUp, i64>, StorageError>;
    /// Of the quarters that begin from `from` on and before `to`; without the ranges of durations.
    async fn quarters(
        &mut self,
        campaign_id: CampaignId,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<BTreeMap<(Timestamp, RolledUp), i64>, StorageError>;
}
