//! Splits the text of a CSV file into rows of cells, and numbers them as a spreadsheet does.

use csv::StringRecord;

use super::{CallListError, ReadLimits};
use crate::cell;

/// One row of a file that is not blank.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Record {
    /// The row's number as a spreadsheet shows it.
    pub(super) row: u64,
    /// The cells, untouched.
    pub(super) cells: Vec<String>,
}

impl Record {
    /// What the cell means; empty when the row is too short to have it.
    pub(super) fn cell(&self, column: usize) -> &str {
        self.cells.get(column).map_or("", |text| cell::meant(text))
    }
}

/// The rows of the text, the header among them.
pub(super) fn read(
    text: &str,
    delimiter: u8,
    limits: &ReadLimits,
) -> Result<Vec<Record>, CallListError> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter)
        .from_reader(text.as_bytes());
    let mut records = Vec::new();
    let mut found = StringRecord::new();
    let mut row = 0;
    let mut cells = 0;
    loop {
        let start = offset(&reader);
        if !reader
            .read_record(&mut found)
            .map_err(|error| unreadable(&error))?
        {
            return Ok(records);
        }
        // The reader passes over blank lines in silence.
        row += 1 + blank_lines(text, start);
        if found.iter().all(|cell| cell.trim().is_empty()) {
            continue;
        }
        let end = offset(&reader);
        if end == text.len() && ends_within_quotes(&text[start..]) {
            return Err(CallListError::UnclosedQuote { row });
        }
        cells += found.len();
        check(&found, row, cells, limits)?;
        // One more than the rows allowed, for the header.
        if records.len() > limits.max_rows {
            return Err(CallListError::TooManyRows {
                limit: limits.max_rows,
            });
        }
        records.push(Record {
            row,
            cells: found.iter().map(ToOwned::to_owned).collect(),
        });
    }
}

fn offset<R: std::io::Read>(reader: &csv::Reader<R>) -> usize {
    // OK because the offset is one into a text that is in memory.
    usize::try_from(reader.position().byte()).unwrap_or(usize::MAX)
}

/// Text in UTF-8 with rows of any width is always readable; this is for the compiler.
fn unreadable(error: &csv::Error) -> CallListError {
    CallListError::UnsupportedFormat {
        seems_to_be: format!("text that is not CSV ({error})"),
    }
}

fn check(
    record: &StringRecord,
    row: u64,
    cells: usize,
    limits: &ReadLimits,
) -> Result<(), CallListError> {
    if record.len() > limits.max_columns {
        return Err(CallListError::TooManyColumns {
            row,
            limit: limits.max_columns,
        });
    }
    if cells > limits.max_cells {
        return Err(CallListError::TooManyCells {
            limit: limits.max_cells,
        });
    }
    let limit = limits.max_cell_characters;
    // Counting characters takes time, and there are never more of them than bytes.
    if record
        .iter()
        .any(|cell| cell.len() > limit && cell.chars().count() > limit)
    {
        return Err(CallListError::CellTooLong { row, limit });
    }
    Ok(())
}

/// How many empty lines there are from `start` to the next row.
fn blank_lines(text: &str, start: usize) -> u64 {
    let (before, after) = text.split_at(start);
    // The row before ends with the first half of a CR LF as far as the reader is concerned.
    let mut rest = match after.strip_prefix('\n') {
        Some(rest) if before.ends_with('\r') => rest,
        _ => after,
    };
    let mut lines = 0;
    loop {
        rest = match rest
            .strip_prefix("\r\n")
            .or_else(|| rest.strip_prefix(['\r', '\n']))
        {
            Some(rest) => rest,
            None => return lines,
        };
        lines += 1;
    }
}

/// Whether the last row of a file opens a quotation mark that swallows lines and never closes.
///
/// Marks come in pairs, also the doubled ones within a cell. A single one in the middle of a cell,
/// as in `5" pipe`, is just a character; so an odd number only counts when there are lines to lose.
fn ends_within_quotes(row: &str) -> bool {
    row.trim().contains(['\r', '\n']) && row.matches('"').count() % 2 == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str) -> Vec<(u64, String)> {
        let records = read(text, b',', &ReadLimits::default()).unwrap();
        records
            .into_iter()
            .map(|record| (record.row, record.cells.join("|")))
            .collect()
    }

    fn row(number: u64, cells: &str) -> (u64, String) {
        (number, cells.to_owned())
    }

    #[test]
    fn rows_are_numbered_as_in_a_spreadsheet_whatever_the_line_end() {
        for end in ["\n", "\r\n", "\r"] {
            let text = ["", "a,b", "", "", "1,\"x", "y\"", "2,z", " , ", "3,", ""].join(end);
            let cell = format!("1|x{end}y");
            assert_eq!(
                rows(&text),
                [row(2, "a|b"), row(5, &cell), row(6, "2|z"), row(8, "3|")],
                "{end:?}"
            );
        }
    }

    #[test]
    fn quoted_cells_keep_delimiters_and_quotation_marks() {
        assert_eq!(
            rows("\"a, \"\"b\"\"\",5\" pipe\n"),
            [row(1, "a, \"b\"|5\" pipe")]
        );
    }

    #[test]
    fn a_quotation_mark_that_is_never_closed_is_an_error() {
        let read = |text| read(text, b',', &ReadLimits::default());
        assert_eq!(
            read("a,b\n\n1,\"x\n2,y\n3,z\n"),
            Err(CallListError::UnclosedQuote { row: 3 })
        );
        assert_eq!(read("a,b\n1,\"x\n").map(|rows| rows.len()), Ok(2));
        assert_eq!(read("a,b\n1,5\" x\n").map(|rows| rows.len()), Ok(2));
    }

    #[test]
    fn limits_are_exact_and_named() {
        let limits = ReadLimits {
            max_rows: 2,
            max_columns: 2,
            max_cells: 5,
            max_cell_characters: 3,
        };
        let read = |text| read(text, b',', &limits).map(|rows| rows.len());
        assert_eq!(read("h\n1\n2\n"), Ok(3));
        assert_eq!(
            read("h\n1\n2\n3\n"),
            Err(CallListError::TooManyRows { limit: 2 })
        );
        assert_eq!(read("h,i\n1,2\n3\n"), Ok(3));
        assert_eq!(
            read("h,i\n1,2\n3,4\n"),
            Err(CallListError::TooManyCells { limit: 5 })
        );
        assert_eq!(
            read("h\n1,2,3\n"),
            Err(CallListError::TooManyColumns { row: 2, limit: 2 })
        );
        assert_eq!(read("h\nèèè\n"), Ok(2));
        assert_eq!(
            read("h\nèèèè\n"),
            Err(CallListError::CellTooLong { row: 2, limit: 3 })
        );
    }
}
