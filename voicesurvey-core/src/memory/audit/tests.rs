//! Rows are damaged behind the store's back, one way per check, and the audit finds exactly that.

use chrono::TimeDelta;

use super::*;
use crate::call_attempt::AttemptState;
use crate::call_rollup::{RolledUp, quarter_of};
use crate::call_task::{TaskState, TaskStatus};
use crate::memory::rows::{CostRow, Count, Counted, RollupRow};
use crate::money::Cost;
use crate::ports::repositories::CostCount;
use crate::ports::{ClaimRequest, ClaimedTask, Scope, Storage as _, TaskQueue as _};
use crate::testing::samples::{self, SampleCampaign as _};

/// A store with one call in progress and one person who waits.
struct Damaged {
    store: MemoryStorage,
    call: ClaimedTask,
    waiting: CallTask,
}

impl Damaged {
    async fn create() -> Self {
        Self::in_store(MemoryStorage::default()).await
    }

    async fn in_store(store: MemoryStorage) -> Self {
        let company = samples::company();
        let campaign = samples::campaign(&company).running();
        let tasks = samples::tasks(&campaign, 1, 2);
        let mut work = store.begin(Scope::Platform).await.unwrap();
        work.companies().insert(&company).await.unwrap();
        let skillbase = samples::skillbase(&company);
        work.skillbases().insert(&skillbase).await.unwrap();
        work.campaigns().insert(&campaign).await.unwrap();
        work.call_tasks().insert_many(&tasks).await.unwrap();
        work.commit().await.unwrap();
        let now = samples::now();
        store
            .review_lanes(now, std::num::NonZeroU16::MAX)
            .await
            .unwrap();
        let request = ClaimRequest {
            now,
            attempt_ids: vec![samples::id()],
            provider: "sample".to_owned(),
            dial_before: now,
            lease_until: now,
        };
        let call = store.claim_due(&request).await.unwrap().tasks.remove(0);
        assert_eq!(store.audit(now).await.unwrap(), []);
        let waiting = tasks.into_iter().find(|task| task.id != call.task.id);
        let waiting = waiting.unwrap();
        Self {
            store,
            call,
            waiting,
        }
    }

    /// What is found after rows were changed without their counts.
    async fn found(&self, change: impl FnOnce(&mut Transaction)) -> Vec<(Check, u64)> {
        let mut rows = self.store.transaction().await;
        change(&mut rows);
        rows.commit();
        let findings = self.store.audit(samples::now()).await.unwrap();
        let each = findings.iter();
        each.map(|finding| (finding.check, finding.rows)).collect()
    }

    fn task(&self, rows: &Transaction) -> TaskRow {
        rows.get::<TaskRow>(&self.waiting.id).unwrap().clone()
    }
}

#[tokio::test]
async fn attempts_that_are_missing_or_not_counted_are_found() {
    let damaged = Damaged::create().await;
    let found = damaged.found(|rows| {
        let mut row = rows.get::<TaskRow>(&damaged.call.task.id).unwrap().clone();
        row.task.attempts_count = 2;
        rows.put(row);
    });
    assert_eq!(found.await, [(Check::AttemptNumbers, 1)]);
}

#[tokio::test]
async fn a_number_that_is_called_twice_at_once_is_found() {
    let damaged = Damaged::create().await;
    let found = damaged.found(|rows| {
        let mut task = damaged.task(rows);
        let attempt = CallAttempt {
            id: samples::id(),
            task_id: task.task.id,
            outcome: Some(Outcome::Busy),
            ..damaged.call.attempt.clone()
        };
        task.task.attempts_count = 1;
        rows.put(task);
        rows.put(attempt);
    });
    let found = found.await;
    assert!(found.contains(&(Check::LiveNumbers, 2)), "{found:?}");
    let counts = [(Check::AttemptCounters, 2), (Check::LinesInUse, 2)];
    assert_eq!(found[1..], counts);
}

#[tokio::test]
async fn a_task_in_progress_whose_call_has_ended_is_found() {
    let damaged = Damaged::create().await;
    let found = damaged.found(|rows| {
        rows.release_line(&damaged.call.attempt);
        let ended = damaged
            .call
            .attempt
            .clone()
            .ended(Outcome::Busy, samples::now());
        rows.recount_attempt(Some(&damaged.call.attempt), &ended);
        rows.put(ended);
    });
    assert_eq!(found.await, [(Check::TasksInProgress, 1)]);
}

#[tokio::test]
async fn a_live_call_without_its_task_is_found() {
    let damaged = Damaged::create().await;
    let found = damaged.found(|rows| {
        let mut row = rows.get::<TaskRow>(&damaged.call.task.id).unwrap().clone();
        row.task.state = TaskState::NotReached;
        let (task, now) = (row.task, samples::now());
        rows.put_task(task, now);
    });
    assert_eq!(found.await, [(Check::LiveAttempts, 1)]);
}

