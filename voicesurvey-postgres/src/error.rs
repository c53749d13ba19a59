//! The one place that turns errors of the database into the port's.

use sqlx::error::DatabaseError;
use voicesurvey_core::ports::StorageError;

/// What an error of the driver or of the server means to the core.
pub(crate) fn storage_error(error: sqlx::Error) -> StorageError {
    match error {
        sqlx::Error::Database(refused) => refusal(refused),
        error @ (sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed
        | sqlx::Error::BeginFailed) => StorageError::Unavailable(Box::new(error)),
        error => StorageError::Failed(Box::new(error)),
    }
}

/// Reads the SQLSTATE of a refusal.
fn refusal(error: Box<dyn DatabaseError>) -> StorageError {
    let code = error.code().unwrap_or_default().into_owned();
    match code.as_str() {
        // Unique and foreign keys.
        "23505" | "23503" => {
            let what = error
                .constraint()
                .or(error.table())
                .unwrap_or("a constraint")
                .to_owned();
            StorageError::Conflict { what }
        }
        // Serialization failure, deadlock, lock timeout.
        "40001" | "40P01" | "55P03" => StorageError::Conflict {
            what: "others are changing the same rows".to_owned(),
        },
        // Undefined table, undefined column.
        "42P01" | "42703" => StorageError::NotMigrated {
            what: error.message().to_owned(),
        },
        // Statement timeout, read only transaction (a server that has become a standby).
        "57014" | "25006" => StorageError::Unavailable(error),
        // Connection exceptions, lack of resources, and shutdowns.
        _ if ["08", "53", "57P"]
            .iter()
            .any(|class| code.starts_with(class)) =>
        {
            StorageError::Unavailable(error)
        }
        _ => StorageError::Failed(error),
    }
}

/// The row to be written belongs to another company than the unit of work.
pub(crate) fn foreign_company() -> StorageError {
    StorageError::Conflict {
        what: "the row belongs to another company".to_owned(),
    }
}

/// Exactly one row was to be written; `what` says why it was not.
pub(crate) fn written(rows: u64, what: &str) -> Result<(), StorageError> {
    if rows == 1 {
        Ok(())
    } else {
        Err(StorageError::Conflict {
            what: what.to_owned(),
        })
    }
}

/// As many rows were to be written as there are entities; `what` says why some were not.
pub(crate) fn all_written(rows: usize, entities: usize, what: &str) -> Result<(), StorageError> {
    written(u64::from(rows == entities), what)
}
