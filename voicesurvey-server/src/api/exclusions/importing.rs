//! Exclusions from a file: whatever can be read as a call list.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::body::Body;
use axum::extract::multipart::Field;
use axum::extract::{DefaultBodyLimit, FromRequest, Multipart, Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use tokio::sync::OwnedSemaphorePermit;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouterExt as _};
use utoipa_axum::routes;
use voicesurvey_core::call_list::{CallListSource as _, RowError};
use voicesurvey_core::phone_number::{PhoneNumber, Region};
use voicesurvey_core::service::Keeper;
use voicesurvey_core::service::exclusions::{Excluded, ImportedExclusions};
use voicesurvey_files::call_list::Role;

use super::ExcludedBody;
use super::refused::RefusedFile;
use crate::api::auth::Caller;
use crate::api::error::ApiError;
use crate::api::extract::QueryParameters;
use crate::api::fields::Checks;
use crate::api::uploads::form::{file_name, not_kept, read_mapping, spool, text, unread};
use crate::api::uploads::require_manager;
use crate::app::App;
use crate::uploads::UploadedFile;

/// What a request may have besides the file.
const OTHER_PARTS: usize = 256 << 10;

/// The largest file. It is taken while the request waits.
const LARGEST_FILE: usize = 20 << 20;

/// For so long an answer waits until what waits for numbers of the operator's list has ended in
/// every company.
const WAIT_FOR_COMPANIES: Duration = Duration::from_secs(20);

pub(super) fn routes() -> OpenApiRouter<App> {
    let limit = DefaultBodyLimit::max(LARGEST_FILE + OTHER_PARTS);
    OpenApiRouter::new().routes(routes!(import_exclusions).layer(limit))
}

/// How the answer is wanted.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::api) struct ExclusionImportQuery {
    /// `true` answers with the rows that were not taken as CSV, to be mended and imported again: the
    /// columns of the file, and three more that say what is wrong.
    #[param(value_type = Option<bool>)]
    error_file: Option<String>,
}

/// The body of an import.
#[derive(ToSchema)]
#[expect(
    dead_code,
    reason = "it only describes the multipart body for the OpenAPI document"
)]
pub(in crate::api) struct ExclusionImportBody {
    /// The file, of at most 20 MiB: whatever can be uploaded as a call list. Every number of a row
    /// counts; other columns do not matter.
    #[schema(format = Binary, content_media_type = "application/octet-stream")]
    file: String,
    /// Why these numbers are excluded.
    reason: Option<String>,
    /// The region in which numbers without a country code are read; the company's if it is left
    /// out. The operator has none.
    region: Option<String>,
    /// Which column holds the numbers, where that is not found by itself: a JSON object such as
    /// `{"phone_number": "B"}`, by heading, letter or number.
    mapping: Option<String>,
}

/// What became of an import.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct ImportedExclusionsBody {
    #[serde(flatten)]
    counts: ImportedCountsBody,
    /// All of them.
    errors: Vec<ExclusionRowErrorBody>,
}

/// The counts of an import.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct ImportedCountsBody {
    /// The name of the file.
    file_name: String,
    /// Rows in the file, without the header.
    total_rows: u64,
    /// Rows whose numbers all stood further up in the file.
    duplicates_in_list: u64,
    #[serde(flatten)]
    excluded: ExcludedBody,
    /// Whether contacts of companies that wait with a number of the operator's list are still being
    /// ended; nobody dials them, and they are not counted.
    still_ending_contacts: bool,
    /// Rows with a cell that could not be read; other numbers of such a row were taken.
    errors_count: u64,
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

/// What a request brings.
struct Import {
    file: UploadedFile,
    reason: Option<String>,
    region: Option<Region>,
}

