//! Erasures, and what remains of erased numbers.

use std::collections::{HashMap, HashSet};
use std::num::NonZeroU16;

use async_trait::async_trait;
use sea_query::{Expr, ExprTrait, Order, SelectStatement};
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;
use uuid::Uuid;
use voicesurvey_core::call_attempt::CallAttempt;
use voicesurvey_core::call_task::CallTask;
use voicesurvey_core::erasure::{ErasedRows, Erasure};
use voicesurvey_core::id::{CallAttemptId, CampaignId, CompanyId, ErasureId};
use voicesurvey_core::number_keys::{NumberHash, NumberKeyId};
use voicesurvey_core::phone_number::PhoneNumber;
use voicesurvey_core::ports::{ErasureRepository, Page, PageRequest, Scope, StorageError};
use voicesurvey_core::time::Timestamp;

use crate::call_attempts;
use crate::call_lists;
use crate::call_tasks;
use crate::error::storage_error;
use crate::page;
use crate::row::{Row, json, micros, read_all};
use crate::schema::{CALL_ATTEMPTS, ERASED_NUMBERS, ERASURE_KEYS, ERASURES, UPLOAD_ERRORS};
use crate::unit_of_work::{SqliteUnitOfWork, built};

/// Through the campaigns, because the index of numbers begins with them.
const TASKS_WITH_NUMBER: &str = "
    SELECT task.* FROM campaigns AS campaign
    -- In this order, which SQLite would else turn round.
    CROSS JOIN call_tasks AS task
    WHERE task.company_id = campaign.company_id AND task.campaign_id = campaign.id
      AND task.phone_number = ?2
      AND campaign.company_id = ?1";

/// Rows of uploads that were not taken, some at a time, in the order of their key.
const SOME_UPLOAD_ERRORS: &str = "
    SELECT upload_id, row_number, column_name, value, reason, original FROM upload_errors
    WHERE company_id = ?1 AND (upload_id, row_number) > (?2, ?3)
    ORDER BY upload_id, row_number
    LIMIT ?4";

/// Contacts in whose further numbers these digits stand.
const WITH_FURTHER_NUMBER: &str = "
    SELECT * FROM call_tasks
    WHERE company_id = ?1 AND extra ->> 'other_phone_numbers' IS NOT NULL
      AND instr(extra ->> 'other_phone_numbers', ?2) > 0";

/// What subscribers were told of a task.
const FORGET_EVENTS: &str =
    "DELETE FROM outbox_events WHERE company_id = ?1 AND body ->> 'task_id' = ?2";

/// Rows that are read at once.
const ROWS_AT_ONCE: u16 = 1_000;

/// Calls to people who are nobody any more, of whose recording something is known.
fn recorded_calls(
    scope: Scope,
    provider: &str,
    after: Option<CallAttemptId>,
    at_most: NonZeroU16,
) -> SelectStatement {
    let mut select = CALL_ATTEMPTS.select(scope);
    select
        // As the index of such calls says it.
        .and_where(Expr::cust("recording IS NOT NULL"))
        .and_where(Expr::cust("phone_number LIKE '+999%'"))
        .and_where(Expr::col("provider").eq(provider));
    if let Some(after) = after {
        select.and_where(Expr::col("id").gt(after.as_uuid()));
    }
    select
        .order_by("id", Order::Asc)
        .limit(at_most.get().into())
        .take()
}

fn read(row: &SqliteRow) -> Result<Erasure, StorageError> {
    let row = Row::new(row, ERASURES.name);
    Ok(Erasure {
        id: row.id("id")?,
        company_id: row.id("company_id")?,
        reason: row.get("reason")?,
        requested_by: row.id("requested_by")?,
        erased: row.document("erased")?,
        created_at: row.instant("created_at")?,
    })
}

impl SqliteUnitOfWork {
    /// Runs a statement on the row of the company that has that identifier.
    async fn of_id(
        &mut self,
        statement: &'static str,
        company_id: CompanyId,
        id: Uuid,
    ) -> Result<u64, StorageError> {
        let statement = sqlx::query(statement).bind(company_id.as_uuid()).bind(id);
        self.execute(statement).await
    }

