//! Sample entities: valid, small, and equal but for what a test says about them.
//!
//! Identifiers come from one counter, so each sample is a new row and sorts after those made
//! before it, as the identifiers of a running system do. The time is [`now`], which stands still:
//! nothing here reads a clock.
//!
//! A sample is a plain entity: change what matters by assigning to its fields, or with
//! [`SampleCampaign`] and [`SampleTask`].
//!
//! ```
//! use voicesurvey_core::testing::samples::{self, SampleCampaign, SampleTask};
//!
//! let company = samples::company();
//! let campaign = samples::campaign(&company).with_lines(2).running();
//! let task = samples::task(&campaign, "+393471234567").with_priority(7);
//! assert_eq!(task.company_id, company.id);
//! assert!(samples::phone_number(1) < samples::phone_number(2));
//! ```

mod interview;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use chrono::TimeDelta;
use uuid::Uuid;

pub use self::interview::{answer, consent, conversation, response, turn};
use crate::api_key::{ApiKey, ApiKeyHash, Role};
use crate::call_attempt::{CallAttempt, CallEvent, CallEventKind};
use crate::call_list::{Contact, Upload, UploadStatus};
use crate::call_task::{CallTask, TaskState};
use crate::calling_hours::CallingHours;
use crate::campaign::{
    CallSettings, Campaign, CampaignSettings, CampaignStatus, Pacing, PauseReason, RetryPolicy,
    Schedule,
};
use crate::company::{Company, CompanyLimits, CompanyStatus};
use crate::erasure::{ErasedRows, Erasure};
use crate::exclusion::{Exclusion, ExclusionRemoval, ExclusionSource};
use crate::gate::AttemptCaps;
use crate::id::SkillbaseId;
use crate::language::Language;
use crate::number_keys::NumberKeys;
use crate::pace::Pace;
use crate::phone_number::{PhoneNumber, Region};
use crate::ports::repositories::OutboxEvent;
use crate::quota::Cells;
use crate::skillbase::Skillbase;
use crate::survey::{Question, QuestionKind, Survey};
use crate::time::Timestamp;
use crate::time_zone::TimeZone;

/// Lines and calls per minute that no test comes near to.
const PLENTY: u32 = 100_000;

/// The instant at which samples are made: 15 January 2027, with microseconds.
pub fn now() -> Timestamp {
    Timestamp::from_timestamp_micros(1_800_000_000_123_456).expect("a year that chrono can express")
}

/// An identifier that was never given before and sorts after all that were.
pub fn id<I: From<Uuid>>() -> I {
    let serial = serial();
    let mut rest = [0; 10];
    rest[2..].copy_from_slice(&serial.to_be_bytes());
    let milliseconds = now().timestamp_millis().cast_unsigned() + serial;
    I::from(uuid::Builder::from_unix_timestamp_millis(milliseconds, &rest).into_uuid())
}

fn serial() -> u64 {
    static MADE: AtomicU64 = AtomicU64::new(1);
    MADE.fetch_add(1, Ordering::Relaxed)
}

/// An Italian mobile number; each index below ten million has its own.
pub fn phone_number(index: u32) -> PhoneNumber {
    number(&format!("+39347{index:07}"))
}

fn number(text: &str) -> PhoneNumber {
    text.parse().expect("a sample's number is E.164")
}

fn zone(name: &str) -> TimeZone {
    name.parse().expect("a sample's time zone exists")
}

/// An Italian company whose limits no test comes near to.
pub fn company() -> Company {
    Company {
        id: id(),
        name: "Acme S.p.A.".to_owned(),
        time_zone: zone("Europe/Rome"),
        region: Region::IT,
        language: Language::It,
        status: CompanyStatus::Active,
        limits: CompanyLimits {
            max_concurrent_calls: PLENTY,
            calls_per_minute: PLENTY,
        },
        caps: AttemptCaps::default(),
        created_at: now(),
        version: 1,
    }
}

/// A manager's key that nobody has used yet.
pub fn api_key(company: &Company) -> ApiKey {
    ApiKey {
        id: id(),
        company_id: company.id,
        name: "Call centre".to_owned(),
        prefix: "vsk_12345678".to_owned(),
        hash: ApiKeyHash::of(&format!("secret {}", serial())),
        role: Role::Manager,
        created_at: now(),
        expires_at: None,
        last_used_at: None,
        revoked_at: None,
    }
}

