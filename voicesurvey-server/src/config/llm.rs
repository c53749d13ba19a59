//! The language model that gives a second opinion, if there is one.

use std::fmt;
use std::time::Duration;

use serde::Deserialize;
use voicesurvey_llm::{ApiKey, ModelSettings, SchemaMode, TokenField};

use super::error::WrongSetting;

/// The section `llm`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LlmConfig {
    /// Where the server's interface begins; empty when interviews are understood by rules alone.
    pub url: String,
    /// The model's name.
    pub model: String,
    /// What the server knows us by.
    pub api_key: LlmApiKey,
    /// The longest that a turn waits for the model.
    pub deadline_milliseconds: u16,
    /// How much of that connecting may take.
    pub connect_milliseconds: u16,
    /// How the form of an answer is asked for.
    pub schema_mode: SchemaSetting,
    /// What the server calls the longest answer.
    pub token_field: TokenField,
    /// The longest answer, in tokens.
    pub max_tokens: u16,
    /// How many requests are under way at most.
    pub at_once: u16,
    /// What else every request holds.
    pub extra_body: serde_json::Map<String, serde_json::Value>,
}

/// How the form of an answer is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SchemaSetting {
    /// As a probe finds out.
    Auto,
    /// By a schema that the server heeds.
    JsonSchema,
    /// By a schema beside the wish for an object.
    JsonObjectSchema,
    /// By the wish for an object, and a schema in the prompt.
    JsonObject,
    /// By the prompt.
    Prompt,
}

impl LlmConfig {
    pub(super) fn check(&self) -> Result<(), WrongSetting> {
        let wrong =
            |name: &str, expected: &str| Err(WrongSetting::new(format!("llm.{name}"), expected));
        if self.url.is_empty() {
            return Ok(());
        }
        if !(self.url.starts_with("https://") || self.url.starts_with("http://")) {
            return wrong(
                "url",
                "nothing, or a URL that begins with https:// or http://",
            );
        }
        if self.model.is_empty() {
            return wrong("model", "the name of a model that the server has");
        }
        for (name, value, bounds) in [
            (
                "deadline_milliseconds",
                self.deadline_milliseconds,
                200..=5_000,
            ),
            (
                "connect_milliseconds",
                self.connect_milliseconds,
                10..=5_000,
            ),
            ("max_tokens", self.max_tokens, 40..=8_192),
            ("at_once", self.at_once, 1..=1_000),
        ] {
            if !bounds.contains(&value) {
                let (least, most) = bounds.into_inner();
                return wrong(name, &format!("a number from {least} to {most}"));
            }
        }
        Ok(())
    }

    /// As a model takes them; `None` if there is none.
    pub fn settings(&self) -> Option<ModelSettings> {
        if self.url.is_empty() {
            return None;
        }
        Some(ModelSettings {
            url: self.url.clone(),
            model: self.model.clone(),
            api_key: self.api_key.reveal(),
            deadline: Duration::from_millis(self.deadline_milliseconds.into()),
            connect: Duration::from_millis(self.connect_milliseconds.into()),
            schema_mode: self.schema_mode.mode(),
            token_field: self.token_field,
            max_tokens: self.max_tokens,
            extra_body: self.extra_body.clone(),
            at_once: self.at_once.into(),
        })
    }
}

impl SchemaSetting {
    const fn mode(self) -> Option<SchemaMode> {
        match self {
            Self::Auto => None,
            Self::JsonSchema => Some(SchemaMode::JsonSchema),
            Self::JsonObjectSchema => Some(SchemaMode::JsonObjectSchema),
            Self::JsonObject => Some(SchemaMode::JsonObject),
            Self::Prompt => Some(SchemaMode::Prompt),
        }
    }
}

/// A key, or none. Does not show itself.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub struct LlmApiKey(String);

impl LlmApiKey {
    fn reveal(&self) -> Option<ApiKey> {
        (!self.0.is_empty()).then(|| ApiKey::new(self.0.clone()))
    }
}

