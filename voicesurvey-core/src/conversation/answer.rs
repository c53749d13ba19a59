//! What became of the questions: answers with their evidence, and what reviewers made of them.
//!
//! An answer always has the turn and the words that prove it. Correcting one keeps what it replaces.

use serde::{Deserialize, Serialize};

use crate::id::{AnswerId, ApiKeyId, CallAttemptId, CallTaskId, CampaignId, CompanyId, TurnId};
use crate::interpretation::{Confidence, InterpretedBy};
use crate::survey::AnswerValue;
use crate::time::Timestamp;

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
    /// Why a person should look at it.
    pub doubt: Option<Doubt>,
    /// How often a person has corrected or accepted it. Rises by one each time.
    pub revision: u32,
    /// When a person last did so.
    pub reviewed_at: Option<Timestamp>,
    /// With which key.
    pub reviewed_by: Option<ApiKeyId>,
}

impl Answer {
    /// What was understood with less confidence is listed for review.
    pub const REVIEW_BELOW: Confidence = Confidence::from_hundredths(75);
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
    /// One of these was stored, and is not kept any longer.
    Forgotten,
}

impl AnswerResult {
    /// The name used in the API, in files and in stores.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Answered { .. } => "answered",
            Self::Skipped => "skipped",
            Self::DontKnow => "dont_know",
            Self::NotUnderstood => "not_understood",
            Self::Forgotten => "forgotten",
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

/// Why an answer may be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Doubt {
    /// The interpreter was not sure, or the recogniser hardly heard the words.
    LowConfidence,
    /// Two interpreters understood different things.
    Disagreement,
    /// It was read back, and the person has not said that it is right.
    Unconfirmed,
}

impl Doubt {
    /// Every doubt.
    pub const ALL: &'static [Self] = &[Self::LowConfidence, Self::Disagreement, Self::Unconfirmed];

    /// The name used in the API, in files and in stores.
    pub const fn name(self) -> &'static str {
        match self {
            Self::LowConfidence => "low_confidence",
            Self::Disagreement => "disagreement",
            Self::Unconfirmed => "unconfirmed",
        }
    }

    /// The doubt of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|doubt| doubt.name() == name)
    }
}

/// What an answer was before a person corrected it.
#[derive(Clone, Debug, PartialEq)]
pub struct AnswerRevision {
    /// The answer.
    pub answer_id: AnswerId,
    /// Whose it is.
    pub company_id: CompanyId,
    /// The answer's revision when it was replaced: 0 is what was understood in the call.
    pub number: u32,
    /// What had become of the question.
    pub result: AnswerResult,
    /// How sure was who understood it.
    pub confidence: Confidence,
    /// Who that was.
    pub interpreted_by: InterpretedBy,
    /// Why it was corrected, in the words of who did.
    pub note: Option<String>,
    /// When it was replaced.
    pub replaced_at: Timestamp,
    /// With which key.
    pub replaced_by: ApiKeyId,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubts_read_back_by_their_names() {
        for &doubt in Doubt::ALL {
            assert_eq!(Doubt::from_name(doubt.name()), Some(doubt));
            assert_eq!(serde_json::to_value(doubt).unwrap(), doubt.name());
        }
        assert_eq!(Doubt::from_name("nonsense"), None);
    }
}
