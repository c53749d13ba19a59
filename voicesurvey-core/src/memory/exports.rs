//! Exports with their contents.

use async_trait::async_trait;

use super::rows::ExportPiece;
use super::table::Transaction;
use super::{MemoryUnitOfWork, cursor, page_of, require};
use crate::export::{Export, ExportState};
use crate::id::{CampaignId, ExportId};
use crate::ports::{ExportRepository, Page, PageRequest, StorageError};
use crate::time::Timestamp;

impl Transaction {
    fn remove_pieces_of(&mut self, id: ExportId) {
        self.remove_while::<ExportPiece>((id, 0), |piece| piece.export_id == id);
    }

    /// Removes the exports of a campaign.
    pub(super) fn remove_exports(&mut self, campaign_id: CampaignId) {
        let exports = self.table::<Export>().after(None);
        let exports: Vec<ExportId> = exports
            .filter(|export| export.campaign_id == campaign_id)
            .map(|export| export.id)
            .collect();
        for id in exports {
            self.remove_pieces_of(id);
            self.remove::<Export>(id);
        }
    }
}

fn may_be_claimed(export: &Export, now: Timestamp) -> bool {
    match export.state {
        ExportState::Waiting => true,
        ExportState::Running => export.lease_until.is_some_and(|until| until <= now),
        _ => false,
    }
}

/// Whether the export is still being written by whoever has that copy of it.
fn is_written_by(stored: &Export, export: &Export) -> bool {
    let is_open = match stored.state {
        ExportState::Waiting | ExportState::Running => true,
        ExportState::Streamed => stored.ended_at.is_none(),
        _ => false,
    };
    is_open && stored.run == export.run && stored.company_id == export.company_id
}

#[async_trait]
impl ExportRepository for MemoryUnitOfWork {
    async fn insert(&mut self, export: &Export) -> Result<(), StorageError> {
        self.may_write(export.company_id)?;
        let rows = &mut self.transaction;
        rows.require_campaign(export.campaign_id, export.company_id)?;
        require(!rows.has::<Export>(&export.id), "the export exists")?;
        rows.put(export.clone());
        Ok(())
    }

    async fn get(&mut self, id: ExportId) -> Result<Option<Export>, StorageError> {
        let export = self.transaction.get::<Export>(&id);
        Ok(export
            .filter(|export| self.sees(export.company_id))
            .cloned())
    }

    async fn list(
        &mut self,
        campaign_id: CampaignId,
        page: &PageRequest,
    ) -> Result<Page<Export>, StorageError> {
        let before: Option<ExportId> = cursor(page)?;
        let exports = self.transaction.table::<Export>();
        let exports = exports.range(..).rev();
        let exports = exports
            .filter(|export| export.campaign_id == campaign_id && self.sees(export.company_id));
        let exports = exports.filter(|export| before.is_none_or(|before| export.id < before));
        Ok(page_of(exports, page, |export| export.id.to_string()))
    }

    async fn count_open(&mut self, campaign_id: CampaignId) -> Result<u64, StorageError> {
        let exports = self.transaction.table::<Export>().after(None);
        let of_campaign = exports
            .filter(|export| export.campaign_id == campaign_id && self.sees(export.company_id));
        let is_open =
            |export: &&Export| matches!(export.state, ExportState::Waiting | ExportState::Running);
        Ok(of_campaign.filter(is_open).count() as u64)
    }

    async fn claim(
        &mut self,
        now: Timestamp,
        lease_until: Timestamp,
    ) -> Result<Option<Export>, StorageError> {
        let exports = || self.transaction.table::<Export>().after(None);
        let open = exports().filter(|export| may_be_claimed(export, now));
        let turn = |company_id| {
            let own = exports().filter(|export| export.company_id == company_id);
            let (mut running, mut last_ended) = (0_u32, None);
            for export in own.filter(|export| export.state != ExportState::Streamed) {
                let is_running = export.lease_until.is_some_and(|until| until > now);
                running += u32::from(is_running);
                last_ended = last_ended.max(export.ended_at);
            }
            (running, last_ended)
        };
        let next =
            open.min_by_key(|export| (turn(export.company_id), export.created_at, export.id));
        let Some(export) = next.cloned() else {
            return Ok(None);
        };
        let begun = export.begun(lease_until);
        self.transaction.remove_pieces_of(begun.id);
        self.transaction.put(begun.clone());
        Ok(Some(begun))
    }

    async fn update(&mut self, export: &Export) -> Result<(), StorageError> {
        self.may_write(export.company_id)?;
        let stored = self.transaction.get::<Export>(&export.id);
        require(
            stored.is_some_and(|stored| is_written_by(stored, export)),
            "the export has ended or was begun anew",
        )?;
        self.transaction.put(export.clone());
        Ok(())
    }

    async fn add_piece(&mut self, export: &Export, content: &[u8]) -> Result<(), StorageError> {
        self.may_write(export.company_id)?;
        let key = (export.id, export.pieces);
        let rows = &mut self.transaction;
        require(rows.has::<Export>(&export.id), "the export does not exist")?;
        require(!rows.has::<ExportPiece>(&key), "the piece exists")?;
        rows.put(ExportPiece {
            export_id: export.id,
            number: export.pieces,
            content: content.to_vec(),
        });
        Ok(())
    }

    async fn piece(&mut self, id: ExportId, number: u32) -> Result<Option<Vec<u8>>, StorageError> {
        if ExportRepository::get(self, id).await?.is_none() {
            return Ok(None);
        }
        let piece = self.transaction.get::<ExportPiece>(&(id, number));
        Ok(piece.map(|piece| piece.content.clone()))
    }

    async fn note_fetch(&mut self, id: ExportId, at: Timestamp) -> Result<(), StorageError> {
        if let Some(export) = ExportRepository::get(self, id).await? {
            self.transaction.put(Export {
                fetches: export.fetches + 1,
                last_fetched_at: Some(at),
                ..export
            });
        }
        Ok(())
    }

    async fn remove_pieces(&mut self, id: ExportId) -> Result<(), StorageError> {
        if ExportRepository::get(self, id).await?.is_some() {
            self.transaction.remove_pieces_of(id);
        }
        Ok(())
    }

    async fn withdraw(&mut self, campaigns: &[CampaignId]) -> Result<u64, StorageError> {
        let company_id = self.own_company()?;
        let exports = self.transaction.table::<Export>().after(None);
        let exports = exports.filter(|export| {
            export.company_id == company_id && campaigns.contains(&export.campaign_id)
        });
        let exports: Vec<Export> = exports.cloned().collect();
        let mut withdrawn = 0;
        for export in exports {
            let after = export.clone().withdrawn();
            if after.state != export.state {
                self.transaction.remove_pieces_of(export.id);
                withdrawn += 1;
            }
            self.transaction.put(after);
        }
        Ok(withdrawn)
    }

    async fn expire_one(&mut self, now: Timestamp) -> Result<bool, StorageError> {
        let exports = self.transaction.table::<Export>().after(None);
        let done = exports.filter(|export| export.state == ExportState::Done);
        let expired = done.filter(|export| export.has_expired(now));
        let Some(export) = expired.min_by_key(|export| export.expires_at).cloned() else {
            return Ok(false);
        };
        self.transaction.remove_pieces_of(export.id);
        self.transaction.put(export.expired());
        Ok(true)
    }
}
