//! The promises I1 to I8 and I12 under faults: lost, late and doubled webhooks, a provider whose
//! answers get lost, and a server that dies between the claim and the dial.
//!
//! The judge is the simulator's ledger: what really rang, whatever the engine believes. A failure
//! names the seed that repeats it.

mod world;

use std::collections::HashMap;

use chrono::{TimeDelta, Timelike};
use voicesurvey::call_attempt::CallAttempt;
use voicesurvey::outcome::Outcome;
use voicesurvey::simulator::{Faults, Probability};

use self::world::{LIMITS, PACING, World};

fn faults() -> Faults {
    Faults {
        rejected: Probability::percent(1),
        retry_later: Probability::percent(3),
        unknown_but_placed: Probability::percent(5),
        unknown_and_not_placed: Probability::percent(5),
        lost: Probability::percent(4),
        delivered_twice: Probability::percent(10),
        delayed: Probability::percent(10),
        ..Faults::default()
    }
}

#[tokio::test]
async fn the_promises_hold_when_nothing_goes_wrong() {
    let world = World::run_to_the_end(1, Faults::default(), 0).await;
    judge(&world).await;
}

#[tokio::test]
async fn the_promises_hold_under_faults_and_crashes() {
    for seed in 2..8 {
        let world = World::run_to_the_end(seed, faults(), 10).await;
        judge(&world).await;
    }
}

async fn judge(world: &World) {
    let seed = world.seed;
    let attempts = world.attempts().await;
    attempts_are_numbered_without_gaps(world, &attempts).await;
    let ledger = world.provider.ledger();
    assert_eq!(
        ledger.dialed_twice(),
        [],
        "seed {seed}: I3, an attempt rang twice"
    );
    assert!(
        ledger.rung_at_once().is_empty(),
        "seed {seed}: I3, {:?}",
        ledger.rung_at_once()
    );
    for ring in ledger.rings() {
        let hour = World::zone().local(ring.placed_at).hour();
        assert!(
            (9..21).contains(&hour),
            "seed {seed}: I4, {} at {hour}",
            ring.phone_number
        );
    }
    limits_hold(world, &attempts);
    no_is_final(world, &attempts).await;
    counters_equal_rows(world, &attempts).await;
    assert!(
        ledger.rings().len() > 100,
        "seed {seed}: people were called"
    );
}

/// I1, and I7: every task has ended, so none is stuck.
async fn attempts_are_numbered_without_gaps(world: &World, attempts: &[CallAttempt]) {
    let mut numbers: HashMap<_, Vec<u16>> = HashMap::new();
    for attempt in attempts {
        numbers
            .entry(attempt.task_id)
            .or_default()
            .push(attempt.number);
    }
    for task in world.tasks().await {
        let mut numbers = numbers.remove(&task.id).unwrap_or_default();
        numbers.sort_unstable();
        let expected: Vec<u16> = (1..=task.attempts_count).collect();
        assert_eq!(numbers, expected, "seed {}: I1", world.seed);
        assert!(
            task.state.status().is_final(),
            "seed {}: I7, {task:?}",
            world.seed
        );
    }
    assert!(numbers.is_empty(), "every attempt has its task");
}

/// I5 was checked after every step of the world; I6 is read off the attempts.
fn limits_hold(world: &World, attempts: &[CallAttempt]) {
    let seed = world.seed;
    assert!(
        world.most_live_in_campaign <= u64::from(PACING.max_concurrent_calls),
        "seed {seed}: I5"
    );
    assert!(
        world.most_live_in_company <= u64::from(LIMITS.max_concurrent_calls),
        "seed {seed}: I5"
    );
    let mut per_campaign: HashMap<_, Vec<_>> = HashMap::new();
    let mut per_company: HashMap<_, Vec<_>> = HashMap::new();
    for attempt in attempts {
        per_campaign
            .entry(attempt.campaign_id)
            .or_default()
            .push(attempt.created_at);
        per_company
            .entry(attempt.company_id)
            .or_default()
            .push(attempt.created_at);
    }
    let limits = [
        (
            per_campaign.into_values().collect::<Vec<_>>(),
            PACING.pace.calls_per_minute,
        ),
        (per_company.into_values().collect(), LIMITS.calls_per_minute),
    ];
    for (groups, limit) in limits {
        for mut starts in groups {
            starts.sort_unstable();
            for (index, first) in starts.iter().enumerate() {
                let minute = *first + TimeDelta::seconds(60);
                let within = starts[index..]
                    .iter()
                    .take_while(|at| **at < minute)
                    .count();
                assert!(
                    within <= limit as usize,
                    "seed {seed}: I6, {within} within a minute"
                );
            }
        }
    }
}

/// I8: after a refusal the task is not called again, after an opt-out the number is not.
async fn no_is_final(world: &World, attempts: &[CallAttempt]) {
    for refused in attempts {
        let Some(outcome @ (Outcome::Refused | Outcome::OptedOut)) = refused.outcome else {
            continue;
        };
        let later = attempts.iter().filter(|attempt| {
            let concerns = if outcome == Outcome::OptedOut {
                attempt.company_id == refused.company_id
                    && attempt.phone_number == refused.phone_number
            } else {
                attempt.task_id == refused.task_id
            };
            concerns && attempt.created_at > refused.created_at
        });
        assert_eq!(later.count(), 0, "seed {}: I8, {outcome}", world.seed);
    }
    for exclusion in world.exclusions().await {
        let company = exclusion.company_id;
        let opted_out = attempts.iter().any(|attempt| {
            attempt.company_id == company && Some(attempt.id) == exclusion.attempt_id
        });
        assert!(
            opted_out,
            "seed {}: an exclusion names its call",
            world.seed
        );
    }
}

/// I12, for the numbers that screens show.
async fn counters_equal_rows(world: &World, attempts: &[CallAttempt]) {
    let tasks = world.tasks().await;
    for (campaign_id, counters) in world.counters().await {
        let mut by_status = std::collections::BTreeMap::new();
        for task in tasks.iter().filter(|task| task.campaign_id == campaign_id) {
            *by_status.entry(task.state.status()).or_insert(0_u64) += 1;
        }
        let shown: std::collections::BTreeMap<_, _> = counters
            .tasks
            .iter()
            .filter(|(_, count)| **count > 0)
            .map(|(k, v)| (*k, *v))
            .collect();
        assert_eq!(shown, by_status, "seed {}: I12", world.seed);
        let own = attempts
            .iter()
            .filter(|attempt| attempt.campaign_id == campaign_id);
        assert_eq!(
            counters.total_attempts(),
            own.count() as u64,
            "seed {}: I12",
            world.seed
        );
        assert_eq!(counters.live_attempts(), 0, "seed {}: I12", world.seed);
    }
}
