//! Calls of which nobody knows what became, and news that comes late or in another order: nobody is
//! dialed twice, and no task and no line stays behind.

use std::num::NonZeroU32;

use chrono::TimeDelta;
use voicesurvey_core::call_attempt::{AttemptState, CallAttempt, CallEventKind};
use voicesurvey_core::call_task::{CallTask, TaskState, TaskStatus};
use voicesurvey_core::campaign::{Campaign, CampaignStatus};
use voicesurvey_core::gate::Reason;
use voicesurvey_core::outcome::Outcome;
use voicesurvey_core::service::CampaignService;
use voicesurvey_core::testing::samples::{self, SampleCampaign};
use voicesurvey_core::time::Clock;

use super::scripted::{Answers, Knows, ScriptedProvider, World};

/// A lease has run out after so long.
const LEASE: TimeDelta = TimeDelta::seconds(121);

/// Until then an attempt that nobody can tell about is not settled: four hours after the last
/// instant at which it may have been dialed.
const UNKNOWN_FOR: TimeDelta = TimeDelta::seconds(4 * 60 * 60 + 30);

/// A world whose campaign calls one person; the claim is still to come.
async fn about_to_call() -> (World, Campaign, CallTask) {
    about_to_call_for(|campaign| campaign).await
}

pub(crate) async fn about_to_call_for(
    change: impl FnOnce(Campaign) -> Campaign,
) -> (World, Campaign, CallTask) {
    let world = World::new().await;
    let campaign = change(samples::campaign(&world.company));
    let task = samples::task(&campaign, samples::phone_number(1).as_str());
    world.start(&campaign, std::slice::from_ref(&task)).await;
    (world, campaign, task)
}

#[tokio::test]
async fn a_task_that_was_claimed_when_its_campaign_was_cancelled_is_cancelled_by_recovery() {
    let (world, campaign, task) = about_to_call().await;
    // The server that claimed it dies before it dials.
    assert_eq!(
        world.engine.dispatcher().claim().await.unwrap().tasks.len(),
        1
    );
    let campaigns = world.engine.campaigns();
    campaigns.cancel(&world.actor, campaign.id).await.unwrap();
    world.follow_for(LEASE).await;
    let cancelled = world.task(&task).await;
    assert_eq!(cancelled.state, TaskState::Cancelled);
    assert_eq!(cancelled.reason, Some(Reason::CampaignEnded));
    let (campaign, counters) = world.campaign(&campaign).await;
    assert_eq!(campaign.status, CampaignStatus::Cancelled);
    assert_eq!((counters.open_tasks(), counters.live_attempts()), (0, 0));
    assert_eq!(world.provider.dialed(), []);
}

#[tokio::test]
async fn a_call_that_ends_after_its_campaign_was_cancelled_is_not_tried_again() {
    let (world, campaign, task) = about_to_call().await;
    world.step().await;
    let campaigns = world.engine.campaigns();
    campaigns.cancel(&world.actor, campaign.id).await.unwrap();
    let attempt = world.latest_attempt(&task).await;
    world.end(&attempt, Some(Outcome::NoAnswer)).await;
    assert_eq!(world.task(&task).await.state, TaskState::Cancelled);
    let (_, counters) = world.campaign(&campaign).await;
    assert_eq!(counters.open_tasks(), 0);
}

