//! Turns of work that is heavy for the store: of few at a time, no company takes all.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use voicesurvey_core::id::CompanyId;

/// Turns of one kind of work on this server. Clones share them.
#[derive(Clone, Debug)]
pub struct CompanyTurns {
    shared: Arc<Semaphore>,
    /// Those of each company that has ever had one.
    of_companies: Arc<Mutex<HashMap<CompanyId, Arc<Semaphore>>>>,
    of_each: usize,
}

/// A turn, until it is dropped.
#[derive(Debug)]
pub struct CompanyTurn {
    _own: OwnedSemaphorePermit,
    _shared: OwnedSemaphorePermit,
}

impl CompanyTurns {
    /// So many at a time, and of each company at most `of_each` of them.
    pub fn new(at_a_time: usize, of_each: usize) -> Self {
        Self {
            shared: Arc::new(Semaphore::new(at_a_time)),
            of_companies: Arc::default(),
            of_each,
        }
    }

    /// A turn for a company; `None` if none is free within `patience`.
    pub async fn take(&self, company_id: CompanyId, patience: Duration) -> Option<CompanyTurn> {
        let own = self.of(company_id);
        let taken = async {
            // The company's own first: whoever waits for that holds none of the others'.
            let own = own.acquire_owned().await.ok()?;
            let shared = self.shared.clone().acquire_owned().await.ok()?;
            Some(CompanyTurn {
                _own: own,
                _shared: shared,
            })
        };
        tokio::time::timeout(patience, taken).await.ok().flatten()
    }

    fn of(&self, company_id: CompanyId) -> Arc<Semaphore> {
        let mut of_companies = self
            .of_companies
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let own = of_companies.entry(company_id);
        let own = own.or_insert_with(|| Arc::new(Semaphore::new(self.of_each)));
        Arc::clone(own)
    }
}

#[cfg(test)]
mod tests {
    use voicesurvey_core::testing::samples;

    use super::*;

    async fn taken(turns: &CompanyTurns, company_id: CompanyId) -> Option<CompanyTurn> {
        turns.take(company_id, Duration::ZERO).await
    }

    #[tokio::test]
    async fn a_company_that_has_all_of_its_turns_leaves_some_to_others() {
        let turns = CompanyTurns::new(3, 2);
        let (one, other) = (samples::id(), samples::id());
        let first = taken(&turns, one).await;
        let second = taken(&turns, one).await;
        assert!(first.is_some() && second.is_some());
        assert!(taken(&turns, one).await.is_none());
        let others = taken(&turns, other).await;
        assert!(others.is_some());
        // All are taken, and whoever did not get one holds nothing.
        assert!(taken(&turns, other).await.is_none());
        drop(first);
        assert!(taken(&turns, other).await.is_some());
        assert!(taken(&turns, one).await.is_some());
    }

    #[tokio::test]
    async fn who_waits_gets_the_turn_that_becomes_free() {
        let turns = CompanyTurns::new(1, 1);
        let (one, other) = (samples::id(), samples::id());
        let first = taken(&turns, one).await;
        let (waited, ()) = tokio::join!(turns.take(other, Duration::from_mins(1)), async {
            drop(first);
        });
        assert!(waited.is_some());
    }
}
