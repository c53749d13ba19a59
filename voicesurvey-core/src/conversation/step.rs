//! Step.
use serde::{Deserialize, Serialize};
use crate::interpretation::Confidence;

/// What came back from the line after something was said.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "heard", rename_all = "snake_case")]
pub enum Heard {
    /// Words, as the recogniser heard them.
    Speech {
        /// The words.
        words: String,
        /// How sure the recogniser is.
        confidence: Option<Confidence>,
    },
    /// Keys pressed on the telephone: digits, `*` and `#`.
    Keys {
        /// The keys, in order.
        keys: String,
    },
    /// Nothing, for as long as was waited.
    Silence,
}
/// C
#[derive(Debug)]
pub struct Conclusion;
/// S
#[derive(Debug)]
pub struct Step;
