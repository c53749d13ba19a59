//! Who asks to be called at a certain time is called then: within the calling hours and the caps, and
//! not at all if somebody has put the number on the exclusion list.

use std::num::NonZeroU16;

use chrono::TimeDelta;
use voicesurvey_core::call_attempt::CallAttempt;
use voicesurvey_core::call_task::{CallTask, TaskState};
use voicesurvey_core::calling_hours::CallingHours;
use voicesurvey_core::campaign::Campaign;
use voicesurvey_core::conversation::{Conversation, Memory, Position, Then};
use voicesurvey_core::gate::{AttemptCaps, Reason};
use voicesurvey_core::outcome::Outcome;
use voicesurvey_core::service::companies::CompanyChanges;
use voicesurvey_core::testing::samples;
use voicesurvey_core::time::{Clock, Timestamp};

use super::scripted::{World, with_questions};

/// Friday, 15 January 2027, nine in the morning in Rome, is when the sample world begins.
fn at(local: &str) -> Timestamp {
    format!("2027-01-{local}:00+01:00").parse().unwrap()
}

/// Three questions, and hours from nine to eight on Rome's clock, but not on the 18th.
fn campaign_of(world: &World) -> Campaign {
    let mut campaign = with_questions(samples::campaign(&world.company), 3);
    let mut hours = CallingHours::daily("09:00".parse().unwrap(), "20:00".parse().unwrap());
    let holidays = &mut hours.as_mut().unwrap().holidays;
    holidays.insert("2027-01-18".parse().unwrap());
    campaign.settings.schedule.hours = hours.unwrap();
    campaign.settings.schedule.time_zone = "Europe/Rome".parse().unwrap();
    campaign
}

/// What the person has asked for, and at which point.
#[derive(Clone, Copy)]
struct Asked {
    outcome: Outcome,
    appointment: Option<Timestamp>,
}

/// To be called again then, before anything was asked.
fn asked_for(appointment: &str) -> Asked {
    Asked {
        outcome: Outcome::CallBackRequested,
        appointment: Some(at(appointment)),
    }
}

/// A call of the campaign in which the person has asked for it; the line is free again.
async fn call(world: &World, campaign: &Campaign, asked: Asked) -> (CallTask, CallAttempt) {
    let (task, attempt) = world.in_conversation(campaign).await;
    if asked.outcome == Outcome::Interrupted {
        world.say(&attempt, "sì").await;
        world.say(&attempt, "sì").await;
    }
    conclude(world, &attempt, asked).await;
    (task, attempt)
}

/// The conversation ends with what was asked for, and then the call.
async fn conclude(world: &World, attempt: &CallAttempt, asked: Asked) {
    let mut work = world.work().await;
    let held = work.interviews().conversation(attempt.id).await;
    let held = held.unwrap().unwrap();
    let over = Conversation {
        position: Position::Ended,
        outcome: Some(asked.outcome),
        memory: Memory {
            appointment: asked.appointment,
            ..held.memory
        },
        ..held
    };
    let update = work.interviews().update_conversation(&over);
    update.await.unwrap();
    work.commit().await.unwrap();
    world.end(attempt, None).await;
}

/// When the person is called next, and why not before.
async fn next_call(world: &World, task: &CallTask) -> (Option<Timestamp>, Option<Reason>) {
    let task = world.task(task).await;
    (task.state.due_at(), task.reason)
}

#[tokio::test]
async fn whoever_names_a_time_is_called_then() {
    for (asked, called) in [
        ("15T09:20", "15T09:20"),
        ("15T19:59", "15T19:59"),
        // In the evening the hours are over, and on Monday there is a holiday.
        ("15T22:30", "16T09:00"),
        ("18T15:00", "19T09:00"),
    ] {
        let world = World::new().await;
        let campaign = campaign_of(&world);
        let (task, _) = call(&world, &campaign, asked_for(asked)).await;
        let (due_at, reason) = next_call(&world, &task).await;
        assert_eq!(due_at, Some(at(called)), "{asked}");
        assert_eq!(reason, Some(Reason::Appointment));
        let why = world.why_not_now(&task).await.unwrap();
        assert_eq!((why.reason, why.until), (Reason::Appointment, due_at));
        world.follow_until(at(called) - TimeDelta::seconds(1)).await;
        assert_eq!(world.provider.dialed().len(), 1, "{asked}");
        world.follow_until(at(called) + TimeDelta::minutes(1)).await;
        assert_eq!(world.provider.dialed().len(), 2, "{asked}");
    }
}

#[tokio::test]
async fn a_time_after_the_end_of_the_campaign_is_not_promised() {
    for (ends_at, appointment) in [("16T12:00", "16T12:00"), ("16T08:00", "15T21:00")] {
        let world = World::new().await;
        let mut campaign = campaign_of(&world);
        campaign.settings.schedule.ends_at = Some(at(ends_at));
        let (task, _) = call(&world, &campaign, asked_for(appointment)).await;
        let in_two_hours = world.clock.now() + TimeDelta::hours(2);
        let expected = (Some(in_two_hours), Some(Reason::WaitsForRetry));
        assert_eq!(next_call(&world, &task).await, expected, "{appointment}");
    }
}

#[tokio::test]
async fn an_appointment_is_no_further_attempt() {
    let world = World::new().await;
    let mut campaign = campaign_of(&world);
    campaign.settings.retry.max_attempts = 1;
    let (task, _) = call(&world, &campaign, asked_for("15T15:00")).await;
    let ended = world.task(&task).await;
    assert_eq!(ended.state, TaskState::NotReached);
    assert_eq!(ended.reason, Some(Reason::AttemptsUsedUp));
}

