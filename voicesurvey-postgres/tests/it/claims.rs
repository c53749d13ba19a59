//! The claim's one statement: never more than was asked for, exact limits, and nobody forgotten.

use std::num::NonZeroU16;

use chrono::TimeDelta;
use futures_util::future::join_all;
use sqlx::AssertSqlSafe;
use sqlx::postgres::PgConnection;
use voicesurvey_core::call_task::CallTask;
use voicesurvey_core::campaign::{Campaign, Pacing};
use voicesurvey_core::pace::Pace;
use voicesurvey_core::ports::{Scope, Storage as _, TaskQueue as _};
use voicesurvey_core::testing::samples::{self, SampleCampaign as _, SampleTask as _};
use voicesurvey_postgres::PostgresStorage;

use crate::concurrency::{assert_everything_is_counted, claim, settle, store};
use crate::support::{PostgresUnderTest, execute, platform, texts, waiters};

/// What the claim's unit of work sets, and the plan of F1 besides.
const BAD_PLANS: &str = "SET enable_seqscan = off; SET enable_bitmapscan = off;
    SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_hashagg = off;
    SET enable_material = off; SET enable_sort = off; SET jit = off";

/// A company with one running campaign and that many tasks that are due now. All of them may be
/// called at once.
async fn one_campaign(database: &PostgresUnderTest, count: u32) -> (Campaign, Vec<CallTask>) {
    const PER_MINUTE: u32 = 1_000_000;
    let mut company = samples::company();
    company.limits.calls_per_minute = PER_MINUTE;
    let campaign = samples::campaign(&company)
        .with_pace(Pace::per_minute(PER_MINUTE))
        .running();
    let tasks = samples::tasks(&campaign, 1, count);
    store(database, &company, &[(campaign.clone(), tasks.clone())]).await;
    (campaign, tasks)
}

async fn add_tasks(database: &PostgresUnderTest, tasks: &[CallTask]) {
    let company_id = tasks[0].company_id;
    let mut work = database.begin(Scope::Company(company_id)).await.unwrap();
    work.call_tasks().insert_many(tasks).await.unwrap();
    work.commit().await.unwrap();
}

/// Prepares the claim, as the store runs it.
async fn prepare_claim(connection: &mut PgConnection) {
    let claim = include_str!("../../src/sql/claim.sql");
    execute(connection, &format!("PREPARE claim AS {claim}")).await;
    execute(connection, "SET plan_cache_mode = force_generic_plan").await;
}

/// Executes the prepared claim at `now` for that many calls.
fn execute_claim(calls: usize) -> String {
    let ids: Vec<String> = (0..calls)
        .map(|_| samples::id::<uuid::Uuid>().to_string())
        .collect();
    let now = samples::now();
    let ids = ids.join(",");
    format!("EXECUTE claim ('{now}', '{{{ids}}}', 'simulated', '{now}', '{now}')")
}

/// Everybody in the first lanes of a campaign is being called by another campaign: whoever stands in
/// the lanes behind them is called.
#[tokio::test]
async fn people_who_are_being_called_do_not_hide_the_lanes_behind_them() {
    const BUSY: u32 = 30;
    let database = PostgresUnderTest::create().await;
    let company = samples::company();
    let first = samples::campaign(&company).running();
    let second = samples::campaign(&company).running();
    let busy = samples::tasks(&first, 1, BUSY);
    let campaigns = [(first, busy), (second.clone(), Vec::new())];
    store(&database, &company, &campaigns).await;
    let mut called = 0;
    while called < BUSY as usize {
        called += claim(&database, samples::now(), 10).await.len();
    }

    // One lane for each person, the free one in the last.
    let mut tasks = samples::tasks(&second, 1, BUSY + 1);
    for (task, priority) in tasks.iter_mut().rev().zip(0..) {
        task.contact.priority = priority;
    }
    add_tasks(&database, &tasks).await;
    let claimed = claim(&database, samples::now(), 10).await;
    assert_eq!(claimed.len(), 1);
    assert_eq!(claimed[0].task.id, tasks.last().unwrap().id);
}

