//! The bell between servers: NOTIFY and LISTEN.
//!
//! A hint, like every bell: it carries nothing but who rang, and what was rung while nobody
//! listened is lost. It is never rung within another transaction, because a NOTIFY makes commits
//! wait for each other.

use std::time::Duration;

use sqlx::postgres::{PgListener, PgPool, PgPoolOptions};
use uuid::Uuid;
use voicesurvey_core::ports::StorageError;

use crate::error::storage_error;
use crate::storage::PostgresStorage;

const CHANNEL: &str = "voicesurvey_wake_up";
/// How long a connection to listen on may take.
const CONNECTS_WITHIN: Duration = Duration::from_secs(5);

/// Rings the bells of the other servers.
#[derive(Clone, Debug)]
pub struct Notifier {
    pool: PgPool,
    server: Uuid,
}

/// Hears the other servers, on a connection of its own.
#[derive(Debug)]
pub struct Listener {
    listener: PgListener,
    server: String,
}

impl PostgresStorage {
    /// Rings in the name of `server`, which must be different for every server that runs.
    pub fn notifier(&self, server: Uuid) -> Notifier {
        Notifier {
            pool: self.pool().clone(),
            server,
        }
    }

    /// Listens to all servers but `server`.
    pub async fn listen(&self, server: Uuid) -> Result<Listener, StorageError> {
        // The listener wants a pool to take its connection from.
        let pool = PgPoolOptions::new()
            .max_connections(1)
            .max_lifetime(None)
            .idle_timeout(None)
            .acquire_timeout(CONNECTS_WITHIN)
            .connect_lazy_with(self.unlimited().clone());
        let listener = PgListener::connect_with(&pool).await;
        let mut listener = listener.map_err(storage_error)?;
        // Whoever listens must know that something may have been missed.
        listener.eager_reconnect(false);
        listener.listen(CHANNEL).await.map_err(storage_error)?;
        Ok(Listener {
            listener,
            server: server.to_string(),
        })
    }
}

impl Notifier {
    /// Rings. Everybody who listens hears it, and the server itself ignores it.
    pub async fn notify(&self) -> Result<(), StorageError> {
        sqlx::query("SELECT pg_notify($1, $2)")
            .bind(CHANNEL)
            .bind(self.server.to_string())
            .execute(&self.pool)
            .await
            .map(|_| ())
            .map_err(storage_error)
    }
}

impl Listener {
    /// Waits until another server rings. After an error nothing is heard any more: listen anew, and
    /// look at once, because a ring may have been missed.
    pub async fn heard(&mut self) -> Result<(), StorageError> {
        loop {
            match self.listener.try_recv().await.map_err(storage_error)? {
                Some(ring) if ring.payload() == self.server => {}
                Some(_) => return Ok(()),
                None => {
                    let lost = "the connection to listen on was lost";
                    return Err(StorageError::Unavailable(lost.into()));
                }
            }
        }
    }
}
