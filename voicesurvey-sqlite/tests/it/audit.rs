//! Rows are damaged behind the store's back, one way per check, and the audit finds exactly that.

use std::num::NonZeroU16;
use std::time::Duration;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Executor as _};
use voicesurvey_core::audit::{Check, Election};
use voicesurvey_core::campaign::Pacing;
use voicesurvey_core::pace::Pace;
use voicesurvey_core::ports::{
    Audit as _, ClaimRequest, Scope, Storage as _, StorageError, TaskQueue as _,
};
use voicesurvey_core::testing::samples::{self, SampleCampaign as _};
use voicesurvey_sqlite::{OpenError, OpenMode, SqliteStorage};

use crate::file::{DatabaseFile, SqliteUnderTest};

/// A store with one call in progress, one person who waits, and a provider account with limits.
async fn calling() -> SqliteUnderTest {
    let store = SqliteUnderTest::create().await;
    let company = samples::company();
    let campaign = samples::campaign(&company).running();
    let mut work = store.begin(Scope::Platform).await.unwrap();
    work.companies().insert(&company).await.unwrap();
    let skillbase = samples::skillbase(&company);
    work.skillbases().insert(&skillbase).await.unwrap();
    work.campaigns().insert(&campaign).await.unwrap();
    let tasks = samples::tasks(&campaign, 1, 2);
    work.call_tasks().insert_many(&tasks).await.unwrap();
    work.commit().await.unwrap();
    let limits = Pacing {
        max_concurrent_calls: 9,
        pace: Pace::per_minute(6_000),
    };
    let limited = store.limit_provider("sample", Some(limits)).await;
    limited.unwrap();
    let now = samples::now();
    store.review_lanes(now, NonZeroU16::MAX).await.unwrap();
    let request = ClaimRequest {
        now,
        attempt_ids: vec![samples::id()],
        provider: "sample".to_owned(),
        dial_before: now,
        lease_until: now,
    };
    assert_eq!(store.claim_due(&request).await.unwrap().tasks.len(), 1);
    assert_eq!(store.audit(now).await.unwrap(), []);
    store
}

async fn assert_found(damage: &'static str, expected: &[(Check, u64)]) {
    let store = calling().await;
    let options = SqliteConnectOptions::new().filename(store.path());
    let mut connection = options.connect().await.unwrap();
    connection.execute(damage).await.unwrap();
    // A moment later, when the provider's pace has room again.
    let now = samples::now() + Duration::from_secs(1);
    let findings = store.audit(now).await.unwrap();
    let found: Vec<_> = findings
        .iter()
        .map(|finding| (finding.check, finding.rows))
        .collect();
    assert_eq!(found, expected, "{findings:#?}");
    assert!(findings.iter().all(|finding| !finding.examples.is_empty()));
}

macro_rules! damaged {
    ($($name:ident: $expected:expr => $damage:literal;)+) => {
        $(
            #[tokio::test]
            async fn $name() {
                assert_found($damage, &$expected).await;
            }
        )+
    };
}

