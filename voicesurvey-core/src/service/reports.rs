//! Reading for screens and files. Needs no more than the role viewer.

mod standing;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use self::standing::{Standing, WhyNotNow};

use rust_decimal::Decimal;
use serde::Serialize;

use super::error::ServiceError;
use crate::api_key::Actor;
use crate::call_attempt::CallAttempt;
use crate::call_list::Upload;
use crate::call_task::CallTask;
use crate::campaign::Campaign;
use crate::conversation::{Answer, AnswerResult, Consent, Conversation, SurveyResponse, Turn};
use crate::id::{CallAttemptId, CallTaskId, CampaignId, UploadId};
use crate::ports::repositories::{CallAttemptFilter, CallTaskFilter, CampaignCounters};
use crate::ports::{Page, PageRequest, Scope, Storage, StorageError, UnitOfWork};
use crate::survey::{AnswerValue, Question};

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

/// What the answers to one question add up to.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct QuestionResult {
    /// The question's key.
    pub key: String,
    /// Its text.
    pub text: String,
    /// Its type.
    pub kind: &'static str,
    /// How many answered it.
    pub answered: u64,
    /// How many did not want to.
    pub skipped: u64,
    /// How many did not know.
    pub dont_know: u64,
    /// How many were not understood.
    pub not_understood: u64,
    /// How often each value was given; for free text this stays empty.
    pub values: BTreeMap<String, u64>,
    /// The mean of the numbers, to two decimals; `None` without numbers.
    pub mean: Option<Decimal>,
}

impl Reports {
    /// Over a store.
    pub fn new(storage: Arc<dyn Storage>) -> Self {
        Self { storage }
    }

    async fn begin(&self, actor: &Actor) -> Result<Box<dyn UnitOfWork>, StorageError> {
        self.storage.begin(Scope::Company(actor.company_id)).await
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

    /// What the answers of a campaign add up to, question by question.
    pub async fn results(
        &self,
        actor: &Actor,
        id: CampaignId,
    ) -> Result<Vec<QuestionResult>, ServiceError> {
        let mut work = self.begin(actor).await?;
        let campaign = campaign(&mut *work, id).await?;
        let questions = &campaign.effective_settings().survey.questions;
        let mut results: Vec<Tally> = questions.iter().map(Tally::new).collect();
        let mut page = PageRequest::first(PageRequest::LARGEST);
        loop {
            let answers = work.interviews().campaign_answers(id, &page).await?;
            for answer in &answers.rows {
                if let Some(tally) = results
                    .iter_mut()
                    .find(|tally| tally.result.key == answer.question_key)
                {
                    tally.add(&answer.result);
                }
            }
            let Some(next) = answers.next else { break };
            page = PageRequest::after(next, PageRequest::LARGEST);
        }
        Ok(results.into_iter().map(Tally::finish).collect())
    }
}

async fn campaign(work: &mut dyn UnitOfWork, id: CampaignId) -> Result<Campaign, ServiceError> {
    work.campaigns()
        .get(id)
        .await?
        .ok_or(ServiceError::NotFound { what: "campaign" })
}

/// A question's result while it is being added up.
struct Tally {
    result: QuestionResult,
    /// `None` once it has become too large to be told.
    sum: Option<Decimal>,
    numbers: u64,
}

impl Tally {
    fn new(question: &Question) -> Self {
        let result = QuestionResult {
            key: question.key.clone(),
            text: question.text.clone(),
            kind: question.kind.name(),
            answered: 0,
            skipped: 0,
            dont_know: 0,
            not_understood: 0,
            values: BTreeMap::new(),
            mean: None,
        };
        Self {
            result,
            sum: Some(Decimal::ZERO),
            numbers: 0,
        }
    }

    fn add(&mut self, answer: &AnswerResult) {
        let result = &mut self.result;
        match answer {
            AnswerResult::Answered { value } => {
                result.answered += 1;
                if let AnswerValue::Number(number) = value {
                    self.sum = self.sum.and_then(|sum| sum.checked_add(*number));
                    self.numbers += 1;
                }
                if !matches!(value, AnswerValue::Text(_)) {
                    *result.values.entry(value.to_text()).or_default() += 1;
                }
            }
            AnswerResult::Skipped => result.skipped += 1,
            AnswerResult::DontKnow => result.dont_know += 1,
            AnswerResult::NotUnderstood => result.not_understood += 1,
        }
    }

    fn finish(mut self) -> QuestionResult {
        self.result.mean = self
            .sum
            .and_then(|sum| sum.checked_div(Decimal::from(self.numbers)))
            .map(|mean| mean.round_dp(2));
        self.result
    }
}
