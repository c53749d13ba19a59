//! A store that cannot be reached.

use async_trait::async_trait;
use voicesurvey_core::ports::{Scope, Storage, StorageError, UnitOfWork};

/// Nothing can be read or written.
#[derive(Debug)]
pub(crate) struct UnreachableStorage;

#[async_trait]
impl Storage for UnreachableStorage {
    async fn begin(&self, _: Scope) -> Result<Box<dyn UnitOfWork>, StorageError> {
        self.check().await?;
        unreachable!("the check fails")
    }

    async fn check(&self) -> Result<(), StorageError> {
        Err(StorageError::Unavailable("secret-host:5432 refused".into()))
    }
}
