//! What the claim remembers of companies and campaigns, so that it need not read their settings for
//! every call.
//!
//! The claim reads their versions with the tasks. What is remembered with an older version is read
//! again, so nothing that a claim sees is older than what the database told it a moment ago.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

use voicesurvey_core::campaign::Campaign;
use voicesurvey_core::company::Company;
use voicesurvey_core::id::{CampaignId, CompanyId};
use voicesurvey_core::ports::{CompanyRepository as _, StorageError};

use crate::counters::CampaignPlace;
use crate::unit_of_work::PostgresUnitOfWork;

/// Entities that are remembered at most, of each kind. Beyond that all are forgotten.
const MOST: usize = 1_000;

/// Companies and campaigns that were claimed for lately. Clones share them.
#[derive(Clone, Default)]
pub(crate) struct Known {
    companies: Remembered<CompanyId, Company>,
    campaigns: Remembered<CampaignId, Campaign>,
}

type Remembered<K, V> = Arc<Mutex<HashMap<K, Arc<V>>>>;

impl Known {
    /// The company, at least in that version.
    pub(crate) async fn company(
        &self,
        work: &mut PostgresUnitOfWork,
        id: CompanyId,
        version: u32,
    ) -> Result<Arc<Company>, StorageError> {
        if let Some(company) = get(&self.companies, &id)
            && company.version >= version
        {
            return Ok(company);
        }
        let company = work.get(id).await?.ok_or_else(|| gone("companies"))?;
        Ok(put(&self.companies, id, company))
    }

    /// The campaign, at least in that version.
    pub(crate) async fn campaign(
        &self,
        work: &mut PostgresUnitOfWork,
        (company_id, id): CampaignPlace,
        version: u32,
    ) -> Result<Arc<Campaign>, StorageError> {
        if let Some(campaign) = get(&self.campaigns, &id)
            && campaign.version >= version
        {
            return Ok(campaign);
        }
        let campaign = work.campaign_of(company_id, id).await?;
        let campaign = campaign.ok_or_else(|| gone("campaigns"))?;
        Ok(put(&self.campaigns, id, campaign))
    }
}

/// A claimed task keeps its campaign, and that its company.
fn gone(table: &'static str) -> StorageError {
    StorageError::Corrupt {
        table,
        what: "a claimed task has none".to_owned(),
    }
}

// OK to go on with a poisoned lock, here and below: every change is a single insertion.
fn get<K: Eq + Hash, V>(remembered: &Remembered<K, V>, key: &K) -> Option<Arc<V>> {
    let remembered = remembered.lock().unwrap_or_else(PoisonError::into_inner);
    remembered.get(key).map(Arc::clone)
}

fn put<K: Eq + Hash, V>(remembered: &Remembered<K, V>, key: K, value: V) -> Arc<V> {
    let mut remembered = remembered.lock().unwrap_or_else(PoisonError::into_inner);
    if remembered.len() >= MOST {
        remembered.clear();
    }
    let value = Arc::new(value);
    remembered.insert(key, Arc::clone(&value));
    value
}
