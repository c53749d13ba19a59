//! The store: a pool of connections, and what is asked of the database as a whole.

use std::time::Duration;

use async_trait::async_trait;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool, PgPoolOptions};
use sqlx::{ConnectOptions as _, Connection as _};
use voicesurvey_core::number_keys::NumberKeys;
use voicesurvey_core::ports::{Claim, ClaimRequest, Scope, Storage, StorageError, UnitOfWork};

use crate::error::storage_error;
use crate::known::Known;
use crate::leader::PostgresLeadership;
use crate::migrations;
use crate::unit_of_work::PostgresUnitOfWork;

/// How the store uses its database.
#[derive(Clone, Debug)]
pub struct PostgresOptions {
    /// Connections that are kept at most.
    pub max_connections: u32,
    /// How long to wait for a connection, also for the first one, before giving up.
    pub connect_timeout: Duration,
    /// After this time the database gives up a statement.
    pub statement_timeout: Duration,
    /// After this time the database gives up waiting for a row that somebody else holds.
    pub lock_timeout: Duration,
    /// What the database shows as the name of this program.
    pub application_name: String,
}

impl Default for PostgresOptions {
    fn default() -> Self {
        Self {
            max_connections: 10,
            connect_timeout: Duration::from_secs(5),
            statement_timeout: Duration::from_secs(30),
            lock_timeout: Duration::from_secs(10),
            application_name: "voicesurvey".to_owned(),
        }
    }
}

/// Why the store could not be opened. The messages contain no password.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The URL is not one of PostgreSQL.
    #[error("the database URL must look like postgres://user:password@host:5432/database")]
    Url(#[source] sqlx::Error),
    /// The server does not answer, or does not let us in.
    #[error("no connection to database '{database}' at {place} as user '{user}'")]
    Unreachable {
        /// Host and port, or the socket.
        place: String,
        /// The database.
        database: String,
        /// The user.
        user: String,
        /// What went wrong.
        #[source]
        source: sqlx::Error,
    },
}

/// Everything in one PostgreSQL database. Clones share their connections.
///
/// Any number of servers may use the same database at once.
#[derive(Clone)]
pub struct PostgresStorage {
    pool: PgPool,
    /// As given, without timeouts: for migrations.
    unlimited: PgConnectOptions,
    /// Who must lead for a unit of work to commit; `None` when that does not matter.
    fence: Option<PostgresLeadership>,
    known: Known,
    keys: NumberKeys,
}

impl PostgresStorage {
    /// Opens the store; fails within the connect timeout when the database cannot be reached. The
    /// schema is not looked at, [`check`](Storage::check) does that.
    pub async fn connect(url: &str, options: &PostgresOptions) -> Result<Self, ConnectError> {
        let unlimited = parse_url(url)?.application_name(&options.application_name);
        let milliseconds = |duration: Duration| duration.as_millis().to_string();
        let limited = unlimited.clone().options([
            ("statement_timeout", milliseconds(options.statement_timeout)),
            ("lock_timeout", milliseconds(options.lock_timeout)),
            (
                "idle_in_transaction_session_timeout",
                milliseconds(options.statement_timeout),
            ),
        ]);
        // The pool would try again until its timeout, and then not say why.
        let first = limited.connect();
        let first = tokio::time::timeout(options.connect_timeout, first).await;
        let connection = first
            .unwrap_or(Err(sqlx::Error::PoolTimedOut))
            .map_err(|source| unreachable(&limited, source))?;
        // OK because the connection has served its purpose, whatever the server says to a goodbye.
        let _ = connection.close().await;
        let pool = PgPoolOptions::new()
            .max_connections(options.max_connections)
            .acquire_timeout(options.connect_timeout)
            .connect_lazy_with(limited);
        Ok(Self {
            pool,
            unlimited,
            fence: None,
            known: Known::default(),
            keys: NumberKeys::default(),
        })
    }

    /// The same store for whoever has those keys for what remains of erased numbers. Without any,
    /// nobody can be erased.
    #[must_use]
    pub fn with_number_keys(self, keys: NumberKeys) -> Self {
        Self { keys, ..self }
    }