/// Excludes the numbers of a file, at once in all campaigns.
///
/// Rows that cannot be used are all named in the answer, and the others are taken. Long lists are
/// taken in parts; one that was interrupted is completed by importing it again. Needs the role
/// manager; with the operator's token the numbers are excluded for every company.
#[utoipa::path(
    post, path = "/api/exclusions/import", tag = "exclusions",
    params(ExclusionImportQuery),
    request_body(content = ExclusionImportBody, content_type = "multipart/form-data"),
    responses((status = 200, content(
        (ImportedExclusionsBody = "application/json"), (String = "text/csv"),
    )))
)]
async fn import_exclusions(
    State(app): State<App>,
    caller: Caller,
    QueryParameters(query): QueryParameters<ExclusionImportQuery>,
    request: Request,
) -> Result<Response, ApiError> {
    let mut checks = Checks::default();
    let error_file = checks.parse("error_file", query.error_file.as_deref());
    checks.finish_query()?;
    if let Caller::Company(actor) = &caller {
        require_manager(actor)?;
    }
    let import = Import::read(request, &app).await?;
    // Only now: nobody waits for whoever sends slowly.
    let turn = app.import_turns.clone().acquire_owned().await;
    let turn = turn.map_err(ApiError::internal)?;
    let Import {
        file,
        reason,
        region,
    } = import;
    let refused = UploadedFile::create(&app.http.upload_folder).map_err(not_kept)?;
    let mut refused = RefusedFile::new(refused);
    let keeper = Keeper::from(caller);
    let imported = app
        .exclusions
        .import(&keeper, &file, region, reason, &mut refused);
    let mut imported = imported.await?;
    let numbers = std::mem::take(&mut imported.to_end);
    let ended = end_everywhere(&app, numbers, turn).await?;
    if error_file.unwrap_or_default() {
        let body = refused.into_csv(imported.columns).await;
        let headers = [
            (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
            (
                header::CONTENT_DISPOSITION,
                "attachment; filename=\"errors.csv\"",
            ),
        ];
        return Ok((headers, body.map_err(ApiError::internal)?).into_response());
    }
    let body = counts(file.file_name(), &imported, ended);
    answer(refused, &body).await
}

fn counts(
    file_name: &str,
    imported: &ImportedExclusions,
    ended: Option<Excluded>,
) -> ImportedCountsBody {
    let mut excluded = imported.excluded;
    excluded.add(ended.unwrap_or_default());
    ImportedCountsBody {
        file_name: file_name.to_owned(),
        total_rows: imported.total_rows,
        duplicates_in_list: imported.duplicates,
        excluded: excluded.into(),
        still_ending_contacts: ended.is_none(),
        errors_count: imported.errors_count,
    }
}

/// The answer with all rows that were not taken, written as it is sent.
async fn answer(refused: RefusedFile, counts: &ImportedCountsBody) -> Result<Response, ApiError> {
    let head = serde_json::to_string(counts).map_err(ApiError::internal)?;
    let body: Body = refused.into_json(&head).await.map_err(ApiError::internal)?;
    Ok(([(header::CONTENT_TYPE, "application/json")], body).into_response())
}

/// Ends what waits for numbers of the operator's list, which goes on when the answer no longer waits
/// for it. `None` if it does; nothing is to be done for a company's list.
async fn end_everywhere(
    app: &App,
    numbers: Vec<PhoneNumber>,
    turn: OwnedSemaphorePermit,
) -> Result<Option<Excluded>, ApiError> {
    if numbers.is_empty() {
        return Ok(Some(Excluded::default()));
    }
    let exclusions = app.exclusions.clone();
    let ending = tokio::spawn(async move {
        let ended = exclusions.end_everywhere(&numbers).await;
        drop(turn);
        if let Err(error) = &ended {
            let error = error as &dyn std::error::Error;
            tracing::error!(
                error,
                "contacts of numbers that the operator has excluded end when their turn comes"
            );
        }
        ended
    });
    match tokio::time::timeout(WAIT_FOR_COMPANIES, ending).await {
        Ok(ended) => Ok(Some(ended.map_err(ApiError::internal)??)),
        Err(_) => Ok(None),
    }
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
        let mut mapping: BTreeMap<Role, String> = BTreeMap::new();
        let next = |error| unread(error, limit);
        while let Some(field) = multipart.next_field().await.map_err(next)? {
            match field.name() {
                Some("file") if file.is_none() => {
                    let name = file_name(field.file_name().unwrap_or_default());
                    file = Some((name, spool(field, app, limit).await?.0));
                }
                Some("reason") if reason.is_none() => {
                    reason = Some(line("reason", field, limit).await?);
                }
                Some("region") if region.is_none() => {
                    let text = line("region", field, limit).await?;
                    region = checks.parse("region", Some(text.trim()));
                }
                Some("mapping") if mapping.is_empty() => {
                    mapping = read_mapping(&text("mapping", field, limit).await?, &mut checks);
                }
                Some(name @ ("file" | "reason" | "region" | "mapping")) => {
                    checks.wrong(name, "send one");
                }
                name => checks.wrong(name.unwrap_or_default(), "unknown field"),
            }
        }
        let Some((name, content)) = file else {
            let message = "is required: send the numbers in the multipart field 'file'";
            checks.wrong("file", message);
            return Err(checks.into());
        };
        checks.finish()?;
        Ok(Self {
            file: UploadedFile::new(name, content).read_with(region, mapping),
            reason,
            region,
        })
    }
}

/// A field that is a short text.
async fn line(name: &str, field: Field<'_>, limit: usize) -> Result<String, ApiError> {
    let text = text(name, field, limit).await?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}
