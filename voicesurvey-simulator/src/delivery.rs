//! Where webhooks go.

use async_trait::async_trait;
use voicesurvey_core::ports::{WebhookError, WebhookReply, WebhookRequest};
use voicesurvey_core::service::Webhooks;
use voicesurvey_core::service::webhooks::WebhookFailure;

/// Takes the webhooks of a simulated provider, as a server's webhook endpoints would.
#[async_trait]
pub trait WebhookSink: Send + Sync {
    /// Takes in one request and answers it.
    ///
    /// A status of 500 and more means "not now": the request comes again, twice at most. Any other
    /// status is final.
    async fn deliver(&self, request: WebhookRequest) -> WebhookReply;
}

/// The engine itself takes the webhooks, for hosts in the same process. It answers as a server
/// would: 403 to what is not believed, 400 to what cannot be read, 503 to what cannot be stored.
#[async_trait]
impl WebhookSink for Webhooks {
    async fn deliver(&self, request: WebhookRequest) -> WebhookReply {
        let status = match self.handle(&request).await {
            Ok(reply) => return reply,
            Err(WebhookFailure::Refused(WebhookError::BadSignature)) => 403,
            Err(WebhookFailure::Refused(WebhookError::Unreadable { .. })) => 400,
            Err(WebhookFailure::Storage(_)) => 503,
        };
        WebhookReply {
            status,
            ..WebhookReply::empty()
        }
    }
}