damaged! {
    constraints_that_are_missing: [(Check::Constraints, 1)] =>
        "DROP INDEX call_attempts_one_live_per_number";
    attempts_that_are_missing: [(Check::AttemptNumbers, 1)] =>
        "UPDATE call_tasks SET attempts_count = 2 WHERE status = 'in_progress'";
    a_number_that_is_called_twice_at_once: [(Check::Constraints, 1), (Check::LiveNumbers, 2)] =>
        "DROP INDEX call_attempts_one_live_per_number;
         INSERT INTO call_attempts (
             company_id, id, campaign_id, task_id, attempt_number, phone_number, provider, state,
             dial_before, lease_until, created_at, outcome, version
         )
         SELECT
             task.company_id, task.id, task.campaign_id, task.id, 1, attempt.phone_number, provider,
             state, dial_before, lease_until, attempt.created_at, 'busy', 1
         FROM call_attempts AS attempt JOIN call_tasks AS task ON task.status = 'pending';
         UPDATE call_tasks SET attempts_count = 1 WHERE status = 'pending';
         INSERT INTO campaign_counters (company_id, campaign_id, kind, name, count)
         SELECT company_id, id, 'outcome', 'busy', 1 FROM campaigns;
         UPDATE campaign_counters SET count = 2 WHERE kind = 'attempt';
         UPDATE company_queue SET in_flight = 2;
         UPDATE campaign_queue SET in_flight = 2;
         UPDATE provider_queue SET in_flight = 2";
    a_task_in_progress_whose_call_has_ended: [(Check::TasksInProgress, 1)] =>
        "UPDATE call_attempts SET state = 'ended', ended_at = created_at;
         INSERT INTO call_rollups (company_id, campaign_id, quarter, kind, name, value)
         SELECT company_id, campaign_id, created_at - created_at % 900000000, 'outcome', '', 1
         FROM call_attempts
         UNION ALL
         SELECT company_id, campaign_id, 0, 'number', '1', 1 FROM call_attempts;
         UPDATE campaign_counters SET name = 'ended' WHERE kind = 'attempt';
         UPDATE company_queue SET in_flight = 0;
         UPDATE campaign_queue SET in_flight = 0;
         UPDATE provider_queue SET in_flight = 0";
    a_live_call_without_its_task: [(Check::LiveAttempts, 1)] =>
        "UPDATE call_tasks SET status = 'not_reached', attempt_id = NULL
         WHERE status = 'in_progress';
         UPDATE campaign_counters SET name = 'not_reached'
         WHERE kind = 'task' AND name = 'in_progress'";
    a_lease_that_ran_out_long_ago: [(Check::ExpiredLeases, 1)] =>
        "UPDATE call_attempts SET lease_until = lease_until - 3600000000";
    a_task_that_fell_due_long_ago: [(Check::OverdueTasks, 1)] =>
        "UPDATE call_tasks SET claimable = 0, due_at = due_at - 3600000000
         WHERE status = 'pending';
         UPDATE campaign_lanes SET claimable = 0";
    a_lane_that_was_to_be_reviewed_long_ago: [(Check::OverdueReviews, 1)] =>
        "UPDATE campaign_lanes
         SET review_at = (SELECT created_at FROM companies) - 3600000000";
    people_who_could_be_called_and_are_not: [(Check::IdleLanes, 1)] =>
        "UPDATE campaigns SET updated_at = updated_at - 3600000000;
         UPDATE call_tasks SET due_at = due_at - 3600000000 WHERE status = 'pending';
         UPDATE campaign_lanes SET opens_at = opens_at - 3600000000;
         UPDATE company_queue SET arrival = arrival - 3600000000;
         UPDATE campaign_queue SET arrival = arrival - 3600000000";
    whoever_has_decided_and_waits: [(Check::DecidedTasks, 1)] =>
        "UPDATE call_tasks SET outcome = 'refused' WHERE status = 'pending'";
    waiting_after_an_opt_out: [(Check::OptedOutTasks, 1)] =>
        "INSERT INTO exclusions (company_id, phone_number, source, created_at)
         SELECT company_id, phone_number, 'spoken', created_at FROM call_tasks
         WHERE status = 'pending'";
    a_call_to_an_excluded_number: [(Check::CallsAfterExclusion, 1)] =>
        "UPDATE call_attempts SET state = 'accepted', accepted_at = created_at;
         UPDATE campaign_counters SET name = 'accepted' WHERE kind = 'attempt';
         INSERT INTO exclusions (company_id, phone_number, source, created_at)
         SELECT company_id, phone_number, 'staff', created_at - 3600000000 FROM call_attempts";
    waiting_with_an_excluded_number: [(Check::ExcludedTasks, 1)] =>
        "INSERT INTO exclusions (company_id, phone_number, source, created_at)
         SELECT company_id, phone_number, 'staff', created_at FROM call_tasks
         WHERE status = 'pending'";
    miscounted_tasks: [(Check::TaskCounters, 1)] =>
        "UPDATE campaign_counters SET count = 7 WHERE name = 'pending'";
    miscounted_attempts: [(Check::AttemptCounters, 1)] =>
        "UPDATE campaign_counters SET count = 7 WHERE kind = 'attempt'";
    miscounted_costs: [(Check::CostCounters, 1)] =>
        "UPDATE call_attempts SET cost_amount = '0.01', cost_currency = 'EUR'";
    wrong_sums_of_calls: [(Check::CallRollups, 2)] =>
        "INSERT INTO call_rollups (company_id, campaign_id, quarter, kind, name, value)
         SELECT company_id, id, 1800000000000000, 'outcome', 'busy', 1 FROM campaigns
         UNION ALL
         SELECT company_id, id, 0, 'number', '7', 1 FROM campaigns";
    miscounted_lanes: [(Check::LaneCounters, 1)] =>
        "UPDATE campaign_lanes SET claimable = 5";
    lines_that_nobody_holds: [(Check::LinesInUse, 2)] =>
        "UPDATE company_queue SET in_flight = 5;
         UPDATE provider_queue SET in_flight = 0";
}

#[tokio::test]
async fn whoever_looks_creates_and_migrates_nothing() {
    let file = DatabaseFile::new();
    let refused = SqliteStorage::open(&file.location(), OpenMode::Inspect).await;
    assert!(matches!(refused, Err(OpenError::Missing { .. })));
    assert!(!file.path().exists());

    std::fs::write(file.path(), "").unwrap();
    let store = SqliteStorage::open(&file.location(), OpenMode::Inspect).await;
    let store = store.unwrap();
    let refused = store.audit(samples::now()).await;
    assert!(matches!(refused, Err(StorageError::NotMigrated { .. })));
    store.close().await.unwrap();
    assert_eq!(std::fs::read(file.path()).unwrap(), b"");
}

#[tokio::test]
async fn whoever_looks_may_do_so_beside_a_server_and_changes_nothing() {
    let file = DatabaseFile::new();
    let server = file.serve().await;
    let store = SqliteStorage::open(&file.location(), OpenMode::Inspect).await;
    let store = store.unwrap();
    assert_eq!(store.audit(samples::now()).await.unwrap(), []);
    assert_eq!(store.election().await.unwrap(), Election::NotHeld);
    assert!(store.begin(Scope::Platform).await.is_err());
    store.close().await.unwrap();
    server.check().await.unwrap();
}
