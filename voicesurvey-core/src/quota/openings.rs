//! The time in which people can be called: how much of it there was, and when so much more of it will
//! have passed.

use std::iter::Peekable;

use chrono::TimeDelta;

use crate::campaign::Schedule;
use crate::time::Timestamp;

/// Nothing is told of what lies further away.
const HORIZON: TimeDelta = TimeDelta::days(366);

/// The openings of the calling hours in the campaign's own zone, from an instant on.
fn openings(
    schedule: &Schedule,
    from: Timestamp,
    until: Timestamp,
) -> impl Iterator<Item = (Timestamp, Timestamp)> + '_ {
    let zones = std::slice::from_ref(&schedule.time_zone);
    let from = schedule
        .starts_at
        .map_or(from, |starts_at| starts_at.max(from));
    let until = schedule.ends_at.map_or(until, |ends_at| ends_at.min(until));
    let mut at = from;
    std::iter::from_fn(move || {
        let opens_at = schedule.hours.next_opening(zones, at)?;
        if opens_at >= until {
            return None;
        }
        let closes_at = schedule.hours.closes_by(zones, opens_at, until);
        let closes_at = closes_at.map_or(until, |closes_at| closes_at.min(until));
        at = closes_at;
        (opens_at < closes_at).then_some((opens_at, closes_at))
    })
}

/// How long people could be called between two instants; of the latest year if it is longer ago.
pub(super) fn open_time(schedule: &Schedule, from: Timestamp, to: Timestamp) -> TimeDelta {
    let spans = openings(schedule, from.max(to - HORIZON), to);
    spans.fold(TimeDelta::zero(), |sum, (opens, closes)| {
        sum + (closes - opens)
    })
}

/// An opening that is still to come.
#[derive(Clone, Copy, Debug)]
struct Opening {
    opens_at: Timestamp,
    /// How much open time has passed when it closes.
    passed: TimeDelta,
    span: TimeDelta,
}

/// The openings that are still to come. Each is worked out once, whoever asks for it, and none before
/// somebody does: a campaign may have hundreds of cells, and a year hundreds of openings.
pub(super) struct Ahead<I: Iterator> {
    known: Vec<Opening>,
    further: Peekable<I>,
}

/// The openings from an instant on, within a year and before the campaign's end.
pub(super) fn ahead(
    schedule: &Schedule,
    from: Timestamp,
) -> Ahead<impl Iterator<Item = (Timestamp, Timestamp)> + '_> {
    Ahead {
        known: Vec::new(),
        further: openings(schedule, from, from + HORIZON).peekable(),
    }
}

impl<I: Iterator<Item = (Timestamp, Timestamp)>> Ahead<I> {
    /// When people have been able to be called for that long; `None` if that lies too far ahead.
    pub(super) fn after(&mut self, wanted: TimeDelta) -> Option<Timestamp> {
        let passed = |known: &[Opening]| {
            let last = known.last();
            last.map_or(TimeDelta::zero(), |opening| opening.passed)
        };
        while self.known.is_empty() || passed(&self.known) < wanted {
            let (opens_at, closes_at) = self.further.next()?;
            let span = closes_at - opens_at;
            self.known.push(Opening {
                opens_at,
                passed: passed(&self.known) + span,
                span,
            });
        }
        let at = self
            .known
            .partition_point(|opening| opening.passed < wanted);
        let opening = self.known.get(at)?;
        Some(opening.opens_at + (wanted - (opening.passed - opening.span)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calling_hours::CallingHours;
    use crate::testing::samples;

    fn instant(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    /// Open from 9 to 12 every day, in UTC.
    fn schedule() -> Schedule {
        let mut schedule = samples::campaign(&samples::company()).settings.schedule;
        schedule.time_zone = "UTC".parse().unwrap();
        let (opens, closes) = ("09:00".parse().unwrap(), "12:00".parse().unwrap());
        schedule.hours = CallingHours::daily(opens, closes).unwrap();
        schedule
    }

    #[test]
    fn whoever_asks_in_whatever_order_gets_the_same_answer() {
        let schedule = schedule();
        let from = instant("2027-03-01T10:00:00Z");
        let expected = [
            (0, "2027-03-01T10:00:00Z"),
            (2 * 60, "2027-03-01T12:00:00Z"),
            (2 * 60 + 1, "2027-03-02T09:01:00Z"),
            (8 * 60, "2027-03-03T12:00:00Z"),
        ];
        let mut at_once = ahead(&schedule, from);
        for &(minutes, at) in expected.iter().chain(expected.iter().rev()) {
            let wanted = TimeDelta::minutes(minutes);
            assert_eq!(at_once.after(wanted), Some(instant(at)));
            assert_eq!(ahead(&schedule, from).after(wanted), Some(instant(at)));
        }
        assert_eq!(at_once.known.len(), 3, "each opening once");
    }

    #[test]
    fn what_lies_behind_the_end_is_not_told() {
        let mut schedule = schedule();
        let from = instant("2027-03-01T10:00:00Z");
        let days = |days: i64| TimeDelta::hours(3 * days);
        assert!(ahead(&schedule, from).after(days(366)).is_some());
        assert_eq!(ahead(&schedule, from).after(days(367)), None);
        schedule.ends_at = Some(instant("2027-03-02T10:00:00Z"));
        let mut until_the_end = ahead(&schedule, from);
        assert_eq!(until_the_end.after(TimeDelta::minutes(181)), None);
        let last = until_the_end.after(TimeDelta::minutes(180));
        assert_eq!(last, schedule.ends_at);
    }

    #[test]
    fn time_in_which_nobody_may_be_called_does_not_pass() {
        let schedule = schedule();
        let (from, to) = ("2027-03-01T11:00:00Z", "2027-03-03T10:30:00Z");
        let open = open_time(&schedule, instant(from), instant(to));
        assert_eq!(open, TimeDelta::minutes(60 + 180 + 90));
    }
}
