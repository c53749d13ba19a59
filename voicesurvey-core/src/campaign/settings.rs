//! What a campaign is set to: survey, schedule, pacing and retries, and the copy that is frozen.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::num::NonZeroU32;

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;
use serde::{Deserialize, Serialize};

use super::{CallSettings, RetryPolicy};
use crate::call_list::Contact;
use crate::calling_hours::{CallingHours, CountryDays};
use crate::id::SkillbaseId;
use crate::language::Language;
use crate::money::Cost;
use crate::pace::Pace;
use crate::phone_number::Region;
use crate::quota::Quotas;
use crate::skillbase::Skillbase;
use crate::survey::Survey;
use crate::time::Timestamp;
use crate::time_zone::TimeZone;

/// Everything about a campaign that can be edited before it starts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CampaignSettings {
    /// Who speaks.
    pub skillbase_id: SkillbaseId,
    /// The language of contacts that name none.
    pub language: Language,
    /// What is asked.
    pub survey: Survey,
    /// When people may be called.
    pub schedule: Schedule,
    /// How fast.
    pub pacing: Pacing,
    /// How often.
    pub retry: RetryPolicy,
    /// Completed interviews that are enough; `None` calls everybody. Calls that are in progress when
    /// it is reached are finished, so there may be as many more as calls ran at that moment.
    #[serde(default)]
    pub target: Option<NonZeroU32>,
    /// How many interviews are wanted of which people; `None` wants them of anybody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quotas: Option<Quotas>,
    /// What the calls may cost; `None` is not limited.
    #[serde(default)]
    pub budget: Option<Budget>,
    /// Whether calls are recorded from consent on, of which people are told before.
    #[serde(default)]
    pub recording: bool,
    /// How calls are placed.
    #[serde(default)]
    pub calls: CallSettings,
}

/// What calls may cost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Budget {
    /// The most that may be spent.
    pub limit: Cost,
    /// What one call is expected to cost, in the same currency. It is reserved for every call whose
    /// price is not known yet, so the more it is true, the closer the limit is kept.
    pub estimate_per_call: Decimal,
}

impl Budget {
    /// How many calls may still start, when `spent` is known to be spent and `unpriced` calls have
    /// been made whose price is not known yet.
    pub fn calls_left(&self, spent: Decimal, unpriced: u64) -> u32 {
        let left = self.limit.amount - spent;
        if left <= Decimal::ZERO {
            return 0;
        }
        // Without an estimate nothing can be reserved.
        let calls = left
            .checked_div(self.estimate_per_call)
            .map_or(u64::MAX, |calls| calls.floor().to_u64().unwrap_or(u64::MAX));
        u32::try_from(calls.saturating_sub(unpriced)).unwrap_or(u32::MAX)
    }
}

/// When people may be called.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Schedule {
    /// Before this instant nobody is called. A campaign that is started earlier waits for it.
    pub starts_at: Option<Timestamp>,
    /// From this instant on nobody is called.
    pub ends_at: Option<Timestamp>,
    /// The hours of the week, on the called person's clock (I4).
    pub hours: CallingHours,
    /// The zone of contacts whose own is neither given nor to be read from their number.
    pub time_zone: TimeZone,
    /// Holidays and eves of the people of one country, by the region of their phone number. They
    /// add to those of `hours`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub countries: BTreeMap<Region, CountryDays>,
}

impl Schedule {
    /// The hours of people whose phone number belongs to `region`; where it belongs to none, the
    /// dates of no country hold.
    pub fn hours_for(&self, region: Option<Region>) -> Cow<'_, CallingHours> {
        region
            .and_then(|region| self.countries.get(&region))
            .map_or(Cow::Borrowed(&self.hours), |days| {
                self.hours.with_days(days)
            })
    }

    /// The hours of one contact. The number's region is looked up only where it matters.
    pub fn hours_of(&self, contact: &Contact) -> Cow<'_, CallingHours> {
        if self.countries.is_empty() {
            Cow::Borrowed(&self.hours)
        } else {
            self.hours_for(contact.phone_number.region())
        }
    }

    /// The zones in all of which the hours of one contact must be open: its own, else the
    /// campaign's.
    pub fn zones_of<'a>(&'a self, contact: &'a Contact) -> &'a [TimeZone] {
        if contact.time_zones.is_empty() {
            std::slice::from_ref(&self.time_zone)
        } else {
            &contact.time_zones
        }
    }
}

/// How fast people are called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pacing {
    /// Calls in progress at the same time (I5).
    pub max_concurrent_calls: u32,
    /// How many calls start, and how far apart (I6).
    #[serde(flatten)]
    pub pace: Pace,
}

impl Default for Pacing {
    fn default() -> Self {
        Self {
            max_concurrent_calls: 5,
            pace: Pace::per_minute(10),
        }
    }
}

/// What a campaign froze when it first started.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SettingsSnapshot {
    /// When.
    pub frozen_at: Timestamp,
    /// The skillbase as it was.
    pub skillbase: Skillbase,
    /// The settings as they were.
    pub settings: CampaignSettings,
}
