//! Call lists: rows as a file has them, turned into contacts, or into errors that name the row.

mod row;
mod yes_no;

use serde::{Deserialize, Serialize};

pub(crate) use self::row::clean;
pub use self::row::{CallListRow, Contact, RowError};
use crate::id::{CampaignId, CompanyId, UploadId};
use crate::time::Timestamp;

/// A call list as a reader hands it over: columns understood, values untouched.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CallList {
    /// The name of the file it came from.
    pub file_name: String,
    /// The file's header, in its order.
    pub columns: Vec<String>,
    /// Its rows.
    pub rows: Vec<CallListRow>,
}

/// What became of one upload.
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
    /// The file's header, for the error file.
    pub columns: Vec<String>,
    /// Rows in the file, without the header.
    pub total_rows: u64,
    /// Tasks that were created.
    pub created: u64,
    /// Rows whose number stood further up in the file.
    pub duplicates_in_list: u64,
    /// Rows whose number was already in the campaign.
    pub duplicates_in_campaign: u64,
    /// Tasks that were created as `excluded`; they are counted in `created` too.
    pub excluded: u64,
    /// Rows that were not taken, in the order of the file.
    pub errors: Vec<RowError>,
    /// When.
    pub created_at: Timestamp,
}
