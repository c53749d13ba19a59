//! Exclusion lists: a company's, and with the operator's token the operator's, which holds for every
//! company.

mod importing;
mod refused;

use axum::Json;
use axum::extract::{Path, State};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;
use voicesurvey_core::exclusion::{ExcludedBy, Exclusion, ExclusionRemoval, ExclusionSource};
use voicesurvey_core::id::{ApiKeyId, CallAttemptId};
use voicesurvey_core::phone_number::Region;
use voicesurvey_core::ports::{ExclusionFilter, PageRequest};
use voicesurvey_core::service::exclusions::Excluded;
use voicesurvey_core::service::{FieldError, Keeper, NewExclusions, ServiceError};

use super::auth::Caller;
use super::error::ApiError;
use super::extract::{JsonBody, QueryParameters};
use super::fields::{Checks, Field, UnknownFields};
use super::page::{self, ListBody, PageQuery};
use crate::app::App;

const LIST: &str = "exclusions";
const REMOVALS: &str = "exclusion removals";

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_exclusions, add_exclusions))
        .routes(routes!(list_exclusion_removals))
        .routes(routes!(get_exclusion, remove_exclusion))
        .merge(importing::routes())
}

impl From<Caller> for Keeper {
    fn from(caller: Caller) -> Self {
        match caller {
            Caller::Operator => Self::Operator,
            Caller::Company(actor) => Self::Company(actor),
        }
    }
}

/// Which exclusions are wanted.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ExclusionQuery {
    /// Part of the number; spaces and dashes do not matter.
    q: Option<String>,
    /// `spoken`, `api`, `import` or `staff`.
    source: Option<String>,
    /// `next_cursor` of the part before.
    cursor: Option<String>,
    /// Rows at most, from 1 to 200; 50 if it is left out.
    #[param(value_type = Option<u16>, minimum = 1, maximum = 200)]
    limit: Option<String>,
}

impl ExclusionQuery {
    fn read(self) -> Result<(ExclusionFilter, PageRequest), ApiError> {
        let mut checks = Checks::default();
        let source = checks.parse("source", self.source.as_deref());
        let page = page::page(LIST, self.cursor, self.limit, &mut checks);
        let text = self.q.map(|text| digits(&text));
        let is_number = |text: &String| text.chars().all(|c| c.is_ascii_digit() || c == '+');
        if text.as_ref().is_some_and(|text| !is_number(text)) {
            checks.wrong("q", "use digits, and a plus sign before them");
        }
        checks.finish_query()?;
        let text = text.filter(|text| !text.is_empty());
        Ok((ExclusionFilter { text, source }, page))
    }
}

/// The text without what numbers are only set apart with.
fn digits(text: &str) -> String {
    let is_part = |c: &char| !c.is_whitespace() && !matches!(c, '-' | '.' | '/' | '(' | ')');
    text.chars().filter(is_part).collect()
}

/// A number that is not called.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ExclusionBody {
    /// The number, in E.164.
    phone_number: String,
    /// How it came onto the list: `spoken` in a call, `api`, `import` or `staff`.
    source: &'static str,
    /// The call in which the person asked for it.
    call_id: Option<Uuid>,
    /// Why, in the words of whoever added it.
    reason: Option<String>,
    /// When it came onto the list.
    created_at: DateTime<Utc>,
    /// The API key with which it was added; absent when the person or the operator did.
    created_by: Option<Uuid>,
}

impl From<Exclusion> for ExclusionBody {
    fn from(exclusion: Exclusion) -> Self {
        Self {
            phone_number: exclusion.phone_number.to_string(),
            source: exclusion.source.name(),
            call_id: exclusion.attempt_id.map(CallAttemptId::as_uuid),
            reason: exclusion.note,
            created_at: exclusion.created_at,
            created_by: exclusion.created_by.map(ApiKeyId::as_uuid),
        }
    }
}

/// A number that was taken off the list.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ExclusionRemovalBody {
    /// Its identifier.
    id: Uuid,
    /// What was removed, as it stood.
    exclusion: ExclusionBody,
    /// Why it was removed.
    reason: String,
    /// When.
    removed_at: DateTime<Utc>,
    /// With which API key; absent when the operator did.
    removed_by: Option<Uuid>,
}

