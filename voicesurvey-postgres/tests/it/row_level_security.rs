//! The second wall: a statement that forgets its company still sees and changes only its own rows.

use std::sync::Arc;

use sqlx::Connection as _;
use sqlx::postgres::{PgConnection, PgTransaction};
use uuid::Uuid;
use voicesurvey_core::company::Company;
use voicesurvey_core::ports::{PageRequest, Scope, Storage as _, StorageError};
use voicesurvey_core::testing::samples;
use voicesurvey_core::time::SystemClock;

use crate::support::PostgresUnderTest;

/// A company with a campaign that has one task.
async fn company_with_task(database: &PostgresUnderTest) -> Company {
    let company = samples::company();
    let campaign = samples::campaign(&company);
    let mut work = database.begin(Scope::Platform).await.unwrap();
    work.companies().insert(&company).await.unwrap();
    work.skillbases()
        .insert(&samples::skillbase(&company))
        .await
        .unwrap();
    work.campaigns().insert(&campaign).await.unwrap();
    work.call_tasks()
        .insert_many(&samples::tasks(&campaign, 1, 1))
        .await
        .unwrap();
    work.commit().await.unwrap();
    company
}

/// A transaction with the settings of a unit of work.
async fn scoped<'c>(
    connection: &'c mut PgConnection,
    company_id: &str,
    scope: &str,
) -> PgTransaction<'c> {
    let mut transaction = connection.begin().await.unwrap();
    let set = "SELECT set_config('voicesurvey.company_id', $1, true),
                   set_config('voicesurvey.scope', $2, true)";
    let set = sqlx::query(set)
        .bind(company_id.to_owned())
        .bind(scope.to_owned());
    set.execute(&mut *transaction).await.unwrap();
    transaction
}

async fn companies_seen(connection: &mut PgConnection) -> Vec<Uuid> {
    let select = "SELECT company_id FROM call_tasks ORDER BY company_id";
    sqlx::query_scalar(select)
        .fetch_all(connection)
        .await
        .unwrap()
}

#[tokio::test]
async fn a_statement_without_a_where_sees_only_its_company() {
    let database = PostgresUnderTest::create().await;
    let ours = company_with_task(&database).await;
    let theirs = company_with_task(&database).await;
    let mut connection = database.connection().await;

    let mut work = scoped(&mut connection, &ours.id.to_string(), "company").await;
    assert_eq!(companies_seen(&mut work).await, [ours.id.as_uuid()]);
    drop(work);
    let mut work = scoped(&mut connection, "", "platform").await;
    assert_eq!(
        companies_seen(&mut work).await,
        [ours.id.as_uuid(), theirs.id.as_uuid()]
    );
}

#[tokio::test]
async fn without_a_scope_nothing_is_seen_also_after_a_unit_of_work() {
    let database = PostgresUnderTest::create().await;
    let ours = company_with_task(&database).await;
    let mut connection = database.connection().await;
    assert_eq!(companies_seen(&mut connection).await, Vec::<Uuid>::new());
    let work = scoped(&mut connection, &ours.id.to_string(), "company").await;
    work.commit().await.unwrap();
    // The setting is now an empty text and no longer absent.
    assert_eq!(companies_seen(&mut connection).await, Vec::<Uuid>::new());
}

#[tokio::test]
async fn a_statement_without_a_where_changes_only_its_company() {
    let database = PostgresUnderTest::create().await;
    let ours = company_with_task(&database).await;
    company_with_task(&database).await;
    let mut connection = database.connection().await;

    let mut work = scoped(&mut connection, &ours.id.to_string(), "company").await;
    let changed = sqlx::query("UPDATE call_tasks SET name = 'Somebody'")
        .execute(&mut *work)
        .await;
    assert_eq!(changed.unwrap().rows_affected(), 1);
    let deleted = sqlx::query("DELETE FROM campaigns")
        .execute(&mut *work)
        .await;
    assert_eq!(deleted.unwrap().rows_affected(), 1);
}

#[tokio::test]
async fn a_row_of_another_company_cannot_be_added() {
    let database = PostgresUnderTest::create().await;
    let ours = company_with_task(&database).await;
    let theirs = company_with_task(&database).await;
    let mut connection = database.connection().await;

    let mut work = scoped(&mut connection, &ours.id.to_string(), "company").await;
    let insert = "INSERT INTO exclusions (company_id, phone_number, source, created_at)
                  VALUES ($1, '+393470000001', 'staff', $2)";
    let insert = sqlx::query(insert)
        .bind(theirs.id.as_uuid())
        .bind(samples::now());
    let error = insert.execute(&mut *work).await.unwrap_err();
    assert_eq!(
        error.as_database_error().unwrap().code().as_deref(),
        Some("42501")
    );
}

