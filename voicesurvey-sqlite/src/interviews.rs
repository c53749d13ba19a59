//! Conversations, turns, answers, consents and responses.

use async_trait::async_trait;
use sea_query::{Expr, ExprTrait, OnConflict, Order, Value};
use sqlx::sqlite::SqliteRow;
use uuid::Uuid;
use voicesurvey_core::conversation::{
    Answer, AnswerRevision, Consent, Conversation, Doubt, SurveyResponse, Turn,
};
use voicesurvey_core::id::{AnswerId, ApiKeyId, CallAttemptId, CallTaskId, CampaignId};
use voicesurvey_core::interpretation::Confidence;
use voicesurvey_core::outcome::Outcome;
use voicesurvey_core::ports::{InterviewRepository, Page, PageRequest, StorageError};

use crate::error::stale;
use crate::page;
use crate::row::{Row, json, micros, read_all};
use crate::schema::{ANSWER_REVISIONS, ANSWERS, CONSENTS, CONVERSATIONS, SURVEY_RESPONSES, TURNS};
use crate::unit_of_work::{SqliteUnitOfWork, built};

fn conversation_values(conversation: &Conversation) -> Result<[Value; 14], StorageError> {
    Ok([
        conversation.company_id.as_uuid().into(),
        conversation.attempt_id.as_uuid().into(),
        conversation.task_id.as_uuid().into(),
        conversation.campaign_id.as_uuid().into(),
        conversation.language.code().into(),
        json(&conversation.position)?.into(),
        conversation.step.into(),
        conversation.turns.into(),
        json(&conversation.last_reply)?.into(),
        conversation
            .outcome
            .map(|outcome| outcome.name().to_owned())
            .into(),
        micros(conversation.started_at).into(),
        conversation.version.into(),
        json(&conversation.memory)?.into(),
        false.into(),
    ])
}

fn read_conversation(row: &SqliteRow) -> Result<Conversation, StorageError> {
    let row = Row::new(row, CONVERSATIONS.name);
    Ok(Conversation {
        attempt_id: row.id("attempt_id")?,
        task_id: row.id("task_id")?,
        company_id: row.id("company_id")?,
        campaign_id: row.id("campaign_id")?,
        language: row.word("language")?,
        position: row.document("position")?,
        step: row.get("step")?,
        turns: row.get("turns")?,
        last_reply: row.document("last_reply")?,
        outcome: row.optional_word("outcome")?,
        started_at: row.instant("started_at")?,
        version: row.get("version")?,
        memory: row.document("memory")?,
    })
}

fn turn_values(turn: &Turn) -> Result<[Value; 10], StorageError> {
    Ok([
        turn.company_id.as_uuid().into(),
        turn.id.as_uuid().into(),
        turn.attempt_id.as_uuid().into(),
        turn.sequence.into(),
        turn.speaker.name().into(),
        turn.words.clone().into(),
        turn.heard_with.map(Confidence::hundredths).into(),
        turn.interpretation.as_ref().map(json).transpose()?.into(),
        turn.question_key.clone().into(),
        micros(turn.at).into(),
    ])
}

pub(crate) fn read_turn(row: &SqliteRow) -> Result<Turn, StorageError> {
    let row = Row::new(row, TURNS.name);
    Ok(Turn {
        id: row.id("id")?,
        company_id: row.id("company_id")?,
        attempt_id: row.id("attempt_id")?,
        sequence: row.get("sequence")?,
        speaker: row.word("speaker")?,
        words: row.get("words")?,
        heard_with: row
            .get::<Option<u8>>("heard_with")?
            .map(Confidence::from_hundredths),
        interpretation: row.optional_document("interpretation")?,
        question_key: row.get("question_key")?,
        at: row.instant("at")?,
    })
}

fn answer_values(answer: &Answer) -> Result<[Value; 17], StorageError> {
    Ok([
        answer.company_id.as_uuid().into(),
        answer.id.as_uuid().into(),
        answer.campaign_id.as_uuid().into(),
        answer.task_id.as_uuid().into(),
        answer.attempt_id.as_uuid().into(),
        answer.question_key.clone().into(),
        json(&answer.result)?.into(),
        answer.words.clone().into(),
        answer.confidence.hundredths().into(),
        answer.interpreted_by.name().into(),
        answer.repeats.into(),
        answer.turn_id.as_uuid().into(),
        micros(answer.at).into(),
        answer.doubt.map(|doubt| doubt.name().to_owned()).into(),
        answer.revision.into(),
        answer.reviewed_at.map(micros).into(),
        answer.reviewed_by.map(ApiKeyId::as_uuid).into(),
    ])
}

