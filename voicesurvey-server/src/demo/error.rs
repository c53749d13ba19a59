//! Why a demo cannot go on, and what to do about it.

use std::io;
use std::path::PathBuf;

use voicesurvey_core::ports::StorageError;
use voicesurvey_core::service::ServiceError;
use voicesurvey_files::call_list::CallListError;

use crate::config::UnknownDatabaseUrl;
use crate::server::ListenError;
use crate::stores::StoresError;

/// Why a demo cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// The address cannot be listened on.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// A file or the directory cannot be used.
    #[error("cannot {verb} {}", .path.display())]
    File {
        /// What was tried.
        verb: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A program has the store open.
    #[error(
        "a program is using {}: stop it first, or choose another directory with --directory",
        .path.display()
    )]
    InUse {
        /// The database.
        path: PathBuf,
    },
    /// The notes of an earlier run cannot be read.
    #[error(
        "{} cannot be read as the notes of a demo: begin anew with --restart, or choose another \
         directory with --directory", .path.display()
    )]
    UnreadableNotes {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// The run that goes on has another seed.
    #[error(
        "the demo in {} has the seed {stored} and goes on with it: leave out --seed, or begin \
         anew with --restart", .directory.display()
    )]
    OtherSeed {
        /// The demo's directory.
        directory: PathBuf,
        /// Its seed.
        stored: u64,
    },
    /// What the notes speak of is not in the store.
    #[error("the {what} of this demo is gone from its database: begin anew with --restart")]
    Gone {
        /// What is missing.
        what: &'static str,
    },
    /// The campaign or the call list that is compiled into the program cannot be used: a bug.
    #[error("the demo's own campaign cannot be read")]
    Content(#[source] serde_json::Error),
    /// As above.
    #[error("the demo's own call list cannot be read")]
    CallList(#[from] CallListError),
    /// The store cannot be opened.
    #[error(transparent)]
    Store(Box<StoresError>),
    /// A use case refused.
    #[error(transparent)]
    Service(#[from] ServiceError),
    /// The store failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// A signal ended the run, and whoever waited for its end must know.
    #[error("the run was stopped before its end; the same command goes on from there")]
    Stopped,
    /// The database's path cannot be put into a URL.
    #[error("{} cannot be used as a database file: choose another directory with --directory", .path.display())]
    BadPath {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: UnknownDatabaseUrl,
    },
    /// The operating system did not give what every program gets.
    #[error("the operating system refuses")]
    System(#[source] io::Error),
    /// The terminal cannot be written to.
    #[error("cannot write to the standard output")]
    Output(#[from] io::Error),
}

impl DemoError {
    /// For `map_err`: what was tried with which file.
    pub(super) fn file(verb: &'static str, path: PathBuf) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::File { verb, path, source }
    }
}
