//! Reads call lists as people have them: whatever the delimiter, the headings and the dirt.
//!
//! The invariant: every row of the file is either in the list, with its number as a spreadsheet
//! shows it, or blank. Nothing is judged here but the shape of the file; whether a number can be
//! dialed is for [`CallListRow::contact`](voicesurvey_core::call_list::CallListRow::contact).
//!
//! A row's number counts rows, not lines: blank rows count, and a cell that spans three lines is in
//! one row. Cells that a row lacks are empty; cells beyond the last heading are only in
//! `original`. The three columns that [`error_file`](crate::error_file) adds are left out, so that
//! a mended error file is a call list again.
//!
//! A further format adds a recogniser to `format` and a reader that makes `records::Record`s; what
//! the columns mean is worked out from those.

mod columns;
mod delimiter;
mod error;
mod format;
mod heading;
mod records;

pub use error::CallListError;
use voicesurvey_core::call_list::{CallList, CallListRow};

use self::columns::Columns;
use self::records::Record;
use crate::cell;

/// How large a call list may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadLimits {
    /// Rows, without the header and without blank rows.
    pub max_rows: usize,
    /// Cells in one row.
    pub max_columns: usize,
    /// Cells in the whole file. A file of commas takes far more memory than it is long.
    pub max_cells: usize,
    /// Characters in one cell.
    pub max_cell_characters: usize,
}

impl Default for ReadLimits {
    /// 200,000 rows of up to 200 columns, 4 million cells in all, of up to 10,000 characters.
    fn default() -> Self {
        Self {
            max_rows: 200_000,
            max_columns: 200,
            max_cells: 4_000_000,
            max_cell_characters: 10_000,
        }
    }
}

/// Reads a call list; `file_name` is only recorded.
pub fn read_call_list(
    file_name: &str,
    content: &[u8],
    limits: &ReadLimits,
) -> Result<CallList, CallListError> {
    let text = format::recognise(content)?;
    let (delimiter, text) = delimiter::find(text, limits);
    let records = records::read(text, delimiter, limits)?;
    let (header, records) = split_header(records)?;
    if records.is_empty() {
        return Err(CallListError::HeaderOnly);
    }
    if records.len() > limits.max_rows {
        return Err(CallListError::TooManyRows {
            limit: limits.max_rows,
        });
    }
    let columns = Columns::find(header, &records)?;
    let rows = records
        .into_iter()
        .map(|record| row(&columns, record))
        .collect();
    Ok(CallList {
        file_name: file_name.to_owned(),
        columns: columns.into_names(),
        rows,
    })
}

/// Takes the header off. A file that is nothing but a column of numbers needs none.
fn split_header(mut records: Vec<Record>) -> Result<(Vec<String>, Vec<Record>), CallListError> {
    let Some(first) = records.first() else {
        return Err(CallListError::Empty);
    };
    // A heading may look like a number too: a date, for instance.
    let has_numbers = first
        .cells
        .iter()
        .any(|cell| cell::looks_like_a_phone_number(cell));
    if !has_numbers
        || first
            .cells
            .iter()
            .any(|cell| heading::is_phone_number(cell))
    {
        return Ok((records.remove(0).cells, records));
    }
    if records.iter().all(|record| record.cells.len() == 1) {
        Ok((vec![heading::PHONE_NUMBER.to_owned()], records))
    } else {
        Err(CallListError::MissingHeader)
    }
}

fn row(columns: &Columns, record: Record) -> CallListRow {
    let cell = |column| record.cell(column).to_owned();
    let optional_cell = |column: Option<usize>| column.map(cell).unwrap_or_default();
    CallListRow {
        row: record.row,
        phone_number: cell(columns.phone_number),
        name: columns.name_of(&record),
        language: optional_cell(columns.language),
        time_zone: optional_cell(columns.time_zone),
        priority: optional_cell(columns.priority),
        extra: columns
            .extra
            .iter()
            .map(|(column, name)| (name.clone(), cell(*column)))
            .collect(),
        original: columns.without_own(record.cells),
    }
}

#[cfg(test)]
mod tests;
