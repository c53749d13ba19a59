//! The account at Twilio, and what its calls sound like.
//!
//! Ranges are those of the crate that calls; here they get the names that settings have in a file.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use chrono::TimeDelta;
use serde::Deserialize;
use voicesurvey_core::id::CompanyId;
use voicesurvey_core::language::Language;
use voicesurvey_core::phone_number::{PhoneNumber, PhoneNumberError};
use voicesurvey_twilio::{
    Credentials, Detection, ListenUntil, MachineDetection, RecordingChannels, Secret,
    SettingsError, TwilioSettings, Voice, Voices,
};

use super::super::error::WrongSetting;

type CallerIds = BTreeMap<CompanyId, BTreeSet<PhoneNumber>>;

/// The section `telephony.twilio`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TwilioConfig {
    /// The account.
    pub account_sid: String,
    /// What Twilio signs webhooks with.
    pub auth_token: TwilioSecret,
    /// The same while tokens are changed.
    pub other_auth_token: TwilioSecret,
    /// The key that places calls; empty when the auth token does.
    pub api_key_sid: String,
    /// Its secret.
    pub api_key_secret: TwilioSecret,
    /// The number that people see.
    pub caller_id: String,
    /// The other numbers that companies may show, by their identifiers.
    pub caller_ids: BTreeMap<String, Vec<String>>,
    /// Where Twilio takes orders.
    pub base_url: String,
    /// How much of a request connecting may take.
    pub connect_timeout_milliseconds: u16,
    /// How long a request may take.
    pub request_timeout_milliseconds: u16,
    /// Twilio's name of the recogniser; empty when Twilio chooses.
    pub speech_model: String,
    /// How recordings keep the two sides of a call.
    pub recording_channels: ChannelsSetting,
    /// Whether machines are told from people.
    pub machine_detection: MachineDetectionConfig,
    /// Who speaks.
    pub voices: VoicesConfig,
}

/// The section `telephony.twilio.machine_detection`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MachineDetectionConfig {
    /// Whether, and when.
    pub mode: DetectionMode,
    /// How long a machine is listened to.
    pub listen_until: ListenUntilSetting,
    /// When it is given up; 0 for Twilio's own figure, as below.
    pub timeout_seconds: u16,
    /// Who speaks for longer is a machine.
    pub speech_threshold_milliseconds: u16,
    /// The silence that ends a greeting.
    pub speech_end_threshold_milliseconds: u16,
    /// The silence at the beginning after which nothing is known.
    pub silence_timeout_milliseconds: u16,
}

/// The section `telephony.twilio.voices`: for each language a tag and a voice, with a space between.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VoicesConfig {
    it: String,
    en: String,
    ru: String,
    es: String,
    fr: String,
    de: String,
}

/// Whether machines are told from people, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DetectionMode {
    /// They are not.
    Off,
    /// Before anything is said.
    Sync,
    /// While we speak.
    Async,
}

/// How long a machine is listened to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ListenUntilSetting {
    /// Until it is known to be one.
    Known,
    /// Until a message can be left.
    GreetingEnds,
}

/// How recordings keep the two sides of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChannelsSetting {
    /// In one channel.
    Mono,
    /// Each in its own.
    Dual,
}

/// A token or a key's secret; empty when there is none. Does not show itself.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub struct TwilioSecret(String);

impl TwilioSecret {
    const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn secret(&self) -> Secret {
        Secret::new(self.0.clone())
    }
}

impl fmt::Debug for TwilioSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_empty() {
            "TwilioSecret(none)"
        } else {
            "TwilioSecret(…)"
        })
    }
}

impl TwilioConfig {
    /// Everything that cannot be used, if Twilio reaches this server at `public_url` and a call is
    /// looked for after `grace`.
    pub(in super::super) fn wrong_settings(
        &self,
        public_url: &str,
        grace: TimeDelta,
    ) -> Vec<WrongSetting> {
        let mut wrong = match self.settings(public_url) {
            Ok(settings) => wrong_of(settings.check()),
            Err(wrong) => wrong,
        };
        let longest = TimeDelta::milliseconds(self.request_timeout_milliseconds.into());
        if longest >= grace {
            wrong.push(WrongSetting::new(
                "telephony.twilio.request_timeout_milliseconds",
                "less than engine.grace_after_deadline_seconds",
            ));
        }
        wrong
    }

    /// As the provider takes them. Only what cannot be written in its types is refused.
    pub fn settings(&self, public_url: &str) -> Result<TwilioSettings, Vec<WrongSetting>> {
        let mut wrong = Vec::new();
        let voices = self.voices.voices().map_err(|it| wrong.extend(it));
        let caller_id = self.caller_id.parse().map_err(|_| {
            let expected = "a number of the account as +390612345678";
            wrong.push(WrongSetting::new("telephony.twilio.caller_id", expected));
        });
        let caller_ids = self.caller_ids().map_err(|it| wrong.extend(it));
        let (Ok(voices), Ok(caller_id), Ok(caller_ids)) = (voices, caller_id, caller_ids) else {
            return Err(wrong);
        };
        let mut tokens = vec![self.auth_token.secret()];
        if !self.other_auth_token.is_empty() {
            tokens.push(self.other_auth_token.secret());
        }
        Ok(TwilioSettings {
            account_sid: self.account_sid.clone(),
            credentials: self.credentials(),
            webhook_tokens: tokens,
            base_url: self.base_url.clone(),
            public_url: public_url.to_owned(),
            caller_id,
            caller_ids,
            machine_detection: self.machine_detection.way(),
            detection: self.machine_detection.detection(),
            recording_channels: match self.recording_channels {
                ChannelsSetting::Mono => RecordingChannels::Mono,
                ChannelsSetting::Dual => RecordingChannels::Dual,
            },
            voices,
            speech_model: (!self.speech_model.is_empty()).then(|| self.speech_model.clone()),
            connect_timeout: Duration::from_millis(self.connect_timeout_milliseconds.into()),
            request_timeout: Duration::from_millis(self.request_timeout_milliseconds.into()),
        })
    }

