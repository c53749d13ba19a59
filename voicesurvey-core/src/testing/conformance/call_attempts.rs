//! Call attempts. Only a claim makes them, so every case begins with one.

use chrono::TimeDelta;
use rust_decimal::Decimal;

use super::StorageUnderTest;
use super::support::{
    all_pages, assert_conflict, begin, begin_as, claim, claim_all, commit, live_call, page_after,
    run_campaign, running_campaign, settle, store_tasks, stored_attempt,
};
use crate::call_attempt::{AnsweredBy, AttemptState, CallAttempt, Recording, RecordingState};
use crate::company::Company;
use crate::money::Cost;
use crate::outcome::Outcome;
use crate::ports::repositories::CallAttemptFilter;
use crate::ports::{ClaimedTask, PageRequest, Scope};
use crate::testing::samples;

/// A claim's attempt is stored as the claim returned it.
pub async fn an_attempt_is_stored_as_it_was_claimed(store: &dyn StorageUnderTest) {
    let (company, call) = live_call(store).await;
    let attempt = &call.attempt;
    assert_eq!(attempt.state, AttemptState::Created);
    assert_eq!((attempt.number, attempt.version), (1, 1));
    assert_eq!(attempt.phone_number, call.task.contact.phone_number);
    assert_eq!(call.task.state.attempt_id(), Some(attempt.id));
    let mut work = begin(store, &company).await;
    assert_eq!(
        work.call_attempts().get(attempt.id).await.unwrap().as_ref(),
        Some(attempt)
    );
    let locked = work
        .call_attempts()
        .get_for_update(attempt.id)
        .await
        .unwrap();
    assert_eq!(locked.as_ref(), Some(attempt));
}

/// An attempt reads back in every state, with every answerer.
pub async fn every_state_of_an_attempt_reads_back(store: &dyn StorageUnderTest) {
    let (company, call) = live_call(store).await;
    let mut attempt = call.attempt;
    let mut work = begin(store, &company).await;
    let answerers = AnsweredBy::ALL.map(|answerer| (attempt.state, Some(answerer)));
    let states = AttemptState::ALL.map(|state| (state, None));
    for (state, answered_by) in answerers.into_iter().chain(states) {
        let changed = CallAttempt {
            state,
            answered_by,
            ..attempt
        };
        work.call_attempts().update(&changed).await.unwrap();
        attempt = work.call_attempts().get(changed.id).await.unwrap().unwrap();
        assert_eq!(
            attempt,
            CallAttempt {
                version: changed.version + 1,
                ..changed
            }
        );
    }
}

/// Everything optional reads back, to the microsecond and the last decimal.
pub async fn a_changed_attempt_reads_back(store: &dyn StorageUnderTest) {
    let (company, call) = live_call(store).await;
    let at = |microseconds| Some(samples::now() + TimeDelta::microseconds(microseconds));
    let costs = [
        Decimal::new(1, 10),
        Decimal::new(-75, 4),
        Decimal::new(123_456_789_012_345_678, 6),
        Decimal::new(10, 2),
    ];
    let mut attempt = call.attempt;
    for amount in costs {
        let changed = CallAttempt {
            provider_call_id: Some("CA123".to_owned()),
            state: AttemptState::Ended,
            lease_until: samples::now() + TimeDelta::hours(1),
            accepted_at: at(1),
            ringing_at: at(2),
            answered_at: at(3),
            ended_at: at(4),
            answered_by: Some(AnsweredBy::Person),
            outcome: Some(Outcome::Partial),
            raw_status: Some("in-progress «è»".to_owned()),
            error_code: Some("21217".to_owned()),
            cost: Some(Cost {
                amount,
                currency: "EUR".to_owned(),
            }),
            price_due_at: at(5),
            recording: Some(Recording {
                provider_recording_id: Some("RE123".to_owned()),
                url: Some("https://provider.example/«è»".to_owned()),
                seconds: Some(u32::MAX),
                error: Some("12 'quoted'".to_owned()),
                ..Recording::new(RecordingState::Finished)
            }),
            latencies: vec![0, 250, u32::MAX],
            ..attempt
        };
        let mut work = begin(store, &company).await;
        work.call_attempts().update(&changed).await.unwrap();
        commit(work).await;
        attempt = stored_attempt(store, changed.id).await;
        let version = changed.version + 1;
        assert_eq!(attempt, CallAttempt { version, ..changed });
    }
}

