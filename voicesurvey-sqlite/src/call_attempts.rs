//! Call attempts. The claim inserts them; an attempt that ends gives its lines back.

use std::collections::HashMap;

use async_trait::async_trait;
use sea_query::{Expr, ExprTrait, Order, Value};
use sqlx::sqlite::SqliteRow;
use voicesurvey_core::call_attempt::{AnsweredBy, CallAttempt};
use voicesurvey_core::call_rollup::{RolledCall, RollupChanges};
use voicesurvey_core::campaign::Campaign;
use voicesurvey_core::gate::ContactHistory;
use voicesurvey_core::id::{CallAttemptId, CompanyId};
use voicesurvey_core::money::Cost;
use voicesurvey_core::outcome::Outcome;
use voicesurvey_core::phone_number::PhoneNumber;
use voicesurvey_core::ports::repositories::CallAttemptFilter;
use voicesurvey_core::ports::{
    CallAttemptRepository, CampaignKey, Page, PageRequest, Scope, StorageError,
};
use voicesurvey_core::time::Timestamp;

use crate::counters::{CountedAttempt, CounterChanges};
use crate::error::{conflict, stale};
use crate::page::{self, Created};
use crate::row::{Row, json, micros, read_all};
use crate::schema::CALL_ATTEMPTS;
use crate::unit_of_work::{SqliteUnitOfWork, built};

const LIVE_CALL: &str = "
    SELECT * FROM call_attempts
    WHERE company_id = ?1 AND phone_number = ?2 AND state <> 'ended'";

/// Ends the leases of the calls of a campaign that may wait at the provider; a test reads the plan.
const LOOK_AFTER_WAITING: &str = "
    UPDATE call_attempts INDEXED BY call_attempts_one_live_per_number
    SET lease_until = min(lease_until, ?3)
    WHERE company_id = ?1 AND +campaign_id = ?2 AND state = 'accepted' AND state <> 'ended'";

/// The provider's names of the calls to a number, of one company or of all, except one. The index
/// begins with the company, so companies are walked over and attempts are not; a test reads the plan.
const PROVIDER_CALL_IDS: &str = "
    SELECT provider_call_id FROM companies CROSS JOIN call_attempts AS call
    WHERE call.company_id = companies.company_id AND (?1 IS NULL OR companies.company_id = ?1)
      AND call.phone_number = ?2 AND call.created_at >= ?3 AND call.id <> ?4
      AND provider_call_id IS NOT NULL";

/// The attempts of a company to some numbers, except one; a test reads the plan.
const CALLS_TO: &str = "
    SELECT phone_number, outcome, created_at FROM call_attempts
    WHERE company_id = ?1 AND phone_number IN (SELECT value FROM json_each(?2))
      AND created_at >= ?3 AND id IS NOT ?4";

fn key(attempt: &CallAttempt) -> CampaignKey {
    CampaignKey {
        company_id: attempt.company_id,
        campaign_id: attempt.campaign_id,
    }
}

fn values(attempt: &CallAttempt) -> Result<[Value; 26], StorageError> {
    Ok([
        attempt.company_id.as_uuid().into(),
        attempt.id.as_uuid().into(),
        attempt.campaign_id.as_uuid().into(),
        attempt.task_id.as_uuid().into(),
        attempt.number.into(),
        attempt.phone_number.as_str().into(),
        attempt.provider.clone().into(),
        attempt.provider_call_id.clone().into(),
        attempt.state.name().into(),
        micros(attempt.dial_before).into(),
        micros(attempt.lease_until).into(),
        micros(attempt.created_at).into(),
        attempt.accepted_at.map(micros).into(),
        attempt.ringing_at.map(micros).into(),
        attempt.answered_at.map(micros).into(),
        attempt.ended_at.map(micros).into(),
        attempt
            .answered_by
            .map(|answerer| answerer.name().to_owned())
            .into(),
        attempt
            .outcome
            .map(|outcome| outcome.name().to_owned())
            .into(),
        attempt.raw_status.clone().into(),
        attempt.error_code.clone().into(),
        attempt
            .cost
            .as_ref()
            .map(|cost| cost.amount.to_string())
            .into(),
        attempt
            .cost
            .as_ref()
            .map(|cost| cost.currency.clone())
            .into(),
        attempt.version.into(),
        attempt.price_due_at.map(micros).into(),
        attempt.recording.as_ref().map(json).transpose()?.into(),
        latencies(attempt).into(),
    ])
}

/// The latencies as they are stored: JSON.
fn latencies(attempt: &CallAttempt) -> String {
    serde_json::Value::from(attempt.latencies.clone()).to_string()
}

