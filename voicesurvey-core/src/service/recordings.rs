//! Recordings of people who are nobody any more: the provider is asked to erase them until it has.
//!
//! The calls themselves are the list of what is left: whoever has a number that is nobody's and a
//! recording is still to be forgotten by the provider. So nothing is lost when a server dies between
//! the erasure and the request, or when news of a recording come after it.

use std::num::NonZeroU16;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::TimeDelta;
use futures_util::future::join_all;

use crate::call_attempt::CallAttempt;
use crate::id::CallAttemptId;
use crate::ports::{Scope, Storage, StorageError, TelephonyProvider};
use crate::time::{Clock, Timestamp};

/// Recordings that the provider is asked to erase at once.
const AT_ONCE: NonZeroU16 = NonZeroU16::new(20).unwrap();
/// How often somebody looks what is left, and tries again what has failed.
const LOOKS_EVERY: TimeDelta = TimeDelta::hours(1);

/// Has recordings erased. Doing it twice, or by two servers at once, does no harm.
#[derive(Clone, Debug)]
pub(super) struct Recordings {
    storage: Arc<dyn Storage>,
    provider: Arc<dyn TelephonyProvider>,
    clock: Arc<dyn Clock>,
    look: Arc<Mutex<Look>>,
}

/// How far a look at all that is left has come. Only a hint: another server begins anew.
#[derive(Clone, Copy, Debug, Default)]
struct Look {
    /// The last call that was tried, while there are more.
    after: Option<CallAttemptId>,
    /// When the last one came to its end.
    ended_at: Option<Timestamp>,
}

impl Recordings {
    /// Of that provider, over a store.
    pub(super) fn new(
        storage: Arc<dyn Storage>,
        provider: Arc<dyn TelephonyProvider>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            storage,
            provider,
            clock,
            look: Arc::default(),
        }
    }

    /// Has some of what is left erased, once an hour or as long as there is more. Returns how many
    /// recordings were.
    pub(super) async fn tick(&self) -> Result<usize, StorageError> {
        let now = self.clock.now();
        let look = *self.lock();
        let is_over = look.after.is_none();
        if is_over && look.ended_at.is_some_and(|at| at > now - LOOKS_EVERY) {
            return Ok(0);
        }
        let (calls, erased) = self.erase(Scope::Platform, look.after).await?;
        let is_last = calls.len() < usize::from(AT_ONCE.get());
        *self.lock() = Look {
            after: calls.last().map(|call| call.id).filter(|_| !is_last),
            ended_at: if is_last { Some(now) } else { look.ended_at },
        };
        Ok(erased)
    }

    /// Has the first of what is left within that scope erased, as whoever was erased just now is. What
    /// fails is tried again by [`tick`](Self::tick).
    pub(super) async fn erase_at_once(&self, scope: Scope) -> Result<(), StorageError> {
        self.erase(scope, None).await.map(drop)
    }

    async fn erase(
        &self,
        scope: Scope,
        after: Option<CallAttemptId>,
    ) -> Result<(Vec<CallAttempt>, usize), StorageError> {
        let mut work = self.storage.begin(scope).await?;
        let name = self.provider.name();
        let calls = work.erasures().recorded_calls(name, after, AT_ONCE).await?;
        drop(work);
        let erased = join_all(calls.iter().map(|call| self.erase_one(call))).await;
        let erased = erased.into_iter().filter(|is_erased| *is_erased).count();
        Ok((calls, erased))
    }

    async fn erase_one(&self, call: &CallAttempt) -> bool {
        let recording = call.recording.as_ref();
        // Without a name the provider has told of no recording.
        if let Some(id) = recording.and_then(|one| one.provider_recording_id.as_deref())
            && let Err(error) = self.provider.erase_recording(id).await
        {
            let error = &error as &dyn std::error::Error;
            tracing::error!(attempt = %call.id, error,
                "the recording of somebody who was erased is still with the provider; it is asked \
                 again within the hour");
            return false;
        }
        match self.forget(call).await {
            Ok(is_forgotten) => is_forgotten,
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(attempt = %call.id, error, "that a recording was erased was not stored");
                false
            }
        }
    }

    async fn forget(&self, call: &CallAttempt) -> Result<bool, StorageError> {
        let mut work = self.storage.begin(Scope::Company(call.company_id)).await?;
        let is_forgotten = work.erasures().forget_recording(call).await?;
        work.commit().await?;
        Ok(is_forgotten)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Look> {
        // OK because a look is written at once or not at all.
        self.look.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
