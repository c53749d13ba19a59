//! Reading for screens and files. Needs no more than the role viewer.

mod calls_over_time;
pub mod records;
mod results;
mod standing;
mod texts;

use std::sync::Arc;

pub use self::calls_over_time::{CallPeriod, CallsOverTime};
pub use self::standing::{Standing, WhyNotNow};
pub use self::texts::TextAnswer;

use super::error::ServiceError;
use crate::api_key::Actor;
use crate::call_attempt::CallAttempt;
use crate::call_list::Upload;
use crate::call_task::CallTask;
use crate::campaign::Campaign;
use crate::conversation::{Answer, Consent, Conversation, SurveyResponse, Turn};
use crate::id::{CallAttemptId, CallTaskId, CampaignId, UploadId};
use crate::ports::repositories::{CallAttemptFilter, CallTaskFilter, CampaignCounters};
use crate::ports::{Page, PageRequest, Scope, Storage, StorageError, UnitOfWork};
use crate::time::Timestamp;

/// Reads what a company may see.
#[derive(Clone, Debug)]
pub struct Reports {
    storage: Arc<dyn Storage>,
}

/// Everything known of one call.
#[derive(Clone, Debug, PartialEq)]
pub struct CallDetail {
    /// The dial.
    pub attempt: CallAttempt,
    /// Who was called.
    pub task: CallTask,
    /// How far the conversation came, if somebody picked up.
    pub conversation: Option<Conversation>,
    /// What was said, in order.
    pub turns: Vec<Turn>,
    /// Whether consent was given.
    pub consent: Option<Consent>,
    /// The answers given in this call.
    pub answers: Vec<Answer>,
    /// The response, if this call left one.
    pub response: Option<SurveyResponse>,
}

impl Reports {
    /// Over a store.
    pub fn new(storage: Arc<dyn Storage>) -> Self {
        Self { storage }
    }

    async fn begin(&self, actor: &Actor) -> Result<Box<dyn UnitOfWork>, StorageError> {
        let scope = Scope::Company(actor.company_id);
        self.storage.begin_reading(scope).await
    }

    /// Where a campaign stands at `now`, and its calls over time: both of the same state of the store,
    /// so that what they count agrees.
    pub async fn stats(
        &self,
        actor: &Actor,
        id: CampaignId,
        period: CallPeriod,
        now: Timestamp,
    ) -> Result<(Standing, CallsOverTime), ServiceError> {
        let mut work = self.begin(actor).await?;
        let standing = standing::standing(&mut *work, id, now).await?;
        let calls = calls_over_time::calls_over_time(&mut *work, id, period).await?;
        Ok((standing, calls))
    }

    /// A campaign with what its rows add up to.
    pub async fn campaign(
        &self,
        actor: &Actor,
        id: CampaignId,
    ) -> Result<(Campaign, CampaignCounters), ServiceError> {
        let mut work = self.begin(actor).await?;
        let campaign = campaign(&mut *work, id).await?;
        let counters = work.campaigns().counters(id).await?;
        Ok((campaign, counters))
    }

    /// Campaigns of that status name, newest first, each with its counters.
    pub async fn campaigns(
        &self,
        actor: &Actor,
        status: Option<&str>,
        page: &PageRequest,
    ) -> Result<Page<(Campaign, CampaignCounters)>, ServiceError> {
        let mut work = self.begin(actor).await?;
        let found = work.campaigns().list(status, page).await?;
        let mut rows = Vec::with_capacity(found.rows.len());
        for campaign in found.rows {
            let counters = work.campaigns().counters(campaign.id).await?;
            rows.push((campaign, counters));
        }
        Ok(Page {
            rows,
            next: found.next,
        })
    }

    /// The tasks of a campaign.
    pub async fn contacts(
        &self,
        actor: &Actor,
        filter: &CallTaskFilter,
        page: &PageRequest,
    ) -> Result<Page<CallTask>, ServiceError> {
        let mut work = self.begin(actor).await?;
        if let Some(id) = filter.campaign_id {
            campaign(&mut *work, id).await?;
        }
        Ok(work.call_tasks().list(filter, page).await?)
    }

    /// One task.
    pub async fn contact(&self, actor: &Actor, id: CallTaskId) -> Result<CallTask, ServiceError> {
        let mut work = self.begin(actor).await?;
        work.call_tasks()
            .get(id)
            .await?
            .ok_or(ServiceError::NotFound { what: "contact" })
    }

    /// What became of an upload.
    pub async fn upload(
        &self,
        actor: &Actor,
        campaign_id: CampaignId,
        id: UploadId,
    ) -> Result<Upload, ServiceError> {
        let mut work = self.begin(actor).await?;
        let upload = work.call_lists().get(id).await?;
        upload
            .filter(|upload| upload.campaign_id == campaign_id)
            .ok_or(ServiceError::NotFound { what: "upload" })
    }

    /// Calls, newest first.
    pub async fn calls(
        &self,
        actor: &Actor,
        filter: &CallAttemptFilter,
        page: &PageRequest,
    ) -> Result<Page<CallAttempt>, ServiceError> {
        let mut work = self.begin(actor).await?;
        if let Some(id) = filter.campaign_id {
            campaign(&mut *work, id).await?;
        }
        Ok(work.call_attempts().list(filter, page).await?)
    }

    /// One call with everything that was said in it.
    pub async fn call(&self, actor: &Actor, id: CallAttemptId) -> Result<CallDetail, ServiceError> {
        let mut work = self.begin(actor).await?;
        let not_found = ServiceError::NotFound { what: "call" };
        let Some(attempt) = work.call_attempts().get(id).await? else {
            return Err(not_found);
        };
        let Some(task) = work.call_tasks().get(attempt.task_id).await? else {
            return Err(not_found);
        };
        let interviews = work.interviews();
        let answers = interviews.answers(task.id).await?;
        let response = interviews.response(task.id).await?;
        Ok(CallDetail {
            conversation: interviews.conversation(id).await?,
            turns: interviews.turns(id).await?,
            consent: interviews.consent(id).await?,
            answers: answers
                .into_iter()
                .filter(|answer| answer.attempt_id == id)
                .collect(),
            response: response.filter(|response| response.attempt_id == id),
            attempt,
            task,
        })
    }

    /// The answers of a task.
    pub async fn answers(
        &self,
        actor: &Actor,
        task_id: CallTaskId,
    ) -> Result<Vec<Answer>, ServiceError> {
        let mut work = self.begin(actor).await?;
        Ok(work.interviews().answers(task_id).await?)
    }
}

async fn campaign(work: &mut dyn UnitOfWork, id: CampaignId) -> Result<Campaign, ServiceError> {
    work.campaigns()
        .get(id)
        .await?
        .ok_or(ServiceError::NotFound { what: "campaign" })
}
