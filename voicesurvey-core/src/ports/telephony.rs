//! The telephony provider: asks it to dial, reads what it tells, and writes what it shall say.

use std::time::Duration;

use async_trait::async_trait;
use chrono::TimeDelta;

use crate::call_attempt::{AnsweredBy, CallEvent};
use crate::campaign::{CallSettings, MachineDetection};
use crate::conversation::{Heard, VoiceReply};
use crate::id::{CallAttemptId, CompanyId};
use crate::language::Language;
use crate::outcome::Outcome;
use crate::phone_number::PhoneNumber;
use crate::time::Timestamp;

/// A telephony provider. It never decides what happens to a task: it dials, tells, and speaks.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait TelephonyProvider: Send + Sync + std::fmt::Debug {
    /// The name that attempts, logs and the configuration use: `simulated`, `twilio`.
    fn name(&self) -> &'static str;

    /// Asks the provider to dial.
    ///
    /// `Unknown` means that the telephone may be ringing: reconcile, never dial again. A provider
    /// must not answer `Rejected` or `RetryLater` unless the call was surely not placed.
    async fn place_call(&self, order: &CallOrder) -> Result<Placed, PlaceCallError>;

    /// What became of an attempt whose outcome is unknown or whose events are overdue.
    async fn find_call(&self, call: &CallReference) -> Result<FoundCall, ProviderError>;

    /// The same for a call whose order was never answered, so that the provider's name of it is not
    /// known. A provider that does not know calls by our reference looks for it by number and time.
    async fn find_unconfirmed_call(
        &self,
        sought: &UnconfirmedCall,
    ) -> Result<FoundCall, ProviderError> {
        self.find_call(&sought.call).await
    }

    /// Ends a call that nobody has answered yet, whether it rings or waits to be dialed, and leaves
    /// one alone that somebody has. A call that has already ended is no error.
    ///
    /// A provider may tell nothing of a call that it had not begun to dial. So whoever cancels one
    /// asks [`find_call`](Self::find_call) what became of it; of a call for which no telephone rang
    /// that says that it ended as [`Outcome::Cancelled`].
    async fn cancel(&self, call: &CallReference) -> Result<Cancellation, ProviderError>;

    /// Ends a call. A call that has already ended is no error.
    async fn hang_up(&self, call: &CallReference) -> Result<(), ProviderError>;

    /// Begins to record a call and tells the provider's name of the recording; what becomes of it is
    /// told by webhooks. Asked at most once per call, and never before the person has consented.
    async fn start_recording(&self, call: &CallReference) -> Result<String, ProviderError> {
        Err(ProviderError {
            what: format!(
                "call {} cannot be recorded: this provider records none",
                call.attempt_id
            ),
        })
    }

    /// Erases what was recorded. A recording that does not exist is no error.
    async fn erase_recording(&self, provider_recording_id: &str) -> Result<(), ProviderError> {
        Err(ProviderError {
            what: format!(
                "recording {provider_recording_id} cannot be erased: this provider keeps none"
            ),
        })
    }

    /// Whether [`find_call`](Self::find_call) is to be asked for the price of a call that has ended,
    /// because no webhook tells it.
    fn prices_are_asked_for(&self) -> bool {
        false
    }

    /// Verifies and reads a webhook. Changes nothing.
    fn read_webhook(
        &self,
        request: &WebhookRequest,
        now: Timestamp,
    ) -> Result<Webhook, WebhookError>;

    /// Writes what is to be said in the provider's own language.
    fn write_reply(&self, call: &CallReference, reply: &VoiceReply) -> WebhookReply;
}

/// One call to be placed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallOrder {
    /// Whose call it is.
    pub company_id: CompanyId,
    /// Our reference; the provider gives it back with every webhook.
    pub attempt_id: CallAttemptId,
    /// The number to be dialed.
    pub phone_number: PhoneNumber,
    /// The language that will be spoken.
    pub language: Language,
    /// How long it may ring.
    pub ring_for: Duration,
    /// How long the conversation may last; then it comes to its end by itself. A provider that cuts
    /// lines off leaves it some time for that.
    pub longest_call: Duration,
    /// What the campaign wants otherwise than the configuration.
    pub options: CallOptions,
}

/// How a campaign wants a call to be placed. What is absent the configuration decides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CallOptions {
    /// The number that is shown.
    pub caller_id: Option<PhoneNumber>,
    /// Whether machines are told from people.
    pub machine_detection: Option<MachineDetection>,
    /// Whether a voicemail may hear a message: then its greeting is waited for.
    pub leaves_message: bool,
}

impl From<&CallSettings> for CallOptions {
    fn from(settings: &CallSettings) -> Self {
        Self {
            caller_id: settings.caller_id,
            machine_detection: settings.machine_detection,
            leaves_message: settings.voicemail.messages().is_some(),
        }
    }
}

/// The provider took the call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    /// The provider's name of the call.
    pub provider_call_id: String,
}