#[tokio::test]
async fn a_call_nobody_can_tell_about_does_not_keep_the_only_line_for_ever() {
    let world = World::new().await;
    world.provider.answers(Answers::Unknown);
    world.provider.knows(Knows::Nothing);
    let campaign = samples::campaign(&world.company).with_lines(1);
    let tasks = samples::tasks(&campaign, 1, 2);
    world.start(&campaign, &tasks).await;
    world.step().await;
    let [first, second] = [&tasks[0], &tasks[1]];
    let number = |task: &CallTask| task.contact.phone_number;
    let attempt = world.latest_attempt(first).await;

    world.follow_for(UNKNOWN_FOR - TimeDelta::minutes(10)).await;
    assert_eq!(
        world.provider.dialed(),
        [number(first)],
        "it may still ring"
    );
    let looked_at = world.attempt(attempt.id).await;
    assert_eq!(looked_at.state, AttemptState::Unknown);
    assert!(
        looked_at.lease_until > world.clock.now(),
        "it is looked at again"
    );

    world.provider.answers(Answers::Taken);
    world.follow_for(TimeDelta::minutes(20)).await;
    assert_eq!(world.provider.dialed(), [number(first), number(second)]);
    let lost = world.attempt(attempt.id).await;
    assert_eq!(lost.state, AttemptState::Ended);
    assert_eq!(lost.outcome, Some(Outcome::Lost));
    let waiting = world.task(first).await;
    assert_eq!(waiting.state.status(), TaskStatus::Retry);
    assert_eq!(waiting.attempts_spent, 1, "somebody may have been called");
}

#[tokio::test]
async fn another_provider_that_knows_no_such_call_does_not_make_it_undialed() {
    let (world, _, task) = about_to_call().await;
    world.provider.answers(Answers::Unknown);
    world.step().await;
    let attempt = world.latest_attempt(&task).await;
    // The server comes back with another provider, which says the truth: it has no such call.
    let other = ScriptedProvider::named("other");
    let engine = world.engine_with(std::sync::Arc::new(world.store.clone()), &other);
    let live_for_the_other = || async {
        while engine.step().await.unwrap() > 0 {}
        world.attempt(attempt.id).await.state.is_live()
    };
    let mut passed = TimeDelta::zero();
    while passed < UNKNOWN_FOR {
        assert!(live_for_the_other().await, "settled after {passed}");
        assert_eq!(other.dialed(), [], "dialed after {passed}");
        world.clock.advance(TimeDelta::minutes(1));
        passed += TimeDelta::minutes(1);
    }
    world.clock.advance(TimeDelta::minutes(5));
    assert!(!live_for_the_other().await);
    let lost = world.task(&task).await;
    assert_eq!(lost.outcome, Some(Outcome::Lost));
    assert_eq!(lost.attempts_spent, 1);
    assert_eq!(world.provider.dialed().len(), 1);
}

/// A call whose request got lost, and of which the provider said that it does not exist.
async fn released_undialed() -> (World, CallTask, CallAttempt) {
    let (world, _, task) = about_to_call().await;
    world.provider.answers(Answers::Unknown);
    world.step().await;
    world.clock.advance(LEASE);
    world.recover().await;
    let attempt = world.latest_attempt(&task).await;
    assert_eq!(attempt.outcome, Some(Outcome::Cancelled));
    (world, task, attempt)
}

#[tokio::test]
async fn late_ringing_after_an_undialed_release_counts_and_does_not_cancel_the_task() {
    let (world, task, attempt) = released_undialed().await;
    let before = world.task(&task).await;
    assert_eq!(before.state.status(), TaskStatus::Pending);
    world.tell(&attempt, CallEventKind::Ringing).await;
    let told = world.task(&task).await;
    assert_eq!(told.state.status(), TaskStatus::Retry);
    assert_eq!(
        (told.outcome, told.attempts_spent),
        (Some(Outcome::NoAnswer), 1)
    );
}

#[tokio::test]
async fn no_answer_after_an_undialed_release_is_the_outcome_and_is_spent_once() {
    let (world, task, attempt) = released_undialed().await;
    assert_eq!(world.task(&task).await.attempts_spent, 0);
    for _ in 0..2 {
        world.end(&attempt, Some(Outcome::NoAnswer)).await;
        let told = world.attempt(attempt.id).await;
        assert_eq!(told.outcome, Some(Outcome::NoAnswer));
        let settled = world.task(&task).await;
        assert_eq!(settled.state.status(), TaskStatus::Retry);
        assert_eq!(settled.outcome, Some(Outcome::NoAnswer));
        assert_eq!((settled.attempts_count, settled.attempts_spent), (1, 1));
    }
}

