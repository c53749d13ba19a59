//! Twilio as far as tests of one server need it: it takes orders, knows an account and its numbers,
//! and signs what it tells.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use reqwest::{Client, Method};
use serde_json::{Value, json};
use sha1::Sha1;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::time::timeout;

use super::Answer;

pub(crate) const ACCOUNT: &str = "AC0123456789abcdef0123456789abcdef";
pub(crate) const TOKEN: &str = "0123456789abcdef0123456789abcdef";
pub(crate) const CALL: &str = "CA0123456789abcdef0123456789abcdef";
pub(crate) const CALLER_ID: &str = "+390612345678";
pub(crate) const PUBLIC_URL: &str = "https://survey.example.org";

const PATIENCE: Duration = Duration::from_secs(30);

/// The pairs of a form.
pub(crate) type Form = Vec<(String, String)>;

/// Its REST interface, on a port of its own.
pub(crate) struct FakeTwilio {
    url: String,
    shared: Arc<Shared>,
}

struct Shared {
    orders: watch::Sender<Vec<Form>>,
    account: Mutex<Value>,
    numbers: Mutex<Vec<Value>>,
}

impl FakeTwilio {
    /// An active account whose own number is [`CALLER_ID`].
    pub(crate) async fn start() -> Self {
        let own = json!({ "phone_number": CALLER_ID, "capabilities": { "voice": true } });
        let shared = Arc::new(Shared {
            orders: watch::Sender::default(),
            account: Mutex::new(json!({ "status": "active", "type": "Full" })),
            numbers: Mutex::new(vec![own]),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new()
            .route("/2010-04-01/Accounts/{account}", get(account))
            .route(
                "/2010-04-01/Accounts/{account}/Calls.json",
                post(order).get(async || json!({ "calls": [] }).to_string()),
            )
            .route("/2010-04-01/Accounts/{account}/Calls/{call}", get(no_call))
            .route("/2010-04-01/Accounts/{account}/{list}", get(numbers))
            .with_state(shared.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, shared }
    }

    /// The variables of a server that calls through it.
    pub(crate) fn settings(&self) -> Vec<(&str, &str)> {
        vec![
            ("VOICESURVEY_PUBLIC_URL", PUBLIC_URL),
            ("VOICESURVEY_TELEPHONY_PROVIDER", "twilio"),
            ("VOICESURVEY_TELEPHONY_CALLS_PER_SECOND", "1"),
            ("VOICESURVEY_TELEPHONY_TWILIO_ACCOUNT_SID", ACCOUNT),
            ("VOICESURVEY_TELEPHONY_TWILIO_AUTH_TOKEN", TOKEN),
            ("VOICESURVEY_TELEPHONY_TWILIO_BASE_URL", &self.url),
            ("VOICESURVEY_TELEPHONY_TWILIO_CALLER_ID", CALLER_ID),
        ]
    }

    /// What it says of the account from now on.
    pub(crate) fn account_is(&self, account: Value) {
        *self.shared.account.lock().unwrap() = account;
    }

    /// The numbers that the account has from now on.
    pub(crate) fn numbers_are(&self, numbers: Vec<Value>) {
        *self.shared.numbers.lock().unwrap() = numbers;
    }

    /// Every order so far.
    pub(crate) fn orders(&self) -> Vec<Form> {
        self.shared.orders.borrow().clone()
    }

    /// Waits for the first order.
    pub(crate) async fn first_order(&self) -> Form {
        let mut orders = self.shared.orders.subscribe();
        let come = orders.wait_for(|orders| !orders.is_empty());
        let come = timeout(PATIENCE, come).await.expect("an order comes");
        come.unwrap()[0].clone()
    }
}

async fn order(State(shared): State<Arc<Shared>>, body: String) -> Response {
    let form = form_urlencoded::parse(body.as_bytes()).into_owned();
    let form: Form = form.collect();
    shared.orders.send_modify(|orders| orders.push(form));
    let body = json!({ "sid": CALL, "status": "queued" }).to_string();
    (StatusCode::CREATED, body).into_response()
}

async fn account(
    State(shared): State<Arc<Shared>>,
    Path(account): Path<String>,
    headers: HeaderMap,
) -> Response {
    let known = shared.account.lock().unwrap().clone();
    let basic = format!("Basic {}", STANDARD.encode(format!("{ACCOUNT}:{TOKEN}")));
    let is_known = headers.get("authorization").is_some_and(|it| *it == *basic);
    if account == format!("{ACCOUNT}.json") && is_known && !known.is_null() {
        return known.to_string().into_response();
    }
    let error = json!({ "code": 20003, "message": "Authenticate", "status": 401 });
    (StatusCode::UNAUTHORIZED, error.to_string()).into_response()
}

async fn no_call() -> (StatusCode, String) {
    let error = json!({ "code": 20404, "message": "not found", "status": 404 });
    (StatusCode::NOT_FOUND, error.to_string())
}

async fn numbers(
    State(shared): State<Arc<Shared>>,
    Path((_, list)): Path<(String, String)>,
    Query(query): Query<Vec<(String, String)>>,
) -> String {
    let is_asked = |number: &Value| {
        query
            .iter()
            .any(|(_, value)| number["phone_number"] == **value)
    };
    let own: Vec<Value> = match &*list {
        "IncomingPhoneNumbers.json" => shared.numbers.lock().unwrap().clone(),
        _ => Vec::new(),
    };
    let own: Vec<Value> = own.into_iter().filter(is_asked).collect();
    json!({ "incoming_phone_numbers": own, "outgoing_caller_ids": [] }).to_string()
}

/// The value of that name.
pub(crate) fn value<'a>(form: &'a [(String, String)], name: &str) -> &'a str {
    let found = form.iter().find(|(key, _)| key == name);
    let (_, value) = found.unwrap_or_else(|| panic!("no {name} in {form:?}"));
    value
}