/// The skillbase that [`campaign`] names: one for each company, its default for Italian.
pub fn skillbase(company: &Company) -> Skillbase {
    Skillbase::default_for(skillbase_id(company), company.id, Language::It, now())
}

/// The company's own UUID, so that a sample campaign finds its skillbase without being told.
fn skillbase_id(company: &Company) -> SkillbaseId {
    SkillbaseId::from_uuid(company.id.as_uuid())
}

/// A draft that may call day and night, as fast as anybody asks.
pub fn campaign(company: &Company) -> Campaign {
    Campaign {
        id: id(),
        company_id: company.id,
        name: "Customer satisfaction".to_owned(),
        description: String::new(),
        status: CampaignStatus::Draft,
        winding_up: None,
        settings: CampaignSettings {
            skillbase_id: skillbase_id(company),
            language: company.language,
            survey: survey(),
            schedule: Schedule {
                starts_at: None,
                ends_at: None,
                hours: CallingHours::always(),
                time_zone: company.time_zone,
                countries: BTreeMap::new(),
            },
            pacing: Pacing {
                max_concurrent_calls: PLENTY,
                pace: Pace::per_minute(PLENTY),
            },
            retry: RetryPolicy::default(),
            target: None,
            quotas: None,
            budget: None,
            recording: false,
            calls: CallSettings::default(),
        },
        snapshot: None,
        created_at: now(),
        updated_at: now(),
        started_at: None,
        ended_at: None,
        version: 1,
    }
}

/// One question, whether the person is satisfied.
pub fn survey() -> Survey {
    Survey {
        intro_script: "Buongiorno, chiamo per conto di Acme.".to_owned(),
        consent_question: Some("Posso farle una domanda?".to_owned()),
        questions: vec![Question {
            key: "satisfied".to_owned(),
            text: "È soddisfatto?".to_owned(),
            kind: QuestionKind::YesNo,
            required: true,
            retries: 2,
            show_if: None,
        }],
        completion_message: "Grazie e arrivederci.".to_owned(),
        translations: BTreeMap::new(),
    }
}

/// Changes of a sample campaign.
pub trait SampleCampaign: Sized {
    /// In that status, whatever it was before.
    #[must_use]
    fn in_status(self, status: CampaignStatus) -> Self;
    /// With that many lines of its own.
    #[must_use]
    fn with_lines(self, max_concurrent_calls: u32) -> Self;
    /// With that pace of its own.
    #[must_use]
    fn with_pace(self, pace: Pace) -> Self;

    /// Running.
    #[must_use]
    fn running(self) -> Self {
        self.in_status(CampaignStatus::Running)
    }

    /// Paused by somebody.
    #[must_use]
    fn paused(self) -> Self {
        self.in_status(CampaignStatus::Paused(PauseReason::User))
    }
}

impl SampleCampaign for Campaign {
    fn in_status(self, status: CampaignStatus) -> Self {
        let draft = matches!(status, CampaignStatus::Draft | CampaignStatus::Scheduled);
        Self {
            status,
            started_at: if draft { None } else { Some(now()) },
            ended_at: status.is_final().then(now),
            ..self
        }
    }

    fn with_lines(mut self, max_concurrent_calls: u32) -> Self {
        self.settings.pacing.max_concurrent_calls = max_concurrent_calls;
        self
    }

    fn with_pace(mut self, pace: Pace) -> Self {
        self.settings.pacing.pace = pace;
        self
    }
}

/// An upload without errors.
pub fn upload(campaign: &Campaign) -> Upload {
    Upload {
        id: id(),
        company_id: campaign.company_id,
        campaign_id: campaign.id,
        file_name: "customers.csv".to_owned(),
        columns: vec!["phone_number".to_owned(), "name".to_owned()],
        status: UploadStatus::Done,
        failure: None,
        percent: 100,
        rows_read: 3,
        total_rows: 3,
        created: 3,
        duplicates_in_list: 0,
        duplicates_in_campaign: 0,
        excluded: 0,
        erased: 0,
        errors_count: 0,
        created_at: now(),
        updated_at: now(),
    }
}

