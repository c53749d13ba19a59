//! Reads a phone number as people, address books and spreadsheets write it.
//!
//! libphonenumber alone is too forgiving for a list that will be dialed: it skips text before the
//! first digit, turns letters into digits and cuts off what it takes for a second number. So only
//! digits and a leading plus sign reach it; whatever else is there is either known to mean
//! nothing, or refused. What a spreadsheet has made of a number is undone by `spreadsheet`, as far
//! as that is certain.

use rlibphonenumber::{
    NumberLengthType, PHONE_NUMBER_UTIL, ParseError, PhoneNumberFormat, ValidationError,
};

use super::{PhoneNumber, PhoneNumberError, Region, spreadsheet};
use crate::blank::is_blank_character;

/// More digits than any number has, with every prefix one can dial before it.
const MOST_DIGITS: usize = 40;

/// Words that people write before a number, or in brackets behind it. A fax is none of them.
const LABELS: &[&str] = &[
    "tel",
    "telefono",
    "telefon",
    "telephone",
    "phone",
    "ph",
    "mobile",
    "mob",
    "mobil",
    "cell",
    "cel",
    "cellulare",
    "celular",
    "casa",
    "ufficio",
    "home",
    "work",
    "office",
    "privat",
    "handy",
    "tél",
    "téléphone",
    "portable",
    "móvil",
    "movil",
    "tlf",
    "tfno",
    "whatsapp",
    "wa",
    "тел",
    "телефон",
    "моб",
    "мобильный",
    "сот",
    "дом",
    "раб",
];

pub(super) fn read(raw: &str, region: Region) -> Result<PhoneNumber, PhoneNumberError> {
    let dialable = dialable_text(raw, region)?;
    look_up_as_dialed(&dialable, region)
}

/// Reads what stood in a cell of numbers, where a zero at the beginning cannot be.
pub(super) fn read_numeric(raw: &str, region: Region) -> Result<PhoneNumber, PhoneNumberError> {
    if spreadsheet::is_rounded(unwrapped(raw)) {
        return Err(PhoneNumberError::LostDigits);
    }
    let dialable = dialable_text(raw, region)?;
    let read = look_up_as_dialed(&dialable, region);
    match read {
        // With a country code it would be a number too: which of the two it was is not certain.
        Ok(_) | Err(PhoneNumberError::MissingPlus) => read,
        Err(_) => with_leading_zero(&dialable, region).map_or(read, Ok),
    }
}

/// What is to be dialed, still in the region's way of writing.
fn dialable_text(raw: &str, region: Region) -> Result<String, PhoneNumberError> {
    let text = spreadsheet::in_ascii(unwrapped(raw));
    let text = spreadsheet::mended(&text)?;
    if is_of_several(&text, region) {
        return Err(PhoneNumberError::Several);
    }
    dialable(&text, region)
}

fn look_up_as_dialed(dialable: &str, region: Region) -> Result<PhoneNumber, PhoneNumberError> {
    look_up(dialable, region).or_else(|error| match dialable.strip_prefix("00") {
        // Where another prefix is dialed to call abroad, as 011 in the US, `00` is not known.
        Some(rest) => look_up(&format!("+{rest}"), region),
        None if lacks_plus(dialable, region) => Err(PhoneNumberError::MissingPlus),
        None => Err(error),
    })
}

/// Whether the number would exist if it began with a country code. That is no reason to dial it:
/// a digit too many makes a foreign number of many a domestic one.
fn lacks_plus(dialable: &str, region: Region) -> bool {
    dialable.len() >= 9
        && !dialable.starts_with(['+', '0'])
        && look_up(&format!("+{dialable}"), region).is_ok()
}

/// The number with a zero in front, in a region where the zero is part of the number, as in Italy.
fn with_leading_zero(dialable: &str, region: Region) -> Option<PhoneNumber> {
    if dialable.starts_with(['+', '0']) {
        return None;
    }
    let number = look_up(&format!("0{dialable}"), region).ok()?;
    let keeps_it = number.plan_number()?.italian_leading_zero();
    keeps_it.then_some(number)
}

/// Whether a slash divides two numbers, or the last digits of one from those of another, as in
/// `030 1234567/68`. Read as one it would ring a stranger.
fn is_of_several(text: &str, region: Region) -> bool {
    let exists =
        |part: &str| dialable(part, region).is_ok_and(|digits| look_up(&digits, region).is_ok());
    text.len() <= 2 * MOST_DIGITS
        && text.match_indices('/').any(|(place, _)| {
            let (before, after) = (&text[..place], &text[place + 1..]);
            let digits = after.bytes().filter(u8::is_ascii_digit).count();
            exists(before) && ((1..=3).contains(&digits) || exists(after))
        })
}

/// The text without what is around a number but is no part of it: space, the invisible marks of
/// writing direction that address books add, a spreadsheet's apostrophe, `tel:` and other labels.
fn unwrapped(raw: &str) -> &str {
    let text = raw.trim_matches(is_blank_character);
    let text = text.strip_prefix(['\'', '\u{2019}', '`']).unwrap_or(text);
    without_label_behind(without_labels_before(text))
}

fn is_label(word: &str) -> bool {
    word.len() <= 24 && LABELS.contains(&word.to_lowercase().as_str())
}

fn without_labels_before(text: &str) -> &str {
    let mut text = text;
    loop {
        let word = &text[..text
            .find(|c: char| !c.is_alphabetic())
            .unwrap_or(text.len())];
        if word.is_empty() || !is_label(word) {
            return text;
        }
        text = text[word.len()..]
            .trim_start_matches(|c| is_blank_character(c) || matches!(c, '.' | ':'));
    }
}

/// `347 1234567 (cell)` is the same number.
fn without_label_behind(text: &str) -> &str {
    text.strip_suffix(')')
        .and_then(|text| text.rsplit_once('('))
        .filter(|(_, word)| is_label(word.trim_end_matches('.')))
        .map_or(text, |(number, _)| number.trim_matches(is_blank_character))
}

/// Only the digits, and the plus sign before them.
fn dialable(text: &str, region: Region) -> Result<String, PhoneNumberError> {
    let mut dialable = String::with_capacity(16);
    for character in text.chars() {
        match character {
            '0'..='9' => dialable.push(character),
            '+' if dialable.is_empty() => dialable.push(character),
            '(' | ')' | '[' | ']' | '.' | '/' | '-' | '\u{2010}'..='\u{2015}' | '\u{2212}' => {}
            _ if is_blank_character(character) => {}
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
