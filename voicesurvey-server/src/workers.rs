//! The loops of a server: they run the engine, and the simulated provider if there is one.
//!
//! The invariant: a loop ends only when it is told to, and then between two steps, never within
//! one. An error or a panic in a step is logged, and the step is tried again after a while.
//!
//! All waiting of the server is here. A loop wakes up when the bell rings, when the next instant
//! has come, and after a second at the latest, because a bell can be lost: other servers on the same
//! database have bells of their own.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::FutureExt as _;
use tokio::sync::watch;
use tokio::task::JoinSet;
use voicesurvey_core::ports::{StorageError, WakeUp, WebhookReply, WebhookRequest};
use voicesurvey_core::service::Engine;
use voicesurvey_core::service::webhooks::{WebhookFailure, Webhooks};
use voicesurvey_core::time::Timestamp;
use voicesurvey_simulator::{SimulatedProvider, WebhookSink};

use crate::scaled_clock::Pacer;

/// The longest a loop waits.
const POLL: Duration = Duration::from_secs(1);
/// The wait for an instant that has passed, doubled while such instants bring nothing.
const SHORTEST_WAIT: Duration = Duration::from_millis(5);
/// The wait after a failure, doubled with each in a row.
const FIRST_BACKOFF: Duration = Duration::from_millis(250);
/// The longest wait after a failure.
const LONGEST_BACKOFF: Duration = Duration::from_secs(15);

/// The bell of a server: every loop hears it, also if it rings while the loop is busy.
#[derive(Debug)]
pub struct Bell {
    rings: watch::Sender<()>,
}

impl Bell {
    /// A bell that nobody hears yet.
    pub fn new() -> Self {
        Self {
            rings: watch::Sender::new(()),
        }
    }
}

impl Default for Bell {
    fn default() -> Self {
        Self::new()
    }
}

impl WakeUp for Bell {
    fn wake(&self) {
        self.rings.send_replace(());
    }
}

/// The loops that run.
#[derive(Debug)]
pub struct Workers {
    stop: watch::Sender<bool>,
    loops: JoinSet<()>,
}

impl Workers {
    /// Starts the loops. `bell` must be the one that the engine rings.
    pub fn start(
        engine: &Engine,
        simulated: Option<Arc<SimulatedProvider>>,
        pacer: &Arc<dyn Pacer>,
        bell: &Bell,
    ) -> Self {
        let stop = watch::Sender::new(false);
        let signals = Signals {
            bell: bell.rings.subscribe(),
            stop: stop.subscribe(),
        };
        let mut loops = JoinSet::new();
        if let Some(provider) = simulated {
            let sink = Sink {
                webhooks: engine.webhooks().clone(),
                stop: stop.subscribe(),
            };
            loops.spawn(run_simulation(
                provider,
                sink,
                pacer.clone(),
                signals.clone(),
            ));
        }
        loops.spawn(run_engine(engine.clone(), pacer.clone(), signals));
        tracing::info!("Scheduler enabled");
        Self { stop, loops }
    }

    /// Tells the loops to stop, and waits until each has finished its step, but not longer than
    /// `patience`. What is cut off then is undone by the store and recovered later (I7).
    pub async fn stop(mut self, patience: Duration) {
        self.stop.send_replace(true);
        let finished = async { while self.loops.join_next().await.is_some() {} };
        if tokio::time::timeout(patience, finished).await.is_err() {
            tracing::warn!("a worker did not finish its step in time, and is cut off");
            self.loops.shutdown().await;
        }
    }
}

/// What a loop listens to.
#[derive(Clone)]
struct Signals {
    bell: watch::Receiver<()>,
    stop: watch::Receiver<bool>,
}

impl Signals {
    fn stopping(&self) -> bool {
        *self.stop.borrow()
    }

    /// Forgets earlier rings: what they were about is seen by the step that begins now.
    fn forget_rings(&mut self) {
        self.bell.mark_unchanged();
    }

    /// Waits for the bell, but not longer than `at_most`.
    async fn wait(&mut self, at_most: Duration) {
        tokio::select! {
            () = pause(at_most) => {}
            () = next_change(&mut self.bell) => {}
            () = next_change(&mut self.stop) => {}
        }
    }

    /// Waits, whether the bell rings or not.
    async fn wait_through(&mut self, time: Duration) {
        tokio::select! {
            () = pause(time) => {}
            () = next_change(&mut self.stop) => {}
        }
    }
}

