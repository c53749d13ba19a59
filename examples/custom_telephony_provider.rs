//! A telephony provider of one's own: the whole port, in about sixty lines.
//!
//! This one drives a switchboard that takes a number and tells by an HTTP request how the call
//! went. Here the switchboard is a list, so that the example runs anywhere:
//!
//! ```text
//! cargo run --example custom_telephony_provider
//! ```
#![expect(clippy::print_stdout, reason = "an example prints what it found")]

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Context, Result};
use async_trait::async_trait;
use voicesurvey::call_attempt::{CallEvent, CallEventKind};
use voicesurvey::conversation::{Then, VoiceReply};
use voicesurvey::id::IdGenerator;
use voicesurvey::interpretation::rules::RulesInterpreter;
use voicesurvey::memory::MemoryStorage;
use voicesurvey::outcome::Outcome;
use voicesurvey::phone_number::PhoneNumber;
use voicesurvey::ports::{
    CallOrder, CallReference, Cancellation, FoundCall, NoWakeUp, PlaceCallError, Placed,
    ProviderError, Storage, TelephonyProvider, Webhook, WebhookError, WebhookReply, WebhookRequest,
};
use voicesurvey::service::{Engine, EngineParts, EngineSettings};
use voicesurvey::testing::samples::{self, SampleCampaign};
use voicesurvey::time::{Clock, ManualClock, Timestamp};

/// The switchboard: what it was asked to dial.
#[derive(Debug, Default)]
struct Switchboard {
    dialed: Mutex<Vec<CallOrder>>,
}

impl Switchboard {
    fn dialed(&self) -> MutexGuard<'_, Vec<CallOrder>> {
        self.dialed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl TelephonyProvider for Switchboard {
    fn name(&self) -> &'static str {
        "switchboard"
    }

    async fn place_call(&self, order: &CallOrder) -> Result<Placed, PlaceCallError> {
        // A request that times out is `PlaceCallError::Unknown`: the telephone may be ringing.
        self.dialed().push(order.clone());
        Ok(Placed {
            provider_call_id: format!("line-{}", order.attempt_id),
        })
    }

    async fn find_call(&self, call: &CallReference) -> Result<FoundCall, ProviderError> {
        let dialed = self.dialed();
        let known = dialed
            .iter()
            .any(|order| order.attempt_id == call.attempt_id);
        Ok(if known {
            FoundCall::Found { events: Vec::new() }
        } else {
            FoundCall::NotFound
        })
    }

    async fn cancel(&self, _call: &CallReference) -> Result<Cancellation, ProviderError> {
        Ok(Cancellation::GoesOn)
    }

    async fn hang_up(&self, _call: &CallReference) -> Result<(), ProviderError> {
        Ok(())
    }

    fn read_webhook(
        &self,
        request: &WebhookRequest,
        now: Timestamp,
    ) -> Result<Webhook, WebhookError> {
        if request.header("authorization") != Some("Bearer switchboard") {
            return Err(WebhookError::BadSignature);
        }
        let unreadable = |what: &str| WebhookError::Unreadable {
            what: what.to_owned(),
        };
        let body = std::str::from_utf8(&request.body).map_err(|_| unreadable("not UTF-8"))?;
        let mut words = body.split_whitespace();
        let mut next = || {
            words
                .next()
                .ok_or_else(|| unreadable("company, attempt, outcome"))
        };
        let company_id = next()?.parse().map_err(|_| unreadable("company"))?;
        let attempt_id = next()?.parse().map_err(|_| unreadable("attempt"))?;
        let outcome: Outcome = next()?.parse().map_err(|_| unreadable("outcome"))?;
        Ok(Webhook::Event(CallEvent {
            company_id,
            attempt_id,
            event_id: "ended".to_owned(),
            provider_call_id: None,
            kind: CallEventKind::Ended {
                outcome: Some(outcome),
            },
            at: now,
            raw_status: Some(outcome.to_string()),
            error_code: None,
        }))
    }

    fn write_reply(&self, _call: &CallReference, reply: &VoiceReply) -> WebhookReply {
        let end = if reply.then == Then::HangUp {
            "\nHANGUP"
        } else {
            "\nLISTEN"
        };
        let body = (reply.say.join("\n") + end).into_bytes();
        WebhookReply {
            status: 200,
            content_type: Some("text/plain"),
            body,
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    for number in run().await? {
        println!("dialed {number}");
    }
    Ok(())
}

/// Runs a campaign of one person over the switchboard: busy at first, no answer then, and that
/// was the last attempt allowed.
pub async fn run() -> Result<Vec<PhoneNumber>> {
    let clock = Arc::new(ManualClock::new(samples::now()));
    let storage = Arc::new(MemoryStorage::default());
    let switchboard = Arc::new(Switchboard::default());
    let engine = Engine::new(EngineParts {
        storage: storage.clone(),
        queue: storage.clone(),
        provider: switchboard.clone(),
        interpreter: Arc::new(RulesInterpreter::new()),
        clock: clock.clone(),
        ids: Arc::new(IdGenerator::from_seed(clock.clone(), 1)),
        wake_up: Arc::new(NoWakeUp),
        settings: EngineSettings::default(),
    });
    prepare(storage.as_ref()).await?;

    for outcome in ["busy", "no_answer"] {
        while engine.step().await? > 0 {}
        let order = switchboard
            .dialed()
            .last()
            .cloned()
            .context("nobody was dialed")?;
        let request = WebhookRequest {
            endpoint: "events".to_owned(),
            headers: vec![("authorization".to_owned(), "Bearer switchboard".to_owned())],
            body: format!("{} {} {outcome}", order.company_id, order.attempt_id).into_bytes(),
            ..WebhookRequest::default()
        };
        engine.webhooks().handle(&request).await?;
        while let Some(next) = engine
            .next_step_at()
            .await?
            .filter(|next| *next > clock.now())
        {
            clock.set(next);
            engine.step().await?;
            if switchboard.dialed().len() > 1 {
                break;
            }
        }
    }
    let dialed = switchboard.dialed();
    Ok(dialed.iter().map(|order| order.phone_number).collect())
}

/// A running campaign that calls one person at any hour, at most twice.
async fn prepare(storage: &dyn Storage) -> Result<()> {
    let company = samples::company();
    let skillbase = samples::skillbase(&company);
    let mut campaign = samples::campaign(&company).running();
    campaign.settings.skillbase_id = skillbase.id;
    campaign.settings.retry.max_attempts = 2;
    let mut work = storage.begin(voicesurvey::ports::Scope::Platform).await?;
    work.companies().insert(&company).await?;
    work.skillbases().insert(&skillbase).await?;
    work.campaigns().insert(&campaign).await?;
    work.call_tasks()
        .insert_many(&[samples::task(&campaign, "+393471234567")])
        .await?;
    work.commit().await?;
    Ok(())
}
