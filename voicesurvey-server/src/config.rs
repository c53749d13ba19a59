//! The configuration: flags over environment variables over a file over `config.default.toml`.
//!
//! Every setting stands in `config.default.toml` with its default, so that file is the one list of
//! what can be set, and the names of the environment variables follow from it. A setting that is
//! not known, or has the wrong type, is an error: nothing is silently ignored. Secrets are never
//! printed, neither by `Debug` nor in errors.
//!
//! # Adding a setting
//!
//! 1. The setting, its default and a comment in `config.default.toml`.
//! 2. The field in the file of its section, with its check in `check`.

mod database;
mod engine;
mod environment;
mod error;
mod exports;
mod http;
mod llm;
mod log;
mod telephony;

use std::path::{Path, PathBuf};

use figment::Figment;
use figment::providers::{Format as _, Serialized, Toml};
use serde::Deserialize;

pub use database::{
    DatabaseConfig, DatabaseLocation, DatabaseUrl, NumberKeysSetting, UnknownDatabaseUrl,
};
pub use engine::EngineConfig;
pub use error::{ConfigError, WrongSetting};
pub use exports::ExportsConfig;
pub use http::{HttpConfig, OperatorToken};
pub use llm::{LlmApiKey, LlmConfig, SchemaSetting};
pub use log::{LogConfig, LogFormat, LogLevel};
pub use telephony::{
    ChannelsSetting, DetectionMode, ListenUntilSetting, MachineDetectionConfig, ProviderName,
    StandInConfig, StandInSecret, TelephonyConfig, TwilioConfig, TwilioSecret, VoicesConfig,
};

use self::environment::Environment;

/// Every setting with its default, and what it means.
pub const DEFAULTS: &str = include_str!("../config.default.toml");

/// The file that is read when none is named, if it exists.
pub const DEFAULT_FILE: &str = "voicesurvey.toml";

/// All settings of the server.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where the server listens, as `HOST:PORT`.
    pub listen: String,
    /// The URL at which the provider reaches the server; empty when it follows from `listen`.
    pub public_url: String,
    /// Where everything is kept.
    pub database: DatabaseConfig,
    /// The HTTP side.
    pub http: HttpConfig,
    /// Who dials.
    pub telephony: TelephonyConfig,
    /// The language model.
    pub llm: LlmConfig,
    /// Times and sizes of the engine.
    pub engine: EngineConfig,
    /// Files of results.
    pub exports: ExportsConfig,
    /// The log.
    pub log: LogConfig,
}

/// What the command line says about the configuration.
#[derive(Clone, Debug, Default)]
pub struct Flags {
    /// The file to be read. It must exist.
    pub config_file: Option<PathBuf>,
    /// `database.url`.
    pub database_url: Option<String>,
    /// `listen`.
    pub listen: Option<String>,
}

/// A configuration, and what the operator should be told about how it came to be.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The settings.
    pub config: Config,
    /// The file that was read, if any.
    pub file: Option<PathBuf>,
    /// Environment variables that look like settings and are none.
    pub unknown_variables: Vec<String>,
}

impl Config {
    /// Reads the configuration of this process.
    pub fn load(flags: &Flags) -> Result<Loaded, ConfigError> {
        Self::from_sources(
            flags,
            std::env::vars_os().filter_map(readable),
            Path::new("."),
        )
    }

    /// Reads the configuration from `flags`, from `variables`, and from the default file in
    /// `directory` if `flags` name no other.
    fn from_sources(
        flags: &Flags,
        variables: impl IntoIterator<Item = (String, String)>,
        directory: &Path,
    ) -> Result<Loaded, ConfigError> {
        let file = file_to_read(flags, directory)?;
        let environment = Environment::read(variables);
        let mut figment = Figment::from(Toml::string(DEFAULTS));
        if let Some(file) = &file {
            figment = figment.merge(Toml::file_exact(file));
        }
        for variable in &environment.settings {
            figment = figment.merge(variable);
        }
        let said = [
            ("listen", &flags.listen),
            ("database.url", &flags.database_url),
        ];
        for (setting, value) in said {
            if let Some(value) = value {
                figment = figment.merge(Serialized::default(setting, value));
            }
        }
        let config: Self = figment.extract().map_err(ConfigError::from_figment)?;
        let wrong = config.wrong_settings();
        if !wrong.is_empty() {
            return Err(ConfigError::wrong(&wrong, &figment));
        }
        Ok(Loaded {
            config,
            file,
            unknown_variables: environment.unknown,
        })
    }

    /// Finds what the types of the settings do not forbid.
    fn wrong_settings(&self) -> Vec<WrongSetting> {
        let sections = [
            self.check(),
            self.http.check(),
            self.telephony.check(),
            self.llm.check(),
            self.exports.check(),
            self.engine.check(),
        ];
        let mut wrong: Vec<_> = sections.into_iter().filter_map(Result::err).collect();
        if self.telephony.provider == ProviderName::Twilio {
            let grace = self.engine.settings().grace_after_deadline;
            wrong.extend(
                self.telephony
                    .twilio
                    .wrong_settings(&self.public_url, grace),
            );
        }
        wrong
    }

    /// Finds what is wrong above the sections.
    fn check(&self) -> Result<(), WrongSetting> {
        let url = &self.public_url;
        if !(url.is_empty() || url.starts_with("https://") || url.starts_with("http://")) {
            let expected = "a URL that begins with https:// or http://";
            return Err(WrongSetting::new("public_url", expected));
        }
        if self
            .listen
            .rsplit_once(':')
            .is_none_or(|(host, port)| host.is_empty() || port.parse::<u16>().is_err())
        {
            let expected = "HOST:PORT, such as 127.0.0.1:8880";
            return Err(WrongSetting::new("listen", expected));
        }
        Ok(())
    }
}

/// A variable that is not Unicode cannot be a setting of ours.
fn readable((name, value): (std::ffi::OsString, std::ffi::OsString)) -> Option<(String, String)> {
    Some((name.into_string().ok()?, value.into_string().ok()?))
}

fn file_to_read(flags: &Flags, directory: &Path) -> Result<Option<PathBuf>, ConfigError> {
    if let Some(file) = &flags.config_file {
        // Reading it finds out whether it can be read, better than looking at its metadata does.
        return match std::fs::File::open(file).and_then(|file| file.metadata()) {
            Ok(metadata) if metadata.is_dir() => Err(ConfigError::Unreadable {
                file: file.clone(),
                source: std::io::ErrorKind::IsADirectory.into(),
            }),
            Ok(_) => Ok(Some(file.clone())),
            Err(source) => Err(ConfigError::Unreadable {
                file: file.clone(),
                source,
            }),
        };
    }
    let file = directory.join(DEFAULT_FILE);
    Ok(file.is_file().then_some(file))
}

#[cfg(test)]
mod tests;
