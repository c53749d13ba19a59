//! How the calls of a campaign are placed, and what is done when no person answers.

use std::collections::BTreeMap;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::language::Language;
use crate::phone_number::PhoneNumber;

/// How calls are placed. The default leaves everything to the configuration of the provider.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallSettings {
    /// The number that is shown; absent is the one of the configuration.
    #[serde(default)]
    pub caller_id: Option<PhoneNumber>,
    /// Whether machines are told from people; absent is as the configuration says.
    #[serde(default)]
    pub machine_detection: Option<MachineDetection>,
    /// What a voicemail hears.
    #[serde(default)]
    pub voicemail: VoicemailPolicy,
}

/// Whether the provider tells machines from people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MachineDetection {
    /// It does not.
    Off,
    /// Before anything is said: a person hears some seconds of silence first.
    Synchronous,
    /// While we speak already: the verdict comes later, or never.
    Asynchronous,
}

/// What a voicemail hears.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "policy", rename_all = "snake_case")]
pub enum VoicemailPolicy {
    /// Nothing.
    #[default]
    HangUp,
    /// A message, once per person.
    LeaveMessage {
        /// The words by language. Who speaks none of them hears those in the campaign's; if there
        /// are none either, nothing.
        messages: BTreeMap<Language, String>,
    },
}

impl MachineDetection {
    /// Every way.
    pub const ALL: [Self; 3] = [Self::Off, Self::Synchronous, Self::Asynchronous];

    /// The name used in the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Synchronous => "synchronous",
            Self::Asynchronous => "asynchronous",
        }
    }
}

/// The text names no way of detecting machines.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown machine detection '{0}': use off, synchronous or asynchronous")]
pub struct UnknownMachineDetection(pub String);

impl FromStr for MachineDetection {
    type Err = UnknownMachineDetection;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|way| way.name() == text)
            .ok_or_else(|| UnknownMachineDetection(text.to_owned()))
    }
}

impl VoicemailPolicy {
    /// The words of the message by language, if one is left.
    pub const fn messages(&self) -> Option<&BTreeMap<Language, String>> {
        match self {
            Self::HangUp => None,
            Self::LeaveMessage { messages } => Some(messages),
        }
    }
}