pub(crate) fn read(row: &SqliteRow) -> Result<CallAttempt, StorageError> {
    let row = Row::new(row, CALL_ATTEMPTS.name);
    Ok(CallAttempt {
        id: row.id("id")?,
        company_id: row.id("company_id")?,
        campaign_id: row.id("campaign_id")?,
        task_id: row.id("task_id")?,
        number: row.get("attempt_number")?,
        phone_number: row.word("phone_number")?,
        provider: row.get("provider")?,
        provider_call_id: row.get("provider_call_id")?,
        state: row.word("state")?,
        dial_before: row.instant("dial_before")?,
        lease_until: row.instant("lease_until")?,
        created_at: row.instant("created_at")?,
        accepted_at: row.optional_instant("accepted_at")?,
        ringing_at: row.optional_instant("ringing_at")?,
        answered_at: row.optional_instant("answered_at")?,
        ended_at: row.optional_instant("ended_at")?,
        answered_by: row.optional_word("answered_by")?,
        outcome: row.optional_word("outcome")?,
        raw_status: row.get("raw_status")?,
        error_code: row.get("error_code")?,
        cost: read_cost(&row)?,
        price_due_at: row.optional_instant("price_due_at")?,
        recording: row.optional_document("recording")?,
        latencies: row.document("latencies")?,
        version: row.get("version")?,
    })
}

fn counted(attempt: &CallAttempt) -> CountedAttempt {
    CountedAttempt {
        state: attempt.state,
        outcome: attempt.outcome,
        cost: attempt.cost.clone(),
    }
}

fn read_cost(row: &Row<'_>) -> Result<Option<Cost>, StorageError> {
    let amount: Option<&str> = row.get("cost_amount")?;
    match (amount, row.get("cost_currency")?) {
        (Some(amount), Some(currency)) => {
            let amount = amount
                .parse()
                .map_err(|_| row.corrupt("cost_amount: not a decimal"))?;
            Ok(Some(Cost { amount, currency }))
        }
        (None, None) => Ok(None),
        _ => Err(row.corrupt("cost_amount: does not go with the currency")),
    }
}

impl SqliteUnitOfWork {
    /// Inserts the attempts that a claim made, and counts them.
    pub(crate) async fn insert_attempts(
        &mut self,
        attempts: &[&CallAttempt],
    ) -> Result<(), StorageError> {
        if attempts.is_empty() {
            return Ok(());
        }
        let rows = attempts.iter().map(|attempt| values(attempt));
        let rows = rows.collect::<Result<Vec<_>, _>>()?;
        self.execute(built(&CALL_ATTEMPTS.insert(rows))).await?;
        let mut changes = CounterChanges::default();
        for attempt in attempts {
            changes.attempts(key(attempt), counted(attempt), 1);
        }
        self.count(changes).await
    }

    /// Has calls looked after that may wait at the provider, of a campaign that has stopped calling.
    pub(crate) async fn look_after_waiting_calls(
        &mut self,
        campaign: &Campaign,
    ) -> Result<(), StorageError> {
        let update = sqlx::query(LOOK_AFTER_WAITING)
            .bind(campaign.company_id.as_uuid())
            .bind(campaign.id.as_uuid())
            .bind(micros(campaign.updated_at));
        self.execute(update).await?;
        Ok(())
    }

    /// The company whose calls are asked for.
    pub(crate) fn own_company(&self) -> Result<CompanyId, StorageError> {
        match self.scope {
            Scope::Company(company_id) => Ok(company_id),
            Scope::Platform => Err(conflict("the calls to a number are a company's")),
        }
    }

    /// When the company called each of the numbers since then, as far as it counts, but not with the
    /// attempt `except`.
    pub(crate) async fn calls_to(
        &mut self,
        company_id: CompanyId,
        phone_numbers: &[PhoneNumber],
        since: Timestamp,
        except: Option<CallAttemptId>,
    ) -> Result<HashMap<PhoneNumber, ContactHistory>, StorageError> {
        let calls = sqlx::query(CALLS_TO)
            .bind(company_id.as_uuid())
            .bind(json(&phone_numbers)?)
            .bind(micros(since))
            .bind(except.map(CallAttemptId::as_uuid));
        let mut instants: HashMap<PhoneNumber, Vec<Timestamp>> = HashMap::new();
        for row in self.fetch_all(calls).await? {
            let row = Row::new(&row, CALL_ATTEMPTS.name);
            let outcome: Option<Outcome> = row.optional_word("outcome")?;
            if outcome.is_none_or(Outcome::counts_as_contact) {
                let calls = instants.entry(row.word("phone_number")?).or_default();
                calls.push(row.instant("created_at")?);
            }
        }
        let histories = instants
            .into_iter()
            .map(|(number, calls)| (number, ContactHistory::new(calls)));
        Ok(histories.collect())
    }

