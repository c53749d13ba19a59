//! Tenancy: a company sees, changes and affects only its own rows (I11).

use std::collections::HashSet;

use super::StorageUnderTest;
use super::reviews::corrected;
use super::support::{
    all_pages, assert_conflict, at_most, begin, begin_as, commit, live_call, store_campaign,
    stored_attempt, stored_company, stored_task,
};
use crate::company::Company;
use crate::conversation::{Answer, Doubt};
use crate::exclusion::ExcludedBy;
use crate::gate::Reason;
use crate::id::CompanyId;
use crate::language::Language;
use crate::outcome::Outcome;
use crate::ports::repositories::{
    CallAttemptFilter, CallTaskFilter, CampaignCounters, OutboxEvent,
};
use crate::ports::{ClaimedTask, ExclusionFilter, PageRequest, Scope, UnitOfWork};
use crate::testing::samples::{self, SampleCampaign};

/// A company with a call, and a stranger who must not notice.
async fn owner_and_stranger(store: &dyn StorageUnderTest) -> (Company, ClaimedTask, Company) {
    let (owner, call) = live_call(store).await;
    (owner, call, stored_company(store).await)
}

/// Another company does not exist, and cannot be added or changed by a company.
pub async fn another_company_does_not_exist(store: &dyn StorageUnderTest) {
    let (owner, _, stranger) = owner_and_stranger(store).await;
    let mut work = begin(store, &stranger).await;
    assert_eq!(work.companies().get(owner.id).await.unwrap(), None);
    assert_eq!(
        work.companies().get(stranger.id).await.unwrap(),
        Some(stranger.clone())
    );
    let companies = all_pages!(10, |page| work.companies().list(page));
    assert_eq!(companies, std::slice::from_ref(&stranger));
    assert_conflict(work.companies().update(&owner).await);
    drop(work);
    let mut work = begin(store, &stranger).await;
    assert_conflict(work.companies().insert(&samples::company()).await);
}

/// The API keys of others do not exist, also by their hash.
pub async fn api_keys_of_others_do_not_exist(store: &dyn StorageUnderTest) {
    let (owner, _, stranger) = owner_and_stranger(store).await;
    let key = samples::api_key(&owner);
    let mut work = begin(store, &owner).await;
    work.api_keys().insert(&key).await.unwrap();
    commit(work).await;
    let mut work = begin(store, &stranger).await;
    assert_eq!(work.api_keys().get(key.id).await.unwrap(), None);
    assert_eq!(work.api_keys().find_by_hash(&key.hash).await.unwrap(), None);
    assert_eq!(all_pages!(10, |page| work.api_keys().list(page)), []);
    assert_conflict(work.api_keys().update(&key).await);
    drop(work);
    let mut work = begin(store, &stranger).await;
    assert_conflict(work.api_keys().insert(&samples::api_key(&owner)).await);
}

/// The skillbases of others do not exist.
pub async fn skillbases_of_others_do_not_exist(store: &dyn StorageUnderTest) {
    let (owner, _, stranger) = owner_and_stranger(store).await;
    let skillbase = samples::skillbase(&owner);
    let own = samples::skillbase(&stranger);
    let mut work = begin(store, &stranger).await;
    assert_eq!(work.skillbases().get(skillbase.id).await.unwrap(), None);
    let default = work.skillbases().default_for(Language::It).await.unwrap();
    assert_eq!(default, Some(own.clone()));
    assert_eq!(all_pages!(10, |page| work.skillbases().list(page)), [own]);
    assert!(!work.skillbases().delete(skillbase.id).await.unwrap());
    assert_conflict(work.skillbases().update(&skillbase).await);
    drop(work);
    let mut work = begin(store, &stranger).await;
    let planted = crate::skillbase::Skillbase {
        id: samples::id(),
        is_default: false,
        ..skillbase
    };
    assert_conflict(work.skillbases().insert(&planted).await);
}

