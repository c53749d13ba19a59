//! One step of a conversation: what was heard goes in, what is to be stored and said comes out.
//!
//! Pure: the words were interpreted before, and the service stores what comes out before the reply
//! is spoken (I9). Every loop is capped, so a conversation always ends.

mod appointment;
mod caps;
mod confirm;
mod consent;
mod question;
mod speech;
mod taker;

use serde::{Deserialize, Serialize};

use self::caps::HARDLY_HEARD_BELOW;
use self::taker::StepTaker;
use super::{
    Answer, Consent, Conversation, Given, LineEnd, Memory, Place, Position, Script, Then, Turn,
    VoiceReply,
};
use crate::call_task::CallBack;
use crate::id::IdGenerator;
use crate::interpretation::{Confidence, Expected, Interpretation};
use crate::language::Language;
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

    /// Whether they are words of which the recogniser itself is not sure.
    fn is_hardly_heard(&self) -> bool {
        match self {
            Self::Speech { confidence, .. } => {
                confidence.is_some_and(|confidence| confidence < HARDLY_HEARD_BELOW)
            }
            Self::Keys { .. } | Self::Silence => false,
        }
    }
}

/// What interpreters made of what was heard. They are not asked about silence.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Understood {
    /// In the language that is spoken.
    pub here: Option<Interpretation>,
    /// In another language of the survey, if the words seem to be of that one.
    pub elsewhere: Option<(Language, Interpretation)>,
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
    /// Begins: somebody picked up. `given` is what this person has answered in earlier calls.
    pub fn begin(
        place: Place,
        script: &Script<'_>,
        given: &Given,
        ids: &IdGenerator,
        now: Timestamp,
    ) -> Step {
        let conversation = Self::unbegun(place, script, given, now);
        let opening = script.opening(conversation.is_resumption());
        let mut taker = StepTaker::new(conversation, script, given, ids, now);
        taker.say_and_listen(opening.say, opening.firm);
        taker.into_step()
    }

    /// Leaves `message` on a voicemail and hangs up: a conversation that is over with it.
    pub fn leave_message(
        message: &str,
        place: Place,
        script: &Script<'_>,
        ids: &IdGenerator,
        now: Timestamp,
    ) -> Step {
        let given = Given::default();
        let conversation = Self::unbegun(place, script, &given, now);
        let mut taker = StepTaker::new(conversation, script, &given, ids, now);
        taker.end(message, Outcome::Voicemail);
        taker.into_step()
    }

    fn unbegun(place: Place, script: &Script<'_>, given: &Given, now: Timestamp) -> Self {
        Self {
            attempt_id: place.attempt_id,
            task_id: place.task_id,
            company_id: place.company_id,
            campaign_id: place.campaign_id,
            language: script.language(),
            position: Position::Consent { tries: 0 },
            step: 0,
            turns: 0,
            last_reply: VoiceReply {
                language: script.language(),
                voice: script.voice(),
                say: Vec::new(),
                firm: 0,
                then: Then::HangUp,
            },
            outcome: None,
            started_at: now,
            version: 1,
            memory: Memory {
                answered_before: given.answered(),
                ..Memory::default()
            },
        }
    }

    /// What the question at hand expects; `None` when the conversation is over.
    pub fn expected(&self, script: &Script<'_>) -> Option<Expected> {
        let script = script.spoken_in(self.language);
        let of_question = |index: u16| {
            let question = script.questions().get(usize::from(index))?;
            Some(script.expected(question))
        };
        match self.position {
            Position::Consent { .. } => Some(Expected::Consent),
            Position::Question { index, .. } => of_question(index),
            Position::Confirm { index, .. } => Some(Expected::Confirm {
                of: Box::new(of_question(index)?),
            }),
            Position::Appointment { .. } => Some(Expected::CallBackTime),
            Position::Ended => None,
        }
    }

    /// The question at hand as it is written, without the data of the person who is asked; empty
    /// where the survey asks nothing.
    pub fn asked<'a>(&self, script: &Script<'a>) -> &'a str {
        let script = script.spoken_in(self.language);
        match self.position {
            Position::Consent { .. } => script.written_consent_question(self.is_resumption()),
            Position::Question { index, .. } | Position::Confirm { index, .. } => script
                .questions()
                .get(usize::from(index))
                .map_or("", |question| script.written_question(question)),
            Position::Appointment { .. } | Position::Ended => "",
        }
    }

    /// Takes in what was heard. `given` is what the person has answered so far, in this call and in
    /// earlier ones.
    ///
    /// A conversation that is over says goodbye again and stores nothing.
    pub fn hear(
        self,
        heard: &Heard,
        understood: &Understood,
        script: &Script<'_>,
        given: &Given,
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
        StepTaker::new(self, script, given, ids, now).take(heard, understood)
    }
}

