//! What becomes known of a call after its end, or in another order than it happened: the same events
//! lead to the same task and the same attempt (I10), and nobody is called whose task is over.

use chrono::TimeDelta;
use voicesurvey_core::call_attempt::{AnsweredBy, CallAttempt, CallEventKind};
use voicesurvey_core::call_task::{CallTask, TaskState, TaskStatus};
use voicesurvey_core::campaign::{Campaign, CampaignStatus, RetryRule};
use voicesurvey_core::gate::Reason;
use voicesurvey_core::outcome::Outcome;
use voicesurvey_core::ports::PageRequest;
use voicesurvey_core::service::CampaignService;
use voicesurvey_core::testing::samples;
use voicesurvey_core::time::Clock;

use super::late_and_lost::about_to_call_for;
use super::scripted::World;

/// After how many minutes a campaign calls again, where that differs from what is usual.
type Rules = &'static [(Outcome, &'static [u32])];

/// Rules under which it decides about a further call how the one before is explained.
const POLICIES: [Rules; 6] = [
    &[],
    &[(Outcome::HungUpBeforeConsent, &[])],
    &[(Outcome::Voicemail, &[])],
    &[(Outcome::NoAnswer, &[])],
    &[(Outcome::Fax, &[60])],
    &[(Outcome::Fax, &[60]), (Outcome::Disconnected, &[])],
];

fn with_policy(mut campaign: Campaign, max_attempts: u16, rules: Rules) -> Campaign {
    let retry = &mut campaign.settings.retry;
    retry.max_attempts = max_attempts;
    for (outcome, minutes) in rules {
        let delays_minutes = minutes.to_vec();
        retry.rules.insert(*outcome, RetryRule { delays_minutes });
    }
    campaign
}

/// Every order of the events.
fn orders(events: &[CallEventKind]) -> Vec<Vec<CallEventKind>> {
    if events.is_empty() {
        return vec![Vec::new()];
    }
    let mut found = Vec::new();
    for index in 0..events.len() {
        let mut others = events.to_vec();
        let first = others.remove(index);
        for mut order in orders(&others) {
            order.insert(0, first.clone());
            found.push(order);
        }
    }
    found
}

/// What must be the same whatever the order.
fn essence(task: &CallTask, attempt: &CallAttempt) -> impl PartialEq + std::fmt::Debug + use<> {
    let of_task = (task.state, task.outcome, task.attempts_spent, task.reason);
    (of_task, attempt.state, attempt.outcome, attempt.answered_by)
}

/// The task and the attempt after these events, by themselves.
async fn after(
    events: Vec<CallEventKind>,
    max_attempts: u16,
    rules: Rules,
) -> (CallTask, CallAttempt) {
    let (world, _, task) =
        about_to_call_for(|campaign| with_policy(campaign, max_attempts, rules)).await;
    world.step().await;
    let attempt = world.latest_attempt(&task).await;
    for event in events {
        world.tell(&attempt, event).await;
    }
    (world.task(&task).await, world.attempt(attempt.id).await)
}

/// That these events lead to the same in every order. Returns what to.
async fn same_in_every_order(
    events: &[CallEventKind],
    max_attempts: u16,
    rules: Rules,
) -> (CallTask, CallAttempt) {
    let (task, attempt) = after(events.to_vec(), max_attempts, rules).await;
    for order in orders(events) {
        let (other_task, other_attempt) = after(order.clone(), max_attempts, rules).await;
        assert_eq!(
            essence(&other_task, &other_attempt),
            essence(&task, &attempt),
            "{order:?}, {max_attempts} attempts, {rules:?}"
        );
    }
    (task, attempt)
}

#[tokio::test]
async fn a_fax_that_is_told_after_the_end_fails_the_task_as_one_that_is_told_before() {
    let fax = CallEventKind::Answered {
        by: AnsweredBy::Fax,
    };
    let end = CallEventKind::Ended { outcome: None };
    for order in orders(&[fax, end]) {
        for max_attempts in [1, 3] {
            let (task, attempt) = after(order.clone(), max_attempts, &[]).await;
            assert_eq!(task.state, TaskState::Failed, "{order:?}");
            assert_eq!(task.outcome, Some(Outcome::Fax), "{order:?}");
            assert_eq!(task.attempts_spent, 1, "{order:?}");
            assert_eq!(attempt.outcome, Some(Outcome::Fax), "{order:?}");
        }
    }
}

