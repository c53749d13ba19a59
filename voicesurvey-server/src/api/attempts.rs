//! Attempts by state, and the unknown ones: calls of which nobody can tell whether they were made,
//! until somebody finds out and says so here.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use voicesurvey_core::api_key::Actor;
use voicesurvey_core::call_attempt::AttemptState;
use voicesurvey_core::id::{CallAttemptId, CampaignId};
use voicesurvey_core::outcome::Outcome;
use voicesurvey_core::ports::repositories::CallAttemptFilter;
use voicesurvey_core::service::Resolution;

use super::calls::CallBody;
use super::error::ApiError;
use super::extract::{Id, JsonBody, QueryParameters};
use super::fields::{Checks, Field, UnknownFields};
use super::page::{self, ListBody};
use crate::app::App;

const LIST: &str = "attempts";

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_attempts))
        .routes(routes!(resolve_attempt))
}

/// Which attempts are wanted.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct AttemptQuery {
    /// `created`, `unknown`, `accepted`, `ringing`, `answered` or `ended`.
    state: Option<String>,
    /// Of this campaign.
    #[param(value_type = Option<Uuid>)]
    campaign: Option<String>,
    /// `next_cursor` of the part before.
    cursor: Option<String>,
    /// Rows at most, from 1 to 200; 50 if it is left out.
    #[param(value_type = Option<u16>, minimum = 1, maximum = 200)]
    limit: Option<String>,
}

/// What somebody found out about a call.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub(super) struct ResolutionBody {
    /// `not_dialed`: nobody was called, which costs no attempt, and the person may be called again.
    /// `ended`: the call was made, and ended as `outcome` says.
    #[schema(value_type = String, example = "ended")]
    resolution: Field<String>,
    /// How the call ended: an outcome of `GET /api/outcomes` other than `cancelled`.
    #[schema(value_type = Option<String>, example = "no_answer")]
    outcome: Field<String>,
    #[serde(flatten)]
    #[schema(ignore)]
    unknown: UnknownFields,
}

impl ResolutionBody {
    fn read(self) -> Result<Resolution, ApiError> {
        let mut checks = Checks::default();
        let outcome_is_named = self.outcome.is_named();
        let resolution = checks.required("resolution", self.resolution);
        let outcome = checks.optional("outcome", self.outcome);
        let outcome: Option<Outcome> = checks.parse("outcome", outcome.as_deref());
        checks.unknown(self.unknown);
        let read = match resolution.as_deref() {
            Some("not_dialed") => {
                if outcome_is_named {
                    checks.wrong("outcome", "leave it out: a call that was not made has none");
                }
                Some(Resolution::NotDialed)
            }
            Some("ended") => {
                if !outcome_is_named {
                    checks.wrong("outcome", "is required: say how the call ended");
                }
                outcome.map(Resolution::Ended)
            }
            Some(other) => {
                let message = format!("unknown resolution '{other}': use not_dialed or ended");
                checks.wrong("resolution", message);
                None
            }
            None => None,
        };
        let Some(resolution) = read else {
            return Err(checks.into());
        };
        checks.finish()?;
        Ok(resolution)
    }
}

/// Calls, newest first, those in one state if it is named. The unknown ones wait for somebody who
/// finds out what became of them.
#[utoipa::path(
    get, path = "/api/attempts", tag = "calls", params(AttemptQuery),
    responses((status = 200, body = ListBody<CallBody>))
)]
async fn list_attempts(
    State(app): State<App>,
    actor: Actor,
    QueryParameters(query): QueryParameters<AttemptQuery>,
) -> Result<Json<ListBody<CallBody>>, ApiError> {
    let mut checks = Checks::default();
    let state: Option<AttemptState> = checks.parse("state", query.state.as_deref());
    let campaign = Field::<CampaignId>::from_text(query.campaign);
    let campaign_id = checks.optional("campaign", campaign);
    let page = page::page(LIST, query.cursor, query.limit, &mut checks);
    checks.finish_query()?;
    let filter = CallAttemptFilter {
        campaign_id,
        state,
        ..CallAttemptFilter::default()
    };
    let attempts = app.reports.calls(&actor, &filter, &page).await?;
    Ok(Json(ListBody::new(LIST, attempts, CallBody::from)))
}

/// Notes what became of a call that is `unknown`; any other is refused, so doing it twice is, too.
/// Needs the role manager.
#[utoipa::path(
    post, path = "/api/attempts/{id}/resolve", tag = "calls",
    params(("id" = Uuid, Path, description = "The call")), request_body = ResolutionBody,
    responses((status = 200, body = CallBody))
)]
async fn resolve_attempt(
    State(app): State<App>,
    actor: Actor,
    Id(id): Id<CallAttemptId>,
    JsonBody(body): JsonBody<ResolutionBody>,
) -> Result<Json<CallBody>, ApiError> {
    let resolution = body.read()?;
    let attempt = app.unresolved_calls.resolve(&actor, id, resolution).await?;
    Ok(Json(attempt.into()))
}
