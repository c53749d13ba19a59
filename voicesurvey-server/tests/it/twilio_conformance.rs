//! Twilio keeps what every provider promises: the real client, real webhooks, and a stand-in at the
//! other end.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use tokio::net::TcpListener;
use voicesurvey_core::ports::{TelephonyProvider, WebhookRequest};
use voicesurvey_core::testing::telephony_conformance::{Calls, Host, Orders, TelephonyUnderTest};
use voicesurvey_core::time::{Clock as _, ManualClock, Timestamp};
use voicesurvey_twilio::TwilioProvider;

use crate::support::twilio::PUBLIC_URL;
use crate::twilio_stand_in::{Conduct, Fate, Faults, Line, TwilioStandIn};

/// More orders than any case gives.
const ORDERS: usize = 4;

/// A provider of Twilio, the stand-in behind it, and the door for its webhooks.
struct Twilio {
    provider: Arc<TwilioProvider>,
    stand_in: TwilioStandIn,
    door: Arc<Door>,
}

/// Where webhooks arrive.
struct Door {
    clock: Arc<ManualClock>,
    host: Mutex<Option<Arc<Host>>>,
}

async fn take(
    State(door): State<Arc<Door>>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let text = |value: &axum::http::HeaderValue| value.to_str().unwrap().to_owned();
    let headers = headers.iter();
    let request = WebhookRequest {
        endpoint: uri.path().rsplit('/').next().unwrap().to_owned(),
        url: format!("{PUBLIC_URL}{uri}"),
        headers: headers
            .map(|(name, value)| (name.as_str().to_owned(), text(value)))
            .collect(),
        body: body.into(),
    };
    let host = door.host.lock().unwrap().clone().expect("somebody waits");
    let reply = host.take(request, door.clock.now());
    let status = StatusCode::from_u16(reply.status).unwrap();
    match reply.content_type {
        Some(kind) => (status, [("content-type", kind)], reply.body).into_response(),
        None => status.into_response(),
    }
}

#[async_trait]
impl TelephonyUnderTest for Twilio {
    async fn create(orders: Orders, calls: Calls, now: Timestamp) -> Self {
        let clock = Arc::new(ManualClock::new(now));
        let stand_in = TwilioStandIn::start(clock.clone(), 7, Faults::default()).await;
        let fate = match orders {
            Orders::Taken => Fate::Taken,
            Orders::AnswerLost => Fate::CutAfter,
            Orders::Lost => Fate::CutBefore,
            Orders::ForLater => Fate::TooMany,
            Orders::Refused => Fate::InvalidNumber,
        };
        let line = match calls {
            Calls::Answered => Line::Answered(Conduct::Talks),
            Calls::Busy => Line::Unanswered("busy", Some(486)),
            Calls::NotAnswered => Line::Rings,
            Calls::Waiting => Line::Queued,
        };
        (0..ORDERS).for_each(|_| stand_in.next(fate, line));
        let door = Arc::new(Door {
            clock: clock.clone(),
            host: Mutex::default(),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        stand_in.servers_are(vec![format!("http://{}", listener.local_addr().unwrap())]);
        let router = Router::new().fallback(take).with_state(door.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        let provider = TwilioProvider::new(stand_in.settings(), clock).unwrap();
        Self {
            provider: Arc::new(provider),
            stand_in,
            door,
        }
    }

    fn provider(&self) -> Arc<dyn TelephonyProvider> {
        self.provider.clone()
    }

    fn clock(&self) -> &ManualClock {
        &self.door.clock
    }

    async fn deliver_due(&self, host: &Arc<Host>) {
        *self.door.host.lock().unwrap() = Some(host.clone());
        self.stand_in.deliver_due().await;
        assert_eq!(self.stand_in.complaints(), [""; 0]);
    }

    fn next_event_at(&self) -> Option<Timestamp> {
        self.stand_in.next_event_at()
    }

    fn taken(&self) -> usize {
        self.stand_in.rings().len()
    }
}

voicesurvey_core::telephony_conformance!(Twilio);