    async fn write_attempt(&mut self, attempt: &CallAttempt) -> Result<(), StorageError> {
        let update = sqlx::query(
            "UPDATE call_attempts
             SET provider = ?3, provider_call_id = ?4, state = ?5, dial_before = ?6,
                 lease_until = ?7, accepted_at = ?8, ringing_at = ?9, answered_at = ?10,
                 ended_at = ?11, answered_by = ?12, outcome = ?13, raw_status = ?14,
                 error_code = ?15, cost_amount = ?16, cost_currency = ?17,
                 price_due_at = ?18, recording = ?19, latencies = ?20,
                 version = version + 1
             WHERE company_id = ?1 AND id = ?2",
        )
        .bind(attempt.company_id.as_uuid())
        .bind(attempt.id.as_uuid())
        .bind(attempt.provider.clone())
        .bind(attempt.provider_call_id.clone())
        .bind(attempt.state.name())
        .bind(micros(attempt.dial_before))
        .bind(micros(attempt.lease_until))
        .bind(attempt.accepted_at.map(micros))
        .bind(attempt.ringing_at.map(micros))
        .bind(attempt.answered_at.map(micros))
        .bind(attempt.ended_at.map(micros))
        .bind(attempt.answered_by.map(AnsweredBy::name))
        .bind(attempt.outcome.map(Outcome::name))
        .bind(attempt.raw_status.clone())
        .bind(attempt.error_code.clone())
        .bind(attempt.cost.as_ref().map(|cost| cost.amount.to_string()))
        .bind(attempt.cost.as_ref().map(|cost| cost.currency.clone()))
        .bind(attempt.price_due_at.map(micros))
        .bind(attempt.recording.as_ref().map(json).transpose()?)
        .bind(latencies(attempt));
        self.execute(update).await?;
        Ok(())
    }

    /// As what the stored attempt is counted and summed up, and whose line it holds. A conflict unless
    /// it has that version.
    async fn attempt_counted_as(
        &mut self,
        attempt: &CallAttempt,
    ) -> Result<(RolledCall, String), StorageError> {
        let stored = sqlx::query(
            "SELECT state, attempt_number, answered_at, ended_at, outcome, cost_amount, cost_currency,
                 latencies, provider
             FROM call_attempts
             WHERE company_id = ?1 AND id = ?2 AND version = ?3",
        )
        .bind(attempt.company_id.as_uuid())
        .bind(attempt.id.as_uuid())
        .bind(attempt.version);
        let stored = self
            .fetch_optional(stored)
            .await?
            .ok_or_else(|| stale(CALL_ATTEMPTS.name))?;
        let row = Row::new(&stored, CALL_ATTEMPTS.name);
        let counted = RolledCall {
            state: row.word("state")?,
            number: row.get("attempt_number")?,
            answered_at: row.optional_instant("answered_at")?,
            ended_at: row.optional_instant("ended_at")?,
            outcome: row.optional_word("outcome")?,
            cost: read_cost(&row)?,
            latencies: row.document("latencies")?,
        };
        Ok((counted, row.get("provider")?))
    }
}

#[async_trait]
impl CallAttemptRepository for SqliteUnitOfWork {
    async fn get(&mut self, id: CallAttemptId) -> Result<Option<CallAttempt>, StorageError> {
        let mut select = CALL_ATTEMPTS.select(self.scope);
        select.and_where(Expr::col("id").eq(id.as_uuid()));
        self.fetch_optional(built(&select))
            .await?
            .as_ref()
            .map(read)
            .transpose()
    }

    async fn live(
        &mut self,
        phone_number: &PhoneNumber,
    ) -> Result<Option<CallAttempt>, StorageError> {
        let company_id = self.own_company()?;
        let live = sqlx::query(LIVE_CALL)
            .bind(company_id.as_uuid())
            .bind(phone_number.as_str().to_owned());
        self.fetch_optional(live)
            .await?
            .as_ref()
            .map(read)
            .transpose()
    }

    async fn history(
        &mut self,
        phone_number: &PhoneNumber,
        since: Timestamp,
        except: Option<CallAttemptId>,
    ) -> Result<ContactHistory, StorageError> {
        let company_id = self.own_company()?;
        let numbers = [*phone_number];
        let mut calls = self.calls_to(company_id, &numbers, since, except).await?;
        Ok(calls.remove(phone_number).unwrap_or_default())
    }