#[tokio::test]
async fn who_leads_is_the_platforms_to_see_and_to_say() {
    let database = PostgresUnderTest::create().await;
    let company = company_with_task(&database).await;
    let mut connection = database.connection().await;
    let usurp = "UPDATE leadership SET epoch = epoch + 1, server = 'usurper'";
    for (id, scope, rows) in [
        (String::new(), "", 0),
        (company.id.to_string(), "company", 0),
        (String::new(), "platform", 1),
    ] {
        let mut work = scoped(&mut connection, &id, scope).await;
        for statement in ["SELECT epoch FROM leadership FOR SHARE", usurp] {
            let touched = sqlx::query(statement).execute(&mut *work).await.unwrap();
            assert_eq!(touched.rows_affected(), rows, "{scope}: {statement}");
        }
    }
    let mut work = scoped(&mut connection, &company.id.to_string(), "company").await;
    let insert = "INSERT INTO leadership (epoch, server) VALUES (7, 'usurper')";
    let error = sqlx::query(insert).execute(&mut *work).await.unwrap_err();
    let code = error.as_database_error().unwrap().code();
    assert_eq!(code.as_deref(), Some("42501"));
}

#[tokio::test]
async fn the_operators_list_is_asked_by_all_and_changed_by_the_platform() {
    let database = PostgresUnderTest::create().await;
    let company = company_with_task(&database).await;
    let number = samples::phone_number(1);
    let mut work = database.begin(Scope::Platform).await.unwrap();
    let exclusion = samples::operators_exclusion(number);
    work.exclusions().insert(&exclusion).await.unwrap();
    let removal = samples::exclusion_removal(&exclusion);
    work.exclusions().insert_removal(&removal).await.unwrap();
    work.commit().await.unwrap();
    let mut connection = database.connection().await;
    let lift = "UPDATE operator_exclusions SET note = 'lifted'";
    let remove = "DELETE FROM operator_exclusions";
    let removals = "SELECT id FROM operator_exclusion_removals";
    for (id, scope, asked, changed) in [
        (String::new(), "", 0, 0),
        (company.id.to_string(), "company", 1, 0),
        (String::new(), "platform", 1, 1),
    ] {
        let mut work = scoped(&mut connection, &id, scope).await;
        let ask = "SELECT phone_number FROM operator_exclusions";
        for (statement, rows) in [
            (ask, asked),
            (lift, changed),
            (remove, changed),
            (removals, changed),
        ] {
            let touched = sqlx::query(statement).execute(&mut *work).await.unwrap();
            assert_eq!(touched.rows_affected(), rows, "{scope}: {statement}");
        }
    }
    let mut work = scoped(&mut connection, &company.id.to_string(), "company").await;
    let insert = "INSERT INTO operator_exclusions (phone_number, source, created_at)
                  VALUES ('+393470000009', 'staff', $1)";
    let insert = sqlx::query(insert).bind(samples::now());
    let error = insert.execute(&mut *work).await.unwrap_err();
    let code = error.as_database_error().unwrap().code();
    assert_eq!(code.as_deref(), Some("42501"));
}

/// The duties of a leader that it does in a company's name, behind the fence.
#[tokio::test]
async fn behind_the_fence_a_company_sees_only_its_own_rows() {
    let database = PostgresUnderTest::create().await;
    let ours = company_with_task(&database).await;
    company_with_task(&database).await;
    let mut candidate = database.candidate("server", Arc::new(SystemClock));
    assert!(candidate.round().await.unwrap());
    let fenced = database.fenced(candidate.leadership());
    let scope = Scope::Company(ours.id);
    let mut work = fenced.begin(scope).await.unwrap();
    let campaigns = work.campaigns().list(None, &PageRequest::default()).await;
    let companies = campaigns.unwrap().rows.into_iter();
    let companies: Vec<_> = companies.map(|campaign| campaign.company_id).collect();
    assert_eq!(companies, [ours.id]);
    let strange = samples::company();
    let refused = work.companies().insert(&strange).await;
    assert!(matches!(refused, Err(StorageError::Conflict { .. })));
}
