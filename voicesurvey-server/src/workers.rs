//! The loops of a server: they run the engine, talk to the other servers, and run the simulated
//! provider if there is one.
//!
//! The invariant: a loop ends only when it is told to, and then between two steps, never within
//! one. An error or a panic in a step is logged, and the step is tried again after a while.
//!
//! All waiting of the server is here. A loop wakes up when the bell rings, when the next instant
//! has come, and now and then even so, because a bell can be lost on its way from another server.

mod dial_pace;
mod dispatching;
mod duties;
mod exporting;
mod peers;
mod rhythm;
mod simulation;

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;
use voicesurvey_core::ports::{Leadership, OnlyServer, WakeUp};
use voicesurvey_core::service::{Engine, EngineSettings, Exports};
use voicesurvey_simulator::SimulatedProvider;

use self::dial_pace::DialPace;
use self::dispatching::Dispatching;
use self::duties::Duty;
use self::rhythm::Rhythm;
use crate::readiness::{EngineLoop, Readiness};
use crate::scaled_clock::Pacer;
use crate::stores::{Cluster, ClusterParts};

/// How long a leader that stops finishes its duties before it lets go of the lead. What is cut off
/// then is undone by the store.
const DUTIES_FINISH_WITHIN: Duration = Duration::from_secs(1);

/// How a server's loops work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WorkerSettings {
    /// How many dials may be under way; none on a server that only answers requests.
    pub dials_at_once: u16,
    /// How many calls the provider takes in a second; `None` when it takes any number.
    pub calls_per_second: Option<NonZeroU32>,
    /// How long a loop that knows of work waits at most; ten times as long when it knows of none.
    pub poll: Duration,
}

impl Default for WorkerSettings {
    fn default() -> Self {
        Self {
            dials_at_once: 100,
            calls_per_second: None,
            poll: Duration::from_secs(1),
        }
    }
}

/// What the loops need.
#[derive(Debug)]
pub struct WorkerParts {
    /// What they run.
    pub engine: Engine,
    /// Times and sizes of the engine.
    pub engine_settings: EngineSettings,
    /// What it writes files of results with; `None` for a server that writes none.
    pub exports: Option<Exports>,
    /// The provider whose calls happen in this process, if it is the simulated one.
    pub simulated: Option<Arc<SimulatedProvider>>,
    /// What time it is, and how fast it passes.
    pub pacer: Arc<dyn Pacer>,
    /// The bell that the engine rings.
    pub bell: Arc<Bell>,
    /// Where the loops tell how they are.
    pub readiness: Arc<Readiness>,
    /// How they work.
    pub settings: WorkerSettings,
    /// The other servers, if there can be any.
    pub cluster: Option<Cluster>,
}

/// The bell of a server: every loop hears it, also if it rings while the loop is busy.
#[derive(Debug)]
pub struct Bell {
    /// For those who dial.
    calls: watch::Sender<()>,
    /// For the leader's duties.
    duties: watch::Sender<()>,
    /// For those who write files.
    exports: watch::Sender<()>,
    /// For the other servers.
    peers: watch::Sender<()>,
}

impl Bell {
    /// A bell that nobody hears yet.
    pub fn new() -> Self {
        Self {
            calls: watch::Sender::new(()),
            duties: watch::Sender::new(()),
            exports: watch::Sender::new(()),
            peers: watch::Sender::new(()),
        }
    }

    /// Rings in this server only.
    fn ring_here(&self) {
        self.calls.send_replace(());
        self.exports.send_replace(());
        self.ring_for_duties();
    }

    fn ring_for_duties(&self) {
        self.duties.send_replace(());
    }
}

impl Default for Bell {
    fn default() -> Self {
        Self::new()
    }
}

impl WakeUp for Bell {
    fn wake(&self) {
        self.ring_here();
        self.peers.send_replace(());
    }
}

/// The loops that run.
#[derive(Debug)]
pub struct Workers {
    stop: watch::Sender<bool>,
    resign: watch::Sender<bool>,
    duties: JoinSet<()>,
    others: JoinSet<()>,
}

