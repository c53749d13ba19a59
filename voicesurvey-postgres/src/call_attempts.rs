//! Call attempts. They are inserted by the claim; one that ends gives its lines back.

use std::collections::HashMap;

use async_trait::async_trait;
use sea_query::{Expr, ExprTrait as _};
use sqlx::postgres::PgRow;
use sqlx::types::Json;
use uuid::Uuid;
use voicesurvey_core::call_attempt::{AnsweredBy, AttemptState, CallAttempt};
use voicesurvey_core::call_rollup::RolledCall;
use voicesurvey_core::campaign::Campaign;
use voicesurvey_core::gate::ContactHistory;
use voicesurvey_core::id::{CallAttemptId, CompanyId};
use voicesurvey_core::money::Cost;
use voicesurvey_core::outcome::Outcome;
use voicesurvey_core::phone_number::PhoneNumber;
use voicesurvey_core::ports::repositories::CallAttemptFilter;
use voicesurvey_core::ports::{CallAttemptRepository, Page, PageRequest, Scope, StorageError};
use voicesurvey_core::time::Timestamp;

use crate::error::{all_written, written};
use crate::page::{self, Direction, Place};
use crate::row::Reader;
use crate::schema::{self, company_of};
use crate::unit_of_work::PostgresUnitOfWork;

macro_rules! columns {
    () => {
        "company_id, id, campaign_id, task_id, attempt_number, phone_number, provider, \
         provider_call_id, state, dial_before, lease_until, created_at, accepted_at, ringing_at, \
         answered_at, ended_at, answered_by, outcome, raw_status, error_code, cost_amount, \
         cost_currency, price_due_at, recording, latencies, version"
    };
}

pub(crate) use columns;

const CHANGED_MEANWHILE: &str = "the attempt was changed meanwhile";

pub(crate) fn call_attempt(row: &PgRow) -> Result<CallAttempt, StorageError> {
    let row = Reader::new("call_attempts", row);
    Ok(CallAttempt {
        id: row.id("id")?,
        company_id: row.id("company_id")?,
        campaign_id: row.id("campaign_id")?,
        task_id: row.id("task_id")?,
        number: row.number("attempt_number")?,
        phone_number: row.parsed("phone_number")?,
        provider: row.get("provider")?,
        provider_call_id: row.get("provider_call_id")?,
        state: row.named("state", AttemptState::from_name)?,
        dial_before: row.get("dial_before")?,
        lease_until: row.get("lease_until")?,
        created_at: row.get("created_at")?,
        accepted_at: row.instant("accepted_at")?,
        ringing_at: row.instant("ringing_at")?,
        answered_at: row.instant("answered_at")?,
        ended_at: row.instant("ended_at")?,
        answered_by: row.optional_named("answered_by", AnsweredBy::from_name)?,
        outcome: row.optional_parsed("outcome")?,
        raw_status: row.get("raw_status")?,
        error_code: row.get("error_code")?,
        cost: cost(&row, "cost_amount", "cost_currency")?,
        price_due_at: row.instant("price_due_at")?,
        recording: row.optional_document("recording")?,
        latencies: row.document("latencies")?,
        version: row.number("version")?,
    })
}

/// A cost, of which both columns are absent or none.
fn cost(row: &Reader<'_>, amount: &str, currency: &str) -> Result<Option<Cost>, StorageError> {
    match (row.get(amount)?, row.get(currency)?) {
        (Some(amount), Some(currency)) => Ok(Some(Cost { amount, currency })),
        (None, None) => Ok(None),
        _ => Err(row.corrupt(&"a cost without currency, or the other way round")),
    }
}

impl PostgresUnitOfWork {
    /// The company whose tasks or calls with a number are meant.
    pub(crate) fn own_company(&self) -> Result<CompanyId, StorageError> {
        match self.scope {
            Scope::Company(company_id) => Ok(company_id),
            Scope::Platform => Err(StorageError::Conflict {
                what: "the calls to a number are a company's".to_owned(),
            }),
        }
    }

