//! Answers that may be wrong, and what people make of them.

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;
use voicesurvey_core::api_key::Actor;
use voicesurvey_core::conversation::{AnswerResult, AnswerRevision};
use voicesurvey_core::id::{AnswerId, CampaignId};
use voicesurvey_core::service::reviews::{AnswerHistory, AnswerToReview, Verdict};
use voicesurvey_core::survey::AnswerValue;

use super::calls::{AnswerBody, ReadingBody, from_zero_to_one, json_value};
use super::campaign_body::QuestionBody;
use super::error::ApiError;
use super::extract::{Id, JsonBody, QueryParameters};
use super::fields::{Checks, Field, FromJson as _, UnknownFields};
use super::page::{self, ListBody};
use crate::app::App;

const LIST: &str = "review";

const ONE_OF_THREE: &str = "give one of accept, value and result";

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_review))
        .routes(routes!(get_answer, change_answer))
}

/// Which answers are wanted.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ReviewQuery {
    /// Of this campaign.
    #[param(value_type = Option<Uuid>)]
    campaign: Option<String>,
    /// `next_cursor` of the part before.
    cursor: Option<String>,
    /// Rows at most, from 1 to 200; 50 if it is left out.
    #[param(value_type = Option<u16>, minimum = 1, maximum = 200)]
    limit: Option<String>,
}

/// An answer that somebody should look at, with what was asked.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AnswerToReviewBody {
    #[serde(flatten)]
    answer: AnswerBody,
    /// The campaign.
    campaign_id: Uuid,
    /// The contact.
    task_id: Uuid,
    /// Who answered.
    contact_name: String,
    /// What was asked, and which values it accepts.
    question: QuestionBody,
    /// What another interpreter understood, if that was something else.
    other_reading: Option<ReadingBody>,
}

impl From<AnswerToReview> for AnswerToReviewBody {
    fn from(row: AnswerToReview) -> Self {
        Self {
            campaign_id: row.answer.campaign_id.as_uuid(),
            task_id: row.answer.task_id.as_uuid(),
            answer: row.answer.into(),
            contact_name: row.contact_name,
            question: (&row.question).into(),
            other_reading: row.other.map(ReadingBody::from),
        }
    }
}

/// An answer with its history.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AnswerHistoryBody {
    #[serde(flatten)]
    answer: AnswerBody,
    /// The campaign.
    campaign_id: Uuid,
    /// The contact.
    task_id: Uuid,
    /// What it was before each correction, oldest first.
    revisions: Vec<RevisionBody>,
}

impl From<AnswerHistory> for AnswerHistoryBody {
    fn from(history: AnswerHistory) -> Self {
        let revisions = history.revisions.into_iter();
        Self {
            campaign_id: history.answer.campaign_id.as_uuid(),
            task_id: history.answer.task_id.as_uuid(),
            answer: history.answer.into(),
            revisions: revisions.map(RevisionBody::from).collect(),
        }
    }
}

/// What an answer was before somebody corrected it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RevisionBody {
    /// The answer's revision at that time: 0 is what was understood in the call.
    number: u32,
    /// `answered`, `skipped`, `dont_know`, `not_understood`, or `forgotten` if it is not kept any longer.
    result: &'static str,
    /// The value: a text, a number, `true` or `false`.
    #[schema(value_type = Option<Value>)]
    value: Option<Value>,
    /// How sure was who understood it, from 0 to 1.
    confidence: f64,
    /// `rules`, `language_model`, `keypad` or `staff`.
    interpreted_by: &'static str,
    /// Why it was corrected.
    note: Option<String>,
    /// When it was replaced.
    replaced_at: DateTime<Utc>,
    /// With which API key.
    replaced_by: Uuid,
}

impl From<AnswerRevision> for RevisionBody {
    fn from(revision: AnswerRevision) -> Self {
        Self {
            number: revision.number,
            result: revision.result.name(),
            value: revision.result.value().map(json_value),
            confidence: from_zero_to_one(revision.confidence),
            interpreted_by: revision.interpreted_by.name(),
            note: revision.note,
            replaced_at: revision.replaced_at,
            replaced_by: revision.replaced_by.as_uuid(),
        }
    }
}

/// What somebody makes of an answer: exactly one of `accept`, `value` and `result`.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub(super) struct VerdictBody {
    /// `true`: it is right as it stands.
    #[schema(value_type = Option<bool>)]
    accept: Field<bool>,
    /// What the person answered: a number, `true` or `false`, the key of an option, a text.
    #[schema(value_type = Option<Value>)]
    value: Field<Value>,
    /// Why there is no answer: `skipped`, `dont_know` or `not_understood`.
    #[schema(value_type = Option<String>, example = "dont_know")]
    result: Field<String>,
    /// Why it is corrected.
    #[schema(value_type = Option<String>)]
    note: Field<String>,
    /// The `revision` that was looked at; 0 if it is left out, which is an answer that nobody has
    /// reviewed.
    #[schema(value_type = Option<u32>)]
    revision: Field<u32>,
    #[serde(flatten)]
    #[schema(ignore)]
    unknown: UnknownFields,
}

