//! Turning the rows of a call list into tasks.
//!
//! A list is read to its end before the store is asked for anything, and then added in batches
//! within one unit of work: all or nothing, in memory that does not grow with the list but for the
//! numbers that were seen. The campaign is locked only at the end, for a moment, so a long list
//! keeps nobody from calling, starting or stopping it; what became of the campaign meanwhile decides
//! whether the list is taken.

mod adding;
mod erased;
mod previewing;

use self::adding::Adding;
pub(crate) use self::adding::SeenNumbers;
use super::{Campaigns, company, locked};
use crate::api_key::Actor;
use crate::call_list::{
    CallListSource, Preview, UnreadableCallList, Upload, UploadProgress, UploadStatus, clean,
};
use crate::campaign::Campaign;
use crate::id::{ApiKeyId, CampaignId};
use crate::phone_number::{PhoneNumber, Region};
use crate::ports::UnitOfWork;
use crate::service::campaign_service::NewCampaign;
use crate::service::error::ServiceError;
use crate::service::uploads::GivesWay;

/// The code of an upload that was stopped.
pub(crate) const CANCELLED: &str = "upload_cancelled";

/// How often somebody who waits for the answer waits for the campaign's turn, as long as the store
/// waits for anything.
const TURNS_AWAITED: usize = 3;

/// What is known of a list that was read to its end.
struct Checked {
    region: Region,
    columns: Vec<String>,
    /// Who adds it.
    api_key_id: ApiKeyId,
}

/// A list that is in the campaign as soon as the unit of work is committed.
struct Added {
    upload: Upload,
    /// Numbers that are excluded then, and for which some may wait in any campaign.
    do_not_call: Vec<PhoneNumber>,
}

impl Campaigns {
    pub(super) async fn add_call_list(
        &self,
        actor: &Actor,
        id: CampaignId,
        list: &dyn CallListSource,
    ) -> Result<Upload, ServiceError> {
        let progress = UploadProgress::default();
        let upload = self.new_upload(actor, id, list.file_name()).await?;
        let checked = self.check(actor, list, &progress).await?;
        for _ in 0..TURNS_AWAITED {
            let mut work = self.begin(actor).await?;
            work.call_lists().insert(&upload).await?;
            let filled = self.fill(&mut *work, upload.clone(), list, &checked, &progress);
            if let Some(added) = filled.await? {
                work.commit().await?;
                return Ok(self.after(added).await);
            }
        }
        Err(ServiceError::NotAllowed {
            code: "upload_running",
            message:
                "another call list is being added to the campaign; upload this one when it is \
                      done"
                    .to_owned(),
        })
    }

    pub(super) async fn create_and_fill(
        &self,
        actor: &Actor,
        new: NewCampaign,
        list: &dyn CallListSource,
    ) -> Result<(Campaign, Upload), ServiceError> {
        let progress = UploadProgress::default();
        let checked = self.check(actor, list, &progress).await?;
        let mut work = self.begin(actor).await?;
        let campaign = self.draft(&mut *work, actor, new).await?;
        let upload = self.upload_of(&campaign, list.file_name());
        work.call_lists().insert(&upload).await?;
        let added = self
            .fill(&mut *work, upload, list, &checked, &progress)
            .await?
            .ok_or(ServiceError::NotFound { what: "campaign" })?;
        work.commit().await?;
        Ok((campaign, self.after(added).await))
    }

    /// What follows the commit: who must not be called is waited for by nobody any more. A fault is no
    /// error of the upload: nobody dials these numbers, and what waits for them ends in its turn.
    async fn after(&self, added: Added) -> Upload {
        let Added {
            upload,
            do_not_call,
        } = added;
        let ended = self.batches.end(upload.company_id, &do_not_call).await;
        if let Err(error) = ended {
            tracing::warn!(upload = %upload.id, error = &error as &dyn std::error::Error,
                "contacts with numbers that an upload has excluded end when their turn comes");
        }
        self.wake_up.wake();
        upload
    }

    /// Adds the list of an upload that is stored as one that runs. Waits for others that add lists
    /// to the campaign, and gives way meanwhile to those of other campaigns.
    pub(crate) async fn run_upload(
        &self,
        actor: &Actor,
        upload: &Upload,
        list: &dyn CallListSource,
        progress: &UploadProgress,
        others: &dyn GivesWay,
    ) -> Result<Upload, ServiceError> {
        let checked = self.check(actor, list, progress).await?;
        loop {
            let mut work = self.begin(actor).await?;
            let filled = self.fill(&mut *work, upload.clone(), list, &checked, progress);
            if let Some(added) = filled.await? {
                work.commit().await?;
                return Ok(self.after(added).await);
            }
            refuse_stopped(progress)?;
            others.give_way().await;
        }
    }

    /// An upload to a campaign that takes one.
    pub(crate) async fn new_upload(
        &self,
        actor: &Actor,
        id: CampaignId,
        file_name: &str,
    ) -> Result<Upload, ServiceError> {
        let mut work = self.begin(actor).await?;
        let campaign = work.campaigns().get(id).await?;
        let campaign = campaign.ok_or(ServiceError::NotFound { what: "campaign" })?;
        refuse_ended(&campaign)?;
        Ok(self.upload_of(&campaign, file_name))
    }

