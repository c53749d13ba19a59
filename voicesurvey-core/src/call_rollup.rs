//! What the calls of a campaign add up to: some of it quarter of an hour by quarter of an hour, some of it
//! over the whole campaign.
//!
//! Screens show calls by hour and day, durations and costs over time, of campaigns with millions of
//! calls: they read these sums and never the calls. A store moves them in the unit of work that ends
//! a call or learns more of one that has ended, so that they always equal the calls (I12).
//!
//! A quarter begins at :00, :15, :30 or :45 in UTC. Every zone's offset is a multiple of a quarter, so
//! the hours and days of any zone are made of whole ones. A call belongs to the quarter in which it was
//! made, also when it ended in another one.

use std::borrow::Cow;
use std::collections::BTreeMap;

use chrono::DateTime;

use crate::call_attempt::{AttemptState, CallAttempt};
use crate::id::{CampaignId, CompanyId};
use crate::money::Cost;
use crate::outcome::Outcome;
use crate::ports::repositories::CostCount;
use crate::time::Timestamp;

/// How long a quarter is, in seconds.
pub const QUARTER_SECONDS: i64 = 900;

/// The beginning of the quarter that an instant lies in.
pub fn quarter_of(at: Timestamp) -> Timestamp {
    let seconds = at.timestamp().div_euclid(QUARTER_SECONDS) * QUARTER_SECONDS;
    // OK because only the first quarter that chrono can express might begin before it.
    DateTime::from_timestamp(seconds, 0).unwrap_or(at)
}

/// Where sums over the whole campaign stand in the place of a quarter. No call was made then.
pub const WHOLE_CAMPAIGN: Timestamp = DateTime::UNIX_EPOCH;

/// One sum.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RolledUp {
    /// Calls that ended with that outcome, or of which none is known.
    Outcome(Option<Outcome>),
    /// Calls that were the first, second … of their contact.
    Number(u16),
    /// Whole seconds that people, or machines, were on the line.
    TalkSeconds,
    /// Calls that were answered, by how long the line was held then.
    Talk(TalkBucket),
    /// What calls cost whose price is known, in millionths of the currency's unit.
    Cost(String),
    /// Replies, by how long the person waited for them.
    Latency(LatencyBucket),
}

impl RolledUp {
    /// Whether it is summed up by the quarter: what is told of hours and days.
    const fn is_by_quarter(&self) -> bool {
        matches!(self, Self::Outcome(_) | Self::TalkSeconds | Self::Cost(_))
    }

    /// Whether it is summed up over the whole campaign: what is told of all calls and is no counter.
    const fn is_of_campaign(&self) -> bool {
        !matches!(self, Self::Outcome(_) | Self::Cost(_))
    }

    /// The kind's name in stores.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Outcome(_) => "outcome",
            Self::Number(_) => "number",
            Self::TalkSeconds => "talk_seconds",
            Self::Talk(_) => "talk",
            Self::Cost(_) => "cost_millionths",
            Self::Latency(_) => "latency",
        }
    }

    /// The name within the kind in stores.
    pub fn name(&self) -> Cow<'static, str> {
        match self {
            Self::Outcome(outcome) => outcome.map_or("", Outcome::name).into(),
            Self::Number(number) => number.to_string().into(),
            Self::TalkSeconds => "".into(),
            Self::Talk(bucket) => bucket.below_seconds().to_string().into(),
            Self::Cost(currency) => currency.clone().into(),
            Self::Latency(bucket) => bucket.below_milliseconds().to_string().into(),
        }
    }

    /// What a store means by that kind and name; `None` if it is unknown.
    pub fn from_parts(kind: &str, name: &str) -> Option<Self> {
        Some(match kind {
            "outcome" if name.is_empty() => Self::Outcome(None),
            "outcome" => Self::Outcome(Some(name.parse().ok()?)),
            "number" => Self::Number(name.parse().ok()?),
            "talk_seconds" => Self::TalkSeconds,
            "talk" => Self::Talk(TalkBucket::from_below(name.parse().ok()?)?),
            "cost_millionths" => Self::Cost(name.to_owned()),
            "latency" => Self::Latency(LatencyBucket::from_below(name.parse().ok()?)?),
            _ => return None,
        })
    }
}

/// A range of durations. Counting by range makes quantiles of any number of calls cheap, and exact up
/// to the width of a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TalkBucket(u8);

impl TalkBucket {
    /// Where the ranges end, in seconds; the last one has no end.
    const ENDS: [i64; 20] = [
        5, 10, 15, 20, 30, 45, 60, 75, 90, 120, 150, 180, 240, 300, 420, 600, 900, 1_800, 3_600, 0,
    ];

    /// The range of a duration of whole seconds.
    pub fn of(seconds: i64) -> Self {
        let index = Self::ENDS
            .iter()
            .position(|end| seconds < *end)
            .unwrap_or(Self::ENDS.len() - 1);
        // OK because there are few.
        Self(u8::try_from(index).unwrap_or(u8::MAX))
    }

