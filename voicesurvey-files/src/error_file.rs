//! The error file: the rows of an upload that were not taken, with the reason beside each.
//!
//! It is made to be mended and uploaded again: the columns of the list are all there, in their
//! order, and the three that are added are left out when the file comes back. Cells are as they
//! were, but one that a spreadsheet would run as a formula is marked as text with an apostrophe,
//! which the reader takes away again; phone numbers keep their `+`.

use std::io::{self, Write};

use voicesurvey_core::call_list::RowError;
use voicesurvey_core::export::Delimiter;

use crate::Encoding;
use crate::column_names::ColumnNames;
use crate::table_writer::TableWriter;

/// The columns that are added after those of the list: the row's number in the file that was
/// uploaded, the column at fault, and what is wrong.
pub const COLUMNS: [&str; 3] = ["error_row", "error_column", "error_reason"];

/// Writes the header of the error file of a list with these columns: as many as its longest row
/// that was not taken has ([`Upload::columns`](voicesurvey_core::call_list::Upload::columns)).
pub fn write_header(columns: &[String], output: impl Write, encoding: Encoding) -> io::Result<()> {
    let names = ColumnNames::default().take_all(columns);
    let mut table = TableWriter::new(output, encoding, Delimiter::Comma)?;
    table.row(names.iter().map(String::as_str).chain(COLUMNS))?;
    table.finish()?.flush()
}

/// Writes rows that were not taken, behind the header or other rows, so that a file of a million
/// rows needs no more memory than one of ten.
pub fn write_rows(columns: &[String], errors: &[RowError], output: impl Write) -> io::Result<()> {
    let mut table = TableWriter::new(output, Encoding::Utf8, Delimiter::Comma)?;
    for error in errors {
        let row = error.row.to_string();
        let original = error.original.iter().map(String::as_str);
        // What stands in the row must not move under another heading.
        let cells = original.chain(std::iter::repeat("")).take(columns.len());
        table.row(cells.chain([&*row, &error.column, &error.reason]))?;
    }
    table.finish()?.flush()
}

#[cfg(test)]
mod tests;
