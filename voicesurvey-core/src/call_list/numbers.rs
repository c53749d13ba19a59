//! The phone numbers of a row, in whichever of its cells they stand.

use super::{CallListRow, Contact, RowError, yes_no};
use crate::phone_number::{PhoneNumber, PhoneNumberError, Region};

/// A cell with phone numbers besides the one that is dialed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PhoneCell {
    /// The name of its column.
    pub column: String,
    /// What stands in it.
    pub text: String,
    /// Whether it was a cell of numbers, which cannot begin with a zero.
    pub is_numeric: bool,
}

/// A row as an upload takes it.
#[derive(Clone, Debug, PartialEq)]
pub struct ReadRow {
    /// The person to be called, or why the row is not taken.
    pub contact: Result<Contact, RowError>,
    /// The numbers that must not be called: all of the row, if it says so; also of one that is not
    /// taken.
    pub do_not_call: Vec<PhoneNumber>,
}

/// The phone numbers of a row, of somebody who is not to be called.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RowNumbers {
    /// Those that can be read, each once.
    pub numbers: Vec<PhoneNumber>,
    /// The first cell in which there may be one that cannot, or that there is none at all.
    pub error: Option<RowError>,
}

impl CallListRow {
    /// Reads the row; numbers without a country code are read in `region`.
    pub fn read(&self, region: Region) -> ReadRow {
        let do_not_call = if yes_no(&self.do_not_call) == Some(true) {
            self.numbers(Some(region)).numbers
        } else {
            Vec::new()
        };
        ReadRow {
            contact: self.contact(region),
            do_not_call,
        }
    }

    /// Every number of the row, whatever stands in its other columns. Without a region a number
    /// needs its country code.
    pub fn numbers(&self, region: Option<Region>) -> RowNumbers {
        let dialed = PhoneCell {
            column: "phone_number".to_owned(),
            text: self.phone_number.clone(),
            is_numeric: self.phone_number_is_numeric,
        };
        let mut numbers = Vec::new();
        let mut unread = Vec::new();
        for cell in std::iter::once(&dialed).chain(&self.other_phones) {
            match read_cell(cell, region) {
                Ok(found) => numbers.extend(found),
                Err(error) => unread.push((cell, error)),
            }
        }
        let mut distinct: Vec<PhoneNumber> = Vec::with_capacity(numbers.len());
        for number in numbers {
            if !distinct.contains(&number) {
                distinct.push(number);
            }
        }
        let mut unread = unread.into_iter();
        // "None" and "-" beside a number are nothing.
        let unread = unread
            .find(|(cell, _)| distinct.is_empty() || cell.text.contains(char::is_numeric))
            .map(|(cell, error)| self.error(&cell.column, &cell.text, &reason(error, region)));
        RowNumbers {
            numbers: distinct,
            error: unread,
        }
    }
}

fn read_cell(
    cell: &PhoneCell,
    region: Option<Region>,
) -> Result<Vec<PhoneNumber>, PhoneNumberError> {
    let read = |region| PhoneNumber::parse_cell(&cell.text, region, cell.is_numeric);
    match region {
        Some(region) => read(region),
        None => same_anywhere(read),
    }
}

/// What is read whatever the region: read in any, numbers with a country code are the same, and
/// others are not.
pub(crate) fn same_anywhere<T: PartialEq>(
    read: impl Fn(Region) -> Result<T, PhoneNumberError>,
) -> Result<T, PhoneNumberError> {
    let somewhere = read(Region::IT)?;
    if read(Region::GB).as_ref() == Ok(&somewhere) {
        Ok(somewhere)
    } else {
        Err(PhoneNumberError::UnknownCountryCode)
    }
}

/// What is wrong with a number that was read in that region, or in none.
pub(crate) fn reason(error: PhoneNumberError, region: Option<Region>) -> String {
    match (error, region) {
        (PhoneNumberError::UnknownCountryCode, None) => {
            "Phone number needs its country code, such as +39, or name the 'region'".to_owned()
        }
        (error, _) => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(phone_number: &str) -> CallListRow {
        CallListRow {
            row: 2,
            phone_number: phone_number.to_owned(),
            ..CallListRow::default()
        }
    }

    fn other(text: &str, is_numeric: bool) -> PhoneCell {
        PhoneCell {
            column: "Handy".to_owned(),
            text: text.to_owned(),
            is_numeric,
        }
    }

    fn texts(numbers: &[PhoneNumber]) -> Vec<&str> {
        numbers.iter().map(PhoneNumber::as_str).collect()
    }

    #[test]
    fn every_number_of_a_row_is_found_whatever_else_is_wrong_with_it() {
        let row = CallListRow {
            language: "Klingon".to_owned(),
            do_not_call: "yes".to_owned(),
            other_phones: vec![
                other("-", false),
                other("612345678", true),
                other("3471234567", true),
            ],
            ..row("347 1234567 / 06 87654321")
        };
        let all = ["+393471234567", "+390687654321", "+390612345678"];
        let found = row.numbers(Some(Region::IT));
        assert_eq!((texts(&found.numbers), found.error), (Vec::from(all), None));
        let read = row.read(Region::IT);
        assert_eq!(read.contact.unwrap_err().column, "language");
        assert_eq!(texts(&read.do_not_call), all);
        let says_nothing = CallListRow {
            do_not_call: "no".to_owned(),
            ..row
        };
        assert_eq!(says_nothing.read(Region::IT).do_not_call, []);
    }

    #[test]
    fn a_cell_that_cannot_be_read_is_named_and_the_others_count() {
        let row = CallListRow {
            other_phones: vec![other("3.93471E+11", false)],
            ..row("347 1234567")
        };
        let found = row.numbers(Some(Region::IT));
        assert_eq!(texts(&found.numbers), ["+393471234567"]);
        let error = found.error.unwrap();
        assert_eq!((&*error.column, &*error.value), ("Handy", "3.93471E+11"));
        assert!(error.reason.contains("lost digits"), "{}", error.reason);
    }

    #[test]
    fn without_a_region_a_number_needs_its_country_code() {
        let found = row("+39 347 1234567; 0044 20 7946 0018").numbers(None);
        assert_eq!(texts(&found.numbers), ["+393471234567", "+442079460018"]);
        for text in ["347 1234567", "020 7946 0018"] {
            let found = row(text).numbers(None);
            assert_eq!(found.numbers, []);
            let reason = found.error.unwrap().reason;
            assert!(reason.contains("country code"), "{text}: {reason}");
        }
        let nothing = row(" ").numbers(None).error.unwrap();
        assert_eq!(nothing.message(), "Row 2: Empty phone number");
    }
}
