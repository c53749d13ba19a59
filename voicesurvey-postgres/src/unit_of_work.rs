//! One transaction with one scope. It implements every repository itself, one file each.
//!
//! Two walls keep companies apart (I11): every statement names its company, and row-level security
//! hides the rows of others from a statement that would forget to.
//!
//! Counters and the ready list are written when the unit of work commits: each company followed by
//! its campaigns, then lanes, counters, sums of calls and provider accounts, in the order of their keys. So these
//! rows, which everybody wants, are locked for a moment only, and no two units of work wait for each
//! other there.
//!
//! A claim takes the provider account first. It waits for it before it holds anything, and passes
//! over companies, campaigns and tasks that others hold. It waits again for counters, but normally
//! not for somebody who waits for it: whoever waits for one of its companies has no counters yet,
//! and whoever waits for its provider account with a line that is free holds the company of that
//! line, so the claim is not in it. Two rare cases are left, in which the database ends one of the
//! two with a conflict: a claim puts somebody back whom the gate turns away, and locks the counter of
//! the reason after those of tasks, while an opt-out is counted without its company; and a claim
//! inserts an attempt to a number whose last one is newer than its snapshot and is just ending.

use async_trait::async_trait;
use sqlx::postgres::{PgArguments, PgPool, PgRow};
use sqlx::query::Query;
use sqlx::{Acquire as _, IntoArguments, Postgres, Row as _};
use uuid::Uuid;
use voicesurvey_core::call_rollup::RollupChanges;
use voicesurvey_core::id::CompanyId;
use voicesurvey_core::number_keys::NumberKeys;
use voicesurvey_core::ports::{
    ApiKeyRepository, CallAttemptRepository, CallListRepository, CallRollupRepository,
    CallTaskRepository, CampaignRepository, CompanyRepository, ContactRecordRepository,
    ErasureRepository, EventRepository, ExclusionRepository, ExportRepository, InterviewRepository,
    RetentionRepository, Scope, SkillbaseRepository, StorageError, UnitOfWork,
};

use crate::counters::CounterChanges;
use crate::error::{foreign_company, storage_error};
use crate::lanes::LaneChanges;
use crate::leader::PostgresLeadership;
use crate::ready_list::ReadyListChanges;

/// A statement with its arguments.
pub(crate) type Statement = Query<'static, Postgres, PgArguments>;

/// A transaction that sees and changes what its scope allows.
pub(crate) struct PostgresUnitOfWork {
    transaction: sqlx::Transaction<'static, Postgres>,
    pub(crate) scope: Scope,
    pub(crate) counters: CounterChanges,
    pub(crate) ready_list: ReadyListChanges,
    pub(crate) lanes: LaneChanges,
    pub(crate) rollups: RollupChanges,
    /// For what remains of erased numbers.
    pub(crate) keys: NumberKeys,
    /// A statement has failed. PostgreSQL would answer a commit with a silent rollback.
    failed: bool,
}

impl PostgresUnitOfWork {
    /// Begins a transaction; behind a fence, one that only the leader can commit.
    pub(crate) async fn begin(
        pool: &PgPool,
        scope: Scope,
        fence: Option<&PostgresLeadership>,
    ) -> Result<Self, StorageError> {
        let Some(leadership) = fence else {
            return Self::begin_with(pool, scope, "").await;
        };
        let epoch = leadership.epoch().ok_or(StorageError::NotLeader)?;
        // The database ends it soon when this server is frozen or waits for others, so that the next
        // leader never waits long.
        let limits = ", set_config('idle_in_transaction_session_timeout', '2s', true), \
                     set_config('lock_timeout', '2s', true)";
        // A company's scope does not see who leads.
        let mut work = Self::begin_with(pool, Scope::Platform, limits).await?;
        work.stand_behind_fence(epoch).await.inspect_err(|error| {
            if matches!(error, StorageError::NotLeader) {
                leadership.is_over(epoch);
            }
        })?;
        if let Scope::Company(company_id) = scope {
            work.narrow_to(company_id).await?;
        }
        Ok(work)
    }

