//! Plans: the queue's statements look at the rows they need, however large the tables are.

use super::*;
use crate::query_plan::{assert_uses, plan};

#[tokio::test]
async fn what_falls_due_next_is_read_from_partial_indexes() {
    assert_uses(PROMOTE, &["call_tasks_waiting"]).await;
    assert_uses(NEXT_DUE, &["call_tasks_waiting"]).await;
    assert_uses(EXPIRED_ATTEMPTS, &["call_attempts_leases"]).await;
    assert_uses(NEXT_EXPIRY, &["call_attempts_leases"]).await;
    assert_uses(NEXT_READY, &["company_queue_ready"]).await;
    assert_uses(NEXT_REVIEW, &["campaign_lanes_to_review"]).await;
}

#[tokio::test]
async fn a_promotion_sorts_nothing_but_the_rows_it_takes() {
    let plan = plan(PROMOTED_BY_COUNTER).await;
    assert!(
        plan.iter().any(|step| step.contains("call_tasks_waiting")),
        "{plan:#?}"
    );
}

#[tokio::test]
async fn campaigns_are_found_by_their_status() {
    let start = plan(CAMPAIGNS_TO_START).await;
    assert!(
        start
            .iter()
            .any(|step| step.contains("campaigns_scheduled")),
        "{start:#?}"
    );
    assert_uses(CAMPAIGNS_TO_END, &["campaigns_ending"]).await;
    assert_uses(NEXT_END, &["campaigns_ending"]).await;
    let wanting = ["campaigns_with_target", "campaigns_with_quotas"];
    assert_uses(CAMPAIGNS_AT_TARGET, &wanting).await;
    assert_uses(CAMPAIGNS_WITH_BUDGET, &["campaigns_with_budget"]).await;
    assert_uses(CAMPAIGNS_TO_EMPTY, &["campaign_counters_waiting"]).await;
    let finish = plan(CAMPAIGNS_TO_FINISH).await;
    assert!(
        finish.iter().any(|step| step.contains("campaigns_open")),
        "{finish:#?}"
    );
}
