//! What keys pressed on the telephone mean for the question at hand.
//!
//! Yes is 1 and no is 2; digits are the number or the option; `#` alone skips, and behind other keys
//! it only ends them, as people are used to; `*` repeats. Wherever an answer cannot begin with them,
//! 9 means "never call me again" and 0 repeats; `*9` and `*0` do so everywhere (47 CFR
//! 64.1200(b)(3) wants a key for the former).

use rust_decimal::Decimal;

use crate::interpretation::{Confidence, Expected, Intent, Interpretation, InterpretedBy};
use crate::survey::AnswerValue;

/// No number typed has more digits.
const MOST_DIGITS: u32 = 15;

/// Reads `keys` as an answer to what is expected.
pub fn interpret(keys: &str, expected: &Expected) -> Interpretation {
    let keys = match keys.strip_suffix('#') {
        Some(ended) if !ended.is_empty() => ended,
        _ => keys,
    };
    let intent = control(keys, expected).unwrap_or_else(|| answer(keys, expected));
    Interpretation::new(intent, Confidence::CERTAIN, InterpretedBy::Keypad)
}

/// What the keys want of the call.
fn control(keys: &str, expected: &Expected) -> Option<Intent> {
    match keys {
        "*9" => Some(Intent::OptOut),
        "9" if !may_begin(9, expected) => Some(Intent::OptOut),
        "*" | "*0" => Some(Intent::Repeat),
        "0" if !may_begin(0, expected) => Some(Intent::Repeat),
        "#" => Some(Intent::Skip),
        _ => None,
    }
}

fn answer(keys: &str, expected: &Expected) -> Intent {
    match (keys, expected) {
        ("1", Expected::Consent | Expected::YesNo | Expected::Confirm { .. }) => yes_no(true),
        ("2", Expected::Consent | Expected::YesNo | Expected::Confirm { .. }) => yes_no(false),
        (_, Expected::Confirm { of }) => answer(keys, of),
        (_, Expected::Number { min, max, .. }) => number(keys, *min, *max),
        (_, Expected::Scale { min, max, .. }) => {
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
    }
}

/// Whether the keys of some answer begin with that digit.
pub(super) fn may_begin(digit: u8, expected: &Expected) -> bool {
    match expected {
        Expected::Number { min, max, .. } => has_number_from(digit, *min, *max),
        Expected::Scale { min, max, .. } => {
            has_number_from(digit, Some(Decimal::from(*min)), Some(Decimal::from(*max)))
        }
        Expected::Choice { options } => has_number_from(
            digit,
            Some(Decimal::ONE),
            Some(Decimal::from(options.len())),
        ),
        Expected::Confirm { of } => may_begin(digit, of),
        Expected::Consent | Expected::YesNo | Expected::FreeText | Expected::CallBackTime => false,
    }
}

/// Whether a whole number that begins with `digit` lies within the bounds.
fn has_number_from(digit: u8, min: Option<Decimal>, max: Option<Decimal>) -> bool {
    let overlaps = |low: Decimal, high: Decimal| {
        max.is_none_or(|max| low <= max) && min.is_none_or(|min| high >= min)
    };
    if digit == 0 {
        return overlaps(Decimal::ZERO, Decimal::ZERO);
    }
    (0..MOST_DIGITS).any(|zeros| {
        let power = Decimal::from(10_u64.pow(zeros));
        let low = Decimal::from(digit) * power;
        overlaps(low, low + power - Decimal::ONE)
    })
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
        let scale = Expected::Scale {
            min: 0,
            max: 10,
            labels: Vec::new(),
        };
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
        let of = Box::new(scale.clone());
        assert_eq!(intent("2", &Expected::Confirm { of }), yes_no(false));
        assert_eq!(intent("#", &scale), Intent::Skip);
        assert_eq!(intent("1#2", &scale), Intent::Unclear);
    }

    #[test]
    fn nine_opts_out_and_zero_repeats_wherever_they_begin_no_answer() {
        let scale = |min, max| Expected::Scale {
            min,
            max,
            labels: Vec::new(),
        };
        let number = |min: i64, max: Option<i64>| Expected::Number {
            min: Some(Decimal::from(min)),
            max: max.map(Decimal::from),
            decimals: false,
        };
        let choice = |options: usize| Expected::Choice {
            options: (0..options)
                .map(|key| crate::survey::ChoiceOption {
                    key: key.to_string(),
                    say: Vec::new(),
                })
                .collect(),
        };
        let confirm = |of| Expected::Confirm { of: Box::new(of) };
        // What is expected, whether 9 opts out, whether 0 repeats.
        let table = [
            (Expected::Consent, true, true),
            (Expected::YesNo, true, true),
            (Expected::FreeText, true, true),
            (Expected::CallBackTime, true, true),
            (scale(1, 5), true, true),
            (scale(0, 8), true, false),
            (scale(0, 10), false, false),
            (scale(1, 10), false, true),
            (number(10, Some(89)), true, true),
            (number(10, Some(100)), false, true),
            (number(0, None), false, false),
            (number(1, None), false, true),
            (choice(8), true, true),
            (choice(9), false, true),
            (confirm(scale(1, 5)), true, true),
            (confirm(scale(0, 10)), false, false),
        ];
        for (expected, opts_out, repeats) in table {
            let intent = |keys: &str| interpret(keys, &expected).intent;
            assert_eq!(intent("9") == Intent::OptOut, opts_out, "{expected:?}");
            assert_eq!(intent("0") == Intent::Repeat, repeats, "{expected:?}");
            assert_eq!(intent("*9"), Intent::OptOut, "{expected:?}");
            assert_eq!(intent("*0"), Intent::Repeat, "{expected:?}");
            assert_eq!(intent("*"), Intent::Repeat, "{expected:?}");
            assert_eq!(intent("#"), Intent::Skip, "{expected:?}");
            assert_eq!(intent("1*1"), Intent::Unclear, "{expected:?}");
            for keys in ["9", "0", "*9", "*0", "*", "1", "11"] {
                let ended = format!("{keys}#");
                assert_eq!(intent(&ended), intent(keys), "{ended} {expected:?}");
            }
        }
    }

    #[test]
    fn a_value_that_was_read_back_is_confirmed_denied_or_corrected_by_keys() {
        let scale = Expected::Scale {
            min: 0,
            max: 10,
            labels: Vec::new(),
        };
        let of = Box::new(scale);
        let intent = |keys: &str| interpret(keys, &Expected::Confirm { of: of.clone() }).intent;
        assert_eq!(intent("1"), yes_no(true));
        assert_eq!(intent("2"), yes_no(false));
        assert_eq!(
            intent("7"),
            Intent::Answer {
                value: AnswerValue::Number(Decimal::from(7))
            }
        );
    }
}
