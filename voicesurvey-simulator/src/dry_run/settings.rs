//! What a dry run supposes: the people, and what a minute of talk costs.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::settings::{PickUpByHour, Population, Probability};

/// What a dry run supposes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DryRunSettings {
    /// The same seed gives the same people and calls.
    pub seed: u64,
    /// The people who are called.
    pub population: Population,
    /// How likely somebody picks up, the same at every hour; the population's own hours otherwise.
    pub pick_up_rate: Option<Probability>,
    /// How many of those who pick up finish the interview; as the population does otherwise.
    pub completion_rate: Option<Probability>,
    /// What a minute costs.
    pub prices: Prices,
}

impl DryRunSettings {
    /// The population, with the rate of picking up that was asked for.
    pub(super) fn people(&self) -> Population {
        let mut population = self.population.clone();
        if let Some(rate) = self.pick_up_rate {
            population.lines.picks_up = PickUpByHour::always(rate);
        }
        population
    }
}

/// What a started minute of an answered call costs, from the least to the most. Calls that nobody
/// and nothing answers are free.
///
/// The default, 0.01 to 0.10 EUR, spans calls to landlines and to mobiles in most of Europe.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Prices {
    /// The ISO 4217 code.
    pub currency: String,
    /// The least.
    pub per_minute_low: Decimal,
    /// The most.
    pub per_minute_high: Decimal,
}

impl Default for Prices {
    fn default() -> Self {
        Self {
            currency: "EUR".to_owned(),
            per_minute_low: Decimal::new(1, 2),
            per_minute_high: Decimal::new(10, 2),
        }
    }
}

impl Prices {
    /// Whether they are a range of amounts in a currency.
    pub fn are_valid(&self) -> bool {
        let code = self.currency.as_bytes();
        code.len() == 3
            && code.iter().all(u8::is_ascii_uppercase)
            && Decimal::ZERO <= self.per_minute_low
            && self.per_minute_low <= self.per_minute_high
            && self.per_minute_high <= Decimal::ONE_HUNDRED
    }
}
