//! Companies. Creating and changing them is the operator's; a company reads itself.

use std::num::{NonZeroU16, NonZeroU32};

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;
use voicesurvey_core::company::{Company, CompanyLimits, CompanyStatus};
use voicesurvey_core::gate::AttemptCaps;
use voicesurvey_core::id::CompanyId;
use voicesurvey_core::language::Language;
use voicesurvey_core::phone_number::Region;
use voicesurvey_core::service::companies::CompanyChanges;
use voicesurvey_core::service::{Change, NewCompany};
use voicesurvey_core::time_zone::TimeZone;

use super::auth::{Caller, Operator};
use super::error::ApiError;
use super::extract::{Id, JsonBody, QueryParameters};
use super::fields::{Checks, Clearable, Field, FromJson, UnknownFields};
use super::page::{ListBody, PageQuery};
use crate::app::App;

const LIST: &str = "companies";

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_companies, create_company))
        .routes(routes!(get_company, change_company, delete_company))
}

/// A company, and what it may use at once.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub(super) struct NewCompanyBody {
    /// What people call it.
    #[schema(value_type = String)]
    name: Field<String>,
    /// The IANA name of the zone of its office: `Europe/Rome`.
    #[schema(value_type = String, example = "Europe/Rome")]
    time_zone: Field<TimeZone>,
    /// The region in which numbers without a country code are read: `IT`.
    #[schema(value_type = String, example = "IT")]
    region: Field<Region>,
    /// The default language of its campaigns: `it`, `en`, `ru`, `es`, `fr`, `de`.
    #[schema(value_type = String, example = "it")]
    language: Field<Language>,
    /// Calls in progress at the same time; 50 if it is left out.
    #[schema(value_type = Option<u32>)]
    max_concurrent_calls: Field<u32>,
    /// Calls that start in any 60 seconds; 300 if it is left out.
    #[schema(value_type = Option<u32>)]
    calls_per_minute: Field<u32>,
    #[serde(flatten)]
    #[schema(ignore)]
    unknown: UnknownFields,
}

impl NewCompanyBody {
    fn read(self) -> Result<NewCompany, ApiError> {
        let mut checks = Checks::default();
        let name = checks.name(self.name);
        let time_zone = checks.required("time_zone", self.time_zone);
        let region = checks.required("region", self.region);
        let language = checks.required("language", self.language);
        let limits = CompanyLimits::default();
        let concurrent = checks.optional("max_concurrent_calls", self.max_concurrent_calls);
        let per_minute = checks.optional("calls_per_minute", self.calls_per_minute);
        checks.unknown(self.unknown);
        let (Some(name), Some(time_zone), Some(region), Some(language)) =
            (name, time_zone, region, language)
        else {
            return Err(checks.into());
        };
        checks.finish()?;
        Ok(NewCompany {
            name,
            time_zone,
            region,
            language,
            limits: CompanyLimits {
                max_concurrent_calls: concurrent.unwrap_or(limits.max_concurrent_calls),
                calls_per_minute: per_minute.unwrap_or(limits.calls_per_minute),
            },
        })
    }
}

/// What is to be changed; what is left out stays as it is.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub(super) struct CompanyChangesBody {
    /// What people call it.
    #[schema(value_type = Option<String>)]
    name: Field<String>,
    /// The IANA name of the zone of its office.
    #[schema(value_type = Option<String>)]
    time_zone: Field<TimeZone>,
    /// The region in which numbers without a country code are read.
    #[schema(value_type = Option<String>)]
    region: Field<Region>,
    /// The default language of its campaigns.
    #[schema(value_type = Option<String>)]
    language: Field<Language>,
    /// Calls in progress at the same time.
    #[schema(value_type = Option<u32>)]
    max_concurrent_calls: Field<u32>,
    /// Calls that start in any 60 seconds.
    #[schema(value_type = Option<u32>)]
    calls_per_minute: Field<u32>,
    /// `active`, or `suspended`: nobody new is called, and calls in progress end by themselves.
    #[schema(value_type = Option<String>)]
    status: Field<CompanyStatus>,
    /// How often one person may be called, over all campaigns. `null` lifts all caps.
    #[serde(default)]
    #[schema(value_type = Option<AttemptCapChangesBody>)]
    attempt_caps: Clearable<AttemptCapChangesBody>,
    #[serde(flatten)]
    #[schema(ignore)]
    unknown: UnknownFields,
}

