//! Limits: lines and pace of campaign and company are exact, whoever claims (I5, I6).

use chrono::TimeDelta;
use futures_util::future::join_all;

use super::StorageUnderTest;
use super::support::{
    PROVIDER, begin, change_campaign, claim, claim_all, commit, run_campaign, settle,
    store_company, store_tasks, stored_company,
};
use crate::campaign::Campaign;
use crate::company::{Company, CompanyLimits};
use crate::outcome::Outcome;
use crate::pace::Pace;
use crate::testing::samples::{self, SampleCampaign};
use crate::time::Timestamp;

/// Many claims at once, and then claims until nothing is left; returns how many calls there are.
async fn claim_concurrently(store: &dyn StorageUnderTest, now: Timestamp) -> usize {
    let claims = (0..6).map(|_| claim(store, now, 4));
    let at_once: usize = join_all(claims).await.iter().map(Vec::len).sum();
    at_once + claim_all(store, now).await.len()
}

/// A company with those limits and two running campaigns that have nothing else to wait for.
async fn limited_company(store: &dyn StorageUnderTest, limits: CompanyLimits) -> Company {
    let company = store_company(
        store,
        Company {
            limits,
            ..samples::company()
        },
    )
    .await;
    for first in [0, 1_000] {
        let campaign = run_campaign(store, samples::campaign(&company)).await;
        store_tasks(store, &samples::tasks(&campaign, first, 200)).await;
    }
    company
}

/// A running campaign of a company of its own, with many tasks.
async fn limited_campaign(
    store: &dyn StorageUnderTest,
    limited: impl FnOnce(Campaign) -> Campaign,
) -> Campaign {
    let company = stored_company(store).await;
    let campaign = run_campaign(store, limited(samples::campaign(&company))).await;
    store_tasks(store, &samples::tasks(&campaign, 1, 200)).await;
    campaign
}

/// A campaign never has more calls than lines, however many claim at once.
pub async fn the_lines_of_a_campaign_are_exact(store: &dyn StorageUnderTest) {
    limited_campaign(store, |campaign| campaign.with_lines(7)).await;
    assert_eq!(claim_concurrently(store, samples::now()).await, 7);
    assert_eq!(
        store.next_ready_at(PROVIDER).await.unwrap(),
        None,
        "it waits for a call to end"
    );
}

/// All campaigns of a company together never have more calls than the company has lines.
pub async fn the_lines_of_a_company_are_exact(store: &dyn StorageUnderTest) {
    let limits = CompanyLimits {
        max_concurrent_calls: 13,
        calls_per_minute: 60_000,
    };
    limited_company(store, limits).await;
    assert_eq!(claim_concurrently(store, samples::now()).await, 13);
    assert_eq!(
        store.next_ready_at(PROVIDER).await.unwrap(),
        None,
        "it waits for a call to end"
    );
}

/// A call that ends gives its line back, and wakes those who wait for it at that instant.
pub async fn a_call_that_ends_frees_its_line(store: &dyn StorageUnderTest) {
    limited_campaign(store, |campaign| campaign.with_lines(2)).await;
    let calls = claim_all(store, samples::now()).await;
    assert_eq!(calls.len(), 2);
    let mut now = samples::now();
    for call in &calls {
        now += TimeDelta::seconds(10);
        settle(store, call, Outcome::Completed, now).await;
        assert_eq!(store.next_ready_at(PROVIDER).await.unwrap(), Some(now));
        assert_eq!(claim_all(store, now).await.len(), 1);
    }
}

