//! Rows that were lost in a cell.
//!
//! A cell may begin with a quotation mark that opens nothing, as that of `"Da Mario" Bar` would
//! with the second one missing. Up to the next mark, which may be hundreds of rows below, everything
//! is one cell then, and nobody would miss the people in it. Cells with several lines are common,
//! though; what tells them apart is that the lines look like rows of the list.

use voicesurvey_core::blank::trimmed;

use super::source::Record;
use crate::cell;

/// Whether there are rows of a list of so many columns in a cell of the row: a line as wide as the
/// list with a phone number in it, or else lines that are together as wide as that many rows.
pub(super) fn has_rows(record: &Record, width: usize, delimiter: char) -> bool {
    let between = width.saturating_sub(1);
    let has_lines = |cell: &&String| trimmed(cell).contains(['\n', '\r']);
    if between == 0 || !record.cells.iter().any(|cell| has_lines(&cell)) {
        return false;
    }
    let delimiters = |text: &str| text.matches(delimiter).count();
    let cells = || record.cells.iter().filter(has_lines);
    let is_row = |line: &str| delimiters(line) == between && has_number(line, delimiter);
    let whole_rows = cells().any(|cell| {
        let mut lines: Vec<&str> = lines(cell).skip(1).collect();
        lines.pop();
        lines.into_iter().any(is_row)
    });
    let inside: usize = cells().map(|cell| delimiters(cell)).sum();
    let further: usize = cells().map(|cell| lines(cell).count() - 1).sum();
    let all = record.cells.len() - 1 + inside;
    let parts_of_rows = || {
        inside > 0
            && all == between * (further + 1)
            && cells().any(|cell| has_number(cell, delimiter))
    };
    whole_rows || parts_of_rows()
}

fn lines(cell: &str) -> impl Iterator<Item = &str> {
    let cell = trimmed(cell);
    let end = if cell.contains('\n') { '\n' } else { '\r' };
    cell.split(end)
}

/// Whether one of the pieces between delimiters and line ends is a phone number.
fn has_number(text: &str, delimiter: char) -> bool {
    let mut pieces = text.split([delimiter, '\n', '\r']);
    pieces.any(|piece| cell::looks_like_a_phone_number(piece.trim_matches('"')))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn has_rows(cells: &[&str]) -> bool {
        let record = Record {
            row: 2,
            cells: cells.iter().map(|cell| (*cell).to_owned()).collect(),
            numbers: Vec::new(),
        };
        super::has_rows(&record, 3, ';')
    }

    #[test]
    fn rows_that_a_quotation_mark_has_swallowed_are_seen() {
        // Whole rows.
        assert!(has_rows(&[
            "Da Mario Bar;347 1234567;x\r\nBea;347 1234568;y\r\nCarla",
            "347 1234569",
            "z"
        ]));
        // The end of one and the beginning of the next.
        assert!(has_rows(&[
            "Da Mario Bar;347 1234567;x\nBea",
            "347 1234568",
            "y"
        ]));
        assert!(has_rows(&["Ada", "347 1234567", "x\nBea;347 1234568;y"]));
    }

    #[test]
    fn texts_of_several_lines_are_texts() {
        for cells in [
            ["Ada", "347 1234567", "Via Roma, 1\n00100 Roma"],
            ["Ada", "347 1234567", "rings at noon;\nor at 5; or never"],
            ["Ada", "347 1234567\n06 12345678", "both; rather the first"],
            ["Ada", "347 1234567", "called 06 12345678;\nno answer"],
            ["Ada", "347 1234567\n", "a;b;c"],
        ] {
            assert!(!has_rows(&cells), "{cells:?}");
        }
    }
}
