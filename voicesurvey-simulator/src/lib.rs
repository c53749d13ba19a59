//! A telephony provider whose calls are answered by simulated people: for the demo, dry runs,
//! tests and examples.
//!
//! The guarantee: nothing here does I/O, starts a thread or reads the time. What will happen waits
//! in a queue until the host's clock has come to it and the host asks for it with
//! [`SimulatedProvider::deliver_due`]. Everything about a person follows from the seed and the
//! phone number, everything about a call from these two and how often the number was dialed
//! before, so the same seed gives the same run, whatever the order in which tasks are claimed.
//!
//! # Running a simulation
//!
//! Give the provider to the host, then repeat: advance the clock to
//! [`next_event_at`](SimulatedProvider::next_event_at), call
//! [`deliver_due`](SimulatedProvider::deliver_due). At the end the [`Ledger`] tells which
//! telephones really rang, whatever the host believes.
//!
//! ```
//! use std::sync::Arc;
//! use voicesurvey_core::time::ManualClock;
//! use voicesurvey_simulator::{SimulatedProvider, SimulationSettings};
//!
//! let clock = Arc::new(ManualClock::new("2026-11-20T17:30:00Z".parse().unwrap()));
//! let settings = SimulationSettings { seed: 7, ..SimulationSettings::default() };
//! let provider = SimulatedProvider::new(clock, settings);
//! // Nobody was asked to dial, so nothing is going to happen.
//! assert_eq!(provider.next_event_at(), None);
//! assert!(provider.ledger().rings().is_empty());
//! ```

mod chance;
mod delivery;
pub mod dry_run;
mod ledger;
mod person;
mod provider;
mod respondent;
mod settings;
mod speech;
mod webhook;
mod world;

pub use delivery::{Delivery, Spoken, WebhookSink};
pub use ledger::{Ledger, Ring};
pub use provider::SimulatedProvider;
pub use settings::{
    Between, ConfirmationBehaviour, ConsentBehaviour, Faults, LanguageBehaviour, LineBehaviour,
    NumberMix, PickUpByHour, Population, Probability, ProbabilityOutOfRange, QuestionBehaviour,
    SimulationSettings,
};
pub use webhook::Signer;
