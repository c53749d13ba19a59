//! Reads a phone number as people, address books and spreadsheets write it.
//!
//! libphonenumber alone is too forgiving for a list that will be dialed: it skips text before the
//! first digit, turns letters into digits and cuts off what it takes for a second number. So only
//! digits and a leading plus sign reach it; whatever else is there is either known to mean
//! nothing, or refused.

use rlibphonenumber::{
    NumberLengthType, PHONE_NUMBER_UTIL, ParseError, PhoneNumberFormat, ValidationError,
};

use super::{PhoneNumber, PhoneNumberError, Region};

/// More digits than any number has, with every prefix one can dial before it.
const MOST_DIGITS: usize = 40;

pub(super) fn read(raw: &str, region: Region) -> Result<PhoneNumber, PhoneNumberError> {
    let text = unwrapped(raw);
    if is_scientific(text) {
        return Err(PhoneNumberError::LostDigits);
    }
    let dialable = dialable(without_fraction(text), region)?;
    look_up(&dialable, region).or_else(|error| match dialable.strip_prefix("00") {
        // Where another prefix is dialed to call abroad, as 011 in the US, `00` is not known.
        Some(rest) => look_up(&format!("+{rest}"), region),
        None => Err(error),
    })
}

/// The text without what is around a number but is no part of it: space, the invisible marks of
/// writing direction that address books add, a spreadsheet's apostrophe, and `tel:`.
fn unwrapped(raw: &str) -> &str {
    let text = raw.trim_matches(is_blank);
    let text = text.strip_prefix('\'').unwrap_or(text);
    match text.split_at_checked(4) {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("tel:") => rest,
        _ => text,
    }
}

/// Whether the character is white space, or takes no space at all.
fn is_blank(character: char) -> bool {
    character.is_whitespace()
        || matches!(
            character,
            '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}'
        )
}

/// Whether a spreadsheet has written the number as `3.93471E+11` or `3,93E11`.
fn is_scientific(text: &str) -> bool {
    let Some((mantissa, exponent)) = text.split_once(['E', 'e']) else {
        return false;
    };
    let mantissa = mantissa.strip_prefix(['+', '-']).unwrap_or(mantissa);
    let (whole, fraction) = mantissa.split_once(['.', ',']).unwrap_or((mantissa, "0"));
    let exponent = exponent.strip_prefix('+').unwrap_or(exponent);
    all_digits(whole) && all_digits(fraction) && all_digits(exponent)
}

/// Drops the `.0` of a number that went through a column of floats. Taken for punctuation, it
/// would add a digit.
fn without_fraction(text: &str) -> &str {
    let whole = text.strip_suffix(".0").unwrap_or(text);
    let digits = whole.strip_prefix('+').unwrap_or(whole);
    if digits.len() > 6 && all_digits(digits) {
        whole
    } else {
        text
    }
}

fn all_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Only the digits, and the plus sign before them.
fn dialable(text: &str, region: Region) -> Result<String, PhoneNumberError> {
    let mut dialable = String::with_capacity(16);
    for character in text.chars() {
        match character {
            '0'..='9' => dialable.push(character),
            '+' if dialable.is_empty() => dialable.push(character),
            '(' | ')' | '[' | ']' | '.' | '/' | '-' | '\u{2010}'..='\u{2015}' | '\u{2212}' => {}
            _ if is_blank(character) => {}
            _ => return Err(refusal(character, text, region)),
        }
        if dialable.len() > MOST_DIGITS {
            return Err(PhoneNumberError::TooLong);
        }
    }
    if dialable.trim_start_matches('+').is_empty() {
        return Err(PhoneNumberError::Empty);
    }
    Ok(dialable)
}

/// Says what is wrong with a text that contains a character which no number is written with.
fn refusal(character: char, text: &str, region: Region) -> PhoneNumberError {
    let has_extension = || {
        let number = PHONE_NUMBER_UTIL.parse(text, Some(region.plan()));
        number.is_ok_and(|number| number.extension.is_some())
    };
    if text.len() <= 2 * MOST_DIGITS && has_extension() {
        PhoneNumberError::Extension
    } else if text.chars().any(char::is_alphabetic) {
        PhoneNumberError::Letters
    } else {
        PhoneNumberError::UnexpectedCharacter(character)
    }
}

/// Asks the numbering plans.
fn look_up(dialable: &str, region: Region) -> Result<PhoneNumber, PhoneNumberError> {
    let number = PHONE_NUMBER_UTIL
        .parse(dialable, Some(region.plan()))
        .map_err(|error| match error {
            ParseError::InvalidCountryCode => PhoneNumberError::UnknownCountryCode,
            ParseError::NotANumber(_) | ParseError::TooShortAfterIdd | ParseError::TooShortNsn => {
                PhoneNumberError::TooShort
            }
            ParseError::TooLongNsn => PhoneNumberError::TooLong,
        })?;
    match number.is_possible_with_reason() {
        Ok(NumberLengthType::IsPossible) => {}
        Ok(NumberLengthType::IsPossibleLocalOnly) | Err(ValidationError::TooShort) => {
            return Err(PhoneNumberError::TooShort);
        }
        Err(ValidationError::TooLong) => return Err(PhoneNumberError::TooLong),
        Err(ValidationError::InvalidLength) => return Err(PhoneNumberError::WrongLength),
        Err(ValidationError::InvalidCountryCode) => {
            return Err(PhoneNumberError::UnknownCountryCode);
        }
    }
    if !number.is_valid() {
        return Err(PhoneNumberError::NotInPlan);
    }
    // A few plans have longer numbers than E.164 allows; no provider would dial them.
    number
        .format_as(PhoneNumberFormat::E164)
        .parse()
        .map_err(|_| PhoneNumberError::WrongLength)
}
