//! Puts the demo's clock forward while nobody is on the telephone, and notes what it shows.
//!
//! The invariant: the clock is put forward only while no call is in progress, and never past the
//! next instant at which the engine or the simulated people have something to do. So no deadline
//! and no lease passes because of it.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;
use voicesurvey_core::api_key::Actor;
use voicesurvey_core::id::CampaignId;
use voicesurvey_core::ports::WakeUp;
use voicesurvey_core::time::Clock as _;
use voicesurvey_simulator::SimulatedProvider;

use super::clock::SkippingClock;
use super::directory::{Directory, Notes};
use super::error::DemoError;
use crate::app::App;

/// How often it is looked whether time can be skipped.
const TICK: Duration = Duration::from_millis(25);
/// The notes are written every so many ticks: about once a second.
const TICKS_PER_NOTE: u32 = 40;
/// How much faster than usual quiet time passes.
const SKIPPING_FACTOR: i64 = 200;

/// The clock's keeper, running.
#[derive(Debug)]
pub(super) struct TimeKeeper {
    stop: watch::Sender<bool>,
    task: JoinHandle<Result<(), DemoError>>,
}

/// What the keeper looks at.
#[derive(Debug)]
pub(super) struct Watched {
    pub(super) app: App,
    pub(super) actor: Actor,
    pub(super) campaign_id: CampaignId,
    pub(super) people: Arc<SimulatedProvider>,
    pub(super) clock: Arc<SkippingClock>,
    pub(super) bell: Arc<dyn WakeUp>,
    /// Virtual seconds per second.
    pub(super) speed: u32,
}

impl TimeKeeper {
    /// Starts.
    pub(super) fn start(watched: Watched, directory: Directory, notes: Notes) -> Self {
        let stop = watch::Sender::new(false);
        let stopping = stop.subscribe();
        let task = tokio::spawn(keep_time(watched, directory, notes, stopping));
        Self { stop, task }
    }

    /// Stops, after a last note.
    pub(super) async fn stop(self) -> Result<(), DemoError> {
        self.stop.send_replace(true);
        self.task.await.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))
    }
}

async fn keep_time(
    watched: Watched,
    directory: Directory,
    mut notes: Notes,
    mut stopping: watch::Receiver<bool>,
) -> Result<(), DemoError> {
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut ticks_to_note = 0;
    loop {
        let stopped = tokio::select! {
            _ = ticks.tick() => false,
            _ = stopping.wait_for(|stopping| *stopping) => true,
        };
        if stopped || ticks_to_note == 0 {
            ticks_to_note = TICKS_PER_NOTE;
            notes.now = watched.clock.now();
            directory.write_notes(&notes)?;
        }
        if stopped {
            return Ok(());
        }
        ticks_to_note -= 1;
        watched.skip_quiet_time().await?;
    }
}

impl Watched {
    async fn skip_quiet_time(&self) -> Result<(), DemoError> {
        if self.people.next_event_at().is_some() {
            return Ok(());
        }
        // Read before it is looked whether a call is in progress: what is claimed after that look
        // is due at this instant or later, and the clock is not put past it.
        let Some(next) = self.app.engine.next_step_at().await? else {
            return Ok(());
        };
        if next <= self.clock.now() {
            return Ok(());
        }
        let counters = match self.app.reports.campaign(&self.actor, self.campaign_id).await {
            Ok((_, counters)) => counters,
            // Whoever deleted the campaign has no use for faster clocks.
            Err(voicesurvey_core::service::ServiceError::NotFound { .. }) => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        if counters.live_attempts() == 0 {
            let tick = TimeDelta::from_std(TICK).unwrap_or(TimeDelta::zero());
            let step = tick * i32::try_from(self.speed).unwrap_or(i32::MAX);
            self.clock.skip(step * i32::try_from(SKIPPING_FACTOR).unwrap_or(i32::MAX), next);
            self.bell.wake();
        }
        Ok(())
    }
}
