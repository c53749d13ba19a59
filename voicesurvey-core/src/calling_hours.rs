//! Calling hours: when people may be called, on their own wall clock (promise I4).
//!
//! The guarantee: [`CallingHours::is_open`] converts the instant to the called person's local time
//! and compares that, never the other way round, so it has one answer also on the days on which
//! clocks change. It fails closed: without a zone nothing is open, and where several zones are
//! possible the hours must be open in all of them. Everything else here is derived from it:
//! [`CallingHours::next_opening`] and [`CallingHours::closes_at`] are exact to the second.
//!
//! Rules that surprise:
//!
//! - A range that goes over midnight belongs to the date on which it starts. Friday 22:00 to
//!   02:00 is open on Saturday at 01:00, even if Saturday is a holiday.
//! - Where the clock is put back over a range's end, the range is open again.
//! - A range whose start the clock jumps over opens at the jump.
//!
//! ```
//! use voicesurvey_core::calling_hours::CallingHours;
//! use voicesurvey_core::time_zone::TimeZone;
//!
//! let hours = CallingHours::daily("08:00".parse()?, "21:00".parse()?)?;
//! // Area code 208 spans two zones. At 08:30 in Boise it is 07:30 in the other one.
//! let idaho: [TimeZone; 2] = ["America/Boise".parse()?, "America/Los_Angeles".parse()?];
//! let at = "2026-11-20T15:30:00Z".parse()?;
//! assert!(!hours.is_open(&idaho, at));
//! assert_eq!(hours.next_opening(&idaho, at), Some("2026-11-20T16:00:00Z".parse()?));
//! // Nobody knows where this person is: never.
//! assert_eq!(hours.next_opening(&[], at), None);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod country_days;
mod dates;
mod hours_range;
mod time_of_day;

use std::collections::BTreeSet;

use chrono::{Datelike, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Timelike};
use serde::{Deserialize, Serialize};

pub use self::country_days::CountryDays;
pub use self::dates::{InvalidDate, read_date};
pub use self::hours_range::{HoursRange, StartsAtEndOfDay, WeeklyHours};
pub use self::time_of_day::{InvalidTimeOfDay, TimeOfDay};
use crate::time::Timestamp;
use crate::time_zone::TimeZone;

/// How far ahead an opening or a closing is looked for: a year, and a month of holidays.
const HORIZON_DAYS: i64 = 400;

/// The weekly hours in which people may be called, and the dates on which other hours hold.
///
/// The default is never open.
///
/// ```
/// use voicesurvey_core::calling_hours::CallingHours;
///
/// let hours: CallingHours = serde_json::from_str(
///     r#"{
///         "weekly": {"fri": [["09:00", "13:00"], ["14:00", "20:00"]], "sat": [["22:00", "02:00"]]},
///         "holidays": ["2026-12-25"],
///         "eves": ["2026-12-24"],
///         "eve_hours": [["10:00", "13:00"]]
///     }"#,
/// )?;
/// let zones = ["Europe/Rome".parse()?];
/// // Sunday has no hours, but Saturday's last until two in the morning.
/// assert!(hours.is_open(&zones, "2026-11-22T00:30:00Z".parse()?));
/// // Christmas 2026 is a Friday.
/// assert!(!hours.is_open(&zones, "2026-12-25T09:00:00Z".parse()?));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CallingHours {
    /// The hours of ordinary days.
    pub weekly: WeeklyHours,
    /// Dates on which `holiday_hours` hold instead of the weekly ones, also if they are eves too.
    #[serde(default, with = "dates", skip_serializing_if = "BTreeSet::is_empty")]
    pub holidays: BTreeSet<NaiveDate>,
    /// The hours of holidays; usually none, which is closed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub holiday_hours: Vec<HoursRange>,
    /// Dates, such as the days before holidays, on which `eve_hours` hold instead of the weekly.
    #[serde(default, with = "dates", skip_serializing_if = "BTreeSet::is_empty")]
    pub eves: BTreeSet<NaiveDate>,
    /// The hours of eves; none is closed. They replace the hours of that weekday, they do not
    /// shorten them: an eve on a Sunday has them too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub eve_hours: Vec<HoursRange>,
}

impl CallingHours {
    /// The same hours on every day of the week, without holidays.
    pub fn daily(start: TimeOfDay, end: TimeOfDay) -> Result<Self, StartsAtEndOfDay> {
        let weekly = WeeklyHours::every_day(HoursRange::new(start, end)?);
        Ok(Self {
            weekly,
            ..Self::default()
        })
    }

    /// 09:00 to 21:00 on every day: the hours of a campaign that names none.
    pub fn nine_to_nine() -> Self {
        Self {
            weekly: WeeklyHours::every_day(HoursRange::NINE_TO_NINE),
            ..Self::default()
        }
    }

    /// Open day and night, for tests and dry runs.
    pub fn always() -> Self {
        Self {
            weekly: WeeklyHours::every_day(HoursRange::ALL_DAY),
            ..Self::default()
        }
    }

    /// Whether somebody who is in one of `zones` may be called at this instant.
    ///
    /// Without zones the answer is no; with several, the hours must be open in each.
    pub fn is_open(&self, zones: &[TimeZone], at: Timestamp) -> bool {
        !zones.is_empty()
            && zones
                .iter()
                .all(|zone| self.closing(zone.local(at)).is_some())
    }

