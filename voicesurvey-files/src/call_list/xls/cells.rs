//! The rows of one sheet of an `.xls` workbook.

use std::sync::Arc;

use super::biff::{self, Records, Strings, le_f64, le_u16, le_u32};
use super::{Shared, TextEncoding};
use crate::call_list::number_format::{date_text, number_text};
use crate::call_list::source::{Measure, Record, RecordSource};
use crate::call_list::{CallListError, Progress, ReadLimits};

/// Rows of a sheet, made of cells that stand in the order of rows.
pub(super) struct CellRows {
    shared: Arc<Shared>,
    /// Where the next record begins.
    place: usize,
    /// How many charts within the sheet have begun and not ended; their cells are none of it.
    depth: usize,
    measure: Measure,
    /// The row that is being put together.
    open: Option<Record>,
    /// Row and column of a formula whose text comes next.
    formula: Option<(u16, u16)>,
    is_at_end: bool,
}

/// Row, column, text, and whether it was a number.
type Cell = (u16, u16, String, bool);

impl CellRows {
    pub(super) fn new(shared: Arc<Shared>, place: usize, limits: ReadLimits) -> Self {
        Self {
            shared,
            place,
            depth: 0,
            measure: Measure::new(limits),
            open: None,
            formula: None,
            is_at_end: false,
        }
    }

    /// The cells of the next record, of which most have one or none; `None` at the end.
    fn next_cells(&mut self) -> Option<Vec<Cell>> {
        let shared = Arc::clone(&self.shared);
        let mut records = Records::new(&shared.stream, self.place);
        let record = records.next()?;
        self.place = records.place();
        match record.kind {
            biff::BEGIN => self.depth += 1,
            biff::END => {
                self.depth = self.depth.saturating_sub(1);
                if self.depth == 0 {
                    return None;
                }
            }
            _ if self.depth == 1 => {
                return Some(self.cells_of(record, &shared).unwrap_or_default());
            }
            _ => {}
        }
        Some(Vec::new())
    }

    fn cells_of(&mut self, record: biff::Record<'_>, shared: &Shared) -> Option<Vec<Cell>> {
        let data = record.data;
        if record.kind == biff::TEXT_OF_FORMULA {
            let (row, column) = self.formula.take()?;
            let text = text_at(data, 0, shared.encoding)?;
            return Some(vec![(row, column, text, false)]);
        }
        let (row, column) = (le_u16(data, 0)?, le_u16(data, 2)?);
        let number = |value: f64| {
            let style = usize::from(le_u16(data, 4)?);
            Some(vec![number_cell(shared, row, column, style, value)])
        };
        match record.kind {
            biff::NUMBER => number(le_f64(data, 6)?),
            biff::COMPRESSED_NUMBER => number(decompressed(le_u32(data, 6)?)),
            biff::COMPRESSED_NUMBERS => {
                let cells =
                    (column..)
                        .zip(data.get(4..)?.chunks_exact(6))
                        .filter_map(|(column, cell)| {
                            let style = usize::from(le_u16(cell, 0)?);
                            let value = decompressed(le_u32(cell, 2)?);
                            Some(number_cell(shared, row, column, style, value))
                        });
                Some(cells.collect())
            }
            biff::SHARED_LABEL => {
                let text = shared.texts.get(usize::try_from(le_u32(data, 6)?).ok()?)?;
                Some(vec![(row, column, text.to_owned(), false)])
            }
            biff::LABEL | biff::RICH_LABEL => Some(vec![(
                row,
                column,
                text_at(data, 6, shared.encoding)?,
                false,
            )]),
            biff::BOOLEAN_OR_ERROR => {
                let text = boolean_or_error(*data.get(6)?, *data.get(7)? == 1);
                Some(vec![(row, column, text, false)])
            }
            biff::FORMULA => match (data.get(12..14)?, *data.get(6)?) {
                ([0xFF, 0xFF], 0) => {
                    self.formula = Some((row, column));
                    None
                }
                ([0xFF, 0xFF], kind @ (1 | 2)) => {
                    let text = boolean_or_error(*data.get(8)?, kind == 2);
                    Some(vec![(row, column, text, false)])
                }
                ([0xFF, 0xFF], _) => None,
                _ => number(le_f64(data, 6)?),
            },
            _ => None,
        }
    }

