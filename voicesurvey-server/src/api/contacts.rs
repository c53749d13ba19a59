//! The contacts of a campaign: who is called, and how far that has come.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;
use voicesurvey_core::api_key::Actor;
use voicesurvey_core::call_list::Contact;
use voicesurvey_core::call_task::CallTask;
use voicesurvey_core::gate::Reason;
use voicesurvey_core::id::{CallTaskId, CampaignId};
use voicesurvey_core::language::Language;
use voicesurvey_core::outcome::Outcome;
use voicesurvey_core::ports::PageRequest;
use voicesurvey_core::ports::repositories::{CallAttemptFilter, CallTaskFilter};
use voicesurvey_core::service::reports::WhyNotNow;
use voicesurvey_core::time_zone::TimeZone;

use super::calls::{AnswerBody, CallBody};
use super::error::ApiError;
use super::extract::{Id, Ids, QueryParameters};
use super::fields::Checks;
use super::page::{self, ListBody};
use crate::app::App;

const LIST: &str = "contacts";

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_contacts))
        .routes(routes!(get_contact))
}

/// Which contacts are wanted.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ContactQuery {
    /// `pending`, `in_progress`, `retry`, `completed`, `refused`, `not_reached`, `failed`,
    /// `excluded` or `cancelled`.
    status: Option<String>,
    /// Part of the name or of the number.
    q: Option<String>,
    /// `next_cursor` of the part before.
    cursor: Option<String>,
    /// Rows at most, from 1 to 200; 50 if it is left out.
    #[param(value_type = Option<u16>, minimum = 1, maximum = 200)]
    limit: Option<String>,
}

impl ContactQuery {
    fn read(self, campaign_id: CampaignId) -> Result<(CallTaskFilter, PageRequest), ApiError> {
        let mut checks = Checks::default();
        let status = checks.parse("status", self.status.as_deref());
        let page = page::page(LIST, self.cursor, self.limit, &mut checks);
        if self.q.as_deref().is_some_and(|text| text.contains('\0')) {
            checks.wrong("q", "must not contain the character U+0000");
        }
        checks.finish_query()?;
        let filter = CallTaskFilter {
            campaign_id: Some(campaign_id),
            status,
            text: self.q.filter(|text| !text.trim().is_empty()),
        };
        Ok((filter, page))
    }
}

/// Who is to be called.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ContactDataBody {
    /// The number, in E.164.
    phone_number: String,
    /// What to call the person.
    name: String,
    /// The language to be spoken; absent means the campaign's.
    language: Option<&'static str>,
    /// The zones the person may be in; none means the campaign's.
    time_zones: Vec<&'static str>,
    /// Higher is called earlier.
    priority: i16,
    /// Every other column of the list.
    contact_data: BTreeMap<String, String>,
}

impl From<Contact> for ContactDataBody {
    fn from(contact: Contact) -> Self {
        Self {
            phone_number: contact.phone_number.to_string(),
            name: contact.name,
            language: contact.language.map(Language::code),
            time_zones: contact.time_zones.into_iter().map(TimeZone::name).collect(),
            priority: contact.priority,
            contact_data: contact.extra,
        }
    }
}

/// One contact, and where it stands.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ContactBody {
    /// The task's identifier.
    id: Uuid,
    /// The campaign.
    campaign_id: Uuid,
    /// The upload it came with.
    upload_id: Option<Uuid>,
    #[serde(flatten)]
    contact: ContactDataBody,
    /// Where it stands.
    status: &'static str,
    /// While it waits: not before this instant.
    due_at: Option<DateTime<Utc>>,
    /// While it is in progress: the call. All calls are listed with the single contact.
    live_call_id: Option<Uuid>,
    /// Calls made so far.
    attempts_count: u16,
    /// How many of them count: faults of the system or the provider are free.
    attempts_spent: u16,
    /// When the latest call was made.
    last_attempt_at: Option<DateTime<Utc>>,
    /// The strongest outcome so far.
    outcome: Option<&'static str>,
    /// Why the person was not called when the gate was last asked.
    reason: Option<&'static str>,
    /// The same as a sentence.
    reason_sentence: Option<&'static str>,
    /// When it was created.
    created_at: DateTime<Utc>,
    /// When it last changed.
    updated_at: DateTime<Utc>,
}

