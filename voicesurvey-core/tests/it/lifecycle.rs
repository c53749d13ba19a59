//! How campaigns stop: by the circuit breaker, at their target, at their end date, without budget.

use std::num::NonZeroU32;

use chrono::TimeDelta;
use rust_decimal::Decimal;
use voicesurvey_core::call_attempt::CallEventKind;
use voicesurvey_core::call_list::CallList;
use voicesurvey_core::call_task::{CallTask, TaskState, TaskStatus};
use voicesurvey_core::campaign::{Budget, Campaign, CampaignStatus, PauseReason, RetryPolicy};
use voicesurvey_core::gate::Reason;
use voicesurvey_core::money::Cost;
use voicesurvey_core::outcome::Outcome;
use voicesurvey_core::pace::Pace;
use voicesurvey_core::service::{CampaignChanges, CampaignService, Change, ServiceError};
use voicesurvey_core::testing::samples::{self, SampleCampaign};
use voicesurvey_core::time::Clock;

use super::scripted::{Answers, World};

/// A world whose campaign has that many people to call, and has not been stepped yet.
pub(super) async fn about_to_call(
    people: u32,
    change: impl FnOnce(Campaign) -> Campaign,
) -> (World, Campaign, Vec<CallTask>) {
    let world = World::new().await;
    let campaign = change(samples::campaign(&world.company));
    let tasks = samples::tasks(&campaign, 1, people);
    world.start(&campaign, &tasks).await;
    (world, campaign, tasks)
}

pub(super) async fn status(world: &World, campaign: &Campaign) -> CampaignStatus {
    world.campaign(campaign).await.0.status
}

pub(super) async fn end(world: &World, task: &CallTask, outcome: Outcome) {
    let attempt = world.latest_attempt(task).await;
    world.end(&attempt, Some(outcome)).await;
}

pub(super) fn euros(cents: i64) -> Cost {
    Cost {
        amount: Decimal::new(cents, 2),
        currency: "EUR".to_owned(),
    }
}

/// A budget in cents.
pub(super) fn budget(limit: i64, estimate_per_call: i64) -> Budget {
    Budget {
        limit: euros(limit),
        estimate_per_call: Decimal::new(estimate_per_call, 2),
    }
}

#[tokio::test]
async fn ten_calls_that_the_provider_does_not_take_pause_the_campaign_until_it_is_resumed_by_hand()
{
    let (world, campaign, _) = about_to_call(15, |campaign| campaign.with_lines(1)).await;
    world.provider.answers(Answers::Failing);
    world.step().await;
    let down = CampaignStatus::Paused(PauseReason::ProviderDown);
    assert_eq!(status(&world, &campaign).await, down);
    assert_eq!(world.provider.dialed().len(), 10);
    world.follow_for(TimeDelta::days(1)).await;
    assert_eq!(world.provider.dialed().len(), 10);

    // What failed before it was resumed does not count any more.
    let campaigns = world.engine.campaigns();
    campaigns.resume(&world.actor, campaign.id).await.unwrap();
    world.step().await;
    assert_eq!(status(&world, &campaign).await, down);
    assert_eq!(world.provider.dialed().len(), 20);

    world.clock.advance(TimeDelta::hours(1));
    world.provider.answers(Answers::Taken);
    campaigns.resume(&world.actor, campaign.id).await.unwrap();
    world.step().await;
    assert_eq!(status(&world, &campaign).await, CampaignStatus::Running);
    assert_eq!(world.provider.dialed().len(), 21);
}

