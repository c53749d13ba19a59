//! Clocks that a server can run on, and how long to wait in real time until they show an instant.
//!
//! The invariant: whoever waits [`Pacer::until`] an instant and then looks at the clock sees that
//! instant or a later one, as long as the clock was not set back meanwhile.

use std::fmt;
use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use chrono::{SubsecRound as _, TimeDelta};
use voicesurvey_core::time::{Clock, SystemClock, Timestamp};

/// A clock whose time passes at a known pace.
pub trait Pacer: Clock {
    /// How long it takes in real time until the clock shows `instant`; zero if it has passed.
    fn until(&self, instant: Timestamp) -> Duration;
}

impl Pacer for SystemClock {
    fn until(&self, instant: Timestamp) -> Duration {
        (instant - self.now()).to_std().unwrap_or(Duration::ZERO)
    }
}

/// A clock that began at some instant and runs a whole number of times as fast as real time: for
/// the demo, where days of retries pass in a minute.
///
/// It counts on from the monotonic clock, so it never goes back.
#[derive(Clone)]
pub struct ScaledClock {
    start: Timestamp,
    speed: NonZeroU32,
    started: Instant,
}

impl ScaledClock {
    /// A clock that shows `start` now, and runs `speed` times as fast as real time.
    #[expect(clippy::disallowed_methods, reason = "this is a clock")]
    pub fn new(start: Timestamp, speed: NonZeroU32) -> Self {
        Self {
            start: start.trunc_subsecs(6),
            speed,
            started: Instant::now(),
        }
    }

    /// How many times as fast as real time it runs.
    pub const fn speed(&self) -> NonZeroU32 {
        self.speed
    }

    fn at(&self, elapsed: Duration) -> Timestamp {
        let scaled = elapsed
            .as_micros()
            .saturating_mul(u128::from(self.speed.get()));
        let scaled = TimeDelta::microseconds(i64::try_from(scaled).unwrap_or(i64::MAX));
        self.start
            .checked_add_signed(scaled)
            .unwrap_or(Timestamp::MAX_UTC)
    }

    fn real_time_between(&self, now: Timestamp, instant: Timestamp) -> Duration {
        // Rounded up twice, so that the instant has come when the time is over.
        let scaled = (instant - now)
            .to_std()
            .unwrap_or(Duration::ZERO)
            .as_nanos()
            .div_ceil(1_000);
        let real = scaled.div_ceil(u128::from(self.speed.get()));
        Duration::from_micros(u64::try_from(real).unwrap_or(u64::MAX))
    }
}

impl Clock for ScaledClock {
    fn now(&self) -> Timestamp {
        self.at(self.started.elapsed())
    }
}

impl Pacer for ScaledClock {
    fn until(&self, instant: Timestamp) -> Duration {
        self.real_time_between(self.now(), instant)
    }
}

impl fmt::Debug for ScaledClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "ScaledClock({} times as fast since {})",
            self.speed, self.start
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clock(speed: u32) -> ScaledClock {
        let start = "2026-11-20T17:30:00Z".parse().unwrap();
        ScaledClock::new(start, NonZeroU32::new(speed).unwrap())
    }

    #[test]
    fn its_time_passes_at_its_speed() {
        let clock = clock(3_600);
        assert_eq!(
            clock.at(Duration::from_secs(2)),
            clock.start + TimeDelta::hours(2)
        );
        assert_eq!(clock.at(Duration::MAX), Timestamp::MAX_UTC);
    }

    #[test]
    fn whoever_waits_long_enough_sees_the_instant() {
        for speed in [1, 7, 600, 1_000_000] {
            let clock = clock(speed);
            for microseconds in [1, 999, 1_000, 1_000_001, 86_400_000_000] {
                let elapsed = Duration::from_micros(123_457);
                let instant = clock.at(elapsed) + TimeDelta::microseconds(microseconds);
                let wait = clock.real_time_between(clock.at(elapsed), instant);
                assert!(
                    clock.at(elapsed + wait) >= instant,
                    "{speed} {microseconds}"
                );
                let less = elapsed + wait.saturating_sub(Duration::from_micros(1));
                assert!(
                    clock.at(less) < instant,
                    "{speed} {microseconds}: waited too long"
                );
            }
        }
    }

    #[test]
    fn an_instant_that_has_passed_is_not_waited_for() {
        let clock = clock(60);
        assert_eq!(
            clock.until(clock.start - TimeDelta::days(1)),
            Duration::ZERO
        );
        assert_eq!(
            SystemClock.until(clock.start - TimeDelta::days(9_999)),
            Duration::ZERO
        );
    }
}