    /// Has calls looked after that may wait at the provider, of a campaign that has stopped calling.
    ///
    /// Passes over those that somebody else has locked: there is news of them, and whoever locks a
    /// campaign must not wait for an attempt.
    pub(crate) async fn look_after_waiting_calls(
        &mut self,
        campaign: &Campaign,
    ) -> Result<(), StorageError> {
        let update = sqlx::query(
            "UPDATE call_attempts SET lease_until = LEAST(lease_until, $3)
             WHERE company_id = $1 AND id IN (
                 SELECT id FROM call_attempts
                 WHERE company_id = $1 AND campaign_id = $2 AND state = 'accepted'
                 FOR NO KEY UPDATE SKIP LOCKED
             )",
        )
        .bind(campaign.company_id.as_uuid())
        .bind(campaign.id.as_uuid())
        .bind(campaign.updated_at);
        self.execute(update).await?;
        Ok(())
    }

    /// Moves counters and ready list after an attempt was changed; `row` tells what it was before.
    fn count_change(&mut self, attempt: &CallAttempt, row: &PgRow) -> Result<(), StorageError> {
        let row = Reader::new("call_attempts", row);
        let old_state = row.named("old_state", AttemptState::from_name)?;
        let old_outcome: Option<Outcome> = row.optional_parsed("old_outcome")?;
        let old_cost = cost(&row, "old_cost_amount", "old_cost_currency")?;
        let campaign = (attempt.company_id, attempt.campaign_id);
        self.counters.attempts(campaign, old_state, old_outcome, -1);
        self.counters
            .attempts(campaign, attempt.state, attempt.outcome, 1);
        if let Some(cost) = &old_cost {
            self.counters.cost(campaign, cost, old_outcome, -1);
        }
        if let Some(cost) = &attempt.cost {
            self.counters.cost(campaign, cost, attempt.outcome, 1);
        }
        let before = RolledCall {
            state: old_state,
            number: attempt.number,
            answered_at: row.instant("old_answered_at")?,
            ended_at: row.instant("old_ended_at")?,
            outcome: old_outcome,
            cost: old_cost.clone(),
            latencies: row.document("old_latencies")?,
        };
        self.rollups.call_changed(Some(&before), attempt);
        if old_cost != attempt.cost {
            // It may leave more of the budget than was reserved.
            let at = attempt.ended_at.unwrap_or(attempt.created_at);
            self.ready_list.tasks_are_due(campaign, at);
        }
        match (old_state.is_live(), attempt.state.is_live()) {
            (true, false) => {
                // Any instant in the past means "at once".
                let at = attempt.ended_at.unwrap_or(attempt.created_at);
                self.ready_list
                    .line_is_free(campaign, &attempt.provider, at);
                Ok(())
            }
            (false, true) => Err(StorageError::Conflict {
                what: "an attempt that has ended cannot live again".to_owned(),
            }),
            _ => Ok(()),
        }
    }
}

impl PostgresUnitOfWork {
    /// Changes attempts by one statement. What was written is counted even when the others are a
    /// conflict.
    async fn update_attempts(&mut self, attempts: &[CallAttempt]) -> Result<(), StorageError> {
        /// One array per column.
        fn all<T>(attempts: &[CallAttempt], column: impl Fn(&CallAttempt) -> T) -> Vec<T> {
            attempts.iter().map(column).collect()
        }
        for attempt in attempts {
            self.permit(attempt.company_id)?;
        }
        let update = sqlx::query(include_str!("sql/update_attempts.sql"))
            .bind(all(attempts, |attempt| attempt.company_id.as_uuid()))
            .bind(all(attempts, |attempt| attempt.id.as_uuid()))
            .bind(all(attempts, |attempt| i64::from(attempt.version)))
            .bind(all(attempts, |attempt| attempt.provider_call_id.clone()))
            .bind(all(attempts, |attempt| attempt.state.name()))
            .bind(all(attempts, |attempt| attempt.dial_before))
            .bind(all(attempts, |attempt| attempt.lease_until))
            .bind(all(attempts, |attempt| attempt.accepted_at))
            .bind(all(attempts, |attempt| attempt.ringing_at))
            .bind(all(attempts, |attempt| attempt.answered_at))
            .bind(all(attempts, |attempt| attempt.ended_at))
            .bind(all(attempts, |attempt| {
                attempt.answered_by.map(AnsweredBy::name)
            }))
            .bind(all(attempts, |attempt| attempt.outcome.map(Outcome::name)))
            .bind(all(attempts, |attempt| attempt.raw_status.clone()))
            .bind(all(attempts, |attempt| attempt.error_code.clone()))
            .bind(all(attempts, |attempt| {
                attempt.cost.as_ref().map(|cost| cost.amount)
            }))
            .bind(all(attempts, |attempt| {
                attempt.cost.as_ref().map(|cost| cost.currency.clone())
            }))
            .bind(all(attempts, |attempt| attempt.price_due_at))
            .bind(all(attempts, |attempt| attempt.recording.clone().map(Json)))
            .bind(all(attempts, |attempt| Json(attempt.latencies.clone())));
        let rows = self.rows(update).await?;
        let by_id: HashMap<_, _> = attempts.iter().map(|one| (one.id, one)).collect();
        for row in &rows {
            let id: CallAttemptId = Reader::new("call_attempts", row).id("id")?;
            if let Some(attempt) = by_id.get(&id) {
                self.count_change(attempt, row)?;
            }
        }
        all_written(rows.len(), attempts.len(), CHANGED_MEANWHILE)
    }
}

