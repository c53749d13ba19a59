//! Recording begins with consent, and not before.

use voicesurvey_core::call_attempt::{CallAttempt, CallEventKind, Recording, RecordingState};
use voicesurvey_core::conversation::Heard;
use voicesurvey_core::outcome::Outcome;
use voicesurvey_core::ports::Webhook;
use voicesurvey_core::testing::samples;

use crate::scripted::{World, reference};

async fn picked_up(recording: bool) -> (World, CallAttempt) {
    let world = World::new().await;
    let mut campaign = samples::campaign(&world.company);
    campaign.settings.recording = recording;
    let (_, attempt) = world.in_conversation(&campaign).await;
    (world, attempt)
}

/// The person says something, and the provider tells so.
async fn say(world: &World, attempt: &CallAttempt, step: u32, words: &str) {
    let heard = Heard::Speech {
        words: words.to_owned(),
        confidence: None,
    };
    let (call, at) = (reference(attempt), samples::now());
    let turn = Webhook::Turn {
        call,
        step,
        heard,
        at,
    };
    world.webhook(turn).await;
}

async fn step_of(world: &World, attempt: &CallAttempt) -> u32 {
    let mut work = world.work().await;
    let held = work.interviews().conversation(attempt.id).await.unwrap();
    held.unwrap().step
}

#[tokio::test]
async fn a_call_is_recorded_once_from_consent_on() {
    let (world, attempt) = picked_up(true).await;
    let opening = step_of(&world, &attempt).await;
    say(&world, &attempt, opening, "come?").await;
    assert_eq!(world.provider.recorded(), [], "nobody has consented");
    let asked = step_of(&world, &attempt).await;
    for _ in 0..2 {
        say(&world, &attempt, asked, "s\u{ec}").await;
    }
    assert_eq!(world.provider.recorded(), [attempt.id]);
    assert!(world.consent(&attempt).await.unwrap().given);
    let recording = world.attempt(attempt.id).await.recording.unwrap();
    assert_eq!(recording.state, RecordingState::InProgress);
    let id = recording.provider_recording_id.as_deref();
    assert_eq!(id, Some("recording-1"));

    let question = step_of(&world, &attempt).await;
    say(&world, &attempt, question, "s\u{ec}").await;
    world.end(&attempt, None).await;
    let finished = Recording {
        url: Some("https://provider.example/1".to_owned()),
        seconds: Some(40),
        ..Recording::new(RecordingState::Finished)
    };
    let recording = finished.clone();
    world
        .tell(&attempt, CallEventKind::Recorded { recording })
        .await;
    let stored = world.attempt(attempt.id).await;
    let expected = Recording {
        provider_recording_id: Some("recording-1".to_owned()),
        ..finished
    };
    assert_eq!(stored.recording, Some(expected));
    assert_eq!(stored.outcome, Some(Outcome::Completed));
    assert_eq!(world.provider.recorded(), [attempt.id]);
}

#[tokio::test]
async fn who_refuses_is_not_recorded() {
    let (world, attempt) = picked_up(true).await;
    let opening = step_of(&world, &attempt).await;
    say(&world, &attempt, opening, "no").await;
    assert!(!world.consent(&attempt).await.unwrap().given);
    assert_eq!(world.provider.recorded(), []);
    assert_eq!(world.attempt(attempt.id).await.recording, None);
}

#[tokio::test]
async fn nobody_is_recorded_in_a_campaign_that_does_not_say_so() {
    let (world, attempt) = picked_up(false).await;
    let opening = step_of(&world, &attempt).await;
    say(&world, &attempt, opening, "s\u{ec}").await;
    assert!(world.consent(&attempt).await.unwrap().given);
    assert_eq!(world.provider.recorded(), []);
}

#[tokio::test]
async fn an_interview_goes_on_without_its_recording() {
    let (world, attempt) = picked_up(true).await;
    world.provider.fails_to_record();
    for _ in 0..2 {
        let step = step_of(&world, &attempt).await;
        say(&world, &attempt, step, "s\u{ec}").await;
    }
    let stored = world.attempt(attempt.id).await;
    assert_eq!(stored.outcome, Some(Outcome::Completed));
    let recording = stored.recording.unwrap();
    assert_eq!(recording.state, RecordingState::NotStarted);
    assert!(recording.error.unwrap().contains("no answer"));
    assert_eq!(world.provider.recorded(), [attempt.id], "it is asked once");
}