    fn caller_ids(&self) -> Result<CallerIds, Vec<WrongSetting>> {
        let mut caller_ids = CallerIds::new();
        let mut wrong = Vec::new();
        for (company, numbers) in &self.caller_ids {
            let setting = format!("telephony.twilio.caller_ids.{company}");
            let Ok(company) = company.parse::<CompanyId>() else {
                wrong.push(WrongSetting::new(setting, "the identifier of a company"));
                continue;
            };
            match numbers.iter().map(|number| number.parse()).collect() {
                Ok(numbers) => drop(caller_ids.insert(company, numbers)),
                Err::<_, PhoneNumberError>(_) => wrong.push(WrongSetting::new(
                    setting,
                    "a list of numbers of the account as \"+390612345678\"",
                )),
            }
        }
        if wrong.is_empty() {
            Ok(caller_ids)
        } else {
            Err(wrong)
        }
    }

    /// Half a key is one that is wrong, and not none.
    fn credentials(&self) -> Credentials {
        if self.api_key_sid.is_empty() && self.api_key_secret.is_empty() {
            return Credentials::AuthToken(self.auth_token.secret());
        }
        Credentials::ApiKey {
            sid: self.api_key_sid.clone(),
            secret: self.api_key_secret.secret(),
        }
    }
}

impl MachineDetectionConfig {
    fn detection(&self) -> Detection {
        let figure =
            |milliseconds: u64| (milliseconds > 0).then(|| Duration::from_millis(milliseconds));
        Detection {
            until: match self.listen_until {
                ListenUntilSetting::Known => ListenUntil::Known,
                ListenUntilSetting::GreetingEnds => ListenUntil::GreetingEnds,
            },
            timeout: figure(u64::from(self.timeout_seconds) * 1_000),
            speech_threshold: figure(self.speech_threshold_milliseconds.into()),
            speech_end_threshold: figure(self.speech_end_threshold_milliseconds.into()),
            silence_timeout: figure(self.silence_timeout_milliseconds.into()),
        }
    }

    fn way(&self) -> MachineDetection {
        let detection = self.detection();
        match self.mode {
            DetectionMode::Off => MachineDetection::Off,
            DetectionMode::Sync => MachineDetection::Sync(detection),
            DetectionMode::Async => MachineDetection::Async(detection),
        }
    }
}

impl VoicesConfig {
    fn voices(&self) -> Result<Voices, Vec<WrongSetting>> {
        let mut voices = Voices::default();
        let mut wrong = Vec::new();
        for (language, text) in [
            (Language::It, &self.it),
            (Language::En, &self.en),
            (Language::Ru, &self.ru),
            (Language::Es, &self.es),
            (Language::Fr, &self.fr),
            (Language::De, &self.de),
        ] {
            match text.split_once(' ') {
                Some((tag, name)) => voices = voices.with(language, Voice::new(tag, name)),
                None => wrong.push(WrongSetting::new(
                    format!("telephony.twilio.voices.{language}"),
                    "a language and a voice of Twilio's, such as \"it-IT Polly.Bianca-Neural\"",
                )),
            }
        }
        if wrong.is_empty() {
            Ok(voices)
        } else {
            Err(wrong)
        }
    }
}

/// What the provider finds wrong, by the names that settings have here.
fn wrong_of(checked: Result<(), SettingsError>) -> Vec<WrongSetting> {
    let Err(SettingsError::Wrong(wrong)) = checked else {
        return Vec::new();
    };
    let named = wrong.into_iter().map(|wrong| {
        let setting = match wrong.setting {
            "public_url" => "public_url".to_owned(),
            // A token that is empty or unreadable; there is no way to give more than two.
            "webhook_tokens" => "telephony.twilio.auth_token".to_owned(),
            "machine_detection.timeout" => detection_setting("timeout_seconds"),
            figure => match figure.strip_prefix("machine_detection.") {
                Some(figure) => detection_setting(&format!("{figure}_milliseconds")),
                None if figure.ends_with("_timeout") => {
                    format!("telephony.twilio.{figure}_milliseconds")
                }
                None => format!("telephony.twilio.{figure}"),
            },
        };
        WrongSetting::new(setting, wrong.what)
    });
    let mut named: Vec<WrongSetting> = named.collect();
    // The auth token is both what signs and what orders, and is named once.
    named.dedup_by(|one, other| one.setting() == other.setting());
    named
}

fn detection_setting(name: &str) -> String {
    format!("telephony.twilio.machine_detection.{name}")
}

#[cfg(test)]
mod tests;
