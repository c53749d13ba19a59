//! The server of voicesurvey: API, webhooks, workers and commands around the core.
//!
//! It is one embedder of the crates among others, and stays thin: what decides anything about
//! calls is in `voicesurvey-core`.

pub mod app;
