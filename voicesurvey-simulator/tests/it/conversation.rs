//! What happens on the line, from the dial to the last word.

use std::time::Duration;

use chrono::TimeDelta;
use voicesurvey_core::call_attempt::{AnsweredBy, CallEventKind};
use voicesurvey_core::conversation::Heard;
use voicesurvey_core::outcome::Outcome;
use voicesurvey_core::ports::{CallReference, FoundCall, TelephonyProvider};
use voicesurvey_core::time::Clock;
use voicesurvey_simulator::{Between, PickUpByHour, Probability, SimulationSettings};

use crate::host::{SILENCE_SECONDS, Simulation, call, order, questions, willing};

#[tokio::test]
async fn placing_a_call_rings_nobody_before_time_passes() {
    let simulation = Simulation::new(willing());
    simulation.place(0).await.unwrap();
    assert_eq!(simulation.provider.deliver_due(&simulation.host).await, 0);
    let ledger = simulation.provider.ledger();
    assert_eq!(ledger.rings().len(), 1);
    assert_eq!(ledger.rings()[0].ringing_at, None);
    let found = simulation.provider.find_call(&call(0)).await.unwrap();
    assert_eq!(found, FoundCall::Found { events: Vec::new() });
}

#[tokio::test]
async fn a_willing_person_is_led_through_the_whole_interview() {
    let simulation = Simulation::new(willing());
    let ledger = simulation.run([0]).await;
    let log = simulation.log();
    assert_eq!(log.names(0), ["initiated", "ringing", "ended"]);
    assert_eq!(log.answered.len(), 1);
    let steps: Vec<u32> = log.turns.iter().map(|(_, step, ..)| *step).collect();
    assert_eq!(steps, [1, 2, 3, 4]);
    assert!(
        log.turns
            .iter()
            .all(|(_, _, heard, _)| matches!(heard, Heard::Speech { .. }))
    );
    let ring = &ledger.rings()[0];
    assert_eq!(
        (ring.answered_by, ring.outcome),
        (Some(AnsweredBy::Person), None)
    );
    assert_eq!(ring.raw_status, "completed");
    // The longest duration of the call was planned, and is forgotten when the call ends.
    assert_eq!(ring.ended_at, Some(simulation.clock.now()));
    // Two words of goodbye are spoken before the line is free.
    let last_words = log.turns.last().unwrap().3;
    assert!(ring.ended_at.unwrap() - last_words > TimeDelta::milliseconds(800));
}

#[tokio::test]
async fn instants_are_in_the_order_of_the_call() {
    let ledger = Simulation::new(SimulationSettings::default())
        .run(0..500)
        .await;
    for ring in ledger.rings() {
        let instants = [
            Some(ring.placed_at),
            ring.initiated_at,
            ring.ringing_at,
            ring.answered_at,
            ring.ended_at,
        ];
        let known: Vec<_> = instants.into_iter().flatten().collect();
        assert!(known.is_sorted(), "{ring:?}");
        assert!(
            ring.answered_at.is_none() || ring.outcome.is_none(),
            "{ring:?}"
        );
    }
}

#[tokio::test]
async fn it_rings_no_longer_than_ordered() {
    let mut settings = willing();
    settings.population.lines.picks_up_after_seconds = Between::new(20, 25);
    let simulation = Simulation::new(settings);
    let mut hasty = order(0);
    hasty.ring_for = Duration::from_secs(15);
    simulation.provider.place_call(&hasty).await.unwrap();
    let ledger = simulation.drain().await;
    let ring = &ledger.rings()[0];
    assert_eq!(ring.outcome, Some(Outcome::NoAnswer));
    assert_eq!(
        ring.ended_at.unwrap() - ring.ringing_at.unwrap(),
        TimeDelta::seconds(15)
    );
}

#[tokio::test]
async fn a_call_lasts_no_longer_than_ordered() {
    let simulation = Simulation::new(willing());
    let mut short = order(0);
    short.longest_call = Duration::from_secs(5);
    simulation.provider.place_call(&short).await.unwrap();
    let ledger = simulation.drain().await;
    let ring = &ledger.rings()[0];
    assert_eq!(
        ring.ended_at.unwrap() - ring.answered_at.unwrap(),
        TimeDelta::seconds(5)
    );
    assert!(simulation.log().turns.len() <= questions().len());
}

#[tokio::test]
async fn who_hangs_up_during_the_introduction_says_nothing() {
    let mut settings = willing();
    settings.population.consent.hangs_up = Probability::ALWAYS;
    let simulation = Simulation::new(settings);
    let ledger = simulation.run([0]).await;
    assert_eq!(ledger.rings()[0].answered_by, Some(AnsweredBy::Person));
    let log = simulation.log();
    assert!(log.turns.is_empty());
    assert_eq!(log.names(0).last(), Some(&"ended"));
    assert_eq!(
        log.events.last().unwrap().kind,
        CallEventKind::Ended { outcome: None }
    );
}

