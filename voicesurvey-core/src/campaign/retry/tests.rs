use proptest::prelude::*;

use super::*;
use crate::call_list::Contact;
use crate::calling_hours::{CallingHours, HoursRange, TimeOfDay, WeeklyHours};
use crate::campaign::Schedule;
use crate::time::Timestamp;
use crate::time_zone::TimeZone;

fn minutes(policy: &RetryPolicy, outcome: Outcome, spent: u16) -> Option<i64> {
    policy
        .retry_after(outcome, spent, 1)
        .map(|delay| delay.num_minutes())
}

fn rule(delays_minutes: &[u32]) -> RetryRule {
    RetryRule {
        delays_minutes: delays_minutes.to_vec(),
    }
}

fn policy_with<const N: usize>(rules: [(Outcome, RetryRule); N]) -> RetryPolicy {
    RetryPolicy {
        max_attempts: 9,
        rules: rules.into(),
        ..RetryPolicy::default()
    }
}

#[test]
fn busy_and_no_answer_are_retried_until_the_attempts_are_used_up() {
    let policy = RetryPolicy::default();
    assert_eq!(minutes(&policy, Outcome::Busy, 1), Some(30));
    assert_eq!(minutes(&policy, Outcome::NoAnswer, 2), Some(30));
    assert_eq!(minutes(&policy, Outcome::NoAnswer, 3), None);
}

/// I8.
#[test]
fn no_is_final_even_when_the_policy_says_otherwise() {
    for outcome in [
        Outcome::Refused,
        Outcome::OptedOut,
        Outcome::BrokeOff,
        Outcome::Completed,
        Outcome::Partial,
        Outcome::QuotaFull,
        Outcome::Cancelled,
    ] {
        let policy = policy_with([(outcome, rule(&[1]))]);
        assert_eq!(policy.rule(outcome), rule(&[]), "{outcome}");
        assert_eq!(minutes(&policy, outcome, 1), None, "{outcome}");
    }
}

#[test]
fn back_off_follows_the_list_and_repeats_its_last() {
    let policy = RetryPolicy {
        max_attempts: 5,
        delays_minutes: vec![60, 240, 1440],
        ..RetryPolicy::default()
    };
    let delays = [1, 2, 3, 4].map(|spent| minutes(&policy, Outcome::Busy, spent));
    assert_eq!(delays, [Some(60), Some(240), Some(1440), Some(1440)]);
}

#[test]
fn who_was_there_and_hung_up_is_left_alone_for_a_day() {
    let policy = RetryPolicy::default();
    assert_eq!(
        minutes(&policy, Outcome::HungUpBeforeConsent, 1),
        Some(1440)
    );
    assert_eq!(minutes(&policy, Outcome::CallBackRequested, 1), Some(120));
    let back_off = RetryPolicy {
        delays_minutes: vec![30, 200],
        ..policy
    };
    assert_eq!(back_off.rule(Outcome::CallBackRequested), rule(&[120, 200]));
}

#[test]
fn a_rule_for_one_outcome_leaves_the_others_as_they_are() {
    let policy = policy_with([
        (Outcome::NoAnswer, rule(&[180, 1440])),
        (Outcome::Voicemail, rule(&[])),
        (Outcome::HungUpBeforeConsent, rule(&[600])),
        (Outcome::WrongPerson, rule(&[60])),
    ]);
    let no_answer = [1, 2, 8].map(|spent| minutes(&policy, Outcome::NoAnswer, spent));
    assert_eq!(no_answer, [Some(180), Some(1440), Some(1440)]);
    assert_eq!(minutes(&policy, Outcome::NoAnswer, 9), None);
    assert_eq!(minutes(&policy, Outcome::Voicemail, 1), None);
    assert_eq!(minutes(&policy, Outcome::HungUpBeforeConsent, 1), Some(600));
    assert_eq!(minutes(&policy, Outcome::WrongPerson, 1), Some(60));
    assert_eq!(minutes(&policy, Outcome::Busy, 1), Some(30));
    assert_eq!(minutes(&policy, Outcome::Fax, 1), None);
}

#[test]
fn an_interview_that_stopped_goes_on_soon_unless_the_campaign_says_otherwise() {
    for outcome in [Outcome::Interrupted, Outcome::LineDropped] {
        let policy = RetryPolicy::default();
        assert_eq!(policy.rule(outcome), rule(&[2]), "{outcome}");
        let never = policy_with([(outcome, rule(&[]))]);
        assert_eq!(minutes(&never, outcome, 1), None, "{outcome}");
    }
}

#[test]
fn without_delays_of_its_own_a_campaign_follows_the_outcome_table() {
    let policy = RetryPolicy {
        delays_minutes: Vec::new(),
        ..RetryPolicy::default()
    };
    for outcome in Outcome::ALL.iter().copied() {
        let table = outcome.rule().retry_after_minutes;
        assert_eq!(policy.rule(outcome).delays_minutes, table, "{outcome}");
    }
}