/// F1: statistics of one row, 51 rows, and a plan that runs the inner statement once for each row
/// outside. The statement that everybody writes first takes all of them.
#[tokio::test]
async fn a_bad_plan_takes_no_more_tasks_than_were_asked_for() {
    let database = PostgresUnderTest::create().await;
    let (_, tasks) = one_campaign(&database, 51).await;
    add_tasks_later(&database, &tasks).await;
    let mut connection = platform(&database).await;
    execute(&mut connection, BAD_PLANS).await;
    let naive = "WITH taken AS (
             UPDATE call_tasks SET claimable_since = NULL
             WHERE id IN (
                 SELECT id FROM call_tasks WHERE claimable_since IS NOT NULL
                 ORDER BY company_id, campaign_id, lane_id, claimable_since, id
                 LIMIT 1 FOR UPDATE SKIP LOCKED
             ) RETURNING id
         )
         SELECT count(*)::text FROM taken";
    execute(&mut connection, "BEGIN").await;
    assert_eq!(texts(&mut connection, naive).await, ["51"]);
    execute(&mut connection, "ROLLBACK").await;

    database
        .review_lanes(samples::now(), NonZeroU16::MAX)
        .await
        .unwrap();
    prepare_claim(&mut connection).await;
    for asked in [1, 7] {
        execute(&mut connection, "BEGIN").await;
        let rows = sqlx::raw_sql(AssertSqlSafe(execute_claim(asked)))
            .fetch_all(&mut connection)
            .await
            .unwrap();
        assert_eq!(rows.len(), asked);
        let marked = "SELECT count(*)::text FROM call_tasks WHERE status = 'in_progress'";
        assert_eq!(texts(&mut connection, marked).await, [asked.to_string()]);
        execute(&mut connection, "ROLLBACK").await;
    }
}

/// Statistics are taken while the first task alone is there.
async fn add_tasks_later(database: &PostgresUnderTest, tasks: &[CallTask]) {
    let mut connection = platform(database).await;
    let first = tasks[0].id;
    execute(
        &mut connection,
        &format!(
            "CREATE TEMPORARY TABLE rest AS SELECT * FROM call_tasks WHERE id <> '{first}';
             DELETE FROM call_tasks WHERE id <> '{first}'"
        ),
    )
    .await;
    execute(&mut connection, "VACUUM (FULL, ANALYZE) call_tasks").await;
    execute(
        &mut connection,
        "INSERT INTO call_tasks SELECT * FROM rest ORDER BY id",
    )
    .await;
}

/// Starts whatever it may until all workers find nothing, and checks the limits after each claim.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sixteen_servers_keep_the_limits_of_campaign_company_and_provider() {
    let database = PostgresUnderTest::create().await;
    let limits = Pacing {
        max_concurrent_calls: 8,
        pace: Pace::per_minute(60_000),
    };
    database
        .limit_provider("simulated", Some(limits))
        .await
        .unwrap();
    for round in 0..2 {
        let mut company = samples::company();
        company.limits.max_concurrent_calls = 7;
        let campaigns: Vec<_> = (0..3)
            .map(|index| {
                let campaign = samples::campaign(&company).running().with_lines(3);
                let tasks = samples::tasks(&campaign, 1_000 * round + 100 * index, 20);
                (campaign, tasks)
            })
            .collect();
        store(&database, &company, &campaigns).await;
    }
    let workers: Vec<_> = (0..16)
        .map(|_| {
            let store = PostgresStorage::clone(&database);
            let connection = platform(&database);
            async { work_under_limits(store, connection.await).await }
        })
        .collect();
    let mut claimed: usize = join_all(workers).await.into_iter().sum();
    // A worker may have left while the others held everything.
    while let calls @ 1.. =
        work_under_limits(PostgresStorage::clone(&database), platform(&database).await).await
    {
        claimed += calls;
    }
    assert_eq!(claimed, 120);
    assert_everything_is_counted(&database).await;
    let mut connection = platform(&database).await;
    let left = "SELECT sum(in_flight)::text FROM (
             SELECT in_flight FROM campaign_queue UNION ALL
             SELECT in_flight FROM company_queue UNION ALL
             SELECT in_flight FROM provider_queue
         ) AS level";
    assert_eq!(texts(&mut connection, left).await, ["0"]);
}

