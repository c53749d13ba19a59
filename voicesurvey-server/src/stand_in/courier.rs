//! Carries webhooks to servers: to each in turn, and to the next when one cannot take it.
//!
//! A real provider does the same behind the one address of a load balancer. A webhook comes again
//! when a server dies before it answers, so a server may well have stored what it says.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use voicesurvey_core::ports::{WebhookReply, WebhookRequest};

use super::NAME;

/// How often a webhook is carried to some server before it is given up.
const TRIES: u32 = 6;
/// The wait before the second try, doubled before each further one.
const FIRST_BACKOFF: Duration = Duration::from_millis(20);
/// How long a server may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Carries webhooks.
#[derive(Debug)]
pub struct Courier {
    client: reqwest::Client,
    /// The servers' URLs, without a slash at the end.
    servers: RwLock<Vec<String>>,
    turn: AtomicUsize,
    answered: AtomicU64,
    repeated: AtomicU64,
    given_up: AtomicU64,
}

impl Courier {
    /// To these servers, or to nobody until some are named.
    pub fn new(servers: Vec<String>) -> Result<Self, reqwest::Error> {
        let client = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(PATIENCE)
            .build()?;
        let courier = Self {
            client,
            servers: RwLock::default(),
            turn: AtomicUsize::new(0),
            answered: AtomicU64::new(0),
            repeated: AtomicU64::new(0),
            given_up: AtomicU64::new(0),
        };
        courier.change_servers(servers);
        Ok(courier)
    }

    /// From now on to these servers.
    pub fn change_servers(&self, servers: Vec<String>) {
        let servers = servers
            .into_iter()
            .map(|url| url.trim_end_matches('/').to_owned())
            .collect();
        *self.servers.write().unwrap_or_else(PoisonError::into_inner) = servers;
    }

    /// Webhooks that were answered, that were repeated, and that were given up.
    pub fn counts(&self) -> [u64; 3] {
        [&self.answered, &self.repeated, &self.given_up].map(|count| count.load(Ordering::Relaxed))
    }

    /// Carries a webhook to a server and brings back the reply; 503 when none would take it.
    pub async fn carry(&self, request: &WebhookRequest) -> WebhookReply {
        const NOT_NOW: u16 = 503;
        for tried in 0..TRIES {
            if tried > 0 {
                self.repeated.fetch_add(1, Ordering::Relaxed);
                pause(FIRST_BACKOFF.saturating_mul(1 << (tried - 1))).await;
            }
            let Some(server) = self.next_server() else {
                continue;
            };
            match self.post(&server, request).await {
                Ok(reply) if reply.status < 500 => {
                    self.answered.fetch_add(1, Ordering::Relaxed);
                    return reply;
                }
                Ok(reply) => tracing::debug!(server, status = reply.status, "a server failed"),
                Err(error) => {
                    let error = &error as &dyn std::error::Error;
                    tracing::debug!(server, error, "a server did not answer");
                }
            }
        }
        self.given_up.fetch_add(1, Ordering::Relaxed);
        WebhookReply {
            status: NOT_NOW,
            ..WebhookReply::empty()
        }
    }

    fn next_server(&self) -> Option<String> {
        let servers = self.servers.read().unwrap_or_else(PoisonError::into_inner);
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        servers.get(turn.checked_rem(servers.len())?).cloned()
    }

    async fn post(
        &self,
        server: &str,
        request: &WebhookRequest,
    ) -> Result<WebhookReply, reqwest::Error> {
        let url = format!("{server}/webhooks/{NAME}/{}", request.endpoint);
        let mut post = self.client.post(url).body(request.body.clone());
        for (name, value) in &request.headers {
            post = post.header(name, value);
        }
        let response = post.send().await?;
        let status = response.status().as_u16();
        let body = response.bytes().await?.into();
        Ok(WebhookReply {
            status,
            content_type: None,
            body,
        })
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the stand-in is no server of ours: it has no workers"
)]
pub(super) async fn pause(time: Duration) {
    tokio::time::sleep(time).await;
}
