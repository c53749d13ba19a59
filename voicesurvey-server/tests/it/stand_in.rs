//! The stand-in for a telephony provider, over HTTP: what a server may conclude from each answer.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use voicesurvey_core::conversation::{Then, VoiceReply};
use voicesurvey_core::id::{CallAttemptId, CompanyId};
use voicesurvey_core::language::Language;
use voicesurvey_core::outcome::Outcome;
use voicesurvey_core::ports::{
    CallOptions, CallOrder, CallReference, Cancellation, FoundCall, PlaceCallError,
    TelephonyProvider, Webhook, WebhookRequest,
};
use voicesurvey_core::time::{Clock as _, SystemClock};
use voicesurvey_server::stand_in::LedgerBody;
use voicesurvey_server::stand_in::provider::StandInProvider;
use voicesurvey_server::stand_in::server::StandIn;
use voicesurvey_simulator::{Faults, Probability, SimulationSettings};

const SECRET: &str = "known to both";

/// Nobody waits in vain, however busy the machine is.
const PATIENCE: Duration = Duration::from_secs(30);

/// A stand-in in this process, on a port of its own, and the provider that reaches it.
async fn stand_in(people: SimulationSettings, servers: Vec<String>) -> (StandInProvider, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let stand_in = StandIn::new(people, SECRET, servers).unwrap();
    tokio::spawn(stand_in.serve(listener));
    (StandInProvider::new(&url, SECRET, PATIENCE).unwrap(), url)
}

fn with_faults(faults: Faults) -> SimulationSettings {
    SimulationSettings {
        faults,
        ..SimulationSettings::default()
    }
}

/// An order whose attempt has that number.
fn order(number: u128) -> CallOrder {
    CallOrder {
        company_id: CompanyId::from_uuid(uuid::Uuid::from_u128(1)),
        attempt_id: CallAttemptId::from_uuid(uuid::Uuid::from_u128(number)),
        phone_number: "+393471234567".parse().unwrap(),
        language: Language::It,
        ring_for: Duration::from_secs(30),
        longest_call: Duration::from_mins(10),
        options: CallOptions::default(),
    }
}

fn reference(order: &CallOrder) -> CallReference {
    CallReference {
        company_id: order.company_id,
        attempt_id: order.attempt_id,
        provider_call_id: None,
    }
}

async fn ledger(url: &str) -> LedgerBody {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let answer = client.get(format!("{url}/ledger")).send().await;
    answer.unwrap().json().await.unwrap()
}

#[tokio::test]
async fn a_call_that_waits_is_cancelled_and_one_that_nobody_can_ask_about_is_not() {
    let (provider, url) = stand_in(SimulationSettings::default(), Vec::new()).await;
    provider.place_call(&order(2)).await.unwrap();
    let call = reference(&order(2));
    let cancelled = provider.cancel(&call).await.unwrap();
    assert_eq!(cancelled, Cancellation::Over);
    let ledger = ledger(&url).await;
    let ring = &ledger.rings.rings()[0];
    assert!(ring.ended_at.is_some() && ring.answered_at.is_none());
    let nobody = StandInProvider::new("http://127.0.0.1:9", SECRET, PATIENCE).unwrap();
    nobody.cancel(&call).await.unwrap_err();
}

#[tokio::test]
async fn a_call_that_was_placed_is_found_and_one_that_was_not_is_surely_unknown() {
    let (provider, url) = stand_in(SimulationSettings::default(), Vec::new()).await;
    let placed = provider.place_call(&order(2)).await.unwrap();
    let found = provider.find_call(&reference(&order(2))).await.unwrap();
    assert!(matches!(found, FoundCall::Found { .. }), "{found:?}");
    let missing = provider.find_call(&reference(&order(3))).await.unwrap();
    assert_eq!(missing, FoundCall::NotFound);
    let mut foreign = reference(&order(2));
    foreign.company_id = CompanyId::from_uuid(uuid::Uuid::from_u128(9));
    assert_eq!(
        provider.find_call(&foreign).await.unwrap(),
        FoundCall::NotFound
    );
    provider.hang_up(&reference(&order(2))).await.unwrap();

    let ledger = ledger(&url).await;
    let [ring] = ledger.rings.rings() else {
        panic!("one call was placed: {ledger:?}")
    };
    assert_eq!(ring.provider_call_id, placed.provider_call_id);
    assert_eq!((ledger.counts.orders, ledger.counts.look_ups), (1, 3));
}

#[tokio::test]
async fn an_order_that_is_refused_says_why() {
    let rejected = with_faults(Faults {
        rejected: Probability::ALWAYS,
        ..Faults::default()
    });
    let (provider, _) = stand_in(rejected, Vec::new()).await;
    let error = provider.place_call(&order(2)).await.unwrap_err();
    let outcome = Outcome::ProviderRejected;
    assert!(
        matches!(&error, PlaceCallError::Rejected { outcome: given, .. } if *given == outcome),
        "{error:?}"
    );
    let busy = with_faults(Faults {
        retry_later: Probability::ALWAYS,
        ..Faults::default()
    });
    let (provider, _) = stand_in(busy, Vec::new()).await;
    let error = provider.place_call(&order(2)).await.unwrap_err();
    assert!(
        matches!(error, PlaceCallError::RetryLater { after: Some(after) } if after.num_seconds() == 5),
        "{error:?}"
    );
}

