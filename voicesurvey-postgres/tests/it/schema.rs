//! Rules that every table keeps, also those that are added later.

use voicesurvey_core::campaign::Pacing;
use voicesurvey_core::pace::Pace;
use voicesurvey_core::ports::TaskQueue as _;

use crate::support::{PostgresUnderTest, texts};

/// Tables that belong to no company: the log of migrations, what all companies together may use of a
/// provider account, who leads, and whom the operator has excluded.
const SHARED: &str = "('_sqlx_migrations', 'provider_queue', 'leadership', \
    'operator_exclusions', 'operator_exclusion_removals')";

#[tokio::test]
async fn every_table_has_a_company_and_forced_row_level_security() {
    let database = PostgresUnderTest::create().await;
    let mut connection = database.connection().await;
    let tables = format!(
        "FROM pg_class AS class
         WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
             AND relname NOT IN {SHARED}"
    );
    let all = texts(&mut connection, &format!("SELECT relname::text {tables}")).await;
    assert!(all.len() > 15, "the tables are there: {all:?}");
    let offenders = format!(
        "SELECT relname::text {tables} AND NOT ({HIDDEN} AND EXISTS (
             SELECT FROM pg_attribute
             WHERE attrelid = class.oid AND attname = 'company_id' AND attnotnull
         ))"
    );
    assert_eq!(
        texts(&mut connection, &offenders).await,
        Vec::<String>::new()
    );
}

/// Also from its owner, without a policy.
const HIDDEN: &str = "relrowsecurity AND relforcerowsecurity
    AND EXISTS (SELECT FROM pg_policy WHERE polrelid = class.oid)";

#[tokio::test]
async fn what_companies_share_is_hidden_too() {
    let database = PostgresUnderTest::create().await;
    let mut connection = database.connection().await;
    let offenders = format!(
        "SELECT relname::text FROM pg_class AS class
         WHERE relnamespace = 'public'::regnamespace AND relname IN {SHARED} AND NOT ({HIDDEN})"
    );
    assert_eq!(
        texts(&mut connection, &offenders).await,
        ["_sqlx_migrations"]
    );
}

#[tokio::test]
async fn keys_and_unique_indexes_begin_with_the_company() {
    let database = PostgresUnderTest::create().await;
    let mut connection = database.connection().await;
    let constraints = format!(
        "SELECT conname::text FROM pg_constraint
         JOIN pg_attribute ON attrelid = conrelid AND attnum = conkey[1]
         JOIN pg_class AS class ON class.oid = conrelid
         WHERE contype IN ('p', 'u', 'f') AND connamespace = 'public'::regnamespace
             AND relname NOT IN {SHARED} AND attname <> 'company_id'"
    );
    assert_eq!(
        texts(&mut connection, &constraints).await,
        Vec::<String>::new()
    );
    let indexes = format!(
        "SELECT indexrelid::regclass::text FROM pg_index
         JOIN pg_class ON pg_class.oid = indrelid AND relnamespace = 'public'::regnamespace
         JOIN pg_attribute ON attrelid = indrelid AND attnum = indkey[0]
         WHERE indisunique AND relname NOT IN {SHARED} AND attname <> 'company_id'"
    );
    // A key is looked up by its hash before its company is known.
    assert_eq!(texts(&mut connection, &indexes).await, ["api_keys_by_hash"]);
}

#[tokio::test]
async fn shared_limits_are_seen_in_units_of_work_only() {
    let database = PostgresUnderTest::create().await;
    let limits = Pacing {
        max_concurrent_calls: 7,
        pace: Pace::per_minute(60),
    };
    database
        .limit_provider("simulated", Some(limits))
        .await
        .unwrap();
    let mut connection = database.connection().await;
    let select = "SELECT provider FROM provider_queue";
    assert_eq!(texts(&mut connection, select).await, Vec::<String>::new());
    texts(&mut connection, "SET voicesurvey.scope = 'company'").await;
    assert_eq!(texts(&mut connection, select).await, ["simulated"]);
}

#[tokio::test]
async fn every_table_says_what_it_is_for() {
    let database = PostgresUnderTest::create().await;
    let mut connection = database.connection().await;
    let silent = format!(
        "SELECT relname::text FROM pg_class
         WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
             AND relname NOT IN {SHARED} AND obj_description(oid, 'pg_class') IS NULL"
    );
    assert_eq!(texts(&mut connection, &silent).await, Vec::<String>::new());
}

#[tokio::test]
async fn the_role_of_the_tests_is_bound_by_row_level_security() {
    let database = PostgresUnderTest::create().await;
    let mut connection = database.connection().await;
    let free = "SELECT rolname::text FROM pg_roles
                WHERE rolname = current_user AND (rolsuper OR rolbypassrls)";
    assert_eq!(texts(&mut connection, free).await, Vec::<String>::new());
}
