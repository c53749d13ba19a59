//! Retention: what companies keep, and forgetting the rest.

use std::collections::BTreeSet;
use std::num::NonZeroU16;

use async_trait::async_trait;

use super::rows::{ReceivedEvent, RetentionRow, TaskRow, UploadError, under};
use super::table::Transaction;
use super::{MemoryUnitOfWork, conflict, require};
use crate::call_attempt::{CallAttempt, CallEvent};
use crate::call_list::Upload;
use crate::campaign::Campaign;
use crate::company::Company;
use crate::conversation::{Answer, AnswerResult, AnswerRevision, Conversation, Then, Turn};
use crate::erasure::Retention;
use crate::id::{self, CallAttemptId, CallTaskId, CampaignId, CompanyId, OutboxEventId};
use crate::ports::repositories::OutboxEvent;
use crate::ports::{ExportRepository as _, RetentionRepository, Scope, StorageError};
use crate::time::Timestamp;

impl Transaction {
    /// Whether anything of what was said in a call is still known.
    fn has_words(&self, held: &Conversation) -> bool {
        let id = held.attempt_id;
        let mut turns = self.table::<Turn>().range((id, 0)..=(id, u32::MAX));
        !held.last_reply.say.is_empty()
            || held.memory.pending.is_some()
            || turns.any(|turn| !turn.words.is_empty() || turn.interpretation.is_some())
    }

    /// Forgets what was said in a call, and keeps that something was: which question was put when, and
    /// in which language, is no word, and results are made of it.
    fn forget_words_of(&mut self, id: CallAttemptId) {
        let turns = self.table::<Turn>().range((id, 0)..=(id, u32::MAX));
        let turns: Vec<Turn> = turns.cloned().collect();
        for turn in turns {
            self.put(Turn {
                words: String::new(),
                interpretation: None,
                ..turn
            });
        }
        if let Some(mut held) = self.get::<Conversation>(&id).cloned() {
            held.memory.pending = None;
            held.last_reply.say.clear();
            held.last_reply.firm = 0;
            held.last_reply.then = Then::HangUp;
            self.put(held);
        }
    }

    /// Forgets an answer with what it was before, and keeps that something is stored for the question.
    fn forget_answer(&mut self, answer: Answer) {
        let old = self
            .table::<AnswerRevision>()
            .range((answer.id, 0)..=(answer.id, u32::MAX));
        let old: Vec<_> = old.map(|row| (row.answer_id, row.number)).collect();
        for revision in old {
            self.remove::<AnswerRevision>(revision);
        }
        self.put(Answer {
            result: AnswerResult::Forgotten,
            words: String::new(),
            doubt: None,
            ..answer
        });
    }

    /// Takes the names of a task's calls at the provider from what the provider told: by these the
    /// number could be found.
    fn forget_provider_calls_of(&mut self, id: CallTaskId) {
        for attempt in self.attempts_of_task(id) {
            let told = self.table::<ReceivedEvent>();
            let told = told.range((attempt.id, String::new())..);
            let told = told.take_while(|row| row.0.attempt_id == attempt.id);
            let told: Vec<CallEvent> = told.map(|row| row.0.clone()).collect();
            for event in told {
                self.put(ReceivedEvent(CallEvent {
                    provider_call_id: None,
                    ..event
                }));
            }
        }
    }

    /// Whether the campaign ended before that instant.
    fn has_ended(&self, id: CampaignId, before: Timestamp) -> bool {
        let campaign = self.get::<Campaign>(&id);
        let ended_at = campaign.and_then(|campaign| campaign.ended_at);
        ended_at.is_some_and(|ended_at| ended_at < before)
    }
}

impl MemoryUnitOfWork {
    fn company_that_forgets(&self) -> Result<CompanyId, StorageError> {
        match self.scope {
            Scope::Company(company_id) => Ok(company_id),
            Scope::Platform => Err(conflict("it is a company that forgets")),
        }
    }

    /// Removes up to `at_most` rows that were not taken of uploads to campaigns that ended before.
    fn forget_old_upload_errors(
        &mut self,
        company_id: CompanyId,
        before: Timestamp,
        at_most: u16,
    ) -> u64 {
        let is_meant = |row: &UploadError| {
            let upload = self.transaction.get::<Upload>(&row.upload_id);
            let campaign = upload
                .filter(|upload| upload.company_id == company_id)
                .and_then(|upload| self.transaction.get::<Campaign>(&upload.campaign_id));
            let ended_at = campaign.and_then(|campaign| campaign.ended_at);
            ended_at.is_some_and(|ended_at| ended_at < before)
        };
        let mut rows = self.transaction.keys_where(is_meant);
        rows.truncate(at_most.into());
        self.transaction.remove_all::<UploadError>(rows)
    }

    /// Tasks that have ended in campaigns that ended before, and are still somebody's.
    fn ended_contacts(&self, company_id: CompanyId, before: Timestamp) -> Vec<CallTaskId> {
        let campaigns = self.transaction.table::<Campaign>().range(..);
        let campaigns = campaigns.filter(|campaign| {
            campaign.company_id == company_id
                && campaign.ended_at.is_some_and(|ended_at| ended_at < before)
        });
        let tasks = self.transaction.table::<TaskRow>();
        let ids = campaigns.flat_map(|campaign| under(&tasks.index().by_campaign, campaign.id));
        let is_meant = |id: &CallTaskId| {
            tasks.get(id).is_some_and(|row| {
                row.task.state.status().is_final() && !row.task.contact.phone_number.is_nobodys()
            }) && !self
                .transaction
                .attempts_of_task(*id)
                .iter()
                .any(|attempt| attempt.state.is_live())
        };
        ids.filter(is_meant).collect()
    }
}

