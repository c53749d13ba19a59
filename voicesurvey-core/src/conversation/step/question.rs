//! Asking questions: which comes next, what an answer leads to, and what a miss does.

use super::super::{Answer, AnswerResult, Doubt, Pending, Position};
use super::Heard;
use super::caps::READ_BACK_BELOW;
use super::taker::StepTaker;
use crate::interpretation::{Intent, Interpretation, InterpretedBy};
use crate::outcome::Outcome;
use crate::survey::{AnswerValue, Question};

/// Where an interview stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Standing {
    /// The question at hand.
    pub(super) index: u16,
    /// How often it was missed.
    pub(super) tries: u8,
    /// How many answers this call has so far.
    pub(super) answered: u16,
}

impl<'a> StepTaker<'a> {
    pub(super) fn question(&self, index: u16) -> Option<&'a Question> {
        self.script.questions().get(usize::from(index))
    }

    pub(super) fn hear_answer(&mut self, at: Standing, heard: &Heard, meant: &Interpretation) {
        let Some(question) = self.question(at.index) else {
            self.leave();
            return;
        };
        let again = at.tries < question.retries;
        match &meant.intent {
            Intent::Answer { value } if question.kind.accepts(value) => {
                self.take_value(at, question, value, heard, meant);
            }
            Intent::Skip | Intent::DontKnow if question.required && again => {
                let required = self.script.lines().required.clone();
                self.ask_again(at, vec![required, self.script.question(question)]);
            }
            Intent::Skip => self.give_up(at, question, AnswerResult::Skipped, meant),
            Intent::DontKnow => self.give_up(at, question, AnswerResult::DontKnow, meant),
            Intent::Stop => self.leave(),
            intent if self.take_aside(intent) => {}
            intent if again => {
                let say = self.after_miss(question, at.tries, *heard == Heard::Silence, intent);
                self.ask_again(at, say);
            }
            // Somebody who has been silent for so long is not there any more. Nothing is stored: were
            // they called again, they would be asked again.
            _ if *heard == Heard::Silence => self.leave(),
            _ => self.give_up(at, question, AnswerResult::NotUnderstood, meant),
        }
    }

    /// Takes an answer. One that is doubtful is stored at once, with its doubt, and then read back:
    /// should the line drop meanwhile, nothing is lost.
    fn take_value(
        &mut self,
        at: Standing,
        question: &Question,
        value: &AnswerValue,
        heard: &Heard,
        meant: &Interpretation,
    ) {
        let answered = at.answered + 1;
        let result = AnswerResult::Answered {
            value: value.clone(),
        };
        let doubt = doubt(value, heard, meant);
        let mut answer = self.record_answer(question, result, at.tries, meant);
        answer.doubt = doubt;
        if !is_doubtful(value, heard, meant) {
            self.answer = Some(answer);
            self.ask(at.index + 1, answered, Vec::new());
            return;
        }
        answer.doubt = doubt
            .filter(|doubt| *doubt == Doubt::Disagreement)
            .or(Some(Doubt::Unconfirmed));
        // Who is not wanted any more if the value is right has not completed the interview.
        let is_last = self.question(self.next_question(at.index + 1)).is_none()
            && !self.script.turns_away(&question.key, &self.given);
        let pending = pending(&answer, value, is_last);
        self.answer = Some(answer);
        if !self.count_aside() {
            self.ask(at.index + 1, answered, Vec::new());
            return;
        }
        self.conversation.memory.pending = Some(pending);
        self.conversation.position = Position::Confirm {
            index: at.index,
            tries: at.tries,
            answered,
        };
        let say = self.read_back(at.index).into_iter().collect();
        self.go_on(say, 0);
    }

    /// The answer with what speaks against it, for one that is not read back (any more).
    pub(super) fn take_corrected(
        &mut self,
        at: Standing,
        question: &Question,
        value: &AnswerValue,
        heard: &Heard,
        meant: &Interpretation,
    ) {
        let result = AnswerResult::Answered {
            value: value.clone(),
        };
        let mut answer = self.record_answer(question, result, at.tries, meant);
        answer.doubt = doubt(value, heard, meant);
        self.answer = Some(answer);
        self.ask(at.index + 1, at.answered, Vec::new());
    }

    /// Counts a miss and asks again.
    pub(super) fn ask_again(&mut self, at: Standing, say: Vec<String>) {
        self.conversation.position = Position::Question {
            index: at.index,
            tries: at.tries + 1,
            answered: at.answered,
        };
        self.go_on(say, 0);
    }

    /// Leaves the question at hand without an answer and goes on.
    pub(super) fn give_up(
        &mut self,
        at: Standing,
        question: &Question,
        result: AnswerResult,
        meant: &Interpretation,
    ) {
        self.answer = Some(self.record_answer(question, result, at.tries, meant));
        let lead = vec![self.script.lines().moving_on.clone()];
        self.ask(at.index + 1, at.answered, lead);
    }

    /// Asks the first question from `index` on that is to be asked, or completes the interview when
    /// there is none. Thanks and says goodbye if the answer to the one before tells that the person
    /// is not wanted any more.
    pub(super) fn ask(&mut self, index: u16, answered: u16, mut say: Vec<String>) {
        let before = index
            .checked_sub(1)
            .and_then(|before| self.question(before));
        if before.is_some_and(|before| self.script.turns_away(&before.key, &self.given)) {
            let goodbye = self.script.closing(&self.script.lines().goodbye);
            self.end(&goodbye, Outcome::QuotaFull);
            return;
        }
        let index = self.next_question(index);
        self.conversation.position = Position::Question {
            index,
            tries: 0,
            answered,
        };
        self.conversation.memory.asides = 0;
        self.conversation.memory.pending = None;
        let Some(question) = self.question(index) else {
            self.end(&self.script.completion(), Outcome::Completed);
            return;
        };
        say.push(self.script.question(question));
        self.go_on(say, 0);
    }

    /// The first question from `index` on that was not asked yet and whose condition holds; behind
    /// the last one if there is none.
    fn next_question(&self, index: u16) -> u16 {
        let is_due = |question: &Question| {
            self.given.get(&question.key).is_none()
                && question
                    .show_if
                    .as_ref()
                    .is_none_or(|condition| condition.holds(&self.given))
        };
        let questions = self.script.questions();
        let next = (usize::from(index)..questions.len()).find(|&next| is_due(&questions[next]));
        u16::try_from(next.unwrap_or(questions.len())).unwrap_or(u16::MAX)
    }
}

