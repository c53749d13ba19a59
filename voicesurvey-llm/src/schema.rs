//! The form of a model's answer, as a JSON schema.
//!
//! It keeps to what every server that takes schemas can turn into a grammar: all properties are
//! required, and bounds are checked in code.

use serde_json::{Value, json};

/// The name under which the schema goes.
pub(crate) const NAME: &str = "turn";

/// What a model may say was meant.
pub(crate) const INTENTS: [&str; 13] = [
    "answer",
    "out_of_range",
    "ambiguous",
    "repeat",
    "skip",
    "dont_know",
    "stop",
    "opt_out",
    "callback",
    "wrong_person",
    "ask_identity",
    "ask_human",
    "unclear",
];

/// The schema of an answer with one of these intents.
pub(crate) fn with_intents(intents: &[&str]) -> Value {
    json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["intent", "value", "candidates", "confidence"],
        "properties": {
            "intent": {"type": "string", "enum": intents},
            "value": {"type": ["string", "null"]},
            "candidates": {"type": "array", "items": {"type": "string"}},
            "confidence": {"type": "string", "enum": ["low", "medium", "high"]},
        },
    })
}
