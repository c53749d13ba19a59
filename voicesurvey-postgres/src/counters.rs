//! The counters of campaigns, moved by what a unit of work changes (I12).

use std::borrow::Cow;
use std::collections::BTreeMap;

use sqlx::postgres::PgRow;
use uuid::Uuid;
use voicesurvey_core::call_attempt::AttemptState;
use voicesurvey_core::call_task::{CallTask, TaskStatus};
use voicesurvey_core::gate::Reason;
use voicesurvey_core::id::{CampaignId, CompanyId};
use voicesurvey_core::money::Cost;
use voicesurvey_core::outcome::Outcome;
use voicesurvey_core::ports::StorageError;
use voicesurvey_core::ports::repositories::{CampaignCounters, CostCount};
use voicesurvey_core::quota::{Cells, counter_name, counters_of_places, named_counter};

use crate::row::Reader;
use crate::unit_of_work::PostgresUnitOfWork;

/// A campaign with its company, in the order in which rows are locked.
pub(crate) type CampaignPlace = (CompanyId, CampaignId);

/// Names one counter. Its order is the order in which counters are locked.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Counter {
    campaign: CampaignPlace,
    kind: &'static str,
    name: Cow<'static, str>,
}

/// As what a task is counted.
#[derive(Clone, Debug)]
pub(crate) struct CountedTask {
    pub(crate) status: TaskStatus,
    pub(crate) reason: Option<Reason>,
    pub(crate) cells: Cells,
}

impl CountedTask {
    pub(crate) fn of(task: &CallTask) -> Self {
        Self {
            status: task.state.status(),
            reason: task.reason,
            cells: task.cells.clone(),
        }
    }
}

/// What a unit of work has still to add to counters.
#[derive(Debug, Default)]
pub(crate) struct CounterChanges(BTreeMap<Counter, i64>);

impl CounterChanges {
    /// `by` tasks came to be counted so, or ceased to be if `by` is negative.
    pub(crate) fn tasks(&mut self, campaign: CampaignPlace, task: &CountedTask, by: i64) {
        self.add(campaign, "task", task.status.name(), by);
        if let Some(reason) = task.reason {
            self.add(campaign, "reason", reason.name(), by);
        }
        for cell in task.cells.iter() {
            self.add(campaign, "cell", counter_name(cell, task.status), by);
        }
    }

    /// Counts `by` attempts with that state and outcome.
    pub(crate) fn attempts(
        &mut self,
        campaign: CampaignPlace,
        state: AttemptState,
        outcome: Option<Outcome>,
        by: i64,
    ) {
        self.add(campaign, "attempt", state.name(), by);
        if let Some(outcome) = outcome {
            self.add(campaign, "outcome", outcome.name(), by);
        }
    }

    /// Counts a call whose price is known, or no longer is when `sign` is below zero.
    pub(crate) fn cost(
        &mut self,
        campaign: CampaignPlace,
        cost: &Cost,
        outcome: Option<Outcome>,
        sign: i64,
    ) {
        let currency = || Cow::Owned(cost.currency.clone());
        let counted = CostCount::of_call(cost, outcome);
        let calls = if counted.calls > 0 { sign } else { 0 };
        self.add(campaign, "cost_calls", currency(), calls);
        let millionths = sign * counted.millionths;
        self.add(campaign, "cost_millionths", currency(), millionths);
    }

    fn add(
        &mut self,
        campaign: CampaignPlace,
        kind: &'static str,
        name: impl Into<Cow<'static, str>>,
        by: i64,
    ) {
        *self
            .0
            .entry(Counter {
                campaign,
                kind,
                name: name.into(),
            })
            .or_default() += by;
    }
}

impl PostgresUnitOfWork {
    /// Adds the changes to the stored counters.
    pub(crate) async fn write_counters(&mut self) -> Result<(), StorageError> {
        let mut changes = std::mem::take(&mut self.counters.0);
        changes.retain(|_, by| *by != 0);
        if changes.is_empty() {
            return Ok(());
        }
        let companies: Vec<Uuid> = changes
            .keys()
            .map(|counter| counter.campaign.0.as_uuid())
            .collect();
        let campaigns: Vec<Uuid> = changes
            .keys()
            .map(|counter| counter.campaign.1.as_uuid())
            .collect();
        let kinds: Vec<&str> = changes.keys().map(|counter| counter.kind).collect();
        let names: Vec<String> = changes
            .keys()
            .map(|counter| counter.name.clone().into_owned())
            .collect();
        let by: Vec<i64> = changes.values().copied().collect();
        let add = "INSERT INTO campaign_counters AS counters
                       (company_id, campaign_id, kind, name, count)
                   SELECT * FROM UNNEST($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::bigint[])
                   ON CONFLICT (company_id, campaign_id, kind, name)
                   DO UPDATE SET count = counters.count + excluded.count";
        let add = sqlx::query(add)
            .bind(companies)
            .bind(campaigns)
            .bind(kinds)
            .bind(names)
            .bind(by);
        self.execute(add).await?;
        Ok(())
    }

