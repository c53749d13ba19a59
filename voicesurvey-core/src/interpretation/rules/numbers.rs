//! Finds the numbers in an utterance, spoken or in digits.
//!
//! A file lists only the words that a language builds its numbers of; [`grammar`] composes them.
//! Compounds (`centocinque`, `zweiundvierzig`) are first cut into these words.

mod grammar;

use std::collections::HashMap;

use rust_decimal::Decimal;
use serde::Deserialize;

use self::grammar::{Grammar, Slot};
use super::lexicon::Meaning;
use super::reading::Reading;
use crate::language::Language;

/// Longer words are no numbers; keeps the cutting of compounds short.
const LONGEST_COMPOUND: usize = 64;
/// More digits than a question can ask for.
const MOST_DIGITS: usize = 15;

/// The smallest part of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Piece {
    /// 0 to 9.
    Unit(u64),
    /// 10 to 19, and every other number below 100 that is one word of its own.
    Teen(u64),
    Ten(u64),
    /// A ten that lost its vowel: `vent` in `ventuno` and in `vent'anni`.
    ElidedTen(u64),
    /// 100, 200, … as one word of its own.
    Hundreds(u64),
    /// Multiplies what is before it by a hundred, or is a hundred.
    Hundred,
    Thousand {
        /// May follow a count.
        counted: bool,
        /// May stand without a count.
        alone: bool,
    },
    Million,
    /// "And" inside a number.
    Joiner,
    /// `einhalb` at the end of a compound.
    Half,
    /// A number written in digits, and how many digits there are.
    Digits(u64, usize),
    /// Not a part of a number.
    Other,
}

/// The number words of a language's file.
#[derive(Deserialize)]
pub(super) struct NumberFile {
    units: HashMap<String, u64>,
    teens: HashMap<String, u64>,
    tens: HashMap<String, u64>,
    #[serde(default)]
    elided_tens: HashMap<String, u64>,
    #[serde(default)]
    hundreds: HashMap<String, u64>,
    #[serde(default)]
    hundred: Vec<String>,
    thousand: Vec<String>,
    /// Thousands that need a count: `mila`.
    #[serde(default)]
    thousands: Vec<String>,
    million: Vec<String>,
    #[serde(default)]
    joiner: Vec<String>,
    /// Words for numbers that no rule builds: `anderthalb`.
    #[serde(default)]
    fixed: HashMap<String, Decimal>,
}

/// The number words of a language, ready for use.
#[derive(Debug)]
pub(in crate::interpretation) struct NumberWords {
    language: Language,
    pieces: HashMap<Box<str>, Piece>,
    fixed: HashMap<String, Decimal>,
}

impl NumberWords {
    pub(super) fn compile(language: Language, file: NumberFile) -> Self {
        let mut pieces: HashMap<Box<str>, Piece> = HashMap::new();
        let mut add_values = |words: HashMap<String, u64>, piece: fn(u64) -> Piece| {
            pieces.extend(
                words
                    .into_iter()
                    .map(|(word, value)| (word.into(), piece(value))),
            );
        };
        add_values(file.elided_tens, Piece::ElidedTen);
        add_values(file.units, Piece::Unit);
        add_values(file.teens, Piece::Teen);
        add_values(file.tens, Piece::Ten);
        add_values(file.hundreds, Piece::Hundreds);
        let has_counted_form = !file.thousands.is_empty();
        let thousand = Piece::Thousand {
            counted: !has_counted_form,
            alone: true,
        };
        let mut add_words = |words: Vec<String>, piece: Piece| {
            pieces.extend(words.into_iter().map(|word| (word.into(), piece)));
        };
        add_words(file.hundred, Piece::Hundred);
        add_words(file.thousand, thousand);
        add_words(
            file.thousands,
            Piece::Thousand {
                counted: true,
                alone: false,
            },
        );
        add_words(file.million, Piece::Million);
        add_words(file.joiner, Piece::Joiner);
        if language == Language::De {
            add_words(vec!["einhalb".to_owned()], Piece::Half);
        }
        Self {
            language,
            pieces,
            fixed: file.fixed,
        }
    }

    /// Adds the pieces of one word to `pieces`.
    fn cut(&self, word: &str, pieces: &mut Vec<Piece>) {
        if let Some(piece) = self.pieces.get(word) {
            pieces.push(*piece);
        } else if let Some(digits) = plain_digits(self.language, word) {
            pieces.push(digits);
        } else {
            let first = pieces.len();
            if !self.has_compounds() || !self.cut_compound(word, first, pieces) {
                pieces.truncate(first);
                pieces.push(Piece::Other);
            }
        }
    }

    fn has_compounds(&self) -> bool {
        matches!(self.language, Language::It | Language::De)
    }

    /// Cuts a compound so that all its pieces together are one number.
    fn cut_compound(&self, rest: &str, first: usize, pieces: &mut Vec<Piece>) -> bool {
        if rest.is_empty() {
            return Grammar::of_pieces(self.language, &pieces[first..]);
        }
        if rest.len() > LONGEST_COMPOUND || !rest.is_ascii() {
            return false;
        }
        (1..=rest.len()).rev().any(|end| {
            let Some(piece) = self.pieces.get(&rest[..end]) else {
                return false;
            };
            pieces.push(*piece);
            let whole = self.cut_compound(&rest[end..], first, pieces);
            if !whole {
                pieces.pop();
            }
            whole
        })
    }
}

/// A number that was said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::interpretation) struct Number {
    pub(in crate::interpretation) value: Decimal,
    /// The first of its words, without a minus.
    pub(in crate::interpretation) start: usize,
    pub(in crate::interpretation) end: usize,
    /// A single word that may as well be an article, a pronoun or a verb.
    pub(in crate::interpretation) weak: bool,
    /// "More than three" names a number, but not the answer.
    pub(in crate::interpretation) compared: bool,
}

