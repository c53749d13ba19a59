//! The people of the simulation, reduced to how each call to them ends and when.
//!
//! They are the same people: seed and number decide who picks up at which hour, who consents and
//! who opts out, as in a full simulation. What is left out is what they say word for word; how long
//! a call lasts follows from the number of words of the survey.

use std::time::Duration;

use chrono::{SubsecRound as _, TimeDelta};
use voicesurvey_core::call_attempt::AnsweredBy;
use voicesurvey_core::campaign::CampaignSettings;
use voicesurvey_core::outcome::Outcome;
use voicesurvey_core::phone_number::PhoneNumber;
use voicesurvey_core::time::Timestamp;
use voicesurvey_core::time_zone::TimeZone;

use super::settings::DryRunSettings;
use crate::chance::{Chance, Topic};
use crate::person::{Attitude, Person};
use crate::respondent::{VOICE_WORDS_PER_MINUTE, count_words, speaking_time};
use crate::settings::{Between, Population, Probability};
use crate::world::{Happening, LONGEST, plan};

/// How long whoever is asked thinks and speaks, in milliseconds.
const ANSWERING: Between = Between::new(1_500, 7_000);

/// How long the engine listens to a machine before it hangs up, in milliseconds.
const LISTENING_TO_MACHINE: Between = Between::new(3_000, 10_000);

/// Everybody who may be called.
#[derive(Debug)]
pub(super) struct Respondents {
    seed: u64,
    population: Population,
    completion_rate: Option<Probability>,
    intro: TimeDelta,
    questions: Vec<TimeDelta>,
    closing: TimeDelta,
}

/// How a call goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Course {
    pub(super) answered_at: Option<Timestamp>,
    pub(super) ended_at: Timestamp,
    pub(super) outcome: Outcome,
}

impl Respondents {
    pub(super) fn new(settings: &DryRunSettings, campaign: &CampaignSettings) -> Self {
        let survey = &campaign.survey;
        let spoken = |text: &str| speaking_time(count_words(text), VOICE_WORDS_PER_MINUTE);
        let consent = survey.consent_question.as_deref().map_or(0, count_words);
        let questions = survey.questions.iter();
        Self {
            seed: settings.seed,
            population: settings.people(),
            completion_rate: settings.completion_rate,
            intro: spoken(&survey.intro_script) + speaking_time(consent, VOICE_WORDS_PER_MINUTE),
            questions: questions.map(|question| spoken(&question.text)).collect(),
            closing: spoken(&survey.completion_message),
        }
    }

    /// How a call goes that is placed at `now` to somebody who lives in that zone and was called
    /// `calls_before` times.
    pub(super) fn call(
        &self,
        number: &PhoneNumber,
        zone: TimeZone,
        calls_before: u32,
        ring_for: Duration,
        longest_call: Duration,
        now: Timestamp,
    ) -> Course {
        let person = Person::in_zones(number, &[zone], self.seed, &self.population);
        let mut chance = Chance::of(self.seed, Topic::Call, number, calls_before);
        let ring_for = TimeDelta::from_std(ring_for).map_or(LONGEST, |time| time.min(LONGEST));
        let plan = plan::of_call(&person, &mut chance, &self.population, ring_for, now);
        let (at, by) = match plan.last() {
            Some((at, Happening::Answered(by))) => (*at, *by),
            Some((at, Happening::Ended(ending))) => {
                return Course {
                    answered_at: None,
                    ended_at: whole_second(*at),
                    outcome: ending.outcome.unwrap_or(Outcome::NoAnswer),
                };
            }
            // OK because every plan ends in an answer or an ending.
            _ => unreachable!("a plan says how the ringing ends"),
        };
        let (outcome, talk) = match by {
            AnsweredBy::Person | AnsweredBy::Unknown => self.talk(&person, &mut chance),
            AnsweredBy::Voicemail => (Outcome::Voicemail, span(&mut chance, LISTENING_TO_MACHINE)),
            AnsweredBy::CallScreening => (
                Outcome::CallScreening,
                span(&mut chance, LISTENING_TO_MACHINE),
            ),
            AnsweredBy::Fax => (Outcome::Fax, span(&mut chance, LISTENING_TO_MACHINE)),
        };
        let longest = TimeDelta::from_std(longest_call).map_or(LONGEST, |time| time.min(LONGEST));
        Course {
            answered_at: Some(at),
            ended_at: whole_second(at + talk.min(longest)),
            outcome,
        }
    }

