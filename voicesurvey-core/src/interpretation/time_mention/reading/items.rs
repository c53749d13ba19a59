//! The words of an utterance as signs and numbers.

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use super::{forbids_calls, is_negated};
use crate::interpretation::rules::mentions::Mention;
use crate::interpretation::rules::numbers::{self, Number};
use crate::interpretation::rules::reading::Reading;
use crate::interpretation::time_mention::Half;
use crate::interpretation::time_mention::signs::{Sign, Signs};

/// "At ten" and "ten please" name a time, "I'd give it a ten" does not.
const MOST_WORDS_BESIDE: usize = 2;

/// One or more words.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Sign(Sign),
    Number(Decimal),
    Written(Written),
    Other,
}

/// A time written in digits.
#[derive(Clone, Copy, Debug)]
pub(super) struct Written {
    pub(super) hour: u32,
    pub(super) minute: u32,
    pub(super) half: Option<Half>,
    /// `14.30` may as well be a number.
    pub(super) is_certain: bool,
}

#[derive(Clone, Copy, Debug)]
struct Item {
    kind: Kind,
    start: usize,
    end: usize,
}

/// The items of an utterance, in order.
#[derive(Debug)]
pub(super) struct Items<'r> {
    reading: &'r Reading,
    items: Vec<Item>,
}

impl<'r> Items<'r> {
    pub(super) fn new(reading: &'r Reading) -> Self {
        let signs = Signs::of(reading.lexicon.language);
        let numbers = numbers::find(reading);
        let mut items = Vec::with_capacity(reading.text.len());
        let mut start = 0;
        while start < reading.text.len() {
            let (kind, end) = item_at(reading, signs, &numbers, start);
            items.push(Item { kind, start, end });
            start = end;
        }
        Self { reading, items }
    }

    pub(super) fn len(&self) -> usize {
        self.items.len()
    }

    /// Where the signs and numbers stand, in words.
    pub(super) fn meaningful(&self) -> impl Iterator<Item = (usize, usize)> {
        let items = self.items.iter();
        items
            .filter(|item| !matches!(item.kind, Kind::Other))
            .map(|item| (item.start, item.end))
    }

    pub(super) fn sign(&self, at: usize) -> Option<Sign> {
        match self.items.get(at)?.kind {
            Kind::Sign(sign) => Some(sign),
            _ => None,
        }
    }

    pub(super) fn number(&self, at: usize) -> Option<Decimal> {
        match self.items.get(at)?.kind {
            // `Meno dieci` reads as a negative number.
            Kind::Number(value) => Some(value.abs()),
            _ => None,
        }
    }

    pub(super) fn whole(&self, at: usize) -> Option<u32> {
        let value = self.number(at)?;
        value.fract().is_zero().then(|| value.to_u32())?
    }

    pub(super) fn written(&self, at: usize) -> Option<Written> {
        match self.items.get(at)?.kind {
            Kind::Written(written) => Some(written),
            _ => None,
        }
    }

    /// The first item from `at` on that says something.
    pub(super) fn after_fillers(&self, at: usize) -> usize {
        let mut next = at;
        while matches!(self.sign(next), Some(Sign::Filler | Sign::About)) {
            next += 1;
        }
        next
    }

    pub(super) fn is_unit(&self, at: usize) -> bool {
        matches!(
            self.sign(at),
            Some(Sign::Minutes | Sign::Hours | Sign::Days | Sign::Weeks | Sign::HalfHour)
        )
    }

    pub(super) fn is_clock_sign(&self, at: usize) -> bool {
        matches!(
            self.sign(at),
            Some(Sign::OClock | Sign::Am | Sign::Pm | Sign::HalfAfter | Sign::QuarterAfter)
        )
    }

    pub(super) fn is_part_of_day(&self, at: usize) -> bool {
        matches!(
            self.sign(at),
            Some(Sign::Morning | Sign::Noon | Sign::Afternoon | Sign::Evening)
        )
    }

    pub(super) fn is_day(&self, at: usize) -> bool {
        matches!(
            self.sign(at),
            Some(
                Sign::Today
                    | Sign::Tomorrow
                    | Sign::TomorrowMorning
                    | Sign::AfterTomorrow
                    | Sign::Tonight
                    | Sign::ThisAfternoon
                    | Sign::Weekday(_)
            )
        )
    }

