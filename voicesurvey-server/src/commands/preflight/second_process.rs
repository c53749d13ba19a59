//! This program once more, to try whether processes keep each other out.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use async_trait::async_trait;
use tokio::process::Command;
use voicesurvey_core::ports::{OtherProcess, StorageError};

use super::super::{CommandError, print};
use crate::config::{DatabaseConfig, DatabaseLocation, DatabaseUrl};
use crate::stores::{Purpose, Stores, StoresError};

/// It has one connection to open and one question to ask.
const PATIENCE: Duration = Duration::from_secs(20);

/// Asks the same program with the same configuration.
#[derive(Debug)]
pub(super) struct SecondProcess {
    config: Option<PathBuf>,
    database: DatabaseUrl,
}

impl SecondProcess {
    pub(super) fn new(config: Option<PathBuf>, database: &DatabaseConfig) -> Self {
        Self {
            config,
            database: database.url.clone(),
        }
    }

    fn command(&self, lock: i32) -> std::io::Result<Command> {
        let mut command = Command::new(std::env::current_exe()?);
        command
            .args(["preflight", "--try-lock", &lock.to_string()])
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true);
        if let Some(config) = &self.config {
            command.arg("--config").arg(config);
        }
        // Not among the arguments, which everybody on the machine may read.
        let url = match self.database.location() {
            DatabaseLocation::Postgres(url) => url.clone(),
            DatabaseLocation::Sqlite(_) => self.database.to_string(),
        };
        command.env("VOICESURVEY_DATABASE_URL", url);
        Ok(command)
    }
}

#[async_trait]
impl OtherProcess for SecondProcess {
    async fn gets_lock(&self, lock: i32) -> Result<bool, StorageError> {
        let failed = |what: String| StorageError::Failed(what.into());
        let mut command = self
            .command(lock)
            .map_err(|error| failed(error.to_string()))?;
        let told = tokio::time::timeout(PATIENCE, command.output()).await;
        let told = told.map_err(|_| failed("a second process did not answer".to_owned()))?;
        let told = told.map_err(|error| failed(error.to_string()))?;
        match str::from_utf8(&told.stdout).unwrap_or_default().trim() {
            "true" => Ok(true),
            "false" => Ok(false),
            _ => Err(failed(format!("a second process failed: {}", told.status))),
        }
    }
}

/// What the second process says: whether the lock could be had.
pub(super) async fn answer(database: &DatabaseConfig, lock: i32) -> Result<(), CommandError> {
    let stores = Stores::open(database, Purpose::Inspect).await?;
    let got = stores.audit.gets_lock(lock).await;
    let got = got.map_err(|source| StoresError::Failed {
        url: database.url.to_string(),
        source,
    })?;
    print(&got.to_string())
}