impl From<ExclusionRemoval> for ExclusionRemovalBody {
    fn from(removal: ExclusionRemoval) -> Self {
        Self {
            id: removal.id.as_uuid(),
            exclusion: removal.exclusion.into(),
            reason: removal.reason,
            removed_at: removal.removed_at,
            removed_by: removal.removed_by.map(ApiKeyId::as_uuid),
        }
    }
}

/// Numbers to be excluded: `phone_number` or `phone_numbers`.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub(super) struct NewExclusionsBody {
    /// One number.
    #[schema(value_type = Option<String>, example = "+39 347 123 4567")]
    phone_number: Field<String>,
    /// Several numbers, at most 10,000; longer lists are imported as a file.
    #[schema(value_type = Option<Vec<String>>)]
    phone_numbers: Field<Vec<String>>,
    /// Why.
    #[schema(value_type = Option<String>)]
    reason: Field<String>,
    /// `api`, or `staff` when somebody at a screen asks for it; `api` if it is left out.
    #[schema(value_type = Option<String>)]
    source: Field<String>,
    /// The region in which numbers without a country code are read; the company's if it is left
    /// out. The operator has none.
    #[schema(value_type = Option<String>, example = "IT")]
    region: Field<Region>,
    #[serde(flatten)]
    #[schema(ignore)]
    unknown: UnknownFields,
}

impl NewExclusionsBody {
    /// The numbers, and whether there is but one.
    fn read(self) -> Result<(NewExclusions, bool), ApiError> {
        let mut checks = Checks::default();
        checks.unknown(self.unknown);
        let named = (self.phone_number.is_named(), self.phone_numbers.is_named());
        let one = checks.optional("phone_number", self.phone_number);
        let several = checks.optional("phone_numbers", self.phone_numbers);
        match named {
            (true, true) => checks.wrong("phone_numbers", "give either this or phone_number"),
            (false, false) => checks.wrong("phone_number", "is required, or phone_numbers"),
            (true, false) | (false, true) => {}
        }
        let note = checks.optional("reason", self.reason);
        let region = checks.optional("region", self.region);
        let source = checks.optional("source", self.source);
        let source = match source.as_deref() {
            None | Some("api") => ExclusionSource::Api,
            Some("staff") => ExclusionSource::Staff,
            Some(_) => {
                checks.wrong("source", "use api or staff");
                ExclusionSource::Api
            }
        };
        checks.finish()?;
        let new = NewExclusions {
            phone_numbers: several.unwrap_or_else(|| one.into_iter().collect()),
            source,
            region,
            note,
        };
        Ok((new, named.0))
    }
}

/// What became of numbers that were to be excluded.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ExcludedBody {
    /// Numbers that are new on the list.
    added: u64,
    /// Numbers that were on it; their entries stay as they were.
    already_excluded: u64,
    /// Contacts that waited with one of the numbers, in any campaign, and are `excluded` now.
    contacts_excluded: u64,
    /// Calls that rang, that nobody had picked up, and that the provider was told to hang up. Calls
    /// that were answered end by themselves.
    calls_hung_up: u64,
}

impl From<Excluded> for ExcludedBody {
    fn from(excluded: Excluded) -> Self {
        Self {
            added: excluded.added,
            already_excluded: excluded.already_excluded,
            contacts_excluded: excluded.tasks_ended,
            calls_hung_up: excluded.calls_hung_up,
        }
    }
}

/// Whether a number may be called.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct NumberBody {
    /// The number, in E.164.
    phone_number: String,
    /// Whether it must not be called.
    excluded: bool,
    /// Who excluded it: `company` or `operator`; `erasure` if whoever has it was erased.
    excluded_by: Option<&'static str>,
    /// Its entry on the own list.
    exclusion: Option<ExclusionBody>,
}

/// Why it is removed.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct RemovalQuery {
    /// Why the number may be called again; it is kept.
    #[param(value_type = String)]
    reason: Option<String>,
}

/// The numbers that are not called, in their order: the company's list, or the operator's with the
/// operator's token.
#[utoipa::path(
    get, path = "/api/exclusions", tag = "exclusions", params(ExclusionQuery),
    responses((status = 200, body = ListBody<ExclusionBody>))
)]
async fn list_exclusions(
    State(app): State<App>,
    caller: Caller,
    QueryParameters(query): QueryParameters<ExclusionQuery>,
) -> Result<Json<ListBody<ExclusionBody>>, ApiError> {
    let (filter, page) = query.read()?;
    let page = app.exclusions.list(&caller.into(), &filter, &page).await?;
    Ok(Json(ListBody::new(LIST, page, ExclusionBody::from)))
}

