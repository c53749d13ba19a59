//! A store that fails at the last moment: everything was written, and the commit does not happen.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use voicesurvey_core::memory::MemoryStorage;
use voicesurvey_core::ports::{
    ApiKeyRepository, CallAttemptRepository, CallListRepository, CallRollupRepository,
    CallTaskRepository, CampaignRepository, CompanyRepository, ContactRecordRepository,
    ErasureRepository, EventRepository, ExclusionRepository, ExportRepository, InterviewRepository,
    RetentionRepository, Scope, SkillbaseRepository, Storage, StorageError, UnitOfWork,
};

/// Commits nothing while it is told so.
#[derive(Debug)]
pub(crate) struct FailsToCommit {
    store: MemoryStorage,
    fails: Arc<AtomicBool>,
}

impl FailsToCommit {
    /// Fails from the start.
    pub(crate) fn new(store: MemoryStorage) -> Self {
        Self {
            store,
            fails: Arc::new(AtomicBool::new(true)),
        }
    }

    /// Works from now on.
    pub(crate) fn recovers(&self) {
        self.fails.store(false, Ordering::Relaxed);
    }
}

#[async_trait]
impl Storage for FailsToCommit {
    async fn begin(&self, scope: Scope) -> Result<Box<dyn UnitOfWork>, StorageError> {
        let inner = self.store.begin(scope).await?;
        let fails = self.fails.clone();
        Ok(Box::new(Work { inner, fails }))
    }

    async fn check(&self) -> Result<(), StorageError> {
        self.store.check().await
    }
}

struct Work {
    inner: Box<dyn UnitOfWork>,
    fails: Arc<AtomicBool>,
}

#[async_trait]
impl UnitOfWork for Work {
    fn companies(&mut self) -> &mut dyn CompanyRepository {
        self.inner.companies()
    }

    fn api_keys(&mut self) -> &mut dyn ApiKeyRepository {
        self.inner.api_keys()
    }

    fn skillbases(&mut self) -> &mut dyn SkillbaseRepository {
        self.inner.skillbases()
    }

    fn campaigns(&mut self) -> &mut dyn CampaignRepository {
        self.inner.campaigns()
    }

    fn call_lists(&mut self) -> &mut dyn CallListRepository {
        self.inner.call_lists()
    }

    fn call_tasks(&mut self) -> &mut dyn CallTaskRepository {
        self.inner.call_tasks()
    }

    fn call_attempts(&mut self) -> &mut dyn CallAttemptRepository {
        self.inner.call_attempts()
    }

    fn interviews(&mut self) -> &mut dyn InterviewRepository {
        self.inner.interviews()
    }

    fn call_rollups(&mut self) -> &mut dyn CallRollupRepository {
        self.inner.call_rollups()
    }

    fn contact_records(&mut self) -> &mut dyn ContactRecordRepository {
        self.inner.contact_records()
    }

    fn exports(&mut self) -> &mut dyn ExportRepository {
        self.inner.exports()
    }

    fn exclusions(&mut self) -> &mut dyn ExclusionRepository {
        self.inner.exclusions()
    }

    fn erasures(&mut self) -> &mut dyn ErasureRepository {
        self.inner.erasures()
    }

    fn retention(&mut self) -> &mut dyn RetentionRepository {
        self.inner.retention()
    }

    fn events(&mut self) -> &mut dyn EventRepository {
        self.inner.events()
    }

    async fn commit(self: Box<Self>) -> Result<(), StorageError> {
        if self.fails.load(Ordering::Relaxed) {
            return Err(StorageError::Unavailable("the connection was cut".into()));
        }
        self.inner.commit().await
    }
}