    /// Every range, the shortest first.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..).take(Self::ENDS.len()).map(Self)
    }

    /// The seconds that are too long for it; 0 of the last one, for which none are.
    pub fn below_seconds(self) -> i64 {
        Self::ENDS[usize::from(self.0)]
    }

    /// The shortest duration that belongs to it, in seconds.
    pub fn from_seconds(self) -> i64 {
        let before = usize::from(self.0).checked_sub(1);
        before.map_or(0, |before| Self::ENDS[before])
    }

    fn from_below(seconds: i64) -> Option<Self> {
        Self::all().find(|bucket| bucket.below_seconds() == seconds)
    }
}

/// A range of the time that somebody waited for a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LatencyBucket(u8);

impl LatencyBucket {
    /// Where the ranges end, in milliseconds; the last one has no end.
    const ENDS: [u32; 16] = [
        10, 25, 50, 100, 150, 200, 300, 400, 500, 750, 1_000, 1_500, 2_000, 3_000, 5_000, 0,
    ];

    /// The range of so many milliseconds.
    pub fn of(milliseconds: u32) -> Self {
        let index = Self::ENDS
            .iter()
            .position(|end| milliseconds < *end)
            .unwrap_or(Self::ENDS.len() - 1);
        // OK because there are few.
        Self(u8::try_from(index).unwrap_or(u8::MAX))
    }

    /// Every range, the shortest first.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..).take(Self::ENDS.len()).map(Self)
    }

    /// The milliseconds that are too many for it; 0 of the last one, for which none are.
    pub fn below_milliseconds(self) -> u32 {
        Self::ENDS[usize::from(self.0)]
    }

    /// The fewest milliseconds that belong to it.
    pub fn from_milliseconds(self) -> u32 {
        let before = usize::from(self.0).checked_sub(1);
        before.map_or(0, |before| Self::ENDS[before])
    }

    fn from_below(milliseconds: u32) -> Option<Self> {
        Self::all().find(|bucket| bucket.below_milliseconds() == milliseconds)
    }
}

/// What the sums are made of: as much of an attempt as matters here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RolledCall {
    /// How far it has come. Only calls that have ended are summed up.
    pub state: AttemptState,
    /// The attempt's number within its task.
    pub number: u16,
    /// When it was answered.
    pub answered_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// How it ended.
    pub outcome: Option<Outcome>,
    /// What it cost.
    pub cost: Option<Cost>,
    /// How long the person waited for each reply, in milliseconds.
    pub latencies: Vec<u32>,
}

impl From<&CallAttempt> for RolledCall {
    fn from(attempt: &CallAttempt) -> Self {
        Self {
            state: attempt.state,
            number: attempt.number,
            answered_at: attempt.answered_at,
            ended_at: attempt.ended_at,
            outcome: attempt.outcome,
            cost: attempt.cost.clone(),
            latencies: attempt.latencies.clone(),
        }
    }
}

impl RolledCall {
    /// What the call, made at `at`, adds to which sums of which quarters, or of [`WHOLE_CAMPAIGN`].
    pub fn sums(
        &self,
        at: Timestamp,
    ) -> impl Iterator<Item = ((Timestamp, RolledUp), i64)> + use<> {
        let quarter = quarter_of(at);
        self.values().into_iter().flat_map(move |(sum, value)| {
            let by_quarter = sum.is_by_quarter().then_some(quarter);
            let of_campaign = sum.is_of_campaign().then_some(WHOLE_CAMPAIGN);
            let keys = by_quarter.into_iter().chain(of_campaign);
            keys.map(move |quarter| ((quarter, sum.clone()), value))
        })
    }

    fn values(&self) -> Vec<(RolledUp, i64)> {
        if self.state.is_live() {
            return Vec::new();
        }
        let mut sums = vec![
            (RolledUp::Outcome(self.outcome), 1),
            (RolledUp::Number(self.number), 1),
        ];
        if let Some((answered, ended)) = self.answered_at.zip(self.ended_at) {
            let seconds = (ended - answered).num_seconds().max(0);
            sums.push((RolledUp::TalkSeconds, seconds));
            sums.push((RolledUp::Talk(TalkBucket::of(seconds)), 1));
        }
        if let Some(cost) = &self.cost {
            let millionths = CostCount::of(cost).millionths;
            sums.push((RolledUp::Cost(cost.currency.clone()), millionths));
        }
        let latencies = self.latencies.iter();
        sums.extend(latencies.map(|waited| (RolledUp::Latency(LatencyBucket::of(*waited)), 1)));
        sums
    }
}

/// Names one sum of all campaigns. Its order is that in which stores lock them.
pub type SumKey = (CompanyId, CampaignId, Timestamp, RolledUp);

/// How much each sum moves.
#[derive(Clone, Debug, Default)]
pub struct RollupChanges(BTreeMap<SumKey, i64>);

impl RollupChanges {
    /// A call changed from `before`, if it was stored, to what it is now.
    pub fn call_changed(&mut self, before: Option<&RolledCall>, after: &CallAttempt) {
        let gone = before.into_iter();
        let gone = gone.flat_map(|before| before.sums(after.created_at));
        let gone = gone.map(|(sum, by)| (sum, -by));
        for ((quarter, sum), by) in gone.chain(RolledCall::from(after).sums(after.created_at)) {
            let key = (after.company_id, after.campaign_id, quarter, sum);
            let moved = self.0.entry(key).or_default();
            *moved = moved.saturating_add(by);
        }
    }

