//! What the answers of a campaign add up to, question by question.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;
use voicesurvey_core::api_key::Actor;
use voicesurvey_core::id::CampaignId;
use voicesurvey_core::results::numbers::{Bin, NetPromoterScore};
use voicesurvey_core::results::{Breakdown, GroupResults, QuestionResult, Results, ValueShare};
use voicesurvey_core::service::reports::TextAnswer;

use super::contact_filter::{CellQuery, ColumnQuery, ContactFilterQuery, of_query};
use super::error::ApiError;
use super::extract::{Id, IdAndName, QueryParameters};
use super::fields::Checks;
use super::number;
use super::page::{self, ListBody};
use super::reading;
use crate::app::App;

/// The list of texts.
const TEXTS: &str = "texts";

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(get_campaign_results))
        .routes(routes!(list_texts))
}

/// What the answers of a campaign add up to.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ResultsBody {
    /// The campaign.
    campaign_id: Uuid,
    /// By what people are told apart, as the query said.
    by: Option<String>,
    /// Of all who are wanted together.
    #[serde(flatten)]
    all: GroupBody,
    /// Of those of each group; empty unless `by` is given. Their numbers add up to those of all, but for
    /// `by=cell`, where somebody may be in several groups.
    groups: Vec<GroupBody>,
}

/// What the answers of some people add up to.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct GroupBody {
    /// What the people of a group have in common; absent of all together, and of those who have no
    /// value.
    value: Option<String>,
    /// How many people, called or not.
    contacts: u64,
    /// How many finished the interview: `I` of the rates.
    complete: u64,
    /// How many left a partial one: `P` of the rates.
    partial: u64,
    /// Question by question.
    questions: Vec<QuestionResultBody>,
}

/// What the answers to one question add up to. `answered`, `skipped`, `dont_know`,
/// `not_understood`, `refused`, `left`, `open` and `forgotten` add up to `asked`.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct QuestionResultBody {
    /// The question's key.
    key: String,
    /// Its text.
    text: String,
    /// Its type.
    #[serde(rename = "type")]
    kind: &'static str,
    /// To how many people it was put.
    asked: u64,
    /// How many answered it.
    answered: u64,
    /// How many did not want to.
    skipped: u64,
    /// How many did not know.
    dont_know: u64,
    /// How many were not understood.
    not_understood: u64,
    /// How many refused the interview or opted out when it was asked.
    refused: u64,
    /// How many left when it was asked.
    left: u64,
    /// How many are being asked now, or are called again to be asked.
    open: u64,
    /// Of how many it is not kept any longer what they said: see `answer_days` of the retention.
    forgotten: u64,
    /// Of those who were asked, those who refused or left.
    #[schema(value_type = Option<f64>)]
    drop_off: Option<Value>,
    /// How often it was asked again.
    repeats: u64,
    /// The median of the seconds from the beginning of the question to its answer.
    #[schema(value_type = Option<f64>)]
    median_seconds: Option<Value>,
    /// How often each value was given; empty for free text and for numbers without a scale.
    values: BTreeMap<String, u64>,
    /// Every option or mark with its share; empty for free text and numbers without a scale.
    distribution: Vec<ValueShareBody>,
    /// The mean of the numbers, to two decimals.
    #[schema(value_type = Option<f64>)]
    mean: Option<Value>,
    /// The median of the numbers.
    #[schema(value_type = Option<f64>)]
    median: Option<Value>,
    /// The smallest number.
    #[schema(value_type = Option<f64>)]
    smallest: Option<Value>,
    /// The largest number.
    #[schema(value_type = Option<f64>)]
    largest: Option<Value>,
    /// How the numbers lie; empty but for numeric questions.
    histogram: Vec<BinBody>,
    /// The score of a scale from 0 to 10.
    net_promoter_score: Option<NetPromoterScoreBody>,
    /// Whether more than 10,000 different numbers were given: then values, median and histogram are
    /// missing.
    has_too_many_values: bool,
}

/// How often one value was given.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ValueShareBody {
    /// The value.
    value: String,
    /// What it is called, if it has a name of its own.
    label: Option<String>,
    /// How many gave it.
    count: u64,
    /// Of those who answered, from 0 to 1.
    #[schema(value_type = Option<f64>)]
    share: Option<Value>,
}

/// One bar of a histogram.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct BinBody {
    /// The smallest number that belongs to it.
    #[schema(value_type = f64)]
    from: Value,
    /// The smallest that does not any more.
    #[schema(value_type = f64)]
    below: Value,
    /// How many numbers do.
    count: u64,
}

/// How many would recommend.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct NetPromoterScoreBody {
    /// Who gave 9 or 10.
    promoters: u64,
    /// Who gave 7 or 8.
    passives: u64,
    /// Who gave 0 to 6.
    detractors: u64,
    /// From -100 to 100.
    #[schema(value_type = f64)]
    score: Value,
}

impl From<ValueShare> for ValueShareBody {
    fn from(share: ValueShare) -> Self {
        Self {
            value: share.value,
            label: share.label,
            count: share.count,
            share: share.share.map(number),
        }
    }
}

impl From<Bin> for BinBody {
    fn from(bin: Bin) -> Self {
        Self {
            from: number(bin.from),
            below: number(bin.below),
            count: bin.count,
        }
    }
}

impl From<NetPromoterScore> for NetPromoterScoreBody {
    fn from(score: NetPromoterScore) -> Self {
        Self {
            promoters: score.promoters,
            passives: score.passives,
            detractors: score.detractors,
            score: number(score.score),
        }
    }
}

