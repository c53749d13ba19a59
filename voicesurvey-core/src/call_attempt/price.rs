//! When a provider is asked what a call has cost, until it says so.
//!
//! Prices come some time after the end, and some never. What is not known stays unknown: it is not
//! zero. Until then the provider's name of the call is kept even of somebody who was erased.

use chrono::TimeDelta;

use super::{AttemptState, CallAttempt};
use crate::outcome::Outcome;
use crate::time::Timestamp;

/// How long after the end of a call its price is asked for, until it is known.
const ASKED_AFTER: [TimeDelta; 5] = [
    TimeDelta::minutes(1),
    TimeDelta::minutes(10),
    TimeDelta::hours(1),
    TimeDelta::hours(6),
    TimeDelta::hours(24),
];

impl CallAttempt {
    /// Has the price asked for next, after `now`, of a call that the provider took and that has
    /// ended, unless it is known or nothing is to be paid. After the last time it stays unknown.
    pub fn await_price(&mut self, now: Timestamp) {
        let is_to_be_paid = self.outcome.is_none_or(Outcome::counts_as_contact);
        let is_awaited = self.state == AttemptState::Ended
            && self.accepted_at.is_some()
            && self.cost.is_none()
            && is_to_be_paid;
        let ended_at = self.ended_at.filter(|_| is_awaited);
        self.price_due_at = ended_at.and_then(|ended_at| {
            let mut asked_at = ASKED_AFTER.into_iter().map(|after| ended_at + after);
            asked_at.find(|at| *at > now)
        });
        self.forget_nobodys_call();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::money::Cost;
    use crate::testing::samples::{self, SampleCampaign as _};

    fn ended() -> CallAttempt {
        let campaign = samples::campaign(&samples::company()).running();
        let task = samples::task(&campaign, "+393471234567");
        let now = samples::now();
        let attempt = CallAttempt::created(samples::id(), &task, "twilio", now, now, now);
        CallAttempt {
            accepted_at: Some(now),
            ..attempt.ended(Outcome::NoAnswer, now)
        }
    }

    fn due(mut attempt: CallAttempt, now: Timestamp) -> Option<Timestamp> {
        attempt.await_price(now);
        attempt.price_due_at
    }

    #[test]
    fn a_price_is_asked_for_ever_more_seldom_and_then_stays_unknown() {
        let mut now = samples::now();
        let mut asked_after = Vec::new();
        while let Some(at) = due(ended(), now) {
            asked_after.push((at - samples::now()).num_minutes());
            now = at;
        }
        assert_eq!(asked_after, [1, 10, 60, 360, 1_440]);
    }

    #[test]
    fn nothing_is_asked_of_calls_that_cost_nothing_or_whose_price_is_known() {
        let now = samples::now();
        assert!(due(ended(), now).is_some());
        let cost = Some(Cost {
            amount: 0.into(),
            currency: "EUR".to_owned(),
        });
        for attempt in [
            CallAttempt { cost, ..ended() },
            CallAttempt {
                accepted_at: None,
                ..ended()
            },
            CallAttempt {
                state: AttemptState::Ringing,
                ended_at: None,
                ..ended()
            },
            CallAttempt {
                outcome: Some(Outcome::Cancelled),
                ..ended()
            },
        ] {
            assert_eq!(due(attempt, now), None);
        }
    }
}
