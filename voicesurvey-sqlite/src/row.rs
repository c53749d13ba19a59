//! Reading rows: every column by name, and a row that cannot be read is an error that says why.

use serde::de::DeserializeOwned;
use serde::de::value::{Error as WordError, StrDeserializer};
use sqlx::sqlite::SqliteRow;
use sqlx::{Decode, Row as _, Sqlite, Type};
use uuid::Uuid;
use voicesurvey_core::ports::StorageError;
use voicesurvey_core::time::Timestamp;

/// A row with the name of its table, for errors.
pub(crate) struct Row<'r> {
    row: &'r SqliteRow,
    table: &'static str,
}

impl<'r> Row<'r> {
    pub(crate) fn new(row: &'r SqliteRow, table: &'static str) -> Self {
        Self { row, table }
    }

    /// Says that the row cannot be read.
    pub(crate) fn corrupt(&self, what: impl Into<String>) -> StorageError {
        StorageError::Corrupt {
            table: self.table,
            what: what.into(),
        }
    }

    /// A column that the driver can decode by itself. Numbers that do not fit are errors.
    pub(crate) fn get<T>(&self, column: &str) -> Result<T, StorageError>
    where
        T: Decode<'r, Sqlite> + Type<Sqlite>,
    {
        self.row
            .try_get(column)
            .map_err(|error| self.corrupt(error.to_string()))
    }

    pub(crate) fn id<I: From<Uuid>>(&self, column: &str) -> Result<I, StorageError> {
        self.get::<Uuid>(column).map(I::from)
    }

    pub(crate) fn optional_id<I: From<Uuid>>(
        &self,
        column: &str,
    ) -> Result<Option<I>, StorageError> {
        Ok(self.get::<Option<Uuid>>(column)?.map(I::from))
    }

    pub(crate) fn instant(&self, column: &str) -> Result<Timestamp, StorageError> {
        self.instant_of(column, self.get(column)?)
    }

    pub(crate) fn optional_instant(&self, column: &str) -> Result<Option<Timestamp>, StorageError> {
        self.get::<Option<i64>>(column)?
            .map(|at| self.instant_of(column, at))
            .transpose()
    }

    /// A value that is stored as one word, such as a status, a language or a phone number.
    pub(crate) fn word<T: DeserializeOwned>(&self, column: &str) -> Result<T, StorageError> {
        self.word_of(column, self.get(column)?)
    }

    /// A text that stands for something.
    pub(crate) fn parsed<T>(&self, column: &str) -> Result<T, StorageError>
    where
        T: std::str::FromStr<Err: std::fmt::Display>,
    {
        let text: &str = self.get(column)?;
        text.parse()
            .map_err(|error| self.corrupt(format!("{column}: {error}")))
    }

    pub(crate) fn optional_word<T: DeserializeOwned>(
        &self,
        column: &str,
    ) -> Result<Option<T>, StorageError> {
        self.get::<Option<&str>>(column)?
            .map(|word| self.word_of(column, word))
            .transpose()
    }

    /// A value that is stored as JSON.
    pub(crate) fn document<T: DeserializeOwned>(&self, column: &str) -> Result<T, StorageError> {
        self.document_of(column, self.get(column)?)
    }

    pub(crate) fn optional_document<T: DeserializeOwned>(
        &self,
        column: &str,
    ) -> Result<Option<T>, StorageError> {
        self.get::<Option<&str>>(column)?
            .map(|text| self.document_of(column, text))
            .transpose()
    }

    fn instant_of(&self, column: &str, at: i64) -> Result<Timestamp, StorageError> {
        Timestamp::from_timestamp_micros(at)
            .ok_or_else(|| self.corrupt(format!("{column}: {at} is no instant")))
    }

    fn word_of<T: DeserializeOwned>(&self, column: &str, word: &str) -> Result<T, StorageError> {
        T::deserialize(StrDeserializer::<WordError>::new(word))
            .map_err(|error| self.corrupt(format!("{column}: {error}")))
    }

    fn document_of<T: DeserializeOwned>(
        &self,
        column: &str,
        text: &str,
    ) -> Result<T, StorageError> {
        serde_json::from_str(text).map_err(|error| self.corrupt(format!("{column}: {error}")))
    }
}

/// An instant as it is stored: microseconds since 1970.
pub(crate) fn micros(at: Timestamp) -> i64 {
    at.timestamp_micros()
}

/// A document as it is stored: JSON text.
pub(crate) fn json(document: &impl serde::Serialize) -> Result<String, StorageError> {
    serde_json::to_string(document).map_err(|error| StorageError::Failed(Box::new(error)))
}

/// Reads all rows as `T`.
pub(crate) fn read_all<T>(
    rows: &[SqliteRow],
    read: impl Fn(&SqliteRow) -> Result<T, StorageError>,
) -> Result<Vec<T>, StorageError> {
    rows.iter().map(read).collect()
}

#[cfg(test)]
mod tests {
    use voicesurvey_core::outcome::Outcome;
    use voicesurvey_core::phone_number::PhoneNumber;

    use super::*;

    async fn row_of(sql: &'static str) -> SqliteRow {
        use sqlx::{ConnectOptions as _, Executor as _};
        let options = sqlx::sqlite::SqliteConnectOptions::new().in_memory(true);
        let mut connection = options.connect().await.unwrap();
        connection.fetch_one(sql).await.unwrap()
    }

    #[tokio::test]
    async fn words_are_read_by_their_names() {
        let row = row_of("SELECT 'no_answer' AS outcome, '+393471234567' AS phone_number").await;
        let row = Row::new(&row, "samples");
        assert_eq!(row.word::<Outcome>("outcome").unwrap(), Outcome::NoAnswer);
        let number = row.word::<PhoneNumber>("phone_number").unwrap();
        assert_eq!(number.as_str(), "+393471234567");
    }

    #[tokio::test]
    async fn what_cannot_be_read_is_corrupt_and_says_where() {
        let row = row_of("SELECT 'nonsense' AS outcome, 70000 AS repeats, x'01' AS id").await;
        let row = Row::new(&row, "samples");
        let errors = [
            row.word::<Outcome>("outcome").unwrap_err(),
            row.get::<u16>("repeats").unwrap_err(),
            row.id::<Uuid>("id").unwrap_err(),
            row.instant("missing").unwrap_err(),
        ];
        for error in errors {
            assert!(
                matches!(
                    error,
                    StorageError::Corrupt {
                        table: "samples",
                        ..
                    }
                ),
                "{error:?}"
            );
        }
    }
}