/// Of two who change an attempt at the same time, the second is refused, also if both end it.
pub async fn a_stale_attempt_is_a_conflict(store: &dyn StorageUnderTest) {
    let (company, call) = live_call(store).await;
    let ended = call.attempt.ended(Outcome::Busy, samples::now());
    let mut work = begin(store, &company).await;
    work.call_attempts().update(&ended).await.unwrap();
    commit(work).await;
    let mut work = begin(store, &company).await;
    assert_conflict(work.call_attempts().update(&ended).await);
}

/// The attempts of a task are numbered 1, 2, 3, and each is a row of its own.
pub async fn attempts_are_numbered_from_one(store: &dyn StorageUnderTest) {
    let (company, campaign) = running_campaign(store).await;
    let task = samples::task(&campaign, "+393471234567");
    store_tasks(store, std::slice::from_ref(&task)).await;
    let mut now = samples::now();
    let mut attempts = Vec::new();
    for number in 1..=3 {
        store
            .promote_due(now, super::support::at_most(10))
            .await
            .unwrap();
        let call = claim(store, now, 5)
            .await
            .pop()
            .expect("the task is due again");
        assert_eq!(
            (call.attempt.number, call.task.attempts_count),
            (number, number)
        );
        settle(store, &call, Outcome::Busy, now).await;
        attempts.insert(0, stored_attempt(store, call.attempt.id).await);
        now += TimeDelta::minutes(30);
    }
    store
        .promote_due(now, super::support::at_most(10))
        .await
        .unwrap();
    assert_eq!(
        claim(store, now, 5).await,
        [],
        "three attempts are all the policy allows"
    );
    let filter = CallAttemptFilter {
        task_id: Some(task.id),
        ..CallAttemptFilter::default()
    };
    let mut work = begin(store, &company).await;
    let listed = all_pages!(2, |page| work.call_attempts().list(&filter, page));
    assert_eq!(listed, attempts, "newest first");
}

/// Attempts are listed newest first; pages neither skip nor repeat when calls are made meanwhile.
pub async fn attempts_are_listed_newest_first(store: &dyn StorageUnderTest) {
    let (company, campaign) = running_campaign(store).await;
    store_tasks(store, &samples::tasks(&campaign, 1, 6)).await;
    let mut expected = Vec::new();
    for seconds in 0..5 {
        let now = samples::now() + TimeDelta::seconds(seconds);
        expected.insert(0, claim(store, now, 1).await.pop().unwrap().attempt);
    }
    let filter = CallAttemptFilter {
        campaign_id: Some(campaign.id),
        ..CallAttemptFilter::default()
    };
    let mut work = begin(store, &company).await;
    let first = work
        .call_attempts()
        .list(&filter, &PageRequest::first(2))
        .await
        .unwrap();
    drop(work);
    let newest = claim(store, samples::now() + TimeDelta::seconds(9), 1)
        .await
        .pop()
        .unwrap();
    let mut work = begin(store, &company).await;
    let second = work
        .call_attempts()
        .list(&filter, &page_after(&first, 3))
        .await
        .unwrap();
    assert_eq!(second.next, None);
    assert_eq!([first.rows, second.rows].concat(), expected);
    expected.insert(0, newest.attempt);
    assert_eq!(
        all_pages!(4, |page| work.call_attempts().list(&filter, page)),
        expected
    );
}

