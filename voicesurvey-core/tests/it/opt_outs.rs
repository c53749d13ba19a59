//! "Never call me again": written for the whole company, and told to the person only when it is
//! (I8, I9). At every position, by voice and by key, also when two servers hear it.

use std::sync::Arc;

use async_trait::async_trait;
use voicesurvey_core::call_attempt::{CallAttempt, Leases};
use voicesurvey_core::call_task::{CallTask, TaskState, TaskStatus};
use voicesurvey_core::campaign::Campaign;
use voicesurvey_core::conversation::{Conversation, Heard, Position, Then, VoiceReply};
use voicesurvey_core::gate::Reason;
use voicesurvey_core::id::IdGenerator;
use voicesurvey_core::interpretation::rules::RulesInterpreter;
use voicesurvey_core::interpretation::{AnswerInterpreter, Interpretation, Utterance};
use voicesurvey_core::outcome::Outcome;
use voicesurvey_core::ports::StorageError;
use voicesurvey_core::service::Interviews;
use voicesurvey_core::testing::samples;

use super::scripted::{FailsToCommit, World, reference, with_questions};

fn speech(words: &str) -> Heard {
    Heard::Speech {
        words: words.to_owned(),
        confidence: None,
    }
}

async fn conversation(world: &World, attempt: &CallAttempt) -> Conversation {
    let mut work = world.work().await;
    let held = work.interviews().conversation(attempt.id).await;
    held.unwrap().unwrap()
}

/// Somebody in conversation, at that position.
async fn standing_at(position: Position) -> (World, CallTask, CallAttempt) {
    let world = World::new().await;
    let campaign = with_questions(samples::campaign(&world.company), 3);
    let (task, attempt) = world.in_conversation(&campaign).await;
    let mut work = world.work().await;
    let held = work.interviews().conversation(attempt.id).await;
    let held = held.unwrap().unwrap();
    let placed = Conversation { position, ..held };
    let update = work.interviews().update_conversation(&placed);
    update.await.unwrap();
    work.commit().await.unwrap();
    (world, task, attempt)
}

/// Where opt-outs are said, and how.
fn opt_outs() -> Vec<(Position, Heard)> {
    let question = Position::Question {
        index: 1,
        tries: 2,
        answered: 1,
    };
    let words = "non chiamatemi più";
    let keys = "9".to_owned();
    vec![
        (Position::Consent { tries: 0 }, speech(words)),
        (Position::Consent { tries: 2 }, Heard::Keys { keys }),
        (question, speech(words)),
    ]
}

#[tokio::test]
async fn nothing_is_said_of_an_opt_out_that_was_not_written_and_nothing_of_it_is_written_alone() {
    for (position, heard) in opt_outs() {
        let (world, task, attempt) = standing_at(position).await;
        let before = conversation(&world, &attempt).await;
        let store = Arc::new(FailsToCommit::new(world.store.clone()));
        let interviews = Interviews::new(
            store.clone(),
            Arc::new(RulesInterpreter::new()),
            world.clock.clone(),
            Arc::new(IdGenerator::from_seed(world.clock.clone(), 2)),
            Leases::default(),
        );
        let call = reference(&attempt);
        let turn = interviews.turn(&call, before.step, heard.clone());
        let failed = Box::pin(turn).await;
        assert!(
            matches!(failed, Err(StorageError::Unavailable(_))),
            "{position:?}: {failed:?}"
        );
        assert_eq!(conversation(&world, &attempt).await, before);
        assert_eq!(world.consent(&attempt).await, None);
        assert!(!world.is_excluded(task.contact.phone_number).await);
        let in_progress = world.task(&task).await.state;
        assert_eq!(in_progress.status(), TaskStatus::InProgress);

        // The provider asks again.
        store.recovers();
        let turn = interviews.turn(&call, before.step, heard.clone());
        let goodbye = Box::pin(turn).await.unwrap();
        assert_eq!(goodbye.then, Then::HangUp);
        assert!(world.is_excluded(task.contact.phone_number).await);
        let refused = world.task(&task).await;
        assert_eq!(refused.state, TaskState::Refused, "{position:?}");
        assert_eq!(refused.outcome, Some(Outcome::OptedOut));

        // And once more: it hears the same.
        let turn = interviews.turn(&call, before.step, heard);
        assert_eq!(Box::pin(turn).await.unwrap(), goodbye);
        assert_eq!(world.task(&task).await, refused);
    }
}

