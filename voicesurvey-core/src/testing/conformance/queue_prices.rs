//! Prices that are to be asked for.

use chrono::TimeDelta;

use super::StorageUnderTest;
use super::support::{
    PROVIDER, at_most, begin, claim_all, commit, running_campaign, store_tasks, stored_attempt,
};
use crate::call_attempt::CallAttempt;
use crate::outcome::Outcome;
use crate::ports::AttemptKey;
use crate::testing::samples;
use crate::time::Timestamp;

fn after(seconds: i64) -> Timestamp {
    samples::now() + TimeDelta::seconds(seconds)
}

/// Prices are asked for when it is time, earliest first, each over its provider's lines.
pub async fn prices_are_found_when_they_are_to_be_asked_for(store: &dyn StorageUnderTest) {
    let (company, campaign) = running_campaign(store).await;
    store_tasks(store, &samples::tasks(&campaign, 1, 4)).await;
    let calls = claim_all(store, samples::now()).await;
    assert_eq!(store.next_price_at(PROVIDER).await.unwrap(), None);
    let due = [Some(after(60)), Some(after(30)), Some(after(600)), None];
    let mut work = begin(store, &company).await;
    let mut ended = Vec::new();
    for (call, price_due_at) in calls.iter().zip(due) {
        ended.push(CallAttempt {
            price_due_at,
            ..call.attempt.clone().ended(Outcome::NoAnswer, after(1))
        });
    }
    work.call_attempts().update(&ended[0]).await.unwrap();
    work.call_attempts().update_many(&ended[1..]).await.unwrap();
    commit(work).await;
    let stored = stored_attempt(store, ended[2].id).await;
    assert_eq!(stored.price_due_at, Some(after(600)));

    assert_eq!(
        store.next_price_at(PROVIDER).await.unwrap(),
        Some(after(30))
    );
    assert_eq!(store.next_price_at("another").await.unwrap(), None);
    let found = store.attempts_to_price(PROVIDER, after(29), at_most(9));
    assert_eq!(found.await.unwrap(), []);
    let found = store.attempts_to_price("another", after(999), at_most(9));
    assert_eq!(found.await.unwrap(), []);
    let key = |index: usize| AttemptKey {
        company_id: company.id,
        attempt_id: ended[index].id,
    };
    let found = store.attempts_to_price(PROVIDER, after(60), at_most(9));
    let expected = [key(1), key(0)];
    assert_eq!(found.await.unwrap(), expected);
    let found = store.attempts_to_price(PROVIDER, after(999), at_most(1));
    assert_eq!(found.await.unwrap(), expected[..1]);
}
