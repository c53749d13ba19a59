//! What goes wrong when it is told to, and the ledger that sees through it.

use std::collections::HashSet;

use voicesurvey_core::outcome::Outcome;
use voicesurvey_core::ports::{FoundCall, PlaceCallError, TelephonyProvider, WebhookReply};
use voicesurvey_simulator::{Between, Faults, Probability, SimulationSettings};

use crate::host::{Simulation, attempt, call, willing};

fn with_faults(faults: Faults) -> SimulationSettings {
    SimulationSettings {
        faults,
        ..willing()
    }
}

fn reply(status: u16, body: &str) -> WebhookReply {
    WebhookReply {
        status,
        content_type: None,
        body: body.as_bytes().to_vec(),
    }
}

#[tokio::test]
async fn an_order_that_is_refused_or_lost_rings_nobody() {
    let always = Probability::ALWAYS;
    let orders = [
        Faults {
            retry_later: always,
            ..Faults::default()
        },
        Faults {
            rejected: always,
            ..Faults::default()
        },
        Faults {
            unknown_and_not_placed: always,
            ..Faults::default()
        },
    ];
    for faults in orders {
        let simulation = Simulation::new(with_faults(faults));
        simulation.place(0).await.unwrap_err();
        assert_eq!(simulation.provider.next_event_at(), None);
        assert!(simulation.provider.ledger().rings().is_empty());
        let found = simulation.provider.find_call(&call(0)).await.unwrap();
        assert_eq!(found, FoundCall::NotFound);
    }
}

#[tokio::test]
async fn an_order_whose_answer_is_lost_rings_all_the_same() {
    let faults = Faults {
        unknown_but_placed: Probability::ALWAYS,
        ..Faults::default()
    };
    let simulation = Simulation::new(with_faults(faults));
    let error = simulation.place(0).await.unwrap_err();
    assert!(matches!(error, PlaceCallError::Unknown { .. }));
    let ledger = simulation.drain().await;
    assert_eq!(ledger.rings().len(), 1);
    let found = simulation.provider.find_call(&call(0)).await.unwrap();
    assert!(matches!(found, FoundCall::Found { events } if events.len() == 4));
}

#[tokio::test]
async fn a_provider_that_is_busy_takes_the_call_some_other_time() {
    let faults = Faults {
        retry_later: Probability::percent(50),
        ..Faults::default()
    };
    let simulation = Simulation::new(with_faults(faults));
    let mut taken = 0;
    for _ in 0..40 {
        taken += usize::from(simulation.place(0).await.is_ok());
    }
    assert!((8..=32).contains(&taken), "{taken} of 40");
}

#[tokio::test]
async fn an_attempt_that_is_placed_twice_is_on_the_ledger_twice() {
    let simulation = Simulation::new(willing());
    let first = simulation.place(0).await.unwrap();
    let second = simulation.place(0).await.unwrap();
    assert_ne!(first.provider_call_id, second.provider_call_id);
    let ledger = simulation.drain().await;
    assert_eq!(ledger.dialed_twice(), [attempt(0)]);
    assert_eq!(ledger.rung_at_once().len(), 1);
}

#[tokio::test]
async fn lost_webhooks_are_never_delivered_and_an_unanswered_line_is_given_up() {
    let faults = Faults {
        lost: Probability::ALWAYS,
        ..Faults::default()
    };
    let simulation = Simulation::new(with_faults(faults));
    let ledger = simulation.run(0..20).await;
    assert!(simulation.log().requests.is_empty());
    for ring in ledger.rings() {
        assert_eq!(
            (&*ring.raw_status, ring.error_code.as_deref()),
            ("completed", Some("no_reply"))
        );
    }
}

#[tokio::test]
async fn a_webhook_that_comes_twice_is_the_same_both_times() {
    let faults = Faults {
        delivered_twice: Probability::ALWAYS,
        ..Faults::default()
    };
    let simulation = Simulation::new(with_faults(faults));
    simulation.run([0]).await;
    let log = simulation.log();
    let different: HashSet<&[u8]> = log
        .requests
        .iter()
        .map(|request| request.body.as_slice())
        .collect();
    // Three events, one answer and four turns.
    assert_eq!((log.requests.len(), different.len()), (16, 8));
}

