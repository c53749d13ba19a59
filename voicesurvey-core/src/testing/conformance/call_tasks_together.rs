//! Call tasks that are locked and changed together: as if it were done one by one.

use std::collections::BTreeMap;

use chrono::TimeDelta;

use super::StorageUnderTest;
use super::support::{
    assert_conflict, begin, begin_as, claim, commit, running_campaign, store_tasks, stored_task,
};
use crate::call_list::Contact;
use crate::call_task::{CallTask, TaskState, TaskStatus};
use crate::gate::Reason;
use crate::language::Language;
use crate::outcome::Outcome;
use crate::ports::Scope;
use crate::testing::samples::{self, SampleTask};

/// Tasks that are locked together come in the order in which they are named; those that do not exist
/// are left out.
pub async fn tasks_are_locked_in_the_order_named(store: &dyn StorageUnderTest) {
    let (company, campaign) = running_campaign(store).await;
    let mut expected = samples::tasks(&campaign, 1, 4);
    store_tasks(store, &expected).await;
    expected.swap(0, 2);
    let mut named: Vec<_> = expected.iter().map(|task| task.id).collect();
    named.insert(1, samples::id());
    for scope in [Scope::Company(company.id), Scope::Platform] {
        let mut work = begin_as(store, scope).await;
        let locked = work.call_tasks().get_many_for_update(&named).await;
        assert_eq!(locked.unwrap(), expected, "{scope:?}");
    }
}

/// Tasks changed together read back like tasks changed one by one, wait in their lanes, and are
/// counted.
pub async fn tasks_changed_together_read_back(store: &dyn StorageUnderTest) {
    let (company, campaign) = running_campaign(store).await;
    let added = samples::tasks(&campaign, 1, 4);
    store_tasks(store, &added).await;
    let due_at = samples::now() + TimeDelta::hours(1);
    let mut changed = added;
    changed[0].contact = Contact {
        name: "Ørjan, «Жанна» {O'Neil} \\ \"王\" 😀".to_owned(),
        language: Some(Language::Ru),
        time_zones: vec![
            "Europe/Rome".parse().unwrap(),
            "America/Nome".parse().unwrap(),
        ],
        priority: 7,
        extra: BTreeMap::from([("città".to_owned(), "Forlì".to_owned())]),
        ..changed[0].contact.clone()
    };
    changed[1] = CallTask {
        reason: Some(Reason::OutsideCallingHours),
        attempts_count: 1,
        attempts_spent: 1,
        last_attempt_at: Some(samples::now()),
        ..changed[1].clone().in_state(TaskState::Retry { due_at })
    };
    changed[2] = CallTask {
        outcome: Some(Outcome::Refused),
        ..changed[2].clone().in_state(TaskState::Refused)
    };
    let mut work = begin(store, &company).await;
    work.call_tasks().update_many(&changed).await.unwrap();
    work.call_tasks().update_many(&[]).await.unwrap();
    commit(work).await;
    for changed in changed {
        let version = changed.version + 1;
        assert_eq!(
            stored_task(store, changed.id).await,
            CallTask { version, ..changed }
        );
    }
    let mut work = begin(store, &company).await;
    let counters = work.campaigns().counters(campaign.id).await.unwrap();
    let expected = [
        (TaskStatus::Pending, 2),
        (TaskStatus::Retry, 1),
        (TaskStatus::Refused, 1),
    ];
    assert_eq!(counters.tasks, BTreeMap::from(expected));
    assert_eq!(
        counters.reasons,
        BTreeMap::from([(Reason::OutsideCallingHours, 1)])
    );
    let lanes = work.campaigns().lanes(campaign.id).await.unwrap();
    let claimable: Vec<u64> = lanes.iter().map(|lane| lane.claimable).collect();
    assert_eq!(claimable, [1, 1], "one has a lane of its own now");
    drop(work);
    assert_eq!(claim(store, samples::now(), 5).await.len(), 2);
}

/// Of tasks that are changed together one stale copy, or one that does not exist, is a conflict.
pub async fn one_stale_task_of_several_is_a_conflict(store: &dyn StorageUnderTest) {
    let (company, campaign) = running_campaign(store).await;
    let tasks = samples::tasks(&campaign, 1, 3);
    store_tasks(store, &tasks).await;
    let refused: Vec<CallTask> = tasks
        .into_iter()
        .map(|task| task.in_state(TaskState::Refused))
        .collect();
    let mut work = begin(store, &company).await;
    work.call_tasks().update(&refused[1]).await.unwrap();
    commit(work).await;
    let unknown = samples::task(&campaign, "+393471234567");
    for several in [&refused[..], &[refused[0].clone(), unknown]] {
        let mut work = begin(store, &company).await;
        assert_conflict(work.call_tasks().update_many(several).await);
    }
}
