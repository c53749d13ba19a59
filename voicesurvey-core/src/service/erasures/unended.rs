//! Campaigns that have not ended, and keep for so long what retention counts from their end.

use chrono::TimeDelta;

use super::Erasures;
use crate::api_key::Actor;
use crate::campaign::Campaign;
use crate::erasure::Retention;
use crate::ports::{PageRequest, Scope};
use crate::service::ServiceError;

/// The statuses of campaigns that have not ended.
const UNENDED: [&str; 4] = ["draft", "scheduled", "running", "paused"];

/// A campaign that would have been forgotten if it had ended when it was created.
#[derive(Clone, Debug, PartialEq)]
pub struct UnendedCampaign {
    /// The campaign.
    pub campaign: Campaign,
    /// How many contacts are kept with it.
    pub contacts: u64,
}

impl Erasures {
    /// The company's campaigns that are older than what it keeps after their end, and have not ended:
    /// nothing of them is forgotten before somebody ends or removes them. By status, newest first.
    pub async fn kept_until_ended(
        &self,
        actor: &Actor,
        retention: Retention,
    ) -> Result<Vec<UnendedCampaign>, ServiceError> {
        let days = [retention.answer_days, retention.contact_days];
        let Some(days) = days.into_iter().flatten().min() else {
            return Ok(Vec::new());
        };
        let before = self.clock.now() - TimeDelta::days(days.get().into());
        let mut work = self.storage.begin(Scope::Company(actor.company_id)).await?;
        let mut kept = Vec::new();
        for status in UNENDED {
            let mut page = PageRequest {
                at_most: PageRequest::LARGEST,
                ..PageRequest::default()
            };
            loop {
                let found = work.campaigns().list(Some(status), &page).await?;
                for campaign in found.rows {
                    if campaign.created_at < before {
                        let counters = work.campaigns().counters(campaign.id).await?;
                        let contacts = counters.tasks.values().sum();
                        kept.push(UnendedCampaign { campaign, contacts });
                    }
                }
                let Some(next) = found.next else {
                    break;
                };
                page.after = Some(next);
            }
        }
        Ok(kept)
    }
}
