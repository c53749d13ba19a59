//! The servers: each an engine of its own over the same store and provider.

use std::collections::BTreeSet;
use std::fmt;
use std::num::NonZeroU16;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use async_trait::async_trait;
use voicesurvey::id::IdGenerator;
use voicesurvey::interpretation::rules::RulesInterpreter;
use voicesurvey::ports::{
    ClaimedTask, NoWakeUp, Storage, TaskQueue, TelephonyProvider, WebhookReply, WebhookRequest,
};
use voicesurvey::service::{DutyPorts, Engine, EngineParts, EngineSettings};
use voicesurvey::simulator::{SimulatedProvider, WebhookSink};

use super::faults::Fault;
use super::ports::Ports;
use super::shared::{Line, Order, Shared};

/// Reading the lexicons takes longer than a run.
static INTERPRETER: LazyLock<Arc<RulesInterpreter>> =
    LazyLock::new(|| Arc::new(RulesInterpreter::new()));

/// All servers of one run.
pub(super) struct Fleet {
    pub(super) seed: u64,
    pub(super) shared: Arc<Shared>,
    pub(super) storage: Arc<dyn Storage>,
    pub(super) queue: Arc<dyn TaskQueue>,
    pub(super) providers: Vec<Arc<SimulatedProvider>>,
    pub(super) claim_at_most: u16,
    /// Whether calls have a price.
    pub(super) priced: bool,
    /// Whether one server at a time does what need not be done twice.
    pub(super) has_leader: bool,
    /// What each server made of itself when it started last.
    pub(super) started: Mutex<Vec<Option<Serving>>>,
}

/// One life of one server.
#[derive(Clone, Debug)]
pub(super) struct Serving {
    pub(super) line: Line,
    pub(super) ports: Arc<Ports>,
    pub(super) engine: Engine,
    pub(super) ids: Arc<IdGenerator>,
    /// As which leader it does its duties; `None` if it need not be one.
    leads_in: Option<Arc<AtomicU64>>,
}

impl Fleet {
    /// The server, if it is up.
    pub(super) fn server(&self, server: usize) -> Option<Serving> {
        self.of_server(server, Serving::clone)
    }

    /// Something of the server, if it is up. After a death it starts with an empty memory.
    fn of_server<T>(&self, server: usize, something: impl FnOnce(&Serving) -> T) -> Option<T> {
        let present = self.shared.state().servers[server];
        if present.up_at.is_some() {
            return None;
        }
        let mut started = self.started.lock().unwrap_or_else(PoisonError::into_inner);
        let length = started.len().max(server + 1);
        started.resize(length, None);
        let serving = started[server]
            .take()
            .filter(|serving| serving.line.life == present.life)
            .unwrap_or_else(|| self.start(server, present.life));
        Some(something(started[server].insert(serving)))
    }

    /// Any server that is up; `None` if none is.
    pub(super) fn any_server(&self) -> Option<Serving> {
        let server = {
            let mut state = self.shared.state();
            let up: Vec<usize> = (0..state.servers.len())
                .filter(|&server| state.servers[server].up_at.is_none())
                .collect();
            if up.is_empty() {
                return None;
            }
            state.chance.pick(&up)
        };
        self.server(server)
    }

