//! Calls that go faster than in life, and webhooks that are delivered beside each other.

#![expect(clippy::unwrap_used, reason = "whatever fails here fails the test")]

use std::num::NonZeroU16;

use chrono::TimeDelta;
use voicesurvey_core::conversation::Heard;
use voicesurvey_core::time::Clock as _;
use voicesurvey_simulator::{Ring, SimulationSettings, WebhookSink as _};

use crate::host::{Simulation, willing};

fn at_speed(speed: u16) -> SimulationSettings {
    SimulationSettings {
        speed: NonZeroU16::new(speed).unwrap(),
        ..willing()
    }
}

fn lasted(ring: &Ring) -> TimeDelta {
    ring.ended_at.unwrap() - ring.placed_at
}

#[tokio::test]
async fn a_fast_call_is_the_same_call_in_less_time() {
    let in_life = Simulation::new(at_speed(1));
    let fast = Simulation::new(at_speed(100));
    let slow_ledger = in_life.run([0]).await;
    let fast_ledger = fast.run([0]).await;
    let (slow, quick) = (&slow_ledger.rings()[0], &fast_ledger.rings()[0]);
    assert!(lasted(slow) > TimeDelta::seconds(20), "{}", lasted(slow));
    let difference = lasted(quick) * 100 - lasted(slow);
    assert!(
        difference.abs() < TimeDelta::milliseconds(10),
        "{difference}"
    );
    assert_eq!(slow.raw_status, quick.raw_status);
    let heard = |simulation: &Simulation| -> Vec<Heard> {
        let turns = simulation.log().turns;
        turns.into_iter().map(|(.., heard, _)| heard).collect()
    };
    assert_eq!(heard(&in_life), heard(&fast));
}

/// A webhook whose reply is awaited keeps only its own call waiting.
#[tokio::test]
async fn several_webhooks_can_be_on_their_way_at_once() {
    let simulation = Simulation::new(willing());
    for index in 0..2 {
        simulation.place(index).await.unwrap();
    }
    let (mut waiting, mut spoken) = (Vec::new(), Vec::new());
    while let Some(at) = simulation.provider.next_event_at() {
        simulation.clock.set(at.max(simulation.clock.now()));
        waiting.extend(std::iter::from_fn(|| simulation.provider.next_delivery()));
        // Nobody is answered before both wait, or nothing else happens.
        if waiting.len() < 2 && simulation.provider.next_event_at().is_some() {
            continue;
        }
        for delivery in waiting.drain(..) {
            spoken.extend(delivery.spoken());
            let reply = simulation.host.deliver(delivery.request().clone()).await;
            simulation.provider.replied(delivery, &reply);
        }
    }
    let ledger = simulation.provider.ledger();
    assert!(ledger.rings().iter().all(|ring| ring.ended_at.is_some()));
    let told = simulation.log().turns;
    let told: Vec<_> = told.iter().map(|(id, step, ..)| (*id, *step)).collect();
    let spoken: Vec<_> = spoken
        .iter()
        .map(|turn| (turn.attempt_id, turn.step))
        .collect();
    assert_eq!(spoken, told);
    assert_eq!(told.len(), 2 * 4, "consent and three questions each");
}
