//! Files whose writing fails in the middle.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use reqwest::Method;
use voicesurvey_core::memory::MemoryStorage;
use voicesurvey_core::ports::{Scope, Storage, StorageError, UnitOfWork};

use super::list;
use crate::support::TestApp;

/// A store that fails after a number of units of work.
#[derive(Debug)]
struct FailingStorage {
    inner: MemoryStorage,
    left: AtomicU32,
    begun: AtomicU32,
}

#[async_trait]
impl Storage for FailingStorage {
    async fn begin(&self, scope: Scope) -> Result<Box<dyn UnitOfWork>, StorageError> {
        self.begun.fetch_add(1, Ordering::SeqCst);
        let left = self
            .left
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| {
                left.checked_sub(1)
            });
        match left {
            Ok(_) => self.inner.begin(scope).await,
            Err(_) => Err(StorageError::Unavailable("the database has gone".into())),
        }
    }

    async fn check(&self) -> Result<(), StorageError> {
        self.inner.check().await
    }
}

#[tokio::test]
async fn a_file_that_fails_in_the_middle_does_not_end_as_if_it_were_complete() {
    let memory = MemoryStorage::default();
    let storage = Arc::new(FailingStorage {
        inner: memory.clone(),
        left: AtomicU32::new(u32::MAX),
        begun: AtomicU32::new(0),
    });
    let app = TestApp::start_over(None, storage.clone(), memory).await;
    let manager = app.company("Acme").await.manager().await;
    let campaign = manager.create_campaign_with(&list(2_100)).await;
    for format in ["csv", "xlsx", "parquet"] {
        let path = format!("{campaign}/export?format={format}");
        storage.left.store(u32::MAX, Ordering::SeqCst);
        storage.begun.store(0, Ordering::SeqCst);
        let whole = manager.get(&path).await;
        assert_eq!(whole.status, 200, "{whole}");
        // Without the note of the last page, and the one that everything was sent.
        let enough = storage.begun.load(Ordering::SeqCst) - 2;
        storage.left.store(enough, Ordering::SeqCst);
        let response = manager.request(Method::GET, &path).send().await.unwrap();
        assert_eq!(response.status(), 200, "{format}: {enough} units of work");
        let broken = response.bytes().await;
        assert!(
            broken.is_err(),
            "{format}: {:?} bytes",
            broken.map(|bytes| bytes.len())
        );
    }
    // What cannot even begin is told as a problem.
    storage.left.store(2, Ordering::SeqCst);
    let refused = manager.get(&format!("{campaign}/export")).await;
    assert_eq!(refused.status, 503, "{refused}");
    storage.left.store(u32::MAX, Ordering::SeqCst);
    let listed = manager.get(&format!("{campaign}/exports")).await;
    let listed = listed.at("/items");
    let unfinished = listed.as_array().unwrap().iter();
    let unfinished = unfinished.filter(|export| export["ended_at"].is_null());
    assert_eq!(unfinished.count(), 3);
}