    /// The provider accounts that servers use which are up.
    pub(super) fn accounts(&self) -> BTreeSet<&'static str> {
        let servers = self.shared.state().servers.len();
        let account = |server| self.of_server(server, |serving| serving.ports.name());
        (0..servers).filter_map(account).collect()
    }

    fn start(&self, server: usize, life: u32) -> Serving {
        #[cfg(feature = "planted-bugs")]
        voicesurvey::planted::server_started();
        let present = Line {
            shared: self.shared.clone(),
            server,
            life,
        };
        let ports = Ports {
            line: present.clone(),
            storage: self.storage.clone(),
            queue: self.queue.clone(),
            providers: self.providers.clone(),
            provider: usize::from(self.changes_provider(life)),
            one_at_a_time: self.recovered_at_once() == NonZeroU16::MIN,
            priced: self.priced,
            leads_in: None,
        };
        let leads_in = self.has_leader.then(Arc::default);
        let duties = Arc::new(Ports {
            leads_in: leads_in.clone(),
            ..ports.clone()
        });
        let ports = Arc::new(ports);
        let life_of_all = u64::try_from(server).unwrap() * 1000 + u64::from(life);
        let ids = IdGenerator::from_seed(
            self.shared.clock.clone(),
            self.seed.wrapping_mul(1_000_003) ^ life_of_all,
        );
        let ids = Arc::new(ids);
        let own = self.parts(ports.clone(), ports.clone(), ports.clone(), &ids);
        let duties = DutyPorts {
            storage: duties.clone(),
            queue: duties,
        };
        Serving {
            line: present,
            engine: Engine::with_duties(own, duties),
            ports,
            ids,
            leads_in,
        }
    }

    /// An engine without faults, to set up and to clean up with.
    pub(super) fn engine_of_operator(&self, ids: &Arc<IdGenerator>) -> Engine {
        let (storage, queue) = (self.storage.clone(), self.queue.clone());
        Engine::new(self.parts(storage, queue, self.providers[0].clone(), ids))
    }

    fn parts(
        &self,
        storage: Arc<dyn Storage>,
        queue: Arc<dyn TaskQueue>,
        provider: Arc<dyn TelephonyProvider>,
        ids: &Arc<IdGenerator>,
    ) -> EngineParts {
        EngineParts {
            storage,
            queue,
            provider,
            interpreter: INTERPRETER.clone(),
            clock: self.shared.clock.clone(),
            ids: ids.clone(),
            wake_up: Arc::new(NoWakeUp),
            settings: EngineSettings {
                claim_at_most: self.claim_at_most,
                ..EngineSettings::default()
            },
        }
    }

    fn changes_provider(&self, life: u32) -> bool {
        // The first life of all servers uses the first provider, so that a change is one.
        life > 0 && self.shared.happens(Fault::ProviderChanged, 500)
    }

    /// How many attempts are looked after at once. One at a time where it must be known whose a
    /// unit of work is, and where a store's I/O would decide the order.
    fn recovered_at_once(&self) -> NonZeroU16 {
        let several = self.claim_at_most > 1 && self.shared.order == Order::Interleaved;
        NonZeroU16::new(if several { 4 } else { 1 }).unwrap()
    }
}

impl fmt::Debug for Fleet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fleet").finish_non_exhaustive()
    }
}

impl Serving {
    /// One step of the server, in the order in which it happens to get to it.
    pub(super) async fn step(self, fleet: Arc<Fleet>, by_tick: bool, duties_first: bool) {
        let line = self.line.clone();
        let at_once = fleet.recovered_at_once();
        let step = async move {
            if duties_first {
                self.duties(at_once).await;
            }
            self.dispatch(by_tick).await;
            if !duties_first {
                self.duties(at_once).await;
            }
        };
        line.run(step).await;
    }

    /// What fails is tried again by the next step. Who loses the leadership meanwhile goes on to
    /// the end of the step.
    async fn duties(&self, at_once: NonZeroU16) {
        if let Some(leads_in) = &self.leads_in {
            let Some(epoch) = self.line.leads() else {
                return;
            };
            leads_in.store(epoch, Ordering::Relaxed);
        }
        drop(self.engine.scheduler().tick().await);
        drop(self.engine.recovery().tick(at_once).await);
        drop(self.engine.scheduler().finish_done().await);
    }

    async fn dispatch(&self, by_tick: bool) {
        if by_tick {
            drop(self.engine.dispatcher().tick().await);
            return;
        }
        let claim = self.engine.dispatcher().claim().await.unwrap_or_default();
        for claimed in claim.tasks {
            let dial = Box::pin(self.clone().dial(claimed));
            match self.line.shared.order {
                Order::Interleaved => {
                    let mut state = self.line.shared.state();
                    state.begun.push(("dial", dial));
                }
                Order::OneByOne => dial.await,
            }
        }
    }

    async fn dial(self, claimed: ClaimedTask) {
        let dial = self.engine.dispatcher().dial(claimed);
        // A dial that was not recorded is looked after by recovery.
        drop(Box::pin(self.line.run(dial)).await);
    }
}

/// Brings each webhook to any server that is up, and the reply back if the server outlives it.
pub(super) struct Network(pub(super) Arc<Fleet>);

impl Network {
    /// Brings a request to a server that may not answer.
    pub(super) async fn deliver_once(&self, request: WebhookRequest) -> WebhookReply {
        let lost = WebhookReply {
            status: 503,
            ..WebhookReply::empty()
        };
        let Some(serving) = self.0.any_server() else {
            return lost;
        };
        let delivery = serving.engine.webhooks().deliver(request);
        serving.line.run(delivery).await.unwrap_or(lost)
    }
}

#[async_trait]
impl WebhookSink for Network {
    async fn deliver(&self, request: WebhookRequest) -> WebhookReply {
        self.deliver_once(request).await
    }
}
