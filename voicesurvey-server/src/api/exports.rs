//! Files of results: sent while they are written, or made to be fetched later.
//!
//! A file whose writing fails in the middle is broken off, so that no client takes the half of it for
//! the whole: the connection ends without the end of the body.

mod sending;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use futures_util::stream;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;
use voicesurvey_core::api_key::Actor;
use voicesurvey_core::call_task::TaskStatus;
use voicesurvey_core::contact_record::ContactFilter;
use voicesurvey_core::export::{
    Delimiter, Export, ExportFormat, ExportKind, ExportOrder, ExportState,
};
use voicesurvey_core::id::{CampaignId, ExportId};
use voicesurvey_core::language::Language;
use voicesurvey_core::outcome::Outcome;
use voicesurvey_core::ports::StorageError;
use voicesurvey_core::service::Exports;

use self::sending::Sending;
use super::contact_filter::{CellQuery, ColumnQuery, ContactFilterQuery, of_query};
use super::error::ApiError;
use super::extract::{Id, Ids, NoBody, QueryParameters};
use super::fields::Checks;
use super::number;
use super::page::{ListBody, PageQuery};
use super::rates;
use crate::app::App;
use crate::exports::{ExportError, ExportWriter};

const LIST: &str = "exports";

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(export_campaign))
        .routes(routes!(request_export, list_exports))
        .routes(routes!(get_export))
        .routes(routes!(fetch_export))
}

/// A file that somebody has asked for.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ExportBody {
    /// Its identifier.
    id: Uuid,
    /// The campaign it is made of.
    campaign_id: Uuid,
    /// `results`, `answers`, `attempts`, `dispositions`, `transcripts` or `codebook`.
    kind: &'static str,
    /// `csv`, `xlsx` or `parquet`.
    format: &'static str,
    /// What stands between the cells: `,`, `;` or `tab`; absent but for CSV.
    #[serde(skip_serializing_if = "Option::is_none")]
    delimiter: Option<&'static str>,
    /// From which share of applicable questions on an interview is partial; absent unless it was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<f64>)]
    partial_from: Option<Value>,
    /// From which share of applicable questions on an interview is complete; absent unless it was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<f64>)]
    complete_from: Option<Value>,
    /// Whose records it holds; absent where nothing is asked of them.
    filter: ExportFilterBody,
    /// `streamed` (it was sent while it was written), `waiting`, `running`, `done`, `failed` or
    /// `expired`.
    state: &'static str,
    /// The API key that asked for it.
    requested_by: Uuid,
    /// People whose records have been read. No more of them went out, however a transfer ended.
    people: u64,
    /// People in the campaign; absent with a filter, and in lists.
    people_total: Option<u64>,
    /// Rows, without the header.
    rows: u64,
    /// Bytes.
    bytes: u64,
    /// Why it could not be written.
    failure: Option<String>,
    /// When it was asked for.
    created_at: DateTime<Utc>,
    /// When it was finished or given up; absent of a file that was broken off while it was sent.
    ended_at: Option<DateTime<Utc>>,
    /// Until when it can be fetched.
    expires_at: Option<DateTime<Utc>>,
    /// How often its link was used to fetch it.
    fetches: u32,
    /// When it was last.
    last_fetched_at: Option<DateTime<Utc>>,
    /// Where it can be fetched without a key when it is done. Told once, to whoever asked for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    link: Option<String>,
}

/// Whose records a file holds. Conditions that were not made are absent.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ExportFilterBody {
    /// Columns of the list with the value asked for.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    columns: BTreeMap<String, String>,
    /// From that instant on.
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<DateTime<Utc>>,
    /// Before that instant.
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<DateTime<Utc>>,
    /// In that language.
    #[serde(skip_serializing_if = "Option::is_none")]
    language: Option<&'static str>,
    /// With that outcome.
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<&'static str>,
    /// In that status.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<&'static str>,
    /// In all of these cells of quotas.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    cells: BTreeSet<String>,
}

