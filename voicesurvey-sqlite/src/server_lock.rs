//! The lock that keeps a second server away from the file.
//!
//! The store counts calls and limits for one server; a second one would claim and dial beside it.
//! The lock is the operating system's, on a file next to the database, so it is gone with its
//! process, also after a kill. The file itself stays, and means nothing by itself.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

/// Held as long as it lives.
#[derive(Debug)]
pub(crate) struct ServerLock {
    file: File,
}

/// Why the lock was not taken.
#[derive(Debug)]
pub(crate) enum NotLocked {
    /// Another process holds it; its number, if it could be read.
    Held { by: Option<u32> },
    /// The lock file cannot be used.
    Unusable(io::Error),
}

impl ServerLock {
    /// Takes the lock, or says at once who has it.
    pub(crate) fn take(database: &Path) -> Result<Self, NotLocked> {
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(Self::path(database))
            .map_err(NotLocked::Unusable)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(NotLocked::Held {
                    by: holder(&mut file),
                });
            }
            Err(TryLockError::Error(error)) => return Err(NotLocked::Unusable(error)),
        }
        note_holder(&mut file).map_err(NotLocked::Unusable)?;
        Ok(Self { file })
    }

    /// The lock file of a database: its name with `.lock` behind it.
    pub(crate) fn path(database: &Path) -> PathBuf {
        let mut path = database.as_os_str().to_owned();
        path.push(".lock");
        PathBuf::from(path)
    }
}

impl Drop for ServerLock {
    /// Closing the file would not always do: a process that is just being started holds copies of our
    /// open files until its own program begins, and the lock with them.
    fn drop(&mut self) {
        if let Err(error) = self.file.unlock() {
            tracing::warn!(%error, "the lock of the database could not be given back");
        }
    }
}

fn note_holder(file: &mut File) -> io::Result<()> {
    file.set_len(0)?;
    writeln!(file, "{}", std::process::id())
}

fn holder(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}
