//! What every format of file is read as: rows of cells, one after the other.

use super::{CallListError, Progress, ReadLimits};
use crate::cell;

/// One row of a file that is not blank.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Record {
    /// The row's number as a spreadsheet shows it.
    pub(super) row: u64,
    /// The cells, untouched.
    pub(super) cells: Vec<String>,
    /// Which of the cells were numbers and not text; shorter than `cells` when the rest was text.
    pub(super) numbers: Vec<bool>,
}

impl Record {
    /// What the cell means; empty when the row is too short to have it.
    pub(super) fn cell(&self, column: usize) -> &str {
        self.cells.get(column).map_or("", |text| cell::meant(text))
    }

    /// Whether the cell was a number and not text.
    pub(super) fn is_number(&self, column: usize) -> bool {
        self.numbers.get(column).copied().unwrap_or_default()
    }

    /// Whether no cell means anything.
    pub(super) fn is_blank(&self) -> bool {
        self.cells.iter().all(|cell| cell::meant(cell).is_empty())
    }

    /// How many cells have something in them.
    pub(super) fn filled(&self) -> usize {
        self.cells
            .iter()
            .filter(|cell| !cell::meant(cell).is_empty())
            .count()
    }
}

/// A file that is read row by row.
pub(super) trait RecordSource: Send {
    /// The next row that is not blank, within the limits of a row; `None` at the end.
    fn next_record(&mut self) -> Result<Option<Record>, CallListError>;

    /// How far the file has been read.
    fn progress(&self) -> Progress;
}

/// Counts what has been read against the limits.
#[derive(Clone, Debug)]
pub(super) struct Measure {
    limits: ReadLimits,
    cells: u64,
}

impl Measure {
    pub(super) fn new(limits: ReadLimits) -> Self {
        Self { limits, cells: 0 }
    }

    pub(super) fn limits(&self) -> &ReadLimits {
        &self.limits
    }

    /// Counts a row and refuses one that is too large.
    pub(super) fn take(&mut self, record: &Record) -> Result<(), CallListError> {
        self.column(record.row, record.cells.len())?;
        self.cells += record.cells.len() as u64;
        if self.cells > self.limits.max_cells {
            return Err(CallListError::TooManyCells {
                limit: self.limits.max_cells,
            });
        }
        record
            .cells
            .iter()
            .try_for_each(|cell| self.text(record.row, cell))
    }

    /// Refuses a row of so many columns.
    pub(super) fn column(&self, row: u64, columns: usize) -> Result<(), CallListError> {
        if columns > self.limits.max_columns {
            return Err(CallListError::TooManyColumns {
                row,
                limit: self.limits.max_columns,
            });
        }
        Ok(())
    }

    /// Refuses a cell that is too long.
    pub(super) fn text(&self, row: u64, cell: &str) -> Result<(), CallListError> {
        let limit = self.limits.max_cell_characters;
        // Counting characters takes time, and there are never more of them than bytes.
        if cell.len() > limit && cell.chars().count() > limit {
            return Err(CallListError::CellTooLong { row, limit });
        }
        Ok(())
    }
}
