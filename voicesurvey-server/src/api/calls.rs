//! Calls, and everything that was said in one.

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;
use voicesurvey_core::api_key::Actor;
use voicesurvey_core::call_attempt::{AnsweredBy, CallAttempt, Recording};
use voicesurvey_core::conversation::{
    Answer, Consent, Doubt, LanguageSwitch, SurveyResponse, Turn,
};
use voicesurvey_core::id::{ApiKeyId, CallAttemptId, CampaignId};
use voicesurvey_core::interpretation::{Confidence, Intent, Interpretation, OtherReading};
use voicesurvey_core::outcome::Outcome;
use voicesurvey_core::ports::repositories::CallAttemptFilter;
use voicesurvey_core::service::reports::CallDetail;
use voicesurvey_core::survey::AnswerValue;

use super::error::ApiError;
use super::extract::{Id, QueryParameters};
use super::fields::{Checks, Field};
use super::page::{self, ListBody};
use crate::app::App;

const LIST: &str = "calls";

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_calls))
        .routes(routes!(get_call))
}

/// Which calls are wanted.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct CallQuery {
    /// Of this campaign.
    #[param(value_type = Option<Uuid>)]
    campaign: Option<String>,
    /// `next_cursor` of the part before.
    cursor: Option<String>,
    /// Rows at most, from 1 to 200; 50 if it is left out.
    #[param(value_type = Option<u16>, minimum = 1, maximum = 200)]
    limit: Option<String>,
}

/// One call.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CallBody {
    /// Its identifier.
    id: Uuid,
    /// The campaign.
    campaign_id: Uuid,
    /// The contact.
    task_id: Uuid,
    /// 1, 2, 3 … for the contact.
    attempt_number: u16,
    /// The number dialed.
    phone_number: String,
    /// The provider.
    provider: String,
    /// The provider's name of the call.
    provider_call_id: Option<String>,
    /// `created`, `unknown`, `accepted`, `ringing`, `answered` or `ended`.
    state: &'static str,
    /// When it was committed, immediately before the dial.
    started_at: DateTime<Utc>,
    /// When the provider took it.
    accepted_at: Option<DateTime<Utc>>,
    /// When it rang.
    ringing_at: Option<DateTime<Utc>>,
    /// When it was answered.
    answered_at: Option<DateTime<Utc>>,
    /// When it ended.
    ended_at: Option<DateTime<Utc>>,
    /// Seconds of talk.
    talk_seconds: Option<i64>,
    /// `person`, `voicemail`, `call_screening`, `fax` or `unknown`.
    answered_by: Option<&'static str>,
    /// How it ended.
    outcome: Option<&'static str>,
    /// The provider's own word for its last status.
    provider_raw_status: Option<String>,
    /// The provider's error code.
    error_code: Option<String>,
    /// What it cost; absent until the provider says so.
    cost: Option<CostBody>,
    /// How long the person waited for each reply, in milliseconds: from the moment what they said had
    /// arrived here to the moment it was decided what is said next.
    latencies_milliseconds: Vec<u32>,
}

/// What a call cost.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CostBody {
    /// The amount, exact, as a text.
    amount: String,
    /// The ISO 4217 code.
    currency: String,
}

impl From<CallAttempt> for CallBody {
    fn from(attempt: CallAttempt) -> Self {
        Self {
            id: attempt.id.as_uuid(),
            campaign_id: attempt.campaign_id.as_uuid(),
            task_id: attempt.task_id.as_uuid(),
            attempt_number: attempt.number,
            phone_number: attempt.phone_number.to_string(),
            state: attempt.state.name(),
            started_at: attempt.created_at,
            accepted_at: attempt.accepted_at,
            ringing_at: attempt.ringing_at,
            answered_at: attempt.answered_at,
            ended_at: attempt.ended_at,
            talk_seconds: attempt.talk_time().map(|time| time.num_seconds()),
            answered_by: attempt.answered_by.map(AnsweredBy::name),
            outcome: attempt.outcome.map(Outcome::name),
            cost: attempt.cost.map(|cost| CostBody {
                amount: cost.amount.to_string(),
                currency: cost.currency,
            }),
            provider: attempt.provider,
            provider_call_id: attempt.provider_call_id,
            provider_raw_status: attempt.raw_status,
            error_code: attempt.error_code,
            latencies_milliseconds: attempt.latencies,
        }
    }
}

