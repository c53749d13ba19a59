//! What a server shares with the others on its database: who leads, the bell and the time.

use std::sync::Arc;

use uuid::Uuid;
use voicesurvey_core::id::IdGenerator;
use voicesurvey_core::ports::{Leadership, StorageError};
use voicesurvey_core::service::DutyPorts;
use voicesurvey_core::time::Clock;
use voicesurvey_postgres::{Candidate, Listener, Notifier, PostgresClock, PostgresStorage};

use crate::scaled_clock::Pacer;

/// The place of one server among those on its database.
#[derive(Debug)]
pub struct Cluster {
    storage: Arc<PostgresStorage>,
    clock: Arc<PostgresClock>,
    candidate: Candidate,
    /// Names this server among those that run.
    server: Uuid,
}

/// The parts of a [`Cluster`], each for a loop of its own.
pub(crate) struct ClusterParts {
    pub(crate) candidate: Candidate,
    pub(crate) clock: Arc<PostgresClock>,
    pub(crate) notifier: Notifier,
    pub(crate) ears: Ears,
}

/// Where the other servers are heard.
pub(crate) struct Ears {
    storage: Arc<PostgresStorage>,
    server: Uuid,
}

impl Cluster {
    /// Reads the database's time, and makes sure that leaders can be elected on it.
    pub(super) async fn join(
        storage: Arc<PostgresStorage>,
        name: &str,
    ) -> Result<Self, StorageError> {
        let clock = Arc::new(PostgresClock::start(&storage).await?);
        let mut candidate = storage.candidate(name, clock.clone());
        candidate.check().await?;
        Ok(Self {
            server: IdGenerator::from_entropy(clock.clone()).next(),
            storage,
            clock,
            candidate,
        })
    }

    /// The database's time.
    pub fn clock(&self) -> Arc<dyn Pacer> {
        self.clock.clone()
    }

    /// Whether this server leads.
    pub fn leadership(&self) -> Arc<dyn Leadership> {
        Arc::new(self.candidate.leadership())
    }

    /// The store as a leader sees it.
    pub fn duties(&self) -> DutyPorts {
        let fenced = Arc::new(self.storage.fenced(self.candidate.leadership()));
        DutyPorts {
            storage: fenced.clone(),
            queue: fenced,
        }
    }

    pub(crate) fn into_parts(self) -> ClusterParts {
        ClusterParts {
            notifier: self.storage.notifier(self.server),
            ears: Ears {
                storage: self.storage,
                server: self.server,
            },
            candidate: self.candidate,
            clock: self.clock,
        }
    }
}

impl Ears {
    /// Begins to listen.
    pub(crate) async fn listen(&self) -> Result<Listener, StorageError> {
        self.storage.listen(self.server).await
    }
}

impl Pacer for PostgresClock {
    fn until(&self, instant: voicesurvey_core::time::Timestamp) -> std::time::Duration {
        (instant - self.now()).to_std().unwrap_or_default()
    }
}