/// Every number of an utterance, in order.
pub(in crate::interpretation) fn find(reading: &Reading) -> Vec<Number> {
    let slots = slots(reading);
    let grammar = Grammar::new(reading.lexicon.language, &slots);
    let mut numbers = Vec::new();
    let mut next_token = 0;
    for (index, slot) in slots.iter().enumerate() {
        if slot.token < next_token || !slot.is_first {
            continue;
        }
        let word = reading.text.word(slot.token);
        let found = match number_of_one_word(reading, word) {
            Some(value) => Some((value, slot.token + 1)),
            None => spoken(reading, &slots, &grammar, index),
        };
        if let Some((value, end)) = found {
            numbers.push(classify(reading, value, slot.token, end));
            next_token = end;
        }
    }
    numbers
}

fn slots(reading: &Reading) -> Vec<Slot> {
    let words = &reading.lexicon.numbers;
    let mut slots = Vec::with_capacity(reading.text.len() + 8);
    let mut pieces = Vec::with_capacity(8);
    for (token, word) in reading.text.words().enumerate() {
        pieces.clear();
        words.cut(word, &mut pieces);
        slots.extend(pieces.iter().enumerate().map(|(index, &piece)| Slot {
            piece,
            token,
            is_first: index == 0,
            after_break: index == 0 && reading.text.starts_clause(token),
        }));
    }
    slots
}

fn number_of_one_word(reading: &Reading, word: &str) -> Option<Decimal> {
    let words = &reading.lexicon.numbers;
    words
        .fixed
        .get(word)
        .copied()
        .or_else(|| decimal_digits(words.language, word))
}

/// A composed number with its half or its decimals; the end is a word's index.
fn spoken(
    reading: &Reading,
    slots: &[Slot],
    grammar: &Grammar<'_>,
    index: usize,
) -> Option<(Decimal, usize)> {
    let (whole, next) = grammar.number_at(index)?;
    let value = Decimal::from(whole);
    let end = slots
        .get(next)
        .map_or(reading.text.len(), |slot| slot.token);
    let half = Decimal::new(5, 1);
    if let Some(slot) = slots
        .get(next)
        .filter(|slot| slot.piece == Piece::Half && !slot.is_first)
    {
        return Some((value + half, slot.token + 1));
    }
    if reading.text.starts_clause(end) {
        return Some((value, end));
    }
    if let Some(hit) = reading.hit_at(Meaning::Half, end) {
        return Some((value + half, hit.end));
    }
    let decimals = reading
        .hit_at(Meaning::Point, end)
        .filter(|hit| !reading.text.starts_clause(hit.end))
        .map(|hit| slots.partition_point(|slot| slot.token < hit.end))
        .and_then(|first| grammar.decimals_at(first));
    match decimals {
        Some((fraction, next)) => {
            let end = slots
                .get(next)
                .map_or(reading.text.len(), |slot| slot.token);
            Some((value + fraction, end))
        }
        None => Some((value, end)),
    }
}

fn classify(reading: &Reading, value: Decimal, start: usize, end: usize) -> Number {
    let is_negative = start > 0
        && reading.hit_at(Meaning::Minus, start - 1).is_some()
        && !is_approximation(reading, start - 1);
    let before = start - usize::from(is_negative);
    Number {
        value: if is_negative { -value } else { value },
        start,
        end,
        weak: end == start + 1
            && !is_negative
            && reading.hit_at(Meaning::WeakNumber, start).is_some(),
        compared: reading.follows(Meaning::Comparison, before),
    }
}

/// "Plus or minus three" and `più o meno tre` are three, not minus three.
fn is_approximation(reading: &Reading, minus: usize) -> bool {
    reading.follows(Meaning::Or, minus)
        || (minus > 0 && matches!(reading.text.word(minus - 1), "plus" | "плюс"))
}

fn plain_digits(language: Language, word: &str) -> Option<Piece> {
    let value = digits(language, word)?;
    let is_plain = word.bytes().all(|byte| byte.is_ascii_digit());
    let length = if is_plain { word.len() } else { 0 };
    let whole = u64::try_from(value)
        .ok()
        .filter(|whole| Decimal::from(*whole) == value)?;
    Some(Piece::Digits(whole, length))
}

fn decimal_digits(language: Language, word: &str) -> Option<Decimal> {
    digits(language, word).filter(|value| !value.fract().is_zero())
}

/// Reads digits with the separators of the language: `2.500` is 2500 in Italian, 2.5 in English.
fn digits(language: Language, word: &str) -> Option<Decimal> {
    let is_number = word.starts_with(|first: char| first.is_ascii_digit())
        && word
            .bytes()
            .all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b','));
    if !is_number || word.bytes().filter(u8::is_ascii_digit).count() > MOST_DIGITS {
        return None;
    }
    let group = if language == Language::En { ',' } else { '.' };
    let without_groups = if is_grouped(word, group) {
        word.replace(group, "")
    } else {
        word.to_owned()
    };
    without_groups.replace(',', ".").parse().ok()
}

fn is_grouped(word: &str, separator: char) -> bool {
    let whole = word
        .split(|other| matches!(other, '.' | ',') && other != separator)
        .next();
    let mut groups = whole.unwrap_or_default().split(separator);
    let first = groups.next().unwrap_or_default();
    let mut count = 0;
    let full = groups.all(|group| {
        count += 1;
        group.len() == 3
    });
    full && count > 0 && first.len() <= 3 && !first.starts_with('0')
}

#[cfg(test)]
mod tests;
