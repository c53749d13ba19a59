//! Call lists: rows as a file has them, turned into contacts, or into errors that name the row.

mod numbers;
mod progress;
mod row;
mod source;
mod upload;
mod yes_no;

pub use self::numbers::{PhoneCell, ReadRow, RowNumbers};
pub(crate) use self::numbers::{reason, same_anywhere};
pub use self::progress::UploadProgress;
pub(crate) use self::row::clean;
pub use self::row::{CallListRow, Contact, RowError};
pub use self::source::{CallListRows, CallListSource, UnreadableCallList};
pub use self::upload::{Preview, UnknownUploadStatus, Upload, UploadStatus};
pub use self::yes_no::read as yes_no;

/// A call list in memory: columns understood, values untouched. As a source it is read as often as
/// needed: `list.into()`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CallList {
    /// The name of the file it came from.
    pub file_name: String,
    /// The file's header, in its order.
    pub columns: Vec<String>,
    /// Its rows.
    pub rows: Vec<CallListRow>,
}
