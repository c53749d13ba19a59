//! Campaigns: created, changed, started, stopped.

use axum::Json;
use axum::extract::{FromRequest as _, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::IntoResponse;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use voicesurvey_core::api_key::Actor;
use voicesurvey_core::campaign::CampaignStatus;
use voicesurvey_core::id::CampaignId;
use voicesurvey_core::ports::repositories::CampaignCounters;

use super::campaign_body::{CampaignBody, CampaignSettingsBody};
use super::error::ApiError;
use super::extract::{self, Id, JsonBody, QueryParameters};
use super::fields::{Checks, Field, UnknownFields};
use super::page::{self, ListBody};
use super::uploads::{self, UploadBody, UploadForm};
use crate::app::App;

const LIST: &str = "campaigns";

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_campaigns, create_campaign))
        .routes(routes!(get_campaign, change_campaign, delete_campaign))
        .routes(routes!(set_campaign_status))
        .routes(routes!(start_campaign))
        .routes(routes!(pause_campaign))
        .routes(routes!(resume_campaign))
        .routes(routes!(cancel_campaign))
}

/// Which campaigns are wanted.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct CampaignQuery {
    /// `draft`, `scheduled`, `running`, `paused`, `completed` or `cancelled`.
    status: Option<String>,
    /// `next_cursor` of the part before.
    cursor: Option<String>,
    /// Rows at most, from 1 to 200; 50 if it is left out.
    #[param(value_type = Option<u16>, minimum = 1, maximum = 200)]
    limit: Option<String>,
}

/// Where the campaign shall stand. One of the two fields, which mean the same.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub(super) struct CampaignStatusBody {
    /// `running` starts or resumes; `paused`; `cancelled`.
    #[schema(value_type = Option<String>, example = "running")]
    status: Field<String>,
    /// Another name of `status`.
    #[schema(value_type = Option<String>)]
    new_status: Field<String>,
    #[serde(flatten)]
    #[schema(ignore)]
    unknown: UnknownFields,
}

/// What somebody may ask of a campaign.
enum Wanted {
    Running,
    Paused,
    Cancelled,
}

impl CampaignStatusBody {
    fn read(self) -> Result<Wanted, ApiError> {
        let mut checks = Checks::default();
        let (name, field) = match (self.status.is_named(), self.new_status.is_named()) {
            (false, true) => ("new_status", self.new_status),
            (true, true) => {
                checks.wrong("new_status", "give status or new_status, not both");
                ("status", self.status)
            }
            (_, false) => ("status", self.status),
        };
        checks.unknown(self.unknown);
        let status = checks.required(name, field);
        let wanted = match status.as_deref() {
            Some("running") => Some(Wanted::Running),
            Some("paused") => Some(Wanted::Paused),
            Some("cancelled") => Some(Wanted::Cancelled),
            Some(other) => {
                let message = format!("'{other}' cannot be set: use running, paused or cancelled");
                checks.wrong(name, message);
                None
            }
            None => None,
        };
        let Some(wanted) = wanted else {
            return Err(checks.into());
        };
        checks.finish()?;
        Ok(wanted)
    }
}

/// A campaign and its call list in one body.
#[derive(ToSchema)]
#[expect(
    dead_code,
    reason = "it only describes the multipart body for the OpenAPI document"
)]
pub(super) struct CampaignFormBody {
    /// The campaign, as the body that is JSON has it.
    settings: CampaignSettingsBody,
    /// The call list: CSV or another text, `.xlsx` or `.xls`.
    #[schema(format = Binary, content_media_type = "application/octet-stream")]
    file: String,
    /// The country of numbers without a country code; the company's if it is left out.
    region: Option<String>,
    /// Which column holds what, where that is not found by itself: a JSON object.
    mapping: Option<String>,
}

/// A campaign that was created.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CreatedCampaignBody {
    #[serde(flatten)]
    campaign: CampaignBody,
    /// What became of its call list, if one came with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    upload: Option<UploadBody>,
}