pub(crate) fn read_answer(row: &SqliteRow) -> Result<Answer, StorageError> {
    let row = Row::new(row, ANSWERS.name);
    Ok(Answer {
        id: row.id("id")?,
        company_id: row.id("company_id")?,
        campaign_id: row.id("campaign_id")?,
        task_id: row.id("task_id")?,
        attempt_id: row.id("attempt_id")?,
        question_key: row.get("question_key")?,
        result: row.document("result")?,
        words: row.get("words")?,
        confidence: Confidence::from_hundredths(row.get("confidence")?),
        interpreted_by: row.word("interpreted_by")?,
        repeats: row.get("repeats")?,
        turn_id: row.id("turn_id")?,
        at: row.instant("at")?,
        doubt: row.optional_word("doubt")?,
        revision: row.get("revision")?,
        reviewed_at: row.optional_instant("reviewed_at")?,
        reviewed_by: row.optional_id("reviewed_by")?,
    })
}

fn revision_values(revision: &AnswerRevision) -> Result<[Value; 9], StorageError> {
    Ok([
        revision.company_id.as_uuid().into(),
        revision.answer_id.as_uuid().into(),
        revision.number.into(),
        json(&revision.result)?.into(),
        revision.confidence.hundredths().into(),
        revision.interpreted_by.name().into(),
        revision.note.clone().into(),
        micros(revision.replaced_at).into(),
        revision.replaced_by.as_uuid().into(),
    ])
}

pub(crate) fn read_revision(row: &SqliteRow) -> Result<AnswerRevision, StorageError> {
    let row = Row::new(row, ANSWER_REVISIONS.name);
    Ok(AnswerRevision {
        answer_id: row.id("answer_id")?,
        company_id: row.id("company_id")?,
        number: row.get("number")?,
        result: row.document("result")?,
        confidence: Confidence::from_hundredths(row.get("confidence")?),
        interpreted_by: row.word("interpreted_by")?,
        note: row.get("note")?,
        replaced_at: row.instant("replaced_at")?,
        replaced_by: row.id("replaced_by")?,
    })
}

fn consent_values(consent: &Consent) -> [Value; 10] {
    [
        consent.company_id.as_uuid().into(),
        consent.attempt_id.as_uuid().into(),
        consent.task_id.as_uuid().into(),
        consent.given.into(),
        consent.text.clone().into(),
        consent.language.code().into(),
        consent.turn_id.as_uuid().into(),
        micros(consent.at).into(),
        consent.text_version.clone().into(),
        consent.interpreted_by.name().into(),
    ]
}

pub(crate) fn read_consent(row: &SqliteRow) -> Result<Consent, StorageError> {
    let row = Row::new(row, CONSENTS.name);
    Ok(Consent {
        attempt_id: row.id("attempt_id")?,
        company_id: row.id("company_id")?,
        task_id: row.id("task_id")?,
        given: row.get("given")?,
        text: row.get("text")?,
        language: row.word("language")?,
        turn_id: row.id("turn_id")?,
        at: row.instant("at")?,
        text_version: row.get("text_version")?,
        interpreted_by: row.word("interpreted_by")?,
    })
}

fn response_values(response: &SurveyResponse) -> [Value; 8] {
    [
        response.company_id.as_uuid().into(),
        response.id.as_uuid().into(),
        response.campaign_id.as_uuid().into(),
        response.task_id.as_uuid().into(),
        response.attempt_id.as_uuid().into(),
        response.complete.into(),
        micros(response.started_at).into(),
        micros(response.ended_at).into(),
    ]
}

pub(crate) fn read_response(row: &SqliteRow) -> Result<SurveyResponse, StorageError> {
    let row = Row::new(row, SURVEY_RESPONSES.name);
    Ok(SurveyResponse {
        id: row.id("id")?,
        company_id: row.id("company_id")?,
        campaign_id: row.id("campaign_id")?,
        task_id: row.id("task_id")?,
        attempt_id: row.id("attempt_id")?,
        complete: row.get("complete")?,
        started_at: row.instant("started_at")?,
        ended_at: row.instant("ended_at")?,
    })
}

