//! A provider that does what the test tells it to do.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use chrono::TimeDelta;
use tokio::sync::Notify;
use voicesurvey_core::call_attempt::{CallEvent, CallEventKind};
use voicesurvey_core::conversation::VoiceReply;
use voicesurvey_core::id::CallAttemptId;
use voicesurvey_core::outcome::Outcome;
use voicesurvey_core::phone_number::PhoneNumber;
use voicesurvey_core::ports::{
    CallOrder, CallReference, Cancellation, FoundCall, PlaceCallError, Placed, ProviderError,
    TelephonyProvider, UnconfirmedCall, Webhook, WebhookError, WebhookReply, WebhookRequest,
};
use voicesurvey_core::testing::samples;
use voicesurvey_core::time::Timestamp;

/// What the provider answers when it is asked to dial.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Answers {
    /// It takes the call.
    Taken,
    /// The request gets lost on the way, there or back.
    Unknown,
    /// It asks for patience.
    Later(TimeDelta),
    /// It cannot take the call, and does not know when it can.
    Failing,
    /// It refuses our credentials.
    Misconfigured,
    /// It takes the call, but says so only when [`ScriptedProvider::let_go`] is called.
    TakenWhenLetGo,
}

/// What the provider says when it is asked about a call.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Knows {
    /// That there is no such call.
    NoSuchCall,
    /// That it cannot tell.
    Nothing,
    /// That it has the call, and that nothing has happened to it.
    NoNews,
    /// That the call ended so.
    EndedAs(Outcome),
}

/// Dials nobody, and remembers whom it was asked to dial.
#[derive(Debug)]
pub(crate) struct ScriptedProvider {
    name: &'static str,
    answers: Mutex<Answers>,
    knows: Mutex<Knows>,
    cancels: Mutex<Option<Cancellation>>,
    let_go: Notify,
    dialed: Mutex<Vec<PhoneNumber>>,
    cancelled: Mutex<Vec<CallAttemptId>>,
    hung_up: Mutex<Vec<CallAttemptId>>,
    sought: Mutex<Vec<UnconfirmedCall>>,
}

impl ScriptedProvider {
    /// Takes every call, and knows of none.
    pub(crate) fn named(name: &'static str) -> Arc<Self> {
        Arc::new(Self {
            name,
            answers: Mutex::new(Answers::Taken),
            knows: Mutex::new(Knows::NoSuchCall),
            cancels: Mutex::new(Some(Cancellation::GoesOn)),
            let_go: Notify::new(),
            dialed: Mutex::default(),
            cancelled: Mutex::default(),
            hung_up: Mutex::default(),
            sought: Mutex::default(),
        })
    }

    /// What it answers from now on.
    pub(crate) fn answers(&self, answers: Answers) {
        *self.answers.lock().unwrap() = answers;
    }

    /// What it knows from now on.
    pub(crate) fn knows(&self, knows: Knows) {
        *self.knows.lock().unwrap() = knows;
    }

    /// What it says from now on when it is to cancel a call; `None` if nothing.
    pub(crate) fn cancels(&self, came_to: Option<Cancellation>) {
        *self.cancels.lock().unwrap() = came_to;
    }

    /// Lets one call go that was held.
    pub(crate) fn let_go(&self) {
        self.let_go.notify_one();
    }

    /// Whom it was asked to dial, in order.
    pub(crate) fn dialed(&self) -> Vec<PhoneNumber> {
        self.dialed.lock().unwrap().clone()
    }

    /// Which calls it was asked to cancel, in order.
    pub(crate) fn cancelled(&self) -> Vec<CallAttemptId> {
        self.cancelled.lock().unwrap().clone()
    }

    /// Which calls it was asked to end, in order.
    pub(crate) fn hung_up(&self) -> Vec<CallAttemptId> {
        self.hung_up.lock().unwrap().clone()
    }

    /// Which calls without a name of its own it was asked about, in order.
    pub(crate) fn sought(&self) -> Vec<UnconfirmedCall> {
        self.sought.lock().unwrap().clone()
    }
}

#[async_trait]
impl TelephonyProvider for ScriptedProvider {
    fn name(&self) -> &'static str {
        self.name
    }

    async fn place_call(&self, order: &CallOrder) -> Result<Placed, PlaceCallError> {
        self.dialed.lock().unwrap().push(order.phone_number);
        let answers = *self.answers.lock().unwrap();
        match answers {
            Answers::Taken => {}
            Answers::TakenWhenLetGo => self.let_go.notified().await,
            Answers::Unknown => {
                let source = "no answer within ten seconds".into();
                return Err(PlaceCallError::Unknown { source });
            }
            Answers::Later(after) => {
                let after = Some(after);
                return Err(PlaceCallError::RetryLater { after });
            }
            Answers::Failing => return Err(PlaceCallError::RetryLater { after: None }),
            Answers::Misconfigured => {
                return Err(PlaceCallError::Configuration {
                    code: "20003".to_owned(),
                    what: "the credentials are refused".to_owned(),
                });
            }
        }
        Ok(Placed {
            provider_call_id: format!("call-{}", order.attempt_id),
        })
    }

    async fn find_call(&self, call: &CallReference) -> Result<FoundCall, ProviderError> {
        let ended = |outcome| CallEvent {
            company_id: call.company_id,
            attempt_id: call.attempt_id,
            event_id: "found".to_owned(),
            provider_call_id: None,
            kind: CallEventKind::Ended {
                outcome: Some(outcome),
            },
            at: samples::now(),
            raw_status: None,
            error_code: None,
        };
        let found = |events| FoundCall::Found { events };
        Ok(match *self.knows.lock().unwrap() {
            Knows::NoSuchCall => FoundCall::NotFound,
            Knows::Nothing => FoundCall::Unknown,
            Knows::NoNews => found(Vec::new()),
            Knows::EndedAs(outcome) => found(vec![ended(outcome)]),
        })
    }

    async fn find_unconfirmed_call(
        &self,
        sought: &UnconfirmedCall,
    ) -> Result<FoundCall, ProviderError> {
        self.sought.lock().unwrap().push(sought.clone());
        self.find_call(&sought.call).await
    }

    async fn cancel(&self, call: &CallReference) -> Result<Cancellation, ProviderError> {
        self.cancelled.lock().unwrap().push(call.attempt_id);
        match *self.cancels.lock().unwrap() {
            Some(cancelled) => Ok(cancelled),
            None => Err(no_answer()),
        }
    }

    async fn hang_up(&self, call: &CallReference) -> Result<(), ProviderError> {
        self.hung_up.lock().unwrap().push(call.attempt_id);
        Ok(())
    }

    fn read_webhook(
        &self,
        _request: &WebhookRequest,
        _now: Timestamp,
    ) -> Result<Webhook, WebhookError> {
        Ok(Webhook::Nothing)
    }

    fn write_reply(&self, _call: &CallReference, _reply: &VoiceReply) -> WebhookReply {
        WebhookReply::empty()
    }
}

fn no_answer() -> ProviderError {
    ProviderError {
        what: "no answer within ten seconds".to_owned(),
    }
}
