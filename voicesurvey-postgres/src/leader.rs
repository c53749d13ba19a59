//! The election of the server that does the duties which need no doing twice.
//!
//! The lock is an advisory one, on a connection of its own: when the leader dies, the database
//! notices and frees it at once. A leader that is frozen keeps its connection, so the database ends
//! it when no heartbeat comes. What such a leader still writes when it wakes up is refused by the
//! epoch: each election raises it, and each transaction of a duty begins by locking the row that
//! shows it (see [`PostgresStorage::fenced`]).
//!
//! The invariant: a unit of work of the store that is fenced commits only while no later leader has
//! been elected.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use sqlx::postgres::{PgConnectOptions, PgConnection, PgRow};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _, Row as _};
use voicesurvey_core::audit::{Election, LockTrial};
use voicesurvey_core::ports::{Leadership, OtherProcess, StorageError};
use voicesurvey_core::time::Clock;

use crate::error::storage_error;
use crate::storage::PostgresStorage;

/// How long the database waits for a heartbeat before it ends the leader's connection.
const SESSION_TIMEOUT: Duration = Duration::from_secs(3);
/// How long after a heartbeat was begun a leader trusts it: less than the database waits, so that a
/// leader stops before the next one begins.
const TRUST: Duration = Duration::from_millis(2_500);
/// How often a leader shows that it is alive.
const HEARTBEAT: Duration = Duration::from_secs(1);
/// How often a standby looks whether the lock is free.
const ATTEMPT: Duration = Duration::from_millis(250);
/// How often a lock is tried whose holder has let go; each time takes some milliseconds.
const TRIES_FOR_A_FREE_LOCK: u8 = 20;
/// How long the database may take for one statement of an election.
const STATEMENT_TIMEOUT: Duration = Duration::from_secs(2);
/// How long a round may take, a new connection included, before the connection is given up.
const ROUND_LIMIT: Duration = Duration::from_secs(4);

/// Asks for the lock: a number that nobody else uses in this database ("survey" and a serial).
const TRY_LOCK: &str = "SELECT pg_backend_pid(), pg_try_advisory_lock(126943972843905)";
/// Whether anybody holds it, and who was elected last. One key of 64 bits is two of 32 in `pg_locks`.
const WHO_LEADS: &str = "SELECT server, elected_at, epoch FROM leadership
    WHERE EXISTS (
        SELECT FROM pg_locks JOIN pg_database ON pg_database.oid = pg_locks.database
        WHERE datname = current_database() AND locktype = 'advisory' AND objsubid = 1 AND granted
            AND classid::bigint = 126943972843905 >> 32
            AND objid::bigint = 126943972843905 & 4294967295
    )";
const HEARTBEAT_QUERY: &str = "SELECT pg_backend_pid(), epoch FROM leadership";
const SESSION_QUERY: &str = "SELECT pg_backend_pid(), current_setting('idle_session_timeout')";

/// What a server knows of its own leadership. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct PostgresLeadership {
    term: Arc<Mutex<Option<Term>>>,
}

#[derive(Clone, Copy, Debug)]
struct Term {
    epoch: i64,
    trusted_until: Instant,
}

impl PostgresLeadership {
    /// The epoch in which this server leads, if it does.
    pub fn epoch(&self) -> Option<i64> {
        let term = *self.lock();
        term.filter(|term| monotonic() < term.trusted_until)
            .map(|term| term.epoch)
    }

    /// The store has said that another epoch has begun.
    pub(crate) fn is_over(&self, epoch: i64) {
        let mut term = self.lock();
        if term.is_some_and(|term| term.epoch == epoch) {
            *term = None;
        }
    }

    fn set(&self, term: Option<Term>) {
        *self.lock() = term;
    }

