//! A turn: one request at most, within the deadline, whatever the server does.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::TimeDelta;
use rust_decimal::Decimal;
use serde_json::json;
use tokio::time::Instant;
use voicesurvey_core::interpretation::{
    AnswerInterpreter as _, Expected, Intent, InterpretedBy, Utterance,
};
use voicesurvey_core::language::Language;
use voicesurvey_core::survey::AnswerValue;
use voicesurvey_core::testing::samples;
use voicesurvey_core::time::ManualClock;
use voicesurvey_llm::{ApiKey, Failure, LanguageModel, ModelSettings, SchemaMode};

use crate::server::{Reply, Server, classified, written};

/// Short, so that tests of a server that hangs are.
const DEADLINE: Duration = Duration::from_millis(150);
/// What a turn may take beyond its deadline, on a machine that is busy with other tests.
const GRACE: Duration = Duration::from_millis(600);

fn utterance(words: &str) -> Utterance {
    Utterance {
        language: Language::It,
        expected: Expected::Scale {
            min: 1,
            max: 5,
            labels: Vec::new(),
        },
        words: words.to_owned(),
        question: "Quanto è soddisfatto?".to_owned(),
    }
}

fn model(settings: ModelSettings) -> (LanguageModel, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::new(samples::now()));
    (LanguageModel::new(settings, clock.clone()).unwrap(), clock)
}

/// Settings of a model that needs no probe.
fn settings(server: &Server) -> ModelSettings {
    ModelSettings {
        schema_mode: Some(SchemaMode::JsonSchema),
        deadline: DEADLINE,
        ..server.settings()
    }
}

#[tokio::test]
async fn a_good_answer_is_read_and_asked_for_once() {
    let server = Server::that_writes(classified("answer", Some("4"))).await;
    let settings = ModelSettings {
        api_key: Some(ApiKey::new("a-secret-key".to_owned())),
        deadline: Duration::from_secs(10),
        ..settings(&server)
    };
    let (model, _) = model(settings);
    let read = model
        .classify(&utterance("direi un quattro"))
        .await
        .unwrap();
    let value = AnswerValue::Number(Decimal::from(4));
    assert_eq!(read.intent, Intent::Answer { value });
    assert_eq!(read.by, InterpretedBy::LanguageModel);
    assert_eq!(read.confidence.hundredths(), 80);

    let [request] = &server.requests()[..] else {
        panic!("{:?}", server.requests());
    };
    assert!(
        request
            .head
            .starts_with("POST /v1/chat/completions HTTP/1.1\r\n")
    );
    assert!(
        request
            .head
            .contains("authorization: Bearer a-secret-key\r\n")
    );
    let body = &request.body;
    assert_eq!(
        (&body["stream"], &body["temperature"], &body["max_tokens"]),
        (&json!(false), &json!(0), &json!(120))
    );
    assert_eq!(body["response_format"]["json_schema"]["strict"], true);
    let said: serde_json::Value =
        serde_json::from_str(body["messages"][1]["content"].as_str().unwrap()).unwrap();
    let expected = json!({"lang": "it", "type": "scale", "transcript": "direi un quattro"});
    assert_eq!(said, expected);
}

fn every_failure() -> Vec<(Reply, Failure)> {
    let choice =
        |choice: serde_json::Value| Reply::Status(200, json!({ "choices": [choice] }).to_string());
    let message = |message: serde_json::Value| choice(json!({ "message": message }));
    let good = classified("answer", Some("4"));
    vec![
        (written("{\"intent\": \"answer\""), Failure::Unreadable),
        (written(&format!("Sure: {good}")), Failure::Unreadable),
        (written("four"), Failure::Unreadable),
        (
            written(&classified("consented", None)),
            Failure::OutOfSchema,
        ),
        (
            written(&good.replace('{', "{\"note\": 1,")),
            Failure::OutOfSchema,
        ),
        (
            written(&classified("answer", Some("7"))),
            Failure::Impossible,
        ),
        (written(&classified("answer", None)), Failure::Impossible),
        (
            choice(json!({"finish_reason": "length", "message": {"content": good}})),
            Failure::Truncated,
        ),
        (
            message(json!({"refusal": "I will not", "content": null})),
            Failure::Refused,
        ),
        (message(json!({"content": null})), Failure::Empty),
        (message(json!({"content": ""})), Failure::Empty),
        (Reply::Status(200, String::new()), Failure::Unreadable),
        (Reply::Status(302, String::new()), Failure::Status(302)),
        (Reply::Status(400, "{}".to_owned()), Failure::Status(400)),
        (Reply::Status(401, "{}".to_owned()), Failure::Status(401)),
        (Reply::Status(429, "{}".to_owned()), Failure::Status(429)),
        (
            Reply::Status(500, "<html>".to_owned()),
            Failure::Status(500),
        ),
        (Reply::Raw("what?".to_owned()), Failure::Unreachable),
        (Reply::Close, Failure::Unreachable),
        (Reply::Endless, Failure::TooLong),
        (Reply::Silence, Failure::TimedOut),
        (Reply::Beginning, Failure::TimedOut),
    ]
}

