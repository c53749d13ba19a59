//! Campaigns as JSON: one body for writing, which takes the flat form and the structured one, and
//! one for reading, which shows every setting with the defaults filled in.
//!
//! Everything that is wrong is told at once, under the names the caller used: what a field alone
//! shows is found here, what only the whole campaign shows is found by the core's own validation,
//! and what both find is told once.

mod budget;
mod calls;
mod conditions;
mod questions;
mod quotas;
mod read;
mod retry;
mod schedule;

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;
use voicesurvey_core::calling_hours::{CallingHours, TimeOfDay};
use voicesurvey_core::campaign::{
    Budget, CallSettings, CampaignSettings, MachineDetection, Pacing, RetryPolicy, Schedule,
};
use voicesurvey_core::id::{CompanyId, SkillbaseId};
use voicesurvey_core::language::Language;
use voicesurvey_core::pace::Pace;
use voicesurvey_core::phone_number::PhoneNumber;
use voicesurvey_core::quota::Quotas;
use voicesurvey_core::service::{
    CallSettingsChanges, CampaignChanges, Change, FieldError, NewCampaign, NewSchedule,
    ScheduleChanges, validation,
};
use voicesurvey_core::survey::{Question, Survey, SurveyTranslation};
use voicesurvey_core::time::Timestamp;
use voicesurvey_core::time_zone::TimeZone;

use self::budget::NewBudgetBody;
use self::calls::NewVoicemailBody;
use self::questions::{NewQuestionBody, QuestionForm, TranslationBody};
use self::quotas::NewQuotasBody;
pub(super) use self::read::{CampaignBody, QuestionBody, winds_up};
use self::retry::{Delay, GivenRetry, NewRetryRuleBody, RetryFields, RetryNames};
use self::schedule::CountryDaysBody;
use super::error::ApiError;
use super::fields::{Checks, Clearable, Field};

