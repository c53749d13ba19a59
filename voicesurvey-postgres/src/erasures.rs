//! Erasures, and what remains of erased numbers.

use std::collections::{HashMap, HashSet};
use std::num::NonZeroU16;

use async_trait::async_trait;
use sea_query::{Expr, ExprTrait as _, Order};
use sqlx::postgres::PgRow;
use sqlx::types::Json;
use uuid::Uuid;
use voicesurvey_core::call_attempt::CallAttempt;
use voicesurvey_core::call_task::CallTask;
use voicesurvey_core::erasure::{ErasedRows, Erasure};
use voicesurvey_core::id::{CallAttemptId, CampaignId, CompanyId, ErasureId};
use voicesurvey_core::number_keys::{NumberHash, NumberKeyId};
use voicesurvey_core::phone_number::PhoneNumber;
use voicesurvey_core::ports::{ErasureRepository, Page, PageRequest, Scope, StorageError};
use voicesurvey_core::time::Timestamp;

use crate::call_attempts::{self, call_attempt};
use crate::call_tasks::{call_task, columns};
use crate::page;
use crate::row::Reader;
use crate::schema;
use crate::unit_of_work::PostgresUnitOfWork;

/// The first half of the keys of the locks under which companies erase people.
const ERASURES: i32 = 29_558;
/// How often somebody waits until an erasure has ended, each time as long as the store waits for
/// anything.
const HELD_OFF_TRIES: u8 = 6;

fn erasure(row: &PgRow) -> Result<Erasure, StorageError> {
    let row = Reader::new("erasures", row);
    Ok(Erasure {
        id: row.id("id")?,
        company_id: row.id("company_id")?,
        reason: row.get("reason")?,
        requested_by: row.id("requested_by")?,
        erased: row.document("erased")?,
        created_at: row.get("created_at")?,
    })
}

impl PostgresUnitOfWork {
    /// Runs a statement on rows of the company that belong to those identifiers.
    async fn of_ids(
        &mut self,
        statement: &'static str,
        company_id: CompanyId,
        ids: &[Uuid],
    ) -> Result<u64, StorageError> {
        let statement = sqlx::query(statement)
            .bind(company_id.as_uuid())
            .bind(ids.to_vec());
        self.execute(statement).await
    }

    /// Removes what was said in calls. Returns turns and conversations.
    pub(crate) async fn forget_calls(
        &mut self,
        company_id: CompanyId,
        attempts: &[Uuid],
    ) -> Result<(u64, u64), StorageError> {
        let turns = "DELETE FROM turns WHERE company_id = $1 AND attempt_id = ANY($2)";
        let held = "DELETE FROM conversations WHERE company_id = $1 AND attempt_id = ANY($2)";
        Ok((
            self.of_ids(turns, company_id, attempts).await?,
            self.of_ids(held, company_id, attempts).await?,
        ))
    }

    /// Takes number, name and further columns from tasks, and the number from their attempts. Returns
    /// how many attempts those were.
    pub(crate) async fn make_nobodys(
        &mut self,
        tasks: &[CallTask],
        company_id: CompanyId,
        now: Timestamp,
    ) -> Result<u64, StorageError> {
        let ids: Vec<Uuid> = tasks.iter().map(|task| task.id.as_uuid()).collect();
        let numbers = tasks.iter().map(|task| task.nobodys_number().to_string());
        let numbers: Vec<String> = numbers.collect();
        let update = sqlx::query(
            "UPDATE call_tasks AS task
             SET phone_number = nobody.phone_number, name = '', language = NULL,
                 time_zones = '{}', extra = '{}', updated_at = $4, version = task.version + 1
             FROM UNNEST($2::uuid[], $3::text[]) AS nobody (id, phone_number)
             WHERE task.company_id = $1 AND task.id = nobody.id",
        )
        .bind(company_id.as_uuid())
        .bind(ids.clone())
        .bind(numbers.clone())
        .bind(now);
        self.execute(update).await?;
        let update = sqlx::query(
            "UPDATE call_attempts AS attempt
             SET phone_number = nobody.phone_number,
                 provider_call_id = CASE WHEN price_due_at IS NOT NULL THEN provider_call_id END,
                 version = attempt.version + 1
             FROM UNNEST($2::uuid[], $3::text[]) AS nobody (task_id, phone_number)
             WHERE attempt.company_id = $1 AND attempt.task_id = nobody.task_id",
        )
        .bind(company_id.as_uuid())
        .bind(ids)
        .bind(numbers);
        self.execute(update).await
    }

