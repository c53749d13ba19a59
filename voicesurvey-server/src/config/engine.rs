//! Times and sizes of the engine.

use std::num::NonZeroU32;
use std::time::Duration;

use chrono::TimeDelta;
use serde::Deserialize;
use voicesurvey_core::call_attempt::Leases;
use voicesurvey_core::service::EngineSettings;

use super::error::WrongSetting;
use crate::workers::WorkerSettings;

/// The section `engine`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EngineConfig {
    /// How many tasks one claim takes at most.
    pub claim_at_most: u16,
    /// How long after the claim a call may still be dialed.
    pub dial_within_seconds: u16,
    /// How long after that deadline the attempt is looked after.
    pub grace_after_deadline_seconds: u16,
    /// How long a telephone may ring.
    pub ring_for_seconds: u16,
    /// How long a call may go without news until it is answered.
    pub unanswered_lease_seconds: u16,
    /// How long a call may go without news while people talk.
    pub answered_lease_seconds: u16,
    /// How many dials may be under way.
    pub dials_at_once: u16,
    /// How long a loop that knows of work waits at most.
    pub poll_seconds: u16,
    /// What other servers know this one by; empty when its address will do.
    pub server_name: String,
}

impl EngineConfig {
    pub(super) fn check(&self) -> Result<(), WrongSetting> {
        for (name, value, bounds) in [
            ("claim_at_most", self.claim_at_most, 1..=1_000),
            ("dial_within_seconds", self.dial_within_seconds, 1..=300),
            (
                "grace_after_deadline_seconds",
                self.grace_after_deadline_seconds,
                1..=3_600,
            ),
            ("ring_for_seconds", self.ring_for_seconds, 5..=120),
            (
                "unanswered_lease_seconds",
                self.unanswered_lease_seconds,
                2..=3_600,
            ),
            (
                "answered_lease_seconds",
                self.answered_lease_seconds,
                2..=3_600,
            ),
            ("dials_at_once", self.dials_at_once, 0..=10_000),
            ("poll_seconds", self.poll_seconds, 1..=3_600),
        ] {
            if !bounds.contains(&value) {
                let (least, most) = bounds.into_inner();
                let expected = format!("a number from {least} to {most}");
                return Err(WrongSetting::new(format!("engine.{name}"), expected));
            }
        }
        Ok(())
    }

    /// As the engine takes them.
    pub fn settings(&self) -> EngineSettings {
        let seconds = |seconds: u16| TimeDelta::seconds(i64::from(seconds));
        EngineSettings {
            claim_at_most: self.claim_at_most,
            dial_within: seconds(self.dial_within_seconds),
            grace_after_deadline: seconds(self.grace_after_deadline_seconds),
            ring_for: Duration::from_secs(u64::from(self.ring_for_seconds)),
            leases: Leases {
                unanswered: seconds(self.unanswered_lease_seconds),
                answered: seconds(self.answered_lease_seconds),
            },
        }
    }

    /// As the server's loops take them, for a provider that takes so many calls in a second.
    pub fn workers(&self, calls_per_second: Option<NonZeroU32>) -> WorkerSettings {
        WorkerSettings {
            dials_at_once: self.dials_at_once,
            calls_per_second,
            poll: Duration::from_secs(u64::from(self.poll_seconds)),
        }
    }
}
