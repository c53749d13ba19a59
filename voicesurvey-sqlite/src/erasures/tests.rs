//! Plans of the statements.

use super::*;
use crate::query_plan::assert_uses;

#[tokio::test]
async fn a_person_is_found_by_an_index_in_every_campaign() {
    let by_number = "(company_id=? AND campaign_id=? AND phone_number=?)";
    assert_uses(TASKS_WITH_NUMBER, &[by_number]).await;
}

#[tokio::test]
async fn what_subscribers_were_told_of_a_person_is_found_by_an_index() {
    let by_task = "outbox_events_of_task (company_id=? AND <expr>=?)";
    assert_uses(FORGET_EVENTS, &[by_task]).await;
}

#[tokio::test]
async fn people_with_further_numbers_are_found_by_an_index() {
    let by_company = "call_tasks_with_further_numbers (company_id=?)";
    assert_uses(WITH_FURTHER_NUMBER, &[by_company]).await;
}

#[tokio::test]
async fn recordings_of_nobody_are_found_by_an_index() {
    let some = NonZeroU16::new(20).unwrap();
    let company = voicesurvey_core::testing::samples::id();
    for scope in [Scope::Company(company), Scope::Platform] {
        let select = recorded_calls(scope, "twilio", None, some);
        let sql = select.to_string(sea_query::SqliteQueryBuilder);
        let plan = crate::query_plan::plan(&sql).await;
        let by_index = |step: &String| step.contains("call_attempts_recorded_of_nobody");
        assert!(plan.iter().any(by_index), "{plan:#?}");
    }
}

#[tokio::test]
async fn rows_that_were_not_taken_are_read_in_the_order_of_their_key() {
    assert_uses(
        SOME_UPLOAD_ERRORS,
        &["PRIMARY KEY (company_id=? AND (upload_id,row_number)>(?,?))"],
    )
    .await;
}
