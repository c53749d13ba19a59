//! What the scheduler looks after: tasks that fall due, leases, campaigns that start and finish.

use std::num::NonZeroU32;

use chrono::TimeDelta;

use super::StorageUnderTest;
use super::support::{
    PROVIDER, at_most, begin, begin_as, change_campaign, claim, claim_all, commit, run_campaign,
    running_campaign, settle, store_campaign, store_tasks, stored_attempt, stored_company,
    stored_task,
};
use crate::call_attempt::{AttemptState, CallAttempt};
use crate::call_task::{CallTask, TaskState};
use crate::campaign::{Budget, Campaign, CampaignStatus};
use crate::gate::Reason;
use crate::money::Cost;
use crate::outcome::Outcome;
use crate::ports::{AttemptKey, CampaignKey, ClaimedTask, Scope};
use crate::testing::samples::{self, SampleCampaign, SampleTask};
use crate::time::Timestamp;

fn after(seconds: i64) -> Timestamp {
    samples::now() + TimeDelta::seconds(seconds)
}

fn key(campaign: &Campaign) -> CampaignKey {
    CampaignKey {
        company_id: campaign.company_id,
        campaign_id: campaign.id,
    }
}

fn attempt_key(call: &ClaimedTask) -> AttemptKey {
    AttemptKey {
        company_id: call.attempt.company_id,
        attempt_id: call.attempt.id,
    }
}

/// A task is not claimed before its time, and not before it is made claimable.
pub async fn a_task_waits_for_its_time(store: &dyn StorageUnderTest) {
    let (_, campaign) = running_campaign(store).await;
    let task = samples::task(&campaign, "+393471234567").due_at(after(60));
    store_tasks(store, &[task]).await;
    assert_eq!(claim_all(store, samples::now()).await, []);
    assert_eq!(store.next_due_at().await.unwrap(), Some(after(60)));
    let too_early = after(60) - TimeDelta::microseconds(1);
    assert_eq!(store.promote_due(too_early, at_most(10)).await.unwrap(), 0);
    assert_eq!(store.promote_due(after(60), at_most(10)).await.unwrap(), 1);
    assert_eq!(store.promote_due(after(60), at_most(10)).await.unwrap(), 0);
    assert_eq!(
        store.next_due_at().await.unwrap(),
        None,
        "what is claimable does not wait"
    );
    assert_eq!(
        store.next_ready_at(PROVIDER).await.unwrap(),
        Some(after(60))
    );
    assert_eq!(claim_all(store, after(60)).await.len(), 1);
}

/// Tasks that fall due become pending with their due time, without a reason, earliest first.
pub async fn due_tasks_become_claimable_earliest_first(store: &dyn StorageUnderTest) {
    let (_, campaign) = running_campaign(store).await;
    let mut tasks = samples::tasks(&campaign, 1, 4);
    for (task, seconds) in tasks.iter_mut().zip([40, 10, 30, 20]) {
        task.state = TaskState::Retry {
            due_at: after(seconds),
        };
        task.attempts_count = 1;
        task.attempts_spent = 1;
        task.outcome = Some(Outcome::Busy);
        task.reason = Some(Reason::WaitsForRetry);
    }
    store_tasks(store, &tasks).await;
    assert_eq!(store.next_due_at().await.unwrap(), Some(after(10)));
    assert_eq!(store.promote_due(after(35), at_most(2)).await.unwrap(), 2);
    assert_eq!(store.next_due_at().await.unwrap(), Some(after(30)));
    for (index, due) in [(1, 10), (3, 20)] {
        let expected = CallTask {
            state: TaskState::Pending { due_at: after(due) },
            reason: None,
            updated_at: after(35),
            version: 2,
            ..tasks[index].clone()
        };
        assert_eq!(stored_task(store, tasks[index].id).await, expected);
    }
    assert_eq!(stored_task(store, tasks[2].id).await, tasks[2]);
    assert_eq!(store.promote_due(after(35), at_most(2)).await.unwrap(), 1);
    assert_eq!(claim_all(store, after(35)).await.len(), 3);
}