#[tokio::test]
async fn whatever_the_server_does_the_turn_ends_in_time_after_one_request() {
    for (number, (reply, failure)) in every_failure().into_iter().enumerate() {
        let reply = Mutex::new(Some(reply));
        let server = Server::start(move |_| {
            let reply = reply.lock().unwrap().take();
            reply.unwrap_or_else(|| written(&classified("answer", Some("5"))))
        })
        .await;
        let in_time = matches!(failure, Failure::TimedOut);
        let settings = ModelSettings {
            deadline: if in_time { DEADLINE } else { DEADLINE * 40 },
            ..settings(&server)
        };
        let (model, _) = model(settings);
        let began = Instant::now();
        let read = model.classify(&utterance("boh")).await;
        assert_eq!(read, Err(failure), "case {number}");
        if in_time {
            let took = began.elapsed();
            assert!(took >= DEADLINE && took < DEADLINE + GRACE, "{took:?}");
        }
        assert_eq!(server.requests().len(), 1, "no second try: {failure:?}");
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_costs_no_more_than_the_deadline() {
    let server = Server::that_writes("").await;
    // Nobody listens on a port that was just given back.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let settings = ModelSettings {
        url: format!("http://127.0.0.1:{port}/v1"),
        ..settings(&server)
    };
    let (model, _) = model(settings);
    let began = Instant::now();
    let read = model.classify(&utterance("boh")).await;
    assert!(
        matches!(read, Err(Failure::Unreachable | Failure::TimedOut)),
        "{read:?}"
    );
    assert!(began.elapsed() < DEADLINE + GRACE);
}

#[tokio::test]
async fn a_failure_is_unclear_to_whoever_asks_as_an_interpreter() {
    let server = Server::start(|_| Reply::Status(500, String::new())).await;
    let (model, _) = model(settings(&server));
    let read = model.interpret(&utterance("direi quattro")).await;
    assert_eq!(read.intent, Intent::Unclear);
    assert_eq!(read.confidence.hundredths(), 0);
}

#[tokio::test]
async fn after_five_failures_nobody_is_asked_for_a_minute_and_then_one_request_tries() {
    let works = Arc::new(Mutex::new(false));
    let server = Server::start({
        let works = works.clone();
        move |_| {
            if *works.lock().unwrap() {
                written(&classified("skip", None))
            } else {
                Reply::Status(503, String::new())
            }
        }
    })
    .await;
    let (model, clock) = model(ModelSettings {
        deadline: Duration::from_secs(10),
        ..settings(&server)
    });
    for _ in 0..5 {
        let read = model.classify(&utterance("boh")).await;
        assert_eq!(read, Err(Failure::Status(503)));
    }
    *works.lock().unwrap() = true;
    for seconds in [0, 59] {
        clock.advance(TimeDelta::seconds(seconds));
        let read = model.classify(&utterance("boh")).await;
        assert_eq!(read, Err(Failure::CircuitOpen));
    }
    assert_eq!(server.requests().len(), 5);
    clock.advance(TimeDelta::seconds(1));
    for asked in [6, 7] {
        assert!(model.classify(&utterance("boh")).await.is_ok());
        assert_eq!(server.requests().len(), asked);
    }
}

#[tokio::test]
async fn refusals_and_impossible_values_do_not_open_the_circuit() {
    let server = Server::that_writes(classified("answer", Some("7"))).await;
    let (model, _) = model(ModelSettings {
        deadline: Duration::from_secs(10),
        ..settings(&server)
    });
    for _ in 0..20 {
        let read = model.classify(&utterance("sette")).await;
        assert_eq!(read, Err(Failure::Impossible));
    }
}

#[tokio::test]
async fn more_than_may_be_under_way_at_once_are_not_sent() {
    let server = Server::start(|_| Reply::Silence).await;
    let (model, _) = model(ModelSettings {
        at_once: 2,
        ..settings(&server)
    });
    let (one, two, three) = (utterance("uno"), utterance("due"), utterance("tre"));
    let asked = tokio::join!(
        model.classify(&one),
        model.classify(&two),
        model.classify(&three)
    );
    assert_eq!(asked.0, Err(Failure::TimedOut));
    assert_eq!(asked.1, Err(Failure::TimedOut));
    assert_eq!(asked.2, Err(Failure::Busy));
    assert!(server.requests().len() <= 2);
    let again = model.classify(&three).await;
    assert_eq!(again, Err(Failure::TimedOut), "a place is free again");
}

#[tokio::test]
async fn a_turn_that_is_given_up_gives_its_place_back() {
    let server = Server::start(|_| Reply::Silence).await;
    let (model, _) = model(ModelSettings {
        at_once: 1,
        deadline: Duration::from_mins(1),
        ..settings(&server)
    });
    for _ in 0..3 {
        let words = utterance("uno");
        let asked = tokio::time::timeout(DEADLINE, model.classify(&words)).await;
        assert!(asked.is_err(), "it was under way: {asked:?}");
    }
}

/// What was logged, at the level that tells most.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn neither_the_key_nor_what_was_said_is_logged_or_shown() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let server = Server::that_writes(classified("answer", Some("4"))).await;
    let settings = ModelSettings {
        api_key: Some(ApiKey::new("a-secret-key".to_owned())),
        deadline: Duration::from_secs(10),
        ..settings(&server)
    };
    let shown = format!("{settings:?}");
    let (model, _) = model(settings);
    model
        .classify(&utterance("mia moglie direbbe quattro"))
        .await
        .unwrap();
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(
        log.contains("classify-1") && log.contains("small-model"),
        "{log}"
    );
    for text in [&log, &shown, &format!("{model:?}")] {
        assert!(!text.contains("secret"), "{text}");
        assert!(!text.contains("moglie"), "{text}");
    }
}
