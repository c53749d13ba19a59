//! Lists that say of some people that they must not be called.

use voicesurvey_core::call_attempt::CallEventKind;
use voicesurvey_core::call_list::{CallListRow, PhoneCell};
use voicesurvey_core::call_task::{TaskState, TaskStatus};
use voicesurvey_core::exclusion::ExclusionSource;
use voicesurvey_core::phone_number::{PhoneNumber, Region};
use voicesurvey_core::ports::{Scope, Storage as _};
use voicesurvey_core::service::CampaignService as _;
use voicesurvey_core::testing::samples;

use super::super::scripted::World;
use super::{draft, list, row};

fn do_not_call(row: CallListRow) -> CallListRow {
    CallListRow {
        do_not_call: "yes".to_owned(),
        ..row
    }
}

#[tokio::test]
async fn who_must_not_be_called_as_the_list_says_is_called_by_nobody() {
    let (world, campaign, _) = draft().await;
    let other = samples::campaign(&world.company);
    let waiting = samples::task(&other, "+393471234562");
    world.insert(&other, std::slice::from_ref(&waiting)).await;
    let rows = vec![
        row(2, "347 1234561"),
        do_not_call(row(3, "347 1234562")),
        // Said of a number that was taken further up.
        row(4, "347 1234563"),
        do_not_call(row(5, "347 1234563")),
    ];
    let campaigns = world.engine.campaigns();
    let looked = campaigns.preview(&world.actor, campaign.id, list(rows.clone()).into());
    let looked = looked.await.unwrap();
    let upload = campaigns.upload(&world.actor, campaign.id, list(rows).into());
    let upload = upload.await.unwrap();
    for (created, excluded, duplicates) in [
        (looked.created, looked.excluded, looked.duplicates_in_list),
        (upload.created, upload.excluded, upload.duplicates_in_list),
    ] {
        assert_eq!((created, excluded, duplicates), (3, 2, 1));
    }
    assert_eq!(world.task(&waiting).await.state, TaskState::Excluded);
    let scope = Scope::Company(world.company.id);
    let mut work = world.store.begin(scope).await.unwrap();
    for number in ["+393471234562", "+393471234563"] {
        let excluded = work.exclusions().get(&number.parse().unwrap()).await;
        assert!(excluded.unwrap().is_some(), "{number}");
    }
    let counters = work.campaigns().counters(campaign.id).await.unwrap();
    assert_eq!((counters.total_tasks(), counters.open_tasks()), (3, 1));
}

/// More of them than fit in one statement, some said of people who were taken further up.
#[tokio::test]
async fn a_list_of_many_who_must_not_be_called_excludes_all_of_them_everywhere() {
    let (world, campaign, _) = draft().await;
    let other = samples::campaign(&world.company);
    let numbers: Vec<String> = (0..1_203).map(|at| format!("347 123{at:04}")).collect();
    let last: PhoneNumber = "+393471231202".parse().unwrap();
    let waiting = samples::task(&other, last.as_str());
    world.insert(&other, std::slice::from_ref(&waiting)).await;
    let mut rows = vec![row(2, &numbers[0]), row(3, "347 1299999")];
    rows.extend(
        (4..)
            .zip(&numbers)
            .map(|(at, one)| do_not_call(row(at, one))),
    );
    rows.extend(
        (2_000..)
            .zip(&numbers[..3])
            .map(|(at, one)| do_not_call(row(at, one))),
    );
    let campaigns = world.engine.campaigns();
    let upload = campaigns.upload(&world.actor, campaign.id, list(rows).into());
    let upload = upload.await.unwrap();
    assert_eq!((upload.created, upload.duplicates_in_list), (1_204, 4));
    assert_eq!(upload.excluded, 1_203);
    assert_eq!(world.task(&waiting).await.state, TaskState::Excluded);
    let scope = Scope::Company(world.company.id);
    let mut work = world.store.begin(scope).await.unwrap();
    let numbers: Vec<PhoneNumber> = numbers
        .iter()
        .map(|number| PhoneNumber::parse(number, Region::IT).unwrap())
        .collect();
    let excluded = work.exclusions().among(&numbers).await.unwrap();
    assert_eq!(excluded.len(), 1_203);
    let counters = work.campaigns().counters(campaign.id).await.unwrap();
    assert_eq!((counters.total_tasks(), counters.open_tasks()), (1_204, 1));
}

/// Their key, the upload, and calls that ring.
#[tokio::test]
async fn who_must_not_be_called_is_excluded_with_a_cause_and_their_telephone_stops_ringing() {
    let world = World::new().await;
    let calling = samples::campaign(&world.company);
    let tasks = samples::tasks(&calling, 1, 1);
    world.start(&calling, &tasks).await;
    world.step().await;
    let ringing = world.latest_attempt(&tasks[0]).await;
    world.tell(&ringing, CallEventKind::Ringing).await;
    let campaign = samples::campaign(&world.company);
    world.insert(&campaign, &[]).await;
    let number = tasks[0].contact.phone_number;
    let rows = vec![do_not_call(row(2, number.as_str()))];
    let campaigns = world.engine.campaigns();
    let upload = campaigns.upload(&world.actor, campaign.id, list(rows).into());
    let upload = upload.await.unwrap();
    assert_eq!(world.provider.hung_up(), [ringing.id]);
    let scope = Scope::Company(world.company.id);
    let mut work = world.store.begin(scope).await.unwrap();
    let exclusion = work.exclusions().get(&number).await.unwrap().unwrap();
    assert_eq!(exclusion.source, ExclusionSource::Import);
    assert_eq!(exclusion.created_by, Some(world.actor.api_key_id));
    let note = exclusion.note.unwrap();
    assert!(note.contains(&upload.id.to_string()), "{note}");
}

/// All numbers of the row, though it is not taken; and who has one of them in another row.
#[tokio::test]
async fn a_row_that_is_not_taken_excludes_all_of_its_numbers() {
    let (world, campaign, _) = draft().await;
    let other = samples::campaign(&world.company);
    let waiting = samples::task(&other, "+390612345678");
    world.insert(&other, std::slice::from_ref(&waiting)).await;
    let rows = vec![
        row(2, "347 1234562"),
        CallListRow {
            priority: "high".to_owned(),
            other_phones: vec![PhoneCell {
                column: "Casa".to_owned(),
                text: "06 12345678".to_owned(),
                is_numeric: false,
            }],
            ..do_not_call(row(3, "347 1234561; 347 1234562"))
        },
        row(4, "06 12345678"),
    ];
    let campaigns = world.engine.campaigns();
    let looked = campaigns.preview(&world.actor, campaign.id, list(rows.clone()).into());
    let looked = looked.await.unwrap();
    let upload = campaigns.upload(&world.actor, campaign.id, list(rows).into());
    let upload = upload.await.unwrap();
    for (created, excluded, errors) in [
        (looked.created, looked.excluded, looked.errors_count),
        (upload.created, upload.excluded, upload.errors_count),
    ] {
        assert_eq!((created, excluded, errors), (2, 2, 1));
    }
    assert_eq!(world.task(&waiting).await.state, TaskState::Excluded);
    let (_, counters) = world.campaign(&campaign).await;
    assert_eq!(counters.tasks_in(TaskStatus::Excluded), 2);
    let scope = Scope::Company(world.company.id);
    let mut work = world.store.begin(scope).await.unwrap();
    let numbers = ["+393471234561", "+393471234562", "+390612345678"];
    let numbers = numbers.map(|number| number.parse().unwrap());
    let excluded = work.exclusions().among(&numbers).await.unwrap();
    assert_eq!(excluded.len(), 3);
}
