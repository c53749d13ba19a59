//! What is left when something was forgotten: results stay what they were.

use chrono::TimeDelta;

use super::retention::{end_campaign, talk};
use super::reviews::corrected;
use super::support::{
    all_pages, at_most, begin, claim_all, commit, live_call, running_campaign, settle,
    store_campaign, store_tasks,
};
use super::{StorageUnderTest, exports};
use crate::campaign::Campaign;
use crate::company::Company;
use crate::contact_record::{ContactFilter, ContactRecord, RecordParts};
use crate::conversation::{Answer, AnswerResult, Doubt, Pending, Speaker, Turn};
use crate::export::ExportState;
use crate::gate::Reason;
use crate::interpretation::{Confidence, Intent, Interpretation, InterpretedBy};
use crate::language::Language;
use crate::outcome::Outcome;
use crate::ports::{ClaimedTask, PageRequest};
use crate::results::{Breakdown, Results, Tally};
use crate::survey::{AnswerValue, Question};
use crate::testing::samples;
use crate::time::Timestamp;

/// The company, its campaign, and its calls that have ended: somebody who has answered both questions,
/// and two who have answered the first; of these one has refused then and one has hung up.
async fn three_interviews(store: &dyn StorageUnderTest) -> (Company, Campaign, Vec<ClaimedTask>) {
    let (company, campaign) = running_campaign(store).await;
    store_tasks(store, &samples::tasks(&campaign, 1, 3)).await;
    let calls = claim_all(store, samples::now()).await;
    for (call, (answers, outcome)) in calls.iter().zip([
        (2, Outcome::Completed),
        (1, Outcome::Refused),
        (1, Outcome::Interrupted),
    ]) {
        interview(store, &company, call, answers).await;
        settle(store, call, outcome, samples::now()).await;
    }
    (company, campaign, calls)
}

/// What we say about a question, as the call's turn of that number.
fn asked(call: &ClaimedTask, sequence: u32, key: &str) -> Turn {
    Turn {
        speaker: Speaker::Agent,
        words: "È soddisfatta, signora Rossi?".to_owned(),
        question_key: Some(key.to_owned()),
        ..samples::turn(&call.attempt, sequence)
    }
}

/// What the person says to it.
fn said(call: &ClaimedTask, sequence: u32, key: &str) -> Turn {
    Turn {
        question_key: Some(key.to_owned()),
        interpretation: Some(Interpretation::new(
            Intent::Answer {
                value: AnswerValue::YesNo(true),
            },
            Confidence::CERTAIN,
            InterpretedBy::Rules,
        )),
        ..samples::turn(&call.attempt, sequence)
    }
}

/// An interview in English in which the second question was asked, and so many were answered.
async fn interview(
    store: &dyn StorageUnderTest,
    company: &Company,
    call: &ClaimedTask,
    answers: usize,
) {
    let attempt = &call.attempt;
    let mut held = samples::conversation(attempt);
    held.language = Language::En;
    let turns = [
        samples::turn(attempt, 1),
        asked(call, 2, "first"),
        said(call, 3, "first"),
        asked(call, 4, "second"),
        said(call, 5, "second"),
    ];
    held.memory.pending = Some(Pending {
        value: AnswerValue::YesNo(true),
        words: "sì".to_owned(),
        turn_id: turns[4].id,
        interpreted_by: InterpretedBy::Rules,
        confidence: Confidence::CERTAIN,
        is_last: true,
    });
    let mut work = begin(store, company).await;
    let interviews = work.interviews();
    interviews.insert_conversation(&held).await.unwrap();
    interviews.insert_turns(&turns).await.unwrap();
    let consent = samples::consent(attempt, &turns[0]);
    interviews.insert_consent(&consent).await.unwrap();
    for (key, turn) in [("first", &turns[2]), ("second", &turns[4])]
        .into_iter()
        .take(answers)
    {
        let answer = Answer {
            repeats: 1,
            doubt: Some(Doubt::LowConfidence),
            ..samples::answer(attempt, turn, key)
        };
        interviews.put_answer(&answer).await.unwrap();
    }
    let mut response = samples::response(attempt);
    response.complete = answers == 2;
    interviews.put_response(&response).await.unwrap();
    commit(work).await;
}