impl From<ContactFilter> for ExportFilterBody {
    fn from(filter: ContactFilter) -> Self {
        Self {
            columns: filter.columns,
            from: filter.from,
            to: filter.to,
            language: filter.language.map(Language::code),
            outcome: filter.outcome.map(Outcome::name),
            status: filter.status.map(TaskStatus::name),
            cells: filter.cells,
        }
    }
}

impl ExportBody {
    fn new(export: Export) -> Self {
        Self {
            id: export.id.as_uuid(),
            campaign_id: export.campaign_id.as_uuid(),
            kind: export.order.kind.name(),
            format: export.order.format.name(),
            delimiter: (export.order.format == ExportFormat::Csv)
                .then(|| export.order.delimiter.name()),
            partial_from: export.order.thresholds.partial_from().map(number),
            complete_from: export.order.thresholds.complete_from().map(number),
            filter: export.order.filter.into(),
            state: export.state.name(),
            requested_by: export.requested_by.as_uuid(),
            people: export.written.people,
            people_total: None,
            rows: export.written.rows,
            bytes: export.written.bytes,
            failure: export.failure,
            created_at: export.created_at,
            ended_at: export.ended_at,
            expires_at: export.expires_at,
            fetches: export.fetches,
            last_fetched_at: export.last_fetched_at,
            link: None,
        }
    }
}

/// What the query asks for.
async fn order(
    mut query: ContactFilterQuery,
    app: &App,
    actor: &Actor,
) -> Result<ExportOrder, ApiError> {
    let mut checks = Checks::default();
    let kind = query.take("kind");
    let kind = checks.parse("kind", kind.as_deref());
    let format = query.take("format");
    let format = checks.parse("format", format.as_deref());
    let format = format.unwrap_or(ExportFormat::Csv);
    let delimiter = query.take("delimiter");
    if delimiter.is_some() && format != ExportFormat::Csv {
        checks.wrong("delimiter", "only csv has one");
    }
    let delimiter = checks.parse("delimiter", delimiter.as_deref());
    let kind = kind.unwrap_or(ExportKind::Results);
    let thresholds = rates::thresholds(&mut query, &mut checks);
    if thresholds.are_given() && kind != ExportKind::Dispositions {
        checks.wrong(
            match thresholds.partial_from() {
                Some(_) => rates::PARTIAL_FROM,
                None => rates::COMPLETE_FROM,
            },
            "only the file dispositions is made by thresholds",
        );
    }
    let filter = query.read(app, actor, checks).await?;
    Ok(ExportOrder {
        kind,
        format,
        delimiter: delimiter.unwrap_or(Delimiter::Comma),
        filter,
        thresholds,
    })
}

impl From<ExportError> for ApiError {
    fn from(error: ExportError) -> Self {
        match error {
            ExportError::Storage(error) => error.into(),
            ExportError::File(error) => {
                let status = StatusCode::UNPROCESSABLE_ENTITY;
                Self::new(status, "cannot_be_written", error.to_string())
            }
            ExportError::Panicked(error) => Self::internal(error),
        }
    }
}

/// The headers of a file, which is to be saved under a name of its own.
fn headers(export: &Export) -> [(header::HeaderName, HeaderValue); 2] {
    let order = &export.order;
    let name = format!(
        "attachment; filename=\"{}-{}.{}\"",
        order.kind.name(),
        export.campaign_id,
        order.format.name()
    );
    let media_type = HeaderValue::from_static(order.format.media_type());
    // OK because the name is made of letters that headers may hold.
    let name = HeaderValue::try_from(name).unwrap_or(HeaderValue::from_static("attachment"));
    [
        (header::CONTENT_TYPE, media_type),
        (header::CONTENT_DISPOSITION, name),
    ]
}

