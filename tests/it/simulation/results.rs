//! What is left at the end of a run: what every task came to, and what really rang.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use voicesurvey::call_task::TaskStatus;
use voicesurvey::campaign::CampaignStatus;
use voicesurvey::id::{CampaignId, CompanyId};
use voicesurvey::outcome::Outcome;
use voicesurvey::phone_number::PhoneNumber;
use voicesurvey::ports::repositories::{CallTaskFilter, CampaignCounters};
use voicesurvey::ports::{PageRequest, Scope, Storage};
use voicesurvey::simulator::Ring;
use voicesurvey::time::Timestamp;

use super::run::Drive;
use super::shared::Shared;
use super::world::Tenant;

/// What a task came to.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fate {
    pub(super) status: TaskStatus,
    pub(super) outcome: Option<Outcome>,
    pub(super) attempts: u16,
    pub(super) spent: u16,
}

/// Everything that two stores, or two ways to the same end, must agree on.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Results {
    pub(super) campaigns: BTreeMap<CampaignId, (CampaignStatus, CampaignCounters)>,
    pub(super) fates: BTreeMap<(CampaignId, PhoneNumber), Fate>,
    pub(super) excluded: BTreeSet<(CompanyId, PhoneNumber)>,
}

impl Results {
    pub(super) fn read(drive: &Drive<'_>, storage: &Arc<dyn Storage>, tenants: &[Tenant]) -> Self {
        let mut results = Self::default();
        for tenant in tenants {
            drive.finish(results.add(storage, tenant.actor.company_id));
        }
        results
    }

    async fn add(&mut self, storage: &Arc<dyn Storage>, company_id: CompanyId) {
        let page = PageRequest::first(PageRequest::LARGEST);
        let mut work = storage.begin(Scope::Company(company_id)).await.unwrap();
        for campaign in work.campaigns().list(None, &page).await.unwrap().rows {
            let counters = work.campaigns().counters(campaign.id).await.unwrap();
            self.campaigns
                .insert(campaign.id, (campaign.status, counters));
        }
        let everything = CallTaskFilter::default();
        for task in work
            .call_tasks()
            .list(&everything, &page)
            .await
            .unwrap()
            .rows
        {
            let fate = Fate {
                status: task.state.status(),
                outcome: task.outcome,
                attempts: task.attempts_count,
                spent: task.attempts_spent,
            };
            self.fates
                .insert((task.campaign_id, task.contact.phone_number), fate);
        }
        for exclusion in work.exclusions().list(&page).await.unwrap().rows {
            self.excluded.insert((company_id, exclusion.phone_number));
        }
    }

    /// I7: every task of a campaign that was started has ended.
    pub(super) fn broken(&self) -> Option<String> {
        let stuck = self.fates.iter().find(|((campaign, _), fate)| {
            !fate.status.is_final() && self.campaigns[campaign].0 != CampaignStatus::Draft
        });
        stuck.map(|((campaign, number), fate)| {
            format!("I7: {} of {campaign} is stuck: {fate:?}", number.as_str())
        })
    }
}

/// I3 and I5, as the telephones saw it.
pub(super) fn of_rings(rings: &[Ring], shared: &Shared) -> Option<String> {
    let state = shared.state();
    let judge = state.judge.as_ref()?;
    for (index, ring) in rings.iter().enumerate() {
        let number = ring.phone_number.as_str();
        for other in &rings[..index] {
            if other.attempt_id == ring.attempt_id {
                return Some(format!("I3: {number} rang twice for one attempt"));
            }
            let same_person =
                other.company_id == ring.company_id && other.phone_number == ring.phone_number;
            if same_person && other.overlaps(ring) {
                let (one, two) = (other.placed_at, ring.placed_at);
                return Some(format!(
                    "I3: {number} rang twice at once, at {one} and {two}"
                ));
            }
        }
        if !judge.attempts.contains_key(&ring.attempt_id) {
            return Some(format!("I2: {number} rang for no committed attempt"));
        }
        let most = judge.most_lines(ring.company_id);
        let lines = lines_at(rings, ring.company_id, ring.placed_at);
        if lines > most as usize {
            return Some(format!(
                "I5: {lines} telephones rang when {number} did at {}, and {most} may",
                ring.placed_at
            ));
        }
    }
    None
}

/// How many lines of a company were in use just after that instant.
fn lines_at(rings: &[Ring], company_id: CompanyId, at: Timestamp) -> usize {
    let in_use = |ring: &&Ring| {
        ring.company_id == company_id
            && ring.placed_at <= at
            && ring.ended_at.is_none_or(|ended_at| ended_at > at)
    };
    rings.iter().filter(in_use).count()
}
