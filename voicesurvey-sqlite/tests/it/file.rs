//! A database file of its own for each test.

use std::ops::Deref;
use std::path::PathBuf;

use tempfile::TempDir;
use voicesurvey_core::testing::samples;
use voicesurvey_sqlite::{OpenMode, SqliteStorage};

/// A directory that is removed with everything in it, and the place of a database in it.
pub(crate) struct DatabaseFile {
    directory: TempDir,
}

impl DatabaseFile {
    pub(crate) fn new() -> Self {
        Self {
            directory: tempfile::tempdir().unwrap(),
        }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.directory.path().join("survey.db")
    }

    pub(crate) fn location(&self) -> String {
        format!("sqlite://{}", self.path().display())
    }

    pub(crate) async fn serve(&self) -> SqliteStorage {
        SqliteStorage::open(&self.location(), OpenMode::Serve)
            .await
            .unwrap()
            .with_number_keys(samples::number_keys())
    }
}

/// An empty store with its file.
pub(crate) struct SqliteUnderTest {
    storage: SqliteStorage,
    _file: DatabaseFile,
}

impl SqliteUnderTest {
    pub(crate) async fn create() -> Self {
        let file = DatabaseFile::new();
        Self {
            storage: file.serve().await,
            _file: file,
        }
    }
}

impl Deref for SqliteUnderTest {
    type Target = SqliteStorage;

    fn deref(&self) -> &SqliteStorage {
        &self.storage
    }
}
