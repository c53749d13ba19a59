//! The forecast: when enough people will have answered, and whether the list is long enough, if calls
//! go on as they went so far.
//!
//! Every figure follows from counters that are kept and from the calling hours; the formulas are in
//! `docs/quotas.md`. What too little is known of is absent, not guessed.

use std::time::Duration;

use chrono::TimeDelta;

use super::Place;
use super::openings::{Ahead, ahead, open_time};
use crate::call_task::TaskStatus;
use crate::campaign::Campaign;
use crate::outcome::Outcome;
use crate::ports::repositories::CampaignCounters;
use crate::time::Timestamp;

/// Fewer people or calls than this are no basis for a rate.
pub const LEAST_CASES: u64 = 30;
/// Nor are fewer interviews.
pub const LEAST_COMPLETED: u64 = 5;
/// Nor is less time in which people could be called.
pub const LEAST_OPEN_TIME: TimeDelta = TimeDelta::minutes(30);
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
struct Pace<I: Iterator> {
    ahead: Ahead<I>,
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
        let closed = counters.closed_by_calling();
        let made = dialed(counters);
        let open = campaign
            .started_at
            .map(|started_at| open_time(&settings.schedule, started_at, now))
            .filter(|open| *open >= LEAST_OPEN_TIME);
        let mut pace = Pace {
            ahead: ahead(&settings.schedule, now),
            open_seconds: open.map(TimeDelta::as_seconds_f64),
            per_call: Rate::of(completed, made),
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
        let ends = [
            target.and_then(|target| last_held_at(&[target], now)),
            last_held_at(&cells, now),
            list_finished_at,
        ];
        Self {
            open_hours,
            calls_per_open_hour: open_hours
                .filter(|_| made >= LEAST_CASES)
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

/// When the last interview of all of them is held: at once if none is wanted any more; `None` if there
/// are none, or one of which it is not known.
fn last_held_at(prospects: &[Prospect], now: Timestamp) -> Option<Timestamp> {
    let held_at = |prospect: &Prospect| match prospect.remaining {
        0 => Some(now),
        _ => prospect.finish_at,
    };
    let all: Option<Vec<Timestamp>> = prospects.iter().map(held_at).collect();
    all?.into_iter().max()
}

/// Calls that may have rung, and have ended.
fn dialed(counters: &CampaignCounters) -> u64 {
    let outcomes = counters.outcomes.iter();
    let dialed = outcomes.filter(|(outcome, _)| Outcome::counts_as_contact(**outcome));
    dialed.map(|(_, calls)| calls).sum()
}

impl<I: Iterator<Item = (Timestamp, Timestamp)>> Pace<I> {
    fn of_cell(&mut self, cell: &Place) -> Prospect {
        let remaining = cell.target.saturating_sub(cell.completed);
        let own = Rate::of(cell.completed, cell.completed + cell.closed);
        let available = cell.waiting + cell.in_progress;
        self.prospect(remaining, cell.completed, available, own)
    }

    /// `per_contact` is the cell's own rate, if enough is known of it; else that of the campaign.
    fn prospect(
        &mut self,
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
    fn at_rate(&mut self, remaining: u64, so_far: u64) -> Option<Timestamp> {
        let seconds = self.open_seconds?;
        if so_far == 0 || remaining == 0 {
            return None;
        }
        let wanted = seconds * float(remaining) / float(so_far);
        let wanted = Duration::try_from_secs_f64(wanted).ok()?;
        self.ahead.after(TimeDelta::from_std(wanted).ok()?)
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "counts of people are far below 2^52"
)]
const fn float(count: u64) -> f64 {
    count as f64
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

    /// Else one full cell would make the forecast forget all others.
    #[test]
    fn a_cell_that_is_full_holds_up_no_forecast() {
        let now = instant("2027-03-02T18:00:00Z");
        let half = [(TaskStatus::Completed, 10)];
        let full = [(TaskStatus::Completed, 20)];
        let mut counters = counters(30, 30, 1_000);
        counters.cells.insert(0, full.into());
        counters.cells.insert(1, half.into());
        let forecast = Forecast::of(&campaign(), &counters, now);
        let [a, b] = forecast.cells[..] else {
            panic!("two cells")
        };
        assert_eq!(
            (a.remaining, a.calls_needed, a.finish_at),
            (0, Some(0), None)
        );
        // As many as have come in two days.
        assert_eq!(b.finish_at, Some(instant("2027-03-04T12:00:00Z")));
        assert_eq!(forecast.target.unwrap().remaining, 20);
        assert!(forecast.list_finished_at > b.finish_at);
        // 20 more of everybody, at 30 in two days, come before.
        let target_at = Some(instant("2027-03-04T10:00:00Z"));
        assert_eq!(forecast.finish_at, target_at);
        let mut without_target = campaign();
        without_target.settings.target = None;
        let forecast = Forecast::of(&without_target, &counters, now);
        assert_eq!(forecast.finish_at, b.finish_at);
        counters.cells.insert(1, full.into());
        let forecast = Forecast::of(&without_target, &counters, now);
        assert_eq!(forecast.finish_at, Some(now));
    }

    /// Screening by age: most of those who are reached are told that there are enough of them.
    #[test]
    fn who_is_turned_away_has_to_be_uploaded_too() {
        let now = instant("2027-03-02T18:00:00Z");
        let mut counters = counters(10, 10, 100);
        counters.tasks.insert(TaskStatus::Cancelled, 80);
        counters.outcomes.insert(Outcome::QuotaFull, 80);
        counters.cells.insert(
            0,
            [
                (TaskStatus::Completed, 5),
                (TaskStatus::Refused, 5),
                (TaskStatus::Cancelled, 40),
            ]
            .into(),
        );
        let forecast = Forecast::of(&campaign(), &counters, now);
        assert_eq!(forecast.completes_per_contact, Some(0.1));
        let target = forecast.target.unwrap();
        assert_eq!(target.contacts_needed, Some(400));
        assert_eq!(target.contacts_missing, Some(300));
        // 100 people at 100 in two days.
        let list_finished_at = Some(instant("2027-03-04T12:00:00Z"));
        assert_eq!(forecast.list_finished_at, list_finished_at);
        let [a, _] = forecast.cells[..] else {
            panic!("two cells")
        };
        assert_eq!((a.remaining, a.contacts_needed), (15, Some(150)));
        // Whose tasks ended without a call says nothing about who would answer.
        counters.outcomes.insert(Outcome::QuotaFull, 0);
        let forecast = Forecast::of(&campaign(), &counters, now);
        assert_eq!(forecast.completes_per_contact, None);
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
