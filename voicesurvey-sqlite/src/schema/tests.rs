//! Every list of columns equals the table's.

use std::collections::BTreeSet;

use sqlx::SqliteConnection;

use super::*;
use crate::migrations;

async fn assert_columns<const N: usize>(connection: &mut SqliteConnection, table: &Table<N>) {
    let stored: Vec<String> = sqlx::query_scalar("SELECT name FROM pragma_table_info(?1)")
        .bind(table.name)
        .fetch_all(connection)
        .await
        .unwrap();
    let stored: BTreeSet<&str> = stored.iter().map(String::as_str).collect();
    assert_eq!(stored, BTreeSet::from(table.columns), "{}", table.name);
}

#[tokio::test]
async fn the_names_equal_the_columns_of_the_tables() {
    use sqlx::ConnectOptions as _;
    let options = sqlx::sqlite::SqliteConnectOptions::new().in_memory(true);
    let mut connection = options.connect().await.unwrap();
    migrations::migrate(&mut connection).await.unwrap();
    assert_columns(&mut connection, &COMPANIES).await;
    assert_columns(&mut connection, &API_KEYS).await;
    assert_columns(&mut connection, &SKILLBASES).await;
    assert_columns(&mut connection, &CAMPAIGNS).await;
    assert_columns(&mut connection, &CAMPAIGN_LANES).await;
    assert_columns(&mut connection, &CAMPAIGN_COUNTERS).await;
    assert_columns(&mut connection, &UPLOADS).await;
    assert_columns(&mut connection, &UPLOAD_ERRORS).await;
    assert_columns(&mut connection, &CALL_TASKS).await;
    assert_columns(&mut connection, &CALL_ATTEMPTS).await;
    assert_columns(&mut connection, &CALL_ROLLUPS).await;
    assert_columns(&mut connection, &CONVERSATIONS).await;
    assert_columns(&mut connection, &TURNS).await;
    assert_columns(&mut connection, &ANSWERS).await;
    assert_columns(&mut connection, &ANSWER_REVISIONS).await;
    assert_columns(&mut connection, &CONSENTS).await;
    assert_columns(&mut connection, &SURVEY_RESPONSES).await;
    assert_columns(&mut connection, &EXPORTS).await;
    assert_columns(&mut connection, &EXPORT_PIECES).await;
    assert_columns(&mut connection, &EXCLUSIONS).await;
    assert_columns(&mut connection, &EXCLUSION_REMOVALS).await;
    assert_columns(&mut connection, &OPERATOR_EXCLUSIONS).await;
    assert_columns(&mut connection, &OPERATOR_EXCLUSION_REMOVALS).await;
    assert_columns(&mut connection, &ERASURES).await;
    assert_columns(&mut connection, &ERASED_NUMBERS).await;
    assert_columns(&mut connection, &ERASURE_KEYS).await;
    assert_columns(&mut connection, &COMPANY_RETENTION).await;
    assert_columns(&mut connection, &PROVIDER_EVENTS).await;
    assert_columns(&mut connection, &OUTBOX_EVENTS).await;
}
