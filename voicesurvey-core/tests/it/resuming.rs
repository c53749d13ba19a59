//! A line that drops in the middle of an interview: the person is called again soon, once, and asked
//! what was not asked yet. Who hangs up is left alone.

use chrono::TimeDelta;
use voicesurvey_core::call_attempt::{AnsweredBy, CallAttempt, CallEventKind};
use voicesurvey_core::call_task::{CallTask, TaskState, TaskStatus};
use voicesurvey_core::campaign::{Campaign, RetryRule};
use voicesurvey_core::conversation::Heard;
use voicesurvey_core::conversation::lines::Lines;
use voicesurvey_core::gate::Reason;
use voicesurvey_core::interpretation::Confidence;
use voicesurvey_core::language::Language;
use voicesurvey_core::money::Cost;
use voicesurvey_core::outcome::Outcome;
use voicesurvey_core::service::CampaignService;
use voicesurvey_core::survey::{QuestionKind, SurveyTranslation};
use voicesurvey_core::testing::samples;
use voicesurvey_core::time::Clock;

use super::scripted::{Knows, World, with_questions};

/// What a provider tells of a line that failed.
const DROPPED: Option<Outcome> = Some(Outcome::ProviderFailure);

/// So soon an interview goes on.
const SOON: TimeDelta = TimeDelta::minutes(2);

const A_MONTH: TimeDelta = TimeDelta::days(30);

/// Three questions, in a campaign that looks for nobody at other times of the day.
fn campaign_of(world: &World) -> Campaign {
    let mut campaign = with_questions(samples::campaign(&world.company), 3);
    campaign.settings.retry.other_daypart = false;
    campaign
}

/// Somebody who has consented and answered so many questions when the line drops.
async fn dropped_after(answers: usize) -> (World, Campaign, CallTask, CallAttempt) {
    let world = World::new().await;
    let campaign = campaign_of(&world);
    let (task, attempt) = world.in_conversation(&campaign).await;
    for _ in 0..=answers {
        world.say(&attempt, "sì").await;
    }
    world.end(&attempt, DROPPED).await;
    (world, campaign, task, attempt)
}

/// The next call of the task, which the person has taken.
async fn called_again(world: &World, task: &CallTask) -> CallAttempt {
    let attempt = world.latest_attempt(task).await;
    assert!(attempt.state.is_live(), "nobody is being called");
    world.pick_up(&attempt).await;
    attempt
}

#[tokio::test]
async fn an_interview_whose_line_dropped_goes_on_at_the_next_question() {
    let (world, _, task, first) = dropped_after(1).await;
    let due_at = world.clock.now() + SOON;
    let waiting = world.task(&task).await;
    assert_eq!(waiting.state, TaskState::Retry { due_at });
    assert_eq!(waiting.outcome, Some(Outcome::Interrupted));
    assert_eq!(waiting.reason, Some(Reason::WaitsForRetry));
    // What was answered is in the results already.
    assert!(!world.response(&task).await.unwrap().complete);

    world.follow_for(SOON).await;
    let second = called_again(&world, &task).await;
    for _ in ["consent", "question_2", "question_3"] {
        world.say(&second, "sì").await;
    }
    world.end(&second, None).await;
    let completed = world.task(&task).await;
    assert_eq!(completed.state, TaskState::Completed);
    assert_eq!(completed.outcome, Some(Outcome::Completed));
    let response = world.response(&task).await.unwrap();
    assert_eq!((response.complete, response.attempt_id), (true, second.id));
    let answers = world.answers(&task).await;
    let given: Vec<_> = answers
        .iter()
        .map(|answer| (answer.question_key.as_str(), answer.attempt_id))
        .collect();
    let expected = [
        ("question_1", first.id),
        ("question_2", second.id),
        ("question_3", second.id),
    ];
    assert_eq!(given, expected);
    // Every call has its own consent.
    for attempt in [&first, &second] {
        assert!(world.consent(attempt).await.unwrap().given);
    }
}

/// Prices come minutes later, when the interview has gone on in another call.
#[tokio::test]
async fn late_news_of_the_first_call_does_not_make_it_the_one_that_counts() {
    let (world, _, task, first) = dropped_after(1).await;
    world.follow_for(SOON).await;
    let second = called_again(&world, &task).await;
    for _ in ["consent", "question_2"] {
        world.say(&second, "sì").await;
    }
    world.end(&second, None).await;
    let response = world.response(&task).await.unwrap();
    assert_eq!(response.attempt_id, second.id);
    world.tell(&first, priced()).await;
    assert_eq!(world.response(&task).await, Some(response));
}

#[tokio::test]
async fn an_interview_goes_on_in_the_language_that_was_spoken_at_last() {
    let world = World::new().await;
    let mut campaign = campaign_of(&world);
    let translations = &mut campaign.settings.survey.translations;
    translations.insert(Language::En, SurveyTranslation::default());
    let (task, first) = world.in_conversation(&campaign).await;
    world.say(&first, "sì").await;
    let reply = world.say(&first, "yes, of course I would").await;
    assert_eq!(reply.language, Language::En);
    world.say(&first, "yes").await;
    world.end(&first, DROPPED).await;
    world.follow_for(SOON).await;
    let second = world.latest_attempt(&task).await;
    let opening = world.pick_up(&second).await;
    assert_eq!(opening.language, Language::En);
    assert!(opening.say.contains(&Lines::of(Language::En).resumed));
    assert_eq!(world.say(&second, "yes").await.language, Language::En);
}

