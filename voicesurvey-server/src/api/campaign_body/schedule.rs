//! The calling hours of a body: one range for every day under either pair of names, or by weekday;
//! and the holidays of single countries.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;
use voicesurvey_core::calling_hours::{CallingHours, CountryDays, TimeOfDay, read_date};
use voicesurvey_core::phone_number::Region;

use crate::api::fields::{Checks, Field, FromJson, UnknownFields};

/// Holidays and eves of one country.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct CountryDaysBody {
    /// Dates on which the holiday hours hold, which is closed if there are none.
    #[schema(value_type = Option<Vec<String>>)]
    holidays: Field<Vec<NaiveDate>>,
    /// Dates on which the eve hours hold, which is closed if there are none.
    #[schema(value_type = Option<Vec<String>>)]
    eves: Field<Vec<NaiveDate>>,
    #[serde(flatten)]
    #[schema(ignore)]
    unknown: UnknownFields,
}

/// A field with its name.
type Named<T> = (&'static str, Field<T>);

/// Reads the hours: `times` are the first pair of start and end, and the second.
pub(super) fn read(
    times: [Named<TimeOfDay>; 4],
    by_weekday: Field<CallingHours>,
    checks: &mut Checks,
) -> Option<CallingHours> {
    let is_by_weekday = by_weekday.is_named();
    let by_weekday = checks.optional("calling_hours", by_weekday);
    let [first_start, first_end, second_start, second_end] = times;
    let (start_name, start, start_is_named) = one_of(first_start, second_start, checks);
    let (end_name, end, end_is_named) = one_of(first_end, second_end, checks);
    if is_by_weekday && (start_is_named || end_is_named) {
        let name = if start_is_named { start_name } else { end_name };
        checks.wrong(name, format!("give calling_hours or {name}, not both"));
        return None;
    }
    for (missing, given, is_missing) in [
        (end_name, start_name, start_is_named && !end_is_named),
        (start_name, end_name, end_is_named && !start_is_named),
    ] {
        if is_missing {
            checks.wrong(missing, format!("is required together with {given}"));
        }
    }
    let (Some(start), Some(end)) = (start, end) else {
        return by_weekday;
    };
    if end <= start {
        // The core reads this as hours over midnight, which nobody means who gives two times.
        let message =
            format!("must be later than {start_name}; calling_hours can go over midnight");
        checks.wrong(end_name, message);
        return None;
    }
    match CallingHours::daily(start, end) {
        Ok(hours) => Some(hours),
        Err(error) => {
            checks.wrong(start_name, error.to_string());
            None
        }
    }
}

/// The one of two fields that was named, and whether any was; both is wrong.
fn one_of(
    (first_name, first): Named<TimeOfDay>,
    (second_name, second): Named<TimeOfDay>,
    checks: &mut Checks,
) -> (&'static str, Option<TimeOfDay>, bool) {
    let is_second = second.is_named() && !first.is_named();
    if second.is_named() && first.is_named() {
        let message = format!("give {first_name} or {second_name}, not both");
        checks.wrong(second_name, message);
    }
    let is_named = first.is_named() || second.is_named();
    let first = checks.optional(first_name, first);
    let second = checks.optional(second_name, second);
    let name = if is_second { second_name } else { first_name };
    (name, first.or(second), is_named)
}

/// Reads the days of each country.
pub(super) fn countries(
    field: Field<BTreeMap<String, Value>>,
    checks: &mut Checks,
) -> Option<BTreeMap<Region, CountryDays>> {
    let given = checks.optional("country_days", field)?;
    let mut countries = BTreeMap::new();
    for (name, value) in given {
        let field = format!("country_days.{name}");
        let region = checks.optional(&field, Field::<Region>::from_value(name.into()));
        let days = checks.optional(&field, Field::<CountryDaysBody>::from_value(value));
        let days = days.map(|days| days.read(&field, checks));
        let (Some(region), Some(days)) = (region, days) else {
            continue;
        };
        if countries.insert(region, days).is_some() {
            checks.wrong(field, format!("{region} is given twice"));
        }
    }
    Some(countries)
}

impl CountryDaysBody {
    fn read(self, field: &str, checks: &mut Checks) -> CountryDays {
        for (unknown, _) in self.unknown {
            checks.wrong(format!("{field}.{unknown}"), "unknown field");
        }
        let holidays = checks.optional(&format!("{field}.holidays"), self.holidays);
        let eves = checks.optional(&format!("{field}.eves"), self.eves);
        CountryDays {
            holidays: holidays.into_iter().flatten().collect(),
            eves: eves.into_iter().flatten().collect(),
        }
    }
}

impl FromJson for CountryDaysBody {
    fn from_json(value: Value) -> Result<Self, String> {
        if !value.is_object() {
            return Err("must be an object".to_owned());
        }
        serde_json::from_value(value).map_err(|error| error.to_string())
    }
}

impl FromJson for NaiveDate {
    fn from_json(value: Value) -> Result<Self, String> {
        // Whatever it is, the error shows it, as a text shows itself.
        let text = value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned);
        read_date(&text).map_err(|error| error.to_string())
    }
}

impl FromJson for CallingHours {
    fn from_json(value: Value) -> Result<Self, String> {
        serde_json::from_value(value).map_err(|error| error.to_string())
    }
}