    fn lock(&self) -> MutexGuard<'_, Option<Term>> {
        // OK because a term is never half written.
        self.term.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Leadership for PostgresLeadership {
    fn is_leader(&self) -> bool {
        self.epoch().is_some()
    }
}

/// The server is not connected to PostgreSQL itself, so a lock would belong to somebody else's
/// connection: two servers could hold it at once, or none for ever.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error(
    "the database is reached through a pooler that shares connections between transactions, which \
     loses locks; give this server the address of PostgreSQL itself, or a pooler in session mode"
)]
pub struct PooledConnection;

/// One server that stands for election. It has no loop of its own: whoever runs it holds a
/// [`round`](Self::round) again and again.
pub struct Candidate {
    options: PgConnectOptions,
    clock: Arc<dyn Clock>,
    server: String,
    leadership: PostgresLeadership,
    session: Option<Session>,
    /// What the log said last, so that it says each change once.
    said: Option<Said>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Said {
    Leads,
    Stands,
    Fails,
}

/// The connection that holds the lock, or tries to.
#[derive(Debug)]
struct Session {
    connection: PgConnection,
    backend: i32,
    /// The epoch in which the lock is ours.
    epoch: Option<i64>,
}

impl PostgresStorage {
    /// A candidate on this database. `server` names it for people.
    pub fn candidate(&self, server: impl Into<String>, clock: Arc<dyn Clock>) -> Candidate {
        Candidate {
            options: self.session_options(),
            clock,
            server: server.into(),
            leadership: PostgresLeadership::default(),
            session: None,
            said: None,
        }
    }

    /// How the connection of a candidate is opened.
    fn session_options(&self) -> PgConnectOptions {
        let milliseconds = |duration: Duration| duration.as_millis().to_string();
        self.unlimited().clone().options([
            ("idle_session_timeout", milliseconds(SESSION_TIMEOUT)),
            // Who leads is hidden from companies.
            ("voicesurvey.scope", "platform".to_owned()),
            ("statement_timeout", milliseconds(STATEMENT_TIMEOUT)),
            ("lock_timeout", milliseconds(STATEMENT_TIMEOUT)),
            // So that the database also notices a server whose network is gone.
            ("tcp_user_timeout", milliseconds(SESSION_TIMEOUT)),
            ("tcp_keepalives_idle", "1".to_owned()),
            ("tcp_keepalives_interval", "1".to_owned()),
            ("tcp_keepalives_count", "3".to_owned()),
        ])
    }

    /// Whether a lock of one process is refused to another one, and free as soon as the connection of
    /// the first is gone: what the election rests on. Connections are opened as those of candidates.
    pub(crate) async fn lock_trial(
        &self,
        other: &dyn OtherProcess,
    ) -> Result<LockTrial, StorageError> {
        let options = self.session_options();
        match try_lock(&options, other).await {
            Ok(trial) => Ok(trial),
            Err(StorageError::Failed(cause)) if cause.is::<PooledConnection>() => {
                Ok(LockTrial::Fails {
                    what: cause.to_string(),
                })
            }
            Err(error) => Err(error),
        }
    }

    /// Whether a lock on trial can be had.
    pub(crate) async fn gets_trial_lock(&self, lock: i32) -> Result<bool, StorageError> {
        let mut session = open(&self.session_options()).await?;
        let got = session.gets_trial_lock(lock).await?;
        session.connection.close().await.map_err(storage_error)?;
        Ok(got)
    }
}

impl Candidate {
    /// What this server knows of its leadership, between rounds too.
    pub fn leadership(&self) -> PostgresLeadership {
        self.leadership.clone()
    }

    /// How long to wait before the next round.
    pub fn next_round_in(&self) -> Duration {
        match self.session {
            Some(Session { epoch: Some(_), .. }) => HEARTBEAT,
            _ => ATTEMPT,
        }
    }

    /// Fails with [`PooledConnection`] when this database cannot hold an election.
    pub async fn check(&mut self) -> Result<(), StorageError> {
        if self.session.is_none() {
            self.session = Some(open(&self.options).await?);
        }
        Ok(())
    }

