//! Writes CSV of which no cell runs as a formula; every CSV of this crate goes through here.
//!
//! Lines end in CR LF, as RFC 4180 says. Which delimiter a spreadsheet splits at depends on the
//! country that its computer is set to, whatever stands in the file. So a cell that holds any
//! delimiter in use is quoted: elsewhere what comes after it would be a cell of its own, and might run
//! as a formula.

use std::io::{self, BufWriter, Write};

use voicesurvey_core::export::Delimiter;

use crate::cell;

/// What no cell holds without quotes.
const QUOTED: [char; 7] = [',', ';', '\t', '|', '"', '\r', '\n'];

/// How the text of a file is encoded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Encoding {
    /// UTF-8, for programs.
    #[default]
    Utf8,
    /// UTF-8 after a byte order mark, without which Excel takes accents for something else.
    Utf8WithByteOrderMark,
}

/// Writes one row after the other.
#[derive(Debug)]
pub(crate) struct TableWriter<W: Write> {
    output: BufWriter<W>,
    delimiter: &'static [u8],
}

impl<W: Write> TableWriter<W> {
    pub(crate) fn new(output: W, encoding: Encoding, delimiter: Delimiter) -> io::Result<Self> {
        let mut output = BufWriter::new(output);
        if encoding == Encoding::Utf8WithByteOrderMark {
            output.write_all("\u{feff}".as_bytes())?;
        }
        let delimiter = match delimiter {
            Delimiter::Comma => b",",
            Delimiter::Semicolon => b";",
            Delimiter::Tab => b"\t",
        };
        Ok(Self { output, delimiter })
    }

    /// Writes a row; the cells need not be safe.
    pub(crate) fn row<C: AsRef<str>>(
        &mut self,
        cells: impl IntoIterator<Item = C>,
    ) -> io::Result<()> {
        let mut is_blank = true;
        for (position, cell) in cells.into_iter().enumerate() {
            if position > 0 {
                self.output.write_all(self.delimiter)?;
            }
            let cell = cell::written(cell.as_ref());
            self.cell(&cell)?;
            is_blank &= position == 0 && cell.is_empty();
        }
        if is_blank {
            // A line with nothing in it would be no row.
            self.output.write_all(b"\"\"")?;
        }
        self.output.write_all(b"\r\n")
    }

    fn cell(&mut self, cell: &str) -> io::Result<()> {
        if cell.contains(QUOTED) {
            let doubled = cell.replace('"', "\"\"");
            write!(self.output, "\"{doubled}\"")
        } else {
            self.output.write_all(cell.as_bytes())
        }
    }

    /// Writes what is still held back.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.output.flush()
    }

    /// Writes what is still held back, and gives the output back.
    pub(crate) fn finish(self) -> io::Result<W> {
        self.output
            .into_inner()
            .map_err(io::IntoInnerError::into_error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(delimiter: Delimiter, rows: &[&[&str]]) -> String {
        let mut table = TableWriter::new(Vec::new(), Encoding::Utf8, delimiter).unwrap();
        for row in rows {
            table.row(*row).unwrap();
        }
        String::from_utf8(table.finish().unwrap()).unwrap()
    }

    /// Split at the delimiter of another country, no part of a cell becomes a cell that runs.
    #[test]
    fn whatever_delimiter_is_used_to_read_it_a_cell_stays_one() {
        let cells = ["bene;=1+cmd", "a\t=1", "b|=1", "c,=1", "=1;2", "plain", "è"];
        for &delimiter in Delimiter::ALL {
            let written = written(delimiter, &[&cells]);
            let quoted = written.matches('"').count();
            assert_eq!(quoted, 2 * 5, "{written}");
            assert!(written.contains("\"bene;=1+cmd\""), "{written}");
            assert!(written.contains("\"'=1;2\""), "{written}");
        }
    }

    #[test]
    fn every_delimiter_reads_back() {
        let rows: [&[&str]; 4] = [
            &["a", "b; c", "d, e"],
            &["", "\"said\"\r\nand \t went", ""],
            &["1.5", "+39347", "|"],
            &["", "", ""],
        ];
        for (delimiter, byte) in [
            (Delimiter::Comma, b','),
            (Delimiter::Semicolon, b';'),
            (Delimiter::Tab, b'\t'),
        ] {
            let written = written(delimiter, &rows);
            let mut reader = csv::ReaderBuilder::new()
                .has_headers(false)
                .delimiter(byte)
                .from_reader(written.as_bytes());
            let read = reader.deserialize::<Vec<String>>().map(Result::unwrap);
            assert_eq!(read.collect::<Vec<_>>(), rows);
        }
    }

    #[test]
    fn a_row_of_one_empty_cell_is_a_row() {
        assert_eq!(
            written(Delimiter::Comma, &[&["a"], &[""], &[]]),
            "a\r\n\"\"\r\n\"\"\r\n"
        );
    }
}
