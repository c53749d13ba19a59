//! What follows from what was heard: the decisions of one step.

use super::super::{Answer, AnswerResult, Consent, Conversation, Position, Script, Then, Turn};
use super::{Conclusion, Heard, Step};
use crate::id::IdGenerator;
use crate::interpretation::{Confidence, Intent, Interpretation, InterpretedBy};
use crate::outcome::Outcome;
use crate::survey::Question;
use crate::time::Timestamp;

/// How often consent is asked for again before the call is ended.
const CONSENT_RETRIES: u8 = 2;
/// How often somebody who asks for it hears the same thing again.
const REPEATS: u8 = 5;
/// A yes to the consent question counts from this confidence on; a no always counts.
const SURE_ENOUGH: Confidence = Confidence::from_hundredths(75);

/// A step while it is being taken.
pub(super) struct StepTaker<'a> {
    pub(super) conversation: Conversation,
    pub(super) script: &'a Script<'a>,
    pub(super) ids: &'a IdGenerator,
    pub(super) now: Timestamp,
    pub(super) turns: Vec<Turn>,
}

impl StepTaker<'_> {
    /// Decides what follows from what was heard.
    pub(super) fn take(mut self, heard: &Heard, understood: Option<Interpretation>) -> Step {
        self.record_person(heard, understood.clone());
        let understood = understood.unwrap_or(Interpretation {
            intent: Intent::Unclear,
            confidence: Confidence::CERTAIN,
            by: InterpretedBy::Rules,
        });
        let silent = *heard == Heard::Silence;
        let (answer, consent, conclusion) = match self.conversation.position {
            Position::Consent { tries } => {
                let (consent, conclusion) = self.hear_consent(tries, silent, &understood);
                (None, consent, conclusion)
            }
            Position::Question {
                index,
                tries,
                answered,
            } => {
                let (answer, conclusion) =
                    self.hear_answer(index, tries, answered, silent, &understood);
                (answer, None, conclusion)
            }
            Position::Ended => (None, None, None),
        };
        if let Some(conclusion) = conclusion {
            self.conversation.position = Position::Ended;
            self.conversation.outcome = Some(conclusion.outcome);
        }
        Step {
            conversation: self.conversation,
            turns: self.turns,
            answer,
            consent,
            conclusion,
        }
    }

    fn hear_consent(
        &mut self,
        tries: u8,
        silent: bool,
        understood: &Interpretation,
    ) -> (Option<Consent>, Option<Conclusion>) {
        use crate::survey::AnswerValue::YesNo;
        let phrases = self.script.phrases();
        match &understood.intent {
            Intent::Answer { value: YesNo(true) } if understood.confidence >= SURE_ENOUGH => {
                let consent = self.consent(true);
                let conclusion = self.ask(0, 0, Vec::new());
                (Some(consent), conclusion)
            }
            Intent::Answer {
                value: YesNo(false),
            }
            | Intent::Stop
            | Intent::Skip => {
                let consent = self.consent(false);
                (
                    Some(consent),
                    Some(self.end(phrases.goodbye_refused, Outcome::Refused)),
                )
            }
            Intent::Repeat if tries < REPEATS => self.ask_consent(tries + 1, None, true),
            Intent::AskIdentity if tries < REPEATS => {
                self.ask_consent(tries + 1, Some(phrases.identity), true)
            }
            Intent::AskHuman if tries < REPEATS => {
                self.ask_consent(tries + 1, Some(phrases.machine), true)
            }
            Intent::OptOut => {
                let consent = self.consent(false);
                (
                    Some(consent),
                    Some(self.end(phrases.goodbye_opted_out, Outcome::OptedOut)),
                )
            }
            Intent::CallBack => (
                None,
                Some(self.end(phrases.goodbye_later, Outcome::CallBackRequested)),
            ),
            Intent::WrongPerson => (
                None,
                Some(self.end(phrases.goodbye_wrong_person, Outcome::WrongPerson)),
            ),
            _ if tries < CONSENT_RETRIES => {
                let lead = if silent {
                    phrases.not_heard
                } else {
                    phrases.not_understood
                };
                self.ask_consent(tries + 1, Some(lead), false)
            }
            // Nobody said yes: nobody is interviewed.
            _ => (
                None,
                Some(self.end(phrases.goodbye, Outcome::HungUpBeforeConsent)),
            ),
        }
    }

    /// Asks for consent again: all of it when `whole`, else only what can be said.
    fn ask_consent(
        &mut self,
        tries: u8,
        lead: Option<&str>,
        whole: bool,
    ) -> (Option<Consent>, Option<Conclusion>) {
        self.conversation.position = Position::Consent { tries };
        if self.is_too_long() {
            return (None, Some(self.leave()));
        }
        let mut say: Vec<String> = lead.map(str::to_owned).into_iter().collect();
        if whole {
            say.extend(self.script.consent());
        } else {
            say.extend(self.script.consent().pop());
            say.push(self.script.phrases().say_yes_or_no.to_owned());
        }
        self.say_and_listen(say);
        (None, None)
    }

    fn hear_answer(
        &mut self,
        index: u16,
        tries: u8,
        answered: u16,
        silent: bool,
        understood: &Interpretation,
    ) -> (Option<Answer>, Option<Conclusion>) {
        let phrases = self.script.phrases();
        let Some(question) = self.script.questions().get(usize::from(index)) else {
            return (None, Some(self.leave()));
        };
        let again = tries < question.retries;
        match &understood.intent {
            Intent::Answer { value } if question.kind.accepts(value) => {
                let result = AnswerResult::Answered {
                    value: value.clone(),
                };
                let answer = self.answer(question, result, tries, understood);
                (Some(answer), self.ask(index + 1, answered + 1, Vec::new()))
            }
            Intent::Repeat if tries < REPEATS => {
                self.ask_again(index, tries, answered, None, false)
            }
            Intent::AskIdentity if tries < REPEATS => {
                self.ask_again(index, tries, answered, Some(phrases.identity), false)
            }
            Intent::AskHuman if tries < REPEATS => {
                self.ask_again(index, tries, answered, Some(phrases.machine), false)
            }
            Intent::Skip | Intent::DontKnow if question.required && again => {
                self.ask_again(index, tries, answered, Some(phrases.required), false)
            }
            Intent::Skip => self.give_up(question, AnswerResult::Skipped, understood),
            Intent::DontKnow => self.give_up(question, AnswerResult::DontKnow, understood),
            Intent::OptOut => (
                None,
                Some(self.end(phrases.goodbye_opted_out, Outcome::OptedOut)),
            ),
            Intent::WrongPerson => (
                None,
                Some(self.end(phrases.goodbye_wrong_person, Outcome::WrongPerson)),
            ),
            // Asking to be called later in the middle of an interview ends it as it stands.
            Intent::Stop | Intent::CallBack => (None, Some(self.leave())),
            _ if again => {
                let lead = if silent {
                    phrases.not_heard
                } else {
                    phrases.not_understood
                };
                self.ask_again(index, tries, answered, Some(lead), true)
            }
            // Somebody who has been silent for so long is not there any more.
            _ if silent => {
                let result = AnswerResult::NotUnderstood;
                let answer = self.answer(question, result, tries, understood);
                (Some(answer), Some(self.leave()))
            }
            _ => self.give_up(question, AnswerResult::NotUnderstood, understood),
        }
    }

    fn ask_again(
        &mut self,
        index: u16,
        tries: u8,
        answered: u16,
        lead: Option<&str>,
        explain: bool,
    ) -> (Option<Answer>, Option<Conclusion>) {
        self.conversation.position = Position::Question {
            index,
            tries: tries + 1,
            answered,
        };
        if self.is_too_long() {
            return (None, Some(self.leave()));
        }
        let mut say: Vec<String> = lead.map(str::to_owned).into_iter().collect();
        if let Some(question) = self.script.questions().get(usize::from(index)) {
            say.push(self.script.question(question));
            if explain {
                say.extend(self.explanation(question));
            }
        }
        self.say_and_listen(say);
        (None, None)
    }

    /// Leaves the question at hand without an answer and goes on.
    fn give_up(
        &mut self,
        question: &Question,
        result: AnswerResult,
        understood: &Interpretation,
    ) -> (Option<Answer>, Option<Conclusion>) {
        let Position::Question {
            index,
            tries,
            answered,
        } = self.conversation.position
        else {
            return (None, None);
        };
        let answer = self.answer(question, result, tries, understood);
        let lead = vec![self.script.phrases().moving_on.to_owned()];
        (Some(answer), self.ask(index + 1, answered, lead))
    }

    /// Asks the question at `index`, or completes the interview when there is none.
    fn ask(&mut self, index: u16, answered: u16, mut say: Vec<String>) -> Option<Conclusion> {
        self.conversation.position = Position::Question {
            index,
            tries: 0,
            answered,
        };
        let Some(question) = self.script.questions().get(usize::from(index)) else {
            return Some(self.end(&self.script.completion(), Outcome::Completed));
        };
        if self.is_too_long() {
            return Some(self.leave());
        }
        say.push(self.script.question(question));
        self.say_and_listen(say);
        None
    }

    /// Ends an interview that is not complete.
    fn leave(&mut self) -> Conclusion {
        let outcome = self.conversation.broken_off();
        self.end(&self.script.closing(self.script.phrases().goodbye), outcome)
    }

    fn end(&mut self, goodbye: &str, outcome: Outcome) -> Conclusion {
        let answered = self.conversation.answered() > 0;
        self.say(vec![goodbye.to_owned()], Then::HangUp);
        Conclusion { outcome, answered }
    }

    /// Whether the call has lasted long enough. Asked only before something more would be asked:
    /// what the person has just said counts, however late it is.
    fn is_too_long(&self) -> bool {
        let longest = self.script.skillbase().longest_call;
        (self.now - self.conversation.started_at)
            .to_std()
            .is_ok_and(|elapsed| elapsed > longest)
    }
}
