//! Retention: what companies keep, and forgetting the rest.

use std::collections::BTreeSet;
use std::num::NonZeroU16;

use async_trait::async_trait;
use uuid::Uuid;
use voicesurvey_core::erasure::Retention;
use voicesurvey_core::id::{CampaignId, CompanyId, first_at};
use voicesurvey_core::ports::{ExportRepository as _, RetentionRepository, StorageError};
use voicesurvey_core::time::Timestamp;

use crate::call_tasks;
use crate::row::{Row, json, micros, read_all};
use crate::schema::{ANSWERS, CALL_ATTEMPTS, COMPANY_RETENTION};
use crate::unit_of_work::SqliteUnitOfWork;

/// Conversations whose call has ended and whose words are still known, the oldest first.
const OLD_CONVERSATIONS: &str = "
    SELECT held.attempt_id, held.task_id FROM conversations AS held
    WHERE held.company_id = ?1 AND held.attempt_id < ?2 AND held.is_forgotten = 0
      AND NOT EXISTS (SELECT 1 FROM call_attempts AS attempt
                      WHERE attempt.company_id = held.company_id
                        AND attempt.id = held.attempt_id AND attempt.state <> 'ended')
    ORDER BY held.attempt_id
    LIMIT ?3";

const FORGET_WORDS: &str = "
    UPDATE answers SET words = '' WHERE company_id = ?1 AND task_id = ?2 AND attempt_id = ?3";

/// What was said in a call. The rows stay: which question was put when, and in which language, is no
/// word, and results are made of it.
const FORGET_TURNS: &str = "
    UPDATE turns SET words = '', interpretation = NULL WHERE company_id = ?1 AND attempt_id = ?2";

/// What a conversation would say again, and a value that was read back.
const FORGET_CONVERSATION: &str = r#"
    UPDATE conversations
    SET is_forgotten = 1, memory = json_remove(memory, '$.pending'),
        last_reply = json_set(last_reply, '$.say', json('[]'), '$.firm', 0,
                              '$.then', json('{"then": "hang_up"}'))
    WHERE company_id = ?1 AND attempt_id = ?2"#;

/// Answers that are still known, in campaigns that ended before.
const OLD_ANSWERS: &str = "
    SELECT answer.id, answer.task_id, campaign.id AS campaign_id FROM campaigns AS campaign
    -- In this order, which SQLite would else turn round.
    CROSS JOIN answers AS answer
    WHERE answer.company_id = campaign.company_id AND answer.campaign_id = campaign.id
      AND answer.result ->> 'result' <> 'forgotten'
      AND campaign.company_id = ?1 AND campaign.ended_at < ?2
    LIMIT ?3";

/// That something is stored for the question stays, with the time that it took.
const FORGET_ANSWER: &str = r#"
    UPDATE answers SET result = '{"result":"forgotten"}', words = '', doubt = NULL
    WHERE company_id = ?1 AND id = ?2"#;

const FORGET_REVISIONS: &str =
    "DELETE FROM answer_revisions WHERE company_id = ?1 AND answer_id = ?2";

/// Calls of a task that have ended.
const ENDED_CALLS: &str = "
    SELECT id FROM call_attempts WHERE company_id = ?1 AND task_id = ?2 AND state = 'ended'";

/// The oldest events for subscribers.
const OLD_EVENTS: &str = "
    DELETE FROM outbox_events WHERE company_id = ?1 AND id IN (
        SELECT id FROM outbox_events WHERE company_id = ?1 AND id < ?2 ORDER BY id LIMIT ?3)";

/// Tasks that have ended in campaigns that ended before, and are still somebody's.
const OLD_CONTACTS: &str = "
    SELECT task.* FROM campaigns AS campaign
    -- In this order, which SQLite would else turn round.
    CROSS JOIN call_tasks AS task
    WHERE task.company_id = campaign.company_id AND task.campaign_id = campaign.id
      AND task.phone_number < '+999'
      AND campaign.company_id = ?1 AND campaign.ended_at < ?2
      AND task.status NOT IN ('pending', 'retry', 'in_progress')
      AND NOT EXISTS (SELECT 1 FROM call_attempts AS attempt
                      WHERE attempt.company_id = task.company_id
                        AND attempt.task_id = task.id AND attempt.state <> 'ended')
    LIMIT ?3";

