//! The one implementation of [`CampaignService`].

pub(super) mod uploading;

use std::sync::Arc;

use async_trait::async_trait;

use super::campaign_service::{CampaignChanges, CampaignService, NewCampaign};
use super::error::{ServiceError, require};
use super::exclusions::batches::Batches;
use super::quotas::place_all;
use super::settlement::end_waiting;
use super::{uploads, validation};
use crate::api_key::{Actor, Role};
use crate::call_list::{CallListSource, Preview, Upload};
use crate::calling_hours::CallingHours;
use crate::campaign::{
    Campaign, CampaignEvent, CampaignSettings, CampaignStatus, PauseReason, Schedule,
};
use crate::company::Company;
use crate::gate::Reason;
use crate::id::{CampaignId, IdGenerator, SkillbaseId};
use crate::language::Language;
use crate::ports::repositories::CallAttemptFilter;
use crate::ports::{
    PageRequest, Scope, Storage, StorageError, TelephonyProvider, UnitOfWork, WakeUp,
};
use crate::skillbase::Skillbase;
use crate::time::{Clock, Timestamp};

/// Campaigns over a store.
#[derive(Clone, Debug)]
pub struct Campaigns {
    pub(super) storage: Arc<dyn Storage>,
    pub(super) clock: Arc<dyn Clock>,
    ids: Arc<IdGenerator>,
    wake_up: Arc<dyn WakeUp>,
    batches: Batches,
}

impl Campaigns {
    /// Over a store. `wake_up` is rung when there is something new to call.
    pub fn new(
        storage: Arc<dyn Storage>,
        clock: Arc<dyn Clock>,
        ids: Arc<IdGenerator>,
        wake_up: Arc<dyn WakeUp>,
    ) -> Self {
        Self {
            batches: Batches::new(storage.clone(), None, clock.clone()),
            storage,
            clock,
            ids,
            wake_up,
        }
    }

    /// The same, which have the provider hang up calls that ring at a number when a list says that it
    /// must not be called.
    #[must_use]
    pub fn hanging_up_with(self, provider: Arc<dyn TelephonyProvider>) -> Self {
        let batches = Batches::new(self.storage.clone(), Some(provider), self.clock.clone());
        Self { batches, ..self }
    }

    async fn begin(&self, actor: &Actor) -> Result<Box<dyn UnitOfWork>, ServiceError> {
        require(actor, Role::Manager)?;
        Ok(self.storage.begin(Scope::Company(actor.company_id)).await?)
    }

    /// Moves a campaign and stores it; cancelling also ends the tasks that wait.
    async fn transition(
        &self,
        work: &mut dyn UnitOfWork,
        campaign: Campaign,
        event: CampaignEvent,
    ) -> Result<Campaign, ServiceError> {
        let now = self.clock.now();
        let campaign = campaign
            .on(event, now)
            .map_err(|error| ServiceError::NotAllowed {
                code: "invalid_transition",
                message: error.to_string(),
            })?;
        work.campaigns().update(&campaign).await?;
        if campaign.status == CampaignStatus::Cancelled {
            end_waiting(&mut *work, campaign.id, Reason::CampaignEnded, now).await?;
        }
        Ok(Campaign {
            version: campaign.version + 1,
            ..campaign
        })
    }

    async fn move_to(
        &self,
        actor: &Actor,
        id: CampaignId,
        event: CampaignEvent,
    ) -> Result<Campaign, ServiceError> {
        let mut work = self.begin(actor).await?;
        let campaign = locked(&mut *work, id).await?;
        let campaign = self.transition(&mut *work, campaign, event).await?;
        work.commit().await?;
        self.wake_up.wake();
        Ok(campaign)
    }

    /// Adds a draft, in a unit of work that is still to be committed.
    async fn draft(
        &self,
        work: &mut dyn UnitOfWork,
        actor: &Actor,
        new: NewCampaign,
    ) -> Result<Campaign, ServiceError> {
        let company = company(work, actor).await?;
        let skillbase =
            find_skillbase(work, new.skillbase_id, new.language, company.language).await?;
        let now = self.clock.now();
        let campaign = Campaign {
            id: self.ids.next(),
            company_id: actor.company_id,
            name: new.name.trim().to_owned(),
            description: new.description,
            status: CampaignStatus::Draft,
            winding_up: None,
            settings: CampaignSettings {
                skillbase_id: skillbase.id,
                language: new.language.unwrap_or(skillbase.language),
                survey: new.survey,
                schedule: Schedule {
                    starts_at: new.schedule.starts_at,
                    ends_at: new.schedule.ends_at,
                    hours: new
                        .schedule
                        .hours
                        .unwrap_or_else(CallingHours::nine_to_nine),
                    time_zone: new.schedule.time_zone.unwrap_or(company.time_zone),
                    countries: new.schedule.countries.unwrap_or_default(),
                },
                pacing: new.pacing,
                retry: new.retry,
                target: new.target,
                quotas: new.quotas,
                budget: new.budget,
                recording: new.recording,
                calls: new.calls,
            },
            snapshot: None,
            created_at: now,
            updated_at: now,
            started_at: None,
            ended_at: None,
            version: 1,
        };
        check(&campaign)?;
        work.campaigns().insert(&campaign).await?;
        Ok(campaign)
    }
}

