//! What a campaign is set to: survey, schedule, pacing and retries, and the copy that is frozen.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::RetryPolicy;
use crate::call_list::Contact;
use crate::calling_hours::{CallingHours, CountryDays};
use crate::id::SkillbaseId;
use crate::language::Language;
use crate::pace::Pace;
use crate::phone_number::Region;
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
