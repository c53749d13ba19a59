//! What happens to a call until it is answered or given up.

use chrono::TimeDelta;
use voicesurvey_core::call_attempt::AnsweredBy;
use voicesurvey_core::outcome::Outcome;
use voicesurvey_core::time::Timestamp;

use super::{Ending, Happening};
use crate::chance::Chance;
use crate::person::{Line, Person};
use crate::settings::Population;

/// The happenings, in order. The last one answers or ends the call.
pub(crate) fn of_call(
    person: &Person,
    chance: &mut Chance,
    population: &Population,
    ring_for: TimeDelta,
    now: Timestamp,
) -> Vec<(Timestamp, Happening)> {
    let initiated = now + chance.milliseconds(200, 900);
    let connected = initiated + chance.milliseconds(800, 2500);
    let mut plan = vec![(initiated, Happening::Initiated)];
    let dead_end = match person.line {
        Line::Unassigned => Some(failed(Outcome::InvalidNumber, "unassigned_number")),
        Line::OutOfService => Some(failed(Outcome::Disconnected, "not_in_service")),
        Line::Telephone if chance.happens(population.lines.busy) => {
            Some(Ending::unanswered(Outcome::Busy, "busy"))
        }
        _ => None,
    };
    if let Some(ending) = dead_end {
        plan.push((connected, Happening::Ended(ending)));
        return plan;
    }
    plan.push((connected, Happening::Ringing));
    let last = match person.line {
        Line::Fax => Some((
            chance.milliseconds(2000, 6000),
            Happening::Answered(AnsweredBy::Fax),
        )),
        Line::ScreeningAssistant => {
            let after = chance.milliseconds(1000, 5000);
            Some((after, Happening::Answered(AnsweredBy::CallScreening)))
        }
        _ => on_a_telephone(person, chance, population, connected),
    };
    let (after, happening) = last
        .filter(|(after, _)| *after < ring_for)
        .unwrap_or_else(|| {
            (
                ring_for,
                Happening::Ended(Ending::unanswered(Outcome::NoAnswer, "no-answer")),
            )
        });
    plan.push((connected + after, happening));
    plan
}

/// What ends the ringing of a telephone, and after how long; `None` if nothing does.
fn on_a_telephone(
    person: &Person,
    chance: &mut Chance,
    population: &Population,
    ringing: Timestamp,
) -> Option<(TimeDelta, Happening)> {
    let lines = &population.lines;
    let voicemail = Happening::Answered(AnsweredBy::Voicemail);
    if chance.happens(lines.switched_off) {
        // The network knows that it is off and forwards at once.
        return person
            .voicemail_after
            .map(|_| (chance.milliseconds(500, 1500), voicemail));
    }
    if chance.happens(person.picks_up(ringing, population)) {
        let after = chance.seconds(lines.picks_up_after_seconds);
        // Who comes to the telephone too late finds that the voicemail was quicker.
        return match person.voicemail_after {
            Some(voicemail_after) if voicemail_after < after => Some((voicemail_after, voicemail)),
            _ => Some((after, Happening::Answered(AnsweredBy::Person))),
        };
    }
    if chance.happens(lines.declined) {
        let ending = Ending::unanswered(Outcome::Declined, "declined");
        return Some((chance.milliseconds(1500, 9000), Happening::Ended(ending)));
    }
    person.voicemail_after.map(|after| (after, voicemail))
}

const fn failed(outcome: Outcome, error_code: &'static str) -> Ending {
    Ending {
        outcome: Some(outcome),
        raw_status: "failed",
        error_code: Some(error_code),
    }
}
