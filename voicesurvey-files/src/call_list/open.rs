//! Opens a file of whatever format, and finds its list.

use std::collections::VecDeque;
use std::io::{Read, Seek};

use voicesurvey_core::blank::trimmed;

use super::delimited::Delimited;
use super::encoding::TextFile;
use super::format::{self, Kind};
use super::found::{Format, Found};
use super::layout::{self, Layout};
use super::lines::{self, Lines};
use super::source::{Record, RecordSource};
use super::workbook::{Workbook, guarded};
use super::{CallListError, CallListReader, LAST_ROW, ReadSettings, delimiter, xls, xlsx};

/// How many rows are read to find out about the columns.
const SAMPLE_ROWS: usize = 1_000;

/// How many bytes of cells at most.
const SAMPLE_BYTES: usize = 4 << 20;

/// How many bytes of text are read to find the delimiter.
const SAMPLE_TEXT: u64 = 64 * 1024;

pub(super) fn open(
    mut file: impl Read + Seek + Send + 'static,
    name: &str,
    settings: &ReadSettings,
) -> Result<CallListReader, CallListError> {
    file.rewind()?;
    let mut start = Vec::new();
    file.by_ref()
        .take(format::LOOKED_AT as u64)
        .read_to_end(&mut start)?;
    let workbook = match format::recognise(&start)? {
        Kind::Text => return open_text(file, name, settings),
        Kind::Archive => guarded(|| xlsx::open(file, settings.limits))?,
        Kind::CompoundFile => guarded(|| xls::open(file, settings.limits))?,
    };
    let Workbook {
        format,
        sheet,
        other_sheets,
        mut rows,
    } = workbook;
    let sample = guarded(|| read_sample(&mut *rows))?;
    let layout = layout::find(&sample, settings)?;
    let found = Found {
        sheet: Some(sheet),
        other_sheets,
        ..nothing_found(format)
    };
    Ok(reader(name, found, layout, sample, rows, settings))
}

fn open_text(
    file: impl Read + Seek + Send + 'static,
    name: &str,
    settings: &ReadSettings,
) -> Result<CallListReader, CallListError> {
    let mut text = TextFile::open(file)?;
    let mut start = Vec::new();
    text.by_ref().take(SAMPLE_TEXT).read_to_end(&mut start)?;
    text.rewind()?;
    // The last character may be cut.
    let start = String::from_utf8_lossy(&start);
    let (delimiter, rest) = delimiter::find(&start, &settings.limits);
    let declaration = start.len() - rest.len();
    let found = Found {
        encoding: Some(text.encoding()),
        ..nothing_found(Format::Csv)
    };
    let mut rows = Delimited::new(
        text,
        TextFile::progress,
        delimiter,
        declaration,
        settings.limits,
    )?;
    let sample = read_sample(&mut rows)?;
    let layout = layout::find(&sample, settings);
    let is_of_lines = || settings.mapping.is_empty() && lines::is_likely(&start, settings);
    match layout {
        Ok(layout) if !(layout.is_ragged(&sample) && is_of_lines()) => {
            let found = Found {
                delimiter: Some(char::from(delimiter)),
                ..found
            };
            Ok(reader(
                name,
                found,
                layout,
                sample,
                Box::new(rows),
                settings,
            ))
        }
        Err(error)
            if !(matches!(error, CallListError::MissingPhoneColumn { .. }) && is_of_lines()) =>
        {
            Err(error)
        }
        _ => {
            let mut text = rows.into_text();
            text.rewind()?;
            let mut rows = Lines::new(text, TextFile::progress, settings);
            let sample = read_sample(&mut rows)?;
            let layout = lines::layout(&sample, settings)?;
            let found = Found {
                format: Format::Lines,
                ..found
            };
            Ok(reader(
                name,
                found,
                layout,
                sample,
                Box::new(rows),
                settings,
            ))
        }
    }
}

fn nothing_found(format: Format) -> Found {
    Found {
        format,
        encoding: None,
        delimiter: None,
        sheet: None,
        other_sheets: Vec::new(),
        rows_above_header: Vec::new(),
        header_row: None,
        columns: Vec::new(),
    }
}

fn read_sample(rows: &mut dyn RecordSource) -> Result<Vec<Record>, CallListError> {
    let mut sample = Vec::new();
    let mut bytes = 0;
    while sample.len() < SAMPLE_ROWS && bytes < SAMPLE_BYTES {
        let Some(record) = rows.next_record()? else {
            break;
        };
        bytes += record
            .cells
            .iter()
            .map(|cell| cell.len() + 24)
            .sum::<usize>();
        sample.push(record);
    }
    Ok(sample)
}

fn reader(
    name: &str,
    found: Found,
    layout: Layout,
    sample: Vec<Record>,
    source: Box<dyn RecordSource>,
    settings: &ReadSettings,
) -> CallListReader {
    let above = layout.header.unwrap_or_default();
    let found = Found {
        rows_above_header: sample[..above].iter().map(shown).collect(),
        header_row: layout.header.map(|header| sample[header].row),
        columns: layout.columns.found().to_vec(),
        ..found
    };
    let mut waiting = VecDeque::from(sample);
    waiting.drain(..layout.header.map_or(0, |header| header + 1));
    let header_row = found.header_row.map(|row| row.min(LAST_ROW));
    CallListReader {
        name: name.to_owned(),
        found,
        columns: layout.columns,
        limits: settings.limits,
        waiting,
        source,
        rows: 0,
        last_row: header_row.unwrap_or_default(),
        has_texts: settings.has_texts,
        has_ended: false,
    }
}

/// What stands in a row, in one line.
fn shown(record: &Record) -> String {
    let cells = record.cells.iter().map(|cell| trimmed(cell));
    let cells: Vec<_> = cells.filter(|cell| !cell.is_empty()).collect();
    cells.join(" | ").chars().take(200).collect()
}
