//! The ports as one server sees them: at every call others may come first, the server may die
//! before or after the effect, and the answer may be lost.

mod work;

use std::collections::HashSet;
use std::num::NonZeroU16;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use chrono::TimeDelta;
use voicesurvey::call_attempt::{AnsweredBy, CallEvent, CallEventKind};
use voicesurvey::campaign::Pacing;
use voicesurvey::conversation::VoiceReply;
use voicesurvey::id::CallAttemptId;
use voicesurvey::money::Cost;
use voicesurvey::outcome::Outcome;
use voicesurvey::ports::{
    AttemptKey, CallOrder, CallReference, CampaignKey, Cancellation, Claim, ClaimRequest,
    FoundCall, PlaceCallError, Placed, ProviderError, Scope, Storage, StorageError, TaskQueue,
    TelephonyProvider, UnitOfWork, Webhook, WebhookError, WebhookReply, WebhookRequest,
};
use voicesurvey::simulator::{Ledger, SimulatedProvider};
use voicesurvey::time::{Clock, Timestamp};

use self::work::Work;
use super::faults::Fault;
use super::judge::Touched;
use super::shared::{Line, Order};
use super::world::CURRENCY;

/// The store, its queue and the provider of one life of one server.
#[derive(Clone, Debug)]
pub(super) struct Ports {
    pub(super) line: Line,
    pub(super) storage: Arc<dyn Storage>,
    pub(super) queue: Arc<dyn TaskQueue>,
    /// Every provider that a server may be configured for.
    pub(super) providers: Vec<Arc<SimulatedProvider>>,
    /// The one that this server is configured for.
    pub(super) provider: usize,
    /// Whether every unit of work of an activity belongs to the call it is about.
    pub(super) one_at_a_time: bool,
    /// Whether calls have a price.
    pub(super) priced: bool,
    /// As which leader these ports are used; `None` where nobody has to be one.
    pub(super) leads_in: Option<Arc<AtomicU64>>,
}

#[async_trait]
impl Storage for Ports {
    async fn begin(&self, scope: Scope) -> Result<Box<dyn UnitOfWork>, StorageError> {
        self.line.before("begin").await;
        self.line.dawdle().await;
        self.line.store_is_down()?;
        self.may_lead()?;
        let inner = self.storage.begin(scope).await?;
        Ok(Box::new(Work {
            open: self.line.opened(),
            leads_in: self.leads_in.clone(),
            line: self.line.clone(),
            scope,
            touched: Touched::default(),
            inner,
        }))
    }

    async fn check(&self) -> Result<(), StorageError> {
        self.storage.check().await
    }
}

#[async_trait]
impl TaskQueue for Ports {
    async fn claim_due(&self, request: &ClaimRequest) -> Result<Claim, StorageError> {
        self.line.before("claim").await;
        self.line.store_is_down()?;
        let claim = self.queue.claim_due(request).await?;
        self.line.claimed(&claim.tasks);
        if !claim.tasks.is_empty() && self.line.shared.order == Order::Interleaved {
            self.line.shared.state().claims += 1;
        }
        self.line.after("claim").await;
        self.line.reply_is_lost("claim")?;
        Ok(claim)
    }

    async fn next_ready_at(&self, provider: &str) -> Result<Option<Timestamp>, StorageError> {
        self.queue.next_ready_at(provider).await
    }

    async fn promote_due(&self, now: Timestamp, at_most: NonZeroU16) -> Result<u64, StorageError> {
        self.line.before("promotion").await;
        self.may_lead()?;
        let promoted = self.queue.promote_due(now, at_most).await?;
        self.line.after("promotion").await;
        Ok(promoted)
    }

    async fn next_due_at(&self) -> Result<Option<Timestamp>, StorageError> {
        self.queue.next_due_at().await
    }

    async fn expired_attempts(
        &self,
        now: Timestamp,
        at_most: NonZeroU16,
    ) -> Result<Vec<AttemptKey>, StorageError> {
        self.line.before("look for expired leases").await;
        self.may_lead()?;
        self.queue.expired_attempts(now, at_most).await
    }

    async fn next_expiry_at(&self) -> Result<Option<Timestamp>, StorageError> {
        self.queue.next_expiry_at().await
    }

    async fn attempts_to_price(
        &self,
        provider: &str,
        now: Timestamp,
        at_most: NonZeroU16,
    ) -> Result<Vec<AttemptKey>, StorageError> {
        self.queue.attempts_to_price(provider, now, at_most).await
    }

    async fn next_price_at(&self, provider: &str) -> Result<Option<Timestamp>, StorageError> {
        self.queue.next_price_at(provider).await
    }

    async fn campaigns_to_start(
        &self,
        now: Timestamp,
        at_most: NonZeroU16,
    ) -> Result<Vec<CampaignKey>, StorageError> {
        self.line.before("look for campaigns").await;
        self.queue.campaigns_to_start(now, at_most).await
    }

