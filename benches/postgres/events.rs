//! Webhooks over HTTP: from the body that arrives to the answer, which comes after the commit.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::ensure;
use tokio::sync::Mutex;
use tokio::task::JoinSet;
use voicesurvey::call_attempt::{CallAttempt, CallEvent, CallEventKind};
use voicesurvey::time::{Clock as _, SystemClock};

use crate::claim::Claimer;
use crate::cycle::ended;
use crate::fill::{self, Filling};
use crate::measure::Durations;
use crate::running::Running;

/// Connections that the provider keeps open.
const CLIENTS: usize = 64;
/// Connections, plans and pages are cold in the first seconds, which are not counted.
const WARM_UP: Duration = Duration::from_secs(2);
/// Events of each call: it is dialed, rings, and ends unanswered.
const EVENTS_PER_CALL: u32 = 3;

pub(crate) async fn run(
    url: &str,
    per_second: u32,
    seconds: u32,
    companies: u32,
) -> anyhow::Result<()> {
    let events = per_second * seconds;
    let calls = usize::try_from(events / EVENTS_PER_CALL)?;
    let filling = Filling {
        companies,
        ..Filling::of(100_000, 1_000)
    };
    fill::fill(url, &filling).await?;
    let claimer = Claimer::open(url, 2).await?;
    let mut attempts = Vec::new();
    while attempts.len() < calls {
        let claimed = claimer.claim(200).await?;
        ensure!(!claimed.is_empty(), "there are tasks enough");
        attempts.extend(claimed.into_iter().map(|call| call.attempt));
    }
    attempts.truncate(calls);
    let running = Running::start(url, 0).await?;
    let requests = requests(&attempts, &running.events_url())?;
    let (durations, taken) = offer(requests, per_second).await?;
    println!(
        "{per_second} events/s offered to {companies} companies: {:.0}/s taken in; {durations}",
        f64::from(events) / taken.as_secs_f64()
    );
    running.server.stop().await;
    Ok(())
}

/// One webhook.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) url: String,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
}

/// Events in the order in which they are sent: the first news of every call, then the second, then
/// the last.
fn requests(attempts: &[CallAttempt], url: &str) -> anyhow::Result<Vec<Request>> {
    let now = SystemClock.now();
    let mut requests = Vec::new();
    for step in 0..EVENTS_PER_CALL {
        for attempt in attempts {
            let event = ended(attempt, now);
            let event = match step {
                0 => CallEvent {
                    event_id: "initiated".to_owned(),
                    kind: CallEventKind::Initiated,
                    ..event
                },
                1 => CallEvent {
                    event_id: "ringing".to_owned(),
                    kind: CallEventKind::Ringing,
                    ..event
                },
                _ => event,
            };
            requests.push(Request {
                url: url.to_owned(),
                headers: Vec::new(),
                body: serde_json::to_vec(&event)?,
            });
        }
    }
    Ok(requests)
}

/// Sends each request at its time; one that is late because all connections are busy counts from the
/// time at which it was due. Durations are those after the warm-up.
pub(crate) async fn offer(
    requests: Vec<Request>,
    per_second: u32,
) -> anyhow::Result<(Durations, Duration)> {
    let step = Duration::from_secs(1) / per_second;
    let start = Instant::now() + Duration::from_millis(200);
    let due = requests
        .into_iter()
        .zip(0_u32..)
        .map(|(request, place)| (start + step * place, request))
        .collect::<Vec<_>>();
    let waiting = Arc::new(Mutex::new(due.into_iter()));
    let client = reqwest::Client::builder()
        .no_proxy()
        .pool_max_idle_per_host(CLIENTS)
        .build()?;
    let mut clients = JoinSet::new();
    for _ in 0..CLIENTS {
        let (waiting, client) = (waiting.clone(), client.clone());
        clients.spawn(async move {
            let mut durations = Vec::new();
            loop {
                let next = waiting.lock().await.next();
                let Some((due, request)) = next else {
                    return anyhow::Ok(durations);
                };
                tokio::time::sleep_until(due.into()).await;
                let mut sent = client.post(&request.url).body(request.body);
                for (name, value) in request.headers {
                    sent = sent.header(name, value);
                }
                let answer = sent.send().await?;
                ensure!(answer.status().is_success(), "answered {}", answer.status());
                if due >= start + WARM_UP {
                    durations.push(due.elapsed());
                }
            }
        });
    }
    let mut durations = Durations::default();
    while let Some(client) = clients.join_next().await {
        for duration in client?? {
            durations.add(duration);
        }
    }
    Ok((durations, start.elapsed()))
}
