//! Call tasks.

use std::collections::{BTreeMap, HashSet};

use chrono::TimeDelta;

use super::StorageUnderTest;
use super::support::{
    all_pages, assert_conflict, at_most, begin, begin_as, claim, commit, live_call, page_after,
    running_campaign, store_campaign, store_tasks, stored_company, stored_task,
};
use crate::call_list::Contact;
use crate::call_task::{CallTask, TaskEvent, TaskState, TaskStatus};
use crate::company::Company;
use crate::gate::Reason;
use crate::language::Language;
use crate::outcome::Outcome;
use crate::ports::repositories::CallTaskFilter;
use crate::ports::{PageRequest, Scope};
use crate::testing::samples::{self, SampleTask};

fn of(task: &CallTask) -> CallTaskFilter {
    CallTaskFilter {
        campaign_id: Some(task.campaign_id),
        ..CallTaskFilter::default()
    }
}

/// Every state but in progress, which only a claim leads to.
fn every_state_but_in_progress() -> Vec<TaskState> {
    let due_at = samples::now() + TimeDelta::microseconds(1);
    TaskStatus::ALL
        .into_iter()
        .filter_map(|status| match status {
            TaskStatus::Pending => Some(TaskState::Pending { due_at }),
            TaskStatus::Retry => Some(TaskState::Retry { due_at }),
            status => TaskState::from_final(status),
        })
        .collect()
}

/// A task reads back as it was stored, with and without what is optional.
pub async fn a_task_reads_back_as_it_was_stored(store: &dyn StorageUnderTest) {
    let company = stored_company(store).await;
    let campaign = store_campaign(store, samples::campaign(&company)).await;
    let upload = samples::upload(&campaign);
    let mut work = begin(store, &company).await;
    work.call_lists().insert(&upload).await.unwrap();
    commit(work).await;
    let plain = CallTask {
        contact: Contact {
            name: String::new(),
            time_zones: Vec::new(),
            ..samples::contact(samples::phone_number(1))
        },
        ..samples::task(&campaign, "+393470000001")
    };
    let zones = ["Asia/Kathmandu", "Europe/Rome", "America/Nome"];
    let rich = CallTask {
        upload_id: Some(upload.id),
        contact: Contact {
            name: "Ørjan «Жанна» O'Neil 王 😀".to_owned(),
            language: Some(Language::Ru),
            time_zones: zones.map(|zone| zone.parse().unwrap()).to_vec(),
            priority: -100,
            extra: BTreeMap::from([
                ("città".to_owned(), "Forlì".to_owned()),
                ("empty".to_owned(), String::new()),
            ]),
            ..samples::contact(samples::phone_number(2))
        },
        attempts_count: 4,
        attempts_spent: 2,
        last_attempt_at: Some(samples::now() + TimeDelta::microseconds(1)),
        outcome: Some(Outcome::CallBackRequested),
        reason: Some(Reason::OutsideCallingHours),
        updated_at: samples::now() + TimeDelta::microseconds(2),
        version: 9,
        ..samples::task(&campaign, "+393470000002")
    };
    store_tasks(store, &[plain.clone(), rich.clone()]).await;
    for task in [plain, rich] {
        let mut work = begin(store, &company).await;
        assert_eq!(
            work.call_tasks().get(task.id).await.unwrap(),
            Some(task.clone())
        );
        assert_eq!(
            work.call_tasks().get_for_update(task.id).await.unwrap(),
            Some(task)
        );
    }
}

/// Every state reads back.
pub async fn every_state_of_a_task_reads_back(store: &dyn StorageUnderTest) {
    let company = stored_company(store).await;
    let campaign = store_campaign(store, samples::campaign(&company)).await;
    let tasks = samples::tasks(&campaign, 1, 8);
    let tasks: Vec<CallTask> = tasks
        .into_iter()
        .zip(every_state_but_in_progress())
        .map(|(task, state)| task.in_state(state))
        .collect();
    store_tasks(store, &tasks).await;
    for task in tasks {
        assert_eq!(stored_task(store, task.id).await, task);
    }
    let (_, call) = live_call(store).await;
    assert_eq!(stored_task(store, call.task.id).await, call.task);
}

