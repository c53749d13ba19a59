//! Retention: what companies keep, and forgetting the rest.

use std::collections::BTreeSet;
use std::num::NonZeroU16;

use async_trait::async_trait;
use sqlx::types::Json;
use uuid::Uuid;
use voicesurvey_core::call_task::CallTask;
use voicesurvey_core::erasure::Retention;
use voicesurvey_core::id::{CampaignId, CompanyId, first_at};
use voicesurvey_core::ports::{ExportRepository as _, RetentionRepository, StorageError};
use voicesurvey_core::time::Timestamp;

use crate::call_tasks::{call_task, columns};
use crate::row::Reader;
use crate::unit_of_work::PostgresUnitOfWork;

/// Conversations whose call has ended and whose words are still known, the oldest first.
const OLD_CONVERSATIONS: &str = "
    SELECT held.attempt_id, held.task_id FROM conversations AS held
    WHERE held.company_id = $1 AND held.attempt_id < $2 AND NOT held.is_forgotten
        AND NOT EXISTS (
            SELECT FROM call_attempts AS attempt
            WHERE attempt.company_id = held.company_id AND attempt.id = held.attempt_id
                AND attempt.state <> 'ended'
        )
    ORDER BY held.attempt_id
    LIMIT $3
    FOR UPDATE OF held";

/// What was said in those calls. The rows stay: which question was put when, and in which language,
/// is no word, and results are made of it.
const FORGET_TURNS: &str = "
    UPDATE turns SET words = '', interpretation = NULL
    WHERE company_id = $1 AND attempt_id = ANY ($2)
        AND (words <> '' OR interpretation IS NOT NULL)";

/// What conversations would say again, and a value that was read back.
const FORGET_CONVERSATIONS: &str = r#"
    UPDATE conversations
    SET is_forgotten = true, memory = memory - 'pending',
        last_reply = last_reply || '{"say": [], "firm": 0, "then": {"then": "hang_up"}}'
    WHERE company_id = $1 AND attempt_id = ANY ($2) AND NOT is_forgotten"#;

/// Answers that are still known, in campaigns that ended before.
const OLD_ANSWERS: &str = "
    SELECT answer.id, answer.task_id, campaign.id AS campaign_id FROM campaigns AS campaign
    CROSS JOIN LATERAL (
        SELECT id, task_id FROM answers
        WHERE company_id = campaign.company_id AND campaign_id = campaign.id
            AND result ->> 'result' <> 'forgotten'
        ORDER BY id
        LIMIT $3
        FOR UPDATE
    ) AS answer
    WHERE campaign.company_id = $1 AND campaign.ended_at < $2
    LIMIT $3";

/// That something is stored for the question stays, with the time that it took.
const FORGET_ANSWERS: &str = r#"
    UPDATE answers SET result = '{"result": "forgotten"}', words = '', doubt = NULL
    WHERE company_id = $1 AND id = ANY ($2)"#;

const FORGET_REVISIONS: &str =
    "DELETE FROM answer_revisions WHERE company_id = $1 AND answer_id = ANY ($2)";

/// The oldest events for subscribers; their identifiers tell when they were made.
const FORGET_EVENTS: &str = "
    DELETE FROM outbox_events WHERE company_id = $1 AND id = ANY (ARRAY(
        SELECT id FROM outbox_events WHERE company_id = $1 AND id < $2 ORDER BY id LIMIT $3
    ))";

/// Tasks that have ended in campaigns that ended before, and are still somebody's. A number that is
/// nobody's sorts after all others, so each campaign is read from its first number that is not.
const OLD_CONTACTS: &str = concat!(
    "SELECT task.* FROM campaigns AS campaign
     CROSS JOIN LATERAL (
         SELECT ",
    columns!(),
    "    FROM call_tasks
         WHERE company_id = campaign.company_id AND campaign_id = campaign.id
             AND phone_number < '+999'
             AND status NOT IN ('pending', 'retry', 'in_progress')
             AND NOT EXISTS (
                 SELECT FROM call_attempts AS attempt
                 WHERE attempt.company_id = call_tasks.company_id
                     AND attempt.task_id = call_tasks.id AND attempt.state <> 'ended'
             )
         ORDER BY phone_number
         LIMIT $3
         FOR NO KEY UPDATE
     ) AS task
     WHERE campaign.company_id = $1 AND campaign.ended_at < $2
     LIMIT $3"
);

