//! The loop that writes the files that people wait for. Every server has one.

use std::time::Duration;

use voicesurvey_core::service::Exports;

use super::rhythm::{Rhythm, Step, guarded};
use crate::exports;

/// Lines that are freed ring as often as files that are asked for, so it does not look at each ring.
const GATHERS_FOR: Duration = Duration::from_millis(500);

/// Writes files until it is told to stop, one after the other.
pub(super) async fn run(exports: Exports, mut rhythm: Rhythm) {
    while !rhythm.signals.stopping() {
        rhythm.signals.forget_rings();
        let told = rhythm.signals.stop.clone();
        let step = async {
            let is_stopping = || *told.borrow();
            let made = exports::make_next(&exports, is_stopping).await?;
            Ok(if made { Step::Busy } else { Step::Quiet(None) })
        };
        let outcome = Box::pin(guarded(step)).await;
        if rhythm.rest(outcome).await {
            rhythm.signals.wait_through(GATHERS_FOR).await;
        }
    }
}