async fn records(
    store: &dyn StorageUnderTest,
    company: &Company,
    campaign: &Campaign,
) -> Vec<ContactRecord> {
    // The language of the list is another one than that of the calls.
    let filter = ContactFilter {
        language: Some(Language::En),
        ..ContactFilter::default()
    };
    let mut work = begin(store, company).await;
    all_pages!(2, |page| work.contact_records().list(
        campaign,
        &filter,
        RecordParts::ALL,
        page
    ))
}

async fn results(store: &dyn StorageUnderTest, company: &Company, campaign: &Campaign) -> Results {
    let question = &campaign.settings.survey.questions[0];
    let questions = ["first", "second"].map(|key| Question {
        key: key.to_owned(),
        ..question.clone()
    });
    let by = Breakdown::Language;
    let mut tally = Tally::new(&questions, Language::It, &[], Some(&by)).unwrap();
    for record in records(store, company, campaign).await {
        tally.add(&record).unwrap();
    }
    tally.finish()
}

/// That nothing of what was said is left, and that it is known how much it was.
fn assert_nothing_is_said(records: &[ContactRecord]) {
    for record in records {
        let [call] = &record.calls[..] else {
            panic!("one call: {record:?}");
        };
        assert_eq!(call.turns.len(), 5);
        for turn in &call.turns {
            assert_eq!((turn.words.as_str(), &turn.interpretation), ("", &None));
        }
        for answer in &record.answers {
            assert_eq!(answer.words, "");
        }
        assert!(!call.consent.as_ref().unwrap().text.is_empty());
    }
}

/// Forgetting what was said changes no figure: who was asked, left or refused, how long it took, and in
/// which language.
pub async fn results_stay_as_they_are_without_words(store: &dyn StorageUnderTest) {
    let (company, campaign, calls) = three_interviews(store).await;
    let before = results(store, &company, &campaign).await;
    let second = &before.all.questions[1];
    let fates = (second.asked, second.answered, second.refused, second.left);
    assert_eq!((before.all.contacts, fates), (3, (3, 1, 1, 0)));
    assert_eq!(second.open, 1, "who was interrupted is called again");
    assert!(second.median_seconds.is_some());

    let later = samples::now() + TimeDelta::days(1);
    let forget = async || {
        let mut work = begin(store, &company).await;
        let forgotten = work.retention().forget_words(later, at_most(2)).await;
        commit(work).await;
        forgotten.unwrap()
    };
    assert_eq!((forget().await, forget().await, forget().await), (2, 1, 0));
    assert_eq!(results(store, &company, &campaign).await, before);
    assert_nothing_is_said(&records(store, &company, &campaign).await);
    let mut work = begin(store, &company).await;
    let held = work.interviews().conversation(calls[0].attempt.id).await;
    let held = held.unwrap().unwrap();
    assert_eq!((held.memory.pending, held.last_reply.say.len()), (None, 0));
}

/// Without answers everybody is still counted where they were, but for what they answered.
pub async fn forgotten_answers_are_counted_apart(store: &dyn StorageUnderTest) {
    let (company, campaign, calls) = three_interviews(store).await;
    let mut work = begin(store, &company).await;
    let answers = work.interviews().answers(calls[0].task.id).await.unwrap();
    let (after, replaced) = corrected(&answers[0], 5);
    let review = work.interviews().review_answer(&after, Some(&replaced));
    review.await.unwrap();
    commit(work).await;
    let before = results(store, &company, &campaign).await;
    end_campaign(store, &calls[0]).await;
    let later = samples::now() + TimeDelta::days(1);
    let forget = async || {
        let mut work = begin(store, &company).await;
        let forgotten = work.retention().forget_answers(later, at_most(3)).await;
        commit(work).await;
        forgotten.unwrap()
    };
    assert_eq!((forget().await, forget().await, forget().await), (3, 1, 0));

    let after = results(store, &company, &campaign).await;
    assert_eq!(after.all.complete, before.all.complete);
    assert_eq!(after.groups.len(), 1, "all of them spoke English");
    for (after, before) in after.all.questions.iter().zip(&before.all.questions) {
        let forgotten = before.answered + before.skipped + before.dont_know + before.not_understood;
        assert_eq!((after.answered, after.forgotten), (0, forgotten));
        assert_eq!((after.asked, after.repeats), (before.asked, before.repeats));
        assert_eq!((after.refused, after.left), (before.refused, before.left));
        assert_eq!(after.open, before.open);
        assert_eq!(after.drop_off, before.drop_off);
        assert_eq!(after.median_seconds, before.median_seconds);
        assert!(after.values.is_empty());
    }
    let left = records(store, &company, &campaign).await;
    assert_nothing_is_said(&left);
    for record in &left {
        let is_forgotten = |answer: &Answer| answer.result == AnswerResult::Forgotten;
        assert!(record.answers.iter().all(is_forgotten));
        assert_eq!(record.revisions, []);
    }
    let mut work = begin(store, &company).await;
    let page = PageRequest::default();
    let doubtful = work.interviews().answers_to_review(None, &page).await;
    assert_eq!(doubtful.unwrap().rows, [], "nobody can review them");
}

