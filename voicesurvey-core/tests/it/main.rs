//! Integration tests of the core, in one binary.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on says so by panicking"
)]

mod budgets;
mod corrections;
mod engine;
mod event_inbox;
mod event_orders;
mod interviews;
mod late_and_lost;
mod lifecycle;
mod memory_conformance;
mod restraints;
mod scripted;
mod unresolved;
