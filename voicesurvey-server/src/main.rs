//! The program `voicesurvey`.

use std::error::Error;
use std::process::ExitCode;

use clap::Parser as _;
use voicesurvey_server::commands::{self, CommandError, CommandLine};

fn main() -> ExitCode {
    let line = CommandLine::parse();
    match run(line) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report(&error);
            ExitCode::from(error.exit_code())
        }
    }
}

fn run(line: CommandLine) -> Result<(), CommandError> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(CommandError::System)?;
    let outcome = runtime.block_on(commands::run(line));
    // Whatever is left was told to stop and did not.
    runtime.shutdown_background();
    outcome
}

/// Says what went wrong and why, the reasons below.
fn report(error: &CommandError) {
    eprintln!("error: {error}");
    let mut reason = error.source();
    while let Some(error) = reason {
        eprintln!("  because: {error}");
        reason = error.source();
    }
}