/// Tells a server at `address` what happens to a call, as Twilio does.
pub(crate) struct Teller {
    address: String,
    client: Client,
}

impl Teller {
    /// Of the server at that URL.
    pub(crate) fn new(address: impl Into<String>) -> Self {
        let client = Client::builder().no_proxy().timeout(PATIENCE);
        Self {
            address: address.into(),
            client: client.build().unwrap(),
        }
    }

    /// Posts a form to a URL of ours that Twilio was given, signed.
    pub(crate) async fn tells(&self, url: &str, form: &[(&str, &str)]) -> Answer {
        let mut form = form.to_vec();
        form.push(("CallSid", CALL));
        let url = url.split('#').next().unwrap();
        let signature = sign(url, &form);
        self.sends(Method::POST, url, &form, Some(&signature)).await
    }

    /// The same by `GET`, with everything in the query.
    pub(crate) async fn tells_by_get(&self, url: &str, form: &[(&str, &str)]) -> Answer {
        let url = format!("{}&{}", url.split('#').next().unwrap(), encoded(form));
        let signature = sign(&url, &[]);
        self.sends(Method::GET, &url, &[], Some(&signature)).await
    }

    /// Sends anything, with that signature or none.
    pub(crate) async fn sends(
        &self,
        method: Method,
        url: &str,
        form: &[(&str, &str)],
        signature: Option<&str>,
    ) -> Answer {
        let path = url.strip_prefix(PUBLIC_URL).expect("a URL of ours");
        let mut request = self
            .client
            .request(method, format!("{}{path}", self.address));
        if !form.is_empty() {
            let kind = "application/x-www-form-urlencoded; charset=UTF-8";
            request = request.header("content-type", kind).body(encoded(form));
        }
        if let Some(signature) = signature {
            request = request.header("X-Twilio-Signature", signature);
        }
        Answer::to(request).await
    }
}

fn encoded(form: &[(&str, &str)]) -> String {
    let mut encoded = form_urlencoded::Serializer::new(String::new());
    encoded.extend_pairs(form).finish()
}

/// The signature as Twilio describes it: the URL, then names and values in the order of the names.
pub(crate) fn sign(url: &str, form: &[(&str, &str)]) -> String {
    let mut sorted = form.to_vec();
    sorted.sort_unstable();
    let mut mac = Hmac::<Sha1>::new_from_slice(TOKEN.as_bytes()).unwrap();
    mac.update(url.as_bytes());
    for (name, value) in sorted {
        mac.update(name.as_bytes());
        mac.update(value.as_bytes());
    }
    STANDARD.encode(mac.finalize().into_bytes())
}

/// What stands between Twilio and a server: the only one that the internet sees.
pub(crate) struct Proxy {
    pub(crate) url: String,
    hands_on: Arc<HandsOn>,
}

struct HandsOn {
    client: Client,
    /// Where the server is, once it has started.
    to: Mutex<Option<String>>,
    /// A header that gets lost.
    without: Mutex<Option<&'static str>>,
}

impl Proxy {
    pub(crate) async fn start() -> Self {
        let hands_on = Arc::new(HandsOn {
            client: Client::builder()
                .no_proxy()
                .timeout(PATIENCE)
                .build()
                .unwrap(),
            to: Mutex::default(),
            without: Mutex::default(),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().fallback(hand_on).with_state(hands_on.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, hands_on }
    }

    pub(crate) fn leads_to(&self, server: &str) {
        *self.hands_on.to.lock().unwrap() = Some(server.to_owned());
    }

    pub(crate) fn loses(&self, header: Option<&'static str>) {
        *self.hands_on.without.lock().unwrap() = header;
    }
}

async fn hand_on(
    State(hands_on): State<Arc<HandsOn>>,
    method: Method,
    uri: Uri,
    mut headers: HeaderMap,
    body: Bytes,
) -> Response {
    let Some(server) = hands_on.to.lock().unwrap().clone() else {
        return StatusCode::BAD_GATEWAY.into_response();
    };
    headers.remove("host");
    if let Some(header) = *hands_on.without.lock().unwrap() {
        headers.remove(header);
    }
    let request = hands_on.client.request(method, format!("{server}{uri}"));
    let Ok(answer) = request.headers(headers).body(body).send().await else {
        return StatusCode::BAD_GATEWAY.into_response();
    };
    let kind = answer.headers().get("content-type").cloned();
    let mut response = (answer.status(), answer.bytes().await.unwrap()).into_response();
    if let Some(kind) = kind {
        response.headers_mut().insert("content-type", kind);
    }
    response
}
