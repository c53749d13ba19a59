//! What a campaign is set to: survey, schedule, pacing and retries, and the copy that is frozen.

use std::num::NonZeroU32;

use chrono::TimeDelta;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;
use serde::{Deserialize, Serialize};

use crate::calling_hours::CallingHours;
use crate::id::SkillbaseId;
use crate::language::Language;
use crate::money::Cost;
use crate::outcome::Outcome;
use crate::pace::Pace;
use crate::skillbase::Skillbase;
use crate::survey::Survey;
use crate::time::Timestamp;
use crate::time_zone::TimeZone;

/// Everything about a campaign that can be edited before it starts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CampaignSettings {
    /// Who speaks.
    pub skillbase_id: SkillbaseId,
    /// The language of contacts that name none.
    pub language: Language,
    /// What is asked.
    pub survey: Survey,
    /// When people may be called.
    pub schedule: Schedule,
    /// How fast.
    pub pacing: Pacing,
    /// How often.
    pub retry: RetryPolicy,
    /// Completed interviews that are enough; `None` calls everybody. Calls that are in progress when
    /// it is reached are finished, so there may be as many more as calls ran at that moment.
    #[serde(default)]
    pub target: Option<NonZeroU32>,
    /// What the calls may cost; `None` is not limited.
    #[serde(default)]
    pub budget: Option<Budget>,
}

/// What calls may cost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Budget {
    /// The most that may be spent.
    pub limit: Cost,
    /// What one call is expected to cost, in the same currency. It is reserved for every call whose
    /// price is not known yet, so the more it is true, the closer the limit is kept.
    pub estimate_per_call: Decimal,
}

impl Budget {
    /// How many calls may still start, when `spent` is known to be spent and `unpriced` calls have
    /// been made whose price is not known yet.
    pub fn calls_left(&self, spent: Decimal, unpriced: u64) -> u32 {
        let left = self.limit.amount - spent;
        if left <= Decimal::ZERO {
            return 0;
        }
        // Without an estimate nothing can be reserved.
        let calls = left
            .checked_div(self.estimate_per_call)
            .map_or(u64::MAX, |calls| calls.floor().to_u64().unwrap_or(u64::MAX));
        u32::try_from(calls.saturating_sub(unpriced)).unwrap_or(u32::MAX)
    }
}

/// When people may be called.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Schedule {
    /// Before this instant nobody is called. A campaign that is started earlier waits for it.
    pub starts_at: Option<Timestamp>,
    /// From this instant on nobody is called.
    pub ends_at: Option<Timestamp>,
    /// The hours of the week, on the called person's clock (I4).
    pub hours: CallingHours,
    /// The zone of contacts whose own is neither given nor to be read from their number.
    pub time_zone: TimeZone,
}

/// How fast people are called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pacing {
    /// Calls in progress at the same time (I5).
    pub max_concurrent_calls: u32,
    /// How many calls start, and how far apart (I6).
    #[serde(flatten)]
    pub pace: Pace,
}

impl Default for Pacing {
    fn default() -> Self {
        Self {
            max_concurrent_calls: 5,
            pace: Pace::per_minute(10),
        }
    }
}

/// How often a person is called, and when again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetryPolicy {
    /// Attempts that may be spent on one person.
    pub max_attempts: u16,
    /// Minutes to wait after each attempt, the last repeated. Empty leaves each outcome its own
    /// delays. They apply to the outcomes that are retried at all.
    pub delays_minutes: Vec<u32>,
    /// The outcomes that are retried; `None` leaves it to the outcome table.
    #[serde(default)]
    pub retried_outcomes: Option<Vec<Outcome>>,
}

impl RetryPolicy {
    /// Attempts when nothing else is said.
    pub const DEFAULT_MAX_ATTEMPTS: u16 = 3;
    /// Minutes between attempts when nothing else is said.
    pub const DEFAULT_DELAY_MINUTES: u32 = 30;
    /// So many faults of the provider in a row are no accident.
    pub const MOST_FREE_ATTEMPTS: u16 = 20;

