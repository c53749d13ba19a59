//! What becomes of erased numbers that come again, or that stand elsewhere.

use std::collections::HashSet;

use super::StorageUnderTest;
use super::erasures::{erase, known_person};
use super::support::{begin, commit, running_campaign, store_tasks, stored_company, stored_task};
use crate::testing::samples;

/// A number that was erased comes onto no list of its company again.
pub async fn an_erased_number_is_put_onto_no_list(store: &dyn StorageUnderTest) {
    let (company, call, _) = known_person(store).await;
    let number = call.attempt.phone_number;
    let other = samples::phone_number(900);
    let mut work = begin(store, &company).await;
    let erasures = work.erasures();
    assert_eq!(erasures.count().await.unwrap(), 0);
    let among = erasures.among(&[other, number]).await.unwrap();
    assert_eq!(among, HashSet::new());
    drop(work);
    erase(store, &company, &call).await;
    let mut work = begin(store, &company).await;
    let erasures = work.erasures();
    erasures.hold_off().await.unwrap();
    assert_eq!(erasures.count().await.unwrap(), 1);
    let among = erasures.among(&[other, number]).await.unwrap();
    assert_eq!(among, HashSet::from([number]));
    let mut numbers = [other, number];
    numbers.sort_unstable();
    let entries = numbers.map(|number| samples::exclusion(&company, number));
    let exclusions = work.exclusions();
    let added = exclusions.insert_many(&entries).await.unwrap();
    assert_eq!(added, HashSet::from([other]));
    let erased = samples::exclusion(&company, number);
    assert!(!exclusions.insert(&erased).await.unwrap());
    assert_eq!(exclusions.get(&number).await.unwrap(), None);
    drop(work);
    let stranger = stored_company(store).await;
    let mut work = begin(store, &stranger).await;
    let theirs = samples::exclusion(&stranger, number);
    assert_eq!(work.erasures().count().await.unwrap(), 0);
    assert!(work.exclusions().insert(&theirs).await.unwrap());
}

/// A number that stands with another person is taken from there, and nothing else of theirs.
pub async fn a_further_number_is_taken_from_other_people(store: &dyn StorageUnderTest) {
    let (company, campaign) = running_campaign(store).await;
    let (_, neighbour) = running_campaign(store).await;
    let [number, other] = [900, 901].map(samples::phone_number);
    let with = |campaign, own, further: &str| {
        let mut task = samples::task(campaign, samples::phone_number(own).as_str());
        let extra = [("other_phone_numbers", further), ("note", "n.")];
        task.contact.extra = extra.map(|(k, v)| (k.to_owned(), v.to_owned())).into();
        task
    };
    let both = format!("{number}, {other}");
    let [alone, among, longer] = [
        with(&campaign, 1, number.as_str()),
        with(&campaign, 2, &both),
        with(&campaign, 3, &format!("{number}0")),
    ];
    let theirs = with(&neighbour, 4, number.as_str());
    let tasks = [alone, among, longer];
    store_tasks(store, &tasks).await;
    store_tasks(store, std::slice::from_ref(&theirs)).await;
    let mut work = begin(store, &company).await;
    let erasures = work.erasures();
    let now = samples::now();
    let found = erasures.forget_other_number(&number, now).await.unwrap();
    assert_eq!(found, [campaign.id; 2]);
    let found = erasures.forget_other_number(&number, now).await.unwrap();
    assert_eq!(found, []);
    commit(work).await;
    let further = [None, Some(other.to_string()), Some(format!("{number}0"))];
    for (task, further) in tasks.iter().zip(further) {
        let mut expected = task.contact.clone();
        expected.extra.remove("other_phone_numbers");
        let further = further.map(|further| ("other_phone_numbers".to_owned(), further));
        expected.extra.extend(further);
        assert_eq!(stored_task(store, task.id).await.contact, expected);
    }
    assert_eq!(stored_task(store, theirs.id).await, theirs);
}
