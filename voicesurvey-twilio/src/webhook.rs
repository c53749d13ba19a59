//! What a webhook of Twilio says, once its signature is right.
//!
//! Twilio adds parameters and statuses without notice, so what is not known is passed over or kept as
//! it was written, and is no reason to refuse a webhook.

use voicesurvey_core::call_attempt::{CallEvent, CallEventKind, Recording};
use voicesurvey_core::conversation::Heard;
use voicesurvey_core::interpretation::Confidence;
use voicesurvey_core::outcome::Outcome;
use voicesurvey_core::ports::{CallReference, Webhook, WebhookError, WebhookRequest};
use voicesurvey_core::time::Timestamp;

use crate::call_record::rfc_2822;
use crate::parameters::Parameters;
use crate::progress::{self, Progress};
use crate::recording;
use crate::signature::{Signatures, SignedBody};
use crate::urls::{self, Endpoint, WebhookUrls};

/// Who signed it.
pub(crate) const SIGNATURE: &str = "x-twilio-signature";

/// The same for every time that Twilio tries to deliver one webhook.
const DELIVERY: &str = "i-twilio-idempotency-token";

/// A webhook that Twilio has signed.
#[derive(Debug)]
pub(crate) struct Signed {
    endpoint: Endpoint,
    query: Parameters,
    form: Parameters,
    delivery: Option<String>,
}

impl Signed {
    /// Believes a request, or not. Nothing of it is read before.
    pub(crate) fn verify(
        request: &WebhookRequest,
        signatures: &Signatures,
        urls: &WebhookUrls,
    ) -> Result<Self, WebhookError> {
        let signature = request
            .header(SIGNATURE)
            .ok_or(WebhookError::BadSignature)?;
        let url = urls.called(&request.endpoint, &request.url);
        let form = if is_form(request) {
            Parameters::decode(&request.body)
        } else {
            Parameters::default()
        };
        let body = match () {
            () if request.body.is_empty() => SignedBody::Empty,
            () if is_form(request) => SignedBody::Form(&form),
            () => SignedBody::Hashed(&request.body),
        };
        if !signatures.verify(signature, &url, body) {
            return Err(WebhookError::BadSignature);
        }
        let endpoint = Endpoint::from_name(&request.endpoint)
            .ok_or_else(|| unreadable("there is no such webhook"))?;
        let query = Parameters::decode(urls::query(&request.url).as_bytes());
        // Twilio asks by GET if it was told to, and then everything is in the query.
        let form = if request.body.is_empty() {
            query.clone()
        } else {
            form
        };
        Ok(Self {
            endpoint,
            query,
            form,
            delivery: request.header(DELIVERY).map(str::to_owned),
        })
    }

    /// What it says to a conversation or about a call.
    pub(crate) fn read(&self, now: Timestamp) -> Result<Webhook, WebhookError> {
        match self.endpoint {
            Endpoint::Answer => Ok(Webhook::Answered {
                call: self.call()?,
                by: progress::answered_by(self.form.get("AnsweredBy")),
                at: now,
            }),
            Endpoint::Turn => Ok(Webhook::Turn {
                call: self.call()?,
                step: self
                    .query
                    .read("step")
                    .ok_or_else(|| unreadable("step is missing"))?,
                heard: self.heard(),
                at: now,
            }),
            Endpoint::Status => Ok(Webhook::Event(self.status(now)?)),
            Endpoint::Amd => Ok(Webhook::Event(self.verdict(now)?)),
            Endpoint::Recording => Ok(Webhook::Event(self.recording(now)?)),
            Endpoint::Check | Endpoint::Fallback => Ok(Webhook::Nothing),
        }
    }

    /// That Twilio could not ask what is said next, and hangs up after the goodbye.
    pub(crate) fn given_up(&self, now: Timestamp) -> Result<CallEvent, WebhookError> {
        let (error, url) = (self.form.get("ErrorCode"), self.form.get("ErrorUrl"));
        tracing::error!(error, url, "Twilio could not ask what is said next");
        let outcome = Some(Outcome::ProviderFailure);
        let event = self.event(CallEventKind::Ended { outcome }, "fallback", now)?;
        Ok(CallEvent {
            error_code: error.map(str::to_owned),
            ..event
        })
    }

