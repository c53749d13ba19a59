//! The mistake of counting first and claiming afterwards, planted on purpose.

use super::super::rows::{CampaignLevel, CompanyLevel};
use super::super::table::Transaction;
use super::MemoryStorage;
use crate::planted::{self, Bug};

/// The levels as they were before others had their turn.
pub(super) type Counted = (Vec<CompanyLevel>, Vec<CampaignLevel>);

impl MemoryStorage {
    pub(super) async fn counted_before(&self) -> Counted {
        if !planted::is(Bug::CountThenClaim) {
            return Counted::default();
        }
        let rows = self.transaction().await;
        let companies = rows.table::<CompanyLevel>().range(..).copied().collect();
        let campaigns = rows.table::<CampaignLevel>().range(..).copied().collect();
        drop(rows);
        planted::yield_once().await;
        (companies, campaigns)
    }
}

impl Transaction {
    pub(super) fn put_counted(&mut self, (companies, campaigns): Counted) {
        for row in companies {
            self.put(row);
        }
        for row in campaigns {
            self.put(row);
        }
    }
}