    /// The attempts of a task, and whether the provider has recorded them.
    async fn attempts_of_task(
        &mut self,
        company_id: CompanyId,
        task: Uuid,
    ) -> Result<Vec<(Uuid, bool)>, StorageError> {
        let select = sqlx::query(
            "SELECT id, recording ->> 'provider_recording_id' IS NOT NULL AS is_recorded
             FROM call_attempts WHERE company_id = ?1 AND task_id = ?2",
        )
        .bind(company_id.as_uuid())
        .bind(task);
        let rows = self.fetch_all(select).await?;
        read_all(&rows, |row| {
            let row = Row::new(row, CALL_ATTEMPTS.name);
            Ok((row.get("id")?, row.get("is_recorded")?))
        })
    }

    /// Removes the company's rows of uploads that were not taken and in which the number stands.
    async fn forget_upload_errors(
        &mut self,
        company_id: CompanyId,
        number: &PhoneNumber,
    ) -> Result<u64, StorageError> {
        let digits = number.shared_digits();
        let (mut upload_id, mut row_number, mut removed) = (Uuid::nil(), 0, 0);
        loop {
            let select = sqlx::query(SOME_UPLOAD_ERRORS)
                .bind(company_id.as_uuid())
                .bind(upload_id)
                .bind(row_number)
                .bind(ROWS_AT_ONCE);
            let rows = self.fetch_all(select).await?;
            let Some(last) = rows.last() else {
                return Ok(removed);
            };
            let place = |row: &SqliteRow| -> Result<(Uuid, i64), StorageError> {
                let row = Row::new(row, UPLOAD_ERRORS.name);
                Ok((row.get("upload_id")?, row.get("row_number")?))
            };
            (upload_id, row_number) = place(last)?;
            for row in &rows {
                if !call_lists::read_error(row)?.has_number(&digits) {
                    continue;
                }
                let (upload_id, row_number) = place(row)?;
                let delete = sqlx::query(
                    "DELETE FROM upload_errors
                     WHERE company_id = ?1 AND upload_id = ?2 AND row_number = ?3",
                )
                .bind(company_id.as_uuid())
                .bind(upload_id)
                .bind(row_number);
                removed += self.execute(delete).await?;
            }
        }
    }

    /// Removes what was said in a call. Returns turns and conversations.
    pub(crate) async fn forget_call(
        &mut self,
        company_id: CompanyId,
        attempt: Uuid,
    ) -> Result<(u64, u64), StorageError> {
        let turns = "DELETE FROM turns WHERE company_id = ?1 AND attempt_id = ?2";
        let held = "DELETE FROM conversations WHERE company_id = ?1 AND attempt_id = ?2";
        Ok((
            self.of_id(turns, company_id, attempt).await?,
            self.of_id(held, company_id, attempt).await?,
        ))
    }

    /// Takes number, name and further columns from a task, and the number from its attempts. Returns
    /// how many attempts those were.
    pub(crate) async fn make_nobodys(
        &mut self,
        task: &CallTask,
        now: Timestamp,
    ) -> Result<u64, StorageError> {
        let number = task.nobodys_number().as_str().to_owned();
        let update = sqlx::query(
            "UPDATE call_tasks
             SET phone_number = ?3, name = '', name_folded = '', language = NULL,
                 time_zones = '[]', extra = '{}', updated_at = ?4, version = version + 1
             WHERE company_id = ?1 AND id = ?2",
        )
        .bind(task.company_id.as_uuid())
        .bind(task.id.as_uuid())
        .bind(number.clone())
        .bind(micros(now));
        self.execute(update).await?;
        let update = sqlx::query(
            "UPDATE call_attempts
             SET phone_number = ?3, version = version + 1,
                 provider_call_id = CASE WHEN price_due_at IS NOT NULL THEN provider_call_id END
             WHERE company_id = ?1 AND task_id = ?2",
        )
        .bind(task.company_id.as_uuid())
        .bind(task.id.as_uuid())
        .bind(number);
        self.execute(update).await
    }

