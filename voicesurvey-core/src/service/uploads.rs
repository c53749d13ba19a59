//! Uploads that take a while: begun, run, watched and cancelled, on any server.
//!
//! An upload that runs is a row that says so. Whoever runs it writes every few seconds where it
//! stands ([`Uploads::report`]); one of which nothing was heard for a minute has lost its server,
//! and whoever looks at it next writes that it has failed. The rows of the list are committed
//! together with the end of the upload, and only if it is still stored as one that runs: so what
//! anybody was told of an upload that has ended stays true.

use async_trait::async_trait;
use chrono::TimeDelta;

use super::campaigns::Campaigns;
use super::campaigns::uploading::CANCELLED;
use super::error::{ServiceError, require};
use crate::api_key::{Actor, Role};
use crate::call_list::{CallListSource, RowError, Upload, UploadProgress, UploadStatus};
use crate::id::{CampaignId, UploadId};
use crate::ports::{Page, PageRequest, Scope, StorageError, UnitOfWork};
use crate::time::Timestamp;

/// For so long an upload may be silent before its server is taken to have stopped.
pub const SILENT_AT_MOST: TimeDelta = TimeDelta::seconds(60);

/// Why an upload failed whose server stopped.
const SERVER_STOPPED: &str =
    "the server stopped before the list was added, and nothing of it was; upload the file again";

/// Who runs uploads and has room for few of them at a time.
#[async_trait]
pub trait GivesWay: Send + Sync {
    /// Lets others go first, those of other campaigns too, and returns when it is this one's turn
    /// again, or when the upload is to stop.
    async fn give_way(&self);
}

/// Who runs one upload only, and keeps nobody waiting.
#[derive(Clone, Copy, Debug)]
pub struct Alone;

#[async_trait]
impl GivesWay for Alone {
    async fn give_way(&self) {}
}

/// The uploads of a company's campaigns.
#[derive(Clone, Debug)]
pub struct Uploads {
    campaigns: Campaigns,
}

impl Uploads {
    /// Over the store of the campaigns.
    pub fn new(campaigns: Campaigns) -> Self {
        Self { campaigns }
    }

    async fn look(&self, actor: &Actor) -> Result<Box<dyn UnitOfWork>, StorageError> {
        let scope = Scope::Company(actor.company_id);
        self.campaigns.storage.begin(scope).await
    }

    /// Begins an upload, to be run. Needs the role manager.
    pub async fn begin(
        &self,
        actor: &Actor,
        campaign_id: CampaignId,
        file_name: &str,
    ) -> Result<Upload, ServiceError> {
        let upload = self.campaigns.new_upload(actor, campaign_id, file_name);
        let upload = upload.await?;
        let mut work = self.look(actor).await?;
        work.call_lists().insert(&upload).await?;
        work.commit().await?;
        Ok(upload)
    }

    /// Runs an upload that was begun to its end, whatever that is, and returns how it has ended.
    /// Lists of one campaign wait for each other, and while they do `others` may go first.
    pub async fn run(
        &self,
        actor: &Actor,
        upload: Upload,
        list: &dyn CallListSource,
        progress: &UploadProgress,
        others: &dyn GivesWay,
    ) -> Result<Upload, ServiceError> {
        let ran = self
            .campaigns
            .run_upload(actor, &upload, list, progress, others);
        let error = match ran.await {
            Ok(upload) => return Ok(upload),
            Err(error) => error,
        };
        let (status, failure) = match &error {
            ServiceError::NotAllowed {
                code: CANCELLED, ..
            } if progress.is_interrupted() => {
                (UploadStatus::Failed, Some(SERVER_STOPPED.to_owned()))
            }
            ServiceError::NotAllowed {
                code: CANCELLED, ..
            } => (UploadStatus::Cancelled, None),
            ServiceError::Storage(cause) => {
                tracing::warn!(upload = %upload.id, error = cause as &dyn std::error::Error,
                    "an upload failed");
                let failure = "the store did not take the list; upload the file again";
                (UploadStatus::Failed, Some(failure.to_owned()))
            }
            error => (UploadStatus::Failed, Some(error.to_string())),
        };
        let (rows_read, total_rows) = progress.rows();
        let ended = Upload {
            percent: progress.percent(),
            rows_read,
            total_rows,
            ..upload
        };
        self.end(actor, ended, status, failure).await
    }

    /// Writes where an upload stands that this server runs, and stops it if it has been cancelled or
    /// given up elsewhere.
    pub async fn report(
        &self,
        actor: &Actor,
        upload: &Upload,
        progress: &UploadProgress,
    ) -> Result<(), ServiceError> {
        let (rows_read, total_rows) = progress.rows();
        let upload = Upload {
            percent: progress.percent(),
            rows_read,
            total_rows,
            updated_at: self.campaigns.clock.now(),
            ..upload.clone()
        };
        let mut work = self.look(actor).await?;
        if work.call_lists().update(&upload).await? {
            work.commit().await?;
        } else {
            progress.stop();
        }
        Ok(())
    }

