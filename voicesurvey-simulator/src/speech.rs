//! What people say: answers and wishes as they are spoken on the telephone, in six languages.
//!
//! The guarantee: an answer is within the bounds of what was expected, wherever these leave any
//! answer, and comes with the value that was meant, so that an interpreter can be measured by it.

mod english;
mod french;
mod german;
mod italian;
pub(crate) mod keys;
mod numbers;
mod russian;
mod spanish;
mod vocabulary;

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use voicesurvey_core::interpretation::Expected;
use voicesurvey_core::language::Language;
use voicesurvey_core::survey::{AnswerValue, ChoiceOption, ScaleLabel};

use crate::chance::Chance;
use crate::settings::Probability;

pub(crate) use vocabulary::Vocabulary;

/// Wide and open ranges are answered within so many of their low end.
const WIDEST: i64 = 200;

/// Words, and what the person meant by them.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Spoken {
    pub(crate) words: String,
    pub(crate) meant: AnswerValue,
}

/// How an answer is said. What cannot be said so is said plainly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manner {
    /// Among some other words, perhaps.
    Plain,
    /// Without any other word.
    Bare,
    /// Something else first, and then corrected: "four, no, five".
    Corrected,
    /// A mark on a scale by what it is called.
    ByName,
    /// A number, heard as a word that sounds like it.
    Misheard,
}

/// One person answering one question.
#[derive(Debug)]
pub(crate) struct Speaker<'a> {
    pub(crate) chance: &'a mut Chance,
    pub(crate) language: Language,
    /// From 0 to 100: answers lean towards the high end, or towards the low one.
    pub(crate) contentment: i64,
}