/// A task that is put back to a later instant waits for it again.
pub async fn a_postponed_task_waits_again(store: &dyn StorageUnderTest) {
    let (company, campaign) = running_campaign(store).await;
    let task = samples::task(&campaign, "+393471234567");
    store_tasks(store, std::slice::from_ref(&task)).await;
    let postponed = task.postponed(after(600), Reason::ProviderUnavailable, after(1));
    let mut work = begin(store, &company).await;
    work.call_tasks().update(&postponed).await.unwrap();
    commit(work).await;
    assert_eq!(claim_all(store, after(1)).await, []);
    assert_eq!(store.next_due_at().await.unwrap(), Some(after(600)));
    store.promote_due(after(600), at_most(1)).await.unwrap();
    assert_eq!(claim_all(store, after(600)).await.len(), 1);
}

/// A task that is written back as pending and due is claimable at once.
pub async fn a_task_that_is_due_when_written_is_claimable(store: &dyn StorageUnderTest) {
    let (company, campaign) = running_campaign(store).await;
    let task = samples::task(&campaign, "+393471234567").due_at(after(600));
    store_tasks(store, std::slice::from_ref(&task)).await;
    assert_eq!(claim_all(store, samples::now()).await, []);
    let sooner = CallTask {
        updated_at: after(5),
        ..task.due_at(after(5))
    };
    let mut work = begin(store, &company).await;
    work.call_tasks().update(&sooner).await.unwrap();
    commit(work).await;
    assert_eq!(store.next_ready_at(PROVIDER).await.unwrap(), Some(after(5)));
    assert_eq!(claim_all(store, after(5)).await.len(), 1);
}

/// Tasks of a campaign that does not run fall due too, but wake nobody until it runs.
pub async fn due_tasks_do_not_wake_a_paused_campaign(store: &dyn StorageUnderTest) {
    let (_, campaign) = running_campaign(store).await;
    let paused = change_campaign(store, campaign.paused()).await;
    store_tasks(
        store,
        &[samples::task(&paused, "+393471234567").due_at(after(60))],
    )
    .await;
    claim_all(store, samples::now()).await;
    assert_eq!(store.promote_due(after(60), at_most(10)).await.unwrap(), 1);
    assert_eq!(store.next_ready_at(PROVIDER).await.unwrap(), None);
    assert_eq!(claim_all(store, after(60)).await, []);
    change_campaign(
        store,
        Campaign {
            updated_at: after(90),
            ..paused.running()
        },
    )
    .await;
    assert_eq!(claim_all(store, after(90)).await.len(), 1);
}

/// Live attempts are found when their lease has run out, earliest first; ended ones never (I7).
pub async fn expired_leases_are_found(store: &dyn StorageUnderTest) {
    let (company, campaign) = running_campaign(store).await;
    store_tasks(store, &samples::tasks(&campaign, 1, 4)).await;
    let mut calls = Vec::new();
    for seconds in 0..4 {
        calls.extend(claim(store, after(seconds), 1).await);
    }
    settle(store, &calls[3], Outcome::Busy, after(9)).await;
    let extended = CallAttempt {
        state: AttemptState::Answered,
        lease_until: after(3_600),
        ..calls[0].attempt.clone()
    };
    let mut work = begin(store, &company).await;
    work.call_attempts().update(&extended).await.unwrap();
    commit(work).await;

    let expiry = after(601);
    assert_eq!(store.next_expiry_at().await.unwrap(), Some(expiry));
    let too_early = expiry - TimeDelta::microseconds(1);
    assert_eq!(
        store
            .expired_attempts(too_early, at_most(10))
            .await
            .unwrap(),
        []
    );
    let expired = store.expired_attempts(expiry, at_most(10)).await.unwrap();
    assert_eq!(expired, [attempt_key(&calls[1])]);
    let expired = store
        .expired_attempts(after(9_999), at_most(10))
        .await
        .unwrap();
    assert_eq!(expired, [1, 2, 0].map(|index| attempt_key(&calls[index])));
    let expired = store
        .expired_attempts(after(9_999), at_most(2))
        .await
        .unwrap();
    assert_eq!(expired, [1, 2].map(|index| attempt_key(&calls[index])));
}

