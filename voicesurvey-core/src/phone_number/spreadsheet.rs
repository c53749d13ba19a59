//! What spreadsheets make of phone numbers, undone where it is certain and named where it is not.
//!
//! A spreadsheet takes a phone number for an amount or a date. Where the digits are still all there
//! they are put together again; where some are gone nobody can know them.

use std::borrow::Cow;

use super::PhoneNumberError;

/// The first digit of each script whose digits people type.
const ZEROS: [char; 8] = [
    '\u{660}', '\u{6f0}', '\u{966}', '\u{9e6}', '\u{a66}', '\u{ae6}', '\u{e50}', '\u{ff10}',
];

/// The text with the digits of other scripts and the wide forms of East Asian keyboards in ASCII.
pub(super) fn in_ascii(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().map(ascii).collect())
}

fn ascii(character: char) -> char {
    let digit = ZEROS.iter().find_map(|zero| {
        let value = u32::from(character).checked_sub(u32::from(*zero))?;
        char::from_digit(value, 10)
    });
    digit.unwrap_or(match character {
        '＋' => '+',
        '（' => '(',
        '）' => ')',
        '／' => '/',
        '．' => '.',
        '－' => '-',
        other => other,
    })
}

/// The text as it was before it went through a column of amounts.
pub(super) fn mended(text: &str) -> Result<Cow<'_, str>, PhoneNumberError> {
    if is_date(text) {
        return Err(PhoneNumberError::Date);
    }
    if is_error(text) {
        return Err(PhoneNumberError::FormulaError);
    }
    if let Some(number) = Scientific::read(text) {
        return number
            .digits()
            .map(Cow::Owned)
            .ok_or(PhoneNumberError::LostDigits);
    }
    let whole = without_fraction(text);
    if is_in_thousands(whole, ',') {
        return Ok(Cow::Owned(whole.replace(',', "")));
    }
    Ok(Cow::Borrowed(whole))
}

/// Whether the text of a cell of numbers is what is left of one that was shown as `3.93471E+11` and
/// saved as it was shown: six digits, as many as a spreadsheet shows, and zeros. One in a hundred
/// thousand numbers is so, and then its owner is named too.
pub(super) fn is_rounded(text: &str) -> bool {
    const FEWEST_DIGITS: usize = 11;
    const FEWEST_ZEROS: usize = 5;
    let whole = text.strip_suffix(".0").unwrap_or(text);
    let zeros = whole.len() - whole.trim_end_matches('0').len();
    all_digits(whole) && whole.len() >= FEWEST_DIGITS && zeros >= FEWEST_ZEROS
}

/// A number as `3.93471E+11` or `3,93E11`.
struct Scientific<'a> {
    whole: &'a str,
    fraction: &'a str,
    exponent: usize,
}

impl<'a> Scientific<'a> {
    fn read(text: &'a str) -> Option<Self> {
        let (mantissa, exponent) = text.split_once(['E', 'e'])?;
        let mantissa = mantissa.strip_prefix(['+', '-']).unwrap_or(mantissa);
        let (whole, fraction) = mantissa.split_once(['.', ',']).unwrap_or((mantissa, "0"));
        let exponent = exponent.strip_prefix('+').unwrap_or(exponent);
        let is_number = all_digits(whole) && all_digits(fraction) && all_digits(exponent);
        // An exponent that is no number of digits has lost them all the same.
        is_number.then(|| Self {
            whole,
            fraction,
            exponent: exponent.parse().unwrap_or(usize::MAX),
        })
    }

    /// All digits, if there are as many behind the point as it has to move: then none was rounded
    /// away.
    fn digits(&self) -> Option<String> {
        (self.whole.len() == 1 && self.exponent >= 6 && self.fraction.len() == self.exponent)
            .then(|| format!("{}{}", self.whole, self.fraction))
    }
}

/// Drops the `.0` or `,00` of a number that went through a column of amounts. Taken for
/// punctuation, it would add digits.
fn without_fraction(text: &str) -> &str {
    let Some((whole, fraction)) = text.rsplit_once(['.', ',']) else {
        return text;
    };
    let point = text.as_bytes()[whole.len()];
    let thousands = if point == b'.' { ',' } else { '.' };
    let digits = whole.strip_prefix('+').unwrap_or(whole);
    let is_amount = (digits.len() > 6 && all_digits(digits)) || is_in_thousands(digits, thousands);
    if matches!(fraction, "0" | "00") && is_amount {
        whole
    } else {
        text
    }
}

/// Whether the number is written in groups of three, as in `393,471,234,567`.
fn is_in_thousands(text: &str, separator: char) -> bool {
    let mut groups = text.split(separator);
    let first = groups.next().unwrap_or_default();
    let mut others = 0;
    (1..=3).contains(&first.len())
        && all_digits(first)
        && groups.all(|group| {
            others += 1;
            group.len() == 3 && all_digits(group)
        })
        && others >= 2
}

/// Whether the text is a day, perhaps with a time: `2026-03-01`, `1.3.2026`, `03/01/2026 0:00`.
fn is_date(text: &str) -> bool {
    let (day, time) = text.split_once([' ', 'T']).unwrap_or((text, "0:00"));
    if !time.contains(':') {
        return false;
    }
    ['-', '/', '.'].into_iter().any(|separator| {
        let parts: Vec<&str> = day.split(separator).take(4).collect();
        let [one, two, three] = parts[..] else {
            return false;
        };
        let is_year = |part: &str| part.len() == 4 && matches!(number(part), Some(1900..=2099));
        let is_day = |part: &str| part.len() <= 2 && matches!(number(part), Some(1..=31));
        is_day(two) && ((is_year(one) && is_day(three)) || (is_day(one) && is_year(three)))
    })
}

fn number(text: &str) -> Option<u16> {
    all_digits(text).then(|| text.parse().ok()).flatten()
}

/// Whether the text is what a formula shows that failed, such as `#N/A` or `#REF!`.
fn is_error(text: &str) -> bool {
    let Some(name) = text.strip_prefix('#') else {
        return false;
    };
    let is_name = |c: char| c.is_uppercase() || matches!(c, '/' | '!' | '?' | '0' | '_' | '#');
    !name.is_empty() && name.chars().all(is_name)
}

fn all_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}
