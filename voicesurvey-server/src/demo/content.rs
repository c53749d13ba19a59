//! What the demo plays: its company, its voice, its campaign and its call list.
//!
//! The invariant: everything is made by the services that the API uses, and a run that was killed
//! in between finds what it had made and makes only the rest.

use std::num::NonZeroU32;
use std::time::Duration;

use serde::Deserialize;
use voicesurvey_core::api_key::{Actor, Role};
use voicesurvey_core::call_list::{RowError, Upload};
use voicesurvey_core::campaign::{CallSettings, Campaign, CampaignStatus, Pacing, RetryPolicy};
use voicesurvey_core::company::{Company, CompanyLimits};
use voicesurvey_core::id::{CampaignId, CompanyId};
use voicesurvey_core::language::Language;
use voicesurvey_core::pace::Pace;
use voicesurvey_core::phone_number::Region;
use voicesurvey_core::ports::PageRequest;
use voicesurvey_core::ports::repositories::{CallTaskFilter, CampaignCounters};
use voicesurvey_core::service::{
    NewApiKey, NewCampaign, NewCompany, NewSchedule, ServiceError, SkillbaseContent,
};
use voicesurvey_core::skillbase::Persona;
use voicesurvey_core::survey::Survey;
use voicesurvey_core::time_zone::TimeZone;
use voicesurvey_files::call_list::{ReadLimits, read_call_list};

use super::error::DemoError;
use crate::app::App;

/// Where the call list lies in the repository.
pub(super) const CALL_LIST: &str = "voicesurvey-server/demo/call_list.csv";

const CALL_LIST_CONTENT: &[u8] = include_bytes!("../../demo/call_list.csv");
const CAMPAIGN: &str = include_str!("../../demo/campaign.json");

/// The zone of the demo's company, and of the clock that the screen shows.
pub(super) fn time_zone() -> TimeZone {
    // OK because a test reads the name.
    "Europe/Rome".parse().unwrap_or(TimeZone::UTC)
}

