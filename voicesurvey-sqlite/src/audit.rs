//! The audit on SQLite: one statement for each check, all of them on one snapshot.
//!
//! The statements are in `sql/audit/`, one file for each check; what they have in common, the
//! instants and the way to ask, is here. They run on a connection that only reads, beside the one
//! that writes.

use async_trait::async_trait;
use sqlx::Connection as _;
use sqlx::sqlite::SqliteConnection;
use voicesurvey_core::audit::{
    Check, EXCLUDED_SINCE, Election, Example, Finding, IDLE_AFTER, OVERDUE_AFTER, decided_outcomes,
};
use voicesurvey_core::ports::{Audit, StorageError};
use voicesurvey_core::time::Timestamp;

use crate::error::storage_error;
use crate::migrations;
use crate::row::Row;
use crate::storage::SqliteStorage;

/// The statement of a check: how many rows are wrong, and the first of them.
macro_rules! statement {
    ($name:literal) => {
        concat!(
            "WITH asked AS (
                 SELECT ?1 AS now, ?2 AS overdue, ?3 AS idle, ?4 AS decided, ?5 AS excluded_since
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
impl Audit for SqliteStorage {
    async fn audit(&self, now: Timestamp) -> Result<Vec<Finding>, StorageError> {
        let mut connection = self.readers().acquire().await.map_err(storage_error)?;
        migrations::check(&mut connection).await?;
        let mut transaction = connection.begin().await.map_err(storage_error)?;
        let mut findings = Vec::new();
        for check in Check::ALL {
            findings.extend(look(&mut transaction, check, now).await?);
        }
        transaction.rollback().await.map_err(storage_error)?;
        Ok(findings)
    }

    async fn election(&self) -> Result<Election, StorageError> {
        Ok(Election::NotHeld)
    }
}

async fn look(
    connection: &mut SqliteConnection,
    check: Check,
    now: Timestamp,
) -> Result<Option<Finding>, StorageError> {
    let rows = sqlx::query(statement(check))
        .bind(now.timestamp_micros())
        .bind((now - OVERDUE_AFTER).timestamp_micros())
        .bind((now - IDLE_AFTER).timestamp_micros())
        .bind(serde_json::json!(decided_outcomes()).to_string())
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
        let row = Row::new(row, "an audit");
        finding.rows = row.get("rows")?;
        finding.examples.push(Example::new(
            row.get("subject")?,
            row.get("id")?,
            row.optional_id("company_id")?,
            row.get::<String>("detail")?,
        ));
    }
    Ok((finding.rows > 0).then_some(finding))
}
