//! Which telephony provider the configuration names. The only file that knows them by name.

use std::fmt;
use std::io;
use std::sync::Arc;

use voicesurvey_core::id::IdGenerator;
use voicesurvey_core::ports::TelephonyProvider;
use voicesurvey_core::time::Clock;
use voicesurvey_simulator::SimulatedProvider;
use voicesurvey_twilio::TwilioProvider;

use crate::config::{Config, ProviderName, TwilioConfig, WrongSetting};
use crate::stand_in::provider::StandInProvider;

/// The provider that was chosen.
#[derive(Clone)]
pub struct Telephony {
    /// Who dials.
    pub provider: Arc<dyn TelephonyProvider>,
    /// The same, if it is the simulated one: its calls happen in this process, so somebody must
    /// deliver their webhooks.
    pub simulated: Option<Arc<SimulatedProvider>>,
}

impl Telephony {
    /// The provider that the configuration names.
    pub fn from_config(
        config: &Config,
        clock: Arc<dyn Clock>,
        ids: &IdGenerator,
    ) -> io::Result<Self> {
        let public_url = &config.public_url;
        let config = &config.telephony;
        tracing::info!(provider = %config.provider, "Creating telephony provider");
        match config.provider {
            ProviderName::Simulated => {
                // Its webhooks are open to the network like anybody's, and the seed is no secret.
                let mut secret = [0; 32];
                ids.fill(&mut secret);
                let provider = SimulatedProvider::new(clock, config.simulated.clone());
                Ok(Self::simulated(Arc::new(provider.with_secret(secret))))
            }
            ProviderName::StandIn => {
                let stand_in = &config.stand_in;
                let secret = stand_in.secret.reveal();
                let provider = StandInProvider::new(&stand_in.url, secret, stand_in.patience())
                    .map_err(io::Error::other)?;
                Ok(Self::real(provider))
            }
            ProviderName::Twilio => {
                let provider = twilio(&config.twilio, public_url, clock)?;
                Ok(Self::real(provider))
            }
        }
    }

    fn real(provider: impl TelephonyProvider + 'static) -> Self {
        Self {
            provider: Arc::new(provider),
            simulated: None,
        }
    }

    /// A simulated provider that somebody else has made.
    pub fn simulated(provider: Arc<SimulatedProvider>) -> Self {
        Self {
            provider: provider.clone(),
            simulated: Some(provider),
        }
    }
}

/// Twilio as the configuration has it.
pub(crate) fn twilio(
    config: &TwilioConfig,
    public_url: &str,
    clock: Arc<dyn Clock>,
) -> io::Result<TwilioProvider> {
    // OK because a configuration with wrong settings is not loaded.
    let settings = config.settings(public_url).map_err(|wrong| {
        let settings: Vec<&str> = wrong.iter().map(WrongSetting::setting).collect();
        io::Error::other(format!("wrong settings: {}", settings.join(", ")))
    })?;
    TwilioProvider::new(settings, clock).map_err(io::Error::other)
}

impl fmt::Debug for Telephony {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Telephony")
            .field(&self.provider.name())
            .finish()
    }
}
