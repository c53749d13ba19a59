use std::num::NonZeroU16;
use std::sync::atomic::{AtomicU32, Ordering};

use tokio::sync::Notify;
use voicesurvey_core::id::IdGenerator;
use voicesurvey_core::interpretation::rules::RulesInterpreter;
use voicesurvey_core::memory::MemoryStorage;
use voicesurvey_core::ports::{
    AttemptKey, CampaignKey, ClaimRequest, ClaimedTask, StorageError, TaskQueue,
};
use voicesurvey_core::service::{EngineParts, EngineSettings};
use voicesurvey_core::time::{Clock as _, SystemClock};
use voicesurvey_simulator::SimulationSettings;

use super::*;

/// A queue in which there is nothing to do, whose scheduler meets `promote` at every step.
struct QuietQueue<F> {
    promote: F,
}

impl<F> std::fmt::Debug for QuietQueue<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("QuietQueue")
    }
}

#[async_trait]
impl<F> TaskQueue for QuietQueue<F>
where
    F: Fn() -> Result<u64, StorageError> + Send + Sync,
{
    async fn claim_due(&self, _: &ClaimRequest) -> Result<Vec<ClaimedTask>, StorageError> {
        Ok(Vec::new())
    }

    async fn next_ready_at(&self) -> Result<Option<Timestamp>, StorageError> {
        Ok(None)
    }

    async fn promote_due(&self, _: Timestamp, _: NonZeroU16) -> Result<u64, StorageError> {
        (self.promote)()
    }

    async fn next_due_at(&self) -> Result<Option<Timestamp>, StorageError> {
        Ok(None)
    }

    async fn expired_attempts(
        &self,
        _: Timestamp,
        _: NonZeroU16,
    ) -> Result<Vec<AttemptKey>, StorageError> {
        Ok(Vec::new())
    }

    async fn next_expiry_at(&self) -> Result<Option<Timestamp>, StorageError> {
        Ok(None)
    }

    async fn next_start_at(&self) -> Result<Option<Timestamp>, StorageError> {
        Ok(None)
    }

    async fn campaigns_to_start(
        &self,
        _: Timestamp,
        _: NonZeroU16,
    ) -> Result<Vec<CampaignKey>, StorageError> {
        Ok(Vec::new())
    }

    async fn campaigns_to_finish(&self, _: NonZeroU16) -> Result<Vec<CampaignKey>, StorageError> {
        Ok(Vec::new())
    }
}

fn engine(promote: impl Fn() -> Result<u64, StorageError> + Send + Sync + 'static) -> Engine {
    let clock = Arc::new(SystemClock);
    Engine::new(EngineParts {
        storage: Arc::new(MemoryStorage::default()),
        queue: Arc::new(QuietQueue { promote }),
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
