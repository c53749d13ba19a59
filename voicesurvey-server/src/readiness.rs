//! Whether this server can work, for whoever sends it requests.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

/// Failures in a row after which a loop counts as failing: one may be bad luck.
const FAILURES: u32 = 3;

/// What the loops of a server tell about themselves.
#[derive(Debug, Default)]
pub struct Readiness {
    draining: AtomicBool,
    dispatching: Health,
    scheduling: Health,
    recovering: Health,
    exporting: Health,
}

/// Why a server is not ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotReady {
    /// It was asked to stop, and finishes what is under way.
    Draining,
    /// A loop of the engine fails again and again; the log says why.
    Failing(EngineLoop),
}

/// The loops of the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EngineLoop {
    /// Claims and dials.
    Dispatching,
    /// Starts, promotes, finishes.
    Scheduling,
    /// Looks after lost calls.
    Recovering,
    /// Writes files of results.
    Exporting,
}

/// How many times in a row a loop has failed.
#[derive(Debug, Default)]
struct Health {
    failures: AtomicU32,
}

impl Readiness {
    /// Whether the server can work.
    pub fn check(&self) -> Result<(), NotReady> {
        if self.draining.load(Ordering::Relaxed) {
            return Err(NotReady::Draining);
        }
        let mut all = EngineLoop::ALL.into_iter();
        match all.find(|one| self.health(*one).failures.load(Ordering::Relaxed) >= FAILURES) {
            Some(failing) => Err(NotReady::Failing(failing)),
            None => Ok(()),
        }
    }

    /// The server begins to stop.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    /// A step of a loop went well, or there was none to make.
    pub(crate) fn succeeded(&self, engine_loop: EngineLoop) {
        let health = self.health(engine_loop);
        health.failures.store(0, Ordering::Relaxed);
    }

    /// A step of a loop failed. Returns how many before it did, without one between that went well.
    pub(crate) fn failed(&self, engine_loop: EngineLoop) -> u32 {
        let health = self.health(engine_loop);
        health.failures.fetch_add(1, Ordering::Relaxed)
    }

    const fn health(&self, engine_loop: EngineLoop) -> &Health {
        match engine_loop {
            EngineLoop::Dispatching => &self.dispatching,
            EngineLoop::Scheduling => &self.scheduling,
            EngineLoop::Recovering => &self.recovering,
            EngineLoop::Exporting => &self.exporting,
        }
    }
}

impl EngineLoop {
    const ALL: [Self; 4] = [
        Self::Dispatching,
        Self::Scheduling,
        Self::Recovering,
        Self::Exporting,
    ];

    /// What it does, for the log.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Dispatching => "dispatching",
            Self::Scheduling => "scheduling",
            Self::Recovering => "recovering",
            Self::Exporting => "exporting",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_in_a_row_make_a_server_unready_until_a_step_goes_well() {
        let readiness = Readiness::default();
        for before in 0..FAILURES {
            assert_eq!(readiness.check(), Ok(()));
            assert_eq!(readiness.failed(EngineLoop::Scheduling), before);
            readiness.succeeded(EngineLoop::Dispatching);
        }
        let failing = NotReady::Failing(EngineLoop::Scheduling);
        assert_eq!(readiness.check(), Err(failing));
        readiness.succeeded(EngineLoop::Scheduling);
        assert_eq!(readiness.check(), Ok(()));
    }

    #[test]
    fn a_server_that_stops_is_not_ready() {
        let readiness = Readiness::default();
        readiness.drain();
        assert_eq!(readiness.check(), Err(NotReady::Draining));
    }
}