/// The campaigns of others do not exist.
pub async fn campaigns_of_others_do_not_exist(store: &dyn StorageUnderTest) {
    let (owner, call, stranger) = owner_and_stranger(store).await;
    let id = call.task.campaign_id;
    let mut work = begin(store, &owner).await;
    let campaign = work.campaigns().get(id).await.unwrap().unwrap();
    drop(work);
    let mut work = begin(store, &stranger).await;
    assert_eq!(work.campaigns().get(id).await.unwrap(), None);
    assert_eq!(work.campaigns().get_for_update(id).await.unwrap(), None);
    assert_eq!(all_pages!(10, |page| work.campaigns().list(None, page)), []);
    assert_eq!(
        all_pages!(10, |page| work.campaigns().list(Some("running"), page)),
        []
    );
    assert_eq!(
        work.campaigns().counters(id).await.unwrap(),
        CampaignCounters::default()
    );
    assert!(!work.campaigns().delete(id).await.unwrap());
    assert_conflict(work.campaigns().update(&campaign.clone().paused()).await);
    drop(work);
    let mut work = begin(store, &stranger).await;
    assert_conflict(work.campaigns().insert(&samples::campaign(&owner)).await);
    drop(work);
    let mut work = begin(store, &owner).await;
    assert_eq!(work.campaigns().get(id).await.unwrap(), Some(campaign));
}

/// A campaign cannot name the skillbase of another company.
pub async fn a_campaign_cannot_borrow_a_skillbase(store: &dyn StorageUnderTest) {
    let (owner, _, stranger) = owner_and_stranger(store).await;
    let mut campaign = samples::campaign(&stranger);
    campaign.settings.skillbase_id = samples::skillbase(&owner).id;
    let mut work = begin(store, &stranger).await;
    assert_conflict(work.campaigns().insert(&campaign).await);
}

/// The uploads of others do not exist.
pub async fn uploads_of_others_do_not_exist(store: &dyn StorageUnderTest) {
    let (owner, _, stranger) = owner_and_stranger(store).await;
    let campaign = store_campaign(store, samples::campaign(&owner)).await;
    let upload = samples::upload(&campaign);
    let mut work = begin(store, &owner).await;
    work.call_lists().insert(&upload).await.unwrap();
    commit(work).await;
    let mut work = begin(store, &stranger).await;
    assert_eq!(work.call_lists().get(upload.id).await.unwrap(), None);
    assert_conflict(work.call_lists().insert(&samples::upload(&campaign)).await);
}

/// The tasks of others do not exist.
pub async fn tasks_of_others_do_not_exist(store: &dyn StorageUnderTest) {
    let (owner, call, stranger) = owner_and_stranger(store).await;
    let campaign = store_campaign(store, samples::campaign(&owner)).await;
    let waiting = samples::task(&campaign, "+393471234567");
    super::support::store_tasks(store, std::slice::from_ref(&waiting)).await;
    let mut work = begin(store, &stranger).await;
    assert_eq!(work.call_tasks().get(call.task.id).await.unwrap(), None);
    assert_eq!(
        work.call_tasks()
            .get_for_update(call.task.id)
            .await
            .unwrap(),
        None
    );
    for campaign_id in [None, Some(campaign.id)] {
        let filter = CallTaskFilter {
            campaign_id,
            ..CallTaskFilter::default()
        };
        assert_eq!(
            all_pages!(10, |page| work.call_tasks().list(&filter, page)),
            []
        );
    }
    let number = waiting.contact.phone_number;
    assert_eq!(
        work.call_tasks()
            .waiting_with_number(&number)
            .await
            .unwrap(),
        []
    );
    let cancelled = work
        .call_tasks()
        .cancel_waiting(
            campaign.id,
            Reason::CampaignEnded,
            samples::now(),
            at_most(1_000),
        )
        .await
        .unwrap();
    assert_eq!(cancelled, 0);
    assert_conflict(work.call_tasks().update(&waiting).await);
    drop(work);
    let mut work = begin(store, &stranger).await;
    let planted = samples::task(&campaign, "+393477654321");
    assert_conflict(work.call_tasks().insert_many(&[planted]).await);
    drop(work);
    assert_eq!(stored_task(store, waiting.id).await, waiting);
}

