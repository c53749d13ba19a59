//! The simulation is tested, too: with a bug planted on purpose it must find a broken promise.

use std::panic::{AssertUnwindSafe, catch_unwind};

use voicesurvey::planted::{self, Bug};

use super::run;

/// Within so many seeds each bug must be found.
const SEEDS: u64 = 1_000;

/// The first seed that finds the bug, and what it says.
fn found(bug: Bug) -> Option<(u64, String)> {
    (0..SEEDS).find_map(|seed| {
        let run = || planted::with(bug, || run::interleaved(seed));
        // An assertion of the product finds a bug as well as the judge does.
        match catch_unwind(AssertUnwindSafe(run)) {
            Ok(Ok(_)) => None,
            Ok(Err(broken)) => Some((seed, broken.what)),
            Err(_) => Some((seed, "an assertion failed".to_owned())),
        }
    })
}

#[test]
fn every_planted_bug_is_found() {
    let missed: Vec<Bug> = std::thread::scope(|scope| {
        let searches: Vec<_> = Bug::ALL
            .iter()
            .map(|&bug| (bug, scope.spawn(move || found(bug))))
            .collect();
        let found = searches.into_iter().filter_map(|(bug, search)| {
            let found = search.join().unwrap();
            if let Some((seed, what)) = &found {
                eprintln!("{bug:?} is found by seed {seed}: {what}");
            }
            found.is_none().then_some(bug)
        });
        found.collect()
    });
    assert_eq!(missed, [], "not found within {SEEDS} seeds");
}
