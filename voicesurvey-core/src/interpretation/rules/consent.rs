//! Whether a yes is an unmistakable one.
//!
//! Consent is taken from nothing less. Whoever also said no, asks back, ties the yes to a
//! condition, or goes on to hedge it has not agreed yet, and is asked again: a repetition costs
//! seconds, a call recorded without consent cannot be mended.

use super::lexicon::{Meaning, Stem};
use super::polarity::Polarity;
use super::reading::{Hit, Reading};

/// With more meaningful words besides it, a yes may be about anything.
const MOST_UNEXPLAINED_WORDS: usize = 5;
/// How far "in" may stand from "ten minutes", in words.
const DELAY_WINDOW: usize = 3;

/// Whether a yes leaves no doubt.
pub(super) fn is_unmistakable(reading: &Reading, yes: &Polarity) -> bool {
    !yes.mixed
        && yes.unexplained <= MOST_UNEXPLAINED_WORDS
        && !asks_back(reading)
        && !is_left_open(reading, yes.first_end)
}

/// "Yes?" and "is that okay?" ask; "why not?" agrees although it is a question.
fn asks_back(reading: &Reading) -> bool {
    let refuses = |index: usize| {
        [Meaning::No, Meaning::Negation]
            .into_iter()
            .any(|meaning| reading.hit_at(meaning, index).is_some())
    };
    let is_why_not = |end: usize| {
        reading
            .hits(Meaning::Yes)
            .any(|hit| hit.end == end && hit.len() > 1 && refuses(end - 1))
    };
    (1..=reading.text.len()).any(|end| reading.text.ends_question(end) && !is_why_not(end))
}

/// Whether what follows the first yes takes something of it back, and no other yes comes after.
fn is_left_open(reading: &Reading, yes_end: usize) -> bool {
    let end = reading.text.len();
    let trails_off = reading
        .hits(Meaning::Unfinished)
        .any(|hit| hit.start >= yes_end && hit.end == end && !is_idiom(reading, hit));
    trails_off
        || (yes_end..end)
            .filter_map(|index| doubt(reading, index))
            .any(|doubt| !is_idiom(reading, doubt) && !agrees_after(reading, doubt.end))
}

/// A hedge, or a "but", "if" or "not" that asks for more than brevity, which the interview keeps.
fn doubt(reading: &Reading, index: usize) -> Option<Hit> {
    let limit = || {
        let hit = reading
            .hit_at(Meaning::Reservation, index)
            .or_else(|| reading.hit_at(Meaning::Negation, index))?;
        let mut after = hit.end..reading.text.len();
        let asks_for_brevity = after.any(|index| is_brevity(reading, index));
        (!asks_for_brevity).then_some(hit)
    };
    reading.hit_at(Meaning::Hedge, index).or_else(limit)
}

/// "But sure", "but never mind, okay"; in "but first tell me", `mi dica` agrees to nothing.
fn agrees_after(reading: &Reading, doubt_end: usize) -> bool {
    let text = &reading.text;
    let agrees_again = reading.hits(Meaning::Yes).any(|hit| {
        hit.start == doubt_end || (hit.start > doubt_end && text.starts_clause(hit.start))
    });
    let agrees_shortly = reading
        .hit_at(Meaning::YesAlone, doubt_end)
        .is_some_and(|hit| text.starts_clause(hit.end));
    agrees_again || agrees_shortly
}

/// "If you like" reserves nothing, "I guess so" agrees.
fn is_idiom(reading: &Reading, doubt: Hit) -> bool {
    [Meaning::Yes, Meaning::Filler]
        .into_iter()
        .flat_map(|meaning| reading.hits(meaning))
        .any(|hit| hit.len() > doubt.len() && hit.start <= doubt.start && doubt.end <= hit.end)
}

/// "Five minutes", but not "in five minutes".
fn is_brevity(reading: &Reading, index: usize) -> bool {
    let mut before = index.saturating_sub(DELAY_WINDOW)..index;
    reading.is(Stem::Brief, index) && !before.any(|index| reading.is(Stem::Delay, index))
}
