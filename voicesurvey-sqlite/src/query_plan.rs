//! For tests: how SQLite would run a statement on the migrated schema.

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Row as _};

use crate::migrations;

/// How SQLite would run the statement, one line per step.
pub(crate) async fn plan(statement: &str) -> Vec<String> {
    let options = SqliteConnectOptions::new().in_memory(true);
    let mut connection: SqliteConnection = options.connect().await.unwrap();
    migrations::migrate(&mut connection).await.unwrap();
    sqlx::query(AssertSqlSafe(format!("EXPLAIN QUERY PLAN {statement}")))
        .fetch_all(&mut connection)
        .await
        .unwrap()
        .iter()
        .map(|row| row.get("detail"))
        .collect()
}

/// The statement uses those indexes, walks over no whole table and sorts nothing itself.
pub(crate) async fn assert_uses(statement: &str, indexes: &[&str]) {
    let plan = plan(statement).await;
    for index in indexes {
        assert!(
            plan.iter().any(|step| step.contains(index)),
            "{index}: {plan:#?}"
        );
    }
    for step in &plan {
        // What looks like a virtual table is a list in a row.
        let is_list = step.contains("VIRTUAL TABLE");
        let walks = step.starts_with("SCAN") && !step.contains("USING") && !is_list;
        assert!(
            !walks && !step.contains("TEMP B-TREE"),
            "{statement}: {plan:#?}"
        );
    }
}
