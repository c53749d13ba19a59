//! What follows from what was heard: what counts at any moment, and who decides the rest.

use super::super::memory::LanguageSwitch;
use super::super::{Answer, Consent, Conversation, Given, Position, Script, Then, Turn};
use super::caps::{ASIDES, SURELY_HERE, SWITCHES};
use super::question::Standing;
use super::{Conclusion, Heard, Step, Understood};
use crate::id::IdGenerator;
use crate::interpretation::{Confidence, Intent, Interpretation, InterpretedBy};
use crate::language::Language;
use crate::outcome::Outcome;
use crate::survey::AnswerValue::YesNo;
use crate::time::Timestamp;

/// A step while it is being taken.
pub(super) struct StepTaker<'a> {
    pub(super) conversation: Conversation,
    /// What can be said, in the language spoken from now on.
    pub(super) script: Script<'a>,
    /// What could be said until now: the words that the person has answered.
    pub(super) asked_in: Script<'a>,
    pub(super) given: Given,
    pub(super) ids: &'a IdGenerator,
    pub(super) now: Timestamp,
    pub(super) turns: Vec<Turn>,
    pub(super) answer: Option<Answer>,
    pub(super) consent: Option<Consent>,
    pub(super) conclusion: Option<Conclusion>,
}

/// What is followed of what was understood.
struct Followed {
    meant: Option<Interpretation>,
    /// The language to go on in, if it changes.
    language: Option<Language>,
    /// Whether it says anything besides that the language changes.
    counts: bool,
}

impl Followed {
    /// What was understood in the language that is spoken.
    const fn here(meant: Option<Interpretation>) -> Self {
        Self {
            meant,
            language: None,
            counts: true,
        }
    }
}

impl<'a> StepTaker<'a> {
    pub(super) fn new(
        conversation: Conversation,
        script: &Script<'a>,
        given: &Given,
        ids: &'a IdGenerator,
        now: Timestamp,
    ) -> Self {
        let script = script.spoken_in(conversation.language);
        Self {
            conversation,
            script,
            asked_in: script,
            given: given.clone(),
            ids,
            now,
            turns: Vec::new(),
            answer: None,
            consent: None,
            conclusion: None,
        }
    }

    /// Decides what follows from what was heard.
    pub(super) fn take(mut self, heard: &Heard, understood: &Understood) -> Step {
        let Followed {
            meant,
            language,
            counts,
        } = self.followed(understood);
        self.record_person(heard, meant.clone());
        let meant = meant.unwrap_or(Interpretation::new(
            Intent::Unclear,
            Confidence::CERTAIN,
            InterpretedBy::Rules,
        ));
        let memory = &mut self.conversation.memory;
        memory.silences = match heard {
            Heard::Silence => memory.silences.saturating_add(1),
            Heard::Speech { .. } | Heard::Keys { .. } => 0,
        };
        if let Some(language) = language {
            self.switch_to(language);
        }
        self.react(heard, &meant, counts);
        self.into_step()
    }

    /// What is followed of what was understood, and the language to go on in if it changes.
    ///
    /// An opt-out counts in every language of the survey, and so does what a person who speaks
    /// another one wants of the call. Any other utterance in another language answers nothing, unless
    /// it means the same in both: an answer to an open question, "no", a number in digits. What was
    /// understood to the last word in the language spoken was not said in another one.
    fn followed(&self, understood: &Understood) -> Followed {
        let here = understood.here.clone();
        let elsewhere = understood.elsewhere.as_ref().filter(|(language, _)| {
            *language != self.conversation.language && self.script.offers(*language)
        });
        let Some((language, elsewhere)) = elsewhere else {
            return Followed::here(here);
        };
        let is_final =
            |meant: &Interpretation| matches!(meant.intent, Intent::OptOut | Intent::WrongPerson);
        let is_sure = |meant: &Interpretation| {
            meant.intent != Intent::Unclear && meant.confidence >= SURELY_HERE
        };
        let is_here = here
            .as_ref()
            .is_some_and(|here| is_final(here) || is_sure(here));
        if is_here && elsewhere.intent != Intent::OptOut {
            return Followed::here(here);
        }
        let may_switch = self.conversation.memory.switches.len() < SWITCHES;
        let language = may_switch.then_some(*language);
        let is_wish =
            is_final(elsewhere) || matches!(elsewhere.intent, Intent::Stop | Intent::CallBack);
        let is_said_in_both = here
            .as_ref()
            .is_some_and(|here| here.intent == elsewhere.intent);
        if is_wish || is_said_in_both {
            // Nobody agrees to words that they may not have understood.
            let agrees = matches!(self.conversation.position, Position::Consent { .. })
                && matches!(elsewhere.intent, Intent::Answer { value: YesNo(true) });
            let is_understood = elsewhere.intent != Intent::Unclear && !agrees;
            return Followed {
                meant: Some(elsewhere.clone()),
                counts: is_understood || language.is_none(),
                language,
            };
        }
        Followed {
            meant: here,
            counts: language.is_none(),
            language,
        }
    }

    fn switch_to(&mut self, language: Language) {
        let from = self.conversation.language;
        self.conversation.language = language;
        self.conversation.memory.switches.push(LanguageSwitch {
            turn: self.conversation.turns,
            from,
            to: language,
        });
        self.script = self.script.spoken_in(language);
    }

