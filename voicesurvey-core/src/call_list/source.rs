//! Where the rows of a call list come from.
//!
//! A list is read twice, once to see that it can be read to its end, and once to add its people; so
//! nothing has to be undone because of a file that is broken in its last row, and nobody keeps the
//! list in memory. Who reads a file does it where it keeps nobody waiting, and makes the contacts
//! there too.

use std::fmt;
use std::sync::Arc;
use std::vec;

use async_trait::async_trait;

use super::{CallList, CallListRow, ReadRow, RowNumbers};
use crate::phone_number::Region;

/// Rows that are handed over at once.
const ROWS_AT_ONCE: usize = 5_000;

/// A call list that can be read from its beginning as often as needed.
#[async_trait]
pub trait CallListSource: fmt::Debug + Send + Sync {
    /// The name of the file.
    fn file_name(&self) -> &str;

    /// Begins to read; numbers without a country code are read in `region`.
    async fn open(&self, region: Region) -> Result<Box<dyn CallListRows>, UnreadableCallList>;

    /// Begins to read the phone numbers only, and all of each row. Without a region they need their
    /// country code.
    async fn open_numbers(
        &self,
        region: Option<Region>,
    ) -> Result<Box<dyn CallListRows<RowNumbers>>, UnreadableCallList>;
}

/// The rows of a call list, in their order.
#[async_trait]
pub trait CallListRows<T = ReadRow>: Send {
    /// The file's header, in its order.
    fn columns(&self) -> &[String];

    /// The next rows, some thousands at most. None at all means that there are no more.
    async fn next(&mut self) -> Result<Vec<T>, UnreadableCallList>;

    /// How much of the file was read, from 0 to 100.
    fn percent(&self) -> u8;
}

/// The file is no call list, or not to its end. The message says why, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct UnreadableCallList(pub String);

#[async_trait]
impl CallListSource for CallList {
    fn file_name(&self) -> &str {
        &self.file_name
    }

    async fn open(&self, region: Region) -> Result<Box<dyn CallListRows>, UnreadableCallList> {
        Ok(Box::new(self.rows_read(move |row| row.read(region))))
    }

    async fn open_numbers(
        &self,
        region: Option<Region>,
    ) -> Result<Box<dyn CallListRows<RowNumbers>>, UnreadableCallList> {
        Ok(Box::new(self.rows_read(move |row| row.numbers(region))))
    }
}

impl CallList {
    fn rows_read<T>(&self, read: impl Fn(&CallListRow) -> T + Send + 'static) -> RowsInMemory<T> {
        RowsInMemory {
            columns: self.columns.clone(),
            total: self.rows.len(),
            rows: self.rows.clone().into_iter(),
            read: Box::new(read),
        }
    }
}

impl From<CallList> for Arc<dyn CallListSource> {
    fn from(list: CallList) -> Self {
        Arc::new(list)
    }
}

struct RowsInMemory<T> {
    columns: Vec<String>,
    total: usize,
    rows: vec::IntoIter<CallListRow>,
    read: Box<dyn Fn(&CallListRow) -> T + Send>,
}

#[async_trait]
impl<T: Send> CallListRows<T> for RowsInMemory<T> {
    fn columns(&self) -> &[String] {
        &self.columns
    }

    async fn next(&mut self) -> Result<Vec<T>, UnreadableCallList> {
        let some = self.rows.by_ref().take(ROWS_AT_ONCE);
        Ok(some.map(|row| (self.read)(&row)).collect())
    }

    fn percent(&self) -> u8 {
        let read = self.total - self.rows.len();
        // OK because it is at most 100.
        u8::try_from(read * 100 / self.total.max(1)).unwrap_or(100)
    }
}
