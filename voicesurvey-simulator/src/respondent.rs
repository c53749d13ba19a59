//! Whoever answered a call, and how they react to what is said.

use std::ops::ControlFlow;

use chrono::TimeDelta;
use voicesurvey_core::call_attempt::AnsweredBy;
use voicesurvey_core::conversation::{Heard, Listen, Then, VoiceReply};
use voicesurvey_core::interpretation::{Confidence, Expected};
use voicesurvey_core::language::Language;

use crate::chance::Chance;
use crate::person::{Attitude, Person};
use crate::settings::{Between, Population, Probability};
use crate::speech::{Manner, Speaker, Vocabulary, keys};

/// How fast the host's voice speaks.
pub(crate) const VOICE_WORDS_PER_MINUTE: u32 = 150;

/// How often somebody says that they will not take part before they just hang up.
const PATIENCE: u8 = 3;

/// Whoever answers a call, if it is answered.
#[derive(Debug)]
pub(crate) struct Respondent {
    person: Person,
    chance: Chance,
    intention: Intention,
    /// Whether they first want to know who is calling.
    asks_who: bool,
    /// How often they have said that they will not take part.
    declined: u8,
}

/// What whoever picks up is going to do when they are asked to take part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Intention {
    HangUp,
    /// It is another person of the household, who asks to call again.
    TellAbsence,
    AskForAnotherTime,
    Decide,
}

/// What follows, counted from the instant at which the reply was asked for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Reaction {
    pub(crate) after: TimeDelta,
    pub(crate) act: Act,
}

/// What whoever answered does.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Act {
    /// Says something, presses keys, or says nothing.
    Answers { step: u32, heard: Heard },
    /// The call ends, because they hang up or because the host does.
    Ends,
}

impl Respondent {
    pub(crate) fn new(person: Person, mut chance: Chance, population: &Population) -> Self {
        let intention = if chance.happens(population.consent.hangs_up) {
            Intention::HangUp
        } else if chance.happens(population.lines.another_person) {
            Intention::TellAbsence
        } else if chance.happens(population.consent.calls_back) {
            Intention::AskForAnotherTime
        } else {
            Intention::Decide
        };
        let asks_who = chance.happens(population.consent.asks_who);
        Self {
            person,
            chance,
            intention,
            asks_who,
            declined: 0,
        }
    }

    /// What they do when they have heard `reply`; a machine that answered in their place never says
    /// anything.
    pub(crate) fn react(
        &mut self,
        reply: &VoiceReply,
        answered_by: AnsweredBy,
        population: &Population,
    ) -> Reaction {
        let words = reply.say.iter().map(|sentence| count_words(sentence)).sum();
        let listening = speaking_time(words, VOICE_WORDS_PER_MINUTE);
        let Then::Listen(Listen {
            step,
            expected,
            silence_seconds,
            ..
        }) = &reply.then
        else {
            let after = listening + self.chance.milliseconds(300, 800);
            return Reaction {
                after,
                act: Act::Ends,
            };
        };
        let heard = match answered_by {
            AnsweredBy::Person | AnsweredBy::Unknown => {
                self.say_to(reply.language, expected, population)
            }
            // Machines record, whistle or wait: none of them answers.
            _ => Some(Heard::Silence),
        };
        let Some(heard) = heard else {
            // They do not wait until the voice has finished.
            let percent = self.chance.between(Between::new(20, 100)).cast_signed();
            return Reaction {
                after: listening * percent / 100,
                act: Act::Ends,
            };
        };
        let answering = match &heard {
            Heard::Silence => TimeDelta::seconds((*silence_seconds).into()),
            Heard::Keys { keys } => self.pause() + TimeDelta::milliseconds(600) * key_count(keys),
            Heard::Speech { words, .. } => {
                self.pause() + speaking_time(count_words(words), self.person.words_per_minute)
            }
        };
        Reaction {
            after: listening + answering,
            act: Act::Answers { step: *step, heard },
        }
    }

    /// What they say or press when that is expected of them, in the language in which they were
    /// asked; `None` if they hang up.
    fn say_to(
        &mut self,
        language: Language,
        expected: &Expected,
        population: &Population,
    ) -> Option<Heard> {
        match expected {
            Expected::Consent => self.consider(language, population),
            Expected::CallBackTime => self.name_time(language, population),
            Expected::Confirm { of } => self.confirm(language, expected, of, population),
            _ => self.answer(language, expected, population),
        }
    }