    async fn next_start_at(&self) -> Result<Option<Timestamp>, StorageError> {
        self.queue.next_start_at().await
    }

    async fn review_lanes(&self, now: Timestamp, at_most: NonZeroU16) -> Result<u64, StorageError> {
        self.line.before("review of lanes").await;
        let reviewed = self.queue.review_lanes(now, at_most).await?;
        self.line.after("review of lanes").await;
        Ok(reviewed)
    }

    async fn next_review_at(&self) -> Result<Option<Timestamp>, StorageError> {
        self.queue.next_review_at().await
    }

    async fn campaigns_to_end(
        &self,
        now: Timestamp,
        at_most: NonZeroU16,
    ) -> Result<Vec<CampaignKey>, StorageError> {
        self.line.before("look for campaigns").await;
        self.queue.campaigns_to_end(now, at_most).await
    }

    async fn next_end_at(&self) -> Result<Option<Timestamp>, StorageError> {
        self.queue.next_end_at().await
    }

    async fn campaigns_to_empty(
        &self,
        at_most: NonZeroU16,
    ) -> Result<Vec<CampaignKey>, StorageError> {
        self.line.before("look for campaigns").await;
        self.queue.campaigns_to_empty(at_most).await
    }

    async fn campaigns_at_target(
        &self,
        at_most: NonZeroU16,
    ) -> Result<Vec<CampaignKey>, StorageError> {
        self.line.before("look for campaigns").await;
        self.queue.campaigns_at_target(at_most).await
    }

    async fn campaigns_to_pause(
        &self,
        at_most: NonZeroU16,
    ) -> Result<Vec<CampaignKey>, StorageError> {
        self.line.before("look for campaigns").await;
        self.queue.campaigns_to_pause(at_most).await
    }

    async fn limit_provider(
        &self,
        provider: &str,
        limits: Option<Pacing>,
    ) -> Result<(), StorageError> {
        self.queue.limit_provider(provider, limits).await
    }

    async fn campaigns_to_finish(
        &self,
        at_most: NonZeroU16,
    ) -> Result<Vec<CampaignKey>, StorageError> {
        self.line.before("look for campaigns").await;
        self.queue.campaigns_to_finish(at_most).await
    }
}

/// What the accounts of the providers are called.
pub(super) const ACCOUNTS: [&str; 2] = ["simulated", "another"];

/// The endpoint of news that the harness makes up.
const MADE_UP: &str = "made up";

#[async_trait]
impl TelephonyProvider for Ports {
    fn name(&self) -> &'static str {
        ACCOUNTS[self.provider]
    }

    async fn place_call(&self, order: &CallOrder) -> Result<Placed, PlaceCallError> {
        let shared = &self.line.shared;
        if self.one_at_a_time {
            self.line.nothing_is_open("place_call");
        }
        // The engine decides and asks without a pause, so what it may know is what is stored now.
        shared.judged(|judge, now| judge.before_dial(order, now));
        self.line.before("order").await;
        if shared.happens(Fault::Misconfigured, 15) {
            shared.note(format_args!("the provider refuses the configuration"));
            return Err(PlaceCallError::Configuration {
                code: "bad_caller_id".to_owned(),
                what: "the caller id is not ours".to_owned(),
            });
        }
        if shared.happens(Fault::OrderLate, 60) {
            let mut state = shared.state();
            let seconds = state.chance.between(1, 60);
            let at = shared.clock.now() + TimeDelta::seconds(seconds.into());
            state.late_orders.push((at, self.provider, order.clone()));
            return Err(PlaceCallError::Unknown {
                source: "no answer in time".into(),
            });
        }
        let answer = self.own_provider().place_call(order).await;
        let rung = rung(&self.providers);
        let has_price = self.priced && rung.contains(&order.attempt_id);
        shared.judged(|judge, _| {
            judge.heard(rung);
            Ok(())
        });
        shared.note(format_args!(
            "{:?} orders {}: {}",
            self.line,
            order.phone_number.as_str(),
            match &answer {
                Ok(_) => "it rings",
                Err(PlaceCallError::Unknown { .. }) => "nobody knows",
                Err(_) => "no",
            }
        ));
        if answer.is_ok() && shared.happens(Fault::MachineDetected, 300) {
            self.detect_machine_later(order);
        }
        if has_price {
            self.tell_price_later(order);
        }
        self.line.after("order").await;
        answer
    }

    async fn find_call(&self, call: &CallReference) -> Result<FoundCall, ProviderError> {
        if self.one_at_a_time {
            self.line.nothing_is_open("find_call");
        }
        self.line.before("search").await;
        if self.line.shared.happens(Fault::FindFails, 400) {
            return Err(ProviderError {
                what: "no answer in time".to_owned(),
            });
        }
        if self.line.shared.happens(Fault::FindUnknown, 600) {
            return Ok(FoundCall::Unknown);
        }
        let found = self.own_provider().find_call(call).await;
        self.line.after("search").await;
        found
    }

    async fn cancel(&self, call: &CallReference) -> Result<Cancellation, ProviderError> {
        if self.one_at_a_time {
            self.line.nothing_is_open("cancel");
        }
        self.line.before("cancellation").await;
        let cancelled = self.own_provider().cancel(call).await;
        // What was cancelled before it rang has not rung.
        let rung = rung(&self.providers);
        self.line.shared.judged(|judge, _| {
            judge.heard(rung);
            Ok(())
        });
        self.line.after("cancellation").await;
        if self.line.shared.happens(Fault::FindFails, 400) {
            return Err(ProviderError {
                what: "no answer in time".to_owned(),
            });
        }
        cancelled
    }

    async fn hang_up(&self, call: &CallReference) -> Result<(), ProviderError> {
        if self.one_at_a_time {
            self.line.nothing_is_open("hang_up");
        }
        self.line.before("hang-up").await;
        self.own_provider().hang_up(call).await
    }

    fn read_webhook(
        &self,
        request: &WebhookRequest,
        now: Timestamp,
    ) -> Result<Webhook, WebhookError> {
        if request.endpoint != MADE_UP {
            // All are simulated with the same seed, so each can read what the others write.
            return self.own_provider().read_webhook(request, now);
        }
        Ok(Webhook::Event(read_news(&request.body)))
    }

    fn write_reply(&self, call: &CallReference, reply: &VoiceReply) -> WebhookReply {
        self.own_provider().write_reply(call, reply)
    }
}

