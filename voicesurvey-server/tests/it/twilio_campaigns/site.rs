//! An installation: servers on one database behind one public URL, the campaigns of a company, and
//! the clock of all of them.

use std::fmt::Write as _;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use axum::serve;
use chrono::{SubsecRound as _, TimeDelta};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use voicesurvey_core::id::IdGenerator;
use voicesurvey_core::interpretation::rules::RulesInterpreter;
use voicesurvey_core::ports::{NoWakeUp, WakeUp};
use voicesurvey_core::service::{Companies, EngineParts, EngineSettings};
use voicesurvey_core::time::{Clock as _, ManualClock, Timestamp};
use voicesurvey_postgres::testing::TestDatabase;
use voicesurvey_postgres::{PostgresOptions, PostgresStorage};
use voicesurvey_server::api;
use voicesurvey_server::app::{App, HttpSettings};
use voicesurvey_twilio::{TwilioProvider, TwilioSettings};

use crate::servers::create_company;
use crate::support::twilio::PUBLIC_URL;
use crate::support::{Caller, LARGEST_UPLOAD_BYTES};
use crate::twilio_stand_in::{Faults, TwilioStandIn};

/// It is half past ten on a Friday in Rome.
const BEGINS_AT: &str = "2026-11-20T09:30:00Z";

/// When people are called, on the clock in Rome. So short that some calls wait at Twilio when they end.
pub(super) const HOURS: Range<u32> = 9..12;

/// How long nobody is called again who was not reached.
pub(super) const RETRY_INTERVAL: TimeDelta = TimeDelta::minutes(45);

/// Moments between host and Twilio from one kill to the next, at most.
const EXCHANGES_PER_KILL: u64 = 20;

/// The installation.
pub(super) struct Site {
    pub(super) database: TestDatabase,
    pub(super) clock: Arc<ManualClock>,
    pub(super) twilio: TwilioStandIn,
    pub(super) seed: u64,
    pub(super) campaigns: Vec<String>,
    key: String,
    /// The first one leads.
    servers: Mutex<Vec<Arc<Server>>>,
    bell: Arc<Bell>,
}

/// The bell of all servers, which rings until somebody has heard it.
#[derive(Debug, Default)]
struct Bell(AtomicBool);

impl Bell {
    fn rings(&self) -> bool {
        self.0.swap(false, Ordering::AcqRel)
    }
}

impl WakeUp for Bell {
    fn wake(&self) {
        self.0.store(true, Ordering::Release);
    }
}

/// A server in a runtime of its own, with which it can be killed.
struct Server {
    runtime: Mutex<Option<Runtime>>,
    app: App,
    url: String,
}

