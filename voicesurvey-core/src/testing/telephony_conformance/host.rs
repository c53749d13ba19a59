//! A host that holds a short conversation and notes everything it is told.

use std::sync::{Arc, Mutex, MutexGuard};

use crate::call_attempt::CallEvent;
use crate::conversation::{Heard, Listen, Then, VoiceReply};
use crate::interpretation::Expected;
use crate::language::Language;
use crate::ports::{CallReference, TelephonyProvider, Webhook, WebhookReply, WebhookRequest};
use crate::time::Timestamp;

/// Asks for consent and one question, then says goodbye.
#[derive(Debug)]
pub struct Host {
    provider: Arc<dyn TelephonyProvider>,
    log: Mutex<Log>,
}

/// What a host was told.
#[derive(Clone, Debug, Default)]
pub struct Log {
    /// Every request, as it arrived.
    pub requests: Vec<WebhookRequest>,
    /// What was told of the call.
    pub events: Vec<CallEvent>,
    /// The calls whose first words were asked for.
    pub answered: Vec<CallReference>,
    /// What was heard, and after which reply.
    pub turns: Vec<(CallReference, u32, Heard)>,
}

impl Log {
    /// The kinds of the events.
    pub fn names(&self) -> Vec<&'static str> {
        self.events.iter().map(|event| event.kind.name()).collect()
    }
}

impl Host {
    pub(super) fn of(provider: Arc<dyn TelephonyProvider>) -> Self {
        Self {
            provider,
            log: Mutex::default(),
        }
    }

    /// Everything so far.
    pub fn log(&self) -> Log {
        self.lock().clone()
    }

    /// Takes a webhook that arrived at `now`, which must be the provider's.
    pub fn take(&self, request: WebhookRequest, now: Timestamp) -> WebhookReply {
        let read = self.provider.read_webhook(&request, now);
        let webhook = read.unwrap_or_else(|error| panic!("{error}: {}", request.url));
        let mut log = self.lock();
        log.requests.push(request);
        match webhook {
            Webhook::Event(event) => {
                log.events.push(event);
                WebhookReply::empty()
            }
            Webhook::Answered { call, .. } => {
                log.answered.push(call.clone());
                self.provider.write_reply(&call, &asking(1))
            }
            Webhook::Turn {
                call, step, heard, ..
            } => {
                log.turns.push((call.clone(), step, heard));
                self.provider.write_reply(&call, &asking(step + 1))
            }
            Webhook::Document(reply) => reply,
            Webhook::GivenUp { event, reply } => {
                log.events.push(event);
                reply
            }
            Webhook::Nothing => WebhookReply::empty(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap()
    }
}

/// What is said at that step.
fn asking(step: u32) -> VoiceReply {
    let language = Language::It;
    let listen = |expected| Then::Listen(Listen::for_answer(step, expected, language));
    let (say, then) = match step {
        1 => ("Vuole partecipare?", listen(Expected::Consent)),
        2 => ("Come sta oggi?", listen(Expected::FreeText)),
        _ => ("Grazie. Arrivederci.", Then::HangUp),
    };
    VoiceReply {
        language,
        voice: None,
        say: vec![say.to_owned()],
        firm: 0,
        then,
    }
}
