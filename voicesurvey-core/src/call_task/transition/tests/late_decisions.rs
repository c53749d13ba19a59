//! What a person decided in one call holds, whichever call was made meanwhile (I8), and in whatever
//! order it becomes known (I10).

use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::*;
use crate::gate::{self, Circumstances, Decision};
use crate::testing::samples::{self, SampleCampaign};

/// What becomes known of two attempts of one task, of which the second was made before all was known
/// of the first.
#[derive(Clone, Copy, Debug, PartialEq)]
enum News {
    /// The first attempt ended so, too.
    OfTheFirst(Outcome),
    /// The second attempt ended so.
    OfTheSecond(Outcome),
    /// The second attempt was given up undialed.
    SecondGivenUp,
}

/// A task whose first attempt nobody answered, as far as is known, and whose second one is live.
fn called_again() -> CallTask {
    CallTask {
        attempts_count: 2,
        attempts_spent: 1,
        last_attempt_at: Some(now()),
        outcome: Some(Outcome::NoAnswer),
        ..task(TaskState::InProgress {
            attempt_id: attempt_id(2),
        })
    }
}

/// The task after the news, taken in as the services do.
fn after(news: &[News], policy: &RetryPolicy) -> CallTask {
    let mut task = called_again();
    let mut known = [Some(Outcome::NoAnswer), None];
    for item in news {
        let (number, outcome) = match *item {
            News::OfTheFirst(outcome) => (1_u16, outcome),
            News::OfTheSecond(outcome) => (2, outcome),
            News::SecondGivenUp => {
                if task.state.attempt_id().is_some() {
                    task = task.postponed(now(), Reason::ProviderUnavailable, now());
                }
                continue;
            }
        };
        let previous = known[usize::from(number) - 1];
        let outcome = previous.map_or(outcome, |known| known.or_better_known(outcome));
        known[usize::from(number) - 1] = Some(outcome);
        let event = TaskEvent::Settled {
            attempt_id: attempt_id(number.into()),
            attempt_number: number,
            outcome,
            previous,
            others: OtherAttempts::default(),
            call_back: CallBack::NotAsked,
            policy,
            schedule: &SCHEDULE,
        };
        task = task.clone().on(event, now()).unwrap_or(task);
    }
    task
}

fn essence(task: &CallTask) -> (TaskStatus, Option<Outcome>, u16) {
    (task.state.status(), task.outcome, task.attempts_spent)
}

fn decisions() -> Vec<Outcome> {
    let outcomes = Outcome::ALL.iter().copied();
    outcomes
        .filter(|outcome| outcome.is_decided_by_person())
        .collect()
}

/// Whatever the second attempt can come to.
fn of_the_second() -> impl Strategy<Value = News> {
    let ended = Outcome::ALL.iter().copied();
    let ended = ended.filter(|outcome| *outcome != Outcome::Cancelled);
    let mut news: Vec<_> = ended.map(News::OfTheSecond).collect();
    news.push(News::SecondGivenUp);
    select(news)
}

proptest! {
    #[test]
    fn the_order_in_which_decisions_become_known_does_not_matter(
        first in subsequence(decisions(), 1..=3),
        second in of_the_second(),
        max_attempts in 1_u16..4,
        order in any::<prop::sample::Index>(),
        shuffled in any::<u64>(),
    ) {
        let policy = RetryPolicy { max_attempts, ..RetryPolicy::default() };
        let mut news: Vec<News> = first.iter().copied().map(News::OfTheFirst).collect();
        let strongest = first.iter().copied().reduce(Outcome::or_stronger).unwrap();
        news.push(second);
        let expected = after(&news, &policy);
        // What the person decided, in either call, is how it ends.
        let decided = match second {
            News::OfTheSecond(outcome) => strongest.or_stronger(outcome),
            _ => strongest,
        };
        prop_assert_eq!(expected.outcome, Some(decided));
        prop_assert_eq!(expected.state.status(), decided.rule().final_status);

        let at = order.index(news.len());
        news.rotate_left(at);
        if shuffled % 2 == 0 {
            news.reverse();
        }
        prop_assert_eq!(essence(&after(&news, &policy)), essence(&expected), "{:?}", news);
        // And each of it twice.
        let twice: Vec<_> = news.iter().flat_map(|item| [*item, *item]).collect();
        prop_assert_eq!(essence(&after(&twice, &policy)), essence(&expected), "{:?}", twice);
    }
}

#[test]
fn a_late_refusal_holds_although_nobody_answers_the_call_that_was_made_meanwhile() {
    let policy = RetryPolicy::default();
    let refused = News::OfTheFirst(Outcome::Refused);
    let remembered = after(&[refused], &policy);
    assert_eq!(remembered.state, called_again().state);
    assert_eq!(remembered.outcome, Some(Outcome::Refused));
    assert_eq!(remembered.attempts_spent, 1, "it is spent already");
    let unanswered = News::OfTheSecond(Outcome::NoAnswer);
    let ended = after(&[refused, unanswered], &policy);
    assert_eq!(ended.state, TaskState::Refused);
    assert_eq!(ended.attempts_spent, 2);
}

/// The last look before the dial comes after the refusal.
#[test]
fn the_gate_lets_nobody_be_called_who_has_decided() {
    let campaign = samples::campaign(&samples::company()).running();
    let free = Circumstances::default();
    for decided in decisions() {
        let task = CallTask {
            outcome: Some(decided),
            ..called_again()
        };
        let decision = gate::decide(&task, &campaign, &free, now());
        let reason = Reason::TaskEnded;
        assert_eq!(decision, Decision::Never { reason }, "{decided}");
        let barred = task.barred(reason, now());
        let status = decided.rule().final_status;
        assert_eq!(barred.state.status(), status, "{decided}");
    }
    let decision = gate::decide(&called_again(), &campaign, &free, now());
    assert_eq!(decision, Decision::Dial);
}
