//! The migrations, built in. Forward only: a file that was released is never edited.

mod lanes_of_old_tasks;

use std::borrow::Cow;
use std::sync::LazyLock;

use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::sqlite::SqliteConnection;
use sqlx::{Connection as _, SqlSafeStr as _};
use voicesurvey_core::ports::StorageError;

use crate::error::storage_error;

/// What the first migration writes into the file's header, so that it can be told from others.
pub(crate) const APPLICATION_ID: i32 = i32::from_be_bytes(*b"VSur");

/// One migration, read from the file of its version and name.
macro_rules! migration {
    ($version:literal, $name:literal) => {
        (
            $version,
            $name,
            include_str!(concat!("../migrations/", $version, "_", $name, ".sql")),
        )
    };
}

#[expect(
    clippy::unreadable_literal,
    reason = "a version is written as in the name of its file"
)]
const MIGRATIONS: [(i64, &str, &str); 36] = [
    migration!(20261121090000, "create_companies"),
    migration!(20261121090100, "create_api_keys"),
    migration!(20261121090200, "create_skillbases"),
    migration!(20261121090300, "create_campaigns"),
    migration!(20261121090400, "create_uploads"),
    migration!(20261121090500, "create_call_tasks"),
    migration!(20261121090600, "create_call_attempts"),
    migration!(20261121090700, "create_interviews"),
    migration!(20261121090800, "create_exclusions"),
    migration!(20261121090900, "create_events"),
    migration!(20261121091000, "create_campaign_lanes"),
    migration!(20261121091100, "wind_campaigns_up"),
    migration!(20261121091200, "count_costs"),
    migration!(20261121091300, "cap_and_suspend_companies"),
    migration!(20261121091400, "create_provider_queue"),
    migration!(20261121091500, "count_priced_calls_once"),
    migration!(20261121091600, "stop_at_targets"),
    migration!(20261121092500, "keep_doubts_and_revisions"),
    migration!(20261121092600, "ask_for_prices"),
    migration!(20261121092700, "keep_recordings"),
    migration!(20261121093000, "keep_causes_of_exclusions"),
    migration!(20261121093001, "create_operator_exclusions"),
    migration!(20261121093100, "run_uploads_as_jobs"),
    migration!(20261121093200, "roll_calls_up"),
    migration!(20261121093300, "keep_quota_cells"),
    migration!(20261121093400, "create_erasures"),
    migration!(20261121093401, "create_company_retention"),
    migration!(20261121093402, "index_recordings_of_nobody"),
    migration!(20261121093500, "create_exports"),
    migration!(20261121093610, "keep_rows_of_what_is_forgotten"),
    migration!(20261121093620, "withdraw_exports"),
    migration!(20261121093621, "find_events_by_task"),
    migration!(20261121093622, "count_erased_rows_of_uploads"),
    migration!(20261121093623, "find_further_numbers"),
    migration!(20261121093650, "keep_fetches_of_exports"),
    migration!(20261121093700, "sum_up_whole_campaigns"),
];

static MIGRATOR: LazyLock<Migrator> = LazyLock::new(|| migrator(&MIGRATIONS));

fn migrator(migrations: &[(i64, &'static str, &'static str)]) -> Migrator {
    let migrations = migrations.iter().map(|&(version, name, sql)| {
        let name = Cow::Borrowed(name);
        Migration::new(
            version,
            name,
            MigrationType::Simple,
            sql.into_sql_str(),
            false,
        )
    });
    Migrator::with_migrations(migrations.collect())
}

/// How a database stands to the migrations of this program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SchemaState {
    /// All of them have been applied, and no others.
    Current,
    /// The program has migrations that the database lacks, such as a new file.
    Behind,
    /// The database has a migration that this program does not know.
    Ahead(i64),
    /// The database is another program's.
    Foreign,
}

/// Finds out how the database stands, without changing it.
pub(crate) async fn state(connection: &mut SqliteConnection) -> Result<SchemaState, sqlx::Error> {
    let tables: i64 = sqlx::query_scalar("SELECT count(*) FROM sqlite_schema")
        .fetch_one(&mut *connection)
        .await?;
    if tables == 0 {
        return Ok(SchemaState::Behind);
    }
    let application: i32 = sqlx::query_scalar("PRAGMA application_id")
        .fetch_one(&mut *connection)
        .await?;
    if application != APPLICATION_ID {
        return Ok(SchemaState::Foreign);
    }
    let applied: Vec<i64> =
        sqlx::query_scalar("SELECT version FROM _sqlx_migrations ORDER BY version")
            .fetch_all(&mut *connection)
            .await?;
    let unknown = applied
        .iter()
        .find(|&&version| !MIGRATOR.version_exists(version));
    Ok(match unknown {
        Some(&version) => SchemaState::Ahead(version),
        None if applied.len() < MIGRATIONS.len() => SchemaState::Behind,
        None => SchemaState::Current,
    })
}

