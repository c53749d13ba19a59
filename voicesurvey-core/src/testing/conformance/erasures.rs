//! Erasing one person, and what remains.

use std::collections::HashSet;

use super::StorageUnderTest;
use super::reviews::corrected;
use super::support::{
    PROVIDER, all_pages, assert_conflict, at_most, begin, begin_as, claim_all, commit, live_call,
    run_campaign, running_campaign, settle, store_tasks, stored_attempt, stored_company,
    stored_task,
};
use crate::audit::Check;
use crate::call_attempt::{CallAttempt, CallEvent, CallEventKind, Recording, RecordingState};
use crate::call_list::{Contact, RowError};
use crate::call_task::{CallTask, TaskState, TaskStatus};
use crate::company::Company;
use crate::erasure::ErasedRows;
use crate::exclusion::ExcludedBy;
use crate::id::ErasureId;
use crate::outcome::Outcome;
use crate::ports::repositories::{CallTaskFilter, OutboxEvent};
use crate::ports::{ClaimedTask, ExclusionFilter, PageRequest, Scope};
use crate::testing::samples::{self, SampleTask};

/// A person who was interviewed and has asked not to be called again, and who waits in another
/// campaign; everything that can be stored of them is.
pub(super) async fn known_person(store: &dyn StorageUnderTest) -> (Company, ClaimedTask, CallTask) {
    let (company, call) = live_call(store).await;
    let attempt = &call.attempt;
    let turns = [samples::turn(attempt, 1), samples::turn(attempt, 2)];
    let answer = samples::answer(attempt, &turns[1], "q1");
    let exclusion = samples::exclusion(&company, attempt.phone_number);
    let mut work = begin(store, &company).await;
    let interviews = work.interviews();
    interviews
        .insert_conversation(&samples::conversation(attempt))
        .await
        .unwrap();
    interviews.insert_turns(&turns).await.unwrap();
    interviews.put_answer(&answer).await.unwrap();
    let (corrected, replaced) = corrected(&answer, 3);
    let review = interviews.review_answer(&corrected, Some(&replaced));
    review.await.unwrap();
    let consent = samples::consent(attempt, &turns[0]);
    interviews.insert_consent(&consent).await.unwrap();
    let response = samples::response(attempt);
    interviews.put_response(&response).await.unwrap();
    let told = samples::call_event(attempt, "e1");
    let events = work.events();
    events.receive(&told, samples::now()).await.unwrap();
    let event = OutboxEvent {
        body: serde_json::json!({ "task_id": call.task.id, "answers": [{ "value": "sì" }] }),
        ..samples::outbox_event(&company)
    };
    events.publish(&event).await.unwrap();
    let exclusions = work.exclusions();
    exclusions.insert(&exclusion).await.unwrap();
    let removal = samples::exclusion_removal(&exclusion);
    exclusions.insert_removal(&removal).await.unwrap();
    commit(work).await;
    settle(store, &call, Outcome::Completed, samples::now()).await;
    let other = run_campaign(store, samples::campaign(&company)).await;
    let mut waiting = samples::task(&other, attempt.phone_number.as_str());
    "Ada Rossi".clone_into(&mut waiting.contact.name);
    waiting.contact.extra = [("email".to_owned(), "ada@example.org".to_owned())].into();
    store_tasks(store, std::slice::from_ref(&waiting)).await;
    (company, call, waiting)
}

/// Erases the person of that call, as services do.
pub(super) async fn erase(
    store: &dyn StorageUnderTest,
    company: &Company,
    call: &ClaimedTask,
) -> (ErasureId, ErasedRows) {
    let number = call.attempt.phone_number;
    let mut work = begin(store, company).await;
    let tasks = work.erasures().tasks_with_number(&number).await.unwrap();
    let now = samples::now();
    work.call_tasks()
        .exclude_waiting(&[number], now)
        .await
        .unwrap();
    let erased = work.erasures().erase(&number, &tasks, now).await.unwrap();
    let id = samples::id();
    assert!(work.erasures().keep_hash(&number, id, now).await.unwrap());
    commit(work).await;
    (id, erased)
}

