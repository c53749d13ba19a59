//! Finds who asks, in answer to an open question, to be called at another time.
//!
//! Any text answers an open question, and many answers tell of calls: "they should have called me
//! back tomorrow as promised". So a request must have the form of one: a clause that holds a verb
//! that asks for a call, or a phrase that puts it off, and times and words that lead to them ("could
//! you", `mi`), but nothing else. Beside it next to nothing may be said: an answer is not given up
//! for the sake of a call.

use std::ops::Range;

use super::lexicon::{Meaning, Stem};
use super::reading::{Hit, Reading};
use crate::interpretation::time_mention;

/// With more words beside the request, there is an answer in it.
const MOST_WORDS_BESIDE: usize = 1;

/// Whether the person asks for a call at another time.
pub(super) fn is_made(reading: &Reading) -> bool {
    let times = time_mention::time_words(reading);
    let end = reading.text.len();
    let is_time = |index: usize| {
        times.get(index).is_some_and(|is_time| *is_time)
            || reading.is(Stem::Time, index)
            || reading.is(Stem::Now, index)
    };
    let belongs = |index: usize| {
        let stems = [Stem::Asking, Stem::Invite, Stem::Object];
        is_time(index)
            || stems.into_iter().any(|stem| reading.is(stem, index))
            || is_covered(reading, &[Meaning::Filler, Meaning::Politeness], index)
    };
    let beside = (0..end).filter(|&index| !belongs(index) && !is_excuse(reading, index));
    if beside.count() > MOST_WORDS_BESIDE {
        return false;
    }
    let leaves_nothing = |start: usize, next: usize| {
        let mut clause = clause_around(reading, start, next);
        clause.all(|index| (start..next).contains(&index) || belongs(index))
    };
    // "They call", "always", "in the evening": what stands between the words of a phrase tells too.
    let tells = |hit: Hit| {
        let is_call = |index: usize| reading.is(Stem::Call, index);
        let mut words = hit.start..hit.end;
        words.clone().any(is_call) && words.any(|index| !is_call(index) && !belongs(index))
    };
    let is_phrase = |hit: Hit| {
        let is_whole = reading.content_outside(hit.start, hit.end) == 0;
        is_whole || (hit.len() > 1 && leaves_nothing(hit.start, hit.end) && !tells(hit))
    };
    let is_invitation = |index: usize| {
        let has_object = !reading.lexicon.has(Stem::Object)
            || reading.text.starts_clause(index + 1)
            || reading.is(Stem::Object, index + 1)
            || is_time(index + 1);
        reading.is(Stem::Invite, index) && has_object && leaves_nothing(index, index + 1)
    };
    let names_time = || {
        let mut words = 0..end;
        time_mention::names_time(reading) || words.any(|index| reading.is(Stem::Time, index))
    };
    reading.hits(Meaning::CallBack).any(is_phrase) || ((0..end).any(is_invitation) && names_time())
}

/// The words without punctuation between around a stretch of them.
fn clause_around(reading: &Reading, start: usize, next: usize) -> Range<usize> {
    let starts = |index: &usize| reading.text.starts_clause(*index);
    let first = (0..=start).rev().find(starts).unwrap_or_default();
    first
        ..(next..reading.text.len())
            .find(starts)
            .unwrap_or(reading.text.len())
}

/// "No, I can't right now" answers nothing but the call itself.
fn is_excuse(reading: &Reading, index: usize) -> bool {
    let meanings = [
        Meaning::Yes,
        Meaning::No,
        Meaning::CallBack,
        Meaning::Correction,
    ];
    reading.is(Stem::Negation, index)
        || reading.is(Stem::Able, index)
        || is_covered(reading, &meanings, index)
}

fn is_covered(reading: &Reading, meanings: &[Meaning], index: usize) -> bool {
    meanings
        .iter()
        .any(|meaning| reading.is_covered(*meaning, index))
}
