//! The audit: it finds nothing in a store that keeps the promises, and what is late in one that does.

use chrono::TimeDelta;

use super::StorageUnderTest;
use super::support::{
    PROVIDER, at_most, begin, begin_as, change_campaign, claim, claim_all, commit, live_call,
    run_campaign, running_campaign, settle, store_tasks, stored_company,
};
use crate::audit::{Check, Finding, IDLE_AFTER, OVERDUE_AFTER};
use crate::call_attempt::CallAttempt;
use crate::campaign::Pacing;
use crate::conversation::SurveyResponse;
use crate::exclusion::{Exclusion, ExclusionSource};
use crate::gate::Reason;
use crate::money::Cost;
use crate::outcome::Outcome;
use crate::pace::Pace;
use crate::ports::{ClaimedTask, Scope};
use crate::testing::samples::{self, SampleCampaign, SampleTask};
use crate::time::Timestamp;

async fn audited(store: &dyn StorageUnderTest, now: Timestamp) -> Vec<Finding> {
    store.audit(now).await.expect("an audit is made")
}

/// Each check that has found something, with the number of rows.
async fn found(store: &dyn StorageUnderTest, now: Timestamp) -> Vec<(Check, u64)> {
    let findings = audited(store, now).await;
    let each = findings.iter();
    each.map(|finding| (finding.check, finding.rows)).collect()
}

/// Two campaigns that share numbers, with calls of every kind of end, prices, an opt-out, deletion,
/// and a provider account with limits: after every step the audit finds nothing.
pub async fn a_healthy_store_has_no_findings_after_a_mixed_history(store: &dyn StorageUnderTest) {
    const OUTCOMES: [Outcome; 6] = [
        Outcome::Busy,
        Outcome::Completed,
        Outcome::NoAnswer,
        Outcome::Refused,
        Outcome::ProviderFailure,
        Outcome::OptedOut,
    ];
    assert_eq!(audited(store, samples::now()).await, []);
    let company = stored_company(store).await;
    let campaigns = [
        run_campaign(store, samples::campaign(&company)).await,
        run_campaign(store, samples::campaign(&company)).await,
    ];
    let limits = Pacing {
        max_concurrent_calls: 8,
        pace: Pace::per_minute(6_000),
    };
    store.limit_provider(PROVIDER, Some(limits)).await.unwrap();
    let mut now = samples::now();
    let mut live: Vec<ClaimedTask> = Vec::new();
    let mut calls = 0;
    // A fixed sequence that looks like chance: the failing step can be found again.
    let mut chance: u32 = 9_021;
    for step in 0..60 {
        chance = chance.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let choice = chance >> 16;
        now += TimeDelta::seconds(i64::from(choice % 15));
        match choice % 5 {
            0 => {
                let campaign = &campaigns[usize::from(choice.is_multiple_of(2))];
                let mut work = begin(store, &company).await;
                let tasks = samples::tasks(campaign, choice % 40, 5);
                work.call_tasks().insert_many(&tasks).await.unwrap();
                commit(work).await;
            }
            1 | 2 => live.extend(claim(store, now, 3).await),
            _ => {
                store.promote_due(now, at_most(50)).await.unwrap();
                if let Some(call) = live.pop() {
                    end(
                        store,
                        &call,
                        OUTCOMES[choice as usize % OUTCOMES.len()],
                        now,
                    )
                    .await;
                    calls += 1;
                }
            }
        }
        assert_eq!(audited(store, now).await, [], "after step {step}");
    }
    assert!(calls > 10, "the history has calls in it: {calls}");
    let mut work = begin(store, &company).await;
    work.campaigns().delete(campaigns[0].id).await.unwrap();
    commit(work).await;
    assert_eq!(audited(store, now).await, [], "after the end of a campaign");
}

/// Ends a call that had its price; whoever opts out is excluded, as the engine does it.
async fn end(store: &dyn StorageUnderTest, call: &ClaimedTask, outcome: Outcome, now: Timestamp) {
    settle(store, call, outcome, now).await;
    let scope = Scope::Company(call.task.company_id);
    let mut work = begin_as(store, scope).await;
    let attempt = work.call_attempts().get(call.attempt.id).await.unwrap();
    let cost = Some(Cost {
        amount: "0.0125".parse().unwrap(),
        currency: "EUR".to_owned(),
    });
    let priced = CallAttempt {
        cost,
        ..attempt.expect("the attempt exists")
    };
    work.call_attempts().update(&priced).await.unwrap();
    if outcome == Outcome::OptedOut {
        let number = call.task.contact.phone_number;
        let exclusion = Exclusion {
            company_id: Some(call.task.company_id),
            phone_number: number,
            source: ExclusionSource::Spoken,
            attempt_id: Some(call.attempt.id),
            note: None,
            created_at: now,
            created_by: None,
        };
        work.exclusions().insert(&exclusion).await.unwrap();
        for task in work
            .call_tasks()
            .waiting_with_number(&number)
            .await
            .unwrap()
        {
            let ended = task.barred(Reason::Excluded, now);
            work.call_tasks().update(&ended).await.unwrap();
        }
    }
    commit(work).await;
}

