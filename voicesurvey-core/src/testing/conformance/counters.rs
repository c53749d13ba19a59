//! Counters: they equal the rows they count, after every kind of change (I12).

use std::collections::BTreeMap;

use chrono::TimeDelta;

use super::StorageUnderTest;
use super::support::{
    all_pages, at_most, begin, begin_as, claim, claim_all, commit, run_campaign, running_campaign,
    settle, store_tasks, stored_company,
};
use crate::call_attempt::{AttemptState, CallAttempt};
use crate::call_task::{TaskState, TaskStatus};
use crate::gate::Reason;
use crate::id::CampaignId;
use crate::outcome::Outcome;
use crate::ports::repositories::{CallAttemptFilter, CallTaskFilter, CampaignCounters};
use crate::ports::{ClaimedTask, Scope, UnitOfWork};
use crate::testing::samples::{self, SampleTask};

/// What the campaign's rows add up to when they are read one by one.
async fn recounted(work: &mut dyn UnitOfWork, id: CampaignId) -> CampaignCounters {
    let tasks = CallTaskFilter {
        campaign_id: Some(id),
        ..CallTaskFilter::default()
    };
    let attempts = CallAttemptFilter {
        campaign_id: Some(id),
        ..CallAttemptFilter::default()
    };
    let mut counters = CampaignCounters::default();
    for task in all_pages!(100, |page| work.call_tasks().list(&tasks, page)) {
        add(&mut counters.tasks, Some(task.state.status()));
        add(&mut counters.reasons, task.reason);
    }
    for attempt in all_pages!(100, |page| work.call_attempts().list(&attempts, page)) {
        add(&mut counters.attempts, Some(attempt.state));
        add(&mut counters.outcomes, attempt.outcome);
    }
    counters
}

fn add<K: Ord>(counts: &mut BTreeMap<K, u64>, key: Option<K>) {
    if let Some(key) = key {
        *counts.entry(key).or_default() += 1;
    }
}

/// Fails unless the counters equal the rows; returns them.
async fn checked(store: &dyn StorageUnderTest, id: CampaignId) -> CampaignCounters {
    let mut work = begin_as(store, Scope::Platform).await;
    let kept = work.campaigns().counters(id).await.unwrap();
    assert_eq!(kept, recounted(&mut *work, id).await);
    kept
}

/// A campaign without rows counts nothing.
pub async fn an_empty_campaign_counts_nothing(store: &dyn StorageUnderTest) {
    let (_, campaign) = running_campaign(store).await;
    assert_eq!(
        checked(store, campaign.id).await,
        CampaignCounters::default()
    );
}

/// Added tasks are counted, those that are passed over are not, and a dropped unit of work leaves
/// the counters alone.
pub async fn counters_follow_added_tasks(store: &dyn StorageUnderTest) {
    let (company, campaign) = running_campaign(store).await;
    let mut tasks = samples::tasks(&campaign, 1, 4);
    tasks[3] = tasks[3].clone().in_state(TaskState::Excluded);
    tasks[3].reason = Some(Reason::Excluded);
    store_tasks(store, &tasks).await;
    let mut work = begin(store, &company).await;
    work.call_tasks()
        .insert_many(&samples::tasks(&campaign, 3, 4))
        .await
        .unwrap();
    commit(work).await;
    let mut work = begin(store, &company).await;
    work.call_tasks()
        .insert_many(&samples::tasks(&campaign, 50, 9))
        .await
        .unwrap();
    drop(work);
    let counters = checked(store, campaign.id).await;
    let expected = [(TaskStatus::Pending, 5), (TaskStatus::Excluded, 1)];
    assert_eq!(counters.tasks, BTreeMap::from(expected));
    assert_eq!(counters.reasons, BTreeMap::from([(Reason::Excluded, 1)]));
}

