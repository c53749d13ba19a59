//! A server for HTTP/1.1 as small as can be, which remembers what it was asked.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use uuid::Uuid;
use voicesurvey_core::id::{CallAttemptId, CompanyId};
use voicesurvey_core::language::Language;
use voicesurvey_core::ports::{CallOptions, CallOrder, CallReference};
use voicesurvey_core::testing::samples;
use voicesurvey_core::time::ManualClock;
use voicesurvey_twilio::{Credentials, Secret, TwilioProvider, TwilioSettings};

pub(crate) const ACCOUNT: &str = "AC0123456789abcdef0123456789abcdef";
pub(crate) const SID: &str = "CA0123456789abcdef0123456789abcdef";

/// Long enough for a machine that is busy with other tests.
const PATIENT: Duration = Duration::from_secs(20);
/// Short, so that tests of a server that hangs are.
const IMPATIENT: Duration = Duration::from_millis(300);

/// What the server does with a request.
pub(crate) enum Reply {
    /// Answers with a status and a body.
    Status(u16, String),
    /// Answers 429 and says when to come back.
    After(&'static str),
    /// Answers with these bytes, whatever they are, and closes the connection.
    Raw(&'static str),
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
    /// Method and path with its query.
    pub(crate) line: String,
    /// All of the head, in lower case.
    pub(crate) head: String,
    pub(crate) form: Vec<(String, String)>,
}

impl Request {
    /// Every value of that name.
    pub(crate) fn all(&self, name: &str) -> Vec<&str> {
        let pairs = self.form.iter().filter(|(key, _)| key == name);
        pairs.map(|(_, value)| value.as_str()).collect()
    }
}

pub(crate) struct Server {
    port: u16,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    /// A server that does what `script` says.
    pub(crate) async fn start(script: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
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

    pub(crate) fn settings(&self) -> TwilioSettings {
        let token = Secret::new("12345");
        let credentials = Credentials::AuthToken(Secret::new("top-secret"));
        let url = "https://s.example.org";
        let caller_id = samples::phone_number(1);
        TwilioSettings {
            base_url: format!("http://127.0.0.1:{}", self.port),
            request_timeout: PATIENT,
            ..TwilioSettings::new(ACCOUNT, credentials, token, url, caller_id)
        }
    }

    pub(crate) fn provider(&self) -> TwilioProvider {
        provider(self.settings()).0
    }

    /// A provider for a server that hangs.
    pub(crate) fn impatient_provider(&self) -> TwilioProvider {
        let settings = TwilioSettings {
            request_timeout: IMPATIENT,
            connect_timeout: IMPATIENT / 2,
            ..self.settings()
        };
        provider(settings).0
    }

    /// What it was asked so far.
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }

    /// The only thing that it was asked.
    pub(crate) fn only_request(&self) -> Request {
        let requests = self.requests();
        assert_eq!(requests.len(), 1, "{requests:?}");
        requests[0].clone()
    }
}

pub(crate) fn provider(settings: TwilioSettings) -> (TwilioProvider, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::new(samples::now()));
    let provider = TwilioProvider::new(settings, clock.clone()).unwrap();
    (provider, clock)
}

/// An answer with JSON in it.
pub(crate) fn json_of(status: u16, body: &Value) -> Reply {
    Reply::Status(status, body.to_string())
}

/// An error as Twilio writes it.
pub(crate) fn error(status: u16, code: u32) -> Reply {
    json_of(
        status,
        &json!({"code": code, "message": "no", "status": status, "more_info": ""}),
    )
}

/// A call as Twilio shows it, with fields of its own.
pub(crate) fn record(more: &Value) -> Value {
    let mut record = json!({
        "sid": SID, "account_sid": ACCOUNT, "status": "queued", "direction": "outbound-api",
        "date_created": "Fri, 15 Jan 2027 08:00:00 +0000", "start_time": null, "end_time": null,
        "duration": null, "price": null, "price_unit": "USD", "answered_by": null,
    });
    for (name, value) in more.as_object().unwrap() {
        record[name] = value.clone();
    }
    record
}

pub(crate) fn order() -> CallOrder {
    CallOrder {
        company_id: CompanyId::from_uuid(Uuid::from_u128(1)),
        attempt_id: CallAttemptId::from_uuid(Uuid::from_u128(2)),
        phone_number: samples::phone_number(7),
        language: Language::It,
        ring_for: Duration::from_secs(30),
        longest_call: Duration::from_mins(10),
        options: CallOptions::default(),
    }
}

/// The call of that order.
pub(crate) fn call(provider_call_id: Option<&str>) -> CallReference {
    CallReference {
        company_id: order().company_id,
        attempt_id: order().attempt_id,
        provider_call_id: provider_call_id.map(str::to_owned),
    }
}

async fn serve(
    connection: TcpStream,
    ledger: &Mutex<Vec<Request>>,
    script: &(impl Fn(&Request) -> Reply + ?Sized),
) -> Option<()> {
    let mut connection = BufReader::new(connection);
    loop {
        let request = read(&mut connection).await?;
        ledger.lock().unwrap().push(request.clone());
        match script(&request) {
            Reply::Status(status, body) => {
                let length = body.len();
                let head = format!(
                    "HTTP/1.1 {status} Scripted\r\ncontent-type: application/json\r\n\
                     twilio-request-id: RQ1\r\nlocation: /elsewhere\r\ncontent-length: {length}\r\n\r\n"
                );
                send(&mut connection, &(head + &body)).await?;
            }
            Reply::After(seconds) => {
                let head = format!(
                    "HTTP/1.1 429 Scripted\r\nretry-after: {seconds}\r\ncontent-length: 0\r\n\r\n"
                );
                send(&mut connection, &head).await?;
            }
            Reply::Raw(bytes) => return send(&mut connection, bytes).await,
            Reply::Silence => return std::future::pending().await,
            Reply::Beginning => {
                let head = "HTTP/1.1 201 Created\r\ncontent-length: 500\r\n\r\n{\"sid\": \"CA";
                send(&mut connection, head).await?;
                return std::future::pending().await;
            }
            Reply::Endless => {
                let head = "HTTP/1.1 201 Created\r\ntransfer-encoding: chunked\r\n\r\n";
                send(&mut connection, head).await?;
                let chunk = format!("10000\r\n{}\r\n", " ".repeat(0x10000));
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
    let line = head
        .lines()
        .next()?
        .trim_end_matches(" HTTP/1.1")
        .to_owned();
    let head = head.to_lowercase();
    let length = head
        .split_once("content-length: ")
        .and_then(|(_, rest)| rest.lines().next());
    let length = length.map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    connection.read_exact(&mut body).await.ok()?;
    let form = form_urlencoded::parse(&body).into_owned().collect();
    Some(Request { line, head, form })
}
