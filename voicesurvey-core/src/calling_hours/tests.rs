use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

mod every_offset_change;

/// The shared cases, computed by another implementation in another language.
#[derive(Deserialize)]
struct WindowCases {
    policies: BTreeMap<String, Policy>,
    cases: Vec<Case>,
}

/// The cases' form of [`CallingHours`].
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Policy {
    windows: WeeklyHours,
    #[serde(default)]
    holidays: BTreeSet<NaiveDate>,
    #[serde(default)]
    holiday_windows: Vec<HoursRange>,
    #[serde(default)]
    pre_holidays: BTreeSet<NaiveDate>,
    #[serde(default)]
    pre_holiday_windows: Vec<HoursRange>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    policy: String,
    zones: Vec<TimeZone>,
    instant: Timestamp,
    local: Vec<String>,
    open: bool,
    next_open: Timestamp,
}

impl From<&Policy> for CallingHours {
    fn from(policy: &Policy) -> Self {
        Self {
            weekly: policy.windows.clone(),
            holidays: policy.holidays.clone(),
            holiday_hours: policy.holiday_windows.clone(),
            eves: policy.pre_holidays.clone(),
            eve_hours: policy.pre_holiday_windows.clone(),
        }
    }
}

fn zone(name: &str) -> TimeZone {
    name.parse().unwrap()
}

fn instant(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn daily(start: &str, end: &str) -> CallingHours {
    CallingHours::daily(start.parse().unwrap(), end.parse().unwrap()).unwrap()
}

#[test]
fn all_window_cases_hold() {
    // The cases were computed with tzdb 2026f. Only Cuba differs from the bundled 2026e, and no
    // case is in Cuba, so there is no exception to make.
    let json = include_str!(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../tests/data/window_cases.json"
    ));
    let WindowCases { policies, cases } = serde_json::from_str(json).unwrap();
    assert_eq!(cases.len(), 53);
    for case in cases {
        let name = &case.name;
        let hours = CallingHours::from(&policies[&case.policy]);
        for (zone, expected) in case.zones.iter().zip(&case.local) {
            let local = zone.local(case.instant).format("%a %Y-%m-%d %H:%M:%S");
            let minutes = zone.offset_seconds(case.instant) / 60;
            let local = format!("{local} {:+03}{:02}", minutes / 60, (minutes % 60).abs());
            assert_eq!(&local, expected, "{name}");
        }
        assert_eq!(
            hours.is_open(&case.zones, case.instant),
            case.open,
            "{name}"
        );
        assert_eq!(
            hours.next_opening(&case.zones, case.instant),
            Some(case.next_open),
            "{name}"
        );
    }
}

#[test]
fn nobody_is_called_where_the_zone_is_unknown() {
    let at = instant("2026-11-20T12:00:00Z");
    assert!(!CallingHours::always().is_open(&[], at));
    assert_eq!(CallingHours::always().next_opening(&[], at), None);
    assert_eq!(CallingHours::always().closes_at(&[], at), None);
}

#[test]
fn zones_that_are_never_open_together_have_no_next_opening() {
    let hours = daily("09:00", "17:00");
    let zones = [zone("Pacific/Auckland"), zone("Europe/Lisbon")];
    assert_eq!(
        hours.next_opening(&zones, instant("2026-11-20T12:00:00Z")),
        None
    );
    assert_eq!(
        CallingHours::default().next_opening(&zones, Timestamp::UNIX_EPOCH),
        None
    );
}

#[test]
fn zones_that_agree_only_until_a_clock_change_are_both_looked_at() {
    // Both are two hours ahead of UTC on Saturday; on Sunday only Bucharest's clock changes.
    let zones = [zone("Europe/Bucharest"), zone("Europe/Kaliningrad")];
    let opening = daily("09:00", "20:00").next_opening(&zones, instant("2026-03-28T19:00:00Z"));
    assert_eq!(opening, Some(instant("2026-03-29T07:00:00Z")));
}

#[test]
fn an_opening_keeps_the_fraction_of_a_second_only_if_it_is_now() {
    let hours = daily("09:00", "20:00");
    let rome = [zone("Europe/Rome")];
    let early = instant("2026-11-20T07:59:59.999999Z");
    assert_eq!(
        hours.next_opening(&rome, early),
        Some(instant("2026-11-20T08:00:00Z"))
    );
    let open = instant("2026-11-20T08:00:00.000001Z");
    assert_eq!(hours.next_opening(&rome, open), Some(open));
    assert!(hours.is_open(&rome, instant("2026-11-20T18:59:59.999999Z")));
    assert!(!hours.is_open(&rome, instant("2026-11-20T19:00:00Z")));
}

