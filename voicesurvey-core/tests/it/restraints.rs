//! What keeps a company from calling: its caps per person, over all campaigns, and its suspension.

use std::num::{NonZeroU16, NonZeroU32};

use chrono::TimeDelta;
use voicesurvey_core::company::CompanyStatus;
use voicesurvey_core::gate::{AttemptCaps, Reason};
use voicesurvey_core::outcome::Outcome;
use voicesurvey_core::service::companies::CompanyChanges;
use voicesurvey_core::service::{CampaignService, ServiceError};
use voicesurvey_core::testing::samples;
use voicesurvey_core::time::Clock;

use super::scripted::World;

fn caps(caps: AttemptCaps) -> CompanyChanges {
    CompanyChanges {
        caps: Some(caps),
        ..CompanyChanges::default()
    }
}

fn status(status: CompanyStatus) -> CompanyChanges {
    CompanyChanges {
        status: Some(status),
        ..CompanyChanges::default()
    }
}

#[tokio::test]
async fn a_person_of_two_campaigns_is_called_no_more_often_than_the_company_allows() {
    let world = World::new().await;
    world
        .change_company(caps(AttemptCaps {
            per_day: NonZeroU16::new(1),
            ..AttemptCaps::default()
        }))
        .await;
    let campaigns = [(); 2].map(|()| samples::campaign(&world.company));
    let number = samples::phone_number(1);
    let tasks = campaigns
        .each_ref()
        .map(|campaign| samples::task(campaign, number.as_str()));
    for (campaign, task) in campaigns.iter().zip(&tasks) {
        world.start(campaign, std::slice::from_ref(task)).await;
    }
    let called_at = world.clock.now();
    world.step().await;
    assert_eq!(world.provider.dialed(), [number]);
    let (called, waiting) = if world.task(&tasks[0]).await.attempts_count == 1 {
        (&tasks[0], &tasks[1])
    } else {
        (&tasks[1], &tasks[0])
    };
    let attempt = world.latest_attempt(called).await;
    world.end(&attempt, Some(Outcome::Refused)).await;
    let tomorrow = called_at + TimeDelta::hours(24);
    world.follow_until(tomorrow - TimeDelta::seconds(1)).await;
    world.step().await;
    assert_eq!(world.provider.dialed(), [number]);
    let why = world.why_not_now(waiting).await.unwrap();
    assert_eq!(why.reason, Reason::DailyCap);
    assert_eq!(why.until, Some(tomorrow));
    world.follow_until(tomorrow).await;
    world.step().await;
    assert_eq!(world.provider.dialed(), [number; 2]);
    assert_eq!(world.why_not_now(waiting).await, None, "it is being called");
}

#[tokio::test]
async fn caps_that_are_lifted_let_people_be_called_when_they_are_due() {
    let world = World::new().await;
    world
        .change_company(caps(AttemptCaps {
            minimum_gap_minutes: NonZeroU32::new(120),
            ..AttemptCaps::default()
        }))
        .await;
    let mut campaign = samples::campaign(&world.company);
    campaign.settings.retry.other_daypart = false;
    let task = samples::task(&campaign, samples::phone_number(1).as_str());
    world.start(&campaign, std::slice::from_ref(&task)).await;
    let first = world.clock.now();
    world.step().await;
    let attempt = world.latest_attempt(&task).await;
    world.end(&attempt, Some(Outcome::Busy)).await;
    world.follow_for(TimeDelta::minutes(40)).await;
    let why = world.why_not_now(&task).await.unwrap();
    assert_eq!(why.reason, Reason::MinimumGap);
    assert_eq!(why.until, Some(first + TimeDelta::minutes(120)));
    assert_eq!(world.provider.dialed().len(), 1);
    world.change_company(caps(AttemptCaps::default())).await;
    world.follow_until(first + TimeDelta::minutes(120)).await;
    world.step().await;
    assert_eq!(world.provider.dialed().len(), 2);
}

#[tokio::test]
async fn a_suspended_company_calls_nobody_until_it_is_active_again() {
    let world = World::new().await;
    let campaign = samples::campaign(&world.company);
    let tasks = samples::tasks(&campaign, 1, 2);
    world.start(&campaign, &tasks).await;
    // One is claimed when it happens, and not dialed yet.
    let claimed = world
        .engine
        .dispatcher()
        .claim_ready(1)
        .await
        .unwrap()
        .tasks;
    world.change_company(status(CompanyStatus::Suspended)).await;
    for claimed in claimed {
        world.engine.dispatcher().dial(claimed).await.unwrap();
    }
    world.follow_for(TimeDelta::hours(1)).await;
    assert_eq!(world.provider.dialed(), []);
    let reasons = world.standing(&campaign).await.reasons;
    assert_eq!(reasons, [(Reason::CompanySuspended, 2)].into());
    for task in &tasks {
        let why = world.why_not_now(task).await.unwrap();
        assert_eq!((why.reason, why.until), (Reason::CompanySuspended, None));
    }
    world.change_company(status(CompanyStatus::Active)).await;
    world.step().await;
    assert_eq!(world.provider.dialed().len(), 2);
}

#[tokio::test]
async fn a_campaign_whose_calls_count_against_a_cap_cannot_be_deleted() {
    let world = World::new().await;
    world
        .change_company(caps(AttemptCaps {
            per_day: NonZeroU16::new(1),
            per_week: NonZeroU16::new(3),
            ..AttemptCaps::default()
        }))
        .await;
    let campaign = samples::campaign(&world.company);
    let task = samples::task(&campaign, samples::phone_number(1).as_str());
    world.start(&campaign, std::slice::from_ref(&task)).await;
    world.step().await;
    let week_later = world.clock.now() + TimeDelta::days(7);
    let attempt = world.latest_attempt(&task).await;
    world.end(&attempt, Some(Outcome::Refused)).await;
    world.step().await;
    let campaigns = world.engine.campaigns();
    world.clock.set(week_later - TimeDelta::microseconds(1));
    let refused = campaigns.delete(&world.actor, campaign.id).await;
    let Err(ServiceError::NotAllowed { code, .. }) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(code, "calls_are_capped");
    world.clock.set(week_later);
    campaigns.delete(&world.actor, campaign.id).await.unwrap();
}

#[tokio::test]
async fn a_campaign_is_deleted_at_once_where_nothing_is_capped_or_nobody_was_called() {
    let world = World::new().await;
    let called = samples::campaign(&world.company);
    let task = samples::task(&called, samples::phone_number(1).as_str());
    world.start(&called, std::slice::from_ref(&task)).await;
    world.step().await;
    let attempt = world.latest_attempt(&task).await;
    world.end(&attempt, Some(Outcome::Refused)).await;
    world.step().await;
    let campaigns = world.engine.campaigns();
    campaigns.delete(&world.actor, called.id).await.unwrap();
    world
        .change_company(caps(AttemptCaps {
            per_month: NonZeroU16::new(1),
            ..AttemptCaps::default()
        }))
        .await;
    let draft = samples::campaign(&world.company);
    world.insert(&draft, &samples::tasks(&draft, 2, 1)).await;
    campaigns.delete(&world.actor, draft.id).await.unwrap();
}
