//! The domain of voicesurvey: who is called, when, how often, what is asked and what is stored.
//!
//! Nothing here performs I/O. The crate knows no database, no HTTP and no telephony provider: what
//! it needs from outside it asks for through [`ports`], and adapters answer. So the same code runs
//! over PostgreSQL, over the embedded store, over memory in a simulation, and inside other programs.
//!
//! # Where is what
//!
//! - The nouns: [`company`], [`skillbase`], [`survey`], [`campaign`], [`call_list`], [`call_task`],
//!   [`call_attempt`], [`conversation`], [`exclusion`], [`contact_record`].
//! - The decisions, all pure: [`gate`] (may this person be called now?), [`calling_hours`],
//!   [`pace`], [`outcome`], [`interpretation`], [`rates`], [`results`].
//!   [`pace`], [`quota`], [`outcome`], [`interpretation`].
//! - The doors: [`ports`].
//! - The use cases: [`service`].
//! - For tests and embedders: `memory` (feature `memory`), `testing` (feature `testing`).
//!
//! The promises I1 to I12 named in comments are listed in `ARCHITECTURE.md`.

pub mod api_key;
pub mod audit;
pub mod blank;
pub mod call_attempt;
pub mod call_list;
pub mod call_rollup;
pub mod call_statistics;
pub mod call_task;
pub mod calling_hours;
pub mod campaign;
pub mod company;
pub mod contact_record;
pub mod conversation;
pub mod erasure;
pub mod exclusion;
pub mod export;
pub mod gate;
pub mod id;
pub mod interpretation;
pub mod language;
#[cfg(feature = "memory")]
pub mod memory;
pub mod money;
pub mod number_keys;
pub mod outcome;
pub mod pace;
pub mod phone_number;
pub mod planted;
pub mod ports;
pub mod queue;
pub mod quota;
pub mod rates;
pub mod results;
pub mod service;
pub mod skillbase;
pub mod survey;
#[cfg(feature = "testing")]
pub mod testing;
pub mod time;
pub mod time_zone;