#[tokio::test]
async fn ten_calls_that_fail_after_they_were_taken_name_another_cause() {
    let (world, campaign, tasks) = about_to_call(12, |campaign| campaign).await;
    world.step().await;
    for task in &tasks[..9] {
        end(&world, task, Outcome::ProviderFailure).await;
    }
    assert_eq!(status(&world, &campaign).await, CampaignStatus::Running);
    // Of a lost call nobody knows whether the line was at fault.
    end(&world, &tasks[9], Outcome::Lost).await;
    assert_eq!(status(&world, &campaign).await, CampaignStatus::Running);
    end(&world, &tasks[10], Outcome::ProviderFailure).await;
    let failing = CampaignStatus::Paused(PauseReason::ProviderFailure);
    assert_eq!(status(&world, &campaign).await, failing);
    // The call that still runs is not cut off.
    assert_eq!(world.campaign(&campaign).await.1.live_attempts(), 1);
    end(&world, &tasks[11], Outcome::Completed).await;
    assert_eq!(world.task(&tasks[11]).await.state, TaskState::Completed);
}

#[tokio::test]
async fn credentials_that_are_refused_pause_the_campaign_at_once_and_cost_nothing() {
    let (world, campaign, tasks) = about_to_call(3, |campaign| campaign.with_lines(1)).await;
    world.provider.answers(Answers::Misconfigured);
    world.step().await;
    let paused = CampaignStatus::Paused(PauseReason::ProviderConfiguration);
    assert_eq!(status(&world, &campaign).await, paused);
    assert_eq!(world.provider.dialed().len(), 1);
    for task in &tasks {
        let task = world.task(task).await;
        assert_eq!(task.state.status(), TaskStatus::Pending);
        assert_eq!(task.attempts_spent, 0);
    }
    let reasons = world.standing(&campaign).await.reasons;
    assert_eq!(reasons, [(Reason::CampaignNotRunning, 3)].into());
    let attempt = world.latest_attempt(&tasks[0]).await;
    assert_eq!(attempt.error_code.as_deref(), Some("20003"));
}

#[tokio::test]
async fn a_campaign_that_reaches_its_target_finishes_its_calls_and_calls_nobody_else() {
    let (world, campaign, tasks) = about_to_call(6, |mut campaign| {
        campaign.settings.target = NonZeroU32::new(2);
        campaign.with_lines(3)
    })
    .await;
    world.step().await;
    end(&world, &tasks[0], Outcome::Completed).await;
    world.step().await;
    assert_eq!(world.provider.dialed().len(), 4);
    end(&world, &tasks[1], Outcome::Completed).await;
    world.step().await;
    let (winding_up, counters) = world.campaign(&campaign).await;
    assert_eq!(winding_up.winding_up, Some(Reason::TargetReached));
    assert_eq!(winding_up.status, CampaignStatus::Running);
    assert_eq!(counters.live_attempts(), 2);
    assert_eq!(world.provider.dialed().len(), 4, "nobody else is dialed");
    for task in &tasks[4..] {
        let task = world.task(task).await;
        assert_eq!(task.state, TaskState::Cancelled);
        assert_eq!(task.reason, Some(Reason::TargetReached));
    }
    let standing = world.standing(&campaign).await;
    assert_eq!(standing.reasons, [(Reason::TargetReached, 2)].into());
    refused_upload(&world, &campaign, "campaign_winding_up").await;

    // Who did not answer is not called again; who answers is heard.
    end(&world, &tasks[2], Outcome::NoAnswer).await;
    assert_eq!(world.task(&tasks[2]).await.state, TaskState::Cancelled);
    end(&world, &tasks[3], Outcome::Completed).await;
    world.step().await;
    let (ended, counters) = world.campaign(&campaign).await;
    assert_eq!(ended.status, CampaignStatus::Completed);
    assert_eq!(counters.tasks_in(TaskStatus::Completed), 3);
    world.follow_for(TimeDelta::days(2)).await;
    assert_eq!(world.provider.dialed().len(), 4);
    refused_upload(&world, &campaign, "campaign_ended").await;
}

async fn refused_upload(world: &World, campaign: &Campaign, expected: &str) {
    let list = CallList {
        file_name: "more.csv".to_owned(),
        columns: Vec::new(),
        rows: Vec::new(),
    };
    let campaigns = world.engine.campaigns();
    let refused = campaigns
        .upload(&world.actor, campaign.id, list.into())
        .await;
    let Err(ServiceError::NotAllowed { code, .. }) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(code, expected);
}

