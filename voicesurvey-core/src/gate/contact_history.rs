//! How often one person is called, over all campaigns of a company.
//!
//! The windows are exact durations back from the present instant, not calendar days, so that no
//! midnight lets twice as many calls through.

use std::num::{NonZeroU16, NonZeroU32};

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use super::Reason;
use crate::time::Timestamp;

/// How often a company may call one person. The default is as often as its campaigns want.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AttemptCaps {
    /// Attempts in any 24 hours.
    pub per_day: Option<NonZeroU16>,
    /// Attempts in any 7 days.
    pub per_week: Option<NonZeroU16>,
    /// Attempts in any 30 days.
    pub per_month: Option<NonZeroU16>,
    /// Minutes between the starts of two attempts.
    pub minimum_gap_minutes: Option<NonZeroU32>,
}

/// When the company has called one number: attempts that count, the latest first.
///
/// Those count that may have rung, also those that are still live; attempts that were given up
/// undialed and faults of the provider do not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ContactHistory(Vec<Timestamp>);

impl ContactHistory {
    /// How far back attempts matter.
    pub const REACH: TimeDelta = TimeDelta::days(30);

    /// From the instants at which attempts were made, in any order.
    pub fn new(mut attempts: Vec<Timestamp>) -> Self {
        attempts.sort_unstable_by(|one, other| other.cmp(one));
        Self(attempts)
    }

    /// The attempts, the latest first.
    pub fn attempts(&self) -> &[Timestamp] {
        &self.0
    }
}

impl AttemptCaps {
    /// Whether nothing is capped, so that nobody has to look at the history.
    pub const fn is_unlimited(&self) -> bool {
        self.per_day.is_none()
            && self.per_week.is_none()
            && self.per_month.is_none()
            && self.minimum_gap_minutes.is_none()
    }

    /// For how long an attempt counts against some cap; `None` when nothing is capped.
    pub fn reach(&self) -> Option<TimeDelta> {
        let spans = self.within_spans().into_iter();
        let spans = spans.filter_map(|(most, span, _)| most.map(|_| span));
        spans.chain(self.minimum_gap()).max()
    }

    /// How many attempts are allowed within which span, and the reason to wait if they were made.
    const fn within_spans(&self) -> [(Option<NonZeroU16>, TimeDelta, Reason); 3] {
        [
            (self.per_day, TimeDelta::hours(24), Reason::DailyCap),
            (self.per_week, TimeDelta::days(7), Reason::WeeklyCap),
            (self.per_month, ContactHistory::REACH, Reason::MonthlyCap),
        ]
    }

    fn minimum_gap(&self) -> Option<TimeDelta> {
        let minutes = self.minimum_gap_minutes?.get();
        Some(TimeDelta::minutes(i64::from(minutes)))
    }

    /// The first instant at which one more attempt keeps all caps, and the cap that asks for it.
    /// `None` when no cap ever asks to wait.
    pub fn next_call_at(&self, history: &ContactHistory) -> Option<(Timestamp, Reason)> {
        let spans = self.within_spans().into_iter();
        let capped = spans.filter_map(|(most, span, reason)| {
            // The attempt that has to leave the span before another one may enter it.
            let index = usize::from(most?.get()) - 1;
            Some((*history.0.get(index)? + span, reason))
        });
        let gap = self
            .minimum_gap()
            .zip(history.0.first())
            .map(|(gap, last)| (*last + gap, Reason::MinimumGap));
        capped.chain(gap).max_by_key(|(until, _)| *until)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn instant(minute: i64) -> Timestamp {
        Timestamp::from_timestamp(1_800_000_000 + 60 * minute, 0).unwrap()
    }

    #[test]
    fn three_a_day_waits_until_the_third_last_is_a_day_old() {
        let caps = AttemptCaps {
            per_day: NonZeroU16::new(3),
            ..AttemptCaps::default()
        };
        let history = ContactHistory::new([0, 100, 200].map(instant).into());
        let expected = (instant(24 * 60), Reason::DailyCap);
        assert_eq!(caps.next_call_at(&history), Some(expected));
        let two = ContactHistory::new([0, 100].map(instant).into());
        assert_eq!(caps.next_call_at(&two), None);
    }

    #[test]
    fn of_several_caps_the_longest_wait_counts() {
        let caps = AttemptCaps {
            per_day: NonZeroU16::new(1),
            per_week: NonZeroU16::new(2),
            minimum_gap_minutes: NonZeroU32::new(180),
            ..AttemptCaps::default()
        };
        let history = ContactHistory::new([0, 5_000].map(instant).into());
        let expected = (instant(7 * 24 * 60), Reason::WeeklyCap);
        assert_eq!(caps.next_call_at(&history), Some(expected));
    }

    proptest! {
        /// Calling at every instant that is allowed never puts more into any span than its cap.
        #[test]
        fn no_span_ever_holds_more_than_its_cap(
            per_day in 1_u16..5,
            per_week in 1_u16..10,
            waits in prop::collection::vec(0_i64..3_000, 1..40),
        ) {
            let caps = AttemptCaps {
                per_day: NonZeroU16::new(per_day),
                per_week: NonZeroU16::new(per_week),
                ..AttemptCaps::default()
            };
            let mut attempts: Vec<Timestamp> = Vec::new();
            let mut now = 0;
            for wait in waits {
                now += wait;
                let history = ContactHistory::new(attempts.clone());
                let at = caps
                    .next_call_at(&history)
                    .map_or(instant(now), |(until, _)| until.max(instant(now)));
                now = (at - instant(0)).num_minutes();
                attempts.push(at);
            }
            for first in &attempts {
                for (span, most) in [(TimeDelta::hours(24), per_day), (TimeDelta::days(7), per_week)] {
                    let within = attempts.iter().filter(|at| *at >= first && **at < *first + span);
                    prop_assert!(within.count() <= usize::from(most));
                }
            }
        }
    }
}
