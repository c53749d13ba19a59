//! The repository of exclusions: a company's list, and the operator's.

use std::collections::HashSet;

use async_trait::async_trait;

use super::storage::{Page, PageRequest, StorageError};
use crate::exclusion::{ExcludedBy, Exclusion, ExclusionRemoval, ExclusionSource};
use crate::phone_number::PhoneNumber;

/// Which exclusions are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExclusionFilter {
    /// Whose number contains these characters.
    pub text: Option<String>,
    /// Which came onto the list in this way.
    pub source: Option<ExclusionSource>,
}

/// Exclusions.
///
/// A number that was erased stands on no list and is excluded all the same: a store asks the keyed
/// hashes too, and fails where it lacks a key with which a number was erased, because nobody can say
/// then who may be called.
///
/// The scope says whose list is read and written: the company's, or in the platform's scope the
/// operator's. Whether a number may be called is another question, and both lists answer it:
/// [`excluded_by`](Self::excluded_by) and [`among`](Self::among).
#[async_trait]
pub trait ExclusionRepository: Send {
    /// Adds a number to the list that the exclusion names; one that is there already stays as it is,
    /// and one that the scope's company has erased is excluded without being on its list, and is not
    /// added. `true` if it was added. The operator's list needs the platform's scope.
    async fn insert(&mut self, exclusion: &Exclusion) -> Result<bool, StorageError>;
    /// Adds several numbers to one list, each once, and returns those that are new. To avoid
    /// deadlocks they are sorted.
    async fn insert_many(
        &mut self,
        exclusions: &[Exclusion],
    ) -> Result<HashSet<PhoneNumber>, StorageError> {
        let mut added = HashSet::new();
        for exclusion in exclusions {
            if self.insert(exclusion).await? {
                added.insert(exclusion.phone_number);
            }
        }
        Ok(added)
    }
    /// The exclusion of a number on the scope's list.
    async fn get(&mut self, phone_number: &PhoneNumber) -> Result<Option<Exclusion>, StorageError>;
    /// Why the scope's company must not call the number; `None` if it may. In the platform's scope
    /// only the operator's list is asked.
    async fn excluded_by(
        &mut self,
        phone_number: &PhoneNumber,
    ) -> Result<Option<ExcludedBy>, StorageError>;
    /// Those of the numbers that the scope's company must not call, whoever excluded them.
    async fn among(
        &mut self,
        phone_numbers: &[PhoneNumber],
    ) -> Result<HashSet<PhoneNumber>, StorageError>;
    /// Takes a number off the scope's list. `false` if it was not there.
    async fn delete(&mut self, phone_number: &PhoneNumber) -> Result<bool, StorageError>;
    /// The scope's list in the order of the numbers.
    async fn list(
        &mut self,
        filter: &ExclusionFilter,
        page: &PageRequest,
    ) -> Result<Page<Exclusion>, StorageError>;
    /// Keeps that a number was taken off its list.
    async fn insert_removal(&mut self, removal: &ExclusionRemoval) -> Result<(), StorageError>;
    /// What was taken off the scope's list, newest first.
    async fn removals(
        &mut self,
        page: &PageRequest,
    ) -> Result<Page<ExclusionRemoval>, StorageError>;
}