#[test]
fn hours_close_in_the_first_zone_that_closes() {
    let hours = daily("08:00", "21:00");
    let zones = [zone("America/Los_Angeles"), zone("America/Boise")];
    let noon = instant("2026-11-20T20:00:00Z");
    assert_eq!(
        hours.closes_at(&zones, noon),
        Some(instant("2026-11-21T04:00:00Z"))
    );
    assert_eq!(
        hours.closes_at(&zones, instant("2026-11-21T04:00:00Z")),
        None
    );
    assert_eq!(CallingHours::always().closes_at(&zones, noon), None);
}

#[test]
fn ranges_that_touch_or_overlap_close_once() {
    let mut hours = daily("09:00", "13:00");
    let more = [("13:00", "15:00"), ("14:00", "24:00")];
    hours.weekly.fri.extend(more.map(|(start, end)| {
        HoursRange::new(start.parse().unwrap(), end.parse().unwrap()).unwrap()
    }));
    hours.weekly.sat =
        vec![HoursRange::new(TimeOfDay::MIDNIGHT, "01:00".parse().unwrap()).unwrap()];
    let closing = hours.closes_at(&[zone("Europe/Rome")], instant("2026-11-20T08:30:00Z"));
    assert_eq!(closing, Some(instant("2026-11-21T00:00:00Z")));
}

#[test]
fn hours_over_a_clock_change_close_where_the_clock_jumps_out_of_them() {
    let rome = [zone("Europe/Rome")];
    // The clock jumps from 02:00 to 03:00, past the end.
    let closing = daily("01:00", "02:30").closes_at(&rome, instant("2026-03-29T00:30:00Z"));
    assert_eq!(closing, Some(instant("2026-03-29T01:00:00Z")));
    // The clock is put back from 03:00 to 02:00: an hour longer.
    let closing = daily("01:00", "04:00").closes_at(&rome, instant("2026-10-25T00:30:00Z"));
    assert_eq!(closing, Some(instant("2026-10-25T03:00:00Z")));
}

#[test]
fn an_end_that_is_not_later_than_the_start_is_on_the_next_day() {
    let mut hours = CallingHours::default();
    let nine = "09:00".parse().unwrap();
    hours.weekly.fri.push(HoursRange::new(nine, nine).unwrap());
    let rome = [zone("Europe/Rome")];
    assert_eq!(
        hours.closes_at(&rome, instant("2026-11-20T08:00:00Z")),
        Some(instant("2026-11-21T08:00:00Z"))
    );
    assert!(HoursRange::new(TimeOfDay::END_OF_DAY, nine).is_err());
}

#[test]
fn json_is_read_back_as_it_was_written() {
    let json = r#"{"weekly":{"mon":[["09:00","13:00"],["14:00","24:00"]]},"holidays":["2026-12-08"],"holiday_hours":[["10:00","12:00"]],"eves":["2026-12-07"]}"#;
    let hours: CallingHours = serde_json::from_str(json).unwrap();
    assert_eq!(serde_json::to_string(&hours).unwrap(), json);
}

