//! The region whose numbering plan a number follows when it is written without country code.

use std::fmt;
use std::str::FromStr;

use rlibphonenumber::PHONE_NUMBER_UTIL;
use serde::{Deserialize, Serialize};

/// A region with a numbering plan, as its ISO 3166-1 alpha-2 code, such as `IT`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Region(rlibphonenumber::Region);

#[expect(missing_docs, reason = "the codes are ISO's")]
impl Region {
    pub const DE: Self = Self(rlibphonenumber::Region::DE);
    pub const ES: Self = Self(rlibphonenumber::Region::ES);
    pub const FR: Self = Self(rlibphonenumber::Region::FR);
    pub const GB: Self = Self(rlibphonenumber::Region::GB);
    pub const IT: Self = Self(rlibphonenumber::Region::IT);
    pub const KZ: Self = Self(rlibphonenumber::Region::KZ);
    pub const RU: Self = Self(rlibphonenumber::Region::RU);
    pub const US: Self = Self(rlibphonenumber::Region::US);
}

impl Region {
    /// The region, if there is a numbering plan for it.
    pub(super) fn supported(region: rlibphonenumber::Region) -> Option<Self> {
        PHONE_NUMBER_UTIL
            .get_country_code_for_region(region)
            .map(|_| Self(region))
    }

    /// The region as libphonenumber names it.
    pub(super) fn plan(self) -> rlibphonenumber::Region {
        self.0
    }
}

/// The text is no region with a numbering plan.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown phone region '{0}': use a country code of two letters such as IT")]
pub struct UnknownRegion(pub String);

impl FromStr for Region {
    type Err = UnknownRegion;

    /// Reads a code in either case, with space around it.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.trim()
            .parse()
            .ok()
            .and_then(Self::supported)
            .ok_or_else(|| UnknownRegion(text.to_owned()))
    }
}

impl TryFrom<String> for Region {
    type Error = UnknownRegion;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Region> for String {
    fn from(region: Region) -> Self {
        region.to_string()
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Each variant of libphonenumber's enum is called by its code.
        f.pad(&format!("{:?}", self.0))
    }
}
