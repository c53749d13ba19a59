//! Prices of calls that have ended: the provider is asked until it tells them.

use std::num::NonZeroU16;
use std::sync::Arc;

use futures_util::future::join_all;

use super::call_events::CallEvents;
use crate::call_attempt::CallAttempt;
use crate::ports::{
    AttemptKey, FoundCall, Scope, Storage, StorageError, TaskQueue, TelephonyProvider,
};
use crate::time::{Clock, Timestamp};

/// Asks what calls have cost.
#[derive(Clone, Debug)]
pub(super) struct Prices {
    storage: Arc<dyn Storage>,
    queue: Arc<dyn TaskQueue>,
    provider: Arc<dyn TelephonyProvider>,
    call_events: CallEvents,
    clock: Arc<dyn Clock>,
}

impl Prices {
    pub(super) fn new(
        storage: Arc<dyn Storage>,
        queue: Arc<dyn TaskQueue>,
        provider: Arc<dyn TelephonyProvider>,
        call_events: CallEvents,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            storage,
            queue,
            provider,
            call_events,
            clock,
        }
    }

    /// When the next price is to be asked for.
    pub(super) async fn next_at(&self) -> Result<Option<Timestamp>, StorageError> {
        self.queue.next_price_at(self.provider.name()).await
    }

    /// Asks for up to `at_most` prices. Returns how many were asked for.
    pub(super) async fn tick(&self, at_most: NonZeroU16) -> Result<usize, StorageError> {
        let now = self.clock.now();
        let name = self.provider.name();
        let unpriced = self.queue.attempts_to_price(name, now, at_most).await?;
        let results = join_all(unpriced.iter().map(|&key| self.ask(key))).await;
        let mut asked = 0;
        for (key, result) in unpriced.iter().zip(results) {
            match result {
                Ok(()) => asked += 1,
                Err(error) => {
                    let error = &error as &dyn std::error::Error;
                    tracing::error!(attempt = %key.attempt_id, error, "a price was not asked for");
                }
            }
        }
        Ok(asked)
    }

    async fn ask(&self, key: AttemptKey) -> Result<(), StorageError> {
        let mut work = self.storage.begin(Scope::Company(key.company_id)).await?;
        let attempt = work.call_attempts().get(key.attempt_id).await?;
        drop(work);
        let Some(attempt) = attempt.filter(|attempt| attempt.price_due_at.is_some()) else {
            return Ok(());
        };
        let stored = match self.provider.find_call(&attempt.reference()).await {
            Ok(FoundCall::Found { events }) => {
                let received = self.call_events.receive_many(key.company_id, &events).await;
                received.map(drop)
            }
            Ok(FoundCall::NotFound | FoundCall::Unknown) => Ok(()),
            Err(error) => {
                tracing::warn!(attempt = %attempt.id, %error, "the provider could not be asked");
                Ok(())
            }
        };
        // Also a price that cannot be stored lets the others have their turn.
        self.ask_again_later(key, &attempt).await?;
        stored
    }

    /// Unless its price is known by now, or somebody else has asked for it.
    async fn ask_again_later(
        &self,
        key: AttemptKey,
        asked: &CallAttempt,
    ) -> Result<(), StorageError> {
        let mut work = self.storage.begin(Scope::Company(key.company_id)).await?;
        let attempt = work.call_attempts().get_for_update(key.attempt_id).await?;
        let Some(mut attempt) =
            attempt.filter(|attempt| attempt.price_due_at == asked.price_due_at)
        else {
            return Ok(());
        };
        attempt.await_price(self.clock.now());
        if attempt.price_due_at.is_none() {
            tracing::warn!(attempt = %attempt.id, "what the call cost stays unknown");
        }
        work.call_attempts().update(&attempt).await?;
        work.commit().await
    }
}
