//! Events from the provider and for subscribers.

use super::StorageUnderTest;
use super::support::{
    all_pages, assert_conflict, begin, claim_all, commit, live_call, page_after, running_campaign,
    store_tasks, stored_company,
};
use crate::ports::PageRequest;
use crate::ports::repositories::OutboxEvent;
use crate::testing::samples;

/// An event that comes twice is new once, also after it was committed (I10).
pub async fn an_event_is_received_once(store: &dyn StorageUnderTest) {
    let (company, call) = live_call(store).await;
    let event = samples::call_event(&call.attempt, "ringing-1");
    let other = samples::call_event(&call.attempt, "ringing-2");
    let mut work = begin(store, &company).await;
    assert!(work.events().receive(&event, samples::now()).await.unwrap());
    assert!(!work.events().receive(&event, samples::now()).await.unwrap());
    commit(work).await;
    let mut work = begin(store, &company).await;
    assert!(!work.events().receive(&event, samples::now()).await.unwrap());
    assert!(work.events().receive(&other, samples::now()).await.unwrap());
    let mut received = work.events().received(call.attempt.id).await.unwrap();
    received.sort_by(|one, other| one.event_id.cmp(&other.event_id));
    assert_eq!(received, [event, other]);
    let of_another = work.events().received(samples::id()).await.unwrap();
    assert_eq!(of_another, []);
}

/// An event that was noted by a unit of work that came to nothing is new the next time.
pub async fn an_event_of_a_dropped_unit_of_work_is_new_again(store: &dyn StorageUnderTest) {
    let (company, call) = live_call(store).await;
    let event = samples::call_event(&call.attempt, "ringing-1");
    let mut work = begin(store, &company).await;
    assert!(work.events().receive(&event, samples::now()).await.unwrap());
    drop(work);
    let mut work = begin(store, &company).await;
    assert!(work.events().receive(&event, samples::now()).await.unwrap());
}

/// Events are told apart within one attempt only: providers count from one for every call.
pub async fn two_attempts_may_have_events_of_one_name(store: &dyn StorageUnderTest) {
    let (company, campaign) = running_campaign(store).await;
    store_tasks(store, &samples::tasks(&campaign, 1, 2)).await;
    let mut work_events = Vec::new();
    for call in claim_all(store, samples::now()).await {
        work_events.push(samples::call_event(&call.attempt, "1"));
    }
    let mut work = begin(store, &company).await;
    for event in &work_events {
        assert!(work.events().receive(event, samples::now()).await.unwrap());
    }
}

/// Of events that come together each is told whether it is new; of two that are the same the first
/// is.
pub async fn events_that_come_together_are_told_apart(store: &dyn StorageUnderTest) {
    let (company, campaign) = running_campaign(store).await;
    store_tasks(store, &samples::tasks(&campaign, 1, 2)).await;
    let calls = claim_all(store, samples::now()).await;
    let [one, other] = [&calls[0].attempt, &calls[1].attempt];
    let known = samples::call_event(one, "known");
    let mut work = begin(store, &company).await;
    assert!(work.events().receive(&known, samples::now()).await.unwrap());
    commit(work).await;
    let events = [
        samples::call_event(one, "1"),
        samples::call_event(other, "1"),
        known,
        samples::call_event(one, "1"),
        samples::call_event(one, "2 «è» {,}\""),
    ];
    let mut work = begin(store, &company).await;
    let news = work.events().receive_many(&events, samples::now()).await;
    assert_eq!(news.unwrap(), [true, true, false, false, true]);
    let none = work.events().receive_many(&[], samples::now()).await;
    assert_eq!(none.unwrap(), Vec::<bool>::new());
    commit(work).await;
    let mut work = begin(store, &company).await;
    let news = work.events().receive_many(&events, samples::now()).await;
    assert_eq!(news.unwrap(), [false; 5]);
}

/// What is published reads back in the order of its identifiers; pages neither skip nor repeat
/// under inserts.
pub async fn published_events_read_back_in_order(store: &dyn StorageUnderTest) {
    let company = stored_company(store).await;
    let body = serde_json::json!({"è": [1, 2.5, null, {"a\"b": false}], "n": 12_345_678_901_i64});
    let mut events: Vec<OutboxEvent> = (0..5).map(|_| samples::outbox_event(&company)).collect();
    events[1] = OutboxEvent {
        kind: "survey.refused".to_owned(),
        body,
        ..events[1].clone()
    };
    let mut work = begin(store, &company).await;
    for event in events[..4].iter().rev() {
        work.events().publish(event).await.unwrap();
    }
    let first = work
        .events()
        .published(&PageRequest::first(3))
        .await
        .unwrap();
    work.events().publish(&events[4]).await.unwrap();
    let rest = work
        .events()
        .published(&page_after(&first, 3))
        .await
        .unwrap();
    assert_eq!([first.rows, rest.rows].concat(), events);
    assert_eq!(all_pages!(2, |page| work.events().published(page)), events);
}

/// An identifier names one published event.
pub async fn an_event_cannot_be_published_twice(store: &dyn StorageUnderTest) {
    let company = stored_company(store).await;
    let event = samples::outbox_event(&company);
    let mut work = begin(store, &company).await;
    work.events().publish(&event).await.unwrap();
    assert_conflict(work.events().publish(&event).await);
}
