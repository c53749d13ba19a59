//! The provider against a server on this machine that does what the test tells it to do.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod accounts;
mod ending;
mod finding;
mod placing;
mod recordings;
mod searching;
mod server;
mod trials;
mod webhooks;