#[tokio::test]
async fn whoever_has_decided_and_waits_is_found() {
    let damaged = Damaged::create().await;
    let found = damaged.found(|rows| {
        let mut row = damaged.task(rows);
        row.task.outcome = Some(Outcome::Refused);
        rows.put(row);
    });
    assert_eq!(found.await, [(Check::DecidedTasks, 1)]);
}

#[tokio::test]
async fn waiting_with_an_excluded_number_is_found_and_worse_after_an_opt_out() {
    for (source, check) in [
        (ExclusionSource::Spoken, Check::OptedOutTasks),
        (ExclusionSource::Staff, Check::ExcludedTasks),
    ] {
        let damaged = Damaged::create().await;
        let found = damaged.found(|rows| {
            let company_id = damaged.waiting.company_id;
            let phone_number = damaged.waiting.contact.phone_number;
            rows.put(Exclusion {
                company_id: Some(company_id),
                phone_number,
                source,
                attempt_id: None,
                note: None,
                created_by: None,
                created_at: samples::now(),
            });
        });
        assert_eq!(found.await, [(check, 1)]);
    }
}

#[tokio::test]
async fn a_call_to_an_excluded_number_is_found() {
    let damaged = Damaged::create().await;
    let found = damaged.found(|rows| {
        let attempt = CallAttempt {
            accepted_at: Some(samples::now()),
            ..damaged.call.attempt.clone()
        };
        rows.put(Exclusion {
            company_id: Some(attempt.company_id),
            phone_number: attempt.phone_number,
            source: ExclusionSource::Staff,
            attempt_id: None,
            note: None,
            created_by: None,
            created_at: samples::now() - TimeDelta::hours(1),
        });
        rows.put(attempt);
    });
    assert_eq!(found.await, [(Check::CallsAfterExclusion, 1)]);
}

#[tokio::test]
async fn every_count_that_is_wrong_is_found() {
    let damaged = Damaged::create().await;
    let campaign_id = damaged.waiting.campaign_id;
    let count = |counted, rows| Count {
        campaign_id,
        counted,
        rows,
    };
    let found = damaged.found(|rows| rows.put(count(Counted::Task(TaskStatus::Pending), 7)));
    assert_eq!(found.await, [(Check::TaskCounters, 1)]);
    let found = damaged.found(|rows| {
        rows.put(count(Counted::Task(TaskStatus::Pending), 1));
        rows.put(count(Counted::Attempt(AttemptState::Ringing), 1));
    });
    assert_eq!(found.await, [(Check::AttemptCounters, 1)]);
    let found = damaged.found(|rows| {
        rows.remove::<Count>((campaign_id, Counted::Attempt(AttemptState::Ringing)));
        let cost = Cost {
            amount: "0.01".parse().unwrap(),
            currency: "EUR".to_owned(),
        };
        rows.put(CostRow {
            campaign_id,
            currency: cost.currency.clone(),
            cost: CostCount::of(&cost),
        });
    });
    assert_eq!(found.await, [(Check::CostCounters, 1)]);
    let rollup = (
        campaign_id,
        quarter_of(samples::now()),
        RolledUp::TalkSeconds,
    );
    let found = damaged.found(|rows| {
        rows.remove::<CostRow>((campaign_id, "EUR".to_owned()));
        rows.put(RollupRow {
            key: rollup.clone(),
            value: 5,
        });
    });
    assert_eq!(found.await, [(Check::CallRollups, 1)]);
    let found = damaged.found(|rows| {
        rows.remove::<RollupRow>(rollup.clone());
        let mut lane = rows.lanes(campaign_id).next().unwrap().clone();
        lane.lane.claimable += 1;
        rows.put(lane);
    });
    assert_eq!(found.await, [(Check::LaneCounters, 1)]);
}

#[tokio::test]
async fn lines_that_nobody_holds_are_found() {
    let damaged = Damaged::create().await;
    let found = damaged.found(|rows| {
        let mut level = *rows
            .get::<CompanyLevel>(&damaged.waiting.company_id)
            .unwrap();
        level.level.in_flight = 5;
        rows.put(level);
    });
    assert_eq!(found.await, [(Check::LinesInUse, 1)]);
}

#[tokio::test]
async fn a_store_without_history_misses_none_of_it() {
    let damaged = Damaged::in_store(MemoryStorage::without_history()).await;
    let Damaged { store, call, .. } = &damaged;
    let mut work = store.begin(Scope::Platform).await.unwrap();
    let mut task = call.task.clone();
    task.state = TaskState::NotReached;
    work.call_tasks().update(&task).await.unwrap();
    let ended = call.attempt.clone().ended(Outcome::Busy, samples::now());
    work.call_attempts().update(&ended).await.unwrap();
    work.commit().await.unwrap();
    assert_eq!(store.audit(samples::now()).await.unwrap(), []);
}
