//! The part of a campaign's stats that is about calls over time.

use std::collections::BTreeMap;

use chrono::{DateTime, FixedOffset, NaiveDate, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use voicesurvey_core::call_statistics::{CallSums, ReplyTimes, TalkTimes};
use voicesurvey_core::outcome::Outcome;
use voicesurvey_core::service::reports::{CallPeriod, CallsOverTime};
use voicesurvey_core::time::Timestamp;
use voicesurvey_core::time_zone::TimeZone;

use super::error::ApiError;
use super::fields::Checks;
use super::number;

/// Without parameters so many days are told, today's included.
const USUAL_DAYS: i64 = 31;
/// So many days are told at most.
const MOST_DAYS: i64 = 366;
/// Hours are told of so many of the last days.
const DAYS_OF_HOURS: i64 = 2;

/// Which part of the campaign is wanted hour by hour and day by day.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct PeriodQuery {
    /// Whose wall clock the days and hours are of; the company's if it is left out.
    #[param(example = "Europe/Rome")]
    time_zone: Option<String>,
    /// The first day; 30 days before the last one if it is left out, at most 365.
    #[param(value_type = Option<NaiveDate>, example = "2026-11-01")]
    from: Option<String>,
    /// The last day; today if it is left out.
    #[param(value_type = Option<NaiveDate>, example = "2026-11-30")]
    to: Option<String>,
}

impl PeriodQuery {
    /// The period, where `zone` is the company's.
    pub(super) fn read(self, zone: TimeZone, now: Timestamp) -> Result<CallPeriod, ApiError> {
        let mut checks = Checks::default();
        let zone = checks
            .parse("time_zone", self.time_zone.as_deref())
            .unwrap_or(zone);
        let today = zone.local(now).date();
        let mut day = |name: &str, text: Option<String>| {
            let text = text?;
            let day: Option<NaiveDate> = text.parse().ok();
            if day.is_none() {
                checks.wrong(name, "use a day, such as 2026-11-21");
            }
            day
        };
        let last = day("to", self.to).unwrap_or(today);
        let usual = last.checked_sub_signed(TimeDelta::days(USUAL_DAYS - 1));
        let first = day("from", self.from).or(usual).unwrap_or(last);
        if first > last {
            checks.wrong("from", "must not be later than to");
        } else if (last - first).num_days() >= MOST_DAYS {
            checks.wrong("from", format!("ask for {MOST_DAYS} days at most"));
        }
        let beginning = |day: NaiveDate, later: i64| {
            let day = day.checked_add_signed(TimeDelta::days(later))?;
            zone.start_of_day(day)
        };
        let from = beginning(first, 0);
        let to = beginning(last, 1).or_else(|| beginning(last, 2));
        if from.is_none() || to.is_none() {
            checks.wrong("to", "use days that the calendar of that time zone has");
        }
        checks.finish_query()?;
        let (from, to) = (from.unwrap_or(now), to.unwrap_or(now));
        let hours_from = beginning(last, 1 - DAYS_OF_HOURS).unwrap_or(from);
        Ok(CallPeriod {
            zone,
            from,
            hours_from: hours_from.max(from),
            to,
        })
    }
}

/// The calls of a campaign that have ended, over time.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CallsOverTimeBody {
    /// Whose days and hours these are.
    time_zone: &'static str,
    /// Where the first day begins.
    from: DateTime<Utc>,
    /// Where the last day ends.
    to: DateTime<Utc>,
    /// By day, those with calls.
    per_day: Vec<DayBody>,
    /// By hour, those with calls, of the last two days.
    per_hour: Vec<HourBody>,
    /// Of the whole campaign: how many contacts had how many calls.
    per_contact: Vec<CallsPerContactBody>,
    /// Of the whole campaign: how long answered calls were held.
    talk: TalkBody,
    /// Of the whole campaign: how long people waited for replies.
    latency: LatencyBody,
}

/// What some calls add up to.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CallSumsBody {
    /// How many.
    calls: u64,
    /// By outcome, those that there are; `unknown` of those of which none is known.
    outcomes: BTreeMap<&'static str, u64>,
    /// Seconds on the line, of those that were answered.
    talk_seconds: u64,
    /// What those cost whose price is known, by currency, as texts.
    costs: BTreeMap<String, String>,
}

/// The calls that were made on one day.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DayBody {
    /// The day.
    day: NaiveDate,
    #[serde(flatten)]
    sums: CallSumsBody,
}