/// Rows that were not taken of uploads to campaigns that ended before.
const FORGET_UPLOAD_ERRORS: &str = "
    DELETE FROM upload_errors AS error
    USING (
        SELECT rejected.upload_id, rejected.row_number
        FROM campaigns AS campaign
        JOIN uploads AS upload
            ON upload.company_id = campaign.company_id AND upload.campaign_id = campaign.id
        CROSS JOIN LATERAL (
            SELECT upload_id, row_number FROM upload_errors
            WHERE company_id = upload.company_id AND upload_id = upload.id
            ORDER BY row_number
            LIMIT $3
        ) AS rejected
        WHERE campaign.company_id = $1 AND campaign.ended_at < $2
        LIMIT $3
    ) AS old
    WHERE error.company_id = $1 AND error.upload_id = old.upload_id
        AND error.row_number = old.row_number";

/// By their names at the provider its calls could be found, and by these the numbers.
const FORGET_PROVIDER_CALLS: &str = "
    UPDATE call_events AS told SET event = told.event - 'provider_call_id'
    FROM call_attempts AS attempt
    WHERE attempt.company_id = $1 AND attempt.task_id = ANY ($2)
        AND told.company_id = $1 AND told.attempt_id = attempt.id";

/// Files are named after people, too.
const FORGET_FILE_NAMES: &str = "
    UPDATE uploads AS upload SET file_name = ''
    FROM campaigns AS campaign
    WHERE campaign.company_id = $1 AND campaign.ended_at < $2
        AND upload.company_id = $1 AND upload.campaign_id = campaign.id
        AND upload.file_name <> ''";

