//! How many calls were made when, how long they took and what they cost: sums of quarters of an hour
//! put together to the hours and days of a time zone.

use std::collections::BTreeMap;
use std::iter::successors;

use chrono::{NaiveDate, TimeDelta, Timelike as _};
use rust_decimal::Decimal;

use crate::call_rollup::{LatencyBucket, QUARTER_SECONDS, RolledUp, TalkBucket, quarter_of};
use crate::outcome::Outcome;
use crate::results::numbers::rounded;
use crate::time::Timestamp;
use crate::time_zone::TimeZone;

/// What some calls add up to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CallSums {
    /// Calls that have ended, by outcome; `None` of those of which none is known.
    pub outcomes: BTreeMap<Option<Outcome>, u64>,
    /// Whole seconds on the line, of those that were answered.
    pub talk_seconds: u64,
    /// What those cost whose price is known, by currency.
    pub costs: BTreeMap<String, Decimal>,
}

impl CallSums {
    /// All calls.
    pub fn calls(&self) -> u64 {
        self.outcomes.values().sum()
    }

    fn add(&mut self, sum: &RolledUp, value: i64) {
        let count = value.try_into().unwrap_or(0);
        match sum {
            RolledUp::Outcome(outcome) => *self.outcomes.entry(*outcome).or_default() += count,
            RolledUp::TalkSeconds => self.talk_seconds += count,
            RolledUp::Cost(currency) => {
                *self.costs.entry(currency.clone()).or_default() += Decimal::new(value, 6);
            }
            RolledUp::Number(_) | RolledUp::Talk(_) | RolledUp::Latency(_) => {}
        }
    }
}

/// The quarters with which days begin there, from `from` on and before `to`; the first one also when it
/// begins no day.
pub fn starts_of_days(from: Timestamp, to: Timestamp, zone: TimeZone) -> Vec<Timestamp> {
    starts(from, to, |quarter| day_of(quarter, zone))
}

/// As [`starts_of_days`], of the hours of the wall clock there.
pub fn starts_of_hours(from: Timestamp, to: Timestamp, zone: TimeZone) -> Vec<Timestamp> {
    starts(from, to, |quarter| hour_of(quarter, zone))
}

/// The calls of sections of days, by the days on which they were made there.
pub fn by_day(
    sections: &BTreeMap<(Timestamp, RolledUp), i64>,
    zone: TimeZone,
) -> BTreeMap<NaiveDate, CallSums> {
    summed_by(sections, |start| day_of(start, zone))
}

/// The calls of sections of hours, by the hours of the wall clock there in which they were made, named by
/// the instants at which these hours begin. An hour that the clock shows twice is two hours.
pub fn by_hour(
    sections: &BTreeMap<(Timestamp, RolledUp), i64>,
    zone: TimeZone,
) -> BTreeMap<Timestamp, CallSums> {
    summed_by(sections, |start| hour_of(start, zone))
}

fn day_of(at: Timestamp, zone: TimeZone) -> NaiveDate {
    zone.local(at).date()
}

fn hour_of(at: Timestamp, zone: TimeZone) -> Timestamp {
    at - TimeDelta::minutes(zone.local(at).minute().into())
}

fn starts<K: PartialEq>(
    from: Timestamp,
    to: Timestamp,
    key: impl Fn(Timestamp) -> K,
) -> Vec<Timestamp> {
    let quarter = TimeDelta::seconds(QUARTER_SECONDS);
    let begun = quarter_of(from);
    let first = if begun < from {
        begun.checked_add_signed(quarter)
    } else {
        Some(begun)
    };
    let quarters = successors(first, |at| at.checked_add_signed(quarter));
    let mut starts = Vec::new();
    let mut known = None;
    for at in quarters.take_while(|at| *at < to) {
        let key = Some(key(at));
        if key != known {
            starts.push(at);
            known = key;
        }
    }
    starts
}

