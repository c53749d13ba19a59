//! Exclusions.

use std::collections::HashSet;
use std::ops::Bound;

use async_trait::async_trait;

use super::rows::{first_id, last_id};
use super::{MemoryUnitOfWork, cursor, page_of, require};
use crate::company::Company;
use crate::exclusion::Exclusion;
use crate::phone_number::PhoneNumber;
use crate::ports::{ExclusionRepository, Page, PageRequest, StorageError};

impl MemoryUnitOfWork {
    /// The exclusions of that number: one at most, but for the platform.
    fn exclusions_of(&self, phone_number: PhoneNumber) -> impl Iterator<Item = &Exclusion> {
        let exclusions = self.transaction.table::<Exclusion>();
        exclusions
            .range((phone_number, first_id())..)
            .take_while(move |row| row.phone_number == phone_number)
            .filter(|row| self.sees(row.company_id))
    }
}

#[async_trait]
impl ExclusionRepository for MemoryUnitOfWork {
    async fn insert(&mut self, exclusion: &Exclusion) -> Result<bool, StorageError> {
        self.may_write(exclusion.company_id)?;
        let company_exists = self.transaction.has::<Company>(&exclusion.company_id);
        require(company_exists, "the company does not exist")?;
        let key = (exclusion.phone_number, exclusion.company_id);
        let is_new = !self.transaction.has::<Exclusion>(&key);
        if is_new {
            self.transaction.put(exclusion.clone());
        }
        Ok(is_new)
    }

    async fn get(&mut self, phone_number: &PhoneNumber) -> Result<Option<Exclusion>, StorageError> {
        Ok(self.exclusions_of(*phone_number).next().cloned())
    }

    async fn among(
        &mut self,
        phone_numbers: &[PhoneNumber],
    ) -> Result<HashSet<PhoneNumber>, StorageError> {
        let is_excluded = |number: &&PhoneNumber| self.exclusions_of(**number).next().is_some();
        Ok(phone_numbers.iter().filter(is_excluded).copied().collect())
    }

    async fn delete(&mut self, phone_number: &PhoneNumber) -> Result<bool, StorageError> {
        let rows: Vec<Exclusion> = self.exclusions_of(*phone_number).cloned().collect();
        for row in &rows {
            self.transaction
                .remove::<Exclusion>((row.phone_number, row.company_id));
        }
        Ok(!rows.is_empty())
    }

    async fn list(&mut self, page: &PageRequest) -> Result<Page<Exclusion>, StorageError> {
        // The platform may see a number twice and gets the first company's only.
        let after = cursor::<PhoneNumber>(page)?;
        let rows = self.transaction.table::<Exclusion>().range((
            after.map_or(Bound::Unbounded, |number| {
                Bound::Excluded((number, last_id()))
            }),
            Bound::Unbounded,
        ));
        let mut last = None;
        let rows = rows.filter(|row| {
            self.sees(row.company_id) && last.replace(row.phone_number) != Some(row.phone_number)
        });
        Ok(page_of(rows, page, |row| row.phone_number.to_string()))
    }
}
