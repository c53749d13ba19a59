//! A company with 10 tasks, alone and beside one with a million: when its last call starts.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use sqlx::postgres::PgConnection;
use sqlx::{Connection as _, Executor as _};
use voicesurvey::id::CompanyId;

use crate::fill::{self, Filling};
use crate::running::Running;

const SMALL: usize = 10;
const LARGE: u32 = 1_000_000;
/// What the claim can start for everybody in a minute, so that there is something to share.
const CALLS_PER_MINUTE: u32 = 60;

pub(crate) async fn run(url: &str) -> anyhow::Result<()> {
    // Once each: ten calls at that pace take ten seconds, beside which what else the machine does
    // is small.
    let alone = last_start(url, false).await?;
    let beside = last_start(url, true).await?;
    println!(
        "last of {SMALL} calls: alone after {:.2} s, beside {LARGE} tasks after {:.2} s, {:.2} times",
        alone.as_secs_f64(),
        beside.as_secs_f64(),
        beside.as_secs_f64() / alone.as_secs_f64()
    );
    Ok(())
}

/// How long after the start of the server the small company's last call starts. Its pace is what
/// makes it last: one call a second.
async fn last_start(url: &str, beside: bool) -> anyhow::Result<Duration> {
    let filling = Filling {
        companies: 2,
        calls_per_minute: CALLS_PER_MINUTE,
        ..Filling::of(LARGE, 2)
    };
    fill::fill(url, &filling).await?;
    let mut database = PgConnection::connect(url).await?;
    database
        .execute(include_str!("fairness.sql"))
        .await
        .context("the first company keeps ten tasks")?;
    if !beside {
        database
            .execute(
                "UPDATE company_queue SET ready_at = NULL, calling = false
                 WHERE company_id <> '01900000-0000-7000-8000-000000000000'",
            )
            .await?;
    }
    let small = CompanyId::from_uuid("01900000-0000-7000-8000-000000000000".parse()?);
    let mut running = Running::start(url, 100).await?;
    let start = Instant::now();
    let mut started = 0;
    let mut last = start;
    while started < SMALL {
        let dial = running.dials.recv().await.context("the server runs")?;
        if dial.order.company_id == small {
            started += 1;
            last = dial.at;
        }
    }
    running.server.stop().await;
    Ok(last - start)
}