    /// The same store for a leader's duties: its units of work fail with
    /// [`StorageError::NotLeader`] unless the server leads when they begin, and no other is elected
    /// before they end. Whoever is elected waits for them, so they are short.
    #[must_use]
    pub fn fenced(&self, leadership: PostgresLeadership) -> Self {
        Self {
            fence: Some(leadership),
            ..self.clone()
        }
    }

    /// Brings the schema up to date. A step of its own, before servers start; where several do it
    /// at once, one works and the others wait.
    pub async fn migrate(&self) -> Result<(), StorageError> {
        let mut connection: PgConnection = self.unlimited.connect().await.map_err(storage_error)?;
        migrations::migrate(&mut connection).await?;
        connection.close().await.map_err(storage_error)
    }

    /// Closes all connections, when they are given back.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    pub(crate) async fn work(&self, scope: Scope) -> Result<PostgresUnitOfWork, StorageError> {
        let mut work = PostgresUnitOfWork::begin(&self.pool, scope, self.fence.as_ref()).await?;
        work.keys = self.keys.clone();
        Ok(work)
    }

    pub(crate) const fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// How to connect, without timeouts.
    pub(crate) const fn unlimited(&self) -> &PgConnectOptions {
        &self.unlimited
    }

    /// Claims, and commits.
    pub(crate) async fn claim(&self, request: &ClaimRequest) -> Result<Claim, StorageError> {
        if request.attempt_ids.is_empty() {
            return Ok(Claim::default());
        }
        let mut work = PostgresUnitOfWork::begin_claim(&self.pool).await?;
        let claim = work.claim(request, &self.known).await?;
        work.finish().await?;
        Ok(claim)
    }
}

impl std::fmt::Debug for PostgresStorage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PostgresStorage")
            .field("place", &place(&self.unlimited))
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl Storage for PostgresStorage {
    async fn begin(&self, scope: Scope) -> Result<Box<dyn UnitOfWork>, StorageError> {
        Ok(Box::new(self.work(scope).await?))
    }

    async fn begin_reading(&self, scope: Scope) -> Result<Box<dyn UnitOfWork>, StorageError> {
        let mut work = PostgresUnitOfWork::begin_reading(&self.pool, scope).await?;
        work.keys = self.keys.clone();
        Ok(Box::new(work))
    }

    async fn check(&self) -> Result<(), StorageError> {
        let mut connection = self.pool.acquire().await.map_err(storage_error)?;
        migrations::check(&mut connection).await?;
        drop(connection);
        let mut work = PostgresUnitOfWork::begin(&self.pool, Scope::Platform, None).await?;
        let used = work.all_erasure_keys().await?;
        let known = self.keys.must_include(used);
        known.map_err(|error| StorageError::Failed(Box::new(error)))
    }
}

fn parse_url(url: &str) -> Result<PgConnectOptions, ConnectError> {
    if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
        let scheme = "the URL does not begin with postgres://";
        return Err(ConnectError::Url(sqlx::Error::Configuration(scheme.into())));
    }
    url.parse().map_err(ConnectError::Url)
}

fn unreachable(options: &PgConnectOptions, source: sqlx::Error) -> ConnectError {
    ConnectError::Unreachable {
        place: place(options),
        database: options.get_database().unwrap_or_default().to_owned(),
        user: options.get_username().to_owned(),
        source,
    }
}

fn place(options: &PgConnectOptions) -> String {
    match options.get_socket() {
        Some(socket) => socket.display().to_string(),
        None => format!("{}:{}", options.get_host(), options.get_port()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_url_of_something_else_is_refused_with_an_example() {
        for url in ["", "mysql://localhost/x", "postgres://[", "localhost:5432"] {
            let error = PostgresStorage::connect(url, &PostgresOptions::default()).await;
            assert!(matches!(error, Err(ConnectError::Url(_))), "{url}");
        }
    }

    #[tokio::test]
    async fn an_unreachable_server_is_named_without_the_password() {
        // Port 1 of this machine: nobody listens there.
        let url = "postgres://somebody:secret@127.0.0.1:1/survey";
        let error = PostgresStorage::connect(url, &PostgresOptions::default())
            .await
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "no connection to database 'survey' at 127.0.0.1:1 as user 'somebody'"
        );
        assert!(!format!("{error:?}").contains("secret"));
    }
}