    /// What they say when they are asked to take part; `None` if they hang up.
    fn consider(&mut self, language: Language, population: &Population) -> Option<Heard> {
        if self.intention == Intention::HangUp || self.declined >= PATIENCE {
            return None;
        }
        if let Some(evasion) = self.evade(language, population) {
            return Some(evasion);
        }
        if let Some(foreign) = self.speak_another(language, &Expected::Consent, population) {
            return Some(foreign);
        }
        let vocabulary = Vocabulary::of(language);
        if std::mem::take(&mut self.asks_who) {
            return Some(self.ask_back(language));
        }
        let declines = match (self.intention, self.person.attitude) {
            _ if !self.person.is_meant => vocabulary.wrong_person,
            (Intention::TellAbsence, _) => vocabulary.absent,
            (Intention::AskForAnotherTime, _) => {
                return Some(self.ask_for_another_time(vocabulary.later, language, population));
            }
            (_, Attitude::OptsOut) => {
                return Some(self.opt_out(language, &Expected::Consent, population));
            }
            (_, Attitude::Refuses) => vocabulary.refuses,
            (_, Attitude::Consents) => return Some(self.say(vocabulary.consents)),
        };
        self.declined += 1;
        Some(self.say(declines))
    }

    /// What they say when they are asked when to call again; `None` if they hang up.
    fn name_time(&mut self, language: Language, population: &Population) -> Option<Heard> {
        let vocabulary = Vocabulary::of(language);
        if self.declined > PATIENCE {
            return None;
        }
        if let Some(evasion) = self.evade(language, population) {
            return Some(evasion);
        }
        self.declined += 1;
        if self.chance.happens(population.consent.names_time) {
            return Some(self.say(vocabulary.times));
        }
        let hangs_up = self.chance.happens(Probability::percent(30));
        (!hangs_up).then(|| self.say(vocabulary.later))
    }

    /// What they say when an answer of theirs is read back; `None` if they hang up.
    fn confirm(
        &mut self,
        language: Language,
        expected: &Expected,
        of: &Expected,
        population: &Population,
    ) -> Option<Heard> {
        if let ControlFlow::Break(heard) = self.do_something_else(language, expected, population) {
            return heard;
        }
        let denies = self.chance.happens(population.confirmations.denies);
        let corrects = self.chance.happens(population.confirmations.corrects);
        let presses_keys = self.chance.happens(population.questions.presses_keys);
        if denies && presses_keys {
            let keys = "2".to_owned();
            return Some(Heard::Keys { keys });
        }
        if denies {
            return Some(self.say(Vocabulary::of(language).denies));
        }
        let mut speaker = self.speaker(language);
        if corrects {
            let words = speaker.correction(of).words;
            return Some(self.speech(words));
        }
        let keys = presses_keys.then(|| speaker.keys(expected)).flatten();
        if keys.is_some() {
            return keys;
        }
        let words = speaker.answer(expected, Manner::Plain).words;
        Some(self.speech(words))
    }

    /// What they say to a question of the survey; `None` if they hang up.
    fn answer(
        &mut self,
        language: Language,
        expected: &Expected,
        population: &Population,
    ) -> Option<Heard> {
        if let ControlFlow::Break(heard) = self.do_something_else(language, expected, population) {
            return heard;
        }
        let vocabulary = Vocabulary::of(language);
        let questions = &population.questions;
        if self.chance.happens(questions.skips) {
            return Some(self.say(vocabulary.skips));
        }
        if self.chance.happens(questions.does_not_know) {
            return Some(self.say(vocabulary.does_not_know));
        }
        let out_of_range = self.chance.happens(questions.out_of_range);
        let presses_keys = self.chance.happens(questions.presses_keys);
        let manner = self.manner(population);
        let is_hardly_heard = self.chance.happens(questions.hardly_heard);
        let mut speaker = self.speaker(language);
        if out_of_range && let Some(spoken) = speaker.outside(expected) {
            return Some(self.speech(spoken.words));
        }
        if presses_keys && let Some(keys) = speaker.keys(expected) {
            return Some(keys);
        }
        let words = speaker.answer(expected, manner).words;
        if is_hardly_heard || manner == Manner::Misheard {
            return Some(self.heard(words, Between::new(20, 60)));
        }
        Some(self.speech(words))
    }

    /// How they say an answer.
    fn manner(&mut self, population: &Population) -> Manner {
        let questions = &population.questions;
        if self.chance.happens(questions.corrects) {
            Manner::Corrected
        } else if self.chance.happens(questions.misheard) {
            Manner::Misheard
        } else if self.chance.happens(questions.names_mark) {
            Manner::ByName
        } else {
            Manner::Plain
        }
    }

