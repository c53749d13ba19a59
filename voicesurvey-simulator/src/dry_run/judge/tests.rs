use voicesurvey_core::testing::samples;

use super::*;
use crate::dry_run::ledger::Listed;

/// Ten calls without fault: one a minute, each to another person, half a minute long.
fn book() -> Ledger {
    let mut ledger = Ledger::default();
    let zones = ledger
        .zones_index(&["Europe/Rome".parse().unwrap()])
        .unwrap();
    for index in 0..10 {
        let placed_at = noon() + TimeDelta::minutes(index.into());
        ledger.contacts.push(Listed {
            number: samples::phone_number(index),
            region: None,
            zones,
            excluded: false,
            attempts_before: 0,
        });
        ledger.calls.push(Call {
            contact: index,
            number: 1,
            outcome: Outcome::NoAnswer,
            committed_at: Some(placed_at),
            placed_at,
            answered_at: None,
            ended_at: Some(placed_at + TimeDelta::seconds(30)),
        });
    }
    ledger
}

/// In Rome.
fn noon() -> Timestamp {
    "2026-11-20T11:00:00Z".parse().unwrap()
}

/// The violations of I1 to I8 in that book.
fn violations(ledger: &Ledger) -> [u64; 8] {
    let mut campaign = samples::campaign(&samples::company());
    let settings = &mut campaign.settings;
    settings.schedule.hours = CallingHours::nine_to_nine();
    settings.pacing.max_concurrent_calls = 2;
    settings.pacing.pace.calls_per_minute = 2;
    let rules = Rules {
        schedule: &settings.schedule,
        limits: vec![settings.pacing],
        stuck: 0,
    };
    let (scores, _) = Judge::new(ledger, rules).scorecard();
    assert!(
        scores
            .iter()
            .all(|score| score.checked == ledger.calls.len() as u64)
    );
    for score in &scores {
        let described = score.examples.len() as u64;
        assert!(
            score.violations <= 3 && described <= score.violations,
            "{score:?}"
        );
    }
    std::array::from_fn(|index| scores[index].violations)
}

/// The violations after one change of a book without fault.
fn planted(change: impl FnOnce(&mut Ledger)) -> [u64; 8] {
    let mut ledger = book();
    change(&mut ledger);
    violations(&ledger)
}

#[test]
fn a_book_without_fault_has_no_violations() {
    assert_eq!(violations(&book()), [0; 8]);
}

#[test]
fn an_attempt_number_that_is_missing_breaks_i1() {
    assert_eq!(
        planted(|book| book.calls[3].number = 2),
        [1, 0, 0, 0, 0, 0, 0, 0]
    );
}

#[test]
fn a_dial_before_the_commit_or_within_a_transaction_breaks_i2() {
    assert_eq!(
        planted(|book| book.calls[3].committed_at = None),
        [0, 1, 0, 0, 0, 0, 0, 0]
    );
    let late = |book: &mut Ledger| {
        book.calls[3].committed_at = Some(book.calls[3].placed_at + TimeDelta::microseconds(1));
    };
    assert_eq!(planted(late), [0, 1, 0, 0, 0, 0, 0, 0]);
    assert_eq!(
        planted(|book| book.dialed_in_transaction = 1),
        [0, 1, 0, 0, 0, 0, 0, 0]
    );
}

#[test]
fn two_calls_to_one_person_at_once_break_i3() {
    let at_once = |book: &mut Ledger| {
        book.calls[4].contact = 3;
        book.calls[4].number = 2;
        book.calls[3].ended_at = Some(book.calls[4].placed_at + TimeDelta::microseconds(1));
    };
    assert_eq!(planted(at_once), [0, 0, 1, 0, 0, 0, 0, 0]);
    assert_eq!(
        planted(|book| book.dialed_again = 1),
        [0, 0, 1, 0, 0, 0, 0, 0]
    );
}

