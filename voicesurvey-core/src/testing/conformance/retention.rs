//! How long companies keep what they know, and forgetting the rest.

use std::num::NonZeroU16;

use chrono::TimeDelta;
use uuid::Uuid;

use super::StorageUnderTest;
use super::support::{
    all_pages, at_most, begin, begin_as, change_campaign, claim, commit, live_call, run_campaign,
    running_campaign, settle, store_tasks, stored_attempt, stored_company, stored_task,
};
use crate::call_list::RowError;
use crate::campaign::{Campaign, CampaignStatus};
use crate::conversation::AnswerResult;
use crate::erasure::Retention;
use crate::outcome::Outcome;
use crate::ports::{ClaimedTask, ExclusionFilter, PageRequest, Scope};
use crate::testing::samples;

fn days(days: u16) -> Option<NonZeroU16> {
    NonZeroU16::new(days)
}

/// Stores a conversation with an answer.
pub(super) async fn talk(store: &dyn StorageUnderTest, call: &ClaimedTask) {
    let attempt = &call.attempt;
    let turn = samples::turn(attempt, 1);
    let mut work = begin_as(store, Scope::Company(attempt.company_id)).await;
    let interviews = work.interviews();
    interviews
        .insert_conversation(&samples::conversation(attempt))
        .await
        .unwrap();
    interviews
        .insert_turns(std::slice::from_ref(&turn))
        .await
        .unwrap();
    let answer = samples::answer(attempt, &turn, "q1");
    interviews.put_answer(&answer).await.unwrap();
    commit(work).await;
}

/// Ends the campaign of that call.
pub(super) async fn end_campaign(store: &dyn StorageUnderTest, call: &ClaimedTask) {
    let mut work = begin_as(store, Scope::Company(call.task.company_id)).await;
    let campaign = work.campaigns().get(call.task.campaign_id).await;
    drop(work);
    let ended = Campaign {
        status: CampaignStatus::Completed,
        ended_at: Some(samples::now()),
        ..campaign.unwrap().unwrap()
    };
    change_campaign(store, ended).await;
}

/// What a company keeps reads back; at first it keeps everything, and so do others.
pub async fn what_a_company_keeps_reads_back(store: &dyn StorageUnderTest) {
    let (company, stranger) = (stored_company(store).await, stored_company(store).await);
    let retention = Retention {
        transcript_days: days(30),
        answer_days: None,
        contact_days: days(90),
    };
    let mut work = begin(store, &company).await;
    assert_eq!(work.retention().get().await.unwrap(), Retention::default());
    work.retention().set(&Retention::default()).await.unwrap();
    work.retention().set(&retention).await.unwrap();
    assert_eq!(work.retention().get().await.unwrap(), retention);
    commit(work).await;
    let mut work = begin(store, &stranger).await;
    assert_eq!(work.retention().get().await.unwrap(), Retention::default());
    work.retention().set(&Retention::default()).await.unwrap();
    commit(work).await;
    let mut work = begin_as(store, Scope::Platform).await;
    let companies = work.retention().companies().await.unwrap();
    assert_eq!(companies, [(company.id, retention)]);
}

/// What was said in calls that have ended is forgotten, call by call; values of answers stay.
pub async fn words_of_old_calls_are_forgotten(store: &dyn StorageUnderTest) {
    let (company, call) = live_call(store).await;
    talk(store, &call).await;
    let stranger = live_call(store).await.1;
    talk(store, &stranger).await;
    settle(store, &stranger, Outcome::Completed, samples::now()).await;
    let (earlier, later) = (
        samples::now() - TimeDelta::days(1),
        samples::now() + TimeDelta::days(1),
    );
    let forget = async |before| {
        let mut work = begin(store, &company).await;
        let forgotten = work.retention().forget_words(before, at_most(1)).await;
        commit(work).await;
        forgotten.unwrap()
    };
    assert_eq!(forget(later).await, 0, "the call is still going on");
    settle(store, &call, Outcome::Completed, samples::now()).await;
    assert_eq!(forget(earlier).await, 0, "it is not old enough");
    assert_eq!(forget(later).await, 1);
    assert_eq!(forget(later).await, 0);
    let mut work = begin(store, &company).await;
    let interviews = work.interviews();
    let turns = interviews.turns(call.attempt.id).await.unwrap();
    assert_eq!((turns.len(), turns[0].words.as_str()), (1, ""));
    let held = interviews.conversation(call.attempt.id).await.unwrap();
    assert_eq!(held.unwrap().last_reply.say, [""; 0]);
    let answers = interviews.answers(call.task.id).await.unwrap();
    assert_eq!((answers.len(), answers[0].words.as_str()), (1, ""));
    assert!(answers[0].result.value().is_some());
    drop(work);
    let mut work = begin_as(store, Scope::Platform).await;
    let turns = work.interviews().turns(stranger.attempt.id).await;
    assert_eq!(turns.unwrap()[0].words, "sì", "others keep theirs");
}

