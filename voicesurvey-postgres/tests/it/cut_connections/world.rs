//! One database, two engines on it, of which one is connected by way of a proxy, and a provider
//! that writes down every order.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use sqlx::postgres::PgConnection;
use sqlx::{Connection as _, Executor as _};
use voicesurvey_core::conversation::VoiceReply;
use voicesurvey_core::id::{CallAttemptId, CompanyId, IdGenerator};
use voicesurvey_core::interpretation::rules::RulesInterpreter;
use voicesurvey_core::outcome::Outcome;
use voicesurvey_core::ports::{
    CallOrder, CallReference, Cancellation, FoundCall, NoWakeUp, PlaceCallError, Placed,
    ProviderError, Scope, Storage as _, TelephonyProvider, Webhook, WebhookError, WebhookReply,
    WebhookRequest,
};
use voicesurvey_core::service::{Engine, EngineParts, EngineSettings};
use voicesurvey_core::testing::samples;
use voicesurvey_core::time::{Clock, ManualClock, Timestamp};
use voicesurvey_postgres::testing::TestDatabase;
use voicesurvey_postgres::{PostgresOptions, PostgresStorage};
use voicesurvey_simulator::{SimulatedProvider, SimulationSettings};

use crate::proxy::Proxy;

/// What the provider says to the first order of a trial.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    Taken,
    Rejected,
    /// The answer is lost, and the telephone rings.
    LostAndRings,
    /// The order is lost, and no telephone rings.
    LostBefore,
}

/// The simulated provider, with an answer of the test's choice to the next order. It writes down
/// every order, also those that lead to no call.
#[derive(Debug)]
pub(super) struct Provider {
    pub(super) simulated: SimulatedProvider,
    next_answer: Mutex<Answer>,
    ordered: Mutex<HashSet<CallAttemptId>>,
}

impl Provider {
    pub(super) fn answers(&self, answer: Answer) {
        *self.next_answer.lock().unwrap() = answer;
    }

    /// How many orders there were.
    pub(super) fn orders(&self) -> usize {
        self.ordered.lock().unwrap().len()
    }
}

#[async_trait]
impl TelephonyProvider for Provider {
    fn name(&self) -> &'static str {
        self.simulated.name()
    }

    async fn place_call(&self, order: &CallOrder) -> Result<Placed, PlaceCallError> {
        let is_new = self.ordered.lock().unwrap().insert(order.attempt_id);
        assert!(is_new, "I3: {} was ordered twice", order.attempt_id);
        let answer = {
            let mut next = self.next_answer.lock().unwrap();
            // Whom the provider rejects it rejects again.
            let then = if *next == Answer::Rejected {
                *next
            } else {
                Answer::Taken
            };
            std::mem::replace(&mut *next, then)
        };
        let lost = || PlaceCallError::Unknown {
            source: "the connection was closed before the answer came".into(),
        };
        match answer {
            Answer::Taken => self.simulated.place_call(order).await,
            Answer::LostAndRings => {
                self.simulated.place_call(order).await?;
                Err(lost())
            }
            Answer::LostBefore => Err(lost()),
            Answer::Rejected => Err(PlaceCallError::Rejected {
                code: "not_allowed".to_owned(),
                outcome: Outcome::ProviderRejected,
            }),
        }
    }

    async fn find_call(&self, call: &CallReference) -> Result<FoundCall, ProviderError> {
        self.simulated.find_call(call).await
    }

    async fn cancel(&self, _call: &CallReference) -> Result<Cancellation, ProviderError> {
        Ok(Cancellation::GoesOn)
    }

    async fn hang_up(&self, call: &CallReference) -> Result<(), ProviderError> {
        self.simulated.hang_up(call).await
    }

    fn read_webhook(
        &self,
        request: &WebhookRequest,
        now: Timestamp,
    ) -> Result<Webhook, WebhookError> {
        self.simulated.read_webhook(request, now)
    }

    fn write_reply(&self, call: &CallReference, reply: &VoiceReply) -> WebhookReply {
        self.simulated.write_reply(call, reply)
    }
}

/// Where trials take place. Each leaves nothing to do, so that the next one is alone.
pub(super) struct World {
    pub(super) clock: Arc<ManualClock>,
    pub(super) provider: Arc<Provider>,
    pub(super) storage: PostgresStorage,
    /// On the database itself.
    pub(super) direct: Engine,
    /// By way of the proxy, with one connection, so that its messages come in one order.
    pub(super) proxied: Engine,
    pub(super) proxy: Proxy,
    behind_the_proxy: PostgresStorage,
    connection: tokio::sync::Mutex<PgConnection>,
    _database: TestDatabase,
}

impl World {
    pub(super) async fn with(settings: SimulationSettings) -> Self {
        let database = TestDatabase::create().await;
        let proxy = Proxy::before(database.url()).await;
        let one = PostgresOptions {
            max_connections: 1,
            ..PostgresOptions::default()
        };
        let behind_the_proxy = PostgresStorage::connect(proxy.url(), &one).await.unwrap();
        let mut connection = PgConnection::connect(database.url()).await.unwrap();
        let see_all = "SET voicesurvey.scope = 'platform'";
        connection.execute(see_all).await.unwrap();
        let clock = Arc::new(ManualClock::new(samples::now()));
        let ids = Arc::new(IdGenerator::from_seed(clock.clone(), 1));
        let provider = Arc::new(Provider {
            simulated: SimulatedProvider::new(clock.clone(), settings),
            next_answer: Mutex::new(Answer::Taken),
            ordered: Mutex::default(),
        });
        let engine = |storage: &PostgresStorage| {
            Engine::new(EngineParts {
                storage: Arc::new(storage.clone()),
                queue: Arc::new(storage.clone()),
                provider: provider.clone(),
                interpreter: Arc::new(RulesInterpreter::new()),
                clock: clock.clone(),
                ids: ids.clone(),
                wake_up: Arc::new(NoWakeUp),
                settings: EngineSettings::default(),
            })
        };
        Self {
            direct: engine(database.storage()),
            proxied: engine(&behind_the_proxy),
            storage: database.storage().clone(),
            clock,
            provider,
            proxy,
            behind_the_proxy,
            connection: tokio::sync::Mutex::new(connection),
            _database: database,
        }
    }

    /// Makes sure that there is a connection by way of the proxy, so that signing on is not counted.
    pub(super) async fn connect(&self) {
        let work = self.behind_the_proxy.begin(Scope::Platform).await.unwrap();
        work.commit().await.unwrap();
    }

    /// What a statement says about one company, each row one line, in order.
    pub(super) async fn lines(&self, sql: &'static str, company_id: CompanyId) -> Vec<String> {
        let select = sqlx::query_scalar(sql).bind(company_id.as_uuid());
        let mut connection = self.connection.lock().await;
        let mut lines: Vec<String> = select.fetch_all(&mut *connection).await.unwrap();
        lines.sort_unstable();
        lines
    }

    /// Moves the clock forward to that instant, if it is not there yet.
    pub(super) fn wait_until(&self, at: Timestamp) {
        self.clock.set(at.max(self.clock.now()));
    }
}

impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("World").finish_non_exhaustive()
    }
}
