//! Conversations, turns, answers, consents and responses.

use std::ops::Bound;

use async_trait::async_trait;

use super::rows::under_after;
use super::table::{Table, Transaction};
use super::{MemoryUnitOfWork, cursor, page_of, require};
use crate::call_attempt::CallAttempt;
use crate::conversation::{Answer, AnswerRevision, Consent, Conversation, SurveyResponse, Turn};
use crate::id::{AnswerId, CallAttemptId, CallTaskId, CampaignId, CompanyId};
use crate::ports::{InterviewRepository, Page, PageRequest, StorageError};

impl Transaction {
    /// An attempt of another company does not exist for what belongs to an attempt.
    fn require_attempt(
        &self,
        id: CallAttemptId,
        company_id: CompanyId,
    ) -> Result<(), StorageError> {
        let attempt = self.get::<CallAttempt>(&id);
        require(
            attempt.is_some_and(|attempt| attempt.company_id == company_id),
            "the attempt does not exist",
        )
    }
}

impl MemoryUnitOfWork {
    fn may_write_of(
        &self,
        company_id: CompanyId,
        attempt_id: CallAttemptId,
    ) -> Result<(), StorageError> {
        self.may_write(company_id)?;
        self.transaction.require_attempt(attempt_id, company_id)
    }
}

fn answer_of(answers: &Table<Answer>, id: AnswerId) -> Option<&Answer> {
    let key = answers.index().by_id.get(&id)?;
    answers.get(key)
}

#[async_trait]
impl InterviewRepository for MemoryUnitOfWork {
    async fn insert_conversation(
        &mut self,
        conversation: &Conversation,
    ) -> Result<(), StorageError> {
        self.may_write_of(conversation.company_id, conversation.attempt_id)?;
        let is_first = !self
            .transaction
            .has::<Conversation>(&conversation.attempt_id);
        require(is_first, "the attempt has a conversation")?;
        self.transaction.put(conversation.clone());
        Ok(())
    }

    async fn conversation(
        &mut self,
        attempt_id: CallAttemptId,
    ) -> Result<Option<Conversation>, StorageError> {
        let row = self.transaction.get::<Conversation>(&attempt_id);
        Ok(row.filter(|row| self.sees(row.company_id)).cloned())
    }

    async fn update_conversation(
        &mut self,
        conversation: &Conversation,
    ) -> Result<(), StorageError> {
        self.may_write(conversation.company_id)?;
        let stored = self
            .transaction
            .get::<Conversation>(&conversation.attempt_id);
        require(
            stored.is_some_and(|stored| {
                stored.company_id == conversation.company_id
                    && stored.version == conversation.version
            }),
            "the conversation was changed or does not exist",
        )?;
        let version = conversation.version + 1;
        self.transaction.put(Conversation {
            version,
            ..conversation.clone()
        });
        Ok(())
    }

    async fn insert_turns(&mut self, turns: &[Turn]) -> Result<(), StorageError> {
        for turn in turns {
            self.may_write_of(turn.company_id, turn.attempt_id)?;
            let key = (turn.attempt_id, turn.sequence);
            require(!self.transaction.has::<Turn>(&key), "the turn exists")?;
            self.transaction.put(turn.clone());
        }
        Ok(())
    }

    async fn turns(&mut self, attempt_id: CallAttemptId) -> Result<Vec<Turn>, StorageError> {
        let turns = self
            .transaction
            .table::<Turn>()
            .range((attempt_id, 0)..=(attempt_id, u32::MAX));
        Ok(turns
            .filter(|turn| self.sees(turn.company_id))
            .cloned()
            .collect())
    }

    async fn put_answer(&mut self, answer: &Answer) -> Result<(), StorageError> {
        self.may_write_of(answer.company_id, answer.attempt_id)?;
        let key = (answer.task_id, answer.question_key.clone());
        let stored = self.transaction.get::<Answer>(&key);
        if stored.is_none_or(|stored| stored.reviewed_at.is_none()) {
            self.transaction.put(answer.clone());
        }
        Ok(())
    }

    async fn answers(&mut self, task_id: CallTaskId) -> Result<Vec<Answer>, StorageError> {
        let answers = self
            .transaction
            .table::<Answer>()
            .range((task_id, String::new())..);
        let mut answers: Vec<Answer> = answers
            .take_while(|answer| answer.task_id == task_id)
            .filter(|answer| self.sees(answer.company_id))
            .cloned()
            .collect();
        answers.sort_by_key(|answer| (answer.at, answer.id));
        Ok(answers)
    }

