//! Migrations: what a database says that has none, all, or more.

use std::collections::BTreeMap;
use std::num::NonZeroU16;

use chrono::TimeDelta;
use sqlx::migrate::Migrator;
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection as _};
use voicesurvey_core::audit::{Check, Finding};
use voicesurvey_core::call_attempt::CallAttempt;
use voicesurvey_core::call_rollup::{RolledUp, TalkBucket};
use voicesurvey_core::campaign::Campaign;
use voicesurvey_core::outcome::Outcome;
use voicesurvey_core::ports::repositories::CostCount;
use voicesurvey_core::ports::{
    Audit as _, ClaimedTask, PageRequest, Scope, Storage as _, StorageError, TaskQueue as _,
};
use voicesurvey_core::testing::samples::{self, SampleCampaign as _};
use voicesurvey_core::time::Timestamp;
use voicesurvey_postgres::testing::TestDatabase;
use voicesurvey_postgres::{MIGRATOR, PostgresStorage};

use crate::concurrency::claim;

fn what_is_missing(result: Result<(), StorageError>) -> String {
    match result {
        Err(StorageError::NotMigrated { what }) => what,
        other => panic!("taken for migrated: {other:?}"),
    }
}

#[tokio::test]
async fn an_empty_database_is_not_migrated_and_says_so() {
    let database = TestDatabase::create_empty().await;
    let what = what_is_missing(database.storage().check().await);
    assert_eq!(what, "no migration has been applied yet");
    let mut work = database.storage().begin(Scope::Platform).await.unwrap();
    let listed = work.companies().list(&PageRequest::default()).await;
    assert!(
        matches!(listed, Err(StorageError::NotMigrated { .. })),
        "{listed:?}"
    );
}

#[tokio::test]
async fn migrating_twice_is_the_same_as_once() {
    let database = TestDatabase::create_empty().await;
    database.storage().migrate().await.unwrap();
    database.storage().check().await.unwrap();
    database.storage().migrate().await.unwrap();
    database.storage().check().await.unwrap();
}

#[tokio::test]
async fn several_servers_may_migrate_at_once() {
    let database = TestDatabase::create_empty().await;
    let store = database.storage();
    let (first, second) = tokio::join!(store.migrate(), store.migrate());
    first.unwrap();
    second.unwrap();
    store.check().await.unwrap();
}

#[tokio::test]
async fn a_missing_a_changed_and_a_newer_migration_are_named() {
    let database = TestDatabase::create().await;
    let mut connection = PgConnection::connect(database.url()).await.unwrap();
    let newest = MIGRATOR.iter().last().unwrap();
    let last = newest.version;

    let newer = "INSERT INTO _sqlx_migrations
                     (version, description, success, checksum, execution_time)
                 VALUES (99990101000000, 'from the future', true, '', 0)";
    sqlx::query(newer).execute(&mut connection).await.unwrap();
    let what = what_is_missing(database.storage().check().await);
    assert_eq!(
        what,
        "migration 99990101000000 was applied by a newer version of this program"
    );
    assert_eq!(what_is_missing(database.storage().migrate().await), what);

    let change = "UPDATE _sqlx_migrations SET checksum = 'other' WHERE version = $1";
    sqlx::query(change)
        .bind(last)
        .execute(&mut connection)
        .await
        .unwrap();
    let what = what_is_missing(database.storage().check().await);
    assert!(what.starts_with(&format!("migration {last} was applied with other contents")));

    let forget = "DELETE FROM _sqlx_migrations WHERE version = $1";
    sqlx::query(forget)
        .bind(last)
        .execute(&mut connection)
        .await
        .unwrap();
    let what = what_is_missing(database.storage().check().await);
    assert_eq!(
        what,
        format!(
            "migration {last} ({}) has not been applied yet",
            newest.description
        )
    );
}

/// What was written before tasks had lanes.
const BEFORE_LANES: &str = "
    SET voicesurvey.scope = 'platform';
    INSERT INTO companies VALUES (
        '{company}', 'Acme', 'Europe/Rome', 'IT', 'it', 50, 600, '{now}', 1
    );
    INSERT INTO company_queue VALUES ('{company}', '{now}', 0, 50, 600, '{now}');
    INSERT INTO skillbases VALUES (
        '{company}', '{skillbase}', 'Acme', 'it', NULL, '{}', 600, '', true, '{now}', '{now}', 1
    );
    INSERT INTO campaigns (
        company_id, id, name, description, skillbase_id, status, settings, created_at, updated_at,
        version
    ) VALUES (
        '{company}', '{campaign}', 'Old', '', '{skillbase}', 'running', '{settings}', '{now}',
        '{now}', 1
    );
    INSERT INTO campaign_queue VALUES (
        '{company}', '{campaign}', true, '{now}', 0, 50, 600, 0, '{now}'
    );
    INSERT INTO call_tasks (
        company_id, id, campaign_id, phone_number, name, time_zones, priority, extra, status,
        due_at, claimable, attempts_count, attempts_spent, created_at, updated_at, version
    )
    SELECT '{company}', gen_random_uuid(), '{campaign}', '+39347000000' || number, 'Maria',
        ARRAY['Europe/Rome'], number % 2, '{}', 'pending', '{now}', number < 7, 0, 0, '{now}',
        '{now}', 1
    FROM generate_series(1, 9) AS number";

