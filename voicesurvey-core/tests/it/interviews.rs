//! What people say: it counts however late it is said, and silence is not an answer.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::TimeDelta;
use rust_decimal::Decimal;
use voicesurvey_core::call_attempt::{AnsweredBy, CallAttempt, CallEventKind};
use voicesurvey_core::call_task::{CallTask, TaskState};
use voicesurvey_core::contact_record::ContactFilter;
use voicesurvey_core::conversation::{Answer, AnswerResult, Heard, Then, VoiceReply};
use voicesurvey_core::interpretation::{
    AnswerInterpreter, Confidence, Intent, Interpretation, InterpretedBy, Utterance,
};
use voicesurvey_core::outcome::Outcome;
use voicesurvey_core::ports::PageRequest;
use voicesurvey_core::service::Reports;
use voicesurvey_core::survey::{AnswerValue, QuestionKind};
use voicesurvey_core::testing::samples;

use super::scripted::{World, reference, with_questions};

const YES: AnswerResult = AnswerResult::Answered {
    value: AnswerValue::YesNo(true),
};

/// Longer than a default skillbase lets a call last.
const TOO_LONG: TimeDelta = TimeDelta::minutes(11);

/// Everybody who is called later than this has been forgotten.
const A_WEEK: TimeDelta = TimeDelta::days(7);

fn is_over(reply: &VoiceReply) -> bool {
    reply.then == Then::HangUp
}

/// Ends the call, and looks whether anybody is called again.
async fn nobody_is_called_again(world: &World, attempt: &CallAttempt) {
    world.end(attempt, None).await;
    world.follow_for(A_WEEK).await;
    assert_eq!(world.provider.dialed().len(), 1);
}

fn results(answers: &[Answer]) -> Vec<AnswerResult> {
    answers.iter().map(|answer| answer.result.clone()).collect()
}

#[tokio::test]
async fn an_opt_out_said_after_the_longest_call_excludes_the_number() {
    let world = World::new().await;
    let (task, attempt) = world
        .in_conversation(&samples::campaign(&world.company))
        .await;
    world.clock.advance(TOO_LONG);
    assert!(is_over(&world.say(&attempt, "non chiamatemi più").await));
    assert!(world.is_excluded(task.contact.phone_number).await);
    let settled = world.task(&task).await;
    assert_eq!(settled.state, TaskState::Refused);
    assert_eq!(settled.outcome, Some(Outcome::OptedOut));
    nobody_is_called_again(&world, &attempt).await;
}

#[tokio::test]
async fn an_opt_out_said_at_a_question_after_the_longest_call_excludes_the_number() {
    let world = World::new().await;
    let (task, attempt) = world
        .in_conversation(&samples::campaign(&world.company))
        .await;
    world.say(&attempt, "sì").await;
    world.clock.advance(TOO_LONG);
    world.say(&attempt, "non chiamatemi più").await;
    assert!(world.is_excluded(task.contact.phone_number).await);
    assert_eq!(world.task(&task).await.outcome, Some(Outcome::OptedOut));
    nobody_is_called_again(&world, &attempt).await;
}

#[tokio::test]
async fn a_refusal_said_after_the_longest_call_ends_the_task() {
    let world = World::new().await;
    let (task, attempt) = world
        .in_conversation(&samples::campaign(&world.company))
        .await;
    world.clock.advance(TOO_LONG);
    assert!(is_over(&world.say(&attempt, "no, grazie").await));
    let settled = world.task(&task).await;
    assert_eq!(settled.state, TaskState::Refused);
    assert_eq!(settled.outcome, Some(Outcome::Refused));
    assert!(!world.consent(&attempt).await.unwrap().given);
    nobody_is_called_again(&world, &attempt).await;
}

#[tokio::test]
async fn an_answer_said_after_the_longest_call_is_stored() {
    let world = World::new().await;
    let campaign = with_questions(samples::campaign(&world.company), 2);
    let (task, attempt) = world.in_conversation(&campaign).await;
    world.say(&attempt, "sì").await;
    world.clock.advance(TOO_LONG);
    // It is stored, and nothing more is asked.
    assert!(is_over(&world.say(&attempt, "sì").await));
    assert_eq!(results(&world.answers(&task).await), [YES]);
    assert!(!world.response(&task).await.unwrap().complete);
    assert_eq!(world.task(&task).await.outcome, Some(Outcome::Partial));
    nobody_is_called_again(&world, &attempt).await;
}