#[async_trait]
impl CallAttemptRepository for PostgresUnitOfWork {
    async fn get(&mut self, id: CallAttemptId) -> Result<Option<CallAttempt>, StorageError> {
        let select = concat!(
            "SELECT ",
            columns!(),
            " FROM call_attempts WHERE company_id = $1 AND id = $2"
        );
        let row = self
            .find(company_of!("call_attempts"), select, id.as_uuid())
            .await?;
        row.as_ref().map(call_attempt).transpose()
    }

    async fn live(
        &mut self,
        phone_number: &PhoneNumber,
    ) -> Result<Option<CallAttempt>, StorageError> {
        let company_id = self.own_company()?;
        let select = sqlx::query(concat!(
            "SELECT ",
            columns!(),
            " FROM call_attempts
             WHERE company_id = $1 AND phone_number = $2 AND state <> 'ended'"
        ))
        .bind(company_id.as_uuid())
        .bind(phone_number.to_string());
        self.row(select)
            .await?
            .as_ref()
            .map(call_attempt)
            .transpose()
    }

    async fn live_among(
        &mut self,
        phone_numbers: &[PhoneNumber],
    ) -> Result<Vec<CallAttempt>, StorageError> {
        let numbers: Vec<String> = phone_numbers.iter().map(PhoneNumber::to_string).collect();
        let select = sqlx::query(concat!(
            "SELECT ",
            columns!(),
            " FROM call_attempts
             WHERE company_id = $1 AND phone_number = ANY($2) AND state <> 'ended'"
        ))
        .bind(self.own_company()?.as_uuid())
        .bind(numbers);
        self.rows(select).await?.iter().map(call_attempt).collect()
    }

    async fn history(
        &mut self,
        phone_number: &PhoneNumber,
        since: Timestamp,
        except: Option<CallAttemptId>,
    ) -> Result<ContactHistory, StorageError> {
        let company_id = self.own_company()?;
        let select = sqlx::query(include_str!("sql/history.sql"))
            .bind(company_id.as_uuid())
            .bind(phone_number.to_string())
            .bind(since)
            .bind(except.map(CallAttemptId::as_uuid));
        let rows = self.rows(select).await?;
        let calls = rows
            .iter()
            .map(|row| Reader::new("call_attempts", row).get("created_at"));
        Ok(ContactHistory::new(calls.collect::<Result<_, _>>()?))
    }

    async fn get_for_update(
        &mut self,
        id: CallAttemptId,
    ) -> Result<Option<CallAttempt>, StorageError> {
        let select = concat!(
            "SELECT ",
            columns!(),
            " FROM call_attempts
             WHERE company_id = $1 AND id = $2 FOR NO KEY UPDATE"
        );
        let row = self
            .find(company_of!("call_attempts"), select, id.as_uuid())
            .await?;
        row.as_ref().map(call_attempt).transpose()
    }

