//! How fast this server asks the provider to dial.
//!
//! A provider that is asked faster than it dials puts calls into a queue of its own, and rings
//! people when their calling hours may be over. So nobody is asked faster than that. It is this
//! server's share only: limits that hold over all servers are kept by the claim.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use tokio::sync::{Mutex, Notify};

use super::pause;

/// The line of those who wait to be dialed.
pub(super) struct DialPace {
    limit: Option<Limit>,
    waiting: AtomicU16,
    moved: Notify,
}

struct Limit {
    limiter: RateLimiter<NotKeyed, InMemoryState, Monotonic, NoOpMiddleware<Duration>>,
    longest_line: u16,
    /// Held by the first in line; the others wait behind it, in the order in which they came.
    first: Mutex<()>,
}

/// A place in the line; given back when it is dropped.
pub(super) struct InLine {
    pace: Arc<DialPace>,
}

impl DialPace {
    /// Lets so many through in a second, at even intervals; `None` does not hold anybody up.
    pub(super) fn new(calls_per_second: Option<NonZeroU32>) -> Self {
        let limit = calls_per_second.map(|per_second| Limit {
            // No burst: that would be more than the provider takes in its second.
            limiter: RateLimiter::direct_with_clock(
                Quota::per_second(per_second).allow_burst(NonZeroU32::MIN),
                Monotonic::started_now(),
            ),
            longest_line: longest_line(per_second),
            first: Mutex::new(()),
        });
        Self {
            limit,
            waiting: AtomicU16::new(0),
            moved: Notify::new(),
        }
    }

    /// How many more may join the line.
    pub(super) fn room(&self) -> u16 {
        let waiting = self.waiting.load(Ordering::Acquire);
        self.limit
            .as_ref()
            .map_or(u16::MAX, |limit| limit.longest_line.saturating_sub(waiting))
    }

    /// Waits until somebody has left the line.
    pub(super) async fn moved(&self) {
        self.moved.notified().await;
    }

    /// Takes a place at the end of the line.
    pub(super) fn join(self: &Arc<Self>) -> InLine {
        self.waiting.fetch_add(1, Ordering::AcqRel);
        InLine { pace: self.clone() }
    }
}

/// How many may stand in line: those that are through in four tenths of a second. The pace that
/// companies buy allows for half a second between a claim and its dial, so nobody who is claimed may
/// wait longer; one may always wait.
fn longest_line(per_second: NonZeroU32) -> u16 {
    u16::try_from(per_second.get() * 2 / 5)
        .unwrap_or(u16::MAX)
        .max(1)
}

impl InLine {
    /// Waits for its turn.
    pub(super) async fn wait(self) {
        let Some(limit) = &self.pace.limit else {
            return;
        };
        let _first = limit.first.lock().await;
        while let Err(not_yet) = limit.limiter.check() {
            pause(not_yet.wait_time_from(limit.limiter.clock().now())).await;
        }
    }
}

impl Drop for InLine {
    fn drop(&mut self) {
        self.pace.waiting.fetch_sub(1, Ordering::AcqRel);
        self.pace.moved.notify_one();
    }
}

/// The time since it was made.
#[derive(Clone, Debug)]
struct Monotonic {
    started: Instant,
}

impl Monotonic {
    #[expect(clippy::disallowed_methods, reason = "the pace of the real world")]
    fn started_now() -> Self {
        Self {
            started: Instant::now(),
        }
    }
}

impl Clock for Monotonic {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.started.elapsed()
    }
}

#[cfg(test)]
mod tests {
    use voicesurvey_core::time::{Clock as _, SystemClock};

    use super::*;

    #[tokio::test]
    async fn nobody_gets_through_faster_than_the_pace_and_the_line_stays_short() {
        let pace = Arc::new(DialPace::new(NonZeroU32::new(100)));
        assert_eq!(pace.room(), 40);
        let line: Vec<InLine> = (0..6).map(|_| pace.join()).collect();
        assert_eq!(pace.room(), 34);
        let begun = SystemClock.now();
        futures_util::future::join_all(line.into_iter().map(InLine::wait)).await;
        // The first goes through at once, the others 10 ms apart.
        assert!(SystemClock.now() - begun >= chrono::TimeDelta::milliseconds(49));
        assert_eq!(pace.room(), 40);
        pace.moved().await;
    }

    #[tokio::test]
    async fn without_a_pace_nobody_waits() {
        let pace = Arc::new(DialPace::new(None));
        let line: Vec<InLine> = (0..1_000).map(|_| pace.join()).collect();
        assert_eq!(pace.room(), u16::MAX);
        futures_util::future::join_all(line.into_iter().map(InLine::wait)).await;
    }
}
