//! Who dials.

mod twilio;

use std::fmt;
use std::num::NonZeroU32;
use std::time::Duration;

use serde::Deserialize;
use voicesurvey_core::campaign::Pacing;
use voicesurvey_core::pace::Pace;
use voicesurvey_simulator::SimulationSettings;

pub use self::twilio::{
    ChannelsSetting, DetectionMode, ListenUntilSetting, MachineDetectionConfig, TwilioConfig,
    TwilioSecret, VoicesConfig,
};
use super::error::WrongSetting;

/// What everybody may know is no secret, and neither is what can be tried out.
const SHORTEST_SECRET: usize = 16;

/// More than any account has, and little enough to be counted with.
const NO_LIMIT: u32 = 1_000_000;

/// The section `telephony`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TelephonyConfig {
    /// Which provider.
    pub provider: ProviderName,
    /// How many calls this server asks the provider to begin in a second; zero for any number.
    pub calls_per_second: u16,
    /// How many calls of the provider account may be in progress, over all servers and companies; zero
    /// for any number.
    pub account_concurrent_calls: u32,
    /// How many of them may start in any 60 seconds; zero for any number.
    pub account_calls_per_minute: u32,
    /// Settings of the simulated one, and of the people behind a stand-in.
    pub simulated: SimulationSettings,
    /// How servers and a stand-in find and believe each other.
    pub stand_in: StandInConfig,
    /// The account at Twilio, and what its calls sound like.
    pub twilio: TwilioConfig,
}

/// The section `telephony.stand_in`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StandInConfig {
    /// Where the stand-in listens.
    pub url: String,
    /// What it signs webhooks with.
    pub secret: StandInSecret,
    /// How long it may take to answer.
    pub patience_milliseconds: u16,
}

impl StandInConfig {
    /// How long it may take to answer.
    pub fn patience(&self) -> Duration {
        Duration::from_millis(self.patience_milliseconds.into())
    }
}

/// A secret that does not show itself; empty when there is none.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub struct StandInSecret(String);

impl TelephonyConfig {
    /// How many calls the provider takes in a second; `None` for any number.
    pub fn calls_per_second(&self) -> Option<NonZeroU32> {
        NonZeroU32::new(self.calls_per_second.into())
    }

    /// What all companies together may use of the provider account; `None` for no limit.
    pub fn account_limits(&self) -> Option<Pacing> {
        let any_or = |limit: u32| if limit == 0 { NO_LIMIT } else { limit };
        let limits = Pacing {
            max_concurrent_calls: any_or(self.account_concurrent_calls),
            pace: Pace::per_minute(any_or(self.account_calls_per_minute)),
        };
        let limited = self.account_concurrent_calls > 0 || self.account_calls_per_minute > 0;
        limited.then_some(limits)
    }

    pub(super) fn check(&self) -> Result<(), WrongSetting> {
        if self.provider != ProviderName::StandIn {
            return Ok(());
        }
        let StandInConfig { url, secret, .. } = &self.stand_in;
        if !url.starts_with("http://") {
            let expected = "a URL that begins with http://";
            return Err(WrongSetting::new("telephony.stand_in.url", expected));
        }
        if secret.reveal().len() < SHORTEST_SECRET {
            let expected = format!("at least {SHORTEST_SECRET} characters");
            return Err(WrongSetting::new("telephony.stand_in.secret", expected));
        }
        Ok(())
    }
}

impl StandInSecret {
    /// The secret.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for StandInSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StandInSecret(…)")
    }
}

/// The providers there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProviderName {
    /// Nobody is called; simulated people answer.
    Simulated,
    /// The same in a process of its own, for tests of servers.
    StandIn,
    /// People are called, through Twilio.
    Twilio,
}

impl fmt::Display for ProviderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Simulated => "simulated",
            Self::StandIn => crate::stand_in::NAME,
            Self::Twilio => voicesurvey_twilio::NAME,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::{Config, ConfigError, Flags};

    #[test]
    fn an_account_is_limited_in_whatever_is_set() {
        let limits = |variables: &[(&str, &str)]| {
            let limits = load(variables).unwrap().telephony.account_limits();
            limits.map(|limits| (limits.max_concurrent_calls, limits.pace.calls_per_minute))
        };
        assert_eq!(limits(&[]), None);
        let lines = ("ACCOUNT_CONCURRENT_CALLS", "30");
        let pace = ("ACCOUNT_CALLS_PER_MINUTE", "60");
        assert_eq!(limits(&[lines, pace]), Some((30, 60)));
        assert_eq!(limits(&[lines]), Some((30, super::NO_LIMIT)));
        assert_eq!(limits(&[pace]), Some((super::NO_LIMIT, 60)));
    }

    fn load(variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
        let variables = variables
            .iter()
            .map(|(name, value)| (format!("VOICESURVEY_TELEPHONY_{name}"), (*value).to_owned()));
        let nowhere = Path::new("/nonexistent");
        Config::from_sources(&Flags::default(), variables, nowhere).map(|loaded| loaded.config)
    }

    #[test]
    fn a_stand_in_needs_an_address_and_a_secret() {
        let provider = ("PROVIDER", "stand_in");
        let secret = ("STAND_IN_SECRET", "sixteen letters.");
        let config = load(&[provider, secret]).unwrap();
        assert!(!format!("{config:?}").contains("sixteen letters"));
        for (variables, setting) in [
            (&[provider][..], "telephony.stand_in.secret"),
            (
                &[provider, ("STAND_IN_SECRET", "fifteen letters")],
                "telephony.stand_in.secret",
            ),
            (
                &[provider, secret, ("STAND_IN_URL", "ftp://127.0.0.1")],
                "telephony.stand_in.url",
            ),
        ] {
            let refused = load(variables).unwrap_err().to_string();
            assert!(refused.contains(setting), "{refused}");
            assert!(!refused.contains("letters"), "{refused}");
        }
        assert!(load(&[]).is_ok(), "who uses none needs neither");
    }
}
