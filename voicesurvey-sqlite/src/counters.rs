//! What the tasks and attempts of a campaign add up to, and the claimable tasks of its lanes.
//!
//! Counters move in the unit of work that changes the rows they count, so they cannot differ (I12),
//! and no screen counts a large table.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use sqlx::sqlite::SqliteRow;
use voicesurvey_core::call_attempt::AttemptState;
use voicesurvey_core::call_task::TaskStatus;
use voicesurvey_core::gate::Reason;
use voicesurvey_core::id::{CampaignId, CompanyId};
use voicesurvey_core::money::Cost;
use voicesurvey_core::outcome::Outcome;
use voicesurvey_core::ports::repositories::{CampaignCounters, CostCount};
use voicesurvey_core::ports::{CampaignKey, StorageError};
use voicesurvey_core::queue::lane::LaneId;
use voicesurvey_core::quota::{Cells, counter_name, named_counter};

use crate::row::Row;
use crate::schema::{CAMPAIGN_COUNTERS, CAMPAIGN_LANES};
use crate::unit_of_work::SqliteUnitOfWork;

/// The calls whose price is known, by currency.
const COST_CALLS: &str = "cost_calls";
/// What they cost. The only kind that may be negative, and that may be absent and not zero.
const COST_MILLIONTHS: &str = "cost_millionths";

/// One counter of a campaign.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Counter {
    company_id: CompanyId,
    campaign_id: CampaignId,
    kind: &'static str,
    name: Cow<'static, str>,
}

/// As what a task is counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CountedTask {
    pub(crate) status: TaskStatus,
    pub(crate) reason: Option<Reason>,
    /// The cells of quotas that it is in.
    pub(crate) cells: Cells,
    /// The lane in which it can be claimed; `None` if it cannot.
    pub(crate) claimable_in: Option<LaneId>,
}

/// As what an attempt is counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CountedAttempt {
    pub(crate) state: AttemptState,
    pub(crate) outcome: Option<Outcome>,
    pub(crate) cost: Option<Cost>,
}

/// How much each counter moves.
#[derive(Debug, Default)]
pub(crate) struct CounterChanges {
    counters: BTreeMap<Counter, i64>,
    claimable: BTreeMap<(CompanyId, CampaignId, LaneId), i64>,
}

impl CounterChanges {
    /// `by` tasks came to be counted so, or ceased to be if `by` is negative.
    pub(crate) fn tasks(&mut self, campaign: CampaignKey, counted: &CountedTask, by: i64) {
        self.add(campaign, "task", counted.status.name(), by);
        if let Some(reason) = counted.reason {
            self.add(campaign, "reason", reason.name(), by);
        }
        for cell in counted.cells.iter() {
            let name = counter_name(cell, counted.status);
            self.add(campaign, "cell", name, by);
        }
        if let Some(lane) = counted.claimable_in {
            let CampaignKey {
                company_id,
                campaign_id,
            } = campaign;
            *self
                .claimable
                .entry((company_id, campaign_id, lane))
                .or_default() += by;
        }
    }

    /// `by` attempts came to be counted so, or ceased to be if `by` is negative.
    pub(crate) fn attempts(&mut self, campaign: CampaignKey, counted: CountedAttempt, by: i64) {
        self.add(campaign, "attempt", counted.state.name(), by);
        if let Some(outcome) = counted.outcome {
            self.add(campaign, "outcome", outcome.name(), by);
        }
        if let Some(cost) = counted.cost {
            let counted = CostCount::of_call(&cost, counted.outcome);
            let calls = if counted.calls > 0 { by } else { 0 };
            self.add(campaign, COST_CALLS, cost.currency.clone(), calls);
            let millionths = counted.millionths.saturating_mul(by);
            self.add(campaign, COST_MILLIONTHS, cost.currency, millionths);
        }
    }

    fn add(
        &mut self,
        campaign: CampaignKey,
        kind: &'static str,
        name: impl Into<Cow<'static, str>>,
        by: i64,
    ) {
        let CampaignKey {
            company_id,
            campaign_id,
        } = campaign;
        let counter = Counter {
            company_id,
            campaign_id,
            kind,
            name: name.into(),
        };
        let count = self.counters.entry(counter).or_default();
        *count = count.saturating_add(by);
    }
}

impl SqliteUnitOfWork {
    /// Moves the counters.
    pub(crate) async fn count(&mut self, changes: CounterChanges) -> Result<(), StorageError> {
        for (counter, by) in changes.counters {
            match by {
                0 => {}
                1.. => self.raise(counter, by).await?,
                _ if counter.kind == COST_MILLIONTHS => self.raise(counter, by).await?,
                _ => self.lower(counter, -by).await?,
            }
        }
        for ((company_id, campaign_id, lane), by) in changes.claimable {
            let campaign = CampaignKey {
                company_id,
                campaign_id,
            };
            self.count_claimable(campaign, lane, by).await?;
        }
        Ok(())
    }

    async fn count_claimable(
        &mut self,
        campaign: CampaignKey,
        lane: LaneId,
        by: i64,
    ) -> Result<(), StorageError> {
        if by == 0 {
            return Ok(());
        }
        let update = sqlx::query(
            "UPDATE campaign_lanes SET claimable = claimable + ?4
             WHERE company_id = ?1 AND campaign_id = ?2 AND lane_id = ?3",
        )
        .bind(campaign.company_id.as_uuid())
        .bind(campaign.campaign_id.as_uuid())
        .bind(lane.to_bits())
        .bind(by);
        if self.execute(update).await? == 0 {
            return Err(StorageError::Corrupt {
                table: CAMPAIGN_LANES.name,
                what: format!("there is no lane {lane}"),
            });
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
        .bind(counter.name.into_owned())
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
        .bind(counter.name.clone().into_owned())
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
            "cell" => put_cell(&mut counters, &row)?,
            COST_CALLS => cost(&mut counters, &row)?.calls = row.get("count")?,
            COST_MILLIONTHS => cost(&mut counters, &row)?.millionths = row.get("count")?,
            kind => return Err(row.corrupt(format!("kind: unknown kind '{kind}'"))),
        }
    }
    counters
        .costs
        .retain(|_, cost| *cost != CostCount::default());
    Ok(counters)
}

/// The costs in the currency that the row names.
fn cost<'c>(
    counters: &'c mut CampaignCounters,
    row: &Row<'_>,
) -> Result<&'c mut CostCount, StorageError> {
    Ok(counters.costs.entry(row.get("name")?).or_default())
}

/// Adds the count of a cell and a status. Absent means none, so zeros are left out.
fn put_cell(counters: &mut CampaignCounters, row: &Row<'_>) -> Result<(), StorageError> {
    let name: String = row.get("name")?;
    let count = row.get("count")?;
    let (cell, status) =
        named_counter(&name).ok_or_else(|| row.corrupt(format!("name: '{name}' names no cell")))?;
    if count > 0 {
        counters
            .cells
            .entry(cell)
            .or_default()
            .insert(status, count);
    }
    Ok(())
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
