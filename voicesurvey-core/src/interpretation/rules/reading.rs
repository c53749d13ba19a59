//! One utterance with everything the lexicon finds in it.
//!
//! The words are walked once; the rules then only look at what was found.

use super::lexicon::{Lexicon, Meaning, Stem};
use super::normalise::Text;
use crate::language::Language;

/// Words that may stand between two steps of a pattern.
const LARGEST_GAP: usize = 3;
/// How far back the rules look for the beginning of a phrase, in words.
const LONGEST_PHRASE: usize = 6;

/// A stretch of words with a meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::interpretation) struct Hit {
    pub(in crate::interpretation) meaning: Meaning,
    pub(in crate::interpretation) start: usize,
    pub(in crate::interpretation) end: usize,
}

impl Hit {
    /// How many words it covers.
    pub(in crate::interpretation) fn len(self) -> usize {
        self.end - self.start
    }
}

/// An utterance as the rules see it.
#[derive(Debug)]
pub(in crate::interpretation) struct Reading {
    pub(in crate::interpretation) text: Text,
    pub(in crate::interpretation) lexicon: &'static Lexicon,
    /// In the order of their starts.
    hits: Vec<Hit>,
    /// For each word, how many words up to it carry meaning.
    content_before: Vec<usize>,
}

impl Reading {
    /// Reads an utterance.
    pub(in crate::interpretation) fn new(language: Language, words: &str) -> Self {
        let lexicon = Lexicon::of(language);
        let text = Text::new(language, words);
        let mut hits = Vec::new();
        for start in 0..text.len() {
            find_phrases(lexicon, &text, start, &mut hits);
            find_patterns(lexicon, &text, start, &mut hits);
        }
        let mut filler = vec![false; text.len()];
        for hit in hits.iter().filter(|hit| hit.meaning == Meaning::Filler) {
            filler[hit.start..hit.end].fill(true);
        }
        let mut content_before = Vec::with_capacity(text.len() + 1);
        content_before.push(0);
        let mut content = 0;
        for is_filler in filler {
            content += usize::from(!is_filler);
            content_before.push(content);
        }
        Self {
            text,
            lexicon,
            hits,
            content_before,
        }
    }

    /// How many words carry meaning.
    pub(in crate::interpretation) fn content(&self) -> usize {
        self.content_in(0, self.text.len())
    }

    /// How many of the words from `start` up to `end` carry meaning; past the end there are none.
    pub(in crate::interpretation) fn content_in(&self, start: usize, end: usize) -> usize {
        let up_to = |index: usize| self.content_before[index.min(self.text.len())];
        up_to(end) - up_to(start)
    }

    /// How many words outside a stretch carry meaning.
    pub(in crate::interpretation) fn content_outside(&self, start: usize, end: usize) -> usize {
        self.content() - self.content_in(start, end)
    }

    /// Every hit with a meaning, in order.
    pub(in crate::interpretation) fn hits(&self, meaning: Meaning) -> impl Iterator<Item = Hit> {
        self.hits
            .iter()
            .copied()
            .filter(move |hit| hit.meaning == meaning)
    }

    /// Whether a meaning occurs at all.
    pub(in crate::interpretation) fn has(&self, meaning: Meaning) -> bool {
        self.hits(meaning).next().is_some()
    }

    /// The hits that start at a word.
    pub(in crate::interpretation) fn hits_at(&self, start: usize) -> &[Hit] {
        let first = self.hits.partition_point(|hit| hit.start < start);
        let count = self.hits[first..]
            .iter()
            .take_while(|hit| hit.start == start)
            .count();
        &self.hits[first..first + count]
    }

    /// The longest hit with a meaning that starts at a word.
    pub(in crate::interpretation) fn hit_at(&self, meaning: Meaning, start: usize) -> Option<Hit> {
        let candidates = self.hits_at(start).iter().copied();
        candidates
            .filter(|hit| hit.meaning == meaning)
            .max_by_key(|hit| hit.len())
    }

    /// Whether a hit with a meaning ends just before a word.
    pub(in crate::interpretation) fn follows(&self, meaning: Meaning, index: usize) -> bool {
        (index.saturating_sub(LONGEST_PHRASE)..index).any(|start| {
            self.hit_at(meaning, start)
                .is_some_and(|hit| hit.end == index)
        })
    }

    /// Whether a word is part of a hit with a meaning.
    pub(in crate::interpretation) fn is_covered(&self, meaning: Meaning, index: usize) -> bool {
        (index.saturating_sub(LONGEST_PHRASE)..=index).any(|start| {
            self.hit_at(meaning, start)
                .is_some_and(|hit| hit.end > index)
        })
    }

    /// Whether a word belongs to a class.
    pub(in crate::interpretation) fn is(&self, stem: Stem, index: usize) -> bool {
        self.lexicon.is(stem, self.text.word(index))
    }

    /// Whether any word belongs to a class.
    pub(in crate::interpretation) fn any(&self, stem: Stem) -> bool {
        (0..self.text.len()).any(|index| self.is(stem, index))
    }
}

fn find_phrases(lexicon: &Lexicon, text: &Text, start: usize, hits: &mut Vec<Hit>) {
    for phrase in lexicon.phrases_from(text.word(start)) {
        let matches = (start + 1..)
            .zip(&phrase.rest)
            .all(|(index, word)| text.word(index) == &**word);
        if matches {
            let end = start + 1 + phrase.rest.len();
            hits.push(Hit {
                meaning: phrase.meaning,
                start,
                end,
            });
        }
    }
}

fn find_patterns(lexicon: &Lexicon, text: &Text, start: usize, hits: &mut Vec<Hit>) {
    let first = text.word(start);
    for pattern in lexicon
        .patterns
        .iter()
        .filter(|pattern| pattern.step_matches(0, first))
    {
        let mut last = start;
        let complete = (1..pattern.steps.len()).all(|step| {
            let reach = last + 1..(last + 2 + LARGEST_GAP).min(text.len());
            let found = reach
                .clone()
                .find(|&index| pattern.step_matches(step, text.word(index)));
            last = found.unwrap_or(last);
            found.is_some()
        });
        if complete {
            hits.push(Hit {
                meaning: pattern.meaning,
                start,
                end: last + 1,
            });
        }
    }
}
