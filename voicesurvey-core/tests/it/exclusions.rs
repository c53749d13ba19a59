//! Excluding numbers: by a company for itself and by the operator for all, at once and in long
//! lists; and taking them off again (A22, I8).

use std::sync::Arc;

use voicesurvey_core::api_key::{Actor, Role};
use voicesurvey_core::call_attempt::CallEventKind;
use voicesurvey_core::call_list::{CallList, CallListRow, PhoneCell, RowError};
use voicesurvey_core::call_task::{CallTask, TaskState, TaskStatus};
use voicesurvey_core::exclusion::{ExcludedBy, ExclusionSource};
use voicesurvey_core::gate::Reason;
use voicesurvey_core::id::IdGenerator;
use voicesurvey_core::outcome::Outcome;
use voicesurvey_core::phone_number::PhoneNumber;
use voicesurvey_core::ports::{ExclusionFilter, PageRequest, Scope, Storage};
use voicesurvey_core::service::exclusions::{Excluded, Exclusions, MOST_NUMBERS};
use voicesurvey_core::service::{CampaignService, Keeper, NewExclusions, ServiceError};
use voicesurvey_core::testing::samples::{self, SampleCampaign};

use super::scripted::{World, add_company};

fn lists(world: &World) -> Exclusions {
    let ids = IdGenerator::from_seed(world.clock.clone(), 9);
    Exclusions::new(
        Arc::new(world.store.clone()),
        world.provider.clone(),
        world.clock.clone(),
        Arc::new(ids),
    )
}

fn somebody(world: &World, role: Role) -> Keeper {
    Keeper::Company(Actor {
        role,
        ..world.actor.clone()
    })
}

fn numbers<'a>(numbers: impl IntoIterator<Item = &'a str>) -> NewExclusions {
    NewExclusions {
        phone_numbers: numbers.into_iter().map(str::to_owned).collect(),
        source: ExclusionSource::Api,
        region: None,
        note: Some("they called us".to_owned()),
    }
}

fn of_tasks(tasks: &[CallTask]) -> NewExclusions {
    let texts: Vec<String> = tasks
        .iter()
        .map(|task| task.contact.phone_number.to_string())
        .collect();
    numbers(texts.iter().map(String::as_str))
}

async fn status(world: &World, task: &CallTask) -> TaskStatus {
    world.task(task).await.state.status()
}

#[tokio::test]
async fn excluding_ends_what_waits_in_every_campaign_and_hangs_up_what_rings() {
    let world = World::new().await;
    let campaign = samples::campaign(&world.company);
    let tasks = samples::tasks(&campaign, 1, 2);
    world.start(&campaign, &tasks).await;
    world.step().await;
    let ringing = world.latest_attempt(&tasks[0]).await;
    let talking = world.latest_attempt(&tasks[1]).await;
    world.tell(&ringing, CallEventKind::Ringing).await;
    world.pick_up(&talking).await;
    let other = samples::campaign(&world.company);
    let waiting = samples::tasks(&other, 1, 3);
    world.insert(&other, &waiting).await;

    let manager = somebody(&world, Role::Manager);
    let excluded = lists(&world).add(&manager, of_tasks(&tasks)).await;
    let expected = Excluded {
        added: 2,
        already_excluded: 0,
        tasks_ended: 2,
        calls_hung_up: 1,
    };
    assert_eq!(excluded.unwrap(), expected);
    assert_eq!(world.provider.hung_up(), [ringing.id]);
    for (task, expected) in waiting.iter().zip([
        TaskStatus::Excluded,
        TaskStatus::Excluded,
        TaskStatus::Pending,
    ]) {
        assert_eq!(status(&world, task).await, expected);
    }
    // What rang is not tried again, and whoever was talking could finish.
    world.end(&ringing, Some(Outcome::NoAnswer)).await;
    world.follow_for(chrono::TimeDelta::days(2)).await;
    let ended = world.task(&tasks[0]).await;
    assert_eq!(
        (ended.state, ended.reason),
        (TaskState::Excluded, Some(Reason::Excluded))
    );
    assert_eq!(world.provider.dialed().len(), 2);
}

#[tokio::test]
async fn a_number_that_is_excluded_stays_as_it_was() {
    let world = World::new().await;
    let manager = somebody(&world, Role::Manager);
    let lists = lists(&world);
    let first = lists.add(&manager, numbers(["+39 347 123 4567"])).await;
    assert_eq!(first.unwrap().added, 1);
    let again = NewExclusions {
        note: Some("another reason".to_owned()),
        source: ExclusionSource::Staff,
        ..numbers(["347 1234567", "+393471234567"])
    };
    let again = lists.add(&manager, again).await.unwrap();
    assert_eq!((again.added, again.already_excluded), (0, 1));
    let standing = lists.standing(&manager, "3471234567").await.unwrap();
    let standing = standing.unwrap();
    assert_eq!(standing.excluded_by, Some(ExcludedBy::Company));
    let exclusion = standing.exclusion.unwrap();
    assert_eq!(exclusion.note.as_deref(), Some("they called us"));
    assert_eq!(exclusion.created_by, Some(world.actor.api_key_id));
    assert_eq!(lists.standing(&manager, "nobody").await.unwrap(), None);
}