    /// What becomes of a talk with a person, and how long it lasts.
    fn talk(&self, person: &Person, chance: &mut Chance) -> (Outcome, TimeDelta) {
        if let Some(rate) = self.completion_rate
            && chance.happens(rate)
        {
            return (
                Outcome::Completed,
                self.interview(chance, self.questions.len()),
            );
        }
        let consent = &self.population.consent;
        // Drawn in the order of a full simulation, and all of them, so that people stay themselves
        // when a probability is changed.
        let hangs_up = chance.happens(consent.hangs_up);
        let is_absent = chance.happens(self.population.lines.another_person);
        let calls_back = chance.happens(consent.calls_back);
        let asks_who = chance.happens(consent.asks_who);
        let asking = if asks_who { self.intro * 2 } else { self.intro } + answering(chance);
        if hangs_up {
            let percent = chance.between(Between::new(20, 100)).cast_signed();
            return (Outcome::HungUpBeforeConsent, self.intro * percent / 100);
        }
        let outcome = match person.attitude {
            _ if !person.is_meant => Outcome::WrongPerson,
            _ if is_absent || calls_back => Outcome::CallBackRequested,
            Attitude::OptsOut => Outcome::OptedOut,
            Attitude::Refuses => Outcome::Refused,
            Attitude::Consents if self.completion_rate.is_some() => Outcome::Refused,
            Attitude::Consents => return self.answers(chance),
        };
        (outcome, asking)
    }

    /// An interview with somebody who has consented.
    fn answers(&self, chance: &mut Chance) -> (Outcome, TimeDelta) {
        for answered in 0..self.questions.len() {
            if let Some(outcome) = self.leaves(answered > 0, chance) {
                return (outcome, self.interview(chance, answered));
            }
        }
        let all = self.questions.len();
        (Outcome::Completed, self.interview(chance, all))
    }

    /// What ends the interview at a question, if anything does. Who asks to be called later names no
    /// time, so the retry policy says when.
    fn leaves(&self, has_answers: bool, chance: &mut Chance) -> Option<Outcome> {
        let questions = &self.population.questions;
        let outcome = if chance.happens(questions.breaks_off) {
            (Outcome::BrokeOff, Outcome::Partial)
        } else if chance.happens(questions.opts_out) {
            (Outcome::OptedOut, Outcome::OptedOut)
        } else if chance.happens(questions.calls_back) {
            (Outcome::CallBackRequested, Outcome::Interrupted)
        } else if chance.happens(questions.wrong_person) {
            (Outcome::WrongPerson, Outcome::WrongPerson)
        } else {
            return None;
        };
        Some(if has_answers { outcome.1 } else { outcome.0 })
    }

    /// How long an interview lasts in which that many questions are answered.
    fn interview(&self, chance: &mut Chance, answered: usize) -> TimeDelta {
        let mut talk = self.intro + answering(chance) + self.closing;
        for question in &self.questions[..answered] {
            talk += *question + answering(chance);
        }
        talk
    }
}

/// The next whole second. Calls end on whole seconds, so that those that end at the same time can be
/// dealt with together: with hundreds of lines that is most of the work.
fn whole_second(at: Timestamp) -> Timestamp {
    let second = at.trunc_subsecs(0);
    if second == at {
        at
    } else {
        second + TimeDelta::seconds(1)
    }
}

fn answering(chance: &mut Chance) -> TimeDelta {
    span(chance, ANSWERING)
}

fn span(chance: &mut Chance, milliseconds: Between) -> TimeDelta {
    chance.milliseconds(milliseconds.from, milliseconds.to)
}
