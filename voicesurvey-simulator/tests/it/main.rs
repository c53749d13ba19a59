//! The simulated provider as a host sees it: through the port, its webhooks and its ledger.

mod cancellation;
mod conformance;
mod conversation;
mod determinism;
mod distribution;
mod faults;
mod host;
mod speed;
