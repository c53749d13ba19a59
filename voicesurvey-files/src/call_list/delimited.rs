//! Splits the text of a CSV file into rows of cells, and numbers them as a spreadsheet does.

use std::io::Read;

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};

use super::source::{Measure, Record, RecordSource};
use super::{CallListError, Progress, ReadLimits};

/// How much is read at once.
const CHUNK: usize = 64 * 1024;

/// Rows of text with a delimiter between the cells.
pub(super) struct Delimited<T> {
    text: T,
    progress: fn(&T) -> Progress,
    reader: Reader,
    measure: Measure,
    input: Vec<u8>,
    /// How much of `input` is used up.
    taken: usize,
    /// The bytes of the cells of a row, one after the other.
    cells: Vec<u8>,
    /// Where each cell ends in `cells`.
    ends: Vec<usize>,
    /// The number of the last row.
    row: u64,
    /// Whether the last line ended with the first half of a CR LF, as far as the reader knows.
    after_return: bool,
}

impl<T: Read> Delimited<T> {
    /// Reads the rows of `text`. The first `skipped` bytes are not a row.
    pub(super) fn new(
        text: T,
        progress: fn(&T) -> Progress,
        delimiter: u8,
        skipped: usize,
        limits: ReadLimits,
    ) -> Result<Self, CallListError> {
        let mut rows = Self {
            text,
            progress,
            reader: ReaderBuilder::new().delimiter(delimiter).build(),
            measure: Measure::new(limits),
            input: Vec::new(),
            taken: 0,
            cells: vec![0; 1024],
            ends: vec![0; 64],
            row: 0,
            after_return: false,
        };
        for _ in 0..skipped {
            rows.peek()?;
            rows.taken += 1;
        }
        Ok(rows)
    }

    /// Gives the text back.
    pub(super) fn into_text(self) -> T {
        self.text
    }

    /// The next byte; `None` at the end.
    fn peek(&mut self) -> Result<Option<u8>, CallListError> {
        if self.taken >= self.input.len() {
            self.input.resize(CHUNK, 0);
            let length = self.text.read(&mut self.input)?;
            self.input.truncate(length);
            self.taken = 0;
        }
        Ok(self.input.get(self.taken).copied())
    }

    /// Passes over empty lines, which the reader would do in silence, and counts them.
    fn skip_blank_lines(&mut self) -> Result<(), CallListError> {
        while let Some(byte @ (b'\r' | b'\n')) = self.peek()? {
            if !(byte == b'\n' && self.after_return) {
                self.row += 1;
            }
            self.after_return = byte == b'\r';
            self.taken += 1;
        }
        self.after_return = false;
        Ok(())
    }

    /// Reads a row of cells, which may all be blank; how many there are, or `None` at the end.
    fn read_row(&mut self) -> Result<Option<usize>, CallListError> {
        self.skip_blank_lines()?;
        let row = self.row + 1;
        let (mut written, mut count, mut quotes) = (0, 0, 0);
        loop {
            let is_end = self.peek()?.is_none();
            let (result, read, wrote, ended) = self.reader.read_record(
                &self.input[self.taken..],
                &mut self.cells[written..],
                &mut self.ends[count..],
            );
            let used = &self.input[self.taken..self.taken + read];
            quotes += used
                .iter()
                .map(|byte| usize::from(*byte == b'"'))
                .sum::<usize>();
            self.after_return = used.last() == Some(&b'\r');
            self.taken += read;
            written += wrote;
            count += ended;
            match result {
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull => {
                    self.refuse_long_cell(row, written, count)?;
                    self.cells.resize(2 * self.cells.len(), 0);
                }
                ReadRecordResult::OutputEndsFull => {
                    self.measure.column(row, count)?;
                    self.ends.resize(2 * self.ends.len(), 0);
                }
                ReadRecordResult::Record => {
                    if is_end && quotes % 2 == 1 && self.swallowed_lines(written) {
                        return Err(CallListError::UnclosedQuote { row });
                    }
                    self.row = row;
                    return Ok(Some(count));
                }
                ReadRecordResult::End => return Ok(None),
            }
        }
    }

    /// Whether there are lines within a cell. Marks come in pairs, also the doubled ones within a
    /// cell; a single one in the middle of a cell, as in `5" pipe`, is just a character. So an odd
    /// number at the end of the file only counts when there are lines to lose.
    fn swallowed_lines(&self, written: usize) -> bool {
        self.cells[..written]
            .trim_ascii()
            .iter()
            .any(|byte| matches!(byte, b'\r' | b'\n'))
    }

    fn refuse_long_cell(
        &self,
        row: u64,
        written: usize,
        count: usize,
    ) -> Result<(), CallListError> {
        let start = count.checked_sub(1).map_or(0, |last| self.ends[last]);
        let cell = &self.cells[start..written];
        // The last character may be cut, which makes one more of it.
        if cell.len() > 4 * self.measure.limits().max_cell_characters {
            let limit = self.measure.limits().max_cell_characters;
            return Err(CallListError::CellTooLong { row, limit });
        }
        Ok(())
    }

    fn record(&self, count: usize) -> Record {
        let mut start = 0;
        let cells = self.ends[..count].iter().map(|end| {
            let cell = String::from_utf8_lossy(&self.cells[start..*end]).into_owned();
            start = *end;
            cell
        });
        Record {
            row: self.row,
            cells: cells.collect(),
            numbers: Vec::new(),
        }
    }
}

impl<T: Read + Send> RecordSource for Delimited<T> {
    fn next_record(&mut self) -> Result<Option<Record>, CallListError> {
        while let Some(count) = self.read_row()? {
            let record = self.record(count);
            if !record.is_blank() {
                self.measure.take(&record)?;
                return Ok(Some(record));
            }
        }
        Ok(None)
    }

    fn progress(&self) -> Progress {
        (self.progress)(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, limits: ReadLimits) -> Result<Vec<Record>, CallListError> {
        let none = |_: &&[u8]| Progress::default();
        let mut source = Delimited::new(text.as_bytes(), none, b',', 0, limits)?;
        std::iter::from_fn(|| source.next_record().transpose()).collect()
    }

    fn rows(text: &str) -> Vec<(u64, String)> {
        let records = read(text, ReadLimits::default()).unwrap();
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
    fn rows_across_the_chunks_of_a_large_file_are_whole() {
        let cell = "è".repeat(5_000);
        let text = format!("1,{cell}\r\n\r\n").repeat(50);
        let rows = rows(&text);
        assert_eq!(rows.len(), 50);
        for (place, (number, cells)) in rows.iter().enumerate() {
            assert_eq!(*number, 2 * place as u64 + 1);
            assert_eq!(cells[2..], cell);
        }
    }

    #[test]
    fn a_quotation_mark_that_is_never_closed_is_an_error() {
        let read = |text| read(text, ReadLimits::default());
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
            max_columns: 2,
            max_cells: 5,
            max_cell_characters: 3,
            ..ReadLimits::default()
        };
        let read = |text: &str| read(text, limits).map(|rows| rows.len());
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
        assert_eq!(
            read(&format!("h\n{}", "x".repeat(1_000_000))),
            Err(CallListError::CellTooLong { row: 2, limit: 3 })
        );
        assert_eq!(
            read(&format!("h\n{}", ",".repeat(1_000_000))),
            Err(CallListError::TooManyColumns { row: 2, limit: 2 })
        );
    }
}