#[async_trait]
impl CampaignService for Campaigns {
    async fn create(&self, actor: &Actor, new: NewCampaign) -> Result<Campaign, ServiceError> {
        let mut work = self.begin(actor).await?;
        let campaign = self.draft(&mut *work, actor, new).await?;
        work.commit().await?;
        Ok(campaign)
    }

    async fn create_with_list(
        &self,
        actor: &Actor,
        new: NewCampaign,
        call_list: Arc<dyn CallListSource>,
    ) -> Result<(Campaign, Upload), ServiceError> {
        self.create_and_fill(actor, new, &*call_list).await
    }

    async fn change(
        &self,
        actor: &Actor,
        id: CampaignId,
        changes: CampaignChanges,
    ) -> Result<Campaign, ServiceError> {
        let mut work = self.begin(actor).await?;
        let campaign = locked(&mut *work, id).await?;
        if changes.touches_frozen_settings() && !campaign.status.is_editable() {
            return Err(ServiceError::NotAllowed {
                code: "campaign_started",
                message: format!(
                    "of a {} campaign only the name, the description, the limits and the budget can \
                     be changed",
                    campaign.status
                ),
            });
        }
        if let Some(skillbase_id) = changes.skillbase_id {
            let language = campaign.settings.language;
            find_skillbase(&mut *work, Some(skillbase_id), None, language).await?;
        }
        let quotas = campaign.settings.quotas.clone();
        let campaign = Campaign {
            updated_at: self.clock.now(),
            ..changed(campaign, changes)
        };
        check(&campaign)?;
        if campaign.status == CampaignStatus::Scheduled
            && campaign.settings.schedule.starts_at.is_none()
        {
            return Err(ServiceError::NotAllowed {
                code: "campaign_scheduled",
                message: "a scheduled campaign waits for its start date; start it to call now"
                    .to_owned(),
            });
        }
        work.campaigns().update(&campaign).await?;
        if campaign.settings.quotas != quotas {
            place_all(&mut *work, &campaign, campaign.updated_at).await?;
        }
        work.commit().await?;
        // Wider limits let people be called at once.
        self.wake_up.wake();
        Ok(Campaign {
            version: campaign.version + 1,
            ..campaign
        })
    }

    async fn delete(&self, actor: &Actor, id: CampaignId) -> Result<(), ServiceError> {
        let mut work = self.begin(actor).await?;
        let campaign = locked(&mut *work, id).await?;
        let not_allowed = |code, message: &str| {
            Err(ServiceError::NotAllowed {
                code,
                message: message.to_owned(),
            })
        };
        if campaign.status == CampaignStatus::Running {
            return not_allowed(
                "campaign_running",
                "a running campaign cannot be deleted; pause or cancel it first",
            );
        }
        if work.campaigns().counters(id).await?.live_attempts() > 0 {
            return not_allowed(
                "calls_in_progress",
                "calls of this campaign are still in progress; delete it when they have ended",
            );
        }
        if uploads::runs_for(&mut *work, id, self.clock.now()).await? {
            return not_allowed(
                "upload_running",
                "a call list is being added to the campaign; cancel the upload or wait for its end",
            );
        }
        let caps = company(&mut *work, actor).await?.caps;
        if let Some(reach) = caps.reach()
            && let Some(last) = last_call_at(&mut *work, id).await?
            && last + reach > self.clock.now()
        {
            return not_allowed(
                "calls_are_capped",
                "the calls of this campaign may still count against the company's caps per person; \
                 delete it when the last one is older than the longest of them",
            );
        }
        work.campaigns().delete(id).await?;
        work.commit().await?;
        Ok(())
    }

    async fn upload(
        &self,
        actor: &Actor,
        id: CampaignId,
        call_list: Arc<dyn CallListSource>,
    ) -> Result<Upload, ServiceError> {
        self.add_call_list(actor, id, &*call_list).await
    }

    async fn preview(
        &self,
        actor: &Actor,
        id: CampaignId,
        call_list: Arc<dyn CallListSource>,
    ) -> Result<Preview, ServiceError> {
        self.preview_call_list(actor, id, &*call_list).await
    }

