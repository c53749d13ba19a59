//! The same run on PostgreSQL and in memory, with equal results: the memory is the model.
//!
//! Activities run one after the other, because within a transaction a database decides for itself
//! who comes first. Everything else goes wrong as it does elsewhere.

use std::sync::Arc;

use voicesurvey::memory::MemoryStorage;
use voicesurvey::ports::{Audit, Storage, TaskQueue};
use voicesurvey_postgres::testing::TestDatabase;

use super::report;
use super::run::{Broken, Drive, Kept, Run};
use super::shared::Order;
use super::world::Plan;

/// Seeds that are run on both stores.
const SEEDS: u64 = 50;

fn run<S: Storage + TaskQueue + Audit + 'static>(
    seed: u64,
    drive: Drive<'_>,
    storage: Arc<S>,
) -> Result<Kept, Broken> {
    let plan = Plan {
        claim_at_most: 1,
        most_people: 2,
        ..Plan::of(seed)
    };
    let (queue, audit) = (storage.clone(), storage.clone());
    Run::new(seed, plan, Order::OneByOne, drive, storage, queue, audit).play()
}

fn on_both(seed: u64) -> Result<(), String> {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.enable_all().build().unwrap();
    let database = runtime.block_on(TestDatabase::create());
    let storage = Arc::new(database.storage().clone());
    let report = |broken: Broken| report(seed, &broken);
    let postgres = run(seed, Drive::Tokio(&runtime), storage).map_err(report)?;
    let memory = run(seed, Drive::AtOnce, Arc::new(MemoryStorage::default())).map_err(report)?;
    // Not the trace: within one claim a store may visit campaigns in another order.
    if (&postgres.results, postgres.calls) == (&memory.results, memory.calls) {
        Ok(())
    } else {
        Err(format!(
            "seed {seed}\nin memory: {memory:#?}\non PostgreSQL: {postgres:#?}"
        ))
    }
}

#[test]
fn fifty_seeds_end_on_postgresql_as_they_do_in_memory() {
    let half = |seeds: std::ops::Range<u64>| {
        for seed in seeds {
            if let Err(difference) = on_both(seed) {
                panic!("{difference}");
            }
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(|| half(0..SEEDS / 2));
        scope.spawn(|| half(SEEDS / 2..SEEDS));
    });
}
