//! Leaves a server alone that fails.
//!
//! Five failures within thirty seconds open the circuit for a minute; then one request tries, and
//! what becomes of it decides about the next minute. A turn costs its deadline only while the
//! server is believed to work.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::TimeDelta;
use voicesurvey_core::time::{Clock, Timestamp};

const MOST_FAILURES: usize = 5;
const WITHIN: TimeDelta = TimeDelta::seconds(30);
const OPEN_FOR: TimeDelta = TimeDelta::seconds(60);

#[derive(Debug)]
pub(crate) struct Breaker {
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

#[derive(Debug)]
enum State {
    Closed { failures: VecDeque<Timestamp> },
    Open { since: Timestamp },
    Trying,
}

impl State {
    const fn closed() -> Self {
        Self::Closed {
            failures: VecDeque::new(),
        }
    }
}

impl Breaker {
    pub(crate) const fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            state: Mutex::new(State::closed()),
        }
    }

    /// Lets a request pass, or does not. What became of it is to be told to the pass.
    pub(crate) fn admit(&self) -> Option<Pass<'_>> {
        let mut state = self.lock();
        let is_trial = match &*state {
            State::Closed { .. } => false,
            State::Trying => return None,
            State::Open { since } => {
                let open_for = self.clock.now() - *since;
                // A clock that was set back would otherwise keep it open for as long.
                if (TimeDelta::zero()..OPEN_FOR).contains(&open_for) {
                    return None;
                }
                *state = State::Trying;
                true
            }
        };
        Some(Pass {
            breaker: self,
            is_trial,
            told: false,
        })
    }

    fn tell(&self, failed: bool, is_trial: bool) {
        let now = self.clock.now();
        let mut state = self.lock();
        match &mut *state {
            State::Trying if is_trial => {
                *state = if failed {
                    State::Open { since: now }
                } else {
                    tracing::info!("the language model answers again");
                    State::closed()
                };
            }
            State::Closed { failures } if failed => {
                failures.push_back(now);
                while failures.front().is_some_and(|&at| now - at > WITHIN) {
                    failures.pop_front();
                }
                if failures.len() >= MOST_FAILURES {
                    tracing::warn!("the language model fails, and is left alone for a minute");
                    *state = State::Open { since: now };
                }
            }
            // A request from before the circuit opened says nothing new.
            State::Closed { .. } | State::Open { .. } | State::Trying => {}
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // OK because a state is replaced in one step.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request that was let through.
#[derive(Debug)]
pub(crate) struct Pass<'a> {
    breaker: &'a Breaker,
    is_trial: bool,
    told: bool,
}

impl Pass<'_> {
    /// What became of the request.
    pub(crate) fn tell(mut self, failed: bool) {
        self.told = true;
        self.breaker.tell(failed, self.is_trial);
    }
}

impl Drop for Pass<'_> {
    /// Whoever gave the request up knows nothing of the server; a trial that nobody ends would keep
    /// the circuit open for ever.
    fn drop(&mut self) {
        if !self.told && self.is_trial {
            self.breaker.tell(true, true);
        }
    }
}

#[cfg(test)]
mod tests {
    use voicesurvey_core::testing::samples;
    use voicesurvey_core::time::ManualClock;

    use super::*;

    fn breaker() -> (Breaker, Arc<ManualClock>) {
        let clock = Arc::new(ManualClock::new(samples::now()));
        (Breaker::new(clock.clone()), clock)
    }

    fn fail(breaker: &Breaker, times: usize) {
        for _ in 0..times {
            breaker.admit().unwrap().tell(true);
        }
    }

    #[test]
    fn five_failures_within_thirty_seconds_open_it_for_a_minute() {
        let (breaker, clock) = breaker();
        fail(&breaker, 4);
        breaker.admit().unwrap().tell(false);
        clock.advance(WITHIN);
        fail(&breaker, 1);
        assert!(breaker.admit().is_none());
        clock.advance(OPEN_FOR - TimeDelta::microseconds(1));
        assert!(breaker.admit().is_none());
        clock.advance(TimeDelta::microseconds(1));
        assert!(breaker.admit().is_some());
    }

    #[test]
    fn failures_that_are_far_apart_do_not_add_up() {
        let (breaker, clock) = breaker();
        for _ in 0..20 {
            fail(&breaker, 2);
            clock.advance(TimeDelta::seconds(16));
        }
        assert!(breaker.admit().is_some());
    }

    #[test]
    fn one_request_tries_and_decides() {
        let (breaker, clock) = breaker();
        for works in [false, true] {
            if works {
                clock.advance(OPEN_FOR);
            } else {
                fail(&breaker, 5);
                clock.advance(OPEN_FOR);
            }
            let trial = breaker.admit().unwrap();
            assert!(breaker.admit().is_none(), "only one");
            trial.tell(!works);
            assert_eq!(breaker.admit().is_some(), works);
        }
        fail(&breaker, 4);
        assert!(breaker.admit().is_some(), "it counts from zero again");
    }

    #[test]
    fn a_trial_that_is_given_up_does_not_keep_it_open_for_ever() {
        let (breaker, clock) = breaker();
        fail(&breaker, 5);
        clock.advance(OPEN_FOR);
        drop(breaker.admit().unwrap());
        assert!(breaker.admit().is_none());
        clock.advance(OPEN_FOR);
        assert!(breaker.admit().is_some());
    }

    #[test]
    fn what_was_asked_before_it_opened_changes_nothing() {
        let (breaker, clock) = breaker();
        let slow = breaker.admit().unwrap();
        let slower = breaker.admit().unwrap();
        fail(&breaker, 5);
        slow.tell(false);
        assert!(breaker.admit().is_none());
        clock.advance(OPEN_FOR);
        let trial = breaker.admit().unwrap();
        slower.tell(false);
        assert!(breaker.admit().is_none());
        trial.tell(false);
        assert!(breaker.admit().is_some());
    }

    #[test]
    fn a_clock_that_is_set_back_does_not_keep_it_open() {
        let (breaker, clock) = breaker();
        fail(&breaker, 5);
        clock.set(samples::now() - TimeDelta::days(1));
        assert!(breaker.admit().is_some());
    }
}
