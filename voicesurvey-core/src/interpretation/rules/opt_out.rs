//! Finds who asks never to be called again.
//!
//! A missed opt-out is the expensive error, so besides fixed phrases two rules read the sentence:
//! a negation and an ending word near a word for calling ("I do not wish to be contacted any
//! more"), and a bare prohibition ("please do not ring here"). A time in the same clause turns
//! both into the wish for another time: "don't call me after eight". Who asks to be taken off a list
//! is found by [`removal`].

use super::lexicon::{Meaning, Stem};
use super::reading::{Hit, Reading};
use super::removal;

/// How far a negation may stand from the word for calling.
const WINDOW: usize = 6;
/// How far a time may stand from the word for calling.
const TIME_WINDOW: usize = 8;
/// How far "not" may stand from "now".
const NOW_WINDOW: usize = 4;

/// How an opt-out was recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Evidence {
    /// The words of a known phrase or pattern.
    Phrase,
    /// The rules about negation and calling.
    Stems,
}

/// Whether the person asks never to be called again.
///
/// With `long_answer`, a single word such as "unsubscribe" inside a longer text is part of the
/// answer.
pub(super) fn find(reading: &Reading, long_answer: bool) -> Option<Evidence> {
    let counts = |hit: Hit| {
        let alone = hit.len() > 1
            || !long_answer
            || reading.content_outside(hit.start, hit.end) <= super::NEARLY_WHOLE;
        alone && !is_followed_by_late(reading, hit.end)
    };
    let named = reading.hits(Meaning::OptOut).any(counts)
        || reading
            .hits(Meaning::OptOutUnlessTime)
            .any(|hit| counts(hit) && !names_time(reading, hit.start, hit.end));
    if named || removal::is_asked_for(reading) {
        return Some(Evidence::Phrase);
    }
    calls(reading)
        .any(|call| forbids_calls(reading, call, long_answer) || forbids_directly(reading, call))
        .then_some(Evidence::Stems)
}

/// Whether the person asks to be called at a time to come, in words of no list.
///
/// `about_call` is true while the call itself is discussed: then "let us talk tomorrow" and "I
/// cannot now" count as well.
pub(super) fn asks_for_another_time(reading: &Reading, about_call: bool) -> bool {
    let words = 0..reading.text.len();
    words.clone().any(|index| {
        let is_call = is_call(reading, index) && !is_report(reading, index);
        let is_talk = about_call && reading.is(Stem::Talk, index);
        ((is_call || is_talk) && names(reading, Stem::Time, index, index + 1))
            || (is_call && is_negated(reading, index) && names_time(reading, index, index + 1))
    }) || (about_call && words.clone().any(|index| is_not_now(reading, index)))
}

/// "Not right now", "I cannot talk now", `adesso proprio non posso`.
fn is_not_now(reading: &Reading, index: usize) -> bool {
    let negates = |other: usize| reading.is(Stem::Negation, other);
    let (first, last) = clause(reading, index, NOW_WINDOW);
    reading.is(Stem::Now, index)
        && ((first..index).any(negates)
            || (index..last).any(|other| {
                let is_able = reading.is(Stem::Able, other) || reading.is(Stem::Able, other + 1);
                negates(other) && is_able
            }))
}

fn is_negated(reading: &Reading, call: usize) -> bool {
    let (first, last) = clause(reading, call, WINDOW);
    (first..last).any(|index| reading.is(Stem::Negation, index) || reading.is(Stem::Final, index))
}

fn calls(reading: &Reading) -> impl Iterator<Item = usize> {
    (0..reading.text.len()).filter(|&index| is_call(reading, index))
}

/// Whether anything is said of calling that is no report of it.
pub(super) fn mentions_call(reading: &Reading) -> bool {
    calls(reading).any(|call| !is_report(reading, call))
}

fn is_call(reading: &Reading, index: usize) -> bool {
    reading.is(Stem::Call, index) && !reading.is(Stem::NotCall, index)
}

/// "They never called me" tells; "I want never to be called" asks.
fn is_report(reading: &Reading, call: usize) -> bool {
    reading.is(Stem::Done, call)
        && !(call.saturating_sub(3)..call).any(|index| reading.is(Stem::Passive, index))
}

