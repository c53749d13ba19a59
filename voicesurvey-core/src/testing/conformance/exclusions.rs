//! Exclusions.

use std::collections::HashSet;

use chrono::TimeDelta;

use super::StorageUnderTest;
use super::support::{
    all_pages, begin, begin_as, commit, live_call, page_after, run_campaign, running_campaign,
    store_tasks, stored_company, stored_task,
};
use crate::audit::Check;
use crate::call_task::{TaskState, TaskStatus};
use crate::exclusion::{Exclusion, ExclusionSource};
use crate::gate::Reason;
use crate::ports::{ExclusionFilter, PageRequest, Scope};
use crate::testing::samples;

/// An exclusion reads back, from every source, with and without a call that caused it.
pub async fn an_exclusion_reads_back_as_it_was_stored(store: &dyn StorageUnderTest) {
    let (company, call) = live_call(store).await;
    let mut work = begin(store, &company).await;
    for (source, index) in ExclusionSource::ALL.into_iter().zip(1..) {
        let exclusion = Exclusion {
            source,
            attempt_id: (source == ExclusionSource::Spoken).then_some(call.attempt.id),
            note: (source == ExclusionSource::Api).then(|| "He wrote: \"не звоните\".".to_owned()),
            created_by: (source == ExclusionSource::Import).then(samples::id),
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
    let all = ExclusionFilter::default();
    let mut work = begin(store, &company).await;
    for index in [3, 0, 4, 2] {
        work.exclusions().insert(&exclusions[index]).await.unwrap();
    }
    let first = work
        .exclusions()
        .list(&all, &PageRequest::first(2))
        .await
        .unwrap();
    work.exclusions().insert(&exclusions[1]).await.unwrap();
    let second = work
        .exclusions()
        .list(&all, &page_after(&first, 2))
        .await
        .unwrap();
    let both = [first.rows, second.rows].concat();
    assert_eq!(both, [0, 2, 3, 4].map(|index| exclusions[index].clone()));
    assert_eq!(
        all_pages!(2, |page| work.exclusions().list(&all, page)),
        exclusions
    );
}

/// Of several numbers those are told that are new; the others stay as they are.
pub async fn numbers_are_excluded_together(store: &dyn StorageUnderTest) {
    let company = stored_company(store).await;
    let numbers: Vec<_> = (0..1_500).map(samples::phone_number).collect();
    let first = Exclusion {
        note: Some("the first".to_owned()),
        ..samples::exclusion(&company, numbers[7])
    };
    let mut work = begin(store, &company).await;
    work.exclusions().insert(&first).await.unwrap();
    let entries = numbers.iter();
    let entries: Vec<_> = entries
        .map(|number| samples::exclusion(&company, *number))
        .collect();
    let added = work.exclusions().insert_many(&entries).await.unwrap();
    assert_eq!(added.len(), 1_499);
    assert!(!added.contains(&numbers[7]) && added.contains(&numbers[8]));
    assert_eq!(
        work.exclusions().get(&numbers[7]).await.unwrap(),
        Some(first)
    );
    assert_eq!(work.exclusions().insert_many(&[]).await.unwrap().len(), 0);
    let operators = numbers[..3].iter();
    let operators: Vec<_> = operators
        .map(|number| samples::operators_exclusion(*number))
        .collect();
    commit(work).await;
    let mut work = begin_as(store, Scope::Platform).await;
    for expected in [3, 0] {
        let added = work.exclusions().insert_many(&operators).await.unwrap();
        assert_eq!(added.len(), expected);
    }
}

/// A list is searched by a part of the number and by the source.
pub async fn exclusions_are_searched(store: &dyn StorageUnderTest) {
    let company = stored_company(store).await;
    let mut work = begin(store, &company).await;
    let numbers = ["+390612345678", "+393471234567", "+74951234567"];
    let sources = [
        ExclusionSource::Import,
        ExclusionSource::Api,
        ExclusionSource::Import,
    ];
    for (number, source) in numbers.into_iter().zip(sources) {
        let exclusion = Exclusion {
            source,
            ..samples::exclusion(&company, number.parse().unwrap())
        };
        work.exclusions().insert(&exclusion).await.unwrap();
    }
    for (text, source, expected) in [
        (Some("1234567"), None, &numbers[..]),
        (Some("+39"), None, &numbers[..2]),
        (None, Some(ExclusionSource::Api), &numbers[1..2]),
        (Some("+7"), Some(ExclusionSource::Import), &numbers[2..]),
        (Some("%"), None, &[]),
        (Some("_"), None, &[]),
    ] {
        let filter = ExclusionFilter {
            text: text.map(str::to_owned),
            source,
        };
        let found = all_pages!(1, |page| work.exclusions().list(&filter, page));
        let found: Vec<_> = found.iter().map(|row| row.phone_number.as_str()).collect();
        assert_eq!(found, expected, "{filter:?}");
    }
}

/// What was taken off a list is kept with who did it and why, and told newest first.
pub async fn removals_are_kept_newest_first(store: &dyn StorageUnderTest) {
    let company = stored_company(store).await;
    let mut work = begin(store, &company).await;
    let mut removals = Vec::new();
    for index in 1..=5 {
        let exclusion = Exclusion {
            note: Some(format!("number {index}")),
            ..samples::exclusion(&company, samples::phone_number(index))
        };
        let removal = samples::exclusion_removal(&exclusion);
        work.exclusions().insert_removal(&removal).await.unwrap();
        removals.push(removal);
    }
    removals.reverse();
    let listed = all_pages!(2, |page| work.exclusions().removals(page));
    assert_eq!(listed, removals);
}

/// Excluding ends what waits with the numbers in all campaigns of the company, and counts it; calls
/// in progress and other people's tasks go on.
pub async fn excluding_ends_what_waits(store: &dyn StorageUnderTest) {
    let (company, call) = live_call(store).await;
    let campaign = run_campaign(store, samples::campaign(&company)).await;
    let (_, others) = running_campaign(store).await;
    let live = call.task.contact.phone_number;
    let mut tasks = samples::tasks(&campaign, 10, 4);
    tasks[1].state = TaskState::Retry {
        due_at: samples::now() + TimeDelta::hours(1),
    };
    tasks[1].reason = Some(Reason::WaitsForRetry);
    tasks[3].contact.phone_number = live;
    store_tasks(store, &tasks).await;
    let stranger = samples::tasks(&others, 10, 1).remove(0);
    store_tasks(store, std::slice::from_ref(&stranger)).await;

    let mut numbers: Vec<_> = [0, 1, 3]
        .map(|index: usize| tasks[index].contact.phone_number)
        .to_vec();
    numbers.push(samples::phone_number(900));
    numbers.sort_unstable();
    let at = samples::now() + TimeDelta::minutes(1);
    let mut work = begin(store, &company).await;
    let ended = work.call_tasks().exclude_waiting(&numbers, at).await;
    assert_eq!(ended.unwrap(), 3);
    let ringing = work.call_attempts().live_among(&numbers).await.unwrap();
    assert_eq!(ringing, [call.attempt]);
    let again = work.call_tasks().exclude_waiting(&numbers, at).await;
    assert_eq!(again.unwrap(), 0, "twice changes nothing");
    commit(work).await;
    for index in [0, 1, 3] {
        let task = stored_task(store, tasks[index].id).await;
        let barred = tasks[index].clone().barred(Reason::Excluded, at);
        assert_eq!((task.state, task.reason), (barred.state, barred.reason));
        assert_eq!((task.updated_at, task.version), (at, 2));
    }
    for (task, status) in [
        (&call.task, TaskStatus::InProgress),
        (&tasks[2], TaskStatus::Pending),
        (&stranger, TaskStatus::Pending),
    ] {
        let stored = stored_task(store, task.id).await;
        assert_eq!(stored.state.status(), status);
    }
    let mut work = begin(store, &company).await;
    let counters = work.campaigns().counters(campaign.id).await.unwrap();
    assert_eq!(counters.tasks_in(TaskStatus::Excluded), 3);
    assert_eq!(counters.reasons.get(&Reason::Excluded), Some(&3));
    assert_eq!(counters.reasons.get(&Reason::WaitsForRetry), None);
    drop(work);
    let counted = [Check::TaskCounters, Check::LaneCounters];
    let findings = store.audit(at).await.unwrap();
    assert!(
        !findings.iter().any(|found| counted.contains(&found.check)),
        "{findings:?}"
    );
}