/// Live attempts above a limit, as one snapshot shows them.
const ABOVE_LIMITS: &str = "
    WITH live AS (
        SELECT company_id, campaign_id, count(*) AS calls
        FROM call_attempts WHERE state <> 'ended' GROUP BY 1, 2
    )
    SELECT 'campaign' FROM live WHERE calls > 3
    UNION ALL
    SELECT 'company' FROM live GROUP BY company_id HAVING sum(calls) > 7
    UNION ALL
    SELECT 'provider' FROM live HAVING sum(calls) > 8";

async fn work_under_limits(store: PostgresStorage, mut connection: PgConnection) -> usize {
    let now = samples::now();
    let mut all = 0;
    for _ in 0..200 {
        let claimed = claim(&store, now, 5).await;
        assert_eq!(
            texts(&mut connection, ABOVE_LIMITS).await,
            Vec::<String>::new()
        );
        if claimed.is_empty() {
            break;
        }
        all += claimed.len();
        for call in &claimed {
            settle(&store, call, now).await;
        }
    }
    all
}

/// How many index entries and table pages the claim's walk over the tasks touches.
async fn buffers_of_the_walk(connection: &mut PgConnection) -> u64 {
    execute(connection, "BEGIN").await;
    let explain = format!(
        "EXPLAIN (ANALYZE, BUFFERS, COSTS OFF, TIMING OFF) {}",
        execute_claim(10)
    );
    let plan = texts(connection, &explain).await;
    execute(connection, "ROLLBACK").await;
    let walk = plan
        .iter()
        .position(|line| line.contains("using call_tasks_claimable"))
        .unwrap();
    let buffers = plan[walk..].iter().find(|line| line.contains("Buffers:"));
    let touched = buffers
        .unwrap()
        .split_whitespace()
        .filter_map(|word| word.strip_prefix("hit=").or(word.strip_prefix("read=")));
    touched.map(|number| number.parse::<u64>().unwrap()).sum()
}

async fn claim_times(database: &PostgresUnderTest, times: usize) {
    for _ in 0..times {
        assert_eq!(claim(database, samples::now(), 10).await.len(), 10);
    }
}

/// A snapshot that somebody holds keeps what was claimed in the index. The watermark passes it over.
#[tokio::test]
async fn an_old_snapshot_does_not_make_claims_walk_further() {
    let database = PostgresUnderTest::create().await;
    one_campaign(&database, 2_000).await;
    let mut holder = platform(&database).await;
    execute(&mut holder, "BEGIN ISOLATION LEVEL REPEATABLE READ").await;
    texts(&mut holder, "SELECT count(*)::text FROM call_tasks").await;
    let mut connection = platform(&database).await;
    execute(&mut connection, BAD_PLANS).await;
    prepare_claim(&mut connection).await;
    claim_times(&database, 30).await;
    let before = buffers_of_the_walk(&mut connection).await;
    claim_times(&database, 80).await;
    let after = buffers_of_the_walk(&mut connection).await;
    assert!(
        after <= before + before / 2,
        "{before} before, {after} after"
    );
    // Without the watermark it would be plain to see.
    execute(
        &mut connection,
        "UPDATE campaign_lanes SET rescan_at = '-infinity'",
    )
    .await;
    let rescan = buffers_of_the_walk(&mut connection).await;
    assert!(rescan > 3 * before, "{before} before, {rescan} in a rescan");
}

/// A task that is put back with an early due time stands behind the watermark nevertheless.
#[tokio::test]
async fn a_task_that_falls_due_before_the_watermark_is_claimed_next() {
    let database = PostgresUnderTest::create().await;
    let (campaign, _) = one_campaign(&database, 30).await;
    assert_eq!(claim(&database, samples::now(), 10).await.len(), 10);
    let early: Vec<CallTask> = samples::tasks(&campaign, 1_000, 3)
        .into_iter()
        .map(|task| task.due_at(samples::now() - TimeDelta::hours(1)))
        .collect();
    add_tasks(&database, &early).await;
    let next = claim(&database, samples::now(), 10).await;
    let early_ones = next
        .iter()
        .filter(|claimed| early.iter().any(|task| task.id == claimed.task.id));
    assert_eq!(early_ones.count(), 3);
}

