//! The program as its users meet it: commands, exit codes, what is printed and what is logged.

use std::path::Path;
use std::process::{Output, Stdio};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::process::{Child, ChildStderr, Command};
use voicesurvey_postgres::testing::TestDatabase;

/// A directory of its own, in which the program runs without anybody's environment.
struct Place {
    directory: TempDir,
}

impl Place {
    fn new() -> Self {
        Self {
            directory: tempfile::tempdir().unwrap(),
        }
    }

    fn path(&self) -> &Path {
        self.directory.path()
    }

    fn write(&self, file: &str, content: &str) {
        std::fs::write(self.path().join(file), content).unwrap();
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_voicesurvey"));
        command
            .args(arguments)
            .env_clear()
            .current_dir(self.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command
    }

    async fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().await.unwrap()
    }

    /// Runs a command that must succeed, and returns what it prints, without the line break.
    async fn printed(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments).await;
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        String::from_utf8(output.stdout)
            .unwrap()
            .trim_end()
            .to_owned()
    }

    /// Runs a command that must fail with that exit code, and returns what it says.
    async fn refusal(&self, code: i32, arguments: &[&str]) -> String {
        let output = self.run(arguments).await;
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
        assert!(output.stdout.is_empty(), "{arguments:?}");
        said
    }

    async fn serve(&self, arguments: &[&str]) -> RunningServer {
        let arguments = [&["serve", "--listen", "127.0.0.1:0"], arguments].concat();
        RunningServer::start(self.command(&arguments)).await
    }

    /// Creates a company and a key for it.
    async fn company_and_key(&self, arguments: &[&str]) -> (String, String) {
        let create = ["company", "create", "--name", "Acme", "--json"];
        let company = self.printed(&[&create, arguments].concat()).await;
        let company: Value = serde_json::from_str(&company).unwrap();
        let company = company["id"].as_str().unwrap().to_owned();
        let create = [
            "api-key",
            "create",
            "--role",
            "admin",
            "--json",
            "--company",
            &company,
        ];
        let key = self.printed(&[&create, arguments].concat()).await;
        let key: Value = serde_json::from_str(&key).unwrap();
        (company, key["key"].as_str().unwrap().to_owned())
    }
}

/// A server that has said where it listens.
struct RunningServer {
    process: Child,
    log: String,
    rest_of_log: BufReader<ChildStderr>,
    url: String,
    client: reqwest::Client,
}

impl RunningServer {
    async fn start(mut command: Command) -> Self {
        let mut process = command.spawn().unwrap();
        let mut rest_of_log = BufReader::new(process.stderr.take().unwrap());
        let mut log = String::new();
        let url = loop {
            let begun = log.len();
            let read = rest_of_log.read_line(&mut log).await.unwrap();
            assert_ne!(read, 0, "the server ended: {log}");
            if let Some((_, url)) = log[begun..].split_once("Listening on ") {
                break url.trim().to_owned();
            }
        };
        let client = reqwest::Client::builder()
            .timeout(Duration::from_secs(20))
            .build()
            .unwrap();
        Self {
            process,
            log,
            rest_of_log,
            url,
            client,
        }
    }

    fn get(&self, path: &str) -> reqwest::RequestBuilder {
        self.client.get(format!("{}{path}", self.url))
    }

    fn post(&self, path: &str) -> reqwest::RequestBuilder {
        self.client.post(format!("{}{path}", self.url))
    }

    /// Asks it to end as a service manager does, and returns its whole log.
    async fn terminate(mut self) -> String {
        let id = self.process.id().unwrap();
        let kill = Command::new("sh")
            .args(["-c", &format!("kill -TERM {id}")])
            .status()
            .await;
        assert!(kill.unwrap().success());
        let stopped = async {
            self.rest_of_log
                .read_to_string(&mut self.log)
                .await
                .unwrap();
            self.process.wait().await.unwrap()
        };
        let status = tokio::time::timeout(Duration::from_secs(10), stopped).await;
        let status = status.expect("the server stops within ten seconds");
        assert_eq!(status.code(), Some(0), "{}", self.log);
        self.log
    }
}

#[tokio::test]
async fn a_company_and_a_key_that_were_made_beside_the_server_open_the_api() {
    let place = Place::new();
    let server = place.serve(&[]).await;
    let (company, key) = place.company_and_key(&[]).await;
    let path = format!("/api/companies/{company}");
    let answer = server.get(&path).bearer_auth(&key).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let body: Value = answer.json().await.unwrap();
    assert_eq!(
        (&body["id"], &body["name"]),
        (&company.into(), &"Acme".into())
    );
    let wrong = server
        .get(&path)
        .bearer_auth("vsk_wrong")
        .send()
        .await
        .unwrap();
    assert_eq!(wrong.status(), 401);
    let log = server.terminate().await;
    assert!(!log.contains(&key), "{log}");
}