#[tokio::test]
async fn the_last_answer_said_after_the_longest_call_completes_the_interview() {
    let world = World::new().await;
    let (task, attempt) = world
        .in_conversation(&samples::campaign(&world.company))
        .await;
    world.say(&attempt, "sì").await;
    world.clock.advance(TOO_LONG);
    world.say(&attempt, "sì").await;
    assert_eq!(results(&world.answers(&task).await), [YES]);
    assert!(world.response(&task).await.unwrap().complete);
    assert_eq!(world.task(&task).await.outcome, Some(Outcome::Completed));
}

#[tokio::test]
async fn control_characters_between_words_do_not_hide_an_opt_out() {
    for words in ["non\nchiamatemi\npiù", "non\tchiamatemi\u{0}più"] {
        let world = World::new().await;
        let (task, attempt) = world
            .in_conversation(&samples::campaign(&world.company))
            .await;
        world.say(&attempt, words).await;
        assert!(
            world.is_excluded(task.contact.phone_number).await,
            "{words:?}"
        );
        assert_eq!(world.task(&task).await.outcome, Some(Outcome::OptedOut));
    }
}

#[tokio::test]
async fn late_machine_detection_does_not_override_an_interview_past_consent() {
    for machine in [
        AnsweredBy::Voicemail,
        AnsweredBy::CallScreening,
        AnsweredBy::Fax,
    ] {
        let world = World::new().await;
        let mut campaign = with_questions(samples::campaign(&world.company), 2);
        campaign.settings.retry.max_attempts = 1;
        let (task, attempt) = world.in_conversation(&campaign).await;
        world.say(&attempt, "sì").await;
        world.say(&attempt, "sì").await;
        let detected = CallEventKind::Answered { by: machine };
        world.tell(&attempt, detected).await;
        // The person is still speaking: nothing is decided, and no subscriber is told anything.
        let state = TaskState::InProgress {
            attempt_id: attempt.id,
        };
        assert_eq!(world.task(&task).await.state, state, "{machine:?}");
        world.end(&attempt, None).await;
        let settled = world.task(&task).await;
        assert_eq!(settled.state, TaskState::Completed, "{machine:?}");
        assert_eq!(settled.outcome, Some(Outcome::Partial), "{machine:?}");
        assert_eq!(settled.attempts_spent, 1, "{machine:?}");
        assert_eq!(published(&world).await, ["survey.completed"], "{machine:?}");
    }
}

#[tokio::test]
async fn machine_detection_after_the_end_does_not_override_who_consented() {
    let world = World::new().await;
    let (task, attempt) = world
        .in_conversation(&samples::campaign(&world.company))
        .await;
    world.say(&attempt, "sì").await;
    world.end(&attempt, None).await;
    let by = AnsweredBy::Voicemail;
    world.tell(&attempt, CallEventKind::Answered { by }).await;
    let settled = world.task(&task).await;
    assert_eq!(settled.outcome, Some(Outcome::BrokeOff));
    assert_eq!(settled.state, TaskState::Refused);
    let told = world.attempt(attempt.id).await;
    assert_eq!(told.outcome, Some(Outcome::BrokeOff));
}

/// What subscribers were told.
async fn published(world: &World) -> Vec<String> {
    let mut work = world.work().await;
    let events = work
        .events()
        .published(&PageRequest::default())
        .await
        .unwrap();
    events.rows.into_iter().map(|event| event.kind).collect()
}

/// Says nothing until the call is ended.
async fn stay_silent(world: &World, attempt: &CallAttempt) {
    for _ in 0..20 {
        if is_over(&world.hear(attempt, Heard::Silence).await) {
            return;
        }
    }
    panic!("the interview goes on with nobody");
}

#[tokio::test]
async fn silence_ends_an_interview_as_partial_when_something_was_answered() {
    let world = World::new().await;
    let campaign = with_questions(samples::campaign(&world.company), 5);
    let (task, attempt) = world.in_conversation(&campaign).await;
    world.say(&attempt, "sì").await;
    world.say(&attempt, "sì").await;
    stay_silent(&world, &attempt).await;
    let settled = world.task(&task).await;
    assert_eq!(settled.state, TaskState::Completed);
    assert_eq!(settled.outcome, Some(Outcome::Partial));
    assert!(!world.response(&task).await.unwrap().complete);
    // Nothing is stored of the question that met with silence, nor of those behind it.
    assert_eq!(results(&world.answers(&task).await), [YES]);
}

#[tokio::test]
async fn silence_after_consent_ends_the_interview_as_broken_off() {
    let world = World::new().await;
    let campaign = with_questions(samples::campaign(&world.company), 5);
    let (task, attempt) = world.in_conversation(&campaign).await;
    world.say(&attempt, "sì").await;
    stay_silent(&world, &attempt).await;
    assert_eq!(world.task(&task).await.outcome, Some(Outcome::BrokeOff));
    assert_eq!(world.response(&task).await, None);
}

