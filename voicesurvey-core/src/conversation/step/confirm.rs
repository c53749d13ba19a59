//! "Four, right?": a doubtful value is read back once.

use super::super::{AnswerResult, Position};
use super::Heard;
use super::question::Standing;
use super::taker::StepTaker;
use crate::interpretation::{Confidence, Intent, Interpretation};
use crate::survey::AnswerValue::YesNo;
use crate::survey::Question;

/// How sure a value is that the person has said is right.
const CONFIRMED: Confidence = Confidence::from_hundredths(95);

impl StepTaker<'_> {
    /// What is said to have the pending value confirmed.
    pub(super) fn read_back(&self, index: u16) -> Option<String> {
        let question = self.question(index)?;
        let pending = self.conversation.memory.pending.as_ref()?;
        let value = self.script.spoken(question, &pending.value);
        let line = &self.script.lines().confirm_value;
        Some(line.replace("{value}", &value))
    }

    pub(super) fn hear_confirmation(
        &mut self,
        at: Standing,
        heard: &Heard,
        meant: &Interpretation,
    ) {
        let pending = self.conversation.memory.pending.clone();
        let (Some(question), Some(pending)) = (self.question(at.index), pending) else {
            self.leave();
            return;
        };
        match &meant.intent {
            Intent::Answer { value } if *value == YesNo(true) || *value == pending.value => {
                // The words that hold the value stay its evidence.
                let result = AnswerResult::Answered {
                    value: pending.value,
                };
                let mut answer = self.record_answer(question, result, at.tries, meant);
                answer.words = pending.words;
                answer.turn_id = pending.turn_id;
                answer.interpreted_by = pending.interpreted_by;
                answer.confidence = CONFIRMED;
                self.answer = Some(answer);
                self.ask(at.index + 1, at.answered, Vec::new());
            }
            // "No, seven" of a scale to five, "three or four": whatever it was, not that value.
            Intent::Answer {
                value: YesNo(false),
            }
            | Intent::OutOfRange { .. }
            | Intent::Ambiguous { .. } => self.deny(at, question, meant),
            Intent::Answer { value } if question.kind.accepts(value) => {
                self.take_corrected(at, question, value, heard, meant);
            }
            Intent::Stop => self.leave(),
            intent if *heard != Heard::Silence && self.take_aside(intent) => {}
            // The value stays as it is stored, with its doubt.
            _ => self.ask(at.index + 1, at.answered, Vec::new()),
        }
    }

    /// The value was wrong: it is taken back at once, and the question is asked again.
    fn deny(&mut self, at: Standing, question: &Question, meant: &Interpretation) {
        let at = Standing {
            answered: at.answered.saturating_sub(1),
            ..at
        };
        self.conversation.memory.pending = None;
        self.conversation.position = Position::Question {
            index: at.index,
            tries: at.tries,
            answered: at.answered,
        };
        if at.tries >= question.retries {
            self.give_up(at, question, AnswerResult::NotUnderstood, meant);
            return;
        }
        let result = AnswerResult::NotUnderstood;
        self.answer = Some(self.record_answer(question, result, at.tries, meant));
        let say = self.after_miss(question, at.tries, false, &meant.intent);
        self.ask_again(at, say);
    }
}