/// A task that is due now.
///
/// # Panics
///
/// Panics when the number is not E.164.
pub fn task(campaign: &Campaign, phone_number: &str) -> CallTask {
    CallTask {
        id: id(),
        company_id: campaign.company_id,
        campaign_id: campaign.id,
        upload_id: None,
        contact: contact(number(phone_number)),
        cells: Cells::default(),
        state: TaskState::Pending { due_at: now() },
        attempts_count: 0,
        attempts_spent: 0,
        last_attempt_at: None,
        outcome: None,
        reason: None,
        created_at: now(),
        updated_at: now(),
        version: 1,
    }
}

/// That many tasks that are due now, with the numbers of the indexes from `first` on.
pub fn tasks(campaign: &Campaign, first: u32, count: u32) -> Vec<CallTask> {
    (first..first + count)
        .map(|index| task(campaign, phone_number(index).as_str()))
        .collect()
}

/// Somebody in Rome of whom nothing but the name is known.
pub fn contact(phone_number: PhoneNumber) -> Contact {
    Contact {
        phone_number,
        name: "Maria Rossi".to_owned(),
        language: None,
        time_zones: vec![zone("Europe/Rome")],
        priority: 0,
        extra: BTreeMap::new(),
    }
}

/// Changes of a sample task.
pub trait SampleTask: Sized {
    /// Called earlier the higher it is.
    #[must_use]
    fn with_priority(self, priority: i16) -> Self;
    /// Due then and not before.
    #[must_use]
    fn due_at(self, due_at: Timestamp) -> Self;
    /// In that state, whatever it was before.
    #[must_use]
    fn in_state(self, state: TaskState) -> Self;
}

impl SampleTask for CallTask {
    fn with_priority(mut self, priority: i16) -> Self {
        self.contact.priority = priority;
        self
    }

    fn due_at(self, due_at: Timestamp) -> Self {
        self.in_state(TaskState::Pending { due_at })
    }

    fn in_state(self, state: TaskState) -> Self {
        Self { state, ..self }
    }
}

/// A number that a member of staff put on the list.
pub fn exclusion(company: &Company, phone_number: PhoneNumber) -> Exclusion {
    Exclusion {
        company_id: Some(company.id),
        phone_number,
        source: ExclusionSource::Staff,
        attempt_id: None,
        note: None,
        created_at: now(),
        created_by: None,
    }
}

/// A number that the operator excluded for every company.
pub fn operators_exclusion(phone_number: PhoneNumber) -> Exclusion {
    Exclusion {
        company_id: None,
        ..exclusion(&company(), phone_number)
    }
}

/// That the exclusion was taken off its list.
pub fn exclusion_removal(exclusion: &Exclusion) -> ExclusionRemoval {
    ExclusionRemoval {
        id: id(),
        exclusion: exclusion.clone(),
        reason: "The number belongs to somebody else now.".to_owned(),
        removed_at: now(),
        removed_by: exclusion.company_id.map(|_| id()),
    }
}

/// That somebody was erased.
pub fn erasure(company: &Company) -> Erasure {
    Erasure {
        id: id(),
        company_id: company.id,
        reason: "A letter of 3 May.".to_owned(),
        requested_by: id(),
        erased: ErasedRows {
            contacts: 2,
            turns: 14,
            ..ErasedRows::default()
        },
        created_at: now(),
    }
}

/// Keys for what remains of erased numbers.
pub fn number_keys() -> NumberKeys {
    NumberKeys::new(["a key that is known to every reader"]).expect("it is long enough")
}

/// News of a call that rings.
pub fn call_event(attempt: &CallAttempt, event_id: &str) -> CallEvent {
    CallEvent {
        company_id: attempt.company_id,
        attempt_id: attempt.id,
        event_id: event_id.to_owned(),
        provider_call_id: Some("CA0001".to_owned()),
        kind: CallEventKind::Ringing,
        at: now() + TimeDelta::seconds(2),
        raw_status: Some("ringing".to_owned()),
        error_code: None,
    }
}

/// News for subscribers.
pub fn outbox_event(company: &Company) -> OutboxEvent {
    OutboxEvent {
        id: id(),
        company_id: company.id,
        kind: "survey.completed".to_owned(),
        body: serde_json::json!({ "answers": { "satisfied": true } }),
        at: now(),
    }
}
