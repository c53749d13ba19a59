//! The queue: who is claimed, by whom, and in which order.

use std::collections::HashSet;

use chrono::TimeDelta;
use futures_util::future::join_all;

use super::StorageUnderTest;
use super::support::{
    PROVIDER, all_pages, assert_conflict, at_most, begin, begin_as, change_campaign, claim,
    claim_all, claim_request, commit, live_call, run_campaign, running_campaign, settle,
    store_campaign, store_tasks, stored_company, stored_task,
};
use crate::call_task::{CallTask, TaskEvent, TaskState};
use crate::calling_hours::CallingHours;
use crate::campaign::{Campaign, CampaignStatus};
use crate::gate::Reason;
use crate::id::{CallAttemptId, CallTaskId};
use crate::outcome::Outcome;
use crate::ports::repositories::CallAttemptFilter;
use crate::ports::{ClaimRequest, ClaimedTask, Scope};
use crate::testing::samples::{self, SampleCampaign, SampleTask};

/// Nothing is claimed from an empty store, and nothing is ready.
pub async fn an_empty_queue_has_nothing_to_claim(store: &dyn StorageUnderTest) {
    assert_eq!(claim(store, samples::now(), 10).await, []);
    assert_eq!(store.next_ready_at(PROVIDER).await.unwrap(), None);
    assert_eq!(store.next_due_at().await.unwrap(), None);
    assert_eq!(store.next_expiry_at().await.unwrap(), None);
}

/// A claim commits the task in progress and its attempt, as it was asked for (I2).
pub async fn a_claim_commits_task_and_attempt(store: &dyn StorageUnderTest) {
    let (company, campaign) = running_campaign(store).await;
    let task = samples::task(&campaign, "+393471234567");
    store_tasks(store, std::slice::from_ref(&task)).await;
    let now = samples::now() + TimeDelta::microseconds(3);
    let request = ClaimRequest {
        provider: "twilio".to_owned(),
        ..claim_request(now, 3)
    };
    store.review_lanes(now, at_most(10)).await.unwrap();
    let claimed = store.claim_due(&request).await.unwrap().tasks;
    let [
        ClaimedTask {
            task: claimed,
            attempt,
        },
    ] = claimed.as_slice()
    else {
        panic!("one task is claimed: {claimed:?}");
    };
    assert!(request.attempt_ids.contains(&attempt.id));
    let event = TaskEvent::Claimed {
        attempt_id: attempt.id,
    };
    assert_eq!(
        *claimed,
        CallTask {
            version: 2,
            ..task.on(event, now).unwrap()
        }
    );
    assert_eq!(
        (attempt.task_id, attempt.campaign_id),
        (claimed.id, campaign.id)
    );
    assert_eq!((attempt.company_id, attempt.created_at), (company.id, now));
    assert_eq!(attempt.provider, request.provider);
    assert_eq!(attempt.dial_before, request.dial_before);
    assert_eq!(attempt.lease_until, request.lease_until);
    let mut work = begin(store, &company).await;
    let stored = work.call_tasks().get(claimed.id).await.unwrap();
    assert_eq!(stored.as_ref(), Some(claimed));
    let stored = work.call_attempts().get(attempt.id).await.unwrap();
    assert_eq!(stored.as_ref(), Some(attempt));
}

/// A claim takes at most as many tasks as were asked for, also none.
pub async fn a_claim_takes_at_most_what_was_asked_for(store: &dyn StorageUnderTest) {
    let company = stored_company(store).await;
    for first in [0, 100, 200] {
        let campaign = run_campaign(store, samples::campaign(&company)).await;
        store_tasks(store, &samples::tasks(&campaign, first, 20)).await;
    }
    assert_eq!(claim(store, samples::now(), 0).await, []);
    assert_eq!(claim(store, samples::now(), 1).await.len(), 1);
    assert_eq!(claim(store, samples::now(), 7).await.len(), 7);
    assert_eq!(claim_all(store, samples::now()).await.len(), 52);
}

