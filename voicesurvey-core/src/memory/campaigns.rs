//! Campaigns, with their row in the ready list.

use std::ops::Bound;

use async_trait::async_trait;

use super::ready_list::AT_ONCE;
use super::rows::{CampaignLevel, Emptying, ReceivedEvent, TaskRow, UploadError, under};
use super::table::Transaction;
use super::{MemoryUnitOfWork, cursor, page_of, require};
use crate::call_attempt::CallAttempt;
use crate::call_list::Upload;
use crate::campaign::Campaign;
use crate::company::Company;
use crate::conversation::{Answer, AnswerRevision, Consent, Conversation, SurveyResponse, Turn};
use crate::id::{CallTaskId, CampaignId, CompanyId, UploadId};
use crate::planted::{self, Bug};
use crate::ports::repositories::CampaignCounters;
use crate::ports::{CampaignRepository, Page, PageRequest, StorageError};
use crate::queue::QueueLevel;
use crate::queue::lane::Lane;
use crate::quota::CellNews;
use crate::skillbase::Skillbase;

impl Transaction {
    /// A skillbase of another company does not exist for a campaign.
    fn require_skillbase(&self, campaign: &Campaign) -> Result<(), StorageError> {
        let skillbase = self.get::<Skillbase>(&campaign.settings.skillbase_id);
        require(
            skillbase.is_some_and(|skillbase| skillbase.company_id == campaign.company_id),
            "the skillbase does not exist",
        )
    }

    /// A campaign of another company does not exist for what belongs to a campaign.
    pub(super) fn require_campaign(
        &self,
        id: CampaignId,
        company_id: CompanyId,
    ) -> Result<(), StorageError> {
        let campaign = self.get::<Campaign>(&id);
        require(
            campaign.is_some_and(|campaign| campaign.company_id == company_id),
            "the campaign does not exist",
        )
    }

    /// Writes the campaign's row in the ready list as its status and limits say.
    fn put_level(&mut self, campaign: &Campaign) {
        let pacing = campaign.effective_settings().pacing;
        let running = campaign.is_calling();
        let level = self.get::<CampaignLevel>(&campaign.id).map_or_else(
            || {
                QueueLevel::new(
                    pacing.max_concurrent_calls,
                    pacing.pace,
                    campaign.created_at,
                )
            },
            |row| row.level,
        );
        let level = QueueLevel {
            ready_at: running.then_some(campaign.updated_at),
            max_concurrent_calls: pacing.max_concurrent_calls,
            pace: pacing.pace,
            ..level
        };
        let (company_id, campaign_id) = (campaign.company_id, campaign.id);
        self.put(CampaignLevel {
            company_id,
            campaign_id,
            running,
            level,
        });
        if running {
            self.wake_company(company_id, campaign.updated_at);
        }
        if campaign.status.is_final() || campaign.winding_up.is_some() {
            self.put(Emptying {
                company_id,
                campaign_id,
            });
        }
        let has_started = |stored: &Campaign| stored.snapshot.is_some();
        if !(planted::is(Bug::LanesNotReviewed)
            && self.get::<Campaign>(&campaign.id).is_some_and(has_started))
        {
            self.review_lanes_of(campaign);
        }
    }

    fn remove_answers(&mut self, task_id: CallTaskId) {
        let answers = self.table::<Answer>().range((task_id, String::new())..);
        let answers = answers.take_while(|row| row.task_id == task_id);
        let answers: Vec<_> = answers.map(|row| (row.id, row.revision)).collect();
        for (id, _) in answers.into_iter().filter(|(_, revision)| *revision > 0) {
            self.remove_while::<AnswerRevision>((id, 0), |row| row.answer_id == id);
        }
        self.remove_while::<Answer>((task_id, String::new()), |row| row.task_id == task_id);
    }

    /// Removes everything that belongs to a campaign.
    fn remove_campaign(&mut self, campaign: &Campaign) {
        let mut live = 0;
        let index = self.table::<CallAttempt>().index();
        let attempts: Vec<_> = under(&index.by_campaign, campaign.id).collect();
        for id in attempts {
            live += u32::from(
                self.get::<CallAttempt>(&id)
                    .is_some_and(|row| row.state.is_live()),
            );
            self.remove_while::<ReceivedEvent>((id, String::new()), |row| row.0.attempt_id == id);
            self.remove_while::<Turn>((id, 0), |row| row.attempt_id == id);
            self.remove::<Consent>(id);
            self.remove::<Conversation>(id);
            self.remove::<CallAttempt>(id);
        }
        let index = self.table::<TaskRow>().index();
        let tasks: Vec<_> = under(&index.by_campaign, campaign.id).collect();
        for id in tasks {
            self.remove_answers(id);
            self.remove::<SurveyResponse>(id);
            self.remove::<TaskRow>(id);
        }
        let uploads = self.table::<Upload>().after(None);
        let uploads: Vec<UploadId> = uploads
            .filter(|row| row.campaign_id == campaign.id)
            .map(|row| row.id)
            .collect();
        for id in uploads {
            self.remove_while::<UploadError>((id, 0), |row| row.upload_id == id);
            self.remove::<Upload>(id);
        }
        self.remove_exports(campaign.id);
        self.remove_counts(campaign.id);
        self.remove_rollups(campaign.id);
        self.remove_lanes(campaign.id);
        self.remove::<Emptying>(campaign.id);
        self.remove::<CampaignLevel>(campaign.id);
        self.remove::<Campaign>(campaign.id);
        if live > 0 {
            self.release_company_lines(campaign.company_id, live, AT_ONCE);
        }
    }
}

