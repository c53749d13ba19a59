//! Which of several values the speaker settled on.
//!
//! Numbers and options are said, taken back and corrected in the same ways: "four, no, five", "not
//! the train, the bus", "three or four".

use super::lexicon::Meaning;
use super::reading::Reading;

/// A value where it was said.
#[derive(Clone, Copy, Debug)]
pub(in crate::interpretation) struct Mention<T> {
    pub(in crate::interpretation) value: T,
    pub(in crate::interpretation) start: usize,
    pub(in crate::interpretation) end: usize,
}

/// What remains of the values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::interpretation) enum Settled<T> {
    /// Every value was negated, or there was none.
    Nothing,
    One(T),
    /// Different values, in the order in which they were said.
    Several(Vec<T>),
}

/// Drops what was negated or corrected.
pub(in crate::interpretation) fn settle<T: Copy + PartialEq>(
    reading: &Reading,
    mentions: &[Mention<T>],
) -> Settled<T> {
    let kept: Vec<_> = mentions
        .iter()
        .filter(|mention| !is_negated(reading, mention.start))
        .collect();
    let corrected_at = kept
        .windows(2)
        .rposition(|pair| is_corrected(reading, pair[0].end, pair[1].start))
        .map_or(0, |index| index + 1);
    let mut values: Vec<T> = Vec::new();
    for mention in &kept[corrected_at..] {
        if !values.contains(&mention.value) {
            values.push(mention.value);
        }
    }
    match values[..] {
        [] => Settled::Nothing,
        [value] => Settled::One(value),
        _ => Settled::Several(values),
    }
}

/// How far a "none of the" may begin before what it leaves out, in words.
const LONGEST_EXCLUSION: usize = 5;

/// Whether a "not" or "neither" stands before a value, with at most an article or two between.
fn is_negated(reading: &Reading, start: usize) -> bool {
    let text = &reading.text;
    let is_left_out = (start.saturating_sub(LONGEST_EXCLUSION)..start).any(|index| {
        reading.hit_at(Meaning::Neither, index).is_some_and(|hit| {
            let is_next = reading.content_in(hit.end.min(start), start) == 0;
            is_next && !text.is_broken(index, start)
        })
    });
    if is_left_out {
        return true;
    }
    (start.saturating_sub(3)..start).rev().any(|index| {
        let only_filler_between = reading.content_in(index + 1, start) == 0;
        let is_negation = reading.hit_at(Meaning::Negation, index).is_some()
            && only_filler_between
            && !text.is_broken(index, start);
        // Spanish "no" both negates and corrects: inside a clause it decides nothing.
        let also_corrects = reading.hit_at(Meaning::Correction, index).is_some();
        is_negation && (!also_corrects || text.starts_clause(index))
    })
}

/// Whether the value that starts at `start` takes back the one that ended at `end`.
pub(in crate::interpretation) fn is_corrected(reading: &Reading, end: usize, start: usize) -> bool {
    (end..start).any(|index| {
        let corrects = reading
            .hit_at(Meaning::Correction, index)
            .is_some_and(|hit| hit.end <= start);
        let also_negates = reading.hit_at(Meaning::Negation, index).is_some();
        corrects && (!also_negates || reading.text.is_broken(index, index + 1))
    })
}