/// Creates a draft. Needs the role manager.
///
/// With a form instead of JSON, the people of a call list are added in the same step: if that is
/// not possible, there is no campaign either.
#[utoipa::path(
    post, path = "/api/campaigns", tag = "campaigns",
    request_body(content(
        (CampaignSettingsBody = "application/json"),
        (CampaignFormBody = "multipart/form-data"),
    )),
    responses((status = 201, body = CreatedCampaignBody))
)]
async fn create_campaign(
    State(app): State<App>,
    actor: Actor,
    request: Request,
) -> Result<impl IntoResponse, ApiError> {
    let body = if is_form(request.headers()) {
        create_with_list(&app, &actor, request).await?
    } else {
        let JsonBody(body) = JsonBody::<CampaignSettingsBody>::from_request(request, &app).await?;
        let new = body.read_new(actor.company_id)?;
        let campaign = app.campaigns.create(&actor, new).await?;
        CreatedCampaignBody {
            campaign: CampaignBody::from((campaign, CampaignCounters::default())),
            upload: None,
        }
    };
    let location = [(
        header::LOCATION,
        format!("/api/campaigns/{}", body.campaign.id()),
    )];
    Ok((StatusCode::CREATED, location, Json(body)))
}

fn is_form(headers: &HeaderMap) -> bool {
    let content_type = headers.get(header::CONTENT_TYPE);
    let content_type = content_type.and_then(|value| value.to_str().ok());
    let essence = content_type.and_then(|value| value.split(';').next());
    essence.is_some_and(|essence| essence.trim().eq_ignore_ascii_case("multipart/form-data"))
}

/// B7.
async fn create_with_list(
    app: &App,
    actor: &Actor,
    request: Request,
) -> Result<CreatedCampaignBody, ApiError> {
    uploads::require_manager(actor)?;
    let form = UploadForm::read(request, app, true).await?;
    let settings: CampaignSettingsBody = extract::read_json(&form.settings)?;
    let new = settings.read_new(actor.company_id)?;
    let turn = app.upload_turns.acquire().await;
    let _turn = turn.map_err(ApiError::internal)?;
    let list = form.file.into();
    let (campaign, upload) = app.campaigns.create_with_list(actor, new, list).await?;
    let upload = uploads::upload_body(app, actor, upload).await?;
    let found = app.reports.campaign(actor, campaign.id).await?;
    Ok(CreatedCampaignBody {
        campaign: CampaignBody::from(found),
        upload: Some(upload),
    })
}

/// Campaigns, newest first.
#[utoipa::path(
    get, path = "/api/campaigns", tag = "campaigns", params(CampaignQuery),
    responses((status = 200, body = ListBody<CampaignBody>))
)]
async fn list_campaigns(
    State(app): State<App>,
    actor: Actor,
    QueryParameters(query): QueryParameters<CampaignQuery>,
) -> Result<Json<ListBody<CampaignBody>>, ApiError> {
    let mut checks = Checks::default();
    let status: Option<CampaignStatus> = checks.parse("status", query.status.as_deref());
    let page = page::page(LIST, query.cursor, query.limit, &mut checks);
    checks.finish_query()?;
    let status = status.map(CampaignStatus::name);
    let campaigns = app.reports.campaigns(&actor, status, &page).await?;
    Ok(Json(ListBody::new(LIST, campaigns, CampaignBody::from)))
}

/// One campaign.
#[utoipa::path(
    get, path = "/api/campaigns/{id}", tag = "campaigns",
    params(("id" = Uuid, Path, description = "The campaign")),
    responses((status = 200, body = CampaignBody))
)]
async fn get_campaign(
    State(app): State<App>,
    actor: Actor,
    Id(id): Id<CampaignId>,
) -> Result<Json<CampaignBody>, ApiError> {
    shown(&app, &actor, id).await
}

/// Changes a campaign that has not started; its name, description, limits and budget also later:
/// new limits apply to the next call. What is left out stays as it is. Needs the role manager.
#[utoipa::path(
    patch, path = "/api/campaigns/{id}", tag = "campaigns",
    params(("id" = Uuid, Path, description = "The campaign")),
    request_body = CampaignSettingsBody, responses((status = 200, body = CampaignBody))
)]
async fn change_campaign(
    State(app): State<App>,
    actor: Actor,
    Id(id): Id<CampaignId>,
    JsonBody(body): JsonBody<CampaignSettingsBody>,
) -> Result<Json<CampaignBody>, ApiError> {
    let (old, _) = app.reports.campaign(&actor, id).await?;
    let changes = body.read_changes(actor.company_id, old.effective_settings())?;
    app.campaigns.change(&actor, id, changes).await?;
    shown(&app, &actor, id).await
}

