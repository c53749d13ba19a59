//! Writes CSV of which no cell runs as a formula; every CSV of this crate goes through here.
//!
//! Lines end in CR LF, as RFC 4180 says.

use std::io::{self, Write};

use crate::cell;

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
    csv: csv::Writer<W>,
}

impl<W: Write> TableWriter<W> {
    pub(crate) fn new(mut output: W, encoding: Encoding) -> io::Result<Self> {
        if encoding == Encoding::Utf8WithByteOrderMark {
            output.write_all("\u{feff}".as_bytes())?;
        }
        Ok(Self {
            csv: csv::WriterBuilder::new()
                .terminator(csv::Terminator::CRLF)
                .from_writer(output),
        })
    }

    /// Writes a row; the cells need not be safe.
    pub(crate) fn row<C: AsRef<str>>(
        &mut self,
        cells: impl IntoIterator<Item = C>,
    ) -> io::Result<()> {
        for cell in cells {
            self.csv
                .write_field(cell::written(cell.as_ref()).as_ref())?;
        }
        self.csv.write_record(None::<&[u8]>)?;
        Ok(())
    }

    /// Writes what is still held back.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.csv.flush()
    }

    /// Writes what is still held back, and gives the output back.
    pub(crate) fn finish(self) -> io::Result<W> {
        self.csv
            .into_inner()
            .map_err(csv::IntoInnerError::into_error)
    }
}
