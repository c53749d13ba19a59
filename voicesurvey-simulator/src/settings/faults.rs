//! What goes wrong between the provider and its host. By default nothing does.

use serde::{Deserialize, Serialize};

use super::{Between, Probability};

/// Faults of the provider and of the network. They never change what the people do: a call that is
/// reached through faults is the same call.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Faults {
    /// The provider refuses to dial this number, for good.
    pub rejected: Probability,
    /// The provider is too busy to take the call; nobody is dialed.
    pub retry_later: Probability,
    /// The answer to the order is lost, and the telephone rings.
    pub unknown_but_placed: Probability,
    /// The order itself is lost, and no telephone rings. The host sees no difference.
    pub unknown_and_not_placed: Probability,
    /// A webhook never arrives. A provider that hears no reply to `answer` or `turn` ends the call.
    pub lost: Probability,
    /// A webhook arrives twice.
    pub delivered_twice: Probability,
    /// An event arrives late, and so perhaps after later ones. Only `events` are delayed, because
    /// the line waits for a reply to `answer` and `turn`.
    pub delayed: Probability,
    /// How late it is, and how long after the first the second copy comes.
    pub delayed_by_seconds: Between,
    /// The line drops while somebody or something talks, if they talk for long enough. The provider
    /// says that the call has failed.
    pub dropped: Probability,
    /// How long after the call was answered.
    pub dropped_after_seconds: Between,
}

impl Default for Faults {
    fn default() -> Self {
        Self {
            rejected: Probability::NEVER,
            retry_later: Probability::NEVER,
            unknown_but_placed: Probability::NEVER,
            unknown_and_not_placed: Probability::NEVER,
            lost: Probability::NEVER,
            delivered_twice: Probability::NEVER,
            delayed: Probability::NEVER,
            delayed_by_seconds: Between::new(1, 60),
            dropped: Probability::NEVER,
            dropped_after_seconds: Between::new(5, 90),
        }
    }
}