/// Why a call was not placed, or may not have been.
#[derive(Debug, thiserror::Error)]
pub enum PlaceCallError {
    /// This call will never be placed: the number is not valid, not reachable, not allowed.
    #[error("the provider rejected the call ({code})")]
    Rejected {
        /// The provider's error code.
        code: String,
        /// What it means for the task.
        outcome: Outcome,
    },
    /// No call will be placed until somebody mends the configuration: credentials, caller id.
    #[error("the provider refuses our configuration ({code}): {what}")]
    Configuration {
        /// The provider's error code.
        code: String,
        /// What is wrong, for the operator.
        what: String,
    },
    /// Surely not placed, and worth trying again.
    #[error("the provider asks to try again later")]
    RetryLater {
        /// After which time, if it says so.
        after: Option<TimeDelta>,
    },
    /// Nobody knows: the request was sent and no answer came.
    #[error("it is not known whether the call was placed")]
    Unknown {
        /// What went wrong.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// What the provider knows of an attempt.
#[derive(Clone, Debug, PartialEq)]
pub enum FoundCall {
    /// There is such a call, and this is what happened so far.
    Found {
        /// The news, to be taken in like webhooks.
        events: Vec<CallEvent>,
    },
    /// There is surely no such call: nobody was dialed.
    NotFound,
    /// The provider cannot tell.
    Unknown,
}

/// What came of cancelling a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cancellation {
    /// The call is over: no telephone rings for it from now on.
    Over,
    /// Somebody has answered it, or the provider cannot tell.
    GoesOn,
}

/// The provider could not be asked.
#[derive(Debug, thiserror::Error)]
#[error("the telephony provider could not be asked: {what}")]
pub struct ProviderError {
    /// What went wrong.
    pub what: String,
}

/// Names a call in our words and in the provider's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallReference {
    /// Whose call it is.
    pub company_id: CompanyId,
    /// Our reference.
    pub attempt_id: CallAttemptId,
    /// The provider's name of the call, if it is known.
    pub provider_call_id: Option<String>,
}

/// A call that was ordered, and the order was never answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnconfirmedCall {
    /// Its name in our words.
    pub call: CallReference,
    /// The number that was to be dialed.
    pub phone_number: PhoneNumber,
    /// When the attempt was committed: the provider was not asked before.
    pub committed_at: Timestamp,
    /// After this instant the provider was not asked any more.
    pub dial_before: Timestamp,
    /// The provider's names of calls to the same number that are known to be other attempts', also
    /// other companies'.
    pub other_calls: Vec<String>,
}

/// An HTTP request of the provider, as it arrived.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WebhookRequest {
    /// Which webhook was called: the last part of its path, such as `events`, `answer`, `turn`.
    pub endpoint: String,
    /// The public URL that was called, with its query, as the provider sees it.
    pub url: String,
    /// All headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body, untouched.
    pub body: Vec<u8>,
}

impl WebhookRequest {
    /// The first header of that name, which must be in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }
}

/// What a webhook says.
#[derive(Clone, Debug, PartialEq)]
pub enum Webhook {
    /// Something happened to a call.
    Event(CallEvent),
    /// The call was answered: what shall be said first?
    Answered {
        /// The call.
        call: CallReference,
        /// Who or what answered.
        by: AnsweredBy,
        /// When.
        at: Timestamp,
    },
    /// The person said something, pressed keys, or stayed silent: what shall be said now?
    Turn {
        /// The call.
        call: CallReference,
        /// Which reply it answers.
        step: u32,
        /// What was heard.
        heard: Heard,
        /// When.
        at: Timestamp,
    },
    /// It asks for a document that is the same for every call, such as a goodbye for when nothing
    /// else can be had: it is answered without asking the store.
    Document(WebhookReply),
    /// The provider could not ask what is to be said: it says this goodbye, and hangs up.
    GivenUp {
        /// That the line is lost.
        event: CallEvent,
        /// The goodbye.
        reply: WebhookReply,
    },
    /// Nothing to act on, such as an empty body.
    Nothing,
}

/// Why a webhook is not believed. It changes nothing.
#[derive(Debug, thiserror::Error)]
pub enum WebhookError {
    /// It does not come from the provider.
    #[error("the signature is missing or wrong")]
    BadSignature,
    /// It comes from the provider and cannot be read.
    #[error("the webhook cannot be read: {what}")]
    Unreadable {
        /// What is wrong with it.
        what: String,
    },
}

/// The HTTP answer to a webhook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookReply {
    /// The HTTP status.
    pub status: u16,
    /// The content type; `None` without a body.
    pub content_type: Option<&'static str>,
    /// The body.
    pub body: Vec<u8>,
}

impl WebhookReply {
    /// "Understood, nothing to say": 204 without a body.
    pub const fn empty() -> Self {
        Self {
            status: 204,
            content_type: None,
            body: Vec::new(),
        }
    }
}