/// Campaign, task and state narrow the list together.
pub async fn attempts_are_filtered(store: &dyn StorageUnderTest) {
    let (company, campaign) = running_campaign(store).await;
    let other = run_campaign(store, samples::campaign(&company)).await;
    store_tasks(store, &samples::tasks(&campaign, 1, 4)).await;
    store_tasks(store, &samples::tasks(&other, 11, 3)).await;
    let calls = claim_all(store, samples::now()).await;
    assert_eq!(calls.len(), 7);
    for call in calls
        .iter()
        .filter(|call| call.task.campaign_id == campaign.id)
        .take(3)
    {
        settle(store, call, Outcome::Busy, samples::now()).await;
    }
    let counted = [
        (CallAttemptFilter::default(), 7),
        (
            CallAttemptFilter {
                campaign_id: Some(campaign.id),
                ..CallAttemptFilter::default()
            },
            4,
        ),
        (
            CallAttemptFilter {
                state: Some(AttemptState::Ended),
                ..CallAttemptFilter::default()
            },
            3,
        ),
        (
            CallAttemptFilter {
                campaign_id: Some(other.id),
                state: Some(AttemptState::Ended),
                ..CallAttemptFilter::default()
            },
            0,
        ),
        (
            CallAttemptFilter {
                campaign_id: Some(calls[0].task.campaign_id),
                task_id: Some(calls[0].task.id),
                state: None,
            },
            1,
        ),
    ];
    let mut work = begin(store, &company).await;
    for (filter, expected) in counted {
        let listed = all_pages!(2, |page| work.call_attempts().list(&filter, page));
        assert_eq!(listed.len(), expected, "{filter:?}");
    }
}

/// Attempts that are locked together come in the order in which they are named; those that do not
/// exist are left out.
pub async fn attempts_are_locked_in_the_order_named(store: &dyn StorageUnderTest) {
    let (company, campaign) = running_campaign(store).await;
    store_tasks(store, &samples::tasks(&campaign, 1, 4)).await;
    let mut expected: Vec<CallAttempt> = claim_all(store, samples::now())
        .await
        .into_iter()
        .map(|call| call.attempt)
        .collect();
    expected.swap(0, 2);
    let mut named: Vec<_> = expected.iter().map(|attempt| attempt.id).collect();
    named.insert(1, samples::id());
    for scope in [Scope::Company(company.id), Scope::Platform] {
        let mut work = begin_as(store, scope).await;
        let locked = work.call_attempts().get_many_for_update(&named).await;
        assert_eq!(locked.unwrap(), expected, "{scope:?}");
        let none = work.call_attempts().get_many_for_update(&[]).await;
        assert_eq!(none.unwrap(), []);
    }
    let (stranger, _) = running_campaign(store).await;
    let mut work = begin(store, &stranger).await;
    let locked = work.call_attempts().get_many_for_update(&named).await;
    assert_eq!(locked.unwrap(), [], "they are another company's");
}

/// Attempts changed together read back like attempts changed one by one, and free as many lines.
pub async fn attempts_changed_together_read_back(store: &dyn StorageUnderTest) {
    let (company, campaign) = running_campaign(store).await;
    store_tasks(store, &samples::tasks(&campaign, 1, 4)).await;
    let calls = claim_all(store, samples::now()).await;
    let at = |seconds| samples::now() + TimeDelta::seconds(seconds);
    let mut changed: Vec<CallAttempt> = calls.into_iter().map(|call| call.attempt).collect();
    changed[0] = CallAttempt {
        provider_call_id: Some("CA1, \"2\" {3}".to_owned()),
        state: AttemptState::Answered,
        lease_until: at(900),
        accepted_at: Some(at(1)),
        ringing_at: Some(at(2)),
        answered_at: Some(at(3)),
        answered_by: Some(AnsweredBy::Person),
        raw_status: Some(String::new()),
        recording: Some(Recording::new(RecordingState::InProgress)),
        ..changed[0].clone()
    };
    changed[1] = CallAttempt {
        error_code: Some("21217".to_owned()),
        cost: Some(Cost {
            amount: Decimal::new(-75, 10),
            currency: "EUR".to_owned(),
        }),
        ..changed[1].clone().ended(Outcome::Busy, at(4))
    };
    changed[2] = changed[2].clone().ended(Outcome::NoAnswer, at(5));
    let mut work = begin(store, &company).await;
    work.call_attempts().update_many(&changed).await.unwrap();
    work.call_attempts().update_many(&[]).await.unwrap();
    commit(work).await;
    for changed in changed {
        let version = changed.version + 1;
        assert_eq!(
            stored_attempt(store, changed.id).await,
            CallAttempt { version, ..changed }
        );
    }
    let mut work = begin(store, &company).await;
    let level = work.campaigns().level(campaign.id).await.unwrap().unwrap();
    assert_eq!(level.in_flight, 2);
    let counters = work.campaigns().counters(campaign.id).await.unwrap();
    assert_eq!(
        (counters.live_attempts(), counters.total_attempts()),
        (2, 4)
    );
}

