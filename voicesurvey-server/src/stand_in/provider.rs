//! The telephony provider of a server whose calls are placed by a stand-in.
//!
//! The invariant: only what surely was not sent, or was surely refused, may be dialed again (I3).
//! Whatever else goes wrong with an order leaves it unknown whether a telephone rings.

use std::error::Error;
use std::time::Duration;

use async_trait::async_trait;
use chrono::TimeDelta;
use reqwest::{RequestBuilder, Response, StatusCode, header};
use voicesurvey_core::conversation::VoiceReply;
use voicesurvey_core::ports::{
    CallOrder, CallReference, Cancellation, FoundCall, PlaceCallError, Placed, ProviderError,
    TelephonyProvider, Webhook, WebhookError, WebhookReply, WebhookRequest,
};
use voicesurvey_core::time::Timestamp;
use voicesurvey_simulator::Signer;

use super::{CancelledBody, FoundBody, NAME, OrderBody, PlacedBody, RejectedBody};

/// When to try again if nobody said when.
const SOON: TimeDelta = TimeDelta::seconds(5);

/// Has calls placed by a stand-in.
#[derive(Debug)]
pub struct StandInProvider {
    /// Without a slash at the end.
    url: String,
    client: reqwest::Client,
    signer: Signer,
}

impl StandInProvider {
    /// The stand-in at `url`, which signs its webhooks with `secret` and may take `patience` to
    /// answer. That must be less than the grace after the dial deadline, so that no order is under
    /// way when recovery asks what became of it.
    pub fn new(url: &str, secret: &str, patience: Duration) -> Result<Self, reqwest::Error> {
        let client = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(patience)
            .build()?;
        Ok(Self {
            url: url.trim_end_matches('/').to_owned(),
            client,
            signer: Signer::from_words(secret),
        })
    }

    fn call_url(&self, call: &CallReference) -> String {
        let (company, attempt) = (call.company_id, call.attempt_id);
        format!("{}/companies/{company}/calls/{attempt}", self.url)
    }
}

#[async_trait]
impl TelephonyProvider for StandInProvider {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn place_call(&self, order: &CallOrder) -> Result<Placed, PlaceCallError> {
        let post = self.client.post(format!("{}/calls", self.url));
        let response = match post.json(&OrderBody::from(order)).send().await {
            Ok(response) => response,
            // Without a connection nothing can have been sent.
            Err(error) if error.is_connect() => return Err(later(None)),
            Err(error) => return Err(unknown(error)),
        };
        match response.status() {
            StatusCode::CREATED => {
                let PlacedBody { provider_call_id } = response.json().await.map_err(unknown)?;
                Ok(Placed { provider_call_id })
            }
            StatusCode::UNPROCESSABLE_ENTITY => {
                let RejectedBody { code, outcome } = response.json().await.map_err(unknown)?;
                Err(PlaceCallError::Rejected { code, outcome })
            }
            StatusCode::TOO_MANY_REQUESTS => Err(later(retry_after(&response))),
            status => Err(unknown(format!("the stand-in answered {status}"))),
        }
    }

    async fn find_call(&self, call: &CallReference) -> Result<FoundCall, ProviderError> {
        let response = asked(self.client.get(self.call_url(call))).await?;
        let found: FoundBody = response.json().await.map_err(|error| not_asked(&error))?;
        if found.placed {
            let FoundBody { events, .. } = found;
            Ok(FoundCall::Found { events })
        } else {
            Ok(FoundCall::NotFound)
        }
    }

    async fn cancel(&self, call: &CallReference) -> Result<Cancellation, ProviderError> {
        let url = format!("{}/cancel", self.call_url(call));
        let response = asked(self.client.post(url)).await?;
        let CancelledBody { over } = response.json().await.map_err(|error| not_asked(&error))?;
        Ok(if over {
            Cancellation::Over
        } else {
            Cancellation::GoesOn
        })
    }

    async fn hang_up(&self, call: &CallReference) -> Result<(), ProviderError> {
        let url = format!("{}/hang-up", self.call_url(call));
        asked(self.client.post(url)).await.map(drop)
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

/// The answer, if it is the one for success.
async fn asked(request: RequestBuilder) -> Result<Response, ProviderError> {
    let response = request.send().await.map_err(|error| not_asked(&error))?;
    response
        .error_for_status()
        .map_err(|error| not_asked(&error))
}

fn not_asked(error: &reqwest::Error) -> ProviderError {
    let what = match error.source() {
        Some(reason) => format!("{error}: {reason}"),
        None => error.to_string(),
    };
    ProviderError { what }
}

fn unknown(source: impl Into<Box<dyn Error + Send + Sync>>) -> PlaceCallError {
    PlaceCallError::Unknown {
        source: source.into(),
    }
}

fn later(after: Option<TimeDelta>) -> PlaceCallError {
    PlaceCallError::RetryLater {
        after: Some(after.unwrap_or(SOON)),
    }
}

/// The pause that the stand-in asks for.
fn retry_after(response: &Response) -> Option<TimeDelta> {
    let seconds = response.headers().get(header::RETRY_AFTER)?.to_str().ok()?;
    TimeDelta::try_seconds(seconds.parse().ok()?)
}