/// The settings of a campaign.
///
/// A new campaign needs `name`, `intro_script`, `completion_message` and at least one question;
/// everything else has a default. Questions come as the list `questions`, or flat, as
/// `question_1_text`, `question_1_type`, `question_2_text` and so on. The daily hours come as
/// `allowed_call_start_local` with `allowed_call_end_local`, or as `calling_hours` by weekday.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub(super) struct CampaignSettingsBody {
    /// What people call it.
    #[schema(value_type = Option<String>)]
    name: Field<String>,
    /// What it is for.
    #[schema(value_type = Option<String>)]
    description: Field<String>,
    /// The company of the key, and no other.
    #[schema(value_type = Option<uuid::Uuid>)]
    company_id: Field<CompanyId>,
    /// Who speaks; the company's default for the language if it is left out.
    #[schema(value_type = Option<uuid::Uuid>)]
    skillbase_id: Field<SkillbaseId>,
    /// The language of contacts that name none: `it`, `en`, `ru`, `es`, `fr`, `de`.
    #[schema(value_type = Option<String>)]
    language: Field<Language>,
    /// Spoken first: who is calling and why. It may already ask for consent.
    #[schema(value_type = Option<String>)]
    intro_script: Field<String>,
    /// Asked after the intro when the intro does not end in a question of its own.
    #[schema(value_type = Option<String>)]
    consent_question: Field<String>,
    /// The questions, in the order in which they are asked.
    #[schema(value_type = Option<Vec<NewQuestionBody>>)]
    questions: Field<Vec<Value>>,
    /// Spoken when the last question has been dealt with.
    #[schema(value_type = Option<String>)]
    completion_message: Field<String>,
    /// The same words in other languages, by language code.
    #[schema(value_type = Option<BTreeMap<String, TranslationBody>>)]
    translations: Field<BTreeMap<String, Value>>,
    /// The IANA name of the zone of contacts whose own is not known; the company's if left out.
    #[schema(value_type = Option<String>, example = "Europe/Rome")]
    time_zone: Field<TimeZone>,
    /// Before this instant nobody is called. In a change, `null` takes it away.
    #[serde(default)]
    #[schema(value_type = Option<DateTime<Utc>>)]
    starts_at: Clearable<Timestamp>,
    /// From this instant on nobody is called. In a change, `null` takes it away.
    #[serde(default)]
    #[schema(value_type = Option<DateTime<Utc>>)]
    ends_at: Clearable<Timestamp>,
    /// From this time of the day on people are called, on their own clock: `09:00`.
    #[schema(value_type = Option<String>, example = "09:00")]
    allowed_call_start_local: Field<TimeOfDay>,
    /// From this time of the day on nobody is called: `21:00`.
    #[schema(value_type = Option<String>, example = "21:00")]
    allowed_call_end_local: Field<TimeOfDay>,
    /// Another name of `allowed_call_start_local`.
    #[schema(value_type = Option<String>)]
    daily_start_time: Field<TimeOfDay>,
    /// Another name of `allowed_call_end_local`.
    #[schema(value_type = Option<String>)]
    daily_end_time: Field<TimeOfDay>,
    /// The hours by weekday, with holidays:
    /// `{"weekly": {"mon": [["09:00", "13:00"]]}, "holidays": ["2026-12-25"]}`.
    #[schema(value_type = Option<Object>)]
    calling_hours: Field<CallingHours>,
    /// Holidays and eves of the people of one country, by the country of their phone number,
    /// besides those of everybody: `{"IT": {"holidays": ["2026-12-08"]}}`.
    #[schema(value_type = Option<BTreeMap<String, CountryDaysBody>>)]
    country_days: Field<BTreeMap<String, Value>>,
    /// Calls in progress at the same time; 5 if it is left out.
    #[schema(value_type = Option<u32>)]
    max_concurrent_calls: Field<u32>,
    /// Calls that start in any 60 seconds; 10 if it is left out.
    #[schema(value_type = Option<u32>)]
    calls_per_minute: Field<u32>,
    /// The least time between two starts; 0 if it is left out.
    #[schema(value_type = Option<u32>)]
    seconds_between_calls: Field<u32>,
    /// Attempts that may be spent on one person; 3 if it is left out.
    #[schema(value_type = Option<u16>)]
    max_attempts: Field<u16>,
    /// Another name of `max_attempts`.
    #[schema(value_type = Option<u16>)]
    max_retries: Field<u16>,
    /// Minutes between attempts; 30 if it is left out.
    #[schema(value_type = Option<u32>)]
    retry_interval_minutes: Field<u32>,
    /// Minutes after each attempt, the last repeated; empty leaves it to the outcome table.
    #[schema(value_type = Option<Vec<u32>>)]
    retry_delays_minutes: Field<Vec<u32>>,
    /// The same with units: `["1h", "4h", "1d"]`.
    #[schema(value_type = Option<Vec<String>>)]
    retry_delays: Field<Vec<Delay>>,
    /// What this campaign does after some outcomes: `{"no_answer": {"delays_minutes": [180]}}`.
    #[schema(value_type = Option<BTreeMap<String, NewRetryRuleBody>>)]
    retry_rules: Field<BTreeMap<String, Value>>,
    /// Whether who did not answer is tried next in another part of the day. If it is left out:
    /// yes, unless delays for it are given, which are then exact.
    #[schema(value_type = Option<bool>)]
    retry_other_daypart: Field<bool>,
    /// Completed interviews that are enough: then the calls in progress are finished and nobody else
    /// is called. Everybody is called if it is left out; in a change, `null` takes it away.
    #[serde(default)]
    #[schema(value_type = Option<u32>)]
    target: Clearable<NonZeroU32>,
    /// How many interviews are wanted of which people, who are not called any more when there are
    /// enough. Of anybody if it is left out; in a change, `null` takes it away.
    #[serde(default)]
    #[schema(value_type = Option<NewQuotasBody>)]
    quotas: Clearable<NewQuotasBody>,
    /// What the calls may cost: no call is started that may exceed it. Not limited if it is left
    /// out; in a change, `null` takes it away. Can also be changed while the campaign runs.
    #[serde(default)]
    #[schema(value_type = Option<NewBudgetBody>)]
    budget: Clearable<NewBudgetBody>,
    /// Whether calls are recorded from consent on, of which people are told before; not if it is left out.
    #[schema(value_type = Option<bool>)]
    recording: Field<bool>,
    /// The number that is shown, in international form; the configuration's if it is left out. In a
    /// change, `null` takes it away.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "+390612345678")]
    caller_id: Clearable<PhoneNumber>,
    /// Whether machines are told from people: `off`, `synchronous`, before anything is said, or
    /// `asynchronous`, while we speak already. As the configuration says if it is left out; in a
    /// change, `null` takes it away.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "synchronous")]
    machine_detection: Clearable<MachineDetection>,
    /// What a voicemail hears; nothing if it is left out.
    #[schema(value_type = Option<NewVoicemailBody>)]
    voicemail: Field<NewVoicemailBody>,
    /// The flat questions, and what does not belong here.
    #[serde(flatten)]
    #[schema(ignore)]
    rest: BTreeMap<String, Value>,
}

