//! The holidays and eves of one country, for campaigns that call people of several.

use std::borrow::Cow;
use std::collections::BTreeSet;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::{CallingHours, dates};

/// Dates that are holidays or eves for the people of one country only.
///
/// They add to those of the [`CallingHours`], whose `holiday_hours` and `eve_hours` hold on them. A
/// date that is a holiday in one of the two is a holiday, also if it is an eve in the other.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CountryDays {
    /// Dates on which the holiday hours hold.
    #[serde(default, with = "dates")]
    pub holidays: BTreeSet<NaiveDate>,
    /// Dates on which the eve hours hold.
    #[serde(default, with = "dates")]
    pub eves: BTreeSet<NaiveDate>,
}

impl CallingHours {
    /// These hours with a country's dates besides their own.
    ///
    /// ```
    /// use voicesurvey_core::calling_hours::{CallingHours, CountryDays};
    ///
    /// let italy: CountryDays = serde_json::from_str(r#"{"holidays": ["2026-12-08"]}"#)?;
    /// let hours = CallingHours::nine_to_nine();
    /// let rome = ["Europe/Rome".parse()?];
    /// let immaculate_conception = "2026-12-08T11:00:00Z".parse()?;
    /// assert!(hours.is_open(&rome, immaculate_conception));
    /// assert!(!hours.with_days(&italy).is_open(&rome, immaculate_conception));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn with_days(&self, days: &CountryDays) -> Cow<'_, Self> {
        if days.holidays.is_subset(&self.holidays) && days.eves.is_subset(&self.eves) {
            return Cow::Borrowed(self);
        }
        let mut hours = self.clone();
        hours.holidays.extend(&days.holidays);
        hours.eves.extend(&days.eves);
        Cow::Owned(hours)
    }
}
