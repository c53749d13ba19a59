//! XLSX: a workbook that is written as it goes, without a file beside it.
//!
//! A workbook is a ZIP archive of XML parts. The rows come first; the parts that list the sheets
//! come last, when it is known how many there are. Texts stand in their cells (no table of shared
//! texts, which would have to be kept), so a phone number stays the text it is and Excel opens it
//! as such; instants are dates, in UTC.
//!
//! A sheet ends at 1,048,576 rows, and earlier when it grows past what archives without 64-bit sizes
//! can hold, which older versions of Excel need; the rest goes on in a further sheet, under the same
//! header. A cell ends at 32,767 characters: what is longer is cut, and says so.

mod parts;

use std::fmt::Write as _;
use std::io::{self, Write};

use voicesurvey_core::time::Timestamp;
use zip::write::{SimpleFileOptions, StreamWriter};
use zip::{CompressionMethod, ZipWriter};

use super::{Column, ColumnType, Value};

/// What a sheet can hold.
#[derive(Clone, Copy, Debug)]
struct Limits {
    /// The header is one of them.
    rows: u32,
    /// Of XML, before it is compressed.
    bytes: u64,
}

impl Limits {
    const EXCEL: Self = Self {
        rows: 1_048_576,
        bytes: 3 << 30,
    };
}

/// The most columns of a sheet.
const COLUMNS: usize = 16_384;
/// The most characters of a cell, as Excel counts them.
const CHARACTERS: usize = 32_767;
/// The styles of the workbook, by their place in its list.
const HEADING: u8 = 1;
const DATE_AND_TIME: u8 = 2;

pub(crate) struct Workbook<W: Write> {
    archive: ZipWriter<StreamWriter<W>>,
    title: String,
    columns: Vec<Column>,
    limits: Limits,
    /// Sheets that were begun.
    sheets: u32,
    /// Rows of the sheet at hand.
    rows: u32,
    /// Its bytes.
    bytes: u64,
    /// The row at hand, as XML; kept so that its memory is.
    row: String,
}

impl<W: Write> Workbook<W> {
    pub(super) fn new(output: W, title: &str, columns: &[Column]) -> io::Result<Self> {
        Self::within(Limits::EXCEL, output, title, columns)
    }

    fn within(limits: Limits, output: W, title: &str, columns: &[Column]) -> io::Result<Self> {
        if columns.len() > COLUMNS {
            let what = format!(
                "a workbook has at most {COLUMNS} columns, and this one would have {}: use CSV or \
                 Parquet",
                columns.len()
            );
            return Err(io::Error::new(io::ErrorKind::InvalidInput, what));
        }
        let mut workbook = Self {
            archive: ZipWriter::new_stream(output),
            title: title.to_owned(),
            columns: columns.to_vec(),
            limits,
            sheets: 0,
            rows: 0,
            bytes: 0,
            row: String::new(),
        };
        workbook.begin_sheet()?;
        Ok(workbook)
    }

    pub(super) fn row(&mut self, cells: &[Value]) -> io::Result<()> {
        if self.rows >= self.limits.rows || self.bytes >= self.limits.bytes {
            self.end_sheet()?;
            self.begin_sheet()?;
        }
        self.row.clear();
        self.row.push_str("<row>");
        for cell in cells {
            push_cell(&mut self.row, cell);
        }
        self.end_row()
    }

    pub(super) fn finish(mut self) -> io::Result<W> {
        self.end_sheet()?;
        for (name, content) in parts::closing(&self.title, self.sheets) {
            self.begin_part(name)?;
            self.archive.write_all(content.as_bytes())?;
        }
        Ok(self.archive.finish()?.into_inner())
    }

    fn begin_part(&mut self, name: &str) -> io::Result<()> {
        // Without the time of day, so that the same rows make the same file.
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .last_modified_time(zip::DateTime::default());
        Ok(self.archive.start_file(name, options)?)
    }

    fn begin_sheet(&mut self) -> io::Result<()> {
        self.sheets += 1;
        (self.rows, self.bytes) = (0, 0);
        self.begin_part(&format!("xl/worksheets/sheet{}.xml", self.sheets))?;
        let widths = self.columns.iter().map(|column| match column.kind {
            ColumnType::Text => 18,
            ColumnType::Instant => 20,
            _ => 12,
        });
        self.archive
            .write_all(parts::sheet_opening(widths).as_bytes())?;
        self.row.clear();
        self.row.push_str("<row>");
        for column in &self.columns {
            push_text(&mut self.row, &column.name, HEADING);
        }
        self.end_row()
    }

    fn end_row(&mut self) -> io::Result<()> {
        self.row.push_str("</row>");
        self.archive.write_all(self.row.as_bytes())?;
        self.rows += 1;
        self.bytes += self.row.len() as u64;
        Ok(())
    }

    fn end_sheet(&mut self) -> io::Result<()> {
        self.archive.write_all(parts::SHEET_CLOSING.as_bytes())
    }
}

impl<W: Write> std::fmt::Debug for Workbook<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Workbook").finish_non_exhaustive()
    }
}

fn push_cell(row: &mut String, cell: &Value) {
    // OK because writing to a String cannot fail.
    let _ = match cell {
        Value::Empty => {
            row.push_str("<c/>");
            Ok(())
        }
        Value::Text(text) => {
            push_text(row, text, 0);
            Ok(())
        }
        Value::Integer(number) => write!(row, "<c><v>{number}</v></c>"),
        Value::Number(number) => write!(row, "<c><v>{}</v></c>", number.normalize()),
        Value::Boolean(is_so) => write!(row, "<c t=\"b\"><v>{}</v></c>", u8::from(*is_so)),
        Value::Instant(at) => {
            write!(
                row,
                "<c s=\"{DATE_AND_TIME}\"><v>{:.9}</v></c>",
                serial(*at)
            )
        }
    };
}

/// Days since the end of 1899, as spreadsheets count time.
fn serial(at: Timestamp) -> f64 {
    const DAYS_TO_1970: f64 = 25_569.0;
    const MILLISECONDS_OF_A_DAY: f64 = 86_400_000.0;
    #[expect(
        clippy::cast_precision_loss,
        reason = "milliseconds of the years at hand fit into 52 bits"
    )]
    let milliseconds = at.timestamp_millis() as f64;
    DAYS_TO_1970 + milliseconds / MILLISECONDS_OF_A_DAY
}

fn push_text(row: &mut String, text: &str, style: u8) {
    // OK because writing to a String cannot fail.
    let _ = write!(
        row,
        "<c t=\"inlineStr\" s=\"{style}\"><is><t xml:space=\"preserve\">"
    );
    match cut(text) {
        Some(text) => parts::push_escaped(row, &text),
        None => parts::push_escaped(row, text),
    }
    row.push_str("</t></is></c>");
}

/// A text that is too long for a cell, cut, with a word about it.
fn cut(text: &str) -> Option<String> {
    // A character has at most as many units as bytes.
    if text.len() <= CHARACTERS {
        return None;
    }
    let length: usize = text.chars().map(char::len_utf16).sum();
    if length <= CHARACTERS {
        return None;
    }
    let note = format!(" [cut here: {length} characters, more than a cell can hold]");
    let mut room = CHARACTERS - note.len();
    let fits = |character: &char| {
        let left = room.checked_sub(character.len_utf16());
        room = left.unwrap_or_default();
        left.is_some()
    };
    let mut kept: String = text.chars().take_while(fits).collect();
    kept.push_str(&note);
    Some(kept)
}

#[cfg(test)]
mod tests;
