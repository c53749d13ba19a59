//! The demo's clock: accelerated while people are on the telephone, and faster still while nobody
//! is.
//!
//! The invariant: it never goes back, and a skip never passes the instant that it is told to stop
//! at. So nothing that is due at that instant is late because of a skip.

use std::num::NonZeroU32;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use chrono::TimeDelta;
use voicesurvey_core::time::{Clock, Timestamp};

use crate::scaled_clock::{Pacer, ScaledClock};

/// An accelerated clock that can be put forward.
#[derive(Debug)]
pub(super) struct SkippingClock {
    running: ScaledClock,
    /// How far it was put forward, in microseconds. Only ever grows.
    skipped: AtomicI64,
}

impl SkippingClock {
    /// A clock that shows `start` now, and runs `speed` times as fast as real time.
    pub(super) fn new(start: Timestamp, speed: NonZeroU32) -> Self {
        Self {
            running: ScaledClock::new(start, speed),
            skipped: AtomicI64::new(0),
        }
    }

    /// Puts the clock forward by `step`, or to `limit` if that comes first.
    ///
    /// One caller at a time: two could pass the limit together.
    pub(super) fn skip(&self, step: TimeDelta, limit: Timestamp) {
        let step = step.min(limit - self.now());
        let microseconds = step.num_microseconds().unwrap_or(0).max(0);
        self.skipped.fetch_add(microseconds, Ordering::SeqCst);
    }
}

impl Clock for SkippingClock {
    fn now(&self) -> Timestamp {
        let skipped = TimeDelta::microseconds(self.skipped.load(Ordering::SeqCst));
        self.running.now() + skipped
    }
}

impl Pacer for SkippingClock {
    /// An upper bound: a skip shortens it, so whoever skips rings the bell afterwards.
    fn until(&self, instant: Timestamp) -> Duration {
        let skipped = TimeDelta::microseconds(self.skipped.load(Ordering::SeqCst));
        self.running.until(instant - skipped)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clock() -> (SkippingClock, Timestamp) {
        let start = "2026-10-06T06:55:00Z".parse().unwrap();
        (SkippingClock::new(start, NonZeroU32::MIN), start)
    }

    #[test]
    fn a_skip_stops_at_its_limit_and_never_goes_back() {
        let (clock, start) = clock();
        let limit = start + TimeDelta::hours(1);
        clock.skip(TimeDelta::minutes(20), limit);
        assert!(clock.now() >= start + TimeDelta::minutes(20));
        clock.skip(TimeDelta::days(1), limit);
        // The clock itself runs on; the skip alone has not passed the limit.
        assert!(clock.now() >= limit && clock.now() < limit + TimeDelta::minutes(1));
        clock.skip(TimeDelta::days(1), start);
        assert!(clock.now() >= limit && clock.now() < limit + TimeDelta::minutes(1));
    }

    #[test]
    fn what_was_skipped_is_not_waited_for() {
        let (clock, start) = clock();
        let instant = start + TimeDelta::hours(2);
        assert!(clock.until(instant) > Duration::from_mins(119));
        clock.skip(TimeDelta::minutes(90), instant);
        assert!(clock.until(instant) <= Duration::from_mins(30));
    }
}
