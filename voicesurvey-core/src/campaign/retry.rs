//! The retry policy: after which outcomes a person is called again, and how much later.
//!
//! The guarantee: what a person decided is final. A refusal, an opt-out and a finished interview
//! are never retried, whatever a policy says (I8).
//!
//! What holds for an outcome is the first of these that says something: the campaign's own rule
//! for that outcome, the campaign's delays for all outcomes, the outcome table. [`RetryPolicy::rule`]
//! is the one place that knows; what is shown to people and what is done both come from it.
//!
//! ```
//! use voicesurvey_core::campaign::{RetryPolicy, RetryRule};
//! use voicesurvey_core::outcome::Outcome;
//!
//! let policy = RetryPolicy {
//!     delays_minutes: vec![60, 240],
//!     rules: [(Outcome::NoAnswer, RetryRule { delays_minutes: vec![180, 1440] })].into(),
//!     ..RetryPolicy::default()
//! };
//! assert_eq!(policy.rule(Outcome::NoAnswer).delays_minutes, [180, 1440]);
//! assert_eq!(policy.rule(Outcome::Busy).delays_minutes, [60, 240]);
//! // Who was there and hung up is left alone at least as long as the outcome table says.
//! assert_eq!(policy.rule(Outcome::HungUpBeforeConsent).delays_minutes, [1440, 1440]);
//! assert!(policy.rule(Outcome::Refused).delays_minutes.is_empty());
//! ```

mod daypart;

use std::collections::BTreeMap;

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

pub use self::daypart::{Daypart, in_other_daypart};
use crate::outcome::Outcome;

/// How often a person is called, and when again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetryPolicy {
    /// Attempts that may be spent on one person.
    pub max_attempts: u16,
    /// Minutes to wait after each attempt, the last repeated. Empty leaves each outcome its own
    /// delays. They apply to the outcomes that are retried at all.
    pub delays_minutes: Vec<u32>,
    /// What this campaign does otherwise after some outcomes. What is said here about outcomes
    /// that cannot be retried is not heard.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub rules: BTreeMap<Outcome, RetryRule>,
    /// Whether the next attempt is moved to another part of the day where that promises more:
    /// see [`Outcome::prefers_other_daypart`]. Otherwise the delays are exact.
    #[serde(default)]
    pub other_daypart: bool,
}

/// When a person is called again after one outcome.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RetryRule {
    /// Minutes to wait after each attempt, the last repeated. Empty: nobody is called again.
    pub delays_minutes: Vec<u32>,
}

impl RetryRule {
    /// How long to wait after that many attempts; `None` if nobody is called again.
    pub fn delay(&self, attempts: u16) -> Option<TimeDelta> {
        let minutes = self.minutes(usize::from(attempts.saturating_sub(1)))?;
        Some(TimeDelta::minutes(minutes.into()))
    }

    fn minutes(&self, index: usize) -> Option<u32> {
        let minutes = self.delays_minutes.get(index);
        minutes.or(self.delays_minutes.last()).copied()
    }

    /// The rule that waits as long as the longer of the two, attempt by attempt.
    fn or_longer(&self, other: &Self) -> Self {
        let length = self.delays_minutes.len().max(other.delays_minutes.len());
        let longer = |index| self.minutes(index).max(other.minutes(index));
        Self {
            delays_minutes: (0..length).filter_map(longer).collect(),
        }
    }
}

impl RetryPolicy {
    /// Attempts when nothing else is said.
    pub const DEFAULT_MAX_ATTEMPTS: u16 = 3;
    /// Minutes between attempts when nothing else is said.
    pub const DEFAULT_DELAY_MINUTES: u32 = 30;
    /// So many faults on one person are no accident.
    pub const MOST_FAULTS: u16 = 20;

    /// What holds after `outcome` while attempts are left.
    ///
    /// The delays for all outcomes are not for outcomes that the table does not retry, nor for
    /// those that cost no attempt, nor for interviews that stopped in the middle, which go on soon
    /// or not at all; and they are no shorter than the table's where a person was there. A rule for
    /// one outcome holds as it is.
    pub fn rule(&self, outcome: Outcome) -> RetryRule {
        if !outcome.can_be_retried() {
            return RetryRule::default();
        }
        if let Some(rule) = self.rules.get(&outcome) {
            return rule.clone();
        }
        let row = outcome.rule();
        let by_table = RetryRule {
            delays_minutes: row.retry_after_minutes.to_vec(),
        };
        let is_by_table = !row.is_retried() || !row.spends_attempt || outcome.is_interruption();
        if is_by_table || self.delays_minutes.is_empty() {
            return by_table;
        }
        let by_policy = RetryRule {
            delays_minutes: self.delays_minutes.clone(),
        };
        if outcome.reached_person() {
            by_policy.or_longer(&by_table)
        } else {
            by_policy
        }
    }

    /// Whether the next attempt after `outcome` is moved to another part of the day.
    pub fn changes_daypart(&self, outcome: Outcome) -> bool {
        self.other_daypart
            && outcome.prefers_other_daypart()
            && !self.rule(outcome).delays_minutes.is_empty()
    }

    /// How long to wait after `outcome`, when `spent` attempts have been used and `faults` of those
    /// that cost none have failed ([`Outcome::is_forgiven`]), this one included; `None` means that
    /// nobody is called again.
    ///
    /// After an outcome that costs no attempt the faults count, and [`RetryPolicy::MOST_FAULTS`] of
    /// them are too many. Attempts that were given up undialed, such as those for which the provider
    /// asked for patience, are neither: they cost no attempt and no patience.
    pub fn retry_after(&self, outcome: Outcome, spent: u16, faults: u16) -> Option<TimeDelta> {
        let (attempts, most_attempts) = if outcome.rule().spends_attempt {
            (spent, self.max_attempts)
        } else {
            (faults, Self::MOST_FAULTS)
        };
        if spent >= self.max_attempts || attempts >= most_attempts {
            return None;
        }
        self.rule(outcome).delay(attempts)
    }
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            max_attempts: Self::DEFAULT_MAX_ATTEMPTS,
            delays_minutes: vec![Self::DEFAULT_DELAY_MINUTES],
            rules: BTreeMap::new(),
            other_daypart: true,
        }
    }
}

#[cfg(test)]
mod tests;
