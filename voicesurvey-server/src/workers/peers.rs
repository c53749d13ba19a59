//! The loops between servers on one database: the election, the bell, and the time.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use voicesurvey_core::ports::StorageError;
use voicesurvey_postgres::{Candidate, Notifier, PostgresClock};

use super::rhythm::backoff;
use super::{Bell, Signals, next_change, pause};
use crate::stores::Ears;

/// The least time between two rings for the others, so that they come twenty times a second at
/// most, however much happens here.
const BETWEEN_RINGS: Duration = Duration::from_millis(50);
/// How often the database is asked for the time.
const BETWEEN_MEASUREMENTS: Duration = Duration::from_secs(2);

/// Stands for election until it is told to resign.
pub(super) async fn stand(
    mut candidate: Candidate,
    bell: Arc<Bell>,
    mut resign: watch::Receiver<bool>,
) {
    let mut leads = false;
    while !*resign.borrow() {
        let began = tokio::time::Instant::now();
        let led = leads;
        // OK because the candidate logs what is wrong, and stands again.
        leads = candidate.round().await.unwrap_or(false);
        if leads != led {
            bell.ring_for_duties();
        }
        let rest = candidate.next_round_in().saturating_sub(began.elapsed());
        tokio::select! {
            () = pause(rest) => {}
            () = next_change(&mut resign) => {}
        }
    }
    candidate.resign().await;
}

/// Rings for the other servers when the bell rings here.
pub(super) async fn tell(notifier: Notifier, mut signals: Signals) {
    let mut complaint = Complaint::new("the other servers cannot be woken up");
    while !signals.stopping() {
        tokio::select! {
            () = next_change(&mut signals.bell) => {}
            () = next_change(&mut signals.stop) => return,
        }
        complaint.about(notifier.notify().await);
        signals.wait_through(BETWEEN_RINGS).await;
    }
}

/// Rings here when the bell of another server rings.
pub(super) async fn hear(ears: Ears, bell: Arc<Bell>, mut signals: Signals) {
    let mut complaint = Complaint::new("the other servers cannot be heard");
    let mut failures: u32 = 0;
    while !signals.stopping() {
        let lost = tokio::select! {
            lost = listen(&ears, &bell, &mut failures) => lost,
            () = next_change(&mut signals.stop) => return,
        };
        if failures == 0 {
            complaint = Complaint::new(complaint.words);
        }
        complaint.about(lost);
        signals.wait_through(backoff(failures)).await;
        failures = failures.saturating_add(1);
    }
}

/// Returns when the connection is lost.
async fn listen(ears: &Ears, bell: &Bell, failures: &mut u32) -> Result<(), StorageError> {
    let mut listener = ears.listen().await?;
    *failures = 0;
    // Something may have been missed.
    bell.ring_here();
    loop {
        listener.heard().await?;
        bell.ring_here();
    }
}

/// Keeps the clock at the database's time.
pub(super) async fn keep_time(clock: Arc<PostgresClock>, mut stop: watch::Receiver<bool>) {
    let mut complaint = Complaint::new("the database was not asked for the time");
    while !*stop.borrow() {
        tokio::select! {
            () = pause(BETWEEN_MEASUREMENTS) => complaint.about(clock.synchronise().await),
            () = next_change(&mut stop) => {}
        }
    }
}

/// Tells of failures: of the first in a row, because the others would say the same.
struct Complaint {
    words: &'static str,
    made: bool,
}

impl Complaint {
    const fn new(words: &'static str) -> Self {
        Self { words, made: false }
    }

    fn about(&mut self, outcome: Result<(), StorageError>) {
        let failed = outcome.is_err();
        if let Err(error) = outcome
            && !self.made
        {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(error, "{}", self.words);
        }
        self.made = failed;
    }
}
