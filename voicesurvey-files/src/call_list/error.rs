//! Why a file cannot be read as a call list.

/// Why a file cannot be read as a call list. Faults of single rows are not errors of the file.
///
/// The messages are for the person who chose the file: what is wrong, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallListError {
    /// The content is no CSV text.
    #[error(
        "Unsupported file format: this seems to be {seems_to_be}. Upload a CSV file: text in \
         UTF-8 with a comma, semicolon, tab or vertical bar between the columns. Spreadsheet \
         programs write it with \"Save as\", \"CSV UTF-8\""
    )]
    UnsupportedFormat {
        /// What it seems to be, such as `a PDF document`.
        seems_to_be: String,
    },
    /// No heading names the phone column.
    #[error(
        "Missing required columns: phone_number. Found: {}. Give the column with the numbers one \
         of the names phone_number, phone, mobile, telefono, cellulare, téléphone, teléfono, \
         Telefon, Handy or телефон",
        listed(found)
    )]
    MissingPhoneColumn {
        /// The headings, as they are written.
        found: Vec<String>,
    },
    /// The first row has numbers instead of names, and there is more than one column.
    #[error(
        "Missing required columns: phone_number. The first row holds a phone number where the \
         names of the columns are expected: put a row such as phone_number,name above it"
    )]
    MissingHeader,
    /// Nothing is in the file.
    #[error("The file is empty")]
    Empty,
    /// There is a header and nothing else.
    #[error("The file has a header and no rows: put one person in each row below the header")]
    HeaderOnly,
    /// More rows than allowed.
    #[error("The file has more than {limit} rows: split it and upload the parts")]
    TooManyRows {
        /// How many are allowed.
        limit: usize,
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
        limit: usize,
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
}

/// The headings in one line, however many and however long they are.
fn listed(headings: &[String]) -> String {
    const MOST: usize = 20;
    let mut listed: Vec<String> = headings
        .iter()
        .filter(|heading| !heading.trim().is_empty())
        .take(MOST)
        .map(|heading| heading.trim().chars().take(40).collect())
        .collect();
    if listed.is_empty() {
        return "no names at all".to_owned();
    }
    if headings.len() > MOST {
        listed.push("…".to_owned());
    }
    listed.join(", ")
}
