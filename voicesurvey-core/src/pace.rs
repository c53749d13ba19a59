//! Pace: how many calls may start now, so that no 60 seconds ever hold more than were bought (I6).
//!
//! The generic cell rate algorithm keeps one instant, the theoretical arrival time of the next
//! call. There is no window to sweep, and the instant survives a restart.
//!
//! A burst of `b` calls is allowed, and the calls after it are `w / (limit - b + 1)` apart. So any
//! time `w` holds at most `b + (limit - b) = limit` claims. The burst is one call and 1 % of the
//! limit: it lets a claim take several calls at once and costs 1 % of the pace.
//!
//! What is counted is claims, what was bought is calls that start at the provider, and between the
//! two lie the last look at the gate and the line for the provider, which take now longer, now
//! shorter. So `w` is half a second
//! longer than a minute, which costs 0.8 % of the pace: 60 seconds never hold more than the limit at
//! the provider either, unless one dial took half a second longer than another.

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

/// The time that holds no more claims than the limit, in microseconds: a minute, and what a dial may
/// take longer than another.
const WINDOW: i64 = 60_500_000;
/// One of so many calls of a minute may start at once.
const BURST_SHARE: u32 = 100;

/// A limit on how many calls start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pace {
    /// Calls that may start in any 60 seconds. Zero stops calling.
    pub calls_per_minute: u32,
    /// The least time between two starts, in seconds. Zero leaves it to the limit above.
    #[serde(default)]
    pub seconds_between_calls: u32,
}

impl Pace {
    /// At most `calls_per_minute` starts in any 60 seconds.
    pub const fn per_minute(calls_per_minute: u32) -> Self {
        Self {
            calls_per_minute,
            seconds_between_calls: 0,
        }
    }

    /// Calls that may start at once after a pause.
    pub const fn burst(self) -> u32 {
        if self.seconds_between_calls > 0 {
            1
        } else {
            1 + self.calls_per_minute / BURST_SHARE
        }
    }

    /// The time between two starts after the burst, in microseconds; `None` when stopped.
    pub fn interval(self) -> Option<i64> {
        let spaced = self
            .calls_per_minute
            .checked_sub(self.burst() - 1)
            .filter(|&n| n > 0)?;
        // Rounded up: a microsecond too early would let one call too many into the window.
        let spaced = i64::from(spaced);
        let interval = WINDOW / spaced + i64::from(WINDOW % spaced > 0);
        Some(interval.max(i64::from(self.seconds_between_calls) * 1_000_000))
    }

    /// How many calls may start at `now`, when `arrival` is the stored theoretical arrival time.
    pub fn room(self, arrival: Timestamp, now: Timestamp) -> u32 {
        let Some(interval) = self.interval() else {
            return 0;
        };
        let ahead = (arrival - now)
            .num_microseconds()
            .unwrap_or(i64::MAX)
            .max(0);
        let slack = i64::from(self.burst() - 1) * interval - ahead;
        if slack < 0 {
            0
        } else {
            u32::try_from(slack / interval + 1).unwrap_or(u32::MAX)
        }
    }

    /// The theoretical arrival time after `calls` have started at `now`.
    pub fn after(self, arrival: Timestamp, now: Timestamp, calls: u32) -> Timestamp {
        let Some(interval) = self.interval() else {
            return arrival;
        };
        arrival.max(now) + TimeDelta::microseconds(interval.saturating_mul(i64::from(calls)))
    }

    /// The first instant at which a call may start; `None` when stopped.
    pub fn next_start(self, arrival: Timestamp) -> Option<Timestamp> {
        let interval = self.interval()?;
        Some(arrival - TimeDelta::microseconds(interval * i64::from(self.burst() - 1)))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn instant(microseconds: i64) -> Timestamp {
        Timestamp::from_timestamp_micros(1_800_000_000_000_000 + microseconds).unwrap()
    }

    #[test]
    fn ten_a_minute_are_a_little_more_than_six_seconds_apart() {
        let pace = Pace::per_minute(10);
        let start = instant(0);
        assert_eq!(pace.room(start, start), 1);
        let arrival = pace.after(start, start, 1);
        assert_eq!(pace.room(arrival, instant(6_049_999)), 0);
        assert_eq!(pace.room(arrival, instant(6_050_000)), 1);
        assert_eq!(pace.next_start(arrival), Some(instant(6_050_000)));
    }

    #[test]
    fn zero_stops_calling() {
        assert_eq!(Pace::per_minute(0).room(instant(0), instant(60_000_000)), 0);
        assert_eq!(Pace::per_minute(0).next_start(instant(0)), None);
    }

    proptest! {
        /// Greedy claims at random instants never put more than the limit into any 60 seconds, at the
        /// provider, whatever each dial takes up to half a second.
        #[test]
        fn no_sixty_seconds_hold_more_than_the_limit(
            limit in 1_u32..2_000,
            waits in prop::collection::vec(0_i64..5_000_000, 1..200),
            dials in prop::collection::vec(0_i64..500_000, 50),
        ) {
            let pace = Pace::per_minute(limit);
            let mut arrival = instant(0);
            let mut now = 0;
            let mut starts: Vec<i64> = Vec::new();
            let mut dials = dials.iter().cycle();
            for wait in waits {
                now += wait;
                let room = pace.room(arrival, instant(now));
                arrival = pace.after(arrival, instant(now), room);
                starts.extend(dials.by_ref().take(room as usize).map(|dial| now + dial));
            }
            starts.sort_unstable();
            for (index, first) in starts.iter().enumerate() {
                let within = starts[index..].iter().take_while(|&&at| at < first + 60_000_000);
                prop_assert!(within.count() <= limit as usize);
            }
        }

        /// At least 98 % of what was bought can be used, however long the campaign runs.
        #[test]
        fn nearly_all_of_the_pace_can_be_used(limit in 1_u32..100_000) {
            let interval = Pace::per_minute(limit).interval().unwrap();
            prop_assert!(60_000_000 * 100 >= interval * i64::from(limit) * 98);
        }

        /// A caller that waits until `next_start` is let in then, and not a microsecond earlier.
        #[test]
        fn the_next_start_is_exact(limit in 1_u32..5_000) {
            let pace = Pace::per_minute(limit);
            let now = instant(0);
            let arrival = pace.after(now, now, pace.room(now, now));
            let next = pace.next_start(arrival).unwrap();
            prop_assert!(pace.room(arrival, next) >= 1);
            prop_assert_eq!(pace.room(arrival, next - TimeDelta::microseconds(1)), 0);
        }
    }
}
