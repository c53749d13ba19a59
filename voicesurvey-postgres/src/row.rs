//! Reading rows: the only way from columns to entities.
//!
//! What does not fit is [`StorageError::Corrupt`], with the table and the column, and never
//! skipped.

use std::fmt::Display;
use std::str::FromStr;

use serde::de::DeserializeOwned;
use sqlx::postgres::PgRow;
use sqlx::types::Json;
use sqlx::{Decode, Postgres, Row as _, Type};
use uuid::Uuid;
use voicesurvey_core::ports::StorageError;
use voicesurvey_core::time::Timestamp;

/// One row of a table, read column by column.
#[derive(Clone, Copy)]
pub(crate) struct Reader<'r> {
    table: &'static str,
    row: &'r PgRow,
}

impl<'r> Reader<'r> {
    pub(crate) const fn new(table: &'static str, row: &'r PgRow) -> Self {
        Self { table, row }
    }

    /// The error for a row whose columns contradict each other.
    pub(crate) fn corrupt(&self, what: &dyn Display) -> StorageError {
        StorageError::Corrupt {
            table: self.table,
            what: what.to_string(),
        }
    }

    fn unreadable(&self, column: &str, why: &dyn Display) -> StorageError {
        self.corrupt(&format!("{column}: {why}"))
    }

    /// A column whose type is the database's own.
    pub(crate) fn get<T>(&self, column: &str) -> Result<T, StorageError>
    where
        T: Decode<'r, Postgres> + Type<Postgres>,
    {
        self.row
            .try_get(column)
            .map_err(|error| self.unreadable(column, &error))
    }

    /// An identifier.
    pub(crate) fn id<I: From<Uuid>>(&self, column: &str) -> Result<I, StorageError> {
        self.get::<Uuid>(column).map(I::from)
    }

    /// An identifier that may be absent.
    pub(crate) fn optional_id<I: From<Uuid>>(
        &self,
        column: &str,
    ) -> Result<Option<I>, StorageError> {
        Ok(self.get::<Option<Uuid>>(column)?.map(I::from))
    }

    /// An instant that may be absent.
    pub(crate) fn instant(&self, column: &str) -> Result<Option<Timestamp>, StorageError> {
        self.get(column)
    }

    /// A `bigint` that holds a smaller or unsigned number.
    pub(crate) fn number<T: TryFrom<i64>>(&self, column: &str) -> Result<T, StorageError> {
        let number: i64 = self.get(column)?;
        T::try_from(number).map_err(|_| self.unreadable(column, &format!("{number} is too large")))
    }

    /// A `smallint` that holds a byte.
    pub(crate) fn byte(&self, column: &str) -> Result<u8, StorageError> {
        let number: i16 = self.get(column)?;
        u8::try_from(number).map_err(|error| self.unreadable(column, &error))
    }

    /// A `smallint` that holds a byte and may be absent.
    pub(crate) fn optional_byte(&self, column: &str) -> Result<Option<u8>, StorageError> {
        if self.get::<Option<i16>>(column)?.is_none() {
            return Ok(None);
        }
        self.byte(column).map(Some)
    }

    /// A text that stands for something.
    pub(crate) fn parsed<T>(&self, column: &str) -> Result<T, StorageError>
    where
        T: FromStr<Err: Display>,
    {
        self.get::<&str>(column)?
            .parse()
            .map_err(|error| self.unreadable(column, &error))
    }

    /// A text that stands for something and may be absent.
    pub(crate) fn optional_parsed<T>(&self, column: &str) -> Result<Option<T>, StorageError>
    where
        T: FromStr<Err: Display>,
    {
        let Some(text) = self.get::<Option<&str>>(column)? else {
            return Ok(None);
        };
        text.parse()
            .map(Some)
            .map_err(|error| self.unreadable(column, &error))
    }

    /// A name, looked up by `from_name`.
    pub(crate) fn named<T>(
        &self,
        column: &str,
        from_name: impl Fn(&str) -> Option<T>,
    ) -> Result<T, StorageError> {
        let name: &str = self.get(column)?;
        from_name(name).ok_or_else(|| self.unreadable(column, &format!("'{name}' is no name")))
    }

    /// A name that may be absent, looked up by `from_name`.
    pub(crate) fn optional_named<T>(
        &self,
        column: &str,
        from_name: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, StorageError> {
        if self.get::<Option<&str>>(column)?.is_none() {
            return Ok(None);
        }
        self.named(column, from_name).map(Some)
    }

    /// A document.
    pub(crate) fn document<T: DeserializeOwned + 'static>(
        &self,
        column: &str,
    ) -> Result<T, StorageError> {
        self.get::<Json<T>>(column).map(|document| document.0)
    }

    /// A document that may be absent.
    pub(crate) fn optional_document<T: DeserializeOwned + 'static>(
        &self,
        column: &str,
    ) -> Result<Option<T>, StorageError> {
        Ok(self
            .get::<Option<Json<T>>>(column)?
            .map(|document| document.0))
    }
}
