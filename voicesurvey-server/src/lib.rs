//! The server of voicesurvey: API, webhooks, workers and commands around the core.
//!
//! It is one embedder of the crates among others, and stays thin: what decides anything about
//! calls is in `voicesurvey-core`.

pub mod api;
pub mod app;
pub mod commands;
pub mod company_turns;
pub mod config;
pub mod demo;
pub mod dry_run;
pub mod exports;
pub mod interpreters;
pub mod providers;
pub mod readiness;
pub mod scaled_clock;
pub mod server;
pub mod stand_in;
pub mod stores;
pub mod telemetry;
pub mod uploads;
pub mod webhooks;
pub mod workers;
