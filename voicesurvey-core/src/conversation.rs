//! The conversation with a person who picked up: consent, questions, answers, and their evidence.

pub mod answer;
pub mod given;
pub mod keypad;
pub mod lines;
pub mod listen;
pub mod memory;
pub mod script;
pub mod step;

use serde::{Deserialize, Serialize};

pub use answer::{Answer, AnswerResult, AnswerRevision, Doubt};
pub use given::Given;
pub use listen::{Listen, ListenKeys};
pub use memory::{LanguageSwitch, LineEnd, Memory, Pending};
pub use script::Script;
pub use step::{Conclusion, Heard, Step, Understood};

use crate::call_attempt::CallAttempt;
use crate::id::{CallAttemptId, CallTaskId, CampaignId, CompanyId, SurveyResponseId, TurnId};
use crate::interpretation::{Confidence, Interpretation, InterpretedBy};
use crate::language::Language;
use crate::outcome::Outcome;
use crate::time::Timestamp;

/// In whose name and which call a conversation is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The company.
    pub company_id: CompanyId,
    /// The campaign.
    pub campaign_id: CampaignId,
    /// The task.
    pub task_id: CallTaskId,
    /// The call.
    pub attempt_id: CallAttemptId,
}

impl From<&CallAttempt> for Place {
    fn from(attempt: &CallAttempt) -> Self {
        Self {
            company_id: attempt.company_id,
            campaign_id: attempt.campaign_id,
            task_id: attempt.task_id,
            attempt_id: attempt.id,
        }
    }
}

/// How far a conversation has come. One per attempt that was answered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Conversation {
    /// The call it is held in.
    pub attempt_id: CallAttemptId,
    /// The task of that call.
    pub task_id: CallTaskId,
    /// Whose it is.
    pub company_id: CompanyId,
    /// The campaign it is held for.
    pub campaign_id: CampaignId,
    /// The language spoken.
    pub language: Language,
    /// What is being waited for.
    pub position: Position,
    /// How many replies have been given. A request that answers an older one is a repetition.
    pub step: u32,
    /// How many turns have been stored.
    pub turns: u32,
    /// What was said last, so that a repeated request gets the same words again.
    pub last_reply: VoiceReply,
    /// How it ended, once it has.
    pub outcome: Option<Outcome>,
    /// When the person picked up.
    pub started_at: Timestamp,
    /// Rises by one on every change.
    pub version: u32,
    /// What it remembers besides.
    pub memory: Memory,
}

/// What a conversation is waiting for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "at", rename_all = "snake_case")]
pub enum Position {
    /// A yes or a no to taking part.
    Consent {
        /// How often it was asked again.
        tries: u8,
    },
    /// The answer to a question.
    Question {
        /// Which, counted from 0.
        index: u16,
        /// How often no answer to it was understood.
        tries: u8,
        /// How many questions have been answered before it.
        answered: u16,
    },
    /// Whether the value that was read back is right.
    Confirm {
        /// The question it answers, counted from 0.
        index: u16,
        /// How often that question was asked again.
        tries: u8,
        /// How many questions have been answered, with that one.
        answered: u16,
    },
    /// The time at which to call again.
    Appointment {
        /// How often it was asked again.
        tries: u8,
        /// Whether the person has agreed to take part.
        consented: bool,
        /// How many questions have been answered before.
        answered: u16,
    },
    /// Nothing: it is over.
    Ended,
}

impl Position {
    /// Whether somebody has consented and the interview goes on.
    pub const fn is_past_consent(self) -> bool {
        match self {
            Self::Question { .. } | Self::Confirm { .. } => true,
            Self::Appointment { consented, .. } => consented,
            Self::Consent { .. } | Self::Ended => false,
        }
    }

    /// How many questions have been answered in this call; 0 when it is over.
    pub const fn answered(self) -> u16 {
        match self {
            Self::Question { answered, .. }
            | Self::Confirm { answered, .. }
            | Self::Appointment { answered, .. } => answered,
            Self::Consent { .. } | Self::Ended => 0,
        }
    }
}

/// What is said next, and what happens after it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct VoiceReply {
    /// The language it is spoken in.
    pub language: Language,
    /// The provider's name of the voice.
    pub voice: Option<String>,
    /// The sentences, in order.
    pub say: Vec<String>,
    /// So many of the first sentences speech does not interrupt; keys always may.
    #[serde(default)]
    pub firm: u16,
    /// What happens then.
    pub then: Then,
}

/// What happens after something was said.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "then", rename_all = "snake_case")]
pub enum Then {
    /// The person is listened to.
    Listen(Listen),
    /// The call is ended.
    HangUp,
}

/// One thing that was said.
#[derive(Clone, Debug, PartialEq)]
pub struct Turn {
    /// Its identifier.
    pub id: TurnId,
    /// Whose it is.
    pub company_id: CompanyId,
    /// The call it was said in.
    pub attempt_id: CallAttemptId,
    /// 1, 2, 3 … within the call.
    pub sequence: u32,
    /// Who said it.
    pub speaker: Speaker,
    /// The words; keys pressed are written as they were pressed; silence is empty.
    pub words: String,
    /// How sure the recogniser was.
    pub heard_with: Option<Confidence>,
    /// What was understood.
    pub interpretation: Option<Interpretation>,
    /// The question it belongs to.
    pub question_key: Option<String>,
    /// When.
    pub at: Timestamp,
}

/// Who said something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Speaker {
    /// We.
    Agent,
    /// The person called.
    Person,
}

impl Speaker {
    /// The name used in the API and in stores.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Agent => "agent",
            Self::Person => "person",
        }
    }

    /// The speaker of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Agent, Self::Person]
            .into_iter()
            .find(|speaker| speaker.name() == name)
    }
}

/// That a person agreed or refused to take part, and to which words. A record of its own.
#[derive(Clone, Debug, PartialEq)]
pub struct Consent {
    /// The call; one per call.
    pub attempt_id: CallAttemptId,
    /// Whose it is.
    pub company_id: CompanyId,
    /// The task.
    pub task_id: CallTaskId,
    /// Whether it was given.
    pub given: bool,
    /// The words that were agreed to or refused.
    pub text: String,
    /// The language they were spoken in.
    pub language: Language,
    /// The turn that proves it.
    pub turn_id: TurnId,
    /// When.
    pub at: Timestamp,
    /// Which version of the words it was; empty for consents from before there were versions.
    pub text_version: String,
    /// Who understood the yes or the no.
    pub interpreted_by: InterpretedBy,
}

/// The interview as a whole. One per task.
#[derive(Clone, Debug, PartialEq)]
pub struct SurveyResponse {
    /// Its identifier.
    pub id: SurveyResponseId,
    /// Whose it is.
    pub company_id: CompanyId,
    /// The campaign.
    pub campaign_id: CampaignId,
    /// The task; one response per task.
    pub task_id: CallTaskId,
    /// The call in which it was finished or broken off.
    pub attempt_id: CallAttemptId,
    /// Whether all questions were dealt with.
    pub complete: bool,
    /// When the interview began.
    pub started_at: Timestamp,
    /// When it ended.
    pub ended_at: Timestamp,
}

impl SurveyResponse {
    /// Whether it takes the place of another one of the same task: a complete one stays, and of
    /// those that are not the one of the latest call holds, in whatever order they are told.
    pub fn replaces(&self, stored: &Self) -> bool {
        !stored.complete && (self.complete || self.started_at >= stored.started_at)
    }
}