impl Speaker<'_> {
    fn vocabulary(&self) -> &'static Vocabulary {
        Vocabulary::of(self.language)
    }

    /// An answer to what is expected.
    pub(crate) fn answer(&mut self, expected: &Expected, manner: Manner) -> Spoken {
        match expected {
            Expected::Consent => self.yes(self.vocabulary().consents),
            Expected::Confirm { .. } => self.yes(self.vocabulary().confirms),
            Expected::YesNo => self.yes_or_no(),
            Expected::Number { min, max, decimals } => {
                let (low, high) = whole_bounds(*min, *max);
                let value = self.lean(low, high);
                let misheard = self.misheard((low, high), manner);
                misheard.unwrap_or_else(|| {
                    self.number(value, (low, high), *decimals && value < high, manner)
                })
            }
            Expected::Scale { min, max, labels } => {
                let value = self.lean(*min, *max);
                let misheard = self.misheard((*min, *max), manner);
                let named = misheard.or_else(|| self.name_of(value, labels, manner));
                named.unwrap_or_else(|| self.mark(value, (*min, *max), manner))
            }
            Expected::Choice { options } => self.choice(options, manner),
            Expected::FreeText => self.opinion(),
            Expected::CallBackTime => self.some_time(),
        }
    }

    /// No, and what is right instead of what was read back.
    pub(crate) fn correction(&mut self, of: &Expected) -> Spoken {
        let right = self.answer(of, Manner::Bare);
        let frame = self.chance.phrase(self.vocabulary().corrects_back);
        Spoken {
            words: frame.replace("{answer}", &right.words),
            ..right
        }
    }

    /// A number outside the bounds; `None` where there are none.
    pub(crate) fn outside(&mut self, expected: &Expected) -> Option<Spoken> {
        let (low, high) = match expected {
            Expected::Number { min, max, .. } => (
                min.and_then(|min| min.ceil().to_i64()),
                max.and_then(|max| max.floor().to_i64()),
            ),
            Expected::Scale { min, max, .. } => (Some(*min), Some(*max)),
            _ => return None,
        };
        let value = match (low, high) {
            (_, Some(high)) => high.checked_add(self.chance.integer(1, 5))?,
            (Some(low), None) => low.checked_sub(self.chance.integer(1, 5))?,
            (None, None) => return None,
        };
        Some(self.number(value, (value, value), false, Manner::Plain))
    }

    fn yes(&mut self, phrases: &[&'static str]) -> Spoken {
        Spoken {
            words: self.chance.phrase(phrases).to_owned(),
            meant: AnswerValue::YesNo(true),
        }
    }

    fn yes_or_no(&mut self) -> Spoken {
        let yes = self.chance.integer(0, 99) < 20 + self.contentment * 6 / 10;
        let phrases = if yes {
            self.vocabulary().yes
        } else {
            self.vocabulary().no
        };
        Spoken {
            words: self.chance.phrase(phrases).to_owned(),
            meant: AnswerValue::YesNo(yes),
        }
    }

    /// A whole number from `low` to `high`, higher for those who are content.
    fn lean(&mut self, low: i64, high: i64) -> i64 {
        let span = high.saturating_sub(low).clamp(0, WIDEST);
        let percent = (self.contentment * 7 + self.chance.integer(0, 100) * 3) / 10;
        low + (span * percent + 50) / 100
    }

    fn number(&mut self, value: i64, bounds: (i64, i64), halves: bool, manner: Manner) -> Spoken {
        let vocabulary = self.vocabulary();
        if halves && manner != Manner::Bare && self.chance.happens(Probability::percent(20)) {
            let words = format!(
                "{} {}",
                numbers::in_words(self.language, value),
                vocabulary.half
            );
            let meant = Decimal::from(value) + Decimal::new(5, 1);
            return Spoken {
                words,
                meant: AnswerValue::Number(meant),
            };
        }
        self.framed(vocabulary.number_frames, value, bounds, manner)
    }

    fn mark(&mut self, value: i64, bounds: (i64, i64), manner: Manner) -> Spoken {
        self.framed(self.vocabulary().mark_frames, value, bounds, manner)
    }

    /// What a mark is called; `None` if it is not said so, or has no name.
    fn name_of(&mut self, value: i64, labels: &[ScaleLabel], manner: Manner) -> Option<Spoken> {
        if manner != Manner::ByName {
            return None;
        }
        let label = labels.iter().find(|label| label.value == value)?;
        Some(Spoken {
            words: self.chance.pick(&label.say)?.clone(),
            meant: AnswerValue::Number(Decimal::from(value)),
        })
    }

    /// A number within the bounds as it is misheard; `None` if it is not, or none of them can be.
    fn misheard(&mut self, (low, high): (i64, i64), manner: Manner) -> Option<Spoken> {
        if manner != Manner::Misheard {
            return None;
        }
        let homophones = self.vocabulary().homophones.iter();
        let within = homophones.filter(|(_, value)| (low..=high).contains(value));
        let last = i64::try_from(within.clone().count().checked_sub(1)?).ok()?;
        let chosen = usize::try_from(self.chance.integer(0, last)).ok()?;
        let (word, value) = within.clone().nth(chosen)?;
        Some(Spoken {
            words: (*word).to_owned(),
            meant: AnswerValue::Number(Decimal::from(*value)),
        })
    }

    fn framed(
        &mut self,
        frames: &[&'static str],
        value: i64,
        (low, high): (i64, i64),
        manner: Manner,
    ) -> Spoken {
        let frames = match manner {
            Manner::Corrected if low < high => self.vocabulary().corrections,
            Manner::Bare => &["{n}"],
            _ => frames,
        };
        let said_first = if value > low {
            value - 1
        } else {
            value.saturating_add(1)
        };
        let words = self
            .chance
            .phrase(frames)
            .replace("{n}", &numbers::in_words(self.language, value))
            .replace("{first}", &numbers::in_words(self.language, said_first))
            .replace("{max}", &numbers::in_words(self.language, high));
        Spoken {
            words,
            meant: AnswerValue::Number(Decimal::from(value)),
        }
    }

    fn choice(&mut self, options: &[ChoiceOption], manner: Manner) -> Spoken {
        let Some(option) = self.chance.pick(options) else {
            return self.opinion();
        };
        let vocabulary = self.vocabulary();
        let position = options.iter().position(|other| other.key == option.key);
        let ordinal = position.and_then(|position| vocabulary.ordinals.get(position));
        let other = options.iter().find(|other| other.key != option.key);
        let words = match (ordinal, other) {
            (_, Some(other)) if manner == Manner::Corrected => {
                let first = self.option(other);
                self.chance
                    .phrase(vocabulary.corrections)
                    .replace("{n}", self.option(option))
                    .replace("{first}", first)
            }
            _ if manner == Manner::Bare => self.option(option).to_owned(),
            (Some(ordinal), _) if self.chance.happens(Probability::percent(15)) => {
                (*ordinal).to_owned()
            }
            _ => {
                let said = self.option(option);
                self.chance
                    .phrase(vocabulary.choice_frames)
                    .replace("{option}", said)
            }
        };
        Spoken {
            words,
            meant: AnswerValue::Choice(option.key.clone()),
        }
    }

    /// One of the ways to say an option.
    fn option<'a>(&mut self, option: &'a ChoiceOption) -> &'a str {
        self.chance.pick(&option.say).unwrap_or(&option.key)
    }

    fn some_time(&mut self) -> Spoken {
        let words = self.chance.phrase(self.vocabulary().times).to_owned();
        Spoken {
            meant: AnswerValue::Text(words.clone()),
            words,
        }
    }

    fn opinion(&mut self) -> Spoken {
        let vocabulary = self.vocabulary();
        let mood = (self.contentment * 8 + self.chance.integer(0, 100) * 2) / 10;
        let sentences = match mood {
            ..=34 => vocabulary.criticism,
            35..=59 => vocabulary.remarks,
            _ => vocabulary.praise,
        };
        let words = self.chance.phrase(sentences).to_owned();
        Spoken {
            meant: AnswerValue::Text(words.clone()),
            words,
        }
    }
}

/// The whole numbers that `min` and `max` leave; open ends get a plausible one.
fn whole_bounds(min: Option<Decimal>, max: Option<Decimal>) -> (i64, i64) {
    let low = min.and_then(|min| min.ceil().to_i64());
    let high = max.and_then(|max| max.floor().to_i64());
    match (low, high) {
        (Some(low), Some(high)) => (low, high),
        (Some(low), None) => (low, low.saturating_add(60)),
        (None, Some(high)) => (high.saturating_sub(60).max(0).min(high), high),
        (None, None) => (0, 60),
    }
}

#[cfg(test)]
mod tests;
