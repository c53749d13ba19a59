//! The connection to PostgreSQL is cut at every message of every write transaction, in both
//! directions, one after the other.
//!
//! After each cut either nothing or all of the transaction is there, and whoever goes on, a webhook
//! that comes again, the next step, recovery, arrives where a run without a cut arrives. A cut at
//! the reply to the commit is the hard one: the transaction is committed, and whoever asked for it
//! is told that it failed.

mod trial;
mod world;

use serde_json::json;
use voicesurvey_core::ports::Audit as _;
use voicesurvey_core::time::Clock as _;
use voicesurvey_simulator::{Population, SimulationSettings};

use self::trial::{Seen, Stage, Trial};
use self::world::{Answer, World};
use crate::proxy::{Cut, Direction};

/// Fewer messages than this before a commit are no transaction: the proxy has missed some.
const FEWEST_MESSAGES: u32 = 40;

/// Everybody exists, is home, consents and answers.
fn everybody() -> SimulationSettings {
    people(&json!({}))
}

/// Everybody does, but for what `changes` says.
fn people(changes: &serde_json::Value) -> SimulationSettings {
    let mut population = serde_json::to_value(Population::willing()).unwrap();
    for (part, values) in changes.as_object().unwrap() {
        for (name, value) in values.as_object().unwrap() {
            population[part][name] = value.clone();
        }
    }
    let population: Population = serde_json::from_value(population).unwrap();
    SimulationSettings {
        seed: 7,
        population,
        ..SimulationSettings::default()
    }
}

/// Everybody's number turns out not to exist: the shortest call.
fn nobody() -> SimulationSettings {
    people(&json!({ "numbers": { "invalid": 1.0 } }))
}

async fn cut_at_every_message(people: SimulationSettings, trial: Trial) {
    let world = World::with(people).await;
    let uncut = Box::pin(trial.run(&world, None)).await;
    assert!(!uncut.failed && uncut.before != uncut.after, "{uncut:#?}");
    let (mut undone, mut done_and_unknown) = (0, 0);
    for direction in [Direction::ToClient, Direction::ToServer] {
        let mut cut = Cut {
            direction,
            message: 1,
        };
        loop {
            let seen = Box::pin(trial.run(&world, Some(cut))).await;
            compare(&uncut, &seen);
            undone += seen.undone + u32::from(seen.after == uncut.before);
            done_and_unknown += u32::from(seen.failed && seen.after == uncut.after);
            match seen.cut {
                Some(last) => cut = last.next(),
                None => break,
            }
        }
    }
    assert!(
        undone > FEWEST_MESSAGES,
        "a cut before the commit undoes everything: {undone}"
    );
    assert!(
        done_and_unknown > 0,
        "a cut at the reply to the commit undoes nothing"
    );
    let findings = world.storage.audit(world.clock.now()).await.unwrap();
    assert_eq!(findings, []);
}

fn compare(uncut: &Seen, seen: &Seen) {
    assert_eq!(seen.before, uncut.before, "{:?}", seen.cut);
    assert!(
        seen.after == uncut.after || seen.failed && seen.after == uncut.before,
        "neither all nor nothing: {seen:#?}"
    );
    assert_eq!(
        seen.result, uncut.result,
        "{:?}, after it {:#?}",
        seen.cut, seen.after
    );
}

#[tokio::test]
async fn an_upload() {
    cut_at_every_message(nobody(), Trial::of(Stage::Upload)).await;
}

#[tokio::test]
async fn a_start() {
    cut_at_every_message(nobody(), Trial::of(Stage::Start)).await;
}

#[tokio::test]
async fn a_claim() {
    cut_at_every_message(nobody(), Trial::of(Stage::Claim)).await;
}

#[tokio::test]
async fn a_call_that_the_provider_takes() {
    cut_at_every_message(everybody(), Trial::of(Stage::Dial)).await;
}

#[tokio::test]
async fn a_call_that_the_provider_rejects() {
    cut_at_every_message(nobody(), Trial::of(Stage::Dial).answered(Answer::Rejected)).await;
}

#[tokio::test]
async fn a_call_that_rings_and_nobody_knows() {
    cut_at_every_message(
        nobody(),
        Trial::of(Stage::Dial).answered(Answer::LostAndRings),
    )
    .await;
}

#[tokio::test]
async fn a_call_that_does_not_ring_and_nobody_knows() {
    cut_at_every_message(
        nobody(),
        Trial::of(Stage::Dial).answered(Answer::LostBefore),
    )
    .await;
}

#[tokio::test]
async fn the_recovery_of_a_call_that_was_never_dialed() {
    cut_at_every_message(nobody(), Trial::of(Stage::Recover)).await;
}

#[tokio::test]
async fn a_call_that_is_answered() {
    cut_at_every_message(everybody(), Trial::of(Stage::Webhook("answer", 1))).await;
}

#[tokio::test]
async fn a_turn_that_answers_a_question() {
    cut_at_every_message(
        everybody(),
        Trial::of(Stage::Webhook("turn", 2)).with_questions(2),
    )
    .await;
}

#[tokio::test]
async fn a_turn_that_completes_the_interview() {
    cut_at_every_message(everybody(), Trial::of(Stage::Webhook("turn", 2))).await;
}

#[tokio::test]
async fn an_opt_out() {
    cut_at_every_message(
        people(&json!({ "consent": { "opts_out": 1.0 } })),
        Trial::of(Stage::Webhook("turn", 1)),
    )
    .await;
}

#[tokio::test]
async fn the_end_of_a_call_that_was_answered() {
    cut_at_every_message(everybody(), Trial::of(Stage::Webhook("events", 3))).await;
}

#[tokio::test]
async fn the_end_of_a_call_that_was_not_answered() {
    cut_at_every_message(nobody(), Trial::of(Stage::Webhook("events", 2))).await;
}

#[tokio::test]
async fn the_end_of_a_campaign() {
    cut_at_every_message(nobody(), Trial::of(Stage::Finish)).await;
}