    /// How long to wait after `outcome`, when `spent` attempts have been used and `free` ones were
    /// made besides; `None` means that nobody is called again.
    ///
    /// A refusal, an opt-out and a finished interview are never retried, whatever the policy says
    /// (I8). Somebody who was there and hung up is left alone at least as long as the outcome table
    /// says. Free attempts wait as the table says, too, and are given up after
    /// [`RetryPolicy::MOST_FREE_ATTEMPTS`].
    pub fn retry_after(&self, outcome: Outcome, spent: u16, free: u16) -> Option<TimeDelta> {
        let rule = outcome.rule();
        let allowed = match &self.retried_outcomes {
            Some(outcomes) => outcomes.contains(&outcome) || !rule.spends_attempt,
            None => true,
        };
        if !rule.is_retried() || !allowed || spent >= self.max_attempts {
            return None;
        }
        if !rule.spends_attempt {
            return rule
                .retry_after(free)
                .filter(|_| free < Self::MOST_FREE_ATTEMPTS);
        }
        let by_table = rule.retry_after(spent);
        let by_policy = self.delay(spent);
        if outcome.reached_person() {
            by_policy.max(by_table)
        } else {
            by_policy.or(by_table)
        }
    }

    /// The policy's own delay after that many attempts; the last is repeated.
    fn delay(&self, spent: u16) -> Option<TimeDelta> {
        let last = self.delays_minutes.len().checked_sub(1)?;
        let index = usize::from(spent.saturating_sub(1)).min(last);
        Some(TimeDelta::minutes(i64::from(self.delays_minutes[index])))
    }
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            max_attempts: Self::DEFAULT_MAX_ATTEMPTS,
            delays_minutes: vec![Self::DEFAULT_DELAY_MINUTES],
            retried_outcomes: None,
        }
    }
}

/// What a campaign froze when it first started.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SettingsSnapshot {
    /// When.
    pub frozen_at: Timestamp,
    /// The skillbase as it was.
    pub skillbase: Skillbase,
    /// The settings as they were.
    pub settings: CampaignSettings,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minutes(policy: &RetryPolicy, outcome: Outcome, spent: u16) -> Option<i64> {
        policy
            .retry_after(outcome, spent, 1)
            .map(|delay| delay.num_minutes())
    }

    #[test]
    fn busy_and_no_answer_are_retried_until_the_attempts_are_used_up() {
        let policy = RetryPolicy::default();
        assert_eq!(minutes(&policy, Outcome::Busy, 1), Some(30));
        assert_eq!(minutes(&policy, Outcome::NoAnswer, 2), Some(30));
        assert_eq!(minutes(&policy, Outcome::NoAnswer, 3), None);
    }

    #[test]
    fn no_is_final_even_when_the_policy_says_otherwise() {
        let policy = RetryPolicy {
            retried_outcomes: Some(vec![Outcome::Refused, Outcome::OptedOut]),
            ..RetryPolicy::default()
        };
        assert_eq!(minutes(&policy, Outcome::Refused, 1), None);
        assert_eq!(minutes(&policy, Outcome::OptedOut, 1), None);
        assert_eq!(minutes(&policy, Outcome::Busy, 1), None);
    }

    #[test]
    fn back_off_follows_the_list() {
        let policy = RetryPolicy {
            max_attempts: 5,
            delays_minutes: vec![60, 240, 1440],
            retried_outcomes: None,
        };
        let delays = [1, 2, 3, 4].map(|spent| minutes(&policy, Outcome::Busy, spent));
        assert_eq!(delays, [Some(60), Some(240), Some(1440), Some(1440)]);
    }

    #[test]
    fn who_was_there_and_hung_up_is_left_alone_for_a_day() {
        let policy = RetryPolicy::default();
        assert_eq!(
            minutes(&policy, Outcome::HungUpBeforeConsent, 1),
            Some(1440)
        );
        assert_eq!(minutes(&policy, Outcome::CallBackRequested, 1), Some(120));
    }

    #[test]
    fn faults_of_the_provider_wait_longer_each_time_and_end() {
        let policy = RetryPolicy::default();
        let minutes = |free| {
            let delay = policy.retry_after(Outcome::ProviderFailure, 0, free);
            delay.map(|delay| delay.num_minutes())
        };
        assert_eq!(
            [1, 2, 3, 9].map(minutes),
            [Some(5), Some(10), Some(20), Some(40)]
        );
        assert_eq!(minutes(RetryPolicy::MOST_FREE_ATTEMPTS), None);
    }

    #[test]
    fn a_fault_of_the_provider_waits_as_the_table_says() {
        assert_eq!(
            minutes(&RetryPolicy::default(), Outcome::ProviderFailure, 0),
            Some(5)
        );
    }
}
