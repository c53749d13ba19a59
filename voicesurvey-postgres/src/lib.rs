//! The store on PostgreSQL, for production and for more than one server.
//!
//! [`PostgresStorage`] is both the [`Storage`](voicesurvey_core::ports::Storage) and the
//! [`TaskQueue`](voicesurvey_core::ports::TaskQueue). The database is the only truth: any number of
//! servers work on it at once, and none remembers anything that it does not.
//!
//! # Where is what
//!
//! - One file for each repository, which the one unit of work implements: [statements] that never
//!   vary are written out there, or in `sql/` when they are long or hot; lists, which vary with
//!   their filters, are built with sea-query from `schema.rs` and `page.rs`.
//! - `claim.rs`, `known.rs`, `task_queue.rs`, `ready_list.rs`, `lanes.rs`, `counters.rs`: the queue.
//! - `audit.rs`, with `sql/audit/`: whether the rows agree with each other.
//! - `leader.rs`, `wake_up.rs`, `clock.rs`: what servers on one database agree on: who leads, when to
//!   look, and what time it is.
//! - `migrations/`: the schema. Every tenant table has `company_id`, first in its keys, and
//!   row-level security as a second wall behind the scope.
//!
//! Adding a repository: a migration, a file that implements the port for `PostgresUnitOfWork`, and
//! its cases in the conformance suite of the core.
//!
//! [statements]: sqlx::query()

mod api_keys;
mod audit;
mod call_attempts;
mod call_lists;
mod call_rollups;
mod call_tasks;
mod campaigns;
mod claim;
mod clock;
mod companies;
mod contact_records;
mod counters;
mod erasures;
mod error;
mod events;
mod exclusions;
mod exports;
mod interviews;
mod known;
mod lanes;
mod leader;
mod migrations;
mod page;
mod ready_list;
mod retention;
mod row;
mod schema;
mod skillbases;
mod storage;
mod task_queue;
#[cfg(feature = "testing")]
pub mod testing;
mod unit_of_work;
mod wake_up;

pub use clock::PostgresClock;
pub use leader::{Candidate, PooledConnection, PostgresLeadership};
pub use migrations::MIGRATOR;
pub use storage::{ConnectError, PostgresOptions, PostgresStorage};
pub use wake_up::{Listener, Notifier};