/// Says what is wrong, unless the schema is the one this program needs.
pub(crate) async fn check(connection: &mut SqliteConnection) -> Result<(), StorageError> {
    let what = match state(connection).await.map_err(storage_error)? {
        SchemaState::Current => return Ok(()),
        SchemaState::Behind => "migrations of this program have not been applied".to_owned(),
        SchemaState::Ahead(version) => format!("a newer program applied migration {version}"),
        SchemaState::Foreign => "the database belongs to another program".to_owned(),
    };
    Err(StorageError::NotMigrated { what })
}

/// Applies what is missing, all of it or nothing. Two programs that do so at once take turns.
pub(crate) async fn migrate(connection: &mut SqliteConnection) -> Result<(), MigrateError> {
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    MIGRATOR.run(&mut *transaction).await?;
    lanes_of_old_tasks::give_lanes(&mut transaction)
        .await
        .map_err(|error| MigrateError::Source(Box::new(error)))?;
    transaction.commit().await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_listed_in_its_order() {
        let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations");
        let mut files: Vec<String> = std::fs::read_dir(directory)
            .unwrap()
            .map(|file| file.unwrap().file_name().into_string().unwrap())
            .collect();
        files.sort();
        let listed = MIGRATIONS
            .map(|(version, name, _)| format!("{version}_{name}.sql"))
            .to_vec();
        assert_eq!(listed, files);
    }

    /// A campaign that runs, as the first ten migrations kept it: one task is claimable, one waits,
    /// and one call was paid for.
    const BEFORE_LANES: &str = r#"
        INSERT INTO companies VALUES (zeroblob(16), 'Alba', 'Europe/Rome', 'IT', 'it', 5, 10, 0, 1);
        INSERT INTO skillbases VALUES
            (zeroblob(16), zeroblob(16), 'Anna', 'it', 'v', '{}', 60, '', 0, 0, 0, 1);
        INSERT INTO campaigns VALUES
            (zeroblob(16), zeroblob(16), 'c', '', 'running', NULL, zeroblob(16), NULL,
             '{"schedule": {"ends_at": "2026-12-01T00:00:00Z"}}',
             '{"settings": {"schedule": {"ends_at": "2026-12-02T00:00:00.5Z"}}}', 0, 0, 0, NULL, 1);
        INSERT INTO campaign_queue VALUES (zeroblob(16), zeroblob(16), 1, 0, 0, 5, 10, 0, 0);
        INSERT INTO campaign_counters VALUES (zeroblob(16), zeroblob(16), 'task', 'pending', 2);
        INSERT INTO call_tasks VALUES
            (zeroblob(16), randomblob(16), zeroblob(16), NULL, '+393471234567', '', '', NULL,
             '["Europe/Rome"]', 7, '{}', 'pending', 0, NULL, 1, 0, 0, NULL, NULL, NULL, 0, 0, 1),
            (zeroblob(16), zeroblob(16), zeroblob(16), NULL, '+4930901820', '', '', NULL, '[]',
             0, '{}', 'pending', 9, NULL, 0, 1, 1, 0, NULL, NULL, 0, 0, 1);
        INSERT INTO call_attempts VALUES
            (zeroblob(16), zeroblob(16), zeroblob(16), zeroblob(16), 1, '+4930901820', 'p', NULL,
             'ended', 0, 0, 0, NULL, NULL, NULL, 0, NULL, 'busy', NULL, NULL, '0.0123', 'EUR', 1)"#;

    async fn migrated_with_tasks() -> SqliteConnection {
        use sqlx::{ConnectOptions as _, Executor as _};
        let options = sqlx::sqlite::SqliteConnectOptions::new().in_memory(true);
        let mut connection = options.connect().await.unwrap();
        migrator(&MIGRATIONS[..10])
            .run(&mut connection)
            .await
            .unwrap();
        connection.execute(BEFORE_LANES).await.unwrap();
        migrate(&mut connection).await.unwrap();
        connection
    }

    #[tokio::test]
    async fn tasks_from_before_there_were_lanes_are_given_theirs() {
        let mut connection = migrated_with_tasks().await;
        let lanes: Vec<(i16, String, String, u32, Option<i64>)> = sqlx::query_as(
            "SELECT priority, region, time_zones, claimable, review_at
             FROM campaign_lanes ORDER BY priority",
        )
        .fetch_all(&mut connection)
        .await
        .unwrap();
        let lane = |priority, region: &str, zones: &str, claimable| {
            (
                priority,
                region.to_owned(),
                zones.to_owned(),
                claimable,
                Some(0),
            )
        };
        let expected = [
            lane(0, "DE", "[]", 0),
            lane(7, "IT", r#"["Europe/Rome"]"#, 1),
        ];
        assert_eq!(lanes, expected);
        let without: u32 = sqlx::query_scalar(
            "SELECT count(*) FROM call_tasks
             WHERE lane_id IS NULL OR lane_id NOT IN (SELECT lane_id FROM campaign_lanes)",
        )
        .fetch_one(&mut connection)
        .await
        .unwrap();
        assert_eq!(without, 0);
    }

    #[tokio::test]
    async fn what_is_kept_twice_is_filled_in_from_where_it_stands() {
        let mut connection = migrated_with_tasks().await;
        let ends_at: Option<i64> = sqlx::query_scalar("SELECT ends_at FROM campaigns")
            .fetch_one(&mut connection)
            .await
            .unwrap();
        // The frozen settings count, to the second.
        assert_eq!(ends_at, Some(1_796_169_600_000_000));
        let counters: Vec<(String, String, i64)> =
            sqlx::query_as("SELECT kind, name, count FROM campaign_counters ORDER BY kind")
                .fetch_all(&mut connection)
                .await
                .unwrap();
        let counter = |kind: &str, name: &str, count| (kind.to_owned(), name.to_owned(), count);
        let expected = [
            counter("cost_calls", "EUR", 1),
            counter("cost_millionths", "EUR", 12_300),
            counter("task", "pending", 2),
        ];
        assert_eq!(counters, expected);
        let sums: Vec<(i64, String, String, i64)> =
            sqlx::query_as("SELECT quarter, kind, name, value FROM call_rollups ORDER BY kind")
                .fetch_all(&mut connection)
                .await
                .unwrap();
        let sum = |kind: &str, name: &str, value| (0, kind.to_owned(), name.to_owned(), value);
        let expected = [
            sum("cost_millionths", "EUR", 12_300),
            sum("number", "1", 1),
            sum("outcome", "busy", 1),
        ];
        assert_eq!(sums, expected);
    }

    #[tokio::test]
    async fn rows_that_were_not_taken_before_uploads_were_jobs_are_still_there() {
        use sqlx::{ConnectOptions as _, Executor as _};
        const BEFORE_JOBS: &str = r#"
            INSERT INTO uploads VALUES
                (zeroblob(16), zeroblob(16), zeroblob(16), 'old.csv', '["phone"]', 3, 1, 0, 0, 0,
                 '[{"row": 4, "column": "phone", "value": "x", "reason": "No", "original": ["x", "y"]},
                   {"row": 2, "column": "phone", "value": "", "reason": "Empty", "original": []}]', 0),
                (zeroblob(16), randomblob(16), zeroblob(16), 'fine.csv', '["phone"]', 1, 1, 0, 0, 0,
                 '[]', 0)"#;
        let options = sqlx::sqlite::SqliteConnectOptions::new().in_memory(true);
        let mut connection = options.connect().await.unwrap();
        migrator(&MIGRATIONS[..10])
            .run(&mut connection)
            .await
            .unwrap();
        connection.execute(BEFORE_LANES).await.unwrap();
        connection.execute(BEFORE_JOBS).await.unwrap();
        migrate(&mut connection).await.unwrap();
        let uploads: Vec<(String, String, i64)> = sqlx::query_as(
            "SELECT file_name, columns, errors_count FROM uploads ORDER BY file_name",
        )
        .fetch_all(&mut connection)
        .await
        .unwrap();
        let upload =
            |name: &str, columns: &str, errors| (name.to_owned(), columns.to_owned(), errors);
        let expected = [
            upload("fine.csv", r#"["phone"]"#, 0),
            upload("old.csv", r#"["phone",""]"#, 2),
        ];
        assert_eq!(uploads, expected);
        let errors: Vec<(i64, String, String)> =
            sqlx::query_as("SELECT row_number, reason, original FROM upload_errors ORDER BY 1")
                .fetch_all(&mut connection)
                .await
                .unwrap();
        let error =
            |row, reason: &str, original: &str| (row, reason.to_owned(), original.to_owned());
        assert_eq!(
            errors,
            [error(2, "Empty", "[]"), error(4, "No", r#"["x","y"]"#)]
        );
    }

    #[test]
    fn the_first_migration_marks_the_file_as_ours() {
        let (_, _, sql) = MIGRATIONS[0];
        assert!(sql.contains(&format!("PRAGMA application_id = {APPLICATION_ID};")));
    }
}
