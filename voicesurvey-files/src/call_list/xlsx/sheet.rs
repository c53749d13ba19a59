//! The rows of one sheet.

use std::io::{BufRead, Read};
use std::sync::Arc;

use quick_xml::events::{BytesStart, Event};

use super::Shared;
use super::package::{Inflated, Part};
use super::xml::{Xml, attribute};
use crate::call_list::found::column_of;
use crate::call_list::number_format::{date_text, number_text};
use crate::call_list::source::{Measure, Record, RecordSource};
use crate::call_list::{CallListError, Progress, ReadLimits};

/// Rows of a sheet, one after the other.
pub(super) struct SheetRows<F> {
    xml: Xml<Inflated<F>>,
    part: Part,
    shared: Arc<Shared>,
    measure: Measure,
    row: u64,
    value: String,
}

impl<F: Read> SheetRows<F> {
    pub(super) fn new(
        source: Inflated<F>,
        part: Part,
        shared: Arc<Shared>,
        limits: ReadLimits,
    ) -> Self {
        Self {
            xml: Xml::new(source),
            part,
            shared,
            measure: Measure::new(limits),
            row: 0,
            value: String::new(),
        }
    }

    /// Reads the cells up to the end of the row.
    fn read_cells(&mut self) -> Result<Record, CallListError> {
        let mut record = Record {
            row: self.row,
            ..Record::default()
        };
        let mut column = 0;
        loop {
            match self.xml.next_event()? {
                Event::Start(element) if element.local_name().as_ref() == "c" => {
                    let cell = Cell::of(&element);
                    column = cell.column.unwrap_or(column);
                    self.value.clear();
                    self.read_value()?;
                    self.put(&cell, column, &mut record)?;
                    column += 1;
                }
                Event::End(element) if element.local_name().as_ref() == "row" => return Ok(record),
                Event::Eof => return Err(CallListError::Damaged),
                _ => {}
            }
        }
    }

    /// Reads what is in a cell up to its end; the formula is passed over, its result is read.
    fn read_value(&mut self) -> Result<(), CallListError> {
        let most = 4 * self.measure.limits().max_cell_characters;
        loop {
            match self.xml.next_event()? {
                Event::Start(element) => match element.local_name().as_ref() {
                    "v" => self.xml.text(most, &mut self.value)?,
                    "is" => read_rich_text(&mut self.xml, most, &mut self.value)?,
                    _ => skip(&mut self.xml)?,
                },
                Event::End(_) => return Ok(()),
                Event::Eof => return Err(CallListError::Damaged),
                _ => {}
            }
        }
    }

    fn put(&self, cell: &Cell, column: usize, record: &mut Record) -> Result<(), CallListError> {
        if self.value.is_empty() {
            return Ok(());
        }
        let (text, is_number) = self.meaning(cell);
        if text.is_empty() {
            return Ok(());
        }
        self.measure.column(record.row, column + 1)?;
        if record.cells.len() <= column {
            record.cells.resize(column + 1, String::new());
        }
        record.cells[column] = text;
        if is_number {
            record
                .numbers
                .resize(record.numbers.len().max(column + 1), false);
            record.numbers[column] = true;
        }
        Ok(())
    }

    /// The cell as text, and whether it was a number.
    fn meaning(&self, cell: &Cell) -> (String, bool) {
        let value = self.value.as_str();
        match cell.kind {
            Kind::Shared => {
                let text = value
                    .trim()
                    .parse()
                    .ok()
                    .and_then(|number| self.shared.texts.get(number));
                (text.unwrap_or_default().to_owned(), false)
            }
            Kind::Text => (unescaped(value), false),
            Kind::Boolean => {
                let text = if value.trim() == "1" { "true" } else { "false" };
                (text.to_owned(), false)
            }
            Kind::Number => match value.trim().parse::<f64>() {
                Ok(number) if self.is_date(cell.style) => {
                    (date_text(number, self.shared.is_from_1904), false)
                }
                Ok(number) if number.is_finite() => (number_text(number), true),
                _ => (value.to_owned(), false),
            },
        }
    }

    fn is_date(&self, style: usize) -> bool {
        self.shared
            .date_styles
            .get(style)
            .copied()
            .unwrap_or_default()
    }
}

