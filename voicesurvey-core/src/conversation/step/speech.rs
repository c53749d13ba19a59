//! Words and records: what one step says, and what it leaves behind.

use super::super::{Answer, AnswerResult, Consent, Position, Speaker, Then, Turn, VoiceReply};
use super::Heard;
use super::taker::StepTaker;
use crate::interpretation::{Confidence, Expected, Interpretation};
use crate::survey::Question;

/// Seconds of silence after which nothing was said: closed and open questions (`VoiceXML` practice).
const SILENCE_CLOSED: u16 = 5;
const SILENCE_OPEN: u16 = 7;

impl StepTaker<'_> {
    /// What can be said to this question, for the second time it is asked.
    pub(super) fn explanation(&self, question: &Question) -> Option<String> {
        let phrases = self.script.phrases();
        match question.kind.expected() {
            Expected::Consent | Expected::YesNo => Some(phrases.say_yes_or_no.to_owned()),
            Expected::Scale { min, max } => {
                Some(phrases.number_between(Some(&min.to_string()), Some(&max.to_string())))
            }
            Expected::Number { min, max, .. } => {
                let [min, max] = [min, max].map(|bound| bound.map(|bound| bound.to_string()));
                Some(phrases.number_between(min.as_deref(), max.as_deref()))
            }
            Expected::Choice { options } => {
                let options: Vec<&str> = options
                    .iter()
                    .map(|option| option.say.first().unwrap_or(&option.key).as_str())
                    .collect();
                Some(options.join(", "))
            }
            Expected::FreeText => None,
        }
    }

    /// The record of consent given or refused in this step.
    pub(super) fn consent(&self, given: bool) -> Consent {
        Consent {
            attempt_id: self.conversation.attempt_id,
            company_id: self.conversation.company_id,
            task_id: self.conversation.task_id,
            given,
            text: self.script.opening().join(" "),
            language: self.conversation.language,
            turn_id: self.person_turn(),
            at: self.now,
        }
    }

    /// The record of what became of a question in this step.
    pub(super) fn answer(
        &self,
        question: &Question,
        result: AnswerResult,
        repeats: u8,
        understood: &Interpretation,
    ) -> Answer {
        Answer {
            id: self.ids.next(),
            company_id: self.conversation.company_id,
            campaign_id: self.conversation.campaign_id,
            task_id: self.conversation.task_id,
            attempt_id: self.conversation.attempt_id,
            question_key: question.key.clone(),
            result,
            words: self
                .turns
                .first()
                .map(|turn| turn.words.clone())
                .unwrap_or_default(),
            confidence: understood.confidence,
            interpreted_by: understood.by,
            repeats,
            turn_id: self.person_turn(),
            at: self.now,
        }
    }

    /// The turn in which the person spoke: the first of the step.
    fn person_turn(&self) -> crate::id::TurnId {
        self.turns
            .first()
            .map_or_else(|| self.ids.next(), |turn| turn.id)
    }

    /// Records what the person said: the first turn of the step.
    pub(super) fn record_person(&mut self, heard: &Heard, interpretation: Option<Interpretation>) {
        let (words, heard_with) = match heard {
            Heard::Speech { words, confidence } => (words.clone(), *confidence),
            Heard::Keys { keys } => (keys.clone(), None),
            Heard::Silence => (String::new(), None),
        };
        self.record(Speaker::Person, words, heard_with, interpretation);
    }

    /// Says something and listens.
    pub(super) fn say_and_listen(&mut self, say: Vec<String>) {
        let expected = self
            .conversation
            .expected(self.script)
            .unwrap_or(Expected::FreeText);
        let silence_seconds = if expected == Expected::FreeText {
            SILENCE_OPEN
        } else {
            SILENCE_CLOSED
        };
        let step = self.conversation.step + 1;
        self.say(
            say,
            Then::Listen {
                step,
                expected,
                silence_seconds,
            },
        );
    }

    /// Says something.
    pub(super) fn say(&mut self, say: Vec<String>, then: Then) {
        self.record(Speaker::Agent, say.join(" "), None, None);
        self.conversation.step += 1;
        self.conversation.last_reply = VoiceReply {
            language: self.script.language(),
            voice: self.script.voice(),
            say,
            then,
        };
    }

    fn record(
        &mut self,
        speaker: Speaker,
        words: String,
        heard_with: Option<Confidence>,
        interpretation: Option<Interpretation>,
    ) {
        let question_key = match self.conversation.position {
            Position::Question { index, .. } => self
                .script
                .questions()
                .get(usize::from(index))
                .map(|question| question.key.clone()),
            Position::Consent { .. } | Position::Ended => None,
        };
        self.conversation.turns += 1;
        self.turns.push(Turn {
            id: self.ids.next(),
            company_id: self.conversation.company_id,
            attempt_id: self.conversation.attempt_id,
            sequence: self.conversation.turns,
            speaker,
            words,
            heard_with,
            interpretation,
            question_key,
            at: self.now,
        });
    }
}