    /// Those of the numbers that the company has erased, with the erasure.
    pub(crate) async fn erased_among(
        &mut self,
        company_id: CompanyId,
        numbers: &[PhoneNumber],
    ) -> Result<HashMap<PhoneNumber, ErasureId>, StorageError> {
        let used = sqlx::query("SELECT key_id FROM erasure_keys WHERE company_id = ?1")
            .bind(company_id.as_uuid());
        let used = read_all(&self.fetch_all(used).await?, key_id)?;
        let hashes = self.keys.hashes(&used, company_id, numbers);
        let hashes = hashes.map_err(|error| StorageError::Failed(Box::new(error)))?;
        if hashes.is_empty() {
            return Ok(HashMap::new());
        }
        // One JSON array is one bound value, however many there are.
        let asked: Vec<String> = hashes.keys().map(hex).collect();
        let select = sqlx::query(
            "SELECT number_hash, erasure_id FROM erased_numbers
             WHERE company_id = ?1
               AND number_hash IN (SELECT unhex(value) FROM json_each(?2))",
        )
        .bind(company_id.as_uuid())
        .bind(json(&asked)?);
        let mut erased = HashMap::new();
        for row in self.fetch_all(select).await? {
            let row = Row::new(&row, ERASED_NUMBERS.name);
            let hash: Vec<u8> = row.get("number_hash")?;
            let number = NumberHash::from_bytes(&hash).and_then(|hash| hashes.get(&hash));
            if let Some(number) = number {
                erased.insert(*number, row.id("erasure_id")?);
            }
        }
        Ok(erased)
    }

    /// Erases what was said in a task's calls, and whose it is.
    async fn erase_task(
        &mut self,
        task: &CallTask,
        now: Timestamp,
        erased: &mut ErasedRows,
    ) -> Result<(), StorageError> {
        let (company_id, id) = (task.company_id, task.id.as_uuid());
        let consent = "DELETE FROM consents WHERE company_id = ?1 AND attempt_id = ?2";
        let told = "UPDATE provider_events SET body = json_remove(body, '$.provider_call_id')
             WHERE company_id = ?1 AND attempt_id = ?2";
        for (attempt, is_recorded) in self.attempts_of_task(company_id, id).await? {
            erased.recordings += u64::from(is_recorded);
            let (turns, conversations) = self.forget_call(company_id, attempt).await?;
            erased.turns += turns;
            erased.conversations += conversations;
            erased.consents += self.of_id(consent, company_id, attempt).await?;
            self.of_id(told, company_id, attempt).await?;
        }
        let revisions = "DELETE FROM answer_revisions
             WHERE company_id = ?1 AND answer_id IN (
                 SELECT id FROM answers WHERE company_id = ?1 AND task_id = ?2
             )";
        erased.revisions += self.of_id(revisions, company_id, id).await?;
        let answers = "DELETE FROM answers WHERE company_id = ?1 AND task_id = ?2";
        erased.answers += self.of_id(answers, company_id, id).await?;
        let events = sqlx::query(FORGET_EVENTS)
            .bind(company_id.as_uuid())
            .bind(task.id.to_string());
        erased.events += self.execute(events).await?;
        erased.calls += self.make_nobodys(task, now).await?;
        erased.contacts += 1;
        Ok(())
    }
}

/// The keys with which any company has erased numbers.
pub(crate) async fn all_keys(
    connection: &mut SqliteConnection,
) -> Result<Vec<NumberKeyId>, StorageError> {
    let select = sqlx::query("SELECT DISTINCT key_id FROM erasure_keys");
    let rows = select.fetch_all(connection).await.map_err(storage_error)?;
    read_all(&rows, key_id)
}

