//! Exclusions.

use std::collections::HashSet;

use chrono::TimeDelta;

use super::StorageUnderTest;
use super::support::{all_pages, begin, live_call, page_after, stored_company};
use crate::exclusion::{Exclusion, ExclusionSource};
use crate::ports::PageRequest;
use crate::testing::samples;

/// An exclusion reads back, from every source, with and without a call that caused it.
pub async fn an_exclusion_reads_back_as_it_was_stored(store: &dyn StorageUnderTest) {
    let (company, call) = live_call(store).await;
    let mut work = begin(store, &company).await;
    for (source, index) in ExclusionSource::ALL.into_iter().zip(1..) {
        let exclusion = Exclusion {
            source,
            attempt_id: (source == ExclusionSource::Spoken).then_some(call.attempt.id),
            created_at: samples::now() + TimeDelta::microseconds(i64::from(index)),
            ..samples::exclusion(&company, samples::phone_number(index))
        };
        assert!(work.exclusions().insert(&exclusion).await.unwrap());
        let stored = work
            .exclusions()
            .get(&exclusion.phone_number)
            .await
            .unwrap();
        assert_eq!(stored, Some(exclusion));
    }
}

/// A number that is excluded already stays as it is.
pub async fn an_exclusion_is_not_overwritten(store: &dyn StorageUnderTest) {
    let company = stored_company(store).await;
    let first = samples::exclusion(&company, samples::phone_number(1));
    let second = Exclusion {
        source: ExclusionSource::Import,
        ..first.clone()
    };
    let mut work = begin(store, &company).await;
    assert!(work.exclusions().insert(&first).await.unwrap());
    assert!(!work.exclusions().insert(&second).await.unwrap());
    assert_eq!(
        work.exclusions().get(&first.phone_number).await.unwrap(),
        Some(first)
    );
}

/// Of many numbers those that are excluded are told, each once.
pub async fn excluded_numbers_are_found_among_many(store: &dyn StorageUnderTest) {
    let company = stored_company(store).await;
    let numbers: Vec<_> = (0..2_000).map(samples::phone_number).collect();
    let excluded = [numbers[3], numbers[1_999], samples::phone_number(5_000)];
    let mut work = begin(store, &company).await;
    for number in excluded {
        work.exclusions()
            .insert(&samples::exclusion(&company, number))
            .await
            .unwrap();
    }
    let given = [numbers.clone(), numbers].concat();
    let found = work.exclusions().among(&given).await.unwrap();
    assert_eq!(found, HashSet::from([excluded[0], excluded[1]]));
    assert_eq!(work.exclusions().among(&[]).await.unwrap(), HashSet::new());
}

/// An exclusion is removed once.
pub async fn an_exclusion_is_removed_once(store: &dyn StorageUnderTest) {
    let company = stored_company(store).await;
    let number = samples::phone_number(1);
    let mut work = begin(store, &company).await;
    work.exclusions()
        .insert(&samples::exclusion(&company, number))
        .await
        .unwrap();
    assert!(work.exclusions().delete(&number).await.unwrap());
    assert!(!work.exclusions().delete(&number).await.unwrap());
    assert_eq!(work.exclusions().get(&number).await.unwrap(), None);
}

/// Exclusions are listed in the order of their numbers, as text; pages neither skip nor repeat
/// under inserts.
pub async fn exclusions_are_listed_in_the_order_of_their_numbers(store: &dyn StorageUnderTest) {
    let company = stored_company(store).await;
    let numbers = [
        "+12025550123",
        "+390612345678",
        "+393470000001",
        "+7495123456",
        "+99812345678",
    ];
    let exclusions = numbers.map(|number| samples::exclusion(&company, number.parse().unwrap()));
    let mut work = begin(store, &company).await;
    for index in [3, 0, 4, 2] {
        work.exclusions().insert(&exclusions[index]).await.unwrap();
    }
    let first = work
        .exclusions()
        .list(&PageRequest::first(2))
        .await
        .unwrap();
    work.exclusions().insert(&exclusions[1]).await.unwrap();
    let second = work
        .exclusions()
        .list(&page_after(&first, 2))
        .await
        .unwrap();
    let both = [first.rows, second.rows].concat();
    assert_eq!(both, [0, 2, 3, 4].map(|index| exclusions[index].clone()));
    assert_eq!(
        all_pages!(2, |page| work.exclusions().list(page)),
        exclusions
    );
}
