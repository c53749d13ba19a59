//! What people say: answers and wishes as they are spoken on the telephone, in six languages.
//!
//! The guarantee: an answer is within the bounds of what was expected, wherever these leave any
//! answer, and comes with the value that was meant, so that an interpreter can be measured by it.

mod english;
mod french;
mod german;
mod italian;
mod numbers;
mod russian;
mod spanish;
mod vocabulary;

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use voicesurvey_core::conversation::Heard;
use voicesurvey_core::interpretation::Expected;
use voicesurvey_core::language::Language;
use voicesurvey_core::survey::{AnswerValue, ChoiceOption};

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

    /// An answer to what is expected. With `corrects`, numbers are said wrong first.
    pub(crate) fn answer(&mut self, expected: &Expected, corrects: bool) -> Spoken {
        match expected {
            Expected::Consent | Expected::Confirm { .. } => self.consent(),
            Expected::YesNo => self.yes_or_no(),
            Expected::Number { min, max, decimals } => {
                let (low, high) = whole_bounds(*min, *max);
                let value = self.lean(low, high);
                self.number(value, (low, high), *decimals && value < high, corrects)
            }
            Expected::Scale { min, max, .. } => {
                let value = self.lean(*min, *max);
                self.mark(value, (*min, *max), corrects)
            }
            Expected::Choice { options } => self.choice(options),
            Expected::FreeText | Expected::CallBackTime => self.opinion(),
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
        Some(self.number(value, (value, value), false, false))
    }

    /// The answer as keys of the telephone; `None` where keys cannot give it.
    pub(crate) fn keys(&mut self, expected: &Expected) -> Option<Heard> {
        let keys = match (self.answer(expected, false).meant, expected) {
            (AnswerValue::YesNo(yes), _) => if yes { "1" } else { "2" }.to_owned(),
            (AnswerValue::Number(number), _) => number
                .to_u64()
                .filter(|_| number.fract().is_zero())?
                .to_string(),
            (AnswerValue::Choice(key), Expected::Choice { options }) => {
                let position = options.iter().position(|option| option.key == key)?;
                (position + 1).to_string()
            }
            _ => return None,
        };
        Some(Heard::Keys { keys })
    }

    fn consent(&mut self) -> Spoken {
        let words = self.chance.phrase(self.vocabulary().consents).to_owned();
        Spoken {
            words,
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

    fn number(&mut self, value: i64, bounds: (i64, i64), halves: bool, corrects: bool) -> Spoken {
        let vocabulary = self.vocabulary();
        if halves && self.chance.happens(Probability::percent(20)) {
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
        self.framed(vocabulary.number_frames, value, bounds, corrects)
    }

    fn mark(&mut self, value: i64, bounds: (i64, i64), corrects: bool) -> Spoken {
        self.framed(self.vocabulary().mark_frames, value, bounds, corrects)
    }

    fn framed(
        &mut self,
        frames: &[&'static str],
        value: i64,
        (low, high): (i64, i64),
        corrects: bool,
    ) -> Spoken {
        let frames = if corrects && low < high {
            self.vocabulary().corrections
        } else {
            frames
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

    fn choice(&mut self, options: &[ChoiceOption]) -> Spoken {
        let Some(option) = self.chance.pick(options) else {
            return self.opinion();
        };
        let position = options.iter().position(|other| other.key == option.key);
        let ordinal = position.and_then(|position| self.vocabulary().ordinals.get(position));
        let words = match ordinal {
            Some(ordinal) if self.chance.happens(Probability::percent(15)) => (*ordinal).to_owned(),
            _ => {
                let said = self.chance.pick(&option.say).unwrap_or(&option.key);
                self.chance
                    .phrase(self.vocabulary().choice_frames)
                    .replace("{option}", said)
            }
        };
        Spoken {
            words,
            meant: AnswerValue::Choice(option.key.clone()),
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
