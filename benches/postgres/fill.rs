//! Fills the database with tasks that are due.
//!
//! One company with its campaign and one task is written by the store itself; SQL makes copies of
//! them, so that millions of tasks take minutes and lanes, counters and ready list are what the
//! store would have made of them. At the end they are counted.

use anyhow::{Context as _, ensure};
use chrono::{DateTime, TimeDelta, Utc};
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _};
use voicesurvey::campaign::Campaign;
use voicesurvey::company::Company;
use voicesurvey::id::{CampaignId, CompanyId};
use voicesurvey::pace::Pace;
use voicesurvey::ports::{PageRequest, Scope, Storage as _, TaskQueue as _};
use voicesurvey::testing::samples::{self, SampleCampaign as _};
use voicesurvey::time::{Clock as _, SystemClock};
use voicesurvey_postgres::{PostgresOptions, PostgresStorage};

/// What a database is filled with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Filling {
    pub(crate) tasks: u32,
    pub(crate) campaigns: u32,
    pub(crate) companies: u32,
    /// Calls in progress of each campaign.
    pub(crate) lines: u32,
    pub(crate) calls_per_minute: u32,
}

/// More than any bench can use.
const PLENTY: u32 = 10_000_000;

impl Filling {
    /// So many tasks in so many campaigns, ten of each company, with limits nobody comes near to.
    pub(crate) fn of(tasks: u32, campaigns: u32) -> Self {
        Self {
            tasks,
            campaigns,
            companies: campaigns.div_ceil(10),
            lines: PLENTY,
            calls_per_minute: PLENTY,
        }
    }
}

/// Opens the store.
pub(crate) async fn open(url: &str, connections: u32) -> anyhow::Result<PostgresStorage> {
    let options = PostgresOptions {
        max_connections: connections,
        ..PostgresOptions::default()
    };
    Ok(PostgresStorage::connect(url, &options).await?)
}

/// Set to leave the database as an earlier bench has left it.
const KEEP: &str = "VOICESURVEY_BENCH_KEEP";

/// Replaces everything in the database.
pub(crate) async fn fill(url: &str, filling: &Filling) -> anyhow::Result<()> {
    if std::env::var_os(KEEP).is_some() {
        return Ok(());
    }
    let store = open(url, 2).await?;
    if store.check().await.is_err() {
        store.migrate().await?;
    }
    let mut database = PgConnection::connect(url).await?;
    database
        .execute(
            "SELECT set_config('voicesurvey.scope', 'platform', false);
             TRUNCATE companies, provider_queue CASCADE;",
        )
        .await?;
    let now = SystemClock.now();
    write_originals(&store, filling, now).await?;
    let indexes = drop_indexes(&mut database).await?;
    let copy = include_str!("fill.sql")
        .replace(":companies", &filling.companies.to_string())
        .replace(":campaigns", &filling.campaigns.to_string())
        .replace(":tasks", &filling.tasks.to_string());
    database.execute(AssertSqlSafe(copy)).await?;
    for index in indexes {
        database.execute(AssertSqlSafe(index)).await?;
    }
    database.execute("VACUUM ANALYZE").await?;
    check(&mut database, filling).await?;
    store.close().await;
    Ok(())
}

/// The only campaign there is, and the ways to it.
pub(crate) struct CampaignOfBench {
    pub(crate) store: PostgresStorage,
    /// Sees the rows of all companies.
    pub(crate) database: PgConnection,
    pub(crate) company_id: CompanyId,
    pub(crate) campaign_id: CampaignId,
}

