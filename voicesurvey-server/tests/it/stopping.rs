//! How the loops of a server work beside each other, how it stops, and how little a slow provider can
//! do about it.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::json;
use tokio::sync::watch;
use tokio::time::{Instant, timeout};
use voicesurvey_core::call_attempt::AttemptState;
use voicesurvey_core::conversation::VoiceReply;
use voicesurvey_core::id::IdGenerator;
use voicesurvey_core::interpretation::rules::RulesInterpreter;
use voicesurvey_core::ports::repositories::CallAttemptFilter;
use voicesurvey_core::ports::{
    CallOrder, CallReference, Cancellation, FoundCall, PageRequest, PlaceCallError, Placed,
    ProviderError, Scope, TelephonyProvider, Webhook, WebhookError, WebhookReply, WebhookRequest,
};
use voicesurvey_core::service::EngineSettings;
use voicesurvey_core::time::{SystemClock, Timestamp};
use voicesurvey_server::app::HttpSettings;
use voicesurvey_server::config::{DatabaseConfig, DatabaseUrl, NumberKeysSetting};
use voicesurvey_server::providers::Telephony;
use voicesurvey_server::scaled_clock::Pacer;
use voicesurvey_server::server::{self, STOPS_WITHIN, Server, ServerParts};
use voicesurvey_server::stores::{Purpose, Stores};
use voicesurvey_server::workers::WorkerSettings;

use crate::servers::{Api, Installation, create_company, open_day_and_night};

const PATIENCE: Duration = Duration::from_secs(30);

/// A provider that answers no order before it is told to.
#[derive(Debug)]
struct SlowProvider {
    orders: watch::Sender<usize>,
    answers: watch::Sender<bool>,
}

impl SlowProvider {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            orders: watch::Sender::new(0),
            answers: watch::Sender::new(false),
        })
    }

    async fn has_orders(&self, number: usize) {
        let mut orders = self.orders.subscribe();
        let come = orders.wait_for(|orders| *orders >= number);
        timeout(PATIENCE, come).await.expect("orders").unwrap();
    }
}

#[async_trait]
impl TelephonyProvider for SlowProvider {
    fn name(&self) -> &'static str {
        "slow"
    }

    async fn place_call(&self, order: &CallOrder) -> Result<Placed, PlaceCallError> {
        self.orders.send_modify(|orders| *orders += 1);
        let mut answers = self.answers.subscribe();
        answers.wait_for(|answers| *answers).await.unwrap();
        Ok(Placed {
            provider_call_id: order.attempt_id.to_string(),
        })
    }

    async fn find_call(&self, _: &CallReference) -> Result<FoundCall, ProviderError> {
        Ok(FoundCall::Unknown)
    }

    async fn cancel(&self, _call: &CallReference) -> Result<Cancellation, ProviderError> {
        Ok(Cancellation::GoesOn)
    }

    async fn hang_up(&self, _: &CallReference) -> Result<(), ProviderError> {
        Ok(())
    }

    fn read_webhook(&self, _: &WebhookRequest, _: Timestamp) -> Result<Webhook, WebhookError> {
        Err(WebhookError::BadSignature)
    }

    fn write_reply(&self, _: &CallReference, _: &VoiceReply) -> WebhookReply {
        WebhookReply::empty()
    }
}

/// A server in this process, over a file.
struct Running {
    server: Server,
    api: Api,
    key: String,
    campaign: String,
}

async fn open(directory: &Path) -> Stores {
    let url = format!("sqlite://{}", directory.join("survey.db").display());
    let config = DatabaseConfig {
        url: DatabaseUrl::try_from(url).unwrap(),
        max_connections: 10.try_into().unwrap(),
        number_keys: NumberKeysSetting::default(),
    };
    Stores::open(&config, Purpose::Serve).await.unwrap()
}

/// Starts a server that claims one task at a time, and a campaign with so many people.
async fn start(directory: &Path, provider: &Arc<SlowProvider>, people: u32) -> Running {
    let pacer: Arc<dyn Pacer> = Arc::new(SystemClock);
    let server = Server::start(ServerParts {
        listener: server::listen("127.0.0.1:0").await.unwrap(),
        stores: open(directory).await,
        telephony: Telephony {
            provider: provider.clone(),
            simulated: None,
        },
        interpreter: Arc::new(RulesInterpreter::new()),
        ids: Arc::new(IdGenerator::from_entropy(pacer.clone())),
        pacer,
        engine: EngineSettings {
            claim_at_most: 1,
            ..EngineSettings::default()
        },
        workers: WorkerSettings {
            poll: Duration::from_mins(10),
            ..WorkerSettings::default()
        },
        cluster: None,
        http: HttpSettings {
            operator_token: None,
            largest_upload_bytes: 1 << 20,
            upload_folder: std::env::temp_dir(),
            public_url: "https://surveys.example".to_owned(),
            keep_exports_for: chrono::TimeDelta::hours(24),
        },
    })
    .unwrap();
    let api = Api::new(format!("http://{}", server.address()));
    let key = create_company(&server.app().companies).await;
    let campaign = api.create_campaign(&key, &open_day_and_night()).await;
    let people: Vec<String> = (0..people)
        .map(|person| format!("+3933312345{person:02}"))
        .collect();
    let list = format!("phone\n{}\n", people.join("\n"));
    api.upload(&key, &campaign, &list).await;
    api.post(&key, &format!("{campaign}/start")).await;
    Running {
        server,
        api,
        key,
        campaign,
    }
}

