//! The database's time, as the clock of every server that works on it.
//!
//! Servers must agree on the time, because they share due times, leases and paces. So each measures
//! how far the database's clock is ahead of its own monotonic one, and counts on from there.
//!
//! The invariant: the clock never runs backwards. When a measurement sets it back, it stands still
//! until the time it has shown has come again.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use sqlx::postgres::PgPool;
use voicesurvey_core::ports::StorageError;
use voicesurvey_core::time::{Clock, SystemClock, Timestamp};

use crate::error::storage_error;
use crate::storage::PostgresStorage;

/// Measurements before the clock is first read.
const FIRST_MEASUREMENTS: usize = 4;
/// How long a measurement counts: monotonic clocks of two machines drift apart by milliseconds in
/// this time.
const COUNTS_FOR: Duration = Duration::from_mins(1);
/// What two measurements may differ by beyond their own uncertainty before it is the database's
/// clock that was set.
const DRIFT: Duration = Duration::from_millis(50);
/// The difference between the machine's clock and the database's above which somebody must act.
const LARGEST_SKEW: Duration = Duration::from_secs(2);

/// Shows the database's time.
#[derive(Debug)]
pub struct PostgresClock {
    pool: PgPool,
    started: Instant,
    measurements: Mutex<Measurements>,
    /// The database's time when this clock started, as the best measurement has it, in microseconds.
    offset: AtomicI64,
    /// The latest instant that was shown.
    shown: AtomicI64,
}

impl PostgresClock {
    /// A clock that shows the time of the database of `storage`.
    pub async fn start(storage: &PostgresStorage) -> Result<Self, StorageError> {
        let clock = Self {
            pool: storage.pool().clone(),
            started: monotonic(),
            measurements: Mutex::default(),
            offset: AtomicI64::new(0),
            shown: AtomicI64::new(i64::MIN),
        };
        for _ in 0..FIRST_MEASUREMENTS {
            clock.synchronise().await?;
        }
        Ok(clock)
    }

    /// Measures once more. To be called every few seconds; until then the clock runs on by itself.
    pub async fn synchronise(&self) -> Result<(), StorageError> {
        let mut connection = self.pool.acquire().await.map_err(storage_error)?;
        let asked = self.started.elapsed();
        // The one statement that asks the database for the time.
        let answer: Timestamp = sqlx::query_scalar("SELECT clock_timestamp()")
            .fetch_one(&mut *connection)
            .await
            .map_err(storage_error)?;
        let answered = self.started.elapsed();
        let measurement = Measurement::new(answer, asked, answered);
        let ours = SystemClock.now().timestamp_micros() - microseconds(answered);
        // OK because measurements are never half written.
        let mut measurements = self
            .measurements
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let best = measurements.add(measurement);
        self.offset.store(best.offset, Ordering::Release);
        measurements.warn_of_skew(best, ours);
        Ok(())
    }
}

impl Clock for PostgresClock {
    fn now(&self) -> Timestamp {
        let now = self.offset.load(Ordering::Acquire) + microseconds(self.started.elapsed());
        let shown = self.shown.fetch_max(now, Ordering::AcqRel).max(now);
        Timestamp::from_timestamp_micros(shown).unwrap_or(Timestamp::MAX_UTC)
    }
}

/// What one question to the database has told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Measurement {
    /// The database's time when our clock started, in microseconds since 1970.
    offset: i64,
    /// How wrong that may be, in microseconds: the answer came from some moment of the round trip.
    uncertainty: i64,
    /// When it was made, since our clock started.
    at: Duration,
}

impl Measurement {
    fn new(answer: Timestamp, asked: Duration, answered: Duration) -> Self {
        let uncertainty = microseconds(answered.saturating_sub(asked)) / 2;
        Self {
            offset: answer.timestamp_micros() - microseconds(asked) - uncertainty,
            uncertainty,
            at: answered,
        }
    }

    fn agrees_with(self, other: Self) -> bool {
        let apart = (self.offset - other.offset).abs();
        apart <= self.uncertainty + other.uncertainty + microseconds(DRIFT)
    }
}

