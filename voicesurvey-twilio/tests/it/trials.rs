//! Trials: a webhook that changes nothing, and a call that says one sentence.

use serde_json::json;
use voicesurvey_core::language::Language;
use voicesurvey_core::ports::{
    PlaceCallError, TelephonyProvider as _, Webhook, WebhookError, WebhookRequest,
};
use voicesurvey_core::testing::samples;

use crate::server::{Reply, SID, Server, error, json_of, record};

#[tokio::test]
async fn a_check_is_believed_as_long_as_nothing_of_it_is_changed() {
    let provider = Server::start(|_| Reply::Close).await.provider();
    let sent = provider.check_request();
    assert_eq!(
        sent.url,
        "https://s.example.org/webhooks/twilio/check?language=en"
    );
    let read = |request: &WebhookRequest| provider.read_webhook(request, samples::now());
    let Ok(Webhook::Document(document)) = read(&sent) else {
        panic!("it is believed");
    };
    let document = String::from_utf8(document.body).unwrap();
    assert!(document.contains("This is a test call") && document.contains("<Hangup/>"));
    let mut changed = [sent.clone(), sent.clone(), sent.clone()];
    changed[0].headers.remove(0);
    changed[1].url.push_str("&more=1");
    changed[2].body.extend_from_slice(b"&more=1");
    for changed in changed {
        let read = read(&changed);
        assert!(matches!(read, Err(WebhookError::BadSignature)), "{read:?}");
    }
}

#[tokio::test]
async fn a_trial_call_asks_our_server_what_is_said_and_is_ordered_once() {
    let server = Server::start(|_| json_of(201, &record(&json!({})))).await;
    let number = samples::phone_number(7);
    let placed = server
        .provider()
        .place_trial_call(&number, Language::It)
        .await;
    assert_eq!(placed.unwrap().provider_call_id, SID);
    let order = server.only_request();
    let hooks = "https://s.example.org/webhooks/twilio";
    for (name, expected) in [
        ("To", number.as_str()),
        ("From", samples::phone_number(1).as_str()),
        ("Url", &format!("{hooks}/check?language=it")),
        ("FallbackUrl", &format!("{hooks}/fallback?language=it")),
        ("TimeLimit", "60"),
    ] {
        assert_eq!(order.all(name), [expected]);
    }
    assert!(
        order.all("StatusCallback").is_empty(),
        "no store knows of it"
    );
    let refused = Server::start(|_| error(400, 21219)).await.provider();
    let refused = refused.place_trial_call(&number, Language::It).await;
    assert!(
        matches!(&refused, Err(PlaceCallError::Configuration { code, .. }) if code == "21219"),
        "{refused:?}"
    );
}
