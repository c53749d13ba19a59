//! The webhooks of the simulated provider: JSON bodies, and a token that outsiders do not know.

use std::fmt::{self, Write as _};

use rand::Rng as _;
use rand::SeedableRng as _;
use rand::rngs::ChaCha12Rng;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use voicesurvey_core::call_attempt::{AnsweredBy, CallEvent};
use voicesurvey_core::conversation::{Heard, VoiceReply};
use voicesurvey_core::id::{CallAttemptId, CompanyId};
use voicesurvey_core::ports::{CallReference, Webhook, WebhookError, WebhookReply, WebhookRequest};
use voicesurvey_core::time::Timestamp;

/// The header that carries the token.
const TOKEN_HEADER: &str = "x-simulator-token";

/// What is told, before it is a request.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Message {
    Event(CallEvent),
    Answered {
        call: CallReference,
        by: AnsweredBy,
        at: Timestamp,
    },
    Turn {
        call: CallReference,
        step: u32,
        heard: Heard,
        at: Timestamp,
    },
}

/// The body of `answer`.
#[derive(Debug, Serialize, Deserialize)]
struct AnswerBody {
    company_id: CompanyId,
    attempt_id: CallAttemptId,
    provider_call_id: Option<String>,
    answered_by: AnsweredBy,
    at: Timestamp,
}

/// The body of `turn`.
#[derive(Debug, Serialize, Deserialize)]
struct TurnBody {
    company_id: CompanyId,
    attempt_id: CallAttemptId,
    provider_call_id: Option<String>,
    step: u32,
    heard: Heard,
    at: Timestamp,
}

impl Message {
    fn endpoint(&self) -> &'static str {
        match self {
            Self::Event(_) => "events",
            Self::Answered { .. } => "answer",
            Self::Turn { .. } => "turn",
        }
    }

    /// Whether the line waits for what the host replies.
    pub(crate) const fn waits_for_reply(&self) -> bool {
        matches!(self, Self::Answered { .. } | Self::Turn { .. })
    }

    fn body(&self) -> Vec<u8> {
        let body = match self.clone() {
            Self::Event(event) => serde_json::to_vec(&event),
            Self::Answered { call, by, at } => serde_json::to_vec(&AnswerBody {
                company_id: call.company_id,
                attempt_id: call.attempt_id,
                provider_call_id: call.provider_call_id,
                answered_by: by,
                at,
            }),
            Self::Turn {
                call,
                step,
                heard,
                at,
            } => serde_json::to_vec(&TurnBody {
                company_id: call.company_id,
                attempt_id: call.attempt_id,
                provider_call_id: call.provider_call_id,
                step,
                heard,
                at,
            }),
        };
        // OK because all of these have text keys, and writing to memory cannot fail.
        body.unwrap_or_default()
    }
}

/// Signs and verifies the webhooks of a simulated provider, and writes replies to them: all that a
/// host needs whose provider runs in another process.
#[derive(Clone)]
pub struct Signer {
    token: String,
}

impl Signer {
    /// A token that whoever knows the seed can work out, for simulations.
    pub(crate) fn from_seed(seed: u64) -> Self {
        let mut bytes = [0; 32];
        ChaCha12Rng::seed_from_u64(seed).fill_bytes(&mut bytes);
        Self::from_secret(bytes)
    }

    /// A token that only those know who know the secret.
    pub fn from_secret(secret: [u8; 32]) -> Self {
        let mut token = String::with_capacity(64);
        for byte in secret {
            // OK because writing to a String cannot fail.
            let _ = write!(token, "{byte:02x}");
        }
        Self { token }
    }

    /// The same for a secret of words.
    pub fn from_words(secret: &str) -> Self {
        Self::from_secret(Sha256::digest(secret).into())
    }

    pub(crate) fn request(&self, message: &Message) -> WebhookRequest {
        let endpoint = message.endpoint();
        WebhookRequest {
            endpoint: endpoint.to_owned(),
            url: format!("simulator:/webhooks/simulated/{endpoint}"),
            headers: vec![
                ("content-type".to_owned(), "application/json".to_owned()),
                (TOKEN_HEADER.to_owned(), self.token.clone()),
            ],
            body: message.body(),
        }
    }