#[tokio::test]
async fn a_campaign_whose_end_date_comes_finishes_its_calls_and_calls_nobody_else() {
    let end_date = samples::now() + TimeDelta::seconds(60);
    let (world, campaign, tasks) = about_to_call(3, |mut campaign| {
        campaign.settings.schedule.ends_at = Some(end_date);
        campaign.with_lines(1)
    })
    .await;
    world.follow_until(end_date - TimeDelta::seconds(1)).await;
    assert_eq!(world.campaign(&campaign).await.0.winding_up, None);
    world.follow_until(end_date).await;
    world.step().await;
    let (winding_up, counters) = world.campaign(&campaign).await;
    assert_eq!(winding_up.winding_up, Some(Reason::CampaignEnded));
    assert_eq!(counters.live_attempts(), 1);
    assert_eq!(counters.tasks_in(TaskStatus::Cancelled), 2);
    end(&world, &tasks[0], Outcome::Completed).await;
    world.step().await;
    assert_eq!(status(&world, &campaign).await, CampaignStatus::Completed);
    assert_eq!(world.task(&tasks[0]).await.state, TaskState::Completed);
    assert_eq!(world.provider.dialed().len(), 1);
}

#[tokio::test]
async fn a_budget_that_is_used_up_pauses_the_campaign_until_it_is_raised() {
    let (world, campaign, tasks) = about_to_call(5, |mut campaign| {
        campaign.settings.budget = Some(budget(100, 50));
        campaign.with_lines(10)
    })
    .await;
    world.step().await;
    assert_eq!(world.provider.dialed().len(), 2, "as many as were expected");
    let reasons = world.standing(&campaign).await.reasons;
    assert_eq!(reasons, [(Reason::BudgetUsedUp, 3)].into());
    for task in &tasks[..2] {
        let cost = euros(60);
        let attempt = world.latest_attempt(task).await;
        world.tell(&attempt, CallEventKind::Priced { cost }).await;
        end(&world, task, Outcome::Refused).await;
    }
    world.step().await;
    let paused = CampaignStatus::Paused(PauseReason::Budget);
    assert_eq!(status(&world, &campaign).await, paused);
    assert_eq!(world.provider.dialed().len(), 2);

    let changes = CampaignChanges {
        budget: Change::Set(budget(200, 50)),
        ..CampaignChanges::default()
    };
    let campaigns = world.engine.campaigns();
    let raised = campaigns.change(&world.actor, campaign.id, changes).await;
    assert!(raised.unwrap().effective_settings().budget == Some(budget(200, 50)));
    campaigns.resume(&world.actor, campaign.id).await.unwrap();
    world.step().await;
    assert_eq!(world.provider.dialed().len(), 3, "0.80 are left");
    assert_eq!(status(&world, &campaign).await, CampaignStatus::Running);
}

#[tokio::test]
async fn limits_can_be_changed_while_a_campaign_runs() {
    let (world, campaign, tasks) = about_to_call(6, |campaign| campaign.with_lines(1)).await;
    let change_lines = async |lines: u32| {
        let mut pacing = campaign.settings.pacing;
        pacing.max_concurrent_calls = lines;
        let changes = CampaignChanges {
            pacing: Some(pacing),
            ..CampaignChanges::default()
        };
        let campaigns = world.engine.campaigns();
        let result = campaigns.change(&world.actor, campaign.id, changes).await;
        result.unwrap();
        world.step().await;
        world.campaign(&campaign).await.1.live_attempts()
    };
    world.step().await;
    assert_eq!(change_lines(3).await, 3);
    assert_eq!(change_lines(1).await, 3, "calls end by themselves");
    for (task, live) in tasks[..3].iter().zip([2, 1, 1]) {
        end(&world, task, Outcome::Completed).await;
        world.step().await;
        assert_eq!(world.campaign(&campaign).await.1.live_attempts(), live);
    }
    assert_eq!(world.provider.dialed().len(), 4);
}

