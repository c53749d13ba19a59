//! The whole machine as a table, and the rules that the table must not lose.

mod late_decisions;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::LazyLock;

use uuid::Uuid;

use super::*;
use crate::call_list::Contact;
use crate::call_task::TaskStatus;
use crate::calling_hours::CallingHours;
use crate::id::{CallTaskId, CampaignId, CompanyId};
use crate::quota::Cells;
use crate::time_zone::TimeZone;

/// Open day and night, in a zone of even clocks.
static SCHEDULE: LazyLock<Schedule> = LazyLock::new(|| Schedule {
    starts_at: None,
    ends_at: None,
    hours: CallingHours::always(),
    time_zone: TimeZone::UTC,
    countries: BTreeMap::new(),
});

fn now() -> Timestamp {
    Timestamp::from_timestamp(1_800_000_000, 0).unwrap()
}

fn attempt_id(number: u128) -> CallAttemptId {
    CallAttemptId::from_uuid(Uuid::from_u128(number))
}

fn task(state: TaskState) -> CallTask {
    CallTask {
        id: CallTaskId::from_uuid(Uuid::nil()),
        company_id: CompanyId::from_uuid(Uuid::nil()),
        campaign_id: CampaignId::from_uuid(Uuid::nil()),
        upload_id: None,
        contact: Contact {
            phone_number: "+393471234567".parse().unwrap(),
            name: String::new(),
            language: None,
            time_zones: Vec::new(),
            priority: 0,
            extra: BTreeMap::new(),
        },
        cells: Cells::default(),
        state,
        attempts_count: 1,
        attempts_spent: 0,
        last_attempt_at: None,
        outcome: match state {
            TaskState::Completed => Some(Outcome::Completed),
            TaskState::Refused => Some(Outcome::Refused),
            TaskState::NotReached | TaskState::Retry { .. } => Some(Outcome::Declined),
            TaskState::Failed => Some(Outcome::InvalidNumber),
            TaskState::Cancelled => Some(Outcome::Cancelled),
            TaskState::Pending { .. } | TaskState::InProgress { .. } | TaskState::Excluded => None,
        },
        reason: None,
        created_at: now(),
        updated_at: now(),
        version: 1,
    }
}

fn states() -> Vec<TaskState> {
    TaskStatus::ALL
        .into_iter()
        .map(|status| match status {
            TaskStatus::Pending => TaskState::Pending { due_at: now() },
            TaskStatus::Retry => TaskState::Retry { due_at: now() },
            TaskStatus::InProgress => TaskState::InProgress {
                attempt_id: attempt_id(1),
            },
            ended => TaskState::from_final(ended).unwrap(),
        })
        .collect()
}

fn settled(outcome: Outcome, policy: &RetryPolicy) -> TaskEvent<'_> {
    TaskEvent::Settled {
        attempt_id: attempt_id(1),
        attempt_number: 1,
        outcome,
        previous: None,
        others: OtherAttempts::default(),
        call_back: CallBack::NotAsked,
        policy,
        schedule: &SCHEDULE,
    }
}

#[test]
fn every_state_with_every_event() {
    let policy = RetryPolicy::default();
    let last_attempt = RetryPolicy {
        max_attempts: 1,
        ..RetryPolicy::default()
    };
    let events = [
        (
            "claimed",
            TaskEvent::Claimed {
                attempt_id: attempt_id(2),
            },
        ),
        ("settled: completed", settled(Outcome::Completed, &policy)),
        ("settled: refused", settled(Outcome::Refused, &policy)),
        ("settled: busy", settled(Outcome::Busy, &policy)),
        (
            "settled: busy, the last",
            settled(Outcome::Busy, &last_attempt),
        ),
        (
            "settled: invalid_number",
            settled(Outcome::InvalidNumber, &policy),
        ),
        ("excluded", TaskEvent::Excluded),
        ("cancelled", TaskEvent::Cancelled),
    ];
    let mut table = String::new();
    for state in states() {
        for (name, event) in events {
            let task = task(state);
            // News is what is stronger than what the task's attempt was known to have come to.
            let event = match event {
                TaskEvent::Settled {
                    attempt_id,
                    attempt_number,
                    outcome,
                    others,
                    call_back,
                    policy,
                    schedule,
                    ..
                } => TaskEvent::Settled {
                    attempt_id,
                    attempt_number,
                    outcome,
                    previous: task.outcome,
                    others,
                    call_back,
                    policy,
                    schedule,
                },
                event => event,
            };
            let to = task
                .on(event, now())
                .map_or_else(|_| "-".to_owned(), |task| task.state.status().to_string());
            writeln!(table, "{:<11} + {name:<24} -> {to}", state.status().name()).unwrap();
        }
    }
    insta::assert_snapshot!(table);
}

