//! Time as the rest of the crate sees it: instants in UTC, and a clock that is handed in.
//!
//! Nothing else reads the time, so a test, a simulation or the accelerated demo decides what time
//! it is. How an instant looks on somebody's wall is the business of [`crate::time_zone`].

use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};

/// An instant in UTC, in whole microseconds as PostgreSQL keeps them.
pub type Timestamp = DateTime<Utc>;

/// Tells what time it is.
pub trait Clock: Send + Sync + fmt::Debug {
    /// The present instant, cut to whole microseconds, so that every store gives back what it got.
    fn now(&self) -> Timestamp;
}

/// The clock of the operating system.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that reads the system's time"
    )]
    fn now(&self) -> Timestamp {
        Timestamp::from(SystemTime::now()).trunc_subsecs(6)
    }
}

/// A clock that stands still until it is moved, for tests and simulations.
#[derive(Debug)]
pub struct ManualClock {
    now: Mutex<Timestamp>,
}

impl ManualClock {
    /// A clock that shows `now`.
    pub fn new(now: Timestamp) -> Self {
        Self {
            now: Mutex::new(now.trunc_subsecs(6)),
        }
    }

    /// Moves the clock forward by `step`.
    pub fn advance(&self, step: TimeDelta) {
        *self.lock() += step;
    }

    /// Moves the clock to `now`, also backwards.
    pub fn set(&self, now: Timestamp) {
        *self.lock() = now.trunc_subsecs(6);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Timestamp> {
        // OK because an instant is never half written.
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        *self.lock()
    }
}