/// One call with everything that was said in it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CallDetailBody {
    #[serde(flatten)]
    call: CallBody,
    /// What is known of its recording, if one was asked for.
    recording: Option<RecordingBody>,
    /// Whom it was for.
    contact_name: String,
    /// The language spoken, if somebody picked up.
    language: Option<&'static str>,
    /// The changes of language, in order.
    language_switches: Vec<LanguageSwitchBody>,
    /// When to call again, if the person has asked for it: moved into the calling hours.
    appointment_at: Option<DateTime<Utc>>,
    /// Whether the person took part.
    consent: Option<ConsentBody>,
    /// What was said, in order.
    turns: Vec<TurnBody>,
    /// The answers given in this call.
    answers: Vec<AnswerBody>,
    /// The interview, if this call finished it or broke it off after an answer.
    response: Option<ResponseBody>,
}

/// The recording of a call, which the provider keeps.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RecordingBody {
    /// `not_started`, `in_progress`, `absent` or `finished`.
    state: &'static str,
    /// The provider's name of it.
    provider_recording_id: Option<String>,
    /// Where the provider keeps it.
    url: Option<String>,
    /// How long it is.
    seconds: Option<u32>,
    /// Why there is none.
    error: Option<String>,
}

impl From<Recording> for RecordingBody {
    fn from(recording: Recording) -> Self {
        Self {
            state: recording.state.name(),
            provider_recording_id: recording.provider_recording_id,
            url: recording.url,
            seconds: recording.seconds,
            error: recording.error,
        }
    }
}

impl From<CallDetail> for CallDetailBody {
    fn from(detail: CallDetail) -> Self {
        let (language, memory) = detail
            .conversation
            .map(|held| (held.language.code(), held.memory))
            .unzip();
        let memory = memory.unwrap_or_default();
        let switches = memory.switches.into_iter();
        Self {
            recording: detail.attempt.recording.clone().map(RecordingBody::from),
            call: detail.attempt.into(),
            contact_name: detail.task.contact.name,
            language,
            language_switches: switches.map(LanguageSwitchBody::from).collect(),
            appointment_at: memory.appointment,
            consent: detail.consent.map(ConsentBody::from),
            turns: detail.turns.into_iter().map(TurnBody::from).collect(),
            answers: detail.answers.into_iter().map(AnswerBody::from).collect(),
            response: detail.response.map(ResponseBody::from),
        }
    }
}

/// That the language changed.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct LanguageSwitchBody {
    /// The sequence of the turn that caused it.
    turn: u32,
    /// The language spoken before.
    from: &'static str,
    /// The language spoken since.
    to: &'static str,
}

impl From<LanguageSwitch> for LanguageSwitchBody {
    fn from(switch: LanguageSwitch) -> Self {
        Self {
            turn: switch.turn,
            from: switch.from.code(),
            to: switch.to.code(),
        }
    }
}

/// That the person agreed or refused to take part.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ConsentBody {
    /// Whether consent was given.
    given: bool,
    /// The words that were agreed to or refused.
    text: String,
    /// Which version of the words it was; empty for consents from before there were versions.
    text_version: String,
    /// Their language.
    language: &'static str,
    /// The turn that proves it.
    turn_id: Uuid,
    /// Who understood it: `rules`, `language_model` or `keypad`.
    interpreted_by: &'static str,
    /// When.
    at: DateTime<Utc>,
}

