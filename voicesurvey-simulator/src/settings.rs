//! What a simulation is made of: the seed, the people, and what goes wrong.
//!
//! The guarantee: every combination of values can be simulated. Probabilities lie between 0 and 1
//! by their type, and those that are tried one after the other are each the chance of the people
//! who get so far, so they need not add up to anything.

mod faults;
mod population;

use std::num::NonZeroU16;

use serde::{Deserialize, Serialize};

pub use faults::Faults;
pub use population::{
    ConfirmationBehaviour, ConsentBehaviour, LanguageBehaviour, LineBehaviour, NumberMix,
    PickUpByHour, Population, QuestionBehaviour,
};

/// Everything a simulation depends on, besides the calls it is asked to place.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SimulationSettings {
    /// The same seed gives the same people, calls and faults.
    pub seed: u64,
    /// How many times as fast as in life calls go: everything takes that much shorter, on a clock
    /// that shows the real time.
    pub speed: NonZeroU16,
    /// The people who are called.
    pub population: Population,
    /// What goes wrong between the provider and its host; by default nothing.
    pub faults: Faults,
}

impl Default for SimulationSettings {
    fn default() -> Self {
        Self {
            seed: 0,
            speed: NonZeroU16::MIN,
            population: Population::default(),
            faults: Faults::default(),
        }
    }
}

/// A chance from 0 (never) to 1 (always).
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct Probability(f64);

impl Probability {
    /// It never happens.
    pub const NEVER: Self = Self(0.0);
    /// It always happens.
    pub const ALWAYS: Self = Self(1.0);

    /// A chance of so many in a hundred, cut at 100.
    #[must_use]
    pub const fn percent(percent: u8) -> Self {
        // A cast because `From` is not const; every u8 is exact.
        Self(if percent > 100 {
            1.0
        } else {
            percent as f64 / 100.0
        })
    }

    /// The chance as a number from 0 to 1.
    #[must_use]
    pub const fn value(self) -> f64 {
        self.0
    }

    /// This chance, made larger or smaller by `factor`, and cut at never and always.
    pub(crate) fn times(self, factor: f64) -> Self {
        Self((self.0 * factor).clamp(0.0, 1.0))
    }
}

/// The number is no probability.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[error("a probability lies between 0 and 1, and {0} does not")]
pub struct ProbabilityOutOfRange(pub f64);

impl TryFrom<f64> for Probability {
    type Error = ProbabilityOutOfRange;

    fn try_from(value: f64) -> Result<Self, Self::Error> {
        if (0.0..=1.0).contains(&value) {
            Ok(Self(value))
        } else {
            Err(ProbabilityOutOfRange(value))
        }
    }
}

impl From<Probability> for f64 {
    fn from(probability: Probability) -> Self {
        probability.0
    }
}

/// Whole numbers from one to another, both included and equally likely, in either order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Between {
    /// One end.
    pub from: u32,
    /// The other end.
    pub to: u32,
}

impl Between {
    /// From `from` to `to`.
    #[must_use]
    pub const fn new(from: u32, to: u32) -> Self {
        Self { from, to }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_has_its_default() {
        let settings: SimulationSettings = serde_json::from_str(
            r#"{"seed": 7, "population": {"questions": {"breaks_off": 0.5}}}"#,
        )
        .unwrap();
        assert_eq!(
            settings.population.questions.breaks_off,
            Probability::percent(50)
        );
        assert_eq!(settings.population.lines, LineBehaviour::default());
        assert_eq!(settings.faults, Faults::default());
    }

    #[test]
    fn a_misspelt_setting_and_an_impossible_chance_are_refused() {
        for json in [
            r#"{"sed": 7}"#,
            r#"{"population": {"lines": {"bussy": 0.1}}}"#,
            r#"{"faults": {"lost": 1.5}}"#,
            r#"{"faults": {"lost": -0.1}}"#,
        ] {
            assert!(
                serde_json::from_str::<SimulationSettings>(json).is_err(),
                "{json}"
            );
        }
        assert!(Probability::try_from(f64::NAN).is_err());
    }

    #[test]
    fn settings_read_back_as_they_were_written() {
        let settings = SimulationSettings::default();
        let json = serde_json::to_string(&settings).unwrap();
        assert_eq!(
            serde_json::from_str::<SimulationSettings>(&json).unwrap(),
            settings
        );
    }
}
