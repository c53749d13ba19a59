//! What a dry run tells: names are stable, because programs read them.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::Serialize;
use voicesurvey_core::call_task::{CallTask, TaskStatus};
use voicesurvey_core::gate::Reason;
use voicesurvey_core::outcome::Outcome;
use voicesurvey_core::phone_number::PhoneNumber;
use voicesurvey_core::time::Timestamp;
use voicesurvey_core::time_zone::TimeZone;

use super::judge::Score;
use super::ledger::Ledger;
use super::settings::Prices;

/// People who are named as examples for each reason.
const EXAMPLES: usize = 3;

/// What came of a dry run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DryRunReport {
    /// The same seed gives the same report.
    pub seed: u64,
    /// When the campaign was supposed to be started.
    pub started_at: Timestamp,
    /// When nothing more happened.
    pub finished_at: Timestamp,
    /// Why nothing more happened.
    pub finish: Finish,
    /// The same for people.
    pub summary: String,
    /// People who had not been dealt with before.
    pub contacts: u64,
    /// How they end.
    pub contacts_by_status: BTreeMap<TaskStatus, u64>,
    /// Finished and accepted interviews.
    pub completes: u64,
    /// Telephones that rang.
    pub calls: u64,
    /// How the calls ended.
    pub attempts_by_outcome: BTreeMap<Outcome, u64>,
    /// Calls that began on each day, on the clock of the campaign's time zone.
    pub calls_per_day: Vec<Day>,
    /// The most calls in progress at one instant.
    pub most_calls_at_once: u32,
    /// What the calls cost.
    pub cost: CostRange,
    /// People with whom nothing was settled, by reason, the most first.
    pub unreached: Vec<Unreached>,
    /// Whether the engine kept its promises.
    pub scorecard: Vec<Score>,
    /// What the dry run took for granted.
    pub assumptions: Vec<String>,
}

/// Why nothing more happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Finish {
    /// Everybody was dealt with.
    Completed,
    /// Enough people had answered.
    TargetReached,
    /// The campaign's end date came first.
    EndDateReached,
    /// The budget was used up first.
    BudgetUsedUp,
    /// Nobody may be called, now or ever: no lines, no calls per minute, a suspended company.
    Stalled,
    /// After ten years there was still somebody to call.
    NotWithinTenYears,
}

impl Finish {
    /// A sentence for people.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Completed => "The campaign finishes: everybody is dealt with.",
            Self::TargetReached => "The campaign finishes: its target is reached.",
            Self::EndDateReached => "The campaign does not finish by its end date.",
            Self::BudgetUsedUp => "The campaign does not finish: its budget is used up.",
            Self::Stalled => "The campaign does not finish: nobody may be called any more.",
            Self::NotWithinTenYears => "The campaign does not finish within ten years.",
        }
    }
}

/// The calls of one day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Day {
    /// The day.
    pub date: NaiveDate,
    /// Calls that began on it.
    pub calls: u64,
    /// Those of them in which the interview was finished.
    pub completes: u64,
}

/// From the least to the most that the calls may cost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CostRange {
    /// The ISO 4217 code.
    pub currency: String,
    /// Started minutes of all answered calls.
    pub minutes: u64,
    /// At the lower price.
    pub low: Decimal,
    /// At the higher price.
    pub high: Decimal,
}

/// People with whom nothing was settled, for one reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Unreached {
    /// The name of the gate's reason, or of the outcome of the last call.
    pub reason: &'static str,
    /// A sentence for people.
    pub explanation: &'static str,
    /// Of them, those who were never called.
    pub never_called: u64,
    /// And those who were called in vain.
    pub called_in_vain: u64,
    /// A few of their numbers, masked.
    pub examples: Vec<String>,
}

/// Counts how people ended.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) by_status: BTreeMap<TaskStatus, u64>,
    unreached: BTreeMap<&'static str, Unreached>,
}

impl Tally {
    /// Counts a task as it is at the end. `was_called` says whether the dry run called the person,
    /// `waits` what those wait for who could have been called.
    pub(super) fn count(&mut self, task: &CallTask, was_called: bool, waits: Reason) {
        let status = task.state.status();
        *self.by_status.entry(status).or_default() += 1;
        if matches!(status, TaskStatus::Completed | TaskStatus::Refused) {
            return;
        }
        let (reason, explanation) = explain(task, status, waits);
        let entry = self.unreached.entry(reason).or_insert_with(|| Unreached {
            reason,
            explanation,
            never_called: 0,
            called_in_vain: 0,
            examples: Vec::new(),
        });
        if was_called {
            entry.called_in_vain += 1;
        } else {
            entry.never_called += 1;
        }
        if entry.examples.len() < EXAMPLES {
            entry.examples.push(masked(&task.contact.phone_number));
        }
    }

    /// The reasons, the most frequent first.
    pub(super) fn unreached(self) -> Vec<Unreached> {
        let mut reasons: Vec<Unreached> = self.unreached.into_values().collect();
        reasons.sort_by_key(|entry| {
            let people = entry.never_called + entry.called_in_vain;
            (std::cmp::Reverse(people), entry.reason)
        });
        reasons
    }
}

/// Why nothing was settled with a person.
fn explain(task: &CallTask, status: TaskStatus, waits: Reason) -> (&'static str, &'static str) {
    let reason = match (status, task.reason, task.outcome) {
        (_, Some(reason), _) => reason,
        (TaskStatus::Failed, None, Some(outcome)) => {
            return (outcome.name(), "The number or the person cannot be called.");
        }
        (TaskStatus::NotReached, None, _) => Reason::AttemptsUsedUp,
        (TaskStatus::Excluded, None, _) => Reason::Excluded,
        (TaskStatus::Failed | TaskStatus::Cancelled, None, _) => Reason::TaskEnded,
        _ => waits,
    };
    (reason.name(), reason.sentence())
}

/// Enough of a number to recognise it in one's own list, and no more.
fn masked(number: &PhoneNumber) -> String {
    let text = number.as_str();
    format!("{}…{}", &text[..3], &text[text.len() - 2..])
}

/// What the book says.
pub(super) fn calls_per_day(ledger: &Ledger, zone: TimeZone) -> Vec<Day> {
    let mut days: BTreeMap<NaiveDate, (u64, u64)> = BTreeMap::new();
    for call in &ledger.calls {
        let (calls, completes) = days.entry(zone.local(call.placed_at).date()).or_default();
        *calls += 1;
        *completes += u64::from(call.outcome == Outcome::Completed);
    }
    let days = days.into_iter();
    days.map(|(date, (calls, completes))| Day {
        date,
        calls,
        completes,
    })
    .collect()
}

/// How the calls ended.
pub(super) fn by_outcome(ledger: &Ledger) -> BTreeMap<Outcome, u64> {
    let mut outcomes = BTreeMap::new();
    for call in &ledger.calls {
        *outcomes.entry(call.outcome).or_default() += 1;
    }
    outcomes
}

/// What the calls cost.
pub(super) fn cost(ledger: &Ledger, prices: &Prices) -> CostRange {
    let minutes = ledger.calls.iter().map(|call| u64::from(call.minutes()));
    let minutes: u64 = minutes.sum();
    CostRange {
        currency: prices.currency.clone(),
        minutes,
        low: prices.per_minute_low * Decimal::from(minutes),
        high: prices.per_minute_high * Decimal::from(minutes),
    }
}
