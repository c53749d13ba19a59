//! Whether a value that somebody else read from an utterance answers its question, and was said.

use rust_decimal::Decimal;

use super::choices;
use super::numbers;
use super::reading::Reading;
use crate::interpretation::{Expected, Utterance};
use crate::survey::{AnswerValue, ChoiceOption, ScaleLabel};

/// Whether the value is in the words; `None` if it does not answer the question at all.
///
/// A yes or a no takes no particular word.
pub(in crate::interpretation) fn is_said(
    utterance: &Utterance,
    value: &AnswerValue,
) -> Option<bool> {
    is_possible(&utterance.expected, value).then(|| {
        let reading = Reading::new(utterance.language, &utterance.words);
        names(&reading, &utterance.expected, value)
    })
}

/// Whether a number was said and lies outside the bounds of the question.
pub(in crate::interpretation) fn is_out_of_range(utterance: &Utterance, value: Decimal) -> bool {
    let reading = Reading::new(utterance.language, &utterance.words);
    let answer = AnswerValue::Number(value);
    let takes_numbers = matches!(
        inner(&utterance.expected),
        Expected::Number { .. } | Expected::Scale { .. }
    );
    takes_numbers
        && value.fract().is_zero()
        && !is_possible(&utterance.expected, &answer)
        && says_number(&reading, value)
}

/// Whether each of several values answers the question.
pub(in crate::interpretation) fn are_possible(expected: &Expected, values: &[String]) -> bool {
    let is_one = |text: &String| {
        let value = match inner(expected) {
            Expected::Number { .. } | Expected::Scale { .. } => {
                text.parse().ok().map(AnswerValue::Number)
            }
            Expected::Choice { .. } => Some(AnswerValue::Choice(text.clone())),
            _ => None,
        };
        value.is_some_and(|value| is_possible(expected, &value))
    };
    values.len() > 1 && values.iter().all(is_one)
}

fn inner(expected: &Expected) -> &Expected {
    match expected {
        Expected::Confirm { of } => of,
        other => other,
    }
}

fn is_possible(expected: &Expected, value: &AnswerValue) -> bool {
    match (expected, value) {
        (Expected::Consent | Expected::YesNo | Expected::Confirm { .. }, AnswerValue::YesNo(_)) => {
            true
        }
        (Expected::Number { min, max, decimals }, AnswerValue::Number(number)) => {
            min.is_none_or(|min| *number >= min)
                && max.is_none_or(|max| *number <= max)
                && (*decimals || number.fract().is_zero())
        }
        (Expected::Scale { min, max, .. }, AnswerValue::Number(number)) => {
            number.fract().is_zero()
                && *number >= Decimal::from(*min)
                && *number <= Decimal::from(*max)
        }
        (Expected::Choice { options }, AnswerValue::Choice(key)) => {
            options.iter().any(|option| option.key == *key)
        }
        (Expected::Confirm { of }, value) => is_possible(of, value),
        _ => false,
    }
}

fn names(reading: &Reading, expected: &Expected, value: &AnswerValue) -> bool {
    match (inner(expected), value) {
        (Expected::Scale { labels, .. }, AnswerValue::Number(number)) => {
            says_number(reading, *number) || says_label(reading, labels, *number)
        }
        (_, AnswerValue::Number(number)) => says_number(reading, *number),
        (Expected::Choice { options }, AnswerValue::Choice(key)) => {
            let place = options.iter().position(|option| option.key == *key);
            place.is_some_and(|place| says_option(reading, options, place))
        }
        _ => true,
    }
}

fn says_number(reading: &Reading, value: Decimal) -> bool {
    numbers::find(reading)
        .iter()
        .any(|number| number.value == value)
}

fn says_label(reading: &Reading, labels: &[ScaleLabel], value: Decimal) -> bool {
    let options = choices::of_labels(labels);
    let named = choices::by_words(reading, &options);
    named
        .mentions
        .iter()
        .any(|mention| Decimal::from(labels[mention.value].value) == value)
}

fn says_option(reading: &Reading, options: &[ChoiceOption], place: usize) -> bool {
    let named = choices::by_words(reading, options);
    named.mentions.iter().any(|mention| mention.value == place)
        || choices::by_ordinal(reading, options.len()) == Some(place)
        || says_number(reading, Decimal::from(place + 1))
}