impl fmt::Debug for LlmApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_empty() {
            "LlmApiKey(none)"
        } else {
            "LlmApiKey(…)"
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::{Config, ConfigError, DEFAULT_FILE, Flags};
    use super::*;

    fn load(variables: &[(&str, &str)], file: &str) -> Result<LlmConfig, ConfigError> {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join(DEFAULT_FILE), file).unwrap();
        let variables = variables
            .iter()
            .map(|(name, value)| (format!("VOICESURVEY_LLM_{name}"), (*value).to_owned()));
        let loaded = Config::from_sources(&Flags::default(), variables, directory.path());
        loaded.map(|loaded| loaded.config.llm)
    }

    #[test]
    fn by_default_there_is_no_model() {
        assert!(load(&[], "").unwrap().settings().is_none());
        let named = load(&[("MODEL", "m"), ("API_KEY", "k")], "").unwrap();
        assert!(named.settings().is_none(), "a name makes no model");
    }

    #[test]
    fn the_defaults_are_those_of_the_model() {
        let variables = [("URL", "http://127.0.0.1:8080/v1"), ("MODEL", "m")];
        let settings = load(&variables, "").unwrap().settings().unwrap();
        let defaults = ModelSettings::new("http://127.0.0.1:8080/v1", "m");
        assert_eq!(format!("{settings:?}"), format!("{defaults:?}"));
    }

    #[test]
    fn everything_can_be_set() {
        let file = r#"
            [llm]
            url = "https://llm.example.org/v1"
            model = "m"
            api_key = "a-key-of-ours"
            deadline_milliseconds = 800
            schema_mode = "json_object_schema"
            token_field = "max_completion_tokens"
            [llm.extra_body]
            seed = 7
            chat_template_kwargs = { enable_thinking = false }
        "#;
        let config = load(&[("AT_ONCE", "4")], file).unwrap();
        let settings = config.settings().unwrap();
        assert_eq!(settings.deadline, Duration::from_millis(800));
        assert_eq!(settings.schema_mode, Some(SchemaMode::JsonObjectSchema));
        assert_eq!(settings.token_field, TokenField::MaxCompletionTokens);
        assert_eq!(settings.at_once, 4);
        assert_eq!(
            serde_json::Value::Object(settings.extra_body.clone()),
            json!({"seed": 7, "chat_template_kwargs": {"enable_thinking": false}})
        );
        for shown in [format!("{config:?}"), format!("{settings:?}")] {
            assert!(!shown.contains("a-key"), "{shown}");
        }
    }

    #[test]
    fn what_no_model_can_have_is_refused() {
        let here = ("URL", "http://127.0.0.1:8080/v1");
        let model = ("MODEL", "m");
        for (variables, setting) in [
            (&[("URL", "127.0.0.1:8080")][..], "llm.url"),
            (&[here], "llm.model"),
            (
                &[here, model, ("DEADLINE_MILLISECONDS", "199")],
                "llm.deadline_milliseconds",
            ),
            (
                &[here, model, ("DEADLINE_MILLISECONDS", "5001")],
                "llm.deadline_milliseconds",
            ),
            (
                &[here, model, ("CONNECT_MILLISECONDS", "0")],
                "llm.connect_milliseconds",
            ),
            (&[here, model, ("MAX_TOKENS", "5")], "llm.max_tokens"),
            (&[here, model, ("AT_ONCE", "0")], "llm.at_once"),
            (&[("SCHEMA_MODE", "flat")], "llm.schema_mode"),
            (&[("TOKEN_FIELD", "tokens")], "llm.token_field"),
        ] {
            let refused = load(variables, "").unwrap_err().to_string();
            assert!(refused.contains(setting), "{setting}: {refused}");
        }
        let refused = load(&[], "[llm]\napi_key = [\"secret\"]").unwrap_err();
        assert!(!refused.to_string().contains("secret"), "{refused}");
    }
}
