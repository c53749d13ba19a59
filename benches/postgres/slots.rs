//! The loops of a server at its limits: how soon a line that is free is used again, and how much of
//! lines and pace is used while work is due.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use voicesurvey::call_attempt::{CallEvent, CallEventKind};
use voicesurvey::outcome::Outcome;
use voicesurvey::time::{Clock as _, SystemClock};

use crate::fill::{self, Filling};
use crate::measure::{Durations, resident_megabytes};
use crate::provider::Dial;
use crate::running::Running;

/// Enough that none of these measurements runs out of them.
const TASKS: u32 = 200_000;
/// Tasks beside which the memory of a server is told.
const MANY_TASKS: u32 = 1_000_000;
/// Dials under way at most, as the server has it by default.
const DIALS_AT_ONCE: u16 = 100;
/// Calls that end, one after the other.
const ENDS: usize = 1_000;
/// Between the next dial and the next end.
const PAUSE: Duration = Duration::from_millis(5);
/// No dial within this time is a failure.
const PATIENCE: Duration = Duration::from_secs(20);

/// The body that tells that a call was not answered.
fn ended(dial: &Dial) -> anyhow::Result<Vec<u8>> {
    Ok(serde_json::to_vec(&CallEvent {
        company_id: dial.order.company_id,
        attempt_id: dial.order.attempt_id,
        event_id: "ended".to_owned(),
        provider_call_id: None,
        kind: CallEventKind::Ended {
            outcome: Some(Outcome::NoAnswer),
        },
        at: SystemClock.now(),
        raw_status: None,
        error_code: None,
    })?)
}

async fn next_dial(running: &mut Running) -> anyhow::Result<Dial> {
    let dial = tokio::time::timeout(PATIENCE, running.dials.recv()).await;
    dial.context("nobody was dialed")?
        .context("the server runs")
}

async fn end(client: &reqwest::Client, url: &str, dial: &Dial) -> anyhow::Result<()> {
    let answer = client.post(url).body(ended(dial)?).send().await?;
    answer.error_for_status()?;
    Ok(())
}

/// One company whose one campaign has so many lines, all of them in use.
pub(crate) async fn run(url: &str, calls: u32) -> anyhow::Result<()> {
    let filling = Filling {
        lines: calls,
        ..Filling::of(MANY_TASKS, 1)
    };
    fill::fill(url, &filling).await?;
    let mut running = Running::start(url, DIALS_AT_ONCE).await?;
    let mut in_progress = VecDeque::new();
    for _ in 0..calls {
        in_progress.push_back(next_dial(&mut running).await?);
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    let client = reqwest::Client::builder().no_proxy().build()?;
    let url = running.events_url();
    let mut durations = Durations::default();
    for _ in 0..ENDS {
        let call = in_progress.pop_front().context("calls are in progress")?;
        let start = Instant::now();
        let (answered, next) = tokio::join!(end(&client, &url, &call), next_dial(&mut running));
        answered?;
        let next = next?;
        durations.add(next.at.saturating_duration_since(start));
        in_progress.push_back(next);
        tokio::time::sleep(PAUSE).await;
    }
    println!("end of a call to the next dial, {calls} calls in progress: {durations}");
    if let Some(megabytes) = resident_megabytes() {
        println!("  server and bench together, {MANY_TASKS} tasks: {megabytes} MB resident");
    }
    running.server.stop().await;
    Ok(())
}

/// Calls of two to six seconds on so many lines: the share of the lines that is in use.
pub(crate) async fn lines_in_use(url: &str, calls: u32, seconds: u32) -> anyhow::Result<()> {
    let filling = Filling {
        lines: calls,
        ..Filling::of(TASKS, 1)
    };
    fill::fill(url, &filling).await?;
    let mut running = Running::start(url, DIALS_AT_ONCE).await?;
    let client = reqwest::Client::builder().no_proxy().build()?;
    let url = running.events_url();
    let mut spans = Vec::new();
    let mut under_way = tokio::task::JoinSet::new();
    let mut first: Option<Instant> = None;
    loop {
        let dial = next_dial(&mut running).await?;
        let begin = *first.get_or_insert(dial.at);
        if dial.at > begin + Duration::from_secs((seconds + 10).into()) {
            break;
        }
        let length = Duration::from_millis(
            2_000 + u64::from(dial.order.attempt_id.as_uuid().as_bytes()[15]) * 4_000 / 256,
        );
        spans.push((dial.at, dial.at + length));
        let (client, url) = (client.clone(), url.clone());
        under_way.spawn(async move {
            tokio::time::sleep_until((dial.at + length).into()).await;
            end(&client, &url, &dial).await
        });
    }
    let begin = first.context("somebody was dialed")? + Duration::from_secs(10);
    let finish = begin + Duration::from_secs(seconds.into());
    let used: Duration = spans
        .iter()
        .map(|&(from, to)| to.min(finish).saturating_duration_since(from.max(begin)))
        .sum();
    let allowed = Duration::from_secs(seconds.into()) * calls;
    println!(
        "{calls} lines, calls of 4 s, {seconds} s: {:.1} % in use, {} calls",
        used.as_secs_f64() / allowed.as_secs_f64() * 100.0,
        spans.len()
    );
    running.server.stop().await;
    under_way.shutdown().await;
    Ok(())
}

/// As many lines as anybody wants: the share of the pace that is used, and the fullest minute.
pub(crate) async fn pace_in_use(url: &str, per_minute: u32, seconds: u32) -> anyhow::Result<()> {
    let filling = Filling {
        calls_per_minute: per_minute,
        ..Filling::of(TASKS, 1)
    };
    fill::fill(url, &filling).await?;
    let mut running = Running::start(url, DIALS_AT_ONCE).await?;
    let mut dials = Vec::new();
    let first = next_dial(&mut running).await?.at;
    dials.push(first);
    while let Some(last) = dials.last()
        && *last < first + Duration::from_secs(seconds.into())
    {
        dials.push(next_dial(&mut running).await?.at);
    }
    dials.sort_unstable();
    let minute = Duration::from_mins(1);
    let fullest = dials
        .iter()
        .enumerate()
        .map(|(place, from)| dials[place..].partition_point(|dial| *dial < *from + minute))
        .max()
        .unwrap_or_default();
    let count = u32::try_from(dials.len())?;
    let allowed = f64::from(per_minute) / 60.0 * f64::from(seconds);
    println!(
        "{per_minute} calls per minute, {seconds} s: {:.1} % used, {fullest} in the fullest minute",
        f64::from(count) / allowed * 100.0
    );
    running.server.stop().await;
    Ok(())
}
