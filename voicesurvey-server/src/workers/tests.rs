use std::sync::atomic::{AtomicU32, Ordering};

use tokio::sync::Notify;
use voicesurvey_core::id::IdGenerator;
use voicesurvey_core::interpretation::rules::RulesInterpreter;
use voicesurvey_core::memory::MemoryStorage;
use voicesurvey_core::ports::StorageError;
use voicesurvey_core::ports::task_queue::MockTaskQueue;
use voicesurvey_core::service::{EngineParts, EngineSettings};
use voicesurvey_core::time::{Clock as _, SystemClock};
use voicesurvey_simulator::SimulationSettings;

use super::*;

/// An engine with nothing to do, whose scheduler meets `promote` at every step.
fn engine(promote: impl FnMut() -> Result<u64, StorageError> + Send + 'static) -> Engine {
    let mut promote = promote;
    let mut queue = MockTaskQueue::new();
    queue.expect_promote_due().returning(move |_, _| promote());
    queue
        .expect_campaigns_to_start()
        .returning(|_, _| Ok(Vec::new()));
    queue
        .expect_campaigns_to_finish()
        .returning(|_| Ok(Vec::new()));
    queue
        .expect_expired_attempts()
        .returning(|_, _| Ok(Vec::new()));
    queue.expect_claim_due().returning(|_| Ok(Vec::new()));
    queue.expect_next_ready_at().returning(|| Ok(None));
    queue.expect_next_due_at().returning(|| Ok(None));
    queue.expect_next_expiry_at().returning(|| Ok(None));
    let clock = Arc::new(SystemClock);
    Engine::new(EngineParts {
        storage: Arc::new(MemoryStorage::default()),
        queue: Arc::new(queue),
        provider: Arc::new(SimulatedProvider::new(
            clock.clone(),
            SimulationSettings::default(),
        )),
        interpreter: Arc::new(RulesInterpreter),
        clock: clock.clone(),
        ids: Arc::new(IdGenerator::from_seed(clock, 1)),
        wake_up: Arc::new(Bell::new()),
        settings: EngineSettings::default(),
    })
}

fn start(engine: &Engine, bell: &Bell) -> Workers {
    let pacer: Arc<dyn Pacer> = Arc::new(SystemClock);
    Workers::start(engine, None, &pacer, bell)
}

#[tokio::test]
async fn an_error_and_a_panic_do_not_end_the_loop() {
    let steps = Arc::new(AtomicU32::new(0));
    let third = Arc::new(Notify::new());
    let engine = engine({
        let (steps, third) = (steps.clone(), third.clone());
        move || match steps.fetch_add(1, Ordering::SeqCst) {
            0 => Err(StorageError::Unavailable("the database is away".into())),
            1 => panic!("a bug"),
            _ => {
                third.notify_one();
                Ok(0)
            }
        }
    });
    let workers = start(&engine, &Bell::new());
    third.notified().await;
    workers.stop(Duration::from_secs(5)).await;
}

#[tokio::test]
async fn the_bell_wakes_a_loop_that_waits_and_one_that_works() {
    let bell = Arc::new(Bell::new());
    let steps = Arc::new(AtomicU32::new(0));
    let fiftieth = Arc::new(Notify::new());
    let engine = engine({
        let (bell, fiftieth) = (bell.clone(), fiftieth.clone());
        move || {
            // Rings while the loop works: it must not wait for the poll, which would take a minute.
            bell.wake();
            if steps.fetch_add(1, Ordering::SeqCst) == 50 {
                fiftieth.notify_one();
            }
            Ok(0)
        }
    });
    let begun = SystemClock.now();
    let workers = start(&engine, &bell);
    fiftieth.notified().await;
    assert!(SystemClock.now() - begun < chrono::TimeDelta::seconds(20));
    workers.stop(Duration::from_secs(5)).await;
}

#[test]
fn waits_grow_and_stay_bounded() {
    assert_eq!(shortest_wait(0), Duration::ZERO);
    assert_eq!(shortest_wait(1), SHORTEST_WAIT);
    assert_eq!(shortest_wait(2), SHORTEST_WAIT * 2);
    assert!(shortest_wait(u32::MAX) >= POLL);
    assert_eq!(backoff(0), FIRST_BACKOFF);
    assert_eq!(backoff(u32::MAX), LONGEST_BACKOFF);
}
