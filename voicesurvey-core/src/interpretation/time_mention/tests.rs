mod phrases;

use super::*;
use crate::call_list::Contact;
use crate::calling_hours::CallingHours;
use crate::campaign::Schedule;
use crate::time::Timestamp;

/// A Saturday, 11:48 in Rome.
const NOW: &str = "2026-11-21T10:48:00Z";

fn at(text: &str) -> Timestamp {
    text.parse().expect("an instant")
}

fn schedule(zone: &str) -> Schedule {
    Schedule {
        starts_at: None,
        ends_at: None,
        hours: CallingHours::always(),
        time_zone: zone.parse().expect("a zone"),
        countries: std::collections::BTreeMap::new(),
    }
}

fn contact(zones: &[&str]) -> Contact {
    let mut contact = crate::testing::samples::contact(crate::testing::samples::phone_number(1));
    contact.time_zones = zones
        .iter()
        .map(|zone| zone.parse().expect("a zone"))
        .collect();
    contact
}

/// What the clock in Rome shows at the instant that is meant: `2026-11-22 10:00`.
fn on_the_wall(language: Language, words: &str, now: &str) -> Option<String> {
    let schedule = schedule("Europe/Rome");
    let instant = find(language, words)?.resolve(at(now), &schedule, &contact(&[]))?;
    let local = schedule.time_zone.local(instant);
    Some(local.format("%Y-%m-%d %H:%M").to_string())
}

fn in_english(words: &str, now: &str) -> Option<String> {
    on_the_wall(Language::En, words, now)
}

#[test]
fn an_hour_that_has_passed_is_meant_in_the_evening_or_tomorrow() {
    assert_eq!(
        in_english("at eight", NOW).as_deref(),
        Some("2026-11-21 20:00")
    );
    assert_eq!(
        in_english("at nine", NOW).as_deref(),
        Some("2026-11-22 09:00")
    );
    assert_eq!(
        in_english("at 9 am", NOW).as_deref(),
        Some("2026-11-22 09:00")
    );
    assert_eq!(in_english("today at nine", NOW), None);
}

#[test]
fn a_part_of_the_day_that_has_begun_is_soon_if_today_is_meant() {
    let four = "2026-11-21T15:00:00Z";
    assert_eq!(
        in_english("this afternoon", four).as_deref(),
        Some("2026-11-21 16:30")
    );
    assert_eq!(
        in_english("in the afternoon", four).as_deref(),
        Some("2026-11-22 15:00")
    );
    assert_eq!(in_english("this afternoon", "2026-11-21T16:45:00Z"), None);
}

#[test]
fn what_is_too_soon_or_too_far_is_no_appointment() {
    assert_eq!(in_english("in four minutes", NOW), None);
    assert_eq!(
        in_english("in five minutes", NOW).as_deref(),
        Some("2026-11-21 11:53")
    );
    assert_eq!(
        in_english("in thirty days", NOW).as_deref(),
        Some("2026-12-21 11:48")
    );
    assert_eq!(in_english("in five weeks", NOW), None);
    assert_eq!(in_english("in 99999999999 hours", NOW), None);
    assert_eq!(in_english("on the 31st of February", NOW), None);
}

#[test]
fn a_time_that_the_clock_jumps_over_is_an_hour_later() {
    // In Rome the clock is put forward on 28 March 2027 at two.
    let before = "2027-03-27T10:00:00Z";
    assert_eq!(
        in_english("tomorrow at 2:30 am", before).as_deref(),
        Some("2027-03-28 03:30")
    );
}

#[test]
fn a_time_that_the_clock_shows_twice_is_the_first() {
    // In Rome the clock is put back on 25 October 2026 at three.
    let before = at("2026-10-24T10:00:00Z");
    let mention = find(Language::En, "tomorrow at 2:30 am").expect("a time");
    let instant = mention.resolve(before, &schedule("Europe/Rome"), &contact(&[]));
    assert_eq!(instant, Some(at("2026-10-25T00:30:00Z")));
}

#[test]
fn a_delay_is_exact_when_the_clock_is_put_back() {
    let before = at("2026-10-25T00:30:00Z");
    let mention = find(Language::En, "in an hour").expect("a time");
    let instant = mention.resolve(before, &schedule("Europe/Rome"), &contact(&[]));
    assert_eq!(instant, Some(at("2026-10-25T01:30:00Z")));
}

#[test]
fn the_time_is_one_of_where_the_person_is() {
    let mention = find(Language::En, "tomorrow at ten").expect("a time");
    let resolve =
        |zone: &str, zones: &[&str]| mention.resolve(at(NOW), &schedule(zone), &contact(zones));
    assert_eq!(
        resolve("Europe/Rome", &["Europe/London"]),
        Some(at("2026-11-22T10:00:00Z"))
    );
    let idaho = ["America/Boise", "America/Los_Angeles"];
    assert_eq!(
        resolve("Europe/Rome", &idaho),
        Some(at("2026-11-22T18:00:00Z"))
    );
    assert_eq!(
        resolve("America/Boise", &idaho),
        Some(at("2026-11-22T17:00:00Z"))
    );
}

#[test]
fn a_time_outside_the_hours_is_their_next_opening() {
    let mut schedule = schedule("Europe/Rome");
    schedule.hours = CallingHours::daily(
        "09:00".parse().expect("a time"),
        "21:00".parse().expect("a time"),
    )
    .expect("hours");
    let resolve = |words: &str, schedule: &Schedule| {
        find(Language::En, words)?.resolve(at(NOW), schedule, &contact(&[]))
    };
    assert_eq!(
        resolve("tomorrow at 8 am", &schedule),
        Some(at("2026-11-22T08:00:00Z"))
    );
    assert_eq!(
        resolve("tonight at 10 pm", &schedule),
        Some(at("2026-11-22T08:00:00Z"))
    );
    schedule.ends_at = Some(at("2026-11-22T08:00:00Z"));
    assert_eq!(resolve("tomorrow at 8 am", &schedule), None);
    assert_eq!(
        resolve("in an hour", &schedule),
        Some(at("2026-11-21T11:48:00Z"))
    );
    schedule.hours = CallingHours::default();
    assert_eq!(resolve("in an hour", &schedule), None);
}

#[test]
fn words_without_a_time_name_none() {
    let nothing = [
        (Language::It, "più tardi"),
        (Language::It, "ho due figli e una macchina"),
        (Language::En, "later please"),
        (Language::En, "I would give it a four"),
        (Language::Ru, "потом как-нибудь"),
        (Language::Es, "en otro momento"),
        (Language::Fr, "plus tard s'il vous plaît"),
        (Language::De, "ein andermal, bitte"),
        (Language::De, ""),
    ];
    for (language, words) in nothing {
        assert_eq!(find(language, words), None, "{language} {words}");
    }
}

#[test]
fn endless_text_is_not_searched() {
    let words = "at ten ".repeat(50_000);
    assert_eq!(find(Language::En, &words), None);
}
