//! How the calls of a campaign are placed, and what a voicemail hears.

use serde_json::{Value, json};

use crate::support::TestApp;

/// A campaign with these fields.
fn with(changes: &Value) -> Value {
    let mut body = json!({
        "name": "Satisfaction",
        "intro_script": "Buongiorno, posso farle una domanda?",
        "questions": [{ "text": "È soddisfatto?", "type": "yes_no" }],
        "completion_message": "Grazie.",
    });
    for (name, value) in changes.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}

#[tokio::test]
async fn how_calls_are_placed_is_shown_as_it_was_sent_and_can_be_taken_away() {
    let app = TestApp::start().await;
    let manager = app.company("Acme").await.manager().await;
    let voicemail = json!({
        "policy": "leave_message",
        "messages": { "it": "Richiameremo.", "en": "We shall call again." },
    });
    let body = with(&json!({
        "caller_id": "+390612345678", "machine_detection": "synchronous", "voicemail": voicemail,
    }));
    let created = manager.post("/api/campaigns", &body).await;
    assert_eq!(created.status, 201, "{created}");
    assert_eq!(created.at("/caller_id"), "+390612345678");
    assert_eq!(created.at("/machine_detection"), "synchronous");
    assert_eq!(created.at("/voicemail"), voicemail);
    let campaign = format!("/api/campaigns/{}", created.text_at("/id"));
    let renamed = manager.patch(&campaign, &json!({ "name": "Other" })).await;
    assert_eq!(renamed.at("/voicemail"), voicemail);
    assert_eq!(renamed.at("/caller_id"), "+390612345678");
    let cleared = json!({
        "caller_id": null, "machine_detection": null, "voicemail": { "policy": "hang_up" },
    });
    let cleared = manager.patch(&campaign, &cleared).await;
    assert_eq!(cleared.at("/caller_id"), Value::Null);
    assert_eq!(cleared.at("/machine_detection"), Value::Null);
    let nothing = json!({ "policy": "hang_up", "messages": {} });
    assert_eq!(cleared.at("/voicemail"), nothing);
}

#[tokio::test]
async fn what_is_wrong_with_how_calls_are_placed_is_named() {
    let app = TestApp::start().await;
    let manager = app.company("Acme").await.manager().await;
    let message = |words: &str| json!({ "policy": "leave_message", "messages": { "it": words } });
    for (wrong, fields) in [
        (
            json!({ "caller_id": "Acme", "machine_detection": "yes", "voicemail": "beep" }),
            ["caller_id: ", "machine_detection: ", "voicemail: "].as_slice(),
        ),
        (
            json!({ "voicemail": {} }),
            &["voicemail.policy: is required"],
        ),
        (
            json!({ "voicemail": { "policy": "sing", "loud": true } }),
            &[
                "voicemail.loud: ",
                "voicemail.policy: unknown policy 'sing'",
            ],
        ),
        (
            json!({ "voicemail": { "policy": "leave_message" } }),
            &["voicemail.messages: give the words"],
        ),
        (
            json!({ "voicemail": { "policy": "leave_message", "messages": { "xx": "?" } } }),
            &["voicemail.messages.xx: "],
        ),
        (
            json!({ "voicemail": { "policy": "hang_up", "messages": { "it": "Ciao." } } }),
            &["voicemail.messages: only go with"],
        ),
        (
            json!({ "voicemail": message(" ") }),
            &["voicemail.messages.it: must not be empty"],
        ),
        (
            json!({ "voicemail": message("Ciao."), "machine_detection": "asynchronous" }),
            &["voicemail.policy: a message needs machine_detection synchronous"],
        ),
    ] {
        let refused = manager.post("/api/campaigns", &with(&wrong)).await;
        assert_eq!(refused.status, 422, "{refused}");
        let told = refused.wrong_fields();
        for field in fields {
            assert!(told.contains(field), "{told}");
        }
    }
}
