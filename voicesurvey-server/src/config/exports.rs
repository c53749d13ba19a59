//! Files of results.

use chrono::TimeDelta;
use serde::Deserialize;

use super::error::WrongSetting;

/// The section `exports`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExportsConfig {
    /// How long a finished file can be fetched.
    pub keep_hours: u16,
}

impl ExportsConfig {
    pub(super) fn check(&self) -> Result<(), WrongSetting> {
        if !(1..=720).contains(&self.keep_hours) {
            return Err(WrongSetting::new(
                "exports.keep_hours",
                "a number from 1 to 720",
            ));
        }
        Ok(())
    }

    /// How long a finished file can be fetched.
    pub fn keep_for(&self) -> TimeDelta {
        TimeDelta::hours(self.keep_hours.into())
    }
}