/// Answers are forgotten when their campaign has ended long ago, with what was said in the calls; the
/// events that told them by their own age.
pub async fn old_answers_are_forgotten(store: &dyn StorageUnderTest) {
    let (company, call) = live_call(store).await;
    talk(store, &call).await;
    let mut work = begin(store, &company).await;
    for _ in 0..2 {
        let event = samples::outbox_event(&company);
        work.events().publish(&event).await.unwrap();
    }
    commit(work).await;
    let forget = async |before| {
        let mut work = begin(store, &company).await;
        let forgotten = work.retention().forget_answers(before, at_most(1)).await;
        commit(work).await;
        forgotten.unwrap()
    };
    let later = samples::now() + TimeDelta::days(1);
    assert_eq!(forget(samples::now() - TimeDelta::days(1)).await, 0);
    assert_eq!(forget(later).await, 1);
    assert_eq!(forget(later).await, 1, "one event was left");
    assert_eq!(forget(later).await, 0, "the campaign is running");
    settle(store, &call, Outcome::Completed, samples::now()).await;
    end_campaign(store, &call).await;
    assert_eq!(forget(samples::now()).await, 0, "it has just ended");
    assert_eq!(forget(later).await, 1);
    assert_eq!(forget(later).await, 0);
    let mut work = begin(store, &company).await;
    let answers = work.interviews().answers(call.task.id).await.unwrap();
    assert_eq!((answers.len(), answers[0].words.as_str()), (1, ""));
    assert_eq!(answers[0].result, AnswerResult::Forgotten);
    assert_eq!(all_pages!(10, |page| work.events().published(page)), []);
    let turns = work.interviews().turns(call.attempt.id).await.unwrap();
    assert_eq!((turns.len(), turns[0].words.as_str()), (1, ""));
}

/// Who was called in campaigns that ended long ago is forgotten; what came of it stays and is
/// counted.
pub async fn contacts_of_old_campaigns_are_forgotten(store: &dyn StorageUnderTest) {
    let (company, call) = live_call(store).await;
    let mut work = begin(store, &company).await;
    let campaign = work.campaigns().get(call.task.campaign_id).await;
    let campaign = campaign.unwrap().unwrap();
    drop(work);
    let mut more = samples::tasks(&campaign, 100, 2);
    // However little identifiers differ: numbers are unique in a campaign.
    let first = more[0].id.as_uuid().as_u128();
    more[1].id = Uuid::from_u128(first + 1_000_000_000_000).into();
    store_tasks(store, &more).await;
    for call in claim(store, samples::now(), 10).await {
        settle(store, &call, Outcome::Refused, samples::now()).await;
    }
    end_campaign(store, &call).await;
    let now = samples::now() + TimeDelta::days(40);
    let forget = async |before| {
        let mut work = begin(store, &company).await;
        let retention = work.retention();
        let forgotten = retention.forget_contacts(before, now, at_most(2)).await;
        commit(work).await;
        forgotten.unwrap()
    };
    assert_eq!(forget(samples::now()).await, 0, "it has just ended");
    let later = samples::now() + TimeDelta::days(1);
    assert_eq!(forget(later).await, 2, "a call is still going on");
    assert_eq!(forget(later).await, 0);
    settle(store, &call, Outcome::Refused, samples::now()).await;
    assert_eq!(forget(later).await, 1);
    for task in [&call.task, &more[0], &more[1]] {
        let task = stored_task(store, task.id).await;
        assert_eq!(task.contact.phone_number, task.nobodys_number());
        assert_eq!(task.outcome, Some(Outcome::Refused));
    }
    let attempt = stored_attempt(store, call.attempt.id).await;
    assert!(attempt.phone_number.is_nobodys());
    let findings = store.audit(samples::now()).await.unwrap();
    assert_eq!(findings, []);
    let mut work = begin(store, &company).await;
    let page = PageRequest::default();
    let all = ExclusionFilter::default();
    let excluded = work.exclusions().list(&all, &page).await;
    assert_eq!(excluded.unwrap().rows, [], "nobody is excluded by it");
}

/// Rows of call lists that were not taken are forgotten with the people of their campaign.
pub async fn rows_that_were_not_taken_are_forgotten_with_their_campaign(
    store: &dyn StorageUnderTest,
) {
    let (company, campaign) = running_campaign(store).await;
    let other = run_campaign(store, samples::campaign(&company)).await;
    let rejected = |row| RowError {
        row,
        column: "phone_number".to_owned(),
        value: "n/a".to_owned(),
        reason: "Phone number contains letters".to_owned(),
        original: vec!["Ada Rossi".to_owned(), "n/a".to_owned()],
    };
    let rows = [rejected(2), rejected(3), rejected(9)];
    let uploads = [&campaign, &campaign, &other].map(samples::upload);
    let mut work = begin(store, &company).await;
    for (upload, rows) in uploads.iter().zip([&rows[..2], &rows[..1], &rows]) {
        work.call_lists().insert(upload).await.unwrap();
        let lists = work.call_lists();
        lists.insert_errors(upload, rows).await.unwrap();
    }
    commit(work).await;
    let ended = Campaign {
        status: CampaignStatus::Completed,
        ended_at: Some(samples::now()),
        ..campaign
    };
    change_campaign(store, ended).await;
    let now = samples::now() + TimeDelta::days(40);
    let forget = async |before| {
        let mut work = begin(store, &company).await;
        let retention = work.retention();
        let forgotten = retention.forget_contacts(before, now, at_most(2)).await;
        commit(work).await;
        forgotten.unwrap()
    };
    assert_eq!(forget(samples::now()).await, 0, "it has just ended");
    let later = samples::now() + TimeDelta::days(1);
    assert_eq!(forget(later).await, 2);
    assert_eq!(forget(later).await, 1);
    assert_eq!(forget(later).await, 0);
    let mut work = begin(store, &company).await;
    for (upload, left) in uploads.iter().zip([0, 0, 3]) {
        let errors = work.call_lists().errors(upload.id, 0, 9).await.unwrap();
        assert_eq!(errors.len(), left);
        let stored = work.call_lists().get(upload.id).await.unwrap();
        let mut expected = upload.clone();
        if left == 0 {
            // A file may be named after somebody.
            expected.file_name.clear();
        }
        assert_eq!(stored, Some(expected));
    }
}
