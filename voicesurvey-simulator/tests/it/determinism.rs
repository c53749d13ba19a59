//! The same seed gives the same run, whatever else differs.

use voicesurvey_core::time::Clock as _;
use voicesurvey_simulator::{Between, Faults, Probability, Ring, SimulationSettings};

use crate::host::{Simulation, order};

const PEOPLE: u32 = 300;

fn seeded(seed: u64) -> SimulationSettings {
    SimulationSettings {
        seed,
        ..SimulationSettings::default()
    }
}

#[tokio::test]
async fn the_same_seed_gives_the_same_ledger_and_another_seed_another() {
    let first = Simulation::new(seeded(7)).run(0..PEOPLE).await;
    assert_eq!(first, Simulation::new(seeded(7)).run(0..PEOPLE).await);
    assert_ne!(first, Simulation::new(seeded(8)).run(0..PEOPLE).await);
}

#[tokio::test]
async fn the_same_seed_gives_the_same_webhooks_in_the_same_order() {
    let runs = [Simulation::new(seeded(7)), Simulation::new(seeded(7))];
    for run in &runs {
        run.run(0..PEOPLE).await;
    }
    assert!(runs[0].log().requests == runs[1].log().requests);
}

#[tokio::test]
async fn the_order_in_which_people_are_called_does_not_matter() {
    let forwards = Simulation::new(seeded(7));
    let backwards = Simulation::new(seeded(7));
    let ledger = forwards.run(0..PEOPLE).await;
    assert_eq!(ledger, backwards.run((0..PEOPLE).rev()).await);
    assert!(forwards.log().requests == backwards.log().requests);
}

#[tokio::test]
async fn a_host_that_looks_only_every_half_minute_sees_the_same_run() {
    let prompt = Simulation::new(seeded(7));
    let slow = Simulation::new(seeded(7));
    let ledger = prompt.run(0..PEOPLE).await;
    for index in 0..PEOPLE {
        slow.place(index).await.unwrap();
    }
    slow.run_for(1800, 30).await;
    assert_eq!(slow.provider.next_event_at(), None);
    assert_eq!(slow.provider.ledger(), ledger);
}

#[tokio::test]
async fn late_and_doubled_webhooks_do_not_change_what_people_do() {
    let untroubled = Simulation::new(seeded(7)).run(0..PEOPLE).await;
    let faults = Faults {
        delivered_twice: Probability::percent(30),
        delayed: Probability::percent(30),
        delayed_by_seconds: Between::new(1, 120),
        ..Faults::default()
    };
    let troubled = Simulation::new(SimulationSettings {
        faults,
        ..seeded(7)
    });
    assert_eq!(troubled.run(0..PEOPLE).await, untroubled);
}

#[tokio::test]
async fn somebody_called_again_is_the_same_person_in_another_call() {
    let simulation = Simulation::new(seeded(7));
    let mut ways_to_end = Vec::new();
    for _ in 0..20 {
        // The ledger grows by one line per call; the attempt is the same, the call is not.
        let ledger = simulation.run([4]).await;
        let last: &Ring = ledger.rings().last().unwrap();
        ways_to_end.push((
            last.raw_status.clone(),
            last.ended_at.unwrap() - last.placed_at,
        ));
    }
    ways_to_end.sort();
    ways_to_end.dedup();
    assert!(ways_to_end.len() > 10, "{ways_to_end:?}");
    assert_eq!(simulation.provider.ledger().rings().len(), 20);
}

#[tokio::test]
async fn after_a_restart_people_go_on_with_their_next_call() {
    let unbroken = Simulation::new(seeded(7));
    unbroken.run(0..PEOPLE).await;
    let second_round = unbroken.clock.now();
    let expected = unbroken.run(0..PEOPLE).await.rings()[PEOPLE as usize..].to_vec();

    let restarted = Simulation::new(seeded(7));
    restarted.clock.set(second_round);
    for index in 0..PEOPLE {
        let order = order(index);
        let provider = &restarted.provider;
        provider.remember_calls(order.company_id, order.phone_number, 1);
    }
    let rings = restarted.run(0..PEOPLE).await.rings().to_vec();
    let told = |rings: &[Ring]| -> Vec<_> {
        let of_ring = |ring: &Ring| (ring.phone_number, ring.raw_status.clone(), ring.ended_at);
        rings.iter().map(of_ring).collect()
    };
    assert_eq!(told(&rings), told(&expected));
}
