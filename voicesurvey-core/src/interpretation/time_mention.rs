//! When a person asks to be called again: "domani alle dieci", "in an hour", "через час".
//!
//! Finding what was said and turning it into an instant are two steps: the first knows the
//! language, the second the person's clock and the calling hours. Nothing is guessed: words that
//! name no time ("later", "another day") give none, and the person is asked when.

mod reading;
mod resolve;
mod signs;

use chrono::{TimeDelta, Weekday};

use super::rules::reading::Reading;
use crate::language::Language;

/// A day, a time of day, or a delay that a person named; at least one of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeMention {
    day: Option<Day>,
    clock: Option<Clock>,
    after: Option<TimeDelta>,
}

/// A day as it was named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Day {
    /// So many days from today.
    In(u16),
    /// The next such day; never today.
    Weekday(Weekday),
    /// The next such date, in this month if no month was named.
    Date { day: u32, month: Option<u32> },
}

/// A time of day as it was named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Clock {
    At {
        /// From 0 to 23.
        hour: u32,
        minute: u32,
        half: Option<Half>,
    },
    Part(Part),
}

/// The half of the day that a time was said to be in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Half {
    BeforeNoon,
    AfterNoon,
}

/// A part of the day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Morning,
    Noon,
    Afternoon,
    Evening,
}

/// Whether a day and the hour of it were named, which is an appointment rather than an answer.
pub(super) fn names_appointment(reading: &Reading) -> bool {
    reading::read(reading).is_some_and(|mention| {
        mention.day.is_some() && matches!(mention.clock, Some(Clock::At { .. }))
    })
}

/// Which words have to do with times, by their places.
pub(super) fn time_words(reading: &Reading) -> Vec<bool> {
    reading::time_words(reading)
}

/// Whether any time was named.
pub(super) fn names_time(reading: &Reading) -> bool {
    reading::read(reading).is_some()
}

/// Whether a delay was named: "in an hour".
pub(super) fn names_delay(reading: &Reading) -> bool {
    reading::read(reading).is_some_and(|mention| mention.after.is_some())
}

/// The time that `words` name; `None` if they name none.
///
/// Of several the first is taken, unless the person corrects it; what is ruled out ("not on
/// Monday", "don't call me before six") does not count, or counts as the bound that it is.
pub fn find(language: Language, words: &str) -> Option<TimeMention> {
    let words = reading::with_joined_minutes(words);
    reading::read(&Reading::new(language, &words))
}

#[cfg(test)]
mod tests;
