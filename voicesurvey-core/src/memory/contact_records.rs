//! The records of a campaign's people.

use std::collections::BTreeSet;

use async_trait::async_trait;

use super::rows::{TaskRow, under, under_after};
use super::table::Transaction;
use super::{MemoryUnitOfWork, cursor, page_of};
use crate::call_attempt::CallAttempt;
use crate::call_task::CallTask;
use crate::campaign::Campaign;
use crate::contact_record::{
    ContactFilter, ContactRecord, Interviewed, QuestionAsked, RecordAssembly, RecordParts,
};
use crate::conversation::{Answer, AnswerRevision, Consent, Conversation, SurveyResponse, Turn};
use crate::id::{CallAttemptId, CallTaskId};
use crate::ports::{ContactRecordRepository, Page, PageRequest, StorageError};

impl Transaction {
    fn attempts_of(&self, task_id: CallTaskId) -> impl DoubleEndedIterator<Item = &CallAttempt> {
        let attempts = self.table::<CallAttempt>();
        under(&attempts.index().by_task, task_id).filter_map(|id| attempts.get(&id))
    }

    fn interviewed(&self, task: &CallTask, filter: &ContactFilter) -> Interviewed {
        let spoken = self.attempts_of(task.id).rev();
        let mut spoken = spoken.filter_map(|attempt| self.get::<Conversation>(&attempt.id));
        let response = self.get::<SurveyResponse>(&task.id);
        Interviewed {
            language: spoken.next().map(|conversation| conversation.language),
            at: response.map(|response| response.started_at),
            has_answer: filter
                .answered
                .as_ref()
                .is_some_and(|key| self.has::<Answer>(&(task.id, key.clone()))),
        }
    }

    fn turns_of(&self, attempt_id: CallAttemptId) -> impl Iterator<Item = &Turn> {
        let turns = self.table::<Turn>();
        turns.range((attempt_id, 0)..=(attempt_id, u32::MAX))
    }

    fn answers_of(&self, task_id: CallTaskId) -> Vec<Answer> {
        let answers = self.table::<Answer>().range((task_id, String::new())..);
        let mut answers: Vec<Answer> = answers
            .take_while(|answer| answer.task_id == task_id)
            .cloned()
            .collect();
        answers.sort_by_key(|answer| (answer.at, answer.id));
        answers
    }

    fn revisions_of(&self, answer: &Answer) -> Vec<(CallTaskId, AnswerRevision)> {
        let revisions = self.table::<AnswerRevision>();
        revisions
            .range((answer.id, 0)..=(answer.id, u32::MAX))
            .map(|revision| (answer.task_id, revision.clone()))
            .collect()
    }

    fn record(&self, task: &CallTask, parts: RecordParts) -> Option<ContactRecord> {
        let mut attempts: Vec<CallAttempt> = self.attempts_of(task.id).cloned().collect();
        attempts.sort_by_key(|attempt| attempt.number);
        let ids: Vec<CallAttemptId> = attempts.iter().map(|attempt| attempt.id).collect();
        let mut assembly = RecordAssembly::new(vec![task.clone()], attempts);
        for id in ids {
            if let Some(conversation) = self.get::<Conversation>(&id).filter(|_| parts.interviews) {
                assembly.spoke(id, conversation.language);
            }
            if parts.consents {
                assembly.consents(self.get::<Consent>(&id).cloned().into_iter().collect());
            }
            if parts.asked {
                assembly.asked(QuestionAsked::among(self.turns_of(id)));
            }
            if parts.turns {
                assembly.turns(self.turns_of(id).cloned().collect());
            }
        }
        let answers = self.answers_of(task.id);
        if parts.revisions {
            let revisions = answers.iter().flat_map(|answer| self.revisions_of(answer));
            assembly.revisions(revisions.collect());
        }
        if parts.interviews {
            assembly.answers(answers);
            let response = self.get::<SurveyResponse>(&task.id).cloned();
            assembly.responses(response.into_iter().collect());
        }
        assembly.finish().pop()
    }
}

#[async_trait]
impl ContactRecordRepository for MemoryUnitOfWork {
    async fn list(
        &mut self,
        campaign: &Campaign,
        filter: &ContactFilter,
        parts: RecordParts,
        page: &PageRequest,
    ) -> Result<Page<ContactRecord>, StorageError> {
        let after: Option<CallTaskId> = cursor(page)?;
        let rows = &self.transaction;
        let tasks = rows.table::<TaskRow>();
        let wanted = under_after(&tasks.index().by_campaign, campaign.id, after)
            .filter_map(|id| tasks.get(&id))
            .map(|row| &row.task)
            .filter(|task| self.sees(task.company_id))
            .filter(|task| filter.matches(task, rows.interviewed(task, filter), campaign));
        let page = page_of(wanted, page, |task| task.id.to_string());
        Ok(Page {
            rows: page
                .rows
                .iter()
                .filter_map(|task| rows.record(task, parts))
                .collect(),
            next: page.next,
        })
    }

    async fn columns(&mut self, campaign: &Campaign) -> Result<Vec<String>, StorageError> {
        let tasks = self.transaction.table::<TaskRow>();
        let columns: BTreeSet<&String> = under(&tasks.index().by_campaign, campaign.id)
            .filter_map(|id| tasks.get(&id))
            .filter(|row| self.sees(row.task.company_id))
            .flat_map(|row| row.task.contact.extra.keys())
            .collect();
        Ok(columns.into_iter().cloned().collect())
    }
}