fn summed_by<K: Ord>(
    sections: &BTreeMap<(Timestamp, RolledUp), i64>,
    key: impl Fn(Timestamp) -> K,
) -> BTreeMap<K, CallSums> {
    let mut summed: BTreeMap<K, CallSums> = BTreeMap::new();
    for ((start, sum), value) in sections {
        summed.entry(key(*start)).or_default().add(sum, *value);
    }
    summed
}

/// How many contacts had how many calls that have ended, those without any too, of `contacts` in all.
pub fn calls_per_contact(totals: &BTreeMap<RolledUp, i64>, contacts: u64) -> BTreeMap<u16, u64> {
    let numbered = totals.iter().filter_map(|(sum, value)| match sum {
        RolledUp::Number(number) => Some((*number, u64::try_from(*value).ok()?)),
        _ => None,
    });
    // So many contacts had at least so many calls: each has one of each number.
    let at_least: BTreeMap<u16, u64> = numbered.chain([(0, contacts)]).collect();
    let exactly = at_least.iter().map(|(calls, reached)| {
        let further = calls.checked_add(1).and_then(|next| at_least.get(&next));
        (
            *calls,
            reached.saturating_sub(further.copied().unwrap_or(0)),
        )
    });
    exactly.filter(|(_, contacts)| *contacts > 0).collect()
}

/// How long answered calls were held.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TalkTimes {
    /// Answered calls that have ended.
    pub calls: u64,
    /// Their seconds together.
    pub seconds: u64,
    /// How many lie in each range; those that there are.
    pub ranges: BTreeMap<TalkBucket, u64>,
}

impl TalkTimes {
    /// Of all calls of a campaign.
    pub fn of(totals: &BTreeMap<RolledUp, i64>) -> Self {
        let mut times = Self::default();
        for (sum, value) in totals {
            let count = u64::try_from(*value).unwrap_or(0);
            match sum {
                RolledUp::TalkSeconds => times.seconds = count,
                RolledUp::Talk(bucket) => {
                    times.calls += count;
                    times.ranges.insert(*bucket, count);
                }
                _ => {}
            }
        }
        times
    }

    /// The mean, to a tenth of a second; `None` without calls.
    pub fn mean(&self) -> Option<Decimal> {
        let mean = Decimal::from(self.seconds).checked_div(Decimal::from(self.calls))?;
        Some(rounded(mean, 1))
    }

    /// So many hundredths of the calls are no longer than this, in seconds; as [`quantile`] says.
    pub fn quantile(&self, hundredths: u8) -> Option<Decimal> {
        let ranges = self.ranges.iter();
        quantile(
            ranges.map(|(range, count)| (range.from_seconds(), range.below_seconds(), *count)),
            hundredths,
        )
    }
}

/// How long people waited for replies.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReplyTimes {
    /// How many replies lie in each range; those that there are.
    pub ranges: BTreeMap<LatencyBucket, u64>,
}

impl ReplyTimes {
    /// Of all calls of a campaign.
    pub fn of(totals: &BTreeMap<RolledUp, i64>) -> Self {
        let ranges = totals.iter().filter_map(|(sum, value)| match sum {
            RolledUp::Latency(bucket) => Some((*bucket, u64::try_from(*value).ok()?)),
            _ => None,
        });
        Self {
            ranges: ranges.collect(),
        }
    }

    /// Replies in calls that have ended.
    pub fn replies(&self) -> u64 {
        self.ranges.values().sum()
    }

    /// So many hundredths of the replies came no later than this, in milliseconds; as [`quantile`]
    /// says.
    pub fn quantile(&self, hundredths: u8) -> Option<Decimal> {
        let ranges = self.ranges.iter().map(|(range, count)| {
            let (from, below) = (range.from_milliseconds(), range.below_milliseconds());
            (from.into(), below.into(), *count)
        });
        quantile(ranges, hundredths)
    }
}

