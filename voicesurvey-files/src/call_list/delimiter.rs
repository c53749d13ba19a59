//! Finds out what stands between the cells of a CSV file.

use super::delimited::Delimited;
use super::source::RecordSource as _;
use super::{Progress, ReadLimits, heading};

/// What people's programs put between cells; the first when nothing else speaks for another.
const DELIMITERS: [u8; 4] = *b",;\t|";

/// How many rows are looked at.
const SAMPLE: usize = 20;

/// The delimiter of the text, and the text without the line in which Excel declares it (`sep=;`),
/// which no spreadsheet shows.
pub(super) fn find<'a>(text: &'a str, limits: &ReadLimits) -> (u8, &'a str) {
    declared(text).unwrap_or_else(|| (guessed(text, limits), text))
}

fn declared(text: &str) -> Option<(u8, &str)> {
    let (line, rest) = text.split_once('\n')?;
    match line
        .trim_end_matches('\r')
        .trim_matches('"')
        .strip_prefix("sep=")?
        .as_bytes()
    {
        [delimiter] if DELIMITERS.contains(delimiter) => Some((*delimiter, rest)),
        _ => None,
    }
}

/// The delimiter with which a row names a phone column, then the one with which the most rows are
/// equally wide, then the one that makes the most columns. Titles above the header are narrower.
fn guessed(text: &str, limits: &ReadLimits) -> u8 {
    let mut best = (DELIMITERS[0], Default::default());
    for delimiter in DELIMITERS {
        let fit = fit(text, delimiter, limits);
        if fit > best.1 {
            best = (delimiter, fit);
        }
    }
    best.0
}

fn fit(text: &str, delimiter: u8, limits: &ReadLimits) -> (bool, usize, usize) {
    let none = |_: &&[u8]| Progress::default();
    let Ok(mut rows) = Delimited::new(text.as_bytes(), none, delimiter, 0, *limits) else {
        return Default::default();
    };
    let rows = std::iter::from_fn(|| rows.next_record().ok().flatten()).take(SAMPLE);
    let rows: Vec<_> = rows.filter(|row| row.cells.len() > 1).collect();
    let as_wide = |width: usize| rows.iter().filter(|row| row.cells.len() == width).count();
    let widths = rows.iter().map(|row| row.cells.len());
    let Some(width) = widths.max_by_key(|width| (as_wide(*width), *width)) else {
        return Default::default();
    };
    let names_phone = rows
        .iter()
        .any(|row| row.cells.iter().any(|cell| heading::is_phone_number(cell)));
    (names_phone, as_wide(width), width)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(text: &str) -> (u8, &str) {
        super::find(text, &ReadLimits::default())
    }

    #[test]
    fn each_delimiter_is_recognised() {
        for delimiter in [",", ";", "\t", "|"] {
            let text = ["name", "phone", "note"].join(delimiter)
                + "\n"
                + &["Ada", "+39 347", "a"].join(delimiter);
            assert_eq!(find(&text), (delimiter.as_bytes()[0], text.as_str()));
        }
    }

    #[test]
    fn the_header_decides_when_cells_are_full_of_commas() {
        let text = "nome;telefono;note\nAda;347;a, b, c\nBea;348;d, e, f\n";
        assert_eq!(find(text).0, b';');
        let text = "\"nome, cognome\"|telefono\n\"a, b\"|1\n\"c, d\"|2\n";
        assert_eq!(find(text).0, b'|');
    }

    #[test]
    fn rows_decide_when_the_header_says_nothing() {
        assert_eq!(find("a;b,c;d\n1;2;3\n4;5;6\n").0, b';');
        assert_eq!(find("alone\n1\n2\n").0, b',');
        assert_eq!(find("").0, b',');
    }

    #[test]
    fn a_declaration_is_obeyed_and_left_out() {
        assert_eq!(find("sep=;\r\nphone;a,b,c\r\n"), (b';', "phone;a,b,c\r\n"));
        assert_eq!(find("\"sep=|\"\nphone|a\n"), (b'|', "phone|a\n"));
        assert_eq!(find("sep=x\nphone,a\n"), (b',', "sep=x\nphone,a\n"));
    }
}