#[tokio::test]
async fn a_line_that_drops_twice_is_not_tried_a_third_time() {
    for (answers, status, outcome) in [
        (1, TaskStatus::Completed, Outcome::Interrupted),
        (0, TaskStatus::NotReached, Outcome::LineDropped),
    ] {
        let (world, _, task, first) = dropped_after(answers).await;
        let known = world.attempt(first.id).await.outcome;
        assert_eq!(known, Some(outcome));
        world.follow_for(SOON).await;
        let second = called_again(&world, &task).await;
        world.say(&second, "sì").await;
        world.end(&second, DROPPED).await;
        world.follow_for(A_MONTH).await;
        let ended = world.task(&task).await;
        assert_eq!(ended.state.status(), status, "{outcome}");
        assert_eq!(ended.outcome, Some(outcome));
        assert_eq!(world.provider.dialed().len(), 2);
    }
}

#[tokio::test]
async fn who_hangs_up_or_is_lost_is_not_called_again() {
    for lost in [false, true] {
        let world = World::new().await;
        let (task, attempt) = world.in_conversation(&campaign_of(&world)).await;
        world.say(&attempt, "sì").await;
        world.say(&attempt, "sì").await;
        if lost {
            world.provider.knows(Knows::NoSuchCall);
        } else {
            world.end(&attempt, None).await;
        }
        world.follow_for(A_MONTH).await;
        let ended = world.task(&task).await;
        assert_eq!(ended.state, TaskState::Completed, "lost: {lost}");
        assert_eq!(ended.outcome, Some(Outcome::Partial));
        assert_eq!(world.provider.dialed().len(), 1);
    }
}

#[tokio::test]
async fn a_line_that_drops_before_consent_is_a_hang_up() {
    let world = World::new().await;
    let (task, attempt) = world.in_conversation(&campaign_of(&world)).await;
    world.end(&attempt, DROPPED).await;
    let waiting = world.task(&task).await;
    assert_eq!(waiting.outcome, Some(Outcome::HungUpBeforeConsent));
    let due_at = world.clock.now() + TimeDelta::days(1);
    assert_eq!(waiting.state, TaskState::Retry { due_at });
}

/// The last answer is there: what is missing is only that the person says that it is right.
#[tokio::test]
async fn nobody_is_called_again_when_the_line_drops_while_the_last_value_is_read_back() {
    for told in [DROPPED, None] {
        let world = World::new().await;
        let mut campaign = campaign_of(&world);
        for question in &mut campaign.settings.survey.questions {
            question.kind = QuestionKind::Scale {
                min: 1,
                max: 5,
                labels: Vec::new(),
            };
        }
        let (task, attempt) = world.in_conversation(&campaign).await;
        for words in ["sì", "tre", "due"] {
            world.say(&attempt, words).await;
        }
        let hardly_heard = Heard::Speech {
            words: "quattro".to_owned(),
            confidence: Some(Confidence::from_hundredths(20)),
        };
        world.hear(&attempt, hardly_heard).await;
        world.end(&attempt, told).await;
        world.follow_for(A_MONTH).await;
        let ended = world.task(&task).await;
        assert_eq!(ended.outcome, Some(Outcome::Completed));
        assert_eq!(world.provider.dialed().len(), 1);
        assert!(world.response(&task).await.unwrap().complete);
        assert_eq!(world.answers(&task).await.len(), 3);
    }
}

#[tokio::test]
async fn a_campaign_can_do_without_continuing_interviews() {
    let world = World::new().await;
    let mut campaign = campaign_of(&world);
    let never = RetryRule::default();
    campaign.settings.retry.rules = [(Outcome::Interrupted, never)].into();
    let (task, attempt) = world.in_conversation(&campaign).await;
    world.say(&attempt, "sì").await;
    world.say(&attempt, "sì").await;
    world.end(&attempt, DROPPED).await;
    assert_eq!(world.task(&task).await.state, TaskState::Completed);
    assert!(!world.response(&task).await.unwrap().complete);
}

#[tokio::test]
async fn what_was_answered_counts_when_nobody_takes_the_second_call() {
    let (world, _, task, _) = dropped_after(2).await;
    for _ in 0..2 {
        world.follow_for(TimeDelta::hours(1)).await;
        let attempt = world.latest_attempt(&task).await;
        world.end(&attempt, Some(Outcome::NoAnswer)).await;
    }
    let ended = world.task(&task).await;
    assert_eq!(ended.attempts_spent, 3);
    assert_eq!(ended.state, TaskState::Completed);
    assert_eq!(ended.outcome, Some(Outcome::Interrupted));
    world.follow_for(A_MONTH).await;
    assert_eq!(world.provider.dialed().len(), 3);
}