    /// The sums that move, and by how much, in the order of their keys. None of them by nothing.
    pub fn take(&mut self) -> impl Iterator<Item = (SumKey, i64)> + use<> {
        let changes = std::mem::take(&mut self.0);
        changes.into_iter().filter(|(_, by)| *by != 0)
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::testing::samples;
    use crate::time_zone::TimeZone;

    fn call() -> CallAttempt {
        let campaign = samples::campaign(&samples::company());
        let mut task = samples::task(&campaign, "+393471234567");
        task.attempts_count = 2;
        let at = samples::now();
        CallAttempt::created(samples::id(), &task, "simulated", at, at, at)
    }

    fn ended(call: &CallAttempt, seconds: i64) -> CallAttempt {
        let answered_at = samples::now() + TimeDelta::seconds(10);
        CallAttempt {
            answered_at: Some(answered_at),
            outcome: Some(Outcome::Completed),
            ..call.clone().ended(
                Outcome::Completed,
                answered_at + TimeDelta::seconds(seconds),
            )
        }
    }

    fn told(changes: &mut RollupChanges) -> Vec<String> {
        let changes = changes.take();
        changes
            .map(|((.., quarter, sum), by)| {
                let (kind, name) = (sum.kind(), sum.name());
                format!("{} {kind} {name}: {by}", quarter.format("%Y %H:%M"))
            })
            .collect()
    }

    #[test]
    fn a_call_counts_when_it_has_ended_and_once() {
        let call = call();
        let mut changes = RollupChanges::default();
        changes.call_changed(None, &call);
        assert_eq!(told(&mut changes), [""; 0]);
        let ended = ended(&call, 95);
        changes.call_changed(Some(&(&call).into()), &ended);
        assert_eq!(
            told(&mut changes),
            [
                "1970 00:00 number 2: 1",
                "1970 00:00 talk_seconds : 95",
                "1970 00:00 talk 120: 1",
                "2027 08:00 outcome completed: 1",
                "2027 08:00 talk_seconds : 95",
            ]
        );
        let mut priced = ended.clone();
        priced.cost = Some(Cost {
            amount: "0.0125".parse().unwrap(),
            currency: "EUR".to_owned(),
        });
        priced.outcome = Some(Outcome::Partial);
        changes.call_changed(Some(&(&ended).into()), &priced);
        assert_eq!(
            told(&mut changes),
            [
                "2027 08:00 outcome completed: -1",
                "2027 08:00 outcome partial: 1",
                "2027 08:00 cost_millionths EUR: 12500"
            ]
        );
    }

    #[test]
    fn sums_read_back_by_their_names() {
        let outcomes = Outcome::ALL.iter().copied().map(Some).chain([None]);
        let sums = outcomes
            .map(RolledUp::Outcome)
            .chain(TalkBucket::all().map(RolledUp::Talk))
            .chain(LatencyBucket::all().map(RolledUp::Latency))
            .chain([
                RolledUp::Number(7),
                RolledUp::TalkSeconds,
                RolledUp::Cost("EUR".to_owned()),
            ]);
        for sum in sums {
            let read = RolledUp::from_parts(sum.kind(), &sum.name());
            assert_eq!(read.as_ref(), Some(&sum));
        }
        assert_eq!(RolledUp::from_parts("talk", "7"), None);
        assert_eq!(RolledUp::from_parts("nonsense", ""), None);
    }

    #[test]
    fn every_duration_has_its_range() {
        for (seconds, from, below) in [(0, 0, 5), (4, 0, 5), (5, 5, 10), (3_599, 1_800, 3_600)] {
            let bucket = TalkBucket::of(seconds);
            assert_eq!(
                (bucket.from_seconds(), bucket.below_seconds()),
                (from, below)
            );
        }
        let last = TalkBucket::of(1_000_000);
        assert_eq!((last.from_seconds(), last.below_seconds()), (3_600, 0));
    }

    #[test]
    fn quarters_begin_on_the_wall_clocks_of_all_zones_at_quarters() {
        let quarter = quarter_of("2026-11-21T08:29:59.999Z".parse().unwrap());
        assert_eq!(
            quarter,
            "2026-11-21T08:15:00Z".parse::<Timestamp>().unwrap()
        );
        let before = quarter_of("1969-12-31T23:59:59Z".parse().unwrap());
        assert_eq!(before, "1969-12-31T23:45:00Z".parse::<Timestamp>().unwrap());
        for zone in [
            "Asia/Kathmandu",
            "Asia/Kolkata",
            "Pacific/Chatham",
            "America/St_Johns",
        ] {
            let zone: TimeZone = zone.parse().unwrap();
            let offset = i64::from(zone.offset_seconds(samples::now()));
            assert_eq!(offset % QUARTER_SECONDS, 0, "{zone}");
        }
    }
}
