//! Several servers at once: what a suite with one unit of work at a time cannot show.

use std::collections::HashSet;

use chrono::TimeDelta;
use voicesurvey_core::call_task::{CallBack, CallTask, OtherAttempts, TaskEvent};
use voicesurvey_core::campaign::Campaign;
use voicesurvey_core::company::Company;
use voicesurvey_core::outcome::Outcome;
use voicesurvey_core::ports::{
    Audit as _, ClaimRequest, ClaimedTask, Scope, Storage as _, StorageError, TaskQueue as _,
    UnitOfWork,
};
use voicesurvey_core::testing::samples::{self, SampleCampaign as _, SampleTask as _};
use voicesurvey_core::time::Timestamp;
use voicesurvey_postgres::PostgresStorage;

use crate::support::{PostgresUnderTest, platform, texts};

pub(crate) async fn store(
    store: &PostgresStorage,
    company: &Company,
    campaigns: &[(Campaign, Vec<CallTask>)],
) {
    let mut work = store.begin(Scope::Platform).await.unwrap();
    work.companies().insert(company).await.unwrap();
    work.skillbases()
        .insert(&samples::skillbase(company))
        .await
        .unwrap();
    for (campaign, tasks) in campaigns {
        work.campaigns().insert(campaign).await.unwrap();
        work.call_tasks().insert_many(tasks).await.unwrap();
    }
    work.commit().await.unwrap();
}

pub(crate) async fn claim(
    store: &PostgresStorage,
    now: Timestamp,
    at_most: usize,
) -> Vec<ClaimedTask> {
    let request = ClaimRequest {
        now,
        attempt_ids: (0..at_most).map(|_| samples::id()).collect(),
        provider: "simulated".to_owned(),
        dial_before: now + TimeDelta::seconds(5),
        lease_until: now + TimeDelta::minutes(10),
    };
    store
        .review_lanes(now, std::num::NonZeroU16::MAX)
        .await
        .unwrap();
    store.claim_due(&request).await.unwrap().tasks
}

/// Settles a claimed task as a call that nobody answered, in the order in which rows are locked.
pub(crate) async fn settle(store: &PostgresStorage, claimed: &ClaimedTask, now: Timestamp) {
    let mut work = store
        .begin(Scope::Company(claimed.task.company_id))
        .await
        .unwrap();
    let attempt = work
        .call_attempts()
        .get_for_update(claimed.attempt.id)
        .await
        .unwrap()
        .unwrap();
    let task = work
        .call_tasks()
        .get_for_update(claimed.task.id)
        .await
        .unwrap()
        .unwrap();
    let campaign = work
        .campaigns()
        .get(task.campaign_id)
        .await
        .unwrap()
        .unwrap();
    let settled = TaskEvent::Settled {
        attempt_id: attempt.id,
        attempt_number: attempt.number,
        outcome: Outcome::Refused,
        previous: None,
        others: OtherAttempts::default(),
        call_back: CallBack::NotAsked,
        policy: &campaign.settings.retry,
        schedule: &campaign.settings.schedule,
    };
    work.call_attempts()
        .update(&attempt.ended(Outcome::Refused, now))
        .await
        .unwrap();
    work.call_tasks()
        .update(&task.on(settled, now).unwrap())
        .await
        .unwrap();
    work.commit().await.unwrap();
}

/// Claims and settles until a claim finds nothing; returns what was claimed.
async fn work_off(store: PostgresStorage, now: Timestamp, at_most: usize) -> Vec<ClaimedTask> {
    let mut all = Vec::new();
    loop {
        let claimed = claim(&store, now, at_most).await;
        if claimed.is_empty() {
            return all;
        }
        for call in &claimed {
            settle(&store, call, now).await;
        }
        all.extend(claimed);
    }
}

