//! The ready list: one narrow row for each company and each campaign (`core::queue` says what they
//! mean), moved by what a unit of work changes.
//!
//! The row of a company is always locked before those of its campaigns, as the claim does it.

use std::collections::BTreeMap;

use uuid::Uuid;
use voicesurvey_core::campaign::{Campaign, CampaignStatus, Pacing};
use voicesurvey_core::company::{Company, CompanyLimits};
use voicesurvey_core::id::{CampaignId, CompanyId};
use voicesurvey_core::ports::StorageError;
use voicesurvey_core::time::Timestamp;

use crate::counters::CampaignPlace;
use crate::unit_of_work::PostgresUnitOfWork;

/// What a unit of work has still to change in the ready list.
#[derive(Debug, Default)]
pub(crate) struct ReadyListChanges(BTreeMap<CompanyId, CompanyChange>);

#[derive(Debug, Default)]
struct CompanyChange {
    limits: Option<CompanyLimits>,
    wake_at: Option<Timestamp>,
    campaigns: BTreeMap<CampaignId, CampaignChange>,
}

#[derive(Debug, Default)]
struct CampaignChange {
    mode: Option<Mode>,
    /// Lines that were given back.
    freed: i64,
    /// Only followed when the campaign runs.
    wake_at: Option<Timestamp>,
}

/// Whether a campaign runs, since when, and how fast.
#[derive(Clone, Copy, Debug)]
struct Mode {
    running: bool,
    since: Timestamp,
    pacing: Pacing,
}

impl ReadyListChanges {
    /// The company has other limits, which may leave more room.
    pub(crate) fn limits_changed(&mut self, company: &Company) {
        let change = self.0.entry(company.id).or_default();
        change.limits = Some(company.limits);
        // A company knows no other instant, and any in the past means "at once".
        change.wake(company.created_at);
    }

    /// The campaign was written: it is ready when it runs, and not visited when it does not.
    pub(crate) fn campaign_written(&mut self, campaign: &Campaign) {
        let running = campaign.status == CampaignStatus::Running;
        let change = self.0.entry(campaign.company_id).or_default();
        if running {
            change.wake(campaign.updated_at);
        }
        change.campaigns.entry(campaign.id).or_default().mode = Some(Mode {
            running,
            since: campaign.updated_at,
            pacing: campaign.effective_settings().pacing,
        });
    }

    /// Tasks of the campaign can be claimed from `at` on.
    pub(crate) fn tasks_are_due(
        &mut self,
        (company_id, campaign_id): CampaignPlace,
        at: Timestamp,
    ) {
        let change = self.0.entry(company_id).or_default();
        earliest(
            &mut change.campaigns.entry(campaign_id).or_default().wake_at,
            at,
        );
    }

    /// An attempt of the campaign has ended: its line is free again in campaign and company.
    pub(crate) fn line_is_free(&mut self, (company_id, campaign_id): CampaignPlace, at: Timestamp) {
        let company = self.0.entry(company_id).or_default();
        company.wake(at);
        let campaign = company.campaigns.entry(campaign_id).or_default();
        campaign.freed += 1;
        earliest(&mut campaign.wake_at, at);
    }
}

impl CompanyChange {
    fn wake(&mut self, at: Timestamp) {
        earliest(&mut self.wake_at, at);
    }
}

fn earliest(known: &mut Option<Timestamp>, at: Timestamp) {
    *known = Some(known.map_or(at, |known| known.min(at)));
}

impl PostgresUnitOfWork {
    /// Carries the changes out.
    pub(crate) async fn write_ready_list(&mut self) -> Result<(), StorageError> {
        for (company_id, change) in std::mem::take(&mut self.ready_list.0) {
            self.change_company(company_id, &change).await?;
            for (campaign_id, change) in change.campaigns {
                self.change_campaign((company_id, campaign_id), &change)
                    .await?;
            }
        }
        Ok(())
    }

    async fn change_company(
        &mut self,
        company_id: CompanyId,
        change: &CompanyChange,
    ) -> Result<(), StorageError> {
        let campaigns = &change.campaigns;
        let freed: i64 = campaigns.values().map(|campaign| campaign.freed).sum();
        let woken: Vec<Uuid> = campaigns
            .iter()
            .filter(|(_, campaign)| campaign.wake_at.is_some())
            .map(|(id, _)| id.as_uuid())
            .collect();
        let wake_if_running = campaigns
            .values()
            .filter_map(|campaign| campaign.wake_at)
            .min();
        // LEAST passes over nulls.
        let update = sqlx::query(
            "UPDATE company_queue
             SET in_flight = in_flight - $2,
                 ready_at = LEAST(ready_at, $3, CASE WHEN EXISTS (
                     SELECT FROM campaign_queue
                     WHERE company_id = $1 AND campaign_id = ANY($5) AND running
                 ) THEN $4 END),
                 max_concurrent_calls = COALESCE($6, max_concurrent_calls),
                 calls_per_minute = COALESCE($7, calls_per_minute)
             WHERE company_id = $1",
        )
        .bind(company_id.as_uuid())
        .bind(freed)
        .bind(change.wake_at)
        .bind(wake_if_running)
        .bind(woken)
        .bind(
            change
                .limits
                .map(|limits| i64::from(limits.max_concurrent_calls)),
        )
        .bind(
            change
                .limits
                .map(|limits| i64::from(limits.calls_per_minute)),
        );
        self.execute(update).await?;
        Ok(())
    }

    async fn change_campaign(
        &mut self,
        (company_id, campaign_id): CampaignPlace,
        change: &CampaignChange,
    ) -> Result<(), StorageError> {
        if let Some(mode) = change.mode {
            let update = sqlx::query(
                "UPDATE campaign_queue
                 SET running = $3,
                     ready_at = CASE WHEN $3 THEN $4 END,
                     max_concurrent_calls = $5,
                     calls_per_minute = $6,
                     seconds_between_calls = $7
                 WHERE company_id = $1 AND campaign_id = $2",
            )
            .bind(company_id.as_uuid())
            .bind(campaign_id.as_uuid())
            .bind(mode.running)
            .bind(mode.since)
            .bind(i64::from(mode.pacing.max_concurrent_calls))
            .bind(i64::from(mode.pacing.pace.calls_per_minute))
            .bind(i64::from(mode.pacing.pace.seconds_between_calls));
            self.execute(update).await?;
        }
        if change.freed == 0 && change.wake_at.is_none() {
            return Ok(());
        }
        let update = sqlx::query(
            "UPDATE campaign_queue
             SET in_flight = in_flight - $3,
                 ready_at = CASE WHEN running THEN LEAST(ready_at, $4) END
             WHERE company_id = $1 AND campaign_id = $2",
        )
        .bind(company_id.as_uuid())
        .bind(campaign_id.as_uuid())
        .bind(change.freed)
        .bind(change.wake_at);
        self.execute(update).await?;
        Ok(())
    }
}
