//! Migrations: what a database says that has none, all, or more.

use sqlx::Connection as _;
use sqlx::postgres::PgConnection;
use voicesurvey_core::ports::{PageRequest, Scope, Storage as _, StorageError};
use voicesurvey_postgres::MIGRATOR;
use voicesurvey_postgres::testing::TestDatabase;

fn what_is_missing(result: Result<(), StorageError>) -> String {
    match result {
        Err(StorageError::NotMigrated { what }) => what,
        other => panic!("taken for migrated: {other:?}"),
    }
}

#[tokio::test]
async fn an_empty_database_is_not_migrated_and_says_so() {
    let database = TestDatabase::create_empty().await;
    let what = what_is_missing(database.storage().check().await);
    assert_eq!(what, "no migration has been applied yet");
    let mut work = database.storage().begin(Scope::Platform).await.unwrap();
    let listed = work.companies().list(&PageRequest::default()).await;
    assert!(
        matches!(listed, Err(StorageError::NotMigrated { .. })),
        "{listed:?}"
    );
}

#[tokio::test]
async fn migrating_twice_is_the_same_as_once() {
    let database = TestDatabase::create_empty().await;
    database.storage().migrate().await.unwrap();
    database.storage().check().await.unwrap();
    database.storage().migrate().await.unwrap();
    database.storage().check().await.unwrap();
}

#[tokio::test]
async fn several_servers_may_migrate_at_once() {
    let database = TestDatabase::create_empty().await;
    let store = database.storage();
    let (first, second) = tokio::join!(store.migrate(), store.migrate());
    first.unwrap();
    second.unwrap();
    store.check().await.unwrap();
}

#[tokio::test]
async fn a_missing_a_changed_and_a_newer_migration_are_named() {
    let database = TestDatabase::create().await;
    let mut connection = PgConnection::connect(database.url()).await.unwrap();
    let newest = MIGRATOR.iter().last().unwrap();
    let last = newest.version;

    let newer = "INSERT INTO _sqlx_migrations
                     (version, description, success, checksum, execution_time)
                 VALUES (99990101000000, 'from the future', true, '', 0)";
    sqlx::query(newer).execute(&mut connection).await.unwrap();
    let what = what_is_missing(database.storage().check().await);
    assert_eq!(
        what,
        "migration 99990101000000 was applied by a newer version of this program"
    );
    assert_eq!(what_is_missing(database.storage().migrate().await), what);

    let change = "UPDATE _sqlx_migrations SET checksum = 'other' WHERE version = $1";
    sqlx::query(change)
        .bind(last)
        .execute(&mut connection)
        .await
        .unwrap();
    let what = what_is_missing(database.storage().check().await);
    assert!(what.starts_with(&format!("migration {last} was applied with other contents")));

    let forget = "DELETE FROM _sqlx_migrations WHERE version = $1";
    sqlx::query(forget)
        .bind(last)
        .execute(&mut connection)
        .await
        .unwrap();
    let what = what_is_missing(database.storage().check().await);
    assert_eq!(
        what,
        format!(
            "migration {last} ({}) has not been applied yet",
            newest.description
        )
    );
}
