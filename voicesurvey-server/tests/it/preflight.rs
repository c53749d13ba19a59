//! `voicesurvey preflight`: what it says of healthy and of damaged databases, and how it ends.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use voicesurvey_core::ports::{Scope, Storage as _};
use voicesurvey_core::testing::samples::{self, SampleCampaign as _};
use voicesurvey_postgres::testing::TestDatabase;
use voicesurvey_sqlite::{OpenMode, SqliteStorage};

/// Runs it in that directory, without anybody's environment.
pub(crate) fn preflight(directory: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_voicesurvey"))
        .arg("preflight")
        .args(arguments)
        .env_clear()
        .current_dir(directory)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn printed(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[tokio::test]
async fn a_healthy_database_passes_every_gate_beside_its_server() {
    let directory = tempfile::tempdir().unwrap();
    let location = format!("sqlite://{}", directory.path().join("survey.db").display());
    let server = SqliteStorage::open(&location, OpenMode::Serve)
        .await
        .unwrap();
    let output = preflight(directory.path(), &["--database-url", &location]);
    let screen = printed(&output);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(
        screen.contains("PASS I3 at most one live call per number\n"),
        "{screen}"
    );
    assert!(
        screen.contains("PASS schema the schema is the one"),
        "{screen}"
    );
    assert!(
        screen.contains("SKIP leader one server leads: the store takes"),
        "{screen}"
    );
    assert!(
        !screen.contains("FAIL") && !screen.contains("WARN"),
        "{screen}"
    );
    server.close().await.unwrap();
}

#[tokio::test]
async fn a_damaged_database_fails_with_examples_and_what_to_do() {
    let database = TestDatabase::create().await;
    let company = samples::company();
    let campaign = samples::campaign(&company).running();
    let mut work = database.storage().begin(Scope::Platform).await.unwrap();
    work.companies().insert(&company).await.unwrap();
    let skillbase = samples::skillbase(&company);
    work.skillbases().insert(&skillbase).await.unwrap();
    work.campaigns().insert(&campaign).await.unwrap();
    work.commit().await.unwrap();
    let directory = tempfile::tempdir().unwrap();
    let arguments = ["--database-url", database.url(), "--json"];
    let output = preflight(directory.path(), &arguments);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (output.status.code(), &report["ready"]),
        (Some(0), &true.into())
    );

    database
        .damage("UPDATE campaign_queue SET in_flight = 3")
        .await;
    let output = preflight(directory.path(), &arguments);
    assert_eq!(output.status.code(), Some(1));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["ready"], false);
    let gates = report["gates"].as_array().unwrap();
    let failed: Vec<_> = gates
        .iter()
        .filter(|gate| gate["result"] == "fail")
        .collect();
    assert_eq!(failed.len(), 1, "{report:#}");
    assert_eq!(failed[0]["about"], "I12");
    let example = failed[0]["examples"][0].as_str().unwrap();
    assert!(example.contains(&campaign.id.to_string()), "{example}");

    let output = preflight(directory.path(), &arguments[..2]);
    let screen = printed(&output);
    for part in [
        "FAIL I12 lines in use equal the live calls: 1 is wrong\n",
        "lines in use: 3 counted, 0 stored\n",
        "What to do: ",
    ] {
        assert!(screen.contains(part), "{part}: {screen}");
    }
    assert!(said(&output).contains("1 of 33 gates failed"), "{output:?}");
}

#[tokio::test]
async fn a_database_that_was_not_migrated_fails_and_is_left_alone() {
    let database = TestDatabase::create_empty().await;
    let directory = tempfile::tempdir().unwrap();
    for _ in 0..2 {
        let output = preflight(directory.path(), &["--database-url", database.url()]);
        let screen = printed(&output);
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        assert!(screen.starts_with("FAIL schema"), "{screen}");
        assert!(
            screen.contains("voicesurvey migrate --database-url postgres://"),
            "{screen}"
        );
        assert!(
            screen.contains("SKIP I3 at most one live call per number"),
            "{screen}"
        );
    }
}

#[tokio::test]
async fn what_cannot_be_looked_at_ends_with_its_own_code() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("bad.toml"), "[database]\nurll = 5\n").unwrap();
    std::fs::write(directory.path().join("letter.txt"), "Dear all, ".repeat(99)).unwrap();
    for (arguments, reason) in [
        (
            ["--database-url", "sqlite://none.db"],
            "there is no database none.db",
        ),
        (
            ["--database-url", "sqlite://letter.txt"],
            "not a database of voicesurvey",
        ),
        (
            ["--database-url", "mysql://me:secret@db/survey"],
            "use sqlite://FILE",
        ),
        // Port 1 of this machine: nobody listens there.
        (
            ["--database-url", "postgres://me:secret@127.0.0.1:1/x"],
            "127.0.0.1:1",
        ),
        (["--config", "bad.toml"], "database.urll"),
    ] {
        let output = preflight(directory.path(), &arguments);
        let said = said(&output);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
        assert!(
            said.contains(reason) && !said.contains("secret"),
            "{arguments:?}: {said}"
        );
        assert_eq!(printed(&output), "");
    }
    assert!(!directory.path().join("none.db").exists());
}