impl Conversation {
    /// How many questions have been answered in this call.
    pub const fn answered(&self) -> u16 {
        self.position.answered()
    }

    /// Whether it takes up an interview in which something was answered.
    pub const fn is_resumption(&self) -> bool {
        self.memory.answered_before > 0
    }

    /// Whether any question has been answered, in this call or before.
    const fn has_answers(&self) -> bool {
        self.answered() > 0 || self.memory.answered_before > 0
    }

    /// Whether every question is dealt with, and only the last value is still being read back. It
    /// is stored, so the interview is complete however the call ends.
    pub(crate) const fn is_all_answered(&self) -> bool {
        matches!(self.position, Position::Confirm { .. })
            && matches!(&self.memory.pending, Some(pending) if pending.is_last)
    }

    /// The outcome of a call that the person ends where the conversation stands.
    pub const fn broken_off(&self) -> Outcome {
        match (self.outcome, self.position) {
            (Some(outcome), _) => outcome,
            _ if self.is_all_answered() => Outcome::Completed,
            // They have asked to be called again, and not said when.
            (None, Position::Appointment { .. }) if self.has_answers() => Outcome::Interrupted,
            (None, Position::Appointment { .. }) => Outcome::CallBackRequested,
            (None, position) if !position.is_past_consent() => Outcome::HungUpBeforeConsent,
            (None, _) => self.left(),
        }
    }

    /// The outcome of a call in which somebody has consented, and then wants no more questions.
    const fn left(&self) -> Outcome {
        if self.has_answers() {
            Outcome::Partial
        } else {
            Outcome::BrokeOff
        }
    }

    /// The outcome of a call whose line drops where the conversation stands.
    pub const fn interrupted(&self) -> Outcome {
        match (self.outcome, self.position) {
            (Some(outcome), _) => outcome,
            (None, position) if !position.is_past_consent() || self.is_all_answered() => {
                self.broken_off()
            }
            (None, _) if self.has_answers() => Outcome::Interrupted,
            (None, _) => Outcome::LineDropped,
        }
    }
}

impl Conversation {
    /// The outcome of a call that has ended where the conversation stands: by a dropped line if that
    /// is what is known, else by the person.
    pub fn left_open(&self) -> Outcome {
        if self.memory.line == Some(LineEnd::Dropped) {
            self.interrupted()
        } else {
            self.broken_off()
        }
    }

    /// What the person said about being called again. Who hung up when asked for the time has asked
    /// for it too; whose line dropped then is asked again.
    pub fn call_back(&self) -> CallBack {
        let has_asked = match self.outcome {
            Some(outcome) => {
                matches!(outcome, Outcome::CallBackRequested | Outcome::Interrupted)
            }
            None => matches!(self.position, Position::Appointment { .. }),
        };
        match self.memory.appointment {
            _ if !has_asked => CallBack::NotAsked,
            Some(at) => CallBack::At(at),
            None => CallBack::Later,
        }
    }
}

#[cfg(test)]
mod tests;