impl From<QuestionResult> for QuestionResultBody {
    fn from(result: QuestionResult) -> Self {
        let distribution = result.distribution.into_iter().map(ValueShareBody::from);
        Self {
            key: result.key,
            text: result.text,
            kind: result.kind,
            asked: result.asked,
            answered: result.answered,
            skipped: result.skipped,
            dont_know: result.dont_know,
            not_understood: result.not_understood,
            refused: result.refused,
            left: result.left,
            open: result.open,
            forgotten: result.forgotten,
            drop_off: result.drop_off.map(number),
            repeats: result.repeats,
            median_seconds: result.median_seconds.map(number),
            // Of a numeric question there may be thousands, in each group: the histogram tells.
            values: match result.kind {
                "numeric" => BTreeMap::new(),
                _ => result.values,
            },
            distribution: distribution.collect(),
            mean: result.mean.map(number),
            median: result.median.map(number),
            smallest: result.smallest.map(number),
            largest: result.largest.map(number),
            histogram: result.histogram.into_iter().map(BinBody::from).collect(),
            net_promoter_score: result.net_promoter_score.map(NetPromoterScoreBody::from),
            has_too_many_values: result.has_too_many_values,
        }
    }
}

impl From<GroupResults> for GroupBody {
    fn from(group: GroupResults) -> Self {
        let questions = group.questions.into_iter().map(QuestionResultBody::from);
        Self {
            value: group.value,
            contacts: group.contacts,
            complete: group.complete,
            partial: group.partial,
            questions: questions.collect(),
        }
    }
}

/// What the parameter `by` says.
fn breakdown(by: &str, checks: &mut Checks) -> Option<Breakdown> {
    match by {
        "language" => return Some(Breakdown::Language),
        "cell" => return Some(Breakdown::Cell),
        _ => {}
    }
    let column = by.strip_prefix("column.").map(str::to_owned);
    let question = by.strip_prefix("question.").map(str::to_owned);
    let breakdown = column
        .map(Breakdown::Column)
        .or(question.map(Breakdown::Question));
    if breakdown.is_none() {
        checks.wrong("by", "use column.<name>, question.<key>, language or cell");
    }
    breakdown
}

/// What the answers of a campaign add up to, question by question, as they stand now: what was
/// corrected counts as it was corrected.
#[utoipa::path(
    get, path = "/api/campaigns/{id}/results", tag = "results",
    params(
        ("id" = Uuid, Path, description = "The campaign"),
        ("by" = Option<String>, Query, description = "Tells people apart: column.<name>, \
            question.<key> or language, at most 100 different values; or cell: who is in several counts \
            in each"),
        ColumnQuery, CellQuery, ContactFilterQuery
    ),
    responses((status = 200, body = ResultsBody))
)]
async fn get_campaign_results(
    State(app): State<App>,
    actor: Actor,
    Id(id): Id<CampaignId>,
    QueryParameters(mut query): QueryParameters<ContactFilterQuery>,
) -> Result<Json<ResultsBody>, ApiError> {
    let mut checks = Checks::default();
    let by = query.take("by");
    let breakdown = by.as_deref().and_then(|by| breakdown(by, &mut checks));
    let filter = query.read(&app, &actor, checks).await?;
    let _turn = reading::turn(&app, &actor).await?;
    let results = app.reports.results(&actor, id, filter, breakdown.as_ref());
    let Results { all, groups } = results.await.map_err(of_query)?;
    Ok(Json(ResultsBody {
        campaign_id: id.as_uuid(),
        by,
        all: all.into(),
        groups: groups.into_iter().map(GroupBody::from).collect(),
    }))
}

/// What somebody answered in their own words.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TextBody {
    /// The answer.
    id: Uuid,
    /// The contact.
    task_id: Uuid,
    /// The call.
    call_id: Uuid,
    /// The words, as they stand now.
    text: String,
    /// The language of the interview.
    language: &'static str,
    /// When.
    at: DateTime<Utc>,
}

impl From<TextAnswer> for TextBody {
    fn from(answer: TextAnswer) -> Self {
        Self {
            id: answer.id.as_uuid(),
            task_id: answer.task_id.as_uuid(),
            call_id: answer.attempt_id.as_uuid(),
            text: answer.text,
            language: answer.language.code(),
            at: answer.at,
        }
    }
}

/// The answers to a free-text question, in the order in which the people were added. A part may be
/// shorter than its limit, even empty, and have a next one: a search looks at 10,000 people at most.
#[utoipa::path(
    get, path = "/api/campaigns/{id}/results/{question}/texts", tag = "results",
    params(
        ("id" = Uuid, Path, description = "The campaign"),
        ("question" = String, Path, description = "The question's key"),
        ("search" = Option<String>, Query, description = "What the answer contains, whatever the case and \
            the accents"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the part before"),
        ("limit" = Option<u16>, Query, description = "Rows at most, from 1 to 200; 50 if it is left \
            out"),
        ColumnQuery, CellQuery, ContactFilterQuery
    ),
    responses((status = 200, body = ListBody<TextBody>))
)]
async fn list_texts(
    State(app): State<App>,
    actor: Actor,
    IdAndName(id, question): IdAndName<CampaignId>,
    QueryParameters(mut query): QueryParameters<ContactFilterQuery>,
) -> Result<Json<ListBody<TextBody>>, ApiError> {
    let mut checks = Checks::default();
    let search = query.take("search");
    let (cursor, limit) = (query.take("cursor"), query.take("limit"));
    let page = page::page(TEXTS, cursor, limit, &mut checks);
    let filter = query.read(&app, &actor, checks).await?;
    let _turn = reading::turn(&app, &actor).await?;
    let texts = app
        .reports
        .texts(&actor, id, &question, filter, search.as_deref(), &page)
        .await
        .map_err(of_query)?;
    Ok(Json(ListBody::new(TEXTS, texts, TextBody::from)))
}