/// What was given, each setting by itself.
#[derive(Debug, Default)]
struct Given {
    name: Option<String>,
    description: Option<String>,
    skillbase_id: Option<SkillbaseId>,
    language: Option<Language>,
    intro_script: Option<String>,
    consent_question: Option<String>,
    questions: Option<Vec<Question>>,
    completion_message: Option<String>,
    translations: Option<BTreeMap<Language, SurveyTranslation>>,
    schedule: ScheduleChanges,
    max_concurrent_calls: Option<u32>,
    calls_per_minute: Option<u32>,
    seconds_between_calls: Option<u32>,
    retry: GivenRetry,
    target: Change<NonZeroU32>,
    quotas: Change<Quotas>,
    budget: Change<Budget>,
    recording: Option<bool>,
    calls: CallSettingsChanges,
}

/// What the caller calls settings that have several names.
#[derive(Clone, Debug)]
struct Names {
    questions: QuestionForm,
    retry: RetryNames,
}

impl CampaignSettingsBody {
    /// A campaign to be created for `company_id`.
    pub(super) fn read_new(self, company_id: CompanyId) -> Result<NewCampaign, ApiError> {
        let mut checks = Checks::default();
        for (name, is_named) in [
            ("name", self.name.is_named()),
            ("intro_script", self.intro_script.is_named()),
            ("completion_message", self.completion_message.is_named()),
        ] {
            if !is_named {
                checks.wrong(name, "is required");
            }
        }
        let (given, names) = self.take(company_id, &mut checks);
        let new = NewCampaign {
            name: given.name.clone().unwrap_or_default(),
            description: given.description.clone().unwrap_or_default(),
            skillbase_id: given.skillbase_id,
            language: given.language,
            survey: given.survey(None),
            pacing: given.pacing(Pacing::default()),
            retry: given.retry.applied_to(RetryPolicy::default()),
            schedule: NewSchedule {
                starts_at: given.schedule.starts_at.applied_to(None),
                ends_at: given.schedule.ends_at.applied_to(None),
                hours: given.schedule.hours,
                time_zone: given.schedule.time_zone,
                countries: given.schedule.countries,
            },
            target: given.target.applied_to(None),
            quotas: given.quotas.applied_to(None),
            budget: given.budget.applied_to(None),
            recording: given.recording.unwrap_or_default(),
            calls: given.calls.applied_to(CallSettings::default()),
        };
        let mut errors = Vec::new();
        validation::name("name", &new.name, &mut errors);
        validation::settings(&sketch(&new), &mut errors);
        checks.extend(names.as_called(errors));
        checks.finish()?;
        Ok(new)
    }

