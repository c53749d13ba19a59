//! The two-level ready list: which company's and which campaign's turn it is, and for how many.
//!
//! Every company and every campaign has one narrow row apart from its description, and `ready_at`
//! in it is the whole state of the scheduler: when the next visit is worth while. A campaign at its
//! limit, outside its hours or without due tasks is not visited, so it costs nothing and nobody
//! polls. The rows are locked by the claim, so limits hold over all servers (I5, I6).
//!
//! Stores keep the rows; what they mean is decided here, so that all stores decide alike.

pub mod claim;
pub mod lane;

use serde::{Deserialize, Serialize};

use crate::pace::Pace;
use crate::planted;
use crate::time::Timestamp;

/// The moving part of a company or a campaign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueLevel {
    /// When a visit is worth while; `None` until something happens: a call ends, a task falls due,
    /// the campaign starts.
    pub ready_at: Option<Timestamp>,
    /// Live attempts (I12: equals the rows it counts).
    pub in_flight: u32,
    /// How many may be live.
    pub max_concurrent_calls: u32,
    /// How many may start.
    pub pace: Pace,
    /// The pace's theoretical arrival time.
    pub arrival: Timestamp,
}

impl QueueLevel {
    /// A level that has never been visited.
    pub const fn new(max_concurrent_calls: u32, pace: Pace, now: Timestamp) -> Self {
        Self {
            ready_at: None,
            in_flight: 0,
            max_concurrent_calls,
            pace,
            arrival: now,
        }
    }

    /// How many calls may start at `now`.
    pub fn room(&self, now: Timestamp) -> u32 {
        let lines = self.max_concurrent_calls.saturating_sub(self.in_flight);
        let arrival = if planted::forgets_pace() {
            now
        } else {
            self.arrival
        };
        lines.min(self.pace.room(arrival, now))
    }

    /// When a level that was ready at `ready_at` below can be visited with success; `None` while all
    /// lines are taken.
    pub fn next_visit(&self, ready_at: Timestamp) -> Option<Timestamp> {
        if self.in_flight >= self.max_concurrent_calls {
            return None;
        }
        Some(ready_at.max(self.pace.next_start(self.arrival)?))
    }

    /// The level after `calls` have been claimed at `now`.
    ///
    /// `next_due` is when the next task below falls due; `None` when there is none. The level goes
    /// to the tail of the round robin while there is more to do, waits for the pace when that is
    /// what blocks, and for a call to end when all lines are taken.
    #[must_use]
    pub fn after_visit(self, now: Timestamp, calls: u32, next_due: Option<Timestamp>) -> Self {
        let in_flight = self.in_flight + calls;
        let arrival = if calls == 0 {
            self.arrival
        } else {
            self.pace.after(self.arrival, now, calls)
        };
        let ready_at = if in_flight >= self.max_concurrent_calls {
            None
        } else {
            next_due.and_then(|due| Some(due.max(now).max(self.pace.next_start(arrival)?)))
        };
        Self {
            ready_at,
            in_flight,
            arrival,
            ..self
        }
    }

    /// The level when something happened that makes a visit at `at` worth while.
    #[must_use]
    pub fn woken(self, at: Timestamp) -> Self {
        Self {
            ready_at: Some(self.ready_at.map_or(at, |ready_at| ready_at.min(at))),
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    fn start() -> Timestamp {
        Timestamp::from_timestamp(1_800_000_000, 0).unwrap()
    }

    #[test]
    fn a_full_level_waits_for_a_call_to_end() {
        let level = QueueLevel::new(2, Pace::per_minute(600), start());
        assert_eq!(level.room(start()), 2);
        let full = level.after_visit(start(), 2, Some(start()));
        assert_eq!((full.room(start()), full.ready_at), (0, None));
    }

    #[test]
    fn a_paced_level_names_the_instant_of_refill() {
        let level = QueueLevel::new(5, Pace::per_minute(10), start());
        let visited = level.after_visit(start(), level.room(start()), Some(start()));
        assert_eq!(
            visited.ready_at,
            Some(start() + TimeDelta::milliseconds(6_050))
        );
    }

    #[test]
    fn a_level_with_nothing_due_is_left_alone_until_woken() {
        let level = QueueLevel::new(5, Pace::per_minute(10), start()).after_visit(start(), 0, None);
        assert_eq!(level.ready_at, None);
        assert_eq!(level.woken(start()).ready_at, Some(start()));
    }
}
