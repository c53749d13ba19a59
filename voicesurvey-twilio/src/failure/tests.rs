//! Every code that Twilio documents, and what is no answer of Twilio's.

use serde_json::json;
use voicesurvey_core::testing::samples;

use super::*;

fn response(status: u16, body: &str) -> Response {
    Response {
        status,
        retry_after: None,
        body: body.as_bytes().to_vec(),
    }
}

fn twilio(status: u16, code: u32) -> Response {
    let body = json!({
        "code": code, "message": "The number +393471234567 is not good", "status": status,
        "more_info": format!("https://www.twilio.com/docs/errors/{code}"),
    });
    response(status, &body.to_string())
}

/// What becomes of a call in one word.
fn of_call(response: &Response) -> String {
    let number = samples::phone_number(1);
    match Refusal::read(response, Some(&number)).of_call() {
        PlaceCallError::Rejected { outcome, .. } => outcome.name().to_owned(),
        PlaceCallError::Configuration { .. } => "configuration".to_owned(),
        PlaceCallError::RetryLater { .. } => "later".to_owned(),
        PlaceCallError::Unknown { .. } => "unknown".to_owned(),
    }
}

#[test]
fn every_code_has_its_meaning_for_a_call() {
    let expected: &[(&str, u16, &[u32])] = &[
        ("configuration", 401, &[20003, 20005, 10001]),
        (
            "configuration",
            403,
            &[10001, 10002, 10005, 20003, 20005, 20008],
        ),
        ("configuration", 404, &[20404]),
        (
            "configuration",
            400,
            &[20001, 20007, 20422, 21201, 21203, 21205, 21206, 21207],
        ),
        (
            "configuration",
            400,
            &[21208, 21209, 21210, 21212, 21213, 21215, 21218, 21219],
        ),
        ("configuration", 400, &[21234, 21262, 13227]),
        ("configuration", 422, &[20422]),
        ("invalid_number", 400, &[21211, 21217, 13223, 13224, 13226]),
        ("provider_rejected", 400, &[21202, 21214, 21216, 13225]),
        ("later", 429, &[20429]),
        ("later", 400, &[10004]),
        ("later", 403, &[10004]),
        ("later", 409, &[20409]),
        ("later", 400, &[21220, 20009]),
        ("unknown", 500, &[20500]),
        ("unknown", 503, &[20503]),
        // A new code is looked at by somebody before it burns a list.
        ("configuration", 400, &[21999]),
        ("unknown", 500, &[21999]),
    ];
    for (meaning, status, codes) in expected {
        for &code in *codes {
            assert_eq!(of_call(&twilio(*status, code)), *meaning, "{status} {code}");
        }
    }
    for known in CODES {
        let listed = expected
            .iter()
            .any(|(_, _, codes)| codes.contains(&known.number));
        assert!(
            listed,
            "{} is in the table and not in the test",
            known.number
        );
    }
    assert!(CODES.is_sorted_by(|one, other| one.number < other.number));
}

#[test]
fn what_twilio_did_not_say_leaves_it_open() {
    for (status, body, meaning) in [
        (408, "", "unknown"),
        (400, "<html>Bad Request</html>", "unknown"),
        (401, "", "unknown"),
        (403, r#"{"error": "blocked by the proxy"}"#, "unknown"),
        (404, "[]", "unknown"),
        (200, "", "unknown"),
        (302, "", "unknown"),
        (500, "", "unknown"),
        (502, "<html>", "unknown"),
        (
            599,
            r#"{"code": 21211, "status": 599, "message": ""}"#,
            "unknown",
        ),
        (
            408,
            r#"{"code": 21211, "status": 408, "message": ""}"#,
            "unknown",
        ),
        // Nobody behind who says 429 has done anything.
        (429, "slow down", "later"),
        // The code may be missing, a text, or in a body of the newer form.
        (
            400,
            r#"{"code": null, "message": "no", "status": 400}"#,
            "configuration",
        ),
        (
            401,
            r#"{"message": "Authenticate", "status": 401}"#,
            "configuration",
        ),
        (400, r#"{"code": "21211"}"#, "invalid_number"),
        (
            400,
            r#"{"type": "t", "title": "Invalid", "status": 400, "code": 21217, "detail": "d"}"#,
            "invalid_number",
        ),
    ] {
        assert_eq!(of_call(&response(status, body)), meaning, "{status} {body}");
    }
}

#[test]
fn a_blocked_destination_in_north_america_is_a_missing_profile() {
    for (number, is_configuration) in [("+14155551234", true), ("+393471234567", false)] {
        let number = number.parse().unwrap();
        let refusal = Refusal::read(&twilio(400, 21216), Some(&number));
        assert_eq!(
            refusal.class == Class::Configuration,
            is_configuration,
            "{number}"
        );
    }
}

#[test]
fn the_operator_gets_the_code_and_no_number_of_a_person() {
    let number = samples::phone_number(1);
    let error = Refusal::read(&twilio(400, 21210), Some(&number)).of_call();
    let told = error.to_string();
    assert!(
        told.contains("21210") && told.contains("caller id"),
        "{told}"
    );
    assert!(!told.contains("+39"), "{told}");
}

#[test]
fn twilio_may_say_when_to_try_again() {
    let mut busy = twilio(429, 20429);
    busy.retry_after = Some(TimeDelta::seconds(7));
    let error = Refusal::read(&busy, None).of_call();
    let PlaceCallError::RetryLater { after } = error else {
        panic!("{error}");
    };
    assert_eq!(after, Some(TimeDelta::seconds(7)));
}
