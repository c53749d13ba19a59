//! Test conversations: the interview of a campaign, held by whoever writes it.

use std::collections::BTreeMap;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use voicesurvey_core::api_key::Actor;
use voicesurvey_core::call_task::CallBack;
use voicesurvey_core::conversation::{Heard, Listen, Then, VoiceReply};
use voicesurvey_core::id::CampaignId;
use voicesurvey_core::language::Language;
use voicesurvey_core::outcome::Outcome;
use voicesurvey_core::service::test_conversations::{TestContact, TestConversation, TestStep};

use super::calls::{AnswerBody, ConsentBody, TurnBody};
use super::error::ApiError;
use super::extract::{Id, read_json_or_default};
use super::fields::{Checks, Field, FromJson, UnknownFields};
use crate::app::App;

/// With more the state would become too large to come back.
const LONGEST_SPEECH: usize = 1_000;

/// No answer has more keys.
const MOST_KEYS: usize = 20;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(hold_test_conversation))
}

/// What is heard, and in which conversation. Without a state another one begins.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub(super) struct TestConversationRequestBody {
    /// Who is called; to begin with only.
    #[schema(value_type = Option<TestContactBody>)]
    contact: Field<TestContactBody>,
    /// The `state` of the last answer, as it came.
    #[schema(value_type = Option<Object>)]
    state: Field<Value>,
    /// What came back over the line; required with a state.
    #[schema(value_type = Option<HeardBody>)]
    heard: Field<HeardBody>,
    #[serde(flatten)]
    #[schema(ignore)]
    unknown: UnknownFields,
}

/// Who is called. Everything may be left out.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct TestContactBody {
    /// What to call the person: `{{name}}`.
    #[schema(value_type = Option<String>)]
    name: Field<String>,
    /// The language to be spoken; the campaign's if it is left out or not offered.
    #[schema(value_type = Option<String>, example = "it")]
    language: Field<Language>,
    /// Further columns of the call list, by their names: `{{city}}`.
    #[schema(value_type = Option<BTreeMap<String, String>>)]
    columns: Field<BTreeMap<String, String>>,
    #[serde(flatten)]
    #[schema(ignore)]
    unknown: UnknownFields,
}

/// What came back over the line: exactly one of these.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct HeardBody {
    /// What the person said.
    #[schema(value_type = Option<String>, max_length = 1_000)]
    speech: Field<String>,
    /// The keys pressed: digits, `*` and `#`.
    #[schema(value_type = Option<String>, max_length = 20, example = "5")]
    keys: Field<String>,
    /// `true`: nothing was heard.
    #[schema(value_type = Option<bool>)]
    silence: Field<bool>,
    #[serde(flatten)]
    #[schema(ignore)]
    unknown: UnknownFields,
}

/// What is asked of a test conversation.
enum Wanted {
    Begin(TestContact),
    GoOn(Box<TestConversation>, Heard),
}

impl TestConversationRequestBody {
    fn read(self) -> Result<Wanted, ApiError> {
        let mut checks = Checks::default();
        let begins = !self.state.is_named();
        if begins && self.heard.is_named() {
            checks.wrong("heard", "leave it out to begin, or send the state as well");
        }
        if !begins && self.contact.is_named() {
            checks.wrong("contact", "leave it out: the state names who is called");
        }
        let contact = checks.optional("contact", self.contact);
        let contact = contact.map(|contact| contact.read(&mut checks));
        let state = checks.optional("state", self.state);
        let state = state.and_then(|state| match TestConversation::read(&state) {
            Ok(state) => Some(Box::new(state)),
            Err(error) => {
                checks.extend(vec![error]);
                None
            }
        });
        let heard = if begins {
            checks.optional("heard", self.heard)
        } else {
            checks.required("heard", self.heard)
        };
        let heard = heard.and_then(|heard| heard.read(&mut checks));
        checks.unknown(self.unknown);
        checks.finish()?;
        Ok(match (state, heard) {
            (Some(state), Some(heard)) => Wanted::GoOn(state, heard),
            _ => Wanted::Begin(contact.unwrap_or_default()),
        })
    }
}

impl TestContactBody {
    fn read(self, checks: &mut Checks) -> TestContact {
        let name = checks.optional("contact.name", self.name);
        let language = checks.optional("contact.language", self.language);
        let columns = checks.optional("contact.columns", self.columns);
        unknown_in("contact", self.unknown, checks);
        TestContact {
            name: name.unwrap_or_default(),
            language,
            columns: columns.unwrap_or_default(),
        }
    }
}

impl HeardBody {
    fn read(self, checks: &mut Checks) -> Option<Heard> {
        unknown_in("heard", self.unknown, checks);
        let named = [
            self.speech.is_named(),
            self.keys.is_named(),
            self.silence.is_named(),
        ];
        if named.into_iter().filter(|is_named| *is_named).count() != 1 {
            checks.wrong("heard", "give one of speech, keys and silence");
            return None;
        }
        let words = checks.optional("heard.speech", self.speech);
        let keys = checks.optional("heard.keys", self.keys);
        match (words, keys, checks.optional("heard.silence", self.silence)) {
            (Some(words), _, _) => {
                if words.trim().is_empty() {
                    let message = r#"must not be empty: send {"silence": true}"#;
                    checks.wrong("heard.speech", message);
                } else if words.chars().count() > LONGEST_SPEECH {
                    let message = format!("use at most {LONGEST_SPEECH} characters");
                    checks.wrong("heard.speech", message);
                }
                let confidence = None;
                Some(Heard::Speech { words, confidence })
            }
            (_, Some(keys), _) => {
                let is_key = |key: char| key.is_ascii_digit() || matches!(key, '*' | '#');
                if keys.is_empty() || keys.len() > MOST_KEYS || !keys.chars().all(is_key) {
                    let message = format!("use 1 to {MOST_KEYS} digits, * and #");
                    checks.wrong("heard.keys", message);
                }
                Some(Heard::Keys { keys })
            }
            (_, _, Some(true)) => Some(Heard::Silence),
            (_, _, Some(false)) => {
                checks.wrong("heard.silence", "use true, or another field");
                None
            }
            (None, None, None) => None,
        }
    }
}

