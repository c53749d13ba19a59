//! The duty of forgetting: what companies do not keep any longer is erased, in small units of work.

use std::num::NonZeroU16;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::TimeDelta;

use crate::erasure::Retention;
use crate::id::CompanyId;
use crate::ports::{Scope, Storage, StorageError};
use crate::time::{Clock, Timestamp};

/// Rows that are forgotten in one unit of work.
const BATCH: NonZeroU16 = NonZeroU16::new(500).unwrap();
/// How often somebody looks what is too old.
const LOOKS_EVERY: TimeDelta = TimeDelta::hours(1);

/// Forgets what is too old. Doing it twice, or by two servers at once, does no harm.
#[derive(Clone, Debug)]
pub struct Forgetting {
    storage: Arc<dyn Storage>,
    clock: Arc<dyn Clock>,
    /// When nothing was left the last time. Only a hint when to look again.
    looked_at: Arc<Mutex<Option<Timestamp>>>,
}

/// What is forgotten by itself.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Words,
    Answers,
    Contacts,
}

impl Forgetting {
    /// Over a store.
    pub fn new(storage: Arc<dyn Storage>, clock: Arc<dyn Clock>) -> Self {
        Self {
            storage,
            clock,
            looked_at: Arc::default(),
        }
    }

    /// Forgets a batch of each kind in each company, once an hour or as long as there is more.
    /// Returns how many rows it was.
    pub async fn tick(&self) -> Result<u64, StorageError> {
        let now = self.clock.now();
        if self.has_looked_since(now - LOOKS_EVERY) {
            return Ok(0);
        }
        let mut work = self.storage.begin(Scope::Platform).await?;
        let companies = work.retention().companies().await?;
        drop(work);
        let (mut forgotten, mut is_done) = (0, true);
        for (company_id, retention) in companies {
            for (kind, days) in kinds(retention) {
                let before = now - TimeDelta::days(days.into());
                let rows = self.forget(company_id, kind, before, now).await?;
                forgotten += rows;
                is_done &= rows < u64::from(BATCH.get());
            }
        }
        if is_done {
            *self.lock() = Some(now);
        }
        if forgotten > 0 {
            tracing::info!(rows = forgotten, "what was too old was forgotten");
        }
        Ok(forgotten)
    }

    async fn forget(
        &self,
        company_id: CompanyId,
        kind: Kind,
        before: Timestamp,
        now: Timestamp,
    ) -> Result<u64, StorageError> {
        let mut work = self.storage.begin(Scope::Company(company_id)).await?;
        let retention = work.retention();
        let rows = match kind {
            Kind::Words => retention.forget_words(before, BATCH).await?,
            Kind::Answers => retention.forget_answers(before, BATCH).await?,
            Kind::Contacts => retention.forget_contacts(before, now, BATCH).await?,
        };
        if rows > 0 {
            work.commit().await?;
        }
        Ok(rows)
    }

    fn has_looked_since(&self, instant: Timestamp) -> bool {
        self.lock().is_some_and(|looked_at| looked_at > instant)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Timestamp>> {
        // OK because an instant is written at once or not at all.
        self.looked_at
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

fn kinds(retention: Retention) -> impl Iterator<Item = (Kind, u16)> {
    let kinds = [
        (Kind::Words, retention.transcript_days),
        (Kind::Answers, retention.answer_days),
        (Kind::Contacts, retention.contact_days),
    ];
    kinds
        .into_iter()
        .filter_map(|(kind, days)| Some((kind, days?.get())))
}
