//! The driving port: what API, dashboard and embedders may ask about campaigns.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::Arc;

use async_trait::async_trait;

use super::error::ServiceError;
use crate::api_key::Actor;
use crate::call_list::{CallListSource, Preview, Upload};
use crate::calling_hours::{CallingHours, CountryDays};
use crate::campaign::{
    Budget, CallSettings, Campaign, CampaignSettings, MachineDetection, Pacing, RetryPolicy,
    Schedule, VoicemailPolicy,
};
use crate::id::{CampaignId, SkillbaseId};
use crate::language::Language;
use crate::phone_number::{PhoneNumber, Region};
use crate::quota::Quotas;
use crate::survey::Survey;
use crate::time::Timestamp;
use crate::time_zone::TimeZone;

/// Creates, fills, starts and stops campaigns. Needs the role manager, and sees only the actor's
/// company (I11).
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait CampaignService: Send + Sync {
    /// Creates a draft. What is left out comes from the company: its language, its zone, its
    /// default skillbase; window 09:00-21:00, 5 calls at a time, 10 a minute, 3 attempts 30 minutes
    /// apart.
    async fn create(&self, actor: &Actor, new: NewCampaign) -> Result<Campaign, ServiceError>;

    /// Creates a draft with the people of a call list, in one step (B7): after an error there is no
    /// campaign either.
    async fn create_with_list(
        &self,
        actor: &Actor,
        new: NewCampaign,
        call_list: Arc<dyn CallListSource>,
    ) -> Result<(Campaign, Upload), ServiceError>;

    /// Changes a campaign that has not started. Its name, its description, its limits (`pacing`) and
    /// its budget also later: they hold from the next claim on, and narrower ones let calls end
    /// first.
    async fn change(
        &self,
        actor: &Actor,
        id: CampaignId,
        changes: CampaignChanges,
    ) -> Result<Campaign, ServiceError>;

    /// Removes a campaign with everything that belongs to it. Refused while it runs, while calls of
    /// it are in progress, and while they count against the company's caps per person: without them
    /// people would be called more often than is allowed.
    async fn delete(&self, actor: &Actor, id: CampaignId) -> Result<(), ServiceError>;

    /// Adds the people of a call list. Rows that cannot be used are named in the answer, and the
    /// others are kept. Uploading the same list twice adds nobody twice. All or nothing: after an
    /// error, and when the future is dropped, nobody was added. Who must not be called as the list
    /// says goes onto the company's exclusion list.
    ///
    /// Long lists are better added by [`Uploads`](super::Uploads), where they can be watched.
    async fn upload(
        &self,
        actor: &Actor,
        id: CampaignId,
        call_list: Arc<dyn CallListSource>,
    ) -> Result<Upload, ServiceError>;

    /// What [`CampaignService::upload`] would do, with the first contacts as they would be stored.
    /// Writes nothing, and keeps nobody waiting.
    async fn preview(
        &self,
        actor: &Actor,
        id: CampaignId,
        call_list: Arc<dyn CallListSource>,
    ) -> Result<Preview, ServiceError>;

    /// Starts calling, or waits for the start date if it is still to come. Refused while the
    /// campaign runs and while it has nobody to call.
    async fn start(&self, actor: &Actor, id: CampaignId) -> Result<Campaign, ServiceError>;

    /// Stops calling. Calls in progress end by themselves.
    async fn pause(&self, actor: &Actor, id: CampaignId) -> Result<Campaign, ServiceError>;

    /// Goes on calling after a pause.
    async fn resume(&self, actor: &Actor, id: CampaignId) -> Result<Campaign, ServiceError>;

    /// Gives the campaign up for good; who was not called will not be.
    async fn cancel(&self, actor: &Actor, id: CampaignId) -> Result<Campaign, ServiceError>;
}

/// A campaign to be created.
#[derive(Clone, Debug, PartialEq)]
pub struct NewCampaign {
    /// What people call it.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// Who speaks; absent means the company's default for the language.
    pub skillbase_id: Option<SkillbaseId>,
    /// The language; absent means the skillbase's, else the company's.
    pub language: Option<Language>,
    /// What is asked.
    pub survey: Survey,
    /// When people may be called.
    pub schedule: NewSchedule,
    /// How fast.
    pub pacing: Pacing,
    /// How often.
    pub retry: RetryPolicy,
    /// Completed interviews that are enough; absent calls everybody.
    pub target: Option<NonZeroU32>,
    /// How many interviews are wanted of which people; absent wants them of anybody.
    pub quotas: Option<Quotas>,
    /// What the calls may cost; absent is not limited.
    pub budget: Option<Budget>,
    /// Whether calls are recorded from consent on, of which people are told before.
    pub recording: bool,
    /// How calls are placed.
    pub calls: CallSettings,
}