    async fn get_many_for_update(
        &mut self,
        ids: &[CallAttemptId],
    ) -> Result<Vec<CallAttempt>, StorageError> {
        let select = concat!(
            "SELECT attempt.*
             FROM UNNEST($2::uuid[]) WITH ORDINALITY AS named (id, place)
             CROSS JOIN LATERAL (
                 SELECT ",
            columns!(),
            "    FROM call_attempts
                 WHERE company_id = $1 AND id = named.id
                 LIMIT 1
                 FOR NO KEY UPDATE
             ) AS attempt
             ORDER BY named.place"
        );
        let ids: Vec<Uuid> = ids.iter().map(|id| id.as_uuid()).collect();
        let rows = self
            .find_many(company_of!("call_attempts"), select, &ids)
            .await?;
        rows.iter().map(call_attempt).collect()
    }

    async fn update(&mut self, attempt: &CallAttempt) -> Result<(), StorageError> {
        self.permit(attempt.company_id)?;
        let update = sqlx::query(include_str!("sql/update_attempt.sql"))
            .bind(attempt.company_id.as_uuid())
            .bind(attempt.id.as_uuid())
            .bind(i64::from(attempt.version))
            .bind(attempt.provider_call_id.clone())
            .bind(attempt.state.name())
            .bind(attempt.dial_before)
            .bind(attempt.lease_until)
            .bind(attempt.accepted_at)
            .bind(attempt.ringing_at)
            .bind(attempt.answered_at)
            .bind(attempt.ended_at)
            .bind(attempt.answered_by.map(AnsweredBy::name))
            .bind(attempt.outcome.map(Outcome::name))
            .bind(attempt.raw_status.clone())
            .bind(attempt.error_code.clone())
            .bind(attempt.cost.as_ref().map(|cost| cost.amount))
            .bind(attempt.cost.as_ref().map(|cost| cost.currency.clone()))
            .bind(attempt.price_due_at)
            .bind(attempt.recording.clone().map(Json))
            .bind(Json(attempt.latencies.clone()));
        match self.row(update).await? {
            Some(row) => self.count_change(attempt, &row),
            None => written(0, CHANGED_MEANWHILE),
        }
    }

    async fn update_many(&mut self, attempts: &[CallAttempt]) -> Result<(), StorageError> {
        match attempts {
            [] => Ok(()),
            [one] => self.update(one).await,
            several => self.update_attempts(several).await,
        }
    }

    async fn provider_call_ids(
        &mut self,
        phone_number: &PhoneNumber,
        since: Timestamp,
        except: CallAttemptId,
    ) -> Result<Vec<String>, StorageError> {
        // The index begins with the company, so companies are walked over and attempts are not.
        let select = sqlx::query(
            "SELECT provider_call_id FROM companies CROSS JOIN LATERAL (
                 SELECT provider_call_id FROM call_attempts
                 WHERE company_id = companies.company_id AND phone_number = $2 AND created_at >= $3
                     AND call_attempts.id <> $4 AND provider_call_id IS NOT NULL
             ) calls
             WHERE $1::uuid IS NULL OR companies.company_id = $1",
        )
        .bind(self.scoped_company())
        .bind(phone_number.to_string())
        .bind(since)
        .bind(except.as_uuid());
        let rows = self.rows(select).await?;
        rows.iter()
            .map(|row| Reader::new("call_attempts", row).get("provider_call_id"))
            .collect()
    }

    async fn list(
        &mut self,
        filter: &CallAttemptFilter,
        request: &PageRequest,
    ) -> Result<Page<CallAttempt>, StorageError> {
        let mut list = schema::select(columns!(), "call_attempts", self.scope);
        if let Some(campaign_id) = filter.campaign_id {
            list.and_where(Expr::col("campaign_id").eq(campaign_id.as_uuid()));
        }
        if let Some(task_id) = filter.task_id {
            list.and_where(Expr::col("task_id").eq(task_id.as_uuid()));
        }
        if let Some(state) = filter.state {
            list.and_where(Expr::col("state").eq(state.name()));
        }
        page::by_creation(&mut list, "id", Direction::NewestFirst, request)?;
        let rows = self.list(&list).await?;
        let attempts = rows.iter().map(call_attempt).collect::<Result<_, _>>()?;
        Ok(Page::from_rows(
            attempts,
            request.limit(),
            |attempt: &CallAttempt| Place::new(attempt.created_at, attempt.id.as_uuid()).cursor(),
        ))
    }
}