/// Of attempts that are changed together one stale copy, one that is given twice, or one that does
/// not exist is a conflict.
pub async fn one_stale_attempt_of_several_is_a_conflict(store: &dyn StorageUnderTest) {
    let (company, campaign) = running_campaign(store).await;
    store_tasks(store, &samples::tasks(&campaign, 1, 3)).await;
    let attempts: Vec<CallAttempt> = claim_all(store, samples::now())
        .await
        .into_iter()
        .map(|call| call.attempt.ended(Outcome::Busy, samples::now()))
        .collect();
    let mut work = begin(store, &company).await;
    work.call_attempts().update(&attempts[1]).await.unwrap();
    commit(work).await;
    let unknown = CallAttempt {
        id: samples::id(),
        ..attempts[2].clone()
    };
    let twice = [attempts[0].clone(), attempts[0].clone()];
    for refused in [&attempts[..], &twice, &[attempts[0].clone(), unknown]] {
        let mut work = begin(store, &company).await;
        assert_conflict(work.call_attempts().update_many(refused).await);
    }
    let (stranger, _) = running_campaign(store).await;
    let mut work = begin(store, &stranger).await;
    let others = [attempts[0].clone(), attempts[2].clone()];
    assert_conflict(work.call_attempts().update_many(&others).await);
}

/// The platform hears of the calls of all companies to a number, a company of its own; of none that
/// are older, that have no name, or that go elsewhere.
pub async fn the_providers_names_of_calls_to_a_number_are_told(store: &dyn StorageUnderTest) {
    let mut calls = Vec::new();
    for name in ["CA1", "CA2"] {
        let (company, campaign) = running_campaign(store).await;
        store_tasks(store, &samples::tasks(&campaign, 1, 3)).await;
        for mut call in claim_all(store, samples::now()).await {
            if call.attempt.phone_number == samples::phone_number(3) {
                continue;
            }
            let attempt = &mut call.attempt;
            attempt.provider_call_id = Some(format!("{name} to {}", attempt.phone_number));
            let mut work = begin(store, &company).await;
            work.call_attempts().update(attempt).await.unwrap();
            commit(work).await;
            calls.push((company.clone(), call));
        }
    }
    let number = samples::phone_number(1);
    let to_it = |(_, call): &&(Company, ClaimedTask)| call.attempt.phone_number == number;
    let [(company, own), (_, other)] = calls.iter().filter(to_it).collect::<Vec<_>>()[..] else {
        panic!("each company calls the number: {calls:?}");
    };
    let told = async |scope, number, since, except| {
        let mut work = begin_as(store, scope).await;
        let repository = work.call_attempts();
        let mut told = repository
            .provider_call_ids(&number, since, except)
            .await
            .unwrap();
        told.sort();
        told
    };
    let names = ["CA1", "CA2"].map(|name| format!("{name} to {number}"));
    let now = samples::now();
    let nobodys = samples::id();
    assert_eq!(told(Scope::Platform, number, now, nobodys).await, names);
    assert_eq!(
        told(Scope::Platform, number, now, own.attempt.id).await,
        names[1..]
    );
    let own_scope = Scope::Company(company.id);
    assert_eq!(
        told(own_scope, number, now, other.attempt.id).await,
        names[..1]
    );
    let later = now + TimeDelta::microseconds(1);
    assert!(
        told(Scope::Platform, number, later, nobodys)
            .await
            .is_empty()
    );
    let unnamed = samples::phone_number(3);
    assert!(
        told(Scope::Platform, unnamed, now, nobodys)
            .await
            .is_empty()
    );
}