/// The even attempt gets a gateway's error, the odd one a connection that breaks.
#[tokio::test]
async fn an_order_whose_answer_is_lost_may_ring_and_is_found_then() {
    let faults = with_faults(Faults {
        unknown_but_placed: Probability::ALWAYS,
        ..Faults::default()
    });
    let (provider, url) = stand_in(faults, Vec::new()).await;
    for number in [2, 3] {
        let error = provider.place_call(&order(number)).await.unwrap_err();
        assert!(matches!(error, PlaceCallError::Unknown { .. }), "{error:?}");
        let found = provider.find_call(&reference(&order(number))).await;
        assert!(matches!(found, Ok(FoundCall::Found { .. })), "{found:?}");
    }
    let ledger = ledger(&url).await;
    assert_eq!(ledger.rings.rings().len(), 2);
    assert_eq!(ledger.counts.orders_unanswered, 2);
}

#[tokio::test]
async fn an_order_that_could_not_be_sent_may_be_sent_again() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let provider = StandInProvider::new(&url, SECRET, PATIENCE).unwrap();
    let error = provider.place_call(&order(2)).await.unwrap_err();
    assert!(
        matches!(error, PlaceCallError::RetryLater { .. }),
        "{error:?}"
    );
    // That nobody answers does not mean that there is no such call.
    provider.find_call(&reference(&order(2))).await.unwrap_err();
    provider.hang_up(&reference(&order(2))).await.unwrap_err();
}

/// I3: somebody else's 404, or silence, is no news of a call.
#[tokio::test]
async fn whoever_is_no_stand_in_tells_nothing_about_a_call() {
    let stranger = serve(Router::new()).await;
    let provider = StandInProvider::new(&format!("http://{stranger}/"), SECRET, PATIENCE).unwrap();
    let error = provider.place_call(&order(2)).await.unwrap_err();
    assert!(matches!(error, PlaceCallError::Unknown { .. }), "{error:?}");
    provider.find_call(&reference(&order(2))).await.unwrap_err();

    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let soon = Duration::from_millis(50);
    let provider = StandInProvider::new(&url, SECRET, soon).unwrap();
    let error = provider.place_call(&order(2)).await.unwrap_err();
    assert!(matches!(error, PlaceCallError::Unknown { .. }), "{error:?}");
}

async fn serve(router: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(axum::serve(listener, router).into_future());
    address
}

/// A server that hangs up on whoever answers, and passes on what it was told.
struct Host {
    provider: StandInProvider,
    told: mpsc::UnboundedSender<Webhook>,
}

async fn take(
    State(host): State<Arc<Host>>,
    Path(endpoint): Path<String>,
    headers: axum::http::HeaderMap,
    body: axum::body::Bytes,
) -> Response {
    let header = |(name, value): (&axum::http::HeaderName, &axum::http::HeaderValue)| {
        (name.to_string(), value.to_str().unwrap().to_owned())
    };
    let request = WebhookRequest {
        endpoint,
        url: String::new(),
        headers: headers.iter().map(header).collect(),
        body: body.into(),
    };
    let webhook = host.provider.read_webhook(&request, SystemClock.now());
    let webhook = webhook.unwrap();
    let reply = match &webhook {
        Webhook::Answered { call, .. } => {
            let goodbye = VoiceReply {
                language: Language::It,
                voice: None,
                say: Vec::new(),
                firm: 0,
                then: Then::HangUp,
            };
            host.provider.write_reply(call, &goodbye)
        }
        _ => voicesurvey_core::ports::WebhookReply::empty(),
    };
    host.told.send(webhook).unwrap();
    let status = StatusCode::from_u16(reply.status).unwrap();
    (status, reply.body).into_response()
}

#[tokio::test]
async fn what_happens_is_told_to_the_server_that_is_alive() {
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let dead = format!("http://{}", gone.local_addr().unwrap());
    drop(gone);
    let failing = serve(Router::new().route(
        "/webhooks/stand_in/{endpoint}",
        post(async || StatusCode::SERVICE_UNAVAILABLE),
    ))
    .await;
    let (told, mut tell) = mpsc::unbounded_channel();
    let host = Arc::new(Host {
        provider: StandInProvider::new("http://127.0.0.1:1", SECRET, PATIENCE).unwrap(),
        told,
    });
    let router = Router::new()
        .route("/webhooks/stand_in/{endpoint}", post(take))
        .with_state(host);
    let alive = serve(router).await;
    let servers = vec![
        dead,
        format!("http://{failing}"),
        format!("http://{alive}/"),
    ];
    let fast = SimulationSettings {
        speed: 1_000.try_into().unwrap(),
        ..SimulationSettings::default()
    };
    let (provider, url) = stand_in(fast, servers).await;
    provider.place_call(&order(2)).await.unwrap();
    let mut kinds = Vec::new();
    while !kinds.contains(&"ended") {
        let webhook = tokio::time::timeout(Duration::from_secs(30), tell.recv());
        match webhook.await.unwrap().unwrap() {
            Webhook::Event(event) => {
                assert_eq!(event.attempt_id, order(2).attempt_id);
                kinds.push(event.kind.name());
            }
            Webhook::Answered { call, .. } => assert_eq!(call.attempt_id, order(2).attempt_id),
            other => panic!("nobody was listened to: {other:?}"),
        }
    }
    let ledger = ledger(&url).await;
    let ring = &ledger.rings.rings()[0];
    let lasted = ring.ended_at.unwrap() - ring.placed_at;
    assert!(
        lasted.num_seconds() < 30,
        "a thousand times as fast: {lasted}"
    );
    assert!(ledger.counts.webhooks_repeated > 0);
}