impl<F: Read + Send> RecordSource for SheetRows<F> {
    fn next_record(&mut self) -> Result<Option<Record>, CallListError> {
        loop {
            match self.xml.next_event()? {
                Event::Start(element) if element.local_name().as_ref() == "row" => {
                    let number = attribute(&element, "r").and_then(|row| row.parse().ok());
                    self.row = number.unwrap_or(self.row.saturating_add(1));
                    let record = self.read_cells()?;
                    if !record.is_blank() {
                        self.measure.take(&record)?;
                        return Ok(Some(record));
                    }
                }
                // What follows the rows may be long, and tells nothing.
                Event::End(element) if element.local_name().as_ref() == "sheetData" => {
                    return Ok(None);
                }
                Event::Eof => return Ok(None),
                _ => {}
            }
        }
    }

    fn progress(&self) -> Progress {
        let left = self.xml.source().get_ref().inner.left_in_file();
        Progress {
            read: self.part.length.saturating_sub(left),
            total: self.part.length,
        }
    }
}

/// What a cell says about its value.
struct Cell {
    column: Option<usize>,
    kind: Kind,
    style: usize,
}

#[derive(Clone, Copy)]
enum Kind {
    /// The number of a text that the workbook keeps.
    Shared,
    /// The value itself.
    Text,
    Boolean,
    Number,
}

impl Cell {
    fn of(element: &BytesStart<'_>) -> Self {
        let place = attribute(element, "r");
        let letters = place
            .as_deref()
            .map(|place| place.trim_end_matches(|c: char| c.is_ascii_digit()));
        let kind = match attribute(element, "t").as_deref() {
            Some("s") => Kind::Shared,
            // Texts of formulas, errors such as `#N/A`, and days as ISO writes them.
            Some("str" | "inlineStr" | "e" | "d") => Kind::Text,
            Some("b") => Kind::Boolean,
            _ => Kind::Number,
        };
        let style = attribute(element, "s").and_then(|style| style.parse().ok());
        Self {
            column: letters.and_then(column_of),
            kind,
            style: style.unwrap_or_default(),
        }
    }
}

/// Adds the text of an element that has just begun, in whatever fonts, without what helps to
/// pronounce it.
pub(super) fn read_rich_text<R: BufRead>(
    xml: &mut Xml<R>,
    most: usize,
    text: &mut String,
) -> Result<(), CallListError> {
    let mut depth = 0;
    let start = text.len();
    let most = most.saturating_add(start);
    loop {
        match xml.next_event()? {
            Event::Start(element) => match element.local_name().as_ref() {
                "t" => xml.text(most, text)?,
                "rPh" => skip(xml)?,
                _ => depth += 1,
            },
            Event::End(_) if depth == 0 => break,
            Event::End(_) => depth -= 1,
            Event::Eof => return Err(CallListError::Damaged),
            _ => {}
        }
    }
    if text[start..].contains("_x") {
        let plain = unescaped(&text[start..]);
        text.truncate(start);
        text.push_str(&plain);
    }
    Ok(())
}

/// Passes over the element that has just begun.
fn skip<R: BufRead>(xml: &mut Xml<R>) -> Result<(), CallListError> {
    let mut depth = 0;
    loop {
        match xml.next_event()? {
            Event::Start(_) => depth += 1,
            Event::End(_) if depth == 0 => return Ok(()),
            Event::End(_) => depth -= 1,
            Event::Eof => return Err(CallListError::Damaged),
            _ => {}
        }
    }
}

/// The text with the characters that Excel writes as `_x000D_`.
fn unescaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(place) = rest.find("_x") {
        let (before, escape) = rest.split_at(place);
        plain.push_str(before);
        let code = escape.get(2..6).filter(|_| escape[6..].starts_with('_'));
        let code = code.and_then(|code| u32::from_str_radix(code, 16).ok());
        if let Some(character) = code.and_then(char::from_u32) {
            plain.push(character);
            rest = &escape[7..];
        } else {
            plain.push_str("_x");
            rest = &escape[2..];
        }
    }
    plain.push_str(rest);
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_that_excel_escapes_are_themselves_again() {
        for (text, plain) in [
            ("a_x000D_b", "a\rb"),
            ("_x005F_x000D_", "_x000D_"),
            ("_xZZZZ_ _x00", "_xZZZZ_ _x00"),
            ("_x000Dè", "_x000Dè"),
            ("plain", "plain"),
        ] {
            assert_eq!(unescaped(text), plain);
        }
    }
}