#[tokio::test]
async fn the_order_in_which_events_come_does_not_matter() {
    for by in AnsweredBy::ALL {
        for outcome in [
            None,
            Some(Outcome::NoAnswer),
            Some(Outcome::ProviderFailure),
        ] {
            for max_attempts in [1, 3] {
                let events = [
                    CallEventKind::Ringing,
                    CallEventKind::Answered { by },
                    CallEventKind::Ended { outcome },
                ];
                same_in_every_order(&events, max_attempts, &[]).await;
            }
        }
    }
}

/// The line dropped, and who answered was never told: the telephone has rung all the same, so the
/// call counts against the caps per person.
#[tokio::test]
async fn a_call_that_rang_and_then_failed_was_a_call() {
    let failed = || CallEventKind::Ended {
        outcome: Some(Outcome::ProviderFailure),
    };
    for max_attempts in [1, 3] {
        let events = [CallEventKind::Ringing, failed()];
        let (task, attempt) = same_in_every_order(&events, max_attempts, &[]).await;
        let outcome = attempt.outcome.unwrap();
        assert_eq!(outcome, Outcome::NoAnswer);
        assert!(outcome.counts_as_contact());
        assert_eq!(task.attempts_spent, 1);
        // One that never rang disturbed nobody.
        let (_, attempt) = after(vec![failed()], max_attempts, &[]).await;
        assert_eq!(attempt.outcome, Some(Outcome::ProviderFailure));
    }
}

/// A provider that detects machines tells that the call was answered before it knows by whom.
#[tokio::test]
async fn who_answered_may_be_told_at_any_time() {
    for first in [AnsweredBy::Unknown, AnsweredBy::Person] {
        for by in AnsweredBy::ALL {
            for rules in POLICIES {
                for max_attempts in [1, 3] {
                    let events = [
                        CallEventKind::Answered { by: first },
                        CallEventKind::Answered { by },
                        CallEventKind::Ended { outcome: None },
                    ];
                    let (task, attempt) = same_in_every_order(&events, max_attempts, rules).await;
                    let hung_up = Outcome::HungUpBeforeConsent;
                    assert_eq!(attempt.outcome, Some(by.outcome().unwrap_or(hung_up)));
                    assert_eq!(task.outcome, attempt.outcome);
                }
            }
        }
    }
}

/// The provider may have its own word for the end, and it may contradict who answered.
#[tokio::test]
async fn how_it_ended_may_be_told_at_any_time_before_or_after_who_answered() {
    for by in [AnsweredBy::Person, AnsweredBy::Voicemail, AnsweredBy::Fax] {
        for outcome in [
            Outcome::NoAnswer,
            Outcome::Busy,
            Outcome::Disconnected,
            Outcome::InvalidNumber,
            Outcome::ProviderFailure,
            Outcome::ProviderRejected,
        ] {
            for rules in POLICIES {
                for max_attempts in [1, 3] {
                    let events = [
                        CallEventKind::Answered {
                            by: AnsweredBy::Unknown,
                        },
                        CallEventKind::Answered { by },
                        CallEventKind::Ended {
                            outcome: Some(outcome),
                        },
                    ];
                    same_in_every_order(&events, max_attempts, rules).await;
                }
            }
        }
    }
}

/// What was said to somebody who said nothing was said to a machine.
#[tokio::test]
async fn a_machine_that_is_detected_after_it_was_spoken_to_was_no_person_who_hung_up() {
    let world = World::new().await;
    let (task, attempt) = world
        .in_conversation(&samples::campaign(&world.company))
        .await;
    world.end(&attempt, None).await;
    let hung_up = Some(Outcome::HungUpBeforeConsent);
    assert_eq!(world.task(&task).await.outcome, hung_up);
    let by = AnsweredBy::Voicemail;
    world.tell(&attempt, CallEventKind::Answered { by }).await;
    let detected = world.attempt(attempt.id).await;
    assert_eq!(detected.outcome, Some(Outcome::Voicemail));
    let waiting = world.task(&task).await;
    assert_eq!(waiting.outcome, Some(Outcome::Voicemail));
    assert_eq!(waiting.attempts_spent, 1);
    let tomorrow = world.clock.now() + TimeDelta::days(1);
    assert!(waiting.state.due_at().unwrap() < tomorrow);
}

