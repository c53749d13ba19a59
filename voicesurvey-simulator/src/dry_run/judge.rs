//! The judge: goes through the dry run's own book and counts broken promises.
//!
//! It asks neither the engine nor its store, and does its own arithmetic, so that a fault of the
//! engine is found and not repeated: the hours of I4 are worked out here again, from the wall clock
//! and the ranges alone.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use chrono::{Datelike, NaiveDate, TimeDelta, Timelike};
use serde::Serialize;
use voicesurvey_core::calling_hours::{CallingHours, CountryDays, HoursRange};
use voicesurvey_core::campaign::{Pacing, Schedule};
use voicesurvey_core::outcome::Outcome;
use voicesurvey_core::time::Timestamp;
use voicesurvey_core::time_zone::TimeZone;

use super::ledger::{Call, Ledger};

/// Broken promises that are described, for each promise.
const EXAMPLES: usize = 3;

/// How well one promise was kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Score {
    /// Its number in the design: `I1` to `I8`.
    pub promise: &'static str,
    /// What is promised.
    pub text: &'static str,
    /// How often it could have been broken.
    pub checked: u64,
    /// How often it was.
    pub violations: u64,
    /// When the first ones were.
    pub examples: Vec<String>,
}

/// What must have been kept.
#[derive(Clone, Debug)]
pub(super) struct Rules<'a> {
    pub(super) schedule: &'a Schedule,
    /// Of the campaign and of the company; each must be kept.
    pub(super) limits: Vec<Pacing>,
    /// Tasks that were in progress when nothing more happened.
    pub(super) stuck: u64,
}

/// Goes through the book.
#[derive(Debug)]
pub(super) struct Judge<'a> {
    ledger: &'a Ledger,
    rules: Rules<'a>,
    /// For each call, the call to the same person before it.
    before: Vec<Option<u32>>,
}

impl<'a> Judge<'a> {
    pub(super) fn new(ledger: &'a Ledger, rules: Rules<'a>) -> Self {
        let mut latest: Vec<Option<u32>> = vec![None; ledger.contacts.len()];
        let calls = (0_u32..).zip(&ledger.calls);
        let before = calls
            .map(|(index, call)| latest[call.contact as usize].replace(index))
            .collect();
        Self {
            ledger,
            rules,
            before,
        }
    }

    /// The scorecard, and the most calls that were in progress at one instant.
    pub(super) fn scorecard(&self) -> (Vec<Score>, u32) {
        let (lines, most) = self.lines();
        let scores = vec![
            self.numbering(),
            self.committed_first(),
            self.one_call_at_a_time(),
            self.within_hours(),
            lines,
            self.pace(),
            self.nothing_stuck(),
            self.no_is_final(),
        ];
        (scores, most)
    }

    fn numbering(&self) -> Score {
        let text = "The attempts of a person are numbered 1, 2, 3 and so on.";
        self.each_call("I1", text, |call, before| {
            let known = self.ledger.contact(call).attempts_before;
            call.number == before.map_or(known, |before| before.number) + 1
        })
    }

    fn committed_first(&self) -> Score {
        let text =
            "An attempt is committed before anybody is dialed, and no transaction is open then.";
        let mut score = self.each_call("I2", text, |call, _| {
            call.committed_at.is_some_and(|at| at <= call.placed_at)
        });
        score.violations += self.ledger.dialed_in_transaction;
        score
    }

    fn one_call_at_a_time(&self) -> Score {
        let text =
            "Nobody is dialed twice for one attempt, or while another call to the number lives.";
        let mut score = self.each_call("I3", text, |call, before| {
            before.is_none_or(|before| before.ended_at.is_some_and(|end| end <= call.placed_at))
        });
        score.violations += self.ledger.dialed_again;
        score
    }

    fn within_hours(&self) -> Score {
        let text =
            "Nobody is dialed outside the calling hours where they are, or outside the dates.";
        let Schedule {
            starts_at,
            ends_at,
            hours,
            countries,
            ..
        } = self.rules.schedule;
        self.each_call("I4", text, |call, _| {
            let at = call.placed_at;
            let contact = self.ledger.contact(call);
            let zones = &self.ledger.zones[usize::from(contact.zones)];
            let country = contact.region.and_then(|region| countries.get(&region));
            starts_at.is_none_or(|start| start <= at)
                && ends_at.is_none_or(|end| at < end)
                && !zones.is_empty()
                && zones.iter().all(|zone| is_open(hours, country, *zone, at))
        })
    }

