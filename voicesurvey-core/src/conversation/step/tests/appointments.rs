//! "Call me later": when, and what is promised. It is Friday 15 January, nine o'clock in Rome.

use super::*;
use crate::calling_hours::CallingHours;
use crate::time::Timestamp;

/// Calls are made from 9 to 20, every day.
fn line() -> Line {
    let mut line = Line::ringing(niccolo());
    line.contact.time_zones.clear();
    let schedule = &mut line.campaign.settings.schedule;
    schedule.time_zone = "Europe/Rome".parse().unwrap();
    schedule.hours =
        CallingHours::daily("09:00".parse().unwrap(), "20:00".parse().unwrap()).unwrap();
    line
}

fn at(instant: &str) -> Timestamp {
    instant.parse().unwrap()
}

#[test]
fn a_time_that_is_named_is_promised() {
    let line = line().picked_up().says("mi richiami domani alle dieci");
    assert_eq!(
        line.said(),
        "Va bene, la richiamiamo domani alle 10. Arrivederci."
    );
    assert_eq!(line.outcome(), Some(Outcome::CallBackRequested));
    assert_eq!(
        line.last().memory.appointment,
        Some(at("2027-01-16T09:00:00Z"))
    );
    assert_eq!(line.consent(), None);
}

#[test]
fn without_a_time_the_person_is_asked_when() {
    let asked = line().picked_up().says("mi richiami più tardi");
    let question = "Quando possiamo richiamarla? Per esempio: domani alle dieci.";
    assert_eq!(asked.said(), question);
    assert_eq!(asked.outcome(), None);
    let again = asked.says("chi parla?");
    assert!(again.said().ends_with(question));
    let answered = again.says("oggi pomeriggio alle cinque");
    assert_eq!(
        answered.said(),
        "Va bene, la richiamiamo oggi alle 17. Arrivederci."
    );
    assert_eq!(
        answered.last().memory.appointment,
        Some(at("2027-01-15T16:00:00Z"))
    );
}

#[test]
fn the_time_that_is_promised_is_one_at_which_calls_are_made() {
    let line = line()
        .picked_up()
        .says("mi richiami domani alle otto di mattina");
    assert_eq!(
        line.said(),
        "Va bene, la richiamiamo domani alle 9. Arrivederci."
    );
    assert_eq!(
        line.last().memory.appointment,
        Some(at("2027-01-16T08:00:00Z"))
    );
}

#[test]
fn a_time_is_told_as_the_language_tells_it() {
    for (language, wish, promised) in [
        (
            Language::It,
            "mi richiami domani alle quindici e trenta",
            "domani alle 15:30",
        ),
        (
            Language::En,
            "call me back tomorrow at half past three",
            "tomorrow at 3:30 PM",
        ),
        (
            Language::Ru,
            "перезвоните завтра в пятнадцать",
            "завтра в 15:00",
        ),
        (
            Language::Es,
            "llámeme mañana a las quince",
            "mañana a las 15",
        ),
        (
            Language::Fr,
            "rappelez-moi demain à quinze heures",
            "demain à 15 heures",
        ),
        (
            Language::De,
            "rufen Sie morgen um fünfzehn Uhr an",
            "morgen um 15 Uhr",
        ),
    ] {
        let mut line = line();
        line.campaign.settings.language = language;
        line.campaign.settings.survey.translations.clear();
        line.contact.language = None;
        let said = line.picked_up().says(wish).said();
        assert!(
            said.contains(&format!("{promised}. ")) || said.contains(&format!("{promised} an. ")),
            "{said}"
        );
    }
}

#[test]
fn another_day_is_told_by_its_date() {
    let line = line().picked_up().says("mi richiami lunedì alle quindici");
    assert_eq!(
        line.said(),
        "Va bene, la richiamiamo il 18 gennaio alle 15. Arrivederci."
    );
}

#[test]
fn who_names_no_time_is_asked_twice_and_then_left() {
    let asked = || line().picked_up().says("mi richiami più tardi");
    for line in [
        asked().says("la pioggia sul tetto").says("più tardi"),
        asked().says_nothing().says_nothing(),
        asked().presses("#"),
    ] {
        assert_eq!(line.outcome(), Some(Outcome::CallBackRequested));
        assert!(
            line.said().contains("in un altro momento"),
            "{}",
            line.said()
        );
        assert_eq!(line.last().memory.appointment, None);
    }
    let opted_out = asked().says("non chiamatemi più");
    assert_eq!(opted_out.outcome(), Some(Outcome::OptedOut));
    assert_eq!(asked().presses("9").outcome(), Some(Outcome::OptedOut));
    assert_eq!(asked().last().broken_off(), Outcome::CallBackRequested);
}

