//! The engine: everything that makes calls happen, put together once.
//!
//! It has no loop and no timer of its own. Whoever runs it, a server, a simulation or another
//! program, calls [`Engine::step`] when the bell rings and when [`Engine::next_step_at`] has come.
//!
//! A step has two halves. [`Engine::lead`] is for one server at a time, the leader; every server
//! may [`Engine::dispatch`], because the claim keeps them apart.

use std::num::NonZeroU16;
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use futures_util::future::join;

use super::call_events::CallEvents;
use super::campaigns::Campaigns;
use super::dispatcher::Dispatcher;
use super::interviews::Interviews;
use super::prices::Prices;
use super::recordings::Recordings;
use super::recovery::Recovery;
use super::retention::Forgetting;
use super::scheduler::Scheduler;
use super::webhooks::Webhooks;
use crate::call_attempt::Leases;
use crate::id::IdGenerator;
use crate::interpretation::AnswerInterpreter;
use crate::ports::{Storage, StorageError, TaskQueue, TelephonyProvider, WakeUp};
use crate::time::{Clock, Timestamp};

/// What an engine is made of.
#[derive(Clone, Debug)]
pub struct EngineParts {
    /// Where everything is kept.
    pub storage: Arc<dyn Storage>,
    /// The same store, from the dispatcher's side.
    pub queue: Arc<dyn TaskQueue>,
    /// Who dials.
    pub provider: Arc<dyn TelephonyProvider>,
    /// Who understands answers.
    pub interpreter: Arc<dyn AnswerInterpreter>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Where identifiers come from.
    pub ids: Arc<IdGenerator>,
    /// Whom to tell when there may be something to do.
    pub wake_up: Arc<dyn WakeUp>,
    /// Times and sizes.
    pub settings: EngineSettings,
}

/// The store as the leader sees it: one that refuses to write for a server that leads no more.
#[derive(Clone, Debug)]
pub struct DutyPorts {
    /// Where everything is kept.
    pub storage: Arc<dyn Storage>,
    /// The same store, from the queue's side.
    pub queue: Arc<dyn TaskQueue>,
}

/// Times and sizes of the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EngineSettings {
    /// How many tasks one claim takes at most. What is claimed is dialed at once, so this bounds
    /// how many attempts a crash leaves with an unknown outcome.
    pub claim_at_most: u16,
    /// How long after the claim a call may still be dialed.
    pub dial_within: TimeDelta,
    /// How long after that deadline the attempt is looked after. Must cover the provider's time-out.
    pub grace_after_deadline: TimeDelta,
    /// How long a telephone may ring.
    pub ring_for: Duration,
    /// How long a call may go without news.
    pub leases: Leases,
}

impl Default for EngineSettings {
    fn default() -> Self {
        Self {
            claim_at_most: 20,
            dial_within: TimeDelta::seconds(30),
            grace_after_deadline: TimeDelta::seconds(90),
            ring_for: Duration::from_secs(30),
            leases: Leases::default(),
        }
    }
}

/// Everything that makes calls happen.
#[derive(Clone, Debug)]
pub struct Engine {
    queue: Arc<dyn TaskQueue>,
    dispatcher: Dispatcher,
    scheduler: Scheduler,
    recovery: Recovery,
    /// Of a provider that is to be asked for them.
    prices: Option<Prices>,
    webhooks: Webhooks,
    campaigns: Campaigns,
    forgetting: Forgetting,
    recordings: Recordings,
}

impl Engine {
    /// Puts the parts together, for the only server on its store.
    pub fn new(parts: EngineParts) -> Self {
        let duties = DutyPorts {
            storage: parts.storage.clone(),
            queue: parts.queue.clone(),
        };
        Self::with_duties(parts, duties)
    }

    /// Puts the parts together, for one server of several: a leader's duties go through `duties`.
    pub fn with_duties(parts: EngineParts, duties: DutyPorts) -> Self {
        let EngineParts {
            storage,
            queue,
            provider,
            interpreter,
            clock,
            ids,
            wake_up,
            settings,
        } = parts;
        let asks_for_prices = provider.prices_are_asked_for();
        let call_events = |storage: &Arc<dyn Storage>| {
            CallEvents::new(
                storage.clone(),
                clock.clone(),
                ids.clone(),
                wake_up.clone(),
                settings.leases,
            )
            .asking_for_prices(asks_for_prices)
        };
        let recovered_events = call_events(&duties.storage);
        let call_events = call_events(&storage);
        let interviews = Interviews::new(
            storage.clone(),
            interpreter,
            clock.clone(),
            ids.clone(),
            settings.leases,
        );
        Self {
            forgetting: Forgetting::new(duties.storage.clone(), clock.clone()),
            recordings: Recordings::new(duties.storage.clone(), provider.clone(), clock.clone()),
            dispatcher: Dispatcher::new(
                storage.clone(),
                queue.clone(),
                provider.clone(),
                clock.clone(),
                ids.clone(),
                wake_up.clone(),
                settings,
            ),
            scheduler: Scheduler::new(
                duties.storage.clone(),
                duties.queue.clone(),
                clock.clone(),
                wake_up.clone(),
            ),
            prices: asks_for_prices.then(|| {
                Prices::new(
                    duties.storage.clone(),
                    duties.queue.clone(),
                    provider.clone(),
                    recovered_events.clone(),
                    clock.clone(),
                )
            }),
            recovery: Recovery::new(
                duties.storage,
                duties.queue,
                provider.clone(),
                recovered_events,
                clock.clone(),
                ids.clone(),
                wake_up.clone(),
            ),
            webhooks: Webhooks::new(provider.clone(), call_events, interviews, clock.clone()),
            campaigns: Campaigns::new(storage, clock, ids, wake_up).hanging_up_with(provider),
            queue,
        }
    }

