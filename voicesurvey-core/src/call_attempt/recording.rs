//! The recording of a call, which the provider makes and keeps.

use serde::{Deserialize, Serialize};

/// What is known of the recording of a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recording {
    /// How far it is.
    pub state: RecordingState,
    /// The provider's name of it.
    #[serde(default)]
    pub provider_recording_id: Option<String>,
    /// Where the provider keeps it.
    #[serde(default)]
    pub url: Option<String>,
    /// How long it is, once it is finished.
    #[serde(default)]
    pub seconds: Option<u32>,
    /// Why there is none.
    #[serde(default)]
    pub error: Option<String>,
}

/// How far a recording is, from what is known least to what is known best.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecordingState {
    /// The provider was asked to record, and did not say that it does.
    NotStarted,
    /// It runs.
    InProgress,
    /// There is none: nothing was recorded.
    Absent,
    /// It can be fetched.
    Finished,
}

impl RecordingState {
    /// The name used in the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotStarted => "not_started",
            Self::InProgress => "in_progress",
            Self::Absent => "absent",
            Self::Finished => "finished",
        }
    }
}

impl Recording {
    /// One of that state of which nothing else is known.
    pub const fn new(state: RecordingState) -> Self {
        Self {
            state,
            provider_recording_id: None,
            url: None,
            seconds: None,
            error: None,
        }
    }

    /// What both tell together, whichever became known first: the state of the one that is further.
    #[must_use]
    pub fn or_further(self, other: Self) -> Self {
        let (further, less) = if other.state > self.state {
            (other, self)
        } else {
            (self, other)
        };
        Self {
            state: further.state,
            provider_recording_id: further.provider_recording_id.or(less.provider_recording_id),
            url: further.url.or(less.url),
            seconds: further.seconds.or(less.seconds),
            error: further.error,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_in_which_news_of_a_recording_come_does_not_matter() {
        let id = Some("RE1".to_owned());
        let not_started = Recording {
            error: Some("no answer".to_owned()),
            ..Recording::new(RecordingState::NotStarted)
        };
        let in_progress = Recording {
            provider_recording_id: id.clone(),
            ..Recording::new(RecordingState::InProgress)
        };
        let finished = Recording {
            url: Some("https://provider.example/RE1".to_owned()),
            seconds: Some(61),
            ..Recording::new(RecordingState::Finished)
        };
        let all = Recording {
            provider_recording_id: id,
            ..finished.clone()
        };
        let [a, b, c] = [not_started, in_progress, finished];
        let told = |one: &Recording, two: &Recording, three: &Recording| {
            one.clone()
                .or_further(two.clone())
                .or_further(three.clone())
        };
        for together in [
            told(&a, &b, &c),
            told(&a, &c, &b),
            told(&b, &a, &c),
            told(&b, &c, &a),
            told(&c, &a, &b),
            told(&c, &b, &a),
        ] {
            assert_eq!(together, all);
        }
    }
}