    /// Begins a unit of work whose statements are planned for large tables, whatever they hold when
    /// they are planned, and once for all.
    ///
    /// Without it a statement with many parts, planned while a table was small, would read all of it
    /// when it has grown, until the server takes new statistics.
    pub(crate) async fn begin_claim(pool: &PgPool) -> Result<Self, StorageError> {
        let settings = ", set_config('plan_cache_mode', 'force_generic_plan', true), \
                         set_config('enable_seqscan', 'off', true), \
                         set_config('enable_bitmapscan', 'off', true), \
                         set_config('enable_hashjoin', 'off', true), \
                         set_config('enable_mergejoin', 'off', true), \
                         set_config('jit', 'off', true)";
        Self::begin_with(pool, Scope::Platform, settings).await
    }

    /// Begins a transaction that reads one state of the database, and writes nothing.
    pub(crate) async fn begin_reading(pool: &PgPool, scope: Scope) -> Result<Self, StorageError> {
        Self::begin_as(
            "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
            pool,
            scope,
            "",
        )
        .await
    }

    async fn begin_with(pool: &PgPool, scope: Scope, settings: &str) -> Result<Self, StorageError> {
        Self::begin_as("BEGIN", pool, scope, settings).await
    }

    async fn begin_as(
        begin: &str,
        pool: &PgPool,
        scope: Scope,
        settings: &str,
    ) -> Result<Self, StorageError> {
        let (company_id, name) = match scope {
            Scope::Company(company_id) => (company_id.to_string(), "company"),
            Scope::Platform => (String::new(), "platform"),
        };
        // In one round trip, so nothing can be bound: a UUID and words of ours.
        let begin = format!(
            "{begin}; SELECT set_config('voicesurvey.company_id', '{company_id}', true), \
             set_config('voicesurvey.scope', '{name}', true){settings}"
        );
        let transaction = pool
            .begin_with(sqlx::AssertSqlSafe(begin))
            .await
            .map_err(storage_error)?;
        Ok(Self {
            transaction,
            scope,
            counters: CounterChanges::default(),
            ready_list: ReadyListChanges::default(),
            lanes: LaneChanges::default(),
            rollups: RollupChanges::default(),
            keys: NumberKeys::default(),
            failed: false,
        })
    }

    /// Holds the next election up until the transaction has ended, if the epoch has not passed.
    async fn stand_behind_fence(&mut self, epoch: i64) -> Result<(), StorageError> {
        let fence = "SELECT epoch FROM leadership WHERE epoch = $1 FOR SHARE";
        match self.row(sqlx::query(fence).bind(epoch)).await? {
            Some(_) => Ok(()),
            None => Err(StorageError::NotLeader),
        }
    }

    /// Sees and changes only that company's rows from now on.
    async fn narrow_to(&mut self, company_id: CompanyId) -> Result<(), StorageError> {
        let narrow = "SELECT set_config('voicesurvey.company_id', $1, true),
                          set_config('voicesurvey.scope', 'company', true)";
        self.execute(sqlx::query(narrow).bind(company_id.to_string()))
            .await?;
        self.scope = Scope::Company(company_id);
        Ok(())
    }

    /// Runs a statement, and returns how many rows it touched.
    pub(crate) async fn execute(&mut self, statement: Statement) -> Result<u64, StorageError> {
        let done = statement.execute(&mut *self.transaction).await;
        self.outcome(done).map(|done| done.rows_affected())
    }

    /// Runs a statement that constraints may refuse, so that the unit of work survives a refusal.
    pub(crate) async fn attempt(&mut self, statement: Statement) -> Result<u64, StorageError> {
        let mut savepoint = self.transaction.begin().await.map_err(storage_error)?;
        let done = statement.execute(&mut *savepoint).await;
        let done = end_attempt(savepoint, done).await?;
        Ok(done.rows_affected())
    }

    /// As [`attempt`](Self::attempt), for a statement that returns rows.
    pub(crate) async fn attempt_rows(
        &mut self,
        statement: Statement,
    ) -> Result<Vec<PgRow>, StorageError> {
        let mut savepoint = self.transaction.begin().await.map_err(storage_error)?;
        let rows = statement.fetch_all(&mut *savepoint).await;
        end_attempt(savepoint, rows).await
    }

    /// Runs a statement that returns at most one row.
    pub(crate) async fn row<A>(
        &mut self,
        statement: Query<'static, Postgres, A>,
    ) -> Result<Option<PgRow>, StorageError>
    where
        A: Send + IntoArguments<Postgres> + 'static,
    {
        let row = statement.fetch_optional(&mut *self.transaction).await;
        self.outcome(row)
    }

