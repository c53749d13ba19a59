//! Erasing people, and how long what is known about them is kept.

use std::num::NonZeroU16;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;
use voicesurvey_core::api_key::Actor;
use voicesurvey_core::erasure::{ErasedRows, Erasure, Retention};
use voicesurvey_core::id::ErasureId;
use voicesurvey_core::service::erasures::{Erased, UnendedCampaign};

use super::error::ApiError;
use super::extract::{Id, JsonBody, QueryParameters};
use super::fields::{Checks, Clearable, Field, UnknownFields};
use super::page::{ListBody, PageQuery};
use crate::app::App;

const LIST: &str = "erasures";

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_erasures, erase_person))
        .routes(routes!(get_erasure))
        .routes(routes!(get_retention, set_retention))
}

/// Who is to be erased.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub(super) struct NewErasureBody {
    /// The person's number.
    #[schema(value_type = String, example = "+39 347 123 4567")]
    phone_number: Field<String>,
    /// Why. It is kept, so it must not name the number.
    #[schema(value_type = String, example = "a letter of 3 May")]
    reason: Field<String>,
    #[serde(flatten)]
    #[schema(ignore)]
    unknown: UnknownFields,
}

impl NewErasureBody {
    fn read(self) -> Result<(String, String), ApiError> {
        let mut checks = Checks::default();
        checks.unknown(self.unknown);
        let number = checks.required("phone_number", self.phone_number);
        let reason = checks.required("reason", self.reason);
        match (number, reason) {
            (Some(number), Some(reason)) => checks.finish().map(|()| (number, reason)),
            _ => Err(checks.into()),
        }
    }
}

/// That somebody was erased. It does not say who.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ErasureBody {
    /// Its identifier.
    id: Uuid,
    /// Why, in the words of whoever asked for it.
    reason: String,
    /// The API key with which it was asked for.
    requested_by: Uuid,
    /// When.
    created_at: DateTime<Utc>,
    /// How much was erased.
    erased: ErasedRowsBody,
}

/// How much was erased, by kind.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ErasedRowsBody {
    /// Contacts. They remain as nobody's, with their status and outcome.
    contacts: u64,
    /// Further contacts in whose cell the number stood beside theirs, from which it was taken out.
    other_contacts: u64,
    /// Calls. They remain with their times, outcome and price, and without the number.
    calls: u64,
    /// Conversations.
    conversations: u64,
    /// Turns: what was said.
    turns: u64,
    /// Answers, with the words that prove them.
    answers: u64,
    /// What answers were before somebody corrected them.
    revisions: u64,
    /// Consents and refusals.
    consents: u64,
    /// Events for subscribers.
    events: u64,
    /// Entries of the exclusion list, and of what was taken off it.
    exclusions: u64,
    /// Rows of call lists that were not taken and in which the number stood.
    upload_errors: u64,
    /// Recordings. The provider keeps them: it is asked at once to erase them, and again every hour
    /// until it has.
    recordings: u64,
    /// Files of results that were kept to be fetched: those that were finished have expired, those
    /// that were being written are begun anew.
    exports: u64,
}

impl From<ErasedRows> for ErasedRowsBody {
    fn from(erased: ErasedRows) -> Self {
        Self {
            contacts: erased.contacts,
            other_contacts: erased.other_contacts,
            calls: erased.calls,
            conversations: erased.conversations,
            turns: erased.turns,
            answers: erased.answers,
            revisions: erased.revisions,
            consents: erased.consents,
            events: erased.events,
            exclusions: erased.exclusions,
            upload_errors: erased.upload_errors,
            recordings: erased.recordings,
            exports: erased.exports,
        }
    }
}

impl From<Erasure> for ErasureBody {
    fn from(erasure: Erasure) -> Self {
        Self {
            id: erasure.id.as_uuid(),
            reason: erasure.reason,
            requested_by: erasure.requested_by.as_uuid(),
            created_at: erasure.created_at,
            erased: erasure.erased.into(),
        }
    }
}

/// How long a company keeps what it knows about people; absent is for good.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RetentionBody {
    /// Days after a call during which what was said in it is kept.
    transcript_days: Option<u16>,
    /// Days after the end of its campaign during which an answer is kept.
    answer_days: Option<u16>,
    /// Days after the end of its campaign during which a contact is kept: number, name, further
    /// columns.
    contact_days: Option<u16>,
    /// Campaigns that are older than the shorter of `answer_days` and `contact_days` and have not
    /// ended, drafts too: nothing of them is forgotten before somebody ends or removes them.
    kept_until_ended: Vec<UnendedCampaignBody>,
}

/// A campaign that has not ended.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct UnendedCampaignBody {
    /// The campaign.
    campaign_id: Uuid,
    /// Its name.
    name: String,
    /// `draft`, `scheduled`, `running` or `paused`.
    status: &'static str,
    /// How many contacts are kept with it.
    contacts: u64,
    /// When it was created.
    created_at: DateTime<Utc>,
}

impl From<UnendedCampaign> for UnendedCampaignBody {
    fn from(kept: UnendedCampaign) -> Self {
        Self {
            campaign_id: kept.campaign.id.as_uuid(),
            name: kept.campaign.name,
            status: kept.campaign.status.name(),
            contacts: kept.contacts,
            created_at: kept.campaign.created_at,
        }
    }
}