#[async_trait]
impl InterviewRepository for SqliteUnitOfWork {
    async fn insert_conversation(
        &mut self,
        conversation: &Conversation,
    ) -> Result<(), StorageError> {
        self.must_cover(conversation.company_id)?;
        self.execute(built(
            &CONVERSATIONS.insert([conversation_values(conversation)?]),
        ))
        .await?;
        Ok(())
    }

    async fn conversation(
        &mut self,
        attempt_id: CallAttemptId,
    ) -> Result<Option<Conversation>, StorageError> {
        let mut select = CONVERSATIONS.select(self.scope);
        select.and_where(Expr::col("attempt_id").eq(attempt_id.as_uuid()));
        self.fetch_optional(built(&select))
            .await?
            .as_ref()
            .map(read_conversation)
            .transpose()
    }

    async fn update_conversation(
        &mut self,
        conversation: &Conversation,
    ) -> Result<(), StorageError> {
        self.must_cover(conversation.company_id)?;
        let update = sqlx::query(
            "UPDATE conversations
             SET language = ?4, position = ?5, step = ?6, turns = ?7, last_reply = ?8,
                 outcome = ?9, memory = ?10, version = version + 1
             WHERE company_id = ?1 AND attempt_id = ?2 AND version = ?3",
        )
        .bind(conversation.company_id.as_uuid())
        .bind(conversation.attempt_id.as_uuid())
        .bind(conversation.version)
        .bind(conversation.language.code())
        .bind(json(&conversation.position)?)
        .bind(conversation.step)
        .bind(conversation.turns)
        .bind(json(&conversation.last_reply)?)
        .bind(conversation.outcome.map(Outcome::name))
        .bind(json(&conversation.memory)?);
        if self.execute(update).await? == 0 {
            return Err(stale(CONVERSATIONS.name));
        }
        Ok(())
    }

    async fn insert_turns(&mut self, turns: &[Turn]) -> Result<(), StorageError> {
        // One by one, because a reply adds one or two.
        for turn in turns {
            self.must_cover(turn.company_id)?;
            self.execute(built(&TURNS.insert([turn_values(turn)?])))
                .await?;
        }
        Ok(())
    }

    async fn turns(&mut self, attempt_id: CallAttemptId) -> Result<Vec<Turn>, StorageError> {
        let mut select = TURNS.select(self.scope);
        select
            .and_where(Expr::col("attempt_id").eq(attempt_id.as_uuid()))
            .order_by("sequence", Order::Asc);
        read_all(&self.fetch_all(built(&select)).await?, read_turn)
    }

    async fn put_answer(&mut self, answer: &Answer) -> Result<(), StorageError> {
        self.must_cover(answer.company_id)?;
        let mut upsert = ANSWERS.insert([answer_values(answer)?]);
        upsert.on_conflict(
            OnConflict::columns(["company_id", "task_id", "question_key"])
                .update_columns(ANSWERS.columns)
                .action_and_where(Expr::cust("answers.reviewed_at IS NULL"))
                .to_owned(),
        );
        self.execute(built(&upsert)).await?;
        Ok(())
    }

    async fn answers(&mut self, task_id: CallTaskId) -> Result<Vec<Answer>, StorageError> {
        let mut select = ANSWERS.select(self.scope);
        select
            .and_where(Expr::col("task_id").eq(task_id.as_uuid()))
            .order_by("at", Order::Asc)
            .order_by("id", Order::Asc);
        read_all(&self.fetch_all(built(&select)).await?, read_answer)
    }

    async fn campaign_answers(
        &mut self,
        campaign_id: CampaignId,
        page: &PageRequest,
    ) -> Result<Page<Answer>, StorageError> {
        let mut select = ANSWERS.select(self.scope);
        select.and_where(Expr::col("campaign_id").eq(campaign_id.as_uuid()));
        page::by_key(&mut select, "id", page, |cursor| {
            cursor.parse::<Uuid>().ok()
        })?;
        let rows = read_all(&self.fetch_all(built(&select)).await?, read_answer)?;
        Ok(Page::from_rows(rows, page.limit(), |answer| {
            answer.id.to_string()
        }))
    }

    async fn answer(&mut self, id: AnswerId) -> Result<Option<Answer>, StorageError> {
        let mut select = ANSWERS.select(self.scope);
        select.and_where(Expr::col("id").eq(id.as_uuid()));
        self.fetch_optional(built(&select))
            .await?
            .as_ref()
            .map(read_answer)
            .transpose()
    }

