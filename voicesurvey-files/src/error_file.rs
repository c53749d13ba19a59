//! The error file: the rows of an upload that were not taken, with the reason beside each.
//!
//! It is made to be mended and uploaded again: the columns of the list are all there, in their
//! order, and the three that are added are left out when the file comes back. Cells are as they
//! were, but one that a spreadsheet would run as a formula is marked as text with an apostrophe,
//! which the reader takes away again; phone numbers keep their `+`.

use std::io::{self, Write};

use voicesurvey_core::call_list::Upload;

use crate::Encoding;
use crate::column_names::ColumnNames;
use crate::table_writer::TableWriter;

/// The columns that are added after those of the list: the row's number in the file that was
/// uploaded, the column at fault, and what is wrong.
pub const COLUMNS: [&str; 3] = ["error_row", "error_column", "error_reason"];

/// Writes the rows of `upload` that were not taken.
pub fn write_error_file(upload: &Upload, output: impl Write, encoding: Encoding) -> io::Result<()> {
    // Rows may be longer than the header; what stands there must not move under another heading.
    let widths = upload.errors.iter().map(|error| error.original.len());
    let width = widths.fold(upload.columns.len(), usize::max);
    let mut columns = upload.columns.clone();
    columns.resize(width, String::new());
    let names = ColumnNames::default().take_all(&columns);

    let mut table = TableWriter::new(output, encoding)?;
    table.row(names.iter().map(String::as_str).chain(COLUMNS))?;
    for error in &upload.errors {
        let row = error.row.to_string();
        let padding = std::iter::repeat_n("", width - error.original.len());
        let original = error.original.iter().map(String::as_str);
        table.row(
            original
                .chain(padding)
                .chain([&*row, &error.column, &error.reason]),
        )?;
    }
    table.finish()?.flush()
}

#[cfg(test)]
mod tests;