fn is_noun(reading: &Reading, call: usize) -> bool {
    call > 0 && reading.is(Stem::Noun, call - 1)
}

/// A negation, an ending word and a word for calling, in any order.
///
/// A long answer also tells about calls: "I can never get through when I call". There, a word such
/// as "never" alone must govern the word for calling.
fn forbids_calls(reading: &Reading, call: usize, long_answer: bool) -> bool {
    let tells = is_report(reading, call) || (long_answer && reading.is(Stem::Stated, call));
    if tells || names_time(reading, call, call + 1) {
        return false;
    }
    let (clause_start, clause_end) = clause(reading, call, WINDOW);
    if (clause_start..clause_end).any(|index| reading.is(Stem::Back, index)) {
        return false;
    }
    let near = call.saturating_sub(WINDOW)..(call + WINDOW + 1).min(reading.text.len());
    let in_clause = |index: usize| (clause_start..clause_end).contains(&index);
    let is_final = |index: usize| {
        reading.is(Stem::Final, index) || reading.hit_at(Meaning::CeasePhrase, index).is_some()
    };
    let ends = near
        .clone()
        .any(|index| reading.is(Stem::Cease, index) && !is_followed_by_late(reading, index + 1));
    let governs = |index: usize| {
        let mut between = index.min(call) + 1..index.max(call);
        !long_answer || between.all(|index| reading.is(Stem::Light, index))
    };
    let ends_alone = |index: usize| in_clause(index) && governs(index);
    if near
        .clone()
        .any(|index| is_final(index) && (ends || ends_alone(index)))
    {
        return true;
    }
    let negates = near
        .clone()
        .any(|index| in_clause(index) && reading.is(Stem::Negation, index));
    negates && ends && !is_noun(reading, call)
}

/// A negation that governs the word for calling: only light words stand between them.
fn forbids_directly(reading: &Reading, call: usize) -> bool {
    let directive = !reading.is(Stem::Stated, call)
        && !is_noun(reading, call)
        && !is_report(reading, call)
        && !names_time(reading, call, call + 1);
    let text = &reading.text;
    let has_object = !reading.lexicon.has(Stem::Object)
        || text.starts_clause(call + 1)
        || reading.is(Stem::Object, call + 1);
    if !directive || !has_object {
        return false;
    }
    let is_negation =
        |index: usize| reading.is(Stem::Negation, index) || reading.is(Stem::Final, index);
    let is_light = |index: usize| reading.is(Stem::Light, index);
    (call.saturating_sub(WINDOW)..call)
        .rev()
        .take_while(|&index| !text.starts_clause(index + 1))
        .find(|&index| is_negation(index) || !is_light(index))
        .is_some_and(is_negation)
}

fn is_followed_by_late(reading: &Reading, next: usize) -> bool {
    reading.is(Stem::Late, next)
}

/// Whether the clause of a stretch of words names a time, now or to come.
fn names_time(reading: &Reading, start: usize, end: usize) -> bool {
    names(reading, Stem::Time, start, end) || names(reading, Stem::Now, start, end)
}

fn names(reading: &Reading, stem: Stem, start: usize, end: usize) -> bool {
    let (first, _) = clause(reading, start, TIME_WINDOW);
    let (_, last) = clause(reading, end - 1, TIME_WINDOW);
    (first..last).any(|index| {
        reading.is(stem, index)
            // "Not today, not tomorrow" rules times out.
            && !(index > 0 && reading.is(Stem::Negation, index - 1))
            && !reading.is_covered(Meaning::NotATime, index)
    })
}

/// The words around `index` without punctuation between, at most `reach` to each side.
fn clause(reading: &Reading, index: usize, reach: usize) -> (usize, usize) {
    let text = &reading.text;
    let mut start = index;
    while start > 0 && !text.starts_clause(start) && index - start < reach {
        start -= 1;
    }
    let mut end = index + 1;
    while !text.starts_clause(end) && end - index <= reach {
        end += 1;
    }
    (start, end)
}