/// A task that says it is one's own cannot be put into the campaign of another company.
pub async fn a_task_cannot_be_put_into_a_campaign_of_others(store: &dyn StorageUnderTest) {
    let (owner, _, stranger) = owner_and_stranger(store).await;
    let campaign = store_campaign(store, samples::campaign(&owner)).await;
    let mut planted = samples::task(&campaign, "+393477654321");
    planted.company_id = stranger.id;
    let mut work = begin(store, &stranger).await;
    assert_conflict(work.call_tasks().insert_many(&[planted]).await);
}

/// The attempts of others do not exist.
pub async fn attempts_of_others_do_not_exist(store: &dyn StorageUnderTest) {
    let (_, call, stranger) = owner_and_stranger(store).await;
    let mut work = begin(store, &stranger).await;
    assert_eq!(
        work.call_attempts().get(call.attempt.id).await.unwrap(),
        None
    );
    assert_eq!(
        work.call_attempts()
            .get_for_update(call.attempt.id)
            .await
            .unwrap(),
        None
    );
    for task_id in [None, Some(call.task.id)] {
        let filter = CallAttemptFilter {
            task_id,
            ..CallAttemptFilter::default()
        };
        assert_eq!(
            all_pages!(10, |page| work.call_attempts().list(&filter, page)),
            []
        );
    }
    let ended = call.attempt.clone().ended(Outcome::Busy, samples::now());
    assert_conflict(work.call_attempts().update(&ended).await);
    drop(work);
    assert_eq!(stored_attempt(store, call.attempt.id).await, call.attempt);
}

/// What was said to others does not exist.
pub async fn interviews_of_others_do_not_exist(store: &dyn StorageUnderTest) {
    let (owner, call, stranger) = owner_and_stranger(store).await;
    let conversation = samples::conversation(&call.attempt);
    let turn = samples::turn(&call.attempt, 1);
    let answer = Answer {
        doubt: Some(Doubt::Unconfirmed),
        ..samples::answer(&call.attempt, &turn, "q1")
    };
    let mut work = begin(store, &owner).await;
    let interviews = work.interviews();
    interviews.insert_conversation(&conversation).await.unwrap();
    interviews
        .insert_turns(std::slice::from_ref(&turn))
        .await
        .unwrap();
    interviews.put_answer(&answer).await.unwrap();
    interviews
        .insert_consent(&samples::consent(&call.attempt, &turn))
        .await
        .unwrap();
    interviews
        .put_response(&samples::response(&call.attempt))
        .await
        .unwrap();
    commit(work).await;

    let mut work = begin(store, &stranger).await;
    let page = PageRequest::default();
    let interviews = work.interviews();
    assert_eq!(
        interviews.conversation(call.attempt.id).await.unwrap(),
        None
    );
    assert_eq!(interviews.turns(call.attempt.id).await.unwrap(), []);
    assert_eq!(interviews.answers(call.task.id).await.unwrap(), []);
    let answers = interviews
        .campaign_answers(call.task.campaign_id, &page)
        .await
        .unwrap();
    assert_eq!(answers.rows, []);
    assert_eq!(interviews.answer(answer.id).await.unwrap(), None);
    for campaign_id in [None, Some(call.task.campaign_id)] {
        let doubtful = interviews.answers_to_review(campaign_id, &page);
        assert_eq!(doubtful.await.unwrap().rows, []);
    }
    assert_eq!(interviews.consent(call.attempt.id).await.unwrap(), None);
    assert_eq!(interviews.response(call.task.id).await.unwrap(), None);
    assert_conflict(interviews.update_conversation(&conversation).await);
}

/// What somebody decided about an answer, and what it was before, does not exist for others, and
/// cannot be decided by them.
pub async fn reviews_of_others_do_not_exist(store: &dyn StorageUnderTest) {
    let (owner, call, stranger) = owner_and_stranger(store).await;
    let turn = samples::turn(&call.attempt, 1);
    let answer = samples::answer(&call.attempt, &turn, "q1");
    let mut work = begin(store, &owner).await;
    let interviews = work.interviews();
    interviews.insert_turns(&[turn]).await.unwrap();
    interviews.put_answer(&answer).await.unwrap();
    let (corrected, replaced) = corrected(&answer, 3);
    let review = interviews.review_answer(&corrected, Some(&replaced));
    review.await.unwrap();
    let decided = interviews.answer(answer.id).await.unwrap();
    commit(work).await;

    let mut work = begin(store, &stranger).await;
    let interviews = work.interviews();
    assert_eq!(interviews.answer_revisions(answer.id).await.unwrap(), []);
    let again = Answer {
        revision: 1,
        ..corrected
    };
    assert_conflict(interviews.review_answer(&again, None).await);
    drop(work);
    let mut work = begin(store, &stranger).await;
    let planted = Answer {
        company_id: stranger.id,
        ..again
    };
    assert_conflict(work.interviews().review_answer(&planted, None).await);
    drop(work);
    let mut work = begin(store, &owner).await;
    assert_eq!(work.interviews().answer(answer.id).await.unwrap(), decided);
}