impl Server {
    async fn start(
        database_url: String,
        clock: Arc<ManualClock>,
        settings: TwilioSettings,
        bell: Arc<Bell>,
        seed: u64,
    ) -> Arc<Self> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let begun = runtime.spawn(async move {
            let options = PostgresOptions::default();
            let storage = PostgresStorage::connect(&database_url, &options).await;
            let storage = Arc::new(storage.unwrap());
            let parts = EngineParts {
                storage: storage.clone(),
                queue: storage,
                provider: Arc::new(TwilioProvider::new(settings, clock.clone()).unwrap()),
                interpreter: Arc::new(RulesInterpreter::new()),
                clock: clock.clone(),
                ids: Arc::new(IdGenerator::from_seed(clock, seed)),
                wake_up: bell,
                settings: EngineSettings::default(),
            };
            let http = HttpSettings {
                operator_token: None,
                largest_upload_bytes: LARGEST_UPLOAD_BYTES,
                upload_folder: std::env::temp_dir(),
                public_url: PUBLIC_URL.to_owned(),
                keep_exports_for: chrono::TimeDelta::hours(24),
            };
            let app = App::new(parts, http);
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let url = format!("http://{}", listener.local_addr().unwrap());
            let router = api::router(app.clone());
            tokio::spawn(async move { serve(listener, router).await.unwrap() });
            (app, url)
        });
        let (app, url) = begun.await.unwrap();
        Arc::new(Self {
            runtime: Mutex::new(Some(runtime)),
            app,
            url,
        })
    }

    /// Lets the server do something; nothing comes of it if it is killed meanwhile.
    async fn lets<T: Send + 'static>(
        &self,
        what: impl Future<Output = T> + Send + 'static,
    ) -> Option<T> {
        let doing = self.runtime.lock().unwrap().as_ref()?.spawn(what);
        match doing.await {
            Ok(done) => Some(done),
            Err(error) if error.is_cancelled() => None,
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }

    /// Everything that it does stops where it is, and its connections close.
    fn kill(&self) {
        let runtime = self.runtime.lock().unwrap().take();
        runtime.into_iter().for_each(Runtime::shutdown_background);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

impl Site {
    pub(super) async fn start(seed: u64, faults: Faults, servers: usize) -> Self {
        let database = TestDatabase::create().await;
        let clock = Arc::new(ManualClock::new(BEGINS_AT.parse().unwrap()));
        let twilio = TwilioStandIn::start(clock.clone(), seed, faults).await;
        let storage = Arc::new(database.storage().clone());
        let ids = Arc::new(IdGenerator::from_seed(clock.clone(), seed));
        let companies = Companies::new(storage, clock.clone(), ids, Arc::new(NoWakeUp));
        let key = create_company(&companies).await;
        let site = Self {
            database,
            clock,
            twilio,
            seed,
            campaigns: Vec::new(),
            key,
            servers: Mutex::default(),
            bell: Arc::default(),
        };
        for number in 1..=servers {
            site.add_server(number as u64).await;
        }
        site
    }

    async fn add_server(&self, number: u64) {
        let (url, clock) = (self.database.url().to_owned(), self.clock.clone());
        let seed = self.seed * 1_000 + number;
        let bell = self.bell.clone();
        let server = Server::start(url, clock, self.twilio.settings(), bell, seed).await;
        self.servers.lock().unwrap().push(server);
        self.tell_where_servers_are();
    }

    fn tell_where_servers_are(&self) {
        let urls = self.running().iter().map(|it| it.url.clone()).collect();
        self.twilio.servers_are(urls);
    }

    fn running(&self) -> Vec<Arc<Server>> {
        self.servers.lock().unwrap().clone()
    }

    /// Somebody who may do everything.
    pub(super) fn admin(&self) -> Caller {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        Caller::new(client, &self.running()[0].url, Some(self.key.clone()))
    }

    /// Starts two campaigns with so many people each, of whom a quarter are on both lists.
    pub(super) async fn call(&mut self, contacts: usize) {
        let admin = self.admin();
        for (first, detection, recording) in [
            (0, "synchronous", false),
            (contacts * 3 / 4, "asynchronous", true),
        ] {
            let settings = settings(detection, recording);
            let created = admin.post("/api/campaigns", &settings).await;
            assert_eq!(created.status, 201, "{created}");
            let campaign = created.header("location").unwrap().to_owned();
            let numbers = first..first + contacts;
            let mut list = "phone,name\n".to_owned();
            for index in numbers {
                let number = self.seed * 1_000 + index as u64;
                writeln!(list, "+39347{number:07},\"Rossi & <{index}>\"").unwrap();
            }
            let path = format!("{campaign}/contacts/upload");
            let uploaded = admin.upload(&path, "list.csv", list).await;
            assert_eq!(uploaded.at("/created"), contacts, "{uploaded}");
            let started = admin.post_nothing(&format!("{campaign}/start")).await;
            assert_eq!(started.status, 200, "{started}");
            self.campaigns.push(campaign);
        }
    }

    /// Lets time pass until nothing is left to happen, and kills servers meanwhile.
    pub(super) async fn run_to_the_end(&self, kills: u64) {
        let killed = Mutex::new(0);
        tokio::select! {
            () = self.run() => {}
            () = self.kill_servers(kills, &killed) => {}
        }
        let killed = killed.into_inner().unwrap();
        assert_eq!(killed, kills, "it was over before the kills");
    }

    async fn run(&self) {
        let mut in_vain = 0;
        // When there is something to do for the servers, unless a bell rings before.
        let mut next_step = Some(self.clock.now());
        loop {
            let is_due = next_step.is_some_and(|at| at <= self.clock.now());
            if self.bell.rings() || is_due {
                while self.step().await > 0 {}
                next_step = self.next_step_at().await;
            }
            if self.twilio.deliver_due().await > 0 {
                in_vain = 0;
                continue;
            }
            let now = self.clock.now();
            let next_event = self.twilio.next_event_at();
            let Some(next) = next_step.into_iter().chain(next_event).min() else {
                if self.resume_paused().await {
                    continue;
                }
                return;
            };
            // What is due and brings nothing waits for something else.
            in_vain = if next > now { 0 } else { in_vain + 1 };
            assert!(in_vain < 1_000, "something is due again and again");
            let least = now + TimeDelta::milliseconds(if in_vain > 1 { 250 } else { 0 });
            self.clock.set(whole_second(next.max(least)));
        }
    }

    async fn step(&self) -> u64 {
        let servers = self.running();
        let steps = servers.iter().enumerate().map(|(index, server)| {
            let engine = server.app.engine.clone();
            server.lets(async move {
                let done = if index == 0 {
                    engine.step().await
                } else {
                    engine.dispatch().await
                };
                done.unwrap()
            })
        });
        let done = futures_util::future::join_all(steps).await;
        // Who was killed has left something to do.
        done.into_iter().map(|done| done.unwrap_or(1)).sum()
    }

    async fn next_step_at(&self) -> Option<Timestamp> {
        let leader = self.running().remove(0);
        let engine = leader.app.engine.clone();
        let next = async move { engine.next_step_at().await.unwrap() };
        let next = leader.lets(next).await;
        next.unwrap_or_else(|| Some(self.clock.now()))
    }

    /// Has campaigns go on that were paused because too much went wrong. Returns whether there were.
    async fn resume_paused(&self) -> bool {
        let admin = self.admin();
        let mut resumed = false;
        for campaign in &self.campaigns {
            let shown = admin.get(campaign).await;
            if shown.at("/status") == "paused" {
                let answer = admin.post_nothing(&format!("{campaign}/resume")).await;
                assert_eq!(answer.status, 200, "{answer}");
                self.bell.wake();
                resumed = true;
            }
        }
        resumed
    }

    /// Kills the leader or the other one, between two moments at which something was under way.
    async fn kill_servers(&self, kills: u64, killed: &Mutex<u64>) {
        for kill in 1..=kills {
            let mixed = (self.seed * 31 + kill).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 33;
            let mut trap = self.twilio.trap(1 + mixed % EXCHANGES_PER_KILL);
            trap.caught().await;
            let victim = usize::try_from(mixed / EXCHANGES_PER_KILL % 2).unwrap();
            let server = self.servers.lock().unwrap().remove(victim);
            server.kill();
            self.tell_where_servers_are();
            trap.release();
            self.bell.wake();
            *killed.lock().unwrap() += 1;
            self.add_server(100 + kill).await;
        }
        std::future::pending::<()>().await;
    }
}

/// So that what happens within a second happens side by side.
fn whole_second(at: Timestamp) -> Timestamp {
    let cut = at.trunc_subsecs(0);
    if cut == at {
        cut
    } else {
        cut + TimeDelta::seconds(1)
    }
}

fn settings(detection: &str, recording: bool) -> Value {
    json!({
        "name": "Caffè & <cornetto>",
        "language": "it",
        "intro_script": "Buongiorno. Possiamo farle tre domande?",
        "questions": [
            { "key": "mood", "text": "Come sta oggi?", "type": "free_text" },
            { "key": "score", "text": "Da 1 a 5, quanto è soddisfatto?", "type": "scale" },
            { "key": "coffee", "text": "Quanti caffè beve al giorno?", "type": "numeric" },
        ],
        "completion_message": "Grazie, abbiamo finito.",
        "allowed_call_start_local": format!("{:02}:00", HOURS.start),
        "allowed_call_end_local": format!("{:02}:00", HOURS.end),
        "max_concurrent_calls": 6,
        "calls_per_minute": 12,
        "max_attempts": 3,
        "retry_interval_minutes": RETRY_INTERVAL.num_minutes(),
        "machine_detection": detection,
        "recording": recording,
    })
}
