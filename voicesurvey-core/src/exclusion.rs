//! Exclusions: numbers that a company must not call again.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::id::{CallAttemptId, CompanyId};
use crate::phone_number::PhoneNumber;
use crate::time::Timestamp;

/// "Do not call this number", for all campaigns of the company (I8).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exclusion {
    /// Whose list it is on.
    pub company_id: CompanyId,
    /// The number.
    pub phone_number: PhoneNumber,
    /// How it came onto the list.
    pub source: ExclusionSource,
    /// The call in which the person asked for it.
    pub attempt_id: Option<CallAttemptId>,
    /// When it came onto the list.
    pub created_at: Timestamp,
}

/// How a number came onto the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExclusionSource {
    /// The person said so, or pressed the key for it.
    Spoken,
    /// A program asked for it.
    Api,
    /// A list was imported.
    Import,
    /// A member of staff asked for it.
    Staff,
}

impl ExclusionSource {
    /// Every source.
    pub const ALL: [Self; 4] = [Self::Spoken, Self::Api, Self::Import, Self::Staff];

    /// The name used in the API and in stores.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Spoken => "spoken",
            Self::Api => "api",
            Self::Import => "import",
            Self::Staff => "staff",
        }
    }

    /// The source of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|source| source.name() == name)
    }
}

impl fmt::Display for ExclusionSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
