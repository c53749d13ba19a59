//! The records of a campaign's people.

use chrono::TimeDelta;
use serde_json::json;

use super::StorageUnderTest;
use super::support::{
    all_pages, begin, begin_as, claim_all, commit, page_after, run_campaign, running_campaign,
    settle, store_campaign, store_company, store_tasks, stored_attempt, stored_company,
    stored_task,
};
use crate::call_task::TaskStatus;
use crate::campaign::Campaign;
use crate::company::Company;
use crate::contact_record::{
    ContactFilter, ContactRecord, Interviewed, QuestionAsked, RecordParts,
};
use crate::conversation::{Answer, AnswerResult, AnswerRevision, Speaker, Turn};
use crate::id::CallTaskId;
use crate::interpretation::{Confidence, InterpretedBy};
use crate::language::Language;
use crate::outcome::Outcome;
use crate::ports::{ClaimedTask, PageRequest, Scope};
use crate::testing::samples;

/// What we say about a question, as the call's turn of that number.
fn question(call: &ClaimedTask, sequence: u32, key: &str) -> Turn {
    Turn {
        speaker: Speaker::Agent,
        words: "È soddisfatto?".to_owned(),
        question_key: Some(key.to_owned()),
        ..samples::turn(&call.attempt, sequence)
    }
}

/// An interview in that language: two questions asked, one of them twice, one answered.
async fn interview(store: &dyn StorageUnderTest, call: &ClaimedTask, language: Language) -> Answer {
    let mut work = begin_as(store, Scope::Company(call.task.company_id)).await;
    let attempt = &call.attempt;
    let mut conversation = samples::conversation(attempt);
    conversation.language = language;
    let interviews = work.interviews();
    interviews.insert_conversation(&conversation).await.unwrap();
    let agreed = samples::turn(attempt, 1);
    let said = samples::turn(attempt, 4);
    let turns = [
        agreed.clone(),
        question(call, 2, "second"),
        question(call, 3, "second"),
        said.clone(),
        question(call, 5, "first"),
    ];
    interviews.insert_turns(&turns).await.unwrap();
    let consent = samples::consent(attempt, &agreed);
    interviews.insert_consent(&consent).await.unwrap();
    let answer = samples::answer(attempt, &said, "second");
    interviews.put_answer(&answer).await.unwrap();
    let response = samples::response(attempt);
    interviews.put_response(&response).await.unwrap();
    commit(work).await;
    answer
}

/// Corrects the answer to a no.
async fn correct(store: &dyn StorageUnderTest, answer: &Answer) -> AnswerRevision {
    let replaced = AnswerRevision {
        answer_id: answer.id,
        company_id: answer.company_id,
        number: 0,
        result: answer.result.clone(),
        confidence: Confidence::CERTAIN,
        interpreted_by: InterpretedBy::Rules,
        note: Some("heard it again".to_owned()),
        replaced_at: samples::now() + TimeDelta::hours(1),
        replaced_by: samples::id(),
    };
    let corrected = Answer {
        result: AnswerResult::Skipped,
        reviewed_at: Some(replaced.replaced_at),
        reviewed_by: Some(replaced.replaced_by),
        ..answer.clone()
    };
    let mut work = begin_as(store, Scope::Company(answer.company_id)).await;
    work.interviews()
        .review_answer(&corrected, Some(&replaced))
        .await
        .unwrap();
    commit(work).await;
    replaced
}

async fn records(
    store: &dyn StorageUnderTest,
    company: &Company,
    campaign: &Campaign,
    filter: &ContactFilter,
    parts: RecordParts,
) -> Vec<ContactRecord> {
    let mut work = begin(store, company).await;
    all_pages!(2, |page| work
        .contact_records()
        .list(campaign, filter, parts, page))
}

/// A running campaign with one person who was interviewed in English.
async fn interviewed(store: &dyn StorageUnderTest) -> (Company, Campaign, ClaimedTask, Answer) {
    let (company, campaign) = running_campaign(store).await;
    store_tasks(store, &samples::tasks(&campaign, 1, 1)).await;
    let call = claim_all(store, samples::now()).await.remove(0);
    let answer = interview(store, &call, Language::En).await;
    (company, campaign, call, answer)
}

