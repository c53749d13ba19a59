//! The migrations, built in. Forward only: a file that was released is never edited.

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
const MIGRATIONS: [(i64, &str, &str); 10] = [
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
];

static MIGRATOR: LazyLock<Migrator> = LazyLock::new(|| {
    let migrations = MIGRATIONS.map(|(version, name, sql)| {
        let name = Cow::Borrowed(name);
        Migration::new(
            version,
            name,
            MigrationType::Simple,
            sql.into_sql_str(),
            false,
        )
    });
    Migrator::with_migrations(migrations.to_vec())
});

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

    #[test]
    fn the_first_migration_marks_the_file_as_ours() {
        let (_, _, sql) = MIGRATIONS[0];
        assert!(sql.contains(&format!("PRAGMA application_id = {APPLICATION_ID};")));
    }
}
