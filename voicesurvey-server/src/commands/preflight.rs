//! `voicesurvey preflight`: whether people may be called from this installation.
//!
//! It only looks, and may run beside servers that are calling; with `--live` it calls one number, when
//! everything else is right and somebody has said so.

mod gate;
mod live;
mod second_process;
mod store;
mod twilio;
mod voice;

use clap::Args;
use serde_json::json;
use tokio::io::BufReader;
use voicesurvey_core::language::Language;
use voicesurvey_core::phone_number::PhoneNumber;
use voicesurvey_core::ports::{Scope, StorageError};
use voicesurvey_core::time::{Clock as _, SystemClock, Timestamp};

use self::gate::Gate;
use self::second_process::SecondProcess;
use super::{CommandError, ConfigOptions, print};
use crate::config::Config;
use crate::stores::{Purpose, Stores, StoresError};

/// What is checked, and how it is told.
#[derive(Args, Debug)]
pub(super) struct PreflightOptions {
    /// Prints one JSON object.
    #[arg(long)]
    json: bool,
    /// Calls this number if no gate fails, as +390612345678, and says one sentence. It costs money.
    #[arg(long, value_name = "NUMBER")]
    live: Option<PhoneNumber>,
    /// Calls without asking.
    #[arg(long, requires = "live")]
    yes: bool,
    /// The language of that sentence.
    #[arg(long, value_name = "LANGUAGE", default_value = "en")]
    language: Language,
    /// Says only whether this lock can be had: what one preflight asks another one.
    #[arg(long, value_name = "LOCK", hide = true)]
    try_lock: Option<i32>,
    #[command(flatten)]
    config: ConfigOptions,
}

/// What was found out.
struct Found {
    gates: Vec<Gate>,
    /// Whether somebody has asked not to be called at the number of the live call.
    is_excluded: bool,
}

/// Reports on every gate, and fails if one of them has failed.
pub(super) async fn run(options: PreflightOptions) -> Result<(), CommandError> {
    let PreflightOptions { json, live, .. } = options;
    let now = SystemClock.now();
    let not_checked = |error| CommandError::NotChecked(Box::new(error));
    let file = options.config.config.clone();
    let loaded = options.config.load(None).map_err(not_checked)?;
    let config = loaded.config;
    if let Some(lock) = options.try_lock {
        return second_process::answer(&config.database, lock).await;
    }
    let second = SecondProcess::new(file, &config.database);
    let found = look(&config, &second, live, now);
    let found = found.await.map_err(not_checked)?;
    let Found { mut gates, .. } = found;
    if !json {
        print_lines(&gates)?;
    }
    if let Some(number) = live {
        let wish = live::Wish {
            number,
            language: options.language,
            is_confirmed: options.yes,
            is_excluded: found.is_excluded,
            may_call: !gates.iter().any(Gate::has_failed),
        };
        let mut input = BufReader::new(tokio::io::stdin());
        let called = live::call(&config, &wish, &mut input).await?;
        if !json {
            print_lines(std::slice::from_ref(&called))?;
        }
        gates.push(called);
    }
    let failed = gates.iter().filter(|gate| gate.has_failed()).count();
    if json {
        let report = json!({ "ready": failed == 0, "checked_at": now, "gates": gates });
        print(&report.to_string())?;
    }
    let gates = gates.len();
    match failed {
        0 => Ok(()),
        failed => Err(CommandError::GatesFailed { failed, gates }),
    }
}

fn print_lines(gates: &[Gate]) -> Result<(), CommandError> {
    let lines: Vec<String> = gates.iter().map(Gate::to_string).collect();
    print(&lines.join("\n"))
}

async fn look(
    config: &Config,
    second: &SecondProcess,
    live: Option<PhoneNumber>,
    now: Timestamp,
) -> Result<Found, CommandError> {
    let database = &config.database;
    let stores = Stores::open(database, Purpose::Inspect).await?;
    let unusable = |source| {
        let url = database.url.to_string();
        CommandError::from(StoresError::Failed { url, source })
    };
    let mut gates = store::gates(&stores, second, &database.url, now)
        .await
        .map_err(unusable)?;
    let mut is_excluded = false;
    // The first gate is that of the schema; without it nothing else can be read.
    let has_schema = gates.first().is_some_and(|schema| !schema.has_failed());
    stores.close().await.map_err(unusable)?;
    if has_schema {
        // Campaigns are read as commands read them; with the right schema that changes nothing.
        let stores = Stores::open(database, Purpose::Command).await?;
        let unknown_calls = store::gate_of_unknown_calls(&stores).await;
        gates.push(unknown_calls.map_err(unusable)?);
        gates.push(voice::gate(config, &stores).await?);
        if let Some(number) = live {
            is_excluded = excludes(&stores, number).await.map_err(unusable)?;
        }
        stores.close().await.map_err(unusable)?;
    } else {
        let why = "the schema is another one";
        gates.push(store::skipped_unknown_calls(why));
        gates.push(voice::skipped(why));
    }
    gates.extend(twilio::gates(config).await?);
    Ok(Found { gates, is_excluded })
}

/// Whether any company has excluded the number.
async fn excludes(stores: &Stores, number: PhoneNumber) -> Result<bool, StorageError> {
    let mut work = stores.storage.begin(Scope::Platform).await?;
    Ok(!work.exclusions().among(&[number]).await?.is_empty())
}
