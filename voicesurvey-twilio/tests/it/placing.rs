//! Ordering a call: one request, and an answer that is never surer than what Twilio documents.

use std::time::Duration;

use chrono::TimeDelta;
use serde_json::json;
use voicesurvey_core::campaign::MachineDetection;
use voicesurvey_core::outcome::Outcome;
use voicesurvey_core::ports::{CallOptions, CallOrder, PlaceCallError, TelephonyProvider as _};
use voicesurvey_core::testing::samples;
use voicesurvey_twilio::{Credentials, Detection, Secret, TwilioSettings};

use crate::server::{ACCOUNT, Reply, SID, Server, error, json_of, order, provider, record};

#[tokio::test]
async fn a_call_is_ordered_once_and_named() {
    let server = Server::start(|_| json_of(201, &record(&json!({})))).await;
    let key = Credentials::ApiKey {
        sid: "SK0123456789abcdef0123456789abcdef".to_owned(),
        secret: Secret::new("key-secret"),
    };
    let settings = TwilioSettings {
        credentials: key,
        ..server.settings()
    };
    let placed = provider(settings).0.place_call(&order()).await.unwrap();
    assert_eq!(placed.provider_call_id, SID);

    let request = server.only_request();
    assert_eq!(
        request.line,
        format!("POST /2010-04-01/Accounts/{ACCOUNT}/Calls.json")
    );
    // The key and its secret, although the path names the account.
    let basic = "basic U0swMTIzNDU2Nzg5YWJjZGVmMDEyMzQ1Njc4OWFiY2RlZjprZXktc2VjcmV0";
    assert!(
        request
            .head
            .contains(&format!("authorization: {}", basic.to_lowercase()))
    );
    assert!(
        request
            .head
            .contains("content-type: application/x-www-form-urlencoded\r\n")
    );
    assert!(request.head.contains("accept: application/json\r\n"));
    assert_eq!(request.all("To"), ["+393470000007"]);
    assert_eq!(request.all("From"), ["+393470000001"]);
    let events = ["initiated", "ringing", "answered", "completed"];
    assert_eq!(request.all("StatusCallbackEvent"), events);
    let attempt = format!("attempt={}", order().attempt_id);
    for url in ["Url", "StatusCallback", "FallbackUrl"] {
        assert!(request.all(url)[0].contains(&attempt), "{url}");
    }
    assert!(request.all("MachineDetection").is_empty());
    assert!(request.all("Record").is_empty());
}

#[tokio::test]
async fn a_campaign_may_have_its_own_number_and_detection() {
    let server = Server::start(|_| json_of(201, &record(&json!({})))).await;
    let provider = server.provider();
    let order = CallOrder {
        options: CallOptions {
            caller_id: Some(samples::phone_number(2)),
            machine_detection: Some(MachineDetection::Asynchronous),
            leaves_message: false,
        },
        ..order()
    };
    // Another company has bought that number of the account.
    let refused = provider.place_call(&order).await.unwrap_err();
    assert_eq!(meaning(&refused), "configuration caller_id");
    let settings = TwilioSettings {
        caller_ids: [(order.company_id, [samples::phone_number(2)].into())].into(),
        ..server.settings()
    };
    let provider = crate::server::provider(settings).0;
    provider.place_call(&order).await.unwrap();
    let request = server.only_request();
    assert_eq!(request.all("From"), ["+393470000002"]);
    assert_eq!(request.all("MachineDetection"), ["Enable"]);
    assert_eq!(request.all("AsyncAmd"), ["true"]);
    assert!(request.all("AsyncAmdStatusCallback")[0].contains("/webhooks/twilio/amd?"));
}

#[tokio::test]
async fn what_a_campaign_leaves_open_the_settings_say() {
    use MachineDetection::{Off, Synchronous};
    let figures = Detection {
        timeout: Some(Duration::from_secs(9)),
        ..Detection::default()
    };
    let by_default = voicesurvey_twilio::MachineDetection::Sync(figures);
    for (settings_way, way, leaves_message, expected) in [
        (by_default, None, false, Some("Enable")),
        (by_default, None, true, Some("DetectMessageEnd")),
        (by_default, Some(Off), false, None),
        (
            by_default,
            Some(Synchronous),
            true,
            Some("DetectMessageEnd"),
        ),
        (voicesurvey_twilio::MachineDetection::Off, None, true, None),
        (
            voicesurvey_twilio::MachineDetection::Off,
            Some(Synchronous),
            false,
            Some("Enable"),
        ),
    ] {
        let server = Server::start(|_| json_of(201, &record(&json!({})))).await;
        let settings = TwilioSettings {
            machine_detection: settings_way,
            ..server.settings()
        };
        let order = CallOrder {
            options: CallOptions {
                caller_id: None,
                machine_detection: way,
                leaves_message,
            },
            ..order()
        };
        provider(settings).0.place_call(&order).await.unwrap();
        let request = server.only_request();
        assert_eq!(request.all("From"), ["+393470000001"]);
        let detection = request.all("MachineDetection");
        assert_eq!(detection.first().copied(), expected);
        let timeout = request.all("MachineDetectionTimeout");
        let is_as_configured = settings_way == by_default && expected.is_some();
        assert_eq!(timeout.first().copied(), is_as_configured.then_some("9"));
    }
}

