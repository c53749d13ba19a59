//! A provider that does what the test tells it to do.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use chrono::TimeDelta;
use tokio::sync::Notify;
use voicesurvey_core::conversation::VoiceReply;
use voicesurvey_core::id::CallAttemptId;
use voicesurvey_core::phone_number::PhoneNumber;
use voicesurvey_core::ports::{
    CallOrder, CallReference, FoundCall, PlaceCallError, Placed, ProviderError, TelephonyProvider,
    Webhook, WebhookError, WebhookReply, WebhookRequest,
};
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
}

/// Dials nobody, and remembers whom it was asked to dial.
#[derive(Debug)]
pub(crate) struct ScriptedProvider {
    name: &'static str,
    answers: Mutex<Answers>,
    knows: Mutex<Knows>,
    let_go: Notify,
    dialed: Mutex<Vec<PhoneNumber>>,
    hung_up: Mutex<Vec<CallAttemptId>>,
}

impl ScriptedProvider {
    /// Takes every call, and knows of none.
    pub(crate) fn named(name: &'static str) -> Arc<Self> {
        Arc::new(Self {
            name,
            answers: Mutex::new(Answers::Taken),
            knows: Mutex::new(Knows::NoSuchCall),
            let_go: Notify::new(),
            dialed: Mutex::default(),
            hung_up: Mutex::default(),
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

    /// Lets one call go that was held.
    pub(crate) fn let_go(&self) {
        self.let_go.notify_one();
    }

    /// Whom it was asked to dial, in order.
    pub(crate) fn dialed(&self) -> Vec<PhoneNumber> {
        self.dialed.lock().unwrap().clone()
    }

    /// Which calls it was asked to end, in order.
    pub(crate) fn hung_up(&self) -> Vec<CallAttemptId> {
        self.hung_up.lock().unwrap().clone()
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

    async fn find_call(&self, _call: &CallReference) -> Result<FoundCall, ProviderError> {
        Ok(match *self.knows.lock().unwrap() {
            Knows::NoSuchCall => FoundCall::NotFound,
            Knows::Nothing => FoundCall::Unknown,
        })
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