/// Rows that were not taken of uploads to campaigns that ended before.
const FORGET_UPLOAD_ERRORS: &str = "
    DELETE FROM upload_errors
    WHERE company_id = ?1 AND (upload_id, row_number) IN (
        SELECT rejected.upload_id, rejected.row_number
        FROM campaigns AS campaign
        -- In this order, which SQLite would else turn round.
        CROSS JOIN uploads AS upload
        CROSS JOIN upload_errors AS rejected
        WHERE campaign.company_id = ?1 AND campaign.ended_at < ?2
          AND upload.company_id = campaign.company_id AND upload.campaign_id = campaign.id
          AND rejected.company_id = upload.company_id AND rejected.upload_id = upload.id
        LIMIT ?3)";

/// By their names at the provider its calls could be found, and by these the numbers.
const FORGET_PROVIDER_CALLS: &str = "
    UPDATE provider_events SET body = json_remove(body, '$.provider_call_id')
    WHERE company_id = ?1 AND attempt_id IN (
        SELECT id FROM call_attempts WHERE company_id = ?1 AND task_id = ?2)";

/// Files are named after people, too.
const FORGET_FILE_NAMES: &str = "
    UPDATE uploads SET file_name = ''
    WHERE company_id = ?1 AND file_name <> '' AND campaign_id IN (
        SELECT id FROM campaigns WHERE company_id = ?1 AND ended_at < ?2)";

impl SqliteUnitOfWork {
    /// Forgets what was said in a call, and keeps that something was.
    async fn forget_words_of(
        &mut self,
        company_id: CompanyId,
        attempt: Uuid,
    ) -> Result<(), StorageError> {
        for forget in [FORGET_TURNS, FORGET_CONVERSATION] {
            let forget = sqlx::query(forget).bind(company_id.as_uuid()).bind(attempt);
            self.execute(forget).await?;
        }
        Ok(())
    }

    /// Forgets answers, and what was said in the calls of those who gave them.
    async fn forget_old_answers(
        &mut self,
        company_id: CompanyId,
        before: Timestamp,
        at_most: NonZeroU16,
    ) -> Result<u64, StorageError> {
        let select = sqlx::query(OLD_ANSWERS)
            .bind(company_id.as_uuid())
            .bind(micros(before))
            .bind(at_most.get());
        let rows = self.fetch_all(select).await?;
        let answers: Vec<(Uuid, Uuid, CampaignId)> = read_all(&rows, |row| {
            let row = Row::new(row, ANSWERS.name);
            Ok((row.get("id")?, row.get("task_id")?, row.id("campaign_id")?))
        })?;
        for (answer, ..) in &answers {
            for forget in [FORGET_ANSWER, FORGET_REVISIONS] {
                let forget = sqlx::query(forget).bind(company_id.as_uuid()).bind(*answer);
                self.execute(forget).await?;
            }
        }
        let tasks: BTreeSet<Uuid> = answers.iter().map(|(_, task, _)| *task).collect();
        for task in tasks {
            let select = sqlx::query(ENDED_CALLS)
                .bind(company_id.as_uuid())
                .bind(task);
            let rows = self.fetch_all(select).await?;
            let calls: Vec<Uuid> =
                read_all(&rows, |row| Row::new(row, CALL_ATTEMPTS.name).get("id"))?;
            for call in calls {
                self.forget_words_of(company_id, call).await?;
            }
        }
        self.withdraw_files_of(answers.iter().map(|(.., campaign)| *campaign).collect())
            .await?;
        Ok(answers.len() as u64)
    }

    /// Takes back the files that were made of campaigns of which something was forgotten.
    async fn withdraw_files_of(
        &mut self,
        campaigns: BTreeSet<CampaignId>,
    ) -> Result<(), StorageError> {
        let campaigns: Vec<CampaignId> = campaigns.into_iter().collect();
        self.withdraw(&campaigns).await?;
        Ok(())
    }
}

#[async_trait]
impl RetentionRepository for SqliteUnitOfWork {
    async fn get(&mut self) -> Result<Retention, StorageError> {
        let select = sqlx::query("SELECT retention FROM company_retention WHERE company_id = ?1")
            .bind(self.own_company()?.as_uuid());
        let row = self.fetch_optional(select).await?;
        row.map_or(Ok(Retention::default()), |row| {
            Row::new(&row, COMPANY_RETENTION.name).document("retention")
        })
    }

