//! Integration tests of the core, in one binary.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on says so by panicking"
)]

mod appointments;
mod budgets;
mod conversation_properties;
mod corrections;
mod engine;
mod erasures;
mod event_inbox;
mod event_orders;
mod exclusions;
mod interviews;
mod late_and_lost;
mod lifecycle;
mod memory_conformance;
mod opt_outs;
mod prices;
mod quotas;
mod recordings;
mod restraints;
mod resuming;
mod reviews;
mod scripted;
mod test_conversations;
mod unconfirmed;
mod unresolved;
mod uploads;
mod voicemail;
mod waiting_calls;
