//! I10: the same set of events leads to the same attempt, in whatever order and however often.

use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::testing::samples;

fn instant(second: i64) -> Timestamp {
    Timestamp::from_timestamp(1_800_000_000 + second, 0).unwrap()
}

fn attempt() -> CallAttempt {
    let campaign = samples::campaign(&samples::company());
    let task = samples::task(&campaign, "+393471234567");
    CallAttempt::created(
        CallAttemptId::from_uuid(Uuid::nil()),
        &task,
        "simulated",
        instant(0),
        instant(30),
        instant(120),
    )
}

fn event(second: i64, kind: CallEventKind) -> CallEvent {
    CallEvent {
        company_id: CompanyId::from_uuid(Uuid::nil()),
        attempt_id: CallAttemptId::from_uuid(Uuid::nil()),
        event_id: format!("{second}-{}", kind.name()),
        provider_call_id: Some("call-1".to_owned()),
        raw_status: Some(kind.name().to_owned()),
        kind,
        at: instant(second),
        error_code: None,
    }
}

/// A call that was answered, and one that was busy after it had rung.
fn stories() -> [Vec<CallEvent>; 2] {
    let cost = Cost {
        amount: "0.0130".parse().unwrap(),
        currency: "EUR".to_owned(),
    };
    [
        vec![
            event(1, CallEventKind::Initiated),
            event(3, CallEventKind::Ringing),
            event(
                9,
                CallEventKind::Answered {
                    by: AnsweredBy::Unknown,
                },
            ),
            event(
                11,
                CallEventKind::Answered {
                    by: AnsweredBy::Voicemail,
                },
            ),
            event(60, CallEventKind::Ended { outcome: None }),
            event(90, CallEventKind::Priced { cost: cost.clone() }),
        ],
        vec![
            event(1, CallEventKind::Initiated),
            event(3, CallEventKind::Ringing),
            event(
                9,
                CallEventKind::Ended {
                    outcome: Some(Outcome::Busy),
                },
            ),
            event(40, CallEventKind::Priced { cost }),
        ],
    ]
}

fn told(attempt: &CallAttempt, events: &[CallEvent]) -> CallAttempt {
    let told = events.iter().fold(attempt.clone(), |attempt, event| {
        attempt.on(event, instant(1_000), Leases::default())
    });
    // Every event extends the lease of a live attempt; of one that has ended it means nothing.
    CallAttempt {
        lease_until: instant(0),
        ..told
    }
}

#[test]
fn a_story_in_order_fills_in_every_instant() {
    let [answered, busy] = stories().map(|story| told(&attempt(), &story));
    assert_eq!(answered.state, AttemptState::Ended);
    assert_eq!(answered.accepted_at, Some(instant(1)));
    assert_eq!(answered.ringing_at, Some(instant(3)));
    assert_eq!(answered.answered_at, Some(instant(9)));
    assert_eq!(answered.ended_at, Some(instant(60)));
    assert_eq!(answered.outcome, Some(Outcome::Voicemail));
    assert_eq!(answered.raw_status.as_deref(), Some("ended"));
    assert_eq!(answered.talk_time(), Some(TimeDelta::seconds(51)));
    assert_eq!(busy.outcome, Some(Outcome::Busy));
    assert_eq!(busy.talk_time(), None);
}

#[test]
fn a_late_technical_outcome_does_not_overwrite_a_refusal() {
    let mut refused = attempt();
    refused.conclude(Outcome::Refused);
    let ended = refused.on(
        &event(
            5,
            CallEventKind::Ended {
                outcome: Some(Outcome::NoAnswer),
            },
        ),
        instant(5),
        Leases::default(),
    );
    assert_eq!(ended.outcome, Some(Outcome::Refused));
}

proptest! {
    #[test]
    fn every_order_with_every_repetition_ends_alike(
        story in 0_usize..2,
        keys in prop::collection::vec(any::<u16>(), 12),
    ) {
        let events = &stories()[story];
        let attempt = attempt();
        let expected = told(&attempt, events);
        // Every event at least once, half of them twice, in the order of random keys.
        let mut shuffled: Vec<(u16, &CallEvent)> = keys
            .iter()
            .copied()
            .zip(events.iter().cycle())
            .take(events.len() + events.len() / 2)
            .collect();
        shuffled.sort_by_key(|(key, _)| *key);
        let events: Vec<CallEvent> =
            shuffled.into_iter().map(|(_, event)| event.clone()).collect();
        prop_assert_eq!(told(&attempt, &events), expected);
    }
}
