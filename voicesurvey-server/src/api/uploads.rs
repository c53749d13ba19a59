//! Call lists: uploaded as a file, and the rows that were not taken as a file to be mended.

use axum::Json;
use axum::extract::{DefaultBodyLimit, FromRequest, Multipart, Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouterExt as _};
use utoipa_axum::routes;
use uuid::Uuid;
use voicesurvey_core::api_key::Actor;
use voicesurvey_core::call_list::{CallList, Contact, RowError, Upload};
use voicesurvey_core::id::{CampaignId, UploadId};
use voicesurvey_files::Encoding;
use voicesurvey_files::call_list::{ReadLimits, read_call_list};
use voicesurvey_files::error_file::write_error_file;

use super::contacts::ContactDataBody;
use super::error::ApiError;
use super::extract::{Id, Ids, QueryParameters};
use super::fields::Checks;
use crate::app::App;

/// Rows that are named in the answer; the error file has them all.
const SHOWN_ERRORS: usize = 100;

/// What a request may have besides the file: boundaries and headers of the parts.
const MULTIPART_OVERHEAD: usize = 64 << 10;

/// The longest file name that is kept.
const LONGEST_FILE_NAME: usize = 200;

pub(super) fn routes(largest_upload_bytes: usize) -> OpenApiRouter<App> {
    let limit = DefaultBodyLimit::max(largest_upload_bytes.saturating_add(MULTIPART_OVERHEAD));
    OpenApiRouter::new()
        .routes(routes!(upload_contacts).layer(limit))
        .routes(routes!(get_upload_errors))
}

/// The file of a multipart body.
struct UploadedFile {
    name: String,
    content: Vec<u8>,
}

impl FromRequest<App> for UploadedFile {
    type Rejection = ApiError;

    async fn from_request(request: Request, app: &App) -> Result<Self, ApiError> {
        let limit = app.http.largest_upload_bytes;
        let announced = request.headers().get(header::CONTENT_LENGTH);
        let announced = announced.and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
        // Refused before a byte of it is read.
        if announced.is_some_and(|bytes| bytes > limit.saturating_add(MULTIPART_OVERHEAD)) {
            return Err(ApiError::too_large("the file", limit));
        }
        let multipart = Multipart::from_request(request, app).await;
        let multipart = multipart.map_err(|rejection| {
            let detail = "send the call list as multipart/form-data, in the field 'file'";
            let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
            ApiError::new(status, "unsupported_media_type", detail).caused_by(rejection)
        })?;
        read_file(multipart, limit).await
    }
}

async fn read_file(mut multipart: Multipart, limit: usize) -> Result<UploadedFile, ApiError> {
    let unread = |error: axum::extract::multipart::MultipartError| {
        if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
            return ApiError::too_large("the file", limit);
        }
        let detail = "the multipart body cannot be read to its end";
        ApiError::new(StatusCode::BAD_REQUEST, "unreadable_body", detail).caused_by(error)
    };
    let mut checks = Checks::default();
    let mut file = None;
    while let Some(field) = multipart.next_field().await.map_err(unread)? {
        match field.name() {
            Some("file") if file.is_none() => {
                let name = file_name(field.file_name().unwrap_or_default());
                let content = field.bytes().await.map_err(unread)?;
                if content.len() > limit {
                    return Err(ApiError::too_large("the file", limit));
                }
                let content = content.into();
                file = Some(UploadedFile { name, content });
            }
            Some("file") => checks.wrong("file", "send one file"),
            name => checks.wrong(name.unwrap_or_default(), "unknown field"),
        }
    }
    let Some(file) = file else {
        checks.wrong(
            "file",
            "is required: send the call list in the multipart field 'file'",
        );
        return Err(checks.into());
    };
    checks.finish()?;
    Ok(file)
}

/// A file's name without the folders that some browsers send, and without what cannot be shown.
fn file_name(given: &str) -> String {
    let name = given.rsplit(['/', '\\']).next().unwrap_or_default();
    let shown = name.chars().filter(|letter| !letter.is_control());
    let name: String = shown.take(LONGEST_FILE_NAME).collect();
    if name.is_empty() {
        "call list".to_owned()
    } else {
        name
    }
}

impl UploadedFile {
    /// Reads the file, which takes a moment, where it keeps nobody waiting.
    async fn read(self) -> Result<CallList, ApiError> {
        let read = move || read_call_list(&self.name, &self.content, &ReadLimits::default());
        let list = tokio::task::spawn_blocking(read).await;
        list.map_err(ApiError::internal)?.map_err(|error| {
            let mut checks = Checks::default();
            checks.wrong("file", error.to_string());
            checks.into()
        })
    }
}

/// Whether to look first.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct UploadQuery {
    /// `true` says what would happen, and changes nothing.
    #[param(value_type = Option<bool>)]
    preview: Option<String>,
}

/// The body of an upload.
#[derive(ToSchema)]
#[expect(
    dead_code,
    reason = "it only describes the multipart body for the OpenAPI document"
)]
pub(super) struct UploadFormBody {
    /// The call list: CSV with a header that names the phone column.
    #[schema(format = Binary, content_media_type = "application/octet-stream")]
    file: String,
}

