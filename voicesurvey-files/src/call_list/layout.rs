//! Finds the header of a list, if it has one, and with it the columns.
//!
//! In doubt a row is not the header: a heading that is taken for a person is an error that is shown,
//! a person who is taken for a heading is never called.

use voicesurvey_core::blank::trimmed;

use super::columns::Columns;
use super::source::Record;
use super::{CallListError, FoundBy, ReadSettings, found, heading};
use crate::cell;

/// How many rows there may be above the header.
const TITLES: usize = 30;

/// How many rows are looked at when a heading leaves a doubt.
const SAMPLE: usize = 200;

/// Where a list begins, and what its columns hold.
#[derive(Debug)]
pub(super) struct Layout {
    /// How many of the first rows are no rows of the list: the header, and what is above it.
    pub(super) header: Option<usize>,
    pub(super) columns: Columns,
}

impl Layout {
    /// Whether the list has no header, and rows that end before the phone column: then what was
    /// taken for a delimiter is only a comma that some lines have.
    pub(super) fn is_ragged(&self, sample: &[Record]) -> bool {
        let phone = self.columns.phone();
        self.header.is_none() && sample.iter().any(|record| record.cells.len() <= phone)
    }
}

/// Works out the layout from the first rows of a file.
pub(super) fn find(sample: &[Record], settings: &ReadSettings) -> Result<Layout, CallListError> {
    if sample.is_empty() {
        return Err(CallListError::Empty);
    }
    let by_mapping = header_of_mapping(sample, settings)?;
    let header = by_mapping.or_else(|| header_of_phone_heading(sample, settings));
    if let Some(header) = header {
        let body = &sample[header + 1..];
        if body.is_empty() {
            return Err(CallListError::HeaderOnly);
        }
        let columns = Columns::of_header(&sample[header].cells, body, settings)?;
        return Ok(Layout {
            header: Some(header),
            columns,
        });
    }
    by_cells(sample, settings)
}

/// The first row that has all the headings that the mapping names. `None` when it names letters
/// and numbers of columns only, or nothing: these are compared with the header alone, once it is
/// found, because a `2` or a `B` stands in the cells of many people.
fn header_of_mapping(
    sample: &[Record],
    settings: &ReadSettings,
) -> Result<Option<usize>, CallListError> {
    let width = width(sample);
    let has = |record: &Record, wanted: &str| {
        record
            .cells
            .iter()
            .any(|cell| heading::is_same(cell::meant(cell), wanted))
    };
    let mut named: Vec<&String> = Vec::new();
    for (role, wanted) in &settings.mapping {
        if is_place(wanted, width) {
            continue;
        }
        if sample.iter().take(TITLES).any(|record| has(record, wanted)) {
            named.push(wanted);
        } else {
            return Err(CallListError::UnknownColumn {
                role: *role,
                column: wanted.clone(),
                found: widest(sample).cells.clone(),
            });
        }
    }
    if named.is_empty() {
        return Ok(None);
    }
    let header = sample
        .iter()
        .take(TITLES)
        .position(|record| named.iter().all(|wanted| has(record, wanted)));
    Ok(header)
}

/// Whether the text is written as the letter or the number of a column, be it one that there is not.
fn is_place(wanted: &str, width: usize) -> bool {
    let wanted = trimmed(wanted);
    let is_number = !wanted.is_empty() && wanted.bytes().all(|byte| byte.is_ascii_digit());
    let is_letter = wanted.len() == 1 && wanted.bytes().all(|byte| byte.is_ascii_alphabetic());
    is_number || is_letter || place_of(wanted, width).is_some()
}

/// The column that is meant by its letter or by its number counted from 1.
pub(super) fn place_of(wanted: &str, width: usize) -> Option<usize> {
    let wanted = trimmed(wanted);
    let number = wanted
        .parse::<usize>()
        .ok()
        .and_then(|number| number.checked_sub(1));
    number
        .or_else(|| found::column_of(wanted))
        .filter(|column| *column < width)
}

pub(super) fn width(sample: &[Record]) -> usize {
    sample
        .iter()
        .map(|record| record.cells.len())
        .max()
        .unwrap_or_default()
}

/// The row that is most likely to be the header, to show what was found.
fn widest(sample: &[Record]) -> &Record {
    let first = sample.iter().take(TITLES);
    // The first of those that are equally wide.
    first
        .rev()
        .max_by_key(|record| record.filled())
        .unwrap_or(&sample[0])
}

/// The first row in which a cell names the phone column. A person may be noted down with the word
/// `Telefono`: what has a number in it, or people above it, is no header.
fn header_of_phone_heading(sample: &[Record], settings: &ReadSettings) -> Option<usize> {
    let above = &sample[..sample.len().min(TITLES)];
    let is_header = |row: usize, record: &Record| {
        record
            .cells
            .iter()
            .any(|cell| heading::is_phone_number(cell))
            || (0..record.cells.len()).any(|column| {
                heading::may_be_phone_number(record.cell(column))
                    && has_numbers(column, &sample[row + 1..])
            })
    };
    for (row, record) in above.iter().enumerate() {
        if has_number(record, settings) {
            return None;
        }
        if is_header(row, record) {
            return Some(row);
        }
    }
    None
}

