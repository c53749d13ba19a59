//! The company: the tenant that everything else belongs to.

use serde::{Deserialize, Serialize};

use crate::gate::AttemptCaps;
use crate::id::CompanyId;
use crate::language::Language;
use crate::phone_number::Region;
use crate::time::Timestamp;
use crate::time_zone::TimeZone;

/// A tenant: its defaults and what it may use at once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Company {
    /// Its identifier.
    pub id: CompanyId,
    /// What people call it.
    pub name: String,
    /// The zone of its office: the default of its campaigns and of its statistics.
    pub time_zone: TimeZone,
    /// The region in which numbers without a country code are read.
    pub region: Region,
    /// The default language of its campaigns.
    pub language: Language,
    /// Whether it may call at all; the operator decides.
    pub status: CompanyStatus,
    /// What all its campaigns together may use.
    pub limits: CompanyLimits,
    /// How often it may call one person, over all its campaigns.
    pub caps: AttemptCaps,
    /// When it was created.
    pub created_at: Timestamp,
    /// Rises by one on every change.
    pub version: u32,
}

/// Whether a company may call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CompanyStatus {
    /// Its running campaigns call.
    #[default]
    Active,
    /// Nobody new is called; calls in progress end by themselves.
    Suspended,
}

impl CompanyStatus {
    /// Every status.
    pub const ALL: [Self; 2] = [Self::Active, Self::Suspended];

    /// The name used in the API and in stores.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Suspended => "suspended",
        }
    }

    /// The status of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }
}

/// What all campaigns of a company together may use, counted over all servers (I5, I6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CompanyLimits {
    /// Calls in progress at the same time.
    pub max_concurrent_calls: u32,
    /// Calls that start in any 60 seconds.
    pub calls_per_minute: u32,
}

impl Default for CompanyLimits {
    fn default() -> Self {
        Self {
            max_concurrent_calls: 50,
            calls_per_minute: 300,
        }
    }
}
