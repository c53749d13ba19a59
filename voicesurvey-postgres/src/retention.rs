//! Retention: what companies keep, and forgetting the rest.

use std::num::NonZeroU16;

use async_trait::async_trait;
use sqlx::types::Json;
use uuid::Uuid;
use voicesurvey_core::call_task::CallTask;
use voicesurvey_core::erasure::Retention;
use voicesurvey_core::id::{CompanyId, first_at};
use voicesurvey_core::ports::{RetentionRepository, StorageError};
use voicesurvey_core::time::Timestamp;

use crate::call_tasks::{call_task, columns};
use crate::row::Reader;
use crate::unit_of_work::PostgresUnitOfWork;

/// Conversations whose call has ended, the oldest first.
const OLD_CONVERSATIONS: &str = "
    SELECT held.attempt_id, held.task_id FROM conversations AS held
    WHERE held.company_id = $1 AND held.attempt_id < $2
        AND NOT EXISTS (
            SELECT FROM call_attempts AS attempt
            WHERE attempt.company_id = held.company_id AND attempt.id = held.attempt_id
                AND attempt.state <> 'ended'
        )
    ORDER BY held.attempt_id
    LIMIT $3
    FOR UPDATE OF held";

/// Deletes the oldest rows of a table; their identifiers tell when they were made.
macro_rules! delete_oldest {
    ($table:literal) => {
        concat!(
            "DELETE FROM ",
            $table,
            " WHERE company_id = $1 AND id = ANY (ARRAY(
                 SELECT id FROM ",
            $table,
            "    WHERE company_id = $1 AND id < $2 ORDER BY id LIMIT $3
             ))"
        )
    };
}

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
        self.forget_calls(company_id, &attempts).await?;
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
        let mut most = 0;
        // What answers were before goes with them.
        for delete in [delete_oldest!("answers"), delete_oldest!("outbox_events")] {
            let delete = sqlx::query(delete)
                .bind(company_id.as_uuid())
                .bind(first_at::<Uuid>(before))
                .bind(i64::from(at_most.get()));
            most = most.max(self.execute(delete.persistent(false)).await?);
        }
        Ok(most)
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
        self.make_nobodys(&tasks, company_id, now).await?;
        let rejected = sqlx::query(FORGET_UPLOAD_ERRORS)
            .bind(company_id.as_uuid())
            .bind(before)
            .bind(i64::from(at_most.get()));
        let rejected = self.execute(rejected.persistent(false)).await?;
        Ok(rejected.max(tasks.len() as u64))
    }
}
