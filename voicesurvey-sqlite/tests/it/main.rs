//! The embedded store against the promises of its ports, and against what can happen to a file.

mod durability;
mod file;
mod lock;
mod open_errors;
mod schema;
mod zz_bench;
mod storage_conformance;
