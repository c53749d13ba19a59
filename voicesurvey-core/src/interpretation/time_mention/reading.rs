//! Finds the days, times of day and delays of an utterance.
//!
//! Every word becomes a sign, a number, or nothing; the times are rows of signs and numbers. A bare
//! number is a time of day only where something says so: "at", "o'clock", a day beside it.

mod clock;
mod items;

use chrono::{TimeDelta, Weekday};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use self::clock::Named;
use self::items::Items;
use super::signs::Sign;
use super::{Clock, Day, Half, Part, TimeMention};
use crate::interpretation::rules::lexicon::Stem;
use crate::interpretation::rules::mentions::{Mention, Settled, settle};
use crate::interpretation::rules::normalise::Text;
use crate::interpretation::rules::reading::Reading;

/// What is longer names more than a time.
const MOST_WORDS: usize = 200;
/// How far a negation may stand from the word for calling that it negates, in words.
const NEGATION_REACH: usize = 4;
/// Longer delays are no delays.
const MOST_MINUTES: i64 = 60 * 24 * 366;

/// Everything an utterance says of times.
#[derive(Debug, Default)]
struct Times {
    days: Vec<Mention<Day>>,
    clocks: Vec<Mention<Clock>>,
    parts: Vec<Mention<Part>>,
    delays: Vec<Mention<TimeDelta>>,
}

pub(super) fn read(reading: &Reading) -> Option<TimeMention> {
    if reading.text.len() > MOST_WORDS {
        return None;
    }
    let items = Items::new(reading);
    let mut times = Times::default();
    let mut at = 0;
    while at < items.len() {
        at = times.take(&items, at).unwrap_or(at + 1);
    }
    times.settled(reading)
}

/// Which words are signs or numbers, by their places.
pub(super) fn time_words(reading: &Reading) -> Vec<bool> {
    let mut words = vec![false; reading.text.len()];
    for (start, end) in Items::new(reading).meaningful() {
        words[start..end].fill(true);
    }
    words
}

/// `14:30` becomes one word; otherwise the colon would end a clause.
pub(super) fn with_joined_minutes(words: &str) -> String {
    let mut joined = String::with_capacity(words.len());
    let mut rest = words.chars().peekable();
    let mut previous = ' ';
    while let Some(character) = rest.next() {
        let between_digits =
            previous.is_ascii_digit() && rest.peek().is_some_and(char::is_ascii_digit);
        joined.push(if character == ':' && between_digits {
            '_'
        } else {
            character
        });
        previous = character;
    }
    joined
}

impl Times {
    /// Takes what is named at an item; the item after it.
    fn take(&mut self, items: &Items<'_>, at: usize) -> Option<usize> {
        if let Some((delay, next)) = delay(items, at) {
            match delay {
                Delay::Exact(delay) => self.delays.push(items.mention(delay, at, next)),
                Delay::Days(days) => self.days.push(items.mention(Day::In(days), at, next)),
            }
            return Some(next);
        }
        if let Some((day, next)) = date(items, at) {
            self.days.push(items.mention(day, at, next));
            return Some(next);
        }
        if let Some(Named {
            clock,
            start,
            next,
            is_bound,
        }) = clock::at(items, at)
        {
            if !is_bound || items.is_ruled_out(start) {
                self.clocks.push(items.mention(clock, start, next));
            }
            return Some(next);
        }
        self.take_sign(items, at)
    }

    fn take_sign(&mut self, items: &Items<'_>, at: usize) -> Option<usize> {
        let next = at + 1;
        let sign = items.sign(at)?;
        let day = match sign {
            Sign::Today | Sign::Tonight | Sign::ThisAfternoon => Some(Day::In(0)),
            Sign::Tomorrow | Sign::TomorrowMorning => Some(Day::In(1)),
            Sign::AfterTomorrow => Some(Day::In(2)),
            Sign::NextWeek => Some(Day::In(7)),
            Sign::Weekday(number) => Weekday::try_from(number).ok().map(Day::Weekday),
            _ => None,
        };
        let part = match sign {
            Sign::Morning | Sign::TomorrowMorning => Some(Part::Morning),
            Sign::Noon => Some(Part::Noon),
            Sign::Afternoon | Sign::ThisAfternoon => Some(Part::Afternoon),
            Sign::Evening | Sign::Tonight => Some(Part::Evening),
            _ => None,
        };
        let is_refused = items.sign(next) == Some(Sign::No) && !items.starts_clause(next);
        if !is_refused && !items.is_ruled_out(at) {
            self.days
                .extend(day.map(|day| items.mention(day, at, next)));
            self.parts
                .extend(part.map(|part| items.mention(part, at, next)));
        }
        Some(next)
    }

    fn settled(self, reading: &Reading) -> Option<TimeMention> {
        let is_date = |day: &Mention<Day>| matches!(day.value, Day::Date { .. });
        let dates: Vec<_> = self.days.iter().copied().filter(is_date).collect();
        let day = first(reading, &dates).or_else(|| first(reading, &self.days));
        let part = first(reading, &self.parts);
        let clock = first(reading, &self.clocks).map(|clock| within(clock, part));
        let mention = TimeMention {
            day,
            clock: clock.or(part.map(Clock::Part)),
            after: first(reading, &self.delays),
        };
        let names_nothing =
            mention.day.is_none() && mention.clock.is_none() && mention.after.is_none();
        (!names_nothing).then_some(mention)
    }
}

