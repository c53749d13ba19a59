//! Rows are damaged behind the store's back, one way per check, and the audit finds exactly that.

use std::num::NonZeroU16;

use async_trait::async_trait;
use chrono::TimeDelta;
use sqlx::Executor as _;
use voicesurvey_core::audit::{Check, Election, LockTrial};
use voicesurvey_core::campaign::Pacing;
use voicesurvey_core::pace::Pace;
use voicesurvey_core::ports::{
    Audit as _, ClaimRequest, OtherProcess, Scope, Storage as _, StorageError, TaskQueue as _,
};
use voicesurvey_core::testing::samples::{self, SampleCampaign as _};
use voicesurvey_postgres::PostgresStorage;

use crate::support::{PostgresUnderTest, platform};

/// A store with one call in progress, one person who waits, and a provider account with limits.
async fn calling() -> PostgresUnderTest {
    let store = PostgresUnderTest::create().await;
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
    let mut connection = platform(&store).await;
    connection.execute(damage).await.unwrap();
    // A moment later, when the provider's pace has room again.
    let now = samples::now() + TimeDelta::seconds(1);
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
    constraints_that_are_missing: [(Check::Constraints, 3)] =>
        "DROP INDEX call_attempts_one_live_per_number;
         ALTER TABLE call_tasks DROP CONSTRAINT waiting_has_due_at;
         ALTER TABLE exclusions NO FORCE ROW LEVEL SECURITY";
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
         SELECT company_id, campaign_id,
             to_timestamp(floor(extract(epoch FROM created_at) / 900) * 900), 'outcome', '', 1
         FROM call_attempts
         UNION ALL
         SELECT company_id, campaign_id, 'epoch', 'number', '1', 1 FROM call_attempts;
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
        "UPDATE call_attempts SET lease_until = lease_until - INTERVAL '1 hour'";
    a_task_that_fell_due_long_ago: [(Check::OverdueTasks, 1)] =>
        "UPDATE call_tasks SET claimable_since = NULL, due_at = due_at - INTERVAL '1 hour'
         WHERE status = 'pending';
         UPDATE campaign_lanes SET claimable = 0";
    a_lane_that_was_to_be_reviewed_long_ago: [(Check::OverdueReviews, 1)] =>
        "UPDATE campaign_lanes
         SET review_at = (SELECT created_at FROM companies) - INTERVAL '1 hour'";
    people_who_could_be_called_and_are_not: [(Check::IdleLanes, 1)] =>
        "UPDATE campaigns SET updated_at = updated_at - INTERVAL '1 hour';
         UPDATE call_tasks SET due_at = due_at - INTERVAL '1 hour', claimable_since = claimable_since - INTERVAL '1 hour' WHERE status = 'pending';
         UPDATE campaign_lanes SET opens_at = opens_at - INTERVAL '1 hour';
         UPDATE company_queue SET arrival = arrival - INTERVAL '1 hour';
         UPDATE campaign_queue SET arrival = arrival - INTERVAL '1 hour'";
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
         SELECT company_id, phone_number, 'staff', created_at - INTERVAL '1 hour' FROM call_attempts";
    waiting_with_an_excluded_number: [(Check::ExcludedTasks, 1)] =>
        "INSERT INTO exclusions (company_id, phone_number, source, created_at)
         SELECT company_id, phone_number, 'staff', created_at FROM call_tasks
         WHERE status = 'pending'";
    miscounted_tasks: [(Check::TaskCounters, 1)] =>
        "UPDATE campaign_counters SET count = 7 WHERE name = 'pending'";
    miscounted_attempts: [(Check::AttemptCounters, 1)] =>
        "UPDATE campaign_counters SET count = 7 WHERE kind = 'attempt'";
    miscounted_costs: [(Check::CostCounters, 1)] =>
        "UPDATE call_attempts SET cost_amount = 0.01, cost_currency = 'EUR'";
    wrong_sums_of_calls: [(Check::CallRollups, 2)] =>
        "INSERT INTO call_rollups (company_id, campaign_id, quarter, kind, name, value)
         SELECT company_id, id, '2027-01-15T08:00:00Z', 'outcome', 'busy', 1 FROM campaigns
         UNION ALL
         SELECT company_id, id, TIMESTAMPTZ 'epoch', 'number', '7', 1 FROM campaigns";
    miscounted_lanes: [(Check::LaneCounters, 1)] =>
        "UPDATE campaign_lanes SET claimable = 5";
    lines_that_nobody_holds: [(Check::LinesInUse, 2)] =>
        "UPDATE company_queue SET in_flight = 5;
         UPDATE provider_queue SET in_flight = 0";
}

#[tokio::test]
async fn who_leads_is_told_while_somebody_does() {
    let store = PostgresUnderTest::create().await;
    assert_eq!(store.election().await.unwrap(), Election::NoLeader);
    let other = Other::Honest(&store);
    let works = store.try_locks(&other).await.unwrap();
    assert_eq!(works, LockTrial::Works);
    let clock = std::sync::Arc::new(voicesurvey_core::time::ManualClock::new(samples::now()));
    let mut candidate = store.candidate("the first", clock);
    assert!(candidate.round().await.unwrap());
    let expected = Election::Leader {
        server: "the first".to_owned(),
        since: Some(samples::now()),
        epoch: 1,
    };
    assert_eq!(store.election().await.unwrap(), expected);
    assert_eq!(
        store.try_locks(&other).await.unwrap(),
        LockTrial::Works,
        "also beside a leader"
    );
    assert_eq!(store.election().await.unwrap(), expected);
    candidate.resign().await;
    // The database frees the lock when it has noticed.
    for _ in 0..1_000 {
        if store.election().await.unwrap() == Election::NoLeader {
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("somebody who resigned still leads");
}

/// Another process, which asks the store or makes its answer up.
enum Other<'a> {
    Honest(&'a PostgresStorage),
    Always(bool),
}

#[async_trait]
impl OtherProcess for Other<'_> {
    async fn gets_lock(&self, lock: i32) -> Result<bool, StorageError> {
        match self {
            Self::Honest(store) => store.gets_lock(lock).await,
            Self::Always(answer) => Ok(*answer),
        }
    }
}

#[tokio::test]
async fn locks_that_keep_nobody_out_or_everybody_are_told_of() {
    let store = PostgresUnderTest::create().await;
    for (answer, expected) in [
        (true, "two processes held one lock at once"),
        (false, "a lock was not free after its holder had gone"),
    ] {
        let trial = store.try_locks(&Other::Always(answer)).await.unwrap();
        let what = expected.to_owned();
        assert_eq!(trial, LockTrial::Fails { what });
    }
}
