//! What the page of a campaign asks for, of one with many tasks and a month of calls.

use std::sync::Arc;
use std::time::Instant;

use anyhow::Context as _;
use chrono::TimeDelta;
use sqlx::postgres::PgConnection;
use sqlx::{Connection as _, Executor as _};
use voicesurvey::api_key::{Actor, Role};
use voicesurvey::id::ApiKeyId;
use voicesurvey::ports::{PageRequest, Scope, Storage as _};
use voicesurvey::service::Reports;
use voicesurvey::service::reports::CallPeriod;
use voicesurvey::time::{Clock as _, SystemClock};

use crate::fill::{self, Filling};
use crate::measure::Durations;

/// Times that are measured, and before them such that are not.
const TIMES: usize = 1_000;
const WARM_UP: usize = 20;

pub(crate) async fn run(url: &str, tasks: u32) -> anyhow::Result<()> {
    fill::fill(url, &Filling::of(tasks, 1)).await?;
    let mut database = PgConnection::connect(url).await?;
    database
        .execute("SELECT set_config('voicesurvey.scope', 'platform', false)")
        .await?;
    for statement in include_str!("stats.sql").split(";\n\n") {
        database.execute(statement).await?;
    }
    let store = fill::open(url, 4).await?;
    let mut work = store.begin(Scope::Platform).await?;
    let campaigns = work.campaigns().list(None, &PageRequest::first(1)).await?;
    let campaign = campaigns.rows.first().context("there is a campaign")?;
    let (company_id, campaign_id) = (campaign.company_id, campaign.id);
    drop(work);
    let actor = Actor {
        company_id,
        api_key_id: ApiKeyId::from_uuid(company_id.as_uuid()),
        role: Role::Viewer,
    };
    let reports = Reports::new(Arc::new(store));
    let zone = "Europe/Rome".parse()?;
    let mut durations = Durations::default();
    for time in 0..WARM_UP + TIMES {
        let now = SystemClock.now();
        let period = CallPeriod {
            zone,
            from: now - TimeDelta::days(31),
            hours_from: now - TimeDelta::days(2),
            to: now,
        };
        let start = Instant::now();
        reports.stats(&actor, campaign_id, period, now).await?;
        if time >= WARM_UP {
            durations.add(start.elapsed());
        }
    }
    println!("stats of a campaign of {tasks} tasks and a month of calls: {durations}");
    Ok(())
}
