//! Calls that the provider has taken and not yet dialed, when nobody is to be called any more.

use chrono::TimeDelta;
use voicesurvey_core::call_attempt::{AnsweredBy, AttemptState, CallAttempt, CallEventKind};
use voicesurvey_core::call_task::{CallTask, TaskState, TaskStatus};
use voicesurvey_core::calling_hours::CallingHours;
use voicesurvey_core::campaign::Campaign;
use voicesurvey_core::gate::ContactHistory;
use voicesurvey_core::outcome::Outcome;
use voicesurvey_core::ports::{Cancellation, Scope, Storage as _};
use voicesurvey_core::service::CampaignService as _;
use voicesurvey_core::testing::samples;

use crate::scripted::{Knows, World};

/// A campaign, as `change` leaves it, whose only call waits at the provider.
async fn waiting(change: impl FnOnce(&mut Campaign)) -> (World, Campaign, CallTask, CallAttempt) {
    let world = World::new().await;
    world.provider.knows(Knows::NoNews);
    let mut campaign = samples::campaign(&world.company);
    change(&mut campaign);
    let task = samples::task(&campaign, samples::phone_number(1).as_str());
    world.start(&campaign, std::slice::from_ref(&task)).await;
    world.step().await;
    let attempt = world.latest_attempt(&task).await;
    assert_eq!(attempt.state, AttemptState::Accepted);
    (world, campaign, task, attempt)
}

async fn pause(world: &World, campaign: &Campaign) {
    let campaigns = world.engine.campaigns();
    campaigns.pause(&world.actor, campaign.id).await.unwrap();
}

/// The provider cancels what it is told to, and says that no telephone had rung.
fn cancels_what_waits(world: &World) {
    world.provider.cancels(Some(Cancellation::Over));
    world.provider.knows(Knows::EndedAs(Outcome::Cancelled));
}

#[tokio::test]
async fn a_call_that_waits_when_its_campaign_is_paused_is_cancelled_and_costs_nothing() {
    let (world, campaign, task, attempt) = waiting(|_| {}).await;
    cancels_what_waits(&world);
    pause(&world, &campaign).await;
    world.step().await;
    assert_eq!(world.provider.cancelled(), [attempt.id]);
    let ended = world.attempt(attempt.id).await;
    assert_eq!(ended.state, AttemptState::Ended);
    assert_eq!(ended.outcome, Some(Outcome::Cancelled));
    let waits = world.task(&task).await;
    assert_eq!(waits.state.status(), TaskStatus::Pending);
    assert_eq!((waits.attempts_spent, waits.outcome), (0, None));
    let scope = Scope::Company(world.company.id);
    let mut work = world.store.begin(scope).await.unwrap();
    let number = &attempt.phone_number;
    let since = attempt.created_at;
    let history = work.call_attempts().history(number, since, None).await;
    assert_eq!(
        history.unwrap(),
        ContactHistory::default(),
        "it counts against no cap"
    );
    drop(work);

    world.provider.knows(Knows::NoNews);
    let campaigns = world.engine.campaigns();
    campaigns.resume(&world.actor, campaign.id).await.unwrap();
    world.step().await;
    assert_eq!(world.provider.dialed(), [*number, *number]);
}

#[tokio::test]
async fn a_call_that_waits_when_its_campaign_is_cancelled_ends_with_it() {
    let (world, campaign, task, _) = waiting(|_| {}).await;
    cancels_what_waits(&world);
    let campaigns = world.engine.campaigns();
    campaigns.cancel(&world.actor, campaign.id).await.unwrap();
    world.step().await;
    assert_eq!(world.task(&task).await.state, TaskState::Cancelled);
    let (_, counters) = world.campaign(&campaign).await;
    assert_eq!((counters.open_tasks(), counters.live_attempts()), (0, 0));
}

#[tokio::test]
async fn a_call_that_waits_when_its_campaign_winds_up_ends_with_it() {
    let ends_at = samples::now() + TimeDelta::seconds(40);
    let (world, campaign, task, attempt) =
        waiting(|campaign| campaign.settings.schedule.ends_at = Some(ends_at)).await;
    cancels_what_waits(&world);
    world.follow_until(ends_at - TimeDelta::seconds(1)).await;
    assert_eq!(world.provider.cancelled(), []);
    world.follow_until(ends_at).await;
    world.step().await;
    assert_eq!(world.provider.cancelled(), [attempt.id]);
    assert_eq!(world.task(&task).await.state, TaskState::Cancelled);
    let (campaign, _) = world.campaign(&campaign).await;
    assert!(campaign.status.is_final());
}

