//! What a campaign's rows add up to.
//!
//! Nothing is counted here: the counters are kept with the rows. A rate always shows what was
//! divided by what, and is absent, not zero, while there is nothing to divide by.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Utc};
use rust_decimal::prelude::ToPrimitive as _;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;
use voicesurvey_core::api_key::Actor;
use voicesurvey_core::call_attempt::AttemptState;
use voicesurvey_core::call_task::TaskStatus;
use voicesurvey_core::campaign::PauseReason;
use voicesurvey_core::gate::Reason;
use voicesurvey_core::id::CampaignId;
use voicesurvey_core::outcome::Outcome;
use voicesurvey_core::ports::repositories::CostCount;
use voicesurvey_core::results::numbers::share;
use voicesurvey_core::service::reports::Standing;

use super::calls_over_time::{CallsOverTimeBody, PeriodQuery};
use super::campaign_body::winds_up;
use super::error::ApiError;
use super::extract::{Id, QueryParameters};
use super::forecast::{self, ForecastBody, QuotaProgressBody};
use crate::app::App;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(get_campaign_stats))
}

/// What a campaign's rows add up to.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct StatsBody {
    /// The campaign.
    campaign_id: Uuid,
    /// Where it stands.
    status: &'static str,
    /// Why it is paused, if it is.
    pause_reason: Option<&'static str>,
    /// The same as a sentence.
    pause_sentence: Option<&'static str>,
    /// Why no further call is started although it has not ended yet.
    winding_up: Option<&'static str>,
    /// The same as a sentence.
    winding_up_sentence: Option<String>,
    /// People in it.
    total_tasks: u64,
    /// People by status, every status.
    tasks: BTreeMap<&'static str, u64>,
    /// Calls made.
    total_attempts: u64,
    /// Calls by state, every state.
    attempts: BTreeMap<&'static str, u64>,
    /// Calls that hold a line now; also those that still run while it is paused or winds up.
    calls_in_progress: u64,
    /// Calls by outcome, every outcome.
    outcomes: BTreeMap<&'static str, u64>,
    /// Why people are not called, the most frequent first.
    reasons: Vec<ReasonBody>,
    /// When the next people may be called whose hours are closed now.
    next_opening: Option<DateTime<Utc>>,
    /// Completed interviews, and how many are enough.
    target: TargetBody,
    /// Calls over time, contacts by how often they were called, and durations.
    calls: CallsOverTimeBody,
    /// The cells of the quotas, in their order; none without quotas.
    quotas: Vec<QuotaProgressBody>,
    /// What is to be expected if calls go on as they went so far.
    forecast: ForecastBody,
    /// What the calls cost whose price is known, by currency.
    spent: Vec<SpentBody>,
    /// What is left of the budget, if there is one.
    budget: Option<BudgetLeftBody>,
    /// Of the people whose case is closed by calling, those who completed the interview; who was turned
    /// away by a full quota is among the closed.
    completed_rate: RateBody,
    /// Of the calls that have ended and may have rung, those in which a person was spoken to.
    contacted_rate: RateBody,
}

/// How far the campaign is from its target.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TargetBody {
    /// People who completed the interview.
    completed: u64,
    /// Completed interviews that are enough; absent calls everybody.
    target: Option<u32>,
}

/// What calls cost in one currency.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SpentBody {
    /// The ISO 4217 code.
    currency: String,
    /// The sum, as a text.
    amount: String,
    /// How many calls it is the price of, without those of calls that never got as far as ringing.
    calls: u64,
}

/// What is left of a budget. Amounts are exact, as texts.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct BudgetLeftBody {
    /// The most that may be spent.
    amount: String,
    /// The ISO 4217 code.
    currency: String,
    /// What is known to be spent of it.
    spent: String,
    /// The rest; below zero when calls cost more than was expected.
    left: String,
    /// How many calls may still start, with the price of those reserved whose price is not known.
    calls_left: u32,
}

/// Why people are not called.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ReasonBody {
    /// Its name.
    reason: &'static str,
    /// What it means.
    sentence: &'static str,
    /// How many people.
    count: u64,
}

/// A rate, with what it is made of.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RateBody {
    /// What was counted.
    numerator: u64,
    /// Out of how many.
    denominator: u64,
    /// From 0 to 1, to four decimals; absent while there is nothing to divide by.
    rate: Option<f64>,
}

impl RateBody {
    fn new(numerator: u64, denominator: u64) -> Self {
        Self {
            numerator,
            denominator,
            rate: share(numerator, denominator).and_then(|share| share.to_f64()),
        }
    }
}

/// Every status with its count.
pub(super) fn by_task_status(count: impl Fn(TaskStatus) -> u64) -> BTreeMap<&'static str, u64> {
    let counted = |status: TaskStatus| (status.name(), count(status));
    TaskStatus::ALL.into_iter().map(counted).collect()
}

