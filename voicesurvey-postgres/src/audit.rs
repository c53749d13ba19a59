//! The audit on PostgreSQL: one statement for each check, all of them on one snapshot.
//!
//! The statements are in `sql/audit/`, one file for each check; what they have in common, the
//! instants and the way to ask, is here.

use async_trait::async_trait;
use sqlx::Connection as _;
use sqlx::postgres::PgConnection;
use voicesurvey_core::audit::{
    Check, EXCLUDED_SINCE, Election, Example, Finding, IDLE_AFTER, LockTrial, OVERDUE_AFTER,
    decided_outcomes,
};
use voicesurvey_core::ports::{Audit, OtherProcess, StorageError};
use voicesurvey_core::time::Timestamp;

use crate::error::storage_error;
use crate::leader;
use crate::migrations;
use crate::row::Reader;
use crate::storage::PostgresStorage;

/// Begins a transaction that sees all companies as they are now, for as long as it takes.
const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; \
    SELECT set_config('voicesurvey.scope', 'platform', true), \
           set_config('statement_timeout', '0', true)";

/// The statement of a check: how many rows are wrong, and the first of them.
macro_rules! statement {
    ($name:literal) => {
        concat!(
            "WITH asked AS (
                 SELECT $1::timestamptz AS now, $2::timestamptz AS overdue, $3::timestamptz AS idle,
                     $4::text[] AS decided, $5::bigint * INTERVAL '1 microsecond' AS excluded_since
             ), wrong AS (\n",
            include_str!(concat!("sql/audit/", $name, ".sql")),
            ") SELECT subject, id, company_id, detail, count(*) OVER () AS rows
             FROM wrong ORDER BY company_id, id, subject, detail LIMIT 10"
        )
    };
}

const fn statement(check: Check) -> &'static str {
    match check {
        Check::Constraints => statement!("constraints"),
        Check::AttemptNumbers => statement!("attempt_numbers"),
        Check::LiveNumbers => statement!("live_numbers"),
        Check::TasksInProgress => statement!("tasks_in_progress"),
        Check::LiveAttempts => statement!("live_attempts"),
        Check::ExpiredLeases => statement!("expired_leases"),
        Check::OverdueTasks => statement!("overdue_tasks"),
        Check::OverdueReviews => statement!("overdue_reviews"),
        Check::IdleLanes => statement!("idle_lanes"),
        Check::DecidedTasks => statement!("decided_tasks"),
        Check::OptedOutTasks => statement!("opted_out_tasks"),
        Check::CallsAfterExclusion => statement!("calls_after_exclusion"),
        Check::ExcludedTasks => statement!("excluded_tasks"),
        Check::LinkedResponses => statement!("linked_responses"),
        Check::TaskCounters => statement!("task_counters"),
        Check::AttemptCounters => statement!("attempt_counters"),
        Check::CostCounters => statement!("cost_counters"),
        Check::CallRollups => statement!("call_rollups"),
        Check::LaneCounters => statement!("lane_counters"),
        Check::LinesInUse => statement!("lines_in_use"),
    }
}

#[async_trait]
impl Audit for PostgresStorage {
    async fn audit(&self, now: Timestamp) -> Result<Vec<Finding>, StorageError> {
        let mut connection = self.pool().acquire().await.map_err(storage_error)?;
        migrations::check(&mut connection).await?;
        let begun = connection.begin_with(BEGIN).await;
        let mut transaction = begun.map_err(storage_error)?;
        let mut findings = Vec::new();
        for check in Check::ALL {
            findings.extend(look(&mut transaction, check, now).await?);
        }
        transaction.rollback().await.map_err(storage_error)?;
        Ok(findings)
    }

    async fn election(&self) -> Result<Election, StorageError> {
        let mut connection = self.pool().acquire().await.map_err(storage_error)?;
        leader::election(&mut connection).await
    }

    async fn try_locks(&self, other: &dyn OtherProcess) -> Result<LockTrial, StorageError> {
        self.lock_trial(other).await
    }

    async fn gets_lock(&self, lock: i32) -> Result<bool, StorageError> {
        self.gets_trial_lock(lock).await
    }
}

async fn look(
    connection: &mut PgConnection,
    check: Check,
    now: Timestamp,
) -> Result<Option<Finding>, StorageError> {
    let rows = sqlx::query(statement(check))
        .bind(now)
        .bind(now - OVERDUE_AFTER)
        .bind(now - IDLE_AFTER)
        .bind(decided_outcomes())
        .bind(EXCLUDED_SINCE.num_microseconds())
        .persistent(false)
        .fetch_all(connection)
        .await
        .map_err(storage_error)?;
    let mut finding = Finding {
        check,
        rows: 0,
        examples: Vec::new(),
    };
    for row in &rows {
        let row = Reader::new("an audit", row);
        finding.rows = row.number("rows")?;
        finding.examples.push(Example::new(
            row.get("subject")?,
            row.get("id")?,
            row.optional_id("company_id")?,
            row.get::<&str>("detail")?,
        ));
    }
    Ok((finding.rows > 0).then_some(finding))
}