    /// `counts` is false for an utterance that has only changed the language.
    fn react(&mut self, heard: &Heard, meant: &Interpretation, counts: bool) {
        let lines = self.script.lines();
        match (&meant.intent, self.conversation.position) {
            (_, Position::Ended) => {}
            (Intent::OptOut, position) => {
                if matches!(position, Position::Consent { .. }) {
                    self.record_consent(false, meant);
                }
                self.end(&lines.goodbye_opted_out, Outcome::OptedOut);
            }
            (Intent::WrongPerson, _) => {
                self.end(&lines.goodbye_wrong_person, Outcome::WrongPerson);
            }
            (_, Position::Appointment { .. }) if !counts && self.named_time(heard).is_none() => {
                self.say_again_translated();
            }
            (_, Position::Appointment { tries, .. }) => self.hear_time(tries, heard, meant),
            (Intent::CallBack, _) => self.call_later(heard),
            _ if !counts => self.say_again_translated(),
            (_, Position::Consent { tries }) => self.hear_consent(tries, heard, meant),
            (
                _,
                Position::Question {
                    index,
                    tries,
                    answered,
                },
            ) => {
                let at = Standing {
                    index,
                    tries,
                    answered,
                };
                self.hear_answer(at, heard, meant);
            }
            (
                _,
                Position::Confirm {
                    index,
                    tries,
                    answered,
                },
            ) => {
                let at = Standing {
                    index,
                    tries,
                    answered,
                };
                self.hear_confirmation(at, heard, meant);
            }
        }
    }

    /// What the conversation asks for at the moment, as it is said once more.
    pub(super) fn at_hand(&self) -> Vec<String> {
        let resumed = self.conversation.is_resumption();
        match self.conversation.position {
            Position::Consent { .. } => self.script.consent(resumed),
            Position::Question { index, .. } => {
                let question = self.question(index);
                let text = question.map(|question| self.script.question(question));
                text.into_iter().collect()
            }
            Position::Confirm { index, .. } => self.read_back(index).into_iter().collect(),
            Position::Appointment { .. } => vec![self.script.lines().ask_when.clone()],
            Position::Ended => Vec::new(),
        }
    }

    /// Goes into something that is no answer, and asks again. `false` if that was done too often.
    pub(super) fn take_aside(&mut self, intent: &Intent) -> bool {
        let lines = self.script.lines();
        let lead = match intent {
            Intent::Repeat => None,
            Intent::AskIdentity => Some(self.script.identity()),
            Intent::AskHuman => Some(lines.machine.clone()),
            _ => return false,
        };
        if !self.count_aside() {
            return false;
        }
        let say = lead.into_iter().chain(self.at_hand()).collect();
        self.go_on(say, 0);
        true
    }

    /// Counts one more aside; `false` if there have been enough.
    pub(super) fn count_aside(&mut self) -> bool {
        let asides = &mut self.conversation.memory.asides;
        let is_allowed = *asides < ASIDES;
        *asides += u8::from(is_allowed);
        is_allowed
    }

    /// The same again in the language that the person has changed to. Who has not consented hears
    /// everything that must be heard before.
    fn say_again_translated(&mut self) {
        if matches!(self.conversation.position, Position::Consent { .. }) {
            let opening = self.script.opening(self.conversation.is_resumption());
            self.go_on(opening.say, opening.firm);
        } else {
            self.go_on(self.at_hand(), 0);
        }
    }

    /// Says something and listens, unless the call has gone on for long enough. Who has changed the
    /// language hears that first.
    pub(super) fn go_on(&mut self, mut say: Vec<String>, mut firm: u16) {
        if self.is_enough() {
            self.leave();
            return;
        }
        if self.asked_in.language() != self.script.language() {
            say.insert(0, self.script.lines().language_changed.clone());
            firm += u16::from(firm > 0);
        }
        self.say_and_listen(say, firm);
    }

    /// Ends an interview that is not complete.
    pub(super) fn leave(&mut self) {
        let outcome = self.conversation.broken_off();
        let goodbye = self.script.closing(&self.script.lines().goodbye);
        self.end(&goodbye, outcome);
    }

    pub(super) fn end(&mut self, goodbye: &str, outcome: Outcome) {
        let answered = self.conversation.has_answers();
        self.say(vec![goodbye.to_owned()], 0, Then::HangUp);
        self.conclusion = Some(Conclusion { outcome, answered });
    }

    /// Whether the call has lasted long enough. Asked only before something more would be asked:
    /// what the person has just said counts, however late it is.
    fn is_enough(&self) -> bool {
        let longest = self.script.skillbase().longest_call;
        let elapsed = self.now - self.conversation.started_at;
        elapsed.to_std().is_ok_and(|elapsed| elapsed > longest)
            || self.conversation.step + 1 >= self.script.most_replies()
    }

    pub(super) fn into_step(mut self) -> Step {
        if let Some(conclusion) = self.conclusion {
            self.conversation.position = Position::Ended;
            self.conversation.outcome = Some(conclusion.outcome);
            self.conversation.memory.pending = None;
        }
        Step {
            conversation: self.conversation,
            turns: self.turns,
            answer: self.answer,
            consent: self.consent,
            conclusion: self.conclusion,
        }
    }
}
