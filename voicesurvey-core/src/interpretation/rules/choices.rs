//! Finds which option was named: by its words, its place, or its number.

use rust_decimal::Decimal;

use super::lexicon::Meaning;
use super::mentions::{Mention, Settled, settle};
use super::normalise::Text;
use super::numbers::{self, Number};
use super::numeric::{self, Bounds, Meant};
use super::reading::Reading;
use super::{
    MOST_UNEXPLAINED_WORDS, Verdict, confidence, numeric_verdict, single_word_wishes, unclear,
    wishes,
};
use crate::interpretation::Intent;
use crate::language::Language;
use crate::survey::{AnswerValue, ChoiceOption, ScaleLabel};

/// How many words may be said besides "the second".
const WORDS_BESIDE_ORDINAL: usize = 2;
/// A word must keep this many letters when its ending is taken off.
const SHORTEST_STEM: usize = 3;

/// What an utterance means for a question with options: first by the words of the options, then by
/// their places.
pub(super) fn decide(reading: &Reading, options: &[ChoiceOption]) -> Verdict {
    let named = by_words(reading, options);
    let taken: Vec<_> = named
        .mentions
        .iter()
        .map(|named| (named.start, named.end))
        .collect();
    if let Some(wish) = wishes(reading, &taken) {
        return wish;
    }
    if taken.is_empty() {
        return by_place(reading, options);
    }
    let said: usize = taken
        .iter()
        .map(|(start, end)| reading.content_in(*start, *end))
        .sum();
    let unexplained = reading.content() - said;
    if unexplained > MOST_UNEXPLAINED_WORDS {
        return unclear();
    }
    let sure = match unexplained {
        _ if named.inflected => confidence::LIKELY,
        0 => confidence::WHOLE,
        _ => confidence::PHRASE,
    };
    chosen(options, settle(reading, &named.mentions), sure)
}

/// The option at a place that was said, as an ordinal or as a number.
fn by_place(reading: &Reading, options: &[ChoiceOption]) -> Verdict {
    let numbers = numbers::find(reading);
    if counts_options(reading, &numbers) {
        return single_word_wishes(reading);
    }
    // "No, two": perhaps of the question before.
    let takes_back = reading.hit_at(Meaning::No, 0).is_some();
    let most = if takes_back {
        confidence::HOMOPHONE
    } else {
        confidence::WHOLE
    };
    let sure = |sure: u8| sure.min(most);
    if let Some(place) = by_ordinal(reading, options.len()) {
        return chosen(options, Settled::One(place), sure(confidence::PHRASE));
    }
    let bounds = Bounds {
        min: Some(Decimal::ONE),
        max: Some(Decimal::from(options.len())),
        decimals: false,
        is_scale: false,
    };
    // A homophone is no option's number: too many words sound like one.
    match numeric::decide(reading, &numbers, &bounds) {
        Some(Meant::Homophone(_)) | None => single_word_wishes(reading),
        Some(meant) => {
            let verdict = numeric_verdict(meant, |number| {
                let place = usize::try_from(number).ok()?.checked_sub(1)?;
                let option = options.get(place)?;
                Some(AnswerValue::Choice(option.key.clone()))
            });
            Verdict {
                confidence: sure(verdict.confidence),
                ..verdict
            }
        }
    }
}

/// Whether numbers and ordinals count options or leave some out, instead of naming one: "all three",
/// "none of the two", "not the first", "the first two".
fn counts_options(reading: &Reading, numbers: &[Number]) -> bool {
    let is_counted = reading.has(Meaning::Together) || reading.has(Meaning::Neither);
    let is_negated = reading.hits(Meaning::Negation).any(|negation| {
        let also_corrects = reading.hit_at(Meaning::Correction, negation.start);
        also_corrects.is_none()
    });
    let several_from = |index: usize| {
        let mut following = numbers.iter();
        following.any(|number| number.start == index + 1 && !number.weak)
    };
    let words = 0..reading.text.len();
    is_counted
        || is_negated
        || words
            .filter(|&index| is_ordinal(reading, index))
            .any(several_from)
}

fn chosen(options: &[ChoiceOption], settled: Settled<usize>, confidence: u8) -> Verdict {
    let key = |index: usize| options.get(index).map(|option| option.key.clone());
    match settled {
        Settled::Nothing => unclear(),
        Settled::One(index) => key(index).map_or_else(unclear, |key| {
            Verdict::answer(AnswerValue::Choice(key), confidence)
        }),
        Settled::Several(indexes) => {
            let candidates = indexes.into_iter().filter_map(key).collect();
            Verdict::new(Intent::Ambiguous { candidates }, confidence)
        }
    }
}

/// The options that were named, and whether only their inflection matched.
#[derive(Debug)]
pub(super) struct Named {
    pub(super) mentions: Vec<Mention<usize>>,
    pub(super) inflected: bool,
}

