//! Opening the file: everything that can be wrong with it is said before anything is changed.

use std::fs::OpenOptions;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::migrate::MigrateError;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{ConnectOptions as _, Connection as _};

use crate::error::is_not_a_database;
use crate::migrations::{self, SchemaState};
use crate::server_lock::{NotLocked, ServerLock};

/// How long a unit of work waits for those before it.
const WAIT_FOR_WRITER: Duration = Duration::from_secs(30);
/// How long a statement waits for another process, such as a command beside the server.
const WAIT_FOR_PROCESS: Duration = Duration::from_secs(10);
/// Connections that look at the last committed state: for reports and files, and for health checks.
const READERS: u32 = 4;

/// Who opens the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenMode {
    /// The server: claims and dials, and is the only one that does. Keeps every other server away
    /// from the file until it ends.
    Serve,
    /// A command beside a server that may be running: short units of work, and the schema is left
    /// alone while a server uses it.
    Command,
    /// Somebody who only looks, also beside a server: the file must exist, and nothing in it is
    /// changed, not even its schema.
    Inspect,
}

/// Why the file cannot be opened. Nothing was changed in it.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The location is no path of a file.
    #[error("'{location}' names no database file: {what}")]
    BadLocation {
        /// The location as given.
        location: String,
        /// What is wrong with it.
        what: &'static str,
    },
    /// There is no directory to put the file in.
    #[error("the directory {} does not exist: create it first", .directory.display())]
    MissingDirectory {
        /// The directory.
        directory: PathBuf,
    },
    /// There is no file to look at.
    #[error("there is no database {}", .path.display())]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// The file can be neither created nor written.
    #[error("the database file {} cannot be written", .path.display())]
    NotWritable {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The file holds something else.
    #[error("the file {} is not a database of voicesurvey: choose another file", .path.display())]
    NotOurs {
        /// The file.
        path: PathBuf,
    },
    /// The file was written by a newer version, which this one does not understand.
    #[error(
        "the database {} was written by a newer version of voicesurvey (migration {migration}): use that version", .path.display()
    )]
    TooNew {
        /// The file.
        path: PathBuf,
        /// The first migration that is not known.
        migration: i64,
    },
    /// A server uses the file.
    #[error(
        "a server{} is using the database {}: the embedded store serves one server at a time", process(*.by), .path.display()
    )]
    InUse {
        /// The file.
        path: PathBuf,
        /// The process, if it is known.
        by: Option<u32>,
    },
    /// The schema cannot be brought up to date.
    #[error("the database {} cannot be migrated", .path.display())]
    NotMigrated {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: MigrateError,
    },
    /// SQLite cannot use the file.
    #[error("the database {} cannot be opened", .path.display())]
    Failed {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: sqlx::Error,
    },
}

fn process(id: Option<u32>) -> String {
    id.map_or_else(String::new, |id| format!(" (process {id})"))
}

/// What was opened.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) path: PathBuf,
    pub(crate) writer: SqlitePool,
    pub(crate) readers: SqlitePool,
    /// Held until the store is dropped.
    pub(crate) _lock: Option<ServerLock>,
}

/// Opens the file at `location`, creates it if there is none, and migrates it.
pub(crate) async fn open(location: &str, mode: OpenMode) -> Result<Opened, OpenError> {
    let path = path_of(location)?;
    if mode == OpenMode::Inspect && !path.exists() {
        return Err(OpenError::Missing { path });
    }
    let path = writable_file(&path)?;
    let lock = match mode {
        OpenMode::Serve => Some(lock(&path)?),
        OpenMode::Command | OpenMode::Inspect => None,
    };
    let options = connect_options(&path);
    let failed = |source| OpenError::Failed {
        path: path.clone(),
        source,
    };
    prepare(&path, &options, mode).await?;
    // Only now, because switching to WAL already writes into a file that might not have been ours.
    let options = match mode {
        OpenMode::Serve | OpenMode::Command => options.journal_mode(SqliteJournalMode::Wal),
        OpenMode::Inspect => options.pragma("query_only", "ON"),
    };
    let writer = SqlitePoolOptions::new()
        .max_connections(1)
        .acquire_timeout(WAIT_FOR_WRITER)
        .idle_timeout(None)
        .max_lifetime(None)
        // A full disk makes SQLite end a transaction by itself. The driver then still believes in
        // it, and would refuse every later one on that connection.
        .before_acquire(|connection, _| {
            Box::pin(async move { Ok(!connection.is_in_transaction()) })
        })
        .connect_with(options.clone())
        .await
        .map_err(failed)?;
    let readers = SqlitePoolOptions::new()
        .max_connections(READERS)
        .acquire_timeout(WAIT_FOR_WRITER)
        .connect_with(options.pragma("query_only", "ON"))
        .await
        .map_err(failed)?;
    Ok(Opened {
        path,
        writer,
        readers,
        _lock: lock,
    })
}

