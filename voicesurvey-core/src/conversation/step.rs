//! One step of a conversation: what was heard goes in, what is to be stored and said comes out.
//!
//! Pure: the words were interpreted before, and the service stores what comes out before the reply
//! is spoken (I9). Every loop is capped, so a conversation always ends.

use serde::{Deserialize, Serialize};

use super::{
    Answer, AnswerResult, Consent, Conversation, Position, Script, Speaker, Then, Turn, VoiceReply,
};
use crate::call_attempt::CallAttempt;
use crate::id::IdGenerator;
use crate::interpretation::{Confidence, Expected, Intent, Interpretation, InterpretedBy};
use crate::outcome::Outcome;
use crate::survey::Question;
use crate::time::Timestamp;

/// How often consent is asked for again before the call is ended.
const CONSENT_RETRIES: u8 = 2;
/// How often somebody who asks for it hears the same thing again.
const REPEATS: u8 = 5;
/// Seconds of silence after which nothing was said: closed and open questions (`VoiceXML` practice).
const SILENCE_CLOSED: u16 = 5;
const SILENCE_OPEN: u16 = 7;

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
    /// Whether at least one question was answered, so that there is a response to keep.
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

/// A step while it is being taken.
struct StepTaker<'a> {
    conversation: Conversation,
    script: &'a Script<'a>,
    ids: &'a IdGenerator,
    now: Timestamp,
    turns: Vec<Turn>,
}

impl StepTaker<'_> {
    fn take(mut self, heard: &Heard, understood: Option<Interpretation>) -> Step {
        self.record_person(heard, understood.clone());
        let understood = understood.unwrap_or(Interpretation {
            intent: Intent::Unclear,
            confidence: Confidence::CERTAIN,
            by: InterpretedBy::Rules,
        });
        let silent = *heard == Heard::Silence;
        let (answer, consent, conclusion) = if self.is_too_long() {
            (None, None, Some(self.leave()))
        } else {
            match self.conversation.position {
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
                        self.hear_answer(index, tries, answered, heard, &understood);
                    (answer, None, conclusion)
                }
                Position::Ended => (None, None, None),
            }
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
            Intent::Answer { value: YesNo(true) } => {
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
        heard: &Heard,
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
                let silent = *heard == Heard::Silence;
                let lead = if silent {
                    phrases.not_heard
                } else {
                    phrases.not_understood
                };
                self.ask_again(index, tries, answered, Some(lead), true)
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

    /// What can be said to this question, for the second time it is asked.
    fn explanation(&self, question: &Question) -> Option<String> {
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

    fn is_too_long(&self) -> bool {
        let longest = self.script.skillbase().longest_call;
        (self.now - self.conversation.started_at)
            .to_std()
            .is_ok_and(|elapsed| elapsed > longest)
    }

    fn consent(&self, given: bool) -> Consent {
        Consent {
            attempt_id: self.conversation.attempt_id,
            company_id: self.conversation.company_id,
            task_id: self.conversation.task_id,
            given,
            text: self.script.consent().join(" "),
            language: self.conversation.language,
            turn_id: self.person_turn(),
            at: self.now,
        }
    }

    fn answer(
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

    fn record_person(&mut self, heard: &Heard, interpretation: Option<Interpretation>) {
        let (words, heard_with) = match heard {
            Heard::Speech { words, confidence } => (words.clone(), *confidence),
            Heard::Keys { keys } => (keys.clone(), None),
            Heard::Silence => (String::new(), None),
        };
        self.record(Speaker::Person, words, heard_with, interpretation);
    }

    fn say_and_listen(&mut self, say: Vec<String>) {
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

    fn say(&mut self, say: Vec<String>, then: Then) {
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
