//! The embedded store: `Storage` and `TaskQueue` in one SQLite file, without a service beside it.
//!
//! The invariant: whatever was acknowledged is on the disk (WAL, `synchronous = FULL`), and all
//! writes happen one after the other, because there is one connection that writes and every unit
//! of work begins with `BEGIN IMMEDIATE`. So a row that was read in a unit of work cannot change
//! until it ends, and "for update" costs nothing.
//!
//! # Adding a repository
//!
//! 1. A migration in `migrations/`, and its line in `migrations.rs`.
//! 2. The table and its columns in `schema.rs`.
//! 3. A file named after the repository: the row's values, the way back, and the trait for
//!    `SqliteUnitOfWork`. Statements that never vary are plain SQL; those that vary with the scope,
//!    a filter or a page are built by sea-query.

mod api_keys;
mod audit;
mod call_attempts;
mod call_lists;
mod call_rollups;
mod call_tasks;
mod campaigns;
mod companies;
mod contact_records;
mod counters;
mod erasures;
mod error;
mod events;
mod exclusions;
mod exports;
mod interviews;
mod lanes;
mod migrations;
mod open;
mod page;
#[cfg(test)]
mod query_plan;
mod ready_list;
mod retention;
mod row;
mod schema;
mod server_lock;
mod skillbases;
mod storage;
mod task_queue;
mod unit_of_work;

pub use open::{OpenError, OpenMode};
pub use storage::SqliteStorage;
