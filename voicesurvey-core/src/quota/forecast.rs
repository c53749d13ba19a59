//! The forecast: when enough people will have answered, and whether the list is long enough, if calls
//! go on as they went so far.
//!
//! Every figure follows from counters that are kept and from the calling hours; the formulas are in
//! `docs/quotas.md`. What too little is known of is absent, not guessed.

use std::time::Duration;

use chrono::TimeDelta;

use super::Place;
use crate::call_task::TaskStatus;
use crate::campaign::{Campaign, Schedule};
use crate::outcome::Outcome;
use crate::ports::repositories::CampaignCounters;
use crate::time::Timestamp;

/// Fewer people or calls than this are no basis for a rate.
pub const LEAST_CASES: u64 = 30;
/// Nor are fewer interviews.
pub const LEAST_COMPLETED: u64 = 5;
/// Nor is less time in which people could be called.
pub const LEAST_OPEN_TIME: TimeDelta = TimeDelta::minutes(30);
/// Nothing is told of what lies further away.
pub const HORIZON: TimeDelta = TimeDelta::days(366);

/// What is to be expected of a campaign.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Forecast {
    /// Hours since the start in which people in the campaign's own zone could be called.
    pub open_hours: Option<f64>,
    /// Calls that were started in each of them.
    pub calls_per_open_hour: Option<f64>,
    /// Interviews for each call that may have rung.
    pub completes_per_call: Option<f64>,
    /// Interviews for each person whose case was closed by calling.
    pub completes_per_contact: Option<f64>,
    /// The campaign's target, if it has one.
    pub target: Option<Prospect>,
    /// The cells of its quotas, in their order.
    pub cells: Vec<Prospect>,
    /// When everybody on the list has been dealt with.
    pub list_finished_at: Option<Timestamp>,
    /// When the campaign ends: its target is reached, all cells are full, or everybody has been dealt
    /// with, whatever is known to come first.
    pub finish_at: Option<Timestamp>,
}

/// What is to be expected of a target or of a cell.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Prospect {
    /// Interviews that are still wanted.
    pub remaining: u64,
    /// Calls that they take.
    pub calls_needed: Option<u64>,
    /// People whom they take.
    pub contacts_needed: Option<u64>,
    /// People who wait or are being called.
    pub contacts_available: u64,
    /// People who have to be uploaded besides these.
    pub contacts_missing: Option<u64>,
    /// When the last of the interviews is held.
    pub finish_at: Option<Timestamp>,
}

/// What the campaign has come to so far.
struct Pace<'c> {
    schedule: &'c Schedule,
    now: Timestamp,
    /// Seconds since the start in which people could be called.
    open_seconds: Option<f64>,
    per_call: Option<Rate>,
    per_contact: Option<Rate>,
}

/// How many of how many cases were completed.
#[derive(Clone, Copy)]
struct Rate {
    completed: u64,
    cases: u64,
}

impl Rate {
    /// `None` unless enough is known.
    const fn of(completed: u64, cases: u64) -> Option<Self> {
        if cases >= LEAST_CASES && completed >= LEAST_COMPLETED {
            Some(Self { completed, cases })
        } else {
            None
        }
    }

    fn value(self) -> f64 {
        float(self.completed) / float(self.cases)
    }

    /// How many cases so many more interviews take.
    const fn cases_for(self, remaining: u64) -> u64 {
        remaining
            .saturating_mul(self.cases)
            .div_ceil(self.completed)
    }
}

impl Forecast {
    /// Of a campaign as it stands at `now`, if it goes on from there.
    pub fn of(campaign: &Campaign, counters: &CampaignCounters, now: Timestamp) -> Self {
        let settings = campaign.effective_settings();
        let completed = counters.tasks_in(TaskStatus::Completed);
        let closed = completed
            + counters.tasks_in(TaskStatus::Refused)
            + counters.tasks_in(TaskStatus::NotReached)
            + counters.tasks_in(TaskStatus::Failed);
        let calls = dialed(counters);
        let open = campaign
            .started_at
            .map(|started_at| open_time(&settings.schedule, started_at, now))
            .filter(|open| *open >= LEAST_OPEN_TIME);
        let pace = Pace {
            schedule: &settings.schedule,
            now,
            open_seconds: open.map(TimeDelta::as_seconds_f64),
            per_call: Rate::of(completed, calls),
            per_contact: Rate::of(completed, closed),
        };
        let open_hours = pace.open_seconds.map(|seconds| seconds / 3_600.0);
        let target = settings.target.map(|target| {
            let remaining = u64::from(target.get()).saturating_sub(completed);
            pace.prospect(remaining, completed, counters.open_tasks(), None)
        });
        let places = campaign.places(counters);
        let cells: Vec<Prospect> = places.as_ref().map_or_else(Vec::new, |places| {
            places
                .cells()
                .iter()
                .map(|cell| pace.of_cell(cell))
                .collect()
        });
        let list_finished_at = pace.at_rate(counters.open_tasks(), closed);
        let is_going_on = !campaign.status.is_final() && campaign.winding_up.is_none();
        let all_full_at = cells.iter().map(|cell| cell.finish_at);
        let all_full_at = all_full_at.reduce(|a, b| a.zip(b).map(|(a, b)| a.max(b)));
        let ends = [
            target.and_then(|target| target.finish_at),
            all_full_at.flatten(),
            list_finished_at,
        ];
        Self {
            open_hours,
            calls_per_open_hour: open_hours
                .filter(|_| calls >= LEAST_CASES)
                .map(|hours| float(counters.total_attempts()) / hours),
            completes_per_call: pace.per_call.map(Rate::value),
            completes_per_contact: pace.per_contact.map(Rate::value),
            target,
            cells,
            list_finished_at,
            finish_at: ends.into_iter().flatten().min().filter(|_| is_going_on),
        }
    }
}

