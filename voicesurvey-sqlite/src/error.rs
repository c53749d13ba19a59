//! Errors of SQLite in the words of the port. The only place that reads them.

use sqlx::error::{DatabaseError, ErrorKind};
use voicesurvey_core::ports::StorageError;

/// Primary result codes of SQLite (the low byte of the extended ones) that mean "not now": the
/// database is locked, the disk is full or failing, the file is gone or was made read-only.
const NOT_NOW: [i32; 8] = [
    5,  // SQLITE_BUSY
    6,  // SQLITE_LOCKED
    7,  // SQLITE_NOMEM
    8,  // SQLITE_READONLY
    9,  // SQLITE_INTERRUPT
    10, // SQLITE_IOERR
    13, // SQLITE_FULL
    14, // SQLITE_CANTOPEN
];

/// `SQLITE_NOTADB`: the file does not begin as a database does.
const NOT_A_DATABASE: i32 = 26;

/// What an error of a statement means.
pub(crate) fn storage_error(error: sqlx::Error) -> StorageError {
    match &error {
        sqlx::Error::Database(database) => {
            if let Some(rule) = broken_rule(database.as_ref()) {
                conflict(rule)
            } else if NOT_NOW.contains(&primary_code(database.as_ref())) {
                StorageError::Unavailable(Box::new(error))
            } else if database.message().starts_with("no such table") {
                StorageError::NotMigrated {
                    what: database.message().to_owned(),
                }
            } else {
                StorageError::Failed(Box::new(error))
            }
        }
        sqlx::Error::Io(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => StorageError::Unavailable(Box::new(error)),
        _ => StorageError::Failed(Box::new(error)),
    }
}

/// Whether the file is no database at all.
pub(crate) fn is_not_a_database(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Database(database) if primary_code(database.as_ref()) == NOT_A_DATABASE)
}

/// The write contradicts what is stored.
pub(crate) fn conflict(what: impl Into<String>) -> StorageError {
    StorageError::Conflict { what: what.into() }
}

/// The row was changed since it was read, or is not there (any more).
pub(crate) fn stale(table: &str) -> StorageError {
    conflict(format!(
        "{table}: the stored version is another one, or there is no such row"
    ))
}

/// The constraint that refused the statement, if one did. SQLite names checks and the columns of
/// unique constraints, and never says which foreign key it was.
fn broken_rule(error: &dyn DatabaseError) -> Option<String> {
    let message = error.message();
    match error.kind() {
        ErrorKind::UniqueViolation | ErrorKind::CheckViolation => {
            let rule = message
                .split_once("constraint failed: ")
                .map_or(message, |(_, rule)| rule);
            Some(rule.to_owned())
        }
        ErrorKind::ForeignKeyViolation => {
            Some("a foreign key: the row names one that does not exist, or is named".to_owned())
        }
        _ => None,
    }
}

fn primary_code(error: &dyn DatabaseError) -> i32 {
    error
        .code()
        .and_then(|code| code.parse::<i32>().ok())
        .unwrap_or(0)
        & 0xff
}

#[cfg(test)]
mod tests {
    use sqlx::{ConnectOptions as _, Executor as _};

    use super::*;

    const TABLES: &str = "
        CREATE TABLE owners (id INTEGER PRIMARY KEY);
        CREATE TABLE pets (
            id INTEGER PRIMARY KEY,
            owner INTEGER REFERENCES owners,
            age INTEGER CONSTRAINT age_is_a_count CHECK (age >= 0)
        );
        INSERT INTO owners VALUES (1)";

    async fn error_of(sql: &'static str) -> StorageError {
        let options = sqlx::sqlite::SqliteConnectOptions::new().in_memory(true);
        let mut connection = options.connect().await.unwrap();
        connection.execute(TABLES).await.unwrap();
        storage_error(connection.execute(sql).await.unwrap_err())
    }

    #[tokio::test]
    async fn a_broken_constraint_is_a_conflict_that_names_it() {
        for (sql, name) in [
            ("INSERT INTO owners VALUES (1)", "owners.id"),
            ("INSERT INTO pets VALUES (1, 1, -1)", "age_is_a_count"),
            ("INSERT INTO pets VALUES (1, 2, 1)", "foreign key"),
        ] {
            let StorageError::Conflict { what } = error_of(sql).await else {
                panic!("{sql} is no conflict")
            };
            assert!(what.contains(name), "{what}");
        }
    }

    #[tokio::test]
    async fn a_missing_table_means_that_the_database_is_not_migrated() {
        let error = error_of("SELECT * FROM cages").await;
        assert!(
            matches!(error, StorageError::NotMigrated { .. }),
            "{error:?}"
        );
    }

    #[tokio::test]
    async fn a_wrong_statement_is_a_failure_not_an_outage() {
        let error = error_of("SELECT nothing FROM pets").await;
        assert!(matches!(error, StorageError::Failed(_)), "{error:?}");
    }

    #[test]
    fn a_pool_that_has_nothing_to_give_is_an_outage() {
        for error in [sqlx::Error::PoolTimedOut, sqlx::Error::PoolClosed] {
            assert!(matches!(storage_error(error), StorageError::Unavailable(_)));
        }
    }
}
