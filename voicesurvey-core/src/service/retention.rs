//! The duty of forgetting: what companies do not keep any longer is erased, in small units of work.

use std::collections::VecDeque;
use std::num::NonZeroU16;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::TimeDelta;

use crate::erasure::Retention;
use crate::id::CompanyId;
use crate::ports::{Scope, Storage, StorageError};
use crate::time::{Clock, Timestamp};

/// Rows that are forgotten in one unit of work.
const BATCH: NonZeroU16 = NonZeroU16::new(500).unwrap();
/// Units of work in one step: people wait to be called meanwhile.
const BATCHES_PER_STEP: u8 = 10;
/// How often somebody looks what is too old.
const LOOKS_EVERY: TimeDelta = TimeDelta::hours(1);

/// Forgets what is too old. Doing it twice, or by two servers at once, does no harm.
#[derive(Clone, Debug)]
pub struct Forgetting {
    storage: Arc<dyn Storage>,
    clock: Arc<dyn Clock>,
    look: Arc<Mutex<Look>>,
}

/// How far a look at all companies has come. Only a hint: another server begins anew.
#[derive(Debug, Default)]
struct Look {
    /// What may still have to be forgotten.
    left: VecDeque<TooOld>,
    /// When nothing was left the last time.
    ended_at: Option<Timestamp>,
}

/// What one company does not keep any longer.
#[derive(Clone, Copy, Debug)]
struct TooOld {
    company_id: CompanyId,
    kind: Kind,
    before: Timestamp,
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
            look: Arc::default(),
        }
    }

    /// Forgets some of what is too old, in turns over all companies: once an hour, or as long as there
    /// is more. Returns how much was done; zero means that nothing is left.
    ///
    /// A company of which nothing can be forgotten does not keep others from being forgotten: it is
    /// logged, and tried again at the next look.
    pub async fn tick(&self) -> Result<u64, StorageError> {
        let now = self.clock.now();
        if self.lock().left.is_empty() {
            if self.has_looked_since(now - LOOKS_EVERY) {
                return Ok(0);
            }
            let left = self.too_old(now).await?;
            self.lock().left = left;
        }
        let mut forgotten = 0;
        for _ in 0..BATCHES_PER_STEP {
            let Some(next) = self.lock().left.pop_front() else {
                break;
            };
            match self.forget(next, now).await {
                Ok(rows) => {
                    forgotten += rows;
                    if rows >= u64::from(BATCH.get()) {
                        self.lock().left.push_back(next);
                    }
                }
                Err(error @ (StorageError::NotLeader | StorageError::Unavailable(_))) => {
                    self.lock().left.push_front(next);
                    return Err(error);
                }
                Err(error) => {
                    let error = &error as &dyn std::error::Error;
                    tracing::error!(company = %next.company_id, kind = ?next.kind, error,
                        "what a company does not keep any longer could not be forgotten; it is tried \
                         again within the hour");
                }
            }
        }
        if forgotten > 0 {
            tracing::info!(rows = forgotten, "what was too old was forgotten");
        }
        let mut look = self.lock();
        if look.left.is_empty() {
            look.ended_at = Some(now);
            return Ok(forgotten);
        }
        // Whoever has more to look at is not done, even if there was nothing in what it looked at.
        Ok(forgotten.max(1))
    }

    /// What companies do not keep any longer.
    async fn too_old(&self, now: Timestamp) -> Result<VecDeque<TooOld>, StorageError> {
        let mut work = self.storage.begin(Scope::Platform).await?;
        let companies = work.retention().companies().await?;
        let of_company = |(company_id, retention)| {
            kinds(retention).map(move |(kind, days)| TooOld {
                company_id,
                kind,
                before: now - TimeDelta::days(days.into()),
            })
        };
        Ok(companies.into_iter().flat_map(of_company).collect())
    }

    async fn forget(&self, what: TooOld, now: Timestamp) -> Result<u64, StorageError> {
        let TooOld {
            company_id,
            kind,
            before,
        } = what;
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
        self.lock().ended_at.is_some_and(|ended| ended > instant)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Look> {
        // OK because each change of a look leaves a whole one.
        self.look.lock().unwrap_or_else(PoisonError::into_inner)
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

#[cfg(test)]
mod tests;
