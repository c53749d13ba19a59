//! A provider that takes every call at once, and tells when it was asked.

use std::time::Instant;

use async_trait::async_trait;
use tokio::sync::mpsc::UnboundedSender;
use voicesurvey::conversation::VoiceReply;
use voicesurvey::ports::{
    CallOrder, CallReference, Cancellation, FoundCall, PlaceCallError, Placed, ProviderError,
    TelephonyProvider, Webhook, WebhookError, WebhookReply, WebhookRequest,
};
use voicesurvey::time::Timestamp;

/// The name that attempts have.
pub(crate) const NAME: &str = "bench";

/// A dial.
#[derive(Debug)]
pub(crate) struct Dial {
    pub(crate) order: CallOrder,
    pub(crate) at: Instant,
}

/// Takes every call. Its webhooks are events as JSON, without a signature.
#[derive(Debug)]
pub(crate) struct RecordingProvider {
    pub(crate) dials: UnboundedSender<Dial>,
}

#[async_trait]
impl TelephonyProvider for RecordingProvider {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn place_call(&self, order: &CallOrder) -> Result<Placed, PlaceCallError> {
        let dial = Dial {
            order: order.clone(),
            at: Instant::now(),
        };
        // OK because the bench may have seen enough.
        let _ = self.dials.send(dial);
        Ok(Placed {
            provider_call_id: format!("CA{}", order.attempt_id),
        })
    }

    async fn find_call(&self, _call: &CallReference) -> Result<FoundCall, ProviderError> {
        Ok(FoundCall::Unknown)
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
        _now: Timestamp,
    ) -> Result<Webhook, WebhookError> {
        match serde_json::from_slice(&request.body) {
            Ok(event) => Ok(Webhook::Event(event)),
            Err(error) => Err(WebhookError::Unreadable {
                what: error.to_string(),
            }),
        }
    }

    fn write_reply(&self, _call: &CallReference, _reply: &VoiceReply) -> WebhookReply {
        WebhookReply::empty()
    }
}
