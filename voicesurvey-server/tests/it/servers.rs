//! Processes of `voicesurvey serve` on one database, and what they say and when.

use std::ops::Deref;
use std::process::{Output, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use reqwest::Client;
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::watch;
use tokio::time::timeout;
use voicesurvey_core::api_key::Role;
use voicesurvey_core::company::CompanyLimits;
use voicesurvey_core::id::IdGenerator;
use voicesurvey_core::language::Language;
use voicesurvey_core::phone_number::Region;
use voicesurvey_core::ports::NoWakeUp;
use voicesurvey_core::service::{Companies, NewApiKey, NewCompany};
use voicesurvey_core::time::SystemClock;
use voicesurvey_postgres::testing::TestDatabase;

/// How soon somebody must have taken over, whatever happened to the leader.
pub(crate) const TAKE_OVER: Duration = Duration::from_secs(5);
/// How long to wait for anything, on a machine that has other things to do.
const PATIENCE: Duration = Duration::from_secs(30);

/// A database, and a directory in which its servers run.
pub(crate) struct Installation {
    database: TestDatabase,
    directory: TempDir,
}

/// A server that has said where it listens; it is killed with this value.
pub(crate) struct ServerProcess {
    process: tokio::sync::Mutex<Child>,
    id: u32,
    said: Arc<Mutex<Vec<(Instant, String)>>>,
    lines: watch::Receiver<usize>,
    api: Api,
}

impl Deref for ServerProcess {
    type Target = Api;

    fn deref(&self) -> &Api {
        &self.api
    }
}

#[expect(clippy::disallowed_methods, reason = "what is measured is real time")]
fn now() -> Instant {
    Instant::now()
}

impl Installation {
    pub(crate) async fn create() -> Self {
        Self {
            database: TestDatabase::create().await,
            directory: tempfile::tempdir().unwrap(),
        }
    }

    pub(crate) async fn serve(&self, settings: &[(&str, &str)]) -> ServerProcess {
        let mut process = Command::new(env!("CARGO_BIN_EXE_voicesurvey"))
            .args(["serve", "--listen", "127.0.0.1:0", "--database-url"])
            .arg(self.database.url())
            .env_clear()
            .envs(settings.iter().copied())
            .current_dir(self.directory.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let said = Arc::default();
        let (sender, lines) = watch::channel(0);
        let log = process.stderr.take().unwrap();
        tokio::spawn(note(log, Arc::clone(&said), sender));
        let mut server = ServerProcess {
            id: process.id().unwrap(),
            process: tokio::sync::Mutex::new(process),
            said,
            lines,
            api: Api::new(""),
        };
        server.says("Listening on ").await;
        let log = server.log();
        let (_, url) = log.split_once("Listening on ").unwrap();
        server.api = Api::new(url.lines().next().unwrap().trim());
        server
    }

    /// What `voicesurvey preflight` says of it.
    pub(crate) async fn preflight(&self, settings: &[(&str, &str)], arguments: &[&str]) -> Output {
        let run = Command::new(env!("CARGO_BIN_EXE_voicesurvey"))
            .args(["preflight", "--database-url", self.database.url()])
            .args(arguments)
            .env_clear()
            .envs(settings.iter().copied())
            .current_dir(self.directory.path())
            .stdin(Stdio::null())
            .output();
        run.await.unwrap()
    }

    /// The key of an admin of a new company.
    pub(crate) async fn company_key(&self) -> String {
        let clock = Arc::new(SystemClock);
        let ids = Arc::new(IdGenerator::from_entropy(clock.clone()));
        let storage = Arc::new(self.database.storage().clone());
        let companies = Companies::new(storage, clock, ids, Arc::new(NoWakeUp));
        create_company(&companies).await
    }
}

async fn note(
    log: impl AsyncRead + Unpin,
    said: Arc<Mutex<Vec<(Instant, String)>>>,
    lines: watch::Sender<usize>,
) {
    let mut log = BufReader::new(log).lines();
    while let Some(line) = log.next_line().await.unwrap() {
        let mut said = said.lock().unwrap();
        said.push((now(), line));
        lines.send_replace(said.len());
    }
}

impl ServerProcess {
    /// Waits until the log has said so, and returns when it did.
    pub(crate) async fn says(&self, words: &str) -> Instant {
        let mut lines = self.lines.clone();
        let heard = async {
            loop {
                lines.borrow_and_update();
                let found = {
                    let said = self.said.lock().unwrap();
                    let mut found = said.iter().filter(|(_, line)| line.contains(words));
                    found.next().map(|(at, _)| *at)
                };
                if let Some(at) = found {
                    return at;
                }
                lines.changed().await.expect("the server ended");
            }
        };
        let heard = timeout(PATIENCE, heard).await;
        heard.unwrap_or_else(|_| panic!("it never said {words:?}: {}", self.log()))
    }

    /// Everything it has said.
    pub(crate) fn log(&self) -> String {
        let said = self.said.lock().unwrap();
        let lines: Vec<&str> = said.iter().map(|(_, line)| line.as_str()).collect();
        lines.join("\n")
    }

    /// Sends a signal, and returns when that was.
    pub(crate) async fn signal(&self, name: &str) -> Instant {
        let at = now();
        let command = format!("kill -{name} {}", self.id);
        let sent = Command::new("sh").args(["-c", &command]).status().await;
        assert!(sent.unwrap().success());
        at
    }

    /// Waits until it has ended as it was asked to.
    pub(crate) async fn ends_well(&self) {
        let mut process = self.process.lock().await;
        let status = timeout(Duration::from_secs(10), process.wait()).await;
        let status = status.expect("it ends within ten seconds").unwrap();
        assert_eq!(status.code(), Some(0), "{}", self.log());
    }
}

/// Somebody who talks to a server.
pub(crate) struct Api {
    url: String,
    client: Client,
}

impl Api {
    /// Of the server with that URL.
    pub(crate) fn new(url: impl Into<String>) -> Self {
        let client = Client::builder().no_proxy().timeout(PATIENCE);
        Self {
            url: url.into(),
            client: client.build().unwrap(),
        }
    }

    /// What the server says to the question whether it is ready.
    pub(crate) async fn readiness(&self) -> (u16, Value) {
        let url = format!("{}/readyz", self.url);
        let answer = self.client.get(url).send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    /// Creates a campaign, and returns its path.
    pub(crate) async fn create_campaign(&self, key: &str, settings: &Value) -> String {
        let request = self.client.post(format!("{}/api/campaigns", self.url));
        let created = request.bearer_auth(key).json(settings).send();
        let created = created.await.unwrap();
        let path = created.headers().get("location").cloned();
        let body = created.text().await.unwrap();
        let path = path.unwrap_or_else(|| panic!("{body}"));
        path.to_str().unwrap().to_owned()
    }

    /// Posts nothing, which must succeed, and returns when it did.
    pub(crate) async fn post(&self, key: &str, path: &str) -> Instant {
        let request = self.client.post(format!("{}{path}", self.url));
        let answer = request.bearer_auth(key).send().await.unwrap();
        let status = answer.status();
        let body = answer.text().await.unwrap();
        assert!(status.is_success(), "{status}: {body}");
        now()
    }

    /// Uploads a call list, and returns when it was stored.
    pub(crate) async fn upload(&self, key: &str, campaign: &str, list: &str) -> Instant {
        let file = Part::text(list.to_owned()).file_name("list.csv");
        let url = format!("{}{campaign}/contacts/upload", self.url);
        let request = self.client.post(url).bearer_auth(key);
        let form = Form::new().part("file", file);
        let answer = request.multipart(form).send().await.unwrap();
        assert_eq!(answer.status(), 201, "{answer:?}");
        now()
    }

    /// Waits until at least so many calls were made, and returns how long after `begun` that was.
    pub(crate) async fn waits_for_calls(
        &self,
        key: &str,
        campaign: &str,
        calls: u64,
        begun: Instant,
    ) -> Duration {
        let made = async {
            while self.stats(key, campaign).await["total_attempts"].as_u64() < Some(calls) {
                tokio::task::yield_now().await;
            }
            now() - begun
        };
        let made = timeout(PATIENCE, made).await;
        made.unwrap_or_else(|_| panic!("no call was made"))
    }

    /// What a campaign's rows add up to.
    pub(crate) async fn stats(&self, key: &str, campaign: &str) -> Value {
        self.get(key, &format!("{campaign}/stats")).await
    }

    /// What the server shows at a path.
    pub(crate) async fn get(&self, key: &str, path: &str) -> Value {
        let url = format!("{}{path}", self.url);
        let answer = self.client.get(url).bearer_auth(key).send().await.unwrap();
        answer.json().await.unwrap()
    }

    /// Where it listens.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }
}

/// A new company in Rome, and the key of its admin.
pub(crate) async fn create_company(companies: &Companies) -> String {
    let company = NewCompany {
        name: "Acme".to_owned(),
        time_zone: "Europe/Rome".parse().unwrap(),
        region: Region::IT,
        language: Language::It,
        limits: CompanyLimits {
            max_concurrent_calls: 1_000,
            calls_per_minute: 60_000,
        },
    };
    let company = companies.create(company).await.unwrap();
    let key = NewApiKey {
        name: "admin".to_owned(),
        role: Role::Admin,
        expires_at: None,
    };
    let (_, secret) = companies.create_first_key(company.id, key).await.unwrap();
    secret.reveal().to_owned()
}

/// A campaign of which somebody can be called at any time.
pub(crate) fn open_day_and_night() -> Value {
    let all_day = json!([["00:00", "24:00"]]);
    json!({
        "name": "Night shift",
        "language": "it",
        "intro_script": "Buongiorno. Possiamo farle una domanda?",
        "questions": [{ "text": "Come sta oggi?", "type": "free_text" }],
        "completion_message": "Grazie.",
        "max_concurrent_calls": 100,
        "calls_per_minute": 6_000,
        "calling_hours": { "weekly": {
            "mon": all_day, "tue": all_day, "wed": all_day, "thu": all_day, "fri": all_day,
            "sat": all_day, "sun": all_day,
        } },
    })
}