    fn lines(&self) -> (Score, u32) {
        let lines = self
            .rules
            .limits
            .iter()
            .map(|limit| limit.max_concurrent_calls);
        let limit = lines.min().unwrap_or(u32::MAX) as usize;
        let mut ends: BinaryHeap<Reverse<Timestamp>> = BinaryHeap::new();
        let mut most = 0;
        let text = "Calls in progress never exceed the limits of campaign and company.";
        let score = self.each_call("I5", text, |call, _| {
            // At the instant at which a line becomes free it may be used again.
            while ends
                .peek()
                .is_some_and(|Reverse(end)| *end <= call.placed_at)
            {
                ends.pop();
            }
            ends.push(Reverse(call.ended_at.unwrap_or(Timestamp::MAX_UTC)));
            most = most.max(ends.len());
            ends.len() <= limit
        });
        (score, u32::try_from(most).unwrap_or(u32::MAX))
    }

    fn pace(&self) -> Score {
        let minute = TimeDelta::seconds(60);
        let mut index = 0;
        let text = "In any 60 seconds no more calls begin than campaign and company allow.";
        self.each_call("I6", text, |call, _| {
            let calls = &self.ledger.calls[..index];
            index += 1;
            self.rules.limits.iter().all(|limit| {
                let pace = limit.pace;
                let gap = TimeDelta::seconds(pace.seconds_between_calls.into());
                let apart = calls
                    .last()
                    .is_none_or(|last| call.placed_at - last.placed_at >= gap);
                // The call that must have left the minute before this one may enter it.
                let first = calls.len().checked_sub(pace.calls_per_minute as usize);
                let oldest = first.map(|first| calls.get(first));
                apart
                    && oldest.is_none_or(|oldest| {
                        oldest.is_some_and(|oldest| call.placed_at - oldest.placed_at >= minute)
                    })
            })
        })
    }

    fn nothing_stuck(&self) -> Score {
        let text = "Every call is settled: no task stays in progress.";
        let mut score = self.each_call("I7", text, |call, _| call.ended_at.is_some());
        score.violations = score.violations.max(self.rules.stuck);
        score
    }

    fn no_is_final(&self) -> Score {
        let text = "Who has refused, opted out or is excluded is not dialed.";
        self.each_call("I8", text, |call, before| {
            let said_no = before.is_some_and(|before| {
                matches!(before.outcome, Outcome::Refused | Outcome::OptedOut)
            });
            !said_no && !self.ledger.contact(call).excluded
        })
    }

    /// Looks at each call in the order in which they were placed, with the call before it to the
    /// same person.
    fn each_call(
        &self,
        promise: &'static str,
        text: &'static str,
        mut is_kept: impl FnMut(&Call, Option<&Call>) -> bool,
    ) -> Score {
        let calls = &self.ledger.calls;
        let mut score = Score {
            promise,
            text,
            checked: calls.len() as u64,
            violations: 0,
            examples: Vec::new(),
        };
        for (call, before) in calls.iter().zip(&self.before) {
            let before = before.and_then(|index| calls.get(index as usize));
            if is_kept(call, before) {
                continue;
            }
            score.violations += 1;
            if score.examples.len() < EXAMPLES {
                score.examples.push(self.describe(call));
            }
        }
        score
    }

    fn describe(&self, call: &Call) -> String {
        let number = self.ledger.contact(call).number;
        format!("{} attempt {} to {number:?}", call.placed_at, call.number)
    }
}

/// Whether a wall clock in that zone shows a time within the hours, with the dates of the person's
/// country. The day before counts where its hours go over midnight.
fn is_open(
    hours: &CallingHours,
    country: Option<&CountryDays>,
    zone: TimeZone,
    at: Timestamp,
) -> bool {
    let local = zone.local(at);
    let minute = local.hour() * 60 + local.minute();
    let minutes = |range: &HoursRange| {
        let [start, end] = [range.start(), range.end()].map(|time| u32::from(time.minutes()));
        (start, end, end <= start)
    };
    let today = ranges_on(hours, country, local.date()).iter().map(minutes);
    let yesterday = local
        .date()
        .pred_opt()
        .map(|date| ranges_on(hours, country, date));
    let yesterday = yesterday.into_iter().flatten().map(minutes);
    let is_today = |(start, end, overnight)| start <= minute && (overnight || minute < end);
    let is_yesterday = |(_, end, overnight)| overnight && minute < end;
    today.into_iter().any(is_today) || yesterday.into_iter().any(is_yesterday)
}

fn ranges_on<'a>(
    hours: &'a CallingHours,
    country: Option<&CountryDays>,
    date: NaiveDate,
) -> &'a [HoursRange] {
    if hours.holidays.contains(&date) || country.is_some_and(|days| days.holidays.contains(&date)) {
        &hours.holiday_hours
    } else if hours.eves.contains(&date) || country.is_some_and(|days| days.eves.contains(&date)) {
        &hours.eve_hours
    } else {
        hours.weekly.on(date.weekday())
    }
}

#[cfg(test)]
mod tests;