/// A campaign with one person who waits in it.
async fn waiting_in(world: &World, number: &str) -> (Campaign, CallTask) {
    let campaign = samples::campaign(&world.company);
    let task = samples::task(&campaign, number);
    world.insert(&campaign, std::slice::from_ref(&task)).await;
    (campaign, task)
}

#[tokio::test]
async fn an_opt_out_ends_every_task_that_waits_with_the_number() {
    let world = World::new().await;
    let number = samples::phone_number(1);
    let called_before = samples::campaign(&world.company);
    let retried = samples::task(&called_before, number.as_str());
    world
        .start(&called_before, std::slice::from_ref(&retried))
        .await;
    world.step().await;
    let busy = world.latest_attempt(&retried).await;
    world.end(&busy, Some(Outcome::Busy)).await;
    assert_eq!(world.task(&retried).await.state.status(), TaskStatus::Retry);

    let (_, draft) = waiting_in(&world, number.as_str()).await;
    let (_, of_another) = waiting_in(&world, samples::phone_number(2).as_str()).await;
    let campaign = samples::campaign(&world.company);
    let (task, attempt) = world.in_conversation(&campaign).await;
    world.say(&attempt, "non chiamatemi più").await;

    assert_eq!(world.task(&task).await.state, TaskState::Refused);
    for task in [retried, draft] {
        let excluded = world.task(&task).await;
        assert_eq!(excluded.state, TaskState::Excluded);
        assert_eq!(excluded.reason, Some(Reason::Excluded));
    }
    assert_eq!(world.task(&of_another).await, of_another);
}

/// Lets another request answer the same step while it thinks.
#[derive(Debug)]
struct Overtaken {
    other: Interviews,
    attempt: CallAttempt,
    step: u32,
}

#[async_trait]
impl AnswerInterpreter for Overtaken {
    async fn interpret(&self, utterance: &Utterance) -> Interpretation {
        let call = reference(&self.attempt);
        let heard = speech(&utterance.words);
        let turn = self.other.turn(&call, self.step, heard);
        turn.await.unwrap();
        RulesInterpreter::new().interpret(utterance)
    }
}

#[tokio::test]
async fn of_two_servers_that_hear_the_same_one_answers_and_both_say_it() {
    for words in ["sì", "non chiamatemi più"] {
        let world = World::new().await;
        let campaign = with_questions(samples::campaign(&world.company), 2);
        let (task, attempt) = world.in_conversation(&campaign).await;
        let step = conversation(&world, &attempt).await.step;
        let overtaken = Overtaken {
            other: world.interviews_with(Arc::new(RulesInterpreter::new())),
            attempt: attempt.clone(),
            step,
        };
        let interviews = world.interviews_with(Arc::new(overtaken));
        let call = reference(&attempt);
        let turn = interviews.turn(&call, step, speech(words));
        let reply: VoiceReply = Box::pin(turn).await.unwrap();
        let stands = conversation(&world, &attempt).await;
        assert_eq!(reply, stands.last_reply);
        assert_eq!(stands.step, step + 1, "the step was taken once");
        let mut work = world.work().await;
        let turns = work.interviews().turns(attempt.id).await.unwrap();
        drop(work);
        let said = turns.iter().filter(|turn| turn.words == words);
        assert_eq!(said.count(), 1);
        assert_eq!(world.task(&task).await.attempts_count, 1);
    }
}