#[tokio::test]
async fn without_json_only_the_id_and_the_key_are_printed() {
    let place = Place::new();
    let company = place
        .printed(&["company", "create", "--name", "Acme"])
        .await;
    assert_eq!(company.len(), 36);
    let create = [
        "api-key",
        "create",
        "--company",
        &company,
        "--role",
        "viewer",
    ];
    let key = place.printed(&create).await;
    assert!(key.starts_with("vsk_") && key.len() == 44, "{key}");
}

#[tokio::test]
async fn what_cannot_be_created_is_refused_with_the_reason() {
    let place = Place::new();
    let nobody = "01890000-0000-7000-8000-000000000000";
    let said = place
        .refusal(
            1,
            &["api-key", "create", "--company", nobody, "--role", "admin"],
        )
        .await;
    assert!(said.contains("no such company"), "{said}");
    let said = place
        .refusal(1, &["company", "create", "--name", " "])
        .await;
    assert!(said.contains("name: must not be empty"), "{said}");
    let create = [
        "company",
        "create",
        "--name",
        "Acme",
        "--time-zone",
        "Mars/Olympus",
    ];
    let said = place.refusal(2, &create).await;
    assert!(said.contains("Mars/Olympus"), "{said}");
    let create = ["api-key", "create", "--company", nobody, "--role", "king"];
    let said = place.refusal(2, &create).await;
    assert!(said.contains("use admin, manager or viewer"), "{said}");
}

#[tokio::test]
async fn postgresql_is_migrated_by_a_command_and_never_by_the_server() {
    let place = Place::new();
    let database = TestDatabase::create_empty().await;
    let arguments = ["--database-url", database.url()];
    let said = place
        .refusal(
            1,
            &[&["serve", "--listen", "127.0.0.1:0"][..], &arguments].concat(),
        )
        .await;
    assert!(
        said.contains("voicesurvey migrate --database-url postgres://"),
        "{said}"
    );
    let create = ["company", "create", "--name", "Acme"];
    let said = place.refusal(1, &[&create[..], &arguments].concat()).await;
    assert!(said.contains("voicesurvey migrate"), "{said}");

    let migrate = [&["migrate"][..], &arguments].concat();
    assert!(place.printed(&migrate).await.contains("was migrated"));
    assert!(place.printed(&migrate).await.contains("is up to date"));

    let server = place.serve(&arguments).await;
    let (company, key) = place.company_and_key(&arguments).await;
    let path = format!("/api/companies/{company}");
    let answer = server.get(&path).bearer_auth(&key).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let log = server.terminate().await;
    assert!(
        !log.contains(":voicesurvey_test@"),
        "the password is in the log: {log}"
    );
}

#[tokio::test]
async fn the_embedded_store_needs_no_migration_and_takes_one() {
    let place = Place::new();
    assert!(place.printed(&["migrate"]).await.contains("was migrated"));
    assert!(place.printed(&["migrate"]).await.contains("is up to date"));
    assert!(place.path().join("voicesurvey.db").is_file());
}

#[tokio::test]
async fn a_port_that_is_in_use_is_named_with_what_to_do() {
    let place = Place::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let said = place.refusal(1, &["serve", "--listen", &address]).await;
    let expected = format!("{address} is already in use; choose another with --listen");
    assert!(said.contains(&expected), "{said}");
    assert!(
        !place.path().join("voicesurvey.db").exists(),
        "nothing is begun"
    );
}

