//! The calls of a campaign over time. Nothing is counted here: the sums are kept with the calls.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use crate::call_statistics::{
    CallSums, ReplyTimes, TalkTimes, by_day, by_hour, calls_per_contact, starts_of_days,
    starts_of_hours,
};
use crate::id::CampaignId;
use crate::ports::UnitOfWork;
use crate::service::error::ServiceError;
use crate::time::Timestamp;
use crate::time_zone::TimeZone;

/// Which part of a campaign is wanted hour by hour and day by day, and on whose wall clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallPeriod {
    /// The zone.
    pub zone: TimeZone,
    /// From this instant on, which should be the beginning of a day there.
    pub from: Timestamp,
    /// Hours are told from this instant on.
    pub hours_from: Timestamp,
    /// Before this instant.
    pub to: Timestamp,
}

/// The calls of a campaign that have ended.
#[derive(Clone, Debug, PartialEq)]
pub struct CallsOverTime {
    /// Of the period, by day.
    pub days: BTreeMap<NaiveDate, CallSums>,
    /// Of the period's end, by the instants at which the hours begin.
    pub hours: BTreeMap<Timestamp, CallSums>,
    /// Of the whole campaign: how many contacts had how many calls.
    pub per_contact: BTreeMap<u16, u64>,
    /// Of the whole campaign: how long answered calls were held.
    pub talk_times: TalkTimes,
    /// Of the whole campaign: how long people waited for replies.
    pub reply_times: ReplyTimes,
}

/// How many calls were made when, how long they took and what they cost.
pub(super) async fn calls_over_time(
    work: &mut dyn UnitOfWork,
    id: CampaignId,
    period: CallPeriod,
) -> Result<CallsOverTime, ServiceError> {
    let contacts = work.campaigns().counters(id).await?.total_tasks();
    let rollups = work.call_rollups();
    let totals = rollups.totals(id).await?;
    let (zone, to) = (period.zone, period.to);
    let days = starts_of_days(period.from, to, zone);
    let days = rollups.sections(id, &days, to).await?;
    let hours = starts_of_hours(period.hours_from, to, zone);
    let hours = rollups.sections(id, &hours, to).await?;
    Ok(CallsOverTime {
        days: by_day(&days, zone),
        hours: by_hour(&hours, zone),
        per_contact: calls_per_contact(&totals, contacts),
        talk_times: TalkTimes::of(&totals),
        reply_times: ReplyTimes::of(&totals),
    })
}