/// Caps that are to be changed; those that are left out stay as they are, and `null` lifts one.
/// The spans are counted back from each call, so that no midnight lets twice as many through.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub(super) struct AttemptCapChangesBody {
    /// Calls in any 24 hours.
    #[serde(default)]
    #[schema(value_type = Option<u16>)]
    per_day: Clearable<NonZeroU16>,
    /// Calls in any 7 days.
    #[serde(default)]
    #[schema(value_type = Option<u16>)]
    per_week: Clearable<NonZeroU16>,
    /// Calls in any 30 days.
    #[serde(default)]
    #[schema(value_type = Option<u16>)]
    per_month: Clearable<NonZeroU16>,
    /// Minutes between two calls; at most 30 days.
    #[serde(default)]
    #[schema(value_type = Option<u32>)]
    minimum_gap_minutes: Clearable<NonZeroU32>,
    #[serde(flatten)]
    #[schema(ignore)]
    unknown: UnknownFields,
}

impl AttemptCapChangesBody {
    fn read(self, old: AttemptCaps, checks: &mut Checks) -> AttemptCaps {
        for (field, _) in self.unknown {
            checks.wrong(format!("attempt_caps.{field}"), "unknown field");
        }
        let mut calls = |name: &str, field, old| {
            let change = checks.change(&format!("attempt_caps.{name}"), field);
            change.applied_to(old)
        };
        AttemptCaps {
            per_day: calls("per_day", self.per_day, old.per_day),
            per_week: calls("per_week", self.per_week, old.per_week),
            per_month: calls("per_month", self.per_month, old.per_month),
            minimum_gap_minutes: checks
                .change("attempt_caps.minimum_gap_minutes", self.minimum_gap_minutes)
                .applied_to(old.minimum_gap_minutes),
        }
    }
}

impl FromJson for AttemptCapChangesBody {
    fn from_json(value: Value) -> Result<Self, String> {
        if !value.is_object() {
            return Err("must be an object".to_owned());
        }
        serde_json::from_value(value).map_err(|error| error.to_string())
    }
}

impl FromJson for CompanyStatus {
    fn from_json(value: Value) -> Result<Self, String> {
        let name = String::from_json(value)?;
        Self::from_name(&name)
            .ok_or_else(|| format!("unknown status '{name}': use active or suspended"))
    }
}

impl CompanyChangesBody {
    fn read(self, old: &Company) -> Result<CompanyChanges, ApiError> {
        let mut checks = Checks::default();
        let caps = match checks.change("attempt_caps", self.attempt_caps) {
            Change::Keep => None,
            Change::Clear => Some(AttemptCaps::default()),
            Change::Set(caps) => Some(caps.read(old.caps, &mut checks)),
        };
        let old = old.limits;
        let concurrent = checks.optional("max_concurrent_calls", self.max_concurrent_calls);
        let per_minute = checks.optional("calls_per_minute", self.calls_per_minute);
        let changes = CompanyChanges {
            name: checks.optional("name", self.name),
            time_zone: checks.optional("time_zone", self.time_zone),
            region: checks.optional("region", self.region),
            language: checks.optional("language", self.language),
            status: checks.optional("status", self.status),
            caps,
            limits: Some(CompanyLimits {
                max_concurrent_calls: concurrent.unwrap_or(old.max_concurrent_calls),
                calls_per_minute: per_minute.unwrap_or(old.calls_per_minute),
            }),
        };
        checks.unknown(self.unknown);
        checks.finish()?;
        Ok(changes)
    }
}

/// A company.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CompanyBody {
    /// Its identifier.
    id: Uuid,
    /// What people call it.
    name: String,
    /// The zone of its office.
    time_zone: &'static str,
    /// The region in which numbers without a country code are read.
    region: String,
    /// The default language of its campaigns.
    language: &'static str,
    /// Calls in progress at the same time.
    max_concurrent_calls: u32,
    /// Calls that start in any 60 seconds.
    calls_per_minute: u32,
    /// `active` or `suspended`.
    status: &'static str,
    /// How often one person may be called, over all campaigns.
    attempt_caps: AttemptCapsBody,
    /// When it was created.
    created_at: DateTime<Utc>,
}