    /// Cancels an upload that runs: nothing of it will be added. Needs the role manager.
    pub async fn cancel(
        &self,
        actor: &Actor,
        campaign_id: CampaignId,
        id: UploadId,
    ) -> Result<Upload, ServiceError> {
        require(actor, Role::Manager)?;
        let upload = self.get(actor, campaign_id, id).await?;
        let upload = match upload.status {
            UploadStatus::Running => {
                let status = UploadStatus::Cancelled;
                self.end(actor, upload, status, None).await?
            }
            _ => upload,
        };
        match upload.status {
            UploadStatus::Cancelled => Ok(upload),
            status => Err(ServiceError::NotAllowed {
                code: "upload_ended",
                message: format!("the upload is {status}; only one that runs can be cancelled"),
            }),
        }
    }

    /// What became of an upload, or where it stands.
    pub async fn get(
        &self,
        actor: &Actor,
        campaign_id: CampaignId,
        id: UploadId,
    ) -> Result<Upload, ServiceError> {
        let upload = {
            let mut work = self.look(actor).await?;
            find(&mut *work, campaign_id, id).await?
        };
        self.unless_silent(actor, upload).await
    }

    /// The uploads of a campaign, newest first.
    pub async fn list(
        &self,
        actor: &Actor,
        campaign_id: CampaignId,
        page: &PageRequest,
    ) -> Result<Page<Upload>, ServiceError> {
        let found = {
            let mut work = self.look(actor).await?;
            let campaign = work.campaigns().get(campaign_id).await?;
            campaign.ok_or(ServiceError::NotFound { what: "campaign" })?;
            work.call_lists().list(campaign_id, page).await?
        };
        let mut rows = Vec::with_capacity(found.rows.len());
        for upload in found.rows {
            rows.push(self.unless_silent(actor, upload).await?);
        }
        let next = found.next;
        Ok(Page { rows, next })
    }

    /// Rows of an upload that were not taken, in the order of the file, from behind `after_row` on.
    pub async fn errors(
        &self,
        actor: &Actor,
        upload: &Upload,
        after_row: u64,
        at_most: u16,
    ) -> Result<Vec<RowError>, ServiceError> {
        let mut work = self.look(actor).await?;
        let errors = work.call_lists().errors(upload.id, after_row, at_most);
        Ok(errors.await?)
    }

    /// The upload; one whose server has stopped is written down as failed first.
    async fn unless_silent(&self, actor: &Actor, upload: Upload) -> Result<Upload, ServiceError> {
        if is_alive(&upload, self.campaigns.clock.now()) || upload.status != UploadStatus::Running {
            return Ok(upload);
        }
        let failure = Some(SERVER_STOPPED.to_owned());
        self.end(actor, upload, UploadStatus::Failed, failure).await
    }

    /// Writes that an upload has ended, unless it has; returns how it did.
    async fn end(
        &self,
        actor: &Actor,
        upload: Upload,
        status: UploadStatus,
        failure: Option<String>,
    ) -> Result<Upload, ServiceError> {
        let ended = Upload {
            status,
            failure,
            updated_at: self.campaigns.clock.now(),
            ..upload
        };
        let mut work = self.look(actor).await?;
        if work.call_lists().update(&ended).await? {
            work.commit().await?;
            return Ok(ended);
        }
        find(&mut *work, ended.campaign_id, ended.id).await
    }
}

async fn find(
    work: &mut dyn UnitOfWork,
    campaign_id: CampaignId,
    id: UploadId,
) -> Result<Upload, ServiceError> {
    let upload = work.call_lists().get(id).await?;
    upload
        .filter(|upload| upload.campaign_id == campaign_id)
        .ok_or(ServiceError::NotFound { what: "upload" })
}

/// Whether an upload runs, as far as is known.
fn is_alive(upload: &Upload, now: Timestamp) -> bool {
    upload.status == UploadStatus::Running && upload.updated_at + SILENT_AT_MOST >= now
}

/// Whether one of the latest uploads of a campaign runs.
pub(super) async fn runs_for(
    work: &mut dyn UnitOfWork,
    campaign_id: CampaignId,
    now: Timestamp,
) -> Result<bool, StorageError> {
    let page = PageRequest::first(PageRequest::LARGEST);
    let uploads = work.call_lists().list(campaign_id, &page).await?.rows;
    Ok(uploads.iter().any(|upload| is_alive(upload, now)))
}