    fn upload_of(&self, campaign: &Campaign, file_name: &str) -> Upload {
        let now = self.clock.now();
        Upload {
            id: self.ids.next(),
            company_id: campaign.company_id,
            campaign_id: campaign.id,
            file_name: clean(file_name),
            columns: Vec::new(),
            status: UploadStatus::Running,
            failure: None,
            percent: 0,
            rows_read: 0,
            total_rows: 0,
            created: 0,
            duplicates_in_list: 0,
            duplicates_in_campaign: 0,
            excluded: 0,
            erased: 0,
            errors_count: 0,
            created_at: now,
            updated_at: now,
        }
    }

    /// Reads the list to its end, without the store.
    async fn check(
        &self,
        actor: &Actor,
        list: &dyn CallListSource,
        progress: &UploadProgress,
    ) -> Result<Checked, ServiceError> {
        let region = {
            let mut work = self.begin(actor).await?;
            company(&mut *work, actor).await?.region
        };
        let mut rows = list.open(region).await.map_err(unreadable)?;
        let mut total_rows = 0;
        loop {
            refuse_stopped(progress)?;
            let some = rows.next().await.map_err(unreadable)?;
            if some.is_empty() {
                break;
            }
            total_rows += some.len() as u64;
            progress.checked(rows.percent());
        }
        progress.counted(total_rows);
        Ok(Checked {
            region,
            columns: rows.columns().iter().map(|name| clean(name)).collect(),
            api_key_id: actor.api_key_id,
        })
    }

    /// Adds the list within a unit of work that is still to be committed; `None` if others add a
    /// list to the campaign, and this one waited in vain.
    async fn fill(
        &self,
        work: &mut dyn UnitOfWork,
        upload: Upload,
        list: &dyn CallListSource,
        checked: &Checked,
        progress: &UploadProgress,
    ) -> Result<Option<Added>, ServiceError> {
        let campaign_id = upload.campaign_id;
        if !work.call_lists().take_turn(campaign_id).await? {
            return Ok(None);
        }
        let campaign = work.campaigns().get(campaign_id).await?;
        let campaign = campaign.ok_or(ServiceError::NotFound { what: "campaign" })?;
        refuse_ended(&campaign)?;
        let upload = Upload {
            columns: checked.columns.clone(),
            ..upload
        };
        let now = self.clock.now();
        let quotas = campaign.effective_settings().quotas.clone();
        let key = checked.api_key_id;
        let mut adding = Adding::new(&self.ids, campaign, upload, checked.region, now, key);
        let mut rows = list.open(checked.region).await.map_err(unreadable)?;
        loop {
            refuse_stopped(progress)?;
            let some = rows.next().await.map_err(unreadable)?;
            if some.is_empty() {
                break;
            }
            let read = some.len() as u64;
            adding.add(work, some).await?;
            progress.added(read);
        }
        let (upload, do_not_call) = adding.finish(work).await?;
        // Only now, so that nobody waited for it: whether the campaign still takes the list.
        let campaign = locked(work, campaign_id).await?;
        refuse_ended(&campaign)?;
        if campaign.effective_settings().quotas != quotas {
            return Err(quotas_changed());
        }
        let upload = Upload {
            status: UploadStatus::Done,
            percent: 100,
            rows_read: upload.total_rows,
            updated_at: self.clock.now(),
            ..upload
        };
        if work.call_lists().update(&upload).await? {
            Ok(Some(Added {
                upload,
                do_not_call,
            }))
        } else {
            Err(cancelled())
        }
    }

    pub(super) async fn preview_call_list(
        &self,
        actor: &Actor,
        id: CampaignId,
        list: &dyn CallListSource,
    ) -> Result<Preview, ServiceError> {
        self.new_upload(actor, id, list.file_name()).await?;
        let region = {
            let mut work = self.begin(actor).await?;
            company(&mut *work, actor).await?.region
        };
        let mut rows = list.open(region).await.map_err(unreadable)?;
        let mut previewing = previewing::Previewing::new(id, region);
        loop {
            let some = rows.next().await.map_err(unreadable)?;
            // A unit of work for each batch: a preview keeps nobody waiting.
            let mut work = self.begin(actor).await?;
            if some.is_empty() {
                return Ok(previewing.finish(&mut *work).await?);
            }
            previewing.look_at(&mut *work, some).await?;
        }
    }
}

fn refuse_ended(campaign: &Campaign) -> Result<(), ServiceError> {
    if campaign.status.is_final() {
        return Err(ServiceError::NotAllowed {
            code: "campaign_ended",
            message: format!("a {} campaign takes no call list", campaign.status),
        });
    }
    if let Some(reason) = campaign.winding_up {
        return Err(ServiceError::NotAllowed {
            code: "campaign_winding_up",
            message: format!(
                "the campaign calls nobody any more and takes no call list: {}",
                reason.sentence()
            ),
        });
    }
    Ok(())
}

fn refuse_stopped(progress: &UploadProgress) -> Result<(), ServiceError> {
    if progress.is_stopped() {
        Err(cancelled())
    } else {
        Ok(())
    }
}

fn cancelled() -> ServiceError {
    ServiceError::NotAllowed {
        code: CANCELLED,
        message: "the upload was cancelled, and nothing of it was added".to_owned(),
    }
}

/// Whoever changed them put those into their new cells who were there, and not the ones being added.
fn quotas_changed() -> ServiceError {
    let message = "the campaign's quotas were changed while the list was added; nothing of it was \
                   added: upload it again";
    ServiceError::NotAllowed {
        code: "quotas_changed",
        message: message.to_owned(),
    }
}

fn unreadable(error: UnreadableCallList) -> ServiceError {
    ServiceError::invalid("file", error.0)
}
