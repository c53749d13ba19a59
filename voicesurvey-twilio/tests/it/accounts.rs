//! Whether an account can make calls.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::json;
use voicesurvey_core::testing::samples;
use voicesurvey_twilio::{AccountStanding, CallerIdStanding, Secret, TwilioSettings};

use crate::server::{ACCOUNT, SID, Server, call, error, json_of, provider};

#[tokio::test]
async fn an_account_is_active_or_not() {
    for (status, kind, is_active, is_trial) in [
        ("active", "Full", true, false),
        ("active", "Trial", true, true),
        ("suspended", "Full", false, false),
    ] {
        let body = json!({"status": status, "type": kind, "friendly_name": "x"});
        let server = Server::start(move |_| json_of(200, &body)).await;
        let standing = server.provider().account().await.unwrap();
        assert_eq!(
            standing,
            AccountStanding {
                is_active,
                is_trial
            }
        );
        assert_eq!(
            server.only_request().line,
            format!("GET /2010-04-01/Accounts/{ACCOUNT}.json")
        );
    }
    let server = Server::start(|_| error(401, 20003)).await;
    let refused = server.provider().account().await.unwrap_err();
    assert!(refused.to_string().contains("credentials"), "{refused}");
}

#[tokio::test]
async fn a_caller_id_is_owned_verified_or_not_ours() {
    let ours = "+393470000001";
    let owned = |voice: bool| json!([{"phone_number": ours, "capabilities": {"voice": voice, "sms": true}}]);
    for (own, verified, expected) in [
        (owned(true), json!([]), CallerIdStanding::Owned),
        (owned(false), json!([]), CallerIdStanding::OwnedWithoutVoice),
        (
            json!([]),
            json!([{"phone_number": ours}]),
            CallerIdStanding::Verified,
        ),
        // The filter of the list is a pattern.
        (
            json!([{"phone_number": "+3934700000011"}]),
            json!([]),
            CallerIdStanding::NotOurs,
        ),
    ] {
        let server = Server::start(move |request| {
            assert!(request.line.ends_with("?PhoneNumber=%2B393470000001"));
            if request.line.contains("/IncomingPhoneNumbers.json?") {
                json_of(200, &json!({"incoming_phone_numbers": own}))
            } else {
                json_of(200, &json!({"outgoing_caller_ids": verified}))
            }
        })
        .await;
        assert_eq!(
            server
                .provider()
                .caller_id(samples::phone_number(1))
                .await
                .unwrap(),
            expected
        );
    }
    let server = Server::start(|_| json_of(200, &json!({}))).await;
    assert!(
        server
            .provider()
            .caller_id(samples::phone_number(1))
            .await
            .is_err()
    );
}

#[tokio::test]
async fn a_token_that_twilio_does_not_know_is_found() {
    let known = BASE64_STANDARD.encode(format!("{ACCOUNT}:12345"));
    // Heads are in lower case.
    let known = format!("authorization: basic {}", known.to_lowercase());
    let server = Server::start(move |request| {
        if request.head.contains(&known) {
            json_of(200, &json!({}))
        } else {
            error(401, 20003)
        }
    })
    .await;
    for (tokens, expected) in [
        (vec!["12345"], vec![]),
        (vec!["54321"], vec![0]),
        (vec!["12345", "54321"], vec![1]),
    ] {
        let settings = TwilioSettings {
            webhook_tokens: tokens.into_iter().map(Secret::new).collect(),
            ..server.settings()
        };
        let refused = provider(settings).0.refused_tokens().await.unwrap();
        assert_eq!(refused, expected);
    }
    let away = Server::start(|_| error(500, 20500)).await;
    assert!(away.provider().refused_tokens().await.is_err());
}

#[tokio::test]
async fn what_went_wrong_in_a_call_is_told_without_warnings() {
    let server = Server::start(|_| {
        json_of(200, &json!({"notifications": [
            {"error_code": "11200", "log": "0", "message_text": "no answer", "request_url": "x"},
            {"error_code": "12200", "log": "1", "message_text": "odd"},
            {"error_code": "13520", "log": 0, "message_text": "no voice"},
        ]}))
    })
    .await;
    let told = server.provider().errors_in(&call(Some(SID))).await.unwrap();
    assert_eq!(told, ["11200: no answer", "13520: no voice"]);
}
