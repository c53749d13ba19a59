//! The repository of uploads, with the rows that were not taken.

use async_trait::async_trait;

use super::storage::{Page, PageRequest, StorageError};
use crate::call_list::{RowError, Upload};
use crate::id::{CampaignId, UploadId};

/// Uploads of call lists.
#[async_trait]
pub trait CallListRepository: Send {
    /// Adds an upload.
    async fn insert(&mut self, upload: &Upload) -> Result<(), StorageError>;
    /// Looks an upload up.
    async fn get(&mut self, id: UploadId) -> Result<Option<Upload>, StorageError>;
    /// The uploads of a campaign, newest first.
    async fn list(
        &mut self,
        campaign_id: CampaignId,
        page: &PageRequest,
    ) -> Result<Page<Upload>, StorageError>;
    /// Writes where an upload stands, or how it has ended, if it is stored as one that runs. `false`
    /// if it is not: then it has ended in another way, and nothing is written.
    async fn update(&mut self, upload: &Upload) -> Result<bool, StorageError>;
    /// Adds rows of a stored upload that were not taken; a row is added once.
    async fn insert_errors(
        &mut self,
        upload: &Upload,
        errors: &[RowError],
    ) -> Result<(), StorageError>;
    /// Rows of an upload that were not taken, in the order of their numbers, from behind
    /// `after_row` on.
    async fn errors(
        &mut self,
        id: UploadId,
        after_row: u64,
        at_most: u16,
    ) -> Result<Vec<RowError>, StorageError>;
    /// Takes the campaign's turn to add people, until the unit of work ends. Whoever adds a list
    /// without it waits for others that add the same numbers, or they for each other. `false` if
    /// somebody else has it and kept it for as long as the store waits.
    async fn take_turn(&mut self, campaign_id: CampaignId) -> Result<bool, StorageError>;
}
