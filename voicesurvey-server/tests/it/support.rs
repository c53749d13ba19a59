//! A whole server for a test: the real router on a port of its own, over memory, with a clock that
//! stands still and people who are simulated.

mod caller;
pub(crate) mod line;
mod storage;
pub(crate) mod twilio;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use voicesurvey_core::api_key::Role;
use voicesurvey_core::company::CompanyLimits;
use voicesurvey_core::id::{CompanyId, IdGenerator};
use voicesurvey_core::interpretation::rules::RulesInterpreter;
use voicesurvey_core::language::Language;
use voicesurvey_core::memory::MemoryStorage;
use voicesurvey_core::phone_number::Region;
use voicesurvey_core::ports::{NoWakeUp, Storage, TelephonyProvider, WebhookReply, WebhookRequest};
use voicesurvey_core::service::{EngineParts, EngineSettings, NewApiKey, NewCompany};
use voicesurvey_core::testing::samples;
use voicesurvey_core::time::{Clock as _, ManualClock};
use voicesurvey_server::api;
use voicesurvey_server::app::{App, HttpSettings};
use voicesurvey_simulator::{Population, SimulatedProvider, SimulationSettings, WebhookSink};

pub(crate) use self::caller::{Answer, Caller, redacted, shown};
pub(crate) use self::storage::UnreachableStorage;

/// The operator's token.
pub(crate) const OPERATOR_TOKEN: &str = "the operator's token";

/// The largest call list.
pub(crate) const LARGEST_UPLOAD_BYTES: usize = 1 << 20;

/// A body of A, as it stands.
pub(crate) const CAMPAIGN_OF_A: &str = include_str!("../../../tests/data/seed-a-campaign-1.json");

/// A running server.
pub(crate) struct TestApp {
    /// What stands behind it.
    pub(crate) app: App,
    /// It is half past ten on a Friday in Rome.
    pub(crate) clock: Arc<ManualClock>,
    /// Who dials, unless the test brought its own provider.
    pub(crate) simulator: Arc<SimulatedProvider>,
    base_url: String,
    client: reqwest::Client,
    server: JoinHandle<()>,
    /// Where files are kept while they are read.
    _upload_folder: tempfile::TempDir,
}

/// A company of the server, with what its people may do.
pub(crate) struct TestCompany<'a> {
    app: &'a TestApp,
    pub(crate) id: CompanyId,
}

impl TestApp {
    /// A server over memory, whose people pick up, consent and answer.
    pub(crate) async fn start() -> Self {
        let memory = MemoryStorage::default().with_number_keys(samples::number_keys());
        Self::start_over(None, Arc::new(memory.clone()), memory).await
    }

    /// A server with that provider, or the simulated one, over a store that the engine does not use.
    pub(crate) async fn start_with(
        provider: Option<Arc<dyn TelephonyProvider>>,
        storage: Arc<dyn Storage>,
    ) -> Self {
        let memory = MemoryStorage::default();
        Self::start_over(provider, storage, memory).await
    }

    /// A server with that provider, or the simulated one, over two stores, which may be one.
    pub(crate) async fn start_over(
        provider: Option<Arc<dyn TelephonyProvider>>,
        storage: Arc<dyn Storage>,
        queue: MemoryStorage,
    ) -> Self {
        Self::start_with_people(provider, storage, queue, willing_people()).await
    }

    /// A server over memory, whose people are these, with its store.
    pub(crate) async fn start_among(people: SimulationSettings) -> (Self, MemoryStorage) {
        let memory = MemoryStorage::default().with_number_keys(samples::number_keys());
        let storage = Arc::new(memory.clone());
        let app = Self::start_with_people(None, storage, memory.clone(), people).await;
        (app, memory)
    }

