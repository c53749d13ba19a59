//! How calls end, by themselves and by us.

use chrono::TimeDelta;

use super::{Calls, Scene, TelephonyUnderTest};
use crate::call_attempt::{CallEvent, CallEventKind};
use crate::outcome::Outcome;
use crate::ports::{CallReference, Cancellation};

fn ids(events: &[CallEvent]) -> Vec<&str> {
    events.iter().map(|event| event.event_id.as_str()).collect()
}

/// How a call ended, as far as is found.
async fn outcome<T: TelephonyUnderTest>(
    scene: &Scene<T>,
    call: &CallReference,
) -> Option<Option<Outcome>> {
    let mut events = scene.found(call).await.into_iter();
    events.find_map(|event| match event.kind {
        CallEventKind::Ended { outcome } => Some(outcome),
        _ => None,
    })
}

/// A host that heard nothing learns everything by asking, and can ask again without counting twice.
pub async fn how_a_call_ended_is_found_and_always_by_the_same_news<T: TelephonyUnderTest>() {
    let (scene, call) = Scene::<T>::called(Calls::Answered).await;
    scene.until_the_end().await;
    let found = scene.found(&call).await;
    let kinds: Vec<&str> = found.iter().map(|event| event.kind.name()).collect();
    assert!(
        kinds.contains(&"answered") && kinds.contains(&"ended"),
        "{kinds:?}"
    );
    let mut distinct = ids(&found);
    distinct.sort_unstable();
    distinct.dedup();
    assert_eq!(distinct.len(), found.len(), "{found:?}");
    let again = scene.found(&call).await;
    assert_eq!(ids(&again), ids(&found));
}

/// Busy is busy, and a telephone that rang in vain was not answered.
pub async fn a_call_that_ends_by_itself_says_why<T: TelephonyUnderTest>() {
    for (calls, expected) in [
        (Calls::Busy, Outcome::Busy),
        (Calls::NotAnswered, Outcome::NoAnswer),
    ] {
        let (scene, call) = Scene::<T>::called(calls).await;
        scene.until_the_end().await;
        let told = scene.host.log().events.pop().unwrap().kind;
        let outcome_told = Some(expected);
        let kind = CallEventKind::Ended {
            outcome: outcome_told,
        };
        assert_eq!(told, kind, "{calls:?}");
        assert_eq!(outcome(&scene, &call).await, Some(outcome_told));
    }
}

/// It is over, and whoever says so again is not told off.
pub async fn hanging_up_ends_a_call_once<T: TelephonyUnderTest>() {
    let (scene, call) = Scene::<T>::called(Calls::Answered).await;
    scene.until(|log| !log.answered.is_empty()).await;
    scene.provider().hang_up(&call).await.unwrap();
    scene.until_the_end().await;
    // What was said in it says how it ended.
    assert_eq!(outcome(&scene, &call).await, Some(None));
    scene.provider().hang_up(&call).await.unwrap();
    scene.under_test.clock().advance(TimeDelta::minutes(1));
    scene.under_test.deliver_due(&scene.host).await;
    let ended = |name: &&&str| **name == "ended";
    assert_eq!(scene.host.log().names().iter().filter(ended).count(), 1);
}

/// Nobody is dialed, which is found also if it is not told.
pub async fn a_call_that_waits_is_cancelled_before_anybody_is_dialed<T: TelephonyUnderTest>() {
    let (scene, call) = Scene::<T>::called(Calls::Waiting).await;
    for _ in 0..2 {
        let cancelled = scene.provider().cancel(&call).await.unwrap();
        assert_eq!(cancelled, Cancellation::Over);
        let cancelled = Some(Some(Outcome::Cancelled));
        assert_eq!(outcome(&scene, &call).await, cancelled);
    }
    scene.under_test.clock().advance(TimeDelta::days(2));
    scene.under_test.deliver_due(&scene.host).await;
    assert_eq!(scene.host.log().answered, []);
}

/// It was not answered.
pub async fn a_call_that_rings_is_cancelled<T: TelephonyUnderTest>() {
    let (scene, call) = Scene::<T>::called(Calls::NotAnswered).await;
    scene.until(|log| log.names().contains(&"ringing")).await;
    let cancelled = scene.provider().cancel(&call).await.unwrap();
    assert_eq!(cancelled, Cancellation::Over);
    scene.until_the_end().await;
    let not_answered = Some(Some(Outcome::NoAnswer));
    assert_eq!(outcome(&scene, &call).await, not_answered);
}

/// Whoever speaks already is not cut off.
pub async fn a_call_that_was_answered_is_not_cancelled<T: TelephonyUnderTest>() {
    let (scene, call) = Scene::<T>::called(Calls::Answered).await;
    scene.until(|log| !log.answered.is_empty()).await;
    let cancelled = scene.provider().cancel(&call).await.unwrap();
    assert_eq!(cancelled, Cancellation::GoesOn);
    scene.until(|log| !log.turns.is_empty()).await;
}

/// Where no webhook tells it, it is found within a day, and always the same.
pub async fn a_price_is_told_where_it_is_asked_for<T: TelephonyUnderTest>() {
    let (scene, call) = Scene::<T>::called(Calls::Answered).await;
    scene.until_the_end().await;
    scene.under_test.clock().advance(TimeDelta::days(1));
    let found = scene.found(&call).await;
    let prices = found.iter().filter_map(|event| match &event.kind {
        CallEventKind::Priced { cost } => Some(cost),
        _ => None,
    });
    let prices: Vec<_> = prices.collect();
    let expected = usize::from(scene.provider().prices_are_asked_for());
    assert_eq!(prices.len(), expected, "{found:?}");
    assert!(prices.iter().all(|cost| cost.amount.is_sign_positive()));
}
