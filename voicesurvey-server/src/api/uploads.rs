//! Call lists: uploaded as a file, watched while they are added, and the rows that were not taken as
//! a file to be mended.

mod body;
pub(super) mod form;

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use voicesurvey_core::api_key::{Actor, Role};
use voicesurvey_core::call_list::{CallListSource as _, Upload};
use voicesurvey_core::id::{CampaignId, UploadId};
use voicesurvey_core::service::ServiceError;
use voicesurvey_files::Encoding;
use voicesurvey_files::error_file::{write_header, write_rows};

pub(super) use self::body::UploadBody;
use self::body::{PreviewBody, UploadStateBody};
pub(super) use self::form::UploadForm;
use super::error::ApiError;
use super::extract::{Id, Ids, QueryParameters};
use super::fields::Checks;
use super::page::{ListBody, PageQuery};
use crate::app::App;

const LIST: &str = "uploads";

/// Rows that are named in the answer; the error file has them all.
const SHOWN_ERRORS: u16 = 100;

/// Rows of the error file that are read at once.
const ERRORS_AT_ONCE: u16 = 1_000;

/// From this length on a file is not added before the request is answered, unless that is asked for.
const LONG_FILE: usize = 8 << 20;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(upload_contacts))
        .routes(routes!(list_uploads))
        .routes(routes!(get_upload, cancel_upload))
        .routes(routes!(get_upload_errors))
}

/// How an upload is to go.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct UploadQuery {
    /// `true` says what would happen, and changes nothing.
    #[param(value_type = Option<bool>)]
    preview: Option<String>,
    /// `true` answers as soon as the file has arrived; it is then added while others wait for
    /// nothing, and can be watched. `false` answers when it was added. Left out: `true` from 8 MiB on.
    #[param(value_type = Option<bool>)]
    background: Option<String>,
}

/// The body of an upload.
#[derive(ToSchema)]
#[expect(
    dead_code,
    reason = "it only describes the multipart body for the OpenAPI document"
)]
pub(super) struct UploadFormBody {
    /// The call list: CSV or another text, `.xlsx` or `.xls`.
    #[schema(format = Binary, content_media_type = "application/octet-stream")]
    file: String,
    /// The country of numbers without a country code, such as `IT`; the company's if it is left out.
    region: Option<String>,
    /// Which column holds what, where that is not found by itself: a JSON object such as
    /// `{"phone_number": "Mobile", "name": "B"}`.
    mapping: Option<String>,
}

/// Adds the people of a call list to a campaign.
///
/// Rows that cannot be used are named in the answer, and the others are kept. Uploading a list
/// twice adds nobody twice. A long list is added in the background: watch it where the answer says.
/// Needs the role manager.
#[utoipa::path(
    post, path = "/api/campaigns/{id}/contacts/upload", tag = "contacts",
    params(("id" = Uuid, Path, description = "The campaign"), UploadQuery),
    request_body(content = UploadFormBody, content_type = "multipart/form-data"),
    responses(
        (status = 201, body = UploadBody),
        (status = 202, description = "The list is being added", body = UploadStateBody),
        (status = 200, description = "A preview", body = PreviewBody),
    )
)]
async fn upload_contacts(
    State(app): State<App>,
    actor: Actor,
    Id(id): Id<CampaignId>,
    QueryParameters(query): QueryParameters<UploadQuery>,
    request: Request,
) -> Result<Response, ApiError> {
    let (preview, background) = query.read()?;
    app.reports.campaign(&actor, id).await?;
    // Only now: nobody's file is read for a campaign that does not exist, or who may not add to it.
    require_manager(&actor)?;
    let form = UploadForm::read(request, &app, false).await?;
    if preview {
        return shown_before(&app, &actor, id, form).await;
    }
    if background.unwrap_or(form.length >= LONG_FILE) {
        let upload = app.uploads.begin(&actor, id, form.file.file_name()).await?;
        let url = format!("/api/campaigns/{id}/uploads/{}", upload.id);
        let body = state_body(&app, &actor, upload.clone()).await?;
        app.upload_jobs.start(actor, upload, form.file);
        let location = [(header::LOCATION, url)];
        return Ok((StatusCode::ACCEPTED, location, Json(body)).into_response());
    }
    let turn = app.upload_turns.acquire().await;
    let _turn = turn.map_err(ApiError::internal)?;
    let upload = app.campaigns.upload(&actor, id, form.file.into()).await?;
    let body = upload_body(&app, &actor, upload).await?;
    Ok((StatusCode::CREATED, Json(body)).into_response())
}

/// Refuses whoever may not bring a file, before it is read.
pub(super) fn require_manager(actor: &Actor) -> Result<(), ApiError> {
    let needed = Role::Manager;
    if actor.role >= needed {
        Ok(())
    } else {
        Err(ServiceError::Forbidden { needed }.into())
    }
}

impl UploadQuery {
    fn read(self) -> Result<(bool, Option<bool>), ApiError> {
        let mut checks = Checks::default();
        let preview = checks.parse("preview", self.preview.as_deref());
        let background = checks.parse("background", self.background.as_deref());
        checks.finish_query()?;
        Ok((preview.unwrap_or_default(), background))
    }
}

async fn shown_before(
    app: &App,
    actor: &Actor,
    id: CampaignId,
    form: UploadForm,
) -> Result<Response, ApiError> {
    let turn = app.upload_turns.acquire().await;
    let _turn = turn.map_err(ApiError::internal)?;
    let file = std::sync::Arc::new(form.file);
    let preview = app.campaigns.preview(actor, id, file.clone()).await?;
    let (_, counters) = app.reports.campaign(actor, id).await?;
    let name = file.file_name().to_owned();
    let body = PreviewBody::new(name, preview, file.found(), counters.total_tasks());
    Ok(Json(body).into_response())
}

