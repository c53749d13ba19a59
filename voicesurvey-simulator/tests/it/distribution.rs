//! Two thousand people behave, on the whole, as the settings say.

use std::collections::BTreeMap;

use voicesurvey_core::call_attempt::AnsweredBy;
use voicesurvey_core::outcome::Outcome;
use voicesurvey_core::time::Clock;
use voicesurvey_simulator::{Ledger, SimulationSettings};

use crate::host::Simulation;

const PEOPLE: u32 = 2_000;

async fn evening() -> (Simulation, Ledger) {
    let simulation = Simulation::new(SimulationSettings::default());
    let ledger = simulation.run(0..PEOPLE).await;
    (simulation, ledger)
}

fn answered_by(ledger: &Ledger, by: AnsweredBy) -> usize {
    ledger
        .rings()
        .iter()
        .filter(|ring| ring.answered_by == Some(by))
        .count()
}

#[tokio::test]
async fn every_way_a_call_can_end_occurs_about_as_often_as_set() {
    let (_, ledger) = evening().await;
    let mut counts: BTreeMap<Option<Outcome>, usize> = BTreeMap::new();
    for ring in ledger.rings() {
        *counts.entry(ring.outcome).or_default() += 1;
    }
    // Of 2,000: 2 % unassigned, 2 % of the rest out of service, 6 % of the telephones busy.
    assert!(
        (20..=65).contains(&counts[&Some(Outcome::InvalidNumber)]),
        "{counts:?}"
    );
    assert!(
        (20..=65).contains(&counts[&Some(Outcome::Disconnected)]),
        "{counts:?}"
    );
    assert!(
        (80..=150).contains(&counts[&Some(Outcome::Busy)]),
        "{counts:?}"
    );
    assert!(
        (30..=100).contains(&counts[&Some(Outcome::Declined)]),
        "{counts:?}"
    );
    assert!(
        (200..=600).contains(&counts[&Some(Outcome::NoAnswer)]),
        "{counts:?}"
    );
    let person = answered_by(&ledger, AnsweredBy::Person);
    assert!((800..=1_150).contains(&person), "{person}");
    for machine in [
        AnsweredBy::Voicemail,
        AnsweredBy::Fax,
        AnsweredBy::CallScreening,
    ] {
        assert!(answered_by(&ledger, machine) > 5, "{machine:?}");
    }
}

#[tokio::test]
async fn fewer_people_pick_up_in_the_morning_than_in_the_evening() {
    let (_, evening) = evening().await;
    let simulation = Simulation::new(SimulationSettings::default());
    simulation
        .clock
        .set("2026-11-20T07:30:00Z".parse().unwrap()); // 08:30 in Rome
    let morning = simulation.run(0..PEOPLE).await;
    let (evening, morning) = (
        answered_by(&evening, AnsweredBy::Person),
        answered_by(&morning, AnsweredBy::Person),
    );
    assert!(
        morning * 2 < evening,
        "{morning} in the morning, {evening} in the evening"
    );
    assert!(morning > 100, "{morning}");
}

#[tokio::test]
async fn most_who_are_reached_consent_and_most_of_them_stay_to_the_end() {
    let (simulation, ledger) = evening().await;
    let log = simulation.log();
    let reached = answered_by(&ledger, AnsweredBy::Person);
    // One turn for consent, one for each of the three questions.
    let turns = log.turns_by_attempt();
    let consented = turns.values().filter(|turns| **turns > 1).count();
    let stayed = turns.values().filter(|turns| **turns == 4).count();
    assert!(
        (33..=60).contains(&(consented * 100 / reached)),
        "{consented} of {reached}"
    );
    assert!(stayed * 100 / consented > 80, "{stayed} of {consented}");
    assert!(stayed < consented);
}

#[tokio::test]
async fn every_call_ends_and_nobody_is_rung_twice_at_once() {
    let (simulation, ledger) = evening().await;
    assert_eq!(ledger.rings().len(), PEOPLE as usize);
    assert!(ledger.rings().iter().all(|ring| ring.ended_at.is_some()));
    assert!(ledger.rung_at_once().is_empty());
    assert!(ledger.dialed_twice().is_empty());
    assert_eq!(ledger.most_at_once(), PEOPLE as usize);
    assert!(
        ledger
            .rings()
            .iter()
            .all(|ring| ring.ended_at <= Some(simulation.clock.now()))
    );
}