impl VerdictBody {
    /// The revision that was looked at, and what is made of it.
    fn read(self) -> Result<(u32, Verdict), ApiError> {
        let mut checks = Checks::default();
        checks.unknown(self.unknown);
        let revision = checks.optional("revision", self.revision);
        let note_is_named = self.note.is_named();
        let note = checks.optional("note", self.note);
        let correct = |result| Verdict::Correct { result, note };
        let ways = (
            self.accept.is_named(),
            self.value.is_named(),
            self.result.is_named(),
        );
        let verdict = match ways {
            (true, false, false) => {
                let accepts = checks.required("accept", self.accept);
                if accepts == Some(false) {
                    let message = "must be true; to correct it give value or result";
                    checks.wrong("accept", message);
                }
                if note_is_named {
                    checks.wrong("note", "leave it out: only corrections have one");
                }
                Some(Verdict::Accept)
            }
            (false, true, false) => {
                let value = checks.required("value", self.value);
                let value = value.and_then(|value| read_value(value, &mut checks));
                value.map(|value| correct(AnswerResult::Answered { value }))
            }
            (false, false, true) => {
                let result = checks.required("result", self.result);
                let result = result.and_then(|name| read_result(&name, &mut checks));
                result.map(correct)
            }
            (false, false, false) => {
                checks.wrong("accept", ONE_OF_THREE);
                None
            }
            (_, _, result) => {
                checks.wrong(if result { "result" } else { "value" }, ONE_OF_THREE);
                None
            }
        };
        let Some(verdict) = verdict else {
            return Err(checks.into());
        };
        checks.finish()?;
        Ok((revision.unwrap_or_default(), verdict))
    }
}

/// A value before anybody knows what the question accepts.
fn read_value(value: Value, checks: &mut Checks) -> Option<AnswerValue> {
    let field = match value {
        Value::Bool(yes) => Field::Given(AnswerValue::YesNo(yes)),
        Value::Number(_) => Decimal::from_json(value).map_or_else(Field::Wrong, |number| {
            Field::Given(AnswerValue::Number(number))
        }),
        Value::String(text) => Field::Given(AnswerValue::Text(text)),
        _ => Field::Wrong("use a text, a number, true or false".to_owned()),
    };
    checks.optional("value", field)
}

fn read_result(name: &str, checks: &mut Checks) -> Option<AnswerResult> {
    match name {
        "skipped" => Some(AnswerResult::Skipped),
        "dont_know" => Some(AnswerResult::DontKnow),
        "not_understood" => Some(AnswerResult::NotUnderstood),
        "answered" => {
            checks.wrong("result", "give the value instead");
            None
        }
        other => {
            let message =
                format!("unknown result '{other}': use skipped, dont_know or not_understood");
            checks.wrong("result", message);
            None
        }
    }
}

/// Answers in doubt that nobody has reviewed, in the order in which they were given: those that were
/// understood with little confidence, that two interpreters understood differently, or that were
/// read back and not confirmed.
#[utoipa::path(
    get, path = "/api/review", tag = "review", params(ReviewQuery),
    responses((status = 200, body = ListBody<AnswerToReviewBody>))
)]
async fn list_review(
    State(app): State<App>,
    actor: Actor,
    QueryParameters(query): QueryParameters<ReviewQuery>,
) -> Result<Json<ListBody<AnswerToReviewBody>>, ApiError> {
    let mut checks = Checks::default();
    let campaign = Field::<CampaignId>::from_text(query.campaign);
    let campaign_id = checks.optional("campaign", campaign);
    let page = page::page(LIST, query.cursor, query.limit, &mut checks);
    checks.finish_query()?;
    let answers = app.reviews.list(&actor, campaign_id, &page).await?;
    Ok(Json(ListBody::new(LIST, answers, AnswerToReviewBody::from)))
}

/// One answer with its evidence and its history.
#[utoipa::path(
    get, path = "/api/answers/{id}", tag = "review",
    params(("id" = Uuid, Path, description = "The answer")),
    responses((status = 200, body = AnswerHistoryBody))
)]
async fn get_answer(
    State(app): State<App>,
    actor: Actor,
    Id(id): Id<AnswerId>,
) -> Result<Json<AnswerHistoryBody>, ApiError> {
    Ok(Json(app.reviews.get(&actor, id).await?.into()))
}

/// Accepts or corrects an answer, whether or not it was in doubt. Refused if somebody has reviewed
/// it since `revision`. The words heard and the turn that proves them stay. Needs the role manager.
#[utoipa::path(
    patch, path = "/api/answers/{id}", tag = "review",
    params(("id" = Uuid, Path, description = "The answer")), request_body = VerdictBody,
    responses((status = 200, body = AnswerHistoryBody))
)]
async fn change_answer(
    State(app): State<App>,
    actor: Actor,
    Id(id): Id<AnswerId>,
    JsonBody(body): JsonBody<VerdictBody>,
) -> Result<Json<AnswerHistoryBody>, ApiError> {
    let (seen, verdict) = body.read()?;
    let history = app.reviews.decide(&actor, id, seen, verdict).await?;
    Ok(Json(history.into()))
}