/// What became of an upload.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct UploadBody {
    /// Its identifier; absent in a preview.
    upload_id: Option<Uuid>,
    /// The name of the file.
    file_name: String,
    /// Rows in the file, without the header.
    total_rows: u64,
    /// People who were added.
    created: u64,
    /// Rows whose number stood further up in the file.
    duplicates_in_list: u64,
    /// Rows whose number was already in the campaign.
    duplicates_in_campaign: u64,
    /// Of those who were added, how many are on the exclusion list and will not be called.
    excluded: u64,
    /// Rows that were not taken.
    errors_count: usize,
    /// The first 100 of them.
    errors: Vec<RowErrorBody>,
    /// Where all of them can be downloaded, to be mended and uploaded again.
    error_file_url: Option<String>,
    /// People in the campaign now; in a preview, who would be.
    total_tasks: u64,
    /// In a preview, the first contacts as they would be stored.
    #[serde(skip_serializing_if = "Option::is_none")]
    contacts: Option<Vec<ContactDataBody>>,
}

/// A row that was not taken.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RowErrorBody {
    /// Its number in the file; the header is row 1.
    row: u64,
    /// The column at fault.
    column: String,
    /// What stands there.
    value: String,
    /// What is wrong with it.
    reason: String,
    /// All of that in a sentence.
    message: String,
}

impl From<&RowError> for RowErrorBody {
    fn from(error: &RowError) -> Self {
        Self {
            row: error.row,
            column: error.column.clone(),
            value: error.value.clone(),
            reason: error.reason.clone(),
            message: error.message(),
        }
    }
}

impl UploadBody {
    fn new(upload: Upload, total_tasks: u64) -> Self {
        let url = format!(
            "/api/campaigns/{}/uploads/{}/errors",
            upload.campaign_id, upload.id
        );
        let shown = upload.errors.iter().take(SHOWN_ERRORS);
        Self {
            upload_id: Some(upload.id.as_uuid()),
            total_rows: upload.total_rows,
            created: upload.created,
            duplicates_in_list: upload.duplicates_in_list,
            duplicates_in_campaign: upload.duplicates_in_campaign,
            excluded: upload.excluded,
            errors_count: upload.errors.len(),
            error_file_url: (!upload.errors.is_empty()).then_some(url),
            errors: shown.map(RowErrorBody::from).collect(),
            total_tasks,
            contacts: None,
            file_name: upload.file_name,
        }
    }

    fn preview(upload: Upload, contacts: Vec<Contact>, total_tasks: u64) -> Self {
        let total_tasks = total_tasks + upload.created;
        Self {
            upload_id: None,
            error_file_url: None,
            contacts: Some(contacts.into_iter().map(ContactDataBody::from).collect()),
            ..Self::new(upload, total_tasks)
        }
    }
}

/// Adds the people of a call list to a campaign.
///
/// Rows that cannot be used are named in the answer, and the others are kept. Uploading a list
/// twice adds nobody twice. Needs the role manager.
#[utoipa::path(
    post, path = "/api/campaigns/{id}/contacts/upload", tag = "contacts",
    params(("id" = Uuid, Path, description = "The campaign"), UploadQuery),
    request_body(content = UploadFormBody, content_type = "multipart/form-data"),
    responses((status = 201, body = UploadBody), (status = 200, description = "A preview", body = UploadBody))
)]
async fn upload_contacts(
    State(app): State<App>,
    actor: Actor,
    Id(id): Id<CampaignId>,
    QueryParameters(query): QueryParameters<UploadQuery>,
    request: Request,
) -> Result<(StatusCode, Json<UploadBody>), ApiError> {
    let preview = query.read()?;
    let (_, counters) = app.reports.campaign(&actor, id).await?;
    // Only now: nobody's file is read for a campaign that does not exist.
    let file = UploadedFile::from_request(request, &app).await?;
    let _turn = app.uploads.acquire().await.map_err(ApiError::internal)?;
    let list = file.read().await?;
    if preview {
        let (upload, contacts) = app.campaigns.preview(&actor, id, list).await?;
        let body = UploadBody::preview(upload, contacts, counters.total_tasks());
        return Ok((StatusCode::OK, Json(body)));
    }
    let upload = app.campaigns.upload(&actor, id, list).await?;
    let (_, counters) = app.reports.campaign(&actor, id).await?;
    Ok((
        StatusCode::CREATED,
        Json(UploadBody::new(upload, counters.total_tasks())),
    ))
}

impl UploadQuery {
    fn read(self) -> Result<bool, ApiError> {
        let mut checks = Checks::default();
        let preview = checks.parse("preview", self.preview.as_deref());
        checks.finish_query()?;
        Ok(preview.unwrap_or_default())
    }
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
    let upload = app.reports.upload(&actor, id, upload).await?;
    let mut file = Vec::new();
    write_error_file(&upload, &mut file, Encoding::Utf8WithByteOrderMark)
        .map_err(ApiError::internal)?;
    let attachment = format!("attachment; filename=\"errors-{}.csv\"", upload.id);
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (header::CONTENT_DISPOSITION, &attachment),
    ];
    Ok((headers, file).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_name_has_no_folders_and_nothing_that_cannot_be_shown() {
        assert_eq!(file_name("C:\\Users\\me\\list.csv"), "list.csv");
        assert_eq!(file_name("../../etc/pass\nwd"), "passwd");
        assert_eq!(file_name(""), "call list");
    }
}
