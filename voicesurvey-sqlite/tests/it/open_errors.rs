//! What can be wrong with a file is said in words that tell what to do, and the file stays as it is.

use std::fs;

use sqlx::{ConnectOptions as _, Connection as _, Executor as _};
use voicesurvey_core::ports::{Storage, StorageError};
use voicesurvey_sqlite::{OpenError, OpenMode, SqliteStorage};

use crate::file::DatabaseFile;

async fn refusal(location: &str) -> OpenError {
    SqliteStorage::open(location, OpenMode::Serve)
        .await
        .unwrap_err()
}

/// Does something to the file behind the store's back.
async fn execute(file: &DatabaseFile, sql: &'static str) {
    let options = sqlx::sqlite::SqliteConnectOptions::new()
        .filename(file.path())
        .create_if_missing(true);
    let mut connection = options.connect().await.unwrap();
    connection.execute(sql).await.unwrap();
    connection.close().await.unwrap();
}

#[tokio::test]
async fn a_missing_directory_is_named() {
    let file = DatabaseFile::new();
    let nowhere = file.path().with_file_name("nowhere");
    let location = format!("sqlite://{}/survey.db", nowhere.display());
    let error = refusal(&location).await;
    assert!(matches!(&error, OpenError::MissingDirectory { directory } if *directory == nowhere));
    assert!(!nowhere.exists());
}

#[tokio::test]
async fn a_directory_is_no_database_file() {
    let file = DatabaseFile::new();
    fs::create_dir(file.path()).unwrap();
    let error = refusal(&file.location()).await;
    assert!(matches!(error, OpenError::NotWritable { .. }), "{error:?}");
}

#[tokio::test]
async fn another_kind_of_file_is_left_alone() {
    let file = DatabaseFile::new();
    let text = "phone_number;name\n".repeat(200);
    fs::write(file.path(), &text).unwrap();
    let error = refusal(&file.location()).await;
    assert!(matches!(error, OpenError::NotOurs { .. }), "{error:?}");
    assert_eq!(fs::read_to_string(file.path()).unwrap(), text);
}

#[tokio::test]
async fn the_database_of_another_program_is_left_alone() {
    let file = DatabaseFile::new();
    execute(&file, "CREATE TABLE bookmarks (url TEXT)").await;
    let before = fs::read(file.path()).unwrap();
    let error = refusal(&file.location()).await;
    assert!(matches!(error, OpenError::NotOurs { .. }), "{error:?}");
    assert_eq!(fs::read(file.path()).unwrap(), before);
}

#[tokio::test]
async fn a_database_of_a_newer_version_is_left_alone() {
    let file = DatabaseFile::new();
    drop(file.serve().await);
    execute(
        &file,
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
         VALUES (20990101000000, 'come_from_the_future', TRUE, x'00', 0)",
    )
    .await;
    let error = refusal(&file.location()).await;
    assert!(
        matches!(
            error,
            OpenError::TooNew {
                migration: 20_990_101_000_000,
                ..
            }
        ),
        "{error:?}"
    );
    assert!(error.to_string().contains("newer version"), "{error}");
}

#[tokio::test]
async fn a_store_whose_schema_moved_on_no_longer_checks_out() {
    let file = DatabaseFile::new();
    let storage = file.serve().await;
    storage.check().await.unwrap();
    execute(
        &file,
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
         VALUES (20990101000000, 'come_from_the_future', TRUE, x'00', 0)",
    )
    .await;
    let error = storage.check().await.unwrap_err();
    assert!(
        matches!(error, StorageError::NotMigrated { .. }),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_migration_that_was_edited_is_noticed() {
    let file = DatabaseFile::new();
    drop(file.serve().await);
    execute(
        &file,
        "UPDATE _sqlx_migrations SET checksum = x'00' WHERE description = 'create_companies';
         DELETE FROM _sqlx_migrations WHERE description = 'create_events'",
    )
    .await;
    let error = refusal(&file.location()).await;
    assert!(matches!(error, OpenError::NotMigrated { .. }), "{error:?}");
}

#[tokio::test]
async fn locations_that_name_no_file_are_refused() {
    for location in [
        "",
        "sqlite:",
        "sqlite://",
        "sqlite::memory:",
        ":memory:",
        "sqlite://survey.db?mode=ro",
        "postgres://localhost/survey",
    ] {
        let error = refusal(location).await;
        assert!(
            matches!(error, OpenError::BadLocation { .. }),
            "{location}: {error:?}"
        );
    }
}

#[tokio::test]
async fn a_closed_store_is_unavailable() {
    let file = DatabaseFile::new();
    let storage = file.serve().await;
    storage.close().await.unwrap();
    storage.close().await.unwrap();
    let error = storage.check().await.unwrap_err();
    assert!(matches!(error, StorageError::Unavailable(_)), "{error:?}");
}

#[tokio::test]
async fn closing_leaves_one_file_and_the_lock() {
    let file = DatabaseFile::new();
    file.serve().await.close().await.unwrap();
    let mut files: Vec<String> = fs::read_dir(file.path().parent().unwrap())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    files.sort();
    assert_eq!(files, ["survey.db", "survey.db.lock"]);
}
