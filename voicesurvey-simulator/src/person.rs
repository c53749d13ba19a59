//! Who is behind a phone number. Everything here follows from the seed and the number alone.

use chrono::{TimeDelta, Timelike};
use voicesurvey_core::phone_number::PhoneNumber;
use voicesurvey_core::time::Timestamp;
use voicesurvey_core::time_zone::TimeZone;

use crate::chance::{Chance, Topic};
use crate::settings::{Between, Population, Probability};

/// Who is behind a phone number.
#[derive(Clone, Debug)]
pub(crate) struct Person {
    /// What the number leads to.
    pub(crate) line: Line,
    /// After how long their voicemail answers, if they have one.
    pub(crate) voicemail_after: Option<TimeDelta>,
    /// Whether this is the person on the list.
    pub(crate) is_meant: bool,
    /// What they think of surveys.
    pub(crate) attitude: Attitude,
    /// How content they are, from 0 to 100: it colours all their answers.
    pub(crate) contentment: i64,
    /// How fast they speak.
    pub(crate) words_per_minute: u32,
    zone: TimeZone,
    /// How often they are home, relative to everybody.
    availability: f64,
}

/// What a number leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Line {
    Unassigned,
    OutOfService,
    Fax,
    ScreeningAssistant,
    Telephone,
}

/// What a person thinks of surveys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Attitude {
    OptsOut,
    Consents,
    Refuses,
}

impl Person {
    pub(crate) fn behind(number: &PhoneNumber, seed: u64, population: &Population) -> Self {
        Self::in_zones(number, &number.time_zones(), seed, population)
    }

    /// The same person, of whom it is known that they live in one of `zones`.
    pub(crate) fn in_zones(
        number: &PhoneNumber,
        zones: &[TimeZone],
        seed: u64,
        population: &Population,
    ) -> Self {
        let mut chance = Chance::of(seed, Topic::Person, number, 0);
        let numbers = &population.numbers;
        let kinds = [
            (numbers.invalid, Line::Unassigned),
            (numbers.disconnected, Line::OutOfService),
            (numbers.fax, Line::Fax),
            (numbers.call_screening, Line::ScreeningAssistant),
        ];
        let line = kinds
            .into_iter()
            .find_map(|(probability, line)| chance.happens(probability).then_some(line))
            .unwrap_or(Line::Telephone);
        let attitude = if chance.happens(population.consent.opts_out) {
            Attitude::OptsOut
        } else if chance.happens(population.consent.consents) {
            Attitude::Consents
        } else {
            Attitude::Refuses
        };
        let has_voicemail = chance.happens(numbers.voicemail);
        let voicemail_after = chance.seconds(numbers.voicemail_after_seconds);
        Self {
            line,
            voicemail_after: has_voicemail.then_some(voicemail_after),
            is_meant: !chance.happens(numbers.wrong_person),
            attitude,
            contentment: chance.integer(0, 100),
            // At least one, so that what they say takes a finite time.
            words_per_minute: chance.between(population.lines.words_per_minute).max(1),
            zone: chance.pick(zones).copied().unwrap_or(TimeZone::UTC),
            availability: f64::from(chance.between(Between::new(50, 150))) / 100.0,
        }
    }

    /// How likely they pick up at this instant.
    pub(crate) fn picks_up(&self, at: Timestamp, population: &Population) -> Probability {
        let usual = population.lines.picks_up.at(self.zone.local(at).hour());
        // Certainty is left alone, so that a setting of "always" means it.
        if usual == Probability::ALWAYS {
            usual
        } else {
            usual.times(self.availability)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::PickUpByHour;

    #[test]
    fn people_pick_up_by_their_own_clock() {
        let mut hours = [Probability::NEVER; 24];
        hours[19] = Probability::ALWAYS;
        let mut population = Population::default();
        population.lines.picks_up = PickUpByHour(hours);
        let rome = Person::behind(&"+390612345678".parse().unwrap(), 1, &population);
        let tokyo = Person::behind(&"+81312345678".parse().unwrap(), 1, &population);
        let evening_in_rome = "2026-11-20T18:30:00Z".parse().unwrap();
        let evening_in_tokyo = "2026-11-20T10:30:00Z".parse().unwrap();
        assert_eq!(
            rome.picks_up(evening_in_rome, &population),
            Probability::ALWAYS
        );
        assert_eq!(
            rome.picks_up(evening_in_tokyo, &population),
            Probability::NEVER
        );
        assert_eq!(
            tokyo.picks_up(evening_in_tokyo, &population),
            Probability::ALWAYS
        );
    }
}
