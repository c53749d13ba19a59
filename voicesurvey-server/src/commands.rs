//! The command line: what can be asked of the program, and how it ends.
//!
//! Results go to standard output and nothing else does, so that a script can read them; the log and
//! errors go to standard error. The exit code is 0 when what was asked is done, 2 when the command
//! line is wrong or a preflight cannot be made, and 1 for everything else.

mod api_key;
mod company;
mod dry_run;
mod interpret;
mod interview;
mod lines;
mod migrate;
mod openapi;
mod preflight;
mod serve;
mod stand_in;

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, Parser, Subcommand};
use voicesurvey_core::id::IdGenerator;
use voicesurvey_core::interpretation::AnswerInterpreter;
use voicesurvey_core::ports::NoWakeUp;
use voicesurvey_core::service::{Companies, ServiceError};
use voicesurvey_core::time::{Clock, SystemClock};
use voicesurvey_llm::{AssistedInterpreter, Failure, ModelError, Standing};

use crate::config::{Config, ConfigError, Flags, LlmConfig, Loaded};
use crate::demo::{self, DemoError, DemoOptions};
use crate::dry_run::DryRunFailure;
use crate::interpreters::language_model;
use crate::server::ListenError;
use crate::stores::{Purpose, Stores, StoresError};
use crate::telemetry;

/// Phone surveys: calls people, asks, and keeps the answers.
#[derive(Debug, Parser)]
#[command(name = "voicesurvey", version, propagate_version = true)]
pub struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs the server: API, webhooks and calls.
    Serve(serve::ServeOptions),
    /// Plays a phone survey with simulated people, on a clock that runs fast.
    Demo(DemoOptions),
    /// Tries a campaign out with simulated people, and changes nothing.
    DryRun(dry_run::DryRunOptions),
    /// Shows what is understood of sentences, one JSON object per line.
    Interpret(interpret::InterpretOptions),
    /// Holds the interview of a campaign in the terminal, and changes nothing.
    Interview(interview::InterviewOptions),
    /// Brings the schema of the database up to date.
    Migrate(migrate::MigrateOptions),
    /// Checks whether people may be called from this installation; changes nothing.
    Preflight(preflight::PreflightOptions),
    /// Manages companies.
    #[command(subcommand)]
    Company(company::CompanyCommand),
    /// Manages API keys.
    #[command(subcommand)]
    ApiKey(api_key::ApiKeyCommand),
    /// Prints the OpenAPI document of the API.
    Openapi,
    /// Runs a telephony provider whose calls simulated people answer, for tests of servers.
    ProviderStandIn(stand_in::StandInOptions),
}

const DATABASE_URL_HELP: &str = "\
sqlite://FILE or postgres://USER:PASSWORD@HOST:PORT/DATABASE [default: sqlite://voicesurvey.db]. \
VOICESURVEY_DATABASE_URL keeps the password out of the list of processes";

/// Where the configuration comes from. Settings also come from environment variables; the file
/// config.default.toml lists them all.
#[derive(Args, Clone, Debug)]
pub struct ConfigOptions {
    /// The configuration file [default: voicesurvey.toml, if it exists].
    #[arg(long, value_name = "FILE", env = "VOICESURVEY_CONFIG")]
    config: Option<PathBuf>,
    // Read as text, because clap repeats what it refuses, and this may hold a password.
    #[arg(long, value_name = "URL", help = DATABASE_URL_HELP)]
    database_url: Option<String>,
}

/// What was asked could not be done.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// The configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The demo.
    #[error(transparent)]
    Demo(#[from] DemoError),
    /// The address.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// The dry run.
    #[error(transparent)]
    DryRun(#[from] DryRunFailure),
    /// The store.
    #[error(transparent)]
    Stores(#[from] StoresError),
    /// A service did not do it.
    #[error(transparent)]
    Service(#[from] ServiceError),
    /// What was checked is not as it must be.
    #[error("{failed} of {gates} gates failed")]
    GatesFailed {
        /// How many.
        failed: usize,
        /// Of how many.
        gates: usize,
    },
    /// Nothing could be checked.
    #[error(transparent)]
    NotChecked(Box<Self>),
    /// The operating system did not give what every program gets.
    #[error("the operating system refuses")]
    System(#[source] io::Error),
    /// Lines of the input cannot be read; each is named where its result would stand.
    #[error("{bad} of {lines} lines cannot be read")]
    BadLines {
        /// How many.
        bad: u64,
        /// Of how many.
        lines: u64,
    },
    /// What was to be read cannot be.
    #[error("standard input cannot be read")]
    Input(#[source] io::Error),
    /// The language model of the configuration cannot be asked.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// A language model is to be asked, and none is configured.
    #[error("no language model is configured: set llm.url")]
    NoModel,
    /// The language model does not answer as it must.
    #[error("the language model cannot be used")]
    ModelOff(#[source] Failure),
    /// Nobody could read the result.
    #[error("the result cannot be written to standard output")]
    Output(#[source] io::Error),
}

impl CommandError {
    /// How the program ends.
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::NotChecked(_) => 2,
            _ => 1,
        }
    }
}

/// Does what the command line asks.
pub async fn run(line: CommandLine) -> Result<(), CommandError> {
    match line.command {
        Command::Serve(options) => serve::run(options).await,
        Command::Demo(options) => Ok(demo::run(options).await?),
        Command::DryRun(options) => dry_run::run(options).await,
        Command::Interpret(options) => interpret::run(options).await,
        Command::Interview(options) => interview::run(options).await,
        Command::Migrate(options) => migrate::run(options).await,
        Command::Preflight(options) => preflight::run(options).await,
        Command::Company(command) => company::run(command).await,
        Command::ApiKey(command) => api_key::run(command).await,
        Command::Openapi => openapi::run(),
        Command::ProviderStandIn(options) => stand_in::run(options).await,
    }
}

impl ConfigOptions {
    /// Reads the configuration and starts the log as it says.
    fn load(self, listen: Option<String>) -> Result<Loaded, CommandError> {
        let loaded = Config::load(&Flags {
            config_file: self.config,
            database_url: self.database_url,
            listen,
        })?;
        telemetry::start(loaded.config.log);
        for variable in &loaded.unknown_variables {
            tracing::warn!(
                variable,
                "the environment variable is no setting, and is ignored"
            );
        }
        Ok(loaded)
    }

    /// The companies in the store, which is to be closed at the end.
    async fn companies(self) -> Result<(Companies, Stores), CommandError> {
        let config = self.load(None)?.config;
        let stores = Stores::open(&config.database, Purpose::Command).await?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let ids = Arc::new(IdGenerator::from_entropy(clock.clone()));
        // No command lets a company call more than before.
        let companies = Companies::new(stores.storage.clone(), clock, ids, Arc::new(NoWakeUp));
        Ok((companies, stores))
    }
}

/// The rules with the configured model beside them. Who asks for a model wants to hear if there is
/// none.
async fn assisted_interpreter(
    config: &LlmConfig,
) -> Result<Arc<dyn AnswerInterpreter>, CommandError> {
    let model = language_model(config, Arc::new(SystemClock))?;
    let model = model.ok_or(CommandError::NoModel)?;
    if let Standing::Off(failure) = model.probe().await {
        return Err(CommandError::ModelOff(failure));
    }
    Ok(Arc::new(AssistedInterpreter::new(model)))
}

/// Writes a result, and a line break after it.
fn print(result: &str) -> Result<(), CommandError> {
    let mut output = io::stdout().lock();
    writeln!(output, "{result}")
        .and_then(|()| output.flush())
        .map_err(CommandError::Output)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        CommandLine::command().debug_assert();
    }
}
