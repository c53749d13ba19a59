//! A server for HTTP/1.1 as small as can be, which remembers what it was asked.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use voicesurvey_llm::ModelSettings;

/// What the server does with a request.
pub(crate) enum Reply {
    /// Answers with a status and a body.
    Status(u16, String),
    /// Answers with these bytes, whatever they are, and closes the connection.
    Raw(String),
    /// Says nothing, and keeps the connection.
    Silence,
    /// Begins to answer, and then says nothing more.
    Beginning,
    /// Never stops answering.
    Endless,
    /// Closes the connection.
    Close,
}

/// A request as it came in.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) head: String,
    pub(crate) body: Value,
}

pub(crate) struct Server {
    port: u16,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    /// A server that does what `script` says.
    pub(crate) async fn start(script: impl Fn(&Value) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (ledger, script) = (requests.clone(), Arc::new(script));
        tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                let (ledger, script) = (ledger.clone(), script.clone());
                tokio::spawn(async move { serve(connection, &ledger, &*script).await });
            }
        });
        Self { port, requests }
    }

    /// A server whose model always writes this.
    pub(crate) async fn that_writes(content: impl Into<String>) -> Self {
        let content = content.into();
        Self::start(move |_| written(&content)).await
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/v1", self.port)
    }

    pub(crate) fn settings(&self) -> ModelSettings {
        ModelSettings::new(self.url(), "small-model")
    }

    /// What it was asked so far.
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }
}

/// The answer of a server whose model wrote this.
pub(crate) fn written(content: &str) -> Reply {
    let body = json!({
        "id": "chatcmpl-1", "object": "chat.completion", "model": "small-model",
        "choices": [{"index": 0, "finish_reason": "stop",
            "message": {"role": "assistant", "content": content, "refusal": null}}],
        "usage": {"total_tokens": 232},
    });
    Reply::Status(200, body.to_string())
}

/// What a model writes in the form that it was asked for.
pub(crate) fn classified(intent: &str, value: Option<&str>) -> String {
    json!({"intent": intent, "value": value, "candidates": [], "confidence": "high"}).to_string()
}

async fn serve(
    connection: TcpStream,
    ledger: &Mutex<Vec<Request>>,
    script: &(impl Fn(&Value) -> Reply + ?Sized),
) -> Option<()> {
    let mut connection = BufReader::new(connection);
    loop {
        let request = read(&mut connection).await?;
        let reply = script(&request.body);
        ledger.lock().unwrap().push(request);
        match reply {
            Reply::Status(status, body) => {
                let length = body.len();
                let head = format!(
                    "HTTP/1.1 {status} Scripted\r\ncontent-type: application/json\r\n\
                     retry-after: 3600\r\nlocation: /v1/elsewhere\r\ncontent-length: {length}\r\n\r\n"
                );
                send(&mut connection, &(head + &body)).await?;
            }
            Reply::Raw(bytes) => return send(&mut connection, &bytes).await,
            Reply::Silence => return std::future::pending().await,
            Reply::Beginning => {
                let head = "HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{\"choices\": [";
                send(&mut connection, head).await?;
                return std::future::pending().await;
            }
            Reply::Endless => {
                let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
                send(&mut connection, head).await?;
                let chunk = format!("1000\r\n{}\r\n", " ".repeat(0x1000));
                while send(&mut connection, &chunk).await.is_some() {}
                return None;
            }
            Reply::Close => return None,
        }
    }
}

async fn send(connection: &mut BufReader<TcpStream>, text: &str) -> Option<()> {
    connection.write_all(text.as_bytes()).await.ok()?;
    connection.flush().await.ok()
}

async fn read(connection: &mut BufReader<TcpStream>) -> Option<Request> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if connection.read_line(&mut head).await.ok()? == 0 {
            return None;
        }
    }
    let length = head
        .to_lowercase()
        .split_once("content-length: ")?
        .1
        .lines()
        .next()?
        .parse()
        .ok()?;
    let mut body = vec![0; length];
    connection.read_exact(&mut body).await.ok()?;
    let body = serde_json::from_slice(&body).unwrap();
    Some(Request { head, body })
}