    /// The earliest instant, `from` or later, at which [`is_open`](Self::is_open) holds.
    ///
    /// `None` if there is none within 400 days. With many zones that never agree this takes
    /// milliseconds: ask once per list of zones, not once per contact.
    pub fn next_opening(&self, zones: &[TimeZone], from: Timestamp) -> Option<Timestamp> {
        if zones.is_empty() {
            return None;
        }
        if self.is_open(zones, from) {
            return Some(from);
        }
        let last = from.checked_add_signed(TimeDelta::days(HORIZON_DAYS))?;
        let zones = distinct_clocks(zones, from, last);
        let mut at = from;
        loop {
            // Each zone in turn pushes the instant to where it is open. Nothing is skipped that
            // is open in all, and what no zone pushes any more is open in all.
            let pushed = zones
                .iter()
                .try_fold(at, |at, zone| self.next_opening_in(*zone, at, last))?;
            if pushed == at {
                return Some(at);
            }
            at = pushed;
        }
    }

    /// When the hours that are open at this instant end: the first later instant at which
    /// [`is_open`](Self::is_open) does not hold.
    ///
    /// `None` if they are not open at this instant, or stay open for 400 days.
    pub fn closes_at(&self, zones: &[TimeZone], at: Timestamp) -> Option<Timestamp> {
        let last = at.checked_add_signed(TimeDelta::days(HORIZON_DAYS))?;
        self.closes_by(zones, at, last)
    }

    /// As [`closes_at`](Self::closes_at), but looks no further than `last`: `None` also if they are
    /// still open then.
    pub fn closes_by(
        &self,
        zones: &[TimeZone],
        at: Timestamp,
        last: Timestamp,
    ) -> Option<Timestamp> {
        if !self.is_open(zones, at) {
            return None;
        }
        zones
            .iter()
            .filter_map(|zone| self.closes_at_in(*zone, at, last))
            .min()
    }

    /// The earliest opening in one zone, from `at` to `last`.
    fn next_opening_in(
        &self,
        zone: TimeZone,
        mut at: Timestamp,
        last: Timestamp,
    ) -> Option<Timestamp> {
        while at <= last {
            let local = zone.local(at);
            if self.closing(local).is_some() {
                return Some(at);
            }
            // Until the clock is changed it runs evenly, so that local times can be subtracted.
            // From the change on, look again from what the clock then shows.
            let opening = self
                .opening_after(local)
                .and_then(|opening| after(at, opening - local));
            at = earlier(opening, zone.next_offset_change(at))?;
        }
        None
    }

    /// The earliest instant after `at`, up to `last`, at which an open zone is closed.
    fn closes_at_in(
        &self,
        zone: TimeZone,
        mut at: Timestamp,
        last: Timestamp,
    ) -> Option<Timestamp> {
        while at <= last {
            let local = zone.local(at);
            // Where one range ends another may begin, so the end of a range is only looked at.
            let Some(closing) = self.closing(local) else {
                return Some(at);
            };
            at = earlier(after(at, closing - local), zone.next_offset_change(at))?;
        }
        None
    }

    /// The hours that start on this date.
    fn ranges_on(&self, date: NaiveDate) -> &[HoursRange] {
        if self.holidays.contains(&date) {
            &self.holiday_hours
        } else if self.eves.contains(&date) {
            &self.eve_hours
        } else {
            self.weekly.on(date.weekday())
        }
    }

    /// The latest end of the ranges that hold this local time; `None` if none does: closed.
    fn closing(&self, local: NaiveDateTime) -> Option<NaiveDateTime> {
        let second = local.num_seconds_from_midnight();
        let today = local.date();
        let yesterday = today.pred_opt().map(|date| (date, second + 24 * 60 * 60));
        [Some((today, second)), yesterday]
            .into_iter()
            .flatten()
            .flat_map(|(date, second)| {
                let open = self
                    .ranges_on(date)
                    .iter()
                    .filter(move |range| range.contains(second));
                open.filter_map(move |range| at_second(date, range.end_second()))
            })
            .max()
    }

    /// The first start of a range after this local time.
    fn opening_after(&self, local: NaiveDateTime) -> Option<NaiveDateTime> {
        let days = usize::try_from(HORIZON_DAYS).unwrap_or(usize::MAX);
        local.date().iter_days().take(days).find_map(|date| {
            let ranges = self.ranges_on(date).iter();
            let starts = ranges.filter_map(|range| at_second(date, range.start_second()));
            starts.filter(|start| *start > local).min()
        })
    }
}

/// The local time this many seconds after the date begins on an even clock.
fn at_second(date: NaiveDate, second: u32) -> Option<NaiveDateTime> {
    date.and_time(NaiveTime::MIN)
        .checked_add_signed(TimeDelta::seconds(second.into()))
}

fn after(at: Timestamp, delay: TimeDelta) -> Option<Timestamp> {
    at.checked_add_signed(delay)
}

/// The earlier of two instants of which either may not exist.
fn earlier(one: Option<Timestamp>, other: Option<Timestamp>) -> Option<Timestamp> {
    one.into_iter().chain(other).min()
}

/// One zone for each different wall clock: zones that show the same time from `from` to `last`
/// collapse. Of the 42 zones of a North American toll-free number about a third remain.
fn distinct_clocks(zones: &[TimeZone], from: Timestamp, last: Timestamp) -> Vec<TimeZone> {
    if let [only] = zones {
        return vec![*only];
    }
    let clock = |zone: TimeZone| -> Vec<(Timestamp, i32)> {
        std::iter::successors(Some(from), |at| zone.next_offset_change(*at))
            .take_while(|at| *at <= last)
            .map(|at| (at, zone.offset_seconds(at)))
            .collect()
    };
    let mut seen = BTreeSet::new();
    zones
        .iter()
        .copied()
        .filter(|zone| seen.insert(clock(*zone)))
        .collect()
}

#[cfg(test)]
mod tests;
