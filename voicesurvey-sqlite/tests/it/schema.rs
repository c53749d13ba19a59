//! What the schema promises: types are enforced, and every key begins with the company, so that
//! the tables could be distributed by company without change. Accounts at telephony providers are
//! the platform's, and have no company.

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions as _, Row as _};

use crate::file::DatabaseFile;

/// A migrated database, and a connection beside the store.
async fn migrated() -> (DatabaseFile, SqliteConnection) {
    let file = DatabaseFile::new();
    file.serve().await.close().await.unwrap();
    let connection = SqliteConnectOptions::new()
        .filename(file.path())
        .connect()
        .await
        .unwrap();
    (file, connection)
}

#[tokio::test]
async fn every_table_is_strict() {
    let (_file, mut connection) = migrated().await;
    let loose: Vec<String> = sqlx::query_scalar(
        "SELECT name FROM pragma_table_list
         WHERE schema = 'main' AND type = 'table' AND strict = 0
           AND name NOT LIKE 'sqlite_%' AND name <> '_sqlx_migrations'",
    )
    .fetch_all(&mut connection)
    .await
    .unwrap();
    assert_eq!(loose, Vec::<String>::new());
}

#[tokio::test]
async fn every_primary_key_and_unique_constraint_begins_with_the_company() {
    let (_file, mut connection) = migrated().await;
    let keys = sqlx::query(
        "SELECT tables.name AS owner, keys.name AS key_name, columns.name AS first_column
         FROM pragma_table_list AS tables
         JOIN pragma_index_list(tables.name) AS keys ON keys.\"unique\" = 1
         JOIN pragma_index_info(keys.name) AS columns ON columns.seqno = 0
         WHERE tables.schema = 'main' AND tables.type = 'table'
           AND tables.name NOT LIKE 'sqlite_%'
           AND tables.name NOT IN ('_sqlx_migrations', 'provider_queue', 'operator_exclusions',
                                   'operator_exclusion_removals')",
    )
    .fetch_all(&mut connection)
    .await
    .unwrap();
    assert!(keys.len() >= 20, "{}", keys.len());
    for key in keys {
        let name: (String, String) = (key.get("owner"), key.get("key_name"));
        if name.1 == "api_keys_by_hash" {
            continue; // Looked up before the company is known.
        }
        assert_eq!(
            key.get::<String, _>("first_column"),
            "company_id",
            "{name:?}"
        );
    }
}

#[tokio::test]
async fn every_foreign_key_begins_with_the_company_and_has_an_index_behind_it() {
    let (_file, mut connection) = migrated().await;
    let foreign_keys = sqlx::query(
        "SELECT tables.name AS owner, keys.id, keys.\"table\" AS target,
                group_concat(keys.\"from\", ',' ORDER BY keys.seq) AS columns
         FROM pragma_table_list AS tables JOIN pragma_foreign_key_list(tables.name) AS keys
         WHERE tables.schema = 'main' AND tables.type = 'table'
         GROUP BY tables.name, keys.id",
    )
    .fetch_all(&mut connection)
    .await
    .unwrap();
    assert!(foreign_keys.len() >= 15, "{}", foreign_keys.len());
    for key in foreign_keys {
        let owner: String = key.get("owner");
        let columns: String = key.get("columns");
        assert!(columns.starts_with("company_id"), "{owner} ({columns})");
        let behind: Vec<String> = sqlx::query_scalar(
            "SELECT group_concat(info.name, ',' ORDER BY info.seqno)
             FROM pragma_index_list(?1) AS indexes JOIN pragma_index_info(indexes.name) AS info
             WHERE indexes.partial = 0
             GROUP BY indexes.name",
        )
        .bind(&owner)
        .fetch_all(&mut connection)
        .await
        .unwrap();
        assert!(
            behind.iter().any(|index| index.starts_with(&columns)),
            "{owner} ({columns}) has none of {behind:?}"
        );
    }
}

#[tokio::test]
async fn every_tenant_table_names_its_company() {
    let (_file, mut connection) = migrated().await;
    let without: Vec<String> = sqlx::query_scalar(
        "SELECT name FROM pragma_table_list
         WHERE schema = 'main' AND type = 'table'
           AND name NOT LIKE 'sqlite_%'
           AND name NOT IN ('_sqlx_migrations', 'provider_queue', 'operator_exclusions',
                            'operator_exclusion_removals')
           AND NOT EXISTS (SELECT 1 FROM pragma_table_info(pragma_table_list.name) AS info
                           WHERE info.name = 'company_id' AND info.\"notnull\" = 1)",
    )
    .fetch_all(&mut connection)
    .await
    .unwrap();
    assert_eq!(without, Vec::<String>::new());
}
