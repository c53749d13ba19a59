//! How a server must be asked is found out with questions whose answers are known.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::TimeDelta;
use serde_json::{Value, json};
use voicesurvey_core::interpretation::{Expected, Utterance};
use voicesurvey_core::language::Language;
use voicesurvey_core::testing::samples;
use voicesurvey_core::time::ManualClock;
use voicesurvey_llm::{Failure, LanguageModel, ModelSettings, SchemaMode, Standing};

use crate::server::{Reply, Server, classified, written};

const ANSWERED: Option<&str> = Some("4");

fn model(server: &Server) -> (Arc<LanguageModel>, Arc<ManualClock>) {
    let settings = ModelSettings {
        // A probe waits ten times as long.
        deadline: Duration::from_secs(1),
        ..server.settings()
    };
    let clock = Arc::new(ManualClock::new(samples::now()));
    let model = LanguageModel::new(settings, clock.clone()).unwrap();
    (Arc::new(model), clock)
}

fn utterance() -> Utterance {
    Utterance {
        language: Language::En,
        expected: Expected::YesNo,
        words: "you could say that".to_owned(),
        question: "Would you come again?".to_owned(),
    }
}

/// What a server does that holds its model to the schema, if it sees one there.
fn obedient(schema: &Value) -> Reply {
    let intent = schema["properties"]["intent"]["enum"][0].as_str();
    written(&classified(intent.unwrap_or("answer"), ANSWERED))
}

fn unsupported() -> Reply {
    let error = json!({"error": {"message": "response_format is not supported"}});
    Reply::Status(400, error.to_string())
}

#[tokio::test]
async fn each_server_is_asked_in_the_way_that_binds_it_most() {
    type Script = fn(&Value) -> Reply;
    let servers: [(Script, Standing, usize); 6] = [
        (
            |body| obedient(&body["response_format"]["json_schema"]["schema"]),
            Standing::Uses(SchemaMode::JsonSchema),
            1,
        ),
        (
            |body| obedient(&body["response_format"]["schema"]),
            Standing::Uses(SchemaMode::JsonObjectSchema),
            2,
        ),
        // Takes every format, and heeds none.
        (
            |_| written(&classified("answer", ANSWERED)),
            Standing::Uses(SchemaMode::JsonObject),
            3,
        ),
        // Knows no formats, and puts JSON into a block of code.
        (
            |body| match body.get("response_format") {
                None => written(&format!("```json\n{}\n```", classified("answer", ANSWERED))),
                Some(_) => unsupported(),
            },
            Standing::Uses(SchemaMode::Prompt),
            4,
        ),
        // Understands nothing.
        (
            |_| written(&classified("unclear", None)),
            Standing::Off(Failure::Impossible),
            4,
        ),
        (
            |_| Reply::Status(401, String::new()),
            Standing::Off(Failure::Status(401)),
            1,
        ),
    ];
    for (script, standing, asked) in servers {
        let server = Server::start(script).await;
        let (model, _) = model(&server);
        assert_eq!(model.standing(), Standing::Unknown);
        assert_eq!(model.probe().await, standing);
        assert_eq!(model.standing(), standing);
        assert_eq!(server.requests().len(), asked, "{standing:?}");
    }
}

#[tokio::test]
async fn a_server_that_takes_only_json_schema_works() {
    // LM Studio refuses json_object.
    let server = Server::start(|body| match body["response_format"]["type"].as_str() {
        Some("json_schema") => obedient(&body["response_format"]["json_schema"]["schema"]),
        _ => unsupported(),
    })
    .await;
    let (model, _) = model(&server);
    model.probe().await;
    assert_eq!(model.standing(), Standing::Uses(SchemaMode::JsonSchema));
    assert!(
        model.classify(&utterance()).await.is_err(),
        "answer is first of the intents"
    );
    let sent = &server.requests()[1].body;
    let intents = &sent["response_format"]["json_schema"]["schema"]["properties"]["intent"]["enum"];
    assert_eq!(intents.as_array().unwrap().len(), 13);
}

#[tokio::test]
async fn a_model_that_is_off_or_unknown_is_not_asked() {
    let server = Server::start(|_| Reply::Status(401, String::new())).await;
    let (model, clock) = model(&server);
    assert_eq!(model.classify(&utterance()).await, Err(Failure::Off));
    assert_eq!(server.requests().len(), 0);
    model.probe().await;
    assert_eq!(model.classify(&utterance()).await, Err(Failure::Off));
    clock.advance(TimeDelta::days(1));
    model.probe_in_background();
    tokio::task::yield_now().await;
    assert_eq!(
        server.requests().len(),
        1,
        "a wrong key does not become right"
    );
}

/// Waits until somebody has looked; the probe runs in a task of its own.
async fn standing_becomes(model: &LanguageModel, wanted: Standing) {
    let found = async {
        while model.standing() != wanted {
            tokio::task::yield_now().await;
        }
    };
    let found = tokio::time::timeout(Duration::from_secs(20), found).await;
    assert!(found.is_ok(), "{:?}, not {wanted:?}", model.standing());
}

#[tokio::test]
async fn a_server_that_could_not_be_reached_is_looked_at_again_after_a_minute() {
    let is_up = Arc::new(Mutex::new(false));
    let server = Server::start({
        let is_up = is_up.clone();
        move |body| {
            if *is_up.lock().unwrap() {
                obedient(&body["response_format"]["json_schema"]["schema"])
            } else {
                Reply::Close
            }
        }
    })
    .await;
    let (model, clock) = model(&server);
    model.probe_in_background();
    standing_becomes(&model, Standing::Off(Failure::Unreachable)).await;
    *is_up.lock().unwrap() = true;
    let before = server.requests().len();
    clock.advance(TimeDelta::seconds(59));
    model.probe_in_background();
    tokio::task::yield_now().await;
    assert_eq!(server.requests().len(), before);
    clock.advance(TimeDelta::seconds(1));
    for _ in 0..5 {
        model.probe_in_background();
    }
    standing_becomes(&model, Standing::Uses(SchemaMode::JsonSchema)).await;
    assert_eq!(
        server.requests().len(),
        before + 1,
        "one probe for all who ask"
    );
}

#[tokio::test]
async fn the_form_that_llama_does_not_heed_is_never_sent() {
    let server = Server::start(|_| unsupported()).await;
    let (model, _) = model(&server);
    model.probe().await;
    assert_eq!(server.requests().len(), 4);
    for request in server.requests() {
        let format = &request.body["response_format"];
        assert!(format["type"] != "json_schema" || format.get("schema").is_none());
    }
}