fn unknown_in(object: &str, unknown: UnknownFields, checks: &mut Checks) {
    for (field, _) in unknown {
        checks.wrong(format!("{object}.{field}"), "unknown field");
    }
}

/// Objects within the body.
macro_rules! objects {
    ($($body:ty),+) => {$(
        impl FromJson for $body {
            fn from_json(value: Value) -> Result<Self, String> {
                if !value.is_object() {
                    return Err("must be an object".to_owned());
                }
                serde_json::from_value(value).map_err(|error| error.to_string())
            }
        }
    )+};
}

objects!(TestContactBody, HeardBody);

/// What is said next, and what a call would have stored.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TestConversationBody {
    /// What is said now.
    reply: ReplyBody,
    /// What was heard and what is said, as turns of a call.
    turns: Vec<TurnBody>,
    /// The answer that was understood, if one was. The answers so far are in the state.
    answers: Vec<AnswerBody>,
    /// Whether the person takes part, if that was said now.
    consent: Option<ConsentBody>,
    /// When the person would be called again, if they have asked for that and it is known.
    appointment: Option<DateTime<Utc>>,
    /// How the call would have ended, once it has.
    outcome: Option<&'static str>,
    /// Send it with what is heard next, as it is.
    #[schema(value_type = Object)]
    state: Value,
}

/// What is said.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ReplyBody {
    /// The language it is spoken in.
    language: &'static str,
    /// The provider's name of the voice.
    voice: Option<String>,
    /// The sentences, in order.
    say: Vec<String>,
    /// So many of the first sentences speech does not interrupt; keys always may.
    firm: u16,
    /// How it is listened then; absent when the call is ended.
    listen: Option<ListenBody>,
}

/// How a person is listened to.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ListenBody {
    /// After so many seconds of silence the person is taken to have said nothing.
    silence_seconds: u16,
    /// After so many milliseconds of silence the person is taken to have finished.
    end_of_speech_milliseconds: u16,
    /// After so many seconds of speech nothing more is listened to.
    longest_speech_seconds: u16,
    /// With so many keys an answer is complete.
    most_keys: u8,
    /// After so many seconds without a key it is complete as well.
    seconds_between_keys: u8,
    /// Words that are likely to be said, for recognisers that take hints.
    hints: Vec<String>,
}

impl TestConversationBody {
    fn after(step: TestStep) -> Result<Self, ApiError> {
        let TestStep { step, state } = step;
        let appointment = match step.conversation.call_back() {
            CallBack::At(at) => Some(at),
            CallBack::NotAsked | CallBack::Later => None,
        };
        Ok(Self {
            turns: step.turns.into_iter().map(TurnBody::from).collect(),
            answers: step.answer.into_iter().map(AnswerBody::from).collect(),
            consent: step.consent.map(ConsentBody::from),
            appointment,
            outcome: step.conversation.outcome.map(Outcome::name),
            reply: step.conversation.last_reply.into(),
            state: serde_json::to_value(state).map_err(ApiError::internal)?,
        })
    }
}

impl From<VoiceReply> for ReplyBody {
    fn from(reply: VoiceReply) -> Self {
        Self {
            language: reply.language.code(),
            voice: reply.voice,
            say: reply.say,
            firm: reply.firm,
            listen: match reply.then {
                Then::Listen(listen) => Some(listen.into()),
                Then::HangUp => None,
            },
        }
    }
}

impl From<Listen> for ListenBody {
    fn from(listen: Listen) -> Self {
        Self {
            silence_seconds: listen.silence_seconds,
            end_of_speech_milliseconds: listen.end_of_speech_milliseconds,
            longest_speech_seconds: listen.longest_speech_seconds,
            most_keys: listen.keys.most,
            seconds_between_keys: listen.keys.between_seconds,
            hints: listen.hints,
        }
    }
}

/// Holds a conversation without a telephone. Needs the role manager.
///
/// Without a body somebody picks up; afterwards send what is heard together with the `state` of the
/// last answer. It works in whatever status the campaign is. Nothing is stored, nobody is excluded or
/// called again, and no result counts it.
#[utoipa::path(
    post, path = "/api/campaigns/{id}/test-conversation", tag = "campaigns",
    request_body = Option<TestConversationRequestBody>,
    params(("id" = String, Path)), responses((status = 200, body = TestConversationBody))
)]
async fn hold_test_conversation(
    State(app): State<App>,
    actor: Actor,
    Id(id): Id<CampaignId>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<TestConversationBody>, ApiError> {
    let wanted = read_json_or_default::<TestConversationRequestBody>(body)?.read()?;
    let held = &app.test_conversations;
    let campaign = held.campaign(&actor, id).await?;
    let step = match wanted {
        Wanted::Begin(contact) => held.begin(&campaign, contact)?,
        Wanted::GoOn(state, heard) => held.hear(&campaign, *state, heard).await?,
    };
    Ok(Json(TestConversationBody::after(step)?))
}
