//! Exports: asking for files, reading what they are made of, and keeping them until they expire.
//!
//! How a file is written is the caller's; here is who may have one, whose records it holds, and that
//! whoever writes one that another server has begun again writes no more. Everybody's data leaves a
//! trace when it leaves: no record is read for a file of which no row says who asked for it.

use std::sync::Arc;

use chrono::TimeDelta;

use super::contact_filters::checked;
use super::error::{ServiceError, require};
use crate::api_key::{Actor, ApiKeyHash, ApiKeySecret, Role};
use crate::campaign::Campaign;
use crate::contact_record::ContactRecord;
use crate::export::{Export, ExportOrder, ExportState, Written};
use crate::id::{CampaignId, ExportId, IdGenerator};
use crate::ports::{Page, PageRequest, Scope, Storage, StorageError, UnitOfWork};
use crate::time::Clock;

/// How long a file that is being written may go without news before it is begun again.
const LEASE: TimeDelta = TimeDelta::minutes(2);
/// The most files of one campaign that may wait or be written at a time.
const OPEN_AT_MOST: u64 = 10;

/// Files of results.
#[derive(Clone, Debug)]
pub struct Exports {
    storage: Arc<dyn Storage>,
    clock: Arc<dyn Clock>,
    ids: Arc<IdGenerator>,
    keep_for: TimeDelta,
}

/// What is needed to write a file.
#[derive(Clone, Debug, PartialEq)]
pub struct ExportPlan {
    /// The campaign.
    pub campaign: Campaign,
    /// What is wanted of it.
    pub order: ExportOrder,
    /// The columns of its call lists; none for a file in which they do not stand.
    pub contact_columns: Vec<String>,
}

impl Exports {
    /// Over a store; finished files are kept for so long.
    pub fn new(
        storage: Arc<dyn Storage>,
        clock: Arc<dyn Clock>,
        ids: Arc<IdGenerator>,
        keep_for: TimeDelta,
    ) -> Self {
        Self {
            storage,
            clock,
            ids,
            keep_for,
        }
    }

    async fn begin(&self, actor: &Actor) -> Result<Box<dyn UnitOfWork>, StorageError> {
        self.storage.begin(Scope::Company(actor.company_id)).await
    }

    /// Notes that somebody takes a file that is sent while it is written. A cell that there is not is
    /// told under the name `cell`.
    pub async fn stream(
        &self,
        actor: &Actor,
        campaign_id: CampaignId,
        order: ExportOrder,
    ) -> Result<(Export, ExportPlan), ServiceError> {
        let mut work = self.permitted(actor, &order).await?;
        let campaign = campaign(&mut *work, campaign_id).await?;
        let export = self.export(actor, &campaign, order, ExportState::Streamed)?;
        work.exports().insert(&export).await?;
        work.commit().await?;
        let plan = self.plan(campaign, &export).await?;
        Ok((export, plan))
    }

    /// Asks for a file that is fetched later, as [`Exports::stream`] does for one that is not. The secret of its link is told here and never again.
    pub async fn request(
        &self,
        actor: &Actor,
        campaign_id: CampaignId,
        order: ExportOrder,
    ) -> Result<(Export, String), ServiceError> {
        let mut work = self.permitted(actor, &order).await?;
        // Held, so that two who ask at the same moment are counted one after the other.
        let campaign = work.campaigns().get_for_update(campaign_id).await?;
        let campaign = campaign.ok_or(ServiceError::NotFound { what: "campaign" })?;
        if work.exports().count_open(campaign_id).await? >= OPEN_AT_MOST {
            let message =
                format!("{OPEN_AT_MOST} files of this campaign are being made: wait for one");
            return Err(ServiceError::NotAllowed {
                code: "too_many_exports",
                message,
            });
        }
        let secret = ApiKeySecret::letters(&self.ids);
        let export = Export {
            link: Some(ApiKeyHash::of(&secret)),
            ..self.export(actor, &campaign, order, ExportState::Waiting)?
        };
        work.exports().insert(&export).await?;
        work.commit().await?;
        Ok((export, secret))
    }