/// Nothing can be written into the interviews of others.
pub async fn nothing_is_written_into_interviews_of_others(store: &dyn StorageUnderTest) {
    let (_, call, stranger) = owner_and_stranger(store).await;
    let turn = samples::turn(&call.attempt, 1);
    let begin = || begin(store, &stranger);
    let conversation = samples::conversation(&call.attempt);
    assert_conflict(
        begin()
            .await
            .interviews()
            .insert_conversation(&conversation)
            .await,
    );
    assert_conflict(
        begin()
            .await
            .interviews()
            .insert_turns(std::slice::from_ref(&turn))
            .await,
    );
    let answer = samples::answer(&call.attempt, &turn, "q1");
    assert_conflict(begin().await.interviews().put_answer(&answer).await);
    let consent = samples::consent(&call.attempt, &turn);
    assert_conflict(begin().await.interviews().insert_consent(&consent).await);
    let response = samples::response(&call.attempt);
    assert_conflict(begin().await.interviews().put_response(&response).await);
}

/// An exclusion counts in its own company only, and what became of it is no business of others.
pub async fn exclusions_of_others_do_not_exist(store: &dyn StorageUnderTest) {
    let (owner, _, stranger) = owner_and_stranger(store).await;
    let number = samples::phone_number(77);
    let exclusion = samples::exclusion(&owner, number);
    let removal = samples::exclusion_removal(&exclusion);
    let mut work = begin(store, &owner).await;
    work.exclusions().insert(&exclusion).await.unwrap();
    work.exclusions().insert_removal(&removal).await.unwrap();
    commit(work).await;
    let mut work = begin(store, &stranger).await;
    assert_eq!(work.exclusions().get(&number).await.unwrap(), None);
    assert_eq!(work.exclusions().excluded_by(&number).await.unwrap(), None);
    assert!(work.exclusions().among(&[number]).await.unwrap().is_empty());
    assert!(!work.exclusions().delete(&number).await.unwrap());
    let all = ExclusionFilter::default();
    assert_eq!(
        all_pages!(10, |page| work.exclusions().list(&all, page)),
        []
    );
    assert_eq!(all_pages!(10, |page| work.exclusions().removals(page)), []);
    assert!(
        work.exclusions()
            .insert(&samples::exclusion(&stranger, number))
            .await
            .unwrap()
    );
    assert_conflict(work.exclusions().insert(&exclusion).await);
    drop(work);
    let mut work = begin(store, &stranger).await;
    let planted = samples::exclusion_removal(&exclusion);
    assert_conflict(work.exclusions().insert_removal(&planted).await);
    drop(work);
    let mut work = begin(store, &owner).await;
    assert_eq!(
        work.exclusions().get(&number).await.unwrap(),
        Some(exclusion)
    );
    assert_eq!(
        all_pages!(10, |page| work.exclusions().removals(page)),
        [removal]
    );
}

