//! Reads call lists as people have them: whatever the format, the delimiter, the headings and the
//! dirt.
//!
//! The invariant: every row of the file is either in the list, with its number as a spreadsheet
//! shows it, or blank, or above the header and told in [`Found`]. Nothing is judged here but the
//! shape of the file; whether a number can be dialed is for
//! [`CallListRow::contact`](voicesurvey_core::call_list::CallListRow::contact).
//!
//! A row's number counts rows, not lines: blank rows count, and a cell that spans three lines is in
//! one row. Cells that a row lacks are empty; cells beyond the last heading are only in
//! `original`. The three columns that [`error_file`](crate::error_file) adds are left out, so that
//! a mended error file is a call list again.
//!
//! A file is read row by row and never held in memory as a whole, but for `.xls`, whose size is
//! limited. A further format adds a recogniser to `format` and a `source::RecordSource`; what the
//! columns mean is worked out from its records.

mod columns;
mod delimited;
mod delimiter;
mod encoding;
mod error;
mod format;
mod found;
mod heading;
mod layout;
mod lines;
mod number_format;
mod open;
mod role;
mod roles;
mod settings;
mod source;
mod swallowed;
mod texts;
mod workbook;
mod xls;
mod xlsx;

use std::collections::VecDeque;
use std::fmt;
use std::io::{Cursor, Read, Seek};

use voicesurvey_core::call_list::{CallList, CallListRow};

use self::columns::Columns;
pub use self::error::CallListError;
pub use self::found::{Format, Found, FoundBy, FoundColumn, OtherSheet, Progress};
pub use self::role::{Role, UnknownRole};
pub use self::settings::{ReadLimits, ReadSettings};
use self::source::{Record, RecordSource};

/// The last row that can be meant: a million times as many as Excel has.
const LAST_ROW: u64 = 1 << 40;

/// A call list that is read row by row.
///
/// After an error there are no more rows: what the file holds beyond it is not known.
///
/// ```
/// use std::io::Cursor;
///
/// use voicesurvey_core::phone_number::Region;
/// use voicesurvey_files::call_list::{CallListReader, FoundBy, ReadSettings};
///
/// // No heading names the phone column, and a title stands above the header.
/// let file = "Kunden 2026;;\nWer;Erreichbar unter;Ort\nAda;0171 1234567;Köln\n";
/// let reader = CallListReader::open(Cursor::new(file), "k.csv", &ReadSettings::new(Region::DE))?;
/// assert_eq!(reader.found().header_row, Some(2));
/// assert_eq!(reader.found().columns[1].found_by, Some(FoundBy::Cells));
/// let rows = reader.collect::<Result<Vec<_>, _>>()?;
/// assert_eq!((rows[0].row, &*rows[0].phone_number), (3, "0171 1234567"));
/// # Ok::<(), voicesurvey_files::call_list::CallListError>(())
/// ```
pub struct CallListReader {
    name: String,
    found: Found,
    columns: Columns,
    limits: ReadLimits,
    /// Rows that were read to find out about the columns.
    waiting: VecDeque<Record>,
    source: Box<dyn RecordSource>,
    rows: u64,
    /// The number of the last row, or of the header.
    last_row: u64,
    has_texts: bool,
    has_ended: bool,
}

impl CallListReader {
    /// Finds out what the file is and where its list begins; `name` is only recorded. The file is
    /// read from its beginning, wherever it stands.
    ///
    /// Opening takes a look through the whole of a text file, for its encoding; opening a workbook
    /// reads the texts that it keeps once for all its cells.
    pub fn open(
        file: impl Read + Seek + Send + 'static,
        name: &str,
        settings: &ReadSettings,
    ) -> Result<Self, CallListError> {
        open::open(file, name, settings)
    }

    /// The name of the file.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What was found out about the file, to be shown before anything is stored.
    pub fn found(&self) -> &Found {
        &self.found
    }

    /// The names of the columns, made distinct, in the order of [`CallListRow::original`].
    pub fn columns(&self) -> &[String] {
        self.columns.names()
    }

    /// How far the file has been read. It runs ahead of the rows by what is read at once.
    pub fn progress(&self) -> Progress {
        self.source.progress()
    }

    /// Whether a row has shown that the phone column holds texts, after the first rows seemed to have
    /// lost their zeros in a spreadsheet. Only at the end of the file is a `false` certain; who reads
    /// it again then says so in [`ReadSettings::has_texts`].
    pub fn has_texts(&self) -> bool {
        self.has_texts
    }

    fn next_row(&mut self) -> Result<Option<CallListRow>, CallListError> {
        loop {
            let waiting = self.waiting.pop_front();
            let record = match waiting {
                Some(record) => Some(record),
                None => workbook::guarded(|| self.source.next_record())?,
            };
            let Some(mut record) = record else {
                return Ok(None);
            };
            // A number names one row, whatever a workbook says of its rows.
            if !(self.last_row + 1..=LAST_ROW).contains(&record.row) {
                record.row = self.last_row + 1;
            }
            self.last_row = record.row;
            if let Some(delimiter) = self.found.delimiter
                && swallowed::has_rows(&record, self.columns.width(), delimiter)
            {
                return Err(CallListError::SwallowedRows { row: record.row });
            }
            // Emptied in our error file, but for what that says.
            if self.columns.is_blank(&record) {
                continue;
            }
            self.has_texts |= self.columns.is_of_texts(&record);
            self.rows += 1;
            if self.rows > self.limits.max_rows {
                return Err(CallListError::TooManyRows {
                    limit: self.limits.max_rows,
                });
            }
            return Ok(Some(self.columns.row(record)));
        }
    }
}

impl Iterator for CallListReader {
    type Item = Result<CallListRow, CallListError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.has_ended {
            return None;
        }
        let row = self.next_row().transpose();
        self.has_ended = !matches!(row, Some(Ok(_)));
        row
    }
}

impl fmt::Debug for CallListReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallListReader")
            .field("name", &self.name)
            .field("found", &self.found)
            .finish_non_exhaustive()
    }
}

/// Reads a list that is in memory as a whole; `file_name` is only recorded. Without a region only
/// headings and country codes tell which the phone column is.
pub fn read_call_list(
    file_name: &str,
    content: &[u8],
    limits: &ReadLimits,
) -> Result<CallList, CallListError> {
    let settings = ReadSettings {
        limits: *limits,
        ..ReadSettings::default()
    };
    let reader = CallListReader::open(Cursor::new(content.to_vec()), file_name, &settings)?;
    Ok(CallList {
        file_name: file_name.to_owned(),
        columns: reader.columns().to_vec(),
        rows: reader.collect::<Result<_, _>>()?,
    })
}

#[cfg(test)]
mod tests;