#[tokio::test]
async fn a_wrong_configuration_names_the_setting_and_the_file() {
    let place = Place::new();
    place.write("voicesurvey.toml", "[database]\nmax_connection = 5\n");
    let said = place.refusal(1, &["serve"]).await;
    for part in [
        "database.max_connection",
        "voicesurvey.toml",
        "max_connections",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    place.write("other.toml", "[telephony]\nprovider = \"pigeon\"\n");
    let said = place.refusal(1, &["serve", "--config", "other.toml"]).await;
    assert!(
        said.contains("telephony.provider in") && said.contains("use simulated"),
        "{said}"
    );
    let said = place
        .refusal(1, &["serve", "--config", "missing.toml"])
        .await;
    assert!(said.contains("missing.toml cannot be read"), "{said}");
    place.refusal(2, &["serve", "--port", "1"]).await;
}

#[tokio::test]
async fn a_database_that_cannot_be_used_is_refused_with_what_to_do() {
    let place = Place::new();
    place.write("letter.txt", &"Dear all, this is no database. ".repeat(100));
    for (url, parts) in [
        (
            "mysql://me:secret@db/survey",
            &["sqlite://FILE", "postgres://USER"][..],
        ),
        (
            "sqlite://missing/survey.db",
            &["missing", "create it first"],
        ),
        (
            "sqlite://letter.txt",
            &["letter.txt", "not a database of voicesurvey"],
        ),
        // Port 1 of this machine: nobody listens there.
        (
            "postgres://me:secret@127.0.0.1:1/survey",
            &["127.0.0.1:1", "because:"],
        ),
    ] {
        let serve = ["serve", "--listen", "127.0.0.1:0", "--database-url", url];
        let refused = place.refusal(1, &serve);
        let said = tokio::time::timeout(Duration::from_secs(15), refused)
            .await
            .expect(url);
        for part in parts {
            assert!(said.contains(part), "{part}: {said}");
        }
        assert!(!said.contains("secret"), "{said}");
    }
    let letter = std::fs::read_to_string(place.path().join("letter.txt")).unwrap();
    assert!(letter.starts_with("Dear all"), "the file was left alone");
}

#[tokio::test]
async fn a_second_server_on_the_same_file_is_refused() {
    let place = Place::new();
    let server = place.serve(&[]).await;
    let said = place
        .refusal(1, &["serve", "--listen", "127.0.0.1:0"])
        .await;
    assert!(said.contains("serves one server at a time"), "{said}");
    server.terminate().await;
    place.serve(&[]).await.terminate().await;
}

#[tokio::test]
async fn the_start_is_logged_with_the_telephony_provider() {
    let place = Place::new();
    let log = place.serve(&[]).await.terminate().await;
    for part in [
        "Application starting",
        concat!("version=\"", env!("CARGO_PKG_VERSION"), "\""),
        "database=sqlite://voicesurvey.db",
        "Creating telephony provider provider=simulated",
        "Scheduler enabled",
        "/api/docs",
        "Stopping",
        "Stopped",
    ] {
        assert!(log.contains(part), "{part} is missing: {log}");
    }
    assert!(!log.contains('\u{1b}'), "no colours where nobody sees them");
}

#[tokio::test]
async fn the_log_can_be_json() {
    let place = Place::new();
    let mut command = place.command(&["serve", "--listen", "127.0.0.1:0"]);
    command.env("VOICESURVEY_LOG_FORMAT", "json");
    let mut process = command.spawn().unwrap();
    let mut lines = BufReader::new(process.stderr.take().unwrap()).lines();
    let first: Value = serde_json::from_str(&lines.next_line().await.unwrap().unwrap()).unwrap();
    assert_eq!(first["message"], "Application starting");
    assert_eq!(first["level"], "INFO");
}

#[tokio::test]
async fn an_empty_telephony_webhook_is_answered_and_is_no_error() {
    let place = Place::new();
    let server = place.serve(&[]).await;
    let answer = server
        .post("/webhooks/telephony/events")
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 204);
    assert_eq!(answer.bytes().await.unwrap().len(), 0);
    let log = server.terminate().await;
    assert!(!log.contains("ERROR") && !log.contains("WARN"), "{log}");
}

#[tokio::test]
async fn requests_are_logged_by_their_route_and_without_what_was_asked() {
    let place = Place::new();
    let (company, key) = place.company_and_key(&[]).await;
    let server = place.serve(&[]).await;
    let path = format!("/api/companies/{company}?q=%2B393331234567");
    let answer = server.get(&path).bearer_auth(&key).send().await.unwrap();
    let id = answer.headers()["x-request-id"]
        .to_str()
        .unwrap()
        .to_owned();
    server
        .get("/api/nothing/393331234567")
        .bearer_auth(&key)
        .send()
        .await
        .unwrap();
    let log = server.terminate().await;
    let line = log
        .lines()
        .find(|line| line.contains(&id))
        .expect("the request is logged");
    for part in ["GET", "/api/companies/{id}", "status=200"] {
        assert!(line.contains(part), "{part}: {line}");
    }
    assert!(
        !log.contains("393331234567") && !log.contains(&key),
        "{log}"
    );
}

#[tokio::test]
async fn the_openapi_document_is_printed() {
    let document = Place::new().printed(&["openapi"]).await;
    let document: Value = serde_json::from_str(&document).unwrap();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    assert!(document["paths"]["/api/campaigns"]["post"].is_object());
}