    /// Adds a cell to the row that is open; the row before it, if it was another.
    fn put(&mut self, cell: Cell) -> Result<Option<Record>, CallListError> {
        let (row, column, text, is_number) = cell;
        let (row, column) = (u64::from(row) + 1, usize::from(column));
        if text.is_empty() {
            return Ok(None);
        }
        self.measure.column(row, column + 1)?;
        let before = match &self.open {
            Some(open) if open.row == row => None,
            _ => self.open.replace(Record {
                row,
                ..Record::default()
            }),
        };
        if let Some(open) = &mut self.open {
            open.cells
                .resize(open.cells.len().max(column + 1), String::new());
            open.cells[column] = text;
            if is_number {
                open.numbers
                    .resize(open.numbers.len().max(column + 1), false);
                open.numbers[column] = true;
            }
        }
        Ok(before)
    }

    fn whole(&mut self, record: Record) -> Result<Option<Record>, CallListError> {
        if record.is_blank() {
            return Ok(None);
        }
        self.measure.take(&record)?;
        Ok(Some(record))
    }
}

impl RecordSource for CellRows {
    fn next_record(&mut self) -> Result<Option<Record>, CallListError> {
        while !self.is_at_end {
            let Some(cells) = self.next_cells() else {
                self.is_at_end = true;
                break;
            };
            // A record has the cells of one row.
            let mut before = None;
            for cell in cells {
                before = before.or(self.put(cell)?);
            }
            if let Some(record) = before
                && let Some(whole) = self.whole(record)?
            {
                return Ok(Some(whole));
            }
        }
        match self.open.take() {
            Some(record) => self.whole(record),
            None => Ok(None),
        }
    }

    fn progress(&self) -> Progress {
        Progress {
            read: self.place as u64,
            total: self.shared.stream.len() as u64,
        }
    }
}

fn number_cell(shared: &Shared, row: u16, column: u16, style: usize, value: f64) -> Cell {
    if shared.date_styles.get(style).copied().unwrap_or_default() {
        (row, column, date_text(value, shared.is_from_1904), false)
    } else if value.is_finite() {
        (row, column, number_text(value), true)
    } else {
        (row, column, String::new(), false)
    }
}

/// A number that takes half the space: a whole one, or the upper half of another, and either
/// perhaps in hundredths.
fn decompressed(bits: u32) -> f64 {
    let value = if bits & 2 == 0 {
        f64::from_bits(u64::from(bits & !3) << 32)
    } else {
        f64::from(bits.cast_signed() >> 2)
    };
    if bits & 1 == 0 { value } else { value / 100.0 }
}

fn text_at(data: &[u8], place: usize, encoding: TextEncoding) -> Option<String> {
    let length = usize::from(le_u16(data, place)?);
    Some(Strings::new(data.get(place + 2..)?).read(length, encoding))
}

fn boolean_or_error(value: u8, is_error: bool) -> String {
    let text = match (is_error, value) {
        (false, 0) => "false",
        (false, _) => "true",
        (true, 0x00) => "#NULL!",
        (true, 0x07) => "#DIV/0!",
        (true, 0x0F) => "#VALUE!",
        (true, 0x17) => "#REF!",
        (true, 0x1D) => "#NAME?",
        (true, 0x24) => "#NUM!",
        (true, _) => "#N/A",
    };
    text.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compressed_numbers_are_whole_or_in_hundredths() {
        for (bits, value) in [
            ((5 << 2) | 2, "5"),
            (((-5_i32 << 2) | 2).cast_unsigned(), "-5"),
            ((1234 << 2) | 3, "12.34"),
            (0x3FF0_0000, "1"),
            (0x3FF0_0001, "0.01"),
        ] {
            assert_eq!(number_text(decompressed(bits)), value);
        }
    }
}
