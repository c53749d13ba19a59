//! Webhooks of the provider: believed, carried out, answered.

use std::sync::Arc;

use super::call_events::CallEvents;
use super::event_inbox::EventInbox;
use super::interviews::Interviews;
use crate::call_attempt::{CallEvent, CallEventKind, Recording, RecordingState};
use crate::ports::{
    CallReference, StorageError, TelephonyProvider, Webhook, WebhookError, WebhookReply,
    WebhookRequest,
};
use crate::time::Clock;

/// How often a webhook that met a conflict is decided again.
const CONFLICTS_OUTLIVED: u8 = 3;

/// Takes webhooks for whichever provider is configured.
#[derive(Clone, Debug)]
pub struct Webhooks {
    provider: Arc<dyn TelephonyProvider>,
    inbox: EventInbox,
    call_events: CallEvents,
    interviews: Interviews,
    clock: Arc<dyn Clock>,
}

/// What is still to be done when a webhook has been answered.
#[derive(Clone, Debug, PartialEq)]
pub enum Errand {
    /// A machine is being spoken to: the call is to be ended.
    HangUp(CallReference),
    /// The line was lost while somebody waited for us: that is to be noted.
    Note(CallEvent),
    /// Somebody has consented to a call that is recorded: that is to begin.
    Record(CallReference),
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
            inbox: EventInbox::new(call_events.clone()),
            call_events,
            interviews,
            clock,
        }
    }

    /// Carries out a webhook and what follows from it. What it says is committed when this returns.
    pub async fn handle(&self, request: &WebhookRequest) -> Result<WebhookReply, WebhookFailure> {
        let (reply, errand) = self.take(request).await?;
        if let Some(errand) = errand {
            self.run(errand).await;
        }
        Ok(reply)
    }

    /// As [`handle`](Self::handle), but leaves what is to be asked of the provider to the caller, for
    /// whom [`run`](Self::run) does it: nobody on the telephone waits for that.
    ///
    /// Two servers may get hold of the same call at the same moment; then one of them decides again
    /// on what the other has stored, because a provider does not always send a turn twice.
    pub async fn take(
        &self,
        request: &WebhookRequest,
    ) -> Result<(WebhookReply, Option<Errand>), WebhookFailure> {
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

    /// Does what followed from a webhook. What fails is told in the log; the call then
    /// goes on as it is.
    pub async fn run(&self, errand: Errand) {
        match errand {
            Errand::HangUp(call) => {
                tracing::info!(attempt = %call.attempt_id, "a machine is hung up on");
                if let Err(error) = self.provider.hang_up(&call).await {
                    tracing::error!(attempt = %call.attempt_id, %error, "a machine is spoken to");
                }
            }
            Errand::Note(event) => {
                if let Err(error) = self.inbox.receive(&event).await {
                    let error = &error as &dyn std::error::Error;
                    tracing::error!(attempt = %event.attempt_id, error, "a lost line was not noted");
                }
            }
            Errand::Record(call) => self.record(&call).await,
        }
    }

    /// Has a call recorded, and notes what came of it. The interview goes on without a recording.
    async fn record(&self, call: &CallReference) {
        let (event_id, recording) = match self.provider.start_recording(call).await {
            Ok(id) => {
                let recording = Recording {
                    provider_recording_id: Some(id),
                    ..Recording::new(RecordingState::InProgress)
                };
                ("recording-started", recording)
            }
            Err(error) => {
                tracing::error!(attempt = %call.attempt_id, %error, "a call is not recorded");
                let recording = Recording {
                    error: Some(error.what),
                    ..Recording::new(RecordingState::NotStarted)
                };
                ("recording-not-started", recording)
            }
        };
        let event = CallEvent {
            company_id: call.company_id,
            attempt_id: call.attempt_id,
            event_id: event_id.to_owned(),
            provider_call_id: None,
            kind: CallEventKind::Recorded { recording },
            at: self.clock.now(),
            raw_status: None,
            error_code: None,
        };
        if let Err(error) = self.inbox.receive(&event).await {
            let error = &error as &dyn std::error::Error;
            tracing::error!(attempt = %call.attempt_id, error, "a recording was not noted");
        }
    }

    async fn carry_out(
        &self,
        webhook: Webhook,
    ) -> Result<(WebhookReply, Option<Errand>), StorageError> {
        match webhook {
            Webhook::Nothing => Ok((WebhookReply::empty(), None)),
            Webhook::Document(reply) => Ok((reply, None)),
            Webhook::GivenUp { event, reply } => Ok((reply, Some(Errand::Note(event)))),
            Webhook::Event(event) => {
                self.inbox.receive(&event).await?;
                let machine = self.call_events.held_with_machine(&event).await?;
                Ok((WebhookReply::empty(), machine.map(Errand::HangUp)))
            }
            Webhook::Answered { call, by, at } => {
                let reply = self.interviews.answered(&call, by, at).await?;
                Ok((self.provider.write_reply(&call, &reply), None))
            }
            Webhook::Turn {
                call, step, heard, ..
            } => {
                let taken = self.interviews.take_turn(&call, step, heard).await?;
                let reply = self.provider.write_reply(&call, &taken.reply);
                Ok((
                    reply,
                    taken.is_to_be_recorded.then_some(Errand::Record(call)),
                ))
            }
        }
    }
}
