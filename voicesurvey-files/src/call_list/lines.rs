//! Text with one person in each line: `+39 347 1234567`, `Mario Rossi - 347 1234567`.
//!
//! The number is taken out of the line only where it is certain where it begins and ends; otherwise
//! the whole line is what stands in the phone column, and the row is an error that shows it.

use std::io::Read;

use voicesurvey_core::blank::{is_blank_character, trimmed};

use super::columns::Columns;
use super::layout::Layout;
use super::source::{Measure, Record, RecordSource};
use super::{CallListError, FoundBy, Progress, ReadSettings};

const CHUNK: usize = 64 * 1024;

/// Digits that make a number; fewer are a house number or an age.
const FEWEST_DIGITS: usize = 7;

/// Rows of a number and a name, made of lines.
pub(super) struct Lines<T> {
    text: T,
    progress: fn(&T) -> Progress,
    settings: ReadSettings,
    measure: Measure,
    input: Vec<u8>,
    taken: usize,
    row: u64,
}

impl<T: Read> Lines<T> {
    pub(super) fn new(text: T, progress: fn(&T) -> Progress, settings: &ReadSettings) -> Self {
        Self {
            text,
            progress,
            settings: settings.clone(),
            measure: Measure::new(settings.limits),
            input: Vec::new(),
            taken: 0,
            row: 0,
        }
    }

    /// The next line without its end; `None` at the end of the text.
    fn next_line(&mut self) -> Result<Option<String>, CallListError> {
        let most = 4 * self.measure.limits().max_cell_characters;
        let mut line = Vec::new();
        loop {
            if self.taken == self.input.len() {
                self.input.resize(CHUNK, 0);
                let length = self.text.read(&mut self.input)?;
                self.input.truncate(length);
                self.taken = 0;
                if length == 0 {
                    return Ok((!line.is_empty()).then(|| lossy(&line)));
                }
            }
            let rest = &self.input[self.taken..];
            let end = rest.iter().position(|byte| *byte == b'\n');
            line.extend_from_slice(&rest[..end.unwrap_or(rest.len())]);
            self.taken += end.map_or(rest.len(), |end| end + 1);
            if end.is_some() {
                return Ok(Some(lossy(&line)));
            }
            if line.len() > most {
                return Err(CallListError::CellTooLong {
                    row: self.row + 1,
                    limit: self.measure.limits().max_cell_characters,
                });
            }
        }
    }
}

fn lossy(line: &[u8]) -> String {
    trimmed(&String::from_utf8_lossy(line)).to_owned()
}