#[tokio::test]
async fn a_scheduled_campaign_cannot_lose_its_start_date_and_a_draft_can() {
    let world = World::new().await;
    let mut campaign = samples::campaign(&world.company).with_lines(10);
    campaign.settings.schedule.starts_at = Some(world.clock.now() + TimeDelta::hours(1));
    world
        .insert(&campaign, &samples::tasks(&campaign, 1, 1))
        .await;
    let mut changes = CampaignChanges::default();
    changes.schedule.starts_at = Change::Clear;
    let campaigns = world.engine.campaigns();
    campaigns.start(&world.actor, campaign.id).await.unwrap();
    let clear = async |campaign: &Campaign| {
        let changes = changes.clone();
        campaigns.change(&world.actor, campaign.id, changes).await
    };
    let refused = clear(&campaign).await;
    let Err(ServiceError::NotAllowed { code, .. }) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(code, "campaign_scheduled");

    let mut draft = samples::campaign(&world.company).with_lines(10);
    draft.settings.schedule.starts_at = campaign.settings.schedule.starts_at;
    world.insert(&draft, &[]).await;
    let without = clear(&draft).await.unwrap();
    assert_eq!(without.settings.schedule.starts_at, None);
}

/// Takes many calls at once.
pub(super) fn with_many_lines(campaign: Campaign) -> Campaign {
    let mut campaign = campaign.with_lines(1_000);
    campaign.settings.pacing.pace = Pace::per_minute(60_000);
    campaign
}

#[tokio::test]
async fn a_campaign_that_starts_beside_a_busy_one_gets_its_turn() {
    let (world, _, _) = about_to_call(400, with_many_lines).await;
    // As a server whose provider takes one call per second: it always asks for one.
    let dispatcher = world.engine.dispatcher();
    assert_eq!(dispatcher.claim_ready(1).await.unwrap().tasks.len(), 1);
    let other = samples::campaign(&world.company);
    let tasks = samples::tasks(&other, 5_000, 1);
    world.start(&other, &tasks).await;
    let mut campaigns = Vec::new();
    for _ in 0..10 {
        world.clock.advance(TimeDelta::milliseconds(100));
        let claimed = dispatcher.claim_ready(1).await.unwrap().tasks;
        campaigns.extend(claimed.iter().map(|call| call.task.campaign_id));
    }
    assert_eq!(campaigns.len(), 10, "somebody can be called each time");
    assert!(campaigns.contains(&other.id), "its turn never came");
}

#[tokio::test]
async fn a_provider_that_asks_for_patience_does_not_use_up_the_faults_that_are_forgiven() {
    let (world, _, tasks) = about_to_call(1, |campaign| campaign).await;
    world
        .provider
        .answers(Answers::Later(TimeDelta::seconds(5)));
    world.follow_for(TimeDelta::hours(4)).await;
    let waiting = world.task(&tasks[0]).await;
    assert!(waiting.attempts_count > RetryPolicy::MOST_FAULTS);
    world.provider.answers(Answers::Failing);
    let fault = Some(Outcome::ProviderFailure);
    while world.latest_attempt(&tasks[0]).await.outcome != fault {
        world.follow_for(TimeDelta::minutes(1)).await;
    }
    let failed_once = world.task(&tasks[0]).await;
    assert_eq!(failed_once.state.status(), TaskStatus::Retry);
    let due_at = failed_once.state.due_at().unwrap();
    assert_eq!(
        due_at - failed_once.updated_at,
        TimeDelta::minutes(5),
        "as long as after a first fault"
    );
}