fn has_number(record: &Record, settings: &ReadSettings) -> bool {
    (0..record.cells.len()).any(|column| is_number(record, column, settings))
}

fn is_number(record: &Record, column: usize, settings: &ReadSettings) -> bool {
    settings
        .numbers(record.cell(column), record.is_number(column))
        .is_some()
}

/// Whether at least half of the cells that are not empty look like phone numbers.
pub(super) fn has_numbers(column: usize, records: &[Record]) -> bool {
    let cells = records
        .iter()
        .map(|record| record.cell(column))
        .filter(|cell| !cell.is_empty());
    let sample: Vec<_> = cells.take(SAMPLE).collect();
    let numbers = sample
        .iter()
        .filter(|cell| cell::looks_like_a_phone_number(cell));
    let numbers = numbers.count();
    numbers > 0 && 2 * numbers >= sample.len()
}

/// The columns of whose cells three in five can be dialed, from the first that can.
pub(super) fn columns_of_numbers(
    records: &[Record],
    headings: &[String],
    settings: &ReadSettings,
) -> Vec<usize> {
    let is_of_numbers = |column: &usize| {
        let heading = headings.get(*column).map_or("", String::as_str);
        if heading::is_of_other_numbers(heading) {
            return false;
        }
        let cells = records
            .iter()
            .take(SAMPLE)
            .filter(|record| !record.cell(*column).is_empty());
        let numbers: Vec<bool> = cells
            .map(|record| is_number(record, *column, settings))
            .skip_while(|is_number| !is_number)
            .collect();
        let valid = numbers.iter().filter(|is_number| **is_number).count();
        valid > 0 && 5 * valid >= 3 * numbers.len()
    };
    (0..width(records)).filter(is_of_numbers).collect()
}

/// The layout of a list in which no heading names the phone column.
fn by_cells(sample: &[Record], settings: &ReadSettings) -> Result<Layout, CallListError> {
    let mapped = settings.mapping.get(&super::Role::PhoneNumber);
    let mapped = mapped.and_then(|wanted| place_of(wanted, width(sample)));
    let candidates = match mapped {
        Some(column) => vec![column],
        None => columns_of_numbers(sample, &[], settings),
    };
    let first = candidates
        .iter()
        .filter_map(|column| sample.iter().position(|r| is_number(r, *column, settings)))
        .min();
    let header = match (first, candidates.first()) {
        (Some(first), Some(column)) => header_above(sample, first, *column),
        _ => sample.iter().take(1).position(names_something),
    };
    if let Some(header) = header {
        let body = &sample[header + 1..];
        let columns = Columns::of_header(&sample[header].cells, body, settings)?;
        return Ok(Layout {
            header: Some(header),
            columns,
        });
    }
    let Some(phone) = only(&candidates, found::letter)? else {
        return Err(CallListError::MissingPhoneColumn {
            found: widest(sample).cells.clone(),
        });
    };
    let found_by = if mapped.is_some() {
        FoundBy::Mapping
    } else {
        FoundBy::Cells
    };
    Ok(Layout {
        header: None,
        columns: Columns::without_header(phone, found_by, sample, settings)?,
    })
}

/// The only one of the columns; none when there is none.
pub(super) fn only(
    candidates: &[usize],
    shown: impl Fn(usize) -> String,
) -> Result<Option<usize>, CallListError> {
    match candidates {
        [] => Ok(None),
        [column] => Ok(Some(*column)),
        several => Err(CallListError::AmbiguousPhoneColumn {
            found: several.iter().map(|column| shown(*column)).collect(),
        }),
    }
}

/// The row above the first that has a number, if it is a header: all words, and what is above it
/// are titles.
fn header_above(sample: &[Record], first: usize, column: usize) -> Option<usize> {
    let header = first.checked_sub(1)?;
    let record = &sample[header];
    let heading = record.cell(column);
    let is_word = heading.chars().any(char::is_alphabetic)
        && !heading
            .chars()
            .any(|character| character.is_numeric() || character == '@');
    let is_header = names_something(record) || (is_word && !stands_for_nothing(heading));
    let are_titles = sample[..header]
        .iter()
        .all(|title| title.filled() <= 1 || 2 * title.filled() < record.filled());
    // With one column everything above the header would be a title.
    let are_titles = are_titles && (header == 0 || record.filled() > 1);
    (is_header && are_titles).then_some(header)
}

/// Whether a cell of the row is a heading we know.
fn names_something(record: &Record) -> bool {
    record
        .cells
        .iter()
        .any(|cell| heading::meaning(cell).is_some())
}

/// What people write where they have no number.
fn stands_for_nothing(cell: &str) -> bool {
    const WORDS: [&str; 16] = [
        "none",
        "null",
        "nil",
        "nan",
        "n/a",
        "na",
        "n/d",
        "nd",
        "unknown",
        "nessuno",
        "nessuna",
        "sconosciuto",
        "нет",
        "aucun",
        "ninguno",
        "keine",
    ];
    WORDS.contains(&trimmed(cell).trim_end_matches('.').to_lowercase().as_str())
}