/// Every outcome and every reason reads back, by an update.
pub async fn every_outcome_and_reason_of_a_task_reads_back(store: &dyn StorageUnderTest) {
    let (company, campaign) = running_campaign(store).await;
    store_tasks(store, &samples::tasks(&campaign, 1, 1)).await;
    let mut work = begin(store, &company).await;
    let listed = work
        .call_tasks()
        .list(&CallTaskFilter::default(), &PageRequest::default())
        .await;
    let mut task = listed.unwrap().rows.pop().unwrap();
    let outcomes = Outcome::ALL.iter().map(|outcome| (Some(*outcome), None));
    let reasons = Reason::ALL.iter().map(|reason| (None, Some(*reason)));
    for (outcome, reason) in outcomes.chain(reasons) {
        let changed = CallTask {
            outcome,
            reason,
            ..task
        };
        work.call_tasks().update(&changed).await.unwrap();
        task = work.call_tasks().get(changed.id).await.unwrap().unwrap();
        assert_eq!(
            task,
            CallTask {
                version: changed.version + 1,
                ..changed
            }
        );
    }
}

/// Of two who change a task at the same time, the second is refused.
pub async fn a_stale_task_is_a_conflict(store: &dyn StorageUnderTest) {
    let (_, call) = live_call(store).await;
    let company_scope = Scope::Company(call.task.company_id);
    let mut work = begin_as(store, company_scope).await;
    work.call_tasks()
        .update(&call.task.clone().in_state(TaskState::Completed))
        .await
        .unwrap();
    assert_conflict(
        work.call_tasks()
            .update(&call.task.in_state(TaskState::Refused))
            .await,
    );
}

/// A task that is not there cannot be changed.
pub async fn an_unknown_task_cannot_be_changed(store: &dyn StorageUnderTest) {
    let (company, campaign) = running_campaign(store).await;
    let mut work = begin(store, &company).await;
    let task = samples::task(&campaign, "+393471234567");
    assert_conflict(work.call_tasks().update(&task).await);
}

/// Numbers that the campaign has already are passed over, also those given twice in one call.
pub async fn numbers_the_campaign_has_are_passed_over(store: &dyn StorageUnderTest) {
    let company = stored_company(store).await;
    let campaign = store_campaign(store, samples::campaign(&company)).await;
    let other = store_campaign(store, samples::campaign(&company)).await;
    let known = samples::tasks(&campaign, 1, 3);
    store_tasks(store, &known).await;
    let new = samples::tasks(&campaign, 3, 3);
    let twice = samples::task(&campaign, samples::phone_number(5).as_str());
    let given = [new.clone(), vec![twice.clone()]].concat();

    let mut work = begin(store, &company).await;
    let added = work.call_tasks().insert_many(&given).await.unwrap();
    assert_eq!(added, HashSet::from([new[1].id, new[2].id]));
    assert_eq!(
        work.call_tasks().insert_many(&given).await.unwrap(),
        HashSet::new()
    );
    assert_eq!(
        work.call_tasks().insert_many(&[]).await.unwrap(),
        HashSet::new()
    );
    assert_eq!(work.call_tasks().get(twice.id).await.unwrap(), None);
    let counters = work.campaigns().counters(campaign.id).await.unwrap();
    assert_eq!(counters.total_tasks(), 5);
    let elsewhere = samples::tasks(&other, 1, 3);
    assert_eq!(
        work.call_tasks()
            .insert_many(&elsewhere)
            .await
            .unwrap()
            .len(),
        3
    );
}

/// A list of thousands is taken in one call.
pub async fn thousands_of_tasks_are_added_at_once(store: &dyn StorageUnderTest) {
    let company = stored_company(store).await;
    let campaign = store_campaign(store, samples::campaign(&company)).await;
    let tasks = samples::tasks(&campaign, 0, 5_000);
    store_tasks(store, &tasks).await;
    let mut work = begin(store, &company).await;
    assert_eq!(
        work.campaigns()
            .counters(campaign.id)
            .await
            .unwrap()
            .total_tasks(),
        5_000
    );
    let listed = all_pages!(1_000, |page| work.call_tasks().list(&of(&tasks[0]), page));
    assert_eq!(listed, tasks);
}