#[async_trait]
impl RetentionRepository for MemoryUnitOfWork {
    async fn get(&mut self) -> Result<Retention, StorageError> {
        let company_id = self.company_that_forgets()?;
        let row = self.transaction.get::<RetentionRow>(&company_id);
        Ok(row.map(|row| row.retention).unwrap_or_default())
    }

    async fn set(&mut self, retention: &Retention) -> Result<(), StorageError> {
        let company_id = self.company_that_forgets()?;
        let exists = self.transaction.has::<Company>(&company_id);
        require(exists, "the company does not exist")?;
        self.transaction.put(RetentionRow {
            company_id,
            retention: *retention,
        });
        Ok(())
    }

    async fn companies(&mut self) -> Result<Vec<(CompanyId, Retention)>, StorageError> {
        require(
            self.scope == Scope::Platform,
            "only the platform sees all companies",
        )?;
        let rows = self.transaction.table::<RetentionRow>().range(..);
        let rows = rows.filter(|row| !row.retention.keeps_all());
        Ok(rows.map(|row| (row.company_id, row.retention)).collect())
    }

    async fn forget_words(
        &mut self,
        before: Timestamp,
        at_most: NonZeroU16,
    ) -> Result<u64, StorageError> {
        let company_id = self.company_that_forgets()?;
        let first: CallAttemptId = id::first_at(before);
        let held = self.transaction.table::<Conversation>().range(..first);
        let held = held.filter(|held| {
            let attempt = self.transaction.get::<CallAttempt>(&held.attempt_id);
            held.company_id == company_id
                && attempt.is_none_or(|attempt| !attempt.state.is_live())
                && self.transaction.has_words(held)
        });
        let held: Vec<_> = held
            .take(at_most.get().into())
            .map(|held| (held.attempt_id, held.task_id))
            .collect();
        for (attempt_id, task_id) in &held {
            self.transaction.forget_words_of(*attempt_id);
            let answers = self.transaction.table::<Answer>();
            let answers = answers.range((*task_id, String::new())..);
            let answers = answers.take_while(|answer| answer.task_id == *task_id);
            let answers = answers.filter(|answer| answer.attempt_id == *attempt_id);
            let answers: Vec<Answer> = answers.cloned().collect();
            for answer in answers {
                let words = String::new();
                self.transaction.put(Answer { words, ..answer });
            }
        }
        Ok(held.len() as u64)
    }

    async fn forget_answers(
        &mut self,
        before: Timestamp,
        at_most: NonZeroU16,
    ) -> Result<u64, StorageError> {
        let company_id = self.company_that_forgets()?;
        let answers = self.transaction.table::<Answer>().range(..);
        let answers = answers.filter(|answer| {
            answer.company_id == company_id
                && answer.result != AnswerResult::Forgotten
                && self.transaction.has_ended(answer.campaign_id, before)
        });
        let answers: Vec<Answer> = answers.take(at_most.get().into()).cloned().collect();
        let forgotten = answers.len() as u64;
        let campaigns: BTreeSet<_> = answers.iter().map(|answer| answer.campaign_id).collect();
        self.withdraw(&Vec::from_iter(campaigns)).await?;
        for answer in answers {
            for attempt in self.transaction.attempts_of_task(answer.task_id) {
                if !attempt.state.is_live() {
                    self.transaction.forget_words_of(attempt.id);
                }
            }
            self.transaction.forget_answer(answer);
        }
        let events = self.transaction.table::<OutboxEvent>();
        let events = events.range(..id::first_at::<OutboxEventId>(before));
        let events = events.filter(|event| event.company_id == company_id);
        let events: Vec<_> = events
            .take(at_most.get().into())
            .map(|event| event.id)
            .collect();
        for event in &events {
            self.transaction.remove::<OutboxEvent>(*event);
        }
        Ok(forgotten.max(events.len() as u64))
    }

    async fn forget_contacts(
        &mut self,
        before: Timestamp,
        now: Timestamp,
        at_most: NonZeroU16,
    ) -> Result<u64, StorageError> {
        let company_id = self.company_that_forgets()?;
        let mut ids = self.ended_contacts(company_id, before);
        ids.truncate(at_most.get().into());
        let uploads = self.transaction.table::<Upload>().range(..);
        let uploads = uploads.filter(|upload| {
            upload.company_id == company_id
                && self.transaction.has_ended(upload.campaign_id, before)
        });
        let uploads: Vec<Upload> = uploads.cloned().collect();
        for upload in uploads {
            let file_name = String::new();
            self.transaction.put(Upload {
                file_name,
                ..upload
            });
        }
        let campaigns = ids.iter().filter_map(|id| {
            let row = self.transaction.get::<TaskRow>(id)?;
            Some(row.task.campaign_id)
        });
        let campaigns: BTreeSet<_> = campaigns.collect();
        self.withdraw(&Vec::from_iter(campaigns)).await?;
        for id in &ids {
            self.transaction.forget_provider_calls_of(*id);
            self.transaction.make_nobodys(*id, now);
        }
        let rows = self.forget_old_upload_errors(company_id, before, at_most.get());
        Ok(rows.max(ids.len() as u64))
    }
}
