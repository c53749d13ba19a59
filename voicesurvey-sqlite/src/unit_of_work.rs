//! One transaction with its scope; every repository is implemented for it, one file each.
//!
//! Guards two things. Rows of other companies are not written (I11). And after a statement failed
//! nothing more is done or committed: SQLite undoes only that statement, or on a full disk the
//! whole transaction without a word, and would carry on with half of the work.

use async_trait::async_trait;
use sea_query::SqliteQueryBuilder;
use sea_query_sqlx::{SqlxBinder, SqlxValues};
use sqlx::query::Query;
use sqlx::sqlite::{SqlitePool, SqliteRow};
use sqlx::{AssertSqlSafe, Execute, Sqlite, Transaction};
use voicesurvey_core::id::CompanyId;
use voicesurvey_core::number_keys::NumberKeys;
use voicesurvey_core::ports::{
    ApiKeyRepository, CallAttemptRepository, CallListRepository, CallRollupRepository,
    CallTaskRepository, CampaignRepository, CompanyRepository, ContactRecordRepository,
    ErasureRepository, EventRepository, ExclusionRepository, ExportRepository, InterviewRepository,
    RetentionRepository, Scope, SkillbaseRepository, StorageError, UnitOfWork,
};

use crate::error::{conflict, storage_error};

/// A unit of work, or one of the queue's own transactions.
pub(crate) struct SqliteUnitOfWork {
    transaction: Transaction<'static, Sqlite>,
    pub(crate) scope: Scope,
    /// For what remains of erased numbers.
    pub(crate) keys: NumberKeys,
    has_failed: bool,
}

/// Nothing more can be done in this unit of work.
#[derive(Debug, thiserror::Error)]
#[error("an earlier statement of this unit of work failed, so nothing of it is committed")]
struct HasFailed;

impl SqliteUnitOfWork {
    /// Waits for the writing connection and locks the database for writing.
    pub(crate) async fn begin(writer: &SqlitePool, scope: Scope) -> Result<Self, StorageError> {
        let transaction = writer.begin_with("BEGIN IMMEDIATE").await;
        Self::of(transaction, scope)
    }

    /// Begins on a connection that only looks: it sees what was committed before its first statement,
    /// and whoever writes is not kept from it.
    pub(crate) async fn begin_reading(
        readers: &SqlitePool,
        scope: Scope,
    ) -> Result<Self, StorageError> {
        Self::of(readers.begin().await, scope)
    }

    fn of(
        transaction: Result<Transaction<'static, Sqlite>, sqlx::Error>,
        scope: Scope,
    ) -> Result<Self, StorageError> {
        Ok(Self {
            transaction: transaction.map_err(storage_error)?,
            scope,
            keys: NumberKeys::default(),
            has_failed: false,
        })
    }

    /// Refuses rows that do not belong to the scope.
    pub(crate) fn must_cover(&self, company_id: CompanyId) -> Result<(), StorageError> {
        match self.scope {
            Scope::Company(own) if own != company_id => {
                Err(conflict("the row belongs to another company"))
            }
            Scope::Company(_) | Scope::Platform => Ok(()),
        }
    }

    /// Runs a statement and returns how many rows it changed.
    pub(crate) async fn execute<'q, E>(&mut self, statement: E) -> Result<u64, StorageError>
    where
        E: Execute<'q, Sqlite> + 'q,
    {
        use sqlx::Executor as _;
        self.must_be_sound()?;
        let done = (&mut *self.transaction).execute(statement).await;
        self.noting_failure(done).map(|done| done.rows_affected())
    }

    /// Runs a statement and returns its rows.
    pub(crate) async fn fetch_all<'q, E>(
        &mut self,
        statement: E,
    ) -> Result<Vec<SqliteRow>, StorageError>
    where
        E: Execute<'q, Sqlite> + 'q,
    {
        use sqlx::Executor as _;
        self.must_be_sound()?;
        let rows = (&mut *self.transaction).fetch_all(statement).await;
        self.noting_failure(rows)
    }

    /// Runs a query and returns its first row.
    pub(crate) async fn fetch_optional<'q, E>(
        &mut self,
        query: E,
    ) -> Result<Option<SqliteRow>, StorageError>
    where
        E: Execute<'q, Sqlite> + 'q,
    {
        use sqlx::Executor as _;
        self.must_be_sound()?;
        let row = (&mut *self.transaction).fetch_optional(query).await;
        self.noting_failure(row)
    }

    /// Commits, unless something failed before.
    pub(crate) async fn finish(self) -> Result<(), StorageError> {
        self.must_be_sound()?;
        self.transaction.commit().await.map_err(storage_error)
    }

    fn must_be_sound(&self) -> Result<(), StorageError> {
        if self.has_failed {
            Err(StorageError::Failed(Box::new(HasFailed)))
        } else {
            Ok(())
        }
    }

    fn noting_failure<T>(&mut self, result: Result<T, sqlx::Error>) -> Result<T, StorageError> {
        result.map_err(|error| {
            self.has_failed = true;
            storage_error(error)
        })
    }
}

