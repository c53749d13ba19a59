//! What a provider tells about a call, in words of no particular provider.

use serde::{Deserialize, Serialize};

use super::{AttemptState, Recording};
use crate::id::{CallAttemptId, CompanyId};
use crate::money::Cost;
use crate::outcome::Outcome;
use crate::time::Timestamp;

/// One piece of news about a call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CallEvent {
    /// Whose call it is.
    pub company_id: CompanyId,
    /// Our reference, which every callback carries.
    pub attempt_id: CallAttemptId,
    /// The same event delivered twice has the same value; unique within the attempt.
    pub event_id: String,
    /// The provider's name of the call.
    pub provider_call_id: Option<String>,
    /// What happened.
    pub kind: CallEventKind,
    /// When it happened, as the provider says.
    pub at: Timestamp,
    /// The provider's own word for it.
    pub raw_status: Option<String>,
    /// The provider's error code.
    pub error_code: Option<String>,
}

/// What happened to a call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum CallEventKind {
    /// The provider began to dial.
    Initiated,
    /// The telephone rings.
    Ringing,
    /// The call was answered.
    Answered {
        /// By whom or what, as far as the provider can tell.
        by: AnsweredBy,
    },
    /// The call is over.
    Ended {
        /// Why, when it was not answered: busy, no answer, declined, failed; cancelled if it was
        /// given up before a telephone rang. `None` after a call that was answered: the
        /// conversation knows better.
        outcome: Option<Outcome>,
    },
    /// The provider told the price.
    Priced {
        /// The price.
        cost: Cost,
    },
    /// There is news of the recording.
    Recorded {
        /// What is known of it.
        recording: Recording,
    },
}

impl CallEventKind {
    /// The state the call must have reached for this to happen.
    pub const fn reached(&self) -> AttemptState {
        match self {
            Self::Initiated | Self::Priced { .. } | Self::Recorded { .. } => AttemptState::Accepted,
            Self::Ringing => AttemptState::Ringing,
            Self::Answered { .. } => AttemptState::Answered,
            Self::Ended { .. } => AttemptState::Ended,
        }
    }

    /// The kind's name.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Initiated => "initiated",
            Self::Ringing => "ringing",
            Self::Answered { .. } => "answered",
            Self::Ended { .. } => "ended",
            Self::Priced { .. } => "priced",
            Self::Recorded { .. } => "recorded",
        }
    }
}

/// Who or what answered, from what is known least to what is known best.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AnsweredBy {
    /// The provider cannot tell.
    Unknown,
    /// A person.
    Person,
    /// A voicemail.
    Voicemail,
    /// A screening assistant.
    CallScreening,
    /// A fax or modem.
    Fax,
}

impl AnsweredBy {
    /// Every answerer.
    pub const ALL: [Self; 5] = [
        Self::Unknown,
        Self::Person,
        Self::Voicemail,
        Self::CallScreening,
        Self::Fax,
    ];

    /// How such a call ends; `None` for what may be a person.
    pub const fn outcome(self) -> Option<Outcome> {
        match self {
            Self::Unknown | Self::Person => None,
            Self::Voicemail => Some(Outcome::Voicemail),
            Self::CallScreening => Some(Outcome::CallScreening),
            Self::Fax => Some(Outcome::Fax),
        }
    }

    /// The name used in the API and in stores.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Person => "person",
            Self::Voicemail => "voicemail",
            Self::CallScreening => "call_screening",
            Self::Fax => "fax",
        }
    }

    /// The answerer of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|answerer| answerer.name() == name)
    }
}
