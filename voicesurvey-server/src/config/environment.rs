//! Settings from environment variables.
//!
//! Which variables there are follows from `config.default.toml`, and so does how a value is read:
//! a token of digits stays a text. A variable that is no setting is reported and not refused,
//! because others set variables of this form too: Kubernetes sets `VOICESURVEY_PORT` and six more
//! in every container beside a service of that name.

use std::collections::BTreeMap;

use figment::providers::{Format as _, Serialized, Toml};
use figment::value::{Dict, Map, Value};
use figment::{Error, Figment, Metadata, Profile, Provider};

use super::DEFAULTS;

const PREFIX: &str = "VOICESURVEY_";

/// A variable that the command line reads by itself.
const CONFIG_FILE: &str = "VOICESURVEY_CONFIG";

/// The variables that concern us.
pub(super) struct Environment {
    /// Those that are settings, in the order of their names.
    pub(super) settings: Vec<Variable>,
    /// The names of those that are none.
    pub(super) unknown: Vec<String>,
}

/// A setting that came from a variable.
pub(super) struct Variable {
    name: String,
    setting: String,
    value: Value,
}

impl Environment {
    pub(super) fn read(variables: impl IntoIterator<Item = (String, String)>) -> Self {
        let known = known_settings();
        let mut settings = Vec::new();
        let mut unknown = Vec::new();
        for (name, value) in variables {
            if !name.starts_with(PREFIX) || name == CONFIG_FILE {
                continue;
            }
            match known.get(&name) {
                Some((setting, default)) => settings.push(Variable {
                    setting: setting.clone(),
                    value: read_like(default, value),
                    name,
                }),
                None => unknown.push(name),
            }
        }
        settings.sort_by(|one, other| one.name.cmp(&other.name));
        unknown.sort();
        Self { settings, unknown }
    }
}

/// The settings by the names of their variables, with their defaults.
fn known_settings() -> BTreeMap<String, (String, Value)> {
    fn collect(path: &str, dict: &Dict, known: &mut BTreeMap<String, (String, Value)>) {
        for (key, value) in dict {
            let setting = if path.is_empty() {
                key.clone()
            } else {
                format!("{path}.{key}")
            };
            if let Value::Dict(_, section) = value {
                collect(&setting, section, known);
            } else {
                let variable = format!("{PREFIX}{}", setting.replace('.', "_").to_uppercase());
                known.insert(variable, (setting, value.clone()));
            }
        }
    }
    let mut known = BTreeMap::new();
    // OK because a test reads the defaults.
    if let Ok(defaults) = Figment::from(Toml::string(DEFAULTS)).extract::<Dict>() {
        collect("", &defaults, &mut known);
    }
    known
}

fn read_like(default: &Value, text: String) -> Value {
    match default {
        Value::String(..) => Value::from(text),
        // A text that is no number stays a text, and is refused with what is expected instead.
        _ => text
            .parse::<i64>()
            .map_or_else(|_| Value::from(text), Value::from),
    }
}

impl Provider for &Variable {
    fn metadata(&self) -> Metadata {
        Metadata::named(format!("the environment variable {}", self.name))
    }

    fn data(&self) -> Result<Map<Profile, Dict>, Error> {
        Serialized::default(&self.setting, &self.value).data()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_of_the_defaults_has_a_variable() {
        let known = known_settings();
        for (variable, setting) in [
            ("VOICESURVEY_LISTEN", "listen"),
            ("VOICESURVEY_DATABASE_URL", "database.url"),
            (
                "VOICESURVEY_DATABASE_MAX_CONNECTIONS",
                "database.max_connections",
            ),
            (
                "VOICESURVEY_TELEPHONY_SIMULATED_SEED",
                "telephony.simulated.seed",
            ),
            ("VOICESURVEY_LOG_LEVEL", "log.level"),
        ] {
            assert_eq!(known[variable].0, setting);
        }
    }

    #[test]
    fn no_two_settings_share_a_variable() {
        let keys = DEFAULTS.lines().filter(|line| {
            // A table has no variable.
            line.split_once(" = ")
                .is_some_and(|(key, value)| !key.starts_with('#') && value != "{}")
        });
        assert_eq!(known_settings().len(), keys.count());
    }
}
