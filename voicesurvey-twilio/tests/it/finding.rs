//! Finding a call by Twilio's name, and its price.

use serde_json::{Value, json};
use voicesurvey_core::call_attempt::CallEventKind;
use voicesurvey_core::ports::{FoundCall, TelephonyProvider as _};

use crate::server::{ACCOUNT, Reply, SID, Server, call, error, json_of, record};

fn kinds(found: &FoundCall) -> Vec<&'static str> {
    match found {
        FoundCall::Found { events } => events.iter().map(|event| event.kind.name()).collect(),
        other => panic!("{other:?}"),
    }
}

fn ended(price: &Value) -> Value {
    record(&json!({
        "status": "completed", "duration": "50", "price": price,
        "start_time": "Fri, 15 Jan 2027 08:00:01 +0000",
        "end_time": "Fri, 15 Jan 2027 08:01:00 +0000",
    }))
}

#[tokio::test]
async fn a_call_that_twilio_knows_tells_what_happened() {
    let server = Server::start(|_| json_of(200, &ended(&json!("-0.01300")))).await;
    let found = server.provider().find_call(&call(Some(SID))).await.unwrap();
    assert_eq!(kinds(&found), ["initiated", "answered", "ended", "priced"]);
    let line = format!("GET /2010-04-01/Accounts/{ACCOUNT}/Calls/{SID}.json");
    assert_eq!(server.only_request().line, line);
    let FoundCall::Found { events } = found else {
        unreachable!();
    };
    let CallEventKind::Priced { cost } = &events[3].kind else {
        panic!("{events:?}");
    };
    assert_eq!(
        (cost.amount.to_string(), &cost.currency[..]),
        ("0.01300".to_owned(), "USD")
    );
}

#[tokio::test]
async fn a_call_that_twilio_does_not_show_may_still_ring() {
    let server = Server::start(|_| error(404, 20404)).await;
    let found = server.provider().find_call(&call(Some(SID))).await.unwrap();
    assert_eq!(found, FoundCall::Unknown);
    let unnamed = server.provider().find_call(&call(None)).await.unwrap();
    assert_eq!(unnamed, FoundCall::Unknown);
}

#[tokio::test]
async fn a_twilio_that_cannot_be_asked_is_an_error() {
    let replies: [fn() -> Reply; 5] = [
        || error(401, 20003),
        || error(500, 20500),
        || error(429, 20429),
        || Reply::Status(200, "<html>".to_owned()),
        || Reply::Close,
    ];
    for reply in replies {
        let server = Server::start(move |_| reply()).await;
        assert!(server.provider().find_call(&call(Some(SID))).await.is_err());
    }
}

#[tokio::test]
async fn a_price_comes_late_and_is_not_zero_before() {
    let server = Server::start(|_| json_of(200, &ended(&Value::Null))).await;
    let provider = server.provider();
    let found = provider.find_call(&call(Some(SID))).await.unwrap();
    assert_eq!(kinds(&found), ["initiated", "answered", "ended"]);
    let server = Server::start(|_| json_of(200, &ended(&json!("-0.0130")))).await;
    let found = server.provider().find_call(&call(Some(SID))).await.unwrap();
    let FoundCall::Found { events } = found else {
        panic!("{found:?}");
    };
    match &events.last().unwrap().kind {
        CallEventKind::Priced { cost } => assert_eq!(cost.amount.to_string(), "0.0130"),
        other => panic!("{other:?}"),
    }
}
