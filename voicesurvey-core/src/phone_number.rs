//! Phone numbers, in the one form in which they are compared, stored and dialed.
//!
//! The guarantee: a [`PhoneNumber`] is E.164 (`+` and at most 15 digits) or
//! [nobody's](PhoneNumber::is_nobodys), so that two spellings of one number are equal and an
//! exclusion cannot be missed because of a bracket. What people type is read by
//! [`PhoneNumber::parse`], which asks libphonenumber's numbering plans and refuses rather than
//! guesses: a wrong guess rings a stranger.
//!
//! ```
//! use voicesurvey_core::phone_number::{PhoneNumber, PhoneNumberError, Region};
//!
//! let number = PhoneNumber::parse("(0039) 347/123-4567", Region::IT)?;
//! assert_eq!(number.to_string(), "+393471234567");
//! // Italian mobiles may begin with 39, which is also Italy's country code.
//! let number = PhoneNumber::parse("391 123 4567", Region::IT)?;
//! assert_eq!(number.to_string(), "+393911234567");
//! // A log shows enough to tell two numbers apart, and no more.
//! assert_eq!(format!("{number:?}"), "PhoneNumber(…67)");
//! // What a spreadsheet made of +393471234567: the digits are gone, whatever region is assumed.
//! assert_eq!(PhoneNumber::parse("3.93471E+11", Region::IT), Err(PhoneNumberError::LostDigits));
//! # Ok::<(), PhoneNumberError>(())
//! ```

mod reading;
mod region;
mod several;
mod spreadsheet;
mod zones;

use std::fmt;
use std::str::FromStr;

use rlibphonenumber::PHONE_NUMBER_UTIL;
use serde::{Deserialize, Serialize};

pub use self::region::{Region, UnknownRegion};
use crate::time_zone::TimeZone;

/// A phone number in E.164 form, such as `+393471234567`.
///
/// Sorts as its text does.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PhoneNumber {
    /// A plus sign, 7 to 15 ASCII digits of which the first is not 0 (up to [`MOST_DIGITS`] if the
    /// number is nobody's), and zero bytes to the end.
    text: [u8; 1 + MOST_DIGITS],
}

/// What numbers begin with that nobody has: no country has this calling code.
const OF_NOBODY: &str = "+999";

/// As many digits as the longest number that nobody has: 999 and the 39 digits of an identifier.
const MOST_DIGITS: usize = 42;

/// Why a text is not a phone number that can be dialed.
///
/// The messages read well after `Row 6: ` and do not contain the number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum PhoneNumberError {
    /// Nothing is there, or only punctuation.
    #[error("Empty phone number")]
    Empty,
    /// The scientific notation that spreadsheets make of long numbers.
    #[error(
        "Phone number lost digits in a spreadsheet: format the column as text and export it again"
    )]
    LostDigits,
    /// A spreadsheet takes `12/3-2026` for a day, and some lists have days in the wrong column.
    #[error(
        "Phone number is a date: if a spreadsheet has made it of a number, format the column as \
         text and enter the number again"
    )]
    Date,
    /// What a spreadsheet shows where a formula failed, such as `#N/A`.
    #[error("Phone number is the error of a formula: put the number itself in its place")]
    FormulaError,
    /// Several numbers, or parts of such, of which at least one is not clear.
    #[error("Phone number is one of several, and not all can be read: leave one in the cell")]
    Several,
    /// Also vanity numbers such as 1-800-FLOWERS.
    #[error("Phone number contains letters")]
    Letters,
    /// A character that numbers are not written with, or a plus sign in the middle.
    #[error("Phone number contains '{0}'")]
    UnexpectedCharacter(char),
    /// The number would be answered by a switchboard.
    #[error("Phone number has an extension, which cannot be dialed")]
    Extension,
    /// No country has this calling code.
    #[error("Phone number has an unknown country code")]
    UnknownCountryCode,
    /// It would exist if it began with a country code, but nothing says that it does.
    #[error(
        "Phone number does not exist in the country of the list; if it begins with a country \
         code, put + before it"
    )]
    MissingPlus,
    /// Fewer digits than any number of its country, or no area code.
    #[error("Phone number is too short")]
    TooShort,
    /// More digits than any number of its country.
    #[error("Phone number is too long")]
    TooLong,
    /// A number of digits that its country does not use, though it has shorter and longer ones.
    #[error("Phone number has the wrong number of digits for its country")]
    WrongLength,
    /// The numbering plan of its country has no such number.
    #[error("Phone number does not exist in its country's numbering plan")]
    NotInPlan,
    /// What should have been stored as E.164 is not.
    #[error("Phone number is not written as + and 7 to 15 digits (E.164)")]
    NotE164,
}