impl Ports {
    fn own_provider(&self) -> &SimulatedProvider {
        &self.providers[self.provider]
    }

    /// Refuses whoever is not the leader any more, where a leader is needed.
    fn may_lead(&self) -> Result<(), StorageError> {
        may_lead(&self.line, self.leads_in.as_ref())
    }

    /// Some seconds after the order, a detector takes whoever speaks for a machine.
    fn detect_machine_later(&self, order: &CallOrder) {
        let seconds = self.line.shared.state().chance.between(10, 200);
        self.tell_later(order, seconds, "detected");
    }

    /// Minutes after the order the provider names a price, also for a call that was not answered;
    /// for some never. It follows from the number alone, because some runs are compared.
    fn tell_price_later(&self, order: &CallOrder) {
        let number = order.phone_number.as_str();
        let last: u32 = number[number.len() - 2..].parse().unwrap();
        let prices = ["0.01", "0.05", "0.05", "0.12"];
        if let Some(price) = prices.get(last as usize % 5) {
            self.tell_later(order, 30 + last * 70, price);
        }
    }

    fn tell_later(&self, order: &CallOrder, seconds: u32, what: &str) {
        let shared = &self.line.shared;
        let at = shared.clock.now() + TimeDelta::seconds(seconds.into());
        let (company, attempt) = (order.company_id, order.attempt_id);
        let body = format!("{company} {attempt} {} {what}", at.to_rfc3339());
        let request = WebhookRequest {
            endpoint: MADE_UP.to_owned(),
            body: body.into_bytes(),
            ..WebhookRequest::default()
        };
        shared.state().late_news.push((at, request));
    }
}

fn may_lead(line: &Line, leads_in: Option<&Arc<AtomicU64>>) -> Result<(), StorageError> {
    leads_in.map_or(Ok(()), |epoch| {
        line.still_leads(epoch.load(Ordering::Relaxed))
    })
}

/// The attempts for which a telephone rang, whoever was asked.
pub(super) fn rung(providers: &[Arc<SimulatedProvider>]) -> HashSet<CallAttemptId> {
    let ledgers: Vec<_> = providers.iter().map(|provider| provider.ledger()).collect();
    let rings = ledgers.iter().flat_map(Ledger::rings);
    let rings = rings.filter(|ring| ring.outcome != Some(Outcome::Cancelled));
    rings.map(|ring| ring.attempt_id).collect()
}

/// Reads news that the harness made up: whose, of which attempt, when and what.
fn read_news(body: &[u8]) -> CallEvent {
    let text = String::from_utf8_lossy(body);
    let mut parts = text.split(' ');
    let mut part = || parts.next().unwrap();
    let (company, attempt, at, what) = (part(), part(), part(), part());
    CallEvent {
        company_id: company.parse().unwrap(),
        attempt_id: attempt.parse().unwrap(),
        event_id: what.to_owned(),
        provider_call_id: None,
        kind: if what == "detected" {
            CallEventKind::Answered {
                by: AnsweredBy::Voicemail,
            }
        } else {
            CallEventKind::Priced {
                cost: Cost {
                    amount: what.parse().unwrap(),
                    currency: CURRENCY.to_owned(),
                },
            }
        },
        at: at.parse().unwrap(),
        raw_status: None,
        error_code: None,
    }
}