/// A call whose outcome is known while the line is open, a lease that ran out a moment ago, and a
/// task that falls due now are all as they should be.
pub async fn what_is_under_way_is_no_finding(store: &dyn StorageUnderTest) {
    let (company, call) = live_call(store).await;
    assert_eq!(audited(store, samples::now()).await, []);
    let moments_later = call.attempt.lease_until + OVERDUE_AFTER - TimeDelta::seconds(1);
    assert_eq!(audited(store, moments_later).await, []);
    settle(store, &call, Outcome::Busy, samples::now()).await;
    let mut work = begin(store, &company).await;
    let task = work.call_tasks().get(call.task.id).await.unwrap().unwrap();
    commit(work).await;
    let due = task.state.due_at().expect("a busy line is called again");
    let moments_later = due + OVERDUE_AFTER - TimeDelta::seconds(1);
    assert_eq!(audited(store, moments_later).await, []);
}

/// A lease, a due time and a review that nobody looks after are found when they are overdue.
pub async fn what_is_late_is_found(store: &dyn StorageUnderTest) {
    let (company, campaign) = running_campaign(store).await;
    store_tasks(store, &samples::tasks(&campaign, 1, 1)).await;
    let calls = claim_all(store, samples::now()).await;
    let due = samples::now() + TimeDelta::minutes(1);
    let waiting = samples::task(&campaign, samples::phone_number(2).as_str()).due_at(due);
    store_tasks(store, &[waiting]).await;
    let late = calls[0].attempt.lease_until + OVERDUE_AFTER;
    let expected = [(Check::ExpiredLeases, 1), (Check::OverdueTasks, 1)];
    assert_eq!(found(store, late).await, expected);

    let findings = audited(store, late).await;
    let example = &findings[0].examples[0];
    assert_eq!(example.row, format!("attempt {}", calls[0].attempt.id));
    assert_eq!(example.company_id, Some(campaign.company_id));

    store.promote_due(late, at_most(9)).await.unwrap();
    let other = run_campaign(store, samples::campaign(&company)).await;
    store_tasks(store, &samples::tasks(&other, 5, 1)).await;
    let expected = [(Check::ExpiredLeases, 1), (Check::OverdueReviews, 1)];
    assert_eq!(found(store, late).await, expected);
}

/// People who could have been called for an hour are told of, unless something keeps the campaign
/// from calling them.
pub async fn people_who_could_be_called_and_are_not_are_told_of(store: &dyn StorageUnderTest) {
    let (_, campaign) = running_campaign(store).await;
    store_tasks(store, &samples::tasks(&campaign, 1, 3)).await;
    // Only the windows are worked out; nobody claims.
    store
        .review_lanes(samples::now(), at_most(9))
        .await
        .unwrap();
    let an_hour_later = samples::now() + IDLE_AFTER;
    let moments_before = an_hour_later - TimeDelta::seconds(1);
    assert_eq!(audited(store, moments_before).await, []);
    assert_eq!(found(store, an_hour_later).await, [(Check::IdleLanes, 1)]);
    change_campaign(store, campaign.paused()).await;
    assert_eq!(audited(store, an_hour_later).await, []);
}

/// A response that names the call of another task, and a complete one without consent, are found.
pub async fn a_response_without_its_call_or_consent_is_found(store: &dyn StorageUnderTest) {
    let (company, campaign) = running_campaign(store).await;
    store_tasks(store, &samples::tasks(&campaign, 1, 2)).await;
    let calls = claim_all(store, samples::now()).await;
    let put = async |response: SurveyResponse| {
        let mut work = begin(store, &company).await;
        work.interviews().put_response(&response).await.unwrap();
        commit(work).await;
        found(store, samples::now()).await
    };
    let wrong = [(Check::LinkedResponses, 1)];
    let attempt = &calls[0].attempt;
    let partial = SurveyResponse {
        complete: false,
        ..samples::response(attempt)
    };
    let elsewhere = SurveyResponse {
        attempt_id: calls[1].attempt.id,
        ..partial.clone()
    };
    assert_eq!(put(elsewhere).await, wrong);
    assert_eq!(put(partial.clone()).await, []);
    let complete = SurveyResponse {
        complete: true,
        ..partial
    };
    assert_eq!(put(complete).await, wrong);
    let mut work = begin(store, &company).await;
    let turn = samples::turn(attempt, 1);
    work.interviews()
        .insert_turns(std::slice::from_ref(&turn))
        .await
        .unwrap();
    let consent = samples::consent(attempt, &turn);
    assert!(consent.given);
    work.interviews().insert_consent(&consent).await.unwrap();
    commit(work).await;
    assert_eq!(found(store, samples::now()).await, []);
}
