//! When a loop of the engine makes its next step.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use voicesurvey_core::ports::StorageError;
use voicesurvey_core::time::Timestamp;

use super::Signals;
use crate::readiness::{EngineLoop, Readiness};
use crate::scaled_clock::Pacer;

/// How many times as long as usual a loop waits that knows of no work.
const IDLE_POLLS: u32 = 10;
/// The wait for an instant that has passed, doubled while such instants bring nothing.
const SHORTEST_WAIT: Duration = Duration::from_millis(5);
/// The wait after a failure, doubled with each in a row.
const FIRST_BACKOFF: Duration = Duration::from_millis(250);
/// The longest wait after a failure.
const LONGEST_BACKOFF: Duration = Duration::from_secs(15);

/// What a step of the engine brought.
pub(super) enum Step {
    /// Something was done, so there may be more.
    Busy,
    /// Nothing was due; something may be at that instant.
    Quiet(Option<Timestamp>),
    /// It is for another server to make steps.
    Standby,
}

/// Why a step failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum StepError {
    /// The store failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The program did.
    #[error("a bug: {0}")]
    Panic(String),
}

/// Makes a step. A unit of work that a panic cuts off is undone, so nothing is left half changed.
pub(super) async fn guarded(
    step: impl Future<Output = Result<Step, StorageError>>,
) -> Result<Step, StepError> {
    match AssertUnwindSafe(step).catch_unwind().await {
        Ok(outcome) => Ok(outcome?),
        Err(panic) => Err(StepError::Panic(words_of(&*panic))),
    }
}

pub(super) fn words_of(panic: &(dyn Any + Send)) -> String {
    let words = panic.downcast_ref::<&str>().copied();
    words
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("a panic without words")
        .to_owned()
}

/// The pauses of one loop.
pub(super) struct Rhythm {
    pub(super) engine_loop: EngineLoop,
    pub(super) signals: Signals,
    pub(super) pacer: Arc<dyn Pacer>,
    pub(super) readiness: Arc<Readiness>,
    pub(super) poll: Duration,
    /// Steps in a row that were made because an instant had passed, and brought nothing.
    pub(super) overdue: u32,
}

impl Rhythm {
    /// Waits until it is time for the step after one that ended so. Returns whether the bell said
    /// that it is.
    pub(super) async fn rest(&mut self, outcome: Result<Step, StepError>) -> bool {
        let step = match outcome {
            Ok(step) => step,
            // Not a failure: another server does what this one began.
            Err(StepError::Storage(StorageError::NotLeader)) => Step::Standby,
            Err(error) => {
                self.back_off(&error).await;
                return false;
            }
        };
        self.readiness.succeeded(self.engine_loop);
        match step {
            Step::Busy => {
                self.overdue = 0;
                false
            }
            Step::Quiet(Some(next)) => {
                let wait = self.pacer.until(next);
                self.overdue = if wait.is_zero() {
                    self.overdue.saturating_add(1)
                } else {
                    0
                };
                let wait = wait.max(shortest_wait(self.overdue)).min(self.poll);
                self.signals.wait(wait).await
            }
            Step::Quiet(None) | Step::Standby => {
                self.overdue = 0;
                self.signals.wait(self.poll * IDLE_POLLS).await
            }
        }
    }

    async fn back_off(&mut self, error: &StepError) {
        let failures = self.readiness.failed(self.engine_loop);
        let again_in = backoff(failures);
        tracing::error!(
            error = error as &dyn std::error::Error,
            ?again_in,
            failures_before = failures,
            "a step of the engine failed: {}",
            self.engine_loop.name()
        );
        self.signals.wait_through(again_in).await;
    }
}

/// So that an instant in the past that brings nothing cannot make a loop spin.
fn shortest_wait(overdue: u32) -> Duration {
    match overdue {
        0 => Duration::ZERO,
        steps => SHORTEST_WAIT.saturating_mul(1 << (steps - 1).min(10)),
    }
}

pub(super) fn backoff(failures: u32) -> Duration {
    FIRST_BACKOFF
        .saturating_mul(1 << failures.min(10))
        .min(LONGEST_BACKOFF)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_stay_bounded() {
        assert_eq!(shortest_wait(0), Duration::ZERO);
        assert_eq!(shortest_wait(1), SHORTEST_WAIT);
        assert_eq!(shortest_wait(2), SHORTEST_WAIT * 2);
        assert!(shortest_wait(u32::MAX) >= Duration::from_secs(1));
        assert_eq!(backoff(0), FIRST_BACKOFF);
        assert_eq!(backoff(u32::MAX), LONGEST_BACKOFF);
    }
}