/// What was said first, or what corrected it.
fn first<T: Copy + PartialEq>(reading: &Reading, mentions: &[Mention<T>]) -> Option<T> {
    match settle(reading, mentions) {
        Settled::Nothing => None,
        Settled::One(value) => Some(value),
        Settled::Several(values) => values.first().copied(),
    }
}

/// Eight "in the evening" is twenty o'clock.
fn within(clock: Clock, part: Option<Part>) -> Clock {
    let Clock::At {
        hour,
        minute,
        half: None,
    } = clock
    else {
        return clock;
    };
    let half = match part {
        Some(Part::Morning) => Some(Half::BeforeNoon),
        Some(Part::Afternoon | Part::Evening) => Some(Half::AfterNoon),
        // "Between ten and noon" says nothing of the ten.
        Some(Part::Noon) | None => None,
    };
    Clock::At { hour, minute, half }
}

enum Delay {
    Exact(TimeDelta),
    Days(u16),
}

/// "In half an hour", `fra tre giorni`, "two hours from now".
fn delay(items: &Items<'_>, at: usize) -> Option<(Delay, usize)> {
    let is_led = items.sign(at) == Some(Sign::In);
    let mut next = items.after_fillers(if is_led { at + 1 } else { at });
    let mut amount = Decimal::ONE;
    let mut is_counted = false;
    if let Some(value) = items.number(next) {
        (amount, is_counted) = (value, true);
        next += 1;
    } else if items.sign(next) == Some(Sign::Few) {
        (amount, is_counted) = (Decimal::TWO, true);
        next += 1;
    }
    let unit = items.sign(next)?;
    let minutes = match unit {
        Sign::HalfHour => 30,
        Sign::QuarterHour => 15,
        Sign::Minutes => 1,
        Sign::Hours => 60,
        Sign::Days => 24 * 60,
        // `Дня` is a part of the day and, counted, days.
        Sign::Afternoon if is_led && is_counted => 24 * 60,
        Sign::Weeks => 7 * 24 * 60,
        _ => return None,
    };
    next += 1;
    let is_followed = items.sign(next) == Some(Sign::FromNow);
    let is_fixed = matches!(unit, Sign::HalfHour | Sign::QuarterHour);
    let stands_alone = is_fixed && !is_counted;
    if !is_led && !stands_alone && !is_followed {
        return None;
    }
    if is_fixed {
        amount = Decimal::ONE;
    }
    if unit == Sign::Hours && items.sign(next) == Some(Sign::HalfAfter) {
        amount += Decimal::new(5, 1);
        next += 1;
    }
    let total = (amount * Decimal::from(minutes)).round().to_i64()?;
    let next = next + usize::from(items.sign(next) == Some(Sign::FromNow));
    let delay = match unit {
        Sign::Days | Sign::Weeks | Sign::Afternoon => {
            Delay::Days(u16::try_from(total / (24 * 60)).ok()?)
        }
        _ if (0..=MOST_MINUTES).contains(&total) => Delay::Exact(TimeDelta::minutes(total)),
        _ => return None,
    };
    Some((delay, next))
}

/// `25 novembre`, "November 25th", `il 25`, "the twenty-fifth of November".
fn date(items: &Items<'_>, at: usize) -> Option<(Day, usize)> {
    if let Some(Sign::Month(month)) = items.sign(at) {
        let article = usize::from(items.sign(at + 1) == Some(Sign::On));
        let start = items.after_fillers(at + 1 + article);
        let (day, next) = day_of_month(items, start)?;
        let month = Some(month.into());
        return Some((Day::Date { day, month }, next));
    }
    let is_led = items.sign(at) == Some(Sign::On);
    let start = items.after_fillers(if is_led { at + 1 } else { at });
    let (day, next) = day_of_month(items, start)?;
    let after = items.after_fillers(next);
    if let Some(Sign::Month(month)) = items.sign(after) {
        let month = Some(month.into());
        return Some((Day::Date { day, month }, after + 1));
    }
    // "The first thing" is no date.
    let is_date = is_led
        && !items.is_unit(after)
        && !items.is_clock_sign(after)
        && (items.starts_clause(after) || items.sign(after).is_some());
    (is_date || items.is_written_ordinal(start)).then_some((Day::Date { day, month: None }, next))
}

fn day_of_month(items: &Items<'_>, at: usize) -> Option<(u32, usize)> {
    let day = match items.sign(at) {
        Some(Sign::DayOfMonth(day)) => day.into(),
        Some(_) => return None,
        None => items.whole(at)?,
    };
    (1..=31).contains(&day).then_some((day, at + 1))
}

/// Whether the words around a word forbid a call: "don't call me" before it in its clause.
fn forbids_calls(reading: &Reading, word: usize) -> bool {
    let text = &reading.text;
    let start = (0..=word).rev().find(|&index| text.starts_clause(index));
    let words = start.unwrap_or_default()..word;
    let is_light = |index: usize| reading.is(Stem::Light, index) || reading.is(Stem::Call, index);
    words.clone().any(|negation| {
        reading.is(Stem::Negation, negation)
            && words.clone().any(|call| {
                let between = negation.min(call) + 1..negation.max(call);
                reading.is(Stem::Call, call) && between.len() < NEGATION_REACH && { between }
                    .all(is_light)
            })
    })
}

/// Whether a negation stands shortly before a word in its clause.
fn is_negated(text: &Text, reading: &Reading, word: usize) -> bool {
    (word.saturating_sub(NEGATION_REACH)..word)
        .any(|index| reading.is(Stem::Negation, index) && !text.is_broken(index, word))
}
