use std::num::NonZeroU16;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use async_trait::async_trait;
use tokio::sync::Notify;
use voicesurvey_core::campaign::Pacing;
use voicesurvey_core::id::IdGenerator;
use voicesurvey_core::interpretation::rules::RulesInterpreter;
use voicesurvey_core::memory::MemoryStorage;
use voicesurvey_core::ports::{
    AttemptKey, CampaignKey, Claim, ClaimRequest, StorageError, TaskQueue,
};
use voicesurvey_core::service::EngineParts;
use voicesurvey_core::time::{Clock as _, SystemClock, Timestamp};
use voicesurvey_simulator::SimulationSettings;

use super::*;
use crate::readiness::NotReady;

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
    async fn claim_due(&self, _: &ClaimRequest) -> Result<Claim, StorageError> {
        Ok(Claim::default())
    }

    async fn next_ready_at(&self, _: &str) -> Result<Option<Timestamp>, StorageError> {
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

    async fn attempts_to_price(
        &self,
        _: &str,
        _: Timestamp,
        _: NonZeroU16,
    ) -> Result<Vec<AttemptKey>, StorageError> {
        Ok(Vec::new())
    }

    async fn next_price_at(&self, _: &str) -> Result<Option<Timestamp>, StorageError> {
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

    async fn review_lanes(&self, _: Timestamp, _: NonZeroU16) -> Result<u64, StorageError> {
        Ok(0)
    }

    async fn next_review_at(&self) -> Result<Option<Timestamp>, StorageError> {
        Ok(None)
    }

    async fn campaigns_to_end(
        &self,
        _: Timestamp,
        _: NonZeroU16,
    ) -> Result<Vec<CampaignKey>, StorageError> {
        Ok(Vec::new())
    }

    async fn next_end_at(&self) -> Result<Option<Timestamp>, StorageError> {
        Ok(None)
    }

    async fn campaigns_to_empty(&self, _: NonZeroU16) -> Result<Vec<CampaignKey>, StorageError> {
        Ok(Vec::new())
    }

    async fn campaigns_at_target(&self, _: NonZeroU16) -> Result<Vec<CampaignKey>, StorageError> {
        Ok(Vec::new())
    }

    async fn campaigns_to_pause(&self, _: NonZeroU16) -> Result<Vec<CampaignKey>, StorageError> {
        Ok(Vec::new())
    }

    async fn limit_provider(&self, _: &str, _: Option<Pacing>) -> Result<(), StorageError> {
        Ok(())
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

fn parts(engine: &Engine, bell: &Arc<Bell>) -> WorkerParts {
    WorkerParts {
        engine: engine.clone(),
        engine_settings: EngineSettings::default(),
        exports: None,
        simulated: None,
        pacer: Arc::new(SystemClock),
        bell: bell.clone(),
        readiness: Arc::default(),
        settings: WorkerSettings {
            poll: Duration::from_mins(1),
            ..WorkerSettings::default()
        },
        cluster: None,
    }
}

fn start(engine: &Engine, bell: &Arc<Bell>) -> Workers {
    Workers::start(parts(engine, bell))
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
    let workers = start(&engine, &Arc::new(Bell::new()));
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

/// Leads when it is told to.
#[derive(Debug, Default)]
struct LeadsWhenTold(AtomicBool);

impl Leadership for LeadsWhenTold {
    fn is_leader(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

#[tokio::test]
async fn a_standby_does_no_duty_until_it_leads() {
    let leadership = Arc::new(LeadsWhenTold::default());
    let done = Arc::new(Notify::new());
    let engine = engine({
        let (leadership, done) = (leadership.clone(), done.clone());
        move || {
            assert!(leadership.is_leader(), "a standby did a duty");
            done.notify_one();
            Ok(0)
        }
    });
    let bell = Bell::new();
    let stop = watch::Sender::new(false);
    let readiness = Arc::new(Readiness::default());
    let rhythm = Rhythm {
        engine_loop: EngineLoop::Scheduling,
        signals: Signals {
            bell: bell.duties.subscribe(),
            stop: stop.subscribe(),
        },
        pacer: Arc::new(SystemClock),
        readiness: readiness.clone(),
        // The bell of the election is what wakes it up.
        poll: Duration::from_mins(10),
        overdue: 0,
    };
    let run = duties::run(Duty::Schedule, engine, leadership.clone(), rhythm);
    let duty = tokio::spawn(run);
    for _ in 0..3 {
        bell.ring_for_duties();
        tokio::task::yield_now().await;
    }
    leadership.0.store(true, Ordering::SeqCst);
    bell.ring_for_duties();
    done.notified().await;
    stop.send_replace(true);
    duty.await.unwrap();
    assert_eq!(readiness.check(), Ok(()), "no step failed");
}

#[tokio::test]
async fn a_loop_that_fails_again_and_again_makes_the_server_unready() {
    let failed = Arc::new(AtomicU32::new(0));
    let fourth = Arc::new(Notify::new());
    let engine = engine({
        let (failed, fourth) = (failed.clone(), fourth.clone());
        move || {
            if failed.fetch_add(1, Ordering::SeqCst) == 3 {
                fourth.notify_one();
            }
            Err(StorageError::Unavailable("the database is away".into()))
        }
    });
    let parts = parts(&engine, &Arc::new(Bell::new()));
    let readiness = parts.readiness.clone();
    assert_eq!(readiness.check(), Ok(()));
    let workers = Workers::start(parts);
    fourth.notified().await;
    let failing = NotReady::Failing(EngineLoop::Scheduling);
    assert_eq!(readiness.check(), Err(failing));
    workers.stop(Duration::from_secs(5)).await;
}
