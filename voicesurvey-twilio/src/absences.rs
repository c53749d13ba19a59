//! Calls that Twilio's list did not show when it was looked at.
//!
//! The list lags behind, so one empty answer proves nothing. What is remembered here may be lost at
//! any time, with the process or to another server: then it takes one look more.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use chrono::TimeDelta;
use voicesurvey_core::id::CallAttemptId;
use voicesurvey_core::time::Timestamp;

/// Two empty answers closer together count as one.
const APART: TimeDelta = TimeDelta::seconds(30);

/// Nobody looks for a call for longer than this, so older entries are of no use.
const FORGOTTEN_AFTER: TimeDelta = TimeDelta::hours(24);

/// When each call was first found missing.
#[derive(Debug, Default)]
pub(crate) struct Absences {
    since: Mutex<HashMap<CallAttemptId, Timestamp>>,
}

impl Absences {
    /// Notes an empty answer; tells whether there was another one long enough before.
    pub(crate) fn confirm(&self, attempt: CallAttemptId, now: Timestamp) -> bool {
        let mut since = self.since.lock().unwrap_or_else(PoisonError::into_inner);
        since.retain(|_, first| now - *first < FORGOTTEN_AFTER);
        let first = *since.entry(attempt).or_insert(now);
        now - first >= APART
    }

    /// The call was found, or may have been.
    pub(crate) fn forget(&self, attempt: CallAttemptId) {
        let mut since = self.since.lock().unwrap_or_else(PoisonError::into_inner);
        since.remove(&attempt);
    }
}

#[cfg(test)]
mod tests {
    use voicesurvey_core::testing::samples;

    use super::*;

    #[test]
    fn two_empty_answers_some_time_apart_confirm_each_other() {
        let absences = Absences::default();
        let (attempt, other) = (samples::id(), samples::id());
        let at = |seconds| samples::now() + TimeDelta::seconds(seconds);
        assert!(!absences.confirm(attempt, at(0)));
        assert!(!absences.confirm(attempt, at(29)));
        assert!(!absences.confirm(other, at(30)));
        assert!(absences.confirm(attempt, at(30)));
        absences.forget(attempt);
        assert!(!absences.confirm(attempt, at(31)));
    }

    #[test]
    fn old_entries_are_forgotten() {
        let absences = Absences::default();
        let attempt = samples::id();
        assert!(!absences.confirm(attempt, samples::now()));
        assert!(!absences.confirm(attempt, samples::now() + FORGOTTEN_AFTER));
    }
}
