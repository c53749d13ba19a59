//! The embedded store against the promises of its ports, and against what can happen to a file.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod audit;
mod counts;
mod durability;
mod file;
mod lock;
mod open_errors;
mod schema;
mod storage_conformance;
