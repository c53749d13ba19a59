//! The conversation with a person who picked up: consent, questions, answers, and their evidence.

pub mod keypad;
pub mod phrases;
pub mod script;
pub mod step;

use serde::{Deserialize, Serialize};

pub use script::Script;
pub use step::{Conclusion, Heard, Step};

use crate::id::{
    AnswerId, CallAttemptId, CallTaskId, CampaignId, CompanyId, SurveyResponseId, TurnId,
};
use crate::interpretation::{Confidence, Expected, Interpretation, InterpretedBy};
use crate::language::Language;
use crate::outcome::Outcome;
use crate::survey::AnswerValue;
use crate::time::Timestamp;

/// How far a conversation has come. One per attempt that was answered.
#[derive(Clone, Debug, PartialEq)]
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
        /// How often it was asked again.
        tries: u8,
        /// How many questions have been answered before it.
        answered: u16,
    },
    /// Nothing: it is over.
    Ended,
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
    /// What happens then.
    pub then: Then,
}

/// What happens after something was said.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "then", rename_all = "snake_case")]
pub enum Then {
    /// The person is listened to.
    Listen {
        /// Comes back with what was heard, so that a repetition is recognised.
        step: u32,
        /// What the question expects: recognisers take hints from it, keypads the number of digits.
        expected: Expected,
        /// After so many seconds of silence the person is taken to have said nothing.
        silence_seconds: u16,
    },
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

/// What became of one question, with the turn that proves it.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// Its identifier.
    pub id: AnswerId,
    /// Whose it is.
    pub company_id: CompanyId,
    /// The campaign.
    pub campaign_id: CampaignId,
    /// The task; one answer per question and task.
    pub task_id: CallTaskId,
    /// The call in which it was given.
    pub attempt_id: CallAttemptId,
    /// The question.
    pub question_key: String,
    /// What became of it.
    pub result: AnswerResult,
    /// The words heard.
    pub words: String,
    /// How sure the interpreter was.
    pub confidence: Confidence,
    /// Who understood it.
    pub interpreted_by: InterpretedBy,
    /// How often the question was asked again before.
    pub repeats: u8,
    /// The turn that proves it.
    pub turn_id: TurnId,
    /// When.
    pub at: Timestamp,
}

/// What became of a question.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "result", rename_all = "snake_case")]
pub enum AnswerResult {
    /// It was answered, within its bounds.
    Answered {
        /// The value.
        value: AnswerValue,
    },
    /// The person did not want to answer.
    Skipped,
    /// The person did not know.
    DontKnow,
    /// It was asked as often as allowed and not understood.
    NotUnderstood,
}

impl AnswerResult {
    /// The name used in the API, in files and in stores.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Answered { .. } => "answered",
            Self::Skipped => "skipped",
            Self::DontKnow => "dont_know",
            Self::NotUnderstood => "not_understood",
        }
    }

    /// The value, when it was answered.
    pub const fn value(&self) -> Option<&AnswerValue> {
        match self {
            Self::Answered { value } => Some(value),
            _ => None,
        }
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