/// The measurements that count, oldest first.
#[derive(Debug, Default)]
struct Measurements {
    recent: VecDeque<Measurement>,
    /// The best of them at its time.
    best: Option<Measurement>,
    skewed: bool,
}

impl Measurements {
    /// Adds one, and returns the best: that of the shortest round trip, unless the database's clock
    /// was set since.
    fn add(&mut self, new: Measurement) -> Measurement {
        if let Some(best) = self.best.filter(|best| !new.agrees_with(*best)) {
            let milliseconds = (new.offset - best.offset) / 1_000;
            tracing::warn!(milliseconds, "the database's clock was set");
            self.recent.clear();
        }
        self.recent
            .retain(|one| new.at.saturating_sub(one.at) <= COUNTS_FOR);
        self.recent.push_back(new);
        let shortest = self.recent.iter().rev().min_by_key(|one| one.uncertainty);
        let best = *shortest.unwrap_or(&new);
        self.best = Some(best);
        best
    }

    /// Says once that the clocks differ too much, and once that they agree again. `ours` is the
    /// machine's time when our clock started.
    fn warn_of_skew(&mut self, best: Measurement, ours: i64) {
        let skew = ours - best.offset;
        let skewed = skew.abs() > microseconds(LARGEST_SKEW) + best.uncertainty;
        let milliseconds = skew / 1_000;
        match (self.skewed, skewed) {
            (false, true) => tracing::error!(
                milliseconds,
                "this machine's clock is ahead of the database's by so much (behind, if below \
                 zero); the database's is used, but one of them is wrong"
            ),
            (true, false) => tracing::info!(milliseconds, "the clocks agree again"),
            _ => {}
        }
        self.skewed = skewed;
    }
}

fn microseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

#[expect(clippy::disallowed_methods, reason = "this is a clock")]
fn monotonic() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: i64 = 1_795_000_000_000_000;

    /// Asked at that millisecond, answered after so many, by a clock that is ahead by `ahead`.
    fn measurement(asked: u64, round_trip: u64, ahead_milliseconds: i64) -> Measurement {
        let answered = asked + round_trip;
        // The answer is given just before it arrives: as uncertain as can be.
        let answer = START + (i64::try_from(answered).unwrap() + ahead_milliseconds) * 1_000;
        Measurement::new(
            Timestamp::from_timestamp_micros(answer).unwrap(),
            Duration::from_millis(asked),
            Duration::from_millis(answered),
        )
    }

    #[test]
    fn a_measurement_is_never_more_wrong_than_half_its_round_trip() {
        let one = measurement(1_000, 80, 0);
        assert_eq!(one.uncertainty, 40_000);
        assert_eq!(one.offset - START, 40_000);
    }

    #[test]
    fn the_shortest_round_trip_wins_for_a_minute() {
        let mut measurements = Measurements::default();
        measurements.add(measurement(0, 60, 0));
        let short = measurement(5_000, 2, 0);
        assert_eq!(measurements.add(short), short);
        assert_eq!(measurements.add(measurement(10_000, 40, 0)), short);
        let later = measurement(65_003, 30, 0);
        assert_eq!(measurements.add(later), later);
    }

    #[test]
    fn of_equal_round_trips_the_latest_wins() {
        let mut measurements = Measurements::default();
        measurements.add(measurement(0, 10, 0));
        let later = measurement(5_000, 10, 3);
        assert_eq!(measurements.add(later), later);
    }

    #[test]
    fn a_database_whose_clock_was_set_is_followed_at_once() {
        let mut measurements = Measurements::default();
        measurements.add(measurement(0, 2, 0));
        let set = measurement(5_000, 90, -3_600_000);
        assert_eq!(measurements.add(set), set);
    }

    #[test]
    fn a_skew_is_told_once_and_its_end_too() {
        let mut measurements = Measurements::default();
        let best = measurements.add(measurement(0, 2, 0));
        for (ours, skewed) in [(1_900, false), (2_100, true), (-2_100, true), (0, false)] {
            measurements.warn_of_skew(best, START + ours * 1_000);
            assert_eq!(measurements.skewed, skewed, "{ours}");
        }
    }
}
