//! Conversations, turns, answers, consents and responses.

use async_trait::async_trait;
use sea_query::{Expr, ExprTrait as _};
use sqlx::types::Json;
use uuid::Uuid;
use voicesurvey_core::conversation::{
    Answer, AnswerRevision, Consent, Conversation, Doubt, SurveyResponse, Turn,
};
use voicesurvey_core::id::{AnswerId, ApiKeyId, CallAttemptId, CallTaskId, CampaignId};
use voicesurvey_core::outcome::Outcome;
use voicesurvey_core::ports::{InterviewRepository, Page, PageRequest, StorageError};

use self::read::{answer, consent, conversation, revision, survey_response, turn};
use crate::error::written;
use crate::page;
use crate::schema::{self, company_of};
use crate::unit_of_work::PostgresUnitOfWork;

pub(crate) mod read;

macro_rules! conversation_columns {
    () => {
        "company_id, attempt_id, task_id, campaign_id, language, position, step, turns, \
         last_reply, outcome, started_at, version, memory"
    };
}

macro_rules! answer_columns {
    () => {
        "company_id, id, campaign_id, task_id, attempt_id, question_key, result, words, \
         confidence, interpreted_by, repeats, turn_id, given_at, doubt, revision, reviewed_at, \
         reviewed_by"
    };
}

pub(crate) use answer_columns;

#[async_trait]
impl InterviewRepository for PostgresUnitOfWork {
    async fn insert_conversation(
        &mut self,
        conversation: &Conversation,
    ) -> Result<(), StorageError> {
        self.permit(conversation.company_id)?;
        let insert = sqlx::query(
            "INSERT INTO conversations
                 (company_id, attempt_id, task_id, campaign_id, language, position, step, turns,
                  last_reply, outcome, started_at, version, memory)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
             ON CONFLICT DO NOTHING",
        )
        .bind(conversation.company_id.as_uuid())
        .bind(conversation.attempt_id.as_uuid())
        .bind(conversation.task_id.as_uuid())
        .bind(conversation.campaign_id.as_uuid())
        .bind(conversation.language.code())
        .bind(Json(conversation.position))
        .bind(i64::from(conversation.step))
        .bind(i64::from(conversation.turns))
        .bind(Json(conversation.last_reply.clone()))
        .bind(conversation.outcome.map(Outcome::name))
        .bind(conversation.started_at)
        .bind(i64::from(conversation.version))
        .bind(Json(conversation.memory.clone()));
        written(
            self.execute(insert).await?,
            "the attempt has a conversation already",
        )
    }

    async fn conversation(
        &mut self,
        attempt_id: CallAttemptId,
    ) -> Result<Option<Conversation>, StorageError> {
        let select = concat!(
            "SELECT ",
            conversation_columns!(),
            " FROM conversations WHERE company_id = $1 AND attempt_id = $2"
        );
        let find = company_of!("conversations", "attempt_id");
        let row = self.find(find, select, attempt_id.as_uuid()).await?;
        row.as_ref().map(conversation).transpose()
    }

    async fn conversations(
        &mut self,
        attempt_ids: &[CallAttemptId],
    ) -> Result<Vec<Conversation>, StorageError> {
        let select = concat!(
            "SELECT ",
            conversation_columns!(),
            " FROM conversations WHERE company_id = $1 AND attempt_id = ANY ($2)"
        );
        let find = company_of!("conversations", "attempt_id");
        let ids: Vec<Uuid> = attempt_ids.iter().map(|id| id.as_uuid()).collect();
        let rows = self.find_many(find, select, &ids).await?;
        rows.iter().map(conversation).collect()
    }

    async fn update_conversation(
        &mut self,
        conversation: &Conversation,
    ) -> Result<(), StorageError> {
        self.permit(conversation.company_id)?;
        let update = sqlx::query(
            "UPDATE conversations
             SET language = $4, position = $5, step = $6, turns = $7, last_reply = $8,
                 outcome = $9, memory = $10, version = version + 1
             WHERE company_id = $1 AND attempt_id = $2 AND version = $3",
        )
        .bind(conversation.company_id.as_uuid())
        .bind(conversation.attempt_id.as_uuid())
        .bind(i64::from(conversation.version))
        .bind(conversation.language.code())
        .bind(Json(conversation.position))
        .bind(i64::from(conversation.step))
        .bind(i64::from(conversation.turns))
        .bind(Json(conversation.last_reply.clone()))
        .bind(conversation.outcome.map(Outcome::name))
        .bind(Json(conversation.memory.clone()));
        written(
            self.execute(update).await?,
            "the conversation was changed meanwhile",
        )
    }

