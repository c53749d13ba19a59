//! A telephone line whose other end the test speaks itself, through the webhooks of a provider.

use std::sync::Arc;

use serde_json::{Value, json};
use voicesurvey_core::call_attempt::AnsweredBy;
use voicesurvey_core::conversation::Heard;
use voicesurvey_core::id::CompanyId;
use voicesurvey_core::interpretation::Confidence;
use voicesurvey_core::memory::MemoryStorage;
use voicesurvey_core::ports::telephony::MockTelephonyProvider;
use voicesurvey_core::ports::{CallReference, Placed, Webhook, WebhookReply, WebhookRequest};
use voicesurvey_core::time::Timestamp;

use super::{Caller, TestApp};

/// A server whose calls are answered by the test.
pub(crate) async fn server() -> TestApp {
    let mut provider = MockTelephonyProvider::new();
    provider.expect_prices_are_asked_for().return_const(false);
    provider.expect_name().return_const("scripted");
    provider.expect_place_call().returning(|order| {
        let provider_call_id = order.attempt_id.to_string();
        Ok(Placed { provider_call_id })
    });
    provider
        .expect_read_webhook()
        .returning(|request, at| Ok(read(request, at)));
    provider
        .expect_write_reply()
        .returning(|_, reply| WebhookReply {
            status: 200,
            content_type: Some("application/json"),
            body: serde_json::to_vec(reply).unwrap(),
        });
    let memory = MemoryStorage::default();
    TestApp::start_over(Some(Arc::new(provider)), Arc::new(memory.clone()), memory).await
}

fn read(request: &WebhookRequest, at: Timestamp) -> Webhook {
    let body: Value = serde_json::from_slice(&request.body).unwrap();
    let id = |name: &str| body[name].as_str().unwrap().parse().unwrap();
    let call = CallReference {
        company_id: id("company"),
        attempt_id: body["call"].as_str().unwrap().parse().unwrap(),
        provider_call_id: None,
    };
    let Some(step) = body["step"].as_u64() else {
        let by = AnsweredBy::Person;
        return Webhook::Answered { call, by, at };
    };
    let heard = match body["words"].as_str().unwrap() {
        "" => Heard::Silence,
        words => Heard::Speech {
            words: words.to_owned(),
            confidence: Some(Confidence::from_hundredths(
                body["confidence"].as_u64().unwrap().try_into().unwrap(),
            )),
        },
    };
    let step = step.try_into().unwrap();
    Webhook::Turn {
        call,
        step,
        heard,
        at,
    }
}

/// What a person says, and how sure the recogniser is of it, in hundredths. Silence is empty.
pub(crate) type Said<'a> = (&'a str, u8);

/// Calls the people of the campaign, of whom the last called says this. Returns the call.
pub(crate) async fn interview(
    app: &TestApp,
    (company, manager): (CompanyId, &Caller),
    campaign: &str,
    said: &[Said<'_>],
) -> String {
    assert_eq!(manager.set_status(campaign, "running").await.status, 200);
    while app.app.engine.step().await.unwrap() > 0 {}
    let call = manager.get("/api/calls").await.text_at("/items/0/id");
    let provider = app.anonymous();
    let send = async |body: Value| {
        let answer = provider.post("/webhooks/scripted/turn", &body).await;
        assert_eq!(answer.status, 200, "{answer}");
        answer
    };
    let mut reply = send(json!({ "company": company, "call": call })).await;
    for (words, confidence) in said {
        let turn = json!({
            "company": company, "call": call, "step": reply.at("/then/step"),
            "words": words, "confidence": confidence,
        });
        reply = send(turn).await;
    }
    assert_eq!(reply.text_at("/then/then"), "hang_up", "{reply}");
    call
}