    async fn campaign_answers(
        &mut self,
        campaign_id: CampaignId,
        page: &PageRequest,
    ) -> Result<Page<Answer>, StorageError> {
        let after: Option<AnswerId> = cursor(page)?;
        let answers = self.transaction.table::<Answer>();
        let ids = under_after(&answers.index().by_campaign, campaign_id, after);
        let rows = ids.filter_map(|id| answer_of(answers, id));
        let rows = rows.filter(|answer| self.sees(answer.company_id));
        Ok(page_of(rows, page, |answer| answer.id.to_string()))
    }

    async fn answer(&mut self, id: AnswerId) -> Result<Option<Answer>, StorageError> {
        let row = answer_of(self.transaction.table(), id);
        Ok(row.filter(|row| self.sees(row.company_id)).cloned())
    }

    async fn review_answer(
        &mut self,
        answer: &Answer,
        replaced: Option<&AnswerRevision>,
    ) -> Result<(), StorageError> {
        self.may_write_of(answer.company_id, answer.attempt_id)?;
        let stored = answer_of(self.transaction.table(), answer.id);
        require(
            stored.is_some_and(|stored| {
                stored.company_id == answer.company_id && stored.revision == answer.revision
            }),
            "the answer was changed or does not exist",
        )?;
        if let Some(replaced) = replaced {
            let key = (replaced.answer_id, replaced.number);
            require(
                replaced.answer_id == answer.id && !self.transaction.has::<AnswerRevision>(&key),
                "the revision exists or is another answer's",
            )?;
            self.transaction.put(replaced.clone());
        }
        let revision = answer.revision + 1;
        self.transaction.put(Answer {
            revision,
            ..answer.clone()
        });
        Ok(())
    }

    async fn answer_revisions(
        &mut self,
        id: AnswerId,
    ) -> Result<Vec<AnswerRevision>, StorageError> {
        let revisions = self.transaction.table::<AnswerRevision>();
        Ok(revisions
            .range((id, 0)..=(id, u32::MAX))
            .filter(|revision| self.sees(revision.company_id))
            .cloned()
            .collect())
    }

    async fn answers_to_review(
        &mut self,
        campaign_id: Option<CampaignId>,
        page: &PageRequest,
    ) -> Result<Page<Answer>, StorageError> {
        let after: Option<AnswerId> = cursor(page)?;
        let answers = self.transaction.table::<Answer>();
        let first = after.map_or(Bound::Unbounded, Bound::Excluded);
        let ids = answers.index().to_review.range((first, Bound::Unbounded));
        let rows = ids.filter_map(|id| answer_of(answers, *id));
        let rows = rows.filter(|answer| {
            self.sees(answer.company_id) && campaign_id.is_none_or(|id| answer.campaign_id == id)
        });
        Ok(page_of(rows, page, |answer| answer.id.to_string()))
    }

    async fn insert_consent(&mut self, consent: &Consent) -> Result<(), StorageError> {
        self.may_write_of(consent.company_id, consent.attempt_id)?;
        if !self.transaction.has::<Consent>(&consent.attempt_id) {
            self.transaction.put(consent.clone());
        }
        Ok(())
    }

    async fn consent(
        &mut self,
        attempt_id: CallAttemptId,
    ) -> Result<Option<Consent>, StorageError> {
        let row = self.transaction.get::<Consent>(&attempt_id);
        Ok(row.filter(|row| self.sees(row.company_id)).cloned())
    }

    async fn put_response(&mut self, response: &SurveyResponse) -> Result<(), StorageError> {
        self.may_write_of(response.company_id, response.attempt_id)?;
        let stored = self.transaction.get::<SurveyResponse>(&response.task_id);
        if stored.is_none_or(|stored| response.replaces(stored)) {
            self.transaction.put(response.clone());
        }
        Ok(())
    }

    async fn response(
        &mut self,
        task_id: CallTaskId,
    ) -> Result<Option<SurveyResponse>, StorageError> {
        let row = self.transaction.get::<SurveyResponse>(&task_id);
        Ok(row.filter(|row| self.sees(row.company_id)).cloned())
    }
}
