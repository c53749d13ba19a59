//! A host with a fixed interview, and a clock that jumps from event to event.

#![expect(clippy::unwrap_used, reason = "whatever fails here fails the test")]

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use chrono::TimeDelta;
use rust_decimal::Decimal;
use uuid::Uuid;
use voicesurvey_core::call_attempt::{AnsweredBy, CallEvent};
use voicesurvey_core::conversation::{Heard, Listen, Then, VoiceReply};
use voicesurvey_core::id::{CallAttemptId, CompanyId};
use voicesurvey_core::interpretation::rules::RulesInterpreter;
use voicesurvey_core::interpretation::{Expected, Intent, Utterance};
use voicesurvey_core::language::Language;
use voicesurvey_core::ports::{
    CallOptions, CallOrder, CallReference, PlaceCallError, Placed, TelephonyProvider, Webhook,
    WebhookReply, WebhookRequest,
};
use voicesurvey_core::survey::AnswerValue;
use voicesurvey_core::time::{Clock, ManualClock, Timestamp};
use voicesurvey_simulator::{
    Ledger, Population, SimulatedProvider, SimulationSettings, WebhookSink,
};

/// Seconds of silence after which this host takes it that nothing was said.
pub(crate) const SILENCE_SECONDS: u16 = 6;

/// 18:30 in Rome.
pub(crate) const EVENING: &str = "2026-11-20T17:30:00Z";

/// A provider, its host, and the clock of both.
pub(crate) struct Simulation {
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) provider: Arc<SimulatedProvider>,
    pub(crate) host: Host,
}

/// Asks for consent, then each question once, then says goodbye.
pub(crate) struct Host {
    provider: Arc<SimulatedProvider>,
    log: Mutex<Log>,
    /// What this host answers instead of a reply, if it is broken.
    broken: Option<WebhookReply>,
    /// How many requests it takes until it works again.
    broken_for: Mutex<usize>,
}

/// What the host has taken in.
#[derive(Clone, Debug, Default)]
pub(crate) struct Log {
    pub(crate) events: Vec<CallEvent>,
    pub(crate) answered: Vec<(CallAttemptId, AnsweredBy, Timestamp)>,
    pub(crate) turns: Vec<(CallAttemptId, u32, Heard, Timestamp)>,
    pub(crate) requests: Vec<WebhookRequest>,
}

/// Everybody exists, is home, consents and answers.
pub(crate) fn willing() -> SimulationSettings {
    SimulationSettings {
        seed: 7,
        population: Population::willing(),
        ..SimulationSettings::default()
    }
}

pub(crate) fn questions() -> Vec<Expected> {
    vec![
        Expected::FreeText,
        Expected::Scale {
            min: 1,
            max: 5,
            labels: Vec::new(),
        },
        Expected::Number {
            min: Some(Decimal::ZERO),
            max: Some(Decimal::from(20)),
            decimals: false,
        },
    ]
}

pub(crate) fn attempt(index: u32) -> CallAttemptId {
    CallAttemptId::from_uuid(Uuid::from_u128(u128::from(index) + 1000))
}

pub(crate) fn call(index: u32) -> CallReference {
    CallReference {
        company_id: company(),
        attempt_id: attempt(index),
        provider_call_id: None,
    }
}

fn company() -> CompanyId {
    CompanyId::from_uuid(Uuid::from_u128(1))
}

/// The order to dial the person of this index; every second one speaks English.
pub(crate) fn order(index: u32) -> CallOrder {
    CallOrder {
        company_id: company(),
        attempt_id: attempt(index),
        phone_number: format!("+39347{:07}", 1_000_000 + index).parse().unwrap(),
        language: if index.is_multiple_of(2) {
            Language::It
        } else {
            Language::En
        },
        ring_for: Duration::from_secs(30),
        longest_call: Duration::from_mins(10),
        options: CallOptions::default(),
    }
}

impl Simulation {
    pub(crate) fn new(settings: SimulationSettings) -> Self {
        Self::with_host(settings, None, 0)
    }

    /// With a host that gives `reply` to its first `broken_for` requests.
    pub(crate) fn with_host(
        settings: SimulationSettings,
        reply: Option<WebhookReply>,
        broken_for: usize,
    ) -> Self {
        let clock = Arc::new(ManualClock::new(EVENING.parse().unwrap()));
        let provider = Arc::new(SimulatedProvider::new(clock.clone(), settings));
        let host = Host {
            provider: provider.clone(),
            log: Mutex::default(),
            broken: reply,
            broken_for: Mutex::new(broken_for),
        };
        Self {
            clock,
            provider,
            host,
        }
    }