    async fn get_for_update(
        &mut self,
        id: CallAttemptId,
    ) -> Result<Option<CallAttempt>, StorageError> {
        CallAttemptRepository::get(self, id).await
    }

    async fn update(&mut self, attempt: &CallAttempt) -> Result<(), StorageError> {
        self.must_cover(attempt.company_id)?;
        let (before, provider) = self.attempt_counted_as(attempt).await?;
        let was_live = before.state.is_live();
        let is_priced = before.cost != attempt.cost;
        if attempt.state.is_live() && !was_live {
            return Err(conflict(
                "an attempt that has ended stays ended: its line is free",
            ));
        }
        self.write_attempt(attempt).await?;
        let mut sums = RollupChanges::default();
        sums.call_changed(Some(&before), attempt);
        self.roll_up(sums).await?;
        let before = CountedAttempt {
            state: before.state,
            outcome: before.outcome,
            cost: before.cost,
        };
        let mut changes = CounterChanges::default();
        changes.attempts(key(attempt), before, -1);
        changes.attempts(key(attempt), counted(attempt), 1);
        self.count(changes).await?;
        // Without an end the attempt's beginning stands for "at once": it has passed.
        let at = attempt.ended_at.unwrap_or(attempt.created_at);
        if is_priced {
            // It may leave more of the budget than was reserved.
            self.wake_campaign(key(attempt), at).await?;
        }
        if was_live && !attempt.state.is_live() {
            self.free_line(key(attempt), &provider, at).await?;
        }
        Ok(())
    }

    async fn provider_call_ids(
        &mut self,
        phone_number: &PhoneNumber,
        since: Timestamp,
        except: CallAttemptId,
    ) -> Result<Vec<String>, StorageError> {
        let company_id = match self.scope {
            Scope::Company(company_id) => Some(company_id.as_uuid()),
            Scope::Platform => None,
        };
        let select = sqlx::query(PROVIDER_CALL_IDS)
            .bind(company_id)
            .bind(phone_number.as_str().to_owned())
            .bind(micros(since))
            .bind(except.as_uuid());
        let rows = self.fetch_all(select).await?;
        rows.iter()
            .map(|row| Row::new(row, CALL_ATTEMPTS.name).get("provider_call_id"))
            .collect()
    }

    async fn list(
        &mut self,
        filter: &CallAttemptFilter,
        page: &PageRequest,
    ) -> Result<Page<CallAttempt>, StorageError> {
        let mut select = CALL_ATTEMPTS.select(self.scope);
        if let Some(campaign_id) = filter.campaign_id {
            select.and_where(Expr::col("campaign_id").eq(campaign_id.as_uuid()));
        }
        if let Some(task_id) = filter.task_id {
            select.and_where(Expr::col("task_id").eq(task_id.as_uuid()));
        }
        if let Some(state) = filter.state {
            select.and_where(Expr::col("state").eq(state.name()));
        }
        page::by_creation(&mut select, "id", Order::Desc, page)?;
        let rows = read_all(&self.fetch_all(built(&select)).await?, read)?;
        Ok(Page::from_rows(rows, page.limit(), |attempt| {
            Created::cursor(attempt.created_at, attempt.id.as_uuid())
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query_plan::{assert_uses, plan};

    #[tokio::test]
    async fn the_history_of_a_number_is_found_by_the_number_and_the_time() {
        let plan = plan(CALLS_TO).await;
        let step = "call_attempts_by_number (company_id=? AND phone_number=? AND created_at>?)";
        assert!(plan.iter().any(|line| line.contains(step)), "{plan:#?}");
    }

    #[tokio::test]
    async fn the_calls_that_wait_are_found_among_those_in_progress() {
        assert_uses(LOOK_AFTER_WAITING, &["call_attempts_one_live_per_number"]).await;
    }

    #[tokio::test]
    async fn the_names_of_calls_to_a_number_are_found_by_the_number_and_the_time() {
        let plan = plan(PROVIDER_CALL_IDS).await;
        let step = "call_attempts_by_number (company_id=? AND phone_number=? AND created_at>?)";
        assert!(plan.iter().any(|line| line.contains(step)), "{plan:#?}");
    }

    #[tokio::test]
    async fn the_live_call_to_a_number_is_found_by_the_number() {
        assert_uses(LIVE_CALL, &["call_attempts_one_live_per_number"]).await;
    }
}