/// Excludes one number or several, at once in all campaigns.
///
/// Contacts that wait with one of them are `excluded`, and calls that nobody has picked up are hung
/// up. A number that is excluded already is no error. Nothing is done if a number cannot be read.
/// Needs the role manager; with the operator's token the numbers are excluded for every company.
#[utoipa::path(
    post, path = "/api/exclusions", tag = "exclusions", request_body = NewExclusionsBody,
    responses((status = 200, body = ExcludedBody))
)]
async fn add_exclusions(
    State(app): State<App>,
    caller: Caller,
    JsonBody(body): JsonBody<NewExclusionsBody>,
) -> Result<Json<ExcludedBody>, ApiError> {
    let (new, is_one) = body.read()?;
    let added = app.exclusions.add(&caller.into(), new).await;
    let excluded = added.map_err(|error| match error {
        ServiceError::Invalid(errors) if is_one => ServiceError::Invalid(of_one(errors)),
        error => error,
    })?;
    Ok(Json(excluded.into()))
}

/// The errors as they are named where there is one number.
fn of_one(errors: Vec<FieldError>) -> Vec<FieldError> {
    let renamed = errors.into_iter().map(|error| match error.field.as_str() {
        "phone_numbers[0]" => FieldError::new("phone_number", error.message),
        _ => error,
    });
    renamed.collect()
}

/// What was taken off the list, by whom and why, newest first.
#[utoipa::path(
    get, path = "/api/exclusions/removals", tag = "exclusions", params(PageQuery),
    responses((status = 200, body = ListBody<ExclusionRemovalBody>))
)]
async fn list_exclusion_removals(
    State(app): State<App>,
    caller: Caller,
    QueryParameters(query): QueryParameters<PageQuery>,
) -> Result<Json<ListBody<ExclusionRemovalBody>>, ApiError> {
    let page = query.read(REMOVALS)?;
    let page = app.exclusions.removals(&caller.into(), &page).await?;
    let list = ListBody::new(REMOVALS, page, ExclusionRemovalBody::from);
    Ok(Json(list))
}

/// Whether a number may be called, and if not, who excluded it.
#[utoipa::path(
    get, path = "/api/exclusions/{number}", tag = "exclusions",
    params(("number" = String, Path, description = "The number: `+393471234567`")),
    responses((status = 200, body = NumberBody))
)]
async fn get_exclusion(
    State(app): State<App>,
    caller: Caller,
    Path(number): Path<String>,
) -> Result<Json<NumberBody>, ApiError> {
    let standing = app.exclusions.standing(&caller.into(), &number).await?;
    let standing = standing.ok_or_else(no_number)?;
    Ok(Json(NumberBody {
        phone_number: standing.phone_number.to_string(),
        excluded: standing.excluded_by.is_some(),
        excluded_by: standing.excluded_by.map(ExcludedBy::name),
        exclusion: standing.exclusion.map(ExclusionBody::from),
    }))
}

fn no_number() -> ApiError {
    ApiError::not_found("what stands in the path is no phone number")
}

/// Takes a number off the list. Who did it, when and why is kept.
///
/// Contacts that the exclusion has ended stay `excluded`; a list that is uploaded later may name the
/// number again. Needs the role admin.
#[utoipa::path(
    delete, path = "/api/exclusions/{number}", tag = "exclusions",
    params(("number" = String, Path, description = "The number: `+393471234567`"), RemovalQuery),
    responses((status = 200, body = ExclusionRemovalBody))
)]
async fn remove_exclusion(
    State(app): State<App>,
    caller: Caller,
    Path(number): Path<String>,
    QueryParameters(query): QueryParameters<RemovalQuery>,
) -> Result<Json<ExclusionRemovalBody>, ApiError> {
    let reason = query.reason.unwrap_or_default();
    let removed = app.exclusions.remove(&caller.into(), &number, reason).await;
    let removal = removed.map_err(|error| match error {
        // The reason stands in the query.
        ServiceError::Invalid(errors) => ApiError::invalid_query(errors),
        error => error.into(),
    })?;
    Ok(Json(removal.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_searched_without_what_sets_its_digits_apart() {
        assert_eq!(digits("+39 (347) 123-45.67"), "+393471234567");
    }
}