/// Of an erased person remain calls and outcomes that are nobody's; counts stay right, and other
/// people are left alone.
pub async fn an_erased_person_is_nobody(store: &dyn StorageUnderTest) {
    let (company, call, waiting) = known_person(store).await;
    let number = call.attempt.phone_number;
    let (_, neighbour) = running_campaign(store).await;
    let theirs = samples::task(&neighbour, number.as_str());
    let other = samples::task(&neighbour, samples::phone_number(500).as_str());
    store_tasks(store, &[theirs.clone(), other]).await;

    let (_, erased) = erase(store, &company, &call).await;
    let expected = ErasedRows {
        contacts: 2,
        other_contacts: 0,
        calls: 1,
        conversations: 1,
        turns: 2,
        answers: 1,
        revisions: 1,
        consents: 1,
        events: 1,
        exclusions: 2,
        upload_errors: 0,
        recordings: 0,
        exports: 0,
    };
    assert_eq!(erased, expected);
    let attempt = stored_attempt(store, call.attempt.id).await;
    assert!(attempt.phone_number.is_nobodys());
    assert_eq!(attempt.provider_call_id, None);
    assert_eq!(attempt.outcome, Some(Outcome::Completed));
    for (id, status) in [
        (call.task.id, TaskStatus::Completed),
        (waiting.id, TaskStatus::Excluded),
    ] {
        let task = stored_task(store, id).await;
        assert_eq!(task.state.status(), status);
        let nobody = Contact {
            phone_number: task.nobodys_number(),
            name: String::new(),
            language: None,
            time_zones: Vec::new(),
            priority: task.contact.priority,
            extra: std::collections::BTreeMap::new(),
        };
        assert_eq!(task.contact, nobody);
    }
    let mut work = begin(store, &company).await;
    let interviews = work.interviews();
    let id = call.attempt.id;
    assert_eq!(interviews.conversation(id).await.unwrap(), None);
    assert_eq!(interviews.turns(id).await.unwrap(), []);
    assert_eq!(interviews.consent(id).await.unwrap(), None);
    assert_eq!(interviews.answers(call.task.id).await.unwrap(), []);
    let response = interviews.response(call.task.id).await.unwrap();
    assert!(response.is_some_and(|response| response.complete));
    let filter = CallTaskFilter {
        text: Some(number.as_str()[3..].to_owned()),
        ..CallTaskFilter::default()
    };
    let found = all_pages!(10, |page| work.call_tasks().list(&filter, page));
    assert_eq!(found, []);
    let told = work.events().received(id).await.unwrap();
    assert_eq!((told.len(), told[0].provider_call_id.as_ref()), (1, None));
    assert_eq!(all_pages!(10, |page| work.events().published(page)), []);
    drop(work);
    assert_eq!(stored_task(store, theirs.id).await, theirs);
    assert_eq!(store.audit(samples::now()).await.unwrap(), []);
}

/// The provider's name of a call is kept while its price is asked for, and no longer.
pub async fn a_call_keeps_its_name_until_it_is_priced(store: &dyn StorageUnderTest) {
    for price_due_at in [None, Some(samples::now())] {
        let (company, call, _) = known_person(store).await;
        let mut attempt = stored_attempt(store, call.attempt.id).await;
        attempt.provider_call_id = Some("call-1".to_owned());
        attempt.price_due_at = price_due_at;
        let mut work = begin(store, &company).await;
        work.call_attempts().update(&attempt).await.unwrap();
        commit(work).await;
        erase(store, &company, &call).await;
        let attempt = stored_attempt(store, attempt.id).await;
        assert_eq!(attempt.provider_call_id.is_some(), price_due_at.is_some());
    }
}

/// The audit misses the consents of people who were not erased, and no others.
pub async fn lost_consents_are_those_of_people_who_were_not_erased(store: &dyn StorageUnderTest) {
    let (company, call, _) = known_person(store).await;
    let campaign = run_campaign(store, samples::campaign(&company)).await;
    store_tasks(store, &samples::tasks(&campaign, 300, 1)).await;
    let live = claim_all(store, samples::now()).await;
    let living = live
        .iter()
        .find(|live| live.task.campaign_id == campaign.id);
    let living = &living.expect("somebody is called").attempt;
    let mut work = begin(store, &company).await;
    let turn = samples::turn(living, 1);
    let interviews = work.interviews();
    interviews
        .insert_turns(std::slice::from_ref(&turn))
        .await
        .unwrap();
    let response = samples::response(living);
    assert!(response.complete);
    interviews.put_response(&response).await.unwrap();
    commit(work).await;
    erase(store, &company, &call).await;

    let findings = store.audit(samples::now()).await.unwrap();
    let [finding] = findings.as_slice() else {
        panic!("one consent is missed: {findings:?}");
    };
    assert_eq!((finding.check, finding.rows), (Check::LinkedResponses, 1));
    let example = &finding.examples[0].row;
    assert_eq!(*example, format!("response {}", response.id));
    let mut work = begin(store, &company).await;
    let consent = samples::consent(living, &turn);
    work.interviews().insert_consent(&consent).await.unwrap();
    commit(work).await;
    assert_eq!(store.audit(samples::now()).await.unwrap(), []);
}