/// When people may be called, as far as it was said.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NewSchedule {
    /// Before this instant nobody is called.
    pub starts_at: Option<Timestamp>,
    /// From this instant on nobody is called.
    pub ends_at: Option<Timestamp>,
    /// The hours; absent means 09:00-21:00 every day.
    pub hours: Option<CallingHours>,
    /// The zone; absent means the company's.
    pub time_zone: Option<TimeZone>,
    /// The holidays and eves of each country; absent means none.
    pub countries: Option<BTreeMap<Region, CountryDays>>,
}

/// What is to be changed; absent stays as it is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CampaignChanges {
    /// The name.
    pub name: Option<String>,
    /// The description.
    pub description: Option<String>,
    /// Who speaks.
    pub skillbase_id: Option<SkillbaseId>,
    /// What is asked.
    pub survey: Option<Survey>,
    /// When people may be called.
    pub schedule: ScheduleChanges,
    /// How fast.
    pub pacing: Option<Pacing>,
    /// How often.
    pub retry: Option<RetryPolicy>,
    /// Completed interviews that are enough.
    pub target: Change<NonZeroU32>,
    /// How many interviews are wanted of which people.
    pub quotas: Change<Quotas>,
    /// What the calls may cost.
    pub budget: Change<Budget>,
    /// Whether calls are recorded from consent on, of which people are told before.
    pub recording: Option<bool>,
    /// How calls are placed.
    pub calls: CallSettingsChanges,
}

/// What is to be changed about how calls are placed; absent stays as it is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CallSettingsChanges {
    /// The number that is shown.
    pub caller_id: Change<PhoneNumber>,
    /// Whether machines are told from people.
    pub machine_detection: Change<MachineDetection>,
    /// What a voicemail hears.
    pub voicemail: Option<VoicemailPolicy>,
}

impl CallSettingsChanges {
    /// The settings after the changes.
    #[must_use]
    pub fn applied_to(self, old: CallSettings) -> CallSettings {
        CallSettings {
            caller_id: self.caller_id.applied_to(old.caller_id),
            machine_detection: self.machine_detection.applied_to(old.machine_detection),
            voicemail: self.voicemail.unwrap_or(old.voicemail),
        }
    }
}

/// What is to be changed about when people may be called; absent stays as it is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ScheduleChanges {
    /// Before this instant nobody is called.
    pub starts_at: Change<Timestamp>,
    /// From this instant on nobody is called.
    pub ends_at: Change<Timestamp>,
    /// The hours.
    pub hours: Option<CallingHours>,
    /// The zone.
    pub time_zone: Option<TimeZone>,
    /// The holidays and eves of each country.
    pub countries: Option<BTreeMap<Region, CountryDays>>,
}

/// What becomes of a setting that may also be absent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Change<T> {
    /// It stays as it is.
    #[default]
    Keep,
    /// It is taken away.
    Clear,
    /// It is this from now on.
    Set(T),
}

impl<T> Change<T> {
    /// The setting after the change.
    pub fn applied_to(self, old: Option<T>) -> Option<T> {
        match self {
            Self::Keep => old,
            Self::Clear => None,
            Self::Set(new) => Some(new),
        }
    }
}

impl ScheduleChanges {
    /// The schedule after the changes.
    #[must_use]
    pub fn applied_to(self, old: Schedule) -> Schedule {
        Schedule {
            starts_at: self.starts_at.applied_to(old.starts_at),
            ends_at: self.ends_at.applied_to(old.ends_at),
            hours: self.hours.unwrap_or(old.hours),
            time_zone: self.time_zone.unwrap_or(old.time_zone),
            countries: self.countries.unwrap_or(old.countries),
        }
    }
}

impl CampaignChanges {
    /// Whether something is to be changed that is frozen when a campaign starts.
    pub fn touches_frozen_settings(&self) -> bool {
        let free = Self {
            name: self.name.clone(),
            description: self.description.clone(),
            pacing: self.pacing,
            budget: self.budget.clone(),
            ..Self::default()
        };
        *self != free
    }

    /// The settings after the changes.
    #[must_use]
    pub fn applied_to(self, old: CampaignSettings) -> CampaignSettings {
        CampaignSettings {
            skillbase_id: self.skillbase_id.unwrap_or(old.skillbase_id),
            language: old.language,
            survey: self.survey.unwrap_or(old.survey),
            schedule: self.schedule.applied_to(old.schedule),
            pacing: self.pacing.unwrap_or(old.pacing),
            retry: self.retry.unwrap_or(old.retry),
            target: self.target.applied_to(old.target),
            quotas: self.quotas.applied_to(old.quotas),
            budget: self.budget.applied_to(old.budget),
            recording: self.recording.unwrap_or(old.recording),
            calls: self.calls.applied_to(old.calls),
        }
    }
}
