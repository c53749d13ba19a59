//! Why a file cannot be read as a call list.

use std::io;

use voicesurvey_core::blank::{is_blank, trimmed};

use super::Role;

/// Why a file cannot be read as a call list. Faults of single rows are not errors of the file.
///
/// The messages are for the person who chose the file: what is wrong, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallListError {
    /// The content is neither text nor a workbook.
    #[error(
        "Unsupported file format: this seems to be {seems_to_be}. Upload a CSV or text file or an \
         Excel workbook (.xlsx or .xls): spreadsheet programs write them with \"Save as\""
    )]
    UnsupportedFormat {
        /// What it seems to be, such as `a PDF document`.
        seems_to_be: String,
    },
    /// Neither a heading nor the cells tell which the phone column is.
    #[error(
        "Missing required columns: phone_number. Found: {}. Give the column with the numbers one \
         of the names phone_number, phone, mobile, telefono, cellulare, téléphone, teléfono, \
         Telefon, Handy or телефон, or say which it is with a mapping",
        listed(found)
    )]
    MissingPhoneColumn {
        /// The headings, as they are written.
        found: Vec<String>,
    },
    /// No heading names the phone column, and several columns have numbers.
    #[error(
        "Several columns may hold the phone number: {}. Give one of them the name phone_number, or \
         say which it is with a mapping",
        listed(found)
    )]
    AmbiguousPhoneColumn {
        /// Letter and heading of each.
        found: Vec<String>,
    },
    /// The mapping names a column that the file does not have.
    #[error(
        "The column '{column}', which is mapped to {role}, is not in the file. Found: {}",
        listed(found)
    )]
    UnknownColumn {
        /// What it is mapped to.
        role: Role,
        /// The column, as the mapping names it.
        column: String,
        /// The headings, as they are written.
        found: Vec<String>,
    },
    /// The mapping gives two roles to one column.
    #[error("The column '{column}' is mapped twice")]
    MappedTwice {
        /// The column, as the mapping names it.
        column: String,
    },
    /// Nothing is in the file.
    #[error("The file is empty")]
    Empty,
    /// There is a header and nothing else.
    #[error("The file has a header and no rows: put one person in each row below the header")]
    HeaderOnly,
    /// Every sheet that has something is hidden.
    #[error("All sheets of the workbook that are not hidden are empty: show the one with the list")]
    OnlyHiddenSheets,
    /// The workbook can be opened with a password only.
    #[error("The workbook is protected by a password: save it without one")]
    Protected,
    /// The file is not what it begins like, or is cut off.
    #[error(
        "The file is damaged and cannot be read: open it in a spreadsheet program, save it again \
         as .xlsx or CSV, and upload that"
    )]
    Damaged,
    /// The workbook is larger than allowed once it is unpacked.
    #[error("The workbook is too large: split it, or save it as CSV and upload that")]
    TooLarge,
    /// More rows than allowed.
    #[error("The file has more than {limit} rows: split it and upload the parts")]
    TooManyRows {
        /// How many are allowed.
        limit: u64,
    },
    /// A row with more cells than allowed.
    #[error("Row {row} has more than {limit} columns: delete those that are not needed")]
    TooManyColumns {
        /// The row.
        row: u64,
        /// How many are allowed.
        limit: usize,
    },
    /// More cells than allowed.
    #[error(
        "The file has more than {limit} cells: delete columns that are not needed, or split it"
    )]
    TooManyCells {
        /// How many are allowed.
        limit: u64,
    },
    /// A cell longer than allowed.
    #[error(
        "Row {row} has a cell of more than {limit} characters. Often a quotation mark that is \
         never closed makes one cell of many rows"
    )]
    CellTooLong {
        /// The row.
        row: u64,
        /// How many characters are allowed.
        limit: usize,
    },
    /// The last row ends within quotation marks, and has swallowed those after it.
    #[error("Row {row} has a quotation mark that is never closed, so the rows after it are lost")]
    UnclosedQuote {
        /// The row.
        row: u64,
    },
    /// Quotation marks make a cell of several rows of the list.
    #[error(
        "Row {row} has a quotation mark that makes one cell of several rows, so people are lost in \
         it: remove the mark, or double it if it belongs to the text"
    )]
    SwallowedRows {
        /// The row in which the cell begins.
        row: u64,
    },
    /// The file itself could not be read, whatever is in it.
    #[error("The file could not be read: {0}")]
    Unreadable(String),
}

impl CallListError {
    pub(super) fn unsupported(seems_to_be: &str) -> Self {
        Self::UnsupportedFormat {
            seems_to_be: seems_to_be.to_owned(),
        }
    }
}

impl From<io::Error> for CallListError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::FileTooLarge => Self::TooLarge,
            io::ErrorKind::InvalidData
            | io::ErrorKind::InvalidInput
            | io::ErrorKind::UnexpectedEof
            | io::ErrorKind::Other => Self::Damaged,
            _ => Self::Unreadable(error.to_string()),
        }
    }
}

/// The headings in one line, however many and however long they are.
fn listed(headings: &[String]) -> String {
    const MOST: usize = 20;
    let mut listed: Vec<String> = headings
        .iter()
        .filter(|heading| !is_blank(heading))
        .take(MOST)
        .map(|heading| trimmed(heading).chars().take(40).collect())
        .collect();
    if listed.is_empty() {
        return "no names at all".to_owned();
    }
    if headings.len() > MOST {
        listed.push("…".to_owned());
    }
    listed.join(", ")
}
