//! Query plans of the claim: no statement walks over the tasks, whatever the table holds.
//!
//! The plans are the generic ones, which know no values: the worst that a server may get.

use std::num::NonZeroU32;

use chrono::TimeDelta;
use sqlx::AssertSqlSafe;
use sqlx::postgres::PgConnection;
use voicesurvey_core::campaign::Budget;
use voicesurvey_core::money::Cost;
use voicesurvey_core::ports::{Scope, Storage as _};
use voicesurvey_core::testing::samples::{self, SampleCampaign as _, SampleTask as _};

use crate::concurrency::store;
use crate::support::{PostgresUnderTest, execute, platform, texts};

/// A company with a running campaign of which every second task is due.
async fn many_tasks(database: &PostgresUnderTest) -> PgConnection {
    let mut connection = without_statistics(database).await;
    sqlx::query("ANALYZE")
        .execute(&mut connection)
        .await
        .unwrap();
    connection
}

/// The same, of which the planner knows nothing yet.
async fn without_statistics(database: &PostgresUnderTest) -> PgConnection {
    let company = samples::company();
    let campaign = samples::campaign(&company).running();
    let tasks = samples::tasks(&campaign, 1, 20_000)
        .into_iter()
        .enumerate()
        .map(|(index, task)| {
            let later = TimeDelta::hours(i64::from(index % 2 == 1));
            task.due_at(samples::now() + later)
        });
    let mut work = database.begin(Scope::Platform).await.unwrap();
    work.companies().insert(&company).await.unwrap();
    work.skillbases()
        .insert(&samples::skillbase(&company))
        .await
        .unwrap();
    work.campaigns().insert(&campaign).await.unwrap();
    work.call_tasks()
        .insert_many(&tasks.collect::<Vec<_>>())
        .await
        .unwrap();
    work.commit().await.unwrap();
    let mut connection = database.connection().await;
    for prepare in [
        "SET voicesurvey.scope = 'platform'",
        "SET plan_cache_mode = force_generic_plan",
    ] {
        sqlx::query(prepare).execute(&mut connection).await.unwrap();
    }
    connection
}

/// The generic plan of a statement; its arguments do not matter to it.
async fn plan(connection: &mut PgConnection, sql: &str, arguments: &str) -> String {
    texts(connection, &format!("PREPARE planned AS {sql}")).await;
    let plan = texts(
        connection,
        &format!("EXPLAIN EXECUTE planned ({arguments})"),
    )
    .await;
    sqlx::query(AssertSqlSafe("DEALLOCATE planned"))
        .execute(connection)
        .await
        .unwrap();
    plan.join("\n")
}

/// The plan of the claim, generic, as its unit of work has it made.
async fn plan_of_the_claim(connection: &mut PgConnection) -> String {
    for setting in ["seqscan", "bitmapscan", "hashjoin", "mergejoin"] {
        let off = format!("SET enable_{setting} = off");
        sqlx::query(AssertSqlSafe(off))
            .execute(&mut *connection)
            .await
            .unwrap();
    }
    let sql = include_str!("../../src/sql/claim.sql");
    let now = "'2027-01-15T08:00:00Z'";
    let arguments = format!("{now}, '{{}}', 'simulated', {now}, {now}");
    plan(connection, sql, &arguments).await
}

/// The claim finds tasks in its index, in its order, and touches others by their keys only.
fn assert_the_claim_walks_over_nothing(plan: &str) {
    let lines: Vec<&str> = plan.lines().map(str::trim_start).collect();
    for (index, line) in lines.iter().enumerate() {
        for table in [
            "call_tasks",
            "call_attempts",
            "exclusions",
            "operator_exclusions",
            "campaigns",
        ] {
            let scans = line.contains(&format!(" on {table}")) && line.contains("Scan");
            let by_key = line.contains("Index") && lines[index + 1].contains("Index Cond");
            assert!(!scans || by_key, "{line}\n{plan}");
        }
    }
    // Lock, then limit, straight over the index: nothing is sorted.
    let walk = lines
        .iter()
        .position(|line| line.contains("Index Scan using call_tasks_claimable on call_tasks"))
        .unwrap_or_else(|| panic!("{plan}"));
    assert!(lines[walk - 1].contains("LockRows"), "{plan}");
    let ready = lines
        .iter()
        .position(|line| line.contains("Index Scan using company_queue_ready"));
    assert!(ready.is_some(), "{plan}");
}

#[tokio::test]
async fn a_claim_walks_over_nothing() {
    let database = PostgresUnderTest::create().await;
    let mut connection = many_tasks(&database).await;
    let plan = plan_of_the_claim(&mut connection).await;
    assert_the_claim_walks_over_nothing(&plan);
}

#[tokio::test]
async fn a_claim_walks_over_nothing_also_without_statistics() {
    let database = PostgresUnderTest::create().await;
    let mut connection = without_statistics(&database).await;
    let plan = plan_of_the_claim(&mut connection).await;
    assert_the_claim_walks_over_nothing(&plan);
}

