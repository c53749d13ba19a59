use super::*;

fn zones(number: &str) -> Vec<&'static str> {
    let zones = number.parse::<PhoneNumber>().unwrap().time_zones();
    zones.into_iter().map(TimeZone::name).collect()
}

#[test]
fn every_line_of_the_table_can_be_read() {
    assert_eq!(rows().count(), 3240);
    for (prefix, zones) in rows() {
        assert!(prefix.is_some_and(|prefix| prefix < 10_u32.pow(9)));
        assert!(!zones.is_empty(), "{prefix:?}");
    }
    assert!(ZONES.is_sorted_by(|(one, _), (other, _)| one < other));
}

#[test]
fn a_landline_has_the_zones_of_its_longest_prefix() {
    assert_eq!(zones("+12025551234"), ["America/New_York"]);
    assert_eq!(
        zones("+12083201234"),
        ["America/Boise", "America/Los_Angeles"]
    );
    assert_eq!(zones("+390612345678"), ["Europe/Rome"]);
    assert_eq!(zones("+74951234567"), ["Europe/Moscow"]);
    assert_eq!(zones("+78422123456"), ["Europe/Samara"]);
}

#[test]
fn a_mobile_may_be_anywhere_in_its_country() {
    assert_eq!(zones("+393471234567"), ["Europe/Rome", "Europe/Vatican"]);
    assert_eq!(zones("+34612345678"), ["Atlantic/Canary", "Europe/Madrid"]);
    assert_eq!(zones("+61412345678").len(), 8);
    // A toll-free number is not in one place either.
    assert_eq!(zones("+18002345678").len(), 42);
}

#[test]
fn a_russian_mobile_has_the_russian_zones_and_kaliningrad_but_no_kazakh_one() {
    assert_eq!(
        zones("+79991234567"),
        [
            "Asia/Anadyr",
            "Asia/Irkutsk",
            "Asia/Kamchatka",
            "Asia/Krasnoyarsk",
            "Asia/Magadan",
            "Asia/Novosibirsk",
            "Asia/Omsk",
            "Asia/Sakhalin",
            "Asia/Vladivostok",
            "Asia/Yakutsk",
            "Asia/Yekaterinburg",
            "Europe/Kaliningrad",
            "Europe/Moscow",
            "Europe/Samara"
        ]
    );
    assert_eq!(zones("+77011234567"), ["Asia/Almaty", "Asia/Aqtobe"]);
    assert_eq!(zones("+74012345678"), ["Europe/Kaliningrad"]);
}

#[test]
fn zones_that_stand_in_for_another_country_are_replaced() {
    for (number, expected) in [
        (
            "+212612345678",
            &["Africa/Casablanca", "Africa/El_Aaiun"][..],
        ),
        ("+213551234567", &["Africa/Algiers"]),
        ("+218912345678", &["Africa/Tripoli"]),
        ("+211977123456", &["Africa/Juba"]),
        ("+50581234567", &["America/Managua"]),
        ("+970599123456", &["Asia/Gaza", "Asia/Hebron"]),
    ] {
        assert_eq!(zones(number), expected, "{number}");
    }
    // The same zones stay where they belong.
    assert_eq!(zones("+40712034567"), ["Europe/Bucharest"]);
    assert_eq!(zones("+33612345678"), ["Europe/Paris"]);
}

#[test]
fn every_stand_in_is_still_in_upstreams_table() {
    for (code, stand_in, _) in STAND_INS {
        let whole_country = of_longest_prefix(&code.to_string());
        assert!(
            whole_country.contains(&stand_in),
            "upstream no longer has {stand_in} for +{code}: take it out of STAND_INS"
        );
    }
}

#[test]
fn a_caribbean_mobile_is_on_the_island_of_its_area_code() {
    assert_eq!(zones("+18762101234"), ["America/Jamaica"]);
    assert_eq!(zones("+14413701234"), ["Atlantic/Bermuda"]);
}

#[test]
fn a_number_that_tells_no_place_has_no_zones() {
    assert_eq!(zones("+80012345678"), [""; 0]);
    assert_eq!(zones("+99912345678"), [""; 0]);
}