    /// Verifies and reads a webhook.
    pub fn read(&self, request: &WebhookRequest) -> Result<Webhook, WebhookError> {
        // Health checks and curious people send nothing: that needs no token and does nothing.
        if request.body.trim_ascii().is_empty() {
            return Ok(Webhook::Nothing);
        }
        let token = request.header(TOKEN_HEADER).unwrap_or_default();
        if !bool::from(token.as_bytes().ct_eq(self.token.as_bytes())) {
            return Err(WebhookError::BadSignature);
        }
        match request.endpoint.as_str() {
            "events" => parse(&request.body).map(Webhook::Event),
            "answer" => parse::<AnswerBody>(&request.body).map(|body| Webhook::Answered {
                call: CallReference {
                    company_id: body.company_id,
                    attempt_id: body.attempt_id,
                    provider_call_id: body.provider_call_id,
                },
                by: body.answered_by,
                at: body.at,
            }),
            "turn" => parse::<TurnBody>(&request.body).map(|body| Webhook::Turn {
                call: CallReference {
                    company_id: body.company_id,
                    attempt_id: body.attempt_id,
                    provider_call_id: body.provider_call_id,
                },
                step: body.step,
                heard: body.heard,
                at: body.at,
            }),
            other => Err(WebhookError::Unreadable {
                what: format!("there is no webhook '{other}': it is events, answer or turn"),
            }),
        }
    }

    /// What is to be said, as a simulated provider reads it.
    pub fn write_reply(reply: &VoiceReply) -> WebhookReply {
        // OK because a reply has text keys only, and writing to memory cannot fail.
        let body = serde_json::to_vec(reply).unwrap_or_default();
        WebhookReply {
            status: 200,
            content_type: Some("application/json"),
            body,
        }
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The token stays out of logs.
        f.debug_struct("Signer").finish_non_exhaustive()
    }
}

/// What the host said; `None` if it cannot be read.
pub(crate) fn read_reply(reply: &WebhookReply) -> Option<VoiceReply> {
    serde_json::from_slice(&reply.body).ok()
}

fn parse<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, WebhookError> {
    serde_json::from_slice(body).map_err(|error| WebhookError::Unreadable {
        what: error.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn turn() -> Message {
        Message::Turn {
            call: CallReference {
                company_id: CompanyId::from_uuid(Uuid::from_u128(1)),
                attempt_id: CallAttemptId::from_uuid(Uuid::from_u128(2)),
                provider_call_id: Some("SIM2".to_owned()),
            },
            step: 3,
            heard: Heard::Keys {
                keys: "4".to_owned(),
            },
            at: "2026-11-20T17:30:00Z".parse().unwrap(),
        }
    }

    #[test]
    fn a_request_reads_back_as_it_was_written() {
        let signer = Signer::from_seed(7);
        let Message::Turn {
            call,
            step,
            heard,
            at,
        } = turn()
        else {
            unreachable!()
        };
        let read = signer.read(&signer.request(&turn())).unwrap();
        assert_eq!(
            read,
            Webhook::Turn {
                call,
                step,
                heard,
                at
            }
        );
    }

    #[test]
    fn a_webhook_without_the_token_of_this_simulator_is_not_believed() {
        let (ours, others) = (Signer::from_seed(7), Signer::from_secret([7; 32]));
        let mut unsigned = ours.request(&turn());
        unsigned.headers.clear();
        for request in [others.request(&turn()), unsigned] {
            assert!(matches!(
                ours.read(&request),
                Err(WebhookError::BadSignature)
            ));
        }
    }

    #[test]
    fn an_empty_body_means_nothing_with_or_without_token() {
        let signer = Signer::from_seed(7);
        let mut request = signer.request(&turn());
        for body in ["", " \r\n"] {
            request.body = body.as_bytes().to_vec();
            assert_eq!(signer.read(&request).unwrap(), Webhook::Nothing);
        }
        request.headers.clear();
        assert_eq!(signer.read(&request).unwrap(), Webhook::Nothing);
    }

    #[test]
    fn what_cannot_be_read_is_said_to_be_unreadable() {
        let signer = Signer::from_seed(7);
        let request = signer.request(&turn());
        for (endpoint, body) in [
            ("turn", "{"),
            ("turn", "{}"),
            ("events", "[]"),
            ("other", "{}"),
        ] {
            let request = WebhookRequest {
                endpoint: endpoint.to_owned(),
                body: body.as_bytes().to_vec(),
                ..request.clone()
            };
            let read = signer.read(&request);
            assert!(
                matches!(read, Err(WebhookError::Unreadable { .. })),
                "{endpoint} {body}"
            );
        }
    }
}
