//! Everything a campaign has brought, read once, and the files made of it.

use std::io;
use std::path::PathBuf;

use voicesurvey_core::api_key::Actor;
use voicesurvey_core::call_attempt::CallAttempt;
use voicesurvey_core::call_list::Upload;
use voicesurvey_core::call_task::CallTask;
use voicesurvey_core::campaign::Campaign;
use voicesurvey_core::contact_record::{ContactFilter, ContactRecord, RecordParts};
use voicesurvey_core::conversation::Answer;
use voicesurvey_core::export::{ExportFormat, ExportKind};
use voicesurvey_core::id::CampaignId;
use voicesurvey_core::ports::repositories::{CallAttemptFilter, CallTaskFilter};
use voicesurvey_core::ports::{PageRequest, Scope, StorageError, UnitOfWork};
use voicesurvey_files::results::{ExportSubject, ResultsFile};

use super::directory::{Directory, RESULT_FILES};
use super::error::DemoError;
use crate::app::App;

/// Everything a campaign has brought. A demo is small enough to be held in memory.
#[derive(Debug)]
pub(super) struct Results {
    records: Vec<ContactRecord>,
}

impl Results {
    /// Reads everything, at one moment.
    pub(super) async fn read(
        app: &App,
        actor: &Actor,
        campaign_id: CampaignId,
    ) -> Result<Self, StorageError> {
        let mut work = app.storage.begin(Scope::Company(actor.company_id)).await?;
        let mut records = Vec::new();
        let Some(campaign) = work.campaigns().get(campaign_id).await? else {
            return Ok(Self { records });
        };
        let everybody = ContactFilter::default();
        let mut page = PageRequest::first(PageRequest::LARGEST);
        loop {
            let found = work
                .contact_records()
                .list(&campaign, &everybody, RecordParts::ALL, &page)
                .await?;
            records.extend(found.rows);
            let Some(next) = found.next else {
                return Ok(Self { records });
            };
            page = PageRequest::after(next, PageRequest::LARGEST);
        }
    }

    /// All answers.
    pub(super) fn answers(&self) -> impl Iterator<Item = &Answer> {
        self.records.iter().flat_map(|record| &record.answers)
    }

    /// Writes the result files. Each appears as a whole, and replaces that of an earlier run.
    pub(super) async fn write(
        &self,
        directory: &Directory,
        campaign: &Campaign,
        upload: &Upload,
    ) -> Result<Vec<(PathBuf, &'static str)>, DemoError> {
        let subject = self.subject(campaign, upload);
        let described = [
            (
                ExportKind::Results,
                "one row per person, with the answers side by side",
            ),
            (
                ExportKind::Answers,
                "one row per answer, with the words that were heard",
            ),
            (
                ExportKind::Attempts,
                "one row per call, with its times and its outcome",
            ),
        ];
        let mut written = Vec::new();
        for (name, (kind, description)) in RESULT_FILES.into_iter().zip(described) {
            let path = directory.result_file(name);
            let content = self.file(kind, &subject);
            let replace = async {
                let new = directory.new_result_file(name);
                tokio::fs::write(&new, content?).await?;
                tokio::fs::rename(&new, &path).await
            };
            replace
                .await
                .map_err(DemoError::file("write", path.clone()))?;
            written.push((path, description));
        }
        Ok(written)
    }

    fn subject(&self, campaign: &Campaign, upload: &Upload) -> ExportSubject {
        // The list's own columns, in its order, but for those that became the number or the name.
        let is_extra = |column: &&String| {
            let mut records = self.records.iter();
            records.any(|record| record.task.contact.extra.contains_key(*column))
        };
        let settings = campaign.effective_settings();
        ExportSubject {
            survey: settings.survey.clone(),
            language: settings.language,
            contact_columns: upload.columns.iter().filter(is_extra).cloned().collect(),
            quota_cells: campaign.quota_cells().to_vec(),
            thresholds: voicesurvey_core::rates::Thresholds::default(),
        }
    }

    fn file(&self, kind: ExportKind, subject: &ExportSubject) -> io::Result<Vec<u8>> {
        let mut file = ResultsFile::new(Vec::new(), kind, ExportFormat::Csv, subject)?;
        for record in &self.records {
            file.write(record)?;
        }
        file.finish()
    }
}

/// The attempts of a campaign, newest first.
pub(super) async fn all_attempts(
    work: &mut dyn UnitOfWork,
    campaign_id: CampaignId,
) -> Result<Vec<CallAttempt>, StorageError> {
    let filter = CallAttemptFilter {
        campaign_id: Some(campaign_id),
        ..CallAttemptFilter::default()
    };
    let mut attempts = Vec::new();
    let mut page = PageRequest::first(PageRequest::LARGEST);
    loop {
        let found = work.call_attempts().list(&filter, &page).await?;
        attempts.extend(found.rows);
        let Some(next) = found.next else {
            return Ok(attempts);
        };
        page = PageRequest::after(next, PageRequest::LARGEST);
    }
}

/// The tasks of a campaign, in the order of their creation.
pub(super) async fn all_tasks(
    work: &mut dyn UnitOfWork,
    campaign_id: CampaignId,
) -> Result<Vec<CallTask>, StorageError> {
    let filter = CallTaskFilter {
        campaign_id: Some(campaign_id),
        ..CallTaskFilter::default()
    };
    let mut tasks = Vec::new();
    let mut page = PageRequest::first(PageRequest::LARGEST);
    loop {
        let found = work.call_tasks().list(&filter, &page).await?;
        tasks.extend(found.rows);
        let Some(next) = found.next else {
            return Ok(tasks);
        };
        page = PageRequest::after(next, PageRequest::LARGEST);
    }
}