    /// What they do instead of answering, if they do: they say something else, or nothing and hang
    /// up.
    fn do_something_else(
        &mut self,
        language: Language,
        expected: &Expected,
        population: &Population,
    ) -> ControlFlow<Option<Heard>> {
        let vocabulary = Vocabulary::of(language);
        let questions = &population.questions;
        if self.declined > 0 || self.chance.happens(questions.breaks_off) {
            self.declined += 1;
            let says_so = self.chance.happens(Probability::percent(50));
            let heard = (says_so && self.declined <= PATIENCE).then(|| self.say(vocabulary.stops));
            return ControlFlow::Break(heard);
        }
        let something = if let Some(evasion) = self.evade(language, population) {
            evasion
        } else if self.chance.happens(questions.opts_out) {
            self.opt_out(language, expected, population)
        } else if self.chance.happens(questions.calls_back) {
            self.ask_for_another_time(vocabulary.interrupts, language, population)
        } else if self.chance.happens(questions.wrong_person) {
            self.declined += 1;
            self.say(vocabulary.wrong_person)
        } else if self.chance.happens(questions.asks_who) {
            self.ask_back(language)
        } else if self.chance.happens(questions.wrong_keys)
            && let Some(keys) = keys::wrong(expected)
        {
            let keys = keys.to_owned();
            Heard::Keys { keys }
        } else if let Some(foreign) = self.speak_another(language, expected, population) {
            foreign
        } else {
            return ControlFlow::Continue(());
        };
        ControlFlow::Break(Some(something))
    }

    /// Never call again, as words or as keys.
    fn opt_out(
        &mut self,
        language: Language,
        expected: &Expected,
        population: &Population,
    ) -> Heard {
        self.declined += 1;
        if self.chance.happens(population.consent.presses_nine) {
            let keys = keys::never_again(expected).to_owned();
            return Heard::Keys { keys };
        }
        self.say(Vocabulary::of(language).opts_out)
    }

    /// Call at another time: one that they name, or later, as `phrases` say it.
    fn ask_for_another_time(
        &mut self,
        phrases: &[&'static str],
        language: Language,
        population: &Population,
    ) -> Heard {
        self.declined += 1;
        if self.chance.happens(population.consent.names_time) {
            return self.say(Vocabulary::of(language).call_me_at);
        }
        self.say(phrases)
    }

    /// Who is calling, or what.
    fn ask_back(&mut self, language: Language) -> Heard {
        let vocabulary = Vocabulary::of(language);
        let asks_human = self.chance.happens(Probability::percent(40));
        self.say(if asks_human {
            vocabulary.asks_human
        } else {
            vocabulary.asks_who
        })
    }

    /// That they would rather speak another language, in that one. Not where anything is an answer.
    fn speak_another(
        &mut self,
        language: Language,
        expected: &Expected,
        population: &Population,
    ) -> Option<Heard> {
        let may_be_taken_for_an_answer = matches!(
            expected,
            Expected::FreeText | Expected::CallBackTime | Expected::Confirm { .. }
        );
        if may_be_taken_for_an_answer || !self.chance.happens(population.languages.speaks_another) {
            return None;
        }
        let other = *self.chance.pick(&population.languages.others)?;
        (other != language).then(|| self.say(Vocabulary::of(other).prefers_this))
    }

    /// What answers nothing, whatever was asked.
    fn evade(&mut self, language: Language, population: &Population) -> Option<Heard> {
        let vocabulary = Vocabulary::of(language);
        let questions = &population.questions;
        if self.chance.happens(questions.silent) {
            Some(Heard::Silence)
        } else if self.chance.happens(questions.mumbles) {
            Some(self.say(vocabulary.mumbles))
        } else if self.chance.happens(questions.repeats) {
            Some(self.say(vocabulary.repeats))
        } else {
            None
        }
    }

    fn speaker(&mut self, language: Language) -> Speaker<'_> {
        Speaker {
            chance: &mut self.chance,
            language,
            contentment: self.person.contentment,
        }
    }

    fn say(&mut self, phrases: &[&'static str]) -> Heard {
        let words = self.chance.phrase(phrases).to_owned();
        self.speech(words)
    }

    fn speech(&mut self, words: String) -> Heard {
        self.heard(words, Between::new(72, 98))
    }

    /// Words as a recogniser hears them that is so sure of them.
    fn heard(&mut self, words: String, hundredths: Between) -> Heard {
        let hundredths = u8::try_from(self.chance.between(hundredths)).unwrap_or(u8::MAX);
        Heard::Speech {
            words,
            confidence: Some(Confidence::from_hundredths(hundredths)),
        }
    }

    fn pause(&mut self) -> TimeDelta {
        self.chance.milliseconds(400, 1800)
    }
}

pub(crate) fn count_words(sentence: &str) -> u32 {
    u32::try_from(sentence.split_whitespace().count()).unwrap_or(u32::MAX)
}

fn key_count(keys: &str) -> i32 {
    i32::try_from(keys.len()).unwrap_or(i32::MAX)
}

pub(crate) fn speaking_time(words: u32, words_per_minute: u32) -> TimeDelta {
    TimeDelta::milliseconds(i64::from(words) * 60_000 / i64::from(words_per_minute.max(1)))
}

#[cfg(test)]
mod tests;
