//! Calls through Twilio Programmable Voice.
//!
//! The guarantee: nobody is called twice because an answer was lost. A call counts as not placed only
//! where Twilio documents that it was not; everything else is looked for, by Twilio's webhooks, by its
//! name, and at last in Twilio's list of calls.
//!
//! Nothing of a webhook is believed before its signature has been verified. Documents are written by
//! an XML writer, so whatever a name or a question holds is spoken and is no markup.

mod absences;
mod account;
mod call_record;
mod call_request;
mod client;
mod failure;
mod parameters;
mod progress;
mod provider;
mod recording;
mod search;
mod secret;
mod settings;
mod signature;
mod speech;
mod trial;
mod twiml;
mod urls;
mod webhook;

/// The provider's name in attempts, in the configuration and in the paths of webhooks.
pub const NAME: &str = "twilio";

pub use account::{AccountStanding, CallerIdStanding};
pub use provider::TwilioProvider;
pub use secret::Secret;
pub use settings::{
    Credentials, Detection, ListenUntil, MachineDetection, RecordingChannels, SettingsError,
    TwilioSettings, Voice, Voices, WrongSetting,
};
