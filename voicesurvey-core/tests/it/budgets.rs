//! Budgets whose prices come when the calls are over.

use chrono::TimeDelta;
use voicesurvey_core::call_attempt::CallEventKind;
use voicesurvey_core::call_task::CallTask;
use voicesurvey_core::campaign::{Campaign, CampaignStatus, PauseReason};
use voicesurvey_core::money::Cost;
use voicesurvey_core::outcome::Outcome;
use voicesurvey_core::service::CampaignService as _;

use super::lifecycle::{about_to_call, budget, end, euros, status, with_many_lines};
use super::scripted::World;

/// A campaign of which three calls have ended and reserve the budget, so that it is paused, and whose
/// other people wait.
async fn paused_before_the_prices_came() -> (World, Campaign, Vec<CallTask>) {
    let (world, campaign, tasks) = about_to_call(9, |mut campaign| {
        campaign.settings.budget = Some(budget(100, 30));
        with_many_lines(campaign)
    })
    .await;
    world.step().await;
    assert_eq!(world.provider.dialed().len(), 3, "0.90 are reserved");
    for task in tasks.iter().take(3) {
        end(&world, task, Outcome::Completed).await;
    }
    world.step().await;
    let paused = CampaignStatus::Paused(PauseReason::Budget);
    assert_eq!(status(&world, &campaign).await, paused);
    (world, campaign, tasks)
}

async fn price(world: &World, task: &CallTask, cost: Cost) {
    let attempt = world.latest_attempt(task).await;
    world.tell(&attempt, CallEventKind::Priced { cost }).await;
}

#[tokio::test]
async fn prices_that_come_after_the_end_leave_money_for_further_calls() {
    let (world, campaign, tasks) = paused_before_the_prices_came().await;
    let rung = world.rung();
    price(&world, &tasks[0], euros(10)).await;
    assert_eq!(status(&world, &campaign).await, CampaignStatus::Running);
    assert!(world.rung() > rung, "nobody waits for it otherwise");
    world.follow_for(TimeDelta::seconds(1)).await;
    assert_eq!(world.provider.dialed().len(), 4, "0.30 are left");
    price(&world, &tasks[1], euros(10)).await;
    price(&world, &tasks[2], euros(10)).await;
    world.follow_for(TimeDelta::seconds(1)).await;
    assert_eq!(world.provider.dialed().len(), 5, "0.40 are left");
}

#[tokio::test]
async fn a_price_above_the_estimate_leaves_the_campaign_paused() {
    let (world, campaign, tasks) = paused_before_the_prices_came().await;
    price(&world, &tasks[0], euros(31)).await;
    let paused = CampaignStatus::Paused(PauseReason::Budget);
    assert_eq!(status(&world, &campaign).await, paused);
}

#[tokio::test]
async fn a_price_does_not_resume_what_was_paused_by_hand() {
    let (world, campaign, tasks) = about_to_call(2, |mut campaign| {
        campaign.settings.budget = Some(budget(30, 30));
        with_many_lines(campaign)
    })
    .await;
    world.step().await;
    let campaigns = world.engine.campaigns();
    campaigns.pause(&world.actor, campaign.id).await.unwrap();
    let called = &tasks[..1];
    assert_eq!(world.provider.dialed().len(), called.len());
    end(&world, &called[0], Outcome::Completed).await;
    price(&world, &called[0], euros(0)).await;
    world.step().await;
    let paused = CampaignStatus::Paused(PauseReason::User);
    assert_eq!(status(&world, &campaign).await, paused);
}