impl StatsBody {
    fn new(standing: &Standing, calls: CallsOverTimeBody) -> Self {
        let Standing {
            campaign, counters, ..
        } = standing;
        let outcome = |outcome: &Outcome| counters.outcomes.get(outcome).copied().unwrap_or(0);
        let calls_that = |are: fn(Outcome) -> bool| {
            let such = Outcome::ALL.iter().filter(|ended| are(**ended));
            such.map(outcome).sum()
        };
        let state = |state: AttemptState| counters.attempts.get(&state).copied().unwrap_or(0);
        Self {
            campaign_id: campaign.id.as_uuid(),
            status: campaign.status.name(),
            pause_reason: campaign.status.pause_reason().map(PauseReason::name),
            pause_sentence: campaign.status.pause_reason().map(PauseReason::sentence),
            winding_up: winds_up(campaign).map(Reason::name),
            winding_up_sentence: winds_up(campaign).map(winding_up_sentence),
            total_tasks: counters.total_tasks(),
            tasks: by_task_status(|status| counters.tasks_in(status)),
            total_attempts: counters.total_attempts(),
            attempts: AttemptState::ALL
                .into_iter()
                .map(|at| (at.name(), state(at)))
                .collect(),
            calls_in_progress: counters.live_attempts(),
            outcomes: Outcome::ALL
                .iter()
                .map(|ended| (ended.name(), outcome(ended)))
                .collect(),
            reasons: reasons(&standing.reasons),
            next_opening: standing.next_opening,
            target: TargetBody {
                completed: counters.tasks_in(TaskStatus::Completed),
                target: campaign.effective_settings().target.map(NonZeroU32::get),
            },
            calls,
            quotas: forecast::quotas(standing),
            forecast: forecast::forecast(standing),
            spent: counters.costs.iter().map(SpentBody::from).collect(),
            budget: budget_left(standing),
            completed_rate: RateBody::new(
                counters.tasks_in(TaskStatus::Completed),
                counters.closed_by_calling(),
            ),
            contacted_rate: RateBody::new(
                calls_that(Outcome::spoke_with_person),
                calls_that(Outcome::counts_as_contact),
            ),
        }
    }
}

fn winding_up_sentence(reason: Reason) -> String {
    let sentence = match reason {
        Reason::QuotaFull => "Every quota is full.",
        reason => reason.sentence(),
    };
    format!("{sentence} Calls in progress are finished, and nobody else is called.")
}

impl From<(&String, &CostCount)> for SpentBody {
    fn from((currency, cost): (&String, &CostCount)) -> Self {
        Self {
            currency: currency.clone(),
            amount: cost.amount().normalize().to_string(),
            calls: cost.calls,
        }
    }
}

fn budget_left(standing: &Standing) -> Option<BudgetLeftBody> {
    let budget = standing.campaign.effective_settings().budget.as_ref()?;
    let spent = standing.counters.costs.get(&budget.limit.currency);
    let spent = spent.copied().unwrap_or_default().amount();
    Some(BudgetLeftBody {
        amount: budget.limit.amount.to_string(),
        currency: budget.limit.currency.clone(),
        spent: spent.normalize().to_string(),
        left: (budget.limit.amount - spent).normalize().to_string(),
        calls_left: standing.calls_within_budget?,
    })
}

fn reasons(counted: &BTreeMap<Reason, u64>) -> Vec<ReasonBody> {
    let mut reasons: Vec<_> = counted
        .iter()
        .filter(|(_, count)| **count > 0)
        .map(|(reason, count)| ReasonBody {
            reason: reason.name(),
            sentence: reason.sentence(),
            count: *count,
        })
        .collect();
    reasons.sort_by_key(|reason| std::cmp::Reverse(reason.count));
    reasons
}

/// What a campaign's rows add up to, and why who is not being called is not.
#[utoipa::path(
    get, path = "/api/campaigns/{id}/stats", tag = "results",
    params(("id" = Uuid, Path, description = "The campaign"), PeriodQuery),
    responses((status = 200, body = StatsBody))
)]
async fn get_campaign_stats(
    State(app): State<App>,
    actor: Actor,
    Id(id): Id<CampaignId>,
    QueryParameters(query): QueryParameters<PeriodQuery>,
) -> Result<Json<StatsBody>, ApiError> {
    let now = app.clock.now();
    let company = app.companies.get(&actor, actor.company_id).await?;
    let period = query.read(company.time_zone, now)?;
    let (standing, calls) = app.reports.stats(&actor, id, period, now).await?;
    let calls = CallsOverTimeBody::new(period, calls);
    Ok(Json(StatsBody::new(&standing, calls)))
}