/// Sends a file of results while it is being written: six kinds, three formats, with the filters of
/// the results. If something goes wrong in the middle the transfer is broken off: what arrived without
/// an error is complete. A client that takes nothing for half a minute is given up. Needs the role
/// manager; the codebook is for everybody.
#[utoipa::path(
    get, path = "/api/campaigns/{id}/export", tag = "exports",
    params(
        ("id" = Uuid, Path, description = "The campaign"),
        ("kind" = Option<String>, Query, description = "results, answers, attempts, dispositions, \
            transcripts or codebook; results if it is left out"),
        ("format" = Option<String>, Query, description = "csv, xlsx or parquet; csv if it is left out"),
        ("delimiter" = Option<String>, Query, description = "What stands between the cells of csv: `,`, \
            `;` or tab; a comma if it is left out"),
        ("partial_from" = Option<f64>, Query, description = "For dispositions: as that of the rates"),
        ("complete_from" = Option<f64>, Query, description = "For dispositions: as that of the rates"),
        ColumnQuery, CellQuery, ContactFilterQuery
    ),
    responses((status = 200, content_type = "application/octet-stream", body = Vec<u8>))
)]
async fn export_campaign(
    State(app): State<App>,
    actor: Actor,
    Id(id): Id<CampaignId>,
    QueryParameters(query): QueryParameters<ContactFilterQuery>,
) -> Result<Response, ApiError> {
    let order = order(query, &app, &actor).await?;
    let turn = app.export_streams.take(actor.company_id, Duration::ZERO);
    let turn = turn.await.ok_or_else(|| {
        let detail = "too many files are being sent at this moment: try again, or have this one made \
                      by POST /api/campaigns/{id}/exports";
        ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "busy", detail)
    })?;
    let begun = app.exports.stream(&actor, id, order).await;
    let (export, plan) = begun.map_err(of_query)?;
    let headers = headers(&export);
    let mut writer = ExportWriter::new(app.exports.clone(), plan).map_err(ExportError::from)?;
    // What goes wrong at once is told as a problem, and not by a broken transfer.
    let first = writer.next().await?;
    let sending = Sending {
        exports: app.exports.clone(),
        export,
        writer,
        turn,
    };
    Ok((headers, sending.body(first)).into_response())
}

/// Has a file made, and tells the link at which it can be fetched when it is done. The parameters
/// are those of the file that is sent at once. Needs the role manager; the codebook is for everybody.
#[utoipa::path(
    post, path = "/api/campaigns/{id}/exports", tag = "exports",
    params(
        ("id" = Uuid, Path, description = "The campaign"),
        ("kind" = Option<String>, Query, description = "results, answers, attempts, dispositions, \
            transcripts or codebook; results if it is left out"),
        ("format" = Option<String>, Query, description = "csv, xlsx or parquet; csv if it is left out"),
        ("delimiter" = Option<String>, Query, description = "What stands between the cells of csv: `,`, \
            `;` or tab; a comma if it is left out"),
        ("partial_from" = Option<f64>, Query, description = "For dispositions: as that of the rates"),
        ("complete_from" = Option<f64>, Query, description = "For dispositions: as that of the rates"),
        ColumnQuery, CellQuery, ContactFilterQuery
    ),
    responses((status = 202, body = ExportBody))
)]
async fn request_export(
    State(app): State<App>,
    actor: Actor,
    Id(id): Id<CampaignId>,
    QueryParameters(query): QueryParameters<ContactFilterQuery>,
    _: NoBody,
) -> Result<Response, ApiError> {
    let order = order(query, &app, &actor).await?;
    let requested = app.exports.request(&actor, id, order).await;
    let (export, secret) = requested.map_err(of_query)?;
    app.wake_up.wake();
    let location = format!("/api/campaigns/{id}/exports/{}", export.id);
    let body = ExportBody {
        link: Some(format!("/api/exports/{}_{secret}", export.id)),
        ..ExportBody::new(export)
    };
    Ok((
        StatusCode::ACCEPTED,
        [(header::LOCATION, location)],
        Json(body),
    )
        .into_response())
}