    /// Does everything that is due now. Returns how much that was; zero means that nothing will be
    /// due before [`Engine::next_step_at`], unless the bell rings.
    ///
    /// A duty that fails does not keep the others from being done; the first error is returned at
    /// the end.
    pub async fn step(&self) -> Result<u64, StorageError> {
        let moved = self.scheduler.tick().await;
        let recovered = self.recover().await;
        let claimed = self.dispatch().await;
        // Boxed, as every step would hold it.
        let forgotten = Box::pin(self.forgetting.tick()).await;
        // After the claim, because a gate that turns the last person away ends a campaign.
        let finished = self.scheduler.finish_done().await;
        Ok(moved? + recovered? + claimed? + finished? + forgotten?)
    }

    /// The leader's half of a step: starts, promotes, finishes, and looks after lost calls. Returns
    /// how much was done.
    pub async fn lead(&self) -> Result<u64, StorageError> {
        // Side by side: a provider that is slow to say what became of a call must not keep people
        // waiting whose time has come.
        let (scheduled, recovered) = join(self.schedule(), self.recover()).await;
        Ok(scheduled? + recovered?)
    }

    /// The part of [`Engine::lead`] that asks nobody but the store, with forgetting what is too old.
    /// Returns how much was done.
    pub async fn schedule(&self) -> Result<u64, StorageError> {
        let moved = self.scheduler.tick().await;
        let finished = self.scheduler.finish_done().await;
        let forgotten = Box::pin(self.forgetting.tick()).await;
        Ok(moved? + finished? + forgotten?)
    }

    /// The part of [`Engine::lead`] that asks the provider: what became of calls, what they have cost,
    /// and to erase recordings of people who are nobody any more. Returns how much was done.
    pub async fn recover(&self) -> Result<u64, StorageError> {
        const RECOVERED_PER_STEP: NonZeroU16 = NonZeroU16::new(20).unwrap();
        const PRICED_PER_STEP: NonZeroU16 = NonZeroU16::new(20).unwrap();
        let mut done = self.recovery.tick(RECOVERED_PER_STEP).await?;
        if let Some(prices) = &self.prices {
            done += prices.tick(PRICED_PER_STEP).await?;
        }
        done += self.recordings.tick().await?;
        Ok(done as u64)
    }

    /// Every server's half of a step: claims and dials. Returns how many people were dealt with:
    /// claimed, or turned away by the gate.
    pub async fn dispatch(&self) -> Result<u64, StorageError> {
        Ok(self.dispatcher.tick().await? as u64)
    }

    /// When the next step is due; `None` when nothing waits for a time to come.
    pub async fn next_step_at(&self) -> Result<Option<Timestamp>, StorageError> {
        let instants = [
            self.next_dispatch_at().await?,
            self.next_schedule_at().await?,
            self.next_recovery_at().await?,
        ];
        Ok(instants.into_iter().flatten().min())
    }

    /// When there may next be something for [`Engine::dispatch`].
    pub async fn next_dispatch_at(&self) -> Result<Option<Timestamp>, StorageError> {
        self.dispatcher.next_claim_at().await
    }

    /// When there is next something for [`Engine::schedule`].
    pub async fn next_schedule_at(&self) -> Result<Option<Timestamp>, StorageError> {
        let instants = [
            self.queue.next_due_at().await?,
            self.queue.next_start_at().await?,
            self.queue.next_end_at().await?,
        ];
        Ok(instants.into_iter().flatten().min())
    }

    /// When there is next something for [`Engine::recover`].
    pub async fn next_recovery_at(&self) -> Result<Option<Timestamp>, StorageError> {
        let expiry = self.queue.next_expiry_at().await?;
        let price = match &self.prices {
            Some(prices) => prices.next_at().await?,
            None => None,
        };
        Ok([expiry, price].into_iter().flatten().min())
    }

    /// Claims and dials.
    pub const fn dispatcher(&self) -> &Dispatcher {
        &self.dispatcher
    }

    /// Starts, promotes and finishes.
    pub const fn scheduler(&self) -> &Scheduler {
        &self.scheduler
    }

    /// Looks after lost calls.
    pub const fn recovery(&self) -> &Recovery {
        &self.recovery
    }

    /// Takes the provider's webhooks.
    pub const fn webhooks(&self) -> &Webhooks {
        &self.webhooks
    }

    /// Creates, fills, starts and stops campaigns.
    pub const fn campaigns(&self) -> &Campaigns {
        &self.campaigns
    }
}
