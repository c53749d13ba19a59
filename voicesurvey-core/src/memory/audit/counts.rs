//! Counts against the rows they count (I12).

use std::collections::BTreeMap;
use std::fmt::Display;

use uuid::Uuid;

use crate::audit::Example;
use crate::call_attempt::CallAttempt;
use crate::call_rollup::RolledCall;
use crate::id::CampaignId;
use crate::memory::ready_list::counted_task;
use crate::memory::rows::{
    CampaignLevel, CompanyLevel, CostRow, Count, Counted, LaneRow, ProviderLevel, RollupRow,
    TaskRow,
};
use crate::memory::table::Transaction;
use crate::ports::repositories::CostCount;

/// Of each key: how many are counted, and how many there are.
type Compared<K> = BTreeMap<K, (u64, u64)>;

impl Transaction {
    pub(super) fn miscounted_tasks(&self) -> impl Iterator<Item = Example> {
        let mut compared =
            self.kept(|counted| !matches!(counted, Counted::Attempt(_) | Counted::Outcome(_)));
        for task in self.tasks() {
            for counted in counted_task(task) {
                compared.entry((task.campaign_id, counted)).or_default().1 += 1;
            }
        }
        different_counts(compared)
    }

    pub(super) fn miscounted_attempts(&self) -> impl Iterator<Item = Example> {
        let mut compared =
            self.kept(|counted| matches!(counted, Counted::Attempt(_) | Counted::Outcome(_)));
        for attempt in self.attempts() {
            let outcome = attempt.outcome.map(Counted::Outcome);
            let counted = [Some(Counted::Attempt(attempt.state)), outcome];
            for counted in counted.into_iter().flatten() {
                compared
                    .entry((attempt.campaign_id, counted))
                    .or_default()
                    .1 += 1;
            }
        }
        different_counts(compared)
    }

    fn kept(&self, is_meant: impl Fn(Counted) -> bool) -> Compared<(CampaignId, Counted)> {
        let counts = self.table::<Count>().range(..);
        counts
            .filter(|count| is_meant(count.counted))
            .map(|count| ((count.campaign_id, count.counted), (count.rows, 0)))
            .collect()
    }

    pub(super) fn miscounted_costs(&self) -> impl Iterator<Item = Example> {
        let mut compared: BTreeMap<(CampaignId, String), [CostCount; 2]> = BTreeMap::new();
        for row in self.table::<CostRow>().range(..) {
            let key = (row.campaign_id, row.currency.clone());
            compared.entry(key).or_default()[0] = row.cost;
        }
        for attempt in self.attempts() {
            let Some(cost) = &attempt.cost else { continue };
            let key = (attempt.campaign_id, cost.currency.clone());
            let stored = &mut compared.entry(key).or_default()[1];
            let cost = CostCount::of_call(cost, attempt.outcome);
            stored.calls += cost.calls;
            stored.millionths += cost.millionths;
        }
        let different = compared
            .into_iter()
            .filter(|(_, [kept, stored])| kept != stored);
        different.map(|((campaign_id, currency), [kept, stored])| {
            let told = |cost: CostCount| format!("{} calls for {}", cost.calls, cost.amount());
            let detail = difference(&currency, told(kept), told(stored));
            Example::new("campaign", Some(campaign_id.as_uuid()), None, detail)
        })
    }

    pub(super) fn wrong_rollups(&self) -> impl Iterator<Item = Example> {
        let mut compared: BTreeMap<_, [i64; 2]> = BTreeMap::new();
        for row in self.table::<RollupRow>().range(..) {
            compared.entry(row.key.clone()).or_default()[0] = row.value;
        }
        for attempt in self.attempts() {
            let sums = RolledCall::from(attempt).sums(attempt.created_at);
            for ((quarter, sum), value) in sums {
                let key = (attempt.campaign_id, quarter, sum);
                compared.entry(key).or_default()[1] += value;
            }
        }
        let different = compared
            .into_iter()
            .filter(|(_, [kept, stored])| kept != stored);
        different.map(|((campaign_id, quarter, sum), [kept, stored])| {
            let what = format!("{quarter} {} {}", sum.kind(), sum.name());
            let detail = difference(&what, kept, stored);
            Example::new("campaign", Some(campaign_id.as_uuid()), None, detail)
        })
    }

