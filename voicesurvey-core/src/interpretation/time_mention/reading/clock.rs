//! Reads a time of day: `alle dieci e mezza`, "quarter past two", `halb drei`, `без десяти три`.

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use super::items::{Items, Written};
use crate::interpretation::time_mention::signs::Sign;
use crate::interpretation::time_mention::{Clock, Half};

/// "Eleven thirty" is composed like the year 1130.
const COMPOSED: std::ops::RangeInclusive<u32> = 1100..=2359;
/// A day is followed by a bare hour of so many; more is a date.
const MOST_BARE_HOURS: u32 = 12;

/// A time of day in an utterance.
#[derive(Debug)]
pub(super) struct Named {
    pub(super) clock: Clock,
    /// The first item that belongs to it.
    pub(super) start: usize,
    /// The item after it.
    pub(super) next: usize,
    /// Whether the time must not be passed: "before six".
    pub(super) is_bound: bool,
}

/// Hours and minutes while they are read.
#[derive(Clone, Copy, Debug)]
struct Time {
    hour: u32,
    minute: u32,
    half: Option<Half>,
    next: usize,
    /// Whether the words by themselves are a time.
    is_clear: bool,
}

pub(super) fn at(items: &Items<'_>, at: usize) -> Option<Named> {
    let lead = Lead::at(items, at);
    let time = lead.time(items)?;
    let is_clear = time.is_clear
        || lead.is_led
        || items.is_part_of_day(time.next)
        || is_beside_day(items, at, &time)
        || items.is_whole(at, time.next);
    (is_clear && time.hour < 24 && time.minute < 60).then_some(Named {
        clock: Clock::At {
            hour: time.hour,
            minute: time.minute,
            half: time.half,
        },
        start: if lead.is_bound { lead.next } else { at },
        next: time.next,
        is_bound: lead.is_bound,
    })
}

/// `Domani dieci`, "ten tomorrow"; `lunedì 23` is a date.
fn is_beside_day(items: &Items<'_>, at: usize, time: &Time) -> bool {
    let follows = at > 0 && items.is_day(at - 1) && !items.starts_clause(at);
    let precedes = items.is_day(time.next) && !items.starts_clause(time.next);
    (follows || precedes) && time.hour <= MOST_BARE_HOURS
}

/// The words before a time of day.
struct Lead {
    is_led: bool,
    is_bound: bool,
    is_span: bool,
    /// The first item of the time itself.
    next: usize,
}

impl Lead {
    fn at(items: &Items<'_>, at: usize) -> Self {
        let mut lead = Self {
            is_led: false,
            is_bound: false,
            is_span: false,
            next: at,
        };
        while let Some(sign) = items.sign(lead.next) {
            match sign {
                Sign::At | Sign::About | Sign::Past => lead.is_led = true,
                // `Ore 15`.
                Sign::Hours if items.number(lead.next + 1).is_some() => lead.is_led = true,
                Sign::From => (lead.is_led, lead.is_span) = (true, true),
                Sign::Before | Sign::To => (lead.is_led, lead.is_bound) = (true, true),
                Sign::Filler if lead.is_led => {}
                _ => break,
            }
            lead.next += 1;
        }
        lead
    }

    fn time(&self, items: &Items<'_>) -> Option<Time> {
        let start = self.next;
        if let Some(written) = items.written(start) {
            return Some(with_half(items, from_written(items, written, start + 1)));
        }
        let time = match items.sign(start) {
            Some(Sign::HalfPast) => past(items, start + 1, 30)?,
            Some(Sign::QuarterPast) => past(items, start + 1, 15)?,
            Some(Sign::HalfBefore) => to(items, start + 1, 30)?,
            Some(Sign::QuarterTo) => to(items, start + 1, 15)?,
            Some(Sign::Less) => to(
                items,
                minutes_before(items, start + 1)?,
                items.whole(start + 1)?,
            )?,
            Some(Sign::Time(hour, minute)) => Time::clear(hour.into(), minute.into(), start + 1),
            Some(Sign::Noon) => noon(items, start + 1)?,
            // `В час дня`: the hour is the first.
            Some(Sign::Hours) if self.is_led => Time::clear(1, 0, start + 1),
            Some(_) => return None,
            None => self.counted(items, start)?,
        };
        Some(with_half(items, time))
    }

    /// A time that begins with a number: of its minutes, or of its hour.
    fn counted(&self, items: &Items<'_>, start: usize) -> Option<Time> {
        let number = items.number(start)?;
        let after = start + 1 + usize::from(items.sign(start + 1) == Some(Sign::Minutes));
        let minutes = items.whole(start).filter(|minutes| *minutes < 60);
        let is_usual = |minutes: &u32| minutes.is_multiple_of(5) && !self.is_span;
        if let Some(minutes) = minutes.filter(is_usual) {
            let time = match items.sign(after) {
                Some(Sign::Past) => past(items, after + 1, minutes),
                Some(Sign::To) => to(items, after + 1, minutes),
                _ => None,
            };
            if time.is_some() {
                return time;
            }
        }
        // `Zehn vor halb drei` and its kin are too rare to be worth a mistake.
        hour_first(items, number, start + 1)
    }
}

