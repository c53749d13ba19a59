//! People whom the company has erased, and whom somebody uploads again.
//!
//! Nothing of their rows is kept: not the number, and not what stands beside it. That they must not
//! be called is known by the hashes of their numbers.

use std::collections::HashSet;

use crate::call_list::{Contact, RowError};
use crate::phone_number::{PhoneNumber, Region};
use crate::ports::{StorageError, UnitOfWork};

/// Whom the company had erased when its list began to be read.
#[derive(Debug)]
pub(super) struct ErasedPeople {
    /// In which the numbers of rows that are not taken are read.
    region: Region,
    /// How many there were; `None` as long as nobody has asked.
    count: Option<u64>,
}

impl ErasedPeople {
    /// Of a list whose numbers without a country code are read in `region`.
    pub(super) const fn new(region: Region) -> Self {
        Self {
            region,
            count: None,
        }
    }

    /// Takes their rows out, those too that would not be taken and in one of whose cells such a
    /// number stands, and returns how many these were. Where it is a further number of somebody else's,
    /// only that number is taken out.
    pub(super) async fn take_out(
        &mut self,
        work: &mut dyn UnitOfWork,
        contacts: &mut Vec<Contact>,
        errors: &mut Vec<RowError>,
    ) -> Result<u64, StorageError> {
        let count = match self.count {
            Some(count) => count,
            None => *self.count.insert(work.erasures().count().await?),
        };
        if count == 0 {
            return Ok(0);
        }
        let rows = contacts.len() + errors.len();
        let in_errors: Vec<Vec<PhoneNumber>> =
            errors.iter().map(|error| self.numbers(error)).collect();
        let mut numbers: Vec<PhoneNumber> = in_errors.concat();
        for contact in contacts.iter() {
            numbers.push(contact.phone_number);
            numbers.extend(contact.other_phone_numbers());
        }
        let erased = work.erasures().among(&numbers).await?;
        if erased.is_empty() {
            return Ok(0);
        }
        contacts.retain_mut(|contact| {
            contact.forget_other_phone_numbers(&erased);
            !erased.contains(&contact.phone_number)
        });
        let mut in_errors = in_errors.iter();
        errors.retain(|_| {
            let numbers = in_errors.next();
            numbers.is_none_or(|numbers| are_others(numbers, &erased))
        });
        Ok((rows - contacts.len() - errors.len()) as u64)
    }

    /// Whether the company has erased somebody since.
    pub(super) async fn are_more(&self, work: &mut dyn UnitOfWork) -> Result<bool, StorageError> {
        match self.count {
            Some(count) => Ok(work.erasures().count().await? != count),
            None => Ok(false),
        }
    }

    /// The numbers that can be read in any cell of a row that is not taken.
    fn numbers(&self, error: &RowError) -> Vec<PhoneNumber> {
        let cells = error.original.iter();
        let numbers =
            cells.filter_map(|cell| PhoneNumber::parse_cell(cell, self.region, false).ok());
        numbers.flatten().collect()
    }
}

fn are_others(numbers: &[PhoneNumber], erased: &HashSet<PhoneNumber>) -> bool {
    numbers.iter().all(|number| !erased.contains(number))
}