/// Calls that may wait at the provider are looked after as soon as their campaign stops calling, and
/// no others.
pub async fn waiting_calls_are_found_when_their_campaign_stops(store: &dyn StorageUnderTest) {
    let (company, campaign) = running_campaign(store).await;
    store_tasks(store, &samples::tasks(&campaign, 1, 4)).await;
    let other = run_campaign(store, samples::campaign(&company)).await;
    store_tasks(store, &samples::tasks(&other, 5, 1)).await;
    let calls = claim_all(store, samples::now()).await;
    let (own, others): (Vec<_>, Vec<_>) = calls
        .into_iter()
        .partition(|call| call.attempt.campaign_id == campaign.id);
    let states = [
        AttemptState::Created,
        AttemptState::Accepted,
        AttemptState::Ringing,
        AttemptState::Answered,
    ];
    let mut work = begin(store, &company).await;
    for (call, state) in own.iter().zip(states).chain([(&others[0], states[1])]) {
        let attempt = CallAttempt {
            state,
            ..call.attempt.clone()
        };
        work.call_attempts().update(&attempt).await.unwrap();
    }
    commit(work).await;
    let running = Campaign {
        updated_at: after(10),
        ..campaign.clone()
    };
    let running = change_campaign(store, running).await;
    let expired = store.expired_attempts(after(60), at_most(10)).await;
    assert_eq!(expired.unwrap(), [], "it goes on");

    let paused = Campaign {
        updated_at: after(20),
        ..running.paused()
    };
    change_campaign(store, paused).await;
    assert_eq!(store.next_expiry_at().await.unwrap(), Some(after(20)));
    let expired = store.expired_attempts(after(60), at_most(10)).await;
    assert_eq!(expired.unwrap(), [attempt_key(&own[1])]);
    let waiting = stored_attempt(store, own[1].attempt.id).await;
    assert_eq!(waiting.lease_until, after(20));
}

/// Scheduled campaigns are found when their start has come, and no others.
pub async fn scheduled_campaigns_are_found_at_their_start(store: &dyn StorageUnderTest) {
    let company = stored_company(store).await;
    let scheduled = |seconds| {
        let mut campaign = samples::campaign(&company).in_status(CampaignStatus::Scheduled);
        campaign.settings.schedule.starts_at = Some(after(seconds));
        campaign
    };
    assert_eq!(store.next_start_at().await.unwrap(), None);
    let later = store_campaign(store, scheduled(60)).await;
    let sooner = store_campaign(store, scheduled(30)).await;
    store_campaign(store, scheduled(30).in_status(CampaignStatus::Draft)).await;
    store_campaign(store, scheduled(30).paused()).await;
    assert_eq!(store.next_start_at().await.unwrap(), Some(after(30)));
    let too_early = after(30) - TimeDelta::microseconds(1);
    assert_eq!(
        store
            .campaigns_to_start(too_early, at_most(10))
            .await
            .unwrap(),
        []
    );
    let found = store
        .campaigns_to_start(after(30), at_most(10))
        .await
        .unwrap();
    assert_eq!(found, [key(&sooner)]);
    let mut found = store
        .campaigns_to_start(after(60), at_most(10))
        .await
        .unwrap();
    found.sort_by_key(|found| found.campaign_id);
    assert_eq!(found, [key(&later), key(&sooner)]);
    assert_eq!(
        store
            .campaigns_to_start(after(60), at_most(1))
            .await
            .unwrap()
            .len(),
        1
    );
    change_campaign(store, sooner.running()).await;
    assert_eq!(store.next_start_at().await.unwrap(), Some(after(60)));
    let found = store
        .campaigns_to_start(after(60), at_most(10))
        .await
        .unwrap();
    assert_eq!(found, [key(&later)]);
}

