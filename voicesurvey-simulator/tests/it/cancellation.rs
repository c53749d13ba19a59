//! Calls that nobody has answered yet, cancelled.

#![expect(clippy::unwrap_used, reason = "whatever fails here fails the test")]

use chrono::TimeDelta;
use voicesurvey_core::call_attempt::CallEventKind;
use voicesurvey_core::outcome::Outcome;
use voicesurvey_core::ports::{Cancellation, FoundCall, TelephonyProvider as _};

use crate::host::{Simulation, call, willing};

async fn cancel(simulation: &Simulation) -> Cancellation {
    simulation.provider.cancel(&call(0)).await.unwrap()
}

#[tokio::test]
async fn of_a_call_that_was_not_dialed_yet_nothing_is_told_and_everything_is_found() {
    let simulation = Simulation::new(willing());
    simulation.place(0).await.unwrap();
    assert_eq!(cancel(&simulation).await, Cancellation::Over);
    let ledger = simulation.drain().await;
    assert_eq!(simulation.log().names(0), [""; 0]);
    let ring = &ledger.rings()[0];
    assert_eq!(ring.outcome, Some(Outcome::Cancelled));
    assert_eq!((ring.initiated_at, ring.answered_at), (None, None));
    let found = simulation.provider.find_call(&call(0)).await.unwrap();
    let FoundCall::Found { events } = found else {
        panic!("{found:?}");
    };
    let outcome = Some(Outcome::Cancelled);
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].kind, CallEventKind::Ended { outcome });
    assert_eq!(cancel(&simulation).await, Cancellation::Over, "once more");
}

#[tokio::test]
async fn a_call_that_rings_ends_unanswered_also_if_nobody_was_told_yet_that_it_does() {
    let simulation = Simulation::new(willing());
    simulation.place(0).await.unwrap();
    // It is dialed and rings within four seconds, and is picked up later.
    simulation.clock.advance(TimeDelta::milliseconds(3_400));
    assert_eq!(cancel(&simulation).await, Cancellation::Over);
    let ledger = simulation.drain().await;
    assert_eq!(simulation.log().names(0), ["initiated", "ringing", "ended"]);
    assert_eq!(ledger.rings()[0].outcome, Some(Outcome::NoAnswer));
}

#[tokio::test]
async fn a_call_that_was_answered_goes_on() {
    let simulation = Simulation::new(willing());
    simulation.place(0).await.unwrap();
    while simulation.log().answered.is_empty() {
        simulation.run_for(1, 1).await;
    }
    assert_eq!(cancel(&simulation).await, Cancellation::GoesOn);
    let ledger = simulation.drain().await;
    assert_eq!(&*ledger.rings()[0].raw_status, "completed");
    assert!(simulation.log().turns.len() > 2);
}