#[tokio::test]
async fn who_refuses_is_let_go_after_one_turn_and_refuses_again_next_time() {
    let mut settings = willing();
    settings.population.consent.consents = Probability::NEVER;
    let simulation = Simulation::new(settings);
    for _ in 0..5 {
        simulation.run([0]).await;
    }
    let log = simulation.log();
    assert_eq!(log.turns.len(), 5);
    assert!(log.turns.iter().all(|(_, step, ..)| *step == 1));
}

#[tokio::test]
async fn silence_lasts_as_long_as_the_host_waits() {
    let mut settings = willing();
    settings.population.questions.silent = Probability::ALWAYS;
    let simulation = Simulation::new(settings);
    simulation.run([0]).await;
    let log = simulation.log();
    let (_, step, heard, at) = &log.turns[0];
    assert_eq!((*step, heard), (1, &Heard::Silence));
    // Two words are spoken first.
    let waited = *at - log.answered[0].2;
    assert_eq!(
        waited,
        TimeDelta::seconds(SILENCE_SECONDS.into()) + TimeDelta::milliseconds(800)
    );
}

#[tokio::test]
async fn who_breaks_off_ends_the_call_early() {
    let mut settings = willing();
    settings.population.questions.breaks_off = Probability::ALWAYS;
    let simulation = Simulation::new(settings);
    let ledger = simulation.run(0..20).await;
    assert!(ledger.rings().iter().all(|ring| ring.ended_at.is_some()));
    // Some say that they have to go, some just go.
    let turns = simulation.log().turns_by_attempt();
    assert!(turns.values().any(|turns| *turns == 1));
    assert!(turns.values().any(|turns| *turns > 1));
}

#[tokio::test]
async fn keys_answer_what_keys_can_answer() {
    let mut settings = willing();
    settings.population.questions.presses_keys = Probability::ALWAYS;
    let simulation = Simulation::new(settings);
    simulation.run([0]).await;
    let heard: Vec<_> = simulation
        .log()
        .turns
        .into_iter()
        .map(|(_, _, heard, _)| heard)
        .collect();
    assert!(matches!(
        heard.as_slice(),
        [
            Heard::Speech { .. },
            Heard::Speech { .. },
            Heard::Keys { .. },
            Heard::Keys { .. }
        ]
    ));
}

#[tokio::test]
async fn a_voicemail_is_named_and_can_be_hung_up_on() {
    let mut settings = willing();
    settings.population.lines.picks_up = PickUpByHour::always(Probability::NEVER);
    settings.population.numbers.voicemail = Probability::ALWAYS;
    let simulation = Simulation::new(settings);
    let ledger = simulation.run([0]).await;
    let log = simulation.log();
    assert_eq!(log.answered[0].1, AnsweredBy::Voicemail);
    let ring = &ledger.rings()[0];
    assert!(ring.answered_at.unwrap() - ring.ringing_at.unwrap() >= TimeDelta::seconds(12));
    assert!(ring.ended_at.unwrap() - ring.answered_at.unwrap() < TimeDelta::seconds(3));
}

#[tokio::test]
async fn hanging_up_ends_a_call_soon_and_is_no_error_afterwards() {
    let simulation = Simulation::new(willing());
    simulation.place(0).await.unwrap();
    simulation.run_for(4, 1).await;
    simulation.provider.hang_up(&call(0)).await.unwrap();
    let ledger = simulation.drain().await;
    let ring = ledger.rings()[0].clone();
    assert_eq!(
        (ring.outcome, &*ring.raw_status),
        (Some(Outcome::NoAnswer), "canceled")
    );
    assert!(ring.ended_at.unwrap() - ring.placed_at < TimeDelta::seconds(5));
    assert!(simulation.log().answered.is_empty());
    simulation.provider.hang_up(&call(0)).await.unwrap();
    assert_eq!(simulation.drain().await.rings()[0], ring);
}

#[tokio::test]
async fn a_call_is_found_with_what_happened_so_far_and_only_by_its_company() {
    let simulation = Simulation::new(willing());
    let placed = simulation.place(0).await.unwrap();
    simulation.run_for(4, 1).await;
    let FoundCall::Found { events } = simulation.provider.find_call(&call(0)).await.unwrap() else {
        panic!("it was placed");
    };
    let names: Vec<_> = events.iter().map(|event| event.kind.name()).collect();
    assert_eq!(names, ["initiated", "ringing"]);
    assert_eq!(
        events[0].provider_call_id.as_ref(),
        Some(&placed.provider_call_id)
    );
    simulation.drain().await;
    let FoundCall::Found { events } = simulation.provider.find_call(&call(0)).await.unwrap() else {
        panic!("it was placed");
    };
    assert_eq!(events.len(), 4);
    let stranger = CallReference {
        company_id: uuid::Uuid::from_u128(2).into(),
        ..call(0)
    };
    for unknown in [stranger, call(1)] {
        let found = simulation.provider.find_call(&unknown).await.unwrap();
        assert_eq!(found, FoundCall::NotFound);
    }
}
