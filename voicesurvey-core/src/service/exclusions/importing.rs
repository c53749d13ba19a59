//! Exclusions from a file.
//!
//! The file is read to its end before anybody is excluded, and then taken batch by batch, so memory
//! grows by the numbers only. Every number of a row is excluded, also those in further cells.

use async_trait::async_trait;

use super::reading::{NumberReader, note};
use super::{Excluded, Exclusions, Keeper};
use crate::api_key::Role;
use crate::call_list::{
    CallListRows, CallListSource, RowError, RowNumbers, UnreadableCallList, clean,
};
use crate::exclusion::ExclusionSource;
use crate::phone_number::{PhoneNumber, Region};
use crate::ports::StorageError;
use crate::service::campaigns::uploading::SeenNumbers;
use crate::service::error::ServiceError;
use crate::service::validation;

/// What became of an imported list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImportedExclusions {
    /// The file's header, for the error file; as long as the longest row with an error.
    pub columns: Vec<String>,
    /// Rows of the file, without the header.
    pub total_rows: u64,
    /// Rows whose numbers all stood further up.
    pub duplicates: u64,
    /// What became of the numbers.
    pub excluded: Excluded,
    /// Rows with a cell that could not be read.
    pub errors_count: u64,
    /// Of the operator's list: the numbers, for [`Exclusions::end_everywhere`].
    pub to_end: Vec<PhoneNumber>,
}

/// Keeps the rows of an import that could not be read, in the order of the file.
#[async_trait]
pub trait RefusedRows: Send {
    /// Keeps some more.
    async fn keep(&mut self, errors: Vec<RowError>) -> Result<(), StorageError>;
}

#[async_trait]
impl RefusedRows for Vec<RowError> {
    async fn keep(&mut self, errors: Vec<RowError>) -> Result<(), StorageError> {
        self.extend(errors);
        Ok(())
    }
}

impl Exclusions {
    /// Excludes the numbers of a file. Rows without a number that can be read go to `refused`, and the
    /// others are taken; of a row with several numbers all that can be read. A file that cannot be
    /// read to its end excludes nobody. Needs the role manager.
    ///
    /// The operator's list holds from then on, and what waits is still to be ended by
    /// [`Exclusions::end_everywhere`], which takes the longer the more companies there are.
    pub async fn import(
        &self,
        keeper: &Keeper,
        list: &dyn CallListSource,
        region: Option<Region>,
        reason: Option<String>,
        refused: &mut dyn RefusedRows,
    ) -> Result<ImportedExclusions, ServiceError> {
        keeper.must_be(Role::Manager)?;
        let mut work = self.storage.begin(keeper.scope()).await?;
        let region = NumberReader::of(&mut *work, keeper, region).await?.region();
        drop(work);
        let mut errors = Vec::new();
        let note = note("reason", reason, &mut errors);
        validation::finish(errors)?;
        let mut rows = list.open_numbers(region).await.map_err(unreadable)?;
        while !rows.next().await.map_err(unreadable)?.is_empty() {}
        let mut rows = list.open_numbers(region).await.map_err(unreadable)?;
        let mut imported = ImportedExclusions {
            columns: rows.columns().iter().map(|name| clean(name)).collect(),
            ..ImportedExclusions::default()
        };
        let mut seen = SeenNumbers::default();
        while let Some((numbers, errors)) = imported.take(&mut *rows, &mut seen).await? {
            refused.keep(errors).await?;
            if *keeper == Keeper::Operator {
                imported.to_end.extend_from_slice(&numbers);
            }
            let done = self.exclude(keeper, numbers, ExclusionSource::Import, note.clone());
            imported.excluded.add(done.await?);
        }
        Ok(imported)
    }

    /// Ends what waits for numbers of the operator's list, in one company after the other. Twice does
    /// no harm; what is not ended here ends undialed when its turn comes.
    pub async fn end_everywhere(&self, numbers: &[PhoneNumber]) -> Result<Excluded, StorageError> {
        self.batches.end_everywhere(numbers).await
    }
}

impl ImportedExclusions {
    /// Counts the next rows: their numbers that are new, and the errors. `None` at the end.
    async fn take(
        &mut self,
        rows: &mut dyn CallListRows<RowNumbers>,
        seen: &mut SeenNumbers,
    ) -> Result<Option<(Vec<PhoneNumber>, Vec<RowError>)>, ServiceError> {
        let some = rows.next().await.map_err(unreadable)?;
        if some.is_empty() {
            return Ok(None);
        }
        self.total_rows += some.len() as u64;
        let (mut numbers, mut errors) = (Vec::new(), Vec::new());
        for row in some {
            let before = numbers.len();
            numbers.extend(row.numbers.into_iter().filter(|number| seen.insert(number)));
            match row.error {
                Some(error) => {
                    let width = self.columns.len().max(error.original.len());
                    self.columns.resize(width, String::new());
                    errors.push(error);
                }
                None if numbers.len() == before => self.duplicates += 1,
                None => {}
            }
        }
        self.errors_count += errors.len() as u64;
        Ok(Some((numbers, errors)))
    }
}

fn unreadable(error: UnreadableCallList) -> ServiceError {
    ServiceError::invalid("file", error.0)
}