/// Removes a campaign with everything that belongs to it. Refused while it runs, and while calls
/// are in progress. Needs the role manager.
#[utoipa::path(
    delete, path = "/api/campaigns/{id}", tag = "campaigns",
    params(("id" = Uuid, Path, description = "The campaign")), responses((status = 204))
)]
async fn delete_campaign(
    State(app): State<App>,
    actor: Actor,
    Id(id): Id<CampaignId>,
) -> Result<StatusCode, ApiError> {
    app.campaigns.delete(&actor, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Starts, pauses, resumes or cancels a campaign. Needs the role manager.
#[utoipa::path(
    post, path = "/api/campaigns/{id}/status", tag = "campaigns",
    params(("id" = Uuid, Path, description = "The campaign")),
    request_body = CampaignStatusBody, responses((status = 200, body = CampaignBody))
)]
async fn set_campaign_status(
    State(app): State<App>,
    actor: Actor,
    Id(id): Id<CampaignId>,
    JsonBody(body): JsonBody<CampaignStatusBody>,
) -> Result<Json<CampaignBody>, ApiError> {
    match body.read()? {
        // Starting a paused campaign resumes it.
        Wanted::Running => app.campaigns.start(&actor, id).await?,
        Wanted::Paused => app.campaigns.pause(&actor, id).await?,
        Wanted::Cancelled => app.campaigns.cancel(&actor, id).await?,
    };
    shown(&app, &actor, id).await
}

/// Starts calling, or waits for the start date. Starting twice is refused, so that two people
/// notice each other. Needs the role manager.
#[utoipa::path(
    post, path = "/api/campaigns/{id}/start", tag = "campaigns",
    params(("id" = Uuid, Path, description = "The campaign")),
    responses((status = 200, body = CampaignBody))
)]
async fn start_campaign(
    State(app): State<App>,
    actor: Actor,
    Id(id): Id<CampaignId>,
) -> Result<Json<CampaignBody>, ApiError> {
    app.campaigns.start(&actor, id).await?;
    shown(&app, &actor, id).await
}

/// Stops calling; calls in progress end by themselves. Needs the role manager.
#[utoipa::path(
    post, path = "/api/campaigns/{id}/pause", tag = "campaigns",
    params(("id" = Uuid, Path, description = "The campaign")),
    responses((status = 200, body = CampaignBody))
)]
async fn pause_campaign(
    State(app): State<App>,
    actor: Actor,
    Id(id): Id<CampaignId>,
) -> Result<Json<CampaignBody>, ApiError> {
    app.campaigns.pause(&actor, id).await?;
    shown(&app, &actor, id).await
}

/// Goes on calling after a pause. Needs the role manager.
#[utoipa::path(
    post, path = "/api/campaigns/{id}/resume", tag = "campaigns",
    params(("id" = Uuid, Path, description = "The campaign")),
    responses((status = 200, body = CampaignBody))
)]
async fn resume_campaign(
    State(app): State<App>,
    actor: Actor,
    Id(id): Id<CampaignId>,
) -> Result<Json<CampaignBody>, ApiError> {
    app.campaigns.resume(&actor, id).await?;
    shown(&app, &actor, id).await
}

/// Gives a campaign up for good; who was not called will not be. Needs the role manager.
#[utoipa::path(
    post, path = "/api/campaigns/{id}/cancel", tag = "campaigns",
    params(("id" = Uuid, Path, description = "The campaign")),
    responses((status = 200, body = CampaignBody))
)]
async fn cancel_campaign(
    State(app): State<App>,
    actor: Actor,
    Id(id): Id<CampaignId>,
) -> Result<Json<CampaignBody>, ApiError> {
    app.campaigns.cancel(&actor, id).await?;
    shown(&app, &actor, id).await
}

/// The campaign as it is now.
async fn shown(app: &App, actor: &Actor, id: CampaignId) -> Result<Json<CampaignBody>, ApiError> {
    Ok(Json(app.reports.campaign(actor, id).await?.into()))
}