impl RetentionBody {
    async fn of(app: &App, actor: &Actor, retention: Retention) -> Result<Self, ApiError> {
        let kept = app.erasures.kept_until_ended(actor, retention).await?;
        Ok(Self {
            kept_until_ended: kept.into_iter().map(UnendedCampaignBody::from).collect(),
            transcript_days: retention.transcript_days.map(NonZeroU16::get),
            answer_days: retention.answer_days.map(NonZeroU16::get),
            contact_days: retention.contact_days.map(NonZeroU16::get),
        })
    }
}

/// How long anything is to be kept; what is left out stays as it is, and `null` is for good.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub(super) struct RetentionChangesBody {
    /// Days after a call during which what was said in it is kept; from 1 to 3650.
    #[serde(default)]
    #[schema(value_type = Option<u16>)]
    transcript_days: Clearable<NonZeroU16>,
    /// Days after the end of its campaign during which an answer is kept; from 1 to 3650.
    #[serde(default)]
    #[schema(value_type = Option<u16>)]
    answer_days: Clearable<NonZeroU16>,
    /// Days after the end of its campaign during which a contact is kept; from 30 to 3650, because
    /// attempt caps look back so far.
    #[serde(default)]
    #[schema(value_type = Option<u16>)]
    contact_days: Clearable<NonZeroU16>,
    #[serde(flatten)]
    #[schema(ignore)]
    unknown: UnknownFields,
}

impl RetentionChangesBody {
    fn read(self, old: Retention) -> Result<Retention, ApiError> {
        let mut checks = Checks::default();
        checks.unknown(self.unknown);
        let mut days = |name, field, old| checks.change(name, field).applied_to(old);
        let retention = Retention {
            transcript_days: days("transcript_days", self.transcript_days, old.transcript_days),
            answer_days: days("answer_days", self.answer_days, old.answer_days),
            contact_days: days("contact_days", self.contact_days, old.contact_days),
        };
        checks.finish()?;
        Ok(retention)
    }
}

/// Erases a person, over all campaigns, for good. Needs the role admin.
///
/// Name, number, further columns, conversations, answers, consents and rows of call lists that were
/// not taken are erased, and recordings at the provider; calls and outcomes remain as nobody's, so
/// that counts and rates stay right. The number stays excluded, by a keyed hash. Refused while the
/// number is being called. Asked for again it erases what has come since, or answers 200 with the
/// first report.
#[utoipa::path(
    post, path = "/api/erasures", tag = "erasures", request_body = NewErasureBody,
    responses(
        (status = 201, body = ErasureBody),
        (status = 200, description = "Nothing was left to erase", body = ErasureBody),
    )
)]
async fn erase_person(
    State(app): State<App>,
    actor: Actor,
    JsonBody(body): JsonBody<NewErasureBody>,
) -> Result<(StatusCode, Json<ErasureBody>), ApiError> {
    let (number, reason) = body.read()?;
    let (status, report) = match app.erasures.erase(&actor, &number, &reason).await? {
        Erased::Now(report) => (StatusCode::CREATED, report),
        Erased::Before(report) => (StatusCode::OK, report),
    };
    Ok((status, Json(report.into())))
}

/// Reports of erasures, newest first. Needs the role admin.
#[utoipa::path(
    get, path = "/api/erasures", tag = "erasures", params(PageQuery),
    responses((status = 200, body = ListBody<ErasureBody>))
)]
async fn list_erasures(
    State(app): State<App>,
    actor: Actor,
    QueryParameters(query): QueryParameters<PageQuery>,
) -> Result<Json<ListBody<ErasureBody>>, ApiError> {
    let page = app.erasures.list(&actor, &query.read(LIST)?).await?;
    Ok(Json(ListBody::new(LIST, page, ErasureBody::from)))
}

/// The report of an erasure: when, why and how much, and not who. Needs the role admin.
#[utoipa::path(
    get, path = "/api/erasures/{id}", tag = "erasures",
    params(("id" = Uuid, Path, description = "The erasure")),
    responses((status = 200, body = ErasureBody))
)]
async fn get_erasure(
    State(app): State<App>,
    actor: Actor,
    Id(id): Id<ErasureId>,
) -> Result<Json<ErasureBody>, ApiError> {
    Ok(Json(app.erasures.get(&actor, id).await?.into()))
}

/// How long the company keeps what it knows about people.
#[utoipa::path(
    get, path = "/api/retention", tag = "erasures",
    responses((status = 200, body = RetentionBody))
)]
async fn get_retention(
    State(app): State<App>,
    actor: Actor,
) -> Result<Json<RetentionBody>, ApiError> {
    let retention = app.erasures.retention(&actor).await?;
    Ok(Json(RetentionBody::of(&app, &actor, retention).await?))
}

/// Changes how long the company keeps what it knows about people. What is older is forgotten within
/// the hour, for good. Needs the role admin.
#[utoipa::path(
    patch, path = "/api/retention", tag = "erasures", request_body = RetentionChangesBody,
    responses((status = 200, body = RetentionBody))
)]
async fn set_retention(
    State(app): State<App>,
    actor: Actor,
    JsonBody(body): JsonBody<RetentionChangesBody>,
) -> Result<Json<RetentionBody>, ApiError> {
    let old = app.erasures.retention(&actor).await?;
    let retention = body.read(old)?;
    let kept = app.erasures.set_retention(&actor, retention).await?;
    Ok(Json(RetentionBody::of(&app, &actor, kept).await?))
}
