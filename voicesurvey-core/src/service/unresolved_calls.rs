//! Calls of which nobody knows what became of them, and the people who find out.
//!
//! The provider was asked to dial and cannot say whether it did. Such an attempt is never dialed
//! again by itself (I3): it holds its line and its number until the provider tells, until somebody
//! resolves it here, or until no call can still be in progress.

use std::sync::Arc;

use super::call_events::store_progress;
use super::error::{ServiceError, require};
use super::settlement::release_undialed;
use crate::api_key::{Actor, Role};
use crate::call_attempt::{AttemptState, CallAttempt};
use crate::gate::Reason;
use crate::id::{CallAttemptId, IdGenerator};
use crate::outcome::Outcome;
use crate::ports::{Scope, Storage, WakeUp};
use crate::time::Clock;

/// What somebody found out about a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resolution {
    /// Nobody was dialed: no attempt is spent, and the person may be called again.
    NotDialed,
    /// The call was made and ended so.
    Ended(Outcome),
}

/// Resolves attempts whose outcome is unknown.
#[derive(Clone, Debug)]
pub struct UnresolvedCalls {
    storage: Arc<dyn Storage>,
    clock: Arc<dyn Clock>,
    ids: Arc<IdGenerator>,
    wake_up: Arc<dyn WakeUp>,
}

impl UnresolvedCalls {
    /// Over a store.
    pub fn new(
        storage: Arc<dyn Storage>,
        clock: Arc<dyn Clock>,
        ids: Arc<IdGenerator>,
        wake_up: Arc<dyn WakeUp>,
    ) -> Self {
        Self {
            storage,
            clock,
            ids,
            wake_up,
        }
    }

    /// Notes what became of an attempt that is unknown. Needs the role manager. Any outcome but
    /// `cancelled` can be meant by [`Resolution::Ended`].
    ///
    /// Refused for an attempt in any other state: while a call is in progress only the provider
    /// knows, and one that has ended has its outcome. So doing it twice is refused the second time.
    pub async fn resolve(
        &self,
        actor: &Actor,
        id: CallAttemptId,
        resolution: Resolution,
    ) -> Result<CallAttempt, ServiceError> {
        require(actor, Role::Manager)?;
        if resolution == Resolution::Ended(Outcome::Cancelled) {
            let message = "a call that was not made is resolved as not_dialed";
            return Err(ServiceError::invalid("outcome", message));
        }
        let now = self.clock.now();
        let scope = Scope::Company(actor.company_id);
        let mut work = self.storage.begin(scope).await?;
        let attempt = work.call_attempts().get_for_update(id).await?;
        let attempt = attempt.ok_or(ServiceError::NotFound { what: "attempt" })?;
        if attempt.state != AttemptState::Unknown {
            return Err(ServiceError::NotAllowed {
                code: "attempt_not_unknown",
                message: format!(
                    "only an attempt whose state is unknown can be resolved; this one is {}",
                    attempt.state
                ),
            });
        }
        match resolution {
            Resolution::NotDialed => {
                let reason = Reason::ProviderUnavailable;
                release_undialed(
                    &mut *work,
                    attempt,
                    |task, now| task.postponed(now, reason, now),
                    now,
                )
                .await?;
            }
            Resolution::Ended(outcome) => {
                store_progress(&mut *work, attempt.ended(outcome, now), &self.ids, now).await?;
            }
        }
        work.commit().await?;
        tracing::info!(attempt = %id, ?resolution, "an unknown attempt was resolved by hand");
        self.wake_up.wake();
        let mut work = self.storage.begin(scope).await?;
        let resolved = work.call_attempts().get(id).await?;
        resolved.ok_or(ServiceError::NotFound { what: "attempt" })
    }
}