/// However many claim at once, a task is claimed once, and all tasks are (I3).
pub async fn concurrent_claims_never_share_a_task(store: &dyn StorageUnderTest) {
    let mut added = HashSet::new();
    for _ in 0..2 {
        let company = stored_company(store).await;
        for first in [0, 1_000] {
            let campaign = run_campaign(store, samples::campaign(&company)).await;
            let tasks = samples::tasks(&campaign, first, 60);
            added.extend(tasks.iter().map(|task| task.id));
            store_tasks(store, &tasks).await;
        }
    }
    let mut claimed = Vec::new();
    for _ in 0..3 {
        let claims = (0..8).map(|_| claim(store, samples::now(), 5));
        claimed.extend(join_all(claims).await.into_iter().flatten());
    }
    claimed.extend(claim_all(store, samples::now()).await);
    let tasks: HashSet<CallTaskId> = claimed.iter().map(|call| call.task.id).collect();
    let attempts: HashSet<CallAttemptId> = claimed.iter().map(|call| call.attempt.id).collect();
    assert_eq!((claimed.len(), attempts.len()), (added.len(), added.len()));
    assert_eq!(tasks, added);
}

/// Within a campaign the highest priority comes first, then the earliest due.
pub async fn priority_comes_before_due_time(store: &dyn StorageUnderTest) {
    let (_, campaign) = running_campaign(store).await;
    let due = |seconds| samples::now() - TimeDelta::seconds(seconds);
    let places = [(0, 10), (5, 20), (-100, 99), (5, 30), (0, 40), (100, 1)];
    let tasks: Vec<CallTask> = samples::tasks(&campaign, 1, 6)
        .into_iter()
        .zip(places)
        .map(|(task, (priority, seconds))| task.with_priority(priority).due_at(due(seconds)))
        .collect();
    store_tasks(store, &tasks).await;
    for place in [5, 3, 1, 4, 0, 2] {
        let claimed = claim(store, samples::now(), 1).await;
        assert_eq!(claimed[0].task.id, tasks[place].id, "place {place}");
    }
}

/// Only campaigns that run are called.
pub async fn only_running_campaigns_are_called(store: &dyn StorageUnderTest) {
    let company = stored_company(store).await;
    for (status, first) in CampaignStatus::ALL
        .into_iter()
        .zip([0, 100, 200, 300, 400, 500])
    {
        let campaign = store_campaign(store, samples::campaign(&company)).await;
        let campaign = change_campaign(store, campaign.in_status(status)).await;
        store_tasks(store, &samples::tasks(&campaign, first, 2)).await;
    }
    let claimed = claim_all(store, samples::now()).await;
    let numbers: HashSet<_> = claimed
        .iter()
        .map(|call| call.attempt.phone_number)
        .collect();
    assert_eq!(
        numbers,
        HashSet::from([samples::phone_number(200), samples::phone_number(201)])
    );
}

/// A paused campaign is not called until it is resumed, and then goes on where it stopped.
pub async fn a_resumed_campaign_goes_on(store: &dyn StorageUnderTest) {
    let (company, campaign) = running_campaign(store).await;
    store_tasks(store, &samples::tasks(&campaign, 1, 3)).await;
    let first = claim(store, samples::now(), 1).await;
    let paused = change_campaign(store, campaign.paused()).await;
    assert_eq!(claim(store, samples::now(), 10).await, []);
    // Neither a list nor a call that ends wakes a paused campaign.
    store_tasks(store, &samples::tasks(&paused, 11, 1)).await;
    settle(store, &first[0], Outcome::Completed, samples::now()).await;
    assert_eq!(claim(store, samples::now(), 10).await, []);

    let resumed_at = samples::now() + TimeDelta::hours(1);
    change_campaign(
        store,
        Campaign {
            updated_at: resumed_at,
            ..paused.running()
        },
    )
    .await;
    assert_eq!(claim(store, resumed_at, 10).await.len(), 3);
    let mut work = begin(store, &company).await;
    let filter = CallAttemptFilter::default();
    assert_eq!(
        all_pages!(10, |page| work.call_attempts().list(&filter, page)).len(),
        4
    );
}

/// A list that is added to a running campaign is called, also long after nothing was left to do.
pub async fn added_tasks_wake_a_running_campaign(store: &dyn StorageUnderTest) {
    let (_, campaign) = running_campaign(store).await;
    assert_eq!(claim(store, samples::now(), 10).await, []);
    assert_eq!(store.next_ready_at(PROVIDER).await.unwrap(), None);
    let later = samples::now() + TimeDelta::hours(5);
    let task = samples::task(&campaign, "+393471234567").due_at(later);
    let task = CallTask {
        created_at: later,
        updated_at: later,
        ..task
    };
    store_tasks(store, &[task]).await;
    assert_eq!(store.next_ready_at(PROVIDER).await.unwrap(), Some(later));
    assert_eq!(claim(store, later, 10).await.len(), 1);
}

