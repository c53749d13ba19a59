//! Cells that a spreadsheet must not run.
//!
//! A spreadsheet takes a cell that begins with `=`, `+`, `-`, `@`, a tab or a line end for a
//! formula, and a formula can call other programs. So such a cell gets an apostrophe in front, the
//! spreadsheets' own mark for text, unless it has only what numbers are written with: a phone
//! number stays `+393471234567`, an amount stays `-12.50`. [`written`] puts the apostrophe there,
//! [`meant`] takes it away again when the file comes back.

use std::borrow::Cow;

use voicesurvey_core::blank::{is_blank_character, trimmed};

/// The cell as it goes into a file.
pub(crate) fn written(cell: &str) -> Cow<'_, str> {
    if begins_a_formula(cell) && !is_written_like_a_number(cell) {
        Cow::Owned(format!("'{cell}"))
    } else {
        Cow::Borrowed(cell)
    }
}

/// The cell of a file as it was meant: without what is blank around it and without the mark for text.
pub(crate) fn meant(cell: &str) -> &str {
    let cell = without_formula(trimmed(cell));
    match cell.strip_prefix('\'') {
        Some(text) if begins_a_formula(text) => trimmed(text),
        _ => cell,
    }
}

/// What programs write as `="0347"`, so that a spreadsheet keeps the zero.
fn without_formula(cell: &str) -> &str {
    cell.strip_prefix("=\"")
        .and_then(|cell| cell.strip_suffix('"'))
        .filter(|text| !text.contains('"'))
        .map_or(cell, trimmed)
}

/// Whether the text is a phone number as far as one can see without a numbering plan.
pub(crate) fn looks_like_a_phone_number(cell: &str) -> bool {
    let cell = meant(cell);
    let digits = cell.chars().filter(char::is_ascii_digit).count();
    let fits = |character: char| {
        character.is_ascii_digit()
            || is_blank_character(character)
            || matches!(
                character,
                '+' | '(' | ')' | '.' | '/' | '-' | '\u{2010}'..='\u{2015}'
            )
    };
    (7..=20).contains(&digits) && cell.chars().all(fits)
}

fn begins_a_formula(cell: &str) -> bool {
    // The wide forms are what East Asian keyboards type, and are read like the narrow ones.
    cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'])
}

/// Whether the cell is a sign, then digits and what stands between the digits of numbers. Without
/// letters no function and no other cell can be named.
fn is_written_like_a_number(cell: &str) -> bool {
    let Some(number) = cell.strip_prefix(['+', '-']) else {
        return false;
    };
    number.contains(|character: char| character.is_ascii_digit())
        && number.chars().all(|character| {
            character.is_ascii_digit()
                || matches!(character, ' ' | '(' | ')' | '.' | ',' | '/' | '-')
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_are_marked_as_text() {
        for cell in [
            "=1+1",
            "=HYPERLINK(\"http://x\",\"y\")",
            "+cmd|' /C calc'!A0",
            "-2+3+cmd|' /C calc'!A0",
            "@SUM(A1:A9)",
            "\t=1",
            "\r=1",
            "\n=1",
            "＝1+1",
            "-",
            "+39 347 abc",
            "- non richiamare",
        ] {
            assert_eq!(written(cell), format!("'{cell}"));
        }
    }

    #[test]
    fn numbers_stay_as_they_are() {
        for cell in [
            "+393471234567",
            "+39 (347) 123-45.67",
            "+44/20 7946 0123",
            "-5",
            "-12.50",
            "-1.234,5",
            "0",
            "",
            "Zoë O'Brien",
            "a=b",
            "'=1",
        ] {
            assert_eq!(written(cell), cell);
        }
    }

    #[test]
    fn the_mark_is_taken_away_again() {
        for cell in [
            "=1+1",
            "@here",
            "-",
            "+393471234567",
            "-5",
            "'Ndrangheta",
            "d'Azeglio",
            "",
        ] {
            assert_eq!(meant(&written(cell)), cell);
        }
        assert_eq!(meant("=\"0347 1234567\""), "0347 1234567");
        assert_eq!(meant("=\"a\"&\"b\""), "=\"a\"&\"b\"");
        assert_eq!(meant(" '+39 347 1234567 "), "+39 347 1234567");
    }

    #[test]
    fn phone_numbers_are_told_from_other_cells() {
        for cell in [
            "+39 347 123 4567",
            "(0039) 347/123-4567",
            "347.1234567",
            "'+447700900123",
        ] {
            assert!(looks_like_a_phone_number(cell), "{cell}");
        }
        for cell in [
            "",
            "12",
            "Roma",
            "mobile",
            "3.93E+11",
            "123456789012345678901",
        ] {
            assert!(!looks_like_a_phone_number(cell), "{cell}");
        }
    }
}
