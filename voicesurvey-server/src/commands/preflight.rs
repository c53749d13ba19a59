//! `voicesurvey preflight`: whether people may be called from this installation.
//!
//! It only looks, and may run beside servers that are calling.

mod gate;

use std::collections::BTreeMap;

use clap::Args;
use serde_json::json;
use voicesurvey_core::audit::{Check, Election, Finding};
use voicesurvey_core::ports::StorageError;
use voicesurvey_core::time::{Clock as _, SystemClock, Timestamp};

use self::gate::{Gate, GateResult, Problem};
use super::{CommandError, ConfigOptions, print};
use crate::config::DatabaseUrl;
use crate::stores::{Purpose, Stores, StoresError};

const SCHEMA: &str = "the schema is the one this program needs";
const LEADER: &str = "one server leads";

/// What is checked, and how it is told.
#[derive(Args, Debug)]
pub(super) struct PreflightOptions {
    /// Prints one JSON object.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    config: ConfigOptions,
}

/// Reports on every gate, and fails if one of them has failed.
pub(super) async fn run(options: PreflightOptions) -> Result<(), CommandError> {
    let now = SystemClock.now();
    let gates = gates(options.config, now)
        .await
        .map_err(|error| CommandError::NotChecked(Box::new(error)))?;
    let failed = gates.iter().filter(|gate| gate.has_failed()).count();
    if options.json {
        let report = json!({ "ready": failed == 0, "checked_at": now, "gates": gates });
        print(&report.to_string())?;
    } else {
        let lines: Vec<String> = gates.iter().map(Gate::to_string).collect();
        print(&lines.join("\n"))?;
    }
    let gates = gates.len();
    match failed {
        0 => Ok(()),
        failed => Err(CommandError::GatesFailed { failed, gates }),
    }
}

async fn gates(config: ConfigOptions, now: Timestamp) -> Result<Vec<Gate>, CommandError> {
    let database = config.load(None)?.config.database;
    let stores = Stores::open(&database, Purpose::Inspect).await?;
    let unusable = |source| {
        let url = database.url.to_string();
        CommandError::from(StoresError::Failed { url, source })
    };
    let gates = match stores.audit.audit(now).await {
        Ok(findings) => {
            let election = stores.audit.election().await.map_err(unusable)?;
            gates_of_store(findings, election)
        }
        Err(StorageError::NotMigrated { what }) => gates_without_schema(what, &database.url),
        Err(error) => return Err(unusable(error)),
    };
    stores.close().await.map_err(unusable)?;
    Ok(gates)
}

fn gates_of_store(findings: Vec<Finding>, election: Election) -> Vec<Gate> {
    let mut found: BTreeMap<Check, Finding> = BTreeMap::new();
    found.extend(findings.into_iter().map(|found| (found.check, found)));
    let schema = Gate {
        about: Check::Constraints.promise(),
        text: SCHEMA,
        result: GateResult::Pass { note: None },
    };
    let checks = Check::ALL.into_iter();
    let checks = checks.map(|check| gate_of_check(check, found.remove(&check)));
    let mut gates = vec![schema];
    gates.extend(checks);
    gates.push(gate_of_election(election));
    gates
}

fn gate_of_check(check: Check, finding: Option<Finding>) -> Gate {
    let result = match finding {
        None => GateResult::Pass { note: None },
        Some(finding) => {
            let examples = finding.examples.iter();
            let problem = Problem {
                summary: match finding.rows {
                    1 => "1 is wrong".to_owned(),
                    rows => format!("{rows} are wrong"),
                },
                examples: examples.map(ToString::to_string).collect(),
                what_to_do: check.what_to_do().to_owned(),
            };
            if check.is_warning() {
                GateResult::Warn(problem)
            } else {
                GateResult::Fail(problem)
            }
        }
    };
    Gate {
        about: check.promise(),
        text: check.text(),
        result,
    }
}

fn gate_of_election(election: Election) -> Gate {
    match election {
        Election::NotHeld => Gate::skipped("leader", LEADER, "the store takes one server only"),
        Election::NoLeader => Gate::skipped("leader", LEADER, "no server leads now"),
        Election::Leader {
            server,
            since,
            epoch,
        } => {
            let since = since.map_or_else(String::new, |since| {
                format!(" since {}", since.format("%F %T UTC"))
            });
            let note = Some(format!("{server}{since}, epoch {epoch}"));
            Gate {
                about: "leader",
                text: LEADER,
                result: GateResult::Pass { note },
            }
        }
    }
}

/// Nothing can be told of a database with another schema.
fn gates_without_schema(what: String, url: &DatabaseUrl) -> Vec<Gate> {
    const WHY: &str = "the schema is another one";
    let schema = Gate {
        about: Check::Constraints.promise(),
        text: SCHEMA,
        result: GateResult::Fail(Problem {
            summary: what,
            examples: Vec::new(),
            what_to_do: format!(
                "run voicesurvey migrate --database-url {url}, or the version of this program \
                 that the database was made with"
            ),
        }),
    };
    let checks = Check::ALL.into_iter();
    let skipped = checks.map(|check| Gate::skipped(check.promise(), check.text(), WHY));
    let mut gates = vec![schema];
    gates.extend(skipped);
    gates.push(Gate::skipped("leader", LEADER, WHY));
    gates
}