/// The calls that were made in one hour.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct HourBody {
    /// Where it begins, with the offset of the wall clock.
    begins_at: DateTime<FixedOffset>,
    #[serde(flatten)]
    sums: CallSumsBody,
}

/// How many contacts had so many calls.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CallsPerContactBody {
    /// Calls that have ended.
    calls: u16,
    /// Contacts.
    contacts: u64,
}

/// How long answered calls were held, in seconds. Quantiles are taken from ranges, so they are exact
/// up to the width of a range.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TalkBody {
    /// Answered calls that have ended.
    calls: u64,
    /// Their seconds together.
    seconds: u64,
    /// The mean.
    #[schema(value_type = Option<f64>)]
    mean: Option<Value>,
    /// The median.
    #[schema(value_type = Option<f64>)]
    median: Option<Value>,
    /// Nine of ten calls are no longer.
    #[schema(value_type = Option<f64>)]
    p90: Option<Value>,
    /// Ninety-nine of a hundred calls are no longer.
    #[schema(value_type = Option<f64>)]
    p99: Option<Value>,
    /// How many calls lie in each range, those that there are.
    ranges: Vec<TalkRangeBody>,
}

/// How long people waited for replies, in milliseconds: from the moment what they said had arrived here
/// to the moment it was decided what is said next. Quantiles are taken from ranges.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct LatencyBody {
    /// Replies in calls that have ended.
    replies: u64,
    /// The median.
    #[schema(value_type = Option<f64>)]
    median: Option<Value>,
    /// Nine of ten came no later.
    #[schema(value_type = Option<f64>)]
    p90: Option<Value>,
    /// Ninety-nine of a hundred came no later.
    #[schema(value_type = Option<f64>)]
    p99: Option<Value>,
}

impl From<ReplyTimes> for LatencyBody {
    fn from(times: ReplyTimes) -> Self {
        let quantile = |hundredths| times.quantile(hundredths).map(number);
        Self {
            replies: times.replies(),
            median: quantile(50),
            p90: quantile(90),
            p99: quantile(99),
        }
    }
}

/// Calls that were held about as long.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TalkRangeBody {
    /// The shortest duration that belongs to it.
    from: i64,
    /// The shortest that does not any more; absent of the last range.
    below: Option<i64>,
    /// How many calls.
    calls: u64,
}

impl From<CallSums> for CallSumsBody {
    fn from(sums: CallSums) -> Self {
        let outcomes = sums.outcomes.iter().filter(|(_, count)| **count > 0);
        let costs = sums.costs.iter();
        Self {
            calls: sums.calls(),
            outcomes: outcomes
                .map(|(outcome, count)| (outcome.map_or("unknown", Outcome::name), *count))
                .collect(),
            talk_seconds: sums.talk_seconds,
            costs: costs
                .map(|(currency, sum)| (currency.clone(), sum.normalize().to_string()))
                .collect(),
        }
    }
}

impl From<TalkTimes> for TalkBody {
    fn from(times: TalkTimes) -> Self {
        let quantile = |hundredths| times.quantile(hundredths).map(number);
        let ranges = times.ranges.iter().map(|(range, calls)| TalkRangeBody {
            from: range.from_seconds(),
            below: Some(range.below_seconds()).filter(|below| *below > 0),
            calls: *calls,
        });
        Self {
            calls: times.calls,
            seconds: times.seconds,
            mean: times.mean().map(number),
            median: quantile(50),
            p90: quantile(90),
            p99: quantile(99),
            ranges: ranges.collect(),
        }
    }
}

impl CallsOverTimeBody {
    pub(super) fn new(period: CallPeriod, calls: CallsOverTime) -> Self {
        let zone = period.zone;
        let hours = calls.hours.into_iter().filter_map(|(begins_at, sums)| {
            // OK because no zone is a day ahead.
            let offset = FixedOffset::east_opt(zone.offset_seconds(begins_at))?;
            Some(HourBody {
                begins_at: begins_at.with_timezone(&offset),
                sums: sums.into(),
            })
        });
        let days = calls.days.into_iter().map(|(day, sums)| DayBody {
            day,
            sums: sums.into(),
        });
        let per_contact = calls.per_contact.into_iter();
        Self {
            time_zone: zone.name(),
            from: period.from,
            to: period.to,
            per_day: days.collect(),
            per_hour: hours.collect(),
            per_contact: per_contact
                .map(|(calls, contacts)| CallsPerContactBody { calls, contacts })
                .collect(),
            talk: calls.talk_times.into(),
            latency: calls.reply_times.into(),
        }
    }
}