/// A number that is being called is passed over, in all campaigns of its company, and called when
/// that call has ended (I3).
pub async fn a_number_is_called_once_at_a_time(store: &dyn StorageUnderTest) {
    let company = stored_company(store).await;
    let first = run_campaign(store, samples::campaign(&company)).await;
    let second = run_campaign(store, samples::campaign(&company)).await;
    store_tasks(store, &samples::tasks(&first, 1, 1)).await;
    store_tasks(store, &samples::tasks(&second, 1, 2)).await;
    let claimed = claim_all(store, samples::now()).await;
    let mut numbers: Vec<_> = claimed
        .iter()
        .map(|call| call.attempt.phone_number)
        .collect();
    numbers.sort();
    assert_eq!(
        numbers,
        [samples::phone_number(1), samples::phone_number(2)]
    );

    let busy = samples::phone_number(1);
    let call = claimed
        .iter()
        .find(|call| call.attempt.phone_number == busy)
        .unwrap();
    let a_minute_later = samples::now() + TimeDelta::minutes(1);
    assert_eq!(
        claim_all(store, a_minute_later).await,
        [],
        "the call still goes on"
    );
    settle(store, call, Outcome::Completed, a_minute_later).await;
    let again = claim_all(store, a_minute_later + TimeDelta::minutes(1)).await;
    assert_eq!(again.len(), 1);
    assert_eq!(again[0].attempt.phone_number, busy);
    assert_ne!(again[0].task.campaign_id, call.task.campaign_id);
}

/// Companies do not block each other's numbers (I11).
pub async fn two_companies_may_call_one_number(store: &dyn StorageUnderTest) {
    for _ in 0..2 {
        let (_, campaign) = running_campaign(store).await;
        store_tasks(store, &samples::tasks(&campaign, 1, 1)).await;
    }
    assert_eq!(claim_all(store, samples::now()).await.len(), 2);
}

/// Whoever read a task before it was claimed can no longer change it.
pub async fn a_claim_makes_older_copies_stale(store: &dyn StorageUnderTest) {
    let (company, campaign) = running_campaign(store).await;
    let task = samples::task(&campaign, "+393471234567");
    store_tasks(store, std::slice::from_ref(&task)).await;
    let call = claim(store, samples::now(), 1).await.pop().unwrap();
    let mut work = begin(store, &company).await;
    assert_conflict(work.call_tasks().update(&task).await);
    drop(work);
    settle(store, &call, Outcome::Refused, samples::now()).await;
    let mut work = begin(store, &company).await;
    assert_conflict(work.call_tasks().update(&call.task).await);
}

/// A small claim does not always serve the same company, nor the same campaign of a company.
pub async fn companies_and_campaigns_take_turns(store: &dyn StorageUnderTest) {
    let mut campaigns = HashSet::new();
    for _ in 0..2 {
        let company = stored_company(store).await;
        for first in [0, 1_000] {
            let campaign = run_campaign(store, samples::campaign(&company)).await;
            store_tasks(store, &samples::tasks(&campaign, first, 40)).await;
            campaigns.insert(campaign.id);
        }
    }
    let mut served = HashSet::new();
    for seconds in 0..8 {
        let now = samples::now() + TimeDelta::seconds(seconds);
        let claimed = claim(store, now, 2).await;
        assert_eq!(claimed.len(), 2);
        served.extend(claimed.iter().map(|call| call.task.campaign_id));
    }
    assert_eq!(served, campaigns);
}