#[tokio::test]
async fn a_call_that_is_placed_after_its_attempt_was_given_up_is_hung_up() {
    let (world, _, task) = about_to_call().await;
    world.provider.answers(Answers::TakenWhenLetGo);
    let given_up_meanwhile = async {
        world.clock.advance(LEASE);
        world.recover().await;
        world.provider.let_go();
    };
    let (stepped, ()) = tokio::join!(world.engine.step(), given_up_meanwhile);
    stepped.unwrap();
    let attempt = world.latest_attempt(&task).await;
    assert_eq!(attempt.number, 1);
    assert_eq!(attempt.outcome, Some(Outcome::Cancelled));
    assert_eq!(world.provider.hung_up(), [attempt.id]);
}

#[tokio::test]
async fn a_wrong_person_told_after_the_end_ends_a_task_that_was_to_be_called_back() {
    let world = World::new().await;
    let (task, first) = world
        .in_conversation(&samples::campaign(&world.company))
        .await;
    world.say(&first, "mi richiami più tardi").await;
    world.end(&first, None).await;
    let waiting = world.task(&task).await;
    assert_eq!(waiting.outcome, Some(Outcome::CallBackRequested));
    world.follow_until(waiting.state.due_at().unwrap()).await;
    world.step().await;
    let second = world.latest_attempt(&task).await;
    assert_eq!(second.number, 2);
    world.pick_up(&second).await;
    world.end(&second, None).await;
    assert_eq!(world.task(&task).await.state.status(), TaskStatus::Retry);
    world.say(&second, "ha sbagliato numero").await;
    let told = world.attempt(second.id).await;
    assert_eq!(told.outcome, Some(Outcome::WrongPerson));
    let settled = world.task(&task).await;
    assert_eq!(settled.state, TaskState::Failed);
    assert_eq!(settled.attempts_spent, 2);
}

#[tokio::test]
async fn a_refusal_stored_after_the_end_ends_a_task_that_waits() {
    let world = World::new().await;
    let (task, attempt) = world
        .in_conversation(&samples::campaign(&world.company))
        .await;
    world.end(&attempt, None).await;
    assert_eq!(world.task(&task).await.state.status(), TaskStatus::Retry);
    world.say(&attempt, "no, grazie").await;
    let settled = world.task(&task).await;
    assert_eq!(settled.state, TaskState::Refused);
    assert_eq!(settled.outcome, Some(Outcome::Refused));
    assert_eq!(settled.attempts_spent, 1);
    world.follow_for(TimeDelta::days(7)).await;
    assert_eq!(world.provider.dialed().len(), 1);
}

#[tokio::test]
async fn a_refusal_of_an_earlier_call_ends_a_task_that_waits_again() {
    let world = World::new().await;
    let (task, first) = world
        .in_conversation(&samples::campaign(&world.company))
        .await;
    world.end(&first, None).await;
    world.follow_for(TimeDelta::days(1)).await;
    world.step().await;
    let second = world.latest_attempt(&task).await;
    assert_eq!(second.number, 2);
    world.end(&second, Some(Outcome::NoAnswer)).await;
    world.say(&first, "no, grazie").await;
    assert_eq!(world.task(&task).await.state, TaskState::Refused);
    world.follow_for(TimeDelta::days(7)).await;
    assert_eq!(world.provider.dialed().len(), 2);
}

