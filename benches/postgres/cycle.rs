//! The full cycle of a call but for the call: claimed, the dial recorded, the end settled. Through
//! the ports, as a dispatcher and the event inbox do it, many at a time.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use voicesurvey::call_attempt::{AttemptState, CallAttempt, CallEvent, CallEventKind, Leases};
use voicesurvey::id::{CompanyId, IdGenerator};
use voicesurvey::outcome::Outcome;
use voicesurvey::ports::{NoWakeUp, Scope, Storage as _};
use voicesurvey::service::CallEvents;
use voicesurvey::time::{Clock as _, SystemClock, Timestamp};

use crate::claim::Claimer;
use crate::fill::{self, Filling};
use crate::pgbench;

const TASKS: u32 = 1_000_000;
const CAMPAIGNS: u32 = 1_000;
const SECONDS: u32 = 8;
/// Samples, each beside one of pgbench.
const SAMPLES: u32 = 3;

pub(crate) async fn run(url: &str, workers: u32, batch: u32) -> anyhow::Result<()> {
    fill::fill(url, &Filling::of(TASKS, CAMPAIGNS)).await?;
    let batch = usize::try_from(batch)?;
    for _ in 0..SAMPLES {
        let cycles = measure(url, workers, batch).await?;
        println!("cycle, {workers} workers, claims of {batch}: {cycles:.0} tasks/s");
        println!(
            "  pgbench, cycles of {batch}: {}",
            pgbench::cycles(url, workers, batch, SECONDS)?
        );
    }
    Ok(())
}

/// Tasks per second.
async fn measure(url: &str, workers: u32, batch: usize) -> anyhow::Result<f64> {
    let claimer = Arc::new(Claimer::open(url, workers).await?);
    let done = Arc::new(AtomicU64::new(0));
    let start = Instant::now();
    let end = start + Duration::from_secs(SECONDS.into());
    let mut running = tokio::task::JoinSet::new();
    for _ in 0..workers {
        let (claimer, done) = (claimer.clone(), done.clone());
        running.spawn(async move {
            while Instant::now() < end {
                let settled = cycle(&claimer, batch).await?;
                done.fetch_add(settled, Ordering::Relaxed);
            }
            anyhow::Ok(())
        });
    }
    while let Some(worker) = running.join_next().await {
        worker??;
    }
    let done = u32::try_from(done.load(Ordering::Relaxed))?;
    Ok(f64::from(done) / start.elapsed().as_secs_f64())
}

/// Takes tasks through everything; returns how many.
async fn cycle(claimer: &Claimer, batch: usize) -> anyhow::Result<u64> {
    let claimed = claimer.claim(batch).await?;
    let mut companies: BTreeMap<CompanyId, Vec<CallAttempt>> = BTreeMap::new();
    let count = u64::try_from(claimed.len())?;
    for call in claimed {
        let attempts = companies.entry(call.attempt.company_id).or_default();
        attempts.push(call.attempt);
    }
    for (company_id, attempts) in &companies {
        record(claimer, *company_id, attempts).await?;
    }
    let events = CallEvents::new(
        Arc::new(claimer.store.clone()),
        Arc::new(SystemClock),
        Arc::new(IdGenerator::from_entropy(Arc::new(SystemClock))),
        Arc::new(NoWakeUp),
        Leases::default(),
    );
    let now = SystemClock.now();
    for (company_id, attempts) in &companies {
        let ended: Vec<CallEvent> = attempts.iter().map(|one| ended(one, now)).collect();
        events.receive_many(*company_id, &ended).await?;
    }
    Ok(count)
}

/// The provider took the calls.
async fn record(
    claimer: &Claimer,
    company_id: CompanyId,
    attempts: &[CallAttempt],
) -> anyhow::Result<()> {
    let now = SystemClock.now();
    let mut ids: Vec<_> = attempts.iter().map(|attempt| attempt.id).collect();
    ids.sort_unstable();
    let mut work = claimer.store.begin(Scope::Company(company_id)).await?;
    let mut attempts = work.call_attempts().get_many_for_update(&ids).await?;
    for attempt in &mut attempts {
        attempt.provider_call_id = Some(format!("CA{}", attempt.id));
        attempt.accepted_at = Some(now);
        attempt.state = attempt.state.max(AttemptState::Accepted);
        attempt.extend_lease(now, Leases::default());
    }
    work.call_attempts().update_many(&attempts).await?;
    work.commit().await?;
    Ok(())
}

/// Nobody picked up.
pub(crate) fn ended(attempt: &CallAttempt, at: Timestamp) -> CallEvent {
    CallEvent {
        company_id: attempt.company_id,
        attempt_id: attempt.id,
        event_id: "ended".to_owned(),
        provider_call_id: Some(format!("CA{}", attempt.id)),
        kind: CallEventKind::Ended {
            outcome: Some(Outcome::NoAnswer),
        },
        at,
        raw_status: Some("no-answer".to_owned()),
        error_code: None,
    }
}
