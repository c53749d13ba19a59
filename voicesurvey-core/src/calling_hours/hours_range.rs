//! From a time to a time: one range of a day, and the ranges of each weekday.

use std::fmt;

use chrono::Weekday;
use serde::{Deserialize, Serialize};

use super::TimeOfDay;

const DAY_SECONDS: u32 = 24 * 60 * 60;

/// A range of the wall clock: its start belongs to it, its end does not.
///
/// An end that is not after the start is on the next day: `22:00` to `02:00` lasts four hours,
/// `09:00` to `09:00` a whole day. In JSON it is `["09:00", "20:00"]`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "(TimeOfDay, TimeOfDay)", into = "(TimeOfDay, TimeOfDay)")]
pub struct HoursRange {
    start: TimeOfDay,
    end: TimeOfDay,
}

/// A range was to start at 24:00.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a range of hours cannot start at 24:00: use 00:00 of the next day")]
pub struct StartsAtEndOfDay;

impl HoursRange {
    /// The whole day.
    pub const ALL_DAY: Self = Self {
        start: TimeOfDay::MIDNIGHT,
        end: TimeOfDay::END_OF_DAY,
    };

    /// 09:00 to 21:00.
    pub const NINE_TO_NINE: Self = Self {
        start: TimeOfDay::NINE,
        end: TimeOfDay::TWENTY_ONE,
    };

    /// The range from `start` to just before `end`, on the next day if `end` is not later.
    pub fn new(start: TimeOfDay, end: TimeOfDay) -> Result<Self, StartsAtEndOfDay> {
        if start == TimeOfDay::END_OF_DAY {
            return Err(StartsAtEndOfDay);
        }
        Ok(Self { start, end })
    }

    /// The first minute.
    pub const fn start(self) -> TimeOfDay {
        self.start
    }

    /// The first minute that no longer belongs to the range.
    pub const fn end(self) -> TimeOfDay {
        self.end
    }

    /// The start in seconds since the midnight with which the range's day begins.
    pub(super) fn start_second(self) -> u32 {
        u32::from(self.start.minutes()) * 60
    }

    /// The end in seconds since that same midnight, so more than a day if the range goes over
    /// the night.
    pub(super) fn end_second(self) -> u32 {
        let end = u32::from(self.end.minutes()) * 60;
        if self.end > self.start {
            end
        } else {
            end + DAY_SECONDS
        }
    }

    /// Whether the range holds the second counted from that same midnight.
    pub(super) fn contains(self, second: u32) -> bool {
        (self.start_second()..self.end_second()).contains(&second)
    }
}

impl TryFrom<(TimeOfDay, TimeOfDay)> for HoursRange {
    type Error = StartsAtEndOfDay;

    fn try_from((start, end): (TimeOfDay, TimeOfDay)) -> Result<Self, Self::Error> {
        Self::new(start, end)
    }
}

impl From<HoursRange> for (TimeOfDay, TimeOfDay) {
    fn from(range: HoursRange) -> Self {
        (range.start, range.end)
    }
}

impl fmt::Display for HoursRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.start, self.end)
    }
}

impl fmt::Debug for HoursRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The ranges of each weekday. A weekday without ranges is closed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[expect(missing_docs, reason = "the names of the weekdays say it")]
pub struct WeeklyHours {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub mon: Vec<HoursRange>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tue: Vec<HoursRange>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub wed: Vec<HoursRange>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub thu: Vec<HoursRange>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fri: Vec<HoursRange>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sat: Vec<HoursRange>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sun: Vec<HoursRange>,
}

impl WeeklyHours {
    /// The same range on every day of the week.
    pub fn every_day(range: HoursRange) -> Self {
        let day = || vec![range];
        Self {
            mon: day(),
            tue: day(),
            wed: day(),
            thu: day(),
            fri: day(),
            sat: day(),
            sun: day(),
        }
    }

    /// The ranges that start on this weekday.
    pub fn on(&self, weekday: Weekday) -> &[HoursRange] {
        match weekday {
            Weekday::Mon => &self.mon,
            Weekday::Tue => &self.tue,
            Weekday::Wed => &self.wed,
            Weekday::Thu => &self.thu,
            Weekday::Fri => &self.fri,
            Weekday::Sat => &self.sat,
            Weekday::Sun => &self.sun,
        }
    }
}
