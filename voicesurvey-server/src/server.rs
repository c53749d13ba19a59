//! A running server: the services, the workers and the HTTP side over one store, started together
//! and stopped in order.
//!
//! The order in which it stops: it says that it is not ready, claims nothing more, finishes its
//! dials, and lets go of the lead, while it still takes webhooks. Then it takes no new connections,
//! finishes what is being answered, and closes the store. It takes [`STOPS_WITHIN`] at most; what is
//! cut off then is as safe as after a crash.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use voicesurvey_core::id::IdGenerator;
use voicesurvey_core::interpretation::AnswerInterpreter;
use voicesurvey_core::ports::WakeUp;
use voicesurvey_core::service::{EngineParts, EngineSettings};

use crate::app::{App, HttpSettings};
use crate::config::{Config, HttpConfig};
use crate::providers::Telephony;
use crate::scaled_clock::Pacer;
use crate::stores::{Cluster, Stores};
use crate::workers::{Bell, WorkerParts, WorkerSettings, Workers};
use crate::{api, telemetry};

/// How long finishing dials may take.
const DIALS_FINISH_WITHIN: Duration = Duration::from_secs(5);
/// How long answering may take after that.
const ANSWERS_WITHIN: Duration = Duration::from_secs(2);
/// How long closing the store may take.
const CLOSES_WITHIN: Duration = Duration::from_secs(2);

/// How long uploads may take to undo what they have begun.
const UPLOADS_STOP_WITHIN: Duration = Duration::from_secs(5);
/// The longest that [`Server::stop`] takes.
pub const STOPS_WITHIN: Duration = DIALS_FINISH_WITHIN
    .saturating_add(ANSWERS_WITHIN)
    .saturating_add(CLOSES_WITHIN);

/// What a server is made of.
#[derive(Debug)]
pub struct ServerParts {
    /// Where it listens.
    pub listener: TcpListener,
    /// Where everything is kept.
    pub stores: Stores,
    /// Who dials.
    pub telephony: Telephony,
    /// Who understands what people say.
    pub interpreter: Arc<dyn AnswerInterpreter>,
    /// What time it is, and how fast it passes.
    pub pacer: Arc<dyn Pacer>,
    /// Where identifiers come from.
    pub ids: Arc<IdGenerator>,
    /// Times and sizes of the engine.
    pub engine: EngineSettings,
    /// How the loops work.
    pub workers: WorkerSettings,
    /// The other servers on the store, if there can be any.
    pub cluster: Option<Cluster>,
    /// The HTTP side.
    pub http: HttpSettings,
}

/// A server that runs until it is stopped.
pub struct Server {
    app: App,
    address: SocketAddr,
    stores: Stores,
    workers: Workers,
    bell: Arc<Bell>,
    stop: watch::Sender<bool>,
    http: JoinHandle<io::Result<()>>,
}

