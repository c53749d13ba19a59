//! How a call list is to be read, and how large it may be.

use std::collections::BTreeMap;

use voicesurvey_core::phone_number::{PhoneNumber, Region};

use super::Role;

/// How a call list is to be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReadSettings {
    /// The region of numbers without country code, by which a column of numbers is recognised where
    /// no heading names it. Without it only numbers with a country code are.
    pub region: Option<Region>,
    /// Which column holds what, where the reader must not find out by itself. A column is named by
    /// its heading, its letter or its number counted from 1.
    pub mapping: BTreeMap<Role, String>,
    /// Whether the phone column is known to hold texts, in which a zero that is not there was never
    /// there: [`CallListReader::has_texts`](super::CallListReader::has_texts) of a reader of the same
    /// file that has come to its end.
    pub has_texts: bool,
    /// How large the list may be.
    pub limits: ReadLimits,
}

impl ReadSettings {
    /// Finds the columns by itself, within the usual limits.
    pub fn new(region: Region) -> Self {
        Self {
            region: Some(region),
            ..Self::default()
        }
    }

    /// The numbers of a cell, as far as that can be known without the rest of its row.
    pub(super) fn numbers(&self, cell: &str, is_numeric: bool) -> Option<Vec<PhoneNumber>> {
        // Most cells are none, and it takes time to ask the numbering plans.
        if cell.len() > 200 || cell.bytes().filter(u8::is_ascii_digit).count() < 5 {
            return None;
        }
        let region = match self.region {
            Some(region) => region,
            // With a country code the region does not matter.
            None if cell.contains('+') => Region::US,
            None => return None,
        };
        PhoneNumber::parse_cell(cell, region, is_numeric).ok()
    }
}

/// How large a call list may be. Each limit protects against a file that costs far more time or
/// memory than it is long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadLimits {
    /// Rows, without the header and without blank rows.
    pub max_rows: u64,
    /// Cells in one row.
    pub max_columns: usize,
    /// Cells in the whole file.
    pub max_cells: u64,
    /// Characters in one cell.
    pub max_cell_characters: usize,
    /// Bytes of one part of an Excel workbook, such as a sheet, once it is inflated.
    pub max_inflated_bytes: u64,
    /// How many times larger than in the file a part of an Excel workbook may be, beyond its first
    /// 64 MiB.
    pub max_inflation: u64,
    /// Bytes of texts that an Excel workbook keeps once for all its cells; they are held in memory.
    pub max_shared_text_bytes: usize,
    /// Bytes of an `.xls` file, which is held in memory.
    pub max_xls_bytes: u64,
}

impl Default for ReadLimits {
    /// 2 million rows of up to 200 columns, 100 million cells in all, of up to 32,767 characters,
    /// which is as many as Excel allows.
    fn default() -> Self {
        Self {
            max_rows: 2_000_000,
            max_columns: 200,
            max_cells: 100_000_000,
            max_cell_characters: 32_767,
            max_inflated_bytes: 2 << 30,
            max_inflation: 400,
            max_shared_text_bytes: 192 << 20,
            max_xls_bytes: 96 << 20,
        }
    }
}