    /// Keeps people of the company from being erased until the unit of work ends, and waits for
    /// whoever is erasing one. Any number of units of work may.
    pub(crate) async fn hold_off_erasures(
        &mut self,
        company_id: CompanyId,
    ) -> Result<(), StorageError> {
        let mut tries = 1;
        loop {
            // Two companies with one half of a key wait for each other in vain, and lose nothing.
            let hold = sqlx::query("SELECT pg_advisory_xact_lock_shared($1, hashtext($2))")
                .bind(ERASURES)
                .bind(company_id.to_string());
            match self.attempt_rows(hold).await {
                // The lock timeout: a long list is not to be lost for it.
                Err(StorageError::Conflict { .. }) if tries < HELD_OFF_TRIES => tries += 1,
                answer => return answer.map(drop),
            }
        }
    }

    /// Those of the numbers that the company has erased, with the erasure. `used` are the keys with
    /// which it has erased any.
    async fn erased_among(
        &mut self,
        company_id: CompanyId,
        used: &[NumberKeyId],
        numbers: &[PhoneNumber],
    ) -> Result<HashMap<PhoneNumber, ErasureId>, StorageError> {
        let hashes = self.keys.hashes(used, company_id, numbers);
        let hashes = hashes.map_err(|error| StorageError::Failed(Box::new(error)))?;
        if hashes.is_empty() {
            return Ok(HashMap::new());
        }
        let asked: Vec<Vec<u8>> = hashes.keys().map(|hash| hash.as_bytes().to_vec()).collect();
        let select = sqlx::query(
            "SELECT number_hash, erasure_id FROM erased_numbers
             WHERE company_id = $1 AND number_hash = ANY($2)",
        )
        .bind(company_id.as_uuid())
        .bind(asked);
        let mut erased = HashMap::new();
        for row in self.rows(select).await? {
            let row = Reader::new("erased_numbers", &row);
            let hash: Vec<u8> = row.get("number_hash")?;
            let number = NumberHash::from_bytes(&hash).and_then(|hash| hashes.get(&hash));
            if let Some(number) = number {
                erased.insert(*number, row.id("erasure_id")?);
            }
        }
        Ok(erased)
    }

    /// Those of the numbers that the scope's company has erased.
    pub(crate) async fn erased_numbers(
        &mut self,
        numbers: &[PhoneNumber],
    ) -> Result<HashMap<PhoneNumber, ErasureId>, StorageError> {
        let Scope::Company(company_id) = self.scope else {
            return Ok(HashMap::new());
        };
        let used = self.erasure_keys(company_id).await?;
        self.erased_among(company_id, &used, numbers).await
    }

    /// The keys with which any company has erased numbers.
    pub(crate) async fn all_erasure_keys(&mut self) -> Result<Vec<NumberKeyId>, StorageError> {
        let select = sqlx::query("SELECT DISTINCT key_id FROM erasure_keys");
        let rows = self.rows(select).await?;
        rows.iter().map(key_id).collect()
    }

    /// The keys with which the company has erased numbers.
    async fn erasure_keys(
        &mut self,
        company_id: CompanyId,
    ) -> Result<Vec<NumberKeyId>, StorageError> {
        let select = sqlx::query("SELECT key_id FROM erasure_keys WHERE company_id = $1")
            .bind(company_id.as_uuid());
        let rows = self.rows(select).await?;
        rows.iter().map(key_id).collect()
    }
}

