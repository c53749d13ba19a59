//! One step of a conversation: what was heard goes in, what is to be stored and said comes out.
//!
//! Pure: the words were interpreted before, and the service stores what comes out before the reply
//! is spoken (I9). Every loop is capped, so a conversation always ends.

mod speech;
mod taker;

use serde::{Deserialize, Serialize};

use self::taker::StepTaker;
use super::{Answer, Consent, Conversation, Position, Script, Then, Turn, VoiceReply};
use crate::call_attempt::CallAttempt;
use crate::id::IdGenerator;
use crate::interpretation::{Confidence, Expected, Interpretation};
use crate::outcome::Outcome;
use crate::time::Timestamp;

/// What came back from the line after something was said.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "heard", rename_all = "snake_case")]
pub enum Heard {
    /// Words, as the recogniser heard them.
    Speech {
        /// The words.
        words: String,
        /// How sure the recogniser is.
        confidence: Option<Confidence>,
    },
    /// Keys pressed on the telephone: digits, `*` and `#`.
    Keys {
        /// The keys, in order.
        keys: String,
    },
    /// Nothing, for as long as was waited.
    Silence,
}

/// The longest utterance that is kept, in characters: about five minutes of speech.
const LONGEST_UTTERANCE: usize = 4_000;

impl Heard {
    /// The same with spaces in place of control characters, which a store may refuse, and of bounded
    /// length. Words must not be glued together: that would hide what was said.
    #[must_use]
    pub fn cleaned(self) -> Self {
        let clean = |text: String| -> String {
            text.chars()
                .map(|letter| if letter.is_control() { ' ' } else { letter })
                .take(LONGEST_UTTERANCE)
                .collect()
        };
        match self {
            Self::Speech { words, confidence } => Self::Speech {
                words: clean(words),
                confidence,
            },
            Self::Keys { keys } => Self::Keys { keys: clean(keys) },
            Self::Silence => Self::Silence,
        }
    }
}

/// What one step leads to. All of it is stored together, and then the reply is spoken.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// The conversation after the step; `last_reply` is what to say.
    pub conversation: Conversation,
    /// What was said, by both.
    pub turns: Vec<Turn>,
    /// What became of the question, if that is settled now.
    pub answer: Option<Answer>,
    /// Consent or refusal, if it was said now.
    pub consent: Option<Consent>,
    /// How the conversation ended, if it did.
    pub conclusion: Option<Conclusion>,
}

/// How a conversation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conclusion {
    /// The outcome of the call.
    pub outcome: Outcome,
    /// Whether at least one question was answered.
    pub answered: bool,
}

impl Conversation {
    /// Begins: somebody picked up.
    pub fn begin(
        attempt: &CallAttempt,
        script: &Script<'_>,
        ids: &IdGenerator,
        now: Timestamp,
    ) -> Step {
        let say = script.opening();
        let conversation = Self {
            attempt_id: attempt.id,
            task_id: attempt.task_id,
            company_id: attempt.company_id,
            campaign_id: attempt.campaign_id,
            language: script.language(),
            position: Position::Consent { tries: 0 },
            step: 0,
            turns: 0,
            last_reply: VoiceReply {
                language: script.language(),
                voice: script.voice(),
                say: Vec::new(),
                then: Then::HangUp,
            },
            outcome: None,
            started_at: now,
            version: 1,
        };
        let mut taker = StepTaker {
            conversation,
            script,
            ids,
            now,
            turns: Vec::new(),
        };
        taker.say_and_listen(say);
        Step {
            conversation: taker.conversation,
            turns: taker.turns,
            answer: None,
            consent: None,
            conclusion: None,
        }
    }

    /// What the question at hand expects; `None` when the conversation is over.
    pub fn expected(&self, script: &Script<'_>) -> Option<Expected> {
        match self.position {
            Position::Consent { .. } => Some(Expected::Consent),
            Position::Question { index, .. } => script
                .questions()
                .get(usize::from(index))
                .map(|question| question.kind.expected()),
            Position::Ended => None,
        }
    }

    /// Takes in what was heard. `understood` is what an interpreter made of it; it is not asked
    /// about silence.
    ///
    /// A conversation that is over says goodbye again and stores nothing.
    pub fn hear(
        self,
        heard: &Heard,
        understood: Option<Interpretation>,
        script: &Script<'_>,
        ids: &IdGenerator,
        now: Timestamp,
    ) -> Step {
        if self.position == Position::Ended {
            return Step {
                conversation: self,
                turns: Vec::new(),
                answer: None,
                consent: None,
                conclusion: None,
            };
        }
        StepTaker {
            conversation: self,
            script,
            ids,
            now,
            turns: Vec::new(),
        }
        .take(heard, understood)
    }
}

impl Conversation {
    /// How many questions have been answered.
    pub const fn answered(&self) -> u16 {
        match self.position {
            Position::Question { answered, .. } => answered,
            Position::Consent { .. } | Position::Ended => 0,
        }
    }

    /// The outcome of a call that ends where the conversation stands.
    pub const fn broken_off(&self) -> Outcome {
        match (self.outcome, self.position) {
            (Some(outcome), _) => outcome,
            (None, Position::Question { answered: 0, .. }) => Outcome::BrokeOff,
            (None, Position::Question { .. }) => Outcome::Partial,
            (None, Position::Consent { .. } | Position::Ended) => Outcome::HungUpBeforeConsent,
        }
    }
}

#[cfg(test)]
mod tests;