impl Time {
    const fn clear(hour: u32, minute: u32, next: usize) -> Self {
        Self {
            hour,
            minute,
            half: None,
            next,
            is_clear: true,
        }
    }
}

fn from_written(items: &Items<'_>, written: Written, next: usize) -> Time {
    let is_hour = items.sign(next) == Some(Sign::OClock);
    Time {
        hour: written.hour,
        minute: written.minute,
        half: written.half,
        next: next + usize::from(is_hour),
        is_clear: written.is_certain || is_hour,
    }
}

/// `Mezzogiorno e mezza`.
fn noon(items: &Items<'_>, next: usize) -> Option<Time> {
    let minute = match items.sign(next)? {
        Sign::HalfAfter => 30,
        Sign::QuarterAfter => 15,
        _ => return None,
    };
    Some(Time::clear(12, minute, next + 1))
}

/// Where the hour stands after `без десяти` and `без десяти минут`.
fn minutes_before(items: &Items<'_>, at: usize) -> Option<usize> {
    items.whole(at).filter(|minutes| *minutes < 60)?;
    Some(at + 1 + usize::from(items.sign(at + 1) == Some(Sign::Minutes)))
}

fn past(items: &Items<'_>, at: usize, minute: u32) -> Option<Time> {
    let (hour, next) = bare_hour(items, at)?;
    Some(Time::clear(hour, minute, next))
}

fn to(items: &Items<'_>, at: usize, minutes: u32) -> Option<Time> {
    let (hour, next) = bare_hour(items, at)?;
    Some(before(hour, minutes, next))
}

fn before(hour: u32, minutes: u32, next: usize) -> Time {
    let hour = if hour <= 1 { hour + 11 } else { hour - 1 };
    Time::clear(hour, 60_u32.saturating_sub(minutes), next)
}

/// An hour by itself, also as `третьего`.
fn bare_hour(items: &Items<'_>, at: usize) -> Option<(u32, usize)> {
    let at = if items.sign(at) == Some(Sign::At) {
        at + 1
    } else {
        at
    };
    let hour = match items.sign(at) {
        Some(Sign::DayOfMonth(hour)) => hour.into(),
        Some(_) => return None,
        None => items.whole(at)?,
    };
    let next = at + 1;
    let has_unit = matches!(items.sign(next), Some(Sign::OClock | Sign::Hours));
    (hour < 24).then_some((hour, next + usize::from(has_unit)))
}

/// `Dieci e mezza`, "ten thirty", `dix heures moins le quart`.
fn hour_first(items: &Items<'_>, number: Decimal, next: usize) -> Option<Time> {
    let (hour, fraction) = (number.trunc().to_u32()?, number.fract());
    if COMPOSED.contains(&hour) && fraction.is_zero() {
        let time = Time::clear(hour / 100, hour % 100, next);
        return Some(Time {
            is_clear: false,
            ..time
        });
    }
    let unit = matches!(items.sign(next), Some(Sign::OClock | Sign::Hours));
    let next = next + usize::from(unit);
    let plain = Time {
        is_clear: unit,
        ..Time::clear(hour, 0, next)
    };
    if !fraction.is_zero() {
        let is_half = fraction == Decimal::new(5, 1);
        return is_half.then_some(Time {
            minute: 30,
            ..plain
        });
    }
    Some(match items.sign(next) {
        Some(Sign::HalfAfter) => Time::clear(hour, 30, next + 1),
        Some(Sign::QuarterAfter) => Time::clear(hour, 15, next + 1),
        Some(Sign::QuarterLess) => before(hour, 15, next + 1),
        Some(Sign::Less) => match items.whole(next + 1).filter(|minutes| *minutes < 60) {
            Some(minutes) => before(hour, minutes, minutes_before(items, next + 1)?),
            None => plain,
        },
        _ => with_minutes(items, plain),
    })
}

/// `Dieci e venti`, "ten thirty", `zehn Uhr dreißig`.
fn with_minutes(items: &Items<'_>, time: Time) -> Time {
    let is_joined = items.sign(time.next) == Some(Sign::And);
    let at = time.next + usize::from(is_joined);
    if items.starts_clause(at) {
        return time;
    }
    let minutes = items.whole(at).filter(|minutes| *minutes < 60);
    let Some(minute) = minutes.filter(|minute| *minute >= 10 || time.is_clear || *minute == 5)
    else {
        return time;
    };
    let has_unit = items.sign(at + 1) == Some(Sign::Minutes);
    let is_other = !has_unit && (items.is_unit(at + 1) || items.is_clock_sign(at + 1));
    if is_other || matches!(items.sign(at + 1), Some(Sign::Month(_))) {
        return time;
    }
    Time {
        minute,
        next: at + 1 + usize::from(has_unit),
        ..time
    }
}

fn with_half(items: &Items<'_>, time: Time) -> Time {
    let half = match items.sign(time.next) {
        Some(Sign::Am) => Half::BeforeNoon,
        Some(Sign::Pm) => Half::AfterNoon,
        _ => return time,
    };
    Time {
        half: Some(half),
        next: time.next + 1,
        is_clear: true,
        ..time
    }
}