/// The gate is asked within the claim: an excluded number is not called, and says why (I8).
pub async fn an_excluded_number_is_not_claimed(store: &dyn StorageUnderTest) {
    let (company, campaign) = running_campaign(store).await;
    let stranger = stored_company(store).await;
    let tasks = samples::tasks(&campaign, 1, 4);
    store_tasks(store, &tasks).await;
    let exclusions = [
        samples::exclusion(&company, tasks[0].contact.phone_number),
        // What others exclude does not count here.
        samples::exclusion(&stranger, tasks[1].contact.phone_number),
    ];
    for (owner, exclusion) in [&company, &stranger].into_iter().zip(&exclusions) {
        let mut work = begin(store, owner).await;
        work.exclusions().insert(exclusion).await.unwrap();
        commit(work).await;
    }
    // What the operator excludes counts everywhere.
    let mut work = begin_as(store, Scope::Platform).await;
    let exclusion = samples::operators_exclusion(tasks[3].contact.phone_number);
    work.exclusions().insert(&exclusion).await.unwrap();
    commit(work).await;
    let claimed = claim_all(store, samples::now()).await;
    let claimed: HashSet<_> = claimed.iter().map(|call| call.task.id).collect();
    assert_eq!(claimed, HashSet::from([tasks[1].id, tasks[2].id]));
    for task in [&tasks[0], &tasks[3]] {
        let excluded = stored_task(store, task.id).await;
        assert_eq!(excluded.state, TaskState::Excluded);
        assert_eq!(
            (excluded.reason, excluded.attempts_count),
            (Some(Reason::Excluded), 0)
        );
        assert_eq!((excluded.version, excluded.updated_at), (2, samples::now()));
    }
}

/// A claim that has only turned people away is told apart from one that found nobody: others may
/// stand behind them.
pub async fn people_turned_away_are_told_apart_from_nobody(store: &dyn StorageUnderTest) {
    let (company, campaign) = running_campaign(store).await;
    let tasks = samples::tasks(&campaign, 1, 5);
    store_tasks(store, &tasks).await;
    let mut work = begin(store, &company).await;
    for task in &tasks {
        let exclusion = samples::exclusion(&company, task.contact.phone_number);
        work.exclusions().insert(&exclusion).await.unwrap();
    }
    commit(work).await;
    let now = samples::now();
    store.review_lanes(now, at_most(10)).await.unwrap();
    let mut turned_away = 0;
    while turned_away < tasks.len() {
        let claim = store.claim_due(&claim_request(now, 2)).await.unwrap();
        assert_eq!(claim.tasks, []);
        assert!(!claim.is_empty(), "{turned_away} of 5 were turned away");
        turned_away += claim.turned_away;
    }
    assert_eq!(turned_away, tasks.len());
    let nobody = store.claim_due(&claim_request(now, 2)).await.unwrap();
    assert!(nobody.is_empty());
}

/// Outside the calling hours nobody is claimed; the campaign waits for the next opening (I4).
pub async fn nobody_is_claimed_outside_the_calling_hours(store: &dyn StorageUnderTest) {
    let company = stored_company(store).await;
    let mut campaign = samples::campaign(&company);
    // 15 January 2027 is a Friday, and the samples' instant is 09:00:00.123456 in Rome.
    campaign.settings.schedule.hours =
        serde_json::from_str::<CallingHours>(r#"{"weekly": {"fri": [["10:30", "12:00"]]}}"#)
            .unwrap();
    let campaign = run_campaign(store, campaign).await;
    let tasks = samples::tasks(&campaign, 1, 25);
    store_tasks(store, &tasks).await;
    assert_eq!(claim_all(store, samples::now()).await, []);
    let opening = "2027-01-15T09:30:00Z".parse().unwrap();
    assert_eq!(store.next_ready_at(PROVIDER).await.unwrap(), Some(opening));
    assert_eq!(claim_all(store, opening).await.len(), 25);
}

/// An attempt that is given up undialed costs nothing: the task is claimed again, with the next
/// number.
pub async fn a_task_that_was_put_back_is_claimed_again(store: &dyn StorageUnderTest) {
    let (company, call) = live_call(store).await;
    let now = samples::now() + TimeDelta::seconds(1);
    let mut work = begin(store, &company).await;
    let attempt = work
        .call_attempts()
        .get_for_update(call.attempt.id)
        .await
        .unwrap()
        .unwrap();
    let task = work
        .call_tasks()
        .get_for_update(call.task.id)
        .await
        .unwrap()
        .unwrap();
    let task = task.postponed(now, Reason::ProviderUnavailable, now);
    work.call_tasks().update(&task).await.unwrap();
    work.call_attempts()
        .update(&attempt.ended(Outcome::Cancelled, now))
        .await
        .unwrap();
    commit(work).await;
    let again = claim(store, now, 5).await;
    assert_eq!(again.len(), 1);
    assert_eq!(
        (again[0].attempt.number, again[0].task.attempts_spent),
        (2, 0)
    );
}