/// A call that will not be made is not promised either.
#[tokio::test]
async fn nothing_is_promised_in_the_last_call() {
    for (max_attempts, is_promised) in [(1, false), (2, true)] {
        let world = World::new().await;
        let mut campaign = campaign_of(&world);
        campaign.settings.retry.max_attempts = max_attempts;
        let (task, attempt) = world.in_conversation(&campaign).await;
        let reply = world.say(&attempt, "mi richiami domani alle dieci").await;
        assert_eq!(reply.then, Then::HangUp);
        let said = reply.say.join(" ");
        assert_eq!(said.contains("domani alle 10"), is_promised, "{said}");
        world.end(&attempt, None).await;
        let task = world.task(&task).await;
        assert_eq!(task.outcome, Some(Outcome::CallBackRequested));
        assert_eq!(task.state.due_at().is_some(), is_promised);
    }
}

#[tokio::test]
async fn an_appointment_lifts_no_cap() {
    let world = World::new().await;
    let per_day = NonZeroU16::new(1);
    let caps = AttemptCaps {
        per_day,
        ..AttemptCaps::default()
    };
    let caps = CompanyChanges {
        caps: Some(caps),
        ..CompanyChanges::default()
    };
    world.change_company(caps).await;
    let called_at = world.clock.now();
    let campaign = campaign_of(&world);
    let (task, _) = call(&world, &campaign, asked_for("15T15:00")).await;
    world.follow_until(at("15T19:00")).await;
    assert_eq!(world.provider.dialed().len(), 1);
    let why = world.why_not_now(&task).await.unwrap();
    let tomorrow = called_at + TimeDelta::hours(24);
    assert_eq!((why.reason, why.until), (Reason::DailyCap, Some(tomorrow)));
    world.follow_until(tomorrow).await;
    world.step().await;
    assert_eq!(world.provider.dialed().len(), 2);
}

#[tokio::test]
async fn who_was_excluded_meanwhile_is_not_called_in_spite_of_the_appointment() {
    let world = World::new().await;
    let campaign = campaign_of(&world);
    let (task, _) = call(&world, &campaign, asked_for("15T15:00")).await;
    world.exclude(task.contact.phone_number).await;
    world.follow_until(at("25T12:00")).await;
    assert_eq!(world.provider.dialed().len(), 1);
    assert_eq!(world.task(&task).await.state, TaskState::Excluded);
}

#[tokio::test]
async fn an_interview_that_was_put_off_goes_on_at_the_time_named_as_often_as_it_is() {
    let world = World::new().await;
    let campaign = campaign_of(&world);
    let asked = |appointment| Asked {
        outcome: Outcome::Interrupted,
        ..asked_for(appointment)
    };
    let (task, _) = call(&world, &campaign, asked("15T15:00")).await;
    let expected = (Some(at("15T15:00")), Some(Reason::Appointment));
    assert_eq!(next_call(&world, &task).await, expected);
    world.follow_until(at("15T15:00")).await;
    world.step().await;
    let second = world.latest_attempt(&task).await;
    world.pick_up(&second).await;
    conclude(&world, &second, asked("16T15:00")).await;
    let expected = (Some(at("16T15:00")), Some(Reason::Appointment));
    assert_eq!(next_call(&world, &task).await, expected);
    world.follow_until(at("16T15:00")).await;
    world.step().await;
    let third = world.latest_attempt(&task).await;
    world.pick_up(&third).await;
    conclude(&world, &third, asked("17T15:00")).await;
    // Three attempts are enough, and what was answered counts.
    assert_eq!(world.task(&task).await.state, TaskState::Completed);
    assert_eq!(world.answers(&task).await.len(), 1);
}

/// A dropped line is called again in two minutes; somebody who has asked for later is not.
#[tokio::test]
async fn who_asks_for_later_without_a_time_is_left_alone_for_two_hours() {
    for outcome in [Outcome::CallBackRequested, Outcome::Interrupted] {
        let world = World::new().await;
        let asked = Asked {
            outcome,
            appointment: None,
        };
        let campaign = campaign_of(&world);
        let (task, _) = call(&world, &campaign, asked).await;
        let in_two_hours = world.clock.now() + TimeDelta::hours(2);
        let expected = (Some(in_two_hours), Some(Reason::WaitsForRetry));
        assert_eq!(next_call(&world, &task).await, expected, "{outcome}");
    }
}

/// It was asked when, and the person has hung up, or the line was lost.
#[tokio::test]
async fn who_is_gone_when_asked_for_the_time_has_asked_for_later() {
    for (consented, answered, dropped, outcome, minutes) in [
        (false, 0, false, Outcome::CallBackRequested, 120),
        (true, 2, false, Outcome::Interrupted, 120),
        (true, 2, true, Outcome::Interrupted, 120),
    ] {
        let world = World::new().await;
        let (task, attempt) = world.in_conversation(&campaign_of(&world)).await;
        let mut work = world.work().await;
        let held = work.interviews().conversation(attempt.id).await;
        let held = held.unwrap().unwrap();
        let position = Position::Appointment {
            tries: 0,
            consented,
            answered,
        };
        let asking = Conversation { position, ..held };
        let update = work.interviews().update_conversation(&asking);
        update.await.unwrap();
        work.commit().await.unwrap();
        let told = dropped.then_some(Outcome::ProviderFailure);
        world.end(&attempt, told).await;
        let waiting = world.task(&task).await;
        assert_eq!(waiting.outcome, Some(outcome));
        let due_at = world.clock.now() + TimeDelta::minutes(minutes);
        assert_eq!(waiting.state, TaskState::Retry { due_at });
    }
}
