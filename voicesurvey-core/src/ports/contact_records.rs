//! The stream of records that results, rates and files are made of.

use async_trait::async_trait;

use super::storage::{Page, PageRequest, StorageError};
use crate::campaign::Campaign;
use crate::contact_record::{ContactFilter, ContactRecord, RecordParts};

/// Everything that a campaign knows of its people, person by person.
#[async_trait]
pub trait ContactRecordRepository: Send {
    /// The records of those whom the filter wants, in the order in which their tasks were created:
    /// that order stays, whatever happens to them meanwhile, so following the pages meets everybody
    /// once who was there at the beginning.
    ///
    /// A page is read by as many statements however many records it has. It is not one instant: what
    /// happens while it is read may be seen in one part of a record and not in another. None for a
    /// campaign of another company (I11).
    async fn list(
        &mut self,
        campaign: &Campaign,
        filter: &ContactFilter,
        parts: RecordParts,
        page: &PageRequest,
    ) -> Result<Page<ContactRecord>, StorageError>;

    /// The names of the columns that call lists gave to any of its people, besides those that every
    /// list has, in the order of the alphabet. None for a campaign of another company (I11).
    async fn columns(&mut self, campaign: &Campaign) -> Result<Vec<String>, StorageError>;
}