/// The column `key_id`.
fn key_id(row: &PgRow) -> Result<NumberKeyId, StorageError> {
    let row = Reader::new("erasure_keys", row);
    let bytes: Vec<u8> = row.get("key_id")?;
    NumberKeyId::from_bytes(&bytes).ok_or_else(|| row.corrupt(&"key_id: not 8 bytes long"))
}

/// Rows in which the number stands, as `RowError::has_number` says: quotes are left between the cells
/// of a row, so that digits of two cells make no number. No index can find them, and people are
/// seldom erased.
const FORGET_UPLOAD_ERRORS: &str = r#"
    DELETE FROM upload_errors
    WHERE company_id = $1 AND (
        position($2 IN regexp_replace(original::text, '[^0-9"]', '', 'g')) > 0
        OR position($2 IN regexp_replace(value, '[^0-9]', '', 'g')) > 0
    )"#;

/// As the index of such calls says it.
const NOBODY_RECORDED: &str = "recording IS NOT NULL AND phone_number LIKE '+999%'";

/// Takes a number out of the further ones of other people.
const FORGET_OTHER_NUMBER: &str = "
    UPDATE call_tasks AS task
    SET extra = jsonb_strip_nulls(jsonb_set(extra, '{other_phone_numbers}', COALESCE(
            to_jsonb(NULLIF(array_to_string(array_remove(
                string_to_array(extra ->> 'other_phone_numbers', ', '), $2), ', '), '')),
            'null'))),
        updated_at = $3, version = version + 1
    WHERE company_id = $1 AND extra ? 'other_phone_numbers'
        AND $2 = ANY(string_to_array(extra ->> 'other_phone_numbers', ', '))
    RETURNING campaign_id";

/// Through the campaigns, because the index of numbers begins with them.
const TASKS_WITH_NUMBER: &str = concat!(
    "SELECT task.* FROM campaigns
     CROSS JOIN LATERAL (
         SELECT ",
    columns!(),
    "    FROM call_tasks
         WHERE company_id = campaigns.company_id AND campaign_id = campaigns.id
             AND phone_number = $2
         LIMIT 1
         FOR NO KEY UPDATE
     ) AS task
     WHERE campaigns.company_id = $1"
);

#[async_trait]
impl ErasureRepository for PostgresUnitOfWork {
    async fn take_turn(&mut self) -> Result<(), StorageError> {
        let turn = sqlx::query("SELECT pg_advisory_xact_lock($1, hashtext($2))")
            .bind(ERASURES)
            .bind(self.own_company()?.to_string());
        self.rows(turn).await.map(drop)
    }

    async fn hold_off(&mut self) -> Result<(), StorageError> {
        let company_id = self.own_company()?;
        self.hold_off_erasures(company_id).await
    }

    async fn count(&mut self) -> Result<u64, StorageError> {
        let select =
            sqlx::query("SELECT count(*) AS count FROM erased_numbers WHERE company_id = $1")
                .bind(self.own_company()?.as_uuid());
        let row = self.row(select).await?;
        row.map_or(Ok(0), |row| {
            Reader::new("erased_numbers", &row).number("count")
        })
    }

    async fn among(
        &mut self,
        phone_numbers: &[PhoneNumber],
    ) -> Result<HashSet<PhoneNumber>, StorageError> {
        let erased = self.erased_numbers(phone_numbers).await?;
        Ok(erased.into_keys().collect())
    }

    async fn tasks_with_number(
        &mut self,
        phone_number: &PhoneNumber,
    ) -> Result<Vec<CallTask>, StorageError> {
        let company_id = self.own_company()?;
        // Calls before their tasks, as news of calls lock them.
        let calls = sqlx::query(
            "SELECT id FROM call_attempts WHERE company_id = $1 AND phone_number = $2
             ORDER BY id FOR NO KEY UPDATE",
        )
        .bind(company_id.as_uuid())
        .bind(phone_number.to_string());
        self.rows(calls).await?;
        let select = sqlx::query(TASKS_WITH_NUMBER)
            .bind(company_id.as_uuid())
            .bind(phone_number.to_string());
        self.rows(select).await?.iter().map(call_task).collect()
    }

