//! A scale whose marks have names: "very satisfied" instead of five.

use rust_decimal::Decimal;

use super::lexicon::Meaning;
use super::mentions::{Settled, settle};
use super::numeric::Bounds;
use super::reading::Reading;
use super::{NEARLY_WHOLE, Verdict, choices, confidence, number, numbers, unclear, wishes};
use crate::interpretation::Intent;
use crate::survey::{AnswerValue, ScaleLabel};

/// A number on the scale, or what one of its marks is called. The number counts where both are said.
pub(super) fn scale(reading: &Reading, bounds: &Bounds, labels: &[ScaleLabel]) -> Verdict {
    if !numbers::find(reading).is_empty() || labels.is_empty() {
        return number(reading, bounds);
    }
    let named = choices::by_words(reading, &choices::of_labels(labels));
    if named.mentions.is_empty() {
        return number(reading, bounds);
    }
    let taken: Vec<_> = named
        .mentions
        .iter()
        .map(|named| (named.start, named.end))
        .collect();
    if let Some(wish) = wishes(reading, &taken) {
        return wish;
    }
    let outside = |index: usize| {
        !taken
            .iter()
            .any(|(start, end)| (*start..*end).contains(&index))
    };
    let is_negated = (0..reading.text.len())
        .any(|index| outside(index) && reading.hit_at(Meaning::Negation, index).is_some());
    let beside: usize = (0..reading.text.len())
        .filter(|&index| outside(index))
        .map(|index| reading.content_in(index, index + 1))
        .sum();
    // "Not that satisfied" and "less than satisfied" are other marks.
    if is_negated || beside > NEARLY_WHOLE {
        return unclear();
    }
    let confidence = match beside {
        0 if !named.inflected => confidence::WHOLE,
        _ => confidence::LIKELY,
    };
    let value = |index: usize| AnswerValue::Number(Decimal::from(labels[index].value));
    match settle(reading, &named.mentions) {
        Settled::Nothing => unclear(),
        Settled::One(index) => Verdict::answer(value(index), confidence),
        Settled::Several(indexes) => {
            let candidates = indexes.into_iter().map(|index| value(index).to_text());
            let candidates = candidates.collect();
            Verdict::new(Intent::Ambiguous { candidates }, confidence)
        }
    }
}