/// A database with the migrations before `version`, and a connection to it.
async fn migrated_before(version: i64) -> (TestDatabase, PgConnection) {
    let database = TestDatabase::create_empty().await;
    let mut connection = PgConnection::connect(database.url()).await.unwrap();
    let before = MIGRATOR
        .iter()
        .filter(|migration| migration.version < version)
        .cloned()
        .collect();
    Migrator::with_migrations(before)
        .run_direct(None, &mut connection, false)
        .await
        .unwrap();
    (database, connection)
}

/// Columns that the store of today writes, and that came later.
const LATER_COLUMNS: &str = "
    ALTER TABLE call_tasks ADD COLUMN cells text NOT NULL DEFAULT '';
    ALTER TABLE campaign_lanes ADD COLUMN cells text NOT NULL DEFAULT ''";

/// Before they come.
const WITHOUT_LATER_COLUMNS: &str = "
    ALTER TABLE call_tasks DROP COLUMN cells;
    ALTER TABLE campaign_lanes DROP COLUMN cells";

async fn execute(connection: &mut PgConnection, sql: &'static str) {
    sqlx::raw_sql(sql).execute(connection).await.unwrap();
}

#[tokio::test]
async fn tasks_from_before_there_were_lanes_are_called() {
    let (database, mut connection) = migrated_before(20_261_121_091_000).await;
    let company = samples::company();
    let campaign = samples::campaign(&company);
    let settings = serde_json::to_string(&campaign.settings).unwrap();
    let insert = BEFORE_LANES
        .replace("{company}", &company.id.to_string())
        .replace("{campaign}", &campaign.id.to_string())
        .replace("{skillbase}", &campaign.settings.skillbase_id.to_string())
        .replace("{settings}", &settings.replace('\'', "''"))
        .replace("{now}", &samples::now().to_string());
    sqlx::raw_sql(AssertSqlSafe(insert))
        .execute(&mut connection)
        .await
        .unwrap();

    let store = database.storage();
    store.migrate().await.unwrap();
    let mut work = store.begin(Scope::Company(company.id)).await.unwrap();
    let lanes = work.campaigns().lanes(campaign.id).await.unwrap();
    let claimable: Vec<u64> = lanes.iter().map(|lane| lane.claimable).collect();
    assert_eq!(claimable, [3, 3]);
    drop(work);
    // The pace leaves room for 7 at once.
    assert_eq!(claim(store, samples::now(), 20).await.len(), 6);
    assert_eq!(
        store
            .promote_due(samples::now(), NonZeroU16::MAX)
            .await
            .unwrap(),
        3
    );
    let a_second_later = samples::now() + TimeDelta::seconds(1);
    assert_eq!(claim(store, a_second_later, 20).await.len(), 3);
}

/// Claims as the program of today does, which asks a list that the schema did not have then.
async fn claim_before(
    connection: &mut PgConnection,
    store: &PostgresStorage,
    at_most: usize,
) -> Vec<ClaimedTask> {
    let list = "CREATE TABLE operator_exclusions (phone_number text PRIMARY KEY)";
    sqlx::raw_sql(list).execute(&mut *connection).await.unwrap();
    let claimed = claim(store, samples::now(), at_most).await;
    let list = "DROP TABLE operator_exclusions";
    sqlx::raw_sql(list).execute(connection).await.unwrap();
    claimed
}

/// The price of a call is stored, and nobody has counted it: so it is with calls from before.
const PRICED: &str = "
    SET voicesurvey.scope = 'platform';
    UPDATE call_attempts SET cost_amount = 0.0123445, cost_currency = 'EUR'
    WHERE phone_number <> '+393470000003'";