    async fn erase(
        &mut self,
        phone_number: &PhoneNumber,
        tasks: &[CallTask],
        now: Timestamp,
    ) -> Result<ErasedRows, StorageError> {
        let company_id = self.own_company()?;
        for task in tasks {
            self.permit(task.company_id)?;
        }
        let ids: Vec<Uuid> = tasks.iter().map(|task| task.id.as_uuid()).collect();
        let select = sqlx::query(
            "SELECT id, recording ->> 'provider_recording_id' IS NOT NULL AS is_recorded
             FROM call_attempts WHERE company_id = $1 AND task_id = ANY($2)",
        )
        .bind(company_id.as_uuid())
        .bind(ids.clone());
        let (mut attempts, mut recordings) = (Vec::<Uuid>::new(), 0);
        for row in self.rows(select).await? {
            let row = Reader::new("call_attempts", &row);
            attempts.push(row.get("id")?);
            recordings += u64::from(row.get::<bool>("is_recorded")?);
        }
        let (turns, conversations) = self.forget_calls(company_id, &attempts).await?;
        let consents = "DELETE FROM consents WHERE company_id = $1 AND attempt_id = ANY($2)";
        let revisions = "DELETE FROM answer_revisions AS revision USING answers AS answer
             WHERE revision.company_id = $1 AND answer.company_id = $1
                 AND answer.id = revision.answer_id AND answer.task_id = ANY($2)";
        let answers = "DELETE FROM answers WHERE company_id = $1 AND task_id = ANY($2)";
        let events = "DELETE FROM outbox_events
             WHERE company_id = $1 AND task_id = ANY($2::uuid[]::text[])";
        let told = "UPDATE call_events SET event = event - 'provider_call_id'
             WHERE company_id = $1 AND attempt_id = ANY($2)";
        self.of_ids(told, company_id, &attempts).await?;
        let mut exclusions = 0;
        for entries in [
            "DELETE FROM exclusions WHERE company_id = $1 AND phone_number = $2",
            "DELETE FROM exclusion_removals WHERE company_id = $1 AND phone_number = $2",
        ] {
            let delete = sqlx::query(entries).bind(company_id.as_uuid());
            exclusions += self.execute(delete.bind(phone_number.to_string())).await?;
        }
        let upload_errors = sqlx::query(FORGET_UPLOAD_ERRORS)
            .bind(company_id.as_uuid())
            .bind(phone_number.shared_digits());
        let upload_errors = self.execute(upload_errors).await?;
        Ok(ErasedRows {
            contacts: ids.len() as u64,
            calls: self.make_nobodys(tasks, company_id, now).await?,
            conversations,
            turns,
            consents: self.of_ids(consents, company_id, &attempts).await?,
            revisions: self.of_ids(revisions, company_id, &ids).await?,
            answers: self.of_ids(answers, company_id, &ids).await?,
            events: self.of_ids(events, company_id, &ids).await?,
            exclusions,
            upload_errors,
            recordings,
            ..ErasedRows::default()
        })
    }

    async fn forget_other_number(
        &mut self,
        phone_number: &PhoneNumber,
        now: Timestamp,
    ) -> Result<Vec<CampaignId>, StorageError> {
        let forget = sqlx::query(FORGET_OTHER_NUMBER)
            .bind(self.own_company()?.as_uuid())
            .bind(phone_number.to_string())
            .bind(now);
        let rows = self.rows(forget).await?;
        rows.iter()
            .map(|row| Reader::new("call_tasks", row).id("campaign_id"))
            .collect()
    }

    async fn keep_hash(
        &mut self,
        phone_number: &PhoneNumber,
        erasure_id: ErasureId,
        now: Timestamp,
    ) -> Result<bool, StorageError> {
        let company_id = self.own_company()?;
        if !self.erased_numbers(&[*phone_number]).await?.is_empty() {
            return Ok(true);
        }
        let Some((key_id, hash)) = self.keys.hash(company_id, phone_number) else {
            return Ok(false);
        };
        let insert = sqlx::query("INSERT INTO erasure_keys VALUES ($1, $2) ON CONFLICT DO NOTHING")
            .bind(company_id.as_uuid())
            .bind(key_id.as_bytes().to_vec());
        self.execute(insert).await?;
        let insert = sqlx::query(
            "INSERT INTO erased_numbers (company_id, number_hash, erasure_id, created_at)
             VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
        )
        .bind(company_id.as_uuid())
        .bind(hash.as_bytes().to_vec())
        .bind(erasure_id.as_uuid())
        .bind(now);
        self.execute(insert).await?;
        Ok(true)
    }

