//! Whether the server is alive, and whether it can work.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use voicesurvey_core::time_zone;

use super::error::ApiError;
use crate::app::App;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(get_health))
        .routes(routes!(get_readiness))
}

/// That the server is alive.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct HealthBody {
    /// Always `ok`.
    status: &'static str,
    /// The release of the time zone database that calling hours follow.
    time_zone_database: &'static str,
}

/// That the server can work.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ReadinessBody {
    /// Always `ready`.
    status: &'static str,
    /// Who dials.
    telephony_provider: &'static str,
}

/// Whether the server is alive. Asks nobody else, so that a store that is down restarts no server.
#[utoipa::path(
    get, path = "/healthz", tag = "health", security(()),
    responses((status = 200, body = HealthBody))
)]
async fn get_health() -> Json<HealthBody> {
    Json(HealthBody {
        status: "ok",
        time_zone_database: time_zone::database_version(),
    })
}

/// Whether the server can work: it was not asked to stop, its loops go well, and its store can be
/// reached and is migrated.
#[utoipa::path(
    get, path = "/readyz", tag = "health", security(()),
    responses((status = 200, body = ReadinessBody))
)]
async fn get_readiness(State(app): State<App>) -> Result<Json<ReadinessBody>, ApiError> {
    app.readiness.check()?;
    app.storage.check().await?;
    Ok(Json(ReadinessBody {
        status: "ready",
        telephony_provider: app.provider.name(),
    }))
}
