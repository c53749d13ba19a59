//! Reads a cell that may hold more than one number of the same person.

use super::{PhoneNumber, PhoneNumberError, Region, reading};

/// What people put between numbers, from what can be nothing else to what may also stand within
/// one.
const SEPARATORS: [&[&str]; 5] = [
    &[";", "|", "\n", "\r", "\t", "•"],
    &[",", "&", "\\"],
    &[
        " e ", " o ", " oppure ", " and ", " or ", " y ", " et ", " ou ", " und ", " oder ", " и ",
        " или ",
    ],
    &[" / ", " - ", " – ", " +"],
    &["/"],
];

/// A longer cell holds something else.
const MOST_CHARACTERS: usize = 400;

/// The numbers of a cell, in their order and each once. All of it must be numbers: what else is
/// there may change which of them is meant.
pub(super) fn read(
    raw: &str,
    of_one: impl Fn(&str) -> Result<PhoneNumber, PhoneNumberError>,
) -> Result<Vec<PhoneNumber>, PhoneNumberError> {
    let error = match of_one(raw) {
        Ok(number) => return Ok(vec![number]),
        Err(error) => error,
    };
    if raw.len() > MOST_CHARACTERS {
        return Err(error);
    }
    let mut found = Found::default();
    found.read(raw, &SEPARATORS, &of_one);
    match found {
        Found { numbers, bad: 0 } if !numbers.is_empty() => Ok(numbers),
        Found { numbers, .. } if numbers.is_empty() => Err(error),
        Found { .. } => Err(PhoneNumberError::Several),
    }
}

#[derive(Default)]
struct Found {
    numbers: Vec<PhoneNumber>,
    /// Parts that are no number.
    bad: usize,
}

impl Found {
    fn read(
        &mut self,
        text: &str,
        separators: &[&[&str]],
        of_one: &impl Fn(&str) -> Result<PhoneNumber, PhoneNumberError>,
    ) {
        match of_one(text) {
            Ok(number) if self.numbers.contains(&number) => {}
            Ok(number) => self.numbers.push(number),
            Err(PhoneNumberError::Empty) => {}
            Err(_) => match separators.split_first() {
                None => self.bad += 1,
                Some((these, weaker)) => {
                    for part in parts(text, these) {
                        self.read(part, weaker, of_one);
                    }
                }
            },
        }
    }
}

/// The text divided at each of the separators. A plus sign that divides stays with its number.
fn parts<'a>(text: &'a str, separators: &[&str]) -> Vec<&'a str> {
    let mut parts = Vec::new();
    let mut start = 0;
    let mut place = 0;
    while let Some(character) = text[place..].chars().next() {
        let rest = &text[place..];
        match separators
            .iter()
            .find(|separator| rest.starts_with(**separator))
        {
            Some(separator) => {
                parts.push(&text[start..place]);
                let kept = usize::from(separator.ends_with('+'));
                start = place + separator.len() - kept;
                place += separator.len();
            }
            None => place += character.len_utf8(),
        }
    }
    parts.push(&text[start..]);
    parts
}

/// Reads a cell in which zeros at the beginning may be lost, if `is_numeric` says so.
pub(super) fn read_cell(
    raw: &str,
    region: Region,
    is_numeric: bool,
) -> Result<Vec<PhoneNumber>, PhoneNumberError> {
    read(raw, |text| {
        if is_numeric {
            reading::read_numeric(text, region)
        } else {
            reading::read(text, region)
        }
    })
}
