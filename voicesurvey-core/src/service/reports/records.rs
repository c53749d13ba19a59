//! Reading the records of a campaign from its beginning to its end.

use std::sync::Arc;

use super::{Reports, campaign};
use crate::api_key::Actor;
use crate::campaign::Campaign;
use crate::contact_record::{ContactFilter, ContactRecord, RecordParts};
use crate::id::CampaignId;
use crate::ports::{PageRequest, Scope, Storage, StorageError};
use crate::service::contact_filters::checked;
use crate::service::error::ServiceError;

/// The records of a campaign, page by page. Each page is a unit of work of its own, so that nobody
/// waits for the whole.
#[derive(Debug)]
pub struct Records {
    storage: Arc<dyn Storage>,
    campaign: Campaign,
    filter: ContactFilter,
    parts: RecordParts,
    /// `None` at the end.
    next: Option<PageRequest>,
}

impl Records {
    /// The campaign, as it was when the reading began.
    pub const fn campaign(&self) -> &Campaign {
        &self.campaign
    }

    /// The next records; `None` at the end.
    pub async fn next(&mut self) -> Result<Option<Vec<ContactRecord>>, StorageError> {
        let Some(request) = self.next.take() else {
            return Ok(None);
        };
        let scope = Scope::Company(self.campaign.company_id);
        let mut work = self.storage.begin_reading(scope).await?;
        let page = work
            .contact_records()
            .list(&self.campaign, &self.filter, self.parts, &request)
            .await?;
        self.next = page
            .next
            .map(|cursor| PageRequest::after(cursor, PageRequest::LARGEST));
        Ok(Some(page.rows))
    }
}

impl Reports {
    /// Begins to read the records of those whom the filter wants. A cell that there is not is told
    /// under the name `cell`.
    pub async fn records(
        &self,
        actor: &Actor,
        id: CampaignId,
        filter: ContactFilter,
        parts: RecordParts,
    ) -> Result<Records, ServiceError> {
        let mut work = self.begin(actor).await?;
        let campaign = campaign(&mut *work, id).await?;
        Ok(Records {
            storage: self.storage.clone(),
            filter: checked(filter, &campaign)?,
            campaign,
            parts,
            next: Some(PageRequest::first(PageRequest::LARGEST)),
        })
    }
}