/// The server cannot listen.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// Somebody else does.
    #[error("{address} is already in use; choose another with --listen")]
    InUse {
        /// The address.
        address: String,
    },
    /// The address is not one of this machine, or not allowed.
    #[error("cannot listen on {address}; choose another with --listen")]
    Refused {
        /// The address.
        address: String,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// Listens on `HOST:PORT`; from now on connections are accepted, and wait for the server to start.
pub async fn listen(address: &str) -> Result<TcpListener, ListenError> {
    TcpListener::bind(address).await.map_err(|source| {
        let address = address.to_owned();
        if source.kind() == io::ErrorKind::AddrInUse {
            ListenError::InUse { address }
        } else {
            ListenError::Refused { address, source }
        }
    })
}

impl HttpSettings {
    /// The settings of a server that listens on `address`.
    pub fn from_config(config: &Config, address: SocketAddr) -> Self {
        let HttpConfig { operator_token, .. } = &config.http;
        let public_url = match config.public_url.trim_end_matches('/') {
            "" => format!("http://{address}"),
            url => url.to_owned(),
        };
        Self {
            operator_token: operator_token.reveal().map(str::to_owned),
            largest_upload_bytes: config.http.largest_upload_bytes(),
            upload_folder: config.http.upload_folder(),
            public_url,
            keep_exports_for: config.exports.keep_for(),
        }
    }
}

impl Server {
    /// Starts the workers and answers requests.
    pub fn start(parts: ServerParts) -> io::Result<Self> {
        let ServerParts {
            listener,
            stores,
            telephony,
            interpreter,
            pacer,
            ids,
            engine,
            workers,
            cluster,
            http,
        } = parts;
        let address = listener.local_addr()?;
        let bell = Arc::new(Bell::new());
        let parts = EngineParts {
            storage: stores.storage.clone(),
            queue: stores.queue.clone(),
            provider: telephony.provider,
            interpreter,
            clock: pacer.clone(),
            ids,
            wake_up: bell.clone(),
            settings: engine,
        };
        let app = match &cluster {
            Some(cluster) => App::with_duties(parts, cluster.duties(), http),
            None => App::new(parts, http),
        };
        let workers = Workers::start(WorkerParts {
            engine: app.engine.clone(),
            engine_settings: engine,
            exports: Some(app.exports.clone()),
            simulated: telephony.simulated,
            pacer,
            bell: bell.clone(),
            readiness: app.readiness.clone(),
            settings: workers,
            cluster,
        });
        let stop = watch::Sender::new(false);
        let mut stopping = stop.subscribe();
        let router = telemetry::access_log(api::router(app.clone()));
        let serve = axum::serve(listener, router).with_graceful_shutdown(async move {
            // OK because a server that was dropped is a server that stops.
            let _ = stopping.wait_for(|stopping| *stopping).await;
        });
        let http = tokio::spawn(serve.into_future());
        Ok(Self {
            app,
            address,
            stores,
            workers,
            bell,
            stop,
            http,
        })
    }

    /// The services.
    pub const fn app(&self) -> &App {
        &self.app
    }

    /// Makes the workers look at once, instead of when they meant to: for whoever puts the clock
    /// forward.
    pub fn bell(&self) -> Arc<dyn WakeUp> {
        self.bell.clone()
    }

    /// Where it listens, also when any free port was asked for.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The URL of the page to try the API.
    pub fn documentation_url(&self) -> String {
        format!("http://{}/api/docs", self.address)
    }

    /// Stops in order.
    pub async fn stop(self) {
        self.app.readiness.drain();
        self.workers.stop(DIALS_FINISH_WITHIN).await;
        self.stop.send_replace(true);
        let mut http = self.http;
        let answered = tokio::time::timeout(ANSWERS_WITHIN, &mut http).await;
        if answered.is_err() {
            tracing::warn!("a request was not answered in time, and is cut off");
            http.abort();
        }
        let stopped = tokio::time::timeout(UPLOADS_STOP_WITHIN, self.app.upload_jobs.stop());
        if stopped.await.is_err() {
            tracing::warn!("an upload was not given up in time; others will find it silent");
        }
        match tokio::time::timeout(CLOSES_WITHIN, self.stores.close()).await {
            Ok(Ok(())) => tracing::info!("Stopped"),
            Ok(Err(error)) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(
                    error,
                    "the store was not closed, and is opened as after a crash"
                );
            }
            Err(_) => tracing::warn!("the store did not close in time"),
        }
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

/// Signals of the operating system that ask this process to end.
///
/// From the moment it is made they no longer kill the process.
#[derive(Debug)]
pub struct StopSignals {
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
}

impl StopSignals {
    /// Listens from now on.
    pub fn listen() -> io::Result<Self> {
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            Ok(Self {
                terminate: signal(SignalKind::terminate())?,
                interrupt: signal(SignalKind::interrupt())?,
            })
        }
        #[cfg(not(unix))]
        Ok(Self {})
    }

    /// Waits for one of them.
    pub async fn received(&mut self) {
        #[cfg(unix)]
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
        #[cfg(not(unix))]
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