/// A statement of sea-query, ready to run. The one place that vouches for built SQL: sea-query
/// binds every value, and the names come from `schema.rs`.
pub(crate) fn built(statement: &impl SqlxBinder) -> Query<'static, Sqlite, SqlxValues> {
    let (sql, values) = statement.build_sqlx(SqliteQueryBuilder);
    sqlx::query_with(AssertSqlSafe(sql), values)
}

#[async_trait]
impl UnitOfWork for SqliteUnitOfWork {
    fn companies(&mut self) -> &mut dyn CompanyRepository {
        self
    }

    fn api_keys(&mut self) -> &mut dyn ApiKeyRepository {
        self
    }

    fn skillbases(&mut self) -> &mut dyn SkillbaseRepository {
        self
    }

    fn campaigns(&mut self) -> &mut dyn CampaignRepository {
        self
    }

    fn call_lists(&mut self) -> &mut dyn CallListRepository {
        self
    }

    fn call_tasks(&mut self) -> &mut dyn CallTaskRepository {
        self
    }

    fn call_attempts(&mut self) -> &mut dyn CallAttemptRepository {
        self
    }

    fn interviews(&mut self) -> &mut dyn InterviewRepository {
        self
    }

    fn call_rollups(&mut self) -> &mut dyn CallRollupRepository {
        self
    }

    fn contact_records(&mut self) -> &mut dyn ContactRecordRepository {
        self
    }

    fn exports(&mut self) -> &mut dyn ExportRepository {
        self
    }

    fn exclusions(&mut self) -> &mut dyn ExclusionRepository {
        self
    }

    fn erasures(&mut self) -> &mut dyn ErasureRepository {
        self
    }

    fn retention(&mut self) -> &mut dyn RetentionRepository {
        self
    }

    fn events(&mut self) -> &mut dyn EventRepository {
        self
    }

    async fn commit(self: Box<Self>) -> Result<(), StorageError> {
        self.finish().await
    }
}

#[cfg(test)]
mod tests {
    use voicesurvey_core::ports::{Storage, StorageError};
    use voicesurvey_core::testing::samples;

    use super::*;
    use crate::{OpenMode, SqliteStorage};

    async fn store(directory: &tempfile::TempDir) -> SqliteStorage {
        let path = directory.path().join("survey.db");
        SqliteStorage::open(path.to_str().unwrap(), OpenMode::Serve)
            .await
            .unwrap()
    }

    #[tokio::test]
    async fn after_a_failed_statement_nothing_more_is_done_or_committed() {
        let directory = tempfile::tempdir().unwrap();
        let store = store(&directory).await;
        let company = samples::company();
        let mut work = store.begin(Scope::Platform).await.unwrap();
        work.companies().insert(&company).await.unwrap();
        let again = work.companies().insert(&company).await;
        assert!(
            matches!(again, Err(StorageError::Conflict { .. })),
            "{again:?}"
        );
        let more = work.companies().get(company.id).await;
        assert!(matches!(more, Err(StorageError::Failed(_))), "{more:?}");
        assert!(matches!(work.commit().await, Err(StorageError::Failed(_))));
        let mut work = store.begin(Scope::Platform).await.unwrap();
        assert_eq!(work.companies().get(company.id).await.unwrap(), None);
    }

    #[tokio::test]
    async fn reading_waits_for_no_writer_and_sees_one_state() {
        let directory = tempfile::tempdir().unwrap();
        let store = store(&directory).await;
        let [first, second] = [(); 2].map(|()| samples::company());
        let mut writing = store.begin(Scope::Platform).await.unwrap();
        writing.companies().insert(&first).await.unwrap();
        writing.commit().await.unwrap();
        let mut writing = store.begin(Scope::Platform).await.unwrap();
        writing.companies().insert(&second).await.unwrap();

        let mut reading = store.begin_reading(Scope::Platform).await.unwrap();
        let found = reading.companies().get(first.id).await.unwrap();
        assert_eq!(found, Some(first.clone()));
        writing.commit().await.unwrap();
        let found = reading.companies().get(second.id).await.unwrap();
        assert_eq!(found, None);
        drop(reading);

        let mut reading = store.begin_reading(Scope::Platform).await.unwrap();
        let found = reading.companies().get(second.id).await.unwrap();
        assert_eq!(found, Some(second));
        let refused = reading.companies().insert(&samples::company()).await;
        assert!(refused.is_err());
    }

    /// SQLite ends a transaction by itself when the disk is full; here a statement does so.
    #[tokio::test]
    async fn a_transaction_that_sqlite_ended_does_not_block_the_next() {
        let directory = tempfile::tempdir().unwrap();
        let store = store(&directory).await;
        let mut lost = SqliteUnitOfWork::begin(store.writer(), Scope::Platform)
            .await
            .unwrap();
        lost.execute(sqlx::query("ROLLBACK")).await.unwrap();
        drop(lost);
        let company = samples::company();
        let mut work = store.begin(Scope::Platform).await.unwrap();
        work.companies().insert(&company).await.unwrap();
        work.commit().await.unwrap();
        let mut work = store.begin(Scope::Platform).await.unwrap();
        assert_eq!(
            work.companies().get(company.id).await.unwrap(),
            Some(company)
        );
    }
}
