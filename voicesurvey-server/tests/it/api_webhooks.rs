//! Webhooks of the telephony provider.

use std::sync::{Arc, Mutex};

use voicesurvey_core::call_attempt::{CallEvent, CallEventKind};
use voicesurvey_core::memory::MemoryStorage;
use voicesurvey_core::ports::telephony::MockTelephonyProvider;
use voicesurvey_core::ports::{Storage, Webhook, WebhookError, WebhookRequest};
use voicesurvey_core::testing::samples;

use crate::support::{TestApp, UnreachableStorage};

/// A provider that is told what to say by the body.
async fn scripted(storage: Arc<dyn Storage>) -> (TestApp, Arc<Mutex<Vec<WebhookRequest>>>) {
    let seen: Arc<Mutex<Vec<WebhookRequest>>> = Arc::default();
    let requests = seen.clone();
    let mut provider = MockTelephonyProvider::new();
    provider.expect_prices_are_asked_for().return_const(false);
    provider.expect_name().return_const("scripted");
    provider
        .expect_read_webhook()
        .returning(move |request, now| {
            requests.lock().unwrap().push(request.clone());
            match request.body.as_slice() {
                b"forged" => Err(WebhookError::BadSignature),
                b"garbage" => Err(WebhookError::Unreadable {
                    what: "line 1 of the secret".to_owned(),
                }),
                _ => Ok(Webhook::Event(CallEvent {
                    company_id: samples::id(),
                    attempt_id: samples::id(),
                    event_id: "1".to_owned(),
                    provider_call_id: None,
                    kind: CallEventKind::Ringing,
                    at: now,
                    raw_status: None,
                    error_code: None,
                })),
            }
        });
    (
        TestApp::start_with(Some(Arc::new(provider)), storage).await,
        seen,
    )
}

/// A12. That nothing is wrong in the log either is seen by the test of the whole program, in
/// `commands.rs`.
#[tokio::test]
async fn an_empty_event_is_answered_with_204() {
    let app = TestApp::start().await;
    let caller = app.anonymous();
    for path in ["/webhooks/telephony/events", "/webhooks/simulated/status"] {
        let answer = caller.post_nothing(path).await;
        assert_eq!((answer.status, answer.body.len()), (204, 0));
    }
}

#[tokio::test]
async fn a_webhook_reaches_the_provider_as_it_was_sent() {
    let (app, seen) = scripted(Arc::new(MemoryStorage::default())).await;
    let headers = [
        ("X-Signature", "abc"),
        ("content-type", "application/x-www-form-urlencoded"),
    ];
    let path = "/webhooks/scripted/status?attempt=1&b=%20";
    let answer = app
        .anonymous()
        .post_raw(path, &headers, b"CallStatus=ringing".to_vec())
        .await;
    // The attempt does not exist, which is no fault of the provider.
    assert_eq!(answer.status, 204);
    let seen = seen.lock().unwrap();
    assert_eq!(seen[0].endpoint, "status");
    assert_eq!(seen[0].url, format!("https://surveys.example{path}"));
    assert_eq!(seen[0].header("x-signature"), Some("abc"));
    assert_eq!(seen[0].body, b"CallStatus=ringing");
}

#[tokio::test]
async fn a_webhook_that_is_not_believed_or_not_readable_is_refused() {
    let (app, _) = scripted(Arc::new(MemoryStorage::default())).await;
    let caller = app.anonymous();
    for (path, body, status) in [
        ("/webhooks/telephony/events", b"forged".to_vec(), 403),
        ("/webhooks/scripted/turn", b"garbage".to_vec(), 400),
        ("/webhooks/scripted/turn", vec![b'x'; (64 << 10) + 1], 413),
        ("/webhooks/twilio/turn", b"x".to_vec(), 404),
    ] {
        let answer = caller.post_raw(path, &[], body).await;
        assert_eq!(answer.status, status, "{answer}");
        assert_eq!(
            answer.header("content-type"),
            Some("application/problem+json")
        );
        assert!(!answer.text().contains("secret"), "{answer}");
    }
}

#[tokio::test]
async fn a_webhook_that_cannot_be_stored_is_asked_for_again() {
    let (app, _) = scripted(Arc::new(UnreachableStorage)).await;
    let answer = app
        .anonymous()
        .post_raw("/webhooks/telephony/events", &[], b"x".to_vec())
        .await;
    assert_eq!(
        (answer.status, answer.text_at("/code").as_str()),
        (503, "storage_unavailable")
    );
}
