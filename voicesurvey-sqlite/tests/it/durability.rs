//! What was acknowledged is there afterwards, and nothing else is.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::sync::Arc;

use voicesurvey_core::company::Company;
use voicesurvey_core::id::{CompanyId, IdGenerator};
use voicesurvey_core::ports::{PageRequest, Scope, Storage};
use voicesurvey_core::testing::samples;
use voicesurvey_core::time::SystemClock;
use voicesurvey_sqlite::{OpenMode, SqliteStorage};

use crate::file::DatabaseFile;

/// Tells the child process which file to write; in the parent it is not set.
const CHILD_WRITES: &str = "VOICESURVEY_SQLITE_TEST_CHILD_WRITES";

async fn insert_company(storage: &SqliteStorage) -> CompanyId {
    // Not the sample's own identifier, which another process would give as well.
    let company = Company {
        id: IdGenerator::from_entropy(Arc::new(SystemClock)).next(),
        ..samples::company()
    };
    let mut work = storage.begin(Scope::Platform).await.unwrap();
    work.companies().insert(&company).await.unwrap();
    work.commit().await.unwrap();
    company.id
}

async fn companies(storage: &SqliteStorage) -> Vec<CompanyId> {
    let mut work = storage.begin(Scope::Platform).await.unwrap();
    let mut page = PageRequest::first(PageRequest::LARGEST);
    let mut ids = Vec::new();
    loop {
        let companies = work.companies().list(&page).await.unwrap();
        ids.extend(companies.rows.iter().map(|company| company.id));
        match companies.next {
            Some(cursor) => page = PageRequest::after(cursor, PageRequest::LARGEST),
            None => return ids,
        }
    }
}

#[tokio::test]
async fn what_was_committed_is_there_after_the_store_was_opened_again() {
    let file = DatabaseFile::new();
    let storage = file.serve().await;
    let id = insert_company(&storage).await;
    // Not closed: as after a crash of the program, the write-ahead log is all there is.
    drop(storage);
    assert_eq!(companies(&file.serve().await).await, [id]);
}

#[tokio::test]
async fn a_dropped_unit_of_work_is_not_there_after_the_store_was_opened_again() {
    let file = DatabaseFile::new();
    let storage = file.serve().await;
    let mut work = storage.begin(Scope::Platform).await.unwrap();
    work.companies().insert(&samples::company()).await.unwrap();
    drop(work);
    storage.close().await.unwrap();
    drop(storage);
    assert_eq!(companies(&file.serve().await).await, []);
}

#[tokio::test]
async fn a_unit_of_work_that_is_given_up_while_it_waits_blocks_nobody() {
    let file = DatabaseFile::new();
    let storage = file.serve().await;
    let held = storage.begin(Scope::Platform).await.unwrap();
    tokio::select! {
        biased;
        _ = storage.begin(Scope::Platform) => panic!("two units of work at once"),
        () = std::future::ready(()) => {} // The waiting one is dropped.
    }
    drop(held);
    insert_company(&storage).await;
}

/// The child of the test below: commits one company after the other and says so, until it is
/// killed. In the parent it does nothing.
#[tokio::test]
async fn child_that_commits_until_it_is_killed() {
    let Ok(location) = std::env::var(CHILD_WRITES) else {
        return;
    };
    let storage = SqliteStorage::open(&location, OpenMode::Serve)
        .await
        .unwrap();
    loop {
        println!("committed {}", insert_company(&storage).await);
    }
}

#[test]
fn a_killed_server_loses_nothing_that_it_acknowledged() {
    let file = DatabaseFile::new();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut acknowledged: Vec<CompanyId> = Vec::new();
    for round in 1..=3 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "durability::child_that_commits_until_it_is_killed",
                "--nocapture",
            ])
            .env(CHILD_WRITES, file.location())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut told = BufReader::new(child.stdout.take().unwrap())
            .lines()
            .filter_map(|line| {
                let line = line.unwrap();
                line.split("committed ").nth(1)?.parse::<CompanyId>().ok()
            });
        acknowledged.extend(told.by_ref().take(50));
        // In the middle of its work: the child went on while the parent was reading.
        child.kill().unwrap();
        acknowledged.extend(told);
        child.wait().unwrap();
        let stored = runtime.block_on(async {
            // The lock went with the process.
            let storage = file.serve().await;
            storage.check().await.unwrap();
            companies(&storage).await
        });
        assert!(acknowledged.len() >= 50 * round, "{}", acknowledged.len());
        for id in &acknowledged {
            assert!(stored.contains(id), "{id} was acknowledged and is gone");
        }
        // The last one may have been committed without being acknowledged any more.
        assert!(stored.len() <= acknowledged.len() + round);
    }
}
