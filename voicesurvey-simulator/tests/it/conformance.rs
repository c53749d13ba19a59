//! The simulated provider keeps what every provider promises.

use std::sync::Arc;

use async_trait::async_trait;
use voicesurvey_core::ports::{TelephonyProvider, WebhookReply, WebhookRequest};
use voicesurvey_core::testing::telephony_conformance::{Calls, Host, Orders, TelephonyUnderTest};
use voicesurvey_core::time::{Clock as _, ManualClock, Timestamp};
use voicesurvey_simulator::{
    Faults, PickUpByHour, Population, Probability, SimulatedProvider, SimulationSettings,
    WebhookSink,
};

/// The simulated provider, in whose world all calls go one way.
struct Simulator {
    clock: Arc<ManualClock>,
    provider: Arc<SimulatedProvider>,
}

/// Hands webhooks over without a network between.
struct Sink<'a> {
    host: &'a Host,
    clock: &'a ManualClock,
}

#[async_trait]
impl WebhookSink for Sink<'_> {
    async fn deliver(&self, request: WebhookRequest) -> WebhookReply {
        self.host.take(request, self.clock.now())
    }
}

#[async_trait]
impl TelephonyUnderTest for Simulator {
    async fn create(orders: Orders, calls: Calls, now: Timestamp) -> Self {
        let clock = Arc::new(ManualClock::new(now));
        let provider = SimulatedProvider::new(clock.clone(), settings(orders, calls));
        Self {
            clock,
            provider: Arc::new(provider),
        }
    }

    fn provider(&self) -> Arc<dyn TelephonyProvider> {
        self.provider.clone()
    }

    fn clock(&self) -> &ManualClock {
        &self.clock
    }

    async fn deliver_due(&self, host: &Arc<Host>) {
        let clock = &self.clock;
        self.provider.deliver_due(&Sink { host, clock }).await;
    }

    fn next_event_at(&self) -> Option<Timestamp> {
        self.provider.next_event_at()
    }

    fn taken(&self) -> usize {
        self.provider.ledger().rings().len()
    }
}

fn settings(orders: Orders, calls: Calls) -> SimulationSettings {
    let mut population = Population::willing();
    match calls {
        // Nobody is dialed in the instant of the order.
        Calls::Answered | Calls::Waiting => {}
        Calls::Busy => population.lines.busy = Probability::ALWAYS,
        Calls::NotAnswered => {
            population.lines.picks_up = PickUpByHour::always(Probability::NEVER);
        }
    }
    let mut faults = Faults::default();
    match orders {
        Orders::Taken => {}
        Orders::AnswerLost => faults.unknown_but_placed = Probability::ALWAYS,
        Orders::Lost => faults.unknown_and_not_placed = Probability::ALWAYS,
        Orders::ForLater => faults.retry_later = Probability::ALWAYS,
        Orders::Refused => faults.rejected = Probability::ALWAYS,
    }
    SimulationSettings {
        seed: 7,
        population,
        faults,
        ..SimulationSettings::default()
    }
}

voicesurvey_core::telephony_conformance!(Simulator);
