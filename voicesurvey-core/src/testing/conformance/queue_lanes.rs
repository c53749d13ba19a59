//! Lanes, caps per person, the provider's account, budgets and campaigns that wind up.

use std::num::NonZeroU16;

use chrono::TimeDelta;

use super::StorageUnderTest;
use super::support::{
    PROVIDER, at_most, begin, change_campaign, claim, claim_all, claim_request, commit,
    run_campaign, running_campaign, settle, store_company, store_tasks, stored_attempt,
    stored_company, stored_task,
};
use crate::call_task::{CallTask, TaskState, TaskStatus};
use crate::calling_hours::CallingHours;
use crate::campaign::{Budget, Campaign, Pacing};
use crate::company::{Company, CompanyStatus};
use crate::gate::{AttemptCaps, Reason};
use crate::money::Cost;
use crate::outcome::Outcome;
use crate::pace::Pace;
use crate::queue::lane::{Lane, Window};
use crate::testing::samples::{self, SampleCampaign};
use crate::time::Timestamp;

fn instant(text: &str) -> Timestamp {
    text.parse().expect("a sample's instant can be read")
}

/// A draft whose hours are those of a Friday in January 2027, the samples' day.
fn on_friday(company: &Company, hours: &str) -> Campaign {
    let mut campaign = samples::campaign(company);
    let weekly = format!(r#"{{"weekly": {{"fri": [{hours}]}}}}"#);
    campaign.settings.schedule.hours =
        serde_json::from_str::<CallingHours>(&weekly).expect("a sample's hours can be read");
    campaign
}

fn in_zone(mut task: CallTask, zone: &str) -> CallTask {
    task.contact.time_zones = vec![zone.parse().expect("a sample's zone exists")];
    task
}

async fn lanes_of(
    store: &dyn StorageUnderTest,
    company: &Company,
    campaign: &Campaign,
) -> Vec<Lane> {
    let mut work = begin(store, company).await;
    work.campaigns().lanes(campaign.id).await.unwrap()
}

/// A lane is made of what its tasks have in common, counts them, and learns its window.
pub async fn tasks_wait_in_lanes(store: &dyn StorageUnderTest) {
    let company = stored_company(store).await;
    let campaign = run_campaign(store, on_friday(&company, r#"["10:30", "12:00"]"#)).await;
    let mut tasks = samples::tasks(&campaign, 1, 3);
    tasks[2] = in_zone(tasks[2].clone(), "Europe/London");
    store_tasks(store, &tasks).await;
    let unreviewed = lanes_of(store, &company, &campaign).await;
    assert_eq!(unreviewed.len(), 2);
    assert!(unreviewed.iter().all(|lane| lane.window.is_none()));
    let due = store.next_review_at().await.unwrap();
    assert!(due.is_some_and(|due| due <= samples::now()), "{due:?}");
    assert_eq!(
        store
            .review_lanes(samples::now(), at_most(10))
            .await
            .unwrap(),
        2
    );
    assert_eq!(
        store
            .review_lanes(samples::now(), at_most(10))
            .await
            .unwrap(),
        0
    );
    let lanes = lanes_of(store, &company, &campaign).await;
    // Rome closes before London, so it comes first.
    let expected = [
        (
            "2027-01-15T09:30:00Z",
            "2027-01-15T11:00:00Z",
            2,
            tasks[0].lane(),
        ),
        (
            "2027-01-15T10:30:00Z",
            "2027-01-15T12:00:00Z",
            1,
            tasks[2].lane(),
        ),
    ];
    for (lane, (opens_at, closes_at, claimable, key)) in lanes.iter().zip(expected) {
        let window = Window {
            opens_at: instant(opens_at),
            closes_at: instant(closes_at),
        };
        assert_eq!(lane.window, Some(window));
        assert_eq!((lane.claimable, &lane.key), (claimable, &key));
        assert_eq!(
            (lane.id, lane.review_at),
            (key.id(), Some(window.closes_at))
        );
    }
}

/// Of two lanes of one priority the one that closes sooner is called first; a higher priority comes
/// before both.
pub async fn the_lane_that_closes_soonest_is_called_first(store: &dyn StorageUnderTest) {
    let company = stored_company(store).await;
    let campaign = run_campaign(store, on_friday(&company, r#"["07:00", "12:00"]"#)).await;
    let mut tasks = samples::tasks(&campaign, 1, 3);
    tasks[0] = in_zone(tasks[0].clone(), "Europe/London");
    tasks[2] = in_zone(tasks[2].clone(), "Europe/London");
    tasks[2].contact.priority = 1;
    store_tasks(store, &tasks).await;
    let mut order = Vec::new();
    for _ in 0..3 {
        order.extend(
            claim(store, samples::now(), 1)
                .await
                .into_iter()
                .map(|call| call.task.id),
        );
    }
    assert_eq!(order, [tasks[2].id, tasks[1].id, tasks[0].id]);
}

/// When the hours end nobody is claimed any more, and no task is touched for it.
pub async fn a_lane_closes_without_touching_its_tasks(store: &dyn StorageUnderTest) {
    let company = stored_company(store).await;
    let campaign = run_campaign(store, on_friday(&company, r#"["08:00", "10:00"]"#)).await;
    let tasks = samples::tasks(&campaign, 1, 5);
    store_tasks(store, &tasks).await;
    assert_eq!(claim(store, samples::now(), 2).await.len(), 2);
    let closing = instant("2027-01-15T09:00:00Z");
    assert_eq!(claim_all(store, closing).await, []);
    let waiting = stored_task(store, tasks[4].id).await;
    assert_eq!((waiting.version, waiting.reason), (1, None));
    let next_friday = instant("2027-01-22T07:00:00Z");
    assert_eq!(
        store.next_ready_at(PROVIDER).await.unwrap(),
        Some(next_friday)
    );
    let just_before = next_friday - TimeDelta::microseconds(1);
    assert_eq!(claim_all(store, just_before).await, []);
    assert_eq!(claim_all(store, next_friday).await.len(), 3);
}

/// Tasks in a lane that never opens are ended with the reason, so that the campaign can end.
pub async fn a_lane_that_never_opens_is_emptied(store: &dyn StorageUnderTest) {
    let company = stored_company(store).await;
    let campaign = run_campaign(store, on_friday(&company, r#"["09:00", "10:00"]"#)).await;
    let mut task = samples::tasks(&campaign, 1, 1).remove(0);
    task.contact.time_zones = ["Europe/Rome", "America/New_York"]
        .map(|zone| zone.parse().expect("a sample's zone exists"))
        .into();
    store_tasks(store, std::slice::from_ref(&task)).await;
    assert_eq!(claim_all(store, samples::now()).await, []);
    let failed = stored_task(store, task.id).await;
    assert_eq!(failed.state, TaskState::Failed);
    assert_eq!(failed.reason, Some(Reason::NeverInCallingHours));
    let lanes = lanes_of(store, &company, &campaign).await;
    assert_eq!((lanes[0].claimable, lanes[0].window), (0, None));
    assert_eq!(store.next_review_at().await.unwrap(), None);
}

/// A paused campaign's lanes are not reviewed; a resumed one's are, at once.
pub async fn a_resumed_campaign_has_its_lanes_reviewed(store: &dyn StorageUnderTest) {
    let (company, campaign) = running_campaign(store).await;
    store_tasks(store, &samples::tasks(&campaign, 1, 2)).await;
    assert_eq!(claim(store, samples::now(), 1).await.len(), 1);
    let paused = change_campaign(store, campaign.paused()).await;
    assert_eq!(store.next_review_at().await.unwrap(), None);
    let lanes = lanes_of(store, &company, &paused).await;
    assert_eq!((lanes[0].window, lanes[0].claimable), (None, 1));
    change_campaign(store, paused.running()).await;
    assert_eq!(claim(store, samples::now(), 5).await.len(), 1);
}

/// A person whom the company called often enough waits for the exact instant, whichever campaign
/// called; calls of other companies and calls that never rang do not count.
pub async fn a_person_is_not_called_more_often_than_allowed(store: &dyn StorageUnderTest) {
    let mut company = samples::company();
    company.caps = AttemptCaps {
        per_day: NonZeroU16::new(1),
        ..AttemptCaps::default()
    };
    let company = store_company(store, company).await;
    let stranger = stored_company(store).await;
    let mut calls = Vec::new();
    for owner in [&stranger, &company] {
        let campaign = run_campaign(store, samples::campaign(owner)).await;
        store_tasks(store, &[samples::task(&campaign, "+393471234567")]).await;
        let claimed = claim_all(store, samples::now()).await;
        assert_eq!(claimed.len(), 1);
        settle(store, &claimed[0], Outcome::NoAnswer, samples::now()).await;
        calls.extend(claimed);
    }
    let second = run_campaign(store, samples::campaign(&company)).await;
    let task = samples::task(&second, "+393471234567");
    store_tasks(store, std::slice::from_ref(&task)).await;
    let now = samples::now() + TimeDelta::hours(1);
    assert_eq!(claim_all(store, now).await, []);
    let capped = stored_task(store, task.id).await;
    let until = samples::now() + TimeDelta::hours(24);
    assert_eq!(capped.state, TaskState::Pending { due_at: until });
    assert_eq!(capped.reason, Some(Reason::DailyCap));
    let mut work = begin(store, &company).await;
    let number = task.contact.phone_number;
    let long_ago = samples::now() - TimeDelta::days(1);
    let history = work
        .call_attempts()
        .history(&number, long_ago, None)
        .await
        .unwrap();
    assert_eq!(history.attempts(), [samples::now()]);
    let own = Some(calls[1].attempt.id);
    let others = work
        .call_attempts()
        .history(&number, long_ago, own)
        .await
        .unwrap();
    assert!(others.attempts().is_empty());
    drop(work);
    store.promote_due(until, at_most(10)).await.unwrap();
    let claimed = claim_all(store, until).await;
    let own = claimed
        .iter()
        .filter(|call| call.task.company_id == company.id);
    assert_eq!(own.count(), 1);
}

/// A company that is suspended is not called for; one that is active again is, at once.
pub async fn a_suspended_company_does_not_call(store: &dyn StorageUnderTest) {
    let (company, campaign) = running_campaign(store).await;
    store_tasks(store, &samples::tasks(&campaign, 1, 2)).await;
    let write = async |status| {
        let mut work = begin(store, &company).await;
        let stored = work.companies().get(company.id).await.unwrap().unwrap();
        work.companies()
            .update(&Company { status, ..stored })
            .await
            .unwrap();
        commit(work).await;
    };
    write(CompanyStatus::Suspended).await;
    assert_eq!(claim_all(store, samples::now()).await, []);
    assert_eq!(store.next_ready_at(PROVIDER).await.unwrap(), None);
    write(CompanyStatus::Active).await;
    assert_eq!(claim_all(store, samples::now()).await.len(), 2);
}

/// The account of the provider limits all companies together; other providers are not limited.
pub async fn the_lines_of_a_provider_are_exact(store: &dyn StorageUnderTest) {
    for first in [1, 100] {
        let (_, campaign) = running_campaign(store).await;
        store_tasks(store, &samples::tasks(&campaign, first, 5)).await;
    }
    let limits = Pacing {
        max_concurrent_calls: 3,
        pace: Pace::per_minute(100_000),
    };
    store.limit_provider(PROVIDER, Some(limits)).await.unwrap();
    let claimed = claim_all(store, samples::now()).await;
    assert_eq!(claimed.len(), 3);
    assert_eq!(store.next_ready_at(PROVIDER).await.unwrap(), None);
    settle(store, &claimed[0], Outcome::Busy, samples::now()).await;
    assert_eq!(claim_all(store, samples::now()).await.len(), 1);
    let elsewhere = crate::ports::ClaimRequest {
        provider: "another".to_owned(),
        ..claim_request(samples::now(), 2)
    };
    assert_eq!(store.claim_due(&elsewhere).await.unwrap().tasks.len(), 2);
    store.limit_provider(PROVIDER, None).await.unwrap();
    assert_eq!(claim_all(store, samples::now()).await.len(), 4);
}

/// The pace of the provider's account holds over all companies, and calls that were live before it
/// was limited count.
pub async fn the_pace_of_a_provider_is_exact(store: &dyn StorageUnderTest) {
    let (_, campaign) = running_campaign(store).await;
    store_tasks(store, &samples::tasks(&campaign, 1, 9)).await;
    assert_eq!(claim(store, samples::now(), 2).await.len(), 2);
    let limits = Pacing {
        max_concurrent_calls: 4,
        pace: Pace::per_minute(10),
    };
    store.limit_provider(PROVIDER, Some(limits)).await.unwrap();
    assert_eq!(claim_all(store, samples::now()).await.len(), 1);
    let refill = samples::now() + TimeDelta::milliseconds(6_050);
    assert_eq!(store.next_ready_at(PROVIDER).await.unwrap(), Some(refill));
    assert_eq!(
        claim_all(store, refill - TimeDelta::microseconds(1)).await,
        []
    );
    assert_eq!(claim_all(store, refill).await.len(), 1);
    let later = refill + TimeDelta::minutes(1);
    assert_eq!(claim_all(store, later).await, [], "four lines are taken");
}

/// Calls stop before the budget is exceeded: what is not priced yet counts as estimated.
pub async fn a_budget_is_not_exceeded(store: &dyn StorageUnderTest) {
    let company = stored_company(store).await;
    let mut campaign = samples::campaign(&company);
    let cost = |amount: &str| Cost {
        amount: amount.parse().expect("a sample's amount can be read"),
        currency: "EUR".to_owned(),
    };
    campaign.settings.budget = Some(Budget {
        limit: cost("1.00"),
        estimate_per_call: cost("0.30").amount,
    });
    let campaign = run_campaign(store, campaign).await;
    store_tasks(store, &samples::tasks(&campaign, 1, 9)).await;
    let claimed = claim_all(store, samples::now()).await;
    assert_eq!(claimed.len(), 3, "0.90 is reserved");
    // Two of them were cheaper than thought: 0.10 + 0.10 + 0.30 leaves room for one more.
    for call in &claimed[..2] {
        settle(store, call, Outcome::NoAnswer, samples::now()).await;
        let mut attempt = stored_attempt(store, call.attempt.id).await;
        let mut work = begin(store, &company).await;
        attempt.cost = Some(cost("0.10"));
        work.call_attempts().update(&attempt).await.unwrap();
        commit(work).await;
    }
    let mut work = begin(store, &company).await;
    let counters = work.campaigns().counters(campaign.id).await.unwrap();
    let spent = counters.costs["EUR"];
    assert_eq!((spent.calls, spent.millionths), (2, 200_000));
    drop(work);
    let mut work = begin(store, &company).await;
    let running = work.campaigns().get(campaign.id).await.unwrap().unwrap();
    drop(work);
    change_campaign(store, running).await;
    assert_eq!(claim_all(store, samples::now()).await.len(), 1);
}

/// A call that failed and has a price all the same is not taken off twice from those whose price is
/// still to come, in whatever order its outcome and its price are told.
pub async fn a_failed_call_that_costs_something_is_counted_once(store: &dyn StorageUnderTest) {
    let company = stored_company(store).await;
    let mut campaign = samples::campaign(&company);
    let cost = |amount: &str| Cost {
        amount: amount.parse().expect("a sample's amount can be read"),
        currency: "EUR".to_owned(),
    };
    campaign.settings.budget = Some(Budget {
        limit: cost("1.00"),
        estimate_per_call: cost("0.30").amount,
    });
    let campaign = run_campaign(store, campaign).await;
    store_tasks(store, &samples::tasks(&campaign, 1, 9)).await;
    let now = samples::now();
    let claimed = claim_all(store, now).await;
    assert_eq!(claimed.len(), 3, "0.90 is reserved");
    for (call, fails_first) in claimed.iter().zip([true, false]) {
        if fails_first {
            settle(store, call, Outcome::ProviderFailure, now).await;
        }
        let mut attempt = stored_attempt(store, call.attempt.id).await;
        let mut work = begin(store, &company).await;
        attempt.cost = Some(cost("0.10"));
        work.call_attempts().update(&attempt).await.unwrap();
        commit(work).await;
        if !fails_first {
            settle(store, call, Outcome::ProviderFailure, now).await;
        }
    }
    let mut work = begin(store, &company).await;
    let counters = work.campaigns().counters(campaign.id).await.unwrap();
    let spent = counters.costs["EUR"];
    assert_eq!((spent.calls, spent.millionths), (0, 200_000));
    let running = work.campaigns().get(campaign.id).await.unwrap().unwrap();
    drop(work);
    change_campaign(store, running).await;
    // 0.20 are spent and 0.30 reserved.
    assert_eq!(claim_all(store, now).await.len(), 1);
}

/// A campaign whose end date has come is found until it winds up; then its tasks are ended in
/// batches, and nobody is claimed.
pub async fn a_campaign_that_winds_up_is_emptied(store: &dyn StorageUnderTest) {
    let company = stored_company(store).await;
    let mut campaign = samples::campaign(&company);
    let ends_at = samples::now() + TimeDelta::hours(2);
    campaign.settings.schedule.ends_at = Some(ends_at);
    let campaign = run_campaign(store, campaign).await;
    store_tasks(store, &samples::tasks(&campaign, 1, 5)).await;
    assert_eq!(store.next_end_at().await.unwrap(), Some(ends_at));
    let before = ends_at - TimeDelta::microseconds(1);
    assert_eq!(
        store.campaigns_to_end(before, at_most(5)).await.unwrap(),
        []
    );
    let found = store.campaigns_to_end(ends_at, at_most(5)).await.unwrap();
    assert_eq!(found.len(), 1);
    let id = campaign.id;
    assert_eq!(store.campaigns_to_empty(at_most(5)).await.unwrap(), []);
    let wound_up = campaign.wound_up(Reason::TargetReached, samples::now());
    change_campaign(store, wound_up).await;
    assert_eq!(
        store.campaigns_to_end(ends_at, at_most(5)).await.unwrap(),
        []
    );
    assert_eq!(store.next_end_at().await.unwrap(), None);
    assert_eq!(claim_all(store, samples::now()).await, []);
    for expected in [3, 2, 0] {
        let found = store.campaigns_to_empty(at_most(5)).await.unwrap();
        // The last look may be one too many.
        assert!(
            !found.is_empty() || expected == 0,
            "before {expected} are ended"
        );
        let mut work = begin(store, &company).await;
        let now = samples::now();
        let ended = work
            .call_tasks()
            .cancel_waiting(id, Reason::TargetReached, now, at_most(3))
            .await
            .unwrap();
        assert_eq!(ended, expected);
        commit(work).await;
    }
    let found = store.campaigns_to_empty(at_most(5)).await.unwrap();
    assert_eq!(found, []);
    let mut work = begin(store, &company).await;
    let counters = work.campaigns().counters(id).await.unwrap();
    assert_eq!(counters.tasks_in(TaskStatus::Cancelled), 5);
    assert_eq!(counters.reasons.get(&Reason::TargetReached), Some(&5));
}