/// A call that ends frees its line once, however often its attempt is written afterwards.
pub async fn a_line_is_freed_once(store: &dyn StorageUnderTest) {
    limited_campaign(store, |campaign| campaign.with_lines(2)).await;
    let calls = claim_all(store, samples::now()).await;
    settle(store, &calls[0], Outcome::Completed, samples::now()).await;
    let mut work = super::support::begin_as(store, crate::ports::Scope::Platform).await;
    for _ in 0..3 {
        let attempt = work
            .call_attempts()
            .get_for_update(calls[0].attempt.id)
            .await;
        work.call_attempts()
            .update(&attempt.unwrap().unwrap())
            .await
            .unwrap();
    }
    commit(work).await;
    assert_eq!(claim_all(store, samples::now()).await.len(), 1);
}

/// A campaign that is removed gives the lines of its live calls back to its company.
pub async fn a_removed_campaign_frees_its_lines(store: &dyn StorageUnderTest) {
    let limits = CompanyLimits {
        max_concurrent_calls: 3,
        calls_per_minute: 60_000,
    };
    let company = store_company(
        store,
        Company {
            limits,
            ..samples::company()
        },
    )
    .await;
    let removed = run_campaign(store, samples::campaign(&company)).await;
    store_tasks(store, &samples::tasks(&removed, 1, 9)).await;
    assert_eq!(claim_all(store, samples::now()).await.len(), 3);
    let other = run_campaign(store, samples::campaign(&company)).await;
    store_tasks(store, &samples::tasks(&other, 1, 9)).await;
    assert_eq!(claim_all(store, samples::now()).await.len(), 0);
    let mut work = begin(store, &company).await;
    assert!(work.campaigns().delete(removed.id).await.unwrap());
    commit(work).await;
    let claimed = claim_all(store, samples::now()).await;
    assert_eq!(claimed.len(), 3);
    assert!(claimed.iter().all(|call| call.task.campaign_id == other.id));
}

/// A campaign that is paused and resumed remembers its calls in progress.
pub async fn a_resumed_campaign_remembers_its_calls(store: &dyn StorageUnderTest) {
    let campaign = limited_campaign(store, |campaign| campaign.with_lines(3)).await;
    assert_eq!(claim(store, samples::now(), 2).await.len(), 2);
    let paused = change_campaign(store, campaign.paused()).await;
    change_campaign(store, paused.running()).await;
    assert_eq!(claim_all(store, samples::now()).await.len(), 1);
}

/// A campaign's pace is exact to the microsecond, and the queue knows when the next call may start.
pub async fn the_pace_of_a_campaign_is_exact(store: &dyn StorageUnderTest) {
    limited_campaign(store, |campaign| campaign.with_pace(Pace::per_minute(10))).await;
    let mut now = samples::now();
    for _ in 0..3 {
        assert_eq!(claim_concurrently(store, now).await, 1);
        let refill = now + TimeDelta::milliseconds(6_050);
        assert_eq!(store.next_ready_at(PROVIDER).await.unwrap(), Some(refill));
        let too_early = refill - TimeDelta::microseconds(1);
        assert_eq!(claim_all(store, too_early).await, []);
        now = refill;
    }
}

/// A company's pace is exact over all its campaigns.
pub async fn the_pace_of_a_company_is_exact(store: &dyn StorageUnderTest) {
    let limits = CompanyLimits {
        max_concurrent_calls: 60_000,
        calls_per_minute: 10,
    };
    limited_company(store, limits).await;
    assert_eq!(claim_concurrently(store, samples::now()).await, 1);
    let refill = samples::now() + TimeDelta::milliseconds(6_050);
    assert_eq!(store.next_ready_at(PROVIDER).await.unwrap(), Some(refill));
    assert_eq!(
        claim_all(store, refill - TimeDelta::microseconds(1)).await,
        []
    );
    assert_eq!(claim_concurrently(store, refill).await, 1);
}