/// I8: who is not interested is not called again, though they have spoken of later before.
#[test]
fn who_then_wants_no_call_at_all_has_refused() {
    for words in ["no", "non mi interessa", "no, grazie"] {
        let later = "mi richiami più tardi";
        let at_consent = line().picked_up().says(later).says(words);
        assert_eq!(at_consent.outcome(), Some(Outcome::Refused), "{words}");
        assert!(!at_consent.consent().unwrap().given);
        let consented = line().picked_up().says("sì");
        let unanswered = consented.says(later).says(words);
        assert_eq!(unanswered.outcome(), Some(Outcome::BrokeOff), "{words}");
        let answered = line().picked_up().says("sì").says("bene");
        let answered = answered.says(later).says(words);
        assert_eq!(answered.outcome(), Some(Outcome::Partial), "{words}");
        for line in [at_consent, unanswered, answered] {
            assert_eq!(
                line.last().call_back(),
                crate::call_task::CallBack::NotAsked
            );
            assert!(!line.said().contains("richiam"), "{}", line.said());
        }
    }
}

#[test]
fn an_interview_that_has_begun_is_interrupted_and_not_taken_up_at_once() {
    let early = line()
        .picked_up()
        .says("sì")
        .says("mi richiami più tardi")
        .says("domani alle dieci");
    assert_eq!(early.outcome(), Some(Outcome::CallBackRequested));

    let begun = || {
        line()
            .picked_up()
            .says("sì")
            .says("bene")
            .says("mi richiami più tardi")
    };
    // They hang up instead of saying when: two hours later, not in two minutes.
    assert_eq!(begun().last().broken_off(), Outcome::Interrupted);
    let two_hours_later = begun().last().memory.appointment.unwrap();
    let later = two_hours_later - begun().last().started_at;
    assert!(later.num_minutes() >= 120 && later.num_minutes() < 125);

    let named = begun().says("domani alle dieci");
    assert_eq!(named.outcome(), Some(Outcome::Interrupted));
    assert_eq!(
        named.last().memory.appointment,
        Some(at("2027-01-16T09:00:00Z"))
    );
    assert!(named.steps.last().unwrap().conclusion.unwrap().answered);
}

#[test]
fn a_value_that_was_being_confirmed_stays_as_it_is_stored() {
    let value = crate::survey::AnswerValue::Number(4.into());
    let here = Interpretation::new(
        crate::interpretation::Intent::Answer { value },
        Confidence::from_hundredths(60),
        crate::interpretation::InterpretedBy::Rules,
    );
    let heard = Heard::Speech {
        words: "…".to_owned(),
        confidence: None,
    };
    let understood = Understood {
        here: Some(here),
        elsewhere: None,
    };
    let line = line()
        .picked_up()
        .says("sì")
        .says("bene")
        .hear_as(&heard, &understood);
    let later = line.says("mi richiami domani alle dieci");
    assert_eq!(later.outcome(), Some(Outcome::Interrupted));
    assert_eq!(later.values(), ["bene", "4"]);
    assert_eq!(later.last().memory.pending, None);
}

#[test]
fn who_has_changed_the_language_is_promised_a_time_in_it() {
    let meant = |intent| {
        Interpretation::new(
            intent,
            Confidence::from_hundredths(95),
            crate::interpretation::InterpretedBy::Rules,
        )
    };
    let understood = Understood {
        here: Some(Interpretation::new(
            crate::interpretation::Intent::Unclear,
            Confidence::from_hundredths(0),
            crate::interpretation::InterpretedBy::Rules,
        )),
        elsewhere: Some((Language::En, meant(crate::interpretation::Intent::CallBack))),
    };
    let heard = Heard::Speech {
        words: "please call me back tomorrow at ten".to_owned(),
        confidence: None,
    };
    let line = line().picked_up().hear_as(&heard, &understood);
    assert_eq!(
        line.said(),
        "All right, we will call you tomorrow at 10 AM. Goodbye."
    );
}