fn key_id(row: &SqliteRow) -> Result<NumberKeyId, StorageError> {
    let row = Row::new(row, ERASURE_KEYS.name);
    let bytes: Vec<u8> = row.get("key_id")?;
    NumberKeyId::from_bytes(&bytes).ok_or_else(|| row.corrupt("key_id: not 8 bytes long"))
}

fn hex(hash: &NumberHash) -> String {
    use std::fmt::Write as _;
    hash.as_bytes()
        .iter()
        .fold(String::new(), |mut text, byte| {
            // OK because writing to a String cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
}

#[async_trait]
impl ErasureRepository for SqliteUnitOfWork {
    async fn count(&mut self) -> Result<u64, StorageError> {
        let select =
            sqlx::query("SELECT count(*) AS count FROM erased_numbers WHERE company_id = ?1")
                .bind(self.own_company()?.as_uuid());
        let row = self.fetch_optional(select).await?;
        row.map_or(Ok(0), |row| {
            Row::new(&row, ERASED_NUMBERS.name).get("count")
        })
    }

    async fn among(
        &mut self,
        phone_numbers: &[PhoneNumber],
    ) -> Result<HashSet<PhoneNumber>, StorageError> {
        let company_id = self.own_company()?;
        let erased = self.erased_among(company_id, phone_numbers).await?;
        Ok(erased.into_keys().collect())
    }

    async fn tasks_with_number(
        &mut self,
        phone_number: &PhoneNumber,
    ) -> Result<Vec<CallTask>, StorageError> {
        let select = sqlx::query(TASKS_WITH_NUMBER)
            .bind(self.own_company()?.as_uuid())
            .bind(phone_number.as_str().to_owned());
        read_all(&self.fetch_all(select).await?, call_tasks::read)
    }

    async fn erase(
        &mut self,
        phone_number: &PhoneNumber,
        tasks: &[CallTask],
        now: Timestamp,
    ) -> Result<ErasedRows, StorageError> {
        let company_id = self.own_company()?;
        let mut erased = ErasedRows::default();
        for entries in [
            "DELETE FROM exclusions WHERE company_id = ?1 AND phone_number = ?2",
            "DELETE FROM exclusion_removals WHERE company_id = ?1 AND phone_number = ?2",
        ] {
            let delete = sqlx::query(entries)
                .bind(company_id.as_uuid())
                .bind(phone_number.as_str().to_owned());
            erased.exclusions += self.execute(delete).await?;
        }
        erased.upload_errors = self.forget_upload_errors(company_id, phone_number).await?;
        for task in tasks {
            self.must_cover(task.company_id)?;
            self.erase_task(task, now, &mut erased).await?;
        }
        Ok(erased)
    }

    async fn forget_other_number(
        &mut self,
        phone_number: &PhoneNumber,
        now: Timestamp,
    ) -> Result<Vec<CampaignId>, StorageError> {
        let select = sqlx::query(WITH_FURTHER_NUMBER)
            .bind(self.own_company()?.as_uuid())
            .bind(phone_number.as_str().to_owned());
        let number = HashSet::from([*phone_number]);
        let mut campaigns = Vec::new();
        for mut task in read_all(&self.fetch_all(select).await?, call_tasks::read)? {
            if !task.contact.forget_other_phone_numbers(&number) {
                continue;
            }
            let update = sqlx::query(
                "UPDATE call_tasks SET extra = ?3, updated_at = ?4, version = version + 1
                 WHERE company_id = ?1 AND id = ?2",
            )
            .bind(task.company_id.as_uuid())
            .bind(task.id.as_uuid())
            .bind(json(&task.contact.extra)?)
            .bind(micros(now));
            self.execute(update).await?;
            campaigns.push(task.campaign_id);
        }
        Ok(campaigns)
    }

    async fn keep_hash(
        &mut self,
        phone_number: &PhoneNumber,
        erasure_id: ErasureId,
        now: Timestamp,
    ) -> Result<bool, StorageError> {
        let company_id = self.own_company()?;
        let erased = self.erased_among(company_id, &[*phone_number]).await?;
        if !erased.is_empty() {
            return Ok(true);
        }
        let Some((key_id, hash)) = self.keys.hash(company_id, phone_number) else {
            return Ok(false);
        };
        let insert = "INSERT INTO erasure_keys VALUES (?1, ?2) ON CONFLICT DO NOTHING";
        let insert = sqlx::query(insert)
            .bind(company_id.as_uuid())
            .bind(key_id.as_bytes().to_vec());
        self.execute(insert).await?;
        let insert = ERASED_NUMBERS.insert([[
            company_id.as_uuid().into(),
            hash.as_bytes().to_vec().into(),
            erasure_id.as_uuid().into(),
            micros(now).into(),
        ]]);
        self.execute(built(&insert)).await?;
        Ok(true)
    }

    async fn erasure_of(
        &mut self,
        phone_number: &PhoneNumber,
    ) -> Result<Option<ErasureId>, StorageError> {
        let company_id = self.own_company()?;
        let erased = self.erased_among(company_id, &[*phone_number]).await?;
        Ok(erased.into_values().next())
    }

    async fn recorded_calls(
        &mut self,
        provider: &str,
        after: Option<CallAttemptId>,
        at_most: NonZeroU16,
    ) -> Result<Vec<CallAttempt>, StorageError> {
        let select = recorded_calls(self.scope, provider, after, at_most);
        read_all(&self.fetch_all(built(&select)).await?, call_attempts::read)
    }

    async fn forget_recording(&mut self, attempt: &CallAttempt) -> Result<bool, StorageError> {
        self.must_cover(attempt.company_id)?;
        let forget = sqlx::query(
            "UPDATE call_attempts SET recording = NULL, version = version + 1
             WHERE company_id = ?1 AND id = ?2 AND version = ?3",
        )
        .bind(attempt.company_id.as_uuid())
        .bind(attempt.id.as_uuid())
        .bind(attempt.version);
        if self.execute(forget).await? == 0 {
            return Ok(false);
        }
        let told = "UPDATE provider_events
             SET body = json_remove(
                 body, '$.kind.recording.url', '$.kind.recording.provider_recording_id'
             )
             WHERE company_id = ?1 AND attempt_id = ?2 AND body ->> '$.kind.kind' = 'recorded'";
        self.of_id(told, attempt.company_id, attempt.id.as_uuid())
            .await?;
        Ok(true)
    }

    async fn insert(&mut self, erasure: &Erasure) -> Result<(), StorageError> {
        self.must_cover(erasure.company_id)?;
        let insert = ERASURES.insert([[
            erasure.company_id.as_uuid().into(),
            erasure.id.as_uuid().into(),
            erasure.reason.clone().into(),
            erasure.requested_by.as_uuid().into(),
            json(&erasure.erased)?.into(),
            micros(erasure.created_at).into(),
        ]]);
        self.execute(built(&insert)).await?;
        Ok(())
    }

    async fn get(&mut self, id: ErasureId) -> Result<Option<Erasure>, StorageError> {
        let mut select = ERASURES.select(self.scope);
        select.and_where(Expr::col("id").eq(id.as_uuid()));
        let row = self.fetch_optional(built(&select)).await?;
        row.as_ref().map(read).transpose()
    }

    async fn list(&mut self, page: &PageRequest) -> Result<Page<Erasure>, StorageError> {
        let mut select = ERASURES.select(self.scope);
        if let Some(cursor) = &page.after {
            let before: Uuid = cursor.parse().map_err(|_| page::unknown_cursor())?;
            select.and_where(Expr::col("id").lt(before));
        }
        select
            .order_by("id", Order::Desc)
            .limit(u64::from(page.limit()) + 1);
        let rows = read_all(&self.fetch_all(built(&select)).await?, read)?;
        Ok(Page::from_rows(rows, page.limit(), |row| {
            row.id.to_string()
        }))
    }
}

#[cfg(test)]
mod tests;
