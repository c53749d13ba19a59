//! The simulation on PostgreSQL: the promises hold there as they do in memory.
//!
//! Activities run one after the other, because within a transaction a database decides for itself
//! who comes first. Everything else goes wrong as it does elsewhere.

use std::sync::Arc;

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

fn on_postgresql(seed: u64) -> Result<(), String> {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.enable_all().build().unwrap();
    let database = runtime.block_on(TestDatabase::create());
    let storage = Arc::new(database.storage().clone());
    // Not compared with the run in memory: within one claim the stores visit campaigns in another
    // order, so the same seed may take another course. The judge is the same.
    let kept = run(seed, Drive::Tokio(&runtime), storage);
    kept.map(drop).map_err(|broken| report(seed, &broken))
}

#[test]
fn fifty_seeds_keep_the_promises_on_postgresql() {
    let half = |seeds: std::ops::Range<u64>| {
        for seed in seeds {
            if let Err(difference) = on_postgresql(seed) {
                panic!("{difference}");
            }
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(|| half(0..SEEDS / 2));
        scope.spawn(|| half(SEEDS / 2..SEEDS));
    });
}