    /// A leader shows that it is alive, a standby tries to become leader. Returns whether this
    /// server leads. After an error it does not, and the next round begins with a new connection.
    ///
    /// Must not be cut off: a round takes four seconds at most.
    pub async fn round(&mut self) -> Result<bool, StorageError> {
        let held = self.session.take();
        let held = tokio::time::timeout(ROUND_LIMIT, self.hold(held)).await;
        let held = held.unwrap_or_else(|_| {
            let silent = "the database does not answer in time";
            Err(StorageError::Unavailable(silent.into()))
        });
        match held {
            Ok(session) => {
                let leads = session.epoch.is_some();
                self.session = Some(session);
                self.say(if leads { Said::Leads } else { Said::Stands }, None);
                Ok(leads)
            }
            Err(error) => {
                self.leadership.set(None);
                self.say(Said::Fails, Some(&error));
                Err(error)
            }
        }
    }

    /// Gives the lock up at once, if it is held, so that a standby takes over.
    pub async fn resign(mut self) {
        self.leadership.set(None);
        if let Some(session) = self.session.take() {
            // OK because the lock goes with the connection, whatever the database says to a goodbye.
            let _ = tokio::time::timeout(ROUND_LIMIT, session.connection.close()).await;
        }
        if self.said == Some(Said::Leads) {
            tracing::info!("Scheduler leader lock released");
        }
    }

    async fn hold(&self, session: Option<Session>) -> Result<Session, StorageError> {
        let mut session = match session {
            Some(session) => session,
            None => open(&self.options).await?,
        };
        if session.epoch.is_none() && session.try_lock().await? {
            let epoch = session
                .raise_epoch(&self.server, self.clock.as_ref())
                .await?;
            session.epoch = Some(epoch);
        }
        if let Some(epoch) = session.epoch {
            let begun = monotonic();
            session.beat(epoch).await?;
            self.leadership.set(Some(Term {
                epoch,
                trusted_until: begun + TRUST,
            }));
        }
        Ok(session)
    }

    fn say(&mut self, now: Said, error: Option<&StorageError>) {
        let before = self.said.replace(now);
        if before == Some(now) {
            return;
        }
        let error = error.map(|error| error as &dyn std::error::Error);
        match now {
            Said::Leads => {
                let epoch = self.leadership.epoch();
                tracing::info!(epoch, "Scheduler leader lock acquired");
            }
            Said::Stands => tracing::info!("Scheduler leader lock busy; standby"),
            Said::Fails if before == Some(Said::Leads) => {
                tracing::warn!(error, "Scheduler leader lock lost");
            }
            Said::Fails => tracing::warn!(error, "the scheduler leader lock cannot be asked for"),
        }
    }
}

/// Without the options, which hold the password.
impl fmt::Debug for Candidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Candidate")
            .field("server", &self.server)
            .field("leadership", &self.leadership)
            .finish_non_exhaustive()
    }
}

impl Session {
    async fn try_lock(&mut self) -> Result<bool, StorageError> {
        let row = self.ask(TRY_LOCK).await?;
        row.try_get(1).map_err(storage_error)
    }

    /// Waits for transactions of the last leader that are still open, if any.
    async fn raise_epoch(&mut self, server: &str, clock: &dyn Clock) -> Result<i64, StorageError> {
        let raise = "UPDATE leadership SET epoch = epoch + 1, server = $1, elected_at = $2
                     RETURNING epoch";
        let raise = sqlx::query_scalar(raise).bind(server).bind(clock.now());
        raise
            .fetch_one(&mut self.connection)
            .await
            .map_err(storage_error)
    }