    pub(crate) async fn place(&self, index: u32) -> Result<Placed, PlaceCallError> {
        self.provider.place_call(&order(index)).await
    }

    /// Places the calls of `indexes` at this instant and runs until nothing happens any more.
    pub(crate) async fn run(&self, indexes: impl IntoIterator<Item = u32>) -> Ledger {
        for index in indexes {
            self.place(index).await.unwrap();
        }
        self.drain().await
    }

    pub(crate) async fn drain(&self) -> Ledger {
        while let Some(at) = self.provider.next_event_at() {
            self.clock.set(at.max(self.clock.now()));
            self.provider.deliver_due(&self.host).await;
        }
        self.provider.ledger()
    }

    /// Runs up to `seconds` from now, in steps of `step` seconds.
    pub(crate) async fn run_for(&self, seconds: i64, step: i64) {
        for _ in 0..seconds / step {
            self.clock.advance(TimeDelta::seconds(step));
            self.provider.deliver_due(&self.host).await;
        }
    }

    pub(crate) fn log(&self) -> Log {
        self.host.log.lock().unwrap().clone()
    }
}

impl Log {
    /// The names of the events of one attempt, in the order in which they came.
    pub(crate) fn names(&self, index: u32) -> Vec<&'static str> {
        let of_attempt = self
            .events
            .iter()
            .filter(|event| event.attempt_id == attempt(index));
        of_attempt.map(|event| event.kind.name()).collect()
    }

    /// How many turns each attempt had.
    pub(crate) fn turns_by_attempt(&self) -> HashMap<CallAttemptId, usize> {
        let mut turns = HashMap::new();
        for (attempt, ..) in &self.turns {
            *turns.entry(*attempt).or_default() += 1;
        }
        turns
    }
}

impl Host {
    fn reply_to_turn(&self, call: &CallReference, step: u32, heard: &Heard) -> WebhookReply {
        let questions = questions();
        // Step 1 asked for consent, step 2 the first question, and so on.
        if step == 1 && !consents(heard) {
            return self.say(call, "Arrivederci.", Then::HangUp);
        }
        match questions.get(step as usize - 1) {
            Some(expected) => self.ask(call, step + 1, expected.clone()),
            None => self.say(call, "Grazie, arrivederci.", Then::HangUp),
        }
    }

    fn ask(&self, call: &CallReference, step: u32, expected: Expected) -> WebhookReply {
        let listen = Listen {
            silence_seconds: SILENCE_SECONDS,
            ..Listen::for_answer(step, expected, Language::It)
        };
        self.say(call, "Una domanda.", Then::Listen(listen))
    }

    fn say(&self, call: &CallReference, words: &str, then: Then) -> WebhookReply {
        let reply = VoiceReply {
            language: Language::It,
            voice: None,
            say: vec![words.to_owned()],
            firm: 0,
            then,
        };
        self.provider.write_reply(call, &reply)
    }
}

fn consents(heard: &Heard) -> bool {
    let Heard::Speech { words, .. } = heard else {
        return false;
    };
    let utterance = Utterance {
        language: Language::It,
        expected: Expected::Consent,
        words: words.clone(),
        question: String::new(),
    };
    let intent = RulesInterpreter.interpret(&utterance).intent;
    intent
        == Intent::Answer {
            value: AnswerValue::YesNo(true),
        }
}

#[async_trait]
impl WebhookSink for Host {
    async fn deliver(&self, request: WebhookRequest) -> WebhookReply {
        let mut log = self.log.lock().unwrap();
        log.requests.push(request.clone());
        let mut broken_for = self.broken_for.lock().unwrap();
        if let (Some(reply), 1..) = (&self.broken, *broken_for) {
            *broken_for -= 1;
            return reply.clone();
        }
        let now = EVENING.parse().unwrap();
        match self.provider.read_webhook(&request, now).unwrap() {
            Webhook::Event(event) => {
                log.events.push(event);
                WebhookReply::empty()
            }
            Webhook::Answered { call, by, at } => {
                log.answered.push((call.attempt_id, by, at));
                match by {
                    AnsweredBy::Person => self.ask(&call, 1, Expected::Consent),
                    _ => self.say(&call, "Arrivederci.", Then::HangUp),
                }
            }
            Webhook::Turn {
                call,
                step,
                heard,
                at,
            } => {
                log.turns.push((call.attempt_id, step, heard.clone(), at));
                self.reply_to_turn(&call, step, &heard)
            }
            Webhook::Document(reply) | Webhook::GivenUp { reply, .. } => reply,
            Webhook::Nothing => WebhookReply::empty(),
        }
    }
}