#[tokio::test]
async fn calls_that_were_priced_before_costs_were_counted_are_counted() {
    let (database, mut connection) = migrated_before(20_261_121_091_700).await;
    execute(&mut connection, LATER_COLUMNS).await;
    let store = database.storage();
    let company = samples::company();
    let campaign = samples::campaign(&company).running();
    let tasks = samples::tasks(&campaign, 1, 3);
    crate::concurrency::store(store, &company, &[(campaign.clone(), tasks)]).await;
    let calls = claim_before(&mut connection, store, 3).await;
    execute(&mut connection, PRICED).await;
    execute(&mut connection, WITHOUT_LATER_COLUMNS).await;

    store.migrate().await.unwrap();
    assert_eq!(store.audit(samples::now()).await.unwrap(), []);
    // Halves go to the even neighbour: 12,344.5 millionths, twice.
    let counted = CostCount {
        calls: 2,
        millionths: 24_688,
    };
    assert_eq!(
        costs(store, &campaign).await,
        [("EUR".into(), counted)].into()
    );

    // A price that turns out another one takes the old one off.
    let mut work = store.begin(Scope::Company(company.id)).await.unwrap();
    for call in &calls {
        let attempts = work.call_attempts();
        let attempt = attempts.get_for_update(call.attempt.id).await.unwrap();
        let free = CallAttempt {
            cost: None,
            ..attempt.unwrap()
        };
        attempts.update(&free).await.unwrap();
    }
    work.commit().await.unwrap();
    assert_eq!(costs(store, &campaign).await, BTreeMap::new());
    assert_eq!(store.audit(samples::now()).await.unwrap(), []);
}

/// A call has failed and has a price all the same, and it was counted as priced.
const FAILED_AND_PRICED: &str = "
    SET voicesurvey.scope = 'platform';
    UPDATE call_attempts SET outcome = 'provider_failure', cost_amount = 0.01, cost_currency = 'EUR'
    WHERE phone_number = '+393470000001';
    UPDATE call_attempts SET cost_amount = 0.02, cost_currency = 'EUR'
    WHERE phone_number = '+393470000002';
    INSERT INTO campaign_counters (company_id, campaign_id, kind, name, count)
    SELECT company_id, campaign_id, counter.kind, counter.name, counter.count
    FROM call_attempts
    CROSS JOIN (
        VALUES ('outcome', 'provider_failure', 1), ('cost_calls', 'EUR', 2),
            ('cost_millionths', 'EUR', 30000)
    ) AS counter (kind, name, count)
    WHERE phone_number = '+393470000001'";

#[tokio::test]
async fn failed_calls_that_were_counted_as_priced_are_so_no_longer() {
    let (database, mut connection) = migrated_before(20_261_121_091_900).await;
    execute(&mut connection, LATER_COLUMNS).await;
    let store = database.storage();
    let company = samples::company();
    let campaign = samples::campaign(&company).running();
    let tasks = samples::tasks(&campaign, 1, 2);
    crate::concurrency::store(store, &company, &[(campaign.clone(), tasks)]).await;
    assert_eq!(claim_before(&mut connection, store, 2).await.len(), 2);
    execute(&mut connection, FAILED_AND_PRICED).await;
    execute(&mut connection, WITHOUT_LATER_COLUMNS).await;
    store.migrate().await.unwrap();
    let counted = CostCount {
        calls: 1,
        millionths: 30_000,
    };
    assert_eq!(
        costs(store, &campaign).await,
        [("EUR".into(), counted)].into()
    );
    assert_eq!(store.audit(samples::now()).await.unwrap(), []);
}

/// Calls that ended before their sums were kept: one answered for 63 seconds and a half, one not, and
/// one is still live.
const ENDED_BEFORE_SUMS: &str = "
    SET voicesurvey.scope = 'platform';
    UPDATE call_attempts SET state = 'ended', outcome = 'completed',
        created_at = '2026-11-21T08:14:59.999999Z', answered_at = '2026-11-21T08:15:10Z',
        ended_at = '2026-11-21T08:16:13.5Z', cost_amount = 0.0123445, cost_currency = 'EUR'
    WHERE phone_number = '+393470000001';
    UPDATE call_attempts SET state = 'ended', created_at = '2026-11-21T08:15:00Z',
        ended_at = '2026-11-21T08:16:00Z'
    WHERE phone_number = '+393470000002'";

