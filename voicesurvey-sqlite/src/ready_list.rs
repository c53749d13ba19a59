//! The rows of the ready list, `provider_queue`, `company_queue` and `campaign_queue`: what the
//! repositories change in them. The claim's own side is in `task_queue/claim_rows.rs`.
//!
//! `in_flight` equals the live attempts at the end of every unit of work (I12), and a campaign that
//! does not call is never ready.

use voicesurvey_core::campaign::{Campaign, Pacing};
use voicesurvey_core::company::{Company, CompanyLimits};
use voicesurvey_core::id::CompanyId;
use voicesurvey_core::ports::{CampaignKey, StorageError};
use voicesurvey_core::time::Timestamp;

use crate::row::micros;
use crate::unit_of_work::SqliteUnitOfWork;

impl SqliteUnitOfWork {
    pub(crate) async fn insert_company_queue(
        &mut self,
        company: &Company,
    ) -> Result<(), StorageError> {
        let insert = sqlx::query(
            "INSERT INTO company_queue
                 (company_id, ready_at, in_flight, max_concurrent_calls, calls_per_minute, arrival)
             VALUES (?1, NULL, 0, ?2, ?3, ?4)",
        )
        .bind(company.id.as_uuid())
        .bind(company.limits.max_concurrent_calls)
        .bind(company.limits.calls_per_minute)
        .bind(micros(company.created_at));
        self.execute(insert).await?;
        Ok(())
    }

    /// Sets a company's limits. Higher ones may let calls start that nothing else would wake.
    pub(crate) async fn limit_company(
        &mut self,
        company_id: CompanyId,
        limits: CompanyLimits,
    ) -> Result<(), StorageError> {
        let update = sqlx::query(
            "UPDATE company_queue SET max_concurrent_calls = ?2, calls_per_minute = ?3
             WHERE company_id = ?1",
        )
        .bind(company_id.as_uuid())
        .bind(limits.max_concurrent_calls)
        .bind(limits.calls_per_minute);
        self.execute(update).await?;
        self.look_again_at_company(company_id).await
    }

    /// Puts a company back on the ready list where the earliest of its campaigns stands.
    async fn look_again_at_company(&mut self, company_id: CompanyId) -> Result<(), StorageError> {
        let update = sqlx::query(
            "UPDATE company_queue
             SET ready_at = (SELECT min(ready_at) FROM campaign_queue
                             WHERE company_id = ?1 AND ready_at IS NOT NULL)
             WHERE company_id = ?1",
        )
        .bind(company_id.as_uuid());
        self.execute(update).await?;
        Ok(())
    }

    /// Brings a campaign's row in line with the campaign: limits of its effective settings, and
    /// ready at its `updated_at` if it calls. Lines in use and pace stay.
    pub(crate) async fn put_campaign_queue(
        &mut self,
        campaign: &Campaign,
    ) -> Result<(), StorageError> {
        let calling = campaign.is_calling();
        let ready_at = calling.then_some(campaign.updated_at);
        let pacing = campaign.effective_settings().pacing;
        let put = sqlx::query(
            "INSERT INTO campaign_queue
                 (company_id, campaign_id, calling, ready_at, in_flight, max_concurrent_calls,
                  calls_per_minute, seconds_between_calls, arrival)
             VALUES (?1, ?2, ?3, ?4, 0, ?5, ?6, ?7, ?8)
             ON CONFLICT (company_id, campaign_id) DO UPDATE
             SET calling = excluded.calling, ready_at = excluded.ready_at,
                 max_concurrent_calls = excluded.max_concurrent_calls,
                 calls_per_minute = excluded.calls_per_minute,
                 seconds_between_calls = excluded.seconds_between_calls",
        )
        .bind(campaign.company_id.as_uuid())
        .bind(campaign.id.as_uuid())
        .bind(calling)
        .bind(ready_at.map(micros))
        .bind(pacing.max_concurrent_calls)
        .bind(pacing.pace.calls_per_minute)
        .bind(pacing.pace.seconds_between_calls)
        .bind(micros(campaign.created_at));
        self.execute(put).await?;
        match ready_at {
            Some(at) => self.wake_company(campaign.company_id, at).await,
            None => Ok(()),
        }
    }

    /// Makes a visit to a campaign at `at` worth while, and to its company; nothing happens unless
    /// the campaign calls.
    pub(crate) async fn wake_campaign(
        &mut self,
        campaign: CampaignKey,
        at: Timestamp,
    ) -> Result<(), StorageError> {
        let update = sqlx::query(
            "UPDATE campaign_queue SET ready_at = min(coalesce(ready_at, ?3), ?3)
             WHERE company_id = ?1 AND campaign_id = ?2 AND calling = 1",
        )
        .bind(campaign.company_id.as_uuid())
        .bind(campaign.campaign_id.as_uuid())
        .bind(micros(at));
        if self.execute(update).await? > 0 {
            self.wake_company(campaign.company_id, at).await?;
        }
        Ok(())
    }