    /// Changes of a campaign of `company_id` whose settings are `old`.
    pub(super) fn read_changes(
        self,
        company_id: CompanyId,
        old: &CampaignSettings,
    ) -> Result<CampaignChanges, ApiError> {
        let mut checks = Checks::default();
        if self.language.is_named() {
            let message = "cannot be changed; create another campaign";
            checks.wrong("language", message);
        }
        let (given, names) = self.take(company_id, &mut checks);
        let changes = CampaignChanges {
            survey: given
                .touches_survey()
                .then(|| given.survey(Some(&old.survey))),
            pacing: given.touches_pacing().then(|| given.pacing(old.pacing)),
            retry: given
                .retry
                .is_any()
                .then(|| given.retry.applied_to(old.retry.clone())),
            name: given.name,
            description: given.description,
            skillbase_id: given.skillbase_id,
            schedule: given.schedule,
            target: given.target,
            quotas: given.quotas,
            budget: given.budget,
            recording: given.recording,
            calls: given.calls,
        };
        let mut errors = Vec::new();
        if let Some(name) = &changes.name {
            validation::name("name", name, &mut errors);
        }
        validation::settings(&changes.clone().applied_to(old.clone()), &mut errors);
        checks.extend(names.as_called(errors));
        checks.finish()?;
        Ok(changes)
    }

    fn take(self, company_id: CompanyId, checks: &mut Checks) -> (Given, Names) {
        if let Some(named) = checks.optional("company_id", self.company_id)
            && named != company_id
        {
            checks.wrong("company_id", format!("Company {named} not found"));
        }
        let mut rest = self.rest;
        let (questions, form) = questions::read(self.questions, &mut rest, checks);
        checks.unknown(rest);
        let schedule = ScheduleChanges {
            starts_at: checks.change("starts_at", self.starts_at),
            ends_at: checks.change("ends_at", self.ends_at),
            hours: schedule::read(
                [
                    ("allowed_call_start_local", self.allowed_call_start_local),
                    ("allowed_call_end_local", self.allowed_call_end_local),
                    ("daily_start_time", self.daily_start_time),
                    ("daily_end_time", self.daily_end_time),
                ],
                self.calling_hours,
                checks,
            ),
            time_zone: checks.optional("time_zone", self.time_zone),
            countries: schedule::countries(self.country_days, checks),
        };
        let (retry, retry_names) = RetryFields {
            max_attempts: self.max_attempts,
            max_retries: self.max_retries,
            retry_interval_minutes: self.retry_interval_minutes,
            retry_delays_minutes: self.retry_delays_minutes,
            retry_delays: self.retry_delays,
            retry_rules: self.retry_rules,
            retry_other_daypart: self.retry_other_daypart,
        }
        .read(checks);
        let names = Names {
            questions: form,
            retry: retry_names,
        };
        let given = Given {
            name: checks.optional("name", self.name),
            description: checks.optional("description", self.description),
            skillbase_id: checks.optional("skillbase_id", self.skillbase_id),
            language: checks.optional("language", self.language),
            intro_script: checks.optional("intro_script", self.intro_script),
            consent_question: checks.optional("consent_question", self.consent_question),
            questions,
            completion_message: checks.optional("completion_message", self.completion_message),
            translations: questions::translations(self.translations, checks),
            schedule,
            max_concurrent_calls: checks
                .optional("max_concurrent_calls", self.max_concurrent_calls),
            calls_per_minute: checks.optional("calls_per_minute", self.calls_per_minute),
            seconds_between_calls: checks
                .optional("seconds_between_calls", self.seconds_between_calls),
            retry,
            target: checks.change("target", self.target),
            quotas: read_change(checks.change("quotas", self.quotas), |quotas| {
                quotas.read(checks)
            }),
            budget: read_change(checks.change("budget", self.budget), |budget| {
                budget.read(checks)
            }),
            recording: checks.optional("recording", self.recording),
            calls: CallSettingsChanges {
                caller_id: checks.change("caller_id", self.caller_id),
                machine_detection: checks.change("machine_detection", self.machine_detection),
                voicemail: calls::voicemail(self.voicemail, checks),
            },
        };
        (given, names)
    }
}