    async fn set(&mut self, retention: &Retention) -> Result<(), StorageError> {
        let set = sqlx::query(
            "INSERT INTO company_retention (company_id, retention) VALUES (?1, ?2)
             ON CONFLICT (company_id) DO UPDATE SET retention = excluded.retention",
        )
        .bind(self.own_company()?.as_uuid())
        .bind(json(retention)?);
        self.execute(set).await?;
        Ok(())
    }

    async fn companies(&mut self) -> Result<Vec<(CompanyId, Retention)>, StorageError> {
        let select = sqlx::query("SELECT company_id, retention FROM company_retention");
        let rows = self.fetch_all(select).await?;
        let mut companies = read_all(&rows, |row| {
            let row = Row::new(row, COMPANY_RETENTION.name);
            Ok((row.id("company_id")?, row.document("retention")?))
        })?;
        companies.retain(|(_, retention): &(CompanyId, Retention)| !retention.keeps_all());
        Ok(companies)
    }

    async fn forget_words(
        &mut self,
        before: Timestamp,
        at_most: NonZeroU16,
    ) -> Result<u64, StorageError> {
        let company_id = self.own_company()?;
        let select = sqlx::query(OLD_CONVERSATIONS)
            .bind(company_id.as_uuid())
            .bind(first_at::<Uuid>(before))
            .bind(at_most.get());
        let rows = self.fetch_all(select).await?;
        let calls: Vec<(Uuid, Uuid)> = read_all(&rows, |row| {
            let row = Row::new(row, "conversations");
            Ok((row.get("attempt_id")?, row.get("task_id")?))
        })?;
        for (attempt, task) in &calls {
            self.forget_words_of(company_id, *attempt).await?;
            let words = sqlx::query(FORGET_WORDS)
                .bind(company_id.as_uuid())
                .bind(*task)
                .bind(*attempt);
            self.execute(words).await?;
        }
        Ok(calls.len() as u64)
    }

    async fn forget_answers(
        &mut self,
        before: Timestamp,
        at_most: NonZeroU16,
    ) -> Result<u64, StorageError> {
        let company_id = self.own_company()?;
        let answers = self.forget_old_answers(company_id, before, at_most).await?;
        let events = sqlx::query(OLD_EVENTS)
            .bind(company_id.as_uuid())
            .bind(first_at::<Uuid>(before))
            .bind(at_most.get());
        Ok(answers.max(self.execute(events).await?))
    }

    async fn forget_contacts(
        &mut self,
        before: Timestamp,
        now: Timestamp,
        at_most: NonZeroU16,
    ) -> Result<u64, StorageError> {
        let company_id = self.own_company()?;
        let file_names = sqlx::query(FORGET_FILE_NAMES)
            .bind(company_id.as_uuid())
            .bind(micros(before));
        self.execute(file_names).await?;
        let select = sqlx::query(OLD_CONTACTS)
            .bind(company_id.as_uuid())
            .bind(micros(before))
            .bind(at_most.get());
        let tasks = read_all(&self.fetch_all(select).await?, call_tasks::read)?;
        for task in &tasks {
            let provider_calls = sqlx::query(FORGET_PROVIDER_CALLS)
                .bind(company_id.as_uuid())
                .bind(task.id.as_uuid());
            self.execute(provider_calls).await?;
            self.make_nobodys(task, now).await?;
        }
        self.withdraw_files_of(tasks.iter().map(|task| task.campaign_id).collect())
            .await?;
        let rejected = sqlx::query(FORGET_UPLOAD_ERRORS)
            .bind(company_id.as_uuid())
            .bind(micros(before))
            .bind(at_most.get());
        let rejected = self.execute(rejected).await?;
        Ok(rejected.max(tasks.len() as u64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query_plan::assert_uses;

    #[tokio::test]
    async fn what_is_old_is_found_by_indexes() {
        let words = "conversations_to_forget (company_id=? AND attempt_id<?)";
        assert_uses(OLD_CONVERSATIONS, &[words]).await;
        let answers = "answers_to_forget (company_id=? AND campaign_id=?)";
        assert_uses(OLD_ANSWERS, &[answers]).await;
        assert_uses(OLD_EVENTS, &["(company_id=? AND id<?)"]).await;
        let by_number = "(company_id=? AND campaign_id=? AND phone_number<?)";
        assert_uses(OLD_CONTACTS, &[by_number]).await;
        let by_upload = "(company_id=? AND upload_id=?)";
        assert_uses(FORGET_UPLOAD_ERRORS, &[by_upload]).await;
    }
}
