//! Claims, one after the other, and the same statement under pgbench.

use std::time::{Duration, Instant};

use chrono::TimeDelta;
use sqlx::postgres::PgConnection;
use sqlx::{Connection as _, Executor as _};
use voicesurvey::id::IdGenerator;
use voicesurvey::ports::{ClaimRequest, ClaimedTask, TaskQueue as _};
use voicesurvey::time::{Clock as _, SystemClock};
use voicesurvey_postgres::PostgresStorage;

use crate::fill::{self, Filling};
use crate::measure::Durations;
use crate::pgbench;

/// Tasks that one claim asks for.
const BATCH: usize = 50;
/// Claims whose plans and pages are cold.
const WARM_UP: usize = 20;

/// Claims with a store.
pub(crate) struct Claimer {
    pub(crate) store: PostgresStorage,
    pub(crate) ids: IdGenerator,
    pub(crate) provider: &'static str,
}

impl Claimer {
    pub(crate) async fn open(url: &str, connections: u32) -> anyhow::Result<Self> {
        Ok(Self {
            store: fill::open(url, connections).await?,
            ids: IdGenerator::from_entropy(std::sync::Arc::new(SystemClock)),
            provider: "bench",
        })
    }

    pub(crate) async fn claim(&self, at_most: usize) -> anyhow::Result<Vec<ClaimedTask>> {
        let now = SystemClock.now();
        let request = ClaimRequest {
            now,
            attempt_ids: (0..at_most).map(|_| self.ids.next()).collect(),
            provider: self.provider.to_owned(),
            dial_before: now + TimeDelta::seconds(30),
            lease_until: now + TimeDelta::minutes(30),
        };
        Ok(self.store.claim_due(&request).await?.tasks)
    }

    async fn time_claims(&self, claims: usize) -> anyhow::Result<(Durations, usize)> {
        let mut durations = Durations::default();
        let mut tasks = 0;
        for _ in 0..claims {
            let start = Instant::now();
            let claimed = self.claim(BATCH).await?;
            durations.add(start.elapsed());
            tasks += claimed.len();
        }
        Ok((durations, tasks))
    }
}

/// Claims that leave two thirds of the tasks.
fn claims_of(tasks: u32) -> usize {
    (usize::try_from(tasks).unwrap_or(usize::MAX) / BATCH / 3).min(500)
}

pub(crate) async fn run(url: &str, tasks: u32, campaigns: u32) -> anyhow::Result<()> {
    fill::fill(url, &Filling::of(tasks, campaigns)).await?;
    let claimer = Claimer::open(url, 1).await?;
    claimer.time_claims(WARM_UP).await?;
    let claims = claims_of(tasks);
    let before = processor_time(url).await?;
    let (durations, taken) = claimer.time_claims(claims).await?;
    let busy = processor_time(url).await?.saturating_sub(before);
    println!(
        "claim of {BATCH}, {tasks} tasks, {campaigns} campaigns: {durations}, {} tasks each, \
         {:.2} ms of processor time in PostgreSQL",
        taken / claims.max(1),
        busy.as_secs_f64() * 1_000.0 / f64::from(u32::try_from(claims)?.max(1))
    );
    println!("  pgbench: {}", pgbench::claims(url, BATCH, claims)?);
    Ok(())
}

/// What the store's one connection has cost PostgreSQL so far, on Linux: on a machine that others
/// use too it says more than durations. Zero where it cannot be told.
async fn processor_time(url: &str) -> anyhow::Result<Duration> {
    const TICK: Duration = Duration::from_millis(10);
    let mut database = PgConnection::connect(url).await?;
    let process: Option<i32> = sqlx::query_scalar(
        "SELECT pid FROM pg_stat_activity
         WHERE application_name = 'voicesurvey' AND datname = current_database() LIMIT 1",
    )
    .fetch_optional(&mut database)
    .await?;
    let Some(process) = process else {
        return Ok(Duration::ZERO);
    };
    let told = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    // After the name, which may contain anything, the 12th and 13th are user and system time.
    let fields = told.rsplit_once(") ").map_or("", |(_, rest)| rest);
    let ticks: u32 = fields
        .split(' ')
        .skip(11)
        .take(2)
        .filter_map(|ticks| ticks.parse::<u32>().ok())
        .sum();
    Ok(TICK * ticks)
}

/// Claims while somebody keeps reading an old snapshot, so that nothing that was claimed since can
/// be cleaned up.
pub(crate) async fn held(url: &str, tasks: u32, campaigns: u32) -> anyhow::Result<()> {
    fill::fill(url, &Filling::of(tasks, campaigns)).await?;
    let claimer = Claimer::open(url, 1).await?;
    claimer.time_claims(WARM_UP).await?;
    let (durations, _) = claimer.time_claims(200).await?;
    println!("claim of {BATCH} before: {durations}");
    let mut reader = PgConnection::connect(url).await?;
    reader
        .execute(
            "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT pg_current_xact_id();
             SELECT count(*) FROM leadership",
        )
        .await?;
    let mut claimed = 0;
    while claimed < usize::try_from(tasks)? * 3 / 4 {
        let (durations, taken) = claimer.time_claims(1_000).await?;
        claimed += taken;
        println!("  snapshot held for {claimed} tasks: {durations}");
        if taken == 0 {
            break;
        }
    }
    reader.execute("ROLLBACK").await?;
    Ok(())
}
