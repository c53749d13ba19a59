//! The leader's loops: they do nothing while another server leads.

use std::sync::Arc;
use std::time::Duration;

use voicesurvey_core::ports::{Leadership, StorageError};
use voicesurvey_core::service::Engine;

use super::rhythm::{Rhythm, Step, guarded};

/// Rings that come so soon after each other are answered together: no call waits for a duty that
/// the bell asks for, and each looks through all campaigns.
const GATHERS_FOR: Duration = Duration::from_millis(20);

/// What a leader does. Each has a loop of its own, because the provider may be slow to answer.
#[derive(Clone, Copy, Debug)]
pub(super) enum Duty {
    /// Starts, promotes and finishes.
    Schedule,
    /// Looks after lost calls.
    Recover,
}

/// Does the duty whenever this server leads, until it is told to stop.
pub(super) async fn run(
    duty: Duty,
    engine: Engine,
    leadership: Arc<dyn Leadership>,
    mut rhythm: Rhythm,
) {
    while !rhythm.signals.stopping() {
        rhythm.signals.forget_rings();
        let outcome = guarded(duty.step(&engine, leadership.as_ref())).await;
        if rhythm.rest(outcome).await {
            rhythm.signals.wait_through(GATHERS_FOR).await;
        }
    }
}

impl Duty {
    async fn step(
        self,
        engine: &Engine,
        leadership: &dyn Leadership,
    ) -> Result<Step, StorageError> {
        if !leadership.is_leader() {
            return Ok(Step::Standby);
        }
        let done = match self {
            Self::Schedule => engine.schedule().await?,
            Self::Recover => engine.recover().await?,
        };
        if done > 0 {
            return Ok(Step::Busy);
        }
        let next = match self {
            Self::Schedule => engine.next_schedule_at().await?,
            Self::Recover => engine.next_recovery_at().await?,
        };
        Ok(Step::Quiet(next))
    }
}