/// How often one person may be called, over all campaigns; absent is not limited.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AttemptCapsBody {
    /// Calls in any 24 hours.
    per_day: Option<u16>,
    /// Calls in any 7 days.
    per_week: Option<u16>,
    /// Calls in any 30 days.
    per_month: Option<u16>,
    /// Minutes between two calls.
    minimum_gap_minutes: Option<u32>,
}

impl From<AttemptCaps> for AttemptCapsBody {
    fn from(caps: AttemptCaps) -> Self {
        Self {
            per_day: caps.per_day.map(NonZeroU16::get),
            per_week: caps.per_week.map(NonZeroU16::get),
            per_month: caps.per_month.map(NonZeroU16::get),
            minimum_gap_minutes: caps.minimum_gap_minutes.map(NonZeroU32::get),
        }
    }
}

impl From<Company> for CompanyBody {
    fn from(company: Company) -> Self {
        Self {
            id: company.id.as_uuid(),
            name: company.name,
            time_zone: company.time_zone.name(),
            region: company.region.to_string(),
            language: company.language.code(),
            max_concurrent_calls: company.limits.max_concurrent_calls,
            calls_per_minute: company.limits.calls_per_minute,
            status: company.status.name(),
            attempt_caps: company.caps.into(),
            created_at: company.created_at,
        }
    }
}

/// Creates a company, with a default skillbase for every language. Needs the operator's token.
#[utoipa::path(
    post, path = "/api/companies", tag = "companies", request_body = NewCompanyBody,
    responses((status = 201, body = CompanyBody))
)]
async fn create_company(
    State(app): State<App>,
    _: Operator,
    JsonBody(body): JsonBody<NewCompanyBody>,
) -> Result<impl IntoResponse, ApiError> {
    let company = app.companies.create(body.read()?).await?;
    let location = [(header::LOCATION, format!("/api/companies/{}", company.id))];
    Ok((
        StatusCode::CREATED,
        location,
        Json(CompanyBody::from(company)),
    ))
}

/// All companies, in the order of their creation. Needs the operator's token.
#[utoipa::path(
    get, path = "/api/companies", tag = "companies", params(PageQuery),
    responses((status = 200, body = ListBody<CompanyBody>))
)]
async fn list_companies(
    State(app): State<App>,
    _: Operator,
    QueryParameters(query): QueryParameters<PageQuery>,
) -> Result<Json<ListBody<CompanyBody>>, ApiError> {
    let page = app.companies.list(&query.read(LIST)?).await?;
    Ok(Json(ListBody::new(LIST, page, CompanyBody::from)))
}

/// One company: any for the operator, its own for a key.
#[utoipa::path(
    get, path = "/api/companies/{id}", tag = "companies",
    params(("id" = Uuid, Path, description = "The company")),
    responses((status = 200, body = CompanyBody))
)]
async fn get_company(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id<CompanyId>,
) -> Result<Json<CompanyBody>, ApiError> {
    let company = match caller {
        Caller::Operator => app.companies.get_any(id).await?,
        Caller::Company(actor) => app.companies.get(&actor, id).await?,
    };
    Ok(Json(company.into()))
}

/// Changes a company; limits, caps and status apply to the next call. Needs the operator's token.
#[utoipa::path(
    patch, path = "/api/companies/{id}", tag = "companies",
    params(("id" = Uuid, Path, description = "The company")), request_body = CompanyChangesBody,
    responses((status = 200, body = CompanyBody))
)]
async fn change_company(
    State(app): State<App>,
    _: Operator,
    Id(id): Id<CompanyId>,
    JsonBody(body): JsonBody<CompanyChangesBody>,
) -> Result<Json<CompanyBody>, ApiError> {
    let old = app.companies.get_any(id).await?;
    let changes = body.read(&old)?;
    Ok(Json(app.companies.change(id, changes).await?.into()))
}

/// Removes a company with its keys, skillbases and exclusions. Refused while it has campaigns. Needs
/// the operator's token.
#[utoipa::path(
    delete, path = "/api/companies/{id}", tag = "companies",
    params(("id" = Uuid, Path, description = "The company")), responses((status = 204))
)]
async fn delete_company(
    State(app): State<App>,
    _: Operator,
    Id(id): Id<CompanyId>,
) -> Result<StatusCode, ApiError> {
    app.companies.delete(id).await?;
    Ok(StatusCode::NO_CONTENT)
}