impl PostgresUnitOfWork {
    /// Forgets what was said in calls, and keeps that something was.
    async fn forget_words_of(
        &mut self,
        company_id: CompanyId,
        attempts: &[Uuid],
    ) -> Result<(), StorageError> {
        for forget in [FORGET_TURNS, FORGET_CONVERSATIONS] {
            let forget = sqlx::query(forget)
                .bind(company_id.as_uuid())
                .bind(attempts.to_vec());
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
            .bind(before)
            .bind(i64::from(at_most.get()));
        let (mut answers, mut tasks) = (Vec::<Uuid>::new(), Vec::<Uuid>::new());
        let mut campaigns = BTreeSet::new();
        for row in self.rows(select.persistent(false)).await? {
            let row = Reader::new("answers", &row);
            campaigns.insert(row.id("campaign_id")?);
            answers.push(row.get("id")?);
            tasks.push(row.get("task_id")?);
        }
        for forget in [FORGET_ANSWERS, FORGET_REVISIONS] {
            let forget = sqlx::query(forget)
                .bind(company_id.as_uuid())
                .bind(answers.clone());
            self.execute(forget).await?;
        }
        let select = sqlx::query(
            "SELECT id FROM call_attempts
             WHERE company_id = $1 AND task_id = ANY ($2) AND state = 'ended'",
        )
        .bind(company_id.as_uuid())
        .bind(tasks);
        let rows = self.rows(select).await?;
        let attempts = rows
            .iter()
            .map(|row| Reader::new("call_attempts", row).get("id"));
        let attempts: Vec<Uuid> = attempts.collect::<Result<_, _>>()?;
        self.forget_words_of(company_id, &attempts).await?;
        self.withdraw_files_of(campaigns).await?;
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
impl RetentionRepository for PostgresUnitOfWork {
    async fn get(&mut self) -> Result<Retention, StorageError> {
        let select = sqlx::query("SELECT retention FROM company_retention WHERE company_id = $1")
            .bind(self.own_company()?.as_uuid());
        let row = self.row(select).await?;
        row.map_or(Ok(Retention::default()), |row| {
            Reader::new("company_retention", &row).document("retention")
        })
    }

    async fn set(&mut self, retention: &Retention) -> Result<(), StorageError> {
        let set = sqlx::query(
            "INSERT INTO company_retention (company_id, retention) VALUES ($1, $2)
             ON CONFLICT (company_id) DO UPDATE SET retention = excluded.retention",
        )
        .bind(self.own_company()?.as_uuid())
        .bind(Json(*retention));
        self.execute(set).await?;
        Ok(())
    }

    async fn companies(&mut self) -> Result<Vec<(CompanyId, Retention)>, StorageError> {
        let select = sqlx::query("SELECT company_id, retention FROM company_retention");
        let rows = self.rows(select).await?;
        let companies = rows.iter().map(|row| {
            let row = Reader::new("company_retention", row);
            Ok((row.id("company_id")?, row.document("retention")?))
        });
        let companies: Vec<(_, Retention)> = companies.collect::<Result<_, StorageError>>()?;
        let forgets = |(_, retention): &(CompanyId, Retention)| !retention.keeps_all();
        Ok(companies.into_iter().filter(forgets).collect())
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
            .bind(i64::from(at_most.get()));
        let (mut attempts, mut tasks) = (Vec::<Uuid>::new(), Vec::<Uuid>::new());
        for row in self.rows(select.persistent(false)).await? {
            let row = Reader::new("conversations", &row);
            attempts.push(row.get("attempt_id")?);
            tasks.push(row.get("task_id")?);
        }
        self.forget_words_of(company_id, &attempts).await?;
        let words = sqlx::query(
            "UPDATE answers AS answer SET words = ''
             FROM UNNEST($2::uuid[], $3::uuid[]) AS call (attempt_id, task_id)
             WHERE answer.company_id = $1 AND answer.task_id = call.task_id
                 AND answer.attempt_id = call.attempt_id",
        )
        .bind(company_id.as_uuid())
        .bind(attempts.clone())
        .bind(tasks);
        self.execute(words).await?;
        Ok(attempts.len() as u64)
    }

    async fn forget_answers(
        &mut self,
        before: Timestamp,
        at_most: NonZeroU16,
    ) -> Result<u64, StorageError> {
        let company_id = self.own_company()?;
        let answers = self.forget_old_answers(company_id, before, at_most).await?;
        let events = sqlx::query(FORGET_EVENTS)
            .bind(company_id.as_uuid())
            .bind(first_at::<Uuid>(before))
            .bind(i64::from(at_most.get()));
        let events = self.execute(events.persistent(false)).await?;
        Ok(answers.max(events))
    }

    async fn forget_contacts(
        &mut self,
        before: Timestamp,
        now: Timestamp,
        at_most: NonZeroU16,
    ) -> Result<u64, StorageError> {
        let company_id = self.own_company()?;
        let select = sqlx::query(OLD_CONTACTS)
            .bind(company_id.as_uuid())
            .bind(before)
            .bind(i64::from(at_most.get()));
        let rows = self.rows(select.persistent(false)).await?;
        let tasks: Vec<CallTask> = rows.iter().map(call_task).collect::<Result<_, _>>()?;
        let campaigns = tasks.iter().map(|task| task.campaign_id).collect();
        let ids = tasks.iter().map(|task| task.id.as_uuid());
        let provider_calls = sqlx::query(FORGET_PROVIDER_CALLS)
            .bind(company_id.as_uuid())
            .bind(ids.collect::<Vec<_>>());
        self.execute(provider_calls).await?;
        let file_names = sqlx::query(FORGET_FILE_NAMES)
            .bind(company_id.as_uuid())
            .bind(before);
        self.execute(file_names).await?;
        self.make_nobodys(&tasks, company_id, now).await?;
        self.withdraw_files_of(campaigns).await?;
        let rejected = sqlx::query(FORGET_UPLOAD_ERRORS)
            .bind(company_id.as_uuid())
            .bind(before)
            .bind(i64::from(at_most.get()));
        let rejected = self.execute(rejected.persistent(false)).await?;
        Ok(rejected.max(tasks.len() as u64))
    }
}
