//! What keys pressed on the telephone mean for the question at hand.
//!
//! Yes is 1 and no is 2; digits are the number or the option; `#` skips and `*` repeats. While
//! consent is asked, 9 means "never call me again" and 0 repeats (47 CFR 64.1200(b)(3) wants a key
//! for the former).

use rust_decimal::Decimal;

use crate::interpretation::{Confidence, Expected, Intent, Interpretation, InterpretedBy};
use crate::survey::AnswerValue;

/// Reads `keys` as an answer to what is expected.
pub fn interpret(keys: &str, expected: &Expected) -> Interpretation {
    let intent = match (keys, expected) {
        ("*", _) | ("0", Expected::Consent | Expected::YesNo) => Intent::Repeat,
        ("#", _) => Intent::Skip,
        ("9", Expected::Consent) => Intent::OptOut,
        ("1", Expected::Consent | Expected::YesNo) => yes_no(true),
        ("2", Expected::Consent | Expected::YesNo) => yes_no(false),
        (_, Expected::Number { min, max, .. }) => number(keys, *min, *max),
        (_, Expected::Scale { min, max }) => {
            number(keys, Some(Decimal::from(*min)), Some(Decimal::from(*max)))
        }
        (_, Expected::Choice { options }) => keys
            .parse::<usize>()
            .ok()
            .and_then(|position| options.get(position.checked_sub(1)?))
            .map_or(Intent::Unclear, |option| Intent::Answer {
                value: AnswerValue::Choice(option.key.clone()),
            }),
        _ => Intent::Unclear,
    };
    Interpretation {
        intent,
        confidence: Confidence::CERTAIN,
        by: InterpretedBy::Keypad,
    }
}

fn yes_no(yes: bool) -> Intent {
    Intent::Answer {
        value: AnswerValue::YesNo(yes),
    }
}

fn number(keys: &str, min: Option<Decimal>, max: Option<Decimal>) -> Intent {
    if keys.is_empty() || !keys.bytes().all(|key| key.is_ascii_digit()) {
        return Intent::Unclear;
    }
    match keys.parse::<Decimal>() {
        Ok(value) if min.is_none_or(|min| value >= min) && max.is_none_or(|max| value <= max) => {
            Intent::Answer {
                value: AnswerValue::Number(value),
            }
        }
        Ok(value) => Intent::OutOfRange { value },
        Err(_) => Intent::Unclear,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_answer_the_question_at_hand() {
        let scale = Expected::Scale { min: 0, max: 10 };
        let intent = |keys: &str, expected: &Expected| interpret(keys, expected).intent;
        assert_eq!(intent("9", &Expected::Consent), Intent::OptOut);
        assert_eq!(
            intent("9", &scale),
            Intent::Answer {
                value: AnswerValue::Number(Decimal::from(9))
            }
        );
        assert_eq!(
            intent("10", &scale),
            Intent::Answer {
                value: AnswerValue::Number(Decimal::TEN)
            }
        );
        assert_eq!(
            intent("11", &scale),
            Intent::OutOfRange {
                value: Decimal::from(11)
            }
        );
        assert_eq!(intent("1", &Expected::YesNo), yes_no(true));
        assert_eq!(intent("#", &scale), Intent::Skip);
        assert_eq!(intent("1#2", &scale), Intent::Unclear);
    }
}
