//! Answers for which every record of a campaign is read.

use std::time::Duration;

use axum::http::StatusCode;
use voicesurvey_core::api_key::Actor;

use super::error::ApiError;
use crate::app::App;
use crate::company_turns::CompanyTurn;

/// How long a request waits for its turn: a screen asks for several figures at once.
const PATIENCE: Duration = Duration::from_secs(2);

/// The turn of somebody's company to have everything read, until it is dropped.
pub(super) async fn turn(app: &App, actor: &Actor) -> Result<CompanyTurn, ApiError> {
    let turn = app.readings.take(actor.company_id, PATIENCE).await;
    turn.ok_or_else(|| {
        let detail = "too many campaigns are being read at this moment: try again";
        ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "busy", detail)
    })
}