const ANSWERED: CallEventKind = CallEventKind::Answered {
    by: AnsweredBy::Unknown,
};

const BY_VOICEMAIL: CallEventKind = CallEventKind::Answered {
    by: AnsweredBy::Voicemail,
};

/// A world in which somebody seems to have hung up in the only attempt so far, whose task is over.
async fn not_reached_by_one_attempt(
    max_attempts: u16,
    rules: Rules,
) -> (World, Campaign, CallTask, CallAttempt) {
    let (world, campaign, task) =
        about_to_call_for(|campaign| with_policy(campaign, max_attempts, rules)).await;
    world.step().await;
    let attempt = world.latest_attempt(&task).await;
    world.tell(&attempt, ANSWERED).await;
    world.end(&attempt, None).await;
    assert_eq!(world.task(&task).await.state, TaskState::NotReached);
    (world, campaign, task, attempt)
}

const WHO_HANGS_UP_IS_LEFT_ALONE: Rules = &[(Outcome::HungUpBeforeConsent, &[])];

#[tokio::test]
async fn who_turns_out_not_to_have_hung_up_is_called_again() {
    let (world, _, task, attempt) = not_reached_by_one_attempt(3, WHO_HANGS_UP_IS_LEFT_ALONE).await;
    world.tell(&attempt, BY_VOICEMAIL).await;
    let waiting = world.task(&task).await;
    assert_eq!(waiting.reason, Some(Reason::WaitsForRetry));
    assert_eq!(waiting.attempts_spent, 1);
    world.follow_until(waiting.state.due_at().unwrap()).await;
    world.step().await;
    assert_eq!(world.latest_attempt(&task).await.number, 2);
}

#[tokio::test]
async fn a_number_that_was_excluded_after_its_task_had_ended_does_not_wait_for_a_call() {
    let (world, _, task, attempt) = not_reached_by_one_attempt(3, WHO_HANGS_UP_IS_LEFT_ALONE).await;
    world.exclude(task.contact.phone_number).await;
    world.tell(&attempt, BY_VOICEMAIL).await;
    let excluded = world.task(&task).await;
    assert_eq!(excluded.state, TaskState::Excluded);
    assert_eq!(excluded.outcome, Some(Outcome::Voicemail));
    world.follow_for(TimeDelta::days(7)).await;
    assert_eq!(world.provider.dialed().len(), 1);
}

#[tokio::test]
async fn nobody_waits_for_a_call_of_a_campaign_that_has_ended() {
    for ends in [CampaignStatus::Cancelled, CampaignStatus::Completed] {
        let (world, campaign, task, attempt) =
            not_reached_by_one_attempt(3, WHO_HANGS_UP_IS_LEFT_ALONE).await;
        if ends == CampaignStatus::Cancelled {
            let campaigns = world.engine.campaigns();
            campaigns.cancel(&world.actor, campaign.id).await.unwrap();
        } else {
            world.follow_for(TimeDelta::minutes(5)).await;
        }
        assert_eq!(world.campaign(&campaign).await.0.status, ends);
        world.tell(&attempt, BY_VOICEMAIL).await;
        let ended = world.task(&task).await;
        assert_eq!(ended.state, TaskState::Cancelled);
        assert_eq!(ended.outcome, Some(Outcome::Voicemail));
        assert_eq!(ended.reason, Some(Reason::CampaignEnded));
        assert_eq!(world.campaign(&campaign).await.1.open_tasks(), 0);
    }
}

/// What is remembered of a task is the same whether its campaign ended before or after.
#[tokio::test]
async fn a_task_that_was_cancelled_learns_what_its_call_came_to() {
    let mut found = Vec::new();
    for late in [false, true] {
        let (world, campaign, task) = about_to_call_for(|campaign| campaign).await;
        world.step().await;
        let attempt = world.latest_attempt(&task).await;
        world.tell(&attempt, ANSWERED).await;
        world.end(&attempt, None).await;
        assert_eq!(world.task(&task).await.state.status(), TaskStatus::Retry);
        if !late {
            world.tell(&attempt, BY_VOICEMAIL).await;
        }
        let campaigns = world.engine.campaigns();
        campaigns.cancel(&world.actor, campaign.id).await.unwrap();
        world.follow_for(TimeDelta::minutes(5)).await;
        if late {
            world.tell(&attempt, BY_VOICEMAIL).await;
        }
        let ended = world.task(&task).await;
        found.push((ended.state, ended.outcome, ended.reason));
    }
    let cancelled = Some(Reason::CampaignEnded);
    let expected = (TaskState::Cancelled, Some(Outcome::Voicemail), cancelled);
    assert_eq!(found, [expected, expected]);
}