    /// `25th` is the day of a month; "first" may be anything.
    pub(super) fn is_written_ordinal(&self, at: usize) -> bool {
        self.items.get(at).is_some_and(|item| {
            matches!(item.kind, Kind::Sign(Sign::DayOfMonth(_)))
                && self
                    .reading
                    .text
                    .word(item.start)
                    .starts_with(|first: char| first.is_ascii_digit())
        })
    }

    pub(super) fn starts_clause(&self, at: usize) -> bool {
        self.items
            .get(at)
            .is_none_or(|item| self.reading.text.starts_clause(item.start))
    }

    /// Whether next to nothing else was said than the items from `at` up to `next`.
    pub(super) fn is_whole(&self, at: usize, next: usize) -> bool {
        let Some((first, last)) = self.words(at, next) else {
            return false;
        };
        let others = self.reading.text.len() - (last - first);
        others <= MOST_WORDS_BESIDE && self.reading.content_outside(first, last) == 0
    }

    /// Whether the person said that it must not be then.
    pub(super) fn is_ruled_out(&self, at: usize) -> bool {
        self.items.get(at).is_some_and(|item| {
            forbids_calls(self.reading, item.start)
                || is_negated(&self.reading.text, self.reading, item.start)
        })
    }

    pub(super) fn mention<T>(&self, value: T, at: usize, next: usize) -> Mention<T> {
        let (start, end) = self.words(at, next).unwrap_or_default();
        Mention { value, start, end }
    }

    fn words(&self, at: usize, next: usize) -> Option<(usize, usize)> {
        let first = self.items.get(at)?;
        let last = self.items.get(next.checked_sub(1)?)?;
        Some((first.start, last.end))
    }
}

/// A phrase of several words stands before a number, a number before a word.
fn item_at(reading: &Reading, signs: &Signs, numbers: &[Number], start: usize) -> (Kind, usize) {
    let sign = signs.at(&reading.text, start);
    let number = numbers.iter().find(|number| number.start == start);
    let is_longer = |end: usize| number.is_none_or(|number| end > number.end);
    if let Some((sign, end)) = sign.filter(|(_, end)| is_longer(*end)) {
        return (Kind::Sign(sign), end);
    }
    let word = reading.text.word(start);
    if let Some(day) = written_ordinal(word) {
        return (Kind::Sign(Sign::DayOfMonth(day)), start + 1);
    }
    if let Some(written) = written(word) {
        return (Kind::Written(written), start + 1);
    }
    match number {
        Some(number) => (Kind::Number(number.value), number.end),
        None => (Kind::Other, start + 1),
    }
}

/// `25th`, `1er`, `1º`.
fn written_ordinal(word: &str) -> Option<u8> {
    let (digits, ending) = cut_digits(word);
    matches!(ending, "st" | "nd" | "rd" | "th" | "er" | "го" | "е" | "ое")
        .then(|| digits.parse().ok())?
        .filter(|day| (1..=31).contains(day))
}

/// `14_30` as it was folded from `14:30`, `14.30`, `14h`, `14h30`, `5pm`, `5.30pm`.
fn written(word: &str) -> Option<Written> {
    let (hour, rest) = cut_digits(word);
    let hour = hour.parse().ok()?;
    let separator = rest.strip_prefix(['_', '.', 'h', 'ч', 'u']);
    let (minute, ending) = separator.map_or(("", rest), cut_digits);
    let half = match ending {
        "am" => Some(Half::BeforeNoon),
        "pm" => Some(Half::AfterNoon),
        "" | "h" | "hr" | "hrs" | "uhr" | "hr." => None,
        _ => return None,
    };
    let is_bare_hour = minute.is_empty();
    let is_dotted = rest.starts_with('.');
    if minute.len() > 2 || (is_bare_hour && rest.is_empty()) || (is_dotted && minute.len() != 2) {
        return None;
    }
    let minute = if is_bare_hour {
        0
    } else {
        minute.parse().ok()?
    };
    (hour < 24 && minute < 60).then_some(Written {
        hour,
        minute,
        half,
        is_certain: !is_dotted || half.is_some(),
    })
}

fn cut_digits(word: &str) -> (&str, &str) {
    let rest = word.trim_start_matches(|digit: char| digit.is_ascii_digit());
    word.split_at(word.len() - rest.len())
}
