//! Where webhooks go.

use async_trait::async_trait;
use voicesurvey_core::ports::{WebhookReply, WebhookRequest};

/// Takes the webhooks of a simulated provider, as a server's webhook endpoints would.
#[async_trait]
pub trait WebhookSink: Send + Sync {
    /// Takes in one request and answers it.
    ///
    /// A status of 500 and more means "not now": the request comes again, twice at most. Any other
    /// status is final.
    async fn deliver(&self, request: WebhookRequest) -> WebhookReply;
}