    async fn insert_turns(&mut self, turns: &[Turn]) -> Result<(), StorageError> {
        for turn in turns {
            self.permit(turn.company_id)?;
            let insert = sqlx::query(
                "INSERT INTO turns
                     (company_id, id, attempt_id, sequence, speaker, words, heard_with,
                      interpretation, question_key, said_at)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING",
            )
            .bind(turn.company_id.as_uuid())
            .bind(turn.id.as_uuid())
            .bind(turn.attempt_id.as_uuid())
            .bind(i64::from(turn.sequence))
            .bind(turn.speaker.name())
            .bind(turn.words.clone())
            .bind(
                turn.heard_with
                    .map(|confidence| i16::from(confidence.hundredths())),
            )
            .bind(turn.interpretation.clone().map(Json))
            .bind(turn.question_key.clone())
            .bind(turn.at);
            written(
                self.execute(insert).await?,
                "the call has a turn of that number already",
            )?;
        }
        Ok(())
    }

    async fn turns(&mut self, attempt_id: CallAttemptId) -> Result<Vec<Turn>, StorageError> {
        let find = company_of!("turns", "attempt_id");
        let Some(company_id) = self.company_of(find, attempt_id.as_uuid()).await? else {
            return Ok(Vec::new());
        };
        let select = "SELECT company_id, id, attempt_id, sequence, speaker, words, heard_with,
                          interpretation, question_key, said_at
                      FROM turns WHERE company_id = $1 AND attempt_id = $2 ORDER BY sequence";
        let select = sqlx::query(select)
            .bind(company_id)
            .bind(attempt_id.as_uuid());
        self.rows(select).await?.iter().map(turn).collect()
    }

    async fn put_answer(&mut self, answer: &Answer) -> Result<(), StorageError> {
        self.permit(answer.company_id)?;
        let put = sqlx::query(include_str!("sql/put_answer.sql"))
            .bind(answer.company_id.as_uuid())
            .bind(answer.id.as_uuid())
            .bind(answer.campaign_id.as_uuid())
            .bind(answer.task_id.as_uuid())
            .bind(answer.attempt_id.as_uuid())
            .bind(answer.question_key.clone())
            .bind(Json(answer.result.clone()))
            .bind(answer.words.clone())
            .bind(i16::from(answer.confidence.hundredths()))
            .bind(answer.interpreted_by.name())
            .bind(i16::from(answer.repeats))
            .bind(answer.turn_id.as_uuid())
            .bind(answer.at)
            .bind(answer.doubt.map(Doubt::name))
            .bind(i64::from(answer.revision))
            .bind(answer.reviewed_at)
            .bind(answer.reviewed_by.map(ApiKeyId::as_uuid));
        self.execute(put).await?;
        Ok(())
    }

    async fn answers(&mut self, task_id: CallTaskId) -> Result<Vec<Answer>, StorageError> {
        let find = company_of!("answers", "task_id");
        let Some(company_id) = self.company_of(find, task_id.as_uuid()).await? else {
            return Ok(Vec::new());
        };
        let select = concat!(
            "SELECT ",
            answer_columns!(),
            " FROM answers
             WHERE company_id = $1 AND task_id = $2 ORDER BY given_at, id"
        );
        let select = sqlx::query(select).bind(company_id).bind(task_id.as_uuid());
        self.rows(select).await?.iter().map(answer).collect()
    }

    async fn campaign_answers(
        &mut self,
        campaign_id: CampaignId,
        request: &PageRequest,
    ) -> Result<Page<Answer>, StorageError> {
        let mut list = schema::select(answer_columns!(), "answers", self.scope);
        list.and_where(Expr::col("campaign_id").eq(campaign_id.as_uuid()));
        page::by_id(&mut list, request)?;
        let rows = self.list(&list).await?;
        let answers = rows.iter().map(answer).collect::<Result<_, _>>()?;
        Ok(Page::from_rows(
            answers,
            request.limit(),
            |answer: &Answer| answer.id.to_string(),
        ))
    }

    async fn answer(&mut self, id: AnswerId) -> Result<Option<Answer>, StorageError> {
        let select = concat!(
            "SELECT ",
            answer_columns!(),
            " FROM answers WHERE company_id = $1 AND id = $2"
        );
        let row = self.find(company_of!("answers"), select, id.as_uuid());
        row.await?.as_ref().map(answer).transpose()
    }