#[tokio::test]
async fn all_numbers_that_cannot_be_read_are_named_and_nothing_is_done() {
    let world = World::new().await;
    let manager = somebody(&world, Role::Manager);
    let lists = lists(&world);
    let bad = numbers(["+393471234567", "12", "", "+393471234568"]);
    let Err(ServiceError::Invalid(errors)) = lists.add(&manager, bad).await else {
        panic!("bad numbers are refused");
    };
    let fields: Vec<_> = errors.iter().map(|error| error.field.as_str()).collect();
    assert_eq!(fields, ["phone_numbers[1]", "phone_numbers[2]"]);
    let (all, page) = (ExclusionFilter::default(), PageRequest::default());
    let listed = lists.list(&manager, &all, &page).await.unwrap();
    assert_eq!(listed.rows, []);
    for few_or_many in [0, MOST_NUMBERS + 1] {
        let new = numbers(std::iter::repeat_n("+393471234567", few_or_many));
        let refused = lists.add(&manager, new).await;
        assert!(matches!(refused, Err(ServiceError::Invalid(_))));
    }
    // The operator has no region.
    let refused = lists
        .add(&Keeper::Operator, numbers(["347 123 4567"]))
        .await;
    let message = refused.unwrap_err().to_string();
    assert!(message.contains("country code"), "{message}");
}

#[tokio::test]
async fn what_the_operator_excludes_no_company_calls() {
    let world = World::new().await;
    let neighbour = add_company(&world.store).await;
    let campaign = samples::campaign(&world.company);
    let tasks = samples::tasks(&campaign, 1, 2);
    world.start(&campaign, &tasks).await;
    let next_door = samples::campaign(&neighbour).running();
    let theirs = samples::tasks(&next_door, 1, 1);
    world.insert(&next_door, &theirs).await;
    // Claimed before the operator knows of it, and not dialed yet.
    let claim = world.engine.dispatcher().claim_ready(1).await.unwrap();
    let claimed = claim.tasks.into_iter().next().unwrap();
    assert_eq!(claimed.task.id, tasks[0].id);

    let lists = lists(&world);
    let excluded = lists.add(&Keeper::Operator, of_tasks(&tasks)).await;
    let expected = Excluded {
        added: 2,
        already_excluded: 0,
        tasks_ended: 2,
        calls_hung_up: 0,
    };
    assert_eq!(excluded.unwrap(), expected);
    assert_eq!(status(&world, &theirs[0]).await, TaskStatus::Excluded);
    assert_eq!(status(&world, &tasks[1]).await, TaskStatus::Excluded);
    world.engine.dispatcher().dial(claimed).await.unwrap();
    world.step().await;
    assert_eq!(world.provider.dialed(), []);
    assert_eq!(status(&world, &tasks[0]).await, TaskStatus::Excluded);

    // The company is told of a number that it names, and of nothing else.
    let viewer = somebody(&world, Role::Viewer);
    let number = tasks[0].contact.phone_number;
    let standing = lists.standing(&viewer, number.as_str()).await.unwrap();
    let standing = standing.unwrap();
    assert_eq!(standing.excluded_by, Some(ExcludedBy::Operator));
    assert_eq!(standing.exclusion, None);
    let admin = somebody(&world, Role::Admin);
    let removed = lists.remove(&admin, number.as_str(), "why not".to_owned());
    assert!(matches!(
        removed.await,
        Err(ServiceError::NotFound { what: "exclusion" })
    ));
}

#[tokio::test]
async fn a_long_list_is_taken_in_batches_and_may_be_imported_again() {
    let world = World::new().await;
    let campaign = samples::campaign(&world.company);
    let tasks = samples::tasks(&campaign, 1, 2_500);
    world.insert(&campaign, &tasks).await;
    let row = |(number, text): (u64, String)| CallListRow {
        row: number,
        phone_number: text,
        ..CallListRow::default()
    };
    let texts = tasks
        .iter()
        .map(|task| task.contact.phone_number.to_string());
    let more = ["", "+393471234567", "+39 347 1234567"].map(str::to_owned);
    let list = CallList {
        rows: (2..).zip(texts.chain(more)).map(row).collect(),
        ..CallList::default()
    };
    let lists = lists(&world);
    let manager = somebody(&world, Role::Manager);
    for (added, tasks_ended) in [(2_501, 2_500), (0, 0)] {
        let mut errors: Vec<RowError> = Vec::new();
        let imported = lists.import(&manager, &list, None, None, &mut errors);
        let imported = imported.await.unwrap();
        assert_eq!((imported.total_rows, imported.duplicates), (2_503, 1));
        assert_eq!(imported.excluded.added, added);
        assert_eq!(imported.excluded.already_excluded, 2_501 - added);
        assert_eq!(imported.excluded.tasks_ended, tasks_ended);
        assert_eq!(imported.errors_count, 1);
        let errors: Vec<_> = errors.iter().map(RowError::message).collect();
        assert_eq!(errors, ["Row 2502: Empty phone number"]);
    }
    let (_, counters) = world.campaign(&campaign).await;
    assert_eq!(counters.tasks_in(TaskStatus::Excluded), 2_500);
    let scope = Scope::Company(world.company.id);
    let mut work = world.store.begin(scope).await.unwrap();
    let number: PhoneNumber = "+393471234567".parse().unwrap();
    let exclusion = work.exclusions().get(&number).await.unwrap().unwrap();
    assert_eq!(exclusion.source, ExclusionSource::Import);
}

