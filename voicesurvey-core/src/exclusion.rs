//! Exclusions: numbers that must not be called again.
//!
//! A company keeps a list for all its campaigns, and the operator keeps one that holds for every
//! company. A company is told that the operator has excluded a number that it names, and sees
//! nothing else of that list (I11).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::id::{ApiKeyId, CallAttemptId, CompanyId, ExclusionRemovalId};
use crate::phone_number::PhoneNumber;
use crate::time::Timestamp;

/// "Do not call this number", for all campaigns of a company or of all companies (I8).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exclusion {
    /// Whose list it is on; `None` is the operator's, which holds for every company.
    pub company_id: Option<CompanyId>,
    /// The number.
    pub phone_number: PhoneNumber,
    /// How it came onto the list.
    pub source: ExclusionSource,
    /// The call in which the person asked for it.
    pub attempt_id: Option<CallAttemptId>,
    /// Why, in the words of whoever added it.
    pub note: Option<String>,
    /// When it came onto the list.
    pub created_at: Timestamp,
    /// The key with which it was added; absent when the person or the operator did.
    pub created_by: Option<ApiKeyId>,
}

/// That a number was taken off a list again: who did it, when and why. It is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExclusionRemoval {
    /// Its identifier.
    pub id: ExclusionRemovalId,
    /// What was removed, as it stood.
    pub exclusion: Exclusion,
    /// Why.
    pub reason: String,
    /// When.
    pub removed_at: Timestamp,
    /// The key with which it was removed; absent when the operator did.
    pub removed_by: Option<ApiKeyId>,
}

/// Why a number must not be called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExcludedBy {
    /// It is on the company's list.
    Company,
    /// It is on the operator's list.
    Operator,
    /// Whoever has it was erased, and only a keyed hash remains.
    Erasure,
}

impl ExcludedBy {
    /// The name used in the API and in stores.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Company => "company",
            Self::Operator => "operator",
            Self::Erasure => "erasure",
        }
    }

    /// The one of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Company, Self::Operator, Self::Erasure]
            .into_iter()
            .find(|by| by.name() == name)
    }
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

/// The text names no source of an exclusion.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown source '{0}': use spoken, api, import or staff")]
pub struct UnknownExclusionSource(pub String);

impl FromStr for ExclusionSource {
    type Err = UnknownExclusionSource;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::from_name(text).ok_or_else(|| UnknownExclusionSource(text.to_owned()))
    }
}