/// The samples' present is nine o'clock in Italy.
#[tokio::test]
async fn a_call_that_waits_when_it_has_become_late_is_cancelled_at_that_instant() {
    let closes_at = "2027-01-15T08:01:00Z".parse().unwrap();
    let (world, _, task, attempt) = waiting(|campaign| {
        let (from, to) = ("08:00".parse().unwrap(), "09:01".parse().unwrap());
        campaign.settings.schedule.hours = CallingHours::daily(from, to).unwrap();
    })
    .await;
    assert_eq!(attempt.lease_until, closes_at);
    cancels_what_waits(&world);
    world.follow_until(closes_at - TimeDelta::seconds(1)).await;
    assert_eq!(world.provider.cancelled(), []);
    world.follow_until(closes_at).await;
    world.step().await;
    assert_eq!(world.provider.cancelled(), [attempt.id]);
    let waits = world.task(&task).await;
    assert_eq!(
        (waits.state.status(), waits.attempts_spent),
        (TaskStatus::Pending, 0)
    );
    world.follow_for(TimeDelta::hours(1)).await;
    assert_eq!(world.provider.dialed().len(), 1, "it is late");
}

#[tokio::test]
async fn a_call_that_rings_is_not_cancelled() {
    let (world, campaign, _, attempt) = waiting(|_| {}).await;
    world.tell(&attempt, CallEventKind::Ringing).await;
    pause(&world, &campaign).await;
    world.follow_for(TimeDelta::minutes(5)).await;
    assert_eq!(world.provider.cancelled(), []);
}

/// It was answered before the provider was told, or rang when it was.
#[tokio::test]
async fn what_the_provider_does_not_cancel_goes_on() {
    let (world, campaign, task, attempt) = waiting(|_| {}).await;
    world.provider.knows(Knows::NoSuchCall);
    pause(&world, &campaign).await;
    world.step().await;
    assert_eq!(world.provider.cancelled(), [attempt.id]);
    assert_eq!(
        world.attempt(attempt.id).await.state,
        AttemptState::Accepted
    );
    let by = AnsweredBy::Person;
    world.tell(&attempt, CallEventKind::Answered { by }).await;
    world.end(&attempt, None).await;
    let outcome = world.task(&task).await.outcome;
    assert_eq!(outcome, Some(Outcome::HungUpBeforeConsent));
}

#[tokio::test]
async fn a_call_that_rang_before_it_was_cancelled_counts() {
    let (world, campaign, task, attempt) = waiting(|_| {}).await;
    cancels_what_waits(&world);
    pause(&world, &campaign).await;
    world.step().await;
    // The news of the ringing was late.
    world.tell(&attempt, CallEventKind::Ringing).await;
    let ended = world.attempt(attempt.id).await;
    assert_eq!(ended.outcome, Some(Outcome::NoAnswer));
    let waits = world.task(&task).await;
    assert_eq!((waits.attempts_spent, waits.outcome), (1, ended.outcome));
}

#[tokio::test]
async fn a_cancellation_that_got_lost_is_sent_again() {
    let (world, campaign, _, attempt) = waiting(|_| {}).await;
    world.provider.cancels(None);
    pause(&world, &campaign).await;
    world.step().await;
    assert_eq!(
        world.attempt(attempt.id).await.state,
        AttemptState::Accepted
    );
    cancels_what_waits(&world);
    world.follow_for(TimeDelta::minutes(2)).await;
    assert_eq!(world.provider.cancelled(), [attempt.id, attempt.id]);
    assert_eq!(world.attempt(attempt.id).await.state, AttemptState::Ended);
}

#[tokio::test]
async fn a_provider_whose_records_are_behind_is_asked_again_soon() {
    let (world, campaign, _, attempt) = waiting(|_| {}).await;
    world.provider.cancels(Some(Cancellation::Over));
    pause(&world, &campaign).await;
    world.step().await;
    assert_eq!(
        world.attempt(attempt.id).await.state,
        AttemptState::Accepted
    );
    world.provider.knows(Knows::EndedAs(Outcome::Cancelled));
    world.follow_for(TimeDelta::seconds(10)).await;
    assert_eq!(world.attempt(attempt.id).await.state, AttemptState::Ended);
}

/// A provider gives up what has waited too long. Whoever is called again at once waits as long.
#[tokio::test]
async fn who_was_given_up_by_the_provider_itself_is_called_again_after_a_while() {
    let (world, _, task, attempt) = waiting(|_| {}).await;
    world.end(&attempt, Some(Outcome::Cancelled)).await;
    let waits = world.task(&task).await;
    assert_eq!(waits.attempts_spent, 0);
    let again_at = samples::now() + TimeDelta::minutes(1);
    assert_eq!(waits.state, TaskState::Pending { due_at: again_at });
    world.follow_until(again_at).await;
    world.step().await;
    assert_eq!(world.provider.dialed().len(), 2);
}

#[tokio::test]
async fn a_call_that_waits_is_not_lost_because_its_provider_cannot_tell_for_a_while() {
    let (world, _, _, attempt) = waiting(|_| {}).await;
    world.follow_for(TimeDelta::hours(5)).await;
    world.provider.knows(Knows::Nothing);
    world.follow_for(TimeDelta::minutes(20)).await;
    let waits = world.attempt(attempt.id).await;
    assert_eq!(waits.state, AttemptState::Accepted, "it may still ring");
    assert_eq!(world.provider.dialed().len(), 1);

    world.follow_for(TimeDelta::hours(24)).await;
    let lost = world.attempt(attempt.id).await;
    assert_eq!(lost.outcome, Some(Outcome::Lost), "but not for ever");
}