/// Replaces everything in the database by one campaign with so many tasks, and by what these statements
/// make of them. A blank line ends each, since some must not stand in a transaction with others.
pub(crate) async fn one_campaign(
    url: &str,
    tasks: u32,
    statements: &'static str,
) -> anyhow::Result<CampaignOfBench> {
    fill(url, &Filling::of(tasks, 1)).await?;
    let mut database = PgConnection::connect(url).await?;
    database
        .execute("SELECT set_config('voicesurvey.scope', 'platform', false)")
        .await?;
    for statement in statements.split(";\n\n") {
        database.execute(statement).await?;
    }
    let store = open(url, 4).await?;
    let mut work = store.begin(Scope::Platform).await?;
    let campaigns = work.campaigns().list(None, &PageRequest::first(1)).await?;
    let campaign = campaigns.rows.first().context("there is a campaign")?;
    let (company_id, campaign_id) = (campaign.company_id, campaign.id);
    drop(work);
    Ok(CampaignOfBench {
        store,
        database,
        company_id,
        campaign_id,
    })
}

/// Writes a company with a running campaign and one task.
async fn write_originals(
    store: &PostgresStorage,
    filling: &Filling,
    now: DateTime<Utc>,
) -> anyhow::Result<()> {
    let mut company = Company {
        created_at: now,
        ..samples::company()
    };
    company.limits.max_concurrent_calls = PLENTY;
    company.limits.calls_per_minute = PLENTY;
    let campaign = samples::campaign(&company)
        .with_lines(filling.lines)
        .with_pace(Pace::per_minute(filling.calls_per_minute));
    let campaign = Campaign {
        created_at: now,
        updated_at: now,
        ..campaign
    };
    let mut work = store.begin(Scope::Platform).await?;
    work.companies().insert(&company).await?;
    work.skillbases()
        .insert(&samples::skillbase(&company))
        .await?;
    work.campaigns().insert(&campaign).await?;
    work.campaigns()
        .update(&Campaign {
            started_at: Some(now),
            ..campaign.clone().running()
        })
        .await?;
    let mut task = samples::task(&campaign, "+393470000000").clone();
    task.state = voicesurvey::call_task::TaskState::Pending {
        due_at: now - TimeDelta::hours(1),
    };
    task.created_at = now;
    task.updated_at = now;
    work.call_tasks().insert_many(&[task]).await?;
    work.commit().await?;
    store
        .review_lanes(now, std::num::NonZeroU16::MAX)
        .await
        .context("the lane has a window")?;
    Ok(())
}

/// Drops the indexes of tasks that no constraint needs, and returns how to make them again: to sort
/// once is faster than to look for the place of every task.
async fn drop_indexes(database: &mut PgConnection) -> anyhow::Result<Vec<String>> {
    let indexes: Vec<(String, String)> = sqlx::query_as(
        "SELECT indexname::text, indexdef FROM pg_indexes
         WHERE schemaname = current_schema AND tablename = 'call_tasks' AND NOT EXISTS (
             SELECT FROM pg_constraint WHERE conname = indexname
         )",
    )
    .fetch_all(&mut *database)
    .await?;
    let mut make_again = Vec::new();
    for (name, definition) in indexes {
        database
            .execute(AssertSqlSafe(format!("DROP INDEX {name}")))
            .await?;
        make_again.push(definition);
    }
    Ok(make_again)
}

/// Fails unless lanes and counters equal the tasks.
async fn check(database: &mut PgConnection, filling: &Filling) -> anyhow::Result<()> {
    let counted: (i64, i64, i64, i64) = sqlx::query_as(
        "SELECT (SELECT count(*) FROM call_tasks WHERE claimable_since IS NOT NULL),
             (SELECT sum(claimable) FROM campaign_lanes)::bigint,
             (SELECT sum(count) FROM campaign_counters WHERE kind = 'task')::bigint,
             (SELECT count(*) FROM campaign_queue WHERE ready_at IS NOT NULL)",
    )
    .fetch_one(database)
    .await?;
    let tasks = i64::from(filling.tasks);
    let expected = (tasks, tasks, tasks, i64::from(filling.campaigns));
    ensure!(counted == expected, "{counted:?} is not {expected:?}");
    println!(
        "{} tasks in {} campaigns of {} companies",
        filling.tasks, filling.campaigns, filling.companies
    );
    Ok(())
}
