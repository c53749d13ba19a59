//! The time zones that a phone number's prefix allows.
//!
//! Upstream's table, `zones.tsv`, is used as libphonenumber uses it, except where that is known to
//! be wrong. The invariant: a zone is never left out because something could not be read; then
//! the number has no zones at all, and is not dialed without one from elsewhere.
//!
//! What upstream gets wrong, and is put right here:
//!
//! - Some zones stand in for another country's zone that had the same rules when the table was
//!   made. The rules differ now, by an hour for months of each year.
//! - Russia and Kazakhstan share the code +7, so each gets the other's zones for mobiles.
//! - Caribbean mobiles are looked up by +1 alone, which gives all of North America, although
//!   their area code tells the island.

use std::sync::LazyLock;

use chrono_tz::Tz;
use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumberType};

use super::{PhoneNumber, Region};
use crate::time_zone::TimeZone;

const TABLE: &str = include_str!("zones.tsv");

const LONGEST_PREFIX: usize = 9;

/// Each prefix with its zones, by the prefix read as a number.
static ZONES: LazyLock<Vec<(u32, Vec<TimeZone>)>> = LazyLock::new(|| {
    let mut zones: Vec<_> = rows()
        .filter_map(|(prefix, zones)| Some((prefix?, zones)))
        .collect();
    zones.sort_unstable_by_key(|(prefix, _)| *prefix);
    zones
});

/// Zones that upstream gives to a country code instead of those of the country itself.
const STAND_INS: [(i32, TimeZone, &[TimeZone]); 7] = [
    // Kaliningrad has no summer time. No Russian prefix names its zone.
    (
        7,
        TimeZone::new(Tz::Europe__Bucharest),
        &[TimeZone::new(Tz::Europe__Kaliningrad)],
    ),
    // South Sudan.
    (
        211,
        TimeZone::new(Tz::Africa__Nairobi),
        &[TimeZone::new(Tz::Africa__Juba)],
    ),
    // Morocco and Western Sahara.
    (
        212,
        TimeZone::new(Tz::Atlantic__Canary),
        &[
            TimeZone::new(Tz::Africa__Casablanca),
            TimeZone::new(Tz::Africa__El_Aaiun),
        ],
    ),
    // Algeria.
    (
        213,
        TimeZone::new(Tz::Europe__Paris),
        &[TimeZone::new(Tz::Africa__Algiers)],
    ),
    // Libya.
    (
        218,
        TimeZone::new(Tz::Europe__Bucharest),
        &[TimeZone::new(Tz::Africa__Tripoli)],
    ),
    // Nicaragua.
    (
        505,
        TimeZone::new(Tz::America__Chicago),
        &[TimeZone::new(Tz::America__Managua)],
    ),
    // Palestine.
    (
        970,
        TimeZone::new(Tz::Europe__Bucharest),
        &[
            TimeZone::new(Tz::Asia__Gaza),
            TimeZone::new(Tz::Asia__Hebron),
        ],
    ),
];

/// The zones of Kazakhstan in upstream's table.
const KAZAKH: [TimeZone; 2] = [
    TimeZone::new(Tz::Asia__Almaty),
    TimeZone::new(Tz::Asia__Aqtobe),
];

/// The possible zones of a number, sorted by name. `plan` is the same number for libphonenumber.
pub(super) fn of(number: &PhoneNumber, plan: &rlibphonenumber::PhoneNumber) -> Vec<TimeZone> {
    let kind = PHONE_NUMBER_UTIL.get_number_type(plan);
    if kind == PhoneNumberType::Unknown {
        return Vec::new();
    }
    let code = plan.country_code;
    let prefix_tells = PHONE_NUMBER_UTIL
        .is_number_geographical_by_country_code_and_type(kind, code)
        || (code == 1 && kind == PhoneNumberType::Mobile);
    let zones = if prefix_tells {
        of_longest_prefix(number.digits())
    } else {
        // A mobile's prefix tells who sold it, not where it is: the whole country is possible.
        of_longest_prefix(&code.to_string())
    };
    let region = number.region();
    let mut zones: Vec<_> = zones
        .iter()
        .filter(|zone| match region {
            Some(Region::RU) => !KAZAKH.contains(zone),
            Some(Region::KZ) => KAZAKH.contains(zone),
            _ => true,
        })
        .flat_map(|zone| stand_in_for(code, zone))
        .copied()
        .collect();
    zones.sort_unstable();
    zones.dedup();
    zones
}

/// The zones that are meant by this one under a country code: itself, as a rule.
fn stand_in_for(code: i32, zone: &TimeZone) -> &[TimeZone] {
    STAND_INS
        .iter()
        .find(|(its_code, stand_in, _)| *its_code == code && stand_in == zone)
        .map_or(std::slice::from_ref(zone), |(_, _, meant)| meant)
}

fn of_longest_prefix(digits: &str) -> &'static [TimeZone] {
    (1..=LONGEST_PREFIX)
        .rev()
        .filter_map(|length| digits.get(..length)?.parse::<u32>().ok())
        .find_map(|prefix| {
            let place = ZONES
                .binary_search_by_key(&prefix, |(prefix, _)| *prefix)
                .ok()?;
            Some(ZONES[place].1.as_slice())
        })
        .unwrap_or_default()
}

/// The lines of the table. A zone that cannot be read leaves its prefix without any.
fn rows() -> impl Iterator<Item = (Option<u32>, Vec<TimeZone>)> {
    TABLE
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| {
            let (prefix, names) = line.split_once('\t').unwrap_or((line, ""));
            let zones: Result<Vec<TimeZone>, _> = names.split('&').map(str::parse).collect();
            (prefix.parse().ok(), zones.unwrap_or_default())
        })
}

#[cfg(test)]
mod tests;
