//! What a campaign's rows add up to, and what its answers do.
//!
//! Nothing is counted here: the counters are kept with the rows. A rate always shows what was
//! divided by what, and is absent, not zero, while there is nothing to divide by.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;
use voicesurvey_core::api_key::Actor;
use voicesurvey_core::call_attempt::AttemptState;
use voicesurvey_core::call_task::TaskStatus;
use voicesurvey_core::campaign::Campaign;
use voicesurvey_core::gate::Reason;
use voicesurvey_core::id::CampaignId;
use voicesurvey_core::outcome::Outcome;
use voicesurvey_core::ports::repositories::CampaignCounters;
use voicesurvey_core::service::reports::QuestionResult;

use super::error::ApiError;
use super::extract::Id;
use crate::app::App;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(get_campaign_stats))
        .routes(routes!(get_campaign_results))
}

/// What a campaign's rows add up to.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct StatsBody {
    /// The campaign.
    campaign_id: Uuid,
    /// Where it stands.
    status: &'static str,
    /// People in it.
    total_tasks: u64,
    /// People by status, every status.
    tasks: BTreeMap<&'static str, u64>,
    /// Calls made.
    total_attempts: u64,
    /// Calls by state, every state.
    attempts: BTreeMap<&'static str, u64>,
    /// Calls that hold a line now.
    calls_in_progress: u64,
    /// Calls by outcome, every outcome.
    outcomes: BTreeMap<&'static str, u64>,
    /// Why people are not called, the most frequent first.
    reasons: Vec<ReasonBody>,
    /// Of the people whose case is closed by calling, those who completed the interview.
    completed_rate: RateBody,
    /// Of the calls that have an outcome, those in which a person was spoken to.
    contacted_rate: RateBody,
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
        #[expect(clippy::cast_precision_loss, reason = "no campaign has 2^52 calls")]
        let divided = || (numerator as f64 / denominator as f64 * 10_000.0).round() / 10_000.0;
        Self {
            numerator,
            denominator,
            rate: (denominator > 0).then(divided),
        }
    }
}

/// Every status with its count.
pub(super) fn by_task_status(count: impl Fn(TaskStatus) -> u64) -> BTreeMap<&'static str, u64> {
    let counted = |status: TaskStatus| (status.name(), count(status));
    TaskStatus::ALL.into_iter().map(counted).collect()
}

/// Whether a person was spoken to in a call that ended so.
const fn is_contact(outcome: Outcome) -> bool {
    matches!(
        outcome,
        Outcome::Completed
            | Outcome::Partial
            | Outcome::Refused
            | Outcome::OptedOut
            | Outcome::BrokeOff
            | Outcome::HungUpBeforeConsent
            | Outcome::CallBackRequested
            | Outcome::WrongPerson
            | Outcome::LanguageBarrier
            | Outcome::QuotaFull
    )
}

/// Statuses of people whose case was closed by calling them.
const CLOSED_BY_CALLING: [TaskStatus; 4] = [
    TaskStatus::Completed,
    TaskStatus::Refused,
    TaskStatus::NotReached,
    TaskStatus::Failed,
];

impl From<(Campaign, CampaignCounters)> for StatsBody {
    fn from((campaign, counters): (Campaign, CampaignCounters)) -> Self {
        let outcome = |outcome: &Outcome| counters.outcomes.get(outcome).copied().unwrap_or(0);
        let closed = CLOSED_BY_CALLING
            .iter()
            .map(|status| counters.tasks_in(*status));
        let contacts = Outcome::ALL.iter().filter(|outcome| is_contact(**outcome));
        let with_outcome = counters.outcomes.values().sum();
        let state = |state: AttemptState| counters.attempts.get(&state).copied().unwrap_or(0);
        Self {
            campaign_id: campaign.id.as_uuid(),
            status: campaign.status.name(),
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
            reasons: reasons(&counters.reasons),
            completed_rate: RateBody::new(counters.tasks_in(TaskStatus::Completed), closed.sum()),
            contacted_rate: RateBody::new(contacts.map(outcome).sum(), with_outcome),
        }
    }
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

/// What the answers of a campaign add up to.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ResultsBody {
    /// The campaign.
    campaign_id: Uuid,
    /// Question by question.
    questions: Vec<QuestionResultBody>,
}

/// What the answers to one question add up to.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct QuestionResultBody {
    /// The question's key.
    key: String,
    /// Its text.
    text: String,
    /// Its type.
    #[serde(rename = "type")]
    kind: &'static str,
    /// How many answered it.
    answered: u64,
    /// How many did not want to.
    skipped: u64,
    /// How many did not know.
    dont_know: u64,
    /// How many were not understood.
    not_understood: u64,
    /// How often each value was given; empty for free text.
    values: BTreeMap<String, u64>,
    /// The mean of the numbers, to two decimals.
    #[schema(value_type = Option<f64>)]
    mean: Option<Value>,
}

impl From<QuestionResult> for QuestionResultBody {
    fn from(result: QuestionResult) -> Self {
        Self {
            key: result.key,
            text: result.text,
            kind: result.kind,
            answered: result.answered,
            skipped: result.skipped,
            dont_know: result.dont_know,
            not_understood: result.not_understood,
            values: result.values,
            mean: result.mean.map(super::number),
        }
    }
}

/// What a campaign's rows add up to.
#[utoipa::path(
    get, path = "/api/campaigns/{id}/stats", tag = "results",
    params(("id" = Uuid, Path, description = "The campaign")),
    responses((status = 200, body = StatsBody))
)]
async fn get_campaign_stats(
    State(app): State<App>,
    actor: Actor,
    Id(id): Id<CampaignId>,
) -> Result<Json<StatsBody>, ApiError> {
    Ok(Json(app.reports.campaign(&actor, id).await?.into()))
}

/// What the answers of a campaign add up to, question by question.
#[utoipa::path(
    get, path = "/api/campaigns/{id}/results", tag = "results",
    params(("id" = Uuid, Path, description = "The campaign")),
    responses((status = 200, body = ResultsBody))
)]
async fn get_campaign_results(
    State(app): State<App>,
    actor: Actor,
    Id(id): Id<CampaignId>,
) -> Result<Json<ResultsBody>, ApiError> {
    let results = app.reports.results(&actor, id).await?;
    Ok(Json(ResultsBody {
        campaign_id: id.as_uuid(),
        questions: results.into_iter().map(QuestionResultBody::from).collect(),
    }))
}