#[tokio::test]
async fn promotion_finds_and_marks_tasks_by_index() {
    let database = PostgresUnderTest::create().await;
    let mut connection = many_tasks(&database).await;
    // This one is planned with its values each time.
    let sql = include_str!("../../src/sql/select_due.sql");
    let sql = sql
        .replace("$1", "'2027-01-15T08:00:00Z'")
        .replace("$2", "500");
    let select = texts(&mut connection, &format!("EXPLAIN {sql}"))
        .await
        .join("\n");
    assert!(
        select.contains("Index Scan using call_tasks_to_promote"),
        "{select}"
    );
    let sql = include_str!("../../src/sql/promote_tasks.sql");
    let arguments = "'{}', '{}', '2027-01-15T08:00:00Z'";
    let mark = plan(&mut connection, sql, arguments).await;
    assert!(!mark.contains("Seq Scan on call_tasks"), "{mark}");
}

#[tokio::test]
async fn the_next_due_time_is_the_first_of_an_index() {
    let database = PostgresUnderTest::create().await;
    let mut connection = many_tasks(&database).await;
    let sql = "EXPLAIN SELECT min(due_at) FROM call_tasks
               WHERE status IN ('pending', 'retry') AND claimable_since IS NULL";
    let plan = texts(&mut connection, sql).await.join("\n");
    assert!(plan.contains("using call_tasks_to_promote"), "{plan}");
}

/// Ten thousand campaigns with a budget, nine tenths of which have ended.
const MANY_CAMPAIGNS: &str = "
    INSERT INTO campaigns
    SELECT (jsonb_populate_record(campaign, CASE WHEN number % 10 = 0
        THEN jsonb_build_object('id', gen_random_uuid())
        ELSE jsonb_build_object(
            'id', gen_random_uuid(), 'status', 'completed', 'ended_at', updated_at
        )
    END)).*
    FROM campaigns AS campaign, generate_series(1, 10000) AS number;
    INSERT INTO campaign_queue
    SELECT (jsonb_populate_record(queue, jsonb_build_object('campaign_id', id))).*
    FROM campaign_queue AS queue, campaigns WHERE id <> campaign_id;
    INSERT INTO campaign_counters
    SELECT company_id, id, kind, counter.name, CASE WHEN status = 'running' THEN count ELSE 0 END
    FROM campaigns, (VALUES
        ('attempt', 'created', 0), ('attempt', 'answered', 0), ('attempt', 'ended', 12),
        ('cost_calls', 'EUR', 12), ('cost_millionths', 'EUR', 120000),
        ('outcome', 'busy', 3), ('outcome', 'completed', 4), ('outcome', 'no_answer', 5),
        ('task', 'completed', 4), ('task', 'in_progress', 0), ('task', 'pending', 8),
        ('task', 'retry', 5)
    ) AS counter (kind, name, count)";

#[tokio::test]
async fn the_scheduler_asks_campaigns_that_run_and_reads_their_counters_by_key() {
    let database = PostgresUnderTest::create().await;
    let company = samples::company();
    let mut campaign = samples::campaign(&company);
    let euros = |amount: i64| Cost {
        amount: amount.into(),
        currency: "EUR".to_owned(),
    };
    campaign.settings.budget = Some(Budget {
        limit: euros(100),
        estimate_per_call: euros(1).amount,
    });
    campaign.settings.target = NonZeroU32::new(9);
    let campaigns = [(campaign.running(), Vec::new())];
    store(&database, &company, &campaigns).await;
    let mut connection = platform(&database).await;
    execute(&mut connection, MANY_CAMPAIGNS).await;
    for statistics in ["none yet", "taken"] {
        for (sql, index) in [
            (
                include_str!("../../src/sql/campaigns_to_finish.sql"),
                "campaigns_to_finish",
            ),
            (
                include_str!("../../src/sql/campaigns_to_pause.sql"),
                "campaigns_with_budget",
            ),
            (
                include_str!("../../src/sql/campaigns_at_target.sql"),
                "campaigns_with_target",
            ),
            (
                include_str!("../../src/sql/campaigns_at_target.sql"),
                "campaigns_with_quotas",
            ),
        ] {
            // These are planned with their values each time.
            let sql = sql.replace("$1", "1000").replace("$2", "'{busy}'");
            let explain = format!("EXPLAIN {sql}");
            let plan = texts(&mut connection, &explain).await.join("\n");
            assert!(
                plan.contains("campaign_counters_pkey"),
                "{statistics}: {plan}"
            );
            assert!(plan.contains(index), "{statistics}: {plan}");
            assert!(!plan.contains("Seq Scan"), "{statistics}: {plan}");
            // Only where there is a budget all counters have to be summed up.
            let sums = plan.contains("Aggregate");
            assert_eq!(sums, index == "campaigns_with_budget", "{plan}");
        }
        execute(&mut connection, "ANALYZE").await;
    }
}