/// A provider may ask for a few seconds each time, for a whole day.
#[tokio::test]
async fn a_provider_that_is_busy_for_a_day_does_not_end_the_campaign_without_a_ring() {
    let (world, campaign, tasks) = about_to_call(1, |campaign| campaign).await;
    world
        .provider
        .answers(Answers::Later(TimeDelta::seconds(5)));
    world.follow_for(TimeDelta::days(1)).await;
    assert_eq!(status(&world, &campaign).await, CampaignStatus::Running);
    world.provider.answers(Answers::Taken);
    let mut task = world.task(&tasks[0]).await;
    for _ in 0..10 {
        if task.state.status() == TaskStatus::InProgress {
            break;
        }
        world.follow_for(TimeDelta::minutes(1)).await;
        task = world.task(&tasks[0]).await;
    }
    assert_eq!(task.state.status(), TaskStatus::InProgress);
    assert_eq!(task.attempts_spent, 0);
    assert!(task.attempts_count < 200, "{}", task.attempts_count);
}

#[tokio::test]
async fn a_server_that_was_away_does_not_dial_for_an_attempt_that_was_given_up() {
    let (world, _, tasks) = about_to_call(1, |campaign| campaign).await;
    let dispatcher = world.engine.dispatcher();
    let old = dispatcher.claim_ready(1).await.unwrap().tasks.remove(0);
    // Meanwhile another server, whose clock went on, gives the attempt up and claims again.
    let now = world.clock.now();
    let mut work = world.work().await;
    let attempt = work.call_attempts().get_for_update(old.attempt.id).await;
    let given_up = attempt.unwrap().unwrap().ended(Outcome::Cancelled, now);
    work.call_attempts().update(&given_up).await.unwrap();
    let task = work.call_tasks().get_for_update(tasks[0].id).await;
    let task = task.unwrap().unwrap();
    let waiting = task.postponed(now, Reason::ProviderUnavailable, now);
    work.call_tasks().update(&waiting).await.unwrap();
    work.commit().await.unwrap();
    world.clock.advance(TimeDelta::seconds(10));
    let new = dispatcher.claim_ready(1).await.unwrap().tasks.remove(0);
    dispatcher.dial(new).await.unwrap();
    dispatcher.dial(old).await.unwrap();
    assert_eq!(world.provider.dialed().len(), 1, "rung twice");
}

#[tokio::test]
async fn a_line_on_which_four_of_five_calls_are_taken_works() {
    let (world, campaign, _) = about_to_call(50, with_many_lines).await;
    let dispatcher = world.engine.dispatcher();
    let mut claimed = Vec::new();
    while claimed.len() < 50 {
        claimed.extend(dispatcher.claim_ready(50).await.unwrap().tasks);
        world.clock.advance(TimeDelta::milliseconds(100));
    }
    for (index, call) in claimed.into_iter().enumerate() {
        world.provider.answers(if index % 5 == 0 {
            Answers::Failing
        } else {
            Answers::Taken
        });
        dispatcher.dial(call).await.unwrap();
    }
    assert_eq!(status(&world, &campaign).await, CampaignStatus::Running);
}

/// As many as nobody turns away without being asked again.
const TURNED_AWAY: u32 = 10_300;

#[tokio::test]
async fn whoever_stands_behind_thousands_of_excluded_people_is_called_at_once() {
    let world = World::new().await;
    let campaign = samples::campaign(&world.company);
    let tasks = samples::tasks(&campaign, 1, TURNED_AWAY + 1);
    world.start(&campaign, &tasks).await;
    // They were excluded after the upload.
    let excluded = tasks[..tasks.len() - 1].iter();
    let mut work = world.work().await;
    for task in excluded {
        let number = task.contact.phone_number;
        let exclusion = samples::exclusion(&world.company, number);
        work.exclusions().insert(&exclusion).await.unwrap();
    }
    work.commit().await.unwrap();
    let dispatcher = world.engine.dispatcher();
    let mut turned_away = 0;
    let reached = loop {
        let claim = dispatcher.claim_ready(20).await.unwrap();
        assert!(!claim.is_empty(), "nothing more after {turned_away}");
        turned_away += claim.turned_away;
        if let Some(call) = claim.tasks.into_iter().next() {
            break call;
        }
    };
    assert_eq!(reached.task.id, tasks[tasks.len() - 1].id);
    assert_eq!(turned_away, tasks.len() - 1);
    assert!(dispatcher.claim_ready(20).await.unwrap().is_empty());
}