fn pending(answer: &Answer, value: &AnswerValue, is_last: bool) -> Pending {
    Pending {
        value: value.clone(),
        words: answer.words.clone(),
        turn_id: answer.turn_id,
        interpreted_by: answer.interpreted_by,
        confidence: answer.confidence,
        is_last,
    }
}

/// Whether a value is read back before it counts.
fn is_doubtful(value: &AnswerValue, heard: &Heard, meant: &Interpretation) -> bool {
    matches!(value, AnswerValue::Number(_) | AnswerValue::Choice(_))
        && meant.by != InterpretedBy::Keypad
        && (meant.confidence < READ_BACK_BELOW || heard.is_hardly_heard() || meant.other.is_some())
}

/// Why a person should look at a value.
fn doubt(value: &AnswerValue, heard: &Heard, meant: &Interpretation) -> Option<Doubt> {
    // Any words are a text, and a key is what it is: there the interpreter's confidence says nothing.
    let is_interpreted =
        meant.by != InterpretedBy::Keypad && !matches!(value, AnswerValue::Text(_));
    if meant.other.is_some() {
        Some(Doubt::Disagreement)
    } else if heard.is_hardly_heard() || is_interpreted && meant.confidence < Answer::REVIEW_BELOW {
        Some(Doubt::LowConfidence)
    } else {
        None
    }
}