/// The path in `sqlite://FILE`, `sqlite:FILE` or a bare path, taken as it stands.
fn path_of(location: &str) -> Result<PathBuf, OpenError> {
    let bad = |what| OpenError::BadLocation {
        location: location.to_owned(),
        what,
    };
    let file = match location.strip_prefix("sqlite:") {
        Some(rest) => {
            let file = rest.strip_prefix("//").unwrap_or(rest);
            if file.contains('?') {
                return Err(bad("sqlite: takes no parameters"));
            }
            file
        }
        None if location.contains("://") => return Err(bad("use sqlite://FILE")),
        None => location,
    };
    match file {
        "" => Err(bad("the file is missing, use sqlite://FILE")),
        ":memory:" => Err(bad("a database in memory would lose everything at the end")),
        file => Ok(PathBuf::from(file)),
    }
}

/// Makes sure that the file exists and can be written, and finds its one true path, so that two
/// names of one file have one lock.
fn writable_file(path: &Path) -> Result<PathBuf, OpenError> {
    let not_writable = |source| OpenError::NotWritable {
        path: path.to_owned(),
        source,
    };
    let directory = match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    if !directory.is_dir() {
        return Err(OpenError::MissingDirectory {
            directory: directory.to_owned(),
        });
    }
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
        .and_then(|_| path.canonicalize())
        .map_err(not_writable)
}

fn lock(path: &Path) -> Result<ServerLock, OpenError> {
    ServerLock::take(path).map_err(|error| match error {
        NotLocked::Held { by } => OpenError::InUse {
            path: path.to_owned(),
            by,
        },
        NotLocked::Unusable(source) => OpenError::NotWritable {
            path: ServerLock::path(path),
            source,
        },
    })
}

fn connect_options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(WAIT_FOR_PROCESS)
}

/// Brings the schema up to date on a connection of its own.
async fn prepare(
    path: &Path,
    options: &SqliteConnectOptions,
    mode: OpenMode,
) -> Result<(), OpenError> {
    let failed = |source| {
        if is_not_a_database(&source) {
            OpenError::NotOurs {
                path: path.to_owned(),
            }
        } else {
            OpenError::Failed {
                path: path.to_owned(),
                source,
            }
        }
    };
    let mut connection = options.connect().await.map_err(failed)?;
    match migrations::state(&mut connection).await.map_err(failed)? {
        SchemaState::Current => {}
        SchemaState::Foreign => {
            return Err(OpenError::NotOurs {
                path: path.to_owned(),
            });
        }
        // Whoever looks is told by the store's check.
        SchemaState::Ahead(_) | SchemaState::Behind if mode == OpenMode::Inspect => {}
        SchemaState::Ahead(migration) => {
            return Err(OpenError::TooNew {
                path: path.to_owned(),
                migration,
            });
        }
        SchemaState::Behind => {
            // A server that is running was built for the schema as it is.
            let _lock = match mode {
                OpenMode::Serve | OpenMode::Inspect => None,
                OpenMode::Command => Some(lock(path)?),
            };
            migrations::migrate(&mut connection)
                .await
                .map_err(|source| OpenError::NotMigrated {
                    path: path.to_owned(),
                    source,
                })?;
            tracing::info!(path = %path.display(), "applied the missing migrations");
        }
    }
    connection.close().await.map_err(failed)
}
