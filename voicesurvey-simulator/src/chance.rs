//! Chance that can be repeated: the same seed, topic, number and count give the same draws.
//!
//! Each topic draws from a stream of its own, so that switching on a fault does not change what a
//! person says.

use chrono::TimeDelta;
use rand::rngs::ChaCha12Rng;
use rand::{RngExt, SeedableRng};
use sha2::{Digest, Sha256};
use voicesurvey_core::phone_number::PhoneNumber;

use crate::settings::{Between, Probability};

/// A stream of draws.
#[derive(Debug)]
pub(crate) struct Chance(ChaCha12Rng);

/// What a stream of draws decides about.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Topic {
    /// A person; the count is always 0.
    Person,
    /// A call; the count is how often the number was dialed before.
    Call,
    /// Faults of a call's webhooks; the same count.
    Webhooks,
    /// Whether the order to dial gets through; the count is how often it was given before.
    Order,
    /// Whether the line of a call drops; the count is how often the number was dialed before.
    Line,
}

impl Chance {
    pub(crate) fn of(seed: u64, topic: Topic, number: &PhoneNumber, count: u32) -> Self {
        let name = match topic {
            Topic::Person => "person",
            Topic::Call => "call",
            Topic::Webhooks => "webhooks",
            Topic::Order => "order",
            Topic::Line => "line",
        };
        let digest = Sha256::new()
            .chain_update(seed.to_be_bytes())
            .chain_update(name)
            .chain_update(number.as_str())
            .chain_update(count.to_be_bytes())
            .finalize();
        Self(ChaCha12Rng::from_seed(digest.into()))
    }

    /// Whether something of this probability happens.
    pub(crate) fn happens(&mut self, probability: Probability) -> bool {
        self.share() < probability.value()
    }

    /// A number from 0 up to, and without, 1.
    pub(crate) fn share(&mut self) -> f64 {
        self.0.random()
    }

    pub(crate) fn between(&mut self, range: Between) -> u32 {
        self.0
            .random_range(range.from.min(range.to)..=range.from.max(range.to))
    }

    /// From `low` to `high`, both included; `low` if they are the wrong way round.
    pub(crate) fn integer(&mut self, low: i64, high: i64) -> i64 {
        self.0.random_range(low..=high.max(low))
    }

    pub(crate) fn milliseconds(&mut self, from: u32, to: u32) -> TimeDelta {
        TimeDelta::milliseconds(self.between(Between::new(from, to)).into())
    }

    /// Some whole number of seconds within `range`, and up to a second more, so that calls do not
    /// march in step.
    pub(crate) fn seconds(&mut self, range: Between) -> TimeDelta {
        TimeDelta::seconds(self.between(range).into()) + self.milliseconds(0, 999)
    }

    /// One of `items`; `None` if there are none.
    pub(crate) fn pick<'a, T>(&mut self, items: &'a [T]) -> Option<&'a T> {
        let last = items.len().checked_sub(1)?;
        items.get(self.0.random_range(0..=last))
    }

    /// One of `phrases`; nothing if there are none.
    pub(crate) fn phrase(&mut self, phrases: &[&'static str]) -> &'static str {
        self.pick(phrases).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draws(seed: u64, topic: Topic, number: &str, count: u32) -> Vec<i64> {
        let mut chance = Chance::of(seed, topic, &number.parse().unwrap(), count);
        (0..8).map(|_| chance.integer(0, 1_000_000)).collect()
    }

    #[test]
    fn each_seed_topic_number_and_count_has_its_own_repeatable_draws() {
        let first = draws(7, Topic::Call, "+393471234567", 0);
        assert_eq!(first, draws(7, Topic::Call, "+393471234567", 0));
        assert_ne!(first, draws(8, Topic::Call, "+393471234567", 0));
        assert_ne!(first, draws(7, Topic::Person, "+393471234567", 0));
        assert_ne!(first, draws(7, Topic::Call, "+393471234568", 0));
        assert_ne!(first, draws(7, Topic::Call, "+393471234567", 1));
    }

    #[test]
    fn never_never_happens_and_always_always_does() {
        let mut chance = Chance::of(1, Topic::Person, &"+393471234567".parse().unwrap(), 0);
        assert!((0..1000).all(|_| !chance.happens(Probability::NEVER)));
        assert!((0..1000).all(|_| chance.happens(Probability::ALWAYS)));
        assert_eq!(chance.between(Between::new(5, 5)), 5);
        assert!((0..100).all(|_| (2..=9).contains(&chance.between(Between::new(9, 2)))));
        assert_eq!(chance.pick::<u8>(&[]), None);
    }
}
