//! Lists that say of some people that they must not be called.

use voicesurvey_core::call_list::CallListRow;
use voicesurvey_core::call_task::TaskState;
use voicesurvey_core::phone_number::{PhoneNumber, Region};
use voicesurvey_core::ports::{Scope, Storage as _};
use voicesurvey_core::service::CampaignService as _;
use voicesurvey_core::testing::samples;

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
