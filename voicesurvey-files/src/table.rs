//! Tables in three formats: typed cells in, CSV, XLSX or Parquet out, row by row.
//!
//! Whatever the format, a table needs no more memory at a million rows than at a few thousand, and
//! never goes back to what it has written, so it can be sent while it is made.

mod comma_separated;
mod parquet;
mod workbook;

use std::io::{self, Write};

use rust_decimal::Decimal;
use voicesurvey_core::export::{Delimiter, ExportFormat};
use voicesurvey_core::phone_number::PhoneNumber;
use voicesurvey_core::time::Timestamp;

use self::comma_separated::CommaSeparated;
use self::parquet::ParquetFile;
use self::workbook::Workbook;

/// What stands in one cell.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    /// Nothing is known.
    Empty,
    /// A text, which stays one: phone numbers are texts.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// A number with decimals.
    Number(Decimal),
    /// Whether it is so.
    Boolean(bool),
    /// An instant.
    Instant(Timestamp),
}

impl Value {
    pub(crate) fn text(text: impl Into<String>) -> Self {
        match text.into() {
            empty if empty.is_empty() => Self::Empty,
            text => Self::Text(text),
        }
    }
}

/// Nobody's number is none to a reader.
impl From<&PhoneNumber> for Value {
    fn from(number: &PhoneNumber) -> Self {
        if number.is_nobodys() {
            Self::Empty
        } else {
            Self::Text(number.to_string())
        }
    }
}

impl From<Option<Timestamp>> for Value {
    fn from(at: Option<Timestamp>) -> Self {
        at.map_or(Self::Empty, Self::Instant)
    }
}

impl From<u16> for Value {
    fn from(number: u16) -> Self {
        Self::Integer(number.into())
    }
}

impl From<u32> for Value {
    fn from(number: u32) -> Self {
        Self::Integer(number.into())
    }
}

/// What the cells of a column are; each may also be empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ColumnType {
    Text,
    Integer,
    /// A number with decimals; 64 bits of floating point in Parquet.
    Number,
    /// An amount of money: a decimal with six places in Parquet.
    Money,
    Boolean,
    Instant,
}

impl ColumnType {
    /// Its name in the codebook.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Integer => "integer",
            Self::Number => "number",
            Self::Money => "money",
            Self::Boolean => "boolean",
            Self::Instant => "instant",
        }
    }
}

/// A column of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) kind: ColumnType,
}

/// A table that is being written.
#[derive(Debug)]
pub(crate) enum Table<W: Write + Send> {
    CommaSeparated(Box<CommaSeparated<W>>),
    Workbook(Box<Workbook<W>>),
    Parquet(Box<ParquetFile<W>>),
}

impl<W: Write + Send> Table<W> {
    /// Begins a table. `title` is what a workbook calls its sheet, and the delimiter that of CSV.
    pub(crate) fn new(
        output: W,
        format: ExportFormat,
        delimiter: Delimiter,
        title: &str,
        columns: &[Column],
    ) -> io::Result<Self> {
        Ok(match format {
            ExportFormat::Csv => {
                Self::CommaSeparated(Box::new(CommaSeparated::new(output, delimiter, columns)?))
            }
            ExportFormat::Xlsx => Self::Workbook(Box::new(Workbook::new(output, title, columns)?)),
            ExportFormat::Parquet => {
                Self::Parquet(Box::new(ParquetFile::new(output, title, columns)?))
            }
        })
    }

    /// Writes a row, which has a cell for every column.
    pub(crate) fn row(&mut self, cells: &[Value]) -> io::Result<()> {
        match self {
            Self::CommaSeparated(table) => table.row(cells),
            Self::Workbook(table) => table.row(cells),
            Self::Parquet(table) => table.row(cells),
        }
    }

    /// Hands on what is held back, as far as the format allows.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::CommaSeparated(table) => table.flush(),
            // Deflate holds back what it needs, which is bounded.
            Self::Workbook(_) => Ok(()),
            Self::Parquet(table) => table.flush(),
        }
    }

    /// Writes what is still held back, and gives the output back. Without it the table is broken,
    /// and programs say so (CSV alone cannot).
    pub(crate) fn finish(self) -> io::Result<W> {
        match self {
            Self::CommaSeparated(table) => table.finish(),
            Self::Workbook(table) => table.finish(),
            Self::Parquet(table) => table.finish(),
        }
    }
}
