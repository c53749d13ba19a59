//! Migrations: what a database says that has none, all, or more.

use std::num::NonZeroU16;

use sqlx::migrate::Migrator;
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection as _};
use voicesurvey_core::ports::{PageRequest, Scope, Storage as _, StorageError, TaskQueue as _};
use voicesurvey_core::testing::samples;
use voicesurvey_postgres::MIGRATOR;
use voicesurvey_postgres::testing::TestDatabase;

use crate::concurrency::claim;

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

/// What was written before tasks had lanes.
const BEFORE_LANES: &str = "
    SET voicesurvey.scope = 'platform';
    INSERT INTO companies VALUES (
        '{company}', 'Acme', 'Europe/Rome', 'IT', 'it', 50, 600, '{now}', 1
    );
    INSERT INTO company_queue VALUES ('{company}', '{now}', 0, 50, 600, '{now}');
    INSERT INTO skillbases VALUES (
        '{company}', '{skillbase}', 'Acme', 'it', NULL, '{}', 600, '', true, '{now}', '{now}', 1
    );
    INSERT INTO campaigns (
        company_id, id, name, description, skillbase_id, status, settings, created_at, updated_at,
        version
    ) VALUES (
        '{company}', '{campaign}', 'Old', '', '{skillbase}', 'running', '{settings}', '{now}',
        '{now}', 1
    );
    INSERT INTO campaign_queue VALUES (
        '{company}', '{campaign}', true, '{now}', 0, 50, 600, 0, '{now}'
    );
    INSERT INTO call_tasks (
        company_id, id, campaign_id, phone_number, name, time_zones, priority, extra, status,
        due_at, claimable, attempts_count, attempts_spent, created_at, updated_at, version
    )
    SELECT '{company}', gen_random_uuid(), '{campaign}', '+39347000000' || number, 'Maria',
        ARRAY['Europe/Rome'], number % 2, '{}', 'pending', '{now}', number < 7, 0, 0, '{now}',
        '{now}', 1
    FROM generate_series(1, 9) AS number";

#[tokio::test]
async fn tasks_from_before_there_were_lanes_are_called() {
    let database = TestDatabase::create_empty().await;
    let mut connection = PgConnection::connect(database.url()).await.unwrap();
    let before = MIGRATOR
        .iter()
        .filter(|migration| migration.version < 20_261_121_091_000)
        .cloned()
        .collect();
    Migrator::with_migrations(before)
        .run_direct(None, &mut connection, false)
        .await
        .unwrap();
    let company = samples::company();
    let campaign = samples::campaign(&company);
    let settings = serde_json::to_string(&campaign.settings).unwrap();
    let insert = BEFORE_LANES
        .replace("{company}", &company.id.to_string())
        .replace("{campaign}", &campaign.id.to_string())
        .replace("{skillbase}", &campaign.settings.skillbase_id.to_string())
        .replace("{settings}", &settings.replace('\'', "''"))
        .replace("{now}", &samples::now().to_string());
    sqlx::raw_sql(AssertSqlSafe(insert))
        .execute(&mut connection)
        .await
        .unwrap();

    let store = database.storage();
    store.migrate().await.unwrap();
    let mut work = store.begin(Scope::Company(company.id)).await.unwrap();
    let lanes = work.campaigns().lanes(campaign.id).await.unwrap();
    let claimable: Vec<u64> = lanes.iter().map(|lane| lane.claimable).collect();
    assert_eq!(claimable, [3, 3]);
    drop(work);
    // The pace leaves room for 13 at once.
    assert_eq!(claim(store, samples::now(), 20).await.len(), 6);
    assert_eq!(
        store
            .promote_due(samples::now(), NonZeroU16::MAX)
            .await
            .unwrap(),
        3
    );
    assert_eq!(claim(store, samples::now(), 20).await.len(), 3);
}
