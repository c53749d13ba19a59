//! Recordings: begun when somebody has consented, stopped, and erased.
//!
//! No call is recorded from its beginning, because there is no consent then.

use std::time::Duration;

use voicesurvey_core::ports::{CallReference, ProviderError, WebhookError, WebhookRequest};

use crate::failure::Class;
use crate::provider::{TwilioProvider, done, refused, sid_of, unanswered};

/// What a webhook says about a recording.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordingNews {
    /// The call.
    pub call: CallReference,
    /// Twilio's name of the recording, `RE…`.
    pub recording_sid: String,
    /// How far it is.
    pub status: RecordingStatus,
    /// How long it is, once it is finished.
    pub duration: Option<Duration>,
    /// Why there is none.
    pub error_code: Option<String>,
}

/// How far a recording is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecordingStatus {
    /// It runs.
    InProgress,
    /// It is finished and can be fetched.
    Completed,
    /// There is none: nothing was recorded.
    Absent,
    /// Another word of Twilio's.
    Other(String),
}

impl RecordingStatus {
    pub(crate) fn from_word(word: &str) -> Self {
        match word {
            "in-progress" => Self::InProgress,
            "completed" => Self::Completed,
            "absent" => Self::Absent,
            other => Self::Other(other.to_owned()),
        }
    }
}

impl TwilioProvider {
    /// Begins to record a call. To be called after consent, never before. Tells Twilio's name of the
    /// recording.
    ///
    /// Sent twice it records twice, so a request without an answer is not to be sent again.
    pub async fn start_recording(&self, call: &CallReference) -> Result<String, ProviderError> {
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

    /// Ends the recording that runs. One that has ended is no error.
    pub async fn stop_recording(&self, call: &CallReference) -> Result<(), ProviderError> {
        let path = ["Calls", sid_of(call)?, "Recordings", "Twilio.CURRENT.json"];
        let form = vec![("Status", "stopped".to_owned())];
        let response = self.client.post(self.client.url(&path), &form).await;
        let response = response.map_err(unanswered)?;
        done(&response, &[Class::Ended, Class::Missing])
    }

    /// Erases what was recorded. One that does not exist is no error. Twilio keeps the length and the
    /// time of it for some weeks.
    pub async fn delete_recording(&self, recording_sid: &str) -> Result<(), ProviderError> {
        let url = self
            .client
            .url(&["Recordings", &format!("{recording_sid}.json")]);
        let response = self.client.delete(url).await.map_err(unanswered)?;
        done(&response, &[Class::Missing])
    }

    /// Verifies and reads a webhook about a recording; `None` if it is about something else. Changes
    /// nothing.
    pub fn read_recording(
        &self,
        request: &WebhookRequest,
    ) -> Result<Option<RecordingNews>, WebhookError> {
        self.verify(request)?.recording()
    }
}