/// Row C6: pending, in progress with its attempt counted, then retry, then not reached.
#[test]
fn attempts_are_counted_and_used_up() {
    let policy = RetryPolicy {
        max_attempts: 2,
        other_daypart: false,
        ..RetryPolicy::default()
    };
    let mut task = CallTask {
        attempts_count: 0,
        ..task(TaskState::Pending { due_at: now() })
    };
    for number in 1..=2 {
        let id = attempt_id(number.into());
        task = task
            .on(TaskEvent::Claimed { attempt_id: id }, now())
            .unwrap();
        assert_eq!(
            (task.attempts_count, task.last_attempt_at),
            (number, Some(now()))
        );
        let event = TaskEvent::Settled {
            attempt_id: id,
            attempt_number: number,
            outcome: Outcome::NoAnswer,
            previous: None,
            others: OtherAttempts::default(),
            call_back: CallBack::NotAsked,
            policy: &policy,
            schedule: &SCHEDULE,
        };
        task = task.on(event, now()).unwrap();
        if number == 1 {
            let due_at = now() + chrono::TimeDelta::minutes(30);
            assert_eq!(task.state, TaskState::Retry { due_at });
        }
    }
    assert_eq!(task.state, TaskState::NotReached);
    assert_eq!(
        (task.attempts_spent, task.reason),
        (2, Some(Reason::AttemptsUsedUp))
    );
}

/// It counts when the call was made, not when it became known how it had ended.
#[test]
fn who_did_not_answer_in_the_morning_waits_for_the_afternoon() {
    let policy = RetryPolicy::default();
    let eleven = "2026-11-20T11:00:00Z".parse().unwrap();
    let ten_past_noon = "2026-11-20T12:10:00Z".parse().unwrap();
    let in_progress = || CallTask {
        last_attempt_at: Some(eleven),
        ..task(TaskState::InProgress {
            attempt_id: attempt_id(1),
        })
    };
    let due_after = |outcome, known_at| {
        let settled = in_progress().on(settled(outcome, &policy), known_at);
        settled.unwrap().state.due_at().unwrap().to_string()
    };
    assert_eq!(
        due_after(Outcome::NoAnswer, eleven),
        "2026-11-20 12:00:00 UTC"
    );
    assert_eq!(
        due_after(Outcome::NoAnswer, ten_past_noon),
        "2026-11-20 12:40:00 UTC"
    );
    assert_eq!(due_after(Outcome::Busy, eleven), "2026-11-20 11:30:00 UTC");
}

/// Row A13: a refusal is final at once, even with attempts left.
#[test]
fn a_refusal_is_final_with_attempts_left() {
    let policy = RetryPolicy {
        max_attempts: 9,
        ..RetryPolicy::default()
    };
    let in_progress = task(TaskState::InProgress {
        attempt_id: attempt_id(1),
    });
    let refused = in_progress
        .on(settled(Outcome::Refused, &policy), now())
        .unwrap();
    assert_eq!(refused.state, TaskState::Refused);
    let again = TaskEvent::Settled {
        attempt_id: attempt_id(1),
        attempt_number: 1,
        outcome: Outcome::Refused,
        previous: Some(Outcome::Refused),
        others: OtherAttempts::default(),
        call_back: CallBack::NotAsked,
        policy: &policy,
        schedule: &SCHEDULE,
    };
    assert!(refused.on(again, now()).is_err());
}

