//! The auditor's side of a store: whether its rows agree with each other.

use async_trait::async_trait;

use super::storage::StorageError;
use crate::audit::{Election, Finding, LockTrial};
use crate::time::Timestamp;

/// Looks at everything that is stored, over all companies, and changes nothing.
///
/// Works beside servers that are calling: all checks see the store at one instant. Large tables are
/// read from end to end, so it is for operators and tests and not for a screen.
#[async_trait]
pub trait Audit: Send + Sync + std::fmt::Debug {
    /// What is wrong at `now`, in the order of [`Check::ALL`](crate::audit::Check::ALL); nothing in
    /// a store that keeps the promises. [`StorageError::NotMigrated`] when the schema is not the one
    /// this program needs, because then nothing can be told.
    async fn audit(&self, now: Timestamp) -> Result<Vec<Finding>, StorageError>;

    /// Who leads the servers on this store.
    async fn election(&self) -> Result<Election, StorageError>;

    /// Tries whether a lock keeps another process out, as the election needs it. It is a lock of its
    /// own, so whoever leads goes on.
    async fn try_locks(&self, _other: &dyn OtherProcess) -> Result<LockTrial, StorageError> {
        Ok(LockTrial::NotNeeded)
    }

    /// Whether that lock can be had now; it is given back at once. What [`OtherProcess`] asks of its
    /// own store.
    async fn gets_lock(&self, _lock: i32) -> Result<bool, StorageError> {
        Ok(true)
    }
}

/// Another process on the same store.
#[async_trait]
pub trait OtherProcess: Send + Sync {
    /// Whether it [gets](Audit::gets_lock) that lock.
    async fn gets_lock(&self, lock: i32) -> Result<bool, StorageError>;
}
