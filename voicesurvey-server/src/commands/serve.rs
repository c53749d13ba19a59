//! `voicesurvey serve`.

use std::sync::Arc;

use clap::Args;
use voicesurvey_core::id::IdGenerator;
use voicesurvey_core::time::SystemClock;

use super::{CommandError, ConfigOptions};
use crate::app::HttpSettings;
use crate::config::Loaded;
use crate::interpreters;
use crate::providers::Telephony;
use crate::scaled_clock::Pacer;
use crate::server::{self, Server, ServerParts, StopSignals};
use crate::stores::{Purpose, Stores};

#[derive(Args, Debug)]
pub(super) struct ServeOptions {
    /// Where to listen, as HOST:PORT; port 0 takes any free one [default: 127.0.0.1:8880].
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<String>,
    #[command(flatten)]
    config: ConfigOptions,
}

/// Serves until a signal asks the process to end.
pub(super) async fn run(options: ServeOptions) -> Result<(), CommandError> {
    let Loaded { config, file, .. } = options.config.load(options.listen)?;
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        database = %config.database.url,
        config_file = file.map(|file| file.display().to_string()),
        "Application starting"
    );
    let mut signals = StopSignals::listen().map_err(CommandError::System)?;
    let listener = server::listen(&config.listen).await?;
    let address = listener.local_addr().map_err(CommandError::System)?;
    let stores = Stores::open(&config.database, Purpose::Serve).await?;
    let name = match config.engine.server_name.as_str() {
        "" => format!("{address}, process {}", std::process::id()),
        name => name.to_owned(),
    };
    let cluster = stores.join_cluster(&config.database, &name).await?;
    let pacer: Arc<dyn Pacer> = match &cluster {
        Some(cluster) => cluster.clock(),
        None => Arc::new(SystemClock),
    };
    let ids = Arc::new(IdGenerator::from_entropy(pacer.clone()));
    let telephony =
        Telephony::from_config(&config, pacer.clone(), &ids).map_err(CommandError::System)?;
    let limits = config.telephony.account_limits();
    stores
        .limit_provider(&config.database, telephony.provider.name(), limits)
        .await?;
    let interpreter = interpreters::from_config(&config.llm, pacer.clone())?;
    let server = Server::start(ServerParts {
        listener,
        stores,
        telephony,
        interpreter,
        pacer,
        ids,
        engine: config.engine.settings(),
        workers: config.engine.workers(config.telephony.calls_per_second()),
        cluster,
        http: HttpSettings::from_config(&config, address),
    })
    .map_err(CommandError::System)?;
    tracing::info!("Listening on http://{}", server.address());
    tracing::info!("The API can be tried at {}", server.documentation_url());
    signals.received().await;
    tracing::info!("Stopping");
    server.stop().await;
    Ok(())
}
