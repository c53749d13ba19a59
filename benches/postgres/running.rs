//! A server that runs in this process: HTTP, loops and store as `voicesurvey serve` has them.

use std::num::NonZeroU32;
use std::sync::Arc;

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use voicesurvey::id::IdGenerator;
use voicesurvey::interpretation::rules::RulesInterpreter;
use voicesurvey::ports::TelephonyProvider;
use voicesurvey::time::SystemClock;
use voicesurvey_server::app::HttpSettings;
use voicesurvey_server::config::{DatabaseConfig, DatabaseUrl, NumberKeysSetting};
use voicesurvey_server::providers::Telephony;
use voicesurvey_server::server::{Server, ServerParts, listen};
use voicesurvey_server::stores::{Purpose, Stores};
use voicesurvey_server::workers::WorkerSettings;

use crate::provider::{Dial, RecordingProvider};

/// Connections to PostgreSQL.
const CONNECTIONS: NonZeroU32 = NonZeroU32::new(10).unwrap();

/// A running server, and the calls that it places.
pub(crate) struct Running {
    pub(crate) server: Server,
    pub(crate) dials: UnboundedReceiver<Dial>,
}

impl Running {
    /// Starts a server that dials, or, with no dials at once, one that only takes webhooks.
    pub(crate) async fn start(url: &str, dials_at_once: u16) -> anyhow::Result<Self> {
        let (sender, dials) = unbounded_channel();
        let provider = Arc::new(RecordingProvider { dials: sender });
        let server = serve(url, dials_at_once, provider).await?;
        Ok(Self { server, dials })
    }

    /// Where its webhooks are.
    pub(crate) fn events_url(&self) -> String {
        format!("http://{}/webhooks/telephony/events", self.server.address())
    }
}

/// Starts a server with that provider.
pub(crate) async fn serve(
    url: &str,
    dials_at_once: u16,
    provider: Arc<dyn TelephonyProvider>,
) -> anyhow::Result<Server> {
    let database = DatabaseConfig {
        url: DatabaseUrl::try_from(url.to_owned())?,
        max_connections: CONNECTIONS,
        number_keys: NumberKeysSetting::default(),
    };
    let stores = Stores::open(&database, Purpose::Serve).await?;
    let cluster = stores.join_cluster(&database, "bench").await?;
    let listener = listen("127.0.0.1:0").await?;
    let public_url = format!("http://{}", listener.local_addr()?);
    let clock = Arc::new(SystemClock);
    Ok(Server::start(ServerParts {
        listener,
        stores,
        telephony: Telephony {
            provider,
            simulated: None,
        },
        interpreter: Arc::new(RulesInterpreter::new()),
        pacer: clock.clone(),
        ids: Arc::new(IdGenerator::from_entropy(clock)),
        engine: voicesurvey::service::EngineSettings::default(),
        workers: WorkerSettings {
            dials_at_once,
            ..WorkerSettings::default()
        },
        cluster,
        http: HttpSettings {
            operator_token: None,
            largest_upload_bytes: 1 << 20,
            upload_folder: std::env::temp_dir(),
            public_url,
            keep_exports_for: chrono::TimeDelta::hours(24),
        },
    })?)
}
