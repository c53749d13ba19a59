//! Which store the configuration names. Only here one is chosen by its name.

mod cluster;

use std::fmt;
use std::sync::Arc;

use voicesurvey_core::campaign::Pacing;
use voicesurvey_core::ports::{Audit, Storage, StorageError, TaskQueue};
use voicesurvey_postgres::{ConnectError, PostgresOptions, PostgresStorage};
use voicesurvey_sqlite::{OpenError, OpenMode, SqliteStorage};

pub use self::cluster::Cluster;
pub(crate) use self::cluster::{ClusterParts, Ears};
use crate::config::{DatabaseConfig, DatabaseLocation, DatabaseUrl};

/// What the store is opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To claim and dial. The embedded store takes one server only.
    Serve,
    /// For a command, also beside a running server.
    Command,
    /// To look, also beside a running server. Changes nothing and creates nothing, and whether the
    /// schema is the right one is left to be asked.
    Inspect,
}

/// An open store, from both its sides.
#[derive(Clone)]
pub struct Stores {
    /// For services.
    pub storage: Arc<dyn Storage>,
    /// For the dispatcher.
    pub queue: Arc<dyn TaskQueue>,
    /// For operators.
    pub audit: Arc<dyn Audit>,
    opened: Opened,
}

#[derive(Clone)]
enum Opened {
    Sqlite(Arc<SqliteStorage>),
    Postgres(Arc<PostgresStorage>),
}

/// The store cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StoresError {
    /// The embedded store.
    #[error(transparent)]
    Embedded(#[from] OpenError),
    /// PostgreSQL.
    #[error(transparent)]
    Postgres(#[from] ConnectError),
    /// The schema is not the one this program needs.
    #[error(
        "the database {url} is not ready: {what}\n\
         migrate it with: voicesurvey migrate --database-url {url}"
    )]
    NotMigrated {
        /// The database, without password.
        url: String,
        /// What is missing or too new.
        what: String,
    },
    /// The store was opened and then failed.
    #[error("the database {url} cannot be used")]
    Failed {
        /// The database, without password.
        url: String,
        /// Why.
        #[source]
        source: StorageError,
    },
}

/// What a migration did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Migrated {
    /// The schema was created or brought up to date.
    Changed,
    /// There was nothing to do.
    UpToDate,
}

impl Stores {
    /// Opens the store that the configuration names. The embedded store is created and migrated if
    /// need be; PostgreSQL must have been migrated before, so that starting a server changes no
    /// schema under the feet of others.
    pub async fn open(config: &DatabaseConfig, purpose: Purpose) -> Result<Self, StoresError> {
        match config.url.location() {
            DatabaseLocation::Sqlite(_) => {
                let mode = match purpose {
                    Purpose::Serve => OpenMode::Serve,
                    Purpose::Command => OpenMode::Command,
                    Purpose::Inspect => OpenMode::Inspect,
                };
                let store = SqliteStorage::open(&config.url.to_string(), mode).await?;
                let store = Arc::new(store.with_number_keys(config.number_keys.0.clone()));
                if purpose != Purpose::Inspect {
                    let checked = store.check().await;
                    checked.map_err(|source| failed(&config.url, source))?;
                }
                Ok(Self::new(store.clone(), Opened::Sqlite(store)))
            }
            DatabaseLocation::Postgres(url) => {
                let store = PostgresStorage::connect(url, &options(config)).await?;
                let store = Arc::new(store.with_number_keys(config.number_keys.0.clone()));
                if purpose != Purpose::Inspect {
                    let checked = store.check().await;
                    checked.map_err(|source| failed(&config.url, source))?;
                }
                Ok(Self::new(store.clone(), Opened::Postgres(store)))
            }
        }
    }

    /// Brings the schema up to date. Doing it twice changes nothing.
    pub async fn migrate(config: &DatabaseConfig) -> Result<Migrated, StoresError> {
        match config.url.location() {
            DatabaseLocation::Sqlite(file) => {
                let existed = file.exists();
                let opened = Self::open(config, Purpose::Command).await?;
                opened
                    .close()
                    .await
                    .map_err(|source| failed(&config.url, source))?;
                Ok(if existed {
                    Migrated::UpToDate
                } else {
                    Migrated::Changed
                })
            }
            DatabaseLocation::Postgres(url) => {
                let store = PostgresStorage::connect(url, &options(config)).await?;
                if store.check().await.is_ok() {
                    return Ok(Migrated::UpToDate);
                }
                let cannot = |source| StoresError::Failed {
                    url: config.url.to_string(),
                    source,
                };
                store.migrate().await.map_err(cannot)?;
                store.close().await;
                Ok(Migrated::Changed)
            }
        }
    }

    fn new<S: Storage + TaskQueue + Audit + 'static>(store: Arc<S>, opened: Opened) -> Self {
        Self {
            storage: store.clone(),
            queue: store.clone(),
            audit: store,
            opened,
        }
    }

    /// The place of this server, called `name`, among the others on its database; `None` when the
    /// store takes one server only.
    pub async fn join_cluster(
        &self,
        config: &DatabaseConfig,
        name: &str,
    ) -> Result<Option<Cluster>, StoresError> {
        match &self.opened {
            Opened::Sqlite(_) => Ok(None),
            Opened::Postgres(store) => {
                let joined = Cluster::join(store.clone(), name).await;
                joined
                    .map(Some)
                    .map_err(|source| failed(&config.url, source))
            }
        }
    }

    /// Limits what all companies together may use of the provider account; `None` lifts the limits.
    pub async fn limit_provider(
        &self,
        config: &DatabaseConfig,
        provider: &str,
        limits: Option<Pacing>,
    ) -> Result<(), StoresError> {
        let limited = self.queue.limit_provider(provider, limits).await;
        limited.map_err(|source| failed(&config.url, source))
    }

    /// Waits for open units of work, and closes. Whoever still has the store finds it unavailable.
    pub async fn close(self) -> Result<(), StorageError> {
        match self.opened {
            Opened::Sqlite(store) => store.close().await,
            Opened::Postgres(store) => {
                store.close().await;
                Ok(())
            }
        }
    }
}

impl fmt::Debug for Stores {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.storage.fmt(f)
    }
}

fn options(config: &DatabaseConfig) -> PostgresOptions {
    PostgresOptions {
        max_connections: config.max_connections.get(),
        ..PostgresOptions::default()
    }
}

fn failed(url: &DatabaseUrl, source: StorageError) -> StoresError {
    let url = url.to_string();
    match source {
        StorageError::NotMigrated { what } => StoresError::NotMigrated { url, what },
        source => StoresError::Failed { url, source },
    }
}