/// A campaign is to finish when all its tasks have ended and no call is live; one that never had
/// a task is not.
pub async fn finished_campaigns_are_found(store: &dyn StorageUnderTest) {
    let company = stored_company(store).await;
    let campaign = run_campaign(store, samples::campaign(&company)).await;
    run_campaign(store, samples::campaign(&company)).await;
    let draft = store_campaign(store, samples::campaign(&company)).await;
    store_tasks(
        store,
        &[samples::tasks(&draft, 90, 1)[0]
            .clone()
            .in_state(TaskState::Failed)],
    )
    .await;
    store_tasks(store, &samples::tasks(&campaign, 1, 2)).await;
    let calls = claim_all(store, samples::now()).await;
    settle(store, &calls[0], Outcome::Completed, samples::now()).await;
    assert_eq!(store.campaigns_to_finish(at_most(10)).await.unwrap(), []);

    // The conversation has settled the task, but the line is not free yet.
    let mut work = begin(store, &company).await;
    let task = work
        .call_tasks()
        .get_for_update(calls[1].task.id)
        .await
        .unwrap()
        .unwrap();
    work.call_tasks()
        .update(&task.in_state(TaskState::Completed))
        .await
        .unwrap();
    commit(work).await;
    assert_eq!(store.campaigns_to_finish(at_most(10)).await.unwrap(), []);

    let mut work = begin(store, &company).await;
    let ended = calls[1]
        .attempt
        .clone()
        .ended(Outcome::Completed, samples::now());
    work.call_attempts().update(&ended).await.unwrap();
    commit(work).await;
    assert_eq!(
        store.campaigns_to_finish(at_most(10)).await.unwrap(),
        [key(&campaign)]
    );
    let paused = change_campaign(store, campaign.paused()).await;
    assert_eq!(
        store.campaigns_to_finish(at_most(10)).await.unwrap(),
        [key(&paused)]
    );
    change_campaign(store, paused.in_status(CampaignStatus::Completed)).await;
    assert_eq!(store.campaigns_to_finish(at_most(10)).await.unwrap(), []);
}

/// At most as many campaigns are told as were asked for.
pub async fn no_more_campaigns_are_told_than_asked_for(store: &dyn StorageUnderTest) {
    let company = stored_company(store).await;
    for first in [0, 10, 20] {
        let campaign = run_campaign(store, samples::campaign(&company)).await;
        let task = samples::tasks(&campaign, first, 1)[0].clone();
        store_tasks(store, &[task.in_state(TaskState::NotReached)]).await;
    }
    assert_eq!(
        store.campaigns_to_finish(at_most(2)).await.unwrap().len(),
        2
    );
    assert_eq!(
        store.campaigns_to_finish(at_most(9)).await.unwrap().len(),
        3
    );
}

/// Campaigns are found that are not winding up although as many people have answered as they want.
pub async fn campaigns_that_have_reached_their_target_are_found(store: &dyn StorageUnderTest) {
    let company = stored_company(store).await;
    let mut campaigns = Vec::new();
    for (first, target) in [
        (0, None),
        (10, NonZeroU32::new(3)),
        (20, NonZeroU32::new(2)),
    ] {
        let mut campaign = samples::campaign(&company);
        campaign.settings.target = target;
        let campaign = run_campaign(store, campaign).await;
        let mut tasks = samples::tasks(&campaign, first, 3);
        tasks[0] = tasks[0].clone().in_state(TaskState::Completed);
        tasks[1] = tasks[1].clone().in_state(TaskState::Refused);
        store_tasks(store, &tasks).await;
        campaigns.push(campaign);
    }
    let at_target = async || store.campaigns_at_target(at_most(9)).await.unwrap();
    assert_eq!(at_target().await, [], "one person has answered in each");
    let [_, _, wanted] = &campaigns[..] else {
        panic!("there are three");
    };
    let further = samples::tasks(wanted, 30, 1)[0].clone();
    store_tasks(store, &[further.in_state(TaskState::Completed)]).await;
    assert_eq!(at_target().await, [key(wanted)]);
    let paused = change_campaign(store, wanted.clone().paused()).await;
    assert_eq!(at_target().await, [key(wanted)], "it may be resumed");
    let wound_up = paused.wound_up(Reason::TargetReached, samples::now());
    change_campaign(store, wound_up).await;
    assert_eq!(at_target().await, []);
}

/// Of campaigns that have started, the frozen target counts.
pub async fn the_target_that_calls_follow_counts(store: &dyn StorageUnderTest) {
    let company = stored_company(store).await;
    let mut campaign = samples::campaign(&company);
    campaign.settings.target = NonZeroU32::new(1);
    let skillbase = samples::skillbase(&company);
    let mut campaign = campaign.frozen(&skillbase, samples::now());
    campaign.settings.target = None;
    let reached = run_campaign(store, campaign.clone()).await;
    campaign.id = samples::id();
    campaign.settings.target = NonZeroU32::new(1);
    let snapshot = campaign.snapshot.as_mut().expect("it is frozen");
    snapshot.settings.target = None;
    let without = run_campaign(store, campaign).await;
    for (first, campaign) in [(0, &reached), (10, &without)] {
        let task = samples::tasks(campaign, first, 1)[0].clone();
        store_tasks(store, &[task.in_state(TaskState::Completed)]).await;
    }
    let found = store.campaigns_at_target(at_most(9)).await.unwrap();
    assert_eq!(found, [key(&reached)]);
}