#[tokio::test]
async fn calls_that_ended_before_sums_were_kept_are_summed_up() {
    let (database, mut connection) = migrated_before(20_261_121_093_200).await;
    execute(&mut connection, LATER_COLUMNS).await;
    let store = database.storage();
    let company = samples::company();
    let campaign = samples::campaign(&company).running();
    let tasks = samples::tasks(&campaign, 1, 3);
    crate::concurrency::store(store, &company, &[(campaign.clone(), tasks)]).await;
    assert_eq!(claim(store, samples::now(), 3).await.len(), 3);
    execute(&mut connection, ENDED_BEFORE_SUMS).await;
    execute(&mut connection, WITHOUT_LATER_COLUMNS).await;
    store.migrate().await.unwrap();
    let mut work = store.begin(Scope::Company(company.id)).await.unwrap();
    let expected = [
        (RolledUp::Number(1), 2),
        (RolledUp::TalkSeconds, 63),
        (RolledUp::Talk(TalkBucket::of(63)), 1),
    ];
    let totals = work.call_rollups().totals(campaign.id).await.unwrap();
    assert_eq!(totals, expected.into());
    let quarter = |text: &str| text.parse::<Timestamp>().unwrap();
    let (first, second) = (
        quarter("2026-11-21T08:00:00Z"),
        quarter("2026-11-21T08:15:00Z"),
    );
    let (starts, end) = ([first, second], second + TimeDelta::minutes(15));
    let sections = work.call_rollups().sections(campaign.id, &starts, end);
    let expected = [
        ((first, RolledUp::Outcome(Some(Outcome::Completed))), 1),
        ((first, RolledUp::TalkSeconds), 63),
        // Halves go to the even neighbour.
        ((first, RolledUp::Cost("EUR".to_owned())), 12_344),
        ((second, RolledUp::Outcome(None)), 1),
    ];
    assert_eq!(sections.await.unwrap(), expected.into());
    drop(work);
    let findings = store.audit(samples::now()).await.unwrap();
    let is_of_sums = |finding: &Finding| finding.check == Check::CallRollups;
    assert!(!findings.iter().any(is_of_sums), "{findings:?}");
}

async fn costs(store: &PostgresStorage, campaign: &Campaign) -> BTreeMap<String, CostCount> {
    let scope = Scope::Company(campaign.company_id);
    let mut work = store.begin(scope).await.unwrap();
    work.campaigns().counters(campaign.id).await.unwrap().costs
}

/// Uploads as they were kept while their errors were one document.
const BEFORE_JOBS: &str = "
    INSERT INTO uploads VALUES (
        '{company}', '{upload}', '{campaign}', 'old.csv', ARRAY['phone'], 3, 1, 0, 0, 0,
        '[{\"row\": 4, \"column\": \"phone\", \"value\": \"x\", \"reason\": \"No\", \"original\": [\"x\", \"y\"]},
          {\"row\": 2, \"column\": \"phone\", \"value\": \"\", \"reason\": \"Empty\", \"original\": []}]',
        '{now}'
    ), (
        '{company}', '{other}', '{campaign}', 'fine.csv', ARRAY['phone'], 1, 1, 0, 0, 0, '[]', '{now}'
    );";

#[tokio::test]
async fn rows_that_were_not_taken_before_uploads_were_jobs_are_still_there() {
    let (database, mut connection) = migrated_before(20_261_121_091_000).await;
    let company = samples::company();
    let campaign = samples::campaign(&company);
    let (upload, other) = (samples::upload(&campaign), samples::upload(&campaign));
    let settings = serde_json::to_string(&campaign.settings).unwrap();
    let insert = format!("{BEFORE_LANES};{BEFORE_JOBS}")
        .replace("{company}", &company.id.to_string())
        .replace("{campaign}", &campaign.id.to_string())
        .replace("{skillbase}", &campaign.settings.skillbase_id.to_string())
        .replace("{settings}", &settings.replace('\'', "''"))
        .replace("{upload}", &upload.id.to_string())
        .replace("{other}", &other.id.to_string())
        .replace("{now}", &samples::now().to_string());
    sqlx::raw_sql(AssertSqlSafe(insert))
        .execute(&mut connection)
        .await
        .unwrap();
    let store = database.storage();
    store.migrate().await.unwrap();
    let mut work = store.begin(Scope::Company(company.id)).await.unwrap();
    let found = work.call_lists().get(upload.id).await.unwrap().unwrap();
    assert_eq!(found.columns, ["phone", ""]);
    assert_eq!(
        (found.errors_count, found.rows_read, found.percent),
        (2, 3, 100)
    );
    let errors = work.call_lists().errors(upload.id, 0, 10).await.unwrap();
    let rows: Vec<_> = errors
        .iter()
        .map(|error| (error.row, &*error.reason))
        .collect();
    assert_eq!(rows, [(2, "Empty"), (4, "No")]);
    assert_eq!(errors[1].original, ["x", "y"]);
    let fine = work.call_lists().get(other.id).await.unwrap().unwrap();
    assert_eq!((fine.columns.len(), fine.errors_count), (1, 0));
}
