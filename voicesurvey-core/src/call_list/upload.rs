//! What became of an upload, and what would become of one.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{Contact, RowError};
use crate::id::{CampaignId, CompanyId, UploadId};
use crate::phone_number::Region;
use crate::time::Timestamp;

/// What became of one upload. While it runs, nothing of it is to be seen but this.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Upload {
    /// Its identifier.
    pub id: UploadId,
    /// Whose it is.
    pub company_id: CompanyId,
    /// The campaign it was for.
    pub campaign_id: CampaignId,
    /// The name of the file.
    pub file_name: String,
    /// The file's header, for the error file; as long as the longest row that was not taken.
    pub columns: Vec<String>,
    /// Where it stands.
    pub status: UploadStatus,
    /// Why it failed.
    pub failure: Option<String>,
    /// How much of the work is done, from 0 to 100.
    pub percent: u8,
    /// Rows that were looked at; while the file is read for the first time, none.
    pub rows_read: u64,
    /// Rows in the file, without the header; 0 until the file was read to its end.
    pub total_rows: u64,
    /// Tasks that were created.
    pub created: u64,
    /// Rows whose number stood further up in the file.
    pub duplicates_in_list: u64,
    /// Rows whose number was already in the campaign.
    pub duplicates_in_campaign: u64,
    /// Tasks that were created as `excluded`; they are counted in `created` too.
    pub excluded: u64,
    /// Rows of people whom the company has erased. Nothing of them is kept.
    pub erased: u64,
    /// Rows that were not taken.
    pub errors_count: u64,
    /// When it began.
    pub created_at: Timestamp,
    /// When something was last heard of it; once it has ended, when it did.
    pub updated_at: Timestamp,
}

/// Where an upload stands. All but `Running` are final.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UploadStatus {
    /// It is waiting for its turn, read, or added.
    Running,
    /// Everything that could be taken is in the campaign.
    Done,
    /// Nothing of it is in the campaign.
    Failed,
    /// Somebody stopped it, and nothing of it is in the campaign.
    Cancelled,
}

impl UploadStatus {
    /// Every status.
    pub const ALL: [Self; 4] = [Self::Running, Self::Done, Self::Failed, Self::Cancelled];

    /// The name used in the API and in stores.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

impl fmt::Display for UploadStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The text names no status of an upload.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown status '{0}': use running, done, failed or cancelled")]
pub struct UnknownUploadStatus(pub String);

impl FromStr for UploadStatus {
    type Err = UnknownUploadStatus;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut all = Self::ALL.into_iter();
        all.find(|status| status.name() == text)
            .ok_or_else(|| UnknownUploadStatus(text.to_owned()))
    }
}

/// What an upload would do.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Preview {
    /// Rows in the file, without the header.
    pub total_rows: u64,
    /// Tasks that would be created.
    pub created: u64,
    /// Rows whose number stands further up in the file.
    pub duplicates_in_list: u64,
    /// Rows whose number is already in the campaign.
    pub duplicates_in_campaign: u64,
    /// Tasks that would be created as `excluded`; they are counted in `created` too.
    pub excluded: u64,
    /// Rows of people whom the company has erased; nothing of them would be kept.
    pub erased: u64,
    /// Rows that would not be taken.
    pub errors_count: u64,
    /// The first of them.
    pub errors: Vec<RowError>,
    /// The first contacts, as they would be stored.
    pub contacts: Vec<Contact>,
    /// How many of those who would be created have a number of which country; `None` is a number
    /// that belongs to none.
    pub regions: BTreeMap<Option<Region>, u64>,
    /// How many of those who would be created are surely in which time zone, by its name.
    pub time_zones: BTreeMap<&'static str, u64>,
    /// How many of them may be in several zones, and are called when it is open in all of these.
    pub in_several_time_zones: u64,
    /// How many of them are in a zone that nobody knows, and are called in the campaign's.
    pub without_time_zone: u64,
}