/// The operator's list holds for every company, and no company reads or changes it.
pub async fn the_operators_exclusions_are_the_operators(store: &dyn StorageUnderTest) {
    let (company, _, stranger) = owner_and_stranger(store).await;
    let number = samples::phone_number(77);
    let exclusion = samples::operators_exclusion(number);
    let removal = samples::exclusion_removal(&exclusion);
    let all = ExclusionFilter::default();
    let mut work = begin_as(store, Scope::Platform).await;
    assert!(work.exclusions().insert(&exclusion).await.unwrap());
    assert!(!work.exclusions().insert(&exclusion).await.unwrap());
    work.exclusions().insert_removal(&removal).await.unwrap();
    commit(work).await;
    for company in [&company, &stranger] {
        let mut work = begin(store, company).await;
        let bar = work.exclusions().excluded_by(&number).await.unwrap();
        assert_eq!(bar, Some(ExcludedBy::Operator));
        let others = samples::phone_number(78);
        let excluded = work.exclusions().among(&[number, others]).await.unwrap();
        assert_eq!(excluded, HashSet::from([number]));
        assert_eq!(work.exclusions().get(&number).await.unwrap(), None);
        let listed = all_pages!(10, |page| work.exclusions().list(&all, page));
        assert_eq!(listed, []);
        assert_eq!(all_pages!(10, |page| work.exclusions().removals(page)), []);
        assert!(!work.exclusions().delete(&number).await.unwrap());
        let planted = samples::operators_exclusion(others);
        assert_conflict(work.exclusions().insert(&planted).await);
        drop(work);
        let mut work = begin(store, company).await;
        let planted = samples::exclusion_removal(&exclusion);
        assert_conflict(work.exclusions().insert_removal(&planted).await);
    }
    let mut work = begin(store, &company).await;
    let own = samples::exclusion(&company, number);
    assert!(work.exclusions().insert(&own).await.unwrap());
    let bar = work.exclusions().excluded_by(&number).await.unwrap();
    assert_eq!(bar, Some(ExcludedBy::Company));
    commit(work).await;

    // The platform keeps the operator's list, and no company's.
    let mut work = begin_as(store, Scope::Platform).await;
    let listed = all_pages!(1, |page| work.exclusions().list(&all, page));
    assert_eq!(listed, [exclusion]);
    let removals = all_pages!(1, |page| work.exclusions().removals(page));
    assert_eq!(removals, [removal]);
    assert!(work.exclusions().delete(&number).await.unwrap());
    assert!(!work.exclusions().delete(&number).await.unwrap());
    commit(work).await;
    let mut work = begin(store, &company).await;
    assert_eq!(work.exclusions().get(&number).await.unwrap(), Some(own));
    drop(work);
    let mut work = begin(store, &stranger).await;
    assert_eq!(work.exclusions().excluded_by(&number).await.unwrap(), None);
}

/// Events of others can neither be noted nor published nor read.
pub async fn events_of_others_do_not_exist(store: &dyn StorageUnderTest) {
    let (owner, call, stranger) = owner_and_stranger(store).await;
    let event = samples::outbox_event(&owner);
    let mut work = begin(store, &owner).await;
    work.events().publish(&event).await.unwrap();
    commit(work).await;
    let mut work = begin(store, &stranger).await;
    assert_eq!(all_pages!(10, |page| work.events().published(page)), []);
    let planted = OutboxEvent {
        id: samples::id(),
        ..event
    };
    assert_conflict(work.events().publish(&planted).await);
    drop(work);
    let mut work = begin(store, &stranger).await;
    let news = samples::call_event(&call.attempt, "e1");
    assert_conflict(work.events().receive(&news, samples::now()).await);
}

/// The platform sees the rows of every company.
pub async fn the_platform_sees_every_company(store: &dyn StorageUnderTest) {
    let (owner, call, stranger) = owner_and_stranger(store).await;
    let campaign = store_campaign(store, samples::campaign(&stranger)).await;
    let mut work = begin_as(store, Scope::Platform).await;
    let companies = all_pages!(1, |page| work.companies().list(page));
    let companies: Vec<CompanyId> = companies.iter().map(|company| company.id).collect();
    assert_eq!(companies, [owner.id, stranger.id]);
    assert_eq!(campaigns_seen(&mut *work).await, 2);
    assert_eq!(
        work.call_tasks().get(call.task.id).await.unwrap(),
        Some(call.task)
    );
    assert_eq!(
        work.call_attempts().get(call.attempt.id).await.unwrap(),
        Some(call.attempt)
    );
    work.campaigns().update(&campaign.running()).await.unwrap();
    commit(work).await;
}

async fn campaigns_seen(work: &mut dyn UnitOfWork) -> usize {
    all_pages!(10, |page| work.campaigns().list(None, page)).len()
}