/// Counters follow a call from its claim to its end and its task to its settlement.
pub async fn counters_follow_calls(store: &dyn StorageUnderTest) {
    let (company, campaign) = running_campaign(store).await;
    store_tasks(store, &samples::tasks(&campaign, 1, 3)).await;
    let calls = claim_all(store, samples::now()).await;
    let counters = checked(store, campaign.id).await;
    assert_eq!(
        counters.tasks,
        BTreeMap::from([(TaskStatus::InProgress, 3)])
    );
    assert_eq!(
        counters.attempts,
        BTreeMap::from([(AttemptState::Created, 3)])
    );

    let mut attempt = calls[0].attempt.clone();
    for state in [
        AttemptState::Accepted,
        AttemptState::Ringing,
        AttemptState::Answered,
    ] {
        let mut work = begin(store, &company).await;
        work.call_attempts()
            .update(&CallAttempt { state, ..attempt })
            .await
            .unwrap();
        attempt = work
            .call_attempts()
            .get(calls[0].attempt.id)
            .await
            .unwrap()
            .unwrap();
        commit(work).await;
        checked(store, campaign.id).await;
    }
    let outcomes = [Outcome::Completed, Outcome::Busy, Outcome::Refused];
    for (call, outcome) in calls.iter().zip(outcomes) {
        settle(store, call, outcome, samples::now()).await;
        checked(store, campaign.id).await;
    }
    let counters = checked(store, campaign.id).await;
    assert_eq!(
        counters.attempts,
        BTreeMap::from([(AttemptState::Ended, 3)])
    );
    assert_eq!(
        counters.outcomes,
        outcomes.map(|outcome| (outcome, 1)).into()
    );
    assert_eq!(counters.open_tasks(), 1);
}

/// Counters follow tasks that fall due, are turned away by the gate, and are cancelled.
pub async fn counters_follow_promotion_the_gate_and_cancelling(store: &dyn StorageUnderTest) {
    let (company, campaign) = running_campaign(store).await;
    let later = samples::now() + TimeDelta::hours(1);
    let mut tasks = samples::tasks(&campaign, 1, 6);
    for task in &mut tasks[..4] {
        task.state = TaskState::Retry { due_at: later };
        task.reason = Some(Reason::WaitsForRetry);
    }
    store_tasks(store, &tasks).await;
    assert_eq!(store.promote_due(later, at_most(3)).await.unwrap(), 3);
    let counters = checked(store, campaign.id).await;
    assert_eq!(counters.tasks_in(TaskStatus::Retry), 1);

    let mut work = begin(store, &company).await;
    let exclusion = samples::exclusion(&company, tasks[5].contact.phone_number);
    work.exclusions().insert(&exclusion).await.unwrap();
    commit(work).await;
    claim_all(store, later).await;
    let counters = checked(store, campaign.id).await;
    assert_eq!(counters.tasks_in(TaskStatus::Excluded), 1);
    assert_eq!(counters.tasks_in(TaskStatus::InProgress), 4);

    let mut work = begin(store, &company).await;
    work.call_tasks()
        .cancel_waiting(campaign.id, Reason::CampaignEnded, later, at_most(1_000))
        .await
        .unwrap();
    commit(work).await;
    let counters = checked(store, campaign.id).await;
    assert_eq!(counters.tasks_in(TaskStatus::Cancelled), 1);
    assert_eq!(counters.reasons.get(&Reason::CampaignEnded), Some(&1));
}

/// Counters equal the rows after a long mixed history of two campaigns that share numbers.
pub async fn counters_survive_a_long_mixed_history(store: &dyn StorageUnderTest) {
    const OUTCOMES: [Outcome; 6] = [
        Outcome::Busy,
        Outcome::Completed,
        Outcome::NoAnswer,
        Outcome::Refused,
        Outcome::ProviderFailure,
        Outcome::InvalidNumber,
    ];
    let company = stored_company(store).await;
    let campaigns = [
        run_campaign(store, samples::campaign(&company)).await,
        run_campaign(store, samples::campaign(&company)).await,
    ];
    let mut now = samples::now();
    let mut live: Vec<ClaimedTask> = Vec::new();
    // A fixed sequence that looks like chance: the failing step can be found again.
    let mut chance: u32 = 18_446;
    for step in 0..120 {
        chance = chance.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let choice = chance >> 16;
        now += TimeDelta::minutes(i64::from(choice % 7));
        match choice % 5 {
            0 => {
                let campaign = &campaigns[usize::from(choice.is_multiple_of(2))];
                let mut work = begin(store, &company).await;
                let tasks = samples::tasks(campaign, choice % 40, 5);
                work.call_tasks().insert_many(&tasks).await.unwrap();
                commit(work).await;
            }
            1 => {
                store.promote_due(now, at_most(7)).await.unwrap();
            }
            2 => live.extend(claim(store, now, 4).await),
            _ => {
                if let Some(call) = live.pop() {
                    let outcome = OUTCOMES[choice as usize % OUTCOMES.len()];
                    settle(store, &call, outcome, now).await;
                }
            }
        }
        if step % 20 == 19 {
            for campaign in &campaigns {
                checked(store, campaign.id).await;
            }
        }
    }
    let attempts = checked(store, campaigns[0].id).await.total_attempts()
        + checked(store, campaigns[1].id).await.total_attempts();
    assert!(attempts > 20, "the history has calls in it: {attempts}");
}
