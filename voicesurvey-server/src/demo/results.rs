//! Everything a campaign has brought, read once, and the files made of it.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;

use voicesurvey_core::api_key::Actor;
use voicesurvey_core::call_attempt::CallAttempt;
use voicesurvey_core::call_list::Upload;
use voicesurvey_core::call_task::CallTask;
use voicesurvey_core::campaign::Campaign;
use voicesurvey_core::conversation::{Answer, Consent, SurveyResponse};
use voicesurvey_core::id::{CallTaskId, CampaignId};
use voicesurvey_core::ports::repositories::{CallAttemptFilter, CallTaskFilter};
use voicesurvey_core::ports::{PageRequest, Scope, StorageError, UnitOfWork};
use voicesurvey_files::Encoding;
use voicesurvey_files::results::{AnswersFile, AttemptsFile, ContactResult, ContactsFile};

use super::directory::{Directory, RESULT_FILES};
use super::error::DemoError;
use crate::app::App;

/// So that Excel shows the accents of the demo's list; programs know the mark.
const ENCODING: Encoding = Encoding::Utf8WithByteOrderMark;

/// Everything a campaign has brought. A demo is small enough to be held in memory.
#[derive(Debug)]
pub(super) struct Results {
    people: Vec<Person>,
    /// The oldest first.
    attempts: Vec<CallAttempt>,
}

/// What became of one person.
#[derive(Debug)]
struct Person {
    task: CallTask,
    answers: Vec<Answer>,
    consent: Option<Consent>,
    response: Option<SurveyResponse>,
}

impl Results {
    /// Reads everything, at one moment.
    pub(super) async fn read(
        app: &App,
        actor: &Actor,
        campaign_id: CampaignId,
    ) -> Result<Self, StorageError> {
        let mut work = app.storage.begin(Scope::Company(actor.company_id)).await?;
        let mut attempts = all_attempts(&mut *work, campaign_id).await?;
        attempts.reverse();
        // A later consent replaces an earlier one.
        let mut consents: BTreeMap<CallTaskId, Consent> = BTreeMap::new();
        for attempt in &attempts {
            if let Some(consent) = work.interviews().consent(attempt.id).await? {
                consents.insert(attempt.task_id, consent);
            }
        }
        let mut people = Vec::new();
        for task in all_tasks(&mut *work, campaign_id).await? {
            let interviews = work.interviews();
            people.push(Person {
                answers: interviews.answers(task.id).await?,
                consent: consents.remove(&task.id),
                response: interviews.response(task.id).await?,
                task,
            });
        }
        Ok(Self { people, attempts })
    }

    /// All answers.
    pub(super) fn answers(&self) -> impl Iterator<Item = &Answer> {
        self.people.iter().flat_map(|person| &person.answers)
    }

    /// Writes the result files. Each appears as a whole, and replaces that of an earlier run.
    pub(super) async fn write(
        &self,
        directory: &Directory,
        campaign: &Campaign,
        upload: &Upload,
    ) -> Result<Vec<(PathBuf, &'static str)>, DemoError> {
        let contents = [
            self.contacts_file(campaign, upload),
            self.answers_file(),
            self.attempts_file(),
        ];
        let described = [
            "one row per person, with the answers side by side",
            "one row per answer, with the words that were heard",
            "one row per call, with its times and its outcome",
        ];
        let mut written = Vec::new();
        for ((name, content), description) in RESULT_FILES.into_iter().zip(contents).zip(described)
        {
            let path = directory.result_file(name);
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

    fn contacts_file(&self, campaign: &Campaign, upload: &Upload) -> io::Result<Vec<u8>> {
        // The list's own columns, in its order, but for those that became the number or the name.
        let is_extra = |column: &&String| {
            let mut people = self.people.iter();
            people.any(|person| person.task.contact.extra.contains_key(*column))
        };
        let extra: Vec<String> = upload.columns.iter().filter(is_extra).cloned().collect();
        let survey = &campaign.effective_settings().survey;
        let mut file = ContactsFile::new(Vec::new(), ENCODING, survey, &extra)?;
        for person in &self.people {
            file.write(&ContactResult {
                task: &person.task,
                consent: person.consent.as_ref(),
                answers: &person.answers,
                response: person.response.as_ref(),
            })?;
        }
        file.finish()
    }

    fn answers_file(&self) -> io::Result<Vec<u8>> {
        let mut file = AnswersFile::new(Vec::new(), ENCODING)?;
        for answer in self.answers() {
            file.write(answer)?;
        }
        file.finish()
    }

    fn attempts_file(&self) -> io::Result<Vec<u8>> {
        let mut file = AttemptsFile::new(Vec::new(), ENCODING)?;
        for attempt in &self.attempts {
            file.write(attempt)?;
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