/// A record has the task, its calls with what was said in them, its answers as they stand and what
/// they were, and the response.
pub async fn a_record_has_everything_that_came_of_a_contact(store: &dyn StorageUnderTest) {
    let (company, campaign, call, answer) = interviewed(store).await;
    let revision = correct(store, &answer).await;
    let filter = ContactFilter::default();
    let found = records(store, &company, &campaign, &filter, RecordParts::ALL).await;
    let [record] = &found[..] else {
        panic!("one record: {found:?}");
    };
    let id = call.attempt.id;
    assert_eq!(record.task, stored_task(store, call.task.id).await);
    let mut work = begin(store, &company).await;
    let interviews = work.interviews();
    assert_eq!(
        record.answers,
        interviews.answers(call.task.id).await.unwrap()
    );
    assert_eq!(record.answers[0].result, AnswerResult::Skipped);
    assert_eq!(record.revisions, [revision]);
    assert_eq!(
        record.response,
        interviews.response(call.task.id).await.unwrap()
    );
    let [said] = &record.calls[..] else {
        panic!("one call: {record:?}");
    };
    assert_eq!(said.language, Some(Language::En));
    assert_eq!(said.consent, interviews.consent(id).await.unwrap());
    assert_eq!(said.turns, interviews.turns(id).await.unwrap());
    drop(work);
    assert_eq!(said.attempt, stored_attempt(store, id).await);
    let asked = |key: &str, turn: i64| QuestionAsked {
        attempt_id: id,
        question_key: key.to_owned(),
        first_at: samples::now() + TimeDelta::seconds(turn),
    };
    assert_eq!(said.asked, [asked("second", 2), asked("first", 5)]);
}

/// Only tasks and attempts are read when nothing else is wanted, and each part alone when it is.
pub async fn parts_that_are_not_wanted_are_empty(store: &dyn StorageUnderTest) {
    let (company, campaign, _, answer) = interviewed(store).await;
    correct(store, &answer).await;
    let none = RecordParts::ATTEMPTS;
    for (parts, expected) in [
        (none, [0, 0, 0, 0, 0, 0, 0]),
        (
            RecordParts {
                interviews: true,
                ..none
            },
            [1, 1, 1, 0, 0, 0, 0],
        ),
        (
            RecordParts {
                asked: true,
                ..none
            },
            [0, 0, 0, 2, 0, 0, 0],
        ),
        (
            RecordParts {
                consents: true,
                ..none
            },
            [0, 0, 0, 0, 1, 0, 0],
        ),
        (
            RecordParts {
                turns: true,
                ..none
            },
            [0, 0, 0, 0, 0, 5, 0],
        ),
        (
            RecordParts {
                revisions: true,
                ..none
            },
            [0, 0, 0, 0, 0, 0, 1],
        ),
    ] {
        let filter = ContactFilter::default();
        let record = records(store, &company, &campaign, &filter, parts)
            .await
            .remove(0);
        let call = &record.calls[0];
        let found = [
            usize::from(call.language.is_some()),
            record.answers.len(),
            usize::from(record.response.is_some()),
            call.asked.len(),
            usize::from(call.consent.is_some()),
            call.turns.len(),
            record.revisions.len(),
        ];
        assert_eq!(found, expected, "{parts:?}");
    }
}

/// Everybody is met once, with their own calls and answers, also when people are added and called
/// between two pages.
pub async fn records_come_in_pages_in_the_order_of_creation(store: &dyn StorageUnderTest) {
    let (company, campaign) = running_campaign(store).await;
    let tasks = samples::tasks(&campaign, 1, 5);
    store_tasks(store, &tasks).await;
    let calls = claim_all(store, samples::now()).await;
    for call in &calls {
        interview(store, call, Language::It).await;
    }
    let filter = ContactFilter::default();
    let mut work = begin(store, &company).await;
    let first = work
        .contact_records()
        .list(
            &campaign,
            &filter,
            RecordParts::RESULTS,
            &PageRequest::first(2),
        )
        .await
        .unwrap();
    drop(work);
    for call in &calls {
        settle(store, call, Outcome::Completed, samples::now()).await;
    }
    store_tasks(store, &samples::tasks(&campaign, 9, 1)).await;
    let mut met = first.rows.clone();
    let mut page = page_after(&first, 2);
    let mut work = begin(store, &company).await;
    loop {
        let next = work
            .contact_records()
            .list(&campaign, &filter, RecordParts::RESULTS, &page)
            .await
            .unwrap();
        met.extend(next.rows.iter().cloned());
        if next.next.is_none() {
            break;
        }
        page = page_after(&next, 2);
    }
    let ids: Vec<CallTaskId> = met.iter().map(|record| record.task.id).collect();
    let expected: Vec<CallTaskId> = tasks.iter().map(|task| task.id).collect();
    assert_eq!(ids[..5], expected[..]);
    assert!(ids.len() <= 6, "nobody is met twice: {ids:?}");
    for record in &met[..5] {
        let id = record.task.id;
        assert_eq!(record.calls.len(), 1);
        assert!(record.calls.iter().all(|call| call.attempt.task_id == id));
        assert_eq!(record.answers.len(), 1);
        assert!(record.answers.iter().all(|answer| answer.task_id == id));
        assert_eq!(record.response.as_ref().unwrap().task_id, id);
    }
}

