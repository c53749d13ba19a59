//! Exports: who has asked for which files, and the contents of those that are fetched later.

use async_trait::async_trait;

use super::storage::{Page, PageRequest, StorageError};
use crate::export::Export;
use crate::id::{CampaignId, ExportId};
use crate::time::Timestamp;

/// Exports with their contents, which are kept in pieces so that none is held in memory as a whole.
/// They go with their campaign.
#[async_trait]
pub trait ExportRepository: Send {
    /// Adds an export.
    async fn insert(&mut self, export: &Export) -> Result<(), StorageError>;
    /// Looks an export up. A link names no company, so it is looked up in the platform's scope.
    async fn get(&mut self, id: ExportId) -> Result<Option<Export>, StorageError>;
    /// The exports of a campaign, newest first.
    async fn list(
        &mut self,
        campaign_id: CampaignId,
        page: &PageRequest,
    ) -> Result<Page<Export>, StorageError>;
    /// How many exports of a campaign wait or are being written.
    async fn count_open(&mut self, campaign_id: CampaignId) -> Result<u64, StorageError>;
    /// Begins an export that waits, or that was begun and of which nothing was heard until its lease
    /// ran out, and returns it as it is then ([`Export::begun`]); what was written of it is removed.
    /// No two callers get the same one. Needs the platform's scope.
    ///
    /// Companies take turns: first comes the one of whose exports the fewest are being written, among
    /// those the one that has not had one finished for the longest time; of a company the oldest.
    async fn claim(
        &mut self,
        now: Timestamp,
        lease_until: Timestamp,
    ) -> Result<Option<Export>, StorageError>;
    /// Writes back how far the export has come. A conflict if it has ended, was begun anew, or is
    /// gone: then nothing more is to be written of this run.
    async fn update(&mut self, export: &Export) -> Result<(), StorageError>;
    /// Adds the next piece of the contents, of which there were `export.pieces` before.
    async fn add_piece(&mut self, export: &Export, content: &[u8]) -> Result<(), StorageError>;
    /// A piece of the contents; the first is number 0.
    async fn piece(&mut self, id: ExportId, number: u32) -> Result<Option<Vec<u8>>, StorageError>;
    /// Counts that the contents were asked for at `at`; nothing for an export that does not exist.
    async fn note_fetch(&mut self, id: ExportId, at: Timestamp) -> Result<(), StorageError>;
    /// Removes the contents.
    async fn remove_pieces(&mut self, id: ExportId) -> Result<(), StorageError>;
    /// Takes back what exports of these campaigns keep of people, because somebody is forgotten: each
    /// becomes what [`Export::withdrawn`] says, and the contents of those that change are removed.
    /// Returns how many files were begun anew or have expired by it. An export that is inserted
    /// meanwhile is begun after the end of the unit of work. Needs a company's scope.
    async fn withdraw(&mut self, campaigns: &[CampaignId]) -> Result<u64, StorageError>;
    /// Removes the contents of exports that have expired, of the one that did so first, and returns
    /// whether there was one; it is [`Export::expired`] then. Needs the platform's scope.
    async fn expire_one(&mut self, now: Timestamp) -> Result<bool, StorageError>;
}