    /// An export, with the number of people in its campaign now.
    pub async fn get(
        &self,
        actor: &Actor,
        campaign_id: CampaignId,
        id: ExportId,
    ) -> Result<(Export, u64), ServiceError> {
        require(actor, Role::Manager)?;
        let scope = Scope::Company(actor.company_id);
        let mut work = self.storage.begin_reading(scope).await?;
        let export = work.exports().get(id).await?;
        let export = export.filter(|export| export.campaign_id == campaign_id);
        let export = export.ok_or(ServiceError::NotFound { what: "export" })?;
        let counters = work.campaigns().counters(campaign_id).await?;
        Ok((export, counters.total_tasks()))
    }

    /// The exports of a campaign, newest first: who has taken which data.
    pub async fn list(
        &self,
        actor: &Actor,
        campaign_id: CampaignId,
        page: &PageRequest,
    ) -> Result<Page<Export>, ServiceError> {
        require(actor, Role::Manager)?;
        let scope = Scope::Company(actor.company_id);
        let mut work = self.storage.begin_reading(scope).await?;
        campaign(&mut *work, campaign_id).await?;
        Ok(work.exports().list(campaign_id, page).await?)
    }

    /// The export that a link leads to, whatever its state. The link is its holder's only proof.
    pub async fn by_link(
        &self,
        id: ExportId,
        secret: &str,
    ) -> Result<Option<Export>, StorageError> {
        let mut work = self.storage.begin_reading(Scope::Platform).await?;
        let export = work.exports().get(id).await?;
        // Hashes are compared, so the time that it takes tells nothing of the secret.
        let given = Some(ApiKeyHash::of(secret));
        Ok(export.filter(|export| export.link == given))
    }

    /// Notes that somebody fetches the contents of an export: when was the last time, and how often.
    pub async fn note_fetch(&self, export: &Export) -> Result<(), StorageError> {
        let scope = Scope::Company(export.company_id);
        let mut work = self.storage.begin(scope).await?;
        work.exports()
            .note_fetch(export.id, self.clock.now())
            .await?;
        work.commit().await
    }

    /// A piece of the contents of an export.
    pub async fn piece(
        &self,
        export: &Export,
        number: u32,
    ) -> Result<Option<Vec<u8>>, StorageError> {
        let scope = Scope::Company(export.company_id);
        let mut work = self.storage.begin_reading(scope).await?;
        work.exports().piece(export.id, number).await
    }

    /// Records of the people whom a file is about, one page of them.
    pub async fn records(
        &self,
        plan: &ExportPlan,
        page: &PageRequest,
    ) -> Result<Page<ContactRecord>, StorageError> {
        let scope = Scope::Company(plan.campaign.company_id);
        let mut work = self.storage.begin_reading(scope).await?;
        let ExportOrder { filter, .. } = &plan.order;
        work.contact_records()
            .list(&plan.campaign, filter, plan.order.parts(), page)
            .await
    }

    /// Begins the next file that waits, or that another server has not finished; companies take turns.
    /// One that has been begun too often is given up instead.
    pub async fn claim(&self) -> Result<Option<(Export, ExportPlan)>, StorageError> {
        loop {
            let now = self.clock.now();
            let mut work = self.storage.begin(Scope::Platform).await?;
            let Some(export) = work.exports().claim(now, now + LEASE).await? else {
                return Ok(None);
            };
            if export.was_begun_too_often() {
                let why = "it was begun three times, and no server has finished it";
                work.exports().update(&export.failed(why, now)).await?;
                work.commit().await?;
                continue;
            }
            // Only a campaign that was removed meanwhile has none; its exports go with it.
            let Some(campaign) = work.campaigns().get(export.campaign_id).await? else {
                return Ok(None);
            };
            work.commit().await?;
            let plan = self.plan(campaign, &export).await?;
            return Ok(Some((export, plan)));
        }
    }

    /// What is needed to write a file. Columns are looked for only where they stand, and with nothing
    /// held: all people of the campaign are read for them.
    async fn plan(&self, campaign: Campaign, export: &Export) -> Result<ExportPlan, StorageError> {
        let order = export.order.clone();
        let contact_columns = if order.kind.has_list_columns() {
            let scope = Scope::Company(campaign.company_id);
            let mut work = self.storage.begin_reading(scope).await?;
            work.contact_records().columns(&campaign).await?
        } else {
            Vec::new()
        };
        Ok(ExportPlan {
            campaign,
            order,
            contact_columns,
        })
    }