#[test]
fn faults_of_the_provider_wait_longer_each_time_and_end() {
    let policy = RetryPolicy::default();
    let minutes = |faults| {
        let delay = policy.retry_after(Outcome::ProviderFailure, 0, faults);
        delay.map(|delay| delay.num_minutes())
    };
    assert_eq!(
        [1, 2, 3, 9].map(minutes),
        [Some(5), Some(10), Some(20), Some(40)]
    );
    assert_eq!(minutes(RetryPolicy::MOST_FAULTS), None);
}

/// What was frozen before there were rules keeps its meaning.
#[test]
fn a_policy_stored_without_rules_has_none_and_its_delays_are_exact() {
    let stored = r#"{"max_attempts":2,"delays_minutes":[30]}"#;
    let policy: RetryPolicy = serde_json::from_str(stored).unwrap();
    assert!(policy.rules.is_empty());
    assert!(!policy.changes_daypart(Outcome::NoAnswer));
}

#[test]
fn rules_are_read_back_as_they_were_written() {
    let policy = policy_with([(Outcome::NoAnswer, rule(&[180, 1440]))]);
    let json = serde_json::to_string(&policy).unwrap();
    assert_eq!(
        json,
        r#"{"max_attempts":9,"delays_minutes":[30],"rules":{"no_answer":{"delays_minutes":[180,1440]}},"other_daypart":true}"#
    );
    assert_eq!(serde_json::from_str::<RetryPolicy>(&json).unwrap(), policy);
}

#[test]
fn only_outcomes_that_are_retried_and_found_nobody_change_the_daypart() {
    let changes = |policy: &RetryPolicy| -> Vec<Outcome> {
        let all = Outcome::ALL.iter().copied();
        all.filter(|outcome| policy.changes_daypart(*outcome))
            .collect()
    };
    assert_eq!(
        changes(&RetryPolicy::default()),
        [Outcome::NoAnswer, Outcome::Voicemail]
    );
    assert_eq!(
        changes(&policy_with([(Outcome::NoAnswer, rule(&[]))])),
        [Outcome::Voicemail]
    );
}

