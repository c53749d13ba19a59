//! Webhooks of the provider: believed, carried out, answered.

use std::sync::Arc;

use super::call_events::CallEvents;
use super::event_inbox::EventInbox;
use super::interviews::Interviews;
use crate::ports::{
    StorageError, TelephonyProvider, Webhook, WebhookError, WebhookReply, WebhookRequest,
};
use crate::time::Clock;

/// How often a webhook that met a conflict is decided again.
const CONFLICTS_OUTLIVED: u8 = 3;

/// Takes webhooks for whichever provider is configured.
#[derive(Clone, Debug)]
pub struct Webhooks {
    provider: Arc<dyn TelephonyProvider>,
    inbox: EventInbox,
    interviews: Interviews,
    clock: Arc<dyn Clock>,
}

/// Why a webhook was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum WebhookFailure {
    /// It is not believed; the provider need not send it again.
    #[error(transparent)]
    Refused(#[from] WebhookError),
    /// It could not be stored; the provider should send it again.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl Webhooks {
    /// For a provider, over the services that carry out what it says.
    pub fn new(
        provider: Arc<dyn TelephonyProvider>,
        call_events: CallEvents,
        interviews: Interviews,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            provider,
            inbox: EventInbox::new(call_events),
            interviews,
            clock,
        }
    }

    /// Carries out a webhook. What it says is committed when this returns.
    ///
    /// Two servers may get hold of the same call at the same moment; then one of them decides again
    /// on what the other has stored, because a provider does not always send a turn twice.
    pub async fn handle(&self, request: &WebhookRequest) -> Result<WebhookReply, WebhookFailure> {
        let webhook = self.provider.read_webhook(request, self.clock.now())?;
        for _ in 0..CONFLICTS_OUTLIVED {
            match self.carry_out(webhook.clone()).await {
                Err(StorageError::Conflict { what }) => {
                    tracing::debug!(%what, "a webhook met another, deciding again");
                }
                done => return Ok(done?),
            }
        }
        Ok(self.carry_out(webhook).await?)
    }

    async fn carry_out(&self, webhook: Webhook) -> Result<WebhookReply, StorageError> {
        match webhook {
            Webhook::Nothing => Ok(WebhookReply::empty()),
            Webhook::Document(reply) => Ok(reply),
            Webhook::Event(event) => {
                self.inbox.receive(&event).await?;
                Ok(WebhookReply::empty())
            }
            Webhook::Answered { call, by, at } => {
                let reply = self.interviews.answered(&call, by, at).await?;
                Ok(self.provider.write_reply(&call, &reply))
            }
            Webhook::Turn {
                call, step, heard, ..
            } => {
                let reply = self.interviews.turn(&call, step, heard).await?;
                Ok(self.provider.write_reply(&call, &reply))
            }
        }
    }
}
