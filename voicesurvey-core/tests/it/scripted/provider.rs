//! A provider that does what the test tells it to do.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use chrono::TimeDelta;
use rust_decimal::Decimal;
use tokio::sync::Notify;
use voicesurvey_core::call_attempt::{CallEvent, CallEventKind};
use voicesurvey_core::conversation::VoiceReply;
use voicesurvey_core::id::CallAttemptId;
use voicesurvey_core::money::Cost;
use voicesurvey_core::outcome::Outcome;
use voicesurvey_core::phone_number::PhoneNumber;
use voicesurvey_core::ports::{
    CallOptions, CallOrder, CallReference, Cancellation, FoundCall, PlaceCallError, Placed,
    ProviderError, TelephonyProvider, UnconfirmedCall, Webhook, WebhookError, WebhookReply,
    WebhookRequest,
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
    /// That the call costs so many cents.
    Costs(i64),
}

/// Dials nobody, and remembers whom it was asked to dial.
#[derive(Debug)]
pub(crate) struct ScriptedProvider {
    name: &'static str,
    prices_are_asked_for: bool,
    answers: Mutex<Answers>,
    knows: Mutex<Knows>,
    cancels: Mutex<Option<Cancellation>>,
    let_go: Notify,
    webhook: Mutex<Option<Webhook>>,
    records: AtomicBool,
    recorded: Mutex<Vec<CallAttemptId>>,
    erases: AtomicBool,
    asked_to_erase: Mutex<Vec<String>>,
    asked: AtomicUsize,
    dialed: Mutex<Vec<(PhoneNumber, CallOptions)>>,
    cancelled: Mutex<Vec<CallAttemptId>>,
    hung_up: Mutex<Vec<CallAttemptId>>,
    sought: Mutex<Vec<UnconfirmedCall>>,
}

impl ScriptedProvider {
    /// Takes every call, and knows of none.
    pub(crate) fn named(name: &'static str) -> Arc<Self> {
        Arc::new(Self::new(name, false))
    }

    /// The same, and is to be asked for prices.
    pub(crate) fn with_prices(name: &'static str) -> Arc<Self> {
        Arc::new(Self::new(name, true))
    }

    fn new(name: &'static str, prices_are_asked_for: bool) -> Self {
        Self {
            name,
            prices_are_asked_for,
            answers: Mutex::new(Answers::Taken),
            knows: Mutex::new(Knows::NoSuchCall),
            cancels: Mutex::new(Some(Cancellation::GoesOn)),
            let_go: Notify::new(),
            webhook: Mutex::default(),
            records: AtomicBool::new(true),
            recorded: Mutex::default(),
            erases: AtomicBool::new(true),
            asked_to_erase: Mutex::default(),
            asked: AtomicUsize::new(0),
            dialed: Mutex::default(),
            cancelled: Mutex::default(),
            hung_up: Mutex::default(),
            sought: Mutex::default(),
        }
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

    /// What the next webhook says.
    pub(crate) fn tells(&self, webhook: Webhook) {
        *self.webhook.lock().unwrap() = Some(webhook);
    }

    /// Lets one call go that was held.
    pub(crate) fn let_go(&self) {
        self.let_go.notify_one();
    }

    /// Records no call from now on.
    pub(crate) fn fails_to_record(&self) {
        self.records.store(false, Ordering::Relaxed);
    }

    /// Which calls it was asked to record, in order.
    pub(crate) fn recorded(&self) -> Vec<CallAttemptId> {
        self.recorded.lock().unwrap().clone()
    }

    /// Whether it erases recordings from now on.
    pub(crate) fn erases_recordings(&self, erases: bool) {
        self.erases.store(erases, Ordering::Relaxed);
    }

    /// Which recordings it was asked to erase, in order.
    pub(crate) fn asked_to_erase(&self) -> Vec<String> {
        self.asked_to_erase.lock().unwrap().clone()
    }

    /// How often it was asked what became of a call.
    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }

    /// Whom it was asked to dial, in order.
    pub(crate) fn dialed(&self) -> Vec<PhoneNumber> {
        let dialed = self.dialed.lock().unwrap();
        dialed.iter().map(|(number, _)| *number).collect()
    }

    /// How it was asked to dial them.
    pub(crate) fn options(&self) -> Vec<CallOptions> {
        let dialed = self.dialed.lock().unwrap();
        dialed.iter().map(|(_, options)| *options).collect()
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
        let ordered = (order.phone_number, order.options);
        self.dialed.lock().unwrap().push(ordered);
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
        self.asked.fetch_add(1, Ordering::Relaxed);
        let event = |kind| CallEvent {
            company_id: call.company_id,
            attempt_id: call.attempt_id,
            event_id: "found".to_owned(),
            provider_call_id: None,
            kind,
            at: samples::now(),
            raw_status: None,
            error_code: None,
        };
        let found = |events| FoundCall::Found { events };
        Ok(match *self.knows.lock().unwrap() {
            Knows::NoSuchCall => FoundCall::NotFound,
            Knows::Nothing => FoundCall::Unknown,
            Knows::NoNews => found(Vec::new()),
            Knows::EndedAs(outcome) => {
                let outcome = Some(outcome);
                found(vec![event(CallEventKind::Ended { outcome })])
            }
            Knows::Costs(cents) => {
                let cost = Cost {
                    amount: Decimal::new(cents, 2),
                    currency: "EUR".to_owned(),
                };
                found(vec![event(CallEventKind::Priced { cost })])
            }
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

    fn prices_are_asked_for(&self) -> bool {
        self.prices_are_asked_for
    }

    async fn start_recording(&self, call: &CallReference) -> Result<String, ProviderError> {
        let mut recorded = self.recorded.lock().unwrap();
        recorded.push(call.attempt_id);
        if self.records.load(Ordering::Relaxed) {
            Ok(format!("recording-{}", recorded.len()))
        } else {
            Err(no_answer())
        }
    }

    async fn erase_recording(&self, provider_recording_id: &str) -> Result<(), ProviderError> {
        let mut asked = self.asked_to_erase.lock().unwrap();
        asked.push(provider_recording_id.to_owned());
        if self.erases.load(Ordering::Relaxed) {
            Ok(())
        } else {
            Err(no_answer())
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
        let told = self.webhook.lock().unwrap().take();
        Ok(told.unwrap_or(Webhook::Nothing))
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