impl<T: Read + Send> RecordSource for Lines<T> {
    fn next_record(&mut self) -> Result<Option<Record>, CallListError> {
        while let Some(line) = self.next_line()? {
            self.row += 1;
            let (number, name) = split(&line, &self.settings).unwrap_or((&line, String::new()));
            let record = Record {
                row: self.row,
                cells: vec![number.to_owned(), name],
                numbers: Vec::new(),
            };
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

/// The two columns that are made of lines.
pub(super) fn layout(sample: &[Record], settings: &ReadSettings) -> Result<Layout, CallListError> {
    Ok(Layout {
        header: None,
        columns: Columns::without_header(0, FoundBy::Cells, sample, settings)?,
    })
}

/// Whether at least half of the lines have a number, and one does.
pub(super) fn is_likely(text: &str, settings: &ReadSettings) -> bool {
    let lines: Vec<&str> = text
        .lines()
        .map(trimmed)
        .filter(|line| !line.is_empty())
        .take(200)
        .collect();
    let read = lines.iter().filter(|line| split(line, settings).is_some());
    let read = read.count();
    read > 0 && 2 * read >= lines.len()
}

/// The number of a line, and the name before or after it.
fn split<'a>(line: &'a str, settings: &ReadSettings) -> Option<(&'a str, String)> {
    let (start, end) = number_in(line)?;
    let number = &line[start..end];
    if !is_certain(line, start, end, settings) {
        return None;
    }
    let name = |part: &'a str| match part.trim_matches(is_between) {
        name if name.contains(char::is_alphanumeric) => name,
        _ => "",
    };
    let (before, after) = (name(&line[..start]), name(&line[end..]));
    let name = match (before, after) {
        (name, "") | ("", name) => name.to_owned(),
        (before, after) => format!("{before}, {after}"),
    };
    Some((number, name))
}

fn is_in_number(character: char) -> bool {
    character.is_ascii_digit()
        || matches!(
            character,
            ' ' | '\u{a0}' | '(' | ')' | '.' | '/' | '-' | '+'
        )
}

fn is_between(character: char) -> bool {
    is_blank_character(character)
        || matches!(character, '-' | '–' | '—' | ':' | ';' | ',' | '=' | '|')
}

/// Where the only number of the line is.
fn number_in(line: &str) -> Option<(usize, usize)> {
    let mut runs = runs(line).filter(|(start, end)| {
        let digits = line[*start..*end].bytes().filter(u8::is_ascii_digit);
        digits.count() >= FEWEST_DIGITS
    });
    let (start, end) = runs.next()?;
    // Which of two is to be dialed nobody can know.
    if runs.next().is_some() {
        return None;
    }
    Some((start, end))
}

/// Whether the number is one, and what stands at its edges is part of it: `Scala 2 347 1234567` is
/// no number of 2347. A prefix that may be left out, as the Russian 8, makes no difference.
fn is_certain(line: &str, start: usize, end: usize, settings: &ReadSettings) -> bool {
    let number = &line[start..end];
    let tokens: Vec<&str> = number.split([' ', '\u{a0}']).collect();
    let before = line[..start].trim_end_matches(' ');
    let after = line[end..].trim_start_matches(' ');
    let begins_clearly = !before.ends_with(char::is_alphanumeric)
        || number.starts_with(['+', '(', '0'])
        || tokens.first().is_some_and(|token| token.len() >= 3);
    let ends_clearly = !after.starts_with(char::is_alphanumeric)
        || !matches!(tokens[..], [.., previous, last] if last.len() <= 2 && previous.len() >= 4);
    let whole = settings.numbers(number, false);
    let is_same = |part: Option<(&str, &str)>, is_first: bool| {
        let rest = part.map(|(first, second)| if is_first { second } else { first });
        let rest = rest.and_then(|rest| settings.numbers(rest, false));
        rest.is_none() || rest == whole
    };
    whole.is_some()
        && (begins_clearly || is_same(number.split_once([' ', '\u{a0}']), true))
        && (ends_clearly || is_same(number.rsplit_once([' ', '\u{a0}']), false))
}

/// The parts of the line that have only what numbers are written with, without what divides them
/// from a name.
fn runs(line: &str) -> impl Iterator<Item = (usize, usize)> {
    let mut place = 0;
    std::iter::from_fn(move || {
        let start = place + line[place..].find(is_in_number)?;
        let length = line[start..].find(|character| !is_in_number(character));
        let end = length.map_or(line.len(), |length| start + length);
        place = end;
        let is_edge = |character| is_between(character) || matches!(character, '.' | '/');
        let run = line[start..end].trim_end_matches(|c| is_edge(c) || c == '(');
        let trimmed = run.trim_start_matches(|c| is_edge(c) || c == ')');
        let start = start + run.len() - trimmed.len();
        Some((start, start + trimmed.len()))
    })
}

#[cfg(test)]
mod tests {
    use voicesurvey_core::phone_number::Region;

    use super::*;

    fn italian() -> ReadSettings {
        ReadSettings::new(Region::IT)
    }

    fn split(line: &str) -> Option<(&str, String)> {
        super::split(line, &italian())
    }

    #[test]
    fn a_number_is_taken_out_of_its_line() {
        for (line, number, name) in [
            ("+39 347 1234567", "+39 347 1234567", ""),
            ("Mario Rossi - 347 1234567", "347 1234567", "Mario Rossi"),
            ("Mario Rossi 347-1234567", "347-1234567", "Mario Rossi"),
            ("347 1234567 Mario Rossi", "347 1234567", "Mario Rossi"),
            ("(02) 12345678 - Bar 2", "(02) 12345678", "Bar 2"),
            ("Rossi, Mario: 06 12345678", "06 12345678", "Rossi, Mario"),
            (
                "Rossi (Roma) +39 06 12345678.",
                "+39 06 12345678",
                "Rossi (Roma)",
            ),
            (
                "Ада Лавлейс — +7 999 123-45-67",
                "+7 999 123-45-67",
                "Ада Лавлейс",
            ),
            ("Scala 2, 347 1234567", "347 1234567", "Scala 2"),
            ("Ada\u{a0}347\u{a0}1234567", "347\u{a0}1234567", "Ada"),
        ] {
            assert_eq!(split(line), Some((number, name.to_owned())), "{line}");
        }
    }

    #[test]
    fn what_is_not_certain_is_left_in_its_line() {
        for line in [
            "",
            "Mario Rossi",
            "Scala 2 347 1234567",
            "347 1234567 2 piano",
            "Ada 347 1234567 o 348 7654321",
            "Fattura 12345678901234567890",
            "nato il 1.1.1970",
        ] {
            assert_eq!(split(line), None, "{line}");
        }
        let russian = ReadSettings::new(Region::RU);
        let line = "Пётр Сидоров 8 999 123-45-67";
        let number = super::split(line, &russian).map(|(number, _)| number);
        assert_eq!(number, Some("8 999 123-45-67"));
        assert!(!is_likely("Mario\nLuigi\n", &italian()));
        assert!(!is_likely("", &italian()));
        assert!(is_likely("Ada 347 1234567\n\nBea - nessuno\n", &italian()));
    }
}
