//! `voicesurvey provider-stand-in`.

use std::io;

use clap::Args;

use super::{CommandError, ConfigOptions};
use crate::config::Loaded;
use crate::server::{self, StopSignals};
use crate::stand_in::server::StandIn;

#[derive(Args, Debug)]
pub(super) struct StandInOptions {
    /// Where to listen, as HOST:PORT; port 0 takes any free one.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8881")]
    listen: String,
    /// A server that is told what happens; give it once for each.
    #[arg(long = "server", value_name = "URL")]
    servers: Vec<String>,
    #[command(flatten)]
    config: ConfigOptions,
}

/// Places calls to simulated people until a signal asks the process to end.
pub(super) async fn run(options: StandInOptions) -> Result<(), CommandError> {
    let Loaded { config, .. } = options.config.load(None)?;
    let telephony = config.telephony;
    let mut signals = StopSignals::listen().map_err(CommandError::System)?;
    let listener = server::listen(&options.listen).await?;
    let address = listener.local_addr().map_err(CommandError::System)?;
    let secret = telephony.stand_in.secret.reveal();
    let stand_in = StandIn::new(telephony.simulated, secret, options.servers)
        .map_err(|error| CommandError::System(io::Error::other(error)))?;
    tracing::info!("Listening on http://{address}");
    tokio::select! {
        served = stand_in.serve(listener) => served.map_err(CommandError::System),
        () = signals.received() => Ok(()),
    }
}