/// When the other end is gone, nothing changes any more.
async fn next_change<T>(receiver: &mut watch::Receiver<T>) {
    if receiver.changed().await.is_err() {
        std::future::pending::<()>().await;
    }
}

#[expect(clippy::disallowed_methods, reason = "the loops that wait are here")]
async fn pause(time: Duration) {
    tokio::time::sleep(time).await;
}

async fn run_engine(engine: Engine, pacer: Arc<dyn Pacer>, mut signals: Signals) {
    let mut failures: u32 = 0;
    let mut overdue: u32 = 0;
    while !signals.stopping() {
        signals.forget_rings();
        match step(&engine).await {
            Ok(Step::Busy) => (failures, overdue) = (0, 0),
            Ok(Step::Quiet(next)) => {
                failures = 0;
                let wait = next.map_or(POLL, |next| pacer.until(next));
                overdue = if wait.is_zero() {
                    overdue.saturating_add(1)
                } else {
                    0
                };
                signals
                    .wait(wait.max(shortest_wait(overdue)).min(POLL))
                    .await;
            }
            Err(error) => {
                let again_in = backoff(failures);
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    ?again_in,
                    "a step of the engine failed"
                );
                failures = failures.saturating_add(1);
                signals.wait_through(again_in).await;
            }
        }
    }
}

/// What a step of the engine brought.
enum Step {
    /// Something was done, so there may be more.
    Busy,
    /// Nothing was due; something may be at that instant.
    Quiet(Option<Timestamp>),
}

/// Why a step failed.
#[derive(Debug, thiserror::Error)]
enum StepError {
    #[error(transparent)]
    Storage(#[from] StorageError),
    #[error("a bug: {0}")]
    Panic(String),
}

async fn step(engine: &Engine) -> Result<Step, StepError> {
    let step = async {
        if engine.step().await? > 0 {
            return Ok(Step::Busy);
        }
        Ok(Step::Quiet(engine.next_step_at().await?))
    };
    // A unit of work that a panic cuts off is undone, so nothing is left half changed.
    let outcome = AssertUnwindSafe(step).catch_unwind().await;
    outcome.unwrap_or_else(|panic| Err(StepError::Panic(words_of(&*panic))))
}

fn words_of(panic: &(dyn Any + Send)) -> String {
    let words = panic.downcast_ref::<&str>().copied();
    words
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("a panic without words")
        .to_owned()
}

/// So that an instant in the past that brings nothing cannot make a loop spin.
fn shortest_wait(overdue: u32) -> Duration {
    match overdue {
        0 => Duration::ZERO,
        steps => SHORTEST_WAIT.saturating_mul(1 << (steps - 1).min(10)),
    }
}

fn backoff(failures: u32) -> Duration {
    FIRST_BACKOFF
        .saturating_mul(1 << failures.min(10))
        .min(LONGEST_BACKOFF)
}

async fn run_simulation(
    provider: Arc<SimulatedProvider>,
    sink: Sink,
    pacer: Arc<dyn Pacer>,
    mut signals: Signals,
) {
    while !signals.stopping() {
        signals.forget_rings();
        provider.deliver_due(&sink).await;
        // The bell rings when calls were placed.
        let wait = provider
            .next_event_at()
            .map_or(POLL, |next| pacer.until(next));
        signals.wait(wait.min(POLL)).await;
    }
}

/// Takes the simulated provider's webhooks without a network between.
struct Sink {
    webhooks: Webhooks,
    stop: watch::Receiver<bool>,
}

#[async_trait]
impl WebhookSink for Sink {
    async fn deliver(&self, request: WebhookRequest) -> WebhookReply {
        const NOT_NOW: u16 = 503;
        if *self.stop.borrow() {
            return refused(NOT_NOW);
        }
        let handled = AssertUnwindSafe(self.webhooks.handle(&request))
            .catch_unwind()
            .await;
        match handled {
            Ok(Ok(reply)) => reply,
            Ok(Err(WebhookFailure::Refused(error))) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "a simulated webhook is not believed"
                );
                refused(400)
            }
            Ok(Err(WebhookFailure::Storage(error))) => {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "a simulated webhook was not stored"
                );
                refused(NOT_NOW)
            }
            Err(panic) => {
                tracing::error!(error = words_of(&*panic), "a bug in a simulated webhook");
                refused(NOT_NOW)
            }
        }
    }
}

fn refused(status: u16) -> WebhookReply {
    WebhookReply {
        status,
        ..WebhookReply::empty()
    }
}

#[cfg(test)]
mod tests;