impl Workers {
    /// Starts the loops.
    pub fn start(parts: WorkerParts) -> Self {
        let WorkerParts {
            engine,
            engine_settings,
            exports,
            simulated,
            pacer,
            bell,
            readiness,
            settings,
            cluster,
        } = parts;
        let mut workers = Self {
            stop: watch::Sender::new(false),
            resign: watch::Sender::new(false),
            duties: JoinSet::new(),
            others: JoinSet::new(),
        };
        let rhythm = |engine_loop, rings: &watch::Sender<()>| Rhythm {
            engine_loop,
            signals: workers.signals(rings),
            pacer: pacer.clone(),
            readiness: readiness.clone(),
            poll: settings.poll,
            overdue: 0,
        };
        let dispatching = Dispatching {
            engine: engine.clone(),
            rhythm: rhythm(EngineLoop::Dispatching, &bell.calls),
            bell: bell.clone(),
            pace: Arc::new(DialPace::new(settings.calls_per_second)),
            claim_at_most: engine_settings.claim_at_most,
            dials_at_once: settings.dials_at_once,
            dial_within: engine_settings.dial_within.to_std().unwrap_or_default(),
            dials: JoinSet::new(),
        };
        let scheduling = rhythm(EngineLoop::Scheduling, &bell.duties);
        let recovering = rhythm(EngineLoop::Recovering, &bell.duties);
        let exporting = exports
            .map(|exports| exporting::run(exports, rhythm(EngineLoop::Exporting, &bell.exports)));
        let leadership: Arc<dyn Leadership> = match &cluster {
            Some(cluster) => cluster.leadership(),
            None => Arc::new(OnlyServer),
        };
        for (duty, rhythm) in [(Duty::Schedule, scheduling), (Duty::Recover, recovering)] {
            let run = duties::run(duty, engine.clone(), leadership.clone(), rhythm);
            workers.duties.spawn(run);
        }
        if let Some(exporting) = exporting {
            workers.others.spawn(exporting);
        }
        if let Some(provider) = simulated {
            let signals = workers.signals(&bell.calls);
            let webhooks = engine.webhooks().clone();
            let run = simulation::run(provider, webhooks, pacer, signals);
            workers.others.spawn(run);
        }
        if let Some(cluster) = cluster {
            workers.meet_others(cluster.into_parts(), bell);
        }
        if settings.dials_at_once > 0 {
            workers.others.spawn(dispatching.run());
        }
        tracing::info!("Scheduler enabled");
        workers
    }

    fn meet_others(&mut self, parts: ClusterParts, bell: Arc<Bell>) {
        let ClusterParts {
            candidate,
            clock,
            notifier,
            ears,
        } = parts;
        let resign = self.resign.subscribe();
        let told = self.signals(&bell.peers);
        let silence = self.signals(&bell.peers);
        let (others, stop) = (&mut self.others, &self.stop);
        others.spawn(peers::stand(candidate, bell.clone(), resign));
        others.spawn(peers::tell(notifier, told));
        others.spawn(peers::hear(ears, bell, silence));
        others.spawn(peers::keep_time(clock, stop.subscribe()));
    }

    fn signals(&self, rings: &watch::Sender<()>) -> Signals {
        Signals {
            bell: rings.subscribe(),
            stop: self.stop.subscribe(),
        }
    }

    /// Tells the loops to stop, and waits until each has finished its step and its dials, but not
    /// longer than `patience`. What is cut off then is undone by the store and recovered later (I7).
    pub async fn stop(mut self, patience: Duration) {
        self.stop.send_replace(true);
        let finished = async {
            let duties = async { while self.duties.join_next().await.is_some() {} };
            // OK because a duty that takes longer is undone, and done by the next leader.
            let _ = tokio::time::timeout(DUTIES_FINISH_WITHIN, duties).await;
            self.resign.send_replace(true);
            while self.others.join_next().await.is_some() {}
        };
        if tokio::time::timeout(patience, finished).await.is_err() {
            tracing::warn!("a worker did not finish its step in time, and is cut off");
            self.others.shutdown().await;
        }
        self.duties.shutdown().await;
    }
}

/// What a loop listens to.
#[derive(Clone, Debug)]
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

    /// Waits for the bell, but not longer than `at_most`. Returns whether it rang.
    async fn wait(&mut self, at_most: Duration) -> bool {
        tokio::select! {
            () = pause(at_most) => false,
            () = next_change(&mut self.bell) => true,
            () = next_change(&mut self.stop) => false,
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

#[cfg(test)]
mod tests;