/// An erased number stays excluded, without being on any list, in its company only.
pub async fn an_erased_number_stays_excluded(store: &dyn StorageUnderTest) {
    let (company, call, _) = known_person(store).await;
    let number = call.attempt.phone_number;
    let others = samples::phone_number(900);
    let (first, _) = erase(store, &company, &call).await;
    let mut work = begin(store, &company).await;
    let exclusions = work.exclusions();
    let bar = exclusions.excluded_by(&number).await.unwrap();
    assert_eq!(bar, Some(ExcludedBy::Erasure));
    let excluded = exclusions.among(&[others, number, others]).await.unwrap();
    assert_eq!(excluded, HashSet::from([number]));
    assert_eq!(exclusions.excluded_by(&others).await.unwrap(), None);
    assert_eq!(exclusions.get(&number).await.unwrap(), None);
    assert!(!exclusions.delete(&number).await.unwrap());
    let all = ExclusionFilter::default();
    let listed = all_pages!(10, |page| work.exclusions().list(&all, page));
    assert_eq!(listed, []);
    assert_eq!(all_pages!(10, |page| work.exclusions().removals(page)), []);
    let erasures = work.erasures();
    assert_eq!(erasures.erasure_of(&number).await.unwrap(), Some(first));
    assert_eq!(erasures.erasure_of(&others).await.unwrap(), None);
    // The first one stays.
    let again = erasures.keep_hash(&number, samples::id(), samples::now());
    assert!(again.await.unwrap());
    assert_eq!(erasures.erasure_of(&number).await.unwrap(), Some(first));
    drop(work);
    let stranger = stored_company(store).await;
    let mut work = begin(store, &stranger).await;
    assert_eq!(work.exclusions().excluded_by(&number).await.unwrap(), None);
    let erasure = work.erasures().erasure_of(&number).await.unwrap();
    assert_eq!(erasure, None);
}

/// Erasing twice erases what has come since, and else nothing.
pub async fn erasing_twice_erases_what_has_come_since(store: &dyn StorageUnderTest) {
    let (company, call, waiting) = known_person(store).await;
    erase(store, &company, &call).await;
    let (_, again) = erase(store, &company, &call).await;
    assert_eq!(again, ErasedRows::default());
    // The same campaign takes the number again, and two people of it may be nobody.
    let mut work = begin(store, &company).await;
    let campaign = work.campaigns().get(waiting.campaign_id).await.unwrap();
    drop(work);
    let number = call.attempt.phone_number;
    let back = samples::task(&campaign.unwrap(), number.as_str()).in_state(TaskState::Excluded);
    store_tasks(store, std::slice::from_ref(&back)).await;
    let (_, again) = erase(store, &company, &call).await;
    let expected = ErasedRows {
        contacts: 1,
        ..ErasedRows::default()
    };
    assert_eq!(again, expected);
}

/// Rows of call lists that were not taken are erased if the person's number stands in them, however it
/// is written; other people's stay, and other companies'.
pub async fn rows_that_were_not_taken_are_erased_with_the_person(store: &dyn StorageUnderTest) {
    let (company, call) = live_call(store).await;
    settle(store, &call, Outcome::Completed, samples::now()).await;
    let number = call.attempt.phone_number;
    // Italian mobiles have three digits and seven.
    let (prefix, line) = number.as_str()[3..].split_at(3);
    let reads = [
        format!("0039 {prefix}/{}-{}", &line[..3], &line[3..]),
        format!("06 1234567, {prefix}.{line} (\"Ada\")"),
    ];
    let other = samples::phone_number(901).to_string();
    let rejected = |row: u64, cells: &[&str]| RowError {
        row,
        column: "time_zone".to_owned(),
        value: "Rome".to_owned(),
        reason: "there is no such time zone".to_owned(),
        original: cells.iter().map(|&cell| cell.to_owned()).collect(),
    };
    let kept = [
        rejected(5, &["Ugo", &other, "Rome"]),
        // Digits of two cells make no number.
        rejected(6, &[prefix, line, "Rome"]),
    ];
    let mut rows = vec![
        rejected(2, &["Ada", &reads[0], "Rome"]),
        rejected(3, &["Ada", &reads[1], "Rome"]),
        RowError {
            value: number.to_string(),
            ..rejected(4, &[])
        },
    ];
    rows.extend(kept.clone());
    let (stranger, theirs) = running_campaign(store).await;
    let of_stranger = samples::upload(&theirs);
    let mut work = begin(store, &stranger).await;
    work.call_lists().insert(&of_stranger).await.unwrap();
    let lists = work.call_lists();
    lists.insert_errors(&of_stranger, &rows).await.unwrap();
    commit(work).await;
    let mut work = begin(store, &company).await;
    let campaign = work.campaigns().get(call.task.campaign_id).await.unwrap();
    let upload = samples::upload(&campaign.unwrap());
    work.call_lists().insert(&upload).await.unwrap();
    let lists = work.call_lists();
    lists.insert_errors(&upload, &rows).await.unwrap();
    commit(work).await;

    let (_, erased) = erase(store, &company, &call).await;
    assert_eq!((erased.contacts, erased.upload_errors), (1, 3));
    let mut work = begin(store, &company).await;
    let left = work.call_lists().errors(upload.id, 0, 10).await.unwrap();
    assert_eq!(left, kept);
    drop(work);
    let mut work = begin(store, &stranger).await;
    let left = work.call_lists().errors(of_stranger.id, 0, 10).await;
    assert_eq!(left.unwrap(), rows);
}