/// A running campaign with twelve cells, so that some places begin as others do.
async fn with_cells(store: &dyn StorageUnderTest) -> (Company, Campaign) {
    let company = stored_company(store).await;
    let mut campaign = samples::campaign(&company);
    let cells = (0..12).map(|place| {
        let name = match place {
            1 => "the «north»".to_owned(),
            place => place.to_string(),
        };
        json!({"name": name, "target": 9, "where": {"columns": {"n": place}}})
    });
    let cells: Vec<serde_json::Value> = cells.collect();
    let quotas = json!({"policy": "count_at_completion", "cells": cells});
    campaign.settings.quotas = serde_json::from_value(quotas).expect("samples can be read");
    (company, run_campaign(store, campaign).await)
}

/// Four people: one interviewed in English, one in Italian, one not reached, one not called.
async fn four_people(store: &dyn StorageUnderTest) -> (Company, Campaign) {
    let (company, campaign) = with_cells(store).await;
    let mut tasks = samples::tasks(&campaign, 1, 3);
    let regions = ["north", "North", "south"];
    for (task, region) in tasks.iter_mut().zip(regions) {
        let extra = &mut task.contact.extra;
        extra.insert("Region".to_owned(), region.to_owned());
    }
    tasks[2].contact.language = Some(Language::De);
    for (task, cells) in tasks.iter_mut().zip([&[1, 11][..], &[1], &[11]]) {
        task.cells = cells.iter().copied().collect();
    }
    store_tasks(store, &tasks).await;
    let later = samples::now() + TimeDelta::hours(2);
    let mut calls = claim_all(store, later).await;
    calls.sort_by_key(|call| tasks.iter().position(|task| task.id == call.task.id));
    interview(store, &calls[0], Language::En).await;
    interview(store, &calls[1], Language::It).await;
    for (call, outcome) in
        calls
            .iter()
            .zip([Outcome::Completed, Outcome::Partial, Outcome::NoAnswer])
    {
        settle(store, call, outcome, later).await;
    }
    store_tasks(store, &samples::tasks(&campaign, 4, 1)).await;
    (company, campaign)
}

/// Filters, with how many of the four people they want.
fn filters() -> Vec<(ContactFilter, usize)> {
    let instants = [0, 1, 2].map(|hours| samples::now() + TimeDelta::hours(hours));
    let none = ContactFilter::default;
    let mut filters = vec![(none(), 4)];
    for (region, people) in [("north", 1), ("North", 1), ("south", 1), ("", 0)] {
        let columns = [("Region".to_owned(), region.to_owned())].into();
        filters.push((ContactFilter { columns, ..none() }, people));
    }
    for (language, people) in [(Language::En, 1), (Language::It, 2), (Language::De, 1)] {
        filters.push((
            ContactFilter {
                language: Some(language),
                ..none()
            },
            people,
        ));
    }
    for (outcome, people) in [
        (Outcome::Partial, 1),
        (Outcome::NoAnswer, 1),
        (Outcome::Busy, 0),
    ] {
        filters.push((
            ContactFilter {
                outcome: Some(outcome),
                ..none()
            },
            people,
        ));
    }
    for (status, people) in [(TaskStatus::Completed, 2), (TaskStatus::Pending, 1)] {
        filters.push((
            ContactFilter {
                status: Some(status),
                ..none()
            },
            people,
        ));
    }
    for (question, people) in [("second", 2), ("first", 0)] {
        let answered = Some(question.to_owned());
        filters.push((ContactFilter { answered, ..none() }, people));
    }
    // The interviews began at once; who was not reached was called two hours later.
    for (at, from, to) in [(0, 3, 0), (1, 1, 2), (2, 1, 2)] {
        filters.push((
            ContactFilter {
                from: Some(instants[at]),
                ..none()
            },
            from,
        ));
        filters.push((
            ContactFilter {
                to: Some(instants[at]),
                ..none()
            },
            to,
        ));
    }
    let all_at_once = ContactFilter {
        columns: [("Region".to_owned(), "north".to_owned())].into(),
        from: Some(instants[0]),
        to: Some(instants[1]),
        language: Some(Language::En),
        outcome: Some(Outcome::Completed),
        status: Some(TaskStatus::Completed),
        cells: ["the «north»".to_owned()].into(),
        answered: Some("second".to_owned()),
    };
    filters.push((all_at_once, 1));
    filters
}

