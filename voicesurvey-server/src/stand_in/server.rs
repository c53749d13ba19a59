//! The stand-in itself: the simulated world behind HTTP.

use std::convert::Infallible;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Json, Path, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use chrono::TimeDelta;
use futures_util::{StreamExt as _, stream};
use tokio::net::TcpListener;
use tokio::sync::Notify;
use voicesurvey_core::id::{CallAttemptId, CompanyId};
use voicesurvey_core::ports::{
    CallReference, Cancellation, FoundCall, PlaceCallError, Placed, TelephonyProvider as _,
};
use voicesurvey_core::time::SystemClock;
use voicesurvey_simulator::{Delivery, Signer, SimulatedProvider, SimulationSettings, Spoken};

use super::courier::{Courier, pause};
use super::{CancelledBody, Counts, FoundBody, LedgerBody, OrderBody, PlacedBody, RejectedBody};
use crate::scaled_clock::Pacer as _;

/// The longest the stand-in sleeps while it expects nothing.
const LONGEST_WAIT: Duration = Duration::from_mins(1);

/// The stand-in. It runs until its process ends, and so does its ledger.
#[derive(Debug)]
pub struct StandIn {
    provider: SimulatedProvider,
    courier: Courier,
    /// Rung when something may be due earlier than was expected.
    changed: Notify,
    heard: Mutex<Vec<Spoken>>,
    orders: AtomicU64,
    orders_unanswered: AtomicU64,
    look_ups: AtomicU64,
}

impl StandIn {
    /// A stand-in with these people, that signs with `secret` and tells `servers` what happens.
    pub fn new(
        people: SimulationSettings,
        secret: &str,
        servers: Vec<String>,
    ) -> Result<Arc<Self>, reqwest::Error> {
        let signer = Signer::from_words(secret);
        Ok(Arc::new(Self {
            provider: SimulatedProvider::new(Arc::new(SystemClock), people).with_signer(signer),
            courier: Courier::new(servers)?,
            changed: Notify::new(),
            heard: Mutex::default(),
            orders: AtomicU64::new(0),
            orders_unanswered: AtomicU64::new(0),
            look_ups: AtomicU64::new(0),
        }))
    }

    /// Answers orders and tells what happens, until it fails.
    pub async fn serve(self: Arc<Self>, listener: TcpListener) -> io::Result<()> {
        let router = router(self.clone());
        tokio::select! {
            served = axum::serve(listener, router).into_future() => served,
            never = self.run() => match never {},
        }
    }

    /// Lets happen what is due. Webhooks are carried beside each other: a server that is slow, or
    /// dead, keeps only the call waiting that it is told about.
    async fn run(self: Arc<Self>) -> Infallible {
        loop {
            while let Some(delivery) = self.provider.next_delivery() {
                tokio::spawn(self.clone().deliver(delivery));
            }
            let wait = self
                .provider
                .next_event_at()
                .map_or(LONGEST_WAIT, |at| SystemClock.until(at));
            // A ring that came while nobody listened is heard now.
            tokio::select! {
                () = self.changed.notified() => {}
                () = pause(wait) => {}
            }
        }
    }

    async fn deliver(self: Arc<Self>, delivery: Delivery) {
        let reply = self.courier.carry(delivery.request()).await;
        if (200..300).contains(&reply.status)
            && let Some(spoken) = delivery.spoken()
        {
            self.heard
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(spoken);
        }
        self.provider.replied(delivery, &reply);
        self.changed.notify_one();
    }

    fn counts(&self) -> Counts {
        let [webhooks, webhooks_repeated, webhooks_given_up] = self.courier.counts();
        Counts {
            orders: self.orders.load(Ordering::Relaxed),
            orders_unanswered: self.orders_unanswered.load(Ordering::Relaxed),
            look_ups: self.look_ups.load(Ordering::Relaxed),
            webhooks,
            webhooks_repeated,
            webhooks_given_up,
        }
    }
}

fn router(stand_in: Arc<StandIn>) -> Router {
    Router::new()
        .route("/calls", post(place_call))
        .route("/companies/{company}/calls/{attempt}", get(find_call))
        .route("/companies/{company}/calls/{attempt}/cancel", post(cancel))
        .route(
            "/companies/{company}/calls/{attempt}/hang-up",
            post(hang_up),
        )
        .route("/servers", put(change_servers))
        .route("/counts", get(counts))
        .route("/ledger", get(ledger))
        .with_state(stand_in)
}

