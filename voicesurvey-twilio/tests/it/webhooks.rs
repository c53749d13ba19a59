//! Webhooks and documents through the port.

use voicesurvey_core::conversation::{Then, VoiceReply};
use voicesurvey_core::language::Language;
use voicesurvey_core::ports::{TelephonyProvider as _, Webhook, WebhookError, WebhookRequest};
use voicesurvey_core::testing::samples;

use crate::server::{Reply, Server, call};

/// Signed by Twilio's own library for Python (twilio 9.13.0) with the token `12345`.
fn signed_by_twilio() -> WebhookRequest {
    WebhookRequest {
        endpoint: "turn".to_owned(),
        url: "/webhooks/twilio/turn?company=00000000-0000-0000-0000-000000000001\
              &attempt=00000000-0000-0000-0000-000000000002&step=3"
            .to_owned(),
        headers: vec![
            (
                "x-twilio-signature".to_owned(),
                "Zlg9kxQ/K+AKFgOh1bd/HINcvmw=".to_owned(),
            ),
            (
                "content-type".to_owned(),
                "application/x-www-form-urlencoded".to_owned(),
            ),
        ],
        body: b"CallSid=CA0123456789abcdef0123456789abcdef&FromCity=\
                &SpeechResult=S%C3%AC%2C+perch%C3%A9+no&Confidence=0.9134&Language=it-IT"
            .to_vec(),
    }
}

#[tokio::test]
async fn a_webhook_that_twilios_library_signed_is_believed() {
    let provider = Server::start(|_| Reply::Close).await.provider();
    let read = provider.read_webhook(&signed_by_twilio(), samples::now());
    assert!(
        matches!(read, Ok(Webhook::Turn { step: 3, .. })),
        "{read:?}"
    );
    let mut forged = signed_by_twilio();
    forged.url = forged.url.replace("step=3", "step=4");
    let read = provider.read_webhook(&forged, samples::now());
    assert!(matches!(read, Err(WebhookError::BadSignature)), "{read:?}");
}

#[tokio::test]
async fn replies_and_fallbacks_are_documents() {
    let provider = Server::start(|_| Reply::Close).await.provider();
    assert_eq!(provider.name(), "twilio");
    let reply = VoiceReply {
        language: Language::Ru,
        voice: None,
        say: vec!["Спасибо & <до свидания>.".to_owned()],
        firm: 0,
        then: Then::HangUp,
    };
    let written = provider.write_reply(&call(None), &reply);
    assert_eq!(
        String::from_utf8(written.body).unwrap(),
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response>\
         <Say language=\"ru-RU\" voice=\"Polly.Tatyana\">Спасибо &amp; &lt;до свидания&gt;.</Say>\
         <Hangup/></Response>"
    );
    let fallback = provider.fallback_document(Language::It);
    assert!(
        String::from_utf8(fallback.body)
            .unwrap()
            .contains("Arrivederci.")
    );
}

#[tokio::test]
async fn the_goodbye_needs_no_signature_and_has_the_language_of_its_url() {
    let provider = Server::start(|_| Reply::Close).await.provider();
    for (query, farewell) in [
        ("?attempt=a&language=it", "Arrivederci."),
        ("?language=xx", "Goodbye."),
        ("", "Goodbye."),
    ] {
        let request = WebhookRequest {
            endpoint: "fallback".to_owned(),
            url: format!("/webhooks/twilio/fallback{query}"),
            ..WebhookRequest::default()
        };
        let read = provider.read_webhook(&request, samples::now());
        let Ok(Webhook::Document(reply)) = read else {
            panic!("{read:?}");
        };
        assert_eq!(
            (reply.status, reply.content_type),
            (200, Some("text/xml; charset=utf-8"))
        );
        let document = String::from_utf8(reply.body).unwrap();
        assert!(document.contains(farewell), "{document}");
    }
}

#[tokio::test]
async fn a_goodbye_that_nobody_has_signed_is_noted_of_no_call() {
    let provider = Server::start(|_| Reply::Close).await.provider();
    let forged = WebhookRequest {
        endpoint: "fallback".to_owned(),
        ..signed_by_twilio()
    };
    let read = provider.read_webhook(&forged, samples::now());
    assert!(matches!(read, Ok(Webhook::Document(_))), "{read:?}");
}
