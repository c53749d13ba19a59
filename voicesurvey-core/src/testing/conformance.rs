//! The conformance suite: what every store promises, one case per promise.
//!
//! An adapter runs the whole suite with one line, and every case is a test of its own there:
//!
//! ```ignore
//! use std::ops::Deref;
//!
//! struct SqliteUnderTest {
//!     storage: SqliteStorage,
//!     _directory: tempfile::TempDir,
//! }
//!
//! impl SqliteUnderTest {
//!     /// A store of its own, migrated and empty.
//!     async fn create() -> Self { … }
//! }
//!
//! impl Deref for SqliteUnderTest {
//!     type Target = SqliteStorage;
//!     fn deref(&self) -> &SqliteStorage { &self.storage }
//! }
//!
//! voicesurvey_core::storage_conformance!(SqliteUnderTest::create);
//! ```
//!
//! A case gets an empty store. It never holds two units of work at once, because a store may let
//! the second one wait for the first.
//!
//! To add a case, write it in the file of its area and add its name to [`storage_conformance!`],
//! the only list there is.

pub mod call_attempts;
pub mod call_tasks;
pub mod campaigns;
pub mod companies;
pub mod counters;
pub mod events;
pub mod exclusions;
pub mod interviews;
pub mod queue;
pub mod skillbases;
mod support;
pub mod tenancy;
pub mod units_of_work;

use crate::ports::{Storage, TaskQueue};

/// A store with its queue, as the suite sees it.
pub trait StorageUnderTest: Storage + TaskQueue {}

impl<S: Storage + TaskQueue> StorageUnderTest for S {}

/// Makes a test of every case of the [conformance suite](crate::testing::conformance).
///
/// Takes an associated function of a type that is in scope: `Type::create`, async and without
/// arguments. What it returns owns one empty store, together with whatever has to be removed
/// afterwards, and dereferences to the store. The calling crate needs `tokio` with `macros` and
/// `rt-multi-thread`.
#[macro_export]
macro_rules! storage_conformance {
    ($owner:ident::$create:ident) => {
        $crate::storage_conformance! { @tests $owner $create
            units_of_work {
                a_dropped_unit_of_work_leaves_nothing_behind,
                what_was_committed_is_seen_by_later_units_of_work,
                a_unit_of_work_sees_what_it_wrote_itself,
                a_conflict_does_not_keep_earlier_work_of_others_from_being_seen,
                a_migrated_store_checks_out,
            }
        }
    };
    (@tests $owner:ident $create:ident $($area:ident { $($case:ident,)+ })+) => {$(
        mod $area {$(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                let under_test = super::$owner::$create().await;
                $crate::testing::conformance::$area::$case(&*under_test).await;
            }
        )+}
    )+};
}
