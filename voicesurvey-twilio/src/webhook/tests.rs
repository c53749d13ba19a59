//! Signed requests as Twilio sends them, read.

use uuid::Uuid;
use voicesurvey_core::call_attempt::{AnsweredBy, RecordingState};
use voicesurvey_core::id::{CallAttemptId, CompanyId};
use voicesurvey_core::outcome::Outcome;
use voicesurvey_core::testing::samples;

use super::*;
use crate::secret::Secret;
use crate::signature::tests::sign;

const SID: &str = "CA0123456789abcdef0123456789abcdef";
const CALL: &str = "company=00000000-0000-0000-0000-000000000001\
                    &attempt=00000000-0000-0000-0000-000000000002";

fn reference() -> CallReference {
    CallReference {
        company_id: CompanyId::from_uuid(Uuid::from_u128(1)),
        attempt_id: CallAttemptId::from_uuid(Uuid::from_u128(2)),
        provider_call_id: Some(SID.to_owned()),
    }
}

/// A request with a signature of Twilio's.
fn request(endpoint: &str, query: &str, form: &[(&str, &str)]) -> WebhookRequest {
    let form = [&[("CallSid", SID)], form].concat();
    let path = format!("/webhooks/twilio/{endpoint}?{query}");
    let signature = sign("12345", &format!("https://s.example.org{path}"), &form);
    let body = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(form)
        .finish();
    WebhookRequest {
        endpoint: endpoint.to_owned(),
        url: format!("http://10.0.0.7:8080{path}"),
        headers: vec![
            ("x-twilio-signature".to_owned(), signature),
            (
                "content-type".to_owned(),
                "application/x-www-form-urlencoded; charset=UTF-8".to_owned(),
            ),
        ],
        body: body.into_bytes(),
    }
}

fn verify(request: &WebhookRequest) -> Result<Signed, WebhookError> {
    let signatures = Signatures::new(vec![Secret::new("12345")]);
    let urls = WebhookUrls::new("https://s.example.org");
    Signed::verify(request, &signatures, &urls)
}

fn read(request: &WebhookRequest) -> Result<Webhook, WebhookError> {
    verify(request)?.read(samples::now())
}

