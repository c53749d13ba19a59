//! Events that come at once are all taken in, each once, whoever commits them.

use futures_util::FutureExt as _;
use futures_util::future::join_all;
use voicesurvey_core::call_attempt::{AttemptState, CallAttempt, CallEvent, CallEventKind};
use voicesurvey_core::outcome::Outcome;
use voicesurvey_core::service::EventInbox;
use voicesurvey_core::service::call_events::Receipt;
use voicesurvey_core::testing::samples;

use super::scripted::World;

async fn calls_in_progress(world: &World, people: u32) -> Vec<CallAttempt> {
    let campaign = samples::campaign(&world.company);
    let tasks = samples::tasks(&campaign, 1, people);
    world.start(&campaign, &tasks).await;
    world.step().await;
    let mut attempts = Vec::new();
    for task in &tasks {
        attempts.push(world.latest_attempt(task).await);
    }
    attempts
}

fn busy(attempt: &CallAttempt) -> CallEvent {
    CallEvent {
        company_id: attempt.company_id,
        attempt_id: attempt.id,
        event_id: "ended".to_owned(),
        provider_call_id: None,
        kind: CallEventKind::Ended {
            outcome: Some(Outcome::Busy),
        },
        at: attempt.created_at,
        raw_status: None,
        error_code: None,
    }
}

#[tokio::test]
async fn events_that_come_at_once_are_each_taken_in_once() {
    let world = World::new().await;
    let attempts = calls_in_progress(&world, 40).await;
    let inbox = EventInbox::new(world.call_events.clone());
    let events: Vec<CallEvent> = attempts.iter().map(busy).collect();
    let twice = events.iter().chain(&events);
    let receipts = join_all(twice.map(|event| inbox.receive(event))).await;
    let receipts: Vec<Receipt> = receipts.into_iter().map(Result::unwrap).collect();
    assert_eq!(receipts[..40], [Receipt::Applied; 40]);
    assert_eq!(receipts[40..], [Receipt::Repeated; 40]);
    for attempt in &attempts {
        assert_eq!(world.attempt(attempt.id).await.state, AttemptState::Ended);
    }
}

#[tokio::test]
async fn a_caller_that_gives_up_does_not_take_the_others_with_it() {
    let world = World::new().await;
    let attempts = calls_in_progress(&world, 3).await;
    let inbox = EventInbox::new(world.call_events.clone());
    let events: Vec<CallEvent> = attempts.iter().map(busy).collect();
    // As long as a unit of work is open elsewhere, the leader waits for the store.
    let open = world.work().await;
    let mut leader = Box::pin(inbox.receive(&events[0]));
    assert!(leader.as_mut().now_or_never().is_none());
    let mut others = Box::pin(join_all(
        events[1..].iter().map(|event| inbox.receive(event)),
    ));
    assert!(others.as_mut().now_or_never().is_none());
    drop(leader);
    drop(open);
    for receipt in others.await {
        assert_eq!(receipt.unwrap(), Receipt::Applied);
    }
    assert_eq!(inbox.receive(&events[0]).await.unwrap(), Receipt::Applied);
}

#[tokio::test]
async fn an_event_of_an_unknown_call_does_not_spoil_those_that_came_with_it() {
    let world = World::new().await;
    let attempts = calls_in_progress(&world, 2).await;
    let inbox = EventInbox::new(world.call_events.clone());
    let mut events: Vec<CallEvent> = attempts.iter().map(busy).collect();
    events[0].attempt_id = samples::id();
    let open = world.work().await;
    let mut receipts = Box::pin(join_all(events.iter().map(|event| inbox.receive(event))));
    assert!(receipts.as_mut().now_or_never().is_none());
    drop(open);
    let receipts: Vec<Receipt> = receipts.await.into_iter().map(Result::unwrap).collect();
    assert_eq!(receipts, [Receipt::UnknownAttempt, Receipt::Applied]);
}

#[tokio::test]
async fn a_caller_that_goes_when_its_turn_has_come_does_not_block_the_inbox() {
    let world = World::new().await;
    let attempts = calls_in_progress(&world, 3).await;
    let inbox = EventInbox::new(world.call_events.clone());
    let events: Vec<CallEvent> = attempts.iter().map(busy).collect();
    let open = world.work().await;
    let mut first = Box::pin(inbox.receive(&events[0]));
    assert!(first.as_mut().now_or_never().is_none());
    let mut second = Box::pin(inbox.receive(&events[1]));
    assert!(second.as_mut().now_or_never().is_none());
    drop(open);
    // The first is done and makes the second the leader, which goes before it learns of it.
    first.await.unwrap();
    drop(second);
    // Nobody holds the store, so whoever does not wait for another caller is done at once.
    let third = inbox.receive(&events[2]).now_or_never();
    assert_eq!(third.expect("nobody leads").unwrap(), Receipt::Applied);
}