/// Tasks are listed in the order of their creation; pages neither skip nor repeat under inserts.
pub async fn tasks_are_listed_in_the_order_of_their_creation(store: &dyn StorageUnderTest) {
    let company = stored_company(store).await;
    let campaign = store_campaign(store, samples::campaign(&company)).await;
    let tasks = samples::tasks(&campaign, 1, 5);
    // Numbers and names say nothing about the order.
    let added: Vec<CallTask> = tasks.iter().rev().cloned().collect();
    store_tasks(store, &added).await;
    let mut work = begin(store, &company).await;
    let first = work
        .call_tasks()
        .list(&of(&tasks[0]), &PageRequest::first(2))
        .await
        .unwrap();
    assert_eq!(first.rows, tasks[..2]);
    drop(work);
    let late = samples::tasks(&campaign, 6, 1);
    store_tasks(store, &late).await;
    let mut work = begin(store, &company).await;
    let second = work
        .call_tasks()
        .list(&of(&tasks[0]), &page_after(&first, 3))
        .await
        .unwrap();
    assert_eq!(second.rows, tasks[2..]);
    let third = work
        .call_tasks()
        .list(&of(&tasks[0]), &page_after(&second, 3))
        .await
        .unwrap();
    assert_eq!((third.rows, third.next), (late, None));
}

/// A page that is exactly as long as the rest of the list is the last one.
pub async fn a_full_last_page_has_no_next(store: &dyn StorageUnderTest) {
    let company = stored_company(store).await;
    let campaign = store_campaign(store, samples::campaign(&company)).await;
    let tasks = samples::tasks(&campaign, 1, 3);
    store_tasks(store, &tasks).await;
    let mut work = begin(store, &company).await;
    let page = work
        .call_tasks()
        .list(&of(&tasks[0]), &PageRequest::first(3))
        .await
        .unwrap();
    assert_eq!((page.rows.len(), page.next), (3, None));
}

/// Campaign and status narrow the list, together and over all pages.
pub async fn tasks_are_filtered_by_campaign_and_status(store: &dyn StorageUnderTest) {
    let company = stored_company(store).await;
    let campaign = store_campaign(store, samples::campaign(&company)).await;
    let other = store_campaign(store, samples::campaign(&company)).await;
    let mut tasks = samples::tasks(&campaign, 1, 7);
    for task in tasks.iter_mut().step_by(2) {
        task.state = TaskState::Refused;
    }
    store_tasks(store, &tasks).await;
    store_tasks(
        store,
        &[samples::tasks(&other, 1, 1)[0]
            .clone()
            .in_state(TaskState::Refused)],
    )
    .await;
    let refused: Vec<CallTask> = tasks
        .iter()
        .filter(|task| task.state == TaskState::Refused)
        .cloned()
        .collect();
    let mut work = begin(store, &company).await;
    let filter = CallTaskFilter {
        status: Some(TaskStatus::Refused),
        ..of(&tasks[0])
    };
    assert_eq!(
        all_pages!(3, |page| work.call_tasks().list(&filter, page)),
        refused
    );
    let filter = CallTaskFilter {
        campaign_id: None,
        ..filter
    };
    assert_eq!(
        all_pages!(3, |page| work.call_tasks().list(&filter, page)).len(),
        5
    );
}

/// Stores one campaign's tasks with those names, and returns the company and the campaign's tasks.
async fn stored_names(store: &dyn StorageUnderTest, names: &[&str]) -> (Company, Vec<CallTask>) {
    let company = stored_company(store).await;
    let campaign = store_campaign(store, samples::campaign(&company)).await;
    let mut tasks = samples::tasks(&campaign, 7_000, u32::try_from(names.len()).unwrap());
    for (task, name) in tasks.iter_mut().zip(names) {
        (*name).clone_into(&mut task.contact.name);
    }
    store_tasks(store, &tasks).await;
    (company, tasks)
}

/// The names of the tasks that a search finds.
async fn found(store: &dyn StorageUnderTest, company: &Company, text: &str) -> Vec<String> {
    let filter = CallTaskFilter {
        text: Some(text.to_owned()),
        ..CallTaskFilter::default()
    };
    let mut work = begin(store, company).await;
    let rows = all_pages!(1, |page| work.call_tasks().list(&filter, page));
    rows.into_iter().map(|task| task.contact.name).collect()
}

/// A search finds part of a name or a number, in any case.
pub async fn tasks_are_found_by_part_of_name_or_number(store: &dyn StorageUnderTest) {
    let names = ["Anna Rossi", "Rossana", "Bo"];
    let (company, tasks) = stored_names(store, &names).await;
    assert_eq!(found(store, &company, "rOSS").await, names[..2]);
    assert_eq!(found(store, &company, "").await, names);
    assert_eq!(found(store, &company, "nobody").await, [""; 0]);
    let number = tasks[2].contact.phone_number.to_string();
    assert_eq!(found(store, &company, &number).await, names[2..]);
    assert_eq!(found(store, &company, "347000700").await, names);
}

