//! Calls of which nobody knows whether they were made, resolved by hand; and an attempt that cannot
//! be recovered does not keep the others from being.

use std::num::NonZeroU16;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use chrono::TimeDelta;
use voicesurvey_core::api_key::{Actor, Role};
use voicesurvey_core::call_attempt::{AttemptState, CallAttempt};
use voicesurvey_core::call_task::{CallTask, TaskState, TaskStatus};
use voicesurvey_core::campaign::Campaign;
use voicesurvey_core::memory::MemoryStorage;
use voicesurvey_core::outcome::Outcome;
use voicesurvey_core::ports::{Scope, Storage, StorageError, UnitOfWork};
use voicesurvey_core::service::{Resolution, ServiceError};
use voicesurvey_core::testing::samples;

use super::scripted::{Answers, Knows, World};

/// Recovery looks after an attempt when so much time has passed.
const LEASE: TimeDelta = TimeDelta::seconds(121);

/// A world in which one call may have been made, or not.
async fn unknown() -> (World, Campaign, CallTask, CallAttempt) {
    let world = World::new().await;
    world.provider.answers(Answers::Unknown);
    world.provider.knows(Knows::Nothing);
    let campaign = samples::campaign(&world.company);
    let task = samples::task(&campaign, samples::phone_number(1).as_str());
    world.start(&campaign, std::slice::from_ref(&task)).await;
    world.step().await;
    world.provider.answers(Answers::Taken);
    let attempt = world.latest_attempt(&task).await;
    assert_eq!(attempt.state, AttemptState::Unknown);
    (world, campaign, task, attempt)
}

async fn resolve(
    world: &World,
    attempt: &CallAttempt,
    resolution: Resolution,
) -> Result<CallAttempt, ServiceError> {
    let unresolved = world.unresolved_calls();
    unresolved
        .resolve(&world.actor, attempt.id, resolution)
        .await
}

async fn refused_the_second_time(world: &World, attempt: &CallAttempt) {
    for resolution in [Resolution::NotDialed, Resolution::Ended(Outcome::NoAnswer)] {
        let refused = resolve(world, attempt, resolution).await;
        let Err(ServiceError::NotAllowed { code, .. }) = refused else {
            panic!("{refused:?}");
        };
        assert_eq!(code, "attempt_not_unknown");
    }
}

#[tokio::test]
async fn who_was_not_dialed_is_called_again_and_no_attempt_is_spent() {
    let (world, campaign, task, attempt) = unknown().await;
    world.follow_for(TimeDelta::minutes(10)).await;
    assert_eq!(world.provider.dialed().len(), 1, "it may still ring");
    let resolved = resolve(&world, &attempt, Resolution::NotDialed).await;
    let resolved = resolved.unwrap();
    assert_eq!(resolved.state, AttemptState::Ended);
    assert_eq!(resolved.outcome, Some(Outcome::Cancelled));
    let waiting = world.task(&task).await;
    assert_eq!(waiting.state.status(), TaskStatus::Pending);
    assert_eq!((waiting.attempts_count, waiting.attempts_spent), (1, 0));
    assert_eq!(world.campaign(&campaign).await.1.live_attempts(), 0);
    refused_the_second_time(&world, &attempt).await;

    world.step().await;
    assert_eq!(world.provider.dialed().len(), 2);
    assert_eq!(world.latest_attempt(&task).await.number, 2);
    refused_the_second_time(&world, &attempt).await;
    assert_eq!(
        world.latest_attempt(&task).await.state,
        AttemptState::Accepted
    );
}

#[tokio::test]
async fn a_call_that_was_made_is_spent_and_its_outcome_decides() {
    for (outcome, status) in [
        (Outcome::NoAnswer, TaskStatus::Retry),
        (Outcome::InvalidNumber, TaskStatus::Failed),
        (Outcome::OptedOut, TaskStatus::Refused),
    ] {
        let (world, campaign, task, attempt) = unknown().await;
        let resolved = resolve(&world, &attempt, Resolution::Ended(outcome)).await;
        assert_eq!(resolved.unwrap().outcome, Some(outcome));
        let settled = world.task(&task).await;
        assert_eq!(settled.state.status(), status);
        assert_eq!((settled.attempts_count, settled.attempts_spent), (1, 1));
        let (_, counters) = world.campaign(&campaign).await;
        assert_eq!(counters.live_attempts(), 0);
        assert_eq!(counters.outcomes, [(outcome, 1)].into());
        let number = task.contact.phone_number;
        let opted_out = outcome == Outcome::OptedOut;
        assert_eq!(world.is_excluded(number).await, opted_out);
        refused_the_second_time(&world, &attempt).await;
        world.step().await;
        assert_eq!(world.provider.dialed(), [number], "nobody is redialed now");
    }
}

#[tokio::test]
async fn only_a_manager_of_the_company_resolves_and_only_what_can_be_meant() {
    let (world, _, task, attempt) = unknown().await;
    let before = world.task(&task).await;
    let cancelled = Resolution::Ended(Outcome::Cancelled);
    let refused = resolve(&world, &attempt, cancelled).await;
    let Err(ServiceError::Invalid(errors)) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(errors[0].field, "outcome");
    let viewer = Actor {
        role: Role::Viewer,
        ..world.actor
    };
    let stranger = Actor {
        company_id: samples::company().id,
        ..world.actor
    };
    let unresolved = world.unresolved_calls();
    let by = async |actor: Actor| {
        let resolution = Resolution::NotDialed;
        unresolved.resolve(&actor, attempt.id, resolution).await
    };
    assert!(matches!(
        by(viewer).await,
        Err(ServiceError::Forbidden { .. })
    ));
    assert!(matches!(
        by(stranger).await,
        Err(ServiceError::NotFound { .. })
    ));
    assert_eq!(world.task(&task).await, before);
    assert!(matches!(before.state, TaskState::InProgress { .. }));
}

/// A store that fails once, when it is told to.
#[derive(Debug)]
struct FailsOnce {
    store: MemoryStorage,
    fails: AtomicBool,
}

#[async_trait]
impl Storage for FailsOnce {
    async fn begin(&self, scope: Scope) -> Result<Box<dyn UnitOfWork>, StorageError> {
        if self.fails.swap(false, Ordering::Relaxed) {
            return Err(StorageError::Unavailable("the connection was cut".into()));
        }
        self.store.begin(scope).await
    }

    async fn check(&self) -> Result<(), StorageError> {
        Ok(())
    }
}

#[tokio::test]
async fn an_attempt_that_cannot_be_recovered_does_not_keep_the_others_waiting() {
    for at_most in [1, 10] {
        let world = World::new().await;
        world.provider.answers(Answers::Unknown);
        let campaign = samples::campaign(&world.company);
        let tasks = samples::tasks(&campaign, 1, 3);
        world.start(&campaign, &tasks).await;
        world.step().await;
        world.clock.advance(LEASE);
        let failing = Arc::new(FailsOnce {
            store: world.store.clone(),
            fails: AtomicBool::new(true),
        });
        let engine = world.engine_with(failing, &world.provider);
        let at_most = NonZeroU16::new(at_most).unwrap();
        let mut recovered = 0;
        for _ in 0..3 {
            recovered += engine.recovery().tick(at_most).await.unwrap();
        }
        assert_eq!(recovered, 2, "the third has got a new lease");
        world.clock.advance(LEASE);
        assert_eq!(engine.recovery().tick(at_most).await.unwrap(), 1);
        assert_eq!(world.campaign(&campaign).await.1.live_attempts(), 0);
    }
}
