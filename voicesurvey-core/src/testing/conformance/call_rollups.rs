//! The sums of calls over time.

use std::collections::BTreeMap;

use chrono::TimeDelta;

use super::StorageUnderTest;
use super::support::{
    begin, begin_as, claim_all, commit, running_campaign, settle, store_campaign, store_company,
    store_tasks, stored_attempt,
};
use crate::call_attempt::{AttemptState, CallAttempt};
use crate::call_rollup::{LatencyBucket, RolledUp, TalkBucket, quarter_of};
use crate::campaign::Campaign;
use crate::company::Company;
use crate::money::Cost;
use crate::outcome::Outcome;
use crate::ports::{ClaimedTask, Scope};
use crate::testing::samples;
use crate::time::Timestamp;

async fn calling(
    store: &dyn StorageUnderTest,
    people: u32,
) -> (Company, Campaign, Vec<ClaimedTask>) {
    let (company, campaign) = running_campaign(store).await;
    store_tasks(store, &samples::tasks(&campaign, 1, people)).await;
    let calls = claim_all(store, samples::now()).await;
    (company, campaign, calls)
}

/// Every sum: those over the whole campaign, and those of the quarters of two days.
async fn totals(
    store: &dyn StorageUnderTest,
    company: &Company,
    campaign: &Campaign,
) -> BTreeMap<RolledUp, i64> {
    let mut work = begin(store, company).await;
    let mut totals = work.call_rollups().totals(campaign.id).await.unwrap();
    let day = TimeDelta::days(1);
    let (from, to) = (samples::now() - day, samples::now() + day);
    let section = work.call_rollups().sections(campaign.id, &[from], to).await;
    for ((start, sum), value) in section.unwrap() {
        assert_eq!(start, from);
        let known = *totals.entry(sum.clone()).or_insert(value);
        assert_eq!(known, value, "{sum:?}");
    }
    totals
}

fn ended(outcome: Outcome, calls: i64) -> (RolledUp, i64) {
    (RolledUp::Outcome(Some(outcome)), calls)
}

async fn change(store: &dyn StorageUnderTest, attempt: &CallAttempt) {
    let mut work = begin_as(store, Scope::Company(attempt.company_id)).await;
    work.call_attempts().update(attempt).await.unwrap();
    commit(work).await;
}

async fn assert_sound(store: &dyn StorageUnderTest) {
    let findings = store.audit(samples::now()).await.unwrap();
    assert_eq!(findings, []);
}

/// A live call adds nothing; one that has ended adds itself, with the time on the line.
pub async fn a_call_is_summed_up_when_it_has_ended(store: &dyn StorageUnderTest) {
    let (company, campaign, calls) = calling(store, 1).await;
    assert_eq!(totals(store, &company, &campaign).await, BTreeMap::new());
    let answered = CallAttempt {
        state: AttemptState::Answered,
        accepted_at: Some(samples::now()),
        answered_at: Some(samples::now() + TimeDelta::seconds(7)),
        latencies: vec![120, 7, 149, 60_000],
        ..calls[0].attempt.clone()
    };
    change(store, &answered).await;
    assert_eq!(totals(store, &company, &campaign).await, BTreeMap::new());
    let end = samples::now() + TimeDelta::seconds(70);
    settle(store, &calls[0], Outcome::Completed, end).await;
    let expected = [
        ended(Outcome::Completed, 1),
        (RolledUp::Number(1), 1),
        (RolledUp::TalkSeconds, 63),
        (RolledUp::Talk(TalkBucket::of(63)), 1),
        (RolledUp::Latency(LatencyBucket::of(7)), 1),
        (RolledUp::Latency(LatencyBucket::of(120)), 2),
        (RolledUp::Latency(LatencyBucket::of(60_000)), 1),
    ];
    assert_eq!(totals(store, &company, &campaign).await, expected.into());
    assert_sound(store).await;
}

/// A price, a better outcome and an earlier answer move the sums; the call is not counted again.
pub async fn what_is_better_known_later_moves_the_sums(store: &dyn StorageUnderTest) {
    let (company, campaign, calls) = calling(store, 1).await;
    let end = samples::now() + TimeDelta::seconds(30);
    settle(store, &calls[0], Outcome::NoAnswer, end).await;
    let expected = [ended(Outcome::NoAnswer, 1), (RolledUp::Number(1), 1)];
    assert_eq!(totals(store, &company, &campaign).await, expected.into());
    let stored = stored_attempt(store, calls[0].attempt.id).await;
    let priced = CallAttempt {
        outcome: Some(Outcome::Voicemail),
        answered_at: Some(end - TimeDelta::milliseconds(12_500)),
        cost: Some(Cost {
            amount: "0.0125".parse().unwrap(),
            currency: "EUR".to_owned(),
        }),
        ..stored
    };
    change(store, &priced).await;
    let expected: BTreeMap<_, _> = [
        ended(Outcome::Voicemail, 1),
        (RolledUp::Number(1), 1),
        (RolledUp::TalkSeconds, 12),
        (RolledUp::Talk(TalkBucket::of(12)), 1),
        (RolledUp::Cost("EUR".to_owned()), 12_500),
    ]
    .into();
    assert_eq!(totals(store, &company, &campaign).await, expected);
    // A unit of work that is dropped moves nothing.
    let stored = stored_attempt(store, calls[0].attempt.id).await;
    let mut work = begin(store, &company).await;
    let unpriced = CallAttempt {
        cost: None,
        ..stored
    };
    work.call_attempts().update(&unpriced).await.unwrap();
    let cost = RolledUp::Cost("EUR".to_owned());
    let seen = work.call_rollups().totals(campaign.id).await.unwrap();
    assert_eq!(seen.get(&cost), None, "a unit of work sees its own sums");
    drop(work);
    assert_eq!(totals(store, &company, &campaign).await, expected);
    assert_sound(store).await;
}