/// The file `demo/campaign.json`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Content {
    company: String,
    skillbase: Voice,
    campaign: Plan,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Voice {
    name: String,
    role: String,
    style: String,
    rules: Vec<String>,
    facts: Vec<String>,
    longest_call_seconds: u32,
    closing: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Plan {
    name: String,
    description: String,
    calls_at_a_time: NonZeroU32,
    calls_per_minute: NonZeroU32,
    max_attempts: u16,
    retry_after_minutes: Vec<u32>,
    survey: Survey,
}

impl Content {
    /// Reads the content that is compiled into the program.
    pub(super) fn load() -> Result<Self, DemoError> {
        serde_json::from_str(CAMPAIGN).map_err(DemoError::Content)
    }

    /// Creates the company.
    pub(super) async fn create_company(&self, app: &App) -> Result<Company, DemoError> {
        let company = NewCompany {
            name: self.company.clone(),
            time_zone: time_zone(),
            region: Region::IT,
            language: Language::It,
            limits: CompanyLimits::default(),
        };
        Ok(app.companies.create(company).await?)
    }

    /// Gives the company's Italian voice the demo's manners.
    async fn edit_skillbase(&self, app: &App, actor: &Actor) -> Result<(), DemoError> {
        let first_page = PageRequest::first(PageRequest::LARGEST);
        let skillbases = app.skillbases.list(actor, &first_page).await?.rows;
        let italian = skillbases
            .into_iter()
            .find(|skillbase| skillbase.is_default && skillbase.language == Language::It)
            .ok_or(DemoError::Gone { what: "skillbase" })?;
        let voice = &self.skillbase;
        let content = SkillbaseContent {
            name: voice.name.clone(),
            language: Language::It,
            voice: None,
            persona: Persona {
                role: voice.role.clone(),
                style: voice.style.clone(),
                rules: voice.rules.clone(),
                facts: voice.facts.clone(),
            },
            longest_call: Duration::from_secs(voice.longest_call_seconds.into()),
            closing: Some(voice.closing.clone()),
        };
        app.skillbases.replace(actor, italian.id, content).await?;
        Ok(())
    }

    /// Finds the campaign that was made before its identifier could be noted, or makes it.
    pub(super) async fn campaign(&self, app: &App, actor: &Actor) -> Result<CampaignId, DemoError> {
        let first_page = PageRequest::first(PageRequest::LARGEST);
        let campaigns = app.reports.campaigns(actor, None, &first_page).await?.rows;
        let own = campaigns
            .into_iter()
            .find(|(campaign, _)| campaign.name == self.campaign.name);
        if let Some((campaign, _)) = own {
            return Ok(campaign.id);
        }
        self.edit_skillbase(app, actor).await?;
        let plan = &self.campaign;
        let campaign = app
            .campaigns
            .create(
                actor,
                NewCampaign {
                    name: plan.name.clone(),
                    description: plan.description.clone(),
                    skillbase_id: None,
                    language: Some(Language::It),
                    survey: plan.survey.clone(),
                    // 09:00 to 21:00 where the person lives.
                    schedule: NewSchedule::default(),
                    pacing: Pacing {
                        max_concurrent_calls: plan.calls_at_a_time.get(),
                        pace: Pace::per_minute(plan.calls_per_minute.get()),
                    },
                    retry: RetryPolicy {
                        max_attempts: plan.max_attempts,
                        delays_minutes: plan.retry_after_minutes.clone(),
                        // The delays are short enough to be watched, and stay so.
                        other_daypart: false,
                        ..RetryPolicy::default()
                    },
                    target: None,
                    quotas: None,
                    budget: None,
                    recording: false,
                    calls: CallSettings::default(),
                },
            )
            .await?;
        Ok(campaign.id)
    }
}

/// Makes a key with which everything can be tried.
pub(super) async fn create_key(app: &App, company_id: CompanyId) -> Result<String, DemoError> {
    let key = NewApiKey {
        name: "Demo".to_owned(),
        role: Role::Admin,
        expires_at: None,
    };
    match app.companies.create_first_key(company_id, key).await {
        Err(ServiceError::NotFound { .. }) => Err(DemoError::Gone { what: "company" }),
        made => Ok(made?.1.reveal().to_owned()),
    }
}

/// Rows that were not taken and are shown.
const SHOWN_ERRORS: u16 = 100;

/// Uploads the call list unless that was done before, and starts a campaign that is a draft. Returns
/// the first rows that were not taken too.
pub(super) async fn fill_and_start(
    app: &App,
    actor: &Actor,
    id: CampaignId,
) -> Result<(Campaign, Upload, Vec<RowError>), DemoError> {
    let (campaign, _) = find(app, actor, id).await?;
    let upload = if let Some(upload) = earlier_upload(app, actor, id).await? {
        upload
    } else {
        let list = read_call_list("call_list.csv", CALL_LIST_CONTENT, &ReadLimits::default())?;
        app.campaigns.upload(actor, id, list.into()).await?
    };
    let campaign = match campaign.status {
        CampaignStatus::Draft => app.campaigns.start(actor, id).await?,
        _ => campaign,
    };
    let errors = app.uploads.errors(actor, &upload, 0, SHOWN_ERRORS).await?;
    Ok((campaign, upload, errors))
}

/// The campaign with its counters.
pub(super) async fn find(
    app: &App,
    actor: &Actor,
    id: CampaignId,
) -> Result<(Campaign, CampaignCounters), DemoError> {
    match app.reports.campaign(actor, id).await {
        Err(ServiceError::NotFound { .. }) => Err(DemoError::Gone { what: "campaign" }),
        found => Ok(found?),
    }
}

/// The upload that the campaign's first person came with.
async fn earlier_upload(
    app: &App,
    actor: &Actor,
    id: CampaignId,
) -> Result<Option<Upload>, DemoError> {
    let filter = CallTaskFilter {
        campaign_id: Some(id),
        ..CallTaskFilter::default()
    };
    let tasks = app
        .reports
        .contacts(actor, &filter, &PageRequest::first(1))
        .await?;
    let Some(upload_id) = tasks.rows.first().and_then(|task| task.upload_id) else {
        return Ok(None);
    };
    Ok(Some(app.reports.upload(actor, id, upload_id).await?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_content_has_three_questions_in_two_languages() {
        let content = Content::load().unwrap();
        let survey = &content.campaign.survey;
        let kinds: Vec<_> = survey
            .questions
            .iter()
            .map(|question| question.kind.name())
            .collect();
        assert_eq!(kinds, ["scale", "numeric", "free_text"]);
        let english = &survey.translations[&Language::En];
        for question in &survey.questions {
            assert!(
                english.questions.contains_key(&question.key),
                "{}",
                question.key
            );
        }
    }
}
