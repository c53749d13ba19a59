//! A campaign as it is shown.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;
use voicesurvey_core::call_task::TaskStatus;
use voicesurvey_core::calling_hours::{CallingHours, CountryDays, HoursRange};
use voicesurvey_core::campaign::{Campaign, MachineDetection, PauseReason, RetryRule};
use voicesurvey_core::gate::Reason;
use voicesurvey_core::outcome::Outcome;
use voicesurvey_core::phone_number::Region;
use voicesurvey_core::ports::repositories::CampaignCounters;
use voicesurvey_core::quota::Quotas;
use voicesurvey_core::survey::{Question, QuestionKind, SurveyTranslation};

use super::budget::BudgetBody;
use super::calls::VoicemailBody;
use super::conditions::ConditionBody;
use super::questions::{LabelBody, OptionBody, TranslationBody};
use super::quotas::NewQuotasBody;
use super::retry::{self, NewRetryRuleBody, RetryRuleBody};
use super::schedule::CountryDaysBody;
use crate::api::stats::by_task_status;

/// A campaign with all its settings, and its tasks by status.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CampaignBody {
    /// Its identifier.
    id: Uuid,
    /// Whose it is.
    company_id: Uuid,
    /// What people call it.
    name: String,
    /// What it is for.
    description: String,
    /// `draft`, `scheduled`, `running`, `paused`, `completed` or `cancelled`.
    status: &'static str,
    /// Why it is paused: `user`, `provider_down`, `provider_failure`, `provider_configuration`,
    /// `budget` or `outside_dates`.
    pause_reason: Option<&'static str>,
    /// Why no further call is started although it has not ended yet: `target_reached`,
    /// `quota_full` (of every cell) or `campaign_ended`. It completes when the calls in progress have ended.
    winding_up: Option<&'static str>,
    /// Calls that hold a line now; also those that still run while it is paused or winds up.
    calls_in_progress: u64,
    /// Who speaks.
    skillbase_id: Uuid,
    /// The version of the skillbase that calls use, once it is frozen.
    skillbase_version: Option<u32>,
    /// The language of contacts that name none.
    language: &'static str,
    /// Spoken first.
    intro_script: String,
    /// Asked after the intro.
    consent_question: Option<String>,
    /// The questions, in order.
    questions: Vec<QuestionBody>,
    /// Spoken last.
    completion_message: String,
    /// The same words in other languages.
    translations: BTreeMap<&'static str, TranslationBody>,
    /// The zone of contacts whose own is not known.
    time_zone: &'static str,
    /// Before this instant nobody is called.
    starts_at: Option<DateTime<Utc>>,
    /// From this instant on nobody is called.
    ends_at: Option<DateTime<Utc>>,
    /// When calling begins, if that is the same every day.
    allowed_call_start_local: Option<String>,
    /// When it ends, if that is the same every day.
    allowed_call_end_local: Option<String>,
    /// The hours by weekday, with holidays.
    #[schema(value_type = Object)]
    calling_hours: CallingHours,
    /// Holidays and eves of the people of one country, besides those of everybody.
    #[schema(value_type = BTreeMap<String, CountryDaysBody>)]
    country_days: BTreeMap<Region, CountryDays>,
    /// Calls in progress at the same time.
    max_concurrent_calls: u32,
    /// Calls that start in any 60 seconds.
    calls_per_minute: u32,
    /// The least time between two starts.
    seconds_between_calls: u32,
    /// Attempts that may be spent on one person.
    max_attempts: u16,
    /// Minutes between attempts, if that is always the same.
    retry_interval_minutes: Option<u32>,
    /// Minutes after each attempt, the last repeated.
    retry_delays_minutes: Vec<u32>,
    /// What this campaign does after some outcomes.
    #[schema(value_type = BTreeMap<String, NewRetryRuleBody>)]
    retry_rules: BTreeMap<Outcome, RetryRule>,
    /// Whether who did not answer is tried next in another part of the day.
    retry_other_daypart: bool,
    /// What is in force after each outcome, while attempts are left: this campaign's rules and
    /// delays, and the outcome table where they say nothing.
    retry: BTreeMap<&'static str, RetryRuleBody>,
    /// Completed interviews that are enough; absent calls everybody.
    target: Option<u32>,
    /// How many interviews are wanted of which people; absent wants them of anybody.
    #[schema(value_type = Option<NewQuotasBody>)]
    quotas: Option<Quotas>,
    /// What the calls may cost; absent is not limited.
    budget: Option<BudgetBody>,
    /// Whether calls are recorded from consent on, of which people are told before.
    recording: bool,
    /// The number that is shown; absent is the configuration's.
    caller_id: Option<String>,
    /// Whether machines are told from people; absent is as the configuration says.
    machine_detection: Option<&'static str>,
    /// What a voicemail hears.
    voicemail: VoicemailBody,
    /// People in it.
    total_tasks: u64,
    /// How many of them stand where.
    tasks: BTreeMap<&'static str, u64>,
    /// When it was created.
    created_at: DateTime<Utc>,
    /// When it was last changed.
    updated_at: DateTime<Utc>,
    /// When it first started; from then on its settings are frozen.
    started_at: Option<DateTime<Utc>>,
    /// When it was completed or cancelled.
    ended_at: Option<DateTime<Utc>>,
}