/// Filters by cells, with how many of the four people they want.
fn filters_by_cell() -> [(ContactFilter, usize); 7] {
    let filters = [
        (&["the «north»"][..], 2),
        (&["11"], 2),
        (&["the «north»", "11"], 1),
        (&["the «North»"], 0),
        (&["the «north»", "nowhere"], 0),
        (&["0"], 0),
        (&["10"], 0),
    ];
    filters.map(|(cells, people)| {
        let filter = ContactFilter {
            cells: cells.iter().map(|name| (*name).to_owned()).collect(),
            ..ContactFilter::default()
        };
        (filter, people)
    })
}

/// A store wants the same people as the filter does, condition by condition and all at once.
pub async fn records_are_filtered_as_the_filter_says(store: &dyn StorageUnderTest) {
    let (company, campaign) = four_people(store).await;
    let everybody = ContactFilter::default();
    let everybody = records(store, &company, &campaign, &everybody, RecordParts::ALL).await;
    assert_eq!(everybody.len(), 4);
    for (filter, people) in filters().into_iter().chain(filters_by_cell()) {
        let found = records(store, &company, &campaign, &filter, RecordParts::ALL).await;
        let wanted = everybody.iter().filter(|record| {
            let interviewed = Interviewed {
                language: record.calls.iter().rev().find_map(|call| call.language),
                at: record.response.as_ref().map(|response| response.started_at),
                has_answer: filter
                    .answered
                    .as_ref()
                    .is_some_and(|key| record.answer(key).is_some()),
            };
            filter.matches(&record.task, interviewed, &campaign)
        });
        let wanted: Vec<ContactRecord> = wanted.cloned().collect();
        assert_eq!(found, wanted, "{filter:?}");
        assert_eq!(found.len(), people, "{filter:?}");
    }
}

/// Names and values of columns may contain whatever a list contains.
pub async fn a_column_is_compared_letter_for_letter(store: &dyn StorageUnderTest) {
    let (company, campaign) = running_campaign(store).await;
    let mut tasks = samples::tasks(&campaign, 1, 1);
    let odd = [
        ("Città \"alta\".x[0]", "L'Aquila; -- \\ %_"),
        ("$.a", "{}"),
        ("0", "null"),
        ("", " "),
    ];
    for (name, value) in odd {
        let extra = &mut tasks[0].contact.extra;
        extra.insert(name.to_owned(), value.to_owned());
    }
    store_tasks(store, &tasks).await;
    let wanted = odd.into_iter().map(|(name, value)| (name, value, 1));
    let others = [
        ("$.a", "{ }", 0),
        ("a", "{}", 0),
        ("0", "", 0),
        ("x\0", "y", 0),
    ];
    for (name, value, people) in wanted.chain(others) {
        let filter = ContactFilter {
            columns: [(name.to_owned(), value.to_owned())].into(),
            ..ContactFilter::default()
        };
        let found = records(store, &company, &campaign, &filter, RecordParts::ATTEMPTS).await;
        assert_eq!(found.len(), people, "{name}: {value}");
    }
}

/// Another company finds nobody in the campaign; nor does anybody in an empty one.
pub async fn records_of_others_do_not_exist(store: &dyn StorageUnderTest) {
    let (company, campaign, ..) = interviewed(store).await;
    let stranger = store_company(store, samples::company()).await;
    let filter = ContactFilter::default();
    let found = records(store, &stranger, &campaign, &filter, RecordParts::ALL).await;
    assert_eq!(found, []);
    let empty = store_campaign(store, samples::campaign(&company)).await;
    let found = records(store, &company, &empty, &filter, RecordParts::ALL).await;
    assert_eq!(found, []);
}
