//! Dry runs: what would become of a campaign, told before anybody is called.

use std::str::FromStr as _;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::StatusCode;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use voicesurvey_core::api_key::{Actor, Role};
use voicesurvey_core::id::CampaignId;
use voicesurvey_core::ports::Scope;
use voicesurvey_core::service::ServiceError;
use voicesurvey_simulator::Probability;
use voicesurvey_simulator::dry_run::{DryRunError, DryRunReport, DryRunSettings};

use super::error::ApiError;
use super::extract::{Id, read_json_or_default};
use super::fields::{Checks, Field, UnknownFields};
use crate::app::App;
use crate::dry_run::{DryRunFailure, try_out};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(dry_run_campaign))
}

/// What the dry run supposes. Everything may be left out, and so may the body.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub(super) struct DryRunRequestBody {
    /// The same seed gives the same report; 0 if it is left out.
    #[schema(value_type = Option<u64>)]
    seed: Field<Value>,
    /// How likely somebody picks up, from 0 to 1; by the hour of the day if it is left out.
    #[schema(value_type = Option<f64>, minimum = 0, maximum = 1)]
    pick_up_rate: Field<Value>,
    /// How many of those who pick up finish the interview, from 0 to 1.
    #[schema(value_type = Option<f64>, minimum = 0, maximum = 1)]
    completion_rate: Field<Value>,
    /// The currency of the prices; EUR if it is left out.
    #[schema(value_type = Option<String>, example = "EUR")]
    currency: Field<String>,
    /// The least that a started minute of an answered call costs; 0.01 if it is left out.
    #[schema(value_type = Option<f64>)]
    price_per_minute_low: Field<Value>,
    /// The most that it costs; 0.10 if it is left out.
    #[schema(value_type = Option<f64>)]
    price_per_minute_high: Field<Value>,
    #[serde(flatten)]
    #[schema(ignore)]
    unknown: UnknownFields,
}

/// What came of the dry run: `finish`, `finished_at`, `contacts`, `completes`, `calls`,
/// `attempts_by_outcome`, `calls_per_day`, `most_calls_at_once`, `cost`, `unreached` (by reason),
/// `scorecard` (the promises I1 to I8) and the `assumptions` that were made.
#[derive(Debug, Serialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = Object)]
pub(super) struct DryRunReportBody(DryRunReport);

impl DryRunRequestBody {
    fn read(self) -> Result<DryRunSettings, ApiError> {
        let mut checks = Checks::default();
        let mut settings = DryRunSettings::default();
        if let Some(seed) = checks.optional("seed", self.seed) {
            match seed.as_u64() {
                Some(seed) => settings.seed = seed,
                None => checks.wrong("seed", "use a whole number that is not negative"),
            }
        }
        settings.pick_up_rate = rate(&mut checks, "pick_up_rate", self.pick_up_rate);
        settings.completion_rate = rate(&mut checks, "completion_rate", self.completion_rate);
        let prices = &mut settings.prices;
        if let Some(currency) = checks.optional("currency", self.currency) {
            prices.currency = currency;
        }
        if let Some(low) = price(
            &mut checks,
            "price_per_minute_low",
            self.price_per_minute_low,
        ) {
            prices.per_minute_low = low;
        }
        if let Some(high) = price(
            &mut checks,
            "price_per_minute_high",
            self.price_per_minute_high,
        ) {
            prices.per_minute_high = high;
        }
        checks.unknown(self.unknown);
        checks.finish()?;
        Ok(settings)
    }
}

fn rate(checks: &mut Checks, name: &str, field: Field<Value>) -> Option<Probability> {
    let value = checks.optional(name, field)?;
    let rate = value
        .as_f64()
        .and_then(|rate| Probability::try_from(rate).ok());
    if rate.is_none() {
        checks.wrong(name, "use a number from 0 to 1");
    }
    rate
}

/// An amount, as a number or as a text.
fn price(checks: &mut Checks, name: &str, field: Field<Value>) -> Option<Decimal> {
    let value = checks.optional(name, field)?;
    let text = value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned);
    let price = Decimal::from_str(&text).ok();
    if price.is_none() {
        checks.wrong(name, "use an amount such as 0.05");
    }
    price
}

/// Tries a campaign out with simulated people. Needs the role manager.
///
/// Tells when the campaign would finish, how many calls it would make, what they would cost, who would
/// never be reached and why, and whether every promise was kept. Nothing is changed and nobody is
/// called. The company's other campaigns are ignored. A server does one dry run at a time.
#[utoipa::path(
    post, path = "/api/campaigns/{id}/dry-run", tag = "campaigns",
    request_body = Option<DryRunRequestBody>,
    params(("id" = String, Path)), responses((status = 200, body = DryRunReportBody))
)]
async fn dry_run_campaign(
    State(app): State<App>,
    actor: Actor,
    Id(id): Id<CampaignId>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<DryRunReportBody>, ApiError> {
    if actor.role < Role::Manager {
        let needed = Role::Manager;
        return Err(ServiceError::Forbidden { needed }.into());
    }
    let settings = read_json_or_default::<DryRunRequestBody>(body)?.read()?;
    let Ok(permit) = app.dry_runs.clone().try_acquire_owned() else {
        return Err(refused(
            "dry_run_in_progress",
            "another dry run is in progress; try again later",
        ));
    };
    let scope = Scope::Company(actor.company_id);
    let report = try_out(app.storage, scope, id, settings, app.clock.now(), permit).await?;
    Ok(Json(DryRunReportBody(report)))
}

fn refused(code: &'static str, detail: impl Into<String>) -> ApiError {
    ApiError::new(StatusCode::CONFLICT, code, detail)
}

impl From<DryRunFailure> for ApiError {
    fn from(failure: DryRunFailure) -> Self {
        match failure {
            DryRunFailure::NoCampaign => Self::not_found(failure.to_string()),
            DryRunFailure::Storage(error) => error.into(),
            DryRunFailure::BrokeOff(error) => Self::internal(error),
            DryRunFailure::DryRun(error) => match error {
                DryRunError::NoContacts => refused("no_contacts", error.to_string()),
                DryRunError::TooManyContacts => refused("too_many_contacts", error.to_string()),
                DryRunError::CampaignEnded(_) => refused("campaign_ended", error.to_string()),
                DryRunError::Interrupted => refused("dry_run_too_long", error.to_string()),
                DryRunError::InvalidPrices => Self::new(
                    StatusCode::UNPROCESSABLE_ENTITY,
                    "invalid_fields",
                    error.to_string(),
                ),
                DryRunError::Storage(error) => Self::internal(error),
            },
        }
    }
}