pub(crate) async fn assert_everything_is_counted(database: &PostgresUnderTest) {
    let mut connection = platform(database).await;
    let counted = "SELECT 'counted' FROM campaign_counters WHERE count > 0 LIMIT 1";
    assert_eq!(texts(&mut connection, counted).await, ["counted"]);
    assert_eq!(database.audit(samples::now()).await.unwrap(), []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn servers_that_claim_and_settle_at_once_share_no_task_and_miscount_nothing() {
    let database = PostgresUnderTest::create().await;
    let mut all = 0;
    for _ in 0..3 {
        let company = samples::company();
        let campaigns: Vec<_> = (0..3)
            .map(|index| {
                let campaign = samples::campaign(&company).running();
                let tasks = samples::tasks(&campaign, index * 100, 40);
                (campaign, tasks)
            })
            .collect();
        store(&database, &company, &campaigns).await;
        all += 120;
    }
    let workers = (1..=4).map(|worker| {
        tokio::spawn(work_off(
            PostgresStorage::clone(&database),
            samples::now(),
            worker * 7,
        ))
    });
    let mut claimed = Vec::new();
    for worker in workers.collect::<Vec<_>>() {
        claimed.extend(worker.await.unwrap());
    }
    // A worker may have left while the others held the last tasks.
    claimed.extend(work_off(PostgresStorage::clone(&database), samples::now(), 50).await);
    let tasks: HashSet<_> = claimed.iter().map(|claimed| claimed.task.id).collect();
    assert_eq!((claimed.len(), tasks.len()), (all, all));
    assert_everything_is_counted(&database).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_lines_of_a_company_are_not_exceeded_by_servers_that_claim_at_once() {
    let database = PostgresUnderTest::create().await;
    let mut company = samples::company();
    company.limits.max_concurrent_calls = 7;
    let campaigns: Vec<_> = (0..3)
        .map(|index| {
            let campaign = samples::campaign(&company).running().with_lines(3);
            let tasks = samples::tasks(&campaign, index * 100, 20);
            (campaign, tasks)
        })
        .collect();
    store(&database, &company, &campaigns).await;
    let claims = (0..8).map(|_| {
        let store = PostgresStorage::clone(&database);
        tokio::spawn(async move { claim(&store, samples::now(), 5).await.len() })
    });
    let mut claimed = 0;
    for claim in claims.collect::<Vec<_>>() {
        claimed += claim.await.unwrap();
    }
    while let more @ 1.. = claim(&database, samples::now(), 5).await.len() {
        claimed += more;
    }
    assert_eq!(claimed, 7);
    assert_everything_is_counted(&database).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_in_two_campaigns_is_not_called_twice_at_once() {
    let database = PostgresUnderTest::create().await;
    let company = samples::company();
    let campaigns: Vec<_> = (0..2)
        .map(|_| {
            let campaign = samples::campaign(&company).running();
            let tasks = samples::tasks(&campaign, 1, 30);
            (campaign, tasks)
        })
        .collect();
    store(&database, &company, &campaigns).await;
    let claims = (0..6).map(|_| {
        let store = PostgresStorage::clone(&database);
        tokio::spawn(async move { claim(&store, samples::now(), 20).await })
    });
    let mut called = Vec::new();
    for claim in claims.collect::<Vec<_>>() {
        called.extend(claim.await.unwrap());
    }
    let numbers: HashSet<_> = called
        .iter()
        .map(|call| call.attempt.phone_number)
        .collect();
    assert_eq!(numbers.len(), called.len());
    assert!(!called.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pausing_and_resuming_gets_along_with_claims_and_settlements() {
    let database = PostgresUnderTest::create().await;
    let company = samples::company();
    let campaign = samples::campaign(&company).running();
    let tasks = samples::tasks(&campaign, 1, 100);
    let id = campaign.id;
    store(&database, &company, &[(campaign, tasks)]).await;
    let workers = (0..3).map(|_| {
        tokio::spawn(work_off(
            PostgresStorage::clone(&database),
            samples::now(),
            3,
        ))
    });
    let workers: Vec<_> = workers.collect();
    for round in 0..20 {
        let mut work = database.begin(Scope::Company(company.id)).await.unwrap();
        let campaign = work.campaigns().get_for_update(id).await.unwrap().unwrap();
        let changed = if round % 2 == 0 {
            campaign.paused()
        } else {
            campaign.running()
        };
        work.campaigns().update(&changed).await.unwrap();
        work.commit().await.unwrap();
    }
    let mut claimed = 0;
    for worker in workers {
        claimed += worker.await.unwrap().len();
    }
    claimed += work_off(PostgresStorage::clone(&database), samples::now(), 50)
        .await
        .len();
    assert_eq!(claimed, 100);
    assert_everything_is_counted(&database).await;
}

#[tokio::test]
async fn a_deleted_campaign_gives_its_lines_back() {
    let database = PostgresUnderTest::create().await;
    let company = samples::company();
    let campaigns: Vec<_> = (0..2)
        .map(|index| {
            let campaign = samples::campaign(&company).running();
            let tasks = samples::tasks(&campaign, index * 100, 5);
            (campaign, tasks)
        })
        .collect();
    store(&database, &company, &campaigns).await;
    assert_eq!(claim(&database, samples::now(), 10).await.len(), 10);
    let mut work = database.begin(Scope::Company(company.id)).await.unwrap();
    assert!(work.campaigns().delete(campaigns[0].0.id).await.unwrap());
    work.commit().await.unwrap();
    assert_everything_is_counted(&database).await;
}

#[tokio::test]
async fn two_units_of_work_that_wait_for_each_other_end_in_a_conflict() {
    let database = PostgresUnderTest::create().await;
    let company = samples::company();
    let campaigns = [(); 2].map(|()| (samples::campaign(&company), Vec::new()));
    let ids = [campaigns[0].0.id, campaigns[1].0.id];
    store(&database, &company, &campaigns).await;
    let lock = async |work: &mut Box<dyn UnitOfWork>, index: usize| {
        work.campaigns()
            .get_for_update(ids[index])
            .await
            .map(|campaign| campaign.is_some())
    };
    let mut first = database.begin(Scope::Company(company.id)).await.unwrap();
    let mut second = database.begin(Scope::Company(company.id)).await.unwrap();
    lock(&mut first, 0).await.unwrap();
    lock(&mut second, 1).await.unwrap();
    // The one that loses must let go for the other to win, so each is dropped when it is answered.
    let (first, second) = tokio::join!(async { lock(&mut { first }, 1).await }, async {
        lock(&mut { second }, 0).await
    },);
    let (won, lost) = if first.is_ok() {
        (first, second)
    } else {
        (second, first)
    };
    assert!(won.unwrap());
    assert!(
        matches!(lost, Err(StorageError::Conflict { .. })),
        "{lost:?}"
    );
}

#[tokio::test]
async fn a_unit_of_work_in_which_a_statement_failed_is_not_committed() {
    let database = PostgresUnderTest::create().await;
    let company = samples::company();
    let campaign = samples::campaign(&company);
    store(&database, &company, &[(campaign.clone(), Vec::new())]).await;
    let mut work = database.begin(Scope::Company(company.id)).await.unwrap();
    work.exclusions()
        .insert(&samples::exclusion(&company, samples::phone_number(1)))
        .await
        .unwrap();
    // The campaign of this task does not exist.
    let unknown = samples::campaign(&company);
    let refused = work
        .call_tasks()
        .insert_many(&samples::tasks(&unknown, 1, 1))
        .await;
    assert!(
        matches!(refused, Err(StorageError::Conflict { .. })),
        "{refused:?}"
    );
    assert!(work.commit().await.is_err());
    let mut work = database.begin(Scope::Company(company.id)).await.unwrap();
    assert_eq!(
        work.exclusions()
            .get(&samples::phone_number(1))
            .await
            .unwrap(),
        None
    );
}

#[tokio::test]
async fn a_long_list_is_added_and_promoted_in_batches() {
    let database = PostgresUnderTest::create().await;
    let company = samples::company();
    let campaign = samples::campaign(&company).running();
    let later = samples::now() + TimeDelta::hours(1);
    let tasks: Vec<_> = samples::tasks(&campaign, 1, 12_000)
        .into_iter()
        .map(|task| task.due_at(later))
        .collect();
    store(&database, &company, &[(campaign, tasks)]).await;
    assert_eq!(database.next_due_at().await.unwrap(), Some(later));
    let most = std::num::NonZeroU16::new(10_000).unwrap();
    assert_eq!(database.promote_due(later, most).await.unwrap(), 10_000);
    assert_eq!(database.promote_due(later, most).await.unwrap(), 2_000);
    assert_eq!(database.next_due_at().await.unwrap(), None);
    assert_eq!(claim(&database, later, 10).await.len(), 10);
    assert_everything_is_counted(&database).await;
}
