//! The sums of calls over time.

use std::collections::BTreeMap;

use async_trait::async_trait;

use super::MemoryUnitOfWork;
use super::rows::RollupRow;
use super::table::Transaction;
use crate::call_attempt::CallAttempt;
use crate::call_rollup::{RolledCall, RolledUp, RollupChanges, WHOLE_CAMPAIGN};
use crate::campaign::Campaign;
use crate::id::CampaignId;
use crate::ports::{CallRollupRepository, StorageError};
use crate::time::Timestamp;

/// Comes before every sum of a campaign.
const FIRST: (Timestamp, RolledUp) = (Timestamp::MIN_UTC, RolledUp::Outcome(None));

impl Transaction {
    /// Moves the sums from what a call was to what it is.
    pub(super) fn roll_up(&mut self, before: Option<&CallAttempt>, after: &CallAttempt) {
        let mut changes = RollupChanges::default();
        let before = before.map(RolledCall::from);
        changes.call_changed(before.as_ref(), after);
        for ((_, campaign_id, quarter, sum), by) in changes.take() {
            let key = (campaign_id, quarter, sum);
            let known = self.get::<RollupRow>(&key).map_or(0, |row| row.value);
            let value = known.saturating_add(by);
            if value == 0 {
                self.remove::<RollupRow>(key);
            } else {
                self.put(RollupRow { key, value });
            }
        }
    }

    /// Removes the sums of a campaign.
    pub(super) fn remove_rollups(&mut self, campaign_id: CampaignId) {
        let first = (campaign_id, FIRST.0, FIRST.1);
        self.remove_while::<RollupRow>(first, |row| row.key.0 == campaign_id);
    }

    /// The sums of a campaign, in order.
    pub(super) fn rollups(&self, campaign_id: CampaignId) -> impl Iterator<Item = &RollupRow> {
        let rows = self.table::<RollupRow>();
        rows.range((campaign_id, FIRST.0, FIRST.1)..)
            .take_while(move |row| row.key.0 == campaign_id)
    }
}

impl MemoryUnitOfWork {
    fn sees_campaign(&self, id: CampaignId) -> bool {
        let campaign = self.transaction.get::<Campaign>(&id);
        campaign.is_some_and(|campaign| self.sees(campaign.company_id))
    }
}

#[async_trait]
impl CallRollupRepository for MemoryUnitOfWork {
    async fn totals(
        &mut self,
        campaign_id: CampaignId,
    ) -> Result<BTreeMap<RolledUp, i64>, StorageError> {
        if !self.sees_campaign(campaign_id) {
            return Ok(BTreeMap::new());
        }
        let rows = self.transaction.rollups(campaign_id);
        let totals = rows.filter(|row| row.key.1 == WHOLE_CAMPAIGN);
        Ok(totals.map(|row| (row.key.2.clone(), row.value)).collect())
    }

    async fn sections(
        &mut self,
        campaign_id: CampaignId,
        starts: &[Timestamp],
        to: Timestamp,
    ) -> Result<BTreeMap<(Timestamp, RolledUp), i64>, StorageError> {
        let mut sections: BTreeMap<(Timestamp, RolledUp), i64> = BTreeMap::new();
        if self.sees_campaign(campaign_id) {
            for row in self.transaction.rollups(campaign_id) {
                let (_, quarter, sum) = &row.key;
                let next = starts.partition_point(|start| start <= quarter);
                let start = next.checked_sub(1).map(|index| starts[index]);
                if let Some(start) = start.filter(|_| *quarter != WHOLE_CAMPAIGN && *quarter < to) {
                    *sections.entry((start, sum.clone())).or_default() += row.value;
                }
            }
        }
        sections.retain(|_, value| *value != 0);
        Ok(sections)
    }
}