async fn place_call(
    State(stand_in): State<Arc<StandIn>>,
    Json(order): Json<OrderBody>,
) -> Response {
    stand_in.orders.fetch_add(1, Ordering::Relaxed);
    let attempt_id = order.attempt_id;
    let placed = stand_in.provider.place_call(&order.into()).await;
    stand_in.changed.notify_one();
    match placed {
        Ok(Placed { provider_call_id }) => {
            (StatusCode::CREATED, Json(PlacedBody { provider_call_id })).into_response()
        }
        Err(PlaceCallError::Rejected { code, outcome }) => (
            StatusCode::UNPROCESSABLE_ENTITY,
            Json(RejectedBody { code, outcome }),
        )
            .into_response(),
        Err(PlaceCallError::RetryLater { after }) => try_later(after),
        Err(PlaceCallError::Unknown { .. } | PlaceCallError::Configuration { .. }) => {
            stand_in.orders_unanswered.fetch_add(1, Ordering::Relaxed);
            lost_answer(attempt_id)
        }
    }
}

fn try_later(after: Option<TimeDelta>) -> Response {
    let mut response = StatusCode::TOO_MANY_REQUESTS.into_response();
    if let Some(after) = after {
        let seconds = HeaderValue::from(after.num_seconds());
        response.headers_mut().insert(header::RETRY_AFTER, seconds);
    }
    response
}

/// An answer that tells nothing: for every second attempt a gateway's, for the others a connection
/// that breaks in the middle of it.
fn lost_answer(attempt_id: CallAttemptId) -> Response {
    if attempt_id.as_uuid().as_u128().is_multiple_of(2) {
        return StatusCode::BAD_GATEWAY.into_response();
    }
    let begun = stream::once(async { Ok(Bytes::from_static(b"{")) });
    let broken = stream::once(async { Err(io::Error::other("the answer is lost")) });
    (StatusCode::CREATED, Body::from_stream(begun.chain(broken))).into_response()
}

async fn find_call(
    State(stand_in): State<Arc<StandIn>>,
    Path(call): Path<(CompanyId, CallAttemptId)>,
) -> Response {
    stand_in.look_ups.fetch_add(1, Ordering::Relaxed);
    match stand_in.provider.find_call(&reference(call)).await {
        Ok(FoundCall::Found { events }) => Json(FoundBody {
            placed: true,
            events,
        })
        .into_response(),
        Ok(FoundCall::NotFound) => Json(FoundBody {
            placed: false,
            events: Vec::new(),
        })
        .into_response(),
        Ok(FoundCall::Unknown) | Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

async fn cancel(
    State(stand_in): State<Arc<StandIn>>,
    Path(call): Path<(CompanyId, CallAttemptId)>,
) -> Response {
    let cancelled = stand_in.provider.cancel(&reference(call)).await;
    stand_in.changed.notify_one();
    match cancelled {
        Ok(came_to) => Json(CancelledBody {
            over: came_to == Cancellation::Over,
        })
        .into_response(),
        Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

async fn hang_up(
    State(stand_in): State<Arc<StandIn>>,
    Path(call): Path<(CompanyId, CallAttemptId)>,
) -> StatusCode {
    let hung_up = stand_in.provider.hang_up(&reference(call)).await;
    stand_in.changed.notify_one();
    match hung_up {
        Ok(()) => StatusCode::NO_CONTENT,
        Err(_) => StatusCode::SERVICE_UNAVAILABLE,
    }
}

async fn change_servers(
    State(stand_in): State<Arc<StandIn>>,
    Json(servers): Json<Vec<String>>,
) -> StatusCode {
    stand_in.courier.change_servers(servers);
    StatusCode::NO_CONTENT
}

async fn counts(State(stand_in): State<Arc<StandIn>>) -> Json<Counts> {
    Json(stand_in.counts())
}

async fn ledger(State(stand_in): State<Arc<StandIn>>) -> Json<LedgerBody> {
    let heard = stand_in.heard.lock();
    let heard = heard.unwrap_or_else(PoisonError::into_inner).clone();
    Json(LedgerBody {
        rings: stand_in.provider.ledger(),
        heard,
        counts: stand_in.counts(),
    })
}

const fn reference((company_id, attempt_id): (CompanyId, CallAttemptId)) -> CallReference {
    CallReference {
        company_id,
        attempt_id,
        provider_call_id: None,
    }
}
