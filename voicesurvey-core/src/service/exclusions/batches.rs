//! Batches of numbers: onto a list, and what waits for them or rings is ended.

use std::sync::Arc;

use futures_util::future::join_all;

use super::Excluded;
use crate::call_attempt::{AttemptState, CallAttempt};
use crate::exclusion::Exclusion;
use crate::id::CompanyId;
use crate::phone_number::PhoneNumber;
use crate::ports::{CallReference, PageRequest, Scope, Storage, StorageError, TelephonyProvider};
use crate::time::Clock;

/// Numbers that are excluded in one unit of work, or with one statement.
pub(crate) const NUMBERS_AT_ONCE: usize = 1_000;
/// How often a batch is tried again that another unit of work got in the way of.
const TRIES: u8 = 5;

/// Excludes numbers batch by batch, each in a unit of work of its own.
#[derive(Clone, Debug)]
pub(crate) struct Batches {
    storage: Arc<dyn Storage>,
    /// Without one nothing is hung up.
    provider: Option<Arc<dyn TelephonyProvider>>,
    clock: Arc<dyn Clock>,
}

impl Batches {
    pub(crate) fn new(
        storage: Arc<dyn Storage>,
        provider: Option<Arc<dyn TelephonyProvider>>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            storage,
            provider,
            clock,
        }
    }

    /// Puts the numbers onto a list as entries that `exclusion` makes of them, and ends what waits
    /// for them in the company whose list it is; the operator's is nobody's.
    pub(super) async fn exclude(
        &self,
        scope: Scope,
        numbers: &[PhoneNumber],
        exclusion: impl Fn(&PhoneNumber) -> Exclusion,
    ) -> Result<Excluded, StorageError> {
        let mut excluded = Excluded::default();
        for batch in numbers.chunks(NUMBERS_AT_ONCE) {
            let entries: Vec<Exclusion> = batch.iter().map(&exclusion).collect();
            excluded.add(self.exclude_batch(scope, batch, &entries).await?);
        }
        Ok(excluded)
    }

    /// Ends what waits in a company for numbers that are on a list.
    pub(crate) async fn end(
        &self,
        company_id: CompanyId,
        numbers: &[PhoneNumber],
    ) -> Result<Excluded, StorageError> {
        let mut excluded = Excluded::default();
        for batch in numbers.chunks(NUMBERS_AT_ONCE) {
            let scope = Scope::Company(company_id);
            excluded.add(self.exclude_batch(scope, batch, &[]).await?);
        }
        Ok(excluded)
    }

    /// Ends what waits in any company, one after the other.
    pub(super) async fn end_everywhere(
        &self,
        numbers: &[PhoneNumber],
    ) -> Result<Excluded, StorageError> {
        // In the order in which everybody takes them.
        let mut numbers = numbers.to_vec();
        numbers.sort_unstable();
        numbers.dedup();
        let mut excluded = Excluded::default();
        let mut page = PageRequest::first(PageRequest::LARGEST);
        loop {
            let mut work = self.storage.begin(Scope::Platform).await?;
            let companies = work.companies().list(&page).await?;
            drop(work);
            for company in companies.rows {
                excluded.add(self.end(company.id, &numbers).await?);
            }
            let Some(next) = companies.next else {
                return Ok(excluded);
            };
            page = PageRequest::after(next, PageRequest::LARGEST);
        }
    }

    /// One batch in a unit of work of its own, tried again if another one got in its way.
    async fn exclude_batch(
        &self,
        scope: Scope,
        numbers: &[PhoneNumber],
        entries: &[Exclusion],
    ) -> Result<Excluded, StorageError> {
        let mut tries = 1;
        let (excluded, ringing) = loop {
            match self.try_batch(scope, numbers, entries).await {
                Err(StorageError::Conflict { what }) if tries < TRIES => {
                    tracing::debug!(%what, "a batch of exclusions is tried again");
                    tries += 1;
                }
                done => break done?,
            }
        };
        let hung_up = join_all(ringing.iter().map(|call| self.hang_up(call))).await;
        let calls_hung_up = hung_up.iter().filter(|done| **done).count();
        Ok(Excluded {
            calls_hung_up: calls_hung_up as u64,
            ..excluded
        })
    }

    async fn try_batch(
        &self,
        scope: Scope,
        numbers: &[PhoneNumber],
        entries: &[Exclusion],
    ) -> Result<(Excluded, Vec<CallAttempt>), StorageError> {
        let mut work = self.storage.begin(scope).await?;
        let added = work.exclusions().insert_many(entries).await?.len();
        let mut excluded = Excluded {
            added: added as u64,
            already_excluded: (entries.len() - added) as u64,
            ..Excluded::default()
        };
        let mut calls = Vec::new();
        if matches!(scope, Scope::Company(_)) {
            let now = self.clock.now();
            excluded.tasks_ended = work.call_tasks().exclude_waiting(numbers, now).await?;
            calls = work.call_attempts().live_among(numbers).await?;
            calls.retain(rings);
        }
        work.commit().await?;
        Ok((excluded, calls))
    }

    /// With nothing open. What the provider cannot do now, the end of the call does.
    async fn hang_up(&self, attempt: &CallAttempt) -> bool {
        let Some(provider) = &self.provider else {
            return false;
        };
        let call = CallReference {
            company_id: attempt.company_id,
            attempt_id: attempt.id,
            provider_call_id: attempt.provider_call_id.clone(),
        };
        match provider.hang_up(&call).await {
            Ok(()) => true,
            Err(error) => {
                tracing::warn!(attempt = %attempt.id, %error, "a call to an excluded number rings on");
                false
            }
        }
    }
}

/// Whether the telephone may be ringing and nobody has picked up. One that is not dialed yet is left
/// to the dispatcher's last look, which refuses it.
const fn rings(attempt: &CallAttempt) -> bool {
    matches!(
        attempt.state,
        AttemptState::Unknown | AttemptState::Accepted | AttemptState::Ringing
    )
}