/// The change as it was meant; what cannot be read has been refused, and changes nothing.
fn read_change<B, T>(given: Change<B>, read: impl FnOnce(B) -> Option<T>) -> Change<T> {
    match given {
        Change::Keep => Change::Keep,
        Change::Clear => Change::Clear,
        Change::Set(body) => read(body).map_or(Change::Keep, Change::Set),
    }
}

impl Given {
    fn touches_survey(&self) -> bool {
        self.intro_script.is_some()
            || self.consent_question.is_some()
            || self.questions.is_some()
            || self.completion_message.is_some()
            || self.translations.is_some()
    }

    fn survey(&self, old: Option<&Survey>) -> Survey {
        let kept = |given: &Option<String>, old: Option<&String>| {
            given.clone().or(old.cloned()).unwrap_or_default()
        };
        Survey {
            intro_script: kept(&self.intro_script, old.map(|old| &old.intro_script)),
            consent_question: self
                .consent_question
                .clone()
                .or_else(|| old?.consent_question.clone()),
            questions: self
                .questions
                .clone()
                .or(old.map(|old| old.questions.clone()))
                .unwrap_or_default(),
            completion_message: kept(
                &self.completion_message,
                old.map(|old| &old.completion_message),
            ),
            translations: self
                .translations
                .clone()
                .or(old.map(|old| old.translations.clone()))
                .unwrap_or_default(),
        }
    }

    fn touches_pacing(&self) -> bool {
        self.max_concurrent_calls.is_some()
            || self.calls_per_minute.is_some()
            || self.seconds_between_calls.is_some()
    }

    fn pacing(&self, old: Pacing) -> Pacing {
        let per_minute = self.calls_per_minute.unwrap_or(old.pace.calls_per_minute);
        let between = self.seconds_between_calls;
        Pacing {
            max_concurrent_calls: self
                .max_concurrent_calls
                .unwrap_or(old.max_concurrent_calls),
            pace: Pace {
                seconds_between_calls: between.unwrap_or(old.pace.seconds_between_calls),
                ..Pace::per_minute(per_minute)
            },
        }
    }
}

impl Names {
    /// What the core found, under the names the caller used.
    fn as_called(&self, errors: Vec<FieldError>) -> Vec<FieldError> {
        let rename = |error: FieldError| {
            let called = self.retry.as_called(&error.field).map(str::to_owned);
            let field = called.unwrap_or_else(|| self.questions.as_called(&error.field));
            FieldError { field, ..error }
        };
        errors.into_iter().map(rename).collect()
    }
}

/// The settings that the campaign would have, but for what only the store knows. To be validated,
/// not to be kept.
fn sketch(new: &NewCampaign) -> CampaignSettings {
    CampaignSettings {
        skillbase_id: SkillbaseId::from_uuid(uuid::Uuid::nil()),
        language: new.language.unwrap_or(Language::En),
        survey: new.survey.clone(),
        schedule: Schedule {
            starts_at: new.schedule.starts_at,
            ends_at: new.schedule.ends_at,
            hours: new
                .schedule
                .hours
                .clone()
                .unwrap_or_else(CallingHours::nine_to_nine),
            time_zone: TimeZone::UTC,
            countries: new.schedule.countries.clone().unwrap_or_default(),
        },
        pacing: new.pacing,
        retry: new.retry.clone(),
        target: new.target,
        quotas: new.quotas.clone(),
        budget: new.budget.clone(),
        recording: new.recording,
        calls: new.calls.clone(),
    }
}