    async fn review_answer(
        &mut self,
        answer: &Answer,
        replaced: Option<&AnswerRevision>,
    ) -> Result<(), StorageError> {
        self.permit(answer.company_id)?;
        let review = sqlx::query(
            "UPDATE answers
             SET result = $4, words = $5, confidence = $6, interpreted_by = $7, doubt = $8,
                 reviewed_at = $9, reviewed_by = $10, revision = revision + 1
             WHERE company_id = $1 AND id = $2 AND revision = $3",
        )
        .bind(answer.company_id.as_uuid())
        .bind(answer.id.as_uuid())
        .bind(i64::from(answer.revision))
        .bind(Json(answer.result.clone()))
        .bind(answer.words.clone())
        .bind(i16::from(answer.confidence.hundredths()))
        .bind(answer.interpreted_by.name())
        .bind(answer.doubt.map(Doubt::name))
        .bind(answer.reviewed_at)
        .bind(answer.reviewed_by.map(ApiKeyId::as_uuid));
        written(
            self.execute(review).await?,
            "the answer was changed meanwhile",
        )?;
        let Some(replaced) = replaced else {
            return Ok(());
        };
        self.permit(replaced.company_id)?;
        let insert = sqlx::query(
            "INSERT INTO answer_revisions
                 (company_id, answer_id, number, result, confidence, interpreted_by, note,
                  replaced_at, replaced_by)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING",
        )
        .bind(replaced.company_id.as_uuid())
        .bind(replaced.answer_id.as_uuid())
        .bind(i64::from(replaced.number))
        .bind(Json(replaced.result.clone()))
        .bind(i16::from(replaced.confidence.hundredths()))
        .bind(replaced.interpreted_by.name())
        .bind(replaced.note.clone())
        .bind(replaced.replaced_at)
        .bind(replaced.replaced_by.as_uuid());
        written(
            self.execute(insert).await?,
            "the answer has a revision of that number already",
        )
    }

    async fn answer_revisions(
        &mut self,
        id: AnswerId,
    ) -> Result<Vec<AnswerRevision>, StorageError> {
        let find = company_of!("answer_revisions", "answer_id");
        let Some(company_id) = self.company_of(find, id.as_uuid()).await? else {
            return Ok(Vec::new());
        };
        let select = "SELECT company_id, answer_id, number, result, confidence, interpreted_by,
                          note, replaced_at, replaced_by
                      FROM answer_revisions WHERE company_id = $1 AND answer_id = $2
                      ORDER BY number";
        let select = sqlx::query(select).bind(company_id).bind(id.as_uuid());
        self.rows(select).await?.iter().map(revision).collect()
    }

    async fn answers_to_review(
        &mut self,
        campaign_id: Option<CampaignId>,
        request: &PageRequest,
    ) -> Result<Page<Answer>, StorageError> {
        let mut list = schema::select(answer_columns!(), "answers", self.scope);
        list.and_where(Expr::col("doubt").is_not_null())
            .and_where(Expr::col("reviewed_at").is_null());
        if let Some(id) = campaign_id {
            list.and_where(Expr::col("campaign_id").eq(id.as_uuid()));
        }
        page::by_id(&mut list, request)?;
        let rows = self.list(&list).await?;
        let answers = rows.iter().map(answer).collect::<Result<_, _>>()?;
        Ok(Page::from_rows(
            answers,
            request.limit(),
            |answer: &Answer| answer.id.to_string(),
        ))
    }

    async fn insert_consent(&mut self, consent: &Consent) -> Result<(), StorageError> {
        self.permit(consent.company_id)?;
        let insert = sqlx::query(
            "INSERT INTO consents
                 (company_id, attempt_id, task_id, given, text, language, turn_id, given_at,
                  text_version, interpreted_by)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING",
        )
        .bind(consent.company_id.as_uuid())
        .bind(consent.attempt_id.as_uuid())
        .bind(consent.task_id.as_uuid())
        .bind(consent.given)
        .bind(consent.text.clone())
        .bind(consent.language.code())
        .bind(consent.turn_id.as_uuid())
        .bind(consent.at)
        .bind(consent.text_version.clone())
        .bind(consent.interpreted_by.name());
        self.execute(insert).await?;
        Ok(())
    }

    async fn consent(
        &mut self,
        attempt_id: CallAttemptId,
    ) -> Result<Option<Consent>, StorageError> {
        let select =
            "SELECT company_id, attempt_id, task_id, given, text, language, turn_id, given_at,
                          text_version, interpreted_by
                      FROM consents WHERE company_id = $1 AND attempt_id = $2";
        let find = company_of!("consents", "attempt_id");
        let row = self.find(find, select, attempt_id.as_uuid()).await?;
        row.as_ref().map(consent).transpose()
    }

    async fn put_response(&mut self, response: &SurveyResponse) -> Result<(), StorageError> {
        self.permit(response.company_id)?;
        let put = sqlx::query(include_str!("sql/put_response.sql"))
            .bind(response.company_id.as_uuid())
            .bind(response.id.as_uuid())
            .bind(response.campaign_id.as_uuid())
            .bind(response.task_id.as_uuid())
            .bind(response.attempt_id.as_uuid())
            .bind(response.complete)
            .bind(response.started_at)
            .bind(response.ended_at);
        self.execute(put).await?;
        Ok(())
    }

    async fn response(
        &mut self,
        task_id: CallTaskId,
    ) -> Result<Option<SurveyResponse>, StorageError> {
        let select =
            "SELECT company_id, id, campaign_id, task_id, attempt_id, complete, started_at,
                          ended_at
                      FROM survey_responses WHERE company_id = $1 AND task_id = $2";
        let find = company_of!("survey_responses", "task_id");
        let row = self.find(find, select, task_id.as_uuid()).await?;
        row.as_ref().map(survey_response).transpose()
    }
}