/// Recordings of erased people are known until they are forgotten, and those of others are left alone.
pub async fn recordings_of_erased_people_are_known_until_forgotten(store: &dyn StorageUnderTest) {
    let (company, call) = live_call(store).await;
    let (_, neighbour) = live_call(store).await;
    let recording = Recording {
        provider_recording_id: Some("RE0001".to_owned()),
        url: Some("https://provider.example/RE0001".to_owned()),
        seconds: Some(61),
        ..Recording::new(RecordingState::Finished)
    };
    for call in [&call, &neighbour] {
        let mut work = begin_as(store, Scope::Company(call.task.company_id)).await;
        let kind = CallEventKind::Recorded {
            recording: recording.clone(),
        };
        let told = CallEvent {
            kind,
            ..samples::call_event(&call.attempt, "e1")
        };
        work.events().receive(&told, samples::now()).await.unwrap();
        let recorded = CallAttempt {
            recording: Some(recording.clone()),
            ..call.attempt.clone()
        };
        work.call_attempts().update(&recorded).await.unwrap();
        commit(work).await;
        settle(store, call, Outcome::Completed, samples::now()).await;
    }
    let known = async |scope, provider: &str, after| {
        let mut work = begin_as(store, scope).await;
        let calls = work.erasures().recorded_calls(provider, after, at_most(9));
        calls.await.unwrap()
    };
    let own = Scope::Company(company.id);
    assert_eq!(known(own, PROVIDER, None).await, []);
    let (_, erased) = erase(store, &company, &call).await;
    assert_eq!(erased.recordings, 1);
    let attempt = stored_attempt(store, call.attempt.id).await;
    assert_eq!(attempt.recording.as_ref(), Some(&recording));
    for scope in [own, Scope::Platform] {
        let found = known(scope, PROVIDER, None).await;
        assert_eq!(found, std::slice::from_ref(&attempt));
        assert_eq!(known(scope, PROVIDER, Some(attempt.id)).await, []);
        assert_eq!(known(scope, "another", None).await, []);
    }
    let stranger = Scope::Company(neighbour.task.company_id);
    assert_eq!(known(stranger, PROVIDER, None).await, []);

    let stale = CallAttempt {
        version: attempt.version - 1,
        ..attempt.clone()
    };
    let mut work = begin(store, &company).await;
    for (read, is_forgotten) in [(&stale, false), (&attempt, true), (&attempt, false)] {
        let forgotten = work.erasures().forget_recording(read).await;
        assert_eq!(forgotten.unwrap(), is_forgotten);
    }
    let told = work.events().received(attempt.id).await.unwrap();
    let CallEventKind::Recorded { recording: told } = &told[0].kind else {
        panic!("{told:?}");
    };
    assert_eq!((&told.provider_recording_id, &told.url), (&None, &None));
    commit(work).await;
    assert_eq!(known(own, PROVIDER, None).await, []);
    let attempt = stored_attempt(store, attempt.id).await;
    assert_eq!(attempt.recording, None);
    let theirs = stored_attempt(store, neighbour.attempt.id).await;
    assert_eq!(theirs.recording, Some(recording));
}

/// Reports read back as they were stored, newest first, and are their company's.
pub async fn reports_of_erasures_read_back(store: &dyn StorageUnderTest) {
    let company = stored_company(store).await;
    let stranger = stored_company(store).await;
    let reports: Vec<_> = (0..3).map(|_| samples::erasure(&company)).collect();
    let mut work = begin(store, &company).await;
    for report in &reports {
        work.erasures().insert(report).await.unwrap();
    }
    commit(work).await;
    let mut work = begin(store, &company).await;
    let found = work.erasures().get(reports[1].id).await.unwrap();
    assert_eq!(found.as_ref(), Some(&reports[1]));
    let listed = all_pages!(2, |page| work.erasures().list(page));
    assert!(listed.iter().eq(reports.iter().rev()), "{listed:?}");
    drop(work);
    let mut work = begin(store, &stranger).await;
    assert_eq!(work.erasures().get(reports[1].id).await.unwrap(), None);
    let page = PageRequest::default();
    assert_eq!(work.erasures().list(&page).await.unwrap().rows, []);
    let planted = samples::erasure(&company);
    assert_conflict(work.erasures().insert(&planted).await);
}
