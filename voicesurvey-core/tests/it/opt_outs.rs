//! "Never call me again": written for the whole company, and told to the person only when it is
//! (I8, I9). At every position, by voice and by key, also when two servers hear it.

use std::sync::Arc;

use async_trait::async_trait;
use voicesurvey_core::call_attempt::{CallAttempt, Leases};
use voicesurvey_core::call_task::{CallTask, TaskState, TaskStatus};
use voicesurvey_core::campaign::Campaign;
use voicesurvey_core::conversation::lines::Lines;
use voicesurvey_core::conversation::{Conversation, Heard, Position, Then, VoiceReply};
use voicesurvey_core::gate::Reason;
use voicesurvey_core::id::IdGenerator;
use voicesurvey_core::interpretation::rules::RulesInterpreter;
use voicesurvey_core::interpretation::{AnswerInterpreter, Confidence, Interpretation, Utterance};
use voicesurvey_core::language::Language;
use voicesurvey_core::outcome::Outcome;
use voicesurvey_core::ports::StorageError;
use voicesurvey_core::service::Interviews;
use voicesurvey_core::survey::{QuestionKind, SurveyTranslation};
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

/// Somebody in conversation who has said all of that, and waits in another campaign too.
struct Standing {
    world: World,
    task: CallTask,
    attempt: CallAttempt,
    waiting: CallTask,
}

async fn standing_after(heard: &[Heard]) -> Standing {
    let world = World::new().await;
    let (_, waiting) = waiting_in(&world, samples::phone_number(1).as_str()).await;
    let mut campaign = with_questions(samples::campaign(&world.company), 3);
    let survey = &mut campaign.settings.survey;
    for question in &mut survey.questions {
        question.kind = QuestionKind::Scale {
            min: 1,
            max: 5,
            labels: Vec::new(),
        };
    }
    survey.translations = [(Language::En, SurveyTranslation::default())].into();
    let (task, attempt) = world.in_conversation(&campaign).await;
    for heard in heard {
        world.hear(&attempt, heard.clone()).await;
    }
    Standing {
        world,
        task,
        attempt,
        waiting,
    }
}

/// What was said before, where that leads, and how the opt-out is said there.
fn opt_outs() -> Vec<(Vec<Heard>, &'static str, Heard)> {
    let mumble = || speech("la pioggia sul tetto");
    let hardly_heard = || Heard::Speech {
        words: "quattro".to_owned(),
        confidence: Some(Confidence::from_hundredths(20)),
    };
    let keys = |keys: &str| Heard::Keys {
        keys: keys.to_owned(),
    };
    let consented = |then: Heard| vec![speech("sì"), then];
    let later = || speech("mi richiami più tardi");
    let italian = || speech("non chiamatemi più");
    let english = || speech("stop calling me");
    vec![
        (vec![], "consent", italian()),
        (vec![mumble(), mumble()], "consent", keys("9")),
        (vec![], "consent", english()),
        (consented(mumble()), "question", italian()),
        (consented(speech("quattro")), "question", keys("*9")),
        (consented(mumble()), "question", english()),
        (consented(hardly_heard()), "confirm", italian()),
        (consented(hardly_heard()), "confirm", keys("9")),
        (consented(hardly_heard()), "confirm", english()),
        (vec![later()], "appointment", italian()),
        (vec![later()], "appointment", keys("9")),
        (consented(later()), "appointment", english()),
    ]
}

const fn name(position: Position) -> &'static str {
    match position {
        Position::Consent { .. } => "consent",
        Position::Question { .. } => "question",
        Position::Confirm { .. } => "confirm",
        Position::Appointment { .. } => "appointment",
        Position::Ended => "ended",
    }
}

#[tokio::test]
async fn nothing_is_said_of_an_opt_out_that_was_not_written_and_nothing_of_it_is_written_alone() {
    for (before, at, heard) in opt_outs() {
        let Standing {
            world,
            task,
            attempt,
            waiting,
        } = standing_after(&before).await;
        let before = conversation(&world, &attempt).await;
        assert_eq!(name(before.position), at, "{heard:?}");
        let consent = world.consent(&attempt).await;
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
            "{at}: {failed:?}"
        );
        assert_eq!(conversation(&world, &attempt).await, before);
        assert_eq!(world.consent(&attempt).await, consent);
        assert!(!world.is_excluded(task.contact.phone_number).await);
        let in_progress = world.task(&task).await.state;
        assert_eq!(in_progress.status(), TaskStatus::InProgress);
        assert_eq!(world.task(&waiting).await, waiting);

        // The provider asks again.
        store.recovers();
        let turn = interviews.turn(&call, before.step, heard.clone());
        let goodbye = Box::pin(turn).await.unwrap();
        assert_eq!(goodbye.then, Then::HangUp);
        let confirmation = &Lines::of(goodbye.language).goodbye_opted_out;
        assert_eq!(goodbye.say, [confirmation.as_str()]);
        assert!(world.is_excluded(task.contact.phone_number).await);
        let refused = world.task(&task).await;
        assert_eq!(refused.state, TaskState::Refused, "{at} {heard:?}");
        assert_eq!(refused.outcome, Some(Outcome::OptedOut));
        assert_eq!(world.task(&waiting).await.state, TaskState::Excluded);

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

#[tokio::test]
async fn who_speaks_another_language_that_is_offered_is_answered_in_it_and_it_is_recorded() {
    let Standing { world, attempt, .. } = standing_after(&[]).await;
    let reply = world.say(&attempt, "sorry I do not speak Italian").await;
    assert_eq!(reply.language, Language::En);
    assert_eq!(reply.say[0], Lines::of(Language::En).language_changed);
    world.say(&attempt, "yes, please").await;
    assert_eq!(
        world.consent(&attempt).await.unwrap().language,
        Language::En
    );
    let held = conversation(&world, &attempt).await;
    assert_eq!(held.language, Language::En);
    let [switch] = held.memory.switches[..] else {
        panic!("{:?}", held.memory.switches);
    };
    assert_eq!((switch.from, switch.to), (Language::It, Language::En));
}
