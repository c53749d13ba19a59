//! The simulation: a small world of servers, people and operators in which everything goes wrong
//! that can, and in which the promises I1 to I10 and I12 hold after every step.
//!
//! A run follows from its seed alone: one thread, no I/O, a clock that is moved by hand. Several
//! servers work on the same store and provider; at every call of a port another may come first, a
//! server may die before or after the effect, and an answer may be lost. Which faults there are is
//! chosen anew for every seed. The same seed gives the same run, so a failure names the one command
//! that repeats it.

mod actors;
mod chance;
mod faults;
mod fleet;
mod judge;
#[cfg(feature = "planted-bugs")]
mod planted;
mod ports;
mod quotas;
mod replay;
mod results;
mod run;
mod shared;
mod survey;
mod trace;
mod world;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};

use voicesurvey::simulator::Probability;

use self::faults::Fault;
use self::judge::Sight;
use self::run::{Broken, Kept};

/// How many seeds are run, unless the environment says otherwise.
const SEEDS: u64 = 2_000;

fn from_environment(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().expect("a seed is a whole number"))
}

fn report(seed: u64, broken: &Broken) -> String {
    format!(
        "seed {seed}: {}\nfaults: {:?}\nthe end of the trace:\n{}\nrepeat it with: \
         VOICESURVEY_SEED={seed} cargo nextest run -p voicesurvey \
         the_promises_hold_for_every_seed --no-capture",
        broken.what, broken.faults, broken.latest
    )
}

/// What many runs came to.
#[derive(Debug, Default)]
struct Tally {
    calls: usize,
    happened: [u32; Fault::ALL.len()],
    sights: BTreeSet<Sight>,
}

impl Tally {
    /// A fault that never happens shows nothing, nor does an interview that is never held.
    fn shows_everything(&self) {
        let missing = Sight::ALL.iter().find(|sight| !self.sights.contains(sight));
        assert_eq!(missing, None, "never seen");
        for fault in Fault::ALL {
            let happened = self.happened[*fault as usize] > 0;
            assert!(
                happened || fault.is_of_provider(),
                "{fault:?} never happened"
            );
        }
        assert!(self.calls > 10_000, "people were called");
    }

    fn add(&mut self, calls: usize, happened: &[u32], sights: BTreeSet<Sight>) {
        self.sights.extend(sights);
        self.calls += calls;
        for (sum, count) in self.happened.iter_mut().zip(happened) {
            *sum += count;
        }
    }
}

/// Runs the seeds on all processors, until one fails.
fn run_all(
    seeds: std::ops::Range<u64>,
    run: impl Fn(u64) -> Result<Kept, Broken> + Sync,
) -> Result<Tally, (u64, Broken)> {
    let next = AtomicU64::new(seeds.start);
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    let work = || {
        let mut tally = Tally::default();
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds.end {
                return Ok(tally);
            }
            match run(seed) {
                Ok(kept) => tally.add(kept.calls, &kept.happened, kept.sights),
                Err(broken) => {
                    next.store(seeds.end, Ordering::Relaxed);
                    return Err((seed, broken));
                }
            }
        }
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let mut all = Tally::default();
        for thread in threads {
            let tally = thread.join().expect("a run that panics says why")?;
            all.add(tally.calls, &tally.happened, tally.sights);
        }
        Ok(all)
    })
}

#[test]
fn the_promises_hold_for_every_seed() {
    let first = from_environment("VOICESURVEY_SEED");
    let count = from_environment("VOICESURVEY_SEEDS").unwrap_or(SEEDS);
    let seeds = first.map_or(0..count, |seed| seed..seed + 1);
    let is_whole = seeds == (0..SEEDS);
    match run_all(seeds, run::interleaved) {
        Ok(tally) if is_whole => tally.shows_everything(),
        Ok(_) => {}
        Err((seed, broken)) => panic!("{}", report(seed, &broken)),
    }
}

/// I10: the same run with every webhook once and with every webhook twice.
#[test]
fn webhooks_that_come_twice_change_nothing() {
    for seed in 0..100 {
        let once = run::with_webhooks(seed, Probability::NEVER);
        let twice = run::with_webhooks(seed, Probability::ALWAYS);
        let results = |kept: Result<Kept, Broken>| match kept {
            Ok(kept) => kept.results.at_any_time(),
            Err(broken) => panic!("{}", report(seed, &broken)),
        };
        assert_eq!(results(once), results(twice), "seed {seed}");
    }
}

#[test]
fn the_same_seed_gives_the_same_run() {
    for seed in 0..20 {
        assert_eq!(
            run::interleaved(seed).map_err(|broken| broken.what),
            run::interleaved(seed).map_err(|broken| broken.what),
            "seed {seed}"
        );
    }
}
