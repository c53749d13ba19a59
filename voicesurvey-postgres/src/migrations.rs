//! The migrations, compiled in, and whether a database has them.
//!
//! Forward only, and never edited once they are released: the checksum of an applied migration is
//! compared with ours. Adding one: write the file in `migrations/`, and add its name to the list
//! below; a test compares the list with the folder.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::LazyLock;

use sqlx::SqlSafeStr as _;
use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::postgres::PgConnection;
use voicesurvey_core::ports::StorageError;

use crate::error::storage_error;

/// All migrations of this program, oldest first.
pub static MIGRATOR: LazyLock<Migrator> =
    LazyLock::new(|| Migrator::with_migrations(FILES.iter().map(migration).collect()));

/// Names the files of `migrations/`, with their text.
macro_rules! files {
    ($($name:literal),+ $(,)?) => {
        &[$(($name, include_str!(concat!("../migrations/", $name, ".sql")))),+]
    };
}

const FILES: &[(&str, &str)] = files![
    "20261121090000_create_companies",
    "20261121090100_create_api_keys",
    "20261121090200_create_skillbases",
    "20261121090300_create_campaigns",
    "20261121090400_create_uploads",
    "20261121090500_create_call_tasks",
    "20261121090600_create_call_attempts",
    "20261121090700_create_interviews",
    "20261121090800_create_exclusions",
    "20261121090900_create_events",
    "20261121091000_keep_pace_in_microseconds",
    "20261121091100_create_campaign_lanes",
    "20261121091200_wind_campaigns_up",
    "20261121091300_suspend_and_cap_companies",
    "20261121091400_create_provider_queue",
    "20261121091500_count_costs",
    "20261121091600_create_leadership",
    "20261121091700_count_past_costs",
    "20261121091800_hide_leadership",
    "20261121091900_count_priced_calls_once",
    "20261121092000_pace_the_provider",
    "20261121092100_stop_at_targets",
    "20261121092500_keep_doubts_and_revisions",
    "20261121092600_ask_for_prices",
    "20261121092700_keep_recordings",
    "20261121093000_keep_causes_of_exclusions",
    "20261121093001_create_exclusion_removals",
    "20261121093002_create_operator_exclusions",
    "20261121093100_run_uploads_as_jobs",
    "20261121093200_roll_calls_up",
    "20261121093300_keep_quota_cells",
    "20261121093400_create_erasures",
    "20261121093401_create_company_retention",
    "20261121093402_index_recordings_of_nobody",
    "20261121093500_create_exports",
    "20261121093610_keep_rows_of_what_is_forgotten",
    "20261121093620_withdraw_exports",
    "20261121093621_find_events_by_task",
    "20261121093622_count_erased_rows_of_uploads",
    "20261121093623_find_further_numbers",
    "20261121093650_keep_fetches_of_exports",
    "20261121093700_sum_up_whole_campaigns",
];

#[expect(clippy::expect_used, reason = "a test reads the name of every file")]
fn migration((name, sql): &(&'static str, &'static str)) -> Migration {
    let (version, description) = name.split_once('_').expect("a version and a description");
    Migration::new(
        version.parse().expect("a version is a number"),
        Cow::Owned(description.replace('_', " ")),
        MigrationType::Simple,
        sql.into_sql_str(),
        false,
    )
}

/// Applies what is missing. Several servers may do so at once: one works, the others wait for it.
pub(crate) async fn migrate(connection: &mut PgConnection) -> Result<(), StorageError> {
    MIGRATOR
        .run_direct(None, connection, false)
        .await
        .map_err(|error| match error {
            MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => {
                storage_error(error)
            }
            MigrateError::VersionMissing(version) => too_new(version),
            MigrateError::VersionMismatch(version) => differs(version),
            other => StorageError::Failed(Box::new(other)),
        })
}

/// Whether exactly our migrations have been applied.
pub(crate) async fn check(connection: &mut PgConnection) -> Result<(), StorageError> {
    let applied: BTreeMap<i64, Vec<u8>> =
        sqlx::query_as("SELECT version, checksum FROM _sqlx_migrations WHERE success")
            .fetch_all(connection)
            .await
            .map_err(storage_error)
            .map_err(|error| match error {
                StorageError::NotMigrated { .. } => none_applied(),
                other => other,
            })?
            .into_iter()
            .collect();
    if applied.is_empty() {
        return Err(none_applied());
    }
    for migration in MIGRATOR.iter() {
        match applied.get(&migration.version) {
            None => return Err(missing(migration)),
            Some(checksum) if *checksum != *migration.checksum => {
                return Err(differs(migration.version));
            }
            Some(_) => {}
        }
    }
    match applied
        .keys()
        .find(|&&version| !MIGRATOR.version_exists(version))
    {
        Some(&version) => Err(too_new(version)),
        None => Ok(()),
    }
}

fn none_applied() -> StorageError {
    StorageError::NotMigrated {
        what: "no migration has been applied yet".to_owned(),
    }
}

fn missing(migration: &Migration) -> StorageError {
    let Migration {
        version,
        description,
        ..
    } = migration;
    StorageError::NotMigrated {
        what: format!("migration {version} ({description}) has not been applied yet"),
    }
}

fn too_new(version: i64) -> StorageError {
    StorageError::NotMigrated {
        what: format!("migration {version} was applied by a newer version of this program"),
    }
}

fn differs(version: i64) -> StorageError {
    StorageError::NotMigrated {
        what: format!("migration {version} was applied with other contents than this program has"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_the_folder_is_a_migration() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations");
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter_map(|name| name.strip_suffix(".sql").map(str::to_owned))
            .collect();
        files.sort();
        assert_eq!(
            files,
            FILES.iter().map(|(name, _)| *name).collect::<Vec<_>>()
        );
        assert_eq!(MIGRATOR.iter().count(), FILES.len());
    }
}
