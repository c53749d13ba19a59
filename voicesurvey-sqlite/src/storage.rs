//! The store: one connection that writes, a few that look, and the server's lock.

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use sqlx::sqlite::SqlitePool;
use voicesurvey_core::number_keys::NumberKeys;
use voicesurvey_core::ports::{Scope, Storage, StorageError, UnitOfWork};

use crate::erasures;
use crate::error::storage_error;
use crate::migrations;
use crate::open::{self, OpenError, OpenMode, Opened};
use crate::unit_of_work::SqliteUnitOfWork;

/// The embedded store. Clones share it.
///
/// Units of work queue for the one connection that writes, in the order in which they were begun;
/// one that waits too long fails with [`StorageError::Unavailable`]. So a unit of work must never
/// be begun while the same task holds another. Those that only read have connections of their own.
#[derive(Clone, Debug)]
pub struct SqliteStorage {
    opened: Arc<Opened>,
    keys: NumberKeys,
}

impl SqliteStorage {
    /// Opens the database file at `location`, `sqlite://FILE` or a path; creates it if there is
    /// none, and migrates it.
    ///
    /// ```
    /// use voicesurvey_sqlite::{OpenMode, SqliteStorage};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let directory = tempfile::tempdir()?;
    /// # let file = directory.path().join("survey.db");
    /// let location = format!("sqlite://{}", file.display());
    /// let storage = SqliteStorage::open(&location, OpenMode::Serve).await?;
    /// storage.close().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn open(location: &str, mode: OpenMode) -> Result<Self, OpenError> {
        open::open(location, mode).await.map(|opened| Self {
            opened: Arc::new(opened),
            keys: NumberKeys::default(),
        })
    }

    /// The same store for whoever has those keys for what remains of erased numbers. Without any,
    /// nobody can be erased.
    #[must_use]
    pub fn with_number_keys(self, keys: NumberKeys) -> Self {
        Self { keys, ..self }
    }

    /// The database file.
    pub fn path(&self) -> &Path {
        &self.opened.path
    }

    /// Waits for the units of work that are open, and leaves everything in the one file, without
    /// a write-ahead log beside it. Whoever comes later finds the store unavailable.
    ///
    /// A store that is not closed loses nothing. The server's lock is held until the last clone is
    /// dropped.
    pub async fn close(&self) -> Result<(), StorageError> {
        self.readers().close().await;
        let checkpoint = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)")
            .execute(self.writer())
            .await;
        self.writer().close().await;
        match checkpoint {
            Ok(_) | Err(sqlx::Error::PoolClosed) => Ok(()),
            Err(error) => Err(storage_error(error)),
        }
    }

    pub(crate) fn writer(&self) -> &SqlitePool {
        &self.opened.writer
    }

    pub(crate) fn readers(&self) -> &SqlitePool {
        &self.opened.readers
    }
}

#[async_trait]
impl Storage for SqliteStorage {
    async fn begin(&self, scope: Scope) -> Result<Box<dyn UnitOfWork>, StorageError> {
        let mut work = SqliteUnitOfWork::begin(self.writer(), scope).await?;
        work.keys = self.keys.clone();
        Ok(Box::new(work))
    }

    async fn begin_reading(&self, scope: Scope) -> Result<Box<dyn UnitOfWork>, StorageError> {
        let mut work = SqliteUnitOfWork::begin_reading(self.readers(), scope).await?;
        work.keys = self.keys.clone();
        Ok(Box::new(work))
    }

    async fn check(&self) -> Result<(), StorageError> {
        let mut connection = self.readers().acquire().await.map_err(storage_error)?;
        migrations::check(&mut connection).await?;
        let used = erasures::all_keys(&mut connection).await?;
        let known = self.keys.must_include(used);
        known.map_err(|error| StorageError::Failed(Box::new(error)))
    }
}
