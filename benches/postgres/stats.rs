//! What the page of a campaign asks for, of one with many tasks and a month of calls.

use std::sync::Arc;
use std::time::Instant;

use chrono::TimeDelta;
use voicesurvey::api_key::{Actor, Role};
use voicesurvey::id::ApiKeyId;
use voicesurvey::service::Reports;
use voicesurvey::service::reports::CallPeriod;
use voicesurvey::time::{Clock as _, SystemClock};

use crate::fill::{self, CampaignOfBench};
use crate::measure::Durations;

/// Times that are measured, and before them such that are not.
const TIMES: usize = 1_000;
const WARM_UP: usize = 20;

pub(crate) async fn run(url: &str, tasks: u32) -> anyhow::Result<()> {
    let CampaignOfBench {
        store,
        company_id,
        campaign_id,
        ..
    } = fill::one_campaign(url, tasks, include_str!("stats.sql")).await?;
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
