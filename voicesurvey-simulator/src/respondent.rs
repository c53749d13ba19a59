//! Whoever answered a call, and how they react to what is said.

use chrono::TimeDelta;
use voicesurvey_core::call_attempt::AnsweredBy;
use voicesurvey_core::conversation::{Heard, Listen, Then, VoiceReply};
use voicesurvey_core::interpretation::{Confidence, Expected};
use voicesurvey_core::language::Language;

use crate::chance::Chance;
use crate::person::{Attitude, Person};
use crate::settings::{Between, Population, Probability};
use crate::speech::{Speaker, Vocabulary};

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
        let heard = match (answered_by, expected) {
            (AnsweredBy::Person | AnsweredBy::Unknown, Expected::Consent) => {
                self.consider(reply.language, population)
            }
            (AnsweredBy::Person | AnsweredBy::Unknown, _) => {
                self.answer(reply.language, expected, population)
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

    /// What they say when they are asked to take part; `None` if they hang up.
    fn consider(&mut self, language: Language, population: &Population) -> Option<Heard> {
        if self.intention == Intention::HangUp || self.declined >= PATIENCE {
            return None;
        }
        if let Some(evasion) = self.evade(language, population) {
            return Some(evasion);
        }
        let vocabulary = Vocabulary::of(language);
        if std::mem::take(&mut self.asks_who) {
            let asks_human = self.chance.happens(Probability::percent(40));
            return Some(self.say(if asks_human {
                vocabulary.asks_human
            } else {
                vocabulary.asks_who
            }));
        }
        let declines = match (self.intention, self.person.attitude) {
            _ if !self.person.is_meant => vocabulary.wrong_person,
            (Intention::TellAbsence, _) => vocabulary.absent,
            (Intention::AskForAnotherTime, _) => vocabulary.later,
            (_, Attitude::OptsOut) => vocabulary.opts_out,
            (_, Attitude::Refuses) => vocabulary.refuses,
            (_, Attitude::Consents) => return Some(self.say(vocabulary.consents)),
        };
        self.declined += 1;
        Some(self.say(declines))
    }

    /// What they say to a question of the survey; `None` if they hang up.
    fn answer(
        &mut self,
        language: Language,
        expected: &Expected,
        population: &Population,
    ) -> Option<Heard> {
        let vocabulary = Vocabulary::of(language);
        let questions = &population.questions;
        if self.declined > 0 || self.chance.happens(questions.breaks_off) {
            self.declined += 1;
            let says_so = self.chance.happens(Probability::percent(50));
            return (says_so && self.declined <= PATIENCE).then(|| self.say(vocabulary.stops));
        }
        if let Some(evasion) = self.evade(language, population) {
            return Some(evasion);
        }
        if self.chance.happens(questions.skips) {
            return Some(self.say(vocabulary.skips));
        }
        if self.chance.happens(questions.does_not_know) {
            return Some(self.say(vocabulary.does_not_know));
        }
        let out_of_range = self.chance.happens(questions.out_of_range);
        let presses_keys = self.chance.happens(questions.presses_keys);
        let corrects = self.chance.happens(questions.corrects);
        let contentment = self.person.contentment;
        let mut speaker = Speaker {
            chance: &mut self.chance,
            language,
            contentment,
        };
        if out_of_range && let Some(spoken) = speaker.outside(expected) {
            return Some(self.speech(spoken.words));
        }
        if presses_keys && let Some(keys) = speaker.keys(expected) {
            return Some(keys);
        }
        let spoken = speaker.answer(expected, corrects);
        Some(self.speech(spoken.words))
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

    fn say(&mut self, phrases: &[&'static str]) -> Heard {
        let words = self.chance.phrase(phrases).to_owned();
        self.speech(words)
    }

    fn speech(&mut self, words: String) -> Heard {
        let hundredths = u8::try_from(self.chance.between(Between::new(72, 98))).unwrap_or(u8::MAX);
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