/// While the second call is made, while its person waits for a third, or when there is none.
#[tokio::test]
async fn a_machine_told_of_an_earlier_call_changes_what_is_remembered_and_nothing_else() {
    for (max_attempts, after_the_second) in [(2, false), (2, true), (3, false), (3, true)] {
        let mut found = Vec::new();
        for late in [false, true] {
            let (world, _, task) =
                about_to_call_for(|campaign| with_policy(campaign, max_attempts, &[])).await;
            world.step().await;
            let first = world.latest_attempt(&task).await;
            world.tell(&first, ANSWERED).await;
            if !late {
                world.tell(&first, BY_VOICEMAIL).await;
            }
            world.end(&first, None).await;
            let due_at = world.task(&task).await.state.due_at().unwrap();
            world.follow_until(due_at).await;
            world.step().await;
            let second = world.latest_attempt(&task).await;
            assert_eq!(second.number, 2);
            if late && !after_the_second {
                let before = world.task(&task).await;
                world.tell(&first, BY_VOICEMAIL).await;
                assert_eq!(world.task(&task).await.state, before.state);
            }
            world.end(&second, Some(Outcome::NoAnswer)).await;
            if late && after_the_second {
                let before = world.task(&task).await;
                assert_eq!(before.outcome, Some(Outcome::HungUpBeforeConsent));
                world.tell(&first, BY_VOICEMAIL).await;
                let state = world.task(&task).await.state;
                assert_eq!(state, before.state);
            }
            let end = world.task(&task).await;
            let first = world.attempt(first.id).await;
            found.push((
                end.state.status(),
                end.outcome,
                end.attempts_spent,
                first.outcome,
            ));
        }
        let status = if max_attempts == 2 {
            TaskStatus::NotReached
        } else {
            TaskStatus::Retry
        };
        let voicemail = Some(Outcome::Voicemail);
        let expected = (status, voicemail, 2, voicemail);
        assert_eq!(found, [expected, expected]);
    }
}

async fn told_to_subscribers(world: &World) -> Vec<String> {
    let mut work = world.work().await;
    let page = PageRequest::default();
    let events = work.events().published(&page).await.unwrap();
    events.rows.into_iter().map(|event| event.kind).collect()
}

#[tokio::test]
async fn subscribers_are_told_once_that_a_task_has_ended_although_it_is_corrected() {
    let (world, _, task, attempt) = not_reached_by_one_attempt(1, &[]).await;
    assert_eq!(told_to_subscribers(&world).await, ["survey.not_reached"]);
    world.tell(&attempt, BY_VOICEMAIL).await;
    let corrected = world.task(&task).await;
    assert_eq!(corrected.state, TaskState::NotReached);
    assert_eq!(corrected.outcome, Some(Outcome::Voicemail));
    assert_eq!(told_to_subscribers(&world).await, ["survey.not_reached"]);
}

/// The first word was not the last: the task went on.
#[tokio::test]
async fn subscribers_are_told_again_when_a_task_that_went_on_ends() {
    let (world, _, task, attempt) = not_reached_by_one_attempt(3, WHO_HANGS_UP_IS_LEFT_ALONE).await;
    world.tell(&attempt, BY_VOICEMAIL).await;
    assert_eq!(told_to_subscribers(&world).await, ["survey.not_reached"]);
    let due_at = world.task(&task).await.state.due_at().unwrap();
    world.follow_until(due_at).await;
    world.step().await;
    let second = world.latest_attempt(&task).await;
    world.pick_up(&second).await;
    world.say(&second, "no, grazie").await;
    world.end(&second, None).await;
    assert_eq!(world.task(&task).await.state, TaskState::Refused);
    let told = told_to_subscribers(&world).await;
    assert_eq!(told, ["survey.not_reached", "survey.refused"]);
}