/// Campaigns whose budget allows no further call are found when their calls are over, however many
/// others have money left.
pub async fn campaigns_that_have_spent_their_budget_are_found(store: &dyn StorageUnderTest) {
    let company = stored_company(store).await;
    let mut campaigns = Vec::new();
    for _ in 0..3 {
        let mut campaign = samples::campaign(&company);
        campaign.settings.budget = Some(Budget {
            limit: cost("1.00", "EUR"),
            estimate_per_call: cost("0.30", "EUR").amount,
        });
        campaigns.push(run_campaign(store, campaign).await);
    }
    // The others come before it in every list.
    campaigns.sort_by_key(|campaign| campaign.id);
    let spends = campaigns.pop().expect("there are three");
    store_tasks(store, &samples::tasks(&spends, 1, 9)).await;
    let calls = claim_all(store, samples::now()).await;
    assert_eq!(calls.len(), 3, "0.90 is reserved");
    assert_eq!(to_pause(store).await, [], "while they are live");

    let now = samples::now();
    settle(store, &calls[0], Outcome::NoAnswer, now).await;
    settle(store, &calls[1], Outcome::NoAnswer, now).await;
    settle(store, &calls[2], Outcome::ProviderFailure, now).await;
    assert_eq!(to_pause(store).await, [], "that call costs nothing");
    price(store, &calls[0], cost("0.70", "EUR")).await;
    assert_eq!(to_pause(store).await, [key(&spends)], "0.30 is reserved");
    price(store, &calls[1], cost("9", "USD")).await;
    let in_another_currency = to_pause(store).await;
    assert_eq!(
        in_another_currency,
        [key(&spends)],
        "nobody knows what that is in EUR"
    );
    price(store, &calls[1], cost("0", "EUR")).await;
    assert_eq!(to_pause(store).await, [], "0.30 is just enough");
    price(store, &calls[0], cost("0.700001", "EUR")).await;
    assert_eq!(to_pause(store).await, [key(&spends)]);
    change_campaign(store, spends.paused()).await;
    assert_eq!(to_pause(store).await, []);
}

/// A campaign that waited for prices is visited when one leaves more than was reserved.
pub async fn a_price_wakes_a_campaign_that_waits_for_its_budget(store: &dyn StorageUnderTest) {
    let company = stored_company(store).await;
    let mut campaign = samples::campaign(&company).with_lines(9);
    campaign.settings.budget = Some(Budget {
        limit: cost("1.00", "EUR"),
        estimate_per_call: cost("0.30", "EUR").amount,
    });
    let campaign = run_campaign(store, campaign).await;
    store_tasks(store, &samples::tasks(&campaign, 1, 9)).await;
    let calls = claim_all(store, samples::now()).await;
    assert_eq!(calls.len(), 3, "0.90 is reserved");
    assert_eq!(claim_all(store, after(60)).await, []);
    assert_eq!(store.next_ready_at(PROVIDER).await.unwrap(), None);
    price(store, &calls[0], cost("0.10", "EUR")).await;
    assert_eq!(claim_all(store, after(60)).await.len(), 1, "0.30 is left");
}

/// The first campaign to be paused.
async fn to_pause(store: &dyn StorageUnderTest) -> Vec<CampaignKey> {
    store.campaigns_to_pause(at_most(1)).await.unwrap()
}

fn cost(amount: &str, currency: &str) -> Cost {
    Cost {
        amount: amount.parse().expect("a sample's amount can be read"),
        currency: currency.to_owned(),
    }
}

/// The provider says what a call has cost.
async fn price(store: &dyn StorageUnderTest, call: &ClaimedTask, cost: Cost) {
    let mut attempt = stored_attempt(store, call.attempt.id).await;
    attempt.cost = Some(cost);
    let mut work = begin_as(store, Scope::Company(attempt.company_id)).await;
    work.call_attempts().update(&attempt).await.unwrap();
    commit(work).await;
}