/// What an answer means, in one word.
fn meaning(answer: &PlaceCallError) -> String {
    match answer {
        PlaceCallError::Rejected { code, outcome } => format!("rejected {code} {outcome}"),
        PlaceCallError::Configuration { code, .. } => format!("configuration {code}"),
        PlaceCallError::RetryLater { after } => {
            format!("later {}", after.map_or(0, |after| after.num_seconds()))
        }
        PlaceCallError::Unknown { .. } => "unknown".to_owned(),
    }
}

#[tokio::test]
async fn whatever_twilio_answers_the_order_is_sent_once() {
    let cases: Vec<(Reply, &str)> = vec![
        (error(400, 21211), "rejected 21211 invalid_number"),
        (error(400, 21214), "rejected 21214 provider_rejected"),
        (error(401, 20003), "configuration 20003"),
        (error(400, 21210), "configuration 21210"),
        (error(429, 20429), "later 30"),
        (Reply::After("7"), "later 7"),
        (Reply::After("Fri, 15 Jan 2027 08:00:00 GMT"), "later 30"),
        (error(503, 20503), "unknown"),
        (Reply::Status(500, String::new()), "unknown"),
        (Reply::Status(302, String::new()), "unknown"),
        (Reply::Status(400, "<html>".to_owned()), "unknown"),
        (Reply::Status(201, "<html>".to_owned()), "unknown"),
        (Reply::Status(201, "{}".to_owned()), "unknown"),
        (Reply::Raw("nonsense\r\n\r\n"), "unknown"),
        (Reply::Silence, "unknown"),
        (Reply::Beginning, "unknown"),
        (Reply::Endless, "unknown"),
        (Reply::Close, "unknown"),
    ];
    for (index, (reply, expected)) in cases.into_iter().enumerate() {
        let hangs = matches!(reply, Reply::Silence | Reply::Beginning);
        let reply = std::sync::Mutex::new(Some(reply));
        // Whoever asks a second time is told that it is done.
        let server = Server::start(move |_| {
            let reply = reply.lock().unwrap().take();
            reply.unwrap_or_else(|| json_of(201, &record(&json!({}))))
        })
        .await;
        let provider = if hangs {
            server.impatient_provider()
        } else {
            server.provider()
        };
        let answer = provider.place_call(&order()).await.unwrap_err();
        assert_eq!(meaning(&answer), expected, "case {index}");
        server.only_request();
    }
}

#[tokio::test]
async fn without_a_connection_nothing_was_sent() {
    let server = Server::start(|_| Reply::Close).await;
    // Nobody listens there.
    let nobody = "http://127.0.0.1:1".to_owned();
    // Somebody listens there who does not speak TLS.
    let no_tls = server.settings().base_url.replace("http:", "https:");
    for base_url in [nobody, no_tls] {
        let settings = TwilioSettings {
            base_url: base_url.clone(),
            ..server.settings()
        };
        let answer = provider(settings).0.place_call(&order()).await.unwrap_err();
        assert!(
            matches!(answer, PlaceCallError::RetryLater { after: None }),
            "{base_url}: {answer:?}"
        );
    }
}

#[tokio::test]
async fn no_error_shows_a_number_or_a_secret() {
    let server = Server::start(|_| {
        json_of(400, &json!({"code": 21215, "message": "Not authorized to call +393470000007", "status": 400}))
    })
    .await;
    let shown = |error: &PlaceCallError| format!("{error} {error:?}");
    let refused = server.provider().place_call(&order()).await.unwrap_err();
    let silent = Server::start(|_| Reply::Silence).await;
    let unknown = silent.impatient_provider();
    let unknown = unknown.place_call(&order()).await.unwrap_err();
    for error in [&refused, &unknown] {
        let shown = shown(error);
        assert!(
            !shown.contains("3470000007") && !shown.contains("top-secret"),
            "{shown}"
        );
    }
    assert!(shown(&refused).contains("this country"), "{refused}");
}

#[tokio::test]
async fn a_number_that_does_not_exist_is_settled_and_busy_twilio_is_asked_again() {
    let invalid = Server::start(|_| error(400, 21217)).await;
    let answer = invalid.provider().place_call(&order()).await.unwrap_err();
    let PlaceCallError::Rejected { outcome, .. } = answer else {
        panic!("{answer}");
    };
    assert_eq!(outcome, Outcome::InvalidNumber);
    let busy = Server::start(|_| Reply::After("30")).await;
    let answer = busy.provider().place_call(&order()).await.unwrap_err();
    let PlaceCallError::RetryLater { after } = answer else {
        panic!("{answer}");
    };
    assert_eq!(after, Some(TimeDelta::seconds(30)));
}