/// A call counts where it began, and quarters are found by their beginnings.
pub async fn calls_belong_to_the_quarter_in_which_they_were_made(store: &dyn StorageUnderTest) {
    let (company, campaign) = running_campaign(store).await;
    let quarter = TimeDelta::minutes(15);
    let first = quarter_of(samples::now()) + quarter;
    let made = [
        first,
        first + quarter - TimeDelta::microseconds(1),
        first + quarter,
    ];
    for (index, at) in (1..).zip(made) {
        store_tasks(store, &samples::tasks(&campaign, index, 1)).await;
        for call in claim_all(store, at).await {
            settle(store, &call, Outcome::Refused, at + TimeDelta::hours(1)).await;
        }
    }
    let mut work = begin(store, &company).await;
    let mut sections = async |starts: &[Timestamp], to: Timestamp| -> Vec<(Timestamp, i64)> {
        let sections = work.call_rollups().sections(campaign.id, starts, to);
        let sections = sections.await.unwrap().into_iter();
        sections
            .filter(|((_, sum), _)| matches!(sum, RolledUp::Outcome(_)))
            .map(|((start, _), calls)| (start, calls))
            .collect()
    };
    let (second, third) = (first + quarter, first + quarter * 2);
    let (before, all) = (first - quarter, [(first, 2), (second, 1)]);
    assert_eq!(sections(&[first, second], third).await, all);
    assert_eq!(sections(&[before, first, second, third], third).await, all);
    assert_eq!(sections(&[first], second).await, all[..1]);
    assert_eq!(sections(&[second], third).await, all[1..]);
    assert_eq!(sections(&[before], first).await, []);
    // Several quarters are one section, which begins where it is said to.
    assert_eq!(sections(&[before], third).await, [(before, 3)]);
    let within = first + TimeDelta::microseconds(1);
    assert_eq!(sections(&[within], third).await, [(within, 1)]);
    assert_eq!(sections(&[], third).await, []);
    // Sums over the whole campaign are of no quarter, also for those who ask for all times.
    let always = Timestamp::UNIX_EPOCH - TimeDelta::days(1);
    let all = work
        .call_rollups()
        .sections(campaign.id, &[always], third)
        .await;
    let outcome = RolledUp::Outcome(Some(Outcome::Refused));
    assert_eq!(all.unwrap(), [((always, outcome), 3)].into());
    drop(work);
    assert_sound(store).await;
}

/// Calls that end in one unit of work.
pub async fn many_calls_that_end_together_are_summed_up(store: &dyn StorageUnderTest) {
    let (company, campaign, calls) = calling(store, 3).await;
    let end = samples::now() + TimeDelta::seconds(20);
    let mut work = begin(store, &company).await;
    let over: Vec<CallAttempt> = calls
        .iter()
        .map(|call| call.attempt.clone().ended(Outcome::Busy, end))
        .collect();
    work.call_attempts().update_many(&over).await.unwrap();
    commit(work).await;
    let expected = [ended(Outcome::Busy, 3), (RolledUp::Number(1), 3)];
    assert_eq!(totals(store, &company, &campaign).await, expected.into());
}

/// Another company finds no sums, and a campaign that is removed leaves none.
pub async fn sums_of_others_do_not_exist(store: &dyn StorageUnderTest) {
    let (company, campaign, calls) = calling(store, 1).await;
    settle(store, &calls[0], Outcome::Refused, samples::now()).await;
    let stranger = store_company(store, samples::company()).await;
    assert_eq!(totals(store, &stranger, &campaign).await, BTreeMap::new());
    let mut work = begin(store, &stranger).await;
    let day = TimeDelta::days(1);
    let (from, to) = (samples::now() - day, samples::now() + day);
    let sections = work.call_rollups().sections(campaign.id, &[from], to).await;
    assert_eq!(sections.unwrap(), BTreeMap::new());
    drop(work);
    let other = store_campaign(store, samples::campaign(&company)).await;
    assert_eq!(totals(store, &company, &other).await, BTreeMap::new());
    let mut work = begin(store, &company).await;
    assert!(work.campaigns().delete(campaign.id).await.unwrap());
    commit(work).await;
    assert_eq!(totals(store, &company, &campaign).await, BTreeMap::new());
    assert_sound(store).await;
}
