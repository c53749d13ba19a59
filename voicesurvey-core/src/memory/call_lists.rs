//! Uploads of call lists, with the rows that were not taken.

use std::ops::Bound;

use async_trait::async_trait;

use super::rows::UploadError;
use super::{MemoryUnitOfWork, cursor, page_of, require};
use crate::call_list::{RowError, Upload, UploadStatus};
use crate::id::{CampaignId, UploadId};
use crate::ports::{CallListRepository, Page, PageRequest, StorageError};

#[async_trait]
impl CallListRepository for MemoryUnitOfWork {
    async fn insert(&mut self, upload: &Upload) -> Result<(), StorageError> {
        self.may_write(upload.company_id)?;
        self.transaction
            .require_campaign(upload.campaign_id, upload.company_id)?;
        require(
            !self.transaction.has::<Upload>(&upload.id),
            "the upload exists",
        )?;
        self.transaction.put(upload.clone());
        Ok(())
    }

    async fn get(&mut self, id: UploadId) -> Result<Option<Upload>, StorageError> {
        let upload = self.transaction.get::<Upload>(&id);
        Ok(upload
            .filter(|upload| self.sees(upload.company_id))
            .cloned())
    }

    async fn list(
        &mut self,
        campaign_id: CampaignId,
        page: &PageRequest,
    ) -> Result<Page<Upload>, StorageError> {
        let before = cursor::<UploadId>(page)?.map_or(Bound::Unbounded, Bound::Excluded);
        let uploads = self.transaction.table::<Upload>();
        let rows = uploads.range((Bound::Unbounded, before)).rev();
        let rows = rows.filter(|row| row.campaign_id == campaign_id && self.sees(row.company_id));
        Ok(page_of(rows, page, |row| row.id.to_string()))
    }

    async fn update(&mut self, upload: &Upload) -> Result<bool, StorageError> {
        self.may_write(upload.company_id)?;
        let stored = self.transaction.get::<Upload>(&upload.id);
        let runs = stored.is_some_and(|stored| {
            stored.company_id == upload.company_id && stored.status == UploadStatus::Running
        });
        if runs {
            self.transaction.put(upload.clone());
        }
        Ok(runs)
    }

    async fn insert_errors(
        &mut self,
        upload: &Upload,
        errors: &[RowError],
    ) -> Result<(), StorageError> {
        self.may_write(upload.company_id)?;
        let stored = self.transaction.get::<Upload>(&upload.id);
        require(
            stored.is_some_and(|stored| stored.company_id == upload.company_id),
            "the upload does not exist",
        )?;
        for error in errors {
            require(
                !self.transaction.has::<UploadError>(&(upload.id, error.row)),
                "the row was added before",
            )?;
            self.transaction.put(UploadError {
                upload_id: upload.id,
                error: error.clone(),
            });
        }
        Ok(())
    }

    async fn errors(
        &mut self,
        id: UploadId,
        after_row: u64,
        at_most: u16,
    ) -> Result<Vec<RowError>, StorageError> {
        if CallListRepository::get(self, id).await?.is_none() {
            return Ok(Vec::new());
        }
        let rows = self.transaction.table::<UploadError>();
        let rows = rows.after(Some((id, after_row)));
        let rows = rows.take_while(|row| row.upload_id == id);
        Ok(rows
            .take(at_most.into())
            .map(|row| row.error.clone())
            .collect())
    }

    /// Units of work are one after another anyway.
    async fn take_turn(&mut self, _: CampaignId) -> Result<bool, StorageError> {
        Ok(true)
    }
}
