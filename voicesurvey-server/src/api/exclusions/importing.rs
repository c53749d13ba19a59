//! Exclusions from a file: whatever can be read as a call list.

use axum::Json;
use axum::extract::multipart::{Field, MultipartError};
use axum::extract::{DefaultBodyLimit, FromRequest, Multipart, Request, State};
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouterExt as _};
use utoipa_axum::routes;
use voicesurvey_core::call_list::{CallList, RowError};
use voicesurvey_core::phone_number::Region;
use voicesurvey_core::service::exclusions::ImportedExclusions;
use voicesurvey_files::call_list::{ReadLimits, read_call_list};

use super::ExcludedBody;
use crate::api::auth::Caller;
use crate::api::error::ApiError;
use crate::api::fields::Checks;
use crate::app::App;

/// Rows that are named in the answer.
const SHOWN_ERRORS: usize = 100;

/// What a request may have besides the file.
const OTHER_PARTS: usize = 64 << 10;

/// The largest file: it is held in memory while it is read.
const LARGEST_FILE: usize = 20 << 20;

pub(super) fn routes() -> OpenApiRouter<App> {
    let limit = DefaultBodyLimit::max(LARGEST_FILE + OTHER_PARTS);
    OpenApiRouter::new().routes(routes!(import_exclusions).layer(limit))
}

/// The body of an import.
#[derive(ToSchema)]
#[expect(
    dead_code,
    reason = "it only describes the multipart body for the OpenAPI document"
)]
pub(in crate::api) struct ExclusionImportBody {
    /// The file: a column of numbers under a header that says so. Other columns do not matter.
    #[schema(format = Binary, content_media_type = "application/octet-stream")]
    file: String,
    /// Why these numbers are excluded.
    reason: Option<String>,
    /// The region in which numbers without a country code are read; the company's if it is left
    /// out. The operator has none.
    region: Option<String>,
}

/// What became of an import.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct ImportedExclusionsBody {
    /// The name of the file.
    file_name: String,
    /// Rows in the file, without the header.
    total_rows: u64,
    /// Rows whose number stood further up in the file.
    duplicates_in_list: u64,
    #[serde(flatten)]
    excluded: ExcludedBody,
    /// Rows that were not taken.
    errors_count: usize,
    /// The first 100 of them.
    errors: Vec<ExclusionRowErrorBody>,
}

/// A row that was not taken.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct ExclusionRowErrorBody {
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

impl From<&RowError> for ExclusionRowErrorBody {
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

impl ImportedExclusionsBody {
    fn new(file_name: String, imported: &ImportedExclusions) -> Self {
        let shown = imported.errors.iter().take(SHOWN_ERRORS);
        Self {
            file_name,
            total_rows: imported.total_rows,
            duplicates_in_list: imported.duplicates,
            excluded: imported.excluded.into(),
            errors_count: imported.errors.len(),
            errors: shown.map(ExclusionRowErrorBody::from).collect(),
        }
    }
}

/// What a request brings.
struct Import {
    file_name: String,
    content: Vec<u8>,
    reason: Option<String>,
    region: Option<Region>,
}

/// Excludes the numbers of a file, at once in all campaigns.
///
/// Rows that cannot be used are named in the answer, and the others are taken. Long lists are taken
/// in parts; one that was interrupted is completed by importing it again. Needs the role manager;
/// with the operator's token the numbers are excluded for every company.
#[utoipa::path(
    post, path = "/api/exclusions/import", tag = "exclusions",
    request_body(content = ExclusionImportBody, content_type = "multipart/form-data"),
    responses((status = 200, body = ImportedExclusionsBody))
)]
async fn import_exclusions(
    State(app): State<App>,
    caller: Caller,
    request: Request,
) -> Result<Json<ImportedExclusionsBody>, ApiError> {
    let import = Import::read(request, &app).await?;
    let _turn = app
        .upload_turns
        .acquire()
        .await
        .map_err(ApiError::internal)?;
    let Import {
        file_name,
        content,
        reason,
        region,
    } = import;
    let list = read_list(file_name, content).await?;
    let imported = app
        .exclusions
        .import(&caller.into(), &list, region, reason)
        .await?;
    let body = ImportedExclusionsBody::new(list.file_name, &imported);
    Ok(Json(body))
}

/// Reads the file, which takes a moment, where it keeps nobody waiting.
async fn read_list(name: String, content: Vec<u8>) -> Result<CallList, ApiError> {
    let read = move || read_call_list(&name, &content, &ReadLimits::default());
    let list = tokio::task::spawn_blocking(read).await;
    list.map_err(ApiError::internal)?.map_err(|error| {
        let mut checks = Checks::default();
        checks.wrong("file", error.to_string());
        checks.into()
    })
}

impl Import {
    async fn read(request: Request, app: &App) -> Result<Self, ApiError> {
        let limit = app.http.largest_upload_bytes.min(LARGEST_FILE);
        let multipart = Multipart::from_request(request, app).await;
        let mut multipart = multipart.map_err(|rejection| {
            let detail = "send the numbers as multipart/form-data, in the field 'file'";
            let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
            ApiError::new(status, "unsupported_media_type", detail).caused_by(rejection)
        })?;
        let mut checks = Checks::default();
        let (mut file, mut reason, mut region) = (None, None, None);
        while let Some(field) = next(&mut multipart, limit).await? {
            match field.name() {
                Some("file") if file.is_none() => {
                    let name = field.file_name().unwrap_or("exclusions").to_owned();
                    let content = field.bytes().await.map_err(|error| unread(error, limit))?;
                    file = Some((name, content));
                }
                Some("reason") if reason.is_none() => reason = Some(text(field, limit).await?),
                Some("region") if region.is_none() => {
                    let text = text(field, limit).await?;
                    region = checks.parse("region", Some(&text));
                }
                Some(name @ ("file" | "reason" | "region")) => checks.wrong(name, "send one"),
                name => checks.wrong(name.unwrap_or_default(), "unknown field"),
            }
        }
        let Some((file_name, content)) = file else {
            let message = "is required: send the numbers in the multipart field 'file'";
            checks.wrong("file", message);
            return Err(checks.into());
        };
        if content.len() > limit {
            return Err(ApiError::too_large("the file", limit));
        }
        checks.finish()?;
        Ok(Self {
            file_name,
            content: content.into(),
            reason,
            region,
        })
    }
}

async fn next(multipart: &mut Multipart, limit: usize) -> Result<Option<Field<'_>>, ApiError> {
    let field = multipart.next_field().await;
    field.map_err(|error| unread(error, limit))
}

async fn text(field: Field<'_>, limit: usize) -> Result<String, ApiError> {
    field.text().await.map_err(|error| unread(error, limit))
}

fn unread(error: MultipartError, limit: usize) -> ApiError {
    if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
        return ApiError::too_large("the file", limit);
    }
    let detail = "the multipart body cannot be read to its end";
    ApiError::new(StatusCode::BAD_REQUEST, "unreadable_body", detail).caused_by(error)
}