    fn recording(&self, now: Timestamp) -> Result<CallEvent, WebhookError> {
        let status = self.form.get("RecordingStatus");
        let status = status.ok_or_else(|| unreadable("RecordingStatus is missing"))?;
        let id = self.form.get("RecordingSid");
        let id = id.ok_or_else(|| unreadable("RecordingSid is missing"))?;
        let text = |name: &str| self.form.get(name).map(str::to_owned);
        let recording = Recording {
            provider_recording_id: Some(id.to_owned()),
            url: text("RecordingUrl"),
            seconds: self.form.read("RecordingDuration"),
            error: text("ErrorCode").filter(|code| code != "0"),
            ..Recording::new(recording::state(status))
        };
        let what = format!("recording-{id}-{status}");
        self.event(CallEventKind::Recorded { recording }, &what, now)
    }

    /// The call, as the query of our own URL names it, and Twilio beside it.
    fn call(&self) -> Result<CallReference, WebhookError> {
        let missing = |name: &str| unreadable(&format!("{name} is missing or no identifier"));
        Ok(CallReference {
            company_id: self
                .query
                .read("company")
                .ok_or_else(|| missing("company"))?,
            attempt_id: self
                .query
                .read("attempt")
                .ok_or_else(|| missing("attempt"))?,
            provider_call_id: self.form.get("CallSid").map(str::to_owned),
        })
    }

    fn heard(&self) -> Heard {
        let keys = self.form.get("Digits").map(answer_keys);
        let words = self.form.get("SpeechResult").map(str::trim);
        match (keys, words) {
            (Some(keys), _) if !keys.is_empty() => Heard::Keys {
                keys: keys.to_owned(),
            },
            (_, Some(words)) if !words.is_empty() => Heard::Speech {
                words: words.to_owned(),
                confidence: self.form.read("Confidence").and_then(confidence),
            },
            _ => Heard::Silence,
        }
    }

    fn status(&self, now: Timestamp) -> Result<CallEvent, WebhookError> {
        let status = self.form.get("CallStatus");
        let status = status.ok_or_else(|| unreadable("CallStatus is missing"))?;
        let sip: Option<u16> = self.form.read("SipResponseCode");
        let error: Option<u32> = self.form.read("ErrorCode");
        let progress = Progress {
            status,
            answered_by: self.form.get("AnsweredBy"),
            sip,
            error,
            duration: self.form.read("CallDuration"),
            was_dialed: true,
        };
        let network_refused = sip.filter(|code| *code >= 400);
        let error_code = error.map(|code| code.to_string());
        let at = self.form.get("Timestamp").and_then(rfc_2822);
        Ok(CallEvent {
            raw_status: Some(status.to_owned()),
            error_code: error_code.or_else(|| network_refused.map(|code| format!("SIP {code}"))),
            ..self.event(progress.kind(), status, at.unwrap_or(now))?
        })
    }

    fn verdict(&self, now: Timestamp) -> Result<CallEvent, WebhookError> {
        let word = self.form.get("AnsweredBy");
        let word = word.ok_or_else(|| unreadable("AnsweredBy is missing"))?;
        let by = progress::answered_by(Some(word));
        self.event(CallEventKind::Answered { by }, &format!("amd-{word}"), now)
    }

    fn event(
        &self,
        kind: CallEventKind,
        what: &str,
        at: Timestamp,
    ) -> Result<CallEvent, WebhookError> {
        let call = self.call()?;
        let event_id = self.delivery.clone().unwrap_or_else(|| {
            let sid = call.provider_call_id.as_deref().unwrap_or_default();
            format!("{sid}-{}", self.form.get("SequenceNumber").unwrap_or(what))
        });
        Ok(CallEvent {
            company_id: call.company_id,
            attempt_id: call.attempt_id,
            event_id,
            provider_call_id: call.provider_call_id,
            kind,
            at,
            raw_status: None,
            error_code: None,
        })
    }
}

/// The keys without the `#` with which many people finish a number; a `#` by itself is a key.
fn answer_keys(keys: &str) -> &str {
    let number = keys.trim_end_matches('#');
    if number.is_empty() { keys } else { number }
}

/// `None` for what is no share of one: Twilio promises no figure.
fn confidence(share: f64) -> Option<Confidence> {
    if !(0.0..=1.0).contains(&share) {
        return None;
    }
    let hundredths = (0..=100_u8)
        .rev()
        .find(|hundredths| f64::from(*hundredths) <= share * 100.0);
    hundredths.map(Confidence::from_hundredths)
}

fn is_form(request: &WebhookRequest) -> bool {
    let content_type = request.header("content-type").unwrap_or_default();
    let kind = content_type.split(';').next().unwrap_or_default();
    kind.trim()
        .eq_ignore_ascii_case("application/x-www-form-urlencoded")
}

fn unreadable(what: &str) -> WebhookError {
    WebhookError::Unreadable {
        what: what.to_owned(),
    }
}

#[cfg(test)]
mod tests;
