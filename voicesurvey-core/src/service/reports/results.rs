//! What the answers of a campaign add up to, and its rates.

use super::Reports;
use crate::api_key::Actor;
use crate::contact_record::{ContactFilter, RecordParts};
use crate::id::CampaignId;
use crate::rates::{Dispositions, Eligibility, Rates, Thresholds};
use crate::results::{Breakdown, BreakdownError, Results, Tally};
use crate::service::error::ServiceError;

fn breakdown_error(error: &BreakdownError) -> ServiceError {
    ServiceError::invalid("by", error.to_string())
}

impl Reports {
    /// What the answers of those whom the filter wants add up to, question by question, and the same
    /// for each of the groups that `by` tells apart. What is wrong with `by` is told under that name.
    ///
    /// Reads every record: it takes longer the more people there are, and its memory stays the same.
    pub async fn results(
        &self,
        actor: &Actor,
        id: CampaignId,
        filter: ContactFilter,
        by: Option<&Breakdown>,
    ) -> Result<Results, ServiceError> {
        let mut records = self
            .records(actor, id, filter, RecordParts::RESULTS)
            .await?;
        let campaign = records.campaign().clone();
        let settings = campaign.effective_settings();
        let questions = &settings.survey.questions;
        let mut tally = Tally::new(questions, settings.language, campaign.quota_cells(), by)
            .map_err(|error| breakdown_error(&error))?;
        while let Some(page) = records.next().await? {
            for record in &page {
                tally.add(record).map_err(|error| breakdown_error(&error))?;
            }
        }
        Ok(tally.finish())
    }

    /// The rates of those whom the filter wants. While the campaign runs, a case that is open counts
    /// with what is known so far. Answers are read only if thresholds are given.
    pub async fn rates(
        &self,
        actor: &Actor,
        id: CampaignId,
        filter: ContactFilter,
        eligibility: Eligibility,
        thresholds: Thresholds,
    ) -> Result<Rates, ServiceError> {
        let parts = RecordParts {
            interviews: thresholds.are_given(),
            ..RecordParts::ATTEMPTS
        };
        let mut records = self.records(actor, id, filter, parts).await?;
        let settings = records.campaign().effective_settings().clone();
        let questions = &settings.survey.questions;
        let mut dispositions = Dispositions::default();
        while let Some(page) = records.next().await? {
            for record in &page {
                dispositions.add(thresholds.case(questions, record));
            }
        }
        Ok(Rates::of(dispositions, eligibility))
    }
}