    async fn start_with_people(
        provider: Option<Arc<dyn TelephonyProvider>>,
        storage: Arc<dyn Storage>,
        queue: MemoryStorage,
        people: SimulationSettings,
    ) -> Self {
        let clock = Arc::new(ManualClock::new("2026-11-20T09:30:00Z".parse().unwrap()));
        let simulator = Arc::new(SimulatedProvider::new(clock.clone(), people));
        let parts = EngineParts {
            storage,
            queue: Arc::new(queue),
            provider: provider.unwrap_or_else(|| simulator.clone()),
            interpreter: Arc::new(RulesInterpreter::new()),
            clock: clock.clone(),
            ids: Arc::new(IdGenerator::from_seed(clock.clone(), 7)),
            wake_up: Arc::new(NoWakeUp),
            settings: EngineSettings::default(),
        };
        let upload_folder = tempfile::tempdir().unwrap();
        let http = HttpSettings {
            operator_token: Some(OPERATOR_TOKEN.to_owned()),
            largest_upload_bytes: LARGEST_UPLOAD_BYTES,
            upload_folder: upload_folder.path().to_owned(),
            public_url: "https://surveys.example".to_owned(),
            keep_exports_for: chrono::TimeDelta::hours(24),
        };
        let app = App::new(parts, http);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base_url = format!("http://{}", listener.local_addr().unwrap());
        let router = api::router(app.clone());
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        let client = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(Duration::from_secs(30))
            .build()
            .unwrap();
        Self {
            app,
            clock,
            simulator,
            base_url,
            client,
            server,
            _upload_folder: upload_folder,
        }
    }

    /// Where the server listens: host and port.
    pub(crate) fn address(&self) -> &str {
        self.base_url.trim_start_matches("http://")
    }

    /// A new company in Rome.
    pub(crate) async fn company(&self, name: &str) -> TestCompany<'_> {
        let new = NewCompany {
            name: name.to_owned(),
            time_zone: "Europe/Rome".parse().unwrap(),
            region: Region::IT,
            language: Language::It,
            limits: CompanyLimits::default(),
        };
        let company = self.app.companies.create(new).await.unwrap();
        TestCompany {
            app: self,
            id: company.id,
        }
    }

    /// Somebody without a token.
    pub(crate) fn anonymous(&self) -> Caller {
        Caller::new(self.client.clone(), &self.base_url, None)
    }

    /// Somebody with that token.
    pub(crate) fn holder_of(&self, token: &str) -> Caller {
        Caller::new(self.client.clone(), &self.base_url, Some(token.to_owned()))
    }

    /// Whoever runs the installation.
    pub(crate) fn operator(&self) -> Caller {
        self.holder_of(OPERATOR_TOKEN)
    }

    /// Lets the engine do what is due, so many times, at this moment: calls are in progress then.
    pub(crate) async fn engine_steps(&self, steps: u8) {
        for _ in 0..steps {
            self.app.engine.step().await.unwrap();
        }
    }

    /// Lets time pass until nothing is left to happen.
    pub(crate) async fn run_to_the_end(&self) {
        for _ in 0..10_000 {
            while self.app.engine.step().await.unwrap() > 0 {}
            self.simulator.deliver_due(self).await;
            let engine = self.app.engine.next_step_at().await.unwrap();
            let Some(next) = engine
                .into_iter()
                .chain(self.simulator.next_event_at())
                .min()
            else {
                return;
            };
            self.clock.set(next.max(self.clock.now()));
        }
        panic!("something is due again and again");
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// The simulated provider's webhooks go the way of real ones.
#[async_trait]
impl WebhookSink for TestApp {
    async fn deliver(&self, request: WebhookRequest) -> WebhookReply {
        let path = format!("/webhooks/simulated/{}", request.endpoint);
        let headers = request.headers.iter();
        let headers: Vec<_> = headers.map(|(name, value)| (&**name, &**value)).collect();
        let answer = self
            .anonymous()
            .post_raw(&path, &headers, request.body)
            .await;
        WebhookReply {
            status: answer.status,
            content_type: answer.header("content-type").map(|_| "application/json"),
            body: answer.body,
        }
    }
}

impl TestCompany<'_> {
    /// Somebody who may do everything.
    pub(crate) async fn admin(&self) -> Caller {
        self.caller(Role::Admin).await
    }

    /// Somebody who runs campaigns.
    pub(crate) async fn manager(&self) -> Caller {
        self.caller(Role::Manager).await
    }

    /// Somebody who reads.
    pub(crate) async fn viewer(&self) -> Caller {
        self.caller(Role::Viewer).await
    }

    async fn caller(&self, role: Role) -> Caller {
        let new = NewApiKey {
            name: format!("the {role}'s key"),
            role,
            expires_at: None,
        };
        let companies = &self.app.app.companies;
        let (_, secret) = companies.create_first_key(self.id, new).await.unwrap();
        self.app.holder_of(secret.reveal())
    }
}

/// People who pick up at once, consent, and answer every question.
fn willing_people() -> SimulationSettings {
    SimulationSettings {
        seed: 7,
        population: Population::willing(),
        ..SimulationSettings::default()
    }
}
