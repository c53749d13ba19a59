//! For tests: sample entities, and the conformance suites that every store and every telephony
//! provider passes.
//!
//! What a store promises is written once, in [`conformance`], and runs against every store, so
//! that a service tested over memory behaves the same over a database.

#[expect(
    clippy::expect_used,
    clippy::missing_panics_doc,
    clippy::unwrap_used,
    reason = "a case of the suite fails by panicking, and all of it runs in tests only"
)]
pub mod conformance;
#[expect(
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "samples are made of constants, in tests only"
)]
pub mod samples;
#[expect(
    clippy::missing_panics_doc,
    clippy::unwrap_used,
    reason = "a case of the suite fails by panicking, and all of it runs in tests only"
)]
pub mod telephony_conformance;
