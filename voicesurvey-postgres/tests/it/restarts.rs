//! PostgreSQL is killed and restarted under load, with durable commits.
//!
//! An engine calls a few hundred people over the simulator while the database dies under it, between
//! two steps and in the middle of one. While it is down steps fail; afterwards the store connects
//! again by itself. At the end nobody was dialed twice for one attempt, what was acknowledged is
//! there, and every counter equals its rows.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use chrono::TimeDelta;
use rand::rngs::ChaCha12Rng;
use rand::{RngExt as _, SeedableRng as _};
use sqlx::postgres::PgConnection;
use sqlx::{Connection as _, Executor as _};
use voicesurvey_core::campaign::{Campaign, CampaignStatus};
use voicesurvey_core::company::Company;
use voicesurvey_core::id::IdGenerator;
use voicesurvey_core::interpretation::rules::RulesInterpreter;
use voicesurvey_core::ports::{
    Audit as _, NoWakeUp, Scope, Storage as _, StorageError, WebhookReply, WebhookRequest,
};
use voicesurvey_core::service::{Engine, EngineParts, EngineSettings};
use voicesurvey_core::testing::samples::{self, SampleCampaign as _};
use voicesurvey_core::time::{Clock as _, ManualClock};
use voicesurvey_postgres::testing::PrivateCluster;
use voicesurvey_postgres::{PostgresOptions, PostgresStorage};
use voicesurvey_simulator::{SimulatedProvider, SimulationSettings, WebhookSink};

use crate::proxy::Proxy;
use crate::support::texts;

const SEED: u64 = 11;
const PEOPLE: u32 = 150;
const RESTARTS: u32 = 10;
/// At most so many messages pass between two restarts.
const MESSAGES_BETWEEN: u64 = 3_000;
/// What happens within this time is dealt with in one step.
const A_WHILE: TimeDelta = TimeDelta::seconds(4);
/// Steps that fail before the database is started again.
const STEPS_WHILE_DOWN: usize = 2;
/// More than it ever takes: whoever takes them goes in circles.
const MOST_STEPS: usize = 50_000;

/// Webhooks that were answered with a success, by endpoint and in the provider's own words.
#[derive(Debug, Default)]
struct Acknowledged(Mutex<Vec<(String, serde_json::Value)>>);

/// Everything that lives as long as the test.
struct World {
    cluster: Arc<PrivateCluster>,
    proxy: Proxy,
    storage: PostgresStorage,
    clock: Arc<ManualClock>,
    provider: Arc<SimulatedProvider>,
    engine: Engine,
    company: Company,
    campaign: Campaign,
    acknowledged: Acknowledged,
    /// Numbers whose exclusion was acknowledged: writes of somebody else, at any time.
    excluded: Mutex<Vec<String>>,
    url: String,
}

#[async_trait]
impl WebhookSink for World {
    async fn deliver(&self, request: WebhookRequest) -> WebhookReply {
        let body = serde_json::from_slice(&request.body).unwrap();
        let endpoint = request.endpoint.clone();
        let reply = self.engine.webhooks().deliver(request).await;
        if reply.status < 300 {
            self.acknowledged.0.lock().unwrap().push((endpoint, body));
        }
        reply
    }
}

