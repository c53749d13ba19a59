use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;

use super::*;
use crate::company::Company;
use crate::memory::MemoryStorage;
use crate::ports::{PageRequest, UnitOfWork};
use crate::testing::samples;
use crate::time::ManualClock;

/// A store that refuses one company while it is told so.
#[derive(Debug)]
struct RefusesCompany {
    store: MemoryStorage,
    refused: CompanyId,
    refuses: AtomicBool,
}

#[async_trait]
impl Storage for RefusesCompany {
    async fn begin(&self, scope: Scope) -> Result<Box<dyn UnitOfWork>, StorageError> {
        if scope == Scope::Company(self.refused) && self.refuses.load(Ordering::Relaxed) {
            return Err(StorageError::Failed("a constraint said no".into()));
        }
        self.store.begin(scope).await
    }

    async fn check(&self) -> Result<(), StorageError> {
        self.store.check().await
    }
}

/// A company that keeps answers for a day, with one event that tells an answer.
async fn forgetful_company(store: &MemoryStorage) -> Company {
    let company = samples::company();
    let mut work = store.begin(Scope::Platform).await.unwrap();
    work.companies().insert(&company).await.unwrap();
    work.commit().await.unwrap();
    let mut work = store.begin(Scope::Company(company.id)).await.unwrap();
    let retention = Retention {
        answer_days: NonZeroU16::new(1),
        ..Retention::default()
    };
    work.retention().set(&retention).await.unwrap();
    let event = samples::outbox_event(&company);
    work.events().publish(&event).await.unwrap();
    work.commit().await.unwrap();
    company
}

#[tokio::test]
async fn a_step_is_bounded_and_a_company_that_fails_keeps_no_other_waiting() {
    let store = MemoryStorage::default();
    let mut companies = Vec::new();
    for _ in 0..12 {
        companies.push(forgetful_company(&store).await);
    }
    let storage = Arc::new(RefusesCompany {
        store: store.clone(),
        refused: companies[0].id,
        refuses: AtomicBool::new(true),
    });
    let clock = Arc::new(ManualClock::new(samples::now() + TimeDelta::days(2)));
    let forgetting = Forgetting::new(storage.clone(), clock.clone());
    let left = async || {
        let mut left = Vec::new();
        for company in &companies {
            let mut work = store.begin(Scope::Company(company.id)).await.unwrap();
            let events = work.events().published(&PageRequest::default()).await;
            left.extend(events.unwrap().rows.iter().map(|event| event.company_id));
        }
        left
    };
    assert_eq!(forgetting.tick().await.unwrap(), 9, "of the first ten");
    assert_eq!(left().await.len(), 3);
    assert_eq!(forgetting.tick().await.unwrap(), 2);
    assert_eq!(left().await, [companies[0].id]);
    storage.refuses.store(false, Ordering::Relaxed);
    assert_eq!(forgetting.tick().await.unwrap(), 0, "it has just looked");
    clock.advance(TimeDelta::hours(2));
    // Most have nothing any more, but there are more of them than it looks at in one step.
    assert_eq!(forgetting.tick().await.unwrap(), 1);
    assert_eq!(left().await, []);
    assert_eq!(forgetting.tick().await.unwrap(), 0);
}
