//! Turns a time that was named into an instant at which the person may be called.

use chrono::{Datelike, Days, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Timelike};

use super::{Clock, Day, Half, Part, TimeMention};
use crate::call_list::Contact;
use crate::campaign::Schedule;
use crate::time::Timestamp;
use crate::time_zone::TimeZone;

/// Nobody is called again sooner.
const SHORTEST: TimeDelta = TimeDelta::minutes(5);
/// Nobody waits longer for a call.
const LONGEST: TimeDelta = TimeDelta::days(30);
/// Up to this hour, one without more is one of the afternoon.
const LAST_HOUR_OF_AFTERNOON: u32 = 7;
/// An hour that has passed today may mean its twelve hours later, up to this one.
const LATEST_HOUR: u32 = 20;
/// Who names a part of the day that has begun is called after so long.
const WITHIN_PART: TimeDelta = TimeDelta::minutes(30);
/// No clock jumps over more.
const LONGEST_GAP_HOURS: i64 = 24;

impl TimeMention {
    /// The instant at which to call: what the person named on the clock of where they are, moved to
    /// when they may be called.
    ///
    /// `None` if it names no time of its own ("today"), is past, less than five minutes or more
    /// than thirty days away, or the campaign ends before. Of several possible zones the campaign's
    /// decides if it is one of them, otherwise the latest instant.
    pub fn resolve(
        self,
        now: Timestamp,
        schedule: &Schedule,
        contact: &Contact,
    ) -> Option<Timestamp> {
        let zones = schedule.zones_of(contact);
        let at = if zones.contains(&schedule.time_zone) {
            self.instant(now, schedule.time_zone)?
        } else {
            zones
                .iter()
                .filter_map(|zone| self.instant(now, *zone))
                .max()?
        };
        let wait = at - now;
        if wait < SHORTEST || wait > LONGEST {
            return None;
        }
        let opening = schedule.hours_of(contact).next_opening(zones, at)?;
        schedule
            .ends_at
            .is_none_or(|end| opening < end)
            .then_some(opening)
    }

    fn instant(self, now: Timestamp, zone: TimeZone) -> Option<Timestamp> {
        if let Some(after) = self.after {
            return now.checked_add_signed(after);
        }
        let local = zone.local(now);
        let date = match self.day {
            Some(day) => Some(day.after(local.date())?),
            None => None,
        };
        let named = match (date, self.clock) {
            (Some(date), None) if date > local.date() => date.and_time(local.time()),
            (_, None) => return None,
            (Some(date), Some(clock)) => clock.on(date, local, true)?,
            (None, Some(clock)) => clock
                .on(local.date(), local, false)
                .or_else(|| clock.on(local.date().succ_opt()?, local, false))?,
        };
        first_instant(zone, named)
    }
}

/// The first instant at which the clock shows a time; where it jumps over it, the same minutes of
/// the first hour that exists.
fn first_instant(zone: TimeZone, local: NaiveDateTime) -> Option<Timestamp> {
    (0..=LONGEST_GAP_HOURS).find_map(|hours| {
        let local = local.checked_add_signed(TimeDelta::hours(hours))?;
        zone.instants_of(local).next()
    })
}

impl Day {
    fn after(self, today: NaiveDate) -> Option<NaiveDate> {
        match self {
            Self::In(days) => today.checked_add_days(Days::new(days.into())),
            Self::Weekday(weekday) => {
                let ahead = weekday.days_since(today.weekday());
                let ahead = if ahead == 0 { 7 } else { ahead };
                today.checked_add_days(Days::new(ahead.into()))
            }
            Self::Date {
                day,
                month: Some(month),
            } => (today.year()..=today.year() + 1)
                .filter_map(|year| NaiveDate::from_ymd_opt(year, month, day))
                .find(|date| *date >= today),
            Self::Date { day, month: None } => {
                today.iter_days().take(62).find(|date| date.day() == day)
            }
        }
    }
}

impl Clock {
    /// The time on a date, if it is still to come. `is_named` if the person named the date.
    fn on(self, date: NaiveDate, now: NaiveDateTime, is_named: bool) -> Option<NaiveDateTime> {
        match self {
            Self::At { hour, minute, half } => {
                let usual = date.and_time(time(likely_hour(hour, half), minute)?);
                if usual > now {
                    return Some(usual);
                }
                let twelve_later = usual + TimeDelta::hours(12);
                let may_mean_later = half.is_none() && hour <= 12 && twelve_later.date() == date;
                (may_mean_later
                    && twelve_later > now
                    && twelve_later.time() <= time(LATEST_HOUR, 0)?)
                .then_some(twelve_later)
            }
            Self::Part(part) => {
                let begins = date.and_time(part.begins()?);
                if begins > now {
                    return Some(begins);
                }
                let soon = now + WITHIN_PART;
                (is_named && soon < date.and_time(part.ends()?)).then_some(soon)
            }
        }
    }
}

/// The hour from 0 to 23 that is meant by one from 0 to 23 that may be one of twelve.
fn likely_hour(hour: u32, half: Option<Half>) -> u32 {
    match half {
        Some(Half::BeforeNoon) if hour == 12 => 0,
        Some(Half::AfterNoon) if (1..12).contains(&hour) => hour + 12,
        None if (1..=LAST_HOUR_OF_AFTERNOON).contains(&hour) => hour + 12,
        _ => hour,
    }
}

impl Part {
    fn begins(self) -> Option<NaiveTime> {
        let hour = match self {
            Self::Morning => 10,
            Self::Noon => 12,
            Self::Afternoon => 15,
            Self::Evening => 19,
        };
        time(hour, 0)
    }

    fn ends(self) -> Option<NaiveTime> {
        let hour = match self {
            Self::Morning => 12,
            Self::Noon => 14,
            Self::Afternoon => 18,
            Self::Evening => 21,
        };
        time(hour, 0)
    }
}

fn time(hour: u32, minute: u32) -> Option<NaiveTime> {
    NaiveTime::MIN.with_hour(hour)?.with_minute(minute)
}