    async fn review_answer(
        &mut self,
        answer: &Answer,
        replaced: Option<&AnswerRevision>,
    ) -> Result<(), StorageError> {
        self.must_cover(answer.company_id)?;
        let review = sqlx::query(
            "UPDATE answers
             SET result = ?4, words = ?5, confidence = ?6, interpreted_by = ?7, doubt = ?8,
                 reviewed_at = ?9, reviewed_by = ?10, revision = revision + 1
             WHERE company_id = ?1 AND id = ?2 AND revision = ?3",
        )
        .bind(answer.company_id.as_uuid())
        .bind(answer.id.as_uuid())
        .bind(answer.revision)
        .bind(json(&answer.result)?)
        .bind(answer.words.as_str())
        .bind(answer.confidence.hundredths())
        .bind(answer.interpreted_by.name())
        .bind(answer.doubt.map(Doubt::name))
        .bind(answer.reviewed_at.map(micros))
        .bind(answer.reviewed_by.map(ApiKeyId::as_uuid));
        if self.execute(review).await? == 0 {
            return Err(stale(ANSWERS.name));
        }
        if let Some(replaced) = replaced {
            self.must_cover(replaced.company_id)?;
            let insert = ANSWER_REVISIONS.insert([revision_values(replaced)?]);
            self.execute(built(&insert)).await?;
        }
        Ok(())
    }

    async fn answer_revisions(
        &mut self,
        id: AnswerId,
    ) -> Result<Vec<AnswerRevision>, StorageError> {
        let mut select = ANSWER_REVISIONS.select(self.scope);
        select
            .and_where(Expr::col("answer_id").eq(id.as_uuid()))
            .order_by("number", Order::Asc);
        read_all(&self.fetch_all(built(&select)).await?, read_revision)
    }

    async fn answers_to_review(
        &mut self,
        campaign_id: Option<CampaignId>,
        page: &PageRequest,
    ) -> Result<Page<Answer>, StorageError> {
        let mut select = ANSWERS.select(self.scope);
        select
            .and_where(Expr::col("doubt").is_not_null())
            .and_where(Expr::col("reviewed_at").is_null());
        if let Some(id) = campaign_id {
            select.and_where(Expr::col("campaign_id").eq(id.as_uuid()));
        }
        page::by_key(&mut select, "id", page, |cursor| {
            cursor.parse::<Uuid>().ok()
        })?;
        let rows = read_all(&self.fetch_all(built(&select)).await?, read_answer)?;
        Ok(Page::from_rows(rows, page.limit(), |answer| {
            answer.id.to_string()
        }))
    }

    async fn insert_consent(&mut self, consent: &Consent) -> Result<(), StorageError> {
        self.must_cover(consent.company_id)?;
        let mut insert = CONSENTS.insert([consent_values(consent)]);
        insert.on_conflict(
            OnConflict::columns(["company_id", "attempt_id"])
                .do_nothing()
                .to_owned(),
        );
        self.execute(built(&insert)).await?;
        Ok(())
    }

    async fn consent(
        &mut self,
        attempt_id: CallAttemptId,
    ) -> Result<Option<Consent>, StorageError> {
        let mut select = CONSENTS.select(self.scope);
        select.and_where(Expr::col("attempt_id").eq(attempt_id.as_uuid()));
        self.fetch_optional(built(&select))
            .await?
            .as_ref()
            .map(read_consent)
            .transpose()
    }

    async fn put_response(&mut self, response: &SurveyResponse) -> Result<(), StorageError> {
        self.must_cover(response.company_id)?;
        let mut upsert = SURVEY_RESPONSES.insert([response_values(response)]);
        upsert.on_conflict(
            OnConflict::columns(["company_id", "task_id"])
                .update_columns(SURVEY_RESPONSES.columns)
                .action_and_where(Expr::cust(
                    "survey_responses.complete = 0
                     AND (excluded.complete OR excluded.started_at >= survey_responses.started_at)",
                ))
                .to_owned(),
        );
        self.execute(built(&upsert)).await?;
        Ok(())
    }

    async fn response(
        &mut self,
        task_id: CallTaskId,
    ) -> Result<Option<SurveyResponse>, StorageError> {
        let mut select = SURVEY_RESPONSES.select(self.scope);
        select.and_where(Expr::col("task_id").eq(task_id.as_uuid()));
        self.fetch_optional(built(&select))
            .await?
            .as_ref()
            .map(read_response)
            .transpose()
    }
}
