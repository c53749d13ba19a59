//! `voicesurvey dry-run`, beside a store that somebody else has filled.

use std::path::Path;
use std::process::Output;

use serde_json::Value;
use tokio::process::Command;
use voicesurvey_core::campaign::Campaign;
use voicesurvey_core::ports::{Scope, Storage as _};
use voicesurvey_core::testing::samples;
use voicesurvey_sqlite::{OpenMode, SqliteStorage};

/// A database with one campaign that has that many contacts.
async fn campaign_in(file: &Path, contacts: u32) -> Campaign {
    let storage = SqliteStorage::open(file.to_str().unwrap(), OpenMode::Command)
        .await
        .unwrap();
    let company = samples::company();
    let campaign = samples::campaign(&company);
    let mut work = storage.begin(Scope::Platform).await.unwrap();
    work.companies().insert(&company).await.unwrap();
    let skillbase = samples::skillbase(&company);
    work.skillbases().insert(&skillbase).await.unwrap();
    work.campaigns().insert(&campaign).await.unwrap();
    let tasks = samples::tasks(&campaign, 0, contacts);
    work.call_tasks().insert_many(&tasks).await.unwrap();
    work.commit().await.unwrap();
    storage.close().await.unwrap();
    campaign
}

async fn dry_run(directory: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_voicesurvey"))
        .arg("dry-run")
        .args(arguments)
        .env_clear()
        .current_dir(directory)
        .output()
        .await
        .unwrap()
}

#[tokio::test]
async fn the_report_is_printed_for_people_and_as_json() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("voicesurvey.db");
    let campaign = campaign_in(&file, 2_500).await.id.to_string();
    let arguments = ["--campaign", &campaign, "--seed", "5"];

    let printed = dry_run(directory.path(), &arguments).await;
    assert!(printed.status.success(), "{printed:?}");
    let text = String::from_utf8(printed.stdout).unwrap();
    let expected = [
        "The campaign finishes: everybody is dealt with.",
        "Contacts    2500",
        "attempts_used_up: All attempts are used up.",
        "I8 Who has refused",
    ];
    for line in expected {
        assert!(text.contains(line), "{line}: {text}");
    }

    let printed = dry_run(directory.path(), &[&arguments[..], &["--json"]].concat()).await;
    let report: Value = serde_json::from_slice(&printed.stdout).unwrap();
    assert_eq!(
        (&report["seed"], &report["contacts"]),
        (&5.into(), &2_500.into())
    );
    assert!(
        text.contains(&format!("Completes   {}", report["completes"])),
        "{text}"
    );
}

#[tokio::test]
async fn what_cannot_be_tried_out_is_refused_with_the_reason() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("voicesurvey.db");
    let campaign = campaign_in(&file, 0).await.id.to_string();
    let unknown = "01935000-0000-7000-8000-000000000000";
    for (arguments, code, said) in [
        (
            vec!["--campaign", &campaign],
            1,
            "no contacts that are still to be called",
        ),
        (
            vec!["--campaign", unknown],
            1,
            "the campaign does not exist",
        ),
        (
            vec!["--campaign", &campaign, "--pick-up-rate", "2"],
            2,
            "between 0 and 1",
        ),
        (vec![], 2, "--campaign"),
    ] {
        let refused = dry_run(directory.path(), &arguments).await;
        let text = String::from_utf8(refused.stderr).unwrap();
        assert_eq!(refused.status.code(), Some(code), "{arguments:?}: {text}");
        assert!(text.contains(said), "{arguments:?}: {text}");
        assert!(refused.stdout.is_empty());
    }
}