impl World {
    async fn new() -> Self {
        let cluster = tokio::task::spawn_blocking(PrivateCluster::start);
        let cluster = Arc::new(cluster.await.unwrap());
        let url = cluster.create_database().await;
        let proxy = Proxy::before(&url).await;
        let options = PostgresOptions {
            connect_timeout: Duration::from_secs(1),
            ..PostgresOptions::default()
        };
        let storage = PostgresStorage::connect(proxy.url(), &options).await;
        let storage = storage.unwrap();
        let clock = Arc::new(ManualClock::new(samples::now()));
        let settings = SimulationSettings {
            seed: SEED,
            ..SimulationSettings::default()
        };
        let provider = Arc::new(SimulatedProvider::new(clock.clone(), settings));
        let engine = Engine::new(EngineParts {
            storage: Arc::new(storage.clone()),
            queue: Arc::new(storage.clone()),
            provider: provider.clone(),
            interpreter: Arc::new(RulesInterpreter::new()),
            clock: clock.clone(),
            ids: Arc::new(IdGenerator::from_seed(clock.clone(), SEED)),
            wake_up: Arc::new(NoWakeUp),
            settings: EngineSettings::default(),
        });
        let company = samples::company();
        let campaign = samples::campaign(&company).with_lines(20).running();
        let mut work = storage.begin(Scope::Platform).await.unwrap();
        work.companies().insert(&company).await.unwrap();
        let skillbase = samples::skillbase(&company);
        work.skillbases().insert(&skillbase).await.unwrap();
        work.campaigns().insert(&campaign).await.unwrap();
        let tasks = samples::tasks(&campaign, 1, PEOPLE);
        work.call_tasks().insert_many(&tasks).await.unwrap();
        work.commit().await.unwrap();
        Self {
            cluster,
            proxy,
            storage,
            clock,
            provider,
            engine,
            company,
            campaign,
            acknowledged: Acknowledged::default(),
            excluded: Mutex::default(),
            url,
        }
    }

    /// One step of a server's life: what is due is done, or the clock moves on. The people on the
    /// telephone go on talking whether or not there is a database.
    async fn step(&self) -> Result<(), StorageError> {
        let excluded = self.exclude_somebody().await;
        let moved = self.engine.step().await;
        if !matches!(moved, Ok(1..)) {
            let due = self.engine.next_step_at().await.ok().flatten();
            let told = self.provider.next_event_at();
            if let Some(next) = due.into_iter().chain(told).min() {
                self.clock.set(next.max(self.clock.now()) + A_WHILE);
            }
            self.provider.deliver_due(self).await;
        }
        excluded?;
        moved.map(drop)
    }

    /// A member of staff excludes a number that is on no list.
    async fn exclude_somebody(&self) -> Result<(), StorageError> {
        let serial = self.excluded.lock().unwrap().len();
        let number = samples::phone_number(9_000_000 + u32::try_from(serial).unwrap());
        let scope = Scope::Company(self.company.id);
        let mut work = self.storage.begin(scope).await?;
        let exclusion = samples::exclusion(&self.company, number);
        work.exclusions().insert(&exclusion).await?;
        work.commit().await?;
        self.excluded.lock().unwrap().push(number.to_string());
        Ok(())
    }

    async fn is_over(&self) -> Result<bool, StorageError> {
        let scope = Scope::Company(self.company.id);
        let mut work = self.storage.begin(scope).await?;
        let campaign = work.campaigns().get(self.campaign.id).await?;
        Ok(campaign.unwrap().status == CampaignStatus::Completed)
    }

    /// Steps until that many messages have passed. Every second time the database dies there and
    /// then, in the middle of a step, and otherwise after it.
    async fn work_until_killed(&self, restart: u32, messages: u64) {
        self.proxy.arm(None);
        let in_the_middle = restart.is_multiple_of(2);
        let kill = async {
            self.proxy.has_passed(messages).await;
            if in_the_middle {
                self.stop(restart).await;
            }
        };
        tokio::pin!(kill);
        for _ in 0..MOST_STEPS {
            let mut is_dead = false;
            let step = self.step();
            tokio::pin!(step);
            tokio::select! {
                biased;
                () = &mut kill => is_dead = true,
                _ = &mut step => {}
            }
            if is_dead {
                // The step that it happened in comes to its end, whatever that is.
                let _ = step.await;
                break;
            }
            let over = self.is_over().await.unwrap_or(false);
            assert!(!over, "the campaign is too short");
        }
        if !in_the_middle {
            self.stop(restart).await;
        }
    }

    /// Steps until so many steps have failed. The processes of a server that was killed may serve
    /// their connections for a moment longer.
    async fn fail(&self, failures: usize) {
        let mut failed = 0;
        for _ in 0..MOST_STEPS {
            match self.step().await {
                Ok(()) => {}
                Err(StorageError::Unavailable(_)) => failed += 1,
                Err(error) => panic!("the database is down, and the store says: {error:?}"),
            }
            if failed == failures {
                return;
            }
        }
        panic!("the database does not go down");
    }