#[test]
fn an_attempt_that_is_no_longer_the_latest_cannot_settle() {
    let policy = RetryPolicy::default();
    let claimed_again = CallTask {
        attempts_count: 2,
        ..task(TaskState::InProgress {
            attempt_id: attempt_id(2),
        })
    };
    let wrong_person = settled(Outcome::WrongPerson, &policy);
    assert!(claimed_again.clone().on(wrong_person, now()).is_err());
    let refused = settled(Outcome::Refused, &policy);
    let remembered = claimed_again.clone().on(refused, now()).unwrap();
    assert_eq!(remembered.state, claimed_again.state);
    assert_eq!(remembered.outcome, Some(Outcome::Refused));
}

#[test]
fn an_answer_that_comes_after_the_hang_up_is_not_lost() {
    let policy = RetryPolicy::default();
    let in_progress = task(TaskState::InProgress {
        attempt_id: attempt_id(1),
    });
    let again = TaskEvent::Settled {
        attempt_id: attempt_id(1),
        attempt_number: 1,
        outcome: Outcome::OptedOut,
        previous: Some(Outcome::HungUpBeforeConsent),
        others: OtherAttempts::default(),
        call_back: CallBack::NotAsked,
        policy: &policy,
        schedule: &SCHEDULE,
    };
    let hung_up = in_progress
        .on(settled(Outcome::HungUpBeforeConsent, &policy), now())
        .unwrap();
    assert_eq!(hung_up.state.status(), TaskStatus::Retry);
    let opted_out = hung_up.on(again, now()).unwrap();
    assert_eq!(opted_out.state, TaskState::Refused);
    assert_eq!(opted_out.attempts_spent, 1, "one attempt is spent once");
}

#[test]
fn late_news_never_makes_an_excluded_person_wait_for_a_call() {
    let policy = RetryPolicy::default();
    for ended in [
        TaskState::Excluded,
        TaskState::Cancelled,
        TaskState::Refused,
    ] {
        let task = CallTask {
            outcome: None,
            ..task(ended)
        };
        let told = settled(Outcome::Voicemail, &policy);
        let told = task.on(told, now()).unwrap();
        assert_eq!(told.state, ended);
        assert_eq!(told.outcome, Some(Outcome::Voicemail), "it is remembered");
        assert_eq!(told.attempts_spent, 1);
    }
}

/// Row A13: what follows depends on the attempt that has just ended, not on an earlier one.
#[test]
fn a_dead_number_ends_the_task_although_somebody_hung_up_before() {
    let policy = RetryPolicy::default();
    let in_progress = CallTask {
        outcome: Some(Outcome::HungUpBeforeConsent),
        ..task(TaskState::InProgress {
            attempt_id: attempt_id(1),
        })
    };
    let ended = in_progress
        .on(settled(Outcome::InvalidNumber, &policy), now())
        .unwrap();
    assert_eq!(ended.state, TaskState::Failed);
    assert_eq!(ended.outcome, Some(Outcome::HungUpBeforeConsent));
}

#[test]
fn what_the_gate_turns_away_costs_no_attempt() {
    let until = now() + chrono::TimeDelta::hours(1);
    let waiting = task(TaskState::Pending { due_at: now() }).postponed(
        until,
        Reason::OutsideCallingHours,
        now(),
    );
    assert_eq!(waiting.state, TaskState::Pending { due_at: until });
    assert_eq!(waiting.attempts_spent, 0);
    let barred = waiting.barred(Reason::Excluded, now());
    assert_eq!(barred.state, TaskState::Excluded);
    assert_eq!(
        barred
            .clone()
            .postponed(until, Reason::WaitsForRetry, now()),
        barred
    );
}