    /// Notes how much of a file has been written, before it is handed on: so what is noted is never
    /// less than what went out. Of a file that is kept it also says that somebody still writes it. A
    /// conflict says that another server does, or that it is gone.
    pub async fn advance(&self, export: Export, written: Written) -> Result<Export, StorageError> {
        let lease_until = export.lease_until.map(|_| self.clock.now() + LEASE);
        let export = Export {
            lease_until,
            written,
            ..export
        };
        self.update(&export).await?;
        Ok(export)
    }

    /// Keeps the next piece of a file, and returns the export as it stands then. A conflict says that
    /// another server writes it, or that it is gone.
    pub async fn add(
        &self,
        export: Export,
        content: &[u8],
        written: Written,
    ) -> Result<Export, StorageError> {
        let mut work = self
            .storage
            .begin(Scope::Company(export.company_id))
            .await?;
        work.exports().add_piece(&export, content).await?;
        let export = Export {
            pieces: export.pieces + 1,
            written,
            lease_until: Some(self.clock.now() + LEASE),
            ..export
        };
        work.exports().update(&export).await?;
        work.commit().await?;
        Ok(export)
    }

    /// Notes that a file is complete; one that is kept expires in its time.
    pub async fn finish(&self, export: Export, written: Written) -> Result<(), StorageError> {
        let now = self.clock.now();
        let expires_at = export.link.map(|_| now + self.keep_for);
        let export = Export { written, ..export }.finished(now, expires_at);
        self.update(&export).await
    }

    /// Notes that a file cannot be written, and why; what there is of it is removed.
    pub async fn fail(&self, export: Export, why: &str) -> Result<(), StorageError> {
        let export = export.failed(why, self.clock.now());
        let scope = Scope::Company(export.company_id);
        let mut work = self.storage.begin(scope).await?;
        work.exports().remove_pieces(export.id).await?;
        work.exports().update(&export).await?;
        work.commit().await
    }

    async fn update(&self, export: &Export) -> Result<(), StorageError> {
        let scope = Scope::Company(export.company_id);
        let mut work = self.storage.begin(scope).await?;
        work.exports().update(export).await?;
        work.commit().await
    }

    /// Removes the contents of what has expired, of one export at a time. Returns whether there was
    /// one.
    pub async fn expire_one(&self) -> Result<bool, StorageError> {
        let mut work = self.storage.begin(Scope::Platform).await?;
        let expired = work.exports().expire_one(self.clock.now()).await?;
        work.commit().await?;
        Ok(expired)
    }

    /// A unit of work of somebody who may have such a file.
    async fn permitted(
        &self,
        actor: &Actor,
        order: &ExportOrder,
    ) -> Result<Box<dyn UnitOfWork>, ServiceError> {
        if order.kind.has_people() {
            require(actor, Role::Manager)?;
        }
        Ok(self.begin(actor).await?)
    }

    fn export(
        &self,
        actor: &Actor,
        campaign: &Campaign,
        order: ExportOrder,
        state: ExportState,
    ) -> Result<Export, ServiceError> {
        Ok(Export {
            id: self.ids.next(),
            company_id: campaign.company_id,
            campaign_id: campaign.id,
            order: ExportOrder {
                filter: checked(order.filter, campaign)?,
                ..order
            },
            requested_by: actor.api_key_id,
            link: None,
            state,
            run: 0,
            excused: 0,
            lease_until: None,
            written: Written::default(),
            pieces: 0,
            failure: None,
            created_at: self.clock.now(),
            ended_at: None,
            expires_at: None,
            fetches: 0,
            last_fetched_at: None,
        })
    }
}

async fn campaign(work: &mut dyn UnitOfWork, id: CampaignId) -> Result<Campaign, ServiceError> {
    let campaign = work.campaigns().get(id).await?;
    campaign.ok_or(ServiceError::NotFound { what: "campaign" })
}