/// The provider's names of calls go with the number that can be found by them, and the names of files
/// with those that they may tell.
pub async fn calls_and_files_of_forgotten_contacts_lose_their_names(store: &dyn StorageUnderTest) {
    let (company, campaign, calls) = three_interviews(store).await;
    let upload = samples::upload(&campaign);
    let mut work = begin(store, &company).await;
    work.call_lists().insert(&upload).await.unwrap();
    for call in &calls {
        let told = samples::call_event(&call.attempt, "e1");
        assert!(told.provider_call_id.is_some());
        work.events().receive(&told, samples::now()).await.unwrap();
    }
    // Nobody is called again in a campaign that has ended.
    let tasks = work.call_tasks();
    let now = samples::now();
    let ended = tasks.cancel_waiting(campaign.id, Reason::CampaignEnded, now, at_most(9));
    assert_eq!(ended.await.unwrap(), 1);
    commit(work).await;
    end_campaign(store, &calls[0]).await;

    let mut work = begin(store, &company).await;
    let later = samples::now() + TimeDelta::days(40);
    let forgotten = work.retention().forget_contacts(later, later, at_most(9));
    assert_eq!(forgotten.await.unwrap(), 3);
    for call in &calls {
        let told = work.events().received(call.attempt.id).await.unwrap();
        assert_eq!((told.len(), told[0].provider_call_id.as_ref()), (1, None));
    }
    let upload = work.call_lists().get(upload.id).await.unwrap().unwrap();
    assert_eq!((upload.file_name.as_str(), upload.created), ("", 3));
}

/// Files of a campaign whose answers or contacts a company does not keep any longer expire with them.
pub async fn files_of_what_is_not_kept_are_withdrawn(store: &dyn StorageUnderTest) {
    let (company, call) = live_call(store).await;
    talk(store, &call).await;
    settle(store, &call, Outcome::Completed, samples::now()).await;
    end_campaign(store, &call).await;
    let mut work = begin(store, &company).await;
    let campaign = work.campaigns().get(call.task.campaign_id).await;
    let campaign = campaign.unwrap().unwrap();
    drop(work);
    let other = store_campaign(store, samples::campaign(&company)).await;
    let done = |campaign| {
        exports::waiting(campaign, 0).finished(exports::later(1), Some(exports::later(90)))
    };
    let made = [done(&campaign), done(&other)];
    exports::insert(store, &made).await;
    let states = async || {
        let of_forgotten = exports::stored(store, &made[0]).await.unwrap().state;
        let of_other = exports::stored(store, &made[1]).await.unwrap().state;
        assert_eq!(of_other, ExportState::Done);
        of_forgotten
    };
    let old = samples::now() + TimeDelta::days(1);
    for (contacts, before, state) in [
        (false, samples::now(), ExportState::Done),
        (true, samples::now(), ExportState::Done),
        (false, old, ExportState::Expired),
    ] {
        forget(store, &company, contacts, before).await;
        assert_eq!(states().await, state, "{contacts} {before}");
    }
    let again = done(&campaign);
    exports::insert(store, std::slice::from_ref(&again)).await;
    forget(store, &company, false, old).await;
    let state = exports::stored(store, &again).await.unwrap().state;
    assert_eq!(state, ExportState::Done, "no answer is left to forget");
    forget(store, &company, true, old).await;
    let state = exports::stored(store, &again).await.unwrap().state;
    assert_eq!(state, ExportState::Expired);
}

async fn forget(
    store: &dyn StorageUnderTest,
    company: &Company,
    contacts: bool,
    before: Timestamp,
) {
    let mut work = begin(store, company).await;
    let retention = work.retention();
    let forgotten = if contacts {
        retention.forget_contacts(before, before, at_most(9)).await
    } else {
        retention.forget_answers(before, at_most(9)).await
    };
    forgotten.unwrap();
    commit(work).await;
}
