//! The simulation on PostgreSQL: the promises hold there as they do in memory, and whatever does
//! not depend on the order in which a store visits what is due at one instant comes to the same
//! end.
//!
//! Activities run one after the other, because within a transaction a database decides for itself
//! who comes first.

use std::sync::Arc;

use voicesurvey::memory::MemoryStorage;
use voicesurvey::ports::{Audit, Storage, TaskQueue};
use voicesurvey_postgres::testing::TestDatabase;

use super::actors::Drive;
use super::report;
use super::run::{Broken, Kept, Run};
use super::shared::Order;
use super::world::Plan;

/// Seeds that are run on PostgreSQL.
const SEEDS: u64 = 50;

fn run<S: Storage + TaskQueue + Audit + 'static>(
    seed: u64,
    plan: Plan,
    drive: Drive,
    storage: Arc<S>,
) -> Result<Kept, String> {
    let (queue, audit) = (storage.clone(), storage.clone());
    let run = Run::new(seed, plan, Order::OneByOne, drive, storage, queue, audit);
    run.play().map_err(|broken: Broken| report(seed, &broken))
}

fn on_postgresql(seed: u64, plan: Plan) -> Result<Kept, String> {
    // The judge reads while a unit of work waits for it, so another thread sees to the sockets.
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    let runtime = builder.worker_threads(1).enable_all().build().unwrap();
    // Connections are given back from outside futures, too.
    let _entered = runtime.enter();
    let database = runtime.block_on(TestDatabase::create());
    let storage = Arc::new(database.storage().clone());
    run(seed, plan, Drive::Tokio(runtime.handle().clone()), storage)
}

fn on_both(seed: u64) -> Result<(), String> {
    let memory = Arc::new(MemoryStorage::default());
    let memory = run(seed, Plan::in_any_order(seed), Drive::AtOnce, memory)?;
    let postgres = on_postgresql(seed, Plan::in_any_order(seed))?;
    if postgres.results == memory.results {
        return Ok(());
    }
    let (postgres, memory) = (postgres.results, memory.results);
    Err(format!(
        "seed {seed}\nin memory: {memory:#?}\non PostgreSQL: {postgres:#?}"
    ))
}

fn for_every_seed(check: impl Fn(u64) -> Result<(), String> + Sync) {
    let half = |seeds: std::ops::Range<u64>| {
        for seed in seeds {
            if let Err(what) = check(seed) {
                panic!("{what}");
            }
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(|| half(0..SEEDS / 2));
        scope.spawn(|| half(SEEDS / 2..SEEDS));
    });
}

#[test]
fn fifty_seeds_keep_the_promises_on_postgresql() {
    for_every_seed(|seed| on_postgresql(seed, Plan::one_by_one(seed)).map(drop));
}

#[test]
fn fifty_seeds_end_on_postgresql_as_they_do_in_memory() {
    for_every_seed(on_both);
}
