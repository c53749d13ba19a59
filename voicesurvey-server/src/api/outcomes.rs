//! The outcome table: how a call can end, and what follows from it.

use axum::Json;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use voicesurvey_core::api_key::Actor;
use voicesurvey_core::outcome::Outcome;

use crate::app::App;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list_outcomes))
}

/// The outcome table.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct OutcomesBody {
    /// Its rows.
    items: Vec<OutcomeBody>,
}

/// How a call can end, and what follows from it.
#[expect(
    clippy::struct_excessive_bools,
    reason = "columns of a table, which do not depend on each other"
)]
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct OutcomeBody {
    /// Its name.
    outcome: &'static str,
    /// A stronger outcome is never overwritten by a weaker one.
    strength: u8,
    /// Whether an attempt is used up.
    spends_attempt: bool,
    /// Whether such a call is tried again while attempts are left.
    is_retried: bool,
    /// Minutes to wait before each further attempt, the last repeated, unless the campaign says
    /// otherwise.
    retry_after_minutes: &'static [u32],
    /// Whether a campaign may choose to try again, and when.
    can_be_retried: bool,
    /// Whether the next attempt is moved to another part of the day, unless the campaign says
    /// otherwise.
    other_daypart: bool,
    /// The AAPOR disposition when it closes the case.
    aapor_code: Option<&'static str>,
    /// Where the contact stands when it is not tried again.
    final_status: &'static str,
}

impl From<&Outcome> for OutcomeBody {
    fn from(outcome: &Outcome) -> Self {
        let rule = outcome.rule();
        Self {
            outcome: rule.name,
            strength: rule.strength,
            spends_attempt: rule.spends_attempt,
            is_retried: rule.is_retried(),
            retry_after_minutes: rule.retry_after_minutes,
            can_be_retried: outcome.can_be_retried(),
            other_daypart: outcome.prefers_other_daypart(),
            aapor_code: rule.aapor_code,
            final_status: rule.final_status.name(),
        }
    }
}

/// How a call can end, and what follows from it. The same for every company.
#[utoipa::path(
    get, path = "/api/outcomes", tag = "results", responses((status = 200, body = OutcomesBody))
)]
async fn list_outcomes(_: Actor) -> Json<OutcomesBody> {
    let items = Outcome::ALL.iter().map(OutcomeBody::from).collect();
    Json(OutcomesBody { items })
}
