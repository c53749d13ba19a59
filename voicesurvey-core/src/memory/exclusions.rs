//! Exclusions.

use std::collections::HashSet;
use std::ops::Bound;

use async_trait::async_trait;

use super::rows::last_id;
use super::table::Transaction;
use super::{MemoryUnitOfWork, conflict, cursor, page_of, require};
use crate::company::Company;
use crate::exclusion::{ExcludedBy, Exclusion, ExclusionRemoval};
use crate::id::{CompanyId, ExclusionRemovalId};
use crate::phone_number::PhoneNumber;
use crate::ports::{ExclusionFilter, ExclusionRepository, Page, PageRequest, Scope, StorageError};

impl Transaction {
    /// Why that company must not call the number.
    pub(super) fn excluded_by(
        &self,
        company_id: CompanyId,
        number: PhoneNumber,
    ) -> Option<ExcludedBy> {
        if self.has::<Exclusion>(&(number, Some(company_id))) {
            Some(ExcludedBy::Company)
        } else {
            self.excluded_by_operator(number)
        }
    }

    fn excluded_by_operator(&self, number: PhoneNumber) -> Option<ExcludedBy> {
        let is_listed = self.has::<Exclusion>(&(number, None));
        is_listed.then_some(ExcludedBy::Operator)
    }
}

impl MemoryUnitOfWork {
    /// Whose list the scope keeps.
    fn own_list(&self) -> Option<CompanyId> {
        match self.scope {
            Scope::Company(company_id) => Some(company_id),
            Scope::Platform => None,
        }
    }

    /// Which list the number is on, of those that the scope's company must heed.
    fn bar(&self, number: PhoneNumber) -> Option<ExcludedBy> {
        match self.own_list() {
            Some(company_id) => self.transaction.excluded_by(company_id, number),
            None => self.transaction.excluded_by_operator(number),
        }
    }

    /// Those of the numbers that the scope's company has erased.
    fn erased(&self, numbers: &[PhoneNumber]) -> Result<HashSet<PhoneNumber>, StorageError> {
        let Some(company_id) = self.own_list() else {
            return Ok(HashSet::new());
        };
        let erased = self.erased_among(company_id, numbers)?.into_iter();
        Ok(erased.map(|(number, _)| number).collect())
    }

    /// Refuses the list of another company, of none that exists, and the operator's to a company.
    fn may_write_list(&self, list: Option<CompanyId>) -> Result<(), StorageError> {
        let Some(company_id) = list else {
            let is_operator = self.scope == Scope::Platform;
            return require(is_operator, "the list is the operator's");
        };
        self.may_write(company_id)?;
        let exists = self.transaction.has::<Company>(&company_id);
        require(exists, "the company does not exist")
    }
}

#[async_trait]
impl ExclusionRepository for MemoryUnitOfWork {
    async fn insert(&mut self, exclusion: &Exclusion) -> Result<bool, StorageError> {
        self.may_write_list(exclusion.company_id)?;
        let key = (exclusion.phone_number, exclusion.company_id);
        let is_erased =
            exclusion.company_id.is_some() && !self.erased(&[exclusion.phone_number])?.is_empty();
        let is_new = !is_erased && !self.transaction.has::<Exclusion>(&key);
        if is_new {
            self.transaction.put(exclusion.clone());
        }
        Ok(is_new)
    }

    async fn get(&mut self, phone_number: &PhoneNumber) -> Result<Option<Exclusion>, StorageError> {
        let key = (*phone_number, self.own_list());
        Ok(self.transaction.get::<Exclusion>(&key).cloned())
    }

    async fn excluded_by(
        &mut self,
        phone_number: &PhoneNumber,
    ) -> Result<Option<ExcludedBy>, StorageError> {
        let is_erased = !self.erased(&[*phone_number])?.is_empty();
        let bar = self.bar(*phone_number);
        Ok(bar.or(is_erased.then_some(ExcludedBy::Erasure)))
    }

    async fn among(
        &mut self,
        phone_numbers: &[PhoneNumber],
    ) -> Result<HashSet<PhoneNumber>, StorageError> {
        let is_excluded = |number: &&PhoneNumber| self.bar(**number).is_some();
        let excluded = phone_numbers.iter().filter(is_excluded).copied();
        Ok(excluded.chain(self.erased(phone_numbers)?).collect())
    }

    async fn delete(&mut self, phone_number: &PhoneNumber) -> Result<bool, StorageError> {
        let key = (*phone_number, self.own_list());
        Ok(self.transaction.remove::<Exclusion>(key))
    }

    async fn list(
        &mut self,
        filter: &ExclusionFilter,
        page: &PageRequest,
    ) -> Result<Page<Exclusion>, StorageError> {
        let after = cursor::<PhoneNumber>(page)?;
        let rows = self.transaction.table::<Exclusion>().range((
            after.map_or(Bound::Unbounded, |number| {
                Bound::Excluded((number, Some(last_id())))
            }),
            Bound::Unbounded,
        ));
        let list = self.own_list();
        let text = filter.text.as_deref().unwrap_or_default();
        let rows = rows.filter(|row| {
            row.company_id == list
                && filter.source.is_none_or(|source| row.source == source)
                && row.phone_number.as_str().contains(text)
        });
        Ok(page_of(rows, page, |row| row.phone_number.to_string()))
    }

    async fn insert_removal(&mut self, removal: &ExclusionRemoval) -> Result<(), StorageError> {
        self.may_write_list(removal.exclusion.company_id)?;
        if self.transaction.has::<ExclusionRemoval>(&removal.id) {
            return Err(conflict("the removal is kept already"));
        }
        self.transaction.put(removal.clone());
        Ok(())
    }

    async fn removals(
        &mut self,
        page: &PageRequest,
    ) -> Result<Page<ExclusionRemoval>, StorageError> {
        let before = cursor::<ExclusionRemovalId>(page)?;
        let rows = self.transaction.table::<ExclusionRemoval>().range((
            Bound::Unbounded,
            before.map_or(Bound::Unbounded, Bound::Excluded),
        ));
        let list = self.own_list();
        let rows = rows.rev().filter(|row| row.exclusion.company_id == list);
        Ok(page_of(rows, page, |row| row.id.to_string()))
    }
}