#[test]
fn wrong_json_is_refused_with_what_is_wrong_in_it() {
    let refused = |json: &str, expected: &str| {
        let error = serde_json::from_str::<CallingHours>(json)
            .unwrap_err()
            .to_string();
        assert!(error.contains(expected), "{error}");
    };
    refused(
        r#"{"weekly":{"mon":[["9","20:00"]]}}"#,
        "Invalid time format: '9' (use HH:MM",
    );
    refused(
        r#"{"weekly":{"mon":[["24:00","20:00"]]}}"#,
        "cannot start at 24:00",
    );
    refused(
        r#"{"weekly":{"monday":[]}}"#,
        "unknown field `monday`, expected one of `mon`",
    );
    refused(
        r#"{"weekly":{},"holidays":["25.12.2026"]}"#,
        "Invalid date: '25.12.2026' (use YYYY-",
    );
    refused(
        r#"{"weekly":{},"eves":["2026-02-30"]}"#,
        "Invalid date: '2026-02-30'",
    );
    refused(r#"{"weekly":{},"holiday":[]}"#, "unknown field `holiday`");
    refused("{}", "missing field `weekly`");
}

#[test]
fn the_ends_of_time_do_not_panic() {
    let zones = [zone("Pacific/Apia"), zone("Europe/Rome")];
    for at in [Timestamp::MIN_UTC, Timestamp::MAX_UTC] {
        let hours = daily("22:00", "21:00");
        hours.is_open(&zones, at);
        hours.next_opening(&zones, at);
        hours.closes_at(&zones, at);
    }
}

fn some_range() -> impl Strategy<Value = HoursRange> {
    (0..96_u16, 0..=96_u16).prop_map(|(start, end)| {
        let time = |quarter: u16| TimeOfDay::new(quarter / 4, quarter % 4 * 15).unwrap();
        HoursRange::new(time(start), time(end)).unwrap()
    })
}

/// Hours of a few days a week with holidays and eves thickly sown around `day`.
fn some_hours(day: NaiveDate) -> impl Strategy<Value = CallingHours> {
    let ranges = || vec(some_range(), 0..2);
    let days = move || {
        proptest::collection::btree_set(-3..12_i64, 0..4)
            .prop_map(move |days| days.into_iter().map(|n| day + TimeDelta::days(n)).collect())
    };
    let weekly = (
        ranges(),
        ranges(),
        ranges(),
        ranges(),
        ranges(),
        ranges(),
        ranges(),
    )
        .prop_map(|(mon, tue, wed, thu, fri, sat, sun)| WeeklyHours {
            mon,
            tue,
            wed,
            thu,
            fri,
            sat,
            sun,
        });
    (weekly, days(), ranges(), days(), ranges()).prop_map(
        |(weekly, holidays, holiday_hours, eves, eve_hours)| CallingHours {
            weekly,
            holidays,
            holiday_hours,
            eves,
            eve_hours,
        },
    )
}

/// One to three zones, half of the time at an instant near a change of the first one's clock.
fn some_moment() -> impl Strategy<Value = (Vec<TimeZone>, Timestamp)> {
    let zones = vec(proptest::sample::select(&chrono_tz::TZ_VARIANTS[..]), 1..4);
    // 2024 to 2035.
    let seconds = 1_704_067_200_i64..2_051_222_400;
    (zones, seconds, any::<bool>(), -100_000..10_000_i64).prop_map(
        |(zones, seconds, near, distance)| {
            let zones: Vec<_> = zones.into_iter().map(TimeZone::new).collect();
            let at = Timestamp::from_timestamp(seconds, 0).unwrap();
            let change = zones[0].next_offset_change(at).filter(|_| near);
            (
                zones,
                change.map_or(at, |change| change + TimeDelta::seconds(distance)),
            )
        },
    )
}

fn some_case() -> impl Strategy<Value = (CallingHours, Vec<TimeZone>, Timestamp)> {
    some_moment().prop_flat_map(|(zones, at)| (some_hours(at.date_naive()), Just(zones), Just(at)))
}

/// Instants between two, every minute of the first days and coarser later, and at both edges.
/// All openings and clock changes fall on whole minutes.
fn samples_between(from: Timestamp, to: Timestamp) -> impl Iterator<Item = Timestamp> {
    let second = TimeDelta::seconds(1);
    let next_minute = from + TimeDelta::seconds(60 - i64::from(from.second()));
    let minutes = (to - next_minute).num_minutes().max(0);
    let fine = (0..minutes.min(4 * 24 * 60)).chain((0..minutes).step_by(67));
    fine.map(move |minute| next_minute + TimeDelta::minutes(minute))
        .chain([from, from + second, to - second])
        .filter(move |at| (from..to).contains(at))
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 128,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn the_next_opening_is_open_and_nothing_before_it_is((hours, zones, at) in some_case()) {
        let opening = hours.next_opening(&zones, at);
        if let Some(opening) = opening {
            prop_assert!(hours.is_open(&zones, opening));
        }
        let end = opening.unwrap_or(at + TimeDelta::days(HORIZON_DAYS));
        for sample in samples_between(at, end) {
            prop_assert!(!hours.is_open(&zones, sample), "open at {sample}, before {opening:?}");
        }
    }

    #[test]
    fn the_closing_is_closed_and_nothing_before_it_is((hours, zones, at) in some_case()) {
        let Some(at) = hours.next_opening(&zones, at) else { return Ok(()) };
        let closing = hours.closes_at(&zones, at);
        if let Some(closing) = closing {
            prop_assert!(!hours.is_open(&zones, closing));
        }
        let end = closing.unwrap_or(at + TimeDelta::days(HORIZON_DAYS));
        for sample in samples_between(at, end) {
            prop_assert!(hours.is_open(&zones, sample), "closed at {sample}, before {closing:?}");
        }
    }
}

#[test]
fn hours_open_on_the_first_day_of_the_epoch_too() {
    let epoch = Timestamp::default();
    let opening = CallingHours::nine_to_nine().next_opening(&[TimeZone::UTC], epoch);
    assert_eq!(opening, Some(epoch + TimeDelta::hours(9)));
}