/// Calls that may have rung, and have ended.
fn dialed(counters: &CampaignCounters) -> u64 {
    let outcomes = counters.outcomes.iter();
    let dialed = outcomes.filter(|(outcome, _)| Outcome::counts_as_contact(**outcome));
    dialed.map(|(_, calls)| calls).sum()
}

impl Pace<'_> {
    fn of_cell(&self, cell: &Place) -> Prospect {
        let remaining = cell.target.saturating_sub(cell.completed);
        let own = Rate::of(cell.completed, cell.completed + cell.closed);
        let available = cell.waiting + cell.in_progress;
        self.prospect(remaining, cell.completed, available, own)
    }

    /// `per_contact` is the cell's own rate, if enough is known of it; else that of the campaign.
    fn prospect(
        &self,
        remaining: u64,
        completed: u64,
        contacts_available: u64,
        per_contact: Option<Rate>,
    ) -> Prospect {
        let per_contact = per_contact.or(self.per_contact);
        let contacts_needed = per_contact.map(|rate| rate.cases_for(remaining));
        Prospect {
            remaining,
            calls_needed: self.per_call.map(|rate| rate.cases_for(remaining)),
            contacts_needed,
            contacts_available,
            contacts_missing: contacts_needed
                .map(|needed| needed.saturating_sub(contacts_available)),
            finish_at: if completed >= LEAST_COMPLETED {
                self.at_rate(remaining, completed)
            } else {
                None
            },
        }
    }

    /// When `remaining` more have come, if they come as fast as `so_far` came.
    fn at_rate(&self, remaining: u64, so_far: u64) -> Option<Timestamp> {
        let seconds = self.open_seconds?;
        if so_far == 0 || remaining == 0 {
            return None;
        }
        let wanted = seconds * float(remaining) / float(so_far);
        let wanted = Duration::try_from_secs_f64(wanted).ok()?;
        after_open_time(self.schedule, self.now, TimeDelta::from_std(wanted).ok()?)
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "counts of people are far below 2^52"
)]
const fn float(count: u64) -> f64 {
    count as f64
}

/// The openings of the calling hours in the campaign's own zone, from an instant on.
fn openings(
    schedule: &Schedule,
    from: Timestamp,
    until: Timestamp,
) -> impl Iterator<Item = (Timestamp, Timestamp)> + '_ {
    let zones = std::slice::from_ref(&schedule.time_zone);
    let from = schedule
        .starts_at
        .map_or(from, |starts_at| starts_at.max(from));
    let until = schedule.ends_at.map_or(until, |ends_at| ends_at.min(until));
    let mut at = from;
    std::iter::from_fn(move || {
        let opens_at = schedule.hours.next_opening(zones, at)?;
        if opens_at >= until {
            return None;
        }
        let closes_at = schedule.hours.closes_by(zones, opens_at, until);
        let closes_at = closes_at.map_or(until, |closes_at| closes_at.min(until));
        at = closes_at;
        (opens_at < closes_at).then_some((opens_at, closes_at))
    })
}

/// How long people could be called between two instants; of the latest year if it is longer ago.
fn open_time(schedule: &Schedule, from: Timestamp, to: Timestamp) -> TimeDelta {
    let spans = openings(schedule, from.max(to - HORIZON), to);
    spans.fold(TimeDelta::zero(), |sum, (opens, closes)| {
        sum + (closes - opens)
    })
}