/// No 60 seconds hold more starts than were bought, also when claims come every second.
pub async fn no_minute_holds_more_calls_than_its_pace(store: &dyn StorageUnderTest) {
    const PER_MINUTE: usize = 100;
    limited_campaign(store, |campaign| campaign.with_pace(Pace::per_minute(100))).await;
    let mut starts = Vec::new();
    for second in 0..90 {
        let now = samples::now() + TimeDelta::seconds(second);
        let claimed = claim_all(store, now).await;
        starts.extend(claimed.iter().map(|call| call.attempt.created_at));
    }
    for (index, first) in starts.iter().enumerate() {
        let minute = *first + TimeDelta::seconds(60);
        let within = starts[index..]
            .iter()
            .take_while(|at| **at < minute)
            .count();
        assert!(within <= PER_MINUTE, "{within} calls from {first}");
    }
    assert!(
        starts.len() > PER_MINUTE,
        "the pace is used: {}",
        starts.len()
    );
}

/// A pause of so many seconds lies between any two calls.
pub async fn calls_are_as_far_apart_as_asked(store: &dyn StorageUnderTest) {
    let pace = Pace {
        calls_per_minute: 60_000,
        seconds_between_calls: 20,
    };
    limited_campaign(store, |campaign| campaign.with_pace(pace)).await;
    assert_eq!(claim_concurrently(store, samples::now()).await, 1);
    let next = samples::now() + TimeDelta::seconds(20);
    assert_eq!(store.next_ready_at(PROVIDER).await.unwrap(), Some(next));
    assert_eq!(claim_concurrently(store, next).await, 1);
}

/// A pace survives a pause: nobody gets more calls by pausing and resuming.
pub async fn a_resumed_campaign_remembers_its_pace(store: &dyn StorageUnderTest) {
    let campaign =
        limited_campaign(store, |campaign| campaign.with_pace(Pace::per_minute(10))).await;
    assert_eq!(claim_all(store, samples::now()).await.len(), 1);
    let paused = change_campaign(store, campaign.paused()).await;
    change_campaign(store, paused.running()).await;
    assert_eq!(
        claim_all(store, samples::now() + TimeDelta::seconds(5)).await,
        []
    );
    assert_eq!(
        claim_all(store, samples::now() + TimeDelta::milliseconds(6_050))
            .await
            .len(),
        1
    );
}

/// Wider limits of a campaign apply from its next claim on.
pub async fn wider_limits_of_a_campaign_apply_at_once(store: &dyn StorageUnderTest) {
    let campaign = limited_campaign(store, |campaign| campaign.with_lines(2)).await;
    assert_eq!(claim_all(store, samples::now()).await.len(), 2);
    change_campaign(store, campaign.with_lines(5)).await;
    assert_eq!(claim_all(store, samples::now()).await.len(), 3);
}

/// Wider limits of a company apply from its next claim on, also when it waited for a call to end.
pub async fn wider_limits_of_a_company_apply_at_once(store: &dyn StorageUnderTest) {
    let limits = CompanyLimits {
        max_concurrent_calls: 2,
        calls_per_minute: 60_000,
    };
    let company = limited_company(store, limits).await;
    assert_eq!(claim_all(store, samples::now()).await.len(), 2);
    let wider = CompanyLimits {
        max_concurrent_calls: 5,
        ..limits
    };
    let mut work = begin(store, &company).await;
    work.companies()
        .update(&Company {
            limits: wider,
            ..company
        })
        .await
        .unwrap();
    commit(work).await;
    assert_eq!(claim_all(store, samples::now()).await.len(), 3);
}

/// Narrower limits end no call, and let none start until enough have ended.
pub async fn narrower_limits_let_calls_end_first(store: &dyn StorageUnderTest) {
    let campaign = limited_campaign(store, |campaign| campaign.with_lines(3)).await;
    let calls = claim_all(store, samples::now()).await;
    change_campaign(store, campaign.with_lines(1)).await;
    for call in &calls {
        assert_eq!(claim_all(store, samples::now()).await, []);
        settle(store, call, Outcome::Completed, samples::now()).await;
    }
    assert_eq!(claim_all(store, samples::now()).await.len(), 1);
}
