//! The crate as others use it: whole files in, rows out; results out, read back by other software.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod any_shape;
mod bombs;
mod corpus;
mod mutations;
mod results_read_back;

#[expect(unreachable_pub, reason = "the fuzzer uses it from another crate")]
#[path = "../../../fuzz/src/targets.rs"]
mod targets;
