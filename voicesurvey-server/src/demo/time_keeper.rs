//! Puts the demo's clock forward while nobody is on the telephone, and notes what it shows.
//!
//! The invariant: the clock is put forward only while no call is in progress, and never past the
//! next instant at which the engine or the simulated people have something to do. So no deadline
//! and no lease passes because of it.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use tokio::time::MissedTickBehavior;
use voicesurvey_core::api_key::Actor;
use voicesurvey_core::id::CampaignId;
use voicesurvey_core::ports::WakeUp;
use voicesurvey_core::service::ServiceError;
use voicesurvey_core::time::Clock as _;
use voicesurvey_simulator::SimulatedProvider;

use super::clock::SkippingClock;
use super::directory::{Directory, Notes};
use super::error::DemoError;
use crate::app::App;

/// How often it is looked whether time can be skipped, in milliseconds.
const TICK_MILLISECONDS: u32 = 25;
/// The notes are written every so many ticks: once a second.
const TICKS_PER_NOTE: u32 = 40;
/// How many times as fast as usual quiet time passes.
const SKIPPING_FACTOR: i64 = 200;

/// Whoever keeps the demo's clock.
#[derive(Debug)]
pub(super) struct TimeKeeper {
    pub(super) app: App,
    pub(super) actor: Actor,
    pub(super) campaign_id: CampaignId,
    pub(super) people: Arc<SimulatedProvider>,
    pub(super) clock: Arc<SkippingClock>,
    /// Rung after the clock was put forward.
    pub(super) bell: Arc<dyn WakeUp>,
    /// How many times as fast as real time the clock runs.
    pub(super) speed: u32,
    pub(super) directory: Directory,
    pub(super) notes: Notes,
}

impl TimeKeeper {
    /// Keeps the time until something fails. May be dropped and run again.
    pub(super) async fn run(&mut self) -> Result<(), DemoError> {
        let mut ticks = tokio::time::interval(Duration::from_millis(TICK_MILLISECONDS.into()));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            self.note()?;
            for _ in 0..TICKS_PER_NOTE {
                ticks.tick().await;
                self.skip_quiet_time().await?;
            }
        }
    }

    /// Notes what the clock shows.
    pub(super) fn note(&mut self) -> Result<(), DemoError> {
        self.notes.now = self.clock.now();
        self.directory.write_notes(&self.notes)
    }

    async fn skip_quiet_time(&self) -> Result<(), DemoError> {
        if self.people.next_event_at().is_some() {
            return Ok(());
        }
        // Read before it is looked whether a call is in progress: what is claimed after that look
        // is due at this instant or later, and the clock is not put past it.
        let Some(next) = self.app.engine.next_step_at().await? else {
            return Ok(());
        };
        if next > self.clock.now() && !self.somebody_is_called().await? {
            let tick = i64::from(TICK_MILLISECONDS) * i64::from(self.speed);
            self.clock
                .skip(TimeDelta::milliseconds(tick * SKIPPING_FACTOR), next);
            self.bell.wake();
        }
        Ok(())
    }

    async fn somebody_is_called(&self) -> Result<bool, DemoError> {
        match self
            .app
            .reports
            .campaign(&self.actor, self.campaign_id)
            .await
        {
            Ok((_, counters)) => Ok(counters.live_attempts() > 0),
            // A campaign that was deleted has no calls.
            Err(ServiceError::NotFound { .. }) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}
