//! The calling hours of a body: one range for every day under either pair of names, or by weekday.

use serde_json::Value;
use voicesurvey_core::calling_hours::{CallingHours, TimeOfDay};

use crate::api::fields::{Checks, Field, FromJson};

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

impl FromJson for CallingHours {
    fn from_json(value: Value) -> Result<Self, String> {
        serde_json::from_value(value).map_err(|error| error.to_string())
    }
}