    /// Asks for a lock that is there for trials alone, and tells whether it was got.
    async fn gets_trial_lock(&mut self, lock: i32) -> Result<bool, StorageError> {
        // The leader's is one key and not two.
        let query = format!("SELECT pg_backend_pid(), pg_try_advisory_lock(29556, {lock})");
        let query = sqlx::raw_sql(AssertSqlSafe(query));
        let row = self.connection.fetch_one(query).await;
        row.map_err(storage_error)?
            .try_get(1)
            .map_err(storage_error)
    }

    /// Fails unless the lock and the epoch are still ours.
    async fn beat(&mut self, epoch: i64) -> Result<(), StorageError> {
        let row = self.ask(HEARTBEAT_QUERY).await?;
        let current: i64 = row.try_get(1).map_err(storage_error)?;
        if current == epoch {
            Ok(())
        } else {
            Err(StorageError::NotLeader)
        }
    }

    /// Asks in one message, so that a pooler in between cannot tear the statement apart, and makes
    /// sure that the same backend as ever answers.
    async fn ask(&mut self, query: &'static str) -> Result<PgRow, StorageError> {
        let row = ask(&mut self.connection, query).await?;
        let backend: i32 = row.try_get(0).map_err(storage_error)?;
        if backend == self.backend {
            Ok(row)
        } else {
            Err(StorageError::Failed(PooledConnection.into()))
        }
    }
}

/// Who leads, for people. It may have changed when they read it.
pub(crate) async fn election(connection: &mut PgConnection) -> Result<Election, StorageError> {
    let look = "BEGIN READ ONLY; SELECT set_config('voicesurvey.scope', 'platform', true)";
    let mut look = connection.begin_with(look).await.map_err(storage_error)?;
    let leader = look.fetch_optional(WHO_LEADS).await;
    look.rollback().await.map_err(storage_error)?;
    let Some(row) = leader.map_err(storage_error)? else {
        return Ok(Election::NoLeader);
    };
    Ok(Election::Leader {
        server: row.try_get(0).map_err(storage_error)?,
        since: row.try_get(1).map_err(storage_error)?,
        epoch: row.try_get(2).map_err(storage_error)?,
    })
}

async fn try_lock(
    options: &PgConnectOptions,
    other: &dyn OtherProcess,
) -> Result<LockTrial, StorageError> {
    let fails = |what: &str| {
        let what = what.to_owned();
        Ok(LockTrial::Fails { what })
    };
    let mut ours = open(options).await?;
    let lock = ours.backend;
    if !ours.gets_trial_lock(lock).await? {
        return fails("a lock of nobody could not be had");
    }
    if other.gets_lock(lock).await? {
        return fails("two processes held one lock at once");
    }
    ours.connection.close().await.map_err(storage_error)?;
    // The database frees it when it has noticed.
    for _ in 0..TRIES_FOR_A_FREE_LOCK {
        if other.gets_lock(lock).await? {
            return Ok(LockTrial::Works);
        }
    }
    fails("a lock was not free after its holder had gone")
}

async fn open(options: &PgConnectOptions) -> Result<Session, StorageError> {
    let mut connection = options.connect().await.map_err(storage_error)?;
    let row = ask(&mut connection, SESSION_QUERY).await?;
    let backend = row.try_get(0).map_err(storage_error)?;
    let timeout: String = row.try_get(1).map_err(storage_error)?;
    let mut session = Session {
        connection,
        backend,
        epoch: None,
    };
    // A pooler may also drop what was asked of the connection.
    if timeout != format!("{}s", SESSION_TIMEOUT.as_secs()) {
        return Err(StorageError::Failed(PooledConnection.into()));
    }
    session.ask(SESSION_QUERY).await?;
    Ok(session)
}

async fn ask(connection: &mut PgConnection, query: &'static str) -> Result<PgRow, StorageError> {
    let answer = connection.fetch_one(sqlx::raw_sql(query)).await;
    answer.map_err(storage_error)
}

#[expect(
    clippy::disallowed_methods,
    reason = "trust runs out on a clock that nobody can set"
)]
fn monotonic() -> Instant {
    Instant::now()
}
