//! The processes of a kill test: two servers, the stand-in for a provider, and their database.

use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;
use voicesurvey_postgres::PostgresStorage;
use voicesurvey_postgres::testing::TestDatabase;
use voicesurvey_server::stand_in::{Counts, LedgerBody};

/// What everybody reads. Calls take a sixtieth of their time, and leases with them.
const CONFIGURATION: &str = r#"
[telephony]
provider = "stand_in"

[telephony.stand_in]
secret = "known to servers and stand-in only"
patience_milliseconds = 1500

[telephony.simulated]
speed = 60

[telephony.simulated.faults]
rejected = 0.01
retry_later = 0.03
unknown_but_placed = 0.03
unknown_and_not_placed = 0.03
lost = 0.10
delivered_twice = 0.20
delayed = 0.30
delayed_by_seconds = { from = 1, to = 300 }

[telephony.simulated.population.lines]
busy = 0.05
picks_up = [
    1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0,
    1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0,
]

[telephony.simulated.population.numbers]
voicemail = 0.1

[telephony.simulated.population.consent]
hangs_up = 0.03
calls_back = 0.03
consents = 0.9

[engine]
dial_within_seconds = 1
grace_after_deadline_seconds = 2
unanswered_lease_seconds = 5
answered_lease_seconds = 5
"#;

/// How long anything that is waited for may take.
const PATIENCE: Duration = Duration::from_mins(2);

/// The processes, and what they run on.
pub(super) struct Machines {
    pub(super) client: reqwest::Client,
    database: TestDatabase,
    directory: TempDir,
    stand_in: Process,
    servers: Vec<Process>,
    /// What killed servers have said.
    last_words: Vec<String>,
}

/// A process that has said where it listens.
struct Process {
    child: Child,
    url: String,
    log: JoinHandle<String>,
}

impl Process {
    async fn start(mut command: Command) -> Self {
        let mut child = command.spawn().unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut log = String::new();
        let listening = async {
            loop {
                let begun = log.len();
                let read = stderr.read_line(&mut log).await.unwrap();
                assert_ne!(read, 0, "the process ended: {log}");
                if let Some((_, url)) = log[begun..].split_once("Listening on ") {
                    break url.trim().to_owned();
                }
            }
        };
        let url = tokio::time::timeout(PATIENCE, listening).await.unwrap();
        let log = tokio::spawn(async move {
            let mut rest = Vec::new();
            stderr.read_to_end(&mut rest).await.unwrap();
            log.push_str(&String::from_utf8_lossy(&rest));
            log
        });
        Self { child, url, log }
    }

    /// Ends the process as `kill -9` does, and returns its log.
    async fn kill(mut self) -> String {
        self.child.kill().await.unwrap();
        self.log.await.unwrap()
    }
}

impl Machines {
    pub(super) async fn start(seed: u64) -> Self {
        let database = TestDatabase::create().await;
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("voicesurvey.toml");
        std::fs::write(file, CONFIGURATION).unwrap();
        let mut command = command(
            &directory,
            &["provider-stand-in", "--listen", "127.0.0.1:0"],
        );
        command.env("VOICESURVEY_TELEPHONY_SIMULATED_SEED", seed.to_string());
        let stand_in = Process::start(command).await;
        let client = reqwest::Client::builder()
            .no_proxy()
            .timeout(Duration::from_mins(1))
            .build()
            .unwrap();
        let mut machines = Self {
            client,
            database,
            directory,
            stand_in,
            servers: Vec::new(),
            last_words: Vec::new(),
        };
        for _ in 0..2 {
            let server = machines.start_server().await;
            machines.servers.push(server);
        }
        machines.tell_where_servers_are().await;
        machines.wait_until_ready().await;
        machines
    }

    async fn start_server(&self) -> Process {
        Process::start(self.command(&["serve", "--listen", "127.0.0.1:0"])).await
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = command(&self.directory, arguments);
        command
            .env("VOICESURVEY_DATABASE_URL", self.database.url())
            .env("VOICESURVEY_TELEPHONY_STAND_IN_URL", &self.stand_in.url);
        command
    }

    /// Runs a command that prints JSON.
    pub(super) async fn json_of(&self, arguments: &[&str]) -> Value {
        let output = self.command(arguments).output().await.unwrap();
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// Kills a server and starts it again; another port is another address, and the provider is
    /// told when it is known.
    pub(super) async fn kill_and_restart(&mut self, index: usize) {
        let killed = self.servers.remove(index);
        self.last_words.push(killed.kill().await);
        let started = self.start_server().await;
        self.servers.insert(index, started);
        self.tell_where_servers_are().await;
    }

    async fn tell_where_servers_are(&self) {
        let urls: Vec<&str> = self.servers.iter().map(|server| &*server.url).collect();
        let url = format!("{}/servers", self.stand_in.url);
        let told = self.client.put(url).json(&urls).send().await.unwrap();
        assert_eq!(told.status(), 204);
    }

    /// Waits until both servers say that they can work.
    pub(super) async fn wait_until_ready(&self) {
        for server in &self.servers {
            let url = format!("{}/readyz", server.url);
            until("a server to be ready", async || {
                let answer = self.client.get(&url).send().await.ok()?;
                answer.status().is_success().then_some(())
            })
            .await;
        }
    }

    /// A URL of the first server.
    pub(super) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.servers[0].url)
    }

    pub(super) const fn storage(&self) -> &PostgresStorage {
        self.database.storage()
    }

    pub(super) async fn counts(&self) -> Counts {
        let url = format!("{}/counts", self.stand_in.url);
        let answer = self.client.get(url).send().await.unwrap();
        answer.json().await.unwrap()
    }

    pub(super) async fn ledger(&self) -> LedgerBody {
        let url = format!("{}/ledger", self.stand_in.url);
        let answer = self.client.get(url).send().await.unwrap();
        answer.json().await.unwrap()
    }

    /// Ends everything, and returns all logs.
    pub(super) async fn stop(self) -> Vec<String> {
        let mut logs = self.last_words;
        for process in self.servers.into_iter().chain([self.stand_in]) {
            logs.push(process.kill().await);
        }
        logs
    }
}

fn command(directory: &TempDir, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_voicesurvey"));
    command
        .args(arguments)
        .env_clear()
        .current_dir(directory.path())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

/// Waits until there is something, but not for ever.
pub(super) async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let found = async {
        loop {
            if let Some(found) = look().await {
                break found;
            }
            pause().await;
        }
    };
    tokio::time::timeout(PATIENCE, found)
        .await
        .unwrap_or_else(|_| panic!("waited in vain for {what}"))
}

/// A moment between two looks at processes, whose time is not ours to advance.
#[expect(clippy::disallowed_methods, reason = "processes run on the real time")]
pub(super) async fn pause() {
    tokio::time::sleep(Duration::from_millis(100)).await;
}