/// What became of an upload, for the answer.
pub(super) async fn upload_body(
    app: &App,
    actor: &Actor,
    upload: Upload,
) -> Result<UploadBody, ApiError> {
    let errors = app.uploads.errors(actor, &upload, 0, SHOWN_ERRORS).await?;
    let (_, counters) = app.reports.campaign(actor, upload.campaign_id).await?;
    Ok(UploadBody::new(upload, errors, counters.total_tasks()))
}

async fn state_body(app: &App, actor: &Actor, upload: Upload) -> Result<UploadStateBody, ApiError> {
    let errors = app.uploads.errors(actor, &upload, 0, SHOWN_ERRORS).await?;
    let (_, counters) = app.reports.campaign(actor, upload.campaign_id).await?;
    Ok(UploadStateBody::new(upload, errors, counters.total_tasks()))
}

/// The uploads of a campaign, newest first, without the rows that were not taken.
#[utoipa::path(
    get, path = "/api/campaigns/{id}/uploads", tag = "contacts",
    params(("id" = Uuid, Path, description = "The campaign"), PageQuery),
    responses((status = 200, body = ListBody<UploadStateBody>))
)]
async fn list_uploads(
    State(app): State<App>,
    actor: Actor,
    Id(id): Id<CampaignId>,
    QueryParameters(query): QueryParameters<PageQuery>,
) -> Result<Json<ListBody<UploadStateBody>>, ApiError> {
    let page = query.read(LIST)?;
    let uploads = app.uploads.list(&actor, id, &page).await?;
    let (_, counters) = app.reports.campaign(&actor, id).await?;
    let total_tasks = counters.total_tasks();
    let body = |upload| UploadStateBody::new(upload, Vec::new(), total_tasks);
    Ok(Json(ListBody::new(LIST, uploads, body)))
}

/// One upload: where it stands, and in the end what became of it.
#[utoipa::path(
    get, path = "/api/campaigns/{id}/uploads/{upload}", tag = "contacts",
    params(
        ("id" = Uuid, Path, description = "The campaign"),
        ("upload" = Uuid, Path, description = "The upload"),
    ),
    responses((status = 200, body = UploadStateBody))
)]
async fn get_upload(
    State(app): State<App>,
    actor: Actor,
    Ids(id, upload): Ids<CampaignId, UploadId>,
) -> Result<Json<UploadStateBody>, ApiError> {
    let upload = app.uploads.get(&actor, id, upload).await?;
    state_body(&app, &actor, upload).await.map(Json)
}

/// Cancels an upload that runs: nobody of it will be added. Needs the role manager.
#[utoipa::path(
    delete, path = "/api/campaigns/{id}/uploads/{upload}", tag = "contacts",
    params(
        ("id" = Uuid, Path, description = "The campaign"),
        ("upload" = Uuid, Path, description = "The upload"),
    ),
    responses((status = 200, body = UploadStateBody))
)]
async fn cancel_upload(
    State(app): State<App>,
    actor: Actor,
    Ids(id, upload): Ids<CampaignId, UploadId>,
) -> Result<Json<UploadStateBody>, ApiError> {
    let upload = app.uploads.cancel(&actor, id, upload).await?;
    app.upload_jobs.stop_one(upload.id);
    state_body(&app, &actor, upload).await.map(Json)
}

/// The rows of an upload that were not taken, as CSV: the columns of the list, and three more that
/// say what is wrong. Mended and uploaded again, it is a call list.
#[utoipa::path(
    get, path = "/api/campaigns/{id}/uploads/{upload}/errors", tag = "contacts",
    params(
        ("id" = Uuid, Path, description = "The campaign"),
        ("upload" = Uuid, Path, description = "The upload"),
    ),
    responses((status = 200, content_type = "text/csv", body = String))
)]
async fn get_upload_errors(
    State(app): State<App>,
    actor: Actor,
    Ids(id, upload): Ids<CampaignId, UploadId>,
) -> Result<Response, ApiError> {
    let upload = app.uploads.get(&actor, id, upload).await?;
    let attachment = format!("attachment; filename=\"errors-{}.csv\"", upload.id);
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (header::CONTENT_DISPOSITION, &attachment),
    ];
    let parts = ErrorFile {
        app,
        actor,
        upload,
        after_row: None,
    };
    let parts = stream::try_unfold(parts, ErrorFile::next);
    Ok((headers, Body::from_stream(parts)).into_response())
}

/// An error file that is written in parts, so that one of a million rows needs no memory. A fault
/// on the way breaks the transfer off.
struct ErrorFile {
    app: App,
    actor: Actor,
    upload: Upload,
    /// The row that was written last; absent before the header.
    after_row: Option<u64>,
}

impl ErrorFile {
    async fn next(mut self) -> Result<Option<(Bytes, Self)>, ServiceError> {
        let columns = &self.upload.columns;
        let mut part = Vec::new();
        let Some(after_row) = self.after_row else {
            let encoding = Encoding::Utf8WithByteOrderMark;
            write_header(columns, &mut part, encoding).map_err(unwritten)?;
            self.after_row = Some(0);
            return Ok(Some((part.into(), self)));
        };
        let errors = self
            .app
            .uploads
            .errors(&self.actor, &self.upload, after_row, ERRORS_AT_ONCE)
            .await?;
        let Some(last) = errors.last() else {
            return Ok(None);
        };
        self.after_row = Some(last.row);
        write_rows(columns, &errors, &mut part).map_err(unwritten)?;
        Ok(Some((part.into(), self)))
    }
}

fn unwritten(error: std::io::Error) -> ServiceError {
    voicesurvey_core::ports::StorageError::Failed(error.into()).into()
}