/// One question.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct QuestionBody {
    /// Names it in results and files.
    key: String,
    /// What is spoken.
    text: String,
    /// `free_text`, `numeric`, `scale`, `yes_no` or `choice`.
    #[serde(rename = "type")]
    kind: &'static str,
    /// The smallest number accepted.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<f64>)]
    min: Option<Value>,
    /// The largest number accepted.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<f64>)]
    max: Option<Value>,
    /// Whether a number with decimals is an answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    decimals: Option<bool>,
    /// What some marks of a scale are called.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    labels: Vec<LabelBody>,
    /// What can be chosen.
    #[serde(skip_serializing_if = "Option::is_none")]
    options: Option<Vec<OptionBody>>,
    /// Whether it cannot be skipped by saying so.
    required: bool,
    /// How often it is asked again.
    retries: u8,
    /// What must have been answered before for it to be asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    show_if: Option<ConditionBody>,
}

impl From<&Question> for QuestionBody {
    fn from(question: &Question) -> Self {
        let (mut min, mut max, mut decimals, mut options) = (None, None, None, None);
        let mut labels = Vec::new();
        match &question.kind {
            QuestionKind::Numeric {
                min: least,
                max: most,
                decimals: allowed,
            } => {
                min = least.map(crate::api::number);
                max = most.map(crate::api::number);
                decimals = Some(*allowed);
            }
            QuestionKind::Scale {
                min: low,
                max: high,
                labels: marks,
            } => {
                min = Some((*low).into());
                max = Some((*high).into());
                let marks = marks.iter().map(|label| LabelBody {
                    value: label.value,
                    say: label.say.clone(),
                });
                labels.extend(marks);
            }
            QuestionKind::Choice { options: choices } => {
                let choices = choices.iter().map(|option| OptionBody {
                    key: option.key.clone(),
                    say: option.say.clone(),
                });
                options = Some(choices.collect());
            }
            QuestionKind::FreeText | QuestionKind::YesNo => {}
        }
        Self {
            key: question.key.clone(),
            text: question.text.clone(),
            kind: question.kind.name(),
            min,
            max,
            decimals,
            labels,
            options,
            required: question.required,
            retries: question.retries,
            show_if: question.show_if.as_ref().map(ConditionBody::from),
        }
    }
}

impl From<&SurveyTranslation> for TranslationBody {
    fn from(words: &SurveyTranslation) -> Self {
        Self {
            intro_script: words.intro_script.clone(),
            consent_question: words.consent_question.clone(),
            questions: words.questions.clone(),
            completion_message: words.completion_message.clone(),
            options: words.options.clone(),
        }
    }
}

impl CampaignBody {
    /// The campaign's identifier.
    pub(crate) const fn id(&self) -> Uuid {
        self.id
    }
}

impl From<(Campaign, CampaignCounters)> for CampaignBody {
    fn from((campaign, counters): (Campaign, CampaignCounters)) -> Self {
        let settings = campaign.effective_settings().clone();
        let (survey, schedule, retry) = (settings.survey, settings.schedule, settings.retry);
        let every_day = same_every_day(&schedule.hours);
        let frozen = campaign.snapshot.as_ref();
        Self {
            id: campaign.id.as_uuid(),
            company_id: campaign.company_id.as_uuid(),
            status: campaign.status.name(),
            pause_reason: campaign.status.pause_reason().map(PauseReason::name),
            winding_up: winds_up(&campaign).map(Reason::name),
            calls_in_progress: counters.live_attempts(),
            skillbase_id: settings.skillbase_id.as_uuid(),
            skillbase_version: frozen.map(|snapshot| snapshot.skillbase.version),
            language: settings.language.code(),
            intro_script: survey.intro_script,
            consent_question: survey.consent_question,
            questions: survey.questions.iter().map(QuestionBody::from).collect(),
            completion_message: survey.completion_message,
            translations: survey
                .translations
                .iter()
                .map(|(language, words)| (language.code(), words.into()))
                .collect(),
            time_zone: schedule.time_zone.name(),
            starts_at: schedule.starts_at,
            ends_at: schedule.ends_at,
            allowed_call_start_local: every_day.map(|range| range.start().to_string()),
            allowed_call_end_local: every_day.map(|range| range.end().to_string()),
            calling_hours: schedule.hours,
            country_days: schedule.countries,
            max_concurrent_calls: settings.pacing.max_concurrent_calls,
            calls_per_minute: settings.pacing.pace.calls_per_minute,
            seconds_between_calls: settings.pacing.pace.seconds_between_calls,
            retry: retry::in_force(&retry),
            max_attempts: retry.max_attempts,
            retry_interval_minutes: match retry.delays_minutes[..] {
                [minutes] => Some(minutes),
                _ => None,
            },
            retry_delays_minutes: retry.delays_minutes,
            retry_rules: retry.rules,
            retry_other_daypart: retry.other_daypart,
            target: settings.target.map(NonZeroU32::get),
            quotas: settings.quotas,
            budget: settings.budget.map(BudgetBody::from),
            recording: settings.recording,
            caller_id: settings.calls.caller_id.map(|number| number.to_string()),
            machine_detection: settings.calls.machine_detection.map(MachineDetection::name),
            voicemail: settings.calls.voicemail.into(),
            total_tasks: counters.total_tasks(),
            tasks: by_task_status(|status: TaskStatus| counters.tasks_in(status)),
            created_at: campaign.created_at,
            updated_at: campaign.updated_at,
            started_at: campaign.started_at,
            ended_at: campaign.ended_at,
            name: campaign.name,
            description: campaign.description,
        }
    }
}

/// Why the campaign winds up, while it does.
pub(crate) fn winds_up(campaign: &Campaign) -> Option<Reason> {
    campaign.winding_up.filter(|_| !campaign.status.is_final())
}

/// The range of every day, if all days are the same and have one range.
fn same_every_day(hours: &CallingHours) -> Option<HoursRange> {
    let &[range] = hours.weekly.mon.as_slice() else {
        return None;
    };
    let daily = CallingHours::daily(range.start(), range.end()).ok()?;
    (*hours == daily).then_some(range)
}
