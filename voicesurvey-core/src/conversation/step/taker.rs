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
        let (meant, other_language) = self.meant(understood);
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
        if let Some(language) = other_language {
            self.switch_to(language);
        }
        self.react(heard, &meant, other_language.is_some());
        self.into_step()
    }

    /// What is followed of what was understood, and the language to go on in if it changes.
    ///
    /// An opt-out counts in every language of the survey. Another language is spoken when the words
    /// were not surely understood in this one; such an utterance answers nothing, but what it wants
    /// of the call counts.
    fn meant(&self, understood: &Understood) -> (Option<Interpretation>, Option<Language>) {
        let here = understood.here.as_ref();
        let elsewhere = understood.elsewhere.as_ref().filter(|(language, _)| {
            *language != self.conversation.language && self.script.offers(*language)
        });
        let Some((language, elsewhere)) = elsewhere else {
            return (here.cloned(), None);
        };
        let is_final =
            |meant: &&Interpretation| matches!(meant.intent, Intent::OptOut | Intent::WrongPerson);
        let is_sure = here
            .is_some_and(|here| here.intent != Intent::Unclear && here.confidence >= SURELY_HERE);
        let may_switch = self.conversation.memory.switches.len() < SWITCHES;
        let other_language = may_switch.then_some(*language);
        match elsewhere.intent {
            Intent::OptOut => (Some(elsewhere.clone()), other_language),
            _ if is_sure || here.as_ref().is_some_and(is_final) => (here.cloned(), None),
            Intent::WrongPerson | Intent::Stop | Intent::CallBack => {
                (Some(elsewhere.clone()), other_language)
            }
            _ => (here.cloned(), other_language),
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

    fn react(&mut self, heard: &Heard, meant: &Interpretation, switched: bool) {
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
            (_, Position::Appointment { .. }) if switched && self.named_time(heard).is_none() => {
                self.say_again_translated();
            }
            (_, Position::Appointment { tries, .. }) => self.hear_time(tries, heard, meant),
            (Intent::CallBack, _) => self.call_later(heard),
            (intent, _) if switched && *intent != Intent::Stop => self.say_again_translated(),
            (_, Position::Consent { tries }) => self.hear_consent(tries, meant),
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
        let mut say = vec![self.script.lines().language_changed.clone()];
        let mut firm = 0;
        if matches!(self.conversation.position, Position::Consent { .. }) {
            let opening = self.script.opening(self.conversation.is_resumption());
            firm = opening.firm.saturating_add(1);
            say.extend(opening.say);
        } else {
            say.extend(self.at_hand());
        }
        self.go_on(say, firm);
    }

    /// Says something and listens, unless the call has gone on for long enough.
    pub(super) fn go_on(&mut self, say: Vec<String>, firm: u16) {
        if self.is_enough() {
            self.leave();
        } else {
            self.say_and_listen(say, firm);
        }
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
