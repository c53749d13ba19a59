//! Claims, one after the other, and the same statement under pgbench.

use std::time::Instant;

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
        Ok(self.store.claim_due(&request).await?)
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
    let (durations, taken) = claimer.time_claims(claims).await?;
    println!(
        "claim of {BATCH}, {tasks} tasks, {campaigns} campaigns: {durations}, {} tasks each",
        taken / claims.max(1)
    );
    println!("  pgbench: {}", pgbench::claims(url, BATCH, claims)?);
    Ok(())
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
