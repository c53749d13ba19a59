//! From rows to what a conversation leaves behind.

use sqlx::postgres::PgRow;
use voicesurvey_core::conversation::{
    Answer, AnswerRevision, Consent, Conversation, Doubt, Speaker, SurveyResponse, Turn,
};
use voicesurvey_core::interpretation::{Confidence, InterpretedBy};
use voicesurvey_core::ports::StorageError;

use crate::row::Reader;

pub(crate) fn conversation(row: &PgRow) -> Result<Conversation, StorageError> {
    let row = Reader::new("conversations", row);
    Ok(Conversation {
        attempt_id: row.id("attempt_id")?,
        task_id: row.id("task_id")?,
        company_id: row.id("company_id")?,
        campaign_id: row.id("campaign_id")?,
        language: row.parsed("language")?,
        position: row.document("position")?,
        step: row.number("step")?,
        turns: row.number("turns")?,
        last_reply: row.document("last_reply")?,
        outcome: row.optional_parsed("outcome")?,
        started_at: row.get("started_at")?,
        version: row.number("version")?,
        memory: row.document("memory")?,
    })
}

pub(crate) fn turn(row: &PgRow) -> Result<Turn, StorageError> {
    let row = Reader::new("turns", row);
    Ok(Turn {
        id: row.id("id")?,
        company_id: row.id("company_id")?,
        attempt_id: row.id("attempt_id")?,
        sequence: row.number("sequence")?,
        speaker: row.named("speaker", Speaker::from_name)?,
        words: row.get("words")?,
        heard_with: row
            .optional_byte("heard_with")?
            .map(Confidence::from_hundredths),
        interpretation: row.optional_document("interpretation")?,
        question_key: row.get("question_key")?,
        at: row.get("said_at")?,
    })
}

pub(crate) fn answer(row: &PgRow) -> Result<Answer, StorageError> {
    let row = Reader::new("answers", row);
    Ok(Answer {
        id: row.id("id")?,
        company_id: row.id("company_id")?,
        campaign_id: row.id("campaign_id")?,
        task_id: row.id("task_id")?,
        attempt_id: row.id("attempt_id")?,
        question_key: row.get("question_key")?,
        result: row.document("result")?,
        words: row.get("words")?,
        confidence: Confidence::from_hundredths(row.byte("confidence")?),
        interpreted_by: row.named("interpreted_by", interpreted_by)?,
        repeats: row.byte("repeats")?,
        turn_id: row.id("turn_id")?,
        at: row.get("given_at")?,
        doubt: row.optional_named("doubt", Doubt::from_name)?,
        revision: row.number("revision")?,
        reviewed_at: row.instant("reviewed_at")?,
        reviewed_by: row.optional_id("reviewed_by")?,
    })
}

pub(crate) fn revision(row: &PgRow) -> Result<AnswerRevision, StorageError> {
    let row = Reader::new("answer_revisions", row);
    Ok(AnswerRevision {
        answer_id: row.id("answer_id")?,
        company_id: row.id("company_id")?,
        number: row.number("number")?,
        result: row.document("result")?,
        confidence: Confidence::from_hundredths(row.byte("confidence")?),
        interpreted_by: row.named("interpreted_by", interpreted_by)?,
        note: row.get("note")?,
        replaced_at: row.get("replaced_at")?,
        replaced_by: row.id("replaced_by")?,
    })
}

fn interpreted_by(name: &str) -> Option<InterpretedBy> {
    use InterpretedBy::{Keypad, LanguageModel, Rules, Staff};
    [Rules, LanguageModel, Keypad, Staff]
        .into_iter()
        .find(|by| by.name() == name)
}

pub(crate) fn consent(row: &PgRow) -> Result<Consent, StorageError> {
    let row = Reader::new("consents", row);
    Ok(Consent {
        attempt_id: row.id("attempt_id")?,
        company_id: row.id("company_id")?,
        task_id: row.id("task_id")?,
        given: row.get("given")?,
        text: row.get("text")?,
        language: row.parsed("language")?,
        turn_id: row.id("turn_id")?,
        at: row.get("given_at")?,
        text_version: row.get("text_version")?,
        interpreted_by: row.named("interpreted_by", interpreted_by)?,
    })
}

pub(crate) fn survey_response(row: &PgRow) -> Result<SurveyResponse, StorageError> {
    let row = Reader::new("survey_responses", row);
    Ok(SurveyResponse {
        id: row.id("id")?,
        company_id: row.id("company_id")?,
        campaign_id: row.id("campaign_id")?,
        task_id: row.id("task_id")?,
        attempt_id: row.id("attempt_id")?,
        complete: row.get("complete")?,
        started_at: row.get("started_at")?,
        ended_at: row.get("ended_at")?,
    })
}
