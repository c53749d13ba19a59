//! Looking for a call whose order was never answered.

use std::sync::{Arc, Mutex};

use chrono::TimeDelta;
use serde_json::{Value, json};
use voicesurvey_core::ports::{FoundCall, ProviderError, TelephonyProvider as _, UnconfirmedCall};
use voicesurvey_core::testing::samples;
use voicesurvey_core::time::{Clock as _, ManualClock};
use voicesurvey_twilio::TwilioProvider;

use crate::server::{
    ACCOUNT, Reply, Request, SID, Server, call, error, json_of, order, provider, record,
};

const OTHER_SID: &str = "CAffffffffffffffffffffffffffffffff";

/// A Twilio that lists what it is told to, whatever the filter, and tells events of calls.
struct Twilio {
    listed: Arc<Mutex<Vec<Value>>>,
    events: Arc<Mutex<Option<String>>>,
    server: Server,
    provider: TwilioProvider,
    clock: Arc<ManualClock>,
}

impl Twilio {
    async fn start() -> Self {
        let listed: Arc<Mutex<Vec<Value>>> = Arc::default();
        let events: Arc<Mutex<Option<String>>> = Arc::default();
        let (shown, told) = (listed.clone(), events.clone());
        let server = Server::start(move |request| {
            if request.line.contains("Events.json") {
                return match told.lock().unwrap().clone() {
                    Some(events) => Reply::Status(200, events),
                    None => error(404, 20404),
                };
            }
            json_of(
                200,
                &json!({"calls": *shown.lock().unwrap(), "next_page_uri": null}),
            )
        })
        .await;
        let (provider, clock) = provider(server.settings());
        Self {
            listed,
            events,
            server,
            provider,
            clock,
        }
    }

    async fn find(&self) -> Result<FoundCall, ProviderError> {
        self.provider.find_unconfirmed_call(&sought()).await
    }

    fn list(&self, calls: Vec<Value>) {
        *self.listed.lock().unwrap() = calls;
    }
}

fn sought() -> UnconfirmedCall {
    UnconfirmedCall {
        call: call(None),
        phone_number: order().phone_number,
        committed_at: samples::now(),
        dial_before: samples::now() + TimeDelta::seconds(30),
        other_calls: Vec::new(),
    }
}

fn named(found: &FoundCall) -> Option<&str> {
    match found {
        FoundCall::Found { events } => events[0].provider_call_id.as_deref(),
        _ => None,
    }
}

#[tokio::test]
async fn it_is_looked_for_by_its_number_and_in_the_queue() {
    let twilio = Twilio::start().await;
    twilio.list(vec![record(&json!({}))]);
    twilio.clock.advance(TimeDelta::hours(20));
    assert_eq!(named(&twilio.find().await.unwrap()), Some(SID));
    let path = format!(
        "GET /2010-04-01/Accounts/{ACCOUNT}/Calls.json\
         ?To=%2B393470000007&PageSize=200"
    );
    let asked: Vec<String> = twilio
        .server
        .requests()
        .into_iter()
        .map(|it| it.line)
        .collect();
    assert_eq!(asked, [path.clone(), format!("{path}&Status=queued")]);
}

/// What is said of a listed call by and by.
async fn said_of(listed: &Value, sought: &UnconfirmedCall) -> &'static str {
    let twilio = Twilio::start().await;
    twilio.list(vec![record(listed)]);
    let mut found = FoundCall::Unknown;
    for _ in 0..3 {
        twilio.clock.advance(TimeDelta::minutes(2));
        found = twilio.provider.find_unconfirmed_call(sought).await.unwrap();
    }
    match found {
        FoundCall::Found { .. } => "found",
        FoundCall::NotFound => "not found",
        FoundCall::Unknown => "unknown",
    }
}

#[tokio::test]
async fn a_call_is_ours_if_it_was_made_while_the_order_was_under_way() {
    let made = |time: &str| json!({"date_created": format!("Fri, 15 Jan 2027 {time} +0000")});
    // 30 seconds to dial, 20 for the request, and 10 for the clocks.
    for (listed, expected) in [
        (made("08:00:00"), "found"),
        (made("07:59:51"), "found"),
        (made("08:01:00"), "found"),
        (json!({"date_created": null}), "found"),
        // If a clock is wrong.
        (made("07:59:49"), "unknown"),
        (made("08:01:01"), "unknown"),
        (made("07:45:01"), "unknown"),
        (made("08:15:50"), "unknown"),
        // Clocks are not as wrong as that.
        (made("07:44:59"), "not found"),
        (made("08:15:51"), "not found"),
        (json!({"direction": "inbound"}), "not found"),
    ] {
        assert_eq!(said_of(&listed, &sought()).await, expected, "{listed}");
    }
}

#[tokio::test]
async fn a_call_of_another_attempt_is_not_ours() {
    let other = UnconfirmedCall {
        other_calls: vec![OTHER_SID.to_owned(), SID.to_owned()],
        ..sought()
    };
    assert_eq!(said_of(&json!({}), &other).await, "not found");
}

