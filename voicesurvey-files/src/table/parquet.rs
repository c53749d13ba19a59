//! Parquet: typed columns that may be empty, in row groups, compressed with Snappy.
//!
//! A row group is held in memory until it is full, so it is kept small: readers prefer a million
//! rows to a group, and manage with fewer.

use std::io::{self, Write};
use std::sync::Arc;

use parquet::basic::{Compression, LogicalType, Repetition, TimeUnit, Type as PhysicalType};
use parquet::column::writer::ColumnWriter;
use parquet::data_type::ByteArray;
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::Type;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;

use super::{Column, ColumnType, Value};

/// A row group is written when it has so many rows, or so many bytes of text.
const ROWS_PER_GROUP: usize = 20_000;
const BYTES_PER_GROUP: usize = 16 << 20;

/// The digits and the places of an amount of money.
const MONEY_PRECISION: i32 = 18;
const MONEY_SCALE: i32 = 6;

pub(crate) struct ParquetFile<W: Write + Send> {
    file: SerializedFileWriter<W>,
    columns: Vec<PendingColumn>,
    rows: usize,
    bytes: usize,
}

/// The cells of a column that wait for their row group.
struct PendingColumn {
    name: String,
    cells: Cells,
    /// For every row whether there is a value: 1 or 0.
    levels: Vec<i16>,
}

enum Cells {
    Text(Vec<ByteArray>),
    Integer(Vec<i64>),
    Number(Vec<f64>),
    Money(Vec<i64>),
    Boolean(Vec<bool>),
    Instant(Vec<i64>),
}

impl<W: Write + Send> ParquetFile<W> {
    pub(super) fn new(output: W, title: &str, columns: &[Column]) -> io::Result<Self> {
        let fields = columns.iter().map(|column| Ok(Arc::new(field(column)?)));
        let schema = Type::group_type_builder(title)
            .with_fields(
                fields
                    .collect::<Result<_, ParquetError>>()
                    .map_err(failed)?,
            )
            .build()
            .map_err(failed)?;
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .set_created_by("voicesurvey".to_owned())
            .build();
        let file = SerializedFileWriter::new(output, Arc::new(schema), Arc::new(properties));
        let mut file = file.map_err(failed)?;
        // Whoever fetches it sees that it begins, long before a row group is full.
        file.flush()?;
        Ok(Self {
            file,
            columns: columns.iter().map(PendingColumn::new).collect(),
            rows: 0,
            bytes: 0,
        })
    }

    pub(super) fn row(&mut self, cells: &[Value]) -> io::Result<()> {
        for (column, cell) in self.columns.iter_mut().zip(cells) {
            self.bytes += column.push(cell)?;
        }
        self.rows += 1;
        if self.rows >= ROWS_PER_GROUP || self.bytes >= BYTES_PER_GROUP {
            self.write_group()?;
        }
        Ok(())
    }

    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }

    pub(super) fn finish(mut self) -> io::Result<W> {
        if self.rows > 0 {
            self.write_group()?;
        }
        self.file.into_inner().map_err(failed)
    }

    fn write_group(&mut self) -> io::Result<()> {
        let mut group = self.file.next_row_group().map_err(failed)?;
        for column in &mut self.columns {
            let Some(mut writer) = group.next_column().map_err(failed)? else {
                return Err(io::Error::other("a column too many"));
            };
            column.write(writer.untyped()).map_err(failed)?;
            writer.close().map_err(failed)?;
        }
        group.close().map_err(failed)?;
        (self.rows, self.bytes) = (0, 0);
        Ok(())
    }
}

impl<W: Write + Send> std::fmt::Debug for ParquetFile<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ParquetFile").finish_non_exhaustive()
    }
}