    async fn stop(&self, restart: u32) {
        let cluster = self.cluster.clone();
        let stop = tokio::task::spawn_blocking(move || {
            if restart % 4 < 2 {
                cluster.kill();
            } else {
                cluster.stop_immediately();
            }
        });
        stop.await.unwrap();
    }

    async fn start_again(&self) {
        let cluster = self.cluster.clone();
        let start = tokio::task::spawn_blocking(move || cluster.start_again());
        start.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_survives_and_nobody_is_called_twice() {
    let world = World::new().await;
    let mut random = ChaCha12Rng::seed_from_u64(SEED);
    for restart in 0..RESTARTS {
        let messages = random.random_range(MESSAGES_BETWEEN / 4..MESSAGES_BETWEEN);
        world.work_until_killed(restart, messages).await;
        world.fail(STEPS_WHILE_DOWN).await;
        world.start_again().await;
    }
    let mut steps = 0;
    while !world.is_over().await.unwrap() {
        world.step().await.unwrap();
        steps += 1;
        assert!(steps < MOST_STEPS, "I7: the campaign never ends");
    }
    judge(&world).await;
}

async fn judge(world: &World) {
    let mut connection = PgConnection::connect(&world.url).await.unwrap();
    let see_all = "SET voicesurvey.scope = 'platform'";
    connection.execute(see_all).await.unwrap();
    let ledger = world.provider.ledger();
    assert_eq!(ledger.dialed_twice(), [], "I3");
    let at_once = ledger.rung_at_once();
    assert!(at_once.is_empty(), "I3: {at_once:#?}");
    assert!(ledger.rings().len() > PEOPLE as usize, "people were called");
    // I2: every call that was placed has its attempt, and knows how it ended.
    let attempts = texts(&mut connection, "SELECT id::text FROM call_attempts").await;
    for ring in ledger.rings() {
        assert!(attempts.contains(&ring.attempt_id.to_string()), "{ring:?}");
    }
    let open = "SELECT id::text FROM call_attempts WHERE state <> 'ended'
                UNION ALL SELECT id::text FROM call_tasks
                WHERE status IN ('pending', 'retry', 'in_progress')";
    assert_eq!(texts(&mut connection, open).await, [""; 0], "I7");
    let findings = world.storage.audit(world.clock.now()).await.unwrap();
    assert_eq!(findings, []);
    let torn =
        "SELECT attempt_id::text FROM conversations LEFT JOIN turns USING (company_id, attempt_id)
                GROUP BY company_id, attempt_id, conversations.turns
                HAVING max(sequence) <> count(sequence) OR count(sequence) <> conversations.turns";
    assert_eq!(
        texts(&mut connection, torn).await,
        [""; 0],
        "a turn is missing"
    );
    acknowledged_is_there(world, &mut connection).await;
}

async fn acknowledged_is_there(world: &World, connection: &mut PgConnection) {
    let excluded = texts(connection, "SELECT phone_number FROM exclusions").await;
    for number in world.excluded.lock().unwrap().iter() {
        assert!(excluded.contains(number), "{number} was excluded");
    }
    let events = "SELECT attempt_id || ' ' || event_id FROM call_events";
    let events = texts(connection, events).await;
    let steps = texts(
        connection,
        "SELECT attempt_id || ' ' || step FROM conversations",
    )
    .await;
    let steps: HashMap<&str, u64> = steps
        .iter()
        .filter_map(|line| line.split_once(' '))
        .map(|(attempt, step)| (attempt, step.parse().unwrap()))
        .collect();
    let acknowledged = world.acknowledged.0.lock().unwrap();
    let mut turns = 0;
    for (endpoint, body) in acknowledged.iter() {
        let attempt = body["attempt_id"].as_str().unwrap();
        match endpoint.as_str() {
            "events" => {
                let event = format!("{attempt} {}", body["event_id"].as_str().unwrap());
                assert!(events.contains(&event), "{event} was taken in");
            }
            "turn" => {
                let answered = body["step"].as_u64().unwrap();
                assert!(steps[attempt] > answered, "{body} was heard");
                turns += 1;
            }
            _ => {}
        }
    }
    assert!(turns > 50, "people spoke: {turns}");
}