/// The interview counts when it is known that the call is not made that was claimed meanwhile, and
/// so does the target.
#[tokio::test]
async fn an_interview_that_becomes_known_while_its_person_is_claimed_again_reaches_the_target() {
    let (world, campaign, task) = about_to_call_for(|mut campaign| {
        campaign.settings.target = NonZeroU32::new(1);
        campaign
    })
    .await;
    world.step().await;
    let first = world.latest_attempt(&task).await;
    world.end(&first, Some(Outcome::NoAnswer)).await;
    world.clock.advance(TimeDelta::days(1));
    world.engine.schedule().await.unwrap();
    let dispatcher = world.engine.dispatcher();
    let again = dispatcher.claim().await.unwrap().tasks.remove(0);
    world.pick_up(&first).await;
    for words in ["sì", "sì"] {
        world.say(&first, words).await;
    }
    assert_eq!(world.task(&task).await.outcome, Some(Outcome::Completed));
    let mut work = world.work().await;
    let somebody_else = samples::tasks(&campaign, 2, 1);
    work.call_tasks().insert_many(&somebody_else).await.unwrap();
    work.commit().await.unwrap();
    dispatcher.dial(again).await.unwrap();
    assert_eq!(world.task(&task).await.state, TaskState::Completed);
    let winding_up = world.campaign(&campaign).await.0.winding_up;
    assert_eq!(winding_up, Some(Reason::TargetReached));
    world.step().await;
    assert_eq!(world.provider.dialed().len(), 1, "nobody else is called");
}

#[tokio::test]
async fn who_hung_up_before_consent_is_left_alone_for_a_day() {
    let world = World::new().await;
    let campaign = samples::campaign(&world.company);
    assert_eq!(campaign.settings.retry.delays_minutes, [30]);
    let (task, attempt) = world.in_conversation(&campaign).await;
    world.end(&attempt, None).await;
    let waiting = world.task(&task).await;
    assert_eq!(waiting.outcome, Some(Outcome::HungUpBeforeConsent));
    let tomorrow = world.clock.now() + TimeDelta::days(1);
    assert_eq!(waiting.state.due_at(), Some(tomorrow));
    world.follow_until(tomorrow - TimeDelta::seconds(1)).await;
    assert_eq!(world.provider.dialed().len(), 1);
    world.follow_until(tomorrow).await;
    world.step().await;
    assert_eq!(world.provider.dialed().len(), 2);
}

#[tokio::test]
async fn a_provider_whose_clock_is_ahead_does_not_stop_the_campaign() {
    let world = World::new().await;
    let campaign = samples::campaign(&world.company).with_lines(1);
    let tasks = samples::tasks(&campaign, 1, 2);
    world.start(&campaign, &tasks).await;
    world.step().await;
    let attempt = world.latest_attempt(&tasks[0]).await;
    let busy = CallEventKind::Ended {
        outcome: Some(Outcome::Busy),
    };
    let in_two_hours = world.clock.now() + TimeDelta::hours(2);
    world.tell_at(&attempt, busy, in_two_hours).await;
    assert_eq!(world.provider.dialed().len(), 1);
    world.step().await;
    assert_eq!(world.provider.dialed().len(), 2);
    let ended = world.attempt(attempt.id).await;
    assert_eq!(ended.ended_at, Some(world.clock.now()));
}

#[tokio::test]
async fn a_provider_that_says_later_is_given_five_seconds_at_least() {
    for said in [TimeDelta::zero(), TimeDelta::seconds(-60)] {
        let (world, _, task) = about_to_call().await;
        world.provider.answers(Answers::Later(said));
        world.step().await;
        let five_seconds = world.clock.now() + TimeDelta::seconds(5);
        assert_eq!(world.task(&task).await.state.due_at(), Some(five_seconds));
        world
            .follow_until(five_seconds - TimeDelta::milliseconds(1))
            .await;
        assert_eq!(world.provider.dialed().len(), 1);
        world.provider.answers(Answers::Taken);
        world.follow_until(five_seconds).await;
        world.step().await;
        assert_eq!(world.provider.dialed().len(), 2);
        assert_eq!(world.task(&task).await.attempts_spent, 0, "faults are free");
    }
}