impl PhoneNumber {
    /// A number that nobody has, because no country has its calling code: it tells neither a region
    /// nor a time zone, and cannot be dialed.
    pub const NOBODYS: Self = {
        let (number, mut text) = (*b"+9990000000", [0; 1 + MOST_DIGITS]);
        let mut place = 0;
        while place < number.len() {
            text[place] = number[place];
            place += 1;
        }
        Self { text }
    };

    /// The number that stands where a person's was erased. Different seeds give different numbers, so
    /// those made of identifiers are as different as these, however many there are.
    pub fn of_nobody(seed: u128) -> Self {
        let mut text = [0; 1 + MOST_DIGITS];
        let mut digits = seed;
        for place in text.iter_mut().rev() {
            // OK because a remainder of ten is a digit.
            *place = b'0' + u8::try_from(digits % 10).unwrap_or(0);
            digits /= 10;
        }
        // OK because a seed has at most 39 digits, and these stand behind it.
        text[..OF_NOBODY.len()].copy_from_slice(OF_NOBODY.as_bytes());
        Self { text }
    }

    /// Whether nobody has the number, because no country has its calling code, +999: it stands for
    /// somebody who was erased, or who is only made up.
    pub fn is_nobodys(&self) -> bool {
        self.text.starts_with(OF_NOBODY.as_bytes())
    }

    /// Reads a number as people and files write it.
    ///
    /// A number without country code is one of `default_region`. Spaces, brackets, dashes, dots
    /// and slashes do not matter; `00` is read as `+` in every region.
    pub fn parse(raw: &str, default_region: Region) -> Result<Self, PhoneNumberError> {
        reading::read(raw, default_region)
    }

    /// Reads the numbers of a cell, which belong to one person: the first is the one to be dialed.
    ///
    /// `is_numeric` says that the cell was one of numbers and not of text, so that a zero at the
    /// beginning is lost; it is put back in regions where it is part of the number, as in Italy.
    /// A cell in which not everything is a number is refused.
    ///
    /// ```
    /// use voicesurvey_core::phone_number::{PhoneNumber, PhoneNumberError, Region};
    ///
    /// let numbers = PhoneNumber::parse_cell("06 12345678 / 347 1234567", Region::IT, false)?;
    /// assert_eq!(numbers.len(), 2);
    /// assert_eq!(numbers[1].as_str(), "+393471234567");
    /// // What Excel keeps of 06 12345678.
    /// assert_eq!(PhoneNumber::parse_cell("612345678", Region::IT, true)?, numbers[..1]);
    /// // The last digit is 7 or 8.
    /// let unclear = PhoneNumber::parse_cell("030 1234567/8", Region::DE, false);
    /// assert_eq!(unclear, Err(PhoneNumberError::Several));
    /// # Ok::<(), PhoneNumberError>(())
    /// ```
    pub fn parse_cell(
        raw: &str,
        default_region: Region,
        is_numeric: bool,
    ) -> Result<Vec<Self>, PhoneNumberError> {
        several::read_cell(raw, default_region, is_numeric)
    }