impl From<Consent> for ConsentBody {
    fn from(consent: Consent) -> Self {
        Self {
            given: consent.given,
            text: consent.text,
            text_version: consent.text_version,
            interpreted_by: consent.interpreted_by.name(),
            language: consent.language.code(),
            turn_id: consent.turn_id.as_uuid(),
            at: consent.at,
        }
    }
}

/// One thing that was said.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TurnBody {
    /// Its identifier.
    id: Uuid,
    /// 1, 2, 3 … within the call.
    sequence: u32,
    /// `agent` or `person`.
    speaker: &'static str,
    /// The words; keys as they were pressed; silence is empty, and what is not kept any longer.
    words: String,
    /// How sure the recogniser was, from 0 to 1.
    recognition_confidence: Option<f64>,
    /// What was understood.
    interpretation: Option<InterpretationBody>,
    /// The question it belongs to.
    question_key: Option<String>,
    /// When.
    at: DateTime<Utc>,
}

impl From<Turn> for TurnBody {
    fn from(turn: Turn) -> Self {
        Self {
            id: turn.id.as_uuid(),
            sequence: turn.sequence,
            speaker: turn.speaker.name(),
            words: turn.words,
            recognition_confidence: turn.heard_with.map(from_zero_to_one),
            interpretation: turn.interpretation.map(InterpretationBody::from),
            question_key: turn.question_key,
            at: turn.at,
        }
    }
}

/// What one interpreter understood an utterance to mean.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ReadingBody {
    /// `answer`, `out_of_range`, `ambiguous`, `repeat`, `skip`, `dont_know`, `stop`, `opt_out`,
    /// `call_back`, `wrong_person`, `ask_identity`, `ask_human` or `unclear`.
    intent: &'static str,
    /// The answer, or the number that was out of range.
    #[schema(value_type = Option<Value>)]
    value: Option<Value>,
    /// The possible answers of an ambiguous one.
    candidates: Vec<String>,
    /// How sure the interpreter was, from 0 to 1.
    confidence: f64,
    /// `rules`, `language_model`, `keypad` or `staff`.
    interpreted_by: &'static str,
}

impl From<OtherReading> for ReadingBody {
    fn from(reading: OtherReading) -> Self {
        let value = match &reading.intent {
            Intent::Answer { value } => Some(json_value(value)),
            Intent::OutOfRange { value } => Some(super::number(*value)),
            _ => None,
        };
        Self {
            intent: reading.intent.name(),
            value,
            confidence: from_zero_to_one(reading.confidence),
            interpreted_by: reading.by.name(),
            candidates: match reading.intent {
                Intent::Ambiguous { candidates } => candidates,
                _ => Vec::new(),
            },
        }
    }
}

/// What an utterance was understood to mean, and what else it may mean.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct InterpretationBody {
    #[serde(flatten)]
    reading: ReadingBody,
    /// What another interpreter understood, if that was something else.
    other_reading: Option<ReadingBody>,
}

impl From<Interpretation> for InterpretationBody {
    fn from(understood: Interpretation) -> Self {
        let reading = OtherReading {
            intent: understood.intent,
            confidence: understood.confidence,
            by: understood.by,
        };
        Self {
            reading: reading.into(),
            other_reading: understood.other.map(ReadingBody::from),
        }
    }
}

