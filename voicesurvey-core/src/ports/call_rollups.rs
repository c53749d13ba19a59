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
    /// Over the whole campaign: calls by their number within the contact, the seconds and the ranges of
    /// talk, the ranges of replies. Calls by outcome and costs are among the counters of the campaign.
    async fn totals(
        &mut self,
        campaign_id: CampaignId,
    ) -> Result<BTreeMap<RolledUp, i64>, StorageError>;
    /// Of sections of time, each from one of `starts` to the next one, the last to `to`: calls by outcome,
    /// seconds of talk, costs. Each is of the quarters that begin in it, and named by its start.
    /// `starts` must be in order. Nothing is told of sections without calls.
    async fn sections(
        &mut self,
        campaign_id: CampaignId,
        starts: &[Timestamp],
        to: Timestamp,
    ) -> Result<BTreeMap<(Timestamp, RolledUp), i64>, StorageError>;
}
