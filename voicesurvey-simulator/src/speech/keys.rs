//! What people press instead of saying it.

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use voicesurvey_core::conversation::Heard;
use voicesurvey_core::interpretation::Expected;
use voicesurvey_core::survey::AnswerValue;

use super::{Manner, Speaker};

/// Options that have a key of their own besides 9.
const MOST_OPTIONS: usize = 8;

impl Speaker<'_> {
    /// The answer as keys of the telephone; `None` where keys cannot give it.
    pub(crate) fn keys(&mut self, expected: &Expected) -> Option<Heard> {
        let keys = match (self.answer(expected, Manner::Plain).meant, expected) {
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
}

/// What whoever never wants to be called again presses: 9, and `*9` where 9 may be an answer.
pub(crate) fn never_again(expected: &Expected) -> &'static str {
    if may_be_nine(expected) { "*9" } else { "9" }
}

/// Keys that answer nothing; `None` if all of them may.
pub(crate) fn wrong(expected: &Expected) -> Option<&'static str> {
    match expected {
        Expected::Consent | Expected::YesNo | Expected::FreeText | Expected::CallBackTime => {
            Some("5")
        }
        Expected::Choice { options } if options.len() < MOST_OPTIONS => Some("8"),
        Expected::Choice { .. } => None,
        Expected::Number { .. } | Expected::Scale { .. } | Expected::Confirm { .. } => Some("*5"),
    }
}

fn may_be_nine(expected: &Expected) -> bool {
    match expected {
        Expected::Number { max, .. } => max.is_none_or(|max| max >= Decimal::from(9)),
        Expected::Scale { max, .. } => *max >= 9,
        Expected::Choice { options } => options.len() > MOST_OPTIONS,
        Expected::Confirm { of } => may_be_nine(of),
        Expected::Consent | Expected::YesNo | Expected::FreeText | Expected::CallBackTime => false,
    }
}