    async fn wake_company(
        &mut self,
        company_id: CompanyId,
        at: Timestamp,
    ) -> Result<(), StorageError> {
        let update = sqlx::query(
            "UPDATE company_queue SET ready_at = min(coalesce(ready_at, ?2), ?2)
             WHERE company_id = ?1",
        )
        .bind(company_id.as_uuid())
        .bind(micros(at));
        self.execute(update).await?;
        Ok(())
    }

    /// Gives the lines of an attempt back that has ended, and wakes whoever waits for them.
    pub(crate) async fn free_line(
        &mut self,
        campaign: CampaignKey,
        provider: &str,
        at: Timestamp,
    ) -> Result<(), StorageError> {
        let update =
            sqlx::query("UPDATE provider_queue SET in_flight = in_flight - 1 WHERE provider = ?1")
                .bind(provider.to_owned());
        self.execute(update).await?;
        let update = sqlx::query(
            "UPDATE campaign_queue SET in_flight = in_flight - 1
             WHERE company_id = ?1 AND campaign_id = ?2",
        )
        .bind(campaign.company_id.as_uuid())
        .bind(campaign.campaign_id.as_uuid());
        self.execute(update).await?;
        let update =
            sqlx::query("UPDATE company_queue SET in_flight = in_flight - 1 WHERE company_id = ?1")
                .bind(campaign.company_id.as_uuid());
        self.execute(update).await?;
        self.wake_campaign(campaign, at).await?;
        // Also when the campaign does not call: its line is free for the company's other campaigns.
        self.wake_company(campaign.company_id, at).await
    }

    /// Gives the lines back that the attempts of a campaign hold that is about to be deleted.
    pub(crate) async fn free_provider_lines(
        &mut self,
        campaign: CampaignKey,
    ) -> Result<(), StorageError> {
        let free = sqlx::query(
            "UPDATE provider_queue
             SET in_flight = in_flight - (SELECT count(*) FROM call_attempts AS attempt
                                          WHERE attempt.company_id = ?1
                                            AND attempt.campaign_id = ?2
                                            AND attempt.state <> 'ended'
                                            AND attempt.provider = provider_queue.provider)",
        )
        .bind(campaign.company_id.as_uuid())
        .bind(campaign.campaign_id.as_uuid());
        self.execute(free).await?;
        Ok(())
    }

    /// Limits a provider's account; `None` lifts the limits. Live attempts count from the start.
    pub(crate) async fn limit_provider_account(
        &mut self,
        provider: &str,
        limits: Option<Pacing>,
    ) -> Result<(), StorageError> {
        let Some(limits) = limits else {
            let delete = sqlx::query("DELETE FROM provider_queue WHERE provider = ?1")
                .bind(provider.to_owned());
            self.execute(delete).await?;
            return Ok(());
        };
        // An arrival long ago: nothing has been started that the pace would have to wait for.
        let put = sqlx::query(
            "INSERT INTO provider_queue
                 (provider, in_flight, max_concurrent_calls, calls_per_minute,
                  seconds_between_calls, arrival)
             SELECT ?1, count(*), ?2, ?3, ?4, 0 FROM call_attempts
             WHERE provider = ?1 AND state <> 'ended'
             ON CONFLICT (provider) DO UPDATE
             SET max_concurrent_calls = excluded.max_concurrent_calls,
                 calls_per_minute = excluded.calls_per_minute,
                 seconds_between_calls = excluded.seconds_between_calls",
        )
        .bind(provider.to_owned())
        .bind(limits.max_concurrent_calls)
        .bind(limits.pace.calls_per_minute)
        .bind(limits.pace.seconds_between_calls);
        self.execute(put).await?;
        Ok(())
    }

    /// Takes a campaign off the ready list that is about to be deleted, and gives back the lines
    /// that its attempts hold.
    pub(crate) async fn delete_campaign_queue(
        &mut self,
        campaign: CampaignKey,
    ) -> Result<(), StorageError> {
        let free = sqlx::query(
            "UPDATE company_queue
             SET in_flight = in_flight - (SELECT in_flight FROM campaign_queue
                                          WHERE company_id = ?1 AND campaign_id = ?2)
             WHERE company_id = ?1",
        )
        .bind(campaign.company_id.as_uuid())
        .bind(campaign.campaign_id.as_uuid());
        self.execute(free).await?;
        let delete =
            sqlx::query("DELETE FROM campaign_queue WHERE company_id = ?1 AND campaign_id = ?2")
                .bind(campaign.company_id.as_uuid())
                .bind(campaign.campaign_id.as_uuid());
        self.execute(delete).await?;
        self.look_again_at_company(campaign.company_id).await
    }
}