fn field(column: &Column) -> Result<Type, ParquetError> {
    let (physical, logical) = match column.kind {
        ColumnType::Text => (PhysicalType::BYTE_ARRAY, Some(LogicalType::String)),
        ColumnType::Integer => (PhysicalType::INT64, None),
        ColumnType::Number => (PhysicalType::DOUBLE, None),
        ColumnType::Money => {
            let decimal = LogicalType::decimal(MONEY_SCALE, MONEY_PRECISION);
            (PhysicalType::INT64, Some(decimal))
        }
        ColumnType::Boolean => (PhysicalType::BOOLEAN, None),
        ColumnType::Instant => {
            let instant = LogicalType::timestamp(true, TimeUnit::MICROS);
            (PhysicalType::INT64, Some(instant))
        }
    };
    let mut field = Type::primitive_type_builder(&column.name, physical)
        .with_repetition(Repetition::OPTIONAL)
        .with_logical_type(logical);
    if column.kind == ColumnType::Money {
        field = field
            .with_precision(MONEY_PRECISION)
            .with_scale(MONEY_SCALE);
    }
    field.build()
}

impl PendingColumn {
    fn new(column: &Column) -> Self {
        let cells = match column.kind {
            ColumnType::Text => Cells::Text(Vec::new()),
            ColumnType::Integer => Cells::Integer(Vec::new()),
            ColumnType::Number => Cells::Number(Vec::new()),
            ColumnType::Money => Cells::Money(Vec::new()),
            ColumnType::Boolean => Cells::Boolean(Vec::new()),
            ColumnType::Instant => Cells::Instant(Vec::new()),
        };
        Self {
            name: column.name.clone(),
            cells,
            levels: Vec::new(),
        }
    }

    /// Takes a cell, and returns about how many bytes it keeps.
    fn push(&mut self, cell: &Value) -> io::Result<usize> {
        self.levels.push(i16::from(*cell != Value::Empty));
        let mut bytes = size_of::<i64>();
        match (&mut self.cells, cell) {
            (_, Value::Empty) => bytes = 0,
            (Cells::Text(cells), Value::Text(text)) => {
                bytes = text.len();
                cells.push(ByteArray::from(text.as_str()));
            }
            (Cells::Integer(cells), Value::Integer(number)) => cells.push(*number),
            (Cells::Number(cells), Value::Number(number)) => {
                cells.push(number.to_f64().unwrap_or(f64::NAN));
            }
            (Cells::Money(cells), Value::Number(amount)) => cells.push(self::amount(*amount)?),
            (Cells::Boolean(cells), Value::Boolean(is_so)) => cells.push(*is_so),
            (Cells::Instant(cells), Value::Instant(at)) => cells.push(at.timestamp_micros()),
            (_, other) => {
                let name = &self.name;
                let what = format!("the column '{name}' cannot hold {other:?}");
                return Err(io::Error::new(io::ErrorKind::InvalidData, what));
            }
        }
        Ok(bytes)
    }

    fn write(&mut self, writer: &mut ColumnWriter<'_>) -> Result<(), ParquetError> {
        let levels = Some(self.levels.as_slice());
        match (&mut self.cells, writer) {
            (Cells::Text(cells), ColumnWriter::ByteArrayColumnWriter(writer)) => {
                writer.write_batch(cells, levels, None)?;
                cells.clear();
            }
            (
                Cells::Integer(cells) | Cells::Money(cells) | Cells::Instant(cells),
                ColumnWriter::Int64ColumnWriter(writer),
            ) => {
                writer.write_batch(cells, levels, None)?;
                cells.clear();
            }
            (Cells::Number(cells), ColumnWriter::DoubleColumnWriter(writer)) => {
                writer.write_batch(cells, levels, None)?;
                cells.clear();
            }
            (Cells::Boolean(cells), ColumnWriter::BoolColumnWriter(writer)) => {
                writer.write_batch(cells, levels, None)?;
                cells.clear();
            }
            _ => return Err(ParquetError::General("a column of another type".to_owned())),
        }
        self.levels.clear();
        Ok(())
    }
}

/// An amount in millionths, rounded half to even as the counters of costs are.
fn amount(amount: Decimal) -> io::Result<i64> {
    let millionths = amount.checked_mul(Decimal::from(1_000_000));
    let millionths = millionths.and_then(|amount| amount.round().to_i64());
    millionths.ok_or_else(|| {
        let what = format!("the amount {amount} is too large");
        io::Error::new(io::ErrorKind::InvalidData, what)
    })
}

fn failed(error: ParquetError) -> io::Error {
    io::Error::other(error)
}
