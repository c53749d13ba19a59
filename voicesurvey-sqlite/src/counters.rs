//! What the tasks and attempts of a campaign add up to.
//!
//! Counters move in the unit of work that changes the rows they count, so they cannot differ (I12),
//! and no screen counts a large table.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use sqlx::sqlite::SqliteRow;
use voicesurvey_core::call_attempt::AttemptState;
use voicesurvey_core::call_task::TaskStatus;
use voicesurvey_core::gate::Reason;
use voicesurvey_core::id::{CampaignId, CompanyId};
use voicesurvey_core::outcome::Outcome;
use voicesurvey_core::ports::repositories::CampaignCounters;
use voicesurvey_core::ports::{CampaignKey, StorageError};

use crate::row::Row;
use crate::schema::CAMPAIGN_COUNTERS;
use crate::unit_of_work::SqliteUnitOfWork;

/// One counter of a campaign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Counter {
    company_id: CompanyId,
    campaign_id: CampaignId,
    kind: &'static str,
    name: &'static str,
}

/// How much each counter moves.
#[derive(Debug, Default)]
pub(crate) struct CounterChanges(BTreeMap<Counter, i64>);

impl CounterChanges {
    /// `by` tasks came to that status and reason, or left it if `by` is negative.
    pub(crate) fn tasks(
        &mut self,
        campaign: CampaignKey,
        status: TaskStatus,
        reason: Option<Reason>,
        by: i64,
    ) {
        self.add(campaign, "task", status.name(), by);
        if let Some(reason) = reason {
            self.add(campaign, "reason", reason.name(), by);
        }
    }

    /// `by` attempts came to that state and outcome, or left it if `by` is negative.
    pub(crate) fn attempts(
        &mut self,
        campaign: CampaignKey,
        state: AttemptState,
        outcome: Option<Outcome>,
        by: i64,
    ) {
        self.add(campaign, "attempt", state.name(), by);
        if let Some(outcome) = outcome {
            self.add(campaign, "outcome", outcome.name(), by);
        }
    }

    fn add(&mut self, campaign: CampaignKey, kind: &'static str, name: &'static str, by: i64) {
        let CampaignKey {
            company_id,
            campaign_id,
        } = campaign;
        *self
            .0
            .entry(Counter {
                company_id,
                campaign_id,
                kind,
                name,
            })
            .or_default() += by;
    }
}

impl SqliteUnitOfWork {
    /// Moves the counters.
    pub(crate) async fn count(&mut self, changes: CounterChanges) -> Result<(), StorageError> {
        for (counter, by) in changes.0 {
            match by {
                0 => {}
                1.. => self.raise(counter, by).await?,
                _ => self.lower(counter, -by).await?,
            }
        }
        Ok(())
    }

    async fn raise(&mut self, counter: Counter, by: i64) -> Result<(), StorageError> {
        let upsert = sqlx::query(
            "INSERT INTO campaign_counters (company_id, campaign_id, kind, name, count)
             VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (company_id, campaign_id, kind, name)
             DO UPDATE SET count = count + excluded.count",
        )
        .bind(counter.company_id.as_uuid())
        .bind(counter.campaign_id.as_uuid())
        .bind(counter.kind)
        .bind(counter.name)
        .bind(by);
        self.execute(upsert).await?;
        Ok(())
    }

    async fn lower(&mut self, counter: Counter, by: i64) -> Result<(), StorageError> {
        let update = sqlx::query(
            "UPDATE campaign_counters SET count = count - ?5
             WHERE company_id = ?1 AND campaign_id = ?2 AND kind = ?3 AND name = ?4",
        )
        .bind(counter.company_id.as_uuid())
        .bind(counter.campaign_id.as_uuid())
        .bind(counter.kind)
        .bind(counter.name)
        .bind(by);
        if self.execute(update).await? == 0 {
            return Err(StorageError::Corrupt {
                table: CAMPAIGN_COUNTERS.name,
                what: format!("no row counts {} {}", counter.kind, counter.name),
            });
        }
        Ok(())
    }
}

/// Puts a campaign's counters together.
pub(crate) fn read(rows: &[SqliteRow]) -> Result<CampaignCounters, StorageError> {
    let mut counters = CampaignCounters::default();
    for row in rows {
        let row = Row::new(row, CAMPAIGN_COUNTERS.name);
        match row.get("kind")? {
            "task" => put(&mut counters.tasks, &row)?,
            "reason" => put(&mut counters.reasons, &row)?,
            "attempt" => put(&mut counters.attempts, &row)?,
            "outcome" => put(&mut counters.outcomes, &row)?,
            kind => return Err(row.corrupt(format!("kind: unknown kind '{kind}'"))),
        }
    }
    Ok(counters)
}

/// Adds a counter. Absent means none, so zeros are left out.
fn put<N: DeserializeOwned + Ord>(
    counts: &mut BTreeMap<N, u64>,
    row: &Row<'_>,
) -> Result<(), StorageError> {
    let count = row.get("count")?;
    if count > 0 {
        counts.insert(row.word("name")?, count);
    }
    Ok(())
}
