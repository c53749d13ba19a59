//! What is no test conversation, and who may hold none.

use std::fmt::Write as _;

use insta::assert_snapshot;
use serde_json::{Value, json};

use super::{Talk, campaign_in_three_languages};
use crate::support::TestApp;

#[tokio::test]
async fn a_state_that_was_tampered_with_is_refused_by_name() {
    let app = TestApp::start().await;
    let manager = app.company("Rossi S.p.A.").await.manager().await;
    let campaign = campaign_in_three_languages(&manager).await;
    let other = manager.create_campaign().await;
    let path = format!("{campaign}/test-conversation");
    let talk = Talk::begin(&manager, &campaign, json!({})).await;
    let state = talk.hears("sì").await.last.at("/state");
    let heard = json!({ "speech": "quattro" });
    let refused = async |path: &str, state: Value| {
        let body = json!({ "state": state, "heard": heard });
        let answer = manager.post(path, &body).await;
        assert_eq!(answer.status, 422, "{answer}");
        answer.wrong_fields()
    };
    let with = |pointer: &str, value: Value| {
        let mut state = state.clone();
        *state.pointer_mut(pointer).unwrap() = value;
        state
    };

    let elsewhere = refused(&format!("{other}/test-conversation"), state.clone()).await;
    assert_snapshot!(elsewhere, @"state.conversation.campaign_id: is of another campaign");
    assert_snapshot!(refused(&path, json!("{\"contact\"")).await, @"state: must be an object");
    assert_snapshot!(refused(&path, json!({})).await, @"state: send it as it came with the last answer: missing field `contact`");
    assert_snapshot!(
        refused(&path, with("/conversation/position/index", json!(3))).await, @"state.conversation.position.index: there is no such question"
    );
    assert_snapshot!(
        refused(&path, with("/conversation/position/index", json!(-1))).await, @"state: send it as it came with the last answer: invalid value: integer `-1`, expected u16"
    );
    assert_snapshot!(refused(&path, with("/conversation/language", json!("de"))).await, @"state.conversation.language: the campaign is not held in it");
    let huge = with("/contact/name", json!("x".repeat(70_000)));
    assert_snapshot!(refused(&path, huge).await, @"state: is larger than 64 KiB: begin another conversation");
    let larger = json!({ "state": with("/contact/name", json!("x".repeat(300_000))) });
    assert_eq!(manager.post(&path, &larger).await.status, 413);
    let cut = manager.post_json_text(&path, "{\"state\": {").await;
    assert_eq!(
        (cut.status, cut.text_at("/code").as_str()),
        (400, "invalid_json")
    );

    // As it came, it goes on, however often it comes.
    for _ in 0..2 {
        let body = json!({ "state": state, "heard": heard });
        let answer = manager.post(&path, &body).await;
        assert_eq!(answer.at("/answers/0/value"), json!(4), "{answer}");
    }
}

#[tokio::test]
async fn what_is_over_is_over() {
    let app = TestApp::start().await;
    let manager = app.company("Rossi S.p.A.").await.manager().await;
    let campaign = manager.create_campaign().await;
    let talk = Talk::begin(&manager, &campaign, json!({})).await;
    let state = talk.hears("no").await.last.at("/state");
    let body = json!({ "state": state, "heard": { "speech": "sì" } });
    let answer = manager
        .post(&format!("{campaign}/test-conversation"), &body)
        .await;
    assert_snapshot!(answer.wrong_fields(), @"state.conversation.position: the conversation is over: begin another");
}

#[tokio::test]
async fn what_is_wrong_with_the_body_is_named_field_by_field() {
    let app = TestApp::start().await;
    let manager = app.company("Rossi S.p.A.").await.manager().await;
    let campaign = manager.create_campaign().await;
    let path = format!("{campaign}/test-conversation");
    let state = manager.post_nothing(&path).await.at("/state");
    let long = "x".repeat(1_001);
    let mut wrong = String::new();
    for body in [
        json!({ "heard": { "speech": "sì" }, "speech": "sì" }),
        json!({ "contact": { "name": 5, "language": "nl", "columns": [], "phone": "1" } }),
        json!({ "contact": { "columns": { "city": 5 } } }),
        json!({ "contact": { "name": "x".repeat(20_000) } }),
        json!({ "state": state, "contact": {} }),
        json!({ "state": state, "heard": {} }),
        json!({ "state": state, "heard": "sì" }),
        json!({ "state": state, "heard": { "speech": "sì", "silence": true, "loud": true } }),
        json!({ "state": state, "heard": { "speech": " " } }),
        json!({ "state": state, "heard": { "speech": long } }),
        json!({ "state": state, "heard": { "keys": "5a" } }),
        json!({ "state": state, "heard": { "keys": "" } }),
        json!({ "state": state, "heard": { "silence": false } }),
    ] {
        let answer = manager.post(&path, &body).await;
        assert_eq!(answer.status, 422, "{answer}");
        writeln!(wrong, "{}", answer.wrong_fields()).unwrap();
    }
    assert_snapshot!(wrong, @r#"
heard: leave it out to begin, or send the state as well
speech: unknown field
contact.name: must be a text
contact.language: unknown language 'nl': use it, en, ru, es, fr or de
contact.columns: must be an object
contact.phone: unknown field
contact.columns: city: must be a text
contact.name: use at most 16384 bytes
contact: leave it out: the state names who is called
heard: is required
heard: give one of speech, keys and silence
heard: must be an object
heard.loud: unknown field
heard: give one of speech, keys and silence
heard.speech: must not be empty: send {"silence": true}
heard.speech: use at most 1000 characters
heard.keys: use 1 to 20 digits, * and #
heard.keys: use 1 to 20 digits, * and #
heard.silence: use true, or another field
"#);
}

#[tokio::test]
async fn it_takes_a_manager_of_the_company() {
    let app = TestApp::start().await;
    let company = app.company("Rossi S.p.A.").await;
    let stranger = app.company("Globex").await.admin().await;
    let campaign = company.manager().await.create_campaign().await;
    let path = format!("{campaign}/test-conversation");
    for (caller, status) in [
        (company.viewer().await, 403),
        (stranger, 404),
        (app.anonymous(), 401),
        (company.admin().await, 200),
    ] {
        let answer = caller.post_nothing(&path).await;
        assert_eq!(answer.status, status, "{answer}");
    }
}
