//! A model behind a server, asked once per turn and within a deadline.

use std::fmt::{self, Write as _};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Client, Url};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use tokio::sync::Semaphore;
use tokio::time::Instant;
use voicesurvey_core::interpretation::{
    AnswerInterpreter, Confidence, Intent, Interpretation, InterpretedBy, Utterance,
};
use voicesurvey_core::time::{Clock, Timestamp};

use crate::breaker::Breaker;
use crate::failure::Failure;
use crate::response::{self, Reply};
use crate::settings::{ApiKey, ModelSettings, SchemaMode};
use crate::{prompt, reading, request, schema};

/// Many times what an answer takes.
const LARGEST_REPLY: usize = 64 * 1024;

/// A language model, asked through the chat interface of `OpenAI`.
///
/// It is used once [`probe`](Self::probe) has found out how to ask it, or from the start if the
/// settings say how. It needs a runtime of tokio.
pub struct LanguageModel {
    pub(crate) settings: ModelSettings,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) looked: Mutex<Looked>,
    client: Client,
    endpoint: Url,
    schema: Value,
    permits: Semaphore,
    breaker: Breaker,
}

/// Whether a model is used, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Nobody has looked yet.
    Unknown,
    /// It is asked like this.
    Uses(SchemaMode),
    /// It is not asked.
    Off(Failure),
}

/// What is known of a server, and since when.
#[derive(Debug)]
pub(crate) struct Looked {
    pub(crate) standing: Standing,
    pub(crate) at: Option<Timestamp>,
}

/// The settings describe no model that could be asked.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// The address.
    #[error("the URL of a language model begins with http:// or https:// and names no user")]
    Url,
    /// The key.
    #[error("the API key of a language model holds letters that no header can")]
    ApiKey,
    /// The client for HTTP.
    #[error("no HTTP client can be made")]
    Client(#[source] reqwest::Error),
}

impl LanguageModel {
    /// A model that nobody has asked yet.
    pub fn new(settings: ModelSettings, clock: Arc<dyn Clock>) -> Result<Self, ModelError> {
        let endpoint = endpoint(&settings.url)?;
        let mut client = Client::builder()
            .connect_timeout(settings.connect)
            .redirect(Policy::none())
            .default_headers(headers(settings.api_key.as_ref())?);
        if is_loopback(&endpoint) {
            client = client.no_proxy();
        }
        let standing = settings
            .schema_mode
            .map_or(Standing::Unknown, Standing::Uses);
        Ok(Self {
            client: client.build().map_err(ModelError::Client)?,
            endpoint,
            schema: schema::with_intents(&schema::INTENTS),
            permits: Semaphore::new(settings.at_once),
            breaker: Breaker::new(clock.clone()),
            looked: Mutex::new(Looked { standing, at: None }),
            settings,
            clock,
        })
    }

    /// Whether it is used, and how.
    pub fn standing(&self) -> Standing {
        self.looked().standing
    }

    /// What the person meant, as the model has it.
    ///
    /// Sends one request at most, and returns within the deadline. Dropped before that, it leaves
    /// nothing behind.
    pub async fn classify(&self, utterance: &Utterance) -> Result<Interpretation, Failure> {
        let Standing::Uses(mode) = self.standing() else {
            return Err(Failure::Off);
        };
        let permit = self.permits.try_acquire();
        let _permit = permit.map_err(|_| Failure::Busy)?;
        let pass = self.breaker.admit().ok_or(Failure::CircuitOpen)?;
        let within = self.settings.deadline;
        let read = match self.ask(mode, utterance, &self.schema, within).await {
            Ok(reply) => reading::read(&reply.content, mode, utterance),
            Err(failure) => Err(failure),
        };
        pass.tell(read.as_ref().is_err_and(|failure| failure.counts()));
        let (intent, confidence) = read?;
        Ok(Interpretation::new(
            intent,
            confidence,
            InterpretedBy::LanguageModel,
        ))
    }

    /// Asks once. What is told to the log holds no word of the person.
    pub(crate) async fn ask(
        &self,
        mode: SchemaMode,
        utterance: &Utterance,
        schema: &Value,
        within: Duration,
    ) -> Result<Reply, Failure> {
        let began = Instant::now();
        let body = request::body(&self.settings, mode, utterance, schema);
        let asked = tokio::time::timeout(within, self.exchange(&body)).await;
        let reply = asked.unwrap_or(Err(Failure::TimedOut));
        let milliseconds = began.elapsed().as_millis();
        let (model, prompt) = (&self.settings.model, prompt::VERSION);
        match &reply {
            Ok(reply) => tracing::debug!(
                model,
                prompt,
                milliseconds,
                finish_reason = reply.finish_reason,
                tokens = reply.tokens,
                output = digest(&reply.content),
                "the language model answered"
            ),
            Err(failure) => tracing::debug!(
                model,
                prompt,
                milliseconds,
                %failure,
                "the language model did not answer"
            ),
        }
        reply
    }

