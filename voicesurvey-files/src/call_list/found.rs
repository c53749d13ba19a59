//! What the reader has made of a file, so that people can see it before anything is stored.

use super::Role;

/// What the reader has found out about a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The form the file has, whatever its name says.
    pub format: Format,
    /// How its text is encoded, such as `UTF-8`; `None` for a workbook.
    pub encoding: Option<String>,
    /// What stands between the cells; `None` for a workbook and for lines.
    pub delimiter: Option<char>,
    /// The sheet that is read; `None` for text.
    pub sheet: Option<String>,
    /// The other sheets, and why they are not read.
    pub other_sheets: Vec<OtherSheet>,
    /// What stands above the header and is not read: titles, dates, notes.
    pub rows_above_header: Vec<String>,
    /// The row of the header as a spreadsheet shows it; `None` when the file has none.
    pub header_row: Option<u64>,
    /// Each column in its order.
    pub columns: Vec<FoundColumn>,
}

/// The form of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Text with something between the cells of a row.
    Csv,
    /// Text with one person in each line: a number, and perhaps a name before or after it.
    Lines,
    /// An Excel workbook since 2007.
    Xlsx,
    /// An Excel workbook until 2003.
    Xls,
}

impl Format {
    /// The name in an answer of the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Lines => "lines",
            Self::Xlsx => "xlsx",
            Self::Xls => "xls",
        }
    }
}

/// A sheet of a workbook that is not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OtherSheet {
    /// Its name.
    pub name: String,
    /// Why it is not read: `hidden`, `empty`, or `further` for one after the sheet that is read.
    pub reason: &'static str,
}

/// One column of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundColumn {
    /// Its letter in a spreadsheet: `A`, `B`, … `AA`.
    pub letter: String,
    /// Its heading, or a name made for it.
    pub name: String,
    /// What it holds; `None` when it is kept as it is.
    pub role: Option<Role>,
    /// How that was found out; `None` when it is kept as it is.
    pub found_by: Option<FoundBy>,
}

/// How it was found out what a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FoundBy {
    /// By the mapping.
    Mapping,
    /// By its heading.
    Heading,
    /// By what stands in its cells.
    Cells,
}

impl FoundBy {
    /// The name in an answer of the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Mapping => "mapping",
            Self::Heading => "heading",
            Self::Cells => "cells",
        }
    }
}

/// How far a file has been read, in bytes; the numbers only tell a share of the whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Bytes that were read.
    pub read: u64,
    /// Bytes that there are.
    pub total: u64,
}

/// The letter of a column in a spreadsheet; the first is 0.
pub(super) fn letter(column: usize) -> String {
    let mut letters = Vec::new();
    let mut rest = column + 1;
    while rest > 0 {
        // OK because the remainder is less than 26.
        letters.push(b'A' + u8::try_from((rest - 1) % 26).unwrap_or_default());
        rest = (rest - 1) / 26;
    }
    letters.into_iter().rev().map(char::from).collect()
}

/// The column that a spreadsheet gives this letter; `None` when it is none.
pub(super) fn column_of(letters: &str) -> Option<usize> {
    if letters.is_empty() || letters.len() > 3 {
        return None;
    }
    letters
        .bytes()
        .try_fold(0, |column, letter| {
            let letter = letter.to_ascii_uppercase();
            letter
                .is_ascii_uppercase()
                .then(|| column * 26 + usize::from(letter - b'A') + 1)
        })
        .map(|column| column - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_have_the_letters_of_spreadsheets() {
        for (column, letters) in [(0, "A"), (25, "Z"), (26, "AA"), (701, "ZZ"), (702, "AAA")] {
            assert_eq!(letter(column), letters);
            assert_eq!(column_of(letters), Some(column));
        }
        assert_eq!(column_of("b"), Some(1));
        for text in ["", "A1", "ABCD", "è"] {
            assert_eq!(column_of(text), None, "{text}");
        }
    }
}