#[tokio::test]
async fn who_refuses_in_the_second_call_has_refused() {
    let (world, _, task, _) = dropped_after(1).await;
    world.follow_for(SOON).await;
    let second = called_again(&world, &task).await;
    world.say(&second, "non chiamatemi più").await;
    world.end(&second, DROPPED).await;
    let ended = world.task(&task).await;
    assert_eq!(ended.state, TaskState::Refused);
    assert_eq!(ended.outcome, Some(Outcome::OptedOut));
    assert!(world.is_excluded(task.contact.phone_number).await);
    // Nothing that was said is lost.
    assert_eq!(world.answers(&task).await.len(), 1);
}

#[tokio::test]
async fn an_interview_of_a_campaign_that_was_cancelled_meanwhile_ends_as_it_stands() {
    let world = World::new().await;
    let campaign = campaign_of(&world);
    let (task, attempt) = world.in_conversation(&campaign).await;
    world.say(&attempt, "sì").await;
    world.say(&attempt, "sì").await;
    let campaigns = world.engine.campaigns();
    campaigns.cancel(&world.actor, campaign.id).await.unwrap();
    world.end(&attempt, DROPPED).await;
    let ended = world.task(&task).await;
    assert_eq!(ended.state, TaskState::Completed);
    assert_eq!(ended.outcome, Some(Outcome::Interrupted));
    assert_eq!(world.campaign(&campaign).await.1.open_tasks(), 0);
}

fn priced() -> CallEventKind {
    let cost = Cost {
        amount: rust_decimal::Decimal::ONE,
        currency: "EUR".to_owned(),
    };
    CallEventKind::Priced { cost }
}

/// Something that becomes known of a call.
#[derive(Clone, Copy, Debug, PartialEq)]
enum News {
    /// It rings.
    Ringing,
    /// The provider tells that a person has picked up, besides asking what to say.
    PickedUp,
    /// The person picks up, consents or answers; whichever comes next.
    Said,
    /// The provider says that the line failed.
    Dropped,
    /// The provider says that the call is over.
    Over,
    /// The provider tells the price.
    Priced,
}

/// Every order of the news.
fn orders(news: &[News]) -> Vec<Vec<News>> {
    if news.is_empty() {
        return vec![Vec::new()];
    }
    let mut found = Vec::new();
    for (index, first) in news.iter().enumerate() {
        if news[..index].contains(first) {
            continue;
        }
        let mut rest = news.to_vec();
        rest.remove(index);
        for mut order in orders(&rest) {
            order.insert(0, *first);
            found.push(order);
        }
    }
    found
}

/// Where the task stands after the news, in that order.
async fn after(news: &[News]) -> (TaskStatus, Option<Outcome>, u16, Option<Outcome>) {
    let world = World::new().await;
    let campaign = campaign_of(&world);
    let task = samples::task(&campaign, samples::phone_number(1).as_str());
    world.start(&campaign, std::slice::from_ref(&task)).await;
    world.step().await;
    let attempt = world.latest_attempt(&task).await;
    let mut said = 0;
    for news in news {
        match news {
            News::Ringing => world.tell(&attempt, CallEventKind::Ringing).await,
            News::PickedUp => {
                let by = AnsweredBy::Person;
                world.tell(&attempt, CallEventKind::Answered { by }).await;
            }
            News::Said if said == 0 => drop(world.pick_up(&attempt).await),
            News::Said => drop(world.say(&attempt, "sì").await),
            News::Dropped => world.end(&attempt, DROPPED).await,
            News::Over => world.end(&attempt, None).await,
            News::Priced => world.tell(&attempt, priced()).await,
        }
        said += u8::from(*news == News::Said);
    }
    let outcome = world.attempt(attempt.id).await.outcome;
    let task = world.task(&task).await;
    let (status, spent) = (task.state.status(), task.attempts_spent);
    (status, task.outcome, spent, outcome)
}

/// I10: also what is said and what becomes of the line may become known in any order.
#[tokio::test]
async fn the_order_in_which_a_drop_and_what_was_said_become_known_does_not_matter() {
    use News::{Dropped, Over, PickedUp, Priced, Ringing, Said};
    for (news, expected) in [
        (
            vec![Ringing, Said, Said, Said, Dropped, Priced],
            (TaskStatus::Retry, Outcome::Interrupted),
        ),
        (
            vec![PickedUp, Said, Said, Dropped, Priced],
            (TaskStatus::Retry, Outcome::LineDropped),
        ),
        (
            vec![Said, Said, Said, Dropped, Over],
            (TaskStatus::Completed, Outcome::Partial),
        ),
        (
            vec![Ringing, Said, Said, Dropped, Over],
            (TaskStatus::Refused, Outcome::BrokeOff),
        ),
        (
            vec![Said, Dropped, Over, Priced],
            (TaskStatus::Retry, Outcome::HungUpBeforeConsent),
        ),
    ] {
        for order in orders(&news) {
            let (status, outcome) = expected;
            let found = after(&order).await;
            let expected = (status, Some(outcome), 1, Some(outcome));
            assert_eq!(found, expected, "{order:?}");
        }
    }
}
