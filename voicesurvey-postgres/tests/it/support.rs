//! What the tests have in common: a database that is a store, and a look behind the store's back.

use std::ops::Deref;
use std::time::Duration;

use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection as _};
use voicesurvey_postgres::PostgresStorage;
use voicesurvey_postgres::testing::TestDatabase;

/// A store of its own, migrated and empty.
pub(crate) struct PostgresUnderTest(TestDatabase);

impl PostgresUnderTest {
    pub(crate) async fn create() -> Self {
        Self(TestDatabase::create().await)
    }

    /// Where it is.
    pub(crate) fn url(&self) -> &str {
        self.0.url()
    }

    /// A connection as the server's role.
    pub(crate) async fn connection(&self) -> PgConnection {
        PgConnection::connect(self.0.url()).await.unwrap()
    }
}

impl Deref for PostgresUnderTest {
    type Target = PostgresStorage;

    fn deref(&self) -> &PostgresStorage {
        self.0.storage()
    }
}

/// The first column of what a statement returns.
pub(crate) async fn texts(connection: &mut PgConnection, sql: &str) -> Vec<String> {
    sqlx::query_scalar(AssertSqlSafe(sql))
        .fetch_all(connection)
        .await
        .unwrap()
}

/// A connection that sees the rows of all companies.
pub(crate) async fn platform(database: &PostgresUnderTest) -> PgConnection {
    let mut connection = database.connection().await;
    sqlx::query("SET voicesurvey.scope = 'platform'")
        .execute(&mut connection)
        .await
        .unwrap();
    connection
}

/// Runs statements that take no arguments.
pub(crate) async fn execute(connection: &mut PgConnection, sql: &str) {
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))
        .execute(connection)
        .await
        .unwrap();
}

/// Waits until that many transactions of this database wait for what somebody else holds.
pub(crate) async fn waiters(connection: &mut PgConnection, transactions: usize) {
    let waiting = "SELECT pid::text FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock'";
    let wait = async {
        while texts(connection, waiting).await.len() != transactions {
            tokio::task::yield_now().await;
        }
    };
    let waited = tokio::time::timeout(Duration::from_secs(20), wait).await;
    assert!(waited.is_ok(), "{transactions} transactions never wait");
}
