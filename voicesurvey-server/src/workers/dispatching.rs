//! The loop that claims, and the dials that it begins.
//!
//! Each dial is a task of its own, so that a provider that is slow to answer keeps nobody waiting
//! but the one who is called. Only what can be dialed at once is claimed: what was claimed and not
//! dialed has an unknown outcome when this server dies.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use tokio::task::{JoinError, JoinSet};
use voicesurvey_core::ports::{ClaimedTask, StorageError};
use voicesurvey_core::service::{Dispatcher, Engine};

use super::dial_pace::{DialPace, InLine};
use super::rhythm::{Rhythm, Step, guarded};
use super::{Bell, next_change, pause};

/// Every server has one.
pub(super) struct Dispatching {
    pub(super) engine: Engine,
    pub(super) rhythm: Rhythm,
    pub(super) bell: Arc<Bell>,
    pub(super) pace: Arc<DialPace>,
    pub(super) claim_at_most: u16,
    pub(super) dials_at_once: u16,
    pub(super) dial_within: Duration,
    /// Under way.
    pub(super) dials: JoinSet<()>,
}

impl Dispatching {
    /// Claims and dials until it is told to stop, and then finishes the dials.
    pub(super) async fn run(mut self) {
        let mut rung = true;
        while !self.rhythm.signals.stopping() {
            self.rhythm.signals.forget_rings();
            while let Some(ended) = self.dials.try_join_next() {
                report(ended);
            }
            let room = self.room();
            if room == 0 {
                self.wait_for_room().await;
                continue;
            }
            let outcome = guarded(self.step(room)).await;
            if !rung {
                // The claim may have ended the last task of a campaign, and nobody has said so.
                self.bell.ring_for_duties();
            }
            rung = self.rhythm.rest(outcome).await;
        }
        while let Some(ended) = self.dials.join_next().await {
            report(ended);
        }
    }

    /// How many calls could be dialed within about a second.
    fn room(&self) -> u16 {
        let under_way = u16::try_from(self.dials.len()).unwrap_or(u16::MAX);
        self.dials_at_once
            .saturating_sub(under_way)
            .min(self.pace.room())
            .min(self.claim_at_most)
    }

    async fn wait_for_room(&mut self) {
        tokio::select! {
            Some(ended) = self.dials.join_next() => report(ended),
            () = self.pace.moved() => {}
            () = next_change(&mut self.rhythm.signals.stop) => {}
            () = pause(self.rhythm.poll) => {}
        }
    }

    async fn step(&mut self, room: u16) -> Result<Step, StorageError> {
        let age = Age::zero();
        let claim = self.engine.dispatcher().claim_ready(room).await?;
        if claim.is_empty() {
            return Ok(Step::Quiet(self.engine.next_dispatch_at().await?));
        }
        // Also when it only turned people away: there is no end of them before others can be called.
        for claimed in claim.tasks {
            let dispatcher = self.engine.dispatcher().clone();
            let in_line = self.pace.join();
            let in_time = age.limit(self.dial_within);
            self.dials
                .spawn(dial(dispatcher, claimed, in_line, in_time));
        }
        Ok(Step::Busy)
    }
}

async fn dial(
    dispatcher: Dispatcher,
    claimed: ClaimedTask,
    in_line: InLine,
    in_time: impl Fn() -> bool + Send,
) {
    in_line.wait().await;
    let attempt = claimed.attempt.id;
    if let Err(error) = dispatcher.dial_if(claimed, in_time).await {
        // The attempt is committed and has a lease, so recovery looks after it (I7).
        let error = &error as &dyn std::error::Error;
        tracing::error!(%attempt, error, "a dial was not recorded");
    }
}

fn report(ended: Result<(), JoinError>) {
    if let Err(error) = ended {
        let error = &error as &dyn std::error::Error;
        tracing::error!(error, "a bug in a dial; recovery looks after the attempt");
    }
}

/// How long ago a claim began, on two clocks of this machine: one that nobody can set, and one that
/// goes on while the machine is suspended. The deadline that is stored is on the server's clock,
/// which may be wrong for as long as it takes to notice.
#[derive(Clone, Copy)]
struct Age {
    monotonic: Instant,
    system: SystemTime,
}

impl Age {
    #[expect(
        clippy::disallowed_methods,
        reason = "clocks to check the clock against"
    )]
    fn zero() -> Self {
        Self {
            monotonic: Instant::now(),
            system: SystemTime::now(),
        }
    }

    /// Whether it is below the limit, whenever that is asked.
    fn limit(self, limit: Duration) -> impl Fn() -> bool + Send {
        move || {
            let system = self.system.elapsed().unwrap_or_default();
            self.monotonic.elapsed().max(system) < limit
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn either_clock_can_say_that_it_is_too_late() {
        let limit = Duration::from_secs(30);
        let now = Age::zero();
        assert!(now.limit(limit)());
        let system = now.system - limit;
        assert!(!Age { system, ..now }.limit(limit)());
        let monotonic = now.monotonic.checked_sub(limit).unwrap();
        assert!(!Age { monotonic, ..now }.limit(limit)());
        // A clock that was set back says nothing.
        let system = now.system + limit;
        assert!(Age { system, ..now }.limit(limit)());
    }
}
