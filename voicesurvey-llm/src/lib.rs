//! An interpreter that asks a language model where the rules are unsure.
//!
//! Any server with the chat interface of `OpenAI` will do. The guarantee: a model gives a second
//! opinion, within a deadline, and the interview works without one.
//!
//! Speech is not trusted, and neither is a model that has read it. A model has no tools; it names one
//! intent of a fixed list, and a value that the question accepts, or what it wrote is thrown away.
//! What may follow from a reading is decided in
//! [`second_opinion`](voicesurvey_core::interpretation::second_opinion).

mod assisted;
mod breaker;
mod failure;
mod model;
mod probe;
mod prompt;
mod reading;
mod request;
mod response;
mod schema;
mod settings;

pub use assisted::AssistedInterpreter;
pub use failure::Failure;
pub use model::{LanguageModel, ModelError, Standing};
pub use settings::{ApiKey, ModelSettings, SchemaMode, TokenField};
