//! One server per file; commands may run beside it.

use std::fs;

use voicesurvey_core::ports::{Scope, Storage};
use voicesurvey_core::testing::samples;
use voicesurvey_sqlite::{OpenError, OpenMode, SqliteStorage};

use crate::file::DatabaseFile;

#[tokio::test]
async fn a_second_server_is_told_who_has_the_file() {
    let file = DatabaseFile::new();
    let _first = file.serve().await;
    let second = SqliteStorage::open(&file.location(), OpenMode::Serve).await;
    let error = second.unwrap_err();
    let OpenError::InUse { by, .. } = &error else {
        panic!("{error:?}")
    };
    assert_eq!(*by, Some(std::process::id()));
    assert!(
        error.to_string().contains("one server at a time"),
        "{error}"
    );
}

#[cfg(unix)]
#[tokio::test]
async fn another_name_of_the_file_does_not_get_around_the_lock() {
    let file = DatabaseFile::new();
    let _first = file.serve().await;
    let link = file.path().with_file_name("link.db");
    std::os::unix::fs::symlink(file.path(), &link).unwrap();
    let second = SqliteStorage::open(link.to_str().unwrap(), OpenMode::Serve).await;
    assert!(matches!(second, Err(OpenError::InUse { .. })), "{second:?}");
}

#[tokio::test]
async fn the_next_server_may_have_the_file_when_the_first_has_ended() {
    let file = DatabaseFile::new();
    let first = file.serve().await;
    first.close().await.unwrap();
    drop(first);
    file.serve().await.check().await.unwrap();
}

#[tokio::test]
async fn a_lock_file_that_was_left_behind_means_nothing() {
    let file = DatabaseFile::new();
    fs::write(file.path().with_extension("db.lock"), "4711\n").unwrap();
    file.serve().await.check().await.unwrap();
}

#[tokio::test]
async fn a_command_works_beside_the_server() {
    let file = DatabaseFile::new();
    let server = file.serve().await;
    let command = SqliteStorage::open(&file.location(), OpenMode::Command)
        .await
        .unwrap();
    let company = samples::company();
    let mut work = command.begin(Scope::Platform).await.unwrap();
    work.companies().insert(&company).await.unwrap();
    work.commit().await.unwrap();
    let mut work = server.begin(Scope::Company(company.id)).await.unwrap();
    assert_eq!(
        work.companies().get(company.id).await.unwrap(),
        Some(company)
    );
}

#[tokio::test]
async fn a_command_may_come_before_the_first_server() {
    let file = DatabaseFile::new();
    let command = SqliteStorage::open(&file.location(), OpenMode::Command)
        .await
        .unwrap();
    command.check().await.unwrap();
    file.serve().await.check().await.unwrap();
}