/// A search takes its text literally, also the signs that databases take for patterns.
pub async fn a_search_knows_no_patterns(store: &dyn StorageUnderTest) {
    let names = ["100% Anna", "anna_b", "a\\b*c", "Bo"];
    let (company, _) = stored_names(store, &names).await;
    for (text, name) in [
        ("%", names[0]),
        ("_", names[1]),
        ("\\", names[2]),
        ("*", names[2]),
    ] {
        assert_eq!(found(store, &company, text).await, [name], "{text}");
    }
}

/// A search knows the case of letters that are not English.
pub async fn a_search_ignores_case_in_every_alphabet(store: &dyn StorageUnderTest) {
    let names = ["Иван Петров", "Élodie", "Özil"];
    let (company, _) = stored_names(store, &names).await;
    for (text, name) in [("иВАН", names[0]), ("ÉLO", names[1]), ("öz", names[2])] {
        assert_eq!(found(store, &company, text).await, [name], "{text}");
    }
}

/// The waiting tasks with a number are found in all campaigns of the company, and no others.
pub async fn waiting_tasks_are_found_by_number(store: &dyn StorageUnderTest) {
    let company = stored_company(store).await;
    let stranger = stored_company(store).await;
    let number = samples::phone_number(1);
    let due_at = samples::now() + TimeDelta::hours(1);
    let states = [
        TaskState::Pending { due_at },
        TaskState::Retry { due_at },
        TaskState::NotReached,
    ];
    let mut expected = Vec::new();
    for owner in [&company, &stranger] {
        for state in states {
            let campaign = store_campaign(store, samples::campaign(owner)).await;
            let task = samples::task(&campaign, number.as_str()).in_state(state);
            store_tasks(
                store,
                &[task.clone(), samples::tasks(&campaign, 2, 1)[0].clone()],
            )
            .await;
            if owner.id == company.id && state != TaskState::NotReached {
                expected.push(task);
            }
        }
    }
    let mut work = begin(store, &company).await;
    let mut waiting = work
        .call_tasks()
        .waiting_with_number(&number)
        .await
        .unwrap();
    waiting.sort_by_key(|task| task.id);
    assert_eq!(waiting, expected);
}

/// Cancelling ends the waiting tasks of one campaign, exactly as the transition does.
pub async fn cancelling_ends_what_waits(store: &dyn StorageUnderTest) {
    let (company, campaign) = running_campaign(store).await;
    let other = store_campaign(store, samples::campaign(&company)).await;
    let mut tasks = samples::tasks(&campaign, 1, 5);
    let due_at = samples::now() + TimeDelta::hours(1);
    tasks[2] = CallTask {
        state: TaskState::Retry { due_at },
        outcome: Some(Outcome::Busy),
        reason: Some(Reason::WaitsForRetry),
        ..tasks[2].clone()
    };
    tasks[3].state = TaskState::Completed;
    tasks[4].state = TaskState::Pending { due_at };
    store_tasks(store, &tasks).await;
    store_tasks(store, &samples::tasks(&other, 1, 1)).await;
    let called = claim(store, samples::now(), 1).await.pop().unwrap().task;

    let now = samples::now() + TimeDelta::seconds(1);
    let mut work = begin(store, &company).await;
    assert_eq!(
        work.call_tasks()
            .cancel_waiting(campaign.id, Reason::CampaignEnded, now, at_most(1_000))
            .await
            .unwrap(),
        3
    );
    assert_eq!(
        work.call_tasks()
            .cancel_waiting(campaign.id, Reason::CampaignEnded, now, at_most(1_000))
            .await
            .unwrap(),
        0
    );
    commit(work).await;
    for task in tasks {
        let expected = match task.clone().on(TaskEvent::Cancelled, now) {
            _ if task.id == called.id => called.clone(),
            Ok(cancelled) => CallTask {
                version: 2,
                ..cancelled
            },
            Err(_) => task,
        };
        assert_eq!(stored_task(store, expected.id).await, expected);
    }
    assert_eq!(claim(store, now + TimeDelta::days(1), 10).await, []);
    assert_eq!(store.next_due_at().await.unwrap(), None);
}
