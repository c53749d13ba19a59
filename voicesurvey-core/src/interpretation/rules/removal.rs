//! Finds who asks to be taken off a list.
//!
//! Languages put the verb, the person and the list in any order, and often a polite "please" between
//! them; so the rule asks only that all three stand near each other. Verbs are listed
//! in the forms that ask, not in those that tell: "remove", not "removed".

use super::lexicon::{Meaning, Stem};
use super::reading::Reading;

/// How far the person and the list may stand from the verb.
const WINDOW: usize = 8;

/// Whether the person asks to be removed from a list, a file or a database.
pub(super) fn is_asked_for(reading: &Reading) -> bool {
    (0..reading.text.len()).any(|verb| {
        (reading.is(Stem::Remove, verb) && removes_speaker(reading, verb))
            || (reading.is(Stem::Removed, verb) && is_wish(reading, verb))
    })
}

/// "Remove my name", `mi tolga dall'elenco`, or nothing but "remove me".
///
/// An application may well "delete me the contacts": without a list it must be *my* name. A comma
/// may part the verb from the list, but not from the speaker.
fn removes_speaker(reading: &Reading, verb: usize) -> bool {
    let in_clause = |stem: Stem| {
        near(reading, verb, |index| {
            reading.is(stem, index) && !reading.text.is_broken(index.min(verb), index.max(verb))
        })
    };
    let names = |stem: Stem| near(reading, verb, |index| reading.is(stem, index));
    let says_nothing_else = || {
        (0..reading.text.len()).all(|index| {
            index == verb
                || reading.is(Stem::Myself, index)
                || reading.is_covered(Meaning::Politeness, index)
        })
    };
    let (is_self, is_mine) = (in_clause(Stem::Myself), in_clause(Stem::Mine));
    (is_self && (names(Stem::Register) || says_nothing_else()))
        || (is_mine && (names(Stem::Register) || names(Stem::Entry)))
}

/// "I want to be taken off the list": a participle tells unless it is wished for.
fn is_wish(reading: &Reading, participle: usize) -> bool {
    let has = |stem: Stem| near(reading, participle, |index| reading.is(stem, index));
    let is_speakers = has(Stem::Mine) && (has(Stem::Register) || has(Stem::Entry));
    let is_speaker = (has(Stem::Want) || has(Stem::Myself)) && has(Stem::Register);
    has(Stem::Passive) && (is_speakers || is_speaker)
}

fn near(reading: &Reading, verb: usize, is_wanted: impl Fn(usize) -> bool) -> bool {
    let last = (verb + WINDOW + 1).min(reading.text.len());
    (verb.saturating_sub(WINDOW)..last).any(is_wanted)
}