/// The files that were taken of a campaign or asked for, newest first: who, when, which people, how
/// many. Needs the role manager.
#[utoipa::path(
    get, path = "/api/campaigns/{id}/exports", tag = "exports",
    params(("id" = Uuid, Path, description = "The campaign"), PageQuery),
    responses((status = 200, body = ListBody<ExportBody>))
)]
async fn list_exports(
    State(app): State<App>,
    actor: Actor,
    Id(id): Id<CampaignId>,
    QueryParameters(query): QueryParameters<PageQuery>,
) -> Result<Json<ListBody<ExportBody>>, ApiError> {
    let page = query.read(LIST)?;
    let exports = app.exports.list(&actor, id, &page).await?;
    Ok(Json(ListBody::new(LIST, exports, ExportBody::new)))
}

/// How far a file has come. Needs the role manager.
#[utoipa::path(
    get, path = "/api/campaigns/{id}/exports/{export}", tag = "exports",
    params(
        ("id" = Uuid, Path, description = "The campaign"),
        ("export" = Uuid, Path, description = "The export"),
    ),
    responses((status = 200, body = ExportBody))
)]
async fn get_export(
    State(app): State<App>,
    actor: Actor,
    Ids(id, export): Ids<CampaignId, ExportId>,
) -> Result<Json<ExportBody>, ApiError> {
    let (export, people) = app.exports.get(&actor, id, export).await?;
    let is_filtered = export.order.filter != ContactFilter::default();
    Ok(Json(ExportBody {
        people_total: Some(people).filter(|_| !is_filtered),
        ..ExportBody::new(export)
    }))
}

/// Fetches a file that is done. The link is the proof: it needs no key. 409 while the file is not
/// done, 410 when it has expired.
#[utoipa::path(
    get, path = "/api/exports/{token}", tag = "exports", security(()),
    params(("token" = String, Path, description = "The end of the link")),
    responses((status = 200, content_type = "application/octet-stream", body = Vec<u8>))
)]
async fn fetch_export(
    State(app): State<App>,
    Path(token): Path<String>,
) -> Result<Response, ApiError> {
    let unknown = || ApiError::not_found("there is no such file");
    let (id, secret) = token.split_once('_').ok_or_else(unknown)?;
    let id = id.parse().map_err(|_| unknown())?;
    let export = app.exports.by_link(id, secret).await?;
    let export = export.ok_or_else(unknown)?;
    if export.has_expired(app.clock.now()) {
        let detail = "the file has expired: have it made again";
        return Err(ApiError::new(StatusCode::GONE, "expired", detail));
    }
    match export.state {
        ExportState::Done => {}
        ExportState::Failed => {
            let why = export.failure.unwrap_or_default();
            let detail = format!("the file could not be written: {why}");
            return Err(ApiError::new(StatusCode::CONFLICT, "export_failed", detail));
        }
        _ => {
            let detail = "the file is not done yet";
            return Err(ApiError::new(StatusCode::CONFLICT, "not_done", detail));
        }
    }
    app.exports.note_fetch(&export).await?;
    tracing::info!(export_id = %export.id, "an export is fetched");
    let headers = headers(&export);
    let length = [(header::CONTENT_LENGTH, export.written.bytes)];
    let pieces = stream::try_unfold((app.exports.clone(), export, 0), next_piece);
    Ok((
        headers,
        length.map(|(name, bytes)| (name, bytes.to_string())),
        Body::from_stream(pieces),
    )
        .into_response())
}

type Fetching = (Exports, Export, u32);

async fn next_piece(
    (exports, export, number): Fetching,
) -> Result<Option<(Bytes, Fetching)>, StorageError> {
    if number >= export.pieces {
        return Ok(None);
    }
    let piece = exports.piece(&export, number).await?;
    // It has expired since: the transfer ends before the length that was told.
    let piece = piece.ok_or_else(|| StorageError::Conflict {
        what: "the file has expired while it was fetched".to_owned(),
    })?;
    Ok(Some((piece.into(), (exports, export, number + 1))))
}