/// The value that so many hundredths do not exceed, from ranges in their order, each with where it
/// begins, where it ends (0 without an end), and how many values lie in it. Taken as if they lay evenly
/// there, so it is exact up to the width of a range; of one without an end it is the beginning. To one
/// decimal; `None` without values.
pub fn quantile(
    ranges: impl Iterator<Item = (i64, i64, u64)> + Clone,
    hundredths: u8,
) -> Option<Decimal> {
    let all: u64 = ranges.clone().map(|(.., count)| count).sum();
    let wanted = Decimal::from(all) * Decimal::new(hundredths.min(100).into(), 2);
    let mut passed = Decimal::ZERO;
    for (from, below, count) in ranges.filter(|(.., count)| *count > 0) {
        let count = Decimal::from(count);
        if passed + count >= wanted {
            let width = Decimal::from((below - from).max(0));
            let within = (wanted - passed).checked_div(count)?;
            let value = Decimal::from(from) + width * within;
            return Some(rounded(value, 1).normalize());
        }
        passed += count;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call_rollup::quarter_of;

    fn quarters(calls: &[&str]) -> BTreeMap<(Timestamp, RolledUp), i64> {
        let mut quarters = BTreeMap::new();
        for at in calls {
            let quarter = quarter_of(at.parse().unwrap());
            let outcome = RolledUp::Outcome(Some(Outcome::Completed));
            *quarters.entry((quarter, outcome)).or_default() += 1;
            *quarters
                .entry((quarter, RolledUp::TalkSeconds))
                .or_default() += 60;
            let cost = RolledUp::Cost("EUR".to_owned());
            *quarters.entry((quarter, cost)).or_default() += 12_500;
        }
        quarters
    }

    fn zone(name: &str) -> TimeZone {
        name.parse().unwrap()
    }

    fn days(calls: &[&str], name: &str) -> Vec<String> {
        let days = by_day(&quarters(calls), zone(name)).into_iter();
        days.map(|(day, sums)| format!("{day} {}", sums.calls()))
            .collect()
    }

    #[test]
    fn days_begin_where_the_zone_says() {
        let calls = [
            "2026-11-20T18:14:00Z",
            "2026-11-20T18:15:00Z",
            "2026-11-20T18:30:00Z",
        ];
        assert_eq!(days(&calls, "UTC"), ["2026-11-20 3"]);
        assert_eq!(
            days(&calls, "Asia/Kathmandu"),
            ["2026-11-20 1", "2026-11-21 2"]
        );
        assert_eq!(
            days(&calls, "Asia/Kolkata"),
            ["2026-11-20 2", "2026-11-21 1"]
        );
        assert_eq!(days(&calls, "Pacific/Chatham"), ["2026-11-21 3"]);
    }

    #[test]
    fn an_hour_that_is_shown_twice_is_two() {
        // In Rome the clocks were put back at 01:00 UTC.
        let calls = ["2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"];
        let hours = by_hour(&quarters(&calls), zone("Europe/Rome"));
        let begin: Vec<_> = hours.keys().map(ToString::to_string).collect();
        assert_eq!(
            begin,
            ["2026-10-25 00:00:00 UTC", "2026-10-25 01:00:00 UTC"]
        );
        let nepal = by_hour(&quarters(&["2026-11-20T18:20:00Z"]), zone("Asia/Kathmandu"));
        let begin: Vec<_> = nepal.keys().map(ToString::to_string).collect();
        assert_eq!(begin, ["2026-11-20 18:15:00 UTC"]);
    }

    fn told(starts: &[Timestamp]) -> Vec<String> {
        let starts = starts.iter();
        starts.map(|at| at.format("%d %H:%M").to_string()).collect()
    }

    #[test]
    fn sections_begin_with_the_days_and_hours_of_the_zone() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        // In Rome the clocks were put back at 01:00 UTC.
        let (from, to) = (at("2026-10-23T22:00:00Z"), at("2026-10-25T23:30:00Z"));
        let days = starts_of_days(from, to, zone("Europe/Rome"));
        assert_eq!(told(&days), ["23 22:00", "24 22:00", "25 23:00"]);
        let (from, to) = (at("2026-10-25T00:00:00Z"), at("2026-10-25T02:01:00Z"));
        let hours = starts_of_hours(from, to, zone("Europe/Rome"));
        assert_eq!(told(&hours), ["25 00:00", "25 01:00", "25 02:00"]);
        // What begins within a quarter has its first section with the next one.
        let (from, to) = (at("2026-11-20T17:50:00Z"), at("2026-11-20T19:16:00Z"));
        let hours = starts_of_hours(from, to, zone("Asia/Kathmandu"));
        assert_eq!(told(&hours), ["20 18:00", "20 18:15", "20 19:15"]);
        let days = starts_of_days(from, to, zone("Asia/Kathmandu"));
        assert_eq!(told(&days), ["20 18:00", "20 18:15"]);
        assert!(starts_of_days(to, from, zone("UTC")).is_empty());
        let last = Timestamp::MAX_UTC;
        let starts = starts_of_hours(last - TimeDelta::minutes(20), last, zone("UTC"));
        assert_eq!(starts.len(), 1);
    }

    #[test]
    fn whatever_is_put_together_adds_up_to_the_same() {
        let calls = [
            "2026-11-20T08:01:00Z",
            "2026-11-20T08:20:00Z",
            "2026-11-21T23:59:00Z",
        ];
        let quarters = quarters(&calls);
        for zone in ["UTC", "Asia/Kathmandu", "America/St_Johns"].map(zone) {
            let days = by_day(&quarters, zone);
            let hours = by_hour(&quarters, zone);
            assert_eq!(days.values().map(CallSums::calls).sum::<u64>(), 3);
            assert_eq!(hours.values().map(CallSums::calls).sum::<u64>(), 3);
            let seconds: u64 = days.values().map(|sums| sums.talk_seconds).sum();
            assert_eq!(seconds, 180);
            let cost: Decimal = hours.values().map(|sums| sums.costs["EUR"]).sum();
            assert_eq!(cost, Decimal::new(375, 4));
        }
    }

    #[test]
    fn contacts_are_told_by_how_often_they_were_called() {
        let totals = [(1, 7), (2, 4), (3, 4), (4, 1)]
            .map(|(number, calls)| (RolledUp::Number(number), calls))
            .into();
        let contacts = calls_per_contact(&totals, 10);
        assert_eq!(contacts, [(0, 3), (1, 3), (3, 3), (4, 1)].into());
        assert_eq!(calls_per_contact(&BTreeMap::new(), 0), BTreeMap::new());
    }

    #[test]
    fn quantiles_lie_in_the_range_of_their_call() {
        let talk = |seconds, calls| (RolledUp::Talk(TalkBucket::of(seconds)), calls);
        let totals = [
            (RolledUp::TalkSeconds, 1_000),
            talk(3, 5),
            talk(100, 4),
            talk(9_999, 1),
        ];
        let times = TalkTimes::of(&totals.into());
        assert_eq!((times.calls, times.mean()), (10, Some(Decimal::from(100))));
        let quantile = |hundredths| times.quantile(hundredths).unwrap().to_string();
        assert_eq!([quantile(50), quantile(70)], ["5", "105"]);
        assert_eq!([quantile(90), quantile(100)], ["120", "3600"]);
        assert_eq!(TalkTimes::default().quantile(50), None);
    }

    #[test]
    fn replies_are_told_by_how_long_they_took() {
        let latency = |waited, replies| (RolledUp::Latency(LatencyBucket::of(waited)), replies);
        let totals = [latency(0, 5), latency(120, 4), latency(60_000, 1)];
        let times = ReplyTimes::of(&totals.into());
        assert_eq!(times.replies(), 10);
        let quantile = |hundredths| times.quantile(hundredths).unwrap().to_string();
        assert_eq!(
            [quantile(50), quantile(90), quantile(99)],
            ["10", "150", "5000"]
        );
        assert_eq!(ReplyTimes::default().quantile(99), None);
    }
}
