//! CSV: UTF-8 with a byte order mark, lines that end in CR LF (RFC 4180).

use std::io::{self, Write};

use voicesurvey_core::export::Delimiter;

use super::{Column, Value};
use crate::Encoding;
use crate::table_writer::TableWriter;

#[derive(Debug)]
pub(crate) struct CommaSeparated<W: Write> {
    table: TableWriter<W>,
}

impl<W: Write> CommaSeparated<W> {
    pub(super) fn new(output: W, delimiter: Delimiter, columns: &[Column]) -> io::Result<Self> {
        let encoding = Encoding::Utf8WithByteOrderMark;
        let mut table = TableWriter::new(output, encoding, delimiter)?;
        table.row(columns.iter().map(|column| &column.name))?;
        Ok(Self { table })
    }

    pub(super) fn row(&mut self, cells: &[Value]) -> io::Result<()> {
        self.table.row(cells.iter().map(text))
    }

    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.table.flush()
    }

    pub(super) fn finish(self) -> io::Result<W> {
        self.table.finish()
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::Empty => String::new(),
        Value::Text(text) => text.clone(),
        Value::Integer(number) => number.to_string(),
        Value::Number(number) => number.normalize().to_string(),
        Value::Boolean(is_so) => is_so.to_string(),
        Value::Instant(at) => at.format("%Y-%m-%dT%H:%M:%SZ").to_string(),
    }
}