    pub(super) fn miscounted_lanes(&self) -> impl Iterator<Item = Example> {
        let lanes = self.table::<LaneRow>().range(..);
        let mut compared: Compared<_> = lanes
            .map(|row| ((row.campaign_id, row.lane.id), (row.lane.claimable, 0)))
            .collect();
        let rows = self.table::<TaskRow>().range(..);
        for row in rows.filter(|row| row.claimable) {
            compared
                .entry((row.task.campaign_id, row.lane))
                .or_default()
                .1 += 1;
        }
        different(compared).map(|((campaign_id, lane), kept, stored)| {
            let detail = difference(&format!("lane {lane}"), kept, stored);
            Example::new("campaign", Some(campaign_id.as_uuid()), None, detail)
        })
    }

    pub(super) fn miscounted_lines(&self) -> impl Iterator<Item = Example> {
        let campaigns = self.table::<CampaignLevel>().range(..);
        let companies = self.table::<CompanyLevel>().range(..);
        let providers = self.table::<ProviderLevel>().range(..);
        let mut compared: Compared<Line<'_>> = BTreeMap::new();
        let levels = campaigns
            .map(|row| (Line::Campaign(row.campaign_id.as_uuid()), &row.level))
            .chain(companies.map(|row| (Line::Company(row.company_id.as_uuid()), &row.level)))
            .chain(providers.map(|row| (Line::Provider(&row.provider), &row.level)));
        for (line, level) in levels {
            compared.insert(line, (level.in_flight.into(), 0));
        }
        for attempt in self.live_attempts() {
            for line in Line::held_by(attempt) {
                // An account without a row is not limited.
                if let Some((_, stored)) = compared.get_mut(&line) {
                    *stored += 1;
                }
            }
        }
        different(compared).map(|(line, kept, stored)| {
            let detail = difference("lines in use", kept, stored);
            match line {
                Line::Campaign(id) => Example::new("campaign", Some(id), None, detail),
                Line::Company(id) => Example::new("company", Some(id), None, detail),
                Line::Provider(name) => {
                    Example::new(&format!("provider {name}"), None, None, detail)
                }
            }
        })
    }
}

/// Whose line a live attempt holds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Line<'a> {
    Campaign(Uuid),
    Company(Uuid),
    Provider(&'a str),
}

impl<'a> Line<'a> {
    fn held_by(attempt: &'a CallAttempt) -> [Self; 3] {
        [
            Self::Campaign(attempt.campaign_id.as_uuid()),
            Self::Company(attempt.company_id.as_uuid()),
            Self::Provider(&attempt.provider),
        ]
    }
}

fn different<K>(compared: Compared<K>) -> impl Iterator<Item = (K, u64, u64)> {
    let all = compared.into_iter();
    all.filter(|(_, (kept, stored))| kept != stored)
        .map(|(key, (kept, stored))| (key, kept, stored))
}

fn different_counts(compared: Compared<(CampaignId, Counted)>) -> impl Iterator<Item = Example> {
    different(compared).map(|((campaign_id, counted), kept, stored)| {
        let what = match counted {
            Counted::Task(status) => format!("tasks {status}"),
            Counted::Reason(reason) => format!("tasks because of {reason}"),
            Counted::Attempt(state) => format!("attempts {state}"),
            Counted::Outcome(outcome) => format!("attempts that ended with {outcome}"),
            Counted::Cell(cell, status) => format!("tasks {status} in cell {cell}"),
        };
        let detail = difference(&what, kept, stored);
        Example::new("campaign", Some(campaign_id.as_uuid()), None, detail)
    })
}

fn difference(what: &str, kept: impl Display, stored: impl Display) -> String {
    format!("{what}: {kept} counted, {stored} stored")
}
