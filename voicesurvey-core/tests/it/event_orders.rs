//! Events of calls in any order, twice, and in batches of any size lead to the same attempt and the
//! same task (I10).

use proptest::prelude::*;
use rust_decimal::Decimal;
use tokio::runtime::{Builder, Runtime};
use voicesurvey_core::call_attempt::{
    AnsweredBy, AttemptState, CallAttempt, CallEvent, CallEventKind,
};
use voicesurvey_core::call_task::{CallTask, TaskState};
use voicesurvey_core::money::Cost;
use voicesurvey_core::outcome::Outcome;
use voicesurvey_core::service::call_events::Receipt;
use voicesurvey_core::testing::samples;

use super::scripted::World;

/// Two people who are being called.
const PEOPLE: u32 = 2;

/// As many as are told of each.
const EVENTS_OF_A_CALL: usize = 6;

/// What is told of one call, in the order in which it happens.
fn told(by: AnsweredBy) -> [CallEventKind; EVENTS_OF_A_CALL] {
    let cost = Cost {
        amount: Decimal::new(12, 2),
        currency: "EUR".to_owned(),
    };
    [
        CallEventKind::Initiated,
        CallEventKind::Ringing,
        CallEventKind::Answered { by },
        CallEventKind::Ended { outcome: None },
        // Another part of the provider only knows that nobody talked.
        CallEventKind::Ended {
            outcome: Some(Outcome::NoAnswer),
        },
        CallEventKind::Priced { cost },
    ]
}

/// A world in which both are being called, and the attempts in the order of the tasks.
async fn being_called() -> (World, Vec<CallTask>, Vec<CallAttempt>) {
    let world = World::new().await;
    let campaign = samples::campaign(&world.company);
    let tasks = samples::tasks(&campaign, 1, PEOPLE);
    world.start(&campaign, &tasks).await;
    world.step().await;
    let mut attempts = Vec::new();
    for task in &tasks {
        attempts.push(world.latest_attempt(task).await);
    }
    (world, tasks, attempts)
}

/// The event of that number: of whom, and which.
fn event(attempts: &[CallAttempt], number: usize, by: AnsweredBy) -> CallEvent {
    let kinds = told(by);
    let attempt = &attempts[number / kinds.len()];
    let which = number % kinds.len();
    CallEvent {
        company_id: attempt.company_id,
        attempt_id: attempt.id,
        event_id: format!("event-{which}"),
        provider_call_id: Some("CA1".to_owned()),
        kind: kinds[which].clone(),
        at: attempt.created_at,
        raw_status: None,
        error_code: None,
    }
}

/// What must be the same in every world: identifiers differ, and versions count the commits.
type Essence = Vec<(
    (TaskState, Option<Outcome>, u16, u16),
    (AttemptState, Option<Outcome>, Option<AnsweredBy>),
    (Option<Cost>, Option<String>),
    [Option<voicesurvey_core::time::Timestamp>; 4],
)>;

async fn essence(world: &World, tasks: &[CallTask]) -> Essence {
    let mut found = Vec::new();
    for task in tasks {
        let attempt = world.latest_attempt(task).await;
        let task = world.task(task).await;
        found.push((
            (
                task.state,
                task.outcome,
                task.attempts_count,
                task.attempts_spent,
            ),
            (attempt.state, attempt.outcome, attempt.answered_by),
            (attempt.cost, attempt.provider_call_id),
            [
                attempt.accepted_at,
                attempt.ringing_at,
                attempt.answered_at,
                attempt.ended_at,
            ],
        ));
    }
    found
}

/// Takes the events in, in batches of these sizes in turn. Returns what they led to, and how many
/// were taken for new.
async fn taken_in(numbers: &[usize], sizes: &[usize], by: AnsweredBy) -> (Essence, usize) {
    let (world, tasks, attempts) = being_called().await;
    let mut sizes = sizes.iter().cycle();
    let mut rest = numbers;
    let mut applied = 0;
    while !rest.is_empty() {
        let (batch, later) = rest.split_at(rest.len().min(*sizes.next().unwrap()));
        let batch: Vec<_> = batch
            .iter()
            .map(|&number| event(&attempts, number, by))
            .collect();
        let company = world.company.id;
        let receipts = world.call_events.receive_many(company, &batch).await;
        let receipts = receipts.unwrap();
        assert_eq!(receipts.len(), batch.len());
        let new = receipts
            .iter()
            .filter(|&&receipt| receipt == Receipt::Applied);
        applied += new.count();
        rest = later;
    }
    (essence(&world, &tasks).await, applied)
}

fn runtime() -> Runtime {
    Builder::new_current_thread().build().unwrap()
}

fn every_event() -> Vec<usize> {
    (0..EVENTS_OF_A_CALL * PEOPLE as usize).collect()
}

#[test]
fn every_order_of_the_six_events_of_a_call_leads_to_the_same() {
    let runtime = runtime();
    let by = AnsweredBy::Voicemail;
    let (expected, _) = runtime.block_on(taken_in(&every_event()[..6], &[1], by));
    let mut order: Vec<usize> = every_event()[..6].to_vec();
    let mut orders = 0;
    // Heap's algorithm, without recursion.
    let mut counts = [0; 6];
    let mut index = 0;
    loop {
        let sizes = [orders % 6 + 1];
        let (found, applied) = runtime.block_on(taken_in(&order, &sizes, by));
        assert_eq!((found, applied), (expected.clone(), 6), "{order:?}");
        orders += 1;
        while index < 6 && counts[index] >= index {
            counts[index] = 0;
            index += 1;
        }
        if index == 6 {
            break;
        }
        order.swap(if index % 2 == 0 { 0 } else { counts[index] }, index);
        counts[index] += 1;
        index = 0;
    }
    assert_eq!(orders, 720);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn events_in_any_order_twice_and_in_batches_lead_to_the_same_as_one_by_one(
        by in proptest::sample::select(AnsweredBy::ALL.to_vec()),
        repeated in proptest::sample::subsequence(every_event(), 0..=12),
        sizes in prop::collection::vec(1_usize..8, 1..6),
        order in Just(every_event()).prop_shuffle(),
        places in prop::collection::vec(any::<prop::sample::Index>(), 12),
    ) {
        let runtime = runtime();
        let mut numbers = order.clone();
        for (&number, place) in repeated.iter().zip(&places) {
            numbers.insert(place.index(numbers.len() + 1), number);
        }
        let (one_by_one, _) = runtime.block_on(taken_in(&every_event(), &[1], by));
        let (batched, applied) = runtime.block_on(taken_in(&numbers, &sizes, by));
        prop_assert_eq!(applied, every_event().len(), "each event is new once");
        prop_assert_eq!(batched, one_by_one);
    }
}