    async fn exchange(&self, body: &Value) -> Result<Reply, Failure> {
        let request = self.client.post(self.endpoint.clone()).json(body);
        let mut response = request.send().await.map_err(|error| broken(&error))?;
        let status = response.status();
        if !status.is_success() {
            return Err(Failure::Status(status.as_u16()));
        }
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| broken(&error))? {
            if bytes.len() + chunk.len() > LARGEST_REPLY {
                return Err(Failure::TooLong);
            }
            bytes.extend_from_slice(&chunk);
        }
        response::reply(&bytes)
    }

    pub(crate) fn looked(&self) -> MutexGuard<'_, Looked> {
        // OK because what is known is replaced in one step.
        self.looked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl AnswerInterpreter for LanguageModel {
    /// The model's reading alone. A failure is unclear, as if the model had said so.
    async fn interpret(&self, utterance: &Utterance) -> Interpretation {
        self.classify(utterance).await.unwrap_or_else(|_| {
            let nothing = Confidence::from_hundredths(0);
            Interpretation::new(Intent::Unclear, nothing, InterpretedBy::LanguageModel)
        })
    }
}

impl fmt::Debug for LanguageModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LanguageModel")
            .field("endpoint", &self.endpoint.as_str())
            .field("model", &self.settings.model)
            .field("standing", &self.standing())
            .finish_non_exhaustive()
    }
}

fn endpoint(url: &str) -> Result<Url, ModelError> {
    let mut url: Url = url.parse().map_err(|_| ModelError::Url)?;
    let names_user = !url.username().is_empty() || url.password().is_some();
    if !matches!(url.scheme(), "http" | "https") || names_user {
        return Err(ModelError::Url);
    }
    url.path_segments_mut()
        .map_err(|()| ModelError::Url)?
        .pop_if_empty()
        .extend(["chat", "completions"]);
    Ok(url)
}

fn headers(key: Option<&ApiKey>) -> Result<HeaderMap, ModelError> {
    let mut headers = HeaderMap::new();
    if let Some(key) = key {
        let value = format!("Bearer {}", key.reveal());
        let mut value = HeaderValue::from_str(&value).map_err(|_| ModelError::ApiKey)?;
        value.set_sensitive(true);
        headers.insert(AUTHORIZATION, value);
    }
    Ok(headers)
}

/// A proxy of the environment has no business between us and this machine.
fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || address
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

fn broken(error: &reqwest::Error) -> Failure {
    if error.is_timeout() {
        Failure::TimedOut
    } else {
        Failure::Unreachable
    }
}

/// Tells two outputs apart without repeating what was said.
pub(crate) fn digest(content: &str) -> String {
    let mut text = String::new();
    for byte in Sha256::digest(content) {
        // OK because writing to a text never fails.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_endpoint_lies_under_the_url() {
        for (url, expected) in [
            (
                "http://127.0.0.1:8080/v1",
                "http://127.0.0.1:8080/v1/chat/completions",
            ),
            (
                "http://127.0.0.1:8080/v1/",
                "http://127.0.0.1:8080/v1/chat/completions",
            ),
            (
                "https://llm.example.org",
                "https://llm.example.org/chat/completions",
            ),
            (
                "https://llm.example.org/v1?api-version=1",
                "https://llm.example.org/v1/chat/completions?api-version=1",
            ),
        ] {
            assert_eq!(endpoint(url).unwrap().as_str(), expected);
        }
        for url in [
            "",
            "127.0.0.1:8080",
            "ftp://127.0.0.1/v1",
            "http://key@127.0.0.1/v1",
            "mailto:a@example.org",
        ] {
            assert!(endpoint(url).is_err(), "{url}");
        }
    }

    #[test]
    fn this_machine_is_reached_without_a_proxy() {
        for (url, is_here) in [
            ("http://127.0.0.1:1/v1", true),
            ("http://[::1]:1/v1", true),
            ("http://localhost/v1", true),
            ("http://localhost.example.org/v1", false),
            ("http://10.0.0.1/v1", false),
        ] {
            assert_eq!(is_loopback(&url.parse().unwrap()), is_here, "{url}");
        }
    }
}