#[tokio::test]
async fn delayed_events_come_out_of_order_and_tell_when_they_happened() {
    let faults = Faults {
        delayed: Probability::percent(50),
        delayed_by_seconds: Between::new(30, 300),
        ..Faults::default()
    };
    let simulation = Simulation::new(with_faults(faults));
    let ledger = simulation.run(0..20).await;
    let log = simulation.log();
    assert!((0..20).any(|index| log.names(index) != ["initiated", "ringing", "ended"]));
    for event in log.events {
        let ring = ledger
            .rings()
            .iter()
            .find(|ring| ring.attempt_id == event.attempt_id)
            .unwrap();
        assert!(ring.events().contains(&event));
    }
}

#[tokio::test]
async fn a_line_that_drops_ends_an_answered_call_as_a_failure_and_changes_no_word_before() {
    let faults = Faults {
        dropped: Probability::ALWAYS,
        dropped_after_seconds: Between::new(5, 8),
        ..Faults::default()
    };
    let people = 0..20;
    let (unbroken, dropped) = (
        Simulation::new(willing()),
        Simulation::new(with_faults(faults)),
    );
    unbroken.run(people.clone()).await;
    let ledger = dropped.run(people.clone()).await;
    for ring in ledger.rings() {
        let lasted = ring.ended_at.unwrap() - ring.answered_at.unwrap();
        assert!((5..=9).contains(&lasted.num_seconds()), "{lasted}");
        assert_eq!(ring.outcome, Some(Outcome::ProviderFailure));
        assert_eq!(ring.error_code.as_deref(), Some("line_dropped"));
    }
    let (whole, log) = (unbroken.log(), dropped.log());
    assert!(!log.turns.is_empty() && log.turns.len() < whole.turns.len());
    assert!(log.turns.iter().all(|turn| whole.turns.contains(turn)));
    let ended = log
        .events
        .iter()
        .filter(|event| event.kind.name() == "ended");
    let kinds: HashSet<_> = ended.map(|event| format!("{:?}", event.kind)).collect();
    assert_eq!(
        kinds,
        HashSet::from(["Ended { outcome: Some(ProviderFailure) }".to_owned()])
    );
    for index in people {
        assert_eq!(log.names(index), ["initiated", "ringing", "ended"]);
    }
}

#[tokio::test]
async fn some_lines_drop_if_some_are_to() {
    let faults = Faults {
        dropped: Probability::percent(50),
        dropped_after_seconds: Between::new(1, 1),
        ..Faults::default()
    };
    let simulation = Simulation::new(with_faults(faults));
    let ledger = simulation.run(0..100).await;
    let dropped = ledger.of(|ring| ring.outcome == Some(Outcome::ProviderFailure));
    let dropped = dropped.rings().len();
    assert!((30..=70).contains(&dropped), "{dropped} of 100");
}

#[tokio::test]
async fn a_host_that_recovers_gets_the_webhook_again() {
    let broken = reply(503, "");
    let simulation = Simulation::with_host(willing(), Some(broken), 2);
    simulation.run([0]).await;
    let log = simulation.log();
    assert_eq!(log.turns.len(), 4);
    // The first event was tried a second and a third time, or another one after it was.
    assert!(log.names(0).contains(&"initiated"));
    assert_eq!(log.requests.len(), 8 + 2);
}

#[tokio::test]
async fn a_host_that_stays_broken_is_asked_three_times_and_the_call_ends() {
    let simulation = Simulation::with_host(willing(), Some(reply(500, "")), usize::MAX);
    let ledger = simulation.run([0]).await;
    assert_eq!(ledger.rings()[0].error_code.as_deref(), Some("no_reply"));
    let log = simulation.log();
    let answers = log
        .requests
        .iter()
        .filter(|request| request.endpoint == "answer")
        .count();
    assert_eq!(answers, 3);
    // Two events before it and one after it are tried as often.
    assert_eq!(log.requests.len(), 12);
}

#[tokio::test]
async fn a_reply_that_is_refused_or_cannot_be_read_ends_the_call_at_once() {
    for (reply, code) in [
        (reply(404, ""), "no_reply"),
        (reply(200, "<Response/>"), "unreadable_reply"),
        (WebhookReply::empty(), "unreadable_reply"),
    ] {
        let simulation = Simulation::with_host(willing(), Some(reply), usize::MAX);
        let ledger = simulation.run([0]).await;
        let ring = &ledger.rings()[0];
        assert_eq!(ring.error_code.as_deref(), Some(code));
        assert_eq!(ring.ended_at, ring.answered_at);
    }
}