/// What became of one question, with its evidence.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AnswerBody {
    /// Its identifier.
    id: Uuid,
    /// The call in which it was given.
    call_id: Uuid,
    /// The question.
    question_key: String,
    /// `answered`, `skipped`, `dont_know`, `not_understood`, or `forgotten` if it is not kept any longer.
    result: &'static str,
    /// The value, checked by the question's type: a text, a number, `true` or `false`.
    #[schema(value_type = Option<Value>)]
    value: Option<Value>,
    /// The words heard; empty if they are not kept any longer.
    words: String,
    /// How sure the interpreter was, from 0 to 1.
    confidence: f64,
    /// `rules`, `language_model`, `keypad` or `staff`.
    interpreted_by: &'static str,
    /// How often the question was asked again before.
    repeats: u8,
    /// The turn that proves it.
    turn_id: Uuid,
    /// When.
    at: DateTime<Utc>,
    /// Why a person should look at it: `low_confidence`, `disagreement` or `unconfirmed`.
    doubt: Option<&'static str>,
    /// How often a person has accepted or corrected it.
    revision: u32,
    /// When a person last did so.
    reviewed_at: Option<DateTime<Utc>>,
    /// With which API key.
    reviewed_by: Option<Uuid>,
}

impl From<Answer> for AnswerBody {
    fn from(answer: Answer) -> Self {
        Self {
            id: answer.id.as_uuid(),
            call_id: answer.attempt_id.as_uuid(),
            result: answer.result.name(),
            value: answer.result.value().map(json_value),
            question_key: answer.question_key,
            words: answer.words,
            confidence: from_zero_to_one(answer.confidence),
            interpreted_by: answer.interpreted_by.name(),
            repeats: answer.repeats,
            turn_id: answer.turn_id.as_uuid(),
            at: answer.at,
            doubt: answer.doubt.map(Doubt::name),
            revision: answer.revision,
            reviewed_at: answer.reviewed_at,
            reviewed_by: answer.reviewed_by.map(ApiKeyId::as_uuid),
        }
    }
}

pub(super) fn json_value(value: &AnswerValue) -> Value {
    match value {
        AnswerValue::Text(words) => words.clone().into(),
        AnswerValue::Number(number) => super::number(*number),
        AnswerValue::YesNo(yes) => (*yes).into(),
        AnswerValue::Choice(key) => key.clone().into(),
    }
}

pub(super) fn from_zero_to_one(confidence: Confidence) -> f64 {
    f64::from(confidence.hundredths()) / 100.0
}

/// The interview.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ResponseBody {
    /// Its identifier.
    id: Uuid,
    /// Whether all questions were dealt with.
    complete: bool,
    /// When it began.
    started_at: DateTime<Utc>,
    /// When it ended.
    ended_at: DateTime<Utc>,
}

impl From<SurveyResponse> for ResponseBody {
    fn from(response: SurveyResponse) -> Self {
        Self {
            id: response.id.as_uuid(),
            complete: response.complete,
            started_at: response.started_at,
            ended_at: response.ended_at,
        }
    }
}

/// Calls, newest first.
#[utoipa::path(
    get, path = "/api/calls", tag = "calls", params(CallQuery),
    responses((status = 200, body = ListBody<CallBody>))
)]
async fn list_calls(
    State(app): State<App>,
    actor: Actor,
    QueryParameters(query): QueryParameters<CallQuery>,
) -> Result<Json<ListBody<CallBody>>, ApiError> {
    let mut checks = Checks::default();
    let campaign = Field::<CampaignId>::from_text(query.campaign);
    let campaign_id = checks.optional("campaign", campaign);
    let page = page::page(LIST, query.cursor, query.limit, &mut checks);
    checks.finish_query()?;
    let filter = CallAttemptFilter {
        campaign_id,
        ..CallAttemptFilter::default()
    };
    let calls = app.reports.calls(&actor, &filter, &page).await?;
    Ok(Json(ListBody::new(LIST, calls, CallBody::from)))
}

/// One call with everything that was said in it.
#[utoipa::path(
    get, path = "/api/calls/{id}", tag = "calls",
    params(("id" = Uuid, Path, description = "The call")),
    responses((status = 200, body = CallDetailBody))
)]
async fn get_call(
    State(app): State<App>,
    actor: Actor,
    Id(id): Id<CallAttemptId>,
) -> Result<Json<CallDetailBody>, ApiError> {
    Ok(Json(app.reports.call(&actor, id).await?.into()))
}