/// The states of all attempts in the store.
async fn attempts(directory: &Path) -> Vec<AttemptState> {
    let stores = open(directory).await;
    let mut work = stores.storage.begin(Scope::Platform).await.unwrap();
    let page = work
        .call_attempts()
        .list(&CallAttemptFilter::default(), &PageRequest::first(100))
        .await
        .unwrap();
    drop(work);
    stores.close().await.unwrap();
    page.rows.iter().map(|attempt| attempt.state).collect()
}

#[tokio::test]
async fn a_provider_that_is_slow_to_answer_one_order_gets_the_next() {
    let directory = tempfile::tempdir().unwrap();
    let provider = SlowProvider::new();
    let running = start(directory.path(), &provider, 3).await;
    provider.has_orders(3).await;
    provider.answers.send_replace(true);
    running.server.stop().await;
}

#[tokio::test]
async fn a_server_that_stops_is_not_ready_claims_nothing_more_and_finishes_its_dials() {
    let directory = tempfile::tempdir().unwrap();
    let provider = SlowProvider::new();
    let Running {
        server,
        api,
        key,
        campaign,
    } = start(directory.path(), &provider, 1).await;
    provider.has_orders(1).await;
    assert_eq!(api.readiness().await.0, 200);
    let stopped = tokio::spawn(server.stop());
    let draining = async {
        while api.readiness().await.0 == 200 {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, draining)
        .await
        .expect("it says that it stops");
    let (status, problem) = api.readiness().await;
    assert_eq!((status, &problem["code"]), (503, &json!("stopping")));
    // It still answers, and what it is given now is for others to dial.
    api.upload(&key, &campaign, "phone\n+393331234599\n").await;
    provider.answers.send_replace(true);
    timeout(STOPS_WITHIN, stopped)
        .await
        .expect("it stops")
        .unwrap();
    assert_eq!(attempts(directory.path()).await, [AttemptState::Accepted]);
    assert_eq!(*provider.orders.borrow(), 1);
}

#[tokio::test]
async fn a_dial_that_does_not_end_is_cut_off_and_left_to_recovery() {
    let directory = tempfile::tempdir().unwrap();
    let provider = SlowProvider::new();
    let running = start(directory.path(), &provider, 1).await;
    provider.has_orders(1).await;
    let begun = Instant::now();
    running.server.stop().await;
    assert!(
        begun.elapsed() < Duration::from_secs(10),
        "{:?}",
        begun.elapsed()
    );
    assert_eq!(attempts(directory.path()).await, [AttemptState::Created]);
}

#[tokio::test]
async fn a_process_with_calls_in_progress_ends_within_ten_seconds() {
    let installation = Installation::create().await;
    let server = installation.serve(&[]).await;
    let key = installation.company_key().await;
    let campaign = server.create_campaign(&key, &open_day_and_night()).await;
    let people: Vec<String> = (10..90)
        .map(|person| format!("+3933312345{person}"))
        .collect();
    let list = format!("phone\n{}\n", people.join("\n"));
    server.upload(&key, &campaign, &list).await;
    server.post(&key, &format!("{campaign}/start")).await;
    let talking = async {
        while server.stats(&key, &campaign).await["calls_in_progress"] == 0 {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, talking)
        .await
        .expect("somebody is called");
    server.signal("TERM").await;
    server.ends_well().await;
    let log = server.log();
    assert!(log.contains("Scheduler leader lock released"), "{log}");
    assert!(!log.contains("cut off"), "{log}");
}

/// Also while the provider answers no order, and no loop looks by itself for minutes.
#[tokio::test]
async fn a_file_that_is_asked_for_is_made_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let provider = SlowProvider::new();
    let running = start(directory.path(), &provider, 1).await;
    provider.has_orders(1).await;
    let exports = format!("{}/exports", running.campaign);
    running.api.post(&running.key, &exports).await;
    let made = async {
        loop {
            let listed = running.api.get(&running.key, &exports).await;
            if listed["items"][0]["state"] == "done" {
                return listed["items"][0]["rows"].clone();
            }
            tokio::task::yield_now().await;
        }
    };
    assert_eq!(timeout(PATIENCE, made).await.expect("a file"), 1);
    provider.answers.send_replace(true);
    running.server.stop().await;
}
