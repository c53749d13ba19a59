//! Webhooks on their way, and where they go.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use voicesurvey_core::conversation::Heard;
use voicesurvey_core::id::{CallAttemptId, CompanyId};
use voicesurvey_core::ports::{WebhookError, WebhookReply, WebhookRequest};
use voicesurvey_core::service::Webhooks;
use voicesurvey_core::service::webhooks::WebhookFailure;

use crate::webhook::Message;
use crate::world::Outgoing;

/// A webhook that is to be delivered now, whose reply is awaited.
#[derive(Debug)]
pub struct Delivery {
    pub(crate) outgoing: Outgoing,
    pub(crate) request: WebhookRequest,
}

impl Delivery {
    /// What to send.
    pub const fn request(&self) -> &WebhookRequest {
        &self.request
    }

    /// What somebody said in a call, if this webhook tells that, and is no copy of one that did.
    pub fn spoken(&self) -> Option<Spoken> {
        match &self.outgoing.message {
            Message::Turn {
                call, step, heard, ..
            } if !self.outgoing.is_copy() => Some(Spoken {
                company_id: call.company_id,
                attempt_id: call.attempt_id,
                step: *step,
                heard: heard.clone(),
            }),
            _ => None,
        }
    }
}

/// What somebody said in a call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Spoken {
    /// Whose call it was.
    pub company_id: CompanyId,
    /// The host's reference.
    pub attempt_id: CallAttemptId,
    /// Which reply it answered.
    pub step: u32,
    /// The words, keys or silence.
    pub heard: Heard,
}

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