#[tokio::test]
async fn that_nobody_was_called_is_said_after_two_looks_and_a_minute() {
    let twilio = Twilio::start().await;
    let mut said = Vec::new();
    for _ in 0..9 {
        said.push((twilio.clock.now() - samples::now()).num_seconds());
        if twilio.find().await.unwrap() == FoundCall::NotFound {
            break;
        }
        twilio.clock.advance(TimeDelta::seconds(25));
    }
    // 30 seconds to dial, the time of a request, and a minute to be shown.
    assert_eq!(said, [0, 25, 50, 75, 100, 125]);

    // However late the first look is, it is not enough.
    let late = Twilio::start().await;
    late.clock.advance(TimeDelta::hours(1));
    assert_eq!(late.find().await.unwrap(), FoundCall::Unknown);
    late.clock.advance(TimeDelta::seconds(31));
    assert_eq!(late.find().await.unwrap(), FoundCall::NotFound);
}

#[tokio::test]
async fn a_call_that_appears_between_two_looks_is_found() {
    let twilio = Twilio::start().await;
    twilio.clock.advance(TimeDelta::minutes(10));
    assert_eq!(twilio.find().await.unwrap(), FoundCall::Unknown);
    twilio.list(vec![record(&json!({"status": "ringing"}))]);
    assert_eq!(named(&twilio.find().await.unwrap()), Some(SID));
    twilio.list(Vec::new());
    twilio.clock.advance(TimeDelta::minutes(10));
    assert_eq!(twilio.find().await.unwrap(), FoundCall::Unknown);
}

#[tokio::test]
async fn of_several_calls_none_is_chosen() {
    let twilio = Twilio::start().await;
    twilio.list(vec![record(&json!({})), record(&json!({"sid": OTHER_SID}))]);
    twilio.clock.advance(TimeDelta::minutes(10));
    for _ in 0..3 {
        assert_eq!(twilio.find().await.unwrap(), FoundCall::Unknown);
        twilio.clock.advance(TimeDelta::minutes(1));
    }
}

#[tokio::test]
async fn the_urls_that_twilio_called_tell_whose_a_call_was() {
    let ended = json!({
        "status": "no-answer", "end_time": "Fri, 15 Jan 2027 08:00:40 +0000",
    });
    let url = |attempt: &str| {
        let url =
            format!("https://s.example.org/webhooks/twilio/status?company=1&attempt={attempt}");
        json!({"events": [{"request": {"url": url}}]}).to_string()
    };
    let ours = order().attempt_id.to_string();
    for (events, expected) in [
        (Some(url(&ours)), "found"),
        (Some(url("another")), "unknown"),
        (Some("{\"events\": []}".to_owned()), "found"),
        (None, "found"),
    ] {
        let twilio = Twilio::start().await;
        twilio.list(vec![record(&ended)]);
        twilio.events.lock().unwrap().clone_from(&events);
        twilio.clock.advance(TimeDelta::minutes(20));
        let found = twilio.find().await.unwrap();
        let is_found = named(&found).is_some();
        assert_eq!(is_found, expected == "found", "{events:?}: {found:?}");
    }
    // Of two, the one that is ours.
    let twilio = Twilio::start().await;
    let mut other = record(&ended);
    other["sid"] = json!(OTHER_SID);
    other["end_time"] = Value::Null;
    twilio.list(vec![other, record(&ended)]);
    *twilio.events.lock().unwrap() = Some(url(&ours));
    twilio.clock.advance(TimeDelta::minutes(20));
    assert_eq!(named(&twilio.find().await.unwrap()), Some(SID));
}

fn page(request: &Request) -> Reply {
    if request.line.contains("PageToken=2") {
        return json_of(
            200,
            &json!({"calls": [record(&json!({}))], "next_page_uri": null}),
        );
    }
    let next = format!("/2010-04-01/Accounts/{ACCOUNT}/Calls.json?PageToken=2");
    json_of(200, &json!({"calls": [], "next_page_uri": next}))
}

#[tokio::test]
async fn every_page_is_read() {
    let server = Server::start(page).await;
    let found = server.provider().find_unconfirmed_call(&sought()).await;
    assert_eq!(named(&found.unwrap()), Some(SID));
}

#[tokio::test]
async fn half_a_list_is_an_error_and_no_proof() {
    let elsewhere = |_: &Request| {
        json_of(
            200,
            &json!({"calls": [], "next_page_uri": "https://example.org/Calls.json"}),
        )
    };
    let endless = |_: &Request| json_of(200, &json!({"calls": [], "next_page_uri": "/again"}));
    let nothing = |_: &Request| json_of(200, &json!({}));
    let refused = |_: &Request| error(500, 20500);
    let scripts: [fn(&Request) -> Reply; 4] = [elsewhere, endless, nothing, refused];
    for (index, script) in scripts.into_iter().enumerate() {
        let server = Server::start(script).await;
        let found = server.provider().find_unconfirmed_call(&sought()).await;
        assert!(found.is_err(), "script {index}: {found:?}");
        assert!(server.requests().len() <= 10);
    }
}
