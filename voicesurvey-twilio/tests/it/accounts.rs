//! Whether an account can make calls.

use serde_json::json;
use voicesurvey_twilio::{AccountStanding, CallerIdStanding};

use crate::server::{ACCOUNT, Server, error, json_of};

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
        assert_eq!(server.provider().caller_id(None).await.unwrap(), expected);
    }
    let server = Server::start(|_| json_of(200, &json!({}))).await;
    assert!(server.provider().caller_id(None).await.is_err());
}