    async fn erasure_of(
        &mut self,
        phone_number: &PhoneNumber,
    ) -> Result<Option<ErasureId>, StorageError> {
        let erased = self.erased_numbers(&[*phone_number]).await?;
        Ok(erased.into_values().next())
    }

    async fn recorded_calls(
        &mut self,
        provider: &str,
        after: Option<CallAttemptId>,
        at_most: NonZeroU16,
    ) -> Result<Vec<CallAttempt>, StorageError> {
        let columns = call_attempts::columns!();
        let mut list = schema::select(columns, "call_attempts", self.scope);
        list.and_where(Expr::cust(NOBODY_RECORDED))
            .and_where(Expr::col("provider").eq(provider));
        if let Some(after) = after {
            list.and_where(Expr::col("id").gt(after.as_uuid()));
        }
        list.order_by("id", Order::Asc).limit(at_most.get().into());
        let rows = self.list(&list).await?;
        rows.iter().map(call_attempt).collect()
    }

    async fn forget_recording(&mut self, attempt: &CallAttempt) -> Result<bool, StorageError> {
        self.permit(attempt.company_id)?;
        let forget = sqlx::query(
            "UPDATE call_attempts SET recording = NULL, version = version + 1
             WHERE company_id = $1 AND id = $2 AND version = $3",
        )
        .bind(attempt.company_id.as_uuid())
        .bind(attempt.id.as_uuid())
        .bind(i64::from(attempt.version));
        if self.execute(forget).await? == 0 {
            return Ok(false);
        }
        let told = sqlx::query(
            "UPDATE call_events
             SET event = event #- '{kind,recording,url}'
                 #- '{kind,recording,provider_recording_id}'
             WHERE company_id = $1 AND attempt_id = $2 AND event #>> '{kind,kind}' = 'recorded'",
        )
        .bind(attempt.company_id.as_uuid())
        .bind(attempt.id.as_uuid());
        self.execute(told).await?;
        Ok(true)
    }

    async fn insert(&mut self, erasure: &Erasure) -> Result<(), StorageError> {
        self.permit(erasure.company_id)?;
        let insert = sqlx::query(
            "INSERT INTO erasures (company_id, id, reason, requested_by, erased, created_at)
             VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(erasure.company_id.as_uuid())
        .bind(erasure.id.as_uuid())
        .bind(erasure.reason.clone())
        .bind(erasure.requested_by.as_uuid())
        .bind(Json(erasure.erased))
        .bind(erasure.created_at);
        self.execute(insert).await?;
        Ok(())
    }

    async fn get(&mut self, id: ErasureId) -> Result<Option<Erasure>, StorageError> {
        let mut list = schema::select("*", "erasures", self.scope);
        list.and_where(Expr::col("id").eq(id.as_uuid()));
        self.list(&list).await?.first().map(erasure).transpose()
    }

    async fn list(&mut self, request: &PageRequest) -> Result<Page<Erasure>, StorageError> {
        let mut list = schema::select("*", "erasures", self.scope);
        if let Some(cursor) = &request.after {
            let before: Uuid = cursor.parse().map_err(|_| page::unknown_cursor())?;
            list.and_where(Expr::col("id").lt(before));
        }
        list.order_by("id", Order::Desc)
            .limit(u64::from(request.limit()) + 1);
        let rows = self.list(&list).await?;
        let erasures = rows.iter().map(erasure).collect::<Result<_, _>>()?;
        Ok(Page::from_rows(
            erasures,
            request.limit(),
            |row: &Erasure| row.id.to_string(),
        ))
    }
}
