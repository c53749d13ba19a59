//! Where the model is, and how long it may take.

use std::fmt;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Map, Value};

/// What a [`LanguageModel`](crate::LanguageModel) is told about its server.
#[derive(Clone, Debug)]
pub struct ModelSettings {
    /// Where the server's interface begins, such as `http://127.0.0.1:8080/v1`.
    pub url: String,
    /// The name of the model, as the server knows it.
    pub model: String,
    /// What the server knows us by; servers on the same machine ask for nothing.
    pub api_key: Option<ApiKey>,
    /// The longest that a turn waits, from the first byte sent to the last one read.
    pub deadline: Duration,
    /// How much of it connecting may take.
    pub connect: Duration,
    /// How the form of the answer is asked for; `None` to find out at the start.
    pub schema_mode: Option<SchemaMode>,
    /// What the server calls the longest answer.
    pub token_field: TokenField,
    /// The longest answer, in tokens.
    pub max_tokens: u16,
    /// What else the server should be told, such as a seed, or that it need not think. It cannot
    /// change what is asked.
    pub extra_body: Map<String, Value>,
    /// How many requests are under way at most. Who comes then is answered by rules.
    pub at_once: usize,
}

impl ModelSettings {
    /// The settings for a server at `url` that has `model`.
    pub fn new(url: impl Into<String>, model: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            model: model.into(),
            api_key: None,
            deadline: Duration::from_secs(2),
            connect: Duration::from_millis(300),
            schema_mode: None,
            token_field: TokenField::MaxTokens,
            max_tokens: 120,
            extra_body: Map::new(),
            at_once: 32,
        }
    }
}

/// A key that does not show itself.
#[derive(Clone)]
pub struct ApiKey(String);

impl ApiKey {
    /// A key.
    pub const fn new(key: String) -> Self {
        Self(key)
    }

    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKey(…)")
    }
}

/// How the form of an answer is asked for, from what binds the model most to what binds it least.
///
/// `{"type": "json_schema", "schema": …}` is not among them: llama.cpp takes it and does not heed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SchemaMode {
    /// `{"type": "json_schema", "json_schema": {"schema": …}}`, as `OpenAI` has it.
    JsonSchema,
    /// `{"type": "json_object", "schema": …}`, as older llama.cpp has it.
    JsonObjectSchema,
    /// `{"type": "json_object"}`, with the schema in the prompt.
    JsonObject,
    /// Only the prompt says it.
    Prompt,
}

impl SchemaMode {
    /// The order in which they are tried.
    pub(crate) const ALL: [Self; 4] = [
        Self::JsonSchema,
        Self::JsonObjectSchema,
        Self::JsonObject,
        Self::Prompt,
    ];

    /// Whether the server holds the model to the schema, so that the prompt need not say it.
    pub(crate) const fn binds(self) -> bool {
        matches!(self, Self::JsonSchema | Self::JsonObjectSchema)
    }

    /// The name used in the configuration.
    pub const fn name(self) -> &'static str {
        match self {
            Self::JsonSchema => "json_schema",
            Self::JsonObjectSchema => "json_object_schema",
            Self::JsonObject => "json_object",
            Self::Prompt => "prompt",
        }
    }
}

/// What a server calls the length of the longest answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenField {
    /// Nearly all do.
    MaxTokens,
    /// Newer models of `OpenAI` want this one.
    MaxCompletionTokens,
}

impl TokenField {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::MaxTokens => "max_tokens",
            Self::MaxCompletionTokens => "max_completion_tokens",
        }
    }
}