    /// The counters of a campaign, with what this unit of work has still to add.
    pub(crate) async fn read_counters(
        &mut self,
        company_id: CompanyId,
        campaign_id: CampaignId,
    ) -> Result<CampaignCounters, StorageError> {
        let select = "SELECT kind, name, count FROM campaign_counters
                      WHERE company_id = $1 AND campaign_id = $2";
        let select = sqlx::query(select)
            .bind(company_id.as_uuid())
            .bind(campaign_id.as_uuid());
        let rows = self.rows(select).await?;
        self.put_together(campaign_id, &rows, |_| true)
    }

    /// Those of the counters of a campaign that decide about places in these cells, with what this
    /// unit of work has still to add.
    pub(crate) async fn read_counters_of_places(
        &mut self,
        company_id: CompanyId,
        campaign_id: CampaignId,
        cells: &Cells,
    ) -> Result<CampaignCounters, StorageError> {
        let names: Vec<String> = counters_of_places(cells).collect();
        let select = "SELECT kind, name, count FROM campaign_counters
                      WHERE company_id = $1 AND campaign_id = $2 AND kind = 'cell'
                          AND name = ANY($3)";
        let select = sqlx::query(select)
            .bind(company_id.as_uuid())
            .bind(campaign_id.as_uuid())
            .bind(names.clone());
        let rows = self.rows(select).await?;
        self.put_together(campaign_id, &rows, |counter| {
            counter.kind == "cell" && names.iter().any(|name| *name == counter.name)
        })
    }

    /// The counters in the rows, with what this unit of work has still to add to those that are wanted.
    fn put_together(
        &self,
        campaign_id: CampaignId,
        rows: &[PgRow],
        is_wanted: impl Fn(&Counter) -> bool,
    ) -> Result<CampaignCounters, StorageError> {
        let mut counts: BTreeMap<(String, String), i64> = BTreeMap::new();
        for row in rows {
            let (kind, name, count) = stored_count(row)?;
            counts.insert((kind, name), count);
        }
        let pending = self.counters.0.iter();
        let pending = pending.filter(|(counter, _)| counter.campaign.1 == campaign_id);
        for (counter, by) in pending.filter(|(counter, _)| is_wanted(counter)) {
            *counts
                .entry((counter.kind.to_owned(), counter.name.clone().into_owned()))
                .or_default() += by;
        }
        let mut counters = CampaignCounters::default();
        for ((kind, name), count) in counts {
            let corrupt = || StorageError::Corrupt {
                table: "campaign_counters",
                what: format!("{count} of {kind} {name}"),
            };
            if kind == "cost_millionths" {
                // A refund may bring the sum below zero.
                counters.costs.entry(name).or_default().millionths = count;
                continue;
            }
            let count = u64::try_from(count).map_err(|_| corrupt())?;
            if count > 0 {
                insert(&mut counters, &kind, &name, count).ok_or_else(corrupt)?;
            }
        }
        counters
            .costs
            .retain(|_, cost| *cost != CostCount::default());
        Ok(counters)
    }
}

fn stored_count(row: &PgRow) -> Result<(String, String, i64), StorageError> {
    let row = Reader::new("campaign_counters", row);
    Ok((row.get("kind")?, row.get("name")?, row.get("count")?))
}

/// Puts a count where it belongs; `None` when there is no such counter.
fn insert(counters: &mut CampaignCounters, kind: &str, name: &str, count: u64) -> Option<()> {
    match kind {
        "task" => counters.tasks.insert(name.parse().ok()?, count),
        "reason" => counters.reasons.insert(Reason::from_name(name)?, count),
        "attempt" => counters
            .attempts
            .insert(AttemptState::from_name(name)?, count),
        "cost_calls" => {
            counters.costs.entry(name.to_owned()).or_default().calls = count;
            return Some(());
        }
        "outcome" => counters.outcomes.insert(name.parse().ok()?, count),
        "cell" => {
            let (cell, status) = named_counter(name)?;
            let tasks = counters.cells.entry(cell).or_default();
            tasks.insert(status, count)
        }
        _ => return None,
    };
    Some(())
}