#[async_trait]
impl CampaignRepository for MemoryUnitOfWork {
    async fn insert(&mut self, campaign: &Campaign) -> Result<(), StorageError> {
        self.may_write(campaign.company_id)?;
        let rows = &mut self.transaction;
        require(!rows.has::<Campaign>(&campaign.id), "the campaign exists")?;
        require(
            rows.has::<Company>(&campaign.company_id),
            "the company does not exist",
        )?;
        rows.require_skillbase(campaign)?;
        rows.put_level(campaign);
        rows.put(campaign.clone());
        Ok(())
    }

    async fn get(&mut self, id: CampaignId) -> Result<Option<Campaign>, StorageError> {
        let campaign = self.transaction.get::<Campaign>(&id);
        Ok(campaign
            .filter(|campaign| self.sees(campaign.company_id))
            .cloned())
    }

    async fn get_for_update(&mut self, id: CampaignId) -> Result<Option<Campaign>, StorageError> {
        CampaignRepository::get(self, id).await
    }

    async fn get_for_update_unless_locked(
        &mut self,
        id: CampaignId,
    ) -> Result<Option<Campaign>, StorageError> {
        CampaignRepository::get(self, id).await
    }

    async fn update(&mut self, campaign: &Campaign) -> Result<(), StorageError> {
        self.may_write(campaign.company_id)?;
        let stored = self.transaction.get::<Campaign>(&campaign.id);
        require(
            stored.is_some_and(|stored| {
                stored.company_id == campaign.company_id && stored.version == campaign.version
            }),
            "the campaign was changed or does not exist",
        )?;
        self.transaction.require_skillbase(campaign)?;
        self.transaction.put_level(campaign);
        self.transaction.put(Campaign {
            version: campaign.version + 1,
            ..campaign.clone()
        });
        if !campaign.is_calling() {
            self.transaction.look_after_waiting_calls(campaign);
        }
        Ok(())
    }

    async fn delete(&mut self, id: CampaignId) -> Result<bool, StorageError> {
        let Some(campaign) = CampaignRepository::get(self, id).await? else {
            return Ok(false);
        };
        self.transaction.remove_campaign(&campaign);
        Ok(true)
    }

    async fn list(
        &mut self,
        status: Option<&str>,
        page: &PageRequest,
    ) -> Result<Page<Campaign>, StorageError> {
        let before = cursor::<CampaignId>(page)?.map_or(Bound::Unbounded, Bound::Excluded);
        let rows = self
            .transaction
            .table::<Campaign>()
            .range((Bound::Unbounded, before))
            .rev();
        let rows = rows.filter(|row| {
            self.sees(row.company_id) && status.is_none_or(|status| row.status.name() == status)
        });
        Ok(page_of(rows, page, |row| row.id.to_string()))
    }

    async fn lanes(&mut self, id: CampaignId) -> Result<Vec<Lane>, StorageError> {
        if CampaignRepository::get(self, id).await?.is_none() {
            return Ok(Vec::new());
        }
        let lanes = self.transaction.lanes_in_order(id);
        Ok(lanes.into_iter().cloned().collect())
    }

    async fn review_cells(
        &mut self,
        id: CampaignId,
        news: CellNews<'_>,
    ) -> Result<(), StorageError> {
        if CampaignRepository::get(self, id).await?.is_some() {
            self.transaction.review_cells(id, news);
        }
        Ok(())
    }

    async fn level(&mut self, id: CampaignId) -> Result<Option<QueueLevel>, StorageError> {
        let row = self.transaction.get::<CampaignLevel>(&id);
        Ok(row
            .filter(|row| self.sees(row.company_id))
            .map(|row| row.level))
    }

    async fn counters(&mut self, id: CampaignId) -> Result<CampaignCounters, StorageError> {
        let campaign = self.transaction.get::<Campaign>(&id);
        Ok(campaign
            .filter(|campaign| self.sees(campaign.company_id))
            .map(|campaign| self.transaction.counters(campaign.id))
            .unwrap_or_default())
    }
}