#[test]
fn a_call_outside_the_hours_of_the_person_breaks_i4() {
    // At noon in Rome it is six in the morning in New York.
    let abroad = |book: &mut Ledger| {
        let zones = ["Europe/Rome", "America/New_York"].map(|zone| zone.parse().unwrap());
        book.contacts[3].zones = book.zones_index(&zones).unwrap();
    };
    assert_eq!(planted(abroad), [0, 0, 0, 1, 0, 0, 0, 0]);
    let nowhere = |book: &mut Ledger| book.contacts[3].zones = book.zones_index(&[]).unwrap();
    assert_eq!(planted(nowhere), [0, 0, 0, 1, 0, 0, 0, 0]);
}

#[test]
fn three_calls_on_two_lines_break_i5() {
    let long = |book: &mut Ledger| {
        for call in &mut book.calls[3..6] {
            call.ended_at = Some(noon() + TimeDelta::minutes(5) + TimeDelta::microseconds(1));
        }
    };
    assert_eq!(planted(long), [0, 0, 0, 0, 1, 0, 0, 0]);
}

#[test]
fn three_calls_within_a_minute_break_i6_and_a_whole_minute_does_not() {
    let fast = |offset: TimeDelta| {
        move |book: &mut Ledger| {
            for (index, seconds) in [(4, 30), (5, 60)] {
                let at = book.calls[3].placed_at + TimeDelta::seconds(seconds) - offset;
                let call = &mut book.calls[index];
                (call.committed_at, call.placed_at) = (Some(at), at);
                call.ended_at = Some(at + TimeDelta::seconds(1));
            }
        }
    };
    assert_eq!(planted(fast(TimeDelta::zero())), [0; 8]);
    assert_eq!(
        planted(fast(TimeDelta::microseconds(1))),
        [0, 0, 0, 0, 0, 1, 0, 0]
    );
}

#[test]
fn a_call_that_is_never_settled_breaks_i7() {
    assert_eq!(
        planted(|book| book.calls[9].ended_at = None),
        [0, 0, 0, 0, 0, 0, 1, 0]
    );
}

#[test]
fn a_call_after_a_no_or_to_an_excluded_number_breaks_i8() {
    let again = |book: &mut Ledger| {
        book.calls[3].outcome = Outcome::Refused;
        book.calls[4].contact = 3;
        book.calls[4].number = 2;
    };
    assert_eq!(planted(again), [0, 0, 0, 0, 0, 0, 0, 1]);
    assert_eq!(
        planted(|book| book.contacts[3].excluded = true),
        [0, 0, 0, 0, 0, 0, 0, 1]
    );
}

#[test]
fn the_judge_and_the_engine_read_the_hours_alike() {
    let hours: CallingHours = serde_json::from_str(
        r#"{
            "weekly": {
                "fri": [["09:00", "13:00"], ["14:00", "20:00"]], "sat": [["22:00", "02:00"]],
                "tue": [["00:00", "24:00"]], "wed": [["09:00", "09:00"]]
            },
            "holidays": ["2026-10-23"], "holiday_hours": [["10:00", "11:00"]],
            "eves": ["2026-10-30"], "eve_hours": [["10:00", "13:00"]]
        }"#,
    )
    .unwrap();
    let zones = ["Europe/Rome", "America/New_York", "Asia/Kathmandu"];
    let start: Timestamp = "2026-10-18T00:00:00Z".parse().unwrap();
    let mut open = 0;
    let country = serde_json::from_str(r#"{"holidays": ["2026-10-20"], "eves": ["2026-10-21"]}"#);
    let country: CountryDays = country.unwrap();
    let days = hours.with_days(&country);
    for zone in zones.map(|zone| zone.parse::<TimeZone>().unwrap()) {
        // Three weeks, over the change of the clocks in Rome and in New York.
        for quarter in 0..21 * 24 * 4 {
            let at = start + TimeDelta::minutes(15 * quarter);
            let expected = hours.is_open(&[zone], at);
            assert_eq!(is_open(&hours, None, zone, at), expected, "{zone} {at}");
            let of_country = days.is_open(&[zone], at);
            let found = is_open(&hours, Some(&country), zone, at);
            assert_eq!(found, of_country, "{zone} {at}");
            open += u32::from(expected);
        }
    }
    assert!(open > 1_000);
}
