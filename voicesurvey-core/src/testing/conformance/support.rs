//! What the cases have in common: opening, filling and reading a store.

use std::num::NonZeroU16;

use chrono::TimeDelta;

use super::StorageUnderTest;
use crate::call_attempt::CallAttempt;
use crate::call_task::{CallBack, CallTask, OtherAttempts, TaskEvent};
use crate::campaign::Campaign;
use crate::company::Company;
use crate::id::{CallAttemptId, CallTaskId};
use crate::outcome::Outcome;
use crate::ports::{ClaimRequest, ClaimedTask, Page, PageRequest, Scope, StorageError, UnitOfWork};
use crate::testing::samples::{self, SampleCampaign};
use crate::time::Timestamp;

/// The provider that all claims are for.
pub(super) const PROVIDER: &str = "simulated";

/// Begins a unit of work of one company.
pub(super) async fn begin(store: &dyn StorageUnderTest, company: &Company) -> Box<dyn UnitOfWork> {
    begin_as(store, Scope::Company(company.id)).await
}

/// Begins a unit of work.
pub(super) async fn begin_as(store: &dyn StorageUnderTest, scope: Scope) -> Box<dyn UnitOfWork> {
    store.begin(scope).await.expect("a unit of work begins")
}

/// Commits.
pub(super) async fn commit(work: Box<dyn UnitOfWork>) {
    work.commit().await.expect("a unit of work commits");
}

/// Fails unless the store refused because of what it holds already.
#[expect(
    clippy::needless_pass_by_value,
    reason = "a call is asserted in one piece"
)]
#[track_caller]
pub(super) fn assert_conflict<T: std::fmt::Debug>(result: Result<T, StorageError>) {
    assert!(
        matches!(result, Err(StorageError::Conflict { .. })),
        "no conflict: {result:?}"
    );
}

/// A stored company with the skillbase that its campaigns name.
pub(super) async fn stored_company(store: &dyn StorageUnderTest) -> Company {
    store_company(store, samples::company()).await
}

/// Stores that company with the skillbase that its campaigns name.
pub(super) async fn store_company(store: &dyn StorageUnderTest, company: Company) -> Company {
    let mut work = begin_as(store, Scope::Platform).await;
    work.companies().insert(&company).await.unwrap();
    work.skillbases()
        .insert(&samples::skillbase(&company))
        .await
        .unwrap();
    commit(work).await;
    company
}

/// Stores that campaign as it is.
pub(super) async fn store_campaign(store: &dyn StorageUnderTest, campaign: Campaign) -> Campaign {
    let mut work = begin_as(store, Scope::Company(campaign.company_id)).await;
    work.campaigns().insert(&campaign).await.unwrap();
    commit(work).await;
    campaign
}

/// Stores that draft and starts it, as services do, and returns it as it is then.
pub(super) async fn run_campaign(store: &dyn StorageUnderTest, draft: Campaign) -> Campaign {
    let draft = store_campaign(store, draft).await;
    change_campaign(store, draft.running()).await
}

/// Writes a changed campaign back, and returns it as it is then.
pub(super) async fn change_campaign(store: &dyn StorageUnderTest, changed: Campaign) -> Campaign {
    let mut work = begin_as(store, Scope::Company(changed.company_id)).await;
    work.campaigns().update(&changed).await.unwrap();
    let stored = work
        .campaigns()
        .get(changed.id)
        .await
        .unwrap()
        .expect("the campaign exists");
    commit(work).await;
    stored
}

/// A company with a running campaign.
pub(super) async fn running_campaign(store: &dyn StorageUnderTest) -> (Company, Campaign) {
    let company = stored_company(store).await;
    let campaign = run_campaign(store, samples::campaign(&company)).await;
    (company, campaign)
}

/// Stores tasks of one campaign.
pub(super) async fn store_tasks(store: &dyn StorageUnderTest, tasks: &[CallTask]) {
    let mut work = begin_as(store, Scope::Company(tasks[0].company_id)).await;
    let added = work.call_tasks().insert_many(tasks).await.unwrap();
    assert_eq!(
        added.len(),
        tasks.len(),
        "every number is new to the campaign"
    );
    commit(work).await;
}

/// A stored task as it is now.
pub(super) async fn stored_task(store: &dyn StorageUnderTest, id: CallTaskId) -> CallTask {
    let mut work = begin_as(store, Scope::Platform).await;
    work.call_tasks()
        .get(id)
        .await
        .unwrap()
        .expect("the task exists")
}

