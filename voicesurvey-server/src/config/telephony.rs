//! Who dials.

use std::fmt;

use serde::Deserialize;
use voicesurvey_simulator::SimulationSettings;

/// The section `telephony`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TelephonyConfig {
    /// Which provider.
    pub provider: ProviderName,
    /// Settings of the simulated one.
    pub simulated: SimulationSettings,
}

/// The providers there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ProviderName {
    /// Nobody is called; simulated people answer.
    Simulated,
}

impl fmt::Display for ProviderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Simulated => "simulated",
        })
    }
}