#[tokio::test]
async fn a_removal_is_kept_and_revives_nothing() {
    let world = World::new().await;
    let campaign = samples::campaign(&world.company);
    let tasks = samples::tasks(&campaign, 1, 1);
    world.start(&campaign, &tasks).await;
    let number = tasks[0].contact.phone_number;
    let lists = lists(&world);
    let admin = somebody(&world, Role::Admin);
    lists.add(&admin, of_tasks(&tasks)).await.unwrap();
    let reason = "the number belongs to somebody else now".to_owned();
    let refused = lists.remove(&admin, number.as_str(), " ".to_owned()).await;
    assert!(matches!(refused, Err(ServiceError::Invalid(_))));
    let removal = lists.remove(&admin, number.as_str(), reason.clone()).await;
    let removal = removal.unwrap();
    assert_eq!(removal.reason, reason);
    assert_eq!(removal.removed_by, Some(world.actor.api_key_id));
    let again = lists.remove(&admin, number.as_str(), reason).await;
    assert!(matches!(again, Err(ServiceError::NotFound { .. })));
    let kept = lists.removals(&admin, &PageRequest::default()).await;
    assert_eq!(kept.unwrap().rows, [removal]);

    world.step().await;
    assert_eq!(status(&world, &tasks[0]).await, TaskStatus::Excluded);
    assert_eq!(world.provider.dialed(), []);
    // A new campaign may call the number again.
    let next = samples::campaign(&world.company);
    world.insert(&next, &[]).await;
    let row = CallListRow {
        row: 2,
        phone_number: number.to_string(),
        ..CallListRow::default()
    };
    let list = CallList {
        rows: vec![row],
        ..CallList::default()
    };
    let campaigns = world.engine.campaigns();
    let upload = campaigns
        .upload(&world.actor, next.id, list.into())
        .await
        .unwrap();
    assert_eq!((upload.created, upload.excluded), (1, 0));
}

#[tokio::test]
async fn managers_exclude_and_admins_remove() {
    let world = World::new().await;
    let lists = lists(&world);
    let number = || numbers(["+393471234567"]);
    let why = || "he asked for it".to_owned();
    let viewer = somebody(&world, Role::Viewer);
    let manager = somebody(&world, Role::Manager);
    let refused = lists.add(&viewer, number()).await;
    assert!(matches!(
        refused,
        Err(ServiceError::Forbidden {
            needed: Role::Manager
        })
    ));
    let refused = lists
        .import(&viewer, &CallList::default(), None, None, &mut Vec::new())
        .await;
    assert!(matches!(refused, Err(ServiceError::Forbidden { .. })));
    lists.add(&manager, number()).await.unwrap();
    let refused = lists.remove(&manager, "+393471234567", why()).await;
    assert!(matches!(
        refused,
        Err(ServiceError::Forbidden {
            needed: Role::Admin
        })
    ));
    let admin = somebody(&world, Role::Admin);
    lists.remove(&admin, "+393471234567", why()).await.unwrap();
}

#[tokio::test]
async fn every_number_of_a_row_is_imported_as_an_upload_would_read_it() {
    let world = World::new().await;
    let row = |row, phone_number: &str| CallListRow {
        row,
        phone_number: phone_number.to_owned(),
        language: "Klingon".to_owned(),
        ..CallListRow::default()
    };
    let list = CallList {
        rows: vec![
            row(2, "06 12345678 / 347 1234567"),
            CallListRow {
                phone_number_is_numeric: true,
                ..row(3, "687654321")
            },
            CallListRow {
                other_phones: vec![PhoneCell {
                    column: "Mobile".to_owned(),
                    text: "347 1234568".to_owned(),
                    is_numeric: false,
                }],
                ..row(4, "+39 06 1")
            },
        ],
        ..CallList::default()
    };
    let (lists, manager) = (lists(&world), somebody(&world, Role::Manager));
    let mut errors: Vec<RowError> = Vec::new();
    let imported = lists.import(&manager, &list, None, None, &mut errors);
    assert_eq!(imported.await.unwrap().excluded.added, 4);
    let (all, page) = (ExclusionFilter::default(), PageRequest::default());
    let listed = lists.list(&manager, &all, &page).await.unwrap().rows;
    let numbers: Vec<_> = listed.iter().map(|one| one.phone_number.as_str()).collect();
    assert_eq!(
        numbers,
        [
            "+390612345678",
            "+390687654321",
            "+393471234567",
            "+393471234568"
        ]
    );
    // Of a row with several numbers those that can be read are taken, and the other one is named.
    let errors: Vec<_> = errors.iter().map(RowError::message).collect();
    assert_eq!(errors, ["Row 4: Phone number is too short"]);
}