    async fn start(&self, actor: &Actor, id: CampaignId) -> Result<Campaign, ServiceError> {
        let now = self.clock.now();
        let mut work = self.begin(actor).await?;
        let campaign = locked(&mut *work, id).await?;
        let event = match (campaign.status, campaign.settings.schedule.starts_at) {
            (CampaignStatus::Draft | CampaignStatus::Scheduled, Some(starts_at))
                if starts_at > now =>
            {
                CampaignEvent::Schedule
            }
            _ => CampaignEvent::Start,
        };
        if campaign.status.is_editable() && work.campaigns().counters(id).await?.open_tasks() == 0 {
            return Err(ServiceError::NotAllowed {
                code: "no_tasks",
                message: "the campaign has nobody to call; upload a call list first".to_owned(),
            });
        }
        if campaign
            .effective_settings()
            .schedule
            .ends_at
            .is_some_and(|ends_at| ends_at <= now)
        {
            return Err(ServiceError::NotAllowed {
                code: "campaign_over",
                message: "the campaign's end date has passed; change ends_at first".to_owned(),
            });
        }
        let campaign = freeze(&mut *work, campaign, self.clock.as_ref()).await?;
        let campaign = self.transition(&mut *work, campaign, event).await?;
        work.commit().await?;
        self.wake_up.wake();
        Ok(campaign)
    }

    async fn pause(&self, actor: &Actor, id: CampaignId) -> Result<Campaign, ServiceError> {
        self.move_to(actor, id, CampaignEvent::Pause(PauseReason::User))
            .await
    }

    async fn resume(&self, actor: &Actor, id: CampaignId) -> Result<Campaign, ServiceError> {
        self.move_to(actor, id, CampaignEvent::Resume).await
    }

    async fn cancel(&self, actor: &Actor, id: CampaignId) -> Result<Campaign, ServiceError> {
        self.move_to(actor, id, CampaignEvent::Cancel).await
    }
}

/// Freezes the settings unless they are frozen, or still wait for the start date.
pub(crate) async fn freeze(
    work: &mut dyn UnitOfWork,
    campaign: Campaign,
    clock: &dyn Clock,
) -> Result<Campaign, ServiceError> {
    let now = clock.now();
    if campaign
        .settings
        .schedule
        .starts_at
        .is_some_and(|starts_at| starts_at > now)
    {
        return Ok(campaign);
    }
    let skillbase = work
        .skillbases()
        .get(campaign.settings.skillbase_id)
        .await?;
    let skillbase = skillbase.ok_or_else(|| StorageError::Corrupt {
        table: "campaigns",
        what: format!("campaign {} names a skillbase that is gone", campaign.id),
    })?;
    Ok(campaign.frozen(&skillbase, now))
}

async fn locked(work: &mut dyn UnitOfWork, id: CampaignId) -> Result<Campaign, ServiceError> {
    work.campaigns()
        .get_for_update(id)
        .await?
        .ok_or(ServiceError::NotFound { what: "campaign" })
}

/// When the campaign last called somebody.
async fn last_call_at(
    work: &mut dyn UnitOfWork,
    id: CampaignId,
) -> Result<Option<Timestamp>, StorageError> {
    let filter = CallAttemptFilter {
        campaign_id: Some(id),
        ..CallAttemptFilter::default()
    };
    let page = PageRequest::first(1);
    let newest = work.call_attempts().list(&filter, &page).await?.rows;
    Ok(newest.first().map(|attempt| attempt.created_at))
}

async fn company(work: &mut dyn UnitOfWork, actor: &Actor) -> Result<Company, ServiceError> {
    let company = work.companies().get(actor.company_id).await?;
    company.ok_or(ServiceError::NotFound { what: "company" })
}

async fn find_skillbase(
    work: &mut dyn UnitOfWork,
    named: Option<SkillbaseId>,
    language: Option<Language>,
    company_language: Language,
) -> Result<Skillbase, ServiceError> {
    if let Some(id) = named {
        return work.skillbases().get(id).await?.ok_or_else(|| {
            ServiceError::invalid(
                "skillbase_id",
                format!("Skillbase {id} not found or doesn't belong to company"),
            )
        });
    }
    let language = language.unwrap_or(company_language);
    work.skillbases()
        .default_for(language)
        .await?
        .ok_or_else(|| {
            ServiceError::invalid(
                "skillbase_id",
                format!(
                    "the company has no default skillbase for {}; name one",
                    language.name()
                ),
            )
        })
}

fn check(campaign: &Campaign) -> Result<(), ServiceError> {
    let mut errors = Vec::new();
    validation::name("name", &campaign.name, &mut errors);
    validation::settings(&campaign.settings, &mut errors);
    validation::finish(errors)
}

fn changed(campaign: Campaign, changes: CampaignChanges) -> Campaign {
    let name = changes.name.as_deref().map(str::trim);
    let name = name.map_or(campaign.name, str::to_owned);
    let description = changes.description.clone();
    let settings = changes.applied_to(campaign.settings);
    // What was frozen stays as it is, except for what can be changed at any time.
    let snapshot = campaign.snapshot.map(|mut snapshot| {
        snapshot.settings.pacing = settings.pacing;
        snapshot.settings.budget.clone_from(&settings.budget);
        snapshot
    });
    Campaign {
        snapshot,
        name,
        description: description.unwrap_or(campaign.description),
        settings,
        ..campaign
    }
}
