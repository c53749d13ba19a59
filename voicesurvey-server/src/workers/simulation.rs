//! The loop of the simulated provider: its calls happen in this process.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::FutureExt as _;
use tokio::sync::watch;
use voicesurvey_core::ports::{WebhookReply, WebhookRequest};
use voicesurvey_core::service::webhooks::{WebhookFailure, Webhooks};
use voicesurvey_simulator::{SimulatedProvider, WebhookSink};

use super::Signals;
use super::rhythm::words_of;
use crate::scaled_clock::Pacer;

/// The longest the loop waits.
const POLL: Duration = Duration::from_secs(1);

/// Lets calls go on until it is told to stop.
pub(super) async fn run(
    provider: Arc<SimulatedProvider>,
    webhooks: Webhooks,
    pacer: Arc<dyn Pacer>,
    mut signals: Signals,
) {
    let sink = Sink {
        webhooks,
        stop: signals.stop.clone(),
    };
    while !signals.stopping() {
        signals.forget_rings();
        provider.deliver_due(&sink).await;
        // The bell rings when calls were placed.
        let wait = provider
            .next_event_at()
            .map_or(POLL, |next| pacer.until(next));
        signals.wait(wait.min(POLL)).await;
    }
}

/// Takes the simulated provider's webhooks without a network between.
struct Sink {
    webhooks: Webhooks,
    stop: watch::Receiver<bool>,
}

#[async_trait]
impl WebhookSink for Sink {
    async fn deliver(&self, request: WebhookRequest) -> WebhookReply {
        const NOT_NOW: u16 = 503;
        if *self.stop.borrow() {
            return refused(NOT_NOW);
        }
        let handled = AssertUnwindSafe(self.webhooks.handle(&request))
            .catch_unwind()
            .await;
        match handled {
            Ok(Ok(reply)) => reply,
            Ok(Err(WebhookFailure::Refused(error))) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "a simulated webhook is not believed"
                );
                refused(400)
            }
            Ok(Err(WebhookFailure::Storage(error))) => {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "a simulated webhook was not stored"
                );
                refused(NOT_NOW)
            }
            Err(panic) => {
                tracing::error!(error = words_of(&*panic), "a bug in a simulated webhook");
                refused(NOT_NOW)
            }
        }
    }
}

fn refused(status: u16) -> WebhookReply {
    WebhookReply {
        status,
        ..WebhookReply::empty()
    }
}
