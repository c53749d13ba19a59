//! What is wrong with a configuration: the setting, where it was said, and what is expected.

use std::path::PathBuf;

use figment::Figment;
use figment::error::Kind;

/// Settings whose values are not repeated in errors.
const SECRETS: [&str; 8] = [
    "database.number_keys",
    "database.url",
    "http.operator_token",
    "llm.api_key",
    "telephony.stand_in.secret",
    "telephony.twilio.api_key_secret",
    "telephony.twilio.auth_token",
    "telephony.twilio.other_auth_token",
];

/// The configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file that was named cannot be read.
    #[error("the configuration file {} cannot be read", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Settings are wrong: one line for each.
    #[error("the configuration is wrong: {0}")]
    Wrong(String),
}

/// One wrong setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrongSetting {
    setting: String,
    expected: String,
}

impl WrongSetting {
    pub(super) fn new(setting: impl Into<String>, expected: impl Into<String>) -> Self {
        Self {
            setting: setting.into(),
            expected: expected.into(),
        }
    }

    /// Its name.
    pub fn setting(&self) -> &str {
        &self.setting
    }
}

impl ConfigError {
    /// Says where each wrong setting was said.
    pub(super) fn wrong(wrong: &[WrongSetting], figment: &Figment) -> Self {
        let line = |WrongSetting { setting, expected }: &WrongSetting| {
            let place = figment.find_metadata(setting).map(place);
            format!("{setting}{}: use {expected}", place.unwrap_or_default())
        };
        let lines: Vec<String> = wrong.iter().map(line).collect();
        Self::Wrong(lines.join("\n"))
    }

    pub(super) fn from_figment(error: figment::Error) -> Self {
        let lines: Vec<String> = error.into_iter().map(|error| line(&error)).collect();
        Self::Wrong(lines.join("\n"))
    }
}

fn line(error: &figment::Error) -> String {
    let setting = error.path.join(".");
    let place = error.metadata.as_ref().map(place).unwrap_or_default();
    let secret = SECRETS.contains(&setting.as_str());
    let what = match &error.kind {
        Kind::UnknownField(_, known) => {
            format!("there is no such setting; there are {}", known.join(", "))
        }
        Kind::UnknownVariant(found, known) => {
            format!("'{found}' is not a choice; use {}", known.join(", "))
        }
        Kind::InvalidType(_, expected) | Kind::InvalidValue(_, expected) if secret => {
            format!("use {}", in_plain_words(expected))
        }
        Kind::InvalidType(found, expected) | Kind::InvalidValue(found, expected) => {
            format!("found {found}, use {}", in_plain_words(expected))
        }
        Kind::Message(message) => without_source(message),
        other => other.to_string(),
    };
    // The whole file is wrong when no setting is named.
    if setting.is_empty() {
        format!("{}: {what}", place.trim_start().trim_start_matches("in "))
    } else {
        format!("{setting}{place}: {what}")
    }
}

/// What serde says it expects, without the names of our types.
fn in_plain_words(expected: &str) -> &str {
    match expected {
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number that is not negative",
        "a nonzero u32" => "a whole number greater than 0",
        "f64" => "a number",
        section if section.starts_with("struct ") => "a section",
        other => other,
    }
}

fn place(metadata: &figment::Metadata) -> String {
    match &metadata.source {
        Some(figment::Source::File(file)) => format!(" in {}", file.display()),
        Some(figment::Source::Code(_)) => " on the command line".to_owned(),
        _ => format!(" in {}", metadata.name),
    }
}

/// A message of the TOML reader without the lines that repeat the file, which may hold a secret.
fn without_source(message: &str) -> String {
    let lines = message.lines().filter(|line| {
        !line
            .trim_start_matches(|letter: char| letter.is_ascii_digit() || letter == ' ')
            .starts_with('|')
    });
    lines.collect::<Vec<_>>().join(": ")
}
