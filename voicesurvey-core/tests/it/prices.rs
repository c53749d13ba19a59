//! Prices that no webhook tells.

use chrono::TimeDelta;
use rust_decimal::Decimal;
use voicesurvey_core::call_attempt::{CallAttempt, CallEventKind};
use voicesurvey_core::call_task::CallTask;
use voicesurvey_core::campaign::{Budget, Campaign, CampaignStatus, PauseReason};
use voicesurvey_core::money::Cost;
use voicesurvey_core::outcome::Outcome;
use voicesurvey_core::testing::samples;

use crate::scripted::{Knows, World};

fn euros(cents: i64) -> Cost {
    Cost {
        amount: Decimal::new(cents, 2),
        currency: "EUR".to_owned(),
    }
}

/// A call that nobody answered.
async fn unanswered(world: &World) -> (Campaign, CallTask, CallAttempt) {
    let mut campaign = samples::campaign(&world.company);
    campaign.settings.retry.max_attempts = 1;
    let task = samples::task(&campaign, samples::phone_number(1).as_str());
    world.start(&campaign, std::slice::from_ref(&task)).await;
    world.step().await;
    let attempt = world.latest_attempt(&task).await;
    world.end(&attempt, Some(Outcome::NoAnswer)).await;
    (campaign, task, attempt)
}

#[tokio::test]
async fn a_price_is_asked_for_until_it_is_told() {
    let world = World::with_prices().await;
    let (_, _, attempt) = unanswered(&world).await;
    world.provider.knows(Knows::NoNews);
    world.follow_for(TimeDelta::minutes(59)).await;
    assert_eq!(world.provider.asked(), 2, "after one minute and after ten");
    assert_eq!(world.attempt(attempt.id).await.cost, None);
    world.provider.knows(Knows::Costs(3));
    world.follow_for(TimeDelta::hours(48)).await;
    assert_eq!(world.provider.asked(), 3);
    let priced = world.attempt(attempt.id).await;
    assert_eq!(priced.cost, Some(euros(3)));
    assert_eq!(priced.price_due_at, None);
}

#[tokio::test]
async fn a_price_that_is_never_told_stays_unknown_and_is_not_zero() {
    let world = World::with_prices().await;
    let (campaign, _, attempt) = unanswered(&world).await;
    world.provider.knows(Knows::Nothing);
    world.follow_for(TimeDelta::days(7)).await;
    assert_eq!(world.provider.asked(), 5);
    assert_eq!(world.attempt(attempt.id).await.cost, None);
    let (_, counters) = world.campaign(&campaign).await;
    assert!(counters.costs.is_empty());
}

#[tokio::test]
async fn a_price_that_a_webhook_tells_is_not_asked_for() {
    let world = World::with_prices().await;
    let (_, _, attempt) = unanswered(&world).await;
    let cost = euros(0);
    world.tell(&attempt, CallEventKind::Priced { cost }).await;
    world.follow_for(TimeDelta::days(7)).await;
    assert_eq!(world.provider.asked(), 0);
    assert_eq!(world.attempt(attempt.id).await.cost, Some(euros(0)));
}

#[tokio::test]
async fn nobody_asks_a_provider_that_tells_prices_itself() {
    let world = World::new().await;
    unanswered(&world).await;
    world.follow_for(TimeDelta::days(7)).await;
    assert_eq!(world.provider.asked(), 0);
}

#[tokio::test]
async fn a_price_that_was_asked_for_lets_a_campaign_go_on_whose_budget_seemed_used_up() {
    let world = World::with_prices().await;
    let mut campaign = samples::campaign(&world.company);
    campaign.settings.budget = Some(Budget {
        limit: euros(10),
        estimate_per_call: Decimal::new(10, 2),
    });
    let tasks = samples::tasks(&campaign, 1, 2);
    world.start(&campaign, &tasks).await;
    world.step().await;
    assert_eq!(world.provider.dialed().len(), 1, "the estimate is reserved");
    let attempt = world.latest_attempt(&tasks[0]).await;
    world.end(&attempt, Some(Outcome::InvalidNumber)).await;
    world.step().await;
    let paused = CampaignStatus::Paused(PauseReason::Budget);
    assert_eq!(world.campaign(&campaign).await.0.status, paused);
    world.provider.knows(Knows::Costs(0));
    world.follow_for(TimeDelta::minutes(1)).await;
    world.step().await;
    assert_eq!(world.provider.dialed().len(), 2);
}
