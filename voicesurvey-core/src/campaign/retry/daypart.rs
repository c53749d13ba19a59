//! Parts of the day: who is never at home in the morning may be in the evening.

use chrono::{NaiveDateTime, NaiveTime, TimeDelta, Timelike};

use crate::call_list::Contact;
use crate::campaign::Schedule;
use crate::time::Timestamp;
use crate::time_zone::TimeZone;

/// How much later than its delay says an attempt may be moved.
const LONGEST_MOVE: TimeDelta = TimeDelta::hours(24);

/// A part of the day on a wall clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Daypart {
    /// From midnight to noon.
    Morning,
    /// From noon to five.
    Afternoon,
    /// From five to midnight.
    Evening,
}

impl Daypart {
    /// The part of the day at this local time.
    pub fn of(local: NaiveDateTime) -> Self {
        match local.hour() {
            0..12 => Self::Morning,
            12..17 => Self::Afternoon,
            _ => Self::Evening,
        }
    }

    /// The hour at which it ends, on the same date.
    const fn end_hour(self) -> i64 {
        match self {
            Self::Morning => 12,
            Self::Afternoon => 17,
            Self::Evening => 24,
        }
    }
}

/// When an attempt that is due at `due_at` should rather be made, if the one before, at
/// `failed_at`, found nobody.
///
/// That is `due_at` itself where the calling hours open next in another part of the day anyway;
/// else the first instant at which they are open in another part of the day. Never earlier than
/// `due_at`, nor more than 24 hours later, nor after the end of the campaign: where there is no
/// such instant, it is `due_at`. Where the person may be in several zones it must be another part
/// of the day in each.
pub fn in_other_daypart(
    due_at: Timestamp,
    failed_at: Timestamp,
    schedule: &Schedule,
    contact: &Contact,
) -> Timestamp {
    move_to_other_daypart(due_at, failed_at, schedule, contact).unwrap_or(due_at)
}

fn move_to_other_daypart(
    due_at: Timestamp,
    failed_at: Timestamp,
    schedule: &Schedule,
    contact: &Contact,
) -> Option<Timestamp> {
    let hours = schedule.hours_of(contact);
    let zones = schedule.zones_of(contact);
    let is_other = |at| {
        zones
            .iter()
            .all(|zone| Daypart::of(zone.local(at)) != Daypart::of(zone.local(failed_at)))
    };
    let mut at = hours.next_opening(zones, due_at)?;
    if is_other(at) {
        return None;
    }
    let latest = due_at.checked_add_signed(LONGEST_MOVE)?;
    let is_too_late = |at| at > latest || schedule.ends_at.is_some_and(|ends_at| at >= ends_at);
    while !is_too_late(at) {
        if is_other(at) {
            return Some(at);
        }
        let next = zones.iter().filter_map(|zone| daypart_end(*zone, at)).min();
        at = hours.next_opening(zones, next?)?;
    }
    None
}

/// When the part of the day ends that a zone's clock shows, or the clock is changed if that is
/// sooner: until then it runs evenly.
fn daypart_end(zone: TimeZone, at: Timestamp) -> Option<Timestamp> {
    let local = zone.local(at);
    let hours = TimeDelta::hours(Daypart::of(local).end_hour());
    let end = local
        .date()
        .and_time(NaiveTime::MIN)
        .checked_add_signed(hours)?;
    let by_clock = at.checked_add_signed(end - local);
    by_clock
        .into_iter()
        .chain(zone.next_offset_change(at))
        .min()
}