    /// Runs a statement that returns rows.
    pub(crate) async fn rows<A>(
        &mut self,
        statement: Query<'static, Postgres, A>,
    ) -> Result<Vec<PgRow>, StorageError>
    where
        A: Send + IntoArguments<Postgres> + 'static,
    {
        let rows = statement.fetch_all(&mut *self.transaction).await;
        self.outcome(rows)
    }

    /// Runs a list that was built for its filters. The one place that takes built SQL; every value
    /// in it is bound.
    pub(crate) async fn list(
        &mut self,
        list: &sea_query::SelectStatement,
    ) -> Result<Vec<PgRow>, StorageError> {
        use sea_query_sqlx::SqlxBinder as _;
        let (sql, values) = list.build_sqlx(sea_query::PostgresQueryBuilder);
        self.rows(sqlx::query_with(sqlx::AssertSqlSafe(sql), values))
            .await
    }

    fn outcome<T>(&mut self, outcome: Result<T, sqlx::Error>) -> Result<T, StorageError> {
        self.failed |= outcome.is_err();
        outcome.map_err(storage_error)
    }

    /// Refuses to write a row that is not the scope's.
    pub(crate) fn permit(&self, company_id: CompanyId) -> Result<(), StorageError> {
        match self.scope {
            Scope::Company(own) if own != company_id => Err(foreign_company()),
            Scope::Company(_) | Scope::Platform => Ok(()),
        }
    }

    /// The company to look for a row in: the scope's, or, for the platform, the one that `find`
    /// finds (see [`company_of!`](crate::schema::company_of)); `None` when there is no such row.
    pub(crate) async fn company_of(
        &mut self,
        find: &'static str,
        id: Uuid,
    ) -> Result<Option<Uuid>, StorageError> {
        match self.scope {
            Scope::Company(company_id) => Ok(Some(company_id.as_uuid())),
            Scope::Platform => {
                let row = self.row(sqlx::query(find).bind(id)).await?;
                row.map(|row| row.try_get(0).map_err(storage_error))
                    .transpose()
            }
        }
    }

    /// Looks a row up by its identifier: `select` takes the company as `$1` and it as `$2`.
    pub(crate) async fn find(
        &mut self,
        company_of: &'static str,
        select: &'static str,
        id: Uuid,
    ) -> Result<Option<PgRow>, StorageError> {
        match self.company_of(company_of, id).await? {
            Some(company_id) => {
                self.row(sqlx::query(select).bind(company_id).bind(id))
                    .await
            }
            None => Ok(None),
        }
    }

    /// Looks rows up by their identifiers: `select` takes the company as `$1` and them as `$2`.
    ///
    /// The platform, whose rows may be of many companies, looks them up one by one.
    pub(crate) async fn find_many(
        &mut self,
        company_of: &'static str,
        select: &'static str,
        ids: &[Uuid],
    ) -> Result<Vec<PgRow>, StorageError> {
        if let Scope::Company(company_id) = self.scope {
            let select = sqlx::query(select).bind(company_id.as_uuid());
            return self.rows(select.bind(ids.to_vec())).await;
        }
        let mut found = Vec::with_capacity(ids.len());
        for &id in ids {
            if let Some(company_id) = self.company_of(company_of, id).await? {
                let select = sqlx::query(select).bind(company_id).bind(vec![id]);
                found.extend(self.rows(select).await?);
            }
        }
        Ok(found)
    }

    /// Writes ready list, lanes, counters and sums, so that later statements see them.
    pub(crate) async fn write_changes(&mut self) -> Result<(), StorageError> {
        self.write_ready_list().await?;
        self.write_lanes().await?;
        self.write_counters().await?;
        self.write_rollups().await?;
        self.write_providers().await
    }

    /// Writes what is left to write, and commits.
    pub(crate) async fn finish(mut self) -> Result<(), StorageError> {
        if self.failed {
            let what = "an earlier statement of the unit of work failed, so it cannot be committed";
            return Err(StorageError::Failed(what.into()));
        }
        self.write_changes().await?;
        self.transaction.commit().await.map_err(storage_error)
    }
}

/// Keeps what was done since the savepoint, or undoes it if it was refused.
async fn end_attempt<T>(
    savepoint: sqlx::Transaction<'_, Postgres>,
    done: Result<T, sqlx::Error>,
) -> Result<T, StorageError> {
    match done {
        Ok(done) => savepoint.commit().await.map(|()| done),
        Err(refused) => savepoint.rollback().await.and(Err(refused)),
    }
    .map_err(storage_error)
}

#[async_trait]
impl UnitOfWork for PostgresUnitOfWork {
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
