//! A language model in the configuration, for `voicesurvey interpret --llm` and for the server.

use std::process::Stdio;
use std::sync::{Arc, Mutex};

use axum::routing::post;
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::Command;

/// A server with a model that says "four" to every sentence, and what it was asked.
pub(crate) struct ModelServer {
    pub(crate) url: String,
    transcripts: Arc<Mutex<Vec<String>>>,
}

impl ModelServer {
    pub(crate) async fn start() -> Self {
        let transcripts = Arc::new(Mutex::new(Vec::new()));
        let ledger = transcripts.clone();
        let answer = move |Json(request): Json<Value>| async move {
            let said = request["messages"][1]["content"].as_str().unwrap();
            let said: Value = serde_json::from_str(said).unwrap();
            let transcript = said["transcript"].as_str().unwrap().to_owned();
            ledger.lock().unwrap().push(transcript);
            let schema = &request["response_format"]["json_schema"]["schema"];
            let intent = &schema["properties"]["intent"]["enum"][0];
            let content =
                json!({"intent": intent, "value": "4", "candidates": [], "confidence": "medium"});
            let message = json!({"role": "assistant", "content": content.to_string()});
            Json(json!({"choices": [{"finish_reason": "stop", "message": message}]}))
        };
        let router = Router::new().route("/v1/chat/completions", post(answer));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/v1", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, transcripts }
    }
}

/// The address of a server that is not there.
async fn nowhere() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    format!("http://{}/v1", listener.local_addr().unwrap())
}

fn program(directory: &tempfile::TempDir, arguments: &[&str], url: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_voicesurvey"));
    command
        .args(arguments)
        .env_clear()
        .env("VOICESURVEY_LLM_URL", url)
        .env("VOICESURVEY_LLM_MODEL", "small-model")
        .current_dir(directory.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

async fn interpret(url: &str, lines: &[Value]) -> (Option<i32>, Vec<Value>, String) {
    let directory = tempfile::tempdir().unwrap();
    let mut process = program(&directory, &["interpret", "--llm"], url)
        .spawn()
        .unwrap();
    let mut stdin = process.stdin.take().unwrap();
    for line in lines {
        // OK because a program that refuses to begin does not read.
        let _ = stdin.write_all(format!("{line}\n").as_bytes()).await;
    }
    drop(stdin);
    let output = process.wait_with_output().await.unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    let printed = printed
        .lines()
        .map(|line| serde_json::from_str(line).unwrap());
    (
        output.status.code(),
        printed.collect(),
        String::from_utf8(output.stderr).unwrap(),
    )
}

fn sentence(utterance: &str) -> Value {
    json!({"lang": "it", "question_type": "scale", "utterance": utterance, "params": {"min": 1, "max": 5}})
}

#[tokio::test]
async fn the_model_is_asked_only_about_what_the_rules_do_not_understand() {
    let server = ModelServer::start().await;
    let lines = [
        sentence("direi quattro"),
        sentence("mah, benino tutto sommato"),
    ];
    let (code, printed, said) = interpret(&server.url, &lines).await;
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(printed[0]["by"], "rules");
    assert_eq!(
        printed[1],
        json!({"intent": "answer", "value": 4, "candidates": [], "confidence": 0.5, "by": "language_model"}),
        "nobody said four, so it is to be confirmed"
    );
    let asked = server.transcripts.lock().unwrap().clone();
    assert_eq!(
        asked,
        ["quattro", "mah, benino tutto sommato"],
        "the probe, and the second sentence"
    );
}

#[tokio::test]
async fn who_asks_for_a_model_is_told_if_there_is_none() {
    for (url, said) in [
        (String::new(), "llm.url"),
        (nowhere().await, "the server cannot be reached"),
        ("nonsense".to_owned(), "llm.url"),
    ] {
        let (code, printed, refusal) = interpret(&url, &[sentence("quattro")]).await;
        assert_eq!(code, Some(1), "{refusal}");
        assert!(refusal.contains(said), "{url}: {refusal}");
        assert!(printed.is_empty());
    }
}

/// Starts a server and reads its log until that is in it.
async fn serves_until(url: &str, wanted: &str) {
    let directory = tempfile::tempdir().unwrap();
    let arguments = ["serve", "--listen", "127.0.0.1:0"];
    let mut process = program(&directory, &arguments, url).spawn().unwrap();
    let mut lines = BufReader::new(process.stderr.take().unwrap()).lines();
    let mut log = String::new();
    let (mut is_listening, mut is_found) = (false, false);
    while !(is_listening && is_found) {
        let Some(line) = lines.next_line().await.unwrap() else {
            panic!("the server ended: {log}");
        };
        is_listening |= line.contains("Listening on");
        is_found |= line.contains(wanted);
        log = log + &line + "\n";
    }
}

#[tokio::test]
async fn a_server_starts_with_a_model_and_without_one_that_answers() {
    let server = ModelServer::start().await;
    serves_until(&server.url, "the language model is in use").await;
    serves_until(&nowhere().await, "understood by rules alone").await;
}