fn event(request: &WebhookRequest) -> CallEvent {
    match read(request) {
        Ok(Webhook::Event(event)) => event,
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_answered_call_asks_what_is_said_first() {
    for (more, expected) in [
        (vec![("CallStatus", "in-progress")], AnsweredBy::Unknown),
        (
            vec![
                ("AnsweredBy", "human"),
                ("MachineDetectionDuration", "4000"),
            ],
            AnsweredBy::Person,
        ),
        (
            vec![("AnsweredBy", "machine_end_beep")],
            AnsweredBy::Voicemail,
        ),
        (vec![("AnsweredBy", "fax")], AnsweredBy::Fax),
    ] {
        let Ok(Webhook::Answered { call, by, at }) = read(&request("answer", CALL, &more)) else {
            panic!("{more:?}");
        };
        assert_eq!((call, by, at), (reference(), expected, samples::now()));
    }
}

#[test]
fn a_turn_tells_keys_words_or_silence_and_its_step() {
    let keys = |keys: &str| Heard::Keys {
        keys: keys.to_owned(),
    };
    let words = |words: &str, hundredths: Option<u8>| Heard::Speech {
        words: words.to_owned(),
        confidence: hundredths.map(Confidence::from_hundredths),
    };
    for (form, expected) in [
        (vec![("Digits", "4"), ("FinishedOnKey", "")], keys("4")),
        (vec![("Digits", "10#")], keys("10")),
        (vec![("Digits", "#")], keys("#")),
        (vec![("Digits", "*9")], keys("*9")),
        (
            vec![
                ("SpeechResult", " Sì, perché no "),
                ("Confidence", "0.9134"),
            ],
            words("Sì, perché no", Some(91)),
        ),
        (
            vec![("SpeechResult", "no"), ("Confidence", "1.0")],
            words("no", Some(100)),
        ),
        (
            vec![("SpeechResult", "no"), ("Confidence", "0")],
            words("no", Some(0)),
        ),
        (
            vec![("SpeechResult", "no"), ("Confidence", "NaN")],
            words("no", None),
        ),
        (
            vec![("SpeechResult", "no"), ("Confidence", "7")],
            words("no", None),
        ),
        (vec![("SpeechResult", "no")], words("no", None)),
        (
            vec![("Digits", ""), ("SpeechResult", "нет")],
            words("нет", None),
        ),
        (vec![("Digits", ""), ("SpeechResult", "  ")], Heard::Silence),
        (vec![("msg", "Gather End")], Heard::Silence),
    ] {
        let read = read(&request("turn", &format!("{CALL}&step=3"), &form));
        let Ok(Webhook::Turn {
            call, step, heard, ..
        }) = read
        else {
            panic!("{form:?}: {read:?}");
        };
        assert_eq!((call, step, heard), (reference(), 3, expected), "{form:?}");
    }
    let redirected = read(&request("turn", &format!("{CALL}&step=3&silence=1"), &[]));
    assert!(matches!(
        redirected,
        Ok(Webhook::Turn {
            step: 3,
            heard: Heard::Silence,
            ..
        })
    ));
}

#[test]
fn a_status_is_an_event_with_its_own_instant_and_name() {
    let form = [
        ("CallStatus", "no-answer"),
        ("Timestamp", "Fri, 15 Jan 2027 07:59:30 +0000"),
        ("SequenceNumber", "2"),
        ("SipResponseCode", "487"),
        ("ToCity", ""),
        ("SomethingNew", "x"),
    ];
    let read = event(&request("status", CALL, &form));
    let expected = CallEvent {
        company_id: reference().company_id,
        attempt_id: reference().attempt_id,
        event_id: format!("{SID}-2"),
        provider_call_id: Some(SID.to_owned()),
        kind: CallEventKind::Ended {
            outcome: Some(Outcome::NoAnswer),
        },
        at: "2027-01-15T07:59:30Z".parse().unwrap(),
        raw_status: Some("no-answer".to_owned()),
        error_code: Some("SIP 487".to_owned()),
    };
    assert_eq!(read, expected);
}

#[test]
fn every_try_to_deliver_a_webhook_has_the_same_name() {
    let form = [("CallStatus", "ringing"), ("SequenceNumber", "1")];
    let mut first = request("status", CALL, &form);
    let delivery = ("i-twilio-idempotency-token".to_owned(), "d-1".to_owned());
    first.headers.push(delivery);
    assert_eq!(event(&first), event(&first.clone()));
    assert_eq!(event(&first).event_id, "d-1");
    // Without either, the status is the best name there is.
    let bare = request("status", CALL, &[("CallStatus", "ringing")]);
    assert_eq!(event(&bare).event_id, format!("{SID}-ringing"));
}

#[test]
fn a_dropped_line_is_told_from_a_hang_up() {
    let ended = |form: &[(&str, &str)]| match event(&request("status", CALL, form)).kind {
        CallEventKind::Ended { outcome } => outcome,
        other => panic!("{other:?}"),
    };
    let completed = ("CallStatus", "completed");
    let dropped = Some(Outcome::ProviderFailure);
    assert_eq!(ended(&[completed, ("CallDuration", "40")]), None);
    assert_eq!(ended(&[completed, ("ErrorCode", "32014")]), dropped);
    assert_eq!(
        ended(&[("CallStatus", "failed"), ("CallDuration", "40")]),
        dropped
    );
    assert_eq!(
        ended(&[completed, ("AnsweredBy", "machine_start")]),
        Some(Outcome::Voicemail)
    );
}

#[test]
fn a_status_that_nobody_knows_is_kept_and_ends_nothing() {
    let read = event(&request("status", CALL, &[("CallStatus", "early-media")]));
    assert_eq!(read.kind, CallEventKind::Initiated);
    assert_eq!(read.raw_status.as_deref(), Some("early-media"));
    assert_eq!(read.at, samples::now());
}

#[test]
fn a_verdict_about_machines_comes_by_itself() {
    let form = [
        ("AnsweredBy", "machine_start"),
        ("MachineDetectionDuration", "2100"),
    ];
    let read = event(&request("amd", CALL, &form));
    let by = AnsweredBy::Voicemail;
    assert_eq!(read.kind, CallEventKind::Answered { by });
    assert_eq!(read.event_id, format!("{SID}-amd-machine_start"));
    assert_eq!(read.raw_status, None);
}

#[test]
fn a_recording_tells_how_far_it_is() {
    let form = [
        ("RecordingSid", "RE0123456789abcdef0123456789abcdef"),
        ("RecordingStatus", "completed"),
        ("RecordingDuration", "61"),
        ("RecordingUrl", "https://api.twilio.com/x"),
    ];
    let request = request("recording", CALL, &form);
    let read = event(&request);
    let recording = Recording {
        provider_recording_id: Some("RE0123456789abcdef0123456789abcdef".to_owned()),
        url: Some("https://api.twilio.com/x".to_owned()),
        seconds: Some(61),
        ..Recording::new(RecordingState::Finished)
    };
    assert_eq!(read.kind, CallEventKind::Recorded { recording });
    let id = "recording-RE0123456789abcdef0123456789abcdef-completed";
    assert_eq!(read.event_id, format!("{SID}-{id}"));
}

#[test]
fn a_recording_has_a_name_and_a_state() {
    let id = ("RecordingSid", "RE0123456789abcdef0123456789abcdef");
    for form in [&[][..], &[id], &[("RecordingStatus", "completed")]] {
        let read = read(&request("recording", CALL, form));
        assert!(
            matches!(read, Err(WebhookError::Unreadable { .. })),
            "{form:?}"
        );
    }
    for (word, expected) in [
        ("in-progress", RecordingState::InProgress),
        ("absent", RecordingState::Absent),
        ("failed", RecordingState::Absent),
        ("a new word", RecordingState::InProgress),
    ] {
        let form = [id, ("RecordingStatus", word), ("ErrorCode", "0")];
        match event(&request("recording", CALL, &form)).kind {
            CallEventKind::Recorded { recording } => {
                assert_eq!(
                    (recording.state, recording.error),
                    (expected, None),
                    "{word}"
                );
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_goodbye_that_twilio_reports_is_a_lost_line() {
    let form = [
        ("ErrorCode", "11200"),
        ("ErrorUrl", "https://s.example.org/"),
    ];
    let request = request("fallback", CALL, &form);
    let event = verify(&request).unwrap().given_up(samples::now()).unwrap();
    let outcome = Some(Outcome::ProviderFailure);
    assert_eq!(event.kind, CallEventKind::Ended { outcome });
    assert_eq!(event.error_code.as_deref(), Some("11200"));
    assert_eq!(event.event_id, format!("{SID}-fallback"));
    assert_eq!(event.attempt_id, reference().attempt_id);
}

#[test]
fn what_is_not_signed_is_not_even_read() {
    let good = || request("status", CALL, &[("CallStatus", "completed")]);
    let mut unsigned = good();
    unsigned.headers.remove(0);
    let mut other_call = good();
    other_call.url = other_call.url.replace("002", "003");
    let mut other_body = good();
    other_body.body = b"CallStatus=busy".to_vec();
    let mut other_webhook = good();
    "amd".clone_into(&mut other_webhook.endpoint);
    let mut other_kind = good();
    "text/plain".clone_into(&mut other_kind.headers[1].1);
    let mut nonsense = good();
    nonsense.body = vec![0xff, 0xfe];
    let nowhere = WebhookRequest {
        endpoint: "nowhere".to_owned(),
        ..good()
    };
    for request in [
        unsigned,
        other_call,
        other_body,
        other_webhook,
        other_kind,
        nonsense,
        nowhere,
    ] {
        let read = read(&request);
        assert!(
            matches!(read, Err(WebhookError::BadSignature)),
            "{request:?}: {read:?}"
        );
    }
}

#[test]
fn a_signed_webhook_that_says_nothing_is_unreadable() {
    for (endpoint, query) in [
        ("status", CALL),
        ("amd", CALL),
        ("turn", CALL),
        ("turn", &format!("{CALL}&step=-1")[..]),
        ("answer", "attempt=00000000-0000-0000-0000-000000000002"),
        ("answer", "company=1&attempt=2"),
        ("nowhere", CALL),
    ] {
        let read = read(&request(endpoint, query, &[]));
        let is_unreadable = matches!(read, Err(WebhookError::Unreadable { .. }));
        assert!(is_unreadable, "{endpoint} {query}: {read:?}");
    }
}

#[test]
fn a_webhook_by_get_carries_everything_in_its_query() {
    let query = format!("{CALL}&CallSid={SID}&CallStatus=busy&SequenceNumber=3");
    let path = format!("/webhooks/twilio/status?{query}");
    let signature = sign("12345", &format!("https://s.example.org{path}"), &[]);
    let request = WebhookRequest {
        endpoint: "status".to_owned(),
        url: path,
        headers: vec![("x-twilio-signature".to_owned(), signature)],
        body: Vec::new(),
    };
    let read = event(&request);
    assert_eq!(read.raw_status.as_deref(), Some("busy"));
    assert_eq!(read.event_id, format!("{SID}-3"));
}

#[test]
fn a_document_that_could_not_be_fetched_changes_nothing() {
    let form = [
        ("ErrorCode", "11200"),
        ("ErrorUrl", "https://s.example.org/x"),
    ];
    let query = format!("{CALL}&language=it");
    assert_eq!(
        read(&request("fallback", &query, &form)).unwrap(),
        Webhook::Nothing
    );
}
