//! Outcome rates by the definitions of the AAPOR.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;
use voicesurvey_core::api_key::Actor;
use voicesurvey_core::id::CampaignId;
use voicesurvey_core::rates::{
    Disposition, Eligibility, Group, Rate, Rates, Thresholds, ThresholdsError,
};

use super::contact_filter::{CellQuery, ColumnQuery, ContactFilterQuery, of_query};
use super::error::ApiError;
use super::extract::{Id, QueryParameters};
use super::fields::Checks;
use super::number;
use super::reading;
use crate::app::App;

pub(super) const PARTIAL_FROM: &str = "partial_from";
pub(super) const COMPLETE_FROM: &str = "complete_from";

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(get_campaign_rates))
}

/// The rates of a campaign, with what they are made of. Nothing is weighted.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RatesBody {
    /// The campaign.
    campaign_id: Uuid,
    /// People in the sample: the dispositions add up to it.
    cases: u64,
    /// Cases that are not closed yet; each counts with what is known so far, so the rates change.
    open: u64,
    /// People on the exclusion list who were never called: no part of the sample.
    suppressed: u64,
    /// People who were left when the target was reached or every quota was full, and were never called:
    /// no part of the sample.
    not_released: u64,
    /// Cases by disposition, those that there are.
    dispositions: Vec<DispositionBody>,
    /// Cases by the symbol of their group, every group.
    groups: BTreeMap<&'static str, u64>,
    /// `default` or `given`: where the thresholds of partial and complete interviews come from. By
    /// default one is partial from the first answer on, and complete when all of it was gone through.
    interview_rule: &'static str,
    /// The share of applicable questions from which on an interview is partial, if it was given.
    #[schema(value_type = Option<f64>)]
    partial_from: Option<Value>,
    /// The share of applicable questions from which on an interview is complete, if it was given.
    #[schema(value_type = Option<f64>)]
    complete_from: Option<Value>,
    /// `default` or `given`: where `e` comes from.
    e_rule: &'static str,
    /// The share of those of whom it is not known that is taken to be eligible.
    e: QuotientBody,
    /// RR1 to RR6, COOP1 to COOP4, REF1 to REF3, CON1 to CON3. K is I + P + R + NC + O, and U is
    /// UH + UO.
    rates: Vec<QuotientBody>,
    /// Always `none`.
    weights: &'static str,
}

/// Cases of one disposition.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DispositionBody {
    /// The AAPOR code.
    code: &'static str,
    /// What it means.
    meaning: &'static str,
    /// The symbol of its group.
    group: &'static str,
    /// How many cases.
    count: u64,
}

/// A rate with what was divided by what.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct QuotientBody {
    /// Its name.
    name: &'static str,
    /// What is divided by what.
    formula: &'static str,
    /// The numerator.
    #[schema(value_type = f64)]
    numerator: Value,
    /// The denominator; absent when `e` has no value.
    #[schema(value_type = Option<f64>)]
    denominator: Option<Value>,
    /// The quotient to four decimals; absent, not zero, while there is nothing to divide by.
    #[schema(value_type = Option<f64>)]
    value: Option<Value>,
}

impl From<&Rate> for QuotientBody {
    fn from(rate: &Rate) -> Self {
        Self {
            name: rate.name,
            formula: rate.formula,
            numerator: number(rate.numerator),
            denominator: rate.denominator.map(number),
            value: rate.value.map(number),
        }
    }
}

impl RatesBody {
    fn new(id: CampaignId, rates: &Rates, thresholds: Thresholds) -> Self {
        let counted = &rates.dispositions;
        let dispositions = Disposition::ALL.iter().filter_map(|disposition| {
            Some(DispositionBody {
                code: disposition.code,
                meaning: disposition.meaning,
                group: disposition.group.symbol(),
                count: *counted.by_code.get(disposition.code)?,
            })
        });
        Self {
            campaign_id: id.as_uuid(),
            cases: counted.total(),
            open: counted.open,
            suppressed: counted.suppressed,
            not_released: counted.not_released,
            dispositions: dispositions.collect(),
            groups: Group::ALL
                .map(|group| (group.symbol(), counted.of(group)))
                .into(),
            interview_rule: rule(thresholds.are_given()),
            partial_from: thresholds.partial_from().map(number),
            complete_from: thresholds.complete_from().map(number),
            e_rule: rule(rates.e_is_given),
            e: (&rates.e).into(),
            rates: rates.rates.iter().map(QuotientBody::from).collect(),
            weights: "none",
        }
    }
}

/// Where a rule comes from.
const fn rule(is_given: bool) -> &'static str {
    if is_given { "given" } else { "default" }
}

/// Takes out a share, if it is given.
fn share(name: &str, query: &mut ContactFilterQuery, checks: &mut Checks) -> Option<Decimal> {
    let text = query.take(name)?;
    let share: Option<Decimal> = text.parse().ok();
    let share =
        share.filter(|share| (Decimal::ZERO..=Decimal::ONE).contains(share) && share.scale() <= 6);
    if share.is_none() {
        checks.wrong(
            name,
            "use a number from 0 to 1 with at most six decimals, such as 0.4",
        );
    }
    share
}

/// Takes the thresholds out that are given.
pub(super) fn thresholds(query: &mut ContactFilterQuery, checks: &mut Checks) -> Thresholds {
    let partial_from = share(PARTIAL_FROM, query, checks);
    let complete_from = share(COMPLETE_FROM, query, checks);
    Thresholds::new(partial_from, complete_from).unwrap_or_else(|error| {
        let name = match error {
            ThresholdsError::PartialIsNoShare | ThresholdsError::PartialAboveComplete => {
                PARTIAL_FROM
            }
            ThresholdsError::CompleteIsNoShare => COMPLETE_FROM,
        };
        checks.wrong(name, error.to_string());
        Thresholds::default()
    })
}

/// Response, cooperation, refusal and contact rates as the AAPOR defines them. `e` is taken from the
/// cases themselves unless it is given.
#[utoipa::path(
    get, path = "/api/campaigns/{id}/rates", tag = "results",
    params(
        ("id" = Uuid, Path, description = "The campaign"),
        ("e" = Option<f64>, Query, description = "The share of those of whom it is not known that is \
            taken to be eligible, from 0 to 1; if it is left out K / (K + NE)"),
        ("partial_from" = Option<f64>, Query, description = "The share of applicable questions, from 0 to \
            1, from which on an interview that was not gone through is partial, and below which it is a \
            break-off; if it is left out one answer is enough"),
        ("complete_from" = Option<f64>, Query, description = "The share from which on such an interview is \
            complete; if it is left out none is"),
        ColumnQuery, CellQuery, ContactFilterQuery
    ),
    responses((status = 200, body = RatesBody))
)]
async fn get_campaign_rates(
    State(app): State<App>,
    actor: Actor,
    Id(id): Id<CampaignId>,
    QueryParameters(mut query): QueryParameters<ContactFilterQuery>,
) -> Result<Json<RatesBody>, ApiError> {
    let mut checks = Checks::default();
    let e = share("e", &mut query, &mut checks);
    let eligibility = e.map_or(Eligibility::AmongKnown, Eligibility::Given);
    let thresholds = thresholds(&mut query, &mut checks);
    let filter = query.read(&app, &actor, checks).await?;
    let _turn = reading::turn(&app, &actor).await?;
    let rates = app
        .reports
        .rates(&actor, id, filter, eligibility, thresholds);
    let rates = rates.await.map_err(of_query)?;
    Ok(Json(RatesBody::new(id, &rates, thresholds)))
}
