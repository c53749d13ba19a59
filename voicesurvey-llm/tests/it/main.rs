//! The language model against a server on this machine that does what the test tells it to do.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod asking;
mod interviews;
mod probing;
mod server;