/// When people have been able to be called for that long; `None` if not within a year or before the
/// campaign's end.
fn after_open_time(schedule: &Schedule, from: Timestamp, wanted: TimeDelta) -> Option<Timestamp> {
    let mut left = wanted;
    for (opens_at, closes_at) in openings(schedule, from, from + HORIZON) {
        let span = closes_at - opens_at;
        if left <= span {
            return Some(opens_at + left);
        }
        left -= span;
    }
    None
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use serde_json::json;

    use super::*;
    use crate::calling_hours::CallingHours;
    use crate::testing::samples::{self, SampleCampaign};

    fn instant(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    /// Open from 9 to 12 every day, in UTC, and started on the first day at 9.
    fn campaign() -> Campaign {
        let mut campaign = samples::campaign(&samples::company());
        campaign.settings.schedule.time_zone = "UTC".parse().unwrap();
        let (opens, closes) = ("09:00".parse().unwrap(), "12:00".parse().unwrap());
        campaign.settings.schedule.hours = CallingHours::daily(opens, closes).unwrap();
        campaign.settings.target = NonZeroU32::new(50);
        campaign.settings.quotas = serde_json::from_value(json!({
            "policy": "count_at_completion",
            "cells": [
                {"name": "a", "target": 20, "where": {"columns": {"c": "a"}}},
                {"name": "b", "target": 20, "where": {"columns": {"c": "b"}}},
            ]
        }))
        .unwrap();
        let mut campaign = campaign.running();
        campaign.started_at = Some(instant("2027-03-01T09:00:00Z"));
        campaign
    }

    fn counters(completed: u64, refused: u64, waiting: u64) -> CampaignCounters {
        let mut counters = CampaignCounters::default();
        counters.tasks.insert(TaskStatus::Completed, completed);
        counters.tasks.insert(TaskStatus::Refused, refused);
        counters.tasks.insert(TaskStatus::Pending, waiting);
        counters.outcomes.insert(Outcome::Completed, completed);
        counters.outcomes.insert(Outcome::Refused, refused);
        counters
            .outcomes
            .insert(Outcome::NoAnswer, completed + refused);
        let ended = 2 * (completed + refused);
        let state = crate::call_attempt::AttemptState::Ended;
        counters.attempts.insert(state, ended);
        counters
    }

    #[test]
    fn rates_of_the_open_hours_so_far_say_when_the_target_is_reached() {
        // Two days of three hours each: 10 interviews with 40 people by 80 calls.
        let now = instant("2027-03-02T18:00:00Z");
        let forecast = Forecast::of(&campaign(), &counters(10, 30, 100), now);
        assert_eq!(forecast.open_hours, Some(6.0));
        assert_eq!(forecast.completes_per_call, Some(0.125));
        assert_eq!(forecast.completes_per_contact, Some(0.25));
        let target = forecast.target.unwrap();
        assert_eq!((target.remaining, target.calls_needed), (40, Some(320)));
        assert_eq!(target.contacts_needed, Some(160));
        assert_eq!(
            (target.contacts_available, target.contacts_missing),
            (100, Some(60))
        );
        // 40 more at 10 in six hours: 24 hours, which are eight days of three.
        assert_eq!(target.finish_at, Some(instant("2027-03-10T12:00:00Z")));
        // The list ends first: 100 people at 40 in six hours are 15 hours.
        assert_eq!(
            forecast.list_finished_at,
            Some(instant("2027-03-07T12:00:00Z"))
        );
        assert_eq!(forecast.finish_at, forecast.list_finished_at);
    }

    #[test]
    fn a_cell_is_judged_by_its_own_people_once_enough_are_known() {
        let now = instant("2027-03-02T18:00:00Z");
        let mut counters = counters(10, 50, 100);
        let of_a = [
            (TaskStatus::Completed, 10),
            (TaskStatus::Refused, 20),
            (TaskStatus::Retry, 15),
            (TaskStatus::InProgress, 1),
        ];
        counters.cells.insert(0, of_a.into());
        counters.cells.insert(1, [(TaskStatus::Refused, 30)].into());
        let forecast = Forecast::of(&campaign(), &counters, now);
        let [a, b] = forecast.cells[..] else {
            panic!("two cells")
        };
        assert_eq!((a.remaining, a.contacts_needed), (10, Some(30)));
        assert_eq!((a.contacts_available, a.contacts_missing), (16, Some(14)));
        assert_eq!(a.finish_at, Some(instant("2027-03-04T12:00:00Z")));
        // One in six of everybody; and nobody has answered yet whose pace could be told.
        assert_eq!((b.remaining, b.contacts_needed), (20, Some(120)));
        assert_eq!(b.finish_at, None);
    }

    #[test]
    fn what_too_little_is_known_of_is_absent() {
        let now = instant("2027-03-01T09:20:00Z");
        let early = Forecast::of(&campaign(), &counters(10, 30, 100), now);
        assert_eq!((early.open_hours, early.finish_at), (None, None));
        let later = instant("2027-03-01T11:00:00Z");
        let few = Forecast::of(&campaign(), &counters(4, 30, 100), later);
        assert_eq!(
            (few.completes_per_call, few.completes_per_contact),
            (None, None)
        );
        let target = few.target.unwrap();
        assert_eq!((target.calls_needed, target.contacts_missing), (None, None));
        assert_eq!(target.finish_at, None);
        let draft = samples::campaign(&samples::company());
        let nothing = Forecast::of(&draft, &CampaignCounters::default(), now);
        assert_eq!(nothing, Forecast::default());
    }
}