/// A stored attempt as it is now.
pub(super) async fn stored_attempt(store: &dyn StorageUnderTest, id: CallAttemptId) -> CallAttempt {
    let mut work = begin_as(store, Scope::Platform).await;
    work.call_attempts()
        .get(id)
        .await
        .unwrap()
        .expect("the attempt exists")
}

/// Asks for up to `at_most` tasks at that instant, with a lease of ten minutes.
pub(super) fn claim_request(now: Timestamp, at_most: usize) -> ClaimRequest {
    ClaimRequest {
        now,
        attempt_ids: (0..at_most).map(|_| samples::id()).collect(),
        provider: PROVIDER.to_owned(),
        dial_before: now + TimeDelta::seconds(5),
        lease_until: now + TimeDelta::minutes(10),
    }
}

/// Looks which lanes are open, as a dispatcher does, and claims up to `at_most` tasks.
pub(super) async fn claim(
    store: &dyn StorageUnderTest,
    now: Timestamp,
    at_most: usize,
) -> Vec<ClaimedTask> {
    store.review_lanes(now, NonZeroU16::MAX).await.unwrap();
    store
        .claim_due(&claim_request(now, at_most))
        .await
        .expect("a claim succeeds")
        .tasks
}

/// Claims until nothing can be claimed any more at that instant.
pub(super) async fn claim_all(store: &dyn StorageUnderTest, now: Timestamp) -> Vec<ClaimedTask> {
    let mut all = Vec::new();
    loop {
        let claimed = claim(store, now, 50).await;
        if claimed.is_empty() {
            return all;
        }
        all.extend(claimed);
    }
}

/// A stored attempt of a stored task in a running campaign, live.
pub(super) async fn live_call(store: &dyn StorageUnderTest) -> (Company, ClaimedTask) {
    let (company, campaign) = running_campaign(store).await;
    store_tasks(store, &samples::tasks(&campaign, 1, 1)).await;
    let mut claimed = claim(store, samples::now(), 1).await;
    (company, claimed.pop().expect("the task is claimed"))
}

/// Ends the attempt and settles its task, as the engine does when a call is over.
pub(super) async fn settle(
    store: &dyn StorageUnderTest,
    claimed: &ClaimedTask,
    outcome: Outcome,
    now: Timestamp,
) {
    let mut work = begin_as(store, Scope::Company(claimed.task.company_id)).await;
    let attempt = work
        .call_attempts()
        .get_for_update(claimed.attempt.id)
        .await
        .unwrap()
        .expect("exists");
    let task = work
        .call_tasks()
        .get_for_update(claimed.task.id)
        .await
        .unwrap()
        .expect("exists");
    let campaign = work
        .campaigns()
        .get(task.campaign_id)
        .await
        .unwrap()
        .expect("exists");
    let settled = TaskEvent::Settled {
        attempt_id: attempt.id,
        attempt_number: attempt.number,
        outcome,
        previous: None,
        others: OtherAttempts::default(),
        call_back: CallBack::NotAsked,
        policy: &campaign.effective_settings().retry,
        schedule: &campaign.effective_settings().schedule,
    };
    let task = task
        .on(settled, now)
        .expect("the attempt is the task's latest");
    work.call_tasks().update(&task).await.unwrap();
    work.call_attempts()
        .update(&attempt.ended(outcome, now))
        .await
        .unwrap();
    commit(work).await;
}

/// A number of rows for the queue's lists.
pub(super) fn at_most(rows: u16) -> NonZeroU16 {
    NonZeroU16::new(rows).expect("more than none")
}

/// Follows a list to its end in pages of `$at_most` rows, and evaluates to all its rows.
macro_rules! all_pages {
    ($at_most:expr, |$page:ident| $list:expr) => {{
        let mut rows = Vec::new();
        let mut next = None;
        loop {
            let request = $crate::ports::PageRequest {
                after: next,
                at_most: $at_most,
            };
            let $page = &request;
            let page = $list.await.unwrap();
            assert!(
                page.rows.len() <= usize::from(request.at_most),
                "a page is no longer than asked"
            );
            rows.extend(page.rows);
            next = page.next;
            if next.is_none() {
                break rows;
            }
        }
    }};
}
pub(super) use all_pages;

/// The page after `page`.
pub(super) fn page_after<T>(page: &Page<T>, at_most: u16) -> PageRequest {
    PageRequest::after(page.next.clone().expect("there is a next page"), at_most)
}