/// Finds the options by the words that people say for them; the value is the option's index.
pub(super) fn by_words(reading: &Reading, options: &[ChoiceOption]) -> Named {
    let language = reading.lexicon.language;
    let spoken: Vec<(usize, Text)> = options
        .iter()
        .enumerate()
        .flat_map(|(index, option)| {
            let key = option.say.is_empty().then_some(&option.key);
            option
                .say
                .iter()
                .chain(key)
                .map(move |words| (index, Text::new(language, words)))
        })
        .filter(|(_, text)| text.len() > 0)
        .collect();
    let exact = mentions(reading, &spoken, |said, option| said == option);
    if !exact.is_empty() {
        return Named {
            mentions: exact,
            inflected: false,
        };
    }
    let same_stem = |said: &str, option: &str| stem(language, said) == stem(language, option);
    Named {
        mentions: mentions(reading, &spoken, same_stem),
        inflected: true,
    }
}

fn mentions(
    reading: &Reading,
    spoken: &[(usize, Text)],
    same: impl Fn(&str, &str) -> bool,
) -> Vec<Mention<usize>> {
    let mut mentions = Vec::new();
    let mut start = 0;
    while start < reading.text.len() {
        let is_said = |text: &Text| {
            (start..)
                .zip(text.words())
                .all(|(at, word)| same(reading.text.word(at), word))
        };
        let longest = spoken
            .iter()
            .filter(|(_, text)| is_said(text))
            .max_by_key(|(_, text)| text.len());
        match longest {
            Some((value, text)) => {
                let end = start + text.len();
                mentions.push(Mention {
                    value: *value,
                    start,
                    end,
                });
                start = end;
            }
            None => start += 1,
        }
    }
    mentions
}

/// Labels of a scale as options; what has no words is never named.
pub(super) fn of_labels(labels: &[ScaleLabel]) -> Vec<ChoiceOption> {
    let as_option = |label: &ScaleLabel| ChoiceOption {
        key: String::new(),
        say: label.say.clone(),
    };
    labels.iter().map(as_option).collect()
}

/// The option at a place: "the second", `l'ultima`, "2nd".
pub(super) fn by_ordinal(reading: &Reading, options: usize) -> Option<usize> {
    (0..reading.text.len()).find_map(|index| {
        let place = place(reading, reading.text.word(index), options)?;
        let beside = reading.content_outside(index, index + 1)
            - usize::from(is_pronoun_after(reading, index));
        let counts = beside <= WORDS_BESIDE_ORDINAL && !waits(reading, index);
        counts.then_some(place)
    })
}

fn is_ordinal(reading: &Reading, index: usize) -> bool {
    let word = reading.text.word(index);
    let mut forms = reading.lexicon.ordinals.iter().flatten();
    forms.any(|form| form == word) || numeral(word).is_some()
}

fn place(reading: &Reading, word: &str, options: usize) -> Option<usize> {
    let lexicon = reading.lexicon;
    if lexicon.last.iter().any(|last| last == word) {
        return options.checked_sub(1);
    }
    let named = lexicon
        .ordinals
        .iter()
        .position(|forms| forms.iter().any(|form| form == word));
    named
        .or_else(|| numeral(word))
        .filter(|place| *place < options)
}

/// `2nd`, `3o`: a small number with a short ending.
fn numeral(word: &str) -> Option<usize> {
    let ending = word.trim_start_matches(|digit: char| digit.is_ascii_digit());
    let digits = &word[..word.len() - ending.len()];
    let is_ordinal = matches!(
        ending,
        "st" | "nd" | "rd" | "th" | "o" | "a" | "e" | "eme" | "й" | "я"
    );
    let number: usize = digits.parse().ok().filter(|_| is_ordinal)?;
    number.checked_sub(1)
}

fn is_pronoun_after(reading: &Reading, index: usize) -> bool {
    reading.hit_at(Meaning::WeakNumber, index + 1).is_some()
        && reading.content_in(index + 1, index + 2) > 0
}

/// "Just a second" and `un secondo` ask to wait, `secondo me` gives an opinion.
fn waits(reading: &Reading, index: usize) -> bool {
    let is_pause = reading.hit_at(Meaning::Pause, index).is_some()
        && index > 0
        && (reading.text.word(index - 1) == "a"
            || reading.hit_at(Meaning::WeakNumber, index - 1).is_some());
    let in_phrase = (index.saturating_sub(2)..=index).any(|start| {
        reading
            .hit_at(Meaning::Filler, start)
            .is_some_and(|hit| hit.len() > 1 && hit.end > index)
    });
    is_pause || in_phrase
}

/// A word without the ending that number, gender or case give it.
fn stem(language: Language, word: &str) -> &str {
    let endings: &[&str] = match language {
        Language::It => &["i", "e", "o", "a"],
        Language::Es => &["es", "os", "as", "s", "o", "a", "e"],
        Language::En => &["es", "s"],
        Language::Fr => &["es", "s", "x", "e"],
        Language::De => &["en", "er", "es", "n", "e", "s"],
        Language::Ru => &[
            "ами", "ями", "ой", "ей", "ом", "ем", "ах", "ях", "а", "я", "у", "ю", "е", "и", "ы",
            "ь",
        ],
    };
    let stripped = endings.iter().find_map(|ending| word.strip_suffix(ending));
    stripped
        .filter(|stem| stem.chars().count() >= SHORTEST_STEM)
        .unwrap_or(word)
}
