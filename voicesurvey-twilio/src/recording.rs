//! Recordings: begun when somebody has consented, and erased.
//!
//! No call is recorded from its beginning, because there is no consent then.

use voicesurvey_core::call_attempt::RecordingState;
use voicesurvey_core::ports::{CallReference, ProviderError};

use crate::failure::Class;
use crate::provider::{TwilioProvider, done, refused, sid_of, unanswered};

/// How far a recording is; a word that is not known here ends nothing.
pub(crate) fn state(word: &str) -> RecordingState {
    match word {
        "completed" => RecordingState::Finished,
        "absent" | "failed" => RecordingState::Absent,
        _ => RecordingState::InProgress,
    }
}

impl TwilioProvider {
    pub(crate) async fn record_call(&self, call: &CallReference) -> Result<String, ProviderError> {
        let url = self
            .client
            .url(&["Calls", sid_of(call)?, "Recordings.json"]);
        let mut form = vec![
            (
                "RecordingChannels",
                self.settings.recording_channels.name().to_owned(),
            ),
            ("RecordingTrack", "both".to_owned()),
            ("Trim", "do-not-trim".to_owned()),
            ("RecordingStatusCallback", self.urls.recording(call)),
            ("RecordingStatusCallbackMethod", "POST".to_owned()),
        ];
        for event in ["in-progress", "completed", "absent"] {
            form.push(("RecordingStatusCallbackEvent", event.to_owned()));
        }
        let response = self.client.post(url, &form).await.map_err(unanswered)?;
        if !response.is_success() {
            return Err(refused(&response));
        }
        let record: serde_json::Value = serde_json::from_slice(&response.body).unwrap_or_default();
        let sid = record["sid"].as_str().map(str::to_owned);
        sid.ok_or_else(|| ProviderError {
            what: "Twilio names no recording".to_owned(),
        })
    }

    /// Twilio keeps the length and the time of it for some weeks.
    pub(crate) async fn delete_recording(&self, recording_sid: &str) -> Result<(), ProviderError> {
        let url = self
            .client
            .url(&["Recordings", &format!("{recording_sid}.json")]);
        let response = self.client.delete(url).await.map_err(unanswered)?;
        done(&response, &[Class::Missing])
    }
}