#[tokio::test]
async fn an_interview_in_which_everything_was_skipped_leaves_a_response() {
    let world = World::new().await;
    let campaign = with_questions(samples::campaign(&world.company), 2);
    let (task, attempt) = world.in_conversation(&campaign).await;
    world.say(&attempt, "sì").await;
    world.say(&attempt, "preferisco non rispondere").await;
    world.say(&attempt, "preferisco non rispondere").await;
    let skipped = [AnswerResult::Skipped, AnswerResult::Skipped];
    assert_eq!(results(&world.answers(&task).await), skipped);
    assert_eq!(world.task(&task).await.outcome, Some(Outcome::Completed));
    let response = world.response(&task).await.unwrap();
    assert!(response.complete);
    assert_eq!(response.attempt_id, attempt.id);
}

/// Takes everything for a yes, and is never quite sure.
#[derive(Debug)]
struct HearsYes(Confidence);

#[async_trait]
impl AnswerInterpreter for HearsYes {
    async fn interpret(&self, _utterance: &Utterance) -> Interpretation {
        let value = AnswerValue::YesNo(true);
        let intent = Intent::Answer { value };
        Interpretation::new(intent, self.0, InterpretedBy::Rules)
    }
}

/// Answers the consent question with something that is a yes with that confidence.
async fn murmur(hundredths: u8) -> (World, CallTask, CallAttempt, VoiceReply) {
    let world = World::new().await;
    let (task, attempt) = world
        .in_conversation(&samples::campaign(&world.company))
        .await;
    let confidence = Confidence::from_hundredths(hundredths);
    let interviews = world.interviews_with(Arc::new(HearsYes(confidence)));
    let heard = Heard::Speech {
        words: "mmh".to_owned(),
        confidence: None,
    };
    let reply = interviews.turn(&reference(&attempt), 1, heard).await;
    (world, task, attempt, reply.unwrap())
}

#[tokio::test]
async fn a_doubtful_yes_is_asked_again_and_starts_no_interview() {
    let (world, task, attempt, reply) = murmur(74).await;
    assert!(!is_over(&reply));
    assert_eq!(world.consent(&attempt).await, None);
    // What is answered next is still the consent question.
    world.say(&attempt, "no").await;
    assert!(!world.consent(&attempt).await.unwrap().given);
    assert_eq!(world.answers(&task).await, []);
    assert_eq!(world.task(&task).await.outcome, Some(Outcome::Refused));
}

#[tokio::test]
async fn a_yes_that_is_sure_enough_starts_the_interview() {
    let (world, _, attempt, reply) = murmur(75).await;
    assert!(!is_over(&reply));
    assert!(world.consent(&attempt).await.unwrap().given);
}

#[tokio::test]
async fn results_of_huge_numbers_can_be_read() {
    let world = World::new().await;
    let mut campaign = samples::campaign(&world.company);
    campaign.settings.survey.questions[0].kind = QuestionKind::Numeric {
        min: None,
        max: None,
        decimals: false,
    };
    let tasks = samples::tasks(&campaign, 0, 2);
    world.start(&campaign, &tasks).await;
    world.step().await;
    for task in &tasks {
        let attempt = world.latest_attempt(task).await;
        world.pick_up(&attempt).await;
        world.say(&attempt, "sì").await;
        let keys = Decimal::MAX.to_string();
        // Nobody means that: it is asked again.
        assert!(!is_over(&world.hear(&attempt, Heard::Keys { keys }).await));
        assert_eq!(world.answers(task).await, []);
        // An import, or an earlier version of the program, may have let it in.
        let turn = samples::turn(&attempt, 99);
        let mut answer = samples::answer(&attempt, &turn, "satisfied");
        answer.result = AnswerResult::Answered {
            value: AnswerValue::Number(Decimal::MAX),
        };
        let mut work = world.work().await;
        work.interviews().insert_turns(&[turn]).await.unwrap();
        work.interviews().put_answer(&answer).await.unwrap();
        work.commit().await.unwrap();
    }
    let reports = Reports::new(Arc::new(world.store.clone()));
    let everybody = ContactFilter::default();
    let results = reports.results(&world.actor, campaign.id, everybody, None);
    let results = results.await.unwrap().all.questions;
    assert_eq!(results[0].answered, 2);
    assert_eq!(results[0].mean, None, "it is too large to be told");
}
