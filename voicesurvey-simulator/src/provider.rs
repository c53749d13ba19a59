//! The simulated provider: the world behind the port that real providers implement.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use voicesurvey_core::conversation::VoiceReply;
use voicesurvey_core::id::CompanyId;
use voicesurvey_core::phone_number::PhoneNumber;
use voicesurvey_core::ports::{
    CallOrder, CallReference, Cancellation, FoundCall, PlaceCallError, Placed, ProviderError,
    TelephonyProvider, Webhook, WebhookError, WebhookReply, WebhookRequest,
};
use voicesurvey_core::time::{Clock, Timestamp};

use crate::delivery::{Delivery, WebhookSink};
use crate::ledger::Ledger;
use crate::settings::SimulationSettings;
use crate::webhook::Signer;
use crate::world::World;

/// A telephony provider whose calls are answered by simulated people.
///
/// Calls live in memory: after a restart, [`find_call`](TelephonyProvider::find_call) truthfully
/// knows none of the earlier ones, and [`remember_calls`](Self::remember_calls) tells how many. Everything that was ever placed is kept for the
/// [`ledger`](Self::ledger), a few hundred bytes per call.
pub struct SimulatedProvider {
    clock: Arc<dyn Clock>,
    signer: Signer,
    /// Never held across an await.
    world: Mutex<World>,
}

impl SimulatedProvider {
    /// A provider with these people, on this clock. The webhooks' token follows from the seed; a
    /// server that can be reached from outside adds [`with_secret`](Self::with_secret).
    pub fn new(clock: Arc<dyn Clock>, settings: SimulationSettings) -> Self {
        let signer = Signer::from_seed(settings.seed);
        Self {
            clock,
            signer,
            world: Mutex::new(World::new(settings)),
        }
    }

    /// Makes the webhooks' token of `secret` instead of the seed, which anybody may know. Nothing
    /// else depends on it.
    #[must_use]
    pub fn with_secret(self, secret: [u8; 32]) -> Self {
        self.with_signer(Signer::from_secret(secret))
    }

    /// Has its webhooks signed so that a host in another process can verify them.
    #[must_use]
    pub fn with_signer(mut self, signer: Signer) -> Self {
        self.signer = signer;
        self
    }

    /// Counts `calls` to a number that were placed before this provider was made, so that a host
    /// which was restarted goes on with the person's next call instead of the first one again.
    pub fn remember_calls(&self, company_id: CompanyId, number: PhoneNumber, calls: u32) {
        self.world().remember_calls(company_id, number, calls);
    }

    /// When something is going to happen next; `None` if nothing is until a call is placed.
    ///
    /// Not everything that happens is told by a webhook, so a later
    /// [`deliver_due`](Self::deliver_due) may deliver nothing and still move this instant.
    pub fn next_event_at(&self) -> Option<Timestamp> {
        self.world().next_event_at()
    }

    /// Lets everything happen that is due by now, and delivers the webhooks of it to `sink`, one
    /// after the other; tells how many. What a reply brings about is delivered too, if it is due
    /// by the same instant.
    ///
    /// Two at once are safe, but then the order of webhooks is anybody's guess.
    pub async fn deliver_due(&self, sink: &dyn WebhookSink) -> usize {
        // Read once, so that a clock that runs on cannot keep this going for ever.
        let now = self.clock.now();
        let mut delivered = 0;
        loop {
            let next = self.world().next_webhook(now);
            let Some(outgoing) = next else {
                return delivered;
            };
            let reply = sink.deliver(self.signer.request(&outgoing.message)).await;
            let due_at = outgoing.due_at();
            self.world().replied(outgoing, &reply, due_at);
            delivered += 1;
        }
    }

    /// The next webhook that is due by now, for hosts that deliver several at once; `None` while
    /// none is. Whoever takes it must give back the reply with [`replied`](Self::replied).
    pub fn next_delivery(&self) -> Option<Delivery> {
        let now = self.clock.now();
        let outgoing = self.world().next_webhook(now)?;
        let request = self.signer.request(&outgoing.message);
        Some(Delivery { outgoing, request })
    }

    /// Takes in the reply to a webhook. What follows from it is counted from now.
    pub fn replied(&self, delivery: Delivery, reply: &WebhookReply) {
        let now = self.clock.now();
        self.world().replied(delivery.outgoing, reply, now);
    }

    /// Every call placed so far, with what has happened to it.
    pub fn ledger(&self) -> Ledger {
        self.world().ledger()
    }

    fn world(&self) -> MutexGuard<'_, World> {
        // OK because whoever panics with the lock ends the test; nothing outlives it.
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for SimulatedProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The token stays out of logs.
        f.debug_struct("SimulatedProvider").finish_non_exhaustive()
    }
}

#[async_trait]
impl TelephonyProvider for SimulatedProvider {
    fn name(&self) -> &'static str {
        "simulated"
    }

    async fn place_call(&self, order: &CallOrder) -> Result<Placed, PlaceCallError> {
        let now = self.clock.now();
        self.world().place(order, now)
    }

    async fn find_call(&self, call: &CallReference) -> Result<FoundCall, ProviderError> {
        Ok(self.world().find(call))
    }

    async fn cancel(&self, call: &CallReference) -> Result<Cancellation, ProviderError> {
        let now = self.clock.now();
        Ok(self.world().cancel(call, now))
    }

    async fn hang_up(&self, call: &CallReference) -> Result<(), ProviderError> {
        let now = self.clock.now();
        self.world().hang_up(call, now);
        Ok(())
    }

    fn read_webhook(
        &self,
        request: &WebhookRequest,
        _now: Timestamp,
    ) -> Result<Webhook, WebhookError> {
        self.signer.read(request)
    }

    fn write_reply(&self, _call: &CallReference, reply: &VoiceReply) -> WebhookReply {
        Signer::write_reply(reply)
    }
}