/// What stands below the watermark, because it was passed over, is found by the rescan while others are claimed.
#[tokio::test]
async fn a_task_below_the_watermark_is_found_within_a_minute() {
    let database = PostgresUnderTest::create().await;
    let (_, tasks) = one_campaign(&database, 300).await;
    let late = tasks[250].id;
    let now = samples::now();
    assert_eq!(claim(&database, now, 10).await.len(), 10);
    let mut connection = platform(&database).await;
    let hide = format!(
        "UPDATE call_tasks SET claimable_since = claimable_since - INTERVAL '1 hour'
         WHERE id = '{late}'"
    );
    execute(&mut connection, &hide).await;
    let mut found_at = None;
    for second in (0..100).step_by(5) {
        let now = now + TimeDelta::seconds(second);
        let claimed = claim(&database, now, 10).await;
        if claimed.iter().any(|claimed| claimed.task.id == late) {
            found_at = Some(second);
            break;
        }
    }
    assert_eq!(found_at, Some(60));
}

/// When nothing but tasks below the watermark is left, nobody waits for the minute.
#[tokio::test]
async fn the_last_tasks_are_found_below_the_watermark() {
    let database = PostgresUnderTest::create().await;
    let (_, tasks) = one_campaign(&database, 25).await;
    let now = samples::now();
    assert_eq!(claim(&database, now, 10).await.len(), 10);
    let mut connection = platform(&database).await;
    let hide = format!(
        "UPDATE call_tasks SET claimable_since = claimable_since - INTERVAL '1 hour'
         WHERE id = '{}'",
        tasks[20].id
    );
    execute(&mut connection, &hide).await;
    let mut claimed = 10;
    for second in 0..=20 {
        let now = now + TimeDelta::seconds(second);
        claimed += claim(&database, now, 10).await.len();
    }
    assert_eq!(claimed, 25);
}

/// A claim that had to wait looks at an old snapshot. What was added meanwhile is visited next all
/// the same.
#[tokio::test]
async fn tasks_that_are_added_while_a_claim_waits_are_not_forgotten() {
    let database = PostgresUnderTest::create().await;
    let company = samples::company();
    let busy = samples::campaign(&company).running();
    let idle = samples::campaign(&company).running();
    let tasks = samples::tasks(&busy, 1, 2);
    store(
        &database,
        &company,
        &[(busy, tasks), (idle.clone(), Vec::new())],
    )
    .await;
    let limits = Pacing {
        max_concurrent_calls: 100,
        pace: Pace::per_minute(60_000),
    };
    database
        .limit_provider("simulated", Some(limits))
        .await
        .unwrap();
    assert_eq!(claim(&database, samples::now(), 1).await.len(), 1);
    let mut holder = platform(&database).await;
    execute(
        &mut holder,
        "BEGIN; SELECT provider FROM provider_queue FOR UPDATE",
    )
    .await;
    let waiting = tokio::spawn({
        let store = PostgresStorage::clone(&database);
        async move { claim(&store, samples::now(), 5).await }
    });
    waiters(&mut platform(&database).await, 1).await;
    add_tasks(&database, &samples::tasks(&idle, 100, 3)).await;
    execute(&mut holder, "COMMIT").await;
    assert_eq!(waiting.await.unwrap().len(), 1);
    assert_eq!(
        database.next_ready_at("simulated").await.unwrap(),
        Some(samples::now())
    );
    assert_eq!(claim(&database, samples::now(), 5).await.len(), 3);
    assert_everything_is_counted(&database).await;
}

/// The calls of a provider count from the moment in which it is limited, also those that are claimed
/// or end at that moment.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_provider_that_is_limited_under_load_is_counted_exactly() {
    let database = PostgresUnderTest::create().await;
    one_campaign(&database, 200).await;
    let now = samples::now();
    let workers = (0..4).map(|_| {
        let store = PostgresStorage::clone(&database);
        tokio::spawn(async move {
            for _ in 0..10 {
                for call in claim(&store, now, 5).await.iter().skip(1) {
                    settle(&store, call, now).await;
                }
            }
        })
    });
    let workers: Vec<_> = workers.collect();
    for lines in 100..110 {
        let limits = Pacing {
            max_concurrent_calls: lines,
            pace: Pace::per_minute(60_000),
        };
        let limited = database.limit_provider("simulated", Some(limits)).await;
        limited.unwrap();
        assert_everything_is_counted(&database).await;
        if lines % 3 == 0 {
            database.limit_provider("simulated", None).await.unwrap();
        }
    }
    for worker in workers {
        worker.await.unwrap();
    }
    assert_everything_is_counted(&database).await;
}