impl From<CallTask> for ContactBody {
    fn from(task: CallTask) -> Self {
        Self {
            id: task.id.as_uuid(),
            campaign_id: task.campaign_id.as_uuid(),
            upload_id: task.upload_id.map(voicesurvey_core::id::UploadId::as_uuid),
            status: task.state.status().name(),
            due_at: task.state.due_at(),
            live_call_id: task
                .state
                .attempt_id()
                .map(voicesurvey_core::id::CallAttemptId::as_uuid),
            attempts_count: task.attempts_count,
            attempts_spent: task.attempts_spent,
            last_attempt_at: task.last_attempt_at,
            outcome: task.outcome.map(Outcome::name),
            reason: task.reason.map(Reason::name),
            reason_sentence: task.reason.map(Reason::sentence),
            created_at: task.created_at,
            updated_at: task.updated_at,
            contact: task.contact.into(),
        }
    }
}

/// Why a person is not being called at this moment.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct WhyNotNowBody {
    /// The reason's name.
    reason: &'static str,
    /// What it means.
    sentence: &'static str,
    /// When it is worth asking again; absent when that depends on something other than time.
    until: Option<DateTime<Utc>>,
}

impl From<WhyNotNow> for WhyNotNowBody {
    fn from(why: WhyNotNow) -> Self {
        Self {
            reason: why.reason.name(),
            sentence: why.reason.sentence(),
            until: why.until,
        }
    }
}

/// One contact with its calls and answers.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ContactDetailBody {
    #[serde(flatten)]
    contact: ContactBody,
    /// Why the person is not being called at this moment; absent while a call is in progress.
    why_not_now: Option<WhyNotNowBody>,
    /// The calls, newest first.
    calls: Vec<CallBody>,
    /// The answers of all calls.
    answers: Vec<AnswerBody>,
}

/// The contacts of a campaign, in the order of their creation.
#[utoipa::path(
    get, path = "/api/campaigns/{id}/contacts", tag = "contacts",
    params(("id" = Uuid, Path, description = "The campaign"), ContactQuery),
    responses((status = 200, body = ListBody<ContactBody>))
)]
async fn list_contacts(
    State(app): State<App>,
    actor: Actor,
    Id(id): Id<CampaignId>,
    QueryParameters(query): QueryParameters<ContactQuery>,
) -> Result<Json<ListBody<ContactBody>>, ApiError> {
    let (filter, page) = query.read(id)?;
    let tasks = app.reports.contacts(&actor, &filter, &page).await?;
    Ok(Json(ListBody::new(LIST, tasks, ContactBody::from)))
}

/// One contact with its calls and answers, and why it is not being called now.
#[utoipa::path(
    get, path = "/api/campaigns/{id}/contacts/{task}", tag = "contacts",
    params(
        ("id" = Uuid, Path, description = "The campaign"),
        ("task" = Uuid, Path, description = "The contact"),
    ),
    responses((status = 200, body = ContactDetailBody))
)]
async fn get_contact(
    State(app): State<App>,
    actor: Actor,
    Ids(id, task_id): Ids<CampaignId, CallTaskId>,
) -> Result<Json<ContactDetailBody>, ApiError> {
    let task = app.reports.contact(&actor, task_id).await?;
    if task.campaign_id != id {
        return Err(ApiError::not_found("there is no such contact"));
    }
    let filter = CallAttemptFilter {
        task_id: Some(task_id),
        ..CallAttemptFilter::default()
    };
    let largest = PageRequest::first(PageRequest::LARGEST);
    let calls = app.reports.calls(&actor, &filter, &largest).await?;
    let answers = app.reports.answers(&actor, task_id).await?;
    let now = app.clock.now();
    let why_not_now = app.reports.why_not_now(&actor, task_id, now).await?;
    Ok(Json(ContactDetailBody {
        contact: task.into(),
        why_not_now: why_not_now.map(WhyNotNowBody::from),
        calls: calls.rows.into_iter().map(CallBody::from).collect(),
        answers: answers.into_iter().map(AnswerBody::from).collect(),
    }))
}