/// A hang-up is what is made of a call that was answered; a machine that is detected after the end
/// takes it back, and nothing that another call came to.
#[test]
fn a_machine_that_is_told_after_the_end_takes_back_that_somebody_hung_up() {
    let policy = RetryPolicy::default();
    let hung_up = CallTask {
        attempts_count: 2,
        attempts_spent: 2,
        outcome: Some(Outcome::HungUpBeforeConsent),
        ..task(TaskState::Retry {
            due_at: now() + chrono::TimeDelta::days(1),
        })
    };
    let told = |others: &[Outcome], outcome| TaskEvent::Settled {
        attempt_id: attempt_id(2),
        attempt_number: 2,
        outcome,
        previous: Some(Outcome::HungUpBeforeConsent),
        others: OtherAttempts::that_ended(others.iter().copied()),
        call_back: CallBack::NotAsked,
        policy: &policy,
        schedule: &SCHEDULE,
    };
    for (others, remembered) in [
        (Outcome::NoAnswer, Outcome::Voicemail),
        (Outcome::Voicemail, Outcome::Voicemail),
        (Outcome::HungUpBeforeConsent, Outcome::HungUpBeforeConsent),
    ] {
        let event = told(&[others], Outcome::Voicemail);
        let corrected = hung_up.clone().on(event, now()).unwrap();
        assert_eq!(corrected.outcome, Some(remembered));
        assert_eq!(corrected.attempts_spent, 2);
        let tomorrow = now() + chrono::TimeDelta::days(1);
        assert!(corrected.state.due_at().unwrap() < tomorrow, "{others}");
    }
    let fax = hung_up.on(told(&[], Outcome::Fax), now()).unwrap();
    assert_eq!(fax.state, TaskState::Failed);
    assert_eq!(fax.outcome, Some(Outcome::Fax));
}

/// The same, of an attempt before the latest: what follows has been decided by a later one.
#[test]
fn a_machine_told_of_an_earlier_attempt_moves_nothing() {
    let policy = RetryPolicy::default();
    for state in states() {
        for latest in [None, Some(Outcome::NoAnswer), Some(Outcome::Disconnected)] {
            let remembered = CallTask {
                attempts_count: 2,
                attempts_spent: 2,
                outcome: Some(Outcome::HungUpBeforeConsent),
                ..task(state)
            };
            let told = TaskEvent::Settled {
                attempt_id: attempt_id(7),
                attempt_number: 1,
                outcome: Outcome::Voicemail,
                previous: Some(Outcome::HungUpBeforeConsent),
                others: OtherAttempts::that_ended(latest),
                call_back: CallBack::NotAsked,
                policy: &policy,
                schedule: &SCHEDULE,
            };
            let corrected = remembered.clone().on(told, now()).unwrap();
            let strongest = latest.map_or(Outcome::Voicemail, |latest| {
                latest.or_stronger(Outcome::Voicemail)
            });
            let expected = CallTask {
                outcome: Some(strongest),
                ..remembered
            };
            assert_eq!(corrected, expected);
            assert!(corrected.on(told, now()).is_err(), "it is told once");
        }
    }
}

#[test]
fn only_faults_use_up_the_patience_with_faults() {
    let policy = RetryPolicy::default();
    let called_often = CallTask {
        attempts_count: 500,
        ..task(TaskState::InProgress {
            attempt_id: attempt_id(1),
        })
    };
    let after_faults = |faults: u16| {
        let event = TaskEvent::Settled {
            attempt_id: attempt_id(1),
            attempt_number: 500,
            outcome: Outcome::ProviderFailure,
            previous: None,
            others: OtherAttempts {
                faults,
                ..OtherAttempts::default()
            },
            call_back: CallBack::NotAsked,
            policy: &policy,
            schedule: &SCHEDULE,
        };
        called_often.clone().on(event, now()).unwrap().state
    };
    let in_minutes = |minutes| TaskState::Retry {
        due_at: now() + chrono::TimeDelta::minutes(minutes),
    };
    assert_eq!(after_faults(0), in_minutes(5));
    assert_eq!(after_faults(1), in_minutes(10));
    assert_eq!(after_faults(RetryPolicy::MOST_FAULTS - 2), in_minutes(40));
    assert_eq!(
        after_faults(RetryPolicy::MOST_FAULTS - 1),
        TaskState::NotReached
    );
}

#[test]
fn attempts_that_were_given_up_are_no_faults() {
    let others = OtherAttempts::that_ended([
        Outcome::Cancelled,
        Outcome::ProviderFailure,
        Outcome::NoAnswer,
        Outcome::ProviderRejected,
    ]);
    assert_eq!(others.faults, 2);
    assert_eq!(others.strongest, Some(Outcome::NoAnswer));
    assert_eq!(OtherAttempts::that_ended([]), OtherAttempts::default());
}
