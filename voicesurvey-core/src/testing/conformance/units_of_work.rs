//! Units of work: all or nothing.

use super::StorageUnderTest;
use super::support::{
    assert_conflict, begin, begin_as, commit, live_call, store_campaign, stored_attempt,
    stored_company, stored_task,
};
use crate::call_task::TaskState;
use crate::ports::Scope;
use crate::testing::samples::{self, SampleTask};

/// A unit of work that is dropped leaves nothing behind.
pub async fn a_dropped_unit_of_work_leaves_nothing_behind(store: &dyn StorageUnderTest) {
    let (company, call) = live_call(store).await;
    let campaign = samples::campaign(&company);
    let exclusion = samples::exclusion(&company, samples::phone_number(9));

    let mut work = begin(store, &company).await;
    work.campaigns().insert(&campaign).await.unwrap();
    work.call_tasks()
        .insert_many(&samples::tasks(&campaign, 1, 3))
        .await
        .unwrap();
    work.exclusions().insert(&exclusion).await.unwrap();
    let excluded = call.task.clone().in_state(TaskState::Excluded);
    work.call_tasks().update(&excluded).await.unwrap();
    work.campaigns()
        .delete(call.task.campaign_id)
        .await
        .unwrap();
    drop(work);

    let mut work = begin(store, &company).await;
    assert_eq!(work.campaigns().get(campaign.id).await.unwrap(), None);
    assert_eq!(
        work.exclusions()
            .get(&exclusion.phone_number)
            .await
            .unwrap(),
        None
    );
    let counters = work
        .campaigns()
        .counters(call.task.campaign_id)
        .await
        .unwrap();
    assert_eq!((counters.total_tasks(), counters.live_attempts()), (1, 1));
    drop(work);
    assert_eq!(stored_task(store, call.task.id).await, call.task);
    assert_eq!(stored_attempt(store, call.attempt.id).await, call.attempt);
}

/// What was committed is seen by everyone who begins later.
pub async fn what_was_committed_is_seen_by_later_units_of_work(store: &dyn StorageUnderTest) {
    let company = stored_company(store).await;
    let campaign = store_campaign(store, samples::campaign(&company)).await;
    for scope in [Scope::Company(company.id), Scope::Platform] {
        let mut work = begin_as(store, scope).await;
        assert_eq!(
            work.campaigns().get(campaign.id).await.unwrap(),
            Some(campaign.clone())
        );
    }
}

/// A unit of work reads its own writes before they are committed.
pub async fn a_unit_of_work_sees_what_it_wrote_itself(store: &dyn StorageUnderTest) {
    let company = stored_company(store).await;
    let campaign = samples::campaign(&company);
    let tasks = samples::tasks(&campaign, 1, 2);
    let mut work = begin(store, &company).await;
    work.campaigns().insert(&campaign).await.unwrap();
    work.call_tasks().insert_many(&tasks).await.unwrap();
    assert_eq!(
        work.call_tasks().get(tasks[1].id).await.unwrap(),
        Some(tasks[1].clone())
    );
    let counters = work.campaigns().counters(campaign.id).await.unwrap();
    assert_eq!(counters.total_tasks(), 2);
}

/// A conflict concerns the unit of work that met it, not what others committed before.
pub async fn a_conflict_does_not_keep_earlier_work_of_others_from_being_seen(
    store: &dyn StorageUnderTest,
) {
    let company = stored_company(store).await;
    let campaign = store_campaign(store, samples::campaign(&company)).await;
    let mut work = begin(store, &company).await;
    assert_conflict(work.campaigns().insert(&campaign).await);
    drop(work);
    let mut work = begin(store, &company).await;
    assert_eq!(
        work.campaigns().get(campaign.id).await.unwrap(),
        Some(campaign)
    );
    commit(work).await;
}

/// A store whose schema is the one this program needs says so.
pub async fn a_migrated_store_checks_out(store: &dyn StorageUnderTest) {
    store.check().await.unwrap();
}