    /// The number as `+` and digits.
    pub fn as_str(&self) -> &str {
        let length = self
            .text
            .iter()
            .position(|byte| *byte == 0)
            .unwrap_or(self.text.len());
        // OK because there are only ASCII characters in it.
        str::from_utf8(&self.text[..length]).unwrap_or_default()
    }

    /// The region whose number this is. `None` for international services such as +800, and for
    /// numbers that have left their country's plan since they were stored.
    pub fn region(&self) -> Option<Region> {
        PHONE_NUMBER_UTIL
            .get_region_for_number(&self.plan_number()?)
            .and_then(Region::supported)
    }

    /// The time zones in which a person with this number may be, as far as the number tells.
    ///
    /// Empty when it tells nothing: then the number must not be dialed without a zone from
    /// elsewhere. People move and keep their numbers, so this is a best guess, not a proof.
    ///
    /// ```
    /// use voicesurvey_core::phone_number::{PhoneNumber, PhoneNumberError};
    ///
    /// // A Russian mobile may be anywhere between Kaliningrad and Kamchatka.
    /// let number: PhoneNumber = "+79991234567".parse()?;
    /// assert_eq!(number.time_zones().len(), 14);
    /// # Ok::<(), PhoneNumberError>(())
    /// ```
    pub fn time_zones(&self) -> Vec<TimeZone> {
        self.plan_number()
            .map(|number| zones::of(self, &number))
            .unwrap_or_default()
    }

    /// The digits that all ways of writing the number share: those of its country's plan, without
    /// country code and leading zeros. If they are so few that other numbers have them too, the
    /// country code is left before them.
    ///
    /// ```
    /// # use voicesurvey_core::phone_number::{PhoneNumber, PhoneNumberError};
    /// let number: PhoneNumber = "+390612345678".parse()?;
    /// assert_eq!(number.shared_digits(), "612345678");
    /// # Ok::<(), PhoneNumberError>(())
    /// ```
    pub fn shared_digits(&self) -> String {
        const FEWEST: usize = 7;
        let number = self.plan_number();
        let digits = number.map(|number| number.get_national_significant_number());
        let digits = digits.unwrap_or_default();
        let digits = digits.trim_start_matches('0');
        if digits.len() < FEWEST {
            self.digits().to_owned()
        } else {
            digits.to_owned()
        }
    }

    fn plan_number(&self) -> Option<rlibphonenumber::PhoneNumber> {
        PHONE_NUMBER_UTIL.parse(self.as_str(), None).ok()
    }

    fn digits(&self) -> &str {
        self.as_str().trim_start_matches('+')
    }
}

impl FromStr for PhoneNumber {
    type Err = PhoneNumberError;

    /// Reads exactly the E.164 form, as a store or another service gives it.
    ///
    /// The numbering plan is not asked: plans change, and what was stored must stay readable.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = text.strip_prefix('+').unwrap_or_default().as_bytes();
        let most = if text.starts_with(OF_NOBODY) {
            MOST_DIGITS
        } else {
            15
        };
        let well_formed = (7..=most).contains(&digits.len())
            && digits.iter().all(u8::is_ascii_digit)
            && digits.first() != Some(&b'0');
        if !well_formed {
            return Err(PhoneNumberError::NotE164);
        }
        let mut bytes = [0; 1 + MOST_DIGITS];
        bytes[..text.len()].copy_from_slice(text.as_bytes());
        Ok(Self { text: bytes })
    }
}

impl TryFrom<String> for PhoneNumber {
    type Error = PhoneNumberError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<PhoneNumber> for String {
    fn from(number: PhoneNumber) -> Self {
        number.as_str().to_owned()
    }
}

impl fmt::Display for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.digits();
        write!(
            f,
            "PhoneNumber(…{})",
            &digits[digits.len().saturating_sub(2)..]
        )
    }
}

#[cfg(test)]
mod tests;