fn instant(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn daily(start: &str, end: &str) -> CallingHours {
    CallingHours::daily(start.parse().unwrap(), end.parse().unwrap()).unwrap()
}

fn schedule(hours: CallingHours) -> Schedule {
    Schedule {
        starts_at: None,
        ends_at: None,
        hours,
        time_zone: "Europe/Rome".parse().unwrap(),
        countries: BTreeMap::new(),
    }
}

fn contact(time_zones: &[TimeZone]) -> Contact {
    Contact {
        phone_number: "+393471234567".parse().unwrap(),
        name: String::new(),
        language: None,
        time_zones: time_zones.to_vec(),
        priority: 0,
        extra: BTreeMap::new(),
    }
}

/// Where an attempt goes that is due after one at `failed_at`, both on Rome's winter clock.
fn moved(schedule: &Schedule, failed_at: &str, due_at: &str) -> String {
    let at = |local: &str| instant(&format!("2026-11-{local}:00+01:00"));
    let moved = in_other_daypart(at(due_at), at(failed_at), schedule, &contact(&[]));
    let local = schedule.time_zone.local(moved);
    local.format("%dT%H:%M").to_string()
}

#[test]
fn who_was_not_there_in_the_morning_is_called_in_the_afternoon() {
    let hours = schedule(daily("09:00", "20:00"));
    assert_eq!(moved(&hours, "20T09:30", "20T10:00"), "20T12:00");
    assert_eq!(moved(&hours, "20T11:59", "20T12:00"), "20T12:00");
    assert_eq!(moved(&hours, "20T16:00", "20T16:30"), "20T17:00");
    // The hours close before the delay is over and open in another part of the day.
    assert_eq!(moved(&hours, "20T19:30", "20T22:30"), "20T22:30");
    assert_eq!(moved(&hours, "20T18:00", "20T18:30"), "21T09:00");
    // A day later it is the same part of the day.
    assert_eq!(moved(&hours, "20T09:30", "21T09:30"), "21T12:00");
}

#[test]
fn the_other_part_of_the_day_begins_when_the_hours_open() {
    let json = r#"{"weekly": {"fri": [["09:00", "13:00"], ["14:30", "18:00"]]}}"#;
    let hours = schedule(serde_json::from_str(json).unwrap());
    // 20 November 2026 is a Friday, the only day that is open.
    assert_eq!(moved(&hours, "20T12:30", "20T12:45"), "20T17:00");
    let until_half_past_one = r#"{"weekly": {"fri": [["09:00", "11:00"], ["13:30", "18:00"]]}}"#;
    let hours = schedule(serde_json::from_str(until_half_past_one).unwrap());
    assert_eq!(moved(&hours, "20T09:30", "20T10:00"), "20T13:30");
}

#[test]
fn where_there_is_no_other_part_of_the_day_in_time_the_delay_is_exact() {
    let mornings = schedule(daily("09:00", "11:00"));
    assert_eq!(moved(&mornings, "20T09:30", "20T10:00"), "20T10:00");
    let ending = Schedule {
        ends_at: Some(instant("2026-11-20T12:00:00+01:00")),
        ..schedule(daily("09:00", "20:00"))
    };
    assert_eq!(moved(&ending, "20T09:30", "20T10:00"), "20T10:00");
    let closed = schedule(CallingHours::default());
    assert_eq!(moved(&closed, "20T09:30", "20T10:00"), "20T10:00");
}

#[test]
fn a_holiday_of_the_persons_country_is_no_other_part_of_the_day() {
    let mut hours = schedule(daily("09:00", "20:00"));
    let italy = r#"{"IT": {"holidays": ["2026-11-21"]}}"#;
    hours.countries = serde_json::from_str(italy).unwrap();
    assert_eq!(moved(&hours, "20T18:00", "20T18:30"), "20T18:30");
}

#[test]
fn noon_is_noon_on_the_days_on_which_clocks_change() {
    let open = schedule(CallingHours::always());
    for (failed_at, noon) in [
        ("2026-03-29T00:00:00Z", "2026-03-29T10:00:00Z"),
        ("2026-10-24T23:00:00Z", "2026-10-25T11:00:00Z"),
    ] {
        let failed_at = instant(failed_at);
        let due_at = failed_at + TimeDelta::minutes(30);
        let moved = in_other_daypart(due_at, failed_at, &open, &contact(&[]));
        assert_eq!(moved, instant(noon));
    }
}

#[test]
fn in_several_zones_it_is_another_part_of_the_day_in_each() {
    let zones = ["America/Boise", "America/Los_Angeles"].map(|name| name.parse().unwrap());
    let hours = schedule(daily("09:00", "20:00"));
    // 11:00 in Boise, 10:00 in Los Angeles; noon comes an hour later to the second.
    let failed_at = instant("2026-11-20T18:00:00Z");
    let due_at = failed_at + TimeDelta::minutes(30);
    assert_eq!(
        in_other_daypart(due_at, failed_at, &hours, &contact(&zones)),
        instant("2026-11-20T20:00:00Z")
    );
}

fn some_hours() -> impl Strategy<Value = CallingHours> {
    let range = (0..96_u16, 0..=96_u16).prop_map(|(start, end)| {
        let time = |quarter: u16| TimeOfDay::new(quarter / 4, quarter % 4 * 15).unwrap();
        HoursRange::new(time(start), time(end)).unwrap()
    });
    proptest::collection::vec(proptest::collection::vec(range, 0..3), 7).prop_map(|mut days| {
        let mut day = || days.pop().unwrap_or_default();
        CallingHours {
            weekly: WeeklyHours {
                mon: day(),
                tue: day(),
                wed: day(),
                thu: day(),
                fri: day(),
                sat: day(),
                sun: day(),
            },
            ..CallingHours::default()
        }
    })
}

/// A failed attempt and its delay, half of the time so that it is due on the day before a change
/// of the first zone's clock.
fn some_attempt() -> impl Strategy<Value = (Vec<TimeZone>, Timestamp, TimeDelta)> {
    let zones =
        proptest::collection::vec(proptest::sample::select(&chrono_tz::TZ_VARIANTS[..]), 1..3);
    let seconds = 1_704_067_200_i64..2_051_222_400;
    let minutes_before_change = proptest::option::of(0..24 * 60_i64);
    (zones, seconds, minutes_before_change, 1..3_000_i64).prop_map(
        |(zones, seconds, before, delay)| {
            let zones: Vec<_> = zones.into_iter().map(TimeZone::new).collect();
            let at = Timestamp::from_timestamp(seconds, 0).unwrap();
            let near = zones[0].next_offset_change(at).zip(before);
            let at = near.map_or(at, |(change, before)| {
                change - TimeDelta::minutes(before + delay)
            });
            (zones, at, TimeDelta::minutes(delay))
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 256,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    /// Looks at every quarter of an hour; hours and parts of the day change at no other time.
    #[test]
    fn an_attempt_is_moved_to_the_first_other_part_of_the_day(
        hours in some_hours(),
        (zones, failed_at, delay) in some_attempt(),
    ) {
        let schedule = schedule(hours);
        let due_at = failed_at + delay;
        let moved = in_other_daypart(due_at, failed_at, &schedule, &contact(&zones));
        prop_assert!(moved >= due_at, "earlier than the delay");
        prop_assert!(moved <= due_at + TimeDelta::hours(24), "more than a day later");

        let is_other = |at: Timestamp| {
            schedule.hours.is_open(&zones, at)
                && zones.iter().all(|zone| {
                    Daypart::of(zone.local(at)) != Daypart::of(zone.local(failed_at))
                })
        };
        let quarter = 15 * 60;
        let first = due_at.timestamp().div_euclid(quarter) * quarter + quarter;
        let instants = (0..96).map(|index| {
            Timestamp::from_timestamp(first + index * quarter, 0).unwrap()
        });
        let expected = std::iter::once(due_at)
            .chain(instants)
            .filter(|at| *at <= due_at + TimeDelta::hours(24))
            .find(|at| is_other(*at));
        let called_at = schedule.hours.next_opening(&zones, moved);
        if expected.is_some() {
            prop_assert_eq!(called_at, expected);
        } else {
            prop_assert_eq!(moved, due_at);
        }
    }
}
