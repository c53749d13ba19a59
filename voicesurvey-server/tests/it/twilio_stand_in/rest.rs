//! The REST interface: what Twilio answers to orders and questions.

use std::sync::Arc;

use axum::Router;
use axum::extract::{ConnectInfo, Path, Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{delete, get, post};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::TimeDelta;
use serde_json::{Value, json};

use super::Shared;
use super::account::Update;
use super::cutting::Knife;
use super::fates::Fate;
use super::order::{Order, value};
use crate::support::twilio::{ACCOUNT, Form, TOKEN};

/// So small that lists have several pages.
const LARGEST_PAGE: usize = 2;

/// How long after the end of a call it is told which URLs were called.
const EVENTS_AFTER: TimeDelta = TimeDelta::minutes(15);

pub(super) fn router(shared: Arc<Shared>) -> Router {
    let account = format!("/2010-04-01/Accounts/{ACCOUNT}");
    let path = |rest: &str| format!("{account}/{rest}");
    Router::new()
        .route(&path("Calls.json"), post(order).get(list))
        .route(&path("Calls/{call}"), post(update).get(show))
        .route(&path("Calls/{call}/Events.json"), get(events))
        .route(&path("Calls/{call}/Recordings.json"), post(record))
        .route(&path("Recordings/{recording}"), delete(erase))
        .with_state(shared)
}

type It = State<Arc<Shared>>;

async fn order(
    State(shared): It,
    ConnectInfo(knife): ConnectInfo<Knife>,
    headers: HeaderMap,
    body: String,
) -> Response {
    if let Some(refusal) = shared.refuses(&headers) {
        return refusal;
    }
    shared.checkpoint().await;
    let form = form_of(&body);
    let order = match Order::read(&form) {
        Ok(order) => order,
        Err((code, what)) => {
            let mut account = shared.account();
            account.complain(format!("{code}: {what}"));
            return error(StatusCode::BAD_REQUEST, code);
        }
    };
    let fate = shared.account().fate();
    let call = match fate {
        Fate::TooMany => return error(StatusCode::TOO_MANY_REQUESTS, 20429),
        Fate::TooManyCalls => return error(StatusCode::FORBIDDEN, 10004),
        Fate::InvalidNumber => return error(StatusCode::BAD_REQUEST, 21211),
        Fate::FailsBefore => return StatusCode::SERVICE_UNAVAILABLE.into_response(),
        Fate::CutBefore => {
            knife.cut();
            return StatusCode::NO_CONTENT.into_response();
        }
        Fate::TakenLate => {
            shared.account().take_late(order);
            return std::future::pending().await;
        }
        fate => shared.account().take(order, fate == Fate::Taken),
    };
    shared.checkpoint().await;
    match fate {
        Fate::TimesOut => std::future::pending().await,
        Fate::CutAfter => {
            knife.cut();
            StatusCode::NO_CONTENT.into_response()
        }
        Fate::FailsAfter => error(StatusCode::INTERNAL_SERVER_ERROR, 20500),
        Fate::Unreadable => (StatusCode::CREATED, "{\"sid\": ").into_response(),
        _ => {
            let account = shared.account();
            let body = account.calls[call].resource(account.now());
            (StatusCode::CREATED, body.to_string()).into_response()
        }
    }
}

async fn show(State(shared): It, headers: HeaderMap, Path(call): Path<String>) -> Response {
    if let Some(refusal) = shared.refuses(&headers).or_else(|| shared.fails()) {
        return refusal;
    }
    let mut account = shared.account();
    let Some(index) = shared_index(&account, &call) else {
        return error(StatusCode::NOT_FOUND, 20404);
    };
    let now = account.now();
    let call = &mut account.calls[index];
    call.is_price_told |= call.price(now).is_some();
    ok(&call.resource(now))
}

async fn list(
    State(shared): It,
    headers: HeaderMap,
    Query(query): Query<Vec<(String, String)>>,
) -> Response {
    if let Some(refusal) = shared.refuses(&headers).or_else(|| shared.fails()) {
        return refusal;
    }
    let mut account = shared.account();
    let known = ["To", "Status", "PageSize", "Page", "PageToken"];
    if let Some((name, _)) = query.iter().find(|(name, _)| !known.contains(&&**name)) {
        account.complain(format!("{name} filters no list that we rely on"));
    }
    let size = value(&query, "PageSize").map_or(Some(50), |size| size.parse().ok());
    let Some(size @ 1..=1_000) = size else {
        return error(StatusCode::BAD_REQUEST, 20007);
    };
    let size = LARGEST_PAGE.min(size);
    let now = account.now();
    let matches = |name: &str, given: &str| value(&query, name).is_none_or(|it| it == given);
    let found: Vec<Value> = account
        .calls
        .iter()
        .rev()
        .filter(|call| call.listed_from <= now && matches("To", call.order.to.as_str()))
        .map(|call| call.resource(now))
        .filter(|call| matches("Status", call["status"].as_str().unwrap()))
        .collect();
    let begin: usize = value(&query, "PageToken").map_or(0, |token| token[2..].parse().unwrap());
    let end = found.len().min(begin + size);
    let next = (end < found.len()).then(|| {
        let mut next = form_urlencoded::Serializer::new(String::new());
        let kept = query.iter().filter(|(name, _)| !name.starts_with("Page"));
        next.extend_pairs(kept);
        next.append_pair("PageSize", &size.to_string());
        next.append_pair("PageToken", &format!("PT{end}"));
        let query = next.finish();
        format!("/2010-04-01/Accounts/{ACCOUNT}/Calls.json?{query}")
    });
    ok(&json!({
        "calls": found[begin.min(end)..end], "page": begin / size, "page_size": size,
        "start": begin, "end": end, "next_page_uri": next, "previous_page_uri": null,
    }))
}

async fn update(
    State(shared): It,
    headers: HeaderMap,
    Path(call): Path<String>,
    body: String,
) -> Response {
    if let Some(refusal) = shared.refuses(&headers) {
        return refusal;
    }
    let mut account = shared.account();
    let Some(index) = shared_index(&account, &call) else {
        return error(StatusCode::NOT_FOUND, 20404);
    };
    let form = form_of(&body);
    let update = match (value(&form, "Status"), form.len()) {
        (Some("canceled"), 1) => Update::Cancel,
        (Some("completed"), 1) => Update::HangUp,
        _ => {
            account.complain(format!("20001: {body}"));
            return error(StatusCode::BAD_REQUEST, 20001);
        }
    };
    match account.update(index, update) {
        Ok(call) => ok(&call),
        Err(()) => error(StatusCode::BAD_REQUEST, 21220),
    }
}

async fn events(State(shared): It, headers: HeaderMap, Path(call): Path<String>) -> Response {
    if let Some(refusal) = shared.refuses(&headers) {
        return refusal;
    }
    let account = shared.account();
    let index = shared_index(&account, &call);
    let Some(call) = index.map(|index| &account.calls[index]) else {
        return error(StatusCode::NOT_FOUND, 20404);
    };
    let is_told = call
        .ended_at
        .is_some_and(|end| account.now() - end >= EVENTS_AFTER);
    let url = call.order.url.clone();
    let events = is_told.then(|| json!({ "request": { "url": url } }));
    ok(&json!({ "events": events.into_iter().collect::<Vec<_>>() }))
}

async fn record(
    State(shared): It,
    headers: HeaderMap,
    Path(call): Path<String>,
    body: String,
) -> Response {
    if let Some(refusal) = shared.refuses(&headers) {
        return refusal;
    }
    let mut account = shared.account();
    let Some(index) = shared_index(&account, &call) else {
        return error(StatusCode::NOT_FOUND, 20404);
    };
    let form = form_of(&body);
    let url = value(&form, "RecordingStatusCallback")
        .unwrap_or_default()
        .to_owned();
    let now = account.now();
    let call = &mut account.calls[index];
    if call.status != "in-progress" {
        return error(StatusCode::BAD_REQUEST, 21220);
    }
    if !call.recordings.is_empty() {
        let sid = call.sid.clone();
        account.complain(format!("{sid} is recorded twice"));
        return error(StatusCode::BAD_REQUEST, 20001);
    }
    let sid = format!("RE{}", &call.sid[2..]);
    call.recordings.push((sid.clone(), url));
    account.tell_of_recordings(index, "in-progress", now);
    let body = json!({ "sid": sid, "status": "in-progress", "duration": "-1" });
    (StatusCode::CREATED, body.to_string()).into_response()
}

async fn erase(State(shared): It, headers: HeaderMap, Path(recording): Path<String>) -> Response {
    if let Some(refusal) = shared.refuses(&headers) {
        return refusal;
    }
    let mut account = shared.account();
    let recording = recording.trim_end_matches(".json");
    let mut erased = false;
    for call in &mut account.calls {
        let before = call.recordings.len();
        call.recordings.retain(|(sid, _)| sid != recording);
        erased |= call.recordings.len() < before;
    }
    if erased {
        StatusCode::NO_CONTENT.into_response()
    } else {
        error(StatusCode::NOT_FOUND, 20404)
    }
}

impl Shared {
    /// Refuses who does not name themselves as the account does.
    fn refuses(&self, headers: &HeaderMap) -> Option<Response> {
        let known = format!("Basic {}", STANDARD.encode(format!("{ACCOUNT}:{TOKEN}")));
        let given = headers.get("authorization").map(HeaderValue::as_bytes);
        if given == Some(known.as_bytes()) {
            return None;
        }
        self.account()
            .complain("20003: a request without credentials");
        Some(error(StatusCode::UNAUTHORIZED, 20003))
    }

    /// Fails now and then.
    fn fails(&self) -> Option<Response> {
        let mut account = self.account();
        let per_mille = account.faults.questions;
        let fails = account.chance.happens(per_mille);
        fails.then(|| error(StatusCode::SERVICE_UNAVAILABLE, 20503))
    }
}

fn shared_index(account: &super::account::Account, call: &str) -> Option<usize> {
    let sid = call.trim_end_matches(".json");
    account.calls.iter().position(|call| call.sid == sid)
}

fn form_of(body: &str) -> Form {
    form_urlencoded::parse(body.as_bytes())
        .into_owned()
        .collect()
}

fn ok(body: &Value) -> Response {
    body.to_string().into_response()
}

fn error(status: StatusCode, code: u32) -> Response {
    let body = json!({
        "code": code, "message": "an error", "status": status.as_u16(),
        "more_info": format!("https://www.twilio.com/docs/errors/{code}"),
    });
    (status, body.to_string()).into_response()
}
